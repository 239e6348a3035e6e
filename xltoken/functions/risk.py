"""How sure the value of a token program is, and what it hangs on."""

from typing import Any, Final

from xltoken.functions.definition import Column, Kind, Parameter
from xltoken.functions.parameters import (
    ASSUMPTIONS,
    DECLINE,
    DISCOUNT_RATE,
    INVESTMENT,
    PRICE,
    UNIT_COST,
    VOLUMES,
)
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import Assumptions
from xltoken.model.risk import npv_tornado, simulated
from xltoken.model.valuation import Series

_PROGRAM: Final = (
    DISCOUNT_RATE,
    VOLUMES,
    UNIT_COST,
    Parameter(DECLINE.name, DECLINE.kind, DECLINE.unit, DECLINE.help),
    PRICE,
    INVESTMENT,
)


@worksheet(
    family="Risk",
    summary="Spread of the net present value when declines, price and volume are uncertain.",
    parameters=(*_PROGRAM, ASSUMPTIONS),
    result=(
        "Table of 9 rows, name and value: mean, sd, p5, p10, p50, p90 and p95 of the net present "
        "value (USD), chance of loss (share of paths below 0), paths (count). The same for a seed, "
        "everywhere."
    ),
    formula=(
        "NPV_DECLINING on each path: unit cost x exp(s Z1 - s^2/2), s = cost_decline_sd x tau/12; "
        "price alike with price_decline_sd and Z2; volumes x exp(volume_sd Z3 - volume_sd^2/2). Z "
        "are standard normals, Z1 and Z2 correlated by correlation. The mean tends to "
        "NPV_DECLINING. #NUM! where the spreads are too wide for a mean."
    ),
    source=(
        "Draws: scrambled Sobol sequence of scipy.stats.qmc, Owen (1998), Journal of Complexity "
        "14(4); percentiles by linear interpolation, as PERCENTILE.INC."
    ),
    example=(0.10, 1000.0, 0.11, 0.5, 0.25, 1000.0),
    columns=(Column("figure", "text"), Column("value", "number")),
)
def NPV_SIMULATION(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    assumptions: Assumptions,
) -> Any:
    """Lay the summary of the paths out."""
    return simulated(
        discount_rate, volumes, unit_cost, decline, price, investment, assumptions
    ).rows()


_TITLES: Final = ("driver", "low", "high", "NPV low", "NPV high", "swing")


@worksheet(
    family="Risk",
    summary="How far each input alone moves the net present value, the strongest first.",
    parameters=(
        *_PROGRAM,
        Parameter(
            "spread", Kind.NUMBER, "share", "Share by which each input moves down and up.", 0.2
        ),
        ASSUMPTIONS,
    ),
    result=(
        "Table of a header and 10 rows: driver, low, high (in its own unit; for a range the "
        "factors on all of it), NPV low, NPV high, swing (USD)."
    ),
    formula=(
        "NPV_DECLINING with one input at value x (1 - spread) and value x (1 + spread), the others "
        "as they are; swing = |NPV high - NPV low|. Ties keep the order of the arguments, then "
        "price_decline, opex_per_month, tax_rate, residual."
    ),
    source=(
        'Howard (1988), "Decision analysis: practice and promise", Management Science 34(6): the '
        "tornado diagram."
    ),
    example=(0.10, 1000.0, 0.11, 0.5, 0.25, 1000.0),
    columns=tuple(
        Column(title, "number" if position else "text") for position, title in enumerate(_TITLES)
    ),
)
def NPV_TORNADO(
    discount_rate: float,
    volumes: Series,
    unit_cost: Series,
    decline: float,
    price: Series,
    investment: float,
    spread: float,
    assumptions: Assumptions,
) -> Any:
    """Lay the bars out under a header."""
    bars = npv_tornado(
        discount_rate, volumes, unit_cost, decline, price, investment, spread, assumptions
    )
    return [list(_TITLES)] + [
        [b.driver, b.low, b.high, b.result_low, b.result_high, b.swing] for b in bars
    ]
