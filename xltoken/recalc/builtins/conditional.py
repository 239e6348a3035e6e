"""COUNTIF, SUMIFS and their kin.

The engine hands over a whole column only as far as it is filled. So ranges of unlike height are
taken for columns cut off, not for a mistake, and blank cells below the last filled one are not
counted: right for sums, wrong where COUNTIF counts blanks of a whole column.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    DIV0,
    VALUE,
    Failure,
    Grid,
    cells,
    checked,
    grid,
    lifted,
    require,
    whole,
)
from xltoken.recalc.builtins.criteria import meeting

Reduction = Callable[[Sequence[Any]], Any]
"""What makes the chosen cells into a result."""


@whole
def countif(area: Any, criterion: Any) -> Any:
    """Cells that meet a criterion."""
    return countifs(area, criterion)


@whole
def countifs(*pairs: Any) -> Any:
    """Rows that meet all criteria."""
    require(bool(pairs) and len(pairs) % 2 == 0, VALUE)
    return _over_criteria(pairs[0], pairs, lambda chosen: float(len(chosen)))


@whole
def sumif(area: Any, criterion: Any, summed: Any = None) -> Any:
    """Sum of the cells beside those that meet a criterion."""
    return _over_criteria(area if summed is None else summed, (area, criterion), _sum, single=True)


@whole
def sumifs(summed: Any, *pairs: Any) -> Any:
    """Sum over the rows that meet all criteria."""
    return _over_criteria(summed, pairs, _sum)


@whole
def averageif(area: Any, criterion: Any, averaged: Any = None) -> Any:
    """Mean of the cells beside those that meet a criterion."""
    beside = area if averaged is None else averaged
    return _over_criteria(beside, (area, criterion), _mean, single=True)


@whole
def averageifs(averaged: Any, *pairs: Any) -> Any:
    """Mean over the rows that meet all criteria."""
    return _over_criteria(averaged, pairs, _mean)


@whole
def maxifs(measured: Any, *pairs: Any) -> Any:
    """Greatest over the rows that meet all criteria; 0 where none does."""
    return _over_criteria(measured, pairs, lambda chosen: max(numbers(chosen), default=0.0))


@whole
def minifs(measured: Any, *pairs: Any) -> Any:
    """Least over the rows that meet all criteria; 0 where none does."""
    return _over_criteria(measured, pairs, lambda chosen: min(numbers(chosen), default=0.0))


def _over_criteria(
    measured: Any, pairs: Sequence[Any], reduction: Reduction, *, single: bool = False
) -> Any:
    """Result for each criterion where one of them is an array."""
    areas, criteria = pairs[::2], pairs[1::2]
    require(len(areas) == len(criteria) > 0, VALUE)
    columns = _columns(measured, areas, single=single)

    def result(*wanted: Any) -> Any:
        found: Iterable[int] = range(len(columns[0]))
        for column, criterion in zip(columns[1:], wanted, strict=True):
            test = meeting(criterion)
            found = [place for place in found if test(column[place])]
        first = columns[0]
        return reduction([first[place] for place in found])

    if not any(isinstance(criterion, list) for criterion in criteria):
        return result(*criteria)
    return lifted(*[_raw] * len(criteria))(result)(*criteria)


def _raw(value: Any) -> Any:
    return value  # an error is a criterion like any other


def _columns(measured: Any, areas: Sequence[Any], *, single: bool) -> list[list[Any]]:
    """Cells of the measured range and of each criterion's, of one length."""
    grids = [grid(measured), *map(grid, areas)]
    shapes = {(len(rows), len(rows[0])) for rows in grids}
    if len(shapes) == 1:
        return [cells(rows) for rows in grids]
    if single:
        height, width = len(grids[1]), len(grids[1][0])
    else:
        heights, widths = zip(*shapes, strict=True)
        require(len(set(heights)) == 1 or len(set(widths)) == 1, VALUE)
        height, width = max(heights), max(widths)
    return [cells(_fitted(rows, height, width)) for rows in grids]


def _fitted(rows: Grid, height: int, width: int) -> Grid:
    """Range of another size: cut, or filled up with blanks."""
    wide = [[*row[:width], *[None] * (width - len(row))] for row in rows[:height]]
    return wide + [[None] * width for _ in range(height - len(wide))]


def numbers(chosen: Sequence[Any]) -> list[float]:
    """Numbers among cells: text, blanks and booleans are skipped, an error is raised."""
    return [
        float(cell)
        for cell in chosen
        if type(cell) is float or (isinstance(checked(cell), int) and not isinstance(cell, bool))
    ]


def _sum(chosen: Sequence[Any]) -> float:
    return _total(numbers(chosen))


def _mean(chosen: Sequence[Any]) -> float:
    found = numbers(chosen)
    require(bool(found), DIV0)
    return _total(found) / len(found)


def _total(found: Sequence[float]) -> float:
    try:
        return math.fsum(found)
    except (OverflowError, ValueError):
        raise Failure("Num") from None


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "COUNTIF": countif,
    "COUNTIFS": countifs,
    "SUMIF": sumif,
    "SUMIFS": sumifs,
    "AVERAGEIF": averageif,
    "AVERAGEIFS": averageifs,
    "MAXIFS": maxifs,
    "MINIFS": minifs,
}
