"""The commands ``xltoken catalog import|prices``: figures of others as files to lay over."""

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xltoken.cli.catalog import app
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
    from xltoken.files import write_atomically

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
    from xltoken.files import write_atomically

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
