import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_tools import assume

from xltoken.economics.domain import DomainError
from xltoken.economics.simulation import Summary
from xltoken.model.assumptions import InputError
from xltoken.model.risk import ASSUMED, npv_paths, npv_tornado, simulated
from xltoken.model.valuation import program

MONEY = st.floats(0.001, 100)
VOLUMES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60).map(np.array)
DECLINES = st.floats(-0.5, 0.8)
RATES = st.floats(-0.2, 0.8)
SDS = st.floats(0, 0.2)
SHARES = st.floats(0, 0.9)
ASSUMPTIONS = st.builds(
    lambda timing, tax_rate, opex_per_month, residual, price_decline, depreciation, sds, rho: {
        "timing": timing,
        "tax_rate": tax_rate,
        "opex_per_month": opex_per_month,
        "residual": residual,
        "price_decline": price_decline,
        "depreciation": depreciation,
        "cost_decline_sd": sds[0],
        "price_decline_sd": sds[1],
        "volume_sd": sds[2],
        "correlation": rho,
    },
    st.sampled_from(["end", "mid", "begin"]),
    SHARES,
    MONEY,
    MONEY,
    DECLINES,
    st.sampled_from(["straight_line", "sum_of_years", "macrs_5"]),
    st.tuples(SDS, SDS, SDS),
    st.floats(-1, 1),
)


@settings(max_examples=60)
@given(RATES, VOLUMES, MONEY, DECLINES, MONEY, st.floats(0, 1e6), ASSUMPTIONS, st.integers(0, 99))
def test_the_mean_is_the_npv(
    rate: float,
    volumes: np.ndarray,
    unit_cost: float,
    decline: float,
    price: float,
    investment: float,
    told: Mapping[str, object],
    seed: int,
) -> None:
    """The mean is the NPV of the expected path within 3 standard errors, also after tax."""
    assumptions = assume(**told, paths=2048.0, seed=float(seed))
    summary = simulated(rate, volumes, unit_cost, decline, price, investment, assumptions)
    built = program(volumes, unit_cost, decline, price, investment, 0.0, assumptions)
    error = summary.sd / math.sqrt(summary.paths)
    money = investment + float(built.volumes @ (built.prices + built.unit_costs)) * 10
    assert abs(summary.mean - built.npv(rate)) <= 3 * error + 1e-9 * (1 + money)


@given(RATES, VOLUMES, MONEY, DECLINES, MONEY, st.floats(0, 1e6), ASSUMPTIONS)
def test_without_spreads_every_figure_is_the_npv(
    rate: float,
    volumes: np.ndarray,
    unit_cost: float,
    decline: float,
    price: float,
    investment: float,
    told: Mapping[str, object],
) -> None:
    """With every sd 0 mean and percentiles are the NPV to the last bit, and sd is 0."""
    certain = {**told, "cost_decline_sd": 0.0, "price_decline_sd": 0.0, "volume_sd": 0.0}
    assumptions = assume(**certain, paths=37.0)
    npv = program(volumes, unit_cost, decline, price, investment, 0.0, assumptions).npv(rate)
    found = simulated(rate, volumes, unit_cost, decline, price, investment, assumptions)
    assert found == Summary(npv, 0.0, (npv,) * 5, float(npv < 0), 37)


@given(st.floats(0, 0.9), st.sampled_from(["end", "mid", "begin"]), st.floats(0, 1e4))
def test_a_path_is_a_program_with_moved_costs_and_volumes(
    tax_rate: float, timing: str, opex: float
) -> None:
    """Each path is worth what the program of its own volumes, costs and prices is worth."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    told = {
        "tax_rate": tax_rate, "timing": timing, "opex_per_month": opex, "residual": 50.0,
        "price_decline": 0.2, "cost_decline_sd": 0.3, "price_decline_sd": 0.2, "volume_sd": 0.25,
        "correlation": -0.4, "seed": 9.0, "paths": 8.0,
    }  # fmt: skip
    volumes = np.linspace(100, 900, 30)
    expected = program(volumes, 2.0, 0.4, 3.0, 500.0, 0.0, assume(**told))
    found = npv_paths(expected, 0.1, assume(**told))
    shift = {"end": 0.0, "mid": 0.5, "begin": 1.0}[timing]
    years = (np.arange(1, 31) - shift) / 12
    draws = ndtri(qmc.Sobol(3, scramble=True, bits=30, seed=9).random_base2(3) + 2.0**-31)
    for value, (one, two, three) in zip(found, draws, strict=True):
        both = -0.4 * one + math.sqrt(1 - 0.4**2) * two
        costs = expected.unit_costs * np.exp(0.3 * years * one - (0.3 * years) ** 2 / 2)
        prices = expected.prices * np.exp(0.2 * years * both - (0.2 * years) ** 2 / 2)
        sold = volumes * math.exp(0.25 * three - 0.25**2 / 2)
        path = program(sold, costs, 0.0, prices, 500.0, 0.0, assume(**{**told, "price_decline": 0}))
        assert value == pytest.approx(path.npv(0.1), rel=1e-9, abs=1e-6)


def test_money_beyond_every_number_is_refused() -> None:
    """A program whose revenue overflows is refused before a path is drawn."""
    with pytest.raises(DomainError, match="beyond every number"):
        simulated(0.1, 1e308, 1.0, 0.0, 1e308, 0.0, assume())


# --- tornado -------------------------------------------------------------------------------------

DRIVERS = [
    "discount_rate", "volumes", "unit_cost", "decline", "price", "investment", *ASSUMED,
]  # fmt: skip
BASE = (0.1, 1000.0, 0.11, 0.5, 0.25, 1000.0)
TOLD = {"price_decline": 0.2, "opex_per_month": 10.0, "tax_rate": 0.25, "residual": 100.0}


def npv(*arguments: object, **told: object) -> float:
    """NPV in USD of a program without a floor."""
    rate, *others = arguments
    return program(*others, 0.0, assume(**told)).npv(rate)


def test_every_driver_moves_alone() -> None:
    """Each bar is the NPV with that input times 1 - spread and 1 + spread, the others as told."""
    bars = {bar.driver: bar for bar in npv_tornado(*BASE, 0.1, assume(**TOLD))}
    assert sorted(bars) == sorted(DRIVERS)
    for position, value in enumerate(BASE):
        bar = bars[DRIVERS[position]]
        assert (bar.low, bar.high) == (value * 0.9, value * 1.1)
        for end, found in ((bar.low, bar.result_low), (bar.high, bar.result_high)):
            moved = [*BASE[:position], end, *BASE[position + 1 :]]
            assert found == npv(*moved, **TOLD)
    for name, value in TOLD.items():
        bar = bars[name]
        assert (bar.low, bar.high) == (value * 0.9, value * 1.1)
        assert bar.result_low == npv(*BASE, **{**TOLD, name: bar.low})
        assert bar.result_high == npv(*BASE, **{**TOLD, name: bar.high})


def test_a_range_moves_as_a_whole() -> None:
    """A range shows the factors on it, and is worth what it is worth times them."""
    volumes = np.linspace(500, 1500, 24)
    unit_cost = np.linspace(0.11, 0.05, 24)
    price = np.linspace(0.25, 0.2, 24)
    bars = npv_tornado(0.1, volumes, unit_cost, 0.0, price, 1000.0, 0.3, assume())
    named = {bar.driver: bar for bar in bars}
    for name in ("volumes", "unit_cost", "price"):
        assert (named[name].low, named[name].high) == (0.7, 1.3)
    assert named["volumes"].result_high == npv(0.1, volumes * 1.3, unit_cost, 0.0, price, 1000.0)
    assert named["unit_cost"].result_low == npv(0.1, volumes, unit_cost * 0.7, 0.0, price, 1000.0)
    assert named["price"].result_high == npv(0.1, volumes, unit_cost, 0.0, price * 1.3, 1000.0)
    assert named["decline"].swing == named["price_decline"].swing == 0.0


def test_a_range_and_its_scalar_have_the_same_bars() -> None:
    """A scalar and a range of it over the horizon are worth the same at both ends."""
    flat = (0.1, 1000.0, 0.11, 0.0, 0.25, 1000.0)
    ranged = (0.1, np.full(60, 1000.0), np.full(60, 0.11), 0.0, np.full(60, 0.25), 1000.0)
    one, two = (npv_tornado(*told, 0.2, assume()) for told in (flat, ranged))
    assert [(b.driver, b.result_low, b.result_high) for b in one] == [
        (b.driver, b.result_low, b.result_high) for b in two
    ]


def test_the_scenarios_price_decline_leaves_a_price_path_alone() -> None:
    """A scenario's price decline is a driver of a scalar price, and none of a path's."""
    price = np.full(60, 0.25)
    told = {"scenario": "conservative"}
    bars = npv_tornado(0.1, 1000.0, 0.11, 0.5, price, 0.0, 0.2, assume(**told))
    bar = next(b for b in bars if b.driver == "price_decline")
    assert (bar.low, bar.high, bar.swing) == (0.0, 0.0, 0.0)
    scalar = npv_tornado(0.1, 1000.0, 0.11, 0.5, 0.25, 0.0, 0.2, assume(**told))
    bar = next(b for b in scalar if b.driver == "price_decline")
    assert (bar.low, bar.high) == (0.4, 0.6)
    with pytest.raises(InputError, match="price_decline must be 0"):
        npv_tornado(0.1, 1000.0, 0.11, 0.5, price, 0.0, 0.2, assume(price_decline=0.1))


def test_ties_keep_the_order_of_the_drivers() -> None:
    """Inputs that move nothing stand last, in their own order."""
    bars = npv_tornado(0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, assume())
    assert [bar.driver for bar in bars] == DRIVERS


@pytest.mark.parametrize(
    ("changed", "told", "driver"),
    [
        ({3: 0.9}, {}, "decline at 1.08"),
        ({0: -0.9}, {}, "discount_rate at -1.08"),
        ({}, {"tax_rate": 0.85}, "tax_rate at 1.02"),
        ({}, {"price_decline": 0.95}, "price_decline at 1.14"),
        ({2: np.full(3, 1.7e308), 3: 0.0, 4: 0.0, 1: 1e-300}, {}, "unit_cost at 1.2"),
    ],
)
def test_a_driver_that_leaves_its_domain_is_named(
    changed: Mapping[int, object], told: Mapping[str, object], driver: str
) -> None:
    """An input outside its domain at one end is refused with its name and value there."""
    arguments = [changed.get(position, value) for position, value in enumerate(BASE)]
    with pytest.raises(DomainError, match=f"driver {driver}: .* Take a smaller spread"):
        npv_tornado(*arguments, 0.2, assume(**told))


def test_a_wrong_input_is_not_blamed_on_its_ends() -> None:
    """An input that is wrong as it stands is refused as such, without a driver's name."""
    with pytest.raises(DomainError, match=r"^decline is an effective"):
        npv_tornado(0.1, 1000.0, 0.11, 1.5, 0.25, 0.0, 0.2, assume())


def test_nothing_times_infinity_is_refused_in_words() -> None:
    """Where discounting overflows and a price is 0, the refusal is a sentence and not a warning."""
    with pytest.raises(DomainError) as refused:
        simulated(-0.999999, np.full(600, 1e300), 0.0, 0.0, 0.0, 0.0, assume())
    assert str(refused.value) == ("the revenues or costs of the program are beyond every number.")
