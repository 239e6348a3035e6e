"""Sheet XML rewritten in place: new values in cells, every other byte as it was.

Only ``<v>`` and ``t`` of a formula cell, the content of an input cell that was set, the area of an
array that grew or shrank, and the cells over which it spreads are ever touched.
"""

import io
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

from xltoken.recalc.sheetxml import (
    CELL,
    FORMULA,
    PREFIX,
    ErrorText,
    Sheet,
    Value,
    address,
    row_number,
)

_NAME: Final = re.compile(rb"<(" + PREFIX + rb")c\b")
_TYPE: Final = re.compile(rb"""\s+t=("[^"]*"|'[^']*')""")
_AREA: Final = re.compile(rb"""(\sref=)("[^"]*"|'[^']*')""")
_ROW: Final = re.compile(rb"<(" + PREFIX + rb")row(\s[^>]*?)?(/?)>")
_DATA: Final = re.compile(rb"<(" + PREFIX + rb")sheetData(\s[^>]*?)?(/?)>")
_NEEDS_ESCAPE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

Edit = tuple[int, int, bytes]
"""Bytes from start to end are replaced; an insertion where both are the same."""


@dataclass(slots=True)
class Patch:
    """What a sheet gets: values by place, and new areas of array formulas by their anchor."""

    values: dict[tuple[int, int], Value] = field(default_factory=dict)
    areas: dict[tuple[int, int], str] = field(default_factory=dict)
    children: set[tuple[int, int]] = field(default_factory=set)
    """Places over which an array formula spreads: their values are its results, no constants."""
    constants: set[tuple[int, int]] = field(default_factory=set)
    """Formula cells that become constants."""


def patched(sheet: Sheet, patch: Patch) -> bytes:
    """Sheet XML with new values; formula cells keep their formula, others become constants.

    A value for a place that has no cell makes one; None empties a cell, which keeps its style.
    """
    formulas = sheet.formulas
    edits: list[Edit] = []
    new: dict[tuple[int, int], Value] = {}
    xml = sheet.xml
    for place, value in patch.values.items():
        if place in formulas:
            start, end = formulas.span(place)
            plain = None if place in patch.constants else formulas.plain(place)
            if plain is not None:
                edits.append((start, end, _plain_cell(place, *plain, value)))
                continue
        else:
            cell = sheet.cell(*place)
            if cell is None:
                if value is not None:
                    new[place] = value
                continue
            start, end = cell.start, cell.end
        before = xml[start:end]
        if place in patch.areas:
            before = _with_area(before, patch.areas[place])
        if place in patch.constants:
            before = FORMULA.sub(b"", before, count=1)
        edits.append((start, end, _patched_cell(before, value, place in patch.children)))
    for place in patch.areas.keys() - patch.values.keys():
        cell = formulas[place]
        edits.append(
            (cell.start, cell.end, _with_area(xml[cell.start : cell.end], patch.areas[place]))
        )
    if new:
        edits.extend(_insertions(sheet, new))
    return _edited(xml, edits)


def without_formulas(
    sheet: Sheet,
    constants: Collection[tuple[int, int]],
    blanked: Iterable[tuple[int, int]] = (),
) -> bytes:
    """Sheet XML in which some cells lost their formula, so that their saved values stand.

    Those in `blanked` lost their value too.
    """
    edits: list[Edit] = []
    for place in constants:
        cell = sheet.formulas[place]
        edits.append(
            (cell.start, cell.end, FORMULA.sub(b"", sheet.xml[cell.start : cell.end], count=1))
        )
    for place in blanked:
        found = sheet.cells.get(place)
        if found is not None and place not in constants:
            edits.append((found.start, found.end, b""))
    return _edited(sheet.xml, edits)


def _edited(xml: bytes, edits: list[Edit]) -> bytes:
    edits.sort(key=lambda edit: edit[:2])
    source = memoryview(xml)
    made = io.BytesIO()
    end = 0
    for start, stop, replacement in edits:
        made.write(source[end:start])
        made.write(replacement)
        end = stop
    made.write(source[end:])
    edits.clear()
    return made.getvalue()


def _plain_cell(place: tuple[int, int], attributes: bytes, formula: bytes, value: Value) -> bytes:
    """Cell of the usual spelling, with its formula and a new value."""
    kind, text = _encoded(value)
    if b"t=" in attributes:
        attributes = _TYPE.sub(b"", attributes)
    said = attributes + b' t="' + kind + b'"' if kind else attributes
    shown = b"" if value is None else b"<v>" + text + b"</v>"
    where = address(*place).encode()
    return b'<c r="' + where + b'"' + said + b"><f>" + formula + b"</f>" + shown + b"</c>"


def _patched_cell(xml: bytes, value: Value, child: bool) -> bytes:
    match = CELL.fullmatch(xml)
    assert match is not None
    attributes, body = match[1] or b"", match[2] or b""
    named = _NAME.match(xml)
    assert named is not None
    prefix = named[1]
    formula = FORMULA.search(body)
    kind, text = _encoded(value)
    if formula is None and kind == b"str" and not child:
        kind = b"inlineStr"
    if b"t=" in attributes:
        attributes = _TYPE.sub(b"", attributes)
    if kind:
        attributes += b' t="' + kind + b'"'
    if kind == b"inlineStr":
        space = b' xml:space="preserve"' if text != text.strip() else b""
        content = _tagged(prefix, b"is", _tagged(prefix, b"t", text, space))
    else:
        content = formula[0] if formula else b""
        if value is not None:
            content += _tagged(prefix, b"v", text)
    if not content:
        return b"<" + prefix + b"c" + attributes + b"/>"
    return b"<" + prefix + b"c" + attributes + b">" + content + b"</" + prefix + b"c>"


def _with_area(xml: bytes, area: str) -> bytes:
    match = FORMULA.search(xml)
    assert match is not None
    opened = _AREA.sub(rb'\1"' + area.encode() + rb'"', match[0], count=1)
    return xml[: match.start()] + opened + xml[match.end() :]


def _insertions(sheet: Sheet, new: Mapping[tuple[int, int], Value]) -> list[Edit]:
    """Edits that put cells where the sheet has none."""
    xml = sheet.xml
    rows: dict[int, re.Match[bytes]] = {}
    last = 0
    for match in _ROW.finditer(xml):
        last = row_number(match[2] or b"", last)
        rows[last] = match
    data = _DATA.search(xml)
    if data is None:
        raise ValueError("a sheet without sheetData")
    prefix = data[1]
    by_row: dict[int, list[int]] = {}
    for row, column in sorted(new):
        by_row.setdefault(row, []).append(column)
    edits: list[Edit] = []
    closing = b"</" + prefix + b"sheetData>"
    for row, columns in by_row.items():
        cells = [_new_cell(prefix, row, column, new[row, column]) for column in columns]
        if row not in rows:
            made = b"<" + prefix + b'row r="%d">' % row + b"".join(cells) + b"</" + prefix + b"row>"
            after = min((n for n in rows if n > row), default=None)
            if after is not None:
                edits.append((rows[after].start(), rows[after].start(), made))
            elif data[3]:  # <sheetData/>
                opened = data[0][:-2] + b">"
                edits.append((data.start(), data.end(), opened + made + closing))
            else:
                end = xml.index(closing)
                edits.append((end, end, made))
        elif rows[row][3]:  # <row .../>
            opened = rows[row][0][:-2] + b">"
            made = opened + b"".join(cells) + b"</" + prefix + b"row>"
            edits.append((*rows[row].span(), made))
        else:
            standing = sorted(c for r, c in sheet.cells if r == row)
            end = xml.index(b"</" + prefix + b"row>", rows[row].end())
            for column, cell in zip(columns, cells, strict=True):
                after = min((c for c in standing if c > column), default=None)
                where = end if after is None else sheet.cells[row, after].start
                edits.append((where, where, cell))
    return _joined(edits)


def _joined(edits: list[Edit]) -> list[Edit]:
    """Insertions at one point become one, in their order."""
    joined: dict[tuple[int, int], bytes] = {}
    for start, end, content in edits:
        joined[start, end] = joined.get((start, end), b"") + content
    return [(start, end, content) for (start, end), content in joined.items()]


def _new_cell(prefix: bytes, row: int, column: int, value: Value) -> bytes:
    # The child of an array formula holds a value as a formula cell does: text as t="str".
    kind, text = _encoded(value)
    attributes = b' r="' + address(row, column).encode() + b'"'
    if kind:
        attributes += b' t="' + kind + b'"'
    return _tagged(prefix, b"c", _tagged(prefix, b"v", text), attributes)


def _tagged(prefix: bytes, name: bytes, content: bytes, attributes: bytes = b"") -> bytes:
    tag = prefix + name
    return b"<" + tag + attributes + b">" + content + b"</" + tag + b">"


def _encoded(value: Value) -> tuple[bytes, bytes]:
    """Type attribute and text of a value as the file format writes them."""
    if value is None:
        return b"", b""
    if isinstance(value, bool):
        return b"b", b"1" if value else b"0"
    if isinstance(value, float | int):
        number = float(value)
        if not math.isfinite(number):
            return b"e", b"#NUM!"
        whole = number == int(number) and abs(number) < 1e15
        return b"", (str(int(number)) if whole else repr(number)).encode()
    if isinstance(value, ErrorText):
        return b"e", value.encode()
    return b"str", escape(escaped_text(value)).encode("utf-8")


def escaped_text(text: str) -> str:
    """Text with control characters as the file format writes them: ``_x0007_``."""
    if not _NEEDS_ESCAPE.search(text):
        return text
    literal = re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", lambda m: f"_x{ord(m[0]):04X}_", literal)
