"""Tables of NVIDIA's AIConfigurator, ``pareto.csv`` and ``best_config_topn.csv``.

A model's predictions, not measurements, and said to be so. Columns and formulas:
ai-dynamo/aiconfigurator, sdk/common.py at 74bb4b1 and cli/report_and_save.py at 11bda2a. Times
are milliseconds; ``tokens/s/gpu`` counts output tokens, over prefill and decode accelerators.
"""

from collections.abc import Collection
from typing import Final

from xltoken.catalog.importers import common
from xltoken.catalog.importers.common import Cells, Fields, Options, Refusal, shown
from xltoken.catalog.store import Catalog

WANTED: Final = "tokens/s/gpu, isl and osl"
# Systems of AIConfigurator by the catalog's name; others must stand in the catalog as they are.
_SYSTEMS: Final = {
    "h100_sxm": "H100",
    "h200_sxm": "H200",
    "b200_sxm": "B200",
    "b300_sxm": "B300",
    "gb200": "GB200 NVL72",
    "gb200_sxm": "GB200 NVL72",
    "gb300": "GB300 NVL72",
    "gb300_sxm": "GB300 NVL72",
    "rtx_pro_6000_server": "RTX PRO 6000",
}
# Modes of its matrix products by what the catalog calls the precision.
_PRECISIONS: Final = {
    "float16": "bf16",
    "bfloat16": "bf16",
    "fp8_block": "fp8",
    "fp8_static": "fp8",
    "fp8_ootb": "fp8",
    "w4a16_mxfp4": "mxfp4",
}


def recognises(names: Collection[str]) -> bool:
    """Whether a row with columns `names` is one of AIConfigurator."""
    return {"tokens/s/gpu", "isl", "osl"} <= set(names)


def observation(fields: Fields, options: Options, catalog: Catalog) -> Cells:
    """Turn one predicted configuration into the cells of an observation.

    Raises
    ------
    Refusal
        If part of the input is cached, accelerators are mixed, or something is missing.
    """
    if fields.number("prefix"):
        raise Refusal("prefix", "is not 0: part of the input is cached, which is another workload.")
    split = bool(fields.text("(d)parallel", "(d)tp"))
    column, system = _one(fields, "system", "mixes accelerators", split=split)
    said = _SYSTEMS.get(system.casefold(), system)
    platform = common.platform(catalog, column, said, options.platform)
    _, backend = _one(fields, "backend", "mixes frameworks", split=split)
    output = common.throughput("tokens/s/gpu", fields.number("tokens/s/gpu"))
    cells = {
        "date": common.day("date", fields.text("date"), options.date),
        "platform": platform.platform,
        "model": common.model(catalog, "model", fields.text("model"), options.model),
        "tokens_in": common.tokens("isl", fields.number("isl"), options.tokens_in, "--tokens-in"),
        "tokens_out": common.tokens(
            "osl", fields.number("osl"), options.tokens_out, "--tokens-out"
        ),
        "precision": _precision(fields, options, platform.vendor, split=split),
        "framework": backend,
        "layout": _layout(fields, split=split),
        "method": "aiconfigurator",
        "disaggregated": "TRUE" if split else "FALSE",
        "accelerators": shown(fields.number("num_total_gpus")),
        "concurrency": shown(fields.number("concurrency")),
        "tokens_per_second_output": shown(output),
        "tokens_per_second_per_user": shown(fields.number("tokens/s/user")),
        "seconds_to_first_token": shown(_seconds(fields, "ttft")),
        "seconds_end_to_end": shown(_seconds(fields, "request_latency")),
        "evidence": "vendor",
        "note": _note(fields, split=split),
    }
    return {"observation_id": common.observation_id("aic", "", *cells.values()), **cells}


def _one(fields: Fields, name: str, trouble: str, *, split: bool) -> tuple[str, str]:
    """Column and text that must be the same for prefill and decode."""
    if not split:
        return name, fields.text(name)
    prefill, decode = (fields.text(f"({phase}){name}", name) for phase in "pd")
    if prefill and decode and prefill != decode:
        raise Refusal(f"(p){name}", f"{trouble}: {prefill} and {decode}.")
    return f"(d){name}", decode or prefill


def _precision(fields: Fields, options: Options, vendor: str, *, split: bool) -> str:
    """Precision where all modes agree; where they do not, the option may name one of them."""
    said = {_PRECISIONS.get(mode, mode) for mode in _modes(fields, split=split).values()}
    wanted = common.precision("", options.precision, vendor)
    if len(said) > 1 and (not wanted or wanted in said):
        return wanted
    return common.precision(" and ".join(sorted(said)), wanted, vendor, "gemm")


def _modes(fields: Fields, *, split: bool) -> dict[str, str]:
    phases = ("(p)", "(d)") if split else ("",)
    modes = {f"{p}{name}": fields.text(f"{p}{name}") for p in phases for name in ("gemm", "moe")}
    return {name: mode.casefold() for name, mode in modes.items() if mode}


def _layout(fields: Fields, *, split: bool) -> str:
    if not split:
        return fields.text("parallel")
    phases = []
    for phase, name in (("p", "prefill"), ("d", "decode")):
        workers = fields.number(f"({phase})workers")
        times = "" if workers is None else f"{workers:g} x "
        phases.append(f"{name} {times}{fields.text(f'({phase})parallel')}".strip())
    return "; ".join(phases)


def _seconds(fields: Fields, name: str) -> float | None:
    milliseconds = fields.number(name)
    return None if milliseconds is None else milliseconds / 1000.0


def _note(fields: Fields, *, split: bool) -> str:
    _, version = _one(fields, "version", "mixes versions", split=split)
    parts = ["prediction of NVIDIA's AIConfigurator, not a measurement"]
    parts += [f"performance data of version {version}"] if version else []
    parts += [f"{name} {mode}" for name, mode in _modes(fields, split=split).items()]
    return "; ".join(parts)
