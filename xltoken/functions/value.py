"""What a token program is worth when its unit cost falls, and when it is held flat."""

from typing import Final

import numpy as np

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
from xltoken.model.assumptions import Assumptions, InputError
from xltoken.model.valuation import Series, program

_PARAMETERS: Final = (
    DISCOUNT_RATE, VOLUMES, UNIT_COST, DECLINE, PRICE, INVESTMENT, FLOOR, ASSUMPTIONS,
)  # fmt: skip
_FORMULA: Final = (
    "sum of volume x (price - unit cost) x (1 + rate)^(-tau/12), less the investment; "
    "unit cost = unit_cost (1 - decline)^(tau/12), never below floor; tau = t (end), t - 1/2 "
    "(mid), t - 1 (begin). Outflows are negative. Excel's NPV is not used: its first value is "
    "always one period away."
)
_SOURCE: Final = "FAST Standard 4.01-02 on the timing trap of NPV."


@worksheet(
    family="Value",
    summary="Net present value of a token program whose unit cost declines.",
    parameters=_PARAMETERS,
    result="USD; a cost without a price gives a negative value.",
    formula=_FORMULA,
    source=_SOURCE,
    example=(0.10, 1000.0, 0.11, 0.5, 0.25, 1000.0),
)
def NPV_DECLINING(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    floor: float,
    assumptions: Assumptions,
) -> float:
    """Value the program."""
    built = program(volumes, unit_cost, decline, price, investment, floor, assumptions)
    return built.npv(discount_rate)


@worksheet(
    family="Value",
    summary="Net present value of the same program with its unit cost held flat.",
    parameters=(DISCOUNT_RATE, VOLUMES, UNIT_COST, PRICE, INVESTMENT, ASSUMPTIONS),
    result="USD; what a budget with one flat cost line says.",
    formula="NPV_DECLINING with decline 0 and floor 0, to the last bit.",
    source=_SOURCE,
    example=(0.10, 1000.0, 0.11, 0.25, 1000.0),
)
def NPV_STATIC(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    price: Series,
    investment: float,
    assumptions: Assumptions,
) -> float:
    """Value the program with decline 0."""
    return program(volumes, unit_cost, 0.0, price, investment, 0.0, assumptions).npv(discount_rate)


@worksheet(
    family="Value",
    summary="How much more the program is worth when its unit cost declines than when it is flat.",
    parameters=_PARAMETERS,
    result="USD: NPV_DECLINING less NPV_STATIC, on the same price path.",
    formula="NPV_DECLINING - NPV_STATIC.",
    source=_SOURCE,
    example=(0.10, 1000.0, 0.11, 0.5),
)
def NPV_ADVANTAGE(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    floor: float,
    assumptions: Assumptions,
) -> float:
    """Value the program twice."""
    if isinstance(unit_cost, np.ndarray):
        raise InputError(
            "NPV_ADVANTAGE takes today's unit cost; for a path use NPV_DECLINING of the path less "
            "NPV_STATIC of its first cost."
        )
    declining = program(volumes, unit_cost, decline, price, investment, floor, assumptions)
    static = program(volumes, unit_cost, 0.0, price, investment, 0.0, assumptions)
    return declining.npv(discount_rate) - static.npv(discount_rate)
