"""The command line as a person meets it: output, exit codes, errors in one line."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from xltoken.functions import FUNCTIONS

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def budget(run):
    """A budget workbook, as ``new`` makes it."""
    assert run("new", "token_budget", "-o", "b.xlsx")[0] == 0
    return Path("b.xlsx")


def parts(path):
    """Every part of a workbook by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_python_m_is_the_same_command():
    """``python -m xltoken`` answers like ``xltoken``."""
    done = subprocess.run(
        [sys.executable, "-m", "xltoken", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"xltoken \d+\.\d+\.\d+\n", done.stdout)


COMMANDS = (
    "demo", "new", "recalc", "eval", "functions", "doctor",
    "catalog list", "catalog show", "catalog sources", "catalog validate", "catalog prices",
    "claims", "backtest", "platforms", "sweep", "simulate", "tornado", "relink", "addin build",
)  # fmt: skip
WITH_FILES = ("catalog import", "batch", "addin install", "addin uninstall", "addin status")
"""Commands whose example needs a file of somebody else, or Windows; their own tests run them."""


@pytest.mark.parametrize("command", COMMANDS + WITH_FILES)
def test_help_has_an_example_and_the_shared_options(run, command):
    """Every command's help shows an example, --json and --catalog."""
    code, out, _ = run(*command.split(), "--help")
    assert code == 0
    assert f"Example: xltoken {command}" in " ".join(out.split())
    assert "--json" in out
    assert "--catalog" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_the_help_runs(run, command, budget):
    """What a help text shows as an example does what it says."""
    _, out, _ = run(*command.split(), "--help")
    text = " ".join(out.split())
    example = re.search(r"Example: xltoken (.+?) (?:Arguments|Options):", text)[1]
    budget.replace("budget.xlsx")
    Path("my-figures").mkdir()
    import shlex

    assert run(*shlex.split(example), *(["--force"] if command == "new" else []))[0] == 0


def test_eval_gives_the_headline(run):
    """The seed's two cents come out, with the warning that the evidence is thin."""
    formula = (
        '=TOKEN_COST("B200", DATE(2026,1,1), "gpt-oss-120b/batch", '
        '{"usd_per_accelerator_hour",1.95})'
    )
    code, out, _ = run("eval", formula, "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["value"] == pytest.approx(0.0209, rel=0.005)
    assert any("thin evidence" in warning for warning in answer["warnings"])


@pytest.mark.parametrize(("day", "usd"), [(8, 0.1083), (9, 0.0217)])
def test_eval_shows_the_vendors_step(run, day, usd):
    """In scenario vendor the cost steps on the day of the second statement."""
    formula = (
        f'=TOKEN_COST("B200", DATE(2025,10,{day}), "gpt-oss-120b/batch", '
        '{"scenario","vendor";"usd_per_accelerator_hour",2.34})'
    )
    answer = json.loads(run("eval", formula, "--json")[1])
    assert answer["value"] == pytest.approx(usd, rel=0.005)
    assert any("thin evidence" in warning for warning in answer["warnings"])


def test_eval_of_an_error_is_a_finding(run):
    """An error value ends in exit 1 and says what to do."""
    code, out, err = run("eval", '=TOKEN_COST("B2000", 0, "gpt-oss-120b/batch")')
    assert (code, out.strip()) == (1, "#N/A")
    assert "B200" in err
    code, out, _ = run("eval", '=TOKEN_COST("B2000", 0, "gpt-oss-120b/batch")', "--json")
    assert code == 1
    assert json.loads(out)["value"] == "#N/A"
    assert "Nearest: " in json.loads(out)["message"]


def test_eval_gives_tables_as_rows(run):
    """A spilled table is read back whole, and prints for people too."""
    formula = '=TOKEN_COST({"B200";"H200"}, {0,12}, "deepseek-r1/chat")'
    code, out, _ = run("eval", formula, "--json")
    rows = json.loads(out)["value"]
    assert code == 0
    assert [len(row) for row in rows] == [2, 2]
    assert "0.0" in run("eval", formula)[1]
    assert "platform" in run("eval", '=PLATFORM_RANKING(0,"glm-5/summarize")')[1]


@pytest.mark.parametrize("formula", ["=TOKEN_COST(", "=1+", "=", "hello world"])
def test_eval_of_no_formula_is_wrong_usage(run, formula):
    """What cannot be read as a formula ends in exit 2 and one line."""
    code, out, err = run("eval", formula)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_demo_prints_the_answer(run):
    """The demo says where the workbook is, both costs, the NPV difference and what they rest on."""
    code, out, _ = run("demo")
    assert code == 0
    assert str(Path("demo/token_budget.xlsx").resolve()) in out
    for line in ("Cost, unit costs declining", "Cost, flat line", "NPV difference", "warning: "):
        assert line in out
    data = json.loads(run("demo", "--json")[1])
    assert data["cost_flat"] > data["cost_declining"] > 0
    assert data["npv_difference"] == pytest.approx(data["npv_declining"] - data["npv_flat"])
    assert data["checks"] == "OK"
    assert all(row["citation"] and row["date"] and row["grade"] for row in data["evidence"])


def test_recalc_without_changes_changes_no_part(run, budget):
    """A recalculation of a fresh book leaves every part byte for byte."""
    code, out, _ = run("recalc", budget, "-o", "c.xlsx")
    assert code == 0
    assert "c.xlsx" in out
    assert parts("c.xlsx") == parts(budget)


def test_recalc_with_a_setting_tells_and_writes(run, budget):
    """--set changes an input and what depends on it; the source stays as it was."""
    before = budget.read_bytes()
    code, out, _ = run("recalc", budget, "-o", "c.xlsx", "--set", "utilization=0.4", "--json")
    summary = json.loads(out)["files"][0]["summary"]
    assert code == 0
    assert summary["changed"] > 100
    assert summary["refused"] == 0
    assert budget.read_bytes() == before
    assert {n for n, d in parts("c.xlsx").items() if d != parts(budget)[n]} <= {
        n for n in parts(budget) if n.startswith("xl/worksheets/sheet")
    }


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("Nope!A1=1", "no sheet"),
        ("Inputs!ZZ99=1", "unused cell"),
        ("no_such_name=1", "no defined name"),
        ("Outputs!C7=1", "formula"),
        ("utilization", "CELL=VALUE"),
        ("utilization=much", "neither a number nor a date"),
    ],
)
def test_recalc_of_an_unknown_cell_is_wrong_usage(run, budget, setting, told):
    """A setting that names no input ends in exit 2, one helpful line, and writes nothing."""
    code, _, err = run("recalc", budget, "-o", "c.xlsx", "--set", setting)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1
    assert not Path("c.xlsx").exists()


def _unusable(kind, good):
    path = Path("x.xlsx")
    if kind == "text":
        path.write_text("no workbook")
    elif kind == "truncated":
        path.write_bytes(good.read_bytes()[:5000])
    elif kind == "encrypted":
        path.write_bytes(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(600)
            + "EncryptedPackage".encode("utf-16-le")
        )
    return path


@pytest.mark.parametrize("kind", ["missing", "text", "truncated", "encrypted"])
def test_recalc_of_an_unusable_file(run, budget, kind):
    """A file that cannot be read ends in exit 4, one line that names it, and writes nothing."""
    path = _unusable(kind, budget)
    before = path.read_bytes() if path.exists() else None
    code, out, err = run("recalc", path, "-o", "c.xlsx")
    assert (code, out) == (4, "")
    assert err.startswith("xltoken: x.xlsx: ")
    assert err.count("\n") == 1
    assert (path.read_bytes() if path.exists() else None) == before
    assert not Path("c.xlsx").exists()


def test_recalc_to_a_read_only_file(run, budget):
    """A read-only target is refused and keeps its content."""
    target = Path("c.xlsx")
    target.write_bytes(b"precious")
    target.chmod(0o444)
    code, _, err = run("recalc", budget, "-o", target)
    assert code == 4
    assert "read-only" in err
    assert target.read_bytes() == b"precious"


def test_one_bad_file_does_not_stop_the_others(run, budget):
    """With several workbooks the rest is done, and the exit code tells of the failure."""
    code, out, err = run("recalc", budget, "missing.xlsx")
    assert code == 4
    assert "b.xlsx" in out
    assert "missing.xlsx: there is no such file" in err


def test_errors_are_json_too(run):
    """With --json a failure is one object with message and exit code."""
    code, out, _ = run("recalc", "missing.xlsx", "--json")
    assert code == 4
    assert json.loads(out)["error"]["exit_code"] == 4
    code, out, _ = run("eval", "--json")
    assert code == 2
    assert json.loads(out)["error"]["exit_code"] == 2


def test_new_does_not_replace_a_changed_workbook(run, budget):
    """A workbook somebody worked in is replaced on --force only; an untouched one may be made anew."""
    assert run("new", "token_budget", "-o", budget)[0] == 0
    budget.write_bytes(b"my own figures")
    code, _, err = run("new", "token_budget", "-o", budget)
    assert code == 4
    assert "--force" in err
    assert budget.read_bytes() == b"my own figures"
    assert run("new", "token_budget", "-o", budget, "--force")[0] == 0
    assert budget.read_bytes()[:2] == b"PK"


def test_new_of_an_unknown_template(run):
    """An unknown template ends in exit 2 with the names there are."""
    code, _, err = run("new", "no_such")
    assert code == 2
    assert "token_budget" in err


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_functions_explains_each(run, name):
    """Every function is explained with its parameters, units and a worked example that computes."""
    code, out, _ = run("functions", name.lower(), "--json")
    data = json.loads(out)
    assert code == 0
    assert data["name"] == name
    assert data["example_value"] not in (None, "#VALUE!", "#NAME?")
    code, out, _ = run("functions", name)
    assert code == 0
    assert data["example"] in " ".join(out.split())


def test_functions_lists_all(run):
    """The list holds every function, for people and as data."""
    assert all(name in run("functions")[1] for name in FUNCTIONS)
    listed = json.loads(run("functions", "--json")[1])["functions"]
    assert [function["name"] for function in listed] == list(FUNCTIONS)
    assert run("functions", "no_such")[0] == 4


def test_catalog_list_and_show(run):
    """Platforms without evidence are listed with their reason; a workload shows its ranking."""
    data = json.loads(run("catalog", "list", "--json")[1])
    rows = {row["platform"]: row for row in data["platforms"]}
    assert rows["Trainium2"]["observations"] == 0
    assert "no public measurement" in rows["Trainium2"]["note"]
    assert "GB200 NVL72" in run("catalog", "list")[1]
    shown = json.loads(run("catalog", "show", "gb200-nvl72", "--json")[1])
    assert shown["platform"] == "GB200 NVL72"
    assert shown["rates"]
    assert "own_hyperscaler" in run("catalog", "show", "gb200")[1]
    ranked = json.loads(run("catalog", "show", "deepseek-r1/chat", "--json")[1])["ranking"]
    assert ranked[0]["rank"] == 1
    assert "GB200 NVL72" in run("catalog", "show", "deepseek-r1/chat")[1]
    assert run("catalog", "show", "no such")[0] == 4


def test_catalog_sources(run):
    """Sources are listed with the facts that rest on them; an unknown one is refused."""
    listed = json.loads(run("catalog", "sources", "--json")[1])["sources"]
    assert {"nv-blog-2025-10", "trtllm-perf-overview-2026"} <= {s["source_id"] for s in listed}
    assert "NVIDIA" in run("catalog", "sources", "nv-blog-2025-10")[1]
    assert run("catalog", "sources", "no-such")[0] == 4


def test_catalog_validate_names_rows(run):
    """Problems are told by file, row and column, as findings; a clean folder is done."""
    folder = Path("mine")
    folder.mkdir()
    (folder / "rates.csv").write_text(
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,own_hyperscaler,2026-01-01,-1\n"
    )
    code, out, _ = run("catalog", "validate", folder)
    assert code == 1
    assert "rates.csv, row 2, usd_per_accelerator_hour: must be above 0" in " ".join(out.split())
    (folder / "rates.csv").write_text(
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,own_hyperscaler,2027-01-01,1\n"
    )
    assert run("catalog", "validate", folder)[0] == 0
    assert json.loads(run("catalog", "validate", "--json")[1])["valid"] is True
    assert run("catalog", "validate", "nowhere")[0] == 4


def test_catalog_option_lays_figures_over(run):
    """--catalog DIR counts in every command: the user's rate wins and is told of."""
    folder = Path("mine")
    folder.mkdir()
    (folder / "rates.csv").write_text(
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,own_hyperscaler,2020-01-01,10\n"
    )
    formula = '=TOKEN_COST("B200",0,"gpt-oss-120b/batch")'
    plain = json.loads(run("eval", formula, "--json")[1])["value"]
    answer = json.loads(run("eval", formula, "--json", "--catalog", folder)[1])
    assert answer["value"] == pytest.approx(plain * 10 / 1.73)
    assert any("user's row" in warning for warning in answer["warnings"])


def test_a_broken_overlay_is_unusable(run):
    """A folder that cannot be used as a catalog ends in exit 4, naming the row."""
    folder = Path("mine")
    folder.mkdir()
    (folder / "rates.csv").write_text("platform,basis\nB200,mine\n")
    code, _, err = run("catalog", "list", "--catalog", folder)
    assert code == 4
    assert "row 2" in err


def test_a_missing_part_is_named(run, monkeypatch):
    """An optional package that is missing ends in exit 3 and says how to get it."""
    monkeypatch.setitem(sys.modules, "formualizer", None)
    for name in [n for n in sys.modules if n.startswith(("xltoken.recalc", "xltoken.templates"))]:
        monkeypatch.delitem(sys.modules, name)
    code, _, err = run("eval", "=1+1")
    assert code == 3
    assert "pip install formualizer" in err


def test_a_defect_says_so(run, monkeypatch):
    """An exception that nobody expected is exit 5, one line, no traceback."""
    from xltoken import doctor

    monkeypatch.setattr(doctor, "examine", lambda: 1 / 0)
    code, out, err = run("doctor")
    assert (code, out) == (5, "")
    assert "a defect of xltoken" in err
    assert "Traceback" not in err
    monkeypatch.setenv("XLTOKEN_TRACEBACK", "1")
    assert "Traceback" in run("doctor")[2]


def test_an_interrupt_is_told(run, monkeypatch):
    """Ctrl-C ends in one line."""
    from xltoken import doctor

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "examine", interrupted)
    code, _, err = run("doctor")
    assert code == 130
    assert "interrupted" in err


def test_a_reader_that_goes_away_is_no_error():
    """``xltoken functions | head -1`` ends quietly."""
    command = f'"{sys.executable}" -m xltoken catalog sources --json | head -c 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_the_commands_of_the_readme_exist(run):
    """Each command that the README names has a help page."""
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)xltoken ((?:catalog )?[a-z]+)", text, re.MULTILINE))
    assert {"new", "recalc", "eval", "doctor"} <= named
    for command in named:
        assert run(*command.split(), "--help")[0] == 0


@pytest.mark.parametrize("command", ["recalc", "eval", "new"])
def test_an_unusable_catalog_stops_a_command_before_any_file(run, budget, command):
    """A catalog that cannot be used ends in exit 4; the workbook in place stays as it was."""
    before = budget.read_bytes()
    arguments = {"recalc": [budget], "eval": ["=1+1"], "new": ["token_budget", "-o", "n.xlsx"]}
    code, out, err = run(command, *arguments[command], "--catalog", "typo")
    assert (code, out) == (4, "")
    assert "typo" in err
    assert budget.read_bytes() == before
    assert not Path("n.xlsx").exists()


def test_recalc_tells_why_cells_became_errors(run, budget):
    """Values that become errors are named with the reason, as findings; --strict writes nothing."""
    code, out, err = run("recalc", budget, "-o", "c.xlsx", "--set", "utilization=4")
    assert code == 1
    assert "error: Calculations!" in out
    assert "utilization must be" in err
    assert run("recalc", budget, "-o", "s.xlsx", "--set", "utilization=4", "--strict")[0] == 1
    assert not Path("s.xlsx").exists()


def test_a_model_is_shown_with_its_evidence_and_prices(run):
    """A model's name shows what is measured of it and the newest price of each provider."""
    code, out, _ = run("catalog", "show", "gpt-oss-120b", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["released"] == "2025-08-05"
    assert {"platform": "B200", "shape": "1000/1000", "precision": "nvfp4", "rows": 1} in (
        found["observations"]
    )
    [groq] = [p for p in found["prices"] if (p["provider"], p["kind"]) == ("groq", "output")]
    assert (groq["usd_per_million_tokens"], groq["valid_from"]) == (0.6, "2025-11-11")
    assert len({(p["provider"], p["kind"]) for p in found["prices"]}) == len(found["prices"])
    code, out, _ = run("catalog", "show", "gpt-4o")
    assert code == 0
    assert "on a day not known" in out
    assert run("catalog", "show", "gpt-9")[0] == 4


def test_platforms_without_evidence_are_listed_with_the_reason(run):
    """What no measurement reaches stands in the listing with its note."""
    _, out, _ = run("catalog", "list")
    assert re.search(r"Gaudi 3: .*no public measurement", out)
    assert "glm-5/chat" not in out
