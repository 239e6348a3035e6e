"""Zip archives as odd writers make them, and as nobody should; read back byte by byte."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from recalc_tools import zipped

FIELDS = {
    # name: format, position in the local header, position in the directory record
    "flags": ("<H", 6, 8),
    "method": ("<H", 8, 10),
    "crc": ("<L", 14, 16),
    "packed": ("<L", 18, 20),
    "size": ("<L", 22, 24),
    "disk": ("<H", None, 34),
    "offset": ("<L", None, 42),
    "needed": ("<H", None, 6),
}


PARTS = {
    "[Content_Types].xml": b"<Types/>",
    "a.xml": b"<a>" + b"x" * 999 + b"</a>",
    "b/c.bin": bytes(range(256)) * 9,
    "d.txt": b"",
}


class Unseekable(io.RawIOBase):
    """A stream such as a pipe: a zip writer cannot go back to fill in sizes."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        """It can be written."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes."""
        self.written += data
        return len(data)


def streamed(parts: Mapping[str, bytes]) -> bytes:
    """Archive written to a stream: sizes and checksums follow the data."""
    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, data in parts.items():
            archive.writestr(name, data)
    return bytes(stream.written)


def unsigned_descriptors(content: bytes) -> bytes:
    """Streamed archive whose descriptors lack their optional signature, as some writers do."""
    infos = zipfile.ZipFile(io.BytesIO(content)).infolist()
    start = zipfile.ZipFile(io.BytesIO(content)).start_dir
    body, directory = content[:start], bytearray(content[start:])
    at = 0
    pieces, done = [], 0
    for number, info in enumerate(infos):
        name, extra, comment = struct.unpack_from("<3H", directory, at + 28)
        struct.pack_into("<L", directory, at + 42, info.header_offset - 4 * number)
        at += 46 + name + extra + comment
        mark = body.index(b"PK\x07\x08", info.header_offset + 30 + info.compress_size)
        pieces.append(body[done:mark])
        done = mark + 4
    end = directory.rindex(b"PK\x05\x06")
    struct.pack_into("<L", directory, end + 16, start - 4 * len(infos))
    return b"".join([*pieces, body[done:], directory])


def forced_zip64(parts: Mapping[str, bytes], *, stream: bool = False) -> bytes:
    """Archive whose local headers have zip64 sizes although the parts are small."""
    out: Any = Unseekable() if stream else io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    return bytes(out.written) if stream else out.getvalue()


def zip64_directory(
    content: bytes, *, offsets: bool = True, sizes: Mapping[str, int] | None = None
) -> bytes:
    """Archive whose directory and end records hold their numbers in zip64 fields.

    `sizes` are unpacked sizes to declare in place of the real ones.
    """
    file = zipfile.ZipFile(io.BytesIO(content))
    new, at = bytearray(), file.start_dir
    for info in file.infolist():
        name, extra, comment = struct.unpack_from("<3H", content, at + 28)
        record = bytearray(content[at : at + 46 + name + extra + comment])
        at += len(record)
        size = (sizes or {}).get(info.filename, info.file_size)
        numbers = [size, info.compress_size] + [info.header_offset] * offsets
        field = struct.pack("<2H", 1, 8 * len(numbers)) + struct.pack(f"<{len(numbers)}Q", *numbers)
        struct.pack_into("<2L", record, 20, 0xFFFFFFFF, 0xFFFFFFFF)
        struct.pack_into("<H", record, 30, extra + len(field))
        if offsets:
            struct.pack_into("<L", record, 42, 0xFFFFFFFF)
        new += record[: 46 + name] + field + record[46 + name :]
    count = len(file.infolist())
    end64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(new), file.start_dir
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, file.start_dir + len(new), 1)
    numbers = (0xFFFF,) * 4 + (0xFFFFFFFF,) * 2
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", *numbers, len(file.comment))
    return content[: file.start_dir] + bytes(new) + end64 + locator + end + file.comment


def zeros(gigabytes: int) -> bytes:
    """Deflated data that unpacks to gigabytes of zeros; a megabyte for each."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflate.compress(bytes(1 << 24)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return block * (gigabytes << 6) + b"\x03\x00"


def with_packed(content: bytes, name: str, packed: bytes, size: int) -> bytes:
    """Archive with a part of packed data, which declares to unpack to `size` bytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for other in source.namelist():
            if other != name:
                out.writestr(other, source.read(other))
        out.writestr(name, packed, zipfile.ZIP_STORED)
    made = told(buffer.getvalue(), name, method=zipfile.ZIP_DEFLATED)
    return zip64_directory(made, sizes={name: size})


def told(content: bytes, name: str, *, local: bool = True, **values: int) -> bytes:
    """Archive that says something else of one entry, in its directory and local header."""
    file = zipfile.ZipFile(io.BytesIO(content))
    new, at = bytearray(content), file.start_dir
    for info in file.infolist():
        if info.filename == name:
            for field, value in values.items():
                form, in_header, in_record = FIELDS[field]
                struct.pack_into(form, new, at + in_record, value)
                if in_header is not None and local:
                    struct.pack_into(form, new, info.header_offset + in_header, value)
        at += 46 + sum(struct.unpack_from("<3H", content, at + 28))
    return bytes(new)


def renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """Archive in which a name of the same length stands in place of another, byte for byte."""
    assert len(old) == len(new)
    assert content.count(old) >= 2
    return content.replace(old, new)


def raw(content: bytes) -> dict[str, tuple[bytes, bytes]]:
    """Name to the bytes of an entry up to the next, and its directory record without the offset."""
    file = zipfile.ZipFile(io.BytesIO(content))
    infos, at = file.infolist(), file.start_dir
    starts = sorted(info.header_offset for info in infos)
    ends = dict(zip(starts, [*starts[1:], file.start_dir], strict=True))
    found = {}
    for info in infos:
        name, extra, comment = struct.unpack_from("<3H", content, at + 28)
        length = 46 + name + extra + comment
        record = content[at : at + 42] + content[at + 46 : at + length]
        if struct.unpack_from("<L", content, at + 42)[0] == 0xFFFFFFFF:
            record = record[:-8]  # the offset stands at the end of the zip64 field
        found[info.filename] = content[info.header_offset : ends[info.header_offset]], record
        at += length
    return found


def stored(parts: Mapping[str, bytes]) -> bytes:
    """Archive of parts that are not packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def commented(content: bytes, comment: bytes) -> bytes:
    """Archive with a comment."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = comment
    return buffer.getvalue()


WRITERS = {
    "deflated": zipped,
    "stored": stored,
    "streamed": streamed,
    "unsigned descriptors": lambda parts: unsigned_descriptors(streamed(parts)),
    "zip64 headers": forced_zip64,
    "zip64 headers streamed": lambda parts: forced_zip64(parts, stream=True),
    "zip64 directory": lambda parts: zip64_directory(zipped(parts)),
    "zip64 sizes": lambda parts: zip64_directory(zipped(parts), offsets=False),
    "zip64 everywhere": lambda parts: zip64_directory(forced_zip64(parts)),
    "commented": lambda parts: commented(zipped(parts), b"a remark with PK inside"),
    "zip64 commented": lambda parts: zip64_directory(commented(zipped(parts), b"a remark")),
    "prefixed": lambda parts: b"#!/bin/sh\nexit\n" + zipped(parts),
    "prefixed and moved": lambda parts: commented(b"prefix" + zipped(parts), b"rewritten"),
    "trailing bytes": lambda parts: zipped(parts) + b"\n",
}
