"""Arrays made and rearranged: counted, stacked, wrapped, cut; and matrices."""

from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    CALC,
    NA,
    NUM,
    VALUE,
    Failure,
    Grid,
    cells,
    grid,
    integer,
    lifted,
    matrix,
    number,
    require,
    whole,
)

_MISSING: Final = {"type": "Error", "kind": NA}
_ROWS: Final = 1048576
_COLUMNS: Final = 16384
_CELLS: Final = 10_000_000
_SIDE: Final = 3000


@whole
def wraprows(vector: Any, width: Any, pad: Any = _MISSING) -> Grid:
    """Row or column broken into rows."""
    return _wrapped(vector, integer(width), pad)


@whole
def wrapcols(vector: Any, height: Any, pad: Any = _MISSING) -> Grid:
    """Row or column broken into columns."""
    return [list(line) for line in zip(*_wrapped(vector, integer(height), pad), strict=True)]


@whole
def hstack(first: Any, *others: Any) -> Grid:
    """Arrays side by side."""
    grids = [grid(array) for array in (first, *others)]
    height = max(map(len, grids))
    wide = [_expanded(rows, height, len(rows[0]), _MISSING) for rows in grids]
    return [[cell for rows in wide for cell in rows[line]] for line in range(height)]


@whole
def vstack(first: Any, *others: Any) -> Grid:
    """Arrays one below another."""
    grids = [grid(array) for array in (first, *others)]
    width = max(len(rows[0]) for rows in grids)
    return [row for rows in grids for row in _expanded(rows, len(rows), width, _MISSING)]


@whole
def expand(array: Any, height: Any, width: Any = None, pad: Any = _MISSING) -> Grid:
    """Array made larger; a skipped size (0) stays."""
    rows = grid(array)
    tall = integer(height) or len(rows)
    wide = (0 if width is None else integer(width)) or len(rows[0])
    require(tall >= len(rows) and wide >= len(rows[0]), VALUE)
    require(tall <= _ROWS and wide <= _COLUMNS and tall * wide <= _CELLS)
    return _expanded(rows, tall, wide, pad)


@whole
def take(array: Any, height: Any, width: Any = None) -> Grid:
    """First rows and columns, or last ones; a skipped count (0) takes all."""
    rows = grid(array)
    down = integer(height)
    across = 0 if width is None else integer(width)
    found = rows if not down else (rows[:down] if down > 0 else rows[down:])
    if not across:
        return found
    return [row[:across] if across > 0 else row[across:] for row in found]


@whole
def drop(array: Any, height: Any, width: Any = None) -> Grid:
    """All but the first rows and columns, or the last ones."""
    rows = grid(array)
    down = integer(height)
    across = 0 if width is None else integer(width)
    found = rows[down:] if down >= 0 else rows[:down]
    found = [row[across:] if across >= 0 else row[:across] for row in found]
    if not found or not found[0]:
        raise Failure(CALC)
    return found


@whole
def mmult(left: Any, right: Any) -> Grid:
    """Product of two matrices."""
    import numpy as np

    first, second = matrix(left), matrix(right)
    require(len(first[0]) == len(second), VALUE)
    with np.errstate(all="ignore"):
        found = np.array(first) @ np.array(second)
    return [list(map(float, row)) for row in found]


@whole
def mdeterm(array: Any) -> float:
    """Determinant."""
    import numpy as np

    with np.errstate(all="ignore"):
        return float(np.linalg.det(np.array(_square(array))))


@whole
def minverse(array: Any) -> Grid:
    """Inverse."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            found = np.linalg.inv(np.array(_square(array)))
    except np.linalg.LinAlgError:
        raise Failure(NUM) from None
    return [list(map(float, row)) for row in found]


@whole
def munit(size: Any) -> Grid:
    """Unit matrix."""
    count = int(number(size))
    require(1 <= count <= _SIDE, VALUE)
    return [[float(row == column) for column in range(count)] for row in range(count)]


@lifted(integer, integer, number, number)
def sequence(height: int, width: int = 1, start: float = 1.0, step: float = 1.0) -> Grid:
    """Numbers in even steps, row by row."""
    require(1 <= height <= _ROWS and 1 <= width <= _COLUMNS and height * width <= _CELLS, VALUE)
    return [
        [start + step * place for place in range(first, first + width)]
        for first in range(0, height * width, width)
    ]


def _square(array: Any) -> list[list[float]]:
    rows = matrix(array)
    require(len(rows) == len(rows[0]), VALUE)
    return rows


def _wrapped(vector: Any, width: int, pad: Any) -> Grid:
    rows = grid(vector)
    require(len(rows) == 1 or len(rows[0]) == 1, VALUE)
    require(width >= 1)
    line = cells(rows)
    lines = [line[start : start + width] for start in range(0, len(line), width)]
    return lines if len(lines) == 1 else _expanded(lines, len(lines), width, pad)


def _expanded(rows: Grid, height: int, width: int, pad: Any) -> Grid:
    wide = [[*row, *[pad] * (width - len(row))] for row in rows]
    return wide + [[pad] * width for _ in range(height - len(wide))]


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "WRAPROWS": wraprows,
    "WRAPCOLS": wrapcols,
    "HSTACK": hstack,
    "VSTACK": vstack,
    "EXPAND": expand,
    "TAKE": take,
    "DROP": drop,
    "MMULT": mmult,
    "MDETERM": mdeterm,
    "MINVERSE": minverse,
    "MUNIT": munit,
    "SEQUENCE": sequence,
}
