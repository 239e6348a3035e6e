"""Template token_budget: five years of token costs, declining against a flat line.

The layout is the model: one row a formula, one time axis, every input once. Costs are positive on
cost rows; present values have the sign of cash, so a cost is negative.
"""

import datetime as dt
from pathlib import Path
from typing import Any, Final

from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.series import SeriesLabel
from openpyxl.formatting.rule import FormulaRule
from openpyxl.formula.translate import Translator
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import xltoken
from xltoken.catalog import store
from xltoken.model.assumptions import BY_NAME, NONE
from xltoken.model.months import edate
from xltoken.model.ranking import ranking
from xltoken.recalc import package as files
from xltoken.templates import style as s

MONTHS: Final = 60
FIRST: Final = 5  # the first period's column, E
LAST: Final = FIRST + MONTHS - 1
SHEETS: Final = ("Cover", "Inputs", "Calculations", "Outputs", "Checks", "Sources", "Changes")

# Label, workload, platform, first month's volume in millions of output tokens, growth a year.
WORKLOADS: Final = (
    ("Customer chat", "deepseek-r1/chat", "B200", 200_000.0, 0.40),
    ("Document summaries", "glm-5/summarize", "B200", 20_000.0, 0.25),
    ("Nightly batch", "gpt-oss-120b/batch", "GB200 NVL72", 1_000_000.0, 0.30),
)
USER: Final = "Set by you"
MASTER: Final = '=IF(all_checks=1,"OK","CHECK")'

# Assumption name, label, value; unit, range and default come from the assumption's definition.
ASSUMED: Final = (
    ("scenario", "Scenario", "base"),
    ("start", "First month", None),
    ("utilization", "Utilization of paid hours", 0.5),
    ("overhead", "Overhead on the hourly rate", 0.0),
    ("tokens_counted", "Tokens counted", "output"),
    ("rate_basis", "Rate basis (blank: the scenario's)", None),
    ("rate_decline", "Hourly rate falls a year", 0.0),
    ("software_gain_per_month", "Software gain a month (blank: the scenario's)", None),
    ("timing", "Payments fall at the ... of a month", "end"),
)
BLOCK: Final = 6  # first row of the assumptions on Inputs
DISCOUNT_ROW: Final = BLOCK + len(ASSUMED) + 1
TABLE_ROW: Final = DISCOUNT_ROW + 4  # first workload on Inputs
CHOICES_ROW: Final = TABLE_ROW + len(WORKLOADS) + 3

_VOLUME, _COST, _FLAT = 11, 16, 20
_SPEND, _SPEND_FLAT = 24, 29
_DIFFERENCE, _PV, _PV_FLAT = 34, 36, 37
_NPV, _NPV_FLAT = 40, 45


def draw() -> Workbook:
    """Draw the workbook; its formulas are not yet computed."""
    book = Workbook()
    del book["Sheet"]
    s.add_styles(book)
    sheets = {name: book.create_sheet(name) for name in SHEETS}
    _inputs(book, sheets["Inputs"])
    _calculations(book, sheets["Calculations"])
    _outputs(book, sheets["Outputs"])
    _checks(book, sheets["Checks"])
    _sources(sheets["Sources"])
    _changes(sheets["Changes"])
    _cover(book, sheets["Cover"])
    for sheet in sheets.values():
        _mark_failures(sheet)
    return book


def answer(path: Path) -> dict[str, Any]:
    """Read the answer of a budget workbook from its saved values.

    Returns
    -------
    dict
        USD of ``cost_declining``, ``cost_flat``, ``npv_declining``, ``npv_flat`` and
        ``npv_difference``; ``checks`` as OK or CHECK; ``evidence``, a dict for each workload in the
        first and the last month.
    """
    package = files.read(path)

    def named(name: str) -> files.Value:
        sheet, _, place = package.names[name].replace("$", "").rpartition("!")
        return _saved(package, sheet.strip("'"), place)

    fields = ("workload", "platform", "month", *_FIELDS, "warned", "warnings")
    evidence = []
    for row in range(_SOURCE_ROW, _SOURCE_ROW + 2 * len(WORKLOADS)):
        line = {
            field: _saved(package, "Sources", f"{letter(column)}{row}")
            for column, field in enumerate(fields, 1)
        }
        for field in ("month", "date"):
            serial = line[field]
            if isinstance(serial, float):
                line[field] = (dt.date(1899, 12, 30) + dt.timedelta(days=serial)).isoformat()
        evidence.append(line)
    return {
        "cost_declining": named("cost_declining"),
        "cost_flat": named("cost_flat"),
        "npv_declining": named("value_declining"),
        "npv_flat": named("value_flat"),
        "npv_difference": named("value_difference"),
        "checks": "OK" if named("all_checks") == 1 else "CHECK",
        "evidence": evidence,
    }


def _saved(package: files.Package, sheet: str, place: str) -> files.Value:
    where = files.reference(place)
    cell = package.cell(sheet, *where) if where else None
    return cell.value if cell else None


def _cover(book: Workbook, sheet: Worksheet) -> None:
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
    for row in (_SPEND_FLAT + len(WORKLOADS), _SPEND + len(WORKLOADS)):
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


def _inputs(book: Workbook, sheet: Worksheet) -> None:
    s.frame(
        sheet, "Inputs", "Every figure you may change, once. Yellow with a dashed box is yours; "
        "the rest follows.", (44, 27, 30, 16, 14, 34, 24, 14),
        freeze="A4", master="D3", check=MASTER, repeat_rows="1:3",
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    catalog = store.current()
    today = catalog.date
    s.heading(
        sheet, BLOCK - 1,
        ("Assumption", "Name", "Unit", "Value", "", "Allowed", "Source", "As of"), "DH",
    )  # fmt: skip
    for row, (name, label, given) in enumerate(ASSUMED, BLOCK):
        known = BY_NAME[name.replace("_", "")]
        value: Any = edate(today.replace(day=1), 1) if name == "start" else given
        _input_row(sheet, row, label, name, known.unit, value, known.range_text, today)
        shown = s.DATE if known.kind == "date" else "0.00" if known.kind == "number" else None
        if name in ("utilization", "rate_decline", "overhead"):
            shown = "0%"
        if shown:
            sheet[f"D{row}"].number_format = shown
        _validate(sheet, f"D{row}", label, name, blank=value is None)
        s.name(book, name, "Inputs", f"D{row}")
    sheet[f"D{BLOCK}"].font = Font(name=s.FONT, size=10, bold=True, color="0000C8")
    s.name(book, "assumptions", "Inputs", f"B{BLOCK}:D{BLOCK + len(ASSUMED) - 1}")

    row = DISCOUNT_ROW
    _input_row(sheet, row, "Discount rate", "discount_rate", "share a year", 0.10,
               "above -1, below 10", today)  # fmt: skip
    sheet[f"D{row}"].number_format = "0.0%"
    s.validate(sheet, f"D{row}", "Discount rate", "effective annual, 0.10 for 10 %",
               type="decimal", operator="between", formula1="-0.99", formula2="10")  # fmt: skip
    s.name(book, "discount_rate", "Inputs", f"D{row}")

    s.heading(
        sheet, TABLE_ROW - 1,
        ("Workload", "Model and shape", "Platform", "M tokens, month 1", "Growth a year",
         "Allowed", "Source", "As of"),
        "DEH",
    )  # fmt: skip
    sheet.row_dimensions[TABLE_ROW - 1].height = 28
    end_platforms = CHOICES_ROW + len(_platforms())
    end_workloads = CHOICES_ROW + len(_workloads())
    for row, (label, workload, platform, volume, growth) in enumerate(WORKLOADS, TABLE_ROW):
        s.put(sheet, f"A{row}", label, "x_input")
        s.put(sheet, f"B{row}", workload, "x_input")
        s.put(sheet, f"C{row}", platform, "x_input")
        s.put(sheet, f"D{row}", volume, "x_input", s.VOLUME)
        s.put(sheet, f"E{row}", growth, "x_input", "0%")
        s.put(sheet, f"F{row}", "lists below; volume from 0; growth above -1", "x_unit")
        s.put(sheet, f"G{row}", USER, "x_unit")
        s.put(sheet, f"H{row}", today, "x_unit", s.DATE)
        s.validate(sheet, f"A{row}", "Workload name", "any text up to 40 characters",
                   type="textLength", operator="between", formula1="1", formula2="40")  # fmt: skip
        s.validate(sheet, f"B{row}", "Model and shape", "one of the list on this sheet",
                   type="list", formula1=f"$B${CHOICES_ROW + 1}:$B${end_workloads}")  # fmt: skip
        s.validate(sheet, f"C{row}", "Platform", "one of the list on this sheet",
                   type="list", formula1=f"$A${CHOICES_ROW + 1}:$A${end_platforms}")  # fmt: skip
        s.validate(sheet, f"D{row}", "M tokens in month 1", "0 or more, millions of tokens",
                   type="decimal", operator="between", formula1="0", formula2="1E+12")  # fmt: skip
        s.validate(sheet, f"E{row}", "Growth a year", "above -1, 0.30 for 30 %",
                   type="decimal", operator="between", formula1="-0.99", formula2="10")  # fmt: skip

    s.heading(sheet, CHOICES_ROW, ("Platforms with evidence", "Workloads with evidence", "",
                                   "Timing", "Months earlier"), "E")  # fmt: skip
    for row, platform in enumerate(_platforms(), CHOICES_ROW + 1):
        s.put(sheet, f"A{row}", platform, "x_label")
    for row, workload in enumerate(_workloads(), CHOICES_ROW + 1):
        s.put(sheet, f"B{row}", workload, "x_label")
    for row, (timing, earlier) in enumerate(
        (("end", 0.0), ("mid", 0.5), ("begin", 1.0)), CHOICES_ROW + 1
    ):
        s.put(sheet, f"D{row}", timing, "x_label")
        s.put(sheet, f"E{row}", earlier, "x_label", "0.0")
    s.name(book, "timings", "Inputs", f"D{CHOICES_ROW + 1}:D{CHOICES_ROW + 3}")
    s.name(book, "months_earlier", "Inputs", f"E{CHOICES_ROW + 1}:E{CHOICES_ROW + 3}")


def _input_row(
    sheet: Worksheet, row: int, label: str, name: str, unit: str, value: object, allowed: str,
    today: dt.date,
) -> None:  # fmt: skip
    s.put(sheet, f"A{row}", label, "x_label")
    s.put(sheet, f"B{row}", name, "x_unit")
    s.put(sheet, f"C{row}", unit, "x_unit")
    s.put(sheet, f"D{row}", value, "x_input")
    sheet[f"D{row}"].alignment = Alignment(horizontal="right")
    s.put(sheet, f"F{row}", allowed, "x_text")
    s.put(sheet, f"G{row}", USER, "x_unit")
    s.put(sheet, f"H{row}", today, "x_unit", s.DATE)
    if len(allowed) > 34:
        sheet.row_dimensions[row].height = 28


def _validate(sheet: Worksheet, place: str, label: str, name: str, *, blank: bool) -> None:
    known = BY_NAME[name.replace("_", "")]
    if known.choices:
        listed = '"' + ",".join(known.choices) + '"'
        s.validate(sheet, place, label, known.range_text, type="list", formula1=listed,
                   allow_blank=blank)  # fmt: skip
    elif known.kind == "date":
        s.validate(sheet, place, label, "a date from 2020 to 2099", type="date",
                   operator="between", formula1="43831", formula2="73050")  # fmt: skip
    else:
        low = "0.01" if known.open_low else f"{max(known.low, -10):g}"
        high = "0.99" if known.open_high else f"{min(known.high, 10):g}"
        s.validate(sheet, place, label, f"{known.range_text} ({known.unit})", type="decimal",
                   operator="between", formula1=low, formula2=high, allow_blank=blank)  # fmt: skip


def _calculations(book: Workbook, sheet: Worksheet) -> None:
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

    _section(sheet, _VOLUME - 1, "Volume")
    _section(sheet, _COST - 1, "Unit cost, declining")
    _section(sheet, _FLAT - 1, "Unit cost, flat: the first month's, held")
    _section(sheet, _SPEND - 1, "Cost, unit costs declining")
    _section(sheet, _SPEND_FLAT - 1, "Cost, flat line")
    for i in range(len(WORKLOADS)):
        inputs = TABLE_ROW + i
        label = f"=Inputs!$A${inputs}"
        volume, cost, flat = _VOLUME + i, _COST + i, _FLAT + i
        s.put(sheet, f"C{volume}", f"=Inputs!$D{inputs}", "x_link", s.VOLUME)
        _row(sheet, volume, label, "M tokens", f"=$C{volume}*(1+Inputs!$E{inputs})^((E$5-1)/12)",
             s.VOLUME, total=True)  # fmt: skip
        _row(sheet, cost, label, "USD per 1M tokens",
             f"=TOKEN_COST(Inputs!$C{inputs},E$7,Inputs!$B{inputs},assumptions)",
             s.UNIT_COST)  # fmt: skip
        _row(sheet, flat, label, "USD per 1M tokens", f"=$E{cost}", s.UNIT_COST)
        _row(sheet, _SPEND + i, label, "USD", f"=E{volume}*E{cost}", s.USD, total=True)
        _row(sheet, _SPEND_FLAT + i, label, "USD", f"=E{volume}*E{flat}", s.USD, total=True)
        for row, rates, what in ((_NPV, cost, "declining"), (_NPV_FLAT, flat, "flat")):
            function = "NPV_DECLINING" if what == "declining" else "NPV_STATIC"
            zeros = ",0,0,0,0" if what == "declining" else ",0,0"
            paths = f"$E{volume}:${letter(LAST)}{volume},$E{rates}:${letter(LAST)}{rates}"
            s.put(sheet, f"A{row + i}", label, "x_link")
            s.put(sheet, f"B{row + i}", "USD today", "x_unit")
            s.put(sheet, f"D{row + i}", f"={function}(discount_rate,{paths}{zeros},assumptions)",
                  "x_calculation", s.USD)  # fmt: skip
    last = len(WORKLOADS) - 1
    for start in (_SPEND, _SPEND_FLAT):
        _row(sheet, start + last + 1, "Total", "USD", f"=SUM(E{start}:E{start + last})", s.USD,
             total=True, style="x_output")  # fmt: skip
    total, total_flat = _SPEND + last + 1, _SPEND_FLAT + last + 1
    _row(sheet, _DIFFERENCE, "Flat line less declining", "USD", f"=E{total_flat}-E{total}", s.USD,
         total=True, style="x_output")  # fmt: skip
    _row(sheet, _PV, "Present value, declining", "USD today", f"=-E{total}*E$9", s.USD, total=True)
    _row(sheet, _PV_FLAT, "Present value, flat", "USD today", f"=-E{total_flat}*E$9", s.USD,
         total=True)  # fmt: skip
    for row, title in ((_NPV, "Net present value by function, declining"),
                       (_NPV_FLAT, "Net present value by function, flat")):  # fmt: skip
        _section(sheet, row - 1, title)
        end = row + last
        s.put(sheet, f"A{end + 1}", "Total", "x_label")
        s.put(sheet, f"B{end + 1}", "USD today", "x_unit")
        s.put(sheet, f"D{end + 1}", f"=SUM(D{row}:D{end})", "x_output", s.USD)
    s.name(book, "cost_declining", "Calculations", f"D{total}")
    s.name(book, "cost_flat", "Calculations", f"D{total_flat}")
    s.name(book, "cost_difference", "Calculations", f"D{_DIFFERENCE}")
    s.name(book, "value_declining", "Calculations", f"D{_NPV + last + 1}")
    s.name(book, "value_flat", "Calculations", f"D{_NPV_FLAT + last + 1}")
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


def _outputs(book: Workbook, sheet: Worksheet) -> None:
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
    lines = [(f"=Inputs!$A${TABLE_ROW + i}", _SPEND + i, "x_calculation") for i in range(last + 1)]
    lines += [
        ("Cost, unit costs declining", _SPEND + last + 1, "x_output"),
        ("Cost, flat line", _SPEND_FLAT + last + 1, "x_output"),
        ("Flat line less declining", _DIFFERENCE, "x_output"),
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
        row, cost = 16 + i, _COST + i
        s.put(sheet, f"A{row}", f"=Inputs!$A${TABLE_ROW + i}", "x_link")
        s.put(sheet, f"B{row}", f"=Inputs!$C${TABLE_ROW + i}", "x_link")
        s.put(sheet, f"C{row}", f"=Calculations!$E{cost}", "x_link", s.UNIT_COST)
        s.put(sheet, f"D{row}", f"=Calculations!${letter(LAST)}{cost}", "x_link", s.UNIT_COST)
        s.put(sheet, f"E{row}", f"=1-(D{row}/C{row})^(12/(months_counted-1))", "x_calculation",
              s.SHARE)  # fmt: skip
        s.put(sheet, f"F{row}", f"=Calculations!$D{_SPEND + i}", "x_link", s.USD)
        s.put(sheet, f"G{row}", f"=Calculations!$D{_SPEND_FLAT + i}", "x_link", s.USD)
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


def _checks(book: Workbook, sheet: Worksheet) -> None:
    s.frame(
        sheet, "Checks", "Each relation that must hold. One that fails turns every sheet's mark to "
        "CHECK.", (62, 20, 20, 14, 12), freeze="A6", master="B3",
        check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    s.heading(sheet, 5, ("Check", "One side", "Other side", "Tolerance", "Pass"), "BCD")
    last = len(WORKLOADS) - 1
    end = letter(LAST)
    checks = (
        ("Present value by function equals the discount-factor row, declining",
         "=value_declining", f"=Calculations!$D{_PV}", s.USD),
        ("Present value by function equals the discount-factor row, flat",
         "=value_flat", f"=Calculations!$D{_PV_FLAT}", s.USD),
        ("Years add up to the total, declining", f"=Outputs!$H{7 + last + 1}", "=cost_declining",
         s.USD),
        ("Years add up to the total, flat", f"=Outputs!$H{7 + last + 2}", "=cost_flat", s.USD),
        ("Workloads add up to the total, declining", f"=Outputs!$F{16 + last + 1}",
         "=cost_declining", s.USD),
        ("Workloads add up to the total, flat", f"=Outputs!$G{16 + last + 1}", "=cost_flat", s.USD),
        ("Difference is flat less declining", "=cost_flat-cost_declining", "=cost_difference",
         s.USD),
        ("Every unit cost is a number", f"=COUNT(Calculations!$E{_COST}:${end}{_COST + last})",
         f"=ROWS(Calculations!$A{_COST}:$A{_COST + last})*months_counted", "0"),
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
    s.put(sheet, f"B{row}", "=XLTOKEN_INFO(A18)", "x_calculation")
    s.put(sheet, f"C{row}", "=stamped_fingerprint", "x_link")
    s.put(sheet, f"D{row}", "exact", "x_unit")
    s.put(sheet, f"E{row}", f"=IFERROR(1*(B{row}=C{row}),0)", "x_check", "0")
    for place in (f"B{row}", f"C{row}", f"D{row}"):
        sheet[place].alignment = Alignment(horizontal="right")
    s.put(sheet, f"A{row + 1}", "All checks pass", "x_label")
    s.put(sheet, f"E{row + 1}", f"=MIN(E6:E{row})", "x_check", "0")
    s.name(book, "all_checks", "Checks", f"E{row + 1}")
    assert row + 2 == 17
    s.put(sheet, "A17", "Field asked of XLTOKEN_INFO", "x_unit")
    s.put(sheet, "A18", "fingerprint", "x_label")
    s.put(sheet, "A20", "For information", "x_section")
    s.put(sheet, "A21", "Costs that carry a warning (first and last month, sheet Sources)",
          "x_label")  # fmt: skip
    first, final = _SOURCE_ROW, _SOURCE_ROW + 2 * len(WORKLOADS) - 1
    s.put(sheet, "B21", f"=SUM(Sources!$L{first}:$L{final})", "x_output", "0")
    s.name(book, "warned_costs", "Checks", "B21")


_SOURCE_ROW: Final = 6
_FIELDS: Final = ("grade", "basis", "date", "age", "rows", "citation", "conditions", "url")


def _sources(sheet: Worksheet) -> None:
    s.frame(
        sheet, "Sources", "What each workload's cost rests on, in the first and in the last month.",
        (22, 15, 11, 11, 12, 13, 8, 7, 42, 46, 46, 8, 44), freeze="A6", master="B3",
        check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", "All checks", "x_label")
    s.put(sheet, "A4", "Age in months at the catalog's date. The field names below are what "
          "TOKEN_SOURCE is asked for.", "x_unit")  # fmt: skip
    s.heading(sheet, 5, ("Workload", "Platform", "Month", *_FIELDS, "warned", "warnings"))
    for i in range(len(WORKLOADS)):
        inputs = TABLE_ROW + i
        for row, month in enumerate(("E", letter(LAST)), _SOURCE_ROW + 2 * i):
            s.put(sheet, f"A{row}", f"=Inputs!$A${inputs}", "x_link")
            s.put(sheet, f"B{row}", f"=Inputs!$C${inputs}", "x_link")
            s.put(sheet, f"C{row}", f"=Calculations!${month}$7", "x_link", s.MONTH)

            def asked(column: str, row: int = row, inputs: int = inputs) -> str:
                return f"TOKEN_SOURCE($B{row},Inputs!$B${inputs},{column}$5,$C{row},assumptions)"

            for k, field in enumerate(_FIELDS, 4):
                shown = s.DATE if field == "date" else "0.0" if field == "age" else None
                s.put(sheet, f"{letter(k)}{row}", f"={asked(letter(k))}", "x_calculation", shown)
            # An empty text would be taken for a missing value by readers that do not recalculate.
            s.put(sheet, f"L{row}", f"=1*(LEN({asked('M')})>0)", "x_calculation", "0")
            s.put(sheet, f"M{row}", f'=IF($L{row}=0,"none",{asked("M")})', "x_calculation")
            for column in range(1, 14):
                cell = sheet.cell(row, column)
                cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
            sheet.row_dimensions[row].height = 66


def _changes(sheet: Worksheet) -> None:
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


def _mark_failures(sheet: Worksheet) -> None:
    """Show a failing check in words and in a filled cell, not by colour alone."""
    places = {"Checks": "B3 E6:E16"}.get(sheet.title, "D3" if sheet.title == "Inputs" else "B3")
    for area in places.split():
        corner = area.partition(":")[0]
        rule = FormulaRule(  # type: ignore[no-untyped-call]
            formula=[f'OR({corner}=0,{corner}="CHECK")'],
            fill=PatternFill("solid", bgColor="F8D7DA"),
            font=Font(bold=True, color="9B1C1C"),
        )
        sheet.conditional_formatting.add(area, rule)


def _platforms() -> list[str]:
    catalog = store.current()
    return [key for key in catalog.platforms if key in catalog.platforms_with_evidence]


def _workloads() -> list[str]:
    """Workloads for which at least one platform has a cost."""
    catalog = store.current()
    return [
        w.key
        for w in catalog.workloads.values()
        if any(standing.quote for standing in ranking(catalog, 0.0, w.key, NONE))
    ]
