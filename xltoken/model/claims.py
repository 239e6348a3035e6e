"""Headline figures made again from their own inputs, and what they become under other conditions.

A claim's row holds its speeds, rates, power and months; the headline is what our formulas make of
them. The variants change one condition at a time, or put measured evidence in its place.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import CLAIM_INPUTS, KW_BASES, RATE_BASES, Claim, columns
from xltoken.catalog.store import Catalog
from xltoken.economics.cashflow import declining_path
from xltoken.economics.discounting import clock
from xltoken.economics.domain import DomainError, require_finite
from xltoken.economics.unit_cost import counted_tokens, million_tokens_per_month
from xltoken.economics.unit_cost import usd_per_million_tokens as usd_per_million
from xltoken.model.assumptions import Assumptions, parse
from xltoken.model.forecast import Quote, quote
from xltoken.model.index import software_index
from xltoken.model.rates import power_at, rate_at

UTILIZATIONS: Final = (0.5, 0.3)
SPEEDS: Final = (25.0, 40.0, 50.0, 75.0, 100.0, 116.0)
"""tok/s per user at which a claim is held against measured evidence."""
DECLINES: Final = ((0.5, 0.5), (0.5, 0.9), (0.3, 0.9))
"""Utilization and effective annual price decline under which a revenue is computed again."""
LONGER_MONTHS: Final = 60
NOT_STATED: Final = "not stated"
_INPUTS: Final = [
    column.name
    for column in columns(Claim)
    if any(column.name in names for names in CLAIM_INPUTS.values())
    and column.name not in ("tokens_in", "tokens_out")
]
"""What claims are made of, in the order of the file; tokens in and out stand in the shape."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What a headline becomes: the conditions that differ, the value or the reason for none.

    `warnings` say how thin or old the evidence is that stands in for the claim.
    """

    conditions: Mapping[str, Any]
    value: float | None
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, what its own inputs give, and its variants."""

    claim: Claim
    reproduced: float
    variants: tuple[Variant, ...]


def judged(catalog: Catalog) -> list[Judged]:
    """Every claim of the catalog, made again.

    Raises
    ------
    DomainError
        If the inputs of a claim give no finite figure; the message names its row.
    """
    return [_judged(catalog, claim) for claim in catalog.claims]


def _judged(catalog: Catalog, claim: Claim) -> Judged:
    try:
        figure = reproduced(claim)
        require_finite(figure=figure)
        return Judged(claim, figure, tuple(_VARIANTS[claim.kind](catalog, claim)))
    except (DomainError, OverflowError, ZeroDivisionError) as error:
        where = f"{claim.origin.file}, row {claim.origin.row}"
        raise DomainError(f"{where}: claim {claim.claim} gives no figure: {error}") from None


def reproduced(claim: Claim) -> float:
    """Figure that our formulas make of the claim's own inputs."""
    if claim.kind == "unit_cost":
        return _cost(claim)
    if claim.kind == "cost_ratio":
        return _base_cost(claim) / _cost(claim)
    if claim.kind == "tokens_per_megawatt_ratio":
        speed = _need(claim, "tokens_per_second") / _need(claim, "kw_per_accelerator")
        base = _need(claim, "base_tokens_per_second") / _need(claim, "base_kw_per_accelerator")
        return speed / base
    revenue = _revenue(claim)
    return revenue if claim.kind == "revenue" else revenue / _need(claim, "investment")


def conditions(claim: Claim) -> dict[str, Any]:
    """Conditions under which a claim was made; a speed per user or a shape may be not stated."""
    told: dict[str, Any] = {
        "date": claim.date,
        "platform": claim.platform,
        "model": claim.model,
        "shape": f"{claim.tokens_in:g}/{claim.tokens_out:g}" if claim.tokens_in else NOT_STATED,
        "tokens_counted": claim.tokens_counted,
        "tokens_per_second_per_user": claim.tokens_per_second_per_user or NOT_STATED,
        "utilization": 1.0,
    }
    told |= {name: getattr(claim, name) for name in _INPUTS}
    kept = {name: value for name, value in told.items() if value not in (None, "")}
    return kept | {"text": claim.conditions}


def _need(claim: Claim, name: str) -> float:
    """Input of a claim; the catalog admits no claim without those of its kind."""
    value = getattr(claim, name)
    assert value is not None
    return float(value)


def _cost(claim: Claim, utilization: float = 1.0, rate: float | None = None) -> float:
    rate = _need(claim, "usd_per_accelerator_hour") if rate is None else rate
    return usd_per_million(rate, _need(claim, "tokens_per_second"), utilization)


def _base_cost(claim: Claim, rate: float | None = None) -> float:
    rate = _need(claim, "base_usd_per_accelerator_hour") if rate is None else rate
    return usd_per_million(rate, _need(claim, "base_tokens_per_second"))


def _revenue(
    claim: Claim,
    utilization: float = 1.0,
    price_decline: float = 0.0,
    months: int | None = None,
    tokens_per_second: float | None = None,
) -> float:
    """USD that every token sold brings over the months, each month at its middle."""
    speed = tokens_per_second or _need(claim, "tokens_per_second")
    volume = million_tokens_per_month(speed, _need(claim, "accelerators"), utilization)
    at = clock(months or int(_need(claim, "months")), "mid")
    prices = declining_path(_need(claim, "usd_per_million_tokens"), price_decline, at)
    return float(volume * prices.sum())


# --- variants ------------------------------------------------------------------------------------


def _of_unit_cost(catalog: Catalog, claim: Claim) -> Iterator[Variant]:
    for utilization in UTILIZATIONS:
        yield Variant({"utilization": utilization}, _cost(claim, utilization))
    for basis, rate in _rates(catalog, claim.platform):
        told = {"rate_basis": basis, "usd_per_accelerator_hour": rate, "date": catalog.date}
        yield Variant(told, _cost(claim, rate=rate))
    each = [
        counted_tokens(_need(claim, "tokens_in"), _need(claim, "tokens_out"), counted)
        for counted in (claim.tokens_counted, "total")
    ]
    yield Variant({"tokens_counted": "total"}, _cost(claim) * each[0] / each[1])
    for speed in (0.0, *SPEEDS):
        yield _measured(catalog, claim, speed, Quote.usd_per_million_tokens)


def _of_ratio(catalog: Catalog, claim: Claim) -> Iterator[Variant]:
    if claim.platform == claim.base_platform:
        # The same accelerator before and after: nothing but software can have changed.
        months = _need(claim, "months")
        gain = math.exp(software_index(catalog, None).drift * months)
        told = {"months": months, "evidence": "measured drift of fixed configurations"}
        yield Variant(told, gain)
        return
    base_rates = dict(_rates(catalog, claim.base_platform))
    for basis, rate in _rates(catalog, claim.platform):
        if basis not in base_rates:
            continue
        base_rate = base_rates[basis]
        told = {
            "rate_basis": basis,
            "usd_per_accelerator_hour": rate,
            "base_usd_per_accelerator_hour": base_rate,
            "date": catalog.date,
        }
        yield Variant(told, _base_cost(claim, base_rate) / _cost(claim, rate=rate))
    for speed in SPEEDS:
        yield _measured_ratio(
            catalog,
            claim,
            speed,
            lambda ours, base: base.usd_per_million_tokens() / ours.usd_per_million_tokens(),
        )


def _of_megawatts(catalog: Catalog, claim: Claim) -> Iterator[Variant]:
    for basis in KW_BASES:
        told: dict[str, Any] = {"kw_basis": basis, "date": catalog.date}
        given = parse([("kw_basis", basis)])
        try:
            power, base_power = (
                power_at(catalog, name, _today(catalog), given).kw_per_accelerator
                for name in (claim.platform, claim.base_platform)
            )
        except NotKnown as reason:
            yield Variant(told, None, str(reason))
            continue
        told |= {"kw_per_accelerator": power, "base_kw_per_accelerator": base_power}
        ratio = _need(claim, "tokens_per_second") / _need(claim, "base_tokens_per_second")
        yield Variant(told, ratio * base_power / power)
    for speed in SPEEDS:
        yield _measured_ratio(
            catalog,
            claim,
            speed,
            lambda ours, base: (
                ours.tokens_per_second_per_megawatt() / base.tokens_per_second_per_megawatt()
            ),
        )


def _of_revenue(catalog: Catalog, claim: Claim) -> Iterator[Variant]:
    scale = 1.0 if claim.kind == "revenue" else 1.0 / _need(claim, "investment")
    for utilization, decline in DECLINES:
        told = {"utilization": utilization, "price_decline": decline, "timing": "mid"}
        yield Variant(told, _revenue(claim, utilization, decline) * scale)
    slowest = catalog.prior("price_factor_per_year_low")
    if slowest:
        decline = 1.0 - 1.0 / slowest
        told = {"price_decline": decline, "timing": "mid", "pace": f"{slowest:g} times a year"}
        yield Variant(told, _revenue(claim, price_decline=decline) * scale)
    longer = {"months": LONGER_MONTHS, "price_decline": 0.0}
    yield Variant(longer, _revenue(claim, months=LONGER_MONTHS) * scale)
    for speed in (0.0, *SPEEDS):
        yield _measured(
            catalog,
            claim,
            speed,
            lambda found: _revenue(claim, tokens_per_second=found.tokens_per_second) * scale,
        )


_VARIANTS: Final[Mapping[str, Callable[[Catalog, Claim], Iterator[Variant]]]] = {
    "unit_cost": _of_unit_cost,
    "cost_ratio": _of_ratio,
    "tokens_per_megawatt_ratio": _of_megawatts,
    "revenue": _of_revenue,
    "revenue_multiple": _of_revenue,
}


def _measured(
    catalog: Catalog, claim: Claim, speed: float, value: Callable[[Quote], float]
) -> Variant:
    """Value on measured evidence at the catalog's date, at a speed per user (0: any)."""
    told = _told(catalog, claim, speed)
    try:
        found = _evidence(catalog, claim, claim.platform, speed)
        return Variant(told, value(found), warnings=tuple(found.warnings()))
    except NotKnown as reason:
        return Variant(told, None, str(reason))


def _measured_ratio(
    catalog: Catalog, claim: Claim, speed: float, ratio: Callable[[Quote, Quote], float]
) -> Variant:
    told = _told(catalog, claim, speed)
    try:
        ours = _evidence(catalog, claim, claim.platform, speed)
        base = _evidence(catalog, claim, claim.base_platform, speed)
        warnings = dict.fromkeys([*ours.warnings(), *base.warnings()])
        return Variant(told, ratio(ours, base), warnings=tuple(warnings))
    except NotKnown as reason:
        return Variant(told, None, str(reason))


def _told(catalog: Catalog, claim: Claim, speed: float) -> dict[str, Any]:
    return {
        "evidence": "catalog",
        "date": catalog.date,
        "tokens_counted": claim.tokens_counted,
        "tokens_per_second_per_user": speed or "any",
    }


def _evidence(catalog: Catalog, claim: Claim, platform: str, speed: float) -> Quote:
    """Quote of a platform for the claim's model, shape and counted tokens."""
    given: Sequence[tuple[str, Any]] = (
        ("tokens_counted", claim.tokens_counted),
        ("min_tokens_per_second_per_user", speed),
    )
    assumptions: Assumptions = parse(given)
    return quote(catalog, platform, 0.0, _workload(catalog, claim), assumptions)


def _workload(catalog: Catalog, claim: Claim) -> str:
    """Workload of the claim's model with its token counts, within the tolerance of a shape."""
    if claim.tokens_in is None or claim.tokens_out is None:
        raise NotKnown("the claim states no tokens in and out, so no evidence can stand for it.")
    model = catalog.model(claim.model)
    for workload in catalog.workloads.values():
        if workload.model == model and workload.serves_counts(claim.tokens_in, claim.tokens_out):
            return workload.key
    raise NotKnown(f"no workload has {claim.tokens_in:g} tokens in and {claim.tokens_out:g} out.")


def _today(catalog: Catalog) -> float:
    return float(catalog.date.toordinal())


def _rates(catalog: Catalog, platform: str) -> Iterator[tuple[str, float]]:
    """Rate of each basis at the catalog's date."""
    for basis in RATE_BASES:
        given = parse([("rate_basis", basis)])
        try:
            found = rate_at(catalog, platform, _today(catalog), catalog.date, given)
        except NotKnown:
            continue
        yield basis, found.usd_per_accelerator_hour
