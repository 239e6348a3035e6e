"""NPV_SIMULATION against a loop over its paths, as a ratio within one run.

Run with ``python benchmarks/simulation.py [PATHS] [MONTHS]``. The loop is what a careful model
builder writes: for every path the cash flows of its months, as vectors, then numpy_financial's
npv. It is measured on a sample of the paths and must come to the same values. Neither side draws
its normals: the loop is given them, and NPV_SIMULATION keeps those of its seed from one cell to the
next. The first cell, which draws them, is shown beside.
"""

import math
import statistics
import sys
import time

import numpy as np
import numpy_financial as npf
from scipy.special import ndtri
from scipy.stats import qmc

from xltoken.economics.simulation import _kept, summarize
from xltoken.model.assumptions import parse
from xltoken.model.risk import npv_paths
from xltoken.model.valuation import program

RUNS = 5
SAMPLE = 5_000
WANTED = 100
RATE, VOLUME, COST, DECLINE, PRICE, INVESTMENT = 0.10, 1000.0, 0.11, 0.5, 0.25, 1000.0
SD, CORRELATION, SEED = 0.1, 0.5, 1


def normals(paths: int) -> np.ndarray:
    sobol = qmc.Sobol(3, scramble=True, bits=30, seed=SEED)
    one, two, three = ndtri(sobol.random_base2((paths - 1).bit_length())[:paths].T + 2.0**-31)
    return np.stack([one, CORRELATION * one + math.sqrt(1 - CORRELATION**2) * two, three], axis=1)


def looped(drawn: np.ndarray, months: int) -> np.ndarray:
    years = np.arange(1, months + 1) / 12
    costs, prices = COST * (1 - DECLINE) ** years, np.full(months, PRICE)
    monthly = (1 + RATE) ** (1 / 12) - 1
    spread = SD * years
    values = []
    for cost, price, volume in drawn:
        sold = VOLUME * math.exp(SD * volume - SD**2 / 2)
        unit_costs = costs * np.exp(spread * cost - spread**2 / 2)
        unit_prices = prices * np.exp(spread * price - spread**2 / 2)
        flows = np.concatenate(([-INVESTMENT], sold * (unit_prices - unit_costs)))
        values.append(npf.npv(monthly, flows))
    return np.array(values)


def timed(action) -> float:  # noqa: ANN001
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def main() -> None:
    paths = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    months = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    given = [("paths", float(paths)), ("seed", float(SEED)), ("horizon_months", float(months))]
    assumptions = parse(given)
    built = program(VOLUME, COST, DECLINE, PRICE, INVESTMENT, 0.0, assumptions)
    drawn = normals(paths)[:SAMPLE]
    values = npv_paths(built, RATE, assumptions)
    apart = np.max(np.abs(values[: len(drawn)] / looped(drawn, months) - 1))
    ours, first, loop = [], [], []
    for _ in range(RUNS):  # in turn, so that a slow moment of the machine hits both alike
        _kept.cache_clear()
        first.append(timed(lambda: summarize(npv_paths(built, RATE, assumptions))))
        ours.append(timed(lambda: summarize(npv_paths(built, RATE, assumptions))))
        loop.append(timed(lambda: looped(drawn, months)) * paths / len(drawn))
    base = statistics.median(loop)
    print(f"{paths:,} paths of {months} months, median of {RUNS}; largest difference {apart:.1e}")
    print(f"{f'loop, from {len(drawn):,} paths':32} {base:8.4f} s")
    for name, seen in (("NPV_SIMULATION", ours), ("the first, with its draws", first)):
        median = statistics.median(seen)
        print(f"{name:32} {median:8.4f} s   {base / median:4.0f} times faster")
    print(f"wanted: NPV_SIMULATION {WANTED} times faster")


if __name__ == "__main__":
    main()
