"""Unit cost: USD per accelerator-hour over tokens, and capacity as its inverse."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.domain import DomainError
from xltoken.economics.unit_cost import (
    HOURS_PER_MONTH,
    accelerators_required,
    counted_tokens,
    million_tokens_per_month,
    usd_per_million_tokens,
)

rates = st.floats(0.01, 100.0)  # USD per accelerator-hour
speeds = st.floats(0.1, 1e6)  # tokens per second and accelerator
utilizations = st.floats(0.01, 1.0)
overheads = st.floats(0.0, 3.0)


@pytest.mark.parametrize(
    ("rate", "speed", "utilization", "overhead", "usd"),
    [
        (3.6, 1_000.0, 1.0, 0.0, 1.0),
        (3.6, 1_000.0, 0.5, 0.0, 2.0),
        (3.6, 1_000.0, 1.0, 0.25, 1.25),
        (3.6, 1_000.0, 0.5, 0.25, 2.5),
        (0.0, 1_000.0, 1.0, 0.0, 0.0),
    ],
)
def test_unit_cost_by_hand(rate, speed, utilization, overhead, usd):
    """1,000 tok/s are 3.6 million tokens an hour, so $3.60 an hour is $1 per 1M."""
    cost = usd_per_million_tokens(rate, speed, utilization, overhead)
    assert cost == pytest.approx(usd, rel=1e-15)


@pytest.mark.parametrize(
    ("rate", "speed", "usd"),
    [(1.95, 25_943.0, 0.0209), (2.34, 6_000.0, 0.1083), (2.34, 30_000.0, 0.0217)],
)
def test_headline_costs_of_a_token(rate, speed, usd):
    """The published speeds of a B200 on gpt-oss-120b give the published USD per 1M tokens."""
    assert round(usd_per_million_tokens(rate, speed), 4) == usd


@given(rates, speeds, utilizations, overheads, st.floats(0.0, 1e5))
def test_cost_times_capacity_is_the_bill(rate, speed, utilization, overhead, accelerators):
    """Cost x capacity = rate x 730 x accelerators x (1 + overhead), at any speed and use."""
    cost = usd_per_million_tokens(rate, speed, utilization, overhead)
    capacity = million_tokens_per_month(speed, accelerators, utilization)
    bill = rate * HOURS_PER_MONTH * accelerators * (1 + overhead)
    assert cost * capacity == pytest.approx(bill, rel=1e-12)


@given(rates, speeds, utilizations, st.floats(1.01, 100.0))
def test_faster_is_cheaper_in_proportion(rate, speed, utilization, factor):
    """An accelerator k times as fast serves a token at 1/k of the cost."""
    slow = usd_per_million_tokens(rate, speed, utilization)
    fast = usd_per_million_tokens(rate, speed * factor, utilization)
    assert fast * factor == pytest.approx(slow, rel=1e-12)


@given(rates, speeds, utilizations)
def test_idle_hours_are_paid(rate, speed, utilization):
    """At a utilization u a token costs 1/u of what it costs in full use."""
    full = usd_per_million_tokens(rate, speed)
    assert usd_per_million_tokens(rate, speed, utilization) * utilization == pytest.approx(full)


def test_a_month_has_730_hours():
    """One token per second for a month of 730 hours is 2.628 million tokens."""
    assert million_tokens_per_month(1.0) == pytest.approx(2.628, rel=1e-15)
    assert million_tokens_per_month(1_000.0, 72, 0.5) == pytest.approx(94_608.0, rel=1e-15)
    assert million_tokens_per_month(1_000.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tokens_per_second": 0.0}, "tokens per second must be above 0"),
        ({"tokens_per_second": -1.0}, "tokens per second must be above 0"),
        ({"tokens_per_second": math.inf}, "tokens_per_second must be a finite number"),
        ({"utilization": 0.0}, "utilization is a share above 0 and at most 1; it is 0"),
        ({"utilization": 60.0}, "utilization is a share above 0 and at most 1; it is 60"),
        ({"utilization": math.nan}, "utilization must be a finite number"),
    ],
)
@pytest.mark.parametrize("function", [usd_per_million_tokens, million_tokens_per_month])
def test_operation_out_of_range_is_refused_both_ways(function, arguments, message):
    """Cost and capacity refuse the same speeds and utilizations, and say why."""
    first = {"usd_per_accelerator_hour": 1.95} if function is usd_per_million_tokens else {}
    with pytest.raises(DomainError, match=message):
        function(**({"tokens_per_second": 1_000.0} | first | arguments))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"usd_per_accelerator_hour": -0.01}, "rate is USD per accelerator-hour, 0 or more"),
        ({"usd_per_accelerator_hour": math.nan}, "usd_per_accelerator_hour must be a finite"),
        ({"overhead": -0.1}, "overhead is a share of the rate, 0 or more"),
        ({"overhead": math.inf}, "overhead must be a finite number"),
    ],
)
def test_cost_out_of_range_is_refused(arguments, message):
    """A negative or unknown rate or overhead is refused in its unit."""
    with pytest.raises(DomainError, match=message):
        usd_per_million_tokens(
            **({"usd_per_accelerator_hour": 1.95, "tokens_per_second": 1_000.0} | arguments)
        )


@pytest.mark.parametrize(
    ("accelerators", "message"),
    [(-1.0, "accelerators is a count, 0 or more"), (math.nan, "accelerators must be a finite")],
)
def test_capacity_of_fewer_than_no_accelerators_is_refused(accelerators, message):
    """A count of accelerators is 0 or more."""
    with pytest.raises(DomainError, match=message):
        million_tokens_per_month(1_000.0, accelerators)


@pytest.mark.parametrize(
    ("counted", "tokens"), [("output", 1024.0), ("input", 8192.0), ("total", 9216.0)]
)
def test_counted_tokens_of_a_request(counted, tokens):
    """Output, input, or both: three denominators for the same request."""
    assert counted_tokens(8192.0, 1024.0, counted) == tokens


@pytest.mark.parametrize(
    ("volume", "capacity", "peak", "count"),
    [
        (1000.0, 300.0, 1.0, 4),
        (900.0, 300.0, 1.0, 3),  # fits exactly
        (0.3, 0.1, 1.0, 3),  # fits exactly but for the last bit
        (900.0, 300.0, 1.5, 5),
        (900.001, 300.0, 1.0, 4),
        (0.0, 300.0, 1.0, 0),
        (1e-9, 300.0, 1.0, 1),
    ],
)
def test_accelerators_are_rounded_up(volume, capacity, peak, count):
    """A volume at its peak over the capacity of one, rounded up; rounding alone adds none."""
    assert accelerators_required(volume, capacity, peak) == count


def test_a_peak_is_none_unless_told():
    """Without a peak factor demand is even."""
    assert accelerators_required(900.0, 300.0) == 3


@pytest.mark.parametrize(
    ("volume", "capacity", "peak", "message"),
    [
        (-1.0, 300.0, 1.0, "a volume is millions of tokens a month, 0 or more."),
        (1.0, 0.0, 1.0, "the capacity of an accelerator must be above 0."),
        (1.0, 300.0, 0.99, "peak_factor is peak over mean, 1 or more; it is 0.99."),
        (1e308, 1.0, 10.0, "the volume is beyond every number of accelerators."),
        (math.inf, 300.0, 1.0, "million_tokens must be a finite number; it is inf."),
        (1.0, math.nan, 1.0, "capacity must be a finite number; it is nan."),
        (1.0, 300.0, math.inf, "peak_factor must be a finite number; it is inf."),
    ],
)
def test_what_no_count_serves_is_refused(volume, capacity, peak, message):
    """Each number out of its range is named with what it should be."""
    with pytest.raises(DomainError) as failed:
        accelerators_required(volume, capacity, peak)
    assert str(failed.value) == message
