"""Sheet Calculations: one row a formula, one column a month."""

from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xltoken.templates import style as s
from xltoken.templates.token_budget.layout import (
    COST,
    DIFFERENCE,
    FIRST,
    FLAT,
    LAST,
    MASTER,
    MONTHS,
    NPV,
    NPV_FLAT,
    PV,
    PV_FLAT,
    SPEND,
    SPEND_FLAT,
    TABLE_ROW,
    VOLUME,
    WORKLOADS,
)


def calculations(book: Workbook, sheet: Worksheet) -> None:
    """Draw the time axis, volumes, unit costs, costs and present values."""
    s.frame(
        sheet, "Calculations", "One row a formula, one column a month.",
        (34, 24, 14, 17, *[12] * MONTHS), freeze="E8", master="B3",
        check=MASTER, repeat_rows="1:7", columns_repeated="A:D",
        pages_wide=5,
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    s.heading(sheet, 4, ("Line", "Unit", "Constant", "Total", *[""] * MONTHS), "CD")
    _row(sheet, 5, "Month number", "months", "=D5+1", "0", first="=1")
    _row(sheet, 6, "Year of the budget", "years", f"=ROUNDUP({letter(FIRST)}$5/12,0)", "0")
    _row(sheet, 7, "Month", "first day", f"=EDATE(start,{letter(FIRST)}$5-1)", s.MONTH)
    s.put(sheet, "C9", "=INDEX(months_earlier,MATCH(timing,timings,0))", "x_calculation", "0.0")
    _row(sheet, 9, "Discount factor", "USD today per USD",
         "=(1+discount_rate)^(-(E$5-$C9)/12)", "0.0000")  # fmt: skip

    _section(sheet, VOLUME - 1, "Volume")
    _section(sheet, COST - 1, "Unit cost, declining")
    _section(sheet, FLAT - 1, "Unit cost, flat: the first month's, held")
    _section(sheet, SPEND - 1, "Cost, unit costs declining")
    _section(sheet, SPEND_FLAT - 1, "Cost, flat line")
    for i in range(len(WORKLOADS)):
        inputs = TABLE_ROW + i
        label = f"=Inputs!$A${inputs}"
        volume, cost, flat = VOLUME + i, COST + i, FLAT + i
        s.put(sheet, f"C{volume}", f"=Inputs!$D{inputs}", "x_link", s.VOLUME)
        _row(sheet, volume, label, "M tokens", f"=$C{volume}*(1+Inputs!$E{inputs})^((E$5-1)/12)",
             s.VOLUME, total=True)  # fmt: skip
        _row(sheet, cost, label, "USD per 1M tokens",
             f"=TOKEN_COST(Inputs!$C{inputs},E$7,Inputs!$B{inputs},assumptions)",
             s.UNIT_COST)  # fmt: skip
        _row(sheet, flat, label, "USD per 1M tokens", f"=$E{cost}", s.UNIT_COST)
        _row(sheet, SPEND + i, label, "USD", f"=E{volume}*E{cost}", s.USD, total=True)
        _row(sheet, SPEND_FLAT + i, label, "USD", f"=E{volume}*E{flat}", s.USD, total=True)
        for row, rates, what in ((NPV, cost, "declining"), (NPV_FLAT, flat, "flat")):
            function = "NPV_DECLINING" if what == "declining" else "NPV_STATIC"
            zeros = ",0,0,0,0" if what == "declining" else ",0,0"
            paths = f"$E{volume}:${letter(LAST)}{volume},$E{rates}:${letter(LAST)}{rates}"
            s.put(sheet, f"A{row + i}", label, "x_link")
            s.put(sheet, f"B{row + i}", "USD today", "x_unit")
            s.put(sheet, f"D{row + i}", f"={function}(discount_rate,{paths}{zeros},assumptions)",
                  "x_calculation", s.USD)  # fmt: skip
    last = len(WORKLOADS) - 1
    for start in (SPEND, SPEND_FLAT):
        _row(sheet, start + last + 1, "Total", "USD", f"=SUM(E{start}:E{start + last})", s.USD,
             total=True, style="x_output")  # fmt: skip
    total, total_flat = SPEND + last + 1, SPEND_FLAT + last + 1
    _row(sheet, DIFFERENCE, "Flat line less declining", "USD", f"=E{total_flat}-E{total}", s.USD,
         total=True, style="x_output")  # fmt: skip
    _row(sheet, PV, "Present value, declining", "USD today", f"=-E{total}*E$9", s.USD, total=True)
    _row(sheet, PV_FLAT, "Present value, flat", "USD today", f"=-E{total_flat}*E$9", s.USD,
         total=True)  # fmt: skip
    for row, title in ((NPV, "Net present value by function, declining"),
                       (NPV_FLAT, "Net present value by function, flat")):  # fmt: skip
        _section(sheet, row - 1, title)
        end = row + last
        s.put(sheet, f"A{end + 1}", "Total", "x_label")
        s.put(sheet, f"B{end + 1}", "USD today", "x_unit")
        s.put(sheet, f"D{end + 1}", f"=SUM(D{row}:D{end})", "x_output", s.USD)
    s.name(book, "cost_declining", "Calculations", f"D{total}")
    s.name(book, "cost_flat", "Calculations", f"D{total_flat}")
    s.name(book, "cost_difference", "Calculations", f"D{DIFFERENCE}")
    s.name(book, "value_declining", "Calculations", f"D{NPV + last + 1}")
    s.name(book, "value_flat", "Calculations", f"D{NPV_FLAT + last + 1}")
    s.name(book, "value_difference", "Outputs", "C24")


def _row(
    sheet: Worksheet, row: int, label: str, unit: str, formula: str, shown: str, *,
    first: str = "", total: bool = False, style: str = "x_calculation",
) -> None:  # fmt: skip
    """One formula over all months; `formula` is that of the first period, copied to the right."""
    s.put(sheet, f"A{row}", label, "x_link" if label.startswith("=") else "x_label")
    s.put(sheet, f"B{row}", unit, "x_unit")
    origin = f"{letter(FIRST)}{row}"
    for column in range(FIRST, LAST + 1):
        place = f"{letter(column)}{row}"
        text = Translator(formula, origin).translate_formula(place)
        s.put(sheet, place, first if first and column == FIRST else text, style, shown)
    if total:
        s.put(sheet, f"D{row}", f"=SUM(E{row}:{letter(LAST)}{row})", "x_output", shown)


def _section(sheet: Worksheet, row: int, title: str) -> None:
    s.put(sheet, f"A{row}", title, "x_section")
