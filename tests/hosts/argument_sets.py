"""Argument sets, generated from the registry: the same ones for the same seed.

Of each function the worked example is varied: keys respelled and exchanged, numbers moved, dates as
cells, serials and months, series as rows and columns, assumptions as tables of two and more columns.
About a third of the sets is spoiled with what people put into cells by mistake.
"""

import datetime as dt
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from cell_arguments import SKIPPED, Area, ArgumentSet, Constants, Currency, serial
from contract_tools import NO_PATHS, OTHERS, OUTSIDE, PATHS, PREPARED, SAMPLES, Spot

from xltoken.functions import WorksheetFunction
from xltoken.functions.definition import Kind, Parameter

ERRORS: Final = ("#N/A", "#NUM!", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NULL!")
"""Errors that every host knows; the newer ones have tests of their own."""

POOLS: Final[dict[str, tuple[str, ...]]] = {
    "platform": ("B200", "GB200 NVL72", "H200"),
    "workload": ("deepseek-r1/batch", "deepseek-r1/chat", "deepseek-r1/summarize"),
    "provider": ("lowest", "groq"),
}
"""Keys that are known, where the help does not list them."""

NUMBERS: Final[dict[str, tuple[float, ...]]] = {
    "confidence": (0.5, 0.8, 0.9),
    "life_years": (3.0, 4.0, 5.0),
    "peak_factor": (1.0, 1.5, 2.0),
    "rank": (1.0, 2.0, 3.0),
    "year": (1.0, 2.0, 3.0),
}
"""Numbers that are admitted, where not every number near the example's is."""

CASHFLOWS: Final = [-100.0, 30.0, 45.0, 60.0]
"""Cash flows that keep one rate of return when each moves a little."""

ASSUMED: Final[dict[str, tuple[Any, ...]]] = {
    "scenario": ("base", "conservative", "vendor"),
    "start": (dt.date(2026, 1, 1), dt.date(2025, 12, 15), dt.date(2026, 6, 30)),
    "rate_basis": ("own_hyperscaler", "own_neocloud"),
    "usd_per_accelerator_hour": (1.95, 2.5, 3.125, Currency(2.25)),
    "utilization": (0.5, 0.9, 1.0),
    "overhead": (0.0, 0.1, 0.25, Currency(0.15)),
    "tokens_counted": ("output", "total", "input"),
    "software_gain_per_month": (0.0, 0.01, 0.025),
    "rate_decline": (0.0, 0.1, -0.2),
    "price_decline": (0.1, 0.3),
    "horizon_months": (12.0, 24.0, 36.0),
    "timing": ("end", "mid", "begin"),
    "tax_rate": (0.21, 0.3),
    "depreciation": ("straight_line", "macrs_5", "double_declining"),
    "residual": (0.0, 100.0, Currency(50.0)),
    "opex_per_month": (0.0, 5.0, Currency(0.5)),
    "volume_sd": (0.05, 0.2),
    "correlation": (-0.25, 0.5),
    "seed": (1.0, 7.0),
    "platforms": ("B200, H200", "B200,GB200 NVL72,H200"),
}
"""Valid values of assumptions; a few of each keep what is asked affordable."""

WRONG_ASSUMPTIONS: Final[tuple[Any, ...]] = (
    (("over_heed", 0.1),),
    (("overhead", 0.1), ("Over-Head", 0.2)),
    (("utilization", 1.5),),
    (("horizon_months", 12.5),),
    (("overhead", "0.1"),),
    (("opex_per_month", True),),
    (("timing", 1.0),),
    (("timing", "later"),),
    (("start", 5.0),),
    (("start", "2026-01-01"),),
    (("#REF!", 0.1),),
    (("overhead", "#DIV/0!"),),
    ((None, 0.1),),
    ((3.0, 0.1),),
    (("overhead",), ("timing",)),
    (("usd_per_accelerator_hour", Currency(0.00002)),),
    (("rate_decline", Currency(0.25)),),
)
"""Ranges that are no assumptions, and assumptions that are refused."""

EXTREMES: Final = (1e300, -1e300, 1e-300, 5e-324, 9.99999999999999e307, 123456789012345.0)
"""Numbers at the ends of what can be typed into a cell."""

_LISTED: Final = re.compile(r"One of ([\w, ]+)")
_FIXED_LENGTH: Final = frozenset({"COST_LINES"})
"""Functions whose series must have as many periods as another argument says."""
_AT_HOST: Final = "host"
"""Field of XLTOKEN_INFO that differs by design; it has a test of its own."""


def argument_sets(function: WorksheetFunction, count: int, seed: int = 1) -> list[ArgumentSet]:
    """Argument sets of a function: a quarter of them in a book that counts days from 1904.

    Every tenth is the one before it, turned: what remembers answers must not take one for the other.
    """
    rng = random.Random(f"{seed} {function.name}")
    sets: list[ArgumentSet] = []
    for n in range(count):
        date1904 = n % 4 == 3
        sets.append(
            _turned(sets[-1], date1904=date1904)
            if n % 10 == 9
            else _Draw(function, rng, date1904=date1904).drawn(n)
        )
    return sets


class _Draw:
    """One argument set in the making."""

    def __init__(self, function: WorksheetFunction, rng: random.Random, *, date1904: bool) -> None:
        self.function = function
        self.rng = rng
        self.date1904 = date1904
        self.periods = rng.randint(2, 6)
        chosen = rng.choice(function.parameters)
        self.base = Spot(function, chosen).base
        # What this variant of the example must have to give a value.
        self._held = PREPARED.get((function.name, chosen.name), {})
        if "cashflows" in self.base:
            self.base["cashflows"] = CASHFLOWS

    def drawn(self, place: int) -> ArgumentSet:
        """Argument set of this place: every third spoiled, every fourth with lifted ranges."""
        lifted = self._lifted() if place % 4 == 1 and not self.function.table else {}
        spoiled: Sequence[str] = ()
        if place % 3 == 2:
            names = [p.name for p in self.function.parameters]
            spoiled = self.rng.sample(names, min(len(names), self.rng.choice((1, 1, 2))))
        arguments: list[Any] = []
        for parameter in self.function.parameters:
            if parameter.name in spoiled:
                arguments.append(self._bad(parameter))
            elif parameter.name in lifted:
                arguments.append(self._range(parameter, *lifted[parameter.name]))
            elif self._left_out(parameter):
                arguments.append(self.rng.choice((SKIPPED, SKIPPED, Area(((None,),)), "")))
            else:
                arguments.append(self._good(parameter))
        while arguments and arguments[-1] is SKIPPED:
            arguments.pop()
        return ArgumentSet(self.function.name, tuple(arguments), self.date1904)

    def _left_out(self, parameter: Parameter) -> bool:
        if parameter.required or parameter.name in self._held:
            return False
        if parameter.name == "assumptions" and self.function.name == "NPV_SIMULATION":
            return False  # it says how many paths
        return self.rng.random() < (0.2 if self.base[parameter.name] is not None else 0.6)

    # --- what has a value ---------------------------------------------------------------------

    def _good(self, parameter: Parameter) -> Any:
        if parameter.kind is Kind.SERIES:
            return self._series(parameter)
        if parameter.kind is Kind.ASSUMPTIONS:
            return self._assumptions()
        return self._alone(self._single(parameter))

    def _alone(self, value: Any) -> Any:
        """One value: in a cell, or said by the formula itself."""
        if isinstance(value, Currency | dt.datetime) or value is None or self.rng.random() < 0.5:
            return Area(((value,),))
        if type(value) is float and value == int(value) and abs(value) < 1e6:
            return int(value) if self.rng.random() < 0.2 else value
        return value

    def _single(self, parameter: Parameter) -> Any:
        """Valid value of a parameter that lifts."""
        if parameter.kind is Kind.KEY:
            return self._key(parameter)
        if parameter.kind is Kind.DATE:
            return self._date()
        return self._number(parameter)

    def _key(self, parameter: Parameter) -> str:
        known = [*POOLS.get(parameter.name, ())]
        listed = _LISTED.match(parameter.help)
        if listed:
            known += [name.strip() for name in listed[1].split(",")]
        given = self.base[parameter.name]
        known += [name for name in (given, OTHERS.get(parameter.name)) if name]
        known = [name for name in known if name != _AT_HOST]
        if given is not None and self.rng.random() < 0.6:
            return self._respelled(given) if given != _AT_HOST else known[0]
        return self._respelled(self.rng.choice(known))

    def _respelled(self, text: str) -> str:
        ways: Sequence[Callable[[str], str]] = (
            str, str.lower, str.upper, str.swapcase, lambda t: t.replace(" ", "-"),
            lambda t: t.replace("-", "_"), lambda t: f" {t} ", lambda t: t.replace("-", " "),
        )  # fmt: skip
        return self.rng.choice(ways)(text)

    def _date(self) -> Any:
        day = dt.date(2026, 1, 1) + dt.timedelta(days=self.rng.randrange(700))
        return self.rng.choice(
            (
                day,
                day,
                dt.datetime(day.year, day.month, day.day, 18, 30),
                serial(day, date1904=self.date1904),
                float(self.rng.randint(0, 18)),
                float(self.rng.randint(0, 18)) + 0.5,
                -2.0,
            )
        )

    def _number(self, parameter: Parameter) -> Any:
        if parameter.name in NUMBERS:
            return self.rng.choice(NUMBERS[parameter.name])
        given = self.base[parameter.name]
        if given is None:
            given = SAMPLES.get(parameter.name, parameter.default)
        return self._moved(0.5 if given is None else given, parameter)

    def _moved(self, number: float, parameter: Parameter) -> Any:
        moved = _short(number * self.rng.choice((1.0, 0.9, 1.1, self.rng.uniform(0.8, 1.2))))
        if abs(moved) >= 1 and self.rng.random() < 0.1:
            return Currency(round(moved, 4))
        return moved

    def _series(self, parameter: Parameter) -> Any:
        given = self.base[parameter.name]
        if given is None:
            given = SAMPLES.get(parameter.name, parameter.default)
        where = (self.function.name, parameter.name)
        numbers = [c for row in given for c in _row(row)] if isinstance(given, list) else []
        if not numbers:
            fixed = where in NO_PATHS or self.function.name in _FIXED_LENGTH
            if fixed or parameter.name in self._held or self.rng.random() < 0.5:
                return self._alone(self._moved(given or 0.0, parameter))
            self.base.update(PATHS.get(where, {}))
            numbers = [given or 0.0] * self.periods
        moved = parameter.name != "months"  # they must rise
        cells = [self._moved(n, parameter) if moved else n for n in numbers]
        return self._laid(cells)

    def _laid(self, numbers: Sequence[Any]) -> Any:
        """Numbers as a row or a column, of cells or in the formula."""
        row = self.rng.random() < 0.5
        rows = (tuple(numbers),) if row else tuple((number,) for number in numbers)
        plain = all(type(number) is float for number in numbers)
        return Constants(rows) if plain and self.rng.random() < 0.25 else Area(rows)

    def _assumptions(self) -> Any:
        rows = [list(row) for row in self.base["assumptions"] or []]
        taken = {name for name, _ in rows}
        names = self.rng.sample([n for n in ASSUMED if n not in taken], self.rng.randint(0, 4))
        rows += [[name, self.rng.choice(ASSUMED[name])] for name in names]
        if self.function.name == "NPV_SIMULATION":
            rows.append(["paths", 64.0])
        for row in rows:
            row[0] = self._respelled(row[0])
        if not rows:
            return SKIPPED
        plain = not any(isinstance(value, dt.date | Currency) for _, value in rows)
        if plain and self.rng.random() < 0.25:
            return Constants(tuple(map(tuple, rows)))
        if self.rng.random() < 0.3:
            rows.insert(0, [self.rng.choice(("name", "Assumption", "NAME")), "value"])
        if self.rng.random() < 0.3:
            rows.insert(self.rng.randint(0, len(rows)), [None, None])
        if self.rng.random() < 0.2:
            spare = next(n for n in ("max_seconds_to_first_token", "as_of") if n not in taken)
            rows.append([spare, self.rng.choice((None, ""))])
        between = self.rng.choice(((), (), ("unit",), ("unit", None), (7.0, "a note")))
        return Area(tuple((row[0], *between, row[1]) for row in rows))

    # --- ranges that lift ---------------------------------------------------------------------

    def _lifted(self) -> dict[str, tuple[int, int]]:
        """Parameters that are ranges, with their rows and columns."""
        names = [p.name for p in self.function.parameters if p.kind.lifts]
        shapes: Sequence[Sequence[tuple[int, int]]] = (
            ((1, 3),), ((3, 1),), ((2, 3),), ((2, 1), (1, 3)), ((1, 2), (3, 1)), ((3, 1), (3, 1)),
            ((2, 2), (1, 2)), ((3, 1), (2, 1)), ((1, 3), (1, 2)), ((1, 1), (2, 2)),
        )  # fmt: skip
        chosen = self.rng.choice(shapes)
        return dict(zip(self.rng.sample(names, min(len(names), len(chosen))), chosen, strict=False))

    def _range(self, parameter: Parameter, rows: int, columns: int) -> Any:
        def one() -> Any:
            return self._single(parameter) if self.rng.random() < 0.85 else self._wrong(parameter)

        grid = tuple(tuple(one() for _ in range(columns)) for _ in range(rows))
        plain = not any(
            value is None or isinstance(value, dt.date | Currency) for row in grid for value in row
        )
        return Constants(grid) if plain and self.rng.random() < 0.3 else Area(grid)

    # --- what has none ------------------------------------------------------------------------

    def _bad(self, parameter: Parameter) -> Any:
        if parameter.kind is Kind.ASSUMPTIONS:
            wrong = (*map(Area, WRONG_ASSUMPTIONS), 5.0, "overhead", *ERRORS)
            return self.rng.choice(wrong)
        where = (self.function.name, parameter.name)
        if parameter.kind is Kind.SERIES and where not in NO_PATHS and self.rng.random() < 0.7:
            return self.rng.choice(list(self._wrong_series(parameter)))
        return self._alone(self._wrong(parameter))

    def _wrong(self, parameter: Parameter) -> Any:
        """What a single cell may hold by mistake."""
        wrong: list[Any] = [None, "", self.rng.choice(ERRORS), True, False, "no such key"]
        if parameter.kind is Kind.KEY:
            wrong += [7.0, dt.date(2026, 1, 1), Currency(5.0), 'a "quoted" key', "schlüssel"]
        elif parameter.kind is Kind.DATE:
            wrong += ["2026-01-01", "3", 2_958_466.0, -2000.0, Currency(3.0), *EXTREMES]
        else:
            wrong += ["1.5", "1", dt.date(2026, 1, 1), Currency(1.25), _cents(parameter)]
            wrong += [*OUTSIDE.get(parameter.name, ()), *EXTREMES]
        return self.rng.choice(wrong)

    def _wrong_series(self, parameter: Parameter) -> Iterator[Any]:
        one, two = 1.0, 2.5
        yield Area(((one, None, two),))
        yield Area(((one,), ("",), (two,)))
        yield Area(((one,), (self.rng.choice(ERRORS),), (two,)))
        yield Constants(((one, self.rng.choice(ERRORS), two),))
        yield Area(((one, "2", two),))
        yield Area(((one,), (True,), (two,)))
        yield Area(((one, two), (two, one)))
        yield Area(tuple((one,) for _ in range(self.periods + 1)))
        yield Area(((one, _cents(parameter), two),))
        yield Area(((one,), (Currency(1.25),), (two,)))
        yield Area(((one, dt.date(2026, 1, 1), two),))
        yield Area(((one, self.rng.choice(EXTREMES), two),))
        yield Area(((None,), (None,)))
        yield self._alone(self._wrong(parameter))


def _turned(given: ArgumentSet, *, date1904: bool) -> ArgumentSet:
    """Same values with rows for columns, in a book of another date system where that is due."""

    def turned(argument: Any) -> Any:
        if isinstance(argument, Area | Constants):
            return type(argument)(tuple(zip(*argument.rows, strict=True)))
        return argument

    return ArgumentSet(given.name, tuple(map(turned, given.arguments)), date1904)


def _row(row: Any) -> list[Any]:
    return row if isinstance(row, list) else [row]


def _cents(parameter: Parameter) -> Currency:
    """Amount under 1: below what four decimals can say where such figures are usual."""
    return Currency(0.00002 if parameter.small_money else 0.25)


def _short(number: float) -> float:
    """Number with the digits that every host writes and reads without loss."""
    return float(f"{number:.12g}")
