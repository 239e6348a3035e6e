"""The self-test's mark: it bites, and tells a failure from another catalog and another host."""

import datetime as dt

import pytest
from self_test_tools import EXPECTED, LIVE, after, column, rows
from workbook_tools import at, opened

from xltoken.catalog import store
from xltoken.recalc.workbook import recalculate
from xltoken.templates.self_test.case import called
from xltoken.templates.self_test.edges import WORKED, edges
from xltoken.templates.self_test.special import specials


@pytest.fixture(scope="module")
def template():
    """The template of this file."""
    return "self_test"


# --- a mark that bites ---------------------------------------------------------------------------


def due(book) -> dict:
    """Cell of every expected figure, with the figure."""
    found = {(ws.title, f"{EXPECTED}{row}"): ws[f"{EXPECTED}{row}"].value for ws, row in rows(book)}
    found |= {("Arrays", f"{c}{r}"): book["Arrays"][f"{c}{r}"].value for r in range(11, 20)
              for c in "DE"}  # fmt: skip
    return found


def off(value, share: float):
    """A value that is a little off; a text gets another letter's case."""
    if isinstance(value, dt.datetime):
        value = (value - dt.datetime(1899, 12, 30)).days
    if isinstance(value, str):
        return value.swapcase() if value.swapcase() != value else f"{value}."
    return value * (1 + share) if value else share


def test_each_expected_figure_is_compared(drawn, tmp_path):
    """With every expected figure 1e-8 off no case passes, numbers and texts alike."""
    found = after(drawn, tmp_path / "o.xlsx", {w: off(v, 1e-8) for w, v in due(drawn).items()})
    passing = [(ws.title, row) for ws, row in rows(found) if ws[f"B{row}"].value != "FAIL"]
    assert passing == []
    assert {found["Arrays"][f"I{row}"].value for row in range(11, 20)} == {"FAIL"}
    assert at(found, "verdict") == "FAIL"


def test_a_difference_within_the_tolerance_passes(drawn, tmp_path):
    """With every expected number 1e-10 off only those fail that must agree to the last digit."""
    slight = {w: off(v, 1e-10) for w, v in due(drawn).items() if isinstance(v, int | float) and v}
    found = after(drawn, tmp_path / "o.xlsx", slight)
    flag = column("To the last digit")
    for ws, row in rows(found):
        strict = ws[f"{flag}{row}"].value == 1
        assert ws[f"B{row}"].value == ("FAIL" if strict else "PASS"), (ws.title, row)


FAULTS = {
    "an expected figure": (("Functions", f"{EXPECTED}20"), 0.5),
    "an argument": (("Functions", "F6"), "H200"),
    "a result typed over": (("Functions", f"{LIVE}6"), 0.02),
    "a number as text": (("Functions", f"{LIVE}6"), "0.0208791067596911"),
    "an error as text": (("Functions", f"{LIVE}12"), "#N/A"),
    "TRUE for 1": (("Functions", f"{LIVE}12"), True),
    "an error": (("Hosts", f"{LIVE}8"), "=NA()"),
    "another error": (("Functions", f"{LIVE}12"), "=ERROR.TYPE(1/0)"),
    "no error where one is due": (("Hosts", f"{LIVE}11"), 0),
    "a range": ("months_1", 1.0),
    "the array's expected figure": (("Arrays", "E13"), 1.0),
    "the array's arguments": (("Arrays", "A7"), 0.2),
    "a case fewer": (("Functions", "D20"), None),
    "a tolerance below 0": ("tolerance", -1e-9),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_seeded_fault_turns_the_mark_to_fail(drawn, tmp_path, what):
    """One thing changed turns the mark of every sheet to FAIL."""
    where, value = FAULTS[what]
    found = after(drawn, tmp_path / "o.xlsx", {where: value})
    assert at(found, "verdict") == "FAIL"
    assert found["Cover"]["B6"].value == found["Functions"]["C3"].value == "FAIL"
    assert at(found, "all_checks") == 0


def test_a_worked_example_with_another_first_number_fails(drawn, tmp_path):
    """The first number or date of each function's worked example counts: another one fails."""
    sheet, changes = drawn["Functions"], {}
    for row in range(6, sheet.max_row + 1):
        if sheet[f"E{row}"].value == WORKED:
            for letter in "FGHIJKLM":
                value = sheet[f"{letter}{row}"].value
                if isinstance(value, dt.datetime):
                    changes["Functions", f"{letter}{row}"] = value - dt.timedelta(days=200)
                    break
                if isinstance(value, float | int):
                    changes["Functions", f"{letter}{row}"] = value * 1.5
                    break
    found = after(drawn, tmp_path / "o.xlsx", changes)
    assert len(changes) >= 20
    kept = {
        found["Functions"][f"C{place[1:]}"].value
        for _, place in changes
        if found["Functions"][f"B{place[1:]}"].value == "PASS"
    }
    # Cheapest and price are the same on both days; an accounting line knows no discount rate.
    assert kept <= {"CHEAPEST_PLATFORM", "TOKEN_PRICE", "COST_LINES"}


# --- another catalog, no functions, other hosts --------------------------------------------------


def test_another_fingerprint_is_told_from_a_failure(drawn, tmp_path):
    """Another fingerprint or version says OTHER CATALOG, also where cases that rest on it fail."""
    for changes in (
        {"stamped_fingerprint": "another"},
        {"stamped_version": "0.0.0"},
        {"stamped_fingerprint": "another", ("Functions", f"{EXPECTED}6"): 0.5},
    ):
        found = after(drawn, tmp_path / "o.xlsx", changes)
        assert at(found, "verdict") == "OTHER CATALOG"
        assert at(found, "all_checks") == 0


def test_another_catalog_does_not_hide_a_failure(drawn, tmp_path):
    """With another fingerprint a case that does not rest on the catalog still fails the host."""
    row = next(
        row for ws, row in rows(drawn)
        if ws.title == "Functions" and ws[f"C{row}"].value == "COST_CURVE"
    )  # fmt: skip
    changes = {"stamped_fingerprint": "another", ("Functions", f"{EXPECTED}{row}"): 0.5}
    assert at(after(drawn, tmp_path / "o.xlsx", changes), "verdict") == "FAIL"


def test_a_real_overlay_is_another_catalog(path, tmp_path, monkeypatch):
    """Recalculated over a user's own rates the book says OTHER CATALOG, not FAIL."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "rates.csv").write_text(
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,own_hyperscaler,2020-01-01,9.5\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("XLTOKEN_CATALOG", str(overlay))
    recalculate(path, tmp_path / "o.xlsx")
    found = opened(tmp_path / "o.xlsx")
    assert at(found, "verdict") == "OTHER CATALOG"
    assert at(found, "live_fingerprint") != at(found, "stamped_fingerprint")
    failing = [ws[f"C{row}"].value for ws, row in rows(found) if ws[f"B{row}"].value == "FAIL"]
    assert "TOKEN_COST" in failing


def test_cases_that_do_not_rest_on_the_catalog_never_ask_it(monkeypatch):
    """A case marked as free of the catalog is computed without it."""
    free = [case for case in (*edges(), *specials()) if not case.rests_on_catalog]
    before = [called(case.function, case.arguments) for case in free]

    def asked():
        raise AssertionError("asked the catalog")

    monkeypatch.setattr(store, "current", asked)
    assert [called(case.function, case.arguments) for case in free] == before
    assert len(free) > 150


def test_without_functions_it_says_so(drawn, tmp_path):
    """Where XLTOKEN_INFO is an error the mark says NO FUNCTIONS, and no mark is an error."""
    fields = ("version", "catalog", "fingerprint", "host")
    found = after(drawn, tmp_path / "o.xlsx", {f"live_{field}": "=NA()" for field in fields})
    assert at(found, "verdict") == "NO FUNCTIONS"
    assert found["Cover"]["B3"].value == "NO FUNCTIONS"


@pytest.mark.parametrize("host", ["xlwings classic", "xlwings lite", "libreoffice"])
def test_a_host_passes_with_the_outcome_that_is_stated_for_it(drawn, tmp_path, host):
    """What a host cannot tell passes there with its stated outcome, and fails with another."""
    stated, other = {"live_host": host}, {"live_host": host}
    for ws, row in rows(drawn):
        if host in ws[f"{column('Hosts that cannot tell')}{row}"].value:
            outcome = ws[f"{column('What they give')}{row}"].value
            stated[ws.title, f"{LIVE}{row}"] = "=NA()" if outcome == "error" else outcome
            other[ws.title, f"{LIVE}{row}"] = 123.456
    assert len(stated) > 8
    found = after(drawn, tmp_path / "stated.xlsx", stated)
    assert at(found, "verdict") == "PASS"
    assert found["Cover"]["B13"].value == len(stated) - 1
    found = after(drawn, tmp_path / "other.xlsx", other)
    failing = [row for ws, row in rows(found) if ws[f"B{row}"].value == "FAIL"]
    assert len(failing) == len(other) - 1
    elsewhere = after(drawn, tmp_path / "elsewhere.xlsx", {**stated, "live_host": "excel"})
    assert at(elsewhere, "verdict") == "FAIL"
