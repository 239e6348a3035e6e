"""Worksheet functions that the engine lacks or computes unlike Excel, computed here instead.

One file a family; each holds formulas on clean values, and :mod:`arguments` is the only place that
knows the engine's raw ones.
"""

from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins import (
    annuities,
    arithmetic,
    arrays,
    bessel,
    bonds,
    cash_flows,
    complex_numbers,
    conditional,
    database,
    dates,
    depreciation,
    discount_securities,
    distributions,
    information,
    loans,
    lookup,
    odd_bonds,
    products,
    selections,
    texts,
    workdays,
)

_DATED: Final = (bonds, dates, discount_securities, odd_bonds, workdays)
_MODULES: Final = (
    *_DATED, annuities, arithmetic, arrays, bessel, cash_flows, complex_numbers, conditional,
    database, depreciation, distributions, information, loans, lookup, products, selections, texts,
)  # fmt: skip
_PREFIX: Final = "_xlfn."
_LONG_PREFIX: Final = "_xlfn._xlws."
_WORKSHEET: Final = ("FILTER", "SORT")
"""Functions that files write with the long prefix."""

_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    name: function for module in _MODULES for name, function in module.FUNCTIONS.items()
}
REPLACED: Final[dict[str, Callable[..., Any]]] = (
    _FUNCTIONS
    | {f"{_PREFIX}{name}": function for name, function in _FUNCTIONS.items()}
    | {f"{_LONG_PREFIX}{name}": _FUNCTIONS[name] for name in _WORKSHEET}
)
"""Name to a function of the engine's raw arguments that returns what the engine can store.

Files write newer functions with a prefix, and the engine does not follow it to a replacement:
each is there under both names.
"""
DATED: Final = frozenset(name for module in _DATED for name in module.FUNCTIONS) | {
    "AMORDEGRC", "AMORLINC", "TEXT", "VALUE",
}  # fmt: skip
"""Functions that read or make days by serials of 1900: wrong in a book of the 1904 date system."""
SLOW: Final = frozenset({*conditional.FUNCTIONS, "SUMPRODUCT", "XLOOKUP", "XMATCH"})
"""Functions for which the engine hands whole ranges over, some 0.5 microseconds a cell and call."""
SKIPPED: Final[dict[str, dict[int, str]]] = {
    "ACCRINT": {5: "1000", 8: "TRUE"},
    "ACCRINTM": {4: "1000"},
    "ADDRESS": {3: "1", 4: "TRUE"},
    "BETA.DIST": {6: "1"},
    "BETA.INV": {5: "1"},
    "BETAINV": {5: "1"},
    "CEILING.MATH": {2: "1"},
    "CONCAT": {0: '""'},
    "CONCATENATE": {0: '""'},
    "DOLLAR": {2: "2"},
    "EXPAND": {4: "#N/A"},
    "FIXED": {2: "2"},
    "FLOOR.MATH": {2: "1"},
    "GROWTH": {4: "TRUE"},
    "LINEST": {3: "TRUE"},
    "LOGEST": {3: "TRUE"},
    "REPLACE": {4: '""'},
    "SEQUENCE": {0: "1"},
    "SORT": {2: "1", 3: "1"},
    "SORTBY": {0: "1"},
    "SUBSTITUTE": {3: '""'},
    "TEXTJOIN": {2: "TRUE", 0: '""'},
    "TREND": {4: "TRUE"},
    "WRAPCOLS": {3: "#N/A"},
    "WRAPROWS": {3: "#N/A"},
    "XLOOKUP": {4: "#N/A"},
}
"""What to write for a skipped argument, by its place (0: any other), where it does not mean 0.

The engine hands a skipped argument over as 0, so it cannot be told from one that is 0.
"""
