"""An xlsx file as parts: cells read from the XML, values patched into it, all else left alone.

Only ``<v>`` and ``t`` of a formula cell, and the content of an input cell that was set, are ever
rewritten. Every other byte of every part stays as it was.
"""

import functools
import html
import io
import math
import os
import posixpath
import re
import secrets
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

Value = float | str | bool | None
"""A saved or computed value; errors are their text, told apart by :class:`ErrorText`."""


Place = tuple[str, int, int]
"""Sheet, row and column of a cell; rows and columns count from 1."""


class ErrorText(str):
    """An error value such as ``#N/A``."""

    __slots__ = ()


class FileError(ValueError):
    """A file that cannot be read or written; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the sheet XML: `start` and `end` delimit its ``<c>`` element.

    `formula` is the text, None without one; a child of a shared formula (`kind` shared) has the
    text of its master, whose references are the master's own and not yet moved (`moved` False).
    """

    row: int
    column: int
    value: Value
    formula: str | None
    kind: str
    spill: str
    moved: bool
    start: int
    end: int


@dataclass(slots=True)
class Sheet:
    """A worksheet part and its cells, in the order of the file."""

    name: str
    part: str
    xml: bytes
    cells: dict[tuple[int, int], Cell]


@dataclass(slots=True)
class Package:
    """A workbook file: its bytes, its sheets, its names and its date system."""

    path: Path
    content: bytes
    sheets: dict[str, Sheet]
    names: dict[str, str]
    date1904: bool

    def cell(self, sheet: str, row: int, column: int) -> Cell | None:
        """Cell at a place; None where the file has none."""
        return self.sheets[sheet].cells.get((row, column))

    def formulas(self) -> Iterator[tuple[Sheet, Cell]]:
        """Every cell with a formula, sheet by sheet."""
        for sheet in self.sheets.values():
            for cell in sheet.cells.values():
                if cell.formula is not None:
                    yield sheet, cell


_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PREFIX: Final = rb"(?:[A-Za-z_][\w.-]*:)?"
_CELL: Final = re.compile(
    rb"<" + _PREFIX + rb"c(\s[^>]*?)?(?:/>|>(.*?)</" + _PREFIX + rb"c>)", re.DOTALL
)
_ROW_OR_CELL: Final = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<"
    + _PREFIX
    + rb"(?:row(?P<row>\s[^>]*?)?/?>|c(?P<cell>\s[^>]*?)?(?:/>|>(?P<body>.*?)</"
    + _PREFIX
    + rb"c>))",
    re.DOTALL,
)
_ELEMENT: Final = re.compile(rb"<" + _PREFIX + rb"(row|c)\b")
# What nearly every file writes, found without taking the attributes apart.
_PLACE: Final = re.compile(rb'\sr="([A-Z]{1,3})([1-9][0-9]{0,6})"')
_ROW: Final = re.compile(rb'\sr="([0-9]+)"')
_KIND: Final = re.compile(rb'\st="([A-Za-z]+)"')
_FORMULA: Final = re.compile(
    rb"<" + _PREFIX + rb"f(\s[^>]*?)?(?:/>|>(.*?)</" + _PREFIX + rb"f>)", re.DOTALL
)
_VALUE: Final = re.compile(
    rb"<" + _PREFIX + rb"v(?:\s[^>]*)?>(.*?)</" + _PREFIX + rb"v>", re.DOTALL
)
_TEXT: Final = re.compile(rb"<" + _PREFIX + rb"t(?:\s[^>]*)?>(.*?)</" + _PREFIX + rb"t>", re.DOTALL)
_PHONETIC: Final = re.compile(rb"<" + _PREFIX + rb"rPh\b.*?</" + _PREFIX + rb"rPh>", re.DOTALL)
_SHARED_ITEM: Final = re.compile(
    rb"<" + _PREFIX + rb"si(?:\s[^>]*)?(?:/>|>(.*?)</" + _PREFIX + rb"si>)", re.DOTALL
)
_ATTRIBUTE: Final = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
MAX_ROW: Final = 1_048_576
MAX_COLUMN: Final = 16_384


def read(path: Path) -> Package:
    """Read a workbook file.

    Raises
    ------
    FileError
        If it is missing, locked by a password, damaged, or no workbook.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise FileError(f"{path}: is a folder, not a workbook.") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}).") from None
    return parsed(path, content)


def parsed(path: Path, content: bytes) -> Package:
    """Read a workbook from its bytes; `path` is what messages call it."""
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise FileError(f"{path}: is encrypted; save a copy without a password in Excel.")
        raise FileError(f"{path}: is an old .xls file; save it as .xlsx in Excel.")
    if not content.startswith(b"PK"):
        raise FileError(f"{path}: is not an .xlsx file; its content is no zip archive.")
    try:
        return _read(path, content)
    except (zipfile.BadZipFile, EOFError, zipfile.LargeZipFile, NotImplementedError):
        raise FileError(f"{path}: is damaged or cut off; open it in Excel and repair it.") from None
    except RuntimeError:
        raise FileError(f"{path}: is locked by a password; save a copy without one.") from None
    except (LookupError, UnicodeDecodeError, ValueError, OSError) as error:
        if isinstance(error, FileError):
            raise
        detail = str(error).strip("'\"")
        raise FileError(f"{path}: is no workbook that can be read ({detail}).") from None


def _read(path: Path, content: bytes) -> Package:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            damaged = archive.testzip()
        except zlib.error as error:
            raise zipfile.BadZipFile(str(error)) from None
        if damaged:
            raise zipfile.BadZipFile(damaged)
        names = set(archive.namelist())
        if "[Content_Types].xml" not in names:
            raise FileError(f"{path}: is a zip archive, but no workbook.")
        book = _book_part(archive)
        xml = archive.read(book).decode("utf-8")
        strings = _shared_strings(archive, book)
        targets = _relationships(archive, book)
        sheets = {}
        for attributes in _elements(xml, "sheet"):
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            part = targets.get(relation, ("", ""))[1]
            if targets.get(relation, ("", ""))[0].endswith("/worksheet") and part in names:
                data = archive.read(part)
                name = attributes["name"]
                sheets[name] = Sheet(name, part, data, dict(_cells(data, strings)))
    properties = next(iter(_elements(xml, "workbookPr")), {})
    return Package(
        path,
        content,
        sheets,
        _defined_names(xml),
        properties.get("date1904", "0") in ("1", "true"),
    )


def reference(text: str) -> tuple[int, int] | None:
    """Row and column of an A1 reference; None when it is none."""
    match = _REFERENCE.fullmatch(text.upper())
    if match is None:
        return None
    row, column = int(match[2]), column_number(match[1])
    return (row, column) if row <= MAX_ROW and column <= MAX_COLUMN else None


def corners(area: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """First and last place of an area such as ``B1:C4``; None when it is none."""
    places = [reference(part) for part in area.split(":")]
    first, last = places[0], places[-1]
    return None if first is None or last is None else (first, last)


def column_number(letters: str) -> int:
    """Return the number of a column: A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def address(row: int, column: int) -> str:
    """A1 reference of a place."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def patched(sheet: Sheet, values: Mapping[tuple[int, int], Value]) -> bytes:
    """Sheet XML with new values; formula cells keep their formula, others become constants."""
    pieces: list[bytes] = []
    end = 0
    for place in sorted(values, key=lambda p: sheet.cells[p].start):
        cell = sheet.cells[place]
        pieces.append(sheet.xml[end : cell.start])
        pieces.append(_patched_cell(sheet.xml[cell.start : cell.end], values[place]))
        end = cell.end
    pieces.append(sheet.xml[end:])
    return b"".join(pieces)


def held_parts(package: Package, places: Iterable[Place]) -> dict[str, bytes]:
    """Sheet parts in which the formulas at `places` are gone and their saved values stand."""
    by_sheet: dict[str, list[Cell]] = {}
    for name, row, column in places:
        by_sheet.setdefault(name, []).append(package.sheets[name].cells[row, column])
    parts = {}
    for name, cells in by_sheet.items():
        sheet = package.sheets[name]
        pieces: list[bytes] = []
        end = 0
        for cell in sorted(cells, key=lambda c: c.start):
            pieces.append(sheet.xml[end : cell.start])
            pieces.append(_FORMULA.sub(b"", sheet.xml[cell.start : cell.end], count=1))
            end = cell.end
        pieces.append(sheet.xml[end:])
        parts[sheet.part] = b"".join(pieces)
    return parts


def with_parts(content: bytes, parts: Mapping[str, bytes]) -> bytes:
    """Return the archive with some parts replaced; the very same bytes when there are none."""
    if not parts:
        return content
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as out:
        out.comment = source.comment
        for info in source.infolist():
            data = parts.get(info.filename)
            out.writestr(info, source.read(info) if data is None else data)
    return buffer.getvalue()


def write_atomically(target: Path, content: bytes) -> None:
    """Put `content` at `target` in one step: on any failure the old file stands as it was."""
    check_writable(target)
    target = target.resolve()  # a link stays a link; what it points at is written
    temporary = target.with_name(f".xltoken.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except OSError as error:
        raise _not_written(target, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(target: Path) -> None:
    """Refuse a target that is a folder, read-only, or in a folder that is missing or read-only."""
    folder = target.parent
    try:
        if target.is_dir():
            raise FileError(f"{target}: is a folder; name a file.")
        if not folder.is_dir():
            raise FileError(f"{target}: there is no folder {folder}; make it first.")
        for place in (target, folder):
            # Asked of the permission bits too, because an administrator may write anywhere.
            if place.exists() and not (os.access(place, os.W_OK) and place.stat().st_mode & 0o222):
                raise FileError(f"{place}: is read-only; choose another place with -o.")
    except OSError as error:
        raise _not_written(target, error) from None


def _not_written(target: Path, error: OSError) -> FileError:
    reason = error.strerror or str(error)
    return FileError(f"{target}: cannot be written ({reason}); nothing was changed.")


def _patched_cell(xml: bytes, value: Value) -> bytes:
    match = _CELL.fullmatch(xml)
    assert match is not None
    attributes, body = match[1] or b"", match[2] or b""
    prefix = re.match(rb"<(" + _PREFIX + rb")c", xml)[1]  # type: ignore[index]
    formula = _FORMULA.search(body)
    kind, text = _encoded(value)
    if formula is None and kind == "str":
        kind = "inlineStr"
    attributes = re.sub(rb"""\s+t=("[^"]*"|'[^']*')""", b"", attributes)
    if kind:
        attributes += b' t="' + kind.encode() + b'"'
    if kind == "inlineStr":
        space = b' xml:space="preserve"' if text != text.strip() else b""
        content = _tagged(prefix, b"is", _tagged(prefix, b"t", text, space))
    else:
        content = formula[0] if formula else b""
        if value is not None:
            content += _tagged(prefix, b"v", text)
    if not content:
        return b"<" + prefix + b"c" + attributes + b"/>"
    return b"<" + prefix + b"c" + attributes + b">" + content + b"</" + prefix + b"c>"


def _tagged(prefix: bytes, name: bytes, content: bytes, attributes: bytes = b"") -> bytes:
    tag = prefix + name
    return b"<" + tag + attributes + b">" + content + b"</" + tag + b">"


def _encoded(value: Value) -> tuple[str, bytes]:
    """Type attribute and text of a value as the file format writes them."""
    if value is None:
        return "", b""
    if isinstance(value, bool):
        return "b", b"1" if value else b"0"
    if isinstance(value, float | int):
        number = float(value)
        if not math.isfinite(number):
            return "e", b"#NUM!"
        whole = number == int(number) and abs(number) < 1e15
        return "", (str(int(number)) if whole else repr(number)).encode()
    if isinstance(value, ErrorText):
        return "e", value.encode()
    return "str", escape(_escaped(value)).encode("utf-8")


def _escaped(text: str) -> str:
    """Text with control characters as the file format writes them: ``_x0007_``."""
    literal = re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", lambda m: f"_x{ord(m[0]):04X}_", literal)


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)


def _cells(xml: bytes, strings: list[str]) -> Iterator[tuple[tuple[int, int], Cell]]:
    masters: dict[str, str] = {}
    row = column = 0
    for match in _ROW_OR_CELL.finditer(xml):
        if match.lastgroup not in ("cell", "body"):
            element = _ELEMENT.match(match[0])
            if element is None:
                continue  # a comment
            if element[1] == b"row":
                row, column = _row_number(match["row"] or b"", row), 0
                continue
        attributes = match["cell"] or b""
        # A cell that does not say where it stands comes after the one before it.
        place = _place(attributes) or (max(row, 1), column + 1)
        row, column = place
        body = match["body"] or b""
        formula_match = _FORMULA.search(body) if b"f" in body else None
        formula, spill, kind, moved = None, "", "", True
        if formula_match is not None:
            own = _attributes(formula_match[1] or b"")
            kind = own.get("t", "")
            formula = html.unescape((formula_match[2] or b"").decode("utf-8"))
            spill = own.get("ref", "") if kind == "array" else ""
            if kind == "shared":
                moved = bool(formula)
                group = own.get("si", "")
                formula = masters.setdefault(group, formula)
        value = _saved(_kind(attributes), body, strings)
        yield place, Cell(*place, value, formula, kind, spill, moved, *match.span())


def _place(attributes: bytes) -> tuple[int, int] | None:
    match = _PLACE.search(attributes)
    if match is None:
        return reference(_attributes(attributes).get("r", ""))
    row, column = int(match[2]), _column(match[1])
    return (row, column) if row <= MAX_ROW and column <= MAX_COLUMN else None


def _row_number(attributes: bytes, before: int) -> int:
    match = _ROW.search(attributes)
    return int(match[1]) if match else int(_attributes(attributes).get("r") or before + 1)


def _kind(attributes: bytes) -> str:
    match = _KIND.search(attributes)
    return match[1].decode() if match else _attributes(attributes).get("t", "n")


@functools.lru_cache(maxsize=MAX_COLUMN)
def _column(letters: bytes) -> int:
    return column_number(letters.decode())


def _saved(kind: str, body: bytes, strings: list[str]) -> Value:
    if kind == "inlineStr":
        return _plain(body)
    match = _VALUE.search(body)
    if match is None:
        return None
    if kind == "n":
        return float(match[1]) if match[1] else None
    text = html.unescape(match[1].decode("utf-8"))
    if kind in ("str", "d"):
        return _unescaped(text)
    if not text:
        return None
    if kind == "s":
        index = int(text)
        if index < 0:
            raise ValueError(f"shared string {index}")
        return strings[index]
    if kind == "b":
        return text.strip() in ("1", "true")
    if kind == "e":
        return ErrorText(text)
    return float(text)


def _plain(xml: bytes) -> str:
    """Text of a rich or plain string; reading aids (phonetics) are not part of it."""
    without = _PHONETIC.sub(b"", xml)
    text = b"".join(part for part in _TEXT.findall(without)).decode("utf-8")
    return _unescaped(html.unescape(text))


def _attributes(text: bytes | str) -> dict[str, str]:
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    return {
        name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text)
    }


def _elements(xml: str, name: str) -> Iterator[dict[str, str]]:
    for match in re.finditer(rf"<(?:[A-Za-z_][\w.-]*:)?{name}(\s[^>]*?)/?>", xml):
        yield _attributes(match[1])


def _defined_names(xml: str) -> dict[str, str]:
    """Workbook-wide names and what they refer to, as written."""
    pattern = r"<(?:[A-Za-z_][\w.-]*:)?definedName(\s[^>]*?)>(.*?)</"
    found = {}
    for match in re.finditer(pattern, xml, re.DOTALL):
        attributes = _attributes(match[1])
        if "localSheetId" not in attributes:
            found[attributes["name"]] = html.unescape(match[2])
    return found


def _book_part(archive: zipfile.ZipFile) -> str:
    for kind, target in _relationships(archive, "").values():
        if kind.endswith("/officeDocument"):
            return target
    raise ValueError("it has no workbook part")


def _relationships(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Id to type and target part of a part's relationships ("" for the package's own)."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    try:
        xml = archive.read(path).decode("utf-8")
    except KeyError:
        return {}
    found = {}
    for attributes in _elements(xml, "Relationship"):
        target = attributes.get("Target", "")
        absolute = target[1:] if target.startswith("/") else posixpath.join(folder, target)
        found[attributes.get("Id", "")] = (
            attributes.get("Type", ""),
            posixpath.normpath(absolute),
        )
    return found


def _shared_strings(archive: zipfile.ZipFile, book: str) -> list[str]:
    for kind, target in _relationships(archive, book).values():
        if kind.endswith("/sharedStrings"):
            return [_plain(item or b"") for item in _SHARED_ITEM.findall(archive.read(target))]
    return []
