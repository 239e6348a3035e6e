"""The commands of Excel's add-in: addin build, install, uninstall, status."""

from pathlib import Path
from typing import Annotated, Any

import typer

from xltoken.cli.frame import FINDINGS, Outcome, command, console, progress, table

app = typer.Typer(
    help="The Excel add-in: =TOKEN_COST( and all others in any workbook, on Windows.",
    no_args_is_help=True,
)


@command(app, "build", with_catalog=False)
def build(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where to write; ends in .xlam.")
    ] = Path("xltoken.xlam"),
) -> Outcome:
    """Write the add-in as a file, on any system; the same versions give the same bytes.

    Example: xltoken addin build -o xltoken.xlam
    """
    from xltoken.hosts import addin

    with progress(f"making {output}"):
        written = addin.build(output, _templates())
    data = {"files": [{"file": str(path), "bytes": path.stat().st_size} for path in written]}

    def show() -> None:
        for path in written:
            console().print(f"{path}: {path.stat().st_size:,} bytes")

    return Outcome(data, show)


@command(app, "install", with_catalog=False)
def install() -> Outcome:
    """Install the add-in for this user of Windows; safe to repeat.

    Example: xltoken addin install
    """
    from xltoken.hosts import addin

    place = addin.profile()
    with progress("installing the add-in"):
        parts = addin.install(place, _templates())
    done = "Start Excel anew; the ribbon then has a tab xltoken. Type =TOKEN_COST( in a cell."
    return _parts(parts, done)


@command(app, "uninstall", with_catalog=False)
def uninstall() -> Outcome:
    """Take the add-in away again, with all that was put there; safe to repeat.

    Example: xltoken addin uninstall
    """
    from xltoken.hosts import addin

    removed = addin.uninstall(addin.profile())

    def show() -> None:
        for path in removed:
            console().print(f"removed: {path}")
        if not removed:
            console().print("There was nothing to remove.")

    return Outcome({"removed": [str(path) for path in removed]}, show)


@command(app, "status", with_catalog=False)
def status() -> Outcome:
    """Say whether the add-in is installed and fits this xltoken, xlwings and Python.

    Example: xltoken addin status
    """
    from xltoken.hosts import addin

    return _parts(addin.status(addin.profile()), "The add-in is installed.")


def _parts(parts: list[Any], done: str) -> Outcome:
    whole = all(part.state == "ok" for part in parts)

    def show() -> None:
        rows = [(p.part, p.state, p.found, p.next_step) for p in parts]
        table(("Part", "state", "found", "next step"), rows)
        if whole:
            console().print(done)

    return Outcome({"parts": [p.as_dict() for p in parts]}, show, 0 if whole else FINDINGS)


def _templates() -> dict[str, str]:
    """Templates that the ribbon offers."""
    from xltoken.templates import TEMPLATES

    return {template.name: template.summary for template in TEMPLATES.values()}
