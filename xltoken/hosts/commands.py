"""What the ribbon's buttons ask of Python: commands, help on a function, what computes.

Every answer is a column of texts with two rows or more: xlwings hands VBA a table whatever its
length. Nothing here raises: what went wrong is told in the answer.
"""

import os
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import xlwings as xw

from xltoken.functions import FUNCTIONS
from xltoken.functions.cells import CellError

MODULE: Final = __name__
"""Name under which the macros ask for this module."""
TIME_LIMIT: Final = 300.0
"""Seconds that a command may take: Excel stands still as long."""
TIMED_OUT: Final = 124
"""Exit code told for a command that was stopped; that of the Unix command timeout."""
NOT_STARTED: Final = 3
"""Exit code told where Python cannot be started: a part is missing."""
_WIDTH: Final = "160"
_CELL: Final = 32_767
"""Characters that a cell of Excel holds."""


@xw.func
@xw.arg("*arguments", doc="The command and its arguments, as on the command line.")
def run(*arguments: Any) -> list[list[Any]]:
    """Run a command of ours, ``run("check", "budget.xlsx")``.

    Parameters
    ----------
    *arguments
        Its words as VBA passes them: numbers come as floats; what is blank is left out.

    Returns
    -------
    list of rows
        The exit code, then what it printed, a line a row: first stdout, then stderr.
    """
    return _column(*_ran([_word(argument) for argument in arguments if argument is not None]))


@xw.func
def reference(formula: Any = None) -> list[list[Any]]:
    """Show the reference of the first function of ours in a formula, or else the list of all.

    Parameters
    ----------
    formula : str, optional
        Formula of a cell, in any of the spellings in which Excel keeps our names.

    Returns
    -------
    list of rows
        As of :func:`run`.
    """
    name = _called(str(formula or ""))
    return _column(*_ran(["functions", name] if name else ["functions"]))


@xw.func
def about() -> list[list[Any]]:
    """Tell what computes: versions, catalog, fingerprint, Python, licence of the bridge.

    Returns
    -------
    list of rows
        A line a row.
    """
    version, catalog, fingerprint, overlay = (
        FUNCTIONS["XLTOKEN_INFO"](field)
        for field in ("version", "catalog", "fingerprint", "overlay")
    )
    bridge = metadata.metadata("xlwings")
    evidence = [f"Catalog of {catalog}, fingerprint {fingerprint}"]
    if isinstance(catalog, CellError):
        evidence = [f"Catalog: {catalog.message}"]
    elif overlay:
        evidence.append(f"Laid over it: {overlay}")
    lines = [
        f"xltoken {version}",
        *evidence,
        f"Python {sys.version.split()[0]}: {_python()}",
        f"xlwings {bridge['Version']}, licence {bridge['License']}, Zoomer Analytics GmbH",
    ]
    return [[line] for line in lines]


def _ran(words: list[str]) -> tuple[int, list[str]]:
    """Run a command; give its exit code and its lines."""
    # -P: a workbook's folder may hold files that are named like modules.
    command = [_python(), "-P", "-m", "xltoken", *words]
    environment = os.environ | {
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
        "COLUMNS": _WIDTH,
    }
    # Files, not pipes: what a stopped command has started may keep a pipe open for ever.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = subprocess.run(  # noqa: S603 - our own command line, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment,
                timeout=TIME_LIMIT,
                check=False,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            ).returncode
        except subprocess.TimeoutExpired:
            line = (
                f"xltoken: stopped after {TIME_LIMIT:.0f} seconds; in a terminal there is no "
                f"limit: xltoken {subprocess.list2cmdline(words)}"
            )
            return TIMED_OUT, [*_lines(out), *_lines(err), line]
        except (OSError, ValueError) as error:
            return NOT_STARTED, [f"xltoken: Python cannot be started: {error}"]
        return code, [*_lines(out), *_lines(err)]


def _python() -> str:
    """Interpreter for commands: xlwings runs pythonw.exe, which has no place to print to."""
    running = Path(sys.executable)
    if running.name.lower() != "pythonw.exe":
        return str(running)
    beside = running.with_name("python.exe")
    return str(beside if beside.exists() else running)


def _lines(file: Any) -> list[str]:
    file.seek(0)
    text = file.read().decode("utf-8", errors="replace")
    return [line.rstrip().expandtabs() for line in text.splitlines()]


def _column(code: int, lines: list[str]) -> list[list[Any]]:
    """Exit code and lines, a row each; a line that no cell holds goes on in the next."""
    parts = [line[i : i + _CELL] for line in lines for i in range(0, max(len(line), 1), _CELL)]
    return [[code], *([part] for part in parts or [""])]


def _word(argument: Any) -> str:
    """Write an argument as a person types it: VBA has no whole numbers left when it comes here."""
    if isinstance(argument, float) and argument.is_integer():
        return str(int(argument))
    return str(argument)


def _called(formula: str) -> str | None:
    """Name of the first function of ours that a formula calls; texts in it do not count."""
    bare = re.sub(r'"(?:[^"]|"")*"', '""', formula)
    for name in re.findall(r"(?:_xldudf_|_xll\.)?([A-Za-z_][A-Za-z0-9_.]*)\s*\(", bare):
        if name.upper() in FUNCTIONS:
            return str(name.upper())
    return None
