"""Depreciation schedules: how books and tax spread a past outlay over years.

Depreciation moves no cash; it enters a value only through the tax it saves.
"""

from typing import Final

import numpy as np

from xltoken.economics.discounting import FloatArray
from xltoken.economics.domain import require, require_finite

METHODS: Final = (
    "straight_line",
    "double_declining",
    "sum_of_years",
    "macrs_3",
    "macrs_5",
    "macrs_7",
)


def schedule(cost: float, salvage: float, life_years: int, method: str = METHODS[0]) -> FloatArray:
    """Charge of each year.

    Parameters
    ----------
    cost : float
        USD paid, 0 or more.
    salvage : float
        USD left at the end, between 0 and `cost`; MACRS ignores it, as the tax code does.
    life_years : int
        Years of life, 1 or more; MACRS brings its own (3, 5 or 7, in one year more because of the
        half-year convention).
    method : str
        One of `METHODS`. ``double_declining`` switches to straight line when that is more;
        MACRS is the 200 % declining balance with half-year convention and that same switch
        (IRS Publication 946, table A-1, before its rounding).

    Returns
    -------
    ndarray, shape (years,)
        USD a year. It sums to `cost` less `salvage`, for MACRS to `cost`.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above or the method is unknown.

    Examples
    --------
    >>> schedule(100.0, 0.0, 5, "macrs_5").round(2)
    array([20.  , 32.  , 19.2 , 11.52, 11.52,  5.76])
    """
    require_finite(cost=cost, salvage=salvage)
    require(cost >= 0, "the cost of an asset is 0 or more.")
    require(method in METHODS, f"depreciation is one of {', '.join(METHODS)}; it is {method!r}.")
    if method.startswith("macrs_"):
        return _declining(cost, 0.0, int(method.removeprefix("macrs_")), first_year=0.5)
    require(0 <= salvage <= cost, "salvage lies between 0 and the cost.")
    require(life_years >= 1, f"a life is 1 year or more; it is {life_years}.")
    if method == "straight_line":
        return np.full(life_years, (cost - salvage) / life_years)
    if method == "sum_of_years":
        years_left = np.arange(life_years, 0, -1, dtype=np.float64)
        return np.asarray((cost - salvage) * years_left / years_left.sum())
    return _declining(cost, salvage, life_years, first_year=1.0)


def _declining(cost: float, salvage: float, life: int, first_year: float) -> FloatArray:
    """Double declining balance with a switch to straight line over the life that is left."""
    charges: list[float] = []
    book, elapsed = cost, 0.0
    while life - elapsed > 0:
        length = min(first_year if not charges else 1.0, life - elapsed)
        declining = book * min(1.0, 2.0 / life) * length
        straight = (book - salvage) * length / (life - elapsed)
        charge = min(max(declining, straight), book - salvage)
        charges.append(charge)
        book -= charge
        elapsed += length
    return np.array(charges)
