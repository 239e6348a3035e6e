import math

import pytest
from builtin_tools import computed, value

from xltoken.recalc.builtins import DATED, REPLACED, SKIPPED, SLOW
from xltoken.recalc.builtins.arguments import general, lifted, number, outgoing
from xltoken.recalc.builtins.text_numbers import number_of_text
from xltoken.recalc.sheetxml import ErrorText


def test_text_numbers_count_as_numbers():
    """A text that shows a number is that number where one is due, and other text is #VALUE!."""
    assert computed('ABS("-12")', 'ABS(" 1,234.5 ")', 'ABS("12%")', 'ABS("x")', 'ABS("")') == [
        12.0, 1234.5, 0.12, "#VALUE!", "#VALUE!",
    ]  # fmt: skip


def test_booleans_and_blanks():
    """TRUE is 1 and a blank is 0; the functions of the old ToolPak refuse booleans."""
    assert computed("ABS(TRUE)", "ABS(Z9)", "EDATE(45000,TRUE)", "GCD(TRUE,2)", "EDATE(45000,Z9)") == [
        1.0, 0.0, "#VALUE!", "#VALUE!", 45000.0,
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["#N/A", "#DIV/0!", "#REF!", "#NUM!", "#NAME?", "#NULL!"])
def test_errors_come_through(code):
    """An error among the arguments is the result, wherever it stands."""
    error = ErrorText(code)
    found = computed(
        "ROUND(A1,2)", "IPMT(0.1,1,A1,5)", "LEFT(A1,1)", "XNPV(0.1,A1:B1,C1:D1)", "SUMIF(C1:D1,1,A1:B1)",
        A1=error, B1=1.0, C1=1.0, D1=2.0,
    )  # fmt: skip
    assert found == [code] * 5


def test_the_first_error_wins():
    """Of two errors the left one is the result."""
    assert value("POWER(1/0,NA())") == "#DIV/0!"


def test_ranges_broadcast():
    """A column against a row gives a table; a cell without a partner is #N/A."""
    assert value("POWER({2;3},{1,2})") == [[2.0, 4.0], [3.0, 9.0]]
    assert value("POWER({1,2,3},{1,2})") == [[1.0, 4.0, "#N/A"]]


def test_one_bad_cell_spoils_one_cell():
    """Over an array an error stays in its own cell."""
    assert value('ABS({-1,"x",-3})') == [[1.0, "#VALUE!", 3.0]]


def test_idioms_over_ranges():
    """The usual idioms see every cell of a range, not its first."""
    cells = {"A1": "ab1", "A2": "xy", "A3": "ab2", "B1": 10.4, "B2": 20.4, "B3": 30.4}
    found = computed(
        'SUMPRODUCT(--(LEFT(A1:A3,2)="ab"),B1:B3)',
        'SUMPRODUCT(--ISNUMBER(SEARCH("ab",A1:A3)))',
        "SUMPRODUCT(ROUND(B1:B3,0))",
        "SUMPRODUCT(LEN(A1:A3))",
        'SUM(SUMIFS(B1:B3,A1:A3,{"xy","ab1"}))',
        'LOOKUP(2,1/(A1:A3="ab1"),B1:B3)',
        "SUMPRODUCT((MONTH({45000,45031})=3)*1)",
        "SUMPRODUCT(--ISERROR(1/{1,0}))",
        **cells,
    )
    assert found == pytest.approx([40.8, 2.0, 60.0, 8.0, 30.8, 10.4, 1.0, 1.0])


def test_prefixed_names_are_replaced_too():
    """A name that files write with a prefix computes the same under both."""
    plain, prefixed = computed('XLOOKUP(2,{1,2},{"a","b"})', '_xlfn.XLOOKUP(2,{1,2},{"a","b"})')
    assert plain == prefixed == "b"


def test_blank_results_stay_blank():
    """A blank cell that was looked up equals both "" and 0, as a reference to it does."""
    found = computed(
        'XLOOKUP(1,A1:A2,B1:B2)=""', "XLOOKUP(1,A1:A2,B1:B2)=0", A1=1.0, A2=2.0, B2=5.0
    )
    assert found == [True, True]


def test_not_a_number_becomes_an_error():
    """Neither nan nor infinity is ever stored as a number."""
    for unfit in (math.nan, math.inf, -math.inf):
        assert outgoing(unfit).error_kind == "Num"
    assert computed("EXP(1000)", "FACT(171)", "POWER(10,400)") == ["#NUM!"] * 3


def test_wrong_number_of_arguments():
    """Too few or too many arguments are #VALUE!, not a defect."""
    double = lifted(number)(lambda one: 2.0 * one)
    assert double().error_kind == double(1.0, 2.0).error_kind == "Value"
    assert double(2.0) == 4.0


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ("1,234.5", 1234.5), ("(12)", -12.0), ("-$5", -5.0), ("$-5", -5.0), ("7 €", 7.0), ("12%", 0.12),
        ("1e3", 1000.0), (".5", 0.5), ("1 1/2", 1.5), ("2024-01-10", 45301.0), ("5 Jan 2024", 45296.0),
        ("Jan 5, 2024", 45296.0), ("6 PM", 0.75), ("13/1/2020", 43843.0), ("29-Feb-1900", 60.0),
        ("2024-01-10 6:00", 45301.25), ("8/2024", 45505.0), ("Mar-2024", 45352.0), ("5-jan-99", 36165.0), ("12-", -12.0),
        ("1:2:3.5", 3723.5 / 86400), ("25:00", 25 / 24), ("13 PM", None), ("32 Jan 2020", None), ("1 1/0", None), ("€", None), (" 2024-01-10 ", None), ("30-Feb-2020", None), ("1,2", None),
        ("--1", None), ("-(3)", None), ("x", None), ("", None), ("1e400", None), ("12:61", None), ("$€1", None),
    ],
)  # fmt: skip
def test_number_of_text(shown, wanted):
    """Figures, money, shares, dates and times are read; what Excel refuses is refused."""
    assert number_of_text(shown) == (wanted if wanted is None else pytest.approx(wanted, rel=1e-15))


@pytest.mark.parametrize(
    ("number_shown", "wanted"),
    [(0.1 + 0.2, "0.3"), (1 / 3, "0.333333333333333"), (1e15, "1000000000000000"), (1e21, "1E+21"),
     (-0.00001, "-0.00001"), (1e-20, "1E-20"), (1.5, "1.5"), (-0.0, "0")],
)  # fmt: skip
def test_general(number_shown, wanted):
    """A number joined to a text shows 15 digits, and no exponent where it can do without."""
    assert general(number_shown) == wanted


def test_tables_name_known_functions():
    """What is said of a function is said of one that is replaced, or that the engine has."""
    assert set(REPLACED) >= DATED | SLOW
    assert set(SKIPPED) - set(REPLACED) == {"LINEST", "LOGEST", "TREND", "GROWTH"}
