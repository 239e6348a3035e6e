"""The commands diff and check as a person meets them."""

import json
import sys
from pathlib import Path

import pytest
import typer

sys.path.append(str(Path(__file__).parent / "recalc"))

from recalc_tools import F, book, column

from xltoken.cli import frame
from xltoken.cli.inspecting import app
from xltoken.recalc.workbook import recalculate

BUDGET = Path(__file__).parents[1] / "workbooks" / "token_budget.xlsx"


@pytest.fixture
def inspect(monkeypatch, capsys, tmp_path):
    """Run ``diff ...`` or ``check ...`` in a folder of its own; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    whole = typer.Typer()
    whole.callback()(lambda: None)
    whole.add_typer(app)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["xltoken", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            frame.main(whole)
        told = capsys.readouterr()
        return stopped.value.code or 0, told.out, told.err

    return call


@pytest.fixture
def pair(tmp_path):
    """Two small books that differ in everything."""
    one = {"In": {"A1": "rate", "B1": 1}, "Calc": {**column("A", [F("In!B1*2", 2.0)] * 3)},
           "Gone": {"A1": 1}}  # fmt: skip
    other = {"In": {"A1": "rate", "B1": 1.5},
             "Calc": {"A1": F("In!B1*2", 3.0), "A2": 7, "A3": F("In!B1*2", 3.0)}}  # fmt: skip
    paths = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    paths[0].write_bytes(book(one, names={"result": "Calc!$A$1"}))
    paths[1].write_bytes(book(other, names={"result": "Calc!$A$3"}))
    return paths


# --- diff ----------------------------------------------------------------------------------------


def test_a_diff_without_differences_is_quiet_and_zero(inspect):
    """The same workbook twice: one sentence, exit code 0."""
    assert inspect("diff", BUDGET, BUDGET) == (0, "No differences.\n", "")


def test_a_diff_tells_inputs_first(inspect, pair):
    """People read inputs, formulas, names, sheets, then results, and the counts at the end."""
    code, out, err = inspect("diff", *pair)
    assert (code, err) == (1, "")
    order = [out.index(title) for title in ("Input", "Formula", "Name", "Sheet", "Result")]
    assert order == sorted(order)
    assert "In!B1" in out
    assert "+50.00%" in out
    assert "overwritten by a number" in out
    assert out.endswith("In all: 1 input, 1 formula, 1 name, 1 sheet, 2 results\n")


def test_a_diff_as_json_has_everything(inspect, pair):
    """The JSON object carries each change with its sides and, for numbers, how far they moved."""
    code, out, _ = inspect("diff", *pair, "--watch", "result", "--json")
    data = json.loads(out)
    assert code == 1
    assert data["summary"] == {"inputs": 1, "formulas": 1, "names": 1, "sheets": 1, "values": 2}
    assert data["inputs"] == [
        {"sheet": "In", "cell": "B1", "label": "rate", "what": "changed", "before": 1.0,
         "after": 1.5, "absolute": 0.5, "relative": 0.5}
    ]  # fmt: skip
    [formula] = data["formulas"]
    assert (formula["area"], formula["before"], formula["after"]) == ("A2", "=In!B1*2", 7.0)
    assert data["watched"] == [
        {"name": "result", "before": 2.0, "after": 3.0, "absolute": 1.0, "relative": 0.5}
    ]
    assert {c["cell"] for c in data["values"]} == {"A1", "A3"}
    assert data["other_parts"] == data["unlike_everywhere"] == []


def test_only_some_kinds(inspect, pair):
    """What --only leaves out is neither told nor counted, nor decides the exit code."""
    code, out, _ = inspect("diff", *pair, "--only", "inputs", "--only", "names", "--json")
    data = json.loads(out)
    assert code == 1
    assert data["summary"] == {"inputs": 1, "names": 1}
    assert not {"formulas", "values", "sheets"} & data.keys()
    code, out, _ = inspect("diff", BUDGET, BUDGET, "--only", "sheets")
    assert (code, out) == (0, "No differences of that kind.\n")


def test_a_watched_headline_stands_first(inspect, tmp_path):
    """A watched name shows both values and the change before anything else."""
    recalculate(BUDGET, tmp_path / "low.xlsx", ["utilization=0.4"])
    code, out, _ = inspect("diff", BUDGET, "low.xlsx", "--watch", "cost_declining")
    assert code == 1
    first, second = out.splitlines()[:2]
    assert first.startswith("Watched")
    assert second.startswith("cost_declining")
    assert "+25.00%" in second
    assert "... and" in out


def test_a_tolerance_of_a_diff(inspect, pair):
    """A wide tolerance leaves what is no matter of degree."""
    data = json.loads(inspect("diff", *pair, "--tolerance", "0.6", "--json")[1])
    assert data["summary"] == {"inputs": 0, "formulas": 1, "names": 1, "sheets": 1, "values": 0}


def test_a_change_without_measure(inspect, tmp_path):
    """What moved from zero, or too far for a number, has no relative change, and no failure."""
    for name, cells in (("a.xlsx", {"A1": 0, "A2": -1.7e308, "A3": "x"}),
                        ("b.xlsx", {"A1": 1, "A2": 1.7e308, "A3": 2})):  # fmt: skip
        (tmp_path / name).write_bytes(book({"S": cells}))
    data = json.loads(inspect("diff", "a.xlsx", "b.xlsx", "--json")[1])
    assert [(c["absolute"], c["relative"]) for c in data["inputs"]] == [
        (1.0, None), (None, None), (None, None),
    ]  # fmt: skip
    assert inspect("diff", "a.xlsx", "b.xlsx")[0] == 1


def test_a_sheet_unlike_everywhere_is_a_note(inspect, tmp_path):
    """Where most of a sheet differs the reader is told what may be behind it."""
    for name, start in (("a.xlsx", 0), ("b.xlsx", 100)):
        (tmp_path / name).write_bytes(book({"S": column("A", range(start, start + 30))}))
    assert "Most cells of S differ" in inspect("diff", "a.xlsx", "b.xlsx")[2]


def test_parts_not_compared_are_a_note(inspect, tmp_path):
    """Macros that differ are said on stderr, and change no exit code."""
    for name, code in (("a.xlsm", b"1"), ("b.xlsm", b"2")):
        content = book({"S": {"A1": 1}}, parts={"xl/vbaProject.bin": code})
        (tmp_path / name).write_bytes(content)
    code, out, err = inspect("diff", "a.xlsm", "b.xlsm")
    assert (code, out) == (0, "No differences.\n")
    assert err == "Not compared, and not the same: xl/vbaProject.bin.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("a.xlsx", "none.xlsx"), 4, "there is no such file"),
        (("a.xlsx", "b.xlsx", "--only", "charts"), 2, "is none of: inputs, formulas"),
        (("a.xlsx", "b.xlsx", "--watch", "nothing"), 2, "no defined name"),
        (("a.xlsx",), 2, "Missing argument"),
    ],
)
def test_a_diff_that_cannot_be_made(inspect, pair, arguments, code, message):
    """A file, kind or headline that cannot be used ends in one line."""
    got, out, err = inspect("diff", *arguments)
    assert (got, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1


# --- check ---------------------------------------------------------------------------------------


def test_a_clean_book_is_zero(inspect):
    """Notes alone are no findings: exit code 0, and the counts stand first."""
    code, out, err = inspect("check", BUDGET)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].endswith("0 errors, 0 warnings, 0 notes")


def test_a_book_without_any_finding(inspect, tmp_path):
    """Nothing found: the counts alone."""
    (tmp_path / "b.xlsx").write_bytes(book({"S": {"A1": 1, "A2": F("A1+1", 2)}}))
    assert inspect("check", "b.xlsx") == (
        0, "b.xlsx: 1 formula, 0 errors, 0 warnings, 0 notes\n", "",
    )  # fmt: skip


def test_findings_are_one_and_say_what_to_do(inspect, tmp_path):
    """Each finding has severity, rule and place; each rule its advice, once."""
    cells = {"A1": F("1/0", "#DIV/0!"), **column("B", [F(f"C{r}/$C$9", "#DIV/0!") for r in (1, 2)]),
             **column("C", [1, 2]), "D1": F("TODAY()", 1)}  # fmt: skip
    (tmp_path / "b.xlsx").write_bytes(book({"S": cells}))
    code, out, _ = inspect("check", "b.xlsx")
    assert code == 1
    assert out.splitlines()[0] == "b.xlsx: 4 formulas, 2 errors, 1 warning, 1 note"
    assert out.count("Correct the formula or what it reads.") == 1
    assert "#DIV/0! in =1/0" in out
    assert "calls TODAY" in out


def test_long_lists_are_cut_for_people_only(inspect, tmp_path):
    """People see the first findings of a rule and a count, JSON has them all."""
    cells = {f"A{row}": F(f"{row}/0", "#DIV/0!") for row in range(1, 40, 2)}
    (tmp_path / "b.xlsx").write_bytes(book({"S": cells}))
    out = inspect("check", "b.xlsx")[1]
    assert "... and 10 more" in out
    assert out.endswith("--json lists every finding.\n")
    [file] = json.loads(inspect("check", "b.xlsx", "--json")[1])["files"]
    assert file["summary"] == {"formulas": 20, "errors": 20, "warnings": 0, "notes": 0}
    assert len(file["findings"]) == 20
    assert set(file["findings"][0]) == {
        "rule", "severity", "sheet", "cells", "count", "what", "advice",
    }  # fmt: skip


def test_several_books_of_which_one_is_none(inspect, tmp_path):
    """What can be checked is; an unreadable file is named, and the exit code is 4."""
    (tmp_path / "no.xlsx").write_bytes(b"no workbook")
    code, out, err = inspect("check", BUDGET, "no.xlsx", "--json")
    assert code == 4
    good, bad = json.loads(out)["files"]
    assert good["summary"]["errors"] == 0
    assert bad["file"] == "no.xlsx"
    code, out, err = inspect("check", BUDGET, BUDGET, "no.xlsx")
    assert (code, out.count("0 errors")) == (4, 2)
    assert "no.xlsx" in err


def test_one_book_that_is_none(inspect, tmp_path):
    """One unreadable file ends in one line and exit code 4."""
    (tmp_path / "no.xlsx").write_bytes(b"no workbook")
    code, out, err = inspect("check", "no.xlsx")
    assert (code, out, err.count("\n")) == (4, "", 1)


def test_checking_writes_nothing(inspect, tmp_path):
    """A checked file and its folder stay as they are."""
    path = tmp_path / "b.xlsx"
    path.write_bytes(BUDGET.read_bytes())
    inspect("check", path)
    inspect("diff", path, path)
    assert [file.name for file in tmp_path.iterdir()] == ["b.xlsx"]
    assert path.read_bytes() == BUDGET.read_bytes()
