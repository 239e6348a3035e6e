"""The checklist for real Excel: steps in order, figures that are the core's."""

import datetime as dt
import re
from pathlib import Path

from xltoken.catalog import store
from xltoken.functions import FUNCTIONS, cells
from xltoken.templates.self_test.edges import SMALL

CHECKLIST = Path(__file__).parents[2] / "docs" / "excel-checklist.md"


def test_the_steps_of_the_checklist_are_numbered():
    """Each step has a box and the next number; the report asks for steps that exist."""
    text = CHECKLIST.read_text(encoding="utf-8")
    steps = [int(number) for number in re.findall(r"^\| ☐ \*\*(\d+)\*\* \|", text, re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1))
    assert {int(n) for n in re.findall(r"[Ss]tep (\d+)", text)} <= set(steps)
    assert all(row.count("|") == 5 for row in text.splitlines() if row.startswith("| ☐"))


def test_the_figures_of_the_checklist_are_the_core_s():
    """What the checklist says a formula comes to is what it comes to."""
    text = CHECKLIST.read_text(encoding="utf-8")
    day = dt.date(2026, 1, 1)
    cost = FUNCTIONS["TOKEN_COST"]("B200", day, "gpt-oss-120b/batch")
    assert f"| {cost:.6f} |" in text
    (spread,) = FUNCTIONS["TOKEN_COST_RANGE"]("B200", 24.0, "deepseek-r1/chat")
    assert f"{spread[0]:.4f}, {spread[1]:.4f}, {spread[2]:.3f}" in text
    assert FUNCTIONS["COST_CURVE"](0.11, 12.0, 0.5, None, "exponential") == 0.055
    assert FUNCTIONS["COST_CURVE"](SMALL, 0.0, 0.0) == SMALL
    assert FUNCTIONS["TOKEN_SOURCE"]("B200", "gpt-oss-120b/batch", "date") == day
    assert FUNCTIONS["TOKEN_COST"]("B2000", 0.0, "gpt-oss-120b/batch") == cells.NA
    assert FUNCTIONS["LEVELIZED_COST"](0.1, 0.0, 50.0) == cells.DIV0
    assert [FUNCTIONS["COST_CURVE"](x, 0.0, 0.0) for x in (-1.0, True)] == [cells.NUM, cells.VALUE]
    assert f"the catalog of {store.current().date}" in text
