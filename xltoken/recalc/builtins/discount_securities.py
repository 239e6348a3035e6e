"""Securities without coupons: discounts, prices and yields, and interest paid at maturity."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import DIV0, lifted, plain_integer, plain_number, require
from xltoken.recalc.builtins.bonds import day
from xltoken.recalc.builtins.days import days_between, year_length


@lifted(day, day, plain_number, plain_number, plain_integer)
def disc(
    settlement: dt.date, maturity: dt.date, price: float, redemption: float, basis: int = 0
) -> float:
    """Discount rate."""
    require(price > 0.0 and redemption > 0.0)
    return (1.0 - price / redemption) / _years(settlement, maturity, basis)


@lifted(day, day, plain_number, plain_number, plain_integer)
def intrate(
    settlement: dt.date, maturity: dt.date, investment: float, redemption: float, basis: int = 0
) -> float:
    """Interest rate of a security fully invested."""
    require(investment > 0.0 and redemption > 0.0)
    return (redemption - investment) / investment / _years(settlement, maturity, basis)


@lifted(day, day, plain_number, plain_number, plain_integer)
def received(
    settlement: dt.date, maturity: dt.date, investment: float, discount: float, basis: int = 0
) -> float:
    """Amount received at maturity."""
    require(investment > 0.0 and discount > 0.0)
    left = 1.0 - discount * _years(settlement, maturity, basis)
    require(left > 0.0)
    return investment / left


@lifted(day, day, plain_number, plain_number, plain_integer)
def pricedisc(
    settlement: dt.date, maturity: dt.date, discount: float, redemption: float, basis: int = 0
) -> float:
    """Price of a discounted security."""
    require(discount > 0.0 and redemption > 0.0)
    return redemption - discount * redemption * _years(settlement, maturity, basis)


@lifted(day, day, plain_number, plain_number, plain_integer)
def yielddisc(
    settlement: dt.date, maturity: dt.date, price: float, redemption: float, basis: int = 0
) -> float:
    """Yield of a discounted security."""
    require(price > 0.0 and redemption > 0.0)
    return (redemption - price) / price / _years(settlement, maturity, basis)


@lifted(day, day, day, plain_number, plain_number, plain_integer)
def pricemat(
    settlement: dt.date,
    maturity: dt.date,
    issue: dt.date,
    rate: float,
    yield_: float,
    basis: int = 0,
) -> float:
    """Price of a security that pays its interest at maturity."""
    require(rate >= 0.0 and yield_ >= 0.0)
    life, passed, ahead = _parts(settlement, maturity, issue, basis)
    accrued = passed * rate * 100.0
    return (100.0 + life * rate * 100.0) / (1.0 + ahead * yield_) - accrued


@lifted(day, day, day, plain_number, plain_number, plain_integer)
def yieldmat(
    settlement: dt.date,
    maturity: dt.date,
    issue: dt.date,
    rate: float,
    price: float,
    basis: int = 0,
) -> float:
    """Yield of a security that pays its interest at maturity."""
    require(rate >= 0.0 and price > 0.0)
    life, passed, ahead = _parts(settlement, maturity, issue, basis)
    paid = price / 100.0 + passed * rate
    require(ahead > 0.0, DIV0)
    return (1.0 + life * rate - paid) / paid / ahead


def _years(settlement: dt.date, maturity: dt.date, basis: int) -> float:
    require(0 <= basis <= 4 and settlement < maturity)
    return days_between(settlement, maturity, basis) / year_length(settlement, maturity, basis)


def _parts(
    settlement: dt.date, maturity: dt.date, issue: dt.date, basis: int
) -> tuple[float, float, float]:
    """Years from issue to maturity, from issue to settlement, from settlement to maturity."""
    require(0 <= basis <= 4 and issue < settlement < maturity)
    length = year_length(issue, settlement, basis)
    whole = days_between(issue, maturity, basis)
    passed = days_between(issue, settlement, basis)
    return whole / length, passed / length, (whole - passed) / length


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "DISC": disc,
    "INTRATE": intrate,
    "RECEIVED": received,
    "PRICEDISC": pricedisc,
    "YIELDDISC": yielddisc,
    "PRICEMAT": pricemat,
    "YIELDMAT": yieldmat,
}
