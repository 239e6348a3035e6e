"""Which observations count for an answer: admission, steadiness, and the latest of a kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from xltoken.catalog.records import EVIDENCE_GRADES, Observation
from xltoken.catalog.store import Catalog, Workload, per_catalog

REFUSED_STEADINESS: Final = 2.0
FLAGGED_STEADINESS: Final = 1.35
BROKEN_SHARE: Final = 0.7
"""A latest row under this share of the one before does not count until a later one confirms it."""
FP4: Final = frozenset({"fp4", "nvfp4", "mxfp4"})
ANY: Final = "any"

Configuration = tuple[object, ...]
"""Platform, model, tokens, precision, stack, layout and load of a run."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What an observation must satisfy: precision, least grade, and when it was published."""

    precision: str = ANY
    grade: str = "vendor"
    as_of: date | None = None

    def admits(self, row: Observation) -> bool:
        """Whether `row` counts. Claims are never admitted here: they enter on their own."""
        if row.evidence == "claim" or not _at_least(row.evidence, self.grade):
            return False
        return self._known(row)

    def admits_claim(self, row: Observation) -> bool:
        """Whether `row` is a claim that counts."""
        return row.evidence == "claim" and self.grade == "claim" and self._known(row)

    def _known(self, row: Observation) -> bool:
        if self.as_of is not None and row.known_since > self.as_of:
            return False
        return _covers(self.precision, row.precision)


@dataclass(frozen=True, slots=True)
class Row:
    """An observation that counts, and what has to be said about it."""

    observation: Observation
    replaced: bool = False

    @property
    def flagged(self) -> bool:
        """Whether its run was not quite steady."""
        steadiness = self.observation.steadiness
        return steadiness is not None and steadiness > FLAGGED_STEADINESS


@per_catalog
def rows_that_count(
    catalog: Catalog, platform: str, workload: Workload, admission: Admission
) -> tuple[Row, ...]:
    """Admitted latest rows of a platform for a workload's model and token counts."""
    admitted = [
        row
        for row in catalog.of(platform, workload.model)
        if workload.serves(row) and admission.admits(row) and is_steady(row)
    ]
    return tuple(_latest(admitted))


def claims_on(
    catalog: Catalog, platform: str, workload: Workload, admission: Admission, on: date
) -> tuple[Row, ...]:
    """Latest claims dated on or before day `on`; before the first, the first."""
    by_date = claims_by_date(catalog, platform, workload, admission)
    if not by_date:
        return ()
    return by_date[max((day for day in by_date if day <= on), default=min(by_date))]


@per_catalog
def claims_by_date(
    catalog: Catalog, platform: str, workload: Workload, admission: Admission
) -> Mapping[date, tuple[Row, ...]]:
    """Claims that count, by their dates, earliest first."""
    by_date: dict[date, list[Row]] = {}
    for row in catalog.of(platform, workload.model):
        if workload.serves(row) and admission.admits_claim(row):
            by_date.setdefault(row.date, []).append(Row(row))
    return {day: tuple(by_date[day]) for day in sorted(by_date)}


def looser_precisions(precision: str) -> list[str]:
    """List the precision asked and every wider one, tightest first."""
    wider = [precision]
    if precision in FP4 and precision != "fp4":
        wider.append("fp4")
    return wider if precision == ANY else [*wider, ANY]


def looser_grades(grade: str, lowest: str) -> list[str]:
    """List the grade asked and every lower one down to `lowest`, best first."""
    first, last = EVIDENCE_GRADES.index(grade), EVIDENCE_GRADES.index(lowest)
    return list(EVIDENCE_GRADES[first : max(first, last) + 1])


def _at_least(grade: str, least: str) -> bool:
    return EVIDENCE_GRADES.index(grade) <= EVIDENCE_GRADES.index(least)


def _covers(asked: str, precision: str) -> bool:
    if asked == ANY:
        return True
    return precision in FP4 if asked == "fp4" else precision == asked


def is_steady(row: Observation) -> bool:
    """Whether a run passes the check by Little's law, or states too little to be checked."""
    steadiness = row.steadiness
    return steadiness is None or steadiness <= REFUSED_STEADINESS


def configuration(row: Observation) -> Configuration:
    """What must be equal for two rows to be the same thing measured twice.

    The rounds of a peer-reviewed benchmark repeat a scenario on so many accelerators, whoever
    submits: a later round replaces the earlier one.
    """
    if row.evidence == "peer_reviewed":
        scenario = row.method.rpartition(" ")[2]
        return (row.platform, row.model, row.tokens_in, row.tokens_out, scenario, row.accelerators)
    # Without a concurrency the operating point is told by its speed.
    point = row.tokens_per_second_per_user if row.concurrency is None else row.concurrency
    return (
        row.platform,
        row.model,
        row.tokens_in,
        row.tokens_out,
        row.precision,
        row.speculative,
        row.framework,
        row.layout,
        row.method,
        row.disaggregated,
        row.accelerators,
        row.concurrency is None,
        point,
    )


def _latest(rows: Iterable[Observation]) -> Iterable[Row]:
    """Latest rows of each configuration; rows of one day stand together, none replaces another."""
    configurations: dict[Configuration, dict[date, list[Observation]]] = {}
    for row in rows:
        days = configurations.setdefault(configuration(row), {})
        days.setdefault(row.date, []).append(row)
    for days in configurations.values():
        newest, *before = sorted(days, reverse=True)
        replaced = False
        if before:
            level = max(row.total for row in days[newest])
            replaced = level < BROKEN_SHARE * max(row.total for row in days[before[0]])
        for row in days[before[0] if replaced else newest]:
            yield Row(row, replaced)
