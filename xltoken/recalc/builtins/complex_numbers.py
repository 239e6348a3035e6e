"""Complex numbers, which a sheet holds as texts such as 3+4i."""

import cmath
import math
import re
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    DIV0,
    VALUE,
    Failure,
    cells,
    general,
    lifted,
    number,
    plain_number,
    require,
    text,
    whole,
)

_FIGURE: Final = r"(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?"
_REAL: Final = re.compile(rf"[+-]?{_FIGURE}$", re.IGNORECASE | re.ASCII)
_IMAGINARY: Final = re.compile(
    rf"(?P<real>[+-]?{_FIGURE}(?=[+-]))?(?P<part>[+-]?(?:{_FIGURE})?)(?P<unit>[ij])$",
    re.IGNORECASE | re.ASCII,
)


def parsed(value: Any) -> tuple[complex, str]:
    """Complex number of a cell, and the letter of its unit ("" where it has none)."""
    if value is None:
        return 0j, ""
    if not isinstance(value, str):
        return complex(plain_number(value)), ""
    shown = value
    if _REAL.match(shown):
        return complex(float(shown)), ""
    match = _IMAGINARY.match(shown)
    require(match is not None and match["unit"] in "ij", "Num")
    assert match is not None
    part = match["part"]
    imaginary = float(part + "1" if part in ("", "+", "-") else part)
    return complex(float(match["real"] or 0.0), imaginary), match["unit"]


def shown(value: complex, unit: str = "i") -> str:
    """Complex number as a text, each part to 15 digits."""
    require(cmath.isfinite(value))
    real, imaginary = value.real, value.imag
    if imaginary == 0.0:
        return general(real)
    part = {1.0: "", -1.0: "-"}.get(imaginary, general(imaginary)) + (unit or "i")
    if real == 0.0:
        return part
    return general(real) + ("+" if imaginary > 0.0 else "") + part


@lifted(number, number, text)
def complex_(real: float, imaginary: float, unit: str = "i") -> str:
    """Complex number from its parts."""
    require(unit in ("i", "j", ""), VALUE)
    return shown(complex(real, imaginary), unit)


def _of_one(function: Callable[[complex], complex]) -> Callable[..., Any]:
    """Lifted function of a complex number that gives another."""

    def formula(value: tuple[complex, str]) -> str:
        try:
            return shown(function(value[0]), value[1])
        except (ValueError, ArithmeticError):
            raise Failure("Num") from None

    return lifted(parsed)(formula)


def _measure(function: Callable[[complex], float]) -> Callable[..., Any]:
    """Lifted function of a complex number that gives a real one."""
    return lifted(parsed)(lambda value: function(value[0]))


def _folded(function: Callable[[complex, complex], complex], start: complex) -> Callable[..., Any]:
    """Function of all complex numbers of ranges and values."""

    def formula(*values: Any) -> str:
        found = [parsed(cell) for value in values for cell in cells(value)]
        result = start
        for one, _ in found:
            result = function(result, one)
        return shown(result, _unit([unit for _, unit in found]))

    return whole(formula)


def _unit(units: list[str]) -> str:
    """Letter that all have; two different ones do not go together."""
    found = {unit for unit in units if unit}
    require(len(found) <= 1, VALUE)
    return found.pop() if found else "i"


@lifted(parsed, parsed)
def imsub(first: tuple[complex, str], second: tuple[complex, str]) -> str:
    """Difference."""
    return shown(first[0] - second[0], _unit([first[1], second[1]]))


@lifted(parsed, parsed)
def imdiv(first: tuple[complex, str], second: tuple[complex, str]) -> str:
    """Quotient."""
    require(second[0] != 0)
    return shown(first[0] / second[0], _unit([first[1], second[1]]))


@lifted(parsed, number)
def impower(base: tuple[complex, str], exponent: float) -> str:
    """Power."""
    if base[0] == 0:
        require(exponent > 0.0)
        return "0"
    size, angle = cmath.polar(base[0])
    return shown(cmath.rect(size**exponent, angle * exponent), base[1])


def _argument(value: complex) -> float:
    require(value != 0, DIV0)
    return cmath.phase(value)


def _root(value: complex) -> complex:
    size, angle = cmath.polar(value)
    root = math.sqrt(size)
    return complex(root * math.cos(angle / 2.0), root * math.sin(angle / 2.0))


def _tangent(value: complex) -> complex:
    """Sine over cosine by the formula of the double angle, as Excel has it."""
    x, y = 2.0 * value.real, 2.0 * value.imag
    below = math.cos(x) + math.cosh(y)
    return complex(math.sin(x) / below, math.sinh(y) / below)


def _cotangent(value: complex) -> complex:
    x, y = 2.0 * value.real, 2.0 * value.imag
    below = math.cosh(y) - math.cos(x)
    if below == 0.0 and value != 0:
        return cmath.cos(value) / cmath.sin(value)  # too small for the difference
    return complex(math.sin(x) / below, -math.sinh(y) / below)


def _logarithm(base: float) -> Callable[[complex], complex]:
    scale = math.log(base)
    return lambda value: complex(math.log(abs(value)) / scale, cmath.phase(value) / scale)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "COMPLEX": complex_,
    "IMREAL": _measure(lambda value: value.real),
    "IMAGINARY": _measure(lambda value: value.imag),
    "IMABS": _measure(abs),
    "IMARGUMENT": _measure(_argument),
    "IMCONJUGATE": _of_one(lambda value: value.conjugate()),
    "IMSUM": _folded(lambda total, one: total + one, 0j),
    "IMPRODUCT": _folded(lambda total, one: total * one, 1 + 0j),
    "IMSUB": imsub,
    "IMDIV": imdiv,
    "IMPOWER": impower,
    "IMSQRT": _of_one(_root),
    "IMEXP": _of_one(cmath.exp),
    "IMLN": _of_one(_logarithm(math.e)),
    "IMLOG10": _of_one(_logarithm(10.0)),
    "IMLOG2": _of_one(_logarithm(2.0)),
    "IMSIN": _of_one(cmath.sin),
    "IMCOS": _of_one(cmath.cos),
    "IMTAN": _of_one(_tangent),
    "IMSEC": _of_one(lambda value: 1.0 / cmath.cos(value)),
    "IMCSC": _of_one(lambda value: 1.0 / cmath.sin(value)),
    "IMCOT": _of_one(_cotangent),
    "IMSINH": _of_one(cmath.sinh),
    "IMCOSH": _of_one(cmath.cosh),
    "IMSECH": _of_one(lambda value: 1.0 / cmath.cosh(value)),
    "IMCSCH": _of_one(lambda value: 1.0 / cmath.sinh(value)),
}
