"""Cells that break a row or column of copied formulas: another formula, or a typed number.

A block of adjacent formulas is read along its rows or along its columns, whichever has fewer
different formulas: that is how it was copied. The first cell of a run is free to differ, a
subtotal and whatever recurs are no break.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from xltoken.recalc.copies import Area, filled
from xltoken.recalc.sheetxml import Sheet, Spot

_NUMBER: Final = "a number"
"""Key of a typed number; no formula's relative text, which a formula would need brackets for."""
_FEW: Final = 2
"""Most cells of a line that break its pattern: more are a pattern of their own."""


@dataclass(frozen=True, slots=True)
class Break:
    """A cell that is unlike the copies around it."""

    spot: Spot
    number: bool
    """Whether it holds a typed number instead of another formula."""
    neighbour: Spot
    """A cell of the run that holds the formula of the others."""
    run: Area


def breaks(sheet: Sheet, texts: Mapping[Spot, str]) -> list[Break]:
    """Cells of a sheet that break a row or column of copies; `texts` are told relatively."""
    keys: dict[Spot, str] = {**texts, **dict.fromkeys(_numbers_beside(sheet), _NUMBER)}
    found: list[Break] = []
    for block in _blocks(keys):
        if len(block) > _FEW + 1:
            along_rows = {spot: keys[spot] for spot in block}
            along_columns = {_turned(spot): key for spot, key in along_rows.items()}
            if _variety(along_rows) <= _variety(along_columns):
                found.extend(_in_rows(along_rows, _as_it_is))
            else:
                found.extend(_in_rows(along_columns, _turned))
    return sorted(found, key=lambda one: one.spot)


def _numbers_beside(sheet: Sheet) -> Iterator[Spot]:
    """Typed numbers behind or below a formula, at most one cell away from it."""
    formulas, under_arrays = sheet.formulas, filled(sheet.formulas.values())
    for spot, cell in sheet.cells.items():
        if cell.formula is None and cell.value.__class__ is float and spot not in under_arrays:
            row, column = spot
            near = ((row, column - 1), (row, column - 2), (row - 1, column), (row - 2, column))
            if any(one in formulas for one in near):
                yield spot


def _blocks(keys: Collection[Spot]) -> Iterable[list[Spot]]:
    """Groups of cells that touch each other by a side."""
    runs: list[tuple[int, int, int]] = [
        (row, cells[0][1], cells[-1][1])
        for row, line in itertools.groupby(sorted(keys), key=lambda spot: spot[0])
        for cells in _adjacent(line)
    ]
    parents = list(range(len(runs)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    above: list[int] = []
    for _, numbers in itertools.groupby(range(len(runs)), key=lambda number: runs[number][0]):
        here = list(numbers)
        at = 0
        for number in here:
            row, left, right = runs[number]
            while at < len(above) and runs[above[at]][2] < left:
                at += 1
            for upper in above[at:]:
                if runs[upper][0] != row - 1 or runs[upper][1] > right:
                    break
                parents[root(number)] = root(upper)
        above = here
    blocks: dict[int, list[Spot]] = {}
    for number, (row, left, right) in enumerate(runs):
        cells = ((row, column) for column in range(left, right + 1))
        blocks.setdefault(root(number), []).extend(cells)
    return blocks.values()


def _adjacent(line: Iterable[Spot]) -> Iterator[list[Spot]]:
    """Cells of one row, in order, parted where there is a gap."""
    run: list[Spot] = []
    for spot in line:
        if run and spot[1] != run[-1][1] + 1:
            yield run
            run = []
        run.append(spot)
    if run:
        yield run


def _lines(keys: Collection[Spot]) -> Iterator[list[Spot]]:
    for _, line in itertools.groupby(sorted(keys), key=lambda spot: spot[0]):
        yield from _adjacent(line)


def _variety(keys: Mapping[Spot, str]) -> int:
    """How many different formulas the rows have, each counted in its own row."""
    return sum(len({keys[spot] for spot in line} - {_NUMBER}) for line in _lines(keys))


def _in_rows(keys: Mapping[Spot, str], turn: Callable[[Spot], Spot]) -> Iterator[Break]:
    for line in _lines(keys):
        if len(line) <= _FEW + 1:
            continue
        parts = [(key, list(cells)) for key, cells in itertools.groupby(line, key=keys.__getitem__)]
        if len(parts) == 1:
            continue
        often = Counter(key for key, _ in parts)
        most = {_NUMBER: max(_FEW, len(line) // 10)}
        for number in range(1, len(parts)):
            for last in (number, number + 1):
                odd = parts[number : last + 1]
                expected = _expected(parts, number, last, keys)
                if not expected or last >= len(parts) or sum(len(c) for _, c in odd) > _FEW:
                    continue
                if any(often[key] > most.get(key, _FEW) or key == expected for key, _ in odd):
                    continue
                neighbour = parts[number - 1][1][-1]
                whole = (*turn(line[0]), *turn(line[-1]))
                for key, cells in odd:
                    for spot in cells:
                        if not _excused(spot, key, expected, keys):
                            yield Break(turn(spot), key == _NUMBER, turn(neighbour), whole)
                break


def _expected(
    parts: list[tuple[str, list[Spot]]], number: int, last: int, keys: Mapping[Spot, str]
) -> str:
    """Formula that stands around parts `number` to `last` of a line; empty if none surely does."""
    before, cells = parts[number - 1]
    odd = [spot for _, part in parts[number : last + 1] for spot in part]
    enough = 3 if len(odd) == 1 else 5
    if before == _NUMBER:
        return ""
    if last + 1 < len(parts):
        after, others = parts[last + 1]
        return before if before == after and len(cells) + len(others) >= enough else ""
    # The end of a line is often a total: it counts where the lines beside it go on as before.
    goes_on = all(any(_follows(beside, keys) for beside in _beside(spot)) for spot in odd)
    return before if len(cells) >= enough and goes_on else ""


def _follows(spot: Spot, keys: Mapping[Spot, str]) -> bool:
    key = keys.get(spot, _NUMBER)
    return key != _NUMBER and keys.get((spot[0], spot[1] - 1)) == key


def _beside(spot: Spot) -> tuple[Spot, Spot]:
    return (spot[0] - 1, spot[1]), (spot[0] + 1, spot[1])


def _excused(spot: Spot, key: str, expected: str, keys: Mapping[Spot, str]) -> bool:
    """Whether a formula is a subtotal, or the same across the lines."""
    if key == _NUMBER:
        return False
    return (":" in key and ":" not in expected) or any(
        keys.get(beside) == key for beside in _beside(spot)
    )


def _turned(spot: Spot) -> Spot:
    return spot[1], spot[0]


def _as_it_is(spot: Spot) -> Spot:
    return spot
