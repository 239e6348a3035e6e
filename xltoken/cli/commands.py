"""The commands: demo, new, recalc, eval, functions, catalog, doctor."""

from pathlib import Path
from typing import Annotated, Any

import typer

from xltoken.cli import importing as importing  # noqa: PLC0414 - adds its commands to catalog
from xltoken.cli.batching import app as batching_app
from xltoken.cli.catalog import app as catalog_app
from xltoken.cli.doctor import app as doctor_app
from xltoken.cli.frame import (
    DONE,
    FINDINGS,
    UNUSABLE,
    BooksArgument,
    InPlaceOption,
    Outcome,
    Unusable,
    command,
    console,
    echo_error,
    progress,
    shown,
    table,
)
from xltoken.cli.hosting import app as hosting_app
from xltoken.cli.inspecting import app as inspecting_app
from xltoken.cli.relinking import app as relinking_app
from xltoken.cli.scenarios import app as scenarios_app
from xltoken.cli.study import app as study_app

app = typer.Typer(
    name="xltoken",
    help="The token economics of AI inference: worksheet functions, template workbooks, and "
    "recalculation without Excel. Every command takes --json and --catalog DIR; exit codes: 0 "
    "done, 1 done with findings, 2 wrong usage, 3 a part is missing, 4 a file or figure cannot be "
    "used, 5 a defect.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(catalog_app, name="catalog")
app.add_typer(hosting_app, name="addin")
app.add_typer(study_app)
app.add_typer(batching_app)
app.add_typer(scenarios_app)
app.add_typer(inspecting_app)
app.add_typer(relinking_app)
app.add_typer(doctor_app)


def _version(wanted: bool) -> None:
    if wanted:
        import xltoken

        typer.echo(f"xltoken {xltoken.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@command(app, "demo")
def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to write the workbook.")
    ] = Path("demo/token_budget.xlsx"),
) -> Outcome:
    """Make a budget workbook, recalculate it, and print its answer.

    Example: xltoken demo -o budget.xlsx
    """
    from xltoken.recalc.workbook import recalculate
    from xltoken.templates import new, token_budget

    output.parent.mkdir(parents=True, exist_ok=True)
    with progress("making and recalculating the budget"):
        new("token_budget", output)
        report = recalculate(output)
        answer = token_budget.answer(output)
    data = {"workbook": str(output.resolve()), "summary": report.summary, **answer}

    def show() -> None:
        echo = console().print
        echo(f"Workbook: {output.resolve()}")
        counts = report.summary
        echo(
            f"Recalculated without Excel: {counts['formulas']} formulas, {counts['changed']} "
            f"changed, {counts['refused']} refused; all checks in the workbook: {answer['checks']}"
        )
        echo()
        table(
            ("Five years of tokens", "USD"),
            [
                ("Cost, unit costs declining", f"{answer['cost_declining']:,.0f}"),
                ("Cost, flat line", f"{answer['cost_flat']:,.0f}"),
                ("Net present value, declining", f"{answer['npv_declining']:,.0f}"),
                ("Net present value, flat", f"{answer['npv_flat']:,.0f}"),
                ("NPV difference: worth of the decline", f"{answer['npv_difference']:,.0f}"),
            ],
            right="1",
        )
        echo()
        echo("What it rests on")
        for row in answer["evidence"]:
            echo(
                f"  {row['workload']} on {row['platform']}, {row['month']}: {row['grade']}, "
                f"{row['basis']}, evidence of {row['date']}, {row['rows']:.0f} rows"
            )
            echo(f"    {row['citation']}")
            if row["warnings"] != "none":
                echo(f"    warning: {row['warnings']}")

    return Outcome(data, show)


@command(app, "new")
def new_workbook(
    template: Annotated[str, typer.Argument(help="Name of a template: token_budget, self_test.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Where to write; default: TEMPLATE.xlsx.", show_default=False
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            help="Who is to compute it: excel (.xlsm with the functions inside, or .xlsx for the "
            "add-in), lite (xlwings Lite), libreoffice.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a workbook that was changed.")
    ] = False,
) -> Outcome:
    """Make a workbook from a template, every formula with its value.

    Example: xltoken new token_budget -o budget.xlsx
    """
    from xltoken.templates import HOSTS, TEMPLATES, new

    if template not in TEMPLATES:
        raise typer.BadParameter(
            f"there is no template {template!r}; there are: {', '.join(TEMPLATES)}.",
            param_hint="TEMPLATE",
        )
    if host is not None and host not in HOSTS:
        raise typer.BadParameter(
            f"there is no host {host!r}; there are: {', '.join(HOSTS)}.", param_hint="--host"
        )
    target = output or Path(f"{template}{'.xlsm' if host == 'excel' else '.xlsx'}")
    with progress(f"making {target}"):
        report = new(template, target, replace=force, host=host)
    data = {"file": str(target), "template": template, "formulas": report.summary["formulas"]}
    data["warnings"] = report.notebook.warnings

    def show() -> None:
        console().print(
            f"{target}: {report.summary['formulas']} formulas, every one with its value."
        )

    return Outcome(data, show, notes=[f"warning: {w}" for w in report.notebook.warnings])


@command(app, "recalc")
def recalc(
    files: BooksArgument,
    output: InPlaceOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="CELL=VALUE",
            help="Change an input first: Sheet!B4=0.4 or a defined name; repeatable.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Write nothing if a cell is refused or becomes an error."),
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="What computes everything but our own functions: formualizer, libreoffice, excel.",
        ),
    ] = "formualizer",
    verify: Annotated[
        str | None,
        typer.Option(
            "--verify",
            help="Ask a second engine about every value: libreoffice or excel.",
            show_default=False,
        ),
    ] = None,
) -> Outcome:
    """Recalculate workbooks without Excel; all but changed values stays byte for byte.

    Example: xltoken recalc budget.xlsx -o lower.xlsx --set utilization=0.4
    """
    from xltoken.files import FileError
    from xltoken.recalc.engine import NAME
    from xltoken.recalc.engines import NAMES
    from xltoken.recalc.workbook import recalculate

    for option, name, known in (
        ("--engine", engine, (NAME, *NAMES)),
        ("--verify", verify, (None, *NAMES)),
    ):
        if name not in known:
            listed = ", ".join(filter(None, known))
            raise typer.BadParameter(
                f"there is no engine {name!r}; there are: {listed}.", param_hint=option
            )
    if output is not None and len(files) > 1:
        raise typer.BadParameter("-o takes one workbook; without it each is recalculated in place.")
    reports, failures = [], []
    for path in files:
        try:
            with progress(f"recalculating {path}"):
                reports.append(
                    recalculate(
                        path,
                        output,
                        settings or [],
                        strict=strict,
                        engine=engine,
                        verify=verify,
                        told=lambda text: echo_error(f"warning: {text}"),
                    )
                )
        except FileError as error:
            if len(files) == 1:
                raise
            failures.append({"file": str(path), "error": str(error)})
    code = UNUSABLE if failures else FINDINGS if any(r.findings for r in reports) else DONE
    data = {"files": [report.as_dict() for report in reports] + failures}

    def show() -> None:
        table(
            ("File", "formulas", "right", "disputed", "unsupported", "unjudged", "changed",
             "refused", "written to"),
            [
                (r.file, *(r.summary[k] for k in ("formulas", "right", "disputed", "unsupported",
                 "unjudged", "changed", "refused")), r.output or "not written")
                for r in reports
            ],
            right="1234567",
        )  # fmt: skip
        told = [c for r in reports for c in (*r.differing, *r.told)]
        for cell in told[:20]:
            console().print(f"{cell.status}: {cell.sheet}!{cell.cell} {_account(cell)}")
        if len(told) > 20:
            console().print(f"... and {len(told) - 20} more: --json lists them all.")

    notes = [f"xltoken: {failure['error']}" for failure in failures]
    notes += [
        f"{r.file}: {r.opinion.engine} agrees on "
        f"{r.opinion.compared - len(r.opinion.differing)} of {r.opinion.compared} values; "
        f"{r.opinion.unknown} it cannot compute"
        for r in reports
        if r.opinion
    ]
    notes += [message for r in reports for message in r.notebook.messages]
    notes += [f"warning: {w}" for r in reports for w in r.notebook.warnings]
    return Outcome(data, show, code, notes)


def _account(cell: Any) -> str:
    """What happened to a cell, for people."""
    saved = shown(cell.saved)
    if cell.status == "error":
        return f"{cell.function} became {cell.computed}, was {saved}"
    if cell.status == "differs":
        return f"is {saved}; the second engine says {shown(cell.computed)}"
    if cell.status == "disputed":
        return f"{cell.function} keeps {saved}; the engine says {shown(cell.computed)}"
    return f"{cell.function} keeps {saved or 'no value'}"


@command(app, "eval")
def evaluate(
    formula: Annotated[str, typer.Argument(help="A formula as it stands in a cell.")],
) -> Outcome:
    """Compute one formula without a workbook.

    Example: xltoken eval '=TOKEN_COST("B200", 0, "gpt-oss-120b/batch")'
    """
    from xltoken.recalc.sheetxml import ErrorText
    from xltoken.recalc.workbook import evaluate as compute

    rows, notebook = compute(formula)
    single = len(rows) == 1 and len(rows[0]) == 1
    value: Any = rows[0][0] if single else rows
    data: dict[str, Any] = {"value": value, "warnings": notebook.warnings}
    if notebook.messages:
        data["message"] = " ".join(notebook.messages)
    failed = single and isinstance(value, ErrorText)

    def show() -> None:
        if single:
            console().print(shown(value))
            return
        _grid(rows)

    notes = [*notebook.messages, *(f"warning: {w}" for w in notebook.warnings)]
    return Outcome(data, show, FINDINGS if failed else DONE, notes)


def _grid(rows: list[list[Any]]) -> None:
    """Print a table result; a first row of texts alone is its header."""
    headed = len(rows) > 1 and all(isinstance(cell, str) for cell in rows[0])
    titles = [str(cell) for cell in rows[0]] if headed else [""] * len(rows[0])
    table(titles, rows[1:] if headed else rows)


@command(app, "functions")
def functions(
    name: Annotated[str | None, typer.Argument(help="A function; default: all.")] = None,
) -> Outcome:
    """Show the worksheet functions, or one with its arguments and a worked example.

    Example: xltoken functions TOKEN_COST
    """
    from xltoken.catalog.keys import normalize, not_known
    from xltoken.functions import FUNCTIONS
    from xltoken.functions.registry import described
    from xltoken.recalc.workbook import evaluate as compute

    if name is None:
        data = {"functions": [described(function) for function in FUNCTIONS.values()]}
        rows = [(f.family, f.signature, f.summary) for f in FUNCTIONS.values()]
        return Outcome(data, lambda: table(("Family", "Function", "What it gives"), rows))
    found = next((f for n, f in FUNCTIONS.items() if normalize(n) == normalize(name)), None)
    if found is None:
        raise Unusable(str(not_known("function", name, FUNCTIONS)))
    example, _ = compute(found.example_formula)
    value: Any = example if found.table else example[0][0]
    data = {**described(found), "example_value": value}

    def show() -> None:
        echo = console().print
        echo(found.signature)
        echo(found.summary)
        echo()
        table(
            ("Argument", "takes", "unit", "default", "meaning"),
            [
                (p["name"], p["kind"], p["unit"], p["default"], p["help"])
                for p in data["parameters"]
            ],
        )
        echo()
        echo(f"Result: {found.result}")
        echo(f"Formula: {found.formula}")
        if found.source:
            echo(f"Source: {found.source}")
        echo(f"Example: {found.example_formula}")
        if found.table:
            _grid(example)
        else:
            echo(f"  gives {shown(value)}")

    return Outcome(data, show)
