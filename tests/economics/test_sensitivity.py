import itertools
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.domain import DomainError, require
from xltoken.economics.sensitivity import Bar, tornado

BASES = st.dictionaries(st.text("abcdef", min_size=1), st.floats(-1e6, 1e6), max_size=6)
SPREADS = st.floats(0, 1)


def total(values: Mapping[str, float]) -> float:
    """Sum of all inputs."""
    return math.fsum(values.values())


@given(BASES, SPREADS)
def test_a_sum_moves_by_what_its_input_moves(base: dict[str, float], spread: float) -> None:
    """In a sum every bar is as wide as its input's own ends are apart."""
    bars = tornado(total, base, spread)
    assert {bar.driver for bar in bars} == set(base)
    for bar in bars:
        value = base[bar.driver]
        assert (bar.low, bar.high) == (value * (1 - spread), value * (1 + spread))
        others = total(base) - value
        assert bar.result_low == pytest.approx(others + bar.low, abs=1e-6)
        assert bar.swing == pytest.approx(2 * spread * abs(value), rel=1e-9, abs=1e-6)


@given(BASES, SPREADS)
def test_the_largest_swing_comes_first(base: dict[str, float], spread: float) -> None:
    """Swings never rise down the list, and equal ones keep the order of the inputs."""
    bars = tornado(total, base, spread)
    swings = [bar.swing for bar in bars]
    assert swings == sorted(swings, reverse=True)
    order = list(base)
    for one, two in itertools.pairwise(bars):
        if one.swing == two.swing:
            assert order.index(one.driver) < order.index(two.driver)


@given(BASES)
def test_without_a_spread_nothing_moves(base: dict[str, float]) -> None:
    """At spread 0 both ends are the base, and the order is that of the inputs."""
    bars = tornado(total, base, 0.0)
    assert [bar.driver for bar in bars] == list(base)
    assert all(bar.swing == 0 for bar in bars)


def test_one_input_moves_at_a_time() -> None:
    """Every other input stays at its base while one is at an end."""
    base = {"a": 1.0, "b": 2.0, "c": 4.0}
    asked: list[dict[str, float]] = []

    def result(values: Mapping[str, float]) -> float:
        asked.append(dict(values))
        return 0.0

    tornado(result, base, 0.5)
    assert len(asked) == 2 * len(base)
    for values in asked:
        assert sum(values[name] != base[name] for name in base) == 1


def test_an_input_outside_its_domain_is_named() -> None:
    """A result that refuses an end is refused with the name and the value of the input."""

    def result(values: Mapping[str, float]) -> float:
        require(values["share"] < 1, "a share is below 1.")
        return values["share"] + values["other"]

    base = {"other": 5.0, "share": 0.9}
    assert [bar.driver for bar in tornado(result, base, 0.1)] == ["other", "share"]
    with pytest.raises(
        DomainError, match=r"driver share at 1.08: a share is below 1. Take a small"
    ):
        tornado(result, base, 0.2)


@pytest.mark.parametrize("spread", [-0.01, 1.01, math.nan, math.inf])
def test_a_spread_is_a_share(spread: float) -> None:
    """A spread below 0, above 1 or that is no number is refused."""
    with pytest.raises(DomainError, match="spread"):
        tornado(total, {"a": 1.0}, spread)


def test_a_swing_beyond_every_number_is_refused() -> None:
    """Two results whose distance no float holds are refused, with the name of the input."""
    with pytest.raises(DomainError, match="the swing of a"):
        tornado(lambda values: (values["a"] - 1) * 1e308 * 2, {"a": 1.0}, 0.8)


def test_a_swing_has_no_sign() -> None:
    """A result that falls with its input has the same swing as one that rises."""
    assert Bar("a", 1, 2, 5, 3).swing == Bar("a", 1, 2, 3, 5).swing == 2
