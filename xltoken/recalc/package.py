"""An xlsx file as parts: opened with care, and written in one step.

Every byte of a part that nobody changed stays as it was.
"""

import html
import io
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

from xltoken.recalc.sheetxml import (
    PREFIX,
    Cell,
    Sheet,
    attributes_of,
    plain_text,
    sheet_cells,
    without_formulas,
)

Place = tuple[str, int, int]
"""Sheet, row and column of a cell; rows and columns count from 1."""


class FileError(ValueError):
    """A file that cannot be read or written; the message is one line that says what to do."""


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
_SHARED_ITEM: Final = re.compile(
    rb"<" + PREFIX + rb"si(?:\s[^>]*)?(?:/>|>(.*?)</" + PREFIX + rb"si>)", re.DOTALL
)


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
                sheets[name] = Sheet(name, part, data, dict(sheet_cells(data, strings)))
    properties = next(iter(_elements(xml, "workbookPr")), {})
    return Package(
        path,
        content,
        sheets,
        _defined_names(xml),
        properties.get("date1904", "0") in ("1", "true"),
    )


def held_parts(package: Package, places: Iterable[Place]) -> dict[str, bytes]:
    """Sheet parts in which the formulas at `places` are gone and their saved values stand."""
    by_sheet: dict[str, list[tuple[int, int]]] = {}
    for name, row, column in places:
        by_sheet.setdefault(name, []).append((row, column))
    sheets = ((package.sheets[name], held) for name, held in by_sheet.items())
    return {sheet.part: without_formulas(sheet, held) for sheet, held in sheets}


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


def _elements(xml: str, name: str) -> Iterator[dict[str, str]]:
    for match in re.finditer(rf"<(?:[A-Za-z_][\w.-]*:)?{name}(\s[^>]*?)/?>", xml):
        yield attributes_of(match[1])


def _defined_names(xml: str) -> dict[str, str]:
    """Workbook-wide names and what they refer to, as written."""
    pattern = r"<(?:[A-Za-z_][\w.-]*:)?definedName(\s[^>]*?)>(.*?)</"
    found = {}
    for match in re.finditer(pattern, xml, re.DOTALL):
        attributes = attributes_of(match[1])
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
            return [plain_text(item or b"") for item in _SHARED_ITEM.findall(archive.read(target))]
    return []
