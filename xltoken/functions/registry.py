"""One definition per worksheet function; every door, help text and table is derived from it.

A family's file declares its functions with :func:`worksheet`. The declaration holds the name, the
parameters with kind, unit, help and default, the result, the formula, and a worked example; hosts,
the command line, the reference and the tests read it from here and never type it again.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from xltoken.functions import cells
from xltoken.functions.definition import Column, Definition, Parameter


@dataclass(frozen=True, slots=True)
class WorksheetFunction(Definition):
    """A worksheet function; calling it computes from Python values as a cell would."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Compute from Python values as a cell would; errors come back as cell errors."""
        if named:
            bound = self.python_signature.bind_partial(*arguments, **named)
            arguments = tuple(bound.arguments.get(p.name) for p in self.parameters)
        return cells.call(self, arguments)

    @property
    def python_signature(self) -> inspect.Signature:
        """Signature in Python: what may be left out is None."""
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

FAMILIES: Final = (
    "unit_cost", "evidence", "ranking", "prices", "curves", "value", "returns", "hardware",
    "decision", "risk", "info",
)  # fmt: skip
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


@functools.cache
def python_function(name: str) -> Callable[..., Any]:
    """Make the Python function of a worksheet function, with signature and documentation."""
    function = FUNCTIONS[name]

    def compute(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    compute.__name__ = compute.__qualname__ = name
    compute.__module__ = "xltoken"
    compute.__doc__ = documentation(function)
    compute.__signature__ = function.python_signature  # type: ignore[attr-defined]
    return compute


_ERRORS: Final = (
    "An error comes back as its mark (#N/A nothing known, #NUM! out of range, #VALUE! wrong kind); "
    "its attribute message says what to do."
)


def documentation(function: WorksheetFunction) -> str:
    """Write the numpydoc text of a function from its definition."""
    lines = [function.summary, "", "Parameters", "----------"]
    for p in function.parameters:
        optional = "" if p.required else ", optional"
        lines.append(f"{p.name} : {p.kind.value}{optional}")
        lines.append(f"    {p.told}")
    lines += ["", "Returns", "-------", function.result, _ERRORS]
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
                "default": p.told_default,
                "help": p.help,
            }
            for p in function.parameters
        ],
        "result": function.result,
        "formula": function.formula,
        "source": function.source,
        "example": function.example_formula,
    }
