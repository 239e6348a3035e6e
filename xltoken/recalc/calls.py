"""The calls of a function in a formula: their arguments as written, and what those may hold."""

import functools
import re
from dataclasses import dataclass, field
from typing import Final


@dataclass(slots=True)
class Call:
    """Arguments of a call, as written, and which of them are a range, an array or a spill.

    What stands inside a function that makes one value of its ranges does not count.
    """

    arguments: list[str]
    several: set[int]
    start: int
    whole: set[int] = field(default_factory=set)
    """Arguments with whole rows or columns, but for those inside FILTER, which are cut to size."""


@functools.lru_cache(maxsize=1 << 10)
def calls(formula: str, name: str) -> tuple[Call, ...]:
    """Calls of a function in a formula.

    Examples
    --------
    >>> [(call.arguments, call.several) for call in calls("=ROUND(SUM(A1:A3),B1:B3)", "ROUND")]
    [(['SUM(A1:A3)', 'B1:B3'], {1})]
    """
    found: list[Call] = []
    around: list[_Bracket] = [_Bracket(None, own=False)]
    named = unbounded = False
    for match in _PIECE.finditer(formula):
        called, sign = match["call"], match["sign"]
        inner = around[-1]
        whole = bool(match["whole"])
        several = whole or bool(match["several"]) or sign == "{"
        unbounded = unbounded or whole
        if called:
            bare = called.rpartition("_xlws.")[2].rpartition("_xlfn.")[2].upper()
            named = named or bare in _NAMING
            several = bare in _MAKING
            if bare == name:
                found.append(Call([], set(), match.end()))
                around.append(_Bracket(found[-1], own=True))
            else:
                reached = None if bare in _REDUCING else inner.call
                cut = inner.cut or bare == "FILTER"
                around.append(_Bracket(reached, own=False, cut=cut))
        elif sign in ("(", "{"):
            around.append(_Bracket(inner.call, own=False, cut=inner.cut))
        elif sign and inner.own and inner.call:
            inner.call.arguments.append(formula[inner.call.start : match.start()].strip())
            inner.call.start = match.end()
        if sign and sign in ")}" and len(around) > 1:
            around.pop()
        if inner.call is not None and several:
            inner.call.several.add(len(inner.call.arguments))
            if whole and not inner.cut:
                inner.call.whole.add(len(inner.call.arguments))
    if named and MAY_BE_SEVERAL.search(formula):
        for call in found:
            call.several.update(range(len(call.arguments)))
            if unbounded:
                call.whole.update(call.several)
    return tuple(call for call in found if call.arguments)


@dataclass(frozen=True, slots=True)
class _Bracket:
    """An open bracket: the call that what stands in it reaches, and whether it is the call's."""

    call: Call | None
    own: bool
    cut: bool = False
    """Whether it stands inside FILTER, below that call."""


_REDUCING_NAMES: Final = """
AGGREGATE AND AREAS AVERAGE AVERAGEA AVERAGEIF AVERAGEIFS COLUMNS CONCAT CORREL COUNT COUNTA
COUNTBLANK COUNTIF COUNTIFS COVARIANCE.P COVARIANCE.S DAVERAGE DCOUNT DEVSQ DGET DMAX DMIN DSUM
FORECAST FORECAST.LINEAR FVSCHEDULE GCD GEOMEAN HARMEAN HLOOKUP INDEX INTERCEPT IRR KURT LARGE LCM
LOOKUP MATCH MAX MAXA MAXIFS MEDIAN MIN MINA MINIFS MIRR MODE MODE.SNGL NETWORKDAYS
NETWORKDAYS.INTL NPV OR PEARSON PERCENTILE PERCENTILE.EXC PERCENTILE.INC PERCENTRANK
PERCENTRANK.EXC PERCENTRANK.INC PRODUCT QUARTILE QUARTILE.EXC QUARTILE.INC RANK RANK.AVG RANK.EQ
ROWS RSQ SKEW SLOPE SMALL STDEV STDEV.P STDEV.S STDEVA STDEVP STEYX SUBTOTAL SUM SUMIF SUMIFS
SUMPRODUCT SUMSQ SUMX2MY2 SUMX2PY2 SUMXMY2 TEXTJOIN TRIMMEAN VAR VAR.P VAR.S VARA VARP VLOOKUP
WORKDAY WORKDAY.INTL XIRR XLOOKUP XMATCH XNPV XOR
"""
_REDUCING: Final = frozenset(_REDUCING_NAMES.split())
"""Functions that make one value of the ranges they are given."""

_PIECE: Final = re.compile(
    r'"(?:[^"]|"")*"'
    r"|'(?:[^']|'')*'"
    r"|(?P<whole>\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}(?![\w.(!])|\$?[0-9]+:\$?[0-9]+(?![\w.]))"
    r"|(?P<call>[A-Za-z_][\w.]*)\("
    r"|(?P<sign>[(){},])"
    r"|(?P<several>:|[A-Za-z_$][\w.$]*\#|\[(?!@|\d+\]|\[?\#)(?:[^\[\]]|\[[^\[\]]*\])*\])"
    r"|[A-Za-z_][\w.$]*"
    r"|.",
    re.DOTALL,
)
MAY_BE_SEVERAL: Final = re.compile(
    r"[:{#\[]|SEQUENCE|RANDARRAY|MUNIT|MAKEARRAY|TEXTSPLIT", re.IGNORECASE
)
_MAKING: Final = frozenset({"SEQUENCE", "RANDARRAY", "MUNIT", "MAKEARRAY", "TEXTSPLIT"})
"""Functions that make an array of single values."""
_NAMING: Final = frozenset({"LET", "LAMBDA"})
"""Functions that give a range a name, which then no longer shows it."""
