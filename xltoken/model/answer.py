"""Which platform has the cheapest token today, how thin the answer is, and where it flips.

One answer a workload that two or more platforms can serve; each is asked again at other speeds per
user, on other rates, on other days and under other evidence.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from xltoken.catalog.records import RATE_BASES
from xltoken.catalog.store import Catalog
from xltoken.model.assumptions import parse
from xltoken.model.forecast import Quote
from xltoken.model.ranking import Standing, ranking
from xltoken.model.supply import OLD_MONTHS, THIN_ROWS

SPEEDS: Final = (10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 200.0)
MONTHS: Final = (-6.0, -3.0, 12.0, 24.0)
CONFIDENCE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Flip:
    """A condition under which another platform is cheapest, and by how much."""

    condition: str
    winner: str
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Cheapest platform of a workload at the catalog's date.

    Costs in USD per 1M output tokens; `ratio` is the runner-up's cost over the winner's.
    """

    workload: str
    winner: str
    usd: float
    low: float
    high: float
    runner_up: str
    runner_up_usd: float
    runner_up_low: float
    ratio: float
    rows: int
    evidence_date: date
    age_months: float
    grade: str
    competitors: int
    flips: tuple[Flip, ...]

    @property
    def doubts(self) -> list[str]:
        """What makes the answer thin."""
        found = []
        if self.rows < THIN_ROWS:
            found.append(f"{self.rows} row" + "s" * (self.rows > 1))
        if self.runner_up_low <= self.high:
            found.append("ranges overlap")
        if self.age_months > OLD_MONTHS:
            found.append(f"evidence {self.age_months:.0f} months old")
        if self.grade not in ("measured", "peer_reviewed"):
            found.append(f"{self.grade} grade")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "flips"}
        flips = [
            {"condition": f.condition, "winner": f.winner, "ratio": f.ratio} for f in self.flips
        ]
        return fields | {"doubts": self.doubts, "flips": flips}


def answers(catalog: Catalog) -> list[Answer]:
    """Answer for every workload that two or more platforms can serve, in the catalog's order."""
    found = []
    for workload in catalog.workloads.values():
        if any(workload.serves(row) for row in catalog.observations if row.model == workload.model):
            first = _ranked(catalog, workload.key, 0.0, {})
            if len(first) > 1:
                found.append(_answer(catalog, workload.key, first))
    return found


def _answer(catalog: Catalog, workload: str, first: Sequence[Standing]) -> Answer:
    best, second = _quote(first[0]), _quote(first[1])
    low, usd, high = best.usd_range(CONFIDENCE)
    runner_low, runner, _ = second.usd_range(CONFIDENCE)
    return Answer(
        workload=workload,
        winner=best.platform,
        usd=usd,
        low=low,
        high=high,
        runner_up=second.platform,
        runner_up_usd=runner,
        runner_up_low=runner_low,
        ratio=runner / usd,
        rows=best.rows,
        evidence_date=best.evidence_date,
        age_months=best.age_months,
        grade=best.grade,
        competitors=len(first),
        flips=tuple(_flips(catalog, workload, best.platform)),
    )


def _flips(catalog: Catalog, workload: str, winner: str) -> Iterator[Flip]:
    """Conditions that change the winner."""
    for condition, month, given in _conditions():
        ranked = _ranked(catalog, workload, month, given)
        if ranked and ranked[0].platform != winner:
            ratio = ranked[1].ratio if len(ranked) > 1 else None
            yield Flip(condition, ranked[0].platform, ratio)


def _conditions() -> Iterator[tuple[str, float, Mapping[str, Any]]]:
    for speed in SPEEDS:
        yield f"{speed:g} tok/s/user", 0.0, {"min_tokens_per_second_per_user": speed}
    for basis in RATE_BASES[1:]:
        yield f"rates {basis}", 0.0, {"rate_basis": basis}
    for months in MONTHS:
        yield f"{months:+g} months", months, {}
    for precision in ("fp8", "fp4"):
        yield f"{precision} only", 0.0, {"precision": precision}
    yield "measured evidence only", 0.0, {"evidence": "measured"}
    yield "first token within 2 s", 0.0, {"max_seconds_to_first_token": 2.0}


def _ranked(
    catalog: Catalog, workload: str, month: float, given: Mapping[str, Any]
) -> list[Standing]:
    """Platforms with a cost, cheapest first."""
    standings = ranking(catalog, month, workload, parse(list(given.items())))
    return [standing for standing in standings if standing.quote is not None]


def _quote(standing: Standing) -> Quote:
    assert standing.quote is not None
    return standing.quote


# --- the page ------------------------------------------------------------------------------------

_OPENING: Final = """\
# Which platform has the cheapest token?

This page is generated by `xltoken platforms -o docs/which-platform.md` from the catalog of
{date}{overlay}; do not edit it. Costs are USD per 1M output tokens at utilization 1 on the rates
of an owning hyperscaler. The range is made to hold, 80 times in 100, what software may have done
since the evidence (`xltoken backtest` says how often it did); it does not hold what rates do.

{summary}

## Today

| workload | cheapest | USD per 1M | 80 % range | runner-up | times | rows | evidence | doubts |
|---|---|--:|--:|---|--:|--:|---|---|
"""
_SUMMARY: Final = (
    "**There is no one answer.** Of {count} workloads that two or more platforms can serve, the "
    "cheapest is: {share}. Only {firm} of these answers are free of doubt: the others rest on "
    "fewer than ten rows, on vendors' tables, on evidence of more than a year ago, or their range "
    "overlaps the runner-up's. Change the speed per user, the rate or the day, and many flip "
    "(below)."
)
_FLIPS: Final = """
*times*: the runner-up's cost over the cheapest. *rows*: admitted measurements behind the cheapest.

## Where it flips

| workload | today | under | cheapest then | times |
|---|---|---|---|--:|
"""
_CLOSING: Final = """
Under none of these conditions flips: {steady}.

*alone*: no other platform reaches that condition on known evidence. *first token within 2 s* also
leaves out the rows that do not state their wait.

## Not ranked

"""


def page(catalog: Catalog, found: Sequence[Answer]) -> str:
    """Markdown page with today's answers, how thin they are, and where they flip."""
    wins = Counter(answer.winner for answer in found)
    summary = _SUMMARY.format(
        count=len(found),
        share=", ".join(f"{name} {count}" for name, count in wins.most_common()),
        firm=sum(not answer.doubts for answer in found),
    )
    opening = _OPENING.format(
        date=catalog.date,
        overlay=f" with {catalog.overlay} laid over it" if catalog.overlay else "",
        summary=textwrap.fill(summary, 100, break_on_hyphens=False),
    )
    steady = [answer.workload for answer in found if not answer.flips]
    return "".join(
        [
            opening,
            *map(_today, found),
            _FLIPS,
            *(_flip(answer, flip) for answer in found for flip in answer.flips),
            _CLOSING.format(steady=", ".join(steady) or "no workload"),
            *(
                f"* {name}: {platform.note or 'no usable evidence'}.\n"
                for name, platform in catalog.platforms.items()
                if name not in catalog.platforms_with_evidence
            ),
        ]
    )


def _today(answer: Answer) -> str:
    cells = (
        answer.workload,
        answer.winner,
        f"{answer.usd:.4g}",
        f"{answer.low:.3g} to {answer.high:.3g}",
        answer.runner_up,
        f"{answer.ratio:.2f}",
        answer.rows,
        answer.evidence_date,
        ", ".join(answer.doubts) or "none",
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _flip(answer: Answer, flip: Flip) -> str:
    times = f"{flip.ratio:.2f}" if flip.ratio else "alone"
    cells = (answer.workload, answer.winner, flip.condition, flip.winner, times)
    return f"| {' | '.join(cells)} |\n"
