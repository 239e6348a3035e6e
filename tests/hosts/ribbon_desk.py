"""A made-up Excel, as far as the ribbon's macros reach, for pyOpenVBA's interpreter."""

from importlib import resources

from pyopenvba.apps.excel._bridge import ExcelBridge
from pyopenvba.exceptions import VBARuntimeError
from pyopenvba.interpreter import (
    NOTHING,
    Interpreter,
    VBAArray,
    VBAObject,
)
from pyopenvba.interpreter._runtime import UNRESOLVED

MACROS = resources.files("xltoken.hosts").joinpath("data", "ribbon.bas").read_text("utf-8")

# What the macros use of the module xltoken_runtime.
RUNTIME = """
Public Function XltPython(ByVal moduleName As String, ByVal procedure As String, ByVal given As Variant) As Variant
    XltPython = Desk.Ask(moduleName, procedure, given)
End Function
Public Sub XltRetry()
    Desk.Forget
End Sub
Public Function XltIsOurs(ByVal formula As Variant) As Boolean
    XltIsOurs = InStr(formula, "TOKEN_") > 0
End Function
Public Function XltMessageOf(ByVal address As String) As String
    XltMessageOf = Desk.MessageOf(address)
End Function
Public Function XltLastMessage() As String
    XltLastMessage = Desk.LastMessage
End Function
Public Function XltReachable() As Boolean
    XltReachable = Desk.Reachable
End Function
"""
TEMPORARY = r"C:\Temp"
ADD_IN = r"C:\XLSTART\xltoken.xlam"


class Open(VBAObject):
    """An object whose members are the attributes of its Python class; unknown ones are error 438."""

    def __init__(self, **values):
        self.values = {name.lower(): value for name, value in values.items()}

    def vba_get(self, name, args=(), named=None):
        """Read a member, or call it."""
        found = self.values.get(name.lower(), UNRESOLVED)
        if found is UNRESOLVED:
            raise VBARuntimeError(438, f"no member {name}")
        if callable(found):
            return found(*args, **{key.lower(): value for key, value in (named or {}).items()})
        return found

    def vba_set(self, name, value, args=(), named=None, *, by_ref=False):
        """Keep what a member is set to."""
        self.values[name.lower()] = value

    def vba_iterate(self):
        """Walk a collection."""
        return iter(self.values["items"])


class Desk(ExcelBridge):
    """Excel, Python behind it and the disk under it; `done` lists what happened, in order."""

    def __init__(self, *, mac=False):
        self.done = []
        self.answer = [[0], [""]]  # rows, an exception, or the module that is asked
        self.chosen = False  # what GetSaveAsFilename gives
        self.messages, self.last = {}, ""
        self.kept_by_books = {}  # name of a workbook with the wrapper to its messages
        self.existing = set()
        self.wizard_fails = self.rebuild_fails = self.copy_fails = False
        self.shown = None
        self._global_members = {
            "activecell", "activeworkbook", "workbooks", "thisworkbook", "application",
        }  # fmt: skip
        self.books = Open(items=[], add=self._new_book, open=self._opened)
        self.application = Open(
            statusbar=False,
            cursor=-4143,
            version="16.0",
            activecell=NOTHING,
            activeworkbook=NOTHING,
            workbooks=self.books,
            thisworkbook=Open(fullname=ADD_IN),
            dialogs=lambda which: Open(show=lambda: self._wizard(which)),
            getsaveasfilename=self._save_as,
            calculatefullrebuild=self._rebuild,
            run=self._run,
        )
        self.desk = Open(
            ask=self._ask,
            forget=lambda: self.done.append("forget"),
            messageof=lambda place: self.messages.get(place, ""),
            lastmessage=lambda: self.last,
            reachable=lambda: self.reachable,
        )
        self.reachable = True
        self.vba = Interpreter(self)
        macros = MACROS
        if mac:  # the interpreter's own constants are those of Windows
            macros = "#Const Mac = True\n" + macros
        self.vba.add_module(RUNTIME, name="xltoken_runtime")
        self.vba.add_module(macros, name="xltoken_ribbon")

    def press(self, macro, tag=""):
        """Run a macro as its button does; gives the texts of the message boxes."""
        self.vba.run(macro, [Open(tag=tag, id=macro)])
        assert all(title == "xltoken" for _, _, title, _ in self.vba.dialogs)
        told = [text for _, text, _, _ in self.vba.dialogs]
        self.vba.dialogs.clear()
        return told

    @property
    def at_rest(self):
        """Whether Excel shows its own status line and cursor again."""
        values = self.application.values
        return values["statusbar"] is False and int(values["cursor"]) == -4143

    def select(self, *, formula="", spill_of=None, array_of=None):
        """Make a cell the active one; `spill_of`, `array_of` address the cell of its formula."""

        def cell(address, **more):
            made = Open(address=lambda *, external: address, **{"formula": formula, **more})
            made.values["cells"] = lambda row, column: made
            return made

        more = {"hasformula": bool(formula), "formula": formula, "hasarray": bool(array_of)}
        if spill_of:
            more |= {"hasspill": True, "spillparent": cell(spill_of)}
        if array_of:
            more["currentarray"] = cell(array_of)
        self.application.values["activecell"] = cell("[Book1]Sheet1!$B$4", **more)

    def open_book(self, name, file_format=51):
        """Open a workbook and make it the active one."""
        book = Open(name=name, fileformat=file_format, savecopyas=self._copy)
        self.books.values["items"].append(book)
        self.application.values["activeworkbook"] = book

    # --- what VBA sees ---

    def global_object(self, name):
        """Names that stand for an object."""
        return {"desk": self.desk, "application": self.application}.get(name.lower(), UNRESOLVED)

    def create(self, type_name_):
        """The one object of another library that the macros make."""
        assert type_name_ == "Scripting.FileSystemObject"
        return Open(
            fileexists=lambda path: path in self.existing,
            getspecialfolder=lambda which: Open(path=TEMPORARY),
            gettempname=lambda: "rad1.tmp",
            buildpath=lambda folder, name: f"{folder}\\{name}",
            createfolder=lambda path: self.done.append(("folder", path)),
            deletefolder=lambda path, force: self.done.append(("delete", path)),
        )

    def _ask(self, module, procedure, given):
        self.done.append((module.rpartition(".")[2], procedure, *given.elements()))
        if isinstance(self.answer, Exception):
            raise self.answer
        rows = self.answer
        if not isinstance(rows, list):
            rows = getattr(rows, procedure)(*given.elements())
        cells = [cell for row in rows for cell in row]
        return VBAArray([(0, len(cells) - 1), (0, 0)], items=cells)

    def _wizard(self, which):
        if self.wizard_fails:
            raise VBARuntimeError(1004, "Show method of Dialog class failed")
        self.done.append(("dialog", int(which)))
        return True

    def _save_as(self, **named):
        self.done.append(("save as", named["initialfilename"], named["filefilter"]))
        return self.chosen

    def _rebuild(self):
        if self.rebuild_fails:
            raise VBARuntimeError(1004, "Method CalculateFullRebuild failed")
        self.done.append("rebuild")

    def _run(self, macro, place):
        book, _, name = macro.rpartition("!")
        assert name == "XltMessageOf"
        if book not in self.kept_by_books:
            raise VBARuntimeError(1004, f"Cannot run the macro {macro}")
        return self.kept_by_books[book].get(place, "")

    def _copy(self, path):
        if self.copy_fails:
            raise VBARuntimeError(1004, "Method SaveCopyAs failed")
        self.done.append(("copy", path))

    def _opened(self, path):
        self.done.append(("open", path))
        return NOTHING

    def _new_book(self, template):
        sheet = Open(font=Open())
        self.column = Open(font=Open())

        def resize(rows, columns):
            self.shown = Open()
            self.shown.values["size"] = (int(rows), int(columns))
            return self.shown

        self.new_book = Open(worksheets=lambda which: sheet)
        sheet.values |= {
            "columns": lambda which: self.column,
            "range": lambda address: Open(resize=resize),
            "parent": self.new_book,
        }
        return self.new_book

    @property
    def lines(self):
        """What stands on the new sheet."""
        return list(self.shown.values["value"].elements())
