"""Sheets Functions, Hosts and Arrays: one row a case, what the host gives beside what is due."""

from collections.abc import Sequence
from typing import Final

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter as letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from xltoken.functions import FUNCTIONS, WorksheetFunction
from xltoken.templates import style as s
from xltoken.templates.self_test import layout as at
from xltoken.templates.self_test.case import Argument, Block, Case, Limit, Look, Special, called
from xltoken.templates.self_test.edges import example
from xltoken.templates.self_test.ranges import Names, aside, key, part_of_a_test, typed

ERROR: Final = "error"
"""What stands for an error where a formula compares."""

NONE: Final = "none"
"""What stands where every host can tell."""


def cases(
    book: Workbook, sheet: Worksheet, subtitle: str, listed: Sequence[Case], names: Names
) -> None:
    """Draw a sheet of cases, and name what is counted of it."""
    s.frame(
        sheet, sheet.title, subtitle, [width for _, width in at.COLUMNS], freeze="D6",
        master="C3", check=at.MASTER, repeat_rows="1:5",
    )  # fmt: skip
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3
    s.put(sheet, "A3", at.LABEL, "x_label")
    s.heading(sheet, 5, [title for title, _ in at.COLUMNS], "NOPQRSTUVWYZ")
    sheet.row_dimensions[5].height = 42
    sheet[f"{at.LIMIT}5"].alignment = Alignment(indent=1, vertical="center", wrap_text=True)
    for number, case in enumerate(listed, 1):
        _case(sheet, at.FIRST_CASE + number - 1, number, case, names)
    last = at.FIRST_CASE + len(listed) - 1
    prefix = sheet.title.lower()
    for name, column in (
        ("result", "B"), ("group", "D"), ("shows", "E"), ("catalog", at.CATALOG), ("met", at.MET),
    ):  # fmt: skip
        s.name(book, f"{prefix}_{name}", sheet.title, f"{column}{at.FIRST_CASE}:{column}{last}")
    # The row and column that are picked of a table stand beside the arguments.
    part_of_a_test(sheet, f"{letter(at.ARGUMENT)}{at.FIRST_CASE}:{at.COLUMN}{last}")
    mark_fails(sheet, f"B{at.FIRST_CASE}:B{last}")


def _case(sheet: Worksheet, row: int, number: int, case: Case, names: Names) -> None:
    s.put(sheet, f"A{row}", number, "x_unit")
    within = f"AND({at.KIND}{row}=1,{at.OFF}{row}<={at.ALLOWED}{row})"
    s.put(sheet, f"B{row}", f'=IF(OR({within},{at.MET}{row}=1),"PASS","FAIL")', "x_check")
    s.put(sheet, f"C{row}", case.function.name, "x_label")
    s.put(sheet, f"D{row}", case.subject, "x_label")
    s.put(sheet, f"E{row}", case.shows, "x_label")
    for i, argument in enumerate(case.arguments):
        _argument(sheet, f"{letter(at.ARGUMENT + i)}{row}", argument, case.formats.get(i), names)
    for column, position in zip((at.ROW, at.COLUMN), case.picked or (), strict=False):
        s.put(sheet, f"{column}{row}", position, "x_input")
    shown = case.shown or "General"
    s.put(sheet, f"{at.LIVE}{row}", f"={formula(case, row, names)}", "x_output", shown)
    s.put(sheet, f"{at.READ}{row}", f'=IFERROR({at.LIVE}{row},"{ERROR}")', "x_calculation", shown)
    s.put(sheet, f"{at.EXPECTED}{row}", case.expected, "x_label", shown)
    live, due = f"{at.READ}{row}", f"{at.EXPECTED}{row}"
    off = f"=IF(ISNUMBER({due}),ABS(N({live})-{due}),1-EXACT({live},{due}))"
    s.put(sheet, f"{at.KIND}{row}", f"=1*(ISNUMBER({live})=ISNUMBER({due}))", "x_calculation", "0")
    s.put(sheet, f"{at.OFF}{row}", off, "x_calculation", "0.0E+00;-0.0E+00;0")
    allowed = f"=(1-{at.EXACT}{row})*tolerance*ABS(N({due}))"
    s.put(sheet, f"{at.ALLOWED}{row}", allowed, "x_calculation", "0.0E+00;-0.0E+00;0")
    s.put(sheet, f"{at.EXACT}{row}", int(case.exact), "x_label")
    s.put(sheet, f"{at.CATALOG}{row}", int(case.rests_on_catalog), "x_label")
    limit = case.limit or Limit(NONE, NONE)
    s.put(sheet, f"{at.LIMIT}{row}", limit.hosts, "x_label")
    outcome = ERROR if limit.outcome is None else limit.outcome
    s.put(sheet, f"{at.THERE}{row}", outcome, "x_label")
    told = f"SEARCH(live_host,{at.LIMIT}{row})>0"
    met = f"=IFERROR(1*AND({told},{live}={at.THERE}{row}),0)"
    s.put(sheet, f"{at.MET}{row}", met, "x_calculation", "0")
    for column, value in ((at.LIVE, case.expected), (at.READ, case.expected),
                          (at.EXPECTED, case.expected), (at.THERE, 0.0)):  # fmt: skip
        sheet[f"{column}{row}"].alignment = aside(value)
    sheet[f"{at.LIMIT}{row}"].alignment = aside(NONE)


def formula(case: Case, row: int, names: Names) -> str:
    """Formula of a case, every argument a reference."""
    written = []
    for i, argument in enumerate(case.arguments):
        place = f"{letter(at.ARGUMENT + i)}{row}"
        if isinstance(argument, Block):
            place = names[key(argument)]
        elif argument is Special.SKIPPED:
            place = ""
        elif argument is Special.ERROR:
            place = Special.ERROR.value
        elif case.calculated:
            place = f"T({place})" if isinstance(argument, str) else f"N({place})"
        written.append(place)
    call = f"{case.function.name}({','.join(written)})"
    where = {"row": f"{at.ROW}{row}", "column": f"{at.COLUMN}{row}"}
    if case.picked and case.look is not Look.CELL:
        call = Look.CELL.format(call=call, **where)
    return case.look.format(call=call, **where)


def _argument(
    sheet: Worksheet, place: str, argument: Argument, number_format: str | None, names: Names
) -> None:
    if isinstance(argument, Block):
        s.put(sheet, place, names[key(argument)], "x_link")
        sheet[place].alignment = aside("")
    elif isinstance(argument, Special):
        s.put(sheet, place, argument.value, "x_link")
        sheet[place].alignment = aside("")
    else:
        typed(sheet, place, argument, number_format)


def mark_fails(sheet: Worksheet, area: str, good: str = "PASS") -> None:
    """Fill what does not pass, which also says so in words."""
    corner = area.partition(":")[0]
    rule = FormulaRule(  # type: ignore[no-untyped-call]
        formula=[f'{corner}<>"{good}"'],
        fill=PatternFill("solid", bgColor="F8D7DA"),
        font=Font(bold=True, color="9B1C1C"),
    )
    sheet.conditional_formatting.add(area, rule)


# --- a table in a block of fixed size ------------------------------------------------------------

_ARGUMENTS: Final = 7
_BLOCK: Final = 11


def block_function() -> WorksheetFunction:
    """First function whose example is a table of a text and a number in every row."""
    return next(
        function
        for function in FUNCTIONS.values()
        if function.table
        and all(
            [type(cell) for cell in row] == [str, float]
            for row in called(function, example(function))
        )
    )


def array(book: Workbook, sheet: Worksheet, listed: Sequence[Case]) -> int:
    """Draw a table as one array formula over a block, and give its number of rows."""
    function = block_function()
    expected = called(function, example(function))
    s.frame(
        sheet, "Arrays", f"The table of {function.name} in one array formula over a block of fixed "
        "size, as Excel without spills needs it.", (22, 18, 14, 22, 18, 14, 12, 12, 12),
        freeze="A6", master="B3", check=at.MASTER, repeat_rows="1:5",
    )  # fmt: skip
    s.put(sheet, "A3", at.LABEL, "x_label")
    s.put(sheet, "A5", "Arguments: those of its worked example on Functions", "x_section")
    source = at.FIRST_CASE + next(i for i, c in enumerate(listed) if c.function is function)
    for i, parameter in enumerate(function.parameters[: len(function.example)]):
        s.put(sheet, f"{letter(1 + i)}{_ARGUMENTS - 1}", parameter.name, "x_heading")
        sheet[f"{letter(1 + i)}{_ARGUMENTS - 1}"].alignment = Alignment(horizontal="right")
        link = f"=Functions!{letter(at.ARGUMENT + i)}{source}"
        s.put(sheet, f"{letter(1 + i)}{_ARGUMENTS}", link, "x_link")
        sheet[f"{letter(1 + i)}{_ARGUMENTS}"].alignment = Alignment(horizontal="right")
    titles = [column.title.capitalize() for column in function.columns]
    s.put(sheet, f"A{_BLOCK - 2}", "Here, and what is expected", "x_section")
    s.heading(
        sheet, _BLOCK - 1,
        (*titles, "", *(f"Expected: {title.lower()}" for title in titles), "Same kind", "Off by",
         "Allowed", "Result"),
        "BEFGH",
    )  # fmt: skip
    last = _BLOCK + len(expected) - 1
    area = f"A{_BLOCK}:B{last}"
    given = ",".join(f"{letter(1 + i)}{_ARGUMENTS}" for i in range(len(function.example)))
    for row, (figure, value) in enumerate(expected, _BLOCK):
        s.put(sheet, f"A{row}", None, "x_output")
        s.put(sheet, f"B{row}", None, "x_output", "General")
        s.put(sheet, f"D{row}", figure, "x_label")
        s.put(sheet, f"E{row}", value, "x_label", "General")
        same = f"=IFERROR(1*AND(EXACT(A{row},D{row}),ISNUMBER(B{row})),0)"
        s.put(sheet, f"F{row}", same, "x_calculation", "0")
        off = f'=IFERROR(ABS(B{row}-E{row}),"{ERROR}")'
        s.put(sheet, f"G{row}", off, "x_calculation", "0.0E+00;-0.0E+00;0")
        s.put(sheet, f"H{row}", f"=tolerance*ABS(E{row})", "x_calculation", "0.0E+00;-0.0E+00;0")
        passed = f'=IF(AND(F{row}=1,G{row}<=H{row}),"PASS","FAIL")'
        s.put(sheet, f"I{row}", passed, "x_check")
    corner = sheet[f"A{_BLOCK}"]
    corner.value = ArrayFormula(area, f"={function.name}({given})")
    sheet[f"I{_BLOCK - 1}"].alignment = Alignment(horizontal="center", vertical="center")
    note = "LibreOffice without the functions shows #NAME? in the block, whatever was saved."
    s.put(sheet, f"A{last + 2}", note, "x_unit")
    s.name(book, "block_result", "Arrays", f"I{_BLOCK}:I{last}")
    mark_fails(sheet, f"I{_BLOCK}:I{last}")
    return len(expected)
