"""The wrapper in VBA: run in an interpreter, over the very Python that answers in Excel."""

import re
from pathlib import Path

import pytest
from excel_stand_in import XL_MANUAL, Book, Excel, Range, array, serial
from pyopenvba.interpreter import (
    VBADate,
    VBAErrorValue,
    VBAInt,
    VBARuntimeError,
    _preprocess,
)

from xltoken.functions import FUNCTIONS, cells
from xltoken.hosts import vba

ASK = ("B200", 0.0, "gpt-oss-120b/batch")


@pytest.fixture
def excel():
    """An Excel with the add-in in it."""
    return Excel()


def told(excel):
    """Message of the last error."""
    return excel.run("XltLastMessage")


# --- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_function_has_its_arguments(name):
    """The VBA function takes the registry's arguments in order, optional where they are there."""
    shown = re.search(
        rf"^Public Function {name}\((.*)\) As Variant\r$", vba.function_module(), re.MULTILINE
    )
    expected = [
        f"{'' if p.required else 'Optional '}{p.name} As Variant"
        for p in FUNCTIONS[name].parameters
    ]
    assert shown[1].split(", ") == expected


@pytest.mark.parametrize("module", vba.modules(with_ribbon=True), ids=lambda m: m.name)
def test_modules_keep_the_limits_of_vba(module):
    """Lines end in CRLF, have 1,023 characters at most, 24 continuations, and plain letters."""
    assert module.code.endswith("\r\n")
    assert "\n" not in module.code.replace("\r\n", "")
    assert max(map(len, module.code.split("\r\n"))) <= 1023
    longest = run = 0
    for line in module.code.split("\r\n"):
        run = run + 1 if line.endswith(" _") else 0
        longest = max(longest, run)
    assert longest <= 24
    assert module.name == "xlwings" or module.code.isascii()
    # A procedure may not exceed 64 KB compiled; its text is larger than that.
    assert all(len(p) < 60_000 for p in re.split(r"\r\nEnd (?:Sub|Function)", module.code))


def test_only_functions_are_offered_to_a_formula():
    """No other module shows a function to the function wizard: it is private, or has none."""
    for module in vba.modules(with_ribbon=True):
        if module.name not in ("xltoken_functions", vba.BOOK_MODULE):
            private = "Option Private Module" in module.code.split("\r\n")[:2]
            assert private or "Public Function" not in module.code, module.name


def test_the_bridge_is_that_of_the_installed_xlwings():
    """Xlwings' own text goes in with its licence; only the name of the settings is ours."""
    import xlwings

    code = vba.bridge_module()
    stock = Path(xlwings.__file__).with_name("xlwings.bas").read_text(encoding="utf-8")
    assert set(code.split("\r\n")) ^ set(stock.splitlines()) == {
        "Option Private Module",
        'Attribute VB_Name = "xlwings"',
        'Public Const PROJECT_NAME As String = "xlwings"',
        'Public Const PROJECT_NAME As String = "xltoken"',
    }
    assert f'XLWINGS_VERSION As String = "{xlwings.__version__}"' in code
    assert "Redistribution and use in source and binary forms" in code
    assert "Zoomer Analytics LLC" in code
    assert 'PROJECT_NAME As String = "xltoken"' in code


def test_an_xlwings_laid_out_otherwise_is_refused(monkeypatch):
    """Where the constant of the settings is not found, nothing is built on a guess."""
    monkeypatch.setattr("pathlib.Path.read_text", lambda *a, **k: "Attribute VB_Name = ...")
    with pytest.raises(vba.VbaError, match="laid out in a way that is not known"):
        vba.bridge_module()


def test_texts_that_vba_cannot_hold_are_refused():
    """Letters outside the code page, line ends, reserved names and endless lines are defects."""
    with pytest.raises(vba.VbaError, match="code page"):
        vba._text("50 €")
    with pytest.raises(vba.VbaError, match="code page"):
        vba._text("two\nlines")
    with pytest.raises(vba.VbaError, match="word of VBA"):
        vba._argument("Date")
    with pytest.raises(vba.VbaError, match="VBA takes 1023"):
        vba._code("x" * 1024)
    with pytest.raises(vba.VbaError, match="24 continuations"):
        vba._code("f a, _\r\n" * 30 + "b")
    assert vba._text('a "b"') == '"a ""b"""'


# --- values ---------------------------------------------------------------------------------------


def test_a_currency_cell_keeps_every_digit(excel):
    """A Currency cell of 0.00002 arrives as 0.00002, because Value2 is read."""
    assert excel("COST_CURVE", Range([[0.00002]]), 0.0, 0.0) == 0.00002
    path = Range([[0.00002], [0.00001]])
    direct = cells.call(FUNCTIONS["NPV_STATIC"], (0.0, [[1.0], [1.0]], [[0.00002], [0.00001]]))
    assert excel("NPV_STATIC", 0.0, Range([[1.0], [1.0]]), path) == direct


def test_a_result_is_a_number_a_text_or_a_real_error(excel):
    """Marks become error values, element by element; nothing else changes."""
    assert excel("XLTOKEN_INFO", "host") == "excel"
    assert excel("TOKEN_COST", *ASK) == cells.call(FUNCTIONS["TOKEN_COST"], ASK)
    keys = Range([["B200"], ["nothing"], ["H200"]])
    column = excel("TOKEN_COST", keys, 0.0, "deepseek-r1/batch")
    assert [type(row[0]) for row in column] == [float, str, float]
    assert column[1] == ["#N/A"]


@pytest.mark.parametrize(("mark", "code"), list(cells.EXCEL_CODES.items()))
def test_an_error_cell_stays_that_error(excel, mark, code):
    """Every error value of Excel, the newest too, goes in and comes out as itself."""
    assert excel("TOKEN_COST", VBAErrorValue(code), 0.0, "deepseek-r1/batch") == mark
    series = Range([[1.0], [mark], [2.0]])
    assert excel("PAYBACK_MONTHS", series) == mark


def test_an_unknown_error_is_a_value_error(excel):
    """An error value that a later Excel may bring is no number."""
    assert excel("TOKEN_COST", VBAErrorValue(2099), 0.0, "deepseek-r1/batch") == "#VALUE!"


def test_types_of_vba_are_numbers(excel):
    """Integers and dates, which only VBA code hands over, count as the numbers that they are."""
    direct = excel("TOKEN_COST", "B200", 12.0, "gpt-oss-120b/batch")
    assert excel("TOKEN_COST", "B200", VBAInt(12, "Integer"), "gpt-oss-120b/batch") == direct
    day = excel("TOKEN_COST", "B200", serial(2026, 12, 1), "gpt-oss-120b/batch")
    assert excel("TOKEN_COST", "B200", VBADate(serial(2026, 12, 1)), ASK[2]) == day


def test_arguments_left_out_are_missing(excel):
    """A skipped argument takes its default, in the middle and at the end."""
    volumes = Range([[1.0], [2.0]])
    assert excel("NPV_DECLINING", 0.1, volumes, 2.0, None, 3.0) == excel(
        "NPV_DECLINING", 0.1, volumes, 2.0, 0.0, 3.0
    )
    assert excel("XLTOKEN_INFO", None) == excel("XLTOKEN_INFO", "version")


def test_a_book_from_1904_is_asked_for_its_days(excel):
    """Serials are those of the workbook that holds the formula, in and out."""
    at = excel("TOKEN_COST", "B200", serial(2026, 12, 1), "gpt-oss-120b/batch")
    day = excel("TOKEN_SOURCE", "B200", "gpt-oss-120b/batch", "date")
    excel.application.caller = Range([[None]], book=Book(date1904=True))
    assert excel("TOKEN_COST", "B200", serial(2026, 12, 1) - 1462, "gpt-oss-120b/batch") == at
    assert excel("TOKEN_SOURCE", "B200", "gpt-oss-120b/batch", "date") == day - 1462


def test_what_cannot_be_read_is_refused_with_a_sentence(excel):
    """Several blocks, whole columns and objects are #VALUE!, with what to do."""
    assert excel("PAYBACK_MONTHS", Range([[1.0], [2.0]], areas=2)) == "#VALUE!"
    assert "name one block" in told(excel)
    assert excel("PAYBACK_MONTHS", Range([[1.0], [2.0]], count=1_048_576)) == "#VALUE!"
    assert "whole columns" in told(excel)
    assert excel("PAYBACK_MONTHS", Book()) == "#VALUE!"
    assert "is a Workbook, no range" in told(excel)


# --- messages -------------------------------------------------------------------------------------


def test_messages_are_kept_by_cell(excel):
    """A cell's message is its last one; it goes when the cell is right again."""
    excel.application.caller = Range([[None]], address="$B$4")
    assert excel("TOKEN_COST", "B20", 0.0, "gpt-oss-120b/batch") == "#N/A"
    place = "[book.xlsx]Sheet1!$B$4"
    assert "Nearest: B200" in excel.run("XltMessageOf", place)
    assert excel.run("XltMessageOf", place) == told(excel)
    excel("COST_CURVE", 1.0, 0.0, 0.0)
    assert excel.run("XltMessageOf", place) == ""
    assert "Nearest: B200" in told(excel)


def test_a_warning_is_the_cells_and_no_error(excel):
    """Warnings of a value are kept with its cell; the last error stays an error."""
    excel("TOKEN_COST", *ASK)
    assert excel.run("XltMessageOf", "[book.xlsx]Sheet1!$A$1").startswith("Warning: ")
    assert told(excel) == ""


def test_kept_results_bring_their_message(excel):
    """A result from the memory tells what it told when it was computed."""
    for address in ("$A$1", "$A$2"):
        excel.application.caller = Range([[None]], address=address)
        excel("TOKEN_COST", "B20", 0.0, "gpt-oss-120b/batch")
    assert len(excel.server.calls) == 1
    assert "Nearest" in excel.run("XltMessageOf", "[book.xlsx]Sheet1!$A$2")


def test_no_message_before_the_first_call(excel):
    """Asked before anything was computed, there is none."""
    assert excel.run("XltMessageOf", "[book.xlsx]Sheet1!$A$1") == ""
    assert told(excel) == ""


# --- results of a calculation ---------------------------------------------------------------------


def test_equal_arguments_are_asked_once_a_calculation(excel):
    """The same call is answered from memory until the calculation ends."""
    assert excel("TOKEN_COST", *ASK) == excel("TOKEN_COST", *ASK)
    assert len(excel.server.calls) == 1
    excel.run("XltForget")
    excel("TOKEN_COST", *ASK)
    assert len(excel.server.calls) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0.1 + 0.2,), (0.3,)),
        ((1.0,), ("1",)),
        ((1.0,), (True,)),
        ((Range([[1.0, 2.0, 3.0, 4.0]]),), (Range([[1.0, 2.0], [3.0, 4.0]]),)),
        ((Range([[1.0, 2.0, 3.0, 4.0]]),), (Range([[1.0], [2.0], [3.0], [4.0]]),)),
        ((Range([["a|s1:b", "c"]]),), (Range([["a", "b|s1:c"]]),)),
        (("#N/A",), ("#NUM!",)),
        ((Range([[1.0, None]]),), (Range([[1.0, ""]]),)),
    ],
    ids=str,
)
def test_other_arguments_are_other_calls(excel, first, second):
    """Numbers that differ in the last bit, kinds, shapes and texts are kept apart in memory."""
    excel("PAYBACK_MONTHS", *first)
    excel("PAYBACK_MONTHS", *second)
    assert len(excel.server.calls) == 2


def test_the_largest_numbers_are_not_remembered(excel):
    """A number whose text would overflow has no key: it is asked each time, and right."""
    for _ in range(2):
        assert excel("COST_CURVE", 1.7976931348623157e308, 0.0, 0.0) == 1.7976931348623157e308
    assert len(excel.server.calls) in (1, 2)


def test_a_reset_of_vba_starts_watching_again(excel):
    """With the first result of a calculation the events are armed, so that it is forgotten."""
    excel("TOKEN_COST", *ASK)
    assert excel.book.watched == 1


# --- Python ---------------------------------------------------------------------------------------


def test_a_server_that_ended_is_found_again(excel):
    """One failure of the connection is mended by connecting anew."""
    excel.server.failures = 1
    assert excel("COST_CURVE", 2.0, 0.0, 0.0) == 2.0


def test_python_out_of_reach_is_an_error_with_a_sentence(excel):
    """Without Python a cell shows #VALUE!, and the message says what to do."""
    excel.application.unreachable = 1
    assert excel("COST_CURVE", 2.0, 0.0, 0.0) == "#VALUE!"
    assert "COST_CURVE: Python cannot be reached" in told(excel)
    assert "Could not activate Python COM server" in told(excel)
    assert "xltoken doctor" in told(excel)


def test_a_python_that_does_not_start_is_tried_once(excel):
    """Trying takes minutes: cells and calculations after the first give up at once, until asked."""
    excel.application.unreachable = 1
    for start in (2.0, 3.0):
        assert excel("COST_CURVE", start, 0.0, 0.0) == "#VALUE!"
    excel.run("XltForget")
    assert excel("COST_CURVE", 2.0, 0.0, 0.0) == "#VALUE!"
    assert excel.application.asked == 1
    excel.run("XltRetry")
    assert excel("COST_CURVE", 2.0, 0.0, 0.0) == 2.0


def test_a_server_that_ends_twice_is_told_and_not_remembered(excel):
    """Two failures in a row are an error with the reason; the next call tries again."""
    excel.server.failures = 2
    assert excel("COST_CURVE", 2.0, 0.0, 0.0) == "#VALUE!"
    assert "Python failed (The RPC server is unavailable.)" in told(excel)
    assert excel("COST_CURVE", 2.0, 0.0, 0.0) == 2.0


def test_what_python_raises_is_not_asked_again(excel):
    """An exception in Python is no lost connection: asked once, and told."""
    excel.server.failures = 1
    excel.server.failure = -2147352567, "KeyError: 'COST_CURVE'"
    assert excel("COST_CURVE", 2.0, 0.0, 0.0) == "#VALUE!"
    assert "Python failed (KeyError" in told(excel)
    assert not excel.server.calls


def test_a_cell_that_was_not_computed_yet_is_waited_for(excel):
    """Excel may ask before it computed what an argument rests on: Python is spared, no error told."""
    for waiting in (
        Range([[None]], waits=[(1, 1)]),
        Range([[1.0, None], [None, 2.0]], waits=[(2, 1)]),
    ):
        assert excel("PAYBACK_MONTHS", waiting) == "#VALUE!"
        assert "not computed yet" in excel.run("XltMessageOf", "[book.xlsx]Sheet1!$A$1")
    assert not excel.server.calls
    assert told(excel) == ""
    blank = Range([[1.0, None], [3.0, 2.0]], waits=[(2, 1)])
    blank.rows[1][0] = 3.0
    assert excel("PAYBACK_MONTHS", blank) == "#VALUE!"
    assert len(excel.server.calls) == 1, "a blank without a formula is a blank"


def test_a_command_is_not_done_twice(excel):
    """Only functions are asked again after a failure: a command may have done its work."""
    excel.server.failures = 1
    with pytest.raises(VBARuntimeError, match="RPC server is unavailable"):
        excel.run("XltPython", "xltoken.hosts.commands", "run", array([["new"]]))
    assert excel.server.failures == 0


def test_on_a_mac_the_error_says_why(monkeypatch):
    """VBA on a Mac cannot reach Python: #VALUE!, and a word of what to use."""
    constants = {**_preprocess.DEFAULT_CONSTANTS, "Mac": True}
    monkeypatch.setattr(_preprocess, "DEFAULT_CONSTANTS", constants)
    excel = Excel()
    assert excel("TOKEN_COST", *ASK) == "#VALUE!"
    assert "xlwings Lite" in told(excel)
    assert not excel.server.calls
    excel.run("XltStart")
    assert "xlwings Lite" in excel.application.status


# --- when something opens -------------------------------------------------------------------------


def test_the_wizard_learns_every_function(excel):
    """Each function has its category, its text and a text for each argument, none too long."""
    excel.run("XltHelp")
    assert list(excel.application.help) == [f"'xltoken.xlam'!{name}" for name in FUNCTIONS]
    for name, given in zip(FUNCTIONS, excel.application.help.values(), strict=True):
        assert given["category"] == "xltoken"
        assert len(given["arguments"]) == len(FUNCTIONS[name].parameters)
        assert all(0 < len(text) <= 255 for text in (given["text"], *given["arguments"]))


def test_a_name_with_an_apostrophe_is_quoted():
    """A workbook's name may hold an apostrophe, which Excel wants doubled."""
    excel = Excel(addin=False)
    excel.book.name = "John's.xlsm"
    excel.run("XltHelp")
    assert "'John''s.xlsm'!TOKEN_COST" in excel.application.help


def test_help_is_tried_again_and_changes_nothing(excel):
    """Where Excel refuses it the next occasion counts, and the workbook looks unchanged."""
    excel.application.refuses_help = True
    excel.run("XltHelp")
    assert not excel.application.help
    assert excel.book.saved
    assert excel.book.addin
    assert excel.application.events
    assert excel.application.drawn
    excel.application.refuses_help = False
    excel.run("XltHelp")
    assert len(excel.application.help) == len(FUNCTIONS)
    assert excel.book.saved
    assert excel.book.addin, "it was visible for a moment only, as Excel asks for"
    assert excel.application.events
    assert excel.application.drawn


def book_of_ours():
    """A workbook whose formulas name our functions."""
    return Book("budget.xlsx", formulas=["a text", '=1+TOKEN_COST("B200",B4,C4)', None])


def test_a_workbook_with_our_names_is_rebuilt(excel):
    """Names written outside Excel are looked up when Excel rebuilds: each time it is opened."""
    for times in (1, 2):
        excel.run("XltBind", book_of_ours())
        assert excel.application.rebuilt == times


def test_names_of_an_add_in_elsewhere_are_not_rebuilt(excel):
    """A workbook linked to the add-in in another folder keeps its values; the way out is told."""
    book = book_of_ours()
    book.links = [r"C:\Users\Bob\xltoken.xlam"]
    excel.run("XltBind", book)
    assert excel.application.rebuilt == 0
    assert "xltoken relink" in excel.application.status
    book.links = [excel.book.vba_get("FullName"), r"C:\figures.xlsx"]
    excel.run("XltBind", book)
    assert excel.application.rebuilt == 1


def test_a_large_workbook_is_not_searched(excel):
    """Opening may not take minutes: beyond the limit nothing is looked at, and that is said."""
    book = book_of_ours()
    book.cells = 200_001
    excel.run("XltBind", book)
    assert excel.application.rebuilt == 0
    assert "too large to be searched" in excel.application.status


def test_the_status_bar_is_given_back(excel):
    """A word of ours goes with the next calculation; somebody else's stays."""
    excel.application.status = "Recording"
    excel.run("XltForget")
    assert excel.application.status == "Recording"
    excel.application.unreachable = 1
    excel.run("XltBind", book_of_ours())
    assert excel.application.status.startswith("xltoken: ")
    excel.run("XltForget")
    assert excel.application.status is False


@pytest.mark.parametrize(
    "book",
    [
        Book("other.xlsx", formulas=["=SUM(A1:A2)", "TOKEN_COST(", "=MY_TOKENS(1)"]),
        Book("empty.xlsx"),
        Book("other.xlam", addin=True, formulas=["=TOKEN_COST(1)"]),
        Book("carrying.xlsm", carries=True, formulas=["=TOKEN_COST(1)"]),
    ],
    ids=lambda b: b.name,
)
def test_other_workbooks_are_left_alone(excel, book):
    """A workbook that does not call us, is an add-in, or has the functions inside is not rebuilt."""
    excel.run("XltBind", book)
    assert excel.application.rebuilt == 0


def test_good_values_are_not_rebuilt_into_errors(excel):
    """While Python cannot be reached the saved values stay, and the status bar says why."""
    excel.application.unreachable = 1
    excel.run("XltBind", book_of_ours())
    assert excel.application.rebuilt == 0
    assert "Python cannot be reached" in excel.application.status


def test_manual_calculation_is_respected(excel):
    """Who calculates by hand decides when."""
    excel.application.calculation = XL_MANUAL
    excel.run("XltBind", book_of_ours())
    assert excel.application.rebuilt == 0


def test_a_workbook_that_carries_the_functions_binds_no_other():
    """Only the add-in looks at other workbooks."""
    excel = Excel(addin=False)
    excel.run("XltBind", book_of_ours())
    assert excel.application.rebuilt == 0


def test_at_the_start_open_workbooks_are_looked_at(excel):
    """What was open before the add-in is treated like what opens after it."""
    excel.application.books = [book_of_ours(), Book("other.xlsx", formulas=["=1"])]
    excel.run("XltStart")
    assert excel.application.rebuilt == 1
    assert excel.book.watched >= 1
    assert excel.application.help
