"""The commands ``xltoken catalog list|show|sources|validate|import|prices``."""

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from xltoken.cli.frame import (
    DONE,
    FINDINGS,
    UNUSABLE,
    Outcome,
    Unusable,
    command,
    console,
    progress,
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
            [list(w.values()) for w in workloads],
            right="1234",
        )

    return Outcome(data, show)


@command(app, "show")
def show_entry(
    key: Annotated[str, typer.Argument(help="A platform or a workload.")],
) -> Outcome:
    """Show a platform with its rates, or a workload with every platform's cost today.

    Example: xltoken catalog show "GB200 NVL72"
    """
    from xltoken.catalog.keys import NotKnown
    from xltoken.catalog.store import current

    catalog = current()
    try:
        platform = catalog.platform(key)
    except NotKnown as no_platform:
        try:
            workload = catalog.workload(key)
        except NotKnown as no_workload:
            raise Unusable(f"{no_platform} {no_workload}") from None
        return _workload(workload.key)
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


class Format(StrEnum):
    """Formats of results that can be imported."""

    INFERENCEX = "inferencex"
    MLPERF = "mlperf"
    AICONFIGURATOR = "aiconfigurator"


@command(app, "import", with_catalog=False)
def import_results(
    files: Annotated[list[Path], typer.Argument(help="Files of results, JSON or CSV.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR_OR_CSV", help="Folder or CSV file to write."),
    ],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Default: recognised from content.", show_default=False),
    ] = None,
    model: Annotated[str, typer.Option(help="Model, where a file names none.")] = "",
    platform: Annotated[str, typer.Option(help="Platform, where a file names none.")] = "",
    date: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="Day, where a file states none.",
            show_default=False,
        ),
    ] = None,
    tokens_in: Annotated[
        float | None,
        typer.Option(min=1, help="Input tokens a request, where not stated.", show_default=False),
    ] = None,
    tokens_out: Annotated[
        float | None,
        typer.Option(min=1, help="Output tokens a request, where not stated.", show_default=False),
    ] = None,
    precision: Annotated[str, typer.Option(help="Precision, where not stated.")] = "",
    source_id: Annotated[str, typer.Option(help="Source of the rows, of sources.csv.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> Outcome:
    """Turn results of InferenceX, MLPerf or AIConfigurator into an observations.csv.

    Every row is taken or refused with the reason. Platforms and sources are those of the shipped
    catalog and of the folder written to; --catalog has no part in it.

    Example: xltoken catalog import agg_result.json -o my-figures --date 2026-06-01
    """
    from xltoken.catalog import importers
    from xltoken.recalc.package import write_atomically

    options = importers.Options(
        model=model.strip(),
        platform=platform.strip(),
        date=f"{date:%Y-%m-%d}" if date else "",
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        precision=precision.strip(),
        source_id=source_id.strip(),
    )
    try:
        target = importers.target_file(output, replace=force)
        with progress("reading results"):
            taken = importers.import_files(files, target, options, form and form.value)
        if taken.rows:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, importers.written(taken.rows))
    except importers.CannotImport as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{output}: cannot be made: {error.strerror}.") from None
    refused = [
        {"file": p.file, "row": p.row, "column": p.column, "message": p.message}
        for p in taken.refused
    ]
    data = {"file": str(target) if taken.rows else None, "rows": len(taken.rows)}

    def show() -> None:
        where = f"written to {target}" if taken.rows else "nothing was written"
        console().print(f"{len(taken.rows)} rows taken, {len(refused)} refused; {where}.")
        if refused:
            console().print()
            reasons = taken.reasons()
            table(("File", "rows", "first", "column", "why"), reasons[:20], right="12")
            if len(reasons) > 20:
                console().print(f"... and {len(reasons) - 20} more reasons: --json lists them all.")

    notes = []
    if taken.rows and target.name != "observations.csv":
        notes.append(f"note: a catalog folder reads observations.csv only, not {target.name}.")
    code = UNUSABLE if not taken.rows else FINDINGS if refused else DONE
    return Outcome({**data, "refused": refused}, show, code, notes)


@command(app, "prices")
def take_prices(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder or CSV file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> Outcome:
    """Take today's list prices from the package genai-prices as a prices.csv to lay over.

    Example: xltoken catalog prices -o my-figures
    """
    from xltoken.catalog import importers
    from xltoken.catalog.api_prices import todays
    from xltoken.catalog.records import Price
    from xltoken.catalog.store import current
    from xltoken.recalc.package import write_atomically

    catalog = current()
    models = dict.fromkeys([*catalog.models.values(), *catalog.priced_models.values()])
    try:
        target = importers.target_file(output, replace=force, record=Price)
        rows = list(todays(models, dt.datetime.now(tz=dt.UTC).date()))
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, importers.written(rows, Price))
    except importers.CannotImport as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{output}: cannot be made: {error.strerror}.") from None
    data = {"file": str(target), "rows": len(rows)}
    return Outcome(data, lambda: console().print(f"{len(rows)} prices written to {target}."))
