"""The calculation engine behind one small interface: formualizer, with our functions in it.

What an engine must do is what :class:`Engine` does; the rest of this folder knows no other.
"""

import io
import itertools
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import formualizer as fz

from xltoken.catalog import store
from xltoken.files import FileError
from xltoken.functions import FUNCTIONS, cells
from xltoken.recalc.builtins import DATED, REPLACED
from xltoken.recalc.formulas import own_calls, own_name, registrable
from xltoken.recalc.graph import Areas
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetpatch import without_formulas
from xltoken.recalc.sheetxml import ErrorText, Sheet, Spot, Value, address, corners, reference
from xltoken.recalc.survey import Survey, survey

NAME: Final = "formualizer"
NO_RESULT: Final = "#ENGINE!"
"""An error of the engine that Excel does not have."""

_ITERATE: Final = re.compile(rb"""\siterate=["'][^"']*["']""")
_LONGEST: Final = 32_767
"""Letters that a cell can hold."""
_BAND: Final = 1 << 14
"""Rows read at once."""
_SPARSE: Final = 64
"""Places this thinly spread over their rectangle are read one by one."""

_KIND_OF: Final = {code: kind for kind, code in cells.ENGINE_ERRORS.items()}
_NEWER: Final = tuple(mark for mark, code in cells.EXCEL_CODES.items() if code > 2042)
"""Error values that came after #N/A, which the loader does not know."""
UNNAMED: Final = frozenset(mark for mark in _NEWER if mark not in _KIND_OF)
"""Those that the engine has no name for: there they are #VALUE!."""
_NEWER_ERROR: Final = re.compile(
    rb"(<(?:[A-Za-z_][\w.-]*:)?v>)(?:" + "|".join(map(re.escape, _NEWER)).encode() + rb")"
)
_UNREADABLE_ERROR: Final = "Unsupported cell error value"
"""What the loader says of them."""


class FormulaError(ValueError):
    """A formula that cannot be read."""


def check_syntax(formula: str) -> None:
    """Raise FormulaError where `formula` cannot be read."""
    try:
        fz.parse(formula)
    except Exception as error:  # noqa: BLE001 - the engine raises types of its own
        reason = " ".join(str(error).split())
        raise FormulaError(f"{formula} cannot be read as a formula: {reason}.") from None


def readable(formula: str) -> bool:
    """Whether the engine can read a formula."""
    try:
        check_syntax(formula)
    except FormulaError:
        return False
    return True


class Engine:
    """A loaded book: set cells, evaluate, read values. Rows and columns count from 1."""

    def __init__(self, book: Any, *, date1904: bool = False) -> None:
        self._book = book
        self._date1904 = date1904
        self._defects: list[BaseException] = []
        self._registered: set[str] = set()
        book.set_temporal_egress("serial")
        for name, function in REPLACED.items():
            # The engine's own functions know the 1904 date system; the replacements do not.
            if not (date1904 and name.rpartition(".")[2] in DATED):
                book.register_function(name, function, allow_override_builtin=True)

    @classmethod
    def empty(cls, formula: str = "") -> "Engine":
        """Book with nothing but our functions, under the spellings of `formula` too."""
        engine = cls(fz.Workbook(config=_config(date1904=False)))
        engine._book.add_sheet("Sheet1")
        engine._register(spelled for spelled, _ in own_calls(formula))
        return engine

    @classmethod
    def of(
        cls,
        package: Package,
        constants: Iterable[Place] = (),
        known: Survey | None = None,
        loading: "Future[Any] | None" = None,
    ) -> "Engine":
        """Book of a package, with our functions under every spelling that it uses.

        The formulas at `constants` are taken out: their saved values stand there. `loading` is
        what :func:`begun` gave: the file as it is, which serves where nothing must be taken out.

        Raises
        ------
        FileError
            If the engine cannot load it.
        """
        known = known or survey(package)
        held: dict[str, set[Spot]] = {}
        for sheet, row, column in constants:
            held.setdefault(sheet, set()).add((row, column))
        if loading is not None and not held and not known.arrays and not package.iterates:
            book, mended = loading.result()
            one_by_one: list[Place] = []
        else:
            content, one_by_one = _copy(package, held, known)
            book, mended = _load(package, content)
        lost = package.sheets.keys() - set(book.sheet_names)
        if lost:
            raise FileError(f"{package.path}: the engine cannot load its sheet {min(lost)}.")
        engine = cls(book, date1904=package.date1904)
        engine._register(known.spellings)
        for place in one_by_one:
            engine.set(*place, package.sheets[place[0]].formulas[place[1:]].value)
        if mended:
            for place, value in _newer_errors(package, held):
                engine.set(*place, value)
        for (sheet, row, column), text in known.rewritten.items():
            if (row, column) not in held.get(sheet, ()):
                engine.set_formula(sheet, row, column, text)
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
        token = cells.host.set("engine")
        try:
            with store.held():  # one catalog for one recalculation
                self._book.evaluate_all()
        finally:
            cells.host.reset(token)
        if self._defects:
            raise self._defects[0]

    def values(self, sheet: str, places: Iterable[Spot]) -> dict[Spot, Value]:
        """Values at `places` of a sheet, read in bulk where they stand close together."""
        spots = list(places)
        found: list[Any] = []
        for _, run in itertools.groupby(spots, key=lambda spot: spot[0] // _BAND):
            found.extend(self._read(sheet, list(run)))
        # Nearly every value is a number; infinities are told apart by their difference.
        clean = [v if v.__class__ is float and v - v == 0.0 else _value(v) for v in found]
        return dict(zip(spots, clean, strict=True))

    def _read(self, sheet: str, spots: list[Spot]) -> list[Any]:
        top, bottom = min(spots)[0], max(spots)[0]
        columns = [column for _, column in spots]
        left, right = min(columns), max(columns)
        if (bottom - top + 1) * (right - left + 1) > _SPARSE * len(spots):
            return [self._book.get_value(sheet, *spot) for spot in spots]
        area = fz.RangeAddress(sheet, top, left, bottom, right)
        grid = self._book.sheet(sheet).get_values(area)
        return [grid[row - top][column - left] for row, column in spots]

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

    def extent(self, sheet: str, row: int, column: int) -> tuple[Spot, Spot] | None:
        """First and last cell over which a formula spreads its value; None for its own alone."""
        where = f"{_quoted(sheet)}!{address(row, column)}"
        spill = self._book.inspect_cell(where, include_values=False).cell.spill
        if not spill or not spill.extent:
            return None
        return corners(str(spill.extent).rpartition("!")[2])

    def precedents(self, sheet: str, row: int, column: int) -> Areas | None:
        """Areas a formula reads: sheet, first row and column, last ones; None if not all known."""
        place = address(row, column)
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

    def _register(self, spellings: Iterable[str]) -> None:
        """Make our functions known under their plain names and other spellings."""
        for spelled in itertools.chain(FUNCTIONS, spellings):
            if spelled.casefold() not in self._registered and registrable(spelled):
                self._registered.add(spelled.casefold())
                self._book.register_function(spelled, self._callback(own_name(spelled)))

    def _callback(self, name: str) -> Callable[..., Any]:
        prepared = cells.prepared(FUNCTIONS[name], date1904=self._date1904)
        defects = self._defects  # not self, which would keep the engine alive in a circle

        def compute(*arguments: Any) -> Any:
            try:
                result = prepared(*arguments)
                return result if result.__class__ is float else _engine_value(result)
            except BaseException as defect:
                # The engine would swallow it and show #VALUE!, an interruption by hand too.
                defects.append(defect)
                raise

        return compute


def begun(package: Package) -> "Future[Any]":
    """Begin to load the file as it is, beside whatever else is done with it."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(_load, package, package.content)
    pool.shutdown(wait=False)
    return future


def _load(package: Package, content: bytes) -> tuple[Any, bool]:
    """Load a file; gives the book, and whether its newer error values had to be taken out."""
    config = _config(date1904=package.date1904)
    try:
        try:
            return fz.Workbook.from_bytes(content, config=config), False
        except Exception as error:
            if _UNREADABLE_ERROR not in str(error):
                raise
            sheets = (sheet.part for sheet in package.sheets.values())
            return fz.Workbook.from_bytes(_with_known_errors(content, sheets), config=config), True
    except Exception as error:  # noqa: BLE001 - the engine raises types of its own
        reason = " ".join(str(error).split())[:200]
        raise FileError(f"{package.path}: the engine cannot load it ({reason}).") from None


def _with_known_errors(content: bytes, sheets: Iterable[str]) -> bytes:
    """File in which saved error values that the loader does not know are others.

    Values of formulas are computed anyway; the constants are set after loading.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _stored(
            content, {s: _NEWER_ERROR.sub(rb"\1#VALUE!", archive.read(s)) for s in sheets}
        )


def _newer_errors(package: Package, held: Mapping[str, set[Spot]]) -> Iterator[tuple[Place, Value]]:
    """Constants, and formulas held at their values, that are errors the loader does not know."""
    for name, sheet in package.sheets.items():
        for spot, cell in sheet.cells.items():
            constant = cell.formula is None or spot in held.get(name, ())
            if constant and isinstance(cell.value, ErrorText) and cell.value in _NEWER:
                yield (name, *spot), cell.value


def _copy(
    package: Package, held: Mapping[str, set[Spot]], known: Survey
) -> tuple[bytes, list[Place]]:
    """File as the engine can load it, and held cells that must be set one by one afterwards.

    Saved values under array formulas would stand in the way of their results: they are left out.
    A shared formula is written once, at its master: part of its group cannot be taken out.
    """
    blanked: dict[str, list[Spot]] = {}
    for (name, *spot), (first, last) in known.arrays.items():
        if tuple(spot) in held.get(name, ()):
            continue
        taken = package.sheets[name].formulas
        blanked.setdefault(name, []).extend(
            child for child in spots_between(first, last) if child not in taken
        )
    parts: dict[str, bytes] = {}
    one_by_one: list[Place] = []
    for name in held.keys() | blanked.keys():
        sheet = package.sheets[name]
        wanted = held.get(name, set())
        broken = _of_broken_groups(sheet, wanted)
        one_by_one.extend((name, *spot) for spot in broken)
        parts[sheet.part] = without_formulas(sheet, wanted - broken, blanked.get(name, ()))
    if package.iterates:
        # What a circle comes to depends on what was computed before; to the engine it is an error.
        book = package.archive.read(package.book_part)
        parts[package.book_part] = _ITERATE.sub(b"", book)
    return _stored(package.content, parts), one_by_one


def _stored(content: bytes, parts: Mapping[str, bytes]) -> bytes:
    """Return the archive with some parts replaced, unpacked: it is read once and thrown away."""
    if not parts:
        return content
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as copy:
        for name in dict.fromkeys(source.namelist()):
            if name.endswith((".xml", ".rels")):
                part = parts.get(name)
                copy.writestr(name, source.read(name) if part is None else part)
    return buffer.getvalue()


def spots_between(first: Spot, last: Spot) -> Iterator[Spot]:
    """Every cell of an area, row by row."""
    for row in range(first[0], last[0] + 1):
        for column in range(first[1], last[1] + 1):
            yield row, column


def _of_broken_groups(sheet: Sheet, held: set[Spot]) -> set[Spot]:
    """Cells among `held` whose shared formula has members that are not held."""
    groups: dict[str, set[Spot]] = {}
    for spot in held:
        cell = sheet.formulas.marked.get(spot)
        if cell is not None and cell.kind == "shared":
            groups.setdefault(cell.group, set()).add(spot)
    if not groups:
        return set()
    members: dict[str, int] = {}
    for cell in sheet.formulas.marked.values():
        if cell.kind == "shared" and cell.group in groups:
            members[cell.group] = members.get(cell.group, 0) + 1
    broken = (spots for group, spots in groups.items() if len(spots) < members[group])
    return set().union(*broken)


def lacks(names: Iterable[str]) -> list[str]:
    """Return those of the functions, as written, that the engine does not have."""
    return [name for name in names if not own_name(name) and not _has(name)]


_known: dict[str, bool] = {}


def _has(name: str) -> bool:
    if name not in _known:
        engine = Engine.empty()
        try:
            engine.set_formula("Sheet1", 1, 1, f"={name}()")
            engine.evaluate()
            value = engine.values("Sheet1", [(1, 1)])[1, 1]
        except Exception:  # noqa: BLE001 - an unknown name may already fail to parse
            value = ErrorText("#NAME?")
        _known[name] = value != "#NAME?"
    return _known[name]


def _config(*, date1904: bool) -> Any:
    evaluation = fz.EvaluationConfig()
    # Python callbacks are five times slower on the engine's threads.
    evaluation.enable_parallel = False
    if date1904:
        evaluation.date_system = "1904"
    return fz.WorkbookConfig(eval_config=evaluation)


def _value(value: Any) -> Value:
    if isinstance(value, Mapping):
        # What is no error of Excel's (a cycle, nothing implemented) must not look like one.
        return ErrorText(cells.ENGINE_ERRORS.get(str(value.get("kind")), NO_RESULT))
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return ErrorText("#NUM!")
    if isinstance(value, str) and len(value) > _LONGEST:
        return ErrorText(NO_RESULT)
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
