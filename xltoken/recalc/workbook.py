"""Recalculate a workbook: load, judge, set, evaluate, write.

The judging is :mod:`xltoken.recalc.judge`'s; here are the file, the report and the writing.
"""

import dataclasses
import functools
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xltoken.files import FileError, check_writable, write_atomically
from xltoken.functions.cells import Notebook, listening
from xltoken.recalc import package as files
from xltoken.recalc import sheetpatch
from xltoken.recalc.engine import NAME, Engine, check_syntax, lacks
from xltoken.recalc.formulas import bare_name, function_names, own_calls, skipped_filled
from xltoken.recalc.judge import Book, Change, same
from xltoken.recalc.package import Package, Place
from xltoken.recalc.settings import parse_setting
from xltoken.recalc.sheetxml import ErrorText, Value, address

if TYPE_CHECKING:
    from xltoken.recalc.second import Opinion

FINDINGS: Final = ("refused", "error")
"""Statuses that a reader must act upon."""


@dataclass(frozen=True, slots=True)
class CellReport:
    """A cell worth telling: changed, drift, error, disputed, unsupported or refused."""

    sheet: str
    cell: str
    status: str
    function: str
    saved: Value
    computed: Value


@dataclass
class Report:
    """What a recalculation did to one file."""

    file: Path
    output: Path | None
    summary: dict[str, int]
    notebook: Notebook
    book: Book = field(repr=False)
    change: Change = field(repr=False)
    engine: str = NAME
    opinion: "Opinion | None" = None
    """What a second engine says, if one was asked."""

    @functools.cached_property
    def told(self) -> list[CellReport]:
        """Cells that are more than merely changed: refused, error, disputed, unsupported."""
        book, change = self.book, self.change
        frozen = [
            self._cell(place, found.status, found.computed)
            for place, found in book.frozen.items()
            if place not in change.refused
        ]
        refused = [
            self._cell(place, "refused", change.after[place[0]][place[1:]])
            for place in sorted(change.refused)
        ]
        errors = [
            self._cell(place, "error", value)
            for place, value in self._moved()
            if isinstance(value, ErrorText) and _is_error(value, book.saved(place))
        ]
        return [*refused, *errors, *frozen]

    @property
    def differing(self) -> list[CellReport]:
        """Cells on which a second engine disagrees: `saved` is ours, `computed` its value."""
        if self.opinion is None:
            return []
        return [
            dataclasses.replace(self._cell(place, "differs", theirs), saved=self.values[place])
            for place, theirs in self.opinion.differing.items()
        ]

    @property
    def findings(self) -> list[CellReport]:
        """Cells whose saved value could not be kept up to date, or became an error."""
        return [*(cell for cell in self.told if cell.status in FINDINGS), *self.differing]

    @functools.cached_property
    def cells(self) -> list[CellReport]:
        """Every cell worth telling, those that changed too."""
        book, before = self.book, self.change.before
        found = list(self.told)
        for place, value in self._moved():
            saved = book.saved(place)
            if isinstance(value, ErrorText) and _is_error(value, saved):
                continue
            first = before[place[0]][place[1:]]
            drift = _drifted(book, place, first, saved) and same(first, value)
            found.append(self._cell(place, "drift" if drift else "changed", value))
        return found

    @functools.cached_property
    def values(self) -> dict[Place, Value]:
        """Value of every formula cell as the file now holds it."""
        found: dict[Place, Value] = {}
        for name, spots in self.change.after.items():
            for spot, value in spots.items():
                place = (name, *spot)
                kept = place in self.change.refused or place in self.book.frozen
                found[place] = self.book.saved(place) if kept else value
        return found

    def _moved(self) -> Iterator[tuple[Place, Value]]:
        for name, spots in self.change.values.items():
            formulas = self.book.package.sheets[name].formulas
            for spot, value in spots.items():
                if spot in formulas:
                    yield (name, *spot), value

    def _cell(self, place: Place, status: str, computed: Value) -> CellReport:
        frozen = self.book.frozen.get(place)
        text = self.book.package.sheets[place[0]].formulas.text(place[1:])
        if frozen is not None:
            function = frozen.function
        elif status == "refused":
            function = ", ".join(bare_name(name) for name in function_names(text))
        else:
            function = ", ".join(dict.fromkeys(name for _, name in own_calls(text)))
        saved = self.book.saved(place)
        return CellReport(place[0], address(*place[1:]), status, function, saved, computed)

    def _opinion(self) -> dict[str, Any]:
        if self.opinion is None:
            return {}
        asked = self.opinion
        counts = {"compared": asked.compared, "unknown": asked.unknown}
        return {"verify": {"engine": asked.engine, **counts, "differing": len(asked.differing)}}

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "file": str(self.file),
            "output": str(self.output) if self.output else None,
            "engine": self.engine,
            "summary": self.summary,
            "cells": [dataclasses.asdict(cell) for cell in (*self.cells, *self.differing)],
            **self._opinion(),
            "warnings": self.notebook.warnings,
            "messages": self.notebook.messages,
        }


def _is_error(value: Value, saved: Value) -> bool:
    """Whether a formula became an error that was none."""
    return isinstance(value, ErrorText) and saved is not None and not isinstance(saved, ErrorText)


def _drifted(book: Book, place: Place, before: Value, saved: Value) -> bool:
    """Whether a formula of ours moved although no input did: the catalog did."""
    own = place[1:] in book.survey.own[place[0]]
    return own and saved is not None and not same(before, saved)


def recalculate(
    path: Path,
    output: Path | None = None,
    settings: Sequence[str] = (),
    *,
    strict: bool = False,
    engine: str = NAME,
    verify: str | None = None,
    told: Callable[[str], None] | None = None,
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
    engine : {"formualizer", "libreoffice", "excel"}
        What computes everything but our own functions.
    verify : {"libreoffice", "excel"}, optional
        A second engine that is asked about every value before the file is written.
    told : callable, optional
        Gets a warning in words before anything is written that breaks a digital signature.

    Returns
    -------
    Report

    Raises
    ------
    FileError
        If a file cannot be read or written, or is signed and would be changed in place.
    SettingError
        If a setting names no input.
    PartMissing
        If the application asked for is not installed.
    """
    target = output or path
    with no_collection():
        package = files.read(path)
        chosen = _chosen(package, settings)
        check_writable(target)
        parts, report = _recalculated(package, chosen, engine)
    content = files.with_parts(package.content, parts)
    if verify is not None:
        from xltoken.recalc import second

        report.opinion = second.opinion(package, report.book, report.change, content, verify)
    if strict and report.findings:
        return report
    if parts and package.signed:
        if target.exists() and target.samefile(path):
            raise FileError(
                f"{path}: is digitally signed and a change would break the signature; write a copy "
                "with -o."
            )
        if told is not None:
            told(f"{path} is digitally signed; in {target} the signature is no longer valid")
    if parts or target != path:
        write_atomically(target, content)
        report.output = target
    return report


def _chosen(package: Package, settings: Sequence[str]) -> dict[Place, Value]:
    """Read the settings; of two for one cell, whichever way they name it, the last counts."""
    return dict(parse_setting(package, text) for text in settings)


def computed(content: bytes, path: Path) -> tuple[bytes, Report]:
    """Recalculate a workbook in memory; `path` is what messages call it."""
    package = files.parsed(path, content)
    parts, report = _recalculated(package, {}, NAME)
    return files.with_parts(content, parts), report


def _recalculated(
    package: Package, chosen: Mapping[Place, Value], engine: str
) -> tuple[dict[str, bytes], Report]:
    with listening() as notebook:
        book = _book(package, engine)
        inputs = {
            place: value for place, value in chosen.items() if not same(value, book.saved(place))
        }
        book.put(inputs)
        change = book.change(inputs)
        book.release()  # of two hundred thousand cells it takes a hundred megabytes
    moved = drift = 0
    for name, spots in change.values.items():
        formulas, own = package.sheets[name].formulas, book.survey.own[name]
        moved += sum(spot in formulas for spot in spots)
        drift += sum(
            _drifted(book, (name, *spot), change.before[name][spot], formulas.value(spot))
            for spot in own & spots.keys()
        )
    summary = {**book.counts, "changed": moved, "drift": drift, "refused": len(change.refused)}
    report = Report(package.path, None, summary, notebook, book, change, engine)
    return _parts(package, inputs, change), report


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector from walking over hundreds of thousands of new cells."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _book(package: Package, engine: str) -> Book:
    if engine == NAME:
        return Book(package)
    from xltoken.recalc.second import SecondBook

    return SecondBook(package, engine)


def _parts(package: Package, inputs: Mapping[Place, Value], change: Change) -> dict[str, bytes]:
    """Parts of the file that hold new values."""
    parts: dict[str, bytes] = {}
    for name, sheet in package.sheets.items():
        values = dict(change.values.get(name, {}))
        children = {spot for spot in values if spot not in sheet.formulas}
        values.update({place[1:]: v for place, v in inputs.items() if place[0] == name})
        if values:
            patch = sheetpatch.Patch(values, change.areas.get(name, {}), children)
            parts[sheet.part] = sheetpatch.patched(sheet, patch)
    changed = {
        (name, *spot): value
        for name, spots in change.values.items()
        for spot, value in spots.items()
    }
    if parts:
        from xltoken.recalc import charts

        parts.update(charts.refreshed(package, {**changed, **inputs}))
    return parts


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
