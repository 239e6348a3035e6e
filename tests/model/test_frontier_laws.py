"""The law of section 4: tightening a limit never lowers a cost, and waiting never raises it."""

import contextlib
import math
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from model_tools import RATE, TODAY, ask, assume, cost, holding, observed, overlay, row, runs, toy

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.store import Catalog
from xltoken.model.forecast import quote
from xltoken.model.index import software_index
from xltoken.model.months import Month, moment

SHIPPED = store.load()
SCENARIOS = ("base", "conservative")
PRECISION_CHAINS = (("any", "fp4", "nvfp4"), ("any", "fp8"))
GRADES = ("vendor", "peer_reviewed", "measured")
WAITS = (None, 9.0, 5.0, 2.0, 1.0, 0.5, 0.3, 0.1)
ROUNDING = 1e-12

SERVED_SHAPES = {
    (8192.0, 1024.0): "summarize",
    (1024.0, 1024.0): "chat",
    (1024.0, 8192.0): "reasoning",
}
PAIRS = sorted(
    {
        (o.platform, f"{o.model}/{SERVED_SHAPES[o.tokens_in, o.tokens_out]}")
        for o in SHIPPED.observations
        if (o.tokens_in, o.tokens_out) in SERVED_SHAPES
    }
)


@dataclass
class Grid:
    """Costs over grade, precision, wait and speed, each axis from loose to tight."""

    about: str
    costs: np.ndarray

    def never_falls(self, axis: int) -> bool:
        """Whether the tighter of two neighbours costs as much or more."""
        loose = np.moveaxis(self.costs, axis, 0)[:-1]
        tight = np.moveaxis(self.costs, axis, 0)[1:]
        return bool(np.all(tight >= loose * (1 - ROUNDING)))


def grid(
    catalog: Catalog,
    platform: str,
    workload: str,
    month: Month,
    scenario: str,
    *,
    precisions: tuple[str, ...],
    grades: tuple[str, ...] = GRADES,
    speeds: list[float],
    waits: tuple[float | None, ...],
) -> Grid:
    """Costs of every combination of limits."""
    costs = [
        [
            [
                [
                    cost(
                        catalog,
                        month,
                        workload,
                        platform,
                        scenario=scenario,
                        evidence=grade,
                        precision=precision,
                        max_seconds_to_first_token=wait,
                        min_tokens_per_second_per_user=speed,
                    )
                    for speed in speeds
                ]
                for wait in waits
            ]
            for precision in precisions
        ]
        for grade in grades
    ]
    return Grid(f"{platform} {workload} {month} {scenario} {precisions}", np.array(costs))


def line(draw: random.Random, model: str) -> dict[str, Any]:
    """One random row: any date over seven years, any grade, with or without speed and wait."""
    speed = draw.choice([*[10, 20, 30, 45, 60, 80, 100, 150], round(draw.uniform(5, 250), 2), ""])
    seen = date(2022, 1, 1) + timedelta(days=draw.randrange(2500))
    return row(
        model=model,
        date=seen,
        tokens_in=draw.choice([1024, 1000]),
        precision=draw.choice(["", "fp4", "nvfp4", "mxfp4", "fp8", "bf16"]),
        framework=draw.choice("ab"),
        layout=draw.choice("xxy"),
        concurrency=draw.choice(["", 4, 16]),
        tokens_per_second_total=round(math.exp(draw.uniform(4, 9.5)), 1),
        tokens_per_second_per_user=speed,
        seconds_to_first_token=draw.choice(["", 0.1, 0.5, 1, 2, 5]),
        evidence=draw.choice(GRADES),
    )


def random_rows(seed: int, models: int) -> list[dict[str, Any]]:
    """Rows of many models, from one row to twenty each."""
    draw = random.Random(seed)
    return [
        line(draw, f"toy{number}")
        for number in range(models)
        for _ in range(draw.choice([1, 2, 4, 8, 14, 20]))
    ]


def some_speeds(draw: random.Random, rows: list[dict[str, Any]]) -> list[float]:
    """No floor, speeds that were measured, and speeds between and beyond them."""
    seen = [float(r["tokens_per_second_per_user"] or 40) for r in rows]
    chosen = [draw.choice(seen) * draw.choice([1, 1, 1.03, 0.9, 0.5]) for _ in range(5)]
    return sorted({0.0, 12.0, *chosen})


SOME_PAIRS = [
    pytest.param(PAIRS[::15], id="some"),
    pytest.param(PAIRS, id="all", marks=pytest.mark.slow),
]
SOME_SETS = [pytest.param(8, id="some"), pytest.param(60, id="all", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=SOME_PAIRS)
def shipped_grids(request: pytest.FixtureRequest) -> list[Grid]:
    """Costs on the shipped catalog, before and after its date."""
    speeds = [0.0, 30.0, 47.0, 100.0, 128.0]
    return [
        grid(
            SHIPPED,
            platform,
            workload,
            month,
            scenario,
            precisions=precisions,
            grades=("vendor", "measured"),
            speeds=speeds,
            waits=(None, 1.0),
        )
        for platform, workload in request.param
        for precisions in PRECISION_CHAINS
        for month, scenario in [(date(2026, 4, 15), "base"), (18.0, "conservative")]
    ]


@pytest.fixture(scope="module", params=SOME_SETS)
def random_grids(request: pytest.FixtureRequest) -> list[Grid]:
    """Costs on random point sets, at random months."""
    rows = random_rows(2026, 60)
    catalog = overlay(observations=rows)
    draw = random.Random(7)
    grids = []
    for number in range(request.param):
        model = f"toy{number}"
        own = [r for r in rows if r["model"] == model]
        month = draw.choice([-40.0, -11.5, 0.0, 0.5, 30.0, 110.0, draw.choice(own)["date"]])
        grids.append(
            grid(
                catalog,
                "B200",
                f"{model}/batch",
                month,
                draw.choice(SCENARIOS),
                precisions=draw.choice(PRECISION_CHAINS),
                speeds=some_speeds(draw, own),
                waits=(None, *sorted(draw.sample([9.0, 5.0, 2.0, 1.0, 0.5, 0.3, 0.1], 3))[::-1]),
            )
        )
    return grids


AXES = {"precision": 1, "wait": 2, "speed": 3}


@pytest.mark.parametrize("limit", ["evidence", *AXES])
def test_shipped_catalog_tightening(shipped_grids: list[Grid], limit: str) -> None:
    """On the shipped catalog tightening any limit never lowers a cost."""
    axis = AXES.get(limit, 0)
    assert [g.about for g in shipped_grids if not g.never_falls(axis)] == []


@pytest.mark.parametrize("limit", AXES)
def test_random_points_tightening(random_grids: list[Grid], limit: str) -> None:
    """On random point sets a tighter speed, wait or precision never lowers a cost."""
    assert [g.about for g in random_grids if not g.never_falls(AXES[limit])] == []


def test_grids_say_something(shipped_grids: list[Grid], random_grids: list[Grid]) -> None:
    """The grids hold many known and many unknown costs, or the laws above would be empty."""
    for grids in (shipped_grids, random_grids):
        known = np.concatenate([np.isfinite(g.costs).ravel() for g in grids])
        assert 0.2 < known.mean() < 0.9
    assert len(PAIRS) > 20


ROWS = st.lists(
    st.builds(
        row,
        date=st.sampled_from(["2024-02-29", "2025-12-31", "2026-05-25", str(TODAY), "2027-08-31"]),
        precision=st.sampled_from(["", "fp4", "nvfp4", "mxfp4", "fp8"]),
        concurrency=st.sampled_from(["", 4, 16]),
        tokens_per_second_total=st.floats(50, 20000).map(lambda t: round(t, 1)),
        tokens_per_second_per_user=st.just("") | st.floats(5, 250).map(lambda s: round(s, 1)),
        seconds_to_first_token=st.sampled_from(["", 0.1, 0.5, 1, 2, 5]),
        evidence=st.sampled_from(GRADES),
    ),
    min_size=1,
    max_size=8,
)
MONTHS = st.floats(-60, 120) | st.dates(date(2021, 1, 1), date(2036, 1, 1))
LIMITS = st.fixed_dictionaries(
    {
        "scenario": st.sampled_from(SCENARIOS),
        "evidence": st.sampled_from(GRADES),
        "precision": st.sampled_from(["any", "fp4", "nvfp4", "fp8"]),
        "max_seconds_to_first_token": st.sampled_from(WAITS),
        "min_tokens_per_second_per_user": st.floats(0, 250),
    }
)


@settings(max_examples=40)
@given(ROWS, LIMITS, MONTHS, st.data())
def test_drawn_points_tightening(
    rows: list[dict[str, Any]], limits: dict[str, Any], month: Month, data: st.DataObject
) -> None:
    """On any points, at any month, a tighter speed, wait or precision never lowers a cost."""
    catalog = toy(*rows)
    seen = [r["tokens_per_second_per_user"] for r in rows if r["tokens_per_second_per_user"]]
    faster = [s for s in [*seen, 300.0] if s >= limits["min_tokens_per_second_per_user"]]
    wait = limits["max_seconds_to_first_token"]
    sooner = [w for w in WAITS if w is not None and (wait is None or w <= wait)]
    narrower = {"any": ["fp4", "nvfp4", "fp8"], "fp4": ["nvfp4"]}.get(limits["precision"], [])
    loose = cost(catalog, month, **limits)
    for name, tighter in [
        ("min_tokens_per_second_per_user", data.draw(st.sampled_from(faster))),
        ("max_seconds_to_first_token", data.draw(st.sampled_from(sooner))),
        *[("precision", precision) for precision in narrower],
    ]:
        note(f"{name} = {tighter}")
        assert cost(catalog, month, **{**limits, name: tighter}) >= loose * (1 - ROUNDING)


def test_better_evidence_reaches_no_further() -> None:
    """Asking for measured rows never makes a speed known that is out of reach without."""
    catalog = toy(
        row(date="2026-01-01", concurrency=4, tokens_per_second_per_user=60),
        row(date="2026-06-01", concurrency=4, tokens_per_second_per_user=50, evidence="vendor"),
    )
    limits = {"min_tokens_per_second_per_user": 55, "month": 12}
    assert cost(catalog, evidence="measured", **limits) >= cost(
        catalog, evidence="vendor", **limits
    )


def test_better_evidence_waits_no_less() -> None:
    """Asking for measured rows never makes a wait known that no latest row keeps."""
    catalog = toy(
        row(date="2026-01-01", concurrency=4, seconds_to_first_token=1),
        row(date="2026-06-01", concurrency=4, seconds_to_first_token=3, evidence="vendor"),
    )
    limits = {"max_seconds_to_first_token": 2}
    assert cost(catalog, evidence="measured", **limits) >= cost(
        catalog, evidence="vendor", **limits
    )


def test_random_points_evidence() -> None:
    """On random point sets of a few repeated configurations better evidence is never cheaper."""
    draw = random.Random(11)
    rows = [
        line(draw, f"toy{number}")
        | {"precision": "fp8", "concurrency": draw.choice([4, 16]), "framework": "a", "layout": "x"}
        for number in range(40)
        for _ in range(4)
    ]
    catalog = overlay(observations=rows)
    for number in range(40):
        own = [r for r in rows if r["model"] == f"toy{number}"]
        found = grid(
            catalog,
            "B200",
            f"toy{number}/batch",
            draw.choice([0.0, 12.0, 60.0]),
            draw.choice(SCENARIOS),
            precisions=("fp8",),
            speeds=some_speeds(draw, own),
            waits=(None, 2.0, 0.5),
        )
        assert found.never_falls(0), found.about


def test_better_evidence_without_repeats() -> None:
    """Where no configuration was measured twice, better evidence is never cheaper."""
    draw = random.Random(13)
    rows = [
        line(draw, f"toy{number}") | {"concurrency": 1 + place}
        for number in range(6)
        for place in range(12)
    ]
    catalog = overlay(observations=rows)
    for number in range(6):
        own = [r for r in rows if r["model"] == f"toy{number}"]
        found = grid(
            catalog,
            "B200",
            f"toy{number}/batch",
            draw.choice([-20.0, 0.0, 12.0, 60.0]),
            draw.choice(SCENARIOS),
            precisions=draw.choice(PRECISION_CHAINS),
            speeds=some_speeds(draw, own),
            waits=(None, 2.0, 0.5),
        )
        assert found.never_falls(0), found.about


CALENDAR: list[Month] = [
    -72.0,
    date(2024, 2, 29),
    -12.25,
    date(2026, 1, 31),
    date(2026, 5, 25),
    -1.0,
    date(2026, 11, 21),
    0.0,
    date(2026, 11, 23),
    0.75,
    date(2027, 2, 28),
    12.0,
    13.7,
    date(2030, 12, 31),
    120.0,
    600.0,
]


def assert_never_rises(catalog: Catalog, workload: str, platform: str, **told: Any) -> None:
    """Costs along the calendar, from its first moment to its last, never rise."""
    start = told.get("start", catalog.date)
    months = sorted(CALENDAR, key=lambda month: moment(month, start))
    costs = [cost(catalog, month, workload, platform, **told) for month in months]
    for early, late, month in zip(costs, costs[1:], months[1:], strict=False):
        assert late <= early * (1 + ROUNDING), (month, told)


@pytest.mark.parametrize("pairs", SOME_PAIRS)
@pytest.mark.parametrize("gain", [None, 0.05])
@pytest.mark.parametrize("start", [TODAY, date(2024, 1, 31)])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_shipped_catalog_waiting(
    scenario: str, start: date, gain: float | None, pairs: list[tuple[str, str]]
) -> None:
    """On the shipped catalog a later month at the same rate never raises a cost."""
    for platform, workload in pairs:
        for speed in (0.0, 30.0, 60.0, 110.0):
            assert_never_rises(
                SHIPPED,
                workload,
                platform,
                scenario=scenario,
                start=start,
                software_gain_per_month=gain,
                min_tokens_per_second_per_user=speed,
            )


@pytest.mark.parametrize("sets", SOME_SETS)
def test_random_points_waiting(sets: int) -> None:
    """On random point sets a later month at the same rate never raises a cost."""
    rows = random_rows(3, 60)
    catalog = overlay(observations=rows)
    draw = random.Random(5)
    for number in range(sets):
        own = [r for r in rows if r["model"] == f"toy{number}"]
        for speed in some_speeds(draw, own):
            assert_never_rises(
                catalog,
                f"toy{number}/batch",
                "B200",
                scenario=draw.choice(SCENARIOS),
                evidence=draw.choice(GRADES),
                precision=draw.choice(["any", "fp4", "nvfp4", "fp8"]),
                max_seconds_to_first_token=draw.choice(WAITS),
                min_tokens_per_second_per_user=speed,
            )


@settings(max_examples=40)
@given(ROWS, LIMITS, MONTHS, MONTHS, st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_drawn_points_waiting(
    rows: list[dict[str, Any]], limits: dict[str, Any], one: Month, other: Month, start: date
) -> None:
    """On any points a later month, date or number, at the same rate never raises a cost."""
    catalog = toy(*rows)
    early, late = sorted([one, other], key=lambda month: moment(month, start))
    before = cost(catalog, early, start=start, **limits)
    assert cost(catalog, late, start=start, **limits) <= before * (1 + ROUNDING)


# --- panels: stacks that have an index of their own ---------------------------------------------


@dataclass
class Case:
    """A random panel as a catalog, and the questions put to it."""

    catalog: Catalog
    questions: list[dict[str, Any]]
    months: list[Month]


def panel_case(seed: int) -> Case:
    """One to three stacks of up to five configurations, measured again and again, and questions."""
    draw = random.Random(seed)
    rows = []
    span = draw.choice([690, 690, 1000])  # up to the catalog's date, or beyond it
    for _ in range(draw.choice([1, 2, 3])):
        stack = {
            "framework": draw.choice("ab"),
            "precision": draw.choice(["nvfp4", "mxfp4", "fp8"]),
            "speculative": draw.choice(["none", "mtp"]),
        }
        days = {date(2025, 1, 1) + timedelta(days=draw.randrange(span)) for _ in range(4)}
        for load in draw.sample([1, 4, 8, 16, 32, 64], draw.choice([3, 4, 5])):
            total, speed = math.exp(draw.uniform(5, 9)), draw.uniform(5, 200)
            for day in sorted(days):
                gain = math.exp(draw.gauss(0.05, 0.4))
                rows.append(
                    observed(
                        date=day,
                        concurrency=load,
                        published=draw.choice(["", day + timedelta(days=40)]),
                        tokens_per_second_total=round(total * gain, 2),
                        tokens_per_second_per_user=draw.choice([round(speed * gain, 2)] * 9 + [""]),
                        seconds_to_first_token=draw.choice(["", 0.1, 0.5, 1, 2, 5]),
                        evidence=draw.choice([*GRADES, "measured", "measured"]),
                        **stack,
                    )
                )
    rows += [  # rows that are carried and carry nothing
        observed(**line(draw, "toy") | {"concurrency": load, "framework": "a"})
        for load in range(100, 100 + draw.choice([0, 3]))
    ]
    seen = [o.tokens_per_second_per_user or 40.0 for o in rows]
    questions = [
        {
            "scenario": draw.choice(SCENARIOS),
            "evidence": draw.choice(GRADES),
            "precision": draw.choice(["any", "any", "fp4", "nvfp4", "fp8"]),
            "max_seconds_to_first_token": draw.choice([None, None, 2.0, 1.0]),
            "min_tokens_per_second_per_user": draw.choice(seen) * draw.choice([0, 1, 0.97, 0.6]),
            "software_gain_per_month": draw.choice([None, 0.05, 0.0]),
            "as_of": draw.choice([None, None, None, date(2026, 6, 1)]),
        }
        for _ in range(4)
    ]
    months = [*sorted(draw.uniform(-24, 0) for _ in range(7)), 0.0, 0.3, 6.0, 40.0]
    return Case(holding(*rows), questions, months)


SEEDS = [
    pytest.param(range(15), id="some"),
    pytest.param(range(15, 250), id="more", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("seeds", SEEDS)
def test_random_panels_waiting(seeds: range) -> None:
    """Where stacks have their own index, up and down, a later month never raises a cost."""
    for seed in seeds:
        case = panel_case(seed)
        for asked in case.questions:
            costs = [cost(case.catalog, month, **asked) for month in case.months]
            for early, late, month in zip(costs, costs[1:], case.months[1:], strict=False):
                assert late <= early * (1 + ROUNDING), (seed, month, asked)


@pytest.mark.parametrize("seeds", SEEDS)
def test_random_panels_tightening(seeds: range) -> None:
    """Where stacks have their own index a tighter limit never lowers a cost, at any month."""
    for seed in seeds:
        case = panel_case(seed)
        for asked, month in zip(case.questions, case.months[::3], strict=False):
            loose = cost(case.catalog, month, **asked)
            wait = asked["max_seconds_to_first_token"] or 9.0
            narrower = {"any": ["fp4", "nvfp4", "fp8"], "fp4": ["nvfp4"]}
            speed = asked["min_tokens_per_second_per_user"]
            for name, tighter in [
                *[("min_tokens_per_second_per_user", speed * t) for t in (1.03, 1.2, 2)],
                *[("max_seconds_to_first_token", w) for w in (5.0, 2.0, 1.0, 0.5) if w < wait],
                *[("precision", p) for p in narrower.get(asked["precision"], [])],
                ("evidence", "measured"),
            ]:
                tight = cost(case.catalog, month, **{**asked, name: tighter})
                assert tight >= loose * (1 - ROUNDING), (seed, month, name, tighter, asked)


def test_panels_say_something() -> None:
    """Most random panels have an index with rises and falls, and most questions an answer."""
    cases = [panel_case(seed) for seed in range(25)]
    steps = [software_index(case.catalog, None).steps for case in cases]
    gains = [step for each in steps for level in each.values() for step in level.values()]
    assert sum(map(bool, steps)) > 20
    assert min(gains) < -0.05 < 0.05 < max(gains)
    answers = [cost(case.catalog, 0, **asked) for case in cases for asked in case.questions]
    assert 0.5 < np.isfinite(answers).mean() < 1


STEP = st.floats(-0.7, 0.7)
PANELS = st.fixed_dictionaries(
    {
        # tok/s/user, tok/s and framework of rows on the first day, and two stacks' steps
        "rows": st.lists(
            st.tuples(st.floats(5, 250), st.floats(50, 20000), st.sampled_from("ab")),
            min_size=1,
            max_size=6,
        ),
        "a": st.lists(STEP, min_size=1, max_size=6),
        "b": st.lists(STEP, min_size=1, max_size=6),
        "drift": st.sampled_from([0.0, 0.01, 0.2]),
    }
)


@settings(max_examples=60)
@given(PANELS, st.floats(1, 250), st.floats(1, 2))
def test_drawn_panels(told: dict[str, Any], speed: float, tighter: float) -> None:
    """Whatever two stacks gained or lost: waiting, or a lower speed, never raises a cost."""
    first = date(2026, 3, 1)
    days = [date(2026, month, day) for month in (3, 4, 5, 6) for day in (1, 16)][:7]
    rows = [
        observed(
            date=first,
            concurrency=number + 1,
            framework=framework,
            tokens_per_second_per_user=user,
            tokens_per_second_total=total,
        )
        for number, (user, total, framework) in enumerate(told["rows"])
    ]
    for framework in "ab":
        totals = 1000 * np.exp(np.cumsum([0.0, *told[framework]]))
        stack = {"framework": framework, "model": "other"}
        rows += runs(days[: len(totals)], totals, totals, totals, **stack)
    catalog = holding(*rows, software_gain_per_month=told["drift"], software_gain_weight=1e12)
    floors = [speed, speed * tighter]
    costs = np.array(
        [
            [cost(catalog, day, min_tokens_per_second_per_user=floor) for floor in floors]
            for day in [date(2026, 1, 1), *days, TODAY, date(2027, 6, 1)]
        ]
    )
    assert np.all(costs[1:] <= costs[:-1] * (1 + ROUNDING)), costs
    assert np.all(costs[:, 1] >= costs[:, 0] * (1 - ROUNDING)), costs


@settings(max_examples=30)
@given(ROWS, st.lists(st.booleans(), min_size=8, max_size=8), LIMITS, MONTHS)
def test_claims_never_count(
    rows: list[dict[str, Any]], claimed: list[bool], limits: dict[str, Any], month: Month
) -> None:
    """In base and conservative claims are as if they were not there."""
    mixed = [r | {"evidence": "claim"} if c else r for r, c in zip(rows, claimed, strict=False)]
    kept = [r for r in mixed if r["evidence"] != "claim"]
    catalog = toy(*mixed)
    if kept:
        assert cost(catalog, month, **limits) == cost(toy(*kept), month, **limits)
    else:
        assert cost(catalog, month, **limits) == math.inf
    with contextlib.suppress(NotKnown):
        quoted = ask(catalog, month, **limits)
        assert all(o.evidence != "claim" for o in quoted.observations)
        assert all(r.observation.evidence != "claim" for r in quoted.frontiers.rows)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_shipped_claims_never_count(scenario: str) -> None:
    """In base and conservative no shipped claim stands behind a figure."""
    for platform, workload in PAIRS:
        for month in (date(2025, 8, 5), date(2025, 10, 9), 0.0, 24.0):
            try:
                quoted = ask(SHIPPED, month, workload, platform, scenario=scenario)
            except NotKnown:
                continue
            assert all(o.evidence != "claim" for o in quoted.observations)


@given(
    st.sampled_from(PAIRS),
    st.dates(date(2025, 1, 1), date(2035, 1, 1)),
    st.fixed_dictionaries(
        {
            "utilization": st.floats(0.01, 1),
            "overhead": st.floats(0, 2),
            "tokens_counted": st.sampled_from(["output", "input", "total"]),
            "min_tokens_per_second_per_user": st.floats(0, 120),
            "scenario": st.sampled_from(["base", "vendor", "conservative"]),
            "rate_decline": st.floats(-0.5, 0.9),
        }
    ),
    st.floats(0.5, 10000),
)
def test_cost_times_capacity(
    pair: tuple[str, str], on: date, told: dict[str, Any], accelerators: float
) -> None:
    """Cost x capacity = rate x 730 x accelerators x (1 + overhead)."""
    try:
        quoted = quote(SHIPPED, pair[0], on, pair[1], assume(usd_per_accelerator_hour=RATE, **told))
    except NotKnown:
        return
    years = max(0.0, (moment(on, TODAY) - TODAY.toordinal()) / 365.25)
    spent = RATE * (1 - told["rate_decline"]) ** years * 730 * accelerators
    product = quoted.usd_per_million_tokens() * quoted.million_tokens_per_month(accelerators)
    # The years of the decline run by calendar months, here by days: within a day or two.
    assert product == pytest.approx(spent * (1 + told["overhead"]), rel=0.02)
    exact = quoted.rate().usd_per_accelerator_hour * 730 * accelerators * (1 + told["overhead"])
    assert product == pytest.approx(exact, rel=1e-12)
