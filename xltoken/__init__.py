"""The token economics of AI inference, where budgets are really made: in spreadsheets.

``xltoken.TOKEN_COST("B200", 0, "gpt-oss-120b/batch")`` computes in Python what the worksheet
function of the same name computes in a cell. Everything is loaded when it is first used, so that
importing the package costs nothing. ``xltoken.cost_table`` and its like give pandas DataFrames.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__version__: Final = "0.1.0"
_TABLES: Final = (
    "capacity_table",
    "cost_table",
    "evidence_table",
    "price_table",
    "ranking_table",
)
"""Functions of :mod:`xltoken.frames`, which is loaded when one is used."""


def __getattr__(name: str) -> "Callable[..., Any]":
    """Find a worksheet function, or a table function, by its name."""
    if name in _TABLES:
        from xltoken import frames

        return getattr(frames, name)  # type: ignore[no-any-return]
    if not name.startswith("_") and name.isupper():
        from xltoken.functions.registry import load, python_function

        if name in load():
            return python_function(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    from xltoken.functions import FUNCTIONS

    return ["__version__", *_TABLES, *FUNCTIONS]
