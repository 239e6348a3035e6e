"""The xlsx as parts: what is read from the XML, and what a patch leaves alone."""

import os
import re
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recalc_tools import (
    HEAD,
    MAIN,
    F,
    Raw,
    book,
    element,
    parts_of,
    replaced,
    saved,
    sheet_part,
    values,
    with_part,
    zipped,
)

from xltoken.files import FileError, check_writable, write_atomically
from xltoken.recalc import package as files
from xltoken.recalc import sheetxml
from xltoken.recalc.package import parsed
from xltoken.recalc.sheetpatch import Patch, patched
from xltoken.recalc.sheetxml import ErrorText, address, reference, sheet_cells


def read(content: bytes, tmp_path):
    """Package of a hand-written book."""
    return files.read(saved(tmp_path, content))


def patch(tmp_path, content: bytes, sheet: str, changed) -> bytes:
    """Book with new values in one sheet."""
    package = read(content, tmp_path)
    part = package.sheets[sheet]
    return files.with_parts(content, {part.part: patched(part, Patch(changed))})


@given(row=st.integers(1, sheetxml.MAX_ROW), column=st.integers(1, sheetxml.MAX_COLUMN))
def test_address_and_reference_are_inverse(row, column):
    """A place written as an address and read again is the same place, absolute or not."""
    text = address(row, column)
    assert reference(text) == (row, column)
    assert reference(text.lower()) == (row, column)
    letters = text.rstrip("0123456789")
    assert reference(f"${letters}${row}") == (row, column)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ((1, 1), "A1"),
        ((1, 26), "Z1"),
        ((1, 27), "AA1"),
        ((9, 702), "ZZ9"),
        ((1048576, 16384), "XFD1048576"),
    ],
)
def test_addresses_are_excel_s(place, text):
    """Columns count A to Z, AA to ZZ, AAA to XFD."""
    assert address(*place) == text
    assert reference(text) == place


@pytest.mark.parametrize(
    "text", ["", "A", "1", "A0", "XFE1", "ZZZ1", "A1048577", "A1:B2", "AAAA1", "A-1", "Ä1", "A01"]
)
def test_what_is_no_cell_is_no_reference(text):
    """Anything but one cell inside the sheet's bounds is no reference."""
    assert reference(text) is None


@pytest.mark.parametrize("prefix", ["", "x:", "ss:", "x-1.y:"])
def test_values_are_read_with_their_types(tmp_path, prefix):
    """Numbers, texts, booleans and errors of constants and formulas are read, prefixed or not."""
    p = prefix
    cells = {
        "A1": 1.5,
        "A2": "plain <&> text",
        "A3": True,
        "A4": Raw(f'<{p}c r="A4" t="e"><{p}v>#N/A</{p}v></{p}c>'),
        "A5": Raw(f'<{p}c r="A5" t="s" s="0"><{p}v>0</{p}v></{p}c>'),
        "A6": Raw(f'<{p}c r="A6" s="0"/>'),
        "A7": Raw(f"<{p}c r='A7' t='n'><{p}v/></{p}c>"),
        "A8": Raw(f'<{p}c r="A8" t="n"><{p}v></{p}v></{p}c>'),
        "B1": F('A1&"<"', "1.5<"),
        "B2": F("A1>1", True),
        "B3": F("1/0", "#DIV/0!"),
        "B4": F("A1*2"),
        "B5": F("A1*2", 3),
        "B6": Raw(f'<{p}c r="B6" t="str"><{p}f>""</{p}f><{p}v></{p}v></{p}c>'),
    }
    shared = [
        f"<{p}r><{p}t>one </{p}t></{p}r><{p}r><{p}t>two</{p}t></{p}r><{p}rPh><{p}t>k</{p}t></{p}rPh>"
    ]
    found = read(book({"S": cells}, shared=shared, prefix=p), tmp_path)
    got = {address(*place): cell.value for place, cell in found.sheets["S"].cells.items()}
    assert got == {
        "A1": 1.5, "A2": "plain <&> text", "A3": True, "A4": "#N/A", "A5": "one two", "A6": None,
        "A7": None, "A8": None, "B1": "1.5<", "B2": True, "B3": "#DIV/0!", "B4": None, "B5": 3.0,
        "B6": "",
    }  # fmt: skip
    assert isinstance(got["A4"], ErrorText)
    assert isinstance(got["B3"], ErrorText)
    formulas = {address(c.row, c.column): c.formula for _, c in found.formulas()}
    assert formulas == {
        "B1": 'A1&"<"', "B2": "A1>1", "B3": "1/0", "B4": "A1*2", "B5": "A1*2", "B6": '""',
    }  # fmt: skip


def test_empty_shared_strings_count(tmp_path):
    """An empty entry of the string table keeps its place in the numbering."""
    content = book(
        {"S": {"A1": Raw('<c r="A1" t="s"><v>2</v></c>')}}, shared=["<t>a</t>", "", "<t>c</t>"]
    )
    content = replaced(content, "xl/sharedStrings.xml", "<si></si>", "<si/>")
    assert read(content, tmp_path).cell("S", 1, 1).value == "c"


@pytest.mark.parametrize("flag", ["1", "true"])
def test_the_date_system_is_read(tmp_path, flag):
    """A 1904 book says so, in both spellings of true; any other is 1900."""
    content = book({"S": {"A1": 1.0}}, date1904=True)
    content = replaced(content, "xl/workbook.xml", 'date1904="1"', f'date1904="{flag}"')
    assert read(content, tmp_path).date1904
    assert not read(book({"S": {"A1": 1.0}}), tmp_path).date1904


def test_names_of_the_whole_book_are_read_and_local_ones_are_not(tmp_path):
    """Workbook-wide names are read as written; a sheet's own names are no names of the book."""
    content = book(
        {"R&D": {"A1": 1.0}},
        names={"rate": "'R&D'!$A$1"},
        local_names='<definedName name="own" localSheetId="0">S!$A$1</definedName>',
    )
    assert read(content, tmp_path).names == {"rate": "'R&D'!$A$1"}


def test_sheets_stand_under_their_names_in_order(tmp_path):
    """Sheets are found through the relationships under their unescaped names, in order."""
    names = ["My Sheet", "O'Brien", "R&D <x>", 'say "hi"', "Zürich 東京"]
    found = read(book({name: {"A1": float(i)} for i, name in enumerate(names)}), tmp_path)
    assert list(found.sheets) == names
    assert [found.cell(name, 1, 1).value for name in names] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_an_absolute_target_is_found(tmp_path):
    """A relationship target from the root of the package is found, as openpyxl writes it."""
    content = book({"S": {"A1": 7.0}})
    rels = "xl/_rels/workbook.xml.rels"
    content = replaced(content, rels, 'Target="worksheets', 'Target="/xl/worksheets')
    assert read(content, tmp_path).cell("S", 1, 1).value == 7.0


def test_a_sheet_that_is_no_worksheet_is_left_out(tmp_path):
    """A chart sheet is no worksheet: it is not read and stays as it is."""
    content = book({"S": {"A1": 7.0}, "Chart": {"A1": 1.0}})
    rels = "xl/_rels/workbook.xml.rels"
    xml = parts_of(content)[rels].decode()
    xml = xml.replace(
        '/worksheet" Target="worksheets/sheet2', '/chartsheet" Target="worksheets/sheet2'
    )
    assert list(read(with_part(content, rels, xml.encode()), tmp_path).sheets) == ["S"]


@pytest.mark.parametrize(
    ("value", "xml"),
    [
        (2.0, '<c r="A1" s="3"><v>2</v></c>'),
        (0.1, '<c r="A1" s="3"><v>0.1</v></c>'),
        (-1e300, '<c r="A1" s="3"><v>-1e+300</v></c>'),
        (True, '<c r="A1" s="3" t="b"><v>1</v></c>'),
        (False, '<c r="A1" s="3" t="b"><v>0</v></c>'),
        (ErrorText("#N/A"), '<c r="A1" s="3" t="e"><v>#N/A</v></c>'),
        (float("inf"), '<c r="A1" s="3" t="e"><v>#NUM!</v></c>'),
        (float("nan"), '<c r="A1" s="3" t="e"><v>#NUM!</v></c>'),
        ("a<b&c", '<c r="A1" s="3" t="inlineStr"><is><t>a&lt;b&amp;c</t></is></c>'),
        (" x", '<c r="A1" s="3" t="inlineStr"><is><t xml:space="preserve"> x</t></is></c>'),
        (None, '<c r="A1" s="3"/>'),
    ],
)
@pytest.mark.parametrize(
    "old",
    ['<c r="A1" s="3"><v>7</v></c>', '<c r="A1" s="3" t="str"><v>q</v></c>', '<c r="A1" s="3"/>'],
)
def test_a_patched_constant_keeps_its_style(tmp_path, old, value, xml):
    """A constant gets value and type of the new value, and keeps every other attribute."""
    content = book({"S": {"A1": Raw(old), "B1": 1.0}})
    assert element(patch(tmp_path, content, "S", {(1, 1): value}), "A1") == xml


@pytest.mark.parametrize(
    ("value", "xml"),
    [
        (2.5, '<c r="A1"><f ca="1">1+1</f><v>2.5</v></c>'),
        ("a<b", '<c r="A1" t="str"><f ca="1">1+1</f><v>a&lt;b</v></c>'),
        (True, '<c r="A1" t="b"><f ca="1">1+1</f><v>1</v></c>'),
        (ErrorText("#NUM!"), '<c r="A1" t="e"><f ca="1">1+1</f><v>#NUM!</v></c>'),
    ],
)
def test_a_patched_formula_keeps_its_formula(tmp_path, value, xml):
    """A formula cell gets a new value and type, and its formula stays byte for byte."""
    content = book({"S": {"A1": F("1+1", "old", ' ca="1"')}})
    assert element(patch(tmp_path, content, "S", {(1, 1): value}), "A1") == xml


@pytest.mark.parametrize("prefix", ["x:", "ss:"])
def test_a_patch_keeps_the_namespace_prefix(tmp_path, prefix):
    """A patched cell has the prefix of the file, and another reader sees the new values."""
    p = prefix
    content = book({"S": {"A1": 1.0, "B1": F("A1*2", 2), "C1": "t", "D1": 3.0}}, prefix=p)
    after = patch(tmp_path, content, "S", {(1, 1): 5.0, (1, 2): 10.0, (1, 3): "u v ", (1, 4): None})
    assert f'<{p}c r="B1"><{p}f>A1*2</{p}f><{p}v>10</{p}v></{p}c>' in sheet_part(after)
    assert values(saved(tmp_path, after, "after.xlsx")) == {"A1": 5, "B1": 10, "C1": "u v "}


@pytest.mark.parametrize("prefix", ["calc:", "xc:"])
def test_a_prefix_may_hold_the_letter_c(tmp_path, prefix):
    """A prefix that contains a c is kept whole, and the part stays well-formed."""
    content = book({"S": {"A1": 1.0, "B1": F("A1*2", 2)}}, prefix=prefix)
    after = patch(tmp_path, content, "S", {(1, 1): 5.0, (1, 2): 10.0})
    assert f'<{prefix}c r="A1"><{prefix}v>5</{prefix}v></{prefix}c>' in sheet_part(after)


@given(
    number=st.floats(allow_nan=False, allow_infinity=False),
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
)
def test_patched_values_are_read_back_to_the_last_bit(tmp_path_factory, number, text):
    """A number and a text that were written are read back exactly."""
    content = book({"S": {"A1": 1.0, "A2": "t", "A3": F("A1", 1), "A4": F("A2", "t")}})
    package = parsed(tmp_path_factory.getbasetemp() / "b.xlsx", content)
    part = package.sheets["S"]
    changed = {(1, 1): number, (2, 1): text, (3, 1): number, (4, 1): text}
    after = files.with_parts(content, {part.part: patched(part, Patch(changed))})
    cells = parsed(package.path, after).sheets["S"].cells
    assert {place: cell.value for place, cell in cells.items()} == changed


@pytest.mark.parametrize("text", ["bell\x07", "a\rb", "\x01", "￿"])
def test_control_characters_survive_a_patch(tmp_path, text):
    """A text with control characters is escaped as Excel does, _x0007_, and the part stays XML."""
    content = book({"S": {"A1": "t", "B1": F("A1", "t")}})
    after = patch(tmp_path, content, "S", {(1, 1): text, (1, 2): text})
    escaped = "".join(f"_x{ord(c):04X}_" if ord(c) < 32 or ord(c) > 0xFFFD else c for c in text)
    assert sheet_part(after).count(escaped) == 2
    values(saved(tmp_path, after, "after.xlsx"))


def test_a_patch_touches_nothing_but_its_cells(tmp_path):
    """All bytes outside the patched cells stay, comments and unknown elements included."""
    tail = '<!-- a > remark --><extLst><ext uri="{x}"><v>1</v></ext></extLst>'
    xml = (
        f'{HEAD}<worksheet xmlns="{MAIN}">\r\n <cols><col min="1" max="1" width="9"/></cols>'
        '<sheetData>\n<row r="1" spans="1:2">\t<c r="A1" s="1"><v>0.50</v></c> '
        '<c  t="str" r="B1" cm="1" ><f>A1*2</f><v>1.00</v><extLst/></c>\n<c r="C1"><v>1.00</v></c></row>'
        f"</sheetData>{tail}</worksheet>"
    )
    content = book({"S": xml})
    after = sheet_part(patch(tmp_path, content, "S", {(1, 1): 0.75}))
    assert after == xml.replace("<v>0.50</v>", "<v>0.75</v>")


def test_a_cell_in_a_comment_is_no_cell(tmp_path):
    """A cell that is commented out is neither read nor patched in place of the real one."""
    content = book({"S": {"A1": 0.5}})
    remark = '<!-- <c r="A1"><v>9</v></c> -->'
    content = replaced(content, "xl/worksheets/sheet1.xml", "</sheetData>", f"</sheetData>{remark}")
    after = patch(tmp_path, content, "S", {(1, 1): 0.75})
    assert values(saved(tmp_path, after, "after.xlsx")) == {"A1": 0.75}


def test_an_archive_without_new_parts_is_the_same_bytes():
    """With nothing to replace the archive is returned as it is."""
    content = book({"S": {"A1": 1.0}})
    assert files.with_parts(content, {}) is content


def test_replacing_a_part_keeps_order_times_and_comment(tmp_path):
    """The archive keeps the order, times, attributes and comment of what is not replaced."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"a remark"
        for i, name in enumerate(["z.bin", "a.xml", "folder/m.xml"]):
            info = zipfile.ZipInfo(name, (1999, 1, 2, 3, 4, 2 * i))
            info.compress_type = zipfile.ZIP_DEFLATED if i else zipfile.ZIP_STORED
            info.external_attr = 0o600 << 16
            archive.writestr(info, name.encode() * 50)
    before = zipfile.ZipFile(path)
    after_path = tmp_path / "b.zip"
    after_path.write_bytes(files.with_parts(path.read_bytes(), {"a.xml": b"new"}))
    with before, zipfile.ZipFile(after_path) as after:
        assert after.comment == b"a remark"
        for old, new in zip(before.infolist(), after.infolist(), strict=True):
            assert (old.filename, old.date_time, old.compress_type, old.external_attr) == (
                new.filename, new.date_time, new.compress_type, new.external_attr,
            )  # fmt: skip
        assert after.read("a.xml") == b"new"
        assert after.read("z.bin") == before.read("z.bin")


def test_a_new_file_is_written_whole(tmp_path):
    """A file that did not exist stands there with its content, and nothing beside it."""
    write_atomically(tmp_path / "new.xlsx", b"content")
    assert [p.name for p in tmp_path.iterdir()] == ["new.xlsx"]
    assert (tmp_path / "new.xlsx").read_bytes() == b"content"


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    """Replacing a file keeps the permission bits that it had."""
    path = saved(tmp_path, b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_bytes() == b"new"


def test_the_content_reaches_the_disk_before_the_name(tmp_path, monkeypatch):
    """The temporary file is synced to disk before it takes the name of the target."""
    done = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append("fsync"), sync(fd))[1])
    monkeypatch.setattr(
        os, "replace", lambda *a, **k: (done.append("replace"), replace(*a, **k))[1]
    )
    write_atomically(saved(tmp_path, b"old"), b"new")
    assert done[:2] == ["fsync", "replace"]


def test_a_link_stays_a_link(tmp_path):
    """Writing through a symbolic link changes the file behind it and leaves the link."""
    real = saved(tmp_path, b"old", "real.xlsx")
    link = tmp_path / "link.xlsx"
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_cells_without_their_address_are_read(tmp_path):
    """The address of a cell is optional in the format: without it the cell follows the one before."""
    xml = f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData><row><c><v>1</v></c><c><f>A1*2</f><v>2</v></c></row></sheetData></worksheet>'
    cells = read(book({"S": xml}), tmp_path).sheets["S"].cells
    assert {place: cell.value for place, cell in cells.items()} == {(1, 1): 1.0, (1, 2): 2.0}


def test_a_package_without_a_string_table_is_read(tmp_path):
    """A book without shared strings and with a book part that has no relationships is read."""
    content = book({"S": {"A1": 1.0}})
    assert "xl/sharedStrings.xml" not in parts_of(content)
    rest = {n: d for n, d in parts_of(content).items() if n != "xl/_rels/workbook.xml.rels"}
    assert read(zipped(rest), tmp_path).sheets == {}


def test_a_sheet_s_xml_is_kept_as_it_was(tmp_path):
    """What a sheet holds in memory is the part's bytes, and each cell's span is its element."""
    content = book({"S": {"A1": 1.0, "B2": F("A1", 1)}})
    sheet = read(content, tmp_path).sheets["S"]
    assert sheet.xml == parts_of(content)[sheet.part]
    for cell in sheet.cells.values():
        assert re.fullmatch(rb"<c .*</c>", sheet.xml[cell.start : cell.end])


def test_a_folder_is_no_target(tmp_path):
    """A folder as a target is refused with the advice to name a file."""
    with pytest.raises(FileError, match="is a folder; name a file"):
        check_writable(tmp_path)


def test_cells_that_say_nothing_of_themselves_are_counted():
    """An empty cell without any attribute takes its place in the row, a comment takes none."""
    xml = (
        b'<sheetData><row r="2"><c/><c r="C2"><v>5</v></c><!-- <c r="A1"><v>9</v></c> -->'
        b'<c><v>6</v></c></row><row><c t="b"><v>1</v></c></row></sheetData>'
    )
    found = {place: cell.value for place, cell in sheet_cells(xml, [])}
    assert found == {(2, 1): None, (2, 3): 5.0, (2, 4): 6.0, (3, 1): True}
