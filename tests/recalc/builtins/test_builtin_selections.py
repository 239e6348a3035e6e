import pytest
from builtin_tools import agree, computed, value

from xltoken.recalc.builtins import REPLACED
from xltoken.recalc.builtins.selections import _collated
from xltoken.recalc.sheetxml import ErrorText

CELLS = {
    "A1": 3.0, "A2": "b", "A3": True, "A5": 1.0, "A6": "B", "B1": 1.0, "B2": 2.0, "B3": 3.0, "C1": "x", "C2": "y",
    "C3": "X", "D1": ErrorText("#N/A"), "D2": 1.0, "D3": 0.0,
}  # fmt: skip
CASES = [
    ("SORT(A1:A6)", [[1.0], [3.0], ["b"], ["B"], [True], [0.0]]),
    ("SORT(A1:A6,1,-1)", [[True], ["b"], ["B"], [3.0], [1.0], [0.0]]),
    ("SORT(D1:D3)", [[0.0], [1.0], ["#N/A"]]),
    ("SORT(D1:D3,1,-1)", [["#N/A"], [1.0], [0.0]]),
    ("SORT(B1:C3,{2,1},{1,-1})", [[3.0, "X"], [1.0, "x"], [2.0, "y"]]),
    ("SORT(B1:C3,{2,1},-1)", [[2.0, "y"], [3.0, "X"], [1.0, "x"]]),
    ("SORT(B1:B3,{1,1},{1,1,1})", "#VALUE!"),
    ("SORT(B1:B3,0)", "#VALUE!"),
    ("SORT(B1:B3,D1)", "#N/A"),
    ("SORTBY(B1:B3,C1:C3,1,B1:B3,-1)", [[3.0], [1.0], [2.0]]),
    ("SORTBY(B1:B3,C1:C3,B1:B3)", "#VALUE!"),
    ("SORTBY(5,7)", 5.0),
    ("UNIQUE(C1:C3)", [["x"], ["y"]]),
    ("UNIQUE(C1:C3,FALSE,TRUE)", "y"),
    ("UNIQUE(A4:A5)", [[0.0], [1.0]]),
    ("UNIQUE(VSTACK(D1:D2,D1))", [["#N/A"], [1.0]]),
    ("UNIQUE({1,1})", [[1.0, 1.0]]),
    ("UNIQUE({1,1},,TRUE)", [[1.0, 1.0]]),
    ("UNIQUE({1;1},,TRUE)", "#CALC!"),
    ('ROWS(UNIQUE({1;"1";TRUE}))', 3.0),
    ("FILTER(B1:B3,D1:D3)", "#N/A"),
    ("FILTER(B1:B3,{0;0;0},{7,8})", [[7.0, 8.0]]),
    ("FILTER(B1:B3,{0;0;0},1,2)", "#VALUE!"),
    ("FILTER(B1:C1,1)", [[1.0, "x"]]),
    ("FILTER(B1:B3,A1:A3)", "#VALUE!"),
    ("SEQUENCE(0)", "#VALUE!"),
    ("SEQUENCE(1048577)", "#VALUE!"),
    ("SEQUENCE(2,2,1,0)", [[1.0, 1.0], [1.0, 1.0]]),
    ("SUMPRODUCT(A1:A3,B1:B3)", 3.0),
    ("SUMPRODUCT({1,2;3,4},{1,2;3,4})", 30.0),
    ("SUMPRODUCT(TRUE,5)", 0.0),
    ("SUMPRODUCT(B1:B3,D1:D3)", "#N/A"),
    ("SUMPRODUCT(D1,B1:B3)", "#N/A"),
    ("SUMPRODUCT(B1:B3,C1:C2)", "#VALUE!"),
    ("SUMPRODUCT(1E+200,1E+200)", "#NUM!"),
]  # fmt: skip


def test_selections_and_products():
    """FILTER, UNIQUE, SORT, SORTBY, SEQUENCE and SUMPRODUCT on blanks, errors, texts and sizes."""
    found = computed(*[formula for formula, _ in CASES], **CELLS)
    wrong = [
        (formula, wanted, got)
        for (formula, wanted), got in zip(CASES, found, strict=True)
        if not agree(got, wanted)
    ]
    assert wrong == []


def test_blanks_stay_blank_inside_a_formula():
    """A blank that passes through an array is shown as 0, but is no 0 to the function around it."""
    cells = {"A1": 2.0, "A3": 0.0, "B1": 1.0, "B2": 1.0, "B3": 1.0}
    found = computed(
        "SORT(UNIQUE(A1:A3))",
        'TEXTJOIN("-",TRUE,SORT(A1:A3))',
        "COUNT(FILTER(A1:A3,B1:B3))",
        **cells,
    )
    assert found == [[[0.0], [2.0], [0.0]], "0-2", 2.0]


@pytest.mark.parametrize("name", ["SORT", "FILTER"])
def test_the_long_prefix_of_files_is_known(name):
    """What files write with the long prefix is the same function."""
    assert REPLACED[f"_xlfn._xlws.{name}"] is REPLACED[name]
    assert value(f"_xlfn._xlws.{name}(A1:A2,{{1;1}})" if name == "FILTER" else f"_xlfn._xlws.{name}(A1:A2)",
                 A1=1.0, A2=2.0) == [[1.0], [2.0]]  # fmt: skip


def test_order_of_texts():
    """Signs come before digits and those before letters; case, accents and hyphens count least."""
    words = ["zebra", "Élan", "elan", "a_b", "ab", "a1", "e-lan", "it's", "its", "É", "f"]
    assert sorted(words, key=_collated) == [
        "a_b", "a1", "ab", "É", "elan", "e-lan", "Élan", "f", "its", "it's", "zebra",
    ]  # fmt: skip


ANNUITIES = [
    ("PMT(0.08/12,10,10000)", -1037.0320893591636),
    ("PMT(-1,2,100)", 0.0),
    ("PMT(-1,-2,100)", "#NUM!"),
    ("PMT(-2,2,100)", "#NUM!"),
    ("PMT(-3,1.5,100)", "#NUM!"),
    ("PMT({0;0.1},1,{100,200})", [[-100.0, -200.0], [-110.0, -220.0]]),
    ("PV(-1,2,100)", "#NUM!"),
    ("PV(0,10,-100)", 1000.0),
    ("NPER(0,-100,1000)", 10.0),
    ("PV(0.1,1,-110,0,TRUE)", 110.0),
    ("PV({0.1,0.2},1,-132)", [[120.0, 110.0]]),
    ("NPER(0.1,0,100,-121)", 2.0),
    ("NPER(-1,5,100)", "#NUM!"),
    ("NPER(0,0,100)", "#NUM!"),
    ("NPER(0.1,-10,100)", "#NUM!"),
    ("RRI({1,2},100,121)", [[0.21, 0.1]]),
    ("RRI(2,100,-121)", "#NUM!"),
    ("SLN({100;200},0,5)", [[20.0], [40.0]]),
    ("SLN(100,0,0)", "#DIV/0!"),
    ("SYD(100,0,4,{1,4})", [[40.0, 10.0]]),
    ("DDB(2400,300,10,{1,2})", [[480.0, 384.0]]),
    ("DDB(100,0,1,1)", 100.0),
    ("DDB(100,90,5,2)", 0.0),
    ('PMT("x",1,1)', "#VALUE!"),
]  # fmt: skip


def test_annuities_and_depreciations():
    """PMT, PV, NPER, RRI, SLN, SYD and DDB at the ends of their domains, and over arrays."""
    found = computed(*[formula for formula, _ in ANNUITIES])
    wrong = [
        (formula, wanted, got)
        for (formula, wanted), got in zip(ANNUITIES, found, strict=True)
        if not agree(got, wanted, 1e-9)
    ]
    assert wrong == []
