"""What changed between two workbooks: inputs, formulas, results, names and sheets.

Both files are read as saved; nothing is recalculated. Formats, charts, comments and macros are
not compared, only named where their parts differ.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from xltoken.recalc.alignment import Reading, Shift, shifts_found
from xltoken.recalc.diff_cells import CellChange, FormulaChange, SheetComparison, same, text_in
from xltoken.recalc.package import Package, Place
from xltoken.recalc.settings import SettingError, cell_of
from xltoken.recalc.sheetxml import Sheet, Spot, Value, attributes_of

TOLERANCE: Final = 1e-12
"""Relative difference up to which two numbers are the same."""
_ALIKE: Final = 0.9
"""Share of the cells that must be equal in a sheet that was renamed."""


@dataclass(frozen=True, slots=True)
class NameChange:
    """A name that came, went, or points elsewhere; one of a single sheet is ``Sheet!name``."""

    name: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SheetChange:
    """A sheet that came, went, was renamed or moved; rows put in; the book's date system."""

    sheet: str
    what: str
    detail: str


@dataclass(slots=True)
class Difference:
    """Everything that differs between two workbooks."""

    inputs: list[CellChange] = field(default_factory=list)
    formulas: list[FormulaChange] = field(default_factory=list)
    names: list[NameChange] = field(default_factory=list)
    sheets: list[SheetChange] = field(default_factory=list)
    values: list[CellChange] = field(default_factory=list)
    """Results: cells whose formula is the same and whose saved value is not."""
    unlike_everywhere: list[str] = field(default_factory=list)
    """Sheets most of whose cells differ: rows or columns may have been put in."""
    other_parts: list[str] = field(default_factory=list)
    """Parts of the file that differ and are not compared, such as charts, styles and macros."""
    paired: dict[str, tuple[str, Shift | None]] = field(default_factory=dict, repr=False)
    """Sheets that both books have: the name in the later one, and what was put in or taken out."""

    def place_after(self, place: Place) -> Place | None:
        """Where a cell of the earlier book stands in the later one; None if it is gone."""
        name, shift = self.paired.get(place[0], ("", None))
        spot = shift.after(place[1:]) if shift else place[1:]
        return (name, *spot) if name and spot else None


@dataclass(frozen=True, slots=True)
class Watched:
    """One headline cell in both books; None where a book has no such cell or value."""

    name: str
    before: Value
    after: Value


def diff(before: Package, after: Package, tolerance: float = TOLERANCE) -> Difference:
    """Tell what changed from one workbook to another.

    Parameters
    ----------
    before, after : Package
        The books as read from their files.
    tolerance : float
        Relative difference up to which two numbers count as the same.
    """
    return _Comparison(before, after, tolerance).made()


def watched(before: Package, after: Package, found: Difference, name: str) -> Watched:
    """Value of a cell, as ``Sheet!B4`` of the earlier book or a defined name, in both books.

    Raises
    ------
    SettingError
        If neither book has it.
    """
    old = new = None
    try:
        old = cell_of(before, name)
    except SettingError as error:
        reason = error
    try:
        new = cell_of(after, name)
    except SettingError:
        if old is None:
            raise reason from None
    if old is not None and "!" in name:
        new = found.place_after(old)
    values = [
        cell.value if place and (cell := book.cell(*place)) else None
        for book, place in ((before, old), (after, new))
    ]
    return Watched(name, *values)


class _Comparison:
    def __init__(self, before: Package, after: Package, tolerance: float) -> None:
        self.before, self.after, self.tolerance = before, after, tolerance
        self.found = Difference()

    def made(self) -> Difference:
        found = self.found
        paired = self._paired()
        shifts = shifts_found(
            {old: (self.before.sheets[old], self.after.sheets[new]) for old, new in paired.items()}
        )
        inserted = {old: s for old, s in shifts.items() if s.inserted}
        deleted = {paired[old]: s for old, s in shifts.items() if not s.inserted}
        renamed = {old: new for old, new in paired.items() if old != new}
        self.old_reading, self.new_reading = Reading(inserted, renamed), Reading(deleted)
        found.paired = {old: (new, shifts.get(old)) for old, new in paired.items()}
        self._sheets(paired, shifts)
        self._names(paired)
        names = _cell_names(self.after)
        for old, new in paired.items():
            told = SheetComparison(
                self.before.sheets[old],
                self.after.sheets[new],
                shifts.get(old),
                self.old_reading,
                self.new_reading,
                self.tolerance,
                names.get(new, {}),
            ).made()
            found.inputs += told.inputs
            found.formulas += told.formulas
            found.values += told.values
            found.unlike_everywhere += [new] if told.unlike_everywhere else []
        found.other_parts = _other_parts(self.before, self.after)
        return found

    # --- sheets and names ------------------------------------------------------------------------

    def _paired(self) -> dict[str, str]:
        """Sheets of the earlier book with their names in the later one."""
        now = {name.casefold(): name for name in self.after.sheets}
        paired = {n: now[n.casefold()] for n in self.before.sheets if n.casefold() in now}
        gone = [n for n in self.before.sheets if n not in paired]
        come = [n for n in self.after.sheets if n not in paired.values()]
        renamed: dict[str, str] = {}
        for name in gone:
            for other in come:
                if other not in renamed.values() and self._alike(name, other, None):
                    renamed[name] = other
                    break
        # Formulas of one renamed sheet may name another one: all are tried, and wrong ones dropped.
        while wrong := [n for n, o in renamed.items() if not self._alike(n, o, renamed)]:
            for name in wrong:
                del renamed[name]
        both = paired | renamed
        return {name: both[name] for name in self.before.sheets if name in both}

    def _alike(self, name: str, other: str, renamed: Mapping[str, str] | None) -> bool:
        """Whether nearly all cells of two sheets hold the same constants and formulas.

        What `renamed` says is how formulas are read; without it they are not looked at.
        """
        old, new = self.before.sheets[name], self.after.sheets[other]
        old_cells, new_cells = (
            {spot: c for spot, c in s.cells.items() if c.value is not None or c.formula is not None}
            for s in (old, new)
        )
        if not (old_cells or new_cells):
            order = [list(b.sheets).index(n) for b, n in ((self.before, name), (self.after, other))]
            return order[0] == order[1]
        reading, plain = Reading(renamed=dict(renamed or {})), Reading()
        equal = 0
        for spot, cell in old_cells.items():
            its = new_cells.get(spot)
            if its is None or (cell.formula is None) != (its.formula is None):
                continue
            if cell.formula is None:
                equal += same(cell.value, its.value, self.tolerance)
            else:
                equal += renamed is None or (
                    reading.text(text_in(old, spot), name) == plain.text(text_in(new, spot), other)
                )
        return equal >= _ALIKE * len(old_cells.keys() | new_cells.keys())

    def _sheets(self, paired: Mapping[str, str], shifts: Mapping[str, Shift]) -> None:
        tell = self.found.sheets.append
        if self.before.date1904 != self.after.date1904:
            years = ["from 1904" if b.date1904 else "from 1900" for b in (self.before, self.after)]
            tell(SheetChange("", "date system", " -> ".join(years)))
        for name, sheet in self.before.sheets.items():
            if name not in paired:
                tell(SheetChange(name, "removed", _contents(sheet)))
            elif paired[name] != name:
                tell(SheetChange(paired[name], "renamed", f"was {name}"))
        for name, sheet in self.after.sheets.items():
            if name not in paired.values():
                tell(SheetChange(name, "added", _contents(sheet)))
        was, now = _visibility(self.before), _visibility(self.after)
        for old, new in paired.items():
            if was.get(old) != now.get(new):
                states = f"{was.get(old, _VISIBLE)} -> {now.get(new, _VISIBLE)}"
                tell(SheetChange(new, "visibility", states))
        order = [name for name in self.after.sheets if name in paired.values()]
        if order != list(paired.values()):
            tell(SheetChange("", "order", f"{', '.join(paired.values())} -> {', '.join(order)}"))
        for old, shift in shifts.items():
            what = f"{shift.axis} {'inserted' if shift.inserted else 'deleted'}"
            sheet = self.after.sheets[paired[old]] if shift.inserted else self.before.sheets[old]
            inside = sum(
                1 for s, c in sheet.cells.items() if shift.holds(s) and c.value is not None
            )
            tell(SheetChange(paired[old], what, f"{shift.area} with {inside} filled cells"))

    def _names(self, paired: Mapping[str, str]) -> None:
        names = {**self.before.names, **_sheet_names(self.before, paired)}
        names_after = {**self.after.names, **_sheet_names(self.after)}
        now = {name.casefold(): name for name in names_after}
        for name, target in names.items():
            other = now.pop(name.casefold(), None)
            if other is None:
                self.found.names.append(NameChange(name, "removed", target, ""))
                continue
            new = names_after[other]
            if target != new and self.old_reading.text(target) != self.new_reading.text(new):
                self.found.names.append(NameChange(other, "points elsewhere", target, new))
        for name in now.values():
            self.found.names.append(NameChange(name, "added", "", names_after[name]))


def _cell_names(package: Package) -> dict[str, dict[Spot, str]]:
    """Names that mean one cell, by sheet and spot."""
    found: dict[str, dict[Spot, str]] = {}
    for name, target in package.names.items():
        try:
            sheet, *spot = cell_of(package, target.removeprefix("="))
        except SettingError:
            continue
        found.setdefault(sheet, {}).setdefault((spot[0], spot[1]), name)
    return found


_VISIBLE: Final = "visible"


def _book_xml(package: Package) -> str:
    part = package.archive.spelled("xl/workbook.xml")
    return package.archive.read(part).decode("utf-8") if part in package.archive.entries else ""


def _listed(xml: str) -> list[dict[str, str]]:
    """Attributes of every sheet of a book, in order; sheets of a chart alone are there too."""
    return [attributes_of(found) for found in _SHEET.findall(xml)]


def _visibility(package: Package) -> dict[str, str]:
    sheets = _listed(_book_xml(package))
    return {said.get("name", ""): said.get("state", _VISIBLE) for said in sheets}


def _sheet_names(package: Package, renamed: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names that belong to one sheet, as ``Sheet!name``, and what they refer to."""
    xml = _book_xml(package)
    sheets = [said.get("name", "") for said in _listed(xml)]
    found = {}
    for attributes, target in _NAME.findall(xml):
        said = attributes_of(attributes)
        number = said.get("localSheetId", "")
        prints = said.get("name", "").startswith("_xlnm.")  # print areas and filters, no figures
        if number.isdigit() and int(number) < len(sheets) and not prints:
            sheet = sheets[int(number)]
            sheet = (renamed or {}).get(sheet, sheet)
            found[f"{sheet}!{said.get('name', '')}"] = html.unescape(target)
    return found


_SHEET: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?sheet(\s[^>]*?)/?>")
_NAME: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?definedName(\s[^>]*?)>(.*?)</", re.DOTALL)


def _contents(sheet: Sheet) -> str:
    filled = sum(c.value is not None or c.formula is not None for c in sheet.cells.values())
    return f"{filled} filled cells, {len(sheet.formulas)} formulas"


_COMPARED: Final = re.compile(
    r"xl/(?:workbook|sharedStrings|calcChain)\.xml|xl/worksheets/[^/]*\.xml|docProps/.*|\[Content_Types\]\.xml",
    re.IGNORECASE,
)


def _other_parts(before: Package, after: Package) -> list[str]:
    one, other = ({*p.archive.names} for p in (before, after))
    return sorted(
        name
        for name in one | other
        if not _COMPARED.fullmatch(name) and not name.endswith((".rels", "/"))
        if (name in one) != (name in other) or before.archive.read(name) != after.archive.read(name)
    )
