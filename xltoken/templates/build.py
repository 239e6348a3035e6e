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
from xltoken.recalc.package import parsed
from xltoken.recalc.relink import relinked
from xltoken.recalc.result_pages import timeless
from xltoken.recalc.workbook import Report, computed
from xltoken.templates import self_test, token_budget


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
        Template(
            "self_test",
            "Every function with its expected result: one minute proves a host, Excel for one.",
            self_test.draw,
        ),
    )
}


HOSTS: Final = ("excel", "lite", "libreoffice")
"""Who may compute a workbook; each wants the names of our functions in its own way."""


def new(name: str, output: Path, *, replace: bool = True, host: str | None = None) -> Report:
    """Make a workbook from a template, every formula cell with its value.

    Parameters
    ----------
    name : str
        One of `TEMPLATES`.
    output : Path
        Where to write. An .xlsm, for the host excel, carries the functions itself; an .xlsx finds
        them in the installed add-in.
    replace : bool, default True
        Whether a file that stands there and differs is replaced, in one step.
    host : str, optional
        One of `HOSTS`; names of functions are plain where it is not given.

    Returns
    -------
    Report
        What was computed.

    Raises
    ------
    FileError
        If the output cannot be written, another file stands there, or it is called as no workbook
        of that host is.
    """
    suffixes = (".xlsx", ".xlsm") if host == "excel" else (".xlsx",)
    if output.suffix.lower() not in suffixes:
        hint = "; --host excel makes an .xlsm" if output.suffix.lower() == ".xlsm" else ""
        raise files.FileError(f"{output}: is to be called {' or '.join(suffixes)} here{hint}.")
    files.check_writable(output)
    book = TEMPLATES[name].draw()
    _describe(book, name)
    buffer = io.BytesIO()
    book.save(buffer)
    content, report = computed(timeless(buffer.getvalue()), output)
    content = _for_host(content, host, output)
    if not replace and output.exists() and output.read_bytes() != content:
        raise files.FileError(f"{output}: stands there already; --force replaces it.")
    files.write_atomically(output, content)
    report.output = output
    return report


def _for_host(content: bytes, host: str | None, output: Path) -> bytes:
    if host == "lite":
        return relinked(parsed(output, content), host)[0]
    if output.suffix.lower() == ".xlsm":
        from xltoken.hosts.project import with_wrapper

        return with_wrapper(content)
    return content


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
