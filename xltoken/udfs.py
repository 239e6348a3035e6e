"""The module that xlwings imports: every worksheet function, decorated from the registry.

Set it as UDF module in xlwings (``xltoken.udfs``). The signatures are the portable subset of what
xlwings' hosts understand: untyped positional parameters, every argument two-dimensional, errors as
text. Without Excel the decorators do nothing, so the module imports on every system.

The three worlds of xlwings differ in what they do with an answer. Import Functions on Windows
(classic) shows an exception's text in the cell and an error mark as text: marks are returned. (Our
add-in does not come here: it asks ``hosts.bridge``, and makes real errors of marks.) Server and
Lite make real errors of marks and show the message of an ``XlwingsError``, always as ``#VALUE!``:
so that error alone is raised.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Any, Final

import xlwings as xw

from xltoken.functions import FUNCTIONS, cells
from xltoken.functions.definition import wizard_text
from xltoken.functions.registry import WorksheetFunction

_WORLD: Final = (
    "xlwings lite"
    if sys.platform == "emscripten"
    else "xlwings server"
    if xw.on_server
    else "xlwings classic"
)
"""Which xlwings asks: its Lite in the browser, its Server, or Import Functions on Windows."""
_SHOWS_MESSAGES: Final = _WORLD != "xlwings classic"
"""Whether an error's message is shown beside it; classic shows it in its place."""

_OFFICE_ERRORS: Final = frozenset(
    mark for mark, code in cells.EXCEL_CODES.items() if code <= cells.EXCEL_CODES[cells.NA]
)
"""Marks of which Server and Lite make real errors."""


def _answered(function: WorksheetFunction, arguments: tuple[Any, ...]) -> Any:
    date1904 = not _SHOWS_MESSAGES and _counts_from_1904()
    token = cells.host.set(_WORLD)
    try:
        result = cells.call(function, [_marked(a) for a in arguments], date1904=date1904)
    finally:
        cells.host.reset(token)
    # Office.js knows one error that carries a message, and shows it as #VALUE!.
    if _SHOWS_MESSAGES and isinstance(result, cells.CellError) and result == cells.VALUE:
        raise xw.XlwingsError(result.message or "one of the arguments is this error.")
    return _plain(cells.outgoing(result, date1904=date1904))


def _marked(raw: Any) -> Any:
    """Argument in which the newer error values, which xlwings hands over as numbers, are marks."""
    if isinstance(raw, list | tuple):
        return [_marked(cell) for cell in raw]
    return cells.COM_ERRORS.get(raw, raw) if type(raw) is int else raw


def _counts_from_1904() -> bool:
    """Whether the workbook that xlwings names as the calling one counts days from 1904."""
    windows = sys.modules.get("xlwings._xlwindows")
    try:
        return windows is not None and windows.BOOK_CALLER.Date1904 is True
    except Exception:  # noqa: BLE001 - no workbook, or Excel is too busy to say; see HOST_LIMITS
        return False


def _plain(value: Any) -> Any:
    """Error marks as bare text: a host converts by exact type."""
    if isinstance(value, list):
        return [[_plain(cell) for cell in row] for row in value]
    if _SHOWS_MESSAGES and isinstance(value, cells.CellError) and value not in _OFFICE_ERRORS:
        return cells.VALUE  # Office.js would leave this one a text
    return str(value) if isinstance(value, str) else value


def _udf(function: WorksheetFunction) -> Callable[..., Any]:
    """Make the Python function of a worksheet function and decorate it for xlwings.

    xlwings reads names and defaults off the code itself, so the function is written out from its
    definition rather than wrapped.
    """
    shown = ", ".join(p.name if p.required else f"{p.name}=None" for p in function.parameters)
    passed = "".join(f"{p.name}, " for p in function.parameters)
    source = f"def {function.name}({shown}):\n    return _answered(_function, ({passed}))\n"
    scope: dict[str, Any] = {"_answered": _answered, "_function": function}
    exec(compile(source, f"<{function.name}>", "exec"), scope)  # noqa: S102 - our own registry
    made = scope[function.name]
    made.__doc__ = function.summary
    made.__module__ = __name__
    for p in reversed(function.parameters):
        made = xw.arg(p.name, ndim=2, err_to_str=True, doc=wizard_text(p.told))(made)
    made = xw.ret(doc=wizard_text(function.result))(made)
    return xw.func(category="xltoken")(made)  # type: ignore[no-any-return]


UDFS: Final[dict[str, Callable[..., Any]]] = {
    name: _udf(function) for name, function in FUNCTIONS.items()
}
globals().update(UDFS)

__all__ = list(UDFS)

assert all(inspect.isfunction(udf) for udf in UDFS.values())
