"""LEARNING_CURVE and COST_CURVE_FIT as a cell sees them."""

import math

import pytest
from contract_tools import is_error
from hypothesis import given
from hypothesis import strategies as st

from xltoken import COST_CURVE, COST_CURVE_FIT, LEARNING_CURVE

FIGURES = [
    "shape", "start", "decline", "floor_share", "half_life_months", "factor_per_year", "rmse_log",
    "n",
]  # fmt: skip


def figures(result):
    """The table by name."""
    assert [row[0] for row in result] == FIGURES
    return dict(result)


@given(st.floats(0, 1e6), st.floats(0.1, 1e9), st.floats(-0.5, 0.9), st.floats(0.1, 1e9))
def test_learning_curve_is_its_formula(start, volume, rate, initial):
    """Start times the ratio of volumes to the power log2(1 - rate)."""
    expected = start * (volume / initial) ** math.log2(1 - rate)
    assert LEARNING_CURVE(start, volume, rate, initial) == pytest.approx(expected, rel=1e-9)


def test_learning_curve_of_a_row_of_volumes():
    """A row of doubled volumes takes the same share off at each step."""
    row = LEARNING_CURVE(1, [[1, 2, 4, 8]], 0.25)
    assert row == [[1.0, 0.75, 0.75**2, 0.75**3]]


@pytest.mark.parametrize("shape", ["flat", "exponential", "floor"])
def test_a_fit_is_the_inputs_of_cost_curve(shape):
    """COST_CURVE of the fitted figures gives back the costs that a curve of that shape made."""
    months = [0.0, 4.0, 9.0, 15.0, 30.0]
    costs = COST_CURVE(0.4, [months], 0.6, None, shape, 0.2)[0]
    found = figures(COST_CURVE_FIT(months, costs, shape))
    assert found["shape"] == shape
    assert found["n"] == 5.0
    assert found["rmse_log"] < 1e-9
    share = found["floor_share"] if shape == "floor" else None
    again = COST_CURVE(found["start"], [months], found["decline"], None, shape, share)[0]
    assert again == pytest.approx(costs, rel=1e-6)
    year = COST_CURVE(0.4, 12, 0.6, None, shape, 0.2) / 0.4
    assert found["factor_per_year"] == pytest.approx(year, rel=1e-6)


def test_half_life_is_where_the_cost_is_half():
    """The half life of a fall to 25 % a year is 6 months; with a floor at 40 % it comes later."""
    months = [0, 3, 6, 9, 12]
    plain = figures(COST_CURVE_FIT(months, COST_CURVE(1, [months], 0.75)[0]))
    assert plain["half_life_months"] == pytest.approx(6, rel=1e-9)
    floored = COST_CURVE(1, [months], 0.75, None, "floor", 0.4)[0]
    found = figures(COST_CURVE_FIT(months, floored, "floor"))
    assert found["half_life_months"] == pytest.approx(6 * math.log2(6), rel=1e-6)


@pytest.mark.parametrize(
    ("shape", "costs", "missing"),
    [
        ("exponential", [4, 2, 1], {"floor_share"}),
        ("exponential", [2, 2, 2], {"floor_share", "half_life_months"}),
        ("exponential", [1, 2, 4], {"floor_share", "half_life_months"}),
        ("flat", [4, 2, 1], {"floor_share", "half_life_months"}),
        ("floor", [2, 2, 2], {"half_life_months"}),
        ("floor", [4, 3.2, 3.04], {"half_life_months"}),
    ],
)
def test_what_does_not_apply_is_na(shape, costs, missing):
    """A floor share of another shape, and the half life of what never halves, are #N/A."""
    found = figures(COST_CURVE_FIT([0, 1, 2], costs, shape))
    assert {name for name, value in found.items() if value == "#N/A"} == missing


def test_a_scalar_cost_stands_for_every_month():
    """One cost for several months is flat; one month for several costs is no curve."""
    found = figures(COST_CURVE_FIT([1, 2, 3], 0.5))
    assert (found["start"], found["decline"], found["n"]) == (0.5, 0.0, 3.0)
    is_error(COST_CURVE_FIT(1, [1, 2, 3]), "#NUM!", "different months")
    is_error(COST_CURVE_FIT(1, 2), "#NUM!", "different months")


def test_errors_say_what_to_do():
    """Costs of 0, lengths that differ, too few months and unknown shapes are told apart."""
    is_error(COST_CURVE_FIT([0, 1], [1, 0]), "#NUM!", "above 0")
    is_error(COST_CURVE_FIT([0, 1, 2], [1, 2]), "#VALUE!", "months 3", "costs 2")
    is_error(COST_CURVE_FIT([0, 1], [2, 1], "floor"), "#NUM!", "3 different months")
    is_error(COST_CURVE_FIT([0, 1], [2, 1], "linear"), "#N/A", "exponential, flat, floor")
    is_error(LEARNING_CURVE(1, 0, 0.2), "#NUM!", "cumulative_volume")
