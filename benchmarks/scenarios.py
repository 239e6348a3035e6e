"""Scenarios of the budget workbook in one loaded book, beside a recalculation of the file each.

Run with ``python benchmarks/scenarios.py``.
"""

import random
import tempfile
import time
from pathlib import Path

from xltoken.recalc.model import Model
from xltoken.recalc.workbook import recalculate
from xltoken.templates import new

SCENARIOS = 1_000
SEPARATE = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "budget.xlsx", Path(folder) / "out.xlsx"
        new("token_budget", path)
        model = Model.open(path)
        rng = random.Random(1)
        for name, watched in (
            ("discount_rate", "value_difference"),
            ("utilization", "cost_declining"),
            ("utilization", "value_difference"),
        ):
            place, output = model.input(name), model.output(watched)
            model.reset()
            values = [rng.uniform(0.05, 0.9) for _ in range(SCENARIOS)]
            model.run({place: values[0]}, [output])
            begin = time.perf_counter()
            found = [model.run({place: value}, [output])[0] for value in values]
            rate = SCENARIOS / (time.perf_counter() - begin)
            begin = time.perf_counter()
            apart = 0.0
            for number in range(0, SCENARIOS, SCENARIOS // SEPARATE):
                report = recalculate(path, out, [f"{name}={values[number]!r}"])
                ours, theirs = found[number], report.values[output]
                assert isinstance(ours, float)
                assert isinstance(theirs, float)
                apart = max(apart, abs(ours / theirs - 1))
            separate = SEPARATE / (time.perf_counter() - begin)
            print(
                f"{name} to {watched}: {rate:6.0f} scenarios a second, {rate / separate:4.0f} "
                f"times as fast as a file each; largest difference {apart:.1e}"
            )


if __name__ == "__main__":
    main()
