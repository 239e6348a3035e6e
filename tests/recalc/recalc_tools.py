"""Small workbooks written by hand, part by part, and what a reader of theirs sees."""

import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import pytest

from xltoken.recalc import conformance
from xltoken.recalc.sheetxml import address, reference
from xltoken.recalc.workbook import Report, recalculate

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True)
class F:
    """A formula with its saved value; `value` None is none saved, "#..." an error."""

    text: str
    value: Any = None
    attributes: str = ""


@dataclass(frozen=True)
class Raw:
    """A `<c>` element as it stands in the file."""

    xml: str


def cell(place: str, content: Any, prefix: str = "") -> str:
    """`<c>` element of a number, text, boolean, formula, or raw XML."""
    p = prefix
    if isinstance(content, Raw):
        return content.xml
    formula, value = "", content
    if isinstance(content, F):
        inner = escape(content.text)
        formula = (
            f"<{p}f{content.attributes}>{inner}</{p}f>" if inner else f"<{p}f{content.attributes}/>"
        )
        value = content.value
    if value is None:
        return f'<{p}c r="{place}">{formula}</{p}c>'
    if isinstance(value, bool):
        return f'<{p}c r="{place}" t="b">{formula}<{p}v>{int(value)}</{p}v></{p}c>'
    if isinstance(value, int | float):
        return f'<{p}c r="{place}">{formula}<{p}v>{value!r}</{p}v></{p}c>'
    if formula:
        kind = "e" if value.startswith("#") else "str"
        return f'<{p}c r="{place}" t="{kind}">{formula}<{p}v>{escape(value)}</{p}v></{p}c>'
    text = f'<{p}is><{p}t xml:space="preserve">{escape(value)}</{p}t></{p}is>'
    return f'<{p}c r="{place}" t="inlineStr">{text}</{p}c>'


def sheet_xml(cells: Mapping[str, Any], prefix: str = "", tail: str = "") -> str:
    """Worksheet part with these cells; `tail` stands after the sheet data."""
    p = prefix
    rows: dict[int, list[tuple[int, str]]] = {}
    for place, content in cells.items():
        found = reference(place)
        assert found is not None
        rows.setdefault(found[0], []).append((found[1], cell(place, content, p)))
    data = "".join(
        f'<{p}row r="{row}">' + "".join(xml for _, xml in sorted(line)) + f"</{p}row>"
        for row, line in sorted(rows.items())
    )
    space = f"xmlns:{p[:-1]}" if p else "xmlns"
    return (
        f'{HEAD}<{p}worksheet {space}="{MAIN}" xmlns:r="{OFFICE}">'
        f"<{p}sheetData>{data}</{p}sheetData>{tail}</{p}worksheet>"
    )


def book(
    sheets: Mapping[str, Mapping[str, Any] | str],
    *,
    names: Mapping[str, str] | None = None,
    shared: Iterable[str] = (),
    date1904: bool = False,
    prefix: str = "",
    parts: Mapping[str, bytes] | None = None,
    local_names: str = "",
) -> bytes:
    """Workbook file; a sheet is its cells or its whole XML; `shared` are `<si>` contents."""
    strings = list(shared)
    p = prefix
    space = f"xmlns:{p[:-1]}" if p else "xmlns"
    listed = "".join(
        f'<{p}sheet name={quoteattr(name)} sheetId="{i}" r:id="rId{i}"/>'
        for i, name in enumerate(sheets, 1)
    )
    defined = local_names + "".join(
        f"<{p}definedName name={quoteattr(n)}>{escape(t)}</{p}definedName>"
        for n, t in (names or {}).items()
    )
    workbook = (
        f'{HEAD}<{p}workbook {space}="{MAIN}" xmlns:r="{OFFICE}">'
        + (f'<{p}workbookPr date1904="1"/>' if date1904 else "")
        + f"<{p}sheets>{listed}</{p}sheets>"
        + (f"<{p}definedNames>{defined}</{p}definedNames>" if defined else "")
        + f"</{p}workbook>"
    )
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{CONTENT}.worksheet+xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    if strings:
        relations += (
            f'<Relationship Id="rIdS" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        )
        overrides += f'<Override PartName="/xl/sharedStrings.xml" ContentType="{CONTENT}.sharedStrings+xml"/>'
    content = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="bin" ContentType="application/octet-stream"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/>'
        f"{overrides}</Types>",
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f"{relations}</Relationships>",
    }
    for i, cells in enumerate(sheets.values(), 1):
        xml = cells if isinstance(cells, str) else sheet_xml(cells, p)
        content[f"xl/worksheets/sheet{i}.xml"] = xml
    if strings:
        items = "".join(f"<{p}si>{item}</{p}si>" for item in strings)
        content["xl/sharedStrings.xml"] = f'{HEAD}<{p}sst {space}="{MAIN}">{items}</{p}sst>'
    return zipped({**{n: t.encode() for n, t in content.items()}, **(parts or {})})


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """Archive of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def parts_of(source: Path | bytes) -> dict[str, bytes]:
    """Parts of a workbook file, in order."""
    content = source if isinstance(source, bytes) else source.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_part(content: bytes, name: str, data: bytes) -> bytes:
    """Archive with one part added or replaced."""
    return zipped({**parts_of(content), name: data})


def replaced(content: bytes, part: str, old: str, new: str) -> bytes:
    """Archive with a text inside one part replaced; it must stand there once."""
    data = parts_of(content)[part].decode()
    assert data.count(old) == 1, data
    return with_part(content, part, data.replace(old, new).encode())


def saved(tmp_path: Path, content: bytes, name: str = "book.xlsx") -> Path:
    """File with this content."""
    path = tmp_path / name
    path.write_bytes(content)
    return path


def digest(path: Path) -> str:
    """Fingerprint of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def values(path: Path, sheet: str | None = None) -> dict[str, Any]:
    """Saved values of a sheet (the first unless named) as openpyxl, another reader, sees them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = openpyxl.load_workbook(path, data_only=True)
    ws = loaded[sheet] if sheet else loaded.worksheets[0]
    return {c.coordinate: c.value for row in ws.iter_rows() for c in row if c.value is not None}


def recalculated(
    tmp_path: Path, content: bytes, *settings: str, strict: bool = False
) -> tuple[dict[str, Any], Report]:
    """Values of the first sheet after a recalculation, and its report."""
    path = saved(tmp_path, content)
    out = tmp_path / "out.xlsx"
    report = recalculate(path, out, settings, strict=strict)
    return (values(out) if out.exists() else {}), report


def statuses(report: Report) -> dict[str, str]:
    """Status of each reported cell, by address."""
    return {c.cell: c.status for c in report.cells}


def differing(before: Path | bytes, after: Path | bytes) -> set[str]:
    """Parts that are not the same bytes in both files, and parts that only one has."""
    one, other = parts_of(before), parts_of(after)
    return {n for n in one.keys() | other.keys() if one.get(n) != other.get(n)}


def formulas(path: Path) -> dict[tuple[str, str], str]:
    """Formulas of a book by sheet and address, read with a plain XML search of our own."""
    loaded = openpyxl.load_workbook(path)
    found = {}
    for ws in loaded.worksheets:
        for row in ws.iter_rows():
            for c in row:
                if c.data_type == "f":
                    found[ws.title, c.coordinate] = str(getattr(c.value, "text", c.value))
    return found


def column(letter: str, contents: Iterable[Any], first: int = 1) -> dict[str, Any]:
    """Cells below each other."""
    return {f"{letter}{row}": content for row, content in enumerate(contents, first)}


def grid(contents: Iterable[Iterable[Any]]) -> dict[str, Any]:
    """Cells of rows, from A1."""
    return {
        address(r, c): content
        for r, line in enumerate(contents, 1)
        for c, content in enumerate(line, 1)
    }


def sheet_part(path: Path | bytes, number: int = 1) -> str:
    """XML of a sheet of a hand-written book."""
    return parts_of(path)[f"xl/worksheets/sheet{number}.xml"].decode()


def element(path: Path | bytes, place: str, number: int = 1) -> str:
    """The `<c>` element at a place, as it stands in the file."""
    match = re.search(rf'<c r="{place}"(?: [^>]*?)?(?:/>|>.*?</c>)', sheet_part(path, number))
    assert match is not None, place
    return match[0]


@contextmanager
def engine_believed() -> Iterator[None]:
    """Every function that the engine has counts as right, whatever the conformance table says."""
    measured = conformance.verdict
    caches = [found for found in vars(conformance).values() if hasattr(found, "cache_clear")]

    def verdict(name: str) -> str:
        missing = measured(name) == conformance.MISSING
        return conformance.MISSING if missing else conformance.RIGHT

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conformance, "verdict", verdict)
        for cache in caches:
            cache.cache_clear()
        try:
            yield
        finally:
            for cache in caches:
                cache.cache_clear()


def dynamic(place: str, formula: str, area: str, value: Any) -> Raw:
    """Anchor of a dynamic array, which may grow and shrink; children are cells beside it."""
    xml = cell(place, F(formula, value, f' t="array" ref="{area}"'))
    return Raw(xml.replace(f'r="{place}"', f'r="{place}" cm="1"', 1))


def shared(place: str, group: int, value: Any, text: str = "", area: str = "") -> Raw:
    """Cell of a shared formula: its master, with the text and the area, or a child."""
    own = f' t="shared" ref="{area}" si="{group}"' if text else f' t="shared" si="{group}"'
    return Raw(cell(place, F(text, value, own)))


def table_parts(
    number: int,
    name: str,
    area: str,
    columns: Iterable[str],
    *,
    sheet: int = 1,
    header: int = 1,
    totals: int = 0,
) -> dict[str, bytes]:
    """Part of a table, and the relation of its sheet to it."""
    listed = list(columns)
    named = "".join(f'<tableColumn id="{i}" name={quoteattr(c)}/>' for i, c in enumerate(listed, 1))
    relation = (
        f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/table" Target="../tables/table{number}.xml"/></Relationships>'
    )
    table = (
        f'{HEAD}<table xmlns="{MAIN}" id="{number}" name="{name}" displayName="{name}" '
        f'ref="{area}" headerRowCount="{header}" totalsRowCount="{totals}">'
        f'<tableColumns count="{len(listed)}">{named}</tableColumns></table>'
    )
    return {
        f"xl/worksheets/_rels/sheet{sheet}.xml.rels": relation.encode(),
        f"xl/tables/table{number}.xml": table.encode(),
    }
