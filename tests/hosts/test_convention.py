"""Our VBA calls Python as the installed xlwings' own generator does.

An xlwings that changes its convention fails here, before anybody's workbook does.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from xltoken.functions import FUNCTIONS
from xltoken.hosts import vba


@pytest.fixture(scope="module")
def generated():
    """Call line of each function as xlwings' generator writes it; a process of its own is mocked."""
    code = (
        "import json, pywin32_tools as com; com.install(); "
        "print(json.dumps([com.generated_vba(), com.generated_vba('xltoken.hosts.bridge')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return [text.replace("\r\n", "\n") for text in json.loads(done.stdout)]


def ours():
    """The one place where our VBA calls Python, as a pattern of the values it is given.

    It is the form that xlwings writes for applications whose calling cell means nothing.
    """
    runtime = next(m.code for m in vba.modules(with_ribbon=False) if m.name == "xltoken_runtime")
    (call,) = re.findall(r"= mPython(\.CallUDF\(.*\))\r\n", runtime)
    assert "Set mPython = XLPy\r\n" in runtime
    return call


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_the_call_is_that_of_xlwings(generated, name):
    """Method, order and kind of the arguments are those of the generator."""
    own = re.search(rf"{name} = XltAsk\(\"{name}\", (Array\(.*\))\)\r\n", vba.function_module())[1]
    expected = (
        ours()
        .replace("moduleName", '"xltoken.udfs"')
        .replace("procedure", f'"{name}"')
        .replace("given", own)
    )
    assert f"{name} = XLPy{expected}" in generated[0]


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_the_signature_is_that_of_xlwings(generated, name):
    """Names, their order and what may be left out are what the generator reads off `udfs`."""
    theirs = re.search(rf"^Function {name}\((.*)\)$", generated[0], re.MULTILINE)[1]
    shown = re.search(
        rf"^Public Function {name}\((.*)\) As Variant\r$", vba.function_module(), re.MULTILINE
    )[1]
    assert shown.replace(" As Variant", "") == theirs


def test_the_bridge_takes_any_number_of_arguments(generated):
    """The bridge gets a name, the date system, and then whatever stands in the cells."""
    assert re.search(
        r"Function answer\(.*function, date1904, ParamArray arguments\(\)\)", generated[1]
    )
