"""Modelling rules find what is wrong in a workbook, and nothing in one that is right."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "recalc"))

from recalc_tools import F, Raw, book, column, grid

from xltoken import audit
from xltoken.files import FileError
from xltoken.recalc.consistency import breaks
from xltoken.recalc.copies import relative_texts
from xltoken.recalc.package import parsed, read
from xltoken.recalc.sheetxml import address

BUDGET = Path(__file__).parents[1] / "workbooks" / "token_budget.xlsx"


def checked(sheets, **options):
    """Findings on a book given as its sheets, by rule."""
    content = sheets if isinstance(sheets, bytes) else book(sheets, **options)
    found = {}
    for finding in audit.check(parsed(Path("book.xlsx"), content)).findings:
        found.setdefault(finding.rule, []).append(finding)
    return found


def places(found, rule):
    """Sheets and cells of the findings of a rule."""
    return [(finding.sheet, finding.cells) for finding in found.get(rule, ())]


# --- the whole -----------------------------------------------------------------------------------


def test_a_template_is_clean():
    """The shipped budget has neither error nor warning."""
    found = audit.check(read(BUDGET))
    assert found.summary["errors"] == found.summary["warnings"] == 0
    assert found.formulas > 1000
    assert {finding.severity for finding in found.findings} <= {audit.NOTE}


def test_every_rule_says_how_bad_and_what_to_do():
    """Rules have names of their own, a severity and an advice that ends as a sentence."""
    names = [rule.name for rule in audit.RULES]
    assert len(set(names)) == len(names)
    for rule in audit.RULES:
        assert rule.severity in (audit.ERROR, audit.WARNING, audit.NOTE)
        assert rule.advice.endswith(".")


def test_findings_stand_worst_first():
    """Errors come before warnings, warnings before notes, and the summary counts them."""
    cells = {"A1": F("1/0", "#DIV/0!"), "A2": F("A1+1", "#DIV/0!"), "A3": F("B9+TODAY()", 1)}
    made = audit.check(parsed(Path("b.xlsx"), book({"S": cells})))
    severities = [finding.severity for finding in made.findings]
    assert severities == ["error", "warning", "note", "note"]
    assert made.summary == {"formulas": 3, "errors": 1, "warnings": 1, "notes": 2}


def test_a_book_the_engine_refuses_is_checked_without_it(monkeypatch):
    """Where nothing can be calculated that is said, and the other rules are checked all the same."""

    def refused(package):
        raise FileError(f"{package.path}: the engine cannot load it (reason).")

    monkeypatch.setattr("xltoken.recalc.inspection.Book", refused)
    cells = {"A1": F("1/0", "#DIV/0!"), "A2": F("[1]X!A1", 1), "A3": F("TODAY()", 1)}
    found = checked({"S": cells})
    assert found["not calculated"][0].what.endswith("the engine cannot load it (reason).")
    assert {*found} == {"error cell", "not calculated", "another workbook", "volatile function"}


# --- errors and values ---------------------------------------------------------------------------


def test_an_error_is_told_at_its_root():
    """Cells that only pass an error on are counted, not listed."""
    cells = {
        "A1": F("1/0", "#DIV/0!"),
        **column("B", [F("A1+1", "#DIV/0!"), F("SUM(B1:B1)", "#DIV/0!"), F("B2", "#DIV/0!")]),
    }
    found = checked({"S": cells, "Out": {"A1": F("S!B3", "#DIV/0!"), "A2": F("ABS(-1)", 1)}})
    assert places(found, "error cell") == [("S", "A1")]
    assert found["error cell"][0].what == "#DIV/0! in =1/0"
    assert [(f.cells, f.count) for f in found["error reached"]] == [("B1:B3", 3), ("A1", 1)]


def test_copies_of_one_error_are_one_finding():
    """Copies of a formula with the same error are told as one area, another error apart."""
    cells = {**column("A", [1, 2, 3]), **column("B", [0, 0, 0]),
             **column("C", [F(f"A{r}/B{r}", "#DIV/0!") for r in (1, 2, 3)]),
             "E1": F("SQRT(-1)", "#NUM!"), "G1": Raw('<c r="G1" t="e"><v>#N/A</v></c>')}  # fmt: skip
    found = checked({"S": cells})
    assert [(f.cells, f.count, f.what) for f in found["error cell"]] == [
        ("C1:C3", 3, "#DIV/0! in =A1/B1"),
        ("E1", 1, "#NUM! in =SQRT(-1)"),
        ("G1", 1, "#N/A typed as a constant"),
    ]


def test_an_error_under_an_array_is_told():
    """An array formula whose first value is none may still hold an error further down."""
    cells = {"A1": F("1/C1:C2", 1, ' t="array" ref="A1:A2"'), "C1": 1, "C2": 0,
             "A2": Raw('<c r="A2" t="e"><v>#DIV/0!</v></c>')}  # fmt: skip
    found = checked({"S": cells})
    assert [(f.cells, f.what) for f in found["error cell"]] == [
        ("A2", "#DIV/0! under an array formula")
    ]


def test_an_array_that_comes_out_otherwise_is_stale():
    """An array whose first value is right and whose others are not is stale as a whole."""
    cells = {"A1": F("C1:C2*2", 2, ' t="array" ref="A1:A2"'), "C1": 1, "C2": 5, "A2": 4}
    [finding] = checked({"S": cells})["stale value"]
    assert finding.what == "the array does not come out as saved: =C1:C2*2"


def test_errors_in_a_circle_are_not_lost():
    """Where every error reads another one they are all told."""
    cells = {"A1": F("B1", "#REF!"), "B1": F("A1", "#REF!")}
    assert len(checked({"S": cells})["error cell"]) == 2


def test_a_circle_is_an_error():
    """Cells that read themselves through others are named."""
    cells = {"A1": F("B1+1", 0), "B1": F("A1+1", 0), "C1": 1}
    [finding] = checked({"S": cells})["circular reference"]
    assert (finding.severity, finding.cells, finding.count) == ("error", "A1:B1", 2)


def test_missing_values_are_counted_by_sheet():
    """Formulas without a saved value are one finding a sheet; a saved empty text is a value."""
    empty = [
        Raw('<c r="A3" t="str"><f>""</f><v></v></c>'),
        Raw('<c r="A4" t="str"><f>""</f><v/></c>'),
    ]
    cells = {"A1": F("1+1"), "A2": F("1+2"), "A3": empty[0], "A4": empty[1], "A5": F("2", 2)}
    found = checked({"S": cells, "T": {"A1": F("1+1", 2)}})
    assert [(f.sheet, f.cells, f.count) for f in found["missing value"]] == [("S", "A1:A2", 2)]


def test_a_stale_value_is_told_at_its_root():
    """An input edited without recalculation: the cells that read it are stale, not all below."""
    cells = {"A1": 5, "B1": F("A1*2", 8), "C1": F("B1+1", 9)}
    found = checked({"S": cells})
    [finding] = found["stale value"]
    assert (finding.cells, finding.what) == ("B1", "saved 8, comes to 10: =A1*2")


def test_text_and_error_are_told_apart():
    """A saved text that looks like an error or number is quoted."""
    stale = Raw('<c r="A1" t="str"><f>1/0</f><v>#DIV/0!</v></c>')
    [finding] = checked({"S": {"A1": stale}})["stale value"]
    assert finding.what == 'saved "#DIV/0!", comes to #DIV/0!: =1/0'


def test_our_own_functions_drift_with_the_catalog():
    """A value of ours that the catalog no longer gives is drift, no stale value."""
    text = 'TOKEN_COST("B200",0,"gpt-oss-120b/batch")'
    found = checked({"S": {"A1": F(text, 123.0), "A2": F("A1*2", 246.0)}})
    assert places(found, "catalog drift") == [("S", "A1")]
    assert found["catalog drift"][0].what.startswith("saved 123, is now 0.")
    assert "stale value" not in found


# --- what formulas call and read -----------------------------------------------------------------


def test_what_cannot_be_recalculated_is_named():
    """Functions that the engine lacks, other workbooks and data tables are told apart."""
    cells = {
        "A1": F('CUBEVALUE("x")', 1),
        "A2": F('CUBEVALUE("y")', 1),
        "A4": F("[1]Other!A1", 1),
        "C1": F("", 1, ' t="dataTable" ref="C1:C2" r1="A9"'),
    }
    found = checked({"S": cells})
    [lacking] = found["unsupported"]
    assert (lacking.severity, lacking.cells, lacking.what) == ("note", "A1:A2", "CUBEVALUE")
    assert places(found, "another workbook") == [("S", "A4")]
    assert places(found, "data table") == [("S", "C1")]


def test_volatile_functions_are_named():
    """Each set of volatile functions of a sheet is one finding."""
    cells = {"A1": F("TODAY()+1", 1), "A2": F("TODAY()+2", 2), "A3": F("OFFSET(A1,0,NOW())", 1)}
    found = checked({"S": cells})
    assert [(f.cells, f.what) for f in found["volatile function"]] == [
        ("A1:A2", "calls TODAY"),
        ("A3", "calls OFFSET, NOW"),
    ]


@pytest.mark.parametrize(
    ("formula", "empty"),
    [
        ("B1+C1", [("S", "B1:C1")]),
        ("$B$1*'In put'!C3", [("S", "B1"), ("In put", "C3")]),
        ("SUM(B1:B9)", []),
        ('"B1"&A2', []),
        ("ISBLANK(B1)", []),
        ('IF(B1="","",1)', []),
        ("ROW(B1)", []),
        ("A2+A3", []),
        ("A2:INDEX(A1:A9,2)", []),
    ],
)
def test_only_single_cells_that_do_not_exist_are_empty_references(formula, empty):
    """Ranges may hold blanks, a formatted blank is meant, and asking whether is no reading."""
    cells = {"A1": F(formula, 1), "A2": 1, "A3": Raw('<c r="A3" s="0"/>')}
    found = checked({"S": cells, "In put": {"A1": 1}})
    assert sorted(places(found, "empty reference")) == sorted(empty)


def test_an_empty_cell_names_its_readers():
    """A missing cell says which formula reads it and how many more do."""
    cells = column("A", [F("$C$9*1", 0), F("$C$9*2", 0), F("$C$9*3", 0)])
    [finding] = checked({"S": cells})["empty reference"]
    assert (finding.cells, finding.what) == ("C9", "empty, yet read by S!A1 and 2 more")


def test_a_number_kept_as_text_in_a_sum():
    """Texts that are numbers are told where a sum passes over them, and only there."""
    cells = {**column("A", [1, "2", " 1,000.50 ", "three", F("SUM(A1:A4)", 1)]), "B1": "7"}
    found = checked({"S": cells, "T": {"A1": F("SUM(S!A2:A2,1)", 1)}})
    assert [(f.cells, f.count) for f in found["number kept as text"]] == [("A2:A3", 2)]


# --- copies that are none ------------------------------------------------------------------------


def line(*contents):
    """Second row with these contents from B on, over a row of numbers, saved values right."""
    cells = {}
    for number, content in enumerate(contents):
        cells[address(1, 2 + number)] = 1
        if content is not None:
            cells[address(2, 2 + number)] = content
    return cells


def copies(count, factor=2, first=0):
    """Copies along row 2, from the column numbered `first` after B."""
    return [F(f"{address(1, 2 + first + n)}*{factor}", factor) for n in range(count)]


def test_a_typed_number_in_a_row_of_formulas():
    """A number over a formula is told with what the others would have there."""
    contents = [*copies(3), 7, *copies(3, first=4)]
    found = checked({"S": line(*contents)})
    [finding] = found["number typed over a formula"]
    assert (finding.cells, finding.what) == (
        "E2", "the number 7, where the other cells of B2:H2 would have =E1*2",
    )  # fmt: skip
    assert "formula unlike its neighbours" not in found


def test_an_odd_formula_in_a_row():
    """A formula unlike those on both sides is told with its run and what they would have."""
    contents = [*copies(3), *copies(1, 3, 3), *copies(3, first=4)]
    [finding] = checked({"S": line(*contents)})["formula unlike its neighbours"]
    assert (finding.cells, finding.what) == (
        "E2", "=E1*3, where the other cells of B2:H2 would have =E1*2",
    )  # fmt: skip


def test_an_odd_formula_in_a_column():
    """Columns are read as rows are, where they were copied down."""
    cells = {**column("A", [1] * 9), **column("B", [F(f"A{r}*2", 2) for r in range(1, 10)]),
             **column("C", [F(f"B{r}+1", 3) for r in range(1, 10)]), "B5": F("A5*3", 3)}  # fmt: skip
    cells["C5"] = F("B5+1", 4)
    found = checked({"S": cells})
    assert places(found, "formula unlike its neighbours") == [("S", "B5")]


def odd_spots(cells):
    """Addresses of the cells of a sheet that break its copies."""
    sheet = parsed(Path("b.xlsx"), book({"S": cells})).sheets["S"]
    return [address(*one.spot) for one in breaks(sheet, relative_texts(sheet))]


@pytest.mark.parametrize(
    ("contents", "odd"),
    [
        ([F("1", 1), *copies(5, first=1)], []),  # the first may differ
        ([5, *copies(5, first=1)], []),
        ([*copies(5), F("SUM(B2:F2)", 1)], []),  # a total at the end
        ([*copies(5), 5], []),  # perhaps an input of its own
        ([*copies(2), 5, *copies(1, first=3)], ["D2"]),
        ([*copies(1), 5, *copies(1, first=2)], []),  # too few to be a pattern
        ([*copies(3), 5, 6, *copies(3, first=5)], ["E2", "F2"]),
        ([*copies(3), 5, *copies(1, 3, 4), *copies(3, first=5)], ["E2", "F2"]),
        ([*copies(3), 5, 6, 7, *copies(3, first=6)], []),  # three are a block of their own
        ([*copies(3), "text", *copies(3, first=4)], []),
        ([*copies(3), None, *copies(3, first=4)], []),
        ([*copies(3), F("SUM(B2:D2)", 1), *copies(3, first=4)], []),  # a subtotal
        ([*copies(4), *copies(4, 3, 4)], []),  # another period
    ],
)
def test_what_breaks_a_row(contents, odd):
    """One or two cells that differ from those on both sides break a row; nothing else does."""
    assert odd_spots(line(*contents)) == odd


def block(rows, width=8, **others):
    """Rows of copies, each row with a factor of its own."""
    cells = grid([[1] * (width + 1)])
    for row in range(2, 2 + rows):
        for col in range(2, 2 + width):
            cells[address(row, col)] = F(f"{address(1, col)}*{row}", row)
    return {**cells, **others}


def test_a_column_of_subtotals_is_no_break():
    """What differs in the same way in every row is a column of its own."""
    subtotals = {f"E{row}": F(f"MAX(B{row},D{row})", row) for row in (2, 3, 4)}
    assert odd_spots(block(3, **subtotals)) == []
    assert odd_spots(block(3, E3=F("MAX(B3,D3)", 3))) == ["E3"]


def test_the_last_cell_breaks_where_the_rows_beside_it_go_on():
    """An odd last cell is told only if the rows above or below do not end in the same way."""
    assert odd_spots(block(3, I3=5)) == ["I3"]
    assert odd_spots(block(3, I3=F("I1*99", 5))) == ["I3"]
    assert odd_spots(block(3, I2=5, I3=5, I4=5)) == []


def test_what_recurs_is_a_pattern():
    """A formula that comes back every few cells, as quarters do, breaks nothing."""
    contents = []
    for quarter in range(4):
        contents += [*copies(3, first=4 * quarter), F(f"MAX({address(2, 2 + 4 * quarter)},1)", 2)]
    assert odd_spots(line(*contents)) == []


def test_every_month_of_the_budget_is_watched():
    """Another formula in any single cell within the budget's monthly rows is found, and no other."""
    sheet = read(BUDGET).sheets["Calculations"]
    texts = relative_texts(sheet)
    assert breaks(sheet, texts) == []
    tried = 0
    for row, col in list(texts)[::7]:
        around = {texts.get((row, other)) for other in range(col - 3, col + 4)}
        if len(around) == 1:
            tried += 1
            found = breaks(sheet, {**texts, (row, col): "another"})
            assert [one.spot for one in found] == [(row, col)]
    assert tried > 100


def test_numbers_in_a_long_row_are_all_told():
    """Several typed numbers in a long row are breaks, a column of inputs in a table is none."""
    contents = copies(60)
    for at in (10, 20, 30, 40):
        contents[at] = 5
    assert len(odd_spots(line(*contents))) == 4
    table = {}
    for row in range(1, 9):
        table |= {f"A{row}": 1, f"B{row}": F(f"A{row}*2", 2), f"C{row}": 3,
                  f"D{row}": F(f"C{row}*2", 6), f"E{row}": F(f"D{row}*2", 12)}  # fmt: skip
    assert odd_spots(table) == []


def test_values_under_an_array_are_no_typed_numbers():
    """Cells that an array formula fills are not numbers typed beside it."""
    cells = line(*copies(3), F("TRANSPOSE(A5:A6)", 1, ' t="array" ref="E2:F2"'), 2,
                 *copies(3, first=5))  # fmt: skip
    assert "F2" not in odd_spots(cells)
