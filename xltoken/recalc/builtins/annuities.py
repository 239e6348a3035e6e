"""Level payments, growth of one sum, and the depreciations that are one formula.

The engine has them too, but not over arrays; called in every row, they are kept short.
"""

import math
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import lifted, number, require


@lifted(number, number, number, number, number)
def pmt(
    rate: float, periods: float, present: float, future: float = 0.0, due: float = 0.0
) -> float:
    """Payment of each period."""
    require(periods != 0.0)
    if rate == 0.0:
        return -(present + future) / periods
    growth = _growth(rate, periods)
    paid = (growth - 1.0) * (1.0 + rate if due else 1.0)
    require(paid != 0.0)
    return -rate * (future + present * growth) / paid


@lifted(number, number, number, number, number)
def pv(rate: float, periods: float, payment: float, future: float = 0.0, due: float = 0.0) -> float:
    """Present value of level payments."""
    if rate == 0.0:
        return -(future + payment * periods)
    growth = _growth(rate, periods)
    require(growth != 0.0)
    paid = payment * (1.0 + rate if due else 1.0)
    return -(future + paid * (growth - 1.0) / rate) / growth


@lifted(number, number, number, number, number)
def nper(
    rate: float, payment: float, present: float, future: float = 0.0, due: float = 0.0
) -> float:
    """Periods that level payments take."""
    if rate == 0.0:
        require(payment != 0.0)
        return -(present + future) / payment
    paid = payment * (1.0 + rate if due else 1.0)
    left, begun = paid - future * rate, paid + present * rate
    require(rate > -1.0 and left * begun > 0.0)
    return math.log(left / begun) / math.log(1.0 + rate)


@lifted(number, number, number)
def rri(periods: float, present: float, future: float) -> float:
    """Rate by which a value grows into another."""
    require(periods > 0.0 and present != 0.0 and future / present >= 0.0)
    return float((future / present) ** (1.0 / periods)) - 1.0


@lifted(number, number, number)
def sln(cost: float, salvage: float, life: float) -> float:
    """Straight line."""
    return (cost - salvage) / life


@lifted(number, number, number, number)
def syd(cost: float, salvage: float, life: float, period: float) -> float:
    """Sum of years' digits."""
    require(life > 0.0 and 0.0 < period <= life)
    return (cost - salvage) * (life - period + 1.0) * 2.0 / (life * (life + 1.0))


@lifted(number, number, number, number, number)
def ddb(cost: float, salvage: float, life: float, period: float, factor: float = 2.0) -> float:
    """Declining balance, never below the salvage value."""
    require(cost >= 0.0 and salvage >= 0.0 and factor > 0.0 and 1.0 <= period <= life)
    kept = max(1.0 - factor / life, 0.0)
    start = cost * float(kept ** (period - 1.0))
    return max(start - max(start * kept, salvage), 0.0)


def _growth(rate: float, periods: float) -> float:
    require(rate > -1.0 or (periods >= 0.0 if rate == -1.0 else periods == int(periods)))
    return float((1.0 + rate) ** periods)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "PMT": pmt,
    "PV": pv,
    "NPER": nper,
    "RRI": rri,
    "SLN": sln,
    "SYD": syd,
    "DDB": ddb,
}
