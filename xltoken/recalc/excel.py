"""Excel as a second engine, through xlwings: a private copy is rebuilt in a hidden Excel, and read.

Never run against a real Excel: the tests use a stand-in with the attributes of xlwings' objects.

On Windows the values are read from the cells and nothing is saved. On macOS Excel hands out error
cells as missing and dates without fractions of a second, so there the private copy is saved in its
place and its saved values are read.
"""

import contextlib
import importlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from xltoken.files import FileError
from xltoken.functions.cells import COM_ERRORS
from xltoken.machine import PartMissing
from xltoken.recalc.package import Place, name_of_copy, parsed
from xltoken.recalc.sheetxml import ErrorText, Value

_SYSTEM: str = sys.platform
_FORCE_DISABLE: Final = 3  # msoAutomationSecurityForceDisable
_CELLS_AT_ONCE: Final = 500_000
_SECONDS_TO_QUIT: Final = 5.0


def values(
    content: bytes, places: Iterable[Place], *, timeout: float = 120.0
) -> dict[Place, Value]:
    """Values of some cells after Excel rebuilt and recalculated the whole workbook.

    Macros and events are off and links are not followed; add-ins are not loaded, so that their
    functions are ``#NAME?``.

    Raises
    ------
    PartMissing
        If there is no Excel on this machine, or it does not start.
    FileError
        If it cannot open the workbook, or takes longer than `timeout` seconds.
    """
    mac = _SYSTEM == "darwin"
    with (
        tempfile.TemporaryDirectory(
            prefix="xltoken-", dir=_folder(mac), ignore_cleanup_errors=True
        ) as folder,
        _hidden_excel() as app,
    ):
        copy = Path(folder) / name_of_copy(content)
        copy.write_bytes(content)
        late = threading.Event()
        guard = threading.Timer(timeout, _stop, (app.pid, late))
        guard.start()
        try:
            return _recalculated(app, copy, list(places), mac=mac)
        except FileError:
            raise
        except Exception as error:  # noqa: BLE001 - pywin32 and appscript have their own classes
            if late.is_set():
                message = f"Excel did not recalculate this workbook within {timeout:g} seconds."
            else:
                message = f"Excel cannot open or recalculate this workbook ({_line(error)})."
            raise FileError(message) from None
        finally:
            guard.cancel()


def _recalculated(app: Any, copy: Path, places: list[Place], *, mac: bool) -> dict[Place, Value]:
    book = app.books.open(
        str(copy),
        update_links=False,
        read_only=not mac,
        ignore_read_only_recommended=True,
        add_to_mru=False,
    )
    try:
        if mac:
            app.api.calculate_full_rebuild()
            book.save()
        else:
            app.api.CalculateFullRebuild()
            return dict(_read(book, places))
    finally:
        book.close()  # without saving
    package = parsed(Path("Excel's copy"), copy.read_bytes())
    for sheet in {place[0] for place in places} - package.sheets.keys():
        raise FileError(f"Excel found no sheet {sheet} in this workbook.")
    cells = ((place, package.cell(*place)) for place in places)
    return {place: None if cell is None else cell.value for place, cell in cells}


def _read(book: Any, places: list[Place]) -> Iterator[tuple[Place, Value]]:
    """Values of cells, read in blocks: one call to Excel costs about as much as 10,000 cells."""
    by_sheet: dict[str, dict[tuple[int, int], Place]] = {}
    for place in places:
        by_sheet.setdefault(place[0], {})[place[1:]] = place
    for name, wanted in by_sheet.items():
        sheet = book.sheets[name]
        left, right = min(c for _, c in wanted), max(c for _, c in wanted)
        height = max(_CELLS_AT_ONCE // (right - left + 1), 1)
        blocks: dict[int, list[tuple[int, int]]] = {}
        for row, column in wanted:
            blocks.setdefault(row // height, []).append((row, column))
        for cells in blocks.values():
            top, bottom = min(r for r, _ in cells), max(r for r, _ in cells)
            block = sheet.range((top, left), (bottom, right)).api.Value2
            if (top, left) == (bottom, right):
                block = ((block,),)
            for row, column in cells:
                yield wanted[row, column], _value(block[row - top][column - left])


def _value(raw: Any) -> Value:
    """Return a Value2 as a value: numbers and dates come as floats, and errors as whole numbers."""
    if raw is None or isinstance(raw, bool | str | float):
        return raw
    if isinstance(raw, int) and raw in COM_ERRORS:
        return ErrorText(COM_ERRORS[raw])
    raise FileError(f"Excel has an error {raw!r} in a cell that this version does not know.")


@contextlib.contextmanager
def _hidden_excel() -> Iterator[Any]:
    """Excel of our own: hidden, silent, without macros, and gone afterwards whatever happened."""
    xlwings = _xlwings()
    try:
        app = xlwings.App(visible=False, add_book=False)
    except Exception as error:  # noqa: BLE001 - pywin32 and appscript have their own classes
        raise PartMissing(
            f"Excel does not start ({_line(error)}); is it installed, and does it open by hand?"
        ) from None
    pid = app.pid
    try:
        app.display_alerts = False
        app.enable_events = False
        if _SYSTEM == "darwin":
            k = importlib.import_module("appscript").k  # comes with xlwings, on macOS only
            app.api.automation_security.set(k.msoAutomationSecurityForceDisable)
        else:
            app.api.AutomationSecurity = _FORCE_DISABLE
        yield app
    finally:
        _close(xlwings, app, pid)


def _close(xlwings: Any, app: Any, pid: int) -> None:
    """End our Excel: politely, then by its process number."""
    # xlwings' own quit() on Windows also ends other Excels that have no window.
    quit_ = app.quit if _SYSTEM == "darwin" else app.api.Quit
    with contextlib.suppress(Exception):  # it may be gone already
        quit_()
    end = time.monotonic() + _SECONDS_TO_QUIT
    while _lives(xlwings, pid):
        if time.monotonic() > end:
            _stop(pid)
            return
        time.sleep(0.1)


def _lives(xlwings: Any, pid: int) -> bool:
    try:
        return pid in xlwings.apps.keys()  # noqa: SIM118 - iterating would connect to every Excel
    except Exception:  # noqa: BLE001 - no Excel left to ask
        return False


def _stop(pid: int, late: threading.Event | None = None) -> None:
    if late is not None:
        late.set()
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGTERM)  # on Windows this ends it at once


def _xlwings() -> Any:
    if _SYSTEM not in ("win32", "darwin"):
        raise PartMissing("Excel runs on Windows and macOS only; use --engine libreoffice here.")
    try:
        import xlwings
    except ImportError:
        raise PartMissing("xlwings is not installed; pip install xlwings.") from None
    return xlwings


def _folder(mac: bool) -> Path | None:
    """Where the copy may stand: on macOS Excel asks for leave to open files outside its own."""
    container = Path.home() / "Library/Containers/com.microsoft.Excel/Data"
    return container if mac and container.is_dir() else None


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
