"""The cost of a token on a platform, at a moment, for a workload: evidence, rate and time joined.

Up to the catalog's date rows are carried to the month's own half-month by the software index;
beyond it one factor moves the whole frontier: ``F(u, month) = g x F(u / g, catalog's date)``.
Cost = rate over counted tokens, over utilization.
"""

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from xltoken.catalog.keys import NotKnown, normalize
from xltoken.catalog.records import EVIDENCE_GRADES, SOFTWARE_PRIORS, Observation
from xltoken.catalog.store import Catalog, Workload, per_catalog
from xltoken.economics.domain import DomainError, require
from xltoken.economics.unit_cost import million_tokens_per_month, usd_per_million_tokens
from xltoken.model.assumptions import Assumptions
from xltoken.model.evidence import Admission, claims_on, is_steady
from xltoken.model.frontier import ROUNDING, Frontiers, Reading, of_rows, read_at
from xltoken.model.index import CARRY_LIMIT, growth, log_spread, software_index
from xltoken.model.months import Month, day, moment, months_between
from xltoken.model.panel import half_month
from xltoken.model.rates import PowerAnswer, RateAnswer, power_at, rate_at

THIN_ROWS: Final = 10
"""Fewer rows than this behind an answer are a warning; they never change it."""
OLD_MONTHS: Final = 12.0
HORIZON_SPANS: Final = 3.0
"""A forecast further out than so many times the observed span is a warning."""


@dataclass(frozen=True, eq=False)
class Quote:
    """Counted throughput of an accelerator at a moment, and everything it rests on.

    ``tokens_per_second`` is per accelerator at utilization 1; `speed` is tok/s/user, None when no
    row behind it states one.
    """

    catalog: Catalog
    platform: str
    workload: Workload
    assumptions: Assumptions
    when: float
    start: date
    tokens_per_second: float
    speed: float | None
    reading: Reading
    frontiers: Frontiers
    factor: float

    @property
    def rows(self) -> int:
        """Admitted latest rows behind the answer."""
        return len(self.frontiers.rows)

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Rows from which the figure was read, slower one first."""
        return tuple(point.row.observation for point in self.reading.points)

    @property
    def evidence_date(self) -> date:
        """Date of the older of the rows it was read from."""
        return min(row.date for row in self.observations)

    @property
    def age_months(self) -> float:
        """Months from the evidence to the catalog's date; 0 for evidence newer than that."""
        today = float(self.catalog.date.toordinal())
        return max(0.0, months_between(self.evidence_date, today))

    @property
    def grade(self) -> str:
        """Lowest grade among the rows it was read from."""
        return max((row.evidence for row in self.observations), key=EVIDENCE_GRADES.index)

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
        return rate_at(self.catalog, self.platform, self.when, self.start, self.assumptions)

    def usd_per_million_tokens(self) -> float:
        """USD per 1M counted tokens."""
        return self._usd_per_million_tokens

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
        utilization = self.assumptions.get("utilization")
        return million_tokens_per_month(self.tokens_per_second, accelerators, utilization)

    def tokens_per_second_per_megawatt(self) -> float:
        """Counted tok/s per MW at utilization 1; raises NotKnown where no power is known."""
        return self.tokens_per_second / self.power().kw_per_accelerator * 1000.0

    def power(self) -> PowerAnswer:
        """Power of an accelerator at that moment; raises NotKnown where none is known."""
        return power_at(self.catalog, self.platform, self.when, self.assumptions)

    def warnings(self, *, with_rate: bool = True) -> list[str]:
        """Return what a reader must know before relying on the figure, one clause each."""
        return [*self._rate_warnings, *self._warnings] if with_rate else list(self._warnings)

    # A workbook asks for the same quote many times; what follows from it is worked out once.

    @functools.cached_property
    def _usd_per_million_tokens(self) -> float:
        return usd_per_million_tokens(
            self.rate().usd_per_accelerator_hour,
            self.tokens_per_second,
            self.assumptions.get("utilization"),
            self.assumptions.get("overhead"),
        )

    @functools.cached_property
    def _warnings(self) -> list[str]:
        name = f"{self.platform} on {self.workload.key}"
        found: list[str] = []
        if self.rows < THIN_ROWS:
            rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
            found.append(f"thin evidence: {rows} behind {name}")
        if self.age_months > OLD_MONTHS:
            found.append(
                f"old evidence: {name} rests on {self.evidence_date}, "
                f"{self.age_months:.0f} months before the catalog's date"
            )
        found.extend(self._horizon_warning(name))
        if self.assumptions.get("evidence") == "claim" and self.assumptions.scenario != "vendor":
            found.append("claims count in scenario vendor only; none was used")
        if self.grade == "claim":
            found.append(f"a vendor's claim stands behind {name}")
        for point in self.reading.points:
            seen = point.row.observation
            if point.row.replaced:
                found.append(
                    f"the latest run of {seen.observation_id}'s configuration fell by more than "
                    "30 % and is not confirmed; the one before counts"
                )
            if point.carried >= CARRY_LIMIT * (1 - ROUNDING):
                found.append(
                    f"the run {seen.observation_id} of {seen.date} is carried up by the limit of "
                    f"{CARRY_LIMIT:g}x"
                )
            if point.carried <= (1 + ROUNDING) / CARRY_LIMIT:
                found.append(
                    f"the run {seen.observation_id} of {seen.date} is carried back by the limit of "
                    f"{CARRY_LIMIT:g}x"
                )
            if point.row.flagged:
                found.append(f"the run {seen.observation_id} was not steady")
            if seen.origin.user:
                found.append(f"a user's row counts ({seen.origin.file}, row {seen.origin.row})")
        for what, record in (
            *((f"prior {name}", self.catalog.priors.get(name)) for name in SOFTWARE_PRIORS),
            (f"platform {self.platform}", self.catalog.platforms[self.platform]),
        ):
            if record is not None and record.origin.user:
                origin = record.origin
                found.append(f"the {what} is a user's row ({origin.file}, row {origin.row})")
        if software_index(self.catalog, self.assumptions.get("as_of")).user:
            found.append("a user's repeated measurements count in the software index")
        known = [self.catalog.platforms[self.platform].launched, self.workload.model_released]
        begun = max((day for day in known if day is not None), default=None)
        if begun is not None and self.when < begun.toordinal():
            found.append(f"the month lies before {begun}, the launch of platform and model")
        if self.workload.user:
            found.append(f"the workload {self.workload.key} is a user's row")
        return found

    @functools.cached_property
    def _rate_warnings(self) -> list[str]:
        try:
            return list(self.rate().warnings)
        except NotKnown as reason:
            return [str(reason)]

    def _horizon_warning(self, name: str) -> list[str]:
        ahead = months_between(self.catalog.date, self.when)
        dates = [row.observation.date for row in self.frontiers.rows]
        span = months_between(min(dates), float(max(dates).toordinal()))
        if ahead <= max(0.0, HORIZON_SPANS * span):
            return []
        return [
            f"horizon: beyond three times the {span:.0f} months that the evidence of {name} spans"
        ]


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
    catalog = catalog.at(assumptions.get("catalog"))
    key = catalog.platform(platform).platform
    load = catalog.workload(workload)
    start = assumptions.get("start") or catalog.date
    when = moment(month, start)
    return _quote(catalog, key, load, assumptions, start, when)


@per_catalog
def _quote(
    catalog: Catalog,
    platform: str,
    workload: Workload,
    assumptions: Assumptions,
    start: date,
    when: float,
) -> Quote:
    speed = assumptions.get("min_tokens_per_second_per_user", workload) or None
    wait = assumptions.get("max_seconds_to_first_token", workload)
    counted = str(assumptions.get("tokens_counted"))
    admission = Admission(
        normalize(str(assumptions.get("precision"))),
        str(assumptions.get("evidence")),
        assumptions.get("as_of"),
    )
    if assumptions.scenario != "vendor":
        admission = _without_claims(admission)
    gain = assumptions.get("software_gain_per_month")
    factor = growth(
        software_index(catalog, admission.as_of),
        catalog.date,
        when,
        catalog.platforms[platform].launched,
        workload.model_released,
        gain,
    )
    slower = None if speed is None else speed / factor
    claims = claims_on(catalog, platform, workload, admission, day(when))
    if claims:
        # A claim stands as stated, it is not carried up to the catalog's date.
        found = of_rows(claims, wait, counted)
        reading = found.read(slower) if found else None
    else:
        admission = _without_claims(admission)
        found, reading = read_at(
            catalog, platform, workload, admission, "vendor", wait, counted, gain, day(when), slower
        ) or (None, None)
    if found is None:
        stated = [row.observation for row in claims]
        raise NotKnown(_why_nothing(catalog, platform, workload, admission, wait, stated))
    if speed is not None and not _reached(speed, found):
        raise NotKnown(_why_unreachable(platform, workload, speed, found))
    if reading is None:
        assert speed is not None
        raise NotKnown(
            f"{_why_unreachable(platform, workload, speed, found)} Carried back to {day(when)} "
            "the evidence is slower still."
        )
    served = None if reading.speed is None else reading.speed * factor
    return Quote(
        catalog,
        platform,
        workload,
        assumptions,
        when,
        start,
        reading.throughput * factor,
        served,
        reading,
        found,
        factor,
    )


def _reached(speed: float, found: Frontiers) -> bool:
    """Whether a measurement shows `speed`: nothing is said beyond the fastest, at any date."""
    if found.fastest is None:
        return False
    measured = found.fastest.observation.tokens_per_second_per_user or 0.0
    return speed <= measured * (1 + ROUNDING)


def _without_claims(admission: Admission) -> Admission:
    if admission.grade != "claim":
        return admission
    return Admission(admission.precision, "vendor", admission.as_of)


def _why_nothing(
    catalog: Catalog,
    platform: str,
    workload: Workload,
    admission: Admission,
    wait: float | None,
    claims: Sequence[Observation],
) -> str:
    """Say why no row counts, from the widest reason to the narrowest."""
    if claims:
        return _why_too_slow(platform, workload, wait, claims)
    if platform not in catalog.platforms_with_evidence:
        note = catalog.platforms[platform].note
        return f"no usable evidence for {platform}" + (f": {note}." if note else ".")
    rows = catalog.of(platform, workload.model)
    if not rows:
        others = sorted(o.platform for o in catalog.observations if o.model == workload.model)
        return (
            f"no measurement of {workload.model} on {platform}; there are some on "
            f"{', '.join(dict.fromkeys(others))}."
        )
    shaped = [row for row in rows if workload.serves(row)]
    if not shaped:
        shapes = sorted({(row.tokens_in, row.tokens_out) for row in rows})
        known = ", ".join(f"{tokens_in:g}/{tokens_out:g}" for tokens_in, tokens_out in shapes)
        return (
            f"no measurement of {workload.model} on {platform} with {workload.tokens_in:g} tokens "
            f"in and {workload.tokens_out:g} out; measured shapes: {known}."
        )
    admitted = [row for row in shaped if admission.admits(row)]
    if not admitted:
        limits = [f"precision {admission.precision}", f"evidence {admission.grade} or better"]
        if admission.as_of:
            limits.append(f"published by {admission.as_of}")
        found = sorted({f"{row.precision or 'no precision'} ({row.evidence})" for row in shaped})
        return (
            f"no row of {workload.key} on {platform} is admitted under {', '.join(limits)}; "
            f"known: {', '.join(found)}."
        )
    steady = [row for row in admitted if is_steady(row)]
    if not steady:
        return f"every run of {workload.key} on {platform} failed the steadiness check."
    return _why_too_slow(platform, workload, wait, steady)


def _why_too_slow(
    platform: str, workload: Workload, wait: float | None, rows: Sequence[Observation]
) -> str:
    assert wait is not None
    waits = [r.seconds_to_first_token for r in rows if r.seconds_to_first_token is not None]
    shortest = f"the shortest is {min(waits):g} s" if waits else "none states its wait"
    return (
        f"no row of {workload.key} on {platform} has its first token within {wait:g} s: {shortest}."
    )


def _why_unreachable(platform: str, workload: Workload, speed: float, found: Frontiers) -> str:
    if found.fastest is None:
        return (
            f"no row of {workload.key} on {platform} states a speed per user, so none can promise "
            f"{speed:g} tok/s/user; a workload without a speed floor (batch) is answered."
        )
    row = found.fastest.observation
    return (
        f"{speed:g} tok/s/user is out of reach of {platform} on {workload.key}: the fastest "
        f"measured is {row.tokens_per_second_per_user:g} tok/s/user ({row.date}, "
        f"{row.precision or 'no precision'})."
    )
