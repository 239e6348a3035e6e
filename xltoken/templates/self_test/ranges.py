"""Sheet Inputs: the tolerance, and every range that a case hands to a function, once."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xltoken.catalog import store
from xltoken.templates import style as s
from xltoken.templates.self_test.case import Block, Case, Special
from xltoken.templates.self_test.layout import LABEL, MASTER, TOLERANCE

_FIRST: Final = 6
_CELLS: Final = 3
"""Column of a range's first cell."""
_WIDEST: Final = 6

Names = dict[str, str]
"""Defined name of each range, by what :func:`key` makes of it."""


def key(block: Block) -> str:
    """Text that two ranges share only if they hold the same; TRUE and 1 are not the same."""
    return repr(block)


def inputs(book: Workbook, sheet: Worksheet, cases: Iterable[Case]) -> Names:
    """Draw the inputs and give the name of each range."""
    s.frame(
        sheet, "Inputs", "The tolerance, and the ranges that the cases hand over. Single arguments "
        "stand beside their cases.", (22, 22, 27, 20, *[11] * (_WIDEST - 2), 28, 13),
        freeze="A6", master="B3", check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", LABEL, "x_label")
    titles = ("Name", "Unit", "Cells", *[""] * (_WIDEST - 1), "Source", "As of")
    s.heading(sheet, 5, titles, "C")
    s.put(sheet, "A6", "tolerance", "x_label")
    s.put(sheet, "B6", "share of the expected", "x_unit")
    s.put(sheet, "C6", TOLERANCE, "x_input", "0E+00")
    _sourced(sheet, _FIRST, "Set by the template")
    s.validate(sheet, "C6", "Tolerance", "0 to 0.001, relative", type="decimal",
               operator="between", formula1="0", formula2="0.001")  # fmt: skip
    s.name(book, "tolerance", "Inputs", "C6")
    names: Names = {}
    row = _FIRST + 2
    for case in cases:
        for parameter, argument in zip(case.function.parameters, case.arguments, strict=False):
            if isinstance(argument, Block) and key(argument) not in names:
                count = sum(name.rpartition("_")[0] == parameter.name for name in names.values())
                name = f"{parameter.name}_{count + 1}"
                names[key(argument)] = name
                _range(book, sheet, row, name, parameter.unit or "as its rows say", argument)
                row += len(argument.rows) + 1
    area = f"C{_FIRST + 2}:{letter(_CELLS + _WIDEST - 1)}{row}"
    part_of_a_test(sheet, area)
    return names


def _range(book: Workbook, sheet: Worksheet, row: int, name: str, unit: str, block: Block) -> None:
    s.put(sheet, f"A{row}", name, "x_label")
    s.put(sheet, f"B{row}", unit, "x_unit")
    _sourced(sheet, row, "Worked example, or made of it")
    for down, line in enumerate(block.rows):
        for right, value in enumerate(line):
            place = f"{letter(_CELLS + right)}{row + down}"
            if value is Special.ERROR:
                # The only error of the book, on purpose: what hosts make of it is tested.
                s.put(sheet, place, "=1/0", "x_calculation")
                s.name(book, Special.ERROR.value, "Inputs", place)
            else:
                typed(sheet, place, value, block.shown)
    last = letter(_CELLS + len(block.rows[0]) - 1)
    s.name(book, name, "Inputs", f"C{row}:{last}{row + len(block.rows) - 1}")


def part_of_a_test(sheet: Worksheet, area: str) -> None:
    """Let arguments be anything short, and say what a change does."""
    s.validate(
        sheet, area, "Part of a test", "anything; another value turns the case to FAIL wherever "
        "its result depends on it", allow_blank=True, type="textLength", operator="between",
        formula1="0", formula2="60",
    )  # fmt: skip


def typed(sheet: Worksheet, place: str, value: Any, number_format: str | None = None) -> None:
    """Write an argument, as an input."""
    if number_format is None and isinstance(value, dt.date):
        number_format = s.DATE
    s.put(sheet, place, value, "x_input", None if isinstance(value, str) else number_format)
    sheet[place].alignment = aside(value)


def aside(value: Any) -> Alignment:
    """Texts to the left, a little off the edge; numbers to the right."""
    if isinstance(value, str):
        return Alignment(horizontal="left", indent=1, vertical="center")
    return Alignment(horizontal="right", vertical="center")


def _sourced(sheet: Worksheet, row: int, source: str) -> None:
    s.put(sheet, f"{letter(_CELLS + _WIDEST)}{row}", source, "x_unit")
    place = f"{letter(_CELLS + _WIDEST + 1)}{row}"
    s.put(sheet, place, store.current().date, "x_unit", s.DATE)
