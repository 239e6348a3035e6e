"""Rows or columns put into a sheet, found again, and formulas read as if they were not.

Only one block of whole rows or of whole columns is recognised, and only where nearly everything
around it fits; anything less is left to be told cell by cell.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from xltoken.recalc.sheetxml import Sheet, Spot, column_letters, column_number

_FITS: Final = 0.9
"""Share of the rows that must look alike once the others are shifted."""
_REFERENCE: Final = re.compile(r"\$?[A-Z]{1,3}\$?[1-9][0-9]*")
_CELL: Final = r"\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6}"
_PIECE: Final = re.compile(
    r'"(?:[^"]|"")*"'
    r"|(?<![\w.\\$'!\]])(?P<sheet>(?:'(?:[^']|'')*'|[^\s!'\"(),;:+\-*/^&=<>{}@]+)!)?"
    rf"(?P<area>{_CELL}(?::{_CELL})?|\$?[A-Za-z]{{1,3}}:\$?[A-Za-z]{{1,3}}"
    r"|\$?[1-9][0-9]{0,6}:\$?[1-9][0-9]{0,6})(?![\w.(!\\])"
    r"|(?P<only>(?:'(?:[^']|'')*'|[^\s!'\"(),;:+\-*/^&=<>{}@]+)!)"
    r"|\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*\]"
)
_END: Final = re.compile(r"(\$?)([A-Za-z]{0,3})(\$?)([0-9]*)")


@dataclass(frozen=True, slots=True)
class Shift:
    """A block of whole rows or columns that only one of two sheets has.

    `first` counts in the sheet that has it: the later one if it was `inserted`.
    """

    axis: str
    inserted: bool
    first: int
    count: int

    @property
    def area(self) -> str:
        """The block as a person tells it, such as ``12:14`` or ``C:C``."""
        last = self.first + self.count - 1
        if self.axis == "columns":
            return f"{column_letters(self.first)}:{column_letters(last)}"
        return f"{self.first}:{last}"

    def after(self, spot: Spot) -> Spot | None:
        """Where a cell of the earlier sheet stands in the later one; None if it was deleted."""
        at = spot[0] if self.axis == "rows" else spot[1]
        if not self.inserted and self.first <= at < self.first + self.count:
            return None
        if at >= self.first:
            at += self.count if self.inserted else -self.count
        return (at, spot[1]) if self.axis == "rows" else (spot[0], at)

    def holds(self, spot: Spot) -> bool:
        """Whether a cell of the sheet that has the block stands in it."""
        at = spot[0] if self.axis == "rows" else spot[1]
        return self.first <= at < self.first + self.count

    def moved(self, number: int) -> int:
        """Row or column of the sheet without the block, as it counts in the one that has it."""
        return number + self.count if number >= self.first else number


@dataclass(slots=True)
class Reading:
    """How the formulas of one of two books are read to be compared with those of the other."""

    shifts: dict[str, Shift] = field(default_factory=dict)
    """By sheet, as this book calls it: the blocks that only the other book has."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Sheets of this book by the names that the other one gives them."""

    def __post_init__(self) -> None:
        self.shifts = {name.casefold(): shift for name, shift in self.shifts.items()}
        self.renamed = {name.casefold(): other for name, other in self.renamed.items()}

    @property
    def changes(self) -> bool:
        """Whether it reads anything otherwise than it is written."""
        return bool(self.shifts or self.renamed)

    def text(self, formula: str, sheet: str = "") -> str:
        """Formula of a cell of `sheet`, its references shifted and its sheets renamed.

        Examples
        --------
        >>> shift = Shift("rows", inserted=True, first=3, count=2)
        >>> Reading({"Calc": shift}, {"Old": "New"}).text("A1+SUM(Calc!A2:A$3)+Old!B9&name", "Old")
        "A1+SUM('Calc'!A2:A$5)+'New'!B9&name"
        """

        def one(match: re.Match[str]) -> str:
            written, area = match["sheet"] or match["only"], match["area"]
            if written is None and area is None:
                return match[0]
            name = _plain(written) if written else sheet
            if "[" in name:
                return match[0]  # another workbook
            said = f"'{self.renamed.get(name.casefold(), name)}'!" if written else ""
            shift = self.shifts.get(name.casefold())
            return said + (_shifted(area, shift) if area and shift else area or "")

        return _PIECE.sub(one, formula)


def found_shift(before: Sheet, after: Sheet) -> Shift | None:
    """Block of rows, else of columns, that one of two sheets has and the other has not."""
    ends = _end(before), _end(after)
    for axis in (0, 1):
        if ends[0][axis] != ends[1][axis]:
            shift = _along(_lines(before, axis), _lines(after, axis), axis)
            if shift is not None:
                return shift
    return None


def shifts_found(pairs: Mapping[str, tuple[Sheet, Sheet]]) -> dict[str, Shift]:
    """Blocks of each pair of sheets that has one, by the key of the pair."""
    found = {key: found_shift(*pair) for key, pair in pairs.items() if pair[0].xml != pair[1].xml}
    return {key: shift for key, shift in found.items() if shift is not None}


def _end(sheet: Sheet) -> Spot:
    """Last row and last column in which anything stands."""
    spots = [
        spot
        for spot, cell in sheet.cells.items()
        if cell.value is not None or cell.formula is not None
    ]
    rows, columns = zip(*spots, strict=True) if spots else ((0,), (0,))
    return max(rows), max(columns)


Line = tuple[frozenset[tuple[int, str]], frozenset[tuple[int, object]]]
"""What a row or column looks like: its texts and formulas without numbers; its constants."""
_EMPTY: Final[Line] = (frozenset(), frozenset())


def _lines(sheet: Sheet, axis: int) -> dict[int, Line]:
    looks: dict[int, set[tuple[int, str]]] = {}
    constants: dict[int, set[tuple[int, object]]] = {}
    for spot, cell in sheet.cells.items():
        if cell.formula is None and cell.value is None:
            continue
        at, across = spot[axis], spot[1 - axis]
        if cell.formula is not None:
            look = "=" + _REFERENCE.sub("#", cell.formula)
        else:
            look = f"'{cell.value}" if isinstance(cell.value, str) else "0"
            constants.setdefault(at, set()).add((across, cell.value))
        looks.setdefault(at, set()).add((across, look))
    return {at: (frozenset(found), frozenset(constants.get(at, ()))) for at, found in looks.items()}


def _along(before: dict[int, Line], after: dict[int, Line], axis: int) -> Shift | None:
    last_before, last_after = max(before, default=0), max(after, default=0)
    count = abs(last_after - last_before)
    narrow, wide = (before, after) if last_after > last_before else (after, before)
    last = min(last_before, last_after)
    if not count or not narrow:
        return None
    # Lines before the block stand where they stood, those behind it `count` further.
    still, shifted = [(0, 0)], [(0, 0)]
    for at in range(1, last + 1):
        line = narrow.get(at, _EMPTY)
        for sums, other in ((still, wide.get(at, _EMPTY)), (shifted, wide.get(at + count, _EMPTY))):
            alike = line is not _EMPTY and line[0] == other[0]
            equal = alike and line[1] == other[1]
            sums.append((sums[-1][0] + alike, sums[-1][1] + equal))

    def score(kept: int) -> tuple[int, int]:
        behind = [a - b for a, b in zip(shifted[last], shifted[kept], strict=True)]
        return still[kept][0] + behind[0], still[kept][1] + behind[1]

    # Where lines are alike the later place counts: what was only added at the end is no block.
    best = max(range(last + 1), key=lambda kept: (sum(score(kept)), kept))
    fits = score(best)[0] >= _FITS * len(narrow)
    if best == last or not fits or sum(score(best)) <= sum(score(last)):
        return None
    return Shift(("rows", "columns")[axis], wide is after, best + 1, count)


def _shifted(area: str, shift: Shift) -> str:
    def end(text: str) -> str:
        match = _END.fullmatch(text)
        assert match is not None
        fixed, letters, fixed_row, digits = match.groups()
        if letters and shift.axis == "columns":
            letters = column_letters(shift.moved(column_number(letters.upper())))
        if digits and shift.axis == "rows":
            digits = str(shift.moved(int(digits)))
        return f"{fixed}{letters}{fixed_row}{digits}"

    return ":".join(end(part) for part in area.split(":"))


def _plain(written: str) -> str:
    name = written.removesuffix("!")
    return name[1:-1].replace("''", "'") if name.startswith("'") else name
