import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.distributions import (
    FAMILIES,
    copula,
    discrete,
    draw,
    lognormal,
    normal,
    pert,
    power_of_two,
    read_distribution,
    triangular,
    uniform,
)
from xltoken.economics.domain import DomainError

SHARES = np.array([1e-9, 0.001, 0.05, 0.25, 0.5, 0.6, 0.75, 0.95, 0.999, 1 - 1e-9])
NORMALS = scipy.stats.norm.ppf(SHARES)


def _scipy(name, *numbers):
    """The same distribution as scipy has it."""
    if name == "normal":
        return scipy.stats.norm(*numbers)
    if name == "lognormal":
        mean, sd = numbers
        sigma = math.sqrt(math.log(1 + (sd / mean) ** 2))
        return scipy.stats.lognorm(sigma, scale=mean * math.exp(-(sigma**2) / 2))
    low, high = numbers[0], numbers[-1]
    if name == "uniform":
        return scipy.stats.uniform(low, high - low)
    mode = numbers[1]
    if name == "triangular":
        return scipy.stats.triang((mode - low) / (high - low), low, high - low)
    alpha = 1 + 4 * (mode - low) / (high - low)
    beta = 1 + 4 * (high - mode) / (high - low)
    return scipy.stats.beta(alpha, beta, low, high - low)


CASES = [
    (normal, (2.0, 0.3)),
    (normal, (-5.0, 100.0)),
    (lognormal, (100.0, 20.0)),
    (lognormal, (0.02, 0.05)),
    (uniform, (-1.0, 3.0)),
    (triangular, (1.0, 2.0, 5.0)),
    (triangular, (1.0, 1.0, 5.0)),
    (triangular, (1.0, 5.0, 5.0)),
    (pert, (1.0, 2.0, 5.0)),
    (pert, (0.0, 0.0, 1.0)),
    (pert, (0.0, 1.0, 1.0)),
    (pert, (-4.0, -3.0, 10.0)),
]


@pytest.mark.parametrize(("made", "numbers"), CASES)
def test_moments_and_quantiles_are_those_of_scipy(made, numbers):
    """Mean, standard deviation and inverse distribution function agree with scipy's."""
    mine, theirs = made(*numbers), _scipy(made.__name__, *numbers)
    assert mine.mean == pytest.approx(theirs.mean(), rel=1e-12)
    assert mine.sd == pytest.approx(theirs.std(), rel=1e-9)
    width = numbers[-1] - numbers[0] if len(numbers) == 3 else abs(mine.sd)
    assert mine.at(NORMALS) == pytest.approx(theirs.ppf(SHARES), rel=1e-9, abs=1e-9 * width)


@pytest.mark.parametrize(("made", "numbers"), CASES)
def test_values_rise_with_the_normal_and_stay_inside(made, numbers):
    """The inverse never falls, and even far out it is finite and within the declared ends."""
    values = made(*numbers).at(np.linspace(-40.0, 40.0, 2001))
    assert np.all(np.isfinite(values))
    assert np.all(np.diff(values) >= -1e-12 * np.abs(values[1:]))
    if made in (uniform, triangular, pert):
        assert values[0] == pytest.approx(numbers[0], abs=1e-15)
        assert values[-1] == pytest.approx(numbers[-1], abs=1e-15)


@pytest.mark.parametrize(("made", "numbers"), CASES)
def test_a_sample_has_the_moments_of_its_distribution(made, numbers):
    """Mean and standard deviation of 4096 Sobol points lie within 3 standard errors."""
    chosen = made(*numbers)
    sample = draw([chosen], copula(["x"], {}), 4096, 1)[:, 0]
    assert abs(sample.mean() - chosen.mean) < 3 * chosen.sd / 64
    assert sample.std() == pytest.approx(chosen.sd, rel=0.1)


def test_the_lognormal_convention_is_of_the_value_itself():
    """lognormal(100, 20) has mean 100 and standard deviation 20, not those of its logarithm."""
    sample = draw([lognormal(100.0, 20.0)], np.eye(1), 2**14, 3)[:, 0]
    assert sample.mean() == pytest.approx(100.0, rel=1e-3)
    assert sample.std() == pytest.approx(20.0, rel=1e-2)


def test_discrete_values_come_as_often_as_their_chances():
    """Each value is drawn in its share of the points, whatever order it was written in."""
    chosen = discrete({3.0: 0.25, 1.0: 0.5, 2.0: 0.25})
    assert chosen.parameters == (1.0, 2.0, 3.0)
    sample = draw([chosen], np.eye(1), 1024, 1)[:, 0]
    assert [int(np.sum(sample == value)) for value in chosen.parameters] == [512, 256, 256]
    assert chosen.mean == 1.75
    assert chosen.sd == pytest.approx(math.sqrt(0.6875), rel=1e-15)
    assert chosen.at(np.array([-40.0, 40.0])).tolist() == [1.0, 3.0]


def test_one_value_with_certainty():
    """A discrete distribution of one value is that value everywhere."""
    assert discrete({7.0: 1.0}).at(NORMALS).tolist() == [7.0] * len(NORMALS)


@pytest.mark.parametrize("rank", [-0.95, -0.5, 0.0, 0.3, 0.8])
def test_rank_correlation_is_what_was_asked(rank):
    """Spearman's correlation of the sample is the target, whatever the two distributions are."""
    chosen = [lognormal(1.0, 2.0), pert(0.0, 1.0, 10.0)]
    sample = draw(chosen, copula(["a", "b"], {(0, 1): rank}), 4096, 1)
    found = scipy.stats.spearmanr(sample[:, 0], sample[:, 1]).statistic
    assert found == pytest.approx(rank, abs=0.02)


def test_all_pairs_have_their_correlation_and_the_others_none():
    """In a sample of four inputs each pair has its own target, 0 where none was named."""
    pairs = {(0, 1): 0.5, (1, 3): -0.4}
    chosen = [normal(0.0, 1.0), uniform(0.0, 1.0), lognormal(1.0, 1.0), triangular(0.0, 1.0, 4.0)]
    sample = draw(chosen, copula("abcd", pairs), 8192, 5)
    found = scipy.stats.spearmanr(sample).statistic
    for one in range(4):
        for other in range(one + 1, 4):
            assert found[one, other] == pytest.approx(pairs.get((one, other), 0.0), abs=0.02)


@pytest.mark.parametrize("rank", [-0.7, 0.0, 0.9])
def test_correlation_leaves_each_distribution_as_it_is(rank):
    """However inputs move together, each keeps its quantiles (distance of Kolmogorov-Smirnov)."""
    chosen = [triangular(1.0, 2.0, 5.0), lognormal(100.0, 20.0)]
    sample = draw(chosen, copula(["a", "b"], {(0, 1): rank}), 4096, 2)
    for column, (name, numbers) in enumerate(
        (("triangular", (1.0, 2.0, 5.0)), ("lognormal", (100.0, 20.0)))
    ):
        distance = scipy.stats.kstest(sample[:, column], _scipy(name, *numbers).cdf).statistic
        assert distance < 0.02


def test_the_first_input_is_not_touched_by_correlation():
    """The draws of the first input are bit for bit those without any correlation."""
    chosen = [normal(0.0, 1.0), normal(0.0, 1.0)]
    free = draw(chosen, copula("ab", {}), 256, 1)
    tied = draw(chosen, copula("ab", {(0, 1): 0.6}), 256, 1)
    assert np.array_equal(free[:, 0], tied[:, 0])
    assert not np.array_equal(free[:, 1], tied[:, 1])


def test_the_same_seed_gives_the_same_points():
    """Points depend on the seed alone; another seed gives others."""
    chosen = [normal(0.0, 1.0), uniform(0.0, 1.0)]
    first, again, other = (draw(chosen, np.eye(2), 512, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_more_points_than_a_block_are_one_sequence():
    """A sample of several blocks begins with the points of one block and stays balanced."""
    sample = draw([uniform(0.0, 1.0)], np.eye(1), 2**15, 4)[:, 0]
    assert np.array_equal(sample[: 2**14], draw([uniform(0.0, 1.0)], np.eye(1), 2**14, 4)[:, 0])
    assert np.histogram(sample, 1024, (0, 1))[0].tolist() == [32] * 1024


@given(st.integers(1, 10**9))
def test_a_power_of_two_is_the_next_one(points):
    """Rounding up never shrinks, never doubles, and gives a power of two."""
    found = power_of_two(points)
    assert points <= found < 2 * points or found == points == 1
    assert found & (found - 1) == 0


def test_no_points_round_up_to_one():
    """There is no smaller power of two than 1."""
    assert power_of_two(0) == 1


@pytest.mark.parametrize(
    ("text", "family", "numbers"),
    [
        ("normal(2, 0.3)", "normal", (2.0, 0.3)),
        (" LogNormal ( 1e2,20 ) ", "lognormal", (100.0, 20.0)),
        ("uniform(20%, 80%)", "uniform", (0.2, 0.8)),
        ("triangular(1,2,3)", "triangular", (1.0, 2.0, 3.0)),
        ("pert(-1,0,1)", "pert", (-1.0, 0.0, 1.0)),
        ("discrete(1:0.5, 2:50%)", "discrete", (1.0, 2.0)),
    ],
)
def test_distributions_are_read_as_written(text, family, numbers):
    """Spaces, capitals and percent signs do not matter; what is read writes itself the same way."""
    found = read_distribution(text)
    assert (found.family, found.parameters) == (family, numbers)
    assert read_distribution(str(found)) == found


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is no distribution; write one of: normal(mean, sd); lognormal(mean, sd)"),
        ("2", "is no distribution"),
        ("gauss(1, 2)", "is no distribution"),
        ("normal(1, 2", "is no distribution"),
        ("normal(1)", "normal takes 2 numbers, normal(mean, sd); normal(1) has 1"),
        ("normal(1, x)", "normal: 'x' is no number"),
        ("normal(1, 0)", "the standard deviation is above 0; it is 0"),
        ("normal(nan, 1)", "normal: its numbers are finite"),
        ("lognormal(0, 1)", "the mean is above 0; it is 0"),
        ("lognormal(1, -1)", "the standard deviation is above 0; it is -1"),
        ("lognormal(1, 1e200)", "out of proportion to a mean of 1"),
        ("lognormal(1, 1e-200)", "out of proportion"),
        ("uniform(2, 2)", "low is below high; they are 2 and 2"),
        ("uniform(-1e308, 1e308)", "its numbers are finite"),
        ("triangular(3, 2, 1)", "triangular: low <= mode <= high; they are 3, 2, 1"),
        ("pert(1, 1, 1)", "pert: low is below high; both are 1"),
        ("discrete(1)", "'1' is no value:chance"),
        ("discrete(1:0.5, 1:0.5)", "the value 1 stands there twice"),
        ("discrete(1:0.5, 2:0.6)", "the chances add up to 1; they make 1.1"),
        ("discrete(1:1, 2:0)", "every chance is above 0"),
        ("discrete(1:inf)", "its numbers are finite"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(text, part):
    """A text that is no distribution is refused with what is wrong and what is due."""
    with pytest.raises(DomainError) as refused:
        read_distribution(text)
    assert part in str(refused.value)


def test_a_discrete_distribution_has_a_value():
    """No value at all is refused."""
    with pytest.raises(DomainError, match="1 value or more"):
        discrete({})


def test_every_family_is_read_and_drawn():
    """The list that a message shows is the list of what works."""
    takes = {"discrete": "1:0.5, 2:0.5"}
    for name, parameters in FAMILIES.items():
        numbers = takes.get(name) or ", ".join(str(n) for n in range(1, len(parameters) + 1))
        assert np.all(np.isfinite(read_distribution(f"{name}({numbers})").at(NORMALS)))


def test_contradicting_correlations_name_their_pairs():
    """A matrix that no inputs can have is refused, naming the pairs that contradict alone."""
    pairs = {(0, 1): 0.9, (1, 2): 0.9, (0, 2): -0.9, (3, 4): 0.5}
    with pytest.raises(DomainError) as refused:
        copula(["price", "volume", "rent", "wage", "rate"], pairs)
    text = str(refused.value)
    assert "price and volume 0.9, volume and rent 0.9, price and rent -0.9" in text
    assert "wage" not in text


@pytest.mark.parametrize(
    ("pair", "rank", "part"),
    [
        ((0, 1), 1.0, "between -1 and 1, ends excluded"),
        ((0, 1), -1.5, "it is -1.5"),
        ((0, 1), math.nan, "it is nan"),
        ((0, 0), 0.5, "moves with itself"),
    ],
)
def test_a_correlation_outside_its_domain_is_refused(pair, rank, part):
    """A rank correlation lies strictly between -1 and 1, between two inputs."""
    with pytest.raises(DomainError) as refused:
        copula(["price", "volume"], {pair: rank})
    assert part in str(refused.value)


def test_nothing_uncertain_has_an_empty_copula():
    """Without inputs there is nothing to correlate."""
    assert copula([], {}).shape == (0, 0)


@pytest.mark.parametrize(("points", "seed"), [(0, 1), (1, -1)])
def test_points_and_seed_have_their_domain(points, seed):
    """A sample has a point or more, a seed is 0 or more."""
    with pytest.raises(DomainError):
        draw([normal(0.0, 1.0)], np.eye(1), points, seed)


def test_a_value_beyond_every_number_is_refused():
    """A distribution so wide that a draw overflows is refused, not drawn as infinity."""
    with pytest.raises(DomainError, match="beyond every number"):
        draw([normal(0.0, 1e308)], np.eye(1), 64, 1)
