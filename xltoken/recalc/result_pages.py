"""Sheets of a result workbook: their look, and rows written from the top.

Written row by row, so that a million samples need little memory.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES, ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

from xltoken.catalog import store
from xltoken.recalc.sheetxml import ErrorText, Value

FONT: Final = "Calibri"
INK: Final = "1F2A37"
ACCENT: Final = "1F4E79"
MUTED: Final = "5B6573"
SHARE: Final = "0.0%"
COUNT: Final = "#,##0"

LABEL_WIDTH: Final = 30.0
NUMBER_WIDTH: Final = 15.0
_LONG: Final = 18
"""Letters of a title beyond which it takes two lines."""


def _font(**options: Any) -> Font:
    return Font(**{"name": FONT, "size": 10, "color": INK, **options})


STYLES: Final[dict[str, dict[str, Any]]] = {
    "r_title": {"font": _font(size=18, bold=True, color=ACCENT)},
    "r_stamp": {"font": _font(italic=True, color=MUTED)},
    "r_section": {"font": _font(size=12, bold=True, color=ACCENT)},
    "r_heading": {
        "font": _font(bold=True, color="FFFFFF"),
        "fill": PatternFill("solid", fgColor=ACCENT),
        "alignment": Alignment(vertical="center", wrap_text=True),
    },
    "r_number_heading": {
        "font": _font(bold=True, color="FFFFFF"),
        "fill": PatternFill("solid", fgColor=ACCENT),
        "alignment": Alignment(horizontal="right", vertical="center", wrap_text=True),
    },
    "r_label": {"font": _font(), "border": Border(bottom=Side(style="thin", color="E3E7EB"))},
    "r_value": {
        "font": _font(),
        "alignment": Alignment(horizontal="right"),
        "border": Border(bottom=Side(style="thin", color="E3E7EB")),
    },
    "r_answer": {
        "font": _font(bold=True),
        "fill": PatternFill("solid", fgColor="E6EEF7"),
        "alignment": Alignment(horizontal="right"),
    },
    "r_answer_label": {"font": _font(bold=True), "fill": PatternFill("solid", fgColor="E6EEF7")},
    "r_note": {"font": _font(color=MUTED)},
    "r_plain": {"font": _font()},
}

Written = tuple[Value, str, str]
"""Value, style and number format of a cell."""


def timeless(content: bytes) -> bytes:
    """Archive without the clock: the catalog's date stands for the time of making."""
    stamp = f"{store.current().date.isoformat()}T00:00:00Z".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as out:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            still = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
            still.compress_type = zipfile.ZIP_DEFLATED
            still.external_attr = 0o644 << 16
            out.writestr(still, data)
    return buffer.getvalue()


class Page:
    """A sheet that is written from the top, row by row."""

    def __init__(self, book: Any, title: str, widths: Sequence[float], freeze: str = "") -> None:
        self.sheet = book.create_sheet(title)
        self.row = 0
        for number, width in enumerate(widths, 1):
            self.sheet.column_dimensions[get_column_letter(number)].width = width
        if freeze:
            self.sheet.freeze_panes = freeze
        self.sheet.sheet_view.showGridLines = False
        page = self.sheet.page_setup
        page.orientation, page.paperSize = "landscape", 9
        page.fitToWidth, page.fitToHeight = 1, 0
        self.sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)

    def add(self, *cells: Written) -> int:
        """Write a row; gives its number."""
        self.row += 1
        self.sheet.append([self._cell(*cell) for cell in cells])
        return self.row

    def title(self, text: str, stamp: str) -> None:
        """Write the title and what made the sheet."""
        self.sheet.row_dimensions[1].height = 28
        self.add((text, "r_title", ""))
        self.add((stamp, "r_stamp", ""))

    def section(self, text: str) -> None:
        """Leave a row free and write the title of a part."""
        self.add()
        self.add((text, "r_section", ""))

    def heads(self, texts: Sequence[str], right: int) -> int:
        """Write a header row; those from number `right` on stand over numbers."""
        if any(len(text) > _LONG for text in texts[1:]):
            self.sheet.row_dimensions[self.row + 1].height = 28
        styles = ["r_heading" if at < right else "r_number_heading" for at in range(len(texts))]
        return self.add(*((text, style, "") for text, style in zip(texts, styles, strict=True)))

    def block(self, titles: Sequence[str], rows: Iterable[Sequence[Value]], formats: list[str],
              name: str, count: int) -> None:  # fmt: skip
        """Write a table with a filter, its columns in these formats, as fast as it goes."""
        first = self.heads(titles, 1)
        cells = [self._cell(None, "r_plain", number_format) for number_format in formats]
        for row in rows:
            for cell, value in zip(cells, row, strict=True):
                _put(cell, value)
            self.row += 1
            self.sheet.append(cells)
        area = f"A{first}:{get_column_letter(len(titles))}{first + count}"
        made: Any = Table(displayName=name, ref=area)
        made.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
        made.autoFilter = AutoFilter(ref=area)
        made.tableColumns = [
            TableColumn(id=number, name=_clean(title)) for number, title in enumerate(titles, 1)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for the columns, which stand there
            self.sheet.add_table(made)

    def _cell(self, value: Value, style: str, number_format: str) -> Any:
        cell: Any = WriteOnlyCell(self.sheet)
        cell.style = style
        if number_format:
            cell.number_format = number_format
        _put(cell, value)
        return cell


def _put(cell: Any, value: Value) -> None:
    """Value into a cell: a text is a text, whatever it begins with."""
    if isinstance(value, str):
        cell.value = _clean(value)
        error = isinstance(value, ErrorText) and value in ERROR_CODES
        cell.data_type = "e" if error else "s"
    else:
        cell.value = value


def _clean(text: str) -> str:
    return str(ILLEGAL_CHARACTERS_RE.sub("�", text))[:32_767]
