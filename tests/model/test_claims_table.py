"""Every variant of every claim, conditions and values complete: the shipped ones, and toys."""

import functools
from dataclasses import replace
from datetime import date

import pytest
from model_tools import TODAY, overlay, row, toy

from xltoken.catalog import records, store
from xltoken.catalog.records import Claim, Origin
from xltoken.model.claims import conditions, judged

SPEEDS = (25.0, 40.0, 50.0, 75.0, 100.0, 116.0)
SHIPPED = date(2026, 11, 22)
# Each month of 36 at its middle: what is left of a flat sum under a yearly factor.
LEFT = {
    factor: sum(factor ** ((t - 0.5) / 12) for t in range(1, 37)) / 36 for factor in (0.5, 0.1, 1 / 9)
}  # fmt: skip
MILLIONS = 10_000 * 72 * 3600 * 730 / 1e6 * 36  # tokens of 72 accelerators in 36 months
CLAIMED = {
    "b200-two-cents": {
        "date": date(2025, 10, 9), "platform": "B200", "model": "gpt-oss-120b",
        "shape": "1000/1000", "tokens_counted": "output",
        "tokens_per_second_per_user": "not stated", "utilization": 1.0,
        "tokens_per_second": 25943.0, "usd_per_accelerator_hour": 1.95,
    },
    "b200-five-times": {
        "date": date(2025, 10, 9), "platform": "B200", "model": "gpt-oss-120b",
        "shape": "1024/1024", "tokens_counted": "output", "tokens_per_second_per_user": 100.0,
        "utilization": 1.0, "tokens_per_second": 30000.0, "usd_per_accelerator_hour": 2.34,
        "months": 2.0, "base_platform": "B200", "base_tokens_per_second": 6000.0,
        "base_usd_per_accelerator_hour": 2.34,
    },
    "gb200-75-million": {
        "date": date(2025, 10, 9), "platform": "GB200 NVL72", "model": "deepseek-r1",
        "shape": "8192/1024", "tokens_counted": "total", "tokens_per_second_per_user": 50.0,
        "utilization": 1.0, "tokens_per_second": 10000.0, "usd_per_accelerator_hour": 2.64,
        "accelerators": 72.0, "months": 36.0, "usd_per_million_tokens": 1.1,
        "investment": 5000000.0,
    },
    "gb300-35-times": {
        "date": date(2026, 4, 15), "platform": "GB300 NVL72", "model": "deepseek-r1",
        "shape": "8192/1024", "tokens_counted": "total",
        "tokens_per_second_per_user": "not stated", "utilization": 1.0,
        "tokens_per_second": 6000.0, "usd_per_accelerator_hour": 2.65, "kw_per_accelerator": 2.14,
        "base_platform": "H200", "base_tokens_per_second": 90.0,
        "base_usd_per_accelerator_hour": 1.41, "base_kw_per_accelerator": 1.67,
    },
}  # fmt: skip
CLAIMED["gb200-15-times"] = CLAIMED["gb200-75-million"]
CLAIMED["gb300-50-times"] = CLAIMED["gb300-35-times"] | {"date": date(2026, 2, 16)}
THIN = ("thin evidence: 2 rows behind B200 on gpt-oss-120b/batch",)
UNSTEADY = ("the run ix-dsr1-0534 was not steady",)


def held(counted, speed, value, reason="", warnings=()):
    """A variant on the catalog's evidence at a speed per user."""
    told = {
        "evidence": "catalog",
        "date": SHIPPED,
        "tokens_counted": counted,
        "tokens_per_second_per_user": speed,
    }
    return told, value, reason, warnings


def rated(basis, value, rate, **base):
    """A variant on the rates of the catalog's date."""
    told = {"rate_basis": basis, "usd_per_accelerator_hour": rate, **base, "date": SHIPPED}
    return told, value, "", ()


def powered(basis, value, power, base):
    """A variant on one basis of power."""
    told = {"kw_basis": basis, "date": SHIPPED}
    told |= {"kw_per_accelerator": power, "base_kw_per_accelerator": base}
    return told, value, "", ()


def other(value, **told):
    """A variant of these conditions."""
    return told, value, "", ()


def sold(scale, *measured):
    """Variants of a revenue: USD at 1.1 a million, over `scale`, and on measured evidence."""
    whole = MILLIONS * 1.1 / scale
    return [
        other(whole * 0.5 * LEFT[0.5], utilization=0.5, price_decline=0.5, timing="mid"),
        other(whole * 0.5 * LEFT[0.1], utilization=0.5, price_decline=0.9, timing="mid"),
        other(whole * 0.3 * LEFT[0.1], utilization=0.3, price_decline=0.9, timing="mid"),
        other(whole * LEFT[1 / 9], price_decline=8 / 9, timing="mid", pace="9 times a year"),
        other(whole * 60 / 36, months=60, price_decline=0.0),
        *[
            held("total", speed, tokens_per_second / 10_000 * whole)
            for speed, tokens_per_second in zip(("any", *SPEEDS), measured, strict=True)
        ],
    ]


NO_SPEED = (
    "no row of gpt-oss-120b/batch on B200 states a speed per user, so none can promise {:g} "
    "tok/s/user; a workload without a speed floor (batch) is answered."
)
# tok/s per GB200 on deepseek-r1 at 8192/1024, total tokens: any speed, then each of SPEEDS.
GB200 = (17753.185, 17753.185, 12309.484, 11882.587, 10364.076, 1904.1905, 1871.2769)
TABLE = {
    "b200-two-cents": (
        1.95 / (25943 * 0.0036),
        [
            other(1.95 / (25943 * 0.0036) / 0.5, utilization=0.5),
            other(1.95 / (25943 * 0.0036) / 0.3, utilization=0.3),
            rated("own_hyperscaler", 1.73 / (25943 * 0.0036), 1.73),
            rated("own_neocloud", 2.07 / (25943 * 0.0036), 2.07),
            rated("rental_3yr", 2.6 / (25943 * 0.0036), 2.6),
            other(1.95 / (25943 * 0.0036) / 2, tokens_counted="total"),
            held("output", "any", 0.0166858749, "", THIN),
            *[held("output", speed, None, NO_SPEED.format(speed)) for speed in SPEEDS],
        ],
    ),
    "b200-five-times": (
        5.0,
        [other(1.04436788, months=2.0, evidence="measured drift of fixed configurations")],
    ),
    "gb200-75-million": (MILLIONS * 1.1, sold(1.0, *GB200)),
    "gb200-15-times": (MILLIONS * 1.1 / 5e6, sold(5e6, *GB200)),
    "gb300-35-times": (
        (1.41 / 90) / (2.65 / 6000),
        [
            rated("own_hyperscaler", (1.22 / 90) / (2.31 / 6000), 2.31, base_usd_per_accelerator_hour=1.22),
            rated("own_neocloud", (1.59 / 90) / (2.79 / 6000), 2.79, base_usd_per_accelerator_hour=1.59),
            rated("rental_3yr", (2.05 / 90) / (3.3 / 6000), 3.3, base_usd_per_accelerator_hour=2.05),
            held("total", 25.0, 3.74415370),
            held("total", 40.0, 3.93572627),
            held("total", 50.0, 4.36265487),
            held("total", 75.0, 11.5535532),
            held("total", 100.0, 2.21269860, "", UNSTEADY),
            held("total", 116.0, 1.81370803, "", UNSTEADY),
        ],
    ),
    "gb300-50-times": (
        (6000 / 2.14) / (90 / 1.67),
        [
            powered("utility", (6000 / 2.1) / (90 / 1.73), 2.1, 1.73),
            powered("chip_and_host", (6000 / 2.12) / (90 / 1.37), 2.12, 1.37),
            held("total", 25.0, 4.58131891),
            held("total", 40.0, 4.81572569),
            held("total", 50.0, 5.33811238),
            held("total", 75.0, 14.1368427),
            held("total", 100.0, 2.70744171, "", UNSTEADY),
            held("total", 116.0, 2.21923980, "", UNSTEADY),
        ],
    ),
}  # fmt: skip


def compare(found, expected, rel):
    """Conditions, values, reasons and warnings, every one and nothing else, in order."""
    assert len(found) == len(expected)
    for variant, (told, value, reason, warnings) in zip(found, expected, strict=True):
        assert list(variant.conditions) == list(told)
        for name, condition in told.items():
            assert variant.conditions[name] == (
                pytest.approx(condition, rel=1e-12) if isinstance(condition, float) else condition
            )
        assert variant.value == (value if value is None else pytest.approx(value, rel=rel)), told
        assert variant.reason == reason
        assert variant.warnings == warnings


@pytest.mark.parametrize("claim", TABLE)
def test_every_variant_of_a_shipped_claim(claim):
    """A claim's figure and its variants are this table: all keys, values, reasons and warnings."""
    catalog = replace(store.load(), memo={}, _cuts={})
    every = {found.claim.claim: found for found in judged(catalog)}
    assert list(every) == list(TABLE)
    reproduced, variants = TABLE[claim]
    assert every[claim].reproduced == pytest.approx(reproduced, rel=1e-12)
    compare(every[claim].variants, variants, 1e-6)


@pytest.mark.parametrize("claim", TABLE)
def test_conditions_of_a_shipped_claim(claim):
    """What a claim was made under is told whole and in order, its own words last."""
    [found] = [c for c in store.load().claims if c.claim == claim]
    told = conditions(found)
    assert told == CLAIMED[claim] | {"text": found.conditions}
    assert list(told) == [*CLAIMED[claim], "text"]


# --- toys ----------------------------------------------------------------------------------------

INPUTS = {
    "unit_cost": {},
    "cost_ratio": {
        "base_platform": "H200", "base_tokens_per_second": 200, "base_usd_per_accelerator_hour": 2,
    },
    "tokens_per_megawatt_ratio": {
        "kw_per_accelerator": 2, "base_platform": "H200", "base_tokens_per_second": 200,
        "base_kw_per_accelerator": 1,
    },
    "revenue": {"accelerators": 8, "months": 12, "usd_per_million_tokens": 2, "investment": 1000},
}  # fmt: skip
INPUTS["revenue_multiple"] = INPUTS["revenue"]
HOUR = 0.0036  # millions of tokens an hour at 1 tok/s


def shipped(*rows):
    """Toy catalog whose rows are no user's, so that no warning names a file."""
    catalog = toy(*rows)
    observations = tuple(
        replace(o, origin=Origin("observations.csv", o.origin.row, user=False))
        for o in catalog.observations
    )
    return replace(catalog, observations=observations, memo={}, _cuts={})


@functools.cache
def little():
    """B300 at 4,000 total tok/s and 80 tok/s/user, H200 at 1,000 and 45, and other models."""
    rows = [
        row(platform="B300", tokens_in=8192, tokens_per_second_total=4000, tokens_per_second_per_user=80),
        row(platform="H200", tokens_in=8192, tokens_per_second_total=1000, tokens_per_second_per_user=45),
        row(platform="B300", model="another", tokens_in=8192, tokens_per_second_total=7),
    ]  # fmt: skip
    return shipped(*rows)


def claimed(kind, catalog=None, **cells):
    """Variants of one claim of 1,000 tok/s at 3.6 USD an hour, over the little catalog."""
    given = {
        "claim": "mine", "headline": "Mine", "kind": kind, "published_value": 1, "unit": "USD",
        "date": "2026-01-01", "platform": "B300", "model": "toy", "tokens_in": 8192,
        "tokens_out": 1024, "tokens_counted": "input", "tokens_per_second": 1000,
        "usd_per_accelerator_hour": 3.6, **INPUTS[kind], **cells,
    }  # fmt: skip
    origin = Origin("claims.csv", 2, user=True)
    claim, problems = records.parse(Claim, {k: str(v) for k, v in given.items()}, origin)
    assert claim is not None, problems
    [found] = judged(replace(catalog or little(), claims=(claim,), memo={}, _cuts={}))
    return found


def rates_of(platform):
    """Rates of a platform at the catalog's date, by basis."""
    return {
        r.basis: r.usd_per_accelerator_hour
        for r in little().rates_of(platform)
        if r.valid_from <= TODAY and r.valid_to is None
    }


def thin(platform):
    """Warning of a platform with one row."""
    return f"thin evidence: 1 row behind {platform} on toy/summarize"


def too_fast(platform, speed, fastest):
    """Reason where a speed is beyond what was measured."""
    return (
        f"{speed:g} tok/s/user is out of reach of {platform} on toy/summarize: the fastest "
        f"measured is {fastest:g} tok/s/user (2026-11-22, nvfp4)."
    )


def test_variants_of_a_unit_cost_by_hand():
    """Utilizations, rates, total tokens, and the toy evidence in the claim's own count."""
    found = claimed("unit_cost")
    assert found.reproduced == pytest.approx(1.0, rel=1e-12)
    mine = 4000 * 8192 / 9216  # input tokens of the evidence
    rates = rates_of("B300")
    assert list(rates) == ["own_hyperscaler", "own_neocloud", "rental_3yr"]
    usd = rates["own_hyperscaler"] / (mine * HOUR)
    expected = [
        other(2.0, utilization=0.5),
        other(1 / 0.3, utilization=0.3),
        *[rated(basis, rate / 3.6, rate) for basis, rate in rates.items()],
        other(8192 / 9216, tokens_counted="total"),
        *[held("input", speed, usd, "", (thin("B300"),)) for speed in ("any", 25.0, 40.0, 50.0, 75.0)],
        *[held("input", speed, None, too_fast("B300", speed, 80)) for speed in (100.0, 116.0)],
    ]  # fmt: skip
    compare(found.variants, expected, 1e-12)


def test_variants_of_a_cost_ratio_by_hand():
    """Rates of both platforms, and the evidence of both, as far as the slower one reaches."""
    found = claimed("cost_ratio")
    assert found.reproduced == pytest.approx((2 / 200) / (3.6 / 1000), rel=1e-12)
    ours, base = rates_of("B300"), rates_of("H200")
    usd = [rate["own_hyperscaler"] for rate in (base, ours)]
    both = (thin("B300"), thin("H200"))
    expected = [
        *[
            rated(basis, (base[basis] / 200) / (ours[basis] / 1000), ours[basis],
                  base_usd_per_accelerator_hour=base[basis])
            for basis in ours
        ],
        *[held("input", speed, (usd[0] / 1000) / (usd[1] / 4000), "", both) for speed in (25.0, 40.0)],
        *[held("input", speed, None, too_fast("H200", speed, 45)) for speed in (50.0, 75.0)],
        *[held("input", speed, None, too_fast("B300", speed, 80)) for speed in (100.0, 116.0)],
    ]  # fmt: skip
    compare(found.variants, expected, 1e-12)


def test_variants_of_tokens_per_megawatt_by_hand():
    """Both bases of power for both platforms, and the evidence at the newest basis."""
    found = claimed("tokens_per_megawatt_ratio", platform="GB300 NVL72")
    assert found.reproduced == pytest.approx((1000 / 2) / (200 / 1), rel=1e-12)
    compare(found.variants[:2], [powered("utility", 5 * 1.73 / 2.1, 2.1, 1.73),
                                 powered("chip_and_host", 5 * 1.37 / 2.12, 2.12, 1.37)], 1e-12)  # fmt: skip
    assert [v.value for v in found.variants[2:]] == [None] * 6
    assert all("GB300 NVL72" in v.reason for v in found.variants[2:])
    catalog = toy(
        row(platform="GB300 NVL72", tokens_per_second_total=4000, tokens_per_second_per_user=80),
        row(platform="H200", tokens_per_second_total=1000, tokens_per_second_per_user=80),
    )
    found = claimed("tokens_per_megawatt_ratio", catalog, platform="GB300 NVL72", tokens_in=1024)
    for variant in found.variants[2:6]:
        assert variant.value == pytest.approx((4000 / 2.12) / (1000 / 1.37), rel=1e-12)


@pytest.mark.parametrize(("kind", "scale"), [("revenue", 1.0), ("revenue_multiple", 1 / 1000)])
def test_variants_of_a_revenue_by_hand(kind, scale):
    """Falling prices at mid month, sixty months, and the evidence's tokens in the claim's place."""
    found = claimed(kind)
    whole = 1000 * 8 * 3600 * 730 / 1e6 * 12 * 2 * scale
    assert found.reproduced == pytest.approx(whole, rel=1e-12)
    left = {f: sum(f ** ((t - 0.5) / 12) for t in range(1, 13)) / 12 for f in (0.5, 0.1, 1 / 9)}
    mine = whole * 4000 * 8192 / 9216 / 1000
    expected = [
        other(whole * 0.5 * left[0.5], utilization=0.5, price_decline=0.5, timing="mid"),
        other(whole * 0.5 * left[0.1], utilization=0.5, price_decline=0.9, timing="mid"),
        other(whole * 0.3 * left[0.1], utilization=0.3, price_decline=0.9, timing="mid"),
        other(whole * left[1 / 9], price_decline=8 / 9, timing="mid", pace="9 times a year"),
        other(whole * 5, months=60, price_decline=0.0),
        *[
            held("input", speed, mine, "", (thin("B300"),))
            for speed in ("any", 25.0, 40.0, 50.0, 75.0)
        ],
        *[held("input", speed, None, too_fast("B300", speed, 80)) for speed in (100.0, 116.0)],
    ]
    compare(found.variants, expected, 1e-12)


def test_a_claim_is_held_against_its_own_shape():
    """A claim of another shape of the same model finds no evidence, though another shape has it."""
    found = claimed("unit_cost", tokens_in=777)
    assert {v.reason for v in found.variants[-7:]} == {
        "no workload has 777 tokens in and 1024 out."
    }
    blank = claimed("cost_ratio", tokens_in="", tokens_out="")
    assert {v.reason for v in blank.variants[-6:]} == {
        "the claim states no tokens in and out, so no evidence can stand for it."
    }


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (("own_hyperscaler", "rental_3yr"), ["own_hyperscaler", "rental_3yr"]),
        (("rental_3yr",), ["rental_3yr"]),
    ],
)
@pytest.mark.parametrize("platform", ["B300", "H200"])
def test_a_basis_without_a_rate_is_passed_over(platform, kept, expected):
    """A basis that one of two platforms lacks is left out of a ratio; those after it are not."""
    rates = tuple(r for r in little().rates if r.platform != platform or r.basis in kept)
    found = claimed("cost_ratio", replace(little(), rates=rates, memo={}, _cuts={}))
    told = [v.conditions["rate_basis"] for v in found.variants if "rate_basis" in v.conditions]
    assert told == expected


def test_one_and_the_same_platform_is_held_against_the_drift():
    """A platform against itself has one variant, the drift over the claim's months."""
    found = claimed("cost_ratio", platform="H200", months=6)
    expected = [other(1.01**6, months=6.0, evidence="measured drift of fixed configurations")]
    compare(found.variants, expected, 1e-12)


def test_a_warning_of_both_platforms_is_told_once():
    """What is said of both sides of a ratio stands once among its warnings."""
    old = date(2024, 1, 15)
    given = {"date": old, "tokens_in": 8192, "tokens_per_second_per_user": 45}
    found = claimed(
        "cost_ratio", shipped(row(platform="B300", **given), row(platform="H200", **given))
    )
    warned = found.variants[3].warnings
    assert len(warned) == len(set(warned)) > 2
    assert warned.index(thin("B300")) < warned.index(thin("H200"))


def test_a_users_claim_beside_the_shipped_ones():
    """A claim laid over the catalog comes after the shipped ones and has the same variants."""
    mine = {
        "claim": "mine", "headline": "Mine", "kind": "revenue", "published_value": 1, "unit": "USD",
        "date": "2026-01-01", "platform": "GB200 NVL72", "model": "deepseek-r1", "tokens_in": 8192,
        "tokens_out": 1024, "tokens_counted": "total", "tokens_per_second": 10000,
        "usd_per_accelerator_hour": 1, "accelerators": 72, "months": 36,
        "usd_per_million_tokens": 1.1, "investment": 1,
    }  # fmt: skip
    *_, found = judged(overlay(claims=[mine]))
    assert found.claim.claim == "mine"
    compare(found.variants, sold(1.0, *GB200), 1e-6)
