"""What a cell value is: raw host values in, clean ones to the functions, results and errors out.

No other module knows blanks, error marks, serials, Decimals, ranges or broadcasting. Doors (the
engine, xlwings, LibreOffice) hand their raw values to :func:`call` and write what
:func:`outgoing` makes of the result; :func:`prepared` does both, for a door that asks often.
"""

import datetime as dt
import functools
import marshal
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Self

import numpy as np

from xltoken.catalog.keys import NotKnown, normalize
from xltoken.catalog.store import CatalogError
from xltoken.economics.domain import DomainError
from xltoken.functions.definition import Definition, Kind, Parameter, small_money
from xltoken.model.assumptions import BY_NAME, HEADERS, NONE, Assumptions, InputError, parse

NA: Final = "#N/A"
NUM: Final = "#NUM!"
VALUE: Final = "#VALUE!"
DIV0: Final = "#DIV/0!"
ERRORS: Final = frozenset(
    {NA, NUM, VALUE, DIV0, "#REF!", "#NAME?", "#NULL!", "#SPILL!", "#CALC!", "#CIRC!",
     "#GETTING_DATA", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!"}
)  # fmt: skip
EXCEL_CODES: Final = {
    "#NULL!": 2000, DIV0: 2007, VALUE: 2015, "#REF!": 2023, "#NAME?": 2029, NUM: 2036, NA: 2042,
    "#GETTING_DATA": 2043, "#SPILL!": 2045, "#CONNECT!": 2046, "#BLOCKED!": 2047,
    "#UNKNOWN!": 2048, "#FIELD!": 2049, "#CALC!": 2050, "#BUSY!": 2051,
}  # fmt: skip
"""Excel's own number of each error value (XlCVError)."""
ERROR_TYPES: Final = {mark: float(n) for n, mark in enumerate(EXCEL_CODES, 1)}
"""What Excel's ERROR.TYPE gives for each error value: they count in the order of their numbers."""
COM_ERRORS: Final = {code - 0x7FF60000: mark for mark, code in EXCEL_CODES.items()}
"""Error values as COM hands them over: the number below 0x800A0000, as a signed integer."""
ENGINE_ERRORS: Final = {
    "Na": NA, "Num": NUM, "Value": VALUE, "Div": DIV0, "Ref": "#REF!", "Name": "#NAME?",
    "Null": "#NULL!", "Spill": "#SPILL!", "Calc": "#CALC!", "Circ": "#CIRC!",
}  # fmt: skip
"""What the calculation engine calls each error."""
_ENGINE_KINDS: Final = {kind.casefold(): code for kind, code in ENGINE_ERRORS.items()} | {"n/a": NA}

FAILURES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (NotKnown, NA),
    (DomainError, NUM),
    (OverflowError, NUM),
    (InputError, VALUE),
    (CatalogError, VALUE),
    (ZeroDivisionError, DIV0),
)
"""What each failure looks like in a cell; anything else is a defect of ours."""

LOWEST_SERIAL: Final = 1200.0
"""Numbers below are months after ``start``; from here on they are date serials (April 1903)."""
_HIGHEST_SERIAL: Final = 2_958_465.0
_DAY_0: Final = dt.date(1899, 12, 30).toordinal()
_DAYS_1904: Final = 1462


class CellError(str):
    """An error value: its text is what a cell shows, `message` says what to do."""

    __slots__ = ("message",)
    message: str

    def __new__(cls, code: str, message: str = "") -> Self:
        """Make an error value from its mark and its sentence."""
        error = super().__new__(cls, code)
        error.message = message
        return error


class Missing:
    """A blank cell, an empty text, or an argument left out."""

    def __repr__(self) -> str:
        """Show as a word."""
        return "MISSING"


MISSING: Final = Missing()
Scalar = float | str | bool | dt.date | Missing | CellError
Grid = list[list[Scalar]]


class Failure(Exception):  # noqa: N818 - carries an error value from a cell to the result
    """An argument that decides the result: its error value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.error = CellError(code, message)


@dataclass(slots=True)
class Noted:
    """A result whose warnings are worth telling; they are only worked out when somebody listens."""

    value: Any
    warnings: Callable[[], Sequence[str]]


@dataclass(slots=True)
class Notebook:
    """What calls had to say while it was open: messages of errors, and warnings, each once."""

    messages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _heard: set[str] = field(default_factory=set, repr=False, compare=False)
    _taken: set[tuple[str, ...]] = field(default_factory=set, repr=False, compare=False)

    def hear(self, message: str) -> None:
        """Take down the message of an error."""
        if message and message not in self._heard:
            self._heard.add(message)
            self.messages.append(message)

    def warn(self, warnings: Sequence[str]) -> None:
        """Take down warnings; cells of a book have few different lists of them."""
        told = tuple(warnings)
        if told not in self._taken:
            self._taken.add(told)
            self.warnings += [w for w in dict.fromkeys(told) if w not in self.warnings]


_notebook: ContextVar[Notebook | None] = ContextVar("notebook", default=None)
host: ContextVar[str] = ContextVar("host", default="python")
"""Name of the application that asks; XLTOKEN_INFO shows it."""


@contextmanager
def listening() -> Iterator[Notebook]:
    """Collect the messages and warnings of every call made inside the block."""
    notebook = Notebook()
    token = _notebook.set(notebook)
    try:
        yield notebook
    finally:
        _notebook.reset(token)


@dataclass(frozen=True, slots=True)
class HostLimit:
    """Something a door cannot tell, and what the function therefore does."""

    door: str
    given: str
    arrives_as: str
    outcome: str


HOST_LIMITS: Final = (
    HostLimit(
        "engine",
        "an argument skipped, f(1,,2)",
        "0",
        'the engine\'s copy of the formula carries "" there, so it is missing',
    ),
    HostLimit(
        "engine",
        "a book in the 1904 date system",
        "serials of that system",
        "the door says so; 1,462 days are added here, and taken off returned dates",
    ),
    HostLimit(
        "engine",
        "one of the newest error values (#FIELD!, #BUSY! ...) but #SPILL! and #CALC!",
        "#VALUE!",
        "#VALUE!",
    ),
    HostLimit(
        "xlwings classic",
        "a Currency or Accounting cell",
        "a Decimal cut to 4 decimals",
        "#VALUE! under 1 in a price, cost or rate",
    ),
    HostLimit("xlwings classic", "an error cell", 'text "#N/A" (err_to_str)', "the same error"),
    HostLimit(
        "xlwings classic",
        "a returned error",
        "text",
        "the generated wrapper turns it into an error; stock Import Functions shows the text",
    ),
    HostLimit(
        "xlwings classic",
        "a book in the 1904 date system",
        "serials of that system, and the active workbook",
        "that workbook's system counts; date cells arrive as dates and are right in any case",
    ),
    HostLimit("xlwings lite", "a blank cell", "0 or blank", "a 0 counts as the number 0"),
    HostLimit(
        "xlwings lite",
        "a returned nan or inf",
        "failure of the call",
        "never returned: #NUM! instead",
    ),
    HostLimit(
        "xlwings lite",
        "a returned error newer than #N/A, from an error cell",
        "text",
        "#VALUE!",
    ),
    HostLimit(
        "xlwings lite",
        "a book in the 1904 date system",
        "serials of that system, and no word of it",
        "serials count from 1900: use such a book with the add-in, or xltoken recalc",
    ),
    HostLimit("libreoffice", "a blank scalar cell", "0", "counts as the number 0"),
    HostLimit("libreoffice", "TRUE", "1", "counts as the number 1"),
    HostLimit("libreoffice", "an error inside a range", "no call", "#VALUE!"),
)
"""What each door cannot tell. Outside this table every door gives the same value or error."""


def call(function: Definition, arguments: Sequence[Any], *, date1904: bool = False) -> Any:
    """Compute a worksheet function from raw host values.

    Parameters
    ----------
    function : Definition
        What to compute.
    arguments : sequence
        Raw values: numbers, text, booleans, dates, None, error marks, or nested lists for ranges.
    date1904 : bool, default False
        Whether serials are of the 1904 date system.

    Returns
    -------
    float, str, date, CellError, or a list of rows of these
        Never None, nan or infinite.
    """
    if len(arguments) > len(function.parameters):
        return _error(VALUE, f"{function.name} takes {len(function.parameters)} arguments at most; "
                      f"it got {len(arguments)}: {function.signature}")  # fmt: skip
    read = [_read(raw) for raw in arguments]
    read += [MISSING] * (len(function.parameters) - len(read))
    grids = [
        value
        for value, parameter in zip(read, function.parameters, strict=True)
        if isinstance(value, list) and parameter.kind.lifts
    ]
    if not grids:
        return _compute(function, read, date1904)
    if function.table:
        return _error(VALUE, f"{function.name} gives a table and takes single cells, no ranges.")
    rows = max(len(grid) for grid in grids)
    width = max(len(grid[0]) for grid in grids)
    return [
        [
            _compute(function, _at(function.parameters, read, row, column), date1904)
            for column in range(width)
        ]
        for row in range(rows)
    ]


def prepared(function: Definition, *, date1904: bool = False) -> Callable[..., Any]:
    """Make of a worksheet function one of raw host values, for a door that asks often.

    Ranges hold plain Python values, as the engine hands them over: no numpy scalars.

    It gives :func:`outgoing` of :func:`call`, to the last message and warning. Arguments of the
    usual kinds (a text, a number, nothing, assumptions that were read before) are read at once.
    """
    read_usual = _usual_readers(function.parameters, date1904)

    def compute(*arguments: Any) -> Any:
        try:
            values = read_usual(arguments)
        except _NOT_USUAL:
            result = call(function, arguments, date1904=date1904)
        else:
            result = _answer(function, values)
        return result if type(result) is float else outgoing(result, date1904=date1904)

    return compute


def outgoing(value: Any, *, date1904: bool = False) -> Any:
    """Result as a host can store it: dates become serials of the book's date system."""
    if isinstance(value, list):
        return [[outgoing(cell, date1904=date1904) for cell in row] for row in value]
    if isinstance(value, dt.date):
        return float(value.toordinal() - _DAY_0 - (_DAYS_1904 if date1904 else 0))
    return value


def month_of(raw: Any) -> dt.date | float:
    """Date, or months after ``start``, that a value means in a cell; a serial is a date.

    Raises
    ------
    InputError
        If it is neither.
    """
    month = Parameter("month", Kind.DATE, "date or months", "A date, or months after start.")
    try:
        found = _date(month, _scalar(raw), date1904=False)
    except Failure as failure:
        raise InputError(failure.error.message or f"month is {failure.error}.") from None
    assert found is not None
    return found


def day_of(serial: float, *, date1904: bool = False) -> dt.date:
    """Day of a date serial; the part of a day is dropped."""
    return dt.date.fromordinal(_DAY_0 + int(serial) + (_DAYS_1904 if date1904 else 0))


def _compute(function: Definition, read: Sequence[Any], date1904: bool) -> Any:
    try:
        values = [
            _READERS[parameter.kind](parameter, value, date1904)
            for parameter, value in zip(function.parameters, read, strict=True)
        ]
    except Failure as failure:
        return _error(failure.error, failure.error.message)
    except Exception as error:  # noqa: BLE001 - raised again where it is a defect of ours
        return _failed(function, error)
    return _answer(function, values)


def _answer(function: Definition, values: Sequence[Any]) -> Any:
    """Result of a function of clean values, or its error; who listens hears what it has to say."""
    try:
        result = function.implementation(*values)
    except Exception as error:  # noqa: BLE001 - raised again where it is a defect of ours
        return _failed(function, error)
    if isinstance(result, Noted):
        notebook = _notebook.get()
        if notebook is not None:
            notebook.warn(result.warnings())
        result = result.value
    if type(result) is float and math.isfinite(result):
        return result
    if function.table:
        kinds = [column.kind for column in function.columns]
        # The last column's kind is that of all that follow, where their number is the user's.
        return [
            [_clean(function, cell, kinds[min(i, len(kinds) - 1)]) for i, cell in enumerate(row)]
            for row in result
        ]
    return _clean(function, result, "number")


def _failed(function: Definition, error: Exception) -> CellError:
    for kind, code in FAILURES:
        if isinstance(error, kind):
            return _error(code, f"{function.name}: {error}")
    raise error


def _clean(function: Definition, result: Any, kind: str) -> Any:
    if isinstance(result, np.generic):
        result = result.item()
    if isinstance(result, float | int) and not isinstance(result, bool):
        number = float(result)
        if math.isfinite(number):
            return number
        return _error(NUM, f"{function.name}: the result is not a finite number.")
    if result is None:
        return "" if kind == "text" else CellError(NA, "nothing is known of this.")
    return result


def _error(code: str, message: str) -> CellError:
    notebook = _notebook.get()
    if notebook is not None:
        notebook.hear(message)
    return CellError(str(code), message)


# --- reading -------------------------------------------------------------------------------------


def _read(raw: Any) -> Scalar | Grid:
    """Raw host value to a scalar, or to a grid of scalars; a 1x1 range is a scalar."""
    if isinstance(raw, np.ndarray):
        raw = raw.tolist()
    if not isinstance(raw, list | tuple):
        return _scalar(raw)
    rows = [list(row) if isinstance(row, list | tuple) else [row] for row in raw]
    if raw and not any(isinstance(row, list | tuple) for row in raw):
        rows = [list(raw)]  # a flat sequence is a row
    width = max((len(row) for row in rows), default=0)
    if not width:
        return MISSING
    grid = [[_scalar(cell) for cell in row] + [MISSING] * (width - len(row)) for row in rows]
    return grid[0][0] if len(grid) == 1 and width == 1 else grid


def _scalar(raw: Any) -> Scalar:
    if isinstance(raw, float):
        return raw if raw == raw else CellError(NUM, "a number that is not a number.")  # noqa: PLR0124
    if raw is None or raw is MISSING:
        return MISSING
    if isinstance(raw, str):
        return _text(raw)
    if isinstance(raw, bool | np.bool_):
        return bool(raw)
    if isinstance(raw, int | np.integer | np.floating):
        return _as_float(raw)
    if isinstance(raw, dt.datetime):
        if raw != raw:  # noqa: PLR0124 - pandas' NaT is a datetime without a date
            return CellError(NUM, "a date that is no date.")
        return raw.replace(tzinfo=None)
    if isinstance(raw, dt.date):
        return raw
    if isinstance(raw, Decimal):
        # Judged where its parameter is known; what is no finite number is none anywhere.
        return raw if raw.is_finite() else _as_float(raw)  # type: ignore[return-value]
    if isinstance(raw, dict) and raw.get("type") == "Error":
        code = _ENGINE_KINDS.get(str(raw.get("kind", "")).casefold(), VALUE)
        return CellError(code, str(raw.get("message") or ""))
    return CellError(VALUE, f"a value of type {type(raw).__name__} is nothing a cell can hold.")


def _as_float(raw: Any) -> Scalar:
    try:
        number = float(raw)
    except (OverflowError, ArithmeticError, ValueError):
        return CellError(NUM, "a number too large for a cell.")
    return number if number == number else CellError(NUM, "a number that is not a number.")  # noqa: PLR0124


def _text(raw: str) -> Scalar:
    if isinstance(raw, CellError):
        return raw
    if not raw:
        return MISSING
    return CellError(raw) if raw in ERRORS else raw


def _at(parameters: Sequence[Parameter], read: Sequence[Any], row: int, column: int) -> list[Any]:
    """Pick the arguments of one result cell, as Excel broadcasts: no partner is #N/A."""
    picked = []
    for parameter, value in zip(parameters, read, strict=True):
        if not (isinstance(value, list) and parameter.kind.lifts):
            picked.append(value)
            continue
        r = 0 if len(value) == 1 else row
        c = 0 if len(value[0]) == 1 else column
        if r < len(value) and c < len(value[0]):
            picked.append(value[r][c])
        else:
            picked.append(CellError(NA, f"{parameter.name} has no partner in this place."))
    return picked


def _given(parameter: Parameter, value: Any) -> Any:
    """Pass an error on, and a missing value to its default."""
    if isinstance(value, CellError):
        raise Failure(str(value), value.message)
    if value is MISSING and parameter.required:
        raise Failure(VALUE, f"{parameter.name} is missing: {parameter.help}")
    return value


def _key(parameter: Parameter, value: Any, date1904: bool) -> str | None:  # noqa: ARG001
    value = _given(parameter, value)
    if value is MISSING:
        return None if parameter.default is None else str(parameter.default)
    if not isinstance(value, str):
        raise Failure(VALUE, f"{parameter.name} is a text; it is {_shown(value)}.")
    return value


def _date(parameter: Parameter, value: Any, date1904: bool) -> dt.date | float | None:
    value = _given(parameter, value)
    if value is MISSING:
        return None if parameter.default is None else float(parameter.default)
    if isinstance(value, dt.date):
        # One so early has a number that means months to every door that sees numbers.
        serial = float(outgoing(_day(value), date1904=date1904))
        return _day(value) if serial >= LOWEST_SERIAL else serial
    if isinstance(value, Decimal):
        value = float(value)
    if not isinstance(value, float):
        wanted = "a date, or months after start"
        raise Failure(VALUE, f"{parameter.name} is {wanted}; it is {_shown(value)}.")
    return _moment(parameter.name, value, date1904)


def _moment(name: str, value: float, date1904: bool) -> dt.date | float:
    if math.isinf(value):
        raise Failure(NUM, f"{name} is infinite.")
    if value < LOWEST_SERIAL:
        return value
    serial = value + (_DAYS_1904 if date1904 else 0)
    if not serial <= _HIGHEST_SERIAL:
        raise Failure(NUM, f"{name} is {value:g}, beyond the last date a sheet knows.")
    return day_of(value, date1904=date1904)


def _number(parameter: Parameter, value: Any, date1904: bool) -> float | None:
    value = _given(parameter, value)
    if value is MISSING:
        return None if parameter.default is None else float(parameter.default)
    return _float(parameter.name, value, small=parameter.small_money, date1904=date1904)


def _float(name: str, value: Any, *, small: bool, date1904: bool) -> float:
    if isinstance(value, float):
        if math.isinf(value):
            raise Failure(NUM, f"{name} is infinite.")
        return value
    if isinstance(value, Decimal):
        if small and abs(value) < 1:
            raise Failure(
                VALUE,
                f"{name} comes from a Currency cell, cut to 4 decimals ({value}); give the cell a "
                "number format instead.",
            )
        return float(value)
    if isinstance(value, dt.date):
        serial = float(outgoing(_day(value), date1904=date1904))
        if isinstance(value, dt.datetime):
            serial += (value - dt.datetime.combine(value, dt.time())) / dt.timedelta(days=1)
        return serial
    raise Failure(VALUE, f"{name} is a number; it is {_shown(value)}.")


def _day(value: dt.date) -> dt.date:
    """Day of a date; the part of a day is dropped."""
    return value.date() if isinstance(value, dt.datetime) else value


def _series(parameter: Parameter, value: Any, date1904: bool) -> Any:
    if not isinstance(value, list):
        return _number(parameter, value, date1904)
    if len(value) > 1 and len(value[0]) > 1:
        raise Failure(
            VALUE,
            f"{parameter.name} is one row or one column; the range is {len(value)} x "
            f"{len(value[0])}.",
        )
    numbers = []
    for position, cell in enumerate((c for row in value for c in row), 1):
        name = f"{parameter.name}, period {position},"
        if isinstance(cell, CellError):
            raise Failure(str(cell), f"{name} is {cell}{': ' * bool(cell.message)}{cell.message}")
        if cell is MISSING:
            raise Failure(VALUE, f"{name} is blank; write 0 where nothing happens.")
        numbers.append(_float(name, cell, small=parameter.small_money, date1904=date1904))
    return np.array(numbers, dtype=np.float64)


def _assumptions(parameter: Parameter, value: Any, date1904: bool) -> Assumptions:
    if not isinstance(value, list):
        if _given(parameter, value) is MISSING:
            return NONE
        raise Failure(VALUE, _WHAT_ASSUMPTIONS_ARE)
    if len(value[0]) < 2:
        raise Failure(VALUE, _WHAT_ASSUMPTIONS_ARE)
    pairs = tuple((row[0], row[-1]) for row in value)
    if len(value[0]) > 2 and all(v is MISSING for _, v in pairs):
        notebook = _notebook.get()
        if notebook is not None:
            notebook.warn([_BLANK_COLUMN])
    # Python takes TRUE for 1 and a Decimal for its float; the kinds keep them apart in the cache.
    return _parsed(pairs, tuple(type(last) for _, last in pairs), date1904)


_BLANK_COLUMN: Final = (
    "no assumption counts: the last column of their range is blank; end it at the values"
)
_WHAT_ASSUMPTIONS_ARE: Final = (
    "assumptions are a range of two columns or more: names in the first, values in the last."
)


@functools.lru_cache(maxsize=4096)
def _parsed(
    rows: tuple[tuple[Any, Any], ...],
    kinds: tuple[type, ...],  # noqa: ARG001 - part of the cache's key
    date1904: bool,
) -> Assumptions:
    pairs = []
    for name, value in rows:
        for cell in (name, value):
            if isinstance(cell, CellError):
                raise Failure(str(cell), cell.message)
        if name is MISSING:
            if value is MISSING:
                continue
            raise Failure(VALUE, f"the assumption value {_shown(value)} has no name beside it.")
        if not isinstance(name, str):
            raise Failure(VALUE, f"the name of an assumption is a text; it is {_shown(name)}.")
        if normalize(name) in HEADERS:
            continue
        pairs.append((name, _assumed(name, value, date1904)))
    return parse(pairs)


def _assumed(name: str, value: Any, date1904: bool) -> Any:
    """Value of one assumption as :func:`parse` wants it: None, text, float or date."""
    if value is MISSING:
        return None
    known = BY_NAME.get(normalize(name))
    if known is None:
        return value  # parse says that the name is unknown
    if known.kind == "date":
        if isinstance(value, Decimal):
            value = float(value)
        if isinstance(value, float):
            if value < LOWEST_SERIAL:
                raise Failure(VALUE, f"assumption {known.name} is a date; it is {value:g}.")
            return _moment(known.name, value, date1904)
        return _day(value) if isinstance(value, dt.date) else value
    if isinstance(value, Decimal) or (isinstance(value, dt.date) and known.kind != "text"):
        small = small_money(known.unit)
        return _float(f"assumption {known.name}", value, small=small, date1904=date1904)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return repr(value) if isinstance(value, str) else str(value)


_READERS: Final[dict[Kind, Callable[[Parameter, Any, bool], Any]]] = {
    Kind.KEY: _key,
    Kind.DATE: _date,
    Kind.NUMBER: _number,
    Kind.SERIES: _series,
    Kind.ASSUMPTIONS: _assumptions,
}


# --- the usual arguments -------------------------------------------------------------------------


class _Unusual(Exception):  # noqa: N818 - not an error: the argument needs the whole reading
    """An argument that is none of the usual ones."""


_NOT_USUAL: Final[tuple[type[Exception], ...]] = (
    _Unusual,
    Failure,
    *(kind for kind, _ in FAILURES),
)
"""What says that the whole reading must decide about an argument."""


def _usual_readers(
    parameters: Sequence[Parameter], date1904: bool
) -> Callable[[Sequence[Any]], list[Any]]:
    """Make a reader of usual arguments; it raises `_Unusual` where one is not.

    It returns what :func:`_read` and then :data:`_READERS` would.
    """
    readers = [_usual_reader(parameter, date1904) for parameter in parameters]
    optional = [p for p in parameters if not p.required]
    least, most = len(parameters) - len(optional), len(parameters)
    defaults = [None] * least + [_READERS[p.kind](p, MISSING, date1904) for p in optional]

    def read_usual(arguments: Sequence[Any]) -> list[Any]:
        if not least <= len(arguments) <= most:
            raise _Unusual
        values = defaults.copy()
        for place, raw in enumerate(arguments):
            values[place] = readers[place](raw)
        return values

    return read_usual


def _usual_reader(parameter: Parameter, date1904: bool) -> Callable[[Any], Any]:
    """Make a reader of a parameter's usual values."""
    default: Any = _Unusual
    if not parameter.required:
        default = _READERS[parameter.kind](parameter, MISSING, date1904)
    day_0 = day_of(0.0, date1904=date1904).toordinal()
    latest = _HIGHEST_SERIAL + _DAY_0 - day_0

    def blank(raw: Any) -> Any:
        if default is _Unusual or not (raw is None or (type(raw) is str and not raw)):
            raise _Unusual
        return default

    def key(raw: Any) -> Any:
        return raw if type(raw) is str and raw and raw not in ERRORS else blank(raw)

    def date(raw: Any) -> Any:
        if type(raw) is float:
            if LOWEST_SERIAL <= raw <= latest:
                return dt.date.fromordinal(day_0 + int(raw))
            if -math.inf < raw < LOWEST_SERIAL:
                return raw
        return blank(raw)

    def number(raw: Any) -> Any:
        return raw if type(raw) is float and math.isfinite(raw) else blank(raw)

    def series(raw: Any) -> Any:
        if type(raw) is not list:
            return number(raw)
        try:
            numbers = raw[0] if len(raw) == 1 else [cell for (cell,) in raw]
            if len(numbers) > 1 and set(map(type, numbers)) == {float}:
                found = np.array(numbers, dtype=np.float64)
                if np.isfinite(found).all():
                    return found
        except (TypeError, ValueError):  # rows that are none, or have several cells
            pass
        raise _Unusual

    def assumptions(raw: Any) -> Any:
        return _known(parameter, raw, date1904) if type(raw) is list else blank(raw)

    return {
        Kind.KEY: key,
        Kind.DATE: date,
        Kind.NUMBER: number,
        Kind.SERIES: series,
        Kind.ASSUMPTIONS: assumptions,
    }[parameter.kind]


_RANGES_KNOWN: Final = 4096
_ranges: Final[dict[tuple[bytes, bool], Assumptions]] = {}
"""Assumptions by the bytes of their raw ranges."""


def _known(parameter: Parameter, raw: list[Any], date1904: bool) -> Assumptions:
    """Assumptions of a range; a book hands over the same one with every call."""
    try:
        # Its bytes tell TRUE from 1 and are made faster than tuples; the version has no references.
        place = (marshal.dumps(raw, 2), date1904)
    except ValueError:
        raise _Unusual from None
    found = _ranges.get(place)
    if found is None:
        found = _assumptions(parameter, _read(raw), date1904)
        # A range that gives nothing may deserve a warning each time.
        if found.given:
            if len(_ranges) >= _RANGES_KNOWN:
                _ranges.clear()
            _ranges[place] = found
    return found
