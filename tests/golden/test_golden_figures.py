"""Figures that somebody else published, each computed through the public functions.

A figure's tolerance is absolute: half a unit of its last printed digit unless its `why` says more.
Currency is USD, tokens are counted in millions.
"""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from golden_tools import laid_over, lay

import xltoken


@dataclass(frozen=True)
class Figure:
    """A published value, where it stands, and how the public functions give it."""

    name: str
    source: str
    published: float
    compute: Callable[[], float]
    within: float
    why: str = ""


def number(value: object) -> float:
    """The number in a cell; an error mark fails with its message."""
    assert not isinstance(value, str), f"{value}: {getattr(value, 'message', '')}"
    return float(value)  # type: ignore[arg-type]


# --- depreciation --------------------------------------------------------------------------------

IRS = "IRS Publication 946 (2024), table A-1, half-year convention, https://www.irs.gov/publications/p946"
MACRS = {
    3: (33.33, 44.45, 14.81, 7.41),
    5: (20.00, 32.00, 19.20, 11.52, 11.52, 5.76),
    7: (14.29, 24.49, 17.49, 12.49, 8.93, 8.92, 8.93, 4.46),
}


def charge(cost: float, salvage: float, life: float, year: float, method: str) -> float:
    """USD of depreciation in a year."""
    return number(xltoken.DEPRECIATION_CHARGE(cost, salvage, life, year, method))


DEPRECIATION = [
    Figure(
        f"macrs-{life}-year-{year}",
        IRS,
        percent,
        lambda life=life, year=year: charge(100.0, 0.0, life, year, f"macrs_{life}"),
        0.0101,
        "the table's percentages are rounded so that they add up to 100",
    )
    for life, percents in MACRS.items()
    for year, percent in enumerate(percents, 1)
]

# --- Microsoft's own examples ---------------------------------------------------------------------

OFFICE = "https://support.microsoft.com/en-us/office/"
SLN = f"Microsoft, SLN function, {OFFICE}sln-function-cdb666e5-c1c6-40a7-806a-e695edc2f1c8"
SYD = f"Microsoft, SYD function, {OFFICE}syd-function-069f8106-b60b-4ca2-98e0-2a0f206bdb27"
DDB = f"Microsoft, DDB function, {OFFICE}ddb-function-519a7a37-8772-4c96-85c0-ed2c209717a5"
NPV = f"Microsoft, NPV function, {OFFICE}npv-function-8672cb67-2576-4d07-b67b-ac28acf2a568"
IRR = f"Microsoft, IRR function, {OFFICE}irr-function-64925eaa-9988-495b-b290-3ad0c163c1bc"
PMT = f"Microsoft, PMT function, {OFFICE}pmt-function-0214da64-9a63-4996-bc20-214433fa6441"
PV = f"Microsoft, PV function, {OFFICE}pv-function-23879d31-0e02-4321-be01-da16e8168cbd"
RATE = f"Microsoft, RATE function, {OFFICE}rate-function-9f665657-4a7e-4bb7-a030-83fc59e748ce"


def yearly(rate: float, flows: list[float], investment: float = 0.0) -> float:
    """NPV_STATIC of yearly flows: they fall in every twelfth month, one token each."""
    months = 12 * len(flows)
    volumes, costs, prices = ([0.0] * months for _ in range(3))
    for year, flow in enumerate(flows, 1):
        volumes[12 * year - 1] = 1.0
        costs[12 * year - 1] = max(-flow, 0.0)
        prices[12 * year - 1] = max(flow, 0.0)
    return number(xltoken.NPV_DECLINING(rate, volumes, costs, 0.0, prices, investment))


def monthly_rate(nominal: float) -> float:
    """Effective annual rate of a nominal one that compounds by the month."""
    return (1.0 + nominal / 12.0) ** 12 - 1.0


def roots(flows: list[float], periods_per_year: float = 1.0) -> list[float]:
    """All internal rates of return."""
    found = xltoken.IRR_ALL(flows, periods_per_year)
    assert not isinstance(found, str), found.message
    return [row[0] for row in found]


def payment(rate: float, months: int, **told: float | str) -> float:
    """USD a month that a level payment is: the levelized cost of one token a month."""
    return number(xltoken.LEVELIZED_COST(rate, [1.0] * months, 0.0, **told))


BUSINESS = [-70_000.0, 12_000.0, 15_000.0, 18_000.0, 21_000.0, 26_000.0]
SHOES = [8_000.0, 9_200.0, 10_000.0, 12_000.0, 14_500.0]
MICROSOFT = [
    Figure("sln", SLN, 2250.0, lambda: charge(30_000.0, 7_500.0, 10, 1, "straight_line"), 0.005),
    Figure(
        "syd-year-1", SYD, 4090.91, lambda: charge(30_000.0, 7_500.0, 10, 1, "sum_of_years"), 0.005
    ),
    Figure(
        "syd-year-10", SYD, 409.09, lambda: charge(30_000.0, 7_500.0, 10, 10, "sum_of_years"), 0.005
    ),
    Figure(
        "ddb-year-1", DDB, 480.0, lambda: charge(2400.0, 300.0, 10, 1, "double_declining"), 0.005
    ),
    Figure(
        "ddb-year-10", DDB, 22.12, lambda: charge(2400.0, 300.0, 10, 10, "double_declining"), 0.005
    ),
    Figure(
        "npv", NPV, 1188.44, lambda: yearly(0.10, [-10_000.0, 3_000.0, 4_200.0, 6_800.0]), 0.005
    ),
    Figure("npv-outlay-today", NPV, 1922.06, lambda: yearly(0.08, SHOES, 40_000.0), 0.005),
    Figure(
        "npv-loss-in-year-6",
        NPV,
        -3749.47,
        lambda: yearly(0.08, [*SHOES, -9_000.0], 40_000.0),
        0.005,
    ),
    Figure("irr-4-years", IRR, -0.021, lambda: roots(BUSINESS[:5])[0], 0.0005),
    Figure("irr-5-years", IRR, 0.087, lambda: roots(BUSINESS)[0], 0.0005),
    Figure("irr-2-years", IRR, -0.444, lambda: roots(BUSINESS[:3])[0], 0.0005),
    Figure(
        "pmt-end", PMT, 1037.03, lambda: payment(monthly_rate(0.08), 10, investment=10_000.0), 0.005
    ),
    Figure(
        "pmt-begin",
        PMT,
        1030.16,
        lambda: payment(monthly_rate(0.08), 10, investment=10_000.0, timing="begin"),
        0.005,
    ),
    Figure(
        "pmt-saving",
        PMT,
        -129.08,
        lambda: payment(monthly_rate(0.06), 216, residual=50_000.0),
        0.005,
    ),
    Figure(
        "pv-annuity",
        PV,
        59_777.15,
        lambda: number(xltoken.NPV_STATIC(monthly_rate(0.08), [1.0] * 240, 0.0, 500.0)),
        0.005,
    ),
    Figure(
        "rate-of-a-loan",
        RATE,
        0.0924,
        lambda: 12.0 * ((1.0 + roots([8_000.0] + [-200.0] * 48, 12.0)[0]) ** (1 / 12) - 1.0),
        0.00005,
    ),
]

# --- textbook finance -----------------------------------------------------------------------------

PUMP = "Lorie and Savage (1955), Three problems in rationing capital, Journal of Business 28(4); figures as in https://www.assignmentexpert.com/homework-answers/economics/finance/question-131526"
TWO_RATES = "textbook project -100, 230, -132 = -100 (1+r)^-2 (r - 10 %)(r - 20 %); https://en.wikipedia.org/wiki/Internal_rate_of_return"
SIMPLE_PAYBACK = "Brealey, Myers and Allen as worked in https://calcdomain.com/payback-period"
LCOE = "worked example, NREL's simple LCOE formula, https://qammunity.org/11588887"
LEARNING = "Wideman, Learning curve mathematics (Wright 1936), http://www.maxwideman.com/papers/resource/appendix2.htm"
EXPONENT = "learning index log 0.8 / log 2, https://quesba.com/questions/company-working-75-percent-learning-curve-decided-production-standard-565100"
LLMFLATION = "a16z, LLMflation (2024-11): 60 USD in November 2021 to 0.06 USD three years later, 10x a year, https://a16z.com/llmflation-llm-inference-cost"
EPOCH = "Epoch AI (2025-03), prices for a fixed score fall 9x to 900x a year, https://epoch.ai/data-insights/llm-inference-price-trends"
DISCOUNTED = "2,324,000 and 600,000 a year at 11 %: after year 5 -106,462, in year 6 320,785, http://shoppersshootout.info/payback-period-formula-with-discount-rate.html (after accountingexplained.com)"


def payback(flows: list[float], rate_a_period: float = 0.0) -> float:
    """Periods to pay back: the months of the function stand for the book's years."""
    return number(xltoken.PAYBACK_MONTHS(flows, (1.0 + rate_a_period) ** 12 - 1.0))


def yearly_levelized(rate: float, years: int, units: float, cost: float, outlay: float) -> float:
    """Levelized cost with yearly units and yearly costs."""
    volumes, costs = [0.0] * (12 * years), [0.0] * (12 * years)
    volumes[11::12], costs[11::12] = [units] * years, [cost] * years
    return number(xltoken.LEVELIZED_COST(rate, volumes, costs, outlay))


TEXTBOOKS = [
    Figure("irr-two-rates-low", TWO_RATES, 0.10, lambda: roots([-100.0, 230.0, -132.0])[0], 1e-10),
    Figure("irr-two-rates-high", TWO_RATES, 0.20, lambda: roots([-100.0, 230.0, -132.0])[1], 1e-10),
    Figure("irr-pump-low", PUMP, 0.25, lambda: roots([-1_600.0, 10_000.0, -10_000.0])[0], 1e-10),
    Figure("irr-pump-high", PUMP, 4.00, lambda: roots([-1_600.0, 10_000.0, -10_000.0])[1], 1e-10),
    Figure("payback", SIMPLE_PAYBACK, 3.33, lambda: payback([-10_000.0] + [3_000.0] * 5), 0.005),
    Figure(
        "payback-uneven",
        "https://indextestingapp.uonbi.ac.ke/preguntia/13683340",
        3.375,
        lambda: payback([-70_000.0, 10_000.0, 20_000.0, 25_000.0, 40_000.0, 40_000.0, 20_000.0]),
        0.0005,
    ),
    Figure(
        "payback-year-4",
        "https://social.tvp-ot.gfolkdev.net/respuestas/13017815",
        3.08,
        lambda: payback([-180_000.0, 60_000.0, 40_000.0, 70_000.0, 125_000.0, 35_000.0]),
        0.005,
    ),
    Figure(
        "payback-discounted",
        "https://qammunity.org/6510750",
        2.68,
        lambda: payback([-20_000.0, 6_000.0, 12_000.0, 9_000.0, 14_000.0], 0.10),
        0.005,
    ),
    Figure(
        "payback-discounted-3.241",
        "https://qammunity.org/11944892",
        3.241,
        lambda: payback([-750_000.0, 250_000.0, 300_000.0, 300_000.0, 300_000.0, 100_000.0], 0.10),
        0.001,
        "the source rounds its factors to three digits",
    ),
    Figure(
        "payback-discounted-year-6",
        DISCOUNTED,
        5.0 + 106_462.0 / 320_785.0,
        lambda: payback([-2_324_000.0] + [600_000.0] * 6, 0.11),
        1e-5,
    ),
    Figure(
        "npv-after-six-years",
        DISCOUNTED,
        214_323.0,
        lambda: yearly(0.11, [600_000.0] * 6, 2_324_000.0),
        1.0,
        "the source rounds each year",
    ),
    Figure(
        "capital-recovery-factor",
        LCOE,
        0.14903,
        lambda: yearly_levelized(0.08, 10, 1.0, 0.0, 1.0),
        5e-6,
    ),
    Figure(
        "levelized-cost-of-energy",
        LCOE,
        0.1559,
        lambda: yearly_levelized(0.08, 10, 8760 * 0.22, 8760 * 0.22 * 0.04, 1_500.0),
        1e-4,
        "the source cuts 0.11599 to 0.1159",
    ),
    Figure(
        "wright-2", LEARNING, 0.80, lambda: number(xltoken.LEARNING_CURVE(1.0, 2.0, 0.2)), 1e-12
    ),
    Figure(
        "wright-4", LEARNING, 0.64, lambda: number(xltoken.LEARNING_CURVE(1.0, 4.0, 0.2)), 1e-12
    ),
    Figure(
        "wright-exponent",
        EXPONENT,
        -0.322,
        lambda: math.log10(number(xltoken.LEARNING_CURVE(1.0, 10.0, 0.2))),
        0.0005,
    ),
    Figure(
        "llmflation", LLMFLATION, 0.06, lambda: number(xltoken.COST_CURVE(60.0, 36.0, 0.9)), 1e-12
    ),
    Figure(
        "price-trend-9x",
        EPOCH,
        9.0,
        lambda: 1.0 / number(xltoken.COST_CURVE(1.0, 12.0, 8.0 / 9.0)),
        1e-9,
    ),
]

# --- TensorRT-LLM's table -------------------------------------------------------------------------

TRTLLM = "NVIDIA TensorRT-LLM performance overview (1.1-1.2, 2026), output tok/s per GPU, https://github.com/NVIDIA/TensorRT-LLM/blob/03e27c7d5ff0/docs/source/developer-guide/perf-overview.md"
NEW_YEAR = dt.date(2026, 1, 1)


def capacity(platform: str, day: dt.date, workload: str, **told: float | str) -> float:
    """Counted tok/s per accelerator, from the tokens that it serves in a month."""
    assumed = [[name, value] for name, value in told.items()] or None
    served = number(xltoken.TOKEN_CAPACITY(platform, day, workload, 1.0, assumed))
    return served * 1e6 / (3600.0 * 730.0)


def cost(platform: str, day: dt.date, workload: str, **told: float | str) -> float:
    """USD per 1M counted tokens."""
    assumed = [[name, value] for name, value in told.items()] or None
    return number(xltoken.TOKEN_COST(platform, day, workload, assumed))


TENSORRT = [
    Figure(
        f"trtllm-{platform}-{shape}",
        TRTLLM,
        printed,
        lambda platform=platform, shape=shape: capacity(
            platform, NEW_YEAR, f"gpt-oss-120b/{shape}", min_tokens_per_second_per_user=0.0
        ),
        0.5,
        "1000/1000 and 1024/1024 are one shape: the higher of the two counts",
    )
    for platform, shape, printed in (
        ("B200", "batch", 25_943.0),
        ("GB200 NVL72", "batch", 27_198.0),
        ("H200", "batch", 6_868.0),
        ("H100", "batch", 4_715.0),
        ("B200", "summarize", 6_111.0),
        ("GB200 NVL72", "summarize", 6_835.0),
        ("H200", "summarize", 1_828.0),
        ("H100", "summarize", 1_169.0),
        ("B200", "reasoning", 17_289.0),
        ("H200", "reasoning", 3_543.0),
    )
]

# --- MLPerf Inference -----------------------------------------------------------------------------

MLPERF = {
    "v5.1": "MLPerf Inference v5.1 (2025-09-09), closed, Offline, {}; per accelerator is our division, https://github.com/mlcommons/inference_results_v5.1/blob/965182b03376/closed/{}/performance/run_1/mlperf_log_summary.txt",
    "v4.1": "MLPerf Inference v4.1 (2024-08-28), closed, Offline, {}; per accelerator is our division, https://github.com/mlcommons/inference_results_v4.1/blob/198fc46799b3/closed/{}/performance/run_1/mlperf_log_summary.txt",
}
MLPERF_DAYS = {"v5.1": dt.date(2025, 9, 9), "v4.1": dt.date(2024, 8, 28)}
MLPERF_RUNS = [
    Figure(
        f"mlperf-{version}-{platform}-{model}",
        MLPERF[version].format(run.split("/")[0], run),
        tokens / accelerators,
        lambda platform=platform, model=model, version=version: capacity(
            platform,
            MLPERF_DAYS[version],
            f"{model}/mlperf",
            evidence="peer_reviewed",
            as_of=MLPERF_DAYS[version],
        ),
        0.01,
    )
    for version, platform, model, tokens, accelerators, run in (
        ("v5.1", "MI300X", "llama-2-70b", 27_854.4, 8, "MangoBoost/results/8xMI300X_2xEPYC_9534/llama2-70b-99.9/Offline"),
        ("v5.1", "MI325X", "llama-2-70b", 34_555.0, 8, "AMD/results/8xMI325X_2xEPYC_9575F_2/llama2-70b-99.9/Offline"),
        ("v5.1", "H200", "llama-2-70b", 35_316.7, 8, "Dell/results/XE9680_H200_SXM_141GBx8_TRT/llama2-70b-99.9/Offline"),
        ("v5.1", "B200", "llama-2-70b", 102_909.0, 8, "Lenovo/results/SR680a_V3_B200SXMx8_TRT/llama2-70b-99.9/Offline"),
        ("v5.1", "GB200 NVL72", "llama-2-70b", 52_061.6, 4, "Azure/results/ND_GB200_v6/llama2-70b-99/Offline"),
        ("v5.1", "MI325X", "mixtral-8x7b", 70_035.6, 8, "Vultr/results/8xMI325X_2xEPYC_9575F/mixtral-8x7b/Offline"),
        ("v5.1", "H200", "mixtral-8x7b", 62_108.4, 8, "HPE/results/HPE_Cray_XD670_H200_SXM_141GBx8_TRT/mixtral-8x7b/Offline"),
        ("v4.1", "H100", "mixtral-8x7b", 26_824.4, 4, "Dell/results/XE8640_H100_SXM_80GBx4_TRT/mixtral-8x7b/Offline"),
        ("v4.1", "MI300X", "llama-2-70b", 3_062.72, 1, "AMD/results/1xMI300X_2xEPYC-9374F/llama2-70b-99.9/Offline"),
        ("v4.1", "B200", "llama-2-70b", 11_264.4, 1, "NVIDIA/results/B200-SXM-180GBx1_TRT/llama2-70b-99.9/Offline"),
        ("v4.1", "H200", "mixtral-8x7b", 59_334.8, 8, "GigaComputing/results/GIGABYTE_G593_SD1_H200_SXM_141GBx8_TRT/mixtral-8x7b/Offline"),
    )
]  # fmt: skip

# --- InferenceX: costs of measured points, at the catalog's own rates -------------------------------

BLOG = "SemiAnalysis InferenceX, https://inferencex.semianalysis.com/blog/"
GLM5 = BLOG + "b200-glm5-nvfp4-vs-h200-fp8-3-6x-perf-per-dollar (2026-05-26)"
GLM5_AMD = BLOG + "mi355x-glm5-fp8-sglang-40-cheaper-than-b200 (2026-05-25)"
MINIMAX = BLOG + "b200-minimax-m2-5-vllm-nvfp4-vs-h100-fp8-perf-per-dollar (2026-05-26)"
KIMI = BLOG + "b200-nvfp4-vs-h200-int4-kimi-k2-vllm-perf-per-dollar (2026-05-26)"
RACKS = BLOG + "gb300-nvl72-vs-gb200-nvl72-dsv4-pro-vllm-fp4 (2026-05-27)"
DISAGGREGATED = BLOG + "gb200-nvl72-vs-b200-disagg-deepseek-r1-fp4-dynamo-trt (2026-05-23)"
QWEN = BLOG + "mi355x-qwen3-5-sglang-v0-5-12-up-to-17x (2026-05-25)"
MAY = {n: dt.date(2026, 5, n) for n in (19, 20, 22, 25)}
INFERENCEX = [
    Figure(
        f"inferencex-{workload.partition('/')[0]}-{platform}-{precision}-{speed:g}",
        source,
        printed,
        lambda platform=platform, workload=workload, day=day, precision=precision, speed=speed: (
            cost(
                platform,
                day,
                workload,
                precision=precision,
                tokens_counted="total",
                min_tokens_per_second_per_user=speed,
            )
        ),
        within,
    )
    for source, day, workload, platform, precision, speed, printed, within in (
        (GLM5, MAY[25], "glm-5/summarize", "H200", "fp8", 84.49, 1.13, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "H200", "fp8", 59.82, 0.80, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "H200", "fp8", 39.64, 0.58, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "H200", "fp8", 24.90, 0.46, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "B200", "fp8", 100.85, 1.30, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "B200", "fp8", 38.16, 0.42, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "B200", "nvfp4", 140.08, 0.94, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "B200", "nvfp4", 66.27, 0.24, 0.005),
        (GLM5, MAY[25], "glm-5/summarize", "B200", "nvfp4", 17.63, 0.13, 0.005),
        (GLM5_AMD, MAY[20], "glm-5/summarize", "MI355X", "fp8", 76.80, 0.66, 0.005),
        (GLM5_AMD, MAY[20], "glm-5/summarize", "MI355X", "fp8", 35.82, 0.34, 0.005),
        (GLM5_AMD, MAY[20], "glm-5/summarize", "MI355X", "fp8", 90.43, 1.10, 0.005),
        (GLM5_AMD, MAY[20], "glm-5/summarize", "MI355X", "fp8", 6.69, 0.19, 0.005),
        (MINIMAX, MAY[22], "minimax-m2.5/summarize", "H100", "fp8", 110.93, 0.76, 0.005),
        (MINIMAX, MAY[22], "minimax-m2.5/summarize", "H100", "fp8", 69.09, 0.30, 0.005),
        (MINIMAX, MAY[22], "minimax-m2.5/summarize", "H100", "fp8", 21.19, 0.12, 0.005),
        (MINIMAX, MAY[22], "minimax-m2.5/summarize", "B200", "fp8", 112.30, 0.28, 0.005),
        (MINIMAX, MAY[22], "minimax-m2.5/summarize", "B200", "nvfp4", 180.26, 0.70, 0.005),
        (KIMI, MAY[19], "kimi-k2.5/summarize", "H200", "int4", 91.18, 1.019, 0.0005),
        (KIMI, MAY[19], "kimi-k2.5/summarize", "H200", "int4", 46.64, 0.491, 0.0005),
        (KIMI, MAY[19], "kimi-k2.5/summarize", "B200", "int4", 104.36, 1.213, 0.0005),
        (KIMI, MAY[19], "kimi-k2.5/summarize", "B200", "nvfp4", 125.51, 1.018, 0.0005),
        (RACKS, MAY[22], "deepseek-v4-pro/summarize", "GB200 NVL72", "nvfp4", 74.13, 18.72, 0.005),
        (RACKS, MAY[22], "deepseek-v4-pro/summarize", "GB200 NVL72", "nvfp4", 28.31, 0.31, 0.005),
        (RACKS, MAY[22], "deepseek-v4-pro/summarize", "GB300 NVL72", "nvfp4", 73.43, 5.31, 0.005),
        (RACKS, MAY[22], "deepseek-v4-pro/summarize", "GB300 NVL72", "nvfp4", 25.91, 0.11, 0.005),
        (DISAGGREGATED, MAY[22], "deepseek-r1/chat", "GB200 NVL72", "nvfp4", 257.11, 3.72, 0.005),
        (DISAGGREGATED, MAY[22], "deepseek-r1/chat", "B200", "nvfp4", 191.18, 1.46, 0.005),
        (QWEN, MAY[19], "qwen3.5-397b-a17b/summarize", "MI355X", "fp8", 75.22, 0.32, 0.005),
        (QWEN, MAY[19], "qwen3.5-397b-a17b/summarize", "MI355X", "fp8", 11.56, 0.06, 0.005),
    )
]

# --- rates and power ------------------------------------------------------------------------------

APP_MARCH = "InferenceX-app constants, SemiAnalysis TCO, 2026-03-18 to 2026-08-13, https://github.com/SemiAnalysisAI/InferenceX-app (commit c410b1f, packages/app/src/lib/constants.ts)"
APP_AUGUST = "InferenceX-app constants, SemiAnalysis TCO, from 2026-08-14, https://github.com/vngcloud/InferenceX-app/blob/7fe6d62a/packages/constants/src/gpu-keys.ts"
R1 = "deepseek-r1/summarize"


def rate(platform: str, day: dt.date, basis: str) -> float:
    """USD per accelerator-hour: TOKEN_COST x TOKEN_CAPACITY over the hours of a month."""
    told = [["rate_basis", basis], ["min_tokens_per_second_per_user", 0.0]]
    paid = number(xltoken.TOKEN_COST(platform, day, R1, told))
    return paid * number(xltoken.TOKEN_CAPACITY(platform, day, R1, 1.0, told)) / 730.0


def kilowatts(platform: str) -> float:
    """Power of an accelerator: its tokens per second over those of a megawatt."""
    told = [["min_tokens_per_second_per_user", 0.0]]
    day = dt.date(2026, 9, 1)
    each = number(xltoken.TOKEN_CAPACITY(platform, day, R1, 1.0, told)) * 1e6 / (3600.0 * 730.0)
    return each / number(xltoken.TOKENS_PER_MEGAWATT(platform, day, R1, told)) * 1000.0


RATES = [
    Figure(
        f"rate-{platform}-{basis}-{day}",
        source,
        printed,
        lambda platform=platform, day=day, basis=basis: rate(platform, day, basis),
        1e-9,
    )
    for source, day, basis, figures in (
        (APP_MARCH, dt.date(2026, 6, 1), "own_hyperscaler", (1.30, 1.41, 1.95, 2.21, 1.12, 1.28, 1.48)),
        (APP_MARCH, dt.date(2026, 6, 1), "own_neocloud", (1.69, 1.74, 2.34, 2.75, 1.40, 1.59, 1.90)),
        (APP_AUGUST, dt.date(2026, 9, 1), "own_hyperscaler", (1.17, 1.22, 1.73, 1.86, 0.95, 1.10, 1.50)),
        (APP_AUGUST, dt.date(2026, 9, 1), "rental_3yr", (1.78, 2.05, 2.60, 2.60, 1.30, 1.60, 2.10)),
    )
    for platform, printed in zip(
        ("H100", "H200", "B200", "GB200 NVL72", "MI300X", "MI325X", "MI355X"), figures, strict=True
    )
]  # fmt: skip
POWER = [
    Figure(
        f"kilowatts-{platform}",
        APP_AUGUST,
        printed,
        lambda platform=platform: kilowatts(platform),
        1e-9,
    )
    for platform, printed in (
        ("H100", 1.37), ("H200", 1.37), ("B200", 1.71), ("B300", 1.90), ("GB200 NVL72", 1.87),
        ("GB300 NVL72", 2.12), ("MI300X", 1.39), ("MI325X", 1.69), ("MI355X", 2.09),
    )
]  # fmt: skip

# --- list prices ----------------------------------------------------------------------------------

GENAI = "genai-prices (Pydantic, MIT), prices/providers/{}.yml, https://github.com/pydantic/genai-prices"
PRICES = [
    Figure(
        f"price-{provider}-{model}-{kind}",
        GENAI.format(provider),
        printed,
        lambda model=model, provider=provider, kind=kind: number(
            xltoken.TOKEN_PRICE(model, dt.date(2026, 6, 1), provider, kind)
        ),
        1e-12,
    )
    for provider, model, kind, printed in (
        ("groq", "gpt-oss-120b", "input", 0.15),
        ("groq", "gpt-oss-120b", "output", 0.60),
        ("azure", "gpt-4", "input", 30.0),
        ("azure", "gpt-4", "output", 60.0),
        ("openai", "gpt-4o", "input", 2.50),
        ("openai", "gpt-4o", "output", 10.0),
    )
]

# --- the headlines --------------------------------------------------------------------------------

TWO_CENTS = "NVIDIA (2025-10-09), two cents per million tokens on gpt-oss-120b, https://developer.nvidia.com/blog/nvidia-blackwell-leads-on-new-semianalysis-inferencemax-benchmarks; rate of SemiAnalysis (2026-03)"
FIVE_TIMES = "NVIDIA (2025-10-09), 5x lower cost per token in two months, 0.11 to 0.02 USD, https://developer.nvidia.com/blog/nvidia-blackwell-leads-on-new-semianalysis-inferencemax-benchmarks"
MILLIONS = "NVIDIA (2025-10-09), GB200 NVL72: 5 million USD bring 75 million USD, 15x, DeepSeek-R1 8k/1k at 50 tok/s/user and 10,000 tok/s/GPU over three years, https://developer.nvidia.com/blog/nvidia-blackwell-leads-on-new-semianalysis-inferencemax-benchmarks"
HOPPER = "NVIDIA (2026-02-16 and 2026-04-15), GB300 NVL72 against H200: 54K and 2.8M tok/s/MW, 4.20 and 0.12 USD per 1M, 50x and 35x, https://blogs.nvidia.com/blog/lowest-token-cost-ai-factories and https://blogs.nvidia.com/blog/data-blackwell-ultra-performance-lower-cost-agentic-ai"
FEBRUARY = dt.date(2026, 2, 16)
OCTOBER = dt.date(2025, 10, 9)


@pytest.fixture(scope="module")
def headlines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's catalog of the operating points that the headlines state."""
    folder = tmp_path_factory.mktemp("headlines")
    titles = (
        "date", "platform", "model", "tokens_in", "tokens_out", "tokens_per_second_total",
        "tokens_per_second_per_user",
    )  # fmt: skip
    points = [
        (OCTOBER, "GB200 NVL72", "headline-r1", 8192, 1024, 10_000, 50),
        (FEBRUARY, "H200", "headline-agent", 8192, 1024, 90, 100),
        (FEBRUARY, "GB300 NVL72", "headline-agent", 8192, 1024, 6_000, 100),
    ]
    lay(folder, "observations.csv", titles, [dict(zip(titles, p, strict=True)) for p in points])
    titles = (
        "platform", "basis", "valid_from", "usd_per_accelerator_hour", "kw_per_accelerator",
        "kw_basis",
    )  # fmt: skip
    # 1.67 and 2.14 kW are what 54,000 and 2.8 million tok/s per MW imply.
    powers = [
        ("H200", "own_hyperscaler", FEBRUARY, 1.41, 90 / 54_000 * 1000, "chip_and_host"),
        ("GB300 NVL72", "own_hyperscaler", FEBRUARY, 2.65, 2.14, "chip_and_host"),
    ]
    lay(folder, "rates.csv", titles, [dict(zip(titles, p, strict=True)) for p in powers])
    return folder


def revenue(*, price_decline: float = 0.0, utilization: float = 1.0, months: int = 36) -> float:
    """USD that 72 accelerators of the headline earn at 1.10 USD per 1M tokens, undiscounted."""
    told = [["tokens_counted", "total"], ["utilization", utilization]]
    sold = xltoken.TOKEN_CAPACITY("GB200 NVL72", OCTOBER, "headline-r1/summarize", 72.0, told)
    how = [["timing", "mid"], ["price_decline", price_decline], ["horizon_months", months]]
    return number(xltoken.NPV_STATIC(0.0, number(sold), 0.0, 1.10, 0.0, how))


def agent(platform: str) -> float:
    """USD per 1M total tokens of the agentic headline."""
    return cost(platform, FEBRUARY, "headline-agent/summarize", tokens_counted="total")


def per_megawatt(platform: str) -> float:
    """Tok/s per MW of the agentic headline."""
    told = [["tokens_counted", "total"]]
    return number(xltoken.TOKENS_PER_MEGAWATT(platform, FEBRUARY, "headline-agent/summarize", told))


def two_months(day: dt.date) -> float:
    """Vendor's statement of gpt-oss-120b on B200, 2.34 USD an hour."""
    return cost("B200", day, "gpt-oss-120b/batch", scenario="vendor", usd_per_accelerator_hour=2.34)


OWN = "our arithmetic on it: half of it sold, prices falling"
HEADLINES = [
    Figure(
        "two-cents",
        TWO_CENTS,
        0.02,
        lambda: cost("B200", NEW_YEAR, "gpt-oss-120b/batch", usd_per_accelerator_hour=1.95),
        0.005,
    ),
    Figure(
        "two-cents-to-four-digits",
        TWO_CENTS + "; 1.95 / (25,943 x 3,600 / 1e6)",
        0.0209,
        lambda: cost("B200", NEW_YEAR, "gpt-oss-120b/batch", usd_per_accelerator_hour=1.95),
        0.00005,
    ),
    Figure("five-times-before", FIVE_TIMES, 0.11, lambda: two_months(dt.date(2025, 8, 5)), 0.005),
    Figure("five-times-after", FIVE_TIMES, 0.02, lambda: two_months(OCTOBER), 0.005),
    Figure(
        "five-times",
        FIVE_TIMES,
        5.0,
        lambda: two_months(dt.date(2025, 8, 5)) / two_months(OCTOBER),
        1e-9,
    ),
    Figure("75-million", MILLIONS, 75e6, revenue, 0.5e6),
    Figure("15-times", MILLIONS, 15.0, lambda: revenue() / 5e6, 0.5),
    Figure(
        "15-times-is-3.15",
        f"{MILLIONS}; {OWN} by half a year",
        3.15,
        lambda: revenue(price_decline=0.5, utilization=0.5) / 5e6,
        0.01,
        "the 75 million and the price of 1.10 are rounded",
    ),
    Figure(
        "15-times-is-1.08",
        f"{MILLIONS}; {OWN} by 90 % a year",
        1.08,
        lambda: revenue(price_decline=0.9, utilization=0.5) / 5e6,
        0.005,
    ),
    Figure(
        "15-times-is-25",
        f"{MILLIONS}; the same over 60 months",
        25.0,
        lambda: revenue(months=60) / 5e6,
        0.5,
    ),
    Figure("35-times-hopper-by-its-formula", HOPPER, 4.35, lambda: agent("H200"), 0.005),
    Figure(
        "35-times-hopper",
        HOPPER,
        4.20,
        lambda: agent("H200"),
        0.16,
        "1.41 / (90 x 3,600 / 1e6) is 4.35: the published 4.20 is not what it states",
    ),
    Figure("35-times-blackwell", HOPPER, 0.12, lambda: agent("GB300 NVL72"), 0.005),
    Figure("35-times", HOPPER, 35.0, lambda: agent("H200") / agent("GB300 NVL72"), 0.5),
    Figure("54-thousand-per-megawatt", HOPPER, 54_000.0, lambda: per_megawatt("H200"), 500.0),
    Figure("2.8-million-per-megawatt", HOPPER, 2.8e6, lambda: per_megawatt("GB300 NVL72"), 0.05e6),
    Figure(
        "50-times-per-megawatt",
        HOPPER,
        50.0,
        lambda: per_megawatt("GB300 NVL72") / per_megawatt("H200"),
        2.0,
        "2.8 million over 54,000 is 51.9: the headline rounds down",
    ),
]

FIGURES = [
    *DEPRECIATION, *MICROSOFT, *TEXTBOOKS, *TENSORRT, *MLPERF_RUNS, *INFERENCEX, *RATES, *POWER,
    *PRICES,
]  # fmt: skip


def check(figure: Figure) -> None:
    """Compare a figure with what is published."""
    found = figure.compute()
    told = f"{found!r}, published {figure.published!r}: {figure.source}"
    assert abs(found - figure.published) <= figure.within, told


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_published_figure(figure: Figure):
    """What is published comes out of the public functions on the shipped catalog."""
    check(figure)


@pytest.mark.parametrize("figure", HEADLINES, ids=lambda figure: figure.name)
def test_a_headline_under_its_own_conditions(figure: Figure, headlines: Path):
    """A headline comes out of a user's catalog that holds nothing but the conditions it states."""
    with laid_over(headlines):
        check(figure)


def test_every_figure_names_its_source():
    """Each figure is cited with an address, and no name stands twice."""
    every = [*FIGURES, *HEADLINES]
    assert all("http" in figure.source for figure in every)
    assert len({figure.name for figure in every}) == len(every) >= 50
