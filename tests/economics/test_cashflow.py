"""Cash flows and NPV: closed forms, a second implementation, and examples by hand."""

import math

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.cashflow import Program, declining_path
from xltoken.economics.curves import Curve
from xltoken.economics.depreciation import METHODS
from xltoken.economics.discounting import TIMINGS, clock
from xltoken.economics.domain import DomainError

annual_rates = st.floats(-0.3, 1.5)
declines = st.floats(-0.5, 0.95)
usd_per_million = st.floats(0.01, 100.0)
timings = st.sampled_from(sorted(TIMINGS))
horizons = st.integers(1, 120)  # months
monthly_volumes = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60).map(np.array)


def program(months: int = 12, **changes: object) -> Program:
    """Return 10M tokens a month sold at USD 30 and made at USD 10 per 1M, by default for a year."""
    level = {
        "volumes": np.full(months, 10.0),
        "unit_costs": np.full(months, 10.0),
        "prices": np.full(months, 30.0),
    }
    return Program(**(level | changes))


@st.composite
def taxed(draw: st.DrawFn) -> Program:
    """Draw a program with tax, any depreciation, any residual and any horizon."""
    months = draw(horizons)
    return program(
        months,
        investment=draw(st.floats(0.0, 1e5)),
        tax_rate=draw(st.floats(0.0, 0.9)),
        method=draw(st.sampled_from(METHODS)),
        life_years=draw(st.integers(1, 8)),
        residual=draw(st.floats(0.0, 2e5)),
        opex_per_month=draw(st.floats(0.0, 1e3)),
        timing=draw(timings),
    )


@pytest.mark.parametrize("timing", sorted(TIMINGS))
@given(
    rate=annual_rates,
    decline=declines,
    unit_cost=usd_per_million,
    volume=st.floats(0.1, 1e6),
    months=horizons,
)
def test_declining_cost_npv_is_a_geometric_annuity(
    timing, rate, decline, unit_cost, volume, months
):
    """A level volume at a declining cost is worth -V c q^a (1 - q^n) / (1 - q), a = 1, 1/2 or 0.

    ``q = ((1 - d) / (1 + r)) ** (1/12)`` is a month of decline and discount together.
    """
    log_q = (math.log1p(-decline) - math.log1p(rate)) / 12
    first = {"end": 1.0, "mid": 0.5, "begin": 0.0}[timing]
    # expm1 keeps (1 - q^n) / (1 - q) exact where decline and discount almost cancel.
    annuity = math.expm1(months * log_q) / math.expm1(log_q) if log_q else float(months)
    expected = -volume * unit_cost * math.exp(first * log_q) * annuity

    costs = declining_path(unit_cost, decline, clock(months, timing))
    cost_only = Program(np.full(months, volume), costs, np.zeros(months), timing=timing)
    assert cost_only.npv(rate) == pytest.approx(expected, rel=1e-10)


@given(monthly_volumes, usd_per_million, declines, usd_per_million, annual_rates, st.floats(0, 1e6))
def test_npv_agrees_with_numpy_financial(volumes, unit_cost, decline, price, rate, investment):
    """numpy-financial has the same NPV, with the investment, or a leading 0, at month 0."""
    months = len(volumes)
    monthly = (1 + rate) ** (1 / 12) - 1
    prices = np.full(months, price)
    for timing, shift in (("end", 0.0), ("mid", 0.5)):
        costs = declining_path(unit_cost, decline, clock(months, timing))
        ours = Program(volumes, costs, prices, investment=investment, timing=timing)
        flows = volumes * (prices - costs)
        theirs = npf.npv(monthly, [0.0, *flows]) * (1 + monthly) ** shift - investment
        size = npf.npv(monthly, [investment, *np.abs(flows)])
        assert ours.npv(rate) == pytest.approx(theirs, rel=1e-9, abs=1e-9 * size)

    costs = declining_path(unit_cost, decline, clock(months, "begin"))
    ours = Program(volumes, costs, prices, investment=investment, timing="begin")
    flows = volumes * (prices - costs)
    size = npf.npv(monthly, [investment, *np.abs(flows)])
    expected = npf.npv(monthly, flows) - investment
    assert ours.npv(rate) == pytest.approx(expected, rel=1e-9, abs=1e-9 * size)


def test_npv_by_hand():
    """USD 100 in a half-yearly rhythm of 10 % against an investment of USD 150."""
    volumes = np.zeros(12)
    volumes[5], volumes[11] = 5.5, 6.05  # x (30 - 10) = USD 110 and USD 121
    value = program(volumes=volumes, investment=150.0).npv(0.21)
    assert value == pytest.approx(100.0 + 100.0 - 150.0, rel=1e-13)


def test_cost_only_npv_is_negative():
    """Outflows are negative: without a price the NPV is minus the discounted cost."""
    assert program(prices=np.zeros(12)).npv(0.0) == -12 * 10.0 * 10.0


@given(monthly_volumes, usd_per_million, annual_rates, timings)
def test_decline_zero_is_static_to_the_last_bit(volumes, unit_cost, rate, timing):
    """A path that does not decline gives the very float of a flat unit cost."""
    months = len(volumes)
    path = declining_path(unit_cost, 0.0, clock(months, timing))
    flat, none = np.full(months, unit_cost), np.zeros(months)
    declining = Program(volumes, path, none, timing=timing)
    static = Program(volumes, flat, none, timing=timing)
    assert declining.npv(rate) == static.npv(rate)


@given(taxed(), annual_rates)
def test_npv_is_the_visible_row(money, rate):
    """The NPV is the sum of cash flow x discount factor over the row, less the investment."""
    shift = {"end": 0.0, "mid": 0.5, "begin": 1.0}[money.timing]
    discounted = [
        flow / (1 + rate) ** ((t - shift) / 12) for t, flow in enumerate(money.cashflows(), 1)
    ]
    size = math.fsum(map(abs, discounted)) + money.investment
    expected = math.fsum(discounted) - money.investment
    assert money.npv(rate) == pytest.approx(expected, rel=1e-10, abs=1e-12 * size)


@given(st.floats(0.0, 1e6), annual_rates, timings)
def test_the_investment_falls_at_month_zero_undiscounted(investment, rate, timing):
    """Without tax an investment lowers the NPV by itself, whatever rate and timing."""
    without = program(timing=timing).npv(rate)
    paid = program(timing=timing, investment=investment).npv(rate)
    assert without - paid == pytest.approx(investment, rel=1e-9, abs=1e-9 * abs(without))


@pytest.mark.parametrize("method", METHODS)
def test_before_tax_depreciation_moves_no_cash(method):
    """Without tax every depreciation method gives the same cash, with and without a residual."""
    for residual in (0.0, 300.0):
        money = program(investment=1_200.0, residual=residual, method=method, life_years=3)
        expected = [200.0] * 11 + [200.0 + residual]
        assert money.cashflows() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("changes", "month", "last"),
    [
        # 0.75 x (10 x (30 - 10) - 20) = 135; straight line 1,200 / 12 = 100 a month saves 25.
        ({}, 160.0, 160.0),
        # (1,200 - 300) / 12 = 75 a month saves 18.75; the residual equals the book: no gain.
        ({"residual": 300.0}, 153.75, 453.75),
        # A residual above the cost leaves nothing to depreciate; its gain of 300 is taxed.
        ({"residual": 1_500.0}, 135.0, 1_560.0),
        # MACRS ignores the residual: 400 in year 1 saves 8.33 a month; the book is 800, so
        # selling for 300 is a loss of 500 that gives 125 of tax back.
        ({"residual": 300.0, "method": "macrs_3"}, 135.0 + 25 / 3, 560.0 + 25 / 3),
        # A life of 4 years charges 25 a month; 900 are written off at the end of month 12.
        ({"life_years": 4}, 141.25, 366.25),
        # A loss gives its tax back in the same month: 0.75 x -220 + 25.
        ({"prices": np.full(12, 10.0), "opex_per_month": 220.0}, -140.0, -140.0),
    ],
)
def test_after_tax_cash_by_hand(changes, month, last):
    """(1 - T)(revenue - cost - opex) + T x depreciation, residual less tax on its gain, in USD."""
    base = {
        "investment": 1_200.0,
        "tax_rate": 0.25,
        "life_years": 1,
        "opex_per_month": 20.0,
    }
    assert program(**(base | changes)).cashflows() == pytest.approx([month] * 11 + [last])


def test_depreciation_ends_with_the_life():
    """After the last year of life no tax is saved any more."""
    flows = program(24, investment=1_200.0, tax_rate=0.25, life_years=1).cashflows()
    assert flows == pytest.approx([175.0] * 12 + [150.0] * 12)


@given(taxed())
def test_undiscounted_tax_is_its_share_of_the_lifetime_profit(money):
    """At rate 0 the value is (1 - T)(margin + residual - investment), whatever the method."""
    margin = len(money.volumes) * (10.0 * 20.0 - money.opex_per_month)
    profit = margin + money.residual - money.investment
    size = abs(margin) + money.residual + money.investment
    expected = (1 - money.tax_rate) * profit
    assert money.npv(0.0) == pytest.approx(expected, rel=1e-9, abs=1e-11 * size)


@given(
    st.floats(0.0, 1.5),
    st.floats(0.0, 0.9),
    st.integers(1, 6),
    st.sampled_from(["double_declining", "sum_of_years"]),
)
def test_faster_depreciation_is_never_worth_less(rate, tax_rate, life_years, method):
    """At a rate of 0 or more, tax saved earlier is worth at least as much."""
    shared = {"investment": 1e4, "tax_rate": tax_rate, "life_years": life_years}
    straight = program(72, **shared)
    faster = program(72, method=method, **shared)
    assert faster.npv(rate) >= straight.npv(rate) - 1e-8


@given(declines, declines, st.floats(0.0, 1.0), annual_rates, timings)
def test_a_faster_decline_never_costs_more(one, other, floor, rate, timing):
    """The NPV of a cost never falls when its decline grows, with any floor."""
    months = clock(36, timing)
    slow, fast = (
        program(36, unit_costs=declining_path(10.0, d, months, floor * 10.0), timing=timing)
        for d in sorted((one, other))
    )
    assert fast.npv(rate) >= slow.npv(rate) - 1e-9 * abs(slow.npv(rate)) - 1e-9


@given(annual_rates, annual_rates, timings)
def test_a_higher_rate_never_raises_the_value_of_income(one, other, timing):
    """Where every month brings cash, a higher discount rate gives a lower NPV."""
    low, high = sorted((one, other))
    money = program(36, timing=timing)
    assert money.npv(high) <= money.npv(low) * (1 + 1e-12)


@given(usd_per_million, declines, st.floats(0.0, 200.0), timings)
def test_a_path_is_its_curve_on_the_clock(start, decline, floor, timing):
    """A declining path has the values of the exponential curve at the months of its payments."""
    months = clock(24, timing)
    curve = Curve(start, decline, floor)
    expected = [curve.value(float(month)) for month in months]
    assert declining_path(start, decline, months, floor).tolist() == expected


def test_a_path_by_hand():
    """At 75 % a year USD 8 per 1M tokens halve in six months and stop at the floor."""
    months = np.array([0.0, 6.0, 12.0, 18.0])
    assert declining_path(8.0, 0.75, months).tolist() == pytest.approx([8.0, 4.0, 2.0, 1.0])
    assert declining_path(8.0, 0.75, months, 3.0).tolist() == pytest.approx([8.0, 4.0, 3.0, 3.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": -1.0}, "a unit cost or price is 0 or more"),
        ({"start": math.nan}, "start must be a finite number"),
        ({"floor": -1.0}, "floor is a cost, 0 or more"),
        ({"floor": math.inf}, "floor must be a finite number"),
        ({"decline": 1.0}, "decline is an effective annual fraction below 1"),
        ({"decline": math.nan}, "decline must be a finite number"),
        ({"decline": -9.0, "months": np.array([12_000.0])}, "overflows"),
    ],
)
def test_a_path_refuses_what_it_is_not_defined_for(arguments, message):
    """Each argument out of its range is a DomainError that names it."""
    with pytest.raises(DomainError, match=message):
        declining_path(**({"start": 1.0, "decline": 0.3, "months": clock(3)} | arguments))


def test_a_path_that_overflows_is_a_domain_error():
    """A path too large for a float is a DomainError, as its factor alone would be."""
    with pytest.raises(DomainError):
        declining_path(1e308, -9.0, np.array([12.0]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"investment": -1.0}, "investment is entered positive: USD paid at month 0"),
        ({"investment": math.nan}, "investment must be a finite number"),
        ({"tax_rate": 1.0}, r"tax_rate is a share of profit in \[0, 1\)"),
        ({"tax_rate": -0.1}, r"tax_rate is a share of profit in \[0, 1\)"),
        ({"tax_rate": math.inf}, "tax_rate must be a finite number"),
        ({"residual": -1.0}, "residual is USD received at the end, 0 or more"),
        ({"residual": math.nan}, "residual must be a finite number"),
        ({"opex_per_month": math.inf}, "opex_per_month must be a finite number"),
        ({"volumes": np.full(12, -1.0)}, "volumes must be finite and 0 or more in every period"),
        ({"volumes": np.full(12, math.nan)}, "volumes must be finite and 0 or more"),
        ({"unit_costs": np.full(12, -1.0)}, "unit_cost must be finite and 0 or more"),
        ({"prices": np.full(12, math.inf)}, "price must be finite and 0 or more"),
    ],
)
def test_a_program_refuses_what_it_is_not_defined_for(changes, message):
    """Each figure out of its range is a DomainError that names it and its unit."""
    with pytest.raises(DomainError, match=message):
        program(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timing": "late"}, "timing is one of end, mid, begin"),
        ({"tax_rate": 0.2, "method": "annuity"}, "depreciation is one of straight_line"),
        ({"tax_rate": 0.2, "life_years": 0}, "a life is 1 year or more"),
    ],
)
def test_the_npv_refuses_unknown_terms(changes, message):
    """An unknown timing or method, or no life, has no NPV."""
    with pytest.raises(DomainError, match=message):
        program(investment=100.0, **changes).npv(0.1)


def test_a_program_of_no_months_has_no_npv():
    """A series without periods is a DomainError, not an NPV of 0."""
    with pytest.raises(DomainError, match="1 or more"):
        program(0).npv(0.1)


def test_series_of_different_length_are_refused():
    """Volumes, costs and prices have one value a month each; any other length is an error."""
    with pytest.raises(ValueError, match=r"volumes|length|shape"):
        program(volumes=np.ones(1)).npv(0.1)


def test_opex_may_vary_by_month():
    """One opex a month is taken off that month; a level one equals the number, bit for bit."""
    varied = program(3, opex_per_month=np.array([1.0, 2.0, 3.0]))
    assert varied.cashflows().tolist() == [199.0, 198.0, 197.0]
    level = program(12, opex_per_month=np.full(12, 7.0), tax_rate=0.2, investment=50.0)
    assert level.npv(0.1) == program(12, opex_per_month=7.0, tax_rate=0.2, investment=50.0).npv(0.1)


@pytest.mark.parametrize(
    ("opex", "message"),
    [
        (np.ones(11), "opex_per_month is one number or has the same number of months"),
        (np.full(12, math.nan), "opex_per_month must be a finite number in every period"),
    ],
)
def test_opex_by_month_has_its_own_months(opex, message):
    """An opex of other months, or no number, is a DomainError."""
    with pytest.raises(DomainError, match=message):
        program(12, opex_per_month=opex)
