"""Cash flows: internal rates of return, and present value and return of dated ones."""

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
_TRIES: Final = 60
_STEPS: Final = 600
_STEP_DOWN: Final = 0.98


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
def irr(values: Any, guess: Any = 0.1) -> float:
    """Internal rate of return: the root that Newton's method reaches from the guess.

    Where it leaves the rates above -1 or does not settle, the root next to the guess is bisected.
    """
    flows = numbers_in(values)
    start = number(guess) or 0.1
    require(start > -1.0)
    require(any(flow > 0.0 for flow in flows) and any(flow < 0.0 for flow in flows))
    periods = [float(place) for place in range(len(flows))]
    rate = start
    for _ in range(_TRIES):
        base = 1.0 + rate
        slope = math.fsum(-t * flow / base ** (t + 1.0) for t, flow in enumerate(flows))
        if slope == 0.0:
            break
        step = _present(rate, flows, periods) / slope
        rate -= step
        if rate <= -1.0:
            break
        if abs(step) <= 1e-14 * abs(1.0 + rate):
            return rate
    return _next_root(start, flows, periods)


def _next_root(start: float, flows: Sequence[float], periods: Sequence[float]) -> float:
    """Root nearest to a start, by the discount factor in small steps to both sides."""
    low = high = 1.0 + start
    at_low = at_high = _present(start, flows, periods)
    for _ in range(_STEPS):
        below, above = low * _STEP_DOWN, high / _STEP_DOWN
        at_below = _present(below - 1.0, flows, periods)
        if at_below * at_low <= 0.0:
            return _bisected(low - 1.0, below - 1.0, flows, periods)
        at_above = _present(above - 1.0, flows, periods)
        if at_above * at_high <= 0.0:
            return _bisected(high - 1.0, above - 1.0, flows, periods)
        low, at_low, high, at_high = below, at_below, above, at_above
    raise Failure("Num")


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
    return _bisected(low, high, flows, years)


def _bisected(low: float, high: float, flows: Sequence[float], years: Sequence[float]) -> float:
    """Root between two rates on whose values the sign differs, to the last digit."""
    at_low = _present(low, flows, years)
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if at_low * _present(middle, flows, years) > 0.0:
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


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "IRR": irr,
    "MIRR": mirr,
    "XNPV": xnpv,
    "XIRR": xirr,
}
