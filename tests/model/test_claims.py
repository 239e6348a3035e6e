"""Headline figures made again: the reproduction, the variants, and the conditions told."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest
from model_tools import overlay

import xltoken
from xltoken import TOKEN_COST, TOKENS_PER_MEGAWATT
from xltoken.catalog import store
from xltoken.catalog.records import CLAIM_INPUTS, Claim, Origin
from xltoken.catalog.records import parse as parse_row
from xltoken.economics.domain import DomainError
from xltoken.model.assumptions import parse
from xltoken.model.claims import LONGER_MONTHS, NOT_STATED, SPEEDS, conditions, judged, reproduced
from xltoken.model.forecast import quote
from xltoken.model.index import software_index

CATALOG = store.load()
with (Path(xltoken.__file__).parent / "catalog/data/claims.csv").open(encoding="utf-8") as _file:
    ROWS = {row["claim"]: row for row in csv.DictReader(_file)}
JUDGED = {found.claim.claim: found for found in judged(CATALOG)}
TEXT = {"claim", "headline", "kind", "unit", "date", "platform", "model", "tokens_counted",
        "base_platform", "evidence", "conditions", "assessment", "source_id", "recorded",
        "withdrawn"}  # fmt: skip


def figures(claim):
    """Numbers of a claim, read off claims.csv without the package."""
    return {k: float(v) for k, v in ROWS[claim].items() if v and k not in TEXT}


def variant(claim, **wanted):
    """The one variant of a claim under these conditions and no further ones."""
    found = [v for v in JUDGED[claim].variants if {**v.conditions, **wanted} == dict(v.conditions)]
    assert len(found) == 1, [dict(v.conditions) for v in JUDGED[claim].variants]
    return found[0]


def mine(**cells):
    """A catalog with one claim of a user's more; gives what becomes of it."""
    row = {
        "claim": "mine", "headline": "My claim", "kind": "unit_cost", "published_value": 1,
        "unit": "USD", "date": "2026-01-01", "platform": "B200", "model": "deepseek-r1",
        "tokens_in": 1024, "tokens_out": 1024, "tokens_per_second": 100,
        "usd_per_accelerator_hour": 3.6, **cells,
    }  # fmt: skip
    catalog = overlay(claims=[row])
    [claim] = [c for c in catalog.claims if c.claim == "mine"]
    return replace(catalog, claims=(claim,), memo={}, _cuts={})


# --- the headlines -------------------------------------------------------------------------------


def test_every_claim_is_judged_and_every_kind_is_there():
    """Each claim of the catalog is made again, and each kind of claim occurs."""
    assert list(JUDGED) == [row["claim"] for row in ROWS.values() if not row["withdrawn"]]
    assert {found.claim.kind for found in JUDGED.values()} == set(CLAIM_INPUTS)


@pytest.mark.parametrize(
    ("claim", "headline", "within"),
    [
        ("b200-two-cents", 0.02, 0.05),
        ("b200-five-times", 5.0, 1e-12),
        ("gb200-75-million", 75e6, 0.02),
        ("gb200-15-times", 15.0, 0.02),
        ("gb300-35-times", 35.5, 0.02),
        ("gb300-50-times", 51.9, 0.02),
    ],
)
def test_a_headline_comes_out_of_its_own_inputs(claim, headline, within):
    """The headline follows from the claim's numbers, by our formula and by hand."""
    row = figures(claim)
    speed, rate = row["tokens_per_second"], row["usd_per_accelerator_hour"]
    by_hand = {
        "unit_cost": lambda: rate / (speed * 0.0036),
        "cost_ratio": lambda: (
            row["base_usd_per_accelerator_hour"] / row["base_tokens_per_second"] / (rate / speed)
        ),
        "tokens_per_megawatt_ratio": lambda: (
            speed / row["kw_per_accelerator"]
            / (row["base_tokens_per_second"] / row["base_kw_per_accelerator"])
        ),
        "revenue": lambda: (
            speed * row["accelerators"] * 3600 * 730 * row["months"] / 1e6
            * row["usd_per_million_tokens"]
        ),
        "revenue_multiple": lambda: (
            speed * row["accelerators"] * 3600 * 730 * row["months"] / 1e6
            * row["usd_per_million_tokens"] / row["investment"]
        ),
    }[ROWS[claim]["kind"]]()  # fmt: skip
    found = JUDGED[claim].reproduced
    assert found == pytest.approx(by_hand, rel=1e-12)
    assert found == pytest.approx(headline, rel=within)


def test_a_published_figure_is_an_input_and_never_the_answer():
    """What a claim published is not used to make it again."""
    for found in JUDGED.values():
        twice = replace(found.claim, published_value=2 * found.claim.published_value)
        assert reproduced(twice) == found.reproduced


@pytest.mark.parametrize("claim", list(ROWS))
def test_every_claim_states_its_conditions(claim):
    """Model, shape, speed or "not stated", rate, grade, source with url, and words on it."""
    found = JUDGED[claim].claim
    told = conditions(found)
    assert told["model"] == ROWS[claim]["model"]
    assert told["platform"] == ROWS[claim]["platform"]
    assert told["shape"] == f"{figures(claim)['tokens_in']:g}/{figures(claim)['tokens_out']:g}"
    stated = figures(claim).get("tokens_per_second_per_user", NOT_STATED)
    assert told["tokens_per_second_per_user"] == stated
    assert told["usd_per_accelerator_hour"] == figures(claim)["usd_per_accelerator_hour"]
    assert told["utilization"] == 1.0
    assert told["text"] == ROWS[claim]["conditions"] != ""
    assert found.assessment.endswith(".")
    assert found.evidence in ("vendor", "claim")
    assert CATALOG.sources[found.source_id].url.startswith("http")
    for name, value in figures(claim).items():
        if name not in ("published_value", "tokens_in", "tokens_out"):
            assert told[name] == value
    assert all(value not in (None, "") for value in told.values())


def test_a_shape_may_be_not_stated():
    """A claim without token counts says so."""
    claim = replace(JUDGED["gb200-15-times"].claim, tokens_in=None, tokens_out=None)
    assert conditions(claim)["shape"] == NOT_STATED


# --- variants ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utilization", "decline", "multiple"), [(0.5, 0.5, 3.15), (0.5, 0.9, 1.08), (0.3, 0.9, 0.65)]
)
def test_fifteen_times_under_utilization_and_a_falling_price(utilization, decline, multiple):
    """Month t at (1 - decline)^((t - 1/2)/12), by hand over 36 months, for both headlines."""
    row = figures("gb200-15-times")
    tokens = row["tokens_per_second"] * row["accelerators"] * 3600 * 730 / 1e6
    falling = sum((1 - decline) ** ((month - 0.5) / 12) for month in range(1, 37))
    by_hand = tokens * utilization * row["usd_per_million_tokens"] * falling
    under = {"utilization": utilization, "price_decline": decline, "timing": "mid"}
    revenue = variant("gb200-75-million", **under).value
    assert revenue == pytest.approx(by_hand, rel=1e-12)
    found = variant("gb200-15-times", **under).value
    assert found == pytest.approx(by_hand / row["investment"], rel=1e-12)
    assert found == pytest.approx(multiple, rel=0.01)


def test_sixty_months_flat_are_twenty_five_times():
    """Five years instead of three, the price flat: 25x."""
    found = variant("gb200-15-times", months=LONGER_MONTHS, price_decline=0.0).value
    assert found == pytest.approx(25.0, rel=0.01)
    assert found == pytest.approx(JUDGED["gb200-15-times"].reproduced * 60 / 36, rel=1e-12)


def test_the_slowest_fall_of_prices_in_the_literature_is_a_variant():
    """The low prior of the price's fall, times a year, is told with what the multiple becomes."""
    slowest = CATALOG.prior("price_factor_per_year_low")
    found = variant("gb200-15-times", pace=f"{slowest:g} times a year")
    assert found.conditions["price_decline"] == pytest.approx(1 - 1 / slowest)
    falling = sum(slowest ** -((month - 0.5) / 12) for month in range(1, 37)) / 36
    assert found.value == pytest.approx(JUDGED["gb200-15-times"].reproduced * falling, rel=1e-12)
    without = judged(replace(CATALOG, priors={}, memo={}, _cuts={}))
    multiple = next(j for j in without if j.claim.claim == "gb200-15-times")
    assert len(multiple.variants) == len(JUDGED["gb200-15-times"].variants) - 1


def test_two_cents_under_other_utilization_rates_and_counts():
    """The unit cost is inverse to utilization, proportional to the rate, and halves in total."""
    two_cents, row = JUDGED["b200-two-cents"].reproduced, figures("b200-two-cents")
    for used in (0.5, 0.3):
        found = variant("b200-two-cents", utilization=used).value
        assert found == pytest.approx(two_cents / used, rel=1e-12)
    total = variant("b200-two-cents", tokens_counted="total")
    assert dict(total.conditions) == {"tokens_counted": "total"}
    assert total.value == pytest.approx(two_cents / 2, rel=1e-12)
    for basis, rate in (("own_hyperscaler", 1.73), ("own_neocloud", 2.07), ("rental_3yr", 2.6)):
        found = variant("b200-two-cents", rate_basis=basis)
        assert found.conditions["usd_per_accelerator_hour"] == rate
        by_hand = two_cents * rate / row["usd_per_accelerator_hour"]
        assert found.value == pytest.approx(by_hand, rel=1e-12)


def test_five_times_becomes_the_measured_drift():
    """On one and the same accelerator two months of measured drift stand against the claim."""
    [found] = JUDGED["b200-five-times"].variants
    assert found.value == pytest.approx(math.exp(software_index(CATALOG, None).drift * 2))
    assert 1.0 < found.value < 1.1


@pytest.mark.parametrize("basis", ["own_hyperscaler", "own_neocloud", "rental_3yr"])
def test_thirty_five_times_on_the_rates_of_today(basis):
    """The ratio at today's rates of both platforms, on one basis."""
    rates = {
        name: max(
            (r for r in CATALOG.rates_of(name) if r.basis == basis), key=lambda r: r.valid_from
        )
        for name in ("GB300 NVL72", "H200")
    }
    ours, base = (rates[name].usd_per_accelerator_hour for name in rates)
    found = variant("gb300-35-times", rate_basis=basis)
    assert found.conditions["usd_per_accelerator_hour"] == ours
    assert found.conditions["base_usd_per_accelerator_hour"] == base
    assert found.value == pytest.approx(base / 90 / (ours / 6000), rel=1e-12)


def test_fifty_times_on_one_basis_of_power():
    """The ratio on the catalog's kW of both platforms, on one basis for both."""
    for basis, ours, base in (("utility", 2.1, 1.73), ("chip_and_host", 2.12, 1.37)):
        found = variant("gb300-50-times", kw_basis=basis)
        assert found.value == pytest.approx(6000 / ours / (90 / base), rel=1e-12)
        assert found.conditions["kw_per_accelerator"] == ours
        assert found.conditions["base_kw_per_accelerator"] == base


@pytest.mark.parametrize("speed", SPEEDS)
def test_measured_evidence_at_a_speed_is_that_of_the_worksheet(speed):
    """What the evidence makes of a claim is what TOKEN_COST and TOKENS_PER_MEGAWATT answer."""
    chosen = [["tokens_counted", "total"], ["min_tokens_per_second_per_user", speed]]
    asked = (0, "deepseek-r1/summarize", chosen)
    ratio = TOKEN_COST("H200", *asked) / TOKEN_COST("GB300 NVL72", *asked)
    found = variant("gb300-35-times", tokens_per_second_per_user=speed)
    assert found.value == pytest.approx(ratio, rel=1e-12)
    power = TOKENS_PER_MEGAWATT("GB300 NVL72", *asked) / TOKENS_PER_MEGAWATT("H200", *asked)
    found = variant("gb300-50-times", tokens_per_second_per_user=speed)
    assert found.value == pytest.approx(power, rel=1e-12)
    revenue = variant("gb200-75-million", tokens_per_second_per_user=speed).value
    per_month = xltoken.TOKEN_CAPACITY("GB200 NVL72", asked[0], asked[1], 72, chosen)
    assert revenue == pytest.approx(per_month * 36 * 1.1, rel=1e-12)


def test_thin_evidence_behind_a_variant_is_told():
    """A variant on thin evidence carries the warning of the cost itself."""
    found = variant("b200-two-cents", evidence="catalog", tokens_per_second_per_user="any")
    assert found.value == TOKEN_COST("B200", 0, "gpt-oss-120b/batch")
    assert any(told.startswith("thin evidence: 2 rows") for told in found.warnings)


def test_a_variant_without_a_value_has_a_reason():
    """What the evidence cannot answer has no value and a sentence; everything else has a value."""
    missing = [v for found in JUDGED.values() for v in found.variants if v.value is None]
    assert missing
    for found in JUDGED.values():
        for v in found.variants:
            assert (v.value is None) == bool(v.reason)
            assert v.value is None or (math.isfinite(v.value) and v.value > 0)
            assert not v.reason or (v.reason.endswith(".") and len(v.reason.split()) > 4)


# --- a user's claims -----------------------------------------------------------------------------


def test_a_users_claim_is_made_again():
    """A claim of claims.csv in an overlay stands beside the shipped ones."""
    [found] = judged(mine())
    assert found.reproduced == pytest.approx(10.0, rel=1e-12)
    assert len(found.variants) > 5


@pytest.mark.parametrize(
    ("kind", "missing"), [(kind, name) for kind, names in CLAIM_INPUTS.items() for name in names]
)
def test_a_missing_input_is_a_problem_of_its_row(kind, missing):
    """A claim that lacks what its kind is made of is refused where it is read, column and row."""
    [shipped] = [row for row in ROWS.values() if row["kind"] == kind][-1:]
    origin = Origin("claims.csv", 7, user=True)
    found, problems = parse_row(Claim, shipped, origin)
    assert found is not None, problems
    found, problems = parse_row(Claim, {**shipped, missing: ""}, origin)
    assert found is None
    assert [(p.row, p.column) for p in problems] == [(7, missing)]
    assert str(problems[0]).startswith(f"claims.csv, row 7, {missing}: is blank")


def test_power_that_is_not_known_is_a_reason():
    """A platform without a power on a basis has a reason in the place of the ratio."""
    [found] = judged(
        mine(
            kind="tokens_per_megawatt_ratio", platform="Vera Rubin NVL72", kw_per_accelerator=2,
            base_platform="H200", base_tokens_per_second=10, base_kw_per_accelerator=1,
        )
    )  # fmt: skip
    assert found.reproduced == pytest.approx(5.0)
    assert all(v.value is None and v.reason for v in found.variants)
    assert "no power of Vera Rubin NVL72 on the basis utility" in found.variants[0].reason


def test_a_ratio_of_unlike_token_counts_has_reasons():
    """Where no shape has the claim's token counts the evidence gives reasons, not values."""
    [found] = judged(
        mine(
            kind="cost_ratio", base_platform="H200", base_tokens_per_second=10,
            base_usd_per_accelerator_hour=1, tokens_in=777, tokens_out=3,
        )
    )  # fmt: skip
    held = [v for v in found.variants if v.conditions.get("evidence") == "catalog"]
    assert len(held) == len(SPEEDS)
    assert all(v.value is None and "777" in v.reason for v in held)


def test_a_shape_not_stated_is_said_so_in_the_reason():
    """A claim that states no shape cannot be held against evidence, and the reason says that."""
    [found] = judged(
        mine(
            kind="cost_ratio", base_platform="H200", base_tokens_per_second=10,
            base_usd_per_accelerator_hour=1, tokens_in="", tokens_out="",
        )
    )  # fmt: skip
    assert not any("None" in v.reason for v in found.variants)


def test_a_ratio_never_mixes_two_bases():
    """One more basis for one of two platforms leaves every ratio on one basis for both."""
    rate = {
        "platform": "GB300 NVL72", "basis": "on_demand", "valid_from": "2026-09-01",
        "usd_per_accelerator_hour": 9,
    }  # fmt: skip
    ratio = next(j for j in judged(overlay(rates=[rate])) if j.claim.claim == "gb300-35-times")
    found = {
        v.conditions["rate_basis"]: v.conditions["base_usd_per_accelerator_hour"]
        for v in ratio.variants
        if "rate_basis" in v.conditions and v.value is not None
    }
    assert found == {"own_hyperscaler": 1.22, "own_neocloud": 1.59, "rental_3yr": 2.05}


def test_a_rate_of_a_variant_is_the_rate_of_a_cost():
    """A user's rate stands in a variant as it stands behind TOKEN_COST: it wins, old or new."""
    rate = {
        "platform": "B200", "basis": "own_hyperscaler", "valid_from": "2024-06-01",
        "usd_per_accelerator_hour": 9,
    }  # fmt: skip
    catalog = overlay(rates=[rate])
    cents = next(j for j in judged(catalog) if j.claim.claim == "b200-two-cents")
    found = next(v for v in cents.variants if v.conditions.get("rate_basis") == "own_hyperscaler")
    cost = quote(catalog, "B200", 0, "gpt-oss-120b/batch", parse([]))
    assert found.conditions["usd_per_accelerator_hour"] == cost.rate().usd_per_accelerator_hour == 9


def test_a_rate_of_the_catalogs_date_is_one_valid_then():
    """A variant dated with the catalog uses the rate valid on that day, not a later one."""
    rate = {
        "platform": "B200", "basis": "own_hyperscaler", "valid_from": "2027-06-01",
        "usd_per_accelerator_hour": 9,
    }  # fmt: skip
    cents = next(j for j in judged(overlay(rates=[rate])) if j.claim.claim == "b200-two-cents")
    found = next(v for v in cents.variants if v.conditions.get("rate_basis") == "own_hyperscaler")
    assert found.conditions["usd_per_accelerator_hour"] == 1.73


def refused(**cells):
    """Problems for which a catalog with this claim of a user's is refused."""
    with pytest.raises(AssertionError) as failed:
        mine(**cells)
    return failed.value.args[0]


@pytest.mark.parametrize("name", ["platform", "base_platform"])
def test_an_unknown_platform_of_a_claim_is_told_with_its_row(name):
    """A claim on, or against, a platform that no file has is refused with row, column and nearest."""
    given = {"kind": "cost_ratio", "base_platform": "H200", "base_tokens_per_second": 1,
             "base_usd_per_accelerator_hour": 1}  # fmt: skip
    told = refused(**{**given, name: "B2000"})
    assert "row=2" in str(told)
    assert f"column='{name}'" in str(told)
    assert "Nearest: B200" in str(told)


def test_the_same_platform_twice_needs_its_months():
    """A platform against itself is a change in time: without the months the row is refused."""
    given = {"kind": "cost_ratio", "platform": "b200", "base_platform": "B200",
             "base_tokens_per_second": 1, "base_usd_per_accelerator_hour": 1}  # fmt: skip
    assert "over how many months" in str(refused(**given))
    [found] = judged(mine(months=2, **given))
    assert [v.conditions["months"] for v in found.variants] == [2]


def test_a_claim_may_name_a_platform_by_its_alias():
    """gb300 and GB300 NVL72 are one platform in a claim too."""
    given = {
        "kind": "tokens_per_megawatt_ratio", "kw_per_accelerator": 2, "base_platform": "H200",
        "base_tokens_per_second": 10, "base_kw_per_accelerator": 1, "tokens_in": 8192,
    }  # fmt: skip
    [alias] = judged(mine(platform="gb300", **given))
    [key] = judged(mine(platform="GB300 NVL72", **given))
    assert [v.value for v in alias.variants] == [v.value for v in key.variants]


def test_part_of_a_month_is_refused():
    """Months are whole: part of one is refused, so that those told are those counted."""
    given = {"kind": "revenue", "accelerators": 8, "usd_per_million_tokens": 1, "investment": 1}
    assert "whole number of months" in str(refused(months=36.9, **given))


def test_a_figure_beyond_every_number_is_refused():
    """A claim whose inputs give no finite figure is named with file and row."""
    with pytest.raises(DomainError, match=r"claims.csv, row 2: claim mine gives no figure"):
        judged(mine(tokens_per_second="1e-320"))
