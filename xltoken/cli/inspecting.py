"""The commands that look into workbooks without changing them: diff, check."""

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from xltoken.cli.frame import (
    DONE,
    FINDINGS,
    UNUSABLE,
    BooksArgument,
    Outcome,
    command,
    console,
    progress,
    table,
)

if TYPE_CHECKING:
    from xltoken.audit import Audit, Finding
    from xltoken.recalc.diff import Difference
    from xltoken.recalc.diff_cells import CellChange

app = typer.Typer()

KINDS: Final = ("inputs", "formulas", "names", "sheets", "values")
_ROWS: Final = 20
"""Lines of one kind that people are shown."""
_OF_A_RULE: Final = 10
"""Findings of one rule that people are shown."""


# --- diff ----------------------------------------------------------------------------------------


@command(app, "diff", with_catalog=False)
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The earlier workbook.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The later workbook.")],
    tolerance: Annotated[
        float, typer.Option(min=0, help="Relative difference up to which numbers are the same.")
    ] = 1e-12,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="KIND",
            help="Only inputs, formulas, names, sheets or values; repeatable.",
            show_default=False,
        ),
    ] = None,
    watch: Annotated[
        list[str] | None,
        typer.Option(
            "--watch",
            metavar="CELL",
            help="Show a result of both: Sheet!B4 or a defined name; repeatable.",
            show_default=False,
        ),
    ] = None,
) -> Outcome:
    """Tell what changed between two workbooks: inputs, formulas, names, sheets and results.

    Both are compared as saved. Formats, charts, comments and macros are not compared; a note says
    where they differ. Exit code 1 if there are differences.

    Example: xltoken diff budget.xlsx lower.xlsx --watch Outputs!C5
    """
    from xltoken.recalc.diff import diff as compare
    from xltoken.recalc.diff import watched
    from xltoken.recalc.package import read
    from xltoken.recalc.settings import SettingError
    from xltoken.recalc.workbook import no_collection

    kinds = only or KINDS
    for kind in kinds:
        if kind not in KINDS:
            raise typer.BadParameter(f"{kind!r} is none of: {', '.join(KINDS)}.")
    with progress(f"comparing {before} and {after}"), no_collection():
        books = read(before), read(after)
        found = compare(*books, tolerance)
        try:
            headlines = [watched(*books, found, name) for name in watch or ()]
        except SettingError as error:
            raise typer.BadParameter(f"--watch {error}") from None
    told = {kind: getattr(found, kind) for kind in KINDS if kind in kinds}
    counts = {kind: len(changes) for kind, changes in told.items()}
    data: dict[str, Any] = {
        "before": str(before),
        "after": str(after),
        "summary": counts,
        "watched": [dataclasses.asdict(one) | _change(one.before, one.after) for one in headlines],
    }
    for kind, changes in told.items():
        data[kind] = [dataclasses.asdict(change) for change in changes]
    for kind in ("inputs", "values"):
        for change in data.get(kind, ()):
            change.update(_change(change["before"], change["after"]))
    data["unlike_everywhere"] = found.unlike_everywhere
    data["other_parts"] = found.other_parts
    differs = any(counts.values())

    def show() -> None:
        if headlines:
            _table(
                ("Watched", "before", "after", "change", "relative"),
                [(one.name, *_sides(one.before, one.after)) for one in headlines],
                right="1234",
            )
        if not differs:
            console().print("No differences." if kinds is KINDS else "No differences of that kind.")
            return
        _show_difference(found, told)
        console().print(
            "In all: "
            + ", ".join(f"{count} {_named(kind, count)}" for kind, count in counts.items())
        )

    notes = [
        f"Most cells of {sheet} differ: rows or columns may have been put in; it is compared cell "
        "by cell."
        for sheet in found.unlike_everywhere
    ]
    if found.other_parts:
        notes.append(f"Not compared, and not the same: {_several(found.other_parts)}.")
    return Outcome(data, show, FINDINGS if differs else DONE, notes)


def _show_difference(found: "Difference", told: dict[str, list[Any]]) -> None:
    if told.get("inputs"):
        rows = [_cell_row(change) for change in found.inputs]
        _table(("Input", "what it is", "before", "after", "change", "relative"), rows, "2345")
    if told.get("formulas"):
        _table(
            ("Formula", "what happened", "before", "after", "results changed"),
            [
                (_at(c.sheet, c.area), c.what, c.before, c.after, f"{c.results} of {c.cells}")
                for c in found.formulas
            ],
            "4",
        )
    if told.get("names"):
        rows = [(c.name, c.what, c.before, c.after) for c in found.names]
        _table(("Name", "what happened", "before", "after"), rows)
    if told.get("sheets"):
        rows = [(c.sheet or "workbook", c.what, c.detail) for c in found.sheets]
        _table(("Sheet", "what happened", ""), rows)
    if told.get("values"):
        largest = sorted(found.values, key=_size, reverse=True)
        title = "Result" if len(largest) <= _ROWS else "Result (largest changes first)"
        titles = (title, "what it is", "before", "after", "change", "relative")
        _table(titles, [_cell_row(change) for change in largest], "2345")


def _cell_row(change: "CellChange") -> tuple[Any, ...]:
    label = change.label if len(change.label) <= 40 else f"{change.label[:39]}…"
    return _at(change.sheet, change.cell), label, *_sides(change.before, change.after)


def _sides(before: Any, after: Any) -> tuple[Any, ...]:
    change = _change(before, after)
    relative = change.get("relative")
    share = f"{relative:+.2%}" if relative is not None else ""
    return before, after, change.get("absolute"), share


def _change(before: Any, after: Any) -> dict[str, float | None]:
    """How far a number moved; nothing to tell unless both sides are numbers."""
    if not (isinstance(before, float) and isinstance(after, float)):
        return {"absolute": None, "relative": None}
    moved = after - before
    relative = moved / abs(before) if before else math.inf
    return {
        "absolute": moved if math.isfinite(moved) else None,
        "relative": relative if math.isfinite(relative) else None,
    }


def _size(change: "CellChange") -> tuple[float, float]:
    """Rank among the results: what is no number on both sides comes first."""
    how_far = _change(change.before, change.after)
    if how_far["absolute"] is None or how_far["relative"] is None:
        return float("inf"), 0.0
    return round(abs(how_far["relative"]), 9), abs(how_far["absolute"])


# --- check ---------------------------------------------------------------------------------------


@command(app, "check")
def check(
    files: BooksArgument,
) -> Outcome:
    """Check modelling rules: errors, stale values, formulas unlike their neighbours, links.

    Nothing is written. Exit code 1 if there is an error or a warning, 0 with notes alone.

    Example: xltoken check budget.xlsx
    """
    from xltoken import audit
    from xltoken.files import FileError
    from xltoken.recalc.package import read
    from xltoken.recalc.workbook import no_collection

    audits: list[tuple[Path, Audit]] = []
    failures: list[dict[str, str]] = []
    for path in files:
        try:
            with progress(f"checking {path}"), no_collection():
                audits.append((path, audit.check(read(path))))
        except FileError as error:
            if len(files) == 1:
                raise
            failures.append({"file": str(path), "error": str(error)})
    listed: list[dict[str, Any]] = [
        {
            "file": str(path),
            "summary": one.summary,
            "findings": [dataclasses.asdict(finding) for finding in one.findings],
        }
        for path, one in audits
    ]
    found = any(one.summary["errors"] or one.summary["warnings"] for _, one in audits)

    def show() -> None:
        for number, (path, one) in enumerate(audits):
            if number:
                console().print()
            _show_audit(path, one)

    code = UNUSABLE if failures else FINDINGS if found else DONE
    notes = [f"xltoken: {failure['error']}" for failure in failures]
    return Outcome({"files": [*listed, *failures]}, show, code, notes)


def _show_audit(path: Path, audit: "Audit") -> None:
    counts = [(count, kind) for kind, count in audit.summary.items()]
    told = ", ".join(f"{count} {kind if count != 1 else kind[:-1]}" for count, kind in counts)
    console().print(f"{path}: {told}")
    if not audit.findings:
        return
    console().print()
    rows, left = [], 0
    by_rule: dict[str, list[Finding]] = {}
    for finding in audit.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    for findings in by_rule.values():
        rows += [
            (f.severity, f.rule, _at(f.sheet, f.cells), f.count or "", f.what)
            for f in findings[:_OF_A_RULE]
        ]
        more = len(findings) - _OF_A_RULE
        if more > 0:
            rows.append((findings[0].severity, findings[0].rule, f"... and {more} more", "", ""))
            left += more
    table(("", "Rule", "where", "cells", "what"), rows, right="3")
    console().print()
    table(("Rule", "what to do"), [(rule, found[0].advice) for rule, found in by_rule.items()])
    if left:
        console().print("--json lists every finding.")


# --- what both share -----------------------------------------------------------------------------


def _table(titles: Iterable[str], rows: list[tuple[Any, ...]], right: str = "") -> None:
    table(list(titles), rows[:_ROWS], right=right)
    if len(rows) > _ROWS:
        console().print(f"... and {len(rows) - _ROWS} more: --json lists them all.")
    console().print()


def _at(sheet: str, area: str) -> str:
    return f"{sheet}!{area}" if area else sheet


def _named(kind: str, count: int) -> str:
    word = "results" if kind == "values" else kind
    return word.removesuffix("s") if count == 1 else word


def _several(names: list[str]) -> str:
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more} more" if more > 0 else "")
