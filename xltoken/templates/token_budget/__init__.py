"""Template token_budget: five years of token costs, declining against a flat line.

The layout is the model: one row a formula, one time axis, every input once. Costs are positive on
cost rows; present values have the sign of cash, so a cost is negative.
"""

from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook

from xltoken.functions.cells import day_of
from xltoken.recalc import package as files
from xltoken.recalc import sheetxml
from xltoken.templates import style as s
from xltoken.templates.token_budget import calculations, control, inputs, views
from xltoken.templates.token_budget.layout import FIELDS, SHEETS, SOURCE_ROW, WORKLOADS


def draw() -> Workbook:
    """Draw the workbook; its formulas are not yet computed."""
    book = Workbook()
    del book["Sheet"]
    s.add_styles(book)
    sheets = {name: book.create_sheet(name) for name in SHEETS}
    inputs.inputs(book, sheets["Inputs"])
    calculations.calculations(book, sheets["Calculations"])
    views.outputs(book, sheets["Outputs"])
    control.checks(book, sheets["Checks"])
    control.sources(sheets["Sources"])
    control.changes(sheets["Changes"])
    views.cover(book, sheets["Cover"])
    return book


def answer(path: Path) -> dict[str, Any]:
    """Read the answer of a budget workbook from its saved values.

    Returns
    -------
    dict
        USD of ``cost_declining``, ``cost_flat``, ``npv_declining``, ``npv_flat`` and
        ``npv_difference``; ``checks`` as OK or CHECK; ``evidence``, a dict for each workload in the
        first and the last month.
    """
    package = files.read(path)

    def named(name: str) -> sheetxml.Value:
        sheet, _, place = package.names[name].replace("$", "").rpartition("!")
        return _saved(package, sheet.strip("'"), place)

    fields = ("workload", "platform", "month", *FIELDS, "warned", "warnings")
    evidence = []
    for row in range(SOURCE_ROW, SOURCE_ROW + 2 * len(WORKLOADS)):
        line = {
            field: _saved(package, "Sources", f"{letter(column)}{row}")
            for column, field in enumerate(fields, 1)
        }
        for field in ("month", "date"):
            serial = line[field]
            if isinstance(serial, float):
                line[field] = day_of(serial).isoformat()
        evidence.append(line)
    return {
        "cost_declining": named("cost_declining"),
        "cost_flat": named("cost_flat"),
        "npv_declining": named("value_declining"),
        "npv_flat": named("value_flat"),
        "npv_difference": named("value_difference"),
        "checks": "OK" if named("all_checks") == 1 else "CHECK",
        "evidence": evidence,
    }


def _saved(package: files.Package, sheet: str, place: str) -> sheetxml.Value:
    where = sheetxml.reference(place)
    cell = package.cell(sheet, *where) if where else None
    return cell.value if cell else None
