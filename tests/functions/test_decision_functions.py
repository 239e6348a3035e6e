"""BUY_OR_BUILD against NPV_STATIC and NPV_DECLINING of its two sides."""

import pytest
from contract_tools import is_error
from hypothesis import given
from hypothesis import strategies as st

from xltoken import BUY_OR_BUILD, NPV_DECLINING, NPV_STATIC

money = st.floats(0.0, 100.0)
volumes = st.lists(st.floats(0.0, 1e6), min_size=2, max_size=24)


def rows(**given_assumptions):
    """Assumptions as a range."""
    return [[name, value] for name, value in given_assumptions.items()] or None


@given(
    st.floats(-0.3, 1.5), volumes, money, money, st.floats(0.0, 1e6), st.floats(0.0, 0.8),
    st.floats(-0.5, 0.9), st.sampled_from(["end", "mid", "begin"]),
)  # fmt: skip
def test_each_side_is_a_net_present_value(
    rate, volume, api_price, unit_cost, investment, tax, decline, timing
):
    """Buy is a declining cost, build a flat one with its assumptions; npv is build less buy."""
    shared = {"tax_rate": tax, "timing": timing}
    own = {**shared, "residual": investment / 5, "opex_per_month": 7.0, "life_years": 2.0}
    told = rows(**own, price_decline=decline)
    args = (rate, volume, api_price, unit_cost, investment)
    buy, build, npv = (BUY_OR_BUILD(*args, field, told) for field in ("buy", "build", "npv"))
    assert buy == NPV_DECLINING(rate, volume, api_price, decline, None, None, None, rows(**shared))
    assert build == NPV_STATIC(rate, volume, unit_cost, None, investment, rows(**own))
    assert npv == BUY_OR_BUILD(*args, None, told) == build - buy


def test_month_by_hand():
    """Saving 30 USD a month, an investment of 100 is ahead in month 4; dearer, never."""
    assert BUY_OR_BUILD(0, 10, 5, 2, 100, "month") == 4
    assert BUY_OR_BUILD(0, [10] * 4, 5, 2, 100, "month") == 4
    is_error(BUY_OR_BUILD(0, [10] * 3, 5, 2, 100, "month"), "#N/A", "none of the 3 months")
    is_error(BUY_OR_BUILD(0, 10, 2, 5, 0, "month"), "#N/A", "none of the 60 months")
    assert BUY_OR_BUILD(0, [10] * 3, 5, 2, 100) == pytest.approx(-10.0)


def test_sides_by_hand():
    """Each side is the cost of its tokens, negative; building pays its investment on top."""
    asked = (0, [10] * 3, 5, 2, 100)
    assert BUY_OR_BUILD(*asked, "buy") == pytest.approx(-150.0)
    assert BUY_OR_BUILD(*asked, "build") == pytest.approx(-160.0)


def test_a_falling_api_price_delays_building():
    """An API price that falls moves the month out, or away; a path written out says the same."""
    level = BUY_OR_BUILD(0.1, 10, 5, 2, 300, "month")
    falling = BUY_OR_BUILD(0.1, 10, 5, 2, 300, "month", rows(price_decline=0.3))
    assert falling > level
    path = [5 * 0.7 ** (t / 12) for t in range(1, 61)]
    assert BUY_OR_BUILD(0.1, 10, path, 2, 300, "month") == falling


def test_paths_are_taken_as_they_are():
    """Ranges for price and cost are the paths; they must agree in length and be 0 or more."""
    assert BUY_OR_BUILD(0, [1, 1], [5, 4], [2, 3]) == pytest.approx(4.0)
    is_error(BUY_OR_BUILD(0, 1, [5, 4], [2, 3, 4]), "#VALUE!", "api_price 2", "unit_cost 3")
    is_error(BUY_OR_BUILD(0, 1, [5, -4], 2), "#NUM!", "api_price")
    is_error(BUY_OR_BUILD(0, 1, 5, [2, -3]), "#NUM!", "unit_cost")
    told = rows(price_decline=0.1)
    is_error(BUY_OR_BUILD(0, 1, [5, 4], 2, 0, None, told), "#VALUE!", "range for api_price")
