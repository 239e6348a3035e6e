"""Buy or build: the difference of two programs, and the month in which it turns."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.cashflow import Program
from xltoken.economics.decision import Choice
from xltoken.economics.discounting import TIMINGS
from xltoken.economics.domain import DomainError


def choice(investment: float, api: float, own: float, months: int = 24, **terms) -> Choice:
    """Return 10M tokens a month bought at `api` or made at `own` USD per 1M."""
    tokens, zero = np.full(months, 10.0), np.zeros(months)
    shared = {name: terms[name] for name in ("timing", "tax_rate") if name in terms}
    buy = Program(tokens, np.full(months, api), zero, **shared)
    return Choice(buy, Program(tokens, np.full(months, own), zero, investment=investment, **terms))


@pytest.mark.parametrize(
    ("investment", "month"),
    [(0.0, 1), (29.0, 1), (30.0, 2), (31.0, 2), (100.0, 4), (719.0, 24), (720.0, None)],
)
def test_month_by_hand(investment, month):
    """Saving 30 USD a month, building is ahead once more than the investment is saved."""
    found = choice(investment, 5.0, 2.0)
    assert found.month(0.0) == month
    assert found.npv(0.0) == pytest.approx(720.0 - investment)


def test_a_tie_is_not_below():
    """Ten months of 0.1 pay for 1.0 exactly in money, though not in floats: ahead in month 11."""
    assert choice(1.0, 0.03, 0.02).month(0.0) == 11


def test_the_same_cost_is_never_below():
    """Where building costs what buying costs there is no such month."""
    same = choice(0.0, 5.0, 5.0)
    assert same.month(0.1) is None
    assert same.npv(0.1) == 0.0


def test_a_residual_counts_in_the_last_month():
    """Sold hardware can make building the cheaper one at the very end."""
    assert choice(800.0, 5.0, 2.0, residual=100.0).month(0.0) == 24


@given(
    st.floats(0.0, 2_000.0),
    st.floats(0.0, 50.0),
    st.floats(0.0, 50.0),
    st.floats(-0.3, 1.0),
    st.floats(0.0, 0.6),
    st.sampled_from(sorted(TIMINGS)),
)
def test_month_is_the_first_cut_off_that_pays(investment, api, own, rate, tax, timing):
    """Up to the month before, building has not cost less; with that month it has."""
    full = choice(investment, api, own, timing=timing, tax_rate=tax)
    flows = [full.build.cashflows() - full.buy.cashflows()]
    at = np.arange(1, 25) - TIMINGS[timing]
    saved = list(itertools.accumulate([-investment, *(flows[0] * (1 + rate) ** (-at / 12))]))
    size = 1e-9 * (investment + sum(np.abs(flows[0])))
    month = full.month(rate)
    if month is None:
        assert max(saved) <= size
    else:
        assert max(saved[:month]) <= size
        assert saved[month] > -size


def test_a_difference_beyond_every_number_is_refused():
    """Two values that are numbers may have a difference that is none."""
    huge = choice(0.0, 1e307, 0.0, months=1)
    with pytest.raises(DomainError, match="beyond every number"):
        Choice(huge.buy, replace(huge.build, opex_per_month=-1.7e308)).npv(0.0)
