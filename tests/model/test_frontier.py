import itertools
import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import TODAY, ask, cost, holding, observed, row, runs, toy

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.model.evidence import Admission, Row
from xltoken.model.frontier import Frontier, Point, frontiers
from xltoken.model.index import growth, software_index
from xltoken.model.months import moment
from xltoken.model.panel import half_month


def points(*pairs: tuple[float, float]) -> list[dict[str, object]]:
    """Rows of today at (tok/s/user, total tok/s per accelerator)."""
    return [
        row(
            observation_id=f"{t:g} at {speed:g}",
            tokens_per_second_per_user=speed,
            tokens_per_second_total=t,
        )
        for speed, t in pairs
    ]


def served(catalog: store.Catalog, speed: float, month: float = 0, **told: object) -> float:
    """Total tok/s per accelerator at a speed."""
    told = {"min_tokens_per_second_per_user": speed, **told}
    return ask(catalog, month, **told).tokens_per_second


def test_a_point_is_itself() -> None:
    """At a measured speed the throughput is the measured one, and that row stands behind it."""
    catalog = toy(*points((10, 1000), (20, 600), (40, 300)))
    for speed, total in [(10, 1000), (20, 600), (40, 300)]:
        quoted = ask(catalog, min_tokens_per_second_per_user=speed)
        assert quoted.tokens_per_second == total
        assert quoted.speed == speed
        assert [o.observation_id for o in quoted.observations] == [f"{total} at {speed}"]
        assert quoted.basis == "measured"


def test_two_neighbours_by_hand() -> None:
    """Between two near points the logarithm of throughput runs straight over speed."""
    quoted = ask(toy(*points((10, 1000), (20, 500))), min_tokens_per_second_per_user=15)
    assert quoted.tokens_per_second == pytest.approx(1000 * 0.5**0.5, rel=1e-12)
    assert quoted.speed == 15
    assert quoted.basis == "interpolated"
    assert [o.observation_id for o in quoted.observations] == ["1000 at 10", "500 at 20"]


def test_cubic_by_hand() -> None:
    """Inside a longer curve the monotone cubic of Fritsch and Carlson is used."""
    # log2 of throughput is 10, 9, 7 at 10, 20, 30: slopes -0.1 and -0.2 a tok/s/user; the slope at
    # 20 is their harmonic mean -2/15, at 10 by the three-point rule (3 x -0.1 - -0.2) / 2 = -0.05.
    # Hermite at the middle: (10 + 9) / 2 + 10 / 8 x (-0.05 + 2/15) = 9.5 + 0.1041667.
    catalog = toy(*points((10, 2**10), (20, 2**9), (30, 2**7)))
    assert served(catalog, 15) == pytest.approx(2 ** (9.5 + 1 / 9.6), rel=1e-12)


@pytest.mark.parametrize(
    ("faster", "interpolated"),
    [
        ((29.9, 400), True),
        ((30, 400), False),
        ((31, 400), False),
        ((20, 251), True),
        ((20, 250), False),
        ((20, 100), False),
        ((29.9, 251), True),
        ((30, 250), False),
    ],
)
def test_gap_rule(faster: tuple[float, float], *, interpolated: bool) -> None:
    """Neighbours 3x apart in speed or 4x in throughput are not interpolated between."""
    quoted = ask(toy(*points((10, 1000), faster)), min_tokens_per_second_per_user=15)
    assert quoted.reading.interpolated == interpolated
    if interpolated:
        assert faster[1] < quoted.tokens_per_second < 1000
    else:
        assert quoted.tokens_per_second == faster[1]
        assert quoted.speed == faster[0]
        assert [o.tokens_per_second_per_user for o in quoted.observations] == [faster[0]]


def test_below_the_slowest_point() -> None:
    """Below the slowest point its own throughput counts, at its own speed."""
    catalog = toy(*points((20, 1000), (30, 600)))
    quoted = ask(catalog, min_tokens_per_second_per_user=1)
    assert (quoted.tokens_per_second, quoted.speed) == (1000, 20)


@pytest.mark.parametrize("month", [-24, 0, 6, 60, 600, date(2026, 1, 1), date(2045, 1, 1)])
def test_never_extrapolated(month: float | date) -> None:
    """A limit above the fastest measured speed is out of reach at every date."""
    catalog = toy(*points((20, 1000), (60, 600)))
    with pytest.raises(NotKnown, match=r"61 tok/s/user.*fastest measured is 60 tok/s/user"):
        ask(catalog, month, min_tokens_per_second_per_user=61)


def test_reachable_at_the_fastest_point_from_today_on() -> None:
    """The fastest measured speed is served from the day it was measured on."""
    catalog = toy(*points((20, 1000), (60, 600)))
    assert served(catalog, 60) == 600
    assert served(catalog, 60, 24) > 600
    with pytest.raises(NotKnown, match="Carried back to 2026-10-22"):
        served(catalog, 60, -1)


def test_beaten_points_do_not_count() -> None:
    """A row that another beats in both speed and throughput changes nothing."""
    best = points((10, 1000), (20, 600), (40, 300))
    beaten = points((9, 999), (12, 500), (20, 400), (39, 299))
    alone, together = toy(*best), toy(*best, *beaten)
    for speed in (5, 9, 10, 11, 12, 15, 20, 25, 39, 40):
        assert served(together, speed) == served(alone, speed)


def test_rows_without_a_speed() -> None:
    """A row without a speed per user answers only where no speed is asked."""
    catalog = toy(
        *points((10, 1000)), row(tokens_per_second_per_user="", tokens_per_second_total=3000)
    )
    quoted = ask(catalog)
    assert (quoted.tokens_per_second, quoted.speed) == (3000, None)
    assert served(catalog, 1) == 1000
    alone = toy(row(tokens_per_second_per_user=""))
    assert ask(alone).tokens_per_second == 1000
    with pytest.raises(NotKnown, match=r"states a speed per user.*batch"):
        served(alone, 1)


def test_no_floor_takes_the_best() -> None:
    """Without a floor, or with one of 0, the best throughput counts at its speed."""
    catalog = toy(*points((10, 1000), (20, 600)))
    assert ask(catalog).speed == 10
    assert served(catalog, 0) == 1000


def test_waits() -> None:
    """A wait limit admits rows that state such a wait or less; none stated fails it."""
    catalog = toy(
        row(seconds_to_first_token=5, tokens_per_second_total=3000, framework="a"),
        row(seconds_to_first_token=1, tokens_per_second_total=1000, framework="b"),
        row(seconds_to_first_token="", tokens_per_second_total=9000, framework="c"),
    )
    assert served(catalog, 50) == 9000
    assert ask(catalog).seconds_to_first_token is None
    assert served(catalog, 50, max_seconds_to_first_token=5) == 3000
    assert served(catalog, 50, max_seconds_to_first_token=4.99) == 1000
    quoted = ask(catalog, max_seconds_to_first_token=1)
    assert (quoted.tokens_per_second, quoted.rows, quoted.seconds_to_first_token) == (1000, 1, 1)
    with pytest.raises(NotKnown, match=r"within 0\.9 s: the shortest is 1 s"):
        ask(catalog, max_seconds_to_first_token=0.9)


def test_smallest_over_looser_filters() -> None:
    """A cubic through fewer points that runs above the whole one does not count."""
    # Without the middle point the chord in logarithms lies above the curve that sags there.
    sag = row(tokens_per_second_per_user=15, tokens_per_second_total=520, seconds_to_first_token=9)
    ends = [
        row(tokens_per_second_per_user=10, tokens_per_second_total=1000, seconds_to_first_token=1),
        row(tokens_per_second_per_user=20, tokens_per_second_total=500, seconds_to_first_token=1),
    ]
    chord = served(toy(*ends), 14)
    whole = served(toy(*ends, sag), 14)
    assert whole < chord
    assert served(toy(*ends, sag), 14, max_seconds_to_first_token=1) == whole
    assert served(toy(*ends), 14, max_seconds_to_first_token=1) == chord


@pytest.mark.parametrize(
    ("loose", "tight"), [("any", "fp4"), ("any", "nvfp4"), ("fp4", "nvfp4"), ("any", "fp8")]
)
def test_smallest_over_looser_precisions(loose: str, tight: str) -> None:
    """The same holds for precision: a sagging point of a wider one is not skipped."""
    wider = {"any": "bf16", "fp4": "mxfp4"}[loose]
    sag = row(tokens_per_second_per_user=15, tokens_per_second_total=520, precision=wider)
    ends = [
        row(tokens_per_second_per_user=s, tokens_per_second_total=t, precision=tight)
        for s, t in [(10, 1000), (20, 500)]
    ]
    catalog = toy(*ends, sag)
    assert served(catalog, 14, precision=tight) == served(catalog, 14, precision=loose)
    assert served(catalog, 14, precision=tight) < served(toy(*ends), 14, precision=tight)


@pytest.mark.parametrize("grade", ["measured", "peer_reviewed"])
def test_smallest_over_looser_grades(grade: str) -> None:
    """The same holds for evidence: a sagging point of a lower grade is not skipped."""
    sag = row(tokens_per_second_per_user=15, tokens_per_second_total=520, evidence="vendor")
    ends = points((10, 1000), (20, 500))
    catalog = toy(*ends, sag)
    assert served(catalog, 14, evidence=grade) == served(catalog, 14, evidence="vendor")


@pytest.mark.parametrize(
    ("counted", "share"), [("total", 1.0), ("output", 1 / 9), ("input", 8 / 9)]
)
def test_counted_tokens(counted: str, share: float) -> None:
    """Output counts out / (in + out) of a row's total, input the rest."""
    catalog = toy(row(tokens_in=8192, tokens_per_second_total=900))
    told = {"workload": "toy/summarize", "tokens_counted": counted}
    assert ask(catalog, **told).tokens_per_second == pytest.approx(900 * share, rel=1e-12)


def test_counted_tokens_of_the_row() -> None:
    """The share is that of the row's own token counts, not of the workload's."""
    catalog = toy(row(tokens_in=1000, tokens_out=1050, tokens_per_second_total=2050))
    assert ask(catalog, tokens_counted="output").tokens_per_second == pytest.approx(1050)


def test_total_from_output() -> None:
    """A row with only output throughput gets its total by its token counts."""
    rows = row(tokens_in=8192, tokens_per_second_total="", tokens_per_second_output=100)
    assert ask(toy(rows), workload="toy/summarize").tokens_per_second == pytest.approx(900)


def test_carried_up_to_the_catalogs_date() -> None:
    """Throughput and speed of a row are carried alike, and of two rows each by its own age."""
    catalog = toy(
        row(date="2026-01-22", tokens_per_second_total=1000, tokens_per_second_per_user=50),
        row(date="2026-05-22", tokens_per_second_total=100, tokens_per_second_per_user=100),
    )
    quoted = ask(catalog)
    assert quoted.tokens_per_second == pytest.approx(1000 * 1.01**10, rel=1e-12)
    assert quoted.speed == pytest.approx(50 * 1.01**10, rel=1e-12)
    fast = ask(catalog, min_tokens_per_second_per_user=100)
    assert fast.tokens_per_second == pytest.approx(100 * 1.01**6, rel=1e-12)
    assert fast.basis == "carried"


FIRST, NEXT = date(2026, 3, 3), date(2026, 3, 20)


def gaining(*steps: float, **stack: str) -> list[store.Observation]:
    """Three runs of another model whose stack gains so much in each half-month from FIRST on."""
    days = [FIRST, NEXT, date(2026, 4, 4), date(2026, 4, 20)][: len(steps) + 1]
    totals = list(itertools.accumulate([1000.0, *steps], lambda a, b: a * b))
    return runs(days, totals, totals, totals, model="other", **stack)


def point(speed: float, total: float, **changed: object) -> store.Observation:
    """One run of the toy model on FIRST."""
    told = {"date": FIRST, "tokens_per_second_per_user": speed, **changed}
    return observed(tokens_per_second_total=total, **told)


STILL = {"software_gain_per_month": 0.0, "software_gain_weight": 1e15}
"""Priors under which nothing drifts: only a stack's own index carries."""


def test_each_row_is_carried_by_its_own_stack() -> None:
    """On one frontier each row moves by the index of its stack, throughput and speed alike."""
    catalog = holding(
        *gaining(1.2),
        *gaining(1.1, framework="sglang"),
        point(10, 1000),
        point(100, 100, framework="sglang"),
        point(200, 10, framework="trt"),
        **STILL,
    )
    for on, first, second in [(FIRST, 1.0, 1.0), (NEXT, 1.2, 1.1), (TODAY, 1.2, 1.1)]:
        slow, fast, faster = (
            ask(catalog, on, min_tokens_per_second_per_user=speed) for speed in (10, 100, 200)
        )
        assert slow.tokens_per_second == pytest.approx(1000 * first, rel=1e-12)
        assert slow.speed == pytest.approx(10 * first, rel=1e-12)
        assert fast.tokens_per_second == pytest.approx(100 * second, rel=1e-12)
        assert fast.speed == pytest.approx(100 * second, rel=1e-12)
        assert faster.tokens_per_second == pytest.approx(10, rel=1e-12)
        assert faster.speed == pytest.approx(200, rel=1e-12)


def test_constant_within_the_half_month() -> None:
    """Up to the catalog's date a figure is the same on every day of a half-month."""
    catalog = holding(*gaining(1.2, 1.1), point(10, 1000))
    days = [date(2026, month, day) for month in (2, 3, 4) for day in (1, 7, 15, 16, 28)]
    found = [ask(catalog, day).tokens_per_second for day in days]
    for (one, before), (other, after) in itertools.pairwise(zip(days, found, strict=True)):
        assert (before == after) == (half_month(one) == half_month(other))
    assert ask(catalog, FIRST).basis == ask(catalog, date(2026, 3, 15)).basis == "measured"
    assert ask(catalog, NEXT).basis == "carried"


def test_smallest_over_later_half_months() -> None:
    """What waiting would raise is told from the start: a gap that opens later counts already."""
    # Between (10, 1000) and (20, 260) one interpolates: 3.85x apart. A half-month later the slower
    # row stands at (12, 1200), 4.6x apart, and at 13 the faster row's 260 counts.
    catalog = holding(*gaining(1.2), point(10, 1000), point(20, 260, framework="trt"), **STILL)
    load = catalog.workload("toy/batch")
    told = ("B200", load, Admission(), "vendor", None, "total", None)
    there = frontiers(catalog, *told, half_month(FIRST))
    later = frontiers(catalog, *told, half_month(NEXT))
    assert there is not None
    assert later is not None
    (now, then) = (each.read(13) for each in (there, later))
    assert now is not None
    assert then is not None
    assert now.throughput == pytest.approx(1000 * 0.26**0.3, rel=1e-12)
    assert then.throughput == pytest.approx(260, rel=1e-12)
    for on in (FIRST, NEXT, TODAY):
        assert served(catalog, 13, on) == pytest.approx(260, rel=1e-12)
    assert served(catalog, 10, FIRST) == 1000


def test_smallest_over_the_very_next_half_month() -> None:
    """A gap that opens for one half-month only, the next, counts before it; after it it is past."""
    catalog = holding(
        *gaining(1.2),
        *gaining(1.0, 1.2, framework="trt"),
        point(10, 1000),
        point(20, 260, framework="trt"),
        **STILL,
    )
    for on in (FIRST, NEXT):
        assert served(catalog, 13, on) == pytest.approx(260, rel=1e-12)
    assert served(catalog, 13, date(2026, 4, 4)) > 600


def test_smallest_up_to_the_catalogs_half_month() -> None:
    """A gap that opens in the catalog's own half-month counts before it."""
    first = date(2026, 11, 5)
    totals = [1000, 1200]
    rows = runs([first, TODAY], totals, totals, totals, model="other")
    slow, fast = point(10, 1000, date=first), point(20, 260, date=first, framework="trt")
    catalog = holding(*rows, slow, fast, **STILL)
    assert served(catalog, 13, first) == pytest.approx(260, rel=1e-12)


def test_as_of_carries_by_what_was_known() -> None:
    """Under as_of a row is carried by the index of that day, not by what came out later."""
    catalog = holding(*gaining(1.2, published="2026-06-01"), point(10, 1000), **STILL)
    assert ask(catalog).tokens_per_second == pytest.approx(1200, rel=1e-12)
    before = ask(catalog, as_of=date(2026, 5, 31))
    assert before.tokens_per_second == pytest.approx(1000, rel=1e-12)
    after = ask(catalog, as_of=date(2026, 6, 1))
    assert after.tokens_per_second == pytest.approx(1200, rel=1e-12)


@pytest.mark.parametrize("gain", [None, 0.0, 0.05])
@pytest.mark.parametrize("on", [date(2026, 11, 30), date(2027, 8, 31), date(2040, 1, 1)])
def test_users_row_of_after_the_catalogs_date(on: date, gain: float | None) -> None:
    """A row of later than the catalog's date stands at its own figure on its own day."""
    told = {"software_gain_per_month": gain}
    catalog = holding(observed(date=on))
    index = software_index(catalog, None)
    factor = growth(index, TODAY, moment(on, TODAY), date(2025, 5, 15), None, gain)
    assert ask(catalog, on, **told).tokens_per_second == pytest.approx(1000, rel=1e-12)
    today = ask(catalog, 0, **told).tokens_per_second
    assert today == pytest.approx(1000 / factor, rel=1e-12)
    # Before the catalog's date the index carries it further back: six months of 1 %.
    before = ask(catalog, -6, **told).tokens_per_second
    assert before == pytest.approx(1000 / factor / 1.01**6, rel=1e-12)


def test_long_ago_costs_no_more_time() -> None:
    """A month that makes no sense is answered from a few frontiers, not from thousands."""
    catalog = holding(observed(date=FIRST))
    ask(catalog, date(1905, 7, 18), min_tokens_per_second_per_user=20)
    built = catalog.memo[frontiers.__wrapped__]
    assert len(built) < 150


@pytest.mark.parametrize(
    ("on", "speed", "total"),
    [(date(2026, 5, 25), 66.27, 2228.1), (date(2026, 5, 25), 140.08, 579.2)],
)
def test_measured_point_on_its_own_day(on: date, speed: float, total: float) -> None:
    """A measured point returns its own throughput on its own day (GLM-5, B200, NVFP4)."""
    quoted = ask(
        store.load(),
        on,
        "glm-5/summarize",
        min_tokens_per_second_per_user=speed,
        precision="nvfp4",
    )
    assert quoted.tokens_per_second == pytest.approx(total, rel=1e-12)
    assert quoted.speed == pytest.approx(speed, rel=1e-12)
    assert quoted.basis == "measured"


@pytest.mark.parametrize(("speed", "total"), [(10, 1000), (100, 100)])
def test_any_point_on_its_own_day(speed: float, total: float) -> None:
    """A measured point returns its own throughput on its own day, whichever day that is."""
    pairs = points((10, 1000), (100, 100))
    catalog = toy(*[pair | {"date": "2026-03-03"} for pair in pairs])
    quoted = ask(catalog, date(2026, 3, 3), min_tokens_per_second_per_user=speed)
    assert quoted.tokens_per_second == pytest.approx(total, rel=1e-9)


@given(
    st.lists(st.tuples(st.floats(1, 300), st.floats(10, 30000)), min_size=1, max_size=12),
    st.floats(0.5, 320),
)
def test_frontier_is_bounded_by_its_points(pairs: list[tuple[float, float]], speed: float) -> None:
    """A reading lies between what the points at or above the speed serve and the best of all."""
    found = next(o for o in store.load().observations)
    curve = Frontier([Point(Row(found), throughput, user) for user, throughput in pairs])
    reading = curve.read(speed)
    enough = [throughput for user, throughput in pairs if user >= speed]
    if not enough:
        assert reading is None or max(user for user, _ in pairs) >= speed * (1 - 1e-6)
        return
    assert reading is not None
    assert max(enough) * (1 - 1e-9) <= reading.throughput <= max(t for _, t in pairs)
    assert reading.speed is not None
    assert reading.speed >= speed * (1 - 1e-9)


@given(st.lists(st.tuples(st.floats(1, 300), st.floats(10, 30000)), min_size=1, max_size=12))
def test_frontier_falls(pairs: list[tuple[float, float]]) -> None:
    """Along a frontier throughput never rises with speed."""
    found = next(o for o in store.load().observations)
    curve = Frontier([Point(Row(found), throughput, user) for user, throughput in pairs])
    fastest = max(user for user, _ in pairs)
    read = [curve.read(speed) for speed in np.linspace(0.5, fastest, 60)]
    values = [reading.throughput if reading else -math.inf for reading in read]
    assert all(later <= before * (1 + 1e-12) for before, later in itertools.pairwise(values))


def test_no_points_with_a_speed() -> None:
    """A frontier of rows without a speed answers only where none is asked."""
    found = next(o for o in store.load().observations)
    curve = Frontier([Point(Row(found), 100.0, None)])
    reading = curve.read(None)
    assert reading is not None
    assert reading.throughput == 100
    assert curve.read(1.0) is None


def test_equal_throughputs() -> None:
    """Of two rows with the same throughput the faster counts, down to any speed."""
    catalog = toy(*points((10, 500), (40, 500)))
    assert served(catalog, 5) == served(catalog, 40) == 500
    assert ask(catalog).speed == 40
    assert cost(catalog) == 2.0


def test_today_is_the_catalogs_date() -> None:
    """The toy rows of this file stand at the catalog's date, where nothing is carried."""
    assert ask(toy(row())).evidence_date == TODAY == store.load().date
