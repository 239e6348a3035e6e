"""The cost of a token on a platform, at a moment, for a workload: evidence, rate and time joined.

What an accelerator serves is a matter of evidence (:mod:`xltoken.model.supply`), what its hour
costs one of money (:mod:`xltoken.model.rates`). Cost = rate over counted tokens, over utilization.
"""

import functools
import math
import statistics
from dataclasses import dataclass
from datetime import date

from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import Observation
from xltoken.catalog.store import Catalog, Workload, per_catalog
from xltoken.economics.domain import DomainError, require
from xltoken.economics.unit_cost import million_tokens_per_month, usd_per_million_tokens
from xltoken.model.assumptions import Assumptions
from xltoken.model.frontier import Frontiers, Reading
from xltoken.model.index import log_spread
from xltoken.model.months import Month, day, moment, months_between
from xltoken.model.panel import half_month
from xltoken.model.rates import PowerAnswer, RateAnswer, Tariff, power_at, tariff
from xltoken.model.supply import Era, supply, terms_of


class Plan:
    """Everything that a quote rests on but the month: what serves, and what it costs."""

    def __init__(
        self, catalog: Catalog, platform: str, workload: Workload, assumptions: Assumptions
    ) -> None:
        self.catalog = catalog
        self.platform = platform
        self.workload = workload
        self.assumptions = assumptions
        self.start: date = assumptions.get("start") or catalog.date
        self.utilization: float = assumptions.get("utilization")
        self.overhead: float = assumptions.get("overhead")
        self.supply = supply(catalog, platform, workload, terms_of(assumptions, workload))

    def at(self, month: Month) -> "Quote":
        """Quote at a month."""
        when = moment(month, self.start)
        era, reading, factor = self.supply.at(when)
        return Quote(self, when, era, reading, factor)

    @functools.cached_property
    def tariff(self) -> Tariff:
        """Rate at every moment; raises NotKnown where the catalog has none."""
        return tariff(self.catalog, self.platform, self.start, self.assumptions)


@dataclass(slots=True)
class Quote:
    """Counted throughput of an accelerator at a moment, and everything it rests on.

    `factor` is what software gained since the catalog's date.
    """

    plan: Plan
    when: float
    era: Era
    reading: Reading
    factor: float

    @property
    def catalog(self) -> Catalog:
        """Evidence, as it stood at the assumption ``catalog``."""
        return self.plan.catalog

    @property
    def platform(self) -> str:
        """Key of the platform."""
        return self.plan.platform

    @property
    def workload(self) -> Workload:
        """What is served."""
        return self.plan.workload

    @property
    def assumptions(self) -> Assumptions:
        """What the user gave."""
        return self.plan.assumptions

    @property
    def tokens_per_second(self) -> float:
        """Counted tokens a second of an accelerator at utilization 1."""
        return self.reading.throughput * self.factor

    @property
    def speed(self) -> float | None:
        """Tok/s/user; None when no row behind it states one."""
        return None if self.reading.speed is None else self.reading.speed * self.factor

    @property
    def frontiers(self) -> Frontiers:
        """Frontiers it was read from."""
        return self.era.frontiers

    @property
    def rows(self) -> int:
        """Admitted latest rows behind the answer."""
        return len(self.frontiers.rows)

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Rows from which the figure was read, slower one first."""
        return self.reading.place.observations

    @property
    def evidence_date(self) -> date:
        """Date of the older of the rows it was read from."""
        return self.reading.place.date

    @property
    def age_months(self) -> float:
        """Months from the evidence to the catalog's date; 0 for evidence newer than that."""
        today = float(self.catalog.date.toordinal())
        return max(0.0, months_between(self.evidence_date, today))

    @property
    def grade(self) -> str:
        """Lowest grade among the rows it was read from."""
        return self.reading.place.grade

    @property
    def precision(self) -> str:
        """Number formats of the rows it was read from; blank where none is stated."""
        return "/".join(dict.fromkeys(r.precision for r in self.observations if r.precision))

    @property
    def seconds_to_first_token(self) -> float | None:
        """Longest wait that those rows state; None when one of them states none."""
        waits = [row.seconds_to_first_token for row in self.observations]
        known = [wait for wait in waits if wait is not None]
        return max(known) if len(known) == len(waits) else None

    @property
    def basis(self) -> str:
        """How the figure came about: measured, interpolated, carried or projected."""
        if self.when > self.catalog.date.toordinal():
            return "projected"
        if any(half_month(row.date) != half_month(day(self.when)) for row in self.observations):
            return "measured" if self.grade == "claim" else "carried"
        return "interpolated" if self.reading.interpolated else "measured"

    def rate(self) -> RateAnswer:
        """Rate at that moment; raises NotKnown where the catalog has none."""
        return self.plan.tariff.at(self.when)

    def usd_per_million_tokens(self) -> float:
        """USD per 1M counted tokens; raises NotKnown where the catalog has no rate."""
        plan = self.plan
        usd = plan.tariff.at(self.when).usd_per_accelerator_hour
        return usd_per_million_tokens(usd, self.tokens_per_second, plan.utilization, plan.overhead)

    def usd_range(self, confidence: float) -> tuple[float, float, float]:
        """Low, expected and high USD per 1M counted tokens, with a given confidence.

        Raises
        ------
        DomainError
            If `confidence` does not lie between 0 and 1.
        """
        tail = 0.5 - confidence / 2.0
        require(
            confidence > 0 and tail > 0 and 1.0 - tail < 1.0,
            f"confidence lies between 0 and 1; it is {confidence:g}.",
        )
        expected = self.usd_per_million_tokens()
        months = months_between(self.evidence_date, self.when)
        z = -statistics.NormalDist().inv_cdf(tail)
        try:
            factor = math.exp(z * log_spread(self.catalog, months))
        except OverflowError:
            raise DomainError(
                f"the month {day(self.when)} lies too far from the evidence for a range."
            ) from None
        return expected / factor, expected, expected * factor

    def million_tokens_per_month(self, accelerators: float) -> float:
        """Millions of counted tokens that `accelerators` serve in a month of 730 hours."""
        return million_tokens_per_month(self.tokens_per_second, accelerators, self.plan.utilization)

    def tokens_per_second_per_megawatt(self) -> float:
        """Counted tok/s per MW at utilization 1; raises NotKnown where no power is known."""
        return self.tokens_per_second / self.power().kw_per_accelerator * 1000.0

    def power(self) -> PowerAnswer:
        """Power of an accelerator at that moment; raises NotKnown where none is known."""
        return power_at(self.catalog, self.platform, self.when, self.assumptions)

    def warnings(self, *, with_rate: bool = True) -> list[str]:
        """Return what a reader must know before relying on the figure, one clause each."""
        told = self.plan.supply.warnings(self.era, self.reading.place, self.when)
        if not with_rate:
            return list(told)
        try:
            of_rate = self.plan.tariff.warnings(self.when)
        except NotKnown as reason:
            of_rate = (str(reason),)
        return [*of_rate, *told]


def quote(
    catalog: Catalog,
    platform: str,
    month: Month,
    workload: str,
    assumptions: Assumptions,
) -> Quote:
    """Throughput of a platform at a month for a workload.

    Parameters
    ----------
    catalog : Catalog
        Evidence; cut at the assumption ``catalog`` where given.
    platform, workload : str
        Keys as typed.
    month : date or float
        A date, or months after the assumption ``start``.
    assumptions : Assumptions
        What the user gave.

    Returns
    -------
    Quote

    Raises
    ------
    NotKnown
        If platform or workload is unknown, no evidence is admitted, or a limit is out of reach.
    DomainError
        If the moment lies outside the calendar.
    """
    return _asked(catalog, platform, workload, assumptions).at(month)


@per_catalog
def _asked(catalog: Catalog, platform: str, workload: str, assumptions: Assumptions) -> Plan:
    """Plan of keys as typed."""
    catalog = catalog.at(assumptions.get("catalog"))
    key = catalog.platform(platform).platform
    return _plan(catalog, key, catalog.workload(workload), assumptions)


@per_catalog
def _plan(catalog: Catalog, platform: str, workload: Workload, assumptions: Assumptions) -> Plan:
    return Plan(catalog, platform, workload, assumptions)
