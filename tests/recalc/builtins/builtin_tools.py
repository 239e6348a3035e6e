"""Formulas computed by the real engine with the replaced functions in it."""

import math

from xltoken.recalc.engine import Engine
from xltoken.recalc.sheetxml import reference

COLUMN = 60
"""Where the formulas stand: out of the way of whole columns."""


def computed(*formulas, **cells):
    """Value of each formula, with all that it spills where it spills; `cells` are constants."""
    engine = Engine.empty()
    for place, value in cells.items():
        engine.set("Sheet1", *reference(place), value)
    rows = [1000 + 30 * place for place in range(len(formulas))]
    for row, formula in zip(rows, formulas, strict=True):
        engine.set_formula("Sheet1", row, COLUMN, f"={formula}")
    engine.evaluate()
    found = []
    for row in rows:
        table = engine.spill("Sheet1", row, COLUMN)
        found.append(table[0][0] if len(table) == len(table[0]) == 1 else table)
    return found


def value(formula, **cells):
    """Value of one formula."""
    return computed(formula, **cells)[0]


def agree(found, wanted, tolerance=1e-12):
    """Whether values agree: numbers within a relative tolerance, all else exactly."""
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(agree(a, b, tolerance) for a, b in zip(found, wanted, strict=True))
        )
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    if isinstance(wanted, int | float) and isinstance(found, float):
        return math.isclose(found, wanted, rel_tol=tolerance, abs_tol=1e-14)
    return found == wanted
