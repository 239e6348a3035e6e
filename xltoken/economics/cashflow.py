"""What a token program is worth: its monthly cash flows and their net present value.

Before tax a month brings ``volume x (price - unit cost) - opex``; depreciation does not enter,
because it allocates a past outlay and moves no cash. After tax at rate T it brings
``(1 - T)(revenue - cost - opex) + T x depreciation``, and at the end the residual less tax on its
gain over book value. A loss gives its tax back in the same month. The investment falls at month 0,
undiscounted. Outflows are negative.
"""

import math
from dataclasses import dataclass

import numpy as np

from xltoken.economics.curves import decline_factors
from xltoken.economics.depreciation import METHODS, schedule
from xltoken.economics.discounting import FloatArray, present_value
from xltoken.economics.domain import require, require_finite, require_series


@dataclass(frozen=True, slots=True)
class Program:
    """A token program over n months.

    Parameters
    ----------
    volumes : ndarray, shape (months,)
        Millions of tokens a month, 0 or more.
    unit_costs, prices : ndarray, shape (months,)
        USD per 1M tokens, 0 or more.
    investment : float
        USD paid at month 0, entered positive.
    timing : {"end", "mid", "begin"}
        When in its month money moves.
    tax_rate : float
        Share of profit, in [0, 1).
    method, life_years, residual
        Depreciation method, years, and USD received for the hardware at the end.
    opex_per_month : float or ndarray, shape (months,)
        USD a month beside the unit cost: one number for every month, or one a month.
    """

    volumes: FloatArray
    unit_costs: FloatArray
    prices: FloatArray
    investment: float = 0.0
    timing: str = "end"
    tax_rate: float = 0.0
    method: str = "straight_line"
    life_years: int = 5
    residual: float = 0.0
    opex_per_month: float | FloatArray = 0.0

    def __post_init__(self) -> None:
        require_finite(
            investment=self.investment,
            tax_rate=self.tax_rate,
            residual=self.residual,
        )
        require(self.investment >= 0, "investment is entered positive: USD paid at month 0.")
        require(0 <= self.tax_rate < 1, "tax_rate is a share of profit in [0, 1).")
        require(self.residual >= 0, "residual is USD received at the end, 0 or more.")
        require(self.method in METHODS, f"depreciation is one of {', '.join(METHODS)}.")
        require(self.life_years >= 1, f"a life is 1 year or more; it is {self.life_years}.")
        require(
            bool(np.all(np.isfinite(self.opex_per_month))),
            "opex_per_month must be a finite number in every period.",
        )
        lengths = {len(self.volumes), len(self.unit_costs), len(self.prices)}
        require(
            len(lengths) == 1 and 0 not in lengths,
            "volumes, unit costs and prices must have the same number of months, 1 or more; they "
            f"have {len(self.volumes)}, {len(self.unit_costs)} and {len(self.prices)}.",
        )
        require(
            np.shape(self.opex_per_month) in ((), (len(self.volumes),)),
            "opex_per_month is one number or has the same number of months as the volumes.",
        )
        for name, series in (
            ("volumes", self.volumes),
            ("unit_cost", self.unit_costs),
            ("price", self.prices),
        ):
            require_series(name, series)

    def cashflows(self) -> FloatArray:
        """Cash of months 1 ... n in USD, after tax, the investment excluded."""
        margin = self.volumes * (self.prices - self.unit_costs) - self.opex_per_month
        if self.tax_rate == 0 and self.residual == 0:
            return margin
        charges = self._monthly_depreciation()
        flows = (1.0 - self.tax_rate) * margin + self.tax_rate * charges
        book = self.investment - float(charges.sum())
        flows[-1] += self.residual - self.tax_rate * (self.residual - book)
        return flows

    def npv(self, discount_rate: float) -> float:
        """Net present value in USD at an effective annual `discount_rate`."""
        with np.errstate(over="ignore", invalid="ignore"):
            flows = self.cashflows()
            value = present_value(flows, discount_rate, self.timing) - self.investment
        require(math.isfinite(value), "the present value is beyond every number.")
        return value

    def _monthly_depreciation(self) -> FloatArray:
        salvage = min(self.residual, self.investment)
        years = schedule(self.investment, salvage, self.life_years, self.method)
        monthly = np.zeros(len(self.volumes))
        spread = np.repeat(years / 12.0, 12)[: len(monthly)]
        monthly[: len(spread)] = spread
        return monthly


def declining_path(
    start: float, decline: float, months: FloatArray, floor: float = 0.0
) -> FloatArray:
    """A unit cost or price on the clock of its payments: ``start (1-d)^(tau/12)``, floored.

    Parameters
    ----------
    start : float
        USD per 1M tokens today, 0 or more.
    decline : float
        Effective annual fraction below 1.
    months : ndarray, shape (months,)
        The clock: months from today to each payment.
    floor : float, default 0
        USD per 1M tokens; the path never falls below it.

    Returns
    -------
    ndarray, shape (months,)

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.

    Examples
    --------
    >>> declining_path(1.0, 0.75, np.array([0.0, 6.0, 12.0]))
    array([1.  , 0.5 , 0.25])
    """
    require_finite(start=start, floor=floor)
    require(start >= 0, "a unit cost or price is 0 or more.")
    require(floor >= 0, "floor is a cost, 0 or more.")
    if decline == 0:  # a flat path is the start itself, to the last bit
        return np.full(len(months), max(start, floor))
    factors = np.array(decline_factors(decline, months.tolist()))
    with np.errstate(over="ignore"):
        path = np.maximum(start * factors, floor)
    require(np.isfinite(path).all(), "a unit cost or price grows beyond every number.")
    return path
