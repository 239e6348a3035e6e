"""The calculation engine behind one small interface: formualizer, with our functions in it.

What an engine must do is what :class:`Engine` does; the rest of this folder knows no other.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import formualizer as fz

from xltoken.functions import FUNCTIONS, cells
from xltoken.recalc import package as files
from xltoken.recalc.formulas import (
    own_calls,
    own_name,
    plainly_spelled,
    registrable,
    skipped_filled,
)
from xltoken.recalc.package import FileError, Package, Place
from xltoken.recalc.sheetxml import Cell, ErrorText, Value, address, reference

NAME: Final = "formualizer"
SPELLINGS: Final = ("{}", "_xll.{}", "_xldudf_{}", "_xldudf_XLTOKEN_{}")

_BAND: Final = 1024
"""Rows read at once."""
_SPARSE: Final = 64
"""Places this thinly spread over their rectangle are read one by one."""

_KIND_OF: Final = {code: kind for kind, code in cells.ENGINE_ERRORS.items()}


class FormulaError(ValueError):
    """A formula that cannot be read."""


def check_syntax(formula: str) -> None:
    """Raise FormulaError where `formula` cannot be read."""
    try:
        fz.parse(formula)
    except Exception as error:  # noqa: BLE001 - the engine raises types of its own
        reason = " ".join(str(error).split())
        raise FormulaError(f"{formula} cannot be read as a formula: {reason}.") from None


class Engine:
    """A loaded book: set cells, evaluate, read values. Rows and columns count from 1."""

    def __init__(self, book: Any, *, date1904: bool = False) -> None:
        self._book = book
        self._date1904 = date1904
        self._defect: Exception | None = None
        self._registered: set[str] = set()
        book.set_temporal_egress("serial")

    @classmethod
    def empty(cls, formula: str = "") -> "Engine":
        """Book with nothing but our functions, under the spellings of `formula` too."""
        engine = cls(fz.Workbook(config=_config(date1904=False)))
        engine._book.add_sheet("Sheet1")
        engine._register([*_usual_spellings(), *(spelled for spelled, _ in own_calls(formula))])
        return engine

    @classmethod
    def of(cls, package: Package, constants: Iterable[Place] = ()) -> "Engine":
        """Book of a package, with our functions under every spelling that it uses.

        The formulas at `constants` are taken out: their saved values stand there.

        Raises
        ------
        FileError
            If the engine cannot load it.
        """
        held = set(constants)
        # A shared formula is written once, at its master: part of a group cannot be taken out.
        one_by_one = _of_broken_groups(package, held)
        parts = files.held_parts(package, held - one_by_one)
        content = files.with_parts(package.content, parts)
        try:
            book = fz.Workbook.from_bytes(content, config=_config(date1904=package.date1904))
        except Exception as error:  # noqa: BLE001 - the engine raises types of its own
            reason = " ".join(str(error).split())[:200]
            raise FileError(f"{package.path}: the engine cannot load it ({reason}).") from None
        engine = cls(book, date1904=package.date1904)
        for place in one_by_one:
            cell = package.cell(*place)
            engine.set(*place, cell.value if cell else None)
        ours = [
            (sheet, cell)
            for sheet, cell in package.formulas()
            if own_calls(cell.formula or "") and (sheet.name, cell.row, cell.column) not in held
        ]
        used = {spelled for _, cell in ours for spelled, _ in own_calls(cell.formula or "")}
        engine._register([*_usual_spellings(), *sorted(used)])
        for sheet, cell in ours:
            engine._clean(sheet.name, cell)
        return engine

    def set(self, sheet: str, row: int, column: int, value: Value) -> None:
        """Put a constant into a cell, in place of a formula if there is one."""
        if isinstance(value, ErrorText):
            error = fz.LiteralValue.error(_KIND_OF.get(value, "Value"), None)
            self._book.set_value(sheet, row, column, error)
        else:
            self._book.set_value(sheet, row, column, value)

    def set_formula(self, sheet: str, row: int, column: int, formula: str) -> None:
        """Put a formula into a cell."""
        self._book.set_formula(sheet, row, column, formula)

    def formula(self, sheet: str, row: int, column: int) -> str | None:
        """Formula of a cell as the engine understood it."""
        found = self._book.get_formula(sheet, row, column)
        if not found:
            return None
        text = str(found)
        return text if text.startswith("=") else f"={text}"

    def evaluate(self) -> None:
        """Bring every value up to date; a defect of ours inside a function is raised here."""
        self._book.evaluate_all()
        if self._defect is not None:
            raise self._defect

    def values(self, sheet: str, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Value]:
        """Values at `places` of a sheet, read in bulk where they stand close together."""
        found: dict[tuple[int, int], Value] = {}
        handle = self._book.sheet(sheet)
        for _, band in itertools.groupby(sorted(places), key=lambda place: place[0] // _BAND):
            cells_of_band = list(band)
            top, bottom = cells_of_band[0][0], cells_of_band[-1][0]
            left = min(column for _, column in cells_of_band)
            right = max(column for _, column in cells_of_band)
            if (bottom - top + 1) * (right - left + 1) > _SPARSE * len(cells_of_band):
                for row, column in cells_of_band:
                    found[row, column] = _value(self._book.get_value(sheet, row, column))
                continue
            grid = handle.get_values(fz.RangeAddress(sheet, top, left, bottom, right))
            for row, column in cells_of_band:
                found[row, column] = _value(grid[row - top][column - left])
        return found

    def spill(self, sheet: str, row: int, column: int) -> list[list[Value]]:
        """Value of a cell with everything that it spills."""
        snapshot = self._book.inspect_cell(f"'{sheet}'!{address(row, column)}").cell
        extent = snapshot.spill.extent if snapshot.spill else None
        if not extent:
            return [[_value(self._book.get_value(sheet, row, column))]]
        first, last = (reference(part) for part in str(extent).rpartition("!")[2].split(":"))
        assert first is not None
        assert last is not None
        found = fz.RangeAddress(sheet, *first, *last)
        return [[_value(v) for v in line] for line in self._book.sheet(sheet).get_values(found)]

    def spills(self, sheet: str, row: int, column: int) -> bool:
        """Whether a cell's value goes over more cells than its own."""
        where = f"{_quoted(sheet)}!{address(row, column)}"
        spill = self._book.inspect_cell(where, include_values=False).cell.spill
        return bool(spill and spill.extent and ":" in str(spill.extent))

    def precedents(self, sheet: str, place: str) -> list[tuple[str, int, int, int, int]] | None:
        """Areas a formula reads: sheet, first row and column, last ones; None if not all known."""
        try:
            report = self._book.precedents(f"{_quoted(sheet)}!{place}", max_links=100_000)
        except Exception:  # noqa: BLE001 - the engine raises types of its own for what it cannot trace
            return None
        areas = []
        for link in report.to_dict()["precedents"]:
            target = link["reference"]
            if target["kind"] == "Name":
                target = target.get("resolution") or target
            text = target.get("resolved") or target.get("address")
            area = _area(text) if text else None
            if area is None:
                return None
            areas.append(area)
        return None if report.truncation.incomplete else areas

    def _clean(self, sheet: str, cell: Cell) -> None:
        """Write a formula of ours as the engine wants it: nothing skipped, a name it can know."""
        text = cell.formula if cell.moved else self.formula(sheet, cell.row, cell.column)
        clean = skipped_filled(text or "")
        if not all(registrable(spelled) for spelled, _ in own_calls(clean)):
            clean = plainly_spelled(clean)
        if clean != text:
            self.set_formula(sheet, cell.row, cell.column, clean)

    def _register(self, spellings: Iterable[str]) -> None:
        for spelled in spellings:
            if spelled.casefold() not in self._registered and registrable(spelled):
                self._registered.add(spelled.casefold())
                self._book.register_function(spelled, self._callback(own_name(spelled)))

    def _callback(self, name: str) -> Callable[..., Any]:
        function = FUNCTIONS[name]

        def compute(*arguments: Any) -> Any:
            token = cells.host.set("engine")
            try:
                result = cells.call(function, arguments, date1904=self._date1904)
                return _engine_value(cells.outgoing(result, date1904=self._date1904))
            except Exception as defect:
                # The engine would swallow it and show #VALUE!; a defect must not look like one.
                self._defect = self._defect or defect
                raise
            finally:
                cells.host.reset(token)

        return compute


def _of_broken_groups(package: Package, held: set[Place]) -> set[Place]:
    """Places among `held` whose shared formula has members that are not held."""
    groups: dict[tuple[str, str], set[Place]] = {}
    for sheet, cell in package.formulas():
        if cell.kind == "shared":
            members = groups.setdefault((sheet.name, cell.group), set())
            members.add((sheet.name, cell.row, cell.column))
    broken = (members & held for members in groups.values() if not members <= held)
    return set().union(*broken)


def lacks(names: Iterable[str]) -> list[str]:
    """Return those of the functions, as written, that the engine does not have."""
    return [name for name in names if not own_name(name) and not _has(name)]


_known: dict[str, bool] = {}


def _has(name: str) -> bool:
    if name not in _known:
        book = fz.Workbook(config=_config(date1904=False))
        book.add_sheet("Sheet1")
        try:
            book.set_formula("Sheet1", 1, 1, f"={name}()")
            value = _value(book.evaluate_cell("Sheet1", 1, 1))
        except Exception:  # noqa: BLE001 - an unknown name may already fail to parse
            value = ErrorText("#NAME?")
        _known[name] = value != "#NAME?"
    return _known[name]


def _usual_spellings() -> list[str]:
    return [pattern.format(name) for name in FUNCTIONS for pattern in SPELLINGS]


def _config(*, date1904: bool) -> Any:
    evaluation = fz.EvaluationConfig()
    # Python callbacks are five times slower on the engine's threads.
    evaluation.enable_parallel = False
    if date1904:
        evaluation.date_system = "1904"
    return fz.WorkbookConfig(eval_config=evaluation)


def _value(value: Any) -> Value:
    if isinstance(value, Mapping):
        return ErrorText(cells.ENGINE_ERRORS.get(str(value.get("kind")), "#VALUE!"))
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return ErrorText("#NUM!")
    if value is None or isinstance(value, float | str | bool):
        return value
    if isinstance(value, list):
        return _value(value[0][0])
    return str(value)


def _engine_value(value: Any) -> Any:
    if isinstance(value, list):
        return [[_engine_value(cell) for cell in row] for row in value]
    if isinstance(value, cells.CellError):
        return fz.LiteralValue.error(_KIND_OF.get(str(value), "Value"), value.message or None)
    return value


def _quoted(sheet: str) -> str:
    escaped = sheet.replace("'", "''")
    return f"'{escaped}'"


def _unquoted(sheet: str) -> str:
    if sheet.startswith("'") and sheet.endswith("'"):
        return sheet[1:-1].replace("''", "'")
    return sheet


def _area(text: str) -> tuple[str, int, int, int, int] | None:
    name, _, where = text.rpartition("!")
    corners = [reference(part.replace("$", "")) for part in where.split(":")]
    first, last = corners[0], corners[-1]
    if not name or first is None or last is None:
        return None
    return (_unquoted(name), *first, *last)
