"""Bonds: coupon days, price, yield, accrued interest, odd periods, discount securities."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    lifted,
    plain_integer,
    plain_number,
    require,
)
from xltoken.recalc.builtins.days import (
    LAST,
    days_between,
    ends_month,
    moved,
    real_day,
    serial_of,
    thirty_360_us,
)

_NEAR: Final = 1e-8
_STEP: Final = 1e-6
_HIGHEST: Final = 1e6


def day(value: Any) -> dt.date:
    """Day of a serial."""
    serial = plain_integer(value)
    require(0 < serial <= LAST)
    return real_day(serial)


@lifted(day, day, plain_integer, plain_integer)
def couppcd(settlement: dt.date, maturity: dt.date, frequency: int, basis: int = 0) -> float:
    """Coupon date before settlement."""
    _require_coupons(settlement, maturity, frequency, basis)
    return _serial(coupons(settlement, maturity, frequency)[0])


@lifted(day, day, plain_integer, plain_integer)
def coupncd(settlement: dt.date, maturity: dt.date, frequency: int, basis: int = 0) -> float:
    """Coupon date after settlement."""
    _require_coupons(settlement, maturity, frequency, basis)
    return _serial(coupons(settlement, maturity, frequency)[1])


@lifted(day, day, plain_integer, plain_integer)
def coupnum(settlement: dt.date, maturity: dt.date, frequency: int, basis: int = 0) -> float:
    """Coupons payable between settlement and maturity."""
    _require_coupons(settlement, maturity, frequency, basis)
    return float(coupons(settlement, maturity, frequency)[2])


@lifted(day, day, plain_integer, plain_integer)
def coupdays(settlement: dt.date, maturity: dt.date, frequency: int, basis: int = 0) -> float:
    """Days of the coupon period that holds settlement."""
    _require_coupons(settlement, maturity, frequency, basis)
    return period_days(settlement, maturity, frequency, basis)


@lifted(day, day, plain_integer, plain_integer)
def coupdaybs(settlement: dt.date, maturity: dt.date, frequency: int, basis: int = 0) -> float:
    """Days from the coupon before to settlement."""
    _require_coupons(settlement, maturity, frequency, basis)
    before = coupons(settlement, maturity, frequency)[0]
    return float(days_between(before, settlement, basis))


@lifted(day, day, plain_integer, plain_integer)
def coupdaysnc(settlement: dt.date, maturity: dt.date, frequency: int, basis: int = 0) -> float:
    """Days from settlement to the coupon after."""
    _require_coupons(settlement, maturity, frequency, basis)
    before, after, _ = coupons(settlement, maturity, frequency)
    if basis == 0:
        passed = thirty_360_us(before, settlement)
        return float(thirty_360_us(before, after, both=True) - passed)
    return float(days_between(settlement, after, basis))


@lifted(day, day, *[plain_number] * 3, plain_integer, plain_integer)
def price(
    settlement: dt.date,
    maturity: dt.date,
    rate: float,
    yield_: float,
    redemption: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Clean price for 100 of face value."""
    _require_coupons(settlement, maturity, frequency, basis)
    require(rate >= 0.0 and yield_ >= 0.0 and redemption > 0.0)
    return _price(settlement, maturity, rate, yield_, redemption, frequency, basis)


@lifted(day, day, *[plain_number] * 3, plain_integer, plain_integer)
def yield_(
    settlement: dt.date,
    maturity: dt.date,
    rate: float,
    clean: float,
    redemption: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Yield at which a bond has its price."""
    _require_coupons(settlement, maturity, frequency, basis)
    require(rate >= 0.0 and clean > 0.0 and redemption > 0.0)
    if coupons(settlement, maturity, frequency)[2] <= 1:
        length = period_days(settlement, maturity, frequency, basis)
        before = coupons(settlement, maturity, frequency)[0]
        passed = days_between(before, settlement, basis)
        dirty = clean / 100.0 + passed / length * rate / frequency
        gain = redemption / 100.0 + rate / frequency - dirty
        return gain / dirty * frequency * length / (length - passed)

    def gap(found: float) -> float:
        return _price(settlement, maturity, rate, found, redemption, frequency, basis) - clean

    years = (maturity - settlement).days / 365.0
    over = clean - 100.0
    start = (rate * years * 100.0 - over) / (over / 4.0 + years * over / 2.0 + years * 100.0)
    found = _newton(gap, start)
    return solved(gap, frequency) if found is None else found


@lifted(day, day, plain_number, plain_number, plain_integer, plain_integer)
def duration(
    settlement: dt.date,
    maturity: dt.date,
    coupon: float,
    yield_: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Macaulay duration in years."""
    return _duration(settlement, maturity, coupon, yield_, frequency, basis)


@lifted(day, day, plain_number, plain_number, plain_integer, plain_integer)
def mduration(
    settlement: dt.date,
    maturity: dt.date,
    coupon: float,
    yield_: float,
    frequency: int,
    basis: int = 0,
) -> float:
    """Modified duration."""
    years = _duration(settlement, maturity, coupon, yield_, frequency, basis)
    return years / (1.0 + yield_ / frequency)


def _require_coupons(settlement: dt.date, maturity: dt.date, frequency: int, basis: int) -> None:
    require(frequency in (1, 2, 4) and 0 <= basis <= 4 and settlement < maturity)


def coupons(settlement: dt.date, maturity: dt.date, frequency: int) -> tuple[dt.date, dt.date, int]:
    """Coupon dates around settlement, and how many are still to come."""
    step, to_end, count = 12 // frequency, ends_month(maturity), 0
    after = before = maturity
    while before > settlement:
        count += 1
        after, before = before, moved(maturity, -step * count, to_end=to_end)
    return before, after, count


def period_days(settlement: dt.date, maturity: dt.date, frequency: int, basis: int) -> float:
    """Days of the coupon period that holds settlement."""
    if basis == 1:
        before, after, _ = coupons(settlement, maturity, frequency)
        return float((after - before).days)
    return (365.0 if basis == 3 else 360.0) / frequency


def _price(
    settlement: dt.date,
    maturity: dt.date,
    rate: float,
    yield_: float,
    redemption: float,
    frequency: int,
    basis: int,
) -> float:
    before, _, count = coupons(settlement, maturity, frequency)
    length = period_days(settlement, maturity, frequency, basis)
    passed = days_between(before, settlement, basis)
    first = (length - passed) / length
    coupon = 100.0 * rate / frequency
    accrued = coupon * passed / length
    if count == 1:
        return (redemption + coupon) / (1.0 + first * yield_ / frequency) - accrued
    factor = 1.0 + yield_ / frequency
    paid = sum(coupon / factor ** (k + first) for k in range(count))
    return float(redemption / factor ** (count - 1 + first) + paid - accrued)


def _duration(
    settlement: dt.date,
    maturity: dt.date,
    coupon: float,
    yield_: float,
    frequency: int,
    basis: int,
) -> float:
    _require_coupons(settlement, maturity, frequency, basis)
    require(coupon >= 0.0 and yield_ >= 0.0)
    before, _, count = coupons(settlement, maturity, frequency)
    length = period_days(settlement, maturity, frequency, basis)
    first = (length - days_between(before, settlement, basis)) / length
    factor = 1.0 + yield_ / frequency
    weighted = value = 0.0
    for k in range(count):
        flow = 100.0 * coupon / frequency + (100.0 if k == count - 1 else 0.0)
        present = flow / factor ** (k + first)
        weighted += (k + first) * present
        value += present
    return weighted / value / frequency


def solved(gap: Callable[[float], float], frequency: int) -> float:
    """Yield at which a falling price meets its target, to full precision."""
    low, high = -0.99 * frequency, 1.0
    while gap(high) > 0.0:
        high *= 4.0
        require(high < _HIGHEST)
    require(gap(low) > 0.0)
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if gap(middle) > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _newton(gap: Callable[[float], float], start: float) -> float | None:
    """Yield as Excel's iteration leaves it: the first whose price is within 1e-8."""
    found = start
    for _ in range(100):
        missing = gap(found)
        if abs(missing) < _NEAR:
            return found
        slope = (gap(found + _STEP) - gap(found - _STEP)) / (2.0 * _STEP)
        if slope == 0.0:
            return None
        found -= missing / slope
        if not -1.0 < found < _HIGHEST:
            return None
    return None


def _serial(found: dt.date) -> float:
    return float(serial_of(found.year, found.month, found.day))


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "COUPPCD": couppcd,
    "COUPNCD": coupncd,
    "COUPNUM": coupnum,
    "COUPDAYS": coupdays,
    "COUPDAYBS": coupdaybs,
    "COUPDAYSNC": coupdaysnc,
    "PRICE": price,
    "YIELD": yield_,
    "DURATION": duration,
    "MDURATION": mduration,
}
