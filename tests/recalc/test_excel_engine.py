"""Excel as a second engine, against a stand-in for xlwings: no machine of ours has an Excel."""

import inspect
import os
import sys
import time
import types
from pathlib import Path

import pytest
from recalc_tools import F, book, parts_of, with_part

from xltoken.files import FileError
from xltoken.machine import PartMissing
from xltoken.recalc import excel
from xltoken.recalc.sheetxml import ErrorText

NA = -2146826246
PID = 4242


class _Excel:
    """In-memory stand-in for xlwings, its App, the COM application and its books.

    `cells` is what Value2 of a place gives, by sheet; `log` everything that was asked of it.
    """

    def __init__(self, cells=None, *, fails="", stubborn=False):
        self.cells, self.fails, self.stubborn = cells or {}, fails, stubborn
        self.log, self.running = [], set()
        self.apps = types.SimpleNamespace(keys=lambda: list(self.running))
        self.opened = None

    def App(self, **options):
        self._do("start")
        self.log[-1] = ("start", options)
        self.running.add(PID)
        return _App(self)

    def _do(self, step):
        self.log.append(step)
        if step == self.fails:
            raise RuntimeError(f"({step},\n 'Exception occurred.')")

    def quit(self):
        self._do("quit")
        if not self.stubborn:
            self.running.discard(PID)

    def killed(self, pid, _signal):
        self.log.append("kill")
        self.running.discard(pid)


class _App:
    """App of xlwings; `api` is the application that Windows or macOS hand out."""

    pid = PID

    def __init__(self, state):
        set_ = types.SimpleNamespace(set=lambda v: state.log.append(("automation_security", v)))
        object.__setattr__(self, "state", state)
        object.__setattr__(self, "api", _Api(state, set_))
        object.__setattr__(self, "books", types.SimpleNamespace(open=self._open))

    def __setattr__(self, name, value):
        self.state.log.append((name, value))

    def quit(self):
        self.state.quit()

    def _open(self, path, **options):
        self.state._do("open")
        self.state.log[-1] = ("open", options)
        self.state.opened = path
        return _Book(self.state)


class _Api:
    def __init__(self, state, security):
        object.__setattr__(self, "state", state)
        object.__setattr__(self, "automation_security", security)

    def __setattr__(self, name, value):
        self.state.log.append((name, value))

    def CalculateFullRebuild(self):
        self.state._do("rebuild")

    calculate_full_rebuild = CalculateFullRebuild

    def Quit(self):
        self.state.quit()


class _Book:
    def __init__(self, state):
        self.state = state
        self.sheets = {name: _Sheet(state, cells) for name, cells in state.cells.items()}

    def save(self):
        self.state._do("save")
        Path(self.state.opened).write_bytes(self.state.result)

    def close(self):
        self.state._do("close")


class _Sheet:
    def __init__(self, state, cells):
        self.state, self.cells = state, cells

    def range(self, first, last):
        self.state._do("read")
        block = tuple(
            tuple(self.cells.get((r, c)) for c in range(first[1], last[1] + 1))
            for r in range(first[0], last[0] + 1)
        )
        value = block[0][0] if first == last else block
        return types.SimpleNamespace(api=types.SimpleNamespace(Value2=value))


@pytest.fixture
def install(monkeypatch):
    """Put a stand-in in the place of xlwings, on Windows unless told otherwise."""

    def put(state, system="win32"):
        k = types.SimpleNamespace(msoAutomationSecurityForceDisable="forced")
        monkeypatch.setitem(sys.modules, "xlwings", state)
        monkeypatch.setitem(sys.modules, "appscript", types.SimpleNamespace(k=k))
        monkeypatch.setattr(excel, "_SYSTEM", system)
        monkeypatch.setattr(excel, "_SECONDS_TO_QUIT", 0.0)
        monkeypatch.setattr(os, "kill", state.killed)
        return state

    return put


CONTENT = book({"S": {"A1": 1.0, "A2": F("A1+1", 9.0)}})


def test_values_come_as_excel_has_them(install):
    """Numbers, text, booleans, blanks and dates as serials come out of Value2 unchanged."""
    cells = {(1, 1): 0.1 + 0.2, (1, 2): "#N/A", (1, 3): True, (1, 4): None, (2, 1): 44575.25}
    install(_Excel({"S": cells, "It's": {(7, 3): ""}}))
    places = [("S", r, c) for r, c in cells] + [("It's", 7, 3)]
    found = excel.values(CONTENT, places)
    assert found == dict(zip(places, [*cells.values(), ""], strict=True))
    assert not isinstance(found["S", 1, 2], ErrorText)  # a text that looks like an error
    assert isinstance(found["S", 1, 3], bool)


@pytest.mark.parametrize(
    ("raw", "text"),
    [(-2146826288, "#NULL!"), (-2146826281, "#DIV/0!"), (-2146826273, "#VALUE!"),
     (-2146826265, "#REF!"), (-2146826259, "#NAME?"), (-2146826252, "#NUM!"), (NA, "#N/A"),
     (-2146826243, "#SPILL!"), (-2146826238, "#CALC!")],
)  # fmt: skip
def test_error_cells_come_as_errors(install, raw, text):
    """The whole number that stands for an error cell becomes the error's text."""
    install(_Excel({"S": {(1, 1): raw}}))
    value = excel.values(CONTENT, [("S", 1, 1)])["S", 1, 1]
    assert value == text
    assert isinstance(value, ErrorText)


def test_an_unknown_error_is_refused(install):
    """An error number of a later Excel is never taken for a number."""
    state = install(_Excel({"S": {(1, 1): -2146826100}}))
    with pytest.raises(FileError, match="does not know"):
        excel.values(CONTENT, [("S", 1, 1)])
    assert not state.running


def test_excel_is_hidden_silent_rebuilt_and_gone(install):
    """A copy is opened read-only without links or macros, rebuilt once, and nothing is saved."""
    state = install(_Excel({"S": {(2, 1): 2.0}}))
    assert excel.values(CONTENT, [("S", 2, 1)]) == {("S", 2, 1): 2.0}
    opened = next(x for x in state.log if x[0] == "open")[1]
    assert state.log == [
        ("start", {"visible": False, "add_book": False}),
        ("display_alerts", False),
        ("enable_events", False),
        ("AutomationSecurity", 3),
        ("open", opened),
        "rebuild",
        "read",
        "close",
        "quit",
    ]
    assert opened["read_only"] is True
    assert opened["update_links"] is False
    assert not Path(state.opened).exists()


@pytest.mark.parametrize("step", ["open", "rebuild", "read", "close"])
def test_excel_is_gone_after_a_failure(install, step):
    """Whatever fails, Excel is quit and the message is one line without a traceback."""
    state = install(_Excel({"S": {(1, 1): 1.0}}, fails=step))
    with pytest.raises(FileError, match="Excel cannot open or recalculate") as caught:
        excel.values(CONTENT, [("S", 1, 1)])
    assert "\n" not in str(caught.value)
    assert state.log[-1] == "quit"
    assert not state.running


def test_excel_that_does_not_quit_is_ended(install):
    """An Excel that stays after quit is ended by its own process number."""
    state = install(_Excel({"S": {(1, 1): 1.0}}, stubborn=True))
    assert excel.values(CONTENT, [("S", 1, 1)]) == {("S", 1, 1): 1.0}
    assert state.log[-2:] == ["quit", "kill"]
    assert not state.running


def test_excel_that_takes_its_time_to_quit_is_left_to_it(install, monkeypatch):
    """An Excel that is gone a moment after quit is not ended by force."""
    state = install(_Excel({"S": {(1, 1): 1.0}}, stubborn=True))
    monkeypatch.setattr(excel, "_SECONDS_TO_QUIT", 60.0)
    monkeypatch.setattr(excel.time, "sleep", lambda _: state.running.clear())
    excel.values(CONTENT, [("S", 1, 1)])
    assert state.log[-1] == "quit"


def test_no_excel_left_to_ask_is_no_failure(install):
    """Where xlwings cannot even list the Excels, the values stand."""
    state = install(_Excel({"S": {(1, 1): 1.0}}))
    state.apps = None
    assert excel.values(CONTENT, [("S", 1, 1)]) == {("S", 1, 1): 1.0}


def test_the_stand_in_is_asked_only_what_xlwings_offers():
    """Arguments and commands that the engine uses exist in the installed xlwings."""
    import xlwings
    from xlwings import mac_dict

    app = inspect.signature(xlwings.App).parameters
    assert {"visible", "add_book"} <= app.keys()
    opening = inspect.signature(xlwings.main.Books.open).parameters
    used = {"update_links", "read_only", "ignore_read_only_recommended", "add_to_mru"}
    assert used <= opening.keys()
    for owner, names in (
        (xlwings.App, ("api", "pid", "quit", "display_alerts", "enable_events", "books")),
        (xlwings.Book, ("sheets", "save", "close")),
        (xlwings.Sheet, ("range",)),
        (xlwings.Range, ("api",)),
    ):
        assert all(hasattr(owner, name) for name in names)
    assert "calculate_full_rebuild" in {name for name, *_ in mac_dict.commands}
    assert "automation_security" in {name for name, _ in mac_dict.properties}
    assert "msoAutomationSecurityForceDisable" in {name for name, _ in mac_dict.enums}


def test_a_late_excel_is_ended(install, monkeypatch):
    """After the time limit our Excel is ended, and the message names the limit."""
    state = install(_Excel({"S": {(1, 1): 1.0}}, fails="rebuild"))
    rebuild = _Api.CalculateFullRebuild

    def slow(self):
        while PID in state.running:
            time.sleep(0.001)
        rebuild(self)

    monkeypatch.setattr(_Api, "CalculateFullRebuild", slow)
    with pytest.raises(FileError, match=r"within 0\.01 seconds"):
        excel.values(CONTENT, [("S", 1, 1)], timeout=0.01)
    assert "kill" in state.log


def test_cells_far_apart_are_read_in_blocks(install, monkeypatch):
    """A sheet is never read as one huge block: only the rows that are asked for, in pieces."""
    monkeypatch.setattr(excel, "_CELLS_AT_ONCE", 20)
    cells = {(1, 1): 1.0, (2, 4): 2.0, (1_000_000, 2): 3.0}
    state = install(_Excel({"S": cells}))
    places = [("S", r, c) for r, c in cells]
    assert list(excel.values(CONTENT, places).values()) == [1.0, 2.0, 3.0]
    assert state.log.count("read") == 2


def test_nothing_asked_is_nothing_read(install):
    """Without places the book is recalculated and no cell is read."""
    state = install(_Excel({"S": {}}))
    assert excel.values(CONTENT, []) == {}
    assert "read" not in state.log


def test_on_macos_the_saved_copy_is_read(install):
    """On macOS errors, text and 1904 serials come from the private copy that Excel saved."""
    state = install(_Excel(), "darwin")
    state.result = book(
        {"S": {"A1": F("NA()", "#N/A"), "A2": F("DATE(2026,1,15)", 44575), "A3": F("1=1", True)}},
        date1904=True,
    )
    places = [("S", row, 1) for row in (1, 2, 3, 4)]
    found = list(excel.values(CONTENT, places).values())
    assert found == [ErrorText("#N/A"), 44575.0, True, None]
    assert isinstance(found[0], ErrorText)
    assert ("automation_security", "forced") in state.log
    assert [x for x in state.log if isinstance(x, str)] == ["rebuild", "save", "close", "quit"]
    assert not Path(state.opened).exists()


def test_on_macos_a_missing_sheet_is_refused(install):
    """A place on a sheet that the copy does not have is a failure, not a blank."""
    state = install(_Excel(), "darwin")
    state.result = CONTENT
    with pytest.raises(FileError, match="no sheet Other"):
        excel.values(CONTENT, [("Other", 1, 1)])


def test_a_book_with_macros_is_opened_as_one(install):
    """Excel refuses macro content under the name .xlsx, so the copy has the right ending."""
    state = install(_Excel({"S": {(1, 1): 1.0}}))
    xml = parts_of(CONTENT)["[Content_Types].xml"].replace(
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    excel.values(with_part(CONTENT, "[Content_Types].xml", xml), [("S", 1, 1)])
    assert state.opened.endswith(".xlsm")
    excel.values(CONTENT, [("S", 1, 1)])
    assert state.opened.endswith(".xlsx")


def test_excel_that_does_not_start_is_missing(install):
    """Where xlwings finds no Excel to start, the message says so."""
    install(_Excel(fails="start"))
    with pytest.raises(PartMissing, match="does not start"):
        excel.values(CONTENT, [("S", 1, 1)])


def test_no_excel_beside_windows_and_macos(install):
    """On other systems xlwings has no Excel, and the message names the other engine."""
    install(_Excel(), "linux")
    with pytest.raises(PartMissing, match="--engine libreoffice"):
        excel.values(CONTENT, [("S", 1, 1)])


def test_without_xlwings_the_message_says_what_to_install(install, monkeypatch):
    """A machine without xlwings is told to install it."""
    install(_Excel())
    monkeypatch.setitem(sys.modules, "xlwings", None)
    with pytest.raises(PartMissing, match="pip install xlwings"):
        excel.values(CONTENT, [("S", 1, 1)])
