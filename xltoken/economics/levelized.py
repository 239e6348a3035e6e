"""The price at which a program is worth nothing: levelized cost and break-evens.

A net present value is a straight line in anything that scales the revenue, so each of these is a
quotient; none is searched for.
"""

import math
from typing import Final

import numpy as np

from xltoken.economics.cashflow import Program
from xltoken.economics.discounting import FloatArray, clock, discount_factors, present_value
from xltoken.economics.domain import require, require_finite, require_series

_ROUNDING: Final = 1e-12
"""Share of the sums invested and received below which a value is 0."""


def levelized_cost(
    volumes: FloatArray,
    costs: FloatArray,
    discount_rate: float,
    investment: float = 0.0,
    residual: float = 0.0,
    timing: str = "end",
) -> float:
    """Flat price at which the tokens pay for everything, discount rate included.

    Parameters
    ----------
    volumes : ndarray, shape (months,)
        Millions of tokens a month, 0 or more.
    costs : ndarray, shape (months,)
        USD a month, 0 or more.
    discount_rate : float
        Effective annual rate above -1.
    investment : float, default 0
        USD paid at month 0, entered positive.
    residual : float, default 0
        USD received for the hardware with the last month's payment, 0 or more.
    timing : {"end", "mid", "begin"}
        When in its month money moves.

    Returns
    -------
    float
        USD per 1M tokens: ``(investment + PV(costs) - PV(residual)) / PV(volumes)``.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.
    ZeroDivisionError
        If there are no tokens.

    Examples
    --------
    >>> levelized_cost(np.full(12, 100.0), np.full(12, 5.0), 0.0, investment=60.0)
    0.1
    """
    require_finite(investment=investment, residual=residual)
    require(investment >= 0, "investment is entered positive: USD paid at month 0.")
    require(residual >= 0, "residual is USD received at the end, 0 or more.")
    for name, series in (("volumes", volumes), ("costs", costs)):
        require_series(name, series)
    if not np.any(volumes):
        raise ZeroDivisionError("the volumes are 0 in every month: no tokens share the cost.")
    last = discount_factors(discount_rate, clock(len(volumes), timing)[-1:])
    with np.errstate(over="ignore", invalid="ignore"):
        paid = investment + present_value(costs, discount_rate, timing)
        tokens = present_value(volumes, discount_rate, timing)
    return _quotient(paid - residual * float(last[0]), tokens)


def breakeven_multiple(program: Program, revenue: FloatArray, discount_rate: float) -> float:
    """How many times a revenue a program needs to be worth nothing, after tax.

    Parameters
    ----------
    program : Program
        All of the program but its revenue; its prices are 0.
    revenue : ndarray, shape (months,)
        USD a month before tax, 0 or more, at multiple 1. With the volumes times the path of a
        price that starts at 1 the multiple is that starting price in USD per 1M tokens; with
        the capacity times the price it is the share of the capacity to be sold.
    discount_rate : float
        Effective annual rate above -1.

    Returns
    -------
    float
        ``-NPV(no revenue) / PV((1 - tax rate) revenue)``, 0 or more.

    Raises
    ------
    DomainError
        If the program is worth something without revenue already, or a value is beyond every
        number.
    ZeroDivisionError
        If there is no revenue at all.

    Examples
    --------
    >>> month = np.ones(12)
    >>> costs = Program(10 * month, 5 * month, 0 * month, investment=240.0)
    >>> breakeven_multiple(costs, 10 * month, 0.0)
    7.0
    """
    if not np.any(revenue):
        raise ZeroDivisionError(
            "there is nothing to sell: the volumes, or capacity times price, are 0 in every month."
        )
    worth = program.npv(discount_rate)
    require(
        worth <= _ROUNDING * (program.investment + program.residual),
        f"the program is worth {worth:,.6g} USD without any revenue already: at price 0, or with "
        "nothing sold. No price or utilization makes it worth 0.",
    )
    with np.errstate(over="ignore", invalid="ignore"):
        earned = present_value((1.0 - program.tax_rate) * revenue, discount_rate, program.timing)
    return _quotient(max(-worth, 0.0), earned)


def _quotient(amount: float, units: float) -> float:
    require(
        math.isfinite(amount) and math.isfinite(units) and units > 0,
        "the present values are beyond every number, or too small for one.",
    )
    value = amount / units
    require(math.isfinite(value), "the result is beyond every number.")
    return value + 0.0
