"""What stands behind a figure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown, chosen
from xltoken.catalog.records import Observation
from xltoken.functions.definition import Kind, Parameter
from xltoken.functions.parameters import ASSUMPTIONS, MONTH, PLATFORM, WORKLOAD
from xltoken.functions.registry import worksheet
from xltoken.model.assumptions import Assumptions
from xltoken.model.forecast import Quote, quote
from xltoken.model.months import Month

FIELDS: Final = (
    "citation", "url", "date", "age", "grade", "conditions", "basis", "rows", "warnings", "reason",
)  # fmt: skip


@worksheet(
    family="Evidence",
    summary="What a token cost rests on: its source, date, grade, conditions and warnings.",
    parameters=(
        PLATFORM,
        WORKLOAD,
        Parameter("field", Kind.KEY, "", f"One of {', '.join(FIELDS)}.", "citation"),
        Parameter(MONTH.name, MONTH.kind, MONTH.unit, MONTH.help, 0.0),
        ASSUMPTIONS,
    ),
    result=(
        "Text; a date for date, months for age, a count for rows. reason is empty where there is "
        "a cost, and says why where there is none."
    ),
    formula="The rows from which TOKEN_COST reads its throughput.",
    example=("B200", "gpt-oss-120b/batch", "citation"),
)
def TOKEN_SOURCE(
    platform: str, workload: str, field: str, month: Month, assumptions: Assumptions
) -> Any:
    """Answer with one field of the quote's provenance."""
    field = chosen("field", field, FIELDS)
    catalog = store.current()
    if field == "reason":
        try:
            quote(catalog, platform, month, workload, assumptions).usd_per_million_tokens()
        except NotKnown as reason:
            return str(reason)
        return ""
    found = quote(catalog, platform, month, workload, assumptions)
    return _ANSWERS[field](found)


def citation(found: Quote) -> str:
    """Publisher, title and date of every source read from."""
    return "; ".join(dict.fromkeys(_cited(found, row) for row in found.observations))


def _cited(found: Quote, row: Observation) -> str:
    source = found.catalog.sources.get(row.source_id)
    if source is None:
        return f"{row.source_id} ({row.date})"
    published = str(source.published or row.known_since)
    if row.date_precision == "year":
        published = str(row.date.year)
    return f"{source.publisher}, {source.title} ({published})"


def _url(found: Quote) -> str:
    sources = (found.catalog.sources.get(row.source_id) for row in found.observations)
    return "; ".join(dict.fromkeys(source.url for source in sources if source and source.url))


def _conditions(found: Quote) -> str:
    return "; ".join(dict.fromkeys(conditions(row) for row in found.observations))


def conditions(row: Observation) -> str:
    """Conditions of one measurement, as a line."""
    speculative = row.speculative if row.speculative not in ("", "none") else ""
    parts = [
        f"{row.tokens_in:g}/{row.tokens_out:g} tokens",
        row.precision,
        row.framework,
        f"with {speculative}" if speculative else "",
        row.layout,
        f"concurrency {row.concurrency:g}" if row.concurrency else "",
        f"{row.tokens_per_second_per_user:g} tok/s/user" if row.tokens_per_second_per_user else "",
        row.date.isoformat() if row.date_precision == "day" else f"{row.date.year}",
    ]
    return ", ".join(part for part in parts if part)


_ANSWERS: Final[Mapping[str, Callable[[Quote], Any]]] = {
    "citation": citation,
    "url": _url,
    "date": lambda found: found.evidence_date,
    "age": lambda found: found.age_months,
    "grade": lambda found: found.grade,
    "conditions": _conditions,
    "basis": lambda found: found.basis,
    "rows": lambda found: found.rows,
    "warnings": lambda found: "; ".join(found.warnings()),
}
