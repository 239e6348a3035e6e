"""What is installed on this machine: every part with a verdict and the next step.

Nothing is changed and no application is opened. What is looked at comes in as a `System`, so that a
test can make up a Windows or a Mac.
"""

import csv
import importlib.metadata
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from xltoken.files import FileError
from xltoken.machine import (
    ExcelProgram,
    PartMissing,
    System,
    excel_program,
    exists,
    libreoffice_version,
)

PYTHON: Final = "This Python"
EXCEL: Final = "Excel"
LIBREOFFICE: Final = "LibreOffice"
EVIDENCE: Final = "Evidence"
GROUPS: Final = (PYTHON, EXCEL, LIBREOFFICE, EVIDENCE)

# Package, what it is for, the extra of ours that brings it (none: needed).
PACKAGES: Final = (
    ("formualizer", "recalculation without Excel", ""),
    ("openpyxl", "template workbooks", ""),
    ("defusedxml", "workbooks of strangers", ""),
    ("xlwings", "functions in Excel", ""),
    ("numpy", "arithmetic", ""),
    ("scipy", "interpolation and simulation", ""),
    ("pandas", "tables in Python", ""),
    ("typer", "the command line", ""),
    ("rich", "its tables", ""),
    ("pyOpenVBA", "making the Excel add-in", "excel"),
    ("genai-prices", "today's API prices", "prices"),
    ("distributed", "batches on a cluster", "cluster"),
    ("pyarrow", "results as .parquet", "parquet"),
)

OLDEST_LIBREOFFICE: Final = (7, 4)
"""The oldest one that our second engine was tried with."""

DAYS_FRESH: Final = 180
"""Prices and throughputs of hardware move by a good part of themselves in half a year."""

_NEW_PYTHON: Final = "winget install Python.Python.3.12"
_NEW_ENVIRONMENT: Final = (
    r'py -3 -m venv C:\xltoken, then C:\xltoken\Scripts\pip install "xltoken[excel]"'
)
_NO_EXCEL_NEEDED: Final = "xltoken demo"
_GET_LIBREOFFICE: Final = {
    "win32": "winget install TheDocumentFoundation.LibreOffice",
    "darwin": "brew install --cask libreoffice",
}

Verdict = Literal["ok", "missing", "optional", "old", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of the installation, how it stands, and what to do about it.

    `needed` is False where nothing of ours rests on the part, whatever its verdict. Several steps
    are joined by ``, then``.
    """

    group: str
    part: str
    verdict: Verdict
    found: str
    next_step: str = ""
    needed: bool = True

    def __post_init__(self) -> None:
        assert self.verdict == "ok" or self.next_step, f"{self.part}: nothing to do about it"

    @property
    def failing(self) -> bool:
        """Whether something that was installed cannot work like this."""
        return self.needed and self.verdict in ("missing", "wrong")

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return asdict(self)


def examine(system: System | None = None) -> list[Finding]:
    """Look at Python, its packages, the applications and the evidence."""
    system = system or System()
    excel = excel_program(system)
    soffice = _soffice()
    return [
        *_python(system),
        _engines(system, excel, soffice),
        *_excel(system, excel),
        _libreoffice(system, soffice),
        *_evidence(system),
    ]


def _soffice() -> str | None:
    try:
        from xltoken.recalc import libreoffice
    except ImportError:  # a package is missing: that is a finding of its own
        return None
    return libreoffice.program()


def ready(findings: Sequence[Finding]) -> str:
    """Say in one line what can be worked with."""
    base = [f.part for f in findings if f.group in (PYTHON, EVIDENCE) and f.failing]
    told = [f"recalc and templates: {'not yet (' + ', '.join(base) + ')' if base else 'ready'}"]
    stop = next((f for f in findings if f.group == EXCEL and f.needed and f.verdict != "ok"), None)
    if stop is None:
        told.append("Functions in Excel: ready")
    elif stop.part == "Excel":
        told.append(f"Functions in Excel: {stop.found}")
    else:
        step = stop.next_step.split(", then ")[0]
        told.append(f"Functions in Excel: not yet ({stop.part}; next: {step})")
    for finding in findings:
        if finding.group == LIBREOFFICE:
            said = {"ok": "ready", "optional": "not installed"}.get(finding.verdict, "not as it is")
            told.append(f"LibreOffice: {said}")
    return ". ".join(told) + "."


# --- this Python ---------------------------------------------------------------------------------


def _python(system: System) -> Iterator[Finding]:
    import xltoken

    yield Finding(PYTHON, "xltoken", "ok", xltoken.__version__)
    own = "a" if system.prefix != system.base_prefix else "no"
    found = f"{system.python}, {system.bits}-bit, {system.description}, {own} virtual environment"
    verdict: Verdict = "ok" if system.bits == 64 else "old"
    step = "" if system.bits == 64 else f"{_NEW_PYTHON} --architecture x64"
    yield Finding(PYTHON, "Python", verdict, f"{found}, {system.executable}", step)
    wanted = _requirements(system)
    for name, purpose, extra in PACKAGES:
        yield _of_package(system, name, purpose, extra, wanted.get(_plain(name), ""))
    yield Finding(PYTHON, "processors", "ok", f"{system.processors}, xltoken batch uses them all")


def _of_package(system: System, name: str, purpose: str, extra: str, wanted: str) -> Finding:
    """One package against the versions that our own metadata asks for."""
    install = f'pip install "xltoken[{extra}]"' if extra else f'pip install "{name}{wanted}"'
    if not (extra or wanted):
        install = f"pip install {name}"
    package = _package(system, name)
    if package is None:
        verdict: Verdict = "optional" if extra else "missing"
        return Finding(PYTHON, name, verdict, f"not installed ({purpose})", install)
    version = package.version
    for operator, limit in re.findall(r"(>=|<)\s*([\d.]+)", wanted):
        if (_numbers(version) >= _numbers(limit)) != (operator == ">="):
            found = f"{version}, wanted is {wanted} ({purpose})"
            return Finding(PYTHON, name, "wrong", found, install, needed=not extra)
    problem = system.loading(_plain(name).replace("-", "_"))
    if problem:  # what is installed may be for another system, or half of it be gone
        found = f"{version} cannot be loaded: {problem}"
        step = f"pip install --force-reinstall {name}"
        return Finding(PYTHON, name, "wrong", found, step, needed=not extra)
    return Finding(PYTHON, name, "ok", f"{version} ({purpose})")


def _requirements(system: System) -> dict[str, str]:
    """Versions that our own package asks for, by the plain name of a package."""
    package = _package(system, "xltoken")
    lines = package.requires or [] if package else []  # none: run from a folder, not installed
    split = (re.match(r"([\w.-]+)(?:\[[^]]*\])?\s*\(?([^;)]*)", line) for line in lines)
    return {_plain(m[1]): m[2].strip().replace(" ", "") for m in split if m}


def _engines(system: System, excel: ExcelProgram | None, soffice: str | None) -> Finding:
    """The engines of ``recalc --engine`` that can work here."""
    usable = ["libreoffice"] if soffice else []
    if excel is not None and _package(system, "xlwings"):
        usable.append("excel")
    problem = system.loading("formualizer")
    if problem:
        found = f"formualizer cannot be loaded ({problem}); else: {', '.join(usable) or 'none'}"
        step = "pip install --force-reinstall formualizer"
        return Finding(PYTHON, "engines", "wrong", found, step)
    return Finding(PYTHON, "engines", "ok", ", ".join(["formualizer", *usable]))


# --- Excel ---------------------------------------------------------------------------------------


def _excel(system: System, excel: ExcelProgram | None) -> Iterator[Finding]:
    if excel is None:
        here = system.platform in ("win32", "darwin")
        found = "not installed" if here else "not on this system"
        yield Finding(EXCEL, "Excel", "optional", found, _NO_EXCEL_NEEDED)
        return
    bits = f", {excel.bits}-bit" if excel.bits else ""
    products = f", {', '.join(excel.products)}" if excel.products else ""
    version = excel.version or "version not registered"
    yield Finding(EXCEL, "Excel", "ok", f"{version}{bits}{products}, {excel.path}")
    yield _spilling(excel)
    if system.platform == "darwin":
        yield Finding(
            EXCEL,
            "functions",
            "optional",
            "Excel for Mac runs them through xlwings Lite only",
            "xltoken new token_budget --host lite",
        )
        return
    yield _interpreter(system)
    bridge = list(_bridge(system, excel))
    yield from bridge
    told = {finding.part for finding in bridge}
    yield from (finding for finding in _addin(system) if finding.part not in told)
    yield _startup_folder(system)
    yield from _user_configuration(system)


def _spilling(excel: ExcelProgram) -> Finding:
    part = "spilled tables"
    if excel.spills is None:
        found = "with Microsoft 365 or Excel 2021 and newer; the licence is not written here"
        return Finding(EXCEL, part, "optional", found, "in a cell: =SEQUENCE(3)", needed=False)
    if excel.spills:
        return Finding(EXCEL, part, "ok", "yes")
    found = "no: older than Microsoft 365 of 2020 and Excel 2021"
    step = "select the cells of the table, type the formula, then Ctrl+Shift+Enter"
    return Finding(EXCEL, part, "old", found, step, needed=False)


def _interpreter(system: System) -> Finding:
    """Whether Excel's VBA can read the interpreter's name from a file, and start it."""
    part, path = "interpreter", str(system.executable)
    # The Store's Python has a private view of %APPDATA%: what it puts there Excel never sees.
    if any("WindowsApps" in str(p) for p in (system.executable, system.base_prefix)):
        found = f"the Python of the Microsoft Store, closed to Excel: {path}"
        # py -3 might be the Store's again.
        environment = _NEW_ENVIRONMENT.replace("-3", "-3.12")
        return Finding(EXCEL, part, "wrong", found, f"{_NEW_PYTHON}, then {environment}")
    try:
        path.encode(system.ansi)  # VBA reads files, and loads libraries, in this code page
    except UnicodeEncodeError as error:
        found = f"{path} has {path[error.start : error.end]!r}, which Excel's VBA cannot read"
        return Finding(EXCEL, part, "wrong", found, _NEW_ENVIRONMENT)
    return Finding(EXCEL, part, "ok", path)


def _bridge(system: System, excel: ExcelProgram) -> Iterator[Finding]:
    """What xlwings needs on Windows: VBA module and library of one version, and pywin32."""
    package = _package(system, "xlwings")
    if package is not None:
        yield _library(system, package, excel.bits or 64)
    speaker = _package(system, "pywin32")
    if speaker is not None:
        yield Finding(EXCEL, "pywin32", "ok", speaker.version)
    else:
        found = "not installed (xlwings speaks to Excel through it)"
        yield Finding(EXCEL, "pywin32", "missing", found, "pip install pywin32")


def _library(system: System, package: importlib.metadata.Distribution, bits: int) -> Finding:
    """The library that xlwings' VBA module names, where that module looks for it."""
    part, again = "xlwings' library", "pip install --force-reinstall --only-binary xlwings xlwings"
    try:
        module = Path(str(package.locate_file("xlwings/xlwings.bas"))).read_text("utf-8", "replace")
    except OSError as error:
        found = f"xlwings {package.version} has no VBA module to read ({error.strerror})"
        return Finding(EXCEL, part, "wrong", found, again)
    named = re.search(rf"xlwings{bits}-([\w.]+)\.dll", module)
    if named is None or named[1] != package.version:
        asked = named[1] if named else "none"
        found = f"xlwings {package.version} came with a VBA module for {asked}"
        return Finding(EXCEL, part, "wrong", found, again)
    folders = (system.executable.parent, system.executable.parent.parent)
    if any(exists(folder / named[0]) for folder in folders):
        return Finding(EXCEL, part, "ok", f"{named[0]} stands by the interpreter")
    if any(file.name == named[0] for file in package.files or ()):
        # A package of one user's own (pip install --user) goes to a folder of its own.
        found = f"{named[0]} is installed away from the interpreter, where Excel does not look"
        return Finding(EXCEL, part, "wrong", found, _NEW_ENVIRONMENT)
    found = f"{named[0]} is neither in {folders[0]} nor in {folders[1]}"
    return Finding(EXCEL, part, "missing", found, again)


def _addin(system: System) -> Iterator[Finding]:
    try:
        from xltoken.hosts import addin
    except ImportError as error:
        found, step = f"cannot be examined ({error})", 'pip install "xltoken[excel]"'
        yield Finding(EXCEL, "add-in", "optional", found, step)
        return
    try:
        place = addin.profile(system.environ, system.platform, str(system.executable))
        records = addin.status(place)
    except (PartMissing, FileError, OSError) as error:
        yield Finding(EXCEL, "add-in", "wrong", str(error), "xltoken addin install")
        return
    absent = records[0].state == "missing"  # who never installed it misses nothing
    for record in records:
        state = "optional" if absent and record.state != "ok" else record.state
        verdict = cast("Verdict", state)
        yield Finding(EXCEL, record.part, verdict, record.found, record.next_step)


def _startup_folder(system: System) -> Finding:
    folder = Path(system.environ.get("APPDATA", "")) / "Microsoft" / "Excel" / "XLSTART"
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        found = f"{folder}: {error.strerror}"
        return Finding(EXCEL, "XLSTART", "optional", found, "xltoken addin install", needed=False)
    opened = f"; Excel opens: {', '.join(names)}" if names else "; empty"
    return Finding(EXCEL, "XLSTART", "ok", f"{folder}{opened}")


def _user_configuration(system: System) -> Iterator[Finding]:
    """The user's own xlwings.conf; ours stands beside it and does not depend on it."""
    path = system.home / ".xlwings" / "xlwings.conf"
    try:
        text = path.read_text(encoding=system.ansi, errors="replace")
    except OSError:
        return
    rows = {row[0].upper(): row[1] for row in csv.reader(text.splitlines()) if len(row) > 1}
    named = rows.get("INTERPRETER_WIN") or rows.get("INTERPRETER") or "pythonw"
    python = re.sub("%([^%]+)%", lambda m: system.environ.get(m[1], m[0]), named)
    if python in ("python", "pythonw") or exists(Path(python)):
        yield Finding(EXCEL, "your xlwings.conf", "ok", f"interpreter {named}", needed=False)
    else:
        found, step = f"{path} names {named}, which is not there", f'notepad "{path}"'
        yield Finding(EXCEL, "your xlwings.conf", "wrong", found, step, needed=False)


# --- LibreOffice and the evidence ----------------------------------------------------------------


def _libreoffice(system: System, soffice: str | None) -> Finding:
    part = "LibreOffice"
    install = _GET_LIBREOFFICE.get(system.platform, "sudo apt install libreoffice-calc")
    if soffice is None:
        named = system.environ.get("XLTOKEN_SOFFICE")
        if named:
            found = f"XLTOKEN_SOFFICE names {named}, which is no program"
            return Finding(LIBREOFFICE, part, "wrong", found, install, needed=False)
        found = "not installed (only for --engine and --verify libreoffice)"
        return Finding(LIBREOFFICE, part, "optional", found, install)
    version = libreoffice_version(system, soffice)
    if not version:
        found, step = f"{soffice} does not tell its version", f'"{soffice}" --version'
        return Finding(LIBREOFFICE, part, "wrong", found, step, needed=False)
    if _numbers(version) < OLDEST_LIBREOFFICE:
        found = f"{version}, older than {'.'.join(map(str, OLDEST_LIBREOFFICE))}, {soffice}"
        return Finding(LIBREOFFICE, part, "old", found, install)
    return Finding(LIBREOFFICE, part, "ok", f"{version}, {soffice}")


def _evidence(system: System) -> Iterator[Finding]:
    from xltoken.catalog.store import ENVIRONMENT, CatalogError, current

    folder = system.environ.get(ENVIRONMENT, "").strip()
    try:
        catalog = current()
    except CatalogError as error:
        step = "pip install --force-reinstall xltoken"
        if folder:
            step = f'xltoken catalog validate "{folder}"'
        yield Finding(EVIDENCE, "catalog", "wrong", str(error), step)
        return
    age = (system.today - catalog.date).days
    found = f"{catalog.date:%Y-%m-%d}, {_days(age)}, fingerprint {catalog.fingerprint}"
    if age > DAYS_FRESH:
        step = "pip install --upgrade xltoken, or: xltoken catalog import --help"
        yield Finding(EVIDENCE, "catalog", "old", found, step)
    else:
        yield Finding(EVIDENCE, "catalog", "ok", found)
    over = f"{catalog.overlay} lies over it" if catalog.overlay else "none"
    yield Finding(EVIDENCE, "your own rows", "ok", over)


def _days(age: int) -> str:
    return "today's" if age == 0 else f"{age} day{'s' * (age != 1)} old"


def _package(system: System, name: str) -> importlib.metadata.Distribution | None:
    try:
        return system.package(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _plain(name: str) -> str:
    """Name of a package as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _numbers(version: str) -> tuple[int, ...]:
    """Leading numbers of a version; trailing zeros do not count."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(n) for n in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
