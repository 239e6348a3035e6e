from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import TODAY, ask, cost, row, toy

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import EVIDENCE_GRADES
from xltoken.model.evidence import (
    Admission,
    claims_on,
    looser_grades,
    looser_precisions,
    rows_that_count,
)

PRECISIONS = ("", "fp4", "nvfp4", "mxfp4", "fp8", "bf16")


def admitted(admission: Admission, *rows: dict[str, object]) -> list[str]:
    """Ids of the rows that count."""
    catalog = toy(*rows)
    found = rows_that_count(catalog, "B200", catalog.workload("toy/batch"), admission)
    return [r.observation.observation_id for r in found]


def totals(*rows: dict[str, object]) -> list[float]:
    """Throughputs of the rows that count."""
    catalog = toy(*rows)
    found = rows_that_count(catalog, "B200", catalog.workload("toy/batch"), Admission())
    return sorted(r.observation.total for r in found)


def steady_row(steadiness: float, **changed: object) -> dict[str, object]:
    """One accelerator at 1,000 tok/s with so many times the tokens in flight (Little's law)."""
    seconds = 64 * (1024 + 1024) / 1000 / steadiness
    return row(accelerators=1, concurrency=64, seconds_end_to_end=seconds, **changed)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("any", ["", "fp4", "nvfp4", "mxfp4", "fp8", "bf16"]),
        ("fp4", ["fp4", "nvfp4", "mxfp4"]),
        ("nvfp4", ["nvfp4"]),
        ("mxfp4", ["mxfp4"]),
        ("fp8", ["fp8"]),
    ],
)
def test_precision(asked: str, found: list[str]) -> None:
    """The precision asked is the one admitted; fp4 covers its two kinds, any also a blank one."""
    rows = [row(observation_id=p or "blank", precision=p) for p in PRECISIONS]
    assert admitted(Admission(asked), *rows) == [p or "blank" for p in found]


def test_precision_ignores_case() -> None:
    """NVFP4 in a file or in a cell is nvfp4."""
    catalog = toy(row(precision="NVFP4"))
    assert ask(catalog, precision="NvFp4").tokens_per_second == 1000
    assert ask(catalog, precision="FP4").precision == "nvfp4"


@pytest.mark.parametrize(
    ("grade", "found"),
    [
        ("measured", ["measured"]),
        ("peer_reviewed", ["measured", "peer_reviewed"]),
        ("vendor", ["measured", "peer_reviewed", "vendor"]),
        ("claim", ["measured", "peer_reviewed", "vendor"]),
    ],
)
def test_grades(grade: str, found: list[str]) -> None:
    """A grade admits itself and every better one, and claims never stand among other rows."""
    rows = [row(observation_id=g, evidence=g, framework=g) for g in EVIDENCE_GRADES]
    assert admitted(Admission(grade=grade), *rows) == found


def test_as_of_asks_when_it_was_published() -> None:
    """What was published later is unknown; a row that states no publication came on its day."""
    rows = [
        row(observation_id="early", date="2026-01-01", published="2026-02-01", framework="a"),
        row(observation_id="late", date="2026-01-01", published="2026-02-02", framework="b"),
        row(observation_id="bare", date="2026-02-01", framework="c"),
        row(observation_id="bare late", date="2026-02-02", framework="d"),
    ]
    assert admitted(Admission(as_of=date(2026, 2, 1)), *rows) == ["early", "bare"]
    assert len(admitted(Admission(), *rows)) == 4


def test_as_of_brings_back_the_row_before() -> None:
    """Without a row not yet published the earlier one of its configuration is the latest."""
    catalog = toy(
        row(date="2026-01-05", concurrency=4, tokens_per_second_total=1000),
        row(date="2026-11-22", concurrency=4, tokens_per_second_total=3000),
    )
    assert cost(catalog) == pytest.approx(1 / 3)
    quoted = ask(catalog, as_of=date(2026, 6, 1))
    assert [o.total for o in quoted.observations] == [1000]


def test_shapes_within_five_percent() -> None:
    """Token counts within 5 % of a workload's belong to it, others do not."""
    rows = [
        row(observation_id=f"{i}/{o}", tokens_in=i, tokens_out=o)
        for i, o in [
            (1000, 1000),
            (1075, 1024),
            (1024, 973),
            (1076, 1024),
            (1024, 972),
            (8192, 1024),
        ]
    ]
    assert admitted(Admission(), *rows) == ["1000/1000", "1075/1024", "1024/973"]


@pytest.mark.parametrize(
    ("steadiness", "flagged"), [(1.1, False), (1.34, False), (1.36, True), (1.99, True)]
)
def test_steadiness_flag(steadiness: float, *, flagged: bool) -> None:
    """A run over 1.35 by Little's law counts with a warning."""
    quoted = ask(toy(steady_row(steadiness, observation_id="run-1")))
    warned = [w for w in quoted.warnings() if "run-1 was not steady" in w]
    assert quoted.tokens_per_second == 1000
    assert bool(warned) == flagged


def test_steadiness_refusal() -> None:
    """A run over 2 by Little's law is refused, and the reason says so."""
    catalog = toy(steady_row(2.01))
    with pytest.raises(NotKnown, match="failed the steadiness check"):
        ask(catalog)
    both = toy(steady_row(2.01, tokens_per_second_total=1000), row(tokens_per_second_total=10))
    assert ask(both).tokens_per_second == 10


def test_refused_run_does_not_replace() -> None:
    """An unsteady run never takes the place of the steady one before it."""
    catalog = toy(steady_row(1.2, date="2026-10-22"), steady_row(45.0, date="2026-11-22"))
    assert ask(catalog).evidence_date == date(2026, 10, 22)


@pytest.mark.parametrize("blank", ["accelerators", "concurrency", "seconds_end_to_end"])
def test_steadiness_is_skipped(blank: str) -> None:
    """A run with one of the columns blank is not judged."""
    assert ask(toy(steady_row(45.0) | {blank: ""})).tokens_per_second == 1000


@pytest.mark.parametrize(
    ("series", "counts"),
    [
        ([1000], [1000]),
        ([1000, 2000], [2000]),
        ([1000, 701], [701]),
        ([1000, 699], [1000]),
        ([1000, 600, 650], [650]),
        ([1000, 600, 900], [900]),
        ([1000, 2000, 1300], [2000]),
        ([2000, 1300, 1000], [1000]),
    ],
)
def test_latest_row(series: list[float], counts: list[float]) -> None:
    """The latest run of a configuration counts, unless it fell by over 30 % unconfirmed."""
    rows = [
        row(date=f"2026-{month:02}-01", concurrency=16, tokens_per_second_total=total)
        for month, total in enumerate(series, 1)
    ]
    assert totals(*rows) == counts
    assert totals(*reversed(rows)) == counts


def test_fall_is_told() -> None:
    """Where the run before counts instead of the latest, a warning says so."""
    catalog = toy(
        row(observation_id="before", date="2026-01-01", concurrency=4),
        row(date="2026-02-01", concurrency=4, tokens_per_second_total=600),
    )
    assert any("before" in w and "30 %" in w for w in ask(catalog).warnings())
    steady = toy(row(date="2026-01-01", concurrency=4), row(date="2026-02-01", concurrency=4))
    assert not any("30 %" in w for w in ask(steady).warnings())


def test_rows_of_one_day_stand_together() -> None:
    """Two runs of one configuration on one day both count, and the better one sets the level."""
    rows = [
        row(date="2026-01-01", concurrency=4, tokens_per_second_total=1000),
        row(date="2026-02-01", concurrency=4, tokens_per_second_total=500),
        row(date="2026-02-01", concurrency=4, tokens_per_second_total=800),
    ]
    assert totals(*rows) == [500, 800]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tokens_in", 1000),
        ("precision", "fp8"),
        ("speculative", "mtp"),
        ("framework", "sglang"),
        ("layout", "TP4"),
        ("method", "other"),
        ("disaggregated", "TRUE"),
        ("accelerators", 8),
        ("concurrency", 8),
        ("concurrency", ""),
    ],
)
def test_another_configuration(column: str, value: object) -> None:
    """A run that differs in one of these columns is another thing and replaces nothing."""
    first = row(date="2026-01-01", concurrency=4, accelerators=4, speculative="", method="")
    first["disaggregated"] = ""
    later = first | {"date": "2026-02-01", "tokens_per_second_total": 900, column: value}
    assert totals(first, later) == [900, 1000]
    assert totals(first, later | {column: first[column]}) == [900]


def test_speed_tells_points_without_concurrency() -> None:
    """Where no concurrency is stated, runs at one speed are the same thing measured twice."""
    first = row(date="2026-01-01")
    later = row(date="2026-02-01", tokens_per_second_total=900)
    assert totals(first, later) == [900]
    assert totals(first, later | {"tokens_per_second_per_user": 51}) == [900, 1000]


def test_looser_precisions() -> None:
    """Each wider precision is listed once, tightest first."""
    assert looser_precisions("any") == ["any"]
    assert looser_precisions("fp4") == ["fp4", "any"]
    assert looser_precisions("nvfp4") == ["nvfp4", "fp4", "any"]
    assert looser_precisions("mxfp4") == ["mxfp4", "fp4", "any"]
    assert looser_precisions("fp8") == ["fp8", "any"]


def test_looser_grades() -> None:
    """Each lower grade down to the lowest is listed once, and the one asked always."""
    assert looser_grades("measured", "vendor") == ["measured", "peer_reviewed", "vendor"]
    assert looser_grades("vendor", "vendor") == ["vendor"]
    assert looser_grades("claim", "vendor") == ["claim"]


@given(st.sampled_from(PRECISIONS[1:]), st.sampled_from(EVIDENCE_GRADES[:3]))
def test_looser_admits_more(precision: str, grade: str) -> None:
    """Every looser filter admits all that the tighter one admits (shipped catalog)."""
    rows = store.load().observations
    tight = {o for o in rows if Admission(precision, grade).admits(o)}
    for wider in looser_precisions(precision):
        for lower in looser_grades(grade, "vendor"):
            assert tight <= {o for o in rows if Admission(wider, lower).admits(o)}


@pytest.mark.parametrize(
    ("on", "found"),
    [
        (date(2020, 1, 1), ["claim-oss-b200-1"]),
        (date(2025, 8, 5), ["claim-oss-b200-1"]),
        (date(2025, 10, 8), ["claim-oss-b200-1"]),
        (date(2025, 10, 9), ["claim-oss-b200-2"]),
        (date(2030, 1, 1), ["claim-oss-b200-2"]),
    ],
)
def test_claims_on_a_day(on: date, found: list[str]) -> None:
    """The latest claim dated on or before the day counts, before the first the first."""
    catalog = store.load()
    workload = catalog.workload("gpt-oss-120b/batch")
    rows = claims_on(catalog, "B200", workload, Admission(grade="claim"), on)
    assert [r.observation.observation_id for r in rows] == found


def test_claims_of_one_day_stand_together() -> None:
    """Claims of one day all count."""
    catalog = toy(
        row(evidence="claim", date="2026-01-01"),
        row(evidence="claim", date="2026-01-01", tokens_per_second_per_user=80),
        row(evidence="claim", date="2025-01-01"),
    )
    workload = catalog.workload("toy/batch")
    assert len(claims_on(catalog, "B200", workload, Admission(grade="claim"), TODAY)) == 2


@pytest.mark.parametrize(
    "admission",
    [
        Admission(grade="vendor"),
        Admission("fp8", "claim"),
        Admission(grade="claim", as_of=date(2025, 10, 8)),
    ],
)
def test_no_claims(admission: Admission) -> None:
    """Claims need grade claim, their precision, and to be published by then."""
    catalog = store.load()
    workload = catalog.workload("gpt-oss-120b/batch")
    assert claims_on(catalog, "B200", workload, admission, TODAY) == ()
