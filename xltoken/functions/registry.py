"""One definition per worksheet function; every door, help text and table is derived from it.

A family's file declares its functions with :func:`worksheet`. The declaration holds the name, the
parameters with kind, unit, help and default, the result, the formula, and a worked example; hosts,
the command line, the reference and the tests read it from here and never type it again.
"""

import datetime as dt
import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
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
    """A parameter: `default` is REQUIRED, None (may be left out) or the value taken instead."""

    name: str
    kind: Kind
    unit: str
    help: str
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """Whether a blank cell is an error."""
        return self.default is REQUIRED

    @property
    def small_money(self) -> bool:
        """Whether figures under 1 are usual, so that a value cut to 4 decimals is unsafe."""
        return self.unit.startswith("USD per") or self.unit == "share a year"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table result: kind is number, text or date."""

    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class WorksheetFunction:
    """A worksheet function, complete."""

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
    def signature(self) -> str:
        """The signature as a person types it: optional parameters in brackets."""
        shown = []
        for p in self.parameters:
            default = "" if p.required or p.default is None else f"={_shown(p.default)}"
            shown.append(p.name if p.required else f"[{p.name}{default}]")
        return f"{self.name}({', '.join(shown)})"

    @property
    def example_formula(self) -> str:
        """The worked example as it stands in a cell."""
        return f"={self.name}({', '.join(literal(argument) for argument in self.example)})"

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Compute from Python values as a cell would; errors come back as cell errors."""
        from xltoken.functions import cells

        if named:
            bound = self._python_signature.bind_partial(*arguments, **named)
            arguments = tuple(bound.arguments.get(p.name) for p in self.parameters)
        return cells.call(self, arguments)

    @property
    def _python_signature(self) -> inspect.Signature:
        return inspect.Signature(
            [
                inspect.Parameter(
                    p.name,
                    inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=inspect.Parameter.empty if p.required else None,
                )
                for p in self.parameters
            ]
        )


FUNCTIONS: Final[dict[str, WorksheetFunction]] = {}
"""Every worksheet function by name, in the order of the families."""

FAMILIES: Final = ("unit_cost", "evidence", "ranking", "curves", "value", "info")
"""Modules that declare functions; their order is that of the reference."""


def worksheet(
    *,
    family: str,
    summary: str,
    parameters: Sequence[Parameter],
    result: str,
    formula: str = "",
    source: str = "",
    example: Sequence[Any],
    columns: Sequence[Column] = (),
) -> Callable[[Callable[..., Any]], WorksheetFunction]:
    """Declare a worksheet function; it takes the name of the decorated function.

    The decorated function gets clean scalars, one argument a parameter: text for a key, a date or
    months for a date, a float, a float or array of shape (periods,) for a series, and
    :class:`~xltoken.model.assumptions.Assumptions`; None where an optional one is left out.
    """

    def declare(implementation: Callable[..., Any]) -> WorksheetFunction:
        function = WorksheetFunction(
            implementation.__name__,
            family,
            summary,
            tuple(parameters),
            result,
            formula,
            source,
            tuple(example),
            tuple(columns),
            implementation,
        )
        FUNCTIONS[function.name] = function
        return function

    return declare


@functools.cache
def load() -> Mapping[str, WorksheetFunction]:
    """Import every family and return the registry."""
    for family in FAMILIES:
        importlib.import_module(f"xltoken.functions.{family}")
    return FUNCTIONS


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
        rows = [row if isinstance(row, list | tuple) else [row] for row in value]
        return "{" + ";".join(",".join(literal(cell) for cell in row) for row in rows) + "}"
    return f"{value:.15g}"


def documentation(function: WorksheetFunction) -> str:
    """Write the numpydoc text of a function from its definition."""
    lines = [function.summary, "", "Parameters", "----------"]
    for p in function.parameters:
        optional = "" if p.required else ", optional"
        lines.append(f"{p.name} : {p.kind.value}{optional}")
        default = "" if p.required or p.default is None else f" Default {_shown(p.default)}."
        unit = f" ({p.unit})" if p.unit else ""
        lines.append(f"    {p.help}{unit}{default}")
    lines += ["", "Returns", "-------", function.result]
    if function.formula or function.source:
        lines += ["", "Notes", "-----"]
        lines += [text for text in (function.formula, function.source) if text]
    lines += ["", "Examples", "--------", function.example_formula]
    return "\n".join(lines)


def described(function: WorksheetFunction) -> dict[str, Any]:
    """Plain data of a definition, for listings."""
    return {
        "name": function.name,
        "family": function.family,
        "signature": function.signature,
        "summary": function.summary,
        "parameters": [
            {
                "name": p.name,
                "kind": p.kind.value,
                "unit": p.unit,
                "required": p.required,
                "default": None if p.required or p.default is None else p.default,
                "help": p.help,
            }
            for p in function.parameters
        ],
        "result": function.result,
        "formula": function.formula,
        "source": function.source,
        "example": function.example_formula,
    }


def _shown(value: Any) -> str:
    return literal(value) if isinstance(value, str) else f"{value:g}"
