"""The frontier: the most an accelerator serves at a speed that a user accepts.

Each row is carried to a half-month, throughput and speed per user alike; the Pareto-best rows make
a falling curve of throughput over speed. One monotone cubic (PCHIP) on log throughput
runs through all of them; it is used between neighbours that stand close, and in a wider gap the
throughput of the faster one counts. Never extrapolated: beyond the fastest measured speed nothing
is known.

Laws: tightening a limit never raises a throughput, and waiting never lowers it. A cubic through
fewer points, or through points that moved, can break them; so the throughput is the smallest over
the filter asked for and every looser one, and over every later half-month up to the catalog's.
"""

import bisect
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, NamedTuple

from xltoken.catalog.records import EVIDENCE_GRADES, Observation
from xltoken.catalog.store import Catalog, Workload, per_catalog
from xltoken.economics.unit_cost import counted_tokens
from xltoken.model.evidence import (
    Admission,
    Row,
    looser_grades,
    looser_precisions,
    rows_that_count,
)
from xltoken.model.index import growth, software_index

SPEED_GAP: Final = 3.0
THROUGHPUT_GAP: Final = 4.0
"""Neighbours closer than this in speed and in throughput are interpolated between."""
ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Point:
    """A row on a frontier: counted tok/s per accelerator and tok/s/user, carried by a factor."""

    row: Row
    throughput: float
    speed: float | None
    carried: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where one reads off a frontier: at a point, or between two (faster one last)."""

    points: tuple[Point, ...]

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Rows of its points."""
        return tuple(point.row.observation for point in self.points)

    @property
    def date(self) -> date:
        """Date of the older of its rows."""
        return min(row.date for row in self.observations)

    @property
    def grade(self) -> str:
        """Lowest grade among its rows."""
        return max((row.evidence for row in self.observations), key=EVIDENCE_GRADES.index)


class Reading(NamedTuple):
    """Throughput read off a frontier, and the place it was read from."""

    throughput: float
    speed: float | None
    place: Place
    interpolated: bool = False


class Frontier:
    """Falling curve of throughput over speed per user through the Pareto-best of `points`."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.pareto = _pareto(points)
        measured = [p.row for p in points if p.speed is not None]
        self.fastest = max(
            measured, key=lambda r: r.observation.tokens_per_second_per_user or 0.0, default=None
        )
        self._best = _at(max(points, key=lambda p: (p.throughput, p.speed or 0.0)))
        self._speeds = [point.speed or 0.0 for point in self.pareto]
        self._top = self._speeds[-1] * (1 + ROUNDING) if self.pareto else -math.inf
        self._steps: dict[int, _Step] = {}

    def read(self, speed: float | None) -> Reading | None:
        """Throughput at `speed` tok/s/user or more (None: at any); None beyond the fastest."""
        if speed is None:
            return self._best
        if speed > self._top:
            return None
        faster = bisect.bisect_left(self._speeds, speed * (1 - ROUNDING))
        step = self._steps.get(faster)
        if step is None:
            step = self._steps[faster] = self._step(faster)
        at_point, gap = step
        if gap is None or speed >= self._speeds[faster] * (1 - ROUNDING):
            return at_point
        place, lowest, highest, start, (cubic, square, slope, level) = gap
        s = speed - start
        throughput = math.exp(level + slope * s + square * (s * s) + cubic * (s * s * s))
        # The cubic is monotone; rounding alone could leave the interval.
        if not lowest <= throughput <= highest:
            throughput = lowest if throughput < lowest else highest
        return Reading(throughput, speed, place, True)

    def _step(self, faster: int) -> "_Step":
        """Step of the frontier that ends at a point."""
        point = self.pareto[faster]
        slower = self.pareto[faster - 1] if faster else None
        if slower is None or not _close(slower, point):
            return _at(point), None
        coefficients = self._cubics[:, faster - 1].tolist()
        start = self._speeds[faster - 1]
        place = Place((slower, point))
        return _at(point), (place, point.throughput, slower.throughput, start, coefficients)

    @functools.cached_property
    def _cubics(self) -> Any:
        """Coefficients of the log throughput in each gap: a column each, highest power first."""
        from scipy.interpolate import PchipInterpolator

        logs = [math.log(point.throughput) for point in self.pareto]
        return PchipInterpolator(self._speeds, logs).c  # type: ignore[no-untyped-call]


_Gap = tuple[Place, float, float, float, Sequence[float]]
"""Place, least and greatest throughput, slowest speed, and the cubic of the log throughput."""
_Step = tuple[Reading, _Gap | None]
"""Reading at a point, and the gap to its slower neighbour, None where it is too wide."""


class Frontiers:
    """Frontier asked for, and those of every looser filter, at one half-month.

    `rows` are those behind the answer. `fastest` is the row with the fastest speed measured, as
    measured; None when no row states one. A looser filter may know less, where a later row of lower
    grade replaces a faster one; then its fastest is what counts.
    """

    def __init__(
        self, rows: tuple[Row, ...], asked: Frontier, looser: Sequence[Frontier] = ()
    ) -> None:
        self.rows = rows
        self.asked = asked
        self.looser = tuple(looser)
        fastest = [frontier.fastest for frontier in (asked, *looser)]
        known = [row for row in fastest if row is not None]
        self.fastest = (
            min(known, key=lambda r: r.observation.tokens_per_second_per_user or 0.0)
            if len(known) == len(fastest)
            else None
        )

    def read(self, speed: float | None) -> Reading | None:
        """Read the smallest throughput over the filter asked for and the looser ones.

        The place is that of the filter asked for.
        """
        reading = self.asked.read(speed)
        for frontier in self.looser:
            other = frontier.read(speed)
            if reading is None or other is None:
                return None
            if other.throughput < reading.throughput:
                reading = reading._replace(throughput=other.throughput, interpolated=True)
        return reading


@per_catalog
def frontiers(
    catalog: Catalog,
    platform: str,
    workload: Workload,
    admission: Admission,
    lowest_grade: str,
    longest_wait: float | None,
    counted: str,
    gain_per_month: float | None,
    half: int,
) -> Frontiers | None:
    """Build the frontier asked for with every looser one; None when no row counts.

    None, too, when a looser filter keeps no row: better evidence must not be cheaper than none.

    Parameters
    ----------
    admission : Admission
        What is asked of a row.
    lowest_grade : str
        Lowest grade that the scenario admits.
    longest_wait : float or None
        Seconds to the first token that a user accepts.
    counted : {"output", "input", "total"}
        The tokens that count.
    gain_per_month : float or None
        What software gains beyond the catalog's date, as for :func:`growth`.
    half : int
        Half-month to which rows are carried, the catalog's or an earlier one.
    """
    launched = catalog.platforms[platform].launched
    index = software_index(catalog, admission.as_of)

    def carried(row: Row) -> Point:
        seen = row.observation.date
        if seen <= catalog.date:
            return _point(row, counted, index.carry(row.observation, half))
        # A user's row from after the catalog's date stands at its own figure on its own day.
        when = float(seen.toordinal())
        later = growth(index, catalog.date, when, launched, workload.model_released, gain_per_month)
        back = index.carry(replace(row.observation, date=catalog.date), half)
        return _point(row, counted, back / later)

    asked = rows_that_count(catalog, platform, workload, admission)
    rows = within_wait(asked, longest_wait)
    if not rows:
        return None
    built: dict[tuple[int, ...], Frontier] = {}
    for precision in looser_precisions(admission.precision):
        for grade in looser_grades(admission.grade, lowest_grade):
            wider = Admission(precision, grade, admission.as_of)
            found = rows_that_count(catalog, platform, workload, wider)
            points = [carried(row) for row in found]
            for wait in _looser_waits(found, longest_wait):
                kept = [p for p in points if _waits_at_most(p.row, wait)]
                if not kept:
                    return None
                # The same rows make the same curve, whichever filter kept them.
                key = tuple(id(p.row.observation) for p in kept)
                if key not in built:
                    built[key] = Frontier(kept)
    first, *looser = built.values()
    return Frontiers(rows, first, looser)


def of_rows(rows: Sequence[Row], longest_wait: float | None, counted: str) -> Frontiers | None:
    """Frontier of rows as they are, not carried: for claims."""
    kept = within_wait(rows, longest_wait)
    if not kept:
        return None
    return Frontiers(kept, Frontier([_point(row, counted) for row in kept]))


def within_wait(rows: Sequence[Row], longest_wait: float | None) -> tuple[Row, ...]:
    """Rows whose stated wait is `longest_wait` or less; one that states none fails a limit."""
    return tuple(row for row in rows if _waits_at_most(row, longest_wait))


def _waits_at_most(row: Row, longest_wait: float | None) -> bool:
    if longest_wait is None:
        return True
    wait = row.observation.seconds_to_first_token
    return wait is not None and wait <= longest_wait


def _looser_waits(rows: Sequence[Row], longest_wait: float | None) -> list[float | None]:
    if longest_wait is None:
        return [None]
    stated = {row.observation.seconds_to_first_token for row in rows}
    return [longest_wait, *sorted(w for w in stated if w is not None and w > longest_wait), None]


def _point(row: Row, counted: str, factor: float = 1.0) -> Point:
    seen = row.observation
    tokens = seen.tokens_in + seen.tokens_out
    share = counted_tokens(seen.tokens_in, seen.tokens_out, counted) / tokens
    speed = seen.tokens_per_second_per_user
    throughput = seen.total * share * factor
    return Point(row, throughput, None if speed is None else speed * factor, factor)


def _at(point: Point) -> Reading:
    return Reading(point.throughput, point.speed, Place((point,)))


def _close(slower: Point, faster: Point) -> bool:
    """Whether neighbours stand close enough to be interpolated between."""
    apart = (faster.speed or 0.0) < SPEED_GAP * (slower.speed or 0.0)
    return apart and slower.throughput < THROUGHPUT_GAP * faster.throughput


def _pareto(points: Sequence[Point]) -> list[Point]:
    """Points with a speed that no other beats in both speed and throughput, slowest first."""
    known = [point for point in points if point.speed is not None]
    known.sort(key=lambda p: (p.speed or 0.0, p.throughput), reverse=True)
    best: list[Point] = []
    for point in known:
        if not best or point.throughput > best[-1].throughput:
            best.append(point)
    return best[::-1]
