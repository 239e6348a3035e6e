"""COST_CURVE against its closed forms."""

import math

import pytest
from contract_tools import is_error
from hypothesis import given
from hypothesis import strategies as st

from xltoken import COST_CURVE

starts = st.floats(0.0, 1e6)
months = st.floats(-240, 600)
declines = st.floats(-0.9, 0.99)
shares = st.floats(0, 1)


@given(starts, months, declines)
def test_exponential_is_its_closed_form(start, month, decline):
    """Exponential: start (1 - decline) ^ (month / 12)."""
    expected = start * math.exp(month / 12 * math.log1p(-decline))
    assert COST_CURVE(start, month, decline) == pytest.approx(expected, rel=1e-10)


@given(starts, months, declines)
def test_flat_is_start(start, month, decline):
    """Flat: start, at every month and decline."""
    assert COST_CURVE(start, month, decline, None, "flat") == start


@given(starts, months, declines, shares)
def test_floor_is_its_closed_form(start, month, decline, share):
    """Floor: start (share + (1 - share)(1 - decline) ^ (month / 12))."""
    left = math.exp(month / 12 * math.log1p(-decline))
    expected = start * (share + (1 - share) * left)
    result = COST_CURVE(start, month, decline, None, "floor", share)
    assert result == pytest.approx(expected, rel=1e-10)


@given(starts, months, declines, shares)
def test_floor_lies_between_exponential_and_flat(start, month, decline, share):
    """Share 0 is exponential, share 1 flat, and every share between lies between."""
    exponential = COST_CURVE(start, month, decline)
    low, high = sorted((exponential, start))
    between = COST_CURVE(start, month, decline, None, "floor", share)
    assert low * (1 - 1e-12) <= between <= high * (1 + 1e-12)
    assert COST_CURVE(start, month, decline, None, "floor", 0) == exponential
    assert COST_CURVE(start, month, decline, None, "floor", 1) == pytest.approx(start, rel=1e-12)


@given(starts, months, declines, starts, st.sampled_from(["exponential", "flat", "floor"]))
def test_the_floor_in_dollars_is_a_lower_bound(start, month, decline, floor, shape):
    """Whatever the shape, the value is that of the curve or the floor, whichever is more."""
    bare = COST_CURVE(start, month, decline, 0, shape, 0.3)
    assert COST_CURVE(start, month, decline, floor, shape, 0.3) == max(bare, floor)


@given(starts, st.floats(0, 300), st.floats(0, 300), declines)
def test_months_add_up(start, one, two, decline):
    """So many months from the value after some months is the value after them all."""
    in_steps = COST_CURVE(COST_CURVE(start, one, decline), two, decline)
    assert in_steps == pytest.approx(COST_CURVE(start, one + two, decline), rel=1e-9, abs=1e-300)


@given(starts, declines)
def test_a_year_is_exactly_the_annual_fraction(start, decline):
    """Twelve months at a decline leave start (1 - decline), and month 0 start itself."""
    assert COST_CURVE(start, 12, decline) == start * (1 - decline)
    assert COST_CURVE(start, 0, decline) == start


def test_floor_share_is_needed_by_its_shape_only():
    """Shape floor without floor_share is #VALUE!; another shape takes no notice of it."""
    is_error(COST_CURVE(1, 12, 0.5, None, "floor"), "#VALUE!", "floor_share")
    assert COST_CURVE(1, 12, 0.5, None, "exponential", 7) == 0.5
    is_error(COST_CURVE(1, 12, 0.5, None, "floor", 7), "#NUM!", "floor_share")


def test_an_unknown_shape_names_the_shapes():
    """A shape that does not exist is #N/A with those that do."""
    is_error(COST_CURVE(1, 12, 0.5, None, "linear"), "#N/A", "exponential, flat, floor")


def test_a_year_of_months_in_one_formula():
    """A row of months gives the path as a row, falling, with its floor."""
    path = COST_CURVE(0.11, [list(range(37))], 0.5, 0.02)
    assert len(path) == 1
    assert path[0] == [max(0.11 * 0.5 ** (m / 12), 0.02) for m in range(37)]
    assert path[0][-1] == 0.02
