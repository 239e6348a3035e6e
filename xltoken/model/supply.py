"""What an accelerator serves of a workload at any moment, under given evidence and limits.

Up to the catalog's date rows are carried to the month's own half-month by the software index;
beyond it one factor moves the whole frontier: ``F(u, month) = g x F(u / g, catalog's date)``.
Nothing here is money: a book that changes rates, utilization or overhead asks the same supplies.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple

from xltoken.catalog.keys import NotKnown, normalize
from xltoken.catalog.records import SOFTWARE_PRIORS, Observation
from xltoken.catalog.store import Catalog, Workload, per_catalog
from xltoken.model.assumptions import Assumptions
from xltoken.model.evidence import Admission, Row, claims_by_date, is_steady
from xltoken.model.frontier import (
    ROUNDING,
    Frontiers,
    Place,
    Point,
    Reading,
    frontiers,
    of_rows,
)
from xltoken.model.index import CARRY_LIMIT, Growth, growth_of, software_index
from xltoken.model.months import Timetable, day, months_between
from xltoken.model.panel import half_month

THIN_ROWS: Final = 10
"""Fewer rows than this behind an answer are a warning; they never change it."""
OLD_MONTHS: Final = 12.0
HORIZON_SPANS: Final = 3.0
"""A forecast further out than so many times the observed span is a warning."""


class Terms(NamedTuple):
    """Which evidence counts, and the limits a user accepts.

    `claims` tells whether claims of grade count: in scenario vendor only.
    """

    speed: float | None
    wait: float | None
    counted: str
    precision: str
    grade: str
    as_of: date | None
    gain_per_month: float | None
    claims: bool


def terms_of(assumptions: Assumptions, workload: Workload) -> Terms:
    """Terms that assumptions set for a workload."""
    return Terms(
        assumptions.get("min_tokens_per_second_per_user", workload) or None,
        assumptions.get("max_seconds_to_first_token", workload),
        str(assumptions.get("tokens_counted")),
        normalize(str(assumptions.get("precision"))),
        str(assumptions.get("evidence")),
        assumptions.get("as_of"),
        assumptions.get("software_gain_per_month"),
        assumptions.scenario == "vendor",
    )


@dataclass(frozen=True, eq=False)
class Era:
    """Days on which the same rows count, carried alike: a half-month, or those of a claim.

    `reading` is that at the speed asked for; None where the rows, carried back, are slower.
    """

    frontiers: Frontiers
    reading: Reading | None

    @functools.cached_property
    def span(self) -> float:
        """Months from the first to the last of the rows that count."""
        dates = [row.observation.date for row in self.frontiers.rows]
        return months_between(min(dates), float(max(dates).toordinal()))


class Supply:
    """What a platform serves of a workload at any moment, under given terms."""

    def __init__(self, catalog: Catalog, platform: str, workload: Workload, terms: Terms) -> None:
        self._catalog = catalog
        self._platform = platform
        self._workload = workload
        self._terms = terms
        # Claims never meet other rows on one frontier.
        grade = "vendor" if terms.grade == "claim" else terms.grade
        self._admission = Admission(terms.precision, grade, terms.as_of)
        self._index = software_index(catalog, terms.as_of)
        known = (catalog.platforms[platform].launched, workload.model_released)
        self._begun = max((day.toordinal() for day in known if day is not None), default=0)
        rows = catalog.of(platform, workload.model)
        # What software gains beyond the catalog's date moves no row up to it, save later ones.
        later = any(row.date > catalog.date for row in rows)
        self._gain_of_rows = terms.gain_per_month if later else None
        self._today = catalog.date.toordinal()
        self._last = half_month(catalog.date)
        self._first = self._index.settled(rows)
        self._eras: dict[int, Era | str] = {}
        self._least = [math.inf]
        self._told: dict[tuple[Place, bool, bool], tuple[str, ...]] = {}

    def at(self, when: float) -> tuple[Era, Reading, float]:
        """Era of a moment, the reading at the speed asked for, and the growth since today.

        The throughput is that of the reading times the growth, and so is its speed.

        Raises
        ------
        NotKnown
            If no evidence is admitted, or a limit is out of reach.
        """
        factor = self._growth.at(when)
        era = self._era(when)
        if isinstance(era, str):
            raise NotKnown(era)
        reading, speed = era.reading, self._terms.speed
        if speed is not None:
            if factor != 1.0:
                reading = era.frontiers.read(speed / factor)
            if reading is None:
                why = self._why_unreachable(speed, era.frontiers)
                back = f"Carried back to {day(when)} the evidence is slower still."
                raise NotKnown(f"{why} {back}")
        assert reading is not None
        return era, reading, factor

    def warnings(self, era: Era, place: Place, when: float) -> tuple[str, ...]:
        """Tell what a reader must know of a reading at a place, at a moment."""
        far = months_between(self._catalog.date, when) > HORIZON_SPANS * era.span
        early = when < self._begun
        # Nothing else of the moment changes them, so most months of a book have the same.
        case = (place, far, early)
        told = self._told.get(case)
        if told is None:
            told = self._told[case] = tuple(self._warnings(era, place, far, early))
        return told

    def _era(self, when: float) -> Era | str:
        """Era of a moment, or the reason why nothing is known of it."""
        if self._claims is not None:
            return self._claims.at(when)
        half = self._last
        if when < self._today:
            half = min(max(half_month(day(when)), self._first), self._last)
        if half not in self._eras:
            self._eras[half] = self._carried(half)
        return self._eras[half]

    @functools.cached_property
    def _growth(self) -> Growth:
        launched = self._catalog.platforms[self._platform].launched
        released = self._workload.model_released
        gain = self._terms.gain_per_month
        return growth_of(self._index, self._catalog.date, launched, released, gain)

    @functools.cached_property
    def _claims(self) -> Timetable[Era | str] | None:
        """Claims by the days on which they count: before the first, the first."""
        if not self._terms.claims or self._terms.grade != "claim":
            return None
        admission = replace(self._admission, grade="claim")
        claims = claims_by_date(self._catalog, self._platform, self._workload, admission)
        if not claims:
            return None
        days = [day.toordinal() for day in claims]
        return Timetable(days[1:], [self._claimed(rows) for rows in claims.values()])

    def _claimed(self, rows: Sequence[Row]) -> Era | str:
        """Era of claims: they stand as stated, and are not carried up to the catalog's date."""
        found = of_rows(rows, self._terms.wait, self._terms.counted)
        if found is None:
            return self._why_too_slow([row.observation for row in rows])
        return self._read(found)

    def _carried(self, half: int) -> Era | str:
        """Era of a half-month: the rows carried to it, and at a speed the least from there on."""
        found = self._frontiers(half)
        if found is None:
            return self._why_nothing()
        era = self._read(found)
        # The best of all rows only moves up; what is read between two of them may not.
        if isinstance(era, Era) and era.reading is not None and self._terms.speed is not None:
            least = self._least_after(half)
            if least < era.reading.throughput:
                return replace(era, reading=era.reading._replace(throughput=least))
        return era

    def _read(self, found: Frontiers) -> Era | str:
        speed = self._terms.speed
        if speed is not None and not _reached(speed, found):
            return self._why_unreachable(speed, found)
        return Era(found, found.read(speed))

    def _least_after(self, half: int) -> float:
        """Least throughput at the speed asked for in the half-months after one, up to today's."""
        while len(self._least) <= self._last - half:
            found = self._frontiers(self._last + 1 - len(self._least))
            assert found is not None
            reading = found.read(self._terms.speed)
            least = math.inf if reading is None else reading.throughput
            self._least.append(min(least, self._least[-1]))
        return self._least[self._last - half]

    def _frontiers(self, half: int) -> Frontiers | None:
        terms = self._terms
        return frontiers(
            self._catalog, self._platform, self._workload, self._admission, "vendor", terms.wait,
            terms.counted, self._gain_of_rows, half,
        )  # fmt: skip

    def _warnings(self, era: Era, place: Place, far: bool, early: bool) -> Iterator[str]:
        catalog, workload, terms = self._catalog, self._workload, self._terms
        name = f"{self._platform} on {workload.key}"
        rows = len(era.frontiers.rows)
        if rows < THIN_ROWS:
            yield f"thin evidence: {'1 row' if rows == 1 else f'{rows} rows'} behind {name}"
        age = months_between(place.date, float(self._today))
        if age > OLD_MONTHS:
            yield (
                f"old evidence: {name} rests on {place.date}, {age:.0f} months before the "
                "catalog's date"
            )
        if far:
            yield (
                f"horizon: beyond three times the {era.span:.0f} months that the evidence of "
                f"{name} spans"
            )
        if terms.grade == "claim" and not terms.claims:
            yield "claims count in scenario vendor only; none was used"
        if place.grade == "claim":
            yield f"a vendor's claim stands behind {name}"
        for point in place.points:
            yield from _of_point(point)
        priors = ((f"prior {name}", catalog.priors.get(name)) for name in SOFTWARE_PRIORS)
        platform = (f"platform {self._platform}", catalog.platforms[self._platform])
        for what, record in (*priors, platform):
            if record is not None and record.origin.user:
                origin = record.origin
                yield f"the {what} is a user's row ({origin.file}, row {origin.row})"
        if self._index.user:
            yield "a user's repeated measurements count in the software index"
        if early:
            yield f"the month lies before {day(self._begun)}, the launch of platform and model"
        if workload.user:
            yield f"the workload {workload.key} is a user's row"

    def _why_nothing(self) -> str:
        """Say why no row counts, from the widest reason to the narrowest."""
        catalog, platform, workload = self._catalog, self._platform, self._workload
        if platform not in catalog.platforms_with_evidence:
            note = catalog.platforms[platform].note
            return f"no usable evidence for {platform}" + (f": {note}." if note else ".")
        rows = catalog.of(platform, workload.model)
        if not rows:
            others = sorted(o.platform for o in catalog.observations if o.model == workload.model)
            return (
                f"no measurement of {workload.model} on {platform}; there are some on "
                f"{', '.join(dict.fromkeys(others))}."
            )
        shaped = [row for row in rows if workload.serves(row)]
        if not shaped:
            shapes = sorted({(row.tokens_in, row.tokens_out) for row in rows})
            known = ", ".join(f"{tokens_in:g}/{tokens_out:g}" for tokens_in, tokens_out in shapes)
            return (
                f"no measurement of {workload.model} on {platform} with {workload.tokens_in:g} "
                f"tokens in and {workload.tokens_out:g} out; measured shapes: {known}."
            )
        admission = self._admission
        admitted = [row for row in shaped if admission.admits(row)]
        if not admitted:
            limits = [f"precision {admission.precision}", f"evidence {admission.grade} or better"]
            if admission.as_of:
                limits.append(f"published by {admission.as_of}")
            found = sorted(
                {f"{row.precision or 'no precision'} ({row.evidence})" for row in shaped}
            )
            return (
                f"no row of {workload.key} on {platform} is admitted under {', '.join(limits)}; "
                f"known: {', '.join(found)}."
            )
        steady = [row for row in admitted if is_steady(row)]
        if not steady:
            return f"every run of {workload.key} on {platform} failed the steadiness check."
        return self._why_too_slow(steady)

    def _why_too_slow(self, rows: Sequence[Observation]) -> str:
        assert self._terms.wait is not None
        waits = [r.seconds_to_first_token for r in rows if r.seconds_to_first_token is not None]
        shortest = f"the shortest is {min(waits):g} s" if waits else "none states its wait"
        return (
            f"no row of {self._workload.key} on {self._platform} has its first token within "
            f"{self._terms.wait:g} s: {shortest}."
        )

    def _why_unreachable(self, speed: float, found: Frontiers) -> str:
        platform, workload = self._platform, self._workload.key
        if found.fastest is None:
            return (
                f"no row of {workload} on {platform} states a speed per user, so none can promise "
                f"{speed:g} tok/s/user; a workload without a speed floor (batch) is answered."
            )
        row = found.fastest.observation
        return (
            f"{speed:g} tok/s/user is out of reach of {platform} on {workload}: the fastest "
            f"measured is {row.tokens_per_second_per_user:g} tok/s/user ({row.date}, "
            f"{row.precision or 'no precision'})."
        )


@per_catalog
def supply(catalog: Catalog, platform: str, workload: Workload, terms: Terms) -> Supply:
    """Supply of a platform, by its key, for a workload under given terms."""
    return Supply(catalog, platform, workload, terms)


def _reached(speed: float, found: Frontiers) -> bool:
    """Whether a measurement shows `speed`: nothing is said beyond the fastest, at any date."""
    if found.fastest is None:
        return False
    measured = found.fastest.observation.tokens_per_second_per_user or 0.0
    return speed <= measured * (1 + ROUNDING)


def _of_point(point: Point) -> Iterator[str]:
    """Tell what must be said of a row that was read from."""
    seen = point.row.observation
    if point.row.replaced:
        yield (
            f"the latest run of {seen.observation_id}'s configuration fell by more than "
            "30 % and is not confirmed; the one before counts"
        )
    for which, at_limit in (
        ("up", point.carried >= CARRY_LIMIT * (1 - ROUNDING)),
        ("back", point.carried <= (1 + ROUNDING) / CARRY_LIMIT),
    ):
        if at_limit:
            yield (
                f"the run {seen.observation_id} of {seen.date} is carried {which} by the limit of "
                f"{CARRY_LIMIT:g}x"
            )
    if point.row.flagged:
        yield f"the run {seen.observation_id} was not steady"
    if seen.origin.user:
        yield f"a user's row counts ({seen.origin.file}, row {seen.origin.row})"
