"""Depreciation schedules: how books and tax spread a past outlay over years.

Depreciation moves no cash; it enters a value only through the tax it saves.
"""

import math
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
CHARGES: Final = (*METHODS, "units")
"""Methods of a single charge: those of a schedule, and units of production."""
LONGEST_LIFE: Final = 100
"""Years; a longer life is a slip."""


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


def charge(
    cost: float,
    salvage: float,
    life_years: float,
    year: float,
    method: str = CHARGES[0],
    share: float | None = None,
) -> float:
    """Charge of one year.

    Parameters
    ----------
    cost, salvage : float
        USD, as in :func:`schedule`.
    life_years : float
        Whole years of life, 1 to `LONGEST_LIFE`; MACRS brings its own.
    year : float
        Whole year, from 1 to the last of the schedule.
    method : str
        One of `CHARGES`.
    share : float, optional
        Share of all units of its life that the asset makes in `year`, 0 to 1. Required by method
        ``units``, unused elsewhere.

    Returns
    -------
    float
        USD a year; for ``units`` ``(cost - salvage) x share``.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above or the method is unknown.

    Examples
    --------
    >>> charge(1_000.0, 100.0, 5, 2, "double_declining")
    240.0
    >>> charge(1_000.0, 100.0, 5, 2, "units", 0.25)
    225.0
    """
    require_life(life_years)
    require(method in CHARGES, f"method is one of {', '.join(CHARGES)}; it is {method!r}.")
    with np.errstate(over="ignore", invalid="ignore"):
        # Units are spread over the same years; what each brings is told by its share.
        spread = METHODS[0] if method == "units" else method
        charges = schedule(cost, salvage, int(life_years), spread)
    require(
        1 <= year <= len(charges) and year == int(year),
        f"year is a whole number from 1 to {len(charges)}, the last year of the schedule; it is "
        f"{year:g}.",
    )
    value = float(charges[int(year) - 1])
    if method == "units":
        require(
            share is not None and 0 <= share <= 1,
            "method units needs share, the share of all units made in the year, between 0 and 1; "
            f"it is {share}.",
        )
        value = (cost - salvage) * float(share or 0.0)
    require(math.isfinite(value), "the charge is beyond every number.")
    return value


def require_life(years: float) -> None:
    """Raise :class:`DomainError` unless `years` is a whole number from 1 to `LONGEST_LIFE`."""
    require(
        1 <= years <= LONGEST_LIFE and years == int(years),
        f"a life is a whole number of years from 1 to {LONGEST_LIFE}; it is {years:g}.",
    )


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
