"""From a drawn template to a file: the same bytes anywhere, at any time; nothing lost on failure."""

import hashlib
import os
import re
import subprocess
import sys
import time
import zipfile

import openpyxl
import pytest

import xltoken
from xltoken.catalog import store
from xltoken.files import FileError
from xltoken.templates import TEMPLATES, new

SCRIPT = """
import datetime, sys, time
from pathlib import Path

shift = float(sys.argv[2])
real_time, real_localtime, real_datetime = time.time, time.localtime, datetime.datetime

class Meta(type(real_datetime)):
    def __instancecheck__(cls, other):
        return isinstance(other, real_datetime)

class Clock(real_datetime, metaclass=Meta):
    @classmethod
    def now(cls, tz=None):
        return real_datetime.now(tz) + datetime.timedelta(seconds=shift)
    @classmethod
    def utcnow(cls):
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)
    @classmethod
    def today(cls):
        return cls.now()

time.time = lambda: real_time() + shift
time.localtime = lambda *a: real_localtime(*(a or [time.time()]))
datetime.datetime = Clock
from xltoken.templates import new
new("token_budget", Path(sys.argv[1]))
"""


def test_the_same_bytes_in_two_folders_under_two_clocks(tmp_path):
    """The same template in two folders, clocks, time zones and hash seeds gives the same bytes."""
    runs = []
    for name, shift, zone, seed in (("one", 0, "UTC", "1"), ("the other", 4e7, "Asia/Tokyo", "2")):
        folder = tmp_path / name
        folder.mkdir()
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed}
        path = folder / f"{name}.xlsx"
        command = [sys.executable, "-c", SCRIPT, str(path), str(shift)]
        runs.append((path, subprocess.Popen(command, env=environment, cwd=folder)))
    for _, run in runs:
        assert run.wait(120) == 0
    one, other = (hashlib.sha256(path.read_bytes()).hexdigest() for path, _ in runs)
    assert one == other


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_making_it_twice_here_gives_the_same_bytes(tmp_path, monkeypatch, name):
    """A template made again, later, is the same file to the last byte."""
    new(name, tmp_path / "a.xlsx")
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    new(name, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_file_says_what_made_it(tmp_path, name):
    """Title, creator, version and catalog stand in the document properties, and no clock time."""
    report = new(name, tmp_path / "a.xlsx")
    catalog = store.current()
    found = openpyxl.load_workbook(tmp_path / "a.xlsx").properties
    assert found.title == f"xltoken {name}"
    assert found.creator == f"xltoken {xltoken.__version__}"
    assert catalog.fingerprint in found.description
    assert found.created.date() == found.modified.date() == catalog.date
    assert report.output == tmp_path / "a.xlsx"
    assert report.summary["refused"] == report.summary["unsupported"] == 0
    assert TEMPLATES[name].summary.endswith(".")


def test_excel_does_not_recalculate_at_load(tmp_path):
    """The calculation id is Excel's own and no full calculation is asked for at load."""
    new("token_budget", tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        workbook = archive.read("xl/workbook.xml").decode()
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    (properties,) = re.findall(r"<calcPr[^>]*>", workbook)
    assert 'calcId="191029"' in properties
    assert 'fullCalcOnLoad="1"' not in properties


def test_another_file_is_not_replaced_unless_asked(tmp_path):
    """A file that stands there and differs stays when replacing is not allowed."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"precious")
    with pytest.raises(FileError, match=r"a\.xlsx.*--force"):
        new("token_budget", path, replace=False)
    assert path.read_bytes() == b"precious"
    new("token_budget", path)
    made = path.read_bytes()
    new("token_budget", path, replace=False)
    assert path.read_bytes() == made
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_missing_folder_is_refused(tmp_path):
    """A target folder that is not there is refused before anything is drawn."""
    with pytest.raises(FileError, match="there is no folder"):
        new("token_budget", tmp_path / "none" / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    """When the last step fails the old file stands as it was, and nothing lies beside it."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")

    def fails(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(FileError, match="No space left"):
        new("token_budget", path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


def test_an_unknown_template_makes_nothing(tmp_path):
    """A name that is no template is an error, and no file appears."""
    with pytest.raises(KeyError):
        new("nope", tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []
