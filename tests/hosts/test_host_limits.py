"""What a host cannot tell: each line of ``cells.HOST_LIMITS``, and its outcome as stated there.

None of these outcomes is a plausible wrong number. The values come through the real doors where one
runs here; for the hosts that do not, what arrives there is handed to the functions.
"""

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import pytest
from cell_arguments import (
    SKIPPED,
    ArgumentSet,
    Currency,
    answer,
    area,
    cell,
    serial,
    shown_by_stock,
)
from parity_tools import answers, reference

from xltoken import udfs
from xltoken.functions import FUNCTIONS, cells

DAY: Final = dt.date(2026, 6, 1)
DAY_1904: Final = serial(DAY, date1904=True)
KEYS: Final = ("B200", "deepseek-r1/chat")

ASKED: Final[dict[str, ArgumentSet]] = {
    "skipped": ArgumentSet("TOKEN_CAPACITY", ("B200", 3.0, KEYS[1], SKIPPED)),
    "skipped before another": ArgumentSet(
        "TOKEN_CAPACITY", ("B200", 3.0, KEYS[1], SKIPPED, area(("utilization", 0.5)))
    ),
    "serial in 1904": ArgumentSet("TOKEN_COST", ("B200", DAY_1904, KEYS[1]), date1904=True),
    "date cell in 1904": ArgumentSet("TOKEN_COST", ("B200", cell(DAY), KEYS[1]), date1904=True),
    "date from 1904": ArgumentSet("TOKEN_SOURCE", (*KEYS, "date", 3.0), date1904=True),
    "cut price": ArgumentSet("COST_CURVE", (cell(Currency(0.00002)), 12.0, 0.5)),
    "cut price in a series": ArgumentSet(
        "NPV_STATIC", (0.1, area((10.0, 20.0)), area((Currency(0.00002), Currency(0.25))))
    ),
    "cut rate": ArgumentSet(
        "TOKEN_COST",
        (cell("B200"), 3.0, KEYS[1], area(("usd_per_accelerator_hour", Currency(0.5)))),
    ),
    "price from 1 on": ArgumentSet("COST_CURVE", (cell(Currency(1.23456)), 0.0, 0.5)),
    "amount": ArgumentSet("NPV_STATIC", (0.1, 1000.0, 0.11, 0.25, cell(Currency(0.12345)))),
    "error in": ArgumentSet("COST_CURVE", (cell("#DIV/0!"), 12.0, 0.5)),
    "error in a range": ArgumentSet("PAYBACK_MONTHS", (area((-100.0, "#REF!", 200.0)),)),
    "error out": ArgumentSet("TOKEN_COST", ("no such", 3.0, KEYS[1])),
    "errors out": ArgumentSet("TOKEN_COST", (area(("B200", "no such")), 3.0, KEYS[1])),
    "host": ArgumentSet("XLTOKEN_INFO", ("host",)),
    "time of day": ArgumentSet("COST_CURVE", (0.11, cell(dt.datetime(2026, 6, 1, 18)), 0.001)),
}
_WITH_ERROR: Final[tuple[tuple[str, Callable[[str], tuple[Any, ...]]], ...]] = (
    ("PAYBACK_MONTHS", lambda mark: (area((-100.0, 200.0, mark)),)),
    ("COST_CURVE", lambda mark: (cell(mark), 1.0, 0.5)),
    ("COST_CURVE", lambda mark: (0.11, area((12.0, mark)), 0.5)),
    ("TOKEN_COST", lambda mark: ("B200", 3.0, KEYS[1], area(("overhead", mark)))),
)
ERRORS: Final[dict[tuple[str, int], ArgumentSet]] = {
    (mark, place): ArgumentSet(name, arguments(mark))
    for mark in cells.EXCEL_CODES
    for place, (name, arguments) in enumerate(_WITH_ERROR)
}
"""Every error value of Excel, alone, in a range, in a series and among assumptions."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Answer of a door to one of the calls above; all of them are asked at once."""
    known: dict[str, dict[Any, Any]] = {}

    def of(door, name):
        if door not in known:
            asked: dict[Any, ArgumentSet] = {**ASKED, **ERRORS}
            found = answers(door, list(asked.values()), tmp_path_factory.mktemp("limits"))
            known[door] = dict(zip(asked, found, strict=True))
        return known[door][name]

    return of


MET: Final[set[tuple[str, str]]] = set()


def meets(door: str, given: str) -> Callable[[Any], Any]:
    """Say which line of the table a test meets."""
    MET.add((door, given))
    return lambda test: test


# --- the engine -----------------------------------------------------------------------------------


@meets("engine", "an argument skipped, f(1,,2)")
@pytest.mark.parametrize("name", ["skipped", "skipped before another"])
def test_a_skipped_argument_takes_its_default(told, name):
    """The engine would hand 0 over for a skipped argument; the default counts, one accelerator."""
    assert told("engine", name) == reference(ASKED[name])
    assert told("engine", name)[0][0][1] > 0


@meets("engine", "a book in the 1904 date system")
@pytest.mark.parametrize("door", ["engine", "vba"])
def test_days_of_1904_are_those_days(told, door):
    """In a 1904 book a serial is the day that it is there, going in and coming out."""
    right = reference(ArgumentSet("TOKEN_COST", ("B200", DAY, KEYS[1])))
    assert told(door, "serial in 1904") == told(door, "date cell in 1904") == right
    there = FUNCTIONS["TOKEN_SOURCE"](*KEYS, "date", 3.0)
    assert told(door, "date from 1904") == answer(serial(there, date1904=True))


# --- xlwings classic: stock Import Functions ------------------------------------------------------


@meets("xlwings classic", "a Currency or Accounting cell")
@pytest.mark.parametrize("name", ["cut price", "cut price in a series", "cut rate"])
def test_a_cut_amount_under_1_is_refused(told, name):
    """Stock Import Functions cuts a price of 0.00002 dollars to 0: #VALUE!, never 0 or a result."""
    assert told("stock", name) == cells.VALUE
    assert reference(ASKED[name])[0][0][0] == "number"


@pytest.mark.parametrize("name", ["cut price", "cut price in a series", "cut rate", "amount"])
@pytest.mark.parametrize("door", ["vba", "engine"])
def test_other_doors_keep_every_digit(told, door, name):
    """Through our wrapper, and the engine, a Currency cell of 0.00002 is 0.00002."""
    assert told(door, name) == reference(ASKED[name])


def test_a_cut_amount_from_1_on_is_off_by_what_was_cut(told):
    """From 1 on, and in amounts that are no price, four decimals count: 0.00005 is lost at most."""
    assert told("stock", "price from 1 on") == 1.2346
    cut, whole = told("stock", "amount"), reference(ASKED["amount"])[0][0][1]
    assert 0 < abs(cut - whole) <= 0.00005 + 1e-9


@meets("xlwings classic", "an error cell")
@pytest.mark.parametrize(("name", "mark"), [("error in", "#DIV/0!"), ("error in a range", "#REF!")])
def test_an_error_cell_is_the_same_error(told, name, mark):
    """An error cell would arrive as a blank; it arrives as its mark, and leaves as it."""
    assert told("stock", name) == mark
    assert told("vba", name) == answer(cells.CellError(mark))


@meets("xlwings classic", "a returned error")
def test_a_returned_error_is_text_for_stock_and_an_error_for_the_wrapper(told):
    """Stock Import Functions shows the mark as text; our wrapper makes a real error of it."""
    assert told("stock", "error out") == cells.NA
    assert type(told("stock", "error out")) is str
    first, second = told("stock", "errors out")
    assert type(first) is float
    assert (type(second), second) == (str, cells.NA)
    assert told("vba", "error out") == answer(cells.CellError(cells.NA))
    assert told("vba", "errors out") == answer([[first, cells.CellError(cells.NA)]])


@meets("xlwings classic", "a book in the 1904 date system")
def test_the_workbook_that_xlwings_names_says_how_days_count(told):
    """Serials are those of the book that xlwings hands over; a date cell is right in any case."""
    right = reference(ArgumentSet("TOKEN_COST", ("B200", DAY, KEYS[1])))
    assert answer(told("stock", "date cell in 1904")) == right
    assert answer(told("stock", "serial in 1904")) == right
    there = FUNCTIONS["TOKEN_SOURCE"](*KEYS, "date", 3.0)
    assert told("stock", "date from 1904") == serial(there, date1904=True)


# --- hosts that do not run here -------------------------------------------------------------------


@meets("xlwings lite", "a blank cell")
@meets("libreoffice", "a blank scalar cell")
def test_a_blank_that_arrives_as_0_is_0():
    """Where a blank cell arrives as 0 it is the number 0, which may be outside a domain."""
    assert udfs.COST_CURVE([[0.11]], [[0.0]], [[0.5]]) == 0.11
    assert udfs.LEARNING_CURVE([[0.11]], [[0.0]], [[0.2]]) == cells.NUM


@meets("xlwings lite", "a returned nan or inf")
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_never_leaves(number):
    """What is no finite number leaves as #NUM!, which a host makes an error of."""
    assert udfs.COST_CURVE([[number]], [[12.0]], [[0.5]]) == cells.NUM
    assert udfs.COST_CURVE([[1e308, 1.0]], [[1.0]], [[-1e308]])[0][0] == cells.NUM


@meets("xlwings lite", "a book in the 1904 date system")
def test_without_a_word_of_1904_serials_count_from_1900():
    """A host that names no workbook gives serials that count from 1900."""
    right = FUNCTIONS["TOKEN_COST"]("B200", DAY, KEYS[1])
    assert udfs.TOKEN_COST([["B200"]], [[serial(DAY, date1904=False)]], [[KEYS[1]]]) == right


@meets("xlwings lite", "a returned error newer than #N/A, from an error cell")
def test_where_a_mark_would_stay_text_another_error_leaves(monkeypatch):
    """Lite makes real errors of seven marks; any other leaves as #VALUE!, the seven as they are."""
    monkeypatch.setattr(udfs, "_SHOWS_MESSAGES", True)
    for mark, code in cells.EXCEL_CODES.items():
        if mark == cells.VALUE:
            continue  # raised, with its message
        given = udfs.COST_CURVE([[mark]], [[1.0]], [[0.5]])
        assert given == (mark if code <= 2042 else cells.VALUE)
        assert udfs.COST_CURVE([[mark, 1.0]], [[0.0]], [[0.5]])[0][1] == 1.0


@meets("libreoffice", "TRUE")
def test_truth_that_arrives_as_1_is_1():
    """Where TRUE arrives as 1 it is the number 1."""
    assert udfs.COST_CURVE([[0.11]], [[1.0]], [[0.5]]) == FUNCTIONS["COST_CURVE"](0.11, 1.0, 0.5)
    assert udfs.COST_CURVE([[0.11]], [[True]], [[0.5]]) == cells.VALUE


# Calc shows #VALUE! of itself and calls nothing: there is nothing of ours to ask.
meets("libreoffice", "an error inside a range")


def test_every_line_of_the_table_is_met():
    """Whoever adds a line to the table of host limits adds its test here."""
    assert {(limit.door, limit.given) for limit in cells.HOST_LIMITS} == MET


# --- beyond the table -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(ERRORS), ids=str)
def test_every_error_of_excel_stays_itself(told, name):
    """Every error value, the newest too, decides what rests on it and never counts as a number."""
    expected = reference(ERRORS[name])
    assert answer(shown_by_stock(told("stock", name))) == told("vba", name) == expected
    assert ("error", name[0]) in expected[0]


@meets("engine", "one of the newest error values (#FIELD!, #BUSY! ...) but #SPILL! and #CALC!")
@pytest.mark.parametrize("name", list(ERRORS), ids=str)
def test_an_error_the_engine_does_not_know_is_a_value_error(told, name):
    """An error that the engine has no word for is #VALUE! there, never a number; others stay."""
    known = name[0] in cells.ENGINE_ERRORS.values()
    mark = name[0] if known else cells.VALUE
    alike = ArgumentSet(ERRORS[name].name, _WITH_ERROR[name[1]][1](mark))
    assert told("engine", name) == reference(alike)


@pytest.mark.parametrize(
    ("door", "host"), [("engine", "engine"), ("stock", "xlwings classic"), ("vba", "excel")]
)
def test_each_door_says_who_asks(told, door, host):
    """XLTOKEN_INFO names the host; it is the one answer that differs by design."""
    found = told(door, "host")
    assert (answer(found) if door == "stock" else found) == answer(host)


@pytest.mark.parametrize(
    "door",
    [
        "engine",
        "vba",
        "stock",
    ],
)
def test_a_time_of_day_is_part_of_a_number(told, door):
    """Where a number is due, a date cell counts as its serial with the part of the day."""
    number = serial(dt.datetime(2026, 6, 1, 18), date1904=False)
    found = told(door, "time of day")
    expected = reference(ArgumentSet("COST_CURVE", (0.11, number, 0.001)))
    assert (answer(found) if door == "stock" else found) == expected


def test_an_amount_of_no_digits_is_told_from_a_cut_one():
    """Said directly: a Decimal under 1 in a price is refused, and the message says what to do."""
    refused = FUNCTIONS["COST_CURVE"](Decimal("0.0000"), 12.0, 0.5)
    assert refused == cells.VALUE
    assert "Currency" in refused.message
    assert "number format" in refused.message
