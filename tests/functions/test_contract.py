"""Every line of the cell contract, on every parameter of every function, at two doors.

The lines are in ``contract_tools``; a test's id says function, parameter and line.
"""

import fnmatch
from typing import Any

import pytest
from contract_tools import LINES, Line, Spot, spots

KNOWN: dict[str, str] = {}
"""Defects of the package that are not mended yet: pattern of test ids to reason."""


def _cases() -> list[Any]:
    cases = []
    for spot in spots():
        for line in LINES:
            if line.applies(spot):
                name = f"{spot.function.name}-{spot.parameter.name}-{line.name}"
                reasons = [why for ids, why in KNOWN.items() if fnmatch.fnmatch(name, ids)]
                marks = [pytest.mark.xfail(strict=True, reason=reasons[0])] if reasons else []
                cases.append(pytest.param(spot, line, id=name, marks=marks))
    return cases


@pytest.mark.parametrize(("spot", "line"), _cases())
def test_contract(spot: Spot, line: Line) -> None:
    """Every parameter of every function keeps every line of the cell contract that applies."""
    line.check(spot)
