"""Cost of a token, and the tokens that an accelerator serves."""

import datetime as dt
from typing import Any

from xltoken.catalog import store
from xltoken.functions.cells import Noted
from xltoken.functions.definition import Kind, Parameter
from xltoken.functions.parameters import ASSUMPTIONS, MONTH, PLATFORM, WORKLOAD
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import Assumptions
from xltoken.model.forecast import quote
from xltoken.model.months import Month


@worksheet(
    family="Unit cost",
    summary="Cost of a million counted tokens on a platform, in a month, for a workload.",
    parameters=(PLATFORM, MONTH, WORKLOAD, ASSUMPTIONS),
    result="USD per 1M counted tokens (output tokens unless tokens_counted says otherwise).",
    formula=(
        "rate / (tokens_per_second x 3600 / 1e6) / utilization x (1 + overhead); the throughput "
        "is read off the frontier of measured runs at the workload's speed per user."
    ),
    source="Evidence: TOKEN_SOURCE. Rates: SemiAnalysis TCO figures, dated.",
    example=(
        "B200",
        dt.date(2026, 1, 1),
        "gpt-oss-120b/batch",
        [["usd_per_accelerator_hour", 1.95]],
    ),
)
def TOKEN_COST(platform: str, month: Month, workload: str, assumptions: Assumptions) -> Any:
    """Answer with the quote's cost."""
    found = quote(store.current(), platform, month, workload, assumptions)
    return Noted(found.usd_per_million_tokens(), found.warnings)


@worksheet(
    family="Unit cost",
    summary="Tokens that accelerators serve in a month of 730 hours.",
    parameters=(
        PLATFORM,
        MONTH,
        WORKLOAD,
        Parameter("accelerators", Kind.NUMBER, "count", "Number of accelerators.", 1.0),
        ASSUMPTIONS,
    ),
    result="Millions of counted tokens a month.",
    formula=(
        "tokens_per_second x 3600 x 730 / 1e6 x accelerators x utilization; TOKEN_COST x "
        "TOKEN_CAPACITY = rate x 730 x accelerators x (1 + overhead)."
    ),
    source="Evidence: TOKEN_SOURCE.",
    example=("GB200 NVL72", dt.date(2026, 6, 1), "deepseek-r1/chat", 72.0, [["utilization", 0.5]]),
)
def TOKEN_CAPACITY(
    platform: str, month: Month, workload: str, accelerators: float, assumptions: Assumptions
) -> Any:
    """Answer with the quote's capacity."""
    found = quote(store.current(), platform, month, workload, assumptions)
    capacity = found.million_tokens_per_month(accelerators)
    return Noted(capacity, lambda: found.warnings(with_rate=False))
