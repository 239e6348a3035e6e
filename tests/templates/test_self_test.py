"""The self-test workbook: every function in it, with right figures."""

import datetime as dt
import math
import re

import pytest
from openpyxl.formula import Tokenizer
from openpyxl.worksheet.formula import ArrayFormula
from self_test_tools import EXPECTED, LIVE, column, rows
from workbook_tools import at, formulas

import xltoken
from xltoken.catalog import store
from xltoken.functions import FUNCTIONS, cells
from xltoken.templates.self_test.case import Look, called, hosts_blind_to
from xltoken.templates.self_test.edges import SMALL, WORKED, edges
from xltoken.templates.self_test.layout import SAVED_BY
from xltoken.templates.self_test.special import specials


@pytest.fixture(scope="module")
def template():
    """The template of this file."""
    return "self_test"


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
        if "ERROR.TYPE(" in text:
            result = cells.ERROR_TYPES[result]
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
        if case.look is Look.ERROR:
            result = called(case.function, case.arguments)
            if case.picked:
                result = result[case.picked[0] - 1][case.picked[1] - 1]
            assert case.shows.endswith(f": {result}")
            assert case.expected == cells.ERROR_TYPES[result]


def test_everything_passes_as_made(values):
    """The file as made says PASS in every case and for all of them, and counts every case."""
    for ws, row in rows(values):
        assert ws[f"B{row}"].value == "PASS", (ws.title, row)
    assert at(values, "verdict") == "PASS"
    assert at(values, "all_checks") == 1
    assert at(values, "cases_counted") == len(edges()) + len(specials()) + 9


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


# --- how its sheets are built --------------------------------------------------------------------


def test_each_case_is_one_call(drawn):
    """Our functions are called once a case, once as an array, and four times about the host."""
    calls = [
        token
        for _, _, text in formulas(drawn)
        for token in Tokenizer(text).items
        if token.subtype == "OPEN" and token.value.rstrip("(") in FUNCTIONS
    ]
    assert len(calls) == len(edges()) + len(specials()) + 1 + 4


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


# --- another program -----------------------------------------------------------------------------


@pytest.mark.slow
def test_libreoffice_shows_no_failure(shown, template):
    """LibreOffice shows PASS for each case, and FAIL only where the sheets speak of it."""
    texts = shown(template)
    for sheet, text in texts.items():
        failing = re.search(r"(?<![\w ])FAIL(?![ \w])", text.replace("or FAIL", ""))
        assert not failing or sheet in ("Checks", "Cover"), sheet
    assert texts["Functions"].count("PASS") == len(edges()) + 1
