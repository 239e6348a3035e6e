"""Distributions of probability, lifted over arrays, to the last digits."""

import bisect
import math
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    DIV0,
    NA,
    NUM,
    Failure,
    cells,
    checked,
    lifted,
    logical,
    number,
    numbers_in,
    require,
    whole,
)

_ROOT_2: Final = math.sqrt(2.0)
_ROOT_2_PI: Final = math.sqrt(2.0 * math.pi)


def _phi(z: float) -> float:
    return math.exp(-z * z / 2.0) / _ROOT_2_PI


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / _ROOT_2)


def _normal_inverse(share: float) -> float:
    from scipy.special import ndtri

    require(0.0 < share < 1.0)
    return float(ndtri(share))


@lifted(number, number, number, logical)
def norm_dist(x: float, mean: float, sd: float, cumulative: bool) -> float:
    """Normal distribution."""
    require(sd > 0.0)
    z = (x - mean) / sd
    return _normal(z) if cumulative else _phi(z) / sd


@lifted(number, number, number)
def norm_inv(share: float, mean: float, sd: float) -> float:
    """Inverse of the normal distribution."""
    require(sd > 0.0)
    return mean + sd * _normal_inverse(share)


@lifted(number, number, number, logical)
def lognorm_dist(x: float, mean: float, sd: float, cumulative: bool) -> float:
    """Lognormal distribution."""
    require(x > 0.0 and sd > 0.0)
    z = (math.log(x) - mean) / sd
    return _normal(z) if cumulative else _phi(z) / (sd * x)


@lifted(number, number, number)
def lognorm_inv(share: float, mean: float, sd: float) -> float:
    """Inverse of the lognormal distribution."""
    require(sd > 0.0)
    return math.exp(mean + sd * _normal_inverse(share))


@lifted(number, number, number)
def confidence_norm(alpha: float, sd: float, size: float) -> float:
    """Half the width of a confidence interval, by the normal distribution."""
    count = int(size)
    require(0.0 < alpha < 1.0 and sd > 0.0 and count >= 1)
    return _normal_inverse(1.0 - alpha / 2.0) * sd / math.sqrt(count)


@lifted(number, number, number)
def confidence_t(alpha: float, sd: float, size: float) -> float:
    """Half the width of a confidence interval, by Student's distribution."""
    count = int(size)
    require(0.0 < alpha < 1.0 and sd > 0.0 and count >= 1)
    require(count > 1, DIV0)
    return -_student_inverse(alpha / 2.0, count - 1) * sd / math.sqrt(count)


def _student_inverse(share: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


@lifted(number, number, logical)
def poisson(x: float, mean: float, cumulative: bool) -> float:
    """Poisson distribution."""
    from scipy.special import gammaincc

    count = int(x)
    require(x >= 0.0 and mean >= 0.0)
    if mean == 0.0:
        return 1.0 if cumulative or count == 0 else 0.0
    if cumulative:
        return float(gammaincc(count + 1.0, mean))
    if count < 100 and mean < 700.0:
        return math.exp(-mean) * mean**count / math.factorial(count)
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1.0))


@lifted(number, number, number, logical)
def binomial(successes: float, trials: float, chance: float, cumulative: bool) -> float:
    """Binomial distribution."""
    from scipy.special import bdtr

    good, count = int(successes), int(trials)
    require(0 <= good <= count and 0.0 <= chance <= 1.0)
    if cumulative:
        return float(bdtr(good, count, chance))
    return float(_of("binom").pmf(good, count, chance))


@lifted(number)
def gammaln(x: float) -> float:
    """Logarithm of the gamma function."""
    require(x > 0.0)
    return math.lgamma(x)


@lifted(number)
def gamma(x: float) -> float:
    """Gamma function."""
    require(x > 0.0 or x != math.floor(x))
    return math.gamma(x)


@lifted(number, number, number, logical)
def gamma_dist(x: float, alpha: float, beta: float, cumulative: bool) -> float:
    """Gamma distribution."""
    from scipy.special import gammainc

    require(x >= 0.0 and alpha > 0.0 and beta > 0.0)
    if cumulative:
        return float(gammainc(alpha, x / beta))
    return float(_of("gamma").pdf(x, alpha, scale=beta))


@lifted(number, number, number)
def gamma_inv(share: float, alpha: float, beta: float) -> float:
    """Inverse of the gamma distribution."""
    from scipy.special import gammaincinv

    require(0.0 <= share < 1.0 and alpha > 0.0 and beta > 0.0)
    return float(gammaincinv(alpha, share)) * beta


@lifted(number, number, number, logical, number, number)
def beta_dist(
    x: float, alpha: float, beta: float, cumulative: bool, low: float = 0.0, high: float = 1.0
) -> float:
    """Beta distribution between two bounds."""
    from scipy.special import betainc

    require(alpha > 0.0 and beta > 0.0 and low < high and low <= x <= high)
    place = (x - low) / (high - low)
    if cumulative:
        return float(betainc(alpha, beta, place))
    return float(_of("beta").pdf(place, alpha, beta)) / (high - low)


@lifted(number, number, number, number, number)
def beta_inv(share: float, alpha: float, beta: float, low: float = 0.0, high: float = 1.0) -> float:
    """Inverse of the beta distribution."""
    from scipy.special import betaincinv

    require(alpha > 0.0 and beta > 0.0 and 0.0 < share < 1.0 and low < high)
    return low + float(betaincinv(alpha, beta, share)) * (high - low)


def _of(name: str) -> Any:
    """Distribution of scipy; the package is slow to import."""
    import scipy.stats

    return getattr(scipy.stats, name)


def _freedom(value: float) -> int:
    count = int(value)
    require(1 <= count <= 10**10)
    return count


@lifted(number, number, logical)
def chisq_dist(x: float, freedom: float, cumulative: bool) -> float:
    """Chi-squared distribution."""
    from scipy.special import chdtr

    require(x >= 0.0)
    count = _freedom(freedom)
    return float(chdtr(count, x)) if cumulative else float(_of("chi2").pdf(x, count))


@lifted(number, number)
def chisq_dist_rt(x: float, freedom: float) -> float:
    """Right tail of the chi-squared distribution."""
    from scipy.special import chdtrc

    require(x >= 0.0)
    return float(chdtrc(_freedom(freedom), x))


@lifted(number, number)
def chisq_inv(share: float, freedom: float) -> float:
    """Inverse of the chi-squared distribution."""
    from scipy.special import gammaincinv

    require(0.0 <= share < 1.0)
    return 2.0 * float(gammaincinv(_freedom(freedom) / 2.0, share))


@lifted(number, number)
def chisq_inv_rt(share: float, freedom: float) -> float:
    """Inverse of the right tail of the chi-squared distribution."""
    from scipy.special import gammainccinv

    require(0.0 < share <= 1.0)
    return 2.0 * float(gammainccinv(_freedom(freedom) / 2.0, share))


@lifted(number, number, logical)
def t_dist(x: float, freedom: float, cumulative: bool) -> float:
    """Student's distribution."""
    from scipy.special import stdtr

    count = _freedom(freedom)
    return float(stdtr(count, x)) if cumulative else float(_of("t").pdf(x, count))


@lifted(number, number)
def t_dist_rt(x: float, freedom: float) -> float:
    """Right tail of Student's distribution."""
    from scipy.special import stdtr

    return float(stdtr(_freedom(freedom), -x))


@lifted(number, number)
def t_dist_2t(x: float, freedom: float) -> float:
    """Both tails of Student's distribution."""
    from scipy.special import stdtr

    require(x >= 0.0)
    return 2.0 * float(stdtr(_freedom(freedom), -x))


@lifted(number, number)
def t_inv(share: float, freedom: float) -> float:
    """Inverse of Student's distribution."""
    require(0.0 < share < 1.0)
    return _student_inverse(share, _freedom(freedom))


@lifted(number, number)
def t_inv_2t(share: float, freedom: float) -> float:
    """Inverse of both tails of Student's distribution."""
    require(0.0 < share <= 1.0)
    return -_student_inverse(share / 2.0, _freedom(freedom))


@lifted(number, number, number, logical)
def f_dist(x: float, above: float, below: float, cumulative: bool) -> float:
    """F distribution."""
    from scipy.special import fdtr

    require(x >= 0.0)
    first, second = _freedom(above), _freedom(below)
    return float(fdtr(first, second, x)) if cumulative else float(_of("f").pdf(x, first, second))


@lifted(number, number, number)
def f_dist_rt(x: float, above: float, below: float) -> float:
    """Right tail of the F distribution."""
    from scipy.special import fdtrc

    require(x >= 0.0)
    return float(fdtrc(_freedom(above), _freedom(below), x))


@lifted(number, number, number)
def f_inv(share: float, above: float, below: float) -> float:
    """Inverse of the F distribution."""
    from scipy.special import fdtri

    require(0.0 <= share < 1.0)
    return float(fdtri(_freedom(above), _freedom(below), share))


@lifted(number, number, number)
def f_inv_rt(share: float, above: float, below: float) -> float:
    """Inverse of the right tail of the F distribution."""
    require(0.0 < share <= 1.0)
    return float(_of("f").isf(share, _freedom(above), _freedom(below)))


@whole
def prob(values: Any, chances: Any, low: Any, high: Any = None) -> float:
    """Probability that a value lies between two bounds."""
    found, weights = cells(values), cells(chances)
    require(len(found) == len(weights), NA)
    for cell in (*found, *weights):
        checked(cell)
    least = number(low)
    most = least if high is None else number(high)
    pairs = [
        (float(value), float(weight))
        for value, weight in zip(found, weights, strict=True)
        if numbers_in(value) and numbers_in(weight)
    ]
    require(bool(pairs), DIV0)
    require(all(0.0 < weight <= 1.0 for _, weight in pairs))
    if abs(math.fsum(weight for _, weight in pairs) - 1.0) > 1e-7:
        raise Failure(NUM)
    return math.fsum(weight for value, weight in pairs if least <= value <= most)


@whole
def frequency(values: Any, bounds: Any) -> list[list[float]]:
    """How many values lie in each interval, in the order of the bounds; a bound again counts 0."""
    found = sorted(numbers_in(values))
    limits = numbers_in(bounds)
    counts = [0.0] * len(limits)
    start = 0
    for place in sorted(range(len(limits)), key=lambda at: (limits[at], at)):
        end = bisect.bisect_right(found, limits[place])
        counts[place] = float(end - start)
        start = end
    return [[count] for count in (*counts, float(len(found) - start))]


_STANDARD: Final = lifted(number)(_normal)
_INVERSE: Final = lifted(number)(_normal_inverse)
FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "NORM.DIST": norm_dist,
    "NORMDIST": norm_dist,
    "NORM.INV": norm_inv,
    "NORMINV": norm_inv,
    "NORM.S.DIST": lifted(number, logical)(lambda z, whole: _normal(z) if whole else _phi(z)),
    "NORMSDIST": _STANDARD,
    "NORM.S.INV": _INVERSE,
    "NORMSINV": _INVERSE,
    "PHI": lifted(number)(_phi),
    "GAUSS": lifted(number)(lambda z: _normal(z) - 0.5),
    "LOGNORM.DIST": lognorm_dist,
    "LOGNORM.INV": lognorm_inv,
    "LOGINV": lognorm_inv,
    "CONFIDENCE": confidence_norm,
    "CONFIDENCE.NORM": confidence_norm,
    "CONFIDENCE.T": confidence_t,
    "POISSON": poisson,
    "POISSON.DIST": poisson,
    "BINOMDIST": binomial,
    "BINOM.DIST": binomial,
    "GAMMALN": gammaln,
    "GAMMALN.PRECISE": gammaln,
    "GAMMA": gamma,
    "GAMMA.DIST": gamma_dist,
    "GAMMADIST": gamma_dist,
    "GAMMA.INV": gamma_inv,
    "GAMMAINV": gamma_inv,
    "BETA.DIST": beta_dist,
    "BETA.INV": beta_inv,
    "BETAINV": beta_inv,
    "CHISQ.DIST": chisq_dist,
    "CHISQ.DIST.RT": chisq_dist_rt,
    "CHIDIST": chisq_dist_rt,
    "CHISQ.INV": chisq_inv,
    "CHISQ.INV.RT": chisq_inv_rt,
    "CHIINV": chisq_inv_rt,
    "T.DIST": t_dist,
    "T.DIST.RT": t_dist_rt,
    "T.DIST.2T": t_dist_2t,
    "T.INV": t_inv,
    "T.INV.2T": t_inv_2t,
    "TINV": t_inv_2t,
    "F.DIST": f_dist,
    "F.DIST.RT": f_dist_rt,
    "FDIST": f_dist_rt,
    "F.INV": f_inv,
    "F.INV.RT": f_inv_rt,
    "FINV": f_inv_rt,
    "PROB": prob,
    "FREQUENCY": frequency,
}
