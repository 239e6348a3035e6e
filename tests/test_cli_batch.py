"""The command batch: its table, report, journal, exit codes and what Ctrl-C leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xltoken.cli import frame
from xltoken.recalc import batch_run
from xltoken.recalc.batch import identity
from xltoken.templates import new


@pytest.fixture(scope="module")
def budget(tmp_path_factory):
    """A budget workbook with its values."""
    path = tmp_path_factory.mktemp("budget") / "b.xlsx"
    new("token_budget", path)
    return path.read_bytes()


@pytest.fixture
def models(run, budget):
    """A folder with three workbooks below the folder of the test."""
    folder = Path("models")
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.xlsx").write_bytes(budget)
    return folder


def test_a_folder_is_recalculated_into_another(run, models):
    """The table names every file and its status; the last line counts; inputs stay."""
    before = (models / "a.xlsx").read_bytes()
    code, out, err = run("batch", "models", "-o", "out", "--set", "utilization=0.4", "--jobs", "1")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["status", "done", "done", "done"]
    assert "3 files: 3 done, 0 with findings, 0 failed; 0 kept;" in err.splitlines()[-1]
    assert (models / "a.xlsx").read_bytes() == before
    outputs = [Path("out", f"{name}.xlsx").read_bytes() for name in "abc"]
    assert outputs[0] == outputs[1] == outputs[2] != before


def test_warnings_of_many_files_are_told_once(run, models):
    """A warning that every workbook gives is one line with their number."""
    _, _, err = run("batch", "models", "-o", "out", "--jobs", "1")
    warnings = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert warnings
    assert len(set(warnings)) == len(warnings)
    assert all(line.endswith("(3 files)") for line in warnings)


def test_a_terminal_sees_a_bar(run, models, monkeypatch):
    """On a terminal the files done of all files are shown; the table stays as it is."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    code, out, err = run("batch", "models", "-o", "out", "--jobs", "1")
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "3 files: 3 done" in err


def test_in_place_is_the_default(run, models):
    """Without -o each workbook is written itself, and the journal stands here."""
    before = (models / "a.xlsx").read_bytes()
    assert run("batch", "models/a.xlsx", "--set", "utilization=0.4")[0] == 0
    assert (models / "a.xlsx").read_bytes() != before
    assert (models / "b.xlsx").read_bytes() == before
    assert Path(".xltoken-batch.jsonl").exists()
    said = json.loads(
        run("batch", "models/a.xlsx", "--set", "utilization=0.4", "--resume", "--json")[1]
    )
    assert said["totals"]["kept"] == 1


def test_json_is_the_report(run, models):
    """--json prints, and --report writes, every file, the totals, and what computed them."""
    code, out, err = run("batch", "models", "-o", "out", "--json", "--report", "r.json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert data == json.loads(Path("r.json").read_text())
    assert [Path(f["file"]).name for f in data["files"]] == ["a.xlsx", "b.xlsx", "c.xlsx"]
    assert data["totals"]["files"] == data["totals"]["done"] == 3
    formulas = data["files"][0]["summary"]["formulas"]
    assert data["totals"]["formulas"] == 3 * formulas > 0
    who = identity()
    assert (data["version"], data["fingerprint"]) == (who.version, who.fingerprint)
    assert data["engine"] == who.engine
    assert data["seconds"] > 0
    assert Path("r.json.jsonl").exists()
    assert not Path("out/.xltoken-batch.jsonl").exists()


def test_scenarios_are_named_in_the_table(run, models):
    """Each workbook becomes one for each scenario, and each is a line."""
    Path("s.csv").write_text("name,utilization\nlow,40%\nhigh,90%\n", encoding="utf-8")
    code, out, _ = run("batch", "models/a.xlsx", "-o", "out", "--scenarios", "s.csv")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["scenario", "low", "high"]
    low, high = Path("out/a--low.xlsx").read_bytes(), Path("out/a--high.xlsx").read_bytes()
    assert low != high


def test_a_failed_file_is_exit_4_and_the_others_are_done(run, models):
    """One damaged workbook is told with its reason; the rest is written and reported."""
    (models / "b.xlsx").write_bytes(b"PK, but no more")
    code, out, err = run("batch", "models", "-o", "out", "--report", "r.json")
    assert code == 4
    assert [line.split()[-1] for line in out.splitlines()[1:]] == ["done", "failed", "done"]
    assert "xltoken: models/b.xlsx: " in err.replace("\\", "/")
    assert "is damaged" in err
    assert json.loads(Path("r.json").read_text())["totals"]["failed"] == 1
    assert sorted(p.name for p in Path("out").glob("*.xlsx")) == ["a.xlsx", "c.xlsx"]


def test_findings_are_exit_1_and_told_with_their_cell(run, models):
    """A cell that becomes an error is named with its file."""
    code, out, err = run("batch", "models/a.xlsx", "-o", "out", "--set", "utilization=-1")
    assert code == 1
    assert out.splitlines()[1].split()[-1] == "findings"
    assert any(line.startswith("error: ") and "a.xlsx" in line for line in err.splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["models", "models/a.xlsx"], "a.xlsx is given twice"),
        (["models", "-o", "models"], "both input and output"),
        (["models", "--scenarios", "s.csv"], "scenarios need an output folder"),
        (["nothing*.xlsx"], "no file matches"),
        (["models", "--jobs", "0"], "--jobs"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(run, models, arguments, said):
    """A batch that makes no sense ends before it begins, with exit code 2."""
    code, out, err = run("batch", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_report_that_cannot_be_written_stops_the_batch_first(run, models):
    """The place of the report is tried before any workbook."""
    code, _, err = run("batch", "models", "--report", "no/folder/r.json")
    assert code == 4
    assert "there is no folder" in err
    assert not Path(".xltoken-batch.jsonl").exists()


def test_a_cluster_needs_its_extra(run, models, monkeypatch):
    """Without the package the command says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, err = run("batch", "models", "-o", "out", "--cluster", "tcp://127.0.0.1:1")
    assert code == 3
    assert "distributed" in err


def test_nothing_of_a_cluster_is_loaded_without_one():
    """The commands start, and a batch here runs, without the packages of a cluster."""
    code = (
        "import sys; import xltoken.cli.batching, xltoken.recalc.batch_run, "
        "xltoken.recalc.batch_plan; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"distributed", "dask", "openpyxl", "pandas"} & set(done.stdout.split())


@pytest.mark.parametrize("json_wanted", [False, True])
def test_ctrl_c_leaves_the_report_and_the_way_on(run, models, monkeypatch, json_wanted):
    """Exit 130, one line that names --resume, the report so far; --resume does the rest."""
    done = batch_run.run

    def stopped(tasks, each, **where):
        done(tasks[:1], each, **where)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch_run, "run", stopped)
    asked = ["batch", "models", "-o", "out", "--report", "r.json", "--jobs", "1"]
    shown = ["--json"] if json_wanted else []
    code, out, err = run(*asked, *shown)
    assert code == frame.INTERRUPTED
    assert err == (
        "xltoken: interrupted; 1 of 3 files are finished and stay: the same command with "
        "--resume does the rest.\n"
    )
    written = json.loads(Path("r.json").read_text())
    assert written["totals"]["files"] == 1
    assert (json.loads(out) == written) if json_wanted else (out == "")
    monkeypatch.setattr(batch_run, "run", done)
    code, out, err = run(*asked, "--resume")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()[1:]] == ["kept", "done", "done"]
    assert "3 files: 3 done" in err
    assert "1 kept" in err


def test_a_batch_that_stops_says_that_finished_files_stay(run, models, monkeypatch):
    """Workers that cannot be used end the batch with exit code 4; the report so far is written."""
    from xltoken.recalc.batch import BatchError

    done = batch_run.run

    def stopped(tasks, each, **where):
        done(tasks[:1], each, **where)
        raise BatchError("the workers went home.")

    monkeypatch.setattr(batch_run, "run", stopped)
    code, _, err = run("batch", "models", "-o", "out", "--report", "r.json", "--jobs", "1")
    assert code == 4
    assert err == "xltoken: the workers went home. Finished files stay; --resume goes on.\n"
    assert json.loads(Path("r.json").read_text())["totals"]["done"] == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to consoles only")
def test_a_real_ctrl_c_in_a_terminals_group(models, budget):
    """Ctrl-C reaches caller and processes at once: one line, no traceback, whole files only."""
    for number in range(60):
        (models / f"m{number:02}.xlsx").write_bytes(budget)
    command = [sys.executable, "-m", "xltoken", "batch", "models", "-o", "out", "--jobs", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as caller:
        while len(list(Path("out").glob("*.xlsx"))) < 3:
            assert caller.poll() is None
            time.sleep(0.01)
        os.killpg(caller.pid, signal.SIGINT)
        _, err = caller.communicate()
    assert caller.returncode == frame.INTERRUPTED
    assert err.count("\n") == 1
    assert "--resume" in err
    lines = Path("out/.xltoken-batch.jsonl").read_text().splitlines()
    assert [json.loads(line)["done"]["status"] for line in lines] == ["done"] * len(lines)
    assert len(list(Path("out").glob("*.xlsx"))) == len(lines) < 63
    assert not list(Path("out").glob("*.tmp"))
    done = subprocess.run(
        [*command, "--resume", "--json"], capture_output=True, text=True, check=True
    )
    totals = json.loads(done.stdout)["totals"]
    assert (totals["files"], totals["done"], totals["kept"]) == (63, 63, len(lines))
