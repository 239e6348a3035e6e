"""What every command shares: ``--json``, ``--catalog``, exit codes, and errors in one line.

Heavy packages are imported where they are used, so that ``--help`` answers at once.
"""

import functools
import gc
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

DONE: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2
PART_MISSING: Final = 3
UNUSABLE: Final = 4
DEFECT: Final = 5
INTERRUPTED: Final = 130

EXTRAS: Final = {
    "genai_prices": '"xltoken[prices]"',
    "distributed": '"xltoken[cluster]"',
    "pyarrow": '"xltoken[parquet]"',
    "pyopenvba": '"xltoken[excel]"',
}
"""Packages that an extra of ours brings."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
CatalogOption = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="DIR",
        help="Folder of CSV files laid over the shipped catalog.",
        show_default=False,
    ),
]

BooksArgument = Annotated[list[Path], typer.Argument(help="Workbooks, .xlsx or .xlsm.")]
InPlaceOption = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help="Where to write (one workbook); default: in place.",
        show_default=False,
    ),
]

# The base class of click's exceptions, wherever this version of typer keeps it.
_ClickException: Final[Any] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)


@dataclass(slots=True)
class Outcome:
    """What a command found: plain data for ``--json``, a printer for people, the exit code."""

    data: dict[str, Any] | list[Any]
    show: Callable[[], None]
    code: int = DONE
    notes: list[str] = field(default_factory=list)


class Unusable(Exception):  # noqa: N818 - the word of the exit code
    """A file or figure that cannot be used; the message says what to do."""


def command(
    app: typer.Typer, name: str, *, with_catalog: bool = True
) -> Callable[[Callable[..., Outcome]], None]:
    """Add a command to `app`; the function returns an Outcome, printing is done here.

    `with_catalog` reads the catalog first, so that one that cannot be used stops the command
    before any cell or file is touched.
    """

    def add(function: Callable[..., Outcome]) -> None:
        @functools.wraps(function)
        def run(*arguments: Any, json: bool, catalog: Path | None, **options: Any) -> None:
            if catalog is not None:
                os.environ["XLTOKEN_CATALOG"] = str(catalog)
            if with_catalog:
                from xltoken.catalog.store import current

                current()
            _finish(function(*arguments, **options), as_json=json)

        signature = inspect.signature(function)
        shared = [
            inspect.Parameter(
                "json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption
            ),
            inspect.Parameter(
                "catalog", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=CatalogOption
            ),
        ]
        parameters = [*signature.parameters.values(), *shared]
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=parameters, return_annotation=None
        )
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name)(run)

    return add


def main(app: typer.Typer) -> NoReturn:
    """Run `app`; every failure ends in one line, or one JSON object, and an exit code."""
    # A pipe or an old console may not speak UTF-8; what it cannot show must not stop the command.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # A command lives shortly and makes hundreds of thousands of cells: nothing is worth collecting.
    gc.disable()
    try:
        code = app(standalone_mode=False)
    except BrokenPipeError:
        # The reader of our output went away: that is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except _ClickException as error:
        hint = "" if "--help" in error.format_message() else _help_hint(error)
        _fail(error.format_message() + hint, USAGE)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        _fail(*_explained(error))
    if code == INTERRUPTED:  # some versions of typer return it, others raise
        _fail("interrupted; nothing was left half done.", INTERRUPTED)
    sys.exit(code if isinstance(code, int) else DONE)


def table(titles: Sequence[str], rows: Iterable[Sequence[Any]], right: str = "") -> None:
    """Print a table for people; columns whose number stands in `right` are right-aligned."""
    from rich.table import Table

    made = Table(*[], box=None, header_style="bold", pad_edge=False)
    for number, title in enumerate(titles):
        made.add_column(title, justify="right" if str(number) in right else "left")
    for row in rows:
        made.add_row(*[shown(cell) for cell in row])
    console().print(made)


def console() -> Any:
    """Console of stdout; NO_COLOR and the width of the terminal are respected."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 160
    return Console(highlight=False, markup=False, width=wide, soft_wrap=not sys.stdout.isatty())


def echo_error(text: str) -> None:
    """Print a line on stderr at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show that work goes on, on a terminal only."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


def shown(value: Any) -> str:
    """Value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.6g}"
    return str(value)


def _finish(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(outcome.data, indent=2, default=str, allow_nan=False) + "\n")
    else:
        outcome.show()
        for note in outcome.notes:
            sys.stderr.write(f"{note}\n")
    sys.stdout.flush()
    if outcome.code:
        raise typer.Exit(outcome.code)


def _explained(error: Exception) -> tuple[str, int]:
    """Message and exit code of a failure."""
    from xltoken.catalog.keys import NotKnown
    from xltoken.catalog.store import CatalogError

    if isinstance(error, ImportError) and error.name and not error.name.startswith("xltoken"):
        package = error.name.partition(".")[0]
        install = EXTRAS.get(package, package)
        return f"the package {package} is missing; install it: pip install {install}", PART_MISSING
    if isinstance(error, ImportError) and not error.name:
        what = f"a package is installed and cannot be loaded ({error})"
        return f"{what}; xltoken doctor says which and what to do.", PART_MISSING
    if isinstance(error, CatalogError):
        listed = "".join(f"\n  {problem}" for problem in error.problems[1:20])
        return f"the catalog cannot be used: {error.problems[0]}{listed}", UNUSABLE
    if isinstance(error, NotKnown | Unusable):
        return str(error), UNUSABLE
    if "xltoken.files" in sys.modules:
        from xltoken.files import FileError

        if isinstance(error, FileError):
            return str(error), UNUSABLE
    if "xltoken.machine" in sys.modules:
        from xltoken.machine import PartMissing

        if isinstance(error, PartMissing):
            return str(error), PART_MISSING
    if "xltoken.recalc.workbook" in sys.modules:
        from xltoken.recalc.engine import FormulaError
        from xltoken.recalc.settings import SettingError

        if isinstance(error, FormulaError | SettingError):
            return str(error), USAGE
    if os.environ.get("XLTOKEN_TRACEBACK"):
        traceback.print_exc()
    what = f"a defect of xltoken: {type(error).__name__}: {error}."
    return f"{what} Please report it; XLTOKEN_TRACEBACK=1 shows where.", DEFECT


def _help_hint(error: Any) -> str:
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else "xltoken"
    return f" See: {path} --help"


def _fail(message: str, code: int) -> NoReturn:
    if "--json" in sys.argv[1:]:
        failure = {"error": {"message": message, "exit_code": code}}
        sys.stdout.write(json.dumps(failure, indent=2) + "\n")
    sys.stderr.write(f"xltoken: {message}\n")
    sys.exit(code)
