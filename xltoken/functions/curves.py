"""How a unit cost falls."""

from xltoken.economics.curves import SHAPES, Curve
from xltoken.functions.definition import Kind, Parameter
from xltoken.functions.parameters import FLOOR, chosen
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import InputError


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
