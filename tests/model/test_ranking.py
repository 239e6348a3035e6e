from datetime import date

import pytest
from model_tools import RATE, assume, overlay, row, toy

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.economics.domain import DomainError
from xltoken.model.assumptions import InputError
from xltoken.model.forecast import quote
from xltoken.model.ranking import Standing, ranking

SHIPPED = store.load()
WORKLOADS = ["deepseek-r1/chat", "deepseek-r1/agentic", "glm-5/summarize", "gpt-oss-120b/batch"]


def places(standings: list[Standing]) -> list[tuple[int | None, str]]:
    """Rank and platform."""
    return [(s.rank, s.platform) for s in standings]


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("month", [date(2026, 5, 25), 0, 24])
def test_order(workload: str, month: date | float) -> None:
    """Every platform stands once, cheapest first, and those without a cost last with a reason."""
    found = ranking(SHIPPED, month, workload, assume())
    assert sorted(s.platform for s in found) == sorted(SHIPPED.platforms)
    ranked = [s for s in found if s.rank is not None]
    assert ranked == found[: len(ranked)]
    assert [s.rank for s in ranked] == list(range(1, len(ranked) + 1))
    costs = [s.usd_per_million_tokens for s in ranked]
    assert costs == sorted(costs)
    assert len(ranked) >= 3
    for last in found[len(ranked) :]:
        assert last.usd_per_million_tokens is last.ratio is last.quote is None
        assert last.evidence_date is last.tokens_per_second_per_megawatt is None
        assert last.reason


@pytest.mark.parametrize("workload", WORKLOADS)
def test_each_is_its_own_quote(workload: str) -> None:
    """A platform costs in the ranking what it costs alone, and ratios are to the cheapest."""
    found = [s for s in ranking(SHIPPED, 0, workload, assume()) if s.rank]
    for standing in found:
        alone = quote(SHIPPED, standing.platform, 0, workload, assume())
        assert standing.usd_per_million_tokens == alone.usd_per_million_tokens()
        assert standing.evidence_date == alone.evidence_date
        assert standing.reason == ""
    cheapest = found[0].usd_per_million_tokens
    assert found[0].ratio == 1.0
    for standing in found:
        assert standing.ratio * cheapest == pytest.approx(standing.usd_per_million_tokens)


def test_by_hand() -> None:
    """Three toy platforms stand in the order of rate over throughput."""
    catalog = toy(
        row(platform="B200", tokens_per_second_total=1000),
        row(platform="H100", tokens_per_second_total=4000),
        row(platform="H200", tokens_per_second_total=500),
    )
    found = ranking(
        catalog, 0, "toy/batch", assume(usd_per_accelerator_hour=RATE, tokens_counted="total")
    )
    assert places(found[:3]) == [(1, "H100"), (2, "B200"), (3, "H200")]
    assert [s.usd_per_million_tokens for s in found[:3]] == pytest.approx([0.25, 1.0, 2.0])
    assert [s.ratio for s in found[:3]] == pytest.approx([1, 4, 8])
    assert found[0].tokens_per_second_per_megawatt == pytest.approx(4000 / 1.37 * 1000)


def test_equal_costs_keep_the_catalogs_order() -> None:
    """Platforms of equal cost stand in the order of the catalog."""
    catalog = toy(*[row(platform=p) for p in ("MI355X", "B200", "H100", "H200")])
    found = ranking(catalog, 0, "toy/batch", assume(usd_per_accelerator_hour=RATE))
    assert [s.platform for s in found[:4]] == ["H100", "H200", "B200", "MI355X"]
    assert [s.ratio for s in found[:4]] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("platform", "told", "reason"),
    [
        ("Trainium2", {}, "no usable evidence"),
        ("H100", {"min_tokens_per_second_per_user": 200}, "200 tok/s/user is out of reach"),
        ("B200", {"rate_basis": "on_demand"}, "no rate of basis on_demand"),
        ("H100", {"precision": "nvfp4"}, "precision nvfp4"),
    ],
)
def test_reasons(platform: str, told: dict[str, object], reason: str) -> None:
    """A platform without a cost says why, also where only its rate is missing."""
    found = ranking(SHIPPED, 0, "deepseek-r1/chat", assume(**told))
    standing = next(s for s in found if s.platform == platform)
    assert standing.rank is None
    assert reason in standing.reason


def test_nobody_reaches_it() -> None:
    """A limit that no platform reaches leaves a table of the same size without ranks."""
    told = assume(min_tokens_per_second_per_user=1e6)
    found = ranking(SHIPPED, 0, "deepseek-r1/chat", told)
    assert len(found) == len(SHIPPED.platforms)
    assert {s.rank for s in found} == {None}


def test_listed_platforms() -> None:
    """The assumption platforms says who competes, by any name, each once."""
    told = assume(platforms="gb200, H100 SXM,, gb200-nvl72 ,B200")
    found = ranking(SHIPPED, 0, "deepseek-r1/chat", told)
    assert sorted(s.platform for s in found) == ["B200", "GB200 NVL72", "H100"]


def test_listed_platforms_must_exist() -> None:
    """An unknown platform in the list is told, not left out."""
    with pytest.raises(NotKnown, match="platform 'B2000' is not known"):
        ranking(SHIPPED, 0, "deepseek-r1/chat", assume(platforms="H100,B2000"))


@pytest.mark.parametrize("listed", ["", " , ", ","])
def test_empty_list(listed: str) -> None:
    """A list that names nobody is a mistake."""
    with pytest.raises(InputError, match="it names none"):
        ranking(SHIPPED, 0, "deepseek-r1/chat", assume(platforms=listed))


def test_unknown_workload() -> None:
    """An unknown workload fails as a whole, with the nearest names."""
    with pytest.raises(NotKnown, match=r"workload 'deepseek-r1/chatt'.*deepseek-r1/chat"):
        ranking(SHIPPED, 0, "deepseek-r1/chatt", assume())


def test_month_outside_the_calendar() -> None:
    """A month outside the calendar is no property of a platform and fails as a whole."""
    with pytest.raises(DomainError):
        ranking(SHIPPED, 1e6, "deepseek-r1/chat", assume())


def test_power_not_known() -> None:
    """A platform with a cost but without a known power is ranked and has no tok/s per MW."""
    catalog = toy(row(platform="Vera Rubin NVL72"))
    (standing,) = ranking(catalog, 0, "toy/batch", assume(platforms="Vera Rubin"))
    assert standing.rank == 1
    assert standing.tokens_per_second_per_megawatt is None


def test_catalog_assumption_cuts_the_table() -> None:
    """Platforms recorded after the day of the assumption catalog are absent."""
    catalog = overlay(platforms=[{"platform": "Abacus", "recorded": "2026-12-24"}])
    told = {"workload": "deepseek-r1/chat", "month": 0}
    names = [s.platform for s in ranking(catalog, assumptions=assume(), **told)]
    assert "Abacus" in names
    cut = assume(catalog=date(2026, 12, 23))
    assert [s.platform for s in ranking(catalog, assumptions=cut, **told)] == names[:-1]
