"""The columns of the catalog's CSV files, and one row turned into one record.

A column stands here once: its kind, unit, bounds and meaning. Reading, validation, the overlay
and the printed listings are derived from it.
"""

import dataclasses
import datetime as dt
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

EVIDENCE_GRADES: Final = ("measured", "peer_reviewed", "vendor", "claim")
"""Grades of evidence, best first."""
RATE_BASES: Final = ("own_hyperscaler", "own_neocloud", "rental_3yr", "on_demand")
SOFTWARE_PRIORS: Final = (
    "software_gain_per_month",
    "software_gain_weight",
    "software_gain_sd",
    "software_gain_months",
)
"""Numbers assumed of software: drift, stacks it counts for, log spread per root-month, months."""
PRICE_PRIORS: Final = (
    "price_factor_per_year_low",
    "price_factor_per_year_middle",
    "price_factor_per_year_high",
)
"""How many times cheaper a year the price of one quality became, in the literature."""
PRIORS: Final = SOFTWARE_PRIORS + PRICE_PRIORS
PRICE_KINDS: Final = ("input", "output", "cache_read")
_REVENUE: Final = ("tokens_per_second", "accelerators", "months", "usd_per_million_tokens")
CLAIM_INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "unit_cost": ("tokens_per_second", "usd_per_accelerator_hour", "tokens_in", "tokens_out"),
    "cost_ratio": (
        "tokens_per_second",
        "usd_per_accelerator_hour",
        "base_platform",
        "base_tokens_per_second",
        "base_usd_per_accelerator_hour",
    ),
    "tokens_per_megawatt_ratio": (
        "tokens_per_second",
        "kw_per_accelerator",
        "base_platform",
        "base_tokens_per_second",
        "base_kw_per_accelerator",
    ),
    "revenue": _REVENUE,
    "revenue_multiple": (*_REVENUE, "investment"),
}
"""Kinds of claims, and the inputs of which each is made."""
KW_BASES: Final = ("utility", "chip_and_host")


def column(
    kind: str = "text",
    *,
    unit: str = "",
    key: bool = False,
    required: bool = False,
    above: float | None = None,
    minimum: float | None = None,
    choices: tuple[str, ...] = (),
    default: str = "",
) -> Any:
    """Declare a column: kind is text, number, date or flag; bounds and choices are checked."""
    metadata = {
        "kind": kind,
        "unit": unit,
        "key": key,
        "required": required or key,
        "above": above,
        "minimum": minimum,
        "choices": choices,
        "default": default,
    }
    return dataclasses.field(metadata=metadata)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was read: file name, row (1 is the header), and whether a user laid it."""

    file: str
    row: int
    user: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One fact: what every file has beside its own columns."""

    FILE: ClassVar[str]

    source_id: str = column()
    recorded: dt.date | None = column("date")
    withdrawn: dt.date | None = column("date")
    origin: Origin

    def recorded_by(self, cut: dt.date | None) -> bool:
        """Whether the row stood in a catalog of day `cut` (None: today's), withdrawn or not."""
        return cut is None or self.recorded is None or self.recorded <= cut

    def known_at(self, cut: dt.date | None) -> bool:
        """Whether a catalog of day `cut` (None: today's) holds this record as a fact."""
        if cut is None:
            return self.withdrawn is None
        return self.recorded_by(cut) and (self.withdrawn is None or self.withdrawn > cut)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform(Record):
    """An accelerator platform."""

    FILE = "platforms.csv"

    platform: str = column(key=True)
    vendor: str = column()
    label: str = column()
    architecture: str = column()
    scale_up_accelerators: float | None = column("number", above=0)
    launched: dt.date | None = column("date")
    aliases: str = column()
    note: str = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadRow(Record):
    """A workload that adds to, or overrides, MODEL/SHAPE; blank columns keep the shape's."""

    FILE = "workloads.csv"

    workload: str = column(key=True)
    model: str = column()
    tokens_in: float | None = column("number", unit="tokens", above=0)
    tokens_out: float | None = column("number", unit="tokens", above=0)
    min_tokens_per_second_per_user: float | None = column("number", unit="tok/s/user", minimum=0)
    max_seconds_to_first_token: float | None = column("number", unit="s", above=0)
    model_released: dt.date | None = column("date")
    note: str = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Record):
    """What an accelerator-hour costs, and the power it takes, on one basis from one day on."""

    FILE = "rates.csv"

    platform: str = column(key=True)
    basis: str = column(key=True, choices=RATE_BASES)
    valid_from: dt.date = column("date", key=True)
    valid_to: dt.date | None = column("date")
    usd_per_accelerator_hour: float = column(
        "number", unit="USD per accelerator-hour", required=True, above=0
    )
    kw_per_accelerator: float | None = column("number", unit="kW", above=0)
    kw_basis: str = column(choices=KW_BASES)
    placeholder: bool = column("flag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Record):
    """A throughput seen, or stated, for one configuration on one day."""

    FILE = "observations.csv"

    observation_id: str = column()
    date: dt.date = column("date", required=True)
    date_precision: str = column(choices=("day", "month", "quarter", "year"), default="day")
    published: dt.date | None = column("date")
    platform: str = column(required=True)
    model: str = column(required=True)
    tokens_in: float = column("number", unit="tokens", required=True, above=0)
    tokens_out: float = column("number", unit="tokens", required=True, above=0)
    precision: str = column()
    speculative: str = column()
    framework: str = column()
    layout: str = column()
    method: str = column()
    disaggregated: bool = column("flag")
    accelerators: float | None = column("number", above=0)
    concurrency: float | None = column("number", above=0)
    tokens_per_second_total: float | None = column("number", unit="tok/s per accelerator", above=0)
    tokens_per_second_output: float | None = column("number", unit="tok/s per accelerator", above=0)
    tokens_per_second_per_user: float | None = column("number", unit="tok/s/user", above=0)
    seconds_to_first_token: float | None = column("number", unit="s", minimum=0)
    seconds_end_to_end: float | None = column("number", unit="s", above=0)
    evidence: str = column(choices=EVIDENCE_GRADES, default="measured")
    note: str = column()

    @property
    def total(self) -> float:
        """Total tok/s per accelerator, input and output, recomputed where only output is given."""
        if self.tokens_per_second_total is not None:
            return self.tokens_per_second_total
        assert self.tokens_per_second_output is not None
        return self.tokens_per_second_output * (self.tokens_in + self.tokens_out) / self.tokens_out

    @property
    def known_since(self) -> dt.date:
        """Day on which the world could read it."""
        return self.published or self.date

    @property
    def steadiness(self) -> float | None:
        """Little's law: tokens in flight over tokens served; about 1.1 to 1.3 on a steady run.

        ``concurrency / end-to-end seconds x (in + out) / accelerators / total tok/s``. None where
        a column is blank.
        """
        if self.concurrency is None or self.seconds_end_to_end is None or not self.accelerators:
            return None
        tokens = self.tokens_in + self.tokens_out
        in_flight = self.concurrency / self.seconds_end_to_end * tokens
        return in_flight / self.accelerators / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Record):
    """What a provider asks for a million tokens of one kind from one day on: a list price."""

    FILE = "prices.csv"

    provider: str = column(key=True)
    model: str = column(key=True)
    kind: str = column(key=True, choices=PRICE_KINDS)
    valid_from: dt.date = column("date", key=True)
    valid_to: dt.date | None = column("date")
    usd_per_million_tokens: float = column(
        "number", unit="USD per 1M tokens", required=True, above=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Record):
    """A headline with the inputs it was made of: its own speeds, rates, power and months.

    `kind` says which of our formulas makes the headline of them. The columns named ``base_`` are
    those of what it is compared with.
    """

    FILE = "claims.csv"

    claim: str = column(key=True)
    headline: str = column(required=True)
    kind: str = column(required=True, choices=tuple(CLAIM_INPUTS))
    published_value: float = column("number", required=True, above=0)
    unit: str = column(required=True)
    date: dt.date = column("date", required=True)
    platform: str = column(required=True)
    model: str = column(required=True)
    tokens_in: float | None = column("number", unit="tokens", above=0)
    tokens_out: float | None = column("number", unit="tokens", above=0)
    tokens_counted: str = column(choices=("output", "input", "total"), default="total")
    tokens_per_second: float | None = column("number", unit="tok/s per accelerator", above=0)
    tokens_per_second_per_user: float | None = column("number", unit="tok/s/user", above=0)
    usd_per_accelerator_hour: float | None = column(
        "number", unit="USD per accelerator-hour", above=0
    )
    kw_per_accelerator: float | None = column("number", unit="kW", above=0)
    accelerators: float | None = column("number", above=0)
    months: float | None = column("number", unit="months", above=0)
    usd_per_million_tokens: float | None = column("number", unit="USD per 1M tokens", above=0)
    investment: float | None = column("number", unit="USD", above=0)
    base_platform: str = column()
    base_tokens_per_second: float | None = column("number", unit="tok/s per accelerator", above=0)
    base_usd_per_accelerator_hour: float | None = column(
        "number", unit="USD per accelerator-hour", above=0
    )
    base_kw_per_accelerator: float | None = column("number", unit="kW", above=0)
    evidence: str = column(choices=EVIDENCE_GRADES, default="claim")
    conditions: str = column()
    assessment: str = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Record):
    """A publication that a fact rests on."""

    FILE = "sources.csv"

    source_id: str = column(key=True)
    title: str = column(required=True)
    publisher: str = column()
    url: str = column()
    published: dt.date | None = column("date")
    retrieved: dt.date | None = column("date")
    independence: str = column()
    note: str = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior(Record):
    """A number assumed before looking at the evidence, with its source."""

    FILE = "priors.csv"

    name: str = column(key=True)
    value: float = column("number", required=True, minimum=0)
    unit: str = column()
    note: str = column()


RECORDS: Final[tuple[type[Record], ...]] = (
    Platform,
    WorkloadRow,
    Rate,
    Observation,
    Price,
    Claim,
    Source,
    Prior,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be used: where it stands and what to do."""

    file: str
    row: int
    column: str
    message: str

    def __str__(self) -> str:
        """Return the line a person reads."""
        place = f"{self.file}, row {self.row}" if self.row else self.file
        return (
            f"{place}, {self.column}: {self.message}"
            if self.column
            else (f"{place}: {self.message}")
        )


def columns(record: type[Record]) -> tuple[dataclasses.Field[Any], ...]:
    """Return the columns of a record's file, its own first, in the order of the class."""
    if record not in _columns:
        fields = [f for f in dataclasses.fields(record) if f.metadata]
        shared = {f.name for f in dataclasses.fields(Record)}
        own = [f for f in fields if f.name not in shared or f.metadata["key"]]
        _columns[record] = (*own, *(f for f in fields if f not in own))
    return _columns[record]


_columns: dict[type[Record], tuple[dataclasses.Field[Any], ...]] = {}


R = TypeVar("R", bound=Record)


def parse(
    record: type[R], cells: Mapping[str, str], origin: Origin
) -> tuple[R | None, list[Problem]]:
    """Turn one row into a record, or into the problems that prevent it.

    Parameters
    ----------
    record : type of Record
        The file's record class.
    cells : mapping of str to str
        Column name to the text in the cell; missing columns are blank.
    origin : Origin
        Where the row stands.

    Returns
    -------
    record, problems
        The record is None when there are problems.
    """
    values: dict[str, Any] = {"origin": origin}
    problems: list[Problem] = []
    for field in columns(record):
        text = (cells.get(field.name) or "").strip()
        try:
            values[field.name] = _value(field.metadata, text)
        except ValueError as error:
            problems.append(Problem(origin.file, origin.row, field.name, str(error)))
    if not problems:
        problems = [
            Problem(origin.file, origin.row, name, message)
            for name, message in _row_problems(record, values)
        ]
    return (None if problems else record(**values)), problems


def _row_problems(record: type[Record], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    if record is Observation and (
        values["tokens_per_second_total"] is None and values["tokens_per_second_output"] is None
    ):
        return [("tokens_per_second_total", "give the total or the output throughput.")]
    if (
        record is Observation
        and values["tokens_per_second_output"]
        and (values["tokens_per_second_total"])
    ):
        tokens = values["tokens_in"] + values["tokens_out"]
        expected = values["tokens_per_second_total"] * values["tokens_out"] / tokens
        if abs(values["tokens_per_second_output"] / expected - 1) > 0.05:
            return [
                (
                    "tokens_per_second_output",
                    f"does not fit the total, which makes it {expected:.6g}; give one of them.",
                )
            ]
    if record is Prior and values["name"] not in PRIORS:
        close = difflib.get_close_matches(values["name"], PRIORS, n=1)
        if close:
            return [("name", f"is no prior that is used; did you mean {close[0]}?")]
    if record is Claim:
        return _claim_problems(values)
    if record in (Rate, Price) and values["valid_to"] and values["valid_to"] < values["valid_from"]:
        return [("valid_to", "ends before valid_from.")]
    return []


def _claim_problems(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    kind = values["kind"]
    found = [
        (name, f"is blank, and a claim of kind {kind} is made of it.")
        for name in CLAIM_INPUTS[kind]
        if not values[name]
    ]
    if values["base_platform"] == values["platform"] and not values["months"]:
        found.append(("months", "is blank: over how many months did the same platform change?"))
    if values["months"] and values["months"] != int(values["months"]):
        found.append(("months", "is a whole number of months."))
    return found


def _value(spec: Mapping[str, Any], text: str) -> Any:
    kind = spec["kind"]
    if not text:
        if spec["required"]:
            raise ValueError("is required and blank.")
        return {"text": spec["default"], "flag": False}.get(kind)
    if kind == "number":
        return _number(spec, text)
    if kind == "date":
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no date; write YYYY-MM-DD.") from None
        if not 2000 <= day.year <= 2100:
            raise ValueError(f"{text} lies outside the years 2000 to 2100.")
        return day
    if kind == "flag":
        return _flag(text)
    if spec["choices"]:
        choice = text.casefold()
        if choice not in spec["choices"]:
            raise ValueError(f"{text!r} is none of {', '.join(spec['choices'])}.")
        return choice
    return text


def _number(spec: Mapping[str, Any], text: str) -> float:
    try:
        number = float("" if "_" in text else text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; write it like 1234.5.") from None
    if not math.isfinite(number):
        raise ValueError("must be a finite number.")
    if spec["above"] is not None and number <= spec["above"]:
        raise ValueError(f"must be above {spec['above']:g}; it is {text}.")
    if spec["minimum"] is not None and number < spec["minimum"]:
        raise ValueError(f"must be {spec['minimum']:g} or more; it is {text}.")
    return number


def _flag(text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        return known[text.casefold()]
    except KeyError:
        raise ValueError(f"{text!r} is neither TRUE nor FALSE.") from None
