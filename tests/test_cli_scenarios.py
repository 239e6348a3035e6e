"""The commands sweep, simulate and tornado as a person meets them."""

import csv
import json
import signal
import sys
from pathlib import Path

import openpyxl
import pytest

sys.path.append(str(Path(__file__).parent / "recalc"))

from recalc_tools import F, book
from scenario_books import plan

from xltoken.recalc.model import Model


@pytest.fixture
def model(run, tmp_path):
    """A small model in the folder of the command."""
    return plan(tmp_path).name


def rows(path):
    """Lines of a CSV result, by title."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def interrupting(monkeypatch, number):
    """Ctrl-C while so many scenarios are done."""
    run, seen = Model.run, []

    def counted(self, changes, outputs):
        seen.append(1)
        if len(seen) == number:
            signal.raise_signal(signal.SIGINT)
        return run(self, changes, outputs)

    monkeypatch.setattr(Model, "run", counted)


# --- sweep ---------------------------------------------------------------------------------------


def test_a_sweep_of_a_grid(run, model):
    """Every combination is run and written; the summary is printed; the model stays as it was."""
    before = Path(model).read_bytes()
    code, out, err = run(
        "sweep", model, "--grid", "price=2:4:1", "--grid", "Inputs!B2=10,20", "-o", "r.csv",
        "--watch", "profit",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "6 scenarios of plan.xlsx: r.csv" in out
    assert "profit" in out
    assert [(r["price"], r["Inputs!B2"], r["profit"]) for r in rows("r.csv")] == [
        ("2", "10", "-30"), ("2", "20", "-10"), ("3", "10", "-20"), ("3", "20", "10"),
        ("4", "10", "-10"), ("4", "20", "30"),
    ]  # fmt: skip
    assert Path(model).read_bytes() == before
    assert not Path("r.csv.journal").exists()


def test_a_sweep_of_a_table_with_errors_is_a_finding(run, model):
    """An error in a scenario is recorded, counted and exit code 1; JSON has the figures."""
    Path("s.csv").write_text("name,price\nnone,1\nhigh,3\n", encoding="utf-8")
    code, out, err = run("sweep", model, "--scenarios", "s.csv", "-o", "r.csv", "--set", "rent=0",
                         "--json")  # fmt: skip
    assert (code, err) == (1, "")
    told = json.loads(out)
    assert told["outputs"]["ratio"] == {
        "cell": "Outputs!B2", "smallest": 50.0, "p10": 50.0, "median": 50.0, "p90": 50.0,
        "largest": 50.0, "mean": 50.0, "numbers": 1, "errors": 1,
    }  # fmt: skip
    assert told["outputs"]["profit"]["largest"] == 300.0
    assert told["set"] == ["Inputs!B3 = 0"]
    assert (told["scenarios"], told["done"], told["complete"]) == (2, 2, True)
    assert [(r["scenario"], r["ratio"]) for r in rows("r.csv")] == [
        ("none", "#DIV/0!"), ("high", "50"),
    ]  # fmt: skip
    assert "1 results are errors" in run("sweep", model, "--scenarios", "s.csv", "-o", "r.csv")[2]


def test_a_stopped_sweep_says_how_to_continue(run, model, monkeypatch):
    """Ctrl-C writes the results so far; the same command with --resume gives the whole result."""
    asked = ("sweep", model, "--grid", "price=2:11:1", "--watch", "profit", "-o", "r.csv")
    assert run(*asked, "--json")[0] == 0
    whole = Path("r.csv").read_bytes()
    with monkeypatch.context() as context:
        interrupting(context, 4)
        code, _, err = run(*asked)
    assert code == 1
    assert "stopped after 4 of 10; they stand in r.csv" in err
    assert "--resume continues" in err
    assert len(rows("r.csv")) == 4
    code, out, _ = run(*asked, "--resume", "--json")
    assert code == 0
    assert json.loads(out)["taken_from_journal"] == 4
    assert Path("r.csv").read_bytes() == whole


def test_processes_make_the_same_file(run, model):
    """--jobs 2 writes the bytes that one process writes."""
    asked = ("sweep", model, "--grid", "price=2:11:0.25")
    assert run(*asked, "-o", "one.csv")[0] == 0
    assert run(*asked, "-o", "two.csv", "--jobs", "2")[0] == 0
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["--grid", "price=1,2"], 2, "--output"),
        (["-o", "r.csv"], 2, "name either --scenarios TABLE or --grid"),
        (["-o", "r.csv", "--grid", "price=1", "--scenarios", "s.csv"], 2, "name either"),
        (["-o", "r.txt", "--grid", "price=1"], 2, ".csv, .parquet, .xlsx"),
        (["-o", "r.csv", "--grid", "prize=1"], 2, "Nearest names: price"),
        (["-o", "r.csv", "--grid", "price=1", "--watch", "profits"], 2, "Nearest names: profit"),
        (["-o", "r.csv", "--grid", "price=1", "--set", "profit=1"], 2, "holds the formula"),
        (["-o", "none/r.csv", "--grid", "price=1"], 4, "there is no folder"),
        (["-o", "r.csv", "--scenarios", "none.csv"], 4, "no such file"),
        (["-o", "r.csv", "--grid", "price=1:2:1", "--jobs", "0"], 2, "jobs"),
    ],
)
def test_a_sweep_that_cannot_be_meant_is_refused(run, model, arguments, code, part):
    """Wrong usage is exit 2, a file that cannot be used exit 4, in one line, and nothing is left."""
    found, _, err = run("sweep", model, *arguments)
    assert found == code
    assert part in err
    assert not list(Path().glob("r.*"))


def test_a_cell_that_cannot_follow_is_exit_4(run, tmp_path):
    """A watched cell that depends on a function nobody has is refused with sheet, cell and name."""
    plan(tmp_path, lost=True)
    code, _, err = run(
        "sweep", "plan.xlsx", "--grid", "price=1,2", "--watch", "lost", "-o", "r.csv"
    )
    assert code == 4
    assert "Outputs!B5" in err
    assert "NOSUCHFUNCTION" in err
    assert not Path("r.csv").exists()


def test_parquet_needs_its_package(run, model, monkeypatch):
    """Without pyarrow a Parquet result is exit 3, with what to install, before anything runs."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    code, _, err = run("sweep", model, "--grid", "price=1,2", "-o", "r.parquet")
    assert code == 3
    assert "pip install" in err
    assert "pyarrow" in err


def test_figures_beyond_every_number_are_left_out(run, tmp_path):
    """Results so far apart that their mean is no number are written all the same."""
    content = book({"Inputs": {"B1": 1.0}, "Outputs": {"B1": F("Inputs!B1*1", 1.0)}},
                   names={"x": "Inputs!$B$1", "y": "Outputs!$B$1"})  # fmt: skip
    (tmp_path / "b.xlsx").write_bytes(content)
    code, out, _ = run("sweep", "b.xlsx", "--grid", "x=-1.7e308,1.7e308", "-o", "r.csv", "--json")
    assert code == 0
    assert json.loads(out)["outputs"]["y"]["mean"] is None
    assert [r["y"] for r in rows("r.csv")] == ["-1.7e+308", "1.7e+308"]


def test_a_result_never_replaces_what_is_read(run, model):
    """-o naming the model itself is wrong usage; the model stays as it was."""
    before = Path(model).read_bytes()
    for asked in (("sweep", "--grid", "price=1"), ("simulate", "--vary", "price=normal(1,1)"),
                  ("tornado", "--vary", "price=1:3", "--watch", "profit")):  # fmt: skip
        code, _, err = run(asked[0], model, *asked[1:], "-o", f"./{model}")
        assert code == 2
        assert "is a file that is read" in err
    assert Path(model).read_bytes() == before


# --- simulate ------------------------------------------------------------------------------------


SIMULATION = (
    "--vary", "price=normal(2, 0.1)", "--vary", "volume=lognormal(100, 10)",
    "--correlate", "price,volume=0.4", "--watch", "profit", "-n", "256",
    "--threshold", "Outputs!B1>150",
)  # fmt: skip


def test_a_simulation_as_json(run, model):
    """JSON has every figure, chance, driver and distribution."""
    code, out, err = run("simulate", model, *SIMULATION, "-o", "r.xlsx", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    profit = told["outputs"]["profit"]
    assert profit["mean"] == pytest.approx(150, rel=0.02)
    assert profit["standard_error"] == pytest.approx(profit["sd"] / 16)
    ordered = [
        "smallest",
        "p1",
        "p5",
        "p10",
        "p25",
        "median",
        "p75",
        "p90",
        "p95",
        "p99",
        "largest",
    ]
    figures = [profit[name] for name in ordered]
    assert figures == sorted(figures)
    assert set(profit["drivers"]) == {"price", "volume"}
    assert 0.4 < told["chances"]["profit > 150"] < 0.6
    assert told["correlations"] == {"price,volume": 0.4}
    assert told["inputs"]["price"] == {"distribution": "normal(2, 0.1)", "mean": 2.0, "sd": 0.1}
    assert (told["draws"], told["seed"], told["output"]) == (256, 1, "r.xlsx")


def test_the_same_seed_makes_the_same_file(run, model):
    """Two runs of one seed write the same bytes, in every format; another seed writes others."""
    for suffix in ("xlsx", "csv"):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            asked = (*SIMULATION, "--seed", seed, "-o", f"{name}.{suffix}")
            assert run("simulate", model, *asked)[0] == 0
        one, again, other = (Path(f"{name}.{suffix}").read_bytes() for name in "abc")
        assert one == again
        assert one != other


def test_a_simulation_for_people(run, model):
    """Figures, chances and drivers are printed; the bound on the standard error is called one."""
    code, out, err = run("simulate", model, *SIMULATION, "-n", "100", "-o", "r.csv")
    assert code == 0
    for part in ("128 draws of plan.xlsx, seed 1: r.csv", "standard error (at most)",
                 "profit > 150", "What drives it", "p95"):  # fmt: skip
        assert part in out
    assert "note: 128 draws, not 100" in err


def test_draws_that_fail_are_a_finding(run, model):
    """Errors in some draws are left out, counted, warned of, and exit code 1."""
    code, out, err = run(
        "simulate", model, "--vary", "price=discrete(1:50%, 2:50%)", "--watch", "ratio",
        "-n", "16", "-o", "r.csv",
    )  # fmt: skip
    assert code == 1
    assert "warning: 8 results are no number; they are left out of the figures." in err
    assert "100" in out


def test_a_stopped_simulation_says_nothing_of_its_part(run, model, monkeypatch):
    """Ctrl-C writes no result; --resume gives the whole one."""
    with monkeypatch.context() as context:
        interrupting(context, 50)
        code, out, err = run("simulate", model, *SIMULATION, "-o", "r.xlsx")
    assert code == 1
    assert "stopped after 50 of 256" in err
    assert "median" not in out
    assert not Path("r.xlsx").exists()
    code, out, _ = run("simulate", model, *SIMULATION, "-o", "r.xlsx", "--resume", "--json")
    assert (code, json.loads(out)["taken_from_journal"]) == (0, 50)
    assert Path("r.xlsx").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--vary", "price=gauss(1, 2)"], "is no distribution; write one of: normal(mean, sd)"),
        (["--vary", "price=normal(2, 1)", "--correlate", "price,rent=0.5"], "names no two"),
        (["--vary", "price=normal(2, 1)", "--threshold", "profit"], "write CELL>NUMBER"),
        (["--vary", "case=normal(2, 1)"], "case: is the text 'base'"),
        (["--vary", "price=normal(2, 1)", "--vary", "rent=normal(2, 1)", "--vary",
          "volume=normal(2, 1)", "--correlate", "price,rent=0.9", "--correlate", "rent,volume=0.9",
          "--correlate", "price,volume=-0.9"], "price and rent 0.9, rent and volume 0.9"),
        (["--vary", "price=normal(2, 1)", "-n", "0"], "-n 0"),
    ],
)  # fmt: skip
def test_a_simulation_that_cannot_be_meant_is_refused(run, model, arguments, part):
    """What makes no sense is said in plain words with exit code 2."""
    code, _, err = run("simulate", model, *arguments, "--watch", "profit", "-o", "r.csv")
    assert code == 2
    assert part in err


# --- tornado -------------------------------------------------------------------------------------


def test_a_tornado(run, model):
    """Bars by swing, printed, in JSON and in a workbook with a chart."""
    asked = ("tornado", model, "--vary", "price+-20%", "--vary", "rent=0:100", "--watch", "profit",
             "-o", "t.xlsx")  # fmt: skip
    code, out, err = run(*asked)
    assert (code, err) == (0, "")
    assert out.index("rent") < out.index("price")
    told = json.loads(run(*asked, "--json")[1])
    assert (told["base"], told["cell"]) == (150.0, "Outputs!B1")
    assert told["bars"][0] == {
        "input": "rent", "low": 0.0, "base": 50.0, "high": 100.0, "result_low": 200.0,
        "result_high": 100.0, "swing": 100.0,
    }  # fmt: skip
    made = openpyxl.load_workbook("t.xlsx")
    assert len(made["Summary"]._charts) == 1


def test_a_bar_that_fails_is_a_finding(run, model):
    """An end at which the result is an error is told with exit code 1; JSON has no swing there."""
    asked = ("tornado", model, "--vary", "price=1:3", "--watch", "ratio", "-o", "t.csv")
    code, out, err = run(*asked, "--json")
    assert code == 1
    assert json.loads(out)["bars"][0]["swing"] is None
    code, out, err = run(*asked)
    assert "1 inputs lead to a result that is no number" in err
    assert "#DIV/0!" in out


def test_a_tornado_is_written_as_a_workbook_or_csv(run, model):
    """Any other kind of file is wrong usage."""
    code, _, err = run(
        "tornado", model, "--vary", "price=1:3", "--watch", "ratio", "-o", "t.parquet"
    )
    assert code == 2
    assert ".xlsx, .csv" in err


# --- all -----------------------------------------------------------------------------------------


def test_warnings_of_the_evidence_are_passed_on(run):
    """What the book's own functions had to say when it was loaded is told, as recalc tells it."""
    assert run("new", "token_budget", "-o", "b.xlsx")[0] == 0
    asked = ("tornado", "b.xlsx", "--vary", "discount_rate=0.08:0.12", "--watch", "cost_flat",
             "-o", "t.csv")  # fmt: skip
    code, _, err = run(*asked)
    assert code == 0
    assert "warning: thin evidence" in err
    assert any("thin" in warning for warning in json.loads(run(*asked, "--json")[1])["warnings"])
