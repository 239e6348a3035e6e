"""Decisions on a token program: the price or utilization it needs, and whether to buy or build."""

from typing import Final

import numpy as np

from xltoken.catalog.keys import NotKnown
from xltoken.economics.cashflow import Program, declining_path
from xltoken.economics.decision import Choice
from xltoken.economics.domain import require_series
from xltoken.economics.levelized import breakeven_multiple, levelized_cost
from xltoken.model.assumptions import NONE, Assumptions
from xltoken.model.valuation import (
    Series,
    months_of,
    payments,
    price_path,
    program,
    spread,
    terms,
)

_ROUNDING: Final = 1e-12
"""What rounding may add to a share of the whole capacity."""


def levelized(
    discount_rate: float,
    volumes: Series,
    costs: Series,
    investment: float,
    residual: float,
    timing: str,
) -> float:
    """Levelized cost in USD per 1M tokens.

    Parameters
    ----------
    discount_rate : float
        Effective annual rate above -1.
    volumes : float or ndarray, shape (months,)
        Millions of counted tokens a month.
    costs : float or ndarray, shape (months,)
        USD a month. Two scalars run for the default horizon.
    investment, residual : float
        USD at month 0 and at the end.
    timing : {"end", "mid", "begin"}
        When in its month money moves.

    Raises
    ------
    InputError
        If ranges differ in length.
    """
    months = months_of({"volumes": volumes, "costs": costs}, NONE)
    paths = spread(volumes, months), spread(costs, months)
    return levelized_cost(*paths, discount_rate, investment, residual, timing)


def breakeven_price(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    investment: float,
    floor: float,
    assumptions: Assumptions,
) -> float:
    """Today's price, in USD per 1M tokens, at which the program is worth nothing.

    Parameters
    ----------
    discount_rate : float
        Effective annual rate above -1.
    volumes, unit_cost, decline, investment, floor, assumptions
        As :func:`~xltoken.model.valuation.program`; the price falls by ``price_decline``.

    Raises
    ------
    InputError
        If ranges differ in length, or a path is given together with a decline.
    """
    costs = program(volumes, unit_cost, decline, 0.0, investment, floor, assumptions)
    at = payments(len(costs.volumes), assumptions)
    falling = declining_path(1.0, float(assumptions.get("price_decline")), at)
    with np.errstate(over="ignore"):
        revenue = costs.volumes * falling
    return breakeven_multiple(costs, revenue, discount_rate)


def breakeven_utilization(
    discount_rate: float,
    capacity: Series,
    costs: Series,
    price: Series,
    investment: float,
    assumptions: Assumptions,
) -> float:
    """Share of a capacity that must be sold for a program to be worth nothing.

    Parameters
    ----------
    discount_rate : float
        Effective annual rate above -1.
    capacity : float or ndarray, shape (months,)
        Millions of counted tokens a month at utilization 1.
    costs : float or ndarray, shape (months,)
        USD a month, whatever is sold; ``opex_per_month`` comes on top.
    price : float or ndarray, shape (months,)
        USD per 1M tokens; a scalar is today's and falls by ``price_decline``.
    investment : float
        USD at month 0, positive.
    assumptions : Assumptions
        ``horizon_months`` when all is scalar, ``timing``, tax and the rest.

    Raises
    ------
    InputError
        If ranges differ in length, or a path is given together with a decline.
    NotKnown
        If more than the whole capacity would have to be sold.
    """
    given = {"capacity": capacity, "costs": costs, "price": price}
    months = months_of(given, assumptions)
    prices = price_path(price, payments(months, assumptions), assumptions)
    sold, paid = spread(capacity, months), spread(costs, months)
    for name, series in (("capacity", sold), ("costs", paid), ("price", prices)):
        require_series(name, series)
    idle = np.zeros(months)
    with np.errstate(over="ignore"):
        opex = paid + float(assumptions.get("opex_per_month"))
        revenue = sold * prices
    unsold = Program(
        idle,
        idle,
        idle,
        investment=investment,
        residual=float(assumptions.get("residual")),
        opex_per_month=opex,
        **terms(assumptions),
    )
    share = breakeven_multiple(unsold, revenue, discount_rate)
    if share > 1 + _ROUNDING:
        raise NotKnown(
            f"{share:.4g} times the capacity would have to be sold: at this price it does not "
            "break even."
        )
    return min(share, 1.0)


def buy_or_build(
    volumes: Series,
    api_price: Series,
    unit_cost: Series,
    investment: float,
    assumptions: Assumptions,
) -> Choice:
    """Build the two programs of buying and of making the same tokens.

    Parameters
    ----------
    volumes : float or ndarray, shape (months,)
        Millions of counted tokens a month.
    api_price : float or ndarray, shape (months,)
        USD per 1M tokens bought; a scalar is today's and falls by ``price_decline``.
    unit_cost : float or ndarray, shape (months,)
        USD per 1M tokens made; a scalar is flat.
    investment : float
        USD at month 0 to build, positive.
    assumptions : Assumptions
        Timing and tax for both; depreciation, ``residual`` and ``opex_per_month`` for building.

    Raises
    ------
    InputError
        If ranges differ in length, or a path is given together with a decline.
    """
    given = {"volumes": volumes, "api_price": api_price, "unit_cost": unit_cost}
    months = months_of(given, assumptions)
    bought = price_path(api_price, payments(months, assumptions), assumptions, "api_price")
    served, paid = spread(volumes, months), spread(unit_cost, months)
    for name, series in (("api_price", bought), ("unit_cost", paid)):
        require_series(name, series)
    made = program(served, paid, 0.0, 0.0, investment, 0.0, assumptions)
    return Choice(Program(served, bought, np.zeros(months), **terms(assumptions)), made)
