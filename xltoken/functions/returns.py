"""What an outlay returns: payback, internal rates, levelized cost, and break-evens."""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from xltoken.catalog.keys import NotKnown, chosen
from xltoken.economics.discounting import TIMINGS, FloatArray
from xltoken.economics.irr import internal_rates
from xltoken.economics.payback import payback_months
from xltoken.functions.definition import REQUIRED, Column, Kind, Parameter
from xltoken.functions.parameters import (
    ASSUMPTIONS,
    DECLINE,
    DISCOUNT_RATE,
    FLOOR,
    INVESTMENT,
    PRICE,
    UNIT_COST,
    VOLUMES,
)
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import Assumptions
from xltoken.model.decisions import breakeven_price, breakeven_utilization, levelized
from xltoken.model.valuation import Series

_COSTS: Final = Parameter(
    "costs",
    Kind.SERIES,
    "USD a month",
    "What is paid each month, entered positive: one row or column, or one number for every month.",
)
_AFFINE: Final = "The NPV is a straight line in it, so it is a quotient and never searched for."


@worksheet(
    family="Returns",
    summary="Months until an outlay is paid back.",
    parameters=(
        Parameter(
            "cashflows",
            Kind.SERIES,
            "USD a month",
            "One row or column; the first cell is month 0. Outflows are negative.",
        ),
        replace(
            DISCOUNT_RATE,
            help="Effective annual rate at which each flow counts, 0.10 for 10 %; 0: plain sums.",
            default=0.0,
        ),
    ),
    result=(
        "Months from month 0; 0 where the cash so far is never below 0; #N/A where it never comes "
        "back."
    ),
    formula=(
        "first time at which the sum of cashflow x (1 + rate)^(-t/12) so far is 0 or more, having "
        "been below 0; linear inside the month."
    ),
    example=([-100.0, 30.0, 40.0, 50.0, 60.0], 0.10),
)
def PAYBACK_MONTHS(cashflows: Series, discount_rate: float) -> float:
    """Answer with the first crossing."""
    flows = _row(cashflows)
    months = payback_months(flows, discount_rate)
    if months is None:
        raise NotKnown(
            f"the outlay is not paid back within {len(flows) - 1} months: the cash so far is still "
            "below 0. Add later months, or look at the flows."
        )
    return months


@worksheet(
    family="Returns",
    summary="Every internal rate of return of a row of cash flows.",
    parameters=(
        Parameter(
            "cashflows",
            Kind.SERIES,
            "USD a period",
            "One row or column; the first cell is time 0. Outflows are negative.",
        ),
        Parameter(
            "periods_per_year", Kind.NUMBER, "periods a year", "1 for years, 12 for months.", 1.0
        ),
    ),
    result=(
        "Column of effective annual rates above -1, ascending, each once. #NUM! where there is "
        "none, and where all flows are 0."
    ),
    formula=(
        "all r with sum of cashflow x (1 + r)^(-t/periods_per_year) = 0, t = 0, 1, ... Excel's IRR "
        "gives the one nearest its guess. More than one means that the rate alone decides nothing: "
        "look at the NPV."
    ),
    source=(
        "Isolation of the roots: Laguerre (1883), in Polya and Szego, Problems and Theorems in "
        "Analysis, part V, chapter 1."
    ),
    example=([-100.0, 230.0, -132.0],),
    columns=(Column("share a year", "number"),),
)
def IRR_ALL(cashflows: Series, periods_per_year: float) -> Any:
    """Lay the rates out in a column."""
    return [[float(rate)] for rate in internal_rates(_row(cashflows), periods_per_year)]


@worksheet(
    family="Returns",
    summary="Flat price at which tokens pay for what they cost, the discount rate included.",
    parameters=(
        DISCOUNT_RATE,
        VOLUMES,
        _COSTS,
        INVESTMENT,
        Parameter(
            "residual",
            Kind.NUMBER,
            "USD",
            "Received for the hardware at the end of the last month.",
            0.0,
        ),
        Parameter("timing", Kind.KEY, "", f"One of {', '.join(TIMINGS)}: when money moves.", "end"),
    ),
    result="USD per 1M tokens; #DIV/0! without volumes. Two single numbers run for 60 months.",
    formula=(
        "(investment + PV(costs) - PV(residual)) / PV(volumes), month t at "
        "(1 + rate)^(-tau/12); tau = t (end), t - 1/2 (mid), t - 1 (begin)."
    ),
    source=(
        "The levelized cost of energy with tokens for kWh: Short, Packey and Holt (1995), NREL/"
        "TP-462-5173."
    ),
    example=(0.10, 1000.0, 50.0, 2000.0, 200.0),
)
def LEVELIZED_COST(
    discount_rate: float,
    volumes: Series,
    costs: Series,
    investment: float,
    residual: float,
    timing: str,
) -> float:
    """Answer with the levelized cost."""
    timing = chosen("timing", timing, TIMINGS)
    return levelized(discount_rate, volumes, costs, investment, residual, timing)


@worksheet(
    family="Returns",
    summary="Today's price at which a token program breaks even.",
    parameters=(
        DISCOUNT_RATE,
        VOLUMES,
        UNIT_COST,
        replace(DECLINE, default=REQUIRED),
        INVESTMENT,
        FLOOR,
        ASSUMPTIONS,
    ),
    result=(
        "USD per 1M tokens at month 0; it falls by the assumption price_decline. #DIV/0! without "
        "volumes; #NUM! where the program is worth something at price 0 already."
    ),
    formula=f"the price that makes NPV_DECLINING 0, after tax and all. {_AFFINE}",
    example=(0.10, 1000.0, 0.11, 0.5, 1000.0),
)
def BREAKEVEN_PRICE(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    investment: float,
    floor: float,
    assumptions: Assumptions,
) -> float:
    """Answer with the price."""
    return breakeven_price(
        discount_rate, volumes, unit_cost, decline, investment, floor, assumptions
    )


@worksheet(
    family="Returns",
    summary="Share of a capacity that must be sold to break even.",
    parameters=(
        DISCOUNT_RATE,
        Parameter(
            "capacity",
            Kind.SERIES,
            "M tokens a month",
            "Millions of counted tokens a month at utilization 1, as TOKEN_CAPACITY gives them: "
            "one row or column, or one number for every month.",
        ),
        _COSTS,
        replace(PRICE, default=REQUIRED),
        INVESTMENT,
        ASSUMPTIONS,
    ),
    result=(
        "Share of the capacity, 0 to 1. #N/A where more than all of it would have to be sold; the "
        "message says how much. #DIV/0! where nothing can be sold; #NUM! where the program is "
        "worth something unsold."
    ),
    formula=(
        "the u that makes 0 the NPV of u x capacity x price - costs - opex_per_month, less the "
        f"investment, after tax and all; a single price falls by price_decline. {_AFFINE}"
    ),
    example=(0.10, 1000.0, 50.0, 0.25, 100.0),
)
def BREAKEVEN_UTILIZATION(
    discount_rate: float,
    capacity: Series,
    costs: Series,
    price: Series,
    investment: float,
    assumptions: Assumptions,
) -> float:
    """Answer with the share."""
    return breakeven_utilization(discount_rate, capacity, costs, price, investment, assumptions)


def _row(cashflows: Series) -> FloatArray:
    """Cash flows as a row; a single number is one flow at time 0."""
    return np.atleast_1d(np.asarray(cashflows, dtype=np.float64))
