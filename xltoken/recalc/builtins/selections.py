"""FILTER, UNIQUE, SORT and SORTBY: rows or columns of an array chosen and put in order."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    CALC,
    VALUE,
    Failure,
    Grid,
    cells,
    checked,
    grid,
    integer,
    logical,
    number,
    require,
    whole,
)

Line = list[Any]
"""A row or a column."""

_NUMBER, _TEXT, _LOGICAL, _ERROR = range(4)
_IGNORED: Final = str.maketrans("", "", "-'")


@whole
def filtered(array: Any, include: Any, *if_empty: Any) -> Any:
    """Rows (or columns) for which the condition beside (or above) them holds."""
    require(len(if_empty) <= 1, VALUE)
    conditions = grid(checked(include))
    rows = grid(checked(array))
    down = len(conditions[0]) == 1 and len(conditions) == len(rows)
    require(down or (len(conditions) == 1 and len(conditions[0]) == len(rows[0])), VALUE)
    lines = _lines(rows, down=down)
    kept = [
        line for line, cell in zip(lines, cells(conditions), strict=True) if _holds(checked(cell))
    ]
    if kept:
        return _lines(kept, down=down)
    if not if_empty:
        raise Failure(CALC)
    return if_empty[0]


@whole
def unique(array: Any, by_column: Any = False, exactly_once: Any = False) -> Grid:
    """Rows (or columns) that differ, the first of each, or those that are there but once."""
    down = not logical(by_column)
    lines = _lines(grid(checked(array)), down=down)
    keys = [tuple(map(_identity, line)) for line in lines]
    count = Counter(keys)
    once = logical(exactly_once)
    first = dict(zip(reversed(keys), reversed(lines), strict=True))
    kept = [first[key] for key in count if not once or count[key] == 1]
    require(bool(kept), CALC)
    return _lines(kept, down=down)


@whole
def sort(array: Any, index: Any = 1.0, order: Any = 1.0, by_column: Any = False) -> Grid:
    """Rows (or columns) in the order of one of their cells, or of several."""
    down = not logical(by_column)
    lines = _lines(grid(checked(array)), down=down)
    places = [integer(checked(cell)) for cell in cells(index)]
    orders = [_descends(cell) for cell in cells(order)]
    orders = orders * len(places) if len(orders) == 1 else orders
    require(len(orders) == len(places), VALUE)
    require(all(1 <= place <= len(lines[0]) for place in places), VALUE)
    keys = [[line[place - 1] for line in lines] for place in places]
    return _lines(_ordered(lines, keys, orders), down=down)


@whole
def sortby(array: Any, by: Any, *others: Any) -> Grid:
    """Rows (or columns) in the order of cells beside (or above) them."""
    rows = grid(checked(array))
    keys = [grid(checked(key)) for key in (by, *others[1::2])]
    orders = [_descends(order) for order in others[::2]]
    orders += [False] * (len(keys) - len(orders))
    down = all(len(key[0]) == 1 and len(key) == len(rows) for key in keys)
    across = all(len(key) == 1 and len(key[0]) == len(rows[0]) for key in keys)
    require(down or across, VALUE)
    lines = _lines(rows, down=down)
    return _lines(_ordered(lines, list(map(cells, keys)), orders), down=down)


def _lines(rows: Grid, *, down: bool) -> list[Line]:
    """Rows, or else columns; applied twice it gives what it was given."""
    return rows if down else [list(line) for line in zip(*rows, strict=True)]


def _holds(cell: Any) -> bool:
    require(not isinstance(cell, str), VALUE)
    return number(cell) != 0.0


def _descends(order: Any) -> bool:
    found = integer(order)
    require(found in (1, -1), VALUE)
    return found == -1


def _ordered(lines: list[Line], keys: list[Line], orders: Sequence[bool]) -> list[Line]:
    """Lines in order; equals stay as they are, and blanks come last in either direction."""
    places = list(range(len(lines)))
    for key, descending in reversed(list(zip(keys, orders, strict=True))):
        blank = [place for place in places if key[place] is None]
        filled = [place for place in places if key[place] is not None]
        ranks = {place: _rank(key[place]) for place in filled}
        filled.sort(key=ranks.__getitem__, reverse=descending)
        places = filled + blank
    return [lines[place] for place in places]


def _rank(cell: Any) -> tuple[int, Any]:
    """Order of all values: numbers, texts, booleans, errors, which are all equal."""
    if type(cell) is float:
        return _NUMBER, cell
    if isinstance(cell, str):
        return _TEXT, _collated(cell)
    if isinstance(cell, bool):
        return _LOGICAL, cell
    return (_ERROR, 0) if isinstance(cell, dict) else (_NUMBER, float(cell))


def _collated(text: str) -> tuple[list[tuple[int, str]], str, bool]:
    """Order of texts: signs, digits, letters; case never counts.

    Accents count between texts that are otherwise equal, and so do a hyphen and an apostrophe.

    Examples
    --------
    >>> sorted(["re-set", "Rest", "résumé", "a1", "ab", "a b", "reset", "resume"], key=_collated)
    ['a b', 'a1', 'ab', 'reset', 're-set', 'Rest', 'resume', 'résumé']
    """
    folded = text.casefold()
    plain = folded.translate(_IGNORED)
    letters = (c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    return [(c.isalnum() + c.isalpha(), c) for c in letters], plain, plain != folded


def _identity(cell: Any) -> tuple[int, Any]:
    """What makes two cells the same: texts in any case are, a number and its text are not."""
    if cell is None:
        return -1, None
    if isinstance(cell, dict):
        return _ERROR, cell.get("kind", VALUE)
    return (_TEXT, cell.casefold()) if isinstance(cell, str) else _rank(cell)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "FILTER": filtered,
    "UNIQUE": unique,
    "SORT": sort,
    "SORTBY": sortby,
}
