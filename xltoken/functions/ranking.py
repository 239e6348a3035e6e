"""Which platform is cheapest per token."""

import datetime as dt
from typing import Any, Final

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.economics.domain import require
from xltoken.functions.cells import Noted
from xltoken.functions.definition import Column, Kind, Parameter
from xltoken.functions.evidence import citation
from xltoken.functions.parameters import ASSUMPTIONS, MONTH, WORKLOAD
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import Assumptions
from xltoken.model.months import Month
from xltoken.model.ranking import Standing, ranking

COLUMNS: Final = (
    Column("rank", "number"),
    Column("platform", "text"),
    Column("USD per 1M {counted} tokens", "number"),
    Column("times the cheapest", "number"),
    Column("tok/s per user", "number"),
    Column("seconds to first token", "number"),
    Column("{counted} tok/s per MW", "number"),
    Column("precision", "text"),
    Column("rows behind it", "number"),
    Column("evidence date", "date"),
    Column("age in months", "number"),
    Column("grade", "text"),
    Column("source", "text"),
    Column("note", "text"),
)
RULE: Final = (
    "Platforms by TOKEN_COST, cheapest first; those that no admitted evidence reaches come last "
    "with the reason."
)


@worksheet(
    family="Ranking",
    summary="Every platform ranked by the cost of a token for a workload.",
    parameters=(MONTH, WORKLOAD, ASSUMPTIONS),
    result="Table: a header and one row for every platform; its size depends on the catalog only.",
    formula=RULE,
    source="Evidence: TOKEN_SOURCE of each platform.",
    example=(dt.date(2026, 6, 1), "deepseek-r1/chat", [["platforms", "B200, H200, MI355X"]]),
    columns=COLUMNS,
)
def PLATFORM_RANKING(month: Month, workload: str, assumptions: Assumptions) -> Any:
    """Lay the standings out as rows under a header that names the counted tokens."""
    counted = assumptions.get("tokens_counted")
    header = [column.title.format(counted=counted) for column in COLUMNS]
    return [header] + [_row(s) for s in ranking(store.current(), month, workload, assumptions)]


@worksheet(
    family="Ranking",
    summary="The platform on which a token is cheapest, or the one of a given rank.",
    parameters=(
        MONTH,
        WORKLOAD,
        Parameter("rank", Kind.NUMBER, "count", "1 for the cheapest, 2 for the runner-up.", 1.0),
        ASSUMPTIONS,
    ),
    result="Platform key, as TOKEN_COST takes it.",
    formula=RULE,
    source="Evidence: TOKEN_SOURCE of each platform.",
    example=(dt.date(2026, 6, 1), "deepseek-r1/chat"),
)
def CHEAPEST_PLATFORM(month: Month, workload: str, rank: float, assumptions: Assumptions) -> Any:
    """Answer with the platform at that place of the ranking."""
    require(rank >= 1 and rank == int(rank), f"rank is a whole number from 1; it is {rank:g}.")
    ranked = [s for s in ranking(store.current(), month, workload, assumptions) if s.quote]
    if rank > len(ranked):
        raise NotKnown(f"only {len(ranked)} platforms have a cost for {workload}.")
    found = ranked[int(rank) - 1]
    assert found.quote is not None
    return Noted(found.platform, found.quote.warnings)


def _row(standing: Standing) -> list[Any]:
    found = standing.quote
    if found is None:
        known: list[Any] = [None] * 3 + [""] + [None] * 3 + ["", ""]
        return [None, standing.platform, None, None, *known, standing.reason]
    return [
        standing.rank,
        standing.platform,
        standing.usd_per_million_tokens,
        standing.ratio,
        found.speed,
        found.seconds_to_first_token,
        standing.tokens_per_second_per_megawatt,
        found.precision,
        found.rows,
        found.evidence_date,
        found.age_months,
        found.grade,
        citation(found),
        "; ".join(found.warnings()),
    ]
