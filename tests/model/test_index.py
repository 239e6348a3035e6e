import itertools
import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import TODAY, holding, observed, runs

from xltoken.catalog import store
from xltoken.catalog.records import Observation
from xltoken.model.index import (
    CARRY_LIMIT,
    SoftwareIndex,
    age_months,
    growth,
    log_growth,
    log_spread,
    shrunk_drift,
    software_index,
)
from xltoken.model.months import moment
from xltoken.model.panel import half_month, panel_of

SHIPPED = store.load()
DRIFT = math.log1p(0.01)
LAST = half_month(TODAY)
BARE = SoftwareIndex(LAST, DRIFT, {})
"""An index of nothing measured: 1 % a month."""
JAN, LATE_JAN, FEB, LATE_FEB, MAR = (
    date(2026, 1, 5),
    date(2026, 1, 20),
    date(2026, 2, 5),
    date(2026, 2, 20),
    date(2026, 3, 5),
)
LAUNCHES = st.none() | st.dates(date(2020, 1, 1), date(2028, 1, 1))


def index_of(*rows: Observation, as_of: date | None = None, **priors: float) -> SoftwareIndex:
    """Index of a catalog of these rows; its drift is the prior unless a weight is given."""
    return software_index(holding(*rows, **{"software_gain_weight": 1e15, **priors}), as_of)


def carried(index: SoftwareIndex, seen: date | str, on: date, **changed: Any) -> float:
    """Factor that brings a row of a configuration outside the panel from one day to another."""
    return index.carry(observed(date=seen, concurrency=999, **changed), half_month(on))


# Three configurations over two half-months: a step a half-month of ln 1.1, ln 1.2 and ln 1.3.
THREE = ([1000, 1210], [1000, 1440], [1000, 1690])


def test_median_step_of_three() -> None:
    """Three configurations that bracket a half-month give their median step, spread evenly."""
    index = index_of(*runs([JAN, FEB], *THREE))
    assert carried(index, JAN, LATE_JAN) == pytest.approx(1.2, rel=1e-12)
    assert carried(index, JAN, FEB) == pytest.approx(1.44, rel=1e-12)
    assert carried(index, LATE_JAN, FEB) == pytest.approx(1.2, rel=1e-12)
    assert carried(index, FEB, JAN) == pytest.approx(1 / 1.44, rel=1e-12)


def test_median_step_of_four() -> None:
    """With an even number the step is the mean of the two middle logs."""
    index = index_of(*runs([JAN, LATE_JAN], [100, 110], [100, 120], [100, 140], [100, 50]))
    assert carried(index, JAN, LATE_JAN) == pytest.approx(math.sqrt(1.1 * 1.2), rel=1e-12)


def test_drift_before_and_after_the_measured_steps() -> None:
    """Where the index is silent, before it begins and after it ends, it is the drift."""
    index = index_of(*runs([JAN, FEB], *THREE))
    assert carried(index, date(2025, 12, 20), LATE_JAN) == pytest.approx(1.2 * 1.01**0.5)
    assert carried(index, date(2025, 10, 5), JAN) == pytest.approx(1.01**3)
    assert carried(index, LATE_JAN, MAR) == pytest.approx(1.2 * 1.01)
    assert carried(index, FEB, TODAY) == pytest.approx(1.01**9.5)
    assert index.carry(observed(date=FEB), LAST + 4) == pytest.approx(1.01**11.5)


def test_two_do_not_make_an_index() -> None:
    """Two bracketing configurations say nothing: the drift counts."""
    index = index_of(*runs([JAN, FEB], *THREE[:2]))
    assert index.steps == {}
    assert carried(index, JAN, FEB) == pytest.approx(1.01, rel=1e-12)


def test_one_weight_per_configuration() -> None:
    """A configuration with many runs in a half-month is still one: two such make no index."""
    days = [date(2026, 1, day) for day in range(1, 16)] + [FEB]
    index = index_of(*runs(days, [*[1000] * 15, 1440], [*[1000] * 15, 1440]))
    assert index.steps == {}


def test_platform_and_framework_where_the_stack_is_thin() -> None:
    """Without three of its own a stack takes the step of its platform and framework."""
    rows = [
        *runs([JAN, FEB], *THREE[:2]),
        *runs([JAN, FEB], THREE[2], precision="fp8"),
    ]
    index = index_of(*rows)
    assert set(index.steps) == {("B200", "vllm")}
    for told in ({}, {"precision": "fp8"}, {"precision": "mxfp4", "speculative": "mtp"}):
        assert carried(index, JAN, FEB, **told) == pytest.approx(1.44, rel=1e-12)


@pytest.mark.parametrize("other", [{"framework": "sglang"}, {"platform": "H100"}])
def test_never_across_frameworks_or_platforms(other: dict[str, str]) -> None:
    """What another framework, or the same one on another platform, gained is never carried."""
    index = index_of(*runs([JAN, FEB], *THREE, *THREE, **other))
    assert carried(index, JAN, FEB, **other) == pytest.approx(1.44, rel=1e-12)
    assert carried(index, JAN, FEB) == pytest.approx(1.01, rel=1e-12)


def test_own_index_first() -> None:
    """A stack with three of its own does not look at the rest of its framework."""
    index = index_of(
        *runs([JAN, FEB], *THREE),
        *runs([JAN, FEB], *[[1000, 4000]] * 9, precision="fp8"),
    )
    assert carried(index, JAN, FEB) == pytest.approx(1.44, rel=1e-12)


def test_look_up_half_month_by_half_month() -> None:
    """A chain takes own steps where there are three, the framework's next, the drift last."""
    rows = [
        *runs([JAN, LATE_JAN], *[[100, 110]] * 3, layout="1"),
        *runs([LATE_JAN, FEB], *[[100, 107]] * 3, layout="2", precision="fp8"),
        *runs([FEB, LATE_FEB], *[[100, 300]] * 2, layout="3"),
        *runs([LATE_FEB, MAR], *[[100, 105]] * 3, layout="4"),
    ]
    index = index_of(*rows)
    each = [1.1, 1.07, 1.01**0.5, 1.05]
    for last, day in enumerate([LATE_JAN, FEB, LATE_FEB, MAR], 1):
        assert carried(index, JAN, day) == pytest.approx(math.prod(each[:last]), rel=1e-12)
    # fp8 itself has a step in the second half-month only; before it the framework's three count.
    assert carried(index, JAN, FEB, precision="fp8") == pytest.approx(1.1 * 1.07, rel=1e-12)


def test_gaps_of_a_configuration_are_bridged() -> None:
    """A configuration not measured for a while brackets every half-month in between."""
    index = index_of(
        *runs([JAN, LATE_JAN, FEB], [100, None, 121], [100, 110, 121], [100, None, 121])
    )
    assert carried(index, JAN, LATE_JAN) == pytest.approx(1.1, rel=1e-12)


def test_a_fall_is_never_carried() -> None:
    """The index is a running maximum: only what exceeds the level before a fall is a gain."""
    series = [100, 80, 90, 120]
    index = index_of(*runs([JAN, LATE_JAN, FEB, LATE_FEB], series, series, series))
    for seen in (JAN, LATE_JAN, FEB):
        assert carried(index, seen, FEB) == 1.0
        assert carried(index, seen, LATE_FEB) == pytest.approx(1.2, rel=1e-12)
    assert carried(index, FEB, JAN) == 1.0
    assert carried(index, LATE_FEB, LATE_JAN) == pytest.approx(1 / 1.2, rel=1e-12)


def test_a_fall_swallows_the_drift_after_it() -> None:
    """After a fall the drift is carried only once it has made up for the fall."""
    series = [100, 99]
    index = index_of(*runs([JAN, LATE_JAN], series, series, series))
    assert carried(index, JAN, FEB) == 1.0  # 0.99 x 1.005 is still less than before
    assert carried(index, JAN, MAR) == pytest.approx(0.99 * 1.01**1.5, rel=1e-12)


def test_limit() -> None:
    """No row is carried by more than 1.5x, forward or back, on index or drift."""
    assert CARRY_LIMIT == 1.5
    index = index_of(*runs([JAN, LATE_JAN], *[[100, 400]] * 3))
    assert carried(index, JAN, LATE_JAN) == pytest.approx(1.5, rel=1e-12)
    assert carried(index, LATE_JAN, JAN) == pytest.approx(1 / 1.5, rel=1e-12)
    for day, limit in [("2015-01-01", 1.5), ("2040-01-01", 1 / 1.5)]:
        assert carried(BARE, day, TODAY) == pytest.approx(limit, rel=1e-12)


@pytest.mark.parametrize(
    ("seen", "on"),
    [("2026-01-01", "2026-01-15"), ("2026-01-31", "2026-01-16"), ("2040-03-01", "2040-03-09")],
)
def test_own_half_month(seen: str, on: str) -> None:
    """A row in its own half-month is itself."""
    assert carried(BARE, seen, date.fromisoformat(on)) == 1.0


def test_what_was_measured_after_the_catalogs_date() -> None:
    """A step that begins after the catalog's half-month is none; one across it counts up to it."""
    after, later = date(2026, 12, 5), date(2027, 1, 5)
    assert index_of(*runs([after, later], *THREE)).steps == {}
    across = index_of(*runs([date(2026, 11, 5), after], *THREE))
    (steps,) = {tuple(each.items()) for each in across.steps.values()}
    assert steps == ((LAST - 1, pytest.approx(math.log(1.2))),)


def test_as_of_cuts_the_index() -> None:
    """What was published after as_of neither steps nor drifts."""
    rows = [*runs([JAN, FEB], *THREE[:2]), *runs([JAN, FEB], *[THREE[2]] * 3, published=MAR)]
    told = {"software_gain_weight": 1.0}
    assert carried(index_of(*rows, **told), JAN, FEB) > 1.5 - 1e-9
    before = index_of(*rows, as_of=LATE_FEB, **told)
    assert before.steps == {}
    # One stack with median (2 ln 1.1 + 2 ln 1.2) / 2 a month against the prior's one.
    assert before.drift == pytest.approx((DRIFT + math.log(1.1) + math.log(1.2)) / 2, rel=1e-12)
    assert index_of(*rows, as_of=date(2025, 1, 1), **told).drift == pytest.approx(DRIFT)


def test_vendors_rows_make_no_index() -> None:
    """What was not measured independently moves neither index nor drift: the prior has it."""
    for grade in ("vendor", "peer_reviewed", "claim"):
        index = index_of(*runs([JAN, FEB], *THREE, evidence=grade), software_gain_weight=1.0)
        assert (index.steps, index.drift) == ({}, pytest.approx(DRIFT))


LOGS = st.floats(-1, 1)
HALVES = st.integers(LAST - 40, LAST - 1)
STEPS = st.dictionaries(HALVES, LOGS, min_size=1, max_size=30)
STACK = ("B200", "vllm", "nvfp4", "")
INDEXES = st.builds(
    SoftwareIndex,
    st.just(LAST),
    st.just(0.0) | st.floats(0, 0.1),
    st.fixed_dictionaries({}, optional={STACK: STEPS, STACK[:2]: STEPS}),
)
WHEN = st.integers(LAST - 60, LAST + 20)


@pytest.fixture(scope="module")
def at() -> Callable[[int], Observation]:
    """One row of the stack at any half-month."""
    rows: dict[int, Observation] = {}

    def found(half: int) -> Observation:
        if half not in rows:
            year, month = divmod(half // 2, 12)
            rows[half] = observed(date=date(year, month + 1, 16 if half % 2 else 1))
        return rows[half]

    return found


@given(INDEXES, WHEN, WHEN)
def test_there_and_back(
    at: Callable[[int], Observation], index: SoftwareIndex, one: int, other: int
) -> None:
    """Carried there and back a row is itself, and what it gains one way it loses the other."""
    there, back = index.carry(at(one), other), index.carry(at(other), one)
    assert there * back == pytest.approx(1.0, rel=4e-16)
    assert (index.carry(at(one), one), index.carry(at(other), other)) == (1.0, 1.0)


@given(INDEXES, WHEN, WHEN, WHEN)
def test_carrying_never_falls(
    at: Callable[[int], Observation], index: SoftwareIndex, seen: int, one: int, other: int
) -> None:
    """To a later half-month a row is never carried by less, nor is an older row."""
    early, late = min(one, other), max(one, other)
    assert 1 / 1.5 - 1e-15 <= index.carry(at(seen), early) <= index.carry(at(seen), late)
    assert index.carry(at(seen), late) <= 1.5 + 1e-15
    assert index.carry(at(early), seen) >= index.carry(at(late), seen)


@given(INDEXES, st.lists(WHEN, min_size=2, max_size=6))
def test_order_of_questions_does_not_matter(
    at: Callable[[int], Observation], index: SoftwareIndex, halves: list[int]
) -> None:
    """An index says the same whatever it was asked before."""
    asked = [index.carry(at(one), other) for one, other in itertools.pairwise(halves)]
    fresh = SoftwareIndex(index.last, index.drift, index.steps)
    backwards = [fresh.carry(at(one), other) for other, one in itertools.pairwise(reversed(halves))]
    assert asked == backwards[::-1]


def test_shrunk_drift_by_hand() -> None:
    """(w ln(1 + p) + n m) / (w + n), m the median over stacks of their configurations' medians."""
    rows = [
        # vllm: gains of ln 1.1, ln 1.2 and ln 1.6 a month: ln 1.2
        *runs([JAN, FEB], [100, 110], [100, 120], [100, 160]),
        # sglang: ln 1.5 in two months, over a valley: ln 1.5 / 2
        *runs([JAN, FEB, MAR], [100, 20, 150], framework="sglang"),
        # trt: a fall of half, and a configuration measured once that says nothing: -ln 2
        *runs([JAN, FEB], [100, 50], [None, 900], framework="trt"),
    ]
    median = math.log(1.2)
    assert median < math.log(1.5) / 2  # so the stacks' order is trt, vllm, sglang
    found = shrunk_drift(
        holding(software_gain_per_month=0.02, software_gain_weight=5.0), panel_of(rows)
    )
    assert found == pytest.approx((5 * math.log(1.02) + 3 * median) / 8, rel=1e-12)


def test_shrunk_drift_of_an_even_number_of_stacks() -> None:
    """Of two stacks the median is their mean."""
    rows = [
        *runs([JAN, FEB], [100, 110]),
        *runs([JAN, FEB], [100, 130], framework="sglang"),
    ]
    expected = (10 * DRIFT + math.log(1.1) + math.log(1.3)) / 12
    assert shrunk_drift(holding(), panel_of(rows)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weight", [0.0, 1.0, 10.0])
def test_nothing_measured_twice(weight: float) -> None:
    """Where no configuration was measured twice the drift is the prior, whatever it weighs."""
    catalog = holding(software_gain_weight=weight)
    assert shrunk_drift(catalog, panel_of(runs([JAN], [100], [200]))) == DRIFT
    assert shrunk_drift(catalog, {}) == DRIFT


def test_prior_without_a_weight() -> None:
    """A prior that counts for nothing leaves the measured median alone."""
    known = panel_of(runs([JAN, FEB], [100, 130]))
    found = shrunk_drift(holding(software_gain_weight=0.0), known)
    assert found == pytest.approx(math.log(1.3), rel=1e-12)


def test_falling_drift_is_none_as_a_carrier() -> None:
    """A drift below 0 is reported as it is and carried as 0."""
    rows = runs([JAN, FEB], [100, 10])
    assert shrunk_drift(holding(software_gain_weight=1.0), panel_of(rows)) < 0
    index = index_of(*rows, software_gain_weight=1.0)
    assert index.drift == 0.0
    assert carried(index, date(2020, 1, 1), TODAY) == 1.0
    assert growth(index, TODAY, moment(24, TODAY), None, None) == 1.0


def test_shipped_drift() -> None:
    """The shipped catalog's drift lies between its prior and what its stacks gained."""
    index = software_index(SHIPPED, None)
    assert SHIPPED.date == TODAY
    assert index.last == LAST
    assert DRIFT < index.drift < 0.05
    assert index.drift == shrunk_drift(SHIPPED, panel_of(_measured(SHIPPED)))
    assert software_index(SHIPPED, date(2020, 1, 1)).drift == DRIFT


def _measured(catalog: store.Catalog) -> list[Observation]:
    return [row for row in catalog.observations if row.evidence == "measured"]


def test_shipped_stack_by_hand() -> None:
    """A step of the shipped index is the median of the pairs that bracket it, taken again."""
    index = software_index(SHIPPED, None)
    stack = ("H200", "sglang", "fp8", "none")
    configurations: dict[object, dict[int, Observation]] = {}
    for row in sorted(_measured(SHIPPED), key=lambda o: (o.date, o.total)):
        if (row.platform, row.framework, row.precision, row.speculative) == stack:
            if row.steadiness is not None and row.steadiness > 2:
                continue
            key = (
                *(row.model, row.tokens_in, row.tokens_out, row.layout, row.method),
                *(row.disaggregated, row.accelerators),
                row.concurrency or -(row.tokens_per_second_per_user or 0),
            )
            configurations.setdefault(key, {})[half_month(row.date)] = row
    for half, step in index.steps[stack].items():
        gains = []
        for runs_of in configurations.values():
            before = [h for h in runs_of if h <= half]
            after = [h for h in runs_of if h > half]
            if before and after:
                ratio = runs_of[min(after)].total / runs_of[max(before)].total
                gains.append(math.log(ratio) / (min(after) - max(before)))
        gains.sort()
        middle = len(gains) // 2
        median = gains[middle] if len(gains) % 2 else (gains[middle - 1] + gains[middle]) / 2
        assert len(gains) >= 3
        assert step == pytest.approx(median, abs=1e-12), half


def factor(when: float, **told: Any) -> float:
    """Growth of a pair of unknown age at a month number, at 1 % a month."""
    return growth(BARE, TODAY, moment(when, TODAY), **{"launched": None, "released": None, **told})


def test_growth_by_hand() -> None:
    """Growth follows ((a + h + 1) / (a + 1)) ** b with b = ln(1.01) (a + 1)."""
    # gpt-oss (2025-08-05) on B200 (2025-05-15), 12 months on: a = 15 + 17/30, the days from
    # 2026-11-05 to 2026-11-22; b = 0.00995033 x 16.56667 = 0.164844;
    # (28.56667 / 16.56667) ** 0.164844 = e ** (0.164844 x 0.544853) = e ** 0.0898154.
    found = factor(12, launched=date(2025, 5, 15), released=date(2025, 8, 5))
    assert found == pytest.approx(1.093972, abs=2e-6)


@pytest.mark.parametrize(
    ("launched", "released", "age"),
    [
        (None, None, 12.0),
        (date(2025, 11, 22), None, 12.0),
        (None, date(2025, 11, 22), 12.0),
        (date(2020, 1, 1), date(2026, 8, 22), 3.0),
        (date(2026, 8, 22), date(2020, 1, 1), 3.0),
        (date(2027, 6, 1), date(2020, 1, 1), 0.0),
    ],
)
def test_age(launched: date | None, released: date | None, age: float) -> None:
    """Age counts from the later of launch and release; 12 months if unknown, 0 if to come."""
    assert age_months(TODAY, launched, released) == age
    expected = ((age + 7) / (age + 1)) ** (math.log(1.01) * (age + 1))
    assert factor(6, launched=launched, released=released) == pytest.approx(expected, rel=1e-12)
    assert math.exp(log_growth(DRIFT, age, 6.0)) == pytest.approx(expected, rel=1e-12)


def test_first_month_is_the_drift() -> None:
    """At first growth is the monthly drift; it slows, and an old pair keeps it longer."""
    young = {"launched": date(2026, 10, 22)}
    old = {"launched": date(2021, 11, 22)}
    assert math.log(factor(0.01, **old)) / 0.01 == pytest.approx(math.log(1.01), rel=1e-3)
    assert factor(24, **young) < factor(24, **old) < 1.01**24
    assert factor(24, **old) / factor(12, **old) < factor(12, **old)


def test_up_to_the_catalogs_date() -> None:
    """Up to the catalog's date nothing grows: the index carries rows there."""
    assert [factor(when) for when in (-120, -6, -1e-6, 0)] == [1.0, 1.0, 1.0, 1.0]
    assert factor(-6, gain_per_month=0.5) == 1.0
    assert factor(1e-6) == pytest.approx(1.0, abs=1e-7)


@given(st.floats(-120, 240), st.floats(-120, 240), LAUNCHES, st.none() | st.floats(0, 1))
def test_growth_never_falls(
    one: float, other: float, launched: date | None, gain: float | None
) -> None:
    """Waiting never slows software, before and after the catalog's date."""
    told = {"launched": launched, "gain_per_month": gain}
    early, late = (factor(m, **told) for m in sorted([one, other]))
    assert 1.0 <= early <= late


@given(st.floats(0.1, 240), st.floats(0, 0.2), st.floats(0, 0.2))
def test_more_gain_more_growth(months: float, one: float, other: float) -> None:
    """A larger gain a month never gives less growth, and a gain of 0 none."""
    less, more = (factor(months, gain_per_month=g) for g in sorted([one, other]))
    assert 1.0 <= less <= more
    assert factor(months, gain_per_month=0.0) == 1.0
    assert factor(months, gain_per_month=0.01) == factor(months)


def test_growth_goes_with_the_index() -> None:
    """Without a gain of the user's growth is that of the index it is given."""
    twice = SoftwareIndex(LAST, 2 * DRIFT, {})
    told = (TODAY, moment(18, TODAY), None, None)
    assert growth(twice, *told) == pytest.approx(growth(BARE, *told) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("months", "spread"),
    [
        (0.0, 0.0),
        (1.0, 0.1 * math.sqrt(1 + 1 / 6)),
        (6.0, 0.1 * math.sqrt(12)),
        (-6.0, 0.1 * math.sqrt(12)),
        (24.0, 0.1 * math.sqrt(120)),
    ],
)
def test_spread_by_hand(months: float, spread: float) -> None:
    """The spread is sigma sqrt(h + h^2 / m) at 0.1 a root-month and six months, both ways."""
    assert log_spread(holding(), months) == pytest.approx(spread, rel=1e-12)
    assert log_spread(holding(software_gain_sd=0.2), months) == pytest.approx(2 * spread)
    assert log_spread(SHIPPED, months) == pytest.approx(spread, rel=1e-12)


def test_spread_without_a_prior() -> None:
    """Without months behind the drift, or without a spread, there is no range."""
    assert log_spread(holding(software_gain_months=0.0), 6.0) == 0.0
    assert log_spread(holding(software_gain_sd=0.0), 6.0) == 0.0


def test_no_prior_no_drift() -> None:
    """With a prior of 0 and nothing measured twice nothing is carried and nothing grows."""
    index = index_of(software_gain_per_month=0.0)
    assert carried(index, date(2020, 1, 1), TODAY) == 1.0
    assert growth(index, TODAY, moment(24, TODAY), None, None) == 1.0
