"""Database functions: a table with headers, a field, and rows of criteria under headers."""

import math
import statistics
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    DIV0,
    VALUE,
    Failure,
    Grid,
    cells,
    checked,
    grid,
    number,
    require,
    text,
    whole,
)
from xltoken.recalc.builtins.conditional import numbers
from xltoken.recalc.builtins.criteria import Test, meeting


def _database(reduction: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """Worksheet function that reduces the field of the rows that meet the criteria."""

    def formula(database: Any, field: Any, criteria: Any) -> Any:
        rows = grid(database)
        require(len(rows) > 1, VALUE)
        column = _field(rows[0], field)
        meets = _meets(rows[0], grid(criteria))
        return reduction([row[column] for row in rows[1:] if meets(row)])

    return whole(formula)


def _field(headers: list[Any], field: Any) -> int:
    """Place of a field, by its header or by its number from 1."""
    require(type(field) is not list and checked(field) is not None, VALUE)
    if isinstance(field, str):
        for place, header in enumerate(headers):
            if _named(header) == field.casefold():
                return place
        raise Failure(VALUE)
    place = int(number(field)) - 1
    require(0 <= place < len(headers), VALUE)
    return place


def _meets(headers: list[Any], criteria: Grid) -> Callable[[list[Any]], bool]:
    """Whether a row meets one row of criteria; a row of blanks lets all through."""
    require(len(criteria) > 1, VALUE)
    names = [_named(header) for header in headers]
    places = [
        names.index(_named(header)) if header is not None and _named(header) in names else None
        for header in criteria[0]
    ]
    lines: list[list[tuple[int | None, Test]]] = [
        [
            (place, meeting(cell, prefix=True))
            for place, cell in zip(places, line, strict=True)
            if cell is not None
        ]
        for line in criteria[1:]
    ]

    def meets(row: list[Any]) -> bool:
        return any(
            all(place is not None and test(row[place]) for place, test in line) for line in lines
        )

    return meets


def _named(header: Any) -> str:
    return "" if type(header) is dict else text(header).casefold()


def _only(found: list[Any]) -> Any:
    require(bool(found), VALUE)
    require(len(found) == 1)
    return checked(found[0]) if found[0] is not None else 0.0


def _count(found: list[Any]) -> float:
    return float(
        sum(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in found)
    )


def _mean(found: list[Any]) -> float:
    values = numbers(found)
    require(bool(values), DIV0)
    return math.fsum(values) / len(values)


def _spread(measure: Callable[[list[float]], float], least: int) -> Callable[[list[Any]], float]:
    def reduction(found: list[Any]) -> float:
        values = numbers(found)
        require(len(values) >= least, DIV0)
        return float(measure(values))

    return reduction


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "DAVERAGE": _database(_mean),
    "DCOUNT": _database(_count),
    "DCOUNTA": _database(lambda found: float(sum(cell is not None for cell in cells([found])))),
    "DGET": _database(_only),
    "DMAX": _database(lambda found: max(numbers(found), default=0.0)),
    "DMIN": _database(lambda found: min(numbers(found), default=0.0)),
    "DPRODUCT": _database(lambda found: math.prod(numbers(found)) if numbers(found) else 0.0),
    "DSTDEV": _database(_spread(statistics.stdev, 2)),
    "DSTDEVP": _database(_spread(statistics.pstdev, 1)),
    "DSUM": _database(lambda found: math.fsum(numbers(found))),
    "DVAR": _database(_spread(statistics.variance, 2)),
    "DVARP": _database(_spread(statistics.pvariance, 1)),
}
