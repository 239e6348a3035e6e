"""Sheets Cover and Outputs: the answer, by year and by workload."""

from typing import Any

from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.series import SeriesLabel
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import xltoken
from xltoken.catalog import store
from xltoken.templates import style as s
from xltoken.templates.token_budget.layout import (
    COST,
    DIFFERENCE,
    FIRST,
    LAST,
    MASTER,
    SPEND,
    SPEND_FLAT,
    TABLE_ROW,
    WORKLOADS,
)


def cover(book: Workbook, sheet: Worksheet) -> None:
    """Draw the answer, the facts of the workbook and the key to its styles."""
    s.frame(
        sheet, "Token budget", "Five years of AI inference: unit costs that decline, against a "
        "budget that holds them flat. USD, nominal.", (34, 20, 4, 15, 15, 15, 15, 15, 15, 15),
        freeze="A4", master="B3", check=MASTER, repeat_rows="1:3",
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    s.put(sheet, "A5", "The answer", "x_section")
    rows = (
        ("Five-year cost, unit costs declining, USD", "=cost_declining", s.USD),
        ("Five-year cost, flat line, USD", "=cost_flat", s.USD),
        ("Flat line less declining, USD", "=cost_difference", s.USD),
        ("The flat line is too high by", "=cost_flat/cost_declining-1", s.SHARE),
        ("Net present value, declining, USD", "=value_declining", s.USD),
        ("Net present value, flat, USD", "=value_flat", s.USD),
        ("Worth of the decline today, USD", "=value_difference", s.USD),
    )
    for row, (label, formula, shown) in enumerate(rows, 6):
        s.put(sheet, f"A{row}", label, "x_label")
        s.put(sheet, f"B{row}", formula, "x_answer", shown)
        sheet.row_dimensions[row].height = 21
    s.put(sheet, "A13", "Costs that carry a warning", "x_label")
    s.put(sheet, "B13", "=warned_costs", "x_output", "0")
    s.put(sheet, "A14", "They rest on thin, old or far-off evidence: sheet Sources.", "x_unit")

    s.put(sheet, "A16", "This workbook", "x_section")
    catalog = store.current()
    facts = (
        ("Scenario", "=scenario"),
        ("First month", "=start"),
        ("Discount rate, a year", "=discount_rate"),
        ("Made by", f"xltoken {xltoken.__version__}"),
        ("Catalog at making", catalog.date),
        ("Fingerprint at making", catalog.fingerprint),
        ("Prepared by", ""),
        ("Reviewed by", ""),
        ("Excel version needed", "2010 or newer, with xltoken"),
    )
    for row, (label, value) in enumerate(facts, 17):
        s.put(sheet, f"A{row}", label, "x_label")
        linked = isinstance(value, str) and value.startswith("=")
        kind = "x_link" if linked else "x_input" if value == "" else "x_label"
        s.put(sheet, f"B{row}", value or None, kind)
        sheet[f"B{row}"].alignment = Alignment(horizontal="right", vertical="center")
    for place, label in (("B23", "Prepared by"), ("B24", "Reviewed by")):
        s.validate_text(sheet, place, label, 60)
    sheet["B18"].number_format = sheet["B21"].number_format = s.DATE
    sheet["B19"].number_format = s.SHARE
    sheet["B25"].alignment = Alignment(horizontal="right", wrap_text=True, vertical="center")
    sheet.row_dimensions[25].height = 28
    s.name(book, "stamped_fingerprint", "Cover", "B22")

    s.put(sheet, "A27", "How to read it", "x_section")
    notes = (
        "Costs on cost rows are positive. Present values have the sign of cash: costs negative.",
        "Volumes are millions of counted tokens a month; a cost is USD per 1M of the same tokens.",
        "The flat line holds each workload's first unit cost for 60 months, as a budget does.",
        "Hardware does not get better under this budget: gains are those of software only.",
    )
    for row, note in enumerate(notes, 28):
        s.put(sheet, f"A{row}", note, "x_label")
    for row, (kind, text) in enumerate(s.STYLE_KEY, 27):
        s.put(sheet, f"G{row}", "Sample", kind)
        s.put(sheet, f"H{row}", text, "x_label")

    chart = LineChart()
    calculations = book["Calculations"]
    for row in (SPEND_FLAT + len(WORKLOADS), SPEND + len(WORKLOADS)):
        values = Reference(calculations, min_col=FIRST, max_col=LAST, min_row=row)
        chart.add_data(values, from_rows=True, titles_from_data=False)
    chart.set_categories(Reference(calculations, min_col=FIRST, max_col=LAST, min_row=7))
    for series, title, colour, dash in zip(
        chart.series, ("Flat line", "Unit costs declining"), (s.SECOND, s.ACCENT),
        ("sysDash", "solid"), strict=True,
    ):  # fmt: skip
        series.tx = SeriesLabel(v=title)
        series.smooth = False
        series.graphicalProperties.line.solidFill = colour
        series.graphicalProperties.line.dashStyle = dash
        series.graphicalProperties.line.width = 28_000
        series.marker.symbol = "none"
    s.dress_chart(chart, "Cost a month", "Month", "USD a month", "#,##0")
    chart.x_axis.number_format = s.MONTH
    axis: Any = chart.x_axis
    axis.tickLblSkip = axis.tickMarkSkip = 12
    chart.y_axis.scaling.min = 0
    chart.layout = Layout(ManualLayout(xMode="edge", yMode="edge", x=0.11, y=0.13, w=0.86, h=0.62))
    size: Any = chart
    size.height, size.width = 10.6, 21.5
    sheet.add_chart(chart, "D5")


def outputs(book: Workbook, sheet: Worksheet) -> None:
    """Draw the tables by year and workload, and their chart."""
    s.frame(
        sheet, "Outputs", "What the budget says, by year and by workload. USD unless stated.",
        (36, 18, 16, 16, 16, 16, 16, 16), freeze="A4", master="B3",
        check=MASTER, repeat_rows="1:3", pages_high=1,
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    last = len(WORKLOADS) - 1
    s.heading(sheet, 5, ("By year", "Unit", "", "", "", "", "", "Total"), "CDEFGH")
    s.put(sheet, "A6", "Year of the budget", "x_label")
    s.put(sheet, "B6", "years", "x_unit")
    for i in range(5):
        column = letter(3 + i)
        s.put(sheet, f"{column}6", "=1" if not i else f"={letter(2 + i)}6+1", "x_calculation", "0")
    span = f"$E${{row}}:${letter(LAST)}${{row}}"
    years = "Calculations!" + span.format(row=6)
    lines = [(f"=Inputs!$A${TABLE_ROW + i}", SPEND + i, "x_calculation") for i in range(last + 1)]
    lines += [
        ("Cost, unit costs declining", SPEND + last + 1, "x_output"),
        ("Cost, flat line", SPEND_FLAT + last + 1, "x_output"),
        ("Flat line less declining", DIFFERENCE, "x_output"),
    ]
    for row, (label, source, kind) in enumerate(lines, 7):
        s.put(sheet, f"A{row}", label, "x_link" if label.startswith("=") else "x_label")
        s.put(sheet, f"B{row}", "USD", "x_unit")
        amounts = "Calculations!" + span.format(row=source)
        for i in range(5):
            column = letter(3 + i)
            s.put(sheet, f"{column}{row}", f"=SUMIF({years},{column}$6,{amounts})", kind, s.USD)
        s.put(sheet, f"H{row}", f"=SUM(C{row}:G{row})", "x_output", s.USD)

    s.heading(
        sheet, 15,
        ("By workload", "Platform", "USD per 1M, month 1", "USD per 1M, month 60",
         "Decline a year", "Cost, declining", "Cost, flat", "Flat less declining"),
        "CDEFGH",
    )  # fmt: skip
    sheet.row_dimensions[15].height = 28
    for i in range(last + 1):
        row, cost = 16 + i, COST + i
        s.put(sheet, f"A{row}", f"=Inputs!$A${TABLE_ROW + i}", "x_link")
        s.put(sheet, f"B{row}", f"=Inputs!$C${TABLE_ROW + i}", "x_link")
        s.put(sheet, f"C{row}", f"=Calculations!$E{cost}", "x_link", s.UNIT_COST)
        s.put(sheet, f"D{row}", f"=Calculations!${letter(LAST)}{cost}", "x_link", s.UNIT_COST)
        s.put(sheet, f"E{row}", f"=1-(D{row}/C{row})^(12/(months_counted-1))", "x_calculation",
              s.SHARE)  # fmt: skip
        s.put(sheet, f"F{row}", f"=Calculations!$D{SPEND + i}", "x_link", s.USD)
        s.put(sheet, f"G{row}", f"=Calculations!$D{SPEND_FLAT + i}", "x_link", s.USD)
        s.put(sheet, f"H{row}", f"=G{row}-F{row}", "x_calculation", s.USD)
    total = 16 + last + 1
    s.put(sheet, f"A{total}", "Total", "x_label")
    for column in "FGH":
        s.put(sheet, f"{column}{total}", f"=SUM({column}16:{column}{total - 1})", "x_output", s.USD)

    s.heading(sheet, 21, ("Worth today", "Unit", "USD", "", "", "", "", ""), "C")
    values = (
        ("Net present value, declining", "=value_declining"),
        ("Net present value, flat", "=value_flat"),
        ("Worth of the decline", "=C22-C23"),
        ("Months of the budget", f"=COUNT(Calculations!{span.format(row=5)})"),
    )
    for row, (label, formula) in enumerate(values, 22):
        s.put(sheet, f"A{row}", label, "x_label")
        s.put(sheet, f"B{row}", "months" if row == 25 else "USD today", "x_unit")
        s.put(sheet, f"C{row}", formula, "x_output", "0" if row == 25 else s.USD)
    s.name(book, "months_counted", "Outputs", "C25")

    chart = BarChart()
    chart.type, chart.grouping, chart.overlap = "col", "stacked", 100
    for i, colour in zip(range(last + 1), (s.ACCENT, "7F9DB9", s.SECOND), strict=True):
        values_of = Reference(sheet, min_col=3, max_col=7, min_row=7 + i)
        chart.add_data(values_of, from_rows=True, titles_from_data=False)
        series = chart.series[i]
        series.tx = SeriesLabel(strRef=StrRef(f"Inputs!$A${TABLE_ROW + i}"))
        series.graphicalProperties.solidFill = colour
    chart.set_categories(Reference(sheet, min_col=3, max_col=7, min_row=6))
    s.dress_chart(chart, "Cost by workload and year, unit costs declining", "Year of the budget",
                  "USD a year", "#,##0")  # fmt: skip
    chart.height, chart.width = 9.5, 30
    sheet.add_chart(chart, "A28")
