"""Toy catalogs: a few invented rows laid over the shipped files, and short ways to ask them."""

import atexit
import csv
import functools
import math
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

from xltoken.catalog import reading, records, store
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import Observation, Origin, Prior
from xltoken.catalog.store import Catalog
from xltoken.model.assumptions import Assumptions, parse
from xltoken.model.forecast import Quote, quote
from xltoken.model.months import Month

TODAY = date(2026, 11, 22)
"""Date of the shipped catalog: a row of this day is carried by exactly 1."""
RATE = 3.6
"""USD per accelerator-hour at which 1,000 tok/s cost 1 USD per 1M tokens."""


def row(**changed: Any) -> dict[str, Any]:
    """One line of observations.csv: 1,000 total tok/s at 50 tok/s/user, measured today."""
    return {
        "observation_id": "",
        "date": TODAY,
        "published": "",
        "platform": "B200",
        "model": "toy",
        "tokens_in": 1024,
        "tokens_out": 1024,
        "precision": "nvfp4",
        "framework": "vllm",
        "layout": "TP8",
        "accelerators": "",
        "concurrency": "",
        "tokens_per_second_total": 1000,
        "tokens_per_second_output": "",
        "tokens_per_second_per_user": 50,
        "seconds_to_first_token": "",
        "seconds_end_to_end": "",
        "evidence": "measured",
        **changed,
    }


def overlay(**files: Iterable[Mapping[str, Any]]) -> Catalog:
    """Lay rows over the shipped catalog, through CSV files in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        for name, given in files.items():
            rows = list(given)
            titles = list(dict.fromkeys(title for cells in rows for title in cells))
            with (Path(folder) / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, titles)
                writer.writeheader()
                writer.writerows(rows)
        catalog, problems = store.read(folder)
    assert catalog is not None, problems
    return catalog


def toy(*rows: Mapping[str, Any]) -> Catalog:
    """Lay observations over the shipped catalog without its own, which takes a tenth of the time."""
    with mock.patch.object(reading, "DATA", _without_observations()):
        return overlay(observations=rows)


def observed(**changed: Any) -> Observation:
    """One observation, read as from a file."""
    cells = {name: str(value) for name, value in row(**changed).items()}
    found, problems = records.parse(Observation, cells, Origin("observations.csv", 2, user=True))
    assert found is not None, problems
    return found


def runs(
    days: Iterable[date | str], *series: Iterable[float | None], **changed: Any
) -> list[Observation]:
    """Configurations measured on some days: one series of tok/s each (None: not on that day)."""
    days = list(days)
    return [
        observed(date=day, concurrency=2**number, tokens_per_second_total=total, **changed)
        for number, totals in enumerate(series)
        for day, total in zip(days, totals, strict=True)
        if total is not None
    ]


def holding(*observations: Observation, **priors: float) -> Catalog:
    """Catalog of these observations and no others, with the drift's priors as in DESIGN.md."""
    values = {
        "software_gain_per_month": 0.01,
        "software_gain_weight": 10.0,
        "software_gain_sd": 0.1,
        "software_gain_months": 6.0,
        **priors,
    }
    origin = Origin("priors.csv", 2, user=False)
    known = {
        name: Prior(
            source_id="priors.csv",
            recorded=None,
            withdrawn=None,
            origin=origin,
            name=name,
            value=value,
            unit="",
            note="",
        )
        for name, value in values.items()
    }
    return replace(
        store.load(),
        date=TODAY,
        observations=tuple(observations),
        workload_rows=(),
        priors=known,
        memo={},
        _cuts={},
    )


def assume(**given: Any) -> Assumptions:
    """Assumptions as a user gives them."""
    return parse(list(given.items()))


def ask(
    catalog: Catalog,
    /,
    month: Month = 0,
    workload: str = "toy/batch",
    platform: str = "B200",
    **given: Any,
) -> Quote:
    """Quote in total tokens at RATE, unless told otherwise."""
    told = {"usd_per_accelerator_hour": RATE, "tokens_counted": "total", **given}
    return quote(catalog, platform, month, workload, assume(**told))


def cost(
    catalog: Catalog,
    /,
    month: Month = 0,
    workload: str = "toy/batch",
    platform: str = "B200",
    **given: Any,
) -> float:
    """USD per 1M total tokens; what is not known costs infinitely much."""
    try:
        return ask(catalog, month, workload, platform, **given).usd_per_million_tokens()
    except NotKnown:
        return math.inf


@functools.cache
def _without_observations() -> Path:
    """Copy the shipped files, with the observations and what needs them left out."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(reading.DATA, folder, dirs_exist_ok=True)
    for name in ("observations.csv", "workloads.csv"):
        titles = (folder / name).read_text(encoding="utf-8").partition("\n")[0]
        (folder / name).write_text(titles + "\n", encoding="utf-8")
    return folder
