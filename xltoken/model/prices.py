"""What a token sells for: list prices by day, and their decline beyond the catalog's date.

A price is its own curve: it falls for other reasons, and at another pace, than the cost of a token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from xltoken.catalog.keys import NotKnown, nearest, normalize, not_known
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
    if kind == BLENDED and workload is None:
        raise InputError(
            f"a blended price needs tokens in and out: ask for a workload, e.g. {model}/chat."
        )
    when = moment(month, assumptions.get("start") or catalog.date)
    known = min(day(when), catalog.date)
    shares = _shares(kind, workload, str(assumptions.get("tokens_counted")))
    asked = _offers(catalog, model, known, shares, assumptions.get("as_of"))
    if not asked:
        raise NotKnown(f"no provider's price of {model} for {' and '.join(shares)} is known.")
    name = _provider(provider, asked)
    usd, rows = asked[name]
    warnings = [
        f"the price of {name} is that of {row.valid_from}, carried back"
        for row in rows
        if row.valid_from > known
    ]
    warnings += [
        f"the price is a user's row ({row.origin.file}, row {row.origin.row})"
        for row in rows
        if row.origin.user
    ]
    months = months_between(catalog.date, when)
    if months > 0:
        usd *= decline_factor(float(assumptions.get("price_decline")), months)
    return Asked(usd, name, rows, tuple(warnings))


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
) -> dict[str, tuple[float, tuple[Price, ...]]]:
    """Providers that ask a price of every kind needed: USD per 1M and the rows.

    Where some ask one on that day, the others are left out; where none does yet, the first price of
    each counts.
    """
    rows: dict[str, dict[str, list[Price]]] = {}
    for row in catalog.prices_of(model):
        if row.kind in shares and (as_of is None or row.valid_from <= as_of):
            rows.setdefault(row.provider, {}).setdefault(row.kind, []).append(row)
    chosen = {
        provider: tuple(_valid(by_kind[kind], on) for kind in shares)
        for provider, by_kind in rows.items()
        if len(by_kind) == len(shares)
    }
    current = {
        provider: found
        for provider, found in chosen.items()
        if all(row.valid_from <= on for row in found)
    }
    return {
        provider: (sum(shares[row.kind] * row.usd_per_million_tokens for row in found), found)
        for provider, found in (current or chosen).items()
    }


def _valid(rows: Sequence[Price], on: date) -> Price:
    """Last price up to a day, a user's before the shipped one; else the first."""
    before = [row for row in rows if row.valid_from <= on]
    if before:
        return max(before, key=lambda row: (row.valid_from, row.origin.user))
    return min(rows, key=lambda row: (row.valid_from, not row.origin.user))


def _provider(text: str, asked: Mapping[str, tuple[float, tuple[Price, ...]]]) -> str:
    if normalize(text) == LOWEST:
        return min(asked, key=lambda name: (asked[name][0], name))
    names = {normalize(name): name for name in asked}
    try:
        return names[normalize(text)]
    except KeyError:
        raise not_known("provider", text, [LOWEST, *asked]) from None
