"""The cells of a sheet's XML, read without a tree.

Nearly every file spells a formula cell in one way, which one expression reads at once; a sheet
with any other spelling (prefixes, comments, cells that do not say where they stand) is read cell
by cell.
"""

import functools
import html
import itertools
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from xltoken.files import FileError

Value = float | str | bool | None
"""A saved or computed value; errors are their text, told apart by :class:`ErrorText`."""


class ErrorText(str):
    """An error value such as ``#N/A``."""

    __slots__ = ()


Spot = tuple[int, int]
"""Row and column of a cell."""


class Cell(NamedTuple):
    """A cell of the sheet XML: `start` and `end` delimit its ``<c>`` element.

    `formula` is the text, None without one; a child of a shared formula (`kind` shared) has the
    text of its master, whose references are the master's own and not yet moved (`moved` False).
    `spill` is the area of an array formula or a data table; `dynamic` tells an array that may
    grow. `shape` is the formula's text with 0 for every digit: alike for most copies of it.
    """

    row: int
    column: int
    value: Value
    formula: str | None
    kind: str
    spill: str
    moved: bool
    group: str
    start: int
    end: int
    dynamic: bool = False
    shape: bytes = b""


@dataclass(slots=True)
class Sheet:
    """A worksheet part of the file `book`; its cells are read when somebody asks for them.

    Asking for the cells of a sheet that cannot be read raises FileError.
    """

    name: str
    part: str
    xml: bytes
    strings: list[str]
    book: Path
    masters: dict[str, tuple[int, int]] | None = None
    _cells: dict[Spot, Cell] | None = None
    _formulas: "FormulaCells | None" = None

    @property
    def cells(self) -> dict[tuple[int, int], Cell]:
        """Every cell, in the order of the file."""
        if self._cells is None:
            with self._told():
                self._cells = dict(sheet_cells(self.xml, self.strings))
        return self._cells

    @property
    def formulas(self) -> "FormulaCells":
        """Cells with a formula, in the order of the file."""
        if self._formulas is None:
            with self._told():
                self._formulas = formula_cells(self.xml, self.strings)
                check_strings(self.xml, len(self.strings))
        return self._formulas

    def cell(self, row: int, column: int) -> Cell | None:
        """One cell, without reading all of them where that can be helped; None where none is."""
        spot = (row, column)
        found = self.formulas.get(spot)
        if found is not None or self._cells is not None:
            return found or self.cells.get(spot)
        start = self.xml.find(b'<c r="%s"' % address(row, column).encode())
        if start < 0 or b"<!" in self.xml:
            return self.cells.get(spot)
        match = CELL.match(self.xml, start)
        if match is None:
            return self.cells.get(spot)
        with self._told():
            value = _saved(_kind(match[1] or b""), match[2] or b"", self.strings)
        return Cell(row, column, value, None, "", "", True, "", *match.span())

    def merged(self) -> list[str]:
        """Areas of merged cells."""
        return [area.decode() for area in _MERGED.findall(self.xml)]

    def check_numbers(self) -> None:
        """Raise FileError where a cell that holds a number holds no number."""
        found = _NO_NUMBER.search(self.xml)
        if found:
            with self._told():
                raise ValueError(f"{found[1].decode()} holds no number: {found[2][:40]!r}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (LookupError, ValueError, OverflowError) as error:
            detail = " ".join(str(error).split())[:200].strip("'\"")
            raise FileError(f"{self.book}: sheet {self.name} cannot be read ({detail}).") from None


PREFIX: Final = rb"(?:[A-Za-z_][\w.-]*:)?"
CELL: Final = re.compile(
    rb"<" + PREFIX + rb"c(\s[^>]*?)?(?:/>|>(.*?)</" + PREFIX + rb"c>)", re.DOTALL
)
_ROW_OR_CELL: Final = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<"
    + PREFIX
    + rb"(?:row(?P<row>\s[^>]*?)?/?>|c(?P<cell>\s[^>]*?)?(?:/>|>(?P<body>.*?)</"
    + PREFIX
    + rb"c>))",
    re.DOTALL,
)
_ELEMENT: Final = re.compile(rb"<" + PREFIX + rb"(row|c)\b")
# What nearly every file writes, found without taking the attributes apart.
_PLACE: Final = re.compile(rb'\sr="([A-Z]{1,3})([1-9][0-9]{0,6})"')
_ROW: Final = re.compile(rb'\sr="([0-9]+)"')
_KIND: Final = re.compile(rb'\st="([A-Za-z]+)"')
FORMULA: Final = re.compile(
    rb"<" + PREFIX + rb"f(\s[^>]*?)?(?:/>|>(.*?)</" + PREFIX + rb"f>)", re.DOTALL
)
_FORMULA_CELL: Final = re.compile(
    rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"([^>]*)>'
    rb"<f([^>]*?)(?:/>|>([^<]*)</f>)(?:(<v(?:\s[^>]*)?(?:/>|>))(?:([^<]*)</v>)?)?</c>"
)
_ODD_FORMULA: Final = re.compile(rb"<(?!xm:)[A-Za-z_][\w.-]*:f[\s/>]")
_FORMULA_TAG: Final = re.compile(rb"<f[\s/>]")
# An end tag with white space is legal, and what no program writes.
_HIDDEN: Final = re.compile(rb"</" + PREFIX + rb"[fc]\s+>")
_PREFIXED: Final = re.compile(rb"<[A-Za-z_][\w.-]*:worksheet\b")
_HEAD: Final = 1 << 14
"""A worksheet's first element begins before."""
_NO_NUMBER: Final = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"(?: s="[0-9]*")?(?: t="n")?>'
    rb"(?:<f[^<]*</f>)?<v>([-+0-9.eE]*[^-+0-9.eE<][^<]*)</v>"
)
_MERGED: Final = re.compile(rb"<" + PREFIX + rb'mergeCell\s[^>]*?ref="([^"]*)"')
_STRING_CELL: Final = re.compile(rb't="s"[^>]*><v>([^<]*)</v>')
_VALUE: Final = re.compile(
    rb"<" + PREFIX + rb"v(?:\s[^>]*)?(?:/>|>(.*?)</" + PREFIX + rb"v>)", re.DOTALL
)
_TEXT: Final = re.compile(rb"<" + PREFIX + rb"t(?:\s[^>]*)?>(.*?)</" + PREFIX + rb"t>", re.DOTALL)
_PHONETIC: Final = re.compile(rb"<" + PREFIX + rb"rPh\b.*?</" + PREFIX + rb"rPh>", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_NO_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
MAX_ROW: Final = 1_048_576
MAX_COLUMN: Final = 16_384


def reference(text: str) -> tuple[int, int] | None:
    """Row and column of an A1 reference; None when it is none."""
    match = _REFERENCE.fullmatch(text.upper())
    if match is None:
        return None
    row, column = int(match[2]), column_number(match[1])
    return (row, column) if row <= MAX_ROW and column <= MAX_COLUMN else None


def corners(area: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """First and last place of an area such as ``B1:C4``; None when it is none."""
    places = [reference(part) for part in area.split(":")]
    first, last = places[0], places[-1]
    return None if first is None or last is None else (first, last)


def column_number(letters: str) -> int:
    """Return the number of a column: A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


@functools.lru_cache(maxsize=MAX_COLUMN)
def column_letters(column: int) -> str:
    """Letters of a column: 1 is A."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def address(row: int, column: int) -> str:
    """A1 reference of a place."""
    return f"{column_letters(column)}{row}"


class FormulaCells(Mapping[Spot, Cell]):
    """Formula cells of a sheet, kept as columns: a cell is made when somebody asks for it.

    `spots`, `saved` and `shapes` stand in the order of the file.
    """

    def __init__(self, xml: bytes) -> None:
        self.xml = xml
        self.spots: list[Spot] = []
        self.saved: list[Value] = []
        self.shapes: list[bytes] = []
        self.marked: dict[Spot, Cell] = {}
        """Cells whose formula is shared, an array's, a data table's, or spelled unusually."""
        self.texts: list[bytes] = []
        self.attributes: list[bytes] = []

    def __getitem__(self, spot: Spot) -> Cell:
        """Cell at a row and column."""
        place = self._index[spot]
        found = self.marked.get(spot)
        if found is not None:
            return found
        return Cell(
            *spot, self.saved[place], self.text(spot), "", "", True, "", *self.span(spot),
            False, self.shapes[place],
        )  # fmt: skip

    def __iter__(self) -> Iterator[Spot]:
        """Rows and columns in the order of the file."""
        return iter(self.spots)

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.spots)

    def __contains__(self, spot: object) -> bool:
        """Whether there is a formula at a row and column."""
        return spot in self._index

    def text(self, spot: Spot) -> str:
        """Formula of a cell, as written."""
        found = self.marked.get(spot)
        if found is not None:
            return found.formula or ""
        formula = self.texts[self._index[spot]].decode("utf-8")
        return html.unescape(formula) if "&" in formula else formula

    def value(self, spot: Spot) -> Value:
        """Saved value of a formula cell."""
        return self.saved[self._index[spot]]

    def plain(self, spot: Spot) -> tuple[bytes, bytes] | None:
        """Attributes and formula of a cell as they stand in the file; None for a marked cell."""
        if spot in self.marked:
            return None
        place = self._index[spot]
        return self.attributes[place], self.texts[place]

    def span(self, spot: Spot) -> tuple[int, int]:
        """Where the element of a formula cell begins and ends."""
        found = self.marked.get(spot)
        if found:
            return found.start, found.end
        place = 2 * self._index[spot]
        return self._spans[place], self._spans[place + 1]

    @functools.cached_property
    def _index(self) -> dict[Spot, int]:
        return dict(zip(self.spots, range(len(self.spots)), strict=True))

    @functools.cached_property
    def _spans(self) -> "array[int]":
        matches = _FORMULA_CELL.finditer(self.xml)
        return array("q", itertools.chain.from_iterable(match.span() for match in matches))


def formula_cells(xml: bytes, strings: list[str]) -> FormulaCells:
    """Cells of a sheet's XML that have a formula; `strings` are the book's shared ones."""
    found = FormulaCells(xml)
    odd = _PREFIXED.search(xml, 0, _HEAD) or (b":f" in xml and _ODD_FORMULA.search(xml))
    cells = [] if odd or b"<!" in xml else _FORMULA_CELL.findall(xml)
    written = xml.count(b"<f")
    if written != len(cells):  # other elements begin with an f, too
        written = len(_FORMULA_TAG.findall(xml))
    if not written and not odd:
        return found
    if len(cells) == written and not odd:
        letters, digits, attributes, own, texts, tags, values = zip(*cells, strict=True)
        columns = {name: column_number(name.decode()) for name in set(letters)}
        rows = list(map(int, digits))
        spots = list(zip(rows, map(columns.__getitem__, letters), strict=True))
        if max(rows) <= MAX_ROW and len(set(spots)) == len(spots):
            found.spots, found.texts, found.attributes = spots, list(texts), list(attributes)
            kinds = {said: _kind(said) for said in set(attributes)}
            if set(kinds.values()) == {"n"} and all(values):
                found.saved = list(map(float, values))
            else:
                found.saved = [
                    float(value)
                    if value and kinds[said] == "n"
                    else _of_text(kinds[said], value if tag else None, strings)
                    for value, said, tag in zip(values, attributes, tags, strict=True)
                ]
            known: dict[bytes, bytes] = {}
            shapes = (_shape(text) for text in texts)
            found.shapes = [known.setdefault(shape, shape) for shape in shapes]
            if any(own):
                _mark(found, own, attributes)
            return found
    # Comments, other prefixes or another spelling: such a sheet is read with care.
    if b"<![CDATA[" in xml:
        raise ValueError("texts in CDATA sections")
    for spot, cell in dict(sheet_cells(xml, strings)).items():
        if cell.formula is not None:
            found.spots.append(spot)
            found.saved.append(cell.value)
            found.shapes.append(cell.shape)
            found.texts.append(b"")
            found.marked[spot] = cell
    if _HIDDEN.search(xml):
        raise ValueError("a formula is written in a way that is not understood")
    return found


def _shape(text: bytes) -> bytes:
    if b"&" in text:  # an entity may hold digits that mean letters
        text = html.unescape(text.decode("utf-8")).encode("utf-8", "replace")
    return text.translate(_NO_DIGITS)


def _mark(found: FormulaCells, own: Sequence[bytes], attributes: Sequence[bytes]) -> None:
    """Make the cells whose formula has attributes."""
    masters: dict[str, str] = {}
    for place, said in enumerate(own):
        if said:
            spot = found.spots[place]
            plain = found[spot]
            cell = _with_formula(
                spot, plain.value, plain.formula or "", said, attributes[place], masters,
                plain.start, plain.end,
            )  # fmt: skip
            found.marked[spot] = cell
            found.shapes[place] = cell.shape


def check_strings(xml: bytes, count: int) -> None:
    """Raise ValueError where a cell names a shared string that is not among the `count`."""
    named = _STRING_CELL.findall(xml)
    for number in set(named):
        if not number.isdigit() or int(number) >= count:
            raise ValueError(f"shared string {number.decode(errors='replace')}")


def sheet_cells(xml: bytes, strings: list[str]) -> Iterator[tuple[tuple[int, int], Cell]]:
    """Every cell of a sheet's XML with its place; `strings` are the book's shared ones."""
    masters: dict[str, str] = {}
    row = column = 0
    for match in _ROW_OR_CELL.finditer(xml):
        if match.lastgroup not in ("cell", "body"):
            element = _ELEMENT.match(match[0])
            if element is None:
                continue  # a comment
            if element[1] == b"row":
                row, column = row_number(match["row"] or b"", row), 0
                continue
        attributes = match["cell"] or b""
        # A cell that does not say where it stands comes after the one before it.
        place = _place(attributes) or (max(row, 1), column + 1)
        row, column = place
        body = match["body"] or b""
        formula_match = FORMULA.search(body) if b"f" in body else None
        value = _saved(_kind(attributes), body, strings)
        if formula_match is None:
            yield place, Cell(*place, value, None, "", "", True, "", *match.span())
            continue
        formula = html.unescape((formula_match[2] or b"").decode("utf-8"))
        own = formula_match[1] or b""
        yield (
            place,
            _with_formula(place, value, formula, own, attributes, masters, *match.span()),
        )


def _with_formula(
    place: tuple[int, int],
    value: Value,
    formula: str,
    own: bytes,
    attributes: bytes,
    masters: dict[str, str],
    start: int,
    end: int,
) -> Cell:
    """Cell whose formula has attributes `own`; `masters` are the shared formulas so far."""
    said = attributes_of(own)
    kind, group, moved = said.get("t", ""), "", True
    if kind == "shared":
        moved, group = bool(formula), said.get("si", "")
        if formula:
            masters[group] = formula
        elif group not in masters:
            raise ValueError(f"the shared formula {group} is used before it is written")
        formula = masters[group]
    spill = said.get("ref", "") if kind in ("array", "dataTable") else ""
    dynamic = kind == "array" and b"cm=" in attributes
    shape = formula.encode("utf-8", "replace").translate(_NO_DIGITS)
    return Cell(*place, value, formula, kind, spill, moved, group, start, end, dynamic, shape)


def _place(attributes: bytes) -> tuple[int, int] | None:
    match = _PLACE.search(attributes)
    if match is None:
        return reference(attributes_of(attributes).get("r", ""))
    row, column = int(match[2]), _column(match[1])
    return (row, column) if row <= MAX_ROW and column <= MAX_COLUMN else None


def row_number(attributes: bytes, before: int) -> int:
    """Return the number of a row that has `attributes`; `before` is that of the row before it."""
    match = _ROW.search(attributes)
    return int(match[1]) if match else int(attributes_of(attributes).get("r") or before + 1)


def _kind(attributes: bytes) -> str:
    if b"t" not in attributes:
        return "n"
    match = _KIND.search(attributes)
    return match[1].decode() if match else attributes_of(attributes).get("t", "n")


@functools.lru_cache(maxsize=MAX_COLUMN)
def _column(letters: bytes) -> int:
    return column_number(letters.decode())


def _saved(kind: str, body: bytes, strings: list[str]) -> Value:
    if kind == "inlineStr":
        return plain_text(body)
    match = _VALUE.search(body)
    return _of_text(kind, match[1] or b"" if match else None, strings)


def _of_text(kind: str, written: bytes | None, strings: list[str]) -> Value:
    """Value that the text of ``<v>`` means in a cell of that type."""
    if written is None:
        return None
    if kind == "n":
        return float(written) if written else None
    text = html.unescape(written.decode("utf-8"))
    if kind in ("str", "d", "inlineStr"):
        return _unescaped(text)
    if not text:
        return None
    if kind == "s":
        index = int(text)
        if index < 0:
            raise ValueError(f"shared string {index}")
        return strings[index]
    if kind == "b":
        return text.strip() in ("1", "true")
    if kind == "e":
        return ErrorText(text)
    return float(text)


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)


def plain_text(xml: bytes) -> str:
    """Text of a rich or plain string; reading aids (phonetics) are not part of it."""
    without = _PHONETIC.sub(b"", xml)
    text = b"".join(part for part in _TEXT.findall(without)).decode("utf-8")
    return _unescaped(html.unescape(text))


def attributes_of(text: bytes | str) -> dict[str, str]:
    """Attributes of a start tag, unescaped."""
    if not text:
        return {}
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    return {
        name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text)
    }
