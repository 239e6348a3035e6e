"""Where everything stands in the self-test, and what its mark can say."""

from typing import Final

SHEETS: Final = (
    "Cover", "Inputs", "Functions", "Hosts", "Arrays", "Checks", "Sources", "Changes",
)  # fmt: skip
MASTER: Final = "=verdict"
LABEL: Final = "This host"
TOLERANCE: Final = 1e-9
SAVED_BY: Final = "engine"
"""What XLTOKEN_INFO calls the host that the saved values come from."""

FIRST_CASE: Final = 6
"""First row of a case, on Functions and on Hosts alike."""
ARGUMENT: Final = 6
"""Column of the first argument."""
ARGUMENTS: Final = 8
(
    ROW, COLUMN, LIVE, READ, EXPECTED, KIND, OFF, ALLOWED, EXACT, CATALOG, LIMIT, THERE, MET,
) = "NOPQRSTUVWXYZ"  # fmt: skip
COLUMNS: Final = (
    ("Case", 6), ("Result", 8), ("Function", 25), ("Family or subject", 12),
    ("What the case shows", 46),
    ("Argument 1", 17), ("Argument 2", 21), ("Argument 3", 22),
    *((f"Argument {i}", 14) for i in range(4, ARGUMENTS + 1)),
    ("Row", 6), ("Column", 8), ("Result here", 20), ("Errors named", 20), ("Expected", 20),
    ("Same kind", 7), ("Off by", 10), ("Allowed", 10), ("To the last digit", 9),
    ("Rests on the catalog", 9), ("Hosts that cannot tell", 25), ("What they give", 10),
    ("They gave it", 9),
)  # fmt: skip
"""Heading and width of each column of a sheet of cases."""

VERDICTS: Final = (
    ("NO FUNCTIONS", "XLTOKEN_INFO gives no text: the functions are not installed here."),
    ("FAIL", "Some figure is not what the core gives: look for FAIL on the sheets of cases."),
    ("OTHER CATALOG", ("No failure: another catalog or version here. Make the book anew here: "
     "xltoken new self_test")),
    ("PASS", "Every function gives here what the core gives."),
)  # fmt: skip
"""What the mark can say; the first whose condition holds is what it says."""
