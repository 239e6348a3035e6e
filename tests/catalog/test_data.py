"""The shipped files: every figure has a source, and the headline rows have the right numbers."""

import csv
import datetime as dt
import itertools
import operator
import re
from collections import Counter

import pytest

from xltoken.catalog import reading, store
from xltoken.catalog.records import (
    CLAIM_INPUTS,
    EVIDENCE_GRADES,
    PRICE_PRIORS,
    PRIORS,
    RECORDS,
    SOFTWARE_PRIORS,
    Claim,
    Observation,
    Price,
    Prior,
    Rate,
    Source,
    columns,
)
from xltoken.economics.unit_cost import usd_per_million_tokens

DAY = dt.timedelta(days=1)
TENSORRT_LLM = "trtllm-perf-overview-2026"

# How many observations of each model rest on each family of sources.
COUNTS = {
    ("deepseek-r1", "benchmark run"): 1283,
    ("deepseek-r1", "article"): 26,
    ("deepseek-r1", "TensorRT-LLM"): 14,
    ("glm-5", "article"): 42,
    ("minimax-m2.5", "article"): 27,
    ("kimi-k2.5", "article"): 42,
    ("deepseek-v4-pro", "article"): 49,
    ("qwen3.5-397b-a17b", "article"): 21,
    ("gpt-oss-120b", "TensorRT-LLM"): 22,
    ("gpt-oss-120b", "statement"): 2,
    ("llama-3.x-70b", "TensorRT-LLM"): 104,
    ("llama-3.1-405b", "TensorRT-LLM"): 44,
    ("llama-2-70b", "TensorRT-LLM"): 24,
    ("llama-7b", "TensorRT-LLM"): 24,
    ("gpt-j-6b", "TensorRT-LLM"): 24,
    ("falcon-180b", "TensorRT-LLM"): 23,
    ("mixtral-8x7b", "TensorRT-LLM"): 8,
    ("llama-2-70b", "MLPerf"): 158,
    ("mixtral-8x7b", "MLPerf"): 48,
}
FAMILIES = {
    "ix-run-": "benchmark run",
    "ix-article-": "article",
    "trtllm-": "TensorRT-LLM",
    "mlperf-": "MLPerf",
    "nv-blog-": "statement",
}
GRADES = {
    "benchmark run": "measured",
    "article": "measured",
    "TensorRT-LLM": "vendor",
    "MLPerf": "peer_reviewed",
    "statement": "claim",
}

# Points of InferenceX articles, 8k in, 1k out unless an id says otherwise: platform, model, day,
# precision, speculative, framework, accelerators, concurrency, total tok/s per GPU, tok/s/user.
POINTS = {
    # https://inferencex.semianalysis.com/blog/b200-minimax-m2-5-vllm-nvfp4-vs-h100-fp8-perf-per-dollar
    "ix-minimax-01": "H100 minimax-m2.5 2026-05-22 fp8 none vllm 8 4 476.5 110.93",
    "ix-minimax-07": "B200 minimax-m2.5 2026-05-22 fp8 none vllm 2 4 1926.8 112.3",
    "ix-minimax-16": "B200 minimax-m2.5 2026-05-22 fp8 none vllm 4 512 11827.1 12.71",
    "ix-minimax-20": "B200 minimax-m2.5 2026-05-22 nvfp4 none vllm 1 4 4488.8 131.18",
    "ix-minimax-26": "B200 minimax-m2.5 2026-05-22 nvfp4 none vllm 4 8 2468.9 144.91",
    "ix-minimax-27": "B200 minimax-m2.5 2026-05-22 nvfp4 none vllm 8 4 768.6 180.26",
    # https://inferencex.semianalysis.com/blog/b200-nvfp4-vs-h200-int4-kimi-k2-vllm-perf-per-dollar
    "ix-kimi-int4-01": "H200 kimi-k2.5 2026-05-19 int4 none vllm 8 4 384.4 91.18",
    "ix-kimi-int4-10": "B200 kimi-k2.5 2026-05-19 int4 none vllm 8 64 1790.7 26.01",
    "ix-kimi-int4-11": "B200 kimi-k2.5 2026-05-19 nvfp4 none vllm 8 4 532 125.51",
    "ix-kimi-int4-16": "B200 kimi-k2.5 2026-05-19 nvfp4 none vllm 4 64 3879.3 32.19",
    # https://inferencex.semianalysis.com/blog/gb200-nvl72-kimi-k2-5-vllm-wide-ep-3x-vs-b200
    "ix-kimi-gb200-01": "B200 kimi-k2.5 2026-03-27 nvfp4 none vllm 4 4 878 101.8",
    "ix-kimi-gb200-06": "GB200_NVL72 kimi-k2.5 2026-04-07 nvfp4 none dynamo-vllm - 4 231 140.8",
    # https://inferencex.semianalysis.com/blog/mi355x-kimi-k2-5-vllm-aiter-7x-speedup
    "ix-kimi-mi355x-01": "MI355X kimi-k2.5 2026-03-01 mxfp4 none vllm 8 4 28.7 6.6",
    "ix-kimi-mi355x-06": "MI355X kimi-k2.5 2026-03-26 mxfp4 none vllm 8 4 337 78.9",
    "ix-kimi-mi355x-12": "MI355X kimi-k2.5 2026-03-26 mxfp4 none vllm 4 64 2687 19",
    # https://inferencex.semianalysis.com/blog/gb300-nvl72-vs-gb200-nvl72-dsv4-pro-vllm-fp4
    "ix-dsv4-gb300-01": "GB200_NVL72 deepseek-v4-pro 2026-05-22 nvfp4 none dynamo-vllm 16 1 32.8 74.13",
    "ix-dsv4-gb300-09": "GB300_NVL72 deepseek-v4-pro 2026-05-22 nvfp4 none dynamo-vllm 72 18 138.8 73.43",
    "ix-dsv4-gb300-11": "GB300_NVL72 deepseek-v4-pro 2026-05-22 nvfp4 none dynamo-vllm 60 3072 6812 25.91",
    # https://inferencex.semianalysis.com/blog/mi355x-deepseek-v4-pro-sglang-110x-in-26-days
    "ix-dsv4-mi355x-01": "MI355X deepseek-v4-pro 2026-04-25 fp8 none sglang 8 8 20.4 2.43",
    "ix-dsv4-mi355x-34": "MI355X deepseek-v4-pro 2026-05-21 mxfp4 none sglang 8 256 2256.1 9.37",
    # https://inferencex.semianalysis.com/blog/mi355x-qwen3-5-sglang-v0-5-12-up-to-17x
    "ix-qwen-01": "MI355X qwen3.5-397b-a17b 2026-02-20 fp8 none sglang 8 4 171.9 40.86",
    "ix-qwen-13": "MI355X qwen3.5-397b-a17b 2026-04-16 fp8 none sglang 4 256 5099.3 9.2",
    "ix-qwen-14": "MI355X qwen3.5-397b-a17b 2026-05-19 fp8 none sglang 2 4 1267.5 75.22",
    # https://inferencex.semianalysis.com/blog/gb200-nvl72-vs-b200-disagg-deepseek-r1-fp4-dynamo-trt
    # (1k in, 1k out)
    "ix-dsr1-disagg-09": "GB200_NVL72 deepseek-r1 2026-05-22 nvfp4 mtp dynamo-trt 32 16130 14659.4 17.82",
    "ix-dsr1-disagg-20": "B200 deepseek-r1 2026-05-22 nvfp4 mtp dynamo-trt 32 10860 12515.7 21.34",
    # https://inferencex.semianalysis.com/blog/sglang-0-5-6-b200-deepseek-r1-fp4-up-to-1-8x
    "ix-dsr1-sglang056-01": "B200 deepseek-r1 2025-12-31 nvfp4 none sglang - 4 907 108.5",
}

# Output tok/s per GPU of Llama 3.x 70B in two versions of TensorRT-LLM's own table: platform,
# tokens in, tokens out -> version 0.20.0 (June 2025), version 1.0 (September 2025).
LLAMA_70B = {
    ("B200", 128, 2048): (9580.46, 9922),
    ("B200", 500, 2000): (7343.32, 7762),
    ("B200", 1000, 2000): (6670.07, 6271),
    ("H200", 128, 2048): (4315.8, 4336),
    ("H200", 500, 2000): (3478.76, 3666),
    ("H200", 1000, 2000): (2896.44, 2994),
    ("H100", 128, 2048): (2891.28, 3325.5),
    ("H100", 500, 2000): (2342.03, 2611),
    ("H100", 1000, 2000): (1933.27, 2073),
}

# MLPerf results of llama2-70b-99.9 Offline: round, submitter, system; platform, accelerators, and
# the published output tok/s of the whole system.
MLPERF = {
    "mlperf-v4.1-001": ("v4.1", "AMD", "1xMI300X_2xEPYC-9374F", "MI300X", 1, 3062.72),
    "mlperf-v4.1-047": ("v4.1", "NVIDIA", "DGX-H100_H100-SXM-80GBx8_TRT", "H100", 8, 24524.9),
    "mlperf-v5.1-163": ("v5.1", "NVIDIA", "B200-SXM-180GBx8_TRT", "B200", 8, 101527.0),
    "mlperf-v5.1-166": (
        "v5.1",
        "NVIDIA",
        "GB200-NVL72_GB200-186GB_aarch64x4_TRT",
        "GB200 NVL72",
        4,
        51736.9,
    ),
}

# What each kind of headline is made of.
NEEDED = {
    "unit_cost": "tokens_per_second usd_per_accelerator_hour tokens_in tokens_out",
    "cost_ratio": "tokens_per_second usd_per_accelerator_hour base_platform "
    "base_tokens_per_second base_usd_per_accelerator_hour",
    "tokens_per_megawatt_ratio": "tokens_per_second kw_per_accelerator base_platform "
    "base_tokens_per_second base_kw_per_accelerator",
    "revenue": "tokens_per_second accelerators months usd_per_million_tokens",
    "revenue_multiple": "tokens_per_second accelerators months usd_per_million_tokens investment",
}

# Output tok/s per GPU, gpt-oss-120b: TensorRT-LLM performance overview (main 03e27c7),
# https://github.com/NVIDIA/TensorRT-LLM/blob/03e27c7d5ff0/docs/source/developer-guide/perf-overview.md
GPT_OSS_120B = {
    ("B200", 1000, 1000): 25_943,
    ("B200", 1024, 1024): 25_870,
    ("B200", 1024, 8192): 17_289,
    ("B200", 1024, 32768): 6_279,
    ("B200", 8192, 1024): 6_111,
    ("B200", 32768, 1024): 1_392,
    ("GB200 NVL72", 1000, 1000): 27_198,
    ("GB200 NVL72", 1024, 1024): 26_609,
    ("GB200 NVL72", 1024, 8192): 14_800,
    ("GB200 NVL72", 1024, 32768): 5_556,
    ("GB200 NVL72", 8192, 1024): 6_835,
    ("GB200 NVL72", 32768, 1024): 1_645,
    ("H200", 1000, 1000): 6_868,
    ("H200", 1024, 1024): 6_798,
    ("H200", 1024, 8192): 3_543,
    ("H200", 8192, 1024): 1_828,
    ("H200", 32768, 1024): 519,
    ("H100", 1000, 1000): 4_685,
    ("H100", 1024, 1024): 4_715,
    ("H100", 1024, 32768): 1_177,
    ("H100", 8192, 1024): 1_169,
    ("H100", 32768, 1024): 333,
}

# GLM-5, 8k in, 1k out, SGLang with MTP, of two articles of 2026-05-26 and 2026-05-25:
# platform, precision, layout, concurrency, total tok/s per GPU, tok/s/user, published USD/M.
# https://inferencex.semianalysis.com/blog/b200-glm5-nvfp4-vs-h200-fp8-3-6x-perf-per-dollar
# https://inferencex.semianalysis.com/blog/mi355x-glm5-fp8-sglang-40-cheaper-than-b200
GLM_5 = [
    ("B200", "nvfp4", "TP4", 4, 1038.7, 121.22, 0.52),
    ("B200", "nvfp4", "TP4", 8, 1523.5, 94.53, 0.36),
    ("B200", "nvfp4", "TP4", 16, 2228.1, 66.27, 0.24),
    ("B200", "nvfp4", "TP4", 32, 3037.3, 43.99, 0.18),
    ("B200", "nvfp4", "TP4", 64, 3739.7, 26.78, 0.14),
    ("B200", "nvfp4", "TP4", 128, 4115.5, 17.63, 0.13),
    ("B200", "nvfp4", "TP4", 256, 4090.7, 17.37, 0.13),
    ("B200", "nvfp4", "TP8", 4, 579.2, 140.08, 0.94),
    ("B200", "fp8", "TP8", 4, 417.0, 100.85, 1.30),
    ("B200", "fp8", "TP8", 128, 1929.5, 13.78, 0.28),
    ("H200", "fp8", "TP8", 4, 347.9, 84.49, 1.13),
    ("H200", "fp8", "TP8", 32, 851.9, 24.90, 0.46),
    ("MI355X", "fp8", "TP4", 4, 625.5, 76.80, 0.66),
    ("MI355X", "fp8", "TP4", 16, 1208.1, 35.82, 0.34),
]


@pytest.fixture(scope="module")
def catalog():
    """Read the shipped catalog, without any overlay."""
    store.reload()
    return store.load("")


def rows_of(record):
    """Read a shipped file as text."""
    with (reading.DATA / record.FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records_of(catalog, kind):
    """Return every shipped row of one kind, withdrawn ones too."""
    return [record for record in catalog.everything if isinstance(record, kind)]


def price_key(price):
    """Return what a price is of, but for its day."""
    return (price.provider, price.model, price.kind)


def family(row):
    """Return the family of sources a row rests on."""
    return next(name for start, name in FAMILIES.items() if row.source_id.startswith(start))


def rate(catalog, platform, basis, day):
    """Return the one shipped rate of a platform and basis that is valid on a day."""
    (row,) = (
        row
        for row in catalog.rates_of(platform)
        if row.basis == basis and row.valid_from <= day and (row.valid_to or day) >= day
    )
    return row


def test_the_shipped_files_have_no_problem():
    """Every shipped row can be used."""
    assert store.read("")[1] == []


@pytest.mark.parametrize("record", RECORDS)
def test_a_shipped_file_has_exactly_its_columns(record):
    """The header of a shipped file is the schema, in its order but for the place of source_id."""
    header = list(rows_of(record)[0])
    names = [field.name for field in columns(record)]
    assert sorted(header) == sorted(names)
    assert header[-2:] == ["recorded", "withdrawn"]


@pytest.mark.parametrize("record", RECORDS)
def test_a_shipped_file_is_plain(record):
    """Shipped files are UTF-8 without byte order mark, with no spaces around cells and Unix lines."""
    content = (reading.DATA / record.FILE).read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content
    assert content.endswith(b"\n")
    cells = itertools.chain.from_iterable(row.values() for row in rows_of(record))
    assert all(cell == cell.strip() for cell in cells)


def test_every_row_rests_on_a_source(catalog):
    """Each shipped fact names a source of sources.csv, and each was recorded on a day."""
    for record in catalog.everything:
        assert record.source_id in catalog.sources, record
        assert record.recorded is not None, record
        assert not record.origin.user


def test_every_observation_has_a_source_with_an_address(catalog):
    """From every observation a web address of its own run, article, table or round is found."""
    for row in catalog.observations:
        source = catalog.sources[row.source_id]
        assert source.url.startswith("https://"), row
        run = row.source_id.partition("ix-run-")[2]
        assert not run or f"/actions/runs/{run}/" in source.url, row


def test_every_source_can_be_looked_up(catalog):
    """Each source has a web address, a publisher and the day on which it was retrieved."""
    for source in records_of(catalog, Source):
        assert source.url.startswith(("https://", "http://")), source
        assert source.publisher, source
        assert source.retrieved is not None, source
        assert source.published is None or source.published <= source.retrieved, source


def test_every_source_is_used(catalog):
    """No source stands in the file without a fact that rests on it."""
    facts = (record for record in catalog.everything if not isinstance(record, Source))
    assert set(catalog.sources) == {record.source_id for record in facts}


@pytest.mark.parametrize("record", RECORDS)
def test_no_key_stands_twice(record, catalog):
    """Of the shipped rows that are not withdrawn, no two have the same key."""
    names = reading.identity(record)
    live = [row for row in records_of(catalog, record) if row.withdrawn is None]
    keys = Counter(
        tuple(store.normalize(str(getattr(row, name))) for name in names) for row in live
    )
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_configuration_is_counted_twice_on_a_day(catalog):
    """Two observations of one day differ in platform, model, shape or configuration."""
    names = "date platform model tokens_in tokens_out precision speculative framework layout"
    names += " method concurrency"
    configuration = operator.attrgetter(*names.split())
    counted = Counter(
        # Submitters of MLPerf name their systems alike; the result's path in the note is its own.
        (*configuration(row), row.note if family(row) == "MLPerf" else "")
        for row in catalog.observations
    )
    assert [key for key, count in counted.items() if count > 1] == []


def test_every_row_is_steady(catalog):
    """By Little's law no shipped row holds more than twice the tokens it serves."""
    ratios = [row.steadiness for row in catalog.observations if row.steadiness is not None]
    assert len(ratios) > 1_000
    assert max(ratios) <= 2.0
    assert min(ratios) > 1.0
    assert sum(ratio > 1.35 for ratio in ratios) < 0.05 * len(ratios)


def test_unsteady_rows_say_so(catalog):
    """A row holding over 1.35 times the tokens it serves is flagged in its note, and no other."""
    flagged = {row.observation_id for row in catalog.observations if "steadiness" in row.note}
    unsteady = {
        row.observation_id for row in catalog.observations if (row.steadiness or 0.0) > 1.35
    }
    assert flagged == unsteady
    assert len(flagged) == 26


def test_the_run_that_is_plainly_wrong_is_left_out(catalog):
    """MI355X with ATOM on 2026-06-02 at concurrency 512 holds 45 times what it serves: no row."""
    rows = catalog.of("MI355X", "deepseek-r1")
    assert rows
    assert not any((r.framework, r.tokens_per_second_total) == ("atom", 50.532) for r in rows)


def test_rows_of_which_only_the_total_is_right_keep_it(catalog):
    """Runs of 2025-10-06 that logged no output rate are there by their total alone."""
    rows = [row for row in catalog.observations if row.date == dt.date(2025, 10, 6)]
    assert sorted(row.total for row in rows) == [60.459, 89.762, 382.572, 533.869]
    assert all(row.tokens_per_second_output is None for row in rows)


def test_benchmark_runs_state_the_total(catalog):
    """Output per decode accelerator is no output per accelerator: runs and articles give totals."""
    for row in catalog.observations:
        if family(row) in {"benchmark run", "article"}:
            assert row.tokens_per_second_total is not None, row
            assert row.tokens_per_second_output is None, row


def test_single_nodes_have_the_accelerators_of_their_layout(catalog):
    """A run on one node has as many accelerators as its tensor parallel group, 8 at most."""
    rows = [
        row
        for row in catalog.observations
        if family(row) == "benchmark run" and not row.disaggregated
    ]
    assert len(rows) == 814
    for row in rows:
        assert row.accelerators == int(re.match(r"TP(\d+)\b", row.layout)[1]) <= 8, row


def test_disaggregated_rows_have_the_accelerators_of_both_phases(catalog):
    """Prefill and decode accelerators add up; where they are not stated none are assumed.

    Eight GB200 rows of 1 to 5 December 2025 log the whole deployment once for each phase.
    """
    rows = [row for row in catalog.observations if row.disaggregated]
    logged_twice, unknown = [], []
    for row in rows:
        stated = re.match(r"prefill (\d+): .*; decode (\d+): ", row.layout)
        if stated is None:
            unknown.append(row)
            continue
        prefill, decode = int(stated[1]), int(stated[2])
        if row.accelerators != prefill + decode:
            assert row.accelerators == prefill == decode, row
            logged_twice.append(row.observation_id)
    assert len(rows) == 512
    assert logged_twice == [f"ix-dsr1-{number:04}" for number in range(22, 30)]
    assert {row.source_id for row in unknown} == {"ix-article-kimi-gb200"}
    assert [row.accelerators for row in unknown] == [None] * 9


def test_the_date_of_the_catalog():
    """The catalog's date is the latest day recorded in any shipped file."""
    days = (row["recorded"] for record in RECORDS for row in rows_of(record))
    assert store.read("")[0].date == dt.date.fromisoformat(max(days))


def test_nothing_was_recorded_before_it_happened(catalog):
    """Observations are dated and published on or before the day they were recorded."""
    for row in catalog.observations:
        assert row.date <= row.known_since <= row.recorded, row


def test_grades_follow_the_sources(catalog):
    """Runs are measured, MLPerf is peer-reviewed, TensorRT-LLM's own tables are vendor, blogs claims."""
    grades = {(family(row), row.evidence) for row in catalog.observations}
    assert grades == set(GRADES.items())
    assert set(GRADES.values()) == set(EVIDENCE_GRADES)


def test_each_model_has_the_rows_of_its_sources(catalog):
    """The number of observations by model and family of sources is the one that was collected."""
    assert Counter((row.model, family(row)) for row in catalog.observations) == COUNTS


def test_four_bit_formats_belong_to_their_vendor(catalog):
    """Measured and vendor rows in mxfp4 are of AMD, in nvfp4 of NVIDIA; int4 is Kimi's alone."""
    formats = {"nvfp4": "NVIDIA", "mxfp4": "AMD"}
    for row in catalog.observations:
        vendor = catalog.platforms[row.platform].vendor
        assert row.evidence == "claim" or formats.get(row.precision, vendor) == vendor, row
        assert row.precision != "int4" or row.model == "kimi-k2.5", row


def test_every_row_but_those_of_mlperf_names_a_precision(catalog):
    """MLPerf's logs name no precision; every other row does, one of four formats."""
    for row in catalog.observations:
        if family(row) == "MLPerf":
            assert row.precision == "", row
        else:
            assert row.precision in {"fp8", "nvfp4", "mxfp4", "int4"}, row


def test_gpt_oss_is_the_table_of_tensorrt_llm(catalog):
    """The 22 rows of gpt-oss-120b have the published output tok/s per GPU, and no others."""
    rows = [
        row
        for row in catalog.observations
        if row.source_id == TENSORRT_LLM and row.model == "gpt-oss-120b"
    ]
    shipped = {
        (row.platform, row.tokens_in, row.tokens_out): row.tokens_per_second_output for row in rows
    }
    assert shipped == GPT_OSS_120B
    assert len(rows) == len(GPT_OSS_120B)
    assert {row.tokens_per_second_total for row in rows} == {None}
    assert {row.date_precision for row in rows} == {"year"}


def test_the_headline_token_costs_two_cents(catalog):
    """25,943 output tok/s on a B200 at $1.95 an hour are $0.0209 per 1M output tokens."""
    row = next(row for row in catalog.observations if row.observation_id == "trtllm-oss-01")
    hour = rate(catalog, "B200", "own_hyperscaler", dt.date(2026, 3, 18))
    usd = usd_per_million_tokens(hour.usd_per_accelerator_hour, row.tokens_per_second_output)
    assert (row.platform, row.precision, row.evidence) == ("B200", "nvfp4", "vendor")
    assert round(usd, 4) == 0.0209


@pytest.mark.parametrize("point", GLM_5, ids=lambda point: "-".join(map(str, point[:4])))
def test_glm_5_is_the_point_of_the_article(catalog, point):
    """A shipped GLM-5 point has the article's speeds, and costs what it says within a cent."""
    platform, precision, layout, concurrency, total, per_user, published = point
    (row,) = (
        row
        for row in catalog.of(platform, "glm-5")
        if (row.precision, row.layout, row.concurrency) == (precision, layout, concurrency)
        and row.speculative == "mtp"
    )
    assert (row.tokens_in, row.tokens_out) == (8192, 1024)
    assert (row.total, row.tokens_per_second_per_user) == (total, per_user)
    hour = rate(catalog, platform, "own_hyperscaler", row.date)
    usd = usd_per_million_tokens(hour.usd_per_accelerator_hour, row.total)
    assert usd == pytest.approx(published, abs=0.01)


def test_glm_5_has_all_points_of_its_articles(catalog):
    """GLM-5 has 42 points: 5 on H200, 22 on B200 and 15 on MI355X, all of two articles."""
    rows = [row for row in catalog.observations if row.model == "glm-5"]
    assert Counter(row.platform for row in rows) == {"H200": 5, "B200": 22, "MI355X": 15}
    assert Counter(row.date for row in rows) == {
        dt.date(2026, 5, 25): 20,
        dt.date(2026, 5, 20): 22,
    }


@pytest.mark.parametrize("name", POINTS)
def test_a_point_is_that_of_its_article(catalog, name):
    """A quoted point of an article stands in the catalog as it was published."""
    (row,) = (row for row in catalog.observations if row.observation_id == name)
    shown = [row.platform.replace(" ", "_"), row.model, str(row.date), row.precision]
    shown += [row.speculative, row.framework]
    numbers = (row.accelerators, row.concurrency, row.total, row.tokens_per_second_per_user)
    shown += ["-" if number is None else f"{number:.10g}" for number in numbers]
    assert " ".join(shown) == POINTS[name]
    shape = (1024, 1024) if "disagg" in name else (8192, 1024)
    assert (row.tokens_in, row.tokens_out) == shape


def test_an_article_of_two_versions_gives_the_newer(catalog):
    """Of SGLang 0.5.5 and 0.5.6 the points of 0.5.6 count; those of 0.5.5 have no day of their own."""
    rows = [row for row in catalog.observations if row.source_id == "ix-article-dsr1-sglang056"]
    assert [row.total for row in rows] == [907, 1437, 1500, 3063, 3419, 5145]
    assert {row.date for row in rows} == {dt.date(2025, 12, 31)}


@pytest.mark.parametrize("key", LLAMA_70B, ids=lambda key: "-".join(map(str, key)))
def test_tensorrt_llm_has_the_speeds_of_its_versions(catalog, key):
    """Llama 3.x 70B has the output tok/s per GPU of versions 0.20.0 and 1.0, as published."""
    rows = {
        row.source_id: row.tokens_per_second_output
        for row in catalog.of(key[0], "llama-3.x-70b")
        if (row.tokens_in, row.tokens_out) == key[1:] and row.layout in {"TP1", "TP2"}
        if (row.layout == "TP2") == (key[0] == "H100")
    }
    assert (rows["trtllm-0.20.0"], rows["trtllm-1.0"]) == LLAMA_70B[key]


def test_the_method_of_tensorrt_llm_changed_at_0_10(catalog):
    """Versions up to 0.9 measured a static batch, later ones the highest load: never one method."""
    methods = {}
    for row in catalog.observations:
        if family(row) == "TensorRT-LLM":
            methods.setdefault(row.source_id, set()).add(row.method)
            static = row.method == "static_batching"
            assert static == (row.date < dt.date(2024, 6, 1)), row
            assert static == (row.concurrency is not None), row
    static = {f"trtllm-0.{minor}.0" for minor in (5, 7, 8, 9)}
    assert {name for name, found in methods.items() if found == {"static_batching"}} == static
    assert all(len(found) == 1 for found in methods.values())
    assert len(methods) == 9


def test_the_batch_of_tensorrt_llm_grew_at_0_8(catalog):
    """From 0.5 to 0.8 the batch of LLaMA 70B grew from 64 to 512: the two speeds do not match."""
    rows = {
        row.source_id: (row.concurrency, row.tokens_per_second_output)
        for row in catalog.of("H100", "llama-2-70b")
        if (row.tokens_in, row.tokens_out) == (128, 2048) and family(row) == "TensorRT-LLM"
    }
    assert (rows["trtllm-0.5.0"], rows["trtllm-0.8.0"]) == ((64, 654), (512, 2718))


def test_the_undated_version_of_tensorrt_llm_is_a_year(catalog):
    """The last table, and no other row, is dated by its year alone, and its note or source says so."""
    rows = [row for row in catalog.observations if row.date_precision == "year"]
    assert {row.source_id for row in rows} == {TENSORRT_LLM}
    assert len(rows) == 53
    assert all("not verified" in row.note or "unverified" in row.note for row in rows)


def test_every_mlperf_row_names_its_round_and_result(catalog):
    """MLPerf may be quoted with round, submitter, benchmark, scenario and the path of the result."""
    rows = [row for row in catalog.observations if family(row) == "MLPerf"]
    paths = []
    for row in rows:
        release = row.source_id.removeprefix("mlperf-")
        label, version, scenario = row.method.split(" ")
        assert (label, version) == ("mlperf", release)
        told = re.match(
            rf"MLPerf Inference {re.escape(release)}, (\S+), (\S+) {scenario}: "
            rf"(closed/(\S+)/results/(\S+)/(\S+)/{scenario}/performance/run_1/\S+\.txt); ",
            row.note,
        )
        assert told, row.note
        assert told[1] == told[4], row.note
        assert told[2] == told[6], row.note
        assert told[5] == row.layout, row
        assert told[2].startswith(row.model.replace("llama-2", "llama2")), row
        assert release in catalog.sources[row.source_id].url
        assert "our division" in catalog.sources[row.source_id].note
        paths.append((release, told[3]))
    assert len(set(paths)) == len(paths) == 206


@pytest.mark.parametrize("name", MLPERF)
def test_an_mlperf_row_is_the_published_result(catalog, name):
    """A quoted result has the published speed divided by its accelerators."""
    (row,) = (row for row in catalog.observations if row.observation_id == name)
    release, submitter, system, platform, accelerators, speed = MLPERF[name]
    assert row.note.startswith(
        f"MLPerf Inference {release}, {submitter}, llama2-70b-99.9 Offline: "
        f"closed/{submitter}/results/{system}/llama2-70b-99.9/Offline/"
    )
    assert (row.platform, row.accelerators) == (platform, accelerators)
    assert row.tokens_per_second_output == pytest.approx(speed / accelerators, rel=1e-9)
    assert row.tokens_per_second_total is None


def test_mlperf_has_shapes_of_its_own(catalog):
    """MLPerf's data sets are workloads of their own; they serve no shape of random tokens."""
    for model, shape in (("llama-2-70b", (1024, 293)), ("mixtral-8x7b", (2048, 145))):
        own = catalog.workload(f"{model}/mlperf")
        assert (own.tokens_in, own.tokens_out) == shape
        rows = [r for r in catalog.observations if r.model == model and family(r) == "MLPerf"]
        assert all(own.serves(row) for row in rows)
        shapes = [catalog.workload(f"{model}/{shape}") for shape in store.SHAPES]
        assert not any(load.serves(row) for load in shapes for row in rows)


def test_the_claims_are_two_speeds_of_one_machine(catalog):
    """B200 on gpt-oss-120b is claimed at 6,000 tok/s on 2025-08-05 and 30,000 on 2025-10-09."""
    claims = [row for row in catalog.observations if row.evidence == "claim"]
    assert [
        (row.date, row.tokens_per_second_output, row.tokens_per_second_per_user) for row in claims
    ] == [(dt.date(2025, 8, 5), 6_000, 100), (dt.date(2025, 10, 9), 30_000, 100)]
    for row in claims:
        assert (row.platform, row.model) == ("B200", "gpt-oss-120b")
        assert row.known_since == dt.date(2025, 10, 9)
        assert row.speculative == ("none" if row.date.month == 8 else "eagle3-v2")
        assert "assumed" in row.note


def test_the_claims_cost_what_they_say(catalog):
    """At $2.34 an hour the claimed speeds cost $0.108 and $0.0217 per 1M output tokens."""
    hour = rate(catalog, "B200", "own_neocloud", dt.date(2026, 3, 18)).usd_per_accelerator_hour
    claims = [row for row in catalog.observations if row.evidence == "claim"]
    usd = [usd_per_million_tokens(hour, row.tokens_per_second_output) for row in claims]
    assert [round(usd[0], 3), round(usd[1], 4)] == [0.108, 0.0217]


@pytest.mark.parametrize(
    ("day", "hyperscaler", "neocloud", "rental", "kilowatts", "kw_basis"),
    [
        (dt.date(2026, 3, 18), 1.95, 2.34, 2.90, 2.17, "utility"),
        (dt.date(2026, 8, 13), 1.95, 2.34, 2.90, 2.17, "utility"),
        (dt.date(2026, 8, 14), 1.73, 2.07, 2.60, 1.71, "chip_and_host"),
    ],
)
def test_the_rates_of_a_b200(catalog, day, hyperscaler, neocloud, rental, kilowatts, kw_basis):
    """USD per B200-hour and kW by basis, before and after the surveys of July 2026."""
    bases = ("own_hyperscaler", "own_neocloud", "rental_3yr")
    rows = [rate(catalog, "B200", basis, day) for basis in bases]
    assert [row.usd_per_accelerator_hour for row in rows] == [hyperscaler, neocloud, rental]
    assert {(row.kw_per_accelerator, row.kw_basis) for row in rows} == {(kilowatts, kw_basis)}


def test_rates_follow_each_other_without_gap(catalog):
    """Of one platform and basis each rate ends the day before the next, and the last is open."""
    series = {}
    for row in records_of(catalog, Rate):
        series.setdefault((row.platform, row.basis), []).append(row)
    for rows in series.values():
        rows.sort(key=lambda row: row.valid_from)
        assert rows[-1].valid_to is None, rows[-1]
        for early, late in itertools.pairwise(rows):
            assert early.valid_to == late.valid_from - DAY, early


def test_every_platform_with_evidence_has_both_own_rates(catalog):
    """Where there is evidence there is a rate for the scenarios base and conservative, with kW."""
    for platform in catalog.platforms_with_evidence:
        for basis in ("own_hyperscaler", "own_neocloud"):
            rows = [row for row in catalog.rates_of(platform) if row.basis == basis]
            assert rows, (platform, basis)
            assert all(row.kw_per_accelerator and row.kw_basis for row in rows)


def test_power_is_on_one_basis_by_date(catalog):
    """Of rates that state kW, those before 2026-08-14 are utility, later ones chip and host."""
    stated = [row for row in catalog.rates if row.kw_per_accelerator is not None]
    assert len(stated) >= len(catalog.rates) - 1
    for row in stated:
        early = row.valid_from < dt.date(2026, 8, 14)
        assert row.kw_basis == ("utility" if early else "chip_and_host"), row


def test_placeholders_are_marked(catalog):
    """Where there is evidence, B300 and GB300 before 2026-08-14 alone have placeholder rates."""
    measured = catalog.platforms_with_evidence
    marked = {
        (row.platform, row.valid_from, row.basis)
        for row in catalog.rates
        if row.placeholder and row.platform in measured
    }
    bases = ("own_hyperscaler", "own_neocloud", "rental_3yr")
    platforms = ("B300", "GB300 NVL72")
    assert marked == set(itertools.product(platforms, [dt.date(2026, 3, 18)], bases))


def test_on_demand_has_no_rates_yet(catalog):
    """No shipped rate is on demand; the other three bases have rows."""
    assert {row.basis for row in catalog.rates} == {
        "own_hyperscaler",
        "own_neocloud",
        "rental_3yr",
    }


def test_platforms_without_evidence_say_so(catalog):
    """Platforms nobody measured say in their note that no measurement is usable, and no others."""
    silent = set(catalog.platforms) - catalog.platforms_with_evidence
    assert silent == {
        "Vera Rubin NVL72",
        "Trainium2",
        "Trainium3",
        "TPU v7",
        "Gaudi 3",
    }
    for name, platform in catalog.platforms.items():
        note = platform.note
        told = "no usable measurement" in note or "no public measurement" in note
        assert told == (name in silent), name


def test_every_platform_with_evidence_has_a_launch_date(catalog):
    """The age of a platform, and so its drift, is known wherever there is evidence."""
    for platform in catalog.platforms_with_evidence:
        assert catalog.platforms[platform].launched <= catalog.date


def test_aliases_are_of_one_platform(catalog):
    """No two platforms claim one name, and every alias finds its platform."""
    claimed = Counter()
    for key, platform in catalog.platforms.items():
        names = {key, platform.label, *platform.aliases.split(";")}
        forms = {store.normalize(name) for name in names} - {""}
        claimed.update(forms)
        assert all(catalog.platform(form).platform == key for form in forms)
    assert set(claimed.values()) == {1}


@pytest.mark.parametrize(
    ("text", "key"),
    [("gb200", "GB200 NVL72"), ("gb300-nvl72", "GB300 NVL72"), ("Instinct MI355X", "MI355X")],
)
def test_platforms_answer_to_their_usual_names(catalog, text, key):
    """The usual short names find the shipped platforms."""
    assert catalog.platform(text).platform == key


def test_every_model_has_the_five_shapes(catalog):
    """Every model has five workloads and the release date of its weights, and MLPerf has two.

    Llama 3.x 70B is more than one release, so it has no date.
    """
    released = {
        "deepseek-r1": dt.date(2025, 1, 20),
        "glm-5": dt.date(2026, 2, 11),
        "gpt-oss-120b": dt.date(2025, 8, 5),
        "minimax-m2.5": dt.date(2026, 2, 12),
        "kimi-k2.5": dt.date(2026, 1, 27),
        "deepseek-v4-pro": dt.date(2026, 4, 24),
        "qwen3.5-397b-a17b": dt.date(2026, 2, 16),
        "llama-2-70b": dt.date(2023, 7, 18),
        "llama-3.1-405b": dt.date(2024, 7, 23),
        "llama-3.x-70b": None,
        "llama-7b": dt.date(2023, 2, 24),
        "mixtral-8x7b": dt.date(2023, 12, 11),
        "gpt-j-6b": dt.date(2021, 6, 9),
        "falcon-180b": dt.date(2023, 9, 6),
    }
    expected = {
        (f"{model}/{shape}", day) for model, day in released.items() for shape in store.SHAPES
    }
    expected |= {(f"{model}/mlperf", released[model]) for model in ("llama-2-70b", "mixtral-8x7b")}
    loads = catalog.workloads.values()
    assert {(load.key, load.model_released) for load in loads} == expected
    assert {model: catalog.released(model) for model in released} == released
    assert not any(workload.user for workload in catalog.workloads.values())


def test_every_model_is_served_by_evidence(catalog):
    """Every model has a workload that some row serves, but those of static batches alone."""
    silent = set()
    for model in catalog.models.values():
        rows = [row for row in catalog.observations if row.model == model]
        loads = [load for load in catalog.workloads.values() if load.model == model]
        if not any(load.serves(row) for load in loads for row in rows):
            assert {row.method for row in rows} == {"static_batching"}
            silent.add(model)
    assert silent == {"gpt-j-6b", "llama-7b", "falcon-180b"}


def test_no_row_was_measured_before_its_model_came_out(catalog):
    """A model is measured on or after the day its weights came out."""
    for row in catalog.observations:
        released = catalog.released(row.model)
        assert released is None or row.date >= released, row


def test_every_observation_is_counted(catalog):
    """No observation is withdrawn so far, and all of them are of platforms in the file."""
    assert len(catalog.observations) == len(records_of(catalog, Observation)) == 1985
    assert catalog.platforms_with_evidence <= set(catalog.platforms)


def test_the_priors(catalog):
    """Every prior that is used is shipped, with its unit, note and source, and no others."""
    priors = {
        "software_gain_per_month": (0.01, "share of throughput a month"),
        "software_gain_weight": (10, "stacks"),
        "software_gain_sd": (0.1, "log of throughput per root-month"),
        "software_gain_months": (6, "months"),
        "price_factor_per_year_low": (9, "times cheaper a year"),
        "price_factor_per_year_middle": (10, "times cheaper a year"),
        "price_factor_per_year_high": (40, "times cheaper a year"),
    }
    assert {name: (row.value, row.unit) for name, row in catalog.priors.items()} == priors
    assert set(priors) == set(PRIORS) == {*SOFTWARE_PRIORS, *PRICE_PRIORS}
    for row in records_of(catalog, Prior):
        assert row.note, row
        assert catalog.sources[row.source_id].url, row
        assert catalog.prior(row.name) == row.value


# Prices


def test_a_price_stands_once_and_in_order(catalog):
    """The days of one provider, model and kind follow each other, and every row is a new price."""
    runs = [list(rows) for _, rows in itertools.groupby(catalog.prices, key=price_key)]
    assert len(runs) == len({price_key(rows[0]) for rows in runs}) == 288
    assert sum(map(len, runs)) == len(records_of(catalog, Price)) == 316
    for rows in runs:
        for early, late in itertools.pairwise(rows):
            assert early.valid_from < late.valid_from, late
            assert early.usd_per_million_tokens != late.usd_per_million_tokens, late


def test_prices_of_a_model_stand_together_in_order(catalog):
    """The rows of one model stand together, sorted by provider, kind and day."""
    models = [model for model, _ in itertools.groupby(price.model for price in catalog.prices)]
    assert len(models) == len(set(models)) == len(catalog.priced_models) == 24
    for model in models:
        rows = [(*price_key(price), price.valid_from) for price in catalog.prices_of(model)]
        assert rows == sorted(rows)


def test_prices_are_list_prices_of_their_time(catalog):
    """A price is above 0, below 200 USD per 1M tokens, and known on the day it is valid from."""
    for price in catalog.prices:
        assert 0 < price.usd_per_million_tokens < 200, price
        assert price.valid_from <= price.recorded, price
        source = catalog.sources[price.source_id]
        assert source.source_id.startswith("genai-prices-"), price
        assert "list prices" in source.note, source


def test_what_is_kept_or_read_costs_no_more_than_what_is_written(catalog):
    """At every provider the newest prices rise from cache read over input to output."""
    newest = {price_key(price): price.usd_per_million_tokens for price in catalog.prices}
    for provider, model, _ in newest:
        asked = [newest.get((provider, model, kind)) for kind in ("cache_read", "input", "output")]
        known = [usd for usd in asked if usd is not None]
        assert known == sorted(known), (provider, model)


@pytest.mark.parametrize(
    ("provider", "model", "kind", "history"),
    [
        ("groq", "gpt-oss-120b", "input", [("2025-08-06", 0.15)]),
        ("groq", "gpt-oss-120b", "output", [("2025-08-06", 0.75), ("2025-11-11", 0.6)]),
        ("aws", "gpt-oss-120b", "output", [("2025-11-19", 0.6)]),
        ("fireworks", "gpt-oss-120b", "cache_read", [("2026-02-04", 0.07), ("2026-11-22", 0.015)]),
        ("anthropic", "claude-opus-4-6", "output", [("2026-02-05", 25)]),
        ("openai", "gpt-5", "input", [("2025-08-08", 1.25)]),
    ],
)
def test_a_price_has_its_history(catalog, provider, model, kind, history):
    """A quoted price changed on the days on which genai-prices first had the new one."""
    found = [
        (str(price.valid_from), price.usd_per_million_tokens)
        for price in catalog.prices_of(model)
        if price_key(price) == (provider, model, kind)
    ]
    assert found == history


def test_o3_never_became_dearer(catalog):
    """OpenAI's o3 fell from 10 and 40 USD to 2 and 8 on 2025-06-10 and has not risen since.

    The row of genai-prices without a start date is the price before, not one of July 2025.
    """
    for kind in ("input", "output"):
        rows = [p for p in catalog.prices if price_key(p) == ("openai", "o3", kind)]
        asked = [price.usd_per_million_tokens for price in rows]
        assert asked == sorted(asked, reverse=True), rows


# Claims


def test_a_claim_has_all_that_its_kind_needs(catalog):
    """Every headline can be made again: each input its kind needs is in its row."""
    assert set(NEEDED) == set(CLAIM_INPUTS)
    for claim in records_of(catalog, Claim):
        for name in NEEDED[claim.kind].split():
            assert getattr(claim, name), (claim.claim, name)
        assert claim.tokens_in, claim
        assert claim.tokens_out, claim
        assert claim.conditions, claim
        assert claim.assessment, claim


def test_a_claim_is_of_platforms_and_models_in_the_catalog(catalog):
    """Claimed and compared platforms, and models, are found, and so is the source's address."""
    for claim in catalog.claims:
        assert catalog.platform(claim.platform).platform == claim.platform
        assert not claim.base_platform or catalog.platform(claim.base_platform)
        assert catalog.model(claim.model) == claim.model
        assert catalog.sources[claim.source_id].url
        assert claim.date <= claim.recorded


def test_the_headlines(catalog):
    """The six headlines, with what was published and the speed and rate it was made of."""
    shown = {
        claim.claim: (claim.kind, claim.published_value, claim.tokens_per_second)
        for claim in catalog.claims
    }
    assert shown == {
        "b200-two-cents": ("unit_cost", 0.02, 25_943),
        "b200-five-times": ("cost_ratio", 5, 30_000),
        "gb200-75-million": ("revenue", 75_000_000, 10_000),
        "gb200-15-times": ("revenue_multiple", 15, 10_000),
        "gb300-35-times": ("cost_ratio", 35, 6_000),
        "gb300-50-times": ("tokens_per_megawatt_ratio", 50, 6_000),
    }


def test_the_inputs_give_the_headlines(catalog):
    """By hand: 2.1 cents, 5 times, 75 M USD, 15 times, 35.4 times, 52 times."""
    claims = {claim.claim: claim for claim in catalog.claims}
    cents = claims["b200-two-cents"]
    usd = usd_per_million_tokens(cents.usd_per_accelerator_hour, cents.tokens_per_second)
    assert round(usd, 4) == 0.0209
    five = claims["b200-five-times"]
    assert five.tokens_per_second / five.base_tokens_per_second == 5
    assert five.usd_per_accelerator_hour == five.base_usd_per_accelerator_hour
    rack = claims["gb200-75-million"]
    tokens = rack.accelerators * rack.tokens_per_second * 3 * 8760 * 3600
    assert tokens == pytest.approx(6.81e13, rel=1e-3)
    assert tokens / 1e6 * rack.usd_per_million_tokens == pytest.approx(75e6, rel=0.01)
    assert claims["gb200-15-times"].investment == 5e6
    ultra = claims["gb300-35-times"]
    hopper = usd_per_million_tokens(
        ultra.base_usd_per_accelerator_hour, ultra.base_tokens_per_second
    )
    usd = usd_per_million_tokens(ultra.usd_per_accelerator_hour, ultra.tokens_per_second)
    assert (round(hopper, 2), round(usd, 4), round(hopper / usd, 1)) == (4.35, 0.1227, 35.5)
    power = claims["gb300-50-times"]
    assert power.tokens_per_second / power.kw_per_accelerator * 1000 == pytest.approx(
        2.8e6, rel=0.01
    )
    assert power.base_tokens_per_second / power.base_kw_per_accelerator * 1000 == pytest.approx(
        54_000, rel=0.01
    )


def test_the_two_cents_are_of_the_row_they_quote(catalog):
    """25,943 tok/s belong to 1,000 in and 1,000 out, at the B200's rate before 2026-08-14."""
    claim = next(claim for claim in catalog.claims if claim.claim == "b200-two-cents")
    key = (claim.platform, claim.tokens_in, claim.tokens_out)
    assert GPT_OSS_120B.get(key) == claim.tokens_per_second
    hour = rate(catalog, "B200", "own_hyperscaler", dt.date(2026, 8, 13))
    assert claim.usd_per_accelerator_hour == hour.usd_per_accelerator_hour
    assert "March to August 2026" in claim.conditions


def test_before_it_was_recorded_the_catalog_is_empty(catalog):
    """A cut before the first record holds no row and has the date of the cut."""
    cut = min(record.recorded for record in catalog.everything) - DAY
    past = catalog.at(cut)
    assert (past.date, past.observations, past.rates, past.workloads) == (cut, (), (), {})
    assert (past.prices, past.claims, past.priors) == ((), (), {})
