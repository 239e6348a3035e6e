"""What a worksheet function is made of: kinds, parameters, columns, and the definition itself."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """What a parameter takes; keys, dates and numbers lift over ranges."""

    KEY = "key"
    DATE = "date"
    NUMBER = "number"
    SERIES = "series"
    ASSUMPTIONS = "assumptions"

    @property
    def lifts(self) -> bool:
        """Whether a range gives a range of results."""
        return self in (Kind.KEY, Kind.DATE, Kind.NUMBER)


class Required:
    """Mark of a parameter without a default."""

    def __repr__(self) -> str:
        """Show as in a signature."""
        return "REQUIRED"


REQUIRED: Final = Required()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: `default` is REQUIRED, None (may be left out) or the value taken instead.

    `otherwise` is what counts where it may be left out and nothing else says more: for reading.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    default: Any = REQUIRED
    otherwise: Any = None

    @property
    def required(self) -> bool:
        """Whether a blank cell is an error."""
        return self.default is REQUIRED

    @property
    def told_default(self) -> Any:
        """Default as a reader is told it; None where there is none."""
        return self.otherwise if self.required or self.default is None else self.default

    @property
    def told(self) -> str:
        """Help with the unit and the default, as every door shows it."""
        unit = f" ({self.unit})" if self.unit else ""
        default = (
            "" if self.told_default is None else f" Default {shown_default(self.told_default)}."
        )
        return f"{self.help.rstrip('.')}{unit}.{default}"

    @property
    def small_money(self) -> bool:
        """Whether figures under 1 are usual, so that a value cut to 4 decimals is unsafe."""
        return small_money(self.unit)


def small_money(unit: str) -> bool:
    """Whether a unit is that of a price, cost or rate, where 4 decimals are too few."""
    return unit.startswith("USD per") or unit == "share a year"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table result: kind is number, text or date."""

    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A worksheet function, complete but for the way to call it."""

    name: str
    family: str
    summary: str
    parameters: tuple[Parameter, ...]
    result: str
    formula: str
    source: str
    example: tuple[Any, ...]
    columns: tuple[Column, ...]
    implementation: Callable[..., Any]

    @property
    def table(self) -> bool:
        """Whether the result is a table; such a function takes scalars only."""
        return bool(self.columns)

    @property
    def reads_catalog(self) -> bool:
        """Whether another catalog may give another value.

        Who takes a date reads the catalog, whose date is month 0; no other function does but the
        one that tells of it.
        """
        return self.family == "Info" or any(p.kind is Kind.DATE for p in self.parameters)

    @property
    def signature(self) -> str:
        """The signature as a person types it: optional parameters in brackets."""
        shown = []
        for p in self.parameters:
            default = "" if p.told_default is None else f"={shown_default(p.told_default)}"
            shown.append(p.name if p.required else f"[{p.name}{default}]")
        return f"{self.name}({', '.join(shown)})"

    @property
    def example_formula(self) -> str:
        """The worked example as it stands in a cell."""
        return f"={self.name}({', '.join(literal(argument) for argument in self.example)})"


def literal(value: Any) -> str:
    """Write a Python value as it stands in a formula.

    Examples
    --------
    >>> literal([["tokens_counted", "total"], ["overhead", 0.1]])
    '{"tokens_counted","total";"overhead",0.1}'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        escaped = value.replace('"', '""')
        return f'"{escaped}"'
    if isinstance(value, dt.date):
        return f"DATE({value.year},{value.month},{value.day})"
    if isinstance(value, list | tuple):
        nested = any(isinstance(row, list | tuple) for row in value)
        rows = value if nested else [value]
        return "{" + ";".join(",".join(literal(cell) for cell in row) for row in rows) + "}"
    return f"{value:.15g}"


HELP_LENGTH: Final = 255
"""Characters that Excel's function wizard shows of a text."""


def wizard_text(text: str) -> str:
    """Text as the function wizard shows it: cut where a word ends, if it must be.

    Examples
    --------
    >>> len(wizard_text("word " * 60)), wizard_text("short")
    (252, 'short')
    """
    if len(text) <= HELP_LENGTH:
        return text
    return text[: HELP_LENGTH - 3].rsplit(" ", 1)[0] + "..."


def shown_default(value: Any) -> str:
    """Write a default as it stands in a signature."""
    return literal(value) if isinstance(value, str) else f"{value:g}"
