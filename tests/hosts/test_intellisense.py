import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest

from xltoken.functions import FUNCTIONS
from xltoken.functions.definition import shown_default
from xltoken.hosts import intellisense

NS = f"{{{intellisense.NAMESPACE}}}"


def written():
    """Every function element by its name."""
    root = ET.fromstring(intellisense.part())
    return {element.get("Name"): element for element in root.iter(f"{NS}Function")}


def test_the_part_is_what_the_add_in_reads():
    """Root, list, functions and arguments nest as the add-in reads them, in its namespace."""
    assert intellisense.NAMESPACE == "http://schemas.excel-dna.net/intellisense/1.0"
    root = ET.fromstring(intellisense.part())
    assert root.tag == f"{NS}IntelliSense"
    (listed,) = root
    assert listed.tag == f"{NS}FunctionInfo"
    for function in listed:
        assert function.tag == f"{NS}Function"
        assert set(function.attrib) == {"Name", "Description"}
        for argument in function:
            assert argument.tag == f"{NS}Argument"
            assert set(argument.attrib) == {"Name", "Description"}


def test_every_function_is_there_once():
    """The registry's functions are all there, in its order."""
    assert list(written()) == list(FUNCTIONS)
    assert intellisense.part().count(b"<Function ") == len(FUNCTIONS)


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_argument_is_there(name):
    """Arguments stand in order with help, unit and default; what may be left out has brackets."""
    function, arguments = FUNCTIONS[name], list(written()[name])
    for p, argument in zip(function.parameters, arguments, strict=True):
        assert argument.get("Name") == (p.name if p.required else f"[{p.name}]")
        told = argument.get("Description")
        assert told.startswith(p.help.rstrip("."))
        assert p.unit in told
        if p.told_default is not None:
            assert told.endswith(f"Default {shown_default(p.told_default)}.")


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_texts_fit_a_tooltip(name):
    """A line is one that the add-in draws whole: at most 160 characters, no line end inside."""
    element = written()[name]
    summary, result = element.get("Description").split("\r\n")
    assert summary == FUNCTIONS[name].summary
    assert result.startswith("Result: ")
    lines = [summary, result, *(argument.get("Description") for argument in element)]
    assert all(len(line) <= 160 and line.isprintable() for line in lines)


def test_any_text_makes_valid_xml(monkeypatch):
    """Quotes, brackets and letters of any language come back as they were."""
    awkward = "<a> & \"b\" 'c' ]]> é 木 €."
    function = next(iter(FUNCTIONS.values()))
    changed = dataclasses.replace(function, summary=awkward)
    monkeypatch.setattr(intellisense, "FUNCTIONS", {function.name: changed})
    assert written()[function.name].get("Description").startswith(f"{awkward}\r\n")


def test_the_same_bytes_every_time():
    """The part is made of nothing that changes, and says how it is encoded."""
    assert intellisense.part() == intellisense.part()
    assert re.match(
        rb"<\?xml version='1.0' encoding='UTF-8'\?>\n<IntelliSense ", intellisense.part()
    )
