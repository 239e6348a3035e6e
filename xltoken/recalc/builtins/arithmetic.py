"""Arithmetic, lifted over arrays: rounding, multiples, integers, trigonometry."""

import math
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    DIV0,
    NUM,
    VALUE,
    Failure,
    cells,
    integer,
    lifted,
    number,
    plain_number,
    require,
    whole,
)

_LARGEST: Final = 2.0**53
_POWERS: Final = tuple(10.0**place for place in range(16))
_SURE: Final = 1e9
_NEAR_HALF: Final = 1e-4


@lifted(number, integer)
def round_(value: float, places: int) -> float:
    """Nearest; a half goes away from zero."""
    return rounded(value, places)


def rounded(value: float, places: int) -> float:
    """Value rounded as its 15 shown digits round, not as its last bit lies."""
    if 0 <= places <= 15:
        power = _POWERS[places]
        scaled = abs(value) * power
        whole = math.floor(scaled) if scaled < _SURE else 0
        # Far from a half the last bit does not matter, and floats are quick.
        if scaled < _SURE and abs(scaled - whole - 0.5) > _NEAR_HALF:
            return math.copysign(math.floor(scaled + 0.5) / power, value) if value else 0.0
    return _decimal(value, places, ROUND_HALF_UP)


@lifted(number, integer)
def roundup(value: float, places: int) -> float:
    """Away from zero."""
    return _decimal(value, places, ROUND_UP)


@lifted(number, integer)
def rounddown(value: float, places: int = 0) -> float:
    """Towards zero."""
    return _decimal(value, places, ROUND_DOWN)


def _decimal(value: float, places: int, rounding: str) -> float:
    if value == 0.0 or not math.isfinite(value):
        return value
    if places + math.floor(math.log10(abs(value))) > 14:
        return value
    exact = Decimal(f"{value:.14e}")
    return float(exact.quantize(Decimal(1).scaleb(-places), rounding)) or 0.0


@lifted(number)
def int_(value: float) -> float:
    """Largest whole number not above."""
    return float(math.floor(value))


@lifted(number, number)
def mod(value: float, divisor: float) -> float:
    """Rest of a division, with the sign of the divisor."""
    require(divisor != 0.0, DIV0)
    require(abs(value / divisor) < 2.0**50)
    rest = math.fmod(value, divisor)
    return rest + divisor if rest and (rest < 0.0) != (divisor < 0.0) else rest


@lifted(number, number)
def power(base: float, exponent: float) -> float:
    """Base to an exponent."""
    require(base != 0.0 or exponent != 0.0)
    require(base != 0.0 or exponent > 0.0, DIV0)
    found = base**exponent
    if isinstance(found, complex):
        raise Failure(NUM)
    return float(found)


@lifted(plain_number, plain_number)
def quotient(value: float, divisor: float) -> float:
    """Whole part of a division."""
    require(divisor != 0.0, DIV0)
    return float(math.trunc(value / divisor))


@lifted(number, number)
def ceiling(value: float, step: float) -> float:
    """Multiple away from zero where both have one sign, upwards for a negative value."""
    if value == 0.0 or step == 0.0:
        return 0.0
    require(value < 0.0 or step > 0.0)
    return _multiple(value, step, up=True)


@lifted(number, number)
def floor(value: float, step: float) -> float:
    """Multiple towards zero where both have one sign, downwards for a negative value."""
    if value == 0.0:
        return 0.0
    require(step != 0.0, DIV0)
    require(value < 0.0 or step > 0.0)
    return _multiple(value, step, up=False)


@lifted(number, number, number)
def ceiling_math(value: float, step: float = 1.0, away: float = 0.0) -> float:
    """Multiple upwards; away from zero below it where asked."""
    if step == 0.0:
        return 0.0
    return _multiple(value, -abs(step) if value < 0.0 and away else abs(step), up=True)


@lifted(number, number, number)
def floor_math(value: float, step: float = 1.0, towards: float = 0.0) -> float:
    """Multiple downwards; towards zero below it where asked."""
    if step == 0.0:
        return 0.0
    return _multiple(value, -abs(step) if value < 0.0 and towards else abs(step), up=False)


@lifted(number, number)
def ceiling_precise(value: float, step: float = 1.0) -> float:
    """Multiple upwards."""
    return _multiple(value, abs(step), up=True) if step else 0.0


@lifted(number, number)
def floor_precise(value: float, step: float = 1.0) -> float:
    """Multiple downwards."""
    return _multiple(value, abs(step), up=False) if step else 0.0


@lifted(plain_number, plain_number)
def mround(value: float, step: float) -> float:
    """Nearest multiple; a half goes away from zero."""
    if value == 0.0 or step == 0.0:
        return 0.0
    require((value > 0.0) == (step > 0.0))
    return step * math.floor(value / step + 0.5)


def _multiple(value: float, step: float, *, up: bool) -> float:
    """Whole steps next to a value."""
    return float((math.ceil if up else math.floor)(value / step)) * step


def _whole_numbers(values: tuple[Any, ...]) -> list[int]:
    found = []
    for value in (cell for argument in values for cell in cells(argument)):
        if value is None:
            continue
        amount = plain_number(value)
        require(0.0 <= amount < _LARGEST)
        found.append(int(amount))
    require(bool(found), VALUE)
    return found


@whole
def gcd(*values: Any) -> float:
    """Greatest common divisor."""
    return float(math.gcd(*_whole_numbers(values)))


@whole
def lcm(*values: Any) -> float:
    """Least common multiple."""
    found = math.lcm(*_whole_numbers(values))
    require(found < _LARGEST)
    return float(found)


@whole
def multinomial(*values: Any) -> float:
    """Factorial of a sum over the product of factorials."""
    found = _whole_numbers(values)
    result, total = 1, 0
    for count in found:
        total += count
        result *= math.comb(total, count)
    return float(result)


@lifted(number, number)
def permutationa(count: float, chosen: float) -> float:
    """Arrangements with repetition."""
    first, second = int(count), int(chosen)
    require(first >= 0 and second >= 0)
    return float(first) ** second


def _real(function: Callable[[float], float], least: float, most: float) -> Callable[..., Any]:
    """Lifted function of one number that is defined between two bounds."""

    def formula(value: float) -> float:
        require(least <= value <= most)
        return function(value)

    return lifted(number)(formula)


def _log(value: float, base: float) -> float:
    require(value > 0.0 and base > 0.0)
    require(base != 1.0, DIV0)
    if base == 10.0:
        return math.log10(value)
    if base == 2.0:
        return math.log2(value)
    return math.log(value) / math.log(base)


@lifted(number, number)
def log(value: float, base: float = 10.0) -> float:
    """Logarithm."""
    return _log(value, base)


@lifted(number)
def exp(value: float) -> float:
    """Power of e; below the smallest normal number it is 0."""
    found = math.exp(value)
    return found if found >= 2.2250738585072014e-308 else 0.0


@lifted(number)
def fact(value: float) -> float:
    """Factorial of the whole part."""
    count = int(value)
    require(value >= 0.0 and count <= 170)
    return float(math.factorial(count))


@lifted(number, number)
def combin(count: float, chosen: float) -> float:
    """Combinations."""
    first, second = int(count), int(chosen)
    require(0 <= second <= first)
    return float(math.comb(first, second))


_INFINITE: Final = math.inf
_TINY: Final = 5e-324
FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "ABS": _real(abs, -_INFINITE, _INFINITE),
    "SIGN": _real(lambda v: float((v > 0) - (v < 0)), -_INFINITE, _INFINITE),
    "SQRT": _real(math.sqrt, 0.0, _INFINITE),
    "EXP": exp,
    "LN": _real(math.log, _TINY, _INFINITE),
    "LOG10": _real(math.log10, _TINY, _INFINITE),
    "LOG": log,
    "FACT": fact,
    "COMBIN": combin,
    "ROUND": round_,
    "ROUNDUP": roundup,
    "ROUNDDOWN": rounddown,
    "TRUNC": rounddown,
    "INT": int_,
    "MOD": mod,
    "POWER": power,
    "QUOTIENT": quotient,
    "CEILING": ceiling,
    "FLOOR": floor,
    "CEILING.MATH": ceiling_math,
    "FLOOR.MATH": floor_math,
    "CEILING.PRECISE": ceiling_precise,
    "ISO.CEILING": ceiling_precise,
    "FLOOR.PRECISE": floor_precise,
    "MROUND": mround,
    "GCD": gcd,
    "LCM": lcm,
    "MULTINOMIAL": multinomial,
    "PERMUTATIONA": permutationa,
}
