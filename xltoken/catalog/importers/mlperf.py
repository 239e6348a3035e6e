"""Results of MLPerf Inference: one row a result, from the logs or from MLCommons' own summary.

Two sets of columns: results parsed from the published logs (round, submitter, system, ...,
tokens_per_s), and the summary of MLCommons' submission checker (Organization, Platform, ...,
Result, Units). Tokens per second are output tokens of the whole system (loadgen/results.cc of
mlcommons/inference at 05a9cec); per accelerator is our division, and the note says so, as
MLPerf's rules of quotation want the round and the submission named.
"""

import re
from collections.abc import Collection
from typing import Final

from xltoken.catalog.importers import common
from xltoken.catalog.importers.common import Cells, Fields, Options, Refusal, shown
from xltoken.catalog.store import SHAPE_TOLERANCE, Catalog

WANTED: Final = "submitter, scenario and tokens_per_s, or Organization, Scenario, Result and Units"
# Days on which the results of a round were published; those of other rounds come from --date.
_ROUNDS: Final = {"v4.1": "2024-08-28", "v5.1": "2025-09-09"}
# Accelerators as submitters write them, by the catalog's name; the card forms (NVL, PCIe) and
# custom cooling (CTS) are other accelerators.
_ACCELERATORS: Final = (
    (re.compile(r"NVIDIA (H100|H200|B200|B300)-SXM-\d+GB"), r"\1"),
    (re.compile(r"NVIDIA (GB200|GB300)"), r"\1 NVL72"),
    (re.compile(r"AMD (?:Instinct )?(MI3\d\dX)(?:-NPS1-SPX-\d+GB-\d+W| \d+GB HBM3[eE]?)?"), r"\1"),
    (re.compile(r"NVIDIA (RTX PRO 6000) Blackwell Server Edition"), r"\1"),
)
_ACCURACY: Final = re.compile(r"-(99(?:\.9)?)$")
# Mean output tokens of a benchmark's data set, where a row does not give its own: the references
# of mlcommons/inference, language/*/README.md; llama3.1-8b ends every answer at 128 (issue 2256).
# The mean input stands in no source found.
_TOKENS_OUT: Final = {
    "llama2-70b": 294.45,
    "mixtral-8x7b": 144.84,
    "llama3.1-405b": 684.68,
    "llama3.1-8b": 128.0,
}


def recognises(names: Collection[str]) -> bool:
    """Whether a row with columns `names` is a result of MLPerf."""
    found = set(names)
    ours, theirs = {"submitter", "scenario", "tokens_per_s"}, {"Organization", "Scenario"}
    return ours <= found or theirs | {"Result", "Units"} <= found


def observation(fields: Fields, options: Options, catalog: Catalog) -> Cells:
    """Turn one result into the cells of an observation.

    Raises
    ------
    Refusal
        If the result is not valid, closed and of a data centre, counts no tokens, mixes
        accelerators, or leaves out what an observation needs.
    """
    _must_count(fields)
    benchmark = fields.text("model", "MlperfModel", "Model")
    edition = fields.text("round", "version")
    if not edition:
        raise Refusal("round", "is blank: a result may only be quoted with its round.")
    accelerators = _count(fields)
    platform = common.platform(catalog, *_accelerator(fields), options.platform)
    tokens_per_s = _tokens_per_s(fields)
    name = re.sub(r"(?<=\d)_(?=\d)", ".", _ACCURACY.sub("", benchmark))
    submitter = fields.text("submitter", "Organization")
    system = fields.text("system", "Platform", "SystemName")
    scenario = fields.text("scenario", "Scenario")
    published = fields.text("published") or _ROUNDS.get(edition, "")
    target = _ACCURACY.search(benchmark)
    date = common.day("published", published, options.date)
    return {
        # A run quoted for both accuracy targets is one measurement, so they have no part in it.
        "observation_id": common.observation_id(
            "mlperf", "", edition, submitter, system, name, scenario, shown(tokens_per_s)
        ),
        "date": date,
        "published": date,
        "platform": platform.platform,
        "model": common.model(catalog, "model", name, options.model),
        "tokens_in": common.tokens("tokens_in", None, options.tokens_in, "--tokens-in"),
        "tokens_out": _tokens_out(fields, tokens_per_s, name, options),
        "precision": common.precision(
            fields.text("weight_data_types"),
            options.precision,
            platform.vendor,
            "weight_data_types",
        ),
        "framework": fields.text("framework"),
        "layout": f"{system}, {target[1]} % accuracy" if target else system,
        "method": f"mlperf {edition} {scenario}",
        "disaggregated": "FALSE",
        "accelerators": shown(accelerators),
        "tokens_per_second_output": shown(tokens_per_s / accelerators),
        "evidence": "peer_reviewed",
        "note": "; ".join(part for part in (
            f"MLPerf Inference {edition}, {benchmark}, {scenario}",
            f"submitter {submitter}",
            f"system {system}",
            fields.text("ID") and f"id {fields.text('ID')}",
            fields.text("Availability"),
            "per accelerator is our division",
            fields.text("source", "Location"),
        ) if part),
    }  # fmt: skip


def _must_count(fields: Fields) -> None:
    """Refuse what is no valid measurement of a data centre system."""
    verdict = fields.text("valid")
    if verdict and verdict.casefold() != "valid":
        raise Refusal("valid", f"is {verdict!r}, not VALID.")
    if fields.number("errors"):
        raise Refusal("errors", "is not 0: the submission checker found errors.")
    if fields.flag("inferred"):
        raise Refusal("inferred", "is 1: the result is taken over from another scenario.")
    division = fields.text("Division")
    if division and division.casefold() != "closed":
        raise Refusal("Division", f"is {division!r}: only closed results run the same model.")
    kind = fields.text("SystemType")
    if kind.casefold() == "edge":
        raise Refusal("SystemType", "is edge: the catalog holds data centre systems.")
    for name in ("model", "MlperfModel", "Model"):
        if fields.text(name).casefold().endswith("-edge"):
            raise Refusal(name, "is an edge benchmark: the catalog holds data centre systems.")


def _accelerator(fields: Fields) -> tuple[str, str]:
    """Column and name of the accelerator, by the catalog's name where it is known."""
    column = "accelerator" if "accelerator" in fields.values else "accelerator_model_name"
    said = fields.text(column)
    if "," in said or "(x" in said:
        raise Refusal(column, f"mixes accelerators: {said}.")
    for pattern, name in _ACCELERATORS:
        found = pattern.fullmatch(said)
        if found:
            return column, found.expand(name)
    return column, said


def _count(fields: Fields) -> float:
    """Accelerators of the system, which its throughput is divided by."""
    count = fields.number("accelerators", "total_accelerators")
    if count is None:
        nodes, each = fields.number("number_of_nodes"), fields.number("accelerators_per_node")
        if nodes is None or each is None:
            raise Refusal("accelerators", "is blank: the throughput is of the whole system.")
        count = nodes * each
    if count < 1:
        raise Refusal("accelerators", "is 0: the result is of processors alone.")
    return count


def _tokens_per_s(fields: Fields) -> float:
    unit = fields.text("Units")
    if unit and unit.casefold() != "tokens/s":
        raise Refusal("Units", f"is {unit!r}: only tokens per second can be compared.")
    column = "Result" if unit else "tokens_per_s"
    number = fields.number(column)
    if number is None:
        raise Refusal(column, "is blank: the result counts samples, not tokens.")
    return common.throughput(column, number)


def _tokens_out(fields: Fields, tokens_per_s: float, model: str, options: Options) -> str:
    """Mean output tokens: the row's own, of its two rates, else the option or the data set's."""
    samples_per_s = fields.number("samples_per_s")
    if samples_per_s:
        own = tokens_per_s / samples_per_s
        given = options.tokens_out
        if given is not None and abs(given / own - 1) > SHAPE_TOLERANCE:
            raise Refusal(
                "samples_per_s",
                f"and tokens_per_s make it {own:.4g} output tokens a request and --tokens-out "
                f"says {given:g}; import these rows without --tokens-out.",
            )
        return shown(own if given is None else given)
    default = options.tokens_out or _TOKENS_OUT.get(model.casefold())
    return common.tokens("tokens_out", None, default, "--tokens-out")
