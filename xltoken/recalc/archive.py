"""The zip archive of a workbook: opened with care, and rewritten with raw copying.

A file from elsewhere may be damaged, no workbook, or made to exhaust a machine. What cannot be
trusted is refused by name before anything is unpacked; what is rewritten keeps every byte of
every part that nobody changed.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from xltoken.files import FileError
from xltoken.recalc.xmlguard import objection
from xltoken.recalc.ziprecords import (
    ABSENT,
    CENTRAL,
    DESCRIPTOR,
    END,
    END64,
    END64_LENGTH,
    LOCAL,
    LOCATOR64,
    Contents,
    descriptor_length,
    directory_offset,
    header_of,
    moved_record,
    moved_tail,
    new_header,
    new_record,
    record_of,
)

MAX_FILE: Final = 2 << 30
"""Bytes of a file, and of all its parts unpacked: offsets then fit 32 bits, whatever grows."""
MAX_PART: Final = 512 << 20
"""Bytes of one part unpacked: a sheet of ten million cells. Its cells in memory take 20 times
that, so a larger one could not be recalculated anyway."""
MAX_PARTS: Final = 10_000
"""Entries of the archive: a book of a thousand sheets, each with a drawing, has about 4,000."""
MAX_RATIO: Final = 500
"""Unpacked size over packed size of a part above `RATIO_FROM`. Deflate cannot exceed 1,032, which
only a run of one character reaches. Sheets of one repeated number have 10 to 16 (openpyxl), of
one repeated formula or text of 16,000 characters 50 to 170, of one repeated cell without its
address 380."""
RATIO_FROM: Final = 10 << 20
"""Bytes from which `MAX_RATIO` counts: less is harmless however well it is packed."""
LEVEL: Final = 2
"""How hard replaced parts are packed. 32 MB of formulas and numbers: level 1 0.16 s for 7.9 MB,
level 2 0.19 s for 7.6, level 4 0.30 s for 7.1, level 6 (Excel, openpyxl) 0.58 s for 6.8."""

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED: Final = 0x0001 | 0x0040 | 0x2000
_METHODS: Final = {
    1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ",
    98: "PPMd",
}  # fmt: skip
_STEP: Final = 1 << 15
_TRUSTED: Final = 100 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A part in the archive; positions count from the first byte of the file.

    `start` is its local header, `data` its packed content, `end` behind its data descriptor;
    `record` is its record in the central directory, as it stands there.
    """

    name: str
    method: int
    crc: int
    packed: int
    size: int
    start: int
    data: int
    end: int
    record: bytes


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was checked: its bytes, its entries in order, its comment.

    `directory` is where the central directory stands, `tail` what follows it.
    """

    path: Path = Path()
    content: bytes = field(default=b"", repr=False)
    comment: bytes = b""
    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    directory: int = 0
    tail: bytes = field(default=b"", repr=False)
    _checked: set[str] = field(default_factory=set, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts, in the order of the directory; folders are no parts."""
        return tuple(name for name in self.entries if not name.endswith("/"))

    def spelled(self, name: str) -> str:
        """Name of a part as the archive spells it, where only the case of letters differs."""
        if name in self.entries:
            return name
        return next((own for own in self.entries if own.lower() == name.lower()), name)

    def read(self, name: str) -> bytes:
        """Content of a part, checked against its size and checksum.

        Raises
        ------
        KeyError
            If there is no such part.
        FileError
            If it is damaged, or not of the size that the directory declares.
        """
        entry = self.entries[name]
        if entry.size > _TRUSTED:
            self._check(entry)  # before it takes the memory that it claims to need
        data = b"".join(self._unpacked(entry))
        self._checked.add(name)
        return data

    def verify(self) -> None:
        """Check every part that was not read yet, without keeping it.

        Another reader of the same bytes, such as the engine, then meets no damaged part and none
        that unpacks to more than it declares.
        """
        for entry in self.entries.values():
            self._check(entry)

    def _check(self, entry: Entry) -> None:
        if entry.name not in self._checked:
            for _ in self._unpacked(entry):
                pass
            self._checked.add(entry.name)

    def _unpacked(self, entry: Entry) -> Iterator[bytes | memoryview]:
        """Content piece by piece; never more than one byte beyond the declared size."""
        packed = memoryview(self.content)[entry.data : entry.data + entry.packed]
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        left, crc = entry.size, 0
        for at in range(0, len(packed), _STEP):
            piece: bytes | memoryview = packed[at : at + _STEP]
            if entry.method:
                try:
                    piece = inflate.decompress(piece, left + 1)
                except zlib.error:
                    break
            left -= len(piece)
            if left < 0:
                break
            crc = zlib.crc32(piece, crc)
            yield piece
            if inflate.eof:
                break
        if left or crc != entry.crc or (entry.method and not inflate.eof):
            told = f"its part {shown(entry.name)} does not unpack to what the directory declares"
            raise FileError(f"{self.path}: is damaged: {told}; open it in Excel and repair it.")


def open_archive(path: Path, content: bytes) -> Archive:
    """Open the archive of a workbook; `path` is what messages call it.

    Raises
    ------
    FileError
        If it is no archive, no workbook of XML parts, damaged, locked or made to do harm.
    """
    archive = open_zip(path, content)
    if "[Content_Types].xml" not in archive.entries:
        kind = archive.read("mimetype")[:99] if "mimetype" in archive.entries else b""
        if kind.startswith(b"application/vnd.oasis.opendocument"):
            raise FileError(f"{path}: is an OpenDocument file; save it as .xlsx in LibreOffice.")
        raise FileError(f"{path}: is a zip archive, but no workbook.")
    if "xl/workbook.bin" in archive.entries:
        raise FileError(f"{path}: is a binary workbook (.xlsb); save it as .xlsx in Excel.")
    return archive


def open_zip(path: Path, content: bytes) -> Archive:
    """Open any zip archive with the same care; `path` is what messages call it.

    Raises
    ------
    FileError
        If it is no archive, damaged, locked or made to do harm.
    """
    _check_kind(path, content)
    if content.count(CENTRAL, _directory_at(content)) > MAX_PARTS:
        raise FileError(f"{path}: has more than {MAX_PARTS:,} parts; no workbook has that many.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            infos, at, comment = file.infolist(), file.start_dir, file.comment
    except NotImplementedError as error:
        raise FileError(f"{path}: is an archive that is not understood ({error}).") from None
    except (zipfile.BadZipFile, ValueError, struct.error, OSError, OverflowError) as error:
        if "multiple disks" in str(error):
            raise _of_disks(path) from None
        raise _damaged(path) from None
    directory = at
    records = []
    for info in infos:
        lengths = struct.unpack_from("<3H", content, at + 28)
        records.append(content[at : at + 46 + sum(lengths)])
        at += len(records[-1])
        if info.volume:
            raise _of_disks(path)
    tail = content[at:]
    _check_tail(path, tail, len(infos))
    _check_names(path, [info.orig_filename for info in infos])
    for info in infos:
        _check_entry(path, info)
    if sum(info.file_size for info in infos) > MAX_FILE:
        raise FileError(f"{path}: unpacks to more than {MAX_FILE >> 30} GiB; that is not read.")
    entries = _entries(path, content, infos, records, directory)
    return Archive(path, content, comment, entries, directory, tail)


def check_xml(path: Path, name: str, data: bytes) -> None:
    """Refuse XML that is not UTF-8, has a document type, or is absurd; it is not parsed.

    Raises
    ------
    FileError
        If the part may not be given to a parser.
    """
    reason = objection(data)
    if reason:
        raise FileError(f"{path}: its part {shown(name)} {reason}.")


def rewritten(
    archive: Archive,
    parts: Mapping[str, bytes],
    *,
    level: int = LEVEL,
    added: Mapping[str, bytes] | None = None,
    dropped: Collection[str] = (),
) -> bytes:
    """Archive in which some parts are replaced and every other entry is copied raw.

    Order, names, times, attributes and comments stay; the very same bytes where nothing is
    replaced. Level 0 stores: right for a copy that is read at once and thrown away. Parts of
    `added` stand behind all others, those of `dropped` are gone.

    Raises
    ------
    KeyError
        If a part to replace or drop is not in the archive.
    FileError
        If the result would be larger than the format holds.
    """
    if not (parts or added or dropped):
        return archive.content
    new = {name: _new(archive, archive.entries[name], parts[name], level) for name in parts}
    gone = {archive.entries[name].name for name in dropped}
    source = memoryview(archive.content)
    pieces: list[bytes | memoryview] = []
    moved: dict[str, int] = {}
    copied = shift = 0
    for entry in sorted(archive.entries.values(), key=lambda entry: entry.start):
        moved[entry.name] = shift
        if entry.name in new:
            header, packed, _ = new[entry.name]
            pieces += [source[copied : entry.start], header, packed]
            copied = entry.end
            shift += len(header) + len(packed) - (entry.end - entry.start)
        elif entry.name in gone:
            pieces.append(source[copied : entry.start])
            copied = entry.end
            shift -= entry.end - entry.start
    pieces.append(source[copied : archive.directory])
    # All that stands before the directory is copied as one: prefix, gaps and descriptors too.
    records: list[bytes] = []
    for name, data in (added or {}).items():
        told, contents = name.encode("utf-8"), _contents(archive, data, level)
        entry_bytes = new_header(told, contents[0]) + contents[1]
        records.append(new_record(told, contents[0], directory_offset(archive.tail) + shift))
        pieces.append(entry_bytes)
        shift += len(entry_bytes)
    grown = sum(map(len, records))
    for name, entry in archive.entries.items():
        record = b"" if name in gone else new[name][2] if name in new else entry.record
        grown += len(record) - len(entry.record)
        pieces.append(moved_record(record, moved[name]) if record else b"")
    more = len(records) - len(gone)
    pieces += [*records, moved_tail(archive.tail, shift, grown, more)]
    if sum(map(len, pieces)) >= ABSENT:
        raise _too_large(archive.path)
    return b"".join(pieces)


def shown(name: str) -> str:
    """Name of a part as a message may show it: short, and on one line."""
    clean = name if name.isprintable() else ascii(name)[1:-1]
    return clean if len(clean) <= 80 else f"{clean[:77]}..."


def _check_kind(path: Path, content: bytes) -> None:
    """Refuse what is no zip archive, by the name of what it is."""
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise FileError(f"{path}: is encrypted; save a copy without a password in Excel.")
        raise FileError(f"{path}: is an old .xls file; save it as .xlsx in Excel.")
    if len(content) > MAX_FILE:
        raise FileError(f"{path}: is larger than {MAX_FILE >> 30} GiB; that is not read.")
    if content.startswith(b"PK") or END in content[-(22 + 0xFFFF) :]:
        return
    if not content:
        raise FileError(f"{path}: is not an .xlsx file; it is empty.")
    head = content[:2048].lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    if b"<html" in head or head.startswith((b"<!doctype html", b"<table")):
        kind = "a web page (HTML)"
    elif head.startswith(b"<?xml"):
        kind = "an XML file"
    elif b"\x00" not in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        kind = "a text, such as CSV"
    else:
        raise FileError(f"{path}: is not an .xlsx file; its content is no zip archive.")
    advice = "open it in Excel and save it as .xlsx"
    raise FileError(f"{path}: is not an .xlsx file but {kind}; {advice}.")


def _directory_at(content: bytes) -> int:
    """Where the directory starts at the earliest, as far as the end record tells."""
    end = content.rfind(END)
    if end < 20 or end + 22 > len(content) or content.startswith(LOCATOR64, end - 20):
        return 0
    (length,) = struct.unpack_from("<L", content, end + 12)
    return max(end - int(length), 0)


def _check_tail(path: Path, tail: bytes, count: int) -> None:
    """Refuse end records that do not follow the directory, or that speak of other disks."""
    large = tail.startswith(END64)
    end = tail[END64_LENGTH:] if large else tail
    if len(end) < 22 or not end.startswith(END) or (large and tail[56:60] != LOCATOR64):
        raise _damaged(path)
    *disks, here, total = struct.unpack_from("<4H", end, 4)
    elsewhere = (0xFFFF,) if large else ()
    if any(disk not in (0, *elsewhere) for disk in disks):
        raise _of_disks(path)
    if any(number not in (count, *elsewhere) for number in (here, total)):
        raise _damaged(path)


def _check_names(path: Path, names: list[str]) -> None:
    """Refuse names that lead out of the archive, and two that are one to Excel."""
    seen: set[str] = set()
    for name in names:
        told = f"{path}: its part {shown(name)}"
        steps = name.split("/")
        if "\\" in name or not steps[0] or steps[0].endswith(":") or ".." in steps:
            raise FileError(f"{told} has a name that leads elsewhere; no workbook has such a part.")
        if any(ord(letter) < 32 for letter in name):
            raise FileError(f"{told} has a name that cannot be; no workbook has such a part.")
        if name.lower() in seen:
            raise FileError(f"{told} is there twice; open it in Excel and save it again.")
        seen.add(name.lower())


def _check_entry(path: Path, info: zipfile.ZipInfo) -> None:
    """Refuse what is locked, packed in an unknown way, or unpacks to too much."""
    told = f"{path}: its part {shown(info.orig_filename)}"
    if info.flag_bits & _LOCKED:
        raise FileError(f"{path}: is locked by a password; save a copy without one.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
        raise FileError(f"{told} is packed with {method}; open it in Excel and save it again.")
    if info.file_size > MAX_PART:
        raise FileError(f"{told} unpacks to more than {MAX_PART >> 20} MiB; that is not read.")
    # A picture or an embedded object may be a blank bitmap, which packs as well as any bomb.
    if info.file_size > RATIO_FROM and not re.search("/(media|embeddings)/", info.orig_filename):
        ratio = info.file_size // max(info.compress_size, 1)
        if ratio > MAX_RATIO:
            raise FileError(f"{told} unpacks to {ratio} times its size, as no workbook's does.")


def _entries(
    path: Path,
    content: bytes,
    infos: list[zipfile.ZipInfo],
    records: list[bytes],
    directory: int,
) -> dict[str, Entry]:
    """Entries in the order of the directory; each stands alone, where the directory says."""
    placed: dict[str, Entry] = {}
    limit = directory
    for info, record in sorted(
        zip(infos, records, strict=True), key=lambda pair: pair[0].header_offset, reverse=True
    ):
        start = info.header_offset
        if start < 0 or start + 30 > limit or not content.startswith(LOCAL, start):
            raise _damaged(path)
        flags, method = struct.unpack_from("<2H", content, start + 6)
        lengths = struct.unpack_from("<2H", content, start + 26)
        data = start + 30 + sum(lengths)
        name = content[start + 30 : start + 30 + lengths[0]]
        same_name = name == record[46 : 46 + struct.unpack_from("<H", record, 28)[0]]
        if not same_name or method != info.compress_type or flags & _LOCKED:
            raise _damaged(path)
        end = data + info.compress_size
        if end > limit:
            raise FileError(
                f"{path}: is damaged: its part {shown(info.orig_filename)} overlaps what follows; "
                "open it in Excel and repair it."
            )
        found = Contents(method, info.CRC, info.compress_size, info.file_size)
        if flags & DESCRIPTOR:
            end += descriptor_length(content[end : min(end + 24, limit)], found)
        placed[info.orig_filename] = Entry(info.orig_filename, *found, start, data, end, record)
        limit = start
    return {info.orig_filename: placed[info.orig_filename] for info in infos}


def _new(archive: Archive, entry: Entry, data: bytes, level: int) -> tuple[bytes, bytes, bytes]:
    """Local header, packed content and directory record (its offset not yet moved) of new data."""
    new, packed = _contents(archive, data, level)
    header = header_of(archive.content[entry.start : entry.data], new)
    return header, packed, record_of(entry.record, new)


def _contents(archive: Archive, data: bytes, level: int) -> tuple[Contents, bytes]:
    """Record's words on new data, and the data packed."""
    method, packed = zipfile.ZIP_STORED, data
    if level:
        deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        method, packed = zipfile.ZIP_DEFLATED, deflate.compress(data) + deflate.flush()
    if max(len(data), len(packed)) >= ABSENT:
        raise _too_large(archive.path)
    return Contents(method, zlib.crc32(data), len(packed), len(data)), packed


def _damaged(path: Path) -> FileError:
    return FileError(f"{path}: is damaged or cut off; open it in Excel and repair it.")


def _of_disks(path: Path) -> FileError:
    return FileError(f"{path}: is one part of an archive over several disks; join them first.")


def _too_large(path: Path) -> FileError:
    return FileError(f"{path}: would grow over 4 GiB; that cannot be written.")
