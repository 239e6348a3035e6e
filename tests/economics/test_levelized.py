"""Levelized cost and break-evens: put back, they make the value zero."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xltoken.economics.cashflow import Program
from xltoken.economics.depreciation import METHODS
from xltoken.economics.discounting import TIMINGS, present_value
from xltoken.economics.domain import DomainError
from xltoken.economics.levelized import breakeven_multiple, levelized_cost

rates = st.floats(-0.3, 1.5)
timings = st.sampled_from(sorted(TIMINGS))
usd = st.floats(0.0, 1e6)


@st.composite
def months(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw volumes (M tokens a month, some above 0) and costs (USD a month) of the same months."""
    count = draw(st.integers(1, 60))
    volumes = draw(st.lists(st.floats(0.0, 1e6), min_size=count, max_size=count))
    assume(max(volumes) > 1e-3)
    costs = draw(st.lists(usd, min_size=count, max_size=count))
    return np.array(volumes), np.array(costs)


def test_levelized_cost_by_hand():
    """(210 - 121/1.21 + 12 payments of 5) over 120M tokens, at rates of 0 and 21 % a year."""
    volumes, costs = np.full(12, 10.0), np.full(12, 5.0)
    assert levelized_cost(volumes, costs, 0.0, 210.0, 30.0) == pytest.approx(2.0, rel=1e-14)
    once = levelized_cost(np.eye(12)[11], np.zeros(12), 0.21, 210.0, 121.0)
    assert once == pytest.approx((210 - 100) * 1.21, rel=1e-13)


@given(months(), rates, usd, timings)
def test_levelized_cost_as_a_price_is_worth_nothing(series, rate, investment, timing):
    """A program sold at its levelized cost has a net present value of 0."""
    volumes, costs = series
    price = levelized_cost(volumes, costs, rate, investment, 0.0, timing)
    prices = np.full(len(volumes), price)
    program = Program(
        volumes, 0 * prices, prices, investment=investment, timing=timing, opex_per_month=costs
    )
    moved = investment + present_value(costs, rate, timing)
    assert abs(program.npv(rate)) <= 1e-9 * moved


@given(months(), rates, usd, usd)
def test_a_residual_comes_at_the_end(series, rate, investment, residual):
    """A residual lowers the levelized cost by its present value over that of the tokens."""
    volumes, costs = series
    count = len(volumes)
    for timing in TIMINGS:
        without = levelized_cost(volumes, costs, rate, investment, 0.0, timing)
        found = levelized_cost(volumes, costs, rate, investment, residual, timing)
        worth = residual * (1 + rate) ** (-(count - TIMINGS[timing]) / 12)
        tokens = present_value(volumes, rate, timing)
        size = without + worth / tokens
        assert found == pytest.approx(without - worth / tokens, rel=1e-9, abs=1e-9 * size)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"investment": -1.0}, "investment is entered positive"),
        ({"investment": math.nan}, "investment must be a finite number"),
        ({"residual": -1.0}, "residual is USD received at the end"),
        ({"residual": math.inf}, "residual must be a finite number"),
        ({"volumes": np.array([1.0, -1.0])}, "volumes must be finite and 0 or more"),
        ({"costs": np.array([1.0, -1.0])}, "costs must be finite and 0 or more"),
        ({"costs": np.array([1.0, math.nan])}, "costs must be finite and 0 or more"),
        ({"discount_rate": -1.0}, "above -1"),
        ({"timing": "late"}, "timing is one of"),
        ({"costs": np.array([1.7e308, 1.7e308])}, "beyond every number"),
        ({"volumes": np.array([5e-324, 0.0])}, "too small for one|beyond every number"),
        ({"volumes": np.array([1e-300, 0.0]), "investment": 1e300}, "beyond every number"),
    ],
)
def test_levelized_cost_refuses_what_it_is_not_defined_for(changes, message):
    """Each figure out of its range is a DomainError that names it."""
    level = {"volumes": np.ones(2), "costs": np.ones(2), "discount_rate": 0.1}
    with pytest.raises(DomainError, match=message):
        levelized_cost(**(level | changes))


def test_no_tokens_is_a_division_by_zero():
    """Without volumes, or without anything to sell, the user divides by zero."""
    with pytest.raises(ZeroDivisionError, match="volumes are 0 in every month"):
        levelized_cost(np.zeros(3), np.ones(3), 0.1)
    with pytest.raises(ZeroDivisionError, match="nothing to sell"):
        breakeven_multiple(Program(np.ones(3), np.ones(3), np.zeros(3)), np.zeros(3), 0.1)


@st.composite
def unsold(draw: st.DrawFn) -> Program:
    """Draw a program without revenue: tax, depreciation, opex by month, any timing."""
    volumes, costs = draw(months())
    investment = draw(usd)
    return Program(
        volumes,
        np.full(len(volumes), draw(st.floats(0.0, 100.0))),
        np.zeros(len(volumes)),
        investment=investment,
        timing=draw(timings),
        tax_rate=draw(st.floats(0.0, 0.9)),
        method=draw(st.sampled_from(METHODS)),
        life_years=draw(st.integers(1, 8)),
        residual=draw(st.floats(0.0, 0.3)) * investment,
        opex_per_month=draw(st.sampled_from([0.0, 3.0])) + costs,
    )


@given(unsold(), st.floats(0.0, 1.5), st.floats(-0.5, 0.9))
def test_a_breakeven_put_back_is_worth_nothing(program, rate, decline):
    """With the price that the multiple says, the value is 0 within 1e-9 of the money moved."""
    falling = (1 - decline) ** (np.arange(1, len(program.volumes) + 1) / 12)
    if program.npv(rate) > 1e-12 * (program.investment + program.residual):
        # Tax relief and residual alone pay for it.
        with pytest.raises(DomainError, match="worth"):
            breakeven_multiple(program, program.volumes * falling, rate)
        return
    price = breakeven_multiple(program, program.volumes * falling, rate)
    assert price >= 0
    sold = replace(program, prices=price * falling)
    scale = program.investment + abs(program.npv(rate)) + program.residual
    assert abs(sold.npv(rate)) <= 1e-9 * (scale or 1.0)


def test_worth_something_already():
    """A residual above the investment leaves no price to find; the message says what it is worth."""
    program = Program(np.ones(12), np.zeros(12), np.zeros(12), investment=10.0, residual=30.0)
    with pytest.raises(DomainError, match="worth 20 USD without any revenue already"):
        breakeven_multiple(program, np.ones(12), 0.0)


def test_worth_nothing_already():
    """What is worth nothing without revenue breaks even at 0, whatever rounding says."""
    program = Program(np.ones(12), np.zeros(12), np.zeros(12), investment=0.3, residual=0.1 + 0.2)
    assert program.npv(0.0) > 0
    assert str(breakeven_multiple(program, np.ones(12), 0.0)) == "0.0"
    assert str(breakeven_multiple(replace(program, residual=0.3), np.ones(12), 0.0)) == "0.0"


def test_a_revenue_beyond_every_number_is_refused():
    """A revenue whose present value is no number is a DomainError."""
    program = Program(np.ones(2), np.ones(2), np.zeros(2))
    with pytest.raises(DomainError, match="beyond every number"):
        breakeven_multiple(program, np.array([1.7e308, 1.7e308]), -0.5)
