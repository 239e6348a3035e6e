"""Forecasts made with past knowledge against what was measured later.

At each origin, the end of a half-month, every configuration measured in it is forecast from its
last figure by the drift that was known then, as TOKEN_COST carries rows; beyond the catalog's date
TOKEN_COST lets the drift slow down, and that is told beside it. Rows published later do not exist
at an origin. What the configuration really gave later is the judge.

Rivals: no change; the growth of an exponential trend line through every figure known (as LOGEST
fits it, from the last figure on: the line itself would miss by more), pooled or platform by
platform; five times in two months, the vendor's pace; and the trend of matched pairs without
shrinking, which is no common practice and comes close.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from xltoken.catalog.records import Observation
from xltoken.catalog.store import Catalog
from xltoken.model.evidence import Configuration
from xltoken.model.index import age_months, log_growth, log_spread, shrunk_drift
from xltoken.model.panel import HALVES_A_MONTH, Panel, Series, half_month, is_measured, panel_of

HORIZONS: Final = range(1, 7)
"""Months ahead; a horizon takes in what lies up to a month closer."""
CONFIDENCE: Final = 0.8
VENDOR_PACE: Final = math.log(5.0) / 2.0
"""Log gain a month of "5x in two months"."""
MODEL: Final = "model"
DECELERATING: Final = "model_decelerating"
RIVALS: Final = (
    "no_change",
    "exponential_pooled",
    "exponential_by_platform",
    "vendor_pace",
    "matched_trend",
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was said at an origin of one configuration, so many half-months ahead.

    `logs` holds the forecast log throughput by method; `spread` is the standard deviation of the
    model's.
    """

    configuration: Configuration
    series: Series
    origin: int
    halves_ahead: int
    logs: Mapping[str, float]
    spread: float

    @property
    def horizon(self) -> int:
        """Months ahead, rounded up."""
        return math.ceil(self.halves_ahead / HALVES_A_MONTH)


@dataclass(frozen=True, slots=True)
class Scored:
    """A forecast and the log throughput that was measured."""

    forecast: Forecast
    actual: float

    def error(self, method: str = MODEL) -> float:
        """Measured less forecast, in logs."""
        return self.actual - self.forecast.logs[method]

    @property
    def side(self) -> int:
        """0 inside the model's range, 1 above it, -1 below."""
        z = statistics.NormalDist().inv_cdf(0.5 + CONFIDENCE / 2.0)
        error, bound = self.error(), z * self.forecast.spread
        return 0 if abs(error) <= bound else int(math.copysign(1, error))


def measured(catalog: Catalog) -> list[Observation]:
    """Rows that the backtest uses: measurements, not the tables from which the prior was taken."""
    return [row for row in catalog.observations if is_measured(row)]


def forecasts_at(catalog: Catalog, rows: Iterable[Observation], origin: int) -> list[Forecast]:
    """Every forecast made at the end of half-month `origin`, from what was known then."""
    known = panel_of(
        row for row in rows if max(half_month(row.date), half_month(row.known_since)) <= origin
    )
    drift = max(0.0, shrunk_drift(catalog, known))
    pooled = _trend_line(known.values())
    platforms = {series.stack[0] for series in known.values()}
    by_platform = {
        name: _trend_line(s for s in known.values() if s.stack[0] == name)
        for name in sorted(platforms)
    }
    matched = _matched_trend(known.values())
    made: list[Forecast] = []
    for configuration, series in known.items():
        if series.halves[-1] != origin:
            continue
        last = series.logs[-1]
        age = _age(catalog, configuration, origin)
        for halves in range(1, HORIZONS[-1] * HALVES_A_MONTH + 1):
            months = halves / HALVES_A_MONTH
            logs = {
                MODEL: last + drift * months,
                DECELERATING: last + log_growth(drift, age, months),
                "no_change": last,
                "exponential_pooled": last + pooled * months,
                "exponential_by_platform": last + by_platform[series.stack[0]] * months,
                "vendor_pace": last + VENDOR_PACE * months,
                "matched_trend": last + matched * months,
            }
            spread = log_spread(catalog, months)
            made.append(Forecast(configuration, series, origin, halves, logs, spread))
    return made


def scored(catalog: Catalog, told: Callable[[str], None] = lambda _: None) -> Iterator[Scored]:
    """Every forecast of every origin that something measured later can judge."""
    rows = measured(catalog)
    truth = panel_of(rows)
    for origin in origins(truth):
        told(half_month_name(origin))
        for forecast in forecasts_at(catalog, rows, origin):
            series = truth[forecast.configuration]
            later = dict(zip(series.halves, series.logs, strict=True))
            actual = later.get(origin + forecast.halves_ahead)
            if actual is not None:
                yield Scored(forecast, actual)


def origins(truth: Panel) -> range:
    """Every half-month from the first measured to the one before the last."""
    halves = [half for series in truth.values() for half in series.halves]
    return range(min(halves), max(halves)) if halves else range(0)


def summary(scores: Sequence[Scored]) -> dict[str, Any]:
    """Counts, median absolute log errors by method, and coverage of the 80 % range."""
    found: dict[str, Any] = {
        "forecasts": len(scores),
        "configurations": len({s.forecast.configuration for s in scores}),
        "stacks": len({s.forecast.series.stack for s in scores}),
    }
    if not scores:
        return found
    sides = [s.side for s in scores]
    found["median_absolute_log_error"] = {
        method: statistics.median(abs(s.error(method)) for s in scores)
        for method in (MODEL, DECELERATING, *RIVALS)
    }
    return found | {
        "coverage": sides.count(0) / len(sides),
        "above": sides.count(1),
        "below": sides.count(-1),
    }


def report(catalog: Catalog, told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Backtest of a catalog: over all, by horizon, by platform, and where the prior comes from."""
    scores = list(scored(catalog, told))
    by_horizon = {
        months: [s for s in scores if s.forecast.horizon == months] for months in HORIZONS
    }
    platforms = sorted({s.forecast.series.stack[0] for s in scores})
    known = panel_of(measured(catalog))
    return {
        **summary(scores),
        "origins": len({s.forecast.origin for s in scores}),
        "confidence": CONFIDENCE,
        "horizons": [{"months": m, **summary(found)} for m, found in by_horizon.items() if found],
        "platforms": [
            {
                "platform": name,
                **summary([s for s in scores if s.forecast.series.stack[0] == name]),
            }
            for name in platforms
        ],
        "drift": {
            "gain_per_month": math.expm1(shrunk_drift(catalog, known)),
            "prior_gain_per_month": catalog.prior("software_gain_per_month"),
            "prior_weight_stacks": catalog.prior("software_gain_weight"),
            "prior_repeated": prior_repeated(catalog),
        },
    }


def prior_repeated(catalog: Catalog) -> list[dict[str, Any]]:
    """The prior's own sources taken again: gains a month of systems seen in more than one release.

    TensorRT-LLM's tables since 0.14 (before, the measuring method was another), and the MLPerf
    rounds: the best figure of a platform, model and scenario in one round against the other's.
    """
    found = []
    for name, grade, method, key in (
        ("TensorRT-LLM tables", "vendor", "inflight", _table_entry),
        ("MLPerf rounds", "peer_reviewed", "mlperf", _round_entry),
    ):
        best: dict[tuple[object, ...], dict[date, float]] = {}
        for row in catalog.observations:
            if row.evidence == grade and row.method.startswith(method):
                days = best.setdefault(key(row), {})
                days[row.date] = max(days.get(row.date, -math.inf), math.log(row.total))
        gains = [
            (days[max(days)] - days[min(days)]) / _months(min(days), max(days))
            for days in best.values()
            if len(days) > 1
        ]
        if gains:
            gain = math.expm1(statistics.median(gains))
            found.append({"evidence": name, "pairs": len(gains), "gain_per_month": gain})
    return found


def half_month_name(half: int) -> str:
    """Half-month as a person writes it, e.g. 2026-03 first half."""
    year, month = divmod(half // HALVES_A_MONTH, 12)
    return f"{year}-{month + 1:02d} {'second' if half % HALVES_A_MONTH else 'first'} half"


def _table_entry(row: Observation) -> tuple[object, ...]:
    shape = (row.tokens_in, row.tokens_out)
    return (row.platform, row.model, *shape, row.precision, row.layout)


def _round_entry(row: Observation) -> tuple[object, ...]:
    return (row.platform, row.model, row.accelerators, row.method.rpartition(" ")[2])


def _months(first: date, last: date) -> float:
    return (last - first).days / 365.25 * 12.0


def _age(catalog: Catalog, configuration: Configuration, origin: int) -> float:
    year, month = divmod(origin // HALVES_A_MONTH, 12)
    today = date(year, month + 1, 16 if origin % HALVES_A_MONTH else 1)
    platform, model = str(configuration[0]), str(configuration[1])
    return age_months(today, catalog.platforms[platform].launched, catalog.released(model))


def _trend_line(every: Iterable[Series]) -> float:
    """Log gain a month of one exponential through every figure of the series."""
    points = [pair for s in every for pair in zip(s.halves, s.logs, strict=True)]
    halves = np.array([half for half, _ in points], dtype=np.float64)
    logs = np.array([log for _, log in points])
    return _slope(halves - halves.mean(), logs) if points else 0.0


def _matched_trend(every: Iterable[Series]) -> float:
    """Log gain a month of one exponential within the configurations, each on its own level."""
    repeated = [s for s in every if len(s.halves) > 1]
    apart = [np.array(s.halves) - np.mean(s.halves) for s in repeated]
    if not apart:
        return 0.0
    logs = list(itertools.chain.from_iterable(s.logs for s in repeated))
    return _slope(np.concatenate(apart), np.array(logs))


def _slope(apart: Any, logs: Any) -> float:
    squares = float(apart @ apart)
    return float(apart @ logs) / squares * HALVES_A_MONTH if squares else 0.0
