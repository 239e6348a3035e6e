"""The risk of a token program: its value on many paths, and what moves it most."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from xltoken.economics.cashflow import Program
from xltoken.economics.discounting import FloatArray, clock, discount_factors
from xltoken.economics.sensitivity import Bar, tornado
from xltoken.economics.simulation import Spreads, Summary, simulate_npv, summarize
from xltoken.model.assumptions import Assumptions
from xltoken.model.valuation import Series, program

ASSUMED: Final = ("price_decline", "opex_per_month", "tax_rate", "residual")
"""Assumptions that a tornado moves, beside the arguments."""


def simulated(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    assumptions: Assumptions,
) -> Summary:
    """Value a program on many paths of unit cost, price and volume.

    Parameters
    ----------
    discount_rate : float
        Effective annual rate.
    volumes, unit_cost, decline, price, investment
        The expected program, as in :func:`~xltoken.model.valuation.program`.
    assumptions : Assumptions
        ``cost_decline_sd``, ``price_decline_sd``, ``volume_sd``, ``correlation``, ``paths`` and
        ``seed``, beside those of the program.

    Returns
    -------
    Summary
        Of the net present value, in USD.
    """
    built = program(volumes, unit_cost, decline, price, investment, 0.0, assumptions)
    return summarize(npv_paths(built, discount_rate, assumptions))


def npv_paths(built: Program, discount_rate: float, assumptions: Assumptions) -> FloatArray:
    """Net present value in USD of a program on every path, shape (paths,)."""
    months = clock(len(built.volumes), built.timing)
    with np.errstate(over="ignore", invalid="ignore"):
        weights = built.volumes * discount_factors(discount_rate, months)
        weights *= 1.0 - built.tax_rate
        revenues, costs = weights * built.prices, weights * built.unit_costs
    return simulate_npv(
        built.npv(discount_rate),
        revenues,
        costs,
        built.timing,
        Spreads(
            cost_decline_sd=assumptions.get("cost_decline_sd"),
            price_decline_sd=assumptions.get("price_decline_sd"),
            volume_sd=assumptions.get("volume_sd"),
            correlation=assumptions.get("correlation"),
        ),
        paths=int(assumptions.get("paths")),
        seed=int(assumptions.get("seed")),
    )


def npv_tornado(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    spread: float,
    assumptions: Assumptions,
) -> list[Bar]:
    """Move every input of a program alone, and value it at both ends.

    Parameters
    ----------
    discount_rate : float
        Effective annual rate.
    volumes, unit_cost, decline, price, investment
        The program, as in :func:`~xltoken.model.valuation.program`. A range moves as a whole: its
        ends are the factors on all of it.
    spread : float
        Share by which each input moves.
    assumptions : Assumptions
        Those of :data:`ASSUMED` move; the others are those of the program.

    Returns
    -------
    list of Bar
        Net present values in USD, largest swing first.

    Raises
    ------
    DomainError
        If an input leaves its domain at one of its ends; the message names it.
    InputError
        As :func:`~xltoken.model.valuation.program`.
    """
    # What is wrong with the inputs themselves is said of them, not of their ends.
    program(volumes, unit_cost, decline, price, investment, 0.0, assumptions).npv(discount_rate)
    base: dict[str, float] = {
        "discount_rate": discount_rate,
        "volumes": _start(volumes),
        "unit_cost": _start(unit_cost),
        "decline": decline,
        "price": _start(price),
        "investment": investment,
        **{name: float(assumptions.get(name)) for name in ASSUMED},
    }
    if isinstance(price, np.ndarray):
        base["price_decline"] = 0.0  # a path has none, whatever the scenario says

    def value(at: Mapping[str, float]) -> float:
        moved = {name: at[name] for name in ASSUMED if at[name] != base[name]}
        built = program(
            _moved(volumes, at["volumes"]),
            _moved(unit_cost, at["unit_cost"]),
            at["decline"],
            _moved(price, at["price"]),
            at["investment"],
            0.0,
            Assumptions(tuple(sorted({**dict(assumptions.given), **moved}.items()))),
        )
        return built.npv(at["discount_rate"])

    return tornado(value, base, spread)


def _start(series: Series) -> float:
    """Base of a driver: a scalar's own value, or the factor 1 on a range."""
    return 1.0 if isinstance(series, np.ndarray) else series


def _moved(series: Series, value: float) -> Series:
    if not isinstance(series, np.ndarray):
        return value
    with np.errstate(over="ignore"):
        return np.asarray(series * value)
