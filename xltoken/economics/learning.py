"""How a cost falls with experience: Wright's law."""

import math

from xltoken.economics.domain import DomainError, require, require_finite


def learning_curve(
    start: float, cumulative_volume: float, learning_rate: float, initial_volume: float = 1.0
) -> float:
    """Cost of a unit after so much has been made, each doubling taking the same share off.

    ``start x (cumulative / initial) ^ log2(1 - learning_rate)``, Wright (1936), "Factors affecting
    the cost of airplanes", Journal of the Aeronautical Sciences 3(4).

    Parameters
    ----------
    start : float
        Cost at `initial_volume`, 0 or more, in any unit (USD per 1M tokens in cells).
    cumulative_volume : float
        All that has been made so far, above 0; below `initial_volume` it looks back.
    learning_rate : float
        Share by which a doubling lowers the cost, below 1; negative for a rise.
    initial_volume : float, default 1
        What had been made when the cost was `start`, above 0, in the unit of `cumulative_volume`.

    Returns
    -------
    float
        Cost in the unit of `start`: exactly `start` at `initial_volume`, and exactly
        ``start x (1 - learning_rate) ** k`` after k doublings.

    Raises
    ------
    DomainError
        If a number lies outside the ranges above, or the cost grows beyond every number.

    Examples
    --------
    >>> round(learning_curve(0.10, 4000.0, 0.20, 1000.0), 12)
    0.064
    """
    require_finite(
        start=start,
        cumulative_volume=cumulative_volume,
        learning_rate=learning_rate,
        initial_volume=initial_volume,
    )
    require(start >= 0, f"start is a cost, 0 or more; it is {start:g}.")
    for name, volume in (
        ("cumulative_volume", cumulative_volume),
        ("initial_volume", initial_volume),
    ):
        require(volume > 0, f"{name} is all that has been made, above 0; it is {volume:g}.")
    require(
        learning_rate < 1,
        "learning_rate is the share a doubling takes off, below 1 (0.20 means 20 %); it is "
        f"{learning_rate:g}.",
    )
    # Exponents apart from mantissas: no ratio overflows, and whole doublings are counted exactly.
    mantissa, exponent = math.frexp(cumulative_volume)
    first_mantissa, first_exponent = math.frexp(initial_volume)
    doublings = exponent - first_exponent + math.log2(mantissa / first_mantissa)
    try:
        cost = start * float((1.0 - learning_rate) ** doublings)
    except OverflowError:
        cost = math.inf
    if math.isinf(cost):
        raise DomainError(
            f"a learning rate of {learning_rate:g} over {doublings:g} doublings overflows."
        )
    return cost
