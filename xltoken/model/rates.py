"""What an accelerator-hour costs on a day, and the power an accelerator takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import KW_BASES, Rate
from xltoken.catalog.store import Catalog
from xltoken.economics.curves import decline_factor
from xltoken.model.assumptions import Assumptions
from xltoken.model.months import day, months_between


@dataclass(frozen=True, slots=True)
class RateAnswer:
    """USD per accelerator-hour at a moment, its row (None for the user's own) and warnings."""

    usd_per_accelerator_hour: float
    row: Rate | None
    warnings: tuple[str, ...] = ()


def rate_at(
    catalog: Catalog, platform: str, when: float, start: date, assumptions: Assumptions
) -> RateAnswer:
    """Rate at a moment.

    The user's own rate if given, falling by ``rate_decline`` from `start` on; else the catalog's
    row valid on that day, falling from the catalog's date on.

    Raises
    ------
    NotKnown
        If the catalog has no row of that platform and basis.
    """
    decline = float(assumptions.get("rate_decline"))
    own = assumptions.get("usd_per_accelerator_hour")
    if own is not None:
        return RateAnswer(float(own) * _declined(decline, start, when), None)
    basis = str(assumptions.get("rate_basis"))
    rows = [row for row in catalog.rates_of(platform) if row.basis == basis]
    if not rows:
        others = sorted({row.basis for row in catalog.rates_of(platform)})
        known = f"there are {', '.join(others)}" if others else "there is no rate of any basis"
        raise NotKnown(
            f"no rate of basis {basis} for {platform}: {known}. Set usd_per_accelerator_hour."
        )
    row, warning = _valid(rows, day(when))
    warnings = [warning] if warning else []
    if row.placeholder:
        warnings.append(f"the rate of {platform} is a placeholder, no official figure")
    if row.origin.user:
        warnings.append(f"the rate is a user's row ({row.origin.file}, row {row.origin.row})")
    since = max(catalog.date, row.valid_from)
    usd = row.usd_per_accelerator_hour * _declined(decline, since, when)
    return RateAnswer(usd, row, tuple(warnings))


@dataclass(frozen=True, slots=True)
class PowerAnswer:
    """Kilowatts per accelerator at a moment, and warnings."""

    kw_per_accelerator: float
    warnings: tuple[str, ...] = ()


def power_at(catalog: Catalog, platform: str, when: float, assumptions: Assumptions) -> PowerAnswer:
    """Power of an accelerator, on one basis for every platform of a call.

    Raises
    ------
    NotKnown
        If no row states the power of that platform on that basis.
    """
    basis = assumptions.get("kw_basis") or newest_kw_basis(catalog)
    rows = [r for r in catalog.rates_of(platform) if r.kw_basis == basis and r.kw_per_accelerator]
    if not rows:
        raise NotKnown(f"no power of {platform} on the basis {basis} is known.")
    row, warning = _valid(rows, day(when), "power")
    assert row.kw_per_accelerator is not None
    return PowerAnswer(row.kw_per_accelerator, (warning,) if warning else ())


def newest_kw_basis(catalog: Catalog) -> str:
    """Return the basis of the newest shipped row that states a power."""
    stated = [r for r in catalog.rates if r.kw_per_accelerator and r.kw_basis]
    if not stated:
        return KW_BASES[-1]
    return max(stated, key=lambda r: (not r.origin.user, r.valid_from)).kw_basis


def _declined(decline: float, since: date, when: float) -> float:
    months = months_between(since, when)
    return decline_factor(decline, months) if months > 0 else 1.0


def _valid(rows: Sequence[Rate], on: date, what: str = "rate") -> tuple[Rate, str]:
    """Row valid on a day, a user's first; before the first the first, after the last the last."""
    valid = [r for r in rows if r.valid_from <= on and (r.valid_to is None or on <= r.valid_to)]
    if valid:
        return max(valid, key=lambda r: (r.origin.user, r.valid_from)), ""
    before = [r for r in rows if r.valid_from <= on]
    if before:
        row = max(before, key=lambda r: r.valid_from)
        return row, f"the {what} of {row.platform} ended on {row.valid_to} and is carried on"
    row = min(rows, key=lambda r: (r.valid_from, not r.origin.user))
    return row, f"the {what} of {row.platform} is that of {row.valid_from}, carried back"
