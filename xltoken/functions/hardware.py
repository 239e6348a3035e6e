"""What hardware costs by year: depreciation charges, and cost lines per token."""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from xltoken.catalog.keys import chosen
from xltoken.economics.cost_lines import cost_lines
from xltoken.economics.depreciation import CHARGES, charge, require_life
from xltoken.economics.domain import require_series
from xltoken.functions.definition import REQUIRED, Column, Kind, Parameter
from xltoken.functions.parameters import DISCOUNT_RATE, INVESTMENT, VOLUMES
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import InputError
from xltoken.model.valuation import Series, spread

LIFE_YEARS: Final = Parameter(
    "life_years", Kind.NUMBER, "years", "Life of the hardware, whole years from 1 to 100."
)


@worksheet(
    family="Hardware",
    summary="Depreciation charge of one year.",
    parameters=(
        Parameter("cost", Kind.NUMBER, "USD", "Paid for the asset."),
        Parameter("salvage", Kind.NUMBER, "USD", "Left at the end of its life; MACRS ignores it."),
        LIFE_YEARS,
        Parameter("year", Kind.NUMBER, "year", "Year of the schedule, from 1."),
        Parameter("method", Kind.KEY, "", f"One of {', '.join(CHARGES)}.", CHARGES[0]),
        Parameter(
            "share",
            Kind.NUMBER,
            "share of all units",
            "Share of all units of its life that the asset makes in the year, 0 to 1; method units "
            "needs it, others do not use it.",
            None,
        ),
    ),
    result="USD a year; #NUM! outside the schedule. MACRS has one year more than its name says.",
    formula=(
        "straight_line: (cost - salvage) / life; double_declining: 2/life of the book value, "
        "straight line once that is more, never below salvage; sum_of_years: (cost - salvage) x "
        "years left / sum of years; macrs_3, macrs_5, macrs_7: 200 % declining balance of the "
        "cost, half-year convention, its own life; units: (cost - salvage) x share."
    ),
    source="MACRS: IRS Publication 946, table A-1, before its rounding.",
    example=(400_000.0, 40_000.0, 5.0, 2.0, "double_declining"),
)
def DEPRECIATION_CHARGE(
    cost: float,
    salvage: float,
    life_years: float,
    year: float,
    method: str,
    share: float | None,
) -> float:
    """Answer with the charge."""
    method = chosen("method", method, CHARGES)
    if method == "units" and share is None:
        raise InputError("method units needs share, the share of all units made in the year.")
    return charge(cost, salvage, life_years, year, method, share)


@worksheet(
    family="Hardware",
    summary="What hardware adds to the cost of a token by year, on three views of its cost.",
    parameters=(
        DISCOUNT_RATE,
        replace(INVESTMENT, default=REQUIRED),
        VOLUMES,
        LIFE_YEARS,
        Parameter("salvage", Kind.NUMBER, "USD", "Received at the end of its life.", 0.0),
        Parameter(
            "market_decline",
            Kind.NUMBER,
            "share a year",
            "Effective annual fall of the market price of the hardware, 0.30 for 30 % a year.",
            0.0,
        ),
    ),
    result=(
        "3 rows, no header: the name of the line, then USD per 1M tokens of year 1, 2, ... of its "
        "life. A range of volumes has 12 months for each year; #DIV/0! where a year has none."
    ),
    formula=(
        "accounting: (investment - salvage) / life; economic: (investment - salvage (1 + rate)^"
        "-life) x rate / (1 - (1 + rate)^-life), paid at the end of each year; replacement: "
        "economic x (1 - market_decline)^(year - 1), the same payment on hardware bought that "
        "year. Each over the volume of the year."
    ),
    example=(0.10, 3_000_000.0, 500_000.0, 4.0, 300_000.0, 0.3),
    columns=(Column("line", "text"), Column("USD per 1M tokens", "number")),
)
def COST_LINES(
    discount_rate: float,
    investment: float,
    volumes: Series,
    life_years: float,
    salvage: float,
    market_decline: float,
) -> Any:
    """Lay the three lines out, a year a column."""
    require_life(life_years)
    months = 12 * int(life_years)
    monthly = spread(volumes, months)
    if len(monthly) != months:
        raise InputError(
            f"a range for volumes covers the life, {months} months for {life_years:g} years; it "
            f"has {len(monthly)}."
        )
    require_series("volumes", monthly)
    with np.errstate(over="ignore"):
        yearly = monthly.reshape(-1, 12).sum(axis=1)
    lines = cost_lines(yearly, discount_rate, investment, salvage, market_decline)
    return [
        [name, *getattr(lines, name).tolist()] for name in ("accounting", "economic", "replacement")
    ]
