"""Every formula of a workbook that calls our functions or uses an external link, where it stands.

Cells keep formulas, and so do names, conditional formats, validations, columns of tables, charts,
buttons and controls; each is found as XML writes it, so that nothing beside it need change.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from xltoken.functions import FUNCTIONS
from xltoken.recalc.links import ATTRIBUTES, PREFIX, Parts, content_types
from xltoken.recalc.package import Package
from xltoken.recalc.sheetxml import attributes_of
from xltoken.recalc.spelling import Mention, Spelling, edited, escaped_mentions


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that calls us or uses a link: its part, its place there, and its text as XML."""

    part: str
    start: int
    end: int
    xml: str
    mentions: list[Mention]
    kind: str
    sheet: str = ""
    where: str = ""

    @property
    def calls(self) -> int:
        """Calls of our functions."""
        return sum(bool(one.name) for one in self.mentions)

    @property
    def at(self) -> str:
        """Where it stands, for a message."""
        return f"{self.sheet}!{self.where}" if self.sheet else self.where

    def spelled(self, spelling: Spelling, numbers: Mapping[int, int]) -> str:
        """Text as XML with everything in its new spelling."""
        return edited(self.xml, self.mentions, spelling, numbers)


_CORE: Final = ("sheet+xml", ".table+xml")
"""Types of parts whose formulas may call functions, beside the workbook part."""
_POINTING: Final = (
    "chart+xml", "chartex+xml", "drawing+xml", "chartshapes+xml", "vmlDrawing",
    "controlproperties+xml",
)  # fmt: skip
"""Types of parts that may only refer to cells, names and macros, here or in other workbooks."""
_PIECE: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
    rf"|<(?P<prefix>{PREFIX})(?:"
    r"(?P<text>f|formula[12]?|calculatedColumnFormula|totalsRowFormula|definedName|sqref|Fmla\w+)"
    r"|(?P<said>cfvo|controlPr|formControlPr|oleObject|sp|pic|graphicFrame|cxnSp)"
    r"|(?P<holder>conditionalFormatting|dataValidation|sparkline|tableColumn))"
    rf"(?P<attributes>{ATTRIBUTES})(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    r"""(?P<name>[\w:.-]+)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')"""
)
_SAID: Final = re.compile(r"val|link|linkedCell|listFillRange|macro|textlink|fmla\w+")
_TELLING: Final = re.compile(r"[(\[]|&#")
"""Something without which there is no call and no link."""
_SQREF: Final = re.compile(rf"<{PREFIX}sqref>([^<]*)<")
_TABLE: Final = re.compile(rf"<{PREFIX}table({ATTRIBUTES})>")
_KINDS: Final = {
    "conditionalFormatting": "conditional format", "dataValidation": "validation",
    "sparkline": "sparkline", "tableColumn": "table column", "formula": "conditional format",
    "formula1": "validation", "formula2": "validation", "definedName": "name",
}  # fmt: skip


def formulas_of(package: Package, parts: Parts, *, with_links: bool) -> Iterator[Formula]:
    """Every formula with a call of ours or an external link, part by part, in their order."""
    types = content_types(parts)
    kinds = _CORE + _POINTING if with_links else _CORE
    for part in package.archive.names:
        if part == package.book_part or types[part].endswith(kinds):
            yield from _of_part(package, part, parts.text(part))


def hidden_names(parts: Parts, book: str) -> set[str]:
    """Our functions that the book hides behind a defined name of its own.

    Excel keeps a name for every function of VBA whose help is registered; those hide nothing.
    """
    found = set()
    for tag in _PIECE.finditer(parts.text(book)):
        if tag["text"] == "definedName":
            said = attributes_of(tag["attributes"])
            name = said.get("name", "").upper()
            function = {said.get(key) for key in ("function", "vbProcedure", "xlm")}
            if name in FUNCTIONS and function.isdisjoint({"1", "true"}):
                found.add(name)
    return found


def _of_part(package: Package, part: str, xml: str) -> Iterator[Formula]:
    holder: re.Match[str] | None = None
    for tag in _PIECE.finditer(xml):
        if tag["holder"]:
            holder = tag
        for start, end in _spans(xml, tag):
            text = xml[start:end]
            mentions = escaped_mentions(text) if _TELLING.search(text) else []
            if mentions:
                yield Formula(
                    part, start, end, text, mentions, *_place(package, part, xml, tag, holder)
                )


def _spans(xml: str, tag: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Where the formulas of an element begin and end: its text, or some of its attributes."""
    if tag["said"]:
        first = tag.start("attributes")
        for said in _ATTRIBUTE.finditer(tag["attributes"]):
            if _SAID.fullmatch(said["name"]):
                start, end = said.span("single" if said["double"] is None else "double")
                yield first + start, first + end
    elif tag["text"] and not tag["empty"]:
        end = xml.find("<", tag.end())
        if xml.startswith(("<!", "<?"), end):
            raise ValueError("a formula is written in a way that is not understood")
        if xml.startswith("</", end) and attributes_of(tag["attributes"]).get("t") != "dataTable":
            yield tag.end(), end


def _place(
    package: Package, part: str, xml: str, tag: re.Match[str], holder: re.Match[str] | None
) -> tuple[str, str, str]:
    """Kind, sheet and place of a formula, as a reader is told."""
    said = attributes_of(tag["attributes"])
    sheet = next((one.name for one in package.sheets.values() if one.part == part), "")
    if tag["text"] == "definedName":
        return "name", "", said.get("name", "")
    around = attributes_of(holder["attributes"]) if holder else {}
    if holder and holder["holder"] == "tableColumn":
        table = _TABLE.search(xml)
        named = attributes_of(table[1]).get("displayName", "") if table else ""
        known = package.tables.get(named.casefold())
        return "table column", known.sheet if known else "", f"{named}[{around.get('name', '')}]"
    if not sheet:
        return "other part", "", part
    if tag["text"] == "f" and holder is None:
        start = max(xml.rfind(f"<{tag['prefix']}c ", 0, tag.start()), 0)
        cell = xml[start : tag.start()]
        own = attributes_of(cell).get("r", "") if cell.count("<") == 1 else ""
        return "cell", sheet, said.get("ref", own)
    where = around.get("sqref")
    if where is None:
        behind = _SQREF.search(xml, tag.end())
        where = behind[1] if behind else ""
    kind = _KINDS.get(tag["text"] or "") or (_KINDS[holder["holder"]] if holder else "control")
    return kind, sheet, where
