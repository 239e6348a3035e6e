"""The budget template: right figures, and checks that bite."""

import datetime as dt
import math

import numpy as np
import openpyxl
import pytest
from budget_tools import (
    MONTHS,
    PERIODS,
    assumptions,
    changed,
    line,
    row_of,
    workload_rows,
)
from workbook_tools import at, formulas, opened, overwritten

from xltoken.catalog import store
from xltoken.functions import FUNCTIONS
from xltoken.recalc.workbook import recalculate
from xltoken.templates.token_budget import answer


@pytest.fixture(scope="module")
def template():
    """The template of this file."""
    return "token_budget"


def unit_cost_rows(book) -> list[int]:
    """Rows of Calculations that call TOKEN_COST."""
    return [c.row for c in book["Calculations"]["E"] if "TOKEN_COST(" in str(c.value)]


def relative_error(one, other) -> float:
    """Relative difference of two numbers."""
    return abs(one - other) / max(abs(one), abs(other), 1e-300)


# --- figures -------------------------------------------------------------------------------------


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
    overwritten(drawn, tmp_path / "o.xlsx", {"stamped_fingerprint": "another"})
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


# --- checks that bite ----------------------------------------------------------------------------


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
    found = overwritten(drawn, tmp_path / "o.xlsx", {(sheet, place): value * factor})
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
    found = overwritten(drawn, tmp_path / "o.xlsx", {"stamped_fingerprint": "0000"})
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


# --- what stands in it ---------------------------------------------------------------------------


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


def test_an_assumption_stands_once(drawn):
    """W13: no assumption is given twice."""
    names = [row[0].value for row in drawn["Inputs"]["B6:B14"]]
    assert len(set(names)) == len(names) == 9


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


@pytest.mark.slow
def test_libreoffice_shows_the_total(shown, values, template):
    """The Cover shows the total cost in LibreOffice as it is saved."""
    assert f"{at(values, 'cost_declining'):,.0f}" in shown(template)["Cover"]
