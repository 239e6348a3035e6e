"""Whether to buy tokens from a provider or to build the capacity to serve them."""

from dataclasses import replace
from typing import Final

from xltoken.catalog.keys import NotKnown, chosen
from xltoken.functions.definition import REQUIRED, Kind, Parameter
from xltoken.functions.parameters import (
    ASSUMPTIONS,
    DISCOUNT_RATE,
    INVESTMENT,
    PRICE,
    UNIT_COST,
    VOLUMES,
)
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import Assumptions
from xltoken.model.decisions import buy_or_build
from xltoken.model.valuation import Series

FIELDS: Final = ("npv", "buy", "build", "month")


@worksheet(
    family="Decision",
    summary="What building capacity is worth against buying the same tokens from a provider.",
    parameters=(
        DISCOUNT_RATE,
        VOLUMES,
        replace(
            PRICE,
            name="api_price",
            help="Provider's price today, or a row or column that is the path itself.",
            default=REQUIRED,
        ),
        replace(
            UNIT_COST,
            help="Own unit cost, the same every month, or a row or column that is the path.",
        ),
        replace(INVESTMENT, help="Paid at month 0 to build, entered positive."),
        Parameter("field", Kind.KEY, "", f"One of {', '.join(FIELDS)}.", FIELDS[0]),
        ASSUMPTIONS,
    ),
    result=(
        "npv: USD, build less buy, positive where building is better; buy, build: USD, present "
        "values of cost, negative; month: first month in which building has cost less so far, #N/A "
        "if none."
    ),
    formula=(
        "buy: -(1 - tax) volume x api_price x (1 + rate)^(-tau/12), summed; a single api_price "
        "falls by price_decline on the clock of its payments. build: the same with unit_cost and "
        "opex_per_month, plus tax x depreciation and the residual, less the investment. month: "
        "running discounted totals, investment at month 0, residual in the last."
    ),
    example=(0.10, 1000.0, 0.25, 0.11, 1000.0),
)
def BUY_OR_BUILD(
    discount_rate: float,
    volumes: Series,
    api_price: Series,
    unit_cost: Series,
    investment: float,
    field: str,
    assumptions: Assumptions,
) -> float:
    """Answer with one field of the comparison."""
    field = chosen("field", field, FIELDS)
    choice = buy_or_build(volumes, api_price, unit_cost, investment, assumptions)
    if field == "npv":
        return choice.npv(discount_rate)
    if field != "month":
        return (choice.buy if field == "buy" else choice.build).npv(discount_rate)
    month = choice.month(discount_rate)
    if month is None:
        raise NotKnown(
            f"in none of the {len(choice.buy.volumes)} months has building cost less so far than "
            "buying."
        )
    return float(month)
