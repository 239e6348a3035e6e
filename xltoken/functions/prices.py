"""What a token sells for."""

import datetime as dt
from typing import Any

from xltoken.catalog import store
from xltoken.functions.cells import Noted
from xltoken.functions.definition import Kind, Parameter
from xltoken.functions.parameters import ASSUMPTIONS, MONTH
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import Assumptions
from xltoken.model.months import Month
from xltoken.model.prices import KINDS, LOWEST, price_at


@worksheet(
    family="Prices",
    summary="List price of a million tokens of a model, or of a workload's counted tokens.",
    parameters=(
        Parameter(
            "model_or_workload",
            Kind.KEY,
            "",
            "A model, e.g. gpt-oss-120b, or a workload, e.g. gpt-oss-120b/chat.",
        ),
        MONTH,
        Parameter("provider", Kind.KEY, "", "A provider, or lowest: the cheapest then.", LOWEST),
        Parameter(
            "kind",
            Kind.KEY,
            "",
            f"One of {', '.join(KINDS)}; output for a model, blended for a workload if left out.",
            None,
        ),
        ASSUMPTIONS,
    ),
    result="USD per 1M tokens of that kind; of a workload, per 1M counted tokens, input included.",
    formula=(
        "blended: (tokens_in x input price + tokens_out x output price) / counted tokens. Up to "
        "the catalog's date the price listed then; beyond it x (1 - price_decline)^(months/12)."
    ),
    source="genai-prices (Pydantic), snapshots by date; xltoken catalog prices takes a new one.",
    example=("gpt-oss-120b/chat", dt.date(2026, 6, 1)),
)
def TOKEN_PRICE(
    model_or_workload: str,
    month: Month,
    provider: str,
    kind: str | None,
    assumptions: Assumptions,
) -> Any:
    """Answer with the price."""
    found = price_at(store.current(), model_or_workload, month, provider, kind, assumptions)
    return Noted(found.usd_per_million_tokens, lambda: found.warnings)
