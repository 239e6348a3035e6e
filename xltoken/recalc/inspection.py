"""A workbook looked into: its errors and their causes, its copies, and what its formulas read."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from xltoken.files import FileError
from xltoken.functions.cells import listening
from xltoken.recalc.consistency import Break, breaks
from xltoken.recalc.copies import area_text, filled, rectangles, relative_texts, size
from xltoken.recalc.formulas import bare_name, function_names
from xltoken.recalc.judge import Book
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetxml import ErrorText, Spot, reference
from xltoken.recalc.survey import Survey, survey, text_of

Areas = list[tuple[str, int, int, int, int]]
"""Rectangles: sheet, first row and column, last row and column."""


class Inspection:
    """A workbook whose parts are worked out when somebody asks for them."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.problem = ""
        """Why the workbook cannot be calculated; empty where it can."""

    @cached_property
    def judged(self) -> Book | None:
        """The workbook calculated with its inputs as saved; None where the engine refuses it."""
        try:
            with listening():
                return Book(self.package)
        except FileError as error:
            self.problem = str(error).removeprefix(f"{self.package.path}: ")
            return None

    @cached_property
    def survey(self) -> Survey:
        """What the formulas are."""
        return self.judged.survey if self.judged else survey(self.package)

    @cached_property
    def not_computed(self) -> dict[Place, str]:
        """Formulas that the engine may not be asked for, each with the reason."""
        if self.judged is None:
            found = self.survey.unsupported
        else:
            frozen = self.judged.frozen.items()
            found = {place: f.function for place, f in frozen if f.status == "unsupported"}
        return {place: found[place] for place in self.in_order(found)}

    @cached_property
    def texts(self) -> dict[str, dict[Spot, str]]:
        """Relative text of every formula, by sheet."""
        return {name: relative_texts(sheet) for name, sheet in self.package.sheets.items()}

    @cached_property
    def breaks(self) -> dict[str, list[Break]]:
        """Cells that are unlike the copies around them, by sheet."""
        sheets = self.package.sheets.items()
        return {name: breaks(sheet, self.texts[name]) for name, sheet in sheets}

    @cached_property
    def filled(self) -> dict[str, set[Spot]]:
        """Cells under array formulas and data tables, by sheet."""
        sheets = self.package.sheets.items()
        return {name: filled(sheet.formulas.values()) for name, sheet in sheets}

    @cached_property
    def errors(self) -> tuple[list[Place], list[Place]]:
        """Cells that show an error: those that read no other one, and the rest."""
        shown = {
            (name, *spot): cell
            for name, sheet in self.package.sheets.items()
            for spot, cell in sheet.cells.items()
            if cell.value.__class__ is ErrorText
        }
        known = _Spread(shown)
        roots: list[Place] = []
        others: list[Place] = []
        for place, cell in shown.items():
            reads = self._reads(place) if cell.formula is not None else None
            (others if reads and known.any_in(reads) else roots).append(place)
        return (roots, others) if roots else (others, [])

    def formula(self, place: Place) -> str:
        """Formula of a cell as Excel shows it."""
        return f"={text_of(self.package.sheets[place[0]], place[1:])}"

    def in_order(self, places: Iterable[Place]) -> list[Place]:
        """Places in the order of the sheets, row by row."""
        order = {name: number for number, name in enumerate(self.package.sheets)}
        return sorted(places, key=lambda place: (order[place[0]], *place[1:]))

    def alike(self, places: Iterable[Place]) -> Iterator[tuple[str, str, int, Place]]:
        """Copies of one formula, or constants, as areas: sheet, area, size and first cell."""
        groups: dict[tuple[str, str], list[Spot]] = {}
        for name, *spot in self.in_order(places):
            at = (spot[0], spot[1])
            groups.setdefault((name, self.texts[name].get(at, "")), []).append(at)
        for (name, _), spots in groups.items():
            for area in rectangles(spots):
                yield name, area_text(area), size(area), (name, area[0], area[1])

    def _reads(self, place: Place) -> Areas | None:
        if self.judged is None:
            return None
        frozen = self.judged.frozen.get(place)
        return frozen.reads if frozen else self.judged.engine.precedents(*place)

    @cached_property
    def read_though_empty(self) -> dict[str, dict[Spot, list[Place]]]:
        """Cells that do not exist, by sheet and spot, with the formulas that name them one by one.

        A cell that was ever formatted exists: it may be meant to be blank.
        """
        sheets = {name.casefold(): sheet for name, sheet in self.package.sheets.items()}
        found: dict[str, dict[Spot, list[Place]]] = {}
        parsed: dict[str, list[re.Match[str]]] = {}
        for name, texts in self.texts.items():
            for spot, text in texts.items():
                if text not in parsed:
                    parsed[text] = _cells_named(text)
                for match in parsed[text]:
                    written = match["sheet"]
                    target = sheets.get((_unquoted(written) if written else name).casefold())
                    at = _number(match["row"], spot[0]), _number(match["column"], spot[1])
                    if target is not None and at not in target.cells:
                        found.setdefault(target.name, {}).setdefault(at, []).append((name, *spot))
        return found

    @cached_property
    def summed_texts(self) -> dict[Place, Place]:
        """Numbers kept as text in a range that a sum is given, each with the cell of a sum."""
        texts = {
            name: [
                spot
                for spot, cell in sheet.cells.items()
                if cell.value.__class__ is str
                if cell.formula is None and _NUMBER.fullmatch(str(cell.value))
            ]
            for name, sheet in self.package.sheets.items()
        }
        found: dict[Place, Place] = {}
        if not any(texts.values()):
            return found
        for name, sheet in self.package.sheets.items():
            for spot in sheet.formulas:
                for match in _SUM.finditer(text_of(sheet, spot)):
                    for target, first, last in _ranges(match[1], name):
                        for at in texts.get(target, ()):
                            if first[0] <= at[0] <= last[0] and first[1] <= at[1] <= last[1]:
                                found.setdefault((target, *at), (name, *spot))
        return found


class _Spread:
    """Places asked for by areas: quick however large the area, however many the places."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.columns: dict[str, dict[int, list[int]]] = {}
        for name, row, column in sorted(places):
            self.columns.setdefault(name, {}).setdefault(column, []).append(row)

    def any_in(self, areas: Areas) -> bool:
        for name, top, left, bottom, right in areas:
            columns = self.columns.get(name, {})
            for column in range(left, right + 1) if right - left < len(columns) else columns:
                rows = columns.get(column, ())
                at = bisect_left(rows, top)
                if left <= column <= right and at < len(rows) and rows[at] <= bottom:
                    return True
        return False


_ASKS_WHETHER_BLANK: Final = frozenset(
    {
        *("AREAS", "CELL", "COLUMN", "COLUMNS", "COUNTA", "COUNTBLANK", "FORMULATEXT", "ISBLANK"),
        *("ISREF", "OFFSET", "ROW", "ROWS"),
    }
)
_ONE_CELL: Final = re.compile(
    r'"(?:[^"]|"")*"'
    r"|(?<![:\w.)\]])(?:(?P<sheet>'(?:[^']|'')*'|[^\s!'\"(),;:+\-*/^&=<>{}\[\]]+)!)?"
    r"R(?P<row>\[-?\d+\]|\d+)C(?P<column>\[-?\d+\]|\d+)(?![:\w#(\[]|\s*(?:=|<>)\s*\"\")"
)
_SUM: Final = re.compile(r"(?<![\w.])SUM\(([^()\"]*)\)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\s*[-+]?\d[\d,]{0,17}(?:\.\d+)?%?\s*")


def _cells_named(text: str) -> list[re.Match[str]]:
    """References to single cells in a relative text that does not ask whether they are blank."""
    if not _ASKS_WHETHER_BLANK.isdisjoint(map(bare_name, function_names(text))):
        return []
    return [match for match in _ONE_CELL.finditer(text) if match["row"]]


def _number(written: str, here: int) -> int:
    """Row or column that ``[-1]`` or ``5`` means in a formula that stands `here`."""
    return here + int(written[1:-1]) if written.startswith("[") else int(written)


def _ranges(arguments: str, sheet: str) -> Iterator[tuple[str, Spot, Spot]]:
    """Ranges among the arguments of a sum: sheet, first and last cell."""
    for argument in arguments.split(","):
        written, _, area = argument.strip().rpartition("!")
        ends = [reference(end.replace("$", "")) for end in area.split(":")]
        if len(ends) == 2 and ends[0] and ends[1]:
            yield _unquoted(written) if written else sheet, ends[0], ends[1]


def _unquoted(name: str) -> str:
    return name[1:-1].replace("''", "'") if name.startswith("'") else name
