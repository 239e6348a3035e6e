"""A process that is killed while it writes leaves the old workbook or the new one."""

import os
import random
import stat
import subprocess
import sys
import time
import zipfile

import pytest
from recalc_tools import F, book, saved

from xltoken import files
from xltoken.recalc.package import read

KILLS = 100
ROWS = 400
LOOP = """
import itertools, sys
from pathlib import Path
from xltoken.recalc.workbook import recalculate
print("ready", flush=True)
for number in itertools.count(int(sys.argv[2])):
    recalculate(Path(sys.argv[1]), None, [f"S!A1={number}"])
"""


def leftover(folder, name: str = ".xltoken.0123456789ab.tmp", age: float = 7200.0):
    """A temporary file that a process left `age` seconds ago."""
    path = folder / name
    path.write_bytes(b"half a workbook")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.mark.slow
def test_a_killed_process_leaves_a_whole_workbook(tmp_path):
    """After each of a hundred kills the file is one complete workbook, of one set of values."""
    cells = {"A1": 1.0, **{f"B{row}": F(f"$A$1*{row}", row) for row in range(1, ROWS)}}
    path = saved(tmp_path, book({"S": cells}))
    rng = random.Random(1)
    seen = set()
    for kill in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", LOOP, path, str(1000 * kill + 2)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout.readline().strip() == b"ready", child.stderr.read()
        time.sleep(rng.uniform(0, 0.2))
        assert child.poll() is None, child.stderr.read()
        child.kill()
        child.communicate()
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
        found = {place: cell.value for place, cell in read(path).sheets["S"].cells.items()}
        base = found.pop((1, 1))
        assert found == {(row, 2): base * row for row in range(1, ROWS)}
        seen.add(base)
        others = [p.name for p in tmp_path.iterdir() if p != path]
        assert all(files._TEMPORARY.fullmatch(name) for name in others), others
    assert len(seen) > KILLS // 4  # the kills did meet a process that writes
    for other in tmp_path.glob(".xltoken.*"):
        leftover(tmp_path, other.name)
    files.write_atomically(path, path.read_bytes())
    assert list(tmp_path.iterdir()) == [path]


def test_old_leftovers_go_with_the_next_write(tmp_path):
    """A temporary file of ours that is over an hour old is removed by the next write beside it."""
    left = leftover(tmp_path)
    files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert not left.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]


def test_fresh_temporary_files_stay(tmp_path):
    """A temporary file that another process may be writing at this moment is left alone."""
    left = leftover(tmp_path, age=3000)
    files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert left.exists()


@pytest.mark.parametrize(
    "name",
    [
        ".xltoken.tmp",
        ".xltoken.mine.tmp",
        ".xltoken.0123456789AB.tmp",
        ".xltoken.0123456789ab.tmp.xlsx",
        "a.xltoken.0123456789ab.tmp",
        ".xltoken.0123456789abc.tmp",
    ],
)
def test_files_of_others_stay(tmp_path, name):
    """However old, a file whose name is not exactly of our making is left alone."""
    left = leftover(tmp_path, name)
    files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert left.exists()


def test_only_files_are_removed(tmp_path):
    """A folder, or a link to a file of somebody else, under a name of ours is left alone."""
    folder = tmp_path / ".xltoken.0123456789ab.tmp"
    folder.mkdir()
    then = time.time() - 7200
    os.utime(folder, (then, then))
    other = leftover(tmp_path, "precious.xlsx")
    link = tmp_path / ".xltoken.ba9876543210.tmp"
    link.symlink_to(other)
    files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert folder.is_dir()
    assert link.is_symlink()
    assert other.exists()


def test_leftovers_stay_where_a_write_fails(tmp_path, monkeypatch):
    """A write that fails removes nothing but its own temporary file."""
    left = leftover(tmp_path)

    def fails(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(files.FileError, match="No space left"):
        files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert list(tmp_path.iterdir()) == [left]


def test_a_leftover_that_cannot_be_removed_is_no_failure(tmp_path, monkeypatch):
    """The write succeeded: that a leftover resists is nobody's business."""
    left = leftover(tmp_path)
    remove = type(left).unlink

    def resists(path, missing_ok=False):
        if path == left:
            raise PermissionError(13, "Permission denied")
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(type(left), "unlink", resists)
    files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert (tmp_path / "book.xlsx").read_bytes() == b"content"
    assert left.exists()


@pytest.mark.skipif(not hasattr(os, "O_DIRECTORY"), reason="folders cannot be synced here")
def test_the_new_name_reaches_the_disk_after_the_content(tmp_path, monkeypatch):
    """The file is synced before it takes its name, and the folder that holds the name after."""
    done = []
    sync, replace = os.fsync, os.replace

    def synced(handle):
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", lambda *a, **k: (done.append("name"), replace(*a, **k))[1])
    files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert done == ["file", "name", "folder"]


@pytest.mark.skipif(not hasattr(os, "O_DIRECTORY"), reason="folders cannot be synced here")
def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    """Where the folder cannot be synced, as on some network disks, the write still succeeded."""
    sync, calls = os.fsync, []

    def fails_later(handle):
        calls.append(handle)
        if len(calls) > 1:
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", fails_later)
    files.write_atomically(tmp_path / "book.xlsx", b"content")
    assert len(calls) == 2
    assert (tmp_path / "book.xlsx").read_bytes() == b"content"
