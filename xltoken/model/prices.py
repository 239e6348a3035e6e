"""What a token sells for: list prices by day, and their decline beyond the catalog's date.

A price is its own curve: it falls for other reasons, and at another pace, than the cost of a token.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from xltoken.catalog.keys import NotKnown, chosen, nearest, normalize, not_known
from xltoken.catalog.records import PRICE_KINDS, Price
from xltoken.catalog.store import Catalog, Workload
from xltoken.economics.curves import decline_factor
from xltoken.economics.unit_cost import counted_tokens
from xltoken.model.assumptions import Assumptions, InputError
from xltoken.model.months import Month, day, moment, months_between

LOWEST: Final = "lowest"
BLENDED: Final = "blended"
KINDS: Final = (*PRICE_KINDS, BLENDED)


@dataclass(frozen=True, slots=True)
class Asked:
    """A price: USD per 1M tokens, the rows it rests on, and what has to be said of it."""

    usd_per_million_tokens: float
    provider: str
    rows: tuple[Price, ...]
    warnings: tuple[str, ...]


def price_at(
    catalog: Catalog,
    model_or_workload: str,
    month: Month,
    provider: str,
    kind: str | None,
    assumptions: Assumptions,
) -> Asked:
    """Price of a million tokens on a day.

    Parameters
    ----------
    model_or_workload : str
        A model: the price of one kind of token. A workload: the price per counted token of its
        requests, input included, ``(in x price_in + out x price_out) / counted``.
    month : date or float
        A date, or months after the assumption ``start``.
    provider : str
        A provider, or ``lowest`` for the cheapest on that day.
    kind : str or None
        ``input``, ``output``, ``cache_read`` or ``blended``; output for a model and blended for a
        workload where it is None.

    Raises
    ------
    NotKnown
        If model, workload or provider is unknown, or none asks a price of that kind.
    InputError
        If a blend is asked of a model, which has no tokens in and out.
    """
    catalog = catalog.at(assumptions.get("catalog"))
    model, workload = _what(catalog, model_or_workload)
    if kind is None:
        kind = "output" if workload is None else BLENDED
    kind = chosen("kind", kind, KINDS)
    if kind == BLENDED and workload is None:
        shapes = [w.key for w in catalog.workloads.values() if w.model == model]
        advice = f"ask for a workload, e.g. {shapes[0]}" if shapes else "ask for input and output"
        raise InputError(f"a blended price needs tokens in and out: {advice}.")
    when = moment(month, assumptions.get("start") or catalog.date)
    shares = _shares(kind, workload, str(assumptions.get("tokens_counted")))
    offers = _offers(catalog, model, day(when), shares, assumptions.get("as_of"))
    if not offers:
        raise NotKnown(f"no provider's price of {model} for {' and '.join(shares)} is known.")
    decline = float(assumptions.get("price_decline"))

    def usd(rows: tuple[Price, ...]) -> float:
        return sum(shares[r.kind] * _declined(catalog, r, when, decline) for r in rows)

    if normalize(provider) == LOWEST:
        name = min(_closest(offers, day(when)), key=lambda each: (usd(offers[each]), each))
    else:
        name = _named(catalog, model, provider, offers, shares)
    rows = offers[name]
    return Asked(usd(rows), name, rows, tuple(_warnings(rows, day(when))))


def _what(catalog: Catalog, text: str) -> tuple[str, Workload | None]:
    """Model, and the workload if it is one."""
    model = catalog.priced_models.get(normalize(text))
    if model is not None:
        return model, None
    workload = catalog.workloads.get(normalize(text))
    if workload is not None:
        return workload.model, workload
    if "/" in text:
        raise not_known("workload", text, [w.key for w in catalog.workloads.values()])
    if normalize(text) in catalog.models:
        raise NotKnown(f"no provider's price of {catalog.model(text)} is known.")
    close = nearest(text, [*catalog.priced_models.values(), *catalog.models.values()])
    hint = f" Nearest: {', '.join(close)}." if close else ""
    raise NotKnown(f"model or workload {text!r} is not known.{hint}")


def _shares(kind: str, workload: Workload | None, counted: str) -> Mapping[str, float]:
    """Tokens of each kind that a counted token brings with it."""
    if kind != BLENDED or workload is None:
        return {kind: 1.0}
    tokens_in, tokens_out = workload.tokens_in, workload.tokens_out
    each = counted_tokens(tokens_in, tokens_out, counted)
    return {"input": tokens_in / each, "output": tokens_out / each}


def _offers(
    catalog: Catalog, model: str, on: date, shares: Mapping[str, float], as_of: date | None
) -> dict[str, tuple[Price, ...]]:
    """Providers that ever asked a price of every kind needed, with the rows that count on a day."""
    rows: dict[str, dict[str, list[Price]]] = {}
    for row in catalog.prices_of(model):
        if row.kind in shares and (as_of is None or row.valid_from <= as_of):
            rows.setdefault(row.provider, {}).setdefault(row.kind, []).append(row)
    return {
        provider: tuple(_counting(by_kind[kind], on) for kind in shares)
        for provider, by_kind in rows.items()
        if len(by_kind) == len(shares)
    }


def _valid(row: Price, on: date) -> bool:
    return row.valid_from <= on and (row.valid_to is None or on <= row.valid_to)


def _counting(rows: Sequence[Price], on: date) -> Price:
    """Row valid on a day, a user's first; else the last before it, or the first of all."""
    valid = [row for row in rows if _valid(row, on)]
    before = valid or [row for row in rows if row.valid_from <= on]
    if before:
        return max(before, key=lambda row: (row.origin.user, row.valid_from))
    return min(rows, key=lambda row: (row.valid_from, not row.origin.user))


def _closest(offers: Mapping[str, tuple[Price, ...]], on: date) -> list[str]:
    """Providers that ask their price on a day; else those who did before, else the first to ask."""
    current = [name for name, rows in offers.items() if all(_valid(row, on) for row in rows)]
    ended = [name for name, rows in offers.items() if all(row.valid_from <= on for row in rows)]
    if current or ended:
        return current or ended
    begins = {name: max(row.valid_from for row in rows) for name, rows in offers.items()}
    return [name for name, begin in begins.items() if begin == min(begins.values())]


def _declined(catalog: Catalog, row: Price, when: float, decline: float) -> float:
    """Price of a row: from the catalog's date, or from its own day if later, it declines."""
    months = months_between(max(catalog.date, row.valid_from), when)
    factor = decline_factor(decline, months) if months > 0 else 1.0
    return row.usd_per_million_tokens * factor


def _named(
    catalog: Catalog,
    model: str,
    text: str,
    offers: Mapping[str, tuple[Price, ...]],
    shares: Mapping[str, float],
) -> str:
    every = {normalize(row.provider): row.provider for row in catalog.prices_of(model)}
    name = every.get(normalize(text))
    if name is None:
        raise not_known("provider", text, [LOWEST, *every.values()])
    if name not in offers:
        kinds = dict.fromkeys(r.kind for r in catalog.prices_of(model) if r.provider == name)
        raise NotKnown(
            f"{name} asks no price of {model} for {' and '.join(shares)}; it asks one for "
            f"{', '.join(kinds)}."
        )
    return name


def _warnings(rows: Sequence[Price], on: date) -> Iterator[str]:
    for row in rows:
        if row.valid_from > on:
            yield f"the price of {row.provider} is that of {row.valid_from}, carried back"
        elif not _valid(row, on):
            yield f"the price of {row.provider} ended on {row.valid_to} and is carried on"
        if row.origin.user:
            yield f"the price is a user's row ({row.origin.file}, row {row.origin.row})"
