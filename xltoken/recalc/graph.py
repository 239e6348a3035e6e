"""Who reads whom: the formulas of a book that depend on a cell, through names and ranges too."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from xltoken.recalc.package import Place

Areas = list[tuple[str, int, int, int, int]]
"""Rectangles that a formula reads: sheet, first row and column, last row and column."""

_NARROW: Final = 64
"""Ranges of no more columns are looked up by their columns."""


class Graph:
    """Formulas by the cells that they read; those of which that is not known read everything."""

    def __init__(self, formulas: Iterable[Place], reads: Callable[[Place], Areas | None]) -> None:
        self.unknown: set[Place] = set()
        self._cells: dict[Place, list[Place]] = {}
        self._columns: dict[tuple[str, int], list[tuple[int, int, Place]]] = {}
        self._wide: dict[str, list[tuple[int, int, int, int, Place]]] = {}
        for formula in formulas:
            areas = reads(formula)
            if areas is None:
                self.unknown.add(formula)
                continue
            for sheet, top, left, bottom, right in areas:
                if (top, left) == (bottom, right):
                    self._cells.setdefault((sheet, top, left), []).append(formula)
                elif right - left < _NARROW:
                    for column in range(left, right + 1):
                        self._columns.setdefault((sheet, column), []).append((top, bottom, formula))
                else:
                    self._wide.setdefault(sheet, []).append((top, left, bottom, right, formula))

    def readers(self, place: Place) -> Iterator[Place]:
        """Formulas that read a cell by themselves."""
        sheet, row, column = place
        yield from self._cells.get(place, ())
        for top, bottom, formula in self._columns.get((sheet, column), ()):
            if top <= row <= bottom:
                yield formula
        for top, left, bottom, right, formula in self._wide.get(sheet, ()):
            if top <= row <= bottom and left <= column <= right:
                yield formula

    def below(
        self, places: Iterable[Place], filled: Callable[[Place], Iterable[Place]]
    ) -> set[Place]:
        """Every formula that reads one of `places`, directly or through others.

        `filled` gives the cells over which a formula spreads its value, beside its own.
        """
        waiting = list(places)
        seen: set[Place] = set()
        if waiting:
            # What may read anything reads these too.
            seen.update(self.unknown)
            waiting.extend(self.unknown)
        while waiting:
            place = waiting.pop()
            for one in (place, *filled(place)):
                for reader in self.readers(one):
                    if reader not in seen:
                        seen.add(reader)
                        waiting.append(reader)
        return seen
