"""References to tables: each form, and whole books with tables in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recalc_tools import (
    F,
    book,
    element,
    engine_believed,
    recalculated,
    shared,
    statuses,
    table_parts,
    values,
)

from xltoken.recalc.structured import Table, resolved, table_of

SALES = Table("Sales", "It's S", (2, 2), (6, 4), ("Region", "Amount", "Net [EUR], 'x' #1"), 1, 1)
PLAIN = Table("Plain", "T", (1, 1), (3, 2), ("a", "b"), 0, 0)
TABLES = {"sales": SALES, "plain": PLAIN}
S = "'It''s S'!"


@pytest.fixture(autouse=True)
def trusted():
    """These tests are about tables, not about which functions are believed."""
    with engine_believed():
        yield


def here(formula, sheet="It's S", row=4, column=4):
    """Formula resolved as if it stood in the third row of the table."""
    return resolved(formula, TABLES, sheet, row, column)


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "area"),
    [
        ("Sales", f"{S}$B$3:$D$5"),
        ("Sales[]", f"{S}$B$3:$D$5"),
        ("Sales[#Data]", f"{S}$B$3:$D$5"),
        ("Sales[#All]", f"{S}$B$2:$D$6"),
        ("Sales[#Headers]", f"{S}$B$2:$D$2"),
        ("Sales[#Totals]", f"{S}$B$6:$D$6"),
        ("Sales[#This Row]", f"{S}$B$4:$D$4"),
        ("Sales[@]", f"{S}$B$4:$D$4"),
        ("Sales[Amount]", f"{S}$C$3:$C$5"),
        ("Sales[ Amount ]", f"{S}$C$3:$C$5"),
        ("Sales[[Amount]]", f"{S}$C$3:$C$5"),
        ("sales[AMOUNT]", f"{S}$C$3:$C$5"),
        ("Sales[[Region]:[Amount]]", f"{S}$B$3:$C$5"),
        ("Sales[[Amount]:[Region]]", f"{S}$B$3:$C$5"),
        ("Sales[@Amount]", f"{S}$C$4"),
        ("Sales[@[Amount]]", f"{S}$C$4"),
        ("Sales[@[Region]:[Amount]]", f"{S}$B$4:$C$4"),
        ("Sales[[#This Row],[Amount]]", f"{S}$C$4"),
        ("Sales[[#this row],[amount]]", f"{S}$C$4"),
        ("Sales[[#This Row],[Region]:[Amount]]", f"{S}$B$4:$C$4"),
        ("Sales[[#Headers],[Amount]]", f"{S}$C$2"),
        ("Sales[[#Totals],[Amount]]", f"{S}$C$6"),
        ("Sales[[#All],[Amount]]", f"{S}$C$2:$C$6"),
        ("Sales[[#Data],[Amount]]", f"{S}$C$3:$C$5"),
        ("Sales[[#Headers],[#Data],[Amount]]", f"{S}$C$2:$C$5"),
        ("Sales[[#Data],[#Totals],[Amount]]", f"{S}$C$3:$C$6"),
        ("Sales[ [#Headers], [Region]:[Amount] ]", f"{S}$B$2:$C$2"),
        ("Sales[Net '[EUR'], ''x'' '#1]", f"{S}$D$3:$D$5"),
        ("Sales[[Net '[EUR'], ''x'' '#1]]", f"{S}$D$3:$D$5"),
        ("Sales[[#This Row],[Net '[EUR'], ''x'' '#1]]", f"{S}$D$4"),
        ("Sales[@[Net '[EUR'], ''x'' '#1]]", f"{S}$D$4"),
        ("[Amount]", f"{S}$C$3:$C$5"),
        ("[@Amount]", f"{S}$C$4"),
        ("[#Headers]", f"{S}$B$2:$D$2"),
        ("Plain", "'T'!$A$1:$B$3"),
        ("Plain[#All]", "'T'!$A$1:$B$3"),
        ("Plain[b]", "'T'!$B$1:$B$3"),
    ],
)
def test_every_form_is_the_cells_it_means(reference, area):
    """Items, columns, spans, rows, marks and cases of letters all come to plain ranges."""
    assert here(reference) == area
    assert here(f"=SUM({reference})/2") == f"=SUM({area})/2"


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("Sales[Gone]", "#REF!"),
        ("Sales[[#This Row],[Gone]]", "#REF!"),
        ("Sales[[Region]:[Gone]]", "#REF!"),
        ("Plain[#Headers]", "#REF!"),
        ("Plain[#Totals]", "#REF!"),
        ("Plain[[#Totals],[a]]", "#REF!"),
        ("Plain[@a]", "#VALUE!"),
        ("Plain[[#This Row],[a]]", "#VALUE!"),
    ],
)
def test_what_is_not_there_is_an_error(reference, error):
    """A column, item or row that a table does not have is never another one."""
    assert here(f"1+{reference}") == f"1+{error}"


@pytest.mark.parametrize(
    ("sheet", "row", "means"),
    [
        ("It's S", 3, f"{S}$C$3"),
        ("It's S", 5, f"{S}$C$5"),
        ("It's S", 2, "#VALUE!"),
        ("It's S", 6, "#VALUE!"),
        ("It's S", 99, "#VALUE!"),
        ("T", 4, "#VALUE!"),
    ],
)
def test_this_row_is_a_row_of_data_on_the_table_s_sheet(sheet, row, means):
    """Beside the data, on the header, on the totals or on another sheet there is no such row."""
    assert here("Sales[@Amount]", sheet, row, 9) == means


@pytest.mark.parametrize(
    "formula",
    [
        '"Sales[Amount]"',
        '"it""s Sales[#All]"&A1',
        "Sales!A1",
        "'Sales'!A1",
        "'Sales[Amount]'!A1",
        "Sales(A1)",
        "MySales",
        "Sales_2",
        "Sales.x",
        "x.Sales",
        "\\Sales",
        "Sales2[Amount]",
        "Other[Amount]",
        "A1:B2",
        "{1,2;3,4}",
        "IF(A1,TRUE,FALSE)",
        "'[1]S'!A1",
        "",
    ],
)
def test_what_only_looks_like_a_table_stays(formula):
    """Texts, sheets, functions, longer names and unknown tables are none of ours."""
    assert here(formula) == formula


def test_a_column_without_a_table_is_of_the_table_around():
    """Outside every table a column alone means nothing and stays as it is."""
    assert here("SUM([Amount])", row=9, column=9) == "SUM([Amount])"
    assert here("SUM([a])", "T", 1, 1) == "SUM('T'!$A$1:$A$3)"


def test_a_bracket_that_is_never_closed_stays():
    """A broken reference is left to the engine, which says that it cannot be read."""
    assert here("Sales[Amount") == "Sales[Amount"


def test_several_references_are_each_resolved():
    """Everything between two references stays as it was."""
    formula = 'SUM(Sales[Amount])/COUNTA(Plain)&" Sales[Amount] "&Sales[[#Totals],[Amount]]'
    expected = f"SUM({S}$C$3:$C$5)/COUNTA('T'!$A$1:$B$3)&\" Sales[Amount] \"&{S}$C$6"
    assert here(formula) == expected


@given(st.text(alphabet="Sales[]@#'\",: Amount!()1$", max_size=30))
def test_no_text_is_too_odd(formula):
    """Whatever a formula is, resolving ends without an error, and twice is no more than once."""
    once = here(formula)
    if "[" not in once:
        assert here(once) == once


@given(
    names=st.lists(
        st.text(alphabet="aB '[]#@,:\n1", min_size=1, max_size=8).filter(lambda n: n == n.strip()),
        min_size=1,
        max_size=5,
        unique_by=str.casefold,
    ),
    data=st.data(),
)
def test_every_column_name_can_be_written(names, data):
    """With the marks that Excel puts before special letters any name is found again."""
    table = Table("T", "S", (1, 1), (3, len(names)), tuple(names), 1, 0)
    place = data.draw(st.integers(0, len(names) - 1))
    marked = "".join(f"'{letter}" if letter in "[]#'@" else letter for letter in names[place])
    letter = "ABCDE"[place]
    found = resolved(f"T[[#Data],[{marked}]]", {"t": table}, "S", 9, 9)
    assert found == f"'S'!${letter}$2:${letter}$3"
    found = resolved(f"T[[{marked}]]", {"t": table}, "S", 9, 9)
    assert found == f"'S'!${letter}$2:${letter}$3"


# --- parts ----------------------------------------------------------------------------------------


def test_a_table_part_is_read_as_it_is_written():
    """Prefix, escapes, line breaks in names, header and totals counts are all understood."""
    xml = (
        b'<x:table xmlns:x="m" name="n" displayName="Shown" ref="B2:C9" totalsRowCount="1">'
        b'<x:tableColumns count="2"><x:tableColumn id="1" name="a&amp;b"/>'
        b'<x:tableColumn id="2" name="two_x000a_lines"><x:calculatedColumnFormula>1'
        b"</x:calculatedColumnFormula></x:tableColumn></x:tableColumns></x:table>"
    )
    expected = Table("Shown", "S", (2, 2), (9, 3), ("a&b", "two\nlines"), 1, 1)
    assert table_of("S", xml) == expected


@pytest.mark.parametrize("xml", [b"<other/>", b'<table name="a" ref="nowhere"/>', b"<table/>"])
def test_a_part_that_describes_no_table_is_none(xml):
    """What has no area is no table."""
    assert table_of("S", xml) is None


# --- whole books ----------------------------------------------------------------------------------

COLUMNS = ("Region", "Amount", "Double")
ROWS = {
    "A1": "Region",
    "B1": "Amount",
    "C1": "Double",
    "A2": "n",
    "B2": 1.0,
    "C2": F("Sales[[#This Row],[Amount]]*2", 2),
    "A3": "s",
    "B3": 2.0,
    "C3": F("Sales[[#This Row],[Amount]]*2", 4),
    "A4": "Total",
    "C4": F("SUM(Sales[Double])", 6),
}
PARTS = table_parts(1, "Sales", "A1:C4", COLUMNS, totals=1)


def sold(tmp_path, extra, *settings, **options):
    """Recalculation of a book with the table of sales."""
    content = book({"S": {**ROWS, **extra}}, parts=PARTS, **options)
    return recalculated(tmp_path, content, *settings)


def test_calculated_columns_and_totals_follow(tmp_path):
    """Rows compute with their own cells, and what reads the columns sees them."""
    extra = {
        "E1": F("SUM(Sales[Amount])", 3),
        "E2": F("Sales[[#Totals],[Double]]+1", 7),
        "E3": F("ROWS(Sales)", 2),
        "E4": F("Sales[[#Headers],[Amount]]", "Amount"),
        "E5": F("INDEX(Sales[Amount],2)", 2),
    }
    found, report = sold(tmp_path, extra, "B2=5")
    assert [found[c] for c in ("C2", "C3", "C4")] == [10, 4, 14]
    assert [found[f"E{row}"] for row in range(1, 6)] == [7, 15, 2, "Amount", 2]
    assert report.summary["right"] == 8
    assert "Sales[[#This Row],[Amount]]*2" in element(report.output, "C2")


def test_shared_formulas_name_their_own_rows(tmp_path):
    """A shared calculated column computes each row with that row's cells."""
    cells = {
        **ROWS,
        "C2": shared("C2", 0, 2, "Sales[[#This Row],[Amount]]*B2*2", "C2:C3"),
        "C3": shared("C3", 0, 8),
        "C4": F("SUM(Sales[Double])", 10),
    }
    found, report = recalculated(tmp_path, book({"S": cells}, parts=PARTS), "B3=3")
    assert (found["C2"], found["C3"], found["C4"]) == (2, 18, 20)
    assert report.summary["right"] == 3


def test_tables_are_read_across_sheets(tmp_path):
    """Two tables on two sheets keep apart, wherever the formula stands."""
    costs = {"A1": "Region", "B1": "Amount", "A2": "n", "B2": 10.0, "B3": 20.0}
    total = {
        "A1": F("SUM(Sales[Amount])", 3),
        "A2": F("SUM(Costs[Amount])-SUM(Sales[Amount])", 27),
        "A3": F("SUM(costs[amount])", 30),
    }
    parts = {**PARTS, **table_parts(2, "Costs", "A1:B3", ("Region", "Amount"), sheet=2)}
    sheets = {"S": ROWS, "It's 2": costs, "Sum": total}
    _, report = recalculated(tmp_path, book(sheets, parts=parts), "'It''s 2'!B2=100")
    assert values(report.output, "Sum") == {"A1": 3, "A2": 117, "A3": 120}
    assert not report.findings


@pytest.mark.parametrize(
    "formula",
    [
        'CUBEVALUE("x",Sales[Amount])',
        'CUBEVALUE("x",Sales)',
        'CUBEVALUE("x",Sales[Double])',
        'CUBEVALUE("x",Sales[[#Totals],[Double]])',
        "SUM(Sales[Amount])",
        "SUM(Sales[])",
        "Sales[[#Totals],[Double]]",
        'SUM(INDIRECT("Sales[Amount]"))',
        "SUM(Amounts)",
    ],
)
def test_what_is_not_believed_and_reads_a_changed_table_is_refused(tmp_path, formula):
    """Unsupported and disputed formulas are seen to read the cells of the table."""
    extra = {"E1": F(formula, 99), "E2": F("E1*2", 198)}
    found, report = sold(tmp_path, extra, "B2=5", names={"Amounts": "Sales[Amount]"})
    told = statuses(report)
    assert (told["E1"], told["E2"]) == ("refused", "refused")
    assert (found["E1"], found["E2"]) == (99, 198)


def test_a_row_that_is_unsupported_is_refused_alone(tmp_path):
    """Only the row whose own cell changed is refused."""
    extra = {f"D{row}": F('CUBEVALUE("x",Sales[[#This Row],[Amount]])', row) for row in (2, 3)}
    _, report = sold(tmp_path, extra, "B2=5")
    told = statuses(report)
    assert (told["D2"], told["D3"]) == ("refused", "unsupported")


def test_a_missing_column_never_computes_as_another(tmp_path):
    """A reference to a column that is gone is an error, as saved, or disputed: never a number."""
    extra = {"E1": F("SUM(Sales[Gone])", "#REF!"), "E2": F("SUM(Sales[Gone])", 3)}
    found, report = sold(tmp_path, extra, "B2=5")
    assert (found["E1"], found["E2"]) == ("#REF!", 3)
    assert statuses(report)["E2"] in ("disputed", "refused")
    assert "E1" not in statuses(report)


def test_our_functions_take_columns_of_tables(tmp_path):
    """A call of ours over a table's columns computes, skipped arguments and all."""
    extra = {"E1": F("NPV_STATIC(0,Sales[Amount],1,,5)", -8)}
    found, report = sold(tmp_path, extra, "B2=5")
    assert found["E1"] == pytest.approx(-12)
    assert not report.findings


def test_a_table_with_neither_header_nor_totals_is_all_data(tmp_path):
    """Counts of 0 are not taken for their defaults."""
    cells = {"A1": 1.0, "A2": 2.0, "C1": F("SUM(Bare[v])", 3), "C2": F("ROWS(Bare[#All])", 2)}
    parts = table_parts(1, "Bare", "A1:A2", ("v",), header=0)
    found, report = recalculated(tmp_path, book({"S": cells}, parts=parts), "A1=5")
    assert (found["C1"], found["C2"]) == (7, 2)
    assert not report.findings


def test_a_whole_table_where_one_value_is_due_is_refused(tmp_path):
    """Excel would take one cell of it or give an error: nothing is computed."""
    extra = {"E2": F("Sales[Amount]*2", 2), "E9": F("E2+1", 3)}
    found, report = sold(tmp_path, extra, "B2=5")
    assert (found["E2"], found["E9"]) == (2, 3)
    assert statuses(report)["E2"] == "refused"
    assert statuses(report)["E9"] == "refused"
