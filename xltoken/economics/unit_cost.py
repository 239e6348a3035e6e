"""From a rate and a speed to the cost of a token, and back to capacity.

``USD per 1M tokens = rate / (tokens per second x 3600 / 1e6) / utilization x (1 + overhead)``
"""

import math
from typing import Final

from xltoken.economics.domain import require, require_finite

SECONDS_PER_HOUR: Final = 3600.0
HOURS_PER_MONTH: Final = 730.0
"""Hours in a month: 8,760 / 12, the convention of cloud price lists."""
TOKENS_PER_MILLION: Final = 1e6


def usd_per_million_tokens(
    usd_per_accelerator_hour: float,
    tokens_per_second: float,
    utilization: float = 1.0,
    overhead: float = 0.0,
) -> float:
    """Cost of a million tokens on accelerators that run at a given speed.

    Parameters
    ----------
    usd_per_accelerator_hour : float
        USD per accelerator-hour, 0 or more.
    tokens_per_second : float
        Counted tokens per second and accelerator, above 0.
    utilization : float, default 1
        Share of the paid hours in which the accelerators serve at that speed, in (0, 1].
    overhead : float, default 0
        Share of the rate added on top, 0 or more.

    Returns
    -------
    float
        USD per 1M counted tokens.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.

    Examples
    --------
    >>> round(usd_per_million_tokens(1.95, 25_943), 4)
    0.0209
    """
    usual = (
        0 < tokens_per_second < math.inf
        and 0 < utilization <= 1
        and 0 <= usd_per_accelerator_hour < math.inf
        and 0 <= overhead < math.inf
    )
    if not usual:  # say which, and why
        _require_operation(tokens_per_second, utilization)
        require_finite(usd_per_accelerator_hour=usd_per_accelerator_hour, overhead=overhead)
        require(usd_per_accelerator_hour >= 0, "the rate is USD per accelerator-hour, 0 or more.")
        require(overhead >= 0, "overhead is a share of the rate, 0 or more.")
    millions_per_hour = tokens_per_second * SECONDS_PER_HOUR / TOKENS_PER_MILLION
    return usd_per_accelerator_hour / millions_per_hour / utilization * (1.0 + overhead)


def million_tokens_per_month(
    tokens_per_second: float, accelerators: float = 1.0, utilization: float = 1.0
) -> float:
    """Tokens that accelerators serve in a month of 730 hours.

    Parameters
    ----------
    tokens_per_second : float
        Counted tokens per second and accelerator, above 0.
    accelerators : float, default 1
        Number of accelerators, 0 or more.
    utilization : float, default 1
        Share of the hours used, in (0, 1].

    Returns
    -------
    float
        Millions of counted tokens a month.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.

    Examples
    --------
    >>> million_tokens_per_month(1_000.0, 72)
    189216.0
    """
    usual = (
        0 < tokens_per_second < math.inf and 0 < utilization <= 1 and 0 <= accelerators < math.inf
    )
    if not usual:  # say which, and why
        _require_operation(tokens_per_second, utilization)
        require_finite(accelerators=accelerators)
        require(accelerators >= 0, "accelerators is a count, 0 or more.")
    seconds = SECONDS_PER_HOUR * HOURS_PER_MONTH
    return tokens_per_second * seconds / TOKENS_PER_MILLION * accelerators * utilization


def counted_tokens(tokens_in: float, tokens_out: float, counted: str) -> float:
    """Tokens of a request that count: ``output``, ``input`` or ``total``.

    Examples
    --------
    >>> counted_tokens(8192, 1024, "total")
    9216
    """
    if counted == "total":
        return tokens_in + tokens_out
    return tokens_out if counted == "output" else tokens_in


def accelerators_required(million_tokens: float, capacity: float, peak_factor: float = 1.0) -> int:
    """Accelerators that serve a month's volume at its peak, rounded up.

    Parameters
    ----------
    million_tokens : float
        Millions of counted tokens a month, 0 or more.
    capacity : float
        Millions of counted tokens a month of one accelerator, above 0.
    peak_factor : float, default 1
        Demand in the busiest hour over the mean, 1 or more.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.

    Examples
    --------
    >>> accelerators_required(1_000.0, 300.0, 1.5)
    5
    """
    require_finite(million_tokens=million_tokens, capacity=capacity, peak_factor=peak_factor)
    require(million_tokens >= 0, "a volume is millions of tokens a month, 0 or more.")
    require(capacity > 0, "the capacity of an accelerator must be above 0.")
    require(peak_factor >= 1, f"peak_factor is peak over mean, 1 or more; it is {peak_factor:g}.")
    needed = million_tokens * peak_factor / capacity
    require(math.isfinite(needed), "the volume is beyond every number of accelerators.")
    # A volume that fits exactly needs no further accelerator because of the last bit.
    return math.ceil(needed * (1.0 - 1e-12))


def _require_operation(tokens_per_second: float, utilization: float) -> None:
    require_finite(tokens_per_second=tokens_per_second, utilization=utilization)
    require(tokens_per_second > 0, "tokens per second must be above 0.")
    require(
        0 < utilization <= 1,
        f"utilization is a share above 0 and at most 1; it is {utilization:g}.",
    )
