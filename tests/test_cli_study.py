"""The commands that question the figures: claims, backtest, platforms, and catalog prices."""

import json
import re
import sys
import types
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from xltoken.catalog import store
from xltoken.functions import FUNCTIONS
from xltoken.model import backtest as study
from xltoken.model.answer import answers, page
from xltoken.model.claims import judged

CLAIM = {
    "claim": "mine", "headline": "My claim", "kind": "unit_cost", "published_value": "1",
    "unit": "USD per 1M tokens", "date": "2026-01-01", "platform": "B200",
    "model": "gpt-oss-120b", "tokens_in": "1024", "tokens_out": "1024",
    "tokens_per_second": "100", "usd_per_accelerator_hour": "3.6",
}  # fmt: skip


@pytest.fixture
def mine(tmp_path):
    """Write a user's claims.csv; gives the folder."""

    def write(**cells):
        row = {**CLAIM, **cells}
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        text = f"{','.join(row)}\n{','.join(row.values())}\n"
        (folder / "claims.csv").write_text(text, encoding="utf-8")
        return folder

    return write


# --- claims --------------------------------------------------------------------------------------


def test_claims_as_json_is_a_list_of_whole_claims(run):
    """Every claim has headline, figures, conditions, grade, source with url, and its variants."""
    code, out, err = run("claims", "--json")
    assert (code, err) == (0, "")
    listed = json.loads(out)
    assert type(listed) is list
    expected = judged(store.load())
    assert [claim["id"] for claim in listed] == [j.claim.claim for j in expected]
    for claim, found in zip(listed, expected, strict=True):
        assert claim["published"] == found.claim.published_value
        assert claim["reproduced"] == found.reproduced
        assert claim["unit"]
        assert claim["grade"] in ("vendor", "claim")
        for name in ("date", "platform", "model", "shape", "tokens_per_second_per_user",
                     "usd_per_accelerator_hour", "text"):  # fmt: skip
            assert claim["conditions"][name]
        assert claim["source"]["url"].startswith("http")
        assert claim["source"]["publisher"]
        assert claim["source"]["published"]
        assert [v["value"] for v in claim["variants"]] == [v.value for v in found.variants]
        for v in claim["variants"]:
            assert ("reason" in v) == (v["value"] is None)
            assert v["conditions"]


def test_the_seeds_figures_are_reproduced(run):
    """0.02, 5, 75 M, 15, 35.5 and 51.9 stand in the list, and 3.15, 1.08, 0.65 and 25 among 15x."""
    listed = {claim["id"]: claim for claim in json.loads(run("claims", "--json")[1])}
    for claim, figure, within in (
        ("b200-two-cents", 0.02, 0.05),
        ("b200-five-times", 5.0, 0.001),
        ("gb200-75-million", 75e6, 0.02),
        ("gb200-15-times", 15.0, 0.02),
        ("gb300-35-times", 35.5, 0.02),
        ("gb300-50-times", 51.9, 0.02),
    ):
        assert listed[claim]["reproduced"] == pytest.approx(figure, rel=within)
    found = [v["value"] for v in listed["gb200-15-times"]["variants"] if v["value"]]
    for multiple in (3.15, 1.08, 0.65, 25.0):
        assert any(value == pytest.approx(multiple, rel=0.01) for value in found)


def test_claims_as_text_shows_each_with_conditions_source_and_variants(run):
    """A person sees headline, figure, conditions, url and what becomes of it, all on one page."""
    code, out, err = run("claims")
    assert (code, err) == (0, "")
    for found in judged(store.load()):
        assert found.claim.headline in out
        assert found.claim.conditions in out
        assert found.claim.assessment in out
        assert store.load().sources[found.claim.source_id].url in out
    assert "tokens per second per user not stated" in out
    assert "from its own inputs 74,929,536" in out
    assert "no value: no row of gpt-oss-120b/batch on B200 states a speed per user" in out
    assert "(and 5 more)" in out
    assert "1 warning" in out
    assert "None" not in out


def test_a_users_claim_is_shown_with_its_file_for_a_source(run, mine):
    """A claim without a source is told with its file's name; one reason has no "and more"."""
    folder = mine()
    code, out, _ = run("claims", "--json", "--catalog", folder)
    assert code == 1  # its own inputs give ten times what it says
    found = json.loads(out)[-1]
    assert found["id"] == "mine"
    assert found["reproduced"] == pytest.approx(10.0)
    assert found["source"] == {"source_id": "claims.csv"}
    code, out, _ = run("claims", "--catalog", folder)
    assert code == 1
    assert "grade claim; claims.csv" in out


def test_a_single_reason_and_many_warnings_are_counted(run, monkeypatch):
    """One missing value is told alone, and two warnings are counted as two."""
    from xltoken.model import claims

    real = judged(store.load())[0]
    two = claims.Variant({"evidence": "catalog"}, 1.0, warnings=("old", "thin"))
    none = claims.Variant({"evidence": "catalog"}, None, "nothing is known.")
    monkeypatch.setattr(claims, "judged", lambda _: [replace(real, variants=(two, none))])
    _, out, _ = run("claims")
    assert "2 warnings" in out
    assert "no value: nothing is known.\n" in out


def test_a_claim_without_an_input_is_the_users_file(run, mine):
    """A claim that lacks an input ends in exit 4 with file, row and column, and asks no report."""
    code, out, err = run("claims", "--catalog", mine(usd_per_accelerator_hour=""))
    assert (code, out) == (4, "")
    assert "claims.csv, row 2" in err
    assert "usd_per_accelerator_hour" in err
    assert "defect" not in err


def test_a_claim_without_an_input_is_no_traceback(run, mine):
    """Whatever the exit code, the line names claim, column, file and row."""
    for arguments in ((), ("--json",)):
        code, out, err = run("claims", *arguments, "--catalog", mine(tokens_per_second=""))
        assert code == 4
        assert err.count("\n") == 1
        for word in ("claim of kind unit_cost", "tokens_per_second", "claims.csv, row 2"):
            assert word in err
        if arguments:
            assert json.loads(out)["error"]["exit_code"] == code


def test_a_claim_without_a_finite_figure_is_exit_4(run, mine):
    """A claim whose inputs give no number ends in exit 4 with file, row and claim."""
    code, out, err = run("claims", "--catalog", mine(tokens_per_second="1e-320"))
    assert (code, out) == (4, "")
    assert "claims.csv, row 2: claim mine" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"kind": "profit"}, "revenue_multiple"),
        ({"published_value": ""}, "published_value"),
        ({"tokens_per_second": "-5"}, "tokens_per_second"),
        ({"date": "soon"}, "YYYY-MM-DD"),
        ({"source_id": "nobody"}, "sources.csv"),
    ],
)
def test_a_claim_that_cannot_be_read_is_exit_4(run, mine, cells, word):
    """A cell that no claim can have ends in exit 4 with file, row and column."""
    code, out, err = run("claims", "--catalog", mine(**cells))
    assert (code, out) == (4, "")
    assert "claims.csv, row 2" in err
    assert word in err


# --- backtest ------------------------------------------------------------------------------------


def test_backtest_says_what_the_study_says(run):
    """The JSON is the study's report; the text shows counts, methods, coverage and the prior."""
    expected = study.report(store.load())
    code, out, err = run("backtest", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(json.dumps(expected, default=str))
    code, out, _ = run("backtest")
    assert code == 0
    assert f"{expected['forecasts']:,} forecasts" in out
    assert f"{expected['drift']['gain_per_month']:.2%}" in out
    for name in (*study.RIVALS, study.MODEL, study.DECELERATING):
        assert name.replace("_", " ") in out
    for platform in expected["platforms"]:
        assert re.search(
            rf"^{platform['platform']} .*{platform['coverage']:.0%}", out, re.MULTILINE
        )
    for again in expected["drift"]["prior_repeated"]:
        assert again["evidence"] in out


def test_the_horizons_of_the_backtest_add_up(run):
    """Horizons and platforms are two ways to cut the same forecasts; inside, above, below too."""
    found = json.loads(run("backtest", "--json")[1])
    for parts in (found["horizons"], found["platforms"]):
        assert sum(part["forecasts"] for part in parts) == found["forecasts"]
    for part in (found, *found["horizons"], *found["platforms"]):
        outside = part["above"] + part["below"]
        assert part["coverage"] == pytest.approx(1 - outside / part["forecasts"])


def test_an_origin_lists_every_forecast_made_then(run):
    """--origin shows each configuration's forecast at the end of that half-month."""
    code, out, err = run("backtest", "--origin", "2026-03-10", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["origin"] == "2026-03 first half"
    made = study.forecasts_at(
        store.load(), study.measured(store.load()), study.half_month(date(2026, 3, 10))
    )
    assert len(found["forecasts"]) == len(made) > 100
    for line, forecast in zip(found["forecasts"], made, strict=True):
        assert line["platform"] == forecast.configuration[0]
        assert line["months_ahead"] == forecast.halves_ahead / 2
        told = line["tokens_per_second_total"]
        assert told["model"] >= told["no_change"] > 0
        assert line["log_spread"] == forecast.spread
    same = json.loads(run("backtest", "--origin", "2026-03-15", "--json")[1])
    assert same == found
    other = json.loads(run("backtest", "--origin", "2026-03-16", "--json")[1])
    assert other["origin"] == "2026-03 second half"
    assert other["forecasts"] != found["forecasts"]
    code, out, _ = run("backtest", "--origin", "2026-03-10")
    assert code == 0
    assert out.startswith(f"{len(made)} forecasts made at the end of 2026-03 first half")
    assert out.count("\n") >= len(made)


def test_a_forecast_knows_nothing_of_later(run):
    """What is measured after an origin does not move its forecasts."""
    whole = json.loads(run("backtest", "--origin", "2026-02-01", "--json")[1])
    catalog = store.load()
    early = tuple(o for o in catalog.observations if max(o.date, o.known_since) < date(2026, 2, 16))
    cut = replace(catalog, observations=early, memo={}, _cuts={})
    made = study.forecasts_at(cut, study.measured(cut), study.half_month(date(2026, 2, 1)))
    told = [line["tokens_per_second_total"]["model"] for line in whole["forecasts"]]
    import math

    assert told == [math.exp(forecast.logs["model"]) for forecast in made]


def test_an_origin_without_measurements_has_none(run):
    """A half-month in which nothing was measured has no forecast, and says so."""
    for day in ("2020-01-01", "2031-01-01"):
        code, out, _ = run("backtest", "--origin", day, "--json")
        assert code == 0
        assert json.loads(out)["forecasts"] == []
        assert run("backtest", "--origin", day)[1].startswith("0 forecasts")


@pytest.mark.parametrize("day", ["soon", "2026-13-01", "01.02.2026", ""])
def test_an_origin_that_is_no_date_is_wrong_usage(run, day):
    """An origin is YYYY-MM-DD; anything else is exit 2 and one line."""
    code, out, err = run("backtest", "--origin", day)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_a_catalog_without_repeats_has_no_backtest(run, monkeypatch):
    """Without a configuration measured twice there are no forecasts, and the text ends there."""
    empty = replace(store.load(), observations=(), memo={}, _cuts={})
    monkeypatch.setattr(store, "current", lambda: empty)
    code, out, _ = run("backtest")
    assert code == 0
    assert out.startswith("0 forecasts from 0 half-months, 0 fixed configurations")
    assert "Median" not in out
    code, out, _ = run("backtest", "--json")
    assert code == 0
    assert json.loads(out)["forecasts"] == 0


# --- platforms -----------------------------------------------------------------------------------


def test_platforms_prints_the_page(run):
    """Without -o the page itself is printed; nothing is written."""
    code, out, err = run("platforms")
    assert (code, err) == (0, "")
    assert out.strip() == page(store.load(), answers(store.load())).strip()
    assert list(Path().iterdir()) == []


def test_platforms_writes_the_page_as_it_is(run):
    """With -o the file holds the page to the last byte, whether it stood there or not."""
    text = page(store.load(), answers(store.load()))
    for _ in range(2):
        code, out, _ = run("platforms", "-o", "which.md")
        assert (code, out) == (0, "which.md: written.\n")
        assert Path("which.md").read_bytes() == text.encode()
    assert [path.name for path in Path().iterdir()] == ["which.md"]


def test_platforms_as_json_has_every_answer(run):
    """The JSON holds the catalog's date and each answer with doubts and flips."""
    code, out, _ = run("platforms", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["date"] == str(store.load().date)
    expected = [answer.as_dict() for answer in answers(store.load())]
    assert found["answers"] == json.loads(json.dumps(expected, default=str))
    assert all({"winner", "low", "high", "doubts", "flips"} <= set(a) for a in found["answers"])


def test_a_page_that_cannot_be_written_is_exit_4(run):
    """A folder that does not exist is told in one line."""
    code, out, err = run("platforms", "-o", "no/such/which.md")
    assert (code, out) == (4, "")
    assert "make it first" in err


# --- catalog prices ------------------------------------------------------------------------------


def _model(name, **prices):
    given = dict.fromkeys(("input_mtok", "output_mtok", "cache_read_mtok")) | prices
    model = types.SimpleNamespace(id=name, asked=[])
    model.get_prices = lambda when: model.asked.append(when) or types.SimpleNamespace(**given)
    return model


@pytest.fixture
def genai(monkeypatch):
    """Stand in for genai-prices: a snapshot with these providers."""

    def install(**providers):
        listed = [
            types.SimpleNamespace(id=name, models=models) for name, models in providers.items()
        ]
        stub = types.ModuleType("genai_prices.data_snapshot")
        stub.get_snapshot = lambda: types.SimpleNamespace(providers=listed)
        parent = types.ModuleType("genai_prices")
        parent.data_snapshot = stub
        monkeypatch.setitem(sys.modules, "genai_prices", parent)
        monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", stub)

    return install


def test_prices_are_written_as_a_catalog_to_lay_over(run, genai):
    """Models that the catalog knows come out under its names, the shortest prompt's price first."""
    tiered = types.SimpleNamespace(base=0.125, tiers=[])
    genai(
        acme=[
            _model("openai/gpt-oss-120b", input_mtok=0.0001, output_mtok=0.0002),
            _model("gpt-oss-120b", input_mtok=9),
            _model("nobody-knows-1", input_mtok=1),
            _model("gpt-oss-120b:free", input_mtok=1),
        ],
        other=[_model("deepseek-r1", input_mtok=tiered, output_mtok=0, cache_read_mtok=0.03)],
    )
    code, out, err = run("catalog", "prices", "-o", "figures")
    assert (code, err) == (0, "")
    assert out == "4 prices written to figures/prices.csv.\n"
    header, *lines = Path("figures/prices.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("provider,model,kind,valid_from,valid_to,usd_per_million_tokens")
    cells = [line.split(",") for line in lines]
    assert [(c[0], c[1], c[2], float(c[5])) for c in cells] == [
        ("acme", "gpt-oss-120b", "input", 0.0001),
        ("acme", "gpt-oss-120b", "output", 0.0002),
        ("other", "deepseek-r1", "input", 0.125),
        ("other", "deepseek-r1", "cache_read", 0.03),
    ]
    assert len({c[3] for c in cells}) == 1
    assert run("catalog", "validate", "figures")[0] == 0


def test_prices_taken_are_asked_with_json_and_kept(run, genai):
    """--json gives file and count; an existing file is kept without --force."""
    genai(acme=[_model("gpt-oss-120b", output_mtok=1)])
    code, out, _ = run("catalog", "prices", "-o", "p.csv", "--json")
    assert (code, json.loads(out)) == (0, {"file": "p.csv", "rows": 1})
    kept = Path("p.csv").read_bytes()
    code, out, err = run("catalog", "prices", "-o", "p.csv")
    assert (code, out) == (4, "")
    assert "--force" in err
    assert Path("p.csv").read_bytes() == kept
    assert run("catalog", "prices", "-o", "p.csv", "--force")[0] == 0


def test_prices_without_the_package_is_exit_3(run, monkeypatch):
    """A missing genai-prices ends in exit 3 and the extra to install; nothing is written."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    monkeypatch.delitem(sys.modules, "genai_prices.data_snapshot", raising=False)
    for arguments in ((), ("--json",)):
        code, out, err = run("catalog", "prices", "-o", "figures", *arguments)
        assert code == 3
        assert "genai_prices is missing" in err
        assert 'pip install "xltoken[prices]"' in err
        if arguments:
            assert json.loads(out)["error"]["exit_code"] == 3
    assert not Path("figures").exists()


def test_prices_that_cannot_be_written_are_exit_4(run, genai):
    """A folder below a file cannot be made, and says so."""
    genai(acme=[_model("gpt-oss-120b", output_mtok=1)])
    Path("file").write_text("", encoding="utf-8")
    code, _, err = run("catalog", "prices", "-o", "file/figures")
    assert code == 4
    assert "cannot be" in err


def test_prices_taken_after_the_catalogs_date_count(run, genai, monkeypatch):
    """What the command takes a month after the catalog is what TOKEN_PRICE says from then on."""
    genai(acme=[_model("gpt-oss-120b", input_mtok=0.0001, output_mtok=0.0002)])
    assert run("catalog", "prices", "-o", "figures")[0] == 0
    text = Path("figures/prices.csv").read_text(encoding="utf-8")
    later = re.sub(r"20\d\d-\d\d-\d\d", "2026-12-24", text)
    Path("figures/prices.csv").write_text(later, encoding="utf-8")
    monkeypatch.setenv("XLTOKEN_CATALOG", str(Path("figures").absolute()))
    found = FUNCTIONS["TOKEN_PRICE"]("gpt-oss-120b", date(2027, 1, 15))
    assert found == pytest.approx(0.0002)
