"""Other applications as engines: for a second opinion on every value, or for the values themselves.

No application knows our functions: their results stand in its copy of the file as constants.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from xltoken.recalc import package as files
from xltoken.recalc.engines import second_engine
from xltoken.recalc.judge import Book, Change, Frozen, Values, reads_any, same
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetpatch import Patch, patched
from xltoken.recalc.sheetxml import ErrorText, Value

RELATIVE: Final = 1e-9
ABSOLUTE: Final = 1e-12
"""Differences up to which two engines agree; some take a sum that is nearly 0 for 0."""
_NO_FUNCTION: Final = ErrorText("#NAME?")
AUTHORITY: Final = "excel"
"""The engine whose values nothing judges: what the others are judged by are its own."""


@dataclass(slots=True)
class Opinion:
    """What a second engine says of the values in a file."""

    engine: str
    compared: int = 0
    unknown: int = 0
    """Formulas with a function that the second engine does not have."""
    differing: dict[Place, Value] = field(default_factory=dict)


def opinion(package: Package, book: Book, change: Change, content: bytes, engine: str) -> Opinion:
    """Ask a second engine about the values in `content`, the recalculated file of `package`.

    Frozen and refused formulas stand as constants in its copy: what is known to be out of date is
    not reported twice. Volatile ones are not compared.
    """
    written = files.parsed(package.path, content)
    asked: list[Place] = []
    held: dict[Place, Value] = {}
    for name, sheet in written.sheets.items():
        own, volatile = book.survey.own[name], book.survey.volatile[name]
        for spot, cell in sheet.formulas.items():
            place = (name, *spot)
            if spot in own or place in book.frozen or place in change.refused:
                held[place] = cell.value
            elif spot not in volatile:
                asked.append(place)
    found = Opinion(engine)
    values = second_engine(engine)(with_constants(written, {}, held), asked)
    for place in asked:
        cell = written.sheets[place[0]].formulas[place[1:]]
        theirs = values.get(place)
        if theirs == _NO_FUNCTION and cell.value != _NO_FUNCTION:
            found.unknown += 1
            continue
        found.compared += 1
        if not agree(cell.value, theirs):
            found.differing[place] = theirs
    return found


def agree(ours: Value, theirs: Value) -> bool:
    """Whether two engines mean the same: errors go by many names, and TRUE is 1 in some."""
    if isinstance(ours, ErrorText) or isinstance(theirs, ErrorText):
        return isinstance(ours, ErrorText) and isinstance(theirs, ErrorText)
    if isinstance(ours, bool | float) and isinstance(theirs, bool | float):
        nearly_0 = ABSOLUTE if 0 in (ours, theirs) else 0.0
        return math.isclose(ours, theirs, rel_tol=RELATIVE, abs_tol=nearly_0)
    return (ours if ours is not None else "") == (theirs if theirs is not None else "")


def with_constants(
    package: Package, inputs: Mapping[Place, Value], constants: Mapping[Place, Value]
) -> bytes:
    """File with other inputs, in which some formulas are constants."""
    parts = {}
    for name, sheet in package.sheets.items():
        held = {place[1:]: value for place, value in constants.items() if place[0] == name}
        # A shared formula is written at its master: it stays as long as another cell needs it.
        needed = {
            cell.group
            for spot, cell in sheet.formulas.items()
            if cell.kind == "shared" and spot not in held
        }
        held = {
            spot: value for spot, value in held.items() if sheet.formulas[spot].group not in needed
        }
        values = {**held, **{p[1:]: value for p, value in inputs.items() if p[0] == name}}
        if values:
            parts[sheet.part] = patched(sheet, Patch(values, constants=set(held)))
    return files.with_parts(package.content, parts)


class SecondBook(Book):
    """A book whose values come from another application; ours computes our functions alone.

    What the application makes of the inputs as saved is judged by the saved values, as ever. Its
    formulas are not frozen one by one, so whatever reads a disputed one may be wrong too: it is
    refused where it moves.
    """

    def __init__(self, package: Package, engine: str) -> None:
        self._inner: dict[Place, Frozen] = {}
        super().__init__(package)
        self._inner = self.frozen
        self._ask = second_engine(engine)
        self.places = [
            (name, *spot)
            for name, sheet in package.sheets.items()
            for spot in sheet.formulas
            if spot not in self.survey.own[name]
        ]
        own = {
            (name, *spot): value
            for name, spots in self.survey.own.items()
            for spot in spots
            if (value := self.fresh[name][spot]) is not None
        }
        saved = {place: self.saved(place) for place in own if self.saved(place) is not None}
        judged = self._theirs({}, {**own, **saved})
        self.frozen = self._disputed(judged) if engine != AUTHORITY else {}
        for place, frozen in self._inner.items():
            if place[1:] in self.survey.own[place[0]]:
                self.frozen[place] = frozen
        self.fresh = self._joined(self.fresh, judged if own == saved else self._theirs({}, own))
        self._moved = self._unlike_saved(self.fresh)
        self.counts = self._counts()

    @property
    def _inert(self) -> Iterable[Place]:
        """Formulas that are constants to our engine."""
        return self._inner

    def change(self, inputs: Iterable[Place]) -> Change:
        """Evaluate with both, and tell what is no longer as saved."""
        inputs = list(inputs)
        ours = super().change(inputs)
        after = self.fresh
        if inputs:
            own = {
                (name, *spot): ours.after[name][spot]
                for name, spots in self.survey.own.items()
                for spot in spots
            }
            set_values = {place: self._now(place) for place in inputs}
            after = self._joined(ours.after, self._theirs(set_values, own))
        moved = self._unlike_saved(after)
        found = Change(before=self.fresh, after=after)
        unlike = {
            (name, *spot)
            for name, spots in after.items()
            for spot, value in spots.items()
            if not agree(ours.after[name][spot], value)
        }
        # Our functions were computed from what our own engine makes of their precedents.
        misled = (
            {p for p in self._below(unlike) if p[1:] in self.survey.own[p[0]]} if inputs else set()
        )
        doubtful = set(self.frozen) | misled
        doubtful |= {p for p in ours.refused if p[1:] in self.survey.own[p[0]]}
        below = self._below(doubtful)
        found.refused = {
            (name, *spot)
            for name, spots in moved.items()
            for spot in spots
            if (name, *spot) in below and (name, *spot) not in self.frozen
        }
        found.refused |= misled
        found.refused |= {p for p in ours.refused if p[1:] in self.survey.own[p[0]]}
        for place in self.frozen:
            name, spot = place[0], place[1:]
            moved[name].pop(spot, None)
            if self.saved(place) is None or not same(after[name][spot], self.fresh[name][spot]):
                found.refused.add(place)
        for place in found.refused:
            moved[place[0]].pop(place[1:], None)
        found.values = {name: spots for name, spots in moved.items() if spots}
        return found

    def _theirs(
        self, inputs: Mapping[Place, Value], constants: Mapping[Place, Value]
    ) -> dict[Place, Value]:
        return self._ask(with_constants(self.package, inputs, constants), self.places)

    def _disputed(self, values: Mapping[Place, Value]) -> dict[Place, Frozen]:
        found: dict[Place, Frozen] = {}
        for place in self.places:
            saved, value = self.saved(place), values.get(place)
            cell = self.package.sheets[place[0]].formulas[place[1:]]
            if cell.dynamic or cell.kind == "dataTable" or ":" in cell.spill:
                # How far it would spread today, the other application does not tell.
                found[place] = Frozen("unsupported", "array over cells", value, None)
            elif value == _NO_FUNCTION and saved != _NO_FUNCTION:
                found[place] = Frozen("unsupported", "a name it does not know", value, None)
            elif (
                saved is not None
                and place[1:] not in self.held[place[0]]
                and not same(value, saved)
            ):
                found[place] = Frozen("disputed", "", value, None)
        return found

    def _joined(self, ours: Values, theirs: Mapping[Place, Value]) -> Values:
        return {
            name: {
                spot: value if spot in self.survey.own[name] else theirs.get((name, *spot))
                for spot, value in spots.items()
            }
            for name, spots in ours.items()
        }

    def _below(self, places: set[Place]) -> set[Place]:
        """Every formula that reads one of `places`, those too that our engine has frozen."""
        found: set[Place] = set()
        fresh = set(places)
        while fresh:
            below = self._downstream(fresh)
            reached = fresh | below
            below |= {
                place
                for place, frozen in self._inner.items()
                if place not in found and reads_any(frozen.reads, reached)
            }
            fresh = below - found
            found |= below
        return found
