"""Packages that carry our VBA: the add-in, and a workbook with the wrapper inside.

Both are made from nothing that changes with time or place: the same xltoken and the same xlwings
give the same bytes.
"""

import io
import posixpath
import re
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import xltoken
from xltoken.files import FileError
from xltoken.hosts import intellisense, ribbon, vba

_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SPREADSHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO_ENABLED: Final = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_PROPERTIES_TYPE: Final = "application/vnd.openxmlformats-officedocument.customXmlProperties+xml"
_HELP_ID: Final = "{6C1B1E1C-6E0B-4B3B-9C39-2F8B6D0E5A11}"
"""Id of our custom part; any that is ours and stays the same will do."""
_ABOUT: Final = (
    "The token economics of AI inference as worksheet functions. Contains the VBA of xlwings, "
    "BSD 3-clause licence, copyright Zoomer Analytics LLC; its notice stands in the module xlwings."
)
_TYPES: Final = "[Content_Types].xml"
_PROJECT: Final = "xl/vbaProject.bin"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """A part to be added: its name, its content, and who relates to it how."""

    name: str
    content: bytes
    relation: str
    source: str = ""
    content_type: str = ""


def add_in(templates: Mapping[str, str]) -> bytes:
    """Make the add-in (.xlam) from the installed xlwings.

    Parameters
    ----------
    templates : mapping
        Name of each template to what it is for, for the ribbon.

    Raises
    ------
    ModuleNotFoundError
        If pyOpenVBA, the package that writes VBA projects, is not installed.
    """
    from pyopenvba import ExcelFile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "xltoken.xlam")
        ExcelFile.create_new(path).close()
        empty = path.read_bytes()
    parts = [*_help_parts(empty), _ribbon_part(templates)]
    described = _with_parts(empty, parts, {"docProps/core.xml": _core_properties()})
    return _with_modules(described, ".xlam", vba.modules(with_ribbon=True))


def with_wrapper(workbook: bytes) -> bytes:
    """Put our functions into a workbook.

    A plain workbook (.xlsx) becomes a macro-enabled one (.xlsm). One that carries our functions
    gets those of today, its other macros stay; the very same bytes where they are today's. One that
    has only macros of its own is returned as it is: the installed add-in computes it.

    Raises
    ------
    FileError
        If the functions inside cannot be renewed without losing somebody's work.
    ModuleNotFoundError
        If pyOpenVBA, the package that writes VBA projects, is not installed.
    """
    plain = _SPREADSHEET in _read(workbook, _TYPES).decode()
    if not plain and not _help_part(workbook):
        return workbook
    from pyopenvba import PyOpenVBAError

    try:
        return _enabled(workbook) if plain else _renewed(workbook)
    except PyOpenVBAError as error:
        raise FileError(f"the functions cannot be put inside ({error})") from None


def _enabled(workbook: bytes) -> bytes:
    """Macro-enabled workbook of a plain one."""
    types = _read(workbook, _TYPES).decode().replace(_SPREADSHEET, _MACRO_ENABLED)
    edited = {_TYPES: types.encode()}
    carried = _help_part(workbook)
    if carried:  # it was saved from one that carried the functions
        edited[carried] = intellisense.part()
    added = [] if carried else _help_parts(workbook)
    modules = vba.modules(with_ribbon=False)
    return _with_modules(_with_parts(workbook, added, edited), ".xlsm", modules)


def _renewed(workbook: bytes) -> bytes:
    from pyopenvba import ExcelFile

    modules = vba.modules(with_ribbon=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "book.xlsm")
        path.write_bytes(workbook)
        with ExcelFile(path) as book:
            there = book.vba_modules() if book.has_vba_project() else {}
            names = {vba.BOOK_MODULE: _document(there, workbook)}
            if not all(names.get(module.name, module.name) in there for module in modules):
                return workbook
            project = book.vba_project()
            today = {
                m.name: _words(m.code) == _words(project.get_module(names.get(m.name, m.name)).body)
                for m in modules
            }
            if all(today.values()):
                return workbook
            if not today[vba.BOOK_MODULE]:
                raise FileError(
                    "its module ThisWorkbook is not the one that was made with the functions; "
                    "make the workbook anew from its .xlsx."
                )
            if book.vba_signature().present:
                raise FileError("its macros are signed, which a change would break.")
    return _with_modules(workbook, ".xlsm", modules)


def _words(code: str) -> list[str]:
    """Words of a module: Excel changes their case and the space between them when it saves."""
    return code.casefold().split()


def _with_modules(content: bytes, suffix: str, modules: list[vba.Module]) -> bytes:
    """Package with these modules in its project; those of the same names are replaced."""
    from pyopenvba import ExcelFile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"book{suffix}")
        path.write_bytes(content)
        with ExcelFile(path) as book:
            if not book.has_vba_project():
                book.add_vba_project()
            project = book.vba_project()
            there = set(project.module_names())
            document = _document(there, content)
            if document not in there:  # the library makes none for some names
                raise FileError(
                    f"no module can be made for a workbook of the code name {document}."
                )
            taken = {n.casefold() for n in there} & {m.name.casefold() for m in modules[1:]}
            if taken - {n.casefold() for n in _standard(project)}:
                raise FileError(f"a sheet's module is called like one of ours ({min(taken)}).")
            if suffix == ".xlam" and "Module1" in there:
                project.delete_module("Module1")  # of the empty add-in
            for module in modules:
                if module.name == vba.BOOK_MODULE:
                    project.get_module(document).body = module.code
                elif module.name in there:
                    project.get_module(module.name).body = module.code
                else:
                    project.add_module(module.name, module.code)
            book.save()
        saved = path.read_bytes()
    return _with_parts(saved, [], {_PROJECT: _uncached(_read(saved, _PROJECT))})


def _document(modules: Iterable[str], package: bytes) -> str:
    """Name of the workbook's own module, which follows the language of the Excel that made it."""
    found = re.search(rb'<workbookPr\b[^>]*\bcodeName="([^"]+)"', _read(package, "xl/workbook.xml"))
    name = found[1].decode() if found else vba.BOOK_MODULE
    return next((m for m in modules if m.casefold() == name.casefold()), name)


def _standard(project: Any) -> list[str]:
    """Names of the standard modules of a project."""
    return [m.name for m in project.modules if m.kind.name == "standard"]


def _uncached(project: bytes) -> bytes:
    """VBA project without the cache of compiled code, so that Excel compiles the text.

    pyOpenVBA leaves the cache zeroed under the version of the Excel that made its template; that
    very Excel would believe it. [MS-OVBA] 2.3.4.1 wants 0xFFFF and no cache of whoever writes.
    """
    from pyopenvba.cfb import CFB

    compound = CFB.from_bytes(project)
    compound.write_stream_in_storage("VBA", "_VBA_PROJECT", b"\xcc\x61\xff\xff\x00\x00\x00")
    return bytes(compound.to_bytes())


def _help_part(package: bytes) -> str:
    """Name of the custom part with our help, which goes with the functions; empty without."""
    namespace = intellisense.NAMESPACE.encode()
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        custom = [n for n in archive.namelist() if re.fullmatch(r"customXml/item\d+\.xml", n)]
        return next((name for name in custom if namespace in archive.read(name)), "")


def _help_parts(package: bytes) -> list[Part]:
    """Help while typing, as a custom part: a sheet would be seen, a file beside would be opened."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        names = set(archive.namelist())
    number = next(n for n in range(1, len(names) + 2) if f"customXml/item{n}.xml" not in names)
    properties = (
        f'<ds:datastoreItem ds:itemID="{_HELP_ID}" xmlns:ds="{_OFFICE}/customXml">'
        f'<ds:schemaRefs><ds:schemaRef ds:uri="{intellisense.NAMESPACE}"/></ds:schemaRefs>'
        "</ds:datastoreItem>"
    )
    item = f"customXml/item{number}.xml"
    return [
        Part(item, intellisense.part(), f"{_OFFICE}/relationships/customXml", "xl/workbook.xml"),
        Part(
            f"customXml/itemProps{number}.xml",
            _xml(properties),
            f"{_OFFICE}/relationships/customXmlProps",
            item,
            _PROPERTIES_TYPE,
        ),
    ]


def _ribbon_part(templates: Mapping[str, str]) -> Part:
    kind = "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility"
    return Part("customUI/customUI14.xml", ribbon.part(templates), kind)


def is_ours(path: Path) -> bool:
    """Whether a file is an add-in of ours, of whichever version, signed by somebody or not."""
    try:
        return b"<dc:title>xltoken " in _read(path.read_bytes(), "docProps/core.xml")
    except (OSError, KeyError, zipfile.BadZipFile):
        return False


def _core_properties() -> bytes:
    """Title and description that Excel's list of add-ins shows; no person, no time."""
    return _xml(
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>xltoken {xltoken.__version__}</dc:title><dc:creator>xltoken</dc:creator>"
        f"<dc:description>{escape(_ABOUT)}</dc:description></cp:coreProperties>"
    )


def _with_parts(content: bytes, added: list[Part], edited: Mapping[str, bytes]) -> bytes:
    """Package with parts added and related, and others replaced; times of day are left out."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts |= edited
    for part in added:
        parts[part.name] = part.content
        rels = _relations_of(part.source)
        parts[rels] = _related(parts.get(rels), part, posixpath.dirname(part.source))
        if part.content_type:
            parts[_TYPES] = _typed(parts[_TYPES], part)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 0  # of whichever system it is made on
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _relations_of(source: str) -> str:
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _related(rels: bytes | None, part: Part, folder: str) -> bytes:
    """Relations of a part with one more; its target is told from the part's folder."""
    old = (
        rels or _xml(f'<Relationships xmlns="{_PACKAGE}/relationships"></Relationships>')
    ).decode()
    taken = set(re.findall(r'\bId="([^"]*)"', old))
    number = next(n for n in range(1, len(taken) + 2) if f"rId{n}" not in taken)
    target = posixpath.relpath(part.name, folder or ".")
    new = f'<Relationship Id="rId{number}" Type="{part.relation}" Target="{target}"/>'
    return old.replace("</Relationships>", f"{new}</Relationships>").encode()


def _typed(types: bytes, part: Part) -> bytes:
    new = f'<Override PartName="/{part.name}" ContentType="{part.content_type}"/>'
    return types.decode().replace("</Types>", f"{new}</Types>").encode()


def _read(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{body}'.encode()
