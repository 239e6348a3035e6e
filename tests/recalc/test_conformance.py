"""The conformance table says what was measured, and nobody is believed whom it does not clear."""

import csv

import conformance_cases as cases
import conformance_tools as tools
import pytest
from excel_names import EXCEL_NAMES

from xltoken.functions import FUNCTIONS
from xltoken.recalc import conformance

CORPUS = pytest.mark.skipif(
    not cases.CORPUS.is_dir(), reason="the workbooks that Excel saved are not here"
)


@pytest.fixture(scope="module")
def golden():
    """Every documented case, computed."""
    return cases.golden_cases()


@pytest.fixture(scope="module")
def corpus():
    """Every formula of the workbooks that Excel saved, computed."""
    return cases.corpus_cases()


def rows():
    """Rows of the committed table."""
    with tools.TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@CORPUS
def test_the_table_is_what_is_measured(golden, corpus):
    """The committed table comes out the same, to the last byte, when it is measured again."""
    measured = tools.written(tools.table([*golden, *corpus]))
    assert tools.TABLE.read_text(encoding="utf-8") == measured


def test_no_documented_case_contradicts_the_table(golden):
    """A function that counts as right, or is within its limits, fails no documented case."""
    contradictions = [
        (case.subject, case.formula, tools.show(case.expected), tools.show(case.got))
        for case in golden
        if case.subject in EXCEL_NAMES
        and not case.right
        and not conformance.unsupported((case.subject,), case.formula)
    ]
    assert contradictions == []


@CORPUS
def test_no_saved_cell_contradicts_the_table(golden, corpus):
    """Every saved cell whose functions are all believed comes out as saved, or without a value."""
    believed = [
        case
        for case in corpus
        if case.functions
        and not conformance.unsupported(
            tuple(n for n in case.functions if n.isupper()), case.formula
        )
        and not case.without_result
    ]
    wrong = [(c.source, c.formula) for c in believed if not (c.right or tools.solved(c))]
    assert len(believed) > 2000
    assert wrong == []


@CORPUS
def test_shares_of_right_cells(corpus):
    """Of the saved cells 85 % come out right, of those with everyday functions only 99 %."""
    found = tools.summary(corpus)
    assert found.share >= 0.85
    assert found.everyday_share >= 0.99


def test_every_function_of_excel_is_listed():
    """The table names every function of Excel and every everyday operator, sorted, each once."""
    names = [row["function"] for row in rows()]
    assert names == sorted(set(names))
    assert set(names) == EXCEL_NAMES | set(cases.everyday())
    assert {row["verdict"] for row in rows()} <= set(conformance.VERDICTS)


def test_everyday_functions_are_covered():
    """There are 120 everyday functions and operators, each with three documented cases or more."""
    named = [row["function"] for row in cases.golden_rows()]
    assert len(cases.everyday()) == 120
    assert [name for name in cases.everyday() if named.count(name) < 3] == []


def test_golden_cases_are_stated_once_with_a_source():
    """Every golden case is a formula with an expected value and a citation, and none is double."""
    stated = cases.golden_rows()
    assert len(stated) >= 700
    assert len({(c["function"], c["formula"], c["inputs"]) for c in stated}) == len(stated)
    assert all(c["formula"].startswith("=") and c["expected"] and c["citation"] for c in stated)


def test_a_right_function_has_cases_and_a_limited_one_says_its_limit():
    """Right means three cases or more, all right; a limit is told in words and as a condition."""
    for row in rows():
        if row["verdict"] == conformance.RIGHT:
            assert int(row["cases"]) >= tools.ENOUGH
            assert row["cases"] == row["right"]
        limited = row["verdict"] == conformance.LIMITS
        assert bool(row["limit"]) is limited
        assert bool(row["condition"]) is limited


def test_what_is_not_cleared_is_unsupported():
    """Functions that are missing, wrong, untested or unknown to Excel are never believed."""
    doubtful = {
        row["function"] for row in rows() if row["verdict"] in ("wrong", "missing", "untested")
    }
    for name in doubtful & EXCEL_NAMES:
        assert conformance.unsupported((name,), f"={name}(A1)") == (name,)
    assert conformance.unsupported(("SUM", "MY_OWN"), "=SUM(MY_OWN(1))") == ("MY_OWN",)


def test_a_filled_column_is_judged_as_one_formula():
    """Moving a formula down changes nothing, and the sizes of its ranges stay."""
    for row in (1, 9, 1234):
        formula = f"=SUMIF(A{row}:A{row + 2},B$1,C{row}:C{row + 1})+LOG10(2)"
        moved = conformance._shape(formula)
        assert moved == "=SUMIF(A1:A3,B$1,C1:C2)+LOG10(2)"
        assert conformance.ranges_differ_in_size(moved, "SUMIF")


def test_our_own_functions_are_believed():
    """Functions of the registry need no row in the table."""
    assert conformance.unsupported(tuple(FUNCTIONS), "=TOKEN_COST(A1,0,B1)") == ()


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("=ROUND(A1:A3,2)", True),
        ("=ROUND($A$1:$A$3*2,2)", True),
        ("=ROUND({1,2},0)", True),
        ("=ROUND(A1#,0)", True),
        ("=ROUND(Costs[Total],0)", True),
        ("=SUM(ROUND(A1:A3,2))", True),
        ("=ROUND(IF(A1>0,B1:B3,0),2)", True),
        ("=ROUND(1,B1:B3)", True),
        ("=ROUND(SEQUENCE(3),0)", True),
        ("=LET(costs,A1:A3,SUM(ROUND(costs,0)))", True),
        ("=LET(cost,A1,ROUND(cost,0))", False),
        ("=ROUND(SUM(A1:A3),2)", False),
        ("=ROUND(A1,2)+SUM(B1:B3)", False),
        ("=ROUND(Costs[@Total],0)", False),
        ("=ROUND('a:b'!A1,0)", False),
        ('=ROUND(LEN("a:b{"),0)', False),
        ("=ROUND([1]Sheet1!A1,0)", False),
        ("=ROUND(#N/A,0)", False),
        ("=SUM(A1:A3)", False),
        ("=ROUND(IF(SUM(A1:A3)>0,VLOOKUP(A1,B:C,2,0),0),2)", False),
    ],
)
def test_ranges_where_one_value_is_due(formula, found):
    """A range counts where it reaches the call, not inside a function that makes one value of it."""
    assert conformance.several_for_one(formula, "ROUND") is found


@pytest.mark.parametrize(
    ("formula", "name", "condition", "found"),
    [
        ("=MATCH(A1,B1:B9,0)", "MATCH", conformance.several_looked_up, False),
        ("=MATCH(A1:A3,B1:B9,0)", "MATCH", conformance.several_looked_up, True),
        ("=_xlfn.XLOOKUP({1,2},B1:B9,C1:C9)", "XLOOKUP", conformance.several_looked_up, True),
        ("=CHOOSE({1,2},A1:A3,B1:B3)", "CHOOSE", conformance.choice_typed_or_several, True),
        ("=CHOOSE(A1,A1:A3,B1:B3)", "CHOOSE", conformance.choice_typed_or_several, False),
        ("=LARGE(A1:A9,{1,2})", "LARGE", conformance.several_ranks, True),
        ("=LARGE(A1:A9,2)", "LARGE", conformance.several_ranks, False),
        ('=CHOOSE("2",A1,B1)', "CHOOSE", conformance.choice_typed_or_several, True),
        ("=XLOOKUP(A1,B1:B9,C1:C9,,1)", "XLOOKUP", conformance.argument_left_empty, True),
        ("=XLOOKUP(A1,B1:B9,C1:C9)", "XLOOKUP", conformance.argument_left_empty, False),
        ('=IF("TRUE",1,0)', "IF", conformance.text_as_condition, True),
        ('=IF(A1="TRUE",1,0)', "IF", conformance.text_as_condition, False),
        ("=INDEX(A1:A3,0.4)", "INDEX", conformance.position_not_whole, True),
        ("=INDEX(A1:B3,1,-1)", "INDEX", conformance.position_not_whole, True),
        ("=INDEX({1,2},1)", "INDEX", conformance.position_not_whole, False),
        ("=INDEX({1,2},,1)", "INDEX", conformance.position_not_whole, True),
        ("=IFERROR(A1:A3/B1:B3,0)", "IFERROR", conformance.several_alternatives, False),
        ("=IFERROR(7,A1:A3)", "IFERROR", conformance.several_alternatives, True),
        ("=XIRR(A1:A3,B1:B3)", "XIRR", conformance.solved_to_a_billionth, False),
        ("=INDEX(A1:B3,2,MATCH(C1,A1:B1,0))", "INDEX", conformance.position_not_whole, False),
        ("=COUNT(MATCH(A1,B1:B9,0))", "COUNT", conformance.counts_what_is_computed, True),
        ("=COUNT(Costs,Table1[Cost])", "COUNT", conformance.counts_what_is_computed, False),
        ("=COUNT('a b'!$A$1:$A$9,5,B:B)", "COUNT", conformance.counts_what_is_computed, False),
        ('=SUMIFS(C1:C9,A1:A8,"x")', "SUMIFS", conformance.ranges_differ_in_size, True),
        ("=SUMIFS($C$1:$C$9,A1:A9,D1)", "SUMIFS", conformance.ranges_differ_in_size, False),
        ('=SUMIF(A1:A3,">1",B1)', "SUMIF", conformance.ranges_differ_in_size, True),
        ("=SUMIF(A1:A3,D1,B1:B3)", "SUMIF", conformance.ranges_differ_in_size, False),
        ("=COUNTIFS(A1:A3,D1,B1:B3,D2)", "COUNTIFS", conformance.ranges_differ_in_size, False),
        ("=COUNTIFS(A1:A3,D1,B1:B2,D2)", "COUNTIFS", conformance.ranges_differ_in_size, True),
        ("=MAXIFS(A1:A3,B1:B3,D1,C1:C2,1)", "MAXIFS", conformance.ranges_differ_in_size, True),
        ("=SUMIF(A:A,D1,B:B)", "SUMIF", conformance.ranges_differ_in_size, False),
        ('=COUNTIFS($A:$A,"<>"&B2)', "COUNTIFS", conformance.blanks_of_whole_columns, True),
        ('=COUNTIFS(A1:A9,"<>"&B2,C:C,1)', "COUNTIFS", conformance.blanks_of_whole_columns, False),
        ("=XLOOKUP(,A1:A3,B1:B3)", "XLOOKUP", conformance.lookup_left_empty, True),
        ("=XLOOKUP(C1,A1:A3,B1:B3,,1)", "XLOOKUP", conformance.lookup_left_empty, False),
        ("=XLOOKUP(C1,A1:A3,B1:B2)", "XLOOKUP", conformance.lookup_ranges_differ, True),
        ("=XLOOKUP(C1,A1:C1,A2:B2)", "XLOOKUP", conformance.lookup_ranges_differ, True),
        ("=XLOOKUP(C1,A1:A3,B1:D3)", "XLOOKUP", conformance.lookup_ranges_differ, False),
        ("=XLOOKUP(C1,A1:C1,A2:C5)", "XLOOKUP", conformance.lookup_ranges_differ, False),
        ("=SUM(XLOOKUP(1,A:A,B:B):B9)", "XLOOKUP", conformance.corner_of_range, True),
        ("=SUM(B1:XLOOKUP(1,A:A,B:B))", "XLOOKUP", conformance.corner_of_range, True),
        ("=XLOOKUP(1,A:A,B:B)", "XLOOKUP", conformance.corner_of_range, False),
        ("=SUMPRODUCT(A1:A3,B1:B3)", "SUMPRODUCT", conformance.whole_columns, False),
        ("=SUMPRODUCT(A:A,B:B)", "SUMPRODUCT", conformance.whole_columns, True),
        ("=SUMPRODUCT(A:A)", "SUMPRODUCT", conformance.whole_columns, False),
        ('=SUMPRODUCT((Data!$A:$A="x")*1)', "SUMPRODUCT", conformance.whole_columns, True),
        ("=SUMPRODUCT(1:1,$2:$2)", "SUMPRODUCT", conformance.whole_columns, True),
        ("=SUMPRODUCT(A1:A9*SUM(B:B))", "SUMPRODUCT", conformance.whole_columns, False),
        ("=SUMPRODUCT(LEN('a:b'!A1:A3))", "SUMPRODUCT", conformance.whole_columns, False),
        ('=FILTER(A:A,A:A<>"")', "FILTER", conformance.whole_columns, False),
        ('=FILTER(A:A,(A:A<>""))', "FILTER", conformance.whole_columns, False),
        ('=FILTER(A:C,A:A<>"")', "FILTER", conformance.whole_columns, True),
        ('=UNIQUE(FILTER(A:C,B:B="x"))', "UNIQUE", conformance.whole_columns, False),
        ("=UNIQUE(A:A)", "UNIQUE", conformance.whole_columns, True),
        ("=SORT(UNIQUE(A:A))", "SORT", conformance.whole_columns, True),
        ("=LET(x,A:A,SUMPRODUCT(x,B1:B9))", "SUMPRODUCT", conformance.whole_columns, True),
        ("=LET(x,A1,SUMPRODUCT(x,B1))", "SUMPRODUCT", conformance.whole_columns, False),
        ("=COUNTA(UNIQUE(A1:A3))", "COUNTA", conformance.blanks_of_arrays, True),
        ("=COUNTA(A1:A3,B1)", "COUNTA", conformance.blanks_of_arrays, False),
        ('=INDIRECT("R1C1",FALSE)', "INDIRECT", conformance.style_given, True),
        ('=INDIRECT("A"&B1)', "INDIRECT", conformance.style_given, False),
        ("=OFFSET(A4,0,0,-3,1)", "OFFSET", conformance.size_below_one, True),
        ("=OFFSET(A4,-1,0,3,1)", "OFFSET", conformance.size_below_one, False),
        ('=SEQUENCE("5")', "SEQUENCE", conformance.text_typed, True),
        ("=SEQUENCE(5)", "SEQUENCE", conformance.text_typed, False),
    ],
)
def test_conditions_on_one_argument(formula, name, condition, found):
    """A condition on one argument does not mind ranges in the others."""
    assert condition(formula, name) is found


def test_inputs_of_golden_cases():
    """The compact text of inputs means cells, from the place on, blanks left out."""
    read = cases.cells_of('A1=1;B2={1,"x;y";,TRUE};C9=#N/A;D1==A1+1;E1="say ""hi"""')
    assert read == {
        (1, 1): 1.0,
        (2, 2): 1.0,
        (2, 3): "x;y",
        (3, 3): True,
        (9, 3): "#N/A",
        (1, 4): "=A1+1",
        (1, 5): 'say "hi"',
    }
