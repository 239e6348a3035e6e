import pytest
from builtin_tools import computed, value

from xltoken.recalc.builtins.criteria import meeting, pattern
from xltoken.recalc.sheetxml import ErrorText

NA = {"type": "Error", "kind": "Na"}
CELLS = [23.0, "23", True, 1.0, -23.0, "hey", False, "", None, NA]


@pytest.mark.parametrize(
    ("criterion", "met"),
    [
        (23.0, [0, 1]), ("23", [0, 1]), ("=23", [0, 1]), ("<>23", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (">0", [0, 3]), ("<=1", [3, 4]), ("<", []), (">=", []), ("", [7, 8]), ("=", [8]),
        ("<>", [0, 1, 2, 3, 4, 5, 6, 7, 9]), (True, [2]), ("TRUE", [2]), ("<>TRUE", [0, 1, 3, 4, 5, 6, 7, 8, 9]),
        ("hey", [5]), ("HEY", [5]), ("h*", [5]), ("?ey", [5]), ("<>h*", [0, 1, 2, 3, 4, 6, 7, 8, 9]),
        (">a", [5]), ("#N/A", [9]), (NA, [9]), (None, []), ("*", [1, 5, 7]),
    ],
)  # fmt: skip
def test_criteria(criterion, met):
    """A criterion meets the cells that Excel counts for it."""
    test = meeting(criterion)
    assert [place for place, cell in enumerate(CELLS) if test(cell)] == met


def test_wildcards_can_be_plain():
    """A tilde makes the sign after it a plain one, and only texts with signs have a pattern."""
    assert pattern("a~*").fullmatch("A*")
    assert not pattern("a~*").fullmatch("ab")
    assert pattern("ab") is None


def test_an_error_that_is_summed_is_shown():
    """An error in a chosen cell is the result; one that is not chosen does not matter."""
    cells = {"A1": 1.0, "A2": 2.0, "B1": 5.0, "B2": ErrorText("#DIV/0!")}
    found = computed(
        "SUMIF(A1:A2,2,B1:B2)", "SUMIFS(B1:B2,A1:A2,2)", "SUMIF(A1:A2,1,B1:B2)", "AVERAGEIF(A1:A2,3,B1:B2)",
        "COUNTIF(B1:B2,B2)", "MAXIFS(B1:B2,A1:A2,9)", **cells,
    )  # fmt: skip
    assert found == ["#DIV/0!", "#DIV/0!", 5.0, "#DIV/0!", 1.0, 0.0]


def test_arrays_of_criteria():
    """An array of criteria gives an array of results."""
    cells = {"A1": "x", "A2": "y", "A3": "x", "B1": 1.0, "B2": 2.0, "B3": 4.0}
    assert value('SUMIFS(B1:B3,A1:A3,{"x","y","z"})', **cells) == [[5.0, 2.0, 0.0]]
    assert value('COUNTIF(A1:A3,{"x";"y"})', **cells) == [[2.0], [1.0]]


def test_whole_columns_of_unlike_length():
    """Whole columns count as equally long, however far each is filled."""
    cells = {"A1": "x", "A2": "y", "A3": "z", "A4": "x", "B1": 1.0, "B2": 2.0}
    assert computed('SUMIF(A:A,"x",B:B)', 'SUMIFS(B:B,A:A,"x")', 'XLOOKUP("z",A:A,B:B)=""', **cells) == [
        1.0, 1.0, True,
    ]  # fmt: skip


SEARCHES = [
    ("XLOOKUP(4.8,{2,5,4,5,3},{1,2,3,4,5},#N/A,-1)", 3.0),
    ("XLOOKUP(4.2,{2,5,4,5,3},{1,2,3,4,5},#N/A,1)", 2.0),
    ("XLOOKUP(4.2,{2,5,4,5,3},{1,2,3,4,5},#N/A,1,-1)", 4.0),
    ('XLOOKUP(9,{1,2},{1,2},"none")', "none"),
    ("XLOOKUP(9,{1,2},{1,2},#N/A)", "#N/A"),
    ("XLOOKUP(9,{1,2},{1,2},0)", 0.0),
    ('XLOOKUP("B*",{"abc","bcd"},{1,2},#N/A,2)', 2.0),
    ('XLOOKUP("b",{"A","B"},{1,2})', 2.0),
    ("XLOOKUP(TRUE,{1,TRUE},{1,2})", 2.0),
    ("XLOOKUP(2,{1;2},{1,2;3,4})", [[3.0, 4.0]]),
    ("XLOOKUP(2,{1,2},{1,2;3,4})", [[2.0], [4.0]]),
    ("XLOOKUP({2,1,9},{1,2},{5,6})", [[6.0, 5.0, "#N/A"]]),
    ("XLOOKUP(5,{1,5,5,5,7},{1,2,3,4,5},#N/A,0,2)", 2.0),
    ("XLOOKUP(5,{7,5,5,5,1},{1,2,3,4,5},#N/A,0,-2)", 4.0),
    ("XLOOKUP(6,{1,5,5,5,7},{1,2,3,4,5},#N/A,-1,2)", 4.0),
    ("XLOOKUP(1,{1,2;3,4},{1,2})", "#VALUE!"),
    ("XLOOKUP(1,{1,2},{1,2},#N/A,7)", "#VALUE!"),
    ("XMATCH(3,{1,2,3})", 3.0),
    ("XMATCH(0.5,{1,2},-1,2)", "#N/A"),
    ("XMATCH(3,{1,2},1,2)", "#N/A"),
    ("XMATCH(TRUE,{1,TRUE},0,2)", 2.0),
    ('XMATCH("(",{"a"},3)', "#VALUE!"),
    ('XMATCH("a",{"b","A"},2,-1)', 2.0),
    ("XMATCH(2,{1,2},2)", 2.0),
    ("XMATCH(1,{TRUE,1})", 2.0),
    ("XMATCH(Z9,{5,0})", 2.0),
    ("ADDRESS(0,3,4,FALSE)", "RC[3]"),
    ("ADDRESS(1,1,5)", "#VALUE!"),
    ('XMATCH("[A-Z]y",{"aY","Xy"},3)', 2.0),
    ("XMATCH(9,{1,2})", "#N/A"),
    ('LOOKUP("zzz",{"a","b"})', "b"),
    ("LOOKUP(9.99E+307,{1,3;2,4})", 4.0),
    ("LOOKUP(0,{1,2},{3,4})", "#N/A"),
    ("ADDRESS(2,3)", "$C$2"),
    ("ADDRESS(2,3,4)", "C2"),
    ("ADDRESS(2,3,2,FALSE)", "R2C[3]"),
    ('ADDRESS(2,3,1,TRUE,"Data 1")', "'Data 1'!$C$2"),
    ("ADDRESS(0,1)", "#VALUE!"),
]


def test_searches():
    """XLOOKUP, XMATCH, LOOKUP and ADDRESS by every mode."""
    found = computed(*[formula for formula, _ in SEARCHES])
    wrong = [
        (formula, wanted, got)
        for (formula, wanted), got in zip(SEARCHES, found, strict=True)
        if got != wanted
    ]
    assert wrong == []


TABLE = {
    "A1": "Name", "B1": "Units", "A2": "Ann", "B2": 1.0, "A3": "Anna", "B3": 2.0, "A4": "Bob", "B4": 4.0,
    "D1": "Name", "E1": "Units", "D2": "Ann", "D3": "=Ann", "E5": ">1", "E4": "Units",
}  # fmt: skip


def test_database_functions():
    """A bare text means what begins with it; rows of criteria are alternatives."""
    found = computed(
        'DSUM(A1:B4,"Units",D1:D2)', "DCOUNT(A1:B4,2,E4:E5)", 'DGET(A1:B4,"units",D1:D2)', "DPRODUCT(A1:B4,2,E4:E5)",
        "DCOUNTA(A1:B4,1,D1:E3)", 'DMAX(A1:B4,"Other",D1:D2)', "DSTDEV(A1:B4,2,E4:E5)", "DAVERAGE(A1:B4,2,E4:E5)",
        **TABLE,
    )  # fmt: skip
    assert found == pytest.approx([3.0, 2.0, "#NUM!", 8.0, 2.0, "#VALUE!", 2.0**0.5, 3.0])
