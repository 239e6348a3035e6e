"""The engine behind its interface: our functions in it, values out of it."""

import math

import pytest
from recalc_tools import F, book

from xltoken.files import FileError
from xltoken.functions import FUNCTIONS, cells
from xltoken.recalc import engine as engines
from xltoken.recalc.engine import Engine, FormulaError, check_syntax, lacks
from xltoken.recalc.package import Package, parsed
from xltoken.recalc.sheetxml import ErrorText
from xltoken.recalc.workbook import evaluate


def loaded(content: bytes, tmp_path) -> Engine:
    """Engine of a hand-written book."""
    return Engine.of(parsed(tmp_path / "book.xlsx", content))


def computed(formula: str):
    """Value of one formula in a book of its own."""
    engine = Engine.empty(formula)
    engine.set_formula("Sheet1", 1, 1, formula)
    engine.evaluate()
    return engine.values("Sheet1", [(1, 1)])[1, 1]


@pytest.mark.parametrize(
    ("value", "back"),
    [(2.5, 2.5), (3, 3.0), ("text", "text"), (True, True), (False, False), (None, None)],
)
def test_a_constant_comes_back_as_it_went_in(value, back):
    """A number, text, boolean or blank that is set is read back with its type."""
    engine = Engine.empty()
    engine.set("Sheet1", 2, 3, value)
    engine.set("Sheet1", 1, 1, 1.0)
    found = engine.values("Sheet1", [(2, 3)])[2, 3]
    assert found == back
    assert type(found) is type(back)


@pytest.mark.parametrize(
    "code", ["#N/A", "#NUM!", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NULL!"]
)
def test_an_error_that_is_set_reaches_what_reads_it(code):
    """A frozen error value is an error to the formulas that read it, and stays the same error."""
    engine = Engine.empty()
    engine.set("Sheet1", 1, 1, ErrorText(code))
    engine.set_formula("Sheet1", 1, 2, "=A1+1")
    engine.evaluate()
    found = engine.values("Sheet1", [(1, 1), (1, 2)])
    assert found == {(1, 1): code, (1, 2): code}
    assert all(isinstance(value, ErrorText) for value in found.values())


def test_no_places_no_values():
    """Asking for nothing gives nothing."""
    assert Engine.empty().values("Sheet1", []) == {}


def test_a_set_constant_replaces_a_formula():
    """A formula that is set to a constant is gone, and can be put back."""
    engine = Engine.empty()
    engine.set_formula("Sheet1", 1, 1, "=1+1")
    engine.evaluate()
    engine.set("Sheet1", 1, 1, 9.0)
    engine.evaluate()
    assert engine.values("Sheet1", [(1, 1)])[1, 1] == 9.0
    assert engine.formula("Sheet1", 1, 1) is None
    engine.set_formula("Sheet1", 1, 1, "=1+1")
    engine.evaluate()
    assert engine.values("Sheet1", [(1, 1)])[1, 1] == 2.0


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_example_gives_the_direct_call_s_value(name):
    """The worked example of each function gives in the engine what the direct call gives."""
    function = FUNCTIONS[name]
    rows, _ = evaluate(function.example_formula)
    direct = cells.outgoing(cells.call(function, function.example))
    direct = direct if isinstance(direct, list) else [[direct]]
    assert len(rows) == len(direct)
    for got, wanted in zip(rows, direct, strict=True):
        for one, other in zip(got, wanted, strict=True):
            if isinstance(other, float):
                assert math.isclose(one, other, rel_tol=1e-12), (one, other)
            else:
                assert (one or "") == str(other)


def test_the_engine_says_that_it_asks():
    """Inside the engine the host is the engine; outside it is not."""
    assert computed('=XLTOKEN_INFO("host")') == "engine"
    assert FUNCTIONS["XLTOKEN_INFO"]("host") == "python"


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ('=TOKEN_COST("nope",0,"deepseek-r1/chat")', "#N/A"),
        ("=TOKEN_COST(NA(),0,1)", "#N/A"),
        ("=TOKEN_COST(1/0,0,1)", "#DIV/0!"),
        ('=TOKEN_COST(TRUE,0,"deepseek-r1/chat")', "#VALUE!"),
        ("=COST_CURVE(-1,0,0.1)", "#NUM!"),
        ("=COST_CURVE(1,SQRT(-1),0.1)", "#NUM!"),
    ],
)
def test_errors_of_ours_are_errors_in_the_cell(formula, code):
    """A failure of ours, or an error among the arguments, is that very error value."""
    found = computed(formula)
    assert found == code
    assert isinstance(found, ErrorText)


def test_a_defect_of_ours_is_raised(monkeypatch):
    """A defect inside a function is raised, and is no #VALUE! that could pass for a result."""

    def broken(*_args, **_options):
        raise AttributeError("a defect")

    monkeypatch.setattr(engines.cells, "prepared", lambda *_args, **_options: broken)
    with pytest.raises(AttributeError, match="a defect"):
        computed("=XLTOKEN_INFO()")


def test_a_range_lifts_and_spills_in_the_engine():
    """A range of months gives a range of costs, each what the single call gives."""
    rows, _ = evaluate('=TOKEN_COST("B200",{0,12,24},"deepseek-r1/chat")')
    single = [FUNCTIONS["TOKEN_COST"]("B200", float(m), "deepseek-r1/chat") for m in (0, 12, 24)]
    assert rows == [pytest.approx(single, rel=1e-12)]


def test_a_single_value_spills_nothing():
    """The spill of a scalar is that scalar."""
    assert evaluate("=1+1")[0] == [[2.0]]


def test_evaluate_accepts_a_formula_without_its_sign():
    """The equals sign may be left out."""
    assert evaluate("2*3") == (evaluate("=2*3")[0], evaluate("=2*3")[1])


def test_evaluate_fills_skipped_arguments():
    """A skipped argument takes the default, not 0."""
    skipped = evaluate("=NPV_DECLINING(0.1,{100,100},2,0.1,,,,)")[0]
    assert skipped == evaluate("=NPV_DECLINING(0.1,{100,100},2,0.1)")[0]


def test_a_blank_between_brackets_is_no_argument():
    """A call with nothing but a space in its brackets is a call without arguments."""
    assert evaluate("=XLTOKEN_INFO( )")[0] == evaluate("=XLTOKEN_INFO()")[0]


def test_evaluate_names_a_function_that_is_not_there():
    """An unknown function gives #NAME? and a message with its name."""
    rows, notebook = evaluate("=NOPE(1)")
    assert rows == [["#NAME?"]]
    assert any("NOPE" in message for message in notebook.messages)


@pytest.mark.parametrize("formula", ["=1+", "=SUM(1", "=)"])
def test_a_formula_that_cannot_be_read_is_refused(formula):
    """Broken syntax is a FormulaError of one line that shows the formula."""
    with pytest.raises(FormulaError) as caught:
        evaluate(formula)
    assert formula in str(caught.value)
    assert "\n" not in str(caught.value)


def test_good_syntax_passes():
    """A formula that can be read raises nothing."""
    assert check_syntax("=SUM(A1:B2)*TOKEN_COST(C1,0,D1)") is None


def test_lacking_functions_are_named():
    """Functions the engine does not have are named; ours and its own are not."""
    names = ["SUM", "NOPE", "_xll.TOKEN_COST", "_xlfn.CONCAT", "_xlfn.MAP"]
    assert lacks(names) == ["NOPE", "_xlfn.MAP"]


def test_precedents_are_areas_on_their_sheets(tmp_path):
    """Cells, ranges, names and other sheets that a formula reads are its precedents."""
    content = book(
        {
            "It's one": {"A1": 1.0, "B1": F("A1+SUM(A1:A3)+'R&D'!C2+rate", 1)},
            "R&D": {"A1": 1.0, "C2": 2.0, "D4": 4.0},
        },
        names={"rate": "'R&D'!$D$4"},
    )
    areas = loaded(content, tmp_path).precedents("It's one", 1, 2)
    assert areas is not None
    assert {
        ("It's one", 1, 1, 1, 1), ("It's one", 1, 1, 3, 1), ("R&D", 2, 3, 2, 3), ("R&D", 4, 4, 4, 4),
    } <= set(areas)  # fmt: skip


def test_a_book_that_the_engine_refuses_is_a_file_error(tmp_path):
    """A package whose bytes the engine cannot load is a FileError that names the file."""
    package = Package(tmp_path / "odd.xlsx", b"PK no archive", {}, {}, date1904=False)
    with pytest.raises(FileError, match=r"odd\.xlsx: the engine cannot load it"):
        Engine.of(package)


def test_a_table_of_ours_spills_whole():
    """A function with a table result gives header and rows in the engine as directly."""
    rows, _ = evaluate('=PLATFORM_RANKING(0,"deepseek-r1/chat")')
    direct = FUNCTIONS["PLATFORM_RANKING"](0.0, "deepseek-r1/chat")
    assert rows[0] == direct[0]
    assert [row[1] for row in rows] == [row[1] for row in direct]
