import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from xltoken.economics.domain import DomainError
from xltoken.economics.samples import MOST_BINS, histogram, rank_correlation

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60).map(
    np.array
)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=40))
def test_rank_correlation_is_spearmans(pairs):
    """With and without ties it is the figure that scipy gives."""
    one, other = np.array(pairs, float).T
    assume(len(set(one)) > 1 and len(set(other)) > 1)
    expected = scipy.stats.spearmanr(one, other).statistic
    assert rank_correlation(one, other) == pytest.approx(expected, abs=1e-12)


def test_a_constant_has_no_rank_correlation():
    """What does not move has no correlation: nan, not 0."""
    assert math.isnan(rank_correlation(np.array([1.0, 2.0]), np.array([3.0, 3.0])))


@given(NUMBERS)
def test_every_value_lies_in_its_bin(values):
    """The bins hold every value once, rise, are few, and end around the sample."""
    edges, counts = histogram(values)
    assert sum(counts) == len(values)
    assert len(edges) == len(counts) + 1 <= MOST_BINS + 1
    rounding = 1e-12 * (values.max() / 2 - values.min() / 2)
    assert edges[0] <= values.min() + rounding
    assert edges[-1] >= values.max() - rounding
    if len(counts) > 1:
        assert np.all(np.diff(edges) > 0)
        assert counts[0] > 0
        assert counts[-1] > 0


def test_bins_are_those_of_freedman_and_diaconis_made_round():
    """The step is the rule's width, widened to a round number, and no more than twice as wide."""
    values = np.random.default_rng(1).normal(1e6, 2e5, 4096)
    edges, counts = histogram(values)
    rule = 2 * scipy.stats.iqr(values) / 4096 ** (1 / 3)
    steps = np.diff(edges)
    assert np.allclose(steps, steps[0])
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]))
    assert round(mantissa, 9) in (1.0, 2.0, 2.5, 5.0)
    assert rule <= steps[0] <= max(2 * rule, 2.5 * np.ptp(values) / MOST_BINS)
    direct = [int(np.sum((values >= a) & (values < b))) for a, b in itertools.pairwise(edges)]
    assert counts == direct


def test_outliers_widen_the_bins():
    """A few values far away do not make a histogram of a million bars."""
    values = np.append(np.linspace(0.0, 1.0, 1000), 1e9)
    _, counts = histogram(values)
    assert len(counts) <= MOST_BINS
    assert counts[0] == 1000
    assert counts[-1] == 1


@pytest.mark.parametrize(
    "values", [[3.0, 3.0], [1.0, 1.0 + 1e-15], [-1.7e308, 1.7e308], [0.0, 5e-324]]
)
def test_a_range_that_no_step_divides_is_one_bin(values):
    """Equal, all but equal or enormous distances give one bin from smallest to largest."""
    edges, counts = histogram(np.array(values))
    assert edges.tolist() == [min(values), max(values)]
    assert counts == [2]


def test_no_values_have_no_histogram():
    """An empty sample is refused."""
    with pytest.raises(DomainError, match="1 value or more"):
        histogram(np.array([]))
