"""Depreciation: declining balance with a broken first year, with a switch, and the French ones."""

import math
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    lifted,
    logical,
    number,
    plain_integer,
    plain_number,
    require,
)
from xltoken.recalc.builtins.days import days_between, month_length, real_day, year_length


@lifted(number, number, number, number, number)
def db(cost: float, salvage: float, life: float, period: float, month: float = 12.0) -> float:
    """Fixed declining balance; the rate is rounded to three decimals."""
    month, year = float(int(month)), int(period)
    require(cost >= 0.0 and salvage >= 0.0 and life > 0.0 and period > 0.0)
    require(1.0 <= month <= 12.0 and year >= 1 and period <= life + (month < 12.0))
    if cost == 0.0:
        return 0.0
    rate = math.floor((1.0 - (salvage / cost) ** (1.0 / life)) * 1000.0 + 0.5) / 1000.0
    charge = cost * rate * month / 12.0
    written = charge
    for current in range(2, year + 1):
        charge = (cost - written) * rate
        if current > life:
            charge *= (12.0 - month) / 12.0
        written += charge
    return float(charge)


@lifted(number, number, number, number, number, number, logical)
def vdb(
    cost: float,
    salvage: float,
    life: float,
    start: float,
    end: float,
    factor: float = 2.0,
    no_switch: bool = False,
) -> float:
    """Declining balance between two moments, switching to a straight line where that is more.

    A skipped factor arrives as 0 and means 2.
    """
    require(cost >= 0.0 and salvage >= 0.0 and life > 0.0 and factor >= 0.0)
    require(0.0 <= start <= end <= life)
    book, total = cost, 0.0
    for year in range(math.ceil(end)):
        room = max(0.0, book - salvage)
        charge = min(book * min((factor or 2.0) / life, 1.0), room)
        if not no_switch:
            charge = max(charge, min(room, room / (life - year)))
        total += charge * max(0.0, min(end, year + 1.0) - max(start, float(year)))
        book -= charge
    return total


@lifted(*[plain_number] * 6, plain_integer)
def amorlinc(
    cost: float,
    purchased: float,
    first_end: float,
    salvage: float,
    period: float,
    rate: float,
    basis: int = 0,
) -> float:
    """Straight line of French accounting."""
    _require_french(cost, purchased, first_end, salvage, period, rate, basis)
    if cost == salvage:
        return 0.0
    year = cost * rate
    first = _first_share(purchased, first_end, basis) * year or year
    left = cost - salvage - min(first, cost - salvage)
    if period == 0.0:
        return min(first, cost - salvage)
    before = int(period) - 1
    return max(0.0, min(year, left - before * year))


@lifted(*[plain_number] * 6, plain_integer)
def amordegrc(
    cost: float,
    purchased: float,
    first_end: float,
    salvage: float,
    period: float,
    rate: float,
    basis: int = 0,
) -> float:
    """Declining balance of French accounting: whole amounts, half of the rest before the last."""
    _require_french(cost, purchased, first_end, salvage, period, rate, basis)
    years = 1.0 / rate
    require(years > 3.0 and not 4.0 < years < 5.0)
    life = float(math.ceil(years))
    if cost == salvage or period > life:
        return 0.0
    rate *= 1.5 if life <= 4.0 else 2.0 if life <= 6.0 else 2.5
    share = _first_share(purchased, first_end, basis)
    life += share != 0.0
    charge = _whole(min(cost * rate * (share or 1.0), cost - salvage))
    book = cost - charge
    for year in range(1, int(period) + 1):
        before_last = life - year - 1.0 == 2.0
        charge = 0.0 if book < salvage else book * (0.5 if before_last else rate)
        rate = 1.0 if before_last else rate
        book -= charge
    return _whole(charge)


def _whole(amount: float) -> float:
    return math.floor(round(amount, 10) + 0.5)


def _require_french(
    cost: float,
    purchased: float,
    first_end: float,
    salvage: float,
    period: float,
    rate: float,
    basis: int,
) -> None:
    require(basis in (0, 1, 3, 4))
    require(cost > 0.0 and 0.0 <= salvage <= cost and period >= 0.0 and rate > 0.0)
    require(purchased <= first_end)


def _first_share(purchased: float, first_end: float, basis: int) -> float:
    """Part of a year from the purchase to the end of the first period."""
    start, end = real_day(int(purchased)), real_day(int(first_end))
    length = year_length(start, start, basis)
    if basis == 1:
        length = 366.0 if month_length(start.year, 2) == 29 else 365.0
    return days_between(start, end, basis) / length


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "DB": db,
    "VDB": vdb,
    "AMORLINC": amorlinc,
    "AMORDEGRC": amordegrc,
}
