"""What a platform serves at any moment: shared by everything that is only money."""

import bisect
import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import TODAY, ask, assume, holding, observed, overlay, row, toy
from scipy.interpolate import PchipInterpolator

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.model.evidence import Row
from xltoken.model.forecast import quote
from xltoken.model.frontier import Frontier, Point, frontiers
from xltoken.model.months import Timetable
from xltoken.model.rates import tariff

SHIPPED = store.load()
CHAT = "deepseek-r1/chat"
MONEY = (
    {},
    {"utilization": 0.3, "overhead": 0.5},
    {"usd_per_accelerator_hour": 2.0, "rate_decline": 0.2},
    {"rate_basis": "rental_3yr", "start": date(2026, 1, 1), "tax_rate": 0.3},
)
EVIDENCE = (
    {"precision": "fp8"},
    {"evidence": "measured"},
    {"as_of": date(2026, 5, 1)},
    {"tokens_counted": "total"},
    {"max_seconds_to_first_token": 5.0},
    {"min_tokens_per_second_per_user": 40.0},
    {"software_gain_per_month": 0.02},
    {"scenario": "vendor"},
)


def test_money_moves_no_evidence() -> None:
    """Rate, decline, utilization, overhead and start leave the very same supply behind a quote."""
    supplies = {id(quote(SHIPPED, "B200", 0, CHAT, assume(**m)).plan.supply) for m in MONEY}
    assert len(supplies) == 1


def test_evidence_makes_a_supply_of_its_own() -> None:
    """Each assumption on evidence, limits or software has a supply of its own."""
    every = ({}, *EVIDENCE)
    supplies = {id(quote(SHIPPED, "B200", 0, CHAT, assume(**e)).plan.supply) for e in every}
    assert len(supplies) == len(every)


def test_software_gain_carries_no_row() -> None:
    """Another gain beyond the catalog's date builds no frontier anew where no row is of later."""
    catalog = holding(observed(), observed(tokens_per_second_per_user=100, concurrency=4))
    for gain in (0.0, 0.01, 0.05):
        ask(catalog, 24, min_tokens_per_second_per_user=60, software_gain_per_month=gain)
    assert len(catalog.memo[frontiers.__wrapped__]) == 1


@given(st.lists(st.floats(-60, 60), min_size=2, max_size=6), st.sampled_from([{}, *EVIDENCE]))
def test_order_of_months_does_not_matter(months: list[float], told: dict[str, object]) -> None:
    """What a supply was asked before changes no later figure, reason or warning."""

    def asked(catalog: store.Catalog, month: float) -> tuple[object, ...]:
        try:
            found = quote(catalog, "B200", month, CHAT, assume(**told))
        except NotKnown as reason:
            return (str(reason),)
        return (found.tokens_per_second, found.speed, found.basis, *found.warnings())

    used = [asked(SHIPPED, month) for month in months]
    SHIPPED.memo.pop(type(SHIPPED), None)
    again = [asked(SHIPPED, month) for month in reversed(months)]
    assert used == again[::-1]


def test_a_quote_may_not_be_changed_through_its_warnings() -> None:
    """The list of warnings is the caller's own: what is added to it is told to nobody else."""
    found = ask(toy(row()), 0)
    for with_rate in (True, False):
        expected = list(found.warnings(with_rate=with_rate))
        found.warnings(with_rate=with_rate).append("mine")
        assert found.warnings(with_rate=with_rate) == expected


@given(st.lists(st.integers(1, 400), unique=True, max_size=8), st.floats(1, 500))
def test_a_timetable_changes_on_its_days(days: list[int], when: float) -> None:
    """A value holds from its day on, and the first before all days."""
    days.sort()
    table = Timetable(days, ["before", *days])
    assert table.at(when) == max((d for d in days if d <= when), default="before")


@given(st.integers(-1500, 1500), st.floats(0, 0.999))
def test_a_tariff_is_one_rate_within_a_day(days: int, part: float) -> None:
    """Any moment of a day has the rate of that day, and the rows' own days decide."""
    changes = [
        {"platform": "Gaudi 3", "basis": "own_hyperscaler", "valid_from": begin, "valid_to": end,
         "usd_per_accelerator_hour": usd}
        for begin, end, usd in (
            ("2025-01-01", "2025-06-30", 1.0), ("2025-06-15", "2025-12-31", 2.0),
            ("2026-03-01", "", 3.0),
        )
    ]  # fmt: skip
    catalog = _overlaid(tuple(tuple(line.items()) for line in changes))
    found = tariff(catalog, "Gaudi 3", TODAY, assume())
    when = TODAY.toordinal() + days
    on = date.fromordinal(when)
    first, second, third = date(2025, 6, 15), date(2026, 3, 1), date(2025, 1, 1)
    expected = 3.0 if on >= second else 2.0 if on >= first else 1.0
    answer = found.at(when + part)
    assert answer.usd_per_accelerator_hour == expected
    assert answer.warnings == found.warnings(when + part)
    told = " ".join(answer.warnings)
    assert ("carried back" in told) == (on < third)
    assert ("carried on" in told) == (date(2025, 12, 31) < on < second)


_KNOWN: dict[object, store.Catalog] = {}


def _overlaid(lines: tuple[tuple[tuple[str, object], ...], ...]) -> store.Catalog:
    if lines not in _KNOWN:
        _KNOWN[lines] = overlay(rates=[dict(line) for line in lines])
    return _KNOWN[lines]


@given(
    st.lists(st.tuples(st.floats(1, 300), st.floats(10, 30000)), min_size=2, max_size=12),
    st.floats(0, 1),
)
def test_the_cubic_is_scipys(pairs: list[tuple[float, float]], share: float) -> None:
    """Between neighbours a reading is the monotone cubic of scipy, to the last digits."""
    found = next(iter(SHIPPED.observations))
    curve = Frontier([Point(Row(found), throughput, user) for user, throughput in pairs])
    speeds = [point.speed or 0.0 for point in curve.pareto]
    speed = speeds[0] + share * (speeds[-1] - speeds[0])
    reading = curve.read(speed)
    if reading is None or not reading.interpolated:
        return
    assert [p.speed for p in reading.place.points] == [
        speeds[bisect.bisect_left(speeds, speed) - 1],
        speeds[bisect.bisect_left(speeds, speed)],
    ]
    logs = np.log([point.throughput for point in curve.pareto])
    cubic = math.exp(float(PchipInterpolator(speeds, logs)(speed)))
    assert reading.throughput == pytest.approx(cubic, rel=1e-14)


def test_rounding_leaves_no_gap() -> None:
    """However close two neighbours serve, what is read between them lies between them exactly."""
    found = next(iter(SHIPPED.observations))
    for serves in range(10, 1000):
        less = math.nextafter(serves, 0.0)
        curve = Frontier([Point(Row(found), float(serves), 10.0), Point(Row(found), less, 20.0)])
        reading = curve.read(15.0)
        assert reading is not None
        assert reading.interpolated
        assert less <= reading.throughput <= serves
