"""The software index: how much faster the same accelerators serve as software matures.

A matched-model index as price statisticians chain it: in each half-month the median log gain of
the configurations whose measurements bracket it, one weight each. It is looked up by stack
(platform, framework, precision, speculative decoding) where three or more configurations bracket
the half-month, else by platform and framework, else it is the drift. As a carrier it never falls:
a build that ran once can be kept running.

The drift is what software gains where no measurement says more: a prior, counted as so many
stacks, shrunk towards the median of the stacks' own median gains. Vendors' tables and peer-reviewed
rounds are carried by the prior itself, which was taken from them.
"""

import itertools
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from xltoken.catalog.records import Observation
from xltoken.catalog.store import Catalog, per_catalog
from xltoken.model.months import months_between
from xltoken.model.panel import (
    HALVES_A_MONTH,
    Panel,
    Stack,
    half_month,
    is_measured,
    panel,
    stack_of,
)

CARRY_LIMIT: Final = 1.5
"""No row is carried by more than this factor, forward or back."""
UNKNOWN_AGE_MONTHS: Final = 12.0
"""Months since launch assumed where a launch or release date is not known."""
BRACKETING: Final = 3
"""Configurations that must bracket a half-month for a stack to have an index of its own."""

Level = tuple[str, ...]
"""A stack, or its first two parts: platform and framework."""


def shrunk_drift(catalog: Catalog, known: Panel) -> float:
    """Log gain of throughput a month: the prior shrunk towards the stacks of `known`.

    ``(w ln(1 + prior) + n m) / (w + n)``: `m` the median over `n` stacks of the median monthly log
    gain of their configurations, `w` the stacks the prior counts for.
    """
    prior = catalog.prior("software_gain_per_month")
    weight = catalog.prior("software_gain_weight")
    gains: dict[Stack, list[float]] = {}
    for series in known.values():
        if len(series.halves) > 1:
            gains.setdefault(series.stack, []).append(series.monthly_gain)
    medians = [statistics.median(gains[stack]) for stack in sorted(gains)]
    if not medians:
        return math.log1p(prior)
    total = weight * math.log1p(prior) + len(medians) * statistics.median(medians)
    return total / (weight + len(medians))


@dataclass(frozen=True, eq=False)
class SoftwareIndex:
    """Index of every stack up to the catalog's half-month, and the drift beyond it.

    `drift` and `prior` are log gains a month, never below 0: as a carrier the index never falls.
    `user` tells that measurements of a user count in it.
    """

    last: int
    drift: float
    steps: Mapping[Level, Mapping[int, float]]
    prior: float = 0.0
    user: bool = False
    _envelopes: dict[tuple[Level, ...], tuple[int, list[float]]] = field(
        repr=False, default_factory=dict
    )

    def carry(self, row: Observation, half: int) -> float:
        """Factor that brings `row` from its own half-month to `half`, limited to 1.5 either way."""
        own = half_month(row.date)
        if own == half:
            return 1.0
        if not is_measured(row):
            return _limited((half - own) / HALVES_A_MONTH * self.prior)
        return _limited(self._height(row, half) - self._height(row, own))

    def settled(self, rows: Iterable[Observation]) -> int:
        """Half-month before which all `rows` are carried by the limit: nothing changes there."""
        firsts = [min(half_month(row.date), self._envelope(_levels(row))[0]) for row in rows]
        earliest = min(firsts, default=self.last)
        slowest = min((gain for gain in (self.drift, self.prior) if gain), default=math.inf)
        return earliest - math.ceil(math.log(CARRY_LIMIT) / slowest * HALVES_A_MONTH)

    def _height(self, row: Observation, half: int) -> float:
        """Log level of the index of the row's stack at a half-month, relative to its start."""
        first, levels = self._envelope(_levels(row))
        per_half = self.drift / HALVES_A_MONTH
        if half < first:
            return (half - first) * per_half
        if half > self.last:
            return levels[-1] + (half - self.last) * per_half
        return levels[half - first]

    def _envelope(self, names: tuple[Level, ...]) -> tuple[int, list[float]]:
        """First half-month of a stack's index, and its running maximum from there on."""
        if names not in self._envelopes:
            known = [self.steps[name] for name in names if name in self.steps]
            first = min((min(steps) for steps in known), default=self.last)
            level, levels = 0.0, [0.0]
            for half in range(first, self.last):
                level += next(
                    (steps[half] for steps in known if half in steps), self.drift / HALVES_A_MONTH
                )
                levels.append(max(levels[-1], level))
            self._envelopes[names] = (first, levels)
        return self._envelopes[names]


@per_catalog
def software_index(catalog: Catalog, as_of: date | None) -> SoftwareIndex:
    """Index of what was measured and known by `as_of` (None: everything)."""
    known = panel(catalog, as_of)
    last = half_month(catalog.date)
    drift = max(0.0, shrunk_drift(catalog, known))
    user = any(series.user for series in known.values() if len(series.halves) > 1)
    prior = math.log1p(catalog.prior("software_gain_per_month"))
    return SoftwareIndex(last, drift, _steps(known, last), prior, user)


@dataclass(frozen=True, slots=True)
class Growth:
    """What software gains beyond the catalog's date `today`, on one platform and model.

    Throughput grows by ``((a + h + 1) / (a + 1)) ** b`` with ``b = log_drift (a + 1)``: `h` months
    since that date, `a` the months (`age`) then since the later of launch and release. At first
    that is the monthly drift; it slows as the pair ages. The deceleration is an assumption.
    """

    today: date
    log_drift: float
    age: float

    def at(self, when: float) -> float:
        """Factor by which throughput at a moment exceeds that at `today`; 1 up to that date."""
        months = months_between(self.today, when)
        if months <= 0:
            return 1.0
        return math.exp(log_growth(self.log_drift, self.age, months))


def growth_of(
    index: SoftwareIndex,
    today: date,
    launched: date | None,
    released: date | None,
    gain_per_month: float | None = None,
) -> Growth:
    """Growth of a pair: at the drift of `index`, or at the user's own gain.

    Parameters
    ----------
    launched, released : date or None
        Launch of the platform and release of the model; 12 months ago where neither is known.
    gain_per_month : float, optional
        Share of throughput a month instead of the drift.
    """
    log_drift = index.drift if gain_per_month is None else math.log1p(gain_per_month)
    return Growth(today, log_drift, age_months(today, launched, released))


def growth(
    index: SoftwareIndex,
    today: date,
    when: float,
    launched: date | None,
    released: date | None,
    gain_per_month: float | None = None,
) -> float:
    """Factor of :func:`growth_of` at one moment `when`, as in :mod:`xltoken.model.months`."""
    return growth_of(index, today, launched, released, gain_per_month).at(when)


def age_months(today: date, launched: date | None, released: date | None) -> float:
    """Months on day `today` since the later of launch and release; 12 where neither is known."""
    known = [day for day in (launched, released) if day is not None]
    if not known:
        return UNKNOWN_AGE_MONTHS
    return max(0.0, months_between(max(known), float(today.toordinal())))


def log_growth(log_drift: float, age: float, months: float) -> float:
    """Log of what software gains in `months` from now on a pair that is `age` months old."""
    return log_drift * (age + 1.0) * math.log((age + months + 1.0) / (age + 1.0))


def log_spread(catalog: Catalog, months: float) -> float:
    """Standard deviation of the log throughput `months` away from a measurement.

    ``sigma sqrt(h + h^2 / m)``, Farmer and Lafond's random walk with an estimated drift: `sigma`
    a root-month and the `m` months behind the drift are priors of the catalog.
    """
    apart = abs(months)
    behind = catalog.prior("software_gain_months")
    if not apart or not behind:
        return 0.0
    return catalog.prior("software_gain_sd") * math.sqrt(apart + apart * apart / behind)


def _levels(row: Observation) -> tuple[Level, Level]:
    stack = stack_of(row)
    return (stack, stack[:2])


def _steps(known: Panel, last: int) -> dict[Level, dict[int, float]]:
    """Log gain of each level in the half-month after each, where enough configurations say so."""
    found: dict[Level, dict[int, list[float]]] = {}
    for series in known.values():
        pairs = itertools.pairwise(zip(series.halves, series.logs, strict=True))
        for (before, low), (after, high) in pairs:
            gain = (high - low) / (after - before)
            for half in range(before, min(after, last)):
                for level in (series.stack, series.stack[:2]):
                    found.setdefault(level, {}).setdefault(half, []).append(gain)
    steps = {level: _medians(gains.items()) for level, gains in found.items()}
    return {level: gains for level, gains in steps.items() if gains}


def _medians(gains: Iterable[tuple[int, list[float]]]) -> dict[int, float]:
    return {half: statistics.median(each) for half, each in gains if len(each) >= BRACKETING}


def _limited(log_factor: float) -> float:
    limit = math.log(CARRY_LIMIT)
    return math.exp(min(max(log_factor, -limit), limit))
