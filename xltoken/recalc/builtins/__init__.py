"""Worksheet functions that the engine lacks or computes unlike Excel, computed here instead."""

from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins import (
    arithmetic,
    arrays,
    bonds,
    cash_flows,
    conditional,
    database,
    dates,
    depreciation,
    information,
    loans,
    lookup,
    odd_bonds,
    texts,
)

_MODULES: Final = (loans, cash_flows, depreciation, bonds, odd_bonds, conditional, database, lookup, texts, arithmetic, dates, information, arrays)
_PREFIX: Final = "_xlfn."

_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    name: function for module in _MODULES for name, function in module.FUNCTIONS.items()
}
REPLACED: Final[dict[str, Callable[..., Any]]] = _FUNCTIONS | {
    f"{_PREFIX}{name}": function for name, function in _FUNCTIONS.items()
}
"""Name to a function of the engine's raw arguments that returns what the engine can store.

Files write newer functions with a prefix, and the engine does not follow it to a replacement:
each is there under both names.
"""
