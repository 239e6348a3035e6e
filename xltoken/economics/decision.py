"""Buying tokens or building the capacity to make them: two programs of costs compared."""

import math
from dataclasses import dataclass

import numpy as np

from xltoken.economics.cashflow import Program
from xltoken.economics.discounting import FloatArray, clock, discount_factors
from xltoken.economics.domain import require
from xltoken.economics.payback import running_total


@dataclass(frozen=True, slots=True)
class Choice:
    """What buying and building the same tokens cost; neither brings revenue.

    Parameters
    ----------
    buy, build : Program
        The same months and timing.

    Examples
    --------
    >>> month = np.ones(12)
    >>> buy = Program(10 * month, 5 * month, 0 * month)
    >>> build = Program(10 * month, 2 * month, 0 * month, investment=100.0)
    >>> choice = Choice(buy, build)
    >>> choice.npv(0.0), choice.month(0.0)
    (260.0, 4)
    """

    buy: Program
    build: Program

    def npv(self, discount_rate: float) -> float:
        """Value of building less value of buying, USD; positive where building is better."""
        value = self.build.npv(discount_rate) - self.buy.npv(discount_rate)
        require(math.isfinite(value), "the difference is beyond every number.")
        return value

    def month(self, discount_rate: float) -> int | None:
        """First month in which building has cost less so far than buying; None if none.

        Costs so far are discounted at an effective annual `discount_rate` and include the
        investment; the residual counts in the last month.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            saved = _flows(self.build, discount_rate) - _flows(self.buy, discount_rate)
        ahead = np.flatnonzero(running_total(saved) > 0)
        return int(ahead[0]) if ahead.size else None


def _flows(program: Program, discount_rate: float) -> FloatArray:
    """Discounted cash of months 0 ... n in USD; month 0 is the investment."""
    factors = discount_factors(discount_rate, clock(len(program.volumes), program.timing))
    return np.concatenate(([-program.investment], program.cashflows() * factors))
