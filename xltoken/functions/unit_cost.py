"""Cost of a token, and the tokens that an accelerator serves."""

import datetime as dt
from typing import Any

from xltoken.catalog import store
from xltoken.economics.unit_cost import accelerators_required
from xltoken.functions.cells import Noted
from xltoken.functions.definition import Column, Kind, Parameter
from xltoken.functions.parameters import ASSUMPTIONS, MONTH, PLATFORM, WORKLOAD
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import BY_NAME, Assumptions
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


@worksheet(
    family="Unit cost",
    summary="Cost of a token with the range in which it lies with a given confidence.",
    parameters=(
        PLATFORM,
        MONTH,
        WORKLOAD,
        Parameter(
            "confidence",
            Kind.NUMBER,
            "share",
            "Width of the range, 0.8 for 80 %; the assumption of that name if left out.",
            None,
            otherwise=BY_NAME["confidence"].default,
        ),
        ASSUMPTIONS,
    ),
    result="Row of three, USD per 1M counted tokens: low, expected (TOKEN_COST) and high.",
    formula=(
        "TOKEN_COST x exp(-/+ z sigma sqrt(h + h^2/m)): h months between the evidence and the "
        "month, sigma and m priors of the catalog, z of the normal distribution. It tells what "
        "software may do, not what rates do."
    ),
    source="Farmer and Lafond 2016; coverage of the range: xltoken backtest.",
    example=("B200", dt.date(2027, 6, 1), "deepseek-r1/chat"),
    columns=(Column("low", "number"), Column("expected", "number"), Column("high", "number")),
)
def TOKEN_COST_RANGE(
    platform: str,
    month: Month,
    workload: str,
    confidence: float | None,
    assumptions: Assumptions,
) -> Any:
    """Answer with the quote's range."""
    if confidence is None:
        confidence = float(assumptions.get("confidence"))
    found = quote(store.current(), platform, month, workload, assumptions)
    return Noted([list(found.usd_range(confidence))], found.warnings)


@worksheet(
    family="Unit cost",
    summary="Tokens per second that a megawatt of accelerators serves.",
    parameters=(PLATFORM, MONTH, WORKLOAD, ASSUMPTIONS),
    result="Counted tok/s per MW, at utilization 1.",
    formula="tokens_per_second / kW per accelerator x 1000, on one kw_basis for every platform.",
    source="Evidence: TOKEN_SOURCE. Power: SemiAnalysis, dated.",
    example=("GB300 NVL72", dt.date(2026, 6, 1), "deepseek-r1/summarize"),
)
def TOKENS_PER_MEGAWATT(
    platform: str, month: Month, workload: str, assumptions: Assumptions
) -> Any:
    """Answer with the quote's throughput per megawatt."""
    found = quote(store.current(), platform, month, workload, assumptions)
    value = found.tokens_per_second_per_megawatt()
    return Noted(value, lambda: [*found.power().warnings, *found.warnings(with_rate=False)])


@worksheet(
    family="Unit cost",
    summary="Accelerators that a volume needs, rounded up.",
    parameters=(
        PLATFORM,
        MONTH,
        WORKLOAD,
        Parameter("volume", Kind.NUMBER, "M tokens a month", "Millions of counted tokens a month."),
        Parameter(
            "peak_factor",
            Kind.NUMBER,
            "ratio",
            "Demand in the busiest hour over the mean, 1 or more.",
            1.0,
        ),
        ASSUMPTIONS,
    ),
    result="Count.",
    formula="volume x peak_factor / TOKEN_CAPACITY of one accelerator, rounded up.",
    source="Evidence: TOKEN_SOURCE.",
    example=("B200", dt.date(2026, 6, 1), "deepseek-r1/chat", 250000.0, 2.0),
)
def ACCELERATORS_REQUIRED(
    platform: str,
    month: Month,
    workload: str,
    volume: float,
    peak_factor: float,
    assumptions: Assumptions,
) -> Any:
    """Answer with the count that the quote's capacity asks for."""
    found = quote(store.current(), platform, month, workload, assumptions)
    count = accelerators_required(volume, found.million_tokens_per_month(1.0), peak_factor)

    def warnings() -> list[str]:
        together = max((row.accelerators or 0.0 for row in found.observations), default=0.0)
        told = found.warnings(with_rate=False)
        if count < together:
            told.append(f"the runs behind it used {together:g} accelerators together, not fewer")
        return told

    return Noted(float(count), warnings)
