"""What a sample of results shows: which input drives it, and its histogram."""

import math
from typing import Final

import numpy as np

from xltoken.economics.discounting import FloatArray
from xltoken.economics.domain import require

MOST_BINS: Final = 40
"""Bars of a histogram that a reader still tells apart."""

_ROUND_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_NARROWEST, _WIDEST = 1e-290, 1e300
"""Ranges beyond which a step or an edge is no number."""


def rank_correlation(inputs: FloatArray, results: FloatArray) -> float:
    """Spearman's rank correlation of two samples, ties at their mean rank; nan if one is constant.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0]))
    1.0
    """
    from scipy.stats import rankdata

    one, other = (rankdata(sample) - (len(sample) + 1) / 2.0 for sample in (inputs, results))
    # Sums of squares of halves: whole numbers of quarters, the same in any order of adding.
    size = math.sqrt(float(np.sum(one * one)) * float(np.sum(other * other)))
    return float(np.sum(one * other)) / size if size else math.nan


def histogram(values: FloatArray, most: int = MOST_BINS) -> tuple[FloatArray, list[int]]:
    """Bins of a sample, as wide as Freedman and Diaconis (1981) say, widened to a round step.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value or more, finite.
    most : int
        Largest number of bins; wider bins are taken where the rule asks for more.

    Returns
    -------
    edges, counts : ndarray of shape (bins + 1,), list of int
        Multiples of the step, the first at or below the smallest value and the last above the
        largest; a bin holds its lower edge. One bin from the smallest to the largest value where
        they are equal, or so near or far that no step divides their range.

    Raises
    ------
    DomainError
        If there are no values.

    Examples
    --------
    >>> edges, counts = histogram(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]))
    >>> edges.tolist(), counts
    ([0.0, 5.0, 10.0], [5, 3])
    """
    require(len(values) > 0, "a histogram has 1 value or more.")
    low, high = float(np.min(values)), float(np.max(values))
    half = high / 2 - low / 2  # of the range itself, which may be beyond every number
    if not _NARROWEST < half < _WIDEST or half < 1e-12 * max(abs(low), abs(high)):
        return np.array([low, high]), [len(values)]
    quarter, three = np.percentile(values, (25, 75))
    width = max(2.0 * float(three - quarter) / len(values) ** (1 / 3), 2.0 * half / most)
    step = _round_step(width)
    while math.floor(high / step) - math.floor(low / step) >= most:
        step = _round_step(step * 1.1)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    places = np.floor(values / step).astype(np.int64) - first
    edges = np.arange(first, last + 1, dtype=np.float64) * step
    return edges, np.bincount(places, minlength=last - first).tolist()


def _round_step(width: float) -> float:
    """Smallest of 1, 2, 2.5, 5 times a power of 10 that is not below `width`."""
    power = 10.0 ** math.floor(math.log10(width))
    return next((step * power for step in _ROUND_STEPS if step * power >= width), 20.0 * power)
