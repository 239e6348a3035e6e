"""The backtest's whole report, keys and figures: of the shipped catalog, and of a toy by hand."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from model_tools import holding, observed, runs

from xltoken.catalog import store
from xltoken.model.backtest import (
    _matched_trend,
    _trend_line,
    forecasts_at,
    measured,
    prior_repeated,
    report,
)
from xltoken.model.panel import Series, half_month

METHODS = (
    "model",
    "model_decelerating",
    "no_change",
    "exponential_pooled",
    "exponential_by_platform",
    "vendor_pace",
    "matched_trend",
)
# Over what; forecasts, configurations, stacks; median error of each method; coverage, above, below.
SHIPPED = [
    ("all", 1047, 216, 35, (0.0713842, 0.0722931, 0.0831293, 0.212583, 0.236023, 1.44027, 0.0846424), 0.754537, 166, 91),
    (1, 390, 128, 22, (0.0356419, 0.0357069, 0.0388745, 0.102122, 0.132118, 0.426904, 0.0463065), 0.725641, 79, 28),
    (2, 251, 108, 22, (0.0719816, 0.0742326, 0.0919012, 0.212949, 0.321042, 1.4174, 0.0701092), 0.713147, 29, 43),
    (3, 151, 83, 13, (0.12047, 0.123892, 0.136271, 0.266066, 0.217616, 2.15661, 0.155624), 0.761589, 31, 5),
    (4, 113, 71, 16, (0.0774724, 0.0760699, 0.0906045, 0.480355, 0.979077, 2.83235, 0.0775488), 0.831858, 12, 7),
    (5, 93, 53, 12, (0.124255, 0.130616, 0.153355, 0.61695, 1.07988, 3.65258, 0.205497), 0.817204, 9, 8),
    (6, 49, 39, 9, (0.106423, 0.116514, 0.16115, 0.461299, 0.333965, 4.27605, 0.217781), 0.877551, 6, 0),
    ("B200", 160, 60, 12, (0.0417356, 0.0429118, 0.04826, 0.321878, 0.242109, 2.11273, 0.0686306), 0.825, 17, 11),
    ("B300", 34, 16, 3, (0.300904, 0.301265, 0.305262, 0.235785, 0.522758, 0.391127, 0.284956), 0.411765, 20, 0),
    ("GB200 NVL72", 17, 17, 3, (0.0244513, 0.0264463, 0.00892244, 0.0694371, 0.0681125, 0.415216, 0.0250271), 1, 0, 0),
    ("H200", 177, 26, 5, (0.0482148, 0.0498843, 0.066957, 0.314982, 0.155185, 1.87178, 0.0675548), 0.858757, 6, 19),
    ("MI300X", 124, 13, 1, (0.162253, 0.162847, 0.149468, 0.208689, 0.22109, 1.26875, 0.147784), 0.612903, 17, 31),
    ("MI325X", 102, 11, 1, (0.12089, 0.120518, 0.109796, 0.150684, 0.196003, 1.03057, 0.105183), 0.676471, 10, 23),
    ("MI355X", 433, 73, 10, (0.0730064, 0.0722617, 0.0811244, 0.179691, 0.303885, 1.30218, 0.090879), 0.762125, 96, 7),
]  # fmt: skip
DAYS = [date(2026, 1, 5), date(2026, 2, 5), date(2026, 3, 5)]


def figures(forecasts, configurations, stacks, errors, coverage, above, below):
    """A summary of these figures, its errors to 6 digits."""
    return {
        "forecasts": forecasts,
        "configurations": configurations,
        "stacks": stacks,
        "median_absolute_log_error": {
            method: pytest.approx(error, rel=5e-6)
            for method, error in zip(METHODS, errors, strict=True)
        },
        "coverage": pytest.approx(coverage, rel=5e-6),
        "above": above,
        "below": below,
    }


def test_the_whole_report_of_the_shipped_catalog():
    """Totals, six horizons, seven platforms and the drift are these figures, and no other key."""
    (_, *every), *parts = SHIPPED
    expected = {
        **figures(*every),
        "origins": 12,
        "confidence": 0.8,
        "horizons": [{"months": months, **figures(*rest)} for months, *rest in parts[:6]],
        "platforms": [{"platform": name, **figures(*rest)} for name, *rest in parts[6:]],
        "drift": {
            "gain_per_month": pytest.approx(0.0219431886, rel=1e-6),
            "prior_gain_per_month": 0.01,
            "prior_weight_stacks": 10.0,
            "prior_repeated": [
                {
                    "evidence": "TensorRT-LLM tables",
                    "pairs": 48,
                    "gain_per_month": pytest.approx(0.0102393475, rel=1e-6),
                },
                {
                    "evidence": "MLPerf rounds",
                    "pairs": 10,
                    "gain_per_month": pytest.approx(0.0107818432, rel=1e-6),
                },
            ],
        },
    }
    found = report(replace(store.load(), memo={}, _cuts={}))
    assert found == expected
    assert list(found) == list(expected)


def test_the_whole_report_of_a_toy_by_hand():
    """One configuration rises 100, 121, 150, another falls 200, 180: every figure on paper."""
    catalog = holding(
        *runs(DAYS, [100, 121, 150]),
        *runs(DAYS[:2], [200, 180], platform="H200", framework="sglang"),
    )
    up, on, down, prior = math.log(1.21), math.log(150 / 121), math.log(0.9), math.log(1.01)
    # In February two stacks are known, with gains `up` and `down`; so is one line through both.
    both = (up + down) / 2
    drift = (10 * prior + 2 * both) / 12
    pace = math.log(5) / 2

    def slowing(gain, age, months):
        return gain * (age + 1) * math.log1p(months / (age + 1))

    # The B200 came out on 2025-05-15, the H200 on 2024-04-29; an origin is the 1st of its month.
    may, june, april = 7 + 17 / 31, 8 + 17 / 31, 20 + 3 / 31
    errors = {
        ("B200", 1): [
            (up - prior, up - slowing(prior, may, 1), up, up, up, up - pace, up),
            (on - drift, on - slowing(drift, june, 1), on, on - both, on - up, on - pace, on - both),
        ],
        ("B200", 2): [
            (up + on - 2 * prior, up + on - slowing(prior, may, 2), *[up + on] * 3,
             up + on - 2 * pace, up + on),
        ],
        ("H200", 1): [(down - prior, down - slowing(prior, april, 1), *[down] * 3, down - pace, down)],
    }  # fmt: skip

    def of(*keys):
        every = [row for key in keys for row in errors[key]]
        return tuple(np.median(np.abs(np.array(every)), axis=0))

    rising, later, falling = errors
    # The range of 80 % is 0.138 wide after a month and 0.209 after two: only 0.115 lies inside.
    found = report(catalog)
    assert found == {
        **figures(4, 2, 2, of(rising, later, falling), 0.25, 3, 0),
        "origins": 2,
        "confidence": 0.8,
        "horizons": [
            {"months": 1, **figures(3, 2, 2, of(rising, falling), 1 / 3, 2, 0)},
            {"months": 2, **figures(1, 1, 1, of(later), 0.0, 1, 0)},
        ],
        "platforms": [
            {"platform": "B200", **figures(3, 1, 1, of(rising, later), 0.0, 3, 0)},
            {"platform": "H200", **figures(1, 1, 1, of(falling), 1.0, 0, 0)},
        ],
        "drift": {
            # All is known now: the rising stack gained ln 1.5 in two months.
            "gain_per_month": pytest.approx(
                math.exp((10 * prior + (up + on) / 2 + down) / 12) - 1, rel=1e-12
            ),
            "prior_gain_per_month": 0.01,
            "prior_weight_stacks": 10.0,
            "prior_repeated": [],
        },
    }


def test_the_priors_told_are_the_catalogs():
    """The report tells the prior and its weight as they stand, not their defaults."""
    found = report(holding(software_gain_per_month=0.03, software_gain_weight=4.0))["drift"]
    assert found == {
        "gain_per_month": pytest.approx(0.03, rel=1e-12),
        "prior_gain_per_month": 0.03,
        "prior_weight_stacks": 4.0,
        "prior_repeated": [],
    }


def line(*points):
    """Series through points of (half-month, log)."""
    return Series(("B200", "vllm", "", ""), *zip(*points, strict=True))


def test_a_trend_line_by_hand():
    """The least-squares slope a month, twice that a half-month, through all points at once."""
    assert _trend_line([line((10, 1.0), (12, 1.5))]) == pytest.approx(0.5, rel=1e-12)
    # About half 11: -1, 0, 1, 0 against 1, 4, 3, 2 give 2 over 2 a half-month.
    lines = [line((10, 1.0), (11, 4.0), (12, 3.0)), line((11, 2.0))]
    assert _trend_line(lines) == pytest.approx(2.0, rel=1e-12)
    # Levels count: a platform measured later on a higher level is a trend.
    assert _trend_line([line((10, 1.0)), line((14, 3.0))]) == pytest.approx(1.0, rel=1e-12)


def test_a_matched_trend_by_hand():
    """Within configurations, each on its own level; those measured once do not count."""
    lines = [line((10, 1.0), (12, 2.0)), line((20, 9.0), (24, 9.0)), line((30, 99.0))]
    # -1, 1, -2, 2 half-months against -0.5, 0.5, 0, 0: 1 over 10 a half-month.
    assert _matched_trend(lines) == pytest.approx(0.2, rel=1e-12)
    assert _matched_trend([line((30, 99.0))]) == 0.0


@pytest.mark.parametrize("points", [[], [line((10, 1.0))], [line((10, 1.0)), line((10, 5.0))]])
def test_no_trend_through_one_moment(points):
    """Without points, or with all at one half-month, a trend is 0 and nothing warns."""
    assert _trend_line(points) == 0.0
    assert _matched_trend(points) == 0.0


def test_an_origin_at_which_nothing_is_known():
    """Where all is published later there is no forecast, and no failure."""
    catalog = holding(observed(date=DAYS[0], published=DAYS[2]))
    assert forecasts_at(catalog, measured(catalog), half_month(DAYS[0])) == []


def test_gains_of_slow_runs_count_too():
    """A prior's source may run at a few tokens a second: 2 to 2.5 is a quarter more."""
    told = {"evidence": "vendor", "method": "inflight_batching_max_load"}
    catalog = holding(*runs(["2025-01-01", "2026-01-01"], [2, 2.5], **told))
    [found] = prior_repeated(catalog)
    months = 365 / 365.25 * 12
    assert found["gain_per_month"] == pytest.approx(1.25 ** (1 / months) - 1, rel=1e-12)
