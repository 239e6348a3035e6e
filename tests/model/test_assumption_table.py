"""Every row of the table of assumptions, pinned as the design has it, with its messages."""

import math

import pytest
from model_tools import assume

from xltoken.economics.domain import DomainError
from xltoken.model.assumptions import (
    BY_NAME,
    SCENARIOS,
    TABLE,
    Assumption,
    InputError,
    _decline,
    _spread,
    parse,
)

# Name, kind, unit, default, range as a person reads it: DESIGN.md, section 4.
ROWS = [
    ("scenario", "choice", "name", "base", "base, vendor, conservative"),
    ("start", "date", "date", None, "date"),
    ("as_of", "date", "date", None, "date"),
    ("catalog", "date", "date", None, "date"),
    ("rate_basis", "choice", "name", "own_hyperscaler", "own_hyperscaler, own_neocloud, rental_3yr, on_demand"),
    ("usd_per_accelerator_hour", "number", "USD per accelerator-hour", None, "above 0"),
    ("utilization", "number", "share", 1.0, "above 0 to 1"),
    ("overhead", "number", "share of the rate", 0.0, "from 0"),
    ("tokens_counted", "choice", "name", "output", "output, input, total"),
    ("min_tokens_per_second_per_user", "number", "tok/s/user", None, "from 0"),
    ("max_seconds_to_first_token", "number", "s", None, "above 0"),
    ("precision", "text", "name", "any", "text"),
    ("evidence", "choice", "grade", "vendor", "measured, peer_reviewed, vendor, claim"),
    ("kw_basis", "choice", "name", None, "utility, chip_and_host"),
    ("software_gain_per_month", "number", "share of throughput a month", None, "from 0 to 1"),
    ("rate_decline", "number", "share a year", 0.0, "below 1"),
    ("price_decline", "number", "share a year", 0.0, "below 1"),
    ("horizon_months", "count", "months", 60.0, "from 1 to 600"),
    ("timing", "choice", "name", "end", "end, mid, begin"),
    ("tax_rate", "number", "share of profit", 0.0, "from 0 below 1"),
    ("depreciation", "choice", "method", "straight_line", "straight_line, double_declining, sum_of_years, macrs_3, macrs_5, macrs_7"),
    ("life_years", "count", "years", 5.0, "from 1 to 100"),
    ("residual", "number", "USD", 0.0, "from 0"),
    ("opex_per_month", "number", "USD a month", 0.0, "from 0"),
    ("cost_decline_sd", "number", "share a year", 0.1, "from 0"),
    ("price_decline_sd", "number", "share a year", 0.1, "from 0"),
    ("volume_sd", "number", "log", 0.1, "from 0"),
    ("correlation", "number", "coefficient", 0.5, "from -1 to 1"),
    ("paths", "count", "paths", 8192.0, "from 1 to 1e+07"),
    ("seed", "count", "number", 1.0, "from 0 to 2.14748e+09"),
    ("confidence", "number", "share", 0.8, "above 0 below 1"),
    ("platforms", "text", "comma list", None, "text"),
]  # fmt: skip
# Name, a value beyond each end of its range, and how the message writes it.
OUTSIDE = [
    ("usd_per_accelerator_hour", 0, "0"),
    ("utilization", 0, "0"),
    ("utilization", 1.5, "1.5"),
    ("overhead", -0.1, "-0.1"),
    ("min_tokens_per_second_per_user", -1, "-1"),
    ("max_seconds_to_first_token", 0, "0"),
    ("software_gain_per_month", -0.5, "-0.5"),
    ("software_gain_per_month", 1.01, "1.01"),
    ("rate_decline", 1, "1"),
    ("price_decline", 1, "1"),
    ("price_decline", math.nan, "nan"),
    ("horizon_months", 0, "0"),
    ("horizon_months", 601, "601"),
    ("horizon_months", 1.5, "1.5"),
    ("tax_rate", -0.1, "-0.1"),
    ("tax_rate", 1, "1"),
    ("life_years", 0, "0"),
    ("life_years", 101, "101"),
    ("life_years", 2.5, "2.5"),
    ("residual", -1, "-1"),
    ("opex_per_month", -1, "-1"),
    ("cost_decline_sd", -0.1, "-0.1"),
    ("price_decline_sd", -0.1, "-0.1"),
    ("volume_sd", math.inf, "inf"),
    ("correlation", -1.5, "-1.5"),
    ("correlation", 1.5, "1.5"),
    ("paths", 0, "0"),
    ("paths", 1e7 + 1, "1e+07"),
    ("seed", -1, "-1"),
    ("seed", 2.0**31 + 1, "2.14748e+09"),
    ("confidence", 0, "0"),
    ("confidence", 1, "1"),
]


def test_the_table_is_that_of_the_design():
    """Names in order, kinds, units, defaults and ranges are these and no others."""
    assert [(a.name, a.kind, a.unit, a.default, a.range_text) for a in TABLE] == ROWS
    assert [BY_NAME[name.replace("_", "")].name for name, *_ in ROWS] == [n for n, *_ in ROWS]


def test_every_assumption_is_described():
    """Each has a sentence of help of its own."""
    helps = [a.help for a in TABLE]
    assert len(set(helps)) == len(helps)
    assert all(len(text) > 6 and text[0].isupper() for text in helps)
    assert all(text.endswith((".", "...")) for text in helps)


@pytest.mark.parametrize(("name", "value", "told"), OUTSIDE)
def test_a_number_out_of_range_is_told_with_range_and_unit(name, value, told):
    """The sentence has the name, the range, the unit and the number."""
    [(_, kind, unit, _, allowed)] = [row for row in ROWS if row[0] == name]
    whole = "a whole number, " if kind == "count" else ""
    with pytest.raises(DomainError) as refused:
        assume(**{name: value})
    assert str(refused.value) == (
        f"assumption {name} must be {whole}{allowed} ({unit}); it is {told}."
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("utilization", "a half", "assumption utilization is a number (share); it is 'a half'."),
        ("seed", True, "assumption seed is a number (number); it is True."),
        ("start", "today", "assumption start is a date; it is 'today'."),
        ("platforms", 3.0, "assumption platforms is a text; it is 3.0."),
        ("timing", "late", "assumption timing is one of end, mid, begin; it is 'late'."),
        ("timing", 1.0, "assumption timing is a text; it is 1.0."),
        (
            "utilisation",
            0.5,
            "there is no assumption 'utilisation'. Did you mean utilization?",
        ),
        ("zzzz", 0.5, "there is no assumption 'zzzz'."),
    ],
)
def test_a_value_of_another_kind_is_told(name, value, told):
    """The sentence says what the assumption is, and what it was given."""
    with pytest.raises(InputError) as refused:
        parse([(name, value)])
    assert str(refused.value) == told


def test_a_doubled_name_is_told():
    """The sentence has the name as the table spells it."""
    with pytest.raises(InputError) as refused:
        parse([("Tax Rate", 0.1), ("tax_rate", 0.1)])
    assert str(refused.value) == "assumption tax_rate is given twice."


def test_a_decline_is_any_share_below_one():
    """A decline: a share a year, 0 unless given, negative for a rise, below 1."""
    made = _decline("fall", "How it falls.")
    assert made == Assumption(
        name="fall",
        kind="number",
        unit="share a year",
        help="How it falls.",
        default=0.0,
        low=-math.inf,
        high=1.0,
        open_low=False,
        open_high=True,
        choices=(),
    )
    assert made.check(-9.0) == -9.0
    assert made.check(0.999) == 0.999
    with pytest.raises(DomainError, match=r"^assumption fall must be below 1 \(share a year\)"):
        made.check(1.0)


@pytest.mark.parametrize(("unit", "given"), [("share a year", ()), ("log", ("log",))])
def test_a_spread_is_a_tenth_and_never_negative(unit, given):
    """A spread: 0.1 unless given, 0 or more, a share a year where no other unit is said."""
    made = _spread("width", "How wide.", *given)
    assert made == Assumption(
        name="width",
        kind="number",
        unit=unit,
        help="How wide.",
        default=0.1,
        low=0.0,
        high=math.inf,
        open_low=False,
        open_high=False,
        choices=(),
    )
    assert made.check(0) == 0.0
    assert made.check(50.0) == 50.0
    with pytest.raises(DomainError, match=r"^assumption width must be from 0 "):
        made.check(-1e-9)


def test_scenarios_set_these_and_nothing_else():
    """What base, vendor and conservative set together is this table."""
    assert {name: dict(values) for name, values in SCENARIOS.items()} == {
        "base": {"evidence": "vendor", "rate_basis": "own_hyperscaler"},
        "vendor": {"evidence": "claim", "price_decline": 0.0},
        "conservative": {
            "evidence": "vendor",
            "software_gain_per_month": 0.0,
            "rate_basis": "own_neocloud",
            "price_decline": 0.5,
        },
    }
