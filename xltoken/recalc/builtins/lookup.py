"""XLOOKUP, XMATCH and ADDRESS."""

import bisect
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    NA,
    VALUE,
    Failure,
    Grid,
    cells,
    checked,
    grid,
    lifted,
    logical,
    number,
    require,
    text,
    whole,
)
from xltoken.recalc.builtins.criteria import pattern

_LAST_ROW: Final = 1048576
_LAST_COLUMN: Final = 16384
_EXACT, _WILDCARD, _REGEX = 0, 2, 3
_NOT_FOUND: Final = {"type": "Error", "kind": NA}
_Key = tuple[int, Any]


@whole
def xlookup(
    wanted: Any,
    searched: Any,
    returned: Any,
    missing: Any = _NOT_FOUND,
    match_mode: Any = 0.0,
    search_mode: Any = 1.0,
) -> Any:
    """Row or column beside the value that was looked up.

    The engine hands a skipped `missing` over as 0, so a skipped one must be written ``#N/A``.
    """
    column, down = _line(searched)
    table = grid(returned)
    require(type(returned) is list or len(column) == 1, VALUE)
    if not down:
        table = [list(line) for line in zip(*table, strict=True)]
    # A whole column comes cut off below its last value: what is missing is blank.
    table = table + [[None] * len(table[0])] * (len(column) - len(table))
    find = _finder(column, match_mode, search_mode)

    def one(value: Any) -> list[Any] | None:
        place = find(checked(value))
        return None if place is None else table[place]

    if type(wanted) is list:  # an array of single cells, the first of each row
        return lifted(checked)(lambda value: (one(value) or [missing])[0])(wanted)
    line = one(wanted)
    if line is None:
        return missing
    if len(line) == 1:
        return line[0]
    return [line] if down else [[cell] for cell in line]


@whole
def xmatch(wanted: Any, searched: Any, match_mode: Any = 0.0, search_mode: Any = 1.0) -> Any:
    """Position of a value, from 1."""
    find = _finder(_line(searched)[0], match_mode, search_mode)

    def one(value: Any) -> float:
        place = find(checked(value))
        if place is None:
            raise Failure(NA)
        return place + 1.0

    return lifted(checked)(one)(wanted)


@whole
def lookup(wanted: Any, searched: Any, returned: Any = None) -> Any:
    """Value beside the last one that is not above; errors among those searched are passed over."""
    if returned is None:
        rows = grid(searched)
        # The longer side is searched, the last line of the other is returned.
        if len(rows[0]) > len(rows):
            column, beside = rows[0], rows[-1]
        else:
            column, beside = [row[0] for row in rows], [row[-1] for row in rows]
    else:
        column, beside = _line(searched)[0], _line(returned)[0]

    def one(value: Any) -> Any:
        rank, key = _key(0.0 if value is None else checked(value))
        places = [i for i, cell in enumerate(column) if _rank(cell) == rank]
        keys = [_key(column[place])[1] for place in places]
        at = bisect.bisect_right(keys, key)
        if at == 0 or places[at - 1] >= len(beside):
            raise Failure(NA)
        return beside[places[at - 1]]

    return lifted(checked)(one)(wanted)


@lifted(number, number, number, logical, text)
def address(
    row: float, column: float, kind: float = 1.0, a1: bool = True, sheet: str | None = None
) -> str:
    """Reference as a text."""
    line, place, fixed = int(row), int(column), int(kind) or 1
    require(1 <= fixed <= 4, VALUE)
    if a1:
        require(1 <= line <= _LAST_ROW and 1 <= place <= _LAST_COLUMN, VALUE)
        shown = f"{'$' * (fixed in (1, 3))}{_letters(place)}{'$' * (fixed in (1, 2))}{line}"
    else:
        if fixed in (1, 2):
            require(1 <= line <= _LAST_ROW, VALUE)
        if fixed in (1, 3):
            require(1 <= place <= _LAST_COLUMN, VALUE)
        shown = _relative("R", line, fixed in (1, 2)) + _relative("C", place, fixed in (1, 3))
    if sheet is None:
        return shown
    plain = re.fullmatch(r"[A-Za-z_][\w.]*", sheet) or sheet == ""
    quoted = sheet if plain else "'" + sheet.replace("'", "''") + "'"
    return f"{quoted}!{shown}"


def _relative(letter: str, place: int, fixed: bool) -> str:
    if fixed:
        return f"{letter}{place}"
    return f"{letter}[{place}]" if place else letter


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _line(searched: Any) -> tuple[list[Any], bool]:
    """Cells of one row or one column, and whether it goes down."""
    rows: Grid = grid(searched)
    require(len(rows) == 1 or len(rows[0]) == 1, VALUE)
    return cells(rows), len(rows[0]) == 1


def _finder(
    column: Sequence[Any], match_mode: Any, search_mode: Any
) -> Callable[[Any], int | None]:
    """Search by the two modes; a skipped search mode arrives as 0."""
    match, search = int(number(match_mode)), int(number(search_mode)) or 1
    require(match in (-1, _EXACT, 1, _WILDCARD, _REGEX) and abs(search) in (1, 2), VALUE)
    if match in (_WILDCARD, _REGEX):
        require(abs(search) == 1, VALUE)
        return lambda value: _by_pattern(column, value, match, search)
    if abs(search) == 2:
        return lambda value: _halving(column, value, match, descending=search < 0)
    return lambda value: _one_by_one(column, value, match, backwards=search < 0)


def _one_by_one(column: Sequence[Any], value: Any, match: int, *, backwards: bool) -> int | None:
    places = range(len(column) - 1, -1, -1) if backwards else range(len(column))
    if value is None:
        for place in places:
            if column[place] is None:
                return place
        value = 0.0
    if not match and not backwards:
        return _first_equal(column, value)
    wanted = _key(value)
    best, near = None, None
    for place in places:
        cell = column[place]
        if cell is None or type(cell) is dict:
            continue
        key = _key(cell)
        if key == wanted:
            return place
        if (
            match
            and (key < wanted) == (match < 0)
            and (near is None or (key > near if match < 0 else key < near))
        ):
            best, near = place, key
    return best


def _first_equal(column: Sequence[Any], value: Any) -> int | None:
    if isinstance(value, str):
        wanted = value.casefold()
        for place, cell in enumerate(column):
            if isinstance(cell, str) and cell.casefold() == wanted:
                return place
        return None
    start = 0
    try:
        while True:
            place = column.index(value, start)
            # Python takes TRUE for 1.
            if isinstance(column[place], bool) is isinstance(value, bool):
                return place
            start = place + 1
    except ValueError:
        return None


def _halving(column: Sequence[Any], value: Any, match: int, *, descending: bool) -> int | None:
    """Binary search; of equals the first in ascending order, the last in descending."""
    line = column[::-1] if descending else column
    wanted = _key(0.0 if value is None else value)
    place = bisect.bisect_left(line, wanted, key=_key_or_last)
    if place == len(line) or _key_or_last(line[place]) != wanted:
        if match == _EXACT:
            return None
        place -= match < 0
        if not 0 <= place < len(line) or line[place] is None:
            return None
    return len(line) - 1 - place if descending else place


def _by_pattern(column: Sequence[Any], value: Any, match: int, search: int) -> int | None:
    if not isinstance(value, str):
        if match == _REGEX:
            value = text(value)
        else:
            return _one_by_one(column, value, _EXACT, backwards=search < 0)
    try:
        expression = re.compile(value) if match == _REGEX else pattern(value)
    except re.error:
        raise Failure(VALUE) from None
    if expression is None:
        return _one_by_one(column, value, _EXACT, backwards=search < 0)
    matches = expression.search if match == _REGEX else expression.fullmatch
    for place in range(len(column))[::search]:
        cell = column[place]
        if isinstance(cell, str) and matches(cell):
            return place
    return None


def _key(value: Any) -> _Key:
    """Order of all values: numbers, texts without regard to case, booleans."""
    if type(value) is float:
        return (0, value)
    if isinstance(value, str):
        return (1, value.casefold())
    if isinstance(value, bool):
        return (2, value)
    return (0, float(value))


def _rank(value: Any) -> int:
    return -1 if value is None or type(value) is dict else _key(value)[0]


def _key_or_last(value: Any) -> _Key:
    return (3, 0) if value is None or type(value) is dict else _key(value)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "XLOOKUP": xlookup,
    "XMATCH": xmatch,
    "LOOKUP": lookup,
    "ADDRESS": address,
}
