"""Answers of every door to the same argument sets, and how they compare with the direct call's.

A door is asked in a process of its own (``door_worker``): what stands in the place of pywin32 and of
a server changes xlwings at its import.
"""

import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final

from cell_arguments import SKIPPED, Answer, Area, ArgumentSet, Constants, Currency, answer

from xltoken.functions import cells

WORKER: Final = Path(__file__).with_name("door_worker.py")


# --- the reference --------------------------------------------------------------------------------


def reference(asked: ArgumentSet) -> Answer:
    """What the direct call gives."""
    return _direct(asked, lambda money: money.value)


def _direct(asked: ArgumentSet, money: Any) -> Answer:
    arguments = [_plain(argument, money) for argument in asked.arguments]
    result = cells.call(asked.function, arguments, date1904=asked.date1904)
    return answer(cells.outgoing(result, date1904=asked.date1904))


def _plain(argument: Any, money: Any) -> Any:
    if argument is SKIPPED:
        return None
    if isinstance(argument, Area | Constants):
        return [[_plain(cell, money) for cell in row] for row in argument.rows]
    return money(argument) if isinstance(argument, Currency) else argument


def cut(money: Currency) -> Decimal:
    """Amount as stock Import Functions hands it over."""
    return Decimal(repr(money.value)).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


# --- a door ---------------------------------------------------------------------------------------


def answers(door: str, asked: Sequence[ArgumentSet], folder: Path) -> list[Any]:
    """Ask a door in a process of its own."""
    question, told = folder / f"{door}.asked", folder / f"{door}.answers"
    question.write_bytes(pickle.dumps(list(asked)))
    command = [sys.executable, "-W", "error", str(WORKER), door, str(question), str(told)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert ended.returncode == 0, f"door {door}:\n{ended.stdout}\n{ended.stderr}"
    return pickle.loads(told.read_bytes())


@dataclass
class Tally:
    """What was asked of a door and what came of it."""

    functions: set[str] = field(default_factory=set)
    sets: int = 0
    values: int = 0
    errors: int = 0
    limits: int = 0
    mismatches: list[str] = field(default_factory=list)

    def line(self, door: str) -> str:
        """Summary in one line."""
        return (
            f"{door}: {len(self.functions)} functions, {self.sets} argument sets, "
            f"{self.values} values, {self.errors} errors, {self.limits} host limits met, "
            f"{len(self.mismatches)} mismatches"
        )


def compare(door: str, asked: ArgumentSet, expected: Answer, given: Answer, tally: Tally) -> None:
    """Count a door's answer; what neither is the reference nor follows from a limit is a mismatch."""
    tally.functions.add(asked.name)
    tally.sets += 1
    limited = expected
    if door == "classic" and any(isinstance(c, Currency) for c in asked.cells()):
        limited = _direct(asked, cut)
        whole = len(_flat(expected)) != len(_flat(limited))  # a table that is refused as a whole
        for there, here in zip(_flat(expected), _flat(limited), strict=not whole):
            if whole or there != here:
                # The table says so, and nothing else: refused, never another number.
                assert here == ("error", cells.VALUE), (asked, there, here)
                tally.limits += 1
    if given != limited:
        tally.mismatches.append(f"{asked}\n  expected {limited}\n  got      {given}")
    for kind, _ in _flat(limited):
        tally.values += kind != "error"
        tally.errors += kind == "error"
        tally.limits += kind == "error" and door == "classic"  # shown as text


def _flat(told: Answer) -> list[tuple[str, Any]]:
    return [value for row in told for value in row]


def has_value(told: Answer) -> bool:
    """Whether an answer holds at least one value."""
    return any(kind != "error" for kind, _ in _flat(told))
