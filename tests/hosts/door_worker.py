"""Ask one door for the answers to argument sets: ``door_worker.py DOOR ASKED ANSWERS``.

It runs in a process of its own, because what stands in for pywin32 and for a server changes xlwings
when it is imported. ASKED is a pickled list of argument sets, ANSWERS the pickled list of answers.
"""

import datetime as dt
import io
import pickle
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "functions")]

import pywin32_tools as com  # noqa: E402 - the path is set first
from cell_arguments import (  # noqa: E402
    SKIPPED,
    Answer,
    Area,
    ArgumentSet,
    Constants,
    Currency,
    answer,
    serial,
    shown_by_stock,
)

from xltoken.functions import cells  # noqa: E402


def _is_error(value: Any) -> bool:
    return isinstance(value, str) and value in cells.EXCEL_CODES


# --- cells.prepared, as the engine calls it -------------------------------------------------------


def ask_prepared(asked: Sequence[ArgumentSet]) -> list[Answer]:
    """Ask what the engine's door calls, with the values that the engine hands over."""
    kinds = {mark: kind for kind, mark in cells.ENGINE_ERRORS.items()}

    def one(given: ArgumentSet) -> Answer:
        def handed(value: Any) -> Any:
            if value is SKIPPED:
                return ""
            if isinstance(value, Area | Constants):
                rows = [[handed(cell) for cell in row] for row in value.rows]
                return rows[0][0] if len(rows) == len(rows[0]) == 1 else rows
            if isinstance(value, Currency):
                return value.value
            if isinstance(value, dt.date):
                return serial(value, date1904=given.date1904)
            if _is_error(value):
                return {"type": "Error", "kind": kinds[value]}
            return float(value) if type(value) is int else value

        prepared = cells.prepared(given.function, date1904=given.date1904)
        return answer(prepared(*map(handed, given.arguments)))

    return [one(given) for given in asked]


# --- the engine -----------------------------------------------------------------------------------


def ask_engine(asked: Sequence[ArgumentSet]) -> list[Answer]:
    """Ask the calculation engine: two written books of formulas, one for each date system."""
    told: dict[int, Answer] = {}
    for date1904 in (False, True):
        places = [n for n, given in enumerate(asked) if given.date1904 is date1904]
        found = _computed([asked[n] for n in places], date1904=date1904)
        told.update(zip(places, found, strict=True))
    return [told[n] for n in range(len(asked))]


_ROOM = 100
"""Rows left for what a formula spills."""


def _computed(asked: Sequence[ArgumentSet], *, date1904: bool) -> list[Answer]:
    from xltoken.recalc import package
    from xltoken.recalc.engine import Engine

    content, rows = _written(asked, date1904=date1904)
    engine = Engine.of(package.parsed(Path("parity.xlsx"), content))
    engine.evaluate()
    return [answer(engine.spill(g.name, row, 1)) for g, row in zip(asked, rows, strict=True)]


def _written(asked: Sequence[ArgumentSet], *, date1904: bool) -> tuple[bytes, list[int]]:
    """Book with every argument set, and the row of each on the sheet of its function.

    Ranges are real cells of the sheet Data.
    """
    from openpyxl import Workbook
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book = Workbook()
    if date1904:
        book.epoch = CALENDAR_MAC_1904
    data = book.active
    data.title = "Data"
    rows: list[int] = []
    free, top = dict.fromkeys((given.name for given in asked), 1), 1
    for name in free:
        book.create_sheet(name)
    for given in asked:
        written = []
        for argument in given.arguments:
            if isinstance(argument, Area):
                written.append(_placed(data, argument, top))
                top += len(argument.rows) + 1
            else:
                written.append(_formula_text(argument))
        rows.append(free[given.name])
        free[given.name] += _ROOM
        book[given.name].cell(rows[-1], 1).value = f"={given.name}({','.join(written)})"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue(), rows


def _placed(data: Any, argument: Area, top: int) -> str:
    """Write a range into the sheet and return its reference."""
    for r, row in enumerate(argument.rows):
        for c, value in enumerate(row):
            cell = data.cell(top + r, 1 + c)
            if isinstance(value, Currency):
                cell.value, cell.number_format = value.value, '"$"#,##0.00'
            elif value == "":
                cell.value = '=""'  # how an empty text comes into a cell
            else:
                cell.value = value
                if _is_error(value):
                    cell.data_type = "e"
    last = f"{chr(64 + len(argument.rows[0]))}{top + len(argument.rows) - 1}"
    return f"Data!A{top}" if last == f"A{top}" else f"Data!A{top}:{last}"


def _formula_text(value: Any) -> str:
    """Write an argument as a formula says it."""
    if value is SKIPPED:
        return ""
    if isinstance(value, Constants):
        rows = (",".join(_formula_text(cell) for cell in row) for row in value.rows)
        return "{" + ";".join(rows) + "}"
    if isinstance(value, bool):
        return str(value).upper()
    if _is_error(value):
        return str(value)
    if isinstance(value, str):
        doubled = value.replace('"', '""')
        return f'"{doubled}"'
    if isinstance(value, dt.date):
        return f"DATE({value.year},{value.month},{value.day})"
    return repr(value)


# --- xlwings' classic path ------------------------------------------------------------------------


def ask_classic(asked: Sequence[ArgumentSet]) -> list[Answer]:
    """Ask xlwings' real COM server as stock Import Functions does: ranges as objects."""
    return [answer(shown_by_stock(result)) for result in ask_stock(asked)]


def ask_stock(asked: Sequence[ArgumentSet]) -> list[Any]:
    """Ask the same; answers are Python's values as COM takes them over."""
    server = com.install()
    return [_through_import_functions(server, given) for given in asked]


def _through_import_functions(server: Any, given: ArgumentSet) -> Any:
    book = com.Workbook(Date1904=given.date1904)
    sheet = book.Worksheets[0]

    def sent(argument: Any) -> Any:
        if argument is SKIPPED:
            return com.MISSING
        if isinstance(argument, Area):
            rows = tuple(tuple(map(_cell_value, row)) for row in argument.rows)
            value = rows[0][0] if len(rows) == len(rows[0]) == 1 else rows
            return com.PyIDispatch(com.Range(sheet, value))
        if isinstance(argument, Constants):
            rows = tuple(tuple(map(_cell_value, row)) for row in argument.rows)
            return rows[0] if len(rows) == 1 else rows  # Excel hands a row over without its column
        if isinstance(argument, dt.date):
            return serial(argument, date1904=given.date1904)
        return _cell_value(argument)

    arguments = tuple(map(sent, given.padded))
    caller = com.PyIDispatch(com.Range(sheet, 0.0))
    module = "xltoken.udfs"
    try:
        return server.CallUDF(module, given.name, arguments, com.PyIDispatch(book), caller)
    except Exception as failure:  # noqa: BLE001 - stock wrappers show its text in the cell
        return failure


def _cell_value(value: Any) -> Any:
    """What ``Range.Value`` gives of a cell."""
    if isinstance(value, Currency):
        return Decimal(repr(value.value)).quantize(Decimal("0.0001"))
    if isinstance(value, dt.date):
        moment = value if isinstance(value, dt.datetime) else dt.datetime(*value.timetuple()[:3])
        return com.ComTime(*moment.timetuple()[:6])
    if _is_error(value):
        return com.com_error_value(cells.EXCEL_CODES[value])
    return value


# --- the wrapper in VBA ---------------------------------------------------------------------------


def ask_vba(asked: Sequence[ArgumentSet]) -> list[Answer]:
    """Ask our generated VBA, run by pyOpenVBA's interpreter, over xlwings' real COM server."""
    server = com.install()  # before anything imports xlwings
    from vba_tools import Wrapper

    wrapper = Wrapper(server)
    return [wrapper.ask(given) for given in asked]


# --- xlwings Server -------------------------------------------------------------------------------


def ask_server(asked: Sequence[ArgumentSet]) -> list[Answer]:
    """Ask the functions under xlwings' server decorators; whoever runs it has set a licence key."""
    import asyncio
    import os

    os.environ["XLWINGS_ON_SERVER"] = "true"  # read when xlwings is imported
    import xlwings as xw
    from xlwings.server import custom_functions_call

    from xltoken import udfs

    about = {"version": xw.__version__, "client": "Office.js", "runtime": "1.4"}

    def one(given: ArgumentSet) -> Answer:
        data = {"func_name": given.name, "args": [_office(a) for a in given.padded], **about}
        try:
            result = asyncio.run(custom_functions_call(data, udfs))
        except xw.XlwingsError:  # Excel shows its message beside this error
            return answer(cells.CellError(cells.VALUE))
        return answer([[_from_office(cell) for cell in row] for row in result])

    return [one(given) for given in asked]


def _office(value: Any) -> Any:
    """Argument as Office.js sends it: plain values, dates as serials, errors as records."""
    if value is SKIPPED:
        return None
    if isinstance(value, Area | Constants):
        return [[_office(cell) for cell in row] for row in value.rows]
    if isinstance(value, Currency):
        return value.value
    if isinstance(value, dt.date):
        return serial(value, date1904=False)
    return {"type": "Error", "basicValue": value} if _is_error(value) else value


_OFFICE_ERRORS = {
    "Div0": "#DIV/0!", "Name": "#NAME?", "NotAvailable": "#N/A", "Null": "#NULL!", "Num": "#NUM!",
    "Ref": "#REF!", "Value": "#VALUE!",
}  # fmt: skip
"""Error types of Office.js (Excel.CellErrorType)."""


def _from_office(value: Any) -> Any:
    """Cell of a result: Office.js makes a real error of a record."""
    return cells.CellError(_OFFICE_ERRORS[value["errorType"]]) if isinstance(value, dict) else value


DOORS: dict[str, Callable[[Sequence[ArgumentSet]], list[Any]]] = {
    "prepared": ask_prepared,
    "engine": ask_engine,
    "classic": ask_classic,
    "stock": ask_stock,
    "vba": ask_vba,
    "server": ask_server,
}


if __name__ == "__main__":
    door, question, told = sys.argv[1:]
    given = pickle.loads(Path(question).read_bytes())
    Path(told).write_bytes(pickle.dumps(DOORS[door](given)))
