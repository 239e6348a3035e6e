"""What speaks against giving a part's XML to a parser, told without parsing it."""

import codecs
import re
from typing import Final

MAX_TEXT: Final = 16 << 20
"""Bytes between two tags: a cell holds 32,767 characters, ten bytes each at worst."""
MAX_DEPTH: Final = 256
"""Elements inside each other: a sheet needs about 10, a drawing with nested groups some dozens."""

_BLOCK: Final = 1 << 16
_ENCODING: Final = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]*)["']""")


def objection(data: bytes) -> str:
    """Why XML may not be parsed, as the end of a sentence about it; empty where it may."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00")):
        return "is written in UTF-16; open it in Excel and save it again"
    encoding = _ENCODING.match(data[:256].removeprefix(codecs.BOM_UTF8))
    if encoding and encoding[1].lower() not in (b"utf-8", b"utf8"):
        spelled = encoding[1].decode("latin-1")[:40]
        return f"is written in {spelled}; open it in Excel and save it again"
    if b"\x00" in data or not _is_utf8(data):
        return "is damaged, as it is no UTF-8 text; open it in Excel and repair it"
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return "declares a document type or entities; no workbook does that"
    for at in range(MAX_TEXT, len(data), MAX_TEXT):  # a longer run without a tag covers one of them
        after = data.find(b"<", at)
        if (after if after >= 0 else len(data)) - data.rfind(b"<", 0, at) > MAX_TEXT:
            return f"has a text of over {MAX_TEXT >> 20} MiB; no cell holds that"
    if _may_be_deep(data) and _is_deep(data):
        return f"nests more than {MAX_DEPTH} elements; no workbook does that"
    return ""


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(data), _BLOCK):
            decoder.decode(data[at : at + _BLOCK], final=at + _BLOCK >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def _may_be_deep(data: bytes) -> bool:
    """Whether more elements seem open than allowed anywhere, asked every `_BLOCK` bytes.

    Counts bytes, so that comments and texts may mislead it; :func:`_is_deep` then decides. What
    opens and closes within one block is too little to harm anybody.
    """
    import numpy as np

    count = np.count_nonzero
    text = np.frombuffer(data, np.uint8)
    depth = 0
    for at in range(0, len(text), _BLOCK):
        block = text[at : at + _BLOCK + 1]
        less, slash, greater = block[:-1] == ord("<"), block == ord("/"), block[1:] == ord(">")
        depth += int(count(less) - 2 * count(less & slash[1:]) - count(slash[:-1] & greater))
        if depth > MAX_DEPTH:
            return True
    return False


def _is_deep(data: bytes) -> bool:
    depth, at = 0, data.find(b"<")
    while at >= 0:
        mark = data[at : at + 2]
        closing = b">"
        if mark == b"<?":
            closing = b"?>"
        elif mark == b"<!":
            closing = b"-->" if data.startswith(b"<!--", at) else b"]]>"
        end = data.find(closing, at)
        if end < 0:
            return False  # not well-formed: a reader's business
        if mark == b"</":
            depth -= 1
        elif mark not in (b"<?", b"<!") and data[end - 1 : end] != b"/":
            depth += 1
        if depth > MAX_DEPTH:
            return True
        at = data.find(b"<", end)
    return False
