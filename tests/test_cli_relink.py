"""The command relink as a person meets it."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "recalc"))

from recalc_tools import F, book, parts_of, with_part

from xltoken.recalc.spelling import HOSTS

BUDGET = Path(__file__).parents[1] / "workbooks" / "token_budget.xlsx"
SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def relink(run):
    """Run ``relink ...`` in a folder of its own; gives exit code, stdout, stderr."""
    return lambda *arguments: run("relink", *arguments)


@pytest.fixture
def small(tmp_path):
    """A book with seven calls of ours on two sheets and in a name."""
    cells = {f"A{row}": F(f"token_cost(B{row},0,C1)", 1) for row in range(1, 7)}
    content = book({"Model": cells, "Notes": {"A1": "TOKEN_COST(1)"}}, names={"n": "IRR_ALL(A1)"})
    path = tmp_path / "small.xlsx"
    path.write_bytes(content)
    return path


def test_the_budget_goes_through_every_host_and_back(relink, tmp_path):
    """The template's own book is respelled for each host in turn, in place; at last it is itself."""
    path = tmp_path / "b.xlsx"
    path.write_bytes(BUDGET.read_bytes())
    for host in (*HOSTS[1:], "excel"):
        code, out, err = relink("b.xlsx", "--host", host)
        assert (code, err) == (0, "")
        assert "b.xlsx" in out
    assert parts_of(path) == parts_of(BUDGET)


def test_what_was_done_is_told(relink, small):
    """A person reads how many calls, where, and where the result is."""
    code, out, err = relink("small.xlsx", "--host", "addin", "-o", "new.xlsx")
    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert lines[1] == ["small.xlsx", "7", "7", "7", "0", "new.xlsx"]
    assert ["cell", "Model", "6", "6", *["A1,", "A2,", "A3,", "A4", "and", "2", "more"]] in lines
    assert ["name", "1", "1", "n"] in lines
    assert "small.xlsx: linked to xltoken.xlam" in out
    code, out, _ = relink("new.xlsx", "--host", "lite", "--namespace", "FIN")
    assert code == 0
    assert "new.xlsx: the link to xltoken.xlam is dropped; nothing uses it any more" in out
    assert b"_xldudf_FIN_TOKEN_COST(" in parts_of(Path("new.xlsx"))[SHEET]
    assert small.read_bytes() != Path("new.xlsx").read_bytes()


def test_nothing_to_do_is_said(relink, small):
    """Where every call is spelled so already, that is said, and the file keeps its bytes."""
    relink(small, "--host", "excel")
    before = small.read_bytes()
    code, out, _ = relink("small.xlsx", "--host", "libreoffice")
    assert (code, small.read_bytes()) == (0, before)
    assert "nothing to do" in out
    code, out, _ = relink("small.xlsx", "--host", "excel", "-o", "copy.xlsx")
    assert (code, Path("copy.xlsx").read_bytes()) == (0, before)
    assert "copy.xlsx: the same bytes" in out


def test_json_tells_all(relink, small):
    """One object: each file with its counts and its places; a file that fails with its reason."""
    Path("none.txt").write_text("x", encoding="utf-8")
    code, out, err = relink("small.xlsx", "none.txt", "--host", "xll", "--json")
    told = json.loads(out)["files"]
    assert code == 4
    assert err == ""
    assert told[0] == {
        "file": "small.xlsx", "output": "small.xlsx", "host": "xll",
        "summary": {
            "calls": 7, "respelled": 7, "formulas": 7, "kinds": {"name": 1, "cell": 6},
        },
        "places": [
            {"kind": "name", "sheet": "", "where": "n", "calls": 1},
            *({"kind": "cell", "sheet": "Model", "where": f"A{r}", "calls": 1} for r in range(1, 7)),
        ],
        "carried": False, "linked": None, "dropped": [], "notes": [],
    }  # fmt: skip
    assert told[1]["file"] == "none.txt"
    assert "is not an .xlsx file" in told[1]["error"]


def test_what_is_left_to_do_is_a_finding(relink, small):
    """Macros under LibreOffice: done, with a warning and exit code 1."""
    small.write_bytes(with_part(small.read_bytes(), "xl/vbaProject.bin", b"x"))
    code, _, err = relink("small.xlsx", "--host", "libreoffice", "-o", "o.xlsx")
    assert code == 1
    assert err.startswith("warning: small.xlsx: LibreOffice")
    assert Path("o.xlsx").exists()


def test_one_that_fails_stops_no_other(relink, small):
    """With several files one that cannot be used is told on stderr, the others are done."""
    code, out, err = relink("gone.xlsx", "small.xlsx", "--host", "lite")
    assert code == 4
    assert "xltoken: gone.xlsx: there is no such file." in err
    assert b"_xldudf_TOKEN_COST(" in parts_of(small)[SHEET]
    assert "small.xlsx" in out
    code, out, err = relink("gone.xlsx", "--host", "lite")
    assert (code, out, err) == (4, "", "xltoken: gone.xlsx: there is no such file.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "word"], "there is no host 'word'; there are: excel, addin"),
        ([], "Missing option '--host'"),
        (["--host", "excel", "--namespace", "A"], "only the host lite"),
        (["--host", "lite", "--namespace", "A B"], "is no namespace"),
        (["--host", "excel", "--addin", "x.xlam"], "--addin goes with --host addin"),
        (["--host", "addin", "--addin", "x.xlsx"], "is no add-in"),
        (["--host", "lite", "-o", "o.xlsx", "other.xlsx"], "-o takes one workbook"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(relink, small, arguments, words):
    """Options that do not fit end with exit code 2 and untouched files."""
    before = small.read_bytes()
    code, out, err = relink("small.xlsx", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert small.read_bytes() == before


def test_long_lists_are_cut(relink, tmp_path):
    """Of a book with many sheets a person is shown twenty lines, and how many more there are."""
    content = book({f"S{n}": {"A1": F("IRR_ALL(B1)")} for n in range(25)})
    (tmp_path / "many.xlsx").write_bytes(content)
    code, out, _ = relink("many.xlsx", "--host", "lite")
    assert code == 0
    assert out.count("IRR") == 0
    assert "... and 5 more: --json lists them all." in out


def test_a_plain_workbook_gets_the_functions_inside(run):
    """Written as .xlsm for Excel, a workbook carries the functions; once more changes nothing."""
    assert run("new", "token_budget", "-o", "a.xlsx")[0] == 0
    code, out, err = run("relink", "a.xlsx", "--host", "excel", "-o", "a.xlsm")
    assert (code, "the functions are inside" in out) == (0, True), err
    assert "xl/vbaProject.bin" in zipfile.ZipFile("a.xlsm").namelist()
    before = Path("a.xlsm").read_bytes()
    code, out, _ = run("relink", "a.xlsm", "--host", "excel")
    assert (code, "nothing to do" in out) == (0, True)
    assert Path("a.xlsm").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "host", "target", "due"),
    [
        ("a.xlsx", "lite", "b.xlsm", ".xlsx"),
        ("a.xlsx", "libreoffice", "b.xlsm", ".xlsx"),
        ("a.xlsm", "excel", "b.xlsx", ".xlsm"),
    ],
)
def test_a_name_that_excel_would_not_open_is_refused(run, source, host, target, due):
    """A workbook with macros is not written as .xlsx, nor one without as .xlsm."""
    assert run("new", "token_budget", "--host", "excel", "-o", source)[0] == 0
    code, _, err = run("relink", source, "--host", host, "-o", target)
    assert code == 4
    assert f"is to be called {due}" in err
    assert not Path(target).exists()
