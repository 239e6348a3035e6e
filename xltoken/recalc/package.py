"""An xlsx file as parts, opened with care."""

import html
import posixpath
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from xltoken.files import FileError
from xltoken.recalc.archive import (
    MAX_FILE,
    Archive,
    check_xml,
    open_archive,
    open_zip,
    rewritten,
)
from xltoken.recalc.sheetxml import (
    PREFIX,
    Cell,
    Sheet,
    attributes_of,
    plain_text,
)
from xltoken.recalc.structured import Table, table_of

Place = tuple[str, int, int]
"""Sheet, row and column of a cell; rows and columns count from 1."""


@dataclass(slots=True)
class Package:
    """A workbook file: its bytes, its sheets, its names, its date system, and its parts."""

    path: Path
    content: bytes
    sheets: dict[str, Sheet]
    names: dict[str, str]
    date1904: bool
    archive: Archive = field(default_factory=Archive, repr=False)
    book_part: str = ""
    iterates: bool = False
    """Whether Excel computes circles of this book again and again."""
    _tables: dict[str, Table] | None = None

    @property
    def hides_rows(self) -> bool:
        """Whether a sheet has rows that are hidden or filtered away."""
        return any(_HIDDEN_ROW.search(sheet.xml) for sheet in self.sheets.values())

    @property
    def signed(self) -> bool:
        """Whether the file carries a digital signature, which any change makes invalid."""
        relations = _relationships(self.archive, "").values()
        return any(kind.endswith("/digital-signature/origin") for kind, _ in relations) or any(
            name.lower().startswith("_xmlsignatures/") for name in self.archive.names
        )

    @property
    def tables(self) -> dict[str, Table]:
        """Tables of the sheets by their case-folded names."""
        if self._tables is None:
            found = [
                table_of(sheet.name, _xml(self.archive, target))
                for sheet in self.sheets.values()
                for kind, target in _relationships(self.archive, sheet.part).values()
                if kind.endswith("/table")
            ]
            self._tables = {table.name.casefold(): table for table in found if table}
        return self._tables

    def cell(self, sheet: str, row: int, column: int) -> Cell | None:
        """Cell at a place; None where the file has none."""
        return self.sheets[sheet].cell(row, column)

    def formulas(self) -> Iterator[tuple[Sheet, Cell]]:
        """Every cell with a formula, sheet by sheet."""
        for sheet in self.sheets.values():
            for cell in sheet.formulas.values():
                yield sheet, cell


_SPACES: Final = (
    (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    ),
    (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    ),
)
"""Namespaces of a workbook part, and of its relations, each in its two editions."""
_HIDDEN_ROW: Final = re.compile(rb"""<(?:[A-Za-z_][\w.-]*:)?row\s[^>]*\shidden=["'](?:1|true)""")
_EMPTY_ITEM: Final = re.compile(rb"<" + PREFIX + rb"si(?:\s[^<>]*)?/>")
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
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise FileError(f"{path}: is no file, but a device or a pipe.")
        if status.st_size > MAX_FILE:
            raise FileError(f"{path}: is larger than any workbook ({status.st_size:,} bytes).")
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
    archive = open_archive(path, content)
    try:
        return _read(archive)
    except (LookupError, ValueError, OSError) as error:
        if isinstance(error, FileError):
            raise
        detail = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        detail = " ".join(detail.split())[:200]
        raise FileError(f"{path}: is no workbook that can be read ({detail}).") from None


def _read(archive: Archive) -> Package:
    types = _content_types(archive)
    book = _book_part(archive)
    if not types(book).endswith("main+xml"):
        raise ValueError(f"its workbook part {book} is declared as {types(book) or 'nothing'}")
    xml = _xml(archive, book).decode("utf-8")
    strings = _shared_strings(archive, book)
    targets = _relationships(archive, book)
    if not all(any(f"{s}{quote}" in xml for s in spaces for quote in "\"'") for spaces in _SPACES):
        raise ValueError(f"{book} is in no known namespace")  # other readers see no sheets there
    sheets: dict[str, Sheet] = {}
    for attributes in _elements(xml, "sheet"):
        relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
        kind, part = targets.get(relation, ("", ""))
        if not kind.endswith("/worksheet"):
            continue
        name = attributes["name"]
        if part not in archive.entries:
            raise ValueError(f"the part {part} of sheet {name} is missing")
        if not types(part).endswith("worksheet+xml"):
            raise ValueError(f"sheet {name} is declared as {types(part) or 'nothing'}")
        if any(name.casefold() == n.casefold() or part == s.part for n, s in sheets.items()):
            raise ValueError(f"sheet {name} is there twice")
        sheets[name] = Sheet(name, part, _xml(archive, part), strings, archive.path)
    archive.verify()
    properties = next(iter(_elements(xml, "workbookPr")), {})
    calculation = next(iter(_elements(xml, "calcPr")), {})
    if calculation.get("fullPrecision", "1") in ("0", "false"):
        raise ValueError("it computes with numbers as displayed, which cannot be repeated here")
    return Package(
        archive.path,
        archive.content,
        sheets,
        _defined_names(xml),
        properties.get("date1904", "0") in ("1", "true"),
        archive,
        book,
        calculation.get("iterate", "0") in ("1", "true"),
    )


def with_parts(content: bytes, parts: Mapping[str, bytes]) -> bytes:
    """Return the archive with some parts replaced; the very same bytes when there are none."""
    return rewritten(open_zip(Path("workbook"), content), parts) if parts else content


def name_of_copy(content: bytes) -> str:
    """Name for a copy of a workbook: Excel refuses one with macros that is called .xlsx."""
    types = open_zip(Path("workbook"), content).read("[Content_Types].xml")
    return "book.xlsm" if b"sheet.macroEnabled" in types else "book.xlsx"


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


def _xml(archive: Archive, part: str) -> bytes:
    """Content of a part that is XML fit to be read."""
    data = archive.read(part)
    check_xml(archive.path, part, data)
    return data


def _content_types(archive: Archive) -> Callable[[str], str]:
    """Ask for the content type that the package declares for a part; "" where it declares none."""
    xml = _xml(archive, "[Content_Types].xml").decode("utf-8")
    defaults, overrides = (
        {a.get(key, "").lower(): a.get("ContentType", "") for a in _elements(xml, element)}
        for element, key in (("Default", "Extension"), ("Override", "PartName"))
    )

    def declared(part: str) -> str:
        extension = posixpath.splitext(part)[1][1:]
        return overrides.get(f"/{part}".lower()) or defaults.get(extension.lower(), "")

    return declared


def _book_part(archive: Archive) -> str:
    for kind, target in _relationships(archive, "").values():
        if kind.endswith("/officeDocument"):
            return target
    raise ValueError("it has no workbook part")


def _relationships(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Id to type and target part of a part's relationships ("" for the package's own)."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    try:
        xml = _xml(archive, archive.spelled(path)).decode("utf-8")
    except KeyError:
        return {}
    found = {}
    for attributes in _elements(xml, "Relationship"):
        target = attributes.get("Target", "")
        absolute = target[1:] if target.startswith("/") else posixpath.join(folder, target)
        found[attributes.get("Id", "")] = (
            attributes.get("Type", ""),
            archive.spelled(posixpath.normpath(absolute)),
        )
    return found


def _shared_strings(archive: Archive, book: str) -> list[str]:
    for kind, target in _relationships(archive, book).values():
        if kind.endswith("/sharedStrings"):
            return [plain_text(item) for item in _string_items(_xml(archive, target))]
    return []


def _string_items(xml: bytes) -> list[bytes]:
    """Contents of the items of a string table.

    Behind the last closing tag only empty items are looked for: an item that stays open would be
    searched for to the end of the part, each of a million anew.
    """
    at = len(xml)
    while (at := xml.rfind(b"si>", 0, at)) >= 0:
        tag = xml[xml.rfind(b"<", max(at - 256, 0), at) : at]
        if tag.startswith(b"</") and (tag == b"</" or tag.endswith(b":")):
            break
    last = max(at + len(b"si>"), 0)
    return _SHARED_ITEM.findall(xml, 0, last) + [b""] * len(_EMPTY_ITEM.findall(xml, last))
