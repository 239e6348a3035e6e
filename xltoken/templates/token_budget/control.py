"""Sheets Checks, Sources and Changes: what makes the budget auditable."""

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import xltoken
from xltoken.catalog import store
from xltoken.templates import style as s
from xltoken.templates.token_budget.layout import (
    COST,
    FIELDS,
    FLAT,
    LAST,
    MASTER,
    PV,
    PV_FLAT,
    SOURCE_ROW,
    TABLE_ROW,
    VOLUME,
    WORKLOADS,
)


def checks(book: Workbook, sheet: Worksheet) -> None:
    """Draw the relations that must hold, and the master check."""
    s.frame(
        sheet, "Checks", "Each relation that must hold. One that fails turns every sheet's mark to "
        "CHECK.", (62, 20, 20, 14, 12), freeze="A6", master="B3",
        check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    s.heading(sheet, 5, ("Check", "One side", "Other side", "Tolerance", "Pass"), "BCD")
    last = len(WORKLOADS) - 1
    end = letter(LAST)
    volumes = f"Calculations!$E{VOLUME}:${end}{VOLUME + last}"
    costs = f"Calculations!$E{COST}:${end}{COST + last}"
    flats = f"Calculations!$E{FLAT}:${end}{FLAT + last}"
    inputs = f"Inputs!$D{TABLE_ROW}:$D{TABLE_ROW + last}"
    growth = f"Inputs!$E{TABLE_ROW}:$E{TABLE_ROW + last}"
    years = 7 + last + 1
    checks = (
        ("Present value by function equals the discount-factor row, declining",
         "=value_declining", f"=Calculations!$D{PV}", s.USD),
        ("Present value by function equals the discount-factor row, flat",
         "=value_flat", f"=Calculations!$D{PV_FLAT}", s.USD),
        ("Worth of the decline is the difference of the two", "=value_difference",
         "=value_declining-value_flat", s.USD),
        ("Volume times unit cost is the total, declining",
         f"=SUMPRODUCT({volumes},{costs})", "=cost_declining", s.USD),
        ("Volume times unit cost is the total, flat",
         f"=SUMPRODUCT({volumes},{flats})", "=cost_flat", s.USD),
        ("Years add up to the total, declining", f"=Outputs!$H{years}", "=cost_declining", s.USD),
        ("Years add up to the total, flat", f"=Outputs!$H{years + 1}", "=cost_flat", s.USD),
        ("Workloads by year add up to the total", f"=SUM(Outputs!$C7:$G{7 + last})",
         "=cost_declining", s.USD),
        ("Workloads add up to the total, declining", f"=Outputs!$F{16 + last + 1}",
         "=cost_declining", s.USD),
        ("Workloads add up to the total, flat", f"=Outputs!$G{16 + last + 1}", "=cost_flat", s.USD),
        ("Difference is flat less declining", "=cost_flat-cost_declining", "=cost_difference",
         s.USD),
        ("First month's volumes are those of the inputs",
         f"=SUM(Calculations!$E{VOLUME}:$E{VOLUME + last})", f"=SUM({inputs})", s.VOLUME),
        ("Last month's volumes are the inputs, grown",
         f"=SUM(Calculations!${end}{VOLUME}:${end}{VOLUME + last})",
         f"=SUMPRODUCT({inputs},(1+{growth})^((months_counted-1)/12))", s.VOLUME),
        ("Flat unit costs are the first month's in every month", f"=SUM({flats})",
         f"=months_counted*SUM(Calculations!$E{COST}:$E{COST + last})", "0.0000"),
        ("Every unit cost is a number", f"=COUNT({costs})",
         f"=ROWS({inputs})*months_counted", "0"),
        ("First month of the time axis is the first month of the inputs", "=Calculations!$E7",
         "=start", s.DATE),
    )  # fmt: skip
    for row, (label, one, other, shown) in enumerate(checks, 6):
        s.put(sheet, f"A{row}", label, "x_label")
        s.put(sheet, f"B{row}", one, "x_calculation", shown)
        s.put(sheet, f"C{row}", other, "x_calculation", shown)
        s.put(sheet, f"D{row}", f"=1/1000000*MAX(1,ABS(C{row}))", "x_calculation", "0.000000")
        s.put(sheet, f"E{row}", f"=IFERROR(1*(ABS(B{row}-C{row})<=D{row}),0)", "x_check", "0")
    row = 6 + len(checks)
    s.put(sheet, f"A{row}", "Catalog is the one of the day of making (fingerprint)", "x_label")
    s.put(sheet, f"B{row}", f"=XLTOKEN_INFO(A{row + 4})", "x_calculation")
    s.put(sheet, f"C{row}", "=stamped_fingerprint", "x_link")
    s.put(sheet, f"D{row}", "exact", "x_unit")
    s.put(sheet, f"E{row}", f"=IFERROR(1*(B{row}=C{row}),0)", "x_check", "0")
    for place in (f"B{row}", f"C{row}", f"D{row}"):
        sheet[place].alignment = Alignment(horizontal="right")
    s.put(sheet, f"A{row + 1}", "All checks pass", "x_label")
    s.put(sheet, f"E{row + 1}", f"=MIN(E6:E{row})", "x_check", "0")
    s.name(book, "all_checks", "Checks", f"E{row + 1}")
    s.put(sheet, f"A{row + 3}", "Field asked of XLTOKEN_INFO", "x_unit")
    s.put(sheet, f"A{row + 4}", "fingerprint", "x_label")
    s.put(sheet, f"A{row + 6}", "For information", "x_section")
    s.put(sheet, f"A{row + 7}", "Costs that carry a warning (first and last month, sheet Sources)",
          "x_label")  # fmt: skip
    first, final = SOURCE_ROW, SOURCE_ROW + 2 * len(WORKLOADS) - 1
    s.put(sheet, f"B{row + 7}", f"=SUM(Sources!$L{first}:$L{final})", "x_output", "0")
    s.name(book, "warned_costs", "Checks", f"B{row + 7}")
    sheet["E5"].alignment = Alignment(horizontal="center", vertical="center")
    s.mark_failures(sheet, f"E6:E{row + 1}")


def sources(sheet: Worksheet) -> None:
    """Draw what each cost rests on."""
    s.frame(
        sheet, "Sources", "What each workload's cost rests on, in the first and in the last month.",
        (22, 15, 11, 11, 12, 13, 8, 7, 42, 46, 46, 8, 44), freeze="A6", master="B3",
        check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    s.put(sheet, "A4", "Age in months at the catalog's date. The field names below are what "
          "TOKEN_SOURCE is asked for.", "x_unit")  # fmt: skip
    s.heading(sheet, 5, ("Workload", "Platform", "Month", *FIELDS, "warned", "warnings"))
    for i in range(len(WORKLOADS)):
        inputs = TABLE_ROW + i
        for row, month in enumerate(("E", letter(LAST)), SOURCE_ROW + 2 * i):
            s.put(sheet, f"A{row}", f"=Inputs!$A${inputs}", "x_link")
            s.put(sheet, f"B{row}", f"=Inputs!$C${inputs}", "x_link")
            s.put(sheet, f"C{row}", f"=Calculations!${month}$7", "x_link", s.MONTH)

            def asked(column: str, row: int = row, inputs: int = inputs) -> str:
                return f"TOKEN_SOURCE($B{row},Inputs!$B${inputs},{column}$5,$C{row},assumptions)"

            for k, field in enumerate(FIELDS, 4):
                shown = s.DATE if field == "date" else "0.0" if field == "age" else None
                s.put(sheet, f"{letter(k)}{row}", f"={asked(letter(k))}", "x_calculation", shown)
            # An empty text would be taken for a missing value by readers that do not recalculate.
            s.put(sheet, f"L{row}", f"=1*(LEN({asked('M')})>0)", "x_calculation", "0")
            s.put(sheet, f"M{row}", f'=IF($L{row}=0,"none",{asked("M")})', "x_calculation")
            for column in range(1, 14):
                cell = sheet.cell(row, column)
                cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
            sheet.row_dimensions[row].height = 66


def changes(sheet: Worksheet) -> None:
    """Draw the first line of the record of changes, and room for more."""
    s.frame(
        sheet, "Changes", "What was changed in this workbook, by whom, and why.",
        (14, 16, 24, 80), freeze="A6", master="B3", check=MASTER,
        repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    s.heading(sheet, 5, ("Version", "Date", "Who", "What and why"))
    catalog = store.current()
    s.put(sheet, "A6", "1", "x_label")
    s.put(sheet, "B6", catalog.date, "x_label", s.DATE)
    s.put(sheet, "C6", f"xltoken {xltoken.__version__}", "x_label")
    text = (
        f"Made from the template token_budget, catalog of {catalog.date} ({catalog.fingerprint})."
    )
    s.put(sheet, "D6", text, "x_text")
    for row in range(7, 17):
        for column in "ABCD":
            s.put(sheet, f"{column}{row}", None, "x_input")
        sheet[f"B{row}"].number_format = s.DATE
    for column, label, longest in (("A", "Version", 20), ("C", "Who", 60), ("D", "What", 250)):
        s.validate_text(sheet, f"{column}7:{column}16", label, longest)
    s.validate_date(sheet, "B7:B16", "Date of the change", blank=True)
