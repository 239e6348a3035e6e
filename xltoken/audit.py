"""Modelling rules checked on any workbook: what is wrong in it, where, and what to do.

A rule is a function that looks at a workbook and yields the places where it does not hold;
:data:`RULES` lists them all.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from xltoken.recalc.consistency import Break
from xltoken.recalc.copies import area_text, rectangles, size, where
from xltoken.recalc.formulas import VOLATILE, bare_name, function_names, moved
from xltoken.recalc.inspection import Inspection
from xltoken.recalc.judge import same
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetxml import ErrorText, Spot, Value, address
from xltoken.recalc.survey import text_of

ERROR: Final = "error"
WARNING: Final = "warning"
NOTE: Final = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a rule does not hold: a cell, or `count` cells that are alike."""

    rule: str
    severity: str
    sheet: str
    cells: str
    count: int
    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Audit:
    """Every finding on a workbook, worst first, and how many formulas it has."""

    formulas: int
    findings: list[Finding]

    @property
    def summary(self) -> dict[str, int]:
        """Number of formulas, and of findings by severity."""
        told = [finding.severity for finding in self.findings]
        counts = {f"{severity}s": told.count(severity) for severity in (ERROR, WARNING, NOTE)}
        return {"formulas": self.formulas, **counts}


def check(package: Package) -> Audit:
    """Check every rule on a workbook.

    Raises
    ------
    FileError
        If a sheet cannot be read.
    """
    book = Inspection(package)
    found = [
        Finding(rule.name, rule.severity, hit.sheet, hit.cells, hit.count, hit.what, rule.advice)
        for rule in RULES
        for hit in rule.check(book)
    ]
    found.sort(key=lambda finding: (ERROR, WARNING, NOTE).index(finding.severity))
    return Audit(sum(len(sheet.formulas) for sheet in package.sheets.values()), found)


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a rule does not hold."""

    sheet: str
    cells: str
    count: int
    what: str


# --- errors and values ---------------------------------------------------------------------------


def _error_cells(book: Inspection) -> Iterator[Hit]:
    by_error: dict[str, list[Place]] = {}
    for place in book.errors[0]:
        by_error.setdefault(str(_saved(book, place)), []).append(place)
    for error, places in by_error.items():
        for sheet, area, count, first in book.alike(places):
            if first[1:] in book.package.sheets[sheet].formulas:
                yield Hit(sheet, area, count, f"{error} in {book.formula(first)}")
            else:
                under = first[1:] in book.filled[sheet]
                how = "under an array formula" if under else "typed as a constant"
                yield Hit(sheet, area, count, f"{error} {how}")


def _error_reach(book: Inspection) -> Iterator[Hit]:
    for sheet, spots in _by_sheet(book.errors[1]).items():
        what = "cells show an error because they read one"
        yield Hit(sheet, where(spots), len(spots), what)


def _circles(book: Inspection) -> Iterator[Hit]:
    circular = [p for p, why in book.not_computed.items() if why == _CIRCULAR]
    for sheet, spots in _by_sheet(circular).items():
        first = (sheet, *min(spots))
        what = f"reads itself, directly or through others, e.g. {book.formula(first)}"
        yield Hit(sheet, where(spots), len(spots), what)


def _missing_values(book: Inspection) -> Iterator[Hit]:
    for sheet in book.package.sheets.values():
        # An empty text saved as <v/> is a value too.
        spots = [
            spot
            for spot, cell in sheet.formulas.items()
            if cell.value is None and b't="str"' not in sheet.xml[cell.start : cell.end]
        ]
        if spots:
            yield Hit(sheet.name, where(spots), len(spots), "formulas without a saved value")


def _stale_values(book: Inspection) -> Iterator[Hit]:
    if book.judged is None:
        return
    frozen = book.judged.frozen
    disputed = [p for p, f in frozen.items() if f.status == "disputed"]
    for sheet, area, count, first in book.alike(disputed):
        saved, computed = _saved(book, first), frozen[first].computed
        if saved is None:
            continue  # a missing value is told as one
        how = f"saved {_told(saved)}, comes to {_told(computed)}"
        if same(computed, saved):
            how = "the array does not come out as saved"
        yield Hit(sheet, area, count, f"{how}: {book.formula(first)}")


def _drifted_values(book: Inspection) -> Iterator[Hit]:
    if book.judged is None:
        return
    now = {
        (name, *spot): value
        for name, spots in book.judged.change([]).values.items()
        for spot, value in spots.items()
        if spot in book.survey.own[name] and _saved(book, (name, *spot)) is not None
    }
    for sheet, area, count, first in book.alike(now):
        saved = _told(_saved(book, first))
        yield Hit(sheet, area, count, f"saved {saved}, is now {_told(now[first])}")


def _not_judged(book: Inspection) -> Iterator[Hit]:
    if book.judged is None:
        yield Hit("", "", 0, f"its saved values could not be checked: {book.problem}")


# --- what formulas call and read -----------------------------------------------------------------

_CIRCULAR: Final = "circular reference"
_ELSEWHERE: Final = "another workbook"
_DATA_TABLE: Final = "data table"


def _other_workbooks(book: Inspection) -> Iterator[Hit]:
    return _reasons(book, lambda why: why == _ELSEWHERE, "reads another workbook")


def _data_tables(book: Inspection) -> Iterator[Hit]:
    return _reasons(book, lambda why: why == _DATA_TABLE, "a data table (what-if analysis)")


def _unsupported(book: Inspection) -> Iterator[Hit]:
    told_apart = {_CIRCULAR, _ELSEWHERE, _DATA_TABLE}
    return _reasons(book, lambda why: why not in told_apart, "")


def _reasons(book: Inspection, wanted: Callable[[str], bool], what: str) -> Iterator[Hit]:
    by_reason: dict[str, list[Place]] = {}
    for place, why in book.not_computed.items():
        if wanted(why):
            by_reason.setdefault(why, []).append(place)
    for why, places in by_reason.items():
        for sheet, spots in _by_sheet(places).items():
            yield Hit(sheet, where(spots), len(spots), what or why)


def _volatile(book: Inspection) -> Iterator[Hit]:
    for sheet in book.package.sheets.values():
        by_names: dict[str, list[Spot]] = {}
        for spot in sorted(book.survey.volatile[sheet.name]):
            names = map(bare_name, function_names(sheet.formulas[spot].formula or ""))
            called = ", ".join(dict.fromkeys(name for name in names if name in VOLATILE))
            by_names.setdefault(called, []).append(spot)
        for called, spots in by_names.items():
            yield Hit(sheet.name, where(spots), len(spots), f"calls {called}")


def _empty_references(book: Inspection) -> Iterator[Hit]:
    for name, read in book.read_though_empty.items():
        for area in rectangles(read):
            cells = itertools.product(range(area[0], area[2] + 1), range(area[1], area[3] + 1))
            by = [place for spot in cells for place in read[spot]]
            more = f" and {len(by) - 1} more" if len(by) > 1 else ""
            yield Hit(name, area_text(area), size(area), f"empty, yet read by {_at(by[0])}{more}")


def _numbers_as_text(book: Inspection) -> Iterator[Hit]:
    summed = book.summed_texts
    for name, area, count, first in book.alike(summed):
        what = f"a number kept as text, which the sum in {_at(summed[first])} passes over"
        yield Hit(name, area, count, what)


# --- copies that are none ------------------------------------------------------------------------


def _unlike_neighbours(book: Inspection) -> Iterator[Hit]:
    for name, found in book.breaks.items():
        odd = {(name, *one.spot): one for one in found if not one.number}
        for sheet, area, count, first in book.alike(odd):
            what = f"{book.formula(first)}, where {_expected(book, sheet, odd[first])}"
            yield Hit(sheet, area, count, what)


def _typed_over(book: Inspection) -> Iterator[Hit]:
    for name, found in book.breaks.items():
        for one in found:
            if one.number:
                value = _told(_saved(book, (name, *one.spot)))
                what = f"the number {value}, where {_expected(book, name, one)}"
                yield Hit(name, address(*one.spot), 1, what)


def _expected(book: Inspection, name: str, one: Break) -> str:
    sheet = book.package.sheets[name]
    text = text_of(sheet, one.neighbour)
    down, right = (at - by for at, by in zip(one.spot, one.neighbour, strict=True))
    return f"the other cells of {area_text(one.run)} would have ={moved(text, down, right)}"


# --- helpers -------------------------------------------------------------------------------------


def _by_sheet(places: Iterable[Place]) -> Mapping[str, list[Spot]]:
    found: dict[str, list[Spot]] = {}
    for name, row, column in places:
        found.setdefault(name, []).append((row, column))
    return found


def _saved(book: Inspection, place: Place) -> Value:
    cell = book.package.cell(*place)
    return cell.value if cell else None


def _told(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, str) and not isinstance(value, ErrorText):
        return json.dumps(value if len(value) <= _LONG else f"{value[:_LONG]}…", ensure_ascii=False)
    return "nothing" if value is None else str(value)


_LONG: Final = 60
"""Characters of a text that are shown."""


def _at(place: Place) -> str:
    return f"{place[0]}!{address(*place[1:])}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: how bad it is where it does not hold, how to find that, and what to do then."""

    name: str
    severity: str
    check: Callable[[Inspection], Iterable[Hit]]
    advice: str


RULES: Final = (
    Rule("error cell", ERROR, _error_cells, "Correct the formula or what it reads."),
    Rule("circular reference", ERROR, _circles, "Break the circle: no cell may depend on itself."),
    Rule(
        "missing value",
        WARNING,
        _missing_values,
        "Readers that do not calculate see a blank: xltoken recalc fills the values in.",
    ),
    Rule(
        "stale value",
        WARNING,
        _stale_values,
        "Recalculate in Excel (Ctrl+Alt+F9) and save. Where Excel keeps its value, the engine here "
        "differs, and xltoken recalc keeps Excel's.",
    ),
    Rule(
        "catalog drift",
        WARNING,
        _drifted_values,
        "The catalog has moved on since the file was saved: xltoken recalc brings it up to date.",
    ),
    Rule(
        "not calculated",
        WARNING,
        _not_judged,
        "The other rules were checked; recalculate in Excel.",
    ),
    Rule(
        "formula unlike its neighbours",
        WARNING,
        _unlike_neighbours,
        "Copy the neighbours' formula, or set the exception apart and say why.",
    ),
    Rule(
        "number typed over a formula",
        WARNING,
        _typed_over,
        "Restore the formula, or make the number a labelled input that the formula reads.",
    ),
    Rule(
        "number kept as text",
        WARNING,
        _numbers_as_text,
        "Turn it into a number: a sum counts it as nothing.",
    ),
    Rule(
        "another workbook",
        WARNING,
        _other_workbooks,
        "Bring the figures in as inputs with source and date: a link breaks when a file moves.",
    ),
    Rule(
        "volatile function",
        WARNING,
        _volatile,
        "The result changes by itself: put dates into an input cell, use INDEX instead of OFFSET "
        "and INDIRECT.",
    ),
    Rule(
        "data table",
        NOTE,
        _data_tables,
        "xltoken recalc keeps its saved values as long as nothing it reads changes.",
    ),
    Rule(
        "unsupported",
        NOTE,
        _unsupported,
        "xltoken recalc keeps such values, and refuses them once something they read changes.",
    ),
    Rule("error reached", NOTE, _error_reach, "They go when the error cells are corrected."),
    Rule(
        "empty reference",
        NOTE,
        _empty_references,
        "Counts as 0: fill the cell or correct the reference.",
    ),
)
"""Every rule, in the order of telling; another one is another line."""
