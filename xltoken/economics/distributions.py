"""Uncertain inputs: their distributions, and how they are drawn together.

An input is a monotone function of one standard normal, so that inputs are made to move together by
correlating their normals (a Gaussian copula) and keep their own distributions untouched. The rank
correlation asked for is turned into the one of the normals by ``2 sin(pi rho / 6)``: Kruskal
(1958), "Ordinal measures of association", Journal of the American Statistical Association 53.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from xltoken.economics.discounting import FloatArray
from xltoken.economics.domain import DomainError, require
from xltoken.economics.simulation import normals

_PERT_WEIGHT: Final = 4.0
"""What the mode of a PERT distribution weighs against each end: Malcolm and others (1959)."""
_SMALLEST_EIGENVALUE: Final = 1e-9
_RAREST: Final = 1e-100


@dataclass(frozen=True, slots=True)
class Distribution:
    """What an uncertain input may be.

    Parameters
    ----------
    family : str
        One of :data:`FAMILIES`.
    parameters : tuple of float
        Those of its family, in its order; for ``discrete`` the values, ascending.
    chances : tuple of float
        Chances of the values of a ``discrete`` one; else empty.
    mean, sd : float
        Its mean and standard deviation, in closed form.
    """

    family: str
    parameters: tuple[float, ...]
    chances: tuple[float, ...]
    mean: float
    sd: float

    def at(self, normal: FloatArray) -> FloatArray:
        """Values at standard normals: the inverse distribution function of their probability.

        Examples
        --------
        >>> normal(2, 0.3).at(np.array([-1.0, 0.0, 1.0])).tolist()
        [1.7, 2.0, 2.3]
        """
        return _VALUES[self.family](self, normal)

    def __str__(self) -> str:
        if self.chances:
            pairs = zip(self.parameters, self.chances, strict=True)
            return f"discrete({', '.join(f'{value:g}:{chance:g}' for value, chance in pairs)})"
        return f"{self.family}({', '.join(f'{parameter:g}' for parameter in self.parameters)})"


def normal(mean: float, sd: float) -> Distribution:
    """Bell curve with this mean and standard deviation; it has values of both signs."""
    _require_finite("normal", mean, sd)
    require(sd > 0, f"normal: the standard deviation is above 0; it is {sd:g}.")
    return Distribution("normal", (mean, sd), (), mean, sd)


def lognormal(mean: float, sd: float) -> Distribution:
    """Skewed and above 0; `mean` and `sd` are those of the value itself, not of its logarithm."""
    _require_finite("lognormal", mean, sd)
    require(mean > 0, f"lognormal: the mean is above 0; it is {mean:g}.")
    require(sd > 0, f"lognormal: the standard deviation is above 0; it is {sd:g}.")
    ratio = sd / mean
    require(
        0.0 < ratio * ratio < math.inf,
        f"lognormal: a standard deviation of {sd:g} is out of proportion to a mean of {mean:g}.",
    )
    return Distribution("lognormal", (mean, sd), (), mean, sd)


def uniform(low: float, high: float) -> Distribution:
    """Every value between two ends, each as likely as any other."""
    _require_finite("uniform", low, high, high - low)
    require(low < high, f"uniform: low is below high; they are {low:g} and {high:g}.")
    return Distribution("uniform", (low, high), (), low + (high - low) / 2, (high - low) / 12**0.5)


def triangular(low: float, mode: float, high: float) -> Distribution:
    """Two ends that are never passed and the likeliest value; straight lines between."""
    _require_ends("triangular", low, mode, high)
    width, share = high - low, (mode - low) / (high - low)
    mean = low + width * (1.0 + share) / 3.0
    sd = width * math.sqrt((1.0 - share * (1.0 - share)) / 18.0)
    return Distribution("triangular", (low, mode, high), (), mean, sd)


def pert(low: float, mode: float, high: float) -> Distribution:
    """Two ends and the likeliest value, as a smooth curve: beta, the mode weighing 4."""
    _require_ends("pert", low, mode, high)
    alpha, beta = _pert_shape(low, mode, high)
    width, total = high - low, alpha + beta
    mean = low + width * alpha / total
    sd = width * math.sqrt(alpha * beta / (total + 1.0)) / total
    return Distribution("pert", (low, mode, high), (), mean, sd)


def discrete(chances: Mapping[float, float]) -> Distribution:
    """Value by value with its chance; the chances add up to 1."""
    require(chances, "discrete: there is 1 value or more.")
    _require_finite("discrete", *chances, *chances.values())
    require(
        all(chance > 0 for chance in chances.values()),
        "discrete: every chance is above 0.",
    )
    total = math.fsum(chances.values())
    require(abs(total - 1.0) < 1e-9, f"discrete: the chances add up to 1; they make {total:.10g}.")
    values = tuple(sorted(chances))
    shares = tuple(chances[value] / total for value in values)
    mean = math.fsum(value * share for value, share in zip(values, shares, strict=True))
    away = [(value - mean) * math.sqrt(share) for value, share in zip(values, shares, strict=True)]
    return Distribution("discrete", values, shares, mean, math.hypot(*away))


FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "normal": ("mean", "sd"),
    "lognormal": ("mean", "sd"),
    "triangular": ("low", "mode", "high"),
    "uniform": ("low", "high"),
    "pert": ("low", "mode", "high"),
    "discrete": ("value:chance", "..."),
}
"""Families of distributions and what their brackets hold."""

_MADE: Final[Mapping[str, Callable[..., Distribution]]] = {
    "normal": normal,
    "lognormal": lognormal,
    "triangular": triangular,
    "uniform": uniform,
    "pert": pert,
}


def read_distribution(text: str) -> Distribution:
    """Read a distribution as it is written: ``normal(2, 0.3)``, ``discrete(1:0.25, 2:75%)``.

    Raises
    ------
    DomainError
        If it is none, or a number lies outside its domain.

    Examples
    --------
    >>> read_distribution("triangular(1, 20%, 3)")
    Traceback (most recent call last):
    xltoken.economics.domain.DomainError: triangular: low <= mode <= high; they are 1, 0.2, 3.
    """
    name, bracket, rest = text.strip().partition("(")
    family = name.strip().lower()
    known = "; ".join(f"{name}({', '.join(takes)})" for name, takes in FAMILIES.items())
    require(
        bracket and rest.endswith(")") and family in FAMILIES,
        f"{text.strip()!r} is no distribution; write one of: {known}.",
    )
    written = [part.strip() for part in rest[:-1].split(",")]
    if family == "discrete":
        chances: dict[float, float] = {}
        for part in written:
            value, colon, chance = part.partition(":")
            require(colon, f"discrete: {part!r} is no value:chance, e.g. 2:0.25.")
            found = _number(family, value)
            require(found not in chances, f"discrete: the value {found:g} stands there twice.")
            chances[found] = _number(family, chance)
        return discrete(chances)
    takes = FAMILIES[family]
    require(
        len(written) == len(takes),
        f"{family} takes {len(takes)} numbers, {family}({', '.join(takes)}); {text.strip()} has "
        f"{len(written)}.",
    )
    return _MADE[family](*(_number(family, part) for part in written))


def copula(names: Sequence[str], pairs: Mapping[tuple[int, int], float]) -> FloatArray:
    """Matrix that turns independent normals into normals of inputs that move together.

    Parameters
    ----------
    names : sequence of str
        Names of the inputs, for messages.
    pairs : mapping of (int, int) to float
        Rank correlation (Spearman) of pairs of inputs, each strictly between -1 and 1; the pairs
        that are not named are uncorrelated.

    Returns
    -------
    ndarray, shape (inputs, inputs)
        Lower triangle: the Cholesky factor of the correlation of the normals.

    Raises
    ------
    DomainError
        If a correlation is outside its domain, or the pairs contradict each other.

    Examples
    --------
    >>> copula(["price", "volume"], {(0, 1): -0.5}).round(3).tolist()
    [[1.0, 0.0], [-0.518, 0.856]]
    """
    matrix = np.eye(len(names))
    for (one, other), rank in pairs.items():
        both = f"{names[one]} and {names[other]}"
        require(one != other, f"correlation of {both}: an input moves with itself anyway.")
        require(
            -1 < rank < 1,
            f"correlation of {both}: it lies between -1 and 1, ends excluded; it is {rank:g}.",
        )
        matrix[one, other] = matrix[other, one] = 2.0 * math.sin(math.pi * rank / 6.0)
    sizes, directions = np.linalg.eigh(matrix)
    if len(names) and sizes[0] < _SMALLEST_EIGENVALUE:
        # The inputs that the impossible direction is made of are those that contradict.
        part = np.abs(directions[:, 0]) > 1e-6
        told = ", ".join(
            f"{names[one]} and {names[other]} {rank:g}"
            for (one, other), rank in pairs.items()
            if part[one] and part[other]
        )
        raise DomainError(
            f"these correlations contradict each other: {told}; what moves with the same input "
            "must also move together. Bring them nearer to 0, or name the missing pairs."
        )
    return np.asarray(np.linalg.cholesky(matrix))


def draw(
    distributions: Sequence[Distribution], factor: FloatArray, points: int, seed: int
) -> FloatArray:
    """Draw inputs together: scrambled Sobol normals, correlated, each in its own distribution.

    Parameters
    ----------
    distributions : sequence of Distribution
        One an input.
    factor : ndarray, shape (inputs, inputs)
        What :func:`copula` gives.
    points : int
        Number of points; a power of 2 keeps the sequence balanced.
    seed : int
        Seed of the scrambling, 0 or more; the same seed gives the same points.

    Returns
    -------
    ndarray, shape (points, inputs)

    Raises
    ------
    DomainError
        If a value that is drawn is beyond every number.
    """
    require(points >= 1, f"a simulation has 1 point or more; it has {points}.")
    require(seed >= 0, f"a seed is 0 or more; it is {seed}.")
    drawn = np.empty((points, len(distributions)))
    for begin, block in normals(len(distributions), points, seed):
        rows = drawn[begin : begin + block.shape[1]]
        for column, distribution in enumerate(distributions):
            # Summed in this order, and not as a matrix product, whose order is the machine's own.
            normal: FloatArray = factor[column, 0] * block[0]
            for other in range(1, column + 1):
                normal += factor[column, other] * block[other]
            with np.errstate(over="ignore"):
                rows[:, column] = distribution.at(normal)
    require(bool(np.all(np.isfinite(drawn))), "a value that is drawn is beyond every number.")
    return drawn


def power_of_two(points: int) -> int:
    """Smallest power of 2 that is not below `points`."""
    return 1 << (max(points, 1) - 1).bit_length()


def _number(family: str, text: str) -> float:
    bare = text.strip()
    try:
        return float(bare.removesuffix("%")) / (100.0 if bare.endswith("%") else 1.0)
    except ValueError:
        raise DomainError(f"{family}: {bare!r} is no number.") from None


def _require_finite(family: str, *numbers: float) -> None:
    require(all(map(math.isfinite, numbers)), f"{family}: its numbers are finite.")


def _require_ends(family: str, low: float, mode: float, high: float) -> None:
    _require_finite(family, low, mode, high, high - low)
    require(
        low <= mode <= high,
        f"{family}: low <= mode <= high; they are {low:g}, {mode:g}, {high:g}.",
    )
    require(low < high, f"{family}: low is below high; both are {low:g}.")


def _pert_shape(low: float, mode: float, high: float) -> tuple[float, float]:
    share = (mode - low) / (high - low)
    return 1.0 + _PERT_WEIGHT * share, 1.0 + _PERT_WEIGHT * (1.0 - share)


def _normal_values(of: Distribution, normal: FloatArray) -> FloatArray:
    mean, sd = of.parameters
    return mean + sd * normal


def _lognormal_values(of: Distribution, normal: FloatArray) -> FloatArray:
    mean, sd = of.parameters
    variance = math.log1p((sd / mean) * (sd / mean))
    return mean * np.exp(math.sqrt(variance) * normal - variance / 2.0)


def _uniform_values(of: Distribution, normal: FloatArray) -> FloatArray:
    low, high = of.parameters
    lower, upper = _tails(normal)
    return np.where(lower < upper, low + (high - low) * lower, high - (high - low) * upper)


def _triangular_values(of: Distribution, normal: FloatArray) -> FloatArray:
    low, mode, high = of.parameters
    lower, upper = _tails(normal)
    rising = low + np.sqrt(lower * (high - low) * (mode - low))
    falling = high - np.sqrt(upper * (high - low) * (high - mode))
    return np.where(lower * (high - low) < mode - low, rising, falling)


def _pert_values(of: Distribution, normal: FloatArray) -> FloatArray:
    from scipy.special import betaincinv

    low, mode, high = of.parameters
    alpha, beta = _pert_shape(low, mode, high)
    lower, upper = _tails(normal)
    # Each half from its own end, where 1 - p would lose digits; the clip keeps out probabilities
    # for which scipy has nan, far beyond the last one whose value differs from the end.
    below, above = (np.clip(share, _RAREST, 0.5) for share in (lower, upper))
    rising: FloatArray = low + (high - low) * betaincinv(alpha, beta, below)
    falling: FloatArray = high - (high - low) * betaincinv(beta, alpha, above)
    return np.where(lower < upper, rising, falling)


def _discrete_values(of: Distribution, normal: FloatArray) -> FloatArray:
    # The last edge is left out: rounding may put it below a probability that is drawn.
    places = np.searchsorted(np.cumsum(of.chances)[:-1], _tails(normal)[0], side="left")
    values: FloatArray = np.asarray(of.parameters)[places]
    return values


def _tails(normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probability below a standard normal, and above it."""
    from scipy.special import ndtr

    return np.asarray(ndtr(normal)), np.asarray(ndtr(-normal))


_VALUES: Final[Mapping[str, Callable[[Distribution, FloatArray], FloatArray]]] = {
    "normal": _normal_values,
    "lognormal": _lognormal_values,
    "uniform": _uniform_values,
    "triangular": _triangular_values,
    "pert": _pert_values,
    "discrete": _discrete_values,
}
