"""Recalculation against openpyxl's load and save of the same book, as a ratio within one run.

Run with ``python benchmarks/recalc.py [ROWS]``: a book of so many TOKEN_COST cells and as many
arithmetic cells.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import openpyxl

from xltoken.recalc.workbook import recalculate

RUNS = 3


def book(path: Path, rows: int) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["B200", "deepseek-r1/chat", 2.0])
    for row in range(2, rows + 2):
        sheet.append([row % 60, f"=TOKEN_COST($A$1,A{row},$B$1)", f"=B{row}*$C$1+A{row}"])
    workbook.save(path)


def timed(action) -> float:  # noqa: ANN001
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        source, first, second = (Path(folder) / n for n in ("a.xlsx", "b.xlsx", "c.xlsx"))
        book(source, rows)
        recalculate(source, first)
        ours, theirs, one = [], [], []
        for _ in range(RUNS):
            ours.append(timed(lambda: recalculate(first, second)))
            one.append(timed(lambda: recalculate(first, second, ["Sheet!C1=3"])))
            theirs.append(timed(lambda: openpyxl.load_workbook(first).save(second)))
        base = statistics.median(theirs)
        print(f"{rows:,} TOKEN_COST cells and {rows:,} arithmetic cells, median of {RUNS}")
        for name, seen in (("openpyxl load and save", theirs), ("recalc, nothing changed", ours),
                           ("recalc, one input set", one)):  # fmt: skip
            median = statistics.median(seen)
            print(f"{name:26} {median:7.2f} s   {median / base:5.2f} of openpyxl")


if __name__ == "__main__":
    main()
