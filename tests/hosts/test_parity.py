"""Every registered function at every door, on generated argument sets: the same value or error.

What a host cannot tell stands in ``cells.HOST_LIMITS``; each of its lines is met in
``test_host_limits``. The counts are shown at the end of the run.
"""

import os

import pytest
from argument_sets import argument_sets
from cell_arguments import Area, Constants, Currency
from parity_tools import Tally, answers, compare, has_value, reference

from xltoken.functions import FUNCTIONS

FEW, MANY = 20, 240
COUNTS = (FEW, pytest.param(MANY, marks=pytest.mark.slow))
DOORS = (
    "prepared",
    "engine",
    "classic",
    "vba",
    pytest.param(
        "server",
        marks=pytest.mark.skipif(
            not os.environ.get("XLWINGS_LICENSE_KEY"),
            reason="xlwings Server asks for a licence key of whoever runs it: XLWINGS_LICENSE_KEY",
        ),
    ),
)


@pytest.fixture(scope="session")
def asked():
    """Argument sets of each function with what the direct call gives, by their number."""
    drawn = {}

    def of(name, count):
        if (name, count) not in drawn:
            sets = argument_sets(FUNCTIONS[name], count)
            drawn[name, count] = [(given, reference(given)) for given in sets]
        return drawn[name, count]

    return of


@pytest.fixture(scope="session")
def answered(asked, tmp_path_factory):
    """Answers of a door to every set of every function, asked once in a process of its own."""
    told = {}

    def of(door, count):
        if (door, count) not in told:
            # By place, not by set: in a dictionary TRUE is 1.
            sets = {
                (name, place): given
                for name in FUNCTIONS
                for place, (given, _) in enumerate(asked(name, count))
                # The server is not told of 1904, as the table of limits says.
                if door != "server" or not given.date1904
            }
            found = answers(door, list(sets.values()), tmp_path_factory.mktemp("parity"))
            told[door, count] = dict(zip(sets, found, strict=True))
        return told[door, count]

    return of


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize("door", DOORS)
def test_every_door_gives_what_the_direct_call_gives(door, name, count, asked, answered, tallies):
    """A door gives the value or error of the direct call, or what its host limits say."""
    tally = tallies.setdefault((door, count), Tally())
    before = len(tally.mismatches)
    told = answered(door, count)
    for place, (given, expected) in enumerate(asked(name, count)):
        if (name, place) in told:
            compare(door, given, expected, told[name, place], tally)
    assert tally.mismatches[before:] == []


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_half_of_the_sets_have_a_value(name, count, asked):
    """Sets that only give errors would prove little: at least half of a function's have a value."""
    valued = sum(has_value(expected) for _, expected in asked(name, count))
    assert valued >= count / 2


def test_every_kind_of_argument_is_among_them(asked):
    """Blanks, texts, booleans, errors, dates, amounts, ints, single cells, rows, columns, tables."""
    sets = [given for name in FUNCTIONS for given, _ in asked(name, FEW)]
    cells = [cell for given in sets for cell in given.cells()]
    kinds = {type(cell).__name__ for cell in cells}
    assert kinds >= {"NoneType", "str", "bool", "float", "int", "date", "datetime"}
    assert kinds >= {"Currency", "Skipped"}
    assert {"", "#N/A", "#DIV/0!", "#REF!"} <= {cell for cell in cells if isinstance(cell, str)}
    assert any(cell.value < 1 for cell in cells if isinstance(cell, Currency))
    shapes = {
        (min(len(a.rows), 2), min(len(a.rows[0]), 2), type(a).__name__)
        for given in sets
        for a in given.arguments
        if isinstance(a, Area | Constants)
    }
    assert shapes >= {(r, c, "Area") for r in (1, 2) for c in (1, 2)}
    assert shapes >= {(1, 2, "Constants"), (2, 1, "Constants"), (2, 2, "Constants")}
    assert {given.date1904 for given in sets} == {False, True}
    assert any(len(g.arguments) < len(g.function.parameters) for g in sets)


def test_the_same_seed_draws_the_same_sets():
    """A run can be repeated: equal seeds give equal sets, other seeds other ones."""
    function = FUNCTIONS["TOKEN_COST"]
    assert argument_sets(function, FEW) == argument_sets(function, FEW)
    assert argument_sets(function, FEW) != argument_sets(function, FEW, seed=2)
