"""NPV_DECLINING, NPV_STATIC and NPV_ADVANTAGE against three independent ways to compute them."""

import math

import numpy as np
import numpy_financial as npf
import pytest
from contract_tools import is_error
from hypothesis import assume, given
from hypothesis import strategies as st

from xltoken import NPV_ADVANTAGE, NPV_DECLINING, NPV_STATIC
from xltoken.functions.cells import CellError

SHIFT = {"end": 0.0, "mid": 0.5, "begin": 1.0}

rates = st.floats(-0.5, 2.0)
declines = st.floats(-0.9, 0.95)
money = st.floats(0.0, 100.0)
# One cell is a scalar, and a scalar stands for every period: two months or more.
volumes = st.lists(st.floats(0.0, 1e6), min_size=2, max_size=24)
timings = st.sampled_from(list(SHIFT))


def visible_row(rate, volume, cost, decline, price, investment, floor, timing, price_decline):
    """NPV as a person lays it out in a sheet, one column a month; and the money it moves."""
    total = moved = investment
    total = -total
    for t, v in enumerate(volume, 1):
        months = t - SHIFT[timing]
        unit_cost = max(cost * (1 - decline) ** (months / 12), floor)
        unit_price = price * (1 - price_decline) ** (months / 12)
        factor = (1 + rate) ** (-months / 12)
        total += v * (unit_price - unit_cost) * factor
        moved += v * (unit_price + unit_cost) * factor
    return total, moved


def close(value, expected, moved, tolerance=1e-10):
    """Equal to within a share of the money that moves."""
    return abs(value - expected) <= tolerance * max(moved, 1e-300)


def rows(**given_assumptions):
    """Assumptions as a range."""
    return [[name, value] for name, value in given_assumptions.items()] or None


# --- three ways ----------------------------------------------------------------------------------


@given(rates, volumes, money, declines, money, st.floats(0, 1e9), money, timings, declines)
def test_npv_is_the_visible_factor_row(
    rate, volume, cost, decline, price, investment, floor, timing, price_decline
):
    """NPV_DECLINING is the sum that a visible row of factors gives, at every timing."""
    given_rows = rows(timing=timing, price_decline=price_decline)
    result = NPV_DECLINING(rate, volume, cost, decline, price, investment, floor, given_rows)
    expected, moved = visible_row(
        rate, volume, cost, decline, price, investment, floor, timing, price_decline
    )
    assert close(result, expected, moved)


@given(rates, volumes, money, declines, money, st.floats(0, 1e9), timings)
def test_npv_is_numpy_financials_shifted(rate, volume, cost, decline, price, investment, timing):
    """numpy_financial's NPV of the same flows, moved by half a month or one, agrees."""
    shift = SHIFT[timing]
    months = np.arange(1, len(volume) + 1) - shift
    costs = cost * (1 - decline) ** (months / 12)
    flows = np.array(volume) * (price - costs)
    monthly = (1 + rate) ** (1 / 12) - 1
    # npf.npv has its first value at time 0; here it stands one period later, less the shift.
    expected = npf.npv(monthly, [0.0, *flows]) * (1 + monthly) ** shift - investment
    moved = npf.npv(monthly, [investment, *(np.array(volume) * (price + costs))]) * (1 + rate)
    result = NPV_DECLINING(
        rate, volume, cost, decline, price, investment, None, rows(timing=timing)
    )
    assert close(result, expected, moved + investment)


@given(
    rates, st.floats(0.1, 1e6), st.floats(0.01, 100), declines, money,
    st.floats(0, 1e9), timings, st.integers(1, 600),
)  # fmt: skip
def test_npv_is_its_closed_form(rate, volume, cost, decline, price, investment, timing, months):
    """With scalars the sum is two geometric series."""

    def series(ratio: float) -> float:
        """Sum of ratio ** (t - shift) for t = 1 ... months."""
        log = math.log(ratio)
        if log == 0:
            return float(months)
        return math.exp(log * (1 - SHIFT[timing])) * math.expm1(log * months) / math.expm1(log)

    paid = volume * cost * series(((1 - decline) / (1 + rate)) ** (1 / 12))
    earned = volume * price * series((1 + rate) ** (-1 / 12))
    given_rows = rows(timing=timing, horizon_months=float(months))
    result = NPV_DECLINING(rate, volume, cost, decline, price, investment, None, given_rows)
    assert close(result, earned - paid - investment, earned + paid + investment)


# --- static and advantage ------------------------------------------------------------------------


@given(rates, volumes, money, money, st.floats(0, 1e9), timings, declines)
def test_decline_0_is_static_to_the_last_bit(
    rate, volume, cost, price, investment, timing, price_decline
):
    """NPV_DECLINING with decline 0 equals NPV_STATIC to the last bit, for scalars and ranges."""
    given_rows = rows(timing=timing, price_decline=price_decline, tax_rate=0.25, residual=10.0)
    for amount in (volume, volume[0]):
        static = NPV_STATIC(rate, amount, cost, price, investment, given_rows)
        for zero in (0.0, None, ""):
            declining = NPV_DECLINING(rate, amount, cost, zero, price, investment, None, given_rows)
            assert declining == static
    path = [cost + i for i in range(len(volume))]
    flat = rows(timing=timing)
    assert NPV_DECLINING(rate, volume, path, 0, price, investment, None, flat) == NPV_STATIC(
        rate, volume, path, price, investment, flat
    )


@given(rates, volumes, money, declines, money, st.floats(0, 1e9), money, timings)
def test_advantage_is_declining_less_static(
    rate, volume, cost, decline, price, investment, floor, timing
):
    """NPV_ADVANTAGE is the one less the other, on the same price path."""
    given_rows = rows(timing=timing, price_decline=0.2)
    args = (rate, volume, cost, decline, price, investment, floor, given_rows)
    static = NPV_STATIC(rate, volume, cost, price, investment, given_rows)
    assert NPV_ADVANTAGE(*args) == NPV_DECLINING(*args) - static


@given(rates, volumes, money, st.floats(0, 0.95), st.floats(0, 0.95), money, timings)
def test_npv_never_falls_when_the_decline_rises(rate, volume, cost, one, two, floor, timing):
    """A faster fall of the unit cost never lowers the value, with a floor or without."""
    slow, fast = sorted((one, two))
    values = [
        NPV_DECLINING(rate, volume, cost, decline, 1.0, 5.0, floor, rows(timing=timing))
        for decline in (slow, fast)
    ]
    _, moved = visible_row(rate, volume, cost, 0, 1.0, 5.0, floor, timing, 0)
    assert values[1] >= values[0] - 1e-12 * moved


@given(st.floats(-0.5, 2), st.floats(-0.5, 2), volumes, st.floats(0.01, 100), declines, timings)
def test_a_cost_alone_weighs_less_at_a_higher_rate(one, two, volume, cost, decline, timing):
    """The NPV of a cost is negative or 0 and never falls when the discount rate rises."""
    low, high = sorted((one, two))
    values = [
        NPV_DECLINING(rate, volume, cost, decline, None, None, None, rows(timing=timing))
        for rate in (low, high)
    ]
    assert values[0] <= 0
    assert values[1] >= values[0] * (1 + 1e-12)


@given(rates, volumes, st.floats(0.01, 100), declines, st.floats(1.0, 5.0), st.data())
def test_a_cost_alone_grows_with_volume(rate, volume, cost, decline, more, data):
    """The NPV of a cost falls when one month's volume rises."""
    month = data.draw(st.integers(0, len(volume) - 1))
    assume(volume[month] > 1e-6)
    grown = [v * (1 + more) if i == month else v for i, v in enumerate(volume)]
    before, after = (NPV_DECLINING(rate, v, cost, decline) for v in (volume, grown))
    _, moved = visible_row(rate, volume, cost, decline, 0, 0, 0, "end", 0)
    assert after <= before
    added, _ = visible_row(
        rate, [v * more if i == month else 0.0 for i, v in enumerate(volume)],
        cost, decline, 0, 0, 0, "end", 0,
    )  # fmt: skip
    assert close(after - before, added, moved - added)


@given(rates, st.lists(st.tuples(money, money), min_size=2, max_size=24), money, declines, money)
def test_value_adds_up_over_volumes(rate, pairs, cost, decline, price):
    """Without an investment the value of two volumes together is the sum of their values."""
    one, two = ([p[i] for p in pairs] for i in (0, 1))
    both = [a + b for a, b in pairs]
    parts = [NPV_DECLINING(rate, v, cost, decline, price) for v in (one, two, both)]
    _, moved = visible_row(rate, both, cost, decline, price, 0, 0, "end", 0)
    assert close(parts[0] + parts[1], parts[2], moved)


@given(rates, volumes, money, declines, money, st.floats(0, 1e9))
def test_an_investment_is_taken_off_undiscounted(rate, volume, cost, decline, price, investment):
    """The investment falls at month 0: it lowers the value by itself, at every rate and timing."""
    for timing in SHIFT:
        given_rows = rows(timing=timing)
        without = NPV_DECLINING(rate, volume, cost, decline, price, 0, 0, given_rows)
        with_it = NPV_DECLINING(rate, volume, cost, decline, price, investment, 0, given_rows)
        assert with_it == without - investment


@given(rates, volumes, money, declines, money)
def test_an_earlier_payment_is_the_same_flows_moved(rate, volume, cost, decline, price):
    """With flat costs begin is end times (1 + rate) ** (1/12), and mid its square root."""
    end, mid, begin = (
        NPV_STATIC(rate, volume, cost, price, None, rows(timing=timing))
        for timing in ("end", "mid", "begin")
    )
    _, moved = visible_row(rate, volume, cost, 0, price, 0, 0, "begin", 0)
    assert close(begin, end * (1 + rate) ** (1 / 12), moved)
    assert close(mid, end * (1 + rate) ** (1 / 24), moved)


# --- paths, floors, horizon ----------------------------------------------------------------------


@given(rates, volumes, st.floats(0.01, 100), declines, timings)
def test_a_path_written_out_is_the_declining_scalar(rate, volume, cost, decline, timing):
    """A range for unit_cost is the path itself: the scalar's path written out gives its value."""
    months = [t - SHIFT[timing] for t in range(1, len(volume) + 1)]
    path = [cost * (1 - decline) ** (m / 12) for m in months]
    given_rows = rows(timing=timing)
    declining = NPV_DECLINING(rate, volume, cost, decline, None, None, None, given_rows)
    written = NPV_DECLINING(rate, volume, path, None, None, None, None, given_rows)
    _, moved = visible_row(rate, volume, cost, decline, 0, 0, 0, timing, 0)
    assert close(written, declining, moved)


def test_a_path_and_a_decline_exclude_each_other():
    """A range for unit_cost with a decline other than 0 is #VALUE!; with 0 or blank it is fine."""
    for decline in (0.3, -0.3, 1e-9):
        result = NPV_DECLINING(0.1, [1, 1], [2, 2], decline)
        is_error(result, "#VALUE!", "unit_cost", "path", "decline")
    assert NPV_DECLINING(0.1, [1, 1], [2, 2], 0) == NPV_STATIC(0.1, [1, 1], 2)
    assert NPV_DECLINING(0.1, [1, 1], [2, 2]) == NPV_STATIC(0.1, [1, 1], 2)


def test_a_price_path_and_a_price_decline_exclude_each_other():
    """A range for price with price_decline given is #VALUE!; a scenario's decline leaves it be."""
    args = (0.1, [1, 1], 2, 0.3, [5, 5], None, None)
    is_error(NPV_DECLINING(*args, rows(price_decline=0.1)), "#VALUE!", "price", "price_decline")
    plain = NPV_DECLINING(*args)
    assert NPV_DECLINING(*args, rows(price_decline=0.0)) == plain
    assert NPV_DECLINING(*args, rows(scenario="conservative")) == plain


def test_scenario_conservative_halves_a_scalar_price_each_year():
    """In scenario conservative a scalar price falls by half a year; in base and vendor it is flat."""
    flat, falling = (
        NPV_DECLINING(0.1, 1000, 0.1, 0, 1, None, None, chosen)
        for chosen in (None, rows(price_decline=0.5))
    )
    assert falling < flat
    for scenario, expected in (("conservative", falling), ("base", flat), ("vendor", flat)):
        chosen = rows(scenario=scenario)
        assert NPV_DECLINING(0.1, 1000, 0.1, 0, 1, None, None, chosen) == expected
    own = rows(scenario="conservative", price_decline=0.0)
    assert NPV_DECLINING(0.1, 1000, 0.1, 0, 1, None, None, own) == flat


def test_advantage_refuses_a_path():
    """NPV_ADVANTAGE needs today's unit cost: a range is #VALUE! that says what to do instead."""
    is_error(NPV_ADVANTAGE(0.1, [1, 1], [2, 2]), "#VALUE!", "NPV_DECLINING", "NPV_STATIC")
    assert not isinstance(NPV_ADVANTAGE(0.1, [1, 1], [[2]]), CellError)


@given(rates, volumes, st.floats(0.01, 100), st.floats(0, 0.95), st.floats(0.0, 2.0))
def test_a_floor_holds_the_unit_cost_up(rate, volume, cost, decline, share):
    """No month costs less than the floor, and above the floor it does nothing."""
    floor = cost * share
    floored = NPV_DECLINING(rate, volume, cost, decline, None, None, floor)
    expected, moved = visible_row(rate, volume, cost, decline, 0, 0, floor, "end", 0)
    assert close(floored, expected, moved)
    at_floor = NPV_STATIC(rate, volume, floor)
    assert floored <= at_floor + 1e-12 * moved
    low = NPV_DECLINING(rate, volume, cost, decline, None, None, cost * (1 - decline) ** 5 / 2)
    assert low == NPV_DECLINING(rate, volume, cost, decline)


def test_a_floor_holds_up_a_path_too():
    """A path that runs under the floor is lifted to it."""
    floored = NPV_DECLINING(0.1, [1, 1, 1], [3, 2, 1], None, None, None, 1.5)
    assert floored == NPV_DECLINING(0.1, [1, 1, 1], [3, 2, 1.5])


@pytest.mark.parametrize("months", [1, 12, 60, 600])
def test_the_horizon_counts_for_scalars_only(months):
    """Scalars run for horizon_months (60 if not given); a range has its own length."""
    chosen = rows(horizon_months=float(months))
    alone = NPV_DECLINING(0.1, 3, 0.2, 0.3, 0.5, None, None, chosen)
    if months > 1:
        assert alone == NPV_DECLINING(0.1, [3.0] * months, 0.2, 0.3, 0.5)
    assert close(alone, visible_row(0.1, [3] * months, 0.2, 0.3, 0.5, 0, 0, "end", 0)[0], 1e4)
    ranged = NPV_DECLINING(0.1, [3, 3], 0.2, 0.3, 0.5, None, None, chosen)
    assert ranged == NPV_DECLINING(0.1, [3, 3], 0.2, 0.3, 0.5)
    by_price = NPV_DECLINING(0.1, 3, 0.2, 0.3, [0.5, 0.5], None, None, chosen)
    assert by_price == ranged


def test_one_cell_of_volume_runs_for_the_horizon_too():
    """A range of one cell is a scalar: it stands for every period, not for one month."""
    assert NPV_STATIC(0, [[2.0]], 1.0) == NPV_STATIC(0, 2.0, 1.0) == -120.0
    assert NPV_STATIC(0, [[2.0]], 1.0, None, None, rows(horizon_months=1.0)) == -2.0
    assert NPV_STATIC(0, [[2.0, 2.0]], [[1.0]]) == -4.0


def test_the_default_horizon_is_five_years():
    """Without an assumption scalars run for 60 months."""
    expected, _ = visible_row(0.10, [1000.0] * 60, 0.11, 0.5, 0.25, 1000.0, 0, "end", 0)
    assert NPV_DECLINING(0.10, 1000, 0.11, 0.5, 0.25, 1000) == pytest.approx(expected, rel=1e-12)


def test_tax_depreciation_residual_and_opex_by_hand():
    """After tax a month brings (1-T)(revenue - cost - opex) + T x depreciation; the residual less tax."""
    rate, tax, invested, residual, opex, life = 0.12, 0.25, 1200.0, 240.0, 7.0, 2
    total = -invested
    for t in range(1, 37):
        margin = 50 * (4.0 - 1.0 * 0.6 ** (t / 12)) - opex
        charge = (invested - residual) / (12 * life) if t <= 12 * life else 0.0
        flow = (1 - tax) * margin + tax * charge
        if t == 36:
            flow += residual  # sold at its book value: no gain, no tax
        total += flow * (1 + rate) ** (-t / 12)
    chosen = rows(
        tax_rate=tax, residual=residual, opex_per_month=opex, life_years=life, horizon_months=36
    )
    result = NPV_DECLINING(rate, 50, 1.0, 0.4, 4.0, invested, None, chosen)
    assert result == pytest.approx(total, rel=1e-12)


def test_before_tax_depreciation_moves_no_cash():
    """Without tax, method and life of depreciation change nothing."""
    args = (0.1, 1000, 0.11, 0.5, 0.25, 1000.0, None)
    plain = NPV_DECLINING(*args)
    for method in ("straight_line", "double_declining", "sum_of_years"):
        for life in (1, 3, 10):
            assert NPV_DECLINING(*args, rows(depreciation=method, life_years=life)) == plain


# --- lifting -------------------------------------------------------------------------------------


def test_a_table_of_rates_against_declines():
    """A column of rates against a row of declines gives the two-way table a board asks for."""
    rates_down, declines_across = [[0.05], [0.10], [0.15]], [[0.0, 0.3, 0.6]]
    table = NPV_DECLINING(rates_down, 1000, 0.11, declines_across, 0.25)
    for row, (rate,) in zip(table, rates_down, strict=True):
        for cell, decline in zip(row, declines_across[0], strict=True):
            assert cell == NPV_DECLINING(rate, 1000, 0.11, decline, 0.25)
        assert row == sorted(row)
    assert [row[0] for row in table] == sorted((row[0] for row in table), reverse=True)


def test_a_cost_only_program_is_negative_and_nothing_is_zero():
    """Outflows are negative; no volume, no money."""
    assert NPV_DECLINING(0.1, 1000, 0.11, 0.5) < 0
    assert NPV_DECLINING(0.1, 0, 0.11, 0.5) == 0
    assert NPV_DECLINING(0.1, 0, 0.11, 0.5, None, 1000) == -1000


def test_a_rate_of_zero_adds_up():
    """At rate 0 the value is the plain sum of the months."""
    assert NPV_STATIC(0, [1, 2, 3], 2, 5, 4) == 14
    assert NPV_STATIC(0, [[1, 2, 3]], [1, 2, 3], [4, 4, 4]) == 10
