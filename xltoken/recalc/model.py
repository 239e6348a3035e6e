"""A workbook kept loaded, to be asked again and again with other inputs.

Only what depends on a changed input is computed anew, and only the cells asked for are read.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from xltoken.functions.cells import Notebook, listening
from xltoken.recalc import package as files
from xltoken.recalc.engine import NO_RESULT, Engine, spots_between
from xltoken.recalc.formulas import may_become_range
from xltoken.recalc.graph import Areas
from xltoken.recalc.judge import Book, reads
from xltoken.recalc.package import Package, Place
from xltoken.recalc.settings import SettingError, cell_of, input_of
from xltoken.recalc.sheetxml import ErrorText, Spot, Value, address


class Model:
    """A judged book whose inputs can be changed many times over."""

    def __init__(self, package: Package) -> None:
        self.path: Path = package.path
        self.package = package
        with listening() as notebook:
            self._book = Book(package)
        self.notebook: Notebook = notebook
        self._inputs: dict[Place, Value] = {}
        self._watch: tuple[tuple[Place, ...], dict[str, list[Spot]]] | None = None
        self._narrow: tuple[tuple[Place, ...], Engine, dict[Place, Value]] | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read and judge a workbook.

        Raises
        ------
        FileError
            If it cannot be read.
        """
        return cls(files.read(path))

    def input(self, where: str) -> Place:
        """Place of an input that ``Sheet!B4`` or a defined name means.

        Raises
        ------
        SettingError
            If it is none: unknown, unused or a formula.
        """
        return input_of(self.package, where)

    def output(self, where: str) -> Place:
        """Place of a cell with a value that ``Sheet!B4`` or a defined name means.

        Raises
        ------
        SettingError
            If there is no such cell.
        """
        place = cell_of(self.package, where)
        if self.package.cell(*place) is None:
            name = f"{place[0]}!{address(*place[1:])}"
            raise SettingError(f"{where}: {name} is an empty cell of {self.path}.")
        return place

    def value(self, place: Place) -> Value:
        """Value of a cell now."""
        if place[1:] in self.package.sheets[place[0]].formulas:
            return self._computed([place])[0]
        return self._inputs.get(place, self._book.saved(place))

    def blocked(self, inputs: Sequence[Place], outputs: Sequence[Place]) -> dict[Place, str]:
        """Outputs that cannot follow those inputs, each with the cell that stands in the way."""
        causes = self._book.blocked_by(inputs)
        return {place: self._why(causes[place]) for place in outputs if place in causes}

    def _why(self, cause: Place) -> str:
        frozen = self._book.frozen[cause]
        where = f"{cause[0]}!{address(*cause[1:])}"
        return f"it depends on {where}, which is {frozen.status} ({frozen.function})"

    def run(self, changes: Mapping[Place, Value], outputs: Sequence[Place]) -> list[Value]:
        """Set inputs, compute what depends on them and what outputs rest on, and read outputs.

        Inputs that are not named keep what they have. It is fast where the outputs are those of
        the run before.
        """
        self._inputs.update(changes)
        return self._computed(outputs)

    def _computed(self, outputs: Sequence[Place]) -> list[Value]:
        engine, known = self._engine_for(tuple(outputs))
        for place, value in self._inputs.items():
            before = known.get(place, self)
            # TRUE is 1 in Python, and an error its text: only the same kind is the same value.
            if before.__class__ is not value.__class__ or before != value:
                engine.set(*place, value)
                known[place] = value
        engine.evaluate()
        by_sheet: dict[str, list[tuple[int, int]]] = {}
        for sheet, row, column in outputs:
            by_sheet.setdefault(sheet, []).append((row, column))
        found = {name: engine.values(name, spots) for name, spots in by_sheet.items()}
        blocked = self._book.blocked_by(self._inputs)
        # What came to be a range where one value is due may stand behind any output.
        lost = bool(self._book.spreading_in(engine, self._watched(outputs)))
        values: list[Value] = []
        for place in outputs:
            value = found[place[0]][place[1:]]
            if lost or place in blocked:
                values.append(ErrorText(NO_RESULT))
            else:  # a formula that reads a blank cell shows 0
                values.append(0.0 if value is None else value)
        return values

    def _watched(self, outputs: Sequence[Place]) -> dict[str, list[Spot]]:
        """Formulas behind the outputs whose value may come to be a range with other inputs."""
        key = tuple(outputs)
        if self._watch is None or self._watch[0] != key:
            self._watch = (key, may_spread(self._book, outputs))
        return self._watch[1]

    def reset(self) -> None:
        """Put the saved values of all inputs back."""
        self._inputs = {place: self._book.saved(place) for place in self._inputs}

    def _engine_for(self, outputs: tuple[Place, ...]) -> tuple[Engine, dict[Place, Value]]:
        """Engine for these outputs, and the inputs that were set in it."""
        if self._narrow is None or self._narrow[0] != outputs:
            self._narrow = (outputs, narrowed(self._book, outputs), {})
        return self._narrow[1], self._narrow[2]


def narrowed(book: Book, outputs: Iterable[Place]) -> Engine:
    """Engine that computes only what `outputs` rest on; every other formula is a constant."""
    needed = _upstream(book, outputs)
    if needed is None:
        return book.engine
    rest = {
        (name, *spot)
        for name, sheet in book.package.sheets.items()
        for spot in sheet.formulas
        if (name, *spot) not in needed
    }
    narrow = Engine.of(book.package, rest | book.frozen.keys(), book.survey)
    narrow.evaluate()
    return narrow


def may_spread(book: Book, outputs: Iterable[Place]) -> dict[str, list[Spot]]:
    """Formulas that `outputs` rest on and whose value may come to be a range."""
    needed = _upstream(book, outputs)
    found: dict[str, list[Spot]] = {}
    for name, spots in book.survey.spreading.items():
        formulas = book.package.sheets[name].formulas
        found[name] = [
            spot
            for spot in spots
            if (needed is None or (name, *spot) in needed) and may_become_range(formulas.text(spot))
        ]
    return found


def _upstream(book: Book, outputs: Iterable[Place]) -> set[Place] | None:
    """Formulas that `outputs` rest on; None if some of them may rest on anything."""
    # Whoever reads a cell under an array rests on its anchor, which no area tells.
    if any(place not in book.frozen for place in book.survey.arrays):
        return None
    seen: set[Place] = set()
    waiting = [p for p in outputs if p[1:] in book.package.sheets[p[0]].formulas]
    while waiting:
        place = waiting.pop()
        if place in seen or place in book.frozen:
            continue
        seen.add(place)
        areas = reads(book.engine, book.survey, place)
        if areas is None:
            return None
        waiting.extend(_formulas_in(book, areas))
    return seen


def _formulas_in(book: Book, areas: Areas) -> list[Place]:
    found: list[Place] = []
    for sheet, top, left, bottom, right in areas:
        formulas = book.package.sheets[sheet].formulas
        if (bottom - top + 1) * (right - left + 1) <= len(formulas):
            spots: Iterable[Spot] = spots_between((top, left), (bottom, right))
            found.extend((sheet, *spot) for spot in spots if spot in formulas)
        else:
            found.extend(
                (sheet, row, column)
                for row, column in formulas
                if top <= row <= bottom and left <= column <= right
            )
    return found
