"""A cost curve read off observed costs: least squares on the logarithm of the cost.

Costs fall by shares, and their errors are shares, so the distance between a curve and a cost is
measured in natural logarithms.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from xltoken.economics.curves import SHAPES, Curve
from xltoken.economics.discounting import FloatArray
from xltoken.economics.domain import DomainError, require

_STEEPEST: Final = 20.0
"""A decay of more than e^-20 before the second month leaves nothing to tell its pace by."""
_LIMIT: Final = 1e6
_FLATTEST: Final = 1e-4
"""A decay by less than this share over all months is a straight line."""
_SHARES: Final = (-9.0, -6.0, -4.0, -2.5, -1.0, 0.0, 1.0, 2.5)
_PACES: Final = 24
_STARTS: Final = 4
_TIE: Final = 1e-12
"""Distance in logarithms below which two curves are told apart by rounding only."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted curve, and how far the costs lie from it.

    Parameters
    ----------
    curve : Curve
        Its `start` is the fitted cost at month 0, in the unit of the costs.
    rmse_log : float
        Root mean square distance in natural logarithms; 0.05 is about 5 %.
    n : int
        Number of costs.
    """

    curve: Curve
    rmse_log: float
    n: int


def fit(months: FloatArray, costs: FloatArray, shape: str = SHAPES[0]) -> Fit:
    """Fit a :class:`~xltoken.economics.curves.Curve` to costs by least squares on their logarithm.

    ``flat`` is the geometric mean; ``exponential`` a straight line through the logarithms;
    ``floor`` the best of nonlinear least squares from several starts, of the exponential curve and
    of the flat one, with a decline of 0 or more and a floor share between 0 and 1.

    Parameters
    ----------
    months : ndarray, shape (n,)
        Months at which the costs were observed, in any order; 2 distinct ones or more, 3 for
        shape ``floor``.
    costs : ndarray, shape (n,)
        Observed costs, above 0, in any unit (USD per 1M tokens in cells).
    shape : {"exponential", "flat", "floor"}
        Form of the curve.

    Returns
    -------
    Fit

    Raises
    ------
    DomainError
        If a number lies outside the ranges above, there are too few months, or what was observed
        does not determine a curve of that shape.

    Examples
    --------
    >>> found = fit(np.array([0.0, 6.0, 12.0]), np.array([0.4, 0.2, 0.1]))
    >>> round(found.curve.start, 12), round(found.curve.decline, 12), round(found.rmse_log, 12)
    (0.4, 0.75, 0.0)
    """
    require(shape in SHAPES, f"shape is one of {', '.join(SHAPES)}; it is {shape!r}.")
    require(
        len(months) == len(costs),
        f"months and costs must be of one length; they have {len(months)} and {len(costs)}.",
    )
    require(np.all(np.isfinite(months)), "every month must be a finite number.")
    require(
        np.all(np.isfinite(costs)) and np.all(costs > 0),
        "every cost must be above 0: the fit is made on its logarithm.",
    )
    first = float(months.min(initial=math.inf))
    span = float(months.max(initial=-math.inf)) - first
    require(math.isfinite(span) or len(months) == 0, "the months are too far apart.")
    u = (months - first) / (span or 1.0)
    distinct = np.unique(u)
    needed = 3 if shape == "floor" else 2
    require(
        len(distinct) >= needed,
        f"shape {shape} needs {needed} different months or more; there are {len(distinct)}.",
    )
    told = _Told(u, np.log(costs), first, span)
    if shape == "flat":
        best = told.flat()
    elif shape == "exponential":
        best = told.exponential()
    else:
        best = _floored(told, float(distinct[1]))
    return Fit(told.curve(best, shape), math.sqrt(best.squares / len(costs)), len(costs))


@dataclass(frozen=True, slots=True)
class _Form:
    """A curve as it is fitted: ``share + (1 - share) exp(-pace u)`` times its cost at u = 0.

    u runs from 0 at the first month to 1 at the last; `level` is the logarithm of the cost at
    u = 0, `squares` the sum of squared distances.
    """

    share: float
    pace: float
    level: float
    squares: float


@dataclass(frozen=True, slots=True)
class _Told:
    """What was observed, on the scale on which curves are fitted."""

    u: FloatArray
    logs: FloatArray
    first: float
    span: float

    def flat(self) -> _Form:
        return self.form(0.0, 0.0)

    def exponential(self) -> _Form:
        u = self.u - self.u.mean()
        # From the first cost on: costs that are all equal then have a slope of exactly 0.
        slope = float(u @ (self.logs - self.logs[0])) / float(u @ u)
        return self.form(0.0, -slope)

    def form(self, share: float, pace: float) -> _Form:
        """Curve of this share and pace, at the level that suits it best."""
        away = self.logs - _shape(self.u, share, pace)
        mean = float(away[0] + np.mean(away - away[0]))
        return _Form(share, pace, mean, float(np.sum((away - mean) ** 2)))

    def curve(self, form: _Form, shape: str) -> Curve:
        """Return the curve on the months themselves."""
        if shape == "flat":
            return Curve(_exp(form.level), shape="flat")
        rate = form.pace / self.span
        decline = 1.0 - _exp(-12.0 * rate) if rate < 0 else -math.expm1(-12.0 * rate)
        require(
            math.isfinite(decline) and decline < 1,
            "the costs change too fast for an annual decline; a month is too coarse a unit here.",
        )
        # Both parts of the curve at month 0; the level is that of the first month observed.
        falling = (1.0 - form.share) * _exp(rate * self.first)
        start = _exp(form.level) * (form.share + falling)
        require(
            math.isfinite(start) and start > 0,
            "month 0 is too far from the months observed; count them from a nearer one.",
        )
        if shape == "exponential":
            return Curve(start, decline)
        share = 1.0 if form.pace == 0 else form.share / (form.share + falling)
        return Curve(start, decline, shape="floor", floor_share=share)


def _shape(u: FloatArray, share: float, pace: float) -> FloatArray:
    """Logarithm of the curve that starts at 1."""
    if share == 0:
        return -pace * u
    return np.asarray(np.log(share + (1.0 - share) * np.exp(-pace * u)))


def _floored(told: _Told, second: float) -> _Form:
    """Find the best curve with a floor; `second` is u of the second month."""
    steepest = min(_STEEPEST / second, _LIMIT)
    forms = [told.flat()]
    straight = told.exponential()
    if straight.pace > 0:
        forms.append(straight)
    simple = min(forms, key=lambda form: form.squares)
    best = min(_polished(told, steepest), key=lambda form: form.squares)
    # A floor that only rounding asks for is none.
    if simple.squares <= best.squares * (1 + 1e-9) + len(told.logs) * _TIE**2:
        return simple
    if best.pace >= 0.99 * steepest:
        raise DomainError(
            "the costs reach their floor before the second month, so nothing tells how fast they "
            "fall; give months in between, or take shape exponential or flat."
        )
    return best


def _polished(told: _Told, steepest: float) -> Iterator[_Form]:
    """Local least squares from the best points of a grid over floor share and pace."""
    from scipy.optimize import least_squares

    paces = np.linspace(math.log(_FLATTEST * 10), math.log(steepest / 2), _PACES)
    grid = [(share, float(pace)) for share in _SHARES for pace in paces]
    grid.sort(key=lambda point: told.form(_expit(point[0]), math.exp(point[1])).squares)
    low, high = (-37.0, math.log(_FLATTEST)), (37.0, math.log(steepest))

    def distances(point: FloatArray) -> FloatArray:
        away = told.logs - _shape(told.u, _expit(point[0]), math.exp(point[1]))
        return np.asarray(away - away.mean())

    def slopes(point: FloatArray) -> FloatArray:
        share, pace = _expit(point[0]), math.exp(point[1])
        left = np.exp(-pace * told.u)
        other = _expit(-point[0])
        value = share + other * left
        columns = np.stack(
            [(1.0 - left) * share * other / value, -other * left * pace * told.u / value], axis=1
        )
        return np.asarray(columns.mean(axis=0) - columns)

    for point in grid[:_STARTS]:
        found = least_squares(  # type: ignore[operator] # scipy has a module of the same name
            distances, point, jac=slopes, bounds=(low, high), ftol=1e-15, xtol=1e-15, gtol=1e-15
        )
        yield told.form(_expit(found.x[0]), math.exp(found.x[1]))


def _expit(logit: float) -> float:
    """Share whose log odds are `logit`."""
    return 1.0 / (1.0 + math.exp(-logit))


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return math.inf
