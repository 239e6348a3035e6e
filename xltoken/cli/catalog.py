"""The commands ``xltoken catalog list|show|sources|validate``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from xltoken.cli.frame import (
    DONE,
    FINDINGS,
    Outcome,
    Unusable,
    command,
    console,
    table,
)

app = typer.Typer(
    help="What the figures rest on: platforms, workloads, rates, measurements, sources.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@command(app, "list")
def list_catalog() -> Outcome:
    """List platforms and workloads with what is known of each.

    Example: xltoken catalog list
    """
    from xltoken.catalog.store import current

    catalog = current()
    platforms = [
        {
            "platform": key,
            "vendor": p.vendor,
            "launched": p.launched,
            "observations": sum(o.platform == key for o in catalog.observations),
            "rates": len(catalog.rates_of(key)),
            "note": p.note,
        }
        for key, p in catalog.platforms.items()
    ]
    workloads = [
        {
            "workload": w.key,
            "tokens_in": w.tokens_in,
            "tokens_out": w.tokens_out,
            "min_tokens_per_second_per_user": w.min_tokens_per_second_per_user,
            "observations": sum(o.model == w.model and w.serves(o) for o in catalog.observations),
        }
        for w in catalog.workloads.values()
    ]
    data = {
        "date": catalog.date,
        "fingerprint": catalog.fingerprint,
        "overlay": str(catalog.overlay) if catalog.overlay else None,
        "platforms": platforms,
        "workloads": workloads,
    }

    def show() -> None:
        overlay = f", with {catalog.overlay} laid over it" if catalog.overlay else ""
        console().print(f"Catalog of {catalog.date} ({catalog.fingerprint}){overlay}\n")
        table(
            ("Platform", "vendor", "launched", "observations", "rates"),
            [list(p.values())[:5] for p in platforms],
            right="34",
        )
        console().print()
        table(
            ("Workload", "tokens in", "tokens out", "tok/s/user", "observations"),
            [list(w.values()) for w in workloads if w["observations"]],
            right="1234",
        )
        silent = sum(not w["observations"] for w in workloads)
        console().print(f"\n{silent} more shapes of these models have no measurement (--json).")
        console().print("\nPlatforms without evidence answer #N/A:")
        for platform in platforms:
            if not platform["observations"]:
                console().print(f"  {platform['platform']}: {platform['note']}")

    return Outcome(data, show)


@command(app, "show")
def show_entry(
    key: Annotated[str, typer.Argument(help="A platform, a workload or a model.")],
) -> Outcome:
    """Show a platform with its rates, a workload with every platform's cost, a model's prices.

    Example: xltoken catalog show "GB200 NVL72"
    """
    from xltoken.catalog.keys import NotKnown, normalize
    from xltoken.catalog.store import current

    catalog = current()
    try:
        platform = catalog.platform(key)
    except NotKnown as no_platform:
        try:
            return _workload(catalog.workload(key).key)
        except NotKnown as no_workload:
            name = normalize(key)
            model = catalog.models.get(name) or catalog.priced_models.get(name)
            if model is None:
                raise Unusable(f"{no_platform} {no_workload}") from None
        return _model(catalog, model)
    rates = [
        {
            "basis": r.basis,
            "valid_from": r.valid_from,
            "valid_to": r.valid_to,
            "usd_per_accelerator_hour": r.usd_per_accelerator_hour,
            "kw_per_accelerator": r.kw_per_accelerator,
            "kw_basis": r.kw_basis,
            "placeholder": r.placeholder,
            "source_id": r.source_id,
        }
        for r in catalog.rates_of(platform.platform)
    ]
    seen: dict[tuple[str, str, str], int] = {}
    for o in catalog.observations:
        if o.platform == platform.platform:
            shape = f"{o.tokens_in:g}/{o.tokens_out:g}"
            what = (o.model, shape, o.precision or "not stated")
            seen[what] = seen.get(what, 0) + 1
    data = {
        "platform": platform.platform,
        "vendor": platform.vendor,
        "label": platform.label,
        "architecture": platform.architecture,
        "scale_up_accelerators": platform.scale_up_accelerators,
        "launched": platform.launched,
        "aliases": platform.aliases,
        "note": platform.note,
        "source_id": platform.source_id,
        "rates": rates,
        "observations": [
            {"model": m, "shape": s, "precision": p, "rows": n} for (m, s, p), n in seen.items()
        ],
    }

    def show() -> None:
        for name in ("platform", "vendor", "label", "architecture", "launched", "note"):
            console().print(f"{name}: {data[name] or 'not known'}")
        console().print()
        table(("Basis", "from", "to", "USD/h", "kW", "kW basis", "placeholder", "source"),
              [list(r.values()) for r in rates], right="34")  # fmt: skip
        console().print()
        table(("Model", "in/out", "precision", "rows"),
              [(*what, count) for what, count in seen.items()], right="3")  # fmt: skip

    return Outcome(data, show)


def _model(catalog: Any, model: str) -> Outcome:
    """What is measured of a model, and what providers ask for it, newest price of each first."""
    seen: dict[tuple[str, str, str], int] = {}
    for o in catalog.observations:
        if o.model == model:
            what = (o.platform, f"{o.tokens_in:g}/{o.tokens_out:g}", o.precision or "not stated")
            seen[what] = seen.get(what, 0) + 1
    newest = sorted(catalog.prices_of(model), key=lambda p: p.valid_from, reverse=True)
    prices = {(p.provider, p.kind): p for p in reversed(newest)}
    data = {
        "model": model,
        "released": catalog.released(model),
        "observations": [
            {"platform": name, "shape": shape, "precision": precision, "rows": rows}
            for (name, shape, precision), rows in seen.items()
        ],
        "prices": [
            {
                "provider": p.provider,
                "kind": p.kind,
                "usd_per_million_tokens": p.usd_per_million_tokens,
                "valid_from": p.valid_from,
                "valid_to": p.valid_to,
            }
            for p in sorted(prices.values(), key=lambda p: (p.provider, p.kind))
        ],
    }

    def show() -> None:
        console().print(f"{model}, released {data['released'] or 'on a day not known'}\n")
        rows = [(*what, count) for what, count in seen.items()]
        table(("Platform", "in/out", "precision", "rows"), rows, right="3")
        console().print()
        titles = ("Provider", "tokens", "USD per 1M", "from", "to")
        table(titles, [list(p.values()) for p in data["prices"]], right="2")

    return Outcome(data, show)


def _workload(key: str) -> Outcome:
    from xltoken.functions import FUNCTIONS
    from xltoken.functions.cells import outgoing

    result = FUNCTIONS["PLATFORM_RANKING"](0, key)
    header, *rows = result
    data: dict[str, Any] = {
        "workload": key,
        "ranking": [dict(zip(header, outgoing([row])[0], strict=True)) for row in rows],
    }

    def show() -> None:
        console().print(f"{key}, at the catalog's date\n")
        picked = [0, 1, 2, 3, 4, 7, 8, 9, 11, 13]
        table([header[i] for i in picked], [[row[i] for i in picked] for row in rows], right="0234")

    return Outcome(data, show)


@command(app, "sources")
def sources(
    source_id: Annotated[str | None, typer.Argument(help="A source; default: all.")] = None,
) -> Outcome:
    """List the sources with the number of facts that rest on each.

    Example: xltoken catalog sources nv-blog-2025-10
    """
    from xltoken.catalog.keys import not_known
    from xltoken.catalog.store import current

    catalog = current()
    if source_id is not None and source_id not in catalog.sources:
        raise Unusable(str(not_known("source", source_id, catalog.sources)))
    used: dict[str, int] = {}
    for record in (*catalog.observations, *catalog.rates):
        used[record.source_id] = used.get(record.source_id, 0) + 1
    listed = [
        {
            "source_id": s.source_id,
            "publisher": s.publisher,
            "title": s.title,
            "published": s.published,
            "facts": used.get(s.source_id, 0),
            "independence": s.independence,
            "url": s.url,
            "note": s.note,
        }
        for s in catalog.sources.values()
        if source_id in (None, s.source_id)
    ]

    def show() -> None:
        titles = ("Source", "publisher", "title", "published", "facts", "independence", "url")
        table(titles, [list(s.values())[:7] for s in listed], right="4")

    return Outcome({"sources": listed}, show)


@command(app, "validate", with_catalog=False)
def validate(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Folder of CSV files; default: the shipped catalog."),
    ] = None,
) -> Outcome:
    """Check catalog files row by row: every problem with file, row, column and what to do.

    Example: xltoken catalog validate my-figures
    """
    from xltoken.catalog.store import read

    if folder is not None and not folder.is_dir():
        raise Unusable(f"{folder}: is not a folder of catalog CSV files.")
    catalog, problems = read(str(folder) if folder else "")
    data: dict[str, Any] = {
        "valid": not problems,
        "problems": [
            {"file": p.file, "row": p.row, "column": p.column, "message": p.message}
            for p in problems
        ],
    }
    if catalog is not None:
        rows = [r for r in catalog.everything if r.origin.user or folder is None]
        data["rows"] = len(rows)

    def show() -> None:
        if problems:
            for problem in problems:
                console().print(str(problem))
            console().print(f"{len(problems)} problems; nothing of this folder would be used.")
        else:
            console().print(f"{data['rows']} rows, no problem.")

    return Outcome(data, show, FINDINGS if problems else DONE)
