"""Which functions the engine computes as Excel does, and which it may not be believed on.

The table `data/conformance.csv` is measured, never written by hand: every formula of workbooks
that Excel saved, and every case of Excel's documentation, computed here and compared.
"""

import csv
import functools
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from xltoken.functions import FUNCTIONS
from xltoken.recalc.calls import MAY_BE_SEVERAL, Call, calls
from xltoken.recalc.sheetxml import column_number

RIGHT: Final = "right"
LIMITS: Final = "limits"
WRONG: Final = "wrong"
MISSING: Final = "missing"
UNTESTED: Final = "untested"
VERDICTS: Final = (RIGHT, LIMITS, WRONG, MISSING, UNTESTED)

Condition = Callable[[str, str], bool]
"""Whether a formula's text calls a function (by name) in a way that the engine gets wrong."""


def verdict(name: str) -> str:
    """Verdict on a function by its bare name; one that Excel does not know is missing.

    Examples
    --------
    >>> verdict("SUM"), verdict("CUBEVALUE")
    ('right', 'missing')
    """
    if name in FUNCTIONS:
        return RIGHT  # ours: the same code as in every other host
    return _table()[name].verdict if name in _table() else MISSING


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
    doubt = _doubt(names)
    if not doubt.limited:
        return doubt.firm
    if doubt.several_only and not MAY_BE_SEVERAL.search(formula):
        return doubt.firm
    return _beyond_limits(names, _shape(formula))


def is_settled(names: tuple[str, ...], formula: str) -> bool:
    """Whether the functions may be believed in every formula that differs by digits only."""
    doubt = _doubt(names)
    if doubt.firm or not doubt.limited:
        return not doubt.firm
    return doubt.several_only and not MAY_BE_SEVERAL.search(formula)


@dataclass(frozen=True, slots=True)
class _Row:
    verdict: str
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Functions that may not be believed whatever the text, and those where it depends on it."""

    firm: tuple[str, ...]
    limited: tuple[str, ...]
    several_only: bool
    """Whether nothing but a range or an array can make a difference."""


@functools.lru_cache(maxsize=1 << 14)
def _doubt(names: tuple[str, ...]) -> _Doubt:
    verdicts = {name: verdict(name) for name in names}
    limited = tuple(name for name, found in verdicts.items() if found == LIMITS)
    return _Doubt(
        tuple(name for name, found in verdicts.items() if found not in (RIGHT, LIMITS)),
        limited,
        all(c.startswith("several") for name in limited for c in _table()[name].conditions),
    )


@functools.lru_cache(maxsize=1 << 16)
def _beyond_limits(names: tuple[str, ...], formula: str) -> tuple[str, ...]:
    """Functions that are not right, or whose limits the formula exceeds."""
    doubt = _doubt(names)
    exceeded = {
        name
        for name in doubt.limited
        if any(_CONDITIONS[condition](formula, name) for condition in _table()[name].conditions)
    }
    return tuple(name for name in names if name in doubt.firm or name in exceeded)


_ROW: Final = re.compile(r"(?<=[A-Za-z$])([0-9]+)(?::(\$?[A-Z]{1,3}\$?)([0-9]+))?(?![\w.(])")


def _shape(formula: str) -> str:
    """Formula with its rows counted from 1: the same for every cell of a filled column.

    Examples
    --------
    >>> _shape("=ROUND(B7*SUM($A$5:A9),2)")
    '=ROUND(B1*SUM($A$1:A5),2)'
    """
    return _ROW.sub(_from_one, formula)


def _from_one(match: re.Match[str]) -> str:
    first, column, last = match.groups()
    return f"1:{column}{int(last) - int(first) + 1}" if last else "1"


@functools.cache
def _table() -> dict[str, _Row]:
    file = resources.files("xltoken.recalc") / "data" / "conformance.csv"
    return {
        row["function"]: _Row(row["verdict"], tuple(row["condition"].split()))
        for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    }


# Conditions. Where a function has some, the engine is right as long as none of them holds.


def several_for_one(formula: str, name: str) -> bool:
    """A range or an array where one value is due."""
    return any(call.several for call in calls(formula, name))


def several_alternatives(formula: str, name: str) -> bool:
    """A range or an array as the second argument."""
    return any(1 in call.several for call in calls(formula, name))


def solved_to_a_billionth(formula: str, name: str) -> bool:  # noqa: ARG001 - it never holds
    """Excel stops some 1e-8 beside the solution that is found here."""
    return False


def several_looked_up(formula: str, name: str) -> bool:
    """A range or an array as the value to look up."""
    return any(0 in call.several for call in calls(formula, name))


def several_ranks(formula: str, name: str) -> bool:
    """A range or an array as the rank."""
    return any(1 in call.several for call in calls(formula, name))


def argument_left_empty(formula: str, name: str) -> bool:
    """An argument left empty."""
    return any(len(call.arguments) > 1 and "" in call.arguments for call in calls(formula, name))


def text_typed(formula: str, name: str) -> bool:
    """A text or a logical value typed as an argument."""
    return any(_TYPED.fullmatch(text) for call in calls(formula, name) for text in call.arguments)


def choice_typed_or_several(formula: str, name: str) -> bool:
    """A choice that is a range, an array, or a number as text, or a logical value typed in."""
    return any(
        0 in call.several or _COUNTABLE.fullmatch(call.arguments[0])
        for call in calls(formula, name)
    )


def text_as_condition(formula: str, name: str) -> bool:
    """A text typed in as the condition."""
    return any(call.arguments[0].startswith('"') for call in calls(formula, name))


def position_not_whole(formula: str, name: str) -> bool:
    """A position typed as a negative or fractional number, or left empty in an array constant."""
    return any(
        (call.arguments[0].startswith("{") and not _names_one(call.arguments))
        or len(call.arguments) > 3
        or any(_NOT_WHOLE.fullmatch(text) for text in call.arguments[1:3])
        for call in calls(formula, name)
    )


def _names_one(arguments: Sequence[str]) -> bool:
    """Whether positions in an array constant are all given: in a row of values one is enough."""
    enough = 2 if ";" not in arguments[0] else 3
    return len(arguments) >= enough and "" not in arguments


def counts_what_is_computed(formula: str, name: str) -> bool:
    """An argument that is no address, name or number but computed or typed."""
    return any(
        not _PLAIN.fullmatch(text) for call in calls(formula, name) for text in call.arguments
    )


def ranges_differ_in_size(formula: str, name: str) -> bool:
    """Ranges of different size."""
    for call in calls(formula, name):
        if name.startswith("SUMX"):
            ranges = call.arguments
        elif name in ("SUMIF", "AVERAGEIF", "COUNTIFS"):
            ranges = call.arguments[0::2]
        else:
            ranges = call.arguments[:1] + call.arguments[1::2]
        if len({size for text in ranges if (size := _size(text)) is not None}) > 1:
            return True
    return False


def blanks_of_whole_columns(formula: str, name: str) -> bool:
    """Blanks counted in whole rows or columns."""
    return any(
        _WHOLE.fullmatch(text) and ("<>" in criterion or criterion in ('""', '"="'))
        for call in calls(formula, name)
        for text, criterion in itertools.pairwise(call.arguments)
    )


def lookup_left_empty(formula: str, name: str) -> bool:
    """Nothing given to look up."""
    return any(call.arguments[0] == "" for call in calls(formula, name))


def lookup_ranges_differ(formula: str, name: str) -> bool:
    """Ranges to look in and to return from that differ in length."""
    for call in calls(formula, name):
        looked, returned = (_size(text) for text in (*call.arguments, "", "", "")[1:3])
        if looked and returned and looked[looked[0] == 1] != returned[looked[0] == 1]:
            return True
    return False


def corner_of_range(formula: str, name: str) -> bool:
    """A result that is the corner of a range."""
    del name
    return re.search(r"\)\s*:|:\s*[A-Za-z_][\w.]*\(", formula) is not None


def whole_columns(formula: str, name: str) -> bool:
    """Whole rows or columns, unless they are summed alone or filtered for what is filled."""
    return any(call.whole and not _only_filled(call, name) for call in calls(formula, name))


def blanks_of_arrays(formula: str, name: str) -> bool:
    """An array that may hold blanks, such as what FILTER or UNIQUE gives."""
    return any(_PASSING.search(text) for call in calls(formula, name) for text in call.arguments)


def style_given(formula: str, name: str) -> bool:
    """An address in a style that is given, such as R1C1."""
    return any(len(call.arguments) > 1 for call in calls(formula, name))


def size_below_one(formula: str, name: str) -> bool:
    """A negative height or width."""
    return any(text.startswith("-") for call in calls(formula, name) for text in call.arguments[3:])


_CONDITIONS: Final[dict[str, Condition]] = {
    condition.__name__: condition
    for condition in (
        several_for_one,
        several_alternatives,
        several_looked_up,
        several_ranks,
        solved_to_a_billionth,
        argument_left_empty,
        text_typed,
        choice_typed_or_several,
        text_as_condition,
        position_not_whole,
        counts_what_is_computed,
        ranges_differ_in_size,
        blanks_of_whole_columns,
        lookup_left_empty,
        lookup_ranges_differ,
        corner_of_range,
        whole_columns,
        blanks_of_arrays,
        style_given,
        size_below_one,
    )
}


# What the arguments look like.

_TYPED: Final = re.compile(r'"(?:[^"]|"")*"|TRUE|FALSE', re.IGNORECASE)
_COUNTABLE: Final = re.compile(r'"[^A-Za-z](?:[^"]|"")*"|""|TRUE|FALSE', re.IGNORECASE)
"""What may be taken for a number where one is due."""
_NOT_WHOLE: Final = re.compile(r"-.*|[0-9]*\.[0-9]+")
_PASSING: Final = re.compile(
    r"(?:CHOOSECOLS|CHOOSEROWS|DROP|EXPAND|FILTER|HSTACK|SORT|SORTBY|TAKE|TOCOL|TOROW|TRANSPOSE"
    r"|UNIQUE|VSTACK|WRAPCOLS|WRAPROWS)\(",
    re.IGNORECASE,
)
"""Functions that pass blank cells on."""
_ADDRESS: Final = r"(?:(?:'(?:[^']|'')*'|[\w.]+)!)?\$?[A-Z]{0,3}\$?[0-9]*"
_WHOLE: Final = re.compile(r"(?:.*!)?(?:\$?[A-Z]+:\$?[A-Z]+|\$?[0-9]+:\$?[0-9]+)", re.IGNORECASE)
_NAME: Final = r"[A-Z_\\][\w.]*(?:\[.*\])?"
_PLAIN: Final = re.compile(
    rf"(?:{_ADDRESS}(?::{_ADDRESS})?|{_NAME}|[0-9.]+|)", re.IGNORECASE | re.DOTALL
)
_AREA: Final = re.compile(
    r"(?:.*!)?\$?([A-Z]{1,3})\$?([0-9]+)(?::\$?([A-Z]{1,3})\$?([0-9]+))?", re.IGNORECASE | re.DOTALL
)


def _size(text: str) -> tuple[int, int] | None:
    """Rows and columns of an address; None where it is none."""
    match = _AREA.fullmatch(text)
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    rows = int(bottom or top) - int(top) + 1
    return rows, column_number((right or left).upper()) - column_number(left.upper()) + 1


def _only_filled(call: Call, name: str) -> bool:
    """Whether blank cells at the end of whole columns, which the engine cuts off, do not count."""
    first, *others = call.arguments
    if not _WHOLE.fullmatch(first):
        return False
    if name == "FILTER":
        return bool(others) and others[0].strip("()") == f'{first}<>""'
    return name == "SUMPRODUCT" and not others
