import math
from dataclasses import replace
from datetime import date

import pytest
from model_tools import TODAY, ask, assume, cost, holding, observed, overlay, row, toy

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.store import Catalog
from xltoken.economics.domain import DomainError
from xltoken.model.forecast import Quote, quote

SHIPPED = store.load()
GLM5_ARTICLE = date(2026, 5, 25)
"""https://inferencex.semianalysis.com/blog/b200-glm5-nvfp4-vs-h200-fp8-3-6x-perf-per-dollar,
published 2026-05-26, points as of the day before; USD per 1M total tokens, 8k in, 1k out."""

# The article's iso-interactivity values of B200 NVFP4 at $1.95 an hour: tok/s/user, USD.
B200_NVFP4 = [
    (25, "0.14"),
    (30, "0.15"),
    (40, "0.17"),
    (50, "0.19"),
    (60, "0.22"),
    (80, "0.29"),
    (100, "0.38"),
    (120, "0.51"),
    (140, "0.93"),
]
# The article's values of H200 FP8 at $1.41 an hour (data/published_points.csv, 2026-05-25).
H200_FP8 = [(25, "0.46"), (30, "0.5"), (80, "1.06")]


def agrees(found: float, published: str) -> bool:
    """Within 3 % of a published figure, or half a unit of its last digit."""
    decimals = len(published.partition(".")[2])
    return abs(found - float(published)) <= max(0.03 * float(published), 0.5 * 10.0**-decimals)


def glm5(platform: str, on: date, speed: float, precision: str) -> float:
    """USD per 1M total tokens at the catalog's own rate."""
    told = assume(min_tokens_per_second_per_user=speed, precision=precision, tokens_counted="total")
    return quote(SHIPPED, platform, on, "glm-5/summarize", told).usd_per_million_tokens()


@pytest.mark.parametrize("on", [GLM5_ARTICLE, date(2026, 5, 26)])
@pytest.mark.parametrize(("speed", "published"), B200_NVFP4)
def test_published_glm5_b200(on: date, speed: float, published: str) -> None:
    """GLM-5 on B200 NVFP4 costs what the article published, on its day and the next."""
    assert agrees(glm5("B200", on, speed, "nvfp4"), published)


@pytest.mark.parametrize(("speed", "published"), H200_FP8)
def test_published_glm5_h200(speed: float, published: str) -> None:
    """GLM-5 on H200 FP8 costs what the article published."""
    assert agrees(glm5("H200", GLM5_ARTICLE, speed, "fp8"), published)


@pytest.mark.parametrize("on", [GLM5_ARTICLE, date(2026, 5, 26), TODAY, date(2030, 1, 1)])
def test_published_glm5_ends(on: date) -> None:
    """150 tok/s/user were not reached, and the message says how far it went."""
    with pytest.raises(NotKnown, match=r"150 tok/s/user is out of reach.*140\.08 tok/s/user"):
        glm5("B200", on, 150, "nvfp4")


def gpt_oss(month: date | float, /, catalog: Catalog = SHIPPED, **told: object) -> Quote:
    """Output tokens of gpt-oss-120b on B200."""
    return quote(catalog, "B200", month, "gpt-oss-120b/batch", assume(**told))


def test_two_cents() -> None:
    """The two cents of B200 are 25,943 output tok/s of TensorRT-LLM at $1.95 an hour."""
    quoted = gpt_oss(date(2026, 1, 1))
    assert quoted.tokens_per_second == pytest.approx(25943, rel=0.001)
    assert quoted.rate().usd_per_accelerator_hour == 1.95
    assert quoted.usd_per_million_tokens() == pytest.approx(0.0209, abs=0.00005)
    assert quoted.grade == "vendor"


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2024, 1, 1), 0.1083),
        (date(2025, 8, 5), 0.1083),
        (date(2025, 10, 8), 0.1083),
        (date(2025, 10, 9), 0.0217),
        (TODAY, 0.0217),
    ],
)
def test_vendors_step(on: date, expected: float) -> None:
    """In scenario vendor the cost steps on the day of the second claim, and claims stand as stated."""
    quoted = gpt_oss(on, scenario="vendor", usd_per_accelerator_hour=2.34)
    assert quoted.usd_per_million_tokens() == pytest.approx(expected, abs=0.00005)
    assert quoted.grade == "claim"
    assert quoted.basis == "measured"
    assert any("claim stands behind" in w for w in quoted.warnings())


def test_claims_grow_beyond_the_catalogs_date() -> None:
    """Beyond the catalog's date software gains apply to a claim too."""
    # Claims alone: nothing was measured, so the drift is the prior of 1 % a month.
    claims = [row for row in SHIPPED.observations if row.evidence == "claim"]
    catalog = replace(holding(*claims), workload_rows=SHIPPED.workload_rows)
    told = {"scenario": "vendor", "usd_per_accelerator_hour": 2.34}
    today, later = gpt_oss(0, catalog, **told), gpt_oss(12, catalog, **told)
    # The factor of test_index.test_growth_by_hand: the same pair, the same twelve months.
    ratio = today.usd_per_million_tokens() / later.usd_per_million_tokens()
    assert ratio == pytest.approx(1.093972, abs=2e-6)
    assert later.basis == "projected"


def test_claims_are_the_whole_evidence() -> None:
    """Where there are claims, scenario vendor reads no other row; elsewhere it does."""
    catalog = toy(row(evidence="claim"), row(tokens_per_second_total=5000, framework="b"))
    assert ask(catalog, scenario="vendor").tokens_per_second == 1000
    assert ask(catalog, scenario="vendor").rows == 1
    assert ask(catalog).tokens_per_second == 5000
    bare = toy(row(evidence="vendor", tokens_per_second_total=700))
    assert ask(bare, scenario="vendor").tokens_per_second == 700
    told = {"scenario": "vendor", "evidence": "measured"}
    assert ask(catalog, **told).tokens_per_second == 5000


def test_claims_obey_limits() -> None:
    """A claim obeys speed and wait limits as a row does."""
    catalog = toy(row(evidence="claim", seconds_to_first_token=2))
    vendor = {"scenario": "vendor"}
    assert ask(catalog, max_seconds_to_first_token=2, **vendor).tokens_per_second == 1000
    assert cost(catalog, max_seconds_to_first_token=1, **vendor) == float("inf")
    assert ask(catalog, min_tokens_per_second_per_user=50, **vendor).tokens_per_second == 1000
    assert cost(catalog, min_tokens_per_second_per_user=51, **vendor) == float("inf")


def test_cost_by_hand() -> None:
    """Cost is the rate over tokens an hour, over utilization, with the overhead on top."""
    quoted = ask(toy(row()), usd_per_accelerator_hour=7.2, utilization=0.5, overhead=0.25)
    assert quoted.usd_per_million_tokens() == pytest.approx(7.2 / 3.6 / 0.5 * 1.25, rel=1e-12)


@pytest.mark.parametrize(("on", "months"), [(TODAY, 0), (date(2026, 12, 22), 1), (6, 6), (-6, 6)])
def test_range_by_hand(on: date | float, months: float) -> None:
    """The range is z sigma sqrt(h + h^2 / 6) in logs, h months from the evidence, both ways."""
    quoted = ask(holding(observed()), on)
    low, expected, high = quoted.usd_range(0.8)
    assert expected == quoted.usd_per_million_tokens()
    off = 1.2815515655446004 * 0.1 * (months + months**2 / 6) ** 0.5
    assert high / expected == pytest.approx(math.exp(off), rel=1e-9)
    assert low * high == pytest.approx(expected**2, rel=1e-12)


@pytest.mark.parametrize("confidence", [0, 1, -0.1, 1.5])
def test_confidence_outside_the_domain(confidence: float) -> None:
    """A confidence lies between 0 and 1."""
    with pytest.raises(DomainError, match="confidence"):
        ask(toy(row())).usd_range(confidence)


def test_capacity_by_hand() -> None:
    """Capacity is tok/s x 3600 x 730 / 1e6 x accelerators x utilization."""
    quoted = ask(toy(row()), utilization=0.5)
    assert quoted.million_tokens_per_month(72) == pytest.approx(2628 * 72 * 0.5, rel=1e-12)


def test_tokens_per_megawatt_by_hand() -> None:
    """Tok/s per MW divide by the power of an accelerator, at utilization 1."""
    quoted = ask(toy(row()), utilization=0.5, kw_basis="utility")
    assert quoted.tokens_per_second_per_megawatt() == pytest.approx(1000 / 2.17 * 1000, rel=1e-12)
    newest = ask(toy(row()))
    assert newest.tokens_per_second_per_megawatt() == pytest.approx(1000 / 1.71 * 1000, rel=1e-12)


def test_month_is_a_date_or_counts_from_start() -> None:
    """Month 0 is the catalog's date, or the start, and a date is that day."""
    catalog = toy(row())
    assert cost(catalog, 0) == cost(catalog, TODAY) == 1.0
    assert cost(catalog, 12) == cost(catalog, date(2027, 11, 22)) < 1.0
    assert cost(catalog, 6, start=date(2026, 11, 30)) == cost(catalog, date(2027, 5, 30))


def test_growth_moves_the_whole_frontier() -> None:
    """F(u, month) is g x F(u / g, catalog's date): speeds grow with throughput."""
    catalog = toy(row(), row(tokens_per_second_per_user=100, tokens_per_second_total=500))
    later = ask(catalog, 24, min_tokens_per_second_per_user=80)
    g = later.factor
    assert 1 < g < 1.3
    now = ask(catalog, 0, min_tokens_per_second_per_user=80 / g)
    assert later.tokens_per_second == pytest.approx(g * now.tokens_per_second, rel=1e-12)
    assert later.speed == pytest.approx(80, rel=1e-12)


def test_software_gain_of_the_user() -> None:
    """The user's gain a month replaces the drift beyond the catalog's date only."""
    catalog = toy(row(date="2026-05-22"))
    none = {"software_gain_per_month": 0}
    assert cost(catalog, 24, **none) == cost(catalog, 0, **none) == cost(catalog, 0)
    assert cost(catalog, -3, **none) == cost(catalog, -3)
    assert cost(catalog, 24, software_gain_per_month=0.1) < cost(catalog, 24)
    assert cost(catalog, 24, scenario="conservative") == cost(catalog, 0)


@pytest.mark.parametrize(
    ("month", "speed", "basis"),
    [
        (0, None, "measured"),
        (0, 75, "interpolated"),
        (-1, None, "carried"),
        (1, None, "projected"),
        (1, 75, "projected"),
    ],
)
def test_basis(month: float, speed: float | None, basis: str) -> None:
    """A figure is measured, interpolated, carried or projected, and says which."""
    catalog = toy(row(), row(tokens_per_second_per_user=100, tokens_per_second_total=500))
    assert ask(catalog, month, min_tokens_per_second_per_user=speed).basis == basis


def test_what_stands_behind_an_interpolation() -> None:
    """Between two rows the older date, the lower grade, both precisions, the longer wait count."""
    slow = row(precision="fp8", date="2026-10-22", seconds_to_first_token=2, evidence="vendor")
    fast = row(tokens_per_second_per_user=100, tokens_per_second_total=500, precision="nvfp4")
    quoted = ask(toy(slow, fast | {"seconds_to_first_token": 1}), min_tokens_per_second_per_user=80)
    assert quoted.reading.interpolated
    assert quoted.evidence_date == date(2026, 10, 22)
    assert quoted.age_months == 1.0
    assert quoted.grade == "vendor"
    assert quoted.precision == "fp8/nvfp4"
    assert quoted.seconds_to_first_token == 2
    assert quoted.rows == 2
    unstated = ask(toy(slow, fast), min_tokens_per_second_per_user=80)
    assert unstated.seconds_to_first_token is None


def test_precision_not_stated() -> None:
    """A row without a precision shows none."""
    assert ask(toy(row(precision=""))).precision == ""


def test_newer_evidence_than_the_catalog_has_no_age() -> None:
    """A user's row of after the catalog's date is 0 months old."""
    assert ask(toy(row(date="2027-06-01")), 24).age_months == 0.0


def test_catalog_assumption() -> None:
    """Rows recorded after the day of the assumption catalog are absent."""
    early = row(recorded="2026-11-22", framework="a", tokens_per_second_total=500)
    late = row(recorded="2026-12-24", framework="b")
    catalog = toy(early, late)
    assert ask(catalog).tokens_per_second == 1000
    assert ask(catalog, catalog=date(2026, 12, 24)).tokens_per_second == 1000
    assert ask(catalog, catalog=date(2026, 12, 23)).tokens_per_second == 500
    with pytest.raises(NotKnown, match="platform"):
        ask(catalog, catalog=date(2026, 11, 21))


def test_withdrawn_rows() -> None:
    """A withdrawn row counts in catalogs of before that day only."""
    gone = row(framework="a", tokens_per_second_total=5000, withdrawn="2026-12-24")
    catalog = toy(gone, row())
    assert ask(catalog).tokens_per_second == 1000
    assert ask(catalog, catalog=date(2026, 12, 23)).tokens_per_second == 5000


def test_as_of_assumption() -> None:
    """What was published after as_of is unknown."""
    catalog = toy(row(framework="a", published="2026-12-24"), row(tokens_per_second_total=500))
    assert ask(catalog, as_of=date(2026, 12, 24)).tokens_per_second == 1000
    assert ask(catalog, as_of=date(2026, 12, 23)).tokens_per_second == 500
    with pytest.raises(NotKnown, match="published by 2026-01-01"):
        ask(catalog, as_of=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("platform", "workload", "told", "reason"),
    [
        ("B20", "toy/batch", {}, "platform 'B20' is not known. Nearest: B200"),
        ("B200", "toy/bach", {}, "workload 'toy/bach' is not known. Nearest: toy/batch"),
        ("Trainium2", "toy/batch", {}, "no usable evidence for Trainium2: .*no public measurement"),
        ("H100", "toy/batch", {}, "no measurement of toy on H100; there are some on B200"),
        (
            "B200",
            "toy/agentic",
            {},
            "toy on B200 with 8192 tokens in and 1024 out; measured shapes: 1024/1024",
        ),
        (
            "B200",
            "toy/batch",
            {"precision": "fp8", "evidence": "measured", "as_of": TODAY},
            r"published by 2026-11-22; known: no precision \(measured\), nvfp4 \(measured\)",
        ),
        (
            "B200",
            "toy/batch",
            {"max_seconds_to_first_token": 2},
            "no row of toy/batch on B200 has its first token within 2 s: none states its wait",
        ),
    ],
)
def test_reasons(platform: str, workload: str, told: dict[str, object], reason: str) -> None:
    """Where nothing is known the message says what is missing and what there is."""
    catalog = overlay(observations=[row(), row(precision="")])
    with pytest.raises(NotKnown, match=reason):
        ask(catalog, 0, workload, platform, **told)


def test_reason_without_a_note() -> None:
    """A platform without evidence and without a note is told in a plain sentence."""
    catalog = overlay(platforms=[{"platform": "Abacus"}])
    with pytest.raises(NotKnown, match=r"no usable evidence for Abacus\.$"):
        ask(catalog, 0, "glm-5/summarize", "Abacus")


def test_reason_of_an_unnamed_precision() -> None:
    """The fastest row is named with its day, also where it states no precision."""
    with pytest.raises(NotKnown, match=r"50 tok/s/user \(2026-11-22, no precision\)"):
        ask(toy(row(precision="")), min_tokens_per_second_per_user=51)


def test_reason_of_an_unsteady_run_under_a_wait_limit() -> None:
    """An unsteady run is the reason also where a wait limit is given that it would keep."""
    unsteady = row(accelerators=1, concurrency=64, seconds_end_to_end=10, seconds_to_first_token=1)
    with pytest.raises(NotKnown, match="steadiness"):
        ask(toy(unsteady), max_seconds_to_first_token=2)


def test_reason_of_a_claim_that_waits_too_long() -> None:
    """A claim that fails the wait limit is told with its wait, as any other row is."""
    catalog = toy(row(evidence="claim", seconds_to_first_token=2))
    with pytest.raises(NotKnown, match="the shortest is 2 s"):
        ask(catalog, scenario="vendor", max_seconds_to_first_token=1)


def test_outside_the_calendar() -> None:
    """A month outside the calendar is outside the domain."""
    with pytest.raises(DomainError, match="1900 to 9998"):
        ask(toy(row()), 1e6)
    with pytest.raises(DomainError, match="1900 to 9998"):
        ask(toy(row()), date(1850, 1, 1))


def many(count: int, **changed: object) -> list[dict[str, object]]:
    """So many rows, none the same configuration."""
    return [row(**{"concurrency": number + 1, **changed}) for number in range(count)]


@pytest.mark.parametrize(("count", "told"), [(1, "1 row"), (9, "9 rows"), (10, None)])
def test_thin_evidence(count: int, told: str | None) -> None:
    """Fewer than ten rows behind an answer are a warning and change no value."""
    quoted = ask(toy(*many(count)))
    thin = [w for w in quoted.warnings() if w.startswith("thin evidence")]
    assert thin == ([f"thin evidence: {told} behind B200 on toy/batch"] if told else [])
    assert quoted.tokens_per_second == 1000


def test_rows_behind_an_answer() -> None:
    """The rows behind an answer obey precision, evidence and wait, but not the speed floor."""
    catalog = toy(
        *many(4, seconds_to_first_token=1),
        *many(3, precision="fp8", seconds_to_first_token=1),
        *many(2, evidence="vendor", framework="b", seconds_to_first_token=9),
    )
    assert ask(catalog).rows == 9
    assert ask(catalog, precision="nvfp4").rows == 6
    assert ask(catalog, evidence="measured").rows == 7
    assert ask(catalog, max_seconds_to_first_token=2).rows == 7
    assert ask(catalog, min_tokens_per_second_per_user=40).rows == 9


@pytest.mark.parametrize(("seen", "old"), [("2025-11-22", False), ("2025-10-22", True)])
def test_old_evidence(seen: str, *, old: bool) -> None:
    """Evidence over a year older than the catalog is a warning."""
    warned = [w for w in ask(toy(row(date=seen))).warnings() if w.startswith("old evidence")]
    expected = (
        f"old evidence: B200 on toy/batch rests on {seen}, 13 months before the catalog's date"
    )
    assert warned == ([expected] if old else [])


@pytest.mark.parametrize(("month", "far"), [(18, False), (19, True), (-24, False), (0, False)])
def test_horizon(month: float, *, far: bool) -> None:
    """A forecast beyond three times the observed span is a warning."""
    catalog = toy(row(date="2026-05-22", framework="a"), row())
    warned = [w for w in ask(catalog, month).warnings() if w.startswith("horizon")]
    assert len(warned) == far
    assert all("6 months" in w and "toy/batch" in w for w in warned)


def test_users_rows_are_told() -> None:
    """A user's observation, and a user's workload, are warnings with file and row."""
    warned = ask(toy(row())).warnings()
    assert any("user's row counts" in w and "observations.csv, row 2" in w for w in warned)
    catalog = overlay(
        workloads=[{"workload": "deepseek-r1/chat", "min_tokens_per_second_per_user": 40}]
    )
    own = ask(catalog, 0, "deepseek-r1/chat")
    assert own.warnings() == ["the workload deepseek-r1/chat is a user's row"]
    assert own.speed == pytest.approx(40)


def test_warnings_of_the_rate() -> None:
    """The rate's warnings come with the others, unless a figure does not use it."""
    told = {"usd_per_accelerator_hour": None, "workload": "deepseek-r1/chat", "platform": "B300"}
    quoted = ask(SHIPPED, date(2026, 5, 1), **told)
    assert any("placeholder" in w for w in quoted.warnings())
    assert not any("placeholder" in w for w in quoted.warnings(with_rate=False))


def test_rate_that_is_not_known_is_a_warning() -> None:
    """Where the catalog has no rate the figures that need none stand, and a warning says so."""
    quoted = ask(
        SHIPPED, 0, "deepseek-r1/chat", usd_per_accelerator_hour=None, rate_basis="on_demand"
    )
    assert quoted.tokens_per_second > 0
    assert any("on_demand" in w for w in quoted.warnings())
    assert not any("on_demand" in w for w in quoted.warnings(with_rate=False))


def test_claims_asked_for_outside_their_scenario() -> None:
    """Evidence down to claims is no use outside scenario vendor, and a warning says so."""
    told = {"evidence": "claim"}
    catalog = toy(row(), row(evidence="claim", tokens_per_second_total=9000))
    for scenario, used in [("base", False), ("conservative", False), ("vendor", True)]:
        quoted = ask(catalog, scenario=scenario, **told)
        assert (quoted.tokens_per_second == 9000) == used
        assert any("none was used" in w for w in quoted.warnings()) != used


@pytest.mark.parametrize(("seen", "limited"), [("2023-06-01", False), ("2023-05-31", True)])
def test_carry_limit_is_told(seen: str, *, limited: bool) -> None:
    """A row that would be carried by more than 1.5x is carried by that, with a warning."""
    # ln 1.5 / ln 1.01 is 40.75 months, that is 81.5 half-months: 81 are 1.4963x, 82 more than 1.5x.
    quoted = ask(holding(observed(date=seen, observation_id="run-1")), date(2026, 10, 20))
    factor = 1.5 if limited else 1.01**40.5
    assert quoted.tokens_per_second == pytest.approx(1000 * factor, rel=1e-9)
    told = [w for w in quoted.warnings() if "carried up by the limit of 1.5x" in w]
    assert bool(told) == limited
    assert all(f"run-1 of {seen}" in w for w in told)


def test_sound_answer_warns_of_nothing() -> None:
    """A figure with enough fresh evidence at a plain rate has no warning."""
    told = {"usd_per_accelerator_hour": None, "workload": "deepseek-r1/chat"}
    assert ask(SHIPPED, 0, **told).warnings() == []


def test_keys_as_typed() -> None:
    """Platforms and workloads are found by alias and in any spelling."""
    told = assume()
    found = quote(SHIPPED, "gb200", 0, "DeepSeek R1 / Chat", told)
    assert found.platform == "GB200 NVL72"
    assert found.workload.key == "deepseek-r1/chat"
    assert found == quote(SHIPPED, "GB200-NVL72", 0, "deepseek_r1/chat", told)


def test_floor_of_the_workload() -> None:
    """The speed floor comes from the shape, until the user gives one."""
    assert ask(SHIPPED, 0, "deepseek-r1/chat").speed == pytest.approx(30)
    told = {"min_tokens_per_second_per_user": 45}
    assert ask(SHIPPED, 0, "deepseek-r1/chat", **told).speed == pytest.approx(45)
    batch = ask(SHIPPED, 0, "deepseek-r1/batch").tokens_per_second
    free = ask(SHIPPED, 0, "deepseek-r1/chat", min_tokens_per_second_per_user=0)
    assert free.tokens_per_second == batch


def test_same_question_same_answer() -> None:
    """The answer does not depend on what was asked before."""
    first = cost(SHIPPED, 7.5, "deepseek-r1/chat")
    for month in (-3, 0, 24, date(2026, 1, 1)):
        cost(SHIPPED, month, "deepseek-r1/summarize", "H200", precision="fp8")
    assert cost(SHIPPED, 7.5, "deepseek-r1/chat") == first
    assert cost(overlay(observations=[row()]), 7.5, "deepseek-r1/chat") == first


@pytest.mark.parametrize(
    ("confidence", "told"), [(0.0, "0"), (-0.5, "-0.5"), (1.0, "1"), (1.5, "1.5"), (1 - 1e-16, "1")]
)
def test_a_confidence_outside_0_and_1_is_told(confidence, told) -> None:
    """A range has a confidence between 0 and 1, both excluded; the sentence has the number."""
    with pytest.raises(DomainError) as refused:
        ask(toy(row())).usd_range(confidence)
    assert str(refused.value) == f"confidence lies between 0 and 1; it is {told}."


def test_a_range_too_far_from_the_evidence_names_the_day() -> None:
    """Where a range overflows, the sentence has the day asked for."""
    far = ask(toy(row()), date(9998, 1, 1))
    with pytest.raises(DomainError) as refused:
        far.usd_range(0.8)
    assert str(refused.value) == "the month 9998-01-01 lies too far from the evidence for a range."
