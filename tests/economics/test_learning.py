import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.domain import DomainError
from xltoken.economics.learning import learning_curve

STARTS = st.floats(1e-6, 1e6)
VOLUMES = st.floats(1e-6, 1e12)
RATES = st.floats(-0.5, 0.9)


@given(STARTS, VOLUMES, RATES, VOLUMES)
def test_wrights_law(start: float, volume: float, rate: float, initial: float) -> None:
    """Start times the ratio of volumes to the power log2(1 - rate)."""
    expected = start * (volume / initial) ** math.log2(1 - rate)
    assert learning_curve(start, volume, rate, initial) == pytest.approx(expected, rel=1e-9)


@given(STARTS, VOLUMES, RATES, st.integers(0, 40))
def test_doublings_are_exact(start: float, initial: float, rate: float, doublings: int) -> None:
    """After k doublings the cost is start (1 - rate)^k to the last bit; before any, start itself."""
    found = learning_curve(start, initial * 2.0**doublings, rate, initial)
    assert found == start * (1 - rate) ** doublings


@given(STARTS, VOLUMES, RATES, VOLUMES, VOLUMES)
def test_volumes_chain(
    start: float, first: float, rate: float, second: float, third: float
) -> None:
    """From the first volume to the second and on to the third is from the first to the third."""
    between = learning_curve(start, second, rate, first)
    chained = learning_curve(between, third, rate, second)
    assert chained == pytest.approx(learning_curve(start, third, rate, first), rel=1e-9)


@given(STARTS, VOLUMES, VOLUMES, st.floats(0, 0.9))
def test_more_experience_never_costs_more(
    start: float, one: float, two: float, rate: float
) -> None:
    """With a learning rate of 0 or more the cost never rises with the volume; at 0 it is flat."""
    less, more = sorted((one, two))
    assert learning_curve(start, more, rate) <= learning_curve(start, less, rate) * (1 + 1e-12)
    assert learning_curve(start, more, 0.0) == start


def test_volumes_at_the_ends_of_the_numbers() -> None:
    """A ratio of volumes that no float can hold still has its doublings."""
    assert learning_curve(1.0, 2.0**1000, 0.01, 2.0**-1000) == 0.99**2000
    assert learning_curve(0.0, 2.0**1000, 0.5, 2.0**-1000) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 1.0, 0.2), "start is a cost"),
        ((1.0, 0.0, 0.2), "cumulative_volume is all that has been made"),
        ((1.0, 1.0, 0.2, 0.0), "initial_volume is all that has been made"),
        ((1.0, 1.0, 1.0), "learning_rate is the share"),
        ((1.0, math.inf, 0.2), "cumulative_volume must be a finite number"),
        ((1.0, 2.0**500, -1e9), "over 500 doublings overflows"),
        ((1e308, 2.0, -1.0), "over 1 doublings overflows"),
    ],
)
def test_outside_the_domain(arguments: tuple[float, ...], message: str) -> None:
    """A number outside its domain is refused by name, and nothing overflows unseen."""
    with pytest.raises(DomainError, match=message):
        learning_curve(*arguments)
