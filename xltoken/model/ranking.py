"""Which platform is cheapest per token: every platform of the catalog, ranked for a workload."""

from dataclasses import dataclass
from datetime import date

from xltoken.catalog.keys import NotKnown
from xltoken.catalog.store import Catalog
from xltoken.model.assumptions import Assumptions, InputError
from xltoken.model.forecast import Quote, quote
from xltoken.model.months import Month


@dataclass(frozen=True, slots=True)
class Standing:
    """A platform's place: its quote and cost, or the reason why it has none."""

    platform: str
    rank: int | None
    usd_per_million_tokens: float | None
    ratio: float | None
    quote: Quote | None
    reason: str

    @property
    def tokens_per_second_per_megawatt(self) -> float | None:
        """Counted tok/s per MW; None where no power is known."""
        if self.quote is None:
            return None
        try:
            return self.quote.tokens_per_second_per_megawatt()
        except NotKnown:
            return None

    @property
    def evidence_date(self) -> date | None:
        """Date of the evidence; None where there is none."""
        return self.quote.evidence_date if self.quote else None


def ranking(
    catalog: Catalog, month: Month, workload: str, assumptions: Assumptions
) -> list[Standing]:
    """Platforms by USD per 1M counted tokens, cheapest first; those without a cost come last.

    Every platform of the catalog stands in it, or those of the assumption ``platforms``, so the
    table keeps its size. Equal costs keep the catalog's order.

    Raises
    ------
    NotKnown
        If the workload, or a platform of the list, is unknown.
    """
    catalog = catalog.at(assumptions.get("catalog"))
    catalog.workload(workload)
    quotes: list[tuple[float, Quote]] = []
    without: list[Standing] = []
    for platform in _competitors(catalog, assumptions):
        try:
            found = quote(catalog, platform, month, workload, assumptions)
            quotes.append((found.usd_per_million_tokens(), found))
        except NotKnown as reason:
            without.append(Standing(platform, None, None, None, None, str(reason)))
    quotes.sort(key=lambda pair: pair[0])
    ranked = [
        Standing(found.platform, place, cost, cost / quotes[0][0], found, "")
        for place, (cost, found) in enumerate(quotes, 1)
    ]
    return ranked + without


def _competitors(catalog: Catalog, assumptions: Assumptions) -> list[str]:
    listed = assumptions.get("platforms")
    if listed is None:
        return list(catalog.platforms)
    names = [name for name in str(listed).split(",") if name.strip()]
    if not names:
        raise InputError("assumption platforms is a comma list of platforms; it names none.")
    return list(dict.fromkeys(catalog.platform(name).platform for name in names))
