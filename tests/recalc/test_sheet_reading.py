"""Cells read from a sheet's XML, at once or one by one, and written back into it."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recalc_tools import HEAD, MAIN, book, parts_of, saved

from xltoken.files import FileError
from xltoken.recalc.package import read
from xltoken.recalc.sheetpatch import Patch, patched, without_formulas
from xltoken.recalc.sheetxml import (
    ErrorText,
    Sheet,
    address,
    corners,
    formula_cells,
    reference,
    sheet_cells,
)

STRINGS = ["", "one", "two & <three>", "é\U0001f600", "a\nb"]
ERRORS = ["#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NUM!", "#NAME?", "#NULL!", "#SPILL!"]


def worksheet(data, prefix="", before="", after=""):
    """Sheet part around some rows."""
    p = prefix
    space = f"xmlns:{p[:-1]}" if p else "xmlns"
    return (
        f'{HEAD}<{p}worksheet {space}="{MAIN}">{before}'
        f"<{p}sheetData>{data}</{p}sheetData>{after}</{p}worksheet>"
    ).encode()


def sheet_of(xml, strings=STRINGS):
    """Sheet with this XML."""
    return Sheet("S", "part", xml, strings, Path("book.xlsx"))


def both(xml):
    """Formula cells as the fast reader sees them, and as the careful one does."""
    careful = {place: cell for place, cell in sheet_cells(xml, STRINGS) if cell.formula is not None}
    return formula_cells(xml, STRINGS), careful


# --- sheets of every spelling ---------------------------------------------------------------------

LETTERS = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="￾￿")
TEXT = st.text(LETTERS, max_size=8)
FORMULA = st.one_of(
    st.sampled_from(["A1", "SUM(A1:B2)*2", '"a"&"<"', "IF(A1>1,1,0)", "'It''s'!A1", "A1&B1"]), TEXT
)


@st.composite
def quoted(draw, value):
    """Attribute value in either kind of quotation marks."""
    mark = draw(st.sampled_from(['"', '"', '"', "'"]))
    return f"{mark}{value}{mark}"


@st.composite
def escaped(draw, text):
    """Text with letters as themselves, as entities, or as numbers."""
    pieces = []
    for letter in text:
        ways = [f"&#{ord(letter)};", f"&#x{ord(letter):X};"]
        named = {"<": "&lt;", "&": "&amp;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
        ways.append(named.get(letter, letter))
        plain = [] if letter in "<&" else [letter] * 5
        pieces.append(draw(st.sampled_from([*plain, *ways])))
    return "".join(pieces)


@st.composite
def saved_values(draw):
    """Type attribute and body of a saved value."""
    kind = draw(st.sampled_from(["", "", "n", "str", "b", "e", "s", "inlineStr"]))
    if kind == "inlineStr":
        return kind, f"<{{p}}is><{{p}}t>{draw(escaped(draw(TEXT)))}</{{p}}t></{{p}}is>"
    number = st.floats(allow_nan=False, allow_infinity=False)
    text = {
        "": number.map(repr),
        "n": number.map(repr),
        "str": TEXT.flatmap(escaped),
        "b": st.sampled_from(["0", "1"]),
        "e": st.sampled_from(ERRORS),
        "s": st.integers(0, len(STRINGS) - 1).map(str),
    }[kind]
    value = draw(text)
    space = draw(st.sampled_from(["", "", ' xml:space="preserve"']))
    written = [f"<{{p}}v{space}>{value}</{{p}}v>"]
    if kind in ("", "str"):
        written += ["", "<{p}v/>", "<{p}v></{p}v>"]
    return kind, draw(st.sampled_from(written))


@st.composite
def cells(draw, place, shared):
    """`<c>` element: a constant, a formula, a shared one, an array, or nothing."""
    kind, value = draw(saved_values())
    attributes = []
    if draw(st.integers(0, 9)):
        attributes.append(f"r={draw(quoted(address(*place)))}")
    if kind:
        attributes.append(f"t={draw(quoted(kind))}")
    if draw(st.booleans()):
        attributes.append('s="3"')
    formula = ""
    which = draw(st.sampled_from(["constant", "plain", "plain", "shared", "array", "table", "odd"]))
    text = draw(escaped(draw(FORMULA)))
    if which == "plain" and text:
        formula = f"<{{p}}f>{text}</{{p}}f>"
    elif which == "shared":
        group = draw(st.integers(0, 2))
        own = draw(st.permutations(['t="shared"', f'si="{group}"']))
        if group in shared:
            formula = f"<{{p}}f {' '.join(own)}/>"
        elif text and kind != "inlineStr":  # which has no formula: see below
            shared.add(group)
            formula = f'<{{p}}f {" ".join(own)} ref="A1:B9">{text}</{{p}}f>'
    elif which == "array" and text:
        formula = f'<{{p}}f t="array" ref="{address(*place)}">{text}</{{p}}f>'
        if draw(st.booleans()):
            attributes.append('cm="1"')
    elif which == "table":
        formula = f'<{{p}}f t="dataTable" ref="{address(*place)}" r1="A1"/>'
    elif which == "odd" and text:
        formula = f'<{{p}}f ca="1" xml:space="preserve">{text}</{{p}}f>'
    if kind == "inlineStr":
        formula = ""
    attributes = draw(st.permutations(attributes))
    gap = draw(st.sampled_from(["", "", " ", "\n  "]))
    inside = formula + gap + value if formula else value
    said = "".join(f" {a}" for a in attributes)
    if not inside and draw(st.booleans()):
        return f"<{{p}}c{said}/>"
    return f"<{{p}}c{said}>{inside}</{{p}}c>"


@st.composite
def sheets(draw):
    """Sheet XML with rows of such cells, and remarks between them."""
    prefix = draw(st.sampled_from(["", "", "", "x:"]))
    shared = set()
    rows = []
    number = 0
    remark = '<!-- <c r="A1"><f>no</f></c> -->'
    for _ in range(draw(st.integers(0, 4))):
        number += draw(st.integers(1, 3))
        column = 0
        line = []
        for _ in range(draw(st.integers(0, 4))):
            column += draw(st.integers(1, 3))
            line.append(draw(cells((number, column), shared)))
            if not draw(st.integers(0, 19)):
                line.append(remark)
        told = f' r="{number}"' if draw(st.integers(0, 4)) else ""
        if not line and draw(st.booleans()):
            rows.append(f"<{{p}}row{told}/>")
        else:
            rows.append(f'<{{p}}row{told} spans="1:9">{"".join(line)}</{{p}}row>')
    data = "".join(rows).replace("{p}", prefix)
    after = draw(st.sampled_from(["", f'<{prefix}phoneticPr fontId="1"/>', remark]))
    return worksheet(data, prefix, after=after)


@given(sheets())
def test_both_readers_see_the_same_formulas(xml):
    """What is read at once is what is read cell by cell: values, types, groups, places, bytes."""
    fast, careful = both(xml)
    assert list(fast) == list(careful)
    for place, cell in careful.items():
        assert fast[place]._replace(shape=b"") == cell._replace(shape=b"")
        assert type(fast[place].value) is type(cell.value)


def test_formulas_of_one_shape_call_the_same_functions():
    """What is known of one formula is believed of all of its shape: no two others share one."""
    xml = worksheet(
        '<row r="1"><c r="A1"><f>MA&#88;(C1)</f></c><c r="B1"><f>MA&#66;(C1)</f></c></row>'
    )
    found = formula_cells(xml, [])
    assert (found[1, 1].formula, found[1, 2].formula) == ("MAX(C1)", "MAB(C1)")
    assert found[1, 1].shape != found[1, 2].shape


@given(sheets())
def test_cells_know_where_they_stand(xml):
    """The bytes of a cell are one `<c>` element, and no two cells overlap."""
    end = 0
    for _, cell in sheet_cells(xml, STRINGS):
        element = xml[cell.start : cell.end]
        assert re.match(rb"<(x:)?c[\s/>]", element)
        assert element.endswith((b"/>", b"c>"))
        assert cell.start >= end
        end = cell.end


@given(sheets())
def test_one_cell_is_the_cell_that_stands_there(xml):
    """Asked for one place, a sheet gives what it holds there, all cells read or none."""
    every = sheet_of(xml)
    for row in range(1, 14):
        for column in range(1, 14):
            found, expected = sheet_of(xml).cell(row, column), every.cells.get((row, column))
            assert (found and found._replace(shape=b"")) == (
                expected and expected._replace(shape=b"")
            )


@given(sheets(), st.data())
def test_a_patch_changes_nothing_but_its_cells(xml, data):
    """Outside the patched cells every byte stays; inside, formulas stay and values are new."""
    sheet = sheet_of(xml)
    standing = [p for p in sheet.cells if sheet.cells[p].kind != "dataTable"]
    if len({c.start for c in sheet.cells.values()}) != len(list(sheet_cells(xml, STRINGS))):
        return  # two cells at one place: no such file is written
    chosen = data.draw(st.sets(st.sampled_from(standing))) if standing else set()
    number = st.floats(allow_nan=False, allow_infinity=False)
    value = st.one_of(number, TEXT, st.booleans(), st.sampled_from(ERRORS).map(ErrorText))
    values = {place: data.draw(value) for place in sorted(chosen)}
    after = patched(sheet, Patch(values))
    pieces = []
    end = 0
    for cell in sorted((sheet.cells[p] for p in chosen), key=lambda c: c.start):
        pieces.append(xml[end : cell.start])
        end = cell.end
    pieces.append(xml[end:])
    assert re.fullmatch(b".*?".join(map(re.escape, pieces)), after, re.DOTALL)
    again = sheet_of(after)
    assert list(again.cells) == list(sheet.cells)
    for place, cell in again.cells.items():
        assert cell.formula == sheet.cells[place].formula
        expected = values.get(place, sheet.cells[place].value)
        assert cell.value == expected
        assert type(cell.value) is type(expected)


@given(sheets(), st.data())
def test_taking_formulas_out_leaves_their_values(xml, data):
    """A formula that is taken out leaves its saved value, and all other cells as they were."""
    sheet = sheet_of(xml)
    chosen = data.draw(st.sets(st.sampled_from(list(sheet.formulas)))) if sheet.formulas else set()
    masters = {p for p in chosen if sheet.formulas[p].group}
    chosen -= masters
    again = sheet_of(without_formulas(sheet, chosen))
    for place, cell in sheet.cells.items():
        found = again.cells[place]
        assert found.value == cell.value
        assert found.formula == (None if place in chosen else cell.formula)


# --- spellings ------------------------------------------------------------------------------------

ONE = '<c r="A1"><v>1</v></c>'


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ("<row><c><v>1</v></c><c><f>A1</f><v>1</v></c></row>", {"B1"}),
        ("<row/><row><c><f>1</f></c></row>", {"A2"}),
        ('<row r="3"><c><f>1</f></c></row><row><c/><c><f>1</f></c></row>', {"A3", "B4"}),
        ('<row r="3"><c r="D3"><f>1</f></c><c><f>1</f></c></row>', {"D3", "E3"}),
        ("<row r='2'><c r='B2'><f>1</f></c></row>", {"B2"}),
        ('<row r="1"><c s="1" r="B1"><f>1</f></c></row>', {"B1"}),
        ('<row r="1"><c r="b1"><f>1</f></c></row>', {"B1"}),
        ('<row r="1"><c\n r="B1"\n><f>1</f></c></row>', {"B1"}),
        ('<row r="1"><c r="B1" ><f >1</f></c></row>', {"B1"}),
        ('<row r="1"><!--<c r="A1"><f>1</f></c>--><c r="B1"><f>1</f></c></row>', {"B1"}),
        ('<row r="1"><c r="B1"><!-- x --><f>1</f><v>1</v></c></row>', {"B1"}),
        ('<row r="1"><c r="B1"><f>1</f><!-- x --><v>1</v></c></row>', {"B1"}),
        ('<row r="1"><c r="B1"><f>1</f><v>1</v><extLst/></c></row>', {"B1"}),
        ('<row r="1"><cols/><c r="B1"><f>1</f></c></row>', {"B1"}),
        ('<row r="1"><c r="XFD1"><f>1</f></c></row>', {"XFD1"}),
        ('<row r="1048576"><c r="A1048576"><f>1</f></c></row>', {"A1048576"}),
    ],
)
def test_formulas_are_found_in_every_spelling(data, places):
    """Places that are not told, quotation marks, spaces, remarks and order make no difference."""
    fast, careful = both(worksheet(data))
    assert {address(*place) for place in careful} == places
    assert fast == careful


ODD = [
    '<c r="B1"><f\tca="1">1</f><v>5</v></c>',
    '<c r="B1"><f\nca="1">1</f><v>5</v></c>',
    f'<x:c xmlns:x="{MAIN}" r="B1"><x:f>1</x:f><x:v>5</x:v></x:c>',
]


@pytest.mark.parametrize("cell", ODD)
def test_no_formula_is_hidden_by_its_spelling(cell):
    """A formula that is not seen keeps an old value unnoticed: every legal spelling is seen."""
    fast, careful = both(worksheet(f'<row r="1">{cell}</row>'))
    assert [(c.formula, c.value) for c in careful.values()] == [("1", 5.0)]
    assert fast == careful


@pytest.mark.parametrize(
    "cell", ['<c r="B1"><f>1</f><v>5</v></c >', '<c r="B1"><f>1</f ><v>5</v></c>']
)
def test_an_end_tag_with_white_space_is_refused(cell):
    """What no program writes, and would hide a formula, is refused."""
    with pytest.raises(ValueError, match="not understood"):
        formula_cells(worksheet(f'<row r="1">{cell}</row>'), [])


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("<v>1</v>", 1.0),
        ("<v>-1.5E-7</v>", -1.5e-7),
        ("<v>1.7976931348623157E+308</v>", 1.7976931348623157e308),
        ("<v>4.9E-324</v>", 5e-324),
        ("<v>0.1</v>", 0.1),
        ("<v>123456789012345678</v>", 123456789012345678.0),
        ("<v></v>", None),
        ("<v/>", None),
        ("", None),
    ],
)
def test_numbers_are_read_to_the_last_bit(body, value):
    """A saved number is the float that its digits mean; nothing saved is None."""
    xml = worksheet(f'<row r="1"><c r="A1"><f>1</f>{body}</c></row>')
    fast, careful = both(xml)
    assert fast == careful
    assert fast[1, 1].value == value


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("str", "<v></v>", ""),
        ("str", "<v>a&amp;b &#8364; &#x1F600;</v>", "a&b € \U0001f600"),
        ("str", '<v xml:space="preserve"> a </v>', " a "),
        ("str", "<v>_x0041__x005F_x0041_</v>", "A_x0041_"),
        ("str", "<v>#N/A</v>", "#N/A"),
        ("b", "<v>1</v>", True),
        ("b", "<v>0</v>", False),
        ("b", "<v>true</v>", True),
        ("e", "<v>#N/A</v>", ErrorText("#N/A")),
        ("s", "<v>2</v>", "two & <three>"),
        ("d", "<v>2026-01-31T00:00:00</v>", "2026-01-31T00:00:00"),
        ("n", "<v>2</v>", 2.0),
    ],
)
def test_every_type_is_read_as_it_was_saved(kind, body, value):
    """Texts, booleans, errors and shared strings keep their type and their letters."""
    xml = worksheet(f'<row r="1"><c r="A1" t="{kind}"><f>1</f>{body}</c></row>')
    fast, careful = both(xml)
    assert fast == careful
    assert fast[1, 1].value == value
    assert type(fast[1, 1].value) is type(value)


def test_a_text_in_a_cdata_section_is_its_letters():
    """Formula and value may stand in CDATA: they are read as they are meant, or refused."""
    xml = worksheet(
        '<row r="1"><c r="A1" t="str"><f><![CDATA["<a>"&B1]]></f><v><![CDATA[<a>]]></v></c></row>'
    )
    try:
        cell = formula_cells(xml, [])[1, 1]
    except (LookupError, ValueError):
        return
    assert (cell.formula, cell.value) == ('"<a>"&B1', "<a>")


def test_rich_inline_texts_are_what_they_show():
    """Runs are joined, reading aids left out."""
    body = '<is><r><t>a</t></r><rPh sb="0" eb="1"><t>no</t></rPh><r><t xml:space="preserve"> b</t></r></is>'
    xml = worksheet(f'<row r="1"><c r="A1" t="inlineStr">{body}</c></row>')
    assert [cell.value for _, cell in sheet_cells(xml, [])] == ["a b"]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A1" t="s"><v>9</v></c>',
        '<c r="A1" t="s"><v>-1</v></c>',
        '<c r="A1" t="s"><v>x</v></c>',
        '<c r="A1"><f>1</f><v>x</v></c>',
        '<c r="A1" t="s"><f>1</f><v>9</v></c>',
        '<c r="A1" t="b"><f>1+</f><v>x</v></c><c r="B1"><v>1,5</v></c>',
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused(tmp_path, cell):
    """A number that is none, or a string that is not there, is a message and no value."""
    xml = worksheet(f'<row r="1">{cell}</row>').decode()
    path = saved(tmp_path, book({"S": xml}, shared=["<t>only</t>"]))
    with pytest.raises(FileError, match="sheet S cannot be read"):
        read_all(path)


def read_all(path):
    """Every value of a file's first sheet."""
    sheet = next(iter(read(path).sheets.values()))
    sheet.check_numbers()
    return dict(sheet.formulas), dict(sheet.cells)


@pytest.mark.parametrize("digits", ["1_000", "nan", "inf", "-Infinity", "0x10"])
def test_what_python_alone_takes_for_a_number_is_refused(tmp_path, digits):
    """A saved number is digits as the file format writes them; nothing else passes for one."""
    cell = f'<c r="A1"><f>1+1</f><v>{digits}</v></c>'
    path = saved(tmp_path, book({"S": worksheet(f'<row r="1">{cell}</row>').decode()}))
    try:
        found, _ = read_all(path)
    except FileError:
        return
    value = found[1, 1].value
    assert isinstance(value, float)
    assert math.isfinite(value)
    assert re.fullmatch(r"[-+0-9.eE]+", digits)


# --- shared formulas ------------------------------------------------------------------------------


def test_children_know_the_master_of_their_group():
    """A child has its master's text, unmoved; groups are told apart."""
    xml = worksheet(
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">C1</f></c>'
        '<c r="B1"><f t="shared" ref="B1:B2" si="1">D1</f></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/></c><c r="B2"><f si="1" t="shared"/></c></row>'
    )
    fast, careful = both(xml)
    assert fast == careful
    told = {address(*p): (c.formula, c.moved, c.group) for p, c in fast.items()}
    assert told == {
        "A1": ("C1", True, "0"),
        "B1": ("D1", True, "1"),
        "A2": ("C1", False, "0"),
        "B2": ("D1", False, "1"),
    }


def test_a_child_before_its_master_is_refused():
    """A formula that is used before it is written has no meaning that is sure."""
    xml = worksheet(
        '<row r="1"><c r="A1"><f t="shared" si="0"/></c></row>'
        '<row r="2"><c r="A2"><f t="shared" ref="A1:A2" si="0">C2</f></c></row>'
    )
    with pytest.raises(ValueError, match="before it is written"):
        formula_cells(xml, [])


def test_a_group_that_is_written_twice_has_two_masters():
    """A number that is used again means the formula that was written last before the child."""
    xml = worksheet(
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">C1</f></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/></c></row>'
        '<row r="3"><c r="A3"><f t="shared" ref="A3:A4" si="0">D3</f></c></row>'
        '<row r="4"><c r="A4"><f t="shared" si="0"/></c></row>'
    )
    found = formula_cells(xml, [])
    assert (found[3, 1].formula, found[4, 1].formula) == ("D3", "D3")


# --- places ---------------------------------------------------------------------------------------


@given(st.integers(1, 1_048_576), st.integers(1, 16_384))
def test_an_address_is_read_as_it_is_written(row, column):
    """Letters and digits of a place lead back to it, with and without signs."""
    text = address(row, column)
    assert reference(text) == (row, column)
    letters = text.rstrip("0123456789")
    assert reference(f"${letters.lower()}${row}") == (row, column)
    assert corners(f"A1:{text}") == ((1, 1), (row, column))


@pytest.mark.parametrize(
    "text", ["", "A", "1", "A0", "A01", "XFE1", "A1048577", "ABCD1", "A1 ", "A-1"]
)
def test_what_is_no_place_is_none(text):
    """Nothing beyond the sheet and nothing that is not an address passes for one."""
    assert reference(text) is None


# --- writing --------------------------------------------------------------------------------------


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=20))
def test_any_text_comes_back_as_it_went_in(text):
    """Control characters, marks and spaces survive being written and read."""
    text = text.replace("\r", "")
    xml = worksheet(
        '<row r="1"><c r="A1" t="str"><f>B1</f><v>x</v></c><c r="B1"><v>1</v></c></row>'
    )
    after = sheet_of(patched(sheet_of(xml), Patch({(1, 1): text, (1, 2): text})))
    assert after.cells[1, 1].value == text
    assert after.cells[1, 2].value == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back_to_the_last_bit(number):
    """A number that is written is the number that is read."""
    xml = worksheet('<row r="1"><c r="A1"><f>B1</f><v>0</v></c></row>')
    assert sheet_of(patched(sheet_of(xml), Patch({(1, 1): number}))).cells[1, 1].value == number


def test_no_patch_no_change():
    """A patch without values is the same bytes."""
    content = book({"S": {"A1": 1.0}})
    xml = parts_of(content)["xl/worksheets/sheet1.xml"]
    assert patched(sheet_of(xml), Patch()) == xml


@pytest.mark.parametrize("data", ["<sheetData/>", "<sheetData></sheetData>", "<sheetData />"])
def test_a_cell_is_put_into_an_empty_sheet(data):
    """Where a sheet has no rows one is made."""
    xml = f'{HEAD}<worksheet xmlns="{MAIN}">{data}<pageMargins/></worksheet>'.encode()
    after = patched(sheet_of(xml), Patch({(2, 3): 5.0, (1, 1): "a"}))
    found = {address(*p): cell.value for p, cell in sheet_cells(after, [])}
    assert found == {"A1": "a", "C2": 5.0}
    assert after.endswith(b"</sheetData><pageMargins/></worksheet>")
