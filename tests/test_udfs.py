"""The module that xlwings imports."""

import inspect
import sys

import pytest

from xltoken import udfs
from xltoken.functions import FUNCTIONS
from xltoken.functions.cells import CellError


def test_every_function_is_there():
    """The registry decides what xlwings sees, nothing is typed again."""
    assert list(udfs.UDFS) == list(FUNCTIONS)
    assert udfs.__all__ == list(FUNCTIONS)


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_signature_is_the_portable_subset(name):
    """Parameters are untyped, positional, named as in the registry; optional ones default to None."""
    signature = inspect.signature(getattr(udfs, name))
    parameters = FUNCTIONS[name].parameters
    assert list(signature.parameters) == [p.name for p in parameters]
    for shown, declared in zip(signature.parameters.values(), parameters, strict=True):
        assert shown.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert shown.annotation is inspect.Parameter.empty
        assert shown.default is (inspect.Parameter.empty if declared.required else None)


def _two_dimensional(argument):
    """Argument as xlwings hands it over with ndim=2: every scalar a 1x1 range."""
    return argument if isinstance(argument, list) else [[argument]]


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_worked_example_is_that_of_the_direct_call(name):
    """Through the door of xlwings a worked example gives what the direct call gives."""
    from xltoken.functions.cells import outgoing

    function = FUNCTIONS[name]
    through = getattr(udfs, name)(*[_two_dimensional(a) for a in function.example])
    assert through == outgoing(function(*function.example))


def test_errors_leave_as_bare_text():
    """An error mark leaves as a plain str, which the hosts convert by its exact type."""
    answer = udfs.TOKEN_COST([["no such"]], [[0.0]], [["gpt-oss-120b/batch"]])
    assert answer == "#N/A"
    assert type(answer) is str
    assert type(FUNCTIONS["TOKEN_COST"]("no such", 0, "gpt-oss-120b/batch")) is CellError


def test_error_text_of_a_cell_stays_that_error():
    """With err_to_str an error cell arrives as text and leaves as the same error."""
    assert udfs.TOKEN_COST([["#DIV/0!"]], [[0.0]], [["gpt-oss-120b/batch"]]) == "#DIV/0!"


def test_the_host_is_known():
    """XLTOKEN_INFO says that xlwings asked, and which of its worlds."""
    assert udfs.XLTOKEN_INFO([["host"]]) == "xlwings classic"


@pytest.mark.skipif(sys.platform == "win32", reason="with Excel's decorators they are live")
def test_importable_without_excel():
    """Without Excel the decorators do nothing: the functions are plain Python."""
    assert inspect.isfunction(udfs.TOKEN_COST)
