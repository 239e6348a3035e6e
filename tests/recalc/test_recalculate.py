"""Load, judge, set, evaluate, write: a wrong number never gets into a file unnoticed."""

import math

import openpyxl
import pytest
from recalc_tools import (
    F,
    Raw,
    book,
    column,
    differing,
    digest,
    element,
    parts_of,
    recalculated,
    replaced,
    saved,
    statuses,
    values,
)

from xltoken.functions import FUNCTIONS
from xltoken.recalc import engine as engines
from xltoken.recalc.workbook import computed, recalculate, same

CHAT = "deepseek-r1/chat"


def cost(platform="B200", month=0.0):
    """Direct call of TOKEN_COST."""
    return FUNCTIONS["TOKEN_COST"](platform, month, CHAT)


def close(one, other):
    """Equal within 1e-9 relative."""
    return math.isclose(one, other, rel_tol=1e-9)


# --- values of every kind ------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_results_of_every_type_are_written(tmp_path, prefix):
    """Numbers, texts, booleans and errors change into one another, also with a prefix."""
    cells = {
        "A1": 1.0,
        "B1": F("A1*2", 2),
        "C1": F('"a<"&A1', "a<1"),
        "D1": F("A1>1", False),
        "E1": F("1/(A1-1)", "#DIV/0!"),
        "F1": F("1/(A1-2)", -1),
        "G1": F('IF(A1=1,1,"x")', 1),
        "H1": F('IF(A1=1,"",3)', ""),
        "I1": F("IF(A1=1,TRUE,NA())", True),
        "J1": F('IF(A1=1,"x","")', "x"),
    }
    found, report = recalculated(tmp_path, book({"S": cells}, prefix=prefix), "A1=2")
    empty = found.pop("J1", "")
    assert empty == ""
    assert found == {
        "A1": 2, "B1": 4, "C1": "a<2", "D1": True, "E1": 1, "F1": "#DIV/0!", "G1": "x", "H1": 3,
        "I1": "#N/A",
    }  # fmt: skip
    assert report.summary["right"] == 9
    assert report.summary["changed"] == 9
    again, second = recalculated(tmp_path, (tmp_path / "out.xlsx").read_bytes())
    assert again.items() >= found.items()
    assert second.cells == []


def test_a_changed_type_leaves_no_old_type_behind(tmp_path):
    """A cell that held text and now holds a number says so, and the reverse."""
    content = book({"S": {"A1": 1.0, "B1": F('IF(A1=1,"x",5)', "x"), "C1": F('IF(A1=1,5,"x")', 5)}})
    recalculated(tmp_path, content, "A1=2")
    out = tmp_path / "out.xlsx"
    assert element(out, "B1") == '<c r="B1"><f>IF(A1=1,"x",5)</f><v>5</v></c>'
    assert element(out, "C1") == '<c r="C1" t="str"><f>IF(A1=1,5,"x")</f><v>x</v></c>'


def test_rich_and_shared_strings_are_the_text_they_show(tmp_path):
    """A formula that reads rich text, inline or shared, sees the text without its reading aids."""
    rich = '<r><t xml:space="preserve">x </t></r><r><rPr><b/></rPr><t>y&amp;z</t></r><rPh sb="0" eb="1"><t>K</t></rPh>'
    cells = {
        "A1": Raw('<c r="A1" t="s"><v>0</v></c>'),
        "A2": Raw(
            '<c r="A2" t="inlineStr"><is><r><t>ab</t></r><r><t xml:space="preserve"> c</t></r></is></c>'
        ),
        "A3": 1.0,
        "B1": F("A1&A3", "x y&z1"),
        "B2": F("A2&A3", "ab c1"),
    }
    found, report = recalculated(tmp_path, book({"S": cells}, shared=[rich]), "A3=2")
    assert report.summary["right"] == 2
    assert (found["B1"], found["B2"]) == ("x y&z2", "ab c2")
    assert differing(tmp_path / "book.xlsx", tmp_path / "out.xlsx") == {"xl/worksheets/sheet1.xml"}


def test_shared_formulas_are_computed_and_stay_shared(tmp_path):
    """Each child of a shared formula is computed with its own references and stays a child."""
    cells = {
        **column("A", [1.0, 2.0, 3.0]),
        "B1": F("A1*2", 2, ' t="shared" ref="B1:B3" si="0"'),
        "B2": F("", 4, ' t="shared" si="0"'),
        "B3": F("", 6, ' t="shared" si="0"'),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A3=30")
    assert [found[f"B{r}"] for r in (1, 2, 3)] == [2, 4, 60]
    assert report.summary["right"] == 3
    assert element(tmp_path / "out.xlsx", "B3") == '<c r="B3"><f t="shared" si="0"/><v>60</v></c>'


def test_shared_formulas_may_call_our_functions(tmp_path):
    """Children of a shared formula of ours are computed each with its own platform."""
    cells = {
        **column("A", ["B200", "H100", "H200"]),
        "B1": F(f'TOKEN_COST(A1,0,"{CHAT}")', None, ' t="shared" ref="B1:B3" si="0"'),
        "B2": F("", 1, ' t="shared" si="0"'),
        "B3": F("", None, ' t="shared" si="0"'),
    }
    found, _ = recalculated(tmp_path, book({"S": cells}), "A3=B200")
    expected = [cost("B200"), cost("H100"), cost("B200")]
    assert all(close(found[f"B{r}"], e) for r, e in enumerate(expected, 1))


def test_skipped_arguments_in_shared_formulas_take_the_default(tmp_path):
    """A skipped argument is missing in each child of a shared formula too."""
    cells = {
        **column("A", [0.1, 0.2]),
        "B1": F("NPV_DECLINING(A1,100,2,0.1,,,)", None, ' t="shared" ref="B1:B2" si="0"'),
        "B2": F("", None, ' t="shared" si="0"'),
    }
    found, _ = recalculated(tmp_path, book({"S": cells}))
    for r, rate in ((1, 0.1), (2, 0.2)):
        assert close(found[f"B{r}"], FUNCTIONS["NPV_DECLINING"](rate, 100.0, 2.0, 0.1))


def test_a_single_cell_array_formula(tmp_path):
    """An array formula of one cell is computed as an array and keeps its marks."""
    cells = {**column("A", [1.0, 2.0]), "B1": F("SUM(A1:A2*10)", 30, ' t="array" ref="B1"')}
    found, _ = recalculated(tmp_path, book({"S": cells}), "A2=5")
    assert found["B1"] == 60
    assert '<f t="array" ref="B1">' in element(tmp_path / "out.xlsx", "B1")


ARRAY = {
    **column("A", [1.0, 2.0]),
    "B1": F("A1:A2*10", 10, ' t="array" ref="B1:B2"'),
    "B2": 20.0,
    "C1": F("B2+1", 21),
}


def test_a_multi_cell_array_formula_is_judged_with_its_children(tmp_path):
    """A multi-cell array formula is right when every cell of its area is as saved."""
    cells = {k: v for k, v in ARRAY.items() if k != "C1"}
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert report.summary["right"] == 1
    assert (found["B1"], found["B2"]) == (10, 20)
    _, report = recalculated(tmp_path, book({"S": {**cells, "B2": 21.0}}))
    assert report.summary["disputed"] == 1


def test_readers_of_an_array_s_children_are_right_as_saved(tmp_path):
    """A formula that reads a child of an array formula comes out as saved."""
    _, report = recalculated(tmp_path, book({"S": ARRAY}))
    assert report.summary["disputed"] == 0


def test_an_array_formula_follows_its_inputs(tmp_path):
    """When an input changes, a multi-cell array formula, its children and readers follow."""
    found, report = recalculated(tmp_path, book({"S": ARRAY}), "A2=5")
    assert (found["B1"], found["B2"], found["C1"]) == (10, 50, 51)
    assert report.findings == []


def test_frozen_readers_of_an_array_s_children_are_refused(tmp_path):
    """An unsupported formula that reads a child of an array formula is refused when it changes."""
    _, report = recalculated(tmp_path, book({"S": {**ARRAY, "D1": F("NOPE(B2)", 7)}}), "A2=5")
    assert statuses(report)["D1"] == "refused"


def test_a_data_table_is_refused_when_its_input_changed(tmp_path):
    """A what-if table keeps its values, and is refused when the cell that it varies changed."""
    cells = {
        "A1": 1.0,
        "B1": F("A1*2", 2),
        "B2": F("", 2, ' t="dataTable" ref="B2:B3" dt2D="0" dtr="0" r1="A1"'),
        "B3": 4.0,
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert (found["B2"], found["B3"]) == (2, 4)
    assert statuses(report)["B2"] == "refused"


def test_a_data_table_is_left_alone(tmp_path):
    """The cell of a what-if table is unsupported and keeps its bytes."""
    cells = {
        "A1": 1.0,
        "B2": F("", 2, ' t="dataTable" ref="B2:B3" dt2D="0" dtr="0" r1="A1"'),
        "C1": F("A1", 1),
    }
    content = book({"S": cells})
    _, report = recalculated(tmp_path, content, "A1=1.5")
    assert element(tmp_path / "out.xlsx", "B2") == element(content, "B2")
    assert statuses(report)["B2"] in ("unsupported", "refused")


def test_1904_books_give_the_costs_of_1900_books(tmp_path):
    """A cost by date cell, a built date and a returned date mean the same day in both systems."""
    found = {}
    for system, shift in ((1900, 0), (1904, 1462)):
        cells = {
            "A1": 46327.0 - shift,
            "B1": F(f'TOKEN_COST("B200",A1,"{CHAT}")'),
            "C1": F(f'TOKEN_COST("B200",DATE(2026,11,1),"{CHAT}")'),
            "D1": F("YEAR(A1)*10000+MONTH(A1)*100+DAY(A1)"),
            "E1": F(f'YEAR(TOKEN_SOURCE("B200","{CHAT}","date"))'),
        }
        content = book({"S": cells}, date1904=system == 1904)
        found[system], report = recalculated(tmp_path, content)
        assert report.findings == []
    assert {k: v for k, v in found[1900].items() if k != "A1"} == {
        k: v for k, v in found[1904].items() if k != "A1"
    }
    assert found[1900]["D1"] == 20261101
    assert close(found[1900]["B1"], FUNCTIONS["TOKEN_COST"]("B200", 46327.0, CHAT))
    assert found[1900]["B1"] == found[1900]["C1"]


SHEETS = ("My Sheet", "O'Brien", "R&D <x>", 'say "hi"', "Zürich 東京", "x,y", "1st", "a!b", "it''s")


@pytest.mark.parametrize("name", SHEETS)
def test_sheets_with_odd_names_are_computed_across(tmp_path, name):
    """Values cross sheets with any name, by reference and by defined name, and refusals too."""
    quoted = "'" + name.replace("'", "''") + "'"
    content = book(
        {
            name: {"A1": 1.0, "B1": F("A1*2", 2), "C1": F(f"NOPE({quoted}!A1)", 7)},
            "Other": {"A1": F(f"{quoted}!A1+rate", 2), "B1": F(f"NOPE({quoted}!B1)", 7)},
        },
        names={"rate": f"{quoted}!$A$1"},
    )
    path = saved(tmp_path, content)
    report = recalculate(path, tmp_path / "o.xlsx", ["rate=4"])
    assert values(tmp_path / "o.xlsx", name) == {"A1": 4, "B1": 8, "C1": 7}
    assert values(tmp_path / "o.xlsx", "Other") == {"A1": 8, "B1": 7}
    assert {(c.sheet, c.cell) for c in report.findings} == {(name, "C1"), ("Other", "B1")}


# --- our functions -------------------------------------------------------------------------------

SPELLINGS = (
    "TOKEN_COST", "token_cost", "_xll.TOKEN_COST", "_xldudf_TOKEN_COST",
    "_xldudf_XLTOKEN_TOKEN_COST", "_xldudf_FIN_TOKEN_COST", "[1]!TOKEN_COST", "[3]!token_cost",
    r"'C:\Add Ins\x.xlam'!TOKEN_COST", "'x.xlam'!TOKEN_COST",
)  # fmt: skip


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_our_functions_compute_under_every_spelling(tmp_path, spelled):
    """Whatever host wrote the call, it computes to the direct call's value and stays as spelled."""
    formula = f"{spelled}(A1,A2,A3)*2"
    content = book({"S": {"A1": "B200", "A2": 3.0, "A3": CHAT, "B1": F(formula)}})
    found, report = recalculated(tmp_path, content)
    assert close(found["B1"], 2 * cost(month=3.0))
    assert report.cells[0].function == "TOKEN_COST"
    assert f"<f>{formula}</f>" in element(tmp_path / "out.xlsx", "B1")


@pytest.mark.parametrize(
    "spelled", [r"'C:\Bob''s\x.xlam'!TOKEN_COST", "x.xlam!TOKEN_COST", "[x.xlam]!TOKEN_COST"]
)
def test_no_spelling_is_replaced_by_name_error(tmp_path, spelled):
    """A call that the engine cannot resolve is computed or refused, never overwritten by #NAME?."""
    content = book({"S": {"A1": "B200", "B1": F(f'{spelled}(A1,0,"{CHAT}")', 7)}})
    found, _ = recalculated(tmp_path, content)
    assert found["B1"] != "#NAME?"


def test_skipped_arguments_take_their_defaults(tmp_path):
    """A skipped argument is a missing one, not 0; in other functions it stays what it is."""
    cells = {
        "A1": F("NPV_DECLINING(0.1,100,2,0.1,,,,)"),
        "A2": F("NPV_DECLINING(0.1,100,2,0.1)"),
        "A3": F("NPV_STATIC(0.1,,2)"),
        "A4": F("IF(TRUE,,5)+1"),
        "A5": F(f'TOKEN_CAPACITY("B200",0,"{CHAT}",)'),
    }
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert found["A1"] == found["A2"] != 0
    assert found["A3"] == "#VALUE!"
    assert found["A4"] == 1
    assert close(found["A5"], FUNCTIONS["TOKEN_CAPACITY"]("B200", 0.0, CHAT))
    assert any("volumes is missing" in message for message in report.notebook.messages)


@pytest.mark.parametrize(
    ("formula", "error"),
    [
        ("NA()", "#N/A"), ("1/0", "#DIV/0!"), ("SQRT(-1)", "#NUM!"), ('"a"*1', "#VALUE!"),
    ],
)  # fmt: skip
def test_errors_go_through_our_functions(tmp_path, formula, error):
    """An error among the arguments is the result, and goes on to what reads it."""
    cells = {
        "A1": F(formula, error),
        "B1": F(f'TOKEN_COST("B200",A1,"{CHAT}")'),
        "C1": F("B1+1"),
        "D1": F("IFERROR(B1,0)"),
    }
    found, _ = recalculated(tmp_path, book({"S": cells}))
    assert (found["B1"], found["C1"], found["D1"]) == (error, error, 0)


def test_messages_of_failed_calls_are_in_the_report(tmp_path):
    """What a failed call has to say stands in the report."""
    _, report = recalculated(tmp_path, book({"S": {"A1": F(f'TOKEN_COST("B2000",0,"{CHAT}")')}}))
    assert any("B2000" in message for message in report.as_dict()["messages"])


def test_catalog_drift_is_counted_and_written(tmp_path):
    """Values of ours that differ from the saved ones are written and listed as drift."""
    cells = {"A1": F(f'TOKEN_COST("B200",0,"{CHAT}")', 7), "B1": F("A1*2", 14), "C1": F("5*2", 10)}
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert close(found["A1"], cost())
    assert close(found["B1"], 2 * cost())
    assert report.summary["drift"] == 1
    assert report.summary["disputed"] == 0
    assert statuses(report) == {"A1": "drift", "B1": "changed"}


def test_our_values_follow_their_inputs(tmp_path):
    """Setting an input of a call gives the direct call's value, and says changed, not drift."""
    cells = {
        "A1": "B200",
        "B1": F(f'TOKEN_COST(A1,0,"{CHAT}")', cost()),
        "C1": F("B1*2", 2 * cost()),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=H100")
    assert close(found["B1"], cost("H100"))
    assert close(found["C1"], 2 * cost("H100"))
    assert set(statuses(report).values()) == {"changed"}
    assert report.summary["drift"] == 0


def test_a_defect_of_ours_is_no_value(tmp_path, monkeypatch):
    """A defect inside a function stops the recalculation, and nothing is written."""

    def broken(*_args, **_options):
        raise AttributeError("a defect")

    monkeypatch.setattr(engines.cells, "prepared", lambda *_args, **_options: broken)
    path = saved(tmp_path, book({"S": {"A1": F("XLTOKEN_INFO()")}}))
    before = digest(path)
    with pytest.raises(AttributeError):
        recalculate(path)
    assert digest(path) == before


# --- judging -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "saved_value", "named"),
    [
        ("NOPE(A1)", 7, "NOPE"),
        ("SUM(_xlfn.MAP(A1:A2,_xlfn.LAMBDA(_xlpm.x,_xlpm.x*7)))", 7, "MAP"),
        ("_xll.OTHER(A1)+1", 7, "OTHER"),
        ("NOPE(A1)", "text", "NOPE"),
        ("NOPE(A1)", True, "NOPE"),
        ("NOPE(A1)", "#N/A", "NOPE"),
    ],
)
def test_unsupported_functions_keep_their_saved_value(tmp_path, formula, saved_value, named):
    """A formula with a function that the engine lacks keeps its value, and is reported by name."""
    content = book({"S": {"A1": 1.0, "A3": 3.0, "B1": F(formula, saved_value), "C1": F("A3*2", 6)}})
    found, report = recalculated(tmp_path, content, "A3=4")
    assert found["B1"] == saved_value
    assert found["C1"] == 8
    assert report.summary["unsupported"] == 1
    (cell,) = [c for c in report.cells if c.cell == "B1"]
    assert cell.status == "unsupported"
    assert named in cell.function
    assert report.findings == []


def test_disputed_values_keep_their_saved_value(tmp_path):
    """A formula that does not come out as saved keeps its value, and is reported with both."""
    content = book({"S": {"A1": 1.0, "A3": 3.0, "B1": F("SUM(A1,1)", 99), "C1": F("A3*2", 6)}})
    found, report = recalculated(tmp_path, content, "A3=4")
    assert (found["B1"], found["C1"]) == (99, 8)
    assert report.summary["disputed"] == 1
    (cell,) = [c for c in report.cells if c.cell == "B1"]
    assert (cell.status, cell.saved, cell.computed, cell.function) == ("disputed", 99, 2, "SUM")


@pytest.mark.parametrize("formula", ["SUM(A1,1)", "NOPE(A1)"])
def test_readers_of_a_kept_value_are_computed_with_it(tmp_path, formula):
    """A formula that is right given a kept saved value is right, and follows its other inputs."""
    content = book({"S": {"A1": 1.0, "A3": 3.0, "B1": F(formula, 99), "C1": F("B1+A3", 102)}})
    found, report = recalculated(tmp_path, content, "A3=4")
    assert report.summary["right"] == 1
    assert (found["B1"], found["C1"]) == (99, 103)


@pytest.mark.parametrize(
    ("saved_value", "right"),
    [
        (0.30000000000000004, True), (0.3, True), (0.3 * (1 + 1e-11), False), (0, False),
        ("0.3", False), (True, False), ("#N/A", False),
    ],
)  # fmt: skip
def test_numbers_are_judged_within_1e_12(tmp_path, saved_value, right):
    """A number is right within 1e-12 relative; another type or another number is disputed."""
    _, report = recalculated(tmp_path, book({"S": {"A1": F("0.1+0.2", saved_value)}}))
    assert report.summary["right"] == int(right)
    assert report.summary["disputed"] == int(not right)


@pytest.mark.parametrize(
    ("formula", "saved_value", "right"),
    [
        ('"a"&1', "a1", True), ('"a"&1', "A1", False), ("1=1", True, True), ("1=1", 1, False),
        ("NA()", "#N/A", True), ("NA()", "#NUM!", False), ('"#N/A"', "#N/A", False), ("Z9", 0, True),
        ('""', "", True),
    ],
)  # fmt: skip
def test_texts_booleans_and_errors_are_judged_exactly(tmp_path, formula, saved_value, right):
    """Text, booleans and errors are right only when they are the same; an error is no text."""
    _, report = recalculated(tmp_path, book({"S": {"A1": F(formula, saved_value)}}))
    assert report.summary["right"] == int(right)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1.0, 1.0, True), (1.0, 1.0 + 1e-13, True), (1.0, 1.0 + 1e-11, False), (0.0, 1e-300, False),
        (True, 1.0, False), (1.0, True, False), (True, True, True), ("a", "a", True), ("a", None, False),
    ],
)  # fmt: skip
def test_what_counts_as_the_same(one, other, equal):
    """Numbers within 1e-12 relative are the same, everything else exactly, never across types."""
    assert same(one, other) is equal


READERS = (
    "NOPE(A1)", "IF(ISERROR(NOPE(A1)),7,6)", "NOPE(A:A)", "NOPE(1:1)", "NOPE(A1:B2)", "NOPE((A1,A2))", "NOPE(one)",
    "NOPE(computed)", "NOPE(chained)", "NOPE(own)", "NOPE(T!A1)", "NOPE(S:T!A1)", "NOPE($A$1)",
    "NOPE(A1:INDEX(A:A,3))", "NOPE(INDEX(A1:A3,1))", "IF(TRUE,NOPE(A1),0)", "NOPE(CHOOSE(1,A1,A2))",
    "NOPE(A1 A1:A3)", "NOPE(_xlfn.ANCHORARRAY(A1))",
)  # fmt: skip


def reading(formula: str) -> bytes:
    """Book whose cell E1 reads A1 in some way, and F1 reads E1."""
    return book(
        {
            "S": {"A1": 1.0, "A2": 2.0, "E1": F(formula, 7), "F1": F("E1+1", 8)},
            "T": {"A1": F("S!A1", 1)},
        },
        names={
            "one": "S!$A$1", "computed": "S!$A$1*2", "chained": "one", "several": "S!$A$1:$A$2",
            "nope": "NOPE(S!$A$1)",
        },
        local_names='<definedName name="own" localSheetId="0">S!$A$1</definedName>',
    )  # fmt: skip


@pytest.mark.parametrize("formula", [*READERS, "nope*2"])
def test_unsupported_formulas_are_refused_when_a_precedent_changed(tmp_path, formula):
    """However a frozen formula reads the changed cell, it and what depends on it are refused."""
    found, report = recalculated(tmp_path, reading(formula), "S!A1=5")
    assert (found["E1"], found["F1"]) == (7, 8)
    assert {c.cell for c in report.findings if c.sheet == "S"} == {"E1", "F1"}
    assert report.summary["refused"] == 2


@pytest.mark.parametrize(
    "formula", ["SUM(A1)", "SUM(A:A)", "SUM(one)", "SUM(computed)", "SUM(T!A1)"]
)
def test_disputed_formulas_are_refused_when_a_precedent_changed(tmp_path, formula):
    """A disputed formula whose precedent changed is refused with its dependents."""
    found, report = recalculated(tmp_path, reading(formula), "S!A1=5")
    assert (found["E1"], found["F1"]) == (7, 8)
    assert {c.cell for c in report.findings if c.sheet == "S"} == {"E1", "F1"}


@pytest.mark.parametrize("formula", ["NOPE(several)", "MEDIAN(several)"])
def test_frozen_formulas_are_refused_through_the_name_of_a_range(tmp_path, formula):
    """A frozen formula that reads a named range is refused when a cell of the range changed."""
    _, report = recalculated(tmp_path, reading(formula), "S!A1=5")
    assert {c.cell for c in report.findings} == {"E1", "F1"}


def test_formulas_that_read_nothing_changed_are_not_refused(tmp_path):
    """A frozen formula whose precedents all stand keeps its value without being refused."""
    _, report = recalculated(tmp_path, reading("NOPE(A2)"), "S!A1=5")
    assert report.findings == []
    assert statuses(report)["E1"] == "unsupported"


def test_refusal_spreads_through_chains_and_ranges(tmp_path):
    """What depends on a refused cell, directly, over ranges or over sheets, is refused too."""
    content = book(
        {
            "S": {
                "A1": 1.0, "B1": F("NOPE(A1)", 7), "C1": F("B1*2", 14), "D1": F("SUM(B1:C1)", 21),
                "E1": F("A1*2", 2), "F1": F("T!A1+1", 22),
            },
            "T": {"A1": F("S!D1", 21), "B1": F("S!E1", 2)},
        }
    )  # fmt: skip
    path = saved(tmp_path, content)
    report = recalculate(path, tmp_path / "o.xlsx", ["S!A1=5"])
    assert {(c.sheet, c.cell) for c in report.findings} == {
        ("S", "B1"), ("S", "C1"), ("S", "D1"), ("T", "A1"), ("S", "F1"),
    }  # fmt: skip
    assert values(tmp_path / "o.xlsx", "S") == {
        "A1": 5, "B1": 7, "C1": 14, "D1": 21, "E1": 10, "F1": 22,
    }  # fmt: skip
    assert values(tmp_path / "o.xlsx", "T") == {"A1": 21, "B1": 10}


def test_drift_refuses_the_frozen_cells_that_read_it(tmp_path):
    """A frozen cell that reads a value of ours which moved is refused without any setting."""
    cells = {"A1": F(f'TOKEN_COST("B200",0,"{CHAT}")', 7), "B1": F("NOPE(A1)", 3)}
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert found["B1"] == 3
    assert statuses(report) == {"A1": "drift", "B1": "refused"}


def test_strict_writes_nothing(tmp_path):
    """With strict a refused cell keeps the whole file from being written."""
    found, report = recalculated(tmp_path, reading("NOPE(A1)"), "S!A1=5", strict=True)
    assert found == {}
    assert report.output is None
    assert [c.cell for c in report.findings] == ["E1", "F1"]
    assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]


def test_strict_in_place_leaves_the_file(tmp_path):
    """With strict a file in place keeps every byte when a cell is refused."""
    path = saved(tmp_path, reading("NOPE(A1)"))
    before = digest(path)
    recalculate(path, None, ["S!A1=5"], strict=True)
    assert digest(path) == before


def test_strict_writes_what_has_no_refusal(tmp_path):
    """With strict a book without refusals is written as usual."""
    found, _ = recalculated(tmp_path, reading("NOPE(A2)"), "S!A1=5", strict=True)
    assert found["A1"] == 5


def test_unsupported_without_a_saved_value_is_refused(tmp_path):
    """A formula that cannot be computed and has no saved value is refused and stays blank."""
    cells = {"A1": 1.0, "B1": F("NOPE(A1)"), "C1": F("B1+1"), "D1": F("A1+1")}
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert {c.cell for c in report.findings} == {"B1", "C1"}
    assert found == {"A1": 1, "D1": 2}


def test_unjudged_formulas_are_counted_and_computed(tmp_path):
    """A formula without a saved value is computed, and counted as unjudged."""
    cells = {
        "A1": 1.0,
        "B1": F("A1+1"),
        "C1": F("A1*3", 3),
        "D1": F(f'TOKEN_COST("B200",0,"{CHAT}")'),
    }
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert found["B1"] == 2
    assert report.summary == {
        "formulas": 3, "judged": 1, "right": 1, "disputed": 0, "unsupported": 0, "unjudged": 2,
        "changed": 2, "drift": 0, "refused": 0,
    }  # fmt: skip


@pytest.mark.parametrize("formula", ["RAND()", "NOW()", "TODAY()", "RANDBETWEEN(1,10^9)"])
def test_volatile_functions_do_not_dispute(tmp_path, formula):
    """A volatile cell and what reads it are not disputed, and are brought up to date."""
    cells = {"A1": F(formula, 0.5), "B1": F("A1*2", 1), "C1": F("A1-A1+3", 3)}
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert report.summary["disputed"] == 0
    assert found["A1"] != 0.5
    assert found["C1"] == 3
    if not formula.startswith(("NOW", "TODAY")):
        assert found["B1"] == found["A1"] * 2


def test_volatile_references_are_followed(tmp_path):
    """INDIRECT and OFFSET give the changed value of what they point at."""
    cells = {"A1": 1.0, "B1": F('INDIRECT("A1")*2', 2), "C1": F("OFFSET(A1,0,0)*3", 3)}
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert (found["B1"], found["C1"]) == (10, 15)
    assert report.summary["disputed"] == 0


def test_volatile_cells_are_no_drift(tmp_path):
    """Drift is what our functions changed because of the catalog: a random number is none."""
    _, report = recalculated(tmp_path, book({"S": {"A1": F("RAND()", 0.5), "B1": F("A1", 0.5)}}))
    assert "drift" not in statuses(report).values()


@pytest.mark.parametrize("formula", ['INDIRECT("B1")+1', "OFFSET(A1,0,1)+1"])
def test_refusal_spreads_through_volatile_references(tmp_path, formula):
    """A formula that reaches a refused cell through INDIRECT or OFFSET is refused too."""
    content = book({"S": {"A1": 1.0, "B1": F("NOPE(A1)", 7), "C1": F(formula, 8)}})
    _, report = recalculated(tmp_path, content, "A1=5")
    assert {c.cell for c in report.findings} == {"B1", "C1"}


UNNOTICED = (
    ("IF(A1>1,NOPE(1),5)", "an untaken branch"),
    ("IFERROR(NOPE(A1),5)", "inside IFERROR"),
)


@pytest.mark.parametrize(("formula", "where"), UNNOTICED, ids=[w for _, w in UNNOTICED])
def test_a_missing_function_is_noticed_wherever_it_stands(tmp_path, formula, where):
    """A formula that uses a missing function is unsupported, also when its error does not show."""
    content = book({"S": {"A1": 1.0, "B1": F(formula, 5)}})
    found, report = recalculated(tmp_path, content, "A1=2")
    assert found["B1"] == 5
    assert statuses(report) == {"B1": "refused"}


@pytest.mark.parametrize(
    "formula",
    [
        f'TOKEN_COST("B200",0,"{CHAT}")+NOPE(A1)',
        f'SUM(_xlfn.MAP(A1:A2,_xlfn.LAMBDA(_xlpm.x,TOKEN_COST("B200",_xlpm.x,"{CHAT}"))))',
        "NOPE(TODAY())",
        'NOPE(INDIRECT("A1"))',
    ],
)
def test_a_missing_function_beside_ours_or_a_volatile_one_is_noticed(tmp_path, formula):
    """A formula that mixes a missing function with ours or a volatile one keeps its saved value."""
    found, report = recalculated(tmp_path, book({"S": {"A1": 1.0, "B1": F(formula, 7)}}))
    assert found["B1"] == 7
    assert report.summary["unsupported"] == 1


def test_a_cycle_without_saved_values_is_refused(tmp_path):
    """A circular reference is refused; no error code that Excel does not know gets into the file."""
    found, report = recalculated(tmp_path, book({"S": {"A1": F("B1+1"), "B1": F("A1+1")}}))
    assert "#CIRC!" not in found.values()
    assert {c.cell for c in report.findings} == {"A1", "B1"}


def test_a_cycle_with_saved_values_keeps_them(tmp_path):
    """Values of a circular reference, iterated by Excel, are kept and reported."""
    found, report = recalculated(tmp_path, book({"S": {"A1": F("B1+1", 3), "B1": F("A1+1", 2)}}))
    assert found == {"A1": 3, "B1": 2}
    assert report.summary["unsupported"] == 2


def test_structured_references_are_right_or_refused(tmp_path):
    """A formula over a table is never left at an old value without a word."""
    wb = openpyxl.Workbook()
    ws = wb.active
    for row in (["Item", "Amount"], ["a", 1], ["b", 2]):
        ws.append(row)
    ws["D1"] = "=SUM(T[Amount])"
    ws.add_table(openpyxl.worksheet.table.Table(displayName="T", ref="A1:B3"))
    wb.save(tmp_path / "t.xlsx")
    content = (tmp_path / "t.xlsx").read_bytes()
    # With lxml openpyxl writes <v></v>, without it <v />.
    blank = "<v></v>" if b"<v></v>" in parts_of(content)["xl/worksheets/sheet1.xml"] else "<v />"
    content = replaced(
        content,
        "xl/worksheets/sheet1.xml",
        f"<f>SUM(T[Amount])</f>{blank}",
        "<f>SUM(T[Amount])</f><v>3</v>",
    )
    found, report = recalculated(tmp_path, content, "B2=10")
    assert found["D1"] == 12 or "D1" in {c.cell for c in report.findings}


def test_a_shared_child_that_is_frozen_is_refused_alone(tmp_path):
    """Of a shared unsupported formula only the children whose precedent changed are refused."""
    cells = {
        **column("A", [1.0, 2.0, 3.0]),
        "B1": F("NOPE(A1)", 2, ' t="shared" ref="B1:B3" si="0"'),
        "B2": F("", 4, ' t="shared" si="0"'),
        "B3": F("", 6, ' t="shared" si="0"'),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A2=5")
    assert statuses(report) == {"B1": "unsupported", "B2": "refused", "B3": "unsupported"}
    assert [found[f"B{r}"] for r in (1, 2, 3)] == [2, 4, 6]


# --- writing -------------------------------------------------------------------------------------


def test_without_changes_the_copy_is_the_same_bytes(tmp_path):
    """A book whose values all stand is copied byte for byte, archive included."""
    content = book({"S": {"A1": 1.0, "B1": F("A1*2", 2), "C1": F("NOPE(A1)", 7), "D1": F("A1", 9)}})
    recalculated(tmp_path, content)
    assert (tmp_path / "out.xlsx").read_bytes() == content


def test_a_second_recalculation_changes_nothing(tmp_path):
    """What was written is right: recalculated again, no byte changes and no cell is reported."""
    cells = {
        "A1": 1.0, "B1": F("A1/3"), "C1": F('"x"&ROUND(B1,2)'), "D1": F(f'TOKEN_COST("B200",A1,"{CHAT}")'),
        "E1": F("1/0"), "F1": F("A1=1"), "G1": F('""'), "H1": F("Z9"), "I1": F("D1*1E-300"),
    }  # fmt: skip
    recalculated(tmp_path, book({"S": cells}), "A1=2")
    out = tmp_path / "out.xlsx"
    before = out.read_bytes()
    report = recalculate(out)
    assert out.read_bytes() == before
    assert report.cells == []
    assert report.output is None
    assert report.summary["unjudged"] == 0


def test_in_place_and_elsewhere_give_the_same_book(tmp_path):
    """Recalculating in place gives the parts that recalculating to another file gives."""
    content = book({"S": {"A1": 1.0, "B1": F("A1*2", 2)}})
    one = saved(tmp_path, content, "one.xlsx")
    recalculate(one, tmp_path / "other.xlsx", ["A1=3"])
    report = recalculate(one, None, ["A1=3"])
    assert report.output == one
    assert differing(one, tmp_path / "other.xlsx") == set()


def test_a_book_in_memory_is_computed_like_a_file(tmp_path):
    """Computing bytes gives what recalculating the file of these bytes writes."""
    content = book({"S": {"A1": 1.0, "B1": F("A1*2"), "C1": F('"x"')}})
    after, report = computed(content, tmp_path / "name.xlsx")
    found, _ = recalculated(tmp_path, content)
    assert values(saved(tmp_path, after, "memory.xlsx")) == found
    assert report.summary["unjudged"] == 2
    assert report.file.name == "name.xlsx"


def test_report_values_are_what_the_file_holds(tmp_path):
    """The values in the report are those in the written file, refused cells at their saved value."""
    content = book({"S": {"A1": 1.0, "B1": F("A1*2", 2), "C1": F("NOPE(A1)", 7)}})
    _, report = recalculated(tmp_path, content, "A1=4")
    assert report.values == {("S", 1, 2): 8.0, ("S", 1, 3): 7.0}


def test_dates_and_their_formats_stay(tmp_path):
    """A date cell that a formula moves is a date of the same format to another reader."""
    wb = openpyxl.Workbook()
    ws = wb.active
    ws["A1"], ws["B1"] = 3, "=DATE(2026,A1,15)"
    ws["B1"].number_format = "d mmm yyyy"
    path = tmp_path / "d.xlsx"
    wb.save(path)
    recalculate(path, None, ["A1=12"])
    found = openpyxl.load_workbook(path, data_only=True).active["B1"]
    assert (found.value.year, found.value.month, found.value.day) == (2026, 12, 15)
    assert found.number_format == "d mmm yyyy"


@pytest.mark.parametrize(
    ("formula", "before", "after"),
    [
        ("_xlfn.LET(_xlpm.x,A1*2,_xlpm.x+1)", 3, 11),
        ("_xlfn.CONCAT(A1,2)", "12", "52"),
        ("SUMPRODUCT((B2:B4>A1)*B2:B4)", 9, 0),
        ("INDEX(B2:B4,MATCH(4,B2:B4,0))*A1", 4, 20),
        ("_xlfn.XLOOKUP(A1+1,B2:B4,B2:B4,-1)", 2, -1),
        ("ROUND(A1/3,2)", 0.33, 1.67),
        ("PMT(A1/100,12,-1000)", 88.84878867834166, 112.82541002081534),
        ('TEXT(A1,"0.00")', "1.00", "5.00"),
    ],
)  # fmt: skip
def test_usual_functions_are_judged_right_and_follow(tmp_path, formula, before, after):
    """Functions of an everyday model come out as saved and follow their input."""
    cells = {"A1": 1.0, **column("B", [2.0, 3.0, 4.0], 2), "C1": F(formula, before)}
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert report.summary["right"] == 1
    if isinstance(after, str):
        assert found["C1"] == after
    else:
        assert close(found["C1"], after)


# What a review found: values that would have gone into a file without a word.

FILLED = ' t="shared" ref="B1:B3" si="0"'
CHILD = '<c r="{}"><f t="shared" si="0"/><v>{}</v></c>'


def test_children_of_a_disputed_master_keep_their_values(tmp_path):
    """A doctored master of a filled-down formula does not take its children down with it."""
    cells = {
        **column("A", [1.0, 2.0, 3.0]),
        "B1": F("A1*10", 11, FILLED),
        "B2": Raw(CHILD.format("B2", 20)),
        "B3": Raw(CHILD.format("B3", 30)),
        "C1": F("SUM(B2:B3)", 50),
    }
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert [found[place] for place in ("B1", "B2", "B3", "C1")] == [11, 20, 30, 50]
    assert (report.summary["right"], report.summary["disputed"]) == (3, 1)
    assert report.summary["changed"] == 0


def test_filled_down_calls_of_ours_follow_their_inputs(tmp_path):
    """A filled-down call of ours, one shared formula in the file, is computed in every cell."""
    cells = {
        **column("A", [0.0, 12.0, 24.0]),
        "B1": F(f'TOKEN_COST("B200",A1,"{CHAT}")', 1, FILLED),
        "B2": Raw(CHILD.format("B2", 1)),
        "B3": Raw(CHILD.format("B3", 1)),
    }
    found, _ = recalculated(tmp_path, book({"S": cells}))
    direct = [FUNCTIONS["TOKEN_COST"]("B200", month, CHAT) for month in (0.0, 12.0, 24.0)]
    assert all(close(found[f"B{i}"], value) for i, value in enumerate(direct, 1))


def test_a_plain_formula_takes_the_cell_of_its_row(tmp_path):
    """Beside an operator a range means the cell of the formula's row, and nothing spills."""
    cells = {**column("A", [1.0, 2.0, 3.0]), "C2": F("A1:A3*2"), "E1": F("SUM(C1:C9)")}
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert (found["C2"], found["E1"]) == (4, 4)
    assert report.findings == []


def test_a_call_of_ours_over_a_range_is_not_spilled(tmp_path):
    """Where Excel would take one value of a range, the cell is refused and nothing spills."""
    formula = f'TOKEN_COST(A1:A3,0,"{CHAT}")'
    cells = {**column("A", ["B200", "H200", "MI355X"]), "C2": F(formula), "E1": F("SUM(C1:C9)")}
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert {c.cell for c in report.findings} == {"C2", "E1"}
    assert "C2" not in found or found["C2"] is None


def test_a_call_of_ours_over_a_range_keeps_its_saved_value(tmp_path):
    """A saved value that Excel took from a range by intersection is not replaced by another."""
    cells = {
        **column("A", ["B200", "H200", "MI355X"]),
        "C2": F(f'TOKEN_COST(A1:A3,0,"{CHAT}")', 0.36),
    }
    found, report = recalculated(tmp_path, book({"S": cells}))
    assert found["C2"] == 0.36
    assert statuses(report)["C2"] == "unsupported"


@pytest.mark.parametrize("formula", ["CUBEVALUE(A1,A2)", 'GETPIVOTDATA("x",A1,A2)', "INFO(A1)"])
def test_functions_known_to_be_wrong_are_never_computed(tmp_path, formula):
    """A function that the engine computes unlike Excel keeps its value, or is refused."""
    content = book({"S": {"A1": 2.5, "A2": 2.0, "B1": F(formula, 4)}})
    found, report = recalculated(tmp_path, content)
    assert found["B1"] == 4
    assert report.summary["unsupported"] == 1
    _, report = recalculated(tmp_path, content, "A1=-2.5")
    assert statuses(report)["B1"] == "refused"


def test_a_value_that_becomes_an_error_is_a_finding(tmp_path):
    """A setting that turns values into errors is told cell by cell, with the reason."""
    cells = {
        "A1": "utilization",
        "B1": 0.5,
        "C1": F(f'TOKEN_COST("B200",0,"{CHAT}",A1:B1)', 1),
    }
    _, report = recalculated(tmp_path, book({"S": cells}), "B1=4")
    assert statuses(report)["C1"] == "error"
    assert [c.cell for c in report.findings] == ["C1"]
    assert any("utilization" in message for message in report.notebook.messages)


def test_no_number_beyond_every_number_reaches_the_report(tmp_path):
    """What the engine makes nan or infinite is #NUM!, in the file and in the report."""
    found, report = recalculated(tmp_path, book({"S": {"A1": F("FV(1E308,1000,1)")}}))
    assert found["A1"] == "#NUM!"
    assert report.as_dict()["cells"][0]["computed"] == "#NUM!"
