"""Books for the benchmarks: our functions beside arithmetic, all with saved values."""

import itertools
from pathlib import Path

import openpyxl

from xltoken.recalc.workbook import recalculate

PLATFORMS = ("H100", "H200", "B200", "GB200 NVL72")
WORKLOADS = (
    "deepseek-r1/chat",
    "deepseek-r1/batch",
    "deepseek-r1/summarize",
    "gpt-oss-120b/batch",
    "glm-5/summarize",
)
SETS = tuple(itertools.product(PLATFORMS, WORKLOADS))
FIRST_DAY = 46_000


def token_book(path: Path, calls: int, arithmetic: int) -> None:
    """Write `calls` TOKEN_COST cells (distinct months, 20 argument sets) and arithmetic cells."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("S")
    sheet.append(["rate", 2.0])
    for number in range(max(calls, arithmetic)):
        row = number + 2
        line: list[object] = [None] * 5
        if number < calls:
            platform, workload = SETS[number % len(SETS)]
            line[:4] = [
                platform,
                workload,
                FIRST_DAY + number // len(SETS),
                f"=TOKEN_COST(A{row},C{row},B{row})",
            ]
        if number < arithmetic:
            line[4] = f"=IFERROR(D{row},0)*$B$1+C{row}" if number < calls else f"=$B$1*2+C{row}/3"
        sheet.append(line)
    workbook.save(path)
    recalculate(path)


def arithmetic_book(path: Path, cells: int) -> None:
    """Write a book of `cells` formulas, ten a row, each reading two others."""
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("S")
    sheet.append([2.0, *(f"=A1+{n}" for n in range(1, 11))])
    letters = "BCDEFGHIJK"
    for row in range(2, cells // 10 + 1):
        sheet.append([row, *(f"={letter}{row - 1}*0.5+$A{row}" for letter in letters)])
    workbook.save(path)
    recalculate(path)
