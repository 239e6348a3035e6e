"""Laws of tokens: what must hold of costs, capacities, rankings and prices on the shipped catalog."""

import datetime as dt
import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from law_tools import assumed, close, known, law, number, numbers, table

import xltoken
from xltoken.catalog import store

SHIPPED = store.load()
SHAPES = {
    (8192.0, 1024.0): ("summarize", "agentic"),
    (1024.0, 1024.0): ("chat", "batch"),
    (1024.0, 8192.0): ("reasoning",),
}
CASES = sorted(
    {
        (o.platform, f"{o.model}/{shape}")
        for o in SHIPPED.observations
        for shape in SHAPES.get((o.tokens_in, o.tokens_out), ())
    }
)
WORKLOADS = sorted({workload for _, workload in CASES})
cases = st.sampled_from(CASES)
months = st.integers(-14, 60).map(float) | numbers(-14.0, 60.0)
rates = numbers(0.1, 20.0)
GRADES = ("vendor", "peer_reviewed", "measured")
PRECISIONS = (("any", "fp4", "nvfp4"), ("any", "fp4", "mxfp4"), ("any", "fp8"), ("any", "int4"))
limits = st.fixed_dictionaries(
    {"usd_per_accelerator_hour": rates},
    optional={
        "min_tokens_per_second_per_user": numbers(0.0, 250.0),
        "max_seconds_to_first_token": numbers(0.1, 20.0),
        "precision": st.sampled_from(("any", "fp4", "nvfp4", "mxfp4", "fp8")),
        "evidence": st.sampled_from(GRADES),
        "tokens_counted": st.sampled_from(("output", "input", "total")),
        "scenario": st.sampled_from(("base", "conservative")),
    },
)


def cost(case: tuple[str, str], month: float | dt.date, **told: object) -> float:
    """TOKEN_COST; what is not known costs infinitely much."""
    return known(xltoken.TOKEN_COST(case[0], month, case[1], assumed(**told) or None))


def tokens(case: tuple[str, str], month: float, count: float = 1.0, **told: object) -> float:
    """TOKEN_CAPACITY; what is not known serves nothing."""
    found = xltoken.TOKEN_CAPACITY(case[0], month, case[1], count, assumed(**told) or None)
    return 0.0 if found == "#N/A" else number(found)


@law
@given(cases, months, limits, numbers(0.01, 100.0), numbers(0.01, 1.0), numbers(0.0, 3.0))
def test_a_cost_scales_with_its_rate(case, month, told, times, utilization, overhead):
    """A cost is proportional to rate and 1 + overhead, and inversely to utilization."""
    base = cost(case, month, **told)
    assume(math.isfinite(base))
    rate = told.pop("usd_per_accelerator_hour")
    assert close(cost(case, month, **told, usd_per_accelerator_hour=rate * times), base * times)
    told["usd_per_accelerator_hour"] = rate
    assert close(cost(case, month, **told, utilization=utilization), base / utilization)
    assert close(cost(case, month, **told, overhead=overhead), base * (1 + overhead))


@pytest.mark.slow
@law
@given(cases, months, limits, numbers(0.0, 1e4), numbers(0.01, 1.0), numbers(0.0, 3.0))
def test_cost_times_capacity_is_what_is_paid(case, month, told, count, utilization, overhead):
    """TOKEN_COST x TOKEN_CAPACITY = rate x 730 x accelerators x (1 + overhead)."""
    told = {**told, "utilization": utilization, "overhead": overhead}
    paid = cost(case, month, **told)
    assume(math.isfinite(paid))
    hours = 730.0 * count * (1 + overhead) * told["usd_per_accelerator_hour"]
    assert close(paid * tokens(case, month, count, **told), hours)


@pytest.mark.slow
@law
@given(cases, months, limits, numbers(1.0, 1e6), numbers(1.0, 5.0))
def test_the_fleet_is_just_large_enough(case, month, told, volume, peak):
    """ACCELERATORS_REQUIRED serve the peak of the volume, and one fewer would not."""
    each = tokens(case, month, **told)
    assume(each > 0)
    fleet = number(
        xltoken.ACCELERATORS_REQUIRED(case[0], month, case[1], volume, peak, assumed(**told))
    )
    assert fleet == int(fleet)
    assert fleet * each >= volume * peak * (1 - 1e-9)
    assert (fleet - 1) * each < volume * peak * (1 + 1e-9)


@law
@given(cases, months, limits)
def test_what_is_counted_is_not_what_it_costs(case, month, told):
    """Output cost x out = input cost x in = total cost x (in + out): the dollars are the same."""
    workload = SHIPPED.workload(case[1])
    told = {name: value for name, value in told.items() if name != "tokens_counted"}
    counts = {
        "output": workload.tokens_out,
        "input": workload.tokens_in,
        "total": workload.tokens_in + workload.tokens_out,
    }
    dollars = [cost(case, month, **told, tokens_counted=c) * n for c, n in counts.items()]
    assume(math.isfinite(dollars[0]))
    assert all(close(d, dollars[0]) for d in dollars)


@law
@given(cases, months, limits, numbers(0.0, 250.0), numbers(0.0, 1.0))
def test_a_faster_promise_never_costs_less(case, month, told, speed, share):
    """Raising the speed per user never lowers a cost, at any month, wait, precision and grade."""
    told.pop("min_tokens_per_second_per_user", None)
    slow = cost(case, month, **told, min_tokens_per_second_per_user=share * speed)
    fast = cost(case, month, **told, min_tokens_per_second_per_user=speed)
    assert fast >= slow * (1 - 1e-12)


@law
@given(cases, months, limits, numbers(0.05, 20.0), numbers(0.01, 1.0))
def test_a_shorter_wait_never_costs_less(case, month, told, wait, share):
    """Shortening the wait for the first token never lowers a cost; no limit is the cheapest."""
    told.pop("max_seconds_to_first_token", None)
    free = cost(case, month, **told)
    long = cost(case, month, **told, max_seconds_to_first_token=wait)
    short = cost(case, month, **told, max_seconds_to_first_token=share * wait)
    assert short >= long * (1 - 1e-12)
    assert long >= free * (1 - 1e-12)


@law
@given(cases, months, limits, st.sampled_from(PRECISIONS))
def test_a_narrower_precision_never_costs_less(case, month, told, chain):
    """Asking for one number format never costs less than admitting it among others."""
    told.pop("precision", None)
    costs = [cost(case, month, **told, precision=precision) for precision in chain]
    assert all(tight >= loose * (1 - 1e-12) for loose, tight in pairwise(costs))


@law
@given(cases, months, limits)
def test_better_evidence_never_costs_less(case, month, told):
    """Asking for a better grade of evidence never lowers a cost."""
    told.pop("evidence", None)
    costs = [cost(case, month, **told, evidence=grade) for grade in GRADES]
    assert all(tight >= loose * (1 - 1e-12) for loose, tight in pairwise(costs))


@pytest.mark.parametrize("month", [0.0, 12.0, 55.0])
def test_better_evidence_than_a_claim_never_costs_less(month):
    """In scenario vendor asking for better evidence than claims never lowers a cost."""
    case, told = ("B200", "gpt-oss-120b/batch"), {"usd_per_accelerator_hour": 2.0}
    costs = [cost(case, month, **told, scenario="vendor", evidence=g) for g in ("claim", *GRADES)]
    assert all(tight >= loose * (1 - 1e-12) for loose, tight in pairwise(costs))


@law
@given(cases, months, numbers(0.0, 40.0), limits)
def test_waiting_never_costs_more(case, month, later, told):
    """At the user's own rate a later month never costs more, whatever the limits."""
    now, then = cost(case, month, **told), cost(case, month + later, **told)
    assert then <= now * (1 + 1e-12)


@law
@given(cases, numbers(0.0, 60.0), limits, numbers(0.0, 0.05), numbers(0.0, 0.05))
def test_faster_software_never_costs_more(case, month, told, gain, more):
    """A higher software gain never raises a future cost, and leaves that of today as it is."""
    slow, fast = (cost(case, month, **told, software_gain_per_month=g) for g in (gain, gain + more))
    assert fast <= slow * (1 + 1e-12)
    today, also_today = (
        cost(case, 0.0, **told, software_gain_per_month=g) for g in (gain, gain + more)
    )
    assert today == also_today or close(today, also_today)


@law
@given(cases, numbers(0.0, 60.0), numbers(-0.5, 0.9), rates)
def test_a_rate_declines_by_the_year(case, month, decline, rate):
    """rate_decline multiplies a future cost by (1 - decline)^(months/12)."""
    flat = cost(case, month, usd_per_accelerator_hour=rate)
    assume(math.isfinite(flat))
    falling = cost(case, month, usd_per_accelerator_hour=rate, rate_decline=decline)
    assert close(falling, flat * (1 - decline) ** (month / 12), 0.0, 1e-9)


@pytest.mark.slow
@law
@given(cases, months, limits, numbers(0.05, 0.9), numbers(0.001, 0.09))
def test_ranges_hold_the_cost_and_nest(case, month, told, confidence, more):
    """TOKEN_COST is the geometric middle of its range; more confidence is a wider one."""
    expected = cost(case, month, **told)
    assume(math.isfinite(expected))
    [[low, middle, high]], [[lower, same, higher]] = (
        table(xltoken.TOKEN_COST_RANGE(case[0], month, case[1], c, assumed(**told)))
        for c in (confidence, confidence + more)
    )
    assert middle == same == expected
    assert lower <= low <= middle <= high <= higher
    assert close(low * high, middle**2)


def test_a_confidence_next_to_1_is_no_traceback():
    """The largest number below 1 is a confidence, or an error mark: never an exception."""
    found = xltoken.TOKEN_COST_RANGE("B200", 0.0, "gpt-oss-120b/batch", math.nextafter(1.0, 0.0))
    assert found == "#NUM!" or isinstance(found, list)


@law
@given(cases, st.lists(st.integers(-14, 60).map(float), min_size=2, max_size=4), limits)
def test_a_range_of_months_is_its_months(case, several, told):
    """A column of months gives each month's own cost, and keys are read without their spelling."""
    told = assumed(**told)
    found = xltoken.TOKEN_COST(case[0], [[m] for m in several], case[1], told)
    platform = case[0].lower().replace(" ", "-")
    workload = case[1].upper()
    assert found == [[xltoken.TOKEN_COST(platform, m, workload, told)] for m in several]


# --- ranking --------------------------------------------------------------------------------------


@law
@given(st.sampled_from(WORKLOADS), months, limits)
def test_a_ranking_ranks(workload, month, told):
    """Rows ascend in cost from ratio 1; those without a cost come last, with a reason."""
    told = {k: v for k, v in told.items() if k != "usd_per_accelerator_hour"}
    told = assumed(**told) or None
    found = xltoken.PLATFORM_RANKING(month, workload, told)
    _, *rows = table(found)
    ranked = [row for row in rows if row[0] != "#N/A"]
    assert rows[: len(ranked)] == ranked
    assert {row[1] for row in rows} == set(SHIPPED.platforms)
    assert [row[0] for row in ranked] == [float(i) for i in range(1, len(ranked) + 1)]
    assert all(a[2] <= b[2] for a, b in pairwise(ranked))
    for rank, row in enumerate(ranked, 1):
        assert row[2] == xltoken.TOKEN_COST(row[1], month, workload, told)
        assert close(row[3], row[2] / ranked[0][2])
        assert xltoken.CHEAPEST_PLATFORM(month, workload, rank, told) == row[1]
    assert not ranked or ranked[0][3] == 1.0
    assert xltoken.CHEAPEST_PLATFORM(month, workload, len(ranked) + 1, told) == "#N/A"
    assert all(row[-1] for row in rows[len(ranked) :])


# --- prices ---------------------------------------------------------------------------------------

PRICED = sorted(
    {
        (p.provider, p.model)
        for p in SHIPPED.prices
        if p.model in SHIPPED.models.values() and p.withdrawn is None
    }
)


@law
@given(st.sampled_from(PRICED), months, st.sampled_from(("chat", "reasoning", "summarize")))
def test_the_price_of_a_workload_is_a_blend(asked, month, shape):
    """A workload's price per token lies between those of input and output.

    Per output token it is the price of output plus that of the input that comes with each.
    """
    provider, model = asked
    parts = [xltoken.TOKEN_PRICE(model, month, provider, kind) for kind in ("input", "output")]
    assume(not any(isinstance(part, str) for part in parts))
    low, high = sorted(number(part) for part in parts)
    workload = SHIPPED.workload(f"{model}/{shape}")
    blended = {
        counted: number(
            xltoken.TOKEN_PRICE(
                workload.key, month, provider, None, assumed(tokens_counted=counted)
            )
        )
        for counted in ("output", "input", "total")
    }
    assert low * (1 - 1e-12) <= blended["total"] <= high * (1 + 1e-12)
    per_output = parts[1] + parts[0] * workload.tokens_in / workload.tokens_out
    assert close(blended["output"], per_output)
    assert close(blended["output"] * workload.tokens_out, blended["input"] * workload.tokens_in)


@law
@given(st.sampled_from(PRICED), months, numbers(-0.5, 0.9), st.sampled_from(("input", "output")))
def test_the_lowest_price_is_the_lowest(asked, month, decline, kind):
    """No provider that sells by then asks less than lowest; price_decline falls by the year."""
    provider, model = asked
    lowest = known(xltoken.TOKEN_PRICE(model, month, "lowest", kind))
    theirs = xltoken.TOKEN_PRICE(model, month, provider, kind)
    when = SHIPPED.date + dt.timedelta(days=month * 30.4)
    # Two days of grace: months are not exactly so long.
    begin, end = (min(when + dt.timedelta(days=d), SHIPPED.date) for d in (-2, 2))
    sells = any(
        p.valid_from <= begin and (p.valid_to is None or end <= p.valid_to)
        for p in SHIPPED.prices
        if (p.provider, p.model, p.kind) == (*asked, kind)
    )
    if sells:
        assert number(theirs) >= lowest
    falling = known(
        xltoken.TOKEN_PRICE(model, month, "lowest", kind, assumed(price_decline=decline))
    )
    if math.isfinite(lowest):
        assert close(falling, lowest * (1 - decline) ** (max(month, 0.0) / 12))


@law
@given(st.sampled_from(sorted(SHIPPED.platforms)), st.sampled_from(WORKLOADS), months, limits)
def test_an_answer_or_a_reason(platform, workload, month, told):
    """TOKEN_COST gives a positive number, or #N/A with a reason that TOKEN_SOURCE repeats."""
    found = xltoken.TOKEN_COST(platform, month, workload, assumed(**told))
    reason = xltoken.TOKEN_SOURCE(platform, workload, "reason", month, assumed(**told))
    if isinstance(found, str):
        assert found == "#N/A"
        assert found.message.endswith(reason)
        assert reason
    else:
        assert 0 < found < math.inf
        assert reason == ""


@pytest.mark.parametrize("series", ["volumes", "unit_cost", "price"])
def test_a_range_of_one_cell_is_a_scalar(series):
    """A range of one cell counts as a scalar: it stands for every month of the horizon."""
    one = {"volumes": 10.0, "unit_cost": 1.0, "price": 2.0}
    ranged = {name: [value] if name == series else value for name, value in one.items()}
    values = [xltoken.NPV_STATIC(0.1, *given_.values()) for given_ in (one, ranged)]
    assert values[0] == values[1]
