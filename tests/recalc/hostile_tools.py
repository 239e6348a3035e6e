"""Workbooks that are damaged, forged, or made to exhaust whoever opens them."""

import base64
import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archive_tools import renamed, told, with_packed, zeros
from recalc_tools import HEAD, MAIN, F, Raw, book, parts_of, replaced, with_part, zipped

SHEET = "xl/worksheets/sheet1.xml"
BOOK = "xl/workbook.xml"
RELS = "xl/_rels/workbook.xml.rels"
TYPES = "[Content_Types].xml"
STRINGS = "xl/sharedStrings.xml"

SEED = book(
    {
        "S": {
            "A1": 1.0,
            "A2": Raw('<c r="A2" t="s"><v>0</v></c>'),
            "A3": "inline",
            "A4": True,
            "B1": F("A1*2", 2),
            "B2": F('A2&" x"', "text x"),
            "B3": F("SUM(A1,T!A1)", 6, ' ca="1"'),
            "C1": F("A1+1", 2, ' t="shared" ref="C1:C3" si="0"'),
            "C2": F("", "#VALUE!", ' t="shared" si="0"'),
            "C3": F("", "#VALUE!", ' t="shared" si="0"'),
            "D1": F("A1:A1*3", 3, ' t="array" ref="D1"'),
            "D2": F("1/0", "#DIV/0!"),
            "D3": F("rate*2", 10),
        },
        "T": {"A1": 5.0, "B1": F("S!B1+A1", 7), "C1": F("COST_CURVE(10,12,0.5)", 5)},
    },
    names={"rate": "T!$A$1", "area": "S!$A$1:$B$3"},
    shared=["<t>text</t>", "<r><t>rich </t></r><r><t>text</t></r>"],
    parts={
        "docProps/app.xml": b"<Properties/>",
        "xl/calcChain.xml": b'<calcChain><c r="B1" i="1"/></calcChain>',
        "xl/media/image1.png": bytes(range(256)) * 4,
    },
)
VALUES = {"A1": 1, "B1": 2}

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


@dataclass(frozen=True)
class Hostile:
    """A file and what becomes of it: refused with `words`, or done with these values.

    `isolated` files may only be met in a process of their own; `heavy` ones are large themselves.
    """

    make: Callable[[], bytes]
    words: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    isolated: bool = False
    heavy: bool = False


def changed(part: str, old: str, new: str) -> Callable[[], bytes]:
    """Seed with a text inside one part replaced."""
    return lambda: replaced(SEED, part, old, new)


def cells(xml: str) -> Callable[[], bytes]:
    """Seed whose first sheet has this sheet data."""
    return sheet(f"<sheetData>{xml}</sheetData>")


def sheet(xml: str) -> Callable[[], bytes]:
    """Seed whose first sheet has this content."""
    start = f'{HEAD}<worksheet xmlns="{MAIN}">'
    return lambda: with_part(SEED, SHEET, f"{start}{xml}</worksheet>".encode())


def formula(text: str, attributes: str = "") -> Callable[[], bytes]:
    """Seed whose first sheet has one formula besides A1 and B1."""
    made = f'<c r="C1"><f{attributes}>{text}</f></c>'
    return cells(f'<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1*2</f><v>2</v></c>{made}</row>')


def prolog(part: str) -> Callable[[], bytes]:
    """Seed with the billion laughs before the root of a part."""
    data = parts_of(SEED)[part].decode()
    assert data.startswith(HEAD)
    return lambda: with_part(SEED, part, data.replace(HEAD, HEAD + LAUGHS).encode())


def long_text(packed: bool) -> bytes:
    """Sheet with one text of 100 MB, which packs well or not at all."""
    text = base64.b64encode(random.Random(1).randbytes(75 << 20)) if not packed else b"x" * 10**8
    xml = b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + text + b"</t></is></c></row>"
    parts = {**parts_of(SEED), SHEET: b"<worksheet><sheetData>" + xml + b"</sheetData></worksheet>"}
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def rows(count: int) -> bytes:
    """Sheet with so many rows of one cell that none says where it stands."""
    return cells("<row><c><v>1</v></c></row>" * count)()


ARCHIVES = {
    "bomb of 5 GB": Hostile(
        lambda: with_packed(SEED, SHEET, zeros(5), 5 << 30), "unpacks to more than 512 MiB"
    ),
    "bomb that declares 1000 bytes": Hostile(
        lambda: with_packed(SEED, SHEET, zeros(5), 1000), "does not unpack to what"
    ),
    "bomb that declares 500 MB": Hostile(
        lambda: with_packed(SEED, SHEET, zeros(5), 500 << 20), "does not unpack to what", heavy=True
    ),
    "bomb that nobody reads": Hostile(
        lambda: with_packed(SEED, "docProps/app.xml", zeros(1), 30), "does not unpack to what"
    ),
    "bomb in a picture": Hostile(
        lambda: with_packed(SEED, "xl/media/image1.png", zeros(1), 400 << 20),
        "does not unpack to what",
        heavy=True,
    ),
    "zip in zip in zip": Hostile(
        lambda: zipped({"b.zip": zipped({"c.zip": zipped({"d.xlsx": SEED})})}), "no workbook"
    ),
    "zip in zip in zip as a part": Hostile(
        lambda: with_part(SEED, "xl/embeddings/a.bin", zipped({"b.zip": zipped({"c": SEED})})),
        values=VALUES,
    ),
    "path out of the archive": Hostile(
        lambda: renamed(SEED, b"docProps/app.xml", b"../../../../a.sh"), "leads elsewhere"
    ),
    "path out of the archive, later": Hostile(
        lambda: renamed(SEED, b"docProps/app.xml", b"a/../../../../b/"), "leads elsewhere"
    ),
    "path from the root": Hostile(
        lambda: renamed(SEED, b"docProps/app.xml", b"/etc/passwd.xml0"), "leads elsewhere"
    ),
    "sheet twice": Hostile(
        lambda: renamed(SEED, b"worksheets/sheet2.xml", b"worksheets/sheet1.xml"), "is there twice"
    ),
    "line break in a name": Hostile(
        lambda: renamed(SEED, b"docProps/app.xml", b"docProps\nEvil: b"), r"docProps\nEvil"
    ),
    "one content for two sheets": Hostile(
        lambda: told(SEED, "xl/worksheets/sheet2.xml", offset=0), "is damaged"
    ),
    "strange packing": Hostile(lambda: told(SEED, SHEET, method=14), "is packed with LZMA"),
    "text of 100 MB, packed": Hostile(lambda: long_text(packed=True), "times its size", heavy=True),
    "text of 100 MB": Hostile(lambda: long_text(packed=False), "a text of over 16 MiB", heavy=True),
}

XML = {
    **{f"billion laughs in {part}": Hostile(prolog(part), "document type") for part in (
        SHEET, BOOK, RELS, STRINGS, TYPES, "_rels/.rels")},
    "document type from outside": Hostile(
        changed(BOOK, HEAD, HEAD + '<!DOCTYPE workbook SYSTEM "file:///etc/passwd">'),
        "document type",
    ),
    "sheet in UTF-16": Hostile(
        lambda: with_part(SEED, SHEET, parts_of(SEED)[SHEET].decode().encode("utf-16")), "UTF-16"
    ),
    "sheet in latin-1": Hostile(
        changed(SHEET, 'encoding="UTF-8"', 'encoding="ISO-8859-1"'), "ISO-8859-1"
    ),
    "strings that are no UTF-8": Hostile(
        lambda: with_part(SEED, STRINGS, parts_of(SEED)[STRINGS].replace(b"text", b"t\xe4xt")),
        "no UTF-8 text",
    ),
    "zero bytes in a sheet": Hostile(changed(SHEET, ">inline<", ">in\0line<"), "no UTF-8 text"),
    "elements a million deep": Hostile(sheet("<a>" * 10**6 + "</a>" * 10**6), "nests more than"),
    "a million open cells": Hostile(cells("<c><v>" * 10**6), "", isolated=True, heavy=True),
    "a million open comments": Hostile(cells("<!--" * 10**6), "", isolated=True, heavy=True),
    "cells that are closed as something else": Hostile(
        cells('<row r="1">' + '<c r="A1"></d>' * 500_000 + "</row>"), "", isolated=True, heavy=True
    ),
    "formulas that are closed as something else": Hostile(
        cells('<row r="1">' + '<c r="A1"><f>1</g></c>' * 300_000 + "</row>"), "", isolated=True,
        heavy=True,
    ),
    "texts that are closed as something else": Hostile(
        changed(STRINGS, "</sst>", "<si></sj>" * 500_000 + "</sst>"), "", isolated=True, heavy=True
    ),
    "names that are closed as something else": Hostile(
        changed(BOOK, "<definedNames>", "<definedNames>" + '<definedName name="n"><z>' * 300_000),
        "", isolated=True, heavy=True,
    ),
    "attributes that never end": Hostile(
        cells("<c " + 'r="A1" ' * 500_000), "", isolated=True, heavy=True
    ),
    "spaces that never end": Hostile(cells("<c" + " " * 3_000_000), "", isolated=True, heavy=True),
    "a million open formulas": Hostile(
        cells('<row r="1"><c r="A1">' + "<f>" * 10**6 + "</c></row>"), "", isolated=True, heavy=True
    ),
}  # fmt: skip

PACKAGES = {
    "workbook declared as a picture": Hostile(
        changed(TYPES, "sheet.main+xml", "png"), "its workbook part xl/workbook.xml is declared as"
    ),
    "workbook declared as nothing": Hostile(
        changed(TYPES, 'PartName="/xl/workbook.xml"', 'PartName="/xl/other.xml"'),
        "its workbook part xl/workbook.xml is declared as application/xml",
    ),
    "sheet declared as a chart": Hostile(
        changed(TYPES, 'sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.'
                "spreadsheetml.worksheet+xml", 'sheet1.xml" ContentType="image/png'),
        "sheet S is declared as image/png",
    ),
    "sheet without a declaration": Hostile(
        changed(TYPES, "/xl/worksheets/sheet1.xml", "/xl/worksheets/sheet9.xml"),
        "sheet S is declared as application/xml",
    ),
    "sheet that is the workbook": Hostile(
        changed(RELS, "worksheets/sheet1.xml", "workbook.xml"), "sheet S is declared as"
    ),
    "sheet that is the relations": Hostile(
        changed(RELS, "worksheets/sheet1.xml", "_rels/workbook.xml.rels"), "sheet S is declared as"
    ),
    "sheet outside the archive": Hostile(
        changed(RELS, "worksheets/sheet1.xml", "../../../../../etc/passwd"), "is missing"
    ),
    "sheet without a part": Hostile(
        changed(RELS, "worksheets/sheet1.xml", "worksheets/none.xml"), "of sheet S is missing"
    ),
    "two names for one sheet": Hostile(
        changed(RELS, "worksheets/sheet2.xml", "worksheets/sheet1.xml"), "sheet T is there twice"
    ),
    "two sheets of one name": Hostile(changed(BOOK, 'name="T"', 'name="s"'), "is there twice"),
    "book that is its own relations": Hostile(
        changed("_rels/.rels", "xl/workbook.xml", "_rels/.rels"), "its workbook part _rels/.rels"
    ),
    "book that is missing": Hostile(changed("_rels/.rels", "xl/workbook.xml", "xl/none.xml"), "none"),
    "strings that are the book": Hostile(
        changed(RELS, 'Target="sharedStrings.xml"', 'Target="workbook.xml"'), ""
    ),
    "cases of a name": Hostile(
        changed(RELS, "worksheets/sheet1.xml", "WorkSheets/Sheet1.xml"),
        "the engine cannot load it",
    ),
    "names that need each other": Hostile(
        changed(BOOK, "T!$A$1<", "area</definedName><definedName name='q'>rate<"), values=VALUES
    ),
}  # fmt: skip

SHEETS = {
    "dimension of millions of columns": Hostile(
        changed(SHEET, "<sheetData>", '<dimension ref="A1:BZZZZ1"/><sheetData>'), "the engine cannot load it"
    ),
    "two million columns described": Hostile(
        changed(SHEET, "<sheetData>", '<cols><col min="1" max="2000000" width="9"/></cols><sheetData>'),
        values=VALUES,
    ),
    "merged cells beyond the sheet": Hostile(
        changed(SHEET, "</sheetData>", '</sheetData><mergeCells count="1"><mergeCell '
                'ref="F1:XFD1048576"/></mergeCells>'),
        values=VALUES,
    ),
    "counts of a thousand million": Hostile(
        changed(STRINGS, "<sst ", '<sst count="1000000000" uniqueCount="1000000000" '), values=VALUES
    ),
    "cell in column XFE": Hostile(cells('<row r="1"><c r="XFE1"><v>1</v></c></row>'), ""),
    "cell in column ZZZZ": Hostile(cells('<row r="1"><c r="ZZZZ1"><v>1</v></c></row>'), ""),
    "cell in row 0": Hostile(cells('<row r="1"><c r="A0"><v>1</v></c></row>'), ""),
    "cell in row two million": Hostile(
        cells('<row r="2000000"><c r="A2000000"><v>1</v></c></row>'), ""
    ),
    "cell without a row": Hostile(cells('<row r="1"><c r="A"><v>1</v></c></row>'), ""),
    "two million rows": Hostile(lambda: rows(2_000_000), "", heavy=True),
    "row number of 100 digits": Hostile(
        cells(f'<row r="{"9" * 100}"><c><v>1</v></c></row>'), ""
    ),
    "row number of 5000 digits": Hostile(cells(f'<row r="{"9" * 5000}"><c/></row>'), ""),
    "string number of 5000 digits": Hostile(
        cells(f'<row r="1"><c r="A1" t="s"><v>{"9" * 5000}</v></c></row>'), ""
    ),
    "one cell twice": Hostile(
        cells('<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1*2</f><v>2</v></c>'
              '<c r="B1"><f>A1*3</f><v>3</v></c></row>'),
        values={"A1": 1},
    ),
    "array over the whole sheet": Hostile(
        formula("A1*2", ' t="array" ref="C1:XFD1048576"'),
        isolated=True,
        words="more cells than can be followed",
    ),
    "shared formula over the whole sheet": Hostile(
        formula("A1*2", ' t="shared" si="0" ref="C1:XFD1048576"'), isolated=True, values=VALUES
    ),
    "formula 50,000 parentheses deep": Hostile(
        formula("(" * 50_000 + "1" + ")" * 50_000), isolated=True, values=VALUES
    ),
    "formula of 100,000 signs": Hostile(formula("-" * 100_000 + "1"), isolated=True, values=VALUES),
    "formula of 8 MB": Hostile(formula("1+" * 4_000_000 + "1"), isolated=True, heavy=True,
                               values=VALUES),
    "text of a thousand million letters": Hostile(
        formula('LEN(REPT("x",1000000000))'), isolated=True, values=VALUES
    ),
    "array of ten thousand million": Hostile(
        formula("SUM(_xlfn.SEQUENCE(1000000,10000))"), isolated=True, values=VALUES
    ),
    "sum of the whole sheet": Hostile(
        formula("SUM(E1:XFD1048576)"), isolated=True, values=VALUES
    ),
    "formula that reads itself": Hostile(formula("C1+1"), values=VALUES),
}  # fmt: skip

HOSTILE = {**ARCHIVES, **XML, **PACKAGES, **SHEETS}
