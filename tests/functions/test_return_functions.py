"""PAYBACK_MONTHS, IRR_ALL, LEVELIZED_COST and the break-evens, put back into the NPV functions."""

import numpy as np
import pytest
from contract_tools import is_error
from hypothesis import assume, given
from hypothesis import strategies as st

from xltoken import (
    BREAKEVEN_PRICE,
    BREAKEVEN_UTILIZATION,
    IRR_ALL,
    LEVELIZED_COST,
    NPV_DECLINING,
    NPV_STATIC,
    PAYBACK_MONTHS,
)
from xltoken.functions.cells import CellError

rates = st.floats(-0.3, 1.5)
money = st.floats(0.0, 100.0)
volumes = st.lists(st.floats(0.0, 1e6), min_size=2, max_size=24).filter(lambda v: max(v) > 1e-3)
timings = st.sampled_from(["end", "mid", "begin"])


def rows(**given_assumptions):
    """Assumptions as a range."""
    return [[name, value] for name, value in given_assumptions.items()] or None


# --- payback and internal rates ------------------------------------------------------------------


def test_payback_by_hand():
    """Months from month 0, linear inside the month, in a row or a column."""
    assert PAYBACK_MONTHS([-100, 60, 60]) == pytest.approx(1 + 40 / 60)
    assert PAYBACK_MONTHS([[-100], [0], [121]], 0.21) > PAYBACK_MONTHS([[-100], [0], [121]])
    assert PAYBACK_MONTHS([5, 5]) == 0


def test_payback_that_never_comes_is_na():
    """Flows that stay below 0 are #N/A, and the message says how long they are."""
    is_error(PAYBACK_MONTHS([-100, 60, 30]), "#N/A", "not paid back within 2 months")
    is_error(PAYBACK_MONTHS([-100, 60, 60], 5.0e6), "#N/A", "not paid back")
    assert not isinstance(PAYBACK_MONTHS([-100, 60, 60], 0.05), CellError)


def test_payback_of_one_flow():
    """A single cell is the flow of month 0."""
    assert PAYBACK_MONTHS(3) == PAYBACK_MONTHS([[0]]) == 0
    is_error(PAYBACK_MONTHS(-3), "#N/A", "within 0 months")


def test_payback_takes_a_range_of_rates():
    """A range of discount rates gives a range of paybacks."""
    found = PAYBACK_MONTHS([-100, 60, 60], [[0.0], [0.05]])
    assert found == [[PAYBACK_MONTHS([-100, 60, 60], rate)] for rate in (0.0, 0.05)]


def test_rates_by_hand():
    """-100, 230, -132 has the rates 10 % and 20 %, in a column, ascending."""
    first, second = IRR_ALL([-100, 230, -132])
    assert first == [pytest.approx(0.10, rel=1e-12)]
    assert second == [pytest.approx(0.20, rel=1e-12)]


def test_rates_are_effective_annual():
    """Monthly flows with periods_per_year 12 give the yearly rate that discounts them to 0."""
    flows = [-1000.0, *[25.0] * 60]
    ((rate,),) = IRR_ALL(flows, 12)
    assert NPV_STATIC(rate, [1.0] * 60, 0, 25.0, 1000.0) == pytest.approx(0.0, abs=1e-9)
    ((per_month,),) = IRR_ALL(flows)
    assert rate == pytest.approx((1 + per_month) ** 12 - 1, rel=1e-12)


@pytest.mark.parametrize(
    ("flows", "words"),
    [
        ([0, 0, 0], "every rate"),
        ([1, 2, 3], "one sign"),
        (-5, "one sign"),
        ([-100, 150, -100], "no rate of return"),
        ([-1e-300, 1e300], "beyond every number"),
    ],
)
def test_no_rate_is_num(flows, words):
    """Flows without a rate, or with every rate, are #NUM! that says which."""
    is_error(IRR_ALL(flows), "#NUM!", "IRR_ALL", words)


# --- levelized cost ------------------------------------------------------------------------------


def test_levelized_cost_by_hand():
    """At rate 0: (2,000 + 60 x 50 - 200) over 60,000M tokens."""
    assert LEVELIZED_COST(0, 1000, 50, 2000, 200) == pytest.approx(4800 / 60_000)
    assert LEVELIZED_COST(0, [1, 2], [3, 3]) == 2.0
    assert LEVELIZED_COST(0, [1, 3], 2) == LEVELIZED_COST(0, 1, [2, 0]) == 1.0


@given(rates, volumes, st.floats(0.0, 1e6), st.floats(0.0, 1e6), timings)
def test_levelized_cost_as_a_flat_price_is_worth_nothing(rate, volume, cost, investment, timing):
    """Put back as the flat price of the same program, the NPV is 0."""
    price = LEVELIZED_COST(rate, volume, cost, investment, None, timing)
    told = rows(timing=timing, opex_per_month=cost)
    scale = investment - NPV_STATIC(rate, volume, 0, None, None, told)
    assert abs(NPV_STATIC(rate, volume, 0, price, investment, told)) <= 1e-9 * scale


@given(rates, volumes, st.floats(0.0, 1e6), st.floats(0.0, 1e6))
def test_levelized_cost_with_a_residual_is_worth_nothing(rate, volume, investment, residual):
    """The residual is the assumption of that name, at the end of the last month."""
    price = LEVELIZED_COST(rate, volume, 5.0, investment, residual)
    assume(price >= 0)
    told = rows(opex_per_month=5.0, residual=residual)
    scale = investment + abs(NPV_STATIC(rate, volume, 0, None, None, told)) + residual
    worth = NPV_STATIC(rate, volume, 0, price, investment, told)
    assert abs(worth) <= 1e-9 * scale * max(1.0, (1 + rate) ** (-len(volume) / 12))


def test_levelized_cost_without_tokens_is_div0():
    """Volumes of 0 are a division by zero."""
    for none in (0, [0, 0]):
        is_error(LEVELIZED_COST(0.1, none, 5), "#DIV/0!", "volumes")


# --- break-evens ---------------------------------------------------------------------------------


@given(
    rates, volumes, money, st.floats(-0.5, 0.95), st.floats(0.0, 1e6), money, timings,
    st.floats(0.0, 0.8), st.floats(-0.5, 0.9), st.floats(0.0, 1e4),
)  # fmt: skip
def test_breakeven_price_put_back_is_worth_nothing(
    rate, volume, cost, decline, investment, floor, timing, tax, price_decline, opex
):
    """NPV_DECLINING at the break-even price is 0, after tax, to 1e-9 of what moves."""
    told = rows(timing=timing, tax_rate=tax, price_decline=price_decline, opex_per_month=opex)
    price = BREAKEVEN_PRICE(rate, volume, cost, decline, investment, floor, told)
    args = (rate, volume, cost, decline)
    if isinstance(price, CellError):
        # At a negative rate the tax relief of later months can outweigh the investment.
        is_error(price, "#NUM!", "without any revenue already")
        assert NPV_DECLINING(*args, 0, investment, floor, told) > 0
        return
    scale = investment + abs(NPV_DECLINING(*args, 0, investment, floor, told))
    worth = NPV_DECLINING(*args, price, investment, floor, told)
    assert abs(worth) <= 1e-9 * scale * max(1.0, (1 + rate) ** (-len(volume) / 12)) + 1e-300


def test_breakeven_price_by_hand():
    """At rate 0: 60M tokens at 2 USD and 60 USD of investment need 3 USD per 1M."""
    assert BREAKEVEN_PRICE(0, 1, 2, 0, 60) == pytest.approx(3.0)
    assert BREAKEVEN_PRICE(0, [1, 1], [2, 4], 0) == pytest.approx(3.0)
    assert BREAKEVEN_PRICE(0, [1, 1], [2, 4], 0, 0, 3.0) == pytest.approx(3.5)
    falling = BREAKEVEN_PRICE(0, 1, 2, 0, 60, 0, rows(price_decline=0.5))
    assert falling > BREAKEVEN_PRICE(0, 1, 2, 0, 60)


def test_breakeven_price_without_volumes_is_div0():
    """Without tokens no price breaks even: a division by zero."""
    for none in (0, [0, 0]):
        is_error(BREAKEVEN_PRICE(0.1, none, 5, 0.1), "#DIV/0!", "volumes")


def test_breakeven_price_of_what_pays_already_is_num():
    """A residual above the investment leaves no price: #NUM! with what it is worth."""
    result = BREAKEVEN_PRICE(0, [1, 1], 0, 0, 10, 0, rows(residual=35.0))
    is_error(result, "#NUM!", "worth 25 USD", "price 0")


def test_breakeven_price_refuses_a_path_with_a_decline():
    """As in NPV_DECLINING, a range for unit_cost and a decline exclude each other."""
    is_error(BREAKEVEN_PRICE(0.1, [1, 1], [2, 2], 0.3), "#VALUE!", "unit_cost", "path")


@given(
    rates, volumes, st.floats(0.0, 1e6), st.floats(0.01, 100.0), st.floats(0.0, 1e6), timings,
    st.floats(0.0, 0.8), st.floats(-0.5, 0.9),
)  # fmt: skip
def test_breakeven_utilization_put_back_is_worth_nothing(
    rate, capacity, cost, price, investment, timing, tax, price_decline
):
    """Selling that share of the capacity is worth 0; where that is more than all, not even all."""
    told = rows(timing=timing, tax_rate=tax, price_decline=price_decline, opex_per_month=cost)
    share = BREAKEVEN_UTILIZATION(rate, capacity, 0, price, investment, told)
    nothing = NPV_STATIC(rate, capacity, 0, 0, investment, told)
    everything = NPV_STATIC(rate, capacity, 0, price, investment, told)
    if isinstance(share, CellError):
        if share == "#NUM!":
            assert nothing > 0
        else:
            is_error(share, "#N/A", "times the capacity")
            assert everything < 0
        return
    assert 0 <= share <= 1
    sold = (np.array(capacity) * share).tolist()
    scale = investment + abs(nothing) + abs(everything)
    assert abs(NPV_STATIC(rate, sold, 0, price, investment, told)) <= 1e-9 * scale + 1e-300


def test_breakeven_utilization_by_hand():
    """200 USD a month over 1,000M tokens at 0.25 USD is 80 %, whether costs are level or not."""
    assert BREAKEVEN_UTILIZATION(0, 1000, 200, 0.25) == pytest.approx(0.8)
    assert BREAKEVEN_UTILIZATION(0, [1000, 1000], [100, 300], 0.25) == pytest.approx(0.8)
    assert BREAKEVEN_UTILIZATION(0, 1000, 100, 0.25, 6000) == pytest.approx(0.8)
    added = BREAKEVEN_UTILIZATION(0, 1000, 150, 0.25, 0, rows(opex_per_month=50.0))
    assert added == pytest.approx(0.8)
    assert BREAKEVEN_UTILIZATION(0, 1000, 250, 0.25) == 1.0
    assert BREAKEVEN_UTILIZATION(0, [7.0] * 9, [0.7] * 9, 0.1) <= 1.0


def test_breakeven_utilization_over_1_is_na_with_the_figure():
    """More than the whole capacity is #N/A, and the message says how much."""
    is_error(BREAKEVEN_UTILIZATION(0, 1000, 300, 0.25), "#N/A", "1.2 times the capacity")


def test_breakeven_utilization_of_nothing_to_sell_is_div0():
    """Without capacity, or at a price of 0, nothing can be sold: a division by zero."""
    is_error(BREAKEVEN_UTILIZATION(0.1, 0, 5, 1), "#DIV/0!", "nothing to sell")
    is_error(BREAKEVEN_UTILIZATION(0.1, 10, 5, 0), "#DIV/0!", "nothing to sell")


def test_breakeven_utilization_names_what_is_wrong():
    """Each series below 0 is #NUM! under its own name; a price path and a decline exclude."""
    is_error(BREAKEVEN_UTILIZATION(0.1, [1, -1], 5, 1), "#NUM!", "capacity")
    is_error(BREAKEVEN_UTILIZATION(0.1, 1, [5, -5], 1), "#NUM!", "costs")
    is_error(BREAKEVEN_UTILIZATION(0.1, 1, 5, [1, -1]), "#NUM!", "price")
    result = BREAKEVEN_UTILIZATION(0.1, 1, 5, [1, 1], 0, rows(price_decline=0.1))
    is_error(result, "#VALUE!", "price", "price_decline")
