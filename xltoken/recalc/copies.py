"""Copies of one formula: alike in relative text wherever they stand, and told as one area."""

import itertools
from collections.abc import Iterable
from typing import Final

from xltoken.recalc.formulas import relative
from xltoken.recalc.sheetxml import Cell, Sheet, Spot, address, corners
from xltoken.recalc.survey import masters

Area = tuple[int, int, int, int]
"""First row and column, last row and column."""
_NAMED: Final = 3
"""Areas named before the rest is only counted."""


def relative_texts(sheet: Sheet) -> dict[Spot, str]:
    """Relative text of every formula of a sheet; equal texts are one object."""
    known: dict[str, str] = {}
    of_groups: dict[str, str] = {}
    found: dict[Spot, str] = {}
    for spot, cell in sheet.formulas.items():
        formula = cell.formula or ""
        if cell.moved:
            text = relative(formula, *spot)
        else:
            text = of_groups.get(cell.group, "")
            if not text:
                text = relative(formula, *masters(sheet).get(cell.group, spot))
                of_groups[cell.group] = text
        found[spot] = known.setdefault(text, text)
    return found


def rectangles(spots: Iterable[Spot]) -> list[Area]:
    """Cells as few rectangles: runs along rows, joined where they stand below each other.

    Examples
    --------
    >>> rectangles([(1, 1), (1, 2), (2, 1), (2, 2), (4, 1)])
    [(1, 1, 2, 2), (4, 1, 4, 1)]
    """
    runs: list[list[int]] = []
    for row, column in sorted(spots):
        if runs and runs[-1][0] == row and runs[-1][2] == column - 1:
            runs[-1][2] = column
        else:
            runs.append([row, column, column])
    found: list[Area] = []
    open_ones: dict[tuple[int, int], int] = {}
    for row, left, right in runs:
        above = open_ones.get((left, right))
        if above is not None and found[above][2] == row - 1:
            found[above] = (found[above][0], left, row, right)
        else:
            open_ones[left, right] = len(found)
            found.append((row, left, row, right))
    return found


def area_text(area: Area) -> str:
    """A1 text of an area; one cell is its own address.

    Examples
    --------
    >>> area_text((5, 4, 5, 63)), area_text((2, 1, 2, 1))
    ('D5:BK5', 'A2')
    """
    first, last = address(*area[:2]), address(*area[2:])
    return first if first == last else f"{first}:{last}"


def where(spots: Iterable[Spot]) -> str:
    """Cells as a person tells them: the first areas, and how many more there are."""
    areas = rectangles(spots)
    told = ", ".join(area_text(area) for area in areas[:_NAMED])
    more = len(areas) - _NAMED
    return f"{told} and {more} more" if more > 0 else told


def size(area: Area) -> int:
    """How many cells an area has."""
    return (area[2] - area[0] + 1) * (area[3] - area[1] + 1)


def filled(cells: Iterable[Cell]) -> set[Spot]:
    """Spots that the array formulas and data tables among `cells` fill."""
    found: set[Spot] = set()
    for cell in cells:
        box = corners(cell.spill) if cell.spill else None
        if box:
            (top, left), (bottom, right) = box
            found.update(itertools.product(range(top, bottom + 1), range(left, right + 1)))
    return found
