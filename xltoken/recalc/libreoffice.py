"""LibreOffice as a second engine: a copy is recalculated in a private profile, and read.

LibreOffice writes only 15 digits of a number into a file. So a macro in the private profile does
two things: it saves the recalculated copy, which tells numbers, text, booleans and errors apart,
and it dumps the numbers and error codes of all formulas. Both are read here and thrown away.
"""

import contextlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from xltoken.files import FileError
from xltoken.machine import PartMissing
from xltoken.recalc.package import Package, Place, name_of_copy, parsed
from xltoken.recalc.sheetxml import ErrorText, Value, address

VARIABLE: Final = "XLTOKEN_SOFFICE"
"""Environment variable that names the program where it stands in no usual place."""

_OF_CODE: Final = {502: ErrorText("#NUM!"), 523: ErrorText("#NUM!")}
"""Errors that LibreOffice saves under another name than Excel.

523 is an IRR or RATE that was not found (saved as ``#N/A``). 502 is an argument out of its domain
(saved as ``#VALUE!``): SQRT, LN, FACT and most others say ``#NUM!`` in Excel, INDEX ``#REF!``,
MID and CHOOSE ``#VALUE!``.
"""

_USUAL: Final = (
    "/usr/bin/soffice",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.exe",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.exe",
)


def program() -> str | None:
    """Path of LibreOffice's program; None where it is not installed."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return found or next((place for place in _USUAL if Path(place).exists()), None)


def values(
    content: bytes, places: Iterable[Place], *, timeout: float = 120.0
) -> dict[Place, Value]:
    """Values of some cells after LibreOffice recalculated the whole workbook.

    What differs from Excel by LibreOffice's nature: a difference that is zero but for the last
    bits is zero; booleans are numbers (``TRUE&""`` is ``1``, SUM counts them, and one in a cell
    with a number format looks like 1 or 0 unless a boolean was saved there); the name of an error
    is a guess where `_OF_CODE` says so; functions it does not know are ``#NAME?``.

    Raises
    ------
    PartMissing
        If LibreOffice is not installed or does not start.
    FileError
        If it cannot open the workbook, or takes longer than `timeout` seconds.
    """
    soffice = program()
    if soffice is None:
        raise PartMissing(_missing())
    before = parsed(Path("workbook"), content)
    with tempfile.TemporaryDirectory(prefix="xltoken-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        source, saved, dumped = (folder / n for n in (name_of_copy(content), "out.xlsx", "numbers"))
        source.write_bytes(content)
        _write_profile(folder / "profile", _macro(source, saved, dumped))
        _run(soffice, folder / "profile", timeout)
        if not dumped.exists():
            raise PartMissing(
                f"{soffice} did not start, or runs no macros; try it by hand, or name another "
                f"program in {VARIABLE}."
            )
        if not saved.exists():
            raise FileError("LibreOffice cannot open or recalculate this workbook.")
        after = parsed(Path("LibreOffice's copy"), saved.read_bytes())
        numbers = dict(_numbers(dumped.read_bytes(), list(after.sheets)))
    return {place: _value(place, before, after, numbers) for place in places}


def _missing() -> str:
    named = os.environ.get(VARIABLE)
    if named:
        return f"{VARIABLE} names {named}, which is no program; name LibreOffice's soffice."
    return f"LibreOffice is not installed; install it, or set {VARIABLE} to its soffice program."


def _value(place: Place, before: Package, after: Package, numbers: dict[Place, float]) -> Value:
    """Value in the saved copy, with all the digits of its number."""
    if place[0] not in after.sheets or place[0] not in before.sheets:
        raise FileError(f"LibreOffice found no sheet {place[0]} to read in this workbook.")
    old, new = before.cell(*place), after.cell(*place)
    if place not in numbers and (old is None or old.formula is None):
        return None if old is None else old.value  # a constant
    if new is None and old is not None and old.formula is not None:
        raise FileError(f"LibreOffice lost the formula in {place[0]}!{address(*place[1:])}.")
    value = None if new is None else new.value
    if isinstance(value, ErrorText):
        return _OF_CODE.get(int(numbers.get(place, 0)), value)
    if not isinstance(value, float):
        return value
    if old is not None and isinstance(old.value, bool) and value in (0.0, 1.0):
        # In LibreOffice a boolean is a number; in a cell with a number format it looks like one.
        return bool(value)
    exact = numbers.get(place, value)
    # 15 digits of the same number: anything else would be a number from another place.
    return exact if abs(exact - value) <= 1e-14 * abs(value) else value


def _numbers(dump: bytes, sheets: list[str]) -> Iterator[tuple[Place, float]]:
    """Every cell of the dump: areas of sheet, first row and column, last ones, and their cells.

    A number, the code of an error, or 0 for text.
    """
    at = 0
    while at < len(dump):
        sheet, top, left, bottom, right = struct.unpack_from("<5i", dump, at)
        at += 20
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                yield (sheets[sheet], row + 1, column + 1), struct.unpack_from("<d", dump, at)[0]
                at += 8


def _run(soffice: str, profile: Path, timeout: float) -> None:
    command = [
        soffice,
        "--headless",
        "--norestore",
        "--nologo",
        f"-env:UserInstallation={profile.as_uri()}",
        "macro:///Standard.Xltoken.Recalculate",
    ]
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own LibreOffice
            command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError as error:
        raise PartMissing(f"{soffice} cannot be started ({error.strerror}).") from None
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise FileError(
            f"LibreOffice did not recalculate this workbook within {timeout:g} seconds."
        ) from None
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End our own LibreOffice: the program that was started is only its launcher."""
    if sys.platform == "win32":
        taskkill = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(taskkill, capture_output=True, check=False)  # noqa: S603
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


_SETTINGS: Final = {
    # Says that the profile is made, or LibreOffice would write its presets over the macro.
    ("/org.openoffice.Setup/Office", "ooSetupInstCompleted"): "true",
    # Without this, saved values are believed.
    ("/org.openoffice.Office.Calc/Formula/Load", "OOXMLRecalcMode"): "0",
    # Links to other files are never followed.
    ("/org.openoffice.Office.Calc/Content/Update", "Link"): "2",
    # The same numbers and dates in text whatever the language of this machine.
    ("/org.openoffice.Setup/L10N", "ooSetupSystemLocale"): "en-US",
}


def _write_profile(profile: Path, macro: str) -> None:
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse">'
        f"<value>{value}</value></prop></item>"
        for (path, name), value in _SETTINGS.items()
    )
    library = '<library:library library:name="Standard" library:'
    space = 'xmlns:library="http://openoffice.org/2000/library"'
    files = {
        "registrymodifications.xcu": (
            '<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
            'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
            f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>'
        ),
        "basic/script.xlc": (
            f'<library:libraries {space}>{library}link="false"/></library:libraries>'
        ),
        "basic/Standard/script.xlb": (
            f'<library:library {space} library:name="Standard" library:readonly="false" '
            'library:passwordprotected="false"><library:element library:name="Xltoken"/>'
            "</library:library>"
        ),
        "basic/Standard/Xltoken.xba": (
            '<script:module xmlns:script="http://openoffice.org/2000/script" '
            f'script:name="Xltoken" script:language="StarBasic">{escape(macro)}</script:module>'
        ),
    }
    for name, xml in files.items():
        target = profile / "user" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}\n', encoding="utf-8")


def _macro(source: Path, saved: Path, dumped: Path) -> str:
    """Basic program that opens, recalculates, dumps, saves and ends; an error ends it too."""
    return f"""Option Explicit
Sub Recalculate
  On Error GoTo Finish
  Dim file As Integer
  file = FreeFile
  Open "{dumped.as_uri()}" For Binary Access Write As #file
  Dim how(2) As New com.sun.star.beans.PropertyValue
  how(0).Name = "Hidden" : how(0).Value = True
  how(1).Name = "MacroExecutionMode" : how(1).Value = 0
  how(2).Name = "UpdateDocMode" : how(2).Value = 0
  Dim book As Object
  book = StarDesktop.loadComponentFromURL("{source.as_uri()}", "_blank", 0, how())
  book.calculateAll()
  Dim index As Long, place As Long, number As Double, r As Long, c As Long
  Dim sheet As Object, cells As Object
  Dim area As Variant, contents As Variant
  For index = 0 To book.Sheets.Count - 1
    sheet = book.Sheets.getByIndex(index)
    For Each area In sheet.queryContentCells(16).getRangeAddresses()  ' 16: formulas
      place = index : Put #file, , place
      place = area.StartRow : Put #file, , place
      place = area.StartColumn : Put #file, , place
      place = area.EndRow : Put #file, , place
      place = area.EndColumn : Put #file, , place
      cells = sheet.getCellRangeByPosition( _
        area.StartColumn, area.StartRow, area.EndColumn, area.EndRow)
      contents = cells.getDataArray()
      For r = 0 To UBound(contents)
        For c = 0 To UBound(contents(r))
          number = 0
          Select Case VarType(contents(r)(c))
            Case 5 : number = contents(r)(c)  ' a number
            Case 0 : number = cells.getCellByPosition(c, r).getError()
          End Select
          Put #file, , number
        Next
      Next
    Next
  Next
  Close #file
  Dim written(0) As New com.sun.star.beans.PropertyValue
  written(0).Name = "FilterName" : written(0).Value = "Calc MS Excel 2007 XML"
  book.storeToURL("{saved.as_uri()}", written())
  book.close(True)
Finish:
  StarDesktop.terminate()
End Sub
"""
