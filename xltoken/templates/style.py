"""How every template looks: named styles, sheet frames, and the small things a reader relies on."""

from collections.abc import Iterable
from typing import Any, Final

from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from xltoken.recalc import result_pages as pages

# One look for every book, templates and results alike.
FONT: Final = pages.FONT
INK: Final = pages.INK
ACCENT: Final = pages.ACCENT
MUTED: Final = pages.MUTED
SHARE: Final = pages.SHARE
SECOND: Final = "B45309"

USD: Final = '#,##0;(#,##0);"-"'
UNIT_COST: Final = "0.0000"
DATE: Final = "d mmm yyyy"
MONTH: Final = "mmm yy"
VOLUME: Final = "#,##0"

_THIN: Final = Side(style="thin", color="C9CFD6")
_DASHED: Final = Side(style="dashed", color="8A6D00")
_BOX: Final = Border(left=_DASHED, right=_DASHED, top=_DASHED, bottom=_DASHED)
_MIDDLE: Final = Alignment(vertical="center")
_TOP: Final = Border(top=Side(style="thin", color=INK))


def _font(**options: Any) -> Font:
    return Font(**{"name": FONT, "size": 10, "color": INK, **options})


# Never colour alone: inputs have a dashed box, outputs are bold, links are italic.
STYLES: Final[dict[str, dict[str, Any]]] = {
    "x_title": {"font": _font(size=18, bold=True, color=ACCENT)},
    "x_subtitle": {"font": _font(size=10, italic=True, color=MUTED)},
    "x_heading": {
        "font": _font(bold=True, color="FFFFFF"),
        "fill": PatternFill("solid", fgColor=ACCENT),
        "alignment": Alignment(vertical="center", wrap_text=True),
    },
    "x_section": {"font": _font(size=12, bold=True, color=ACCENT)},
    "x_label": {"font": _font(), "alignment": Alignment(vertical="center")},
    "x_text": {"font": _font(), "alignment": Alignment(vertical="top", wrap_text=True)},
    "x_unit": {"font": _font(color=MUTED), "alignment": Alignment(vertical="center")},
    "x_input": {
        "alignment": _MIDDLE,
        "font": _font(color="0000C8"),
        "fill": PatternFill("solid", fgColor="FFF9DB"),
        "border": _BOX,
    },
    "x_calculation": {
        "font": _font(),
        "alignment": _MIDDLE,
        "border": Border(bottom=_THIN),
    },
    "x_link": {
        "font": _font(italic=True, color="1B6B3A"),
        "alignment": _MIDDLE,
        "border": Border(bottom=_THIN),
    },
    "x_output": {
        "alignment": _MIDDLE,
        "font": _font(bold=True),
        "fill": PatternFill("solid", fgColor="E6EEF7"),
        "border": _TOP,
    },
    "x_answer": {
        "font": _font(size=14, bold=True, color=ACCENT),
        "fill": PatternFill("solid", fgColor="E6EEF7"),
        "alignment": Alignment(horizontal="right", vertical="center"),
    },
    "x_check": {
        "font": _font(bold=True),
        "fill": PatternFill("solid", fgColor="EDEFF2"),
        "alignment": Alignment(horizontal="center", vertical="center"),
    },
}
STYLE_KEY: Final = (
    ("x_input", "Input: dashed box, blue. Change it."),
    ("x_calculation", "Calculation: black. Do not type over it."),
    ("x_link", "Link to another sheet: italic."),
    ("x_output", "Output: bold."),
    ("x_check", "Check: OK, or CHECK with the reason on the sheet Checks."),
)


def add_styles(book: Workbook) -> None:
    """Register the named styles."""
    for name, parts in STYLES.items():
        book.add_named_style(NamedStyle(name=name, **parts))


def put(
    sheet: Worksheet, place: str, value: Any, style: str, number_format: str | None = None
) -> None:
    """Write a value or formula with its named style."""
    cell = sheet[place]
    cell.value = value
    cell.style = style
    if number_format:
        cell.number_format = number_format


def heading(sheet: Worksheet, row: int, titles: Iterable[str], right: str = "") -> None:
    """Write a header row; the columns named in `right` stand over numbers."""
    for column, title in enumerate(titles, 1):
        letter = get_column_letter(column)
        put(sheet, f"{letter}{row}", title or None, "x_heading")
        if letter in right:
            alignment = Alignment(horizontal="right", vertical="center", wrap_text=True)
            sheet[f"{letter}{row}"].alignment = alignment


def frame(
    sheet: Worksheet,
    title: str,
    subtitle: str,
    widths: Iterable[float],
    *,
    freeze: str,
    master: str,
    repeat_rows: str,
    check: str,
    pages_wide: int = 1,
    pages_high: int = 0,
    columns_repeated: str = "",
) -> None:
    """Give a sheet its title, the master check in its frozen area, and its page set-up.

    Parameters
    ----------
    master : str
        Cell in the frozen area that shows the master check.
    check : str
        Formula of that cell.
    pages_wide, pages_high : int
        Printed pages; 0 for as many as needed.
    """
    put(sheet, "A1", title, "x_title")
    put(sheet, "A2", subtitle, "x_subtitle")
    sheet.row_dimensions[1].height = 28
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    put(sheet, master, check, "x_check")
    mark_failures(sheet, master)
    sheet.freeze_panes = freeze
    sheet.sheet_view.showGridLines = False
    sheet.sheet_view.zoomScale = 90
    page = sheet.page_setup
    page.orientation, page.paperSize = "landscape", sheet.PAPERSIZE_A4
    page.fitToWidth, page.fitToHeight = pages_wide, pages_high
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = repeat_rows
    if columns_repeated:
        sheet.print_title_cols = columns_repeated
    margins: Any = sheet
    margins.oddHeader.left.text = "&A"
    margins.oddHeader.right.text = "xltoken"
    margins.oddFooter.left.text = "&F"
    margins.oddFooter.right.text = "Page &P of &N"


def mark_failures(sheet: Worksheet, area: str) -> None:
    """Fill a failing check, which also says 0 or CHECK: never by colour alone."""
    corner = area.partition(":")[0]
    rule = FormulaRule(  # type: ignore[no-untyped-call]
        formula=[f'OR({corner}=0,{corner}="CHECK")'],
        fill=PatternFill("solid", bgColor="F8D7DA"),
        font=Font(bold=True, color="9B1C1C"),
    )
    sheet.conditional_formatting.add(area, rule)


def name(book: Workbook, defined: str, sheet: str, place: str) -> None:
    """Define a workbook-wide name for a cell or range, absolute."""
    corners = [part.lstrip("$") for part in place.split(":")]
    fixed = ":".join(
        "$" + part.rstrip("0123456789") + "$" + part.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        for part in corners
    )
    book.defined_names[defined] = DefinedName(defined, attr_text=f"'{sheet}'!{fixed}")


def validate(
    sheet: Worksheet,
    place: str,
    label: str,
    allowed: str,
    **rule: Any,
) -> None:
    """Allow only what a cell may hold, with a prompt and an error text."""
    check = DataValidation(
        allow_blank=rule.pop("allow_blank", False),
        showInputMessage=True,
        showErrorMessage=True,
        promptTitle=label[:32],
        prompt=f"Allowed: {allowed}"[:255],
        errorTitle=label[:32],
        error=f"Allowed: {allowed}"[:255],
        **rule,
    )
    sheet.add_data_validation(check)
    check.add(place)


def validate_text(sheet: Worksheet, place: str, label: str, longest: int) -> None:
    """Allow a text up to so many characters, or nothing."""
    validate(
        sheet, place, label, f"any text up to {longest} characters", allow_blank=True,
        type="textLength", operator="between", formula1="0", formula2=str(longest),
    )  # fmt: skip


def validate_date(sheet: Worksheet, place: str, label: str, *, blank: bool = False) -> None:
    """Allow a date of this century up to 2099."""
    validate(
        sheet, place, label, "a date from 2020 to 2099", allow_blank=blank,
        type="date", operator="between", formula1="43831", formula2="73050",
    )  # fmt: skip


def dress_chart(chart: Any, title: str, x_title: str, y_title: str, number_format: str) -> None:
    """Give a chart its titles, units and visible axes."""
    chart.title = title
    chart.x_axis.title, chart.y_axis.title = x_title, y_title
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = number_format
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="DDE2E8"))
    chart.legend.position = "b"
