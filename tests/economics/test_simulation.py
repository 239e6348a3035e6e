import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import norm, qmc

from xltoken.economics.discounting import TIMINGS, clock
from xltoken.economics.domain import DomainError
from xltoken.economics.simulation import (
    PERCENTILES,
    Spreads,
    simulate_npv,
    summarize,
)

MONEY = st.floats(0, 1e6)
AMOUNTS = st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=72).map(
    lambda pairs: (np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))
)
SDS = st.floats(0, 0.3)
SPREADS = st.builds(Spreads, SDS, SDS, SDS, st.floats(-1, 1))
CLOCKS = st.sampled_from(list(TIMINGS))


def drawn(paths: int, seed: int) -> np.ndarray:
    """Draws as scipy makes them: the next power of two at once, the first of them taken."""
    sobol = qmc.Sobol(3, scramble=True, bits=30, seed=seed)
    return ndtri(sobol.random_base2((paths - 1).bit_length())[:paths] + 2.0**-31)


def long_way(
    npv: float,
    revenues: np.ndarray,
    costs: np.ndarray,
    timing: str,
    spreads: Spreads,
    paths: int,
    seed: int,
) -> np.ndarray:
    """Value every path month by month, with a matrix of paths and months."""
    years = clock(len(costs), timing) / 12
    one, two, three = drawn(paths, seed).T
    two = spreads.correlation * one + math.sqrt(1 - spreads.correlation**2) * two
    cost, price = spreads.cost_decline_sd * years, spreads.price_decline_sd * years
    paid = np.exp(np.outer(one, cost) - cost**2 / 2) @ costs
    earned = np.exp(np.outer(two, price) - price**2 / 2) @ revenues
    sold = np.exp(spreads.volume_sd * three - spreads.volume_sd**2 / 2)
    certain = npv - (revenues.sum() - costs.sum())
    return certain + sold * (earned - paid)


# --- paths ---------------------------------------------------------------------------------------


@given(st.floats(-1e6, 1e6), AMOUNTS, CLOCKS, SPREADS, st.integers(1, 200), st.integers(0, 9))
def test_a_path_is_its_sum_over_the_months(npv, amounts, timing, spreads, paths, seed) -> None:
    """Horner's rule gives what the months of each path give one by one, at every timing."""
    revenues, costs = amounts
    told = (npv, revenues, costs, timing, spreads, paths, seed)
    money = 1 + abs(npv) + revenues.sum() + costs.sum()
    found, expected = simulate_npv(*told), long_way(*told)
    assert found.shape == (paths,)
    moved = money + np.abs(expected - npv)
    assert np.all(np.abs(found - expected) <= 1e-10 * 10 * moved)


@given(st.floats(-1e6, 1e6), AMOUNTS, CLOCKS, st.floats(-1, 1), st.integers(1, 3000))
def test_without_a_spread_every_path_is_the_expected_one(
    npv, amounts, timing, correlation, paths
) -> None:
    """With every sd 0, every figure is the value of the expected path to the last bit."""
    spreads = Spreads(correlation=correlation)
    values = simulate_npv(npv, *amounts, timing, spreads, paths, 1)
    assert np.all(values == npv)
    summary = summarize(values)
    assert (summary.mean, summary.sd) == (npv, 0.0)
    assert set(summary.percentiles) == {npv}
    assert summary.chance_of_loss == (npv < 0)


@settings(max_examples=40)
@given(AMOUNTS, CLOCKS, SPREADS, st.integers(0, 99))
def test_the_mean_is_the_expected_value(amounts, timing, spreads, seed) -> None:
    """Every factor has mean 1, so the mean is the expected value, within 3 standard errors."""
    npv = float(amounts[0].sum() - amounts[1].sum())
    summary = summarize(simulate_npv(npv, *amounts, timing, spreads, 4096, seed))
    money = amounts[0].sum() + amounts[1].sum()
    error = summary.sd / math.sqrt(summary.paths)
    assert abs(summary.mean - npv) <= 3 * error + 1e-12 * money


def one_month(spreads: Spreads, revenue: float, cost: float, month: int, n: int) -> np.ndarray:
    """Values of a program whose money all moves in one month."""
    amounts = np.zeros((2, month))
    amounts[:, -1] = revenue, cost
    return simulate_npv(revenue - cost, *amounts, "end", spreads, n, 7)


@pytest.mark.parametrize(("sd", "month"), [(0.1, 12), (0.1, 60), (0.3, 36), (0.5, 24)])
def test_a_cost_is_lognormal(sd: float, month: int) -> None:
    """The cost of one month has the moments and percentiles of its lognormal."""
    costs = -one_month(Spreads(cost_decline_sd=sd), 0.0, 100.0, month, 2**15)
    spread = sd * month / 12
    assert costs.mean() == pytest.approx(100, rel=0.01)
    expected = 100 * math.sqrt(math.expm1(spread**2))
    assert costs.std() == pytest.approx(expected, rel=0.06)
    for percentile in PERCENTILES:
        quantile = 100 * math.exp(spread * norm.ppf(percentile / 100) - spread**2 / 2)
        assert np.percentile(costs, percentile) == pytest.approx(quantile, rel=0.005)


def test_volume_moves_cost_and_price_together() -> None:
    """An uncertain volume alone scales the whole margin by one lognormal."""
    values = one_month(Spreads(volume_sd=0.4), 300.0, 100.0, 60, 2**14)
    logs = np.log(values / 200.0)
    assert logs.mean() == pytest.approx(-(0.4**2) / 2, abs=1e-3)
    assert logs.std() == pytest.approx(0.4, rel=5e-3)


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.0, 0.5, 0.9, 1.0])
def test_correlation_is_between_cost_and_price(correlation: float) -> None:
    """The logarithms of cost and price correlate as asked; a dear path earns more when positive."""
    cost = one_month(Spreads(0.2, 0.2, 0.0, correlation), 0.0, 1.0, 12, 2**13)
    price = one_month(Spreads(0.2, 0.2, 0.0, correlation), 1.0, 0.0, 12, 2**13)
    found = np.corrcoef(np.log(-cost), np.log(price))[0, 1]
    assert found == pytest.approx(correlation, abs=0.01)


def test_full_correlation_cancels() -> None:
    """With equal spreads, correlation 1 and equal money the margin is the same on every path."""
    values = one_month(Spreads(0.2, 0.2, 0.0, 1.0), 500.0, 500.0, 24, 1000)
    assert np.all(np.abs(values) < 1e-9)


# --- draws ---------------------------------------------------------------------------------------

PROGRAM = (5.0, np.array([3.0, 4.0, 5.0]), np.array([2.0, 3.0, 2.0]), "mid")


@given(st.integers(1, 600), st.integers(1, 600), st.integers(0, 2**31))
def test_more_paths_keep_the_old_ones(few: int, many: int, seed: int) -> None:
    """Fewer paths are the first of more, and no number of paths warns."""
    few, many = sorted((few, many))
    spreads = Spreads(0.2, 0.1, 0.1, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = (simulate_npv(*PROGRAM, spreads, n, seed) for n in (few, many))
    assert np.array_equal(one, two[:few])


@pytest.mark.parametrize("paths", [1, 3, 8192, 16_384, 16_385, 40_000, 131_073])
def test_blocks_do_not_show(paths: int) -> None:
    """However many blocks the paths are worked in, they are those of one draw."""
    told = (*PROGRAM, Spreads(0.3, 0.2, 0.1, -0.4), paths, 11)
    assert simulate_npv(*told) == pytest.approx(long_way(*told), rel=1e-12)


def test_a_seed_gives_the_same_paths_in_every_process() -> None:
    """The same seed gives the same bits in this process and in a new one; another seed does not."""
    told = (*PROGRAM, Spreads(0.3, 0.2, 0.1, 0.5), 3000)
    here = simulate_npv(*told, 5)
    assert np.array_equal(here, simulate_npv(*told, 5))
    assert not np.array_equal(here, simulate_npv(*told, 6))
    code = (
        "import numpy as np; from xltoken.economics.simulation import Spreads, simulate_npv;"
        "v = simulate_npv(5.0, np.array([3.0, 4.0, 5.0]), np.array([2.0, 3.0, 2.0]), 'mid',"
        "Spreads(0.3, 0.2, 0.1, 0.5), 3000, 5); print(v.tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here.tobytes().hex()


def test_asking_for_another_seed_between_changes_nothing() -> None:
    """Draws that are kept are those of their own seed and number of paths."""
    told = (*PROGRAM, Spreads(0.3, 0.2, 0.1, 0.5))
    first = {(n, seed): simulate_npv(*told, n, seed) for n in (5, 100, 200) for seed in (1, 2, 3)}
    for (n, seed), values in reversed(first.items()):
        assert np.array_equal(values, simulate_npv(*told, n, seed))


def test_the_extreme_draws_are_finite() -> None:
    """The lowest and the highest cell of a draw have a finite normal, the one minus the other."""
    low, high = ndtri(np.array([0.0, 1 - 2.0**-30]) + 2.0**-31)
    assert low == pytest.approx(-high, rel=1e-6)
    assert -6.3 < low < -6


# --- wide spreads and long horizons --------------------------------------------------------------


def growing(months: int, decline: float) -> np.ndarray:
    """Amounts that decline on the clock."""
    return 1000.0 * (1 - decline) ** (np.arange(1, months + 1) / 12)


def test_fifty_years_at_a_wide_spread_are_refused() -> None:
    """600 months at sd 2 have their mean on paths that no sample draws: refused, not shown wrong."""
    with pytest.raises(DomainError, match=r"too wide .* 9\d% of the money .* 1 in 8192"):
        simulate_npv(0.0, 0 * growing(600, 0), growing(600, 0), "end", Spreads(2.0), 8192, 1)
    with pytest.raises(DomainError, match="too wide"):
        simulate_npv(0.0, growing(600, 0), 0 * growing(600, 0), "end", Spreads(0, 2.0), 8192, 1)
    with pytest.raises(DomainError, match="too wide"):
        simulate_npv(0.0, growing(1, 0), growing(1, 0), "end", Spreads(volume_sd=5.0), 8192, 1)


@pytest.mark.parametrize("timing", list(TIMINGS))
@pytest.mark.parametrize("sd", [0.3, 2.0, 40.0, 1e3, 1e308])
def test_a_long_tail_that_weighs_nothing_does_no_harm(sd: float, timing: str) -> None:
    """600 months whose money moves at once are simulated right however wide the tail would be."""
    costs = np.full(600, 1e-12)
    costs[0] = 1000.0
    told = (-1000.0, 0 * costs, costs, timing, Spreads(sd), 2000, 1)
    if timing != "begin" and sd >= 40:
        with pytest.raises(DomainError, match="too wide"):
            simulate_npv(*told)
        return
    values = simulate_npv(*told)
    years = clock(600, timing)[0] / 12
    spread = sd * years if years else 0.0
    expected = -1000 * np.exp(spread * drawn(2000, 1)[:, 0] - spread * spread / 2)
    # The tail's own paths, where e^(sd z years) makes something of it.
    assert np.all(values <= expected * (1 - 1e-9) + 1e-6)
    assert np.median(values) == pytest.approx(np.median(expected), rel=1e-9, abs=1e-6)
    assert summarize(values).mean == pytest.approx(-1000, rel=0.2)


@pytest.mark.parametrize("timing", list(TIMINGS))
def test_a_wide_spread_of_a_steep_decline_is_the_matrix(timing: str) -> None:
    """Where the money declines faster than its spread widens, 600 months match the long way."""
    costs = growing(600, 0.9999)
    told = (-float(costs.sum()), 0 * costs, costs, timing, Spreads(2.0), 3000, 3)
    assert simulate_npv(*told) == pytest.approx(long_way(*told), rel=1e-9)


def test_more_paths_see_further() -> None:
    """A spread that 8192 paths do not show is shown by a million."""
    costs = growing(300, 0.05)
    told = (-float(costs.sum()), 0 * costs, costs, "end", Spreads(0.125))
    with pytest.raises(DomainError, match="1 in 8192"):
        simulate_npv(*told, 8192, 1)
    summary = summarize(simulate_npv(*told, 2**20, 1))
    assert summary.mean == pytest.approx(told[0], rel=0.01)


def test_few_paths_are_judged_as_the_default_number() -> None:
    """A handful of paths is nobody's mean, and says so by its own sd: it is not refused."""
    assert len(simulate_npv(*PROGRAM, Spreads(0.1, 0.1, 0.1), 1, 1)) == 1


def test_no_money_has_no_spread() -> None:
    """Without revenue and cost there is nothing uncertain, whatever the spreads."""
    nothing = np.zeros(12)
    values = simulate_npv(-7.0, nothing, nothing, "end", Spreads(1e308, 1e308, 1e308), 10, 1)
    assert np.all(values == -7.0)


def test_a_value_beyond_every_number_is_refused() -> None:
    """Paths that overflow are refused, never infinite and never a warning."""
    huge = np.full(3, 1e308)
    with pytest.raises(DomainError, match="beyond every number"):
        simulate_npv(0.0, huge, 0 * huge, "end", Spreads(0.1), 100, 1)
    with pytest.raises(DomainError, match="beyond every number"):
        simulate_npv(0.0, np.full(3, math.inf), huge, "end", Spreads(0.1), 100, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"npv": math.nan}, "npv must be a finite number"),
        ({"paths": 0}, "1 path or more"),
        ({"seed": -1}, "a seed is 0 or more"),
        ({"timing": "late"}, "timing is one of"),
    ],
)
def test_outside_the_domain(change: dict[str, object], message: str) -> None:
    """Numbers outside the domain of a simulation are refused by name."""
    told = {
        "npv": 0.0, "revenues": np.ones(2), "costs": np.ones(2), "timing": "end",
        "spreads": Spreads(), "paths": 4, "seed": 1,
    }  # fmt: skip
    with pytest.raises(DomainError, match=message):
        simulate_npv(**{**told, **change})


@pytest.mark.parametrize(
    ("spreads", "message"),
    [
        ((-0.1,), "cost_decline_sd is a standard deviation"),
        ((0.1, math.inf), "price_decline_sd must be a finite number"),
        ((0.1, 0.1, -1.0), "volume_sd is a standard deviation"),
        ((0.1, 0.1, 0.1, 1.01), "correlation lies between"),
        ((0.1, 0.1, 0.1, math.nan), "correlation lies between"),
    ],
)
def test_spreads_outside_their_domain(spreads: tuple[float, ...], message: str) -> None:
    """A spread below 0 or a correlation beyond 1 is refused by name."""
    with pytest.raises(DomainError, match=message):
        Spreads(*spreads)


# --- summary -------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=50))
def test_a_summary_is_numpys(numbers: list[float]) -> None:
    """Mean, sd, percentiles and chance of loss are numpy's, also where squares overflow."""
    values = np.array(numbers)
    summary = summarize(values)
    size = float(np.max(np.abs(values))) or 1.0
    assert summary.mean / size == pytest.approx(np.mean(values / size), abs=1e-12)
    assert summary.sd / size == pytest.approx(np.std(values / size), abs=1e-12)
    assert summary.percentiles == tuple(np.percentile(values, PERCENTILES, method="linear"))
    assert summary.chance_of_loss == sum(v < 0 for v in numbers) / len(numbers)
    assert summary.paths == len(numbers)


def test_rows_are_named_in_order() -> None:
    """A summary shows nine figures with their names."""
    rows = summarize(np.array([-1.0, 3.0])).rows()
    assert rows == [
        ("mean", 1.0),
        ("sd", 2.0),
        ("p5", pytest.approx(-0.8)),
        ("p10", pytest.approx(-0.6)),
        ("p50", 1.0),
        ("p90", pytest.approx(2.6)),
        ("p95", pytest.approx(2.8)),
        ("chance of loss", 0.5),
        ("paths", 2.0),
    ]


def test_a_summary_of_nothing_or_too_much_is_refused() -> None:
    """No paths, and paths whose distance no float holds, are refused."""
    with pytest.raises(DomainError, match="1 path or more"):
        summarize(np.array([]))
    with pytest.raises(DomainError, match="beyond every number"):
        summarize(np.array([-1.7e308, 1.7e308]))
