"""Imports: foreign results become observations that count, or refusals that say why."""

import copy
import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xltoken
from xltoken.catalog import store
from xltoken.catalog.importers import (
    CannotImport,
    Options,
    import_files,
    target_file,
    written,
)
from xltoken.catalog.importers.common import LONGEST_TEXT
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import Observation, columns

# A single-node point, the field set of utils/process_result.py since December 2025.
POINT = {
    "hw": "b200-nv", "conc": 64, "image": "lmsysorg#sglang:v0.5.8", "framework": "sglang",
    "model": "nvidia/DeepSeek-R1-0528-FP4-V2", "infmax_model_prefix": "dsr1", "precision": "fp4",
    "spec_decoding": "mtp", "disagg": False, "isl": 1024, "osl": 1024, "is_multinode": False,
    "tp": 8, "ep": 1, "dp_attention": "false", "tput_per_gpu": 1000.0, "output_tput_per_gpu": 500.0,
    "input_tput_per_gpu": 500.0, "median_intvty": 70.5, "median_ttft": 0.25, "median_e2el": 15.0,
}  # fmt: skip
# The same on several nodes: 20 prefill and 8 decode accelerators (the project's own test).
SPLIT = {
    **{name: value for name, value in POINT.items() if name not in ("tp", "ep", "dp_attention")},
    "hw": "gb200", "framework": "dynamo-trtllm", "disagg": True, "is_multinode": True,
    "prefill_tp": 4, "prefill_ep": 4, "prefill_dp_attention": "true", "prefill_num_workers": 5,
    "decode_tp": 8, "decode_ep": 8, "decode_dp_attention": "false", "decode_num_workers": 1,
    "num_prefill_gpu": 20, "num_decode_gpu": 8, "tput_per_gpu": 535.732143,
    "output_tput_per_gpu": 1500.0, "conc": 128,
}  # fmt: skip
# A row of the application, as its interface gives it.
APP = {
    "hardware": "mi355x", "framework": "sglang", "model": "dsr1", "precision": "fp4",
    "spec_method": "none", "disagg": False, "is_multinode": False, "prefill_tp": 4, "prefill_ep": 1,
    "prefill_dp_attention": False, "prefill_num_workers": 0, "decode_tp": 4, "decode_ep": 1,
    "decode_dp_attention": True, "decode_num_workers": 0, "num_prefill_gpu": 16,
    "num_decode_gpu": 16, "isl": 8192, "osl": 1024, "conc": 4, "workers": None,
    "metrics": {
        "median_e2el": 20.7931, "median_ttft": 0.6069, "tput_per_gpu": 382.572,
        "median_intvty": 46.072, "output_tput_per_gpu": 0.0,
    },
    "date": "2025-10-06",
    "run_url": "https://github.com/SemiAnalysisAI/InferenceX/actions/runs/18269067472/attempts/2",
}  # fmt: skip
MLPERF = {
    "round": "v5.1", "published": "2025-09-09", "submitter": "AMD", "system": "8xMI300X",
    "accelerator": "AMD Instinct MI300X 192GB HBM3", "accelerators": "8", "framework": "vLLM 0.9.0",
    "model": "llama2-70b-99.9", "scenario": "Offline", "valid": "VALID", "tokens_per_s": "27803.9",
    "tokens_per_s_per_accel": "3475.49", "samples_per_s": "92.1544", "source": "https://x.org/log",
}  # fmt: skip
# Columns of MLCommons' submission checker.
SUMMARY = {
    "Organization": "CoreWeave", "Availability": "available", "Division": "closed",
    "SystemType": "datacenter", "SystemName": "B300 x8", "Platform": "B300-SXM-270GBx8_TRT",
    "Model": "llama3_1-8b", "MlperfModel": "llama3.1-8b", "Scenario": "Server", "Result": "80000",
    "Accuracy": "ROUGE1: 38.8", "number_of_nodes": "2",
    "accelerator_model_name": "NVIDIA B300-SXM-270GB", "accelerators_per_node": "8",
    "Location": "closed/CoreWeave/results", "framework": "TensorRT 10.2", "errors": "0",
    "version": "v5.1", "inferred": "0", "Units": "Tokens/s", "weight_data_types": "fp4",
}  # fmt: skip
# A real row of best_config_topn.csv (version 0.7.0), with the columns its quoter had cut.
PREDICTED = {
    "model": "Qwen/Qwen3-235B-A22B-FP8", "isl": "4000", "osl": "200", "prefix": "0",
    "concurrency": "64", "request_rate": "14.375", "(p)workers": "4", "(d)workers": "1",
    "ttft": "901.561", "tpot": "19.779", "request_latency": "4837.582", "seq/s": "14.375",
    "tokens/s": "2874.96", "tokens/s/gpu": "179.685", "tokens/s/user": "50.559",
    "num_total_gpus": "16", "(p)parallel": "tp1pp1dp2etp1ep2", "(d)parallel": "tp8pp1dp1etp1ep8",
    "(p)gemm": "fp8_block", "(p)moe": "fp8_block", "(p)backend": "trtllm", "(p)version": "1.2.0",
    "(p)system": "h200_sxm", "(d)gemm": "fp8_block", "(d)moe": "fp8_block",
    "(d)backend": "trtllm", "(d)version": "1.2.0", "(d)system": "h200_sxm",
}  # fmt: skip
AGGREGATED = {
    "model": "Qwen/Qwen3-32B", "isl": "1024", "osl": "1024", "concurrency": "512",
    "ttft": "100", "tokens/s/gpu": "4000", "tokens/s/user": "88.3", "num_total_gpus": "4",
    "parallel": "tp4pp1dp1etp1ep1", "gemm": "nvfp4", "moe": "", "backend": "vllm",
    "version": "0.19.0", "system": "b200_sxm",
}  # fmt: skip
DATED = Options(date="2026-06-01")
TOKENS = Options(tokens_in=1000)


def as_csv(*rows, delimiter=","):
    """Rows as the text of a CSV file."""
    text = io.StringIO()
    titles = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, titles, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture
def take(tmp_path):
    """Import contents, one file each: bytes, CSV text, or what becomes JSON."""

    def run(*contents, options=DATED, form=None):
        paths = []
        for number, content in enumerate(contents):
            text = content if isinstance(content, str | bytes) else json.dumps(content)
            path = tmp_path / f"results{number}"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return import_files(paths, tmp_path / "out" / "observations.csv", options, form)

    return run


@pytest.fixture
def row(take):
    """Import one row that is taken; gives its cells."""

    def run(values, options=DATED):
        is_json = {"hw", "hardware", "device"}.intersection(values)
        taken = take(values if is_json else as_csv(values), options=options)
        assert taken.refused == []
        (cells,) = taken.rows
        return cells

    return run


@pytest.fixture
def refusal(take):
    """Import one row that is refused; gives column and message."""

    def run(values, options=DATED):
        is_json = {"hw", "hardware", "device"}.intersection(values)
        taken = take(values if is_json else as_csv(values), options=options)
        assert taken.rows == []
        (problem,) = taken.refused
        assert problem.row == (1 if is_json else 2)
        assert problem.file.endswith("results0")
        return problem.column, problem.message

    return run


# InferenceX


def test_a_single_node_point_becomes_an_observation(row):
    """Every figure of a point lands in its column, under the catalog's own names."""
    assert row(POINT) == {
        "observation_id": row(POINT)["observation_id"],
        "date": "2026-06-01", "platform": "B200", "model": "deepseek-r1", "tokens_in": "1024",
        "tokens_out": "1024", "precision": "nvfp4", "speculative": "mtp", "framework": "sglang",
        "layout": "TP8 EP1", "method": "inferencex", "disaggregated": "FALSE", "accelerators": "8",
        "concurrency": "64", "tokens_per_second_total": "1000",
        "tokens_per_second_per_user": "70.5", "seconds_to_first_token": "0.25",
        "seconds_end_to_end": "15", "evidence": "measured", "source_id": "",
        "note": "image lmsysorg/sglang:v0.5.8",
    }  # fmt: skip


def test_a_run_on_several_nodes_counts_all_its_accelerators(row):
    """Prefill and decode accelerators are added; the total is per accelerator of both."""
    cells = row(SPLIT)
    assert cells["platform"] == "GB200 NVL72"
    assert (cells["accelerators"], cells["disaggregated"]) == ("28", "TRUE")
    assert cells["layout"] == "prefill 20: TP4 EP4 DPA; decode 8: TP8 EP8"
    assert (cells["tokens_per_second_total"], cells["framework"]) == ("535.732143", "dynamo-trt")


@pytest.mark.parametrize(("decode", "output"), [(8, 1500 * 8 / 28), (0, 1500)])
def test_output_per_decode_accelerator_becomes_output_per_accelerator(row, decode, output):
    """Output alone is spread over prefill too, unless no accelerator decodes alone."""
    point = {**SPLIT, "tput_per_gpu": None, "num_decode_gpu": decode, "median_e2el": None}
    cells = row(point)
    assert "tokens_per_second_total" not in cells
    assert float(cells["tokens_per_second_output"]) == pytest.approx(output)


def test_an_imported_row_equals_the_shipped_row_of_the_same_run(row):
    """A row of the application gives what the shipped catalog holds of it, column by column."""
    cells = row({**APP, "decode_dp_attention": False}, Options())
    (shipped,) = (o for o in store.load().observations if o.observation_id == "ix-dsr1-0001")
    left_out = {"observation_id", "date_precision", "published", "note", "source_id", "recorded"}
    left_out |= {"disaggregated", "withdrawn", "tokens_per_second_output"}
    for name in {column.name for column in columns(Observation)} - left_out:
        value = getattr(shipped, name)
        assert cells[name] == (f"{value:g}" if isinstance(value, float) else str(value)), name


def test_the_count_of_a_single_node_is_its_parallelism(row):
    """The application's counts are wrong on single nodes: tp x pp x pcp is the number."""
    assert row(APP, Options())["accelerators"] == "4"
    assert row(APP, Options())["layout"] == "TP4 EP1 DPA"
    cells = row({**POINT, "tp": 4, "pp": 2, "pcp_size": 1})
    assert (cells["accelerators"], cells["layout"]) == ("8", "TP4 EP1 PP2")
    without = {name: value for name, value in POINT.items() if name not in ("tp", "ep")}
    assert (row(without)["accelerators"], row(without)["layout"]) == ("", "")


def test_the_run_stands_in_the_id_and_the_note(row):
    """A row of a run carries its number and address; the same row gives the same id."""
    cells = row(APP, Options())
    assert cells["observation_id"].startswith("ix-18269067472-2-")
    assert cells["note"] == APP["run_url"]
    assert cells["observation_id"] == row(copy.deepcopy(APP), Options())["observation_id"]
    assert cells["observation_id"] != row({**APP, "conc": 5}, Options())["observation_id"]


@pytest.mark.parametrize(
    ("change", "column", "value"),
    [
        ({"precision": "FP4", "hw": "mi355x-amds"}, "precision", "mxfp4"),
        ({"precision": "FP8"}, "precision", "fp8"),
        ({"hw": "cluster:h200-dgxc-slurm"}, "platform", "H200"),
        ({"hw": "gb300-nvl72"}, "platform", "GB300 NVL72"),
        ({"hw": None, "device": "mi300x"}, "platform", "MI300X"),
        ({"infmax_model_prefix": None}, "model", "deepseek-r1"),
        ({"infmax_model_prefix": "gptoss"}, "model", "gpt-oss-120b"),
        ({"infmax_model_prefix": "dsr1-fp8"}, "model", "deepseek-r1"),
        ({"infmax_model_prefix": None, "model": "/models/My-1-FP8"}, "model", "My-1"),
        ({"spec_decoding": "false"}, "speculative", "none"),
        ({"spec_decoding": None, "mtp": "on"}, "speculative", "mtp"),
        ({"spec_decoding": None, "mtp": "off"}, "speculative", "none"),
        ({"spec_decoding": None}, "speculative", ""),
        ({"framework": "sglang-disagg"}, "framework", "mori-sglang"),
        ({"tput_per_gpu": "1000"}, "tokens_per_second_total", "1000"),
        ({"date": "2026-09-30 17:44:42"}, "date", "2026-09-30"),
        ({"date": "2026-09-30T17:44:42Z"}, "date", "2026-09-30"),
        ({"prefill_hw": "b200", "decode_hw": "b200"}, "platform", "B200"),
        ({"benchmark_outcome": {"status": "ok"}, "benchmark_type": "single_turn"}, "note",
         "image lmsysorg/sglang:v0.5.8"),
    ],
)  # fmt: skip
def test_names_become_the_catalogs(row, change, column, value):
    """Names of others are told in the catalog's words; what it does not know stays as it is."""
    assert row({**POINT, **change}, Options(date="" if "date" in change else "2026-06-01"))[
        column
    ] == value  # fmt: skip


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"tput_per_gpu": 0}, "tput_per_gpu", "served nothing"),
        ({"tput_per_gpu": -5}, "tput_per_gpu", "is -5"),
        ({"tput_per_gpu": None, "output_tput_per_gpu": None}, "tput_per_gpu", "is blank"),
        ({"tput_per_gpu": None, "output_tput_per_gpu": 0}, "output_tput_per_gpu", "is 0"),
        ({"tput_per_gpu": "fast"}, "tput_per_gpu", "'fast' is no number"),
        ({"tput_per_gpu": "1_000"}, "tput_per_gpu", "is no number"),
        ({"tput_per_gpu": True}, "tput_per_gpu", "True is no number"),
        ({"tput_per_gpu": [1] * 99}, "tput_per_gpu", "... is no number"),
        ({"tput_per_gpu": float("nan")}, "tput_per_gpu", "finite"),
        ({"median_ttft": float("inf")}, "median_ttft", "finite"),
        ({"conc": 10**400}, "conc", "finite"),
        ({"median_ttft": -1}, "seconds_to_first_token", "must be 0 or more"),
        ({"isl": None}, "isl", "give it with --tokens-in"),
        ({"osl": ""}, "osl", "give it with --tokens-out"),
        ({"isl": 0}, "tokens_in", "must be above 0"),
        ({"model": None, "infmax_model_prefix": " "}, "model", "give it with --model"),
        ({"model": {"a": 1}, "infmax_model_prefix": None}, "model", "holds a list or an object"),
        ({"framework": "x" * 1001}, "framework", f"longer than {LONGEST_TEXT}"),
        ({"framework": "a\ud800b"}, "framework", "cannot be printed"),
        ({"hw": ""}, "hw", "give it with --platform"),
        ({"hw": "h20"}, "hw", "Nearest: H200"),
        ({"hw": "h100-pcie"}, "hw", "Nearest: H100"),
        ({"hw": "z9"}, "hw", "Add it to platforms.csv"),
        ({"prefill_hw": "b200", "decode_hw": "h200"}, "prefill_hw", "mixes accelerators: B200"),
        ({"disagg": "perhaps"}, "disagg", "neither true nor false"),
        ({"date": "yesterday"}, "date", "no date"),
        ({"conc": 6400}, "concurrency", "Little's law"),
        ({"conc": 8}, "concurrency", "number of accelerators"),
        ({"scenario_type": "agentic-coding"}, "scenario_type", "agents' traces"),
        ({"benchmark_type": "agentic_traces"}, "scenario_type", "agents' traces"),
        ({"benchmark_outcome": {"status": "failed"}}, "benchmark_outcome", "failed"),
        ({"metrics": 5}, "metrics", "no object"),
        ({"is_multinode": True}, "num_prefill_gpu", "needs its counts"),
        ({"is_multinode": True, "num_prefill_gpu": -1, "num_decode_gpu": 0}, "num_prefill_gpu",
         "0 or more"),
        ({"is_multinode": True, "num_prefill_gpu": 0, "num_decode_gpu": 0}, "num_prefill_gpu",
         "both 0"),
    ],
)  # fmt: skip
def test_a_point_that_cannot_count_is_refused(refusal, change, column, words):
    """What is missing, zero, unknown, mixed or no number refuses the row and says so."""
    options = Options() if "date" in change else DATED
    found, message = refusal({**POINT, **change}, options)
    assert found == column
    assert words in message


def test_no_date_no_observation(refusal):
    """The files of a run name no day: without one nothing is taken."""
    assert refusal(POINT, Options()) == ("date", "is blank; give it with --date.")


# Options


def test_options_fill_what_a_file_leaves_out(row):
    """Model, platform, day, tokens and precision come from the options where a file is silent."""
    silent = {"device": "", "framework": "vllm", "tp": 1, "tput_per_gpu": 10.0}
    options = Options(
        model="DSR1", platform="mi-355x", date="2026-05-04", tokens_in=1000, tokens_out=1024.0,
        precision="fp4",
    )  # fmt: skip
    cells = row(silent, options)
    names = ("model", "platform", "date", "tokens_in", "tokens_out", "precision")
    told = ["deepseek-r1", "MI355X", "2026-05-04", "1000", "1024", "mxfp4"]
    assert [cells[name] for name in names] == told


@pytest.mark.parametrize(
    ("options", "column"),
    [
        ({"model": "glm-5"}, "model"),
        ({"platform": "H200"}, "hw"),
        ({"date": "2026-06-02"}, "date"),
        ({"tokens_in": 8192}, "isl"),
        ({"tokens_out": 1}, "osl"),
        ({"precision": "fp8"}, "precision"),
    ],
)
def test_an_option_never_overrules_a_file(row, refusal, options, column):
    """Where the file says something else the row is refused; where it agrees it is taken."""
    (flag,) = (f"--{name.replace('_', '-')}" for name in options)
    found, message = refusal({**POINT, "date": "2026-06-01"}, Options(**options))
    assert found == column
    assert f"{flag} says" in message
    same = Options(
        model="DeepSeek R1", platform="HGX B200", date="2026-06-01", tokens_in=1024,
        tokens_out=1024, precision="NVFP4",
    )  # fmt: skip
    assert row({**POINT, "date": "2026-06-01"}, same)["platform"] == "B200"


def test_an_option_that_names_nothing_is_told_at_once(take):
    """An unknown platform or source stops the import and says what to do."""
    with pytest.raises(NotKnown, match="'Q9'"):
        take(POINT, options=Options(platform="Q9"))
    with pytest.raises(CannotImport, match="leave --source-id out"):
        take(POINT, options=Options(source_id="my-paper"))


def test_sources_and_platforms_of_the_folder_count(take, tmp_path):
    """What the folder written to describes may be named: its sources and its aliases."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "sources.csv").write_text("source_id,title\nmine,Mine\n", encoding="utf-8")
    (folder / "platforms.csv").write_text(
        "platform,vendor,aliases,source_id\nMy Card,NVIDIA,card-nvl,mine\n", encoding="utf-8"
    )
    options = Options(date="2026-06-01", source_id="mine")
    taken = take({**POINT, "hw": "card-nvl"}, options=options)
    assert [(cells["platform"], cells["source_id"]) for cells in taken.rows] == [
        ("My Card", "mine")
    ]


def test_a_folder_that_is_no_catalog_is_refused(take, tmp_path):
    """Rows are not laid beside files that cannot be used."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sources.csv").write_text("source_id,title\nmine,\n", encoding="utf-8")
    with pytest.raises(CannotImport, match="validate"):
        take(POINT)


# MLPerf


def test_a_result_of_mlperf_becomes_peer_reviewed_evidence(row):
    """Output per accelerator is our division; round, submitter and system are named."""
    cells = row(MLPERF, TOKENS)
    assert float(cells["tokens_per_second_output"]) == pytest.approx(27803.9 / 8)
    assert float(cells["tokens_out"]) == pytest.approx(27803.9 / 92.1544)
    assert cells["platform"] == "MI300X"
    assert cells["method"] == "mlperf v5.1 Offline"
    assert cells["layout"] == "8xMI300X, 99.9 % accuracy"
    assert (cells["date"], cells["published"]) == ("2025-09-09", "2025-09-09")
    assert (cells["evidence"], cells["precision"]) == ("peer_reviewed", "")
    for part in ("v5.1", "llama2-70b-99.9", "AMD", "8xMI300X", "our division", MLPERF["source"]):
        assert part in cells["note"]


def test_the_summary_of_mlcommons_is_read(row):
    """The submission checker's columns give the same, its round the day."""
    cells = row(SUMMARY, TOKENS)
    assert float(cells["tokens_per_second_output"]) == pytest.approx(80000 / 16)
    told = [cells[name] for name in ("platform", "model", "precision", "accelerators", "date")]
    assert told == ["B300", "llama3.1-8b", "nvfp4", "16", "2025-09-09"]
    assert (cells["tokens_out"], cells["layout"]) == ("128", "B300-SXM-270GBx8_TRT")
    late = row({**SUMMARY, "version": "v6.1", "total_accelerators": "8", "ID": "6.1-0001"},
               Options(date="2026-09-01", tokens_in=1000, tokens_out=100))  # fmt: skip
    assert (late["date"], late["accelerators"], late["tokens_out"]) == ("2026-09-01", "8", "100")
    assert "id 6.1-0001" in late["note"]


@pytest.mark.parametrize(
    ("said", "platform"),
    [
        ("NVIDIA B200-SXM-180GB", "B200"),
        ("NVIDIA H200-SXM-141GB", "H200"),
        ("NVIDIA GB200", "GB200 NVL72"),
        ("AMD MI300X-NPS1-SPX-192GB-750W", "MI300X"),
        ("AMD Instinct MI325X 256GB HBM3e", "MI325X"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000"),
    ],
)
def test_accelerators_of_mlperf_are_known(row, said, platform):
    """Accelerators as submitters write them stand under the catalog's name."""
    assert row({**MLPERF, "accelerator": said}, TOKENS)["platform"] == platform


@pytest.mark.parametrize(
    ("base", "change", "column", "words"),
    [
        (MLPERF, {"valid": "INVALID"}, "valid", "not VALID"),
        (MLPERF, {"tokens_per_s": ""}, "tokens_per_s", "samples, not tokens"),
        (MLPERF, {"tokens_per_s": "0"}, "tokens_per_s", "served nothing"),
        (MLPERF, {"accelerators": "0"}, "accelerators", "processors alone"),
        (MLPERF, {"accelerators": ""}, "accelerators", "is blank"),
        (MLPERF, {"accelerator": "AMD MI300X (x8), AMD MI325X (x8)"}, "accelerator", "mixes"),
        (MLPERF, {"accelerator": "NVIDIA H200-NVL-141GB"}, "accelerator", "Nearest: H200"),
        (MLPERF, {"accelerator": "NVIDIA Jetson AGX Orin 64G"}, "accelerator", "not known"),
        (MLPERF, {"model": "llama3.1-8b-edge"}, "model", "edge benchmark"),
        (MLPERF, {"model": ""}, "model", "give it with --model"),
        (MLPERF, {"round": ""}, "round", "with its round"),
        (MLPERF, {"round": "v5.0", "published": ""}, "published", "--date"),
        (SUMMARY, {"SystemType": "edge"}, "SystemType", "edge"),
        (SUMMARY, {"Division": "open"}, "Division", "closed"),
        (SUMMARY, {"errors": "2"}, "errors", "not 0"),
        (SUMMARY, {"inferred": "1"}, "inferred", "another scenario"),
        (SUMMARY, {"Units": "Samples/s"}, "Units", "'Samples/s'"),
        (SUMMARY, {"Result": ""}, "Result", "is blank"),
        (SUMMARY, {"MlperfModel": "deepseek-r1"}, "tokens_out", "--tokens-out"),
    ],
)
def test_a_result_that_cannot_count_is_refused(refusal, base, change, column, words):
    """Invalid, inferred, open, edge, mixed and unknown results are refused with the reason."""
    found, message = refusal({**base, **change}, TOKENS)
    assert found == column
    assert words in message


def test_mean_input_tokens_must_be_given(refusal):
    """No source states the mean input of a data set, so it is never filled in."""
    assert refusal(MLPERF, Options()) == ("tokens_in", "is blank; give it with --tokens-in.")


def test_mean_output_tokens_must_fit_the_row(row, refusal):
    """Output tokens given may differ from the row's own rates by the catalog's 5 %, no more."""
    assert row(MLPERF, Options(tokens_in=1000, tokens_out=294.45))["tokens_out"] == "294.45"
    column, message = refusal(MLPERF, Options(tokens_in=1000, tokens_out=1024))
    assert column == "samples_per_s"
    assert "301.7" in message


def test_one_run_quoted_for_two_accuracies_counts_once(take):
    """The 99 % row of a system that repeats its 99.9 % row is refused; another figure is not."""
    repeated = {**MLPERF, "model": "llama2-70b-99"}
    taken = take(as_csv(MLPERF, repeated, {**repeated, "tokens_per_s": "28000"}), options=TOKENS)
    assert [cells["layout"] for cells in taken.rows] == [
        "8xMI300X, 99.9 % accuracy",
        "8xMI300X, 99 % accuracy",
    ]
    (problem,) = taken.refused
    assert problem.row == 3
    assert "same measurement" in problem.message
    assert "row 2" in problem.message


# AIConfigurator


def test_a_prediction_is_said_to_be_one(row):
    """Predictions are the vendor's, with output tokens per accelerator and seconds."""
    cells = row(PREDICTED)
    assert cells == {
        "observation_id": cells["observation_id"], "date": "2026-06-01", "platform": "H200",
        "model": "Qwen3-235B-A22B", "tokens_in": "4000", "tokens_out": "200", "precision": "fp8",
        "framework": "trtllm", "method": "aiconfigurator", "disaggregated": "TRUE",
        "layout": "prefill 4 x tp1pp1dp2etp1ep2; decode 1 x tp8pp1dp1etp1ep8",
        "accelerators": "16", "concurrency": "64", "tokens_per_second_output": "179.685",
        "tokens_per_second_per_user": "50.559", "seconds_to_first_token": "0.901561",
        "seconds_end_to_end": "4.837582", "evidence": "vendor", "source_id": "",
        "note": "prediction of NVIDIA's AIConfigurator, not a measurement; performance data of "
        "version 1.2.0; (p)gemm fp8_block; (p)moe fp8_block; (d)gemm fp8_block; "
        "(d)moe fp8_block",
    }  # fmt: skip
    cells = row(AGGREGATED)
    told = ("platform", "precision", "layout", "disaggregated", "seconds_end_to_end")
    assert [cells[name] for name in told] == ["B200", "nvfp4", "tp4pp1dp1etp1ep1", "FALSE", ""]
    workers = row({**PREDICTED, "(p)workers": "", "(d)workers": ""})["layout"]
    assert workers == "prefill tp1pp1dp2etp1ep2; decode tp8pp1dp1etp1ep8"


@pytest.mark.parametrize(
    ("modes", "option", "precision"),
    [
        (("", ""), "", ""),
        (("", ""), "fp4", "nvfp4"),
        (("float16", "bfloat16"), "", "bf16"),
        (("bfloat16", "nvfp4"), "", ""),
        (("bfloat16", "nvfp4"), "fp4", "nvfp4"),
    ],
)
def test_a_precision_is_taken_where_the_modes_agree(row, modes, option, precision):
    """Where dense and expert layers differ, only the option can say which to name."""
    gemm, moe = modes
    options = Options(date="2026-06-01", precision=option)
    assert row({**AGGREGATED, "gemm": gemm, "moe": moe}, options)["precision"] == precision


@pytest.mark.parametrize(
    ("base", "change", "column", "words"),
    [
        (PREDICTED, {"prefix": "512"}, "prefix", "cached"),
        (PREDICTED, {"(p)system": "h100_sxm"}, "(p)system", "mixes accelerators"),
        (PREDICTED, {"(p)backend": "vllm"}, "(p)backend", "mixes frameworks"),
        (PREDICTED, {"(p)version": "2"}, "(p)version", "mixes versions"),
        (AGGREGATED, {"system": "a100_sxm"}, "system", "not known"),
        (AGGREGATED, {"tokens/s/gpu": ""}, "tokens/s/gpu", "is blank"),
        (AGGREGATED, {"tokens/s/gpu": "0.0"}, "tokens/s/gpu", "served nothing"),
        (AGGREGATED, {"ttft": "soon"}, "ttft", "'soon' is no number"),
        (AGGREGATED, {"moe": "fp8"}, "gemm", "fp8 and nvfp4"),
    ],
)
def test_a_prediction_that_cannot_count_is_refused(refusal, base, change, column, words):
    """Cached input, mixed systems and missing figures are refused with the reason."""
    option = "bf16" if "moe" in change else ""
    found, message = refusal({**base, **change}, Options(date="2026-06-01", precision=option))
    assert found == column
    assert words in message


def test_a_prediction_may_wait_long_but_not_stall(row, refusal):
    """Little's law bounds a prediction from above only: its wait for the first token is rough."""
    assert row({**AGGREGATED, "request_latency": "60000"})["seconds_end_to_end"] == "60"
    column, message = refusal({**AGGREGATED, "request_latency": "10000"})
    assert column == "concurrency"
    assert "3.28 times" in message


# Files


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (b"", None, "is empty"),
        (b" \n\n", None, "is empty"),
        (b"\xff\xfe{", None, "not UTF-8"),
        (b"{", None, "is not JSON"),
        (b"[1,2", None, "is not JSON"),
        (b'{"hw": %s}' % (b"9" * 5000), None, "is not JSON"),
        (b"[" * 100_000, None, "nested too deeply"),
        (b"[]", None, "is no file of a known format"),
        (b"[1, null]", None, "is no file of a known format"),
        (b'{"a": 1}', None, "is no file of a known format"),
        (b"hello world", None, "is no file of a known format"),
        (b"a,b\n1,2\n", "mlperf", "mlperf has submitter"),
        (b"a,b\n1,2\n", "inferencex", "is not JSON"),
        (json.dumps(POINT).encode(), "mlperf", "is no file of a known format"),
        (as_csv(MLPERF).encode(), "aiconfigurator", "aiconfigurator has tokens/s/gpu"),
        (b'a\n"' + b"x" * 140_000, None, "cannot be read as CSV"),
        (b"isl,osl,isl,tokens/s/gpu\n", None, "more than one column"),
    ],
)
def test_a_file_of_no_format_is_one_refusal(take, content, form, words):
    """What is no file of results is told in one line, whatever it is."""
    taken = take(content, form=form)
    assert taken.rows == []
    (problem,) = taken.refused
    assert problem.row == 0
    assert words in problem.message


def test_a_missing_file_is_a_refusal_and_the_others_are_read(take, tmp_path):
    """One file that cannot be read does not keep the others out."""
    missing = import_files([tmp_path / "none.json"], tmp_path / "o.csv", DATED)
    assert "No such file" in missing.refused[0].message
    taken = take(b"", POINT)
    assert (len(taken.rows), len(taken.refused)) == (1, 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_of_excel_is_read(take, delimiter):
    """Commas, semicolons and tabs part the cells; blank lines and a byte order mark are skipped."""
    text = as_csv(AGGREGATED, delimiter=delimiter)
    header, line, _ = text.split("\r\n")
    taken = take(f"\ufeff{header}\r\n\r\n{delimiter}\r\n{line}\r\n".encode())
    assert (len(taken.rows), taken.refused) == (1, [])


def test_a_row_is_told_by_its_place(take):
    """A refusal names the line of a CSV file, or the place in a JSON list."""
    text = as_csv(AGGREGATED) + "\r\n" + "x," * 40
    assert [(p.row, p.message) for p in take(text).refused] == [
        (4, "has more cells than the header.")
    ]
    refused = take([POINT, 5, {**POINT, "tp": 0}]).refused
    assert [(p.row, p.column) for p in refused] == [(2, ""), (3, "accelerators")]


def test_the_same_row_is_taken_once(take):
    """A point in two files, or twice in one, is one measurement."""
    taken = take(POINT, [POINT, {**POINT, "conc": 60}])
    assert len(taken.rows) == 2
    (problem,) = taken.refused
    assert problem.message.endswith("results0, row 1.")


def test_reasons_are_counted(take):
    """Refusals of one reason are told once, the most frequent first."""
    taken = take([{**POINT, "conc": 8}, {**POINT, "isl": ""}, {**POINT, "isl": "", "conc": 5}])
    assert [reason[1:4] for reason in taken.reasons()] == [(2, 2, "isl"), (1, 1, "concurrency")]


def test_the_target_is_a_file_or_a_folders_observations(tmp_path):
    """A name that ends in .csv is the file, unless it is a folder."""
    assert target_file(tmp_path / "mine") == tmp_path / "mine" / "observations.csv"
    assert target_file(tmp_path / "mine.csv") == tmp_path / "mine.csv"
    (tmp_path / "odd.csv").mkdir()
    assert target_file(tmp_path / "odd.csv") == tmp_path / "odd.csv" / "observations.csv"


def test_importing_twice_gives_the_same_bytes(take):
    """The file depends on the input alone, and has every column of an observation."""
    first, second = (written(take(as_csv(MLPERF), options=TOKENS).rows) for _ in range(2))
    assert first == second
    titles = first.decode().split("\n")[0].split(",")
    assert titles == [column.name for column in columns(Observation)]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ([POINT, SPLIT, APP], Options(tokens_in=None)),
        (as_csv(MLPERF), TOKENS),
        (as_csv(SUMMARY), TOKENS),
        (as_csv(PREDICTED), DATED),
    ],
)
def test_what_is_taken_is_a_catalog(take, tmp_path, content, options):
    """A folder with an imported file has no problem, and holds every row taken."""
    if isinstance(content, list):
        content = [{**point, "date": "2025-10-06"} for point in content]
    taken = take(content, options=options)
    assert taken.refused == []
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "observations.csv").write_bytes(written(taken.rows))
    catalog, problems = store.read(str(folder))
    assert problems == []
    mine = {o.observation_id for o in catalog.observations if o.origin.user}
    assert mine == {cells["observation_id"] for cells in taken.rows}


def test_an_imported_row_prices_tokens(take, tmp_path, monkeypatch):
    """From a foreign file to the cost of a token: rate over output throughput, by hand."""
    day = store.load().date.isoformat()
    point = {**POINT, "infmax_model_prefix": None, "model": "me/Brand-New-1", "date": day}
    taken = take(point, options=Options())
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "observations.csv").write_bytes(written(taken.rows))
    monkeypatch.setenv("XLTOKEN_CATALOG", str(folder))
    cost = xltoken.TOKEN_COST(
        "B200", 0, "brand-new-1/batch", [["usd_per_accelerator_hour", 3], ["precision", "nvfp4"]]
    )
    # 3 USD an hour for 500 output tokens a second: 3 / (500 * 3600 / 1e6) USD a million.
    assert cost == pytest.approx(3 / 1.8, rel=1e-12)


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*POINT, *SPLIT, "metrics", "mtp", "date"]), JUNK))
def test_junk_in_any_field_is_taken_or_refused(tmp_path_factory, change):
    """Whatever stands in a field, the row is taken or refused, and what is taken can be written."""
    path = tmp_path_factory.mktemp("junk") / "point.json"
    path.write_text(json.dumps({**SPLIT, **change}), encoding="utf-8")
    taken = import_files([path], path.parent / "observations.csv", DATED)
    assert len(taken.rows) + len(taken.refused) == 1
    assert written(taken.rows)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_a_failure(tmp_path_factory, content):
    """No content of a file stops an import."""
    path = tmp_path_factory.mktemp("junk") / "file"
    path.write_bytes(content)
    assert import_files([path], Path(path.parent / "o.csv"), DATED).rows == []
