"""Workbooks respelled for another host: every formula, wherever it stands, and nothing else."""

import io
import itertools
import re
import shutil
import subprocess
import warnings
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recalc_tools import (
    CONTENT,
    HEAD,
    MAIN,
    OFFICE,
    PACKAGE,
    F,
    Raw,
    book,
    differing,
    dynamic,
    parts_of,
    saved,
    shared,
    sheet_xml,
    values,
    with_part,
    zipped,
)
from test_rich_books import drawn, enriched

from xltoken.files import FileError
from xltoken.recalc.links import links_of
from xltoken.recalc.package import parsed, read
from xltoken.recalc.relink import Place, Relinked, relink, relinked
from xltoken.recalc.spelling import HOSTS, Spelling, SpellingError
from xltoken.recalc.workbook import computed, recalculate

CORPUS = Path("/work/shared/corpus")
PATH = Path("book.xlsx")
CHAT = "deepseek-r1/chat"
PLAIN = Spelling("excel")
SPELLINGS = [
    PLAIN,
    Spelling("libreoffice"),
    Spelling("lite"),
    Spelling("lite", "FIN"),
    Spelling("xll"),
]
X14 = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
XM = "http://schemas.microsoft.com/office/excel/2006/main"
OFFICE_TYPE = "application/vnd.openxmlformats-officedocument"


def made(content: bytes, host: str, **options: str) -> tuple[bytes, Relinked]:
    """Respell a workbook in memory."""
    return relinked(parsed(PATH, content), host, **options)


# --- a book with formulas everywhere -------------------------------------------------------------


def everything(spelling: Spelling, prefix: str = "") -> bytes:
    """Book that calls us, and uses another workbook, wherever a workbook can."""
    cost, worth = spelling.of("TOKEN_COST"), spelling.of("NPV_STATIC")
    p = prefix
    tail = (
        f'\r\n<{p}conditionalFormatting sqref="B1:B9"><{p}cfRule type="expression" priority="1">'
        f"<{p}formula>{cost}(A1,0,A2)&gt;[1]Jan!$A$1</{p}formula></{p}cfRule>"
        f'<{p}cfRule type="iconSet" priority="2"><{p}iconSet><{p}cfvo type="percent" val="0"/>'
        f"<{p}cfvo type='formula' val='{cost}(&quot;B200&quot;,0,A2)'/></{p}iconSet></{p}cfRule>"
        f"</{p}conditionalFormatting>"
        f'<{p}dataValidations><{p}dataValidation type="custom" sqref="C1:C9" prompt="a > b">'
        f"<{p}formula1>{cost}(A1,0,A2)&lt;1</{p}formula1><{p}formula2>{worth}(0.1,A1,1)</{p}formula2>"
        f"</{p}dataValidation></{p}dataValidations>"
        f'<{p}extLst><{p}ext xmlns:x14="{X14}" xmlns:xm="{XM}"><x14:conditionalFormattings>'
        f'<x14:conditionalFormatting><x14:cfRule type="expression"><xm:f>{cost}(A1,0,A2)&gt;1</xm:f>'
        f"</x14:cfRule><xm:sqref>D1:D9</xm:sqref></x14:conditionalFormatting>"
        f"</x14:conditionalFormattings><x14:dataValidations><x14:dataValidation><x14:formula1>"
        f"<xm:f>{cost}(A1,0,Jan!A1)</xm:f></x14:formula1><xm:sqref>E1:E9</xm:sqref>"
        f"</x14:dataValidation></x14:dataValidations><x14:sparklineGroups><x14:sparkline>"
        f"<xm:f>[1]Jan!A1:A9</xm:f><xm:sqref>F1</xm:sqref></x14:sparkline></x14:sparklineGroups>"
        f"</{p}ext></{p}extLst>"
    )
    cells = {
        "A1": "B200",
        "A2": CHAT,
        "A3": "TOKEN_COST(A1,0,A2) is no formula, [1]!x",
        "B1": F(f"{cost}(A1,0,A2)", 0.5),
        "B2": F(f'IF({cost}(A1,,A2)>1,"TOKEN_COST(""x"")",{worth}(0.1,,1,)&"a & b")', "a"),
        "B3": F("[1]Jan!A1+'[1]It''s'!B1+SUM(B1,1)", 3),
        "B4": F(f"{worth} (0.1,{{1,2;3,4}},{cost}('TOKEN_COST(1)'!A1,0,[1]!key))", -1),
        "B5": shared("B5", 0, 1, f"{cost}(A1,0,A2)", "B5:B7") if not p else F(f"{cost}(A1,0,A2)"),
        "B6": shared("B6", 0, 1) if not p else 1,
        "C1": F(f"{cost}(A1:A2,0,A2)", 1, ' t="array" ref="C1:C2"'),
        "D1": dynamic("D1", f"{spelling.of('COST_LINES')}(0.1,1,A1:A3,3)", "D1:E2", 1)
        if not p
        else 1,
        "E1": F("TOKEN_COST(1)", 7, ' t="dataTable" ref="E1:E3" r1="A1"'),
        "F1": Raw(
            f'<{p}c\tr="F1"><!-- <f>TOKEN_COST(1)</f> -->'
            f'<{p}f xml:space="preserve"> {cost}(&quot;B200&quot;,\r\n0, &apos;TOKEN_COST(1)&apos;'
            f"!A1)&#38;&quot;TOKEN_COST(&quot; </{p}f ><{p}v>1</{p}v></{p}c>"
        ),
    }
    names = {
        "unit_cost": f'{cost}(Model!$A$1,0,"{CHAT}")',
        "elsewhere": "[1]Jan!$A$1",
        "said": '"TOKEN_COST(1)"',
    }
    local = (
        f'<{p}definedName name="own" localSheetId="0" comment="1 > 0">{cost}(1)</{p}definedName>'
        f'<{p}definedName name="TOKEN_COST" function="1" hidden="1" vbProcedure="1">#NAME?'
        f"</{p}definedName>"
    )
    table = (
        f'{HEAD}<table xmlns="{MAIN}" id="1" name="Costs" displayName="Costs" ref="H1:I3" '
        'totalsRowCount="1"><tableColumns count="2"><tableColumn id="1" name="Key"/>'
        '<tableColumn id="2" name="TOKEN_COST(USD)" totalsRowFunction="custom">'
        f"<calculatedColumnFormula>{cost}(Costs[[#This Row],[TOKEN_COST(USD)]],0,Jan!A1)"
        f"</calculatedColumnFormula><totalsRowFormula>{worth}(0.1,Costs[TOKEN_COST(USD)],1)"
        "</totalsRowFormula></tableColumn></tableColumns></table>"
    )
    sheets = {
        "Model": sheet_xml(cells, p, tail),
        "TOKEN_COST(1)": {"A1": F(f"{cost}(Model!A1,0,Model!A2)", 2)},
    }
    content = book(sheets, names=names, local_names=local, prefix=p)
    relation = (
        f'<Relationship Id="rId9" Type="{OFFICE}/table" Target="../tables/table1.xml"/>'
        f'<Relationship Id="rId8" Type="{OFFICE}/drawing" Target="../drawings/drawing1.xml"/>'
    )
    added = {
        "xl/worksheets/_rels/sheet1.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/'
        f'relationships">{relation}</Relationships>',
        "xl/tables/table1.xml": table,
        "xl/charts/chart1.xml": '<c:chart xmlns:c="c"><c:f>[1]Jan!$A$1:$A$3</c:f><c:v>[1]!x</c:v>'
        "</c:chart>",
        "xl/drawings/drawing1.xml": '<d:sp xmlns:d="d" name="say [1]!x" macro="[1]!Button" '
        "textlink='[1]Jan!$A$1'/>",
        "xl/drawings/vml1.vml": '<xml xmlns:x="x"><x:FmlaMacro>[1]!Old</x:FmlaMacro></xml>',
        "xl/ctrlProps/ctrlProp1.xml": '<formControlPr fmlaLink="[1]Jan!$A$1"/>',
        "xl/calcChain.xml": "<calcChain/>",
        "customXml/item1.xml": "<a><f>TOKEN_COST(1)+[1]!x</f></a>",
    }
    types = {
        "xl/tables/table1.xml": f"{CONTENT}.table+xml",
        "xl/charts/chart1.xml": f"{OFFICE_TYPE}.drawingml.chart+xml",
        "xl/drawings/drawing1.xml": f"{OFFICE_TYPE}.drawing+xml",
        "xl/drawings/vml1.vml": f"{OFFICE_TYPE}.vmlDrawing",
        "xl/ctrlProps/ctrlProp1.xml": "application/vnd.ms-excel.controlproperties+xml",
    }
    parts = {**parts_of(content), **{name: text.encode() for name, text in added.items()}}
    declared = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in types.items()
    )
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"</Types>", f"{declared}\r\n</Types>".encode()
    )
    return linked(zipped(parts), "other.xlsx", prefix=p)


def linked(content: bytes, target: str, *, prefix: str = "", names: str = "") -> bytes:
    """Book with one more external link, put in by hand, at the end."""
    p, parts = prefix, parts_of(content)
    number = sum(name.startswith("xl/externalLinks/ext") for name in parts) + 1
    part = f"xl/externalLinks/externalLink{number}.xml"
    reference = f'<{p}externalReference r:id="rIdX{number}"/>'
    xml = parts["xl/workbook.xml"].decode()
    if "externalReferences" in xml:
        xml = xml.replace(f"</{p}externalReferences>", f"{reference}</{p}externalReferences>")
    else:
        whole = f"<{p}externalReferences>{reference}</{p}externalReferences>"
        xml = xml.replace(f"</{p}sheets>", f"</{p}sheets>{whole}")
    parts["xl/workbook.xml"] = xml.encode()

    def put(name: str, end: str, text: str) -> None:
        parts[name] = parts[name].replace(end.encode(), f"{text}{end}".encode())

    put(
        "xl/_rels/workbook.xml.rels",
        "</Relationships>",
        f'\r\n  <Relationship Id="rIdX{number}" Type="{OFFICE}/externalLink" '
        f'Target="/xl/externalLinks/externalLink{number}.xml"/>',
    )
    put(
        "[Content_Types].xml",
        "</Types>",
        f'<Override PartName="/{part}" ContentType="{CONTENT}.externalLink+xml"></Override>',
    )
    parts[part] = (
        f'{HEAD}<externalLink xmlns="{MAIN}"><externalBook xmlns:r="{OFFICE}" r:id="rId1">'
        f"<sheetNames><sheetName val='Jan'/></sheetNames>{names}</externalBook></externalLink>"
    ).encode()
    parts[f"xl/externalLinks/_rels/externalLink{number}.xml.rels"] = (
        f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/externalLinkPath" Target="{target}" TargetMode="External"/></Relationships>'
    ).encode()
    return zipped(parts)


@pytest.mark.parametrize("prefix", ["", "x:"], ids=["plain", "prefixed"])
@pytest.mark.parametrize("pair", list(itertools.permutations(SPELLINGS, 2)), ids=str)
def test_a_book_becomes_what_another_host_would_have_saved(pair, prefix):
    """Whatever pair of hosts: every part is byte for byte the one written for the other host."""
    one, other = pair
    content = everything(one, prefix)
    result, done = made(content, other.host, namespace=other.namespace)
    assert differing(result, everything(other, prefix)) == set()
    assert zipfile.ZipFile(io.BytesIO(result)).namelist() == list(parts_of(content))
    assert done.calls == 20 - bool(prefix)
    if {one.host, other.host} == {"excel", "libreoffice"}:
        assert result is content
        assert not done.changed
    else:
        assert done.respelled == done.calls


@pytest.mark.parametrize("prefix", ["", "x:"], ids=["plain", "prefixed"])
@pytest.mark.parametrize("one", SPELLINGS, ids=str)
def test_through_the_add_in_and_back_every_part_is_the_same(one, prefix):
    """A link is made for the add-in and goes again: content types, relations and book as before."""
    content = everything(one, prefix)
    there, done = made(content, "addin")
    expected = everything(Spelling("addin", link=2), prefix)
    new = {"xl/externalLinks/externalLink2.xml", "xl/externalLinks/_rels/externalLink2.xml.rels"}
    book_parts = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"}
    assert differing(there, expected) == new | book_parts
    assert done.linked == "xltoken.xlam"
    assert done.dropped == []
    back, done = made(there, one.host, namespace=one.namespace)
    assert differing(back, content) == set()
    assert done.dropped == ["xltoken.xlam"]
    again, done = made(there, "addin")
    assert again is there
    assert not done.changed


def test_the_link_is_what_excel_writes():
    """The new link names the functions called, and leads to Excel's startup folder."""
    result, _ = made(everything(PLAIN), "addin")
    parts = parts_of(result)
    workbook = parts["xl/workbook.xml"].decode()
    assert (
        '</sheets><externalReferences><externalReference r:id="rIdX1"/>'
        '<externalReference r:id="rId3"/></externalReferences><definedNames>' in workbook
    )
    link = parts["xl/externalLinks/externalLink2.xml"].decode()
    assert set(re.findall('<definedName name="([A-Z_]+)"/>', link)) == {
        "TOKEN_COST", "NPV_STATIC", "COST_LINES",
    }  # fmt: skip
    assert (
        'Type="http://schemas.microsoft.com/office/2006/relationships/xlExternalLinkPath/xlStartup"'
        ' Target="xltoken.xlam" TargetMode="External"'
    ) in parts["xl/externalLinks/_rels/externalLink2.xml.rels"].decode()
    second = links_of(parsed(PATH, result))[1]
    assert (second.number, second.relation, second.target) == (2, "rId3", "xltoken.xlam")


def test_the_report_tells_where():
    """Every place is told by kind, sheet and address, areas of shared and array formulas whole."""
    _, done = made(everything(PLAIN), "xll")
    assert done.places == [
        Place("name", "", "own", 1),
        Place("name", "", "unit_cost", 1),
        *(Place("cell", "Model", where, n) for where, n in
          [("B1", 1), ("C1:C2", 1), ("D1:E2", 1), ("", 1), ("B2", 2), ("B4", 2), ("B5:B7", 1)]),
        Place("conditional format", "Model", "B1:B9", 1),
        Place("conditional format", "Model", "B1:B9", 1),
        Place("validation", "Model", "C1:C9", 1),
        Place("validation", "Model", "C1:C9", 1),
        Place("conditional format", "Model", "D1:D9", 1),
        Place("validation", "Model", "E1:E9", 1),
        Place("cell", "TOKEN_COST(1)", "A1", 1),
        Place("table column", "Model", "Costs[TOKEN_COST(USD)]", 1),
        Place("table column", "Model", "Costs[TOKEN_COST(USD)]", 1),
    ]  # fmt: skip
    data = done.as_dict()
    assert data["summary"] == {
        "calls": 20, "respelled": 20, "formulas": 18,
        "kinds": {"name": 2, "cell": 8, "conditional format": 3, "validation": 3, "table column": 2},
    }  # fmt: skip


# --- links ---------------------------------------------------------------------------------------

NAMED = '<definedNames><definedName name="token_cost"/></definedNames>'


def three_links(ours: str = "[1]", one: str = "[2]", other: str = "[3]") -> bytes:
    """Book with three links: to the add-in, and two more."""
    cells = {
        "A1": F(f'{ours}!TOKEN_COST("B200",0,"{CHAT}")', 1),
        "A2": F(f"{one}Jan!A1+{ours}!NPV_STATIC(0.1,{other}!rate,'{other}It''s'!B1)", 2),
        "A3": F(f'"{ours}!x"&{other}!OTHER(1)', "x"),
    }
    content = book({"S": cells}, names={"rate": f"{other}Jan!$A$1", "out": f"{one}!rate"})
    chart = f'<c:chart xmlns:c="c"><c:f>{other}Jan!$A$1</c:f></c:chart>'
    content = with_part(content, "xl/charts/chart1.xml", chart.encode())
    types = parts_of(content)["[Content_Types].xml"].replace(
        b"</Types>",
        f'<Override PartName="/xl/charts/chart1.xml" ContentType="{OFFICE_TYPE}.drawingml.chart'
        '+xml"/></Types>'.encode(),
    )
    return with_part(content, "[Content_Types].xml", types)


def with_three(content: bytes, first: str = "file:///C:\\Add%20Ins\\xltoken.xlam") -> bytes:
    """The links themselves."""
    for target in (first, "other.xlsx", "third.xlsb"):
        content = linked(content, target, names=NAMED if target == first else "")
    return content


def test_the_links_behind_a_dropped_one_move_up():
    """Names, cells, charts: every number behind the dropped link is one less, and the rest stays."""
    content = with_three(three_links())
    result, done = made(content, "excel")
    expected = parts_of(three_links("", "[1]", "[2]"))
    parts = parts_of(result)
    for name in ("xl/worksheets/sheet1.xml", "xl/charts/chart1.xml"):
        after = expected[name].decode().replace('"!x"', '"[1]!x"').replace("!TOKEN", "TOKEN")
        assert parts[name].decode() == after.replace("!NPV", "NPV")
    assert b">[2]Jan!$A$1<" in parts["xl/workbook.xml"]
    assert b">[1]!rate<" in parts["xl/workbook.xml"]
    assert done.dropped == ["C:\\Add Ins\\xltoken.xlam"]
    gone = {"xl/externalLinks/externalLink1.xml", "xl/externalLinks/_rels/externalLink1.xml.rels"}
    assert parts_of(content).keys() - parts.keys() == gone
    for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels", "xl/workbook.xml"):
        assert b"externalLink1" not in parts[name]
        assert b"rIdX1" not in parts[name]
    assert [link.target for link in links_of(parsed(PATH, result))] == ["other.xlsx", "third.xlsb"]


def test_a_link_that_is_there_is_used_again():
    """A link to the add-in, in whatever folder, serves the plain calls too; missing names join."""
    content = with_three(book({"S": {"A1": F('token_cost("B200",0,A2)'), "A2": F("IRR_ALL(A1)"),
                                     "A3": F("[2]Jan!A1"), "A4": F("[3]Jan!A1")}}))  # fmt: skip
    result, done = made(content, "addin")
    assert b"<f>[1]!TOKEN_COST(" in parts_of(result)["xl/worksheets/sheet1.xml"]
    assert done.linked == ""
    assert done.dropped == []
    assert differing(content, result) == {
        "xl/worksheets/sheet1.xml", "xl/externalLinks/externalLink1.xml",
    }  # fmt: skip
    assert (
        '<definedNames><definedName name="token_cost"/><definedName name="IRR_ALL"/></definedNames>'
    ) in parts_of(result)["xl/externalLinks/externalLink1.xml"].decode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "<sheetNames><sheetName val='Jan'/></sheetNames>{}"),
        ("<definedNames/>", "<sheetNames><sheetName val='Jan'/></sheetNames>{}"),
    ],
)
def test_a_link_without_names_gets_them(old, new):
    """A link that lists no function yet lists those that are called, in the place for them."""
    content = linked(book({"S": {"A1": F("IRR_ALL(B1:B3)")}}), "xltoken.xlam", names=old)
    result, _ = made(content, "addin")
    listed = '<definedNames><definedName name="IRR_ALL"/></definedNames>'
    xml = parts_of(result)["xl/externalLinks/externalLink1.xml"].decode()
    assert new.format(listed) in xml


@pytest.mark.parametrize(
    ("inner", "after"),
    [
        ('<externalBook xmlns:r="{r}" r:id="rId1"/>',
         '<externalBook xmlns:r="{r}" r:id="rId1">{n}</externalBook>'),
        ('<x:externalBook xmlns:r="{r}" r:id="rId1"><x:sheetDataSet/></x:externalBook>',
         '<x:externalBook xmlns:r="{r}" r:id="rId1">{xn}<x:sheetDataSet/></x:externalBook>'),
        ('<x:externalBook xmlns:r="{r}" r:id="rId1"><x:sheetNames/></x:externalBook>',
         '<x:externalBook xmlns:r="{r}" r:id="rId1"><x:sheetNames/>{xn}</x:externalBook>'),
    ],
)  # fmt: skip
def test_names_have_their_place_in_any_link(inner, after):
    """Without sheets, with a prefix, empty: the names stand where the format wants them."""
    content = linked(book({"S": {"A1": F("IRR_ALL(B1:B3)")}}), "xltoken.xlam")
    part = "xl/externalLinks/externalLink1.xml"
    content = with_part(content, part, f"<x:externalLink>{inner.format(r=OFFICE)}".encode())
    result, _ = made(content, "addin")
    names = '<definedNames><definedName name="IRR_ALL"/></definedNames>'
    prefixed = names.replace("<d", "<x:d").replace("</d", "</x:d")
    assert after.format(r=OFFICE, n=names, xn=prefixed) in parts_of(result)[part].decode()


def test_another_file_of_the_add_in_takes_the_place_of_the_old():
    """With a folder named, calls through another link get a new one, and the old one goes."""
    content = with_three(three_links())
    path = "D:\\Office Add-Ins\\xltoken.xlam"
    result, done = made(content, "addin", addin=path)
    assert done.linked == path
    assert done.dropped == ["C:\\Add Ins\\xltoken.xlam"]
    links = links_of(parsed(PATH, result))
    assert [link.target for link in links] == ["other.xlsx", "third.xlsb", path]
    expected = three_links("[3]", "[1]", "[2]")
    sheet = parts_of(expected)["xl/worksheets/sheet1.xml"].decode().replace('"[3]!x"', '"[1]!x"')
    assert parts_of(result)["xl/worksheets/sheet1.xml"].decode() == sheet
    again, done = made(result, "addin", addin=path.upper().replace("\\", "/"))
    assert again is result
    assert made(result, "addin")[0] is result


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("xltoken.xlam", "xltoken.xlam"),
        ("my 100% #1.xlam", "my%20100%25%20%231.xlam"),
        ("addins\\x.xlam", "addins/x.xlam"),
        ("C:\\a b\\x.xlam", "file:///C:\\a%20b\\x.xlam"),
        ("\\\\server\\x&y.xlam", "file:///\\\\server\\x&amp;y.xlam"),
        ("/Users/me/x.xlam", "file:///Users/me/x.xlam"),
        ("https://a.example/b c/x.xlam", "https://a.example/b%20c/x.xlam"),
    ],
)
def test_a_path_is_written_as_excel_writes_it_and_read_back(path, written):
    """Folders, servers, blanks and signs come through a link unharmed; a second time nothing is new."""
    content = book({"S": {"A1": F("IRR_ALL(B1:B3)")}})
    result, _ = made(content, "addin", addin=path)
    rels = parts_of(result)["xl/externalLinks/_rels/externalLink1.xml.rels"].decode()
    assert f'Target="{written}"' in rels
    assert ("xlStartup" in rels) == ("/" not in written)
    (link,) = links_of(parsed(PATH, result))
    assert link.leads_to(path)
    assert made(result, "addin", addin=path)[0] is result
    assert differing(made(result, "excel")[0], content) == set()


@pytest.mark.parametrize(
    ("target", "formula", "gone"),
    [
        ("xltoken.xlam", "1+1", True),
        ("file:///C:/a/XLToken-2.XLA", "1+1", True),
        ("xltoken.xll", "1+1", True),
        ("xltoken.xlsx", "1+1", False),
        ("other.xlam", "1+1", False),
        ("other.xlam", "[1]!IRR_ALL(B1)", True),
        ("other.xlsm", "[1]!IRR_ALL(B1)", True),
        ("other.xlam", "[1]!IRR_ALL(B1)+[1]!OTHER(1)", False),
        ("xltoken.xlam", "[1]!OTHER(1)", False),
        ("xltoken.xlam", "[1]Jan!A1", False),
        ("xltoken.xlam", "'[1]It''s'!A1", False),
        ("xltoken.xlam", '"[1]Jan!A1"', True),
    ],
)
def test_only_dead_links_to_the_add_in_are_dropped(target, formula, gone):
    """A link goes if it leads to the add-in or served only us, and if nothing uses it any more."""
    content = linked(book({"S": {"A1": F(formula)}}), target)
    result, done = made(content, "lite")
    assert bool(done.dropped) == gone
    assert ("xl/externalLinks/externalLink1.xml" not in parts_of(result)) == gone
    assert (b"externalReferences" not in parts_of(result)["xl/workbook.xml"]) == gone


@pytest.mark.parametrize("part", ["drawing1.xml", "vml1.vml"])
def test_a_link_that_a_button_uses_is_no_dead_one(part):
    """A macro of the add-in on a button or in an old control keeps the link."""
    content = with_part(book({"S": {"A1": F("[1]!IRR_ALL(B1)")}}), f"xl/drawings/{part}", b"")
    xml = {
        "drawing1.xml": b'<d:sp xmlns:d="d" macro="[1]!Button"/>',
        "vml1.vml": b'<xml xmlns:x="x"><x:FmlaMacro>[1]!Old</x:FmlaMacro></xml>',
    }[part]
    kind = "drawing+xml" if part.endswith(".xml") else "vmlDrawing"
    types = parts_of(content)["[Content_Types].xml"].replace(
        b"</Types>",
        f'<Override PartName="/xl/drawings/{part}" ContentType="{OFFICE_TYPE}.{kind}"/></Types>'
        .encode(),
    )  # fmt: skip
    content = with_part(
        with_part(content, f"xl/drawings/{part}", xml), "[Content_Types].xml", types
    )
    result, done = made(linked(content, "xltoken.xlam"), "excel")
    assert done.dropped == []
    assert done.respelled == 1
    assert differing(result, linked(content, "xltoken.xlam")) == {"xl/worksheets/sheet1.xml"}


def test_a_path_before_a_call_becomes_a_link():
    """A call that names the add-in's file by its path is respelled like any other."""
    call = "'C:\\Add Ins\\x.xlam'!TOKEN_COST(1)"
    content = book({"S": {"A1": F(call)}})
    assert (
        b"<f>TOKEN_COST(1)</f>" in parts_of(made(content, "excel")[0])["xl/worksheets/sheet1.xml"]
    )
    result = parts_of(made(content, "addin")[0])
    assert b"<f>[1]!TOKEN_COST(1)</f>" in result["xl/worksheets/sheet1.xml"]


def test_the_reference_has_its_place_whatever_the_workbook_looks_like():
    """Behind the groups of functions, in the strict edition, with any prefix of relations."""
    content = book({"S": {"A1": F("IRR_ALL(B1:B3)")}})
    parts = parts_of(content)
    xml = parts["xl/workbook.xml"].decode()
    xml = xml.replace(
        "</sheets>", "</sheets><!-- <sheets> --><functionGroups><functionGroup/></functionGroups >"
    )
    xml = xml.replace(f' xmlns:r="{OFFICE}"', "").replace("r:id=", f'xmlns:q="{OFFICE}" q:id=')
    parts["xl/workbook.xml"] = xml.encode()
    result, _ = made(zipped(parts), "addin")
    assert (
        f'</functionGroups ><externalReferences><externalReference xmlns:q="{OFFICE}" q:id="rId2"/>'
        "</externalReferences></workbook>"
    ) in parts_of(result)["xl/workbook.xml"].decode()
    assert differing(made(result, "excel")[0], zipped(parts)) == set()
    assert len(links_of(parsed(PATH, result))) == 1


def test_the_strict_edition_has_its_own_words():
    """In the strict edition the link and its relations are in that edition's namespaces."""
    strict = "http://purl.oclc.org/ooxml/"
    parts = {
        name: data.replace(MAIN.encode(), f"{strict}spreadsheetml/main".encode())
        .replace(OFFICE.encode(), f"{strict}officeDocument/relationships".encode())
        for name, data in parts_of(book({"S": {"A1": F("IRR_ALL(B1:B3)")}})).items()
    }  # fmt: skip
    result, _ = made(zipped(parts), "addin", addin="/a/x.xlam")
    after = parts_of(result)
    for name in after.keys() - parts.keys():
        assert b"schemas.openxmlformats.org/officeDocument" not in after[name]
        assert strict.encode() in after[name]
    assert links_of(parsed(PATH, result))[0].target == "/a/x.xlam"
    assert differing(made(result, "excel")[0], zipped(parts)) == set()


def test_no_part_is_written_over():
    """A part of that name that belongs to nobody, or its relations, is left alone."""
    content = book({"S": {"A1": F("IRR_ALL(B1:B3)")}})
    content = with_part(content, "xl/externalLinks/ExternalLink1.xml", b"<a/>")
    content = with_part(content, "xl/externalLinks/_rels/externalLink2.xml.rels", b"<a/>")
    result, _ = made(content, "addin")
    new = "xl/externalLinks/externalLink3.xml", "xl/externalLinks/_rels/externalLink3.xml.rels"
    assert set(new) == parts_of(result).keys() - parts_of(content).keys()


@pytest.mark.parametrize(
    ("part", "old", "words"),
    [
        ("xl/_rels/workbook.xml.rels", "</Relationships>", "its element Relationships has no end"),
        ("[Content_Types].xml", "</Types>", "its element Types has no end"),
        ("xl/workbook.xml", "</sheets>", "its element sheets has no end"),
        ("xl/workbook.xml", "<sheets>", "an element sheets is missing"),
    ],
)
def test_a_part_that_cannot_be_completed_is_told(part, old, words):
    """Where an element that the link belongs into is broken, the file is refused."""
    content = book({"S": {"A1": F("IRR_ALL(B1:B3)")}})
    broken = with_part(content, part, parts_of(content)[part].replace(old.encode(), b""))
    with pytest.raises(FileError, match=rf"cannot be respelled \({words}\)"):
        made(broken, "addin")


def test_a_link_to_no_workbook_is_left_alone():
    """A link of another kind, one whose part is missing, one related to nothing: none is dropped."""
    content = with_three(book({"S": {"A1": F("IRR_ALL(1)")}}), "xltoken.xlam")
    parts = parts_of(content)
    parts["xl/externalLinks/externalLink1.xml"] = b"<externalLink><ddeLink/></externalLink>"
    del parts["xl/externalLinks/_rels/externalLink2.xml.rels"]
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
        b"externalLink3.xml", b"none.xml"
    )
    assert [link.target for link in links_of(parsed(PATH, zipped(parts)))] == ["", "", ""]
    assert made(zipped(parts), "lite")[1].dropped == []


# --- what is refused, and what is said -----------------------------------------------------------

CALL = "TOKEN_COST(A1,0,A2)"


def test_nothing_to_do_gives_the_same_bytes(tmp_path):
    """Without calls, or with all of them spelled so already: the very same bytes, nothing written."""
    for text in ("SUM(A1,1)", '"TOKEN_COST(1)"', CALL):
        content = book({"S": {"B1": F(text, 1)}})
        assert made(content, "libreoffice")[0] is made(content, "excel")[0] is content
        path = saved(tmp_path, content)
        before = path.stat().st_mtime_ns
        done = relink(path, host="excel")
        assert (done.output, done.changed, path.stat().st_mtime_ns) == (None, False, before)
        copy = tmp_path / "copy.xlsx"
        done = relink(path, copy, host="excel")
        assert (done.output, done.changed, copy.read_bytes()) == (copy, False, content)


def test_a_file_is_respelled_in_place_or_elsewhere(tmp_path):
    """Without an output the file itself changes; with one it stays."""
    path, out = saved(tmp_path, book({"S": {"B1": F(CALL, 1)}})), tmp_path / "out.xlsx"
    before = path.read_bytes()
    assert relink(path, out, host="xll").output == out
    assert path.read_bytes() == before
    assert relink(path, host="xll").output == path
    assert path.read_bytes() == out.read_bytes() != before


def signed(content: bytes) -> bytes:
    """Book with a digital signature."""
    return with_part(content, "_xmlsignatures/sig1.xml", b"<Signature/>")


def test_a_signed_book_is_only_copied(tmp_path):
    """A signed book is not changed in place, and a copy says that its signature is broken."""
    path = saved(tmp_path, signed(book({"S": {"B1": F(CALL, 1)}})))
    before = path.read_bytes()
    with pytest.raises(FileError, match=r"digitally signed .* write a copy with -o"):
        relink(path, host="lite")
    assert path.read_bytes() == before
    done = relink(path, tmp_path / "o.xlsx", host="lite")
    assert any("signature is no longer valid" in note for note in done.notes)
    assert relink(path, host="excel").notes == []


@pytest.mark.parametrize(
    ("before", "host", "refused"),
    [
        ("TOKEN_COST(1)", "lite", True),
        ("token_cost(1)", "excel", True),
        ("_xll.TOKEN_COST(1)", "excel", True),
        ("_xll.TOKEN_COST(1)", "lite", False),
        ("TOKEN_COST(1)", "excel", False),
        ("_xll.NPV_STATIC(1)", "excel", False),
    ],
)
def test_a_name_that_hides_a_function_is_told(before, host, refused):
    """Where the book has a name like a function of ours, no call is taken for another's."""
    content = book({"S": {"A1": F(before)}}, names={"Token_Cost": "S!$B$1"})
    if refused:
        with pytest.raises(FileError, match="has a name TOKEN_COST of its own"):
            made(content, host)
    else:
        made(content, host)


def test_a_link_that_the_file_does_not_have_is_told():
    """A number without a link would come to mean ours: such a file is refused, and only then."""
    content = book({"S": {"A1": F("[1]Jan!A1"), "A2": F(CALL)}})
    with pytest.raises(FileError, match=r"formula of S!A1 uses an external link \[1\]"):
        made(content, "addin")
    made(content, "lite")
    broken = linked(book({"S": {"A1": F("[2]Jan!A1")}}), "xltoken.xlam")
    with pytest.raises(FileError, match=r"uses an external link \[2\]"):
        made(broken, "excel")


def test_a_call_through_a_link_that_is_missing_gets_one():
    """Calls that say [1] in a file without links are as they should be once the link is made."""
    content = book({"S": {"A1": F("[1]!TOKEN_COST(1)+[1]!NPV_STATIC(1)")}})
    result, done = made(content, "addin")
    assert done.linked == "xltoken.xlam"
    assert done.places == []
    assert done.changed
    names = parts_of(result)["xl/externalLinks/externalLink1.xml"]
    assert b'<definedName name="TOKEN_COST"/><definedName name="NPV_STATIC"/>' in names


def test_a_formula_that_would_be_too_long_is_told():
    """A formula that Excel could no longer take is refused, with its place and its length."""
    text = "+".join(["TOKEN_COST(1)"] * 400)
    longer = text.replace("TOKEN", "_xldudf_TOKEN")
    assert len(text) < 8192 < len(longer)
    content = book({"S": {"A1": F(text)}})
    with pytest.raises(FileError, match=rf"formula of S!A1 would have {len(longer):,}"):
        made(content, "lite")
    made(content, "addin")
    long = book({"S": {"A1": F("_xldudf_TOKEN_COST(1)+" * 500 + "1")}})
    assert made(long, "excel")[1].respelled == 500


@pytest.mark.parametrize(
    "text", ["<![CDATA[TOKEN_COST(1)]]>", "1+<!-- x -->TOKEN_COST(1)", "<?x?>1"]
)
def test_a_formula_that_is_not_understood_is_told(text):
    """Formulas in sections, or with remarks inside, are refused, never half rewritten."""
    content = book({"S": {"A1": Raw(f'<c r="A1"><f>{text}</f><v>1</v></c>')}})
    with pytest.raises(FileError, match="written in a way that is not understood"):
        made(content, "lite")


def test_an_add_in_in_conditional_formats_is_told():
    """Excel takes no function of an add-in in a format or a validation: the reader is told."""
    _, done = made(everything(PLAIN), "addin")
    assert "6 conditional formats or validations call our functions" in done.notes[0]
    assert made(everything(PLAIN), "lite")[1].notes == []
    content = book({"S": {"A1": F(CALL)}})
    assert made(content, "addin")[1].notes == []


def test_macros_under_libreoffice_are_told():
    """A book with macros for LibreOffice is respelled, and its reader told to leave them out."""
    content = with_part(book({"S": {"A1": F(CALL)}}), "xl/vbaProject.bin", b"x")
    assert "without macros" in made(content, "libreoffice")[1].notes[0]
    assert made(content, "excel")[1].notes == []


def test_unknown_hosts_are_refused_before_anything_is_read(tmp_path):
    """A host or a namespace that there is not is an error of its own."""
    path = saved(tmp_path, book({"S": {"A1": F(CALL)}}))
    for options in ({"host": "word"}, {"host": "xll", "namespace": "A"}):
        with pytest.raises(SpellingError):
            relink(path, **options)


@pytest.mark.parametrize(
    "text", ['TOKEN_COST("B200",0,A2)', "TOKEN&#95;COST&#40;1&#x29;", "Token_Cost\r\n (1)"]
)
def test_only_the_name_is_changed_within_a_formula(text):
    """Entities, line ends and blanks of a formula stay as they are written."""
    content = book({"S": {"A1": Raw(f"<c r='A1'><f>{text}</f><v>1</v></c>")}})
    sheet = parts_of(made(content, "xll")[0])["xl/worksheets/sheet1.xml"].decode()
    rest = re.sub(r"(?i)token(_|&#95;)cost", "", text, count=1)
    assert f"<f>_xll.TOKEN_COST{rest}</f>" in sheet


def test_saved_values_and_other_entries_stay_raw():
    """Only parts with changed formulas are packed anew; every other entry is copied as it was."""
    content = everything(PLAIN)
    result, _ = made(content, "lite")
    with zipfile.ZipFile(io.BytesIO(content)) as one, zipfile.ZipFile(io.BytesIO(result)) as other:
        for info in one.infolist():
            if info.filename not in differing(content, result):
                assert other.getinfo(info.filename).compress_size == info.compress_size
    for place, kept in (("B1", "<v>0.5</v>"), ("B3", "<v>3</v>")):
        xml = parts_of(result)["xl/worksheets/sheet1.xml"].decode()
        assert re.search(rf'r="{place}".*?</c>', xml)[0].endswith(f"{kept}</c>")


def survives(content: bytes, host: str) -> bool:
    """Whether a file is refused in one line, or becomes a workbook that can be read."""
    try:
        result, _ = made(content, host)
    except FileError as error:
        return "\n" not in str(error)
    return parsed(PATH, result).archive.content is result


SHAKEN = everything(Spelling("addin", link=1))


@given(st.integers(0, len(SHAKEN) - 1), st.integers(1, 255), st.sampled_from(HOSTS))
def test_damaged_files_are_refused_in_one_line(at, change, host):
    """Whatever byte is another: the file is refused in one line, or what comes out is a workbook."""
    content = bytearray(SHAKEN)
    content[at] ^= change
    assert survives(bytes(content), host)


PARTS = sorted(name for name in parts_of(SHAKEN) if name.endswith((".xml", ".rels", ".vml")))


@given(st.sampled_from(PARTS), st.data(), st.sampled_from(HOSTS))
def test_damaged_parts_are_refused_in_one_line(part, data, host):
    """Whatever part is cut, doubled or shuffled: refused in one line, or a workbook comes out."""
    xml = parts_of(SHAKEN)[part]
    start = data.draw(st.integers(0, len(xml)))
    end = data.draw(st.integers(start, len(xml)))
    piece = data.draw(
        st.sampled_from([b"", xml[start:end] * 2, b"<", b"<!--", b"&#", b"[9]!x(", b"'"])
    )
    content = with_part(SHAKEN, part, xml[:start] + piece + xml[end:])
    assert survives(content, host)


# --- whole books ---------------------------------------------------------------------------------

FLAVOURS = [(host, {}) for host in HOSTS] + [("lite", {"namespace": "FIN"})]


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """A book with charts, tables, formats and macros, its values saved."""
    folder = tmp_path_factory.mktemp("rich")
    path = saved(folder, drawn(), "plain.xlsx")
    recalculate(path)
    return saved(folder, enriched(path.read_bytes()), "rich.xlsx")


@pytest.mark.parametrize(("host", "options"), FLAVOURS, ids=str)
def test_a_rich_book_goes_to_every_host_and_back(rich, tmp_path, host, options):
    """There only formulas differ (and, for the add-in, the link's words); back nothing does."""
    there, back = tmp_path / "there.xlsx", tmp_path / "back.xlsx"
    done = relink(rich, there, host=host, **options)
    changed = {"xl/worksheets/sheet2.xml"} if host not in ("excel", "libreoffice") else set()
    if host == "addin":
        changed |= {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
                    "xl/externalLinks/externalLink1.xml",
                    "xl/externalLinks/_rels/externalLink1.xml.rels"}  # fmt: skip
    assert differing(rich, there) == changed
    assert done.calls == 13
    relink(there, back, host="excel")
    assert differing(rich, back) == set()


@pytest.mark.parametrize(("host", "options"), FLAVOURS, ids=str)
def test_every_flavour_computes_the_same_values(rich, tmp_path, host, options):
    """A recalculation of each flavour, with an input changed, gives every value to the last bit."""
    there = tmp_path / "there.xlsx"
    relink(rich, there, host=host, **options)
    for settings in ([], ["growth=0.03"]):
        plain = recalculate(rich, tmp_path / "a.xlsx", settings)
        other = recalculate(there, tmp_path / "b.xlsx", settings)
        assert other.values == plain.values
        assert other.summary == plain.summary
        assert other.findings == []


@pytest.mark.parametrize(("host", "options"), FLAVOURS, ids=str)
def test_another_program_opens_every_flavour(rich, tmp_path, host, options):
    """A reader of other people finds the formulas, the names, the formats, and the link."""
    there = tmp_path / "there.xlsx"
    relink(rich, there, host=host, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wb = openpyxl.load_workbook(there)
        again = tmp_path / "again.xlsx"
        wb.save(again)
    spelled = Spelling(host, options.get("namespace", "")).of("TOKEN_COST")
    assert wb["Model"]["C2"].value == f"={spelled}(Inputs!$B$3,A2,Inputs!$B$4)"
    assert set(wb.defined_names) == {"growth", "first"}
    assert len(wb["Model"].conditional_formatting) == 3
    links = [link.file_link.Target for link in wb._external_links]
    assert links == (["xltoken.xlam"] if host == "addin" else [])
    assert [link.target for link in links_of(read(again))] == links


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
@pytest.mark.parametrize(("host", "options"), FLAVOURS, ids=str)
def test_libreoffice_opens_every_flavour(rich, tmp_path, host, options):
    """LibreOffice reads each flavour and shows the values that are saved in it."""
    there = tmp_path / "there.xlsx"
    relink(rich, there, host=host, **options)
    subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2",
         "--outdir", tmp_path, there],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (found,) = tmp_path.glob("*.csv")
    rows = [line.split(",") for line in found.read_text(encoding="utf-8").splitlines()]
    assert float(rows[1][2]) == pytest.approx(values(there, "Model")["C2"], rel=1e-6)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_books_that_excel_saved_are_left_alone():
    """Real books without our functions come back as they were, for every host."""
    paths = sorted(CORPUS.rglob("*.xlsx"))
    assert paths
    for path in paths:
        package = read(path)
        for host in HOSTS:
            content, done = relinked(package, host)
            assert content is package.content, path
            assert done.calls == 0, path


@pytest.mark.parametrize("file", ["bank.xla", "budget.xlsx"])
def test_functions_of_others_that_are_called_like_ours_stay_theirs(file):
    """Asked of a file that cannot be our add-in, a call and its link stay; the reader is told."""
    content = book({"S": {"A1": F("IRR_ALL(B1:B3)", 1)}})
    theirs, _ = relinked(parsed(Path("a.xlsx"), content), "addin", addin=file)
    again, done = relinked(parsed(Path("a.xlsx"), theirs), "excel")
    assert again == theirs
    assert not done.dropped
    assert done.calls == 0
    assert file in done.notes[0]
    report = computed(theirs, Path("a.xlsx"))[1]
    assert report.summary["unsupported"] == 1
    assert report.summary["changed"] == 0
