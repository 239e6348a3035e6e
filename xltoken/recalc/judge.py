"""A loaded book whose formulas are believed only where they come out as Excel saved them.

First every formula is computed with the inputs as saved. One that does not come out as saved is
*disputed*; one that the engine may not be asked for is *unsupported*. Both are *frozen*: they keep
their saved value as long as nothing they read changes. Where something does, they and whatever
depends on them are *refused*: a wrong number never gets into a file unnoticed.
"""

import functools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from xltoken.files import FileError
from xltoken.recalc.engine import (
    NO_RESULT,
    UNNAMED,
    Engine,
    begun,
    readable,
    spots_between,
)
from xltoken.recalc.formulas import bare_name, function_names
from xltoken.recalc.graph import Areas, Graph
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetxml import ErrorText, Spot, Value, address, corners
from xltoken.recalc.survey import Survey, survey, text_of

if TYPE_CHECKING:
    from concurrent.futures import Future

TOLERANCE: Final = 1e-12
"""Relative difference up to which two numbers are the same saved value."""
NO_VALUES: Final = {
    ErrorText("#CIRC!"): "circular reference",
    ErrorText("#SPILL!"): "no room to spill",
    ErrorText("#NAME?"): "a name that the engine does not know",
    ErrorText(NO_RESULT): "nothing that the engine can compute",
}
"""Errors of the engine that are no result of a calculation."""
_JOINED: Final = re.compile(r"(?<![0-9.])(?=[0-9.]{17})[0-9]*\.[0-9]*|(?<![0-9.])[0-9]{21,}")
"""A number of more than 15 digits inside a text: Excel writes 15 where it joins one to a text."""
_ROUNDS: Final = 8

Values = dict[str, dict[Spot, Value]]
"""Values by sheet and spot."""


@dataclass(slots=True)
class Frozen:
    """A formula that is not computed: why, and what the engine made of it if it was asked."""

    status: str
    function: str
    computed: Value
    reads: Areas | None
    """Areas it reads; None where they are not all known."""


@dataclass(slots=True)
class Change:
    """What a run changed against the saved values."""

    values: Values = field(default_factory=dict)
    """New value of every formula cell that moved and may be believed, children of arrays too."""
    areas: dict[str, dict[Spot, str]] = field(default_factory=dict)
    """New area of every array that grew or shrank, by its anchor."""
    refused: set[Place] = field(default_factory=set)
    """Formulas that cannot be brought up to date."""
    before: Values = field(default_factory=dict)
    """What every formula comes to with the inputs as saved."""
    after: Values = field(default_factory=dict)
    """What every formula comes to now, as far as the engine may be believed."""


class Book:
    """A package, its engine, and which of its formulas may be believed."""

    def __init__(self, package: Package) -> None:
        self.package = package
        loading = begun(package)
        self.survey: Survey = survey(package)
        self.frozen: dict[Place, Frozen] = {}
        self._stale: dict[frozenset[Place], dict[Place, Place]] = {}
        self.held = {name: self.survey.held(name) for name in package.sheets}
        unsupported = self.survey.unsupported
        self.engine = self._loaded(loading)
        if unsupported:
            tracer = self._tracer()
            for place, why in unsupported.items():
                known = tracer is not None and why not in _UNREADABLE
                areas = reads(tracer, self.survey, place) if tracer and known else None
                self.frozen[place] = Frozen("unsupported", why, None, areas)
        self.engine.evaluate()
        self._freeze_spreading()
        self.fresh = self._judge()
        """Value of every formula with the inputs as saved."""
        self._moved = self._unlike_saved(self.fresh)
        self.counts = self._counts()
        if self.counts["disputed"] or self.counts["unjudged"]:
            # A formula that nothing vouches for may have read what is no number.
            for sheet in package.sheets.values():
                sheet.check_numbers()

    # --- what the rest asks ----------------------------------------------------------------------

    def saved(self, place: Place) -> Value:
        """Value that the file holds."""
        formulas = self.package.sheets[place[0]].formulas
        if place[1:] in formulas:
            return formulas.value(place[1:])
        cell = self.package.cell(*place)
        return cell.value if cell else None

    def put(self, changes: Mapping[Place, Value]) -> None:
        """Put values into input cells; nothing is computed yet."""
        for place, value in changes.items():
            self.engine.set(*place, value)

    def change(self, inputs: Iterable[Place]) -> Change:
        """Evaluate, and tell what is no longer as saved; `inputs` are the cells that were set."""
        inputs = list(inputs)
        values, moved = self.fresh, {name: dict(spots) for name, spots in self._moved.items()}
        if inputs:
            self.engine.evaluate()
            values = self._values(self.engine)
            moved = self._unlike_saved(values)
        found = Change(before=self.fresh, after=values)
        spread = self._spread(moved, found)
        changed = [place for place in inputs if not same(self._now(place), self.saved(place))]
        wrong = [*self._over_merged(found), *(self._spreading() if inputs else [])]
        found.refused = self._refused(moved, changed, wrong, spread)
        for place in found.refused:
            moved[place[0]].pop(place[1:], None)
            found.areas.get(place[0], {}).pop(place[1:], None)
            for spot in spread.get(place, ()):
                moved[place[0]].pop(spot, None)
        found.values = {name: spots for name, spots in moved.items() if spots}
        return found

    def release(self) -> None:
        """Let the engine go: what was computed stays, nothing more can be."""
        del self.engine
        self.__dict__.pop("_graph", None)

    def stale(self, inputs: Iterable[Place]) -> dict[Place, Place]:
        """Formulas that a change of those inputs would have refused, each with the frozen cause."""
        inputs = list(inputs)
        reached = {*inputs, *self._downstream(inputs)}
        # What is no longer as saved with the inputs as saved leaves its frozen readers behind.
        reached.update((name, *spot) for name, spots in self._moved.items() for spot in spots)
        causes: dict[Place, Place] = {}
        while True:
            hit = {
                place
                for place, frozen in self.frozen.items()
                if place not in causes
                and (self.saved(place) is None or reads_any(frozen.reads, reached))
            }
            if not hit:
                return causes
            for place in hit:
                below = self._downstream([place])
                for dependent in (place, *below):
                    causes.setdefault(dependent, place)
                reached |= {place, *self._filled(place), *below}

    def blocked_by(self, inputs: Iterable[Place]) -> dict[Place, Place]:
        """As :meth:`stale`, remembered."""
        key = frozenset(inputs)
        if key not in self._stale:
            self._stale[key] = self.stale(key)
        return self._stale[key]

    # --- judging ---------------------------------------------------------------------------------

    def _judge(self) -> Values:
        """Freeze what does not come out as saved; returns the values with the inputs as saved."""
        values = self._values(self.engine)
        differing = self._unlike_saved(values)
        held = self._moved_by_themselves(differing)
        # What reads a cell of ours that moved is judged by a copy in which the saved value stands.
        judge = Engine.of(self.package, held | self.frozen.keys(), self.survey) if held else None
        if judge is not None:
            judge.evaluate()
            seen = self._values(judge)
            differing = self._unlike_saved(seen)
        else:
            seen = values
        unlike = self._unlike(differing, judge or self.engine)
        if not unlike:
            return values
        for round_number in range(_ROUNDS + len(unlike)):
            if not unlike:
                break
            # Those that read no other one are wrong by themselves; the rest may yet be right.
            roots = unlike if round_number >= _ROUNDS else self._roots(unlike)
            for place in roots:
                self._freeze_unlike(place, seen[place[0]][place[1:]], judge)
            engine = judge or self.engine
            engine.evaluate()
            seen = self._values(engine)
            unlike = self._unlike(self._unlike_saved(seen), engine)
        self.engine.evaluate()
        return self._values(self.engine)

    def _unlike_saved(self, values: Values) -> Values:
        """Formulas whose value is not the saved one, with that value."""
        return {
            name: {
                spot: value
                for (spot, value), saved in zip(
                    values[name].items(), sheet.formulas.saved, strict=True
                )
                if value != saved or value.__class__ is not saved.__class__
                if not same(value, saved)
            }
            for name, sheet in self.package.sheets.items()
        }

    def _moved_by_themselves(self, differing: Values) -> set[Place]:
        """Formulas that nothing judges and that are not as saved: ours, and volatile ones."""
        return {
            (name, *spot)
            for name, spots in differing.items()
            for spot in spots.keys() & self.held[name]
            if self.saved((name, *spot)) is not None and (name, *spot) not in self.frozen
        }

    def _unlike(self, differing: Values, engine: Engine) -> set[Place]:
        """Formulas whose value is not the saved one, or is none that Excel knows."""
        unlike = {
            (name, *spot)
            for name, spots in differing.items()
            for spot, value in spots.items()
            if spot not in self.held[name]
            and (name, *spot) not in self.frozen
            and (self._is_none(name, spot, value) or self.saved((name, *spot)) is not None)
        }
        for place in self.survey.arrays:
            known = place in self.frozen or place in unlike
            if not known and not self._as_saved(place, engine):
                unlike.add(place)
        return unlike

    def _is_none(self, name: str, spot: Spot, value: Value) -> bool:
        """Whether a value is no result: an engine error, or more digits than Excel joins."""
        if isinstance(value, ErrorText):
            return value in NO_VALUES
        if not isinstance(value, str) or not _JOINED.search(value):
            return False
        formulas = self.package.sheets[name].formulas
        return spot in formulas and "&" in formulas.text(spot)

    def _as_saved(self, place: Place, engine: Engine) -> bool:
        """Whether an array formula fills its saved area with its saved values."""
        name, row, column = place
        first, last = self.survey.arrays[place]
        cell = self.package.sheets[name].formulas[row, column]
        if (row, column) in self.held[name] or cell.value is None:
            return True
        extent = engine.extent(*place) or ((row, column), (row, column))
        if extent != (first, last):
            return False
        spots = list(spots_between(first, last))
        found = engine.values(name, spots)
        cells = self.package.sheets[name].cells
        return all(
            spot not in cells or same(found[spot], cells[spot].value) or cells[spot].value is None
            for spot in spots
        )

    def _roots(self, unlike: set[Place]) -> set[Place]:
        spread = {child: place for place in unlike for child in self._filled(place)}
        found = {
            place
            for place in unlike
            if not reads_any(
                reads(self.engine, self.survey, place),
                (unlike | {child for child, anchor in spread.items() if anchor != place}) - {place},
            )
        }
        return found or unlike

    def _freeze_unlike(self, place: Place, computed: Value, judge: Engine | None) -> None:
        why = NO_VALUES.get(computed, "") if isinstance(computed, ErrorText) else ""
        text = self.package.sheets[place[0]].formulas[place[1:]].formula or ""
        functions = ", ".join(bare_name(name) for name in function_names(text))
        status = "unsupported" if why else "disputed"
        self._freeze(place, Frozen(status, why or functions, computed, None))
        if judge is not None:
            self._hold(judge, place)

    def _freeze(self, place: Place, frozen: Frozen) -> None:
        """Put the saved value of a formula in its place, having asked what it reads."""
        frozen.reads = reads(self.engine, self.survey, place)
        if frozen.computed == NO_RESULT and not readable(f"={self._text(place)}"):
            frozen.reads = None
        self.frozen[place] = frozen
        self._hold(self.engine, place)

    def _text(self, place: Place) -> str:
        return text_of(self.package.sheets[place[0]], place[1:])

    def _hold(self, engine: Engine, place: Place) -> None:
        engine.set(*place, self.saved(place))
        for spot in self._children(place):
            engine.set(place[0], *spot, self.saved((place[0], *spot)))

    def _freeze_spreading(self) -> None:
        """Freeze formulas that the engine spreads over cells, where Excel takes one value."""
        wrong = self._spreading()
        for place in wrong:
            cell = self.package.sheets[place[0]].formulas[place[1:]]
            what = f"array over {cell.spill}" if cell.kind == "array" else _MANY
            if place in self.survey.spilled:
                what = "ANCHORARRAY"
            self._freeze(place, Frozen("unsupported", what, None, None))
        if wrong:
            self.engine.evaluate()

    def _spreading(self) -> list[Place]:
        """Formulas over more or fewer cells than Excel gives them, however long their value."""
        return self.spreading_in(self.engine, self.survey.spreading)

    def spreading_in(self, engine: Engine, asked: Mapping[str, Iterable[Spot]]) -> list[Place]:
        """Formulas among `asked` that spread in an engine where Excel takes one value."""
        found: list[Place] = []
        for name, spots in asked.items():
            formulas = self.package.sheets[name].formulas
            for spot in spots:
                place = (name, *spot)
                if place in self.frozen or (
                    spot in formulas.marked and formulas.marked[spot].dynamic
                ):
                    continue
                extent = engine.extent(*place) or (spot, spot)
                if extent != self.survey.arrays.get(place, (spot, spot)):
                    found.append(place)
        # The engine takes the spill of a single cell for no spill at all.
        found.extend(
            place
            for place, anchors in self.survey.spilled.items()
            if place not in self.frozen and any(engine.extent(*a) is None for a in anchors)
        )
        return found

    def _counts(self) -> dict[str, int]:
        """How many formulas there are, and how the engine did on those that a value judges."""
        statuses = [frozen.status for frozen in self.frozen.values()]
        total = judged = unjudged = disputed = 0
        for name, sheet in self.package.sheets.items():
            # A formula without a saved value is unlike it, whatever its value.
            blank = {
                spot
                for spot in self._moved[name]
                if sheet.formulas.value(spot) is None and (name, *spot) not in self.frozen
            }
            total += len(sheet.formulas)
            unjudged += len(blank)
            judged += len(sheet.formulas) - len(blank) - len(self.held[name] - blank)
        for place, frozen in self.frozen.items():
            if place[1:] not in self.held[place[0]]:
                saved = self.saved(place) is not None
                judged -= frozen.status == "unsupported" or not saved
                disputed += frozen.status == "disputed" and saved
        return {
            "formulas": total,
            "judged": judged,
            "right": judged - disputed,
            "disputed": statuses.count("disputed"),
            "unsupported": statuses.count("unsupported"),
            "unjudged": unjudged,
        }

    # --- refusing --------------------------------------------------------------------------------

    def _refused(
        self,
        moved: Values,
        inputs: Iterable[Place],
        wrong: Iterable[Place],
        spread: Iterable[Place],
    ) -> set[Place]:
        """Cells that cannot be brought up to date, and every formula that reads those."""
        suspects = {(name, *spot) for name, spots in moved.items() for spot in spots}
        # Whoever reads a whole spill reads its anchor.
        suspects.update(spread)
        suspects.update(inputs)
        fresh = {place for place in self.frozen if self.saved(place) is None}
        fresh.update(wrong)
        for name, spots in moved.items():
            fresh.update((name, *spot) for spot, v in spots.items() if self._is_none(name, spot, v))
        stale: set[Place] = set()
        while True:
            fresh |= {
                place
                for place, frozen in self.frozen.items()
                if place not in stale and reads_any(frozen.reads, suspects)
            }
            if not fresh:
                break
            fresh.update([child for place in fresh for child in self._filled(place)])
            stale |= fresh
            stale |= self._downstream(fresh)
            suspects |= stale
            fresh = set()
        return {place for place in stale if place[1:] in self.package.sheets[place[0]].formulas}

    def _downstream(self, places: Iterable[Place]) -> set[Place]:
        """Every live formula that reads one of `places`, directly or through others."""
        return self._graph.below(places, self._filled)

    @property
    def _inert(self) -> Iterable[Place]:
        """Formulas that are constants to the engine."""
        return self.frozen

    @functools.cached_property
    def _graph(self) -> Graph:
        live = (
            (name, *spot)
            for name, sheet in self.package.sheets.items()
            for spot in sheet.formulas
            if (name, *spot) not in self._inert
        )
        return Graph(live, lambda place: reads(self.engine, self.survey, place))

    def _filled(self, place: Place) -> list[Place]:
        return [(place[0], *spot) for spot in self._children(place)]

    # --- arrays ----------------------------------------------------------------------------------

    def _children(self, place: Place) -> list[Spot]:
        """Cells over which an array formula spread its values when the file was saved."""
        box = self.survey.arrays.get(place)
        if box is None:
            return []
        return [spot for spot in spots_between(*box) if spot != place[1:]]

    def _spread(self, moved: Values, found: Change) -> dict[Place, list[Spot]]:
        """Add to `moved` the cells under array formulas, as they grew, shrank or changed."""
        spread: dict[Place, list[Spot]] = {}
        for place, (first, last) in self.survey.arrays.items():
            if place in self.frozen:
                continue
            name, anchor = place[0], place[1:]
            sheet = self.package.sheets[name]
            extent = self.engine.extent(*place) or (anchor, anchor)
            before, after = set(spots_between(first, last)), set(spots_between(*extent))
            if extent != (first, last):
                ends = dict.fromkeys(address(*end) for end in extent)
                found.areas.setdefault(name, {})[anchor] = ":".join(ends)
            values = self.engine.values(name, after)
            for spot in (before | after) - sheet.formulas.keys():
                value = values.get(spot)
                if spot in after and value is None:
                    value = 0.0  # an array that holds a blank cell shows 0
                cell = sheet.cells.get(spot)
                if not same(value, cell.value if cell else None):
                    moved[name][spot] = value
                    spread.setdefault(place, []).append(spot)
        return spread

    def _over_merged(self, found: Change) -> list[Place]:
        """Arrays that would spread over merged cells, where Excel finds no room."""
        wrong: list[Place] = []
        for name, areas in found.areas.items():
            boxes = map(corners, self.package.sheets[name].merged())
            merged = [box for box in boxes if box is not None]
            for anchor, area in areas.items():
                first, last = corners(area) or (anchor, anchor)
                if any(
                    first[0] <= bottom and top <= last[0] and first[1] <= right and left <= last[1]
                    for (top, left), (bottom, right) in merged
                ):
                    wrong.append((name, *anchor))
        return wrong

    # --- values ----------------------------------------------------------------------------------

    def _values(self, engine: Engine) -> Values:
        found: Values = {}
        for name, sheet in self.package.sheets.items():
            values = engine.values(name, sheet.formulas)
            # A formula that reads a blank cell shows 0.
            for spot, value in values.items():
                if value is None:
                    values[spot] = 0.0
            found[name] = values
        for place in self.frozen:
            # What is frozen without a saved value has none; some errors the engine cannot name.
            saved = self.saved(place)
            if saved is None or saved in UNNAMED:
                found[place[0]][place[1:]] = saved
        return found

    def _now(self, place: Place) -> Value:
        return self.engine.values(place[0], [place[1:]])[place[1:]]

    def _loaded(self, loading: "Future[Any]") -> Engine:
        """Engine with every formula that it may be asked for."""
        unsupported = self.survey.unsupported
        try:
            return Engine.of(self.package, unsupported, self.survey, loading)
        except FileError:
            found = len(unsupported)
            for name, sheet in self.package.sheets.items():
                for spot in sheet.formulas:
                    if not readable(f"={text_of(sheet, spot)}"):
                        unsupported.setdefault((name, *spot), _UNREAD)
            if len(unsupported) == found:
                raise
        return Engine.of(self.package, unsupported, self.survey)

    def _tracer(self) -> Engine | None:
        """Book with every formula in place that can be loaded, to ask what a formula reads."""
        out = {place for place, why in self.survey.unsupported.items() if why in _UNREADABLE}
        try:
            return Engine.of(self.package, out, self.survey)
        except FileError:
            return None


_UNREAD: Final = "a formula that cannot be read"
_UNREADABLE: Final = frozenset({"another workbook", "data table", _UNREAD})
_MANY: Final = "a range where one value is due"


def same(computed: Value, saved: Value) -> bool:
    """Whether a computed value is the saved one: numbers within 1e-12, all else exactly."""
    if isinstance(computed, bool) or isinstance(saved, bool):
        return computed is saved
    if isinstance(computed, float) and isinstance(saved, float):
        return math.isclose(computed, saved, rel_tol=TOLERANCE, abs_tol=0.0)
    if isinstance(computed, ErrorText) != isinstance(saved, ErrorText):
        return False
    return computed == saved


def reads_any(areas: Areas | None, places: set[Place]) -> bool:
    """Whether one of `places` lies in `areas`; not all of them known (None) may be any."""
    if areas is None:
        return bool(places)
    for sheet, top, left, bottom, right in areas:
        if (bottom - top + 1) * (right - left + 1) <= len(places):
            if any(
                (sheet, *spot) in places for spot in spots_between((top, left), (bottom, right))
            ):
                return True
        elif any(
            name == sheet and top <= row <= bottom and left <= column <= right
            for name, row, column in places
        ):
            return True
    return False


def reads(engine: Engine, known: Survey, place: Place) -> Areas | None:
    """Areas that a formula reads, whole spills too; None where they are not all known."""
    if place in known.reaching:
        return None
    areas = engine.precedents(*place)
    if areas is not None:
        for anchor in known.spilled.get(place, ()):
            first, last = known.arrays.get(anchor, (anchor[1:], anchor[1:]))
            areas.append((anchor[0], *first, *last))
    return areas
