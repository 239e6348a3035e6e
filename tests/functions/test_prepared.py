"""Prepared functions: the same as a call, to the last message and warning, for every argument."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xltoken.catalog import store
from xltoken.functions import FUNCTIONS, cells
from xltoken.functions.cells import CellError

NA_OF_THE_ENGINE = {"type": "Error", "kind": "Na", "message": "why"}
UNUSUAL = (
    True, False, 3, 46000, np.float64(46000.0), np.int64(3), np.array([[0.5]]), Decimal("0.5"),
    Decimal(46000), math.nan, math.inf, -math.inf, 1e9, -1e9, 1e308, "#N/A", "#REF!", "#n/a", " ",
    CellError("#NUM!", "told"), NA_OF_THE_ENGINE, dt.date(2026, 5, 1), dt.datetime(2026, 5, 1),
    [], [[]], [[None]], [["B200"]], [["B200"], ["H200"]], [0.0, 12.0], [[0.0, NA_OF_THE_ENGINE]],
    object(),
)  # fmt: skip
RANGES = (
    [["utilization", 0.5]],
    [["utilization", True]],
    [["utilization", 1.0]],
    [["utilization", 1]],
    [["utilization", Decimal(1)]],
    [["utilization", "1"]],
    [["name", "unit", "value"], ["utilization", "share", 0.5], [None, None, None]],
    [["utilization", 0.5, None]],
    [["utilization", 0.5], ["overhead"]],
    [["utilization", 0.5], "overhead"],
    [["utilization", NA_OF_THE_ENGINE]],
    [["utilization", [0.5]]],
    [["utilization", math.nan]],
    [("utilization", 0.5)],
    ["utilization", 0.5],
    [["start", 46000.0]],
    [["start", 5.0]],
    [["no such name", 1.0]],
    [["utilization", 2.0]],
    [[None, 1.0]],
    [["utilization", None]],
    [["scenario", "vendor"], ["tokens_counted", "total"]],
    [["usd_per_accelerator_hour", Decimal("0.5")]],
)
SERIES = (
    [[-10.0, 6.0, 7.0]],
    [[-10.0], [6.0], [7.0]],
    [(-10.0, 6.0, 7.0)],
    [(-10.0,), (6.0,), (7.0,)],
    [-10.0, 6.0, 7.0],
    ((-10.0, 6.0, 7.0),),
    np.array([-10.0, 6.0, 7.0]),
    [np.array([-10.0, 6.0, 7.0])],
    [[-10.0, 6.0], [7.0, 8.0]],
    [[-10.0], [6.0, 7.0]],
    [[-10.0], 6.0, 7.0],
    [[-10.0], [], [7.0]],
    [[-10.0, 6, 7.0]],
    [[-10.0, True, 7.0]],
    [[-10.0, "6", 7.0]],
    [[-10.0], [None], [7.0]],
    [[-10.0, "", 7.0]],
    [[-10.0, "#N/A", 7.0]],
    [[-10.0], [NA_OF_THE_ENGINE], [7.0]],
    [[-10.0, Decimal("0.5"), 7.0]],
    [[-10.0, dt.date(2026, 5, 1)]],
    [[-10.0, math.nan, 7.0]],
    [[-10.0], [math.inf], [7.0]],
    [[-10.0, 6.0, -math.inf]],
    [[7.0]],
    [[]],
    [],
    [None],
    ["ab"],
    7.0,
    math.inf,
    None,
    "",
    "#REF!",
)
TEXTS = ("B200", "gb200", "no such", "deepseek-r1/chat", "gpt-oss-120b/batch", "date", "floor")
NUMBERS = st.floats(-1000, 60000) | st.sampled_from(
    [0.0, 0.5, 1199.0, 1200.0, 2958465.0, 2958466.0]
)
ARGUMENTS = st.one_of(
    st.none(), st.just(""), st.sampled_from(TEXTS), NUMBERS, st.sampled_from(UNUSUAL),
    st.sampled_from(RANGES),
)  # fmt: skip
NAMES = (
    "TOKEN_COST", "TOKEN_CAPACITY", "TOKEN_COST_RANGE", "TOKEN_SOURCE", "TOKEN_PRICE",
    "COST_CURVE", "NPV_DECLINING", "DEPRECIATION_CHARGE", "XLTOKEN_INFO",
)  # fmt: skip
USUAL = {
    "key": st.sampled_from(TEXTS),
    "date": NUMBERS,
    "number": NUMBERS,
    "series": st.floats(0, 100),
    "assumptions": st.sampled_from(RANGES),
}


def agree(name, arguments, date1904=False):
    """Ask both ways, each with a listener of its own; the value."""
    function = FUNCTIONS[name]
    with cells.listening() as expected:
        called = cells.call(function, arguments, date1904=date1904)
        wanted = cells.outgoing(called, date1904=date1904)
    compute = cells.prepared(function, date1904=date1904)
    for _ in range(2):  # the second time everything was read before
        with cells.listening() as heard:
            found = compute(*arguments)
        assert repr(found) == repr(wanted)
        assert shape(found) == shape(wanted)
        assert (heard.messages, heard.warnings) == (expected.messages, expected.warnings)
    return found


def shape(value):
    """Types of a value, and the messages of its errors."""
    if isinstance(value, list):
        return [shape(cell) for cell in value]
    return type(value), getattr(value, "message", "")


@given(st.sampled_from(NAMES), st.lists(ARGUMENTS, max_size=9), st.booleans())
@example("TOKEN_COST", [], False)
@example("TOKEN_COST", ["B200", 0.0, "deepseek-r1/chat", None, None], False)
@example("TOKEN_SOURCE", ["B200", "deepseek-r1/chat", "date"], True)
def test_prepared_is_a_call(name, arguments, date1904):
    """Whatever the arguments, a prepared function gives what a call gives, and tells the same."""
    agree(name, arguments, date1904)


@given(st.data(), st.sampled_from(NAMES), st.booleans())
def test_prepared_is_a_call_with_usual_arguments(data, name, date1904):
    """With one unusual argument among usual ones, too, of any kind of parameter."""
    parameters = FUNCTIONS[name].parameters
    arguments = [data.draw(USUAL[p.kind.value] | st.none()) for p in parameters]
    agree(name, arguments, date1904)
    place = data.draw(st.integers(0, len(arguments) - 1))
    arguments[place] = data.draw(ARGUMENTS)
    agree(name, arguments[: data.draw(st.integers(place + 1, len(arguments)))], date1904)


@pytest.mark.parametrize("given_range", RANGES, ids=repr)
def test_a_range_of_assumptions_read_before_is_the_same_range(given_range):
    """However a range is written, its second reading gives what the first gave."""
    for other in (*RANGES, given_range):
        agree("TOKEN_COST", ["B200", 46500.0, "gpt-oss-120b/batch", other])


@pytest.mark.parametrize("date1904", [False, True])
@pytest.mark.parametrize("given_series", SERIES, ids=repr)
def test_a_prepared_function_reads_a_series_as_a_call_does(given_series, date1904):
    """Rows, columns, single cells and what is no series give the value and words of a call."""
    agree("PAYBACK_MONTHS", [given_series], date1904)
    agree("NPV_STATIC", [0.1, given_series, 0.5, given_series], date1904)
    agree("COST_LINES", [0.1, 100.0, given_series, 3.0], date1904)


def test_a_column_is_the_series_of_its_row():
    """A series is worth the same written down or across, however often it is asked."""
    compute = cells.prepared(FUNCTIONS["NPV_STATIC"])
    down, across = [[1.0], [2.0], [4.0]], [[1.0, 2.0, 4.0]]
    worth = compute(0.0, across, 0.5, 1.5)
    assert worth == 7.0
    assert [compute(0.0, s, 0.5, 1.5) for s in (down, across, down)] == [worth] * 3


@pytest.mark.parametrize("date1904", [False, True])
def test_serials_are_days_of_the_books_date_system(date1904):
    """From the first serial to the last a prepared function takes the day that a call takes."""
    last = 2958465.0 - 1462 * date1904
    for serial in (1199.5, 1200.0, 46000.0, 46000.75, last, last + 1):
        agree("TOKEN_COST", ["B200", serial, "gpt-oss-120b/batch"], date1904)


def test_many_ranges_are_forgotten_and_read_again(monkeypatch):
    """What is known of ranges has a limit; beyond it they are read anew, to the same values."""
    monkeypatch.setattr(cells, "_RANGES_KNOWN", 2)
    cells._ranges.clear()
    compute = cells.prepared(FUNCTIONS["TOKEN_COST"])
    used = [0.1, 0.2, 0.3, 0.4, 0.1]
    costs = [compute("B200", 0.0, "gpt-oss-120b/batch", [["utilization", u]]) for u in used]
    assert len(cells._ranges) <= 2
    assert [c * u for c, u in zip(costs, used, strict=True)] == pytest.approx([costs[0] * 0.1] * 5)
    assert costs[0] == costs[-1]


def test_each_listener_hears_a_repeated_warning_once():
    """Calls that repeat tell a listener once, in the order of the first; the next hears it anew."""
    compute = cells.prepared(FUNCTIONS["TOKEN_COST"])
    asked = [("H200", 43000.0), ("B200", 43000.0), ("H200", 43000.0), ("H200", 60000.0)]
    heard = []
    for _ in range(2):
        with cells.listening() as notebook:
            for platform, month in asked * 2:
                compute(platform, month, "gpt-oss-120b/batch")
        heard.append(notebook.warnings)
    alone = []
    for platform, month in asked:
        with cells.listening() as notebook:
            compute(platform, month, "gpt-oss-120b/batch")
        alone += notebook.warnings
    assert heard == [list(dict.fromkeys(alone))] * 2


def test_a_blank_last_column_is_told_once_a_listener():
    """A thousand cells on one range too wide are one warning, for each listener."""
    compute = cells.prepared(FUNCTIONS["TOKEN_COST"])
    wide = [["utilization", 0.1, None]]
    assert compute("B200", 0.0, "deepseek-r1/chat", wide) == compute(
        "B200", 0.0, "deepseek-r1/chat"
    )
    for _ in range(2):
        with cells.listening() as notebook:
            for month in range(3):
                compute("B200", float(month), "deepseek-r1/chat", wide)
        assert len([w for w in notebook.warnings if "end it at the values" in w]) == 1


def test_another_catalog_counts_at_the_next_call(monkeypatch, tmp_path):
    """A prepared function asks for the catalog at each call, unless somebody holds on to it."""
    (tmp_path / "rates.csv").write_text(
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,own_hyperscaler,2020-01-01,100\n",
        encoding="utf-8",
    )
    compute = cells.prepared(FUNCTIONS["TOKEN_COST"])
    asked = ("B200", 0.0, "gpt-oss-120b/batch")
    shipped = compute(*asked)
    with monkeypatch.context() as patch:
        patch.setenv(store.ENVIRONMENT, str(tmp_path))
        dear = compute(*asked)
        with store.held():
            assert compute(*asked) == dear
            patch.delenv(store.ENVIRONMENT)
            assert compute(*asked) == dear
    assert compute(*asked) == shipped < dear
