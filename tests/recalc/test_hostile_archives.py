"""Files made to do harm: the command line ends in one line, or with a right result."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_tools import HOSTILE, SEED, Hostile
from recalc_tools import digest, parts_of, saved, zipped

from xltoken.recalc import package
from xltoken.recalc.sheetxml import Value, address

SECONDS, MEGABYTES = 10, 500
COMMAND = """
import sys
from xltoken.cli import main
try:
    main()
finally:
    try:
        peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    except OSError:
        peak = "VmHWM: 0 kB"
    print("peak", int(peak.split()[1]) // 1024)
"""


def held(path: Path) -> dict[str, Value]:
    """Values of the first sheet; not through openpyxl, which some of these files exhaust."""
    cells = package.read(path).sheets["S"].cells
    return {address(*place): cell.value for place, cell in cells.items()}


def expected(case: Hostile, code: int, told: list[str], out: Path) -> None:
    """One line and exit code 4 with nothing written, or a file with the right values."""
    assert not any("Traceback" in line or "a defect of xltoken" in line for line in told), told
    if not case.values:
        assert code == 4, told
        assert len(told) == 1, told
        assert told[0].startswith("xltoken: ")
        assert case.words in told[0]
        assert len(told[0]) < 500
        assert not out.exists()
        return
    assert code in (0, 1), told
    assert case.values.items() <= held(out).items()


def test_the_seed_is_good(run, tmp_path):
    """The book that is made hostile is recalculated without a finding."""
    path = saved(tmp_path, SEED)
    code, _, told = run("recalc", path, "-o", "out.xlsx", "--set", "S!A1=3", "--json")
    assert (code, told) == (0, "")
    assert held(tmp_path / "out.xlsx")["B1"] == 6


LIGHT = [name for name, case in HOSTILE.items() if not (case.isolated or case.heavy)]


@pytest.mark.parametrize("name", LIGHT)
def test_a_hostile_file_ends_in_one_line(run, tmp_path, name):
    """The command refuses the file in one line, or does it right; the source stays as it was."""
    path = saved(tmp_path, HOSTILE[name].make())
    before = digest(path)
    code, _, told = run("recalc", path, "-o", "out.xlsx")
    expected(HOSTILE[name], code, told.splitlines(), tmp_path / "out.xlsx")
    assert digest(path) == before
    assert {p.name for p in tmp_path.iterdir()} <= {"book.xlsx", "out.xlsx"}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_takes_little(tmp_path, name):
    """In a process of its own, no hostile file takes over ten seconds or 500 MB, or ends it."""
    path = saved(tmp_path, HOSTILE[name].make())
    before = digest(path)
    out = tmp_path / "out.xlsx"
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "recalc", path, "-o", out],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    seconds = time.monotonic() - started
    told = done.stderr.splitlines()
    expected(HOSTILE[name], done.returncode, told, out)
    assert seconds < SECONDS
    peak = int(done.stdout.split()[-1])
    assert peak < MEGABYTES
    assert digest(path) == before


def test_a_file_cut_off_anywhere(run, tmp_path):
    """A file cut off at any of fifty places is refused in one line, and nothing is written."""
    for fiftieth in range(50):
        path = saved(tmp_path, SEED[: len(SEED) * fiftieth // 50])
        code, _, told = run("recalc", path, "-o", "out.xlsx")
        assert (code, len(told.splitlines())) == (4, 1)
        assert "damaged" in told or "not an .xlsx file" in told
        assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]


# --- random damage -------------------------------------------------------------------------------


def flipped(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed."""
    new = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if new:
            new[rng.randrange(len(new))] = rng.randrange(256)
    return bytes(new)


def cut(rng: random.Random, data: bytes) -> bytes:
    """A chunk deleted, doubled, or moved."""
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    chunk, rest = data[a:b], data[:a] + data[b:]
    at = rng.randrange(len(rest) + 1)
    return rng.choice([rest, data[:b] + chunk + data[b:], rest[:at] + chunk + rest[at:]])


def spelled(rng: random.Random, data: bytes) -> bytes:
    """A number, a name or a delimiter of the XML replaced by another."""
    words = [b"<", b">", b'"', b"/", b"&", b"0", b"-1", b"1e999", b"99999999999", b"", b"A1", b"XFE1",
             b"<c ", b"</c>", b"</f>", b"&#0;", b"&amp;", b'r="', b't="s"', b't="shared"']  # fmt: skip
    tokens = [w for w in words if w and w in data]
    if not tokens:
        return flipped(rng, data)
    old = rng.choice(tokens)
    at = rng.randrange(data.count(old))
    pieces = data.split(old)
    return old.join(pieces[: at + 1]) + rng.choice(words) + old.join(pieces[at + 1 :])


def mutated(rng: random.Random) -> bytes:
    """The seed with damage in its zip, in one of its parts, or in their order."""
    how = rng.choice([flipped, cut, "part", "part", "part", "part", "swap", "drop"])
    if callable(how):
        return how(rng, SEED)
    parts = parts_of(SEED)
    one, other = rng.sample(sorted(parts), 2)
    if how == "swap":
        parts[one], parts[other] = parts[other], parts[one]
    elif how == "drop":
        del parts[one]
    else:
        for _ in range(rng.choice([1, 1, 3])):
            parts[one] = rng.choice([flipped, cut, spelled, spelled])(rng, parts[one])
    return zipped(parts)


FUZZ = """
import faulthandler, hashlib, json, sys, warnings, zipfile
from pathlib import Path
from xltoken.files import FileError
from xltoken.recalc.workbook import recalculate
warnings.simplefilter("error")
folder = Path(sys.argv[1])
for path in sorted(folder.glob("*.xlsx")):
    faulthandler.dump_traceback_later(30, exit=True)
    before = hashlib.sha256(path.read_bytes()).digest()
    out = folder / f"{path.stem}.out"
    print(path.name, end=" ", flush=True)
    try:
        recalculate(path, out)
        end = "done" if zipfile.ZipFile(out).testzip() is None else "broken result"
    except FileError as error:
        one_line = str(error).startswith(str(path)) and "\\n" not in str(error)
        end = "refused" if one_line and not out.exists() else f"refused oddly: {error!r}"
    except BaseException as error:
        end = f"{type(error).__name__}: {error}"
    if hashlib.sha256(path.read_bytes()).digest() != before:
        end = "source changed"
    print(json.dumps(end), flush=True)
"""


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_random_damage_is_refused_or_done(tmp_path, count):
    """Whatever is damaged, the file is refused or done: no other error, no hang, no crash."""
    rng = random.Random(count)
    for number in range(count):
        saved(tmp_path, mutated(rng), f"{number:04}.xlsx")
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, tmp_path],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=1800,
    )  # fmt: skip
    ends = {
        name: end for name, _, end in (line.partition(" ") for line in done.stdout.splitlines())
    }
    odd = {name: end for name, end in ends.items() if end not in ('"done"', '"refused"')}
    assert not odd
    assert (len(ends), done.returncode) == (count, 0), done.stderr[-2000:]
    assert list(ends.values()).count('"done"') > count // 20
    assert list(ends.values()).count('"refused"') > count // 4
