"""Payback: the first return to zero, by hand and by its laws."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.domain import DomainError
from xltoken.economics.payback import payback_months, running_total

whole_flows = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("cashflows", "months"),
    [
        ([-100.0, 50.0, 50.0], 2.0),
        ([-100.0, 60.0, 60.0], 1 + 40 / 60),
        ([-100.0, 200.0], 0.5),
        ([0.0, 0.0, -10.0, 5.0, 10.0], 3.5),
        ([10.0, -100.0, 180.0], 1.5),  # below 0 after month 0 counts as an outlay too
        ([-100.0, 150.0, -100.0, 500.0], 100 / 150),  # the first return counts, not the last
        ([-0.1, -0.2, 0.3], 2.0),  # 0.1 + 0.2 is more than 0.3 in floats
        ([-0.3, 0.1, 0.2], 2.0),
        ([0.0], 0.0),
        ([10.0, 5.0], 0.0),
        ([10.0, -10.0, 5.0], 0.0),  # down to 0, never below
        ([0.3, -0.1, -0.2], 0.0),
        ([-100.0, 99.0], None),
        ([5.0, -10.0], None),
        ([-1.0], None),
    ],
)
def test_payback_by_hand(cashflows, months):
    """Months to the first return to 0, linear inside the month; 0 if never below, else None."""
    found = payback_months(np.array(cashflows))
    assert found is None if months is None else found == pytest.approx(months, rel=1e-12)


def test_discounted_payback_by_hand():
    """At 21 % a year 121 after twelve months are 100 today: paid back there, not before."""
    flows = np.array([-100.0, *[0.0] * 11, 121.0])
    assert payback_months(flows, 0.21) == pytest.approx(12.0, rel=1e-12)
    assert payback_months(flows, 0.0) == pytest.approx(11 + 100 / 121, rel=1e-12)
    assert payback_months(flows, 0.22) is None


@given(whole_flows)
def test_payback_is_the_first_crossing(cashflows):
    """Against exact fractions: the first month whose running total is back at 0 or more."""
    total, below, expected = Fraction(0), False, Fraction(0)
    for month, flow in enumerate(cashflows):
        before, total = total, total + Fraction(flow)
        if below and total >= 0:
            expected = month - 1 + -before / (total - before)
            break
        below = below or total < 0
    else:
        expected = None if below else Fraction(0)
    found = payback_months(np.array(cashflows))
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(float(expected), rel=1e-12)


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=60), st.floats(0.0, 1.0))
def test_discounting_never_shortens_a_payback(income, rate):
    """After one outlay a higher rate of 0 or more never brings the payback forward."""
    flows = np.array([-100.0, *income])
    plain, discounted = payback_months(flows), payback_months(flows, rate)
    if discounted is not None:
        assert plain is not None
        assert discounted >= plain - 1e-9


@given(whole_flows, st.floats(1e-3, 1e3))
def test_payback_does_not_depend_on_the_currency(cashflows, factor):
    """Flows times a number above 0 are paid back at the same time."""
    found, scaled = (payback_months(np.array(cashflows) * k) for k in (1.0, factor))
    assert scaled is None if found is None else scaled == pytest.approx(found, rel=1e-9, abs=1e-9)


def test_running_totals_hold_no_rounding():
    """What only rounding leaves of a total is 0; a small total of its own is kept."""
    assert running_total(np.array([-0.1, -0.2, 0.3])).tolist() == [-0.1, -0.30000000000000004, 0.0]
    assert running_total(np.array([1e-20, 1.0])).tolist() == [1e-20, 1.0]


@pytest.mark.parametrize(
    ("cashflows", "rate", "message"),
    [
        ([-1.0, math.nan], 0.1, "every cash flow must be a finite number"),
        ([-1.0, 2.0], -1.0, "above -1"),
        ([-1.0, 2.0], math.inf, "finite"),
        ([1e308, 1e308, -1.0], 0.0, "more than every number"),
        ([-1.0, 1e308], -0.9999, "more than every number"),
    ],
)
def test_payback_refuses_what_it_is_not_defined_for(cashflows, rate, message):
    """A flow, rate or total that is no number is a DomainError."""
    with pytest.raises(DomainError, match=message):
        payback_months(np.array(cashflows), rate)


def test_the_largest_totals_still_interpolate():
    """Between two totals whose difference is beyond every number the crossing is still found."""
    flows = np.array([-8e307, 9e307])
    assert payback_months(flows) == pytest.approx(8 / 9, rel=1e-12)
