"""What is installed on this machine, with a verdict and the next step for each part."""

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

# Package, what it is for.
PACKAGES: Final = (
    ("formualizer", "recalculation without Excel"),
    ("openpyxl", "template workbooks"),
    ("xlwings", "functions in Excel"),
    ("numpy", "arithmetic"),
    ("scipy", "interpolation"),
    ("pandas", "tables in Python"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of the installation: verdict is ok, missing or optional."""

    part: str
    verdict: str
    found: str
    next_step: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at Python, the packages, the catalog and the applications."""
    import xltoken

    version = platform.python_version()
    found = [Finding("xltoken", "ok", xltoken.__version__), Finding("Python", "ok", version)]
    found += [_package(name, purpose) for name, purpose in PACKAGES]
    return [*found, _catalog(), _excel(), _libreoffice()]


def _package(name: str, purpose: str) -> Finding:
    try:
        return Finding(name, "ok", f"{importlib.metadata.version(name)} ({purpose})")
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "missing", purpose, f"pip install {name}")


def _catalog() -> Finding:
    from xltoken.catalog.store import CatalogError, current

    try:
        catalog = current()
    except CatalogError as error:
        return Finding("catalog", "missing", str(error), "xltoken catalog validate DIR")
    overlay = f", overlay {catalog.overlay}" if catalog.overlay else ""
    return Finding("catalog", "ok", f"{catalog.date}, {catalog.fingerprint}{overlay}")


def _excel() -> Finding:
    if sys.platform not in ("win32", "darwin"):
        return Finding("Excel", "optional", "not on this system", "recalc and eval need no Excel")
    apps = ("Excel.exe",) if sys.platform == "win32" else ("/Applications/Microsoft Excel.app",)
    where = next((a for a in apps if shutil.which(a) or Path(a).exists()), None)
    if where:
        return Finding("Excel", "ok", where, "see the README for functions in cells")
    return Finding("Excel", "optional", "not found in the usual place", "recalc needs no Excel")


def _libreoffice() -> Finding:
    from xltoken.recalc import libreoffice

    where = libreoffice.program()
    if where:
        return Finding("LibreOffice", "ok", where)
    return Finding("LibreOffice", "optional", "not found", "only for --engine libreoffice")
