"""Parity's counts, shown at the end of every run, and the helpers of the cell contract in reach."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))

_TALLIES = pytest.StashKey[dict]()


@pytest.fixture(scope="session")
def tallies(pytestconfig):
    """What was asked of each door, by door and number of argument sets."""
    return pytestconfig.stash.setdefault(_TALLIES, {})


def pytest_terminal_summary(terminalreporter, config):
    """Say how many argument sets each door answered, and how many answers differed."""
    tallies = config.stash.get(_TALLIES, {})
    if tallies:
        terminalreporter.section("parity with the direct call")
        for (door, count), tally in tallies.items():
            terminalreporter.write_line(f"{tally.line(door)} ({count} sets a function)")
