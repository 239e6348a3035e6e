"""Help in the cell while a formula is typed: what Excel-DNA's IntelliSense add-in reads.

That add-in, free and separate, shows for VBA functions what it finds in a custom XML part of the
workbook that carries them, or in a file ``NAME.intellisense.xml`` beside it. Without it nothing
happens: the part is inert.
"""

import textwrap
import xml.etree.ElementTree as ET
from typing import Final

from xltoken.functions import FUNCTIONS, WorksheetFunction

NAMESPACE: Final = "http://schemas.excel-dna.net/intellisense/1.0"
"""Namespace by which the add-in knows the part."""
_LONGEST: Final = 150
"""Characters of a line: the add-in draws at most 1000 pixels and cuts what is wider."""
_LINE_END: Final = "\r\n"
"""What the add-in splits a description at."""


def part() -> bytes:
    """Write the help of every function; the same bytes every time."""
    root = ET.Element("IntelliSense", xmlns=NAMESPACE)
    listed = ET.SubElement(root, "FunctionInfo")
    for function in FUNCTIONS.values():
        element = ET.SubElement(
            listed, "Function", Name=function.name, Description=_description(function)
        )
        for name, told in zip(_names(function), (p.told for p in function.parameters), strict=True):
            ET.SubElement(element, "Argument", Name=name, Description=told)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _description(function: WorksheetFunction) -> str:
    """What it is for, and what it gives: that has the unit."""
    gives = textwrap.shorten(f"Result: {function.result}", _LONGEST, placeholder=" ...")
    return f"{function.summary}{_LINE_END}{gives}"


def _names(function: WorksheetFunction) -> list[str]:
    """Arguments as Excel shows them: brackets around what may be left out."""
    return [p.name if p.required else f"[{p.name}]" for p in function.parameters]
