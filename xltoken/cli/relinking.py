"""The command relink: our functions spelled for another host."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from xltoken.cli.frame import (
    DONE,
    FINDINGS,
    UNUSABLE,
    BooksArgument,
    InPlaceOption,
    Outcome,
    command,
    console,
    progress,
    table,
)

if TYPE_CHECKING:
    from xltoken.recalc.relink import Place, Relinked

app = typer.Typer()

_ADD_IN: Final = "xltoken.xlam"
_ROWS: Final = 20
"""Lines that people are shown of one workbook."""
_SHOWN: Final = 4
"""Places that a line names."""


@command(app, "relink", with_catalog=False)
def relink(
    files: BooksArgument,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            help="What shall compute the functions: excel (an .xlsm carries them itself, an .xlsx "
            "finds them in the installed add-in), addin (an add-in that the file links to), lite "
            "(xlwings Lite or Server), xll (an XLL), libreoffice.",
            show_default=False,
        ),
    ],
    output: InPlaceOption = None,
    namespace: Annotated[
        str,
        typer.Option(
            metavar="NS",
            help="With --host lite: the namespace of the functions.",
            show_default=False,
        ),
    ] = "",
    addin: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="With --host addin: the add-in's file; a name without a folder means Excel's "
            f"startup folder. Default: {_ADD_IN}.",
            show_default=False,
        ),
    ] = None,
) -> Outcome:
    """Rewrite formulas for another host: every call of our functions as that host spells it.

    Cells, names, conditional formats, validations and table columns; links to an add-in that
    nothing uses any more are dropped. Values and all else stay. Exit code 1 if something is left
    to do.

    Example: xltoken relink budget.xlsx --host lite -o lite.xlsx
    """
    from xltoken.files import FileError
    from xltoken.recalc.relink import relink as rewrite
    from xltoken.recalc.spelling import Spelling, SpellingError

    try:
        Spelling(host, namespace)
    except SpellingError as error:
        raise typer.BadParameter(str(error)) from None
    if addin is not None and host != "addin":
        raise typer.BadParameter("--addin goes with --host addin.")
    if addin is not None and not addin.lower().endswith(".xlam"):
        raise typer.BadParameter(f"{addin!r} is no add-in: its name ends in .xlam.")
    if output is not None and len(files) > 1:
        raise typer.BadParameter("-o takes one workbook; without it each is rewritten in place.")
    done: list[Relinked] = []
    failures: list[dict[str, str]] = []
    for path in files:
        try:
            with progress(f"rewriting {path}"):
                done.append(
                    rewrite(
                        path,
                        output,
                        host=host,
                        namespace=namespace,
                        addin=addin or _ADD_IN,
                        carry=_carry,
                    )
                )
        except FileError as error:
            if len(files) == 1:
                raise
            failures.append({"file": str(path), "error": str(error)})

    def show() -> None:
        table(
            ("File", "our calls", "respelled", "formulas", "links dropped", "written to"),
            [
                (one.file, one.calls, one.respelled, len(one.places), len(one.dropped), _fate(one))
                for one in done
            ],
            right="1234",
        )
        for one in done:
            _show(one, alone=len(done) == 1)

    notes = [f"xltoken: {failure['error']}" for failure in failures]
    notes += [f"warning: {one.file}: {note}" for one in done for note in one.notes]
    code = UNUSABLE if failures else FINDINGS if any(one.notes for one in done) else DONE
    return Outcome({"files": [one.as_dict() for one in done] + failures}, show, code, notes)


def _carry(workbook: bytes) -> bytes:
    from xltoken.hosts.project import with_wrapper

    return with_wrapper(workbook)


def _fate(one: "Relinked") -> str:
    if one.changed:
        return str(one.output)
    return f"{one.output}: the same bytes" if one.output else "nothing to do"


def _show(one: "Relinked", *, alone: bool) -> None:
    groups: dict[tuple[str, str], list[Place]] = {}
    for place in one.places:
        groups.setdefault((place.kind, place.sheet), []).append(place)
    rows = [
        (kind, sheet, len(places), sum(place.calls for place in places), _named(places))
        for (kind, sheet), places in groups.items()
    ]
    if rows:
        console().print()
        titles = ("Respelled" if alone else str(one.file), "sheet", "formulas", "calls", "where")
        table(titles, rows[:_ROWS], right="23")
        if len(rows) > _ROWS:
            console().print(f"... and {len(rows) - _ROWS} more: --json lists them all.")
    if one.carried:
        console().print(f"{one.file}: the functions are inside")
    if one.linked:
        console().print(f"{one.file}: linked to {one.linked}")
    for target in one.dropped:
        console().print(f"{one.file}: the link to {target} is dropped; nothing uses it any more")


def _named(places: "list[Place]") -> str:
    more = len(places) - _SHOWN
    listed = ", ".join(place.where for place in places[:_SHOWN])
    return f"{listed} and {more} more" if more > 0 else listed
