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

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
from scipy.interpolate import PchipInterpolator

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
from xltoken.model.panel import half_month

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


@dataclass(frozen=True, slots=True)
class Reading:
    """Throughput read off a frontier, and the points it was read from (faster one last)."""

    throughput: float
    speed: float | None
    points: tuple[Point, ...]
    interpolated: bool


class Frontier:
    """Falling curve of throughput over speed per user through the Pareto-best of `points`."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.best = max(points, key=lambda p: (p.throughput, p.speed or 0.0))
        self.pareto = _pareto(points)
        self._speeds = [point.speed or 0.0 for point in self.pareto]
        measured = [p.row for p in points if p.speed is not None]
        self.fastest = max(
            measured, key=lambda r: r.observation.tokens_per_second_per_user or 0.0, default=None
        )

    @functools.cached_property
    def _cubic(self) -> Any:
        logs = np.log([point.throughput for point in self.pareto])
        return PchipInterpolator(self._speeds, logs)  # type: ignore[no-untyped-call]

    def read(self, speed: float | None) -> Reading | None:
        """Throughput at `speed` tok/s/user or more (None: at any); None beyond the fastest."""
        if speed is None:
            return Reading(self.best.throughput, self.best.speed, (self.best,), False)
        if not self.pareto or speed > self._speeds[-1] * (1 + ROUNDING):
            return None
        faster = int(np.searchsorted(self._speeds, speed * (1 - ROUNDING)))
        point = self.pareto[faster]
        at_point = speed >= self._speeds[faster] * (1 - ROUNDING)
        if at_point or faster == 0:
            return Reading(point.throughput, self._speeds[faster], (point,), False)
        slower = self.pareto[faster - 1]
        close = (
            self._speeds[faster] < SPEED_GAP * self._speeds[faster - 1]
            and slower.throughput < THROUGHPUT_GAP * point.throughput
        )
        if not close:
            return Reading(point.throughput, self._speeds[faster], (point,), False)
        throughput = math.exp(float(self._cubic(speed)))
        # The cubic is monotone; rounding alone could leave the interval.
        throughput = min(max(throughput, point.throughput), slower.throughput)
        return Reading(throughput, speed, (slower, point), True)


@dataclass(frozen=True, slots=True)
class Frontiers:
    """Frontier asked for, and those of every looser filter, at one half-month.

    `rows` are those behind the answer.
    """

    rows: tuple[Row, ...]
    asked: Frontier
    looser: tuple[Frontier, ...]

    @property
    def fastest(self) -> Row | None:
        """Row with the fastest speed measured, as measured; None when no row states one.

        A looser filter may know less, where a later row of lower grade replaces a faster one; then
        its fastest is what counts.
        """
        rows = [frontier.fastest for frontier in (self.asked, *self.looser)]
        known = [row for row in rows if row is not None]
        if len(known) < len(rows):
            return None
        return min(known, key=lambda r: r.observation.tokens_per_second_per_user or 0.0)

    def read(self, speed: float | None) -> Reading | None:
        """Read the smallest throughput over the filter asked for and the looser ones.

        The points are those of the filter asked for.
        """
        reading = self.asked.read(speed)
        for frontier in self.looser:
            other = frontier.read(speed)
            if reading is None or other is None:
                return None
            if other.throughput < reading.throughput:
                reading = replace(reading, throughput=other.throughput, interpolated=True)
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
    built: dict[tuple[Point, ...], Frontier] = {}
    for precision in looser_precisions(admission.precision):
        for grade in looser_grades(admission.grade, lowest_grade):
            wider = Admission(precision, grade, admission.as_of)
            found = rows_that_count(catalog, platform, workload, wider)
            points = [carried(row) for row in found]
            for wait in _looser_waits(found, longest_wait):
                kept = [p for p in points if _waits_at_most(p.row, wait)]
                if not kept:
                    return None
                key = tuple(kept)
                if key not in built:
                    built[key] = Frontier(kept)
    first, *looser = built.values()
    return Frontiers(rows, first, tuple(looser))


def read_at(
    catalog: Catalog,
    platform: str,
    workload: Workload,
    admission: Admission,
    lowest_grade: str,
    longest_wait: float | None,
    counted: str,
    gain_per_month: float | None,
    when: date,
    speed: float | None,
) -> tuple[Frontiers, Reading | None] | None:
    """Read the throughput at `speed` on day `when`, or at the catalog's date if that is earlier.

    Returns the frontiers of that half-month and the reading, None beyond the fastest; None when no
    row counts. The arguments are those of :func:`frontiers`.
    """
    today = half_month(catalog.date)
    index = software_index(catalog, admission.as_of)
    settled = index.settled(catalog.of(platform, workload.model))
    asked = min(max(half_month(when), settled), today)

    def built(half: int) -> Frontiers | None:
        return frontiers(
            catalog, platform, workload, admission, lowest_grade, longest_wait, counted,
            gain_per_month, half,
        )  # fmt: skip

    found = built(asked)
    if found is None:
        return None
    reading = found.read(speed)
    # The best of all rows only moves up; what is read between two of them may not.
    if reading is not None and speed is not None:
        for half in range(asked + 1, today + 1):
            later = built(half)
            assert later is not None
            other = later.read(speed)
            if other is not None and other.throughput < reading.throughput:
                reading = replace(reading, throughput=other.throughput)
    return found, reading


def of_rows(rows: Sequence[Row], longest_wait: float | None, counted: str) -> Frontiers | None:
    """Frontier of rows as they are, not carried: for claims."""
    kept = within_wait(rows, longest_wait)
    if not kept:
        return None
    return Frontiers(tuple(kept), Frontier([_point(row, counted) for row in kept]), ())


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


def _pareto(points: Sequence[Point]) -> list[Point]:
    """Points with a speed that no other beats in both speed and throughput, slowest first."""
    known = [point for point in points if point.speed is not None]
    known.sort(key=lambda p: (p.speed or 0.0, p.throughput), reverse=True)
    best: list[Point] = []
    for point in known:
        if not best or point.throughput > best[-1].throughput:
            best.append(point)
    return best[::-1]
