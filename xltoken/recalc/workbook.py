"""Recalculate a workbook: load, judge, set, evaluate, write.

The values that the file already holds are the judge. First its formulas are computed with the
inputs as saved: one that does not come out as saved is *disputed*, one that needs a function the
engine lacks is *unsupported*. Both keep their saved value as long as nothing they read changed;
where something did, they and what depends on them are refused and reported. A wrong number never
gets into a file unnoticed.
"""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from xltoken.functions.cells import Notebook, listening, outgoing
from xltoken.recalc import package as files
from xltoken.recalc.engine import NAME, Engine, check_syntax, lacks
from xltoken.recalc.formulas import (
    bare_name,
    function_names,
    is_volatile,
    own_calls,
    skipped_filled,
)
from xltoken.recalc.package import Cell, ErrorText, Package, Value, address

TOLERANCE: Final = 1e-12
"""Relative difference up to which two numbers are the same saved value."""
Place = tuple[str, int, int]


class SettingError(ValueError):
    """A ``--set`` that names no input of the book, or gives it no usable value."""


@dataclass(frozen=True, slots=True)
class CellReport:
    """A cell worth telling: status is changed, drift, disputed, unsupported or refused."""

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
        """Cells whose saved value could not be kept up to date."""
        return [cell for cell in self.cells if cell.status == "refused"]

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
        Write nothing when a cell had to be refused.

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
    chosen = [_setting(package, text) for text in settings]
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
        sheet.part: files.patched(sheet, values)
        for sheet in package.sheets.values()
        if (values := book.patches.get(sheet.name))
    }
    return parts, report


class _Judged:
    """A package, its engine, and which of its formulas may be believed."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.engine = Engine.of(package)
        self.patches: dict[str, dict[tuple[int, int], Value]] = {}
        self.formulas: dict[Place, Cell] = {
            (sheet.name, cell.row, cell.column): cell for sheet, cell in package.formulas()
        }
        # References of a shared formula's children are not moved here: only names are read off.
        self.texts = {place: cell.formula or "" for place, cell in self.formulas.items()}
        self.frozen: dict[Place, CellReport] = {}
        self.areas: dict[Place, list[tuple[str, int, int, int, int]] | None] = {}

    def recalculate(self, chosen: Sequence[tuple[Place, Value]]) -> Report:
        counts = self._judge()
        self.engine.evaluate()
        before = self._values(self.engine)
        for place, value in chosen:
            self.engine.set(*place, value)
            self.patches.setdefault(place[0], {})[place[1:]] = value
        after = before
        if chosen:
            self.engine.evaluate()
            after = self._values(self.engine)
        moved = {p for p, value in after.items() if not same(value, self.formulas[p].value)}
        refused = self._refused(moved | {place for place, _ in chosen})
        reports = [r for p, r in self.frozen.items() if p not in refused]
        reports += [self._report(place, "refused", None) for place in sorted(refused)]
        drift = 0
        for place in sorted(moved - refused):
            saved = self.formulas[place].value
            drifted = not same(before[place], saved) and saved is not None
            drift += drifted and bool(own_calls(self.texts[place]))
            status = "drift" if drifted and same(before[place], after[place]) else "changed"
            reports.append(self._report(place, status, after[place]))
            self.patches.setdefault(place[0], {})[place[1:]] = after[place]
        counts.update(changed=len(moved - refused), drift=drift, refused=len(refused))
        values = {p: self.formulas[p].value if p in refused else v for p, v in after.items()}
        return Report(self.package.path, None, counts, reports, Notebook(), values=values)

    def _judge(self) -> dict[str, int]:
        """Compute all but ours and the volatile with the inputs as saved; hold what differs."""
        held = {p for p, text in self.texts.items() if own_calls(text) or is_volatile(text)}
        computed = self._as_saved(held)
        counts = dict.fromkeys(
            ("formulas", "judged", "right", "disputed", "unsupported", "unjudged"), 0
        )
        counts["formulas"] = len(self.formulas)
        for place, cell in self.formulas.items():
            if place in held:
                counts["unjudged"] += cell.value is None
                continue
            names = []
            if cell.kind == "dataTable":
                names = [cell.kind]  # a table of a what-if analysis is no formula of its own
            elif computed[place] == "#NAME?" and cell.value != "#NAME?":
                names = lacks(function_names(self.texts[place])) or ["#NAME?"]
            if names:
                self._freeze(place, "unsupported", ", ".join(names), computed[place])
                counts["unsupported"] += 1
            elif cell.value is None:
                counts["unjudged"] += 1
            elif same(computed[place], cell.value):
                counts["right"] += 1
            else:
                functions = ", ".join(bare_name(n) for n in function_names(self.texts[place]))
                self._freeze(place, "disputed", functions, computed[place])
                counts["disputed"] += 1
        counts["judged"] = counts["right"] + counts["disputed"]
        return counts

    def _as_saved(self, held: set[Place]) -> dict[Place, Value]:
        """Values of a copy in which the held cells are the constants that were saved."""
        by_sheet: dict[str, list[tuple[int, int]]] = {}
        for name, row, column in held:
            if self.formulas[name, row, column].value is not None:
                by_sheet.setdefault(name, []).append((row, column))
        parts = {
            self.package.sheets[name].part: files.as_constants(self.package.sheets[name], places)
            for name, places in by_sheet.items()
        }
        copy = Engine.of(self.package, files.with_parts(self.package.content, parts))
        copy.evaluate()
        return self._values(copy)

    def _freeze(self, place: Place, status: str, function: str, computed: Value) -> None:
        """Hold a formula at its saved value; what it reads is noted before it goes."""
        self.areas[place] = self.engine.precedents(place[0], address(*place[1:]))
        self.frozen[place] = CellReport(
            place[0], address(*place[1:]), status, function, self.formulas[place].value, computed
        )
        self.engine.set(*place, self.formulas[place].value)

    def _refused(self, moved: set[Place]) -> set[Place]:
        """Frozen cells that read something which moved, and every formula that reads those."""
        stale = {
            place
            for place, report in self.frozen.items()
            if report.saved is None or _reads(self.areas[place], moved)
        }
        fresh = set(stale)
        while fresh:
            reached = {
                place
                for place in self.formulas
                if place not in stale and _reads(self._precedents(place), fresh)
            }
            stale |= reached
            fresh = reached
        return stale

    def _precedents(self, place: Place) -> list[tuple[str, int, int, int, int]] | None:
        if place not in self.areas:
            self.areas[place] = self.engine.precedents(place[0], address(*place[1:]))
        return self.areas[place]

    def _report(self, place: Place, status: str, computed: Value) -> CellReport:
        frozen = self.frozen.get(place)
        if frozen is not None:
            function = frozen.function
        else:
            function = ", ".join(dict.fromkeys(n for _, n in own_calls(self.texts[place])))
        saved = self.formulas[place].value
        return CellReport(place[0], address(*place[1:]), status, function, saved, computed)

    def _values(self, engine: Engine) -> dict[Place, Value]:
        found: dict[Place, Value] = {}
        for name, sheet in self.package.sheets.items():
            places = [key for key, cell in sheet.cells.items() if cell.formula is not None]
            for (row, column), value in engine.values(name, places).items():
                # A formula that reads a blank cell shows 0.
                found[name, row, column] = 0.0 if value is None else value
        return {place: found[place] for place in self.formulas}


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


def _reads(areas: Iterable[tuple[str, int, int, int, int]] | None, moved: set[Place]) -> bool:
    if areas is None:
        return bool(moved)  # what it reads is not all known, so it may read what moved
    boxes = list(areas)
    return any(
        sheet == name and top <= row <= bottom and left <= column <= right
        for name, row, column in moved
        for sheet, top, left, bottom, right in boxes
    )


# --- settings ------------------------------------------------------------------------------------


def _setting(package: Package, text: str) -> tuple[Place, Value]:
    where, equals, value = text.partition("=")
    if not equals or not where.strip():
        raise SettingError(f"--set {text}: write CELL=VALUE, e.g. Inputs!C8=0.4.")
    place = _place(package, where.strip())
    sheet, row, column = place
    cell = package.cell(*place)
    name = f"{sheet}!{address(row, column)}"
    if cell is None:
        raise SettingError(f"--set {where}: {name} is an unused cell, no input of {package.path}.")
    if cell.formula is not None:
        raise SettingError(
            f"--set {where}: {name} holds the formula ={cell.formula}; set an input."
        )
    return place, _setting_value(where, value.strip(), cell.value, date1904=package.date1904)


def _place(package: Package, where: str) -> Place:
    target = where
    names = {name.casefold(): text for name, text in package.names.items()}
    if "!" not in where and where.casefold() in names:
        target = names[where.casefold()]
    sheet, bang, cell = target.rpartition("!")
    if sheet.startswith("'") and sheet.endswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    place = files.reference(cell.replace("$", ""))
    sheets = {name.casefold(): name for name in package.sheets}
    if not bang:
        if len(package.sheets) == 1 and place is not None:
            return (next(iter(package.sheets)), *place)
        known = ", ".join(list(package.names)[:8]) or "none"
        raise SettingError(
            f"--set {where}: is no Sheet!Cell and no defined name of {package.path} (names: "
            f"{known})."
        )
    if sheet.casefold() not in sheets:
        known = ", ".join(package.sheets)
        raise SettingError(f"--set {where}: there is no sheet {sheet!r}; sheets: {known}.")
    if place is None:
        raise SettingError(f"--set {where}: {cell!r} is no cell; write it like B4.")
    return (sheets[sheet.casefold()], *place)


def _setting_value(where: str, text: str, saved: Value, *, date1904: bool) -> Value:
    """Value of a setting: number, TRUE or FALSE, date for a number cell, else text."""
    if text == "":
        return None
    if text.casefold() in ("true", "false"):
        return text.casefold() == "true"
    if text.endswith("%"):
        try:
            return float(text[:-1]) / 100
        except ValueError:
            pass
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if not math.isfinite(number):
            raise SettingError(f"--set {where}: {text} is no finite number.")
        return number
    if isinstance(saved, float) and not isinstance(saved, bool):
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            raise SettingError(
                f"--set {where}: the cell holds a number; {text!r} is neither a number nor a date "
                "(YYYY-MM-DD)."
            ) from None
        return float(outgoing(day, date1904=date1904))
    return text
