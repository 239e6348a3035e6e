"""What a value is, asked of every cell of an array."""

from collections.abc import Callable
from typing import Any, Final

from xltoken.functions.cells import ENGINE_ERRORS, ERROR_TYPES
from xltoken.recalc.builtins.arguments import NA, Failure, anything, lifted


def _asked(test: Callable[[Any], bool]) -> Callable[..., Any]:
    """Lifted test that errors answer too."""

    def formula(value: Any) -> bool:
        return test(value)

    return lifted(lambda value: value)(formula)


def _is_number(value: Any) -> bool:
    return type(value) is float or (isinstance(value, int) and not isinstance(value, bool))


def _is_error(value: Any) -> bool:
    return type(value) is dict


def _is_na(value: Any) -> bool:
    return type(value) is dict and value.get("kind") == NA


def _as_number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_TYPES: Final = {
    kind: ERROR_TYPES[mark] for kind, mark in ENGINE_ERRORS.items() if mark in ERROR_TYPES
}
"""Excel's number of each error, by the engine's name for it."""


def _error_type(value: Any) -> float:
    """Number of an error; what is none has none, ``#N/A``."""
    found = _TYPES.get(str(value.get("kind"))) if _is_error(value) else None
    if found is None:
        raise Failure(NA)
    return found


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "ISNUMBER": _asked(_is_number),
    "ISTEXT": _asked(lambda value: isinstance(value, str)),
    "ISNONTEXT": _asked(lambda value: not isinstance(value, str)),
    "ISLOGICAL": _asked(lambda value: isinstance(value, bool)),
    "ISBLANK": _asked(lambda value: value is None),
    "ISERROR": _asked(_is_error),
    "ISERR": _asked(lambda value: _is_error(value) and not _is_na(value)),
    "ISNA": _asked(_is_na),
    "ERROR.TYPE": lifted(lambda value: value)(_error_type),
    "N": lifted(anything)(_as_number),
    "T": lifted(anything)(lambda value: value if isinstance(value, str) else ""),
}
