"""What a program may be worth when declines, prices and volumes are uncertain.

A path draws three standard normals: how much slower than expected the unit cost and the price fall,
and how much more is sold. At tau months the unit cost is the expected one times
``exp(s Z - s^2 / 2)`` with ``s = sd x tau / 12``, and so is the price; every volume is the expected
one times ``exp(sd Z - sd^2 / 2)``. Each factor has mean 1, so the mean of the value is the value of
the expected path. The draws are a scrambled Sobol sequence (Owen 1998, "Scrambling Sobol' and
Niederreiter-Xing points", Journal of Complexity 14(4)): even, and the same for a seed everywhere.
"""

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from xltoken.economics.discounting import FloatArray, clock
from xltoken.economics.domain import require, require_finite

PERCENTILES: Final = (5, 10, 50, 90, 95)
"""Percentiles that a summary shows."""

_BLOCK: Final = 16_384
"""Paths worked on at a time: their vectors stay in the processor's cache."""
_KEPT: Final = 131_072
"""Draws of up to so many paths are kept: the cells of a workbook share seed and paths."""
_BITS: Final = 30
_HALF_STEP: Final = 0.5**_BITS / 2
"""Moves a draw from the lower end of its cell to the middle: never 0, whose normal is infinite."""
_FEWEST: Final = 8192
_UNSEEN: Final = 0.01


@dataclass(frozen=True, slots=True)
class Spreads:
    """How uncertain a program is.

    Parameters
    ----------
    cost_decline_sd, price_decline_sd : float, default 0
        Standard deviation of the yearly logarithm by which the unit cost and the price fall.
    volume_sd : float, default 0
        Standard deviation of the logarithm of all volumes together.
    correlation : float, default 0
        Between the cost and the price, in [-1, 1].

    Raises
    ------
    DomainError
        If a number lies outside the ranges above.
    """

    cost_decline_sd: float = 0.0
    price_decline_sd: float = 0.0
    volume_sd: float = 0.0
    correlation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("cost_decline_sd", "price_decline_sd", "volume_sd"):
            spread = getattr(self, name)
            require_finite(**{name: spread})
            require(spread >= 0, f"{name} is a standard deviation, 0 or more; it is {spread:g}.")
        require(
            -1 <= self.correlation <= 1,
            f"correlation lies between -1 and 1; it is {self.correlation:g}.",
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """What many paths say together.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation (of the paths as they are, divisor n), in their unit.
    percentiles : tuple of float
        Those of :data:`PERCENTILES`, by numpy's linear rule.
    chance_of_loss : float
        Share of the paths below 0.
    paths : int
        Number of paths.
    """

    mean: float
    sd: float
    percentiles: tuple[float, ...]
    chance_of_loss: float
    paths: int

    def rows(self) -> list[tuple[str, float]]:
        """Names and values, in the order in which they are shown."""
        named = [(f"p{p}", value) for p, value in zip(PERCENTILES, self.percentiles, strict=True)]
        ends = [("chance of loss", self.chance_of_loss), ("paths", float(self.paths))]
        return [("mean", self.mean), ("sd", self.sd), *named, *ends]


def summarize(values: FloatArray) -> Summary:
    """Sum up the results of many paths.

    Parameters
    ----------
    values : ndarray, shape (paths,)
        One result a path, in any unit.

    Returns
    -------
    Summary

    Raises
    ------
    DomainError
        If there are no values, or a figure is beyond every number.

    Examples
    --------
    >>> summary = summarize(np.array([-1.0, 1.0, 3.0]))
    >>> summary.mean, round(summary.sd, 6), round(summary.chance_of_loss, 6)
    (1.0, 1.632993, 0.333333)
    """
    mean, sd, percentiles = figures(values, PERCENTILES)
    return Summary(mean, sd, percentiles, float(np.mean(values < 0)), len(values))


def figures(
    values: FloatArray, percentiles: Sequence[float]
) -> tuple[float, float, tuple[float, ...]]:
    """Mean, standard deviation (divisor n) and percentiles (numpy's linear rule) of a sample.

    Raises
    ------
    DomainError
        If there are no values, or a figure is beyond every number.

    Examples
    --------
    >>> figures(np.array([1.0, 3.0]), (0, 50, 100))
    (2.0, 1.0, (1.0, 2.0, 3.0))
    """
    require(len(values) > 0, "a simulation has 1 path or more.")
    with np.errstate(over="ignore", invalid="ignore"):
        # From the first path on: paths that are all equal have exactly their value for a mean.
        away = values - values[0]
        # Scaled, so that no square overflows.
        scale = float(np.max(np.abs(away))) or 1.0
        shares = away / scale
        mean = float(values[0]) + float(np.mean(shares)) * scale
        sd = float(np.std(shares)) * scale
        found = tuple(np.percentile(values, percentiles).tolist())
    require(
        all(math.isfinite(figure) for figure in (mean, sd, *found)),
        "the values of the paths are beyond every number.",
    )
    return mean, sd, found


def simulate_npv(
    npv: float,
    revenues: FloatArray,
    costs: FloatArray,
    timing: str,
    spreads: Spreads,
    paths: int,
    seed: int,
) -> FloatArray:
    """Net present value of every path.

    Along a path the sum over the months is a polynomial in ``exp(sd Z / 12)`` with coefficients
    that all paths share, so that a path costs one multiplication and addition a month.

    Parameters
    ----------
    npv : float
        USD: value of the expected path, with all that is certain (investment, opex, tax savings).
    revenues, costs : ndarray, shape (months,)
        USD today: expected revenue and cost of each month, discounted and after tax, 0 or more.
    timing : {"end", "mid", "begin"}
        When in its month money moves, which says how old a decline is by then.
    spreads : Spreads
        How uncertain cost, price and volume are.
    paths : int
        Number of paths, 1 or more. They are the first of a sequence: more paths keep the old ones.
    seed : int
        Seed of the draws, 0 or more; the same seed gives the same paths.

    Returns
    -------
    ndarray, shape (paths,)
        USD. Without any spread, exactly `npv` for every path.

    Raises
    ------
    DomainError
        If a value is beyond every number, or the spreads are so wide over so many months that more
        than 1 % of the money lies on paths rarer than 1 in `paths` (or in 8192, if that is more):
        no sample shows the mean of such a program.

    Examples
    --------
    >>> later = np.array([0.0] * 11 + [100.0])
    >>> values = simulate_npv(-100.0, 0 * later, later, "end", Spreads(0.2), 1024, 1)
    >>> round(float(values.mean())), round(float(values.std()))
    (-100, 20)
    """
    require(paths >= 1, f"a simulation has 1 path or more; it has {paths}.")
    require(seed >= 0, f"a seed is 0 or more; it is {seed}.")
    require_finite(npv=npv)
    require(
        bool(np.all(np.isfinite(revenues)) and np.all(np.isfinite(costs))),
        "the revenues or costs of the program are beyond every number.",
    )
    months = clock(len(costs), timing)
    if not (np.any(revenues) or np.any(costs)):
        return np.full(paths, npv)
    values = np.empty(paths)
    mixed = math.sqrt((1.0 - spreads.correlation) * (1.0 + spreads.correlation))
    with np.errstate(over="ignore", invalid="ignore"):
        _require_seen(revenues, costs, months, spreads, paths)
        cost = _Line(costs, months, spreads.cost_decline_sd)
        revenue = _Line(revenues, months, spreads.price_decline_sd)
        margin = revenue.certain - cost.certain
        for begin, (one, two, three) in _normals(paths, seed):
            moved = revenue.along(spreads.correlation * one + mixed * two) - cost.along(one)
            sold = np.exp(spreads.volume_sd * three - spreads.volume_sd**2 / 2)
            # As a distance from the expected path: without a spread it is exactly 0.
            values[begin : begin + len(one)] = npv + (moved * sold - margin)
    require(np.all(np.isfinite(values)), "the value of a path is beyond every number.")
    return values


class _Line:
    """Revenue or cost of all months together, as a function of one normal."""

    def __init__(self, amounts: FloatArray, months: FloatArray, sd: float) -> None:
        spread = sd * months / 12.0
        # What is left of the last months is 0 where their spread is enormous: the power of it,
        # which may be infinite, is then never taken.
        kept = np.trim_zeros(amounts * np.exp(-spread * spread / 2.0), "b")
        self.coefficients: list[float] = kept[::-1].tolist()
        self.monthly_sd = sd / 12.0
        self.offset = float(months[0])
        self.certain = 0.0
        for amount in amounts[::-1].tolist():  # in the order of Horner's rule, to the same bits
            self.certain += amount

    def along(self, normal: FloatArray) -> FloatArray:
        """Sum over the months on each path, by Horner's rule."""
        if not self.coefficients:
            return np.zeros(len(normal))
        first, *others = self.coefficients
        total = np.full(len(normal), first)
        factor = np.exp(self.monthly_sd * normal)
        for coefficient in others:
            total *= factor
            total += coefficient
        # The clock begins at 0, 1/2 or 1; a power costs as much as many months.
        if self.offset == 1:
            total *= factor
        elif self.offset:
            total *= factor**self.offset
        return total


def normals(dimensions: int, paths: int, seed: int) -> Iterator[tuple[int, FloatArray]]:
    """Independent standard normals on a scrambled Sobol sequence, block by block.

    Parameters
    ----------
    dimensions : int
        Number of normals that a path draws.
    paths, seed : int
        As in :func:`simulate_npv`.

    Yields
    ------
    begin, block : int, ndarray of shape (dimensions, paths of the block)
        Number of the block's first path, and its normals; the block is read-only.

    Examples
    --------
    >>> [(begin, block.shape) for begin, block in normals(2, 8, 1)]
    [(0, (2, 8))]
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    sobol = qmc.Sobol(dimensions, scramble=True, bits=_BITS, seed=seed)
    # A sequence is balanced in blocks of powers of 2, so the first draw has such a size.
    size = min(_BLOCK, 1 << (paths - 1).bit_length())
    for begin in range(0, paths, size):
        points = sobol.random(size)[: paths - begin]
        block = ndtri(np.ascontiguousarray(points.T) + _HALF_STEP)
        block.flags.writeable = False
        yield begin, block


def _normals(paths: int, seed: int) -> Iterable[tuple[int, FloatArray]]:
    """Number of the first path of each block, and its normals, shape (3, paths of the block)."""
    return _kept(paths, seed) if paths <= _KEPT else normals(3, paths, seed)


@functools.lru_cache(maxsize=2)
def _kept(paths: int, seed: int) -> tuple[tuple[int, FloatArray], ...]:
    return tuple(normals(3, paths, seed))


def _require_seen(
    revenues: FloatArray, costs: FloatArray, months: FloatArray, spreads: Spreads, paths: int
) -> None:
    """Raise where a sample cannot show the mean.

    The mean of ``exp(s Z - s^2 / 2)`` is 1, and the share ``Phi(s - z)`` of it lies where Z is
    above z. Where s is large nearly all of it lies beyond the largest normal that is drawn, and
    the paths show next to nothing of the money that is expected.
    """
    from scipy.special import ndtr, ndtri

    largest = float(ndtri(1.0 - 1.0 / max(paths, _FEWEST)))
    money = unseen = 0.0
    # Scaled, so that no sum overflows.
    scale = max(float(np.max(revenues)), float(np.max(costs)))
    for amounts, sd in (
        (revenues, spreads.price_decline_sd),
        (costs, spreads.cost_decline_sd),
    ):
        width = np.hypot(sd * months / 12.0, spreads.volume_sd)
        money += float(np.sum(amounts / scale))
        unseen += float(np.sum(amounts / scale * ndtr(width - largest)))
    require(
        unseen <= _UNSEEN * money,
        f"the spreads are too wide for so many months: {unseen / money:.0%} of the money "
        f"lies on paths rarer than 1 in {max(paths, _FEWEST)}, so no mean can be shown; take a "
        "shorter horizon, smaller spreads or more paths.",
    )
