"""The cases that every worksheet function has: its example, and what hosts get wrong with it.

Each is made of the registry's worked example by changing it; a new function has them at once.
"""

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any, Final

from xltoken.functions import FUNCTIONS, WorksheetFunction, cells
from xltoken.functions.definition import Kind
from xltoken.templates.self_test.case import (
    Argument,
    Block,
    Case,
    Limit,
    Look,
    Special,
    called,
    case,
    hosts_blind_to,
    telling,
)

WORKED: Final = "Worked example"
SMALL: Final = 0.00002
"""A price that four decimals make 0."""
CURRENCY: Final = '"$"#,##0.00'
_EXTREMES: Final = (-1.0, -2.0, 0.0, 2.0, 1e300)
_NUMERIC: Final = (Kind.NUMBER, Kind.SERIES, Kind.DATE)
_ASSUMED: Final = Block((("utilization", 0.5), ("horizon_months", 24.0)))


def edges() -> list[Case]:
    """Every case of every function, in the registry's order."""
    return [
        found for function in FUNCTIONS.values() for make in _MAKERS for found in make(function)
    ]


def example(function: WorksheetFunction) -> list[Argument]:
    """Arguments of the worked example; lists stand in ranges."""
    return [_argument(value) for value in function.example]


def respelled(key: str) -> str:
    """Write a key as somebody else would: other case, blanks for hyphens, blanks around it."""
    return f" {key.swapcase().replace('-', ' ')} "


def _argument(value: Any) -> Argument:
    if not isinstance(value, list | tuple):
        found: Argument = value
        return found
    rows = value if isinstance(value[0], list | tuple) else [value]
    return Block(tuple(tuple(row) for row in rows))


def _worked(function: WorksheetFunction) -> Iterator[Case]:
    arguments = example(function)
    if not function.table:
        yield case(function, function.family, WORKED, arguments)
        return
    table = called(function, arguments)
    looks: list[tuple[str, Look, tuple[int, int] | None]] = [(WORKED, Look.CELL, telling(table))]
    if len(table) > 1:
        looks.append(("Table: number of its last row", Look.CELL, telling(table, last=True)))
    texts = [i for i, column in enumerate(function.columns) if column.kind == "text"]
    if texts:
        row = telling(table)[0]  # below the header, if there is one
        what = f"Table: text of row {row}, {function.columns[texts[0]].title}"
        looks.append((what, Look.CELL, (row, texts[0] + 1)))
    looks += [
        ("Table: number of rows", Look.ROWS, None),
        ("Table: number of columns", Look.COLUMNS, None),
    ]
    for shows, look, picked in looks:
        yield case(function, function.family, shows, arguments, look, picked)


def _blanks(function: WorksheetFunction) -> Iterator[Case]:
    optional = [p for p in function.parameters if not p.required]
    if optional:
        required = example(function)[: len(function.parameters) - len(optional)]
        blank: list[Argument] = [None] * len(optional)
        yield case(function, function.family, "Optional arguments are blank cells",
                   [*required, *blank])  # fmt: skip


def _skipped(function: WorksheetFunction) -> Iterator[Case]:
    parameters = function.parameters
    required = sum(p.required for p in parameters)
    given = dict(enumerate(example(function)))
    for last in range(len(parameters) - 1, required, -1):
        known = parameters[last]
        value = given.get(last, known.told_default)
        if known.kind is Kind.ASSUMPTIONS:
            value = _ASSUMED
        if value is not None:
            skipped: list[Argument] = [Special.SKIPPED] * (last - required)
            names = ", ".join(p.name for p in parameters[required:last])
            arguments = [*(given[i] for i in range(required)), *skipped, value]
            yield case(function, function.family, f"Skipped: {names}", arguments)
            return


def _calculated(function: WorksheetFunction) -> Iterator[Case]:
    yield case(function, function.family, "Arguments are results of formulas, not cells",
               example(function), calculated=True)  # fmt: skip


def _respelled(function: WorksheetFunction) -> Iterator[Case]:
    arguments = example(function)
    keys = [i for i in _places(function, Kind.KEY) if isinstance(arguments[i], str)]
    if keys:
        spelled = [respelled(str(a)) if i in keys else a for i, a in enumerate(arguments)]
        yield case(function, function.family, "Keys in other case, with blanks", spelled)


def _unknown(function: WorksheetFunction) -> Iterator[Case]:
    for place in _places(function, Kind.KEY)[:1]:
        yield _changed(function, place, "no such name", "Unknown")


def _logical(function: WorksheetFunction) -> Iterator[Case]:
    for place in _places(function, *_NUMERIC)[:1]:
        yield _changed(function, place, True, "TRUE as")


def _text(function: WorksheetFunction) -> Iterator[Case]:
    for place in _places(function, *_NUMERIC)[:1]:
        yield _changed(function, place, "12", "Text 12 as")


def _missing(function: WorksheetFunction) -> Iterator[Case]:
    if function.parameters[0].required:
        yield _changed(function, 0, None, "Blank cell as")


def _error(function: WorksheetFunction) -> Iterator[Case]:
    place = max(i for i, a in enumerate(example(function)) if not isinstance(a, Block) or i == 0)
    yield _changed(function, place, Special.ERROR, "Error cell as")


def _out_of_range(function: WorksheetFunction) -> Iterator[Case]:
    yield from _provoked(function, cells.NUM, "Out of range")


def _divided(function: WorksheetFunction) -> Iterator[Case]:
    yield from _provoked(function, cells.DIV0, "Division by zero")


def _currency(function: WorksheetFunction) -> Iterator[Case]:
    required = sum(p.required for p in function.parameters)
    for arguments in (example(function), example(function)[:required]):
        for place in _places(function, Kind.NUMBER, Kind.SERIES):
            if place < len(arguments) and "USD per" in function.parameters[place].unit:
                small = _put(arguments, place, SMALL)
                if _matters(called(function, small), called(function, _put(small, place, 0.0))):
                    shows = f"{function.parameters[place].name} of {SMALL:.5f} in a Currency cell"
                    yield case(function, function.family, shows, small, formats={place: CURRENCY},
                               limit=Limit(hosts_blind_to("Currency"), None))  # fmt: skip
                    return


def _matters(small: Any, cut: Any) -> bool:
    """Whether a result shows that a price was not cut to 0."""
    if type(small) is not float:
        return False
    return type(cut) is not float or not math.isclose(small, cut, rel_tol=1e-6)


def _lifted(function: WorksheetFunction) -> Iterator[Case]:
    if function.table:
        return
    arguments = example(function)
    for place in _places(function, Kind.KEY, Kind.DATE, Kind.NUMBER)[:1]:
        name = function.parameters[place].name
        lifted = _put(arguments, place, Block.column(*_two(arguments[place])))
        result = called(function, lifted)
        if all(type(cell) is float for row in result for cell in row):
            yield case(function, function.family, f"Sum over a column as {name}", lifted)
        else:
            yield case(function, function.family, f"Second of a column as {name}", lifted,
                       Look.CELL, (2, 1))  # fmt: skip


_MAKERS: Final = (
    _worked, _blanks, _skipped, _respelled, _calculated, _lifted, _currency, _error, _unknown,
    _missing, _logical, _text, _out_of_range, _divided,
)  # fmt: skip


# --- helpers -------------------------------------------------------------------------------------


def _places(function: WorksheetFunction, *kinds: Kind) -> list[int]:
    """Positions of the example's single arguments of some kinds."""
    given = example(function)
    return [
        i
        for i, (p, a) in enumerate(zip(function.parameters, given, strict=False))
        if p.kind in kinds and (p.kind is Kind.SERIES or not isinstance(a, Block))
    ]


def _put(arguments: list[Argument], place: int, value: Argument) -> list[Argument]:
    changed = arguments.copy()
    changed[place] = value
    return changed


def _changed(function: WorksheetFunction, place: int, value: Argument, what: str) -> Case:
    """Case of the example with one argument changed."""
    shows = f"{what} {function.parameters[place].name}"
    return case(function, function.family, shows, _put(example(function), place, value))


def _provoked(function: WorksheetFunction, error: str, what: str) -> Iterator[Case]:
    """First argument and value that the core answers with an error."""
    for place in _places(function, *_NUMERIC):
        for value in _EXTREMES:
            if called(function, _put(example(function), place, value)) == error:
                yield _changed(function, place, value, f"{what}, {value:g} as")
                return


def _two(value: Argument) -> tuple[Argument, Argument]:
    """Return a value and another one that is as good."""
    if isinstance(value, str):
        return value, respelled(value)
    if isinstance(value, dt.date):
        return value, value.replace(year=value.year + 1)
    assert isinstance(value, float)
    return value, value * 2 if value >= 1 else value / 2
