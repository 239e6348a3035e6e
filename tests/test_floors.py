"""The house: every import points down, and start-up loads nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "xltoken"
FLOORS = {
    "files": 1,
    "economics": 1,
    "catalog": 1,
    "machine": 1,
    "model": 2,
    "functions": 3,
    "recalc": 4,
    "hosts": 4,
    "frames": 4,
    "udfs": 4,
    "audit": 5,
    "doctor": 5,
    "templates": 5,
    "cli": 6,
    "__main__": 7,
}
HEAVY = ("numpy", "pandas", "scipy", "openpyxl", "xlwings", "formualizer")
MODULES = sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path) -> set[str]:
    """Every module named in an import anywhere in the file, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the floor"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _part(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_import_points_down(path):
    """A module imports from its own part or from floors below, never from above or beside."""
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part == "__init__":
        return  # the package itself stands outside the house; its imports are lazy
    others = {_part(name) for name in _imports(path) if name.startswith("xltoken.")} - {"", part}
    others.discard("__version__")
    for other in others:
        assert FLOORS[other] < FLOORS[part], f"{part} must not import {other}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "economics").glob("*.py")), ids=lambda p: p.name)
def test_economics_imports_numpy_and_nothing_of_ours(path):
    """Formulas stand on numpy, scipy and the standard library alone."""
    allowed = {"numpy", "scipy", "xltoken", *sys.stdlib_module_names}
    roots = {name.partition(".")[0] for name in _imports(path)}
    assert roots <= allowed
    assert all(
        name.startswith("xltoken.economics")
        for name in _imports(path)
        if name.startswith("xltoken")
    )


def test_no_host_type_outside_cells():
    """Decimal and Excel's error marks are known to cells and the recalculation only."""
    for path in MODULES:
        part = path.relative_to(PACKAGE).parts[0]
        if part in {"economics", "catalog", "model", "templates", "cli"}:
            assert "decimal" not in _imports(path)


def _modules_loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def _loaded_by(statement: str) -> set[str]:
    return {name.partition(".")[0] for name in _modules_loaded_by(statement)}


def test_import_loads_nothing_heavy():
    """``import xltoken`` costs nothing: no numpy, pandas, scipy, openpyxl, xlwings, formualizer."""
    assert not _loaded_by("import xltoken") & set(HEAVY)


def test_tables_load_pandas_only_when_made():
    """Importing xltoken, or naming a table function of it, does not import pandas."""
    assert "pandas" not in _loaded_by("import xltoken")
    assert "pandas" not in _loaded_by("import xltoken; xltoken.cost_table, xltoken.price_table")


def test_the_catalog_loads_no_price_package():
    """The shipped prices are read without genai-prices; a figure never depends on it."""
    statement = "from xltoken.catalog import api_prices, store; store.load().prices_of('glm-5')"
    assert "genai_prices" not in _loaded_by(statement)


def test_the_command_line_starts_without_heavy_packages():
    """The commands are known before any heavy package is loaded, so help answers at once."""
    assert not _loaded_by("import xltoken.cli.commands") & {*HEAVY, "rich"}


def test_a_cost_needs_no_spreadsheet_package():
    """A figure computed in Python loads neither pandas, openpyxl, xlwings nor the engine."""
    statement = "import xltoken; xltoken.TOKEN_COST('B200', 0, 'gpt-oss-120b/batch')"
    assert not _loaded_by(statement) & {"pandas", "openpyxl", "xlwings", "formualizer"}


def test_formulas_load_scipy_only_when_called():
    """Importing every formula loads numpy alone; scipy comes with the call that needs it."""
    names = [f"xltoken.economics.{path.stem}" for path in (PACKAGE / "economics").glob("[!_]*.py")]
    assert "xltoken.economics.simulation" in names
    assert "scipy" not in _loaded_by(f"import {', '.join(names)}")


def test_a_cost_draws_no_random_numbers():
    """The slowest part of scipy belongs to simulations alone."""
    statement = "import xltoken; xltoken.TOKEN_COST('B200', 0, 'gpt-oss-120b/batch')"
    assert "scipy.stats" not in _modules_loaded_by(statement)
