"""Which input matters most: every input moved alone, the others at their base.

The one-at-a-time bars of a tornado diagram: Howard (1988), "Decision analysis: practice and
promise", Management Science 34(6).
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from xltoken.economics.domain import DomainError, require, require_finite


class Swings(Protocol):
    """What has a swing."""

    @property
    def swing(self) -> float:
        """Distance between two results, 0 or more."""


_Swinging = TypeVar("_Swinging", bound=Swings)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a tornado: an input at its two ends, and the result there.

    Parameters
    ----------
    driver : str
        Name of the input.
    low, high : float
        Its values, in its own unit.
    result_low, result_high : float
        Results at `low` and `high`, in the unit of the result.
    """

    driver: str
    low: float
    high: float
    result_low: float
    result_high: float

    @property
    def swing(self) -> float:
        """Distance between the two results, 0 or more."""
        return abs(self.result_high - self.result_low)


def tornado(
    result: Callable[[Mapping[str, float]], float], base: Mapping[str, float], spread: float
) -> list[Bar]:
    """Move every input to ``value x (1 - spread)`` and ``value x (1 + spread)``, one at a time.

    Parameters
    ----------
    result : callable
        Takes a value for every name of `base` and gives a number.
    base : mapping of str to float
        Inputs by name, in their own units. For an input that is a series, give 1 and let `result`
        multiply the series by it.
    spread : float
        Share by which an input moves, between 0 and 1.

    Returns
    -------
    list of Bar
        Largest swing first; equal swings in the order of `base`.

    Raises
    ------
    DomainError
        If `spread` is no such share, or an input leaves its domain at one of its ends; the message
        names the input.

    Examples
    --------
    >>> bars = tornado(lambda v: v["volume"] * v["price"] - v["rent"],
    ...                {"volume": 10.0, "price": 2.0, "rent": 5.0}, 0.5)
    >>> [(bar.driver, bar.result_low, bar.result_high, bar.swing) for bar in bars]
    [('volume', 5.0, 25.0, 20.0), ('price', 5.0, 25.0, 20.0), ('rent', 17.5, 12.5, 5.0)]
    """
    require_finite(spread=spread)
    require(
        0 <= spread <= 1,
        f"spread is the share by which each driver moves, between 0 and 1; it is {spread:g}.",
    )
    bars = []
    for driver, value in base.items():
        ends = (value * (1.0 - spread), value * (1.0 + spread))
        results = tuple(_at(result, base, driver, end) for end in ends)
        bars.append(Bar(driver, ends[0], ends[1], results[0], results[1]))
        require(math.isfinite(bars[-1].swing), f"the swing of {driver} is beyond every number.")
    return largest_first(bars)


def largest_first(bars: Iterable[_Swinging]) -> list[_Swinging]:
    """Bars of a tornado by falling swing; equal swings keep their order."""
    return sorted(bars, key=lambda bar: -bar.swing)


def _at(
    result: Callable[[Mapping[str, float]], float],
    base: Mapping[str, float],
    driver: str,
    value: float,
) -> float:
    try:
        return result({**base, driver: value})
    except DomainError as error:
        raise DomainError(f"driver {driver} at {value:g}: {error} Take a smaller spread.") from None
