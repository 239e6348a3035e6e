"""Where what stands in the self-test workbook, and the workbook with other cells."""

from pathlib import Path

from openpyxl.utils import get_column_letter
from workbook_tools import opened, overwritten

from xltoken.templates.self_test.layout import COLUMNS

TITLES = [title for title, _ in COLUMNS]


def column(title: str) -> str:
    """Letter of a column of the sheets of cases."""
    return get_column_letter(TITLES.index(title) + 1)


LIVE, EXPECTED, OFF = column("Result here"), column("Expected"), column("Off by")


def rows(book):
    """Sheet and row number of every case."""
    return [
        (ws, row) for ws in (book["Functions"], book["Hosts"]) for row in range(6, ws.max_row + 1)
    ]


def after(book, target: Path, changes: dict):
    """Saved values after cells, by sheet and place or by name, were overwritten and all computed."""
    overwritten(book, target, changes)
    return opened(target)
