"""Recalculate a workbook: load, judge, set, evaluate, write.

The values that the file already holds are the judge. First its formulas are computed with the
inputs as saved: one that does not come out as saved is *disputed*, one that needs a function the
engine lacks is *unsupported*. Both keep their saved value as long as nothing they read changed;
where something did, they and what depends on them are refused and reported. A wrong number never
gets into a file unnoticed.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from xltoken.functions.cells import Notebook, listening
from xltoken.recalc import package as files
from xltoken.recalc import sheetxml
from xltoken.recalc.engine import NAME, Engine, check_syntax, lacks
from xltoken.recalc.formulas import (
    bare_name,
    function_names,
    is_volatile,
    own_calls,
    reaches_anywhere,
    reads_other_workbook,
    skipped_filled,
    wrong_in_engine,
)
from xltoken.recalc.package import Package, Place
from xltoken.recalc.settings import parse_setting
from xltoken.recalc.sheetxml import Cell, ErrorText, Value, address

TOLERANCE: Final = 1e-12
"""Relative difference up to which two numbers are the same saved value."""
Areas = list[tuple[str, int, int, int, int]]
"""Rectangles that a formula reads: sheet, first row and column, last row and column."""
_NO_VALUES: Final = {
    ErrorText("#CIRC!"): "circular reference",
    ErrorText("#SPILL!"): "a range where one value is due",
    ErrorText("#NAME?"): "a name that the engine does not know",
}
"""Errors of the engine that are no result of a calculation."""
_ROUNDS: Final = 8


@dataclass(frozen=True, slots=True)
class CellReport:
    """A cell worth telling: changed, drift, error, disputed, unsupported or refused."""

    sheet: str
    cell: str
    status: str
    function: str
    saved: Value
    computed: Value


@dataclass(slots=True)
class Report:
    """What a recalculation did to one file."""

    file: Path
    output: Path | None
    summary: dict[str, int]
    cells: list[CellReport]
    notebook: Notebook
    engine: str = NAME
    values: dict[Place, Value] = field(default_factory=dict, repr=False)

    @property
    def findings(self) -> list[CellReport]:
        """Cells whose saved value could not be kept up to date, or became an error."""
        return [cell for cell in self.cells if cell.status in ("refused", "error")]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "file": str(self.file),
            "output": str(self.output) if self.output else None,
            "engine": self.engine,
            "summary": self.summary,
            "cells": [
                {
                    "sheet": c.sheet,
                    "cell": c.cell,
                    "status": c.status,
                    "function": c.function,
                    "saved": c.saved,
                    "computed": c.computed,
                }
                for c in self.cells
            ],
            "warnings": self.notebook.warnings,
            "messages": self.notebook.messages,
        }


def recalculate(
    path: Path,
    output: Path | None = None,
    settings: Sequence[str] = (),
    *,
    strict: bool = False,
) -> Report:
    """Recalculate a workbook and write it.

    Parameters
    ----------
    path : Path
        The workbook; it stays as it is unless `output` is the same file or None.
    output : Path, optional
        Where to write; default: in place.
    settings : sequence of str
        ``CELL=VALUE``: inputs to change first, a cell as ``Sheet!B4`` or a defined name.
    strict : bool
        Write nothing when a cell had to be refused or became an error.

    Returns
    -------
    Report

    Raises
    ------
    FileError
        If a file cannot be read or written.
    SettingError
        If a setting names no input.
    """
    target = output or path
    package = files.read(path)
    chosen = [parse_setting(package, text) for text in settings]
    files.check_writable(target)
    parts, report = _recalculated(package, chosen)
    if strict and report.findings:
        return report
    if parts or target != path:
        files.write_atomically(target, files.with_parts(package.content, parts))
        report.output = target
    return report


def computed(content: bytes, path: Path) -> tuple[bytes, Report]:
    """Recalculate a workbook in memory; `path` is what messages call it."""
    package = files.parsed(path, content)
    parts, report = _recalculated(package, [])
    return files.with_parts(content, parts), report


def _recalculated(
    package: Package, chosen: Sequence[tuple[Place, Value]]
) -> tuple[dict[str, bytes], Report]:
    book = _Judged(package)
    with listening() as notebook:
        report = book.recalculate(chosen)
    report.notebook = notebook
    parts = {
        sheet.part: sheetxml.patched(sheet, values)
        for sheet in package.sheets.values()
        if (values := book.patches.get(sheet.name))
    }
    return parts, report


class _Judged:
    """A package, its engine, and which of its formulas may be believed."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.patches: dict[str, dict[tuple[int, int], Value]] = {}
        self.formulas: dict[Place, Cell] = {
            (sheet.name, cell.row, cell.column): cell for sheet, cell in package.formulas()
        }
        # References of a shared formula's children are not moved here: only names are read off.
        self.texts = {place: cell.formula or "" for place, cell in self.formulas.items()}
        self.ours = {place for place, text in self.texts.items() if own_calls(text)}
        self.frozen: dict[Place, CellReport] = {}
        self.areas: dict[Place, Areas | None] = {}

    def recalculate(self, chosen: Sequence[tuple[Place, Value]]) -> Report:
        counts = self._judge()
        engine = Engine.of(self.package, self.frozen)
        engine.evaluate()
        spilling = self._spilling(engine)
        if spilling:
            for place in spilling:
                self._freeze(place, "unsupported", "a range where one value is due", None)
            counts["unsupported"] += len(spilling)
            engine = Engine.of(self.package, self.frozen)
            engine.evaluate()
        before = self._values(engine)
        changed = [(p, value) for p, value in chosen if not same(value, self._saved(p))]
        for place, value in changed:
            engine.set(*place, value)
            self.patches.setdefault(place[0], {})[place[1:]] = value
        after = before
        if changed:
            engine.evaluate()
            after = self._values(engine)
        moved = {p for p, value in after.items() if not same(value, self._saved(p))}
        refused = self._refused(moved | {place for place, _ in changed}, after)
        reports = [report for place, report in self.frozen.items() if place not in refused]
        reports += [self._report(place, "refused", after[place]) for place in sorted(refused)]
        drift = 0
        for place in sorted(moved - refused):
            drifted = (
                place in self.ours
                and self._saved(place) is not None
                and not same(before[place], self._saved(place))
            )
            drift += drifted
            status = "drift" if drifted and same(before[place], after[place]) else "changed"
            saved = self._saved(place)
            if isinstance(after[place], ErrorText) and not (
                saved is None or isinstance(saved, ErrorText)
            ):
                status = "error"
            reports.append(self._report(place, status, after[place]))
            self.patches.setdefault(place[0], {})[place[1:]] = after[place]
        counts.update(changed=len(moved - refused), drift=drift, refused=len(refused))
        values = {p: self._saved(p) if p in refused else value for p, value in after.items()}
        return Report(self.package.path, None, counts, reports, Notebook(), values=values)

    def _judge(self) -> dict[str, int]:
        """Find the formulas that the engine lacks, and those it computes unlike the saved value."""
        for place, cell in self.formulas.items():
            why = _unsupported(cell, self.texts[place])
            if why:
                self._freeze(place, "unsupported", why, None)
        held = self.ours | {place for place, text in self.texts.items() if is_volatile(text)}
        computed = self._as_saved(held)
        unlike = self._unlike(computed, held)
        self._dispute(unlike, computed, held)
        statuses = [report.status for report in self.frozen.values()]
        disputed = statuses.count("disputed")
        unjudged = sum(
            self._saved(place) is None for place in self.formulas if place not in self.frozen
        )
        judged = [p for p in self.formulas if p not in held and self._saved(p) is not None]
        right = sum(place not in self.frozen for place in judged)
        return {
            "formulas": len(self.formulas),
            "judged": right + disputed,
            "right": right,
            "disputed": disputed,
            "unsupported": statuses.count("unsupported"),
            "unjudged": unjudged,
        }

    def _dispute(self, unlike: set[Place], computed: dict[Place, Value], held: set[Place]) -> None:
        """Freeze what differs by itself; a cell that only reads such a one may yet be right.

        Round by round: of the cells that differ, those that read no other are frozen, and the
        rest is computed again from their saved values.
        """
        for _ in range(_ROUNDS):
            if not unlike:
                return
            roots = {p for p in unlike if not _reads(self._precedents(p), unlike - {p})} or unlike
            computed, unlike = self._freeze_all(roots, computed, held)
        while unlike:  # never end with a cell that differs while its inputs are as saved
            computed, unlike = self._freeze_all(unlike, computed, held)

    def _freeze_all(
        self, places: set[Place], computed: dict[Place, Value], held: set[Place]
    ) -> tuple[dict[Place, Value], set[Place]]:
        """Freeze cells and compute the rest again: its values, and what differs still."""
        for place in places:
            self._freeze_unlike(place, computed[place])
        computed = self._as_saved(held)
        return computed, self._unlike(computed, held)

    def _unlike(self, computed: dict[Place, Value], held: set[Place]) -> set[Place]:
        """Formulas whose value is not the saved one, or is none that Excel knows."""
        return {
            place
            for place, value in computed.items()
            if place not in held
            and place not in self.frozen
            and not same(value, self._saved(place))
            and (self._saved(place) is not None or value in _NO_VALUES)
        }

    def _freeze_unlike(self, place: Place, computed: Value) -> None:
        why = _NO_VALUES.get(computed, "") if isinstance(computed, ErrorText) else ""
        functions = ", ".join(bare_name(name) for name in function_names(self.texts[place]))
        status = "unsupported" if why else "disputed"
        self._freeze(place, status, why or functions, computed)

    def _freeze(self, place: Place, status: str, function: str, computed: Value) -> None:
        where = address(*place[1:])
        self.frozen[place] = CellReport(
            place[0], where, status, function, self._saved(place), computed
        )

    def _as_saved(self, held: set[Place]) -> dict[Place, Value]:
        """Values of a copy in which held and frozen cells are the constants that were saved."""
        known = {place for place in held if self._saved(place) is not None}
        copy = Engine.of(self.package, known | set(self.frozen))
        copy.evaluate()
        return self._values(copy)

    def _refused(self, moved: set[Place], after: dict[Place, Value]) -> set[Place]:
        """Cells that cannot be brought up to date, and every formula that reads those."""
        stale = {
            place
            for place, report in self.frozen.items()
            if report.saved is None or _reads(self._precedents(place), moved)
        }
        stale |= {
            place
            for place, value in after.items()
            if value in _NO_VALUES and not same(value, self._saved(place))
        }
        fresh = set(stale)
        while fresh:
            seen = fresh | {child for place in fresh for child in self._children(place)}
            fresh = {
                place
                for place in self.formulas
                if place not in stale and _reads(self._precedents(place), seen)
            }
            stale |= fresh
        return stale

    def _spilling(self, engine: Engine) -> list[Place]:
        """Plain formulas that the engine spreads over cells, where Excel takes one value.

        Asked of those that no saved value judges.
        """
        return [
            place
            for place, cell in self.formulas.items()
            if place not in self.frozen
            and (cell.value is None or place in self.ours)
            and cell.kind in ("", "shared")
            and engine.spills(*place)
        ]

    def _children(self, place: Place) -> list[Place]:
        """Cells over which an array formula spreads its values."""
        sheet, row, column = place
        first, last = sheetxml.corners(self.formulas[place].spill) or ((row, column), (row, column))
        return [
            (sheet, r, c)
            for r in range(first[0], last[0] + 1)
            for c in range(first[1], last[1] + 1)
            if (r, c) != (row, column)
        ]

    @functools.cached_property
    def _tracer(self) -> Engine:
        """Book with every formula in place, to ask what a formula reads."""
        return Engine.of(self.package)

    def _precedents(self, place: Place) -> Areas | None:
        if place not in self.areas:
            known = not reaches_anywhere(self.texts[place])
            where = address(*place[1:])
            self.areas[place] = self._tracer.precedents(place[0], where) if known else None
        return self.areas[place]

    def _report(self, place: Place, status: str, computed: Value) -> CellReport:
        frozen = self.frozen.get(place)
        if frozen is not None:
            function = frozen.function
        else:
            function = ", ".join(dict.fromkeys(n for _, n in own_calls(self.texts[place])))
        where = address(*place[1:])
        return CellReport(place[0], where, status, function, self._saved(place), computed)

    def _saved(self, place: Place) -> Value:
        cell = self.package.cell(*place)
        return cell.value if cell else None

    def _values(self, engine: Engine) -> dict[Place, Value]:
        found: dict[Place, Value] = {}
        for name, sheet in self.package.sheets.items():
            places = [key for key, cell in sheet.cells.items() if cell.formula is not None]
            for (row, column), value in engine.values(name, places).items():
                # A formula that reads a blank cell shows 0.
                found[name, row, column] = 0.0 if value is None else value
        return {place: found[place] for place in self.formulas}


def _unsupported(cell: Cell, text: str) -> str:
    """Why a formula is beyond the engine, told from its text; empty where it is not."""
    missing = lacks(function_names(text)) or wrong_in_engine(text)
    if missing:
        return ", ".join(missing)
    if reads_other_workbook(text):
        return "another workbook"
    if cell.kind == "dataTable":
        return "data table"
    box = sheetxml.corners(cell.spill)
    if box is not None and box[0] != box[1]:
        return f"array over {cell.spill}"
    return ""


def same(computed: Value, saved: Value) -> bool:
    """Whether a computed value is the saved one: numbers within 1e-12, all else exactly."""
    if isinstance(computed, bool) or isinstance(saved, bool):
        return computed is saved
    if isinstance(computed, float) and isinstance(saved, float):
        return math.isclose(computed, saved, rel_tol=TOLERANCE, abs_tol=0.0)
    if isinstance(computed, ErrorText) != isinstance(saved, ErrorText):
        return False
    return computed == saved


def evaluate(formula: str) -> tuple[list[list[Value]], Notebook]:
    """Compute one formula without a workbook.

    Returns
    -------
    rows, notebook
        The value with everything it spills, and what the calls had to say.

    Raises
    ------
    FormulaError
        If it is no formula.
    """
    text = formula if formula.startswith("=") else f"={formula}"
    check_syntax(text)
    engine = Engine.empty(text)
    engine.set_formula("Sheet1", 1, 1, skipped_filled(text))
    with listening() as notebook:
        engine.evaluate()
    missing = lacks(function_names(text))
    if missing:
        known = ", ".join(bare_name(name) for name in missing)
        notebook.messages.append(f"the engine has no function {known}.")
    return engine.spill("Sheet1", 1, 1), notebook


def _reads(areas: Areas | None, moved: set[Place]) -> bool:
    if areas is None:
        return bool(moved)  # what it reads is not all known, so it may read what moved
    return any(
        sheet == name and top <= row <= bottom and left <= column <= right
        for name, row, column in moved
        for sheet, top, left, bottom, right in areas
    )
