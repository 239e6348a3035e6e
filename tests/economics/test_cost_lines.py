"""Cost lines of hardware: the annuity, and what the three lines have in common."""

import math

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.cost_lines import annuity, cost_lines
from xltoken.economics.domain import DomainError

rates = st.floats(-0.5, 2.0)
usd = st.floats(0.0, 1e9)
shares = st.floats(0.0, 1.0)
volumes = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=20).map(np.array)


@given(usd, shares, rates.filter(lambda r: abs(r) > 1e-3), st.integers(1, 40))
def test_the_annuity_is_numpy_financials(investment, share, rate, years):
    """The yearly payment is that of numpy_financial, in USD."""
    expected = -npf.pmt(rate, years, investment, -share * investment)
    found = annuity(investment, share * investment, rate, years)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * investment * (1 + abs(rate)))


@given(usd, shares, rates, st.integers(1, 40))
def test_the_annuity_recovers_the_investment(investment, share, rate, years):
    """Discounted payments and salvage add up to the investment."""
    salvage = share * investment
    payment = annuity(investment, salvage, rate, years)
    factors = [(1 + rate) ** -year for year in range(1, years + 1)]
    received = payment * math.fsum(factors) + salvage * factors[-1]
    size = abs(payment) * math.fsum(factors) + salvage * factors[-1] + investment
    assert received == pytest.approx(investment, abs=1e-11 * size)


@pytest.mark.parametrize("rate", [0.0, 1e-300, 1e-12, -1e-12])
def test_the_annuity_passes_smoothly_through_rate_0(rate):
    """At a rate next to 0 the payment is the outlay spread evenly, to full precision."""
    assert annuity(1_000.0, 100.0, rate, 9) == pytest.approx(100.0, rel=1e-10)


def test_lines_by_hand():
    """1,210 USD for two years at 10 % and 100M, then 200M tokens a year; hardware falls by half."""
    lines = cost_lines(np.array([100.0, 200.0]), 0.10, 1_210.0, 121.0, 0.5)
    # (1,210 - 121 / 1.21) / (1 / 1.1 + 1 / 1.21) = 1,110 x 1.21 / 2.1
    payment = 1_110 * 1.21 / 2.1
    assert lines.accounting == pytest.approx([5.445, 2.7225])
    assert lines.economic == pytest.approx([payment / 100, payment / 200])
    assert lines.replacement == pytest.approx([payment / 100, payment / 400])


@given(volumes, rates, usd, shares, st.floats(-0.5, 0.9))
def test_lines_agree_in_the_first_year(yearly, rate, investment, share, decline):
    """Replacement starts at the economic line, and equals it where the market does not fall."""
    lines = cost_lines(yearly, rate, investment, share * investment, decline)
    assert lines.replacement[0] == lines.economic[0]
    assert np.all((lines.replacement <= lines.economic) | (decline < 0) | (lines.economic < 0))
    flat = cost_lines(yearly, rate, investment, share * investment)
    assert flat.replacement.tolist() == flat.economic.tolist() == lines.economic.tolist()


@given(volumes, usd, shares)
def test_without_interest_the_economic_line_is_accounting(yearly, investment, share):
    """At rate 0 the annuity is straight line."""
    lines = cost_lines(yearly, 0.0, investment, share * investment)
    assert lines.economic == pytest.approx(lines.accounting, rel=1e-14)


@given(volumes, rates, usd, shares, st.floats(-0.5, 0.9))
def test_the_economic_line_times_its_tokens_pays_for_all(yearly, rate, investment, share, decline):
    """Accounting cost x tokens adds up to investment less salvage."""
    lines = cost_lines(yearly, rate, investment, share * investment, decline)
    total = float(lines.accounting @ yearly)
    assert total == pytest.approx(investment * (1 - share), rel=1e-9, abs=1e-9 * investment)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discount_rate": -1.0}, "above -1"),
        ({"discount_rate": math.nan}, "discount_rate must be a finite number"),
        ({"discount_rate": -1 + 1e-16, "yearly_volumes": np.ones(40)}, "overflows over 40 years"),
        ({"investment": -1.0}, "investment is entered positive"),
        ({"investment": math.inf}, "investment must be a finite number"),
        ({"salvage": -1.0}, "salvage lies between 0 and the investment"),
        ({"salvage": 1_001.0}, "salvage lies between 0 and the investment"),
        ({"salvage": math.nan}, "salvage must be a finite number"),
        ({"market_decline": 1.0}, "decline is an effective annual fraction below 1"),
        ({"market_decline": -1e300}, "overflows|beyond every number"),
        ({"yearly_volumes": np.array([1.0, -1.0])}, "volumes must be finite and 0 or more"),
        ({"yearly_volumes": np.array([1.0, math.inf])}, "volumes must be finite and 0 or more"),
        ({"yearly_volumes": np.array([1.0, 5e-324])}, "cost per 1M tokens is beyond every number"),
        ({"yearly_volumes": np.ones(101)}, "whole number of years from 1 to 100; it is 101"),
        ({"yearly_volumes": np.ones(0)}, "whole number of years from 1 to 100; it is 0"),
    ],
)
def test_lines_refuse_what_they_are_not_defined_for(changes, message):
    """Each figure out of its range is a DomainError that names it."""
    level = {"yearly_volumes": np.ones(3), "discount_rate": 0.1, "investment": 1_000.0}
    with pytest.raises(DomainError, match=message):
        cost_lines(**(level | changes))


def test_a_year_without_tokens_is_a_division_by_zero():
    """A year whose volume is 0 is a division by zero that names the year."""
    with pytest.raises(ZeroDivisionError, match="volumes of year 2 are 0"):
        cost_lines(np.array([1.0, 0.0, 0.0]), 0.1, 1_000.0)
