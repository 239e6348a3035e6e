"""Where what stands in the budget workbook, and the budget with other inputs."""

import datetime as dt
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from workbook_tools import opened, table

from xltoken.recalc.workbook import Report, recalculate

MONTHS = 60
PERIODS = [get_column_letter(column) for column in range(5, 5 + MONTHS)]


def row_of(book: Workbook, label: str, nth: int = 0, sheet: str = "Calculations") -> int:
    """Row of the n-th line with this label in column A."""
    rows = [c.row for c in book[sheet]["A"] if c.value == label]
    return rows[nth]


def line(book: Workbook, row: int) -> list[float]:
    """Values of a row of Calculations over all months."""
    return [book["Calculations"][f"{letter}{row}"].value for letter in PERIODS]


def workload_rows(book: Workbook) -> list[int]:
    """Rows of the workload table on Inputs."""
    head = row_of(book, "Workload", sheet="Inputs")
    rows = []
    row = head + 1
    while book["Inputs"][f"D{row}"].value is not None:
        rows.append(row)
        row += 1
    return rows


def assumptions(book: Workbook) -> list[list[Any]]:
    """Assumption names and values as the worksheet functions take them, dates as dates."""
    pairs = [[row[0], row[-1]] for row in table(book, "assumptions")]
    return [[n, v.date() if isinstance(v, dt.datetime) else v] for n, v in pairs]


def changed(source: Path, target: Path, *settings: str) -> tuple[Workbook, Report]:
    """The budget recalculated with some inputs."""
    report = recalculate(source, target, settings)
    assert [cell for cell in report.findings if cell.status == "refused"] == []
    return opened(target), report
