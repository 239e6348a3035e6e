"""The one failure of a formula: a number outside the domain on which it is defined."""

import math

import numpy as np
from numpy.typing import NDArray


class DomainError(ValueError):
    """A number outside the domain of a formula; a cell shows it as ``#NUM!``."""


def require(condition: object, message: str) -> None:
    """Raise :class:`DomainError` with `message` unless `condition` holds."""
    if not condition:
        raise DomainError(message)


def require_finite(**numbers: float) -> None:
    """Raise :class:`DomainError` naming the first of `numbers` that is nan or infinite."""
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise DomainError(f"{name} must be a finite number; it is {number}.")


def require_series(name: str, series: NDArray[np.float64]) -> None:
    """Raise :class:`DomainError` unless every period of a series is finite and 0 or more."""
    # The smallest and the largest of a series with a nan are nan, and no comparison holds.
    if len(series) and not (series.min() >= 0 and series.max() < math.inf):
        raise DomainError(f"{name} must be finite and 0 or more in every period.")


def require_decline(decline: float, name: str = "decline") -> None:
    """Raise unless `decline` is an effective annual fraction below 1 (0.30 is 30 % a year)."""
    require_finite(**{name: decline})
    if decline >= 1:
        raise DomainError(
            f"{name} is an effective annual fraction below 1 (0.30 means 30 % a year); it is "
            f"{decline:g}."
        )
