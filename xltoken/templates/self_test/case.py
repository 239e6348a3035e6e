"""A case of the self-test: a function, what stands in its arguments, and what must come of it.

What must come of it is what the core gives; nothing of it is typed.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from xltoken.functions import WorksheetFunction, cells
from xltoken.functions.cells import CellError


class Special(Enum):
    """What stands in an argument besides a value."""

    SKIPPED = "(skipped)"
    """Nothing between two commas."""
    ERROR = "error_cell"
    """The cell that holds an error."""


@dataclass(frozen=True, slots=True)
class Block:
    """A range of cells on Inputs, by rows; None is a blank cell."""

    rows: tuple[tuple[Any, ...], ...]
    shown: str | None = None
    """Number format of its numbers."""

    @classmethod
    def row(cls, *values: Any) -> "Block":
        """Make a range of one row."""
        return cls((values,))

    @classmethod
    def column(cls, *values: Any) -> "Block":
        """Make a range of one column."""
        return cls(tuple((value,) for value in values))

    def holds(self, value: Any) -> bool:
        """Whether a cell of it is that very value."""
        return any(cell is value for row in self.rows for cell in row)


Argument = float | str | bool | dt.date | None | Special | Block
"""What stands in an argument: a value in a cell, None for a blank cell, or a range."""
Result = float | str
"""What is compared."""


class Look(StrEnum):
    """How a result is looked at, so that each case is one cell."""

    VALUE = "{call}"
    ERROR = "ERROR.TYPE({call})"
    CELL = "INDEX({call},{row},{column})"
    ROWS = "ROWS({call})"
    COLUMNS = "COLUMNS({call})"
    SUM = "SUMPRODUCT({call})"


@dataclass(frozen=True, slots=True)
class Limit:
    """What hosts that cannot tell something give instead: a value, or None for an error."""

    hosts: str
    outcome: Result | None


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the test."""

    function: WorksheetFunction
    subject: str
    shows: str
    arguments: tuple[Argument, ...]
    look: Look
    expected: Result
    picked: tuple[int, int] | None = None
    """Row and column of the cell that is looked at, from 1."""
    calculated: bool = False
    """Whether arguments are handed over as values of formulas instead of as cells."""
    exact: bool = False
    """Whether not even the last digit may differ."""
    formats: Mapping[int, str] = field(default_factory=dict)
    """Number formats of arguments, by position from 0."""
    shown: str | None = None
    """Number format of the result."""
    limit: Limit | None = None

    @property
    def rests_on_catalog(self) -> bool:
        """Whether another catalog may give another figure."""
        return self.function.reads_catalog


def called(function: WorksheetFunction, arguments: Sequence[Argument]) -> Any:
    """Ask the core, as a host does that hands over these cells."""
    return cells.outgoing(cells.call(function, [_raw(argument) for argument in arguments]))


def case(
    function: WorksheetFunction,
    subject: str,
    shows: str,
    arguments: Sequence[Argument],
    look: Look | None = None,
    picked: tuple[int, int] | None = None,
    **more: Any,
) -> Case:
    """Make a case of arguments; how its result is looked at follows from the result."""
    result = called(function, arguments)
    if look is None:
        look, picked = _looks(result)
    expected = seen(result, look, picked)
    if look is Look.ERROR:
        error = _at(result, picked) if isinstance(result, list) else result
        shows = f"{shows}: {error}"
    more.setdefault("limit", _limit(function, arguments, look, picked, expected))
    return Case(function, subject, shows, tuple(arguments), look, expected, picked, **more)


def seen(result: Any, look: Look, picked: tuple[int, int] | None) -> Result:
    """What a look at a result gives; where an error is looked for, Excel's number of it."""
    if look is Look.ROWS:
        return float(len(result))
    if look is Look.COLUMNS:
        return float(len(result[0]))
    if look is Look.SUM:
        return float(sum(cell for row in result for cell in row))
    if picked is not None:
        result = _at(result, picked)
    if look is Look.ERROR:
        return cells.ERROR_TYPES[result]
    found: Result = result
    return found


def _looks(result: Any) -> tuple[Look, tuple[int, int] | None]:
    if isinstance(result, CellError):
        return Look.ERROR, None
    if not isinstance(result, list):
        return Look.VALUE, None
    if all(type(cell) is float for row in result for cell in row):
        return Look.SUM, None
    return Look.CELL, telling(result)


def telling(result: list[list[Any]], *, last: bool = False) -> tuple[int, int]:
    """Row and column, from 1, of the number with most digits in the first or last row that has one.

    A number that only counts, or stands for an input, tells less.
    """
    by_row = [
        (row, [(len(repr(cell)), column) for column, cell in enumerate(line, 1) if _number(cell)])
        for row, line in enumerate(result, 1)
    ]
    row, numbers = [(row, found) for row, found in by_row if found][-1 if last else 0]
    return row, max(numbers)[1]


def _number(cell: Any) -> bool:
    return type(cell) is float


def _at(result: list[list[Any]], picked: tuple[int, int] | None) -> Any:
    row, column = picked or (1, 1)
    return result[row - 1][column - 1]


def _raw(argument: Argument) -> Any:
    if isinstance(argument, Block):
        return [[_raw(cell) for cell in row] for row in argument.rows]
    if argument is Special.ERROR:
        return cells.DIV0
    return None if argument is Special.SKIPPED else argument


# --- what some hosts cannot tell -----------------------------------------------------------------


def hosts_blind_to(given: str) -> str:
    """Hosts, by the name that XLTOKEN_INFO gives them, that cannot tell something."""
    doors = [limit.door for limit in cells.HOST_LIMITS if given in limit.given]
    return ", ".join(dict.fromkeys(doors))


def _limit(
    function: WorksheetFunction,
    arguments: Sequence[Argument],
    look: Look,
    picked: tuple[int, int] | None,
    expected: Result,
) -> Limit | None:
    """What hosts give that take a blank for 0, TRUE for 1, or do not call with an error."""
    ranges = [argument for argument in arguments if isinstance(argument, Block)]
    if None in arguments:
        hosts = hosts_blind_to("blank")
        result = called(function, [_replaced(a, None, 0.0) for a in arguments])
    elif any(block.holds(None) for block in ranges):
        hosts = hosts_blind_to("a blank cell")
        result = called(function, [_replaced(a, None, 0.0) for a in arguments])
    elif any(a is True for a in arguments) or any(block.holds(True) for block in ranges):
        hosts = hosts_blind_to("TRUE")
        result = called(function, [_replaced(a, True, 1.0) for a in arguments])
    elif any(block.holds(Special.ERROR) for block in ranges):
        hosts, result = hosts_blind_to("an error inside a range"), CellError(cells.VALUE)
    else:
        return None
    whole = isinstance(result, CellError)
    # ERROR.TYPE of what is none is an error, as is any other look at an error.
    if whole != (look is Look.ERROR):
        return Limit(hosts, None)
    outcome = seen(result, look, None if whole else picked)
    return None if outcome == expected else Limit(hosts, outcome)


def _replaced(argument: Argument, taken: bool | None, given: float) -> Argument:
    """Return an argument as a host hands it over that takes a value for a number."""
    if isinstance(argument, Block):
        return Block(tuple(tuple(_replaced(c, taken, given) for c in row) for row in argument.rows))
    return given if argument is taken else argument
