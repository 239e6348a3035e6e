"""Excel as xlwings sees it through COM, made up, so that xlwings' own code runs anywhere.

:func:`install` puts stand-ins in the place of pywin32 before xlwings is imported: from then on the
process has xlwings' real COM server, its real reading and writing of values, and its real generator
of VBA. It changes the process for good, so it belongs into a subprocess.

The stand-ins know what these paths touch and nothing else: a workbook with its date system, a sheet
and ranges whose ``Value`` and ``Value2`` are given.
"""

import atexit
import ctypes
import datetime as dt
import io
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock
from unittest.mock import MagicMock

MISSING: Final = -2147352572
"""What an optional argument that was left out becomes on its way through COM."""
RANGE_IID: Final = "{00020846-0000-0000-C000-000000000046}"
_ERROR_BASE: Final = -2146828288
"""Excel's error values travel through COM as this plus their number in VBA."""

_STOOD_IN: Final = (
    "pythoncom", "pywintypes", "win32api", "win32com", "win32com.client", "win32com.client.dynamic",
    "win32com.server", "win32com.server.dispatcher", "win32com.server.exception",
    "win32com.server.policy", "win32com.server.util", "win32con", "win32event", "win32gui",
    "win32process", "win32timezone",
)  # fmt: skip


class ComTime(dt.datetime):
    """A date as pywin32 hands it over."""


def com_error_value(number: int) -> int:
    """An error value of a cell as COM carries it: an int."""
    return _ERROR_BASE + number


# --- Excel's objects ------------------------------------------------------------------------------


class Application:
    """Excel itself."""

    Hwnd = 1
    Version = "16.0"


@dataclass
class Workbook:
    """A workbook: its name and its date system."""

    Name: str = "book.xlsm"
    Date1904: bool = False

    def __post_init__(self) -> None:
        self.Application = Application()
        self.Worksheets: list[Worksheet] = [Worksheet(self)]


class Worksheet:
    """The one sheet of a workbook."""

    Name = "Sheet1"

    def __init__(self, parent: Workbook) -> None:
        self.Parent = parent


class Count:
    """Rows or columns, which are only counted."""

    def __init__(self, count: int) -> None:
        self.Count = count


class Range:
    """Cells whose values are given: a scalar of one cell, rows of several, as Excel has it."""

    Row = Column = 1

    def __init__(self, sheet: Worksheet, value: Any, value2: Any = None) -> None:
        self.Worksheet = self.Parent = sheet
        self.Value = value
        self.Value2 = value if value2 is None else value2
        rows = value if isinstance(value, tuple) else ((value,),)
        self.Rows, self.Columns = Count(len(rows)), Count(len(rows[0]))
        self.Count = len(rows) * len(rows[0])
        self.Address = "$A$1"


# --- what pywin32 makes of them -------------------------------------------------------------------


class PyIDispatch:
    """Interface of an object, as COM hands it to Python."""

    def __init__(self, target: Any) -> None:
        self.target = target

    def GetTypeInfo(self) -> "PyIDispatch":
        """Type of the object: this stand-in answers for it."""
        return self

    def GetTypeAttr(self) -> Any:
        """Identity of the type, which tells a range from everything else."""
        iid = RANGE_IID if isinstance(self.target, Range) else type(self.target).__name__
        return types.SimpleNamespace(iid=iid)

    def GetDocumentation(self, _index: int) -> tuple[str]:
        """Name of the type."""
        return (type(self.target).__name__,)


class CDispatch:
    """An object as pywin32 wraps it: its members are those of the object."""

    def __init__(self, interface: PyIDispatch) -> None:
        self._oleobj_ = interface

    def __getattr__(self, name: str) -> Any:
        return getattr(self._oleobj_.target, name)


def _dispatch(given: Any, **_: Any) -> CDispatch:
    return given if isinstance(given, CDispatch) else CDispatch(given)


def _not_wrapped(_given: Any) -> Any:
    raise ValueError("no Python object inside")


class _Module(MagicMock):
    """A module of which only the names matter."""

    __path__: Sequence[str] = ()
    __spec__ = None
    __file__ = "stand-in"


def install() -> Any:
    """Put the stand-ins in place, import xlwings over them, and return its COM server.

    Raises
    ------
    RuntimeError
        If xlwings was imported before: it has made up its mind then.
    """
    if "xlwings" in sys.modules:
        raise RuntimeError("xlwings is imported already; ask in a new process")
    for name in _STOOD_IN:
        sys.modules[name] = _Module(name=name)
    for name in _STOOD_IN:
        package, _, last = name.rpartition(".")
        if package:
            setattr(sys.modules[package], last, sys.modules[name])
    pythoncom, pywintypes = sys.modules["pythoncom"], sys.modules["pywintypes"]
    pythoncom.CoInitialize = lambda *_: None
    pythoncom.TypeIIDs = {pythoncom.IID_IDispatch: PyIDispatch}
    pywintypes.TimeType = ComTime
    pywintypes.IID = str
    pywintypes.com_error = pywintypes.error = pythoncom.ole_error = type(
        "com_error", (Exception,), {}
    )
    client = sys.modules["win32com.client"]
    client.Dispatch = _dispatch
    client.CDispatch = CDispatch
    client.CoClassBaseClass = type("CoClassBaseClass", (), {})
    client.DispatchBaseClass = type("DispatchBaseClass", (), {})
    sys.modules["win32com.server.util"].unwrap = _not_wrapped
    for name in ("oledll", "windll"):
        if not hasattr(ctypes, name):
            setattr(ctypes, name, MagicMock())

    with mock.patch("ctypes.PyDLL"):  # it would look for a function of pywin32's
        import xlwings as xw
        from xlwings import _xlwindows, udfs

    atexit.unregister(_xlwindows.cleanup)  # it would look for Excel's processes
    xw._xlwindows = _xlwindows
    if "excel" not in [engine.name for engine in xw.engines]:
        xw.engines.add(xw.Engine(impl=_xlwindows.engine))
    xw.func, xw.arg, xw.ret = udfs.xlfunc, udfs.xlarg, udfs.xlret
    xw.sub = xw.script = udfs.xlsub

    from xlwings import com_server

    return com_server.XLPython()


def generated_vba(module_name: str = "xltoken.udfs", workbook: str = "book.xlsm") -> str:
    """VBA that xlwings' own generator writes for a module; :func:`install` comes first."""
    import importlib

    from xlwings import udfs

    written = io.StringIO()
    module = importlib.import_module(module_name)
    udfs.generate_vba_wrapper(module_name, module, written, Workbook(workbook))
    return written.getvalue()
