"""What hardware costs by year: depreciation charges, and cost lines per token."""

from typing import Final

from xltoken.economics.depreciation import CHARGES, charge
from xltoken.functions.definition import Kind, Parameter
from xltoken.functions.parameters import chosen
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import InputError

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
