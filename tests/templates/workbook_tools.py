"""A workbook as other tools see it: through openpyxl, recalculated, and in LibreOffice."""

import datetime as dt
import re
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import column_index_from_string
from openpyxl.workbook import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from xltoken.recalc.workbook import recalculate

ERROR_TEXT = re.compile(r"###|#N/A|#NAME\?|#VALUE!|#REF!|#DIV/0!|#NUM!|#NULL!|Err:\d+")
"""What a program shows for an error, or for a column that is too narrow."""


def opened(path: Path) -> Workbook:
    """The workbook with its saved values."""
    return openpyxl.load_workbook(path, data_only=True)


def text_of(cell: Any) -> str:
    """Text of a formula cell, an array formula's too."""
    return cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value


def formulas(book: Workbook) -> list[tuple[str, Any, str]]:
    """Sheet, cell and text of every formula."""
    return [
        (ws.title, cell, text_of(cell))
        for ws in book.worksheets
        for row in ws.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def filled(book: Workbook) -> list[tuple[str, Any]]:
    """Sheet and cell of everything that holds something."""
    return [
        (ws.title, cell)
        for ws in book.worksheets
        for row in ws.iter_rows()
        for cell in row
        if cell.value is not None
    ]


def place_of(book: Workbook, name: str) -> tuple[str, str]:
    """Sheet and range that a defined name refers to, without dollar signs."""
    sheet, place = next(iter(book.defined_names[name].destinations))
    return sheet, place.replace("$", "")


def at(book: Workbook, name: str) -> Any:
    """Value of the cell that a defined name refers to."""
    sheet, place = place_of(book, name)
    return book[sheet][place].value


def table(book: Workbook, name: str) -> list[list[Any]]:
    """Values of the range that a defined name refers to."""
    sheet, place = place_of(book, name)
    return [[cell.value for cell in row] for row in book[sheet][place]]


def is_input(cell: Any) -> bool:
    """Whether a cell looks like an input; the sample of the style key is none."""
    return cell.style == "x_input" and cell.value != "Sample"


def allowed(rule: Any, value: Any, sheet: Any) -> bool:
    """Whether a validation rule of a sheet lets a value pass."""
    if value is None:
        return rule.allow_blank
    if rule.type == "list" and rule.formula1.startswith('"'):
        return value in rule.formula1.strip('"').split(",")
    if rule.type == "list":
        return value in [c.value for row in sheet[rule.formula1.replace("$", "")] for c in row]
    if isinstance(value, dt.datetime):
        value = (value - dt.datetime(1899, 12, 30)).days
    if rule.type == "textLength":
        value = len(str(value))
    return float(rule.formula1) <= value <= float(rule.formula2)


def relative(text: str, row: int, column: int) -> str:
    """Formula with its references as distances from its own cell, as R1C1 shows them."""

    def moved(match: re.Match) -> str:
        dollar_c, letters, dollar_r, digits = match.groups()
        r = f"R{digits}" if dollar_r else f"R[{int(digits) - row}]"
        c = column_index_from_string(letters)
        return r + (f"C{c}" if dollar_c else f"C[{c - column}]")

    return re.sub(
        r"(?<![A-Za-z_])(\$?)([A-Z]{1,3})(\$?)([1-9][0-9]*)(?![A-Za-z0-9_(])", moved, text
    )


def overwritten(book: Workbook, target: Path, changes: dict) -> dict:
    """Values after cells were overwritten through openpyxl and all was computed anew.

    A cell is named by sheet and place, or by its defined name (of a range: its first cell). The
    book itself stays as it was; the file is the target.
    """
    before = {}
    for where, value in changes.items():
        sheet, place = place_of(book, where) if isinstance(where, str) else where
        cell = book[sheet][place.partition(":")[0]]
        before[cell.parent.title, cell.coordinate] = cell.value
        cell.value = value
    try:
        book.save(target)
    finally:
        for (sheet, place), value in before.items():
            book[sheet][place].value = value
    return recalculate(target).values


def converted(soffice: str, path: Path, folder: Path, kind: str) -> None:
    """Convert a workbook with a private profile, without recalculation."""
    profile = (folder / "profile").as_uri()
    subprocess.run(
        [soffice, f"-env:UserInstallation={profile}", "--headless", "--norestore",
         "--convert-to", kind, "--outdir", str(folder), str(path)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
