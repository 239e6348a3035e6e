"""How a workbook shows a cell: its number format, and the words beside it."""

import functools
import html
import io
import math
import re
import zipfile
from typing import Any, Final

from xltoken.economics.discounting import FloatArray
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetxml import ErrorText, attributes_of

_STYLES_PART: Final = "xl/styles.xml"

# The formats that a file names by number only: ECMA-376, part 1, 18.8.30.
_BUILT_IN: Final = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm",
    37: "#,##0 ;(#,##0)", 38: "#,##0 ;[Red](#,##0)", 39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;[Red](#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mmss.0", 48: "##0.0E+0",
}  # fmt: skip


def format_of(package: Package, place: Place, values: FloatArray) -> str:
    """Return the number format of a cell; one that suits the values where it has none.

    Parameters
    ----------
    package : Package
        The book that shows the cell.
    place : Place
        The cell.
    values : ndarray
        Numbers to be shown.
    """
    found = _own_format(package, place)
    return found if found and found != "General" else _suiting(values)


def caption(package: Package, place: Place) -> str:
    """First text of the cells that stand without a gap to the left of a cell; empty without one."""
    sheet, row, column = place
    found = ""
    for left in range(column - 1, 0, -1):
        cell = package.cell(sheet, row, left)
        if cell is None or cell.value in (None, ""):
            break
        if isinstance(cell.value, str) and not isinstance(cell.value, ErrorText):
            found = cell.value.strip()
    return found


def _own_format(package: Package, place: Place) -> str:
    cell = package.cell(*place)
    if cell is None:
        return ""
    xml = package.sheets[place[0]].xml[cell.start : cell.end]
    head = xml.partition(b">")[0]
    style = attributes_of(head).get("s", "0")
    formats = _formats(package.content)
    return formats[int(style)] if style.isdigit() and int(style) < len(formats) else ""


@functools.lru_cache(maxsize=2)
def _formats(content: bytes) -> list[str]:
    """Number format of each cell style of a file; empty where it has none that we can read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if _STYLES_PART not in archive.namelist():
            return []
        xml = archive.read(_STYLES_PART).decode("utf-8", "replace")
    own: dict[str, str] = {}
    for tag in re.findall(r"<(?:\w+:)?numFmt(\s[^>]*?)/?>", xml):
        written: dict[str, Any] = attributes_of(tag)
        own[written.get("numFmtId", "")] = html.unescape(written.get("formatCode", ""))
    used = re.search(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", xml, re.DOTALL)
    if used is None:
        return []
    found = []
    for tag in re.findall(r"<(?:\w+:)?xf(\s[^>]*?)/?>", used[0]):
        number = attributes_of(tag).get("numFmtId", "0")
        built_in = _BUILT_IN.get(int(number), "") if number.isdigit() else ""
        found.append(own.get(number) or built_in)
    return found


def _suiting(values: FloatArray) -> str:
    """Format with about four significant digits of the largest value."""
    largest = (
        max((abs(float(value)) for value in (values.min(), values.max())), default=0.0)
        if (len(values))
        else 0.0
    )
    if largest == 0 or largest >= 1e15 or largest < 1e-6:
        return "General" if largest else "0"
    if all(float(value).is_integer() for value in values[:1000]):
        return "#,##0"
    if largest >= 1000:
        return "#,##0"
    return "0." + "0" * min(8, 3 - math.floor(math.log10(largest)))
