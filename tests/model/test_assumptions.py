import math
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import assume

from xltoken.catalog import store
from xltoken.economics.domain import DomainError
from xltoken.model.assumptions import (
    BY_NAME,
    NONE,
    SCENARIOS,
    TABLE,
    Assumptions,
    InputError,
    parse,
)

# Name, value just inside, value just outside; from the table of the design.
EDGES = [
    ("usd_per_accelerator_hour", 1e-9, 0.0),
    ("utilization", 1.0, 1.0000001),
    ("utilization", 1e-9, 0.0),
    ("overhead", 0.0, -1e-9),
    ("min_tokens_per_second_per_user", 0.0, -1.0),
    ("max_seconds_to_first_token", 1e-9, 0.0),
    ("software_gain_per_month", 0.0, -0.01),
    ("rate_decline", 0.999, 1.0),
    ("price_decline", -3.0, 1.0),
    ("horizon_months", 1.0, 0.0),
    ("horizon_months", 600.0, 601.0),
    ("horizon_months", 12.0, 12.5),
    ("tax_rate", 0.999, 1.0),
    ("tax_rate", 0.0, -0.1),
    ("life_years", 1.0, 0.0),
    ("residual", 0.0, -1.0),
    ("opex_per_month", 0.0, -1.0),
    ("volume_sd", 0.0, -0.1),
    ("cost_decline_sd", 0.0, -0.1),
    ("price_decline_sd", 0.0, -0.1),
    ("correlation", -1.0, -1.01),
    ("correlation", 1.0, 1.01),
    ("paths", 1.0, 0.0),
    ("seed", 0.0, -1.0),
    ("confidence", 0.999, 1.0),
    ("confidence", 0.001, 0.0),
]


@pytest.mark.parametrize(("name", "inside", "outside"), EDGES)
def test_ranges(name: str, inside: float, outside: float) -> None:
    """A number at the edge of its range is taken, one beyond it is outside the domain."""
    assert assume(**{name: inside}).get(name) == inside
    with pytest.raises(DomainError, match=name):
        assume(**{name: outside})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["overhead", "seed", "rate_decline"])
def test_no_infinities(name: str, value: float) -> None:
    """A number that is not finite is outside every range, also an open one."""
    with pytest.raises(DomainError, match=name):
        assume(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("utilization", "0.5"),
        ("utilization", True),
        ("utilization", date(2026, 1, 1)),
        ("start", 46000.0),
        ("start", "2026-01-01"),
        ("scenario", 1.0),
        ("precision", 4.0),
        ("platforms", 1.0),
        ("timing", False),
    ],
)
def test_wrong_kind(name: str, value: object) -> None:
    """A value of another kind is refused with the name of the assumption."""
    with pytest.raises(InputError, match=name):
        parse([(name, value)])


@pytest.mark.parametrize(
    ("name", "value", "listed"),
    [
        ("scenario", "bull", "base, vendor, conservative"),
        ("timing", "middle", "end, mid, begin"),
        ("tokens_counted", "both", "output, input, total"),
        ("evidence", "rumour", "measured, peer_reviewed, vendor, claim"),
    ],
)
def test_unknown_choice(name: str, value: str, listed: str) -> None:
    """An unknown choice is refused with the list of those that exist."""
    with pytest.raises(InputError, match=listed):
        parse([(name, value)])


@pytest.mark.parametrize("typed", ["peer reviewed", "Peer-Reviewed", "PEER_REVIEWED"])
def test_choices_are_text_keys(typed: str) -> None:
    """A choice is found whatever its case, spaces, hyphens and underscores."""
    assert assume(evidence=typed).get("evidence") == "peer_reviewed"


@pytest.mark.parametrize("typed", ["tax rate", "Tax-Rate", "TAXRATE"])
def test_names_are_text_keys(typed: str) -> None:
    """A name is found whatever its case, spaces, hyphens and underscores."""
    assert parse([(typed, 0.25)]).get("tax_rate") == 0.25


def test_unknown_name_is_answered_with_a_suggestion() -> None:
    """A misspelt name is refused with the nearest one."""
    with pytest.raises(InputError, match=r"'utilisation'.*Did you mean utilization\?"):
        parse([("utilisation", 0.5)])


def test_unknown_name_without_a_likeness() -> None:
    """A name like no other is refused without a guess."""
    with pytest.raises(InputError, match="zzzz") as refused:
        parse([("zzzz", 0.5)])
    assert "Did you mean" not in str(refused.value)


def test_unknown_name_counts_even_when_blank() -> None:
    """A misspelt name is refused though its value is blank."""
    with pytest.raises(InputError):
        parse([("utilisation", None)])


def test_doubled_name() -> None:
    """A name given twice is refused, also in two spellings with one value."""
    with pytest.raises(InputError, match="utilization is given twice"):
        parse([("utilization", 0.5), ("Utilization", 0.5)])


def test_blank_is_not_given() -> None:
    """A blank value is as if the row were not there, and may be given elsewhere."""
    assert parse([("utilization", None)]) == NONE
    assert parse([("utilization", None), ("utilization", 0.5)]).get("utilization") == 0.5


@given(st.permutations([("overhead", 0.1), ("seed", 3.0), ("timing", "mid"), ("tax_rate", 0.2)]))
def test_order_does_not_matter(pairs: list[tuple[str, object]]) -> None:
    """The same assumptions in another order are equal and hash alike."""
    ordered = parse(sorted(pairs, key=lambda pair: pair[0]))
    assert parse(pairs) == ordered
    assert hash(parse(pairs)) == hash(ordered)


@pytest.mark.parametrize(
    ("scenario", "name", "value"),
    [
        ("base", "evidence", "vendor"),
        ("base", "rate_basis", "own_hyperscaler"),
        ("base", "software_gain_per_month", None),
        ("base", "price_decline", 0.0),
        ("vendor", "evidence", "claim"),
        ("vendor", "price_decline", 0.0),
        ("conservative", "evidence", "vendor"),
        ("conservative", "software_gain_per_month", 0.0),
        ("conservative", "rate_basis", "own_neocloud"),
        ("conservative", "price_decline", 0.5),
        *[(scenario, "utilization", 1.0) for scenario in SCENARIOS],
    ],
)
def test_scenarios(scenario: str, name: str, value: object) -> None:
    """A scenario sets what the design says, and utilization is 1 in all of them."""
    given_one = assume(scenario=scenario)
    assert given_one.scenario == scenario
    assert given_one.get(name) == value


def test_precedence() -> None:
    """The user's value goes before the scenario's, the workload's and the default."""
    workload = store.load().workload("deepseek-r1/reasoning")
    slow = replace(workload, max_seconds_to_first_token=3.0)
    assert NONE.get("min_tokens_per_second_per_user", workload) == 50.0
    assert NONE.get("min_tokens_per_second_per_user") is None
    assert NONE.get("max_seconds_to_first_token", workload) is None
    assert NONE.get("max_seconds_to_first_token", slow) == 3.0
    given_zero = assume(min_tokens_per_second_per_user=0, max_seconds_to_first_token=9.0)
    assert given_zero.get("min_tokens_per_second_per_user", workload) == 0.0
    assert given_zero.get("max_seconds_to_first_token", slow) == 9.0
    conservative = assume(scenario="conservative", price_decline=0.1)
    assert conservative.get("price_decline") == 0.1
    assert conservative.get("rate_basis") == "own_neocloud"
    assert conservative.get("rate_basis", workload) == "own_neocloud"


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("scenario", "base"),
        ("rate_basis", "own_hyperscaler"),
        ("utilization", 1.0),
        ("overhead", 0.0),
        ("tokens_counted", "output"),
        ("precision", "any"),
        ("evidence", "vendor"),
        ("rate_decline", 0.0),
        ("price_decline", 0.0),
        ("horizon_months", 60.0),
        ("timing", "end"),
        ("tax_rate", 0.0),
        ("depreciation", "straight_line"),
        ("life_years", 5.0),
        ("residual", 0.0),
        ("opex_per_month", 0.0),
        ("cost_decline_sd", 0.1),
        ("price_decline_sd", 0.1),
        ("volume_sd", 0.1),
        ("correlation", 0.5),
        ("paths", 8192.0),
        ("seed", 1.0),
        ("confidence", 0.8),
        *[
            (name, None)
            for name in (
                "start",
                "as_of",
                "catalog",
                "usd_per_accelerator_hour",
                "min_tokens_per_second_per_user",
                "max_seconds_to_first_token",
                "kw_basis",
                "software_gain_per_month",
                "platforms",
            )
        ],
    ],
)
def test_defaults(name: str, default: object) -> None:
    """What nobody sets has the default of the design."""
    assert NONE.get(name) == default
    assert not NONE.gives(name)


def test_table_is_complete() -> None:
    """The table holds the 32 names of the design, each once."""
    assert len(TABLE) == len(BY_NAME) == 32


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("scenario", "base, vendor, conservative"),
        ("start", "date"),
        ("as_of", "date"),
        ("utilization", "above 0 to 1"),
        ("tax_rate", "from 0 below 1"),
        ("rate_decline", "below 1"),
        ("usd_per_accelerator_hour", "above 0"),
        ("max_seconds_to_first_token", "above 0"),
        ("horizon_months", "from 1 to 600"),
        ("precision", "text"),
        ("platforms", "text"),
    ],
)
def test_texts_for_people(name: str, allowed: str) -> None:
    """A reference page can print each range in words."""
    found = next(a for a in TABLE if a.name == name)
    assert found.range_text == allowed


def test_range_of_a_free_number() -> None:
    """A number without bounds says so."""
    free = replace(BY_NAME["overhead"], low=-math.inf)
    assert free.range_text == "any number"


def test_texts_lose_their_margins() -> None:
    """Blanks around a free text do not count."""
    assert assume(precision=" fp4 ").get("precision") == "fp4"


def test_dates_stay_dates() -> None:
    """A date is kept as it is."""
    assert assume(start=date(2026, 3, 1)).get("start") == date(2026, 3, 1)


def test_given_is_what_was_given() -> None:
    """Only names with a value count as given, sorted, and unknown ones have no value."""
    found = parse([("seed", 7), ("overhead", 0.1), ("tax_rate", None)])
    assert found == Assumptions((("overhead", 0.1), ("seed", 7.0)))
    assert found.gives("seed")
    assert not found.gives("tax_rate")
    assert found.get("no such name") is None


def test_moment_of_a_day_is_the_day() -> None:
    """A date that a host hands over with a time of day is that day."""
    assert assume(start=datetime(2026, 1, 31, 13, 5)).get("start") == date(2026, 1, 31)
