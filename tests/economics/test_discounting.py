"""Discounting: the clock of payments, effective annual rates, present value."""

import math

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.discounting import TIMINGS, clock, discount_factors, present_value
from xltoken.economics.domain import DomainError

annual_rates = st.floats(-0.5, 3.0)
timings = st.sampled_from(sorted(TIMINGS))
cashflows = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(np.array)


@pytest.mark.parametrize(
    ("timing", "months"),
    [("end", [1.0, 2.0, 3.0]), ("mid", [0.5, 1.5, 2.5]), ("begin", [0.0, 1.0, 2.0])],
)
def test_the_clock_says_when_a_month_is_paid(timing, months):
    """Period t is paid after t, t - 1/2 or t - 1 months."""
    assert clock(3, timing).tolist() == months


def test_payments_fall_at_the_end_of_a_month_unless_told():
    """The default timing is end."""
    assert clock(4).tolist() == clock(4, "end").tolist()
    flows = np.array([1.0, 2.0])
    assert present_value(flows, 0.1) == present_value(flows, 0.1, "end")


def test_discount_factors_by_hand():
    """At 21 % a year a dollar is worth 1/1.1 after six months and 1/1.21 after twelve."""
    factors = discount_factors(0.21, np.array([0.0, 6.0, 12.0, 24.0]))
    assert factors == pytest.approx([1.0, 1 / 1.1, 1 / 1.21, 1 / 1.4641], rel=1e-14)


@given(annual_rates, st.integers(1, 600), timings)
def test_twelve_months_are_one_effective_year(rate, periods, timing):
    """A factor twelve months later is smaller by exactly the annual rate."""
    months = clock(periods, timing)
    later = discount_factors(rate, months + 12)
    assert later * (1 + rate) == pytest.approx(discount_factors(rate, months), rel=1e-12)


@given(st.integers(1, 600), timings)
def test_at_rate_zero_a_dollar_stays_a_dollar(periods, timing):
    """At a discount rate of 0 every factor is 1 to the last bit."""
    assert set(discount_factors(0.0, clock(periods, timing)).tolist()) == {1.0}


@given(st.floats(0.001, 3.0), timings)
def test_factors_fall_with_time(rate, timing):
    """At a positive rate a later dollar is worth less."""
    assert np.all(np.diff(discount_factors(rate, clock(120, timing))) < 0)


def test_present_value_by_hand():
    """USD 121 in a year and USD 110 in half a year are USD 200 today at 21 % a year."""
    flows = np.zeros(12)
    flows[5], flows[11] = 110.0, 121.0
    assert present_value(flows, 0.21) == pytest.approx(200.0, rel=1e-14)


@given(cashflows, annual_rates)
def test_present_value_agrees_with_numpy_financial(flows, rate):
    """numpy-financial, given the monthly rate and a leading 0, has the same value for each timing."""
    monthly = (1 + rate) ** (1 / 12) - 1
    end = npf.npv(monthly, [0.0, *flows])
    size = float(np.sum(np.abs(flows) * discount_factors(rate, clock(len(flows)))))
    close = {"rel": 1e-10, "abs": 1e-10 * size}
    assert present_value(flows, rate, "end") == pytest.approx(end, **close)
    assert present_value(flows, rate, "mid") == pytest.approx(end * (1 + monthly) ** 0.5, **close)
    assert present_value(flows, rate, "begin") == pytest.approx(npf.npv(monthly, flows), **close)


@given(st.floats(-1e6, 1e6), st.floats(0.001, 3.0), st.integers(1, 600))
def test_a_level_payment_is_an_annuity(usd, rate, periods):
    """The present value of a level payment is the annuity that numpy-financial computes."""
    monthly = math.expm1(math.log1p(rate) / 12)
    level = np.full(periods, usd)
    for timing in ("end", "begin"):
        annuity = -npf.pv(monthly, periods, usd, when=timing)
        assert present_value(level, rate, timing) == pytest.approx(annuity, rel=1e-9)


@given(cashflows, st.floats(-3.0, 3.0), annual_rates, timings)
def test_present_value_is_linear(flows, factor, rate, timing):
    """Scaled cash flows have the scaled present value."""
    scaled = present_value(flows * factor, rate, timing)
    size = float(np.sum(np.abs(flows) * discount_factors(rate, clock(len(flows), timing))))
    assert scaled == pytest.approx(factor * present_value(flows, rate, timing), abs=1e-11 * size)


@pytest.mark.parametrize("periods", [0, -1])
def test_a_forecast_without_periods_is_refused(periods):
    """A clock of fewer than one period is a DomainError that says how many there were."""
    with pytest.raises(DomainError, match=f"1 period or more; it has {periods}"):
        clock(periods)


def test_an_empty_series_has_no_present_value():
    """No cash flows is a DomainError, not a value of 0."""
    with pytest.raises(DomainError, match="1 period or more"):
        present_value(np.array([]), 0.1)


def test_an_unknown_timing_is_refused_with_the_known_ones():
    """A timing that does not exist is a DomainError that lists those that do."""
    with pytest.raises(DomainError, match="one of end, mid, begin; it is 'middle'"):
        clock(3, "middle")


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (-1.0, "effective annual rate above -1; it is -1"),
        (-2.0, "effective annual rate above -1; it is -2"),
        (math.nan, "discount_rate must be a finite number"),
        (math.inf, "discount_rate must be a finite number"),
    ],
)
def test_a_discount_rate_of_minus_one_or_less_is_refused(rate, message):
    """A rate that would leave nothing of a dollar, or none at all, is a DomainError."""
    with pytest.raises(DomainError, match=message):
        present_value(np.ones(3), rate)


def test_discount_factors_that_overflow_are_a_domain_error():
    """A rate so near -1 that its factors overflow is a DomainError, as in decline_factor."""
    with pytest.raises(DomainError):
        discount_factors(-0.999_999_999_999_999, np.array([600.0]))
