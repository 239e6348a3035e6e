"""Published costs at matched speeds, read off a user's catalog of the published points alone.

The articles of SemiAnalysis InferenceX (https://inferencex.semianalysis.com/blog/, April to May
2026) print measured points and, beside them, what the dashboard reads off the curve through them
at round speeds. ``inferencex_points.csv`` and ``inferencex_iso.csv`` hold both, each row with its
article. The points are laid over the shipped catalog under names of models that it has never heard
of, and TOKEN_COST must give the printed figures.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from golden_tools import half_unit, laid_over, lay, rows_of
from scipy.interpolate import PchipInterpolator

import xltoken
from xltoken.catalog import store

TITLES = (
    "date", "platform", "model", "tokens_in", "tokens_out", "precision",
    "tokens_per_second_total", "tokens_per_second_per_user",
)  # fmt: skip
COST = "usd_per_million_total"
THROUGHPUT = "tokens_per_second_total"
NEAR, FAR = 0.03, 0.08
POINTS = rows_of("inferencex_points.csv")

Curve = tuple[str, str, str]
"""Model, platform, precision: one curve of an article."""

NOT_FROM_ITS_POINTS = {
    ("numbat-2", "b200", "fp8", 50.0, COST): "prints 0.08 where its points say 0.087",
    ("numbat-2", "b200", "fp8", 130.0, COST): "prints a cost beyond its fastest point, 112.3",
    ("echidna-0510", "mi355x", "mxfp4", 40.0, THROUGHPUT): "prints 89 where its points say 55 to 59",
    ("echidna-0521", "mi355x", "mxfp4", 50.0, THROUGHPUT): "prints 140 where its points say 148 to 156",
}  # fmt: skip
"""Entries that no curve through the points of their article gives: it shows fewer than it drew."""


@dataclass(frozen=True)
class Entry:
    """A printed figure at a speed, and what TOKEN_COST says; None where the table has none."""

    curve: Curve
    speed: float
    quantity: str
    rate: float
    printed: str
    found: float | str
    source: str

    @property
    def published(self) -> float:
        """Figure that is printed."""
        return float(self.printed)

    @property
    def ours(self) -> float:
        """Cost, or the throughput that it implies."""
        assert not isinstance(self.found, str), (self.found, getattr(self.found, "message", ""))
        return self.found if self.quantity == COST else self.rate * 1e6 / 3600.0 / self.found

    def holds(self, share: float = NEAR, ours: float | None = None) -> bool:
        """Whether a figure is within a share of the published one, or rounds to it."""
        found = self.ours if ours is None else ours
        allowed = max(share * self.published, half_unit(self.printed))
        return abs(found - self.published) <= allowed * (1 + 1e-9)

    @property
    def key(self) -> tuple[str, str, str, float, str]:
        """What tells entries apart."""
        return (*self.curve, self.speed, self.quantity)


def frontier(curve: Curve) -> tuple[list[float], list[float]]:
    """Speeds, ascending, and throughputs of the points of a curve that no other beats."""
    points = sorted(
        (
            (float(row["tokens_per_second_per_user"]), float(row["tokens_per_second_total"]))
            for row in POINTS
            if (row["model"], row["platform"], row["precision"]) == curve
        ),
        reverse=True,
    )
    best: list[tuple[float, float]] = []
    for point in points:
        if not best or point[1] > best[-1][1]:
            best.append(point)
    return [speed for speed, _ in best[::-1]], [total for _, total in best[::-1]]


def wide_gap(curve: Curve, speed: float) -> float | None:
    """Throughput of the faster neighbour where both stand 3x in speed or 4x in throughput apart."""
    speeds, totals = frontier(curve)
    for (slow, more), (fast, less) in pairwise(zip(speeds, totals, strict=True)):
        if slow < speed < fast and (fast >= 3 * slow or more >= 4 * less):
            return less
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's catalog: observations.csv with eight columns, and nothing else."""
    made = tmp_path_factory.mktemp("iso")
    lay(made, "observations.csv", TITLES, POINTS)
    return made


@pytest.fixture(scope="module")
def ask(folder: Path) -> Callable[..., float | str]:
    """TOKEN_COST of total tokens at the article's rate, on the day of the points."""
    days = {row["model"]: dt.date.fromisoformat(row["date"]) for row in POINTS}
    shapes = {row["model"]: "chat" if row["tokens_in"] == "1024" else "summarize" for row in POINTS}

    def cost(curve: Curve, speed: float, rate: float) -> float | str:
        model, platform, precision = curve
        told = [
            ["tokens_counted", "total"],
            ["usd_per_accelerator_hour", rate],
            ["precision", precision],
            ["min_tokens_per_second_per_user", speed],
        ]
        with laid_over(folder):
            found = xltoken.TOKEN_COST(platform, days[model], f"{model}/{shapes[model]}", told)
        assert isinstance(found, float | str)
        return found

    return cost


@pytest.fixture(scope="module")
def entries(ask: Callable[..., float | str]) -> list[Entry]:
    """Every printed entry with its answer."""
    found = []
    for row in rows_of("inferencex_iso.csv"):
        curve = (row["model"], row["platform"], row["precision"])
        speed, rate = (
            float(row["tokens_per_second_per_user"]),
            float(row["usd_per_accelerator_hour"]),
        )
        answer = ask(curve, speed, rate)
        found.append(
            Entry(curve, speed, row["quantity"], rate, row["published"], answer, row["source"])
        )
    return found


def printed(entries: list[Entry], quantity: str) -> list[Entry]:
    """Entries with a figure."""
    return [e for e in entries if e.quantity == quantity and e.printed != "unreachable"]


def test_the_models_are_unknown_to_the_shipped_catalog():
    """Nothing but the overlay can answer: no model of it is a shipped one."""
    assert not {row["model"] for row in POINTS} & set(store.load().models)


def test_costs_at_the_points_themselves(ask: Callable[..., float | str]):
    """At the speed of a point on the frontier the cost is rate over its throughput, exactly."""
    rates = {"h100": 1.30, "h200": 1.41, "b200": 1.95, "gb200": 2.21, "gb300": 2.65, "mi355x": 1.48}
    checked = 0
    for curve in {(row["model"], row["platform"], row["precision"]) for row in POINTS}:
        rate = rates[curve[1]]
        for speed, total in zip(*frontier(curve), strict=True):
            assert ask(curve, speed, rate) == pytest.approx(rate * 1e6 / 3600 / total, rel=1e-12)
            checked += 1
    assert checked >= 150


def test_nine_costs_in_ten_come_out_as_printed(entries: list[Entry]):
    """Of all 152 printed costs nine in ten are within 3 % or half a unit of the last digit."""
    costs = printed(entries, COST)
    assert len(costs) == 152
    held = [e for e in costs if not isinstance(e.found, str) and e.holds()]
    assert len(held) >= 0.90 * len(costs)


@pytest.mark.parametrize(("quantity", "share"), [(COST, 0.95), (THROUGHPUT, 0.93)])
def test_between_near_points_figures_come_out_as_printed(
    entries: list[Entry], quantity: str, share: float
):
    """Between points that stand close, no figure is off by 8 %, and nearly all hold within 3 %."""
    near = [
        e
        for e in printed(entries, quantity)
        if e.key not in NOT_FROM_ITS_POINTS and wide_gap(e.curve, e.speed) is None
    ]
    assert len(near) >= 87
    assert [(e.key, e.ours, e.published) for e in near if not e.holds(FAR)] == []
    assert sum(e.holds() for e in near) >= share * len(near)


def test_in_a_wide_gap_the_faster_point_counts(entries: list[Entry]):
    """Where neighbours stand wide apart the answer is the faster one's own throughput: no guess."""
    gaps = Counter[str]()
    for entry in entries:
        faster = wide_gap(entry.curve, entry.speed)
        if entry.printed != "unreachable" and faster is not None:
            implied = entry.rate * 1e6 / 3600.0 / float(entry.found)
            assert implied == pytest.approx(faster, rel=1e-12)
            gaps[entry.quantity] += 1
    assert gaps == {COST: 6, THROUGHPUT: 6}


def test_a_speed_that_no_point_reaches_is_unknown(entries: list[Entry]):
    """Every cell that is printed as unreachable is #N/A, and the message names the fastest."""
    beyond = [e for e in entries if e.printed == "unreachable"]
    assert len(beyond) == 35
    for entry in beyond:
        assert entry.found == "#N/A"
        assert f"{max(frontier(entry.curve)[0]):g} tok/s/user" in entry.found.message


def test_just_beyond_the_fastest_point_is_unknown(ask: Callable[..., float | str]):
    """One per mille above the fastest point is #N/A on every curve; at it there is a cost."""
    for curve in {(row["model"], row["platform"], row["precision"]) for row in POINTS}:
        fastest = max(frontier(curve)[0])
        assert isinstance(ask(curve, fastest, 1.0), float)
        assert ask(curve, fastest * 1.001, 1.0) == "#N/A"


def test_entries_set_apart_contradict_their_own_points(entries: list[Entry]):
    """No monotone cubic through the points (of log, throughput or cost) gives what is set apart."""
    by_key = {e.key: e for e in entries}
    for key in NOT_FROM_ITS_POINTS:
        entry = by_key[key]
        speeds, totals = frontier(entry.curve)
        if entry.speed > speeds[-1]:
            assert entry.found == "#N/A"
            continue
        dollars = entry.rate * 1e6 / 3600.0
        through = {
            "log": np.exp(PchipInterpolator(speeds, np.log(totals))(entry.speed)),
            "throughput": PchipInterpolator(speeds, totals)(entry.speed),
            "cost": dollars / PchipInterpolator(speeds, dollars / np.array(totals))(entry.speed),
        }
        for total in through.values():
            drawn = dollars / total if entry.quantity == COST else total
            assert not entry.holds(0.05, float(drawn))


GLM5 = {25: 0.14, 30: 0.15, 40: 0.17, 50: 0.19, 60: 0.22, 80: 0.29, 100: 0.38, 120: 0.51, 140: 0.93}


def test_glm_5_on_b200_to_the_printed_digit(ask: Callable[..., float | str]):
    """GLM-5 on B200 NVFP4 at 1.95 USD an hour: all nine costs of the contract, to the last digit."""
    for speed, published in GLM5.items():
        found = ask(("quokka-5", "b200", "nvfp4"), float(speed), 1.95)
        assert isinstance(found, float)
        assert abs(found - published) <= max(0.005, NEAR * published)
