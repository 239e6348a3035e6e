"""What the formulas of a book are: which call our functions, which the engine cannot be asked.

Read off the text of each formula once; everybody else asks here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from xltoken.files import FileError
from xltoken.functions import FUNCTIONS
from xltoken.recalc import conformance
from xltoken.recalc.builtins import SKIPPED
from xltoken.recalc.formulas import (
    SKIPS,
    bare_name,
    function_names,
    intersected,
    is_volatile,
    may_hold_ours,
    moved,
    own_among,
    plainly_spelled,
    reaches_anywhere,
    reads_other_workbook,
    registrable,
    skipped_filled,
)
from xltoken.recalc.links import links_of
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetxml import MAX_ROW, Cell, Sheet, Spot, corners, reference
from xltoken.recalc.structured import resolved

_COUNT_ROWS: Final = frozenset({"SUBTOTAL", "AGGREGATE"})
"""Functions to which it matters whether a row is hidden; the engine knows no hidden rows."""
_MAKE_ARRAYS: Final = frozenset(
    {"SEQUENCE", "RANDARRAY", "MUNIT", "MAKEARRAY", "TEXTSPLIT", "OFFSET", "INDIRECT", "LET"}
)
_MAY_SPREAD: Final = re.compile(r"[:{#\[]")
_ONE_VALUE: Final = re.compile(
    r"""(?:(?:'(?:[^']|'')*'|[\w.]+)!)?\$?[A-Z]{1,3}\$?[0-9]+|[-+0-9.eE%]+|"(?:[^"]|"")*"|TRUE|FALSE"""
)
# What stands in a text is left alone.
_INTERSECTION: Final = re.compile(r'("(?:[^"]|"")*")|(?:_xlfn\.)?\bSINGLE\(', re.IGNORECASE)
_SPILLED: Final = re.compile(
    r'("(?:[^"]|"")*")|(?:_xlfn\.)?\bANCHORARRAY\(([^()"]*)\)', re.IGNORECASE
)


@dataclass(slots=True)
class Survey:
    """Formulas worth knowing, by sheet and spot or by place."""

    own: dict[str, set[Spot]] = field(default_factory=dict)
    drifting: dict[str, set[Spot]] = field(default_factory=dict)
    """Those of ours that another catalog may give another value."""
    volatile: dict[str, set[Spot]] = field(default_factory=dict)
    reaching: set[Place] = field(default_factory=set)
    unsupported: dict[Place, str] = field(default_factory=dict)
    """Why the engine cannot be asked: the function it lacks, another workbook, a data table."""
    rewritten: dict[Place, str] = field(default_factory=dict)
    """Formulas that the engine's copy spells in another way."""
    arrays: dict[Place, tuple[Spot, Spot]] = field(default_factory=dict)
    """Array formulas (and data tables) over more cells than one, with their first and last."""
    spreading: dict[str, list[Spot]] = field(default_factory=dict)
    """Formulas whose value may be a range."""
    spilled: dict[Place, list[Place]] = field(default_factory=dict)
    """Array formulas whose whole spill (``B1#``) a formula reads."""
    spellings: set[str] = field(default_factory=set)
    """How our functions are spelled."""

    def held(self, sheet: str) -> set[Spot]:
        """Formulas that no saved value can judge: the catalog's, and what changes by itself."""
        return self.drifting.get(sheet, set()) | self.volatile.get(sheet, set())


def survey(package: Package) -> Survey:
    """Read what the formulas of a book are."""
    found = Survey()
    words = _words(package)
    shapes: dict[bytes, _Traits] = {}
    for sheet in package.sheets.values():
        own: set[Spot] = set()
        drifting: set[Spot] = set()
        volatile: set[Spot] = set()
        spreading: list[Spot] = []
        formulas = sheet.formulas
        for spot, shape in zip(formulas.spots, formulas.shapes, strict=True):
            traits = shapes.get(shape)
            if traits is None:
                traits = shapes[shape] = _traits(formulas.text(spot))
            marked = spot in formulas.marked
            if not (words or marked or traits.asks):
                if traits.own:
                    own.add(spot)
                if traits.drifts:
                    drifting.add(spot)
                if traits.volatile:
                    volatile.add(spot)
                if traits.spreads:
                    spreading.append(spot)
                continue
            cell = formulas[spot]
            named = words is not None and words.search(cell.formula or "") is not None
            if traits.plain and not cell.kind and not named:
                continue
            if traits.own:
                own.add(spot)
            if traits.drifts:
                drifting.add(spot)
            if traits.volatile:
                volatile.add(spot)
            if traits.spreads or named or cell.kind == "array":
                spreading.append(spot)
            if traits.asks or named or cell.kind:
                _look_closer(found, package, sheet, spot, cell, traits)
        found.own[sheet.name] = own
        found.drifting[sheet.name] = drifting
        found.volatile[sheet.name] = volatile
        found.spreading[sheet.name] = spreading
    found.spellings |= {spelled for traits in shapes.values() for spelled, _ in traits.own}
    return found


@dataclass(frozen=True, slots=True)
class _Traits:
    """What the text of a formula tells, whatever its digits are."""

    own: tuple[tuple[str, str], ...]
    drifts: bool
    """Whether another catalog may give another value."""
    others: tuple[str, ...]
    volatile: bool
    reaching: bool
    spreads: bool
    """Whether the value may be a range."""
    asks: bool
    """Whether the text of each such formula must be looked at."""
    intersects: bool
    """Whether it has a range where one value is due."""
    plain: bool
    """Whether there is nothing to know about it."""


def _traits(text: str) -> _Traits:
    names = function_names(text)
    own = own_among(names)
    ours = {spelled for spelled, _ in own}
    others = tuple(bare_name(name) for name in names if name not in ours)
    volatile, reaching = is_volatile(text), reaches_anywhere(text)
    spreads = bool(
        _MAY_SPREAD.search(text)
        or any(FUNCTIONS[name].table for _, name in own)
        or not _MAKE_ARRAYS.isdisjoint(others)
    )
    asks = bool(
        "[" in text
        or reaching
        or ((own or not SKIPPED.keys().isdisjoint(others)) and SKIPS.search(text))
        or not all(registrable(spelled) for spelled, _ in own)
        or not {"SINGLE", "ANCHORARRAY"}.isdisjoint(others)
        or not conformance.is_settled(others, text)
    )
    intersects = ":" in text and intersected(text).removeprefix("=") != text.removeprefix("=")
    digits = any(character.isdigit() for spelled, _ in own for character in spelled)
    asks = asks or intersects or digits or not _COUNT_ROWS.isdisjoint(others)
    plain = not (own or volatile or spreads or asks)
    drifts = any(FUNCTIONS[name].reads_catalog for _, name in own)
    return _Traits(own, drifts, others, volatile, reaching, spreads, asks, intersects, plain)


def _look_closer(
    found: Survey,
    package: Package,
    sheet: Sheet,
    spot: Spot,
    cell: Cell,
    traits: _Traits,
) -> None:
    text = cell.formula or ""
    place = (sheet.name, *spot)
    if traits.reaching:
        found.reaching.add(place)
    box = corners(cell.spill) if cell.spill else None
    if box is not None and (box[0] != box[1] or cell.dynamic):
        rows, columns = (last - first + 1 for first, last in zip(*box, strict=True))
        if rows * columns > MAX_ROW:
            raise FileError(
                f"{package.path}: the array formula of {sheet.name}!{cell.spill} has more cells "
                "than can be followed."
            )
        found.arrays[place] = box
    text = written = text_of(sheet, spot)
    if cell.kind in ("", "shared") and traits.intersects:
        text = intersected(text).removeprefix("=")
    if package.tables or "[" in text:
        text = resolved(text, package.tables, sheet.name, *spot)
    names = function_names(written)
    found.spellings.update(spelled for spelled, _ in own_among(names))
    text = skipped_filled(text).removeprefix("=")
    if not all(registrable(spelled) for spelled, _ in traits.own):
        text = plainly_spelled(text)
    if "SINGLE" in traits.others:
        text = _INTERSECTION.sub(lambda match: match[1] or "@(", text)
    if "ANCHORARRAY" in traits.others:
        anchors = [
            _place(match[2], sheet.name) for match in _SPILLED.finditer(text) if match[1] is None
        ]
        text = _SPILLED.sub(lambda match: match[1] or f"{match[2]}#", text)
        if None in anchors or "ANCHORARRAY" in map(bare_name, function_names(text)):
            found.unsupported[place] = "ANCHORARRAY"
            return
        found.spilled[place] = [anchor for anchor in anchors if anchor]
    # The engine's own way of moving a shared formula moves digits in the names of sheets too.
    if text != written or (not cell.moved and "!" in written):
        found.rewritten[place] = f"={text}"
    why = _unsupported(package, cell, written, text, names)
    if why:
        found.unsupported[place] = why


def _place(text: str, sheet: str) -> Place | None:
    """Place that ``B1`` or ``'Other sheet'!B1`` means in a formula on `sheet`."""
    name, _, cell = text.strip().rpartition("!")
    if name.startswith("'") and name.endswith("'"):
        name = name[1:-1].replace("''", "'")
    spot = reference(cell.replace("$", ""))
    return None if spot is None else (name or sheet, *spot)


def text_of(sheet: Sheet, spot: Spot) -> str:
    """Formula of a cell as Excel shows it, the child of a shared one with its own references."""
    cell = sheet.formulas[spot]
    if cell.moved or not cell.formula:
        return cell.formula or ""
    master = masters(sheet).get(cell.group)
    if master is None:
        return cell.formula
    return moved(cell.formula, spot[0] - master[0], spot[1] - master[1])


def masters(sheet: Sheet) -> Mapping[str, Spot]:
    """Where each shared formula of a sheet is written, by its group."""
    if sheet.masters is None:
        sheet.masters = {
            cell.group: spot
            for spot, cell in sheet.formulas.marked.items()
            if cell.kind == "shared" and cell.moved
        }
    return sheet.masters


def _unsupported(
    package: Package, cell: Cell, written: str, text: str, names: tuple[str, ...]
) -> str:
    """Why a formula is beyond the engine, told from its text; empty where it is not."""
    if cell.kind == "dataTable":
        return "data table"
    if names:
        ours = {spelled for spelled, _ in own_among(names)}
        others = tuple(bare_name(name) for name in names if name not in ours)
        missing = list(conformance.unsupported(others, text))
        if not _COUNT_ROWS.isdisjoint(others) and package.hides_rows:
            missing.append("SUBTOTAL over hidden rows")
        if missing:
            return ", ".join(missing)
    if reads_other_workbook(written) or _asks_elsewhere(package, names):
        return "another workbook"
    return ""


def _asks_elsewhere(package: Package, names: tuple[str, ...]) -> bool:
    """Whether a function of our name is asked of a file that cannot be our add-in."""
    numbers = {int(m[1]) for name in names if (m := re.match(r"'?\[(\d+)\]'?!", name))}
    return bool(numbers) and any(
        link.number in numbers and not may_hold_ours(link.name) for link in links_of(package)
    )


def _words(package: Package) -> re.Pattern[str] | None:
    """Expression that finds the names of a book which may mean more cells than one."""
    names: Iterable[str] = [
        *(name for name, target in package.names.items() if not _ONE_VALUE.fullmatch(target)),
        *(table.name for table in package.tables.values()),
    ]
    listed = "|".join(re.escape(name) for name in names)
    return re.compile(rf"(?<![\w.])(?:{listed})(?![\w.(])", re.IGNORECASE) if listed else None
