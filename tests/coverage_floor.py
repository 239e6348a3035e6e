"""Branch coverage of the parts that compute: all of it, read from coverage's own data."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

PARTS = ("economics", "catalog", "model", "functions")
FLOOR = 100.0


def main() -> int:
    """Print the share of each part and fail below the floor."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        subprocess.run(
            [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)], check=True
        )
        files = json.loads(report.read_text(encoding="utf-8"))["files"]
    low = 0
    for part in PARTS:
        mine = [
            data["summary"]
            for name, data in files.items()
            if f"xltoken/{part}/" in name.replace("\\", "/")
        ]
        known = sum(s["num_statements"] + s["num_branches"] for s in mine)
        seen = sum(s["covered_lines"] + s["covered_branches"] for s in mine)
        share = 100.0 * seen / known
        low += share < FLOOR
        print(f"{part}: {share:.1f} % of lines and branches (floor {FLOOR:.0f} %)")  # noqa: T201
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
