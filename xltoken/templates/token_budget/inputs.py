"""Sheet Inputs: every figure a user may change, once."""

import datetime as dt
from typing import Any

from openpyxl.styles import Alignment, Font
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from xltoken.catalog import store
from xltoken.model.assumptions import BY_NAME, NONE
from xltoken.model.months import edate
from xltoken.model.ranking import ranking
from xltoken.templates import style as s
from xltoken.templates.token_budget.layout import (
    ASSUMED,
    BLOCK,
    CHOICES_ROW,
    DISCOUNT_ROW,
    MASTER,
    TABLE_ROW,
    USER,
    WORKLOADS,
)


def inputs(book: Workbook, sheet: Worksheet) -> None:
    """Draw the inputs with unit, range, source and validation, and the lists they choose from."""
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
        s.validate_text(sheet, f"A{row}", "Workload name", 40)
        s.validate(sheet, f"B{row}", "Model and shape", "one of the list on this sheet",
                   type="list", formula1=f"$B${CHOICES_ROW + 1}:$B${end_workloads}")  # fmt: skip
        s.validate(sheet, f"C{row}", "Platform", "one of the list on this sheet",
                   type="list", formula1=f"$A${CHOICES_ROW + 1}:$A${end_platforms}")  # fmt: skip
        s.validate(sheet, f"D{row}", "M tokens in month 1", "0 or more, millions of tokens",
                   type="decimal", operator="between", formula1="0", formula2="1E+12")  # fmt: skip
        s.validate(sheet, f"E{row}", "Growth a year", "above -1, 0.30 for 30 %",
                   type="decimal", operator="between", formula1="-0.99", formula2="10")  # fmt: skip

    for row in (BLOCK - 1, TABLE_ROW - 1, *range(TABLE_ROW, TABLE_ROW + len(WORKLOADS))):
        sheet[f"F{row}"].alignment = Alignment(horizontal="left", indent=1, vertical="center")
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
    sheet[f"F{row}"].alignment = Alignment(
        horizontal="left", indent=1, vertical="center", wrap_text=True
    )
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
        s.validate_date(sheet, place, label)
    else:
        low = "0.01" if known.open_low else f"{max(known.low, -10):g}"
        high = "0.99" if known.open_high else f"{min(known.high, 10):g}"
        s.validate(sheet, place, label, f"{known.range_text} ({known.unit})", type="decimal",
                   operator="between", formula1=low, formula2=high, allow_blank=blank)  # fmt: skip


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
