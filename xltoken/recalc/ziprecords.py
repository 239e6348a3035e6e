"""The records of a zip archive around its data: made for new data, and moved.

All that says nothing of the data's size, checksum, method or place stays as it was.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

LOCAL: Final = b"PK\x03\x04"
CENTRAL: Final = b"PK\x01\x02"
END: Final = b"PK\x05\x06"
END64: Final = b"PK\x06\x06"
LOCATOR64: Final = b"PK\x06\x07"
END64_LENGTH: Final = 56 + 20
"""Bytes of the zip64 end record and its locator, which stand before the end record."""
ABSENT: Final = 0xFFFFFFFF
"""Written where the number stands in the zip64 field."""
DESCRIPTOR: Final = 0x0008
"""Flag: size and checksum follow the data."""
_DEFLATE_NOTES: Final = 0x0006
_ZIP64: Final = 1
_ELSEWHERE: Final = {"<H": 0xFFFF, "<L": ABSENT}
"""What stands in the end record where the zip64 one has the number."""
_NEEDED: Final = 20
"""Version of the format that a reader of deflated data needs."""
_EPOCH: Final = struct.pack("<2H", 0, 0x0021)
"""The first of January 1980, as Excel writes: nobody's clock."""
_UTF8: Final = 0x0800


class Contents(NamedTuple):
    """What the records say of an entry's data."""

    method: int
    crc: int
    packed: int
    size: int


def header_of(old: bytes, new: Contents) -> bytes:
    """Local header `old` for new data; its zip64 field goes, as the sizes need none."""
    (name_length,) = struct.unpack_from("<H", old, 26)
    name_end = 30 + name_length
    extra = _without_zip64(old[name_end:])
    head = _described(old, 6, new) + struct.pack("<2H", name_length, len(extra))
    return head + old[30:name_end] + extra


def record_of(old: bytes, new: Contents) -> bytes:
    """Directory record `old` for new data; the offset is that of `old`, in 32 bits."""
    name_length, extra_length = struct.unpack_from("<2H", old, 28)
    name_end = 46 + name_length
    extra_end = name_end + extra_length
    extra = _without_zip64(old[name_end:extra_end])
    offset, _, _ = _offset(old)
    head = _described(old, 8, new) + struct.pack("<2H", name_length, len(extra))
    place = old[32:42] + struct.pack("<L", offset)
    return head + place + old[46:name_end] + extra + old[extra_end:]


def new_header(name: bytes, new: Contents) -> bytes:
    """Local header of an entry that no archive had yet."""
    head = struct.pack("<4s2H", LOCAL, _NEEDED, _name_flag(name)) + struct.pack("<H", new.method)
    sizes = struct.pack("<3L2H", new.crc, new.packed, new.size, len(name), 0)
    return head + _EPOCH + sizes + name


def new_record(name: bytes, new: Contents, offset: int) -> bytes:
    """Directory record of an entry that no archive had yet."""
    head = struct.pack("<4s4H", CENTRAL, _NEEDED, _NEEDED, _name_flag(name), new.method)
    sizes = struct.pack("<3L5H2L", new.crc, new.packed, new.size, len(name), 0, 0, 0, 0, 0, offset)
    return head + _EPOCH + sizes + name


def directory_offset(tail: bytes) -> int:
    """Where the end records say that the directory stands; bytes before the archive not counted."""
    place, form = (48, "<Q") if tail.startswith(END64) else (16, "<L")
    return int(struct.unpack_from(form, tail, place)[0])


def moved_record(record: bytes, shift: int) -> bytes:
    """Directory record of an entry that stands `shift` bytes later."""
    if not shift:
        return record
    offset, place, form = _offset(record)
    new = struct.pack(form, offset + shift)
    return record[:place] + new + record[place + len(new) :]


def moved_tail(tail: bytes, shift: int, grown: int, more: int = 0) -> bytes:
    """End records whose directory stands `shift` bytes later and is `grown` bytes longer.

    `more` is how many entries it holds beyond those of before.
    """
    new = bytearray(tail)

    def add(form: str, at: int, change: int) -> None:
        (old,) = struct.unpack_from(form, new, at)
        if old != _ELSEWHERE.get(form):
            struct.pack_into(form, new, at, old + change)

    end = 0
    if tail.startswith(END64):
        add("<Q", 24, more)
        add("<Q", 32, more)
        add("<Q", 40, grown)
        add("<Q", 48, shift)
        add("<Q", 56 + 8, shift + grown)
        end = END64_LENGTH
    add("<H", end + 8, more)
    add("<H", end + 10, more)
    add("<L", end + 12, grown)
    add("<L", end + 16, shift)
    return bytes(new)


def descriptor_length(follows: bytes, data: Contents) -> int:
    """Length of the data descriptor at the start of `follows`; writers use four forms."""
    for mark in (b"PK\x07\x08", b""):
        for form in ("<LLL", "<LQQ"):
            found = mark + struct.pack(form, data.crc, data.packed, data.size)
            if follows.startswith(found):
                return len(found)
    return 0


def _described(old: bytes, flags_at: int, new: Contents) -> bytes:
    """Record up to its sizes: new method, checksum and sizes, and no descriptor any more."""
    (flags,) = struct.unpack_from("<H", old, flags_at)
    kept = flags & ~(DESCRIPTOR | _DEFLATE_NOTES)
    head = old[:flags_at] + struct.pack("<2H", kept, new.method)
    times = old[flags_at + 4 : flags_at + 8]
    return head + times + struct.pack("<3L", new.crc, new.packed, new.size)


def _name_flag(name: bytes) -> int:
    """Flags that a name needs."""
    return 0 if name.isascii() else _UTF8


def _fields(extra: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, position and end of each field of an extra block, as far as it can be read."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        yield kind, at, at + 4 + length
        at += 4 + length


def _without_zip64(extra: bytes) -> bytes:
    for kind, at, end in _fields(extra):
        if kind == _ZIP64:
            return extra[:at] + extra[end:]
    return extra


def _offset(record: bytes) -> tuple[int, int, str]:
    """Offset in a directory record as written there, its position, and its form."""
    packed, size, name, extra = struct.unpack_from("<LLHH", record, 20)
    (offset,) = struct.unpack_from("<L", record, 42)
    if offset == ABSENT:
        for kind, at, _ in _fields(record[46 + name : 46 + name + extra]):
            if kind == _ZIP64:
                place = 46 + name + at + 4 + 8 * ((packed == ABSENT) + (size == ABSENT))
                return struct.unpack_from("<Q", record, place)[0], place, "<Q"
    return offset, 42, "<L"
