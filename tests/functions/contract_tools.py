"""The cell contract (DESIGN.md, section 2) as lines that can be checked on any parameter.

A line is a function of a :class:`Spot`: one parameter of one function, in the function's worked
example. Its docstring is the law. :func:`line` says to which kinds of parameter it applies, and
:data:`LINES` collects them; ``test_contract`` runs every line on every spot to which it applies.

:func:`ask` computes at two doors at once: directly, and through the engine as a formula wherever
the arguments can be written into one. Both must agree in value, kind, message and warning.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from xltoken.functions import FUNCTIONS, WorksheetFunction, cells
from xltoken.functions.cells import CellError
from xltoken.functions.definition import Kind, Parameter
from xltoken.model.assumptions import TABLE, Assumption
from xltoken.recalc.sheetxml import ErrorText
from xltoken.recalc.workbook import evaluate

VALUE: Final = "#VALUE!"
NUM: Final = "#NUM!"
NA: Final = "#N/A"

WRITABLE: Final = frozenset({NA, NUM, VALUE, "#DIV/0!", "#REF!", "#NAME?", "#NULL!"})
"""Error values that can be typed into a formula."""

MOST: Final = 1.7976931348623157e308
"""The largest number a cell can hold."""

LIFTING: Final = ("key", "date", "number")
SAMPLES: Final[dict[str, Any]] = {
    "floor_share": 0.25,
    "kind": "blended",
    "price": 0.25,
    "share": 0.25,
    "assumptions": None,
}
"""A value for an optional parameter that the worked example leaves out and has no default."""

OTHERS: Final[dict[str, Any]] = {
    "platform": "MI355X",
    "workload": "deepseek-r1/batch",
    "field": "catalog",
    "kind": "output",
    "model_or_workload": "deepseek-r1/agentic",
    "provider": "groq",
    "shape": "flat",
    "rank": 2.0,
    "timing": "mid",
    "method": "macrs_5",
}
"""A second valid value of a parameter, where half its value or a later date would not do."""

OUTSIDE: Final[dict[str, tuple[float, ...]]] = {
    "accelerators": (-1.0,),
    "api_price": (-0.01,),
    "capacity": (-1.0,),
    "confidence": (0.0, 1.0, -0.5, 1.5),
    "cashflows": (),
    "cost": (-1.0,),
    "costs": (-0.01,),
    "cumulative_volume": (0.0, -1.0),
    "decline": (1.0, 1.5),
    "discount_rate": (-1.0, -1.5),
    "floor": (-0.01,),
    "floor_share": (-0.01, 1.01),
    "initial_volume": (0.0, -1.0),
    "investment": (-1.0,),
    "learning_rate": (1.0, 1.5),
    "life_years": (0.0, -1.0, 2.5, 101.0),
    "market_decline": (1.0, 1.5),
    "month": (),
    "months": (),
    "peak_factor": (0.999, 0.0, -1.0),
    "periods_per_year": (0.0, -1.0),
    "price": (-0.01,),
    "rank": (0.0, -1.0, 1.5),
    "residual": (-1.0,),
    "salvage": (-1.0, 1e9),
    "share": (-0.01, 1.01),
    "spread": (-0.01, 1.01),
    "start": (-0.01,),
    "unit_cost": (-0.01,),
    "volume": (-1.0,),
    "volumes": (-1.0,),
    "year": (0.0, -1.0, 1.5, 7.0),
}
"""Numbers outside the domain of each parameter that takes a number; () where all will do."""

SMALL_MONEY: Final = frozenset(
    {
        "start",
        "floor",
        "decline",
        "discount_rate",
        "unit_cost",
        "price",
        "api_price",
        "market_decline",
    }
)
"""Prices, costs and rates: a Decimal under 1 may have lost its digits."""

SMALL_MONEY_HERE: Final = frozenset({("COST_CURVE_FIT", "costs")})
"""The same, where another function has a parameter of that name in another unit."""

PREPARED: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("BREAKEVEN_UTILIZATION", "costs"): {"price": 1000.0},
    ("BREAKEVEN_UTILIZATION", "price"): {"price": 1000.0},
    ("CHEAPEST_PLATFORM", "month"): {"rank": 3.0, "month": dt.date(2026, 1, 1)},
    ("COST_CURVE", "floor"): {"start": 0.01},
    ("COST_LINES", "volumes"): {"volumes": [400.0] * 12 + [800.0] * 12, "life_years": 2.0},
    ("COST_CURVE", "floor_share"): {"shape": "floor"},
    ("DEPRECIATION_CHARGE", "salvage"): {"method": None},
    ("DEPRECIATION_CHARGE", "share"): {"method": "units"},
    ("TOKEN_PRICE", "month"): {"assumptions": [["price_decline", 0.5]]},
    ("TOKEN_SOURCE", "month"): {"field": "basis"},
    ("TOKEN_SOURCE", "workload"): {"field": "conditions"},
}
"""What else must stand in the worked example for a parameter to count."""

PATHS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("BREAKEVEN_PRICE", "unit_cost"): {"decline": 0.0},
    ("NPV_DECLINING", "unit_cost"): {"decline": None},
    ("NPV_SIMULATION", "unit_cost"): {"decline": 0.0},
    ("NPV_TORNADO", "unit_cost"): {"decline": 0.0},
}
"""What else must stand there when a series is a range: a path and a decline exclude each other."""

CANCELS: Final = frozenset({("NPV_ADVANTAGE", "price"), ("NPV_ADVANTAGE", "investment")})
"""Parameters that stand on both sides of a difference, so that they never move the result."""

FACTORS: Final = frozenset({"NPV_TORNADO"})
"""Functions that show a scalar as itself and a range as a factor (their own test says so)."""

NO_PATHS: Final = frozenset({("NPV_ADVANTAGE", "unit_cost")})
"""Series that refuse a range, with a message (its own test says so)."""


# --- both doors ----------------------------------------------------------------------------------


def ask(function: WorksheetFunction, arguments: Sequence[Any], **how: Any) -> Any:
    """Compute at both doors, check that the result is fit for a cell, and return it."""
    with cells.listening() as notebook:
        result = cells.call(function, arguments, **how)
    check_fit(result)
    formula = None if how else formula_of(function, arguments)
    if formula is not None:
        rows, heard = evaluate(formula)
        expected = cells.outgoing(result if isinstance(result, list) else [[result]])
        assert rows == expected, formula
        assert [[kind_of(cell) for cell in row] for row in rows] == [
            [kind_of(cell) for cell in row] for row in expected
        ], formula
        assert heard.messages == notebook.messages, formula
        assert heard.warnings == notebook.warnings, formula
    return result


def check_fit(result: Any) -> None:
    """Nothing but float, text, date and error leaves a function; no nan, no inf, no numpy type."""
    if isinstance(result, list):
        assert result
        assert all(type(row) is list and len(row) == len(result[0]) > 0 for row in result)
        for row in result:
            for cell in row:
                assert not isinstance(cell, list)
                check_fit(cell)
        return
    assert type(result) in (float, str, dt.date, CellError), repr(result)
    if type(result) is float:
        assert math.isfinite(result)
    if type(result) is str:
        assert result not in cells.ERRORS, "an error mark that is only text"


def kind_of(cell: Any) -> str:
    """Kind of a value, the same word at both doors."""
    return "error" if isinstance(cell, CellError | ErrorText) else type(cell).__name__


def outcome(result: Any) -> Any:
    """Result with everything that makes two results different: kinds and messages."""
    if isinstance(result, list):
        return [[outcome(cell) for cell in row] for row in result]
    return (type(result).__name__, result, getattr(result, "message", ""))


def formula_of(function: WorksheetFunction, arguments: Sequence[Any]) -> str | None:
    """Formula with these arguments; None where one cannot be typed into a cell."""
    try:
        for parameter, argument in zip(function.parameters, arguments, strict=False):
            # A formula hands the engine a date as its serial, which another message calls so.
            if type(argument) is dt.date and parameter.kind != "date":
                return None
        written = ", ".join(_written(argument) for argument in arguments)
    except TypeError:
        return None
    return f"={function.name}({written})"


def _written(value: Any, *, inside: bool = False) -> str:
    if value is None:
        return '""' if inside else ""
    if type(value) is bool:
        return str(value).upper()
    if value in cells.ERRORS and type(value) in (str, CellError):
        if value not in WRITABLE or getattr(value, "message", ""):
            raise TypeError
        return str(value)
    if type(value) is str:
        doubled = value.replace('"', '""')
        return f'"{doubled}"'
    if type(value) in (int, float) and abs(value) <= MOST:
        return repr(value)
    if type(value) is dt.date:
        serial = int(cells.outgoing(value))
        return str(serial) if inside else f"DATE({value.year},{value.month},{value.day})"
    if type(value) is list and value and all(type(r) is list and r for r in value):
        if any(isinstance(c, list) for r in value for c in r) or len({len(r) for r in value}) > 1:
            raise TypeError
        rows = (",".join(_written(cell, inside=True) for cell in row) for row in value)
        return "{" + ";".join(rows) + "}"
    raise TypeError


# --- spots and lines -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    """One parameter of a function, in the function's worked example."""

    function: WorksheetFunction
    parameter: Parameter
    changed: tuple[tuple[str, Any], ...] = ()

    @property
    def base(self) -> dict[str, Any]:
        """The worked example by name, None where it leaves something out."""
        names = [p.name for p in self.function.parameters]
        example = [*self.function.example, *[None] * (len(names) - len(self.function.example))]
        prepared = PREPARED.get((self.function.name, self.parameter.name), {})
        return {**dict(zip(names, example, strict=True)), **prepared, **dict(self.changed)}

    @property
    def value(self) -> Any:
        """A valid value of the parameter: the example's, the default, or a sample."""
        given = self.base[self.parameter.name]
        if given is None and self.parameter.name in SAMPLES:
            return SAMPLES[self.parameter.name]
        return self.parameter.default if given is None else given

    @property
    def other(self) -> Any:
        """Another valid value."""
        if self.parameter.name in OTHERS and self.value != OTHERS[self.parameter.name]:
            return OTHERS[self.parameter.name]
        if self.parameter.kind == "date":
            return dt.date(2026, 12, 15)
        if self.parameter.kind == "number":
            return self.value / 2 or 0.25
        return "no such key"

    @property
    def cancels(self) -> bool:
        """Whether the parameter never moves the result."""
        return (self.function.name, self.parameter.name) in CANCELS

    @property
    def bad(self) -> Any:
        """A value of the wrong type."""
        return 7.0 if self.parameter.kind == "key" else "seven"

    def arguments(self, value: Any, **others: Any) -> list[Any]:
        """Arguments of the example with `value` in this place; trailing blanks are left out."""
        arguments = list({**self.base, **others, self.parameter.name: value}.values())
        while arguments and arguments[-1] is None:
            arguments.pop()
        return arguments

    def ask(self, value: Any, **others: Any) -> Any:
        """Compute the example with `value` in this place."""
        return ask(self.function, self.arguments(value, **others))

    def with_other(self, **changed: Any) -> "Spot":
        """Same place in an example with something else changed."""
        return Spot(self.function, self.parameter, tuple(changed.items()))

    def lifting_partner(self) -> Parameter | None:
        """Next parameter that lifts, round the signature."""
        parameters = self.function.parameters
        start = parameters.index(self.parameter)
        for step in range(1, len(parameters)):
            candidate = parameters[(start + step) % len(parameters)]
            if candidate.kind.lifts:
                return candidate
        return None


Check = Callable[[Spot], None]


@dataclass(frozen=True)
class Line:
    """A line of the contract: its law, and where it applies."""

    name: str
    check: Check
    applies: Callable[[Spot], bool]


LINES: Final[list[Line]] = []


def line(*kinds: str, when: Callable[[Spot], bool] = lambda _: True) -> Callable[[Check], Check]:
    """Declare a line for parameters of these kinds."""

    def declare(check: Check) -> Check:
        assert check.__doc__, check
        name = check.__name__.replace("_", "-")
        LINES.append(Line(name, check, lambda s: s.parameter.kind.value in kinds and when(s)))
        return check

    return declare


def spots() -> Iterator[Spot]:
    """Every parameter of every function."""
    for function in FUNCTIONS.values():
        for parameter in function.parameters:
            yield Spot(function, parameter)


def is_error(result: Any, code: str, *words: str) -> None:
    """Check that a result is this error, and that its message has these words."""
    assert isinstance(result, CellError), repr(result)
    assert result == code, (result, result.message)
    assert result.message.strip(), "a failure without a sentence"
    for word in words:
        assert word in result.message, result.message


ALL: Final = tuple(kind.value for kind in Kind)


def _small_money(spot: Spot) -> bool:
    name = spot.parameter.name
    return name in SMALL_MONEY or (spot.function.name, name) in SMALL_MONEY_HERE


# --- what comes in -------------------------------------------------------------------------------


@line(*ALL)
def blank_is_missing(spot: Spot) -> None:
    """Blank, empty text, None and omitted are one thing: the default, else #VALUE!."""
    parameter = spot.parameter
    # Each blank is asked in its place, with everything behind it written out.
    filled = {p.name: p.default for p in spot.function.parameters if not p.required}
    later = {n: v for n, v in filled.items() if spot.base[n] is None and n != parameter.name}
    blanks = (None, "", [[None]], [[""]], [], np.array([[None]]), np.array([[""]]))
    results = [outcome(spot.ask(blank)) for blank in blanks]
    results += [outcome(spot.ask(blank, **later)) for blank in (None, "")]
    named = {n: v for n, v in spot.base.items() if n != parameter.name and v is not None}
    results.append(outcome(spot.function(**named)))
    assert all(result == results[0] for result in results), results
    if parameter.required:
        is_error(spot.ask(None), VALUE, f"{parameter.name} is missing", parameter.help)
    elif parameter.default is not None:
        assert results[0] == outcome(spot.ask(parameter.default))


@line(*ALL)
def an_error_stays_itself(spot: Spot) -> None:
    """An error in a parameter is the result, with its message if it brought one."""
    for code in sorted(cells.ERRORS):
        for given in (code, CellError(code), [[code]], ((code,),)):
            result = spot.ask(given)
            assert isinstance(result, CellError)
            assert result == code
        assert spot.ask(CellError(code, "said before")).message == "said before"
    for kind, code in (("Div", "#DIV/0!"), ("Na", NA), ("Ref", "#REF!"), ("Unheard", VALUE)):
        engine = {"type": "Error", "kind": kind, "message": "from the engine"}
        is_error(spot.ask(engine), code, "from the engine")


@line("number", "series", "assumptions", "date")
def text_and_truth_are_no_numbers(spot: Spot) -> None:
    """Text or a boolean where a number, a date or a table is due is #VALUE!, and named."""
    who = spot.parameter.name if spot.parameter.kind != "assumptions" else "assumptions"
    for given in (True, False, np.True_, "1", "2026-01-01", "TRUE", " "):
        for shaped in (given, [[given]]):
            is_error(spot.ask(shaped), VALUE, who)
    if spot.parameter.kind != "assumptions":
        is_error(spot.ask(True), VALUE, "TRUE")
        is_error(spot.ask(False), VALUE, "FALSE")
        is_error(spot.ask("1"), VALUE, "'1'")


@line("key")
def numbers_and_dates_are_no_keys(spot: Spot) -> None:
    """A number, boolean or date where a text is due is #VALUE!, and named."""
    for given in (1.0, 0, True, dt.date(2026, 1, 1), Decimal("1.5"), np.int64(3), np.False_):
        is_error(spot.ask(given), VALUE, spot.parameter.name)


@line(*ALL)
def strange_objects_are_refused(spot: Spot) -> None:
    """What no cell can hold is #VALUE! with the name of its type, never an exception."""
    for given in (dt.time(1), object(), {"a": 1}, 1j, b"bytes", np.datetime64("2026-01-01")):
        is_error(spot.ask(given), VALUE, type(given).__name__)


@line("number", "series", "date")
def every_number_type_is_a_float(spot: Spot) -> None:
    """An int, a numpy scalar, a 0-d array and a 1x1 array of a number are that float."""
    months = spot.parameter.kind == "date"
    for number in (0.0, 1.0, 2.0, 24.0, *(() if months else (46023.0,))):
        expected = outcome(spot.ask(number))
        whole = int(number)
        for given in (
            whole,
            np.int64(whole),
            np.uint16(whole),
            np.float64(number),
            np.float32(number),
            np.array(whole),
            np.array([[whole]]),
            [[whole]],
        ):
            assert outcome(spot.ask(given)) == expected, type(given)
    if not months:
        value = spot.value if isinstance(spot.value, float) else 0.3
        assert outcome(spot.ask(np.float64(value))) == outcome(spot.ask(value))


@line("number", "series")
def a_decimal_under_1_is_refused_where_digits_matter(spot: Spot) -> None:
    """A Decimal is a float from 1 on; under 1 a price, cost or rate is #VALUE! saying why."""
    for text in ("1", "1.25", "3", "46023.5"):
        assert outcome(spot.ask(Decimal(text))) == outcome(spot.ask(float(text)))
    for text in ("0", "0.25", "0.9999", "-0.25"):
        for given in (Decimal(text), [[Decimal(text)]]):
            if _small_money(spot):
                said = (spot.parameter.name, "Currency", "4 decimals", "number format")
                is_error(spot.ask(given), VALUE, *said)
            else:
                assert outcome(spot.ask(given)) == outcome(spot.ask(float(text)))


@line("number")
def a_date_where_a_number_is_due_is_its_serial(spot: Spot) -> None:
    """A date in a number parameter counts as its serial, the time of day as its fraction."""
    expected = outcome(spot.ask(46023.0))
    for given in (dt.date(2026, 1, 1), dt.datetime(2026, 1, 1), pd.Timestamp(2026, 1, 1)):
        assert outcome(spot.ask(given)) == expected
    later = outcome(spot.ask(46023.75))
    assert outcome(spot.ask(dt.datetime(2026, 1, 1, 18, tzinfo=dt.UTC))) == later
    arguments = spot.arguments(dt.date(2026, 1, 1))
    under_1904 = spot.arguments(46023.0 - 1462.0)
    asked = ask(spot.function, arguments, date1904=True)
    assert outcome(asked) == outcome(ask(spot.function, under_1904, date1904=True))


@line("number", "series", "date")
def no_number_is_no_number(spot: Spot) -> None:
    """Nan and infinity are #NUM! with a sentence."""
    for given in (math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf")):
        is_error(spot.ask(given), NUM)
        is_error(spot.ask([[given]]), NUM)


@line("number", "series", "date")
def extreme_numbers_give_a_value_or_an_error(spot: Spot) -> None:
    """Any finite number gives a finite result or an error with a sentence: never a warning."""
    for size in (1e308, 1e200, 1e18, 1e-18, 1e-200, 5e-324, 0.0):
        for given in (size, -size):
            result = spot.ask(given)
            if isinstance(result, CellError):
                is_error(result, str(result))


@line("number", "series", "date")
def numbers_beyond_every_float_are_num(spot: Spot) -> None:
    """An int or a Decimal that no float can hold is #NUM!, never an exception."""
    for given in (10**400, -(10**400), Decimal("1e400"), Decimal("NaN")):
        is_error(spot.ask(given), NUM)


@line("number", "series")
def outside_its_domain_a_number_is_num(spot: Spot) -> None:
    """A number outside the domain of its parameter is #NUM! with a sentence."""
    name = spot.parameter.name
    assert name in OUTSIDE, f"state the domain of {name} in contract_tools.OUTSIDE"
    for given in OUTSIDE[name]:
        is_error(spot.ask(given), NUM)


# --- dates ---------------------------------------------------------------------------------------


@line("date")
def a_date_is_its_serial(spot: Spot) -> None:
    """Date, datetime, timestamp and serial, with or without a time of day, are one day."""
    expected = outcome(spot.ask(dt.date(2026, 1, 1)))
    assert expected != outcome(spot.ask(dt.date(2026, 12, 1)))
    for given in (
        46023.0,
        46023,
        46023.999,
        np.int64(46023),
        np.float64(46023.25),
        Decimal(46023),
        dt.datetime(2026, 1, 1),
        dt.datetime(2026, 1, 1, 23, 59, 59),
        pd.Timestamp(2026, 1, 1, 12),
        [[46023.0]],
        [[dt.datetime(2026, 1, 1)]],
        np.array([[46023.0]]),
    ):
        assert outcome(spot.ask(given)) == expected, repr(given)


@line("date")
def a_1904_serial_is_1462_days_later(spot: Spot) -> None:
    """In a 1904 book the same day has a serial smaller by 1,462; dates and months stay."""
    expected = outcome(spot.ask(dt.date(2026, 1, 1)))
    for given in (46023.0 - 1462.0, dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, 6)):
        arguments = spot.arguments(given)
        assert outcome(ask(spot.function, arguments, date1904=True)) == expected
    assert outcome(ask(spot.function, spot.arguments(46023.0), date1904=True)) != expected
    months = ask(spot.function, spot.arguments(6.0), date1904=True)
    assert outcome(months) == outcome(spot.ask(6.0))


@line("date", when=lambda s: "months" in s.parameter.unit)
def a_small_number_is_months_after_start(spot: Spot) -> None:
    """A number below 1200 is months after the catalog's date, by EDATE; the rest is a serial."""
    today = pd.Timestamp(FUNCTIONS["XLTOKEN_INFO"]("catalog"))
    for months in (0, 1, 12, -3, 25):
        day = (today + pd.DateOffset(months=months)).date()
        assert outcome(spot.ask(float(months))) == outcome(spot.ask(day)), months
    assert outcome(spot.ask(1199.0)) != outcome(spot.ask(1200.0))
    assert outcome(spot.ask(1200.0)) == outcome(spot.ask(dt.date(1903, 4, 14)))


@line("date")
def beyond_the_calendar_is_num(spot: Spot) -> None:
    """A serial after 9999-12-31 and months that leave the calendar are #NUM!."""
    for given in (2_958_466.0, 1e9, 1e300, -2000.0, -1e12):
        is_error(spot.ask(given), NUM)
    is_error(ask(spot.function, spot.arguments(2_958_465.0), date1904=True), NUM, "last date")


# --- keys ----------------------------------------------------------------------------------------


@line("key")
def spelling_does_not_count(spot: Spot) -> None:
    """Case, spaces, hyphens and underscores do not count in a key."""
    value = spot.value
    expected = outcome(spot.ask(value))
    spaced = " ".join(value)
    for given in (
        value.lower(),
        value.upper(),
        value.replace(" ", "-"),
        value.replace("-", "_"),
        f" {value}\u00a0",
        spaced,
        "_".join(value.swapcase()),
        np.str_(value),
        [[value.lower()]],
    ):
        assert outcome(spot.ask(given)) == expected, given


@line("key")
def an_unknown_key_is_na_with_the_nearest(spot: Spot) -> None:
    """An unknown key is #N/A; the message repeats it and names the nearest."""
    for wrong in (spot.value + "x", spot.value[:-1] + "?"):
        is_error(spot.ask(wrong), NA, repr(wrong), spot.value)
    is_error(spot.ask("no such key"), NA, "'no such key'", "not known")


# --- ranges --------------------------------------------------------------------------------------


@line("key", "date", "number", "series", when=lambda s: not isinstance(s.value, list))
def a_1x1_range_is_a_scalar(spot: Spot) -> None:
    """A range of one cell gives what the cell gives, and no range."""
    expected = outcome(spot.ask(spot.value))
    for given in ([[spot.value]], [spot.value], ((spot.value,),), np.array([[spot.value]], object)):
        assert outcome(spot.ask(given)) == expected


@line(*LIFTING, when=lambda s: not s.function.table)
def ranges_lift(spot: Spot) -> None:
    """A row, a column and a block give results of their shape, each that of its cell alone."""
    a, b = spot.value, spot.other
    one, two = outcome(spot.ask(a)), outcome(spot.ask(b))
    assert (one == two) == spot.cancels, "the two values must tell cells apart"
    assert outcome(spot.ask([[a], [b]])) == [[one], [two]]
    assert outcome(spot.ask([[a, b]])) == [[one, two]]
    assert outcome(spot.ask([b, a])) == [[two, one]]
    assert outcome(spot.ask(((a, b), (b, b)))) == [[one, two], [two, two]]
    if spot.parameter.kind == "number":
        assert outcome(spot.ask(np.array([[a, b]]))) == [[one, two]]


@line(*LIFTING, when=lambda s: not s.function.table)
def one_bad_element_spoils_one_cell(spot: Spot) -> None:
    """A blank, error or value of the wrong type in a range decides its own cell only."""
    good = outcome(spot.ask(spot.value))
    column = spot.ask([[spot.value], ["#REF!"], [spot.bad], [None], [spot.value]])
    assert outcome(column[0][0]) == outcome(column[4][0]) == good
    assert isinstance(column[1][0], CellError)
    assert column[1][0] == "#REF!"
    is_error(column[2][0], VALUE, spot.parameter.name)
    assert outcome(column[3][0]) == outcome(spot.ask(None))


@line(*LIFTING, when=lambda s: not s.function.table and s.lifting_partner() is not None)
def a_column_against_a_row_gives_a_table(spot: Spot) -> None:
    """A column of one parameter against a row of another gives every pair."""
    partner = spot.lifting_partner()
    assert partner is not None
    across = Spot(spot.function, partner, spot.changed)
    downs, rights = (spot.value, spot.other), (across.value, across.other)
    alone = [[outcome(spot.ask(d, **{partner.name: r})) for r in rights] for d in downs]
    column, row = [[d] for d in downs], [list(rights)]
    assert outcome(spot.ask(column, **{partner.name: row})) == alone
    assert outcome(spot.ask(column, **{partner.name: [[r] for r in rights]})) == [
        [alone[0][0]],
        [alone[1][1]],
    ]
    block = [[downs[0], downs[1]], [downs[1], downs[0]]]
    against = spot.ask(block, **{partner.name: row})
    assert outcome(against) == [[alone[0][0], alone[1][1]], [alone[1][0], alone[0][1]]]


@line(*LIFTING, when=lambda s: not s.function.table and s.lifting_partner() is not None)
def without_a_partner_a_cell_is_na(spot: Spot) -> None:
    """Where ranges of different length meet, a cell without a partner is #N/A and says so."""
    partner = spot.lifting_partner()
    assert partner is not None
    across = Spot(spot.function, partner, spot.changed)
    two, three = [[spot.value]] * 2, [[across.value]] * 3
    good = outcome(spot.ask(spot.value, **{partner.name: across.value}))
    column = spot.ask(two, **{partner.name: three})
    assert [outcome(column[0][0]), outcome(column[1][0])] == [good, good]
    is_error(column[2][0], NA, spot.parameter.name, "partner")
    row = spot.ask([[spot.value] * 3], **{partner.name: [[across.value] * 2]})
    is_error(row[0][2], NA, partner.name, "partner")


@line(*LIFTING, when=lambda s: s.function.table)
def a_table_takes_single_cells(spot: Spot) -> None:
    """A function whose result is a table refuses a range, and takes one cell as itself."""
    for given in ([[spot.value], [spot.value]], [[spot.value, spot.value]]):
        is_error(spot.ask(given), VALUE, spot.function.name, "single cells")


# --- series --------------------------------------------------------------------------------------


def _numbers(value: Any) -> list[float]:
    """Three periods of a series, or those of the worked example."""
    if isinstance(value, list):
        return [cell for row in value for cell in (row if isinstance(row, list) else [row])]
    return [value, value * 1.5, value / 2]


def _takes_ranges(spot: Spot) -> bool:
    return (spot.function.name, spot.parameter.name) not in NO_PATHS


def _as_path(spot: Spot) -> Spot:
    return spot.with_other(**PATHS.get((spot.function.name, spot.parameter.name), {}))


@line("series", when=_takes_ranges)
def a_row_a_column_and_a_list_are_one_series(spot: Spot) -> None:
    """The periods of a series come in a row, a column, a list or an array: all the same."""
    spot = _as_path(spot)
    numbers = _numbers(spot.value)
    expected = outcome(spot.ask([numbers]))
    assert isinstance(expected, list) or expected[0] == "float"
    assert spot.cancels or expected != outcome(spot.ask([numbers[::-1]]))
    for given in (
        [[number] for number in numbers],
        numbers,
        tuple(numbers),
        np.array(numbers),
        np.array([numbers]),
        np.array([numbers]).T,
    ):
        assert outcome(spot.ask(given)) == expected


@line(
    "series",
    when=lambda s: (
        _takes_ranges(s)
        and s.function.name not in FACTORS
        and any(p.kind == "assumptions" for p in s.function.parameters)
    ),
)
def a_scalar_stands_for_every_period(spot: Spot) -> None:
    """A scalar series is a range of that value over horizon_months."""
    spot = _as_path(spot)
    for months in (60, 1, 7):
        chosen = None if months == 60 else [["horizon_months", float(months)]]
        alone = spot.ask(spot.value, assumptions=chosen)
        ranged = spot.ask([[spot.value]] * months, assumptions=chosen)
        assert outcome(ranged) == outcome(alone)


@line("series")
def a_blank_inside_names_its_period(spot: Spot) -> None:
    """A blank inside a series is #VALUE!, and the message names parameter and period."""
    first, *_, last = _numbers(spot.value)
    for blank in (None, ""):
        said = (spot.parameter.name, "period 2", "blank")
        is_error(spot.ask([[first], [blank], [last]]), VALUE, *said)
        is_error(spot.ask([[first, last, blank]]), VALUE, spot.parameter.name, "period 3")
        is_error(spot.ask([[blank, last]]), VALUE, spot.parameter.name, "period 1")


@line("series")
def an_error_inside_stays_itself(spot: Spot) -> None:
    """An error inside a series is the result, and the message names the period."""
    first, *_, last = _numbers(spot.value)
    for code in sorted(cells.ERRORS):
        is_error(spot.ask([[first], [code], [last]]), code, spot.parameter.name, "period 2")


@line("series")
def an_error_that_speaks_names_its_period_too(spot: Spot) -> None:
    """An error inside a series that brings its own message, or nan, names the period as well."""
    first, *_, last = _numbers(spot.value)
    spoken = spot.ask([[first], [CellError("#REF!", "said before")], [last]])
    is_error(spoken, "#REF!", spot.parameter.name, "period 2", "said before")
    is_error(spot.ask([[first], [math.nan], [last]]), NUM, spot.parameter.name, "period 2")


@line("series")
def a_wrong_cell_inside_names_its_period(spot: Spot) -> None:
    """Text, booleans, infinity and cut Decimals inside a series name parameter and period."""
    first, *_, last = _numbers(spot.value)
    for bad in ("1", True, np.False_, dt.time(1)):
        result = spot.ask([[first], [bad], [last]])
        assert result == VALUE
        is_error(result, VALUE, *(() if isinstance(bad, dt.time) else ("period 2",)))
    is_error(spot.ask([[first, last, math.inf]]), NUM, spot.parameter.name, "period 3")
    if _small_money(spot):
        cut = spot.ask([[first], [last], [Decimal("0.25")]])
        is_error(cut, VALUE, spot.parameter.name, "period 3", "Currency")


@line("series", when=_takes_ranges)
def decimals_inside_are_floats(spot: Spot) -> None:
    """A Decimal of 1 or more inside a series is that float."""
    spot = _as_path(spot)
    expected = outcome(spot.ask([[1.0, 2.5, 3.0]]))
    assert outcome(spot.ask([[Decimal(1), Decimal("2.5"), 3]])) == expected


@line("series")
def a_block_is_no_series(spot: Spot) -> None:
    """A range of two rows and two columns is #VALUE! with its size."""
    first, *_, last = _numbers(spot.value)
    said = (spot.parameter.name, "one row or one column")
    is_error(spot.ask([[first, last], [first, last]]), VALUE, *said, "2 x 2")
    is_error(spot.ask([[first, last]] * 3), VALUE, *said, "3 x 2")
    is_error(spot.ask([[first, last], [first]]), VALUE, *said, "2 x 2")


def _sibling(spot: Spot) -> Parameter | None:
    """Another series of the same function that takes ranges."""
    for parameter in spot.function.parameters:
        candidate = Spot(spot.function, parameter)
        if parameter.kind == "series" and parameter != spot.parameter and _takes_ranges(candidate):
            return parameter
    return None


@line("series", when=lambda s: _takes_ranges(s) and _sibling(s) is not None)
def series_of_different_length_are_refused(spot: Spot) -> None:
    """Two ranges of different length are #VALUE! with both names and lengths."""
    sibling = _sibling(spot)
    assert sibling is not None
    changes = PATHS.get((spot.function.name, sibling.name), {})
    spot = _as_path(spot).with_other(**changes, **dict(_as_path(spot).changed))
    first, *_, last = _numbers(spot.value)
    others = [[1.0, 2.0]]
    said = (f"{spot.parameter.name} 3", f"{sibling.name} 2")
    is_error(spot.ask([[first, last, last]], **{sibling.name: others}), VALUE, *said)
    same = spot.ask([[first, last]], **{sibling.name: others})
    assert type(same) in (float, list)


@line("series", when=_takes_ranges)
def a_series_does_not_lift(spot: Spot) -> None:
    """A range in a series gives one result; beside a lifted parameter it is taken whole."""
    spot = _as_path(spot)
    numbers = _numbers(spot.value)
    alone = outcome(spot.ask([numbers]))
    assert not isinstance(alone, list) or spot.function.table
    partner = spot.lifting_partner()
    if partner is not None and not spot.function.table:
        value = Spot(spot.function, partner, spot.changed).value
        pair = spot.ask([numbers], **{partner.name: [[value], [value]]})
        assert outcome(pair) == [[alone], [alone]]


# --- assumptions ---------------------------------------------------------------------------------


def _rows(spot: Spot) -> list[list[Any]]:
    return [list(row) for row in spot.base[spot.parameter.name] or []]


def _defaults() -> Iterable[Assumption]:
    return (assumption for assumption in TABLE if assumption.default is not None)


@line("assumptions")
def headers_and_blank_rows_are_skipped(spot: Spot) -> None:
    """A header and blank rows count for nothing, whatever stands in the middle of them."""
    rows = _rows(spot)
    expected = outcome(spot.ask(rows or None))
    for extra in (["name", "value"], ["Assumption", "in use"], ["NAME", None], [None, None]):
        assert outcome(spot.ask([extra, *rows])) == expected, extra
    assert outcome(spot.ask([*rows, ["", ""], [None, ""]])) == expected
    wide = [[name, "unit", value] for name, value in rows]
    assert outcome(spot.ask([[None, "a remark", None], *wide])) == expected


@line("assumptions")
def a_blank_value_is_not_given(spot: Spot) -> None:
    """A name with a blank beside it changes nothing, for every assumption there is."""
    rows = _rows(spot)
    expected = outcome(spot.ask(rows or None))
    for blank in (None, ""):
        every = [[assumption.name, blank] for assumption in TABLE]
        assert outcome(spot.ask([*rows, *every])) == expected


@line("assumptions")
def a_default_given_is_the_default(spot: Spot) -> None:
    """Every assumption given at its default, as the design lists it, changes nothing."""
    rows = _rows(spot)
    taken = {name for name, _ in rows}
    given = [[a.name, a.default] for a in _defaults() if a.name not in taken]
    assert len(given) > 15
    assert outcome(spot.ask([*rows, *given])) == outcome(spot.ask(rows or None))


@line("assumptions")
def columns_between_do_not_count(spot: Spot) -> None:
    """The name is in the first column and the value in the last; a unit and a note may be between."""
    rows = [*_rows(spot), ["overhead", 0.25], ["timing", "mid"], ["horizon_months", 24.0]]
    expected = outcome(spot.ask(rows))
    assert outcome(spot.ask([[name, "a unit", value] for name, value in rows])) == expected
    assert outcome(spot.ask([[name, 7.0, None, value] for name, value in rows])) == expected
    assert outcome(spot.ask(tuple((name, True, "note", value) for name, value in rows))) == expected
    assert outcome(spot.ask(np.array(rows, dtype=object))) == expected


@line("assumptions")
def names_and_choices_ignore_spelling(spot: Spot) -> None:
    """Case, spaces, hyphens and underscores do not count in names and choices."""
    rows = _rows(spot)
    expected = outcome(spot.ask([*rows, ["tokens_counted", "total"], ["timing", "begin"]]))
    for counted, timing in (("Tokens counted", "TIMING"), ("TOKENS-COUNTED", " timing ")):
        given = [[counted, "TOTAL"], [timing, "Begin"]]
        assert outcome(spot.ask([*rows, *given])) == expected


@line("assumptions")
def unknown_and_doubled_names_are_refused(spot: Spot) -> None:
    """An unknown name is #VALUE! with the nearest; a name given twice is #VALUE!."""
    rows = _rows(spot)
    unknown = spot.ask([*rows, ["over_heed", 0.1]])
    is_error(unknown, VALUE, "'over_heed'", "Did you mean overhead?")
    is_error(spot.ask([*rows, ["tokens_count", None]]), VALUE, "Did you mean tokens_counted?")
    is_error(spot.ask([*rows, ["zzzz", 1.0]]), VALUE, "'zzzz'")
    twice = [["overhead", 0.1], ["Over-Head", 0.1]]
    is_error(spot.ask([*rows, *twice]), VALUE, "overhead", "twice")


@line("assumptions")
def out_of_range_is_num(spot: Spot) -> None:
    """An assumption outside the range that the design lists is #NUM! with name and range."""
    rows = _rows(spot)
    taken = {name for name, _ in rows}
    wrong = {
        "usd_per_accelerator_hour": (0.0, -1.0),
        "utilization": (0.0, 1.01),
        "overhead": (-0.01,),
        "min_tokens_per_second_per_user": (-1.0,),
        "max_seconds_to_first_token": (0.0, -1.0),
        "software_gain_per_month": (-0.01, 1.01),
        "rate_decline": (1.0, 2.0),
        "price_decline": (1.0,),
        "horizon_months": (0.0, 601.0, 12.5),
        "tax_rate": (-0.01, 1.0),
        "life_years": (0.0, 2.5),
        "residual": (-1.0,),
        "opex_per_month": (-1.0,),
        "cost_decline_sd": (-0.1,),
        "volume_sd": (-0.1,),
        "correlation": (-1.01, 1.01),
        "paths": (0.0, 10.5),
        "seed": (-1.0, 0.5),
        "confidence": (0.0, 1.0),
    }
    for name, numbers in wrong.items():
        if name not in taken:
            for number in (*numbers, math.inf, -math.inf):
                is_error(spot.ask([*rows, [name, number]]), NUM, f"assumption {name}")


@line("assumptions")
def the_wrong_kind_of_value_is_refused(spot: Spot) -> None:
    """Text, booleans or numbers where the assumption is of another kind are #VALUE!."""
    rows = _rows(spot)
    for name, value in (
        ("overhead", "0.1"),
        ("opex_per_month", True),
        ("start", "2026-01-01"),
        ("start", True),
        ("as_of", 5.0),
        ("timing", 1.0),
        ("timing", "later"),
        ("scenario", False),
        ("precision", 4.0),
        ("depreciation", "sum of yeras"),
    ):
        is_error(spot.ask([*rows, [name, value]]), VALUE, name)


@line("assumptions")
def only_a_range_of_two_columns_is_read(spot: Spot) -> None:
    """One column, a single value, a value without a name or a number for a name is #VALUE!."""
    for given in ([["overhead"], ["timing"]], "overhead", 1.0, dt.date(2026, 1, 1), [["overhead"]]):
        is_error(spot.ask(given), VALUE, "two columns")
    is_error(spot.ask([[None, 0.1]]), VALUE, "no name", "0.1")
    is_error(spot.ask([["", "mid"]]), VALUE, "no name", "'mid'")
    is_error(spot.ask([[3.0, 0.1]]), VALUE, "name of an assumption", "3")
    is_error(spot.ask([[True, 0.1]]), VALUE, "name of an assumption", "TRUE")


@line("assumptions")
def an_error_in_the_range_stays_itself(spot: Spot) -> None:
    """An error in a name or a value is the result; one in a column between does not count."""
    rows = _rows(spot)
    for code in sorted(cells.ERRORS):
        for row in ([code, 0.1], ["overhead", code]):
            result = spot.ask([*rows, row])
            assert isinstance(result, CellError)
            assert result == code
    wide = [[name, "unit", value] for name, value in rows]
    between = spot.ask([*wide, ["overhead", "#REF!", 0.0]])
    assert outcome(between) == outcome(spot.ask([*rows, ["overhead", 0.0]]))


@line("assumptions")
def a_decimal_assumption_is_a_float(spot: Spot) -> None:
    """A Decimal is a float; under 1 in a price, cost or rate it is #VALUE! saying why."""
    rows = _rows(spot)
    same = outcome(spot.ask([*rows, ["overhead", 0.1875]]))
    assert outcome(spot.ask([*rows, ["overhead", Decimal("0.1875")]])) == same
    for name in ("rate_decline", "price_decline"):
        cut = spot.ask([*rows, [name, Decimal("0.1876")]])
        is_error(cut, VALUE, name, "Currency")
    if "usd_per_accelerator_hour" not in {name for name, _ in rows}:
        for text in ("0", "0.9999"):
            cut = spot.ask([*rows, ["usd_per_accelerator_hour", Decimal(text)]])
            is_error(cut, VALUE, "usd_per_accelerator_hour", "Currency")
        fine = spot.ask([*rows, ["usd_per_accelerator_hour", Decimal("2.25")]])
        same = spot.ask([*rows, ["usd_per_accelerator_hour", 2.25]])
        assert outcome(fine) == outcome(same)


@line("assumptions")
def like_values_of_other_types_are_told_apart(spot: Spot) -> None:
    """TRUE after 1 and a cut Decimal after its float are refused: the order of calls is nothing."""
    rows = _rows(spot)
    assert outcome(spot.ask([*rows, ["overhead", 1.0]]))[0] != "CellError"
    is_error(spot.ask([*rows, ["overhead", True]]), VALUE, "overhead")
    assert outcome(spot.ask([*rows, ["rate_decline", 0.375]]))[0] != "CellError"
    cut = spot.ask([*rows, ["rate_decline", Decimal("0.375")]])
    is_error(cut, VALUE, "rate_decline", "Currency")


@line("assumptions")
def a_date_assumption_is_its_serial(spot: Spot) -> None:
    """Serial, date, datetime and 1904 serial of an assumption are one day."""
    rows = _rows(spot)
    expected = outcome(spot.ask([*rows, ["start", dt.date(2026, 1, 1)]]))
    for given in (46023.0, 46023, 46023.75, np.int64(46023), dt.datetime(2026, 1, 1, 9)):
        assert outcome(spot.ask([*rows, ["start", given]])) == expected, repr(given)
    arguments = spot.arguments([*rows, ["start", 46023.0 - 1462.0]])
    assert outcome(ask(spot.function, arguments, date1904=True)) == expected
    for far in (2_958_466.0, 1e12, math.inf):
        is_error(spot.ask([*rows, ["start", far]]), NUM, "start")


@line("assumptions")
def a_date_where_an_assumption_is_a_number_is_its_serial(spot: Spot) -> None:
    """A cell formatted as a date counts as its serial, as the engine's door hands it over."""
    rows = _rows(spot)
    engine = outcome(spot.ask([*rows, ["opex_per_month", 46023.0]]))
    assert outcome(spot.ask([*rows, ["opex_per_month", dt.date(2026, 1, 1)]])) == engine


@line("assumptions")
def a_date_assumption_may_be_a_decimal(spot: Spot) -> None:
    """A Decimal serial is a date in an assumption as it is in a parameter."""
    rows = _rows(spot)
    # A day that no other case asks for: an answer kept from before would hide the difference.
    serial = 46_100 + list(FUNCTIONS).index(spot.function.name)
    given = outcome(spot.ask([*rows, ["start", Decimal(serial)]]))
    assert given == outcome(spot.ask([*rows, ["start", float(serial)]]))
