"""Formulas with Excel's value and the engine's: the documented ones, and those that Excel saved."""

import csv
import dataclasses
import functools
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import formualizer
import pytest
from excel_names import EXCEL_NAMES

from xltoken.recalc import conformance
from xltoken.recalc.engine import NO_RESULT, Engine
from xltoken.recalc.formulas import (
    bare_name,
    function_names,
    reads_other_workbook,
    skipped_filled,
)
from xltoken.recalc.package import Package, Place, read
from xltoken.recalc.sheetxml import Cell, ErrorText, Value, address, corners, reference
from xltoken.recalc.survey import text_of

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus" / "excel-saved"
GOLDEN = ROOT / "tests" / "golden" / "excel_functions.csv"
DATA = ROOT / "xltoken" / "recalc" / "data"

SHEET = "Sheet1"
ANCHOR = (1, 14)
"""Where the formula of a golden case stands, right of its inputs."""
CHANGING = frozenset({"NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "INFO", "CELL"})
"""Functions whose saved value says nothing about another day or machine."""
NO_VALUES = {ErrorText(text) for text in ("#CIRC!", "#SPILL!", NO_RESULT)}
"""What the engine says where it has no result: a recalculation takes none of them for a value."""
DAY_FIRST = {f"TEXT__T_VALUE_VALUETOTEXT.xlsx!Sheet1!{place}" for place in ("C15", "I5")}
"""Cells that were saved where 2/3/2023 is the second of March."""
ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"}
AS_OPERATORS = {"SINGLE", "ANCHORARRAY"}
"""What files write for the operators @ and #, as which the engine reads them."""


class FormulaText(str):
    """A formula among the inputs of a golden case."""

    __slots__ = ()


Area = list[list[Value]]


@dataclass(frozen=True)
class Case:
    """A formula with Excel's value and the engine's.

    `functions` are the functions it calls, or the operators where it calls none; a golden case
    is there for one function, `subject`.
    """

    source: str
    formula: str
    functions: tuple[str, ...]
    expected: Area
    got: Area
    subject: str = ""
    spreads: bool = False
    """Whether the engine makes a range of it where Excel makes one value."""

    @functools.cached_property
    def right(self) -> bool:
        """Whether the engine's value is Excel's."""
        return alike(self.got, self.expected) and not self.spreads

    @property
    def without_result(self) -> bool:
        """Whether the engine gives no value at all: nobody can take it for Excel's."""
        return self.spreads or any(v in NO_VALUES for row in self.got for v in row)

    @property
    def beyond(self) -> bool:
        """Whether it calls a function that the engine lacks, or a name that is none of Excel's."""
        return any(name not in known() for name in self.functions)


@functools.cache
def everyday() -> dict[str, str]:
    """Name to group of the functions and operators that finance models live on."""
    with (DATA / "everyday.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["group"] for row in csv.DictReader(file)}


@functools.cache
def known() -> frozenset[str]:
    """Excel's functions that the engine has, and the operators."""
    return frozenset(name for name in EXCEL_NAMES if not _lacked(name)) | {
        name for name in everyday() if not name.isupper()
    }


def _lacked(name: str) -> bool:
    """Whether the engine knows a function of that name, whatever it answers to no arguments."""
    if name in AS_OPERATORS:
        return False
    engine = Engine.empty()
    try:
        engine.set_formula(SHEET, *ANCHOR, f"={name}()")
        engine.evaluate()
    except Exception:  # noqa: BLE001 - the engine raises types of its own
        return True
    return engine.values(SHEET, [ANCHOR])[ANCHOR] == ErrorText("#NAME?")


# The documentation's cases.


@functools.cache
def golden_rows() -> list[dict[str, str]]:
    """Rows of the golden cases: function, formula, inputs, expected, citation."""
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def golden_cases() -> list[Case]:
    """Every golden case, computed."""
    return [
        Case(
            "documentation",
            row["formula"],
            called(row["formula"]),
            constants(row["expected"]),
            computed(row["formula"], row["inputs"]),
            row["function"],
        )
        for row in golden_rows()
    ]


def computed(formula: str, inputs: str) -> Area:
    """Value of a formula on a sheet with these inputs, with everything that it spills."""
    engine = Engine.empty()
    for (row, column), value in cells_of(inputs).items():
        if isinstance(value, FormulaText):
            engine.set_formula(SHEET, row, column, value)
        else:
            engine.set(SHEET, row, column, value)
    try:
        engine.set_formula(SHEET, *ANCHOR, skipped_filled(formula))
        engine.evaluate()
    except Exception as error:  # noqa: BLE001 - the engine raises types of its own
        return [[f"{type(error).__name__}: {error}"]]
    return [[_shown(value) for value in row] for row in engine.spill(SHEET, *ANCHOR)]


_INPUT = re.compile(r'([A-Z]+[0-9]+)=(\{(?:"(?:[^"]|"")*"|[^"}])*\}|"(?:[^"]|"")*"|[^;]*)(?:;|$)')
_ITEM = re.compile(r'("(?:[^"]|"")*"|[^,;"]*)([,;]|$)')


def cells_of(inputs: str) -> dict[tuple[int, int], Value]:
    """Cells of a text such as ``A1=1;B1={1,2;"x",}``; an array fills cells from its place on."""
    found: dict[tuple[int, int], Value] = {}
    end = 0
    for match in _INPUT.finditer(inputs):
        assert match.start() == end, inputs
        end = match.end()
        place = reference(match[1])
        assert place is not None, inputs
        for i, line in enumerate(constants(match[2])):
            for j, value in enumerate(line):
                if value is not None:
                    found[place[0] + i, place[1] + j] = value
    assert end == len(inputs), inputs
    return found


def constants(text: str) -> Area:
    """Rows of a constant, or of an array of constants in braces; nothing is a blank."""
    if not text.startswith("{"):
        return [[_constant(text)]]
    rows: Area = [[]]
    for match in _ITEM.finditer(text[1:-1]):
        rows[-1].append(_constant(match[1].strip()))
        if match[2] == ";":
            rows.append([])
        elif not match[2]:
            break
    return rows


def _constant(text: str) -> Value:
    if not text:
        return None
    if text.startswith('"'):
        return text[1:-1].replace('""', '"')
    if text.startswith("#"):
        return ErrorText(text)
    if text in ("TRUE", "FALSE"):
        return text == "TRUE"
    return FormulaText(text) if text.startswith("=") else float(text)


# The workbooks that Excel saved.


def corpus_cases() -> list[Case]:
    """Every formula of the corpus that Excel's saved value judges, computed."""
    with pytest.MonkeyPatch.context() as patch:
        # The table that is to be measured must not say what is loaded.
        patch.setattr(conformance, "unsupported", lambda names, formula: ())
        paths = [path for path in sorted(CORPUS.glob("*.xlsx")) if _saved_by_excel(path)]
        return [case for path in paths for case in book_cases(read(path))]


def _saved_by_excel(path: Path) -> bool:
    """Whether a file says that Excel saved it: a few of the folder come from other programs."""
    with zipfile.ZipFile(path) as archive:
        try:
            properties = archive.read("docProps/app.xml").decode("utf-8")
        except KeyError:
            return False
    return re.search(r"<Application>[^<]*Excel", properties) is not None


def book_cases(package: Package) -> Iterator[Case]:
    """Yield the formulas of a book, each computed from inputs that are as Excel saved them.

    Of the cells that differ, those that read no other such cell are wrong by themselves; they
    are replaced by their saved values, and the rest is computed again.
    """
    tracer = Engine.of(package)
    formulas = {(sheet.name, c.row, c.column): c for sheet, c in package.formulas()}
    texts = {p: text_of(package.sheets[p[0]], p[1:]) for p in formulas}
    rich = set(_rich_errors(package))
    held = {p for p, cell in formulas.items() if _unjudged(cell, texts[p])}
    held |= {p for p in formulas if rich and _reads(tracer, p, rich)}
    beyond = {p for p in formulas if any(n not in known() for n in called(texts[p]))}
    saved = {p: _saved(package, p, cell) for p, cell in formulas.items()}
    frozen: dict[Place, Case] = {}
    while True:
        engine = Engine.of(package, held | beyond | set(frozen))
        engine.evaluate()
        got = {
            p: _computed(engine, package, p, texts[p], saved[p])
            for p in formulas
            if p not in held | set(frozen)
        }
        unlike = {p: case for p, case in got.items() if p not in beyond and not case.right}
        if not unlike:
            break
        cells = {p: set(_places(p, formulas[p])) for p in unlike}
        frozen |= {p: unlike[p] for p in _roots(tracer, cells)}
    unspilled = any(formulas[p].kind == "array" for p in frozen)
    for place, case in sorted({**got, **frozen}.items()):
        if all(value is None for row in saved[place] for value in row):
            continue
        if unspilled and "ANCHORARRAY" in case.functions:
            continue  # what was frozen no longer spills
        if place in beyond:
            yield dataclasses.replace(case, got=[[ErrorText("#NAME?")]], spreads=False)
        elif case.source not in DAY_FIRST:
            yield case


def _computed(engine: Engine, package: Package, place: Place, text: str, saved: Area) -> Case:
    """Formula of a book with its saved value and the engine's."""
    cell = package.sheets[place[0]].formulas[place[1:]]
    places = [(row, column) for _, row, column in _places(place, cell)]
    values = engine.values(place[0], places)
    extent = engine.extent(*place) if len(places) == 1 else None
    return Case(
        f"{package.path.name}!{place[0]}!{address(*place[1:])}",
        text,
        called(text),
        saved,
        [[_shown(values[p]) for p in places]],
        spreads=extent is not None and extent[0] != extent[1],
    )


def _rich_errors(package: Package) -> Iterator[Place]:
    """Cells whose error the file keeps beside them: #SPILL! and the like stand there as #VALUE!."""
    for sheet in package.sheets.values():
        for match in re.finditer(rb'<c r="([A-Z]+[0-9]+)"([^>]*)>', sheet.xml):
            if b't="e"' in match[2] and b'vm="' in match[2]:
                spot = reference(match[1].decode())
                assert spot is not None
                yield (sheet.name, *spot)


def _reads(tracer: Engine, place: Place, cells: set[Place]) -> bool:
    """Whether a formula reads one of the cells, as far as can be told."""
    areas = tracer.precedents(*place)
    return areas is None or any(
        s == a[0] and a[1] <= r <= a[3] and a[2] <= c <= a[4] for a in areas for s, r, c in cells
    )


def _roots(tracer: Engine, unlike: dict[Place, set[Place]]) -> set[Place]:
    """Of the cells that differ those that read no other; all where each reads another."""
    roots = {
        place
        for place in unlike
        if not _reads(
            tracer, place, set().union(*(cells for p, cells in unlike.items() if p != place))
        )
    }
    return roots or set(unlike)


def _unjudged(cell: Cell, text: str) -> bool:
    changing = any(name in CHANGING for name in called(text))
    return changing or cell.kind == "dataTable" or reads_other_workbook(text)


def _places(place: Place, cell: Cell) -> list[Place]:
    """Place of a formula and of the cells over which an array formula goes."""
    sheet, row, column = place
    first, last = corners(cell.spill) or ((row, column), (row, column))
    return [
        (sheet, r, c) for r in range(first[0], last[0] + 1) for c in range(first[1], last[1] + 1)
    ]


def _saved(package: Package, place: Place, cell: Cell) -> Area:
    found = (package.cell(*p) for p in _places(place, cell))
    return [[_read(c.value) if c else None for c in found]]


def _read(value: Value) -> Value:
    """Saved value as a reader of XML sees it: with one sign at the end of a line."""
    return value.replace("\r\n", "\n") if type(value) is str else value


def _shown(value: Value) -> Value:
    """Value as a cell shows it: a formula that reads a blank cell shows 0."""
    return 0.0 if value is None else value


# What both have in common.


@functools.cache
def called(formula: str) -> tuple[str, ...]:
    """Functions that a formula calls, or its operators where it calls none."""
    names = dict.fromkeys(bare_name(name) for name in function_names(formula))
    if names:
        return tuple(name for name in names if not name.startswith("_XLPM."))
    body = formula if formula.startswith("=") else f"={formula}"
    found = {}
    for token in formualizer.tokenize(body).tokens():
        kind = str(token.token_type)
        if kind.startswith("Op") and kind != "Operand":
            sign = token.value.strip()
            found["negation" if kind == "OpPrefix" and sign == "-" else sign] = None
    return tuple(name for name in found if name in everyday())


def alike(got: Area, expected: Area) -> bool:
    """Whether two areas hold the same values; nothing saved is not judged."""
    return [len(row) for row in got] == [len(row) for row in expected] and all(
        _same(a, b)
        for one, other in zip(got, expected, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def _same(got: Value, expected: Value) -> bool:
    if expected is None:
        return True
    if isinstance(got, bool) or isinstance(expected, bool):
        return got is expected
    if isinstance(got, float) and isinstance(expected, float):
        return math.isclose(got, expected, rel_tol=1e-12, abs_tol=0.0)
    if expected in ERRORS:
        return got == expected  # some programs save an error as text
    return isinstance(got, ErrorText) == isinstance(expected, ErrorText) and got == expected
