"""Recalculation beside openpyxl, LibreOffice and the `formulas` library, as ratios in one run.

Run with ``python benchmarks/recalc.py [--quick]``. Every figure is taken in a process of its own:
start-up is in it, the peak of memory is its own, and both sides pay for their imports.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RUNS = 3


def openpyxl_saves(source: Path, target: Path) -> None:
    import openpyxl

    openpyxl.load_workbook(source).save(target)


def recalculates(source: Path, target: Path) -> None:
    from xltoken.recalc.workbook import recalculate

    recalculate(source, target)


def recalculates_an_input(source: Path, target: Path) -> None:
    from xltoken.recalc.workbook import recalculate

    recalculate(source, target, ["S!B1=3"])


def libreoffice_recalculates(source: Path, target: Path) -> None:
    from xltoken.recalc.judge import Book
    from xltoken.recalc.libreoffice import values
    from xltoken.recalc.package import read
    from xltoken.recalc.second import with_constants

    del target
    package = read(source)
    book = Book(package)
    own = {
        (name, *spot): book.fresh[name][spot]
        for name, spots in book.survey.own.items()
        for spot in spots
    }
    places = [("S", *spot) for spot in package.sheets["S"].formulas]
    begin = time.perf_counter()
    values(with_constants(package, {}, own), places, timeout=600.0)
    print(json.dumps({"inner": time.perf_counter() - begin}))


def formulas_recalculates(source: Path, target: Path) -> None:
    import formulas

    functions = formulas.get_functions()
    functions["TOKEN_COST"] = lambda *_: 1.0
    model = formulas.ExcelModel().loads(str(source)).finish()
    model.calculate()
    model.write(dirpath=str(target.parent / "formulas"))


CONTENDERS: dict[str, Callable[[Path, Path], None]] = {
    f.__name__: f
    for f in (
        openpyxl_saves,
        recalculates,
        recalculates_an_input,
        libreoffice_recalculates,
        formulas_recalculates,
    )
}


def measured(name: str, source: Path) -> tuple[float, float] | None:
    """Median seconds of a whole process, and its peak memory in MB; None if it cannot run."""
    seconds, peaks = [], []
    for _ in range(RUNS if name != "formulas_recalculates" else 1):
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, __file__, "--one", name, str(source)],
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.perf_counter() - begin
        if done.returncode:
            print(f"  {name}: not run ({done.stderr.strip().splitlines()[-1][:90]})")
            return None
        told = [json.loads(line) for line in done.stdout.splitlines()]
        seconds.append(next((t["inner"] for t in told if "inner" in t), took))
        peaks.append(told[-1]["peak"])
    return statistics.median(seconds), max(peaks)


def compared(title: str, source: Path, names: tuple[str, ...]) -> None:
    print(f"\n{title}, {source.stat().st_size / 1e6:.1f} MB; median of {RUNS} processes")
    base = None
    for name in names:
        found = measured(name, source)
        if found is None:
            continue
        base = base or found[0]
        print(
            f"  {name:26} {found[0]:7.2f} s   {base / found[0]:6.2f} times as fast as "
            f"{names[0]}   {found[1]:5.0f} MB"
        )


def main() -> None:
    from books import arithmetic_book, token_book

    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        sizes = [(1_000, 10_000)] if quick else [(10_000, 100_000), (100_000, 100_000)]
        for calls, arithmetic in sizes:
            source = Path(folder) / f"tokens{calls}.xlsx"
            token_book(source, calls, arithmetic)
            names = ["openpyxl_saves", "recalculates", "recalculates_an_input"]
            if calls <= 10_000:
                names.append("libreoffice_recalculates")
            compared(
                f"{calls:,} TOKEN_COST and {arithmetic:,} arithmetic cells", source, tuple(names)
            )
        source = Path(folder) / "few.xlsx"
        token_book(source, 500, 1_000)
        compared(
            "500 TOKEN_COST and 1,000 arithmetic cells",
            source,
            ("openpyxl_saves", "recalculates", "formulas_recalculates"),
        )
        print("\nGrowth: arithmetic cells, one process each")
        for cells in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
            source = Path(folder) / f"cells{cells}.xlsx"
            arithmetic_book(source, cells)
            found = measured("recalculates", source)
            if found:
                print(
                    f"  {cells:9,} cells {found[0]:7.2f} s   "
                    f"{found[0] / cells * 1e6:6.2f} us a cell   {found[1]:5.0f} MB"
                )


def one(name: str, source: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        CONTENDERS[name](source, Path(folder) / "out.xlsx")
    print(json.dumps({"peak": peak()}))


def peak() -> float:
    """Peak memory of this process in MB; the kernel's own count starts with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
