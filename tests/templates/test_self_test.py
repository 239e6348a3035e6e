"""The self-test workbook: every function in it, right figures, and a mark that bites."""

import datetime as dt
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from budget_tools import at, opened
from openpyxl.formula import Tokenizer
from openpyxl.utils import FORMULAE
from openpyxl.worksheet.formula import ArrayFormula

import xltoken
from xltoken import audit
from xltoken.catalog import store
from xltoken.functions import FUNCTIONS, cells
from xltoken.recalc import package
from xltoken.recalc.workbook import recalculate
from xltoken.templates import new
from xltoken.templates.self_test.case import Look, called, hosts_blind_to
from xltoken.templates.self_test.edges import SMALL, WORKED, edges
from xltoken.templates.self_test.layout import COLUMNS, SAVED_BY
from xltoken.templates.self_test.special import specials

SHEETS = ["Cover", "Inputs", "Functions", "Hosts", "Arrays", "Checks", "Sources", "Changes"]
LITERALS = {0.0, 1.0, 2.0, 12.0, 100.0, 365.0, 1000.0, 1e6}
TITLES = [title for title, _ in COLUMNS]


def column(title: str) -> str:
    """Letter of a column of the sheets of cases."""
    return openpyxl.utils.get_column_letter(TITLES.index(title) + 1)


LIVE, EXPECTED, OFF = column("Result here"), column("Expected"), column("Off by")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A self-test, made once."""
    target = tmp_path_factory.mktemp("self_test") / "self_test.xlsx"
    new("self_test", target)
    return target


@pytest.fixture(scope="module")
def values(path):
    """Its saved values."""
    return opened(path)


@pytest.fixture(scope="module")
def drawn(path):
    """Its formulas."""
    return openpyxl.load_workbook(path)


def text_of(cell) -> str:
    """Text of a formula cell, an array formula's too."""
    return cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value


def formulas(book):
    """Sheet, cell and text of every formula."""
    return [
        (ws.title, cell, text_of(cell))
        for ws in book.worksheets
        for row in ws.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def rows(book):
    """Sheet and row number of every case."""
    return [
        (ws, row) for ws in (book["Functions"], book["Hosts"]) for row in range(6, ws.max_row + 1)
    ]


def place_of(book, name: str) -> tuple[str, str]:
    """Sheet and first cell of a defined name."""
    sheet, place = next(iter(book.defined_names[name].destinations))
    return sheet, place.replace("$", "").partition(":")[0]


def after(book, target: Path, changes: dict):
    """Saved values after cells, by sheet and place or by name, were overwritten and all computed."""
    before = {}
    for where, value in changes.items():
        sheet, place = place_of(book, where) if isinstance(where, str) else where
        cell = book[sheet][place]
        before[sheet, place] = cell.value
        cell.value = value
    try:
        book.save(target)
    finally:
        for (sheet, place), value in before.items():
            book[sheet][place].value = value
    recalculate(target)
    return opened(target)


# --- what stands in it ---------------------------------------------------------------------------


def test_every_registered_function_stands_in_it(drawn):
    """Each function of the registry has a live worked example on the sheet Functions."""
    sheet = drawn["Functions"]
    found = [
        sheet[f"{LIVE}{row}"].value
        for row in range(6, sheet.max_row + 1)
        if sheet[f"E{row}"].value == WORKED
    ]
    called_names = [re.search(r"([A-Z_]+_[A-Z_]+)\(", text).group(1) for text in found]
    assert called_names == list(FUNCTIONS)


def test_every_optional_parameter_is_left_out_somewhere():
    """Each function with something optional has a case of blank cells; with two, one skipped."""
    shows = {(c.function.name, c.shows.partition(":")[0].split()[0]) for c in edges()}
    for name, function in FUNCTIONS.items():
        optional = [p for p in function.parameters if not p.required]
        assert not optional or (name, "Optional") in shows, name
        given = [p for p in optional[1:] if p.told_default is not None or p.kind == "assumptions"]
        assert not given or (name, "Skipped") in shows, name


def test_what_hosts_get_wrong_is_all_there():
    """Each kind of trap has a case, and each kind of error is looked for."""
    told = " | ".join(f"{c.subject}: {c.shows}" for c in (*edges(), *specials()))
    for trap in (
        "Skipped", "blank cells", "plain number", "Months after", "part of a month", "TRUE as",
        "Text 12", "Error cell", "Currency", "Accounting", "Percent", "All digits", "other case",
        "An unknown name: #VALUE!", "given twice", "out of range: #NUM!", "range of one cell",
        "A result that is a date", "A date inside a table", "without a partner: #N/A",
        "Beside an error", "Division by zero", "Unknown platform: #N/A", "not of one length",
        "results of formulas", "column against a row", "#N/A inside a table",
    ):  # fmt: skip
        assert trap in told, trap
    for error in (cells.NA, cells.NUM, cells.VALUE, cells.DIV0):
        assert told.count(f": {error}") >= 3, error


def argument(book, values, sheet, text):
    """Value of an argument as the file has it, read by nothing of ours."""
    wrapped = re.fullmatch(r"[NT]\((.*)\)", text)
    text = wrapped.group(1) if wrapped else text
    if not text:
        return None
    if text in book.defined_names:
        title, place = next(iter(book.defined_names[text].destinations))
        found = values[title][place.replace("$", "")]
        if not isinstance(found, tuple):
            return found.value
        return [[c.value for c in row] for row in found]
    return values[sheet.title][text].value


def test_the_expected_figures_are_the_core_s(drawn, values):
    """Each expected figure is what `cells.call` gives for the arguments that stand in the file."""
    compared = 0
    for ws, row in rows(drawn):
        text = ws[f"{LIVE}{row}"].value
        name, written = re.search(r"\b([A-Z]+_[A-Z_]+)\((.*)", text).groups()
        depth, end = 1, 0
        while depth:
            depth += {"(": 1, ")": -1}.get(written[end], 0)
            end += 1
        given = [argument(drawn, values, ws, a) for a in written[: end - 1].split(",")]
        result = cells.outgoing(cells.call(FUNCTIONS[name], given))
        picked = [values[ws.title][f"{column(c)}{row}"].value for c in ("Row", "Column")]
        if picked[0] is not None:
            result = result[picked[0] - 1][picked[1] - 1]
        if "ISNA(" in text:
            result = float(result == cells.NA)
        elif "ISERR(" in text:
            result = float(isinstance(result, cells.CellError) and result != cells.NA)
        elif "ROWS(" in text:
            result = len(result)
        elif "COLUMNS(" in text:
            result = len(result[0])
        elif "SUMPRODUCT(" in text:
            result = sum(sum(line) for line in result)
        expected = values[ws.title][f"{EXPECTED}{row}"].value
        if isinstance(expected, dt.datetime):
            expected = (expected - dt.datetime(1899, 12, 30)).days
        if isinstance(expected, str):
            assert result == expected, (ws.title, row)
        else:
            assert math.isclose(result, expected, rel_tol=1e-12), (ws.title, row)
        compared += 1
    assert compared == len(edges()) + len(specials()) > 300


def test_errors_told_are_the_core_s(drawn):
    """A case that says it is an error ends in the very error that the core gives."""
    for case in (*edges(), *specials()):
        if case.look in (Look.UNKNOWN, Look.ERROR):
            result = called(case.function, case.arguments)
            if case.picked:
                result = result[case.picked[0] - 1][case.picked[1] - 1]
            assert case.shows.endswith(f": {result}")
            assert case.expected == 1


def test_everything_passes_as_made(values):
    """The file as made says PASS in every case and on every sheet, and has no failing count."""
    for ws, row in rows(values):
        assert ws[f"B{row}"].value == "PASS", (ws.title, row)
    for name in SHEETS:
        marks = [c.value for r in values[name].iter_rows(max_row=3) for c in r]
        assert "PASS" in marks, name
    assert at(values, "verdict") == "PASS"
    assert at(values, "all_checks") == 1
    assert at(values, "cases_counted") == len(edges()) + len(specials()) + 9


def test_only_one_cell_is_an_error_and_none_is_blank(drawn, values):
    """Every formula has a saved value; the error cell alone is an error."""
    errors = []
    for sheet, cell, _ in formulas(drawn):
        value = values[sheet][cell.coordinate].value
        assert value is not None, (sheet, cell.coordinate)
        if str(value).startswith("#"):
            errors.append((sheet, cell.coordinate, value))
    assert errors == [(*place_of(drawn, "error_cell"), "#DIV/0!")]


def test_recalculating_changes_nothing(path, tmp_path):
    """The values that it was made with are right: a recalculation changes no byte."""
    report = recalculate(path, tmp_path / "o.xlsx")
    assert (tmp_path / "o.xlsx").read_bytes() == path.read_bytes()
    assert report.cells == []
    assert report.summary["unsupported"] == report.summary["disputed"] == 0


def test_check_finds_the_error_cell_only(path, drawn):
    """The audit has one finding: the cell that is an error on purpose."""
    found = audit.check(package.read(path)).findings
    sheet, place = place_of(drawn, "error_cell")
    assert [(f.rule, f.sheet, f.cells) for f in found] == [("error cell", sheet, place)]


def test_the_saved_figures_say_that_they_are_saved(values):
    """The host that the saved values name is the engine, and the Cover says they are not live."""
    assert at(values, "live_host") == at(values, "saved_host") == SAVED_BY
    told = [c.value for row in values["Cover"]["B6:B13"] for c in row]
    assert any(str(text).startswith("No: those saved") for text in told)


def test_the_stamps_are_those_of_the_making(values):
    """Version, catalog and fingerprint stamped are those of this xltoken."""
    catalog = store.current()
    assert at(values, "stamped_version") == at(values, "live_version") == xltoken.__version__
    assert at(values, "stamped_fingerprint") == catalog.fingerprint
    told = [str(c.value) for row in values["Cover"].iter_rows() for c in row]
    assert f"Computed by xltoken {xltoken.__version__} on the catalog of {catalog.date}" in told


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


def test_limits_are_those_of_the_table():
    """Every limit that a case allows is one of the host-limits table's doors."""
    doors = {limit.door for limit in cells.HOST_LIMITS}
    for case in (*edges(), *specials()):
        if case.limit is not None:
            assert set(case.limit.hosts.split(", ")) <= doors
    for given in ("blank", "a blank cell", "TRUE", "an error inside a range", "Currency"):
        assert hosts_blind_to(given)
    assert "excel" not in doors


def test_a_price_cut_to_four_decimals_would_be_seen():
    """Each case of a small price comes to another figure if the price arrives as 0."""
    found = [case for case in edges() if "Currency" in case.shows]
    assert len(found) >= 7
    for case in found:
        cut = [0.0 if a == SMALL else a for a in case.arguments]
        assert cut != list(case.arguments)
        result = called(case.function, cut)
        assert not isinstance(result, float) or abs(result / case.expected - 1) > 1e-6, case.shows


def test_digits_survive_the_file(drawn):
    """Numbers that must come back whole stand in the file to the last digit, beyond 15."""
    sheet = drawn["Hosts"]
    found = [
        row for ws, row in rows(drawn) if ws is sheet and "All digits" in sheet[f"E{row}"].value
    ]
    told = [case for case in specials() if "All digits" in case.shows]
    listed = {sheet[f"E{row}"].value: row for row in found}
    for case in told:
        row = listed[case.shows]
        assert sheet[f"F{row}"].value == sheet[f"{EXPECTED}{row}"].value == case.expected
        assert case.arguments[0] == case.expected
    assert sum(float(f"{case.expected:.15g}") != case.expected for case in told) >= 2


# --- rules of a workbook -------------------------------------------------------------------------


def test_the_sheets_are_declared_and_in_order(drawn):
    """The eight sheets stand in their order; what a test book cannot keep is said on Sources."""
    assert drawn.sheetnames == SHEETS
    told = [cell.value for cell in drawn["Sources"]["A"]]
    for rule in ("No time axis", "One error cell", "Blank cells", "Inputs", "Array block"):
        assert rule in told


def test_formulas_are_short_flat_and_without_literals(drawn):
    """No formula is over 100 characters, nests over three deep or nests IF; few numbers stand."""
    for sheet, cell, text in formulas(drawn):
        assert len(text) <= 100, (sheet, cell.coordinate, text)
        depth: list[str] = []
        for token in Tokenizer(text).items:
            if token.type == "OPERAND" and token.subtype == "NUMBER":
                assert float(token.value) in LITERALS, (sheet, cell.coordinate, text)
            if token.type == "FUNC" and token.subtype == "OPEN":
                assert not (token.value == "IF(" and "IF(" in depth), text
                depth.append(token.value)
                assert len(depth) <= 3, (sheet, cell.coordinate, text)
            elif token.type == "FUNC":
                depth.pop()


def test_no_call_of_ours_holds_a_literal(drawn):
    """Every argument of a function of ours is a reference: no text, number or array constant."""
    calls = 0
    for sheet, cell, text in formulas(drawn):
        ours: list[bool] = []
        for token in Tokenizer(text).items:
            if token.subtype == "OPEN":
                ours.append(token.value.rstrip("(") in FUNCTIONS)
                calls += ours[-1]
            elif token.subtype == "CLOSE":
                ours.pop()
            elif any(ours) and token.type == "OPERAND" and ours[-1]:
                assert token.subtype == "RANGE", (sheet, cell.coordinate, text)
            assert token.type != "ARRAY"
    assert calls == len(edges()) + len(specials()) + 1 + 4


def test_only_known_functions_and_no_forbidden_ones(drawn):
    """Functions are Excel 2010's or ours by plain name; nothing volatile, no links, no columns."""
    forbidden = re.compile(
        r"(?<![A-Z_.])(OFFSET|INDIRECT|NOW|TODAY|RAND|NPV|IRR)\(|\[|_xlfn|\$?[A-Z]+:\$?[A-Z]+(?![0-9])"
    )
    for sheet, cell, text in formulas(drawn):
        assert not forbidden.search(text), (sheet, cell.coordinate, text)
        for token in Tokenizer(text).items:
            if token.type == "FUNC" and token.subtype == "OPEN":
                name = token.value.rstrip("(")
                assert name in FUNCTIONS or name in FORMULAE, text


def test_nothing_hidden_merged_or_unstyled(drawn):
    """No sheet, row or column is hidden, no cells are merged; each filled cell has a named style."""
    for ws in drawn.worksheets:
        assert ws.sheet_state == "visible"
        assert not ws.merged_cells.ranges
        assert not any(d.hidden for d in ws.row_dimensions.values())
        assert not any(d.hidden for d in ws.column_dimensions.values())
        for row in ws.iter_rows():
            for cell in row:
                if cell.value is not None:
                    assert cell.style.startswith("x_"), (ws.title, cell.coordinate)
                    assert cell.number_format != ";;;"


def test_every_sheet_is_framed(drawn):
    """Panes are frozen with the mark inside, landscape, one page wide, titles and footer there."""
    for ws in drawn.worksheets:
        assert ws.page_setup.orientation == "landscape"
        assert ws.page_setup.fitToWidth == 1
        assert ws.print_title_rows
        assert "&P" in ws.oddFooter.right.text
        frozen = int(re.sub(r"\D", "", ws.freeze_panes))
        marks = [
            c for row in ws.iter_rows(max_row=frozen - 1) for c in row if c.value == "=verdict"
        ]
        assert len(marks) == 1, ws.title


def test_every_input_is_validated_and_described(drawn):
    """What looks like an input has a validation with prompt and error; ranges have their source."""
    for ws in drawn.worksheets:
        rules = ws.data_validations.dataValidation
        assert all(rule.prompt and rule.error and rule.promptTitle for rule in rules)
        for row in ws.iter_rows():
            for cell in row:
                if cell.style == "x_input" and cell.value != "Sample":
                    assert any(cell.coordinate in rule.sqref for rule in rules), (
                        ws.title,
                        cell.coordinate,
                    )
    for row in range(6, drawn["Inputs"].max_row + 1):
        if drawn["Inputs"][f"A{row}"].value:
            assert all(drawn["Inputs"][f"{c}{row}"].value for c in "BIJ"), row


def test_defined_names_are_absolute_and_resolve(drawn):
    """Names are of the whole book, absolute, each for cells of its own; none is a function's."""
    functions = {name.casefold() for name in (*FUNCTIONS, *FORMULAE)}
    targets = set()
    for defined in drawn.defined_names.values():
        ((sheet, place),) = defined.destinations
        assert sheet in drawn.sheetnames
        assert re.fullmatch(r"\$[A-Z]+\$[0-9]+(:\$[A-Z]+\$[0-9]+)?", place)
        assert defined.name.casefold() not in functions
        targets.add((sheet, place))
    assert len(targets) == len(drawn.defined_names)


def test_columns_of_cases_hold_one_formula_each(drawn):
    """But for the calls themselves, a column of a sheet of cases holds one formula throughout."""
    for title in ("Result", "Errors named", "Same kind", "Off by", "Allowed", "They gave it"):
        shapes = {
            re.sub(rf"(?<=[A-Z]){row}(?![0-9])", "#", ws[f"{column(title)}{row}"].value)
            for ws, row in rows(drawn)
        }
        assert len(shapes) == 1, title


def test_the_array_formula_stands_over_a_declared_block(drawn, values):
    """One array formula fills a block of fixed size with a header above and room beside it."""
    sheet = drawn["Arrays"]
    arrays = [c for row in sheet.iter_rows() for c in row if isinstance(c.value, ArrayFormula)]
    (corner,) = arrays
    assert corner.value.ref == "A11:B19"
    assert [sheet["A10"].value, sheet["B10"].value] == ["Figure", "Value"]
    assert all(sheet[f"C{row}"].value is None for row in range(11, 20))
    assert all(values["Arrays"][f"B{row}"].value is not None for row in range(11, 20))
    assert all(sheet[f"{c}20"].value is None for c in "AB")


SCRIPT = """
import sys
from pathlib import Path
from xltoken.templates import new
new("self_test", Path(sys.argv[1]))
"""


def test_another_process_makes_the_same_bytes(path, tmp_path):
    """In another folder, time zone and with another hash seed the bytes are the same."""
    target = tmp_path / "another.xlsx"
    environment = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(target)], env=environment, cwd=tmp_path, check=True
    )
    assert target.read_bytes() == path.read_bytes()


# --- the checklist -------------------------------------------------------------------------------

CHECKLIST = Path(__file__).parents[2] / "docs" / "excel-checklist.md"


def test_the_steps_of_the_checklist_are_numbered():
    """Each step has a box and the next number; the report asks for steps that exist."""
    text = CHECKLIST.read_text(encoding="utf-8")
    steps = [int(number) for number in re.findall(r"^\| ☐ \*\*(\d+)\*\* \|", text, re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1))
    assert {int(n) for n in re.findall(r"[Ss]tep (\d+)", text)} <= set(steps)
    assert all(row.count("|") == 5 for row in text.splitlines() if row.startswith("| ☐"))


def test_the_figures_of_the_checklist_are_the_core_s():
    """What the checklist says a formula comes to is what it comes to."""
    text = CHECKLIST.read_text(encoding="utf-8")
    day = dt.date(2026, 1, 1)
    cost = FUNCTIONS["TOKEN_COST"]("B200", day, "gpt-oss-120b/batch")
    assert f"| {cost:.6f} |" in text
    (spread,) = FUNCTIONS["TOKEN_COST_RANGE"]("B200", 24.0, "deepseek-r1/chat")
    assert f"{spread[0]:.4f}, {spread[1]:.4f}, {spread[2]:.3f}" in text
    assert FUNCTIONS["COST_CURVE"](0.11, 12.0, 0.5, None, "exponential") == 0.055
    assert FUNCTIONS["COST_CURVE"](SMALL, 0.0, 0.0) == SMALL
    assert FUNCTIONS["TOKEN_SOURCE"]("B200", "gpt-oss-120b/batch", "date") == day
    assert FUNCTIONS["TOKEN_COST"]("B2000", 0.0, "gpt-oss-120b/batch") == cells.NA
    assert FUNCTIONS["LEVELIZED_COST"](0.1, 0.0, 50.0) == cells.DIV0
    assert [FUNCTIONS["COST_CURVE"](x, 0.0, 0.0) for x in (-1.0, True)] == [cells.NUM, cells.VALUE]
    assert f"the catalog of {store.current().date}" in text


# --- another program -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def soffice():
    """LibreOffice, or a skip."""
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice (soffice) is not installed: the workbook is not shown in it")
    return found


def converted(soffice: str, path: Path, folder: Path, kind: str) -> None:
    """Convert a workbook with a private profile, without recalculation."""
    profile = (folder / "profile").as_uri()
    subprocess.run(
        [soffice, f"-env:UserInstallation={profile}", "--headless", "--norestore",
         "--convert-to", kind, "--outdir", str(folder), str(path)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip


BAD = re.compile(r"###|#N/A(?!\w)|#NAME\?|#REF!|#NUM!|Err:\d")


@pytest.mark.slow
def test_libreoffice_shows_the_saved_values(soffice, path, tmp_path):
    """LibreOffice shows PASS everywhere and no ###; without functions the array alone is lost."""
    every = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
    converted(soffice, path, tmp_path, every)
    texts = {
        p.stem.rpartition("-")[2]: p.read_text(encoding="utf-8") for p in tmp_path.glob("*.csv")
    }
    assert set(texts) == set(SHEETS)
    for sheet, text in texts.items():
        assert "PASS" in text, sheet
        assert "###" not in text, sheet
        assert text.count("#NAME?") == (19 if sheet == "Arrays" else 0), sheet
        assert not re.search(r"(?<![\w ])FAIL(?![ \w])", text.replace("or FAIL", "")) or sheet in (
            "Checks", "Cover",
        )  # fmt: skip
    assert texts["Functions"].count("PASS") == len(edges()) + 1


@pytest.mark.slow
def test_libreoffice_prints_it(soffice, path, tmp_path):
    """The printed workbook has a Cover of one page that says PASS, and no ### anywhere."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext (poppler-utils) is not installed: the pages are not read")
    converted(soffice, path, tmp_path, "pdf")
    done = subprocess.run(
        [reader, "-layout", str(tmp_path / "self_test.pdf"), "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    pages = done.stdout.split("\f")
    assert "###" not in done.stdout
    assert "PASS" in pages[0]
    assert "Self-test" in pages[0]
    assert 10 <= len(pages) <= 20
