"""References to tables, such as ``Sales[[#This Row],[Amount]]``, written as plain ranges.

The engine does not know a file's tables; its copy of a formula names cells instead.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xltoken.recalc.sheetxml import ErrorText, attributes_of, column_letters, corners

REF: Final = ErrorText("#REF!")
VALUE: Final = ErrorText("#VALUE!")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a sheet: its area, its columns, and which rows are header and totals."""

    name: str
    sheet: str
    first: tuple[int, int]
    last: tuple[int, int]
    columns: tuple[str, ...]
    header_rows: int
    totals_rows: int

    def rows(self, item: str) -> tuple[int, int] | None:
        """First and last row of an item; None where the table has none of it."""
        top, bottom = self.first[0], self.last[0]
        if item == "#headers":
            return (top, top) if self.header_rows else None
        if item == "#totals":
            return (bottom, bottom) if self.totals_rows else None
        if item == "#all":
            return top, bottom
        data = top + self.header_rows, bottom - self.totals_rows
        return data if data[0] <= data[1] else None


def table_of(sheet: str, xml: bytes) -> Table | None:
    """Table that a table part describes; None if it describes none."""
    text = xml.decode("utf-8")
    opened = re.search(r"<(?:[A-Za-z_][\w.-]*:)?table(\s[^>]*)>", text)
    if opened is None:
        return None
    said = attributes_of(opened[1])
    box = corners(said.get("ref", ""))
    if box is None:
        return None
    names = [
        html.unescape(attributes_of(match[1]).get("name", ""))
        for match in re.finditer(r"<(?:[A-Za-z_][\w.-]*:)?tableColumn(\s[^>]*?)/?>", text)
    ]
    columns = tuple(re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), n) for n in names)
    name = said.get("displayName") or said.get("name", "")
    header, totals = int(said.get("headerRowCount", 1)), int(said.get("totalsRowCount", 0))
    return Table(name, sheet, *box, columns, header, totals)


def resolved(formula: str, tables: Mapping[str, Table], sheet: str, row: int, column: int) -> str:
    """Formula with every reference to a table of `tables` (by case-folded name) as a range.

    `sheet`, `row` and `column` are where the formula stands: what ``#This Row`` and a column
    without a table's name mean.
    """
    pieces: list[str] = []
    end = 0
    for match in _TOKEN.finditer(formula):
        if match.start() < end or match["name"] is None:
            continue
        name, start = match["name"], match.end()
        bracket = formula[start : start + 1] == "["
        if formula[start : start + 1] in ("(", "!"):
            continue
        if name == "":
            table = _around(tables, sheet, row, column) if bracket else None
        else:
            table = tables.get(name.casefold())
        if table is None:
            continue
        stop = _closing(formula, start) if bracket else start
        if stop is None:
            continue
        inside = formula[start + 1 : stop - 1] if bracket else ""
        pieces.append(formula[end : match.start()])
        pieces.append(_range(table, inside, sheet, row))
        end = stop
    pieces.append(formula[end:])
    return "".join(pieces)


_TOKEN: Final = re.compile(
    r'"(?:[^"]|"")*"'
    r"|'(?:[^']|'')*'!?"
    r"|\[\d+\][^\s!]*!"
    r"|(?<![\w.\\$])(?P<name>[A-Za-z_\\][\w.\\]*|(?=\[))"
)
_ITEMS: Final = {
    "#all": ("#all",), "#data": ("#data",), "#headers": ("#headers",), "#totals": ("#totals",),
    "#this row": ("#row",), "@": ("#row",),
}  # fmt: skip


def _around(tables: Mapping[str, Table], sheet: str, row: int, column: int) -> Table | None:
    return next(
        (
            table
            for table in tables.values()
            if table.sheet == sheet
            and table.first[0] <= row <= table.last[0]
            and table.first[1] <= column <= table.last[1]
        ),
        None,
    )


def _closing(formula: str, start: int) -> int | None:
    """Place after the bracket that closes the one at `start`; None if there is none."""
    depth = 0
    at = start
    while at < len(formula):
        letter = formula[at]
        if letter == "'":
            at += 1  # the next letter is itself
        elif letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return None


def _range(table: Table, inside: str, sheet: str, row: int) -> str:
    items, columns = _specified(inside)
    if columns is None:
        first, last = 0, len(table.columns) - 1
    else:
        known = [name.casefold() for name in table.columns]
        if any(name.casefold() not in known for name in columns):
            return REF
        places = sorted(known.index(name.casefold()) for name in columns)
        first, last = places[0], places[-1]
    if "#row" in items:
        data = table.rows("#data")
        if sheet != table.sheet or data is None or not data[0] <= row <= data[1]:
            return VALUE
        spans = [(row, row)]
    else:
        found = [table.rows(item) for item in items or ("#data",)]
        spans = [span for span in found if span is not None]
        if not spans:
            return REF
    top, bottom = min(span[0] for span in spans), max(span[1] for span in spans)
    left, right = table.first[1] + first, table.first[1] + last
    quoted = table.sheet.replace("'", "''")
    corner = f"${column_letters(left)}${top}"
    if (top, left) == (bottom, right):
        return f"'{quoted}'!{corner}"
    return f"'{quoted}'!{corner}:${column_letters(right)}${bottom}"


def _specified(inside: str) -> tuple[list[str], list[str] | None]:
    """Items and columns (None: all) that the text between a reference's brackets names."""
    text = inside.strip()
    items: list[str] = []
    columns: list[str] | None = None
    if text.startswith("@"):
        items.append("#row")
        text = text[1:].strip()
    if not text:
        return items, columns
    if not text.startswith("["):
        known = _ITEMS.get(text.casefold())
        if known:
            return [*items, *known], None
        return items, [_plain(text)]
    for part in re.findall(r"\[((?:'.|[^\]'])*)\]", text):
        known = _ITEMS.get(part.strip().casefold())
        if known:
            items.extend(known)
        else:
            columns = [*(columns or []), _plain(part)]
    return items, columns


def _plain(name: str) -> str:
    """Column's name without the marks before special letters."""
    return re.sub(r"'(.)", r"\1", name)
