"""When an outlay is paid back."""

from typing import Final

import numpy as np

from xltoken.economics.discounting import FloatArray, discount_factors
from xltoken.economics.domain import require

ROUNDING: Final = 1e-12
"""Share of the money moved so far below which a running total is 0: floats cannot hold 0.1 + 0.2 -
0.3."""


def running_total(flows: FloatArray) -> FloatArray:
    """Totals of the flows so far; what only rounding leaves of them is 0.

    Parameters
    ----------
    flows : ndarray, shape (periods,)
        USD.

    Returns
    -------
    ndarray, shape (periods,)
        USD.

    Raises
    ------
    DomainError
        If a total is beyond every number.

    Examples
    --------
    >>> running_total(np.array([-0.1, -0.2, 0.3])).round(2)
    array([-0.1, -0.3,  0. ])
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total, moved = np.cumsum(flows), np.cumsum(np.abs(flows))
    require(np.all(np.isfinite(moved)), "the cash flows add up to more than every number.")
    return np.where(np.abs(total) <= ROUNDING * moved, 0.0, total)


def payback_months(cashflows: FloatArray, discount_rate: float = 0.0) -> float | None:
    """First time at which the cash so far is 0 or more, having been below 0.

    Parameters
    ----------
    cashflows : ndarray, shape (months + 1,)
        USD per month; the first falls at month 0. Outflows negative.
    discount_rate : float, default 0
        Effective annual rate above -1; each flow counts ``(1 + rate) ** (-month / 12)``.

    Returns
    -------
    float or None
        Months from month 0, linear inside a month; 0 where the cash so far is never below 0;
        None where it never comes back.

    Raises
    ------
    DomainError
        If a flow is not finite, the rate is out of its range, or a total is beyond every number.

    Examples
    --------
    >>> payback_months(np.array([-100.0, 50.0, 100.0]))
    1.5
    """
    require(np.all(np.isfinite(cashflows)), "every cash flow must be a finite number.")
    factors = discount_factors(discount_rate, np.arange(len(cashflows), dtype=np.float64))
    with np.errstate(over="ignore"):
        total = running_total(cashflows * factors)
    below = np.flatnonzero(total < 0)
    if not below.size:
        return 0.0
    back = np.flatnonzero(total[below[0] :] >= 0)
    if not back.size:
        return None
    month = int(below[0] + back[0])
    before, after = float(total[month - 1]), float(total[month])
    # Halves, because the difference of two finite totals may not be finite.
    return month - 1 + (-before / 2) / (after / 2 - before / 2)
