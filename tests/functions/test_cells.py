"""Cells: what a raw value becomes, what a failure looks like, and who hears of it."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from contract_tools import is_error
from hypothesis import given
from hypothesis import strategies as st

import xltoken
from xltoken import COST_CURVE, NPV_DECLINING, TOKEN_COST, TOKEN_SOURCE
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import Problem
from xltoken.catalog.store import CatalogError
from xltoken.economics.domain import DomainError
from xltoken.functions import WorksheetFunction, cells
from xltoken.functions.cells import CellError, Noted
from xltoken.functions.definition import Column, Kind, Parameter
from xltoken.model.assumptions import InputError

NUMBER = Parameter("x", Kind.NUMBER, "share", "A number.", 2.0)


def toy(implementation, *parameters, columns=()):
    """Worksheet function that is in no registry."""
    return WorksheetFunction(
        "TOY", "Toys", "A toy.", parameters, "Anything.", "", "", (), columns, implementation
    )


def raising(error):
    """Toy that fails in this way."""

    def fail():
        raise error

    return toy(fail)


# --- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotKnown("nobody knows."), "#N/A"),
        (DomainError("outside."), "#NUM!"),
        (OverflowError("too large."), "#NUM!"),
        (InputError("wrong kind."), "#VALUE!"),
        (CatalogError([Problem("rates.csv", 3, "platform", "is unknown.")]), "#VALUE!"),
        (ZeroDivisionError("division by zero."), "#DIV/0!"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_failure_has_its_error_and_its_sentence(error, code):
    """Every kind of failure is one error value, whose message names the function and says why."""
    with cells.listening() as notebook:
        is_error(raising(error)(), code, "TOY: ", str(error))
    assert notebook.messages == [f"TOY: {error}"]


def test_failures_are_those_of_the_design():
    """The four errors of the design's failure table are the ones in use, and no other."""
    assert {code for _, code in cells.FAILURES} == {"#N/A", "#NUM!", "#VALUE!", "#DIV/0!"}


@pytest.mark.parametrize("error", [RuntimeError, TypeError, ValueError, KeyError, LookupError])
def test_a_defect_of_ours_is_no_error_value(error):
    """What no failure explains is raised: a defect must not look like a figure's error."""
    with pytest.raises(error):
        raising(error("a defect"))()


# --- results -------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [math.nan, math.inf, -math.inf, np.float64("inf")])
def test_a_result_that_is_no_number_is_num(result):
    """Nan and infinity never reach a cell: they are #NUM!."""
    is_error(toy(lambda: result)(), "#NUM!", "TOY", "not a finite number")


def test_none_is_na_where_a_number_was_due():
    """A missing number is #N/A."""
    is_error(toy(lambda: None)(), "#N/A")


@pytest.mark.parametrize("result", [3, np.float64(3.0), 3.0])
def test_numbers_leave_as_floats(result):
    """Whatever number a function computes leaves as a float."""
    left = toy(lambda: result)()
    assert type(left) is float
    assert left == 3.0


@pytest.mark.parametrize("result", [np.int64(3), np.float32(3.0)])
def test_numpy_numbers_leave_as_floats(result):
    """A numpy scalar that is no Python float leaves as a float too."""
    assert type(toy(lambda: result)()) is float


def test_a_table_keeps_its_header_and_cleans_its_body():
    """In a table a missing number is #N/A, a missing text is empty, and inf is #NUM!."""
    columns = (Column("n", "number"), Column("t", "text"), Column("d", "date"))
    rows = [
        ["n", "t", "d"],
        [1, "a", dt.date(2026, 1, 1)],
        [None, None, None],
        [math.inf, "", None],
    ]
    header, first, blank, broken = toy(lambda: rows, columns=columns)()
    assert header == ["n", "t", "d"]
    assert first == [1.0, "a", dt.date(2026, 1, 1)]
    assert type(first[0]) is float
    assert blank == ["#N/A", "", "#N/A"]
    assert [type(cell) for cell in blank] == [CellError, str, CellError]
    assert all(cell.message for cell in (blank[0], blank[2]))
    assert broken == ["#NUM!", "", "#N/A"]


@given(st.dates(dt.date(1950, 1, 1), dt.date(2200, 1, 1)))
def test_dates_leave_as_serials_of_the_book(day):
    """A date leaves as Excel's serial: days since 1899-12-30, or 1,462 fewer in a 1904 book."""
    serial = cells.outgoing(day)
    assert type(serial) is float
    assert pd.Timestamp("1899-12-30") + pd.Timedelta(days=serial) == pd.Timestamp(day)
    early = cells.outgoing(day, date1904=True)
    assert pd.Timestamp("1904-01-01") + pd.Timedelta(days=early) == pd.Timestamp(day)


def test_outgoing_changes_nothing_but_dates():
    """Numbers, text and errors leave as they are, in tables too."""
    table = [[1.0, "a"], [CellError("#N/A", "why"), dt.date(2026, 1, 1)]]
    assert cells.outgoing(table) == [[1.0, "a"], ["#N/A", 46023.0]]
    assert cells.outgoing(table)[1][0].message == "why"
    assert cells.outgoing(table, date1904=True)[1][1] == 44561.0


@given(st.dates(dt.date(1904, 1, 1), dt.date(2100, 1, 1)), st.booleans())
def test_a_date_comes_back_as_it_went(day, date1904):
    """A date given out and read back, in either date system, is the same day."""
    serial = cells.outgoing(day, date1904=date1904)
    echo = toy(lambda month: month, Parameter("month", Kind.DATE, "date", "A day."))
    if serial >= cells.LOWEST_SERIAL:
        assert cells.call(echo, [serial], date1904=date1904) == day


# --- reading -------------------------------------------------------------------------------------


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e9, 1e9))
def test_any_number_gives_a_finite_value_or_an_error(start, month):
    """Whatever numbers a cell holds, a curve gives a finite value or an error with a sentence."""
    result = COST_CURVE(start, month, 0.3)
    assert isinstance(result, CellError) or math.isfinite(result)
    if isinstance(result, CellError):
        is_error(result, "#NUM!")


@given(st.lists(st.lists(st.floats(0.01, 10), min_size=1, max_size=4), min_size=1, max_size=4))
def test_short_rows_are_blank_at_their_end(rows):
    """A ragged range is read as a rectangle whose missing cells are blank."""
    width = max(len(row) for row in rows)
    result = COST_CURVE(rows, 12, 0.5)
    if len(rows) == width == 1:
        assert result == COST_CURVE(rows[0][0], 12, 0.5)
        return
    for row, cells_out in zip(rows, result, strict=True):
        assert len(cells_out) == width
        assert cells_out[: len(row)] == [COST_CURVE(start, 12, 0.5) for start in row]
        for blank in cells_out[len(row) :]:
            is_error(blank, "#VALUE!", "start is missing")


@pytest.mark.parametrize("empty", [[], [[]], [[], []], (), np.array([]), np.empty((0, 2))])
def test_an_empty_range_is_missing(empty):
    """A range without cells is a missing argument."""
    is_error(COST_CURVE(empty, 12, 0.5), "#VALUE!", "start is missing")
    assert COST_CURVE(0.1, 12, 0.5, empty) == COST_CURVE(0.1, 12, 0.5)


def test_a_flat_list_is_a_row():
    """A flat list of cells lifts as a row; one with a nested row is a column of rows."""
    assert COST_CURVE([0.1, 0.2], 12, 0.5) == [[0.05, 0.1]]
    assert COST_CURVE([[0.1], 0.2], 12, 0.5) == [[0.05], [0.1]]


def test_engine_errors_become_cell_errors():
    """The engine's error values are errors here, with their kind and message."""
    kinds = {
        "Na": "#N/A", "N/A": "#N/A", "Num": "#NUM!", "VALUE": "#VALUE!", "Div": "#DIV/0!",
        "Ref": "#REF!", "Name": "#NAME?", "Null": "#NULL!", "Spill": "#SPILL!", "Calc": "#CALC!",
        "Circ": "#CIRC!", "NImpl": "#VALUE!",
    }  # fmt: skip
    for kind, code in kinds.items():
        result = COST_CURVE({"type": "Error", "kind": kind, "message": "why"}, 12, 0.5)
        is_error(result, code, "why")
    assert COST_CURVE({"type": "Error"}, 12, 0.5) == "#VALUE!"
    is_error(COST_CURVE({"type": "Other"}, 12, 0.5), "#VALUE!", "dict")


def test_the_first_error_of_the_signature_decides():
    """Of several errors the one that stands first in the signature is the result."""
    assert COST_CURVE("#REF!", "#N/A", "#DIV/0!") == "#REF!"
    assert COST_CURVE(0.1, "#N/A", "#DIV/0!") == "#N/A"
    is_error(COST_CURVE(None, "#N/A", 0.5), "#VALUE!", "start is missing")


def test_only_whole_error_marks_are_errors():
    """A text that merely holds an error mark is a text."""
    is_error(COST_CURVE("#N/A ", 12, 0.5), "#VALUE!", "start is a number")
    is_error(COST_CURVE("#n/a", 12, 0.5), "#VALUE!", "start is a number")
    is_error(TOKEN_COST("#N/A!", 0, "deepseek-r1/chat"), "#N/A", "platform '#N/A!'")


def test_pandas_missing_date_is_num():
    """A date that is no date is #NUM! with a sentence, alone and inside a range."""
    is_error(TOKEN_COST("B200", pd.NaT, "deepseek-r1/chat"), "#NUM!", "no date")
    row = TOKEN_COST("B200", [[pd.NaT, 0]], "deepseek-r1/chat")[0]
    is_error(row[0], "#NUM!", "no date")
    assert row[1] == TOKEN_COST("B200", 0, "deepseek-r1/chat")


def test_missing_shown_in_messages_is_no_python():
    """A message shows TRUE, text in quotes and numbers as a sheet does."""
    assert COST_CURVE(True, 12, 0.5).message == "start is a number; it is TRUE."
    assert COST_CURVE("a", 12, 0.5).message == "start is a number; it is 'a'."
    assert TOKEN_COST(1.5, 0, "x").message == "platform is a text; it is 1.5."
    assert TOKEN_COST("B200", "soon", "x").message == (
        "month is a date, or months after start; it is 'soon'."
    )


def test_a_month_of_minus_infinity_is_explained():
    """An infinite month is #NUM! in either direction."""
    for month in (math.inf, -math.inf):
        is_error(TOKEN_COST("B200", month, "deepseek-r1/chat"), "#NUM!")


def test_infinity_is_named_in_the_message():
    """The message of an infinite argument names the parameter, whichever way it is infinite."""
    for month in (math.inf, -math.inf, Decimal("-Infinity")):
        is_error(TOKEN_COST("B200", month, "deepseek-r1/chat"), "#NUM!", "month")


def test_a_small_date_assumption_is_no_date():
    """A number below the serials is no date in an assumption: #VALUE! with name and number."""
    for given_value in (0.0, 5.0, 1199.0, -3.0):
        result = NPV_DECLINING(0.1, 1, 1, None, None, None, None, [["start", given_value]])
        is_error(result, "#VALUE!", "assumption start is a date", f"{given_value:g}")


# --- listening -----------------------------------------------------------------------------------


def test_messages_are_collected_once_and_only_inside():
    """A listener hears each message once, of its own block only, and blocks may be nested."""
    with cells.listening() as outer:
        COST_CURVE("a", 12, 0.5)
        COST_CURVE([["a", "a"], [0.1, "b"]], 12, 0.5)
        with cells.listening() as inner:
            COST_CURVE("c", 12, 0.5)
        COST_CURVE("a", 12, 0.5)
    COST_CURVE("d", 12, 0.5)
    assert outer.messages == ["start is a number; it is 'a'.", "start is a number; it is 'b'."]
    assert inner.messages == ["start is a number; it is 'c'."]


def test_a_listener_is_gone_after_an_exception():
    """A block that fails leaves no listener behind."""
    with pytest.raises(RuntimeError), cells.listening() as notebook:
        raising(RuntimeError("a defect"))()
    COST_CURVE("a", 12, 0.5)
    assert notebook.messages == []


def test_warnings_are_worked_out_only_for_a_listener():
    """Without a listener nobody works warnings out; with one each is told once."""
    asked = []

    def warn():
        asked.append(1)
        return ["careful", "careful", "slippery"]

    noted = toy(lambda x: Noted(x, warn), NUMBER)
    assert noted(3) == 3.0
    assert not asked
    with cells.listening() as notebook:
        assert noted([[1, 2]]) == [[1.0, 2.0]]
    assert len(asked) == 2
    assert notebook.warnings == ["careful", "slippery"]


def test_thin_evidence_is_told_to_a_listener():
    """A figure that rests on few rows says so to whoever listens, and to TOKEN_SOURCE."""
    with cells.listening() as notebook:
        TOKEN_COST("B200", 0, "gpt-oss-120b/batch")
    assert notebook.warnings == ["thin evidence: 2 rows behind B200 on gpt-oss-120b/batch"]
    assert notebook.messages == []
    assert TOKEN_SOURCE("B200", "gpt-oss-120b/batch", "warnings") == notebook.warnings[0]


def test_the_host_is_told_from_outside():
    """The name of the host is what the door sets, for its own calls only."""
    from xltoken import XLTOKEN_INFO

    assert XLTOKEN_INFO("host") == "python"
    token = cells.host.set("a door")
    try:
        assert XLTOKEN_INFO("host") == "a door"
    finally:
        cells.host.reset(token)
    assert XLTOKEN_INFO("host") == "python"


def test_host_limits_are_complete_sentences_about_known_doors():
    """What a door cannot tell is written down: door, what was given, as what it arrives, outcome."""
    assert {limit.door.split()[0] for limit in cells.HOST_LIMITS} == {
        "engine",
        "xlwings",
        "libreoffice",
    }
    for limit in cells.HOST_LIMITS:
        assert all((limit.given, limit.arrives_as, limit.outcome))
    pairs = [(limit.door, limit.given) for limit in cells.HOST_LIMITS]
    assert len(set(pairs)) == len(pairs)


def test_what_the_engine_cannot_tell_has_its_stated_outcome():
    """A skipped argument is missing at the engine's door, though the engine hands over 0."""
    from xltoken.recalc.workbook import evaluate

    rows, _ = evaluate("=COST_CURVE(0.11,12,0.5,,,)")
    assert rows == [[COST_CURVE(0.11, 12, 0.5)]]
    rows, heard = evaluate("=COST_CURVE(,12,0.5)")
    assert rows == [["#VALUE!"]]
    assert heard.messages == ["start is missing: Unit cost at month 0."]
    rows, _ = evaluate('=TOKEN_SOURCE("B200","gpt-oss-120b/batch",,,)')
    assert rows == [[TOKEN_SOURCE("B200", "gpt-oss-120b/batch")]]


def test_what_xlwings_cannot_tell_has_its_stated_outcome():
    """An error cell that arrives as text is that error; a Currency cell under 1 is #VALUE!."""
    assert isinstance(COST_CURVE("#DIV/0!", 12, 0.5), CellError)
    assert COST_CURVE("#DIV/0!", 12, 0.5) == "#DIV/0!"
    is_error(COST_CURVE(Decimal("0.1100"), 12, 0.5), "#VALUE!", "Currency")


def test_a_blank_last_column_of_assumptions_is_told():
    """A range of assumptions one column too wide counts for nothing, and a warning says so."""
    wide = [["utilization", 0.1, None], ["overhead", 0.2, None]]
    with cells.listening() as notebook:
        value = xltoken.TOKEN_COST("B200", 0, "deepseek-r1/chat", wide)
    assert value == xltoken.TOKEN_COST("B200", 0, "deepseek-r1/chat")
    assert any("end it at the values" in warning for warning in notebook.warnings)


@pytest.mark.parametrize(
    ("day", "date1904", "means"),
    [
        (dt.date(1903, 4, 13), False, 1199.0),
        (dt.date(1903, 4, 14), False, dt.date(1903, 4, 14)),
        (dt.date(1907, 4, 14), True, 1199.0),
        (dt.date(1907, 4, 15), True, dt.date(1907, 4, 15)),
    ],
)
def test_a_date_so_early_that_its_number_means_months(day, date1904, means):
    """A date cell counts as its number does at every door that sees numbers only."""
    month = Parameter("month", Kind.DATE, "date or months", "A date, or months after start.")
    assert cells._date(month, day, date1904) == means
    serial = cells.outgoing(day, date1904=date1904)
    assert cells._date(month, serial, date1904) == means
