"""How a unit cost falls, with time and with experience, and how fast it did fall."""

import math
from typing import Any

import numpy as np

from xltoken.catalog.keys import chosen
from xltoken.economics.curves import SHAPES, Curve
from xltoken.economics.fitting import fit
from xltoken.economics.learning import learning_curve
from xltoken.functions.definition import Column, Kind, Parameter
from xltoken.functions.parameters import FLOOR
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import InputError
from xltoken.model.valuation import Series


@worksheet(
    family="Curves",
    summary="Unit cost so many months from now.",
    parameters=(
        Parameter("start", Kind.NUMBER, "USD per 1M tokens", "Unit cost at month 0."),
        Parameter("month", Kind.NUMBER, "months", "Months since month 0."),
        Parameter(
            "decline",
            Kind.NUMBER,
            "share a year",
            "Effective annual fall, 0.30 for 30 % a year.",
        ),
        FLOOR,
        Parameter("shape", Kind.KEY, "", f"One of {', '.join(SHAPES)}.", SHAPES[0]),
        Parameter(
            "floor_share",
            Kind.NUMBER,
            "share of start",
            "Share that shape floor tends to, 0 to 1; other shapes do not use it.",
            None,
        ),
    ),
    result="USD per 1M tokens.",
    formula=(
        "exponential: start (1 - decline)^(month/12); flat: start; floor: start (floor_share + "
        "(1 - floor_share)(1 - decline)^(month/12)); never below floor."
    ),
    example=(0.11, 12.0, 0.5, 0.02),
)
def COST_CURVE(
    start: float,
    month: float,
    decline: float,
    floor: float,
    shape: str,
    floor_share: float | None,
) -> float:
    """Answer with the value of the curve."""
    shape = chosen("shape", shape, SHAPES)
    if shape == "floor" and floor_share is None:
        raise InputError("shape floor needs floor_share, the share of start it tends to.")
    return Curve(start, decline, floor, shape, floor_share).value(month)


@worksheet(
    family="Curves",
    summary="Unit cost after so much has been served, each doubling taking the same share off.",
    parameters=(
        Parameter(
            "start", Kind.NUMBER, "USD per 1M tokens", "Unit cost when initial_volume was served."
        ),
        Parameter(
            "cumulative_volume",
            Kind.NUMBER,
            "M tokens",
            "All that has been served by then, in the unit of initial_volume.",
        ),
        Parameter(
            "learning_rate",
            Kind.NUMBER,
            "share a doubling",
            "Fall of the unit cost with each doubling, 0.20 for 20 %.",
        ),
        Parameter(
            "initial_volume",
            Kind.NUMBER,
            "M tokens",
            "What had been served when the unit cost was start.",
            1.0,
        ),
    ),
    result="USD per 1M tokens.",
    formula="start (cumulative_volume / initial_volume)^log2(1 - learning_rate).",
    source=(
        'Wright (1936), "Factors affecting the cost of airplanes", Journal of the Aeronautical '
        "Sciences 3(4)."
    ),
    example=(0.11, 8000.0, 0.2, 1000.0),
)
def LEARNING_CURVE(
    start: float, cumulative_volume: float, learning_rate: float, initial_volume: float
) -> float:
    """Answer with Wright's law."""
    return learning_curve(start, cumulative_volume, learning_rate, initial_volume)


@worksheet(
    family="Curves",
    summary="The curve that observed unit costs followed, as inputs of COST_CURVE.",
    parameters=(
        Parameter(
            "months", Kind.SERIES, "months", "Months at which the costs were seen: a row or column."
        ),
        Parameter(
            "costs", Kind.SERIES, "USD per 1M tokens", "Unit costs seen in those months, above 0."
        ),
        Parameter("shape", Kind.KEY, "", f"One of {', '.join(SHAPES)}.", SHAPES[0]),
    ),
    result=(
        "Table of 8 rows, name and value: shape; start (USD per 1M tokens at month 0); decline "
        "(share a year); floor_share (share of start, #N/A for other shapes); half_life_months "
        "(#N/A where the cost is never half of start); factor_per_year (cost at month 12 over that "
        "at month 0); rmse_log (natural log: 0.05 is about 5 %); n (count)."
    ),
    formula=(
        "Least squares on the logarithm of the cost. flat: geometric mean; exponential: linear "
        "regression; floor: nonlinear, from several starts, decline 0 or more. 2 different months "
        "or more, 3 for floor."
    ),
    source=(
        'Nagy, Farmer, Bui and Trancik (2013), "Statistical basis for predicting technological '
        'progress", PLoS ONE 8(2): errors of cost curves are shares, so they are fitted in logs.'
    ),
    example=([0.0, 3.0, 6.0, 9.0, 12.0], [0.40, 0.31, 0.26, 0.20, 0.17]),
    columns=(Column("figure", "text"), Column("value", "number")),
)
def COST_CURVE_FIT(months: Series, costs: Series, shape: str) -> Any:
    """Fit the curve and lay it out."""
    shape = chosen("shape", shape, SHAPES)
    seen, at = np.atleast_1d(costs), np.atleast_1d(months)
    # A scalar stands for every period.
    if isinstance(months, float) or isinstance(costs, float):
        at, seen = np.broadcast_arrays(at, seen)
    elif len(at) != len(seen):
        raise InputError(
            f"ranges must have the same number of periods; they have: months {len(at)}, costs "
            f"{len(seen)}."
        )
    found = fit(at, seen, shape)
    curve = found.curve
    half_life = curve.half_life_months()
    return [
        ["shape", shape],
        ["start", curve.start],
        ["decline", curve.decline],
        ["floor_share", curve.floor_share],
        ["half_life_months", half_life if math.isfinite(half_life) else None],
        ["factor_per_year", curve.factor_per_year()],
        ["rmse_log", found.rmse_log],
        ["n", float(found.n)],
    ]
