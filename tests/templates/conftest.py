"""Each template made once for all tests; a test file says which one is its own."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from workbook_tools import converted, opened

from xltoken.templates import TEMPLATES, new

OTHER_CLOCK = Path(__file__).with_name("other_clock.py")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Report of the making of a template by its name; its output is the file."""
    folder = tmp_path_factory.mktemp("made")

    @functools.cache
    def make(name):
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("XLTOKEN_CATALOG", raising=False)
            return new(name, folder / f"{name}.xlsx")

    return make


@pytest.fixture(scope="module")
def path(made, template):
    """The file of the template that the test file names by a fixture `template`."""
    return made(template).output


@pytest.fixture(scope="module")
def values(path):
    """Its saved values."""
    return opened(path)


@pytest.fixture(scope="module")
def drawn(path):
    """Its formulas."""
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    """Two folders with all templates, of two processes, clocks, time zones and hash seeds."""
    folders, runs = [], []
    # Each makes them in another order.
    orders = (sorted(TEMPLATES), sorted(TEMPLATES, reverse=True))
    settings = (("one", "0", "UTC", "1"), ("the other", "4e7", "Asia/Tokyo", "2"))
    for (name, shift, zone, seed), order in zip(settings, orders, strict=True):
        folder = tmp_path_factory.mktemp("elsewhere") / name
        folder.mkdir()
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed}
        environment.pop("XLTOKEN_CATALOG", None)
        command = [sys.executable, str(OTHER_CLOCK), shift, *order]
        folders.append(folder)
        runs.append(subprocess.Popen(command, env=environment, cwd=folder))
    assert [run.wait(120) for run in runs] == [0, 0]
    return folders


@pytest.fixture(scope="session")
def soffice():
    """LibreOffice, or a skip."""
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice (soffice) is not installed: the workbook is not shown in it")
    return found


@pytest.fixture(scope="session")
def shown(made, soffice, tmp_path_factory):
    """What LibreOffice shows on each sheet of a template, as CSV text by sheet."""
    every = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"

    @functools.cache
    def show(name):
        folder = tmp_path_factory.mktemp("shown")
        converted(soffice, made(name).output, folder, every)
        return {
            p.stem.rpartition("-")[2]: p.read_text(encoding="utf-8") for p in folder.glob("*.csv")
        }

    return show


@pytest.fixture
def printed(soffice, path, tmp_path):
    """Text of each page that LibreOffice prints of a template."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext (poppler-utils) is not installed: the pages are not read")
    converted(soffice, path, tmp_path, "pdf")
    done = subprocess.run(
        [reader, "-layout", str(tmp_path / f"{path.stem}.pdf"), "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.split("\f")[:-1]
