"""Which functions the engine computes as Excel does, and which it may not be believed on.

The table `data/conformance.csv` is measured, never written by hand: every formula of workbooks
that Excel saved, and every case of Excel's documentation, computed here and compared.
"""

import csv
import functools
import re
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Final

from xltoken.functions import FUNCTIONS

RIGHT: Final = "right"
LIMITS: Final = "limits"
WRONG: Final = "wrong"
MISSING: Final = "missing"
UNTESTED: Final = "untested"
VERDICTS: Final = (RIGHT, LIMITS, WRONG, MISSING, UNTESTED)

Holds = Callable[[str], bool]


def verdict(name: str) -> str:
    """Verdict on a function by its bare name; one that Excel does not know is missing.

    Examples
    --------
    >>> verdict("SUM"), verdict("CUBEVALUE")
    ('right', 'missing')
    """
    if name in FUNCTIONS:
        return RIGHT  # ours: the same code as in every other host
    return _table().get(name, MISSING)


def unsupported(names: tuple[str, ...], formula: str) -> tuple[str, ...]:
    """Return those functions of a formula on which the engine may not be believed.

    Parameters
    ----------
    names : tuple of str
        Bare names in capitals of the functions that the formula calls.
    formula : str
        Its text, looked at only where a function is right within limits.

    Examples
    --------
    >>> unsupported(("SUM", "CUBEVALUE"), '=SUM(CUBEVALUE("x"))')
    ('CUBEVALUE',)
    """
    doubtful = _doubtful(names)
    if not doubtful:
        return ()
    return tuple(name for name, holds in doubtful if holds is None or holds(formula))


@functools.lru_cache(maxsize=1 << 14)
def _doubtful(names: tuple[str, ...]) -> tuple[tuple[str, Holds | None], ...]:
    """Functions that are not simply right, each with the condition under which it is not."""
    verdicts = {name: verdict(name) for name in names}
    return tuple(
        (name, CONDITIONS[name] if found == LIMITS else None)
        for name, found in verdicts.items()
        if found != RIGHT
    )


@functools.cache
def _table() -> dict[str, str]:
    file = resources.files("xltoken.recalc") / "data" / "conformance.csv"
    with file.open(encoding="utf-8", newline="") as text:
        return {row["function"]: row["verdict"] for row in csv.DictReader(text)}


_TOKEN: Final = re.compile(r'"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'|[(){},;]|[A-Za-z_][\w.]*\(|.', re.S)


def _calls(formula: str, name: str) -> Iterator[list[str]]:
    """Argument texts of every call of a function in a formula."""
    open_calls: list[list[str] | None] = []
    done: list[list[str]] = []
    for match in _TOKEN.finditer(formula):
        token = match[0]
        if token in ")}" and open_calls:
            ended = open_calls.pop()
            if ended is not None:
                done.append(ended)
        inside = token == "," and open_calls and open_calls[-1] is not None
        for depth, call in enumerate(open_calls):
            if call is None:
                continue
            if inside and depth == len(open_calls) - 1:
                call.append("")
            else:
                call[-1] += token
        if token.endswith(("(", "{")):
            called = token[:-1].rpartition("_xlws.")[2].rpartition("_xlfn.")[2].upper()
            open_calls.append([""] if called == name else None)
    yield from done


CONDITIONS: Final[dict[str, Holds]] = {}
"""Function to the condition, told from a formula's text, under which the engine is not Excel."""
