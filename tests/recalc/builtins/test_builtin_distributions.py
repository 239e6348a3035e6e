import math

import pytest
from builtin_tools import computed, value
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from xltoken.recalc.builtins import bessel, complex_numbers, distributions

SHARES = st.floats(0.001, 0.999)
COUNTS = st.integers(1, 60)


@given(SHARES, COUNTS, COUNTS)
def test_inverses(share, first, second):
    """The distribution of a quantile is the share that it was asked for."""
    one, two = float(first), float(second)
    pairs = [
        (distributions.norm_dist(distributions.norm_inv(share, 3.0, 2.0), 3.0, 2.0, True), share),
        (
            distributions.lognorm_dist(distributions.lognorm_inv(share, 0.5, 0.8), 0.5, 0.8, True),
            share,
        ),
        (distributions.t_dist(distributions.t_inv(share, one), one, True), share),
        (distributions.t_dist_2t(distributions.t_inv_2t(share, one), one), share),
        (distributions.chisq_dist(distributions.chisq_inv(share, one), one, True), share),
        (distributions.chisq_dist_rt(distributions.chisq_inv_rt(share, one), one), share),
        (distributions.f_dist(distributions.f_inv(share, one, two), one, two, True), share),
        (distributions.f_dist_rt(distributions.f_inv_rt(share, one, two), one, two), share),
        (distributions.gamma_dist(distributions.gamma_inv(share, one, 2.0), one, 2.0, True), share),
        (distributions.beta_dist(distributions.beta_inv(share, one, two), one, two, True), share),
    ]
    for found, wanted in pairs:
        assert found == pytest.approx(wanted, rel=1e-9)


@given(st.floats(0.01, 20.0), COUNTS)
def test_tails_make_a_whole(x, freedom):
    """What lies below and what lies above add up to 1."""
    count = float(freedom)
    assert distributions.chisq_dist(x, count, True) + distributions.chisq_dist_rt(
        x, count
    ) == pytest.approx(1.0)
    assert distributions.t_dist(x, count, True) + distributions.t_dist_rt(
        x, count
    ) == pytest.approx(1.0)
    assert distributions.f_dist(x, count, 7.0, True) + distributions.f_dist_rt(
        x, count, 7.0
    ) == pytest.approx(1.0)


@given(st.floats(0.1, 8.0), st.sampled_from(["chisq", "gamma", "beta", "t", "f", "lognormal"]))
def test_densities_are_slopes(x, family):
    """A density is the slope of its distribution."""
    place = x / 10.0 if family == "beta" else x
    density, below = {
        "chisq": (distributions.chisq_dist, (5.0,)),
        "gamma": (distributions.gamma_dist, (3.0, 2.0)),
        "beta": (distributions.beta_dist, (2.0, 3.0)),
        "t": (distributions.t_dist, (4.0,)),
        "f": (distributions.f_dist, (5.0, 7.0)),
        "lognormal": (distributions.lognorm_dist, (0.5, 0.8)),
    }[family]
    step = 1e-5
    slope = (density(place + step, *below, True) - density(place - step, *below, True)) / (2 * step)
    assert density(place, *below, False) == pytest.approx(slope, rel=1e-5)


def test_counts_add_up():
    """A cumulative probability is the sum of the single ones."""
    singles = [distributions.poisson(float(k), 3.7, False) for k in range(6)]
    assert distributions.poisson(5.0, 3.7, True) == pytest.approx(math.fsum(singles), rel=1e-13)
    singles = [distributions.binomial(float(k), 9.0, 0.3, False) for k in range(4)]
    assert distributions.binomial(3.0, 9.0, 0.3, True) == pytest.approx(
        math.fsum(singles), rel=1e-13
    )
    assert distributions.poisson(150.0, 140.0, False) == pytest.approx(0.0229, abs=1e-3)
    assert distributions.poisson(0.0, 0.0, False) == 1.0


def test_limits_of_distributions():
    """Outside their domain distributions are #NUM!; a sample of one has no Student interval."""
    assert computed(
        "NORM.DIST(1,0,0,TRUE)", "NORM.S.INV(1)", "POISSON.DIST(-0.1,1,TRUE)", "CONFIDENCE.T(0.05,1,1)", "GAMMA(-2)",
        "PROB({1,2},{0.5,0.4},1)", "PROB({1,2},{0.5},1)", "T.INV(0.5,0)", "BETA.DIST(2,1,1,TRUE)",
    ) == ["#NUM!", "#NUM!", "#NUM!", "#DIV/0!", "#NUM!", "#NUM!", "#N/A", "#NUM!", "#NUM!"]  # fmt: skip


def test_frequency_keeps_the_order_of_its_bounds():
    """Counts stand beside their bounds, sorted or not; a bound that comes again counts nothing."""
    assert value("FREQUENCY({1,5,12,18,30},{20,5,20})") == [[2.0], [2.0], [0.0], [1.0]]


@given(st.floats(-40.0, 40.0), st.integers(0, 12))
def test_bessel_functions(x, order):
    """They are the true ones as near as the approximations go."""
    assert bessel.besselj(x, float(order)) == pytest.approx(special.jv(order, x), abs=2e-6)
    if x > 0.5:
        true = special.yv(order, x)
        assert bessel.bessely(x, float(order)) == pytest.approx(true, rel=1e-5, abs=1e-5)


def test_complex_numbers():
    """Complex numbers go in and out as texts, with either unit, and functions undo each other."""
    found = computed(
        'IMSUM("3+4i","5-3i")', 'IMPRODUCT("3+4j","5-3j")', 'IMSUM("1+i","1+j")', 'IMDIV("-238+240i","10+24i")',
        'IMABS("5+12i")', "IMARGUMENT(0)", 'IMREAL("6-9i")', 'IMAGINARY("-j")', "COMPLEX(3,-1)", 'COMPLEX(0,1,"j")',
        'COMPLEX(1,1,"k")', 'IMREAL("x")', "IMSUM(Z1,4)", 'IMCONJUGATE("2+i")', 'IMSUB("1+2i","1+2i")',
    )  # fmt: skip
    assert found == [
        "8+i", "27+11j", "#VALUE!", "5+12i", 13.0, "#DIV/0!", 6.0, -1.0, "3-i", "j", "#VALUE!", "#NUM!", "4", "2-i", "0",
    ]  # fmt: skip


@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_complex_identities(real, imaginary):
    """Tangent times cotangent is 1, and an exponential's logarithm is its exponent."""
    shown = complex_numbers.shown(complex(real, imaginary) + 0.1j)
    tangent, cotangent = (
        complex_numbers.parsed(complex_numbers.FUNCTIONS[name](shown))[0]
        for name in ("IMTAN", "IMCOT")
    )
    assert abs(tangent * cotangent - 1.0) < 1e-9
    back = complex_numbers.FUNCTIONS["IMLN"](complex_numbers.FUNCTIONS["IMEXP"](shown))
    assert abs(complex_numbers.parsed(back)[0] - complex_numbers.parsed(shown)[0]) < 1e-9
