"""SUMPRODUCT, which models call in every row: kept to what Python does fastest."""

from collections.abc import Callable, Iterable
from operator import mul
from typing import Any, Final

from xltoken.recalc.builtins.arguments import VALUE, cells, checked, grid, require, whole


@whole
def sumproduct(first: Any, *others: Any) -> float:
    """Sum of the products of cells that stand at the same place; what is no number is 0.

    Added from the first to the last, as the engine and Excel do.
    """
    arrays = [grid(checked(array)) for array in (first, *others)]
    require(len({(len(rows), len(rows[0])) for rows in arrays}) == 1, VALUE)
    products: Iterable[float] = _numbers(arrays[0])
    for rows in arrays[1:]:
        products = map(mul, products, _numbers(rows))
    total = 0.0
    for product in products:
        total += product
    return total


def _numbers(rows: list[list[Any]]) -> list[float]:
    found = cells(rows)
    if set(map(type, found)) == {float}:
        return found
    return [cell if type(cell) is float else _number(checked(cell)) for cell in found]


def _number(cell: Any) -> float:
    return float(cell) if isinstance(cell, int) and not isinstance(cell, bool) else 0.0


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"SUMPRODUCT": sumproduct}
