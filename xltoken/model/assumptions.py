"""Every assumption a calculation can be given: its unit, default and range, once.

Precedence: what the user gives, then what the scenario sets, then the workload, then the default.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from xltoken.catalog.keys import nearest, normalize
from xltoken.catalog.records import EVIDENCE_GRADES, KW_BASES, RATE_BASES
from xltoken.catalog.store import Workload
from xltoken.economics.depreciation import METHODS
from xltoken.economics.discounting import TIMINGS
from xltoken.economics.domain import DomainError

Value = float | str | date


class InputError(TypeError):
    """A value of the wrong kind, or a name that does not exist; a cell shows ``#VALUE!``."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One name a user may set: kind is choice, date, number, count or text."""

    name: str
    kind: str
    unit: str
    help: str
    default: Value | None = None
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()

    @property
    def range_text(self) -> str:
        """The allowed range as a person reads it."""
        if self.choices:
            return ", ".join(self.choices)
        if self.kind not in ("number", "count"):
            return self.kind
        low = (
            "" if self.low == -math.inf else f"{'above' if self.open_low else 'from'} {self.low:g}"
        )
        high = (
            ""
            if self.high == math.inf
            else (f"{'below' if self.open_high else 'to'} {self.high:g}")
        )
        return " ".join(part for part in (low, high) if part) or "any number"

    def check(self, value: Any) -> Value:
        """Return the clean value, or say what is wrong with it."""
        if self.kind in {"choice", "text"}:
            return self._text(value)
        if self.kind == "date":
            if isinstance(value, datetime):
                return value.date()
            if isinstance(value, date):
                return value
            raise InputError(f"assumption {self.name} is a date; it is {value!r}.")
        if isinstance(value, bool) or not isinstance(value, float | int):
            raise InputError(f"assumption {self.name} is a number ({self.unit}); it is {value!r}.")
        number = float(value)
        outside = (
            not math.isfinite(number)
            or number < self.low
            or number > self.high
            or (self.open_low and number == self.low)
            or (self.open_high and number == self.high)
            or (self.kind == "count" and number != int(number))
        )
        if outside:
            whole = "a whole number, " if self.kind == "count" else ""
            raise DomainError(
                f"assumption {self.name} must be {whole}{self.range_text} ({self.unit}); "
                f"it is {number:g}."
            )
        return number

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise InputError(f"assumption {self.name} is a text; it is {value!r}.")
        if not self.choices:
            return value.strip()
        forms = {normalize(choice): choice for choice in self.choices}
        try:
            return forms[normalize(value)]
        except KeyError:
            raise InputError(
                f"assumption {self.name} is one of {', '.join(self.choices)}; it is {value!r}."
            ) from None


SCENARIOS: Final[Mapping[str, Mapping[str, Value]]] = {
    "base": {"evidence": "vendor", "rate_basis": "own_hyperscaler"},
    "vendor": {"evidence": "claim", "price_decline": 0.0},
    "conservative": {
        "evidence": "vendor",
        "software_gain_per_month": 0.0,
        "rate_basis": "own_neocloud",
        "price_decline": 0.5,
    },
}
"""What each scenario sets, together; everything else keeps its default."""


def _decline(name: str, text: str) -> Assumption:
    """Effective annual fall, negative for a rise."""
    return Assumption(name, "number", "share a year", text, 0.0, high=1.0, open_high=True)


def _spread(name: str, text: str, unit: str = "share a year") -> Assumption:
    return Assumption(name, "number", unit, text, 0.1, low=0.0)


TABLE: Final[tuple[Assumption, ...]] = (
    Assumption(
        "scenario",
        "choice",
        "name",
        "What is believed, set together.",
        "base",
        choices=tuple(SCENARIOS),
    ),
    Assumption("start", "date", "date", "Month 0; default: the catalog's date."),
    Assumption("as_of", "date", "date", "What was published later is unknown."),
    Assumption("catalog", "date", "date", "What was recorded later is absent."),
    Assumption(
        "rate_basis",
        "choice",
        "name",
        "Whose cost an accelerator-hour is.",
        "own_hyperscaler",
        choices=RATE_BASES,
    ),
    Assumption(
        "usd_per_accelerator_hour",
        "number",
        "USD per accelerator-hour",
        "Your own rate; default: from the catalog.",
        low=0.0,
        open_low=True,
    ),
    Assumption(
        "utilization",
        "number",
        "share",
        "Share of paid hours that serve tokens.",
        1.0,
        low=0.0,
        high=1.0,
        open_low=True,
    ),
    Assumption("overhead", "number", "share of the rate", "Added to the rate.", 0.0, low=0.0),
    Assumption(
        "tokens_counted",
        "choice",
        "name",
        "The tokens in the denominator.",
        "output",
        choices=("output", "input", "total"),
    ),
    Assumption(
        "min_tokens_per_second_per_user",
        "number",
        "tok/s/user",
        "Slowest speed a user accepts, 0 for none; default: from the workload.",
        low=0.0,
    ),
    Assumption(
        "max_seconds_to_first_token",
        "number",
        "s",
        "Longest wait a user accepts; default: from the workload, else none.",
        low=0.0,
        open_low=True,
    ),
    Assumption(
        "precision",
        "text",
        "name",
        "Number format admitted: any, fp4 (admits nvfp4 and mxfp4), nvfp4, fp8, ...",
        "any",
    ),
    Assumption(
        "evidence",
        "choice",
        "grade",
        "Least grade admitted; claims count in scenario vendor only.",
        "vendor",
        choices=EVIDENCE_GRADES,
    ),
    Assumption(
        "kw_basis",
        "choice",
        "name",
        "What the power of an accelerator includes; default: newest.",
        choices=KW_BASES,
    ),
    Assumption(
        "software_gain_per_month",
        "number",
        "share of throughput a month",
        "What software still gains after the catalog's date; default: the catalog's prior.",
        low=0.0,
        high=1.0,
    ),
    _decline("rate_decline", "Fall of the accelerator-hour rate; negative for a rise."),
    _decline("price_decline", "Fall of the price per token; negative for a rise."),
    Assumption(
        "horizon_months",
        "count",
        "months",
        "Length of a forecast of scalars.",
        60.0,
        low=1.0,
        high=600.0,
    ),
    Assumption(
        "timing",
        "choice",
        "name",
        "When in its month money moves.",
        "end",
        choices=tuple(TIMINGS),
    ),
    Assumption(
        "tax_rate",
        "number",
        "share of profit",
        "Tax on profit; losses give it back.",
        0.0,
        low=0.0,
        high=1.0,
        open_high=True,
    ),
    Assumption(
        "depreciation",
        "choice",
        "method",
        "Tax depreciation of the investment.",
        "straight_line",
        choices=METHODS,
    ),
    Assumption("life_years", "count", "years", "Life of the investment.", 5.0, low=1.0, high=100.0),
    Assumption("residual", "number", "USD", "Received for the hardware at the end.", 0.0, low=0.0),
    Assumption(
        "opex_per_month", "number", "USD a month", "Cost beside the unit cost.", 0.0, low=0.0
    ),
    _spread("cost_decline_sd", "Spread of the cost decline."),
    _spread("price_decline_sd", "Spread of the price decline."),
    _spread("volume_sd", "Spread of the volume.", "log"),
    Assumption(
        "correlation",
        "number",
        "coefficient",
        "Between cost and price declines.",
        0.5,
        low=-1.0,
        high=1.0,
    ),
    Assumption("paths", "count", "paths", "Paths of a simulation.", 8192.0, low=1.0, high=1e7),
    Assumption("seed", "count", "number", "Seed of a simulation.", 1.0, low=0.0, high=2.0**31),
    Assumption(
        "confidence",
        "number",
        "share",
        "Width of a range.",
        0.8,
        low=0.0,
        high=1.0,
        open_low=True,
        open_high=True,
    ),
    Assumption("platforms", "text", "comma list", "Platforms that compete; default: all."),
)
BY_NAME: Final = {normalize(assumption.name): assumption for assumption in TABLE}
HEADERS: Final = frozenset({"name", "assumption", "assumptions"})


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a user gave, clean, hashable, and complete through scenario, workload and defaults."""

    given: tuple[tuple[str, Value], ...] = ()

    @property
    def scenario(self) -> str:
        """Name of the scenario."""
        return str(_resolved(self.given)["scenario"])

    def get(self, name: str, workload: Workload | None = None) -> Any:
        """Return the value of `name`, or None where nothing sets it."""
        if workload is not None:
            limit = getattr(workload, name, None)
            if limit is not None and not self.gives(name):
                return limit
        return _resolved(self.given).get(name)

    def gives(self, name: str) -> bool:
        """Whether the user gave `name`."""
        return any(given == name for given, _ in self.given)


NONE: Final = Assumptions()


def parse(pairs: Sequence[tuple[str, Any]]) -> Assumptions:
    """Check names and values and build :class:`Assumptions`.

    Parameters
    ----------
    pairs : sequence of (name, value)
        Values are float, str or date; None means not given.

    Raises
    ------
    InputError
        If a name is unknown or doubled, or a value of the wrong kind.
    DomainError
        If a value is out of range.
    """
    given: dict[str, Value] = {}
    for name, value in pairs:
        assumption = BY_NAME.get(normalize(name))
        if assumption is None:
            close = nearest(name, [a.name for a in TABLE])
            hint = f" Did you mean {close[0]}?" if close else ""
            raise InputError(f"there is no assumption {name!r}.{hint}")
        if value is None:
            continue
        if assumption.name in given:
            raise InputError(f"assumption {assumption.name} is given twice.")
        given[assumption.name] = assumption.check(value)
    return Assumptions(tuple(sorted(given.items())))


@functools.lru_cache(maxsize=4096)
def _resolved(given: tuple[tuple[str, Value], ...]) -> Mapping[str, Value]:
    values = {a.name: a.default for a in TABLE if a.default is not None}
    chosen = dict(given)
    values.update(SCENARIOS[str(chosen.get("scenario", values["scenario"]))])
    values.update(chosen)
    return values
