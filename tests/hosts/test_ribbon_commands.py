import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import xltoken
from xltoken.functions import FUNCTIONS
from xltoken.hosts import commands

HERE = Path(__file__).parent


def told(rows):
    """Exit code and lines of an answer, which is a column of two rows or more."""
    assert len(rows) >= 2
    assert all(len(row) == 1 for row in rows)
    (code,), *lines = rows
    assert type(code) is int
    assert all(type(line) is str for (line,) in lines)
    return code, [line for (line,) in lines]


def test_a_command_runs():
    """The version comes back as the command line prints it."""
    assert told(commands.run("--version")) == (0, [f"xltoken {xltoken.__version__}"])


def test_a_reference_is_plain_text():
    """What a command prints has no colour codes, no tabs and no blanks at line ends."""
    code, lines = told(commands.run("functions", "TOKEN_COST"))
    assert code == 0
    assert lines[0] == FUNCTIONS["TOKEN_COST"].signature
    assert all("\x1b" not in line and "\t" not in line for line in lines)
    assert all(line == line.rstrip() for line in lines)


def test_a_wrong_command_is_told():
    """Wrong usage gives its exit code and what the command line says."""
    code, lines = told(commands.run("no-such-command"))
    assert code == 2
    assert "no-such-command" in " ".join(lines)


def test_a_missing_file_is_told(tmp_path):
    """A file that is not there gives exit code 4 and its name."""
    code, lines = told(commands.run("check", str(tmp_path / "no such.xlsx")))
    assert code == 4
    assert "no such.xlsx" in " ".join(lines)


def test_both_streams_come_back():
    """Lines of stdout stand before those of stderr."""
    code, lines = told(commands.run("check", "missing.xlsx", "--json"))
    assert code == 4
    assert lines[0] == "{"
    assert lines[-1].startswith("xltoken: ")
    assert json.loads("\n".join(lines[:-1]))["error"]["exit_code"] == 4


def test_letters_of_every_language(tmp_path):
    """Names of files go there and come back unchanged."""
    code, lines = told(commands.run("check", str(tmp_path / "büdget 木 €.xlsx")))
    assert code == 4
    assert "büdget 木 €.xlsx" in " ".join(lines)


def test_words_come_as_vba_passes_them(monkeypatch):
    """A whole number loses its point, another keeps it, and what is blank is left out."""
    seen = []
    monkeypatch.setattr(commands, "_ran", lambda words: seen.append(words) or (0, []))
    assert commands.run("sweep", 1.0, 0.25, None, True, float("inf")) == [[0], [""]]
    assert seen == [["sweep", "1", "0.25", "True", "inf"]]


def test_a_command_that_takes_too_long_is_stopped(monkeypatch):
    """Over the limit a command is ended; the answer says so and how to run it without one."""
    monkeypatch.setattr(commands, "TIME_LIMIT", 0.05)
    code, lines = told(commands.run("functions"))
    assert code == commands.TIMED_OUT
    assert lines[-1].endswith("xltoken functions")


def test_python_that_cannot_be_started_is_told(monkeypatch, tmp_path):
    """Without an interpreter the answer says so; nothing is raised."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python.exe"))
    code, lines = told(commands.run("--version"))
    assert code == commands.NOT_STARTED
    assert "cannot be started" in lines[0]


def test_a_word_that_no_system_takes_is_told():
    """A text that cannot be an argument of a program is refused in the answer."""
    code, _ = told(commands.run("check", "a\0b.xlsx"))
    assert code == commands.NOT_STARTED


def test_the_interpreter_is_one_that_prints(monkeypatch, tmp_path):
    """pythonw.exe has no output: python.exe beside it takes its place, where there is one."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "pythonw.exe"))
    assert commands._python() == str(tmp_path / "pythonw.exe")
    (tmp_path / "python.exe").touch()
    assert commands._python() == str(tmp_path / "python.exe")


def test_modules_beside_a_workbook_are_not_run(monkeypatch, tmp_path):
    """A file named like a module in the folder that Excel works in is never imported."""
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')\n")
    (tmp_path / "xltoken.py").write_text("raise SystemExit('taken over')\n")
    monkeypatch.chdir(tmp_path)
    assert told(commands.run("--version")) == (0, [f"xltoken {xltoken.__version__}"])


def test_lines_longer_than_a_cell_go_on_in_the_next():
    """No row is longer than a cell of Excel holds, and no letter is lost."""
    line = "abcdefg" * 10_000
    _, lines = told(commands._column(0, [line, "", "end"]))
    assert "".join(lines) == f"{line}end"
    assert max(map(len, lines)) == 32_767
    assert lines[-2:] == ["", "end"]


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("=TOKEN_COST(A1,0,B1)", "TOKEN_COST"),
        ("=1+token_cost (A1,0,B1)", "TOKEN_COST"),
        ("=[1]!TOKEN_COST(A1,0,B1)", "TOKEN_COST"),
        ("='C:\\x y\\xltoken.xlam'!TOKEN_COST(A1,0,B1)", "TOKEN_COST"),
        ("=_xldudf_TOKEN_COST(A1)", "TOKEN_COST"),
        ("=_xll.TOKEN_COST(A1)", "TOKEN_COST"),
        ("=SUM(NPV_STATIC(0.1,A1:A9,TOKEN_COST(A1)))", "NPV_STATIC"),
        ('=IF(A1="TOKEN_COST(","""XLTOKEN_INFO(",1)', None),
        ("=MY_TOKEN_COST(1)", None),
        ("=TOKEN_COST", None),
        ("", None),
    ],
)
def test_the_function_of_a_formula(formula, name):
    """The first function of ours that is called counts, in every spelling; texts do not."""
    assert commands._called(formula) == name


def test_reference_of_the_function_in_a_formula():
    """A formula gives the reference of its function, anything else the list of all."""
    assert commands.reference("=2*TOKEN_COST(A1)") == commands.run("functions", "TOKEN_COST")
    assert commands.reference(None) == commands.reference("=SUM(A1)") == commands.run("functions")


def test_about_tells_what_computes():
    """Version, catalog, fingerprint, interpreter and the licence of the bridge are told."""
    rows = commands.about()
    text = "\n".join(line for (line,) in rows)
    assert len(rows) >= 2
    for field in ("version", "catalog", "fingerprint"):
        assert FUNCTIONS["XLTOKEN_INFO"](field) in text
    assert sys.executable in text
    assert "BSD 3-clause" in text


def test_about_with_a_catalog_that_cannot_be_used(monkeypatch, tmp_path):
    """A wrong overlay does not keep the rest from being told."""
    monkeypatch.setenv("XLTOKEN_CATALOG", str(tmp_path / "missing"))
    text = "\n".join(line for (line,) in commands.about())
    assert "is not a folder" in text
    assert xltoken.__version__ in text
    assert sys.executable in text


def test_about_names_what_is_laid_over_the_catalog(monkeypatch, tmp_path):
    """A user's own figures are named, because they change every result."""
    monkeypatch.setenv("XLTOKEN_CATALOG", str(tmp_path))
    (tmp_path / "sources.csv").write_text(
        "source_id,title,publisher,url,published,retrieved,independence,note,recorded,withdrawn\n"
    )
    assert any("Laid over it" in line for (line,) in commands.about())


THROUGH_XLWINGS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import pywin32_tools
server = pywin32_tools.install()
ask = lambda procedure, *given: server.CallUDF("xltoken.hosts.commands", procedure, given)
print(json.dumps([
    ask("run", "--version"),
    ask("run", "functions", "TOKEN_COST", ""),
    ask("run"),
    ask("reference", "=TOKEN_COST(A1)"),
    ask("reference", ""),
    ask("about"),
]))
"""


def test_answers_through_xlwings_real_call_path():
    """The server of xlwings takes calls as VBA makes them and hands back tables of one column."""
    done = subprocess.run(
        [sys.executable, "-c", THROUGH_XLWINGS, str(HERE)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    version, function, nothing, reference, everything, about = json.loads(done.stdout)
    assert told(version) == (0, [f"xltoken {xltoken.__version__}"])
    assert reference == function == commands.run("functions", "TOKEN_COST")
    assert told(nothing)[0] in (0, 2)
    assert everything == commands.run("functions")
    assert about == commands.about()
