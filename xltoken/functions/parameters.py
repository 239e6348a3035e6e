"""Parameters and small helpers that several families share."""

from typing import Final

from xltoken.functions.definition import Kind, Parameter

PLATFORM: Final = Parameter(
    "platform",
    Kind.KEY,
    "",
    "Accelerator platform, e.g. B200; case, spaces and hyphens do not count.",
)
MONTH: Final = Parameter(
    "month", Kind.DATE, "date or months", "A date, or months after the assumption start."
)
WORKLOAD: Final = Parameter("workload", Kind.KEY, "", "MODEL/SHAPE, e.g. gpt-oss-120b/batch.")
ASSUMPTIONS: Final = Parameter(
    "assumptions",
    Kind.ASSUMPTIONS,
    "",
    "Range with names in the first column, values in the last.",
    None,
)
DISCOUNT_RATE: Final = Parameter(
    "discount_rate", Kind.NUMBER, "share a year", "Effective annual discount rate, 0.10 for 10 %."
)
VOLUMES: Final = Parameter(
    "volumes",
    Kind.SERIES,
    "M tokens a month",
    "Millions of counted tokens a month: one row or column, or one number for every month.",
)
UNIT_COST: Final = Parameter(
    "unit_cost",
    Kind.SERIES,
    "USD per 1M tokens",
    "Today's unit cost, or a row or column that is the path itself.",
)
PRICE: Final = Parameter(
    "price",
    Kind.SERIES,
    "USD per 1M tokens",
    "Today's price, or a row or column that is the path itself.",
    0.0,
)
DECLINE: Final = Parameter(
    "decline",
    Kind.NUMBER,
    "share a year",
    "Effective annual fall of the unit cost, 0.30 for 30 % a year.",
    0.0,
)
INVESTMENT: Final = Parameter(
    "investment", Kind.NUMBER, "USD", "Paid at month 0, entered positive.", 0.0
)
FLOOR: Final = Parameter(
    "floor", Kind.NUMBER, "USD per 1M tokens", "The unit cost never falls below it.", 0.0
)
