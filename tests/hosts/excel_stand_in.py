# ruff: noqa: D102 - members are called as in Excel, and are what they are there
"""As much of Excel as our VBA asks of it, for pyOpenVBA's interpreter; Python is really called."""

import datetime as dt

from pyopenvba.interpreter import (
    EMPTY,
    MISSING,
    NOTHING,
    NULL,
    HostBridge,
    Interpreter,
    VBAArray,
    VBAErrorValue,
    VBAInt,
    VBAObject,
    VBARuntimeError,
    member,
    method,
    setter,
)
from pyopenvba.interpreter._runtime import UNRESOLVED

from xltoken.functions import cells
from xltoken.hosts import bridge, intellisense, vba

XL_AUTOMATIC, XL_MANUAL = -4105, -4135
XL_EXCEL_LINKS = 1
_CODES = {mark: VBAErrorValue(code) for mark, code in cells.EXCEL_CODES.items()}
_MARKS = {code: mark for mark, code in cells.EXCEL_CODES.items()}


def array(rows, base=1):
    """A two-dimensional array of VBA."""
    made = VBAArray([(base, base + len(rows) - 1), (base, base + len(rows[0]) - 1)])
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            made.items[made.offset([i + base, j + base])] = value
    return made


def to_vba(value):
    """Value of a cell as VBA holds it: errors and blanks are types of their own."""
    if value is None:
        return EMPTY
    return _CODES.get(value, value) if isinstance(value, str) else value


def from_vba(value):
    """Value of VBA as COM would hand it to Python."""
    if isinstance(value, VBAArray):
        if len(value.bounds) == 1:
            return tuple(from_vba(v) for v in value.items)
        (top, bottom), (left, right) = value.bounds
        return tuple(
            tuple(from_vba(value.items[value.offset([i, j])]) for j in range(left, right + 1))
            for i in range(top, bottom + 1)
        )
    if value is EMPTY:
        return None
    return int(value) if isinstance(value, VBAInt) else value


def shown(value):
    """Result of a function as a cell shows it: errors by their marks, arrays as rows."""
    if isinstance(value, VBAArray):
        return [[shown(v) for v in row] for row in from_vba(value)]
    return _MARKS[value.number] if isinstance(value, VBAErrorValue) else value


class Book(VBAObject):
    """A workbook: its date system, its formulas, and whether it is an add-in."""

    vba_type_name = "Workbook"

    def __init__(
        self, name="book.xlsx", *, date1904=False, addin=False, formulas=(), links=(), carries=False
    ):
        self.name, self.date1904, self.addin = name, date1904, addin
        self.formulas, self.links, self.carries = formulas, links, carries
        self.saved = True
        self.cells = None  # more cells than there are formulas

    @member
    def Name(self):
        return self.name

    @member
    def FullName(self):
        return f"C:\\{self.name}"

    @member
    def Date1904(self):
        return self.date1904

    @member
    def IsAddin(self):
        return self.addin

    @setter("IsAddin")
    def _set_addin(self, value):
        self.addin, self.saved = bool(value), False

    @member
    def HasVBProject(self):
        return self.carries

    @member
    def CustomXMLParts(self):
        return Parts(self.carries)

    @method
    def LinkSources(self, kind):
        assert int(kind) == XL_EXCEL_LINKS
        return array([list(self.links)]) if self.links else EMPTY

    @method
    def Activate(self):
        return EMPTY

    @member
    def Saved(self):
        return self.saved

    @setter("Saved")
    def _set_saved(self, value):
        self.saved = bool(value)

    @member
    def Worksheets(self):
        return Items([Sheet(self)])


class ThisBook(Book):
    """The workbook that holds the code."""

    watched = 0

    @method
    def XltWatch(self):
        self.watched += 1
        return EMPTY


class Parts(VBAObject):
    """The custom XML parts of a workbook."""

    vba_type_name = "CustomXMLParts"

    def __init__(self, carries):
        self.carries = carries

    @method
    def SelectByNamespace(self, namespace):
        assert namespace == intellisense.NAMESPACE
        return Areas(int(self.carries))


class Items(VBAObject):
    """A collection that VBA walks over."""

    vba_type_name = "Collection"

    def __init__(self, items):
        self.items = items

    def vba_iterate(self):
        return iter(self.items)


class Sheet(VBAObject):
    """A worksheet."""

    vba_type_name = "Worksheet"

    def __init__(self, book):
        self.book = book

    @member
    def Parent(self):
        return self.book

    @member
    def UsedRange(self):
        formulas = [[f] for f in self.book.formulas] or [[None]]
        return Range(formulas, book=self.book, count=self.book.cells)


class Range(VBAObject):
    """Cells; asking for ``Value`` instead of ``Value2`` fails the test."""

    vba_type_name = "Range"

    def __init__(self, rows, *, book=None, address="$A$1", areas=1, count=None, waits=()):
        self.rows, self.book, self.address, self.areas = rows, book or Book(), address, areas
        self.waits = waits  # cells, counted from 1, whose formula was not computed yet
        self.count = count or len(rows) * len(rows[0])

    @member(default=True)
    def Value(self):
        raise AssertionError("Value cuts Currency cells to four decimals")

    @member
    def Value2(self):
        rows = [[to_vba(v) for v in row] for row in self.rows]
        return rows[0][0] if self.count == 1 else array(rows)

    @member
    def Formula(self):
        return self.rows[0][0] if self.count == 1 else array(self.rows)

    @member
    def CountLarge(self):
        return VBAInt(self.count, "Long")

    @member
    def Areas(self):
        return Areas(self.areas)

    @member
    def Worksheet(self):
        return Sheet(self.book)

    @member
    def HasFormula(self):
        formulas = len(self.waits)
        return NULL if 0 < formulas < self.count else formulas == self.count

    @method
    def Cells(self, row, column):
        spot = int(row), int(column)
        return Range(
            [[None]], book=self.book, address=self.address, waits=[spot] * (spot in self.waits)
        )

    @method
    def Address(self, External=False):  # noqa: N803 - Excel's name
        assert External
        return f"[{self.book.name}]Sheet1!{self.address}"


class Areas(VBAObject):
    """The blocks of a range."""

    vba_type_name = "Areas"

    def __init__(self, count):
        self.count = count

    @member
    def Count(self):
        return VBAInt(self.count, "Long")


class Application(VBAObject):
    """Excel: the calling cell, the calculation mode, and what was done to it."""

    vba_type_name = "Application"

    def __init__(self):
        self.caller = Range([[None]])
        self.calculation = XL_AUTOMATIC
        self.help: dict[str, dict] = {}
        self.refuses_help = False
        self.rebuilt = 0
        self.status = None
        self.events = self.drawn = True
        self.books: list[Book] = []
        self.server = Server()
        self.unreachable = 0
        self.asked = 0
        self.this_book = None

    @member
    def Caller(self):
        return self.caller

    @member
    def Calculation(self):
        return VBAInt(self.calculation, "Long")

    @member
    def Workbooks(self):
        return Items(self.books)

    @member
    def StatusBar(self):
        return self.status

    @setter("StatusBar")
    def _set_status(self, value):
        self.status = value

    @member
    def Server(self):
        self.asked += 1
        if self.unreachable:
            self.unreachable -= 1
            raise VBARuntimeError(1000, "Could not activate Python COM server")
        return self.server

    @member
    def ActiveWorkbook(self):
        return self.books[0] if self.books else NOTHING

    @member
    def EnableEvents(self):
        return self.events

    @setter("EnableEvents")
    def _set_events(self, value):
        self.events = bool(value)

    @member
    def ScreenUpdating(self):
        return self.drawn

    @setter("ScreenUpdating")
    def _set_drawn(self, value):
        self.drawn = bool(value)

    @method
    def CalculateFullRebuild(self):
        self.rebuilt += 1
        return EMPTY

    @method
    def MacroOptions(self, Macro, Description, Category, ArgumentDescriptions):  # noqa: N803
        if self.refuses_help or self.this_book.addin:
            raise VBARuntimeError(1004, "Cannot edit a macro on a hidden workbook.")
        told = from_vba(ArgumentDescriptions)
        self.help[Macro] = {"text": Description, "category": Category, "arguments": told}
        return EMPTY


class Server(VBAObject):
    """xlwings' server: hands a call to Python; fails as often as it is told to."""

    vba_type_name = "XLPython"

    def __init__(self):
        self.calls: list[tuple] = []
        self.failures = 0
        self.failure = -2147023174, "The RPC server is unavailable."

    @method
    def CallUDF(self, script, fname, args):
        if self.failures:
            self.failures -= 1
            raise VBARuntimeError(*self.failure)
        assert (script, fname) == (bridge.MODULE, "answer")
        given = from_vba(args)
        self.calls.append(given)
        return array(bridge.answer(*given), base=0)


class _Host(HostBridge):
    def __init__(self, excel):
        self.excel = excel

    def global_object(self, name):
        known = {"application": self.excel.application, "thisworkbook": self.excel.book}
        return known.get(name, UNRESOLVED)

    def constant(self, name):
        known = {
            "xlerrvalue": 2015,
            "xlcalculationautomatic": XL_AUTOMATIC,
            "xlexcellinks": XL_EXCEL_LINKS,
        }
        return VBAInt(known[name], "Long") if name in known else UNRESOLVED


class Excel:
    """An Excel with our modules in it."""

    def __init__(self, *, addin=True):
        self.application = Application()
        self.server = self.application.server
        self.book = ThisBook("xltoken.xlam" if addin else "book.xlsm", addin=addin)
        self.application.this_book = self.book
        self.vm = Interpreter(_Host(self))
        bridge_module = (
            "Public Function XLPy() As Object\r\nSet XLPy = Application.Server\r\nEnd Function"
        )
        for module in vba.modules(with_ribbon=False):
            if module.name == vba.BOOK_MODULE:
                continue
            code = bridge_module if module.name == "xlwings" else module.code
            self.vm.add_module(code, name=module.name)

    def run(self, procedure, *arguments):
        """Run a procedure; its result as a cell shows it."""
        return shown(self.vm.run(procedure, list(arguments)))

    def __call__(self, function, *arguments):
        """Ask a worksheet function as a cell does; None is an argument left out."""
        given = [
            MISSING if a is None else a if isinstance(a, VBAObject) else to_vba(a)
            for a in arguments
        ]
        return self.run(function, *given)


def serial(year, month, day):
    """Date serial of a day."""
    return float((dt.date(year, month, day) - dt.date(1899, 12, 30)).days)
