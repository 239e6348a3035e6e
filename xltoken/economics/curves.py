"""How a cost falls with time: flat, exponential, or towards a floor.

Declines are effective annual fractions, so twelve months at 0.30 leave exactly 70 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xltoken.economics.domain import DomainError, require, require_decline, require_finite

SHAPES: Final = ("exponential", "flat", "floor")
"""The shapes a :class:`Curve` can have; the first is the default."""


def decline_factor(decline: float, months: float) -> float:
    """Share of a value left after `months` at an effective annual `decline`.

    Parameters
    ----------
    decline : float
        Effective annual fraction below 1; negative for a rise.
    months : float
        Months since the start.

    Returns
    -------
    float
        ``(1 - decline) ** (months / 12)``; exactly 1 when `decline` is 0.

    Raises
    ------
    DomainError
        If `decline` is 1 or more, or an argument is not finite.

    Examples
    --------
    >>> round(decline_factor(0.3, 12), 12)
    0.7
    """
    require_finite(months=months)
    return decline_factors(decline, [months])[0]


def decline_factors(decline: float, months: Sequence[float]) -> list[float]:
    """Share of a value left after each of `months`, as :func:`decline_factor` has it.

    Examples
    --------
    >>> decline_factors(0.75, [0.0, 6.0, 12.0])
    [1.0, 0.5, 0.25]
    """
    require_decline(decline)
    left = 1.0 - decline
    try:
        return [float(left ** (month / 12.0)) for month in months]
    except OverflowError:
        longest = max(months)
        raise DomainError(f"a decline of {decline:g} over {longest:g} months overflows.") from None


@dataclass(frozen=True, slots=True)
class Curve:
    """A unit cost as a function of time.

    Parameters
    ----------
    start : float
        Value at month 0, 0 or more, in any unit (USD per 1M tokens in cells).
    decline : float
        Effective annual fraction below 1; ignored by shape ``flat``.
    floor : float, default 0
        Lower bound, in the unit of `start`: the value never falls below it.
    shape : {"exponential", "flat", "floor"}
        ``exponential``: ``start (1-d)^(m/12)``. ``flat``: ``start``. ``floor``:
        ``start (phi + (1-phi) (1-d)^(m/12))``, which tends to the share `floor_share` of `start`.
    floor_share : float, optional
        ``phi`` of shape ``floor``, between 0 and 1. Required there, unused elsewhere.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.

    Examples
    --------
    >>> round(Curve(0.10, 0.5).value(12), 12)
    0.05
    >>> round(Curve(0.10, 0.5, shape="floor", floor_share=0.4).value(12), 12)
    0.07
    """

    start: float
    decline: float = 0.0
    floor: float = 0.0
    shape: str = SHAPES[0]
    floor_share: float | None = None

    def __post_init__(self) -> None:
        require_finite(start=self.start, floor=self.floor)
        require(self.start >= 0, f"start is a cost, 0 or more; it is {self.start:g}.")
        require(self.floor >= 0, f"floor is a cost, 0 or more; it is {self.floor:g}.")
        require_decline(self.decline)
        require(self.shape in SHAPES, f"shape is one of {', '.join(SHAPES)}; it is {self.shape!r}.")
        if self.shape == "floor":
            share = self.floor_share
            require(
                share is not None and 0 <= share <= 1,
                f"shape floor needs floor_share, the share of start it tends to, between 0 and 1; "
                f"it is {share}.",
            )

    def value(self, months: float) -> float:
        """Value `months` after the start, never below `floor`."""
        return max(self.start * self._share(months), self.floor)

    def factor_per_year(self) -> float:
        """Value at month 12 as a multiple of the value at month 0 (nan if that is 0)."""
        first = self.value(0.0)
        return self.value(12.0) / first if first else math.nan

    def half_life_months(self) -> float:
        """Months until the value is half of the value at month 0; infinite if never."""
        half = self.value(0.0) / 2
        if self.shape == "flat" or self.decline <= 0 or half < self.floor or self.start == 0:
            return math.inf
        phi = (self.floor_share or 0.0) if self.shape == "floor" else 0.0
        left = half / self.start - phi
        if left <= 0:
            return math.inf
        return 12.0 * math.log(left / (1.0 - phi)) / math.log1p(-self.decline)

    def _share(self, months: float) -> float:
        if self.shape == "flat":
            require_finite(months=months)
            return 1.0
        factor = decline_factor(self.decline, months)
        if self.shape == "exponential":
            return factor
        phi = self.floor_share or 0.0
        return phi + (1.0 - phi) * factor
