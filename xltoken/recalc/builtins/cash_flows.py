"""Cash flows: MIRR, and present value and return of dated ones."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    DIV0,
    VALUE,
    Failure,
    cells,
    checked,
    number,
    numbers_in,
    plain_number,
    require,
    whole,
)

_YEAR: Final = 365.0
_HALVINGS: Final = 26
_HIGHEST: Final = 1e10


@whole
def mirr(values: Any, finance_rate: Any, reinvest_rate: Any) -> float:
    """Modified internal rate of return."""
    flows = numbers_in(values)
    lend, grow = number(finance_rate), number(reinvest_rate)
    paid = math.fsum(flow / _power(1.0 + lend, t) for t, flow in enumerate(flows) if flow < 0.0)
    last = len(flows) - 1
    earned = math.fsum(
        flow * _power(1.0 + grow, last - t) for t, flow in enumerate(flows) if flow > 0.0
    )
    require(paid != 0.0 and last > 0, DIV0)
    ratio = -earned / paid
    require(ratio >= 0.0 or last == 1)
    return float(ratio ** (1.0 / last)) - 1.0


@whole
def xnpv(rate: Any, values: Any, dates: Any) -> float:
    """Net present value of dated cash flows, on the day of the first."""
    discount = plain_number(rate)
    flows, years = _dated(values, dates, unfit="Num")
    require(discount > -1.0)
    return _present(discount, flows, years)


@whole
def xirr(values: Any, dates: Any, guess: Any = 0.1) -> float:
    """Annual rate at which dated cash flows are worth nothing.

    Excel halves an interval that it doubled from the guess upwards, and stops after 26 steps: its
    answers are multiples of the guess over powers of two, some 1e-8 off the true root. Negative
    rates, where its steps are not known, are solved to full precision here.
    """
    start = plain_number(guess)
    flows, years = _dated(values, dates, unfit=VALUE)
    require(start > -1.0)
    require(any(flow > 0.0 for flow in flows) and any(flow < 0.0 for flow in flows))
    step = abs(start) or 0.1
    at_zero = math.fsum(flows)
    low, high = 0.0, 2.0 * step
    while at_zero * _present(high, flows, years) > 0.0:
        low, high = high, 2.0 * high
        if high > _HIGHEST:
            return _negative(flows, years)
    middle = high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if at_zero * _present(middle, flows, years) > 0.0:
            low = middle
        else:
            high = middle
    return middle


def _negative(flows: Sequence[float], years: Sequence[float]) -> float:
    """Root between -1 and 0 by plain bisection."""
    at_zero = math.fsum(flows)
    low, high = 0.0, 0.0
    while at_zero * _present(high, flows, years) >= 0.0:
        low, high = high, high - (1.0 + high) / 10.0
        require(high > -1.0 + 1e-9)
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if at_zero * _present(middle, flows, years) > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _present(rate: float, flows: Sequence[float], years: Sequence[float]) -> float:
    try:
        return math.fsum(
            flow / (1.0 + rate) ** year for flow, year in zip(flows, years, strict=True)
        )
    except (OverflowError, ZeroDivisionError):
        raise Failure("Num") from None


def _dated(values: Any, dates: Any, *, unfit: str) -> tuple[list[float], list[float]]:
    """Flows and the years since the first of each."""
    flows, days = cells(values), cells(dates)
    for cell in (*flows, *days):
        checked(cell)
    require(len(flows) == len(days))
    for cell in (*flows, *days):
        if cell is None:
            raise Failure("Num")
        if isinstance(cell, bool | str):
            raise Failure(unfit)
    serials = [math.floor(day) for day in days]
    require(serials[0] >= 0 and all(serials[0] <= serial for serial in serials))
    return [float(flow) for flow in flows], [(day - serials[0]) / _YEAR for day in serials]


def _power(base: float, exponent: int) -> float:
    return 1.0 if exponent == 0 else base**exponent


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"MIRR": mirr, "XNPV": xnpv, "XIRR": xirr}
