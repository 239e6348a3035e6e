"""The commands that put a workbook under many assumptions: sweep, simulate, tornado."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xltoken.cli.frame import (
    DONE,
    FINDINGS,
    Outcome,
    command,
    console,
    progress,
    table,
)

if TYPE_CHECKING:
    from xltoken.recalc.runs import Runs
    from xltoken.recalc.scenario_input import Book

app = typer.Typer()

_File = Annotated[Path, typer.Argument(help="A workbook, .xlsx or .xlsm; it stays as it is.")]
_Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="CELL=VALUE",
        help="Change an input in every scenario: Sheet!B4=0.4 or a defined name; repeatable.",
        show_default=False,
    ),
]
_Watch = Annotated[
    list[str] | None,
    typer.Option(
        "--watch",
        metavar="CELL",
        help="A cell or defined name to read; repeatable. Default: the names of single formula "
        "cells on a sheet Outputs.",
        show_default=False,
    ),
]
_Resume = Annotated[
    bool, typer.Option("--resume", help="Continue a run that was stopped: what is done counts.")
]
_Jobs = Annotated[
    int, typer.Option("--jobs", metavar="N", min=1, help="Processes; the results are the same.")
]


@command(app, "sweep")
def sweep(
    file: _File,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Where to write: .csv, .parquet or .xlsx."),
    ],
    scenarios: Annotated[
        Path | None,
        typer.Option(
            "--scenarios",
            metavar="TABLE",
            help="A .csv or .xlsx: a column an input, a row a scenario; a blank cell is the value "
            "as it stands; a first column scenario or name holds names.",
            show_default=False,
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            metavar="CELL=LIST",
            help="Every combination: CELL=low:high:step or CELL=a,b,c; repeatable.",
            show_default=False,
        ),
    ] = None,
    watch: _Watch = None,
    settings: _Set = None,
    resume: _Resume = False,
    jobs: _Jobs = 1,
) -> Outcome:
    """Run a workbook under every scenario of a table or grid.

    Example: xltoken sweep budget.xlsx --grid utilization=0.2:0.8:0.1 -o sweep.xlsx
    """
    from xltoken.recalc import results
    from xltoken.recalc import scenarios as studies
    from xltoken.recalc.scenario_input import open_book
    from xltoken.recalc.scenario_tables import grid as combined
    from xltoken.recalc.scenario_tables import read_scenarios

    if (scenarios is None) == (not grid):
        raise typer.BadParameter("name either --scenarios TABLE or --grid CELL=LIST.")
    sources = [file, *([scenarios] if scenarios else [])]
    results.check(output, 0, sources)
    with progress(f"reading {file}"):
        book = open_book(file, settings or [], watch or [])
        asked = combined(book, grid or []) if scenarios is None else read_scenarios(book, scenarios)
    results.check(output, len(asked.rows), sources)
    with _counting("scenarios", len(asked.rows)) as told:
        found = studies.sweep(book, asked, output, resume=resume, jobs=jobs, told=told)
        if found.rows:
            results.write(found, output)
    data = {
        **_told(book, found.runs),
        "output": str(output) if found.rows else None,
        "inputs": list(asked.labels),
        "outputs": {
            label: {
                "cell": _cell(book, label),
                "smallest": figures.percentiles.get(0),
                "p10": figures.percentiles.get(10),
                "median": figures.percentiles.get(50),
                "p90": figures.percentiles.get(90),
                "largest": figures.percentiles.get(100),
                "mean": figures.mean,
                "numbers": figures.count,
                "errors": figures.errors,
            }
            for label, figures in found.figures.items()
        },
    }

    def show() -> None:
        echo = console().print
        echo(f"{found.runs.done:,} scenarios of {file}: {output}")
        echo()
        table(
            ("Output", "smallest", "10 %", "median", "90 %", "largest", "mean", "errors"),
            [
                (label, *(_shown(f.percentiles.get(p)) for p in studies.SWEEP_PERCENTILES),
                 _shown(f.mean), f.errors)
                for label, f in found.figures.items()
            ],
            right="1234567",
        )  # fmt: skip

    notes = [*_warnings(book), *asked.notes, *found.runs.notes]
    if found.errors:
        notes.append(f"warning: {found.errors:,} results are errors; they stand in the result.")
    stopped = found.runs.stopped
    if stopped:
        notes.append(_stopped(found.runs, f"they stand in {output}"))
    return Outcome(data, show, FINDINGS if stopped or found.errors else DONE, notes)


@command(app, "simulate")
def simulate(
    file: _File,
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="CELL=DISTRIBUTION",
            help="An uncertain input; repeatable. normal(mean, sd), lognormal(mean, sd) of the "
            "value itself, uniform(low, high), triangular(low, mode, high), pert(low, mode, high), "
            "discrete(value:chance, ...).",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to write: .xlsx, .csv or .parquet.")
    ],
    correlate: Annotated[
        list[str] | None,
        typer.Option(
            "--correlate",
            metavar="A,B=RHO",
            help="Rank correlation (Spearman) of two of the inputs; repeatable.",
            show_default=False,
        ),
    ] = None,
    watch: _Watch = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            "--threshold",
            metavar="CELL>NUMBER",
            help="Give the chance that a cell is above (or < below) a number; repeatable.",
            show_default=False,
        ),
    ] = None,
    points: Annotated[
        int, typer.Option("-n", "--draws", help="Number of draws, rounded up to a power of 2.")
    ] = 4096,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Same seed, same draws, same file.")
    ] = 1,
    settings: _Set = None,
    resume: _Resume = False,
    jobs: _Jobs = 1,
) -> Outcome:
    """Draw uncertain inputs together and show what a workbook's results may become.

    Example: xltoken simulate budget.xlsx --vary "utilization=pert(0.3,0.5,0.7)" -n 64 -o r.xlsx
    """
    from xltoken.economics.distributions import power_of_two
    from xltoken.recalc import results
    from xltoken.recalc import scenarios as studies
    from xltoken.recalc.scenario_input import (
        open_book,
        read_correlations,
        read_threshold,
        read_vary,
        threshold_cell,
    )

    results.check(output, power_of_two(points), [file])
    with progress(f"reading {file}"):
        asked_of = [threshold_cell(text) for text in threshold or []]
        book = open_book(file, settings or [], watch or [], asked_of)
        chosen = read_vary(book, vary)
        pairs = read_correlations(list(chosen), correlate or [])
        questions = [read_threshold(book, text) for text in threshold or []]
    with _counting("draws", power_of_two(points)) as told:
        found = studies.simulate(
            book, chosen, pairs, questions, output,
            points=points, seed=seed, resume=resume, jobs=jobs, told=told,
        )  # fmt: skip
        if not found.runs.stopped:
            results.write(found, output)
    data: dict[str, Any] = {
        **_told(book, found.runs),
        "output": None if found.runs.stopped else str(output),
        "draws": len(found.samples),
        "seed": seed,
        "inputs": {
            label: {"distribution": str(one), "mean": one.mean, "sd": one.sd}
            for label, one in chosen.items()
        },
        "correlations": {
            f"{found.labels[one]},{found.labels[other]}": rank
            for (one, other), rank in pairs.items()
        },
        "outputs": {
            label: {
                "cell": _cell(book, label),
                "mean": f.mean,
                "sd": f.sd,
                "standard_error": f.standard_error,
                **{_percentile(p): value for p, value in f.percentiles.items()},
                "numbers": f.count,
                "errors": f.errors + f.others,
                "drivers": {name: _number(rank) for name, rank in found.drivers[label].items()},
            }
            for label, f in found.figures.items()
        },
        "chances": {str(question): _number(share) for question, share in found.chances},
    }

    def show() -> None:
        echo = console().print
        echo(f"{len(found.samples):,} draws of {file}, seed {seed}: {data['output']}")
        if not found.figures:
            return
        echo()
        every = list(found.figures.values())
        rows: list[tuple[Any, ...]] = [
            ("mean", *(_shown(f.mean) for f in every)),
            ("standard deviation", *(_shown(f.sd) for f in every)),
            ("standard error (at most)", *(_shown(f.standard_error) for f in every)),
            *(
                (_percentile(p), *(_shown(f.percentiles.get(p)) for f in every))
                for p in studies.PERCENTILES
            ),
        ]
        right = "".join(str(number) for number in range(1, 10))
        table(("Figure", *found.figures), rows, right=right)
        if found.chances:
            echo()
            table(
                ("How likely", "chance"),
                [(str(q), f"{share:.1%}") for q, share in found.chances],
                right="1",
            )
        echo()
        first = next(iter(found.drivers.values()))
        table(
            ("What drives it (rank correlation)", *found.drivers),
            [(name, *(f"{ranks[name]:.2f}" for ranks in found.drivers.values())) for name in first],
            right=right,
        )

    notes = [*_warnings(book), *found.runs.notes]
    if found.errors:
        notes.append(
            f"warning: {found.errors:,} results are no number; they are left out of the figures."
        )
    if found.runs.stopped:
        notes.append(_stopped(found.runs, "nothing is said of a part of the draws"))
    return Outcome(data, show, FINDINGS if found.runs.stopped or found.errors else DONE, notes)


@command(app, "tornado")
def tornado(
    file: _File,
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="CELL=LOW:HIGH",
            help="An input and its two ends, or CELL+-20% around the value as it stands; "
            "repeatable.",
        ),
    ],
    watch: Annotated[str, typer.Option("--watch", metavar="CELL", help="The result to explain.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write: .xlsx or .csv.")],
    settings: _Set = None,
) -> Outcome:
    """Move each input alone between its ends and show which one moves a result most.

    Example: xltoken tornado budget.xlsx --vary utilization=0.3:0.7 --watch cost_flat -o t.xlsx
    """
    from xltoken.recalc import results
    from xltoken.recalc import scenarios as studies
    from xltoken.recalc.scenario_input import open_book, read_ends

    results.check(output, len(vary), [file], (".xlsx", ".csv"))
    with progress(f"moving the inputs of {file}"):
        book = open_book(file, settings or [], [watch])
        found = studies.tornado(book, read_ends(book, vary))
        results.write(found, output)
    data = {
        "file": str(file),
        "sha256": book.digest,
        "output": str(output),
        "warnings": book.model.notebook.warnings,
        "result": found.label,
        "cell": _cell(book, found.label),
        "base": found.base,
        "bars": [
            {
                "input": bar.label,
                "low": bar.low,
                "base": bar.base,
                "high": bar.high,
                "result_low": bar.result_low,
                "result_high": bar.result_high,
                "swing": _number(bar.swing),
            }
            for bar in found.bars
        ],
    }

    def show() -> None:
        console().print(f"{found.label} as it stands: {_shown(found.base)}; bars in {output}\n")
        table(
            ("Input", "low", "base", "high", "result at low", "result at high", "swing"),
            [
                (b.label, b.low, b.base, b.high, _shown(b.result_low), _shown(b.result_high),
                 _shown(_number(b.swing)))
                for b in found.bars
            ],
            right="123456",
        )  # fmt: skip

    notes = [*_warnings(book), *found.notes]
    if found.errors:
        notes.append(f"warning: {found.errors} inputs lead to a result that is no number.")
    return Outcome(data, show, FINDINGS if found.errors else DONE, notes)


def _told(book: "Book", runs: "Runs") -> dict[str, Any]:
    return {
        "file": str(book.package.path),
        "sha256": book.digest,
        "stamp": book.stamp,
        "set": book.changed,
        "scenarios": len(runs.results),
        "done": runs.done,
        "taken_from_journal": runs.taken,
        "complete": not runs.stopped,
        "warnings": book.model.notebook.warnings,
    }


def _cell(book: "Book", label: str) -> str:
    from xltoken.recalc.sheetxml import address

    sheet, row, column = book.watched[label]
    return f"{sheet}!{address(row, column)}"


def _warnings(book: "Book") -> list[str]:
    """What the functions of the book had to say of their evidence when it was loaded."""
    return [f"warning: {warning}" for warning in book.model.notebook.warnings]


def _stopped(runs: "Runs", where: str) -> str:
    return (
        f"stopped after {runs.done:,} of {len(runs.results):,}; {where}. The same command with "
        "--resume continues."
    )


def _percentile(percent: float) -> str:
    names = {0.0: "smallest", 50.0: "median", 100.0: "largest"}
    return names.get(percent, f"p{percent:g}")


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _shown(value: Any) -> Any:
    """Large numbers in full, as in a budget; the rest as every table shows it."""
    return f"{value:,.0f}" if isinstance(value, float) and 1e5 <= abs(value) < 1e15 else value


@contextmanager
def _counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Progress bar on a terminal, nothing elsewhere."""
    import sys

    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
