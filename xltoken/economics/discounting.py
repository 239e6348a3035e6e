"""The clock of a forecast, its discount factors, and present value.

Periods are months t = 1 ... n. The clock says how many months lie between today and the moment at
which period t is paid: t (``end``), t - 1/2 (``mid``) or t - 1 (``begin``). Rates are effective
annual fractions; the monthly rate is ``(1 + rate) ** (1/12) - 1``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from xltoken.economics.domain import DomainError, require, require_finite

FloatArray = NDArray[np.float64]

TIMINGS: Final = {"end": 0.0, "mid": 0.5, "begin": 1.0}
"""Months by which a payment comes before the end of its period."""


def clock(periods: int, timing: str = "end") -> FloatArray:
    """Months from today to each payment.

    Parameters
    ----------
    periods : int
        Number of months, 1 or more.
    timing : {"end", "mid", "begin"}
        When in its month a payment falls.

    Returns
    -------
    ndarray, shape (periods,)
        Months, increasing by 1.

    Raises
    ------
    DomainError
        If `periods` is below 1 or `timing` is unknown.

    Examples
    --------
    >>> clock(3, "mid")
    array([0.5, 1.5, 2.5])
    """
    require(periods >= 1, f"a forecast has 1 period or more; it has {periods}.")
    require(timing in TIMINGS, f"timing is one of {', '.join(TIMINGS)}; it is {timing!r}.")
    return np.arange(1, periods + 1, dtype=np.float64) - TIMINGS[timing]


def discount_factors(discount_rate: float, months: FloatArray) -> FloatArray:
    """Worth today of one dollar paid after so many months: ``(1 + rate) ** (-months / 12)``.

    Parameters
    ----------
    discount_rate : float
        Effective annual rate above -1.
    months : ndarray
        Months until each payment.

    Returns
    -------
    ndarray, the shape of `months`

    Raises
    ------
    DomainError
        If `discount_rate` is -1 or less, not finite, or so close to -1 that a factor overflows.

    Examples
    --------
    >>> discount_factors(0.21, np.array([6.0, 12.0])).round(6)
    array([0.909091, 0.826446])
    """
    require_finite(discount_rate=discount_rate)
    if discount_rate <= -1:
        raise DomainError(
            f"the discount rate is an effective annual rate above -1; it is {discount_rate:g}."
        )
    with np.errstate(over="ignore", divide="ignore"):
        factors = np.asarray((1.0 + discount_rate) ** (-months / 12.0), dtype=np.float64)
    if not np.isfinite(factors).all():
        longest = float(np.max(months))
        raise DomainError(
            f"a discount rate of {discount_rate:g} overflows over {longest:g} months."
        )
    return factors


def present_value(cashflows: FloatArray, discount_rate: float, timing: str = "end") -> float:
    """Present value of monthly cash flows, periods 1 ... n.

    Parameters
    ----------
    cashflows : ndarray, shape (periods,)
        USD per month; outflows negative.
    discount_rate : float
        Effective annual rate above -1.
    timing : {"end", "mid", "begin"}
        When in its month a payment falls.

    Returns
    -------
    float
        USD today.

    Examples
    --------
    >>> round(present_value(np.array([0.0] * 11 + [121.0]), 0.21), 6)
    100.0
    """
    months = clock(len(cashflows), timing)
    return float(np.sum(cashflows * discount_factors(discount_rate, months)))
