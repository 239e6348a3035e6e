"""Where everything stands in the budget workbook, and what it starts with."""

from typing import Final

MONTHS: Final = 60
FIRST: Final = 5  # the first period's column, E
LAST: Final = FIRST + MONTHS - 1
SHEETS: Final = ("Cover", "Inputs", "Calculations", "Outputs", "Checks", "Sources", "Changes")

# Label, workload, platform, first month's volume in millions of output tokens, growth a year.
WORKLOADS: Final = (
    ("Customer chat", "deepseek-r1/chat", "B200", 200_000.0, 0.40),
    ("Document summaries", "glm-5/summarize", "B200", 20_000.0, 0.25),
    ("Nightly batch", "gpt-oss-120b/batch", "GB200 NVL72", 1_000_000.0, 0.30),
)
USER: Final = "Set by you"
MASTER: Final = '=IF(all_checks=1,"OK","CHECK")'

# Assumption name, label, value; unit, range and default come from the assumption's definition.
ASSUMED: Final = (
    ("scenario", "Scenario", "base"),
    ("start", "First month", None),
    ("utilization", "Utilization of paid hours", 0.5),
    ("overhead", "Overhead on the hourly rate", 0.0),
    ("tokens_counted", "Tokens counted", "output"),
    ("rate_basis", "Rate basis (blank: the scenario's)", None),
    ("rate_decline", "Hourly rate falls a year", 0.0),
    ("software_gain_per_month", "Software gain a month (blank: the scenario's)", None),
    ("timing", "Payments fall at the ... of a month", "end"),
)
BLOCK: Final = 6  # first row of the assumptions on Inputs
DISCOUNT_ROW: Final = BLOCK + len(ASSUMED) + 1
TABLE_ROW: Final = DISCOUNT_ROW + 4  # first workload on Inputs
CHOICES_ROW: Final = TABLE_ROW + len(WORKLOADS) + 3

VOLUME, COST, FLAT = 11, 16, 20
SPEND, SPEND_FLAT = 24, 29
DIFFERENCE, PV, PV_FLAT = 34, 36, 37
NPV, NPV_FLAT = 40, 45

SOURCE_ROW: Final = 6  # first row of the evidence on Sources
FIELDS: Final = ("grade", "basis", "date", "age", "rows", "citation", "conditions", "url")
