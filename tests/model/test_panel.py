import itertools
import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_tools import holding, observed, runs

from xltoken.catalog.records import EVIDENCE_GRADES, Observation
from xltoken.model.evidence import configuration
from xltoken.model.panel import Series, half_month, months_apart, panel, panel_of, stack_of

STACK = ("B200", "vllm", "nvfp4", "mtp")


def seen(*rows: dict[str, Any], as_of: date | None = None) -> list[list[float]]:
    """Throughputs of each configuration in the panel of a catalog of these rows."""
    catalog = holding(*(observed(**{"concurrency": 4, **cells}) for cells in rows))
    return [
        [pytest.approx(math.exp(log)) for log in series.logs]
        for series in panel(catalog, as_of).values()
    ]


@pytest.mark.parametrize(
    ("day", "half"),
    [
        (date(1, 1, 1), 24),
        (date(2026, 1, 1), 48624),
        (date(2026, 1, 15), 48624),
        (date(2026, 1, 16), 48625),
        (date(2026, 1, 31), 48625),
        (date(2026, 2, 1), 48626),
        (date(2024, 2, 29), 48579),
        (date(2025, 12, 31), 48623),
    ],
)
def test_half_month_by_hand(day: date, half: int) -> None:
    """A half-month is the 1st to the 15th, or the 16th to the end, numbered from year 0."""
    assert half_month(day) == half


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_half_months_follow_each_other(day: date) -> None:
    """The next day lies in the same half-month or the next, and a year has 24."""
    assert half_month(day + timedelta(days=1)) - half_month(day) in (0, 1)
    assert half_month(day.replace(year=day.year + 1, day=1)) - half_month(day.replace(day=1)) == 24


def test_months_apart() -> None:
    """Two half-months are a month, and backwards it is negative."""
    assert months_apart(10, 13) == 1.5
    assert months_apart(13, 10) == -1.5


def test_series_by_hand() -> None:
    """A configuration holds its stack, its half-months in order and the logs of its tok/s."""
    days = ["2026-03-02", "2026-01-20", "2026-02-01"]
    known = panel_of(runs(days, [400, 100, 250], speculative="mtp"))
    (series,) = known.values()
    assert series.stack == STACK
    assert series.halves == (48625, 48626, 48628)
    assert series.logs == (math.log(100), math.log(250), math.log(400))


def test_monthly_gain_by_hand() -> None:
    """The gain a month is that from the first half-month to the last, whatever lies between."""
    assert Series(STACK, (10, 11, 16), (1.0, 9.0, 1.6)).monthly_gain == pytest.approx(0.2)
    assert Series(STACK, (10, 12), (1.0, 0.5)).monthly_gain == pytest.approx(-0.5)


def test_stack_of_a_row() -> None:
    """A stack is platform, framework, precision and speculative decoding, in this order."""
    assert stack_of(observed(speculative="mtp")) == STACK


def test_last_run_of_a_half_month() -> None:
    """A configuration weighs once in a half-month, with its last run there."""
    days = ["2026-01-01", "2026-01-15", "2026-01-08", "2026-01-16"]
    totals = [100, 300, 900, 400]
    rows = [
        {"date": day, "tokens_per_second_total": total}
        for day, total in zip(days, totals, strict=True)
    ]
    for order in itertools.permutations(rows):
        assert seen(*order) == [[300, 400]]


def test_two_runs_of_one_day() -> None:
    """Of two runs of one day the better counts, as it sets the level elsewhere; ids break ties."""
    day = {"date": "2026-01-05"}
    better, worse = (day | {"tokens_per_second_total": total} for total in (300, 200))
    assert seen(better, worse) == seen(worse, better) == [[300]]
    twins = [observed(observation_id=name, **better) for name in "ab"]
    assert panel_of(twins) == panel_of(reversed(twins))


def test_configurations_stand_apart() -> None:
    """Runs that differ in load, layout, model or stack are never one series."""
    first = {"date": "2026-01-05"}
    later = {"date": "2026-02-05", "tokens_per_second_total": 2000}
    assert seen(first, later) == [[1000, 2000]]
    for other in (
        {"concurrency": 8},
        {"layout": "TP4"},
        {"model": "toy2"},
        {"framework": "sglang"},
        {"speculative": "mtp"},
        {"precision": "fp8"},
        {"platform": "H100"},
        {"tokens_out": 8192},
        {"accelerators": 8},
    ):
        assert sorted(map(len, seen(first, later | other))) == [1, 1], other


def test_without_concurrency_the_speed_tells() -> None:
    """Where no load is stated only runs at exactly one speed per user are one configuration."""
    first = {"date": "2026-01-05", "concurrency": ""}
    later = {"date": "2026-02-05", "concurrency": "", "tokens_per_second_total": 2000}
    assert seen(first, later) == [[1000, 2000]]
    assert len(seen(first, later | {"tokens_per_second_per_user": 50.1})) == 2


@pytest.mark.parametrize(
    "refused",
    [
        {"layout": ""},
        {"date_precision": "month"},
        {"date_precision": "quarter"},
        {"date_precision": "year"},
        {"accelerators": 1, "concurrency": 64, "seconds_end_to_end": 64 * 2048 / 1000 / 2.01},
        {"evidence": "peer_reviewed"},
        {"evidence": "vendor"},
        {"evidence": "claim"},
    ],
)
def test_refused(refused: dict[str, Any]) -> None:
    """A row without layout or day, an unsteady one, and what was not measured stay outside."""
    assert seen({"date": "2026-01-05"} | refused) == []
    assert seen({"date": "2026-01-05"} | refused, {"date": "2026-02-05"}) == [[1000]]


def test_steady_enough() -> None:
    """A run that is flagged, but not refused, stands in the panel."""
    flagged = {"accelerators": 1, "concurrency": 64, "seconds_end_to_end": 64 * 2048 / 1000 / 1.99}
    assert seen(flagged) == [[1000]]


def test_refused_run_does_not_replace() -> None:
    """An unsteady run later in the half-month does not take the place of the steady one."""
    unsteady = {"accelerators": 1, "concurrency": 64, "seconds_end_to_end": 1}
    steady = {"accelerators": 1, "concurrency": 64, "seconds_end_to_end": 120}
    assert seen(
        {"date": "2026-01-05", **steady},
        {"date": "2026-01-06", "tokens_per_second_total": 9000, **unsteady},
    ) == [[1000]]


def test_as_of() -> None:
    """What was published later is unknown; without a day of publication it is its own day."""
    rows = [
        {"date": "2026-01-05"},
        {"date": "2026-01-10", "tokens_per_second_total": 2000, "published": "2026-03-01"},
        {"date": "2026-02-05", "tokens_per_second_total": 3000},
        {"date": "2026-02-16", "tokens_per_second_total": 4000},
    ]
    assert seen(*rows) == [[2000, 3000, 4000]]
    assert seen(*rows, as_of=date(2026, 3, 1)) == [[2000, 3000, 4000]]
    assert seen(*rows, as_of=date(2026, 2, 28)) == [[1000, 3000, 4000]]
    assert seen(*rows, as_of=date(2026, 2, 5)) == [[1000, 3000]]
    assert seen(*rows, as_of=date(2026, 1, 4)) == []


ROWS = st.lists(
    st.builds(
        observed,
        observation_id=st.sampled_from("abc"),
        date=st.dates(date(2026, 1, 1), date(2026, 3, 1)),
        date_precision=st.sampled_from(["day", "day", "day", "month"]),
        published=st.just("") | st.dates(date(2026, 1, 1), date(2026, 6, 1)),
        layout=st.sampled_from(["TP8", "TP8", ""]),
        concurrency=st.sampled_from(["", 4, 16]),
        tokens_per_second_total=st.sampled_from([500, 1000, 1000.5]),
        evidence=st.sampled_from(["measured", "measured", *EVIDENCE_GRADES]),
    ),
    max_size=12,
)


@settings(max_examples=50)
@given(ROWS, st.data())
def test_order_of_rows_does_not_matter(rows: list[Observation], data: st.DataObject) -> None:
    """A panel is the same, in the same order, whatever the order of the rows."""
    shuffled = data.draw(st.permutations(rows))
    assert list(panel_of(rows).items()) == list(panel_of(shuffled).items())


@settings(max_examples=50)
@given(ROWS, st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 1)))
def test_panel_holds_what_was_measured(rows: list[Observation], as_of: date | None) -> None:
    """Half-months ascend without repetition, and each figure is of a known run of that half."""
    for key, series in panel(holding(*rows), as_of).items():
        assert all(before < after for before, after in itertools.pairwise(series.halves))
        for half, log in zip(series.halves, series.logs, strict=True):
            assert any(
                configuration(row) == key
                and half_month(row.date) == half
                and math.log(row.total) == log
                and row.evidence == "measured"
                and (as_of is None or row.known_since <= as_of)
                for row in rows
            )
