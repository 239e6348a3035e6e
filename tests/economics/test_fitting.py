import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xltoken.economics.curves import Curve
from xltoken.economics.domain import DomainError
from xltoken.economics.fitting import Fit, fit

STARTS = st.floats(1e-6, 1e6)
MONTHS = st.lists(st.integers(-24, 120), min_size=2, max_size=30, unique=True).map(
    lambda months: np.array(months, dtype=float)
)
NOISE = st.lists(st.floats(-0.3, 0.3), min_size=30, max_size=30).map(np.array)


def seen(curve: Curve, months: np.ndarray) -> np.ndarray:
    """Costs exactly on a curve."""
    return np.array([curve.value(month) for month in months])


def squares(curve: Curve, months: np.ndarray, costs: np.ndarray) -> float:
    """Sum of squared distances in logarithms, the long way."""
    return float(np.sum(np.log(costs / seen(curve, months)) ** 2))


# --- what is known is found ----------------------------------------------------------------------


@given(MONTHS, STARTS, st.floats(-0.9, 0.99))
def test_an_exponential_curve_is_recovered(
    months: np.ndarray, start: float, decline: float
) -> None:
    """Costs made from a start and a decline give them back, with no distance left."""
    found = fit(months, seen(Curve(start, decline), months))
    # A path known over few months says less of the year.
    slack = 1e-12 * (1 + 12 / np.ptp(months)) * (1 + np.abs(months).max())
    assert found.curve.start == pytest.approx(start, rel=1e-9 + slack)
    assert 1 - found.curve.decline == pytest.approx(1 - decline, rel=1e-9 + slack)
    assert found.rmse_log < 1e-12
    assert found.n == len(months)


@pytest.mark.parametrize("decline", [0.05, 0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize(
    "months", [range(0, 37, 3), range(60), (-6, -1, 0, 5, 7, 20, 48), (0, 12, 36)], ids=str
)
def test_a_curve_with_a_floor_is_recovered(
    decline: float, share: float, months: tuple[int, ...]
) -> None:
    """Costs made from start, decline and floor share give them back."""
    at = np.array(list(months), dtype=float)
    found = fit(at, seen(Curve(0.11, decline, shape="floor", floor_share=share), at), "floor")
    assert found.rmse_log < 1e-8
    assert found.curve.start == pytest.approx(0.11, rel=1e-4)
    assert found.curve.decline == pytest.approx(decline, rel=2e-3)
    assert found.curve.floor_share == pytest.approx(share, abs=2e-3)


def test_a_floor_share_of_0_is_exactly_0() -> None:
    """A curve without a floor is not given one by rounding."""
    months = np.arange(0.0, 37, 3)
    found = fit(months, seen(Curve(0.4, 0.7), months), "floor").curve
    assert found.floor_share == 0.0
    assert found.decline == pytest.approx(0.7, rel=1e-12)


@pytest.mark.parametrize("shape", ["flat", "exponential", "floor"])
@given(st.integers(3, 20), STARTS)
def test_a_flat_path_is_flat(shape: str, n: int, cost: float) -> None:
    """Equal costs have a decline of exactly 0 in every shape, and never halve."""
    found = fit(np.arange(n, dtype=float), np.full(n, cost), shape)
    assert found.curve.start == pytest.approx(cost, rel=1e-14)
    assert found.curve.decline == 0.0
    assert found.curve.half_life_months() == math.inf
    assert found.rmse_log == 0.0
    assert found.curve.floor_share == (1.0 if shape == "floor" else None)


# --- what is found is best -----------------------------------------------------------------------


@given(MONTHS, NOISE, st.floats(-0.5, 0.9))
def test_exponential_is_the_least_squares_line(
    months: np.ndarray, noise: np.ndarray, decline: float
) -> None:
    """The fit is numpy's straight line through the logarithms, and rmse_log its distance."""
    costs = seen(Curve(2.0, decline), months) * np.exp(noise[: len(months)])
    found = fit(months, costs)
    slope, level = np.polyfit(months, np.log(costs), 1)
    distance = np.log(costs) - level - slope * months
    assert found.curve.start == pytest.approx(math.exp(level), rel=1e-8)
    assert 1 - found.curve.decline == pytest.approx(math.exp(12 * slope), rel=1e-7)
    assert found.rmse_log == pytest.approx(math.sqrt(np.mean(distance**2)), abs=1e-9)


@given(MONTHS, NOISE)
def test_flat_is_the_geometric_mean(months: np.ndarray, noise: np.ndarray) -> None:
    """The best flat curve in logarithms is the geometric mean."""
    costs = np.exp(noise[: len(months)])
    found = fit(months, costs, "flat")
    assert found.curve == Curve(found.curve.start, shape="flat")
    assert found.curve.start == pytest.approx(math.exp(noise[: len(months)].mean()), rel=1e-12)


@given(NOISE, st.floats(0.1, 0.95), st.floats(0, 0.6))
def test_floor_is_at_least_as_near_as_the_others_and_its_neighbours(
    noise: np.ndarray, decline: float, share: float
) -> None:
    """No flat or falling curve, and no curve of a fine grid, lies nearer to noisy costs."""
    months = np.arange(0.0, 60, 2)
    truth = Curve(1.0, decline, shape="floor", floor_share=share)
    costs = seen(truth, months) * np.exp(noise / 3)
    found = found_or_none(months, costs, "floor")
    assume(found is not None)
    reached = found.rmse_log**2 * len(months)
    assert reached == pytest.approx(squares(found.curve, months, costs), rel=1e-6, abs=1e-12)
    assert reached <= squares(truth, months, costs) + 1e-9
    for other in ("flat", "exponential"):
        plain = fit(months, costs, other)
        if plain.curve.decline >= 0:
            assert found.rmse_log <= plain.rmse_log + 1e-9
    for factor, fall, part in itertools.product((0.97, 1.0, 1.03), range(1, 10, 2), range(0, 8, 2)):
        near = Curve(found.curve.start * factor, fall / 10, shape="floor", floor_share=part / 10)
        assert reached <= squares(near, months, costs) + 1e-9


@given(MONTHS, NOISE, st.sampled_from(["flat", "exponential", "floor"]), st.randoms())
def test_order_and_unit_do_not_count(months: np.ndarray, noise, shape: str, random) -> None:
    """Shuffled rows give the same curve; costs in another unit give it in that unit."""
    assume(len(months) >= 3)
    costs = np.exp(noise[: len(months)] - months / 40)
    order = list(range(len(months)))
    random.shuffle(order)
    found = found_or_none(months, costs, shape)
    for other, unit in (
        (found_or_none(months[order], costs[order], shape), 1.0),
        (found_or_none(months, costs * 1000, shape), 1000.0),
    ):
        assert (found is None) == (other is None)
        if found is not None and other is not None:
            assert other.rmse_log == pytest.approx(found.rmse_log, rel=1e-4, abs=1e-9)
            ends = (float(months.min()), float(months.max()))
            for month in ends:
                expected = found.curve.value(month) * unit
                assert other.curve.value(month) == pytest.approx(expected, rel=1e-3)


def found_or_none(months: np.ndarray, costs: np.ndarray, shape: str) -> Fit | None:
    """Fit, or nothing where the costs do not determine one."""
    try:
        return fit(months, costs, shape)
    except DomainError:
        return None


def test_rising_costs_have_no_floor() -> None:
    """A floor is fallen to: shape floor on rising costs is flat, shape exponential rises."""
    months = np.arange(5.0)
    costs = 1.1**months
    assert fit(months, costs).curve.decline < 0
    flat = fit(months, costs, "floor").curve
    assert (flat.decline, flat.floor_share) == (0.0, 1.0)
    assert flat.start == pytest.approx(1.1**2, rel=1e-12)


# --- what cannot be fitted -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("months", "costs", "shape", "message"),
    [
        ([0, 1], [1, 2], "linear", "shape is one of"),
        ([0, 1, 2], [1, 2], "flat", "they have 3 and 2"),
        ([0, math.nan], [1, 2], "flat", "every month must be a finite number"),
        ([0, 1], [1, 0], "flat", "every cost must be above 0"),
        ([0, 1], [1, -1], "exponential", "every cost must be above 0"),
        ([0, 1], [1, math.inf], "exponential", "every cost must be above 0"),
        ([], [], "exponential", "needs 2 different months or more; there are 0"),
        ([3, 3, 3], [1, 2, 3], "exponential", "needs 2 different months or more; there are 1"),
        ([3, 3], [1, 2], "flat", "needs 2 different months or more; there are 1"),
        ([0, 3, 3], [1, 2, 3], "floor", "needs 3 different months or more; there are 2"),
        ([-1e308, 1e308], [1, 2], "exponential", "too far apart"),
        ([0, 5e-324], [1, 2], "exponential", "change too fast"),
        ([0, 1], [1e300, 1e-300], "exponential", "change too fast"),
        ([0, 1], [1e-300, 1e300], "exponential", "change too fast"),
        ([46000, 46001], [1, 1.1], "exponential", "month 0 is too far"),
        ([46000, 46001], [1.1, 1], "exponential", "month 0 is too far"),
        ([0, 3, 6, 9], [4, 2, 2, 2], "floor", "before the second month"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    months: list[float], costs: list[float], shape: str, message: str
) -> None:
    """Costs that determine no curve of the shape are refused, and the message says why."""
    with pytest.raises(DomainError, match=message):
        fit(np.array(months, dtype=float), np.array(costs, dtype=float), shape)


def test_costs_at_the_ends_of_the_numbers() -> None:
    """Logarithms reach where costs themselves would overflow."""
    found = fit(np.array([0.0, 1200.0]), np.array([1e300, 1e-300]))
    assert found.curve.value(600) == pytest.approx(1.0, rel=1e-6)
