"""What an accelerator-hour costs on a day, and the power an accelerator takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import KW_BASES, Rate
from xltoken.catalog.store import Catalog, per_catalog
from xltoken.economics.curves import decline_factor
from xltoken.model.assumptions import Assumptions
from xltoken.model.months import Timetable, months_between


class RateAnswer(NamedTuple):
    """USD per accelerator-hour at a moment, its row (None for the user's own) and warnings."""

    usd_per_accelerator_hour: float
    row: Rate | None
    warnings: tuple[str, ...] = ()


class PowerAnswer(NamedTuple):
    """Kilowatts per accelerator at a moment, and warnings."""

    kw_per_accelerator: float
    warnings: tuple[str, ...] = ()


Listed = tuple[RateAnswer, date]
"""A rate, and the day from which it falls."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an accelerator-hour costs at any moment: the rate listed then, less its decline."""

    listed: Timetable[Listed]
    decline: float

    def at(self, when: float) -> RateAnswer:
        """Rate at a moment."""
        answer, since = self.listed.at(when)
        if not self.decline:
            return answer
        months = months_between(since, when)
        if months <= 0:
            return answer
        usd = answer.usd_per_accelerator_hour * decline_factor(self.decline, months)
        return RateAnswer(usd, answer.row, answer.warnings)

    def warnings(self, when: float) -> tuple[str, ...]:
        """What must be said of the rate at a moment."""
        return self.listed.at(when)[0].warnings


def tariff(catalog: Catalog, platform: str, start: date, assumptions: Assumptions) -> Tariff:
    """Rates of a platform at every moment.

    The user's own rate if given, falling by ``rate_decline`` from `start` on; else the catalog's
    row valid on each day, falling from the catalog's date on.

    Raises
    ------
    NotKnown
        If the catalog has no row of that platform and basis.
    """
    decline = float(assumptions.get("rate_decline"))
    own = assumptions.get("usd_per_accelerator_hour")
    if own is not None:
        return Tariff(Timetable((), ((RateAnswer(float(own), None), start),)), decline)
    return Tariff(_listed(catalog, platform, str(assumptions.get("rate_basis"))), decline)


def rate_at(
    catalog: Catalog, platform: str, when: float, start: date, assumptions: Assumptions
) -> RateAnswer:
    """Rate at one moment of the :func:`tariff`; raises NotKnown as that does."""
    return tariff(catalog, platform, start, assumptions).at(when)


def power_at(catalog: Catalog, platform: str, when: float, assumptions: Assumptions) -> PowerAnswer:
    """Power of an accelerator, on one basis for every platform of a call.

    Raises
    ------
    NotKnown
        If no row states the power of that platform on that basis.
    """
    basis = assumptions.get("kw_basis") or newest_kw_basis(catalog)
    return _powers(catalog, platform, str(basis)).at(when)


@per_catalog
def newest_kw_basis(catalog: Catalog) -> str:
    """Return the basis of the newest shipped row that states a power."""
    stated = [r for r in catalog.rates if r.kw_per_accelerator and r.kw_basis]
    if not stated:
        return KW_BASES[-1]
    return max(stated, key=lambda r: (not r.origin.user, r.valid_from)).kw_basis


@per_catalog
def _listed(catalog: Catalog, platform: str, basis: str) -> Timetable[Listed]:
    rows = [row for row in catalog.rates_of(platform) if row.basis == basis]
    if not rows:
        others = sorted({row.basis for row in catalog.rates_of(platform)})
        known = f"there are {', '.join(others)}" if others else "there is no rate of any basis"
        raise NotKnown(
            f"no rate of basis {basis} for {platform}: {known}. Set usd_per_accelerator_hour."
        )
    listed = []
    for row, warning in _valid_rows(rows, "rate"):
        warnings = [warning] if warning else []
        if row.placeholder:
            warnings.append(f"the rate of {platform} is a placeholder, no official figure")
        if row.origin.user:
            warnings.append(f"the rate is a user's row ({row.origin.file}, row {row.origin.row})")
        answer = RateAnswer(row.usd_per_accelerator_hour, row, tuple(warnings))
        listed.append((answer, max(catalog.date, row.valid_from)))
    return Timetable(_changes(rows), listed)


@per_catalog
def _powers(catalog: Catalog, platform: str, basis: str) -> Timetable[PowerAnswer]:
    rows = [r for r in catalog.rates_of(platform) if r.kw_basis == basis and r.kw_per_accelerator]
    if not rows:
        raise NotKnown(f"no power of {platform} on the basis {basis} is known.")
    powers = []
    for row, warning in _valid_rows(rows, "power"):
        assert row.kw_per_accelerator is not None
        powers.append(PowerAnswer(row.kw_per_accelerator, (warning,) if warning else ()))
    return Timetable(_changes(rows), powers)


def _changes(rows: Sequence[Rate]) -> list[int]:
    """Ordinals of the days on which another row may count: one begins, or one ended before."""
    begins = {row.valid_from.toordinal() for row in rows}
    ends = {row.valid_to.toordinal() + 1 for row in rows if row.valid_to}
    return sorted(begins | ends)


def _valid_rows(rows: Sequence[Rate], what: str) -> Iterator[tuple[Rate, str]]:
    """Row valid before the first change, and from each on, with what must be said of it."""
    days = _changes(rows)
    for day in (days[0] - 1, *days):
        yield _valid(rows, day, what)


def _valid(rows: Sequence[Rate], on: int, what: str) -> tuple[Rate, str]:
    """Row valid on a day, a user's first; before the first the first, after the last the last."""
    before = [row for row in rows if row.valid_from.toordinal() <= on]
    valid = [row for row in before if row.valid_to is None or on <= row.valid_to.toordinal()]
    if valid:
        return max(valid, key=lambda r: (r.origin.user, r.valid_from)), ""
    if before:
        row = max(before, key=lambda r: r.valid_from)
        return row, f"the {what} of {row.platform} ended on {row.valid_to} and is carried on"
    row = min(rows, key=lambda r: (r.valid_from, not r.origin.user))
    return row, f"the {what} of {row.platform} is that of {row.valid_from}, carried back"
