"""Sheets Cover, Checks, Sources and Changes: the answer, and what it rests on."""

from collections.abc import Sequence
from typing import Final

from openpyxl.styles import Alignment
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import xltoken
from xltoken.catalog import store
from xltoken.functions import FUNCTIONS
from xltoken.templates import style as s
from xltoken.templates.self_test.case import Case
from xltoken.templates.self_test.edges import WORKED
from xltoken.templates.self_test.layout import LABEL, MASTER, SAVED_BY, VERDICTS
from xltoken.templates.self_test.ranges import aside
from xltoken.templates.self_test.sheets import mark_fails

_LEFT: Final = Alignment(horizontal="left", vertical="center", wrap_text=True)
_STEPS: Final = (
    "Install: xltoken addin install, then start Excel anew.",
    "Open this file, choose Enable Editing, press Ctrl+Alt+F9 (LibreOffice: Ctrl+Shift+F9).",
    "Look at the mark: PASS, and computed by your program. Else see docs/excel-checklist.md.",
)
_TABLE: Final = 6
"""First row of the counts on Cover."""


def cover(
    book: Workbook, sheet: Worksheet, functions: Sequence[Case], hosts: Sequence[Case]
) -> None:
    """Draw the answer, what to do, the counts, and the key to the styles."""
    s.frame(
        sheet, "Self-test", "Does this program compute every worksheet function of xltoken as the "
        "core does? One minute.", (24, 82, 3, 16, 9, 9, 9),
        freeze="A4", master="B3", check=MASTER, repeat_rows="1:3", pages_high=1,
    )  # fmt: skip
    s.put(sheet, "A3", LABEL, "x_label")
    total = _counts(book, sheet, functions, hosts)
    s.put(sheet, "A5", "The answer", "x_section")
    told = "No: those saved. Press Ctrl+Alt+F9."
    live = f'=IFERROR(IF(live_host=saved_host,"{told}","Yes"),"No")'
    answers = (
        (LABEL, "=verdict", "x_answer"),
        ("That means", "=INDEX(meanings,verdict_row)", "x_output"),
        ("Computed by", "=live_host", "x_output"),
        ("Live figures", live, "x_output"),
        ("Cases", f"=E{total}", "x_output"),
        ("Pass", f"=F{total}", "x_output"),
        ("Fail", f"=G{total}", "x_output"),
        ("Pass within a stated limit", "=SUM(functions_met,hosts_met)", "x_output"),
    )
    for row, (label, formula, kind) in enumerate(answers, 6):
        s.put(sheet, f"A{row}", label, "x_label")
        s.put(sheet, f"B{row}", formula, kind)
        sheet[f"B{row}"].alignment = _LEFT
    sheet.row_dimensions[6].height = 24
    mark_fails(sheet, "B6")

    s.put(sheet, "A15", "In three steps", "x_section")
    for row, step in enumerate(_STEPS, 16):
        s.put(sheet, f"A{row}", f"Step {row - 15}", "x_label")
        s.put(sheet, f"B{row}", step, "x_label")
        sheet[f"B{row}"].alignment = _LEFT
    s.put(sheet, "A20", "What the mark can say", "x_section")
    for i in range(len(VERDICTS)):
        s.put(sheet, f"A{21 + i}", f"=INDEX(verdicts,{_position(book, i)})", "x_link")
        s.put(sheet, f"B{21 + i}", f"=INDEX(meanings,{_position(book, i)})", "x_link")
        sheet[f"B{21 + i}"].alignment = _LEFT
    _facts(sheet)


def _position(book: Workbook, verdict: int) -> str:
    """Cell on Checks that numbers a verdict."""
    first = int(book.defined_names["verdicts"].attr_text.rpartition(":")[0].rpartition("$")[2])
    return f"Checks!$B${first + verdict}"


def _counts(
    book: Workbook, sheet: Worksheet, functions: Sequence[Case], hosts: Sequence[Case]
) -> int:
    """Draw how many cases each family and subject has and passes; gives the row of the total."""
    s.heading(sheet, _TABLE - 1, ("", "", "", "Cases of", "Cases", "Pass", "Fail"), "EFG")
    for column in "ABC":
        sheet[f"{column}{_TABLE - 1}"].style = "Normal"
    s.put(sheet, f"D{_TABLE}", "Array block", "x_label")
    s.put(sheet, f"E{_TABLE}", "=ROWS(block_result)", "x_calculation", "0")
    s.put(sheet, f"F{_TABLE}", '=COUNTIF(block_result,"PASS")', "x_calculation", "0")
    row = _TABLE + 1
    for prefix, cases in (("functions", functions), ("hosts", hosts)):
        for subject in dict.fromkeys(case.subject for case in cases):
            s.put(sheet, f"D{row}", subject, "x_label")
            s.put(sheet, f"E{row}", f"=COUNTIF({prefix}_group,D{row})", "x_calculation", "0")
            passed = f'=COUNTIFS({prefix}_group,D{row},{prefix}_result,"PASS")'
            s.put(sheet, f"F{row}", passed, "x_calculation", "0")
            row += 1
    s.put(sheet, f"D{row}", "All", "x_label")
    for column in "EF":
        formula = f"=SUM({column}{_TABLE}:{column}{row - 1})"
        s.put(sheet, f"{column}{row}", formula, "x_output", "0")
    for line in range(_TABLE, row + 1):
        kind = "x_output" if line == row else "x_calculation"
        s.put(sheet, f"G{line}", f"=E{line}-F{line}", kind, "0")
    s.name(book, "cases_counted", "Cover", f"E{row}")
    return row


def _facts(sheet: Worksheet) -> None:
    catalog = store.current()
    s.put(sheet, "A26", "This workbook", "x_section")
    facts = (
        ("Expected figures", stamp()),
        ("Fingerprint at making", "=stamped_fingerprint"),
        ("Fingerprint here", "=live_fingerprint"),
        ("Version here", "=live_version"),
        ("Catalog here", "=live_catalog"),
        ("Prepared by", f"xltoken {xltoken.__version__}"),
        ("Date", catalog.date),
        ("Reviewed by", None),
        ("Excel version needed", "2010 or newer, with xltoken"),
        ("Signs and units", "Those of each function; its help names them."),
    )
    for row, (label, value) in enumerate(facts, 27):
        linked = isinstance(value, str) and value.startswith("=")
        s.put(sheet, f"A{row}", label, "x_label")
        s.put(sheet, f"B{row}", value, "x_link" if linked else "x_label" if value else "x_input")
        sheet[f"B{row}"].alignment = _LEFT
        if label == "Date":
            sheet[f"B{row}"].number_format = s.DATE
        if label == "Reviewed by":
            s.validate_text(sheet, f"B{row}", label, 60)
    s.put(sheet, "D26", "Key", "x_section")
    key = (*s.STYLE_KEY[:-1], ("x_check", "Check: PASS or FAIL, in words."))
    for row, (kind, text) in enumerate(key, 27):
        s.put(sheet, f"D{row}", "Sample", kind)
        s.put(sheet, f"E{row}", text, "x_label")


def stamp() -> str:
    """Say what computed the expected figures."""
    return f"Computed by xltoken {xltoken.__version__} on the catalog of {store.current().date}"


def checks(
    book: Workbook, sheet: Worksheet, functions: Sequence[Case], hosts: Sequence[Case], block: int
) -> None:
    """Draw the relations that must hold, and what the mark says."""
    s.frame(
        sheet, "Checks", "What the mark on every sheet is made of.", (62, 24, 24, 12, 10),
        freeze="A6", master="B3", check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", LABEL, "x_label")
    s.heading(sheet, 5, ("Check", "Here", "Expected", "Tolerance", "Pass"), "BCDE")
    passed = 'COUNTIFS({0}_catalog,{1},{0}_result,"PASS")'
    rests = [(name, sum(c.rests_on_catalog for c in cases), len(cases))
             for name, cases in (("functions", functions), ("hosts", hosts))]  # fmt: skip
    rows: list[tuple[str, str, float]] = [
        ("The functions answer: XLTOKEN_INFO gives a text", "=1*ISTEXT(live_fingerprint)", 1),
        ("Every case is there", "=cases_counted", len(functions) + len(hosts) + block),
        ("Every registered function has its worked example",
         "=COUNTIF(functions_shows,counted_words)", len(FUNCTIONS)),
    ]  # fmt: skip
    rows += [
        (f"{name.capitalize()}: cases that pass, not resting on the catalog",
         "=" + passed.format(name, 0), count - on_catalog)
        for name, on_catalog, count in rests
    ]  # fmt: skip
    rows.append(("Arrays: rows of the block that pass", '=COUNTIF(block_result,"PASS")', block))
    failed = '=same_release*COUNTIFS({0}_catalog,1,{0}_result,"FAIL")'
    rows += [
        (f"{name.capitalize()}: cases that fail, resting on the catalog, if it is this one",
         failed.format(name), 0)
        for name, _, _ in rests
    ]  # fmt: skip
    for row, (label, formula, count) in enumerate(rows, 6):
        s.put(sheet, f"A{row}", label, "x_label")
        s.put(sheet, f"B{row}", formula, "x_calculation", "0")
        s.put(sheet, f"C{row}", count, "x_label", "0")
        s.put(sheet, f"D{row}", 0, "x_label", "0")
        s.put(sheet, f"E{row}", f"=IFERROR(1*(B{row}=C{row}),0)", "x_check", "0")
    row = 6 + len(rows)
    catalog = store.current()
    asked = (("version", xltoken.__version__), ("fingerprint", catalog.fingerprint))
    fields = row + 12
    for i, (field, due) in enumerate(asked):
        s.put(sheet, f"A{row + i}", f"Release is that of the making: {field}", "x_label")
        s.put(sheet, f"B{row + i}", f"=live_{field}", "x_link")
        s.put(sheet, f"C{row + i}", due, "x_label")
        s.put(sheet, f"D{row + i}", "exact", "x_unit")
        s.put(sheet, f"E{row + i}", f"=IFERROR(1*(B{row + i}=C{row + i}),0)", "x_check", "0")
        s.name(book, f"stamped_{field}", "Checks", f"C{row + i}")
        for column in "BCD":
            sheet[f"{column}{row + i}"].alignment = Alignment(horizontal="right")
    s.put(sheet, f"A{row + 2}", "Release is that of the making", "x_label")
    s.put(sheet, f"E{row + 2}", f"=MIN(E{row}:E{row + 1})", "x_check", "0")
    s.name(book, "same_release", "Checks", f"E{row + 2}")
    s.put(sheet, f"A{row + 3}", "All checks pass", "x_label")
    s.put(sheet, f"E{row + 3}", f"=MIN(E6:E{row + 2})", "x_check", "0")
    s.name(book, "all_checks", "Checks", f"E{row + 3}")
    s.mark_failures(sheet, f"E6:E{row + 3}")
    _verdict(book, sheet, row + 5, ("=1-E6", f"=1-MIN(E7:E{row - 1})", "=1-same_release",
                                    "=all_checks"))  # fmt: skip
    _fields(book, sheet, fields)


def _verdict(book: Workbook, sheet: Worksheet, row: int, conditions: Sequence[str]) -> None:
    s.heading(sheet, row, ("What the mark says: the first that holds", "Number", "", "", "Holds",
                          "Meaning"), "BE")  # fmt: skip
    first, last = row + 1, row + len(VERDICTS)
    listed = zip(VERDICTS, conditions, strict=True)
    for number, ((word, meaning), condition) in enumerate(listed, 1):
        s.put(sheet, f"A{row + number}", word, "x_label")
        s.put(sheet, f"B{row + number}", number, "x_label", "0")
        s.put(sheet, f"E{row + number}", condition, "x_calculation", "0")
        s.put(sheet, f"F{row + number}", meaning, "x_label")
        sheet[f"F{row + number}"].alignment = aside(meaning)
    sheet.column_dimensions["F"].width = 90
    s.name(book, "verdicts", "Checks", f"A{first}:A{last}")
    s.name(book, "meanings", "Checks", f"F{first}:F{last}")
    s.put(sheet, f"A{last + 1}", "The mark", "x_label")
    s.put(sheet, f"B{last + 1}", f"=MATCH(1,E{first}:E{last},0)", "x_calculation", "0")
    s.put(sheet, f"C{last + 1}", "=INDEX(verdicts,verdict_row)", "x_check")
    s.name(book, "verdict_row", "Checks", f"B{last + 1}")
    s.name(book, "verdict", "Checks", f"C{last + 1}")
    mark_fails(sheet, f"C{last + 1}")


def _fields(book: Workbook, sheet: Worksheet, row: int) -> None:
    """Draw what XLTOKEN_INFO is asked for; other cells take it from here."""
    s.heading(sheet, row, ("Asked of XLTOKEN_INFO", "Here", "At making", "", ""), "BC")
    catalog = store.current()
    fields = (
        ("version", "=stamped_version"), ("catalog", catalog.date.isoformat()),
        ("fingerprint", "=stamped_fingerprint"), ("host", SAVED_BY),
    )  # fmt: skip
    for place, (field, due) in enumerate(fields, row + 1):
        s.put(sheet, f"A{place}", field, "x_label")
        s.put(sheet, f"B{place}", f"=XLTOKEN_INFO(A{place})", "x_calculation")
        s.put(sheet, f"C{place}", due, "x_link" if due.startswith("=") else "x_label")
        s.name(book, f"live_{field}", "Checks", f"B{place}")
        for column in "BC":
            sheet[f"{column}{place}"].alignment = Alignment(horizontal="right")
    s.name(book, "saved_host", "Checks", f"C{row + len(fields)}")
    s.put(sheet, f"A{row + 6}", "Words by which worked examples are counted", "x_unit")
    s.put(sheet, f"A{row + 7}", WORKED, "x_label")
    s.name(book, "counted_words", "Checks", f"A{row + 7}")


_RULES: Final = (
    ("Expected figures", ""),
    (
        "Arguments",
        (
            "The worked example of each function in xltoken's registry, and that example "
            "changed as the case says. The ranges stand on Inputs, under the name shown."
        ),
    ),
    (
        "Errors",
        (
            "Looked at with ERROR.TYPE, which numbers them: 2 is #DIV/0!, 3 #VALUE!, 6 #NUM!, 7 "
            "#N/A. No text is compared: it differs from language to language."
        ),
    ),
    (
        "Hosts that cannot tell",
        (
            "Some programs hand over a blank as 0, TRUE as 1, a price cut to "
            "four decimals. There the case passes with the outcome that is stated for them, and is "
            "counted on Cover."
        ),
    ),
    (
        "One error cell",
        (
            "error_cell on Inputs is #DIV/0! on purpose: an error must be handed "
            "through. No other cell shows an error."
        ),
    ),
    ("Blank cells", "Blank arguments are read on purpose: they count as left out."),
    (
        "No time axis",
        (
            "A book of tests has no periods: each row is a case, and each column holds one "
            "formula, but for the column Result here, where the calls themselves stand."
        ),
    ),
    (
        "Inputs",
        (
            "Arguments are test data, not assumptions of a model: their unit and range are the "
            "function's. A change turns the mark to FAIL wherever the result depends on it."
        ),
    ),
    ("No scenarios, no charts", "There is nothing to choose and nothing to forecast."),
    (
        "Array block",
        (
            "One table stands in an array formula over a declared block; every other table "
            "is looked at through INDEX, ROWS, COLUMNS or SUMPRODUCT, so that no spill is needed."
        ),
    ),
)


def sources(sheet: Worksheet) -> None:
    """Draw where the figures come from, and which modelling rules a book of tests cannot keep."""
    s.frame(
        sheet, "Sources", "Where the figures come from, and where this book departs from the rules "
        "of a model.", (28, 120), freeze="A6", master="B3", check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", LABEL, "x_label")
    sheet["B3"].alignment = Alignment(horizontal="left", vertical="center")
    s.heading(sheet, 5, ("What", "How and why"))
    made = (
        f"{stamp()}, fingerprint {store.current().fingerprint}: the core itself, no host between."
    )
    for row, (what, why) in enumerate(_RULES, 6):
        s.put(sheet, f"A{row}", what, "x_text")
        s.put(sheet, f"B{row}", why or made, "x_text")
        sheet.row_dimensions[row].height = 30 if len(why) > 160 else 16


def changes(sheet: Worksheet) -> None:
    """Draw the first line of the record of changes, and room for more."""
    s.frame(
        sheet, "Changes", "What was changed in this workbook, by whom, and why.",
        (14, 16, 24, 80), freeze="A6", master="B3", check=MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", LABEL, "x_label")
    s.heading(sheet, 5, ("Version", "Date", "Who", "What and why"))
    s.put(sheet, "A6", "1", "x_label")
    s.put(sheet, "B6", store.current().date, "x_label", s.DATE)
    s.put(sheet, "C6", f"xltoken {xltoken.__version__}", "x_label")
    s.put(sheet, "D6", f"Made from the template self_test. {stamp()}.", "x_text")
    for row in range(7, 13):
        for column in "ABCD":
            s.put(sheet, f"{column}{row}", None, "x_input")
        sheet[f"B{row}"].number_format = s.DATE
    for column, label, longest in (("A", "Version", 20), ("C", "Who", 60), ("D", "What", 250)):
        s.validate_text(sheet, f"{column}7:{column}12", label, longest)
    s.validate_date(sheet, "B7:B12", "Date of the change", blank=True)
