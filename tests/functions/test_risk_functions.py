"""NPV_SIMULATION and NPV_TORNADO as a cell sees them."""

import math

import pytest
from contract_tools import is_error

from xltoken import NPV_DECLINING, NPV_SIMULATION, NPV_TORNADO

ARGUMENTS = (0.10, 1000.0, 0.11, 0.5, 0.25, 1000.0)
FIGURES = ["mean", "sd", "p5", "p10", "p50", "p90", "p95", "chance of loss", "paths"]
DRIVERS = [
    "discount_rate", "volumes", "unit_cost", "decline", "price", "investment", "price_decline",
    "opex_per_month", "tax_rate", "residual",
]  # fmt: skip


def simulation(*arguments, **told):
    """The table of a simulation by name."""
    result = NPV_SIMULATION(*arguments, [[name, value] for name, value in told.items()] or None)
    assert [row[0] for row in result] == FIGURES
    return dict(result)


@pytest.mark.parametrize(
    "told", [{}, {"tax_rate": 0.3, "residual": 200.0, "opex_per_month": 20.0, "timing": "mid"}]
)
def test_the_mean_is_npv_declining(told):
    """The mean is NPV_DECLINING within 3 standard errors, before tax and after."""
    found = simulation(*ARGUMENTS, **told)
    expected = NPV_DECLINING(*ARGUMENTS, None, [[n, v] for n, v in told.items()] or None)
    assert found["paths"] == 8192.0
    assert abs(found["mean"] - expected) <= 3 * found["sd"] / math.sqrt(8192)
    percentiles = [found[name] for name in FIGURES[2:7]]
    assert percentiles == sorted(percentiles)


def test_without_spreads_it_is_npv_declining():
    """All sd 0: NPV_DECLINING everywhere, sd 0."""
    none = {"cost_decline_sd": 0.0, "price_decline_sd": 0.0, "volume_sd": 0.0}
    found = simulation(*ARGUMENTS, **none)
    expected = NPV_DECLINING(*ARGUMENTS)
    assert {found[name] for name in ("mean", "p5", "p10", "p50", "p90", "p95")} == {expected}
    assert (found["sd"], found["chance of loss"]) == (0.0, 0.0)
    loss = simulation(0.1, 1000.0, 0.11, 0.5, 0.0, 0.0, **none)
    assert loss["chance of loss"] == 1.0


def test_a_wider_spread_is_a_wider_result():
    """Independent uncertainty widens the value; cost and price that move together narrow it."""
    apart = simulation(*ARGUMENTS, correlation=0.0)["sd"]
    for name in ("cost_decline_sd", "price_decline_sd", "volume_sd"):
        assert simulation(*ARGUMENTS, **{name: 0.3}, correlation=0.0)["sd"] > apart
    usual = simulation(*ARGUMENTS)["sd"]
    assert simulation(*ARGUMENTS, correlation=-1.0)["sd"] > usual
    assert simulation(*ARGUMENTS, correlation=1.0)["sd"] < usual


def test_seed_and_paths_are_assumptions():
    """Another seed gives another sample of the same value; any number of paths is taken."""
    one, two = (simulation(*ARGUMENTS, seed=seed) for seed in (1.0, 2.0))
    assert one == simulation(*ARGUMENTS)
    assert one["mean"] != two["mean"]
    assert one["mean"] == pytest.approx(two["mean"], rel=1e-2)
    assert simulation(*ARGUMENTS, paths=777.0)["paths"] == 777.0


def test_spreads_too_wide_for_the_horizon_are_num():
    """600 months at sd 2 cannot show a mean: #NUM! with what to do, never a number."""
    wide = [["horizon_months", 600.0], ["cost_decline_sd", 2.0], ["price_decline_sd", 2.0]]
    result = NPV_SIMULATION(*ARGUMENTS, wide)
    is_error(result, "#NUM!", "too wide", "shorter horizon")


def test_a_path_takes_no_decline():
    """A range for unit_cost is the path itself: decline must be 0, as in NPV_DECLINING."""
    path = [0.11, 0.10, 0.09]
    is_error(NPV_SIMULATION(0.1, 1000, path, 0.5), "#VALUE!", "path itself")
    is_error(NPV_TORNADO(0.1, 1000, path, 0.5), "#VALUE!", "path itself")
    mean = dict(NPV_SIMULATION(0.1, 1000, path, 0))["mean"]
    assert mean == pytest.approx(NPV_DECLINING(0.1, 1000, path), rel=1e-3)


def test_a_tornado_has_a_header_and_ten_drivers():
    """The table has a fixed size, the largest swing first, and NPVs that NPV_DECLINING gives."""
    header, *rows = NPV_TORNADO(*ARGUMENTS)
    assert header == ["driver", "low", "high", "NPV low", "NPV high", "swing"]
    assert sorted(row[0] for row in rows) == sorted(DRIVERS)
    swings = [row[-1] for row in rows]
    assert swings == sorted(swings, reverse=True)
    for name, low, high, npv_low, npv_high, swing in rows:
        assert swing == abs(npv_high - npv_low)
        if name in DRIVERS[:6]:
            place = DRIVERS.index(name)
            for end, npv in ((low, npv_low), (high, npv_high)):
                assert NPV_DECLINING(*ARGUMENTS[:place], end, *ARGUMENTS[place + 1 :]) == npv
    assert rows[0][:3] == ["price", 0.2, 0.3]


def test_a_range_shows_its_factors():
    """A range of a scalar has its NPVs; its ends are shown as factors."""
    flat = (0.1, 1000.0, 0.11, 0.0, 0.25, 1000.0)
    ranged = (0.1, [1000.0] * 60, [0.11] * 60, 0.0, [0.25] * 60, 1000.0)
    one, two = (NPV_TORNADO(*told)[1:] for told in (flat, ranged))
    assert [[row[0], *row[3:]] for row in one] == [[row[0], *row[3:]] for row in two]
    shown = {row[0]: row[1:3] for row in two}
    assert shown["volumes"] == shown["unit_cost"] == shown["price"] == [0.8, 1.2]


def test_a_driver_outside_its_domain_is_named():
    """A decline of 0.9 leaves its domain at 20 % more: #NUM! with the driver and what to do."""
    result = NPV_TORNADO(0.1, 1000, 0.11, 0.9, 0.25)
    is_error(result, "#NUM!", "driver decline at 1.08", "smaller spread")
    assert isinstance(NPV_TORNADO(0.1, 1000, 0.11, 0.9, 0.25, 0, 0.1), list)
    is_error(NPV_TORNADO(*ARGUMENTS, 1.5), "#NUM!", "spread", "between 0 and 1")
