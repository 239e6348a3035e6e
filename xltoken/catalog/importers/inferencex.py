"""Results of InferenceX: the files ``agg_*.json`` of its runs, and rows of its application.

Field names and formulas: SemiAnalysisAI/InferenceX, utils/process_result.py at 00e51cc (first),
77f3e68 (prefill and decode apart) and its later copies (pp, pcp); rows of the application:
packages/db of SemiAnalysisAI/InferenceX-app. Seconds and tokens per second throughout.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from xltoken.catalog.importers import common
from xltoken.catalog.importers.common import Cells, Fields, Options, Refusal, shown
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.store import Catalog

WANTED: Final = "tput_per_gpu and hw, hardware or device"
_HARDWARE: Final = ("hw", "hardware", "device")
_RUN: Final = re.compile(r"/runs/(\d+)(?:/attempts/(\d+))?")
# Other names of a framework, and what each of them is called in the catalog.
_FRAMEWORKS: Final = {"sglang-disagg": "mori-sglang", "dynamo-trtllm": "dynamo-trt"}
# Forms of an accelerator that a runner's name may carry and that are not the same accelerator.
_OTHER_FORMS: Final = frozenset({"pcie", "nvl", "nvl2", "nvl4"})


def recognises(names: Collection[str]) -> bool:
    """Whether a row with fields `names` is one of InferenceX."""
    measured = {"tput_per_gpu", "output_tput_per_gpu", "metrics", "scenario_type"}
    return bool(measured.intersection(names)) and bool(set(_HARDWARE).intersection(names))


def observation(fields: Fields, options: Options, catalog: Catalog) -> Cells:
    """Turn one point into the cells of an observation.

    Raises
    ------
    Refusal
        If the point did not succeed, is no run of fixed token counts, or leaves out what an
        observation needs.
    """
    fields = _flat(fields)
    _must_be_usable(fields)
    platform = common.platform(catalog, *_hardware(fields, catalog), options.platform)
    several_nodes = fields.flag("disagg") or fields.flag("is_multinode")
    accelerators, decode_share, layout = (_split if several_nodes else _single)(fields)
    total = fields.number("tput_per_gpu")
    output = fields.number("output_tput_per_gpu") if total is None else None
    if output is not None:
        output *= decode_share
    framework = fields.text("framework").casefold()
    run = fields.text("run_url")
    image = fields.text("image").replace("#", "/")
    cells = {
        "date": common.day("date", fields.text("date"), options.date),
        "platform": platform.platform,
        "model": _model(fields, options, catalog),
        "tokens_in": common.tokens("isl", fields.number("isl"), options.tokens_in, "--tokens-in"),
        "tokens_out": common.tokens(
            "osl", fields.number("osl"), options.tokens_out, "--tokens-out"
        ),
        "precision": common.precision(fields.text("precision"), options.precision, platform.vendor),
        "speculative": _speculative(fields),
        "framework": _FRAMEWORKS.get(framework, framework),
        "layout": layout,
        "method": "inferencex",
        "disaggregated": "TRUE" if fields.flag("disagg") else "FALSE",
        "accelerators": shown(accelerators),
        "concurrency": shown(fields.number("conc")),
        **_throughput(total, output),
        "tokens_per_second_per_user": shown(fields.number("median_intvty")),
        "seconds_to_first_token": shown(fields.number("median_ttft")),
        "seconds_end_to_end": shown(fields.number("median_e2el")),
        "evidence": "measured",
    }
    return {
        "observation_id": common.observation_id("ix", _run(run), *cells.values()),
        **cells,
        "note": "; ".join(part for part in (image and f"image {image}", run) if part),
    }


def _run(url: str) -> str:
    """Number of the run, and of its attempt, in the address of a run."""
    found = _RUN.search(url)
    return "-".join(part for part in found.groups() if part) if found else ""


def _flat(fields: Fields) -> Fields:
    """Fields with the application's ``metrics`` beside the others."""
    metrics: Any = fields.values.get("metrics")
    if metrics is None:
        return fields
    if not isinstance(metrics, dict):
        raise Refusal("metrics", "is no object with the measured values.")
    return Fields({**metrics, **fields.values})


def _must_be_usable(fields: Fields) -> None:
    kinds = (fields.text("scenario_type"), fields.text("benchmark_type"))
    if any(kind.startswith("agentic") for kind in kinds):
        raise Refusal(
            "scenario_type",
            "replays agents' traces, whose token counts vary and whose input is partly cached; "
            "only runs of fixed counts are evidence.",
        )
    outcome = fields.values.get("benchmark_outcome")
    if isinstance(outcome, dict) and outcome.get("status") == "failed":
        raise Refusal("benchmark_outcome", "says that the run failed.")


def _hardware(fields: Fields, catalog: Catalog) -> tuple[str, str]:
    """Column and name of the accelerator; a runner's suffix (``h200-nv``) does not count."""
    phases = [_accelerator(fields.text(name), catalog) for name in ("prefill_hw", "decode_hw")]
    if all(phases) and phases[0] != phases[1]:
        raise Refusal("prefill_hw", f"mixes accelerators: {phases[0]} and {phases[1]}.")
    column = next((name for name in _HARDWARE if fields.text(name)), "hw")
    return column, _accelerator(fields.text(column), catalog)


def _accelerator(said: str, catalog: Catalog) -> str:
    scoped = said.rpartition(":")[2]
    base, *suffixes = scoped.split("-")
    try:
        return catalog.platform(scoped).platform
    except NotKnown:
        other = _OTHER_FORMS.intersection(suffix.casefold() for suffix in suffixes)
        return said if other else base


def _model(fields: Fields, options: Options, catalog: Catalog) -> str:
    said = fields.text("infmax_model_prefix", "model")
    return common.model(catalog, "model", said, options.model)


def _speculative(fields: Fields) -> str:
    said = fields.text("spec_decoding", "spec_method").casefold()
    if not said and fields.text("mtp"):
        said = "mtp" if fields.text("mtp").casefold() in {"on", "true", "1", "mtp"} else "none"
    return "none" if said == "false" else said


def _throughput(total: float | None, output: float | None) -> Cells:
    """Total where the file gives it, else output: the one is computed from the other."""
    if output is not None:
        return {"tokens_per_second_output": shown(common.throughput("output_tput_per_gpu", output))}
    return {"tokens_per_second_total": shown(common.throughput("tput_per_gpu", total))}


def _single(fields: Fields) -> tuple[float | None, float, str]:
    """Accelerators, share of them that decode, and layout of a run on one node.

    The application's ``num_prefill_gpu`` and ``num_decode_gpu`` are wrong on these rows: tensor,
    pipeline and context parallelism give the count.
    """
    accelerators = fields.number("tp", "decode_tp")
    if accelerators is not None:
        for names in (("pp", "decode_pp"), ("pcp_size", "decode_pcp_size")):
            accelerators *= _at_least_one(fields.number(*names))
    layout = _parallel(
        fields.number("tp", "decode_tp"),
        fields.number("ep", "decode_ep"),
        fields.number("pp", "decode_pp"),
        attention=fields.flag("dp_attention", "decode_dp_attention"),
    )
    return accelerators, 1.0, layout


def _split(fields: Fields) -> tuple[float, float, str]:
    """Accelerators, share of them that decode, and layout of a run on several nodes.

    Output throughput is per decode accelerator there, and per accelerator where none decodes
    alone.
    """
    counts = [fields.number("num_prefill_gpu"), fields.number("num_decode_gpu")]
    phases = []
    for phase, count in zip(("prefill", "decode"), counts, strict=True):
        if count is None:
            raise Refusal(f"num_{phase}_gpu", "is blank: a run on several nodes needs its counts.")
        if count < 0:
            raise Refusal(f"num_{phase}_gpu", f"must be 0 or more; it is {count:g}.")
        parallel = _parallel(
            fields.number(f"{phase}_tp"),
            fields.number(f"{phase}_ep"),
            fields.number(f"{phase}_pp"),
            attention=fields.flag(f"{phase}_dp_attention"),
        )
        phases.append(f"{phase} {count:g}: {parallel}")
    prefill, decode = (count or 0.0 for count in counts)
    if not prefill + decode:
        raise Refusal("num_prefill_gpu", "and num_decode_gpu are both 0.")
    share = decode / (prefill + decode) if decode else 1.0
    return prefill + decode, share, "; ".join(phases)


def _parallel(tp: float | None, ep: float | None, pp: float | None, *, attention: bool) -> str:
    parts = [f"{name}{size:g}" for name, size in (("TP", tp), ("EP", ep)) if size is not None]
    if pp is not None and pp > 1:
        parts.append(f"PP{pp:g}")
    return " ".join([*parts, "DPA"] if attention else parts)


def _at_least_one(size: float | None) -> float:
    return 1.0 if size is None else max(size, 1.0)
