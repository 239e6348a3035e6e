"""The catalog in memory: look-ups, cuts in time, and a user's folder laid over it."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.catalog import reading, store
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import RECORDS, columns
from xltoken.catalog.store import SHAPES, CatalogError, Workload

OBSERVATIONS = "observation_id,date,platform,model,tokens_in,tokens_out,tokens_per_second_total"
RATES = "platform,basis,valid_from,usd_per_accelerator_hour"
PRICES = "provider,model,kind,valid_from,usd_per_million_tokens"
CLAIMS = (
    "claim,headline,kind,published_value,unit,date,platform,model,"
    "tokens_per_second,usd_per_accelerator_hour,tokens_in,tokens_out"
)

# A shipped catalog small enough to read: two platforms, three rows of evidence, one rate, four
# prices and three claims.
SMALL = {
    "platforms.csv": """\
        platform,vendor,label,aliases,source_id,recorded
        B200,NVIDIA,B200 (HGX/DGX),HGX B200; DGX B200,paper,2026-01-10
        GB200 NVL72,NVIDIA,GB200 rack,GB200; DGX B200,paper,2026-01-10""",
    "workloads.csv": """\
        workload,model,model_released,source_id,recorded
        big-1/chat,big-1,2025-02-03,paper,2026-01-10""",
    "rates.csv": """\
        platform,basis,valid_from,usd_per_accelerator_hour,kw_per_accelerator,source_id,recorded
        B200,own_hyperscaler,2026-01-01,2.00,2.17,paper,2026-01-10""",
    "observations.csv": """\
        observation_id,date,platform,model,tokens_in,tokens_out,tokens_per_second_total,precision,source_id,recorded,withdrawn
        o1,2025-12-01,B200,big-1,1024,1024,1000,NVFP4,paper,2026-01-10,
        o2,2025-12-02,gb200,Big 1,1024,1024,2000,fp8,paper,2026-02-10,
        o3,2025-12-03,B200,big-1,1024,1024,9999,fp8,paper,2026-01-10,2026-03-10""",
    "prices.csv": """\
        provider,model,kind,valid_from,usd_per_million_tokens,source_id,recorded,withdrawn
        groq,Big 1,output,2025-08-06,0.75,paper,2026-01-10,
        groq,big-1,output,2025-11-11,0.6,paper,2026-02-10,
        groq,big-1,input,2025-11-11,0.9,paper,2026-01-10,2026-03-10
        azure,priced only,input,2025-06-22,5,paper,2026-01-10,""",
    "claims.csv": """\
        claim,headline,kind,published_value,unit,date,platform,model,tokens_per_second,usd_per_accelerator_hour,tokens_in,tokens_out,source_id,recorded,withdrawn
        cheap,Two cents,unit_cost,0.02,USD,2025-10-09,B200,big-1,10,1,1024,1024,paper,2026-01-10,
        cheaper,One cent,unit_cost,0.01,USD,2025-10-09,B200,big-1,10,1,1024,1024,paper,2026-02-10,
        wrong,No cents,unit_cost,0.001,USD,2025-10-09,B200,big-1,10,1,1024,1024,paper,2026-01-10,2026-03-10""",
    "sources.csv": """\
        source_id,title,recorded
        paper,A paper,2026-01-10""",
    "priors.csv": """\
        name,value,source_id,recorded
        software_gain_per_month,0.01,paper,2026-01-10""",
}


def lines(text):
    """Strip the indentation of a file written inside a test."""
    return "\n".join(line.strip() for line in text.splitlines()) + "\n"


@pytest.fixture(autouse=True)
def read_anew():
    """Every test reads its files itself and leaves nothing read behind."""
    store.reload()
    yield
    store.reload()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Ship the small catalog; returns its folder."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name, text in SMALL.items():
        (folder / name).write_text(lines(text), encoding="utf-8")
    monkeypatch.setattr(reading, "DATA", folder)
    return folder


@pytest.fixture
def overlay(tmp_path):
    """Write a user's folder of files, given by name without .csv, as text or bytes."""

    def write(**files):
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            data = content if isinstance(content, bytes) else lines(content).encode()
            (folder / f"{name}.csv").write_bytes(data)
        return str(folder)

    return write


def catalog_of(folder=""):
    """Read a catalog that has no problems."""
    catalog, problems = store.read(folder)
    assert problems == []
    return catalog


def problems_of(folder):
    """Read a folder that cannot be used; returns its problems."""
    catalog, problems = store.read(folder)
    assert catalog is None
    return problems


def only(found):
    """Return the one element of a sequence."""
    (one,) = found
    return one


# Look-up by key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("B200", "B200"),
        ("b-200", "B200"),
        ("hgx b200", "B200"),
        ("B200 (hgx/dgx)", "B200"),
        ("GB200_NVL72", "GB200 NVL72"),
        ("gb200", "GB200 NVL72"),
        ("gb200 RACK", "GB200 NVL72"),
        ("DGX-B200", "B200"),
    ],
)
@pytest.mark.usefixtures("small")
def test_a_platform_answers_to_name_label_and_alias(text, key):
    """Name, label and aliases find a platform in any case; the first to claim an alias has it."""
    assert catalog_of().platform(text).platform == key


def test_a_name_goes_before_another_platforms_alias(small):
    """A platform's own name finds it even where an earlier platform has it as alias."""
    (small / "platforms.csv").write_text(
        "platform,aliases,source_id\nB200,GB200 NVL72,paper\nGB200 NVL72,GB200,paper\n",
        encoding="utf-8",
    )
    assert catalog_of().platform("gb200 nvl72").platform == "GB200 NVL72"


@pytest.mark.usefixtures("small")
def test_evidence_under_an_alias_belongs_to_its_platform():
    """Rows that name a platform or model in other words stand under the catalog's own spelling."""
    catalog = catalog_of()
    row = only(catalog.of("GB200 NVL72", "big-1"))
    assert (row.observation_id, row.platform, row.model) == ("o2", "GB200 NVL72", "big-1")
    assert catalog.of("gb200", "big-1") == ()
    assert only(catalog.of("B200", "big-1")).precision == "nvfp4"
    assert catalog.platforms_with_evidence == {"B200", "GB200 NVL72"}


@pytest.mark.usefixtures("small")
def test_rates_stand_under_their_platform():
    """A platform's rates are found by its key; one without rates has none."""
    catalog = catalog_of()
    assert only(catalog.rates_of("B200")).usd_per_accelerator_hour == 2.0
    assert catalog.rates_of("GB200 NVL72") == ()


@pytest.mark.usefixtures("small")
def test_a_model_answers_to_every_spelling():
    """A model is found whatever its case and separators, as the catalog first spells it."""
    assert catalog_of().model("BIG_1") == "big-1"
    assert catalog_of().models == {"big1": "big-1"}


@pytest.mark.parametrize(
    ("look_up", "text", "message"),
    [
        ("platform", "GB20 NVL72", r"platform 'GB20 NVL72' is not known\. Nearest: GB200 NVL72"),
        ("model", "big-2", r"model 'big-2' is not known\. Nearest: big-1\."),
        ("workload", "big-1/chatt", r"workload 'big-1/chatt' is not known\. Nearest: big-1/chat"),
        ("model", "zebra", r"model 'zebra' is not known\. Known: big-1\."),
    ],
)
@pytest.mark.usefixtures("small")
def test_what_is_not_known_names_the_nearest(look_up, text, message):
    """An unknown platform, model or workload is NotKnown with the nearest names."""
    with pytest.raises(NotKnown, match=message):
        getattr(catalog_of(), look_up)(text)


@pytest.mark.usefixtures("small")
def test_a_model_has_its_prices_under_every_spelling():
    """Prices are found by the model's name in any spelling, at every provider and of every day."""
    catalog = catalog_of()
    found = [
        (price.valid_from.year, price.usd_per_million_tokens)
        for price in catalog.prices_of("BIG_1")
    ]
    assert found == [(2025, 0.75), (2025, 0.6)]
    assert [price.provider for price in catalog.prices_of("Priced-Only")] == ["azure"]
    assert catalog.prices_of("zebra") == ()


@pytest.mark.usefixtures("small")
def test_models_with_a_price_are_known_apart_from_those_with_evidence():
    """A price makes a model priced, not measured; withdrawn prices count for neither."""
    catalog = catalog_of()
    assert set(catalog.priced_models) == {"big1", "pricedonly"}
    assert catalog.priced_models["pricedonly"] == "priced only"
    assert set(catalog.models) == {"big1"}
    with pytest.raises(NotKnown):
        catalog.model("priced only")


@pytest.mark.usefixtures("small")
def test_a_prior_is_its_value_and_one_that_is_missing_is_nothing(overlay):
    """A prior's value is found by its name; what the catalog does not assume is 0."""
    assert catalog_of().prior("software_gain_per_month") == 0.01
    assert catalog_of().prior("software_gain_sd") == 0.0
    folder = overlay(priors="name,value\nsoftware_gain_per_month,0.02\nsoftware_gain_sd,0.1")
    assert catalog_of(folder).prior("software_gain_per_month") == 0.02
    assert catalog_of(folder).prior("software_gain_sd") == 0.1


@pytest.mark.usefixtures("small")
def test_the_release_of_a_model_is_that_of_its_workload_rows(overlay):
    """Weights came out on the day any workload row of the model states; None where none does."""
    rows = "workload,model,tokens_in,tokens_out,model_released\n"
    folder = overlay(
        workloads=f"{rows}helpdesk,Big 2,1000,500,2026-01-01\nbig-3/rag,,1000,500,\nbig-4,,1,1,2026-02-01"
    )
    catalog = catalog_of(folder)
    assert catalog.released("BIG_1") == dt.date(2025, 2, 3)
    assert catalog.released("big-2") == dt.date(2026, 1, 1)
    assert catalog.released("big-4") == dt.date(2026, 2, 1)
    assert catalog.released("big-3") is None
    assert catalog.released("zebra") is None


# Workloads


@pytest.mark.parametrize(
    ("shape", "tokens_in", "tokens_out", "tokens_per_second_per_user"),
    [
        ("batch", 1024, 1024, None),
        ("chat", 1024, 1024, 30),
        ("reasoning", 1024, 8192, 50),
        ("summarize", 8192, 1024, 30),
        ("agentic", 8192, 1024, 100),
    ],
)
@pytest.mark.usefixtures("small")
def test_every_model_has_the_five_shapes(shape, tokens_in, tokens_out, tokens_per_second_per_user):
    """MODEL/SHAPE exists for each shape, with its tokens and floor, and without a wait limit."""
    catalog = catalog_of()
    assert len(catalog.workloads) == len(SHAPES) == 5
    assert catalog.workload(f"BIG 1/{shape}") == Workload(
        f"big-1/{shape}",
        "big-1",
        tokens_in,
        tokens_out,
        tokens_per_second_per_user,
        None,
        dt.date(2025, 2, 3),
        user=False,
    )


@given(st.sampled_from(sorted(SHAPES)), st.floats(0.5, 1.5), st.floats(0.5, 1.5))
def test_token_counts_match_within_five_percent(shape, of_in, of_out):
    """A row serves a workload if both its token counts are within 5 %, the bound included."""
    workload = store.load().workload(f"glm-5/{shape}")
    row = store.load().observations[0]
    scaled = dataclasses.replace(
        row, tokens_in=workload.tokens_in * of_in, tokens_out=workload.tokens_out * of_out
    )
    expected = abs(of_in - 1) <= 0.05 and abs(of_out - 1) <= 0.05
    assert workload.serves(scaled) is expected


@pytest.mark.usefixtures("small")
def test_a_workload_row_overrides_only_what_it_states(overlay):
    """A row for MODEL/SHAPE changes its cells and keeps the shape's others; it is the user's."""
    catalog = catalog_of(
        overlay(
            workloads="""\
            workload,min_tokens_per_second_per_user,max_seconds_to_first_token,tokens_out
            BIG-1/Agentic,120,,
            big-1/chat,,2.5,
            big-1/reasoning,0,,4096"""
        )
    )
    released = dt.date(2025, 2, 3)
    assert catalog.workload("big-1/agentic") == Workload(
        "big-1/agentic", "big-1", 8192, 1024, 120, None, released, user=True
    )
    assert catalog.workload("big-1/chat") == Workload(
        "big-1/chat", "big-1", 1024, 1024, 30, 2.5, released, user=True
    )
    assert catalog.workload("big-1/reasoning") == Workload(
        "big-1/reasoning", "big-1", 1024, 4096, 0, None, released, user=True
    )
    assert catalog.workload("big-1/batch").user is False


@pytest.mark.usefixtures("small")
def test_a_workload_row_adds_a_workload(overlay):
    """A new name with token counts is a workload, of the model stated or named before the slash."""
    catalog = catalog_of(
        overlay(
            workloads="""\
            workload,model,tokens_in,tokens_out,min_tokens_per_second_per_user
            helpdesk,Big 1,3000,400,25
            big_1/rag,,20000,500,"""
        )
    )
    released = dt.date(2025, 2, 3)
    assert len(catalog.workloads) == 7
    assert catalog.workload("Help-Desk") == Workload(
        "helpdesk", "big-1", 3000, 400, 25, None, released, user=True
    )
    assert catalog.workload("big 1/RAG") == Workload(
        "big_1/rag", "big-1", 20_000, 500, None, None, released, user=True
    )


@pytest.mark.usefixtures("small")
def test_a_workload_can_be_of_a_model_without_evidence(overlay):
    """A workload with token counts exists before its model is measured, and has no shapes beside it."""
    text = "workload,tokens_in,tokens_out,model_released\nbig-2/rag,1000,500,2026-01-01"
    catalog = catalog_of(overlay(workloads=text))
    assert catalog.workload("big-2/rag").model == "big-2"
    assert catalog.workload("big-2/rag").model_released == dt.date(2026, 1, 1)
    with pytest.raises(NotKnown, match="Nearest: big-1/chat"):
        catalog.workload("big-2/chat")


@pytest.mark.usefixtures("small")
def test_a_model_has_one_release_date(overlay):
    """A release date stated on one workload of a model is that of all its workloads."""
    folder = overlay(workloads="workload,model_released\nbig-1/batch,2025-03-04")
    workloads = catalog_of(folder).workloads.values()
    assert {workload.model_released for workload in workloads} == {dt.date(2025, 3, 4)}


@pytest.mark.parametrize("cells", ["big-9/chat,,", "big-1/rag,1000,", "helpdesk,,1000"])
@pytest.mark.usefixtures("small")
def test_a_workload_without_token_counts_is_a_problem(overlay, cells):
    """A row that is no known MODEL/SHAPE and lacks a token count is named, with the shapes."""
    problem = only(problems_of(overlay(workloads=f"workload,tokens_in,tokens_out\n{cells}")))
    assert (problem.row, problem.column) == (2, "workload")
    assert "batch, chat, reasoning, summarize, agentic" in problem.message


# Cuts in time


@pytest.mark.parametrize(
    ("cut", "ids"),
    [
        ("2026-01-09", []),
        ("2026-01-10", ["o1", "o3"]),
        ("2026-02-10", ["o1", "o2", "o3"]),
        ("2026-03-09", ["o1", "o2", "o3"]),
        ("2026-03-10", ["o1", "o2"]),
    ],
)
@pytest.mark.usefixtures("small")
def test_a_cut_shows_what_was_recorded_and_not_withdrawn(cut, ids):
    """At a cut, rows recorded later are absent, and rows withdrawn later are still there."""
    past = catalog_of().at(dt.date.fromisoformat(cut))
    assert [row.observation_id for row in past.observations] == ids


@pytest.mark.parametrize(
    ("cut", "prices", "claims"),
    [
        ("2026-01-09", [], []),
        ("2026-01-10", [0.75, 0.9, 5], ["cheap", "wrong"]),
        ("2026-02-10", [0.75, 0.6, 0.9, 5], ["cheap", "cheaper", "wrong"]),
        ("2026-03-09", [0.75, 0.6, 0.9, 5], ["cheap", "cheaper", "wrong"]),
        ("2026-03-10", [0.75, 0.6, 5], ["cheap", "cheaper"]),
    ],
)
@pytest.mark.usefixtures("small")
def test_a_cut_shows_the_prices_and_claims_of_its_day(cut, prices, claims):
    """Prices and claims recorded later are absent at a cut, those withdrawn later still there."""
    past = catalog_of().at(dt.date.fromisoformat(cut))
    assert [price.usd_per_million_tokens for price in past.prices] == prices
    assert [claim.claim for claim in past.claims] == claims
    of_big = [price for price in past.prices if store.normalize(price.model) == "big1"]
    assert list(past.prices_of("big-1")) == of_big
    assert ("big1" in past.priced_models) == bool(of_big)


@pytest.mark.usefixtures("small")
def test_a_cut_goes_by_the_day_recorded_not_by_the_day_of_the_price():
    """A price that held in 2025 is unknown to a catalog of 2025 if it was recorded in 2026."""
    past = catalog_of().at(dt.date(2025, 12, 31))
    assert past.prices_of("big-1") == ()
    assert past.prior("software_gain_per_month") == 0.0
    assert past.released("big-1") is None


@pytest.mark.usefixtures("small")
def test_a_cut_is_dated_by_what_it_holds():
    """A cut's date is its latest record, or the cut itself where nothing was recorded yet."""
    catalog = catalog_of()
    assert catalog.at(dt.date(2026, 2, 9)).date == dt.date(2026, 1, 10)
    assert catalog.at(dt.date(2030, 1, 1)).date == dt.date(2026, 2, 10)
    assert catalog.at(dt.date(2025, 1, 1)).date == dt.date(2025, 1, 1)


@pytest.mark.usefixtures("small")
def test_a_cut_is_made_once_and_keeps_every_row_behind_it():
    """No cut is the catalog itself, the same cut the same catalog, and a cut can be cut later."""
    catalog = catalog_of()
    early, late = dt.date(2026, 1, 9), dt.date(2026, 2, 10)
    assert catalog.at(None) is catalog
    assert catalog.at(early) is catalog.at(early)
    assert catalog.at(early).fingerprint == catalog.fingerprint
    again = catalog.at(early).at(late)
    assert [row.observation_id for row in again.observations] == ["o1", "o2", "o3"]


@pytest.mark.usefixtures("small")
def test_platforms_and_workloads_of_a_cut_are_those_of_its_day():
    """Before anything was recorded no platform, model or workload is known."""
    past = catalog_of().at(dt.date(2026, 1, 9))
    assert past.workloads == {}
    with pytest.raises(NotKnown, match="platform 'B200' is not known"):
        past.platform("B200")


@pytest.mark.usefixtures("small")
def test_a_user_can_withdraw_a_shipped_row(overlay):
    """A shipped row withdrawn in an overlay is absent now, and present before that day."""
    catalog = catalog_of(overlay(observations="observation_id,withdrawn\no1,2026-02-20"))
    assert [row.observation_id for row in catalog.observations] == ["o2"]
    past = catalog.at(dt.date(2026, 2, 19))
    assert [row.observation_id for row in past.observations] == ["o1", "o2", "o3"]


# The overlay


@pytest.mark.usefixtures("small")
def test_a_users_row_of_the_same_key_wins(overlay):
    """A row with a shipped key replaces it: cells given win, columns left out are kept."""
    folder = overlay(rates=f"{RATES}\nb-200,Own_Hyperscaler,20260101,1.50")
    catalog = catalog_of(folder)
    rate = only(catalog.rates)
    assert (rate.platform, rate.usd_per_accelerator_hour, rate.kw_per_accelerator) == (
        "B200",
        1.5,
        2.17,
    )
    assert rate.origin.user
    assert rate.origin.row == 2
    assert rate.origin.file == str(Path(folder) / "rates.csv")


@pytest.mark.usefixtures("small")
def test_a_blank_cell_of_a_user_clears_the_shipped_one(overlay):
    """A column that is there and blank is overlaid; only columns left out are kept."""
    text = "platform,basis,valid_from,usd_per_accelerator_hour,kw_per_accelerator\n"
    folder = overlay(rates=f"{text}B200,own_hyperscaler,2026-01-01,1.50,")
    assert only(catalog_of(folder).rates).kw_per_accelerator is None


@pytest.mark.usefixtures("small")
def test_commas_for_decimals_are_read_where_semicolons_separate(overlay):
    """Where the header has semicolons a comma in a number is the decimal sign; in text it stays."""
    catalog = catalog_of(
        overlay(
            rates=RATES.replace(",", ";") + "\nB200;on_demand;2026-06-01;1,95",
            platforms="platform;label\nOwn 1;One, two",
            priors="name;value\nother;1.5",
        )
    )
    assert catalog.rates[-1].usd_per_accelerator_hour == 1.95
    assert catalog.platforms["Own 1"].label == "One, two"
    assert catalog.prior("other") == 1.5


@pytest.mark.usefixtures("small")
def test_a_throughput_of_the_user_replaces_both_shipped_ones(overlay):
    """A user who gives the output throughput takes no total from the shipped row."""
    text = "observation_id,tokens_per_second_output\no1,700"
    row = catalog_of(overlay(observations=text)).observations[0]
    assert (row.tokens_per_second_total, row.total) == (None, 1400.0)


@pytest.mark.parametrize(
    ("name", "meant"), [("price", "prices"), ("claim", "claims"), ("observation", "observations")]
)
@pytest.mark.usefixtures("small")
def test_a_file_that_is_nearly_a_catalog_file_is_a_problem(overlay, name, meant):
    """A misspelled file would be ignored in silence: it is refused, with the right name."""
    problem = only(problems_of(overlay(**{name: "a\n1"})))
    assert problem.message == f"is no catalog file; did you mean {meant}.csv?"


@pytest.mark.usefixtures("small")
def test_a_replaced_row_keeps_its_place(overlay):
    """A user's row stands where the shipped one stood; new rows follow."""
    folder = overlay(
        observations=f"""\
        {OBSERVATIONS}
        new,2026-01-01,B200,big-1,1024,1024,10
        O1,2025-12-01,B200,big-1,1024,1024,1234"""
    )
    rows = catalog_of(folder).observations
    assert [(r.observation_id, r.total, r.origin.user) for r in rows] == [
        ("O1", 1234.0, True),
        ("o2", 2000.0, False),
        ("new", 10.0, True),
    ]


@pytest.mark.usefixtures("small")
def test_a_users_price_and_claim_win(overlay):
    """A price or claim of a shipped key takes its place, and keeps what it leaves out."""
    catalog = catalog_of(
        overlay(
            prices=f"{PRICES}\nGroq,BIG 1,Output,2025-11-11,0.5",
            claims="claim,published_value\nCHEAP,0.03",
        )
    )
    assert [(p.usd_per_million_tokens, p.origin.user) for p in catalog.prices_of("big-1")] == [
        (0.75, False),
        (0.5, True),
    ]
    claim = catalog.claims[0]
    assert (claim.published_value, claim.headline, claim.source_id) == (
        0.03,
        "Two cents",
        "claims.csv",
    )


@pytest.mark.usefixtures("small")
def test_two_rows_of_one_key_are_a_problem(overlay):
    """Two rows of a user's file with one key are refused: which of them counts is not ours to say."""
    folder = overlay(
        rates=f"""\
        {RATES}
        B200,own_hyperscaler,2026-01-01,1.50
        B200,own_hyperscaler,2026-01-01,1.25"""
    )
    problem = only(problems_of(folder))
    assert (problem.row, problem.column) == (3, "platform")
    assert problem.message == "has the same platform, basis, valid_from as row 2."


@pytest.mark.usefixtures("small")
def test_new_rows_are_added_to_every_file(overlay):
    """Rows with new keys stand beside the shipped ones, in each of the eight files."""
    folder = overlay(
        platforms="platform,vendor,aliases\nOwn 1,Ours,home made",
        workloads="workload,model,tokens_in,tokens_out\nhelpdesk,own-model,3000,400",
        rates=f"{RATES}\nOwn 1,on_demand,2026-01-01,0.5\nB200,own_hyperscaler,2026-06-01,1.9",
        observations=f"{OBSERVATIONS}\nmine,2026-01-01,Home Made,own-model,1024,1024,10",
        prices=f"{PRICES}\nours,own-model,output,2026-01-01,0.1",
        claims=f"{CLAIMS}\nours,Our own,unit_cost,1,USD,2026-01-01,Own 1,own-model,10,1,1024,1024",
        sources="source_id,title\nus,Our own runs",
        priors="name,value\nother,0.5",
    )
    catalog = catalog_of(folder)
    assert [price.provider for price in catalog.prices] == ["groq", "groq", "azure", "ours"]
    assert [claim.claim for claim in catalog.claims] == ["cheap", "cheaper", "ours"]
    assert list(catalog.platforms) == ["B200", "GB200 NVL72", "Own 1"]
    assert only(catalog.of("Own 1", "own-model")).origin.user
    assert [rate.usd_per_accelerator_hour for rate in catalog.rates] == [2.0, 0.5, 1.9]
    assert set(catalog.sources) == {"paper", "us"}
    assert {name: prior.value for name, prior in catalog.priors.items()} == {
        "software_gain_per_month": 0.01,
        "other": 0.5,
    }
    assert len(catalog.workloads) == 5 + 5 + 1


@pytest.mark.usefixtures("small")
def test_a_row_without_source_has_its_file_as_source(overlay):
    """A blank source_id becomes the name of the file the row stands in."""
    folder = overlay(platforms="platform,source_id\nOwn 1,\nOwn 2,paper")
    catalog = catalog_of(folder)
    own = catalog.platforms["Own 1"]
    assert own.source_id == "platforms.csv"
    assert catalog.platforms["Own 2"].source_id == "paper"


@pytest.mark.usefixtures("small")
def test_a_row_without_id_gets_one_of_its_own(overlay):
    """Blank observation_ids become distinct ids that name the file and row."""
    folder = overlay(
        observations=f"""\
        {OBSERVATIONS}
        ,2026-01-01,B200,big-1,1024,1024,10
        ,2026-01-01,B200,big-1,1024,1024,20"""
    )
    rows = [row for row in catalog_of(folder).observations if row.origin.user]
    assert [row.observation_id for row in rows] == [
        f"{rows[0].origin.file} row {n}" for n in (2, 3)
    ]


def test_a_row_without_id_replaces_no_other(small, overlay):
    """A blank observation_id is no key: rows without one stand beside shipped rows without one."""
    path = small / "observations.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("o1,", ","), encoding="utf-8")
    folder = overlay(observations=f"{OBSERVATIONS}\n,2026-01-01,B200,big-1,1024,1024,10")
    rows = catalog_of(folder).observations
    assert [(row.total, row.origin.user) for row in rows] == [
        (1000.0, False),
        (2000.0, False),
        (10.0, True),
    ]
    assert rows[0].observation_id == "observations.csv row 2"


@pytest.mark.usefixtures("small")
def test_rows_without_id_need_no_id_column(overlay):
    """A file without the column observation_id adds its rows."""
    text = OBSERVATIONS.removeprefix("observation_id,")
    folder = overlay(observations=f"{text}\n2026-01-01,B200,big-1,1024,1024,10")
    assert len(catalog_of(folder).observations) == 3


@pytest.mark.usefixtures("small")
def test_overlay_rows_never_move_the_date_of_the_catalog(overlay):
    """A user's rows, however late recorded, leave the catalog's date where it was."""
    folder = overlay(priors="name,value,recorded\nother,0.5,2030-01-01")
    catalog = catalog_of(folder)
    assert catalog.priors["other"].recorded == dt.date(2030, 1, 1)
    assert catalog.date == catalog_of().date == dt.date(2026, 2, 10)


@pytest.mark.usefixtures("small")
def test_replacing_the_newest_shipped_row_does_not_move_the_date(overlay):
    """A user's row in place of the latest recorded one leaves the catalog's date where it was."""
    catalog = catalog_of(overlay(observations="observation_id,tokens_per_second_total\no2,2100"))
    assert catalog.date == dt.date(2026, 2, 10)


def test_withdrawing_the_newest_row_does_not_move_the_date_back(small):
    """The date is the latest recorded of the shipped files; a withdrawal later is no step back."""
    rows = lines(SMALL["observations.csv"]).replace("2026-02-10,", "2026-02-10,2026-02-20")
    (small / "observations.csv").write_text(rows, encoding="utf-8")
    assert catalog_of().date >= dt.date(2026, 2, 10)


@pytest.mark.usefixtures("small")
def test_before_a_users_row_was_recorded_the_shipped_one_stands(overlay):
    """At a cut before a user's row was recorded, the shipped row of that key counts."""
    folder = overlay(rates=f"{RATES},recorded\nB200,own_hyperscaler,2026-01-01,1.50,2026-05-01")
    past = catalog_of(folder).at(dt.date(2026, 4, 30))
    assert [rate.usd_per_accelerator_hour for rate in past.rates] == [2.0]


@pytest.mark.usefixtures("small")
def test_the_fingerprint_is_that_of_the_content(overlay, tmp_path):
    """An overlay changes the fingerprint by its content, not by its folder or line ends."""
    shipped = catalog_of().fingerprint
    empty = tmp_path / "empty"
    empty.mkdir()
    assert catalog_of(str(empty)).fingerprint == shipped

    text = "name,value\nother,0.5\n"
    mine = catalog_of(overlay(priors=text)).fingerprint
    assert mine != shipped
    other = tmp_path / "other"
    other.mkdir()
    (other / "priors.csv").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert catalog_of(str(other)).fingerprint == mine
    (other / "priors.csv").write_bytes(text.replace("0.5", "0.6").encode())
    assert catalog_of(str(other)).fingerprint not in {mine, shipped}


def test_the_fingerprint_follows_the_shipped_files(small):
    """A shipped figure that changes changes the fingerprint."""
    before = catalog_of().fingerprint
    path = small / "priors.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.01", "0.02"), encoding="utf-8")
    assert catalog_of().fingerprint != before


@pytest.mark.usefixtures("small")
def test_the_catalog_names_its_overlay(overlay):
    """The folder laid over is known to the catalog, and none is None."""
    folder = overlay(priors="name,value\nother,0.5")
    assert str(catalog_of(folder).overlay) == folder
    assert str(catalog_of(folder).at(dt.date(2026, 1, 10)).overlay) == folder
    assert catalog_of().overlay is None


# Files as they come from Excel


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.usefixtures("small")
def test_the_ways_of_excel_to_write_csv_are_read(overlay, delimiter, line_end, encoding):
    """Semicolons, Windows line ends and a byte order mark change nothing."""
    text = f"{RATES}{line_end}B200,on_demand,2026-06-01,1.5{line_end}".replace(",", delimiter)
    rate = catalog_of(overlay(rates=text.encode(encoding))).rates[-1]
    assert (rate.basis, rate.usd_per_accelerator_hour) == ("on_demand", 1.5)


@pytest.mark.usefixtures("small")
def test_semicolons_inside_cells_do_not_change_the_delimiter(overlay):
    """Only the header decides on the delimiter; aliases stay one cell."""
    folder = overlay(platforms="platform,aliases\nOwn 1,home; made; ours\nOwn 2,a;b;c;d")
    assert catalog_of(folder).platform("made").platform == "Own 1"


@pytest.mark.usefixtures("small")
def test_blank_rows_and_short_rows_are_read_as_blanks(overlay):
    """Empty lines and rows of blanks are skipped but counted; missing cells at the end are blank."""
    folder = overlay(priors="name,value,unit,note\n\n , ,,\nother,0.5\nthird,x")
    problem = only(problems_of(folder))
    assert (problem.row, problem.column) == (5, "value")
    folder = overlay(priors="name,value,unit,note\n\n , ,,\nother,0.5")
    assert catalog_of(folder).priors["other"].unit == ""


@pytest.mark.usefixtures("small")
def test_an_empty_file_adds_nothing(overlay):
    """A file without any line, or with a header alone, is no problem."""
    catalog = catalog_of(overlay(priors=b"", rates=f"{RATES}\n"))
    assert (len(catalog.priors), len(catalog.rates)) == (1, 1)


@pytest.mark.parametrize("title", ["who asked", "platform_owner", "price", "n", ""])
@pytest.mark.usefixtures("small")
def test_a_column_unlike_any_other_is_the_users_own(overlay, title):
    """A column that only resembles one of ours from afar, or has no title, is ignored."""
    catalog = catalog_of(overlay(rates=f"{RATES},{title}\nB200,on_demand,2026-06-01,1.5,Ann"))
    assert catalog.rates[-1].usd_per_accelerator_hour == 1.5


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("usd_per_acelerator_hour", "usd_per_accelerator_hour"),
        ("Valid_from", "valid_from"),
        ("source id", "source_id"),
        ("withdraw", "withdrawn"),
    ],
)
@pytest.mark.usefixtures("small")
def test_a_misspelled_column_is_a_problem_with_the_right_name(overlay, title, meant):
    """A column almost like one of ours is named, with the one that was probably meant."""
    folder = overlay(rates=f"{RATES},{title}\n".encode())
    problem = only(problems_of(folder))
    assert (problem.row, problem.column) == (1, title)
    assert problem.message == f"is no column; did you mean {meant}?"


@pytest.mark.usefixtures("small")
def test_a_row_with_more_cells_than_the_header_is_a_problem(overlay):
    """A row cut up by an unquoted comma is refused, by its row."""
    folder = overlay(rates=f"{RATES}\nB200,on_demand,2026-06-01,1,500.00")
    problem = only(problems_of(folder))
    assert (problem.row, problem.column) == (2, "")
    assert problem.message == "has more cells than the header."


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
@pytest.mark.usefixtures("small")
def test_a_file_that_is_not_utf8_is_a_problem(overlay, encoding):
    """Another encoding is refused with what to do, before any row is read."""
    folder = overlay(priors="name,value,note\nother,0.5,naïve\n".encode(encoding))
    problem = only(problems_of(folder))
    assert problem.file.endswith("priors.csv")
    assert (problem.row, problem.message) == (0, "is not UTF-8 text; save it as CSV UTF-8.")


@pytest.mark.parametrize(
    "content",
    [b"name,value,note\nother,0.5," + b"x" * 200_000, b"name,value," + b"x" * 200_000],
    ids=["cell without end", "header without end"],
)
@pytest.mark.usefixtures("small")
def test_a_row_that_is_no_csv_is_a_problem(overlay, content):
    """What the csv reader refuses is a problem of that file."""
    problem = only(problems_of(overlay(priors=content)))
    assert problem.file.endswith("priors.csv")
    assert problem.message.startswith("cannot be read: ")


@pytest.mark.usefixtures("small")
def test_a_row_that_is_no_csv_is_named(overlay):
    """What the csv reader refuses in row 3 is a problem of row 3."""
    content = b"name,value,note\nfirst,0.4,\nother,0.5," + b"x" * 200_000
    assert only(problems_of(overlay(priors=content))).row == 3


@pytest.mark.usefixtures("small")
def test_carriage_returns_alone_end_rows(overlay):
    """A file with the line ends of Excel's CSV (Macintosh) is read like any other."""
    catalog = catalog_of(overlay(priors=b"name,value\rother,0.5\r"))
    assert catalog.priors["other"].value == 0.5


@pytest.mark.usefixtures("small")
def test_a_cell_of_two_lines_is_in_one_row(overlay):
    """Row 3 of the sheet is row 3 in a message, whatever stands in the cells above."""
    folder = overlay(priors='name,value,note\nfirst,0.4,"two\nlines"\nother,x,')
    assert only(problems_of(folder)).row == 3


@pytest.mark.parametrize("name", ["nowhere", "file.txt"])
def test_an_overlay_that_is_no_folder_is_a_problem(tmp_path, name):
    """A missing folder, or a file, is refused by its name."""
    (tmp_path / "file.txt").write_text("x", encoding="utf-8")
    problem = only(problems_of(str(tmp_path / name)))
    assert str(problem) == f"{tmp_path / name}: is not a folder of catalog CSV files."


def test_a_shipped_file_that_is_missing_is_a_problem(small):
    """A file that cannot be opened is named with the reason of the system."""
    (small / "priors.csv").unlink()
    problem = only(problems_of(""))
    assert str(problem) == f"{small / 'priors.csv'}: cannot be read: No such file or directory."


# Rows that name what no file has


@pytest.mark.usefixtures("small")
def test_an_unknown_platform_is_a_problem_with_the_nearest(overlay):
    """Evidence and rates for a platform of no file are named by row, with the nearest platform."""
    folder = overlay(
        observations=f"{OBSERVATIONS}\nx,2026-01-01,GB20 NVL72,big-1,1024,1024,10",
        rates=f"{RATES}\nGB20 NVL72,on_demand,2026-01-01,1.5",
    )
    problems = problems_of(folder)
    assert [(Path(p.file).name, p.row, p.column) for p in problems] == [
        ("observations.csv", 2, "platform"),
        ("rates.csv", 2, "platform"),
    ]
    assert {p.message for p in problems} == {
        "platform 'GB20 NVL72' is not known. Nearest: GB200 NVL72. Add it to platforms.csv."
    }


@pytest.mark.usefixtures("small")
def test_an_unknown_source_is_a_problem(overlay):
    """A source_id that is in no file is named by its row."""
    folder = overlay(priors="name,value,source_id\nother,0.5,rumour")
    problem = only(problems_of(folder))
    assert (problem.row, problem.column) == (2, "source_id")
    assert problem.message == "'rumour' is not in sources.csv."


@pytest.mark.usefixtures("small")
def test_a_source_can_come_with_the_overlay(overlay):
    """A user's own source serves rows of the same folder."""
    folder = overlay(
        priors="name,value,source_id\nother,0.5,us", sources="source_id,title\nus,Our runs"
    )
    assert catalog_of(folder).sources["us"].title == "Our runs"


@pytest.mark.usefixtures("small")
def test_a_source_can_be_withdrawn(overlay):
    """Append-only: a source that is withdrawn, with nothing left that rests on it, is no problem."""
    folder = overlay(sources="source_id,title,withdrawn\nwrong,A wrong title,2026-02-02")
    assert "wrong" not in catalog_of(folder).sources


@pytest.mark.usefixtures("small")
def test_all_problems_of_all_files_are_found_at_once(overlay):
    """Reading does not stop at the first row that cannot be used."""
    folder = overlay(
        platforms="platform,launched\nOwn 1,soon\nOwn 2,later",
        rates=f"{RATES}\nB200,spot,2026-01-01,1.5",
    )
    places = [(Path(p.file).name, p.row, p.column) for p in problems_of(folder)]
    assert places == [
        ("platforms.csv", 2, "launched"),
        ("platforms.csv", 3, "launched"),
        ("rates.csv", 2, "basis"),
    ]


# The catalog of this process


@pytest.mark.usefixtures("small")
def test_current_reads_the_folder_of_the_environment(overlay, monkeypatch):
    """XLTOKEN_CATALOG names the folder laid over; blank, or spaces around it, do not count."""
    assert store.current().overlay is None
    monkeypatch.setenv("XLTOKEN_CATALOG", "  ")
    assert store.current().overlay is None
    folder = overlay(priors="name,value\nother,0.5")
    monkeypatch.setenv("XLTOKEN_CATALOG", f" {folder} ")
    assert store.current().priors["other"].value == 0.5


@pytest.mark.usefixtures("small")
def test_files_are_read_once_until_reload(overlay):
    """A folder is read once; an edit counts after reload."""
    folder = overlay(priors="name,value\nother,0.5")
    first = store.load(folder)
    overlay(priors="name,value\nother,0.6")
    assert store.load(folder) is first
    store.reload()
    assert store.load(folder).priors["other"].value == 0.6


@pytest.mark.usefixtures("small")
def test_a_catalog_that_cannot_be_used_says_the_first_problem_and_how_many(overlay):
    """CatalogError carries every problem; its message is the first and the number of the others."""
    folder = overlay(priors="name,value\na,x\nb,y\nc,z")
    with pytest.raises(
        CatalogError, match=r"row 2, value: 'x' is no number.* \(and 2 more\)$"
    ) as e:
        store.load(folder)
    assert [problem.row for problem in e.value.problems] == [2, 3, 4]
    folder = overlay(priors="name,value\na,x")
    with pytest.raises(
        CatalogError, match=r"row 2, value: 'x' is no number; write it like 1234\.5\.$"
    ):
        store.load(folder)


@pytest.mark.usefixtures("small")
def test_an_edit_mends_a_catalog_that_could_not_be_used(overlay):
    """A failure is not remembered: a mended file counts without reload."""
    folder = overlay(priors="name,value\nother,x")
    with pytest.raises(CatalogError):
        store.load(folder)
    overlay(priors="name,value\nother,0.5")
    assert store.load(folder).priors["other"].value == 0.5


def test_an_overlay_over_the_whole_shipped_catalog_changes_nothing(tmp_path):
    """The shipped files laid over themselves give the same figures, all of them a user's."""
    shipped = catalog_of()
    for record in RECORDS:
        (tmp_path / record.FILE).write_bytes((reading.DATA / record.FILE).read_bytes())
    laid = catalog_of(str(tmp_path))
    assert len(laid.observations) == len(shipped.observations)
    assert all(row.origin.user for row in (*laid.observations, *laid.rates))
    pairs = (
        *zip(laid.observations, shipped.observations, strict=True),
        *zip(laid.rates, shipped.rates, strict=True),
        *zip(laid.platforms.values(), shipped.platforms.values(), strict=True),
        *zip(laid.sources.values(), shipped.sources.values(), strict=True),
    )
    for mine, theirs in pairs:
        for field in columns(type(theirs)):
            assert getattr(mine, field.name) == getattr(theirs, field.name)


# What is remembered with a catalog


@pytest.mark.usefixtures("small")
def test_a_result_is_worked_out_once_for_each_catalog():
    """The same arguments of the same catalog give the first result; another catalog starts anew."""
    asked = []

    @store.per_catalog
    def platforms(catalog, offset):
        asked.append(offset)
        return len(catalog.platforms) + offset

    catalog = catalog_of()
    assert [platforms(catalog, 1), platforms(catalog, 1), platforms(catalog, 2)] == [3, 3, 4]
    assert asked == [1, 2]
    assert platforms(catalog.at(dt.date(2026, 1, 9)), 1) == 1
    assert platforms(catalog_of(), 1) == 3
    assert asked == [1, 2, 1, 1]


@pytest.mark.usefixtures("small")
def test_a_failure_is_not_remembered():
    """A call that failed is made again."""
    asked = []

    @store.per_catalog
    def fails_first(catalog):
        asked.append(catalog)
        if len(asked) == 1:
            raise ValueError("not yet")
        return "now"

    catalog = catalog_of()
    with pytest.raises(ValueError, match="not yet"):
        fails_first(catalog)
    assert [fails_first(catalog), fails_first(catalog)] == ["now", "now"]
    assert len(asked) == 2


@pytest.mark.usefixtures("small")
def test_what_is_remembered_has_a_limit(monkeypatch):
    """At the limit a function starts anew, and its results stay right."""
    monkeypatch.setattr(store, "MEMO_LIMIT", 2)
    asked = []

    @store.per_catalog
    def doubled(_catalog, number):
        asked.append(number)
        return 2 * number

    catalog = catalog_of()
    assert [doubled(catalog, number) for number in (1, 2, 3, 3, 1)] == [2, 4, 6, 6, 2]
    assert asked == [1, 2, 3, 1]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("cells", "column"), [("B20", "platform"), ("B200,2,2,Q9,2,2", "base_platform")]
)
def test_a_claim_on_a_platform_that_no_file_has_is_a_problem(overlay, cells, column):
    """The platforms of a claim are known, by any of their names; else the nearest are told."""
    header = (
        "claim,headline,kind,published_value,unit,date,model,tokens_in,tokens_out,platform,"
        "tokens_per_second,usd_per_accelerator_hour,base_platform,base_tokens_per_second,"
        "base_usd_per_accelerator_hour"
    )
    kind = "cost_ratio" if column == "base_platform" else "unit_cost"
    start = f"{header}\nodd,Odd,{kind},1,USD,2026-01-01,big-1,1,1,"
    problem = only(problems_of(overlay(claims=start + (cells if "," in cells else f"{cells},2,2"))))
    assert problem.column == column
    assert "is not known" in problem.message
    fine = start + "hgx b200,2,2,gb200,2,2"
    claim = catalog_of(overlay(claims=fine)).claims[-1]
    assert (claim.platform, claim.base_platform) == ("B200", "GB200 NVL72")
