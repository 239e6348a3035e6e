"""Depreciation: the published MACRS percentages, textbook schedules, and what they sum to."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.depreciation import METHODS, charge, schedule
from xltoken.economics.domain import DomainError

# Percent of cost by year. IRS Publication 946, How to Depreciate Property, Appendix A, Table A-1:
# 3-, 5- and 7-year property, half-year convention (https://www.irs.gov/publications/p946).
MACRS_PERCENT = {
    "macrs_3": [33.33, 44.45, 14.81, 7.41],
    "macrs_5": [20.00, 32.00, 19.20, 11.52, 11.52, 5.76],
    "macrs_7": [14.29, 24.49, 17.49, 12.49, 8.93, 8.92, 8.93, 4.46],
}
BOOK_METHODS = [method for method in METHODS if not method.startswith("macrs")]

costs = st.just(0.0) | st.floats(1e-6, 1e9)  # USD; no part of a millionth of a dollar is sought
lives = st.integers(1, 40)  # years
shares = st.floats(0.0, 1.0)  # salvage as a share of cost


@pytest.mark.parametrize("method", sorted(MACRS_PERCENT))
def test_macrs_is_the_published_table(method):
    """MACRS agrees with IRS Publication 946, table A-1, to 0.01 percentage point in every year."""
    published = MACRS_PERCENT[method]
    computed = schedule(100.0, 0.0, 1, method)
    assert len(computed) == len(published)
    assert np.max(np.abs(computed - published)) <= 0.01


@pytest.mark.parametrize("method", sorted(MACRS_PERCENT))
def test_macrs_brings_its_own_life_and_ignores_salvage(method):
    """Neither the life nor the salvage given changes a MACRS schedule."""
    expected = schedule(1_000.0, 0.0, 1, method).tolist()
    assert schedule(1_000.0, 400.0, 12, method).tolist() == expected


@pytest.mark.parametrize(
    ("method", "cost", "salvage", "life_years", "usd"),
    [
        ("straight_line", 1_000.0, 100.0, 4, [225.0] * 4),
        ("straight_line", 1_000.0, 0.0, 1, [1_000.0]),
        ("sum_of_years", 1_600.0, 100.0, 5, [500.0, 400.0, 300.0, 200.0, 100.0]),
        # Stops at salvage: 0.4 x 129.60 would be 51.84.
        ("double_declining", 1_000.0, 100.0, 5, [400.0, 240.0, 144.0, 86.4, 29.6]),
        # Switches to straight line in year 7 (0.2 x 262.144 would be 52.43).
        (
            "double_declining",
            1_000.0,
            0.0,
            10,
            [200.0, 160.0, 128.0, 102.4, 81.92, 65.536, 65.536, 65.536, 65.536, 65.536],
        ),
        ("double_declining", 1_000.0, 100.0, 1, [900.0]),
        ("double_declining", 1_000.0, 700.0, 3, [300.0, 0.0, 0.0]),
    ],
)
def test_schedules_by_hand(method, cost, salvage, life_years, usd):
    """Each method gives the textbook charges in USD a year."""
    assert schedule(cost, salvage, life_years, method) == pytest.approx(usd, rel=1e-12)


def test_depreciation_is_straight_line_unless_told():
    """The default method is straight line."""
    assert schedule(900.0, 0.0, 3).tolist() == [300.0, 300.0, 300.0]


@given(costs, shares, lives, st.sampled_from(METHODS))
def test_schedules_sum_to_cost_less_salvage(cost, share, life_years, method):
    """Charges are 0 or more and sum to cost less salvage, for MACRS to the cost."""
    charges = schedule(cost, cost * share, life_years, method)
    salvage = 0.0 if method.startswith("macrs") else cost * share
    assert np.all(charges >= 0)
    assert charges.sum() == pytest.approx(cost - salvage, rel=1e-12, abs=1e-12 * cost)


@given(costs, shares, lives, st.sampled_from(BOOK_METHODS))
def test_a_schedule_has_one_charge_a_year(cost, share, life_years, method):
    """Outside MACRS there are as many charges as years of life, and none is above the one before."""
    charges = schedule(cost, cost * share, life_years, method)
    assert charges.shape == (life_years,)
    assert np.all(np.diff(charges) <= 1e-12 * cost)


@given(costs, shares, lives, st.sampled_from(["double_declining", "sum_of_years"]))
def test_accelerated_methods_run_ahead_of_straight_line(cost, share, life_years, method):
    """By the end of any year an accelerated method has charged at least what straight line has."""
    straight = np.cumsum(schedule(cost, cost * share, life_years))
    ahead = np.cumsum(schedule(cost, cost * share, life_years, method))
    assert np.all(ahead >= straight - 1e-12 * cost)


@given(costs, st.sampled_from(METHODS), st.floats(0.1, 10.0))
def test_charges_scale_with_the_cost(cost, method, factor):
    """An asset of k times the cost has k times the charges."""
    scaled = schedule(cost * factor, 0.0, 5, method)
    assert scaled == pytest.approx(schedule(cost, 0.0, 5, method) * factor, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cost": -1.0}, "cost of an asset is 0 or more"),
        ({"cost": math.nan}, "cost must be a finite number"),
        ({"salvage": -1.0}, "salvage lies between 0 and the cost"),
        ({"salvage": 1_001.0}, "salvage lies between 0 and the cost"),
        ({"salvage": math.inf}, "salvage must be a finite number"),
        ({"life_years": 0}, "a life is 1 year or more; it is 0"),
        ({"life_years": -5}, "a life is 1 year or more; it is -5"),
        ({"method": "macrs_15"}, "depreciation is one of straight_line.*it is 'macrs_15'"),
    ],
)
def test_schedule_refuses_what_it_is_not_defined_for(arguments, message):
    """Each argument out of its range is a DomainError that says the range."""
    with pytest.raises(DomainError, match=message):
        schedule(**({"cost": 1_000.0, "salvage": 0.0, "life_years": 5} | arguments))


# --- the charge of one year ----------------------------------------------------------------------


@given(costs, shares, lives, st.sampled_from(METHODS))
def test_charges_are_the_schedule(cost, share, life_years, method):
    """The charge of each year is that entry of the schedule."""
    expected = schedule(cost, share * cost, life_years, method).tolist()
    years = range(1, len(expected) + 1)
    assert [charge(cost, share * cost, life_years, year, method) for year in years] == expected


@given(costs, shares, st.lists(st.floats(0.0, 100.0), min_size=1, max_size=10))
def test_units_are_a_share_of_what_is_lost(cost, share, units):
    """Units of production charge (cost - salvage) x share; all units together charge all of it."""
    total = sum(units) or 1.0
    charged = [
        charge(cost, share * cost, len(units), year, "units", made / total)
        for year, made in enumerate(units, 1)
    ]
    lost = (cost - share * cost) * (1.0 if sum(units) else 0.0)
    assert math.fsum(charged) == pytest.approx(lost, rel=1e-9, abs=1e-9 * cost)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"life_years": 0.0}, "whole number of years from 1 to 100; it is 0"),
        ({"life_years": 2.5}, "whole number of years from 1 to 100; it is 2.5"),
        ({"life_years": 101.0}, "whole number of years from 1 to 100; it is 101"),
        ({"year": 0.0}, "year is a whole number from 1 to 5"),
        ({"year": 1.5}, "year is a whole number from 1 to 5"),
        ({"year": 6.0}, "year is a whole number from 1 to 5"),
        ({"year": 7.0, "method": "macrs_5"}, "year is a whole number from 1 to 6"),
        ({"method": "annuity"}, "method is one of straight_line.*units; it is 'annuity'"),
        ({"method": "units"}, "method units needs share.*it is None"),
        ({"method": "units", "share": 1.01}, "between 0 and 1; it is 1.01"),
        ({"method": "units", "share": -0.01}, "between 0 and 1; it is -0.01"),
        ({"salvage": 2_000.0, "method": "units", "share": 0.1}, "salvage lies between"),
        ({"cost": 1e308, "method": "sum_of_years"}, "the charge is beyond every number"),
    ],
)
def test_charge_refuses_what_it_is_not_defined_for(arguments, message):
    """Each argument out of its range is a DomainError that says the range."""
    level = {"cost": 1_000.0, "salvage": 0.0, "life_years": 5.0, "year": 1.0}
    with pytest.raises(DomainError, match=message):
        charge(**(level | arguments))
