"""The archive of a workbook: what is read, and what is refused by name."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from archive_tools import PARTS, WRITERS, commented, renamed, told, zip64_directory
from hypothesis import given
from hypothesis import strategies as st
from recalc_tools import (
    PACKAGE,
    F,
    book,
    parts_of,
    replaced,
    with_part,
    zipped,
)

from xltoken.recalc.archive import (
    MAX_PART,
    MAX_PARTS,
    Archive,
    FileError,
    open_archive,
    rewritten,
)
from xltoken.recalc.package import parsed

PATH = Path("folder") / "book.xlsx"
SHEET = "xl/worksheets/sheet1.xml"
GOOD = book({"S": {"A1": 1.0, "B1": F("A1*2", 2)}, "T": {"A1": "text"}})
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def refusal(content: bytes, opened=open_archive) -> str:
    """Message with which an archive, or one of its parts, is refused: one line, path first."""
    with pytest.raises(FileError) as caught:
        opened(PATH, content).verify()
    message = str(caught.value)
    assert message.startswith(f"{PATH}: ")
    assert "\n" not in message
    return message


@pytest.fixture(params=WRITERS)
def writer(request):
    """Every kind of archive that honest writers make."""
    return WRITERS[request.param]


def test_every_honest_archive_is_read(writer):
    """Names come in order, and every part has its content, however the archive was written."""
    archive = open_archive(PATH, writer(PARTS))
    assert archive.names == tuple(PARTS)
    assert {name: archive.read(name) for name in archive.names} == PARTS
    archive.verify()


def test_an_archive_knows_its_bytes_and_comment():
    """The archive keeps the very bytes it was opened from, and its comment."""
    content = commented(GOOD, b"a remark")
    archive = open_archive(PATH, content)
    assert archive.content is content
    assert archive.comment == b"a remark"


def test_a_folder_is_no_part():
    """An entry for a folder, as archivers write, is tolerated and is no part."""
    archive = open_archive(PATH, zipped({"xl/": b"", **PARTS}))
    assert archive.names == tuple(PARTS)


def test_a_part_that_is_not_there_is_a_key_error():
    """Asking for a part that the archive lacks is the caller's error, not the file's."""
    with pytest.raises(KeyError):
        open_archive(PATH, GOOD).read("xl/none.xml")


def test_names_are_found_whatever_their_case():
    """A name that differs in case only is the same part; one that is not there stays as asked."""
    archive = open_archive(PATH, GOOD)
    assert archive.spelled("XL/Worksheets/SHEET1.xml") == SHEET
    assert archive.spelled(SHEET) == SHEET
    assert archive.spelled("none.xml") == "none.xml"


def test_no_archive_has_no_parts():
    """The archive of a package made by hand is empty."""
    assert Archive().names == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not an .xlsx file; it is empty"),
        (b"a;b\r\n1;2\r\n", "is not an .xlsx file but a text, such as CSV"),
        ("größe\t1".encode("utf-16"), "is not an .xlsx file but a text"),
        (b"\xef\xbb\xbf\n<HTML><table>", "is not an .xlsx file but a web page"),
        (b"<!DOCTYPE html><p>", "is not an .xlsx file but a web page"),
        (b'<?xml version="1.0"?><Workbook/>', "is not an .xlsx file but an XML file"),
        (b"%PDF-1.7\n\x00\x01", "is not an .xlsx file; its content is no zip archive"),
        (OLE, "is an old .xls file; save it as .xlsx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "is encrypted; save a copy without"),
        (b"PK", "is damaged or cut off"),
        (GOOD[:-1], "is damaged or cut off"),
        (GOOD[: len(GOOD) // 2], "is damaged or cut off"),
        (GOOD[100:], "is damaged or cut off"),
        (zipped({"readme.txt": b"x"}), "is a zip archive, but no workbook"),
        (zipped({}), "is a zip archive, but no workbook"),
        (zipped({"book.xlsx": GOOD}), "is a zip archive, but no workbook"),
        (
            zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
            "is an OpenDocument file; save it as .xlsx",
        ),
        (
            zipped({"[Content_Types].xml": b"", "xl/workbook.bin": b""}),
            r"is a binary workbook (.xlsb); save it as .xlsx",
        ),
        (told(GOOD, SHEET, flags=1), "is locked by a password"),
        (told(GOOD, SHEET, flags=0x41), "is locked by a password"),
        (told(GOOD, SHEET, flags=1, local=False), "is locked by a password"),
        (told(GOOD, SHEET, method=12), f"its part {SHEET} is packed with bzip2"),
        (told(GOOD, SHEET, method=9), f"its part {SHEET} is packed with Deflate64"),
        (told(GOOD, SHEET, method=77), f"its part {SHEET} is packed with method 77"),
        (told(GOOD, SHEET, method=0, local=False), "is damaged"),
        (told(GOOD, SHEET, needed=99), "is an archive that is not understood"),
        (told(GOOD, SHEET, disk=1), "over several disks"),
        (told(GOOD, SHEET, offset=3), "is damaged"),
        (told(GOOD, SHEET, offset=len(GOOD) - 9), "is damaged"),
        (told(GOOD, SHEET, crc=1), f"its part {SHEET} does not unpack"),
        (told(GOOD, SHEET, size=MAX_PART + 1), f"its part {SHEET} unpacks to more than 512 MiB"),
        (renamed(GOOD, b"xl/workbook.xml", b"../workbook.xml"), "a name that leads elsewhere"),
        (renamed(GOOD, b"xl/workbook.xml", b"xl/../ok/xx.xml"), "a name that leads elsewhere"),
        (renamed(GOOD, b"xl/workbook.xml", b"/l/workbook.xml"), "a name that leads elsewhere"),
        (renamed(GOOD, b"xl/workbook.xml", b"C:/workbook.xml"), "a name that leads elsewhere"),
        (renamed(GOOD, b"xl/workbook.xml", b"xl\\workbook.xml"), "a name that leads elsewhere"),
        (renamed(GOOD, b"xl/workbook.xml", b"xl/work\nook.xml"), r"xl/work\nook.xml has a name"),
        (renamed(GOOD, b"xl/workbook.xml", b"xl/work\x00ook.xml"), r"xl/work\x00ook.xml has a"),
        (renamed(GOOD, b"sheet2.xml", b"SHEET1.xml"), "SHEET1.xml is there twice"),
        (renamed(GOOD, b"sheet2.xml", b"sheet1.xml"), "sheet1.xml is there twice"),
    ],
)
def test_what_is_no_workbook_is_refused_by_name(content, words):
    """Each kind of file that cannot be used is refused in one line that names what it is."""
    assert words in refusal(content)


def test_two_names_in_one_place():
    """A name in the directory that the local header does not confirm is refused."""
    at = GOOD.index(SHEET.encode())
    assert "is damaged" in refusal(GOOD[:at] + b"Z" + GOOD[at + 1 :])


@pytest.mark.parametrize("more", [1, 40, 400])
def test_parts_that_overlap(more):
    """Entries that reach into each other, or into the directory, are refused."""
    for name in (SHEET, "xl/worksheets/sheet2.xml"):
        info = zipfile.ZipFile(io.BytesIO(GOOD)).getinfo(name)
        spoiled = told(GOOD, name, packed=info.compress_size + more)
        assert "overlaps what follows" in refusal(spoiled)


def test_two_entries_with_one_content():
    """Two directory records for the same bytes, as a bomb without nesting has, are refused."""
    first = zipfile.ZipFile(io.BytesIO(GOOD)).getinfo(SHEET)
    assert "is damaged" in refusal(
        told(GOOD, "xl/worksheets/sheet2.xml", offset=first.header_offset)
    )


@pytest.mark.parametrize("field", [4, 6, 8, 10])
def test_end_records_that_do_not_fit(field):
    """Other disks, or a count of entries that is not theirs, are refused."""
    end = bytearray(GOOD)
    end[GOOD.rindex(b"PK\x05\x06") + field] ^= 0x11
    assert "is damaged" in refusal(bytes(end)) or "several disks" in refusal(bytes(end))


@pytest.mark.parametrize("name", list(parts_of(GOOD)))
@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_a_size_that_is_not_the_real_one(name, change):
    """A part that unpacks to more or less than declared is refused, read or unread."""
    size = zipfile.ZipFile(io.BytesIO(GOOD)).getinfo(name).file_size
    assert "does not unpack to what" in refusal(told(GOOD, name, size=size + change))


def test_a_part_is_not_unpacked_beyond_its_declared_size():
    """A part that declares little and holds much takes no more memory than it declares."""
    bomb = told(zipped({**PARTS, "e.xml": bytes(80 << 20)}), "e.xml", size=1000)
    archive = open_archive(PATH, bomb)
    tracemalloc.start()
    with pytest.raises(FileError, match=r"e\.xml does not unpack"):
        archive.read("e.xml")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_part_that_packs_too_well():
    """A large part of one character is refused before it is unpacked; small or odd ones are not."""
    large = bytes(11 << 20)
    assert "times its size" in refusal(zipped({**PARTS, SHEET: large}))
    harmless = {**PARTS, "xl/media/image1.bmp": large, "xl/styles.xml": bytes(1 << 20)}
    open_archive(PATH, zipped(harmless)).verify()


def test_a_repetitive_sheet_is_no_bomb():
    """A sheet of half a million equal cells is read: real books repeat themselves too."""
    rows = (f'<row r="{r}">' + f'<c r="A{r}"><v>1</v></c>' * 40 for r in range(1, 12_000))
    parts_ = {**PARTS, SHEET: "".join(rows).encode()}
    assert len(parts_[SHEET]) > 10 << 20
    assert open_archive(PATH, zipped(parts_)).read(SHEET) == parts_[SHEET]


def test_all_parts_together():
    """Parts that are each allowed are refused where together they are too much."""
    content = zipped({**PARTS, **{f"xl/media/{i}.bin": b"" for i in range(5)}})
    for i in range(5):
        content = told(content, f"xl/media/{i}.bin", size=MAX_PART)
    assert "unpacks to more than 2 GiB" in refusal(content)


@pytest.mark.parametrize("form", ["plain", "zip64"])
def test_too_many_parts(form):
    """More entries than any book has are refused before they are listed, in either form."""
    content = zipped({**PARTS, **{f"{i}": b"" for i in range(MAX_PARTS)}})
    assert "more than 10,000 parts" in refusal(
        content if form == "plain" else zip64_directory(content)
    )


def test_signatures_in_the_data_are_no_parts():
    """Data that looks like ten thousand directory records, in a nested archive, is only data."""
    content = WRITERS["stored"]({**PARTS, "nested.bin": b"PK\x01\x02" * (MAX_PARTS + 1)})
    open_archive(PATH, content).verify()


@given(st.data())
def test_any_damage_is_a_file_error_or_harmless(data):
    """Whatever bytes of the records change, opening and reading give a FileError or content."""
    content = bytearray(data.draw(st.sampled_from([GOOD, WRITERS["zip64 everywhere"](PARTS)])))
    records = content.index(b"PK\x01\x02")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, 60) | st.integers(records, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    message = ""
    try:
        archive = open_archive(PATH, bytes(content))
        archive.verify()
        rewritten(archive, {archive.names[0]: b"new"})
    except FileError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize("how", ["part", "relation"])
def test_a_signed_workbook_says_so(how):
    """A workbook with a digital signature, told by its parts or its relations, is signed."""
    assert not parsed(PATH, GOOD).signed
    content = GOOD
    if how == "part":
        content = with_part(GOOD, "_xmlsignatures/sig1.xml", b"<Signature/>")
    else:
        kind = f"{PACKAGE}/relationships/digital-signature/origin"
        relation = f'<Relationship Id="s" Type="{kind}" Target="origin.sigs"/></Relationships>'
        content = replaced(GOOD, "_rels/.rels", "</Relationships>", relation)
    assert parsed(PATH, content).signed


def test_parts_of_a_package_are_at_hand():
    """A package gives the archive it was read from, whose other parts can be read."""
    package = parsed(PATH, with_part(GOOD, "xl/charts/chart1.xml", b"<chart/>"))
    assert package.archive.read("xl/charts/chart1.xml") == b"<chart/>"
    assert package.archive.content is package.content
