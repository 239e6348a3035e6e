"""From a drawn template to a file: computed by our own recalculation, the same bytes every time."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openpyxl.workbook import Workbook

import xltoken
from xltoken import files
from xltoken.catalog import store
from xltoken.recalc.result_pages import timeless
from xltoken.recalc.workbook import Report, computed
from xltoken.templates import token_budget


@dataclass(frozen=True, slots=True)
class Template:
    """A template: what it is for, and the function that draws it."""

    name: str
    summary: str
    draw: Callable[[], Workbook]


TEMPLATES: Final = {
    template.name: template
    for template in (
        Template(
            "token_budget",
            "Budget of 60 months: three workloads, declining unit costs against a flat line.",
            token_budget.draw,
        ),
    )
}


def new(name: str, output: Path, *, replace: bool = True) -> Report:
    """Make a workbook from a template, every formula cell with its value.

    Parameters
    ----------
    name : str
        One of `TEMPLATES`.
    output : Path
        Where to write.
    replace : bool, default True
        Whether a file that stands there and differs is replaced, in one step.

    Returns
    -------
    Report
        What was computed.

    Raises
    ------
    FileError
        If the output cannot be written, or another file stands there.
    """
    files.check_writable(output)
    book = TEMPLATES[name].draw()
    _describe(book, name)
    buffer = io.BytesIO()
    book.save(buffer)
    content, report = computed(timeless(buffer.getvalue()), output)
    if not replace and output.exists() and output.read_bytes() != content:
        raise files.FileError(f"{output}: stands there already; --force replaces it.")
    files.write_atomically(output, content)
    report.output = output
    return report


def _describe(book: Workbook, name: str) -> None:
    catalog = store.current()
    properties = book.properties
    properties.title = f"xltoken {name}"
    properties.creator = f"xltoken {xltoken.__version__}"
    properties.version = xltoken.__version__
    properties.description = f"Catalog of {catalog.date}, fingerprint {catalog.fingerprint}"
    # The saved values are current: no recalculation at load, so a reader without the functions
    # sees figures and no errors. Excel's own calculation id keeps it from recalculating anyway.
    book.calculation.calcId = 191029
    book.calculation.fullCalcOnLoad = False
