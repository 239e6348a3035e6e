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
    return charge


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
    """Declining balance between two moments, switching to a straight line where that is more."""
    require(cost >= 0.0 and salvage >= 0.0 and life > 0.0 and factor > 0.0)
    require(0.0 <= start <= end <= life)
    if no_switch:
        return _span(cost, salvage, life, start, end, factor)
    if start == int(start):
        return _switched(cost, salvage, life, start, end, factor)
    # A broken first year: what is left after its whole part is written off over the rest.
    opened = math.floor(start)
    whole = _switched(cost, salvage, life, float(opened), float(opened + 1), factor)
    first = min(end, opened + 1.0) - start
    rest = 0.0
    if end > opened + 1:
        done = _switched(cost, salvage, life, 0.0, opened + 1.0, factor)
        total = _switched(cost, salvage, life, 0.0, end, factor)
        rest = total - done
    return whole * first + rest


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


def _span(
    cost: float, salvage: float, life: float, start: float, end: float, factor: float
) -> float:
    """Declining balance without a switch: parts of the years that `start` and `end` break."""
    total = 0.0
    for year in range(math.floor(start), math.ceil(end)):
        share = min(end, year + 1.0) - max(start, float(year))
        total += share * _declining(cost, salvage, life, year, factor)
    return total


def _declining(cost: float, salvage: float, life: float, year: int, factor: float) -> float:
    """Charge of one whole year, counted from 0."""
    rate = min(factor / life, 1.0)
    before = cost * (1.0 - rate) ** year
    after = cost * (1.0 - rate) ** (year + 1)
    return max(0.0, min(before, max(before, salvage)) - max(after, salvage))


def _switched(
    cost: float, salvage: float, life: float, start: float, end: float, factor: float
) -> float:
    """Charge from whole year `start` to `end` with the switch."""
    book, total = cost, 0.0
    for year in range(math.ceil(end)):
        declining = min(book * min(factor / life, 1.0), max(0.0, book - salvage))
        left = life - year
        straight = max(0.0, book - salvage) / left if left > 0.0 else 0.0
        charge = max(declining, straight)
        charge = min(charge, max(0.0, book - salvage))
        if year >= start:
            total += charge * (min(end, year + 1.0) - year)
        book -= charge
    return total


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


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"DB": db, "VDB": vdb, "AMORLINC": amorlinc}
