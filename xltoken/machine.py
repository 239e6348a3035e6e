"""The machine we run on: its Python, its registry and files, and the Excel that is installed."""

import datetime as dt
import importlib
import importlib.metadata
import os
import platform
import plistlib
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.parsers.expat import ExpatError


class PartMissing(RuntimeError):  # noqa: N818 - not an error of the program
    """An application or part that is not on this machine; the message says what to do."""


SPILLS_FROM_BUILD: Final = 12527
"""First build of a Microsoft 365 Excel that surely spills.

Dynamic arrays came to the Current Channel of Microsoft 365 during January 2020 (Microsoft's page on
dynamic array formulas in non-dynamic aware Excel); version 2002, build 12527, is the first one
after that month. Excel 2021 and later have them in every build. Excel 2019 and 2016 never got them,
although the same installer gives them the same build numbers: the product decides, not the build.
"""

_SPILLS_FROM_YEAR: Final = 2021
_CLICK_TO_RUN: Final = r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration"
_APP_PATHS: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
# Products of Office that bring no Excel.
_OTHERS: Final = re.compile(
    "Visio|Project|Access|Word|Outlook|PowerPoint|Publisher|OneNote|Skype|Lync", re.IGNORECASE
)


def _registry(hive: str, key: str, name: str, bits: int) -> str | None:
    """Value in the 32 or 64-bit view of Windows' registry; None where there is none."""
    winreg: Any = importlib.import_module("winreg")
    root = {"HKLM": winreg.HKEY_LOCAL_MACHINE, "HKCU": winreg.HKEY_CURRENT_USER}[hive]
    view = winreg.KEY_WOW64_64KEY if bits == 64 else winreg.KEY_WOW64_32KEY
    try:
        with winreg.OpenKey(root, key, 0, winreg.KEY_READ | view) as opened:
            return str(winreg.QueryValueEx(opened, name)[0])
    except OSError:
        return None


def _loading(module: str) -> str:
    """Load a module; give what kept it from loading."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return ""


def _output(command: Sequence[str]) -> str:
    """What a program prints; nothing where it does not run, or takes longer than 20 seconds."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own LibreOffice
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


@dataclass(frozen=True)
class System:
    """A machine; as it stands, this one."""

    platform: str = sys.platform
    description: str = field(
        default_factory=lambda: f"{platform.system()} {platform.release()} {platform.machine()}"
    )
    python: str = sys.version.split()[0]
    bits: int = struct.calcsize("P") * 8
    executable: Path = Path(sys.executable)
    prefix: str = sys.prefix
    base_prefix: str = sys.base_prefix
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = field(default_factory=Path.home)
    root: Path = Path("/")
    ansi: str = "mbcs"
    """Code page in which VBA reads files; Python's name for it exists on Windows only."""
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)
    today: dt.date = field(default_factory=dt.date.today)
    registry: Callable[[str, str, str, int], str | None] = _registry
    package: Callable[[str], importlib.metadata.Distribution] = importlib.metadata.distribution
    output: Callable[[Sequence[str]], str] = _output
    loading: Callable[[str], str] = _loading
    """Why a module of Python cannot be loaded; empty where it can."""


class ExcelProgram(NamedTuple):
    """An Excel that is installed; `spills` is None where nobody wrote down its licence."""

    path: Path
    version: str
    bits: int | None
    products: tuple[str, ...]
    spills: bool | None


def excel_program(system: System) -> ExcelProgram | None:
    """Find Excel without starting it."""
    if system.platform == "win32":
        return _on_windows(system)
    if system.platform == "darwin":
        return _on_mac(system)
    return None


def libreoffice_version(system: System, soffice: str) -> str:
    """Version as its files tell it; it is started only where they do not. Nothing: unknown."""
    folder = Path(soffice).parent
    if system.platform == "win32":  # --version may never end there
        try:
            text = (folder / "version.ini").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        found = re.search(r"^MsiProductVersion=([\d.]+)", text, re.MULTILINE)
        return found[1] if found else ""
    version = plist_version(folder.parent / "Info.plist") if system.platform == "darwin" else ""
    if not version:
        found = re.search(r"LibreOffice\S* ([\d.]+)", system.output([soffice, "--version"]))
        version = found[1] if found else ""
    return version


def exists(path: Path) -> bool:
    """Whether there is a file; a folder that may not be read has none."""
    try:
        return path.is_file()
    except OSError:
        return False


def plist_version(path: Path) -> str:
    """Version in the Info.plist of an application for the Mac; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = plistlib.load(file)
        return str(content["CFBundleShortVersionString"])
    except (OSError, ValueError, KeyError, TypeError, ExpatError):
        return ""


def _on_windows(system: System) -> ExcelProgram | None:
    read = system.registry
    named = next(filter(None, (read(h, _APP_PATHS, "", 64) for h in ("HKCU", "HKLM"))), "")
    path = Path(named.strip('"')) if named else None
    installed = [
        (release, bits, folder)
        for release in ("16.0", "15.0", "14.0")
        for bits in (64, 32)
        if (folder := read("HKLM", rf"SOFTWARE\Microsoft\Office\{release}\Excel\InstallRoot",
                           "Path", bits))
    ]  # fmt: skip
    release, bits, folder = installed[0] if installed else ("", None, "")
    if path is None or not exists(path):
        path = Path(folder) / "EXCEL.EXE" if folder else None
    if path is None or not exists(path):
        return None
    for view in (64, 32):
        told = read("HKLM", _CLICK_TO_RUN, "ProductReleaseIds", view) or ""
        ids = [name.strip() for name in told.split(",") if name.strip()]
        products = tuple(name for name in ids if not _OTHERS.match(name))
        if products:
            version = read("HKLM", _CLICK_TO_RUN, "VersionToReport", view) or ""
            width = 64 if "64" in (read("HKLM", _CLICK_TO_RUN, "Platform", view) or "") else 32
            return ExcelProgram(path, version, width, products, _spills(version, products))
    # Installed from an .msi: Excel 2016 or older.
    return ExcelProgram(path, release, bits, (), False if installed else None)


def _spills(version: str, products: tuple[str, ...]) -> bool:
    """Whether a formula that gives a table fills the cells beside and below it."""
    found = re.match(r"16\.0\.(\d+)", version)
    build = int(found[1]) if found else 0
    for product in products:
        year = re.search(r"20\d\d", product)
        subscription = re.match("O365|Mondo", product, re.IGNORECASE)
        if subscription and build >= SPILLS_FROM_BUILD:
            return True
        if year and int(year[0]) >= _SPILLS_FROM_YEAR:
            return True
    return False


def _on_mac(system: System) -> ExcelProgram | None:
    for root in (system.root, system.home):
        app = root / "Applications" / "Microsoft Excel.app"
        version = plist_version(app / "Contents" / "Info.plist")
        if version:
            # One program for every licence from 16 on: 2019, 2021 and Microsoft 365.
            major = re.match(r"\d+", version)
            old = major is not None and int(major[0]) < 16
            return ExcelProgram(app, version, 64, (), False if old else None)
    return None
