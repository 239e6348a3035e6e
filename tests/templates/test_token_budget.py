"""The budget template: right figures, checks that bite, and the rules of WORKBOOKS.md."""

import datetime as dt
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from budget_tools import (
    MONTHS,
    PERIODS,
    assumptions,
    at,
    changed,
    line,
    opened,
    row_of,
    workload_rows,
)
from openpyxl.formula import Tokenizer
from openpyxl.utils import FORMULAE, column_index_from_string

from xltoken.catalog import store
from xltoken.functions import FUNCTIONS
from xltoken.recalc.workbook import recalculate
from xltoken.templates import new
from xltoken.templates.token_budget import answer

SHEETS = ["Cover", "Inputs", "Calculations", "Outputs", "Checks", "Sources", "Changes"]
LITERALS = {0.0, 1.0, 2.0, 12.0, 100.0, 365.0, 1000.0, 1e6}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A budget, made once."""
    target = tmp_path_factory.mktemp("budget") / "budget.xlsx"
    new("token_budget", target)
    return target


@pytest.fixture(scope="module")
def values(path):
    """The budget's saved values."""
    return opened(path)


@pytest.fixture(scope="module")
def drawn(path):
    """The budget's formulas."""
    return openpyxl.load_workbook(path)


def formulas(book):
    """Sheet, cell and text of every formula."""
    return [
        (ws.title, cell, cell.value)
        for ws in book.worksheets
        for row in ws.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def unit_cost_rows(book) -> list[int]:
    """Rows of Calculations that call TOKEN_COST."""
    return [c.row for c in book["Calculations"]["E"] if "TOKEN_COST(" in str(c.value)]


def relative_error(one, other) -> float:
    """Relative difference of two numbers."""
    return abs(one - other) / max(abs(one), abs(other), 1e-300)


# --- figures -------------------------------------------------------------------------------------


def test_every_formula_has_a_value_and_no_error(drawn, values):
    """Every formula cell holds a saved value, and none of them is an error."""
    found = formulas(drawn)
    assert len(found) > 1000
    for sheet, cell, _ in found:
        value = values[sheet][cell.coordinate].value
        assert value is not None, (sheet, cell.coordinate)
        assert not str(value).startswith("#"), (sheet, cell.coordinate, value)


def test_every_unit_cost_is_the_direct_call_s(drawn, values):
    """Each TOKEN_COST cell equals a direct call with the inputs that stand in the workbook."""
    given = assumptions(values)
    rows = unit_cost_rows(drawn)
    assert len(rows) == len(workload_rows(values)) == 3
    for row, source in zip(rows, workload_rows(values), strict=True):
        workload = values["Inputs"][f"B{source}"].value
        platform = values["Inputs"][f"C{source}"].value
        for letter in PERIODS:
            month = values["Calculations"][f"{letter}7"].value.date()
            direct = FUNCTIONS["TOKEN_COST"](platform, month, workload, given)
            cell = values["Calculations"][f"{letter}{row}"].value
            assert relative_error(cell, direct) <= 1e-9, (row, letter)


def independent(book, unit_costs):
    """Totals and present values computed anew from inputs and unit costs."""
    inputs = book["Inputs"]
    rows = workload_rows(book)
    t = np.arange(1, MONTHS + 1)
    first = np.array([inputs[f"D{r}"].value for r in rows], dtype=float)[:, None]
    growth = np.array([inputs[f"E{r}"].value for r in rows], dtype=float)[:, None]
    volumes = first * (1 + growth) ** ((t - 1) / 12)
    costs = np.array(unit_costs)
    shift = {"end": 0.0, "mid": 0.5, "begin": 1.0}[at(book, "timing")]
    factors = (1 + at(book, "discount_rate")) ** (-(t - shift) / 12)
    declining, flat = volumes * costs, volumes * costs[:, :1]
    return {
        "cost_declining": declining.sum(),
        "cost_flat": flat.sum(),
        "cost_difference": flat.sum() - declining.sum(),
        "value_declining": -(declining * factors).sum(),
        "value_flat": -(flat * factors).sum(),
        "value_difference": (flat * factors).sum() - (declining * factors).sum(),
    }


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("timing=mid",),
        ("timing=begin",),
        ("discount_rate=0",),
        ("discount_rate=-2%", "start=2027-03-01", "overhead=0.2"),
        ("tokens_counted=total", "rate_basis=rental_3yr"),
        ("scenario=vendor", "software_gain_per_month=0.02", "rate_decline=10%"),
    ],
    ids=lambda s: ",".join(s) or "as made",
)
def test_totals_are_those_of_independent_arithmetic(path, drawn, tmp_path, settings):
    """Totals and present values equal those that numpy computes from inputs and unit costs."""
    book, _ = changed(path, tmp_path / "o.xlsx", *settings)
    expected = independent(book, [line(book, row) for row in unit_cost_rows(drawn)])
    for name, value in expected.items():
        assert relative_error(at(book, name), value) <= 1e-9, name
    assert at(book, "all_checks") == 1


def test_the_answer_is_what_the_names_hold(path, values):
    """The answer that the command line prints is what stands under the defined names."""
    found = answer(path)
    for key, name in (
        ("cost_declining", "cost_declining"), ("cost_flat", "cost_flat"),
        ("npv_declining", "value_declining"), ("npv_flat", "value_flat"),
        ("npv_difference", "value_difference"),
    ):  # fmt: skip
        assert found[key] == at(values, name)
    assert found["checks"] == "OK"
    assert len(found["evidence"]) == 2 * len(workload_rows(values))
    for entry in found["evidence"]:
        assert dt.date.fromisoformat(entry["month"]) > dt.date(2020, 1, 1)
        assert dt.date.fromisoformat(entry["date"]) <= store.current().date
        assert entry["url"].startswith("http")
        assert entry["citation"]
    assert found["cost_flat"] > found["cost_declining"] > 0 > found["npv_declining"]


def test_the_answer_says_when_a_check_fails(drawn, tmp_path):
    """The answer of a workbook whose checks fail says CHECK."""
    changed_name(drawn, tmp_path / "o.xlsx", "stamped_fingerprint", "another")
    assert answer(tmp_path / "o.xlsx")["checks"] == "CHECK"


def test_costs_are_inverse_to_utilization(path, values, tmp_path):
    """At a utilization of 0.4 every unit cost, total and value is 0.5/0.4 of that at 0.5."""
    assert at(values, "utilization") == 0.5
    book, report = changed(path, tmp_path / "o.xlsx", "utilization=0.4")
    for name in ("cost_declining", "cost_flat", "cost_difference", "value_declining", "value_flat"):
        assert relative_error(at(book, name), at(values, name) * 0.5 / 0.4) <= 1e-12
    for row in unit_cost_rows(openpyxl.load_workbook(path)):
        assert np.allclose(line(book, row), np.array(line(values, row)) * 1.25, rtol=1e-12, atol=0)
    assert report.summary["refused"] == report.summary["drift"] == 0


def test_the_conservative_scenario_is_flat_from_the_catalog_s_date(path, drawn, tmp_path):
    """Without software gains each workload's cost is the same in every month from the catalog on."""
    book, _ = changed(path, tmp_path / "o.xlsx", "scenario=conservative")
    for row in unit_cost_rows(drawn):
        costs = np.array(line(book, row))
        months = [book["Calculations"][f"{letter}7"].value.date() for letter in PERIODS]
        known = costs[[month >= store.current().date for month in months]]
        assert len(known) >= MONTHS - 1
        assert np.ptp(known) <= 1e-12 * known[0]
    assert at(book, "all_checks") == 1


def test_waiting_never_raises_a_cost(drawn, values):
    """In the base scenario no unit cost rises from one month to the next."""
    for row in unit_cost_rows(drawn):
        costs = np.array(line(values, row))
        assert np.all(np.diff(costs) <= 1e-15)
        assert costs[-1] < costs[0]


def test_a_setting_equals_a_workbook_drawn_with_that_input(path, tmp_path):
    """Recalculating with an input equals writing it with openpyxl and computing all anew."""
    book, _ = changed(path, tmp_path / "set.xlsx", "utilization=0.4", "timing=mid")
    fresh = openpyxl.load_workbook(path)
    for name, value in (("utilization", 0.4), ("timing", "mid")):
        sheet, place = next(iter(fresh.defined_names[name].destinations))
        fresh[sheet][place.replace("$", "")].value = value
    fresh.save(tmp_path / "fresh.xlsx")
    report = recalculate(tmp_path / "fresh.xlsx")
    assert report.summary["unjudged"] == report.summary["formulas"]
    anew = opened(tmp_path / "fresh.xlsx")
    for sheet, cell, _ in formulas(fresh):
        one, other = (b[sheet][cell.coordinate].value for b in (book, anew))
        if isinstance(one, float):
            assert relative_error(one, other) <= 1e-9, (sheet, cell.coordinate)
        else:
            assert one == other, (sheet, cell.coordinate)


def test_recalculating_changes_nothing(path, tmp_path):
    """The values that the template was made with are right: a recalculation changes no byte."""
    report = recalculate(path, tmp_path / "o.xlsx")
    assert (tmp_path / "o.xlsx").read_bytes() == path.read_bytes()
    assert report.cells == []
    assert report.summary["right"] == report.summary["judged"] > 1000


# --- checks that bite ----------------------------------------------------------------------------


def changed_cell(book, target: Path, sheet: str, place: str, value) -> dict:
    """Saved values after one cell was overwritten through openpyxl and all was computed anew."""
    cell = book[sheet][place]
    before, cell.value = cell.value, value
    try:
        book.save(target)
    finally:
        cell.value = before
    return recalculate(target).values


def changed_name(book, target: Path, name: str, value) -> dict:
    """The same for the cell of a defined name."""
    sheet, place = next(iter(book.defined_names[name].destinations))
    return changed_cell(book, target, sheet, place.replace("$", ""), value)


ALL_CHECKS, COVER_MARK, INPUTS_MARK = ("Checks", 23, 5), ("Cover", 3, 2), ("Inputs", 3, 4)


FAULTS = (
    ("discount factor", "Calculations", "J9", 1.1),
    ("present value by function, declining", "Calculations", "D40", 1.1),
    ("present value by function, flat", "Calculations", "D46", 1.1),
    ("present value of a month, declining", "Calculations", "J36", 1.1),
    ("present value of a month, flat", "Calculations", "J37", 1.1),
    ("cost of a workload and month", "Calculations", "J25", 1.1),
    ("flat cost of a workload and month", "Calculations", "J30", 1.1),
    ("total of a month, declining", "Calculations", "J27", 1.1),
    ("total of a month, flat", "Calculations", "J32", 1.1),
    ("total, declining", "Calculations", "D27", 1.1),
    ("total, flat", "Calculations", "D32", 1.1),
    ("difference", "Calculations", "D34", 1.1),
    ("difference of a month", "Calculations", "J34", 1.1),
    ("year of the total, declining", "Outputs", "D10", 1.1),
    ("year of the total, flat", "Outputs", "E11", 1.1),
    ("cost by workload", "Outputs", "F17", 1.1),
    ("flat cost by workload", "Outputs", "G18", 1.1),
    ("month number", "Calculations", "J5", 1.2),
    ("year number", "Calculations", "J6", 9.0),
    ("first month", "Calculations", "E7", 1.01),
    ("one side of a check", "Checks", "B6", 1.001),
)


@pytest.mark.parametrize(("what", "sheet", "place", "factor"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_seeded_fault_turns_the_master_check_off(
    drawn, values, tmp_path, what, sheet, place, factor
):
    """A formula overwritten by a wrong number turns the master check of every sheet off."""
    value = values[sheet][place].value
    if isinstance(value, dt.datetime):
        value = (value - dt.datetime(1899, 12, 30)).days
    found = changed_cell(drawn, tmp_path / "o.xlsx", sheet, place, value * factor)
    assert found[ALL_CHECKS] == 0
    assert found[COVER_MARK] == found[INPUTS_MARK] == "CHECK"


def test_an_unknown_platform_turns_the_master_check_off(path, tmp_path):
    """An input that makes costs errors turns the master check off instead of making it an error."""
    book, _ = changed(path, tmp_path / "o.xlsx", "Inputs!C20=Nonesuch 9000")
    assert at(book, "all_checks") == 0
    assert book["Cover"]["B3"].value == "CHECK"
    assert at(book, "cost_declining") == "#N/A"


def test_another_catalog_turns_the_master_check_off(drawn, tmp_path):
    """A fingerprint other than the one of the making turns the master check off."""
    found = changed_name(drawn, tmp_path / "o.xlsx", "stamped_fingerprint", "0000")
    assert found[ALL_CHECKS] == 0


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_inputs_a_little_off_leave_the_master_check_on(path, values, tmp_path, factor):
    """Each continuous input moved by 5 %, alone and all together, leaves the checks green."""
    single = {"utilization", "overhead", "rate_decline", "discount_rate", "software_gain_per_month"}
    basis = {"overhead": 0.1, "rate_decline": 0.2, "software_gain_per_month": 0.01}
    settings = [f"{n}={(at(values, n) or basis[n]) * factor!r}" for n in sorted(single)]
    for row in workload_rows(values):
        for column in "DE":
            value = values["Inputs"][f"{column}{row}"].value
            settings.append(f"Inputs!{column}{row}={value * factor!r}")
    for chosen in [*([s] for s in settings), settings]:
        report = recalculate(path, tmp_path / "o.xlsx", chosen)
        assert report.values[ALL_CHECKS] == 1, chosen
    assert at(opened(tmp_path / "o.xlsx"), "all_checks") == 1


# --- rules of WORKBOOKS.md -----------------------------------------------------------------------


def test_the_sheets_are_declared_and_in_order(drawn):
    """W1: the seven sheets stand in their order."""
    assert drawn.sheetnames == SHEETS


def test_functions_stand_under_their_plain_names(drawn):
    """Functions carry no prefix but _xlfn., and ours are called by their plain names."""
    ours = 0
    for sheet, cell, text in formulas(drawn):
        for found in re.findall(r"([A-Za-z_\[\]!.'0-9]*)\(", text):
            name = found.rsplit("!", 1)[-1] if "]" not in found else found
            if not name:
                continue
            assert name in FUNCTIONS or name in FORMULAE, (sheet, cell.coordinate, found)
            ours += name in FUNCTIONS
    assert ours >= 3 * MONTHS


def arguments(text: str, function: str) -> list[list[str]]:
    """Arguments of each call of a function, as written (calls without nested brackets)."""
    return [call.split(",") for call in re.findall(rf"{function}\(([^()]*)\)", text)]


@pytest.mark.parametrize("function", ["TOKEN_COST", "TOKEN_SOURCE", "XLTOKEN_INFO"])
def test_keys_are_references(drawn, function):
    """W5: platforms, workloads, fields and months stand in cells, not in formulas."""
    reference = re.compile(r"(?:[A-Za-z]+!)?\$?[A-Z]+\$?[0-9]+|assumptions")
    calls = [call for _, _, text in formulas(drawn) for call in arguments(text, function)]
    assert calls
    for call in calls:
        assert all(reference.fullmatch(argument) for argument in call), call


def test_no_call_of_ours_holds_a_text_or_an_array(drawn):
    """W5: no text literal and no array constant is an argument of a function of ours."""
    for sheet, cell, text in formulas(drawn):
        depth: list[bool] = []
        for token in Tokenizer(text).items:
            if token.subtype == "OPEN":
                depth.append(token.value.rstrip("(") in FUNCTIONS)
            elif token.subtype == "CLOSE":
                depth.pop()
            elif any(depth):
                assert token.subtype != "TEXT", (sheet, cell.coordinate)
                assert token.type != "ARRAY", (sheet, cell.coordinate)


def test_no_literals_but_the_allowed(drawn):
    """W5: formulas hold no number but 0, 1, -1, 2, 12, 100, 365, 1000 and 1e6."""
    for sheet, cell, text in formulas(drawn):
        for token in Tokenizer(text).items:
            if token.type == "OPERAND" and token.subtype == "NUMBER":
                assert float(token.value) in LITERALS, (sheet, cell.coordinate, text)


def test_formulas_are_short_and_flat(drawn):
    """W7: no formula is over 100 characters, nests more than three deep, or nests IF."""
    for sheet, cell, text in formulas(drawn):
        assert len(text) <= 100, (sheet, cell.coordinate, text)
        deepest, depth = 0, []
        for token in Tokenizer(text).items:
            if token.type == "FUNC" and token.subtype == "OPEN":
                assert not (token.value == "IF(" and "IF(" in depth), text
                depth.append(token.value)
                deepest = max(deepest, len(depth))
            elif token.type == "FUNC" and token.subtype == "CLOSE":
                depth.pop()
        assert deepest <= 3, (sheet, cell.coordinate, text)


def test_no_forbidden_functions(drawn):
    """W8, W9: nothing volatile, no whole columns, no links to other files, not Excel's NPV."""
    forbidden = re.compile(
        r"(?<![A-Z_.])(OFFSET|INDIRECT|NOW|TODAY|RAND|RANDBETWEEN|NPV|IRR|XNPV)\(|\[|\$?[A-Z]+:\$?[A-Z]+(?![0-9])"
    )
    for sheet, cell, text in formulas(drawn):
        assert not forbidden.search(text), (sheet, cell.coordinate, text)


def relative(text: str, row: int, column: int) -> str:
    """Formula with its references as distances from its own cell, as R1C1 shows them."""

    def moved(match: re.Match) -> str:
        dollar_c, letters, dollar_r, digits = match.groups()
        r = f"R{digits}" if dollar_r else f"R[{int(digits) - row}]"
        c = column_index_from_string(letters)
        return r + (f"C{c}" if dollar_c else f"C[{c - column}]")

    return re.sub(
        r"(?<![A-Za-z_])(\$?)([A-Z]{1,3})(\$?)([1-9][0-9]*)(?![A-Za-z0-9_(])", moved, text
    )


def test_one_formula_a_row(drawn):
    """W4, W6: on Calculations each row holds one formula in R1C1, the first month number excepted."""
    sheet = drawn["Calculations"]
    rows = [c.row for c in sheet["F"] if c.data_type == "f"]
    assert len(rows) > 15
    exceptions = []
    for row in rows:
        texts = [sheet[f"{letter}{row}"] for letter in PERIODS]
        assert all(cell.data_type == "f" for cell in texts), row
        shapes = [relative(cell.value, cell.row, cell.column) for cell in texts]
        assert len(set(shapes[1:])) == 1, row
        if shapes[0] != shapes[1]:
            exceptions.append((row, texts[0].value))
    assert exceptions == [(5, "=1")]


def test_one_time_axis_from_one_start(values):
    """W3: the months follow each other from the first month of the inputs, first day each."""
    start = at(values, "start").date()
    months = [values["Calculations"][f"{letter}7"].value.date() for letter in PERIODS]
    expected = [
        dt.date(start.year + (start.month - 1 + i) // 12, (start.month - 1 + i) % 12 + 1, 1)
        for i in range(MONTHS)
    ]
    assert months == expected
    assert start > store.current().date


def test_nothing_hidden_and_nothing_merged(drawn):
    """W10, W11: no sheet, row or column is hidden, no number format hides, no cells are merged."""
    for ws in drawn.worksheets:
        assert ws.sheet_state == "visible"
        assert not ws.merged_cells.ranges
        assert not any(d.hidden for d in ws.row_dimensions.values())
        assert not any(d.hidden for d in ws.column_dimensions.values())
        for row in ws.iter_rows():
            for cell in row:
                assert cell.number_format != ";;;"
                white = cell.font.color is not None and cell.font.color.rgb == "00FFFFFF"
                assert not (white and cell.fill.fill_type is None and cell.value is not None)


def test_every_sheet_is_framed(drawn, values):
    """W15, W17: panes frozen with the master check inside, landscape, titles repeated, footer."""
    for ws in drawn.worksheets:
        assert ws.freeze_panes is not None
        assert ws.page_setup.orientation == "landscape"
        assert ws.sheet_properties.pageSetUpPr.fitToPage
        assert ws.page_setup.fitToWidth >= 1
        assert ws.print_title_rows
        assert ws.oddHeader.left.text
        assert "&P" in ws.oddFooter.right.text
        frozen = int(re.sub(r"\D", "", ws.freeze_panes))
        masters = [
            c for row in ws.iter_rows(max_row=frozen - 1) for c in row
            if c.data_type == "f" and "all_checks" in c.value
        ]  # fmt: skip
        assert len(masters) == 1, ws.title
        assert values[ws.title][masters[0].coordinate].value == "OK"


def uncovered(ws) -> list[str]:
    """Input cells without data validation; the sample of the style key is no input."""
    covered = [rule.sqref for rule in ws.data_validations.dataValidation]
    return [
        c.coordinate for row in ws.iter_rows() for c in row
        if c.style == "x_input" and c.value != "Sample"
        and not any(c.coordinate in area for area in covered)
    ]  # fmt: skip


def test_every_input_is_validated_and_described(drawn):
    """W12: each input has data validation with prompt and error, unit, range, source and date."""
    ws = drawn["Inputs"]
    assert uncovered(ws) == []
    for rule in ws.data_validations.dataValidation:
        assert rule.showErrorMessage
        assert rule.showInputMessage
        assert rule.prompt
        assert rule.error
        assert rule.promptTitle
    for row in {c.row for cells in ws.iter_rows() for c in cells if c.style == "x_input"}:
        for column in "ABCFGH":
            assert ws[f"{column}{row}"].value not in (None, ""), (column, row)


def test_inputs_on_the_other_sheets_are_validated_too(drawn):
    """W12: what looks like an input has data validation on every sheet."""
    assert {ws.title: uncovered(ws) for ws in drawn.worksheets if uncovered(ws)} == {}


def test_the_values_that_stand_there_are_allowed(drawn, values):
    """Each input's value as made satisfies its own validation rule."""
    ws = drawn["Inputs"]
    for rule in ws.data_validations.dataValidation:
        (cell,) = [
            c for area in rule.sqref.ranges for row in ws[area.coord : area.coord] for c in row
        ]
        value = values["Inputs"][cell.coordinate].value
        if value is None:
            assert rule.allow_blank, cell.coordinate
        elif rule.type == "list" and rule.formula1.startswith('"'):
            assert value in rule.formula1.strip('"').split(",")
        elif rule.type == "list":
            allowed = [c.value for row in ws[rule.formula1.replace("$", "")] for c in row]
            assert value in allowed
        elif rule.type == "textLength":
            assert float(rule.formula1) <= len(value) <= float(rule.formula2)
        else:
            if isinstance(value, dt.datetime):
                value = (value - dt.datetime(1899, 12, 30)).days
            assert float(rule.formula1) <= value <= float(rule.formula2), cell.coordinate


def costs_of_choices(values) -> dict[tuple[str, str], object]:
    """Cost today for each platform and workload of the lists on Inputs."""
    ws = values["Inputs"]
    head = row_of(values, "Platforms with evidence", sheet="Inputs")
    below = range(head + 1, ws.max_row + 1)
    platforms = [ws[f"A{r}"].value for r in below if ws[f"A{r}"].value]
    workloads = [ws[f"B{r}"].value for r in below if ws[f"B{r}"].value]
    assert len(platforms) >= 4
    assert len(workloads) >= 4
    cost = FUNCTIONS["TOKEN_COST"]
    return {(p, w): cost(p, 0.0, w) for p in platforms for w in workloads}


def test_every_platform_on_the_list_serves_something(values):
    """Each platform of the list serves at least one workload of the list; all else is #N/A."""
    found = costs_of_choices(values)
    assert all(isinstance(cost, float) or cost == "#N/A" for cost in found.values())
    served = {platform for (platform, _), cost in found.items() if cost != "#N/A"}
    assert served == {platform for platform, _ in found}


def test_every_workload_on_the_list_is_served(values):
    """Each workload of the list is served by at least one platform of the list."""
    found = costs_of_choices(values)
    served = {workload for (_, workload), cost in found.items() if cost != "#N/A"}
    assert {workload for _, workload in found} - served == set()


def test_an_input_stands_once(drawn):
    """W13: no defined name and no assumption is given twice, and each has one cell or range."""
    names = [row[0].value for row in drawn["Inputs"]["B6:B14"]]
    assert len(set(names)) == len(names) == 9
    targets = [d.attr_text for d in drawn.defined_names.values()]
    assert len(set(targets)) == len(targets)


def test_defined_names_are_absolute_and_resolve(drawn):
    """W21: names are of the whole book, absolute, and lead to cells that exist."""
    assert not any(ws.defined_names for ws in drawn.worksheets)
    for defined in drawn.defined_names.values():
        ((sheet, place),) = defined.destinations
        assert sheet in drawn.sheetnames
        assert re.fullmatch(r"\$[A-Z]+\$[0-9]+(:\$[A-Z]+\$[0-9]+)?", place)
        cells = drawn[sheet][place.replace("$", "")]
        first = cells if not isinstance(cells, tuple) else cells[0][0]
        assert isinstance(cells, tuple) or first.value is not None or defined.name in (
            "rate_basis", "software_gain_per_month",
        )  # fmt: skip


def test_no_name_is_that_of_a_function(drawn):
    """No defined name is, in whatever case, the name of a function of ours or of Excel's."""
    functions = {name.casefold() for name in (*FUNCTIONS, *FORMULAE)}
    assert not {name for name in drawn.defined_names if name.casefold() in functions}


def test_named_styles_are_used(drawn):
    """W14: every filled cell has one of the template's named styles, in a named font."""
    for ws in drawn.worksheets:
        for row in ws.iter_rows():
            for cell in row:
                if cell.value is not None:
                    assert cell.style.startswith("x_"), (ws.title, cell.coordinate)
                    assert cell.font.name == "Calibri"


def test_charts_have_titles_and_axes(path):
    """W27: each chart has a title, axis titles, and axes that are not deleted."""
    charts = [chart for ws in openpyxl.load_workbook(path).worksheets for chart in ws._charts]
    assert len(charts) == 2
    for chart in charts:
        for titled in (chart, chart.x_axis, chart.y_axis):
            text = "".join(r.t for p in titled.title.tx.rich.p for r in p.r or [])
            assert text
        assert not chart.x_axis.delete
        assert not chart.y_axis.delete


def test_the_checks_sheet_shows_both_sides(values):
    """W15: each check shows both sides within its tolerance, and whether it passes."""
    ws = values["Checks"]
    rows = [r for r in range(6, 15) if ws[f"E{r}"].value is not None]
    assert len(rows) == 9
    for row in rows:
        one, other, tolerance = (ws[f"{c}{row}"].value for c in "BCD")
        if not isinstance(one, dt.datetime):
            assert math.isclose(one, other, abs_tol=tolerance)
        assert ws[f"E{row}"].value == 1
        assert ws[f"A{row}"].value


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
    command = [
        soffice,
        f"-env:UserInstallation={profile}",
        "--headless",
        "--norestore",
        "--convert-to",
    ]
    subprocess.run(
        [*command, kind, "--outdir", str(folder), str(path)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip


BAD = re.compile(r"###|#N/A|#NAME\?|#VALUE!|#REF!|#DIV/0!|#NUM!|Err:\d")


@pytest.mark.slow
def test_libreoffice_shows_it_without_errors(soffice, path, tmp_path):
    """LibreOffice shows every sheet with its saved values: no error text and no ### anywhere."""
    every = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
    converted(soffice, path, tmp_path, every)
    texts = {
        p.stem.rpartition("-")[2]: p.read_text(encoding="utf-8") for p in tmp_path.glob("*.csv")
    }
    assert set(texts) == set(SHEETS)
    for sheet, text in texts.items():
        assert not BAD.search(text), (sheet, BAD.search(text))
        assert "OK" in text
    assert f"{at(opened(path), 'cost_declining'):,.0f}" in texts["Cover"]


@pytest.mark.slow
def test_libreoffice_prints_it_without_errors(soffice, path, tmp_path):
    """The printed workbook has text on its pages, no error text and no ###."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext (poppler-utils) is not installed: the pages are not read")
    converted(soffice, path, tmp_path, "pdf")
    done = subprocess.run(
        [reader, "-layout", str(tmp_path / "budget.pdf"), "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert not BAD.search(done.stdout)
    assert "Token budget" in done.stdout
    assert 7 <= done.stdout.count("\f") <= 30
