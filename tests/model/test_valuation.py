import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import assume

from xltoken.economics.domain import DomainError
from xltoken.model.assumptions import InputError
from xltoken.model.valuation import Series, program

TIMINGS = st.sampled_from(["end", "mid", "begin"])
MONEY = st.floats(0.001, 100)
VOLUMES = st.lists(st.floats(0, 1e6), min_size=1, max_size=72).map(np.array)
DECLINES = st.floats(-0.9, 0.95)
RATES = st.floats(-0.5, 2)


def npv(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float = 0.0,
    price: Series = 0.0,
    investment: float = 0.0,
    floor: float = 0.0,
    **told: object,
) -> float:
    """NPV in USD."""
    built = program(volumes, unit_cost, decline, price, investment, floor, assume(**told))
    return built.npv(discount_rate)


def test_by_hand() -> None:
    """Two months at the end: costs and prices on the clock of their payments, discounted."""
    # The unit cost falls to 0.7 a year, the price to 0.5; money at 21 % a year.
    cost = [2 * 0.7 ** (t / 12) for t in (1, 2)]
    price = [5 * 0.5 ** (t / 12) for t in (1, 2)]
    margin = [100 * (p - c) - 40 for p, c in zip(price, cost, strict=True)]
    expected = margin[0] / 1.21 ** (1 / 12) + margin[1] / 1.21 ** (2 / 12) - 300
    told = {"price_decline": 0.5, "opex_per_month": 40}
    found = npv(0.21, np.array([100.0, 100.0]), 2.0, 0.3, 5.0, 300.0, **told)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("timing", "tau"), [("end", 1.0), ("mid", 0.5), ("begin", 0.0)])
def test_every_decline_runs_on_the_clock_of_payments(timing: str, tau: float) -> None:
    """Cost, price and discount of a month are taken at the moment its money moves."""
    told = {"timing": timing, "price_decline": 0.2}
    found = npv(0.1, np.array([10.0]), 3.0, 0.4, 7.0, **told)
    margin = 10 * (7 * 0.8 ** (tau / 12) - 3 * 0.6 ** (tau / 12))
    assert found == pytest.approx(margin * 1.1 ** (-tau / 12), rel=1e-12)


@given(VOLUMES, MONEY, MONEY, RATES, TIMINGS)
def test_no_decline_is_flat(
    volumes: np.ndarray, unit_cost: float, price: float, rate: float, timing: str
) -> None:
    """Decline 0 equals a flat path of the same unit cost, bit for bit."""
    flat = np.full(len(volumes), unit_cost)
    declining = npv(rate, volumes, unit_cost, 0.0, price, 10.0, timing=timing)
    assert declining == npv(rate, volumes, flat, 0.0, price, 10.0, timing=timing)


@given(VOLUMES, MONEY, RATES, TIMINGS)
def test_flat_price_is_a_path(volumes: np.ndarray, price: float, rate: float, timing: str) -> None:
    """A price that does not decline equals the path of itself, bit for bit."""
    path = np.full(len(volumes), price)
    assert npv(rate, volumes, 1.0, 0.3, price, timing=timing) == npv(
        rate, volumes, 1.0, 0.3, path, timing=timing
    )


@given(VOLUMES, MONEY, DECLINES, DECLINES, RATES, st.floats(0, 1), TIMINGS)
def test_faster_decline_is_worth_more(
    volumes: np.ndarray,
    unit_cost: float,
    one: float,
    other: float,
    rate: float,
    floor: float,
    timing: str,
) -> None:
    """A cost that falls faster never makes the value smaller."""
    slow, fast = (
        npv(rate, volumes, unit_cost, decline, 1.0, 5.0, floor, timing=timing)
        for decline in sorted([one, other])
    )
    assert fast >= slow - 1e-9 * (1 + abs(slow))


@given(VOLUMES, MONEY, st.floats(0, 5), st.floats(0, 5), RATES)
def test_higher_floor_is_worth_less(
    volumes: np.ndarray, unit_cost: float, one: float, other: float, rate: float
) -> None:
    """A floor under the cost never makes the value larger."""
    low, high = (npv(rate, volumes, unit_cost, 0.5, floor=f) for f in sorted([one, other]))
    assert high <= low + 1e-9 * (1 + abs(low))


@given(st.data(), MONEY, DECLINES, MONEY, RATES, st.floats(0, 0.9), TIMINGS)
def test_additive_in_volumes(
    data: st.DataObject,
    unit_cost: float,
    decline: float,
    price: float,
    rate: float,
    tax_rate: float,
    timing: str,
) -> None:
    """Without an investment the value of two volumes together is the sum of their values."""
    months = data.draw(st.integers(1, 60))
    series = st.lists(st.floats(0, 1e6), min_size=months, max_size=months).map(np.array)
    one, other = data.draw(series), data.draw(series)
    told = {"timing": timing, "tax_rate": tax_rate, "price_decline": 0.3}
    parts = [npv(rate, v, unit_cost, decline, price, **told) for v in (one, other)]
    gross = npv(rate, one + other, unit_cost, decline, 0.0) - npv(
        rate, one + other, 0.0, 0.0, price
    )
    together = npv(rate, one + other, unit_cost, decline, price, **told)
    assert together == pytest.approx(sum(parts), abs=1e-9 * (1 + abs(gross)))


@given(VOLUMES, MONEY, DECLINES, RATES, RATES, st.sampled_from(["end", "mid"]))
def test_costs_weigh_less_at_a_higher_rate(
    volumes: np.ndarray, unit_cost: float, decline: float, one: float, other: float, timing: str
) -> None:
    """The value of costs alone is negative and rises with the discount rate."""
    low, high = (
        npv(rate, volumes, unit_cost, decline, timing=timing) for rate in sorted([one, other])
    )
    assert low <= high <= 0
    if volumes.sum() > 1 and abs(one - other) > 0.01:
        assert low < high < 0


@given(VOLUMES, MONEY, DECLINES, RATES, st.floats(1.01, 10))
def test_costs_grow_with_volume(
    volumes: np.ndarray, unit_cost: float, decline: float, rate: float, times: float
) -> None:
    """The value of costs alone falls with the volume, in proportion."""
    once = npv(rate, volumes, unit_cost, decline)
    more = npv(rate, volumes * times, unit_cost, decline)
    assert more <= once
    assert more == pytest.approx(once * times, rel=1e-9)


@given(st.floats(0, 1e6), MONEY, st.integers(1, 600), TIMINGS)
def test_scalars_hold_for_the_horizon(
    volume: float, unit_cost: float, months: int, timing: str
) -> None:
    """Scalars alone are a forecast of horizon_months, the same as a range of that length."""
    told = {"timing": timing}
    alone = npv(0.1, volume, unit_cost, 0.3, 1.0, horizon_months=months, **told)
    assert alone == npv(0.1, np.full(months, volume), unit_cost, 0.3, 1.0, **told)


def test_default_horizon() -> None:
    """Without a range the forecast has sixty months."""
    assert program(1.0, 1.0, 0.0, 0.0, 0.0, 0.0, assume()).volumes.shape == (60,)


@pytest.mark.parametrize(
    ("volumes", "unit_cost", "price"),
    [
        (np.ones(7), 1.0, 1.0),
        (1.0, np.ones(7), 1.0),
        (1.0, 1.0, np.ones(7)),
        (np.ones(7), np.ones(7), np.ones(7)),
    ],
)
def test_any_range_sets_the_length(volumes: Series, unit_cost: Series, price: Series) -> None:
    """A range wherever it stands sets the number of months; horizon_months does not count."""
    told = assume(horizon_months=24)
    built = program(volumes, unit_cost, 0.0, price, 0.0, 0.0, told)
    assert len(built.volumes) == len(built.unit_costs) == len(built.prices) == 7


def test_ranges_of_different_length() -> None:
    """Ranges of different length are refused with their lengths."""
    with pytest.raises(InputError, match="volumes 3, price 2"):
        program(np.ones(3), 1.0, 0.0, np.ones(2), 0.0, 0.0, assume())


def test_empty_range() -> None:
    """A forecast without a month is outside the domain."""
    with pytest.raises(DomainError, match="1 period"):
        program(np.ones(0), 1.0, 0.0, 1.0, 0.0, 0.0, assume())


def test_path_with_a_decline() -> None:
    """A path for the unit cost together with a decline is refused."""
    with pytest.raises(InputError, match="decline must be 0"):
        npv(0.1, 1.0, np.ones(3), 0.3)


def test_path_above_its_floor() -> None:
    """A path never falls below the floor either."""
    path = np.array([3.0, 2.0, 1.0])
    built = program(1.0, path, 0.0, 0.0, 0.0, 1.5, assume())
    assert built.unit_costs.tolist() == [3.0, 2.0, 1.5]


def test_price_path_with_a_decline() -> None:
    """A price path with a price decline that the user gives is refused; a scenario's is not."""
    path = np.array([3.0, 2.0])
    with pytest.raises(InputError, match="price_decline must be 0"):
        npv(0.1, 1.0, 1.0, price=path, price_decline=0.2)
    assert npv(0.1, 1.0, 1.0, price=path, price_decline=0.0) == npv(0.1, 1.0, 1.0, price=path)
    conservative = npv(0.1, 1.0, 1.0, price=path, scenario="conservative")
    assert conservative == npv(0.1, 1.0, 1.0, price=path)


def test_conservative_price_falls_by_half() -> None:
    """Scenario conservative halves a scalar price in a year."""
    built = program(np.ones(12), 0.0, 0.0, 8.0, 0.0, 0.0, assume(scenario="conservative"))
    assert built.prices[-1] == pytest.approx(4.0, rel=1e-12)
    flat = program(np.ones(12), 0.0, 0.0, 8.0, 0.0, 0.0, assume(scenario="vendor"))
    assert set(flat.prices) == {8.0}


def test_tax_and_residual_reach_the_program() -> None:
    """After tax a year is (1 - T) margin + T x depreciation, then the residual less its tax."""
    # 120 invested over one year, nothing written down to: 10 a month; tax 25 %, residual 12,
    # so the base is 108, 9 a month, and the residual carries no gain.
    told = {"tax_rate": 0.25, "life_years": 1, "residual": 12}
    built = program(np.ones(12), 5.0, 0.0, 25.0, 120.0, 0.0, assume(**told))
    flows = built.cashflows()
    assert flows[:-1] == pytest.approx(0.75 * 20 + 0.25 * 9)
    assert flows[-1] == pytest.approx(0.75 * 20 + 0.25 * 9 + 12)
    switched = assume(depreciation="sum_of_years", **{**told, "life_years": 2})
    assert program(np.ones(12), 5.0, 0.0, 25.0, 120.0, 0.0, switched).method == "sum_of_years"


@pytest.mark.parametrize(
    ("volumes", "unit_cost", "decline", "price", "investment", "floor"),
    [
        (-1.0, 1.0, 0.0, 0.0, 0.0, 0.0),
        (1.0, -1.0, 0.0, 0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0, 0.0, 0.0, 0.0),
        (1.0, 1.0, 0.0, -1.0, 0.0, 0.0),
        (1.0, 1.0, 0.0, 0.0, -1.0, 0.0),
        (1.0, 1.0, 0.0, 0.0, 0.0, -1.0),
        (1.0, np.array([1.0, np.nan]), 0.0, 0.0, 0.0, 0.0),
        (np.array([1.0, np.inf]), 1.0, 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_outside_the_domain(
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    floor: float,
) -> None:
    """Negative or infinite money and volumes, and a decline of 1, are outside the domain."""
    with pytest.raises(DomainError):
        program(volumes, unit_cost, decline, price, investment, floor, assume())


def test_ranges_of_unlike_length_are_named() -> None:
    """The message has every range with its length, under the name of its argument."""
    with pytest.raises(InputError) as refused:
        npv(0.1, np.ones(3), np.ones(4), 0.0, np.ones(5))
    assert str(refused.value) == (
        "ranges must have the same number of periods; they have: volumes 3, unit_cost 4, price 5."
    )
