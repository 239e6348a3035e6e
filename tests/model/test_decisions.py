"""Decisions by hand: levelized cost, break-evens, and buying or building, under every assumption."""

import itertools

import numpy as np
import pytest
from model_tools import assume

from xltoken.catalog.keys import NotKnown
from xltoken.economics.domain import DomainError
from xltoken.model.assumptions import NONE, InputError
from xltoken.model.decisions import (
    breakeven_price,
    breakeven_utilization,
    buy_or_build,
    levelized,
)
from xltoken.model.valuation import program

RATE = 0.21
BEFORE = {"end": 0.0, "mid": 0.5, "begin": 1.0}
"""Months by which a payment comes before the end of its month."""
CHARGES = {
    ("straight_line", 5): [1 / 5] * 5,
    ("straight_line", 2): [1 / 2] * 2,
    ("sum_of_years", 5): [5 / 15, 4 / 15, 3 / 15, 2 / 15, 1 / 15],
    ("sum_of_years", 2): [2 / 3, 1 / 3],
}
"""Share of investment less residual that each year of a life is charged."""
TAXED = {"tax_rate": 0.25}
ALL = {
    "timing": "mid",
    "tax_rate": 0.25,
    "depreciation": "sum_of_years",
    "life_years": 2,
    "residual": 60,
    "opex_per_month": 7,
    "price_decline": 0.4,
}
# Assumptions, and those they are compared with: what is added must count.
EACH = [
    ({"timing": "mid"}, {}),
    ({"timing": "begin"}, {}),
    (TAXED, {}),
    (TAXED | {"depreciation": "sum_of_years"}, TAXED),
    (TAXED | {"life_years": 2}, TAXED),
    (TAXED | {"residual": 60}, TAXED),
    ({"residual": 60}, {}),
    ({"opex_per_month": 7}, {}),
    ({"price_decline": 0.4}, {}),
    ({"price_decline": -0.4}, {}),
    (ALL, {}),
    (ALL, {k: v for k, v in ALL.items() if k != "life_years"}),
]
MONTHS = 30


def clock(months, told):
    """Months from today to each payment."""
    return [t - BEFORE[told.get("timing", "end")] for t in range(1, months + 1)]


def present(flows, told, rate=RATE):
    """Worth today of one amount a month."""
    return sum(
        flow * (1 + rate) ** (-at / 12)
        for flow, at in zip(flows, clock(len(flows), told), strict=True)
    )


def falling(start, decline, months, told, floor=0.0):
    """A scalar at each payment."""
    return [max(start * (1 - decline) ** (at / 12), floor) for at in clock(months, told)]


def worth(margins, investment, told, rate=RATE):
    """Net present value of a margin a month, after opex, tax and residual, as DESIGN.md has it."""
    tax, residual = told.get("tax_rate", 0.0), told.get("residual", 0.0)
    life = told.get("life_years", 5)
    shares = CHARGES[told.get("depreciation", "straight_line"), life]
    yearly = [(investment - residual) * share for share in shares]
    charges = [yearly[m // 12] / 12 if m < 12 * life else 0.0 for m in range(len(margins))]
    flows = [
        (1 - tax) * (margin - told.get("opex_per_month", 0.0)) + tax * charge
        for margin, charge in zip(margins, charges, strict=True)
    ]
    book = investment - sum(charges)
    flows[-1] += residual - tax * (residual - book)
    return present(flows, told, rate) - investment


def kept(revenue, told, rate=RATE):
    """Worth today of a revenue a month after tax."""
    return (1 - told.get("tax_rate", 0.0)) * present(revenue, told, rate)


# --- levelized cost ------------------------------------------------------------------------------


def test_levelized_cost_without_a_rate() -> None:
    """At a rate of 0 it is investment, less the residual, plus costs, over the tokens."""
    volumes, costs = np.full(12, 100.0), np.full(12, 5.0)
    assert levelized(0.0, volumes, costs, 60.0, 0.0, "end") == pytest.approx(0.1, rel=1e-12)
    assert levelized(0.0, volumes, costs, 60.0, 24.0, "end") == pytest.approx(0.08, rel=1e-12)
    assert levelized(0.0, volumes, costs, 0.0, 0.0, "end") == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize("timing", BEFORE)
def test_levelized_cost_on_the_clock(timing) -> None:
    """Costs, tokens and the residual are discounted from the moment of their payment."""
    volumes, costs, told = [100.0, 300.0, 50.0], [40.0, 10.0, 90.0], {"timing": timing}
    residual = 20 * (1 + RATE) ** (-(3 - BEFORE[timing]) / 12)
    by_hand = (60 + present(costs, told) - residual) / present(volumes, told)
    found = levelized(RATE, np.array(volumes), np.array(costs), 60.0, 20.0, timing)
    assert found == pytest.approx(by_hand, rel=1e-12)


def test_levelized_cost_of_scalars_runs_sixty_months() -> None:
    """Two scalars run for the default horizon of 60 months, one beside a range for its months."""
    assert levelized(0.0, 10.0, 5.0, 600.0, 0.0, "end") == pytest.approx(1.5, rel=1e-12)
    two = np.array([10.0, 30.0])
    assert levelized(0.0, two, 5.0, 30.0, 0.0, "end") == pytest.approx(1.0, rel=1e-12)
    assert levelized(0.0, 10.0, two, 30.0, 0.0, "end") == pytest.approx(3.5, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        (
            {"volumes": np.ones(3), "costs": np.ones(2)},
            InputError,
            "ranges must have the same number of periods; they have: volumes 3, costs 2.",
        ),
        ({"volumes": -1.0}, DomainError, "volumes must be finite and 0 or more in every period."),
        ({"costs": -1.0}, DomainError, "costs must be finite and 0 or more in every period."),
        (
            {"volumes": 0.0},
            ZeroDivisionError,
            "the volumes are 0 in every month: no tokens share the cost.",
        ),
        (
            {"investment": -1.0},
            DomainError,
            "investment is entered positive: USD paid at month 0.",
        ),
        ({"residual": -1.0}, DomainError, "residual is USD received at the end, 0 or more."),
        ({"timing": "late"}, DomainError, "timing is one of end, mid, begin; it is 'late'."),
        (
            {"discount_rate": -1.0},
            DomainError,
            "the discount rate is an effective annual rate above -1; it is -1.",
        ),
    ],
)
def test_errors_of_levelized_cost(given, kind, told) -> None:
    """Each input that makes no levelized cost is named in a sentence."""
    usual = {
        "discount_rate": 0.1,
        "volumes": 1.0,
        "costs": 1.0,
        "investment": 1.0,
        "residual": 0.0,
        "timing": "end",
    }
    with pytest.raises(kind) as refused:
        levelized(**usual | given)
    assert str(refused.value) == told


# --- break-even price ----------------------------------------------------------------------------


def test_breakeven_price_without_a_rate() -> None:
    """At a rate of 0 and a flat price it is the unit cost and the investment over the tokens."""
    ten = np.full(12, 10.0)
    assert breakeven_price(0.0, ten, 5.0, 0.0, 240.0, 0.0, NONE) == pytest.approx(7.0, rel=1e-12)
    assert breakeven_price(0.0, ten, 5.0, 0.0, 0.0, 0.0, NONE) == pytest.approx(5.0, rel=1e-12)
    assert breakeven_price(0.0, ten, 0.0, 0.0, 240.0, 0.0, NONE) == pytest.approx(2.0, rel=1e-12)
    assert breakeven_price(0.0, ten, 5.0, 0.0, 240.0, 6.0, NONE) == pytest.approx(8.0, rel=1e-12)


def price_needed(told, floor=1.5):
    """Today's price by hand: 100 tokens a month, a unit cost of 2 falling by 0.3, 900 invested."""
    cost = falling(2.0, 0.3, MONTHS, told, floor)
    revenue = [100 * p for p in falling(1.0, told.get("price_decline", 0.0), MONTHS, told)]
    return -worth([-100 * c for c in cost], 900.0, told) / kept(revenue, told)


@pytest.mark.parametrize(("told", "less"), EACH)
def test_breakeven_price_under_each_assumption(told, less) -> None:
    """Timing, tax, depreciation, life, residual, opex and price decline count as by hand."""
    arguments = (RATE, np.full(MONTHS, 100.0), 2.0, 0.3, 900.0, 1.5)
    found = breakeven_price(*arguments, assume(**told))
    assert found == pytest.approx(price_needed(told), rel=1e-11)
    assert abs(found / breakeven_price(*arguments, assume(**less)) - 1) > 1e-3


def test_the_floor_of_the_unit_cost_counts() -> None:
    """A floor under the unit cost raises the price that is needed, as by hand."""
    volumes = np.full(MONTHS, 100.0)
    for floor in (0.0, 1.9):
        found = breakeven_price(RATE, volumes, 2.0, 0.3, 900.0, floor, NONE)
        assert found == pytest.approx(price_needed({}, floor), rel=1e-12)


def test_breakeven_price_of_scalars_runs_the_horizon() -> None:
    """Scalars run for horizon_months, 60 unless given."""
    for months, told in ((60, {}), (7, {"horizon_months": 7})):
        found = breakeven_price(0.0, 10.0, 5.0, 0.0, 420.0, 0.0, assume(**told))
        assert found == pytest.approx(5 + 42 / months, rel=1e-12)


def test_breakeven_price_of_a_path_of_costs() -> None:
    """A range for the unit cost is the path itself, its months those of the forecast."""
    found = breakeven_price(0.0, 10.0, np.array([1.0, 4.0, 7.0]), 0.0, 60.0, 3.0, NONE)
    assert found == pytest.approx((3 + 4 + 7) / 3 + 2, rel=1e-12)


def test_the_scenarios_price_decline_counts() -> None:
    """Under conservative the price falls by half a year, so it has to start higher."""
    arguments = (RATE, np.full(MONTHS, 100.0), 2.0, 0.3, 900.0, 1.5)
    found = breakeven_price(*arguments, assume(scenario="conservative"))
    assert found == pytest.approx(price_needed({"price_decline": 0.5}), rel=1e-11)


@pytest.mark.parametrize("told", [{}, ALL], ids=["none", "all"])
def test_at_the_breakeven_price_the_program_is_worth_nothing(told) -> None:
    """A program valued at that price is worth 0."""
    arguments = (np.full(MONTHS, 100.0), 2.0, 0.3)
    price = breakeven_price(RATE, *arguments, 900.0, 1.5, assume(**told))
    built = program(*arguments, price, 900.0, 1.5, assume(**told))
    assert built.npv(RATE) == pytest.approx(0.0, abs=1e-9)


NOTHING_TO_SELL = (
    "there is nothing to sell: the volumes, or capacity times price, are 0 in every month."
)
WORTH_ALREADY = (
    "the program is worth {} USD without any revenue already: at price 0, or with nothing sold. "
    "No price or utilization makes it worth 0."
)
TOO_BIG = "the present values are beyond every number, or too small for one."


@pytest.mark.parametrize(
    ("given", "assumed", "kind", "told"),
    [
        (
            {"volumes": np.ones(3), "unit_cost": np.ones(2)},
            {},
            InputError,
            "ranges must have the same number of periods; they have: volumes 3, unit_cost 2.",
        ),
        (
            {"unit_cost": np.ones(2), "decline": 0.1},
            {},
            InputError,
            "a range for unit_cost is the path itself; with it, decline must be 0 or blank.",
        ),
        (
            {"unit_cost": np.array([1.0, -1.0])},
            {},
            DomainError,
            "unit_cost must be finite and 0 or more in every period.",
        ),
        ({"unit_cost": -1.0}, {}, DomainError, "a unit cost or price is 0 or more."),
        ({"floor": -1.0}, {}, DomainError, "floor is a cost, 0 or more."),
        (
            {"decline": 1.0},
            {},
            DomainError,
            "decline is an effective annual fraction below 1 (0.30 means 30 % a year); it is 1.",
        ),
        ({"volumes": -1.0}, {}, DomainError, "volumes must be finite and 0 or more in every period."),
        (
            {"investment": -1.0},
            {},
            DomainError,
            "investment is entered positive: USD paid at month 0.",
        ),
        ({"volumes": 0.0}, {}, ZeroDivisionError, NOTHING_TO_SELL),
        (
            {"discount_rate": 0.0, "unit_cost": 0.0, "investment": 5.0},
            {"residual": 1239.5},
            DomainError,
            WORTH_ALREADY.format("1,234.5"),
        ),
        ({"volumes": 1e308, "unit_cost": 0.0}, {"price_decline": -9}, DomainError, TOO_BIG),
        ({"volumes": 1e308, "unit_cost": 10.0}, {}, DomainError, "the present value is beyond every number."),
    ],
)  # fmt: skip
def test_errors_of_the_breakeven_price(given, assumed, kind, told) -> None:
    """Each input that has no break-even price is named in a sentence."""
    usual = {
        "discount_rate": 0.1,
        "volumes": 1.0,
        "unit_cost": 1.0,
        "decline": 0.0,
        "investment": 1.0,
        "floor": 0.0,
    }
    with pytest.raises(kind) as refused:
        breakeven_price(**usual | given, assumptions=assume(**assumed))
    assert str(refused.value) == told


# --- break-even utilization ----------------------------------------------------------------------


def test_breakeven_utilization_without_a_rate() -> None:
    """At a rate of 0 it is costs and investment over what the whole capacity brings."""
    ten = np.full(12, 10.0)
    found = breakeven_utilization(0.0, ten, 5.0, 2.0, 0.0, NONE)
    assert found == pytest.approx(0.25, rel=1e-12)
    found = breakeven_utilization(0.0, ten, 5.0, 2.0, 60.0, NONE)
    assert found == pytest.approx(0.5, rel=1e-12)
    found = breakeven_utilization(0.0, 10.0, np.array([1.0, 5.0]), np.array([3.0, 1.0]), 4.0, NONE)
    assert found == pytest.approx(0.25, rel=1e-12)


def share_needed(told, price=None):
    """Share by hand: a capacity of 100 a month, 80 USD a month, a price of 4, 900 invested."""
    price = price or falling(4.0, told.get("price_decline", 0.0), MONTHS, told)
    return -worth([-80.0] * MONTHS, 900.0, told) / kept([100 * p for p in price], told)


@pytest.mark.parametrize(("told", "less"), EACH)
def test_breakeven_utilization_under_each_assumption(told, less) -> None:
    """Timing, tax, depreciation, life, residual, opex and price decline count as by hand."""
    arguments = (RATE, np.full(MONTHS, 100.0), 80.0, 4.0, 900.0)
    found = breakeven_utilization(*arguments, assume(**told))
    assert 0 < found < 1
    assert found == pytest.approx(share_needed(told), rel=1e-11)
    assert abs(found / breakeven_utilization(*arguments, assume(**less)) - 1) > 1e-3


def test_breakeven_utilization_of_scalars_runs_the_horizon() -> None:
    """Scalars run for horizon_months, 60 unless given."""
    for months, told in ((60, {}), (7, {"horizon_months": 7})):
        found = breakeven_utilization(0.0, 10.0, 1.0, 5.0, 42.0, assume(**told))
        assert found == pytest.approx((1 + 42 / months) / 50, rel=1e-12)


def test_one_range_gives_the_months() -> None:
    """Capacity, costs or price as a range each set the months; scalars stand for every one."""
    two = np.array([1.0, 3.0])
    found = breakeven_utilization(0.0, 10 * two, 1.0, 5.0, 20.0, NONE)
    assert found == pytest.approx(22 / 200, rel=1e-12)
    found = breakeven_utilization(0.0, 10.0, two, 5.0, 20.0, NONE)
    assert found == pytest.approx(24 / 100, rel=1e-12)
    found = breakeven_utilization(0.0, 10.0, 1.0, 5 * two, 20.0, NONE)
    assert found == pytest.approx(22 / 200, rel=1e-12)


def test_a_path_of_prices_is_itself_under_a_scenario() -> None:
    """The price decline of a scenario leaves a range for the price alone."""
    path = [4.0 + month / 10 for month in range(MONTHS)]
    arguments = (RATE, 100.0, 80.0, np.array(path), 900.0)
    found = breakeven_utilization(*arguments, assume(scenario="conservative"))
    assert found == pytest.approx(share_needed({}, path), rel=1e-12)


@pytest.mark.parametrize("over", [1.0, np.nextafter(1.0, 2.0), 1.0 + 1e-12])
def test_rounding_does_not_make_a_program_fail(over) -> None:
    """A share that only rounding carries beyond the whole capacity is the whole capacity."""
    one = np.ones(1)
    assert breakeven_utilization(0.0, one, over * one, one, 0.0, NONE) == 1.0


@pytest.mark.parametrize(
    ("costs", "share"), [(1.5, "1.5"), (12.34567, "12.35"), (1.0 + 4e-12, "1")]
)
def test_more_than_the_whole_capacity_is_not_known(costs, share) -> None:
    """Where more than all would have to be sold the figure stands in the sentence."""
    one = np.ones(1)
    with pytest.raises(NotKnown) as refused:
        breakeven_utilization(0.0, one, costs * one, one, 0.0, NONE)
    assert refused.value.args[0] == (
        f"{share} times the capacity would have to be sold: at this price it does not break even."
    )


@pytest.mark.parametrize(
    ("given", "assumed", "kind", "told"),
    [
        (
            {"capacity": np.ones(3), "costs": np.ones(2), "price": np.ones(4)},
            {},
            InputError,
            "ranges must have the same number of periods; they have: capacity 3, costs 2, price 4.",
        ),
        (
            {"price": np.ones(2)},
            {"price_decline": 0.1},
            InputError,
            "a range for price is the path itself; with it, price_decline must be 0 or not given.",
        ),
        ({"capacity": -1.0}, {}, DomainError, "capacity must be finite and 0 or more in every period."),
        ({"costs": -1.0}, {}, DomainError, "costs must be finite and 0 or more in every period."),
        ({"costs": np.array([1.0, np.nan])}, {}, DomainError, "costs must be finite and 0 or more in every period."),
        ({"price": np.array([1.0, -1.0])}, {}, DomainError, "price must be finite and 0 or more in every period."),
        ({"price": -1.0}, {}, DomainError, "a unit cost or price is 0 or more."),
        ({"investment": -1.0}, {}, DomainError, "investment is entered positive: USD paid at month 0."),
        ({"capacity": 0.0}, {}, ZeroDivisionError, NOTHING_TO_SELL),
        ({"price": 0.0}, {}, ZeroDivisionError, NOTHING_TO_SELL),
        (
            {"discount_rate": 0.0, "costs": 0.0, "investment": 5.0},
            {"residual": 1239.5},
            DomainError,
            WORTH_ALREADY.format("1,234.5"),
        ),
        ({"capacity": 1e308, "price": 1e308}, {}, DomainError, TOO_BIG),
        (
            {"costs": 1e308},
            {"opex_per_month": 1e308},
            DomainError,
            "opex_per_month must be a finite number in every period.",
        ),
    ],
)  # fmt: skip
def test_errors_of_the_breakeven_utilization(given, assumed, kind, told) -> None:
    """Each input that has no break-even utilization is named in a sentence."""
    usual = {
        "discount_rate": 0.1,
        "capacity": 10.0,
        "costs": 1.0,
        "price": 1.0,
        "investment": 1.0,
    }
    with pytest.raises(kind) as refused:
        breakeven_utilization(**usual | given, assumptions=assume(**assumed))
    assert str(refused.value) == told


# --- buy or build --------------------------------------------------------------------------------


def test_buy_or_build_without_a_rate() -> None:
    """At a rate of 0: buying costs tokens times price, building the investment and its unit cost."""
    choice = buy_or_build(np.full(12, 10.0), 5.0, 2.0, 100.0, NONE)
    assert choice.buy.npv(0.0) == pytest.approx(-600.0, rel=1e-12)
    assert choice.build.npv(0.0) == pytest.approx(-340.0, rel=1e-12)
    assert choice.npv(0.0) == pytest.approx(260.0, rel=1e-12)
    assert choice.month(0.0) == 4  # 30 USD saved a month against 100
    assert buy_or_build(np.full(3, 10.0), 5.0, 2.0, 100.0, NONE).month(0.0) is None


@pytest.mark.parametrize(("told", "less"), EACH)
def test_buying_and_building_under_each_assumption(told, less) -> None:
    """Timing and tax count for both, the price's decline for buying, the rest for building."""
    arguments = (np.full(MONTHS, 100.0), 3.0, 1.0, 900.0)
    choice = buy_or_build(*arguments, assume(**told))
    price = falling(3.0, told.get("price_decline", 0.0), MONTHS, told)
    buy = -kept([100 * p for p in price], told)
    build = worth([-100.0] * MONTHS, 900.0, told)
    assert choice.buy.npv(RATE) == pytest.approx(buy, rel=1e-11)
    assert choice.build.npv(RATE) == pytest.approx(build, rel=1e-11)
    assert choice.npv(RATE) == pytest.approx(build - buy, rel=1e-10)
    other = buy_or_build(*arguments, assume(**less))
    assert abs(choice.npv(RATE) / other.npv(RATE) - 1) > 1e-3


@pytest.mark.parametrize(
    ("told", "month"),
    [({}, 10), ({"opex_per_month": 50}, 22), ({"price_decline": 0.2}, 12), (TAXED, 13)],
)
def test_the_month_in_which_building_has_cost_less(told, month) -> None:
    """The month is the first whose discounted savings so far exceed the investment."""
    volumes = np.full(36, 50.0)
    choice = buy_or_build(volumes, 3.0, 1.0, 900.0, assume(**told))
    price = falling(3.0, told.get("price_decline", 0.0), 36, told)
    tax, opex = told.get("tax_rate", 0.0), told.get("opex_per_month", 0.0)
    saved = [
        ((1 - tax) * (50 * (p - 1) - opex) + tax * 900 / 60) * (1 + RATE) ** (-at / 12)
        for p, at in zip(price, clock(36, told), strict=True)
    ]
    so_far = itertools.accumulate(saved, initial=-900.0)
    assert next(m for m, total in enumerate(so_far) if total > 0) == month
    assert choice.month(RATE) == month


def test_buy_or_build_of_scalars_runs_the_horizon() -> None:
    """Scalars run for horizon_months, 60 unless given; one range gives the months."""
    for months, told in ((60, {}), (7, {"horizon_months": 7})):
        choice = buy_or_build(10.0, 5.0, 2.0, 100.0, assume(**told))
        assert choice.npv(0.0) == pytest.approx(30 * months - 100, rel=1e-12)
    two = np.array([1.0, 3.0])
    assert buy_or_build(10 * two, 5.0, 2.0, 100.0, NONE).npv(0.0) == pytest.approx(20.0)
    assert buy_or_build(10.0, 5 * two, 2.0, 100.0, NONE).npv(0.0) == pytest.approx(60.0)
    assert buy_or_build(10.0, 5.0, 2 * two, 100.0, NONE).npv(0.0) == pytest.approx(-80.0)


def test_a_scenario_leaves_a_path_of_bought_prices_alone() -> None:
    """The price decline of a scenario does not touch a range for the price of buying."""
    choice = buy_or_build(10.0, np.array([5.0, 4.0]), 2.0, 1.0, assume(scenario="conservative"))
    assert choice.buy.npv(0.0) == pytest.approx(-90.0, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "assumed", "kind", "told"),
    [
        (
            {"volumes": np.ones(3), "api_price": np.ones(2), "unit_cost": np.ones(4)},
            {},
            InputError,
            "ranges must have the same number of periods; they have: volumes 3, api_price 2, unit_cost 4.",
        ),
        (
            {"api_price": np.ones(2)},
            {"price_decline": 0.1},
            InputError,
            "a range for api_price is the path itself; with it, price_decline must be 0 or not given.",
        ),
        ({"api_price": np.array([1.0, -1.0])}, {}, DomainError, "api_price must be finite and 0 or more in every period."),
        ({"api_price": -1.0}, {}, DomainError, "a unit cost or price is 0 or more."),
        ({"unit_cost": np.array([1.0, np.inf])}, {}, DomainError, "unit_cost must be finite and 0 or more in every period."),
        ({"unit_cost": -1.0}, {}, DomainError, "unit_cost must be finite and 0 or more in every period."),
        ({"volumes": -1.0}, {}, DomainError, "volumes must be finite and 0 or more in every period."),
        ({"investment": -1.0}, {}, DomainError, "investment is entered positive: USD paid at month 0."),
    ],
)  # fmt: skip
def test_errors_of_buying_or_building(given, assumed, kind, told) -> None:
    """Each input that makes no choice is named in a sentence."""
    usual = {"volumes": 10.0, "api_price": 5.0, "unit_cost": 2.0, "investment": 1.0}
    with pytest.raises(kind) as refused:
        buy_or_build(**usual | given, assumptions=assume(**assumed))
    assert str(refused.value) == told
