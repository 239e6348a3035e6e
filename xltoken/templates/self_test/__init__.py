"""Template self_test: one minute that proves a host, function by function, against the core.

Every row is a case: arguments in cells, what the host makes of them, what the core made of them
when the book was drawn. The cases are made of the registry (:mod:`edges`, :mod:`special`); no
function and no expected figure is typed.
"""

from openpyxl.workbook import Workbook

from xltoken.templates import style
from xltoken.templates.self_test import control, ranges, sheets
from xltoken.templates.self_test.edges import edges
from xltoken.templates.self_test.layout import SHEETS
from xltoken.templates.self_test.special import specials


def draw() -> Workbook:
    """Draw the workbook; its formulas are not yet computed."""
    functions, hosts = edges(), specials()
    book = Workbook()
    del book["Sheet"]
    style.add_styles(book)
    drawn = {name: book.create_sheet(name) for name in SHEETS}
    names = ranges.inputs(book, drawn["Inputs"], [*functions, *hosts])
    sheets.cases(
        book, drawn["Functions"], "Every function: its worked example, and what hosts get wrong "
        "with its arguments.", functions, names,
    )  # fmt: skip
    sheets.cases(
        book, drawn["Hosts"], "What hosts get wrong whatever the function: dates, digits, "
        "assumptions, ranges, series, tables.", hosts, names,
    )  # fmt: skip
    block = sheets.array(book, drawn["Arrays"], functions)
    control.checks(book, drawn["Checks"], functions, hosts, block)
    control.cover(book, drawn["Cover"], functions, hosts)
    control.sources(drawn["Sources"])
    control.changes(drawn["Changes"])
    for sheet in book.worksheets:
        master = "C3" if sheet.title in ("Functions", "Hosts") else "B3"
        sheets.mark_fails(sheet, master)
    return book
