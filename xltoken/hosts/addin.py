r"""The Excel add-in: built anywhere, installed for a user of Windows, and undone without a trace.

Excel opens whatever stands in a user's folder XLSTART when it starts; the add-in goes there. Its
VBA (xlwings' own) reads the path of Python from a settings file of ours,
``%USERPROFILE%\.xltoken\xltoken.conf``. A user's settings of xlwings are another file, which
stays as it is. What was put where is written down beside the settings, so that uninstalling takes
away just that.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import xltoken
from xltoken.files import FileError, write_atomically
from xltoken.hosts import intellisense, project, vba
from xltoken.machine import PartMissing

FILE_NAME: Final = "xltoken.xlam"
_SETTINGS: Final = f"{vba.PROJECT_NAME}.conf"
_RECORD: Final = "installed.json"
_INTERPRETER: Final = "INTERPRETER_WIN"


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a Windows user's Excel looks, and the Python that is to answer."""

    startup: Path
    """Folder of which Excel opens every file when it starts (XLSTART)."""
    settings: Path
    """Folder of our settings."""
    interpreter: Path
    """python.exe of the environment that holds xltoken."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the installation; `state` is ok, missing, old or wrong."""

    part: str
    state: str
    found: str
    next_step: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return asdict(self)


def profile(
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
    interpreter: str = sys.executable,
) -> Profile:
    """Find the folders of the user who runs this.

    Raises
    ------
    PartMissing
        On other systems than Windows, where Excel's VBA cannot reach Python.
    """
    if platform != "win32":
        raise PartMissing(
            "the add-in works in Excel for Windows only. On a Mac or in the browser use xlwings "
            "Lite; without Excel, xltoken recalc computes workbooks, and LibreOffice shows them."
        )
    for name in ("APPDATA", "USERPROFILE"):
        if not environ.get(name):
            raise PartMissing(
                f"Windows did not say where this user's folders are ({name} is not set)."
            )
    python = Path(interpreter)
    return Profile(
        Path(environ["APPDATA"], "Microsoft", "Excel", "XLSTART"),
        Path(environ["USERPROFILE"], f".{vba.PROJECT_NAME}"),
        python.with_name("python.exe") if python.name.lower() == "pythonw.exe" else python,
    )


def build(target: Path, templates: Mapping[str, str]) -> list[Path]:
    """Write the add-in, and beside it the texts that Excel-DNA IntelliSense shows while typing.

    Parameters
    ----------
    target : Path
        Where the add-in goes; ends in .xlam.
    templates : mapping
        Name of each template to what it is for, for the ribbon.

    Returns
    -------
    list of Path
        What was written. The same xltoken and the same xlwings give the same bytes.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    if target.suffix.lower() != ".xlam":
        raise FileError(f"{target}: an add-in is called .xlam.")
    beside = target.with_suffix(".intellisense.xml")
    write_atomically(target, project.add_in(templates))
    write_atomically(beside, intellisense.part())
    return [target, beside]


def install(place: Profile, templates: Mapping[str, str]) -> list[Part]:
    """Put the add-in where Excel finds it, and tell it which Python to ask; safe to repeat.

    Raises
    ------
    FileError
        If a file cannot be written, most often because Excel is running.
    """
    content = project.add_in(templates)
    settings, target = place.settings / _SETTINGS, place.startup / FILE_NAME
    before = _record(place)
    if target.exists() and not before and not project.is_ours(target):
        raise FileError(f"{target}: is an add-in of somebody else; move it away first.")
    written = _written(_merged(_lines(settings), _ours(place.interpreter)), settings)
    if before:
        kept = before.get("settings")
    else:
        kept = settings.read_bytes().hex() if settings.exists() else None
    made = [*_made(before), *_made_folders(place.startup, place.settings)]
    record = {
        "add_in": hashlib.sha256(content).hexdigest(),
        "xltoken": xltoken.__version__,
        "xlwings": _xlwings_version(),
        "made": sorted(set(made)),
        "settings": kept,
        "written": hashlib.sha256(written).hexdigest(),
    }
    noted = (json.dumps(record, indent=2) + "\n").encode()
    steps: list[Callable[[], None]] = [
        lambda: write_atomically(place.settings / _RECORD, noted),
        lambda: write_atomically(settings, written),
        lambda: _write(target, content),
    ]
    # The record first: whatever fails behind it can be taken back. Where there is one already, the
    # add-in first: Excel may hold it open.
    try:
        for step in reversed(steps) if before else steps:
            step()
    except FileError:
        if not before:
            with contextlib.suppress(FileError):
                uninstall(place)
        raise
    return status(place)


def uninstall(place: Profile) -> list[Path]:
    """Take away what :func:`install` put there, and nothing else; safe to repeat.

    Returns
    -------
    list of Path
        What was removed or, of the settings, taken out.

    Raises
    ------
    FileError
        If Excel holds the add-in open.
    """
    record = _record(place)
    settings = place.settings / _SETTINGS
    removed = []
    target = place.startup / FILE_NAME
    # Another file of that name, such as one that a company signed, is not ours to take away.
    if record and _hash(target) == record.get("add_in") and _removed(target):
        removed.append(target)
    if record and settings.exists() and _settings_restored(place, record):
        removed.append(settings)
    if _removed(place.settings / _RECORD):
        removed.append(place.settings / _RECORD)
    # Folders that were made, the deepest first; one that somebody uses by now stays.
    for folder in sorted(map(Path, _made(record)), key=lambda f: -len(f.parts)):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return removed


def _settings_restored(place: Profile, record: Mapping[str, Any]) -> bool:
    """Put the settings back as they were; what the user changed since stays, without our lines."""
    settings, kept = place.settings / _SETTINGS, record.get("settings")
    if _hash(settings) == record.get("written"):
        if isinstance(kept, str):
            write_atomically(settings, bytes.fromhex(kept))
            return True
        return _removed(settings)
    ours = {name for name, _ in _ours(place.interpreter)}
    lines = _lines(settings)
    left = [line for line in lines if line[0].upper() not in ours]
    if left and left != lines:
        write_atomically(settings, _written(left, settings))
    return left != lines and (bool(left) or _removed(settings))


def status(place: Profile) -> list[Part]:
    """Say what is installed, and whether it fits this xltoken, this xlwings and this Python."""
    return [_add_in_part(place), _settings_part(place), _library_part(place)]


def _add_in_part(place: Profile) -> Part:
    path, again = place.startup / FILE_NAME, "xltoken addin install"
    if not path.is_file():
        return Part("add-in", "missing", f"not in {place.startup}", again)
    record = _record(place)
    if _hash(path) != record.get("add_in"):
        return Part("add-in", "wrong", f"{path} is not what was installed", again)
    made_with = (record.get("xltoken"), record.get("xlwings"))
    if made_with != (xltoken.__version__, _xlwings_version()):
        found = f"made by xltoken {made_with[0]} with xlwings {made_with[1]}"
        return Part("add-in", "old", found, again)
    return Part("add-in", "ok", str(path))


def _settings_part(place: Profile) -> Part:
    path, again = place.settings / _SETTINGS, "xltoken addin install"
    values = {name.upper(): value for name, value in _lines(path)}
    interpreter = values.get(_INTERPRETER)
    if interpreter is None:
        return Part("settings", "missing", f"{path} names no Python", again)
    if Path(interpreter) != place.interpreter:
        return Part("settings", "wrong", f"{path} names {interpreter}, this is another", again)
    return Part("settings", "ok", f"{path}: {interpreter}")


def _library_part(place: Profile) -> Part:
    """Look for xlwings' library, where its VBA does: beside python.exe, or one folder above."""
    names = [f"xlwings{bits}-{_xlwings_version()}.dll" for bits in (64, 32)]
    folders = (place.interpreter.parent, place.interpreter.parent.parent)
    found = next((folder for folder in folders for n in names if (folder / n).is_file()), None)
    if found is None:
        again = "python -m pip install --force-reinstall xlwings"
        return Part("xlwings' library", "missing", f"no {names[0]} in {folders[0]} or above", again)
    return Part("xlwings' library", "ok", str(found))


def _ours(interpreter: Path) -> list[tuple[str, str]]:
    return [
        (_INTERPRETER, str(interpreter)),
        ("UDF MODULES", "xltoken.udfs"),
        # The add-in's folder holds no modules of Python.
        ("ADD_WORKBOOK_TO_PYTHONPATH", "False"),
    ]


def _merged(lines: list[tuple[str, str]], ours: list[tuple[str, str]]) -> list[tuple[str, str]]:
    names = {name for name, _ in ours}
    return [*ours, *(line for line in lines if line[0].upper() not in names)]


def _lines(path: Path) -> list[tuple[str, str]]:
    """Settings as xlwings' VBA writes them: a name and a value in quotes, one pair a line."""
    try:
        text = path.read_bytes().decode(_encoding(), errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}).") from None
    return [(row[0], row[1]) for row in csv.reader(io.StringIO(text)) if len(row) >= 2]


def _written(lines: list[tuple[str, str]], path: Path) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(lines)
    try:
        return buffer.getvalue().encode(_encoding())
    except UnicodeEncodeError:
        raise FileError(
            f"{path}: the path of Python has letters that Excel's VBA cannot read; make the "
            "environment in a folder with plain letters, and install again from there."
        ) from None


def _encoding() -> str:
    """What VBA reads files in: the code page of Windows."""
    return "mbcs" if sys.platform == "win32" else "cp1252"


def _record(place: Profile) -> dict[str, Any]:
    try:
        found = json.loads((place.settings / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _made(record: Mapping[str, Any]) -> list[str]:
    """Folders that a record says were made."""
    made = record.get("made")
    return [folder for folder in made if isinstance(folder, str)] if isinstance(made, list) else []


def _hash(path: Path) -> str:
    """Checksum of a file; empty where there is none that can be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _made_folders(*wanted: Path) -> list[str]:
    """Make folders, and return those that were not there before."""
    made: list[str] = []
    for folder in wanted:
        missing = [f for f in (folder, *folder.parents) if not f.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder}: cannot be made ({error.strerror}).") from None
        made += map(str, missing)
    return made


def _write(path: Path, content: bytes) -> None:
    try:
        # Not beside it: Excel would open a file that was left over there.
        write_atomically(path, content, aside=path.parent.parent)
    except FileError as error:
        if path.exists():
            raise FileError(f"{error} If Excel is running, close it and try again.") from None
        raise


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise FileError(
            f"{path}: cannot be removed ({error.strerror}); close Excel and try again."
        ) from None
    return True


def _xlwings_version() -> str:
    from importlib.metadata import version

    return version("xlwings")
