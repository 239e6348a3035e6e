"""Laws of money: what must hold of values, returns, curves, depreciation and risk for any input."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from law_tools import (
    DECLINES,
    FALLS,
    POSITIVE_RATES,
    RATES,
    TIMINGS,
    VOLUMES,
    amounts,
    assumed,
    close,
    known,
    law,
    moved,
    npv,
    number,
    numbers,
    paths,
    static,
    table,
    timings,
)

import xltoken

# --- value ----------------------------------------------------------------------------------------

TAXES = st.fixed_dictionaries(
    {
        "tax_rate": numbers(0.0, 0.9),
        "timing": timings,
        "opex_per_month": amounts(1e3),
        "residual": amounts(1e4),
        "life_years": st.integers(1, 10).map(float),
        "depreciation": st.sampled_from(
            ("straight_line", "double_declining", "sum_of_years", "macrs_3", "macrs_5", "macrs_7")
        ),
        "price_decline": numbers(-0.5, 0.9),
        "horizon_months": st.integers(1, 72).map(float),
    }
)


@law
@given(RATES, VOLUMES, amounts(100), DECLINES, amounts(100), amounts(), numbers(1e-3, 1e3), timings)
def test_npv_is_linear_in_the_volumes(rate, volumes, cost, decline, price, outlay, times, timing):
    """Volumes k times as large make the value without its outlay k times as large."""
    one = npv(rate, volumes, cost, decline, price, timing=timing)
    many = npv(rate, [times * v for v in volumes], cost, decline, price, outlay, timing=timing)
    size = moved(rate, volumes) * (price + cost * max(1.0, (1 - decline) ** (len(volumes) / 12)))
    assert close(many + outlay, times * one, max(times * size, outlay))


@law
@given(RATES, paths(2), amounts(100), DECLINES, amounts(100), timings)
def test_npv_of_two_programs_is_the_sum(rate, volumes, cost, decline, price, timing):
    """The value of volumes added is the sum of the values."""
    both = [a + b for a, b in zip(*volumes, strict=True)]
    parts = [npv(rate, v, cost, decline, price, timing=timing) for v in volumes]
    size = moved(rate, both) * (price + cost * max(1.0, (1 - decline) ** (len(both) / 12)))
    assert close(npv(rate, both, cost, decline, price, timing=timing), sum(parts), size)


@law
@given(RATES, st.one_of(amounts(), VOLUMES), amounts(100), amounts(100), amounts(), TAXES)
def test_without_a_decline_it_is_static_to_the_last_bit(rate, volumes, cost, price, outlay, told):
    """NPV_DECLINING with decline 0 is NPV_STATIC, bit for bit, after tax and all."""
    assert npv(rate, volumes, cost, 0.0, price, outlay, **told) == static(
        rate, volumes, cost, price, outlay, **told
    )


@law
@given(RATES, VOLUMES, amounts(100), DECLINES, amounts(100), amounts(), amounts(50), TAXES)
def test_the_advantage_is_a_difference(rate, volumes, cost, decline, price, outlay, floor, told):
    """NPV_ADVANTAGE is NPV_DECLINING less NPV_STATIC, bit for bit."""
    found = number(
        xltoken.NPV_ADVANTAGE(rate, volumes, cost, decline, price, outlay, floor, assumed(**told))
    )
    declining = npv(rate, volumes, cost, decline, price, outlay, floor, **told)
    assert found == declining - static(rate, volumes, cost, price, outlay, **told)


@law
@given(RATES, VOLUMES, numbers(0.01, 100), FALLS, numbers(0.0, 1.0), timings)
def test_a_falling_cost_never_hurts(rate, volumes, cost, decline, share, timing):
    """With a decline of 0 or more and a floor under today's cost the advantage is 0 or more."""
    found = number(
        xltoken.NPV_ADVANTAGE(
            rate, volumes, cost, decline, 0.0, 0.0, share * cost, assumed(timing=timing)
        )
    )
    assert found >= -1e-9 * moved(rate, volumes) * cost


@law
@given(RATES, numbers(0.0, 2.0), paths(3), amounts())
def test_a_higher_discount_rate_lowers_what_only_earns(rate, more, series, outlay):
    """Where every month earns, the value falls as the discount rate rises."""
    volumes, costs, margins = series
    prices = [c + m for c, m in zip(costs, margins, strict=True)]
    low = npv(rate, volumes, costs, 0.0, prices, outlay)
    high = npv(rate + more, volumes, costs, 0.0, prices, outlay)
    assert high <= low + 1e-9 * (moved(rate, volumes, prices) + outlay)


@law
@given(POSITIVE_RATES, VOLUMES, amounts(100), amounts(100), amounts())
def test_earlier_money_weighs_more(rate, volumes, cost, price, outlay):
    """A flat program is worth (1+rate)^(1/24) times as much for each half month it is earlier."""
    values = [
        static(rate, volumes, cost, price, outlay, timing=timing) + outlay for timing in TIMINGS
    ]
    size = moved(rate, volumes) * (price + cost) + outlay
    for later, earlier in pairwise(values):
        assert close(earlier, later * (1 + rate) ** (1 / 24), size)
        assert (earlier >= later) if later > 1e-9 * size else True


@law
@given(RATES, VOLUMES, amounts(100), DECLINES, amounts(100), amounts(), amounts(), TAXES)
def test_an_outlay_is_subtracted(rate, volumes, cost, decline, price, outlay, more, told):
    """Before tax a dollar more of outlay is a dollar less of value."""
    untaxed = {**told, "tax_rate": 0.0}
    less = npv(rate, volumes, cost, decline, price, outlay, **untaxed)
    least = npv(rate, volumes, cost, decline, price, outlay + more, **untaxed)
    assert close(less - more, least, max(abs(less), more, outlay))


@law
@given(RATES, VOLUMES, amounts(100), DECLINES, amounts(100), amounts(), TAXES, numbers(0.0, 2.0))
def test_price_helps_and_cost_hurts(rate, volumes, cost, decline, price, outlay, told, share):
    """A higher price never lowers a value, a higher cost or a slower decline never raises it."""
    base = npv(rate, volumes, cost, decline, price, outlay, **told)
    grown = moved(rate, volumes) * (cost + price) * 2.0 ** (len(volumes) / 6)
    slack = 1e-9 * (abs(base) + grown + outlay)
    assert npv(rate, volumes, cost, decline, price * (1 + share), outlay, **told) >= base - slack
    assert npv(rate, volumes, cost * (1 + share), decline, price, outlay, **told) <= base + slack
    slower = decline - share / 4
    assert npv(rate, volumes, cost, slower, price, outlay, **told) <= base + slack


@law
@given(RATES, VOLUMES, numbers(0.01, 100), FALLS, numbers(0.0, 200), timings)
def test_a_floor_binds_the_cost(rate, volumes, cost, decline, floor, timing):
    """A floor never raises a value; one above today's cost is the cost."""
    free = npv(rate, volumes, cost, decline, 0.0, 0.0, 0.0, timing=timing)
    bound = npv(rate, volumes, cost, decline, 0.0, 0.0, floor, timing=timing)
    size = moved(rate, volumes) * max(cost, floor)
    assert bound <= free + 1e-12 * size
    if floor >= cost:
        assert bound == static(rate, volumes, floor, timing=timing)


@law
@given(RATES, VOLUMES, amounts(100), DECLINES, amounts(100), amounts(), TAXES, numbers(1e-3, 1e3))
def test_another_currency_is_the_same_program(
    rate, volumes, cost, decline, price, outlay, told, fx
):
    """All money k times as large makes the value k times as large, taxes included."""
    base = npv(rate, volumes, cost, decline, price, outlay, **told)
    told = {
        **told,
        "opex_per_month": told["opex_per_month"] * fx,
        "residual": told["residual"] * fx,
    }
    other = npv(rate, volumes, cost * fx, decline, price * fx, outlay * fx, **told)
    grown = moved(rate, volumes) * (cost + price) * 2.0 ** (len(volumes) / 6)
    held = (1.0 + min(rate, 0.0)) ** (-len(volumes) / 12.0)
    held *= len(volumes) * told["opex_per_month"] + told["residual"]
    assert close(other, base * fx, fx * (grown + outlay) + held)


@law
@given(RATES, VOLUMES, numbers(0.0, 100), DECLINES, amounts(100), amounts(), timings)
def test_the_visible_factor_row_says_the_same(rate, volumes, cost, decline, price, outlay, timing):
    """The path that COST_CURVE shows for the payments gives the value of the decline."""
    early = {"end": 0.0, "mid": 0.5, "begin": 1.0}[timing]
    path = [
        number(xltoken.COST_CURVE(cost, m - early, decline)) for m in range(1, len(volumes) + 1)
    ]
    from_path = npv(rate, volumes, path, 0.0, price, outlay, timing=timing)
    assert from_path == npv(rate, volumes, cost, decline, price, outlay, timing=timing)


@pytest.mark.slow
@law
@given(RATES, paths(3), st.integers(1, 24))
def test_a_program_that_starts_later_is_discounted(rate, series, later):
    """Months of nothing before a program multiply its value by (1+rate)^(-months/12)."""
    volumes, costs, prices = series
    idle = [0.0] * later
    now = npv(rate, volumes, costs, 0.0, prices)
    then = npv(rate, idle + volumes, idle + costs, 0.0, idle + prices)
    factor = (1 + rate) ** (-later / 12)
    size = factor * (moved(rate, volumes, prices) + moved(rate, volumes, costs))
    assert close(then, now * factor, size)


@pytest.mark.slow
@law
@given(amounts(), st.floats(0.0, 0.9), st.data())
def test_undiscounted_taxes_do_not_depend_on_the_method(outlay, tax, data):
    """At rate 0 every method saves the same tax once the hardware is written off."""
    values = [
        static(
            0.0, 10.0, 1.0, 5.0, outlay, tax_rate=tax, depreciation=method, life_years=5.0,
            horizon_months=float(data.draw(st.just(96))),
        )
        for method in ("straight_line", "double_declining", "sum_of_years", "macrs_5", "macrs_7")
    ]  # fmt: skip
    assert all(close(value, values[0], outlay) for value in values)


# --- returns --------------------------------------------------------------------------------------


@law
@given(RATES, VOLUMES, amounts(1e4), amounts(), timings)
def test_the_levelized_cost_is_the_price_that_pays(rate, volumes, cost, outlay, timing):
    """LEVELIZED_COST put back as the price makes the value 0, whatever the timing."""
    assume(sum(volumes) > 0)
    price = number(xltoken.LEVELIZED_COST(rate, volumes, cost, outlay, 0.0, timing))
    value = static(rate, volumes, 0.0, price, outlay, timing=timing, opex_per_month=cost)
    size = outlay + cost * len(volumes) * max((1 + rate) ** (-len(volumes) / 12), 1.0)
    assert abs(value) <= 1e-9 * size


@law
@given(RATES, VOLUMES, numbers(1, 1e6), numbers(1, 1e6), timings)
def test_the_levelized_cost_counts_the_residual(rate, volumes, outlay, residual, timing):
    """With a residual LEVELIZED_COST put back as the price makes the value 0, whatever the timing."""
    assume(sum(volumes) > 0)
    price = number(xltoken.LEVELIZED_COST(rate, volumes, 0.0, outlay, residual, timing))
    assume(price >= 0)
    value = static(rate, volumes, 0.0, price, outlay, timing=timing, residual=residual)
    held = max((1 + rate) ** (-len(volumes) / 12), 1.0)
    assert abs(value) <= 1e-9 * (outlay + residual * held)


@law
@given(RATES, VOLUMES, amounts(1e4), amounts(), numbers(1e-3, 1e3), timings)
def test_the_levelized_cost_is_a_ratio(rate, volumes, cost, outlay, times, timing):
    """Twice the tokens for the money cost half each; twice the money costs twice."""
    assume(sum(volumes) > 0)
    base = number(xltoken.LEVELIZED_COST(rate, volumes, cost, outlay, 0.0, timing))
    more = [times * v for v in volumes]
    tokens = number(xltoken.LEVELIZED_COST(rate, more, cost, outlay, 0.0, timing))
    money = number(xltoken.LEVELIZED_COST(rate, volumes, times * cost, times * outlay, 0.0, timing))
    assert close(tokens * times, base)
    assert close(money, base * times)


@law
@given(RATES, VOLUMES, amounts(100), DECLINES, amounts(), amounts(10), TAXES)
def test_the_breakeven_price_breaks_even(rate, volumes, cost, decline, outlay, floor, told):
    """BREAKEVEN_PRICE put back as the price makes NPV_DECLINING 0; else it says that 0 will do."""
    assume(sum(volumes) > 0)
    price = xltoken.BREAKEVEN_PRICE(rate, volumes, cost, decline, outlay, floor, assumed(**told))
    unsold = npv(rate, volumes, cost, decline, 0.0, outlay, floor, **told)
    if isinstance(price, str):
        assert price == "#NUM!"
        assert unsold > 0
        return
    value = npv(rate, volumes, cost, decline, price, outlay, floor, **told)
    held = max((1 + rate) ** (-len(volumes) / 12), 1.0)
    size = held * (told["opex_per_month"] * len(volumes) + told["residual"] + outlay)
    grown = moved(rate, volumes) * (cost + floor) * 2.0 ** (len(volumes) / 6)
    assert abs(value) <= 1e-9 * (size + grown + abs(unsold))


@law
@given(RATES, paths(3), amounts(), TAXES)
def test_the_breakeven_utilization_breaks_even(rate, series, outlay, told):
    """BREAKEVEN_UTILIZATION of the capacity sold makes the value 0; over 1 it is #N/A."""
    capacity, costs, prices = series
    told = {**told, "price_decline": 0.0}
    assume(any(c * p > 0 for c, p in zip(capacity, prices, strict=True)))
    share = xltoken.BREAKEVEN_UTILIZATION(rate, capacity, costs, prices, outlay, assumed(**told))

    def worth(sold: float) -> float:
        # The costs of a month as the unit cost of one token more, which earns nothing.
        paid = list(costs) + [0.0] * len(costs)
        del paid[len(costs) :]
        volumes = [sold * c for c in capacity]
        revenue = npv(rate, volumes, [0.0] * len(volumes), 0.0, prices, outlay, **told)
        cost = npv(
            rate, [1.0] * len(volumes), paid, 0.0, 0.0, timing=told["timing"],
            tax_rate=told["tax_rate"],
        )  # fmt: skip
        return revenue + cost

    held = max((1 + rate) ** (-len(costs) / 12), 1.0)
    size = held * (told["opex_per_month"] * len(costs) + told["residual"] + outlay + sum(costs))
    size += moved(rate, capacity, prices)
    if share == "#N/A":
        assert worth(1.0) < 1e-9 * size
    elif share == "#NUM!":
        assert worth(0.0) > -1e-9 * size
    else:
        assert 0 <= number(share) <= 1
        assert abs(worth(number(share))) <= 1e-9 * size


FLOWS = st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=14)


def roots(flows: list[float], periods: float = 1.0) -> list[float]:
    """Internal rates, none where there is none."""
    found = xltoken.IRR_ALL(flows, periods)
    if isinstance(found, str):
        assert found == "#NUM!", found.message
        return []
    return [row[0] for row in found]


@law
@given(FLOWS)
def test_at_every_internal_rate_the_flows_are_worth_nothing(flows):
    """Each rate of IRR_ALL discounts the flows to 0; they ascend and stand above -1."""
    found = roots(flows)
    assert all(a < b for a, b in pairwise(found))
    for rate in found:
        assert rate > -1
        terms = [flow * (1 + rate) ** -t for t, flow in enumerate(flows)]
        assert abs(math.fsum(terms)) <= 1e-9 * math.fsum(abs(term) for term in terms)


@pytest.mark.slow
@law
@given(FLOWS, numbers(1e-6, 1e6), st.sampled_from((-1.0, 1.0)))
def test_internal_rates_know_no_currency(flows, times, sign):
    """Flows in another currency, or seen from the other side, have the same rates."""
    base, other = roots(flows), roots([times * sign * flow for flow in flows])
    assert len(base) == len(other)
    assert all(close(1 + a, 1 + b, 0.0, 1e-6) for a, b in zip(base, other, strict=True))


@pytest.mark.slow
@law
@given(FLOWS, st.sampled_from((2.0, 4.0, 12.0)))
def test_internal_rates_are_annualised(flows, periods):
    """With n periods a year one plus the rate is the n-th power of that of one period."""
    yearly, base = roots(flows, periods), roots(flows)
    assume(all(rate < 1e6 and (1 + rate) ** periods > 1e-12 for rate in base))
    assert len(yearly) == len(base)
    for a, b in zip(yearly, base, strict=True):
        assert abs(a - ((1 + b) ** periods - 1)) <= 1e-9 * (1 + b) ** periods + 1e-12


@pytest.mark.slow
@law
@given(st.lists(st.integers(-19, 80), min_size=1, max_size=4, unique=True), numbers(1, 1e6))
def test_every_rate_built_into_flows_is_found(shares, outlay):
    """Flows multiplied out of rates at least 5 % apart have exactly those rates."""
    rates = sorted(share * 0.05 for share in shares)
    flows = np.array([-outlay])
    for rate in rates:
        flows = np.convolve(flows, [1.0, -(1.0 + rate)])
    found = roots(flows.tolist())
    assert len(found) == len(rates)
    assert all(abs(a - b) <= 1e-6 for a, b in zip(found, rates, strict=True))


@law
@given(numbers(1, 1e6), VOLUMES)
def test_an_outlay_and_inflows_have_one_rate(outlay, inflows):
    """Flows that change sign once have exactly one rate, positive where they bring more than cost."""
    assume(sum(inflows) > 1e-3)
    found = roots([-outlay, *inflows])
    assert len(found) == 1
    if not close(sum(inflows), outlay):
        assert (found[0] > 0) == (sum(inflows) > outlay)


CONVENTIONAL = st.tuples(numbers(1, 1e4), st.lists(amounts(1e3), min_size=2, max_size=48))


@law
@given(CONVENTIONAL, numbers(-0.3, 2.0), numbers(1e-3, 1e3), st.integers(1, 24))
def test_payback_knows_no_currency_and_no_calendar(flows, rate, times, later):
    """Payback is the same in another currency, and as much later as the program starts later."""
    outlay, inflows = flows
    base = known(xltoken.PAYBACK_MONTHS([-outlay, *inflows], rate))
    other = known(xltoken.PAYBACK_MONTHS([-outlay * times, *[f * times for f in inflows]], rate))
    shifted = known(xltoken.PAYBACK_MONTHS([*[0.0] * later, -outlay, *inflows], rate))
    assume(not close(sum(inflows), outlay))
    assert base == other or abs(base - other) <= 1e-6
    assert base + later == shifted or abs(base + later - shifted) <= 1e-6


@law
@given(CONVENTIONAL, numbers(0.0, 1.0), numbers(0.0, 1.0), st.data())
def test_more_money_pays_back_sooner(flows, rate, more, data):
    """An inflow more never lengthens a payback; a higher discount rate never shortens it."""
    outlay, inflows = flows
    base = known(xltoken.PAYBACK_MONTHS([-outlay, *inflows], rate))
    richer = list(inflows)
    richer[data.draw(st.integers(0, len(inflows) - 1))] += data.draw(numbers(0.0, 1e3))
    assert known(xltoken.PAYBACK_MONTHS([-outlay, *richer], rate)) <= base + 1e-6
    assert known(xltoken.PAYBACK_MONTHS([-outlay, *inflows], rate + more)) >= base - 1e-6


@law
@given(CONVENTIONAL)
def test_at_the_payback_the_money_is_back(flows):
    """Undiscounted, the money is not back a month before the payback, and is back a month after."""
    outlay, inflows = flows
    months = known(xltoken.PAYBACK_MONTHS([-outlay, *inflows]))
    total = np.cumsum([-outlay, *inflows])
    slack = 1e-9 * outlay
    if math.isinf(months):
        assert total[-1] < slack
    else:
        assert total[math.ceil(months)] >= -slack
        assert total[: math.ceil(months)].max(initial=-outlay) < slack


# --- depreciation ---------------------------------------------------------------------------------

METHODS = ("straight_line", "double_declining", "sum_of_years", "macrs_3", "macrs_5", "macrs_7")


def charges(cost: float, salvage: float, life: int, method: str) -> list[float]:
    """Charges of all years; the year after the last is out of range."""
    years = int(method[-1]) + 1 if method.startswith("macrs") else life
    found = [
        number(xltoken.DEPRECIATION_CHARGE(cost, salvage, life, year, method))
        for year in range(1, years + 1)
    ]
    assert xltoken.DEPRECIATION_CHARGE(cost, salvage, life, years + 1, method) == "#NUM!"
    return found


@law
@given(amounts(1e9), numbers(0.0, 1.0), st.integers(1, 100), st.sampled_from(METHODS))
def test_charges_add_up_to_what_was_paid(cost, share, life, method):
    """Charges are 0 or more and add up to cost less salvage, for MACRS to the cost."""
    salvage = share * cost
    found = charges(cost, salvage, life, method)
    assert all(c >= 0 for c in found)
    left = 0.0 if method.startswith("macrs") else salvage
    assert close(math.fsum(found), cost - left, cost, 1e-12)


@pytest.mark.slow
@law
@given(amounts(1e9), numbers(0.0, 1.0), st.integers(1, 100))
def test_methods_differ_in_when_never_in_how_much(cost, share, life):
    """Accelerated charges never grow and run ahead of the straight line in every year."""
    totals = {}
    for method in METHODS[:3]:
        found = charges(cost, share * cost, life, method)
        assert all(b <= a + 1e-9 * cost for a, b in pairwise(found))
        totals[method] = np.cumsum(found)
    for method in METHODS[1:3]:
        assert np.all(totals[method] >= totals["straight_line"] - 1e-9 * cost)


@law
@given(amounts(1e9), numbers(0.0, 1.0), st.lists(numbers(0.01, 1.0), min_size=1, max_size=8))
def test_units_of_production_add_up(cost, share, made):
    """Charges by units made add up to cost less salvage when all units are made."""
    salvage, life = share * cost, len(made)
    found = [
        number(
            xltoken.DEPRECIATION_CHARGE(cost, salvage, life, year, "units", unit / math.fsum(made))
        )
        for year, unit in enumerate(made, 1)
    ]
    assert close(math.fsum(found), cost - salvage, cost)


@law
@given(RATES, amounts(1e9), numbers(0.0, 1.0), st.integers(1, 8), FALLS, st.data())
def test_cost_lines_recover_the_outlay(rate, outlay, share, life, decline, data):
    """The accounting line times the volumes adds up to the outlay less salvage, undiscounted.

    The economic line recovers it with interest; the replacement line falls from it by the market's
    decline.
    """
    salvage, years = share * outlay, range(1, life + 1)
    volumes = data.draw(st.lists(numbers(1.0, 1e4), min_size=12 * life, max_size=12 * life))
    sold = [math.fsum(volumes[12 * y - 12 : 12 * y]) for y in years]
    found = table(xltoken.COST_LINES(rate, outlay, volumes, life, salvage, decline))
    assert [row[0] for row in found] == ["accounting", "economic", "replacement"]
    accounting, economic, replacement = (
        [line * tokens for line, tokens in zip(row[1:], sold, strict=True)] for row in found
    )
    assert close(math.fsum(accounting), outlay - salvage, outlay)
    worth = [paid * (1 + rate) ** -y for paid, y in zip(economic, years, strict=True)]
    left = salvage * (1 + rate) ** -life
    assert close(math.fsum(worth), outlay - left, outlay + left)
    for year, newcomer, owner in zip(years, replacement, economic, strict=True):
        assert close(newcomer, owner * (1 - decline) ** (year - 1), outlay)


# --- curves ---------------------------------------------------------------------------------------

STARTS = numbers(1e-4, 1e4)


@law
@given(STARTS, numbers(0, 120), numbers(0, 120), FALLS, amounts(100), numbers(0.0, 1.0))
def test_cost_curves_fall_and_keep_their_floor(start, month, later, decline, floor, phi):
    """With a decline of 0 or more a curve of any shape never rises nor passes its floor."""
    for shape in ("exponential", "flat", "floor"):
        first, second = (
            number(xltoken.COST_CURVE(start, m, decline, floor, shape, phi))
            for m in (month, month + later)
        )
        assert floor <= second <= first * (1 + 1e-12) <= max(start, floor) * (1 + 1e-9)
        if shape == "floor":
            assert second >= phi * start * (1 - 1e-12)


@law
@given(STARTS, numbers(-60, 120), numbers(-60, 120), DECLINES)
def test_declines_compound(start, month, later, decline):
    """A curve from the cost at a month is the same curve; a year takes the decline off."""
    there = number(xltoken.COST_CURVE(start, month, decline))
    assert close(
        number(xltoken.COST_CURVE(there, later, decline)),
        number(xltoken.COST_CURVE(start, month + later, decline)),
    )
    assert close(number(xltoken.COST_CURVE(start, 12.0, decline)), start * (1 - decline))


@law
@given(STARTS, numbers(1e-3, 1e6), numbers(1e-3, 1e6), numbers(1e-3, 1e6), numbers(0.0, 0.9))
def test_experience_halves_at_each_doubling(start, initial, volume, other, learning):
    """Each doubling takes the learning rate off; the way there does not matter."""
    cost = number(xltoken.LEARNING_CURVE(start, volume, learning, initial))
    twice = number(xltoken.LEARNING_CURVE(start, 2 * volume, learning, initial))
    assert close(twice, cost * (1 - learning))
    assert close(number(xltoken.LEARNING_CURVE(start, initial, learning, initial)), start)
    by_way_of = number(xltoken.LEARNING_CURVE(cost, other, learning, volume))
    assert close(by_way_of, number(xltoken.LEARNING_CURVE(start, other, learning, initial)))


def fitted(months: list[float], costs: list[float], shape: str) -> dict[str, object]:
    """COST_CURVE_FIT by name."""
    return dict(table(xltoken.COST_CURVE_FIT(months, costs, shape)))


MONTHS = st.lists(st.integers(0, 60), min_size=4, max_size=12, unique=True).map(
    lambda found: [float(m) for m in sorted(found)]
)


@law
@given(MONTHS, STARTS, DECLINES, numbers(1e-3, 1e3))
def test_a_fit_recovers_an_exponential(months, start, decline, times):
    """COST_CURVE_FIT of what COST_CURVE made gives its start and decline, in any currency."""
    costs = [number(xltoken.COST_CURVE(start, m, decline)) for m in months]
    for factor in (1.0, times):
        found = fitted(months, [factor * c for c in costs], "exponential")
        assert close(found["start"], start * factor, 0.0, 1e-7)
        assert abs(found["decline"] - decline) <= 1e-7
        assert found["rmse_log"] <= 1e-7
        assert found["n"] == len(months)
        assert close(found["factor_per_year"], 1 - decline, 0.0, 1e-6)


@pytest.mark.slow
@law
@given(MONTHS, STARTS, numbers(0.1, 0.9), numbers(0.05, 0.9))
def test_a_fit_recovers_a_floor(months, start, decline, phi):
    """A fit of shape floor goes through what COST_CURVE made with a floor."""
    costs = [number(xltoken.COST_CURVE(start, m, decline, 0.0, "floor", phi)) for m in months]
    found = fitted(months, costs, "floor")
    assert found["rmse_log"] <= 1e-5
    again = (found["start"], found["decline"], 0.0, "floor", found["floor_share"])
    start_, decline_, floor_, shape, share = again
    for month, cost in zip(months, costs, strict=True):
        drawn = number(xltoken.COST_CURVE(start_, month, decline_, floor_, shape, share))
        assert close(drawn, cost, 0.0, 1e-4)


@law
@given(MONTHS, st.lists(numbers(1e-3, 1e3), min_size=12, max_size=12))
def test_a_richer_shape_never_fits_worse(months, costs):
    """Exponential fits any costs at least as well as flat, which is their geometric mean."""
    seen = costs[: len(months)]
    flat, exponential = (fitted(months, seen, shape) for shape in ("flat", "exponential"))
    assert exponential["rmse_log"] <= flat["rmse_log"] * (1 + 1e-9) + 1e-12
    mean = math.exp(math.fsum(math.log(c) for c in seen) / len(seen))
    assert close(flat["start"], mean)


# --- risk -----------------------------------------------------------------------------------------

PROGRAM = st.tuples(
    numbers(-0.2, 0.5),
    numbers(1, 1e4),
    numbers(0.01, 10),
    numbers(0.0, 0.6),
    numbers(0.01, 10),
    amounts(),
)
SMALL = {"paths": 256.0, "horizon_months": 12.0}


def simulated(program, **told):
    """NPV_SIMULATION by name."""
    return dict(table(xltoken.NPV_SIMULATION(*program, assumed(**{**SMALL, **told}))))


@law
@given(PROGRAM, timings, st.integers(0, 1000).map(float))
def test_without_spreads_a_simulation_is_certain(program, timing, seed):
    """With all spreads 0 every figure of NPV_SIMULATION is NPV_DECLINING, bit for bit."""
    certain = {"cost_decline_sd": 0.0, "price_decline_sd": 0.0, "volume_sd": 0.0}
    found = simulated(program, timing=timing, seed=seed, **certain)
    value = npv(*program, timing=timing, horizon_months=12.0)
    assert {found[name] for name in ("mean", "p5", "p10", "p50", "p90", "p95")} == {value}
    assert found["sd"] == 0.0
    assert found["chance of loss"] == float(value < 0)


SPREADS = st.fixed_dictionaries(
    {
        "cost_decline_sd": numbers(0.0, 0.3),
        "price_decline_sd": numbers(0.0, 0.3),
        "volume_sd": numbers(0.0, 0.3),
        "correlation": numbers(-1.0, 1.0),
        "seed": st.integers(0, 3).map(float),
        "timing": timings,
    }
)


@law
@given(PROGRAM, SPREADS, numbers(0.0, 1e6))
def test_a_seed_is_a_sample(program, spreads, more):
    """A seed gives the same figures again, in order; an outlay more shifts all of them by itself."""
    found = simulated(program, **spreads)
    assert found == simulated(program, **spreads)
    ranked = [found[name] for name in ("p5", "p10", "p50", "p90", "p95")]
    assert ranked == sorted(ranked)
    assert found["sd"] >= 0
    assert 0 <= found["chance of loss"] <= 1
    assert found["paths"] == 256
    assert found["chance of loss"] <= 0.5 if found["p50"] > 0 else found["p50"] <= 0
    assert found["chance of loss"] >= 0.5 if found["p50"] < 0 else found["p50"] >= 0
    dearer = simulated((*program[:5], program[5] + more), **spreads)
    size = max(abs(f) for f in ranked) + program[5] + more
    for name in ("mean", "p5", "p50", "p95"):
        assert close(dearer[name], found[name] - more, size)
    assert close(dearer["sd"], found["sd"], size, 1e-6)


@law
@given(PROGRAM, SPREADS)
def test_the_mean_of_a_simulation_is_the_expected_value(program, spreads):
    """The mean of the paths lies within 5 standard errors of NPV_DECLINING."""
    found = simulated(program, **spreads)
    value = npv(*program, timing=spreads["timing"], horizon_months=12.0)
    assert abs(found["mean"] - value) <= 5 * found["sd"] / math.sqrt(256) + 1e-9 * abs(value)


def bars(program, spread, **told):
    """Rows of NPV_TORNADO under its header."""
    header, *rows = table(xltoken.NPV_TORNADO(*program, spread, assumed(**told) or None))
    assert header == ["driver", "low", "high", "NPV low", "NPV high", "swing"]
    return rows


@law
@given(PROGRAM, numbers(0.0, 0.5), timings, numbers(0.0, 0.5))
def test_a_tornado_is_sorted_and_straddles_its_base(program, spread, timing, tax):
    """Swings fall from bar to bar; where a driver only helps or only hurts the base is inside."""
    told = {"timing": timing, "tax_rate": tax, "horizon_months": 12.0, "opex_per_month": 5.0}
    rate = program[0]
    base = npv(*program, **told)
    rows = bars(program, spread, **told)
    assert len(rows) == 10
    assert all(a[5] >= b[5] for a, b in pairwise(rows))
    outlay, earned = program[5], program[1] * (program[2] + program[4]) * 12 / (1 + rate)
    size = outlay + abs(earned) + abs(base) + 60 * max(1 / (1 + rate), 1)
    signs = {"unit_cost": -1, "price": 1, "investment": -1, "decline": 1, "opex_per_month": -1}
    for driver, low, high, value_low, value_high, swing in rows:
        assert close(swing, abs(value_high - value_low), size)
        assert min(low, high) <= max(low, high)
        if driver in signs:
            ends = (value_low, value_high)[:: signs[driver]]
            assert ends[0] <= base + 1e-9 * size
            assert ends[1] >= base - 1e-9 * size


@law
@given(PROGRAM, numbers(0.0, 0.5), timings)
def test_a_bar_is_a_value_with_one_input_moved(program, spread, timing):
    """Each end of a bar is NPV_DECLINING with that input at value x (1 -/+ spread)."""
    order = ("discount_rate", "volumes", "unit_cost", "decline", "price", "investment")
    told = {"timing": timing, "horizon_months": 12.0}
    found = {row[0]: row for row in bars(program, spread, **told)}
    for position, name in enumerate(order):
        for sign, place in ((-1.0, 1), (1.0, 2)):
            moved_input = list(program)
            moved_input[position] *= 1 + sign * spread
            assert found[name][place] == moved_input[position]
            assert found[name][place + 2] == npv(*moved_input, **told)


# --- decision -------------------------------------------------------------------------------------


@law
@given(RATES, paths(3, 1e3), amounts(), TAXES)
def test_building_is_compared_with_buying(rate, series, outlay, told):
    """The field npv is build less buy; buy and build are the values of their costs."""
    volumes, api, own = series
    told = {**told, "price_decline": 0.0}

    def ask(field: str) -> object:
        return xltoken.BUY_OR_BUILD(rate, volumes, api, own, outlay, field, assumed(**told))

    buy, build = number(ask("buy")), number(ask("build"))
    assert number(ask("npv")) == build - buy
    assert build == npv(rate, volumes, own, 0.0, 0.0, outlay, **told)
    untold = {"timing": told["timing"], "tax_rate": told["tax_rate"]}
    assert buy == npv(rate, volumes, api, 0.0, 0.0, 0.0, **untold)


@pytest.mark.slow
@law
@given(RATES, paths(3, 1e3), amounts(1e4), timings)
def test_the_month_of_building_is_the_first_ahead(rate, series, outlay, timing):
    """In the month that is named building has cost less so far, and in none before."""
    volumes, api, own = series
    told = assumed(timing=timing)

    def ahead(months: int) -> tuple[float, float]:
        cut = [s[:months] for s in (volumes, api, own)]
        found = number(xltoken.BUY_OR_BUILD(rate, *cut, outlay, "npv", told))
        return found, moved(rate, cut[0], cut[1]) + moved(rate, cut[0], cut[2]) + outlay

    month = known(xltoken.BUY_OR_BUILD(rate, volumes, api, own, outlay, "month", told))
    last = len(volumes) if math.isinf(month) else int(month) - 1
    for months in range(2, last + 1):
        value, size = ahead(months)
        assert value <= 1e-9 * size
    if not math.isinf(month) and month > 1:
        value, size = ahead(int(month))
        assert value > -1e-9 * size
