"""Arguments of a worksheet function as they stand in a book, before any host has touched them.

Doors differ in what they make of a cell. What a cell *is* does not: a blank, a number, a text, a
boolean, an error, a date, or an amount with a Currency format. A test states its arguments here
once, and each door translates them into what its host would hand over.
"""

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from xltoken.functions import FUNCTIONS, WorksheetFunction, cells
from xltoken.recalc.sheetxml import ErrorText


class Skipped(enum.Enum):
    """An argument left out, f(1,,2)."""

    SKIPPED = enum.auto()


SKIPPED: Final = Skipped.SKIPPED


@dataclass(frozen=True, slots=True)
class Currency:
    """A cell with a Currency format: a host may cut it to four decimals."""

    value: float


@dataclass(frozen=True, slots=True)
class Area:
    """A range of cells: None is blank, a date or datetime a cell with a date format."""

    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Constants:
    """An array constant in the formula, {1,2;3,4}: no blanks, no dates."""

    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class ArgumentSet:
    """One call, in a book of one date system.

    An argument is SKIPPED, an Area, Constants, or what a formula says itself: a number, a text, a
    boolean, an error mark, a date for DATE(...).
    """

    name: str
    arguments: tuple[Any, ...]
    date1904: bool = False

    @property
    def function(self) -> WorksheetFunction:
        """The function that is asked."""
        return FUNCTIONS[self.name]

    @property
    def padded(self) -> tuple[Any, ...]:
        """Arguments of every parameter: what stands behind the last one given is skipped."""
        return self.arguments + (SKIPPED,) * (len(self.function.parameters) - len(self.arguments))

    def cells(self) -> Iterator[Any]:
        """Every single value among the arguments."""
        for argument in self.arguments:
            if isinstance(argument, Area | Constants):
                yield from (cell for row in argument.rows for cell in row)
            else:
                yield argument


def area(*rows: tuple[Any, ...]) -> Area:
    """Range of cells, written by its rows."""
    return Area(rows)


def cell(value: Any) -> Area:
    """Range of one cell."""
    return Area(((value,),))


def serial(day: dt.date, *, date1904: bool) -> float:
    """Number of a day in a book, with the part of the day where there is one."""
    number = float(cells.outgoing(dt.date(day.year, day.month, day.day), date1904=date1904))
    if isinstance(day, dt.datetime):
        number += (day.hour * 3600 + day.minute * 60 + day.second) / 86400
    return number


Answer = tuple[tuple[tuple[str, Any], ...], ...]
"""Rows of a result: of each cell its kind (number, text, error) and its value."""


def answer(result: Any) -> Answer:
    """Result in the form in which answers are compared: type by type, in its own shape."""
    rows = result if isinstance(result, list) else [[result]]
    return tuple(tuple(_told(value) for value in row) for row in rows)


def shown_by_stock(result: Any) -> Any:
    """What a sheet shows of what xlwings' COM server returns, with errors for the marks in it.

    A single row comes without its column. COM knows exact types: of anything but a float or a text
    the type is told, which is no answer.
    """
    if isinstance(result, list):
        rows = result if isinstance(result[0], list) else [result]
        return [[shown_by_stock(value) for value in row] for row in rows]
    if type(result) is str and result in cells.ERRORS:
        return cells.CellError(result)
    return result if type(result) in (float, str) else (type(result).__name__, repr(result))


def _told(value: Any) -> tuple[str, Any]:
    if isinstance(value, cells.CellError | ErrorText):
        return ("error", str(value))
    if type(value) is float:
        # Nan is unlike itself; shown by its text it is seen, and never taken for a number.
        return ("number", value) if value - value == 0.0 else ("no number", repr(value))
    if type(value) is str:
        return ("text", value)
    return (type(value).__name__, repr(value))
