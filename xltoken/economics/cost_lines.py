"""What hardware adds to the cost of a token, year by year, on three views of its cost.

Accounting spreads the outlay evenly. The economic line is the equal yearly payment that recovers
the outlay with interest. The replacement line is that payment on hardware bought at the year's
market price: what a newcomer of that year would have to earn, and so what prices tend to where
hardware becomes cheaper.
"""

import math
from dataclasses import dataclass

import numpy as np

from xltoken.economics.curves import decline_factors
from xltoken.economics.depreciation import require_life
from xltoken.economics.discounting import FloatArray
from xltoken.economics.domain import DomainError, require, require_finite, require_series


@dataclass(frozen=True, slots=True)
class CostLines:
    """USD per 1M tokens by year; each line has shape (years,)."""

    accounting: FloatArray
    economic: FloatArray
    replacement: FloatArray


def annuity(investment: float, salvage: float, discount_rate: float, years: int) -> float:
    """Equal payment at the end of each year that recovers an investment less its salvage.

    Parameters
    ----------
    investment : float
        USD paid at the start.
    salvage : float
        USD received at the end of the last year.
    discount_rate : float
        Effective annual rate above -1.
    years : int
        1 or more.

    Returns
    -------
    float
        USD a year: ``(investment - salvage (1 + rate)^-years) rate / (1 - (1 + rate)^-years)``;
        at rate 0 ``(investment - salvage) / years``.

    Raises
    ------
    DomainError
        If the rate is -1 or less, or so close to it that the payment is beyond every number.

    Examples
    --------
    >>> round(annuity(1_000.0, 0.0, 0.10, 2), 2)
    576.19
    """
    require_finite(discount_rate=discount_rate)
    require(
        discount_rate > -1,
        f"the discount rate is an effective annual rate above -1; it is {discount_rate:g}.",
    )
    if discount_rate == 0:
        return (investment - salvage) / years
    growth = years * math.log1p(discount_rate)
    try:
        # 1 - (1 + rate)^-years without its cancellation at a small rate.
        interest = discount_rate / -math.expm1(-growth)
        return (investment - salvage) * interest + salvage * discount_rate
    except OverflowError:
        raise DomainError(
            f"a discount rate of {discount_rate:g} overflows over {years} years."
        ) from None


def cost_lines(
    yearly_volumes: FloatArray,
    discount_rate: float,
    investment: float,
    salvage: float = 0.0,
    market_decline: float = 0.0,
) -> CostLines:
    """The three lines over the life of the hardware.

    Parameters
    ----------
    yearly_volumes : ndarray, shape (years,)
        Millions of tokens a year, one value for each year of life.
    discount_rate : float
        Effective annual rate above -1.
    investment : float
        USD paid at the start, 0 or more.
    salvage : float, default 0
        USD received at the end of life, between 0 and `investment`.
    market_decline : float, default 0
        Effective annual fall of the market price of the hardware, below 1; its salvage falls alike.

    Returns
    -------
    CostLines
        Accounting ``(investment - salvage) / years``, economic :func:`annuity`, replacement that
        annuity times ``(1 - market_decline)^(year - 1)``, each divided by the year's volume.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.
    ZeroDivisionError
        If a year has no tokens.

    Examples
    --------
    >>> lines = cost_lines(np.array([100.0, 200.0]), 0.0, 1_000.0, market_decline=0.5)
    >>> lines.economic, lines.replacement
    (array([5. , 2.5]), array([5.  , 1.25]))
    """
    years = len(yearly_volumes)
    require_life(years)
    require_finite(investment=investment, salvage=salvage)
    require(investment >= 0, "investment is entered positive: USD paid at the start.")
    require(0 <= salvage <= investment, "salvage lies between 0 and the investment.")
    require_series("volumes", yearly_volumes)
    if not np.all(yearly_volumes):
        year = int(np.flatnonzero(yearly_volumes == 0)[0]) + 1
        raise ZeroDivisionError(f"the volumes of year {year} are 0: no tokens share its cost.")
    yearly = annuity(investment, salvage, discount_rate, years)
    market = np.array(decline_factors(market_decline, [12.0 * year for year in range(years)]))
    with np.errstate(over="ignore"):
        lines = CostLines(
            (investment - salvage) / years / yearly_volumes,
            yearly / yearly_volumes,
            yearly * market / yearly_volumes,
        )
        finite = all(
            np.all(np.isfinite(line))
            for line in (lines.accounting, lines.economic, lines.replacement)
        )
    require(finite, "a cost per 1M tokens is beyond every number.")
    return lines
