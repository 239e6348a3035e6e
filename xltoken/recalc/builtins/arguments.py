"""Raw arguments of the engine in, clean values to the formulas, results and errors out.

A formula file states what each argument is (:func:`number`, :func:`text`, ...) and raises
:class:`Failure`; blanks, booleans, text numbers, ranges, broadcasting, errors and infinities are
the business of this module alone.
"""

import functools
import inspect
import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from xltoken.recalc.builtins.text_numbers import number_of_text

NA: Final = "Na"
NUM: Final = "Num"
VALUE: Final = "Value"
DIV0: Final = "Div"
REF: Final = "Ref"
CALC: Final = "Calc"
Grid = list[list[Any]]
"""Rows of a range."""
Reader = Callable[[Any], Any]
"""What makes a raw scalar into what a formula wants."""


class Failure(Exception):  # noqa: N818 - it is a value of the sheet, not a defect
    """A cell error, by the engine's name for it."""

    def __init__(self, kind: str = VALUE) -> None:
        super().__init__(kind)
        self.kind = kind


def require(condition: bool, kind: str = NUM) -> None:
    """Raise a failure where a condition does not hold."""
    if not condition:
        raise Failure(kind)


def lifted(*readers: Reader) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a formula on scalars a worksheet function: over ranges it gives an array.

    Ranges broadcast: one row or one column repeats, a cell without a partner is ``#N/A``.
    """

    def decorate(formula: Callable[..., Any]) -> Callable[..., Any]:
        least, most = _arity(formula)

        def one(arguments: tuple[Any, ...]) -> Any:
            try:
                return outgoing(
                    formula(*[read(a) for read, a in zip(readers, arguments, strict=False)])
                )
            except (Failure, ArithmeticError) as failure:
                return failed(failure)

        @functools.wraps(formula)
        def callback(*arguments: Any) -> Any:
            if not least <= len(arguments) <= most:
                return failed(Failure(VALUE))
            for argument in arguments:
                if type(argument) is list:
                    return _broadcast(one, arguments)
            return one(arguments)

        return callback

    return decorate


def whole(formula: Callable[..., Any]) -> Callable[..., Any]:
    """Make a formula that takes its ranges whole a worksheet function."""
    least, most = _arity(formula)

    @functools.wraps(formula)
    def callback(*arguments: Any) -> Any:
        if not least <= len(arguments) <= most:
            return failed(Failure(VALUE))
        try:
            return outgoing(formula(*arguments))
        except (Failure, ArithmeticError) as failure:
            return failed(failure)

    return callback


def outgoing(value: Any) -> Any:
    """Result as the engine can store it; what is no number becomes ``#NUM!``."""
    if type(value) is float:
        return value if math.isfinite(value) else failed(Failure(NUM))
    if isinstance(value, list):
        return [[outgoing(cell) for cell in row] for row in value]
    if value is None:
        import formualizer

        return formualizer.LiteralValue.empty()
    if isinstance(value, dict):
        return _error(str(value.get("kind", VALUE)))
    if isinstance(value, Failure):
        return failed(value)
    if isinstance(value, bool | str):
        return value
    if hasattr(value, "is_error"):
        return value
    return outgoing(float(value))


def failed(failure: Exception) -> Any:
    """Error value of a failure."""
    if isinstance(failure, Failure):
        return _error(failure.kind)
    return _error(DIV0 if isinstance(failure, ZeroDivisionError) else NUM)


def _error(kind: str) -> Any:
    import formualizer

    return formualizer.LiteralValue.error(kind, None)


def checked(value: Any) -> Any:
    """Value as it is; a cell error is raised."""
    if type(value) is dict:
        raise Failure(str(value.get("kind", VALUE)))
    return value


def number(value: Any) -> float:
    """Read a number: blank is 0, TRUE is 1, a text is the number that it shows."""
    if type(value) is float:
        return value
    if value is None:
        return 0.0
    if isinstance(value, bool | int):
        return float(value)
    if isinstance(value, str):
        found = number_of_text(value)
        if found is None:
            raise Failure(VALUE)
        return found
    if isinstance(value, list):
        raise Failure(VALUE)
    checked(value)
    raise Failure(VALUE)


def plain_number(value: Any) -> float:
    """Number of the functions that came with the Analysis ToolPak: a boolean is ``#VALUE!``."""
    if isinstance(value, bool):
        raise Failure(VALUE)
    return number(value)


def integer(value: Any) -> int:
    """Number cut towards zero."""
    found = number(value)
    require(math.isfinite(found))
    return int(found)


def plain_integer(value: Any) -> int:
    """Cut a number towards zero; a boolean is ``#VALUE!``."""
    found = plain_number(value)
    require(math.isfinite(found))
    return int(found)


def logical(value: Any) -> bool:
    """Truth value: a number other than 0, TRUE, or the text of either boolean."""
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in ("true", "false"):
            return word == "true"
    return number(value) != 0.0


def text(value: Any) -> str:
    """Text: a number as Excel shows it in the General format."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return general(float(value))
    checked(value)
    raise Failure(VALUE)


def anything(value: Any) -> Any:
    """Scalar as it is; a cell error is raised."""
    return checked(value)


def general(value: float) -> str:
    """Number as a text joins it: 15 significant digits, no more than 20 places.

    Examples
    --------
    >>> [general(value) for value in (0.1 + 0.2, 1e21, -1234567.0, 1.5e-7, 1e-20)]
    ['0.3', '1E+21', '-1234567', '0.00000015', '1E-20']
    """
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    digits, exponent = f"{value:.14e}".split("e")
    mantissa = digits.rstrip("0").rstrip(".")
    power = int(exponent)
    places = len(mantissa.lstrip("-").replace(".", "")) - 1 - power
    if power < 21 and places < 20:
        return f"{Decimal(mantissa).scaleb(power):f}"
    return f"{mantissa}E{'+' if power > 0 else '-'}{abs(power):02d}"


def grid(value: Any) -> Grid:
    """Range as rows; a scalar is one cell."""
    return value if type(value) is list else [[value]]


def cells(value: Any) -> list[Any]:
    """Cells of a range or a scalar, row by row."""
    if type(value) is list:
        return list(itertools.chain.from_iterable(value))
    return [value]


def numbers_in(value: Any) -> list[float]:
    """Numbers of one range: all else is skipped, an error is raised."""
    return [
        cell if type(cell) is float else float(cell)
        for cell in cells(value)
        if type(cell) is float or (isinstance(checked(cell), int) and not isinstance(cell, bool))
    ]


def matrix(value: Any) -> list[list[float]]:
    """Range in which every cell is a number: text, blanks and booleans are ``#VALUE!``."""
    rows = grid(value)
    for row in rows:
        for cell in row:
            if isinstance(checked(cell), bool) or not isinstance(cell, int | float):
                raise Failure(VALUE)
    return [[float(cell) for cell in row] for row in rows]


def _broadcast(one: Callable[[tuple[Any, ...]], Any], arguments: tuple[Any, ...]) -> Grid:
    grids = [grid(argument) for argument in arguments]
    height = max(len(rows) for rows in grids)
    width = max(len(rows[0]) for rows in grids)
    return [
        [one(tuple(_partner(rows, row, column) for rows in grids)) for column in range(width)]
        for row in range(height)
    ]


def _partner(rows: Grid, row: int, column: int) -> Any:
    row = 0 if len(rows) == 1 else row
    column = 0 if len(rows[0]) == 1 else column
    if row >= len(rows) or column >= len(rows[0]):
        return {"type": "Error", "kind": NA}
    return rows[row][column]


def _arity(formula: Callable[..., Any]) -> tuple[int, float]:
    """Least and greatest number of arguments."""
    least, most = 0, 0.0
    for parameter in inspect.signature(formula).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            most = math.inf
        else:
            most += 1
            least += parameter.default is inspect.Parameter.empty
    return least, most
