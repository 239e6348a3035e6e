"""Internal rates of return: known roots, mpmath's polynomial roots, and ugly flows."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xltoken.economics.domain import DomainError
from xltoken.economics.irr import internal_rates

usd = st.floats(-1e6, 1e6).filter(lambda flow: flow == 0 or abs(flow) > 1e-3)


def flows_with(*rates: float) -> np.ndarray:
    """Cash flows per year, in USD, whose only rates of return are these."""
    return np.poly([1 / (1 + rate) for rate in rates])[::-1]


def left(cashflows, rate: float, periods_per_year: float = 1.0) -> float:
    """Present value at a rate as a share of the money discounted."""
    with mpmath.workdps(60):
        v = (1 + mpmath.mpf(rate)) ** (-1 / mpmath.mpf(periods_per_year))
        terms = [mpmath.mpf(float(flow)) * v**t for t, flow in enumerate(cashflows)]
        return float(abs(mpmath.fsum(terms)) / mpmath.fsum(map(abs, terms)))


def roots_by_mpmath(cashflows, periods_per_year: float = 1.0) -> list[float]:
    """Effective annual rates from all complex roots of the polynomial."""
    with mpmath.workdps(80):
        coefficients = [mpmath.mpf(float(flow)) for flow in np.trim_zeros(cashflows)]
        roots = mpmath.polyroots(coefficients, maxsteps=500, extraprec=400, asc=True)
        positive = [
            mpmath.re(v)
            for v in roots
            if mpmath.re(v) > 0 and abs(mpmath.im(v)) < mpmath.mpf(10) ** -30 * abs(v)
        ]
        return sorted(float(v ** (-mpmath.mpf(periods_per_year)) - 1) for v in positive)


def test_two_rates_by_hand():
    """-100, 230, -132 is worth nothing at 10 % and at 20 % a year."""
    assert internal_rates(np.array([-100.0, 230.0, -132.0])) == pytest.approx([0.1, 0.2], rel=1e-14)


@pytest.mark.parametrize(
    ("cashflows", "rates"),
    [
        ([-100.0, 110.0], [0.1]),
        ([0.0, 0.0, -100.0, 110.0, 0.0], [0.1]),
        ([100.0, -110.0], [0.1]),
        ([-100.0, 1.0], [-0.99]),
        ([-1e4, 0.01], [-1 + 1e-6]),
        ([-1.0, 1.0], [0.0]),
        ([-100.0, 0.0, 121.0], [0.1]),
        ([-1e-300, 1e-297], [999.0]),
        ([-1e300, 1e303], [999.0]),
    ],
)
def test_one_rate_by_hand(cashflows, rates):
    """One change of sign is one rate, whatever its size and that of the flows, in any year."""
    assert internal_rates(np.array(cashflows)) == pytest.approx(rates, rel=1e-13, abs=1e-16)


def test_a_rate_of_nothing_is_a_plain_zero():
    """Flows that add up to 0 have the rate 0, without a sign."""
    assert str(internal_rates(np.array([-1.0, 1.0])).tolist()) == "[0.0]"


@pytest.mark.parametrize(
    ("rates", "distinct"),
    [
        ([0.1, 0.1], [0.1]),
        ([0.1, 0.1, 0.1], [0.1]),
        ([0.1, 0.1, 0.1, 0.1], [0.1]),
        ([0.1, 0.1, 0.3], [0.1, 0.3]),
        ([-0.5, 0.1, 0.1], [-0.5, 0.1]),
        ([0.05, 0.05, 0.4, 0.4], [0.05, 0.4]),
        ([0.0] * 12, [0.0]),
    ],
)
def test_a_rate_that_is_only_touched_is_found_once(rates, distinct):
    """A double root, where the curve touches zero, is a rate; a triple one is one rate too."""
    found = internal_rates(flows_with(*rates))
    # Rounding the coefficients moves a root of multiplicity k by about its k-th root.
    assert found == pytest.approx(distinct, abs=2e-4)
    assert all(left(flows_with(*rates), rate) < 1e-10 for rate in found)


def test_a_double_root_of_whole_numbers_is_exact():
    """-100, 220, -121 touches zero at 10 %: no sign changes, and the rate is found to the bit."""
    assert internal_rates(np.array([-100.0, 220.0, -121.0])) == pytest.approx([0.1], rel=1e-14)


@pytest.mark.parametrize(
    "rates",
    [
        [0.05, 0.1, 0.2, 0.3, -0.5, -0.99],
        [-0.99, -0.9, 0.0, 9.0],
        [0.1, 0.1001],
        [0.01, 0.02, 0.03, 0.04],
        [-0.999, 5.0, 400.0],
    ],
)
def test_rates_put_in_come_out(rates):
    """Flows made from their rates give those rates back, ascending."""
    assert internal_rates(flows_with(*rates)) == pytest.approx(sorted(rates), rel=1e-8, abs=1e-9)


@given(st.lists(st.floats(-0.9, 3.0), min_size=1, max_size=5))
def test_well_separated_rates_come_out(rates):
    """Whatever the rates, flows made from them give them back where they lie apart."""
    rates = sorted(rates)
    assume(all(b - a > 0.02 * (1 + b) for a, b in itertools.pairwise(rates)))
    assert internal_rates(flows_with(*rates)) == pytest.approx(rates, rel=1e-5, abs=1e-5)


@given(st.lists(usd, min_size=2, max_size=40), st.sampled_from([1.0, 4.0, 12.0]))
def test_every_rate_discounts_to_nothing(cashflows, periods):
    """Each rate is above -1, stands once, and brings the flows to 0 within 1e-10 of their size."""
    try:
        rates = internal_rates(np.array(cashflows), periods).tolist()
    except DomainError:
        return
    assert rates == sorted(set(rates))
    for rate in rates:
        assert rate > -1
        # A rate next to -1 has lost its digits: 1 + rate is known to 1e-16 of 1 only.
        slack = len(cashflows) / periods * 4e-16 / (1 + rate) if rate < 0 else 0.0
        assert left(cashflows, rate, periods) <= 1e-10 + slack


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=10))
def test_all_rates_of_small_whole_flows(cashflows):
    """Every real root above -1 is found: as many as mpmath finds among all complex roots."""
    assume(any(cashflows))
    expected = roots_by_mpmath(np.array(cashflows, dtype=float)) if _changes(cashflows) else []
    expected = [r for i, r in enumerate(expected) if i == 0 or r - expected[i - 1] > 1e-9 * (1 + r)]
    if not expected:
        with pytest.raises(DomainError, match="no rate of return"):
            internal_rates(np.array(cashflows, dtype=float))
    else:
        found = internal_rates(np.array(cashflows, dtype=float))
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("seed", "months"),
    [(2, 24), (3, 30), (11, 36), pytest.param(4, 100, marks=pytest.mark.slow)],
)
def test_all_rates_of_random_flows(seed, months):
    """Random flows that change sign every other month: all roots, against mpmath."""
    cashflows = np.random.default_rng(seed).normal(size=months)
    expected = roots_by_mpmath(cashflows, 12.0)
    assert expected, "a seed whose flows have a rate"
    assert internal_rates(cashflows, 12.0) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_360_random_flows_end_in_all_roots(seed):
    """Among 360 random flows no sign change of the value on a fine grid goes without a rate."""
    cashflows = np.random.default_rng(seed).normal(size=360)
    try:
        found = internal_rates(cashflows, 12.0)
    except DomainError:
        found = np.array([])
    # v = e^x; where e^(360 x) is beyond every number the flow at that end alone decides.
    grid = np.linspace(-1.5, 1.5, 60_001)
    outer = np.maximum(grid, 0.0) * 359  # the largest term is 1 in size
    value = np.zeros_like(grid)
    for t, flow in enumerate(cashflows):
        value += flow * np.exp(t * grid - outer)
    crossings = grid[:-1][np.sign(value[:-1]) != np.sign(value[1:])]
    expected = np.sort(np.expm1(-12.0 * crossings))
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert all(left(cashflows, rate, 12.0) < 1e-10 for rate in found)


@pytest.mark.parametrize("months", [60, 240])
def test_flows_that_change_sign_every_month(months):
    """1, -1, 1, -1, ... cancels at rate 0 only, out of as many candidates as months."""
    cashflows = np.array([(-1.0) ** t for t in range(months)])
    assert internal_rates(cashflows, 12.0).tolist() == [0.0]


def test_600_monthly_flows():
    """A loan of 600 months has the monthly rate it was made with, annualised."""
    payment = 100.0 * 0.004 / -math.expm1(-600 * math.log1p(0.004))
    rates = internal_rates(np.array([-100.0] + [payment] * 600), 12.0)
    assert rates == pytest.approx([1.004**12 - 1], rel=1e-13)


@given(st.floats(0.01, 1e6), st.floats(-0.9, 5.0), st.sampled_from([1.0, 2.0, 12.0]))
def test_rates_are_annual(amount, rate, periods):
    """A single repayment after one period of 1 / N years grows at (1 + rate per period)^N - 1."""
    found = internal_rates(np.array([-amount, amount * (1 + rate)]), periods)
    assert found == pytest.approx([(1 + rate) ** periods - 1], rel=1e-9, abs=1e-12)


@given(st.lists(usd, min_size=2, max_size=12), st.floats(1e-3, 1e3))
def test_scale_and_sign_do_not_count(cashflows, factor):
    """Flows times any number other than 0 have the same rates."""
    flows = np.array(cashflows)
    assume(_changes(cashflows) % 2)  # at least one rate, whatever the rest
    try:
        expected = internal_rates(flows)
        found = internal_rates(-factor * flows)
    except DomainError:
        return  # a rate beyond every number
    assume(len(found) == len(expected))  # rounding may part a touch
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("cashflows", "message"),
    [
        ([0.0, 0.0, 0.0], "all cash flows are 0: every rate"),
        ([5.0], "all have one sign"),
        ([-5.0, -1.0, 0.0], "all have one sign"),
        ([5.0, 0.0, 1.0], "all have one sign"),
        ([-100.0, 150.0, -100.0], "at every rate their present value is below 0"),
        ([100.0, -150.0, 100.0], "at every rate their present value is above 0"),
        ([-1e-300, 1e300], "beyond every number once annualised"),
        ([-1e300, 1e-300], "too close to -100 %"),
        ([-1.0, math.nan], "every cash flow must be a finite number"),
        ([-1.0, math.inf], "every cash flow must be a finite number"),
    ],
)
def test_flows_without_a_rate_are_refused(cashflows, message):
    """Where no rate will do, or every rate, there is an error that says which."""
    with pytest.raises(DomainError, match=message):
        internal_rates(np.array(cashflows))


def test_a_rate_that_overflows_when_annualised_is_refused():
    """A monthly rate of 1e30 is a number; twelve months of it are not."""
    assert internal_rates(np.array([-1.0, 1e30]), 1.0) == pytest.approx([1e30])
    with pytest.raises(DomainError, match="beyond every number once annualised"):
        internal_rates(np.array([-1.0, 1e30]), 12.0)


@pytest.mark.parametrize("periods", [0.0, -1.0, math.nan, math.inf])
def test_periods_per_year_is_above_0(periods):
    """A year has a finite number of periods above 0."""
    with pytest.raises(DomainError, match="periods_per_year"):
        internal_rates(np.array([-1.0, 2.0]), periods)


def test_too_many_sign_changes_are_refused_at_once():
    """Flows beyond what a cell can wait for say so, and what to do."""
    cashflows = np.array([(-1.0) ** t * (1 + t % 7) for t in range(2_000)])
    with pytest.raises(DomainError, match=r"change sign .* too many: add them up"):
        internal_rates(cashflows, 12.0)


def test_the_far_ends_of_the_rates():
    """Rates of 1e40 and of -99.99999999 % are found side by side."""
    # v = 1e-40 and v = 1e8: (1 - v 1e40) (1 - v 1e-8)
    found = internal_rates(np.array([1.0, -(1e40 + 1e-8), 1e32]))
    assert found == pytest.approx([-1 + 1e-8, 1e40], rel=1e-9)


def _changes(cashflows) -> int:
    signs = [flow > 0 for flow in cashflows if flow]
    return sum(a != b for a, b in itertools.pairwise(signs))
