"""Start-up: import and help against an empty interpreter, as ratios within one run.

Run with ``python benchmarks/start.py``.
"""

import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import xltoken": ["-c", "import xltoken"],
    "xltoken --help": ["-m", "xltoken", "--help"],
    "first TOKEN_COST": [
        "-c",
        "import xltoken; xltoken.TOKEN_COST('B200', 0, 'gpt-oss-120b/batch')",
    ],
    "import numpy": ["-c", "import numpy"],
    "import openpyxl": ["-c", "import openpyxl"],
}


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):  # in turn, so that a slow moment of the machine hits all alike
        for name, arguments in COMMANDS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            times[name].append(time.perf_counter() - begin)
    base = statistics.median(times["python -c pass"])
    print(f"{'':20} median s   times an empty interpreter")
    for name, seen in times.items():
        median = statistics.median(seen)
        print(f"{name:20} {median:8.3f}   {median / base:5.1f}x")


if __name__ == "__main__":
    main()
