"""Bessel functions of the first and second kind as Excel approximates them.

Excel uses the rational approximations of Abramowitz and Stegun and of Hart, right to some eight
digits, and recurrences from there; a more exact value would not be the one in the cell.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from xltoken.recalc.builtins.arguments import lifted, plain_integer, plain_number, require

_TWO_OVER_PI: Final = 0.636619772
_START: Final = 40.0
_BIG: Final = 1e10
_SMALL: Final = 1e-10
_HIGHEST: Final = 100_000
_TINY: Final = 1e-6

_J0: Final = (
    (57568490574.0, -13362590354.0, 651619640.7, -11214424.18, 77392.33017, -184.9052456),
    (57568490411.0, 1029532985.0, 9494680.718, 59272.64853, 267.8532712, 1.0),
)
_Y0: Final = (
    (-2957821389.0, 7062834065.0, -512359803.6, 10879881.29, -86327.92757, 228.4622733),
    (40076544269.0, 745249964.8, 7189466.438, 47447.26470, 226.1030244, 1.0),
)
_FAR0: Final = (
    (1.0, -0.1098628627e-2, 0.2734510407e-4, -0.2073370639e-5, 0.2093887211e-6),
    (-0.1562499995e-1, 0.1430488765e-3, -0.6911147651e-5, 0.7621095161e-6, -0.934935152e-7),
)
_J1: Final = (
    (72362614232.0, -7895059235.0, 242396853.1, -2972611.439, 15704.48260, -30.16036606),
    (144725228442.0, 2300535178.0, 18583304.74, 99447.43394, 376.9991397, 1.0),
)
_Y1: Final = (
    (-0.4900604943e13, 0.1275274390e13, -0.5153438139e11, 0.7349264551e9, -0.4237922726e7,
     0.8511937935e4),
    (0.2499580570e14, 0.4244419664e12, 0.3733650367e10, 0.2245904002e8, 0.1020426050e6,
     0.3549632885e3, 1.0),
)  # fmt: skip
_FAR1: Final = (
    (1.0, 0.183105e-2, -0.3516396496e-4, 0.2457520174e-5, -0.240337019e-6),
    (0.04687499995, -0.2002690873e-3, 0.8449199096e-5, -0.88228987e-6, 0.105787412e-6),
)


@lifted(plain_number, plain_integer)
def besselj(x: float, order: int) -> float:
    """Bessel function of the first kind."""
    require(0 <= order <= _HIGHEST)
    if order == 0:
        return _j0(x)
    if order == 1:
        return _j1(x)
    found = _jn(abs(x), order)
    return -found if x < 0.0 and order % 2 else found


@lifted(plain_number, plain_integer)
def bessely(x: float, order: int) -> float:
    """Bessel function of the second kind."""
    require(0 <= order <= _HIGHEST and x > 0.0)
    before, found = _y0(x), _y1(x)
    if order == 0:
        return before
    for step in range(1, order):
        before, found = found, step * 2.0 / x * found - before
    return found


def _series(coefficients: Sequence[float], y: float) -> float:
    found = 0.0
    for coefficient in reversed(coefficients):
        found = coefficient + y * found
    return found


def _far(
    x: float, parts: tuple[Sequence[float], Sequence[float]], shift: float
) -> tuple[float, float, float]:
    z = 8.0 / x
    return x - shift, _series(parts[0], z * z), z * _series(parts[1], z * z)


def _j0(x: float) -> float:
    size = abs(x)
    if size < 8.0:
        return _series(_J0[0], x * x) / _series(_J0[1], x * x)
    angle, first, second = _far(size, _FAR0, 0.785398164)
    return math.sqrt(_TWO_OVER_PI / size) * (math.cos(angle) * first - math.sin(angle) * second)


def _j1(x: float) -> float:
    size = abs(x)
    if size < 8.0:
        return x * _series(_J1[0], x * x) / _series(_J1[1], x * x)
    angle, first, second = _far(size, _FAR1, 2.356194491)
    found = math.sqrt(_TWO_OVER_PI / size) * (math.cos(angle) * first - math.sin(angle) * second)
    return -found if x < 0.0 else found


def _y0(x: float) -> float:
    if x < 8.0:
        ratio = _series(_Y0[0], x * x) / _series(_Y0[1], x * x)
        return ratio + _TWO_OVER_PI * _j0(x) * math.log(x)
    angle, first, second = _far(x, _FAR0, 0.785398164)
    return math.sqrt(_TWO_OVER_PI / x) * (math.sin(angle) * first + math.cos(angle) * second)


def _y1(x: float) -> float:
    if x < 8.0:
        ratio = x * _series(_Y1[0], x * x) / _series(_Y1[1], x * x)
        return ratio + _TWO_OVER_PI * (_j1(x) * math.log(x) - 1.0 / x)
    angle, first, second = _far(x, _FAR1, 2.356194491)
    return math.sqrt(_TWO_OVER_PI / x) * (math.sin(angle) * first + math.cos(angle) * second)


def _jn(x: float, order: int) -> float:
    """Upward recurrence where it is stable, else downward from far above, scaled by the sum."""
    if x < _TINY:
        return (x / 2.0) ** order / math.factorial(order) if order < 100 else 0.0
    if x > order:
        before, found = _j0(x), _j1(x)
        for step in range(1, order):
            before, found = found, step * 2.0 / x * found - before
        return found
    start = 2 * ((order + int(math.sqrt(_START * order))) // 2)
    counts, answer, total = False, 0.0, 0.0
    above, found = 0.0, 1.0
    for step in range(start, 0, -1):
        below = step * 2.0 / x * found - above
        above, found = found, below
        if abs(found) > _BIG:
            found, above, answer, total = (v * _SMALL for v in (found, above, answer, total))
        if counts:
            total += found
        counts = not counts
        if step == order:
            answer = above
    return answer / (2.0 * total - found)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"BESSELJ": besselj, "BESSELY": bessely}
