"""TOKEN_COST and TOKEN_CAPACITY: the identity between them, and the laws of a cost."""

import csv
import datetime as dt
import itertools
from pathlib import Path

import pytest
from contract_tools import is_error
from hypothesis import given
from hypothesis import strategies as st

import xltoken
from xltoken import TOKEN_CAPACITY, TOKEN_COST, TOKEN_SOURCE
from xltoken.catalog import store
from xltoken.functions import cells
from xltoken.functions.cells import CellError

PLATFORMS = sorted(store.current().platforms)
WORKLOADS = sorted(w.key for w in store.current().workloads.values())
ANSWERED = [
    (platform, workload)
    for platform, workload in itertools.product(PLATFORMS, WORKLOADS)
    if not isinstance(TOKEN_COST(platform, 0, workload), CellError)
]
CHAT = "deepseek-r1/chat"
RATE = 1.95
RATES = Path(xltoken.__file__).parent / "catalog" / "data" / "rates.csv"
OWN = [["usd_per_accelerator_hour", RATE]]


def with_rows(**given_assumptions):
    """Assumptions as a range, the user's own rate among them."""
    return OWN + [[name, value] for name, value in given_assumptions.items()]


def test_enough_is_answered():
    """The catalog answers a good part of its platforms and workloads, and not all of them."""
    assert 20 <= len(ANSWERED) < len(PLATFORMS) * len(WORKLOADS)


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
@pytest.mark.parametrize("counted", ["output", "input", "total"])
def test_cost_times_capacity_is_what_the_month_costs(platform, workload, counted):
    """TOKEN_COST x TOKEN_CAPACITY = rate x 730 x accelerators x (1 + overhead), everywhere."""
    for month in (0, 18, dt.date(2026, 5, 1)):
        given_rows = with_rows(utilization=0.37, overhead=0.25, tokens_counted=counted)
        cost = TOKEN_COST(platform, month, workload, given_rows)
        capacity = TOKEN_CAPACITY(platform, month, workload, 72, given_rows)
        assert cost * capacity == pytest.approx(RATE * 730 * 72 * 1.25, rel=1e-12)


@given(
    st.sampled_from(ANSWERED), st.floats(-24, 120), st.floats(0.01, 1), st.floats(0, 5),
    st.floats(0.01, 50), st.floats(0, 1e5),
)  # fmt: skip
def test_the_identity_holds_for_any_operation(pair, month, used, overhead, rate, accelerators):
    """The identity holds at any month, utilization, overhead, rate and count of accelerators."""
    platform, workload = pair
    given_rows = [
        ["usd_per_accelerator_hour", rate], ["utilization", used], ["overhead", overhead],
    ]  # fmt: skip
    cost = TOKEN_COST(platform, month, workload, given_rows)
    capacity = TOKEN_CAPACITY(platform, month, workload, accelerators, given_rows)
    if isinstance(cost, CellError):
        assert isinstance(capacity, CellError)
        return
    assert cost * capacity == pytest.approx(rate * 730 * accelerators * (1 + overhead), rel=1e-12)


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_cost_is_proportional_to_rate_and_overhead_and_inverse_to_utilization(platform, workload):
    """Twice the rate is twice the cost; half the utilization too; overhead is a share on top."""
    base = TOKEN_COST(platform, 0, workload, OWN)
    doubled = TOKEN_COST(platform, 0, workload, [["usd_per_accelerator_hour", 2 * RATE]])
    assert doubled == pytest.approx(2 * base, rel=1e-14)
    half = TOKEN_COST(platform, 0, workload, with_rows(utilization=0.5))
    assert half == pytest.approx(2 * base, rel=1e-14)
    laden = TOKEN_COST(platform, 0, workload, with_rows(overhead=0.5))
    assert laden == pytest.approx(1.5 * base, rel=1e-14)


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_the_three_counts_are_three_denominators_of_the_same_dollars(platform, workload):
    """1/total = 1/output + 1/input, and total is the least of the three."""
    total, output, given_in = (
        TOKEN_COST(platform, 0, workload, with_rows(tokens_counted=counted))
        for counted in ("total", "output", "input")
    )
    assert 1 / total == pytest.approx(1 / output + 1 / given_in, rel=1e-9)
    assert total < min(output, given_in)
    # Token counts within 5 % belong to a shape, and some tables count the input short.
    load = store.current().workload(workload)
    expected = load.tokens_in / load.tokens_out
    assert output / given_in == pytest.approx(expected, rel=0.11)


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_waiting_never_raises_a_cost(platform, workload):
    """At one's own rate the cost never rises with the month; what is answered stays answered."""
    row = TOKEN_COST(platform, [list(range(61))], workload, OWN)[0]
    assert all(type(cost) is float for cost in row)
    assert all(later <= earlier for earlier, later in itertools.pairwise(row))


@pytest.mark.parametrize("platform", ["B200", "H200", "MI355X", "GB200 NVL72"])
def test_tightening_a_speed_never_lowers_a_cost(platform):
    """A faster user never costs less, and beyond the fastest measured speed it is #N/A for good."""
    costs = [
        TOKEN_COST(platform, 0, CHAT, with_rows(min_tokens_per_second_per_user=float(speed)))
        for speed in range(0, 400, 10)
    ]
    known = [cost for cost in costs if not isinstance(cost, CellError)]
    assert len(known) > 5
    assert costs[: len(known)] == known
    assert all(faster >= slower for slower, faster in itertools.pairwise(known))
    for beyond in costs[len(known) :]:
        is_error(beyond, "#N/A", platform, "fastest measured")


def test_a_wait_that_no_run_keeps_is_na():
    """A wait for the first token that nothing reaches is #N/A, with the shortest there is."""
    impossible = with_rows(max_seconds_to_first_token=1e-6)
    is_error(TOKEN_COST("H200", 0, CHAT, impossible), "#N/A", "first token", "shortest")
    short = TOKEN_COST("H200", 0, CHAT, with_rows(max_seconds_to_first_token=1.0))
    assert short >= TOKEN_COST("H200", 0, CHAT, OWN)


def test_the_spelling_of_a_platform_does_not_count():
    """gb200-nvl72 is GB200 NVL72 to the last bit, and its alias too."""
    expected = TOKEN_COST("GB200 NVL72", 0, CHAT)
    for spelled in ("gb200-nvl72", "Gb200_Nvl72", " GB200NVL72 ", "gb200"):
        assert TOKEN_COST(spelled, 0, CHAT) == expected


def test_a_column_of_platforms_against_a_row_of_months():
    """One formula gives the table; the unknown platform is a row of #N/A and spoils no other."""
    from xltoken.recalc.workbook import evaluate

    formula = '=TOKEN_COST({"B200";"H200";"GB200 NVL72";"no such"}, {0,6,12}, "deepseek-r1/chat")'
    rows, notebook = evaluate(formula)
    assert [len(row) for row in rows] == [3, 3, 3, 3]
    assert rows[3] == ["#N/A"] * 3
    for platform, row in zip(("B200", "H200", "GB200 NVL72"), rows, strict=False):
        assert row == [TOKEN_COST(platform, month, CHAT) for month in (0, 6, 12)]
        assert row == sorted(row, reverse=True)
    assert notebook.messages == ["TOKEN_COST: platform 'no such' is not known."]
    across, _ = evaluate('=TOKEN_COST("gb200-nvl72", {0;6}, "DeepSeek R1/Chat")')
    assert [row[0] for row in across] == rows[2][:2]


def test_the_rate_is_the_catalogs_row():
    """Without a rate of one's own the cost is that at the dated rate of rates.csv."""
    with RATES.open(encoding="utf-8") as file:
        dated = [
            row
            for row in csv.DictReader(file)
            if row["platform"] == "B200" and not row["withdrawn"]
        ]
    for basis in ("own_hyperscaler", "own_neocloud", "rental_3yr"):
        newest = max((r for r in dated if r["basis"] == basis), key=lambda r: r["valid_from"])
        rate = float(newest["usd_per_accelerator_hour"])
        own = TOKEN_COST("B200", 0, CHAT, [["usd_per_accelerator_hour", rate]])
        assert TOKEN_COST("B200", 0, CHAT, [["rate_basis", basis]]) == own
    assert TOKEN_COST("B200", 0, CHAT) == TOKEN_COST(
        "B200", 0, CHAT, [["rate_basis", "own_hyperscaler"]]
    )


def test_a_basis_without_rows_is_na_with_the_reason_and_capacity_needs_none():
    """on_demand has no rows: the cost is #N/A and says what to set; capacity needs no rate."""
    chosen = [["rate_basis", "on_demand"]]
    is_error(TOKEN_COST("B200", 0, CHAT, chosen), "#N/A", "on_demand", "usd_per_accelerator_hour")
    assert TOKEN_CAPACITY("B200", 0, CHAT, 1, chosen) == TOKEN_CAPACITY("B200", 0, CHAT)


def test_a_rate_falls_from_start_on():
    """One's own rate falls by rate_decline a year from start on, and stands before."""
    falling = with_rows(rate_decline=0.5)
    for month in (0, 12, 24, 30):
        ratio = TOKEN_COST("B200", month, CHAT, falling) / TOKEN_COST("B200", month, CHAT, OWN)
        assert ratio == pytest.approx(0.5 ** (month / 12), rel=1e-12)
    assert TOKEN_COST("B200", -6, CHAT, falling) == TOKEN_COST("B200", -6, CHAT, OWN)
    later = with_rows(rate_decline=0.5, start=dt.date(2027, 11, 22))
    assert TOKEN_COST("B200", 0, CHAT, later) == TOKEN_COST("B200", 12, CHAT, OWN)


def test_months_run_from_start():
    """Month n from a start is the day n months after it."""
    chosen = with_rows(start=dt.date(2026, 1, 31))
    for months, day in ((0, dt.date(2026, 1, 31)), (1, dt.date(2026, 2, 28))):
        assert TOKEN_COST("B200", months, CHAT, chosen) == TOKEN_COST("B200", day, CHAT, OWN)


def test_capacity_counts_accelerators_and_utilization():
    """Capacity is proportional to accelerators and utilization; none serve nothing."""
    one = TOKEN_CAPACITY("B200", 0, CHAT)
    assert TOKEN_CAPACITY("B200", 0, CHAT, 1) == one
    assert TOKEN_CAPACITY("B200", 0, CHAT, 72) == pytest.approx(72 * one, rel=1e-14)
    half = TOKEN_CAPACITY("B200", 0, CHAT, 1, [["utilization", 0.5]])
    assert half == pytest.approx(one / 2, rel=1e-14)
    assert TOKEN_CAPACITY("B200", 0, CHAT, 0) == 0
    is_error(TOKEN_CAPACITY("B200", 0, CHAT, -1), "#NUM!", "accelerators")


# --- scenarios -----------------------------------------------------------------------------------

BATCH = "gpt-oss-120b/batch"


def test_the_vendors_claims_step_on_their_day():
    """In scenario vendor at $2.34 an hour B200 steps from $0.1083 to $0.0217 on 2025-10-09."""
    chosen = [["scenario", "vendor"], ["usd_per_accelerator_hour", 2.34]]
    day_before, day = dt.date(2025, 10, 8), dt.date(2025, 10, 9)
    assert round(TOKEN_COST("B200", day_before, BATCH, chosen), 4) == 0.1083
    assert round(TOKEN_COST("B200", day, BATCH, chosen), 4) == 0.0217
    for early in (dt.date(2024, 1, 1), dt.date(2025, 8, 5)):
        assert TOKEN_COST("B200", early, BATCH, chosen) == TOKEN_COST(
            "B200", day_before, BATCH, chosen
        )
    for later in (dt.date(2026, 3, 1), 0):
        assert TOKEN_COST("B200", later, BATCH, chosen) == TOKEN_COST("B200", day, BATCH, chosen)
    serials = [[45938.0], [45939.0]]
    column = TOKEN_COST("B200", serials, BATCH, chosen)
    assert [round(row[0], 4) for row in column] == [0.1083, 0.0217]


def test_a_claim_warns_and_says_that_it_is_one():
    """A claim behind a figure is told to a listener, and shown as its grade."""
    chosen = [["scenario", "vendor"]]
    with cells.listening() as notebook:
        TOKEN_COST("B200", 0, BATCH, chosen)
    assert any("claim" in warning for warning in notebook.warnings)
    assert TOKEN_SOURCE("B200", BATCH, "grade", 0, chosen) == "claim"


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_base_and_conservative_never_use_a_claim(platform, workload):
    """Outside scenario vendor no claim stands behind a figure, on any day."""
    for scenario in (None, [["scenario", "base"]], [["scenario", "conservative"]]):
        for month in (0, dt.date(2025, 10, 8), dt.date(2025, 10, 9)):
            grade = TOKEN_SOURCE(platform, workload, "grade", month, scenario)
            if isinstance(grade, CellError):
                is_error(grade, "#N/A", "Carried back", "slower still")
                assert month != 0
            else:
                assert grade in ("measured", "peer_reviewed", "vendor")


@pytest.mark.parametrize("scenario", ["base", "conservative"])
def test_claims_count_in_scenario_vendor_only(scenario):
    """Evidence claim admits no claim outside scenario vendor, and a warning says so."""
    asked = [["evidence", "claim"], ["scenario", scenario]]
    with cells.listening() as notebook:
        assert TOKEN_COST("B200", 0, BATCH, asked) == TOKEN_COST("B200", 0, BATCH, asked[1:])
    assert "claims count in scenario vendor only; none was used" in notebook.warnings
    vendor = [["evidence", "claim"], ["scenario", "vendor"]]
    assert TOKEN_COST("B200", 0, BATCH, vendor) == TOKEN_COST("B200", 0, BATCH, vendor[1:])


def test_without_claims_scenario_vendor_is_base():
    """Where no claim exists the scenario vendor reads the same rows as base."""
    for platform in ("B200", "H200", "MI355X"):
        vendor = TOKEN_COST(platform, 0, CHAT, [["scenario", "vendor"]])
        assert vendor == TOKEN_COST(platform, 0, CHAT)


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_conservative_gains_no_software_beyond_today(platform, workload):
    """In scenario conservative throughput stands still after the catalog's date."""
    chosen = [["scenario", "conservative"]]
    row = TOKEN_CAPACITY(platform, [[0, 6, 24, 60]], workload, 1, chosen)[0]
    assert len(set(row)) == 1
    assert row[0] == TOKEN_CAPACITY(platform, 0, workload)
    by_hand = [["rate_basis", "own_neocloud"], ["software_gain_per_month", 0.0]]
    cost = TOKEN_COST(platform, 12, workload, chosen)
    assert cost == TOKEN_COST(platform, 12, workload, by_hand)


# --- warnings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_thin_evidence_warns_and_only_thin_evidence(platform, workload):
    """Fewer than 10 rows behind an answer are a warning, at both doors; 10 or more are none."""
    rows = TOKEN_SOURCE(platform, workload, "rows")
    with cells.listening() as notebook:
        TOKEN_COST(platform, 0, workload)
    thin = [w for w in notebook.warnings if w.startswith("thin evidence")]
    noun = "1 row" if rows == 1 else f"{rows:g} rows"
    expected = [f"thin evidence: {noun} behind {platform} on {workload}"] if rows < 10 else []
    assert thin == expected
    assert TOKEN_SOURCE(platform, workload, "warnings") == "; ".join(notebook.warnings)


def test_a_rate_carried_back_warns_the_cost_and_not_the_capacity():
    """Before the first rate the first counts, with a warning; capacity has no rate to warn of."""
    early = dt.date(2025, 1, 1)
    with cells.listening() as heard:
        TOKEN_COST("B200", early, CHAT)
    assert any("carried back" in warning for warning in heard.warnings)
    with cells.listening() as silent:
        TOKEN_CAPACITY("B200", early, CHAT)
        TOKEN_COST("B200", early, CHAT, OWN)
    assert not any("rate" in warning for warning in silent.warnings)
