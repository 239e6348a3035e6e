"""A thousand random cases each against pyxirr, numpy-financial and mpmath."""

import datetime as dt
import math

import mpmath
import numpy as np
import numpy_financial as npf
import pytest
import pyxirr

from xltoken.economics.cost_lines import annuity
from xltoken.economics.discounting import TIMINGS, clock, discount_factors, present_value
from xltoken.economics.irr import internal_rates
from xltoken.economics.levelized import levelized_cost
from xltoken.economics.payback import payback_months

CASES = 1_000
TOLERANCE = 1e-10
"""Largest difference, as a share of the figure or of the money that moves."""


def cases():
    """Draw generators, one a case, the same every time."""
    return (np.random.default_rng([20_261_122, case]) for case in range(CASES))


def monthly(rate: float) -> float:
    """Rate a month that compounds to an effective annual one."""
    return (1 + rate) ** (1 / 12) - 1


def outlay(rng: np.random.Generator, most: int) -> np.ndarray:
    """One outlay, then income that is worth more undiscounted or less: one rate."""
    income = rng.uniform(0.0, 100.0, rng.integers(2, most))
    return np.concatenate(([-rng.uniform(0.3, 2.0) * income.sum()], income))


@pytest.mark.parametrize("library", [pyxirr, npf], ids=["pyxirr", "numpy_financial"])
def test_present_value(library):
    """Present value at the end of months is the library's NPV with nothing at time 0."""
    for rng in cases():
        flows = rng.normal(0.0, 1e6, rng.integers(1, 121))
        rate = rng.uniform(-0.3, 1.5)
        expected = library.npv(monthly(rate), [0.0, *flows])
        moved = library.npv(monthly(rate), [0.0, *np.abs(flows)])
        assert abs(present_value(flows, rate) - expected) <= TOLERANCE * moved


def test_present_value_at_any_time_of_the_month():
    """Factors and present value at each timing agree with 50 digits."""
    for rng in cases():
        timing = str(rng.choice(sorted(TIMINGS)))
        flows, rate = rng.normal(0.0, 1e6, rng.integers(1, 25)), rng.uniform(-0.5, 2.0)
        with mpmath.workdps(50):
            base, shift = 1 + mpmath.mpf(rate), mpmath.mpf(TIMINGS[timing])
            factors = [base ** (-(t - shift) / 12) for t in range(1, len(flows) + 1)]
            terms = [flow * factor for flow, factor in zip(flows, factors, strict=True)]
            expected, moved = float(mpmath.fsum(terms)), float(mpmath.fsum(map(abs, terms)))
        found = discount_factors(rate, clock(len(flows), timing))
        assert found == pytest.approx([float(f) for f in factors], rel=TOLERANCE)
        assert abs(present_value(flows, rate, timing) - expected) <= TOLERANCE * moved


@pytest.mark.parametrize("library", [pyxirr, npf], ids=["pyxirr", "numpy_financial"])
def test_internal_rate(library):
    """Where there is one rate it is the library's, per period and annualised."""
    for rng in cases():
        flows = outlay(rng, 25)
        (found,) = internal_rates(flows)
        expected = library.irr(flows.tolist())
        # The libraries stop at a step, so theirs is compared to what discounts to 0 as well.
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
        left = flows @ (1 + found) ** -np.arange(len(flows), dtype=float)
        assert abs(left) <= TOLERANCE * -flows[0] * 2
        (annual,) = internal_rates(flows, 12.0)
        assert annual == pytest.approx((1 + found) ** 12 - 1, rel=1e-9, abs=1e-12)


def test_internal_rate_in_50_digits():
    """Where there is one rate it is the root that mpmath finds, to 1e-10."""
    for rng in cases():
        flows = outlay(rng, 13)
        (found,) = internal_rates(flows)
        with mpmath.workdps(50):
            exact = [mpmath.mpf(float(flow)) for flow in flows]

            def value(rate, exact=exact):
                return mpmath.polyval(exact, 1 / (1 + rate), asc=True)

            near = mpmath.mpf(found)
            root = mpmath.findroot(value, (near, near + mpmath.mpf(10) ** -9), solver="secant")
        assert found == pytest.approx(float(root), rel=TOLERANCE, abs=1e-14)


def test_internal_rate_on_dates():
    """Yearly flows on dates 365 days apart have the XIRR of pyxirr."""
    first = dt.date(2026, 1, 1)
    for rng in cases():
        flows = outlay(rng, 10)
        dates = [first + dt.timedelta(days=365 * year) for year in range(len(flows))]
        expected = pyxirr.xirr(dates, flows.tolist())
        (found,) = internal_rates(flows)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
        discounted = pyxirr.xnpv(found, dates, flows.tolist())
        assert abs(discounted) <= TOLERANCE * -flows[0] * 2


def test_annuity():
    """The yearly payment is numpy-financial's and pyxirr's, with a salvage."""
    for rng in cases():
        years, rate = int(rng.integers(1, 41)), rng.uniform(0.01, 1.0)
        investment = rng.uniform(0.0, 1e9)
        salvage = investment * rng.uniform()
        found = annuity(investment, salvage, rate, years)
        for library in (npf, pyxirr):
            expected = -library.pmt(rate, years, investment, -salvage)
            assert found == pytest.approx(expected, rel=TOLERANCE)


def test_levelized_cost():
    """The levelized cost is a quotient of numpy-financial's present values."""
    for rng in cases():
        months, rate = int(rng.integers(1, 121)), rng.uniform(-0.3, 1.5)
        volumes, costs = rng.uniform(0.0, 1e6, (2, months))
        investment, residual = rng.uniform(0.0, 1e7, 2)
        paid = npf.npv(monthly(rate), [investment, *costs])
        back = residual / (1 + monthly(rate)) ** months
        tokens = npf.npv(monthly(rate), [0.0, *volumes])
        found = levelized_cost(volumes, costs, rate, investment, residual)
        assert abs(found - (paid - back) / tokens) <= TOLERANCE * (paid + back) / tokens


def test_payback():
    """At the month of the payback the discounted flows of numpy-financial have turned."""
    for rng in cases():
        flows, rate = outlay(rng, 60), rng.uniform(0.0, 0.5)
        found = payback_months(flows, rate)
        if found is None:
            assert npf.npv(monthly(rate), flows) < 0
            continue
        last = math.ceil(found)
        before, after = (npf.npv(monthly(rate), flows[: last + step]) for step in (0, 1))
        assert before < 0
        assert after >= TOLERANCE * flows[0]
        assert found == pytest.approx(last - 1 - before / (after - before), rel=TOLERANCE)
