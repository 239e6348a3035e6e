"""The module that xlwings imports: every worksheet function, decorated from the registry.

Set it as UDF module in xlwings (``xltoken.udfs``). The signatures are the portable subset of what
xlwings' hosts understand: untyped positional parameters, every argument two-dimensional, errors as
text. Without Excel the decorators do nothing, so the module imports on every system.
"""

import inspect
from collections.abc import Callable
from typing import Any, Final

import xlwings as xw

from xltoken.functions import FUNCTIONS, cells
from xltoken.functions.registry import WorksheetFunction


def _answered(function: WorksheetFunction, arguments: tuple[Any, ...]) -> Any:
    token = cells.host.set("xlwings")
    try:
        return _plain(cells.outgoing(cells.call(function, arguments)))
    finally:
        cells.host.reset(token)


def _plain(value: Any) -> Any:
    """Error marks as bare text: a host converts by exact type."""
    if isinstance(value, list):
        return [[_plain(cell) for cell in row] for row in value]
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
        unit = f" ({p.unit})" if p.unit else ""
        made = xw.arg(p.name, ndim=2, err_to_str=True, doc=f"{p.help}{unit}"[:255])(made)
    made = xw.ret(doc=function.result[:255])(made)
    return xw.func(category="xltoken")(made)  # type: ignore[no-any-return]


UDFS: Final[dict[str, Callable[..., Any]]] = {
    name: _udf(function) for name, function in FUNCTIONS.items()
}
globals().update(UDFS)

__all__ = list(UDFS)

assert all(inspect.isfunction(udf) for udf in UDFS.values())
