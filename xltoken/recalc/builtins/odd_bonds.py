"""Bonds with an odd first or last period, and accrued interest over quasi-coupon periods."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    lifted,
    logical,
    plain_integer,
    plain_number,
    require,
)
from xltoken.recalc.builtins.bonds import coupons, day, period_days, solved
from xltoken.recalc.builtins.days import (
    days_between,
    ends_month,
    moved,
    thirty_360_us,
    year_length,
)


@lifted(day, day, day, day, *[plain_number] * 3, plain_integer, plain_integer)
def oddfprice(
    settlement: dt.date,
    maturity: dt.date,
    issue: dt.date,
    first: dt.date,
    rate: float,
    yield_: float,
    redemption: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Clean price of a bond whose first period is short or long."""
    _require_odd_first(settlement, maturity, issue, first, frequency, basis)
    require(rate >= 0.0 and yield_ >= 0.0 and redemption > 0.0)
    return _first_price(
        settlement, maturity, issue, first, rate, yield_, redemption, frequency, basis
    )


@lifted(day, day, day, day, *[plain_number] * 3, plain_integer, plain_integer)
def oddfyield(
    settlement: dt.date,
    maturity: dt.date,
    issue: dt.date,
    first: dt.date,
    rate: float,
    clean: float,
    redemption: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Yield of a bond whose first period is short or long."""
    _require_odd_first(settlement, maturity, issue, first, frequency, basis)
    require(rate >= 0.0 and clean > 0.0 and redemption > 0.0)

    def gap(yield_: float) -> float:
        found = _first_price(
            settlement, maturity, issue, first, rate, yield_, redemption, frequency, basis
        )
        return found - clean

    return solved(gap, frequency)


@lifted(day, day, day, *[plain_number] * 3, plain_integer, plain_integer)
def oddlprice(
    settlement: dt.date,
    maturity: dt.date,
    last: dt.date,
    rate: float,
    yield_: float,
    redemption: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Clean price of a bond whose last period is short or long."""
    require(yield_ >= 0.0)
    full, passed, ahead = _last_parts(
        settlement, maturity, last, rate, redemption, frequency, basis
    )
    coupon = 100.0 * rate / frequency
    return (full * coupon + redemption) / (ahead * yield_ / frequency + 1.0) - passed * coupon


@lifted(day, day, day, *[plain_number] * 3, plain_integer, plain_integer)
def oddlyield(
    settlement: dt.date,
    maturity: dt.date,
    last: dt.date,
    rate: float,
    clean: float,
    redemption: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Yield of a bond whose last period is short or long."""
    require(clean > 0.0)
    full, passed, ahead = _last_parts(
        settlement, maturity, last, rate, redemption, frequency, basis
    )
    coupon = 100.0 * rate / frequency
    paid = passed * coupon + clean
    return (full * coupon + redemption - paid) / paid * frequency / ahead


@lifted(day, day, day, plain_number, plain_number, plain_integer, plain_integer, logical)
def accrint(
    issue: dt.date,
    first: dt.date,
    settlement: dt.date,
    rate: float,
    par: float,
    frequency: int,
    basis: int = 0,
    from_issue: bool = True,
) -> float:
    """Interest accrued to settlement on a bond that pays periodically.

    The calendar of quasi-coupons is hung on the first interest date. The period that holds
    settlement counts by its days; each whole one before it counts 1 (0 where interest runs from
    the first interest date); the one that holds the issue counts by the days after the issue.
    """
    require(rate > 0.0 and par > 0.0 and frequency in (1, 2, 4) and 0 <= basis <= 4)
    require(issue < settlement)
    step, to_end = 12 // frequency, ends_month(first)
    regular = moved(first, -step, to_end=to_end)
    start, behind = regular, 1
    if from_issue:
        while moved(first, -step * (behind - 1), to_end=to_end) < settlement:
            behind -= 1
            start = moved(first, -step * behind, to_end=to_end)
    length = (first - regular).days if basis == 1 else (365.0 if basis == 3 else 360.0) / frequency
    counted = days_between(max(issue, start), settlement, basis) / length
    while start > issue:
        end = start
        behind += 1
        start = moved(first, -step * behind, to_end=to_end)
        if issue <= start:
            counted += 1.0 if from_issue else 0.0
        else:
            counted += days_between(issue, end, basis) / _quasi_length(start, end, frequency, basis)
    return par * rate / frequency * counted


@lifted(day, day, plain_number, plain_number, plain_integer)
def accrintm(
    issue: dt.date, settlement: dt.date, rate: float, par: float = 1000.0, basis: int = 0
) -> float:
    """Interest accrued on a security that pays at maturity."""
    require(rate > 0.0 and par > 0.0 and 0 <= basis <= 4 and issue < settlement)
    return (
        par * rate * days_between(issue, settlement, basis) / year_length(issue, settlement, basis)
    )


def _quasi_length(start: dt.date, end: dt.date, frequency: int, basis: int) -> float:
    if basis == 0:
        return float(thirty_360_us(start, end, both=True))
    if basis == 3:
        return 365.0 / frequency
    if basis == 2:
        return float(thirty_360_us(start, end))
    return float(days_between(start, end, basis))


def _require_odd_first(
    settlement: dt.date,
    maturity: dt.date,
    issue: dt.date,
    first: dt.date,
    frequency: int,
    basis: int,
) -> None:
    require(frequency in (1, 2, 4) and 0 <= basis <= 4)
    require(issue < settlement < first < maturity)
    # The first coupon stands in the calendar of coupons that ends at maturity.
    require(coupons(first, maturity, frequency)[0] == first)


def _first_price(
    settlement: dt.date,
    maturity: dt.date,
    issue: dt.date,
    first: dt.date,
    rate: float,
    yield_: float,
    redemption: float,
    frequency: int,
    basis: int,
) -> float:
    length = period_days(settlement, first, frequency, basis)
    coupon = 100.0 * rate / frequency
    factor = 1.0 + yield_ / frequency
    odd = _days(issue, first, basis)
    if odd < length:
        count = coupons(settlement, maturity, frequency)[2]
        part = _days(settlement, first, basis) / length
        value = redemption / factor ** (count - 1 + part) + coupon * odd / length / factor**part
        value += sum(coupon / factor ** (k + part) for k in range(1, count))
        return float(value - coupon * _days(issue, settlement, basis) / length)
    full, passed = _long_first(settlement, issue, first, length, frequency, basis)
    before, after, _ = coupons(settlement, first, frequency)
    if basis in (2, 3):
        part = _days(settlement, after, basis) / length
    else:
        part = (length - days_between(before, settlement, basis)) / length
    whole = _whole_periods(settlement, first, 12 // frequency)
    count = coupons(first, maturity, frequency)[2]
    value = redemption / factor ** (count + whole + part)
    value += coupon * full / factor ** (whole + part)
    value += sum(coupon / factor ** (k + whole + part) for k in range(1, count + 1))
    return float(value - coupon * passed)


def _long_first(
    settlement: dt.date,
    issue: dt.date,
    first: dt.date,
    length: float,
    frequency: int,
    basis: int,
) -> tuple[float, float]:
    """Quasi-coupon periods from issue to the first coupon, and from issue to settlement."""
    count = coupons(issue, first, frequency)[2]
    late, full, passed = first, 0.0, 0.0
    for index in range(count, 0, -1):
        early = moved(late, -12 // frequency)
        normal = _days(early, late, basis) if basis == 1 else length
        full += (normal if index > 1 else _days(issue, late, basis)) / normal
        passed += _days(max(issue, early), min(settlement, late), basis) / normal
        late = early
    return full, passed


def _whole_periods(settlement: dt.date, first: dt.date, step: int) -> int:
    """Whole quasi-coupon periods between settlement and the first coupon."""
    to_end = ends_month(first)
    if not to_end and first.month != 2 and first.day > 28:
        to_end = ends_month(settlement)
    begin = moved(settlement, 0, to_end=to_end)
    count = int(settlement < begin)
    reached = moved(begin, step, to_end=to_end)
    while reached < first:
        count += 1
        reached = moved(reached, step, to_end=to_end)
    return count


def _last_parts(
    settlement: dt.date,
    maturity: dt.date,
    last: dt.date,
    rate: float,
    redemption: float,
    frequency: int,
    basis: int,
) -> tuple[float, float, float]:
    """Quasi-coupon periods after the last coupon: all, to settlement, from settlement."""
    require(frequency in (1, 2, 4) and 0 <= basis <= 4 and rate >= 0.0 and redemption > 0.0)
    require(last < settlement < maturity)
    count = coupons(last, maturity, frequency)[2]
    early, full, passed, ahead = last, 0.0, 0.0, 0.0
    for index in range(1, count + 1):
        late = moved(early, 12 // frequency)
        normal = _days_both(early, late, basis)
        held = normal if index < count else _days_both(early, maturity, basis)
        full += held / normal
        if late < settlement:
            passed += held / normal
        elif early < settlement:
            passed += _days(early, settlement, basis) / normal
        ahead += _days(max(settlement, early), min(maturity, late), basis) / normal
        early = late
    return full, passed, ahead


def _days(start: dt.date, end: dt.date, basis: int) -> float:
    return float(max(0, days_between(start, end, basis)))


def _days_both(start: dt.date, end: dt.date, basis: int) -> float:
    if basis == 0:
        return float(max(0, thirty_360_us(start, end, both=True)))
    return _days(start, end, basis)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "ODDFPRICE": oddfprice,
    "ODDFYIELD": oddfyield,
    "ODDLPRICE": oddlprice,
    "ODDLYIELD": oddlyield,
    "ACCRINT": accrint,
    "ACCRINTM": accrintm,
}
