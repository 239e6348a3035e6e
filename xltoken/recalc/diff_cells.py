"""What changed in one sheet, cell by cell: inputs, formulas and results."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from xltoken.recalc.alignment import Reading, Shift
from xltoken.recalc.copies import area_text, filled, rectangles, size
from xltoken.recalc.formulas import plainly_spelled, relative
from xltoken.recalc.sheetxml import FORMULA, Cell, Sheet, Spot, Value, address
from xltoken.recalc.survey import masters, text_of


@dataclass(frozen=True, slots=True)
class CellChange:
    """An input or a result whose value is not the same; `cell` is its place in the later book."""

    sheet: str
    cell: str
    label: str
    what: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class FormulaChange:
    """Copies of one formula that became copies of another, or constants, or the other way.

    `before` and `after` are what stands in the first cell of `area`: a formula with its ``=``, or
    a constant. `results` says in how many of the cells the value changed too.
    """

    sheet: str
    area: str
    cells: int
    what: str
    before: Value
    after: Value
    results: int


@dataclass(slots=True)
class SheetDifference:
    """What changed in the cells of one sheet."""

    inputs: list[CellChange] = field(default_factory=list)
    formulas: list[FormulaChange] = field(default_factory=list)
    values: list[CellChange] = field(default_factory=list)
    """Results: cells whose formula is the same and whose saved value is not."""
    unlike_everywhere: bool = False
    """Whether more of it differs than does not, so that rows or columns may have been put in."""


@dataclass(slots=True)
class SheetComparison:
    """Two versions of a sheet, and how the formulas of both books are read to be compared."""

    old: Sheet
    new: Sheet
    shift: Shift | None
    old_reading: Reading
    new_reading: Reading
    tolerance: float
    names: Mapping[Spot, str]
    """Names of single cells of the later sheet."""

    def made(self) -> SheetDifference:
        """Tell what changed."""
        old, new, found = self.old, self.new, SheetDifference()
        if self._as_written and old.xml == new.xml and old.strings == new.strings:
            return found
        was_filled, is_filled = filled(old.cells.values()), filled(new.cells.values())
        labels = _Labels(new, self.names)
        formulas: dict[tuple[str, ...], list[_Changed]] = {}
        compared = differing = 0
        for at, spot in _places(old, new, self.shift):
            compared += 1
            one, other = old.cells.get(at, _NO_CELL), new.cells.get(spot, _NO_CELL)
            moved = not same(one.value, other.value, self.tolerance)
            if one.formula is None and other.formula is None:
                result = at in was_filled or spot in is_filled
            elif self._same_formula(one, other):
                result = True
            else:
                before, after = _content(old, one), _content(new, other)
                what = _happened(one, other, at in was_filled, spot in is_filled)
                if what == _CHANGED and before == after:
                    what = "same text, other cells"
                change = _Changed(at, spot, what, before, after, moved)
                formulas.setdefault(change.alike, []).append(change)
                differing += 1
                continue
            if moved:
                what = _told(one.value, other.value)
                where = new.name, address(*spot), labels.of(spot)
                told = CellChange(*where, what, one.value, other.value)
                (found.values if result else found.inputs).append(told)
                differing += not result
        for changes in formulas.values():
            found.formulas.extend(self._areas({change.spot: change for change in changes}))
        found.unlike_everywhere = (
            self.shift is None and compared > _FEW and differing > compared / 2
        )
        return found

    @property
    def _as_written(self) -> bool:
        """Whether formulas may be compared as they are written."""
        return not (self.old_reading.changes or self.new_reading.changes)

    def _areas(self, changes: Mapping[Spot, "_Changed"]) -> Iterator[FormulaChange]:
        """Copies of one changed formula by the areas that they fill."""
        for area in rectangles(changes):
            first = changes[area[:2]]
            moved = sum(
                changes[row, column].moved
                for row in range(area[0], area[2] + 1)
                for column in range(area[1], area[3] + 1)
            )
            where = self.new.name, area_text(area), size(area)
            yield FormulaChange(*where, first.what, first.before, first.after, moved)

    def _same_formula(self, one: Cell, other: Cell) -> bool:
        """Whether two cells hold the same formula; asked of as few texts as may be."""
        old, new, as_written = self.old, self.new, self._as_written
        if one.formula is None or other.formula is None:
            return False
        if as_written and one.formula == other.formula and one.kind == other.kind:
            if not one.kind:
                return True
            if one.kind == "shared" and one.moved == other.moved:
                # Children of a shared formula are the same if it is written in the same place.
                written = masters(old).get(one.group), masters(new).get(other.group)
                if one.moved or written[0] == written[1]:
                    return True
        if one.kind != other.kind and {one.kind, other.kind} & _SPREADING:
            return False
        if one.kind in _SPREADING and not (one.dynamic and other.dynamic):
            fixed = self.old_reading.text(one.spill, old.name)
            if fixed != self.new_reading.text(other.spill, new.name):
                return False
        before, after = text_in(old, one[:2]), text_in(new, other[:2])
        if not as_written:
            before = self.old_reading.text(before, old.name)
            after = self.new_reading.text(after, new.name)
        # Hosts spell our functions each in their own way; the function is the same.
        return before == after or plainly_spelled(before) == plainly_spelled(after)


def same(before: Value, after: Value, tolerance: float) -> bool:
    """Whether two values are the same: numbers within the tolerance, all else exactly."""
    if before.__class__ is not after.__class__:
        return False
    if isinstance(before, float) and isinstance(after, float):
        return math.isclose(before, after, rel_tol=tolerance, abs_tol=0.0)
    return before == after


_NO_CELL: Final = Cell(0, 0, None, None, "", "", True, "", 0, 0)
_SPREADING: Final = frozenset({"array", "dataTable"})
_CHANGED: Final = "changed"
_MADE: Final = "constant became a formula"
_FEW: Final = 20
"""Cells that may differ in a sheet before anybody is told that most of it does."""


@dataclass(frozen=True, slots=True)
class _Changed:
    """A cell that holds another formula, or a formula in only one of the books."""

    at: Spot
    spot: Spot
    what: str
    before: Value
    after: Value
    moved: bool

    @property
    def alike(self) -> tuple[str, ...]:
        """Equal for cells that are told together."""
        before = "" if self.what == _MADE else _relative(self.before, self.at)
        return self.what, before, _relative(self.after, self.spot)


class _Labels:
    """What a cell is called: the name that means it, else the first text of its row."""

    def __init__(self, sheet: Sheet, names: Mapping[Spot, str]) -> None:
        self.sheet, self.names = sheet, names
        self.rows: dict[int, tuple[int, str]] | None = None

    def of(self, spot: Spot) -> str:
        if spot in self.names:
            return self.names[spot]
        if self.rows is None:
            self.rows = {}
            for (row, column), cell in self.sheet.cells.items():
                text = cell.value
                if isinstance(text, str) and cell.formula is None and text.strip():
                    self.rows.setdefault(row, (column, " ".join(text.split())))
        column, text = self.rows.get(spot[0], (spot[1], ""))
        return text if column < spot[1] else ""


def _places(old: Sheet, new: Sheet, shift: Shift | None) -> Iterator[tuple[Spot, Spot]]:
    """Every cell of either sheet: its place in the earlier and in the later one."""
    if shift is None:
        yield from ((spot, spot) for spot in {**old.cells, **new.cells})
        return
    seen = set()
    for at in old.cells:
        spot = shift.after(at)
        if spot is not None:
            seen.add(spot)
            yield at, spot
    for spot in new.cells:
        if spot not in seen and not (shift.inserted and shift.holds(spot)):
            yield _NOWHERE, spot


_NOWHERE: Final = (0, 0)


def _happened(one: Cell, other: Cell, was_filled: bool, is_filled: bool) -> str:
    if one.formula is not None and other.formula is not None:
        return _CHANGED
    if one.formula is None:
        if was_filled:
            return "no longer filled by an array"
        return "added" if one.value is None else _MADE
    if is_filled:
        return "filled by an array"
    if other.value is None:
        return "removed"
    return f"overwritten by a {'number' if isinstance(other.value, float) else 'constant'}"


def _told(one: Value, other: Value) -> str:
    return "added" if one is None else "removed" if other is None else "changed"


def _content(sheet: Sheet, cell: Cell) -> Value:
    """What stands in a cell: its formula as Excel shows it, else its value."""
    if cell.formula is None:
        return cell.value
    text = text_in(sheet, (cell.row, cell.column))
    return f"{{={text}}}" if cell.kind in _SPREADING and not cell.dynamic else f"={text}"


def text_in(sheet: Sheet, spot: Spot) -> str:
    """Formula of a cell as Excel shows it; of a data table, the cells that it varies."""
    cell = sheet.formulas[spot]
    if cell.kind != "dataTable":
        return text_of(sheet, spot)
    match = FORMULA.search(sheet.xml, cell.start, cell.end)
    inputs = re.findall(r'\b(?:r1|r2)="([^"]*)"', (match[1] or b"").decode()) if match else []
    return f"TABLE({','.join(inputs)})"


def _relative(value: Value, spot: Spot) -> str:
    if isinstance(value, str) and value.startswith(("=", "{=")):
        return relative(value, *spot)
    return f"{value.__class__.__name__} {value!r}"
