"""The Python side of Excel's wrapper: what the module ``xltoken_runtime`` asks through xlwings."""

from typing import Any

import xlwings as xw

from xltoken.functions import FUNCTIONS, cells

MODULE = __name__
"""Name under which the wrapper asks for this module."""
_LONGEST = 1000


@xw.func
@xw.arg("*arguments", ndim=2, err_to_str=True)
def answer(function: Any, date1904: Any, *arguments: Any) -> list[list[Any]]:
    """Compute a worksheet function for the wrapper.

    Parameters
    ----------
    function : str
        Its name.
    date1904 : bool
        Whether the calling workbook counts days from 1904.
    *arguments
        Values of the cells (``Value2``), blank where nothing was given, errors as their marks.

    Returns
    -------
    list of rows
        The message or warnings in the first row, then the result; always two rows or more, so that
        xlwings hands VBA a table whatever its shape.
    """
    token = cells.host.set("excel")
    try:
        with cells.listening() as notebook:
            result = cells.call(FUNCTIONS[function], arguments, date1904=bool(date1904))
    finally:
        cells.host.reset(token)
    rows = cells.outgoing(result, date1904=bool(date1904))
    if not isinstance(rows, list):
        rows = [[rows]]
    told = " ".join(notebook.messages)
    if not told and notebook.warnings:
        told = f"Warning: {'; '.join(notebook.warnings)}"
    first = [told[:_LONGEST], *[""] * (len(rows[0]) - 1)]
    return [first, *([str(v) if isinstance(v, str) else v for v in row] for row in rows)]
