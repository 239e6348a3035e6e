"""Every line of the cell contract, on every parameter of every function, at two doors.

The lines are in ``contract_tools``; a test's id says function, parameter and line.
"""

import fnmatch
from typing import Any

import pytest
from contract_tools import LINES, Line, Spot, spots

KNOWN: dict[str, str] = {
    "*-numbers-beyond-every-float-are-num": (
        "cells._scalar: float(10**400) raises OverflowError out of the call (it runs before the "
        "failures are caught); abs(Decimal('NaN')) < 1 raises InvalidOperation"
    ),
    "*-like-values-of-other-types-are-told-apart": (
        "cells._parsed is cached with typed=True, which looks at its own arguments only, not inside "
        "the rows: TRUE is taken for 1 and a cut Decimal for its float when the float came first"
    ),
    "*-a-date-where-an-assumption-is-a-number-is-its-serial": (
        "a date in a numeric assumption is #VALUE! from Python and xlwings, its serial from the engine"
    ),
    "*-a-date-assumption-may-be-a-decimal": (
        "a Decimal is a date in a parameter and #VALUE! in an assumption"
    ),
    "*-an-error-that-speaks-names-its-period-too": (
        "cells._series: an error with a message of its own, and nan, do not name the period"
    ),
    "NPV_*-extreme-numbers-give-a-value-or-an-error": (
        "overflow in economics.cashflow leaves as a RuntimeWarning of numpy beside the #NUM!"
    ),
}
"""Defects of the package, reported: pattern of test ids to reason."""

SOUND = ("discount_rate", "decline", "investment")
"""Parameters in which no number overflows, so that a pattern above does not mean them."""


def _cases() -> list[Any]:
    cases = []
    for spot in spots():
        for line in LINES:
            if line.applies(spot):
                name = f"{spot.function.name}-{spot.parameter.name}-{line.name}"
                reasons = [why for ids, why in KNOWN.items() if fnmatch.fnmatch(name, ids)]
                if "-extreme-" in name and spot.parameter.name in SOUND:
                    reasons = []
                marks = [pytest.mark.xfail(strict=True, reason=reasons[0])] if reasons else []
                cases.append(pytest.param(spot, line, id=name, marks=marks))
    return cases


@pytest.mark.parametrize(("spot", "line"), _cases())
def test_contract(spot: Spot, line: Line) -> None:
    """Every parameter of every function keeps every line of the cell contract that applies."""
    line.check(spot)
