"""TOKEN_COST_RANGE, TOKENS_PER_MEGAWATT and ACCELERATORS_REQUIRED, and the identity of a month."""

import csv
import datetime as dt
import itertools
import math
from pathlib import Path
from statistics import NormalDist

import pytest
from contract_tools import is_error
from hypothesis import given
from hypothesis import strategies as st

import xltoken
from xltoken import (
    ACCELERATORS_REQUIRED,
    TOKEN_CAPACITY,
    TOKEN_COST,
    TOKEN_COST_RANGE,
    TOKEN_SOURCE,
    TOKENS_PER_MEGAWATT,
)
from xltoken.catalog import store
from xltoken.functions import cells
from xltoken.functions.cells import CellError

TODAY = store.current().date
PAIRS = list(
    itertools.product(
        store.current().platforms, [w.key for w in store.current().workloads.values()]
    )
)
ANSWERED = [pair for pair in PAIRS if not isinstance(TOKEN_COST(pair[0], 0, pair[1]), CellError)]
CHAT = "deepseek-r1/chat"
MONTHS = (0, 7, dt.date(2026, 8, 13), dt.date(2026, 1, 1), 30.5)
SETS = (
    {},
    {"utilization": 0.37, "overhead": 0.25, "tokens_counted": "total"},
    {"scenario": "vendor", "utilization": 0.5},
    {"scenario": "conservative", "rate_decline": 0.2},
    {"rate_basis": "rental_3yr", "tokens_counted": "input", "rate_decline": -0.1},
)
with (Path(xltoken.__file__).parent / "catalog/data/rates.csv").open(encoding="utf-8") as _file:
    RATES = [row for row in csv.DictReader(_file) if not row["withdrawn"]]


def rows_of(given_assumptions):
    """Assumptions as a range, None where there are none."""
    return [[name, value] for name, value in given_assumptions.items()] or None


def valid(platform, on, wanted, column):
    """Figure of rates.csv valid on a day, the first before the first: read without the package."""
    rows = sorted(
        (row for row in RATES if row["platform"] == platform and row[column] and wanted(row)),
        key=lambda row: row["valid_from"],
    )
    before = [row for row in rows if row["valid_from"] <= on.isoformat()]
    return float((before or rows[:1])[-1][column])


def day_of(month):
    """Day that a month means, and the years from the catalog's date to it."""
    if isinstance(month, dt.date):
        return month, max(0.0, (month - TODAY).days / 365.25)
    whole = int(month)
    year, index = divmod(TODAY.year * 12 + TODAY.month - 1 + whole, 12)
    return dt.date(year, index + 1, TODAY.day), month / 12


@pytest.mark.parametrize("chosen", SETS)
def test_cost_times_capacity_is_the_month_on_the_catalogs_rate(chosen):
    """COST x CAPACITY = rate x 730 x accelerators x (1 + overhead) wherever there is evidence."""
    basis = "own_neocloud" if chosen.get("scenario") == "conservative" else "own_hyperscaler"
    basis = chosen.get("rate_basis", basis)
    for (platform, workload), month in itertools.product(ANSWERED, MONTHS):
        cost = TOKEN_COST(platform, month, workload, rows_of(chosen))
        capacity = TOKEN_CAPACITY(platform, month, workload, 8, rows_of(chosen))
        on, years = day_of(month)
        rate = valid(platform, on, lambda r: r["basis"] == basis, "usd_per_accelerator_hour")
        rate *= (1 - chosen.get("rate_decline", 0.0)) ** years
        expected = rate * 730 * 8 * (1 + chosen.get("overhead", 0.0))
        assert cost * capacity == pytest.approx(expected, rel=1e-9), (platform, workload, month)


# --- the range -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", SETS)
def test_the_expected_cost_lies_in_its_range_and_is_token_cost(chosen):
    """Low <= expected <= high, and expected is TOKEN_COST to the last bit, for every pair."""
    for (platform, workload), month in itertools.product(ANSWERED, (*MONTHS, -11)):
        cost = TOKEN_COST(platform, month, workload, rows_of(chosen))
        result = TOKEN_COST_RANGE(platform, month, workload, 0.9, rows_of(chosen))
        if isinstance(cost, CellError):
            is_error(result, "#N/A", cost.message.partition(": ")[2])
            continue
        [[low, expected, high]] = result
        assert expected == cost
        assert 0 < low <= expected <= high
        assert low * high == pytest.approx(expected**2, rel=1e-12)


@given(st.sampled_from(ANSWERED), st.floats(-24, 120), st.floats(0.001, 0.999), st.floats(0, 0.9))
def test_a_range_widens_with_confidence(pair, month, confidence, more):
    """More confidence never makes a range narrower, and expected stays."""
    platform, workload = pair
    wider = confidence + (0.9999 - confidence) * more
    narrow = TOKEN_COST_RANGE(platform, month, workload, confidence)
    if isinstance(narrow, CellError):
        is_error(TOKEN_COST_RANGE(platform, month, workload, wider), "#N/A")
        return
    [[low, expected, high]] = narrow
    [[lower, same, higher]] = TOKEN_COST_RANGE(platform, month, workload, wider)
    assert same == expected
    assert lower <= low
    assert high <= higher


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_a_range_widens_away_from_the_evidence(platform, workload):
    """High over low grows with every month after the evidence, and with every month before it."""
    seen = TOKEN_SOURCE(platform, workload, "date")
    ratios = []
    for month in (0, 1, 3, 12, 36, 60):
        # Which rows are read may change with the month: only the same evidence can be compared.
        if TOKEN_SOURCE(platform, workload, "date", month) == seen:
            [[low, _, high]] = TOKEN_COST_RANGE(platform, month, workload)
            ratios.append(high / low)
    assert len(ratios) >= 1
    assert ratios == sorted(set(ratios))


def test_on_the_day_of_the_evidence_there_is_no_range():
    """On the day of the measurement the three are one figure."""
    for platform, workload in ANSWERED:
        day = TOKEN_SOURCE(platform, workload, "date")
        if TOKEN_SOURCE(platform, workload, "date", day) == day:
            [[low, expected, high]] = TOKEN_COST_RANGE(platform, day, workload)
            assert low == expected == high
            break
    else:
        pytest.fail("no pair rests on its own evidence on that day")


def test_the_range_is_that_of_farmer_and_lafond():
    """Half the log width is z sigma sqrt(h + h^2/m), with the priors of priors.csv."""
    with (Path(xltoken.__file__).parent / "catalog/data/priors.csv").open(encoding="utf-8") as file:
        priors = {row["name"]: float(row["value"]) for row in csv.DictReader(file)}
    sigma, m = priors["software_gain_sd"], priors["software_gain_months"]
    for confidence, month in ((0.5, 0), (0.8, 12), (0.95, 60)):
        seen = TOKEN_SOURCE("B200", CHAT, "date", month)
        h = (TODAY - seen).days / 30.4375 + month
        [[low, _, high]] = TOKEN_COST_RANGE("B200", month, CHAT, confidence)
        z = NormalDist().inv_cdf(0.5 + confidence / 2)
        expected = z * sigma * math.sqrt(h + h * h / m)
        assert math.log(high / low) / 2 == pytest.approx(expected, rel=0.01)


def test_confidence_is_the_assumption_where_it_is_left_out():
    """0.8, left out, and the assumption 0.8 are one; left out, the assumption counts."""
    asked = ("B200", 12, CHAT)
    usual = TOKEN_COST_RANGE(*asked, 0.8)
    assert TOKEN_COST_RANGE(*asked) == usual
    assert TOKEN_COST_RANGE(*asked, None, [["confidence", 0.8]]) == usual
    assert TOKEN_COST_RANGE(*asked, None, [["confidence", 0.5]]) == TOKEN_COST_RANGE(*asked, 0.5)
    assert TOKEN_COST_RANGE(*asked, 0.6, [["confidence", 0.5]]) == TOKEN_COST_RANGE(*asked, 0.6)


def test_a_confidence_given_goes_before_the_assumption():
    """What stands in the argument counts, 0.8 like every other number."""
    given_both = TOKEN_COST_RANGE("B200", 12, CHAT, 0.8, [["confidence", 0.5]])
    assert given_both == TOKEN_COST_RANGE("B200", 12, CHAT, 0.8)


def test_a_range_without_evidence_or_rate_is_na():
    """Nothing known gives #N/A with TOKEN_COST's reason."""
    for asked in (("Gaudi 3", 0, CHAT), ("B200", 0, "no/such")):
        message = TOKEN_COST(*asked).message.partition(": ")[2]
        is_error(TOKEN_COST_RANGE(*asked), "#N/A", message)
    on_demand = [["rate_basis", "on_demand"]]
    is_error(TOKEN_COST_RANGE("B200", 0, CHAT, None, on_demand), "#N/A", "on_demand")


def test_a_range_tells_the_costs_warnings():
    """The range rests on what the cost rests on, and warns of the same."""
    for platform, workload in ANSWERED:
        heard = []
        for function in (TOKEN_COST, TOKEN_COST_RANGE):
            with cells.listening() as notebook:
                function(platform, dt.date(2026, 1, 1), workload)
            heard.append(notebook.warnings)
        assert heard[0] == heard[1]
        assert any("carried back" in warning for warning in heard[0])


def test_a_range_that_overflows_is_num():
    """No inf ever leaves a function: what is beyond every number is #NUM! in its own cell."""
    rate = [["usd_per_accelerator_hour", 1e300]]
    [[low, expected, high]] = TOKEN_COST_RANGE("B200", 1100, CHAT, 0.999999, rate)
    assert low < expected == TOKEN_COST("B200", 1100, CHAT, rate)
    is_error(high, "#NUM!", "not a finite number")


def test_a_month_too_far_for_a_range_says_so():
    """A failure says what was wrong and what to do."""
    far = TOKEN_COST_RANGE("B200", dt.date(9990, 1, 1), CHAT)
    assert "month" in far.message


# --- power ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("basis", [None, "utility", "chip_and_host"])
def test_tokens_per_megawatt_is_throughput_over_one_basis_of_power(basis):
    """Counted tok/s over kW x 1000: one kw_basis for every platform, the newest if none is given."""
    chosen = [["kw_basis", basis]] if basis else None
    told = basis or "chip_and_host"
    for (platform, workload), month in itertools.product(ANSWERED, (0, 24, dt.date(2026, 5, 1))):
        result = TOKENS_PER_MEGAWATT(platform, month, workload, chosen)
        if platform == "RTX PRO 6000" and told == "utility":
            is_error(result, "#N/A", platform, "utility")
            continue
        on, _ = day_of(month)
        power = valid(platform, on, lambda r: r["kw_basis"] == told, "kw_per_accelerator")
        speed = TOKEN_CAPACITY(platform, month, workload) / (3600 * 730 / 1e6)
        assert result == pytest.approx(speed / power * 1000, rel=1e-12)


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_tokens_per_megawatt_counts_no_money_and_no_utilization(platform, workload):
    """Utilization, rate, basis and overhead do not move it; the count of tokens does."""
    expected = TOKENS_PER_MEGAWATT(platform, 0, workload)
    for name, value in (
        ("utilization", 0.3),
        ("overhead", 0.5),
        ("usd_per_accelerator_hour", 9.0),
        ("rate_basis", "on_demand"),
        ("rate_decline", 0.5),
    ):
        assert TOKENS_PER_MEGAWATT(platform, 0, workload, [[name, value]]) == expected
    total = TOKENS_PER_MEGAWATT(platform, 0, workload, [["tokens_counted", "total"]])
    given_in = TOKENS_PER_MEGAWATT(platform, 0, workload, [["tokens_counted", "input"]])
    assert total == pytest.approx(expected + given_in, rel=1e-9)


def test_the_ranking_shows_the_same_tokens_per_megawatt():
    """PLATFORM_RANKING and TOKENS_PER_MEGAWATT say one number."""
    header, *rows = xltoken.PLATFORM_RANKING(0, CHAT)
    place = header.index("output tok/s per MW")
    for row in rows:
        if row[0] != "#N/A":
            assert row[place] == TOKENS_PER_MEGAWATT(row[1], 0, CHAT)


def test_a_power_carried_back_warns():
    """Before the first row of that basis the first power counts, with a warning as for a rate."""
    with cells.listening() as notebook:
        TOKENS_PER_MEGAWATT("B200", dt.date(2026, 6, 1), CHAT)
    assert any("carried back" in warning for warning in notebook.warnings)


# --- accelerators --------------------------------------------------------------------------------


@given(
    st.sampled_from(ANSWERED),
    st.floats(-12, 60),
    st.floats(0, 1e9),
    st.floats(1, 20),
    st.floats(0.01, 1),
)
def test_accelerators_required_cover_the_peak_and_one_fewer_does_not(
    pair, month, volume, peak, used
):
    """Count x capacity serves volume x peak_factor; count - 1 does not."""
    platform, workload = pair
    chosen = [["utilization", used]]
    count = ACCELERATORS_REQUIRED(platform, month, workload, volume, peak, chosen)
    if isinstance(count, CellError):
        is_error(count, "#N/A")
        return
    assert count == int(count) >= 0
    served = TOKEN_CAPACITY(platform, month, workload, count, chosen)
    assert served >= volume * peak * (1 - 1e-11)
    if count:
        fewer = TOKEN_CAPACITY(platform, month, workload, count - 1, chosen)
        assert fewer < volume * peak


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_a_volume_that_fits_exactly_needs_no_further_accelerator(platform, workload):
    """The capacity of n accelerators asks for n; nothing asks for none; any token asks for one."""
    for count in (1, 3, 7, 72, 1000, 99_999):
        volume = TOKEN_CAPACITY(platform, 0, workload, count)
        assert ACCELERATORS_REQUIRED(platform, 0, workload, volume) == count
        assert ACCELERATORS_REQUIRED(platform, 0, workload, volume * (1 + 1e-9)) == count + 1
        assert ACCELERATORS_REQUIRED(platform, 0, workload, volume / 3, 3.0) == count
    assert ACCELERATORS_REQUIRED(platform, 0, workload, 0) == 0
    assert ACCELERATORS_REQUIRED(platform, 0, workload, 1e-9) == 1


def test_accelerators_follow_the_time_and_not_the_rate():
    """Software gained later needs fewer; the rate counts for nothing, and warns of nothing."""
    counts = ACCELERATORS_REQUIRED("B200", [[0, 12, 36, 60]], CHAT, 1e8)[0]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < counts[0]
    with cells.listening() as notebook:
        early = ACCELERATORS_REQUIRED("B200", dt.date(2025, 6, 1), CHAT, 1e8)
        on_demand = [["rate_basis", "on_demand"]]
        assert ACCELERATORS_REQUIRED("B200", dt.date(2025, 6, 1), CHAT, 1e8, 1, on_demand) == early
    assert not any("rate" in warning for warning in notebook.warnings)


def test_what_is_no_volume_or_no_peak_says_so():
    """A negative volume and a peak below the mean are #NUM! and say what is meant."""
    is_error(ACCELERATORS_REQUIRED("B200", 0, CHAT, -1), "#NUM!", "volume")
    is_error(ACCELERATORS_REQUIRED("B200", 0, CHAT, 1, 0.99), "#NUM!", "peak_factor", "0.99")
    is_error(ACCELERATORS_REQUIRED("B200", 0, CHAT), "#VALUE!", "volume is missing")
    is_error(ACCELERATORS_REQUIRED("Gaudi 3", 0, CHAT, 1), "#N/A", "no usable evidence")


def test_a_volume_beyond_every_count_says_so():
    """A failure says what was wrong in the user's words."""
    huge = ACCELERATORS_REQUIRED("B200", 0, CHAT, 1e308, 10)
    is_error(huge, "#NUM!")
    assert "volume" in huge.message
