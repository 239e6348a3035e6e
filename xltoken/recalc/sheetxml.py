"""The cells of a sheet's XML: read without a tree, and patched in place.

Only ``<v>`` and ``t`` of a formula cell, and the content of an input cell that was set, are ever
rewritten.
"""

import functools
import html
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

Value = float | str | bool | None
"""A saved or computed value; errors are their text, told apart by :class:`ErrorText`."""


class ErrorText(str):
    """An error value such as ``#N/A``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the sheet XML: `start` and `end` delimit its ``<c>`` element.

    `formula` is the text, None without one; a child of a shared formula (`kind` shared) has the
    text of its master, whose references are the master's own and not yet moved (`moved` False).
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


@dataclass(slots=True)
class Sheet:
    """A worksheet part and its cells, in the order of the file."""

    name: str
    part: str
    xml: bytes
    cells: dict[tuple[int, int], Cell]


PREFIX: Final = rb"(?:[A-Za-z_][\w.-]*:)?"


_CELL: Final = re.compile(
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


_FORMULA: Final = re.compile(
    rb"<" + PREFIX + rb"f(\s[^>]*?)?(?:/>|>(.*?)</" + PREFIX + rb"f>)", re.DOTALL
)


_VALUE: Final = re.compile(rb"<" + PREFIX + rb"v(?:\s[^>]*)?>(.*?)</" + PREFIX + rb"v>", re.DOTALL)


_TEXT: Final = re.compile(rb"<" + PREFIX + rb"t(?:\s[^>]*)?>(.*?)</" + PREFIX + rb"t>", re.DOTALL)


_PHONETIC: Final = re.compile(rb"<" + PREFIX + rb"rPh\b.*?</" + PREFIX + rb"rPh>", re.DOTALL)


_ATTRIBUTE: Final = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


_REFERENCE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")


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


def address(row: int, column: int) -> str:
    """A1 reference of a place."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def patched(sheet: Sheet, values: Mapping[tuple[int, int], Value]) -> bytes:
    """Sheet XML with new values; formula cells keep their formula, others become constants."""
    return _rewritten(sheet, values, lambda xml, place: _patched_cell(xml, values[place]))


def without_formulas(sheet: Sheet, places: Iterable[tuple[int, int]]) -> bytes:
    """Sheet XML in which some cells lost their formula; their saved values stand."""
    return _rewritten(sheet, places, lambda xml, _: _FORMULA.sub(b"", xml, count=1))


def _rewritten(
    sheet: Sheet,
    places: Iterable[tuple[int, int]],
    rewrite: Callable[[bytes, tuple[int, int]], bytes],
) -> bytes:
    """Sheet XML with the cells at `places` rewritten and every other byte as it was."""
    pieces: list[bytes] = []
    end = 0
    for place in sorted(places, key=lambda p: sheet.cells[p].start):
        cell = sheet.cells[place]
        pieces.append(sheet.xml[end : cell.start])
        pieces.append(rewrite(sheet.xml[cell.start : cell.end], place))
        end = cell.end
    pieces.append(sheet.xml[end:])
    return b"".join(pieces)


def _patched_cell(xml: bytes, value: Value) -> bytes:
    match = _CELL.fullmatch(xml)
    assert match is not None
    attributes, body = match[1] or b"", match[2] or b""
    prefix = re.match(rb"<(" + PREFIX + rb")c", xml)[1]  # type: ignore[index]
    formula = _FORMULA.search(body)
    kind, text = _encoded(value)
    if formula is None and kind == "str":
        kind = "inlineStr"
    attributes = re.sub(rb"""\s+t=("[^"]*"|'[^']*')""", b"", attributes)
    if kind:
        attributes += b' t="' + kind.encode() + b'"'
    if kind == "inlineStr":
        space = b' xml:space="preserve"' if text != text.strip() else b""
        content = _tagged(prefix, b"is", _tagged(prefix, b"t", text, space))
    else:
        content = formula[0] if formula else b""
        if value is not None:
            content += _tagged(prefix, b"v", text)
    if not content:
        return b"<" + prefix + b"c" + attributes + b"/>"
    return b"<" + prefix + b"c" + attributes + b">" + content + b"</" + prefix + b"c>"


def _tagged(prefix: bytes, name: bytes, content: bytes, attributes: bytes = b"") -> bytes:
    tag = prefix + name
    return b"<" + tag + attributes + b">" + content + b"</" + tag + b">"


def _encoded(value: Value) -> tuple[str, bytes]:
    """Type attribute and text of a value as the file format writes them."""
    if value is None:
        return "", b""
    if isinstance(value, bool):
        return "b", b"1" if value else b"0"
    if isinstance(value, float | int):
        number = float(value)
        if not math.isfinite(number):
            return "e", b"#NUM!"
        whole = number == int(number) and abs(number) < 1e15
        return "", (str(int(number)) if whole else repr(number)).encode()
    if isinstance(value, ErrorText):
        return "e", value.encode()
    return "str", escape(_escaped(value)).encode("utf-8")


def _escaped(text: str) -> str:
    """Text with control characters as the file format writes them: ``_x0007_``."""
    literal = re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", lambda m: f"_x{ord(m[0]):04X}_", literal)


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)


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
                row, column = _row_number(match["row"] or b"", row), 0
                continue
        attributes = match["cell"] or b""
        # A cell that does not say where it stands comes after the one before it.
        place = _place(attributes) or (max(row, 1), column + 1)
        row, column = place
        body = match["body"] or b""
        formula_match = _FORMULA.search(body) if b"f" in body else None
        formula, spill, kind, moved, group = None, "", "", True, ""
        if formula_match is not None:
            own = attributes_of(formula_match[1] or b"")
            kind = own.get("t", "")
            formula = html.unescape((formula_match[2] or b"").decode("utf-8"))
            spill = own.get("ref", "") if kind == "array" else ""
            if kind == "shared":
                moved = bool(formula)
                group = own.get("si", "")
                formula = masters.setdefault(group, formula)
        value = _saved(_kind(attributes), body, strings)
        yield place, Cell(*place, value, formula, kind, spill, moved, group, *match.span())


def _place(attributes: bytes) -> tuple[int, int] | None:
    match = _PLACE.search(attributes)
    if match is None:
        return reference(attributes_of(attributes).get("r", ""))
    row, column = int(match[2]), _column(match[1])
    return (row, column) if row <= MAX_ROW and column <= MAX_COLUMN else None


def _row_number(attributes: bytes, before: int) -> int:
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
    if match is None:
        return None
    if kind == "n":
        return float(match[1]) if match[1] else None
    text = html.unescape(match[1].decode("utf-8"))
    if kind in ("str", "d"):
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
