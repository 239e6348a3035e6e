"""Loans and compound interest: interest and principal of one payment or many, growth."""

import math
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    DIV0,
    cells,
    checked,
    lifted,
    number,
    numbers_in,
    plain_integer,
    plain_number,
    require,
    whole,
)


@lifted(number, number, number, number, number, number)
def fv(
    rate: float, periods: float, payment: float, present: float = 0.0, due: float = 0.0
) -> float:
    """Future value of level payments."""
    return _future(rate, periods, payment, present, begin=due != 0.0)


@lifted(number, number, number, number, number, number)
def ipmt(
    rate: float,
    period: float,
    periods: float,
    present: float,
    future: float = 0.0,
    due: float = 0.0,
) -> float:
    """Interest part of the payment of one period."""
    require(1.0 <= period < periods + 1.0)
    return _interest(rate, period, periods, present, future, begin=due != 0.0)


@lifted(number, number, number, number, number, number)
def ppmt(
    rate: float,
    period: float,
    periods: float,
    present: float,
    future: float = 0.0,
    due: float = 0.0,
) -> float:
    """Principal part of the payment of one period."""
    require(1.0 <= period < periods + 1.0)
    begin = due != 0.0
    payment = _payment(rate, periods, present, future, begin=begin)
    return payment - _interest(rate, period, periods, present, future, begin=begin)


@lifted(plain_number, plain_number, plain_number, plain_integer, plain_integer, plain_number)
def cumipmt(
    rate: float, periods: float, present: float, first: int, last: int, due: float
) -> float:
    """Interest paid from one period to another."""
    return _cumulative(rate, periods, present, first, last, due)[0]


@lifted(plain_number, plain_number, plain_number, plain_integer, plain_integer, plain_number)
def cumprinc(
    rate: float, periods: float, present: float, first: int, last: int, due: float
) -> float:
    """Principal paid from one period to another."""
    return _cumulative(rate, periods, present, first, last, due)[1]


@lifted(number, number, number, number)
def ispmt(rate: float, period: float, periods: float, present: float) -> float:
    """Interest of a loan with even principal payments; periods count from 0."""
    require(periods != 0.0, DIV0)
    return present * rate * (period / periods - 1.0)


@lifted(number, number, number)
def pduration(rate: float, present: float, future: float) -> float:
    """Periods in which a value grows into another."""
    require(rate > 0.0 and present > 0.0 and future > 0.0)
    return (math.log(future) - math.log(present)) / math.log(1.0 + rate)


@lifted(plain_number, plain_number)
def effect(nominal_rate: float, periods: float) -> float:
    """Effective annual rate of a nominal one."""
    count = int(periods)
    require(nominal_rate > 0.0 and count >= 1)
    return float((1.0 + nominal_rate / count) ** count) - 1.0


@lifted(plain_number, plain_number)
def nominal(effective: float, periods: float) -> float:
    """Nominal annual rate of an effective one."""
    count = int(periods)
    require(effective > 0.0 and count >= 1)
    return (float((1.0 + effective) ** (1.0 / count)) - 1.0) * count


@whole
def fvschedule(principal: Any, schedule: Any) -> float:
    """Value after a series of rates."""
    value = plain_number(principal)
    for rate in cells(schedule):
        # A blank is no interest; a text or a boolean is no rate.
        value *= 1.0 + (0.0 if rate is None else _rate(rate))
    return value


@lifted(plain_number, plain_number)
def dollarde(price: float, fraction: float) -> float:
    """Decimal price of one quoted in fractions."""
    base, dollars, digits = _fractional(price, fraction)
    return dollars + (price - dollars) * digits / base


@lifted(plain_number, plain_number)
def dollarfr(price: float, fraction: float) -> float:
    """Price in fractions of a decimal one."""
    base, dollars, digits = _fractional(price, fraction)
    return dollars + (price - dollars) * base / digits


def _rate(value: Any) -> float:
    found = numbers_in(value)
    if not found:
        checked(value)
        return plain_number(value)
    return found[0]


def _fractional(price: float, fraction: float) -> tuple[float, float, float]:
    """Whole denominator, whole dollars, and the power of ten the denominator fits into."""
    require(fraction >= 0.0)
    base = math.floor(fraction)
    require(base > 0, DIV0)
    return base, float(math.trunc(price)), 10.0 ** math.ceil(math.log10(base))


def _growth(rate: float, periods: float) -> float:
    require(rate > -1.0 or periods == int(periods))
    return float((1.0 + rate) ** periods)


def _future(rate: float, periods: float, payment: float, present: float, *, begin: bool) -> float:
    if rate == 0.0:
        return -(present + payment * periods)
    growth = _growth(rate, periods)
    due = 1.0 + rate if begin else 1.0
    return -(present * growth + payment * due * (growth - 1.0) / rate)


def _payment(rate: float, periods: float, present: float, future: float, *, begin: bool) -> float:
    if rate == 0.0:
        return -(present + future) / periods
    growth = _growth(rate, periods)
    due = 1.0 + rate if begin else 1.0
    return -rate * (future + present * growth) / ((growth - 1.0) * due)


def _interest(
    rate: float, period: float, periods: float, present: float, future: float, *, begin: bool
) -> float:
    """Interest of a period: what the balance at its start earns."""
    payment = _payment(rate, periods, present, future, begin=begin)
    if not begin:
        return _future(rate, period - 1.0, payment, present, begin=False) * rate
    if period == 1.0:
        return 0.0
    # Paid at the beginning: the balance after the payment before, discounted by one period.
    return (_future(rate, period - 2.0, payment, present, begin=True) - payment) * rate


def _cumulative(
    rate: float, periods: float, present: float, first: int, last: int, due: float
) -> tuple[float, float]:
    """Interest and principal from period `first` to `last`."""
    require(rate > 0.0 and periods > 0.0 and present > 0.0)
    require(1 <= first <= last <= periods and due in (0.0, 1.0))
    begin = due == 1.0
    payment = _payment(rate, periods, present, 0.0, begin=begin)
    interest = math.fsum(
        _interest(rate, float(period), periods, present, 0.0, begin=begin)
        for period in range(first, last + 1)
    )
    return interest, payment * (last - first + 1) - interest


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "FV": fv,
    "IPMT": ipmt,
    "PPMT": ppmt,
    "CUMIPMT": cumipmt,
    "CUMPRINC": cumprinc,
    "ISPMT": ispmt,
    "PDURATION": pduration,
    "EFFECT": effect,
    "NOMINAL": nominal,
    "FVSCHEDULE": fvschedule,
    "DOLLARDE": dollarde,
    "DOLLARFR": dollarfr,
}
