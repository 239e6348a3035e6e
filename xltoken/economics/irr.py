"""Every internal rate of return of a row of cash flows.

With ``v = 1 / (1 + rate)`` the value of the flows is ``g(v) = sum of c_t v^t``, and each positive
root of g is a rate above -1. Excel's IRR gives the root that happens to lie near its guess; here
all are isolated. Put theta between two flows of opposite sign: ``d/dv (v^-theta g)`` has the
coefficients ``(t - theta) c_t``, one sign change fewer, and between its neighbouring roots
``v^-theta g`` is monotone, so g has one root at most there. Repeating this ends at coefficients of
one sign, which have no root (Laguerre's proof of Descartes' rule).

All of it happens in ``x = ln v``, where hundreds of flows neither overflow nor underflow. Floats
decide a sign wherever they can; where the flows cancel too far, whole numbers decide it exactly.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from xltoken.economics.discounting import FloatArray
from xltoken.economics.domain import require, require_finite

FLAT: Final = 1e-12
"""A turning point where no larger share of the flows is left is a root: floats cannot tell a curve
that touches zero from one that just misses it or crosses it twice."""
APART: Final = 1e-9
"""Precision in x of what only keeps roots apart: nearer ones are one to a float."""
MOST_WORK: Final = 400_000
"""Sign changes x periods that are taken on: 600 months that all change sign are under it."""
_EPSILON: Final = 2.0**-52


def internal_rates(cashflows: FloatArray, periods_per_year: float = 1.0) -> FloatArray:
    """Every real rate above -1 at which the cash flows are worth nothing.

    Parameters
    ----------
    cashflows : ndarray, shape (periods,)
        USD per period; the first falls at time 0. Outflows negative.
    periods_per_year : float, default 1
        Above 0: 1 for yearly flows, 12 for monthly ones.

    Returns
    -------
    ndarray, shape (roots,)
        Effective annual rates, ascending: ``(1 + rate per period) ** periods_per_year - 1``. A
        root that is met twice stands once. At each the flows cancel to 1e-10 of their size.

    Raises
    ------
    DomainError
        If no rate will do, every rate will do (all flows 0), a rate is beyond every number, or
        the flows change sign too often (`MOST_WORK`).

    Notes
    -----
    Method: E. Laguerre, "Sur la theorie des equations numeriques" (1883), as told in G. Polya and
    G. Szego, Problems and Theorems in Analysis, part V, chapter 1.

    Examples
    --------
    >>> internal_rates(np.array([-100.0, 230.0, -132.0])).round(12)
    array([0.1, 0.2])
    """
    require_finite(periods_per_year=periods_per_year)
    require(
        periods_per_year > 0,
        f"periods_per_year is a number above 0, 12 for months; it is {periods_per_year:g}.",
    )
    require(np.all(np.isfinite(cashflows)), "every cash flow must be a finite number.")
    require(np.any(cashflows), "all cash flows are 0: every rate is a rate of return.")
    flows = _Powers.of(cashflows)
    require(
        flows.gaps,
        "the cash flows have no rate of return: all have one sign; outflows are negative.",
    )
    require(
        len(flows.gaps) * flows.times[-1] <= MOST_WORK,
        f"{len(cashflows)} cash flows that change sign {len(flows.gaps)} times are too many: "
        "add them up over quarters or years.",
    )
    roots = _roots(flows)
    require(
        roots,
        "the cash flows have no rate of return: at every rate their present value is "
        f"{'above' if flows.sign(0.0) > 0 else 'below'} 0.",
    )
    with np.errstate(over="ignore"):
        rates = np.expm1(-periods_per_year * np.array(sorted(roots, reverse=True))) + 0.0
    require(
        np.all(np.isfinite(rates)) and np.all(rates > -1),
        "a rate of return of these cash flows is beyond every number once annualised, or too "
        "close to -100 % to be told from it.",
    )
    return rates


@dataclass(frozen=True)
class _Powers:
    """A sum of ``c_t e^(t x)``, its coefficients whole numbers other than 0 in the order of t."""

    times: tuple[int, ...]
    coefficients: tuple[int, ...]

    @classmethod
    def of(cls, cashflows: FloatArray) -> "_Powers":
        """Cash flows as whole numbers, exactly: floats are fractions of powers of 2."""
        times = tuple(int(t) for t in np.flatnonzero(cashflows))
        ratios = [float(cashflows[t]).as_integer_ratio() for t in times]
        unit = max(denominator for _, denominator in ratios)
        return cls(times, tuple(number * (unit // under) for number, under in ratios))

    @cached_property
    def gaps(self) -> list[int]:
        """Where the sign changes: twice the time half way between the two flows."""
        neighbours = pairwise(zip(self.times, self.coefficients, strict=True))
        return [s + t for (s, one), (t, other) in neighbours if (one > 0) != (other > 0)]

    def turned(self, gap: int) -> "_Powers":
        """Twice the slope of ``e^(-theta x)`` times the sum, in units of ``e^(-theta x)``."""
        paired = zip(self.times, self.coefficients, strict=True)
        return _Powers(self.times, tuple((2 * t - gap) * c for t, c in paired))

    def returned(self, gap: int) -> "_Powers":
        """The sum of which :meth:`turned` made this one."""
        paired = zip(self.times, self.coefficients, strict=True)
        return _Powers(self.times, tuple(c // (2 * t - gap) for t, c in paired))

    @cached_property
    def _floats(self) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        logs = np.array([math.log(abs(c)) for c in self.coefficients])
        signs = np.array([1.0 if c > 0 else -1.0 for c in self.coefficients])
        return np.array(self.times, dtype=np.float64), logs, signs, float(np.max(np.abs(logs)))

    def sign(self, x: float) -> int:
        """Sign of the sum at x; 0 only where it is 0."""
        times, logs, signs, largest = self._floats
        exponents = logs + times * x
        terms = np.exp(exponents - exponents.max())
        total, size = float(terms @ signs), float(terms.sum())
        noise = 4.0 * _EPSILON * (largest + times[-1] * abs(x) + len(times))
        if abs(total) > noise * size:
            return 1 if total > 0 else -1
        exact = self._exact(self.coefficients, x)
        return (exact > 0) - (exact < 0)

    def left(self, x: float) -> Fraction:
        """What is left at x when the flows have cancelled, as a share of their size."""
        sizes = tuple(abs(c) for c in self.coefficients)
        return abs(Fraction(self._exact(self.coefficients, x), self._exact(sizes, x)))

    def _exact(self, coefficients: tuple[int, ...], x: float) -> int:
        """The sum in a unit of its own, at the float next to e^x, by Horner's rule."""
        power = round(x / math.log(2.0))
        mantissa, under = math.exp(x - power * math.log(2.0)).as_integer_ratio()
        # e^x is mantissa x 2^power; below 0 its halvings are left undone and counted in `shift`.
        power -= under.bit_length() - 1
        mantissa <<= max(power, 0)
        halvings = max(-power, 0)
        total = shift = 0
        later = self.times[-1]
        for t, c in zip(reversed(self.times), reversed(coefficients), strict=True):
            total *= mantissa ** (later - t)
            shift += halvings * (later - t)
            total += c << shift
            later = t
        return total

    def bounds(self) -> tuple[float, float]:
        """Two numbers between which all roots lie (Fujiwara's bound from both ends)."""
        times, logs, _, _ = self._floats
        low = np.max((logs[1:] - logs[0]) / (times[1:] - times[0]))
        high = np.max((logs[:-1] - logs[-1]) / (times[-1] - times[:-1]))
        return float(-1.0 - low), float(1.0 + high)


def _roots(flows: _Powers) -> list[float]:
    """Every root of the flows, in x; each once."""
    low, high = flows.bounds()
    level, separators = flows, [low, high]
    for gap in flows.gaps:
        level = level.turned(gap)
    for above, gap in reversed(list(enumerate(flows.gaps))):
        # The first level has one sign and no root. Only the turning points of the flows
        # themselves can be roots; those of turning points serve to keep roots apart.
        separators = [low, *_crossings(level, separators, APART if above else 0.0), high]
        level = level.returned(gap)
    turns = separators[1:-1]
    touching = [flows.left(x) <= FLAT for x in turns]
    roots = [min(run, key=flows.left) for run in _runs(turns, touching)]
    # Beside a turning point where the flows cancel, a crossing is that same root once more.
    for (a, flat_a), (b, flat_b) in pairwise(
        zip(separators, [False, *touching, False], strict=True)
    ):
        if not (flat_a or flat_b):
            roots += _crossings(flows, [a, b])
    return roots


def _crossings(powers: _Powers, separators: Sequence[float], precision: float = 0.0) -> list[float]:
    """Points where the sum changes sign, one at most between neighbouring separators."""
    found = []
    signs = [powers.sign(x) for x in separators]
    for (a, sign_a), (b, sign_b) in pairwise(zip(separators, signs, strict=True)):
        if sign_a * sign_b < 0:
            found.append(_bisected(powers, a, b, sign_a, precision))
        elif sign_b == 0:
            found.append(b)
    return found


def _bisected(powers: _Powers, a: float, b: float, sign_a: int, precision: float) -> float:
    """Where the sum changes sign between a and b, to a precision; 0 for the last bit."""
    while a < (middle := a + (b - a) / 2) < b and b - a > precision:
        sign = powers.sign(middle)
        if sign == 0:
            return middle
        if sign == sign_a:
            a = middle
        else:
            b = middle
    return b


def _runs(points: Sequence[float], marks: Sequence[bool]) -> Iterator[list[float]]:
    """Marked points, those that stand side by side together."""
    run: list[float] = []
    for point, mark in zip([*points, 0.0], [*marks, False], strict=True):
        if mark:
            run.append(point)
        elif run:
            yield run
            run = []
