"""From worksheet arguments and assumptions to the value of a token program."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from xltoken.economics.cashflow import Program, declining_path
from xltoken.economics.discounting import FloatArray, clock
from xltoken.economics.domain import require_series
from xltoken.model.assumptions import Assumptions, InputError

Series = float | FloatArray
"""A scalar for every period, or one value a period, shape (months,)."""


def program(
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    floor: float,
    assumptions: Assumptions,
) -> Program:
    """Build the program that NPV functions value.

    Parameters
    ----------
    volumes : float or ndarray, shape (months,)
        Millions of counted tokens a month.
    unit_cost, price : float or ndarray, shape (months,)
        USD per 1M tokens. A scalar is today's and declines on the clock of its payments
        (`decline`; the assumption ``price_decline``); an array is the path itself.
    decline : float
        Effective annual fraction by which a scalar `unit_cost` falls.
    investment : float
        USD at month 0, positive.
    floor : float
        USD per 1M tokens below which the unit cost never falls.
    assumptions : Assumptions
        ``horizon_months`` when all is scalar, ``timing``, tax and the rest.

    Raises
    ------
    InputError
        If ranges differ in length, or a path is given together with a decline.
    """
    months = months_of({"volumes": volumes, "unit_cost": unit_cost, "price": price}, assumptions)
    at = payments(months, assumptions)
    if isinstance(unit_cost, np.ndarray):
        if decline != 0:
            raise InputError(
                "a range for unit_cost is the path itself; with it, decline must be 0 or blank."
            )
        # Before the floor, which would lift a negative cost to 0 in silence.
        require_series("unit_cost", unit_cost)
        costs = np.maximum(unit_cost, declining_path(floor, 0.0, at))
    else:
        costs = declining_path(unit_cost, decline, at, floor)
    return Program(
        volumes=spread(volumes, months),
        unit_costs=costs,
        prices=price_path(price, at, assumptions),
        investment=investment,
        residual=float(assumptions.get("residual")),
        opex_per_month=float(assumptions.get("opex_per_month")),
        **terms(assumptions),
    )


def terms(assumptions: Assumptions) -> dict[str, Any]:
    """When money moves and how it is taxed, as arguments of a program."""
    return {
        "timing": str(assumptions.get("timing")),
        "tax_rate": float(assumptions.get("tax_rate")),
        "method": str(assumptions.get("depreciation")),
        "life_years": int(assumptions.get("life_years")),
    }


def payments(months: int, assumptions: Assumptions) -> FloatArray:
    """Months from today to each payment, shape (months,)."""
    return clock(months, str(assumptions.get("timing")))


def price_path(
    price: Series, at: FloatArray, assumptions: Assumptions, name: str = "price"
) -> FloatArray:
    """Price at each payment: a scalar falls by the assumption ``price_decline``, a range is itself.

    Raises
    ------
    InputError
        If a range is given together with a decline.
    """
    decline = float(assumptions.get("price_decline"))
    if not isinstance(price, np.ndarray):
        return declining_path(price, decline, at)
    if decline != 0 and assumptions.gives("price_decline"):
        raise InputError(
            f"a range for {name} is the path itself; with it, price_decline must be 0 or not given."
        )
    return price


def months_of(series: Mapping[str, Series], assumptions: Assumptions) -> int:
    """Months of a forecast: those of its ranges, which must agree; of scalars, horizon_months.

    Raises
    ------
    InputError
        If ranges differ in length.
    """
    lengths = {name: len(s) for name, s in series.items() if isinstance(s, np.ndarray)}
    if not lengths:
        return int(assumptions.get("horizon_months"))
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"ranges must have the same number of periods; they have: {told}.")
    return next(iter(lengths.values()))


def spread(series: Series, months: int) -> FloatArray:
    """One value a month: a scalar stands for every month."""
    return series if isinstance(series, np.ndarray) else np.full(months, float(series))
