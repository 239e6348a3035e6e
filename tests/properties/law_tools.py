"""What the laws share: 200 examples each, numbers a budget may hold, and answers free of errors."""

import math
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

import xltoken

law = settings(max_examples=200, deadline=None)
"""Every law holds on 200 examples, however long they take."""

TIMINGS = ("end", "mid", "begin")


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers in a range, without those too small for full precision."""
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


def amounts(high: float = 1e6) -> st.SearchStrategy[float]:
    """USD or tokens: 0, or from a millionth up."""
    return st.just(0.0) | numbers(1e-6, high)


RATES = numbers(-0.5, 2.0)
"""Discount rates, a year."""
POSITIVE_RATES = numbers(0.0, 2.0)
DECLINES = numbers(-0.5, 0.95)
"""Declines, a year: half more to nearly nothing left."""
FALLS = numbers(0.0, 0.95)
VOLUMES = st.lists(amounts(1e5), min_size=2, max_size=30)
"""Volumes, or flows, of some months; a range of one cell would be a scalar for every month."""
timings = st.sampled_from(TIMINGS)


@st.composite
def paths(draw: st.DrawFn, count: int, high: float = 1e4) -> list[list[float]]:
    """Some series of one length."""
    months = draw(st.integers(2, 24))
    series = st.lists(amounts(high), min_size=months, max_size=months)
    return [draw(series) for _ in range(count)]


def assumed(**told: Any) -> list[list[Any]]:
    """Assumptions as a range of two columns."""
    return [[name, value] for name, value in told.items()]


def number(value: Any) -> float:
    """The number in a cell; an error mark fails with its message."""
    assert not isinstance(value, str), f"{value}: {getattr(value, 'message', '')}"
    return float(value)


def table(value: Any) -> list[list[Any]]:
    """The table in a spill range; an error mark fails with its message."""
    assert not isinstance(value, str), f"{value}: {getattr(value, 'message', '')}"
    return value


def known(value: Any) -> float:
    """The number in a cell; what is not known costs infinitely much."""
    return math.inf if value == "#N/A" else number(value)


def close(a: float, b: float, scale: float = 0.0, share: float = 1e-9) -> bool:
    """Whether two numbers agree to a share of the larger, or of the money that went into them."""
    return abs(a - b) <= share * max(abs(a), abs(b), abs(scale), 1e-300)


def npv(*arguments: Any, **told: Any) -> float:
    """NPV_DECLINING with assumptions by name."""
    filled = [*arguments, *[None] * (7 - len(arguments))]
    return number(xltoken.NPV_DECLINING(*filled, assumed(**told) or None))


def static(*arguments: Any, **told: Any) -> float:
    """NPV_STATIC with assumptions by name."""
    filled = [*arguments, *[None] * (5 - len(arguments))]
    return number(xltoken.NPV_STATIC(*filled, assumed(**told) or None))


def moved(rate: float, *series: list[float]) -> float:
    """Money that moves, discounted at the rate or at its inverse: what rounding is a share of."""
    grown = max((1.0 + rate) ** (-len(series[0]) / 12.0), 1.0)
    products = [math.prod(month) for month in zip(*series, strict=True)]
    return grown * sum(abs(p) for p in products)
