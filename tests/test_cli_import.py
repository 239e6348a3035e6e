"""The command ``catalog import``: what it writes, prints and refuses, and its exit codes."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from xltoken.cli import main

POINT = {
    "hw": "b200-nv", "conc": 64, "framework": "sglang", "infmax_model_prefix": "dsr1",
    "precision": "fp4", "spec_decoding": "none", "disagg": False, "isl": 1024, "osl": 1024,
    "is_multinode": False, "tp": 8, "ep": 1, "dp_attention": "false", "tput_per_gpu": 1000.0,
    "median_intvty": 70.5, "median_ttft": 0.25, "median_e2el": 15.0,
}  # fmt: skip
DAY = ("--date", "2026-06-01")


@pytest.fixture
def run(run):
    """Run ``xltoken catalog import`` in a folder of its own; gives exit code, stdout, stderr."""
    return lambda *arguments: run("catalog", "import", *arguments)


@pytest.fixture
def results(tmp_path):
    """Write points into a JSON file; gives its name."""

    def write(*points, name="agg_result.json"):
        (tmp_path / name).write_text(json.dumps(list(points)), encoding="utf-8")
        return name

    return write


def test_the_example_of_the_help_runs(run, results):
    """What the help shows as an example does what it says; shared options are there."""
    code, out, _ = run("--help")
    assert code == 0
    assert "--json" in out
    text = " ".join(out.split())
    example = re.search(r"Example: xltoken catalog import (.+?) Arguments:", text)[1]
    results(POINT)
    code, out, err = run(*shlex.split(example))
    assert (code, err) == (0, "")
    assert out == "1 rows taken, 0 refused; written to my-figures/observations.csv.\n"
    assert list(Path("my-figures").iterdir()) == [Path("my-figures/observations.csv")]


def test_what_is_imported_is_a_catalog(run, results, monkeypatch):
    """The folder written passes ``catalog validate`` and its rows count."""
    assert run(results(POINT), "-o", "mine", *DAY)[0] == 0
    monkeypatch.setattr(sys, "argv", ["xltoken", "catalog", "validate", "mine"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code


def test_refused_rows_are_told_with_exit_1(run, results):
    """Rows refused are counted by reason; with --json each is listed with its place."""
    name = results(POINT, {**POINT, "tput_per_gpu": 0}, {**POINT, "hw": "z1"})
    code, out, _ = run(name, "-o", "mine", *DAY)
    assert code == 1
    assert "1 rows taken, 2 refused" in out
    assert "served nothing" in out
    code, out, _ = run(name, "-o", "mine", *DAY, "--force", "--json")
    answer = json.loads(out)
    assert code == 1
    assert (answer["file"], answer["rows"]) == (str(Path("mine/observations.csv")), 1)
    assert [set(refused) for refused in answer["refused"]] == [
        {"file", "row", "column", "message"}
    ] * 2
    assert [(r["row"], r["column"]) for r in answer["refused"]] == [(2, "tput_per_gpu"), (3, "hw")]


def test_nothing_usable_is_exit_4_and_no_file(run, results):
    """Where no row can be taken nothing is written, and the reasons are told."""
    code, out, _ = run(results(POINT), "-o", "mine")
    assert code == 4
    assert "0 rows taken, 1 refused; nothing was written." in out
    assert "--date" in out
    assert not Path("mine").exists()
    code, out, _ = run(results(POINT), "-o", "mine", "--json")
    assert code == 4
    assert (json.loads(out)["file"], json.loads(out)["rows"]) == (None, 0)


def test_many_reasons_are_cut(run, results):
    """More than twenty reasons are not all printed; --json has them."""
    name = results(*({**POINT, "hw": f"z{number}"} for number in range(25)))
    code, out, _ = run(name, "-o", "mine", *DAY)
    assert code == 4
    assert "... and 5 more reasons: --json lists them all." in out


def test_a_file_that_exists_is_kept(run, results):
    """Nothing is overwritten without --force."""
    Path("mine").mkdir()
    kept = Path("mine/observations.csv")
    kept.write_text("kept", encoding="utf-8")
    code, out, err = run(results(POINT), "-o", "mine", *DAY)
    assert (code, out) == (4, "")
    assert "--force" in err
    assert kept.read_text(encoding="utf-8") == "kept"
    assert run(results(POINT), "-o", "mine", *DAY, "--force")[0] == 0
    assert kept.read_text(encoding="utf-8").startswith("observation_id,")


def test_another_name_is_noted(run, results):
    """A CSV file of another name is written, and the note says that no catalog reads it."""
    code, _, err = run(results(POINT), "-o", "points.csv", *DAY)
    assert code == 0
    assert "reads observations.csv only" in err
    assert Path("points.csv").exists()


def test_a_source_must_be_known(run, results):
    """A source that nobody describes stops the import; one of the catalog is taken."""
    code, _, err = run(results(POINT), "-o", "mine", *DAY, "--source-id", "nowhere")
    assert code == 4
    assert "sources.csv" in err
    assert run(results(POINT), "-o", "mine", *DAY, "--source-id", "ix-vera-rubin")[0] == 0
    assert "ix-vera-rubin" in Path("mine/observations.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--date", "June"),
        ("--tokens-in", "0"),
        ("--tokens-out", "many"),
        ("--format", "xml"),
    ],
)
def test_wrong_options_are_wrong_usage(run, results, arguments):
    """An option that cannot be read ends in exit 2 and one line."""
    code, out, err = run(results(POINT), "-o", "mine", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_an_unknown_platform_is_exit_4(run, results):
    """An unknown platform is told with the nearest names."""
    code, _, err = run(results(POINT), "-o", "mine", *DAY, "--platform", "B2000")
    assert code == 4
    assert "Nearest: B200" in err


def test_a_folder_that_cannot_be_made_is_exit_4(run, results):
    """A folder below a file cannot be made; a read-only one cannot be written."""
    Path("file").write_text("", encoding="utf-8")
    code, _, err = run(results(POINT), "-o", "file/mine", *DAY)
    assert code == 4
    assert "cannot be made" in err
    code, _, err = run(results(POINT), "-o", "x" * 300, *DAY)
    assert code == 4
    assert "cannot be written" in err
    Path("closed").mkdir()
    Path("closed").chmod(0o555)
    code, _, err = run(results(POINT), "-o", "closed", *DAY)
    Path("closed").chmod(0o755)
    assert code == 4
    assert "read-only" in err


def test_every_format_may_be_named(run, results):
    """A format that is named is not looked for; a file that is not of it is refused."""
    assert run(results(POINT), "-o", "mine", *DAY, "--format", "inferencex")[0] == 0
    code, out, _ = run(results(POINT), "-o", "mine", *DAY, "--format", "mlperf", "--force")
    assert code == 4
    assert "no file of a known format" in out
