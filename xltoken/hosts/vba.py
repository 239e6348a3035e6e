"""The VBA of Excel's door, written from the registry.

A worksheet function in VBA hands its arguments to the module ``xltoken_runtime``, which asks Python
over xlwings' bridge and makes real errors of error marks. What stays the same whatever functions
there are stands as text in ``data/``; the functions, their help and the codes of errors are written
from their one definition.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from xltoken.functions import FUNCTIONS, WorksheetFunction, cells
from xltoken.functions.definition import wizard_text
from xltoken.hosts import intellisense

BOOK_MODULE: Final = "ThisWorkbook"
CATEGORY: Final = "xltoken"
PROJECT_NAME: Final = "xltoken"
"""What xlwings' VBA calls our settings: ``%USERPROFILE%\\.xltoken\\xltoken.conf``. The user's own
settings of xlwings are another file, which we neither need nor touch."""

MAX_LINE: Final = 1023
"""Characters that VBA accepts in a line."""
_RESERVED: Final = frozenset(
    """
    and as boolean byref byte byval call case class const currency date debug declare dim do double
    each else elseif empty end enum erase error event exit false for friend function get global
    gosub goto if implements in input integer is let like lock long loop lset me mod name new next
    not nothing null object on open option optional or paramarray preserve print private property
    public put redim rem resume return rset select set single static step stop string sub then to
    true type until variant wend while with write xor
    """.split()  # noqa: SIM905 - seventy words are read as a text
)
"""Words that are no name of an argument in VBA."""


class VbaError(ValueError):
    """A text that VBA would not take; it is a defect of a definition, or a new xlwings."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a VBA project: its name and its code, lines ended by CRLF."""

    name: str
    code: str


def modules(*, with_ribbon: bool) -> list[Module]:
    """Write every module of our VBA project; that of the workbook comes first."""
    written = [
        Module(BOOK_MODULE, _shipped("this_workbook")),
        Module("xltoken_functions", function_module()),
        Module("xltoken_registry", registry_module()),
        Module("xltoken_runtime", _shipped("runtime")),
        Module("xlwings", bridge_module()),
    ]
    if with_ribbon:
        written.append(Module("xltoken_ribbon", _shipped("ribbon")))
    return written


def function_module() -> str:
    """Write one VBA function for each worksheet function."""
    return _code(
        "Option Explicit",
        "",
        "' Worksheet functions, written from xltoken's registry. Changes here are lost.",
        *(line for function in FUNCTIONS.values() for line in _function(function)),
    )


def registry_module() -> str:
    """Write names, help and error codes: what the other modules ask about the functions."""
    return _code(
        "Option Explicit",
        "Option Private Module",
        "",
        "' Names, help and error values, written from xltoken's registry. Changes here are lost.",
        "",
        f"Public Const XLT_HELP As String = {_text(intellisense.NAMESPACE)}",
        *_names(),
        *_registration(),
        *(line for function in FUNCTIONS.values() for line in _help(function)),
        *_errors(),
    )


def bridge_module() -> str:
    """Take xlwings' own VBA from the installed package, licence and all, under our settings' name.

    Raises
    ------
    VbaError
        If its text has changed so that our settings would not be found.
    """
    import xlwings

    source = Path(xlwings.__file__).with_name("xlwings.bas").read_text(encoding="utf-8")
    stock = 'Public Const PROJECT_NAME As String = "xlwings"'
    if source.count(stock) != 1 or not source.startswith("Attribute VB_Name"):
        raise VbaError(
            f"the VBA of xlwings {xlwings.__version__} is laid out in a way that is not known; "
            "install the version that xltoken names."
        )
    source = source.replace(stock, stock.replace('"xlwings"', f'"{PROJECT_NAME}"'))
    # Private: its helpers are no functions for cells.
    return _code("Option Private Module", *source.splitlines()[1:])


def _shipped(name: str) -> str:
    text = resources.files("xltoken.hosts").joinpath("data", f"{name}.bas").read_text("utf-8")
    return _code(*text.splitlines())


def _function(function: WorksheetFunction) -> Iterator[str]:
    names = [_argument(p.name) for p in function.parameters]
    shown = ", ".join(
        f"{'' if p.required else 'Optional '}{name} As Variant"
        for name, p in zip(names, function.parameters, strict=True)
    )
    yield ""
    yield f"Public Function {function.name}({shown}) As Variant"
    yield f'    {function.name} = XltAsk("{function.name}", Array({", ".join(names)}))'
    yield "End Function"


def _argument(name: str) -> str:
    if name.lower() in _RESERVED:
        raise VbaError(f"{name} is a word of VBA and no name of an argument there.")
    return name


def _names() -> Iterator[str]:
    yield ""
    yield "Public Function XltNames() As Variant"
    yield "    Static names As Variant"
    yield "    If IsEmpty(names) Then names = Split(" + _text(" ".join(FUNCTIONS)) + ")"
    yield "    XltNames = names"
    yield "End Function"


def _registration() -> Iterator[str]:
    yield ""
    yield "Public Sub XltRegister()"
    for name in FUNCTIONS:
        yield f"    Help_{name}"
    yield "End Sub"
    yield ""
    yield "Private Function XltMacro(ByVal fname As String) As String"
    yield """    XltMacro = "'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & fname"""
    yield "End Function"


def _help(function: WorksheetFunction) -> Iterator[str]:
    yield ""
    yield f"Private Sub Help_{function.name}()"
    described = [wizard_text(p.told) for p in function.parameters]
    yield f"    Dim told(0 To {max(len(described) - 1, 0)}) As String"
    for place, text in enumerate(described):
        yield f"    told({place}) = {_text(text)}"
    yield (
        f'    Application.MacroOptions Macro:=XltMacro("{function.name}")'
        ", _\r\n"
        f"        Description:={_text(wizard_text(function.summary))}, _\r\n"
        f"        Category:={_text(CATEGORY)}, ArgumentDescriptions:=told"
    )
    yield "End Sub"


def _errors() -> Iterator[str]:
    yield ""
    yield "Public Function XltMark(ByVal code As Long) As String"
    yield "    Select Case code"
    for mark, code in cells.EXCEL_CODES.items():
        yield f'        Case {code}: XltMark = "{mark}"'
    yield f'        Case Else: XltMark = "{cells.VALUE}"'
    yield "    End Select"
    yield "End Function"
    yield ""
    yield "Public Function XltErrorOf(ByVal v As Variant) As Variant"
    yield "    XltErrorOf = v"
    yield "    If VarType(v) <> vbString Then Exit Function"
    yield "    Select Case v"
    for mark, code in cells.EXCEL_CODES.items():
        yield f'        Case "{mark}": XltErrorOf = CVErr({code})'
    yield "    End Select"
    yield "End Function"


def _text(text: str) -> str:
    """Write a VBA text literal."""
    if not text.isascii() or not text.isprintable():
        raise VbaError(f"VBA's code page may not hold this text: {text!r}")
    return '"' + text.replace('"', '""') + '"'


def _code(*lines: str) -> str:
    """Join lines as VBA wants them.

    Raises
    ------
    VbaError
        If a line is longer than VBA takes, or a statement has too many continuations.
    """
    whole = "\r\n".join(lines) + "\r\n"
    longest = max(map(len, whole.split("\r\n")))
    if longest > MAX_LINE:
        raise VbaError(f"a line of {longest} characters; VBA takes {MAX_LINE}.")
    if re.search(r"(?: _\r\n[^\r\n]*){25}", whole):
        raise VbaError("a statement over more than 25 lines; VBA takes 24 continuations.")
    return whole
