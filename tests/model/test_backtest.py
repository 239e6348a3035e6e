import csv
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from model_tools import holding, observed, runs

from xltoken.catalog import reading, store
from xltoken.catalog.records import Observation
from xltoken.catalog.store import Catalog
from xltoken.model.backtest import (
    CONFIDENCE,
    DECELERATING,
    HORIZONS,
    MODEL,
    RIVALS,
    Forecast,
    Scored,
    forecasts_at,
    half_month_name,
    measured,
    origins,
    prior_repeated,
    report,
    scored,
    summary,
)
from xltoken.model.panel import Series, half_month, panel_of

SHIPPED = store.load()
REPORT = report(SHIPPED)
SCORES = list(scored(SHIPPED))
ORIGINS = sorted({score.forecast.origin for score in SCORES})
NAIVE = ("exponential_pooled", "exponential_by_platform", "vendor_pace")
DAYS = [date(2026, 1, 5), date(2026, 1, 20), date(2026, 2, 5), date(2026, 3, 5)]


def errors(at: dict[str, Any]) -> dict[str, float]:
    """Median absolute log errors of a summary."""
    return at["median_absolute_log_error"]


def test_enough_to_judge() -> None:
    """The shipped catalog gives 900 forecasts of 200 configurations in 20 stacks, or more."""
    assert REPORT["forecasts"] >= 900
    assert REPORT["configurations"] >= 200
    assert REPORT["stacks"] >= 20
    assert REPORT["origins"] >= 10
    assert [at["months"] for at in REPORT["horizons"]] == list(HORIZONS) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("rival", NAIVE)
@pytest.mark.parametrize("at", REPORT["horizons"], ids=lambda at: at["months"])
def test_naive_rivals_are_far_worse(at: dict[str, Any], rival: str) -> None:
    """At every horizon exponentials and the vendor's pace err 1.5 times as much or more."""
    assert errors(at)[rival] >= 1.5 * errors(at)[MODEL]


@pytest.mark.parametrize("months", [2, 3, 4, 6])
def test_better_than_no_change(months: int) -> None:
    """At 2, 3, 4 and 6 months the model errs 10 % less than no change, or better."""
    at = errors(REPORT["horizons"][months - 1])
    assert at[MODEL] <= 0.9 * at["no_change"]


@pytest.mark.parametrize("at", REPORT["horizons"], ids=lambda at: at["months"])
def test_slowing_drift_is_better_than_no_change(at: dict[str, Any]) -> None:
    """The slowing drift, as TOKEN_COST projects, errs less than no change at every horizon too."""
    assert errors(at)[DECELERATING] < errors(at)["no_change"]


def test_ties_no_change_at_a_month() -> None:
    """At 1 month the model is within 0.005 of no change."""
    at = errors(REPORT["horizons"][0])
    assert abs(at[MODEL] - at["no_change"]) <= 0.005


def test_coverage() -> None:
    """The 80 % range held 75 to 85 % over all, and 70 to 90 % where 20 forecasts judge it."""
    assert CONFIDENCE == REPORT["confidence"] == 0.8
    assert 0.75 <= REPORT["coverage"] <= 0.85
    for at in REPORT["horizons"]:
        if at["forecasts"] >= 20:
            assert 0.70 <= at["coverage"] <= 0.90, at["months"]


@pytest.mark.parametrize("parts", ["horizons", "platforms"])
def test_parts_add_up(parts: str) -> None:
    """Horizons, and platforms, each add up to the totals."""
    for name in ("forecasts", "above", "below"):
        assert sum(part[name] for part in REPORT[parts]) == REPORT[name]
    inside = sum(part["coverage"] * part["forecasts"] for part in REPORT[parts])
    assert inside == pytest.approx(REPORT["coverage"] * REPORT["forecasts"])
    assert inside + REPORT["above"] + REPORT["below"] == pytest.approx(REPORT["forecasts"])


def test_platforms_share_nothing() -> None:
    """Configurations and stacks belong to one platform, so platforms add up in those too."""
    for name in ("configurations", "stacks"):
        assert sum(part[name] for part in REPORT["platforms"]) == REPORT[name]
    names = [part["platform"] for part in REPORT["platforms"]]
    assert names == sorted({score.forecast.series.stack[0] for score in SCORES})


def test_prior_repeated_from_its_sources() -> None:
    """TensorRT-LLM's tables and the MLPerf rounds both gained 0.5 to 1.5 % a month."""
    found = {each["evidence"]: each for each in prior_repeated(SHIPPED)}
    assert set(found) == {"TensorRT-LLM tables", "MLPerf rounds"}
    assert found["TensorRT-LLM tables"]["pairs"] >= 40
    assert found["MLPerf rounds"]["pairs"] >= 10
    assert all(0.005 <= each["gain_per_month"] <= 0.015 for each in found.values())
    assert REPORT["drift"]["prior_repeated"] == prior_repeated(SHIPPED)
    assert REPORT["drift"]["prior_gain_per_month"] == 0.01
    assert REPORT["drift"]["prior_weight_stacks"] == 10


def test_prior_by_hand() -> None:
    """A gain is that of the best figure of the first day to that of the last, by calendar months."""
    tables = {"evidence": "vendor", "method": "inflight_batching_max_load"}
    rounds = {"evidence": "peer_reviewed", "method": "mlperf v4.1 Server", "accelerators": 8}
    catalog = holding(
        *runs(["2025-01-01", "2025-06-01", "2026-01-01"], [100, 900, 130], **tables),
        *runs(["2025-01-01"], [500], layout="TP4", **tables),  # not repeated
        *runs(["2025-01-01", "2026-01-01"], [100, 900], **tables | {"method": "static_batching"}),
        *runs(["2025-01-01"], [100], [80], **rounds),
        *runs(["2026-01-01"], [120], [110], **rounds | {"method": "mlperf v5.1 Server"}),
        *runs(["2026-01-01"], [999], **rounds | {"method": "mlperf v5.1 Offline"}),
        *runs(["2026-01-01"], [999], **rounds | {"accelerators": 4}),
    )
    months = 365 / 365.25 * 12
    assert prior_repeated(catalog) == [
        {
            "evidence": name,
            "pairs": 1,
            "gain_per_month": pytest.approx(ratio ** (1 / months) - 1, rel=1e-12),
        }
        for name, ratio in [("TensorRT-LLM tables", 1.3), ("MLPerf rounds", 1.2)]
    ]


def test_nothing_measured() -> None:
    """A catalog without measurements gives an empty report and its prior."""
    vendors = runs(DAYS, [1, 2, 3, 4], evidence="vendor")
    for catalog in (holding(), holding(*vendors)):
        told: list[str] = []
        found = report(catalog, told.append)
        assert told == []
        assert (found["forecasts"], found["configurations"], found["stacks"]) == (0, 0, 0)
        assert found["origins"] == 0
        assert found["horizons"] == found["platforms"] == []
        assert "coverage" not in found
        assert found["drift"]["gain_per_month"] == pytest.approx(0.01, rel=1e-12)
        assert found["drift"]["prior_repeated"] == []


def test_measured_once() -> None:
    """Where no configuration was measured twice nothing judges, and nothing fails."""
    assert report(holding(observed(date=DAYS[0])))["forecasts"] == 0
    two = holding(*runs(DAYS[:1], [100]), *runs(DAYS[1:2], [None], [200]))
    assert report(two)["forecasts"] == 0


def test_progress_is_told() -> None:
    """Each origin is named as it is worked on."""
    told: list[str] = []
    assert list(scored(SHIPPED, told.append)) == SCORES
    halves = origins(panel_of(measured(SHIPPED)))
    assert told == [half_month_name(half) for half in halves]
    assert set(ORIGINS) <= set(halves)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 3, 15), "2026-03 first half"),
        (date(2026, 3, 16), "2026-03 second half"),
        (date(2025, 12, 31), "2025-12 second half"),
        (date(2026, 1, 1), "2026-01 first half"),
    ],
)
def test_names_of_half_months(day: date, name: str) -> None:
    """A half-month is named by year, month and half."""
    assert half_month_name(half_month(day)) == name


def test_forecasts_by_hand() -> None:
    """One configuration of 100, then 121 a month later: each method's forecast on paper."""
    # The drift then: one stack with ln 1.21 a month against ten of ln 1.01; the trend line through
    # two points, pooled, by platform or matched, is ln 1.21 a month too.
    catalog = holding(*runs([DAYS[0], DAYS[2], DAYS[3]], [100, 121, 150]))
    found = forecasts_at(catalog, measured(catalog), half_month(DAYS[2]))
    assert [forecast.halves_ahead for forecast in found] == list(range(1, 13))
    assert [forecast.horizon for forecast in found] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    drift = (10 * math.log(1.01) + math.log(1.21)) / 11
    age = 8 + 17 / 31  # B200 launched 2025-05-15, 2026-02-01 is 8 months and 17 days later
    for forecast in found:
        h = forecast.halves_ahead / 2
        gains = {
            MODEL: drift * h,
            DECELERATING: drift * (age + 1) * math.log((age + 1 + h) / (age + 1)),
            "no_change": 0.0,
            "exponential_pooled": math.log(1.21) * h,
            "exponential_by_platform": math.log(1.21) * h,
            "vendor_pace": math.log(5) / 2 * h,
            "matched_trend": math.log(1.21) * h,
        }
        assert set(forecast.logs) == {MODEL, DECELERATING, *RIVALS} == set(gains)
        for method, gain in gains.items():
            assert forecast.logs[method] == pytest.approx(math.log(121) + gain, rel=1e-12), method
        assert forecast.spread == pytest.approx(0.1 * math.sqrt(h + h * h / 6), rel=1e-12)
    (judged,) = [score for score in scored(catalog) if score.forecast.origin == found[0].origin]
    assert judged.forecast.halves_ahead == 2
    assert judged.error() == pytest.approx(math.log(150 / 121) - drift, rel=1e-12)
    assert judged.error("no_change") == pytest.approx(math.log(150 / 121), rel=1e-12)


def test_age_at_a_second_half() -> None:
    """The slowing drift counts the age to the 1st or the 16th of the origin's month."""
    catalog = holding(*runs(DAYS[1:2], [100]))
    (first, *_) = forecasts_at(catalog, measured(catalog), half_month(DAYS[1]))
    age = 8 + 1 / 31  # B200 launched 2025-05-15; the origin begins 2026-01-16
    gain = math.log(1.01) * (age + 1) * math.log((age + 1.5) / (age + 1))
    assert first.logs[DECELERATING] - math.log(100) == pytest.approx(gain, rel=1e-9)


def test_only_what_was_measured_then_is_forecast() -> None:
    """At an origin only configurations measured in that half-month are forecast."""
    catalog = holding(*runs(DAYS[:3], [100, None, 110], [100, 120, 130]))
    for half, expected in zip(map(half_month, DAYS), [2, 1, 2, 0], strict=True):
        found = forecasts_at(catalog, measured(catalog), half)
        assert len({forecast.configuration for forecast in found}) == expected


def test_a_falling_drift_is_not_forecast() -> None:
    """As a carrier never falls, neither does the model's forecast; the trends do."""
    catalog = holding(*runs(DAYS[:2], [100, 20]), software_gain_weight=0.0)
    for forecast in forecasts_at(catalog, measured(catalog), half_month(DAYS[1])):
        assert forecast.logs[MODEL] == forecast.logs["no_change"] == math.log(20)
        assert forecast.logs["matched_trend"] < math.log(20)


@pytest.mark.parametrize(("actual", "side"), [(1.0, 0), (1.28, 0), (1.29, 1), (-1.29, -1)])
def test_sides_of_the_range(actual: float, side: int) -> None:
    """The 80 % range is 1.2816 standard deviations either way."""
    series = Series(("B200", "vllm", "", ""), (1,), (0.0,))
    forecast = Forecast((), series, 1, 1, {MODEL: 0.0}, 1.0)
    assert Scored(forecast, actual).side == side


def test_medians_and_counts_by_hand() -> None:
    """A summary counts, takes medians of absolute errors by method, and shares of sides."""
    series = Series(("B200", "vllm", "", ""), (1,), (0.0,))
    methods = dict.fromkeys([MODEL, DECELERATING, *RIVALS], 0.0)
    scores = [
        Scored(Forecast((name,), series, 1, 1, methods | {"no_change": 1.0}, 1.0), actual)
        for name, actual in [("a", 0.5), ("a", -3.0), ("b", 2.0), ("b", 1.0)]
    ]
    found = summary(scores)
    assert (found["forecasts"], found["configurations"], found["stacks"]) == (4, 2, 1)
    assert errors(found)[MODEL] == 1.5
    assert errors(found)["no_change"] == 0.75
    assert (found["coverage"], found["above"], found["below"]) == (0.5, 1, 1)


# --- the leak test -------------------------------------------------------------------------------


def known_at(row: Observation, origin: int) -> bool:
    """Whether a row was measured and published by the end of a half-month."""
    return max(half_month(row.date), half_month(row.known_since)) <= origin


def with_future(future: str, origin: int, draw: random.Random) -> Catalog:
    """Shipped catalog with another future after an origin."""
    past = [row for row in SHIPPED.observations if known_at(row, origin)]
    rest = [row for row in SHIPPED.observations if not known_at(row, origin)]
    assert rest
    if future == "none":
        rest = []
    elif future == "nonsense":
        rest = [
            replace(
                row,
                tokens_per_second_total=draw.uniform(1, 1e6),
                evidence=draw.choice(["measured", "vendor"]),
                concurrency=draw.choice([1.0, 4.0, 64.0]),
                framework=draw.choice(["sglang", "vllm", "new"]),
                seconds_end_to_end=None,
            )
            for row in rest
        ]
    else:  # rows dated before the origin, and on it, that the world read later
        assert future == "published later"
        later = max(row.known_since for row in rest)
        rest = [
            replace(row, tokens_per_second_total=draw.uniform(1, 1e6), published=later)
            for row in past
        ]
    together = [*past, *rest]
    draw.shuffle(together)
    return replace(SHIPPED, observations=tuple(together), memo={}, _cuts={})


@pytest.mark.parametrize("future", ["none", "nonsense", "published later"])
@pytest.mark.parametrize("origin", ORIGINS[::2], ids=half_month_name)
def test_nothing_leaks_from_the_future(origin: int, future: str) -> None:
    """Whatever happens or is published after an origin, its forecasts are the same to the bit."""
    expected = forecasts_at(SHIPPED, measured(SHIPPED), origin)
    assert expected
    changed = with_future(future, origin, random.Random(origin))
    assert forecasts_at(changed, measured(changed), origin) == expected


def test_leak_test_would_find_a_leak() -> None:
    """A row of the past that is changed does change the forecasts of a later origin."""
    origin = ORIGINS[6]
    rows = measured(SHIPPED)
    half = [
        replace(row, tokens_per_second_total=row.total * 2)
        if half_month(row.date) < origin
        else row
        for row in rows
    ]
    assert forecasts_at(SHIPPED, half, origin) != forecasts_at(SHIPPED, rows, origin)


def test_published_later_is_unknown() -> None:
    """A run of the origin's half-month that was published later is neither basis nor drift."""
    first, second, _, last = DAYS
    known = runs([first, second], [100, 110])
    late = observed(date=second, concurrency=1, tokens_per_second_total=999, published=last)
    alone, both = holding(*known), holding(*known, late)
    for day in (first, second, date(2026, 2, 28)):
        half = half_month(day)
        made = forecasts_at(alone, measured(alone), half)
        assert forecasts_at(both, measured(both), half) == made
    later = forecasts_at(both, measured(both), half_month(last))
    assert later == []  # nothing was measured in that half-month
    (score,) = [s for s in scored(both) if s.forecast.origin == half_month(first)]
    assert score.actual == math.log(999)  # what was measured is the judge, whenever it came out


# --- a second implementation, of plain csv and numpy ---------------------------------------------


def half_of(text: str) -> int:
    """Half-month of an ISO date, counted from year 0."""
    year, month, day = (int(part) for part in text.split("-"))
    return 24 * year + 2 * (month - 1) + (1 if day > 15 else 0)


def lines() -> Iterator[tuple[tuple[str, ...], tuple[str, ...], int, int, str, float]]:
    """Configuration, stack, half-month, half-month when known, day and log of tok/s, of each run."""
    with (reading.DATA / "observations.csv").open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            if cells["evidence"] != "measured" or not cells["layout"] or cells["withdrawn"]:
                continue
            if cells["date_precision"] not in ("", "day"):
                continue
            tokens = float(cells["tokens_in"]) + float(cells["tokens_out"])
            if cells["tokens_per_second_total"]:
                total = float(cells["tokens_per_second_total"])
            else:
                total = float(cells["tokens_per_second_output"]) / float(cells["tokens_out"])
                total *= tokens
            load, wait, size = (
                cells[name] for name in ("concurrency", "seconds_end_to_end", "accelerators")
            )
            if load and wait and size:
                in_flight = float(load) * tokens / float(wait)
                if in_flight / float(size) > 2 * total:
                    continue
            point = load or f"{cells['tokens_per_second_per_user']} tok/s/user"
            names = ("model", "tokens_in", "tokens_out", "layout", "method", "disaggregated")
            stack = tuple(cells[n] for n in ("platform", "framework", "precision", "speculative"))
            key = (*stack, *(cells[name] for name in names), size, point)
            known = max(half_of(cells["date"]), half_of(cells["published"] or cells["date"]))
            yield key, stack, half_of(cells["date"]), known, cells["date"], math.log(total)


Runs = dict[tuple[str, ...], dict[int, tuple[str, float]]]


def by_configuration(origin: float = math.inf) -> Runs:
    """Last run of each configuration in each half-month, known at an origin."""
    found: Runs = defaultdict(dict)
    for key, _, half, known, day, log in lines():
        if known <= origin:
            found[key][half] = max(found[key].get(half, ("", 0.0)), (day, log))
    return found


def slope(points: list[tuple[float, float]]) -> float:
    """Log gain a month of the least-squares line through (half-month, log)."""
    x, y = np.array(points).T
    return 2 * float(np.polyfit(x - x.mean(), y, 1)[0]) if len(set(x)) > 1 else 0.0


def made_again(origin: int) -> dict[tuple[str, ...], dict[str, float]]:
    """Last log of each configuration measured at an origin, and each method's gain a month."""
    known = by_configuration(origin)
    gains = defaultdict(list)
    for key, halves in known.items():
        if len(halves) > 1:
            first, last = min(halves), max(halves)
            gains[key[:4]].append((halves[last][1] - halves[first][1]) / (last - first) * 2)
    medians = [np.median(each) for each in gains.values()]
    pull = len(medians) * float(np.median(medians)) if medians else 0.0
    drift = max(0.0, (10 * math.log(1.01) + pull) / (10 + len(medians)))
    points = defaultdict(list)
    within = []
    for key, halves in known.items():
        each = [(half, log) for half, (_, log) in halves.items()]
        points[key[0]] += each
        if len(each) > 1:
            middle = np.mean(each, axis=0)
            within += [tuple(np.array(point) - middle) for point in each]
    pooled = slope([point for each in points.values() for point in each])
    by_platform = {name: slope(each) for name, each in points.items()}
    matched = slope(within) if within else 0.0
    return {
        key: {
            "last": halves[origin][1],
            MODEL: drift,
            "no_change": 0.0,
            "exponential_pooled": pooled,
            "exponential_by_platform": by_platform[key[0]],
            "vendor_pace": math.log(5) / 2,
            "matched_trend": matched,
        }
        for key, halves in known.items()
        if max(halves) == origin
    }


@pytest.fixture(scope="module")
def again() -> dict[int, dict[str, list[tuple[float, float]]]]:
    """Error, and width of the 80 % range, of every forecast made again: by horizon and method."""
    truth = by_configuration()
    found: dict[int, dict[str, list[tuple[float, float]]]] = {
        months: defaultdict(list) for months in range(1, 7)
    }
    for origin in range(min(ORIGINS) - 1, max(ORIGINS) + 2):
        for key, told in made_again(origin).items():
            for half, (_, actual) in truth[key].items():
                h = (half - origin) / 2
                if 0 < h <= 6:
                    bound = 1.2815515655446004 * 0.1 * math.sqrt(h + h * h / 6)
                    for method in (MODEL, *RIVALS):
                        error = actual - told["last"] - told[method] * h
                        found[math.ceil(h)][method].append((error, bound))
    return found


@pytest.mark.parametrize("months", HORIZONS)
def test_second_implementation(
    again: dict[int, dict[str, list[tuple[float, float]]]], months: int
) -> None:
    """Counts, median errors of every method, and coverage come out the same a second time."""
    at = REPORT["horizons"][months - 1]
    for method in (MODEL, *RIVALS):
        found = np.array(again[months][method])
        assert len(found) == at["forecasts"], method
        assert np.median(np.abs(found[:, 0])) == pytest.approx(errors(at)[method], rel=1e-9), method
    off, bound = np.array(again[months][MODEL]).T
    assert int(np.sum(off > bound)) == at["above"]
    assert int(np.sum(off < -bound)) == at["below"]


@pytest.mark.parametrize("origin", ORIGINS[1::4], ids=half_month_name)
def test_second_implementation_of_single_forecasts(origin: int) -> None:
    """The forecasts of an origin come out the same a second time, configuration by configuration."""
    told = sorted(
        tuple(each["last"] + each[method] * 2.5 for method in (MODEL, *RIVALS))
        for each in made_again(origin).values()
    )
    made = sorted(
        tuple(forecast.logs[method] for method in (MODEL, *RIVALS))
        for forecast in forecasts_at(SHIPPED, measured(SHIPPED), origin)
        if forecast.halves_ahead == 5
    )
    assert len(told) == len(made) > 0
    assert np.array(told) == pytest.approx(np.array(made), rel=1e-9)
