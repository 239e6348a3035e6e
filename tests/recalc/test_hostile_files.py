"""Files that cannot be read, places that cannot be written, failures in the middle."""

import contextlib
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from recalc_tools import (
    OFFICE,
    F,
    Raw,
    book,
    digest,
    parts_of,
    replaced,
    saved,
    sheet_part,
    values,
    with_part,
    zipped,
)

from xltoken.files import FileError
from xltoken.recalc import package
from xltoken.recalc.settings import SettingError
from xltoken.recalc.workbook import recalculate

GOOD = book(
    {"S": {"A1": 1.0, "A2": Raw('<c r="A2" t="s"><v>0</v></c>'), "B1": F("A1*2", 2)}},
    names={"n": "S!$A$1"},
    shared=["<t>text</t>"],
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SHEET = "xl/worksheets/sheet1.xml"


def refused(path: Path, output: Path | None = None) -> str:
    """Message of the refusal; one line that names the file, with nothing left behind."""
    listed = {p: p.lstat().st_mode for p in path.parent.rglob("*")}
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(FileError) as caught:
        recalculate(path, output, ["S!A1=5"] if before == GOOD else [])
    message = str(caught.value)
    assert "\n" not in message
    assert "Traceback" not in message
    assert path.name in message or (output is not None and output.name in message)
    assert {p: p.lstat().st_mode for p in path.parent.rglob("*")} == listed
    assert (path.read_bytes() if path.is_file() else None) == before
    return message


def test_the_good_file_is_good(tmp_path):
    """The book that the other tests break is read and recalculated without complaint."""
    recalculate(saved(tmp_path, GOOD), None, ["n=4"])
    assert values(tmp_path / "book.xlsx") == {"A1": 4, "A2": "text", "B1": 8}
    assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]


def test_a_missing_file(tmp_path):
    """A file that is not there is said to be not there, and none is made."""
    assert "no such file" in refused(tmp_path / "missing.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder(tmp_path):
    """A folder is said to be one."""
    (tmp_path / "folder.xlsx").mkdir()
    assert "folder" in refused(tmp_path / "folder.xlsx")


def test_a_path_through_a_file(tmp_path):
    """A path that leads through a file is refused with the system's reason."""
    saved(tmp_path, GOOD)
    with pytest.raises(FileError, match=r"inner\.xlsx: cannot be read \(Not a directory\)"):
        recalculate(tmp_path / "book.xlsx" / "inner.xlsx")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    """A file that the system does not open is refused with the system's reason."""
    path = saved(tmp_path, GOOD)

    def denied(_self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(FileError, match=r"book\.xlsx: cannot be read \(Permission denied\)"):
        recalculate(path)


@pytest.mark.parametrize(
    "content", [b"", b"A,B\n1,2\n", b"<html></html>", "größe".encode("utf-16")]
)
def test_a_text_that_is_called_xlsx(tmp_path, content):
    """Text under the name of a workbook is said to be no .xlsx file."""
    assert "not an .xlsx file" in refused(saved(tmp_path, content))


@pytest.mark.parametrize("twentieth", range(20))
def test_a_truncated_file(tmp_path, twentieth):
    """A file cut off at any of twenty places is damaged or no workbook."""
    content = GOOD[: len(GOOD) * twentieth // 20 + 1]
    message = refused(saved(tmp_path, content))
    assert "damaged" in message or "not an .xlsx" in message


@pytest.mark.parametrize("byte", range(60, 600, 45))
def test_a_flipped_byte_is_found(tmp_path, byte):
    """A changed byte in the compressed data is found by its checksum."""
    start = GOOD.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml")
    spoiled = bytearray(GOOD)
    spoiled[start + byte % 200] ^= 0x55
    assert "damaged" in refused(saved(tmp_path, bytes(spoiled)))


def test_an_encrypted_workbook(tmp_path):
    """A workbook with a password is said to be encrypted, with what to do."""
    content = OLE + "EncryptedPackage".encode("utf-16-le") + bytes(64)
    message = refused(saved(tmp_path, content))
    assert "encrypted" in message
    assert "password" in message


def test_an_old_workbook(tmp_path):
    """An .xls of old is said to be one, with what to do."""
    message = refused(saved(tmp_path, OLE + "Workbook".encode("utf-16-le"), "old.xls"))
    assert "old .xls" in message
    assert "save it as .xlsx" in message


@pytest.mark.parametrize(
    "parts",
    [
        {"readme.txt": b"no workbook"},
        {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"},
        {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": f'<Relationships><Relationship Id="a" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>'.encode(),
        },
        {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": f'<Relationships><Relationship Id="a" Type="{OFFICE}/officeDocument" '
            'Target="word/document.xml"/></Relationships>'.encode(),
            "word/document.xml": b"<w:document/>",
        },
        {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": f'<Relationships><Relationship Id="a" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.bin"/></Relationships>'.encode(),
            "xl/workbook.bin": bytes(range(256)),
        },
    ],
    ids=["any zip", "ods", "no book part", "docx", "xlsb"],
)
def test_a_zip_that_is_no_workbook(tmp_path, parts):
    """Any other kind of zip archive is refused by name."""
    refused(saved(tmp_path, zipped(parts)))


@pytest.mark.parametrize("rels", [None, b"", b"<Relationships/>"])
def test_a_zip_without_a_workbook_part_is_named(tmp_path, rels):
    """An archive whose relationships lead to no workbook is refused by name."""
    parts = {"[Content_Types].xml": b"<Types/>"}
    refused(saved(tmp_path, zipped(parts if rels is None else {**parts, "_rels/.rels": rels})))


@pytest.mark.parametrize(
    ("part", "xml"),
    [
        (SHEET, b"<worksheet><sheetData><row r='1'><c r='A1'><v>1</v>"),
        (SHEET, b"\xff\xfe\x00rubbish"),
        (SHEET, b""),
        (SHEET, sheet_part(GOOD).replace("<v>1.0</v>", "<v>abc</v>").encode()),
        (SHEET, sheet_part(GOOD).replace("</sheetData>", "</sheetDatum>").encode()),
        (SHEET, sheet_part(GOOD).replace("<f>A1*2</f>", "<f>A1*\xff</f>").encode("latin-1")),
        ("xl/workbook.xml", b"<workbook><sheets><sheet"),
        ("xl/workbook.xml", b""),
        ("xl/workbook.xml", b"\xff\xff\xff"),
        (
            "xl/workbook.xml",
            b"<workbook><sheets><sheet sheetId='1' r:id='rId1'/></sheets></workbook>",
        ),
        ("xl/_rels/workbook.xml.rels", b"<Relationships><Relationship"),
    ],
)
def test_broken_xml(tmp_path, part, xml):
    """A part that is no XML, or no sheet, is refused by the name of the file."""
    refused(saved(tmp_path, with_part(GOOD, part, xml)))


def test_a_document_type_is_not_expanded(tmp_path):
    """A sheet that declares entities (an XML bomb) is refused, not expanded."""
    bomb = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet'
    refused(saved(tmp_path, replaced(GOOD, SHEET, "<worksheet", bomb)))


@pytest.mark.parametrize("number", ["1", "99"])
def test_a_string_outside_the_table(tmp_path, number):
    """A cell that points outside the string table is a damaged file, no traceback."""
    refused(saved(tmp_path, replaced(GOOD, SHEET, "<v>0</v>", f"<v>{number}</v>")))


def test_a_negative_string_number(tmp_path):
    """A negative string number is a damaged file, not some other string."""
    refused(saved(tmp_path, replaced(GOOD, SHEET, "<v>0</v>", "<v>-1</v>")))


def test_a_zip_with_a_password(tmp_path):
    """A zip archive whose members are encrypted is refused, no traceback."""
    content = bytearray(GOOD)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(mark, at + 4)
    refused(saved(tmp_path, bytes(content)))


@pytest.mark.parametrize("formula", ["[1]Sheet1!A1", "[1]Sheet1!A1+A1", "SUM('[1]My Sheet'!A1:B2)"])
def test_a_reference_to_another_workbook(tmp_path, formula):
    """A formula that reads another workbook keeps its saved value; nothing crashes."""
    path = saved(tmp_path, book({"S": {"A1": 1.0, "B1": F(formula, 5), "C1": F("A1*2", 2)}}))
    report = recalculate(path, tmp_path / "o.xlsx")
    assert values(tmp_path / "o.xlsx")["B1"] == 5
    assert [(c.cell, c.status) for c in report.cells if c.cell == "B1"] != []


@pytest.mark.parametrize("formula", ["A1+((", "A1 B1 C1 )", "{1,2", ""])
def test_a_formula_that_cannot_be_read(tmp_path, formula):
    """A formula that the engine cannot parse keeps its saved value; nothing crashes."""
    path = saved(tmp_path, book({"S": {"A1": 1.0, "B1": F(formula, 5), "C1": F("A1*2", 2)}}))
    recalculate(path, tmp_path / "o.xlsx", ["A1=4"])
    assert values(tmp_path / "o.xlsx") == {"A1": 4, "B1": 5, "C1": 8}


def test_random_damage_is_refused_or_harmless(tmp_path):
    """Whatever bytes change, the file is refused in one line or recalculated: never a crash."""
    rng = random.Random(20261122)
    outcomes = {"refused": 0, "done": 0}
    messages: list[str] = []
    for _ in range(250):
        spoiled = bytearray(GOOD)
        for _ in range(rng.choice([1, 2, 5])):
            spoiled[rng.randrange(len(spoiled))] = rng.randrange(256)
        path = saved(tmp_path, bytes(spoiled))
        try:
            recalculate(path, tmp_path / "o.xlsx")
        except FileError as error:
            messages.append(str(error))
            outcomes["refused"] += 1
        else:
            outcomes["done"] += 1
    assert outcomes["refused"] > 150
    assert not any("\n" in message for message in messages)


# --- places that cannot be written ---------------------------------------------------------------


@pytest.fixture
def good(tmp_path):
    """Path of the good book."""
    return saved(tmp_path, GOOD)


def test_a_read_only_target(tmp_path, good):
    """A read-only target is refused and stays, also for an administrator."""
    target = saved(tmp_path, b"precious", "target.xlsx")
    target.chmod(0o444)
    assert "read-only" in refused(good, target)
    assert target.read_bytes() == b"precious"
    assert stat.S_IMODE(target.stat().st_mode) == 0o444


def test_a_read_only_file_is_not_changed_in_place(good):
    """Recalculating a read-only file in place is refused; to another place it is done."""
    good.chmod(0o444)
    assert "read-only" in refused(good)
    elsewhere = good.with_name("elsewhere.xlsx")
    recalculate(good, elsewhere, ["n=2"])
    assert values(elsewhere)["B1"] == 4


def test_a_read_only_folder(tmp_path, good):
    """A target in a read-only folder is refused, and nothing appears there."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    try:
        with pytest.raises(FileError, match=r"locked: is read-only; choose another place"):
            recalculate(good, folder / "o.xlsx", ["n=2"])
        assert list(folder.iterdir()) == []
    finally:
        folder.chmod(0o755)


def test_a_missing_target_folder(tmp_path, good):
    """A target in a folder that is not there is refused with the advice to make it."""
    message = refused(good, tmp_path / "none" / "o.xlsx")
    assert "no folder" in message
    assert not (tmp_path / "none").exists()


def test_a_target_that_is_a_folder(tmp_path, good):
    """A folder as a target is refused with the advice to name a file."""
    (tmp_path / "out").mkdir()
    assert "name a file" in refused(good, tmp_path / "out")


@pytest.mark.parametrize("length", [250, 300])
def test_a_target_with_a_long_name(tmp_path, good, length):
    """A file name near or beyond the system's limit works or is refused, no traceback."""
    with contextlib.suppress(FileError):
        recalculate(good, tmp_path / ("x" * (length - 5) + ".xlsx"), ["n=2"])
    assert len(list(tmp_path.iterdir())) <= 2


@pytest.mark.parametrize("attribute", ["replace", "rename", "fsync"])
def test_a_failure_in_the_middle_leaves_the_old_file(good, monkeypatch, attribute):
    """When writing fails half-way, the old file stands as it was and no other file remains."""

    def fails(*_args, **_options):
        raise OSError(28, "No space left on device")

    if attribute == "rename":
        monkeypatch.setattr(Path, "replace", fails)
    else:
        monkeypatch.setattr(os, attribute, fails)
    before = digest(good)
    with pytest.raises(
        FileError, match=r"book\.xlsx: cannot be written \(No space left on device\)"
    ):
        recalculate(good, None, ["n=2"])
    assert digest(good) == before
    assert [p.name for p in good.parent.iterdir()] == ["book.xlsx"]


def test_an_interruption_leaves_the_old_file(good, monkeypatch):
    """Ctrl+C during the replacement leaves the old file and no temporary one."""

    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    before = digest(good)
    with pytest.raises(KeyboardInterrupt):
        recalculate(good, None, ["n=2"])
    assert digest(good) == before
    assert [p.name for p in good.parent.iterdir()] == ["book.xlsx"]


def test_the_source_stays_when_there_is_an_output(tmp_path, good):
    """With an output the source keeps every byte."""
    before = digest(good)
    recalculate(good, tmp_path / "o.xlsx", ["n=9"])
    assert digest(good) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["book.xlsx", "o.xlsx"]


def test_a_refused_setting_touches_no_output(tmp_path, good):
    """A setting that is refused leaves an output that stands there as it is."""
    target = saved(tmp_path, b"precious", "o.xlsx")
    with pytest.raises(SettingError):
        recalculate(good, target, ["n=2", "unknown=1"])
    assert target.read_bytes() == b"precious"


def test_nothing_is_written_in_place_when_nothing_changed(good, monkeypatch):
    """In place, a book whose values all stand is not written at all."""
    monkeypatch.setattr(os, "replace", None)
    report = recalculate(good)
    assert report.output is None
    assert good.read_bytes() == GOOD


@pytest.mark.slow
def test_far_corners_do_not_exhaust_the_memory(tmp_path):
    """A formula in the last column and one in a far row need no memory for the cells between."""
    content = book({"S": {"A1": 1.0, "A50000": F("A1*2", 2), "XFD1": F("A1*3", 3)}})
    path = saved(tmp_path, content)
    script = (
        "import resource, sys; from pathlib import Path; "
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)); "
        "from xltoken.recalc.workbook import recalculate; "
        "recalculate(Path(sys.argv[1]), None, ['A1=2'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0
    # Not through a reader that walks the rectangle: it has 800 million cells.
    assert package.read(path).sheets["S"].cells[50_000, 1].value == 4


def test_parts_that_nobody_reads_do_not_matter(tmp_path):
    """Broken content in a part that no sheet needs is carried along as it is."""
    path = saved(tmp_path, with_part(GOOD, "custom/rubbish.bin", b"\x00\xff<"))
    recalculate(path, None, ["n=2"])
    assert parts_of(path)["custom/rubbish.bin"] == b"\x00\xff<"
