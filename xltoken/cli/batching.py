"""The command batch: many workbooks, many scenarios, here or on a cluster."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from xltoken.cli.frame import (
    DONE,
    FINDINGS,
    INTERRUPTED,
    UNUSABLE,
    Outcome,
    Unusable,
    command,
    progress,
    shown,
    table,
)

if TYPE_CHECKING:
    from xltoken.recalc.batch import Done as Result

app = typer.Typer()

JOURNAL: Final = ".xltoken-batch.jsonl"
_COUNTS: Final = ("formulas", "right", "disputed", "unsupported", "changed", "refused")
_TOLD: Final = 20


@command(app, "batch")
def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES_OR_FOLDERS",
            help="Workbooks, and folders whose .xlsx and .xlsm files count.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FOLDER",
            help="Where to write, under the same names; default: in place.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="CELL=VALUE",
            help="Change an input of every workbook first; repeatable.",
            show_default=False,
        ),
    ] = None,
    scenarios: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Write each workbook once a row, as NAME--SCENARIO.xlsx: the header is a title "
            "and cells (Sheet!B4 or defined names), a row a name and values; a blank leaves the "
            "input as it is.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Write no workbook with a cell that is refused or becomes an error."
        ),
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Search folders below the folders too.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Processes; default: one for each processor.",
            show_default=False,
        ),
    ] = None,
    cluster: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Dask scheduler, like tcp://host:8786. Its workers need the same xltoken, and "
            "must see the files under the same paths.",
            show_default=False,
        ),
    ] = "",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Keep what the journal of an earlier run says is done and unchanged.",
        ),
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Write what --json prints; the journal stands beside it as FILE.json.jsonl. "
            f"Without it the journal is {JOURNAL} in the output folder, or here.",
            show_default=False,
        ),
    ] = None,
) -> Outcome:
    """Recalculate many workbooks, under many scenarios; one that fails stops no other.

    Exit code 4 if a workbook failed, 1 if one has findings.

    Example: xltoken batch models -o recalculated --set utilization=0.4
    """
    from xltoken.files import check_writable, write_atomically
    from xltoken.recalc.batch import BatchError, Done, Journal, Task, summed_up
    from xltoken.recalc.batch_plan import plan
    from xltoken.recalc.batch_run import run

    started = time.perf_counter()
    try:
        with progress("reading the workbooks"):
            tasks = plan(
                inputs,
                output,
                settings or [],
                scenarios=scenarios,
                strict=strict,
                recursive=recursive,
            )
    except BatchError as error:
        raise typer.BadParameter(str(error)) from None
    if report is not None:
        check_writable(report)
        journal_path = report.with_name(f"{report.name}.jsonl")
    else:
        journal_path = (output or Path()) / JOURNAL
    finished: dict[Task, Done] = {}

    def summary() -> dict[str, Any]:
        """What is finished so far, in the order of the inputs, written where it was asked for."""
        listed = [finished[task] for task in tasks if task in finished]
        data = summed_up(listed, time.perf_counter() - started)
        if report is not None:
            write_atomically(report, json.dumps(data, indent=2, allow_nan=False).encode())
        return data

    with Journal(journal_path, resume=resume) as journal, _bar(len(tasks)) as advance:

        def each(task: Task, done: Done) -> None:
            journal.record(task, done)
            finished[task] = done
            advance(1)

        try:
            finished.update((t, done) for t in tasks if (done := journal.kept(t)) is not None)
            advance(len(finished))
            run([t for t in tasks if t not in finished], each, jobs=jobs, cluster=cluster)
        except BatchError as error:
            summary()
            stay = " Finished files stay; --resume goes on." if finished else ""
            raise Unusable(f"{error}{stay}") from None
        except KeyboardInterrupt:
            stopped = True
        else:
            stopped = False
    data = summary()
    if stopped:
        _stop(data, len(tasks))
    return _told([finished[task] for task in tasks], data)


def _told(results: "list[Result]", data: dict[str, Any]) -> Outcome:
    totals = data["totals"]

    def show() -> None:
        rows = [
            (
                done.file,
                done.scenario,
                *(done.summary.get(name) for name in _COUNTS),
                f"{done.seconds:.2f}",
                f"{done.status}, kept" if done.kept else done.status,
            )
            for done in results
        ]
        table(("File", "scenario", *_COUNTS, "seconds", "status"), rows, right="2345678")

    notes = [f"xltoken: {_name(d)}: {d.error}" for d in results if d.status == "failed"]
    cells = [
        f"{cell['status']}: {_name(done)} {cell['sheet']}!{cell['cell']} {cell['function']}"
        for done in results
        for cell in done.findings
    ]
    notes += cells[:_TOLD]
    if len(cells) > _TOLD:
        notes.append(f"... and {len(cells) - _TOLD} more: --json lists them.")
    # Workbooks of one kind say the same: each thing is told once.
    warned = Counter(text for done in results for text in done.warnings)
    notes += [f"warning: {text} ({_files(count)})" for text, count in warned.items()]
    notes.append(
        f"{_files(totals['files'])}: {totals['done']} done, {totals['findings']} with findings, "
        f"{totals['failed']} failed; {totals['kept']} kept; {shown(round(data['seconds'], 1))} s."
    )
    code = UNUSABLE if totals["failed"] else FINDINGS if totals["findings"] else DONE
    return Outcome(data, show, code, notes)


def _name(done: "Result") -> str:
    return f"{done.file} ({done.scenario})" if done.scenario else done.file


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _stop(data: dict[str, Any], everything: int) -> None:
    """End after Ctrl-C: the report so far, and one line that says how to go on."""
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(data, indent=2, allow_nan=False) + "\n")
    count = data["totals"]["files"]
    sys.stderr.write(
        f"xltoken: interrupted; {count} of {everything} files are finished and stay: the same "
        "command with --resume does the rest.\n"
    )
    sys.stderr.flush()
    sys.stdout.flush()
    raise SystemExit(INTERRUPTED)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """Files done of all files, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown_bar:
        files = shown_bar.add_task("files", total=total)
        yield lambda count: shown_bar.advance(files, count)
