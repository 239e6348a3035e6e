"""Our VBA asked as a cell asks it, over xlwings' real COM server.

The modules run in pyOpenVBA's interpreter with the stand-in of Excel that their own tests use; only
the server differs: what crosses over to Python is what COM would carry, and xlwings reads it.
"""

import datetime as dt
from typing import Any, Final

import pywin32_tools as com
from cell_arguments import SKIPPED, Answer, Area, ArgumentSet, Constants, Currency, answer, serial
from excel_stand_in import Book, Excel, Range, array, from_vba
from excel_stand_in import Server as WithoutXlwings
from pyopenvba.interpreter import (
    EMPTY,
    MISSING,
    VBAArray,
    VBAErrorValue,
    VBAInt,
    VBAObject,
    VBARuntimeError,
    method,
)

from xltoken.functions import cells

_AUTOMATION_ERROR: Final = -2147352567
"""What VBA sees of an exception in a COM server (DISP_E_EXCEPTION)."""
_MARKS: Final = {code: mark for mark, code in cells.EXCEL_CODES.items()}


class Server(WithoutXlwings):
    """xlwings' COM server as VBA holds it."""

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server

    @method
    def CallUDF(self, script, fname, args):
        """Call xlwings' real method; what it raises, VBA can handle."""
        sent = tuple(map(_to_python, args.items))
        try:
            return _to_vba(self.server.CallUDF(script, fname, sent))
        except Exception as failure:
            raise VBARuntimeError(_AUTOMATION_ERROR, str(failure)) from failure


class Wrapper:
    """Our modules in a workbook; :meth:`ask` calls one of their functions from a cell."""

    def __init__(self, server: Any) -> None:
        self.excel = Excel(addin=False)
        self.excel.application.server = self.excel.server = Server(server)
        self.books = {date1904: Book(date1904=date1904) for date1904 in (False, True)}

    def ask(self, given: ArgumentSet) -> Answer:
        """Call a worksheet function as a cell of a book of that date system does."""
        book = self.books[given.date1904]
        self.excel.application.caller = Range([[None]], book=book)
        sent = [_argument(argument, book) for argument in given.arguments]
        try:
            return answer(_shown(self.excel.vm.run(given.name, sent)))
        except Exception as failure:  # noqa: BLE001 - Excel would show #VALUE! without a word
            return ((("exception", f"{type(failure).__name__}: {failure}"),),)


def _argument(argument: Any, book: Book) -> Any:
    """Argument as Excel hands it to a function in VBA."""
    if argument is SKIPPED:
        return MISSING
    if isinstance(argument, Area | Constants):
        rows = [[_value2(value, book) for value in row] for row in argument.rows]
        if isinstance(argument, Area):
            return Range(rows, book=book)
        # Excel hands a row of constants over with one dimension.
        return VBAArray([(1, len(rows[0]))], items=rows[0]) if len(rows) == 1 else array(rows)
    return _value2(argument, book)


def _value2(value: Any, book: Book) -> Any:
    """Value of a cell as ``Value2`` has it."""
    if value is None:
        return EMPTY
    if isinstance(value, Currency):
        return value.value
    if isinstance(value, dt.date):
        return serial(value, date1904=book.date1904)
    if isinstance(value, str) and value in cells.EXCEL_CODES:
        return VBAErrorValue(cells.EXCEL_CODES[value])
    return VBAInt(value, "Long") if type(value) is int else value


def _to_python(value: Any) -> Any:
    """A Variant as pywin32 hands it to Python."""
    assert not isinstance(value, VBAObject), "the wrapper sends values, no objects"
    if value is MISSING:
        return com.MISSING
    if isinstance(value, VBAErrorValue):
        return com.com_error_value(value.number)
    return from_vba(value)


def _to_vba(value: Any) -> Any:
    """What Python returns as pywin32 hands it to VBA: arrays count from 0."""
    if isinstance(value, list | tuple):
        if isinstance(value[0], list | tuple):
            return array([list(map(_to_vba, row)) for row in value], base=0)
        return VBAArray([(0, len(value) - 1)], items=list(map(_to_vba, value)))
    assert type(value) in (float, str), f"a {type(value).__name__} leaves Python: {value!r}"
    return value


def _shown(result: Any) -> Any:
    """What the sheet shows of a Variant; only error values count as errors."""
    if isinstance(result, VBAArray):
        return [[_shown(value) for value in row] for row in from_vba(result)]
    if isinstance(result, VBAErrorValue):
        return cells.CellError(_MARKS.get(result.number, f"error {result.number}"))
    return result
