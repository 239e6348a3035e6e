"""Criteria such as ">=10", "<>x" or "a*": what COUNTIF, SUMIFS, DSUM and their kin compare with."""

import functools
import operator
import re
from collections.abc import Callable
from typing import Any, Final

from xltoken.functions.cells import ENGINE_ERRORS
from xltoken.recalc.builtins.text_numbers import number_of_text

Test = Callable[[Any], bool]
"""Whether a cell meets a criterion."""
_OPERATOR: Final = re.compile(r"(<>|<=|>=|=|<|>)?(.*)", re.DOTALL)
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KIND_OF: Final = {code: kind for kind, code in ENGINE_ERRORS.items()}


def meeting(criterion: Any, *, prefix: bool = False) -> Test:
    """Test that a criterion stands for.

    Parameters
    ----------
    criterion : any
        Raw scalar: a number, a boolean, an error, blank (which means 0), or a text.
    prefix : bool
        Whether a text without an operator means "begins with", as in database functions.
    """
    if isinstance(criterion, dict):
        return _error(str(criterion.get("kind")))
    if criterion is None:
        return _number(0.0)
    if isinstance(criterion, bool):
        return _boolean(criterion)
    if isinstance(criterion, int | float):
        return _number(float(criterion))
    return _of_text(criterion, prefix)


def pattern(text: str) -> re.Pattern[str] | None:
    """Expression for a text with ``*`` and ``?`` (``~`` before one makes it plain); None without.

    Examples
    --------
    >>> bool(pattern("a*~?").fullmatch("ABC?")), pattern("abc")
    (True, None)
    """
    if not any(sign in text for sign in "*?~"):
        return None
    pieces = re.findall(r"~[*?~]|[*?]|.", text, re.DOTALL)
    return re.compile(
        "".join(
            {"*": ".*", "?": "."}.get(
                piece, re.escape(piece[1:] if len(piece) == 2 and piece[0] == "~" else piece)
            )
            for piece in pieces
        ),
        re.IGNORECASE | re.DOTALL,
    )


@functools.lru_cache(maxsize=4096)
def _of_text(text: str, prefix: bool) -> Test:
    match = _OPERATOR.fullmatch(text)
    assert match is not None
    sign, operand = match[1] or "", match[2]
    if sign in _ORDER:
        return _ordered(_ORDER[sign], operand)
    if not operand:
        if sign == "<>":
            return lambda cell: cell is not None
        if sign == "=":
            return lambda cell: cell is None
        return lambda cell: cell is None or cell == ""
    if sign == "<>":
        return _unlike(operand)
    return _like(operand, prefix=prefix and not sign)


def _like(operand: str, *, prefix: bool) -> Test:
    value = _value(operand)
    if isinstance(value, bool):
        return _boolean(value)
    if isinstance(value, float):
        return _number(value)
    if operand in _KIND_OF:
        return _error(_KIND_OF[operand])
    return _text(operand, prefix=prefix)


def _unlike(operand: str) -> Test:
    value = _value(operand)
    if isinstance(value, float):
        # A text that shows the number is another value all the same.
        return lambda cell: isinstance(cell, bool | str) or cell != value
    like = _like(operand, prefix=False)
    return lambda cell: not like(cell)


def _ordered(compare: Callable[[Any, Any], bool], operand: str) -> Test:
    if not operand:
        return lambda _: False
    value = _value(operand)
    if isinstance(value, bool):
        return lambda cell: isinstance(cell, bool) and compare(cell, value)
    if isinstance(value, float):
        return lambda cell: (
            (type(cell) is float or (isinstance(cell, int) and not isinstance(cell, bool)))
            and compare(cell, value)
        )
    bound = operand.casefold()
    return lambda cell: isinstance(cell, str) and compare(cell.casefold(), bound)


def _number(value: float) -> Test:
    def test(cell: Any) -> bool:
        if type(cell) is float:
            return cell == value
        if isinstance(cell, str):
            return not cell[:1].isalpha() and number_of_text(cell) == value
        return isinstance(cell, int) and not isinstance(cell, bool) and cell == value

    return test


def _boolean(value: bool) -> Test:
    return lambda cell: cell is value


def _error(kind: str) -> Test:
    return lambda cell: type(cell) is dict and cell.get("kind") == kind


def _text(operand: str, *, prefix: bool) -> Test:
    expression = pattern(operand)
    if expression is not None:
        matches = expression.match if prefix else expression.fullmatch
        return lambda cell: isinstance(cell, str) and matches(cell) is not None
    wanted = operand.casefold()
    if prefix:
        return lambda cell: isinstance(cell, str) and cell.casefold().startswith(wanted)
    return lambda cell: isinstance(cell, str) and cell.casefold() == wanted


def _value(operand: str) -> bool | float | None:
    word = operand.strip().casefold()
    if word in ("true", "false"):
        return word == "true"
    return number_of_text(operand)
