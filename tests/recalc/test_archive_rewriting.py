"""A rewritten archive: what is replaced is new, and everything else is copied raw."""

import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
from archive_tools import PARTS, WRITERS, raw, told
from hypothesis import given
from hypothesis import strategies as st
from recalc_tools import (
    F,
    book,
    saved,
    values,
)

from xltoken.recalc.archive import (
    open_archive,
    open_zip,
    rewritten,
)

PATH = Path("folder") / "book.xlsx"
SHEET = "xl/worksheets/sheet1.xml"
GOOD = book({"S": {"A1": 1.0, "B1": F("A1*2", 2)}, "T": {"A1": "text"}})


@pytest.fixture(params=WRITERS)
def writer(request):
    """Every kind of archive that honest writers make."""
    return WRITERS[request.param]


def test_nothing_replaced_is_the_same_object():
    """With nothing to replace the very same bytes come back."""
    archive = open_archive(PATH, GOOD)
    assert rewritten(archive, {}) is GOOD


def check_rewritten(content: bytes, new: dict[str, bytes], level: int = 2) -> bytes:
    """Rewrite and hold the result against every law; gives the result."""
    before = open_zip(PATH, content)
    result = rewritten(before, new, level=level)
    file = zipfile.ZipFile(io.BytesIO(result))
    old = zipfile.ZipFile(io.BytesIO(content))
    assert file.testzip() is None
    assert file.namelist() == old.namelist()
    assert file.comment == old.comment
    raw_before, raw_after = raw(content), raw(result)
    for name in old.namelist():
        if name not in new:
            assert raw_after[name] == raw_before[name]
            continue
        assert file.read(name) == new[name]
        one, other = old.getinfo(name), file.getinfo(name)
        for kept in ("date_time", "external_attr", "internal_attr", "comment", "create_system"):
            assert getattr(one, kept) == getattr(other, kept)
        assert other.flag_bits == one.flag_bits & 0x800
        assert other.compress_type == (zipfile.ZIP_DEFLATED if level else zipfile.ZIP_STORED)
    again = open_zip(PATH, result)
    again.verify()
    assert rewritten(again, new, level=level) == result
    prefix = content[: min(entry.start for entry in before.entries.values())]
    assert result.startswith(prefix)
    return result


@pytest.mark.parametrize("chosen", [["a.xml"], ["d.txt", "[Content_Types].xml"], list(PARTS)])
def test_what_is_not_replaced_is_copied_raw(writer, chosen):
    """Every other entry keeps header, data, descriptor and record to the byte, in order."""
    check_rewritten(writer(PARTS), dict.fromkeys(chosen, b"<new/>" * 99))


@pytest.mark.skipif(not shutil.which("unzip"), reason="Info-ZIP is not installed")
def test_another_reader_finds_no_fault(writer, tmp_path):
    """Info-ZIP, which reads the local headers too, finds no error in a rewritten archive."""
    content = writer(PARTS)
    path = saved(tmp_path, check_rewritten(content, {"a.xml": b"<new/>", "d.txt": b"text"}))
    before = subprocess.run(["unzip", "-tqq", saved(tmp_path, content, "b.zip")], check=False)
    after = subprocess.run(["unzip", "-tqq", path], check=False, capture_output=True)
    assert after.returncode == before.returncode <= 1  # 1: it warns of a prefix


NAMES = st.text("abcäöü東.xml_- ", min_size=1, max_size=12).filter(lambda n: n.strip(". "))


@given(
    parts=st.dictionaries(NAMES, st.binary(max_size=300), min_size=1, max_size=6),
    writer=st.sampled_from(sorted(WRITERS)),
    level=st.sampled_from([0, 1, 6]),
    new=st.binary(max_size=300),
    data=st.data(),
)
def test_any_archive_is_rewritten_exactly(parts, writer, level, new, data):
    """Whatever the parts and whoever wrote them: the laws of rewriting hold."""
    chosen = data.draw(st.lists(st.sampled_from(sorted(parts)), min_size=1, unique=True))
    check_rewritten(WRITERS[writer](parts), dict.fromkeys(chosen, new), level)


def test_notes_of_writers_are_kept():
    """Extra fields, times, attributes and comments of a replaced entry stay."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.xml", "ä.xml"):
            info = zipfile.ZipInfo(name, (1999, 1, 2, 3, 4, 6))
            info.extra = struct.pack("<2H4s", 0x5455, 4, b"time")
            info.comment, info.external_attr = b"remark", 0o600 << 16
            archive.writestr(info, b"old")
    result = check_rewritten(buffer.getvalue(), {"ä.xml": b"new"})
    info = zipfile.ZipFile(io.BytesIO(result)).getinfo("ä.xml")
    assert info.extra == struct.pack("<2H4s", 0x5455, 4, b"time")
    assert info.date_time == (1999, 1, 2, 3, 4, 6)


def test_bytes_between_entries_stay():
    """Bytes that no entry owns, such as an entry deleted by an editor, are copied as well."""
    file = zipfile.ZipFile(io.BytesIO(GOOD))
    last = file.infolist()[-1]
    gap = b"what is left of a deleted entry"
    content = bytearray(GOOD)
    content[last.header_offset : last.header_offset] = gap
    end = GOOD.rindex(b"PK\x05\x06") + len(gap)
    struct.pack_into("<L", content, end + 16, file.start_dir + len(gap))
    moved = told(bytes(content), last.filename, offset=last.header_offset + len(gap))
    for new in ({last.filename: b"n"}, {file.infolist()[-2].filename: b"n"}):
        assert gap in check_rewritten(moved, new)


def test_a_part_that_is_not_there_is_not_added():
    """Replacing a part that the archive lacks is an error of the caller."""
    with pytest.raises(KeyError):
        rewritten(open_archive(PATH, GOOD), {"none.xml": b""})


def test_another_program_reads_the_rewritten_book(tmp_path):
    """A book of openpyxl with a replaced sheet opens in openpyxl with the new values."""
    made = openpyxl.Workbook()
    made.active["A1"] = 41
    made.active["B1"] = "kept"
    buffer = io.BytesIO()
    made.save(buffer)
    archive = open_archive(PATH, buffer.getvalue())
    xml = archive.read(SHEET).replace(b"<v>41</v>", b"<v>42</v>")
    path = saved(tmp_path, check_rewritten(buffer.getvalue(), {SHEET: xml}))
    assert values(path) == {"A1": 42, "B1": "kept"}


def test_replaced_parts_are_packed():
    """A replaced sheet is deflated, and inflates to what was given."""
    xml = b"<c><v>1</v></c>" * 9999
    result = check_rewritten(GOOD, {SHEET: xml})
    entry = open_archive(PATH, result).entries[SHEET]
    assert entry.packed < len(xml) // 20
    packed = result[entry.data : entry.data + entry.packed]
    assert zlib.decompress(packed, -zlib.MAX_WBITS) == xml


NEW = {"xl/new.xml": b"<new/>" * 99, "ä.bin": b"\x00\xff", "empty": b""}


@pytest.mark.parametrize("level", [0, 2])
def test_parts_come_behind_all_others_and_go_again(writer, level):
    """An added part is whole and the last, the rest is raw; dropping it gives the old bytes."""
    content = writer(PARTS)
    more = rewritten(open_zip(PATH, content), {}, added=NEW, level=level)
    file, old = zipfile.ZipFile(io.BytesIO(more)), zipfile.ZipFile(io.BytesIO(content))
    assert file.testzip() is None
    assert file.namelist() == [*old.namelist(), *NEW]
    assert {name: file.read(name) for name in NEW} == NEW
    assert file.comment == old.comment
    assert file.getinfo("ä.bin").date_time == (1980, 1, 1, 0, 0, 0)
    before, after = raw(content), raw(more)
    assert all(after[name] == before[name] for name in before)
    again = open_zip(PATH, more)
    again.verify()
    assert rewritten(again, {}, dropped=list(NEW)) == content


def test_parts_are_added_dropped_and_replaced_at_once(writer):
    """Whatever is done together is what is done one after the other, and others read it."""
    content = writer(PARTS)
    new = {"a.xml": b"<other/>"}
    at_once = rewritten(open_zip(PATH, content), new, added=NEW, dropped=["b/c.bin", "d.txt"])
    steps = rewritten(open_zip(PATH, content), {}, dropped=["b/c.bin", "d.txt"])
    steps = rewritten(open_zip(PATH, steps), new)
    assert at_once == rewritten(open_zip(PATH, steps), {}, added=NEW)
    file = zipfile.ZipFile(io.BytesIO(at_once))
    assert file.testzip() is None
    expected = {**PARTS, **new, **NEW}
    del expected["b/c.bin"], expected["d.txt"]
    assert {name: file.read(name) for name in file.namelist()} == expected


@pytest.mark.skipif(not shutil.which("unzip"), reason="Info-ZIP is not installed")
def test_another_reader_finds_no_fault_in_added_parts(writer, tmp_path):
    """Info-ZIP finds no error in an archive with parts added and dropped."""
    content = rewritten(open_zip(PATH, writer(PARTS)), {}, added=NEW, dropped=["a.xml"])
    path = saved(tmp_path, content)
    told_of = subprocess.run(["unzip", "-tqq", path], check=False, capture_output=True)
    assert told_of.returncode <= 1  # 1: it warns of a prefix


def test_a_part_that_is_not_there_is_not_dropped():
    """Dropping a part that the archive lacks is an error of the caller."""
    with pytest.raises(KeyError):
        rewritten(open_archive(PATH, GOOD), {}, dropped=["none.xml"])
