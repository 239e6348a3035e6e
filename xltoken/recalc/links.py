"""The external links of a workbook: read, added and dropped, with all that speaks of them.

Formulas name a link by its number, which is its place among the references of the workbook part.
"""

import itertools
import posixpath
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from xltoken.recalc.archive import Archive, check_xml
from xltoken.recalc.package import Package
from xltoken.recalc.sheetxml import attributes_of

_TYPES: Final = "[Content_Types].xml"
ATTRIBUTES: Final = r"""(?:\s++[\w:.-]++\s*+=\s*+(?:"[^"]*+"|'[^']*+'))*+\s*+"""
"""Attributes of a tag, whatever letters their values hold."""
ADD_INS: Final = (".xlam", ".xla", ".xll")

PREFIX: Final = r"(?:[A-Za-z_][\w.-]*:)?"
_FILE: Final = re.compile(r"^file:///(?=[a-z]:|\\\\)|^file://", re.IGNORECASE)
_NO_MARKUP: Final = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN: Final = {
    False: "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    True: "http://purl.oclc.org/ooxml/spreadsheetml/main",
}
_RELATIONS: Final = {
    False: "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    True: "http://purl.oclc.org/ooxml/officeDocument/relationships",
}
"""Namespaces in the usual and in the strict edition of the format."""
_STARTUP: Final = (
    "http://schemas.microsoft.com/office/2006/relationships/xlExternalLinkPath/xlStartup"
)
"""Relation to a file in Excel's startup folder, where the add-in is installed."""
_LINK_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml"


@dataclass(frozen=True, slots=True)
class Link:
    """An external link: the number that formulas use, its part, and the file it leads to."""

    number: int
    relation: str
    part: str
    target: str
    """Where the file is, as a person would write it; "" for links that are no workbooks."""

    @property
    def name(self) -> str:
        """Name of the file without its folder, in small letters."""
        return re.split(r"[/\\]", self.target)[-1].lower()

    def leads_to(self, path: str) -> bool:
        """Whether this is a link to that file; a bare name means any folder."""
        if not re.search(r"[/\\]", path):
            return self.name == path.lower()
        return _plain(self.target) == _plain(path)


@dataclass(slots=True)
class Parts:
    """Parts of a package that is being changed: replaced, added and dropped."""

    archive: Archive
    replaced: dict[str, bytes] = field(default_factory=dict)
    added: dict[str, bytes] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    def text(self, name: str) -> str:
        """XML of a part as it is by now."""
        data = self.replaced.get(name)
        if data is None:
            data = self.archive.read(name)
            check_xml(self.archive.path, name, data)
        return data.decode("utf-8")

    def put(self, name: str, text: str) -> None:
        """Replace a part."""
        self.replaced[name] = text.encode("utf-8")


def content_types(parts: Parts) -> dict[str, str]:
    """Content type of every part, "" where none is declared."""
    xml = parts.text(_TYPES)
    defaults, overrides = (
        {said.get(key, "").lower(): said.get("ContentType", "") for said in map(_said, found)}
        for key, found in (
            ("Extension", _elements(xml, "Default")),
            ("PartName", _elements(xml, "Override")),
        )
    )
    return {
        part: overrides.get(f"/{part}".lower()) or defaults.get(part.rpartition(".")[2].lower(), "")
        for part in parts.archive.names
    }


def links_of(package: Package) -> list[Link]:
    """External links of a workbook, in the order of their numbers."""
    parts, found = Parts(package.archive), []
    book = package.book_part
    relations = _relations(parts, book)
    for number, match in enumerate(_elements(parts.text(book), "externalReference"), 1):
        relation = _id(match)
        target = relations.get(relation, "")
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(book), target))
        part = package.archive.spelled(path.lstrip("/"))
        found.append(Link(number, relation, part, _leads(parts, part)))
    return found


def add_link(parts: Parts, package: Package, target: str, names: Collection[str]) -> None:
    """Add a link to a file whose functions of these `names` are called; it is the last one."""
    book = package.book_part
    folder = posixpath.join(posixpath.dirname(book), "externalLinks")
    taken = {posixpath.basename(part).lower() for part in package.archive.names}
    tried = (f"externalLink{number}.xml" for number in itertools.count(1))
    name = next(name for name in tried if taken.isdisjoint({name.lower(), f"{name}.rels".lower()}))
    part = f"{folder}/{name}"
    said = f'PartName={quoteattr(f"/{part}")} ContentType="{_LINK_TYPE}"'
    parts.put(_TYPES, _related(parts.text(_TYPES), "Types", "Override", said))
    xml = parts.text(book)
    strict = _RELATIONS[True] in xml
    office = _RELATIONS[strict]
    rels = parts.archive.spelled(_relations_of(book))
    relations = parts.text(rels)
    used = {_said(match).get("Id") for match in _elements(relations, "Relationship")}
    relation = next(f"rId{n}" for n in itertools.count(1) if f"rId{n}" not in used)
    said = f'Id="{relation}" Type="{office}/externalLink" Target="externalLinks/{name}"'
    parts.put(rels, _related(relations, "Relationships", "Relationship", said))
    parts.put(book, _with_reference(xml, relation, office))
    kind, written = _relation_to(target, office)
    parts.added[part] = (
        f'{_HEAD}<externalLink xmlns="{_MAIN[strict]}"><externalBook xmlns:r="{office}" '
        f'r:id="rId1"><sheetNames><sheetName val="Sheet1"/></sheetNames><definedNames>'
        f"{_named(names)}</definedNames></externalBook></externalLink>"
    ).encode()
    parts.added[_relations_of(part)] = (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{kind}" '
        f'Target={quoteattr(written)} TargetMode="External"/></Relationships>'
    ).encode()


def name_functions(parts: Parts, link: Link, names: Collection[str]) -> None:
    """List functions in a link that is there, those that it does not list yet."""
    xml = parts.text(link.part)
    known = {_said(match).get("name", "").upper() for match in _elements(xml, "definedName")}
    missing = [name for name in names if name not in known]
    if not missing:
        return
    listed = next(_elements(xml, "definedNames"), None)
    if listed is not None:
        parts.put(link.part, _with_child(xml, listed, _named(missing, listed["prefix"])))
        return
    book = _element(xml, "externalBook")
    sheets = next(_elements(xml, "sheetNames"), None)
    prefix = book["prefix"]
    new = f"<{prefix}definedNames>{_named(missing, prefix)}</{prefix}definedNames>"
    if sheets is None and book["empty"]:
        parts.put(link.part, _with_child(xml, book, new))
        return
    at = book.end() if sheets is None else _end(xml, sheets)
    parts.put(link.part, xml[:at] + new + xml[at:])


def drop_links(parts: Parts, package: Package, dropped: Collection[Link]) -> None:
    """Take links away; the numbers in formulas are the caller's business."""
    kept = [link for link in links_of(package) if link not in dropped]
    book, rels = package.book_part, parts.archive.spelled(_relations_of(package.book_part))
    gone = {link.relation for link in dropped}
    xml = _without(parts.text(book), "externalReference", lambda match: _id(match) in gone)
    if not any(_elements(xml, "externalReference")):
        xml = _without(xml, "externalReferences", lambda _: True)
    parts.put(book, xml)
    gone -= {link.relation for link in kept}
    relations = parts.text(rels)
    parts.put(rels, _without(relations, "Relationship", lambda m: _said(m).get("Id") in gone))
    unused = {link.part for link in dropped} - {link.part for link in kept}
    paths = {f"/{part}".lower() for part in unused}
    types = parts.text(_TYPES)
    parts.put(
        _TYPES, _without(types, "Override", lambda m: _said(m).get("PartName", "").lower() in paths)
    )
    for part in unused:
        for name in (part, parts.archive.spelled(_relations_of(part))):
            parts.replaced.pop(name, None)
            if name in parts.archive.entries:
                parts.dropped.add(name)


def _relations_of(part: str) -> str:
    """Name of the part that holds a part's relationships."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _relations(parts: Parts, part: str) -> dict[str, str]:
    """Targets of a part's relationships by their ids, as written."""
    name = parts.archive.spelled(_relations_of(part))
    if name not in parts.archive.entries:
        return {}
    said = map(_said, _elements(parts.text(name), "Relationship"))
    return {one.get("Id", ""): one.get("Target", "") for one in said}


def _leads(parts: Parts, part: str) -> str:
    """Where a link leads; "" where it is no link to a workbook."""
    if part not in parts.archive.entries:
        return ""
    book = next(_elements(parts.text(part), "externalBook"), None)
    target = _relations(parts, part).get(_id(book), "") if book else ""
    return unquote(_FILE.sub("", target, count=1))


def _plain(path: str) -> str:
    """Path as two that are one are compared."""
    return re.sub(r"[/\\]+", "/", path).lower().strip("/")


def _relation_to(path: str, office: str) -> tuple[str, str]:
    """Type and target of the relation to a file."""
    written = path
    for letter in "% #":
        written = written.replace(letter, quote(letter))
    if not re.search(r"[/\\]", path):
        return _STARTUP, written
    kind = f"{office}/externalLinkPath"
    if re.match(r"[a-z][a-z0-9+.-]+://", path, re.IGNORECASE):
        return kind, path.replace(" ", "%20")
    if path.startswith("/"):
        return kind, f"file://{written}"
    if re.match(r"[A-Za-z]:|\\\\", path):
        return kind, f"file:///{written}"
    return kind, written.replace("\\", "/")


def _with_reference(xml: str, relation: str, office: str) -> str:
    """Workbook part with one more external link, in its place among the elements."""
    root, sheet = _element(xml, "workbook"), _element(xml, "sheet")
    own = re.search(r"([\w.-]+):id\s*=", sheet["attributes"])
    space = own[1] if own else "r"
    said = f'{space}:id="{relation}"'
    if f"xmlns:{space}=" not in root["attributes"]:
        said = f'xmlns:{space}="{office}" {said}'
    prefix = sheet["prefix"]
    new = f"<{prefix}externalReference {said}/>"
    listed = next(_elements(xml, "externalReferences"), None)
    if listed is not None:
        return _with_child(xml, listed, new)
    groups = next(_elements(xml, "functionGroups"), None)
    at = _end(xml, groups or _element(xml, "sheets"))
    return f"{xml[:at]}<{prefix}externalReferences>{new}</{prefix}externalReferences>{xml[at:]}"


def _named(names: Collection[str], prefix: str = "") -> str:
    return "".join(f"<{prefix}definedName name={quoteattr(name)}/>" for name in names)


def _related(xml: str, parent: str, child: str, said: str) -> str:
    """Part in which the element `parent` has one more child, under its own prefix."""
    match = _element(xml, parent)
    return _with_child(xml, match, f"<{match['prefix']}{child} {said}/>")


# --- elements ------------------------------------------------------------------------------------


def _elements(xml: str, name: str) -> Iterator[re.Match[str]]:
    """Start tags of the elements of a name, with their prefix and attributes; none in comments."""
    tag = rf"<(?P<name>(?P<prefix>{PREFIX}){name})(?P<attributes>{ATTRIBUTES})(?P<empty>/?)>"
    return re.finditer(tag, _clean(xml))


def _element(xml: str, name: str) -> re.Match[str]:
    """Start tag of the first element of a name, which must be there."""
    for match in _elements(xml, name):
        return match
    raise ValueError(f"an element {name} is missing")


def _clean(xml: str) -> str:
    """XML with blanks for its comments."""
    return _NO_MARKUP.sub(lambda found: " " * len(found[0]), xml) if "<!" in xml else xml


def _said(match: re.Match[str]) -> dict[str, str]:
    return attributes_of(match["attributes"])


def _id(match: re.Match[str]) -> str:
    """Relation that an element names."""
    return next((value for key, value in _said(match).items() if key.endswith(":id")), "")


def _close(xml: str, match: re.Match[str]) -> tuple[int, int]:
    """Where the end tag of an element begins and ends; the end of the start tag if it has none."""
    if match["empty"]:
        return match.end(), match.end()
    found = re.compile(rf"</{re.escape(match['name'])}\s*>").search(_clean(xml), match.end())
    if found is None:
        raise ValueError(f"its element {match['name']} has no end")
    return found.span()


def _end(xml: str, match: re.Match[str]) -> int:
    return _close(xml, match)[1]


def _with_child(xml: str, match: re.Match[str], child: str) -> str:
    """Put a child at the end of an element."""
    if not match["empty"]:
        at = _close(xml, match)[0]
        return xml[:at] + child + xml[at:]
    opened = match[0].removesuffix("/>").rstrip()
    return f"{xml[: match.start()]}{opened}>{child}</{match['name']}>{xml[match.end() :]}"


def _without(xml: str, name: str, gone: Callable[[re.Match[str]], bool]) -> str:
    """Take elements away, and no byte beside them."""
    for match in reversed(list(_elements(xml, name))):
        if gone(match):
            xml = xml[: match.start()] + xml[_end(xml, match) :]
    return xml
