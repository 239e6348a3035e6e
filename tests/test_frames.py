"""Tables for Python: what the worksheet functions say, cell by cell, with units and sources."""

import datetime as dt
import json
import math
import subprocess
import sys

import pandas as pd
import pytest

import xltoken
from xltoken import (
    PLATFORM_RANKING,
    TOKEN_CAPACITY,
    TOKEN_COST,
    TOKEN_PRICE,
    TOKEN_SOURCE,
    TOKENS_PER_MEGAWATT,
    capacity_table,
    cost_table,
    evidence_table,
    price_table,
    ranking_table,
)
from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.economics.domain import DomainError
from xltoken.functions import cells
from xltoken.functions.cells import CellError
from xltoken.model.assumptions import InputError

CHAT = "deepseek-r1/chat"
MONTHS = [-6, 0, 0.5, 12, dt.date(2026, 1, 1), dt.date(2028, 2, 29)]
CHOSEN = {
    "utilization": 0.4,
    "tokens_counted": "total",
    "rate_decline": 0.1,
    "start": dt.date(2026, 6, 1),
}
LISTED = [list(pair) for pair in CHOSEN.items()]
TODAY = store.load().date
FINGERPRINT = store.load().fingerprint


def same(frame, answer):
    """Whether a cell of a frame is what the worksheet shows there."""
    return math.isnan(frame) if isinstance(answer, CellError) else frame == answer


@pytest.mark.parametrize("workload", [CHAT, "gpt-oss-120b/batch", "glm-5/agentic"])
@pytest.mark.parametrize("chosen", [None, CHOSEN])
def test_cost_and_capacity_are_the_worksheets_cell_by_cell(workload, chosen):
    """Each cell is TOKEN_COST or TOKEN_CAPACITY of that platform and month; #N/A is NaN."""
    listed = LISTED if chosen else None
    platforms = list(store.load().platforms)
    costs = cost_table(platforms, MONTHS, workload, chosen)
    capacities = capacity_table(platforms, MONTHS, workload, 72, chosen)
    for table in (costs, capacities):
        assert list(table.columns) == platforms
        assert list(table.index) == MONTHS
        assert table.index.name == "month"
        assert all(kind == "float64" for kind in table.dtypes)
    for i, month in enumerate(MONTHS):
        for name in platforms:
            assert same(costs[name].iloc[i], TOKEN_COST(name, month, workload, listed))
            answer = TOKEN_CAPACITY(name, month, workload, 72, listed)
            assert same(capacities[name].iloc[i], answer)


def test_attributes_tell_unit_sources_warnings_and_reasons():
    """Every table carries its unit, catalog, fingerprint and assumptions, and each platform's words."""
    months = [0, dt.date(2026, 1, 1)]
    table = cost_table(["B200", "Gaudi 3"], months, "DeepSeek R1/Chat", CHOSEN)
    told = table.attrs
    assert told["unit"] == "USD per 1M total tokens"
    assert told["tokens_counted"] == "total"
    assert told["workload"] == CHAT
    assert told["catalog"] == TODAY
    assert told["fingerprint"] == FINGERPRINT
    assert told["assumptions"] == CHOSEN
    for month in months:
        assert TOKEN_SOURCE("B200", CHAT, "citation", month, LISTED) in told["sources"]["B200"]
    with cells.listening() as notebook:
        for month in months:
            TOKEN_COST("B200", month, CHAT, LISTED)
    assert told["warnings"] == {"B200": notebook.warnings, "Gaudi 3": []}
    reason = TOKEN_SOURCE("Gaudi 3", CHAT, "reason")
    assert told["reasons"] == {"Gaudi 3": reason}
    assert told["sources"]["Gaudi 3"] == ""
    capacity = capacity_table("B200", [0], CHAT)
    assert capacity.attrs["unit"] == "M output tokens a month"
    assert capacity.attrs["assumptions"] == {}


def test_every_nan_has_a_reason():
    """A platform with a NaN anywhere has a reason, one without has none."""
    for workload in ("kimi-k2.5/agentic", "gpt-oss-120b/chat", CHAT):
        platforms = list(store.load().platforms)
        table = cost_table(platforms, [-12, 0, 12], workload)
        assert set(table.attrs["reasons"]) == {n for n in platforms if table[n].isna().any()}
        assert all(text.endswith(".") for text in table.attrs["reasons"].values())


def test_all_is_every_platform_with_evidence():
    """The word all stands for the platforms that have evidence, in the catalog's order."""
    table = cost_table("all", [0], CHAT)
    with_evidence = store.load().platforms_with_evidence
    assert list(table.columns) == [n for n in store.load().platforms if n in with_evidence]
    assert "Gaudi 3" not in table


def test_one_name_is_one_column_under_its_key():
    """A single text is one platform; aliases become keys, and doubles one column."""
    assert list(cost_table("gb200", [0], CHAT).columns) == ["GB200 NVL72"]
    many = cost_table(("b-200" if i else "B200" for i in range(2)), range(2), CHAT)
    assert list(many.columns) == ["B200"]
    assert list(many.index) == [0, 1]
    assert cost_table([], [0], CHAT).shape == (1, 0)
    assert cost_table("B200", [], CHAT).shape == (0, 1)


def test_months_may_be_pandas_dates():
    """Timestamps count as their days."""
    days = pd.date_range("2026-12-01", periods=3, freq="MS")
    table = cost_table("B200", days, CHAT)
    assert list(table["B200"]) == [TOKEN_COST("B200", day.date(), CHAT) for day in days]


def test_what_is_unknown_or_wrong_is_an_error():
    """Unknown platforms and workloads raise NotKnown, wrong assumptions theirs."""
    for table in (cost_table, capacity_table):
        with pytest.raises(NotKnown, match="Nearest: B200"):
            table(["B200", "B2000"], [0], CHAT)
        with pytest.raises(NotKnown, match="workload 'no/such'"):
            table("B200", [0], "no/such")
    for wrong, error in (({"over_heed": 1}, InputError), ({"utilization": 2}, DomainError)):
        for make in (
            lambda given: cost_table("B200", [0], CHAT, given),
            lambda given: capacity_table("B200", [0], CHAT, 1, given),
            lambda given: price_table("gpt-oss-120b", [0], assumptions=given),
            lambda given: ranking_table(0, CHAT, given),
            lambda given: evidence_table("B200", CHAT, given),
        ):
            with pytest.raises(error):
                make(wrong)
    with pytest.raises(DomainError, match="accelerators"):
        capacity_table("B200", [0], CHAT, -1)


# --- prices --------------------------------------------------------------------------------------


def test_prices_are_the_worksheets_cell_by_cell():
    """Each cell is TOKEN_PRICE, and the providers say whose it is."""
    names = ["gpt-oss-120b", "gpt-oss-120b/summarize", "deepseek-r1/chat"]
    for provider, kind in (("lowest", None), ("openrouter", "input")):
        table = price_table(names, MONTHS, provider, kind, CHOSEN)
        assert list(table.columns) == names
        for name in names:
            answers = [TOKEN_PRICE(name, month, provider, kind, LISTED) for month in MONTHS]
            assert list(table[name]) == answers
            assert len(table.attrs["providers"][name]) == len(MONTHS)
        if provider != "lowest":
            assert set(table.attrs["providers"]["gpt-oss-120b"]) == {provider}


def test_attributes_of_prices():
    """Prices carry unit, providers, sources that exist, and the warnings of each figure."""
    table = price_table("gpt-oss-120b/chat", [0, dt.date(2025, 1, 1)], "groq")
    told = table.attrs
    assert told["unit"].startswith("USD per 1M")
    assert told["providers"] == {"gpt-oss-120b/chat": ["groq", "groq"]}
    known = {f"{s.publisher}, {s.title} {s.url}" for s in store.load().sources.values()}
    assert set(told["sources"]["gpt-oss-120b/chat"].split("; ")) <= known
    assert told["warnings"]["gpt-oss-120b/chat"] == [
        "the price of groq is that of 2025-08-06, carried back"
    ]
    assert (told["catalog"], told["fingerprint"]) == (TODAY, FINGERPRINT)
    unknown = price_table("gpt-oss-12b", [0])
    assert math.isnan(unknown.iloc[0, 0])
    assert "Nearest: gpt-oss-120b" in unknown.attrs["reasons"]["gpt-oss-12b"]
    assert told["reasons"] == {}


def test_a_price_that_is_missing_is_nan_with_a_reason():
    """A missing figure is NaN and attrs["reasons"] says why, as the module promises."""
    table = price_table(["gpt-oss-120b", "deepseek-r1"], [0], kind="cache_read")
    assert math.isnan(table["deepseek-r1"].iloc[0])
    assert "cache_read" in table.attrs["reasons"]["deepseek-r1"]


def test_the_spelling_of_a_kind_does_not_count():
    """A kind is taken in any spelling, as TOKEN_PRICE takes it."""
    table = price_table("gpt-oss-120b", [0], kind="Cache Read")
    assert table.iloc[0, 0] == TOKEN_PRICE("gpt-oss-120b", 0, None, "Cache Read")


# --- ranking and evidence ------------------------------------------------------------------------


@pytest.mark.parametrize("month", [0, 12, dt.date(2026, 6, 1)])
def test_the_ranking_is_the_worksheets(month):
    """Rows, order, costs, ratios and notes are those of PLATFORM_RANKING."""
    table = ranking_table(month, CHAT, CHOSEN)
    header, *rows = PLATFORM_RANKING(month, CHAT, LISTED)
    assert list(table.index) == [line[1] for line in rows]
    assert table.index.name == "platform"
    for name, line in zip(table.index, rows, strict=True):
        shown, row = table.loc[name], dict(zip(header, line, strict=True))
        assert same(shown["usd_per_million_tokens"], row["USD per 1M total tokens"])
        assert same(shown["ratio"], row["times the cheapest"])
        assert same(shown["tokens_per_second_per_user"], row["tok/s per user"])
        assert same(shown["tokens_per_second_per_megawatt"], row["total tok/s per MW"])
        assert shown["grade"] == row["grade"]
        assert shown["source"] == row["source"]
        if isinstance(line[0], CellError):
            assert shown["reason"] == row["note"] != ""
            assert (shown["rows"], shown["warnings"]) == (0, "")
            assert pd.isna(shown["evidence_date"])
        else:
            assert (shown["rows"], shown["reason"]) == (row["rows behind it"], "")
            assert shown["warnings"] == row["note"]
            assert shown["evidence_date"] == row["evidence date"]
            served = TOKEN_CAPACITY(name, month, CHAT, 1, [*LISTED[1:]])
            assert shown["tokens_per_second"] * 3600 * 730 / 1e6 == pytest.approx(served)
            power = TOKENS_PER_MEGAWATT(name, month, CHAT, LISTED)
            assert shown["tokens_per_second_per_megawatt"] == power
    told = table.attrs
    assert told["unit"] == "USD per 1M total tokens"
    assert (told["workload"], told["month"]) == (CHAT, month)
    assert (told["catalog"], told["fingerprint"]) == (TODAY, FINGERPRINT)
    with pytest.raises(NotKnown):
        ranking_table(0, "no/such")


def test_a_ranking_of_nobody_is_nan():
    """Where no platform has a cost the figures are NaN, and the column is one of numbers."""
    table = ranking_table(0, "llama-7b/chat")
    assert table["usd_per_million_tokens"].isna().all()
    assert table["usd_per_million_tokens"].dtype == "float64"


def test_evidence_is_the_rows_behind_the_answer():
    """As many rows as TOKEN_SOURCE counts, each an observation of the catalog, slowest first."""
    for platform, workload in (("B200", CHAT), ("gb200", CHAT), ("MI355X", "glm-5/summarize")):
        table = evidence_table(platform, workload)
        assert len(table) == TOKEN_SOURCE(platform, workload, "rows")
        known = {o.observation_id: o for o in store.load().observations}
        for name, line in table.iterrows():
            seen = known[name]
            assert line["tokens_per_second_total"] == seen.total
            assert line["date"] == seen.date
            assert line["grade"] == seen.evidence
            assert line["source"] == seen.source_id
            assert seen.precision in line["conditions"]
        speeds = list(table["tokens_per_second_per_user"])
        assert speeds == sorted(speeds)
        assert TOKEN_SOURCE(platform, workload, "date") in set(table["date"])
        assert table.attrs["platform"] == store.load().platform(platform).platform
        assert table.attrs["workload"] == workload
        assert table.attrs["unit"] == "tok/s per accelerator, input and output"
    fewer = evidence_table("B200", CHAT, {"precision": "fp8"})
    assert 0 < len(fewer) < len(evidence_table("B200", CHAT))


def test_evidence_without_speeds_is_listed_too():
    """Rows that state no speed per user stand in the table of a workload without a floor."""
    table = evidence_table("B200", "gpt-oss-120b/batch")
    assert len(table) == 2
    assert table["tokens_per_second_per_user"].isna().all()
    for platform, workload, words in (
        ("Gaudi 3", CHAT, "no usable evidence"),
        ("B2000", CHAT, "Nearest"),
        ("B200", "no/such", "not known"),
    ):
        with pytest.raises(NotKnown, match=words):
            evidence_table(platform, workload)


# --- one meaning of a month, one catalog ---------------------------------------------------------


def test_a_serial_is_a_date_as_in_the_worksheet():
    """A number from 1200 on is a date serial to TOKEN_COST; a table says the same or refuses."""
    try:
        table = cost_table("B200", [46023], CHAT)
    except (DomainError, InputError):
        return
    assert table.iloc[0, 0] == TOKEN_COST("B200", 46023, CHAT)


def test_capacity_warns_of_what_it_rests_on():
    """A capacity has no rate; its table's warnings are TOKEN_CAPACITY's."""
    day = dt.date(2026, 1, 1)
    with cells.listening() as notebook:
        TOKEN_CAPACITY("B200", day, CHAT)
    assert capacity_table("B200", [day], CHAT).attrs["warnings"]["B200"] == notebook.warnings


def test_a_cut_tables_catalog_is_the_cut():
    """The catalog told is the one that answered: before anything was recorded nothing is known."""
    with pytest.raises(NotKnown):
        cost_table("all", [0], "gpt-oss-120b/batch", {"catalog": dt.date(2026, 1, 1)})
    told = cost_table("all", [0], "gpt-oss-120b/batch", {"catalog": dt.date(2027, 1, 1)}).attrs
    assert told["catalog"] == TODAY


def test_each_reason_of_a_platform_is_told():
    """Two months that are missing for two reasons have both told."""
    fast = {"min_tokens_per_second_per_user": 307.6}
    months = [dt.date(2024, 1, 1), dt.date(2025, 9, 1)]
    reasons = str(cost_table("B200", months, CHAT, fast).attrs["reasons"])
    assert all(f"Carried back to {month}" in reasons for month in months)


# --- the package ---------------------------------------------------------------------------------


def test_importing_the_package_loads_no_pandas():
    """``import xltoken`` loads neither pandas nor numpy, nor the tables; using one does."""
    code = (
        "import sys, json, xltoken\n"
        "heavy = ('pandas', 'numpy', 'scipy', 'xltoken.frames')\n"
        "before = [name in sys.modules for name in heavy]\n"
        "table = xltoken.cost_table\n"
        "print(json.dumps([before, 'xltoken.frames' in sys.modules, 'pandas' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[False] * 4, True, False]


def test_tables_are_listed_and_are_those_of_frames():
    """The five tables are public names of the package."""
    from xltoken import frames

    for name in frames.__all__:
        assert name in dir(xltoken)
        assert getattr(xltoken, name) is getattr(frames, name)
        assert getattr(frames, name).__doc__


@pytest.mark.parametrize("month", ["soon", True, "#N/A"])
def test_what_is_no_month_is_refused(month):
    """A month that a cell would not take is refused with the cell's sentence."""
    with pytest.raises(InputError, match=r"date, or months after start|#N/A"):
        cost_table("B200", [month], CHAT)
