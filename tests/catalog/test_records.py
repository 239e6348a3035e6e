"""One row of a file turned into one record, or into the problems that prevent it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.catalog.records import (
    CLAIM_INPUTS,
    EVIDENCE_GRADES,
    KW_BASES,
    PRICE_KINDS,
    PRICE_PRIORS,
    PRIORS,
    RATE_BASES,
    RECORDS,
    SOFTWARE_PRIORS,
    Claim,
    Observation,
    Origin,
    Platform,
    Price,
    Prior,
    Problem,
    Rate,
    Source,
    WorkloadRow,
    columns,
    parse,
)

ORIGIN = Origin("file.csv", 7, user=False)

ROWS = {
    Platform: {"platform": "B200"},
    WorkloadRow: {"workload": "glm-5/chat"},
    Rate: {
        "platform": "B200",
        "basis": "own_hyperscaler",
        "valid_from": "2026-03-18",
        "usd_per_accelerator_hour": "1.95",
    },
    Observation: {
        "date": "2026-05-25",
        "platform": "B200",
        "model": "glm-5",
        "tokens_in": "8192",
        "tokens_out": "1024",
        "tokens_per_second_total": "2228.1",
    },
    Price: {
        "provider": "groq",
        "model": "gpt-oss-120b",
        "kind": "output",
        "valid_from": "2025-11-11",
        "usd_per_million_tokens": "0.6",
    },
    Claim: {
        "claim": "two-cents",
        "headline": "2 cents per million tokens",
        "kind": "unit_cost",
        "published_value": "0.02",
        "unit": "USD per 1M tokens",
        "date": "2025-10-09",
        "platform": "B200",
        "model": "gpt-oss-120b",
        "tokens_per_second": "25943",
        "usd_per_accelerator_hour": "1.95",
        "tokens_in": "1000",
        "tokens_out": "1000",
    },
    Source: {"source_id": "article", "title": "An article"},
    Prior: {"name": "software_gain_per_month", "value": "0.01"},
}
REQUIRED = [
    (record, name)
    for record, row in ROWS.items()
    for name in row
    if record is not Claim or name not in CLAIM_INPUTS["unit_cost"]
]


def read(record, /, **changes):
    """Parse the smallest row of a file with some cells changed."""
    return parse(record, ROWS[record] | changes, ORIGIN)


def record_of(kind, /, **changes):
    """Parse a row that has no problems."""
    record, problems = read(kind, **changes)
    assert problems == []
    return record


def day(text):
    """Return a date, or None for a blank."""
    return dt.date.fromisoformat(text) if text else None


def test_every_file_is_listed_once():
    """Each record class has a file of its own, and is one of RECORDS."""
    assert set(ROWS) == set(RECORDS)
    assert len({record.FILE for record in RECORDS}) == len(RECORDS)


@pytest.mark.parametrize("kind", RECORDS)
def test_the_smallest_row_of_each_file_is_a_record(kind):
    """The required cells alone make a record that knows where it stands."""
    record = record_of(kind)
    assert type(record) is kind
    assert record.origin == ORIGIN
    assert (record.recorded, record.withdrawn) == (None, None)


@pytest.mark.parametrize(("kind", "name"), REQUIRED)
@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_required_cell_that_is_blank_is_a_problem(kind, name, blank):
    """A blank in a required column, or spaces, is named by file, row and column."""
    record, problems = read(kind, **{name: blank})
    assert record is None
    assert [(p.file, p.row, p.column) for p in problems] == [("file.csv", 7, name)]
    throughput = name == "tokens_per_second_total"
    assert problems[0].message == (
        "give the total or the output throughput." if throughput else "is required and blank."
    )


@pytest.mark.parametrize(("kind", "name"), REQUIRED)
def test_a_required_column_that_is_missing_is_a_problem(kind, name):
    """A file without a required column is refused at that column."""
    cells = {key: text for key, text in ROWS[kind].items() if key != name}
    record, problems = parse(kind, cells, ORIGIN)
    assert record is None
    assert [p.column for p in problems] == [name]


@pytest.mark.parametrize(
    ("kind", "name", "text", "value"),
    [
        (Platform, "vendor", "  NVIDIA ", "NVIDIA"),
        (Platform, "scale_up_accelerators", "72", 72.0),
        (Platform, "launched", "2025-05-15", dt.date(2025, 5, 15)),
        (Platform, "aliases", "GB200; GB200 rack", "GB200; GB200 rack"),
        (WorkloadRow, "min_tokens_per_second_per_user", "0", 0.0),
        (WorkloadRow, "max_seconds_to_first_token", "2.5", 2.5),
        (WorkloadRow, "model_released", "2026-02-11", dt.date(2026, 2, 11)),
        (Rate, "usd_per_accelerator_hour", "1.95", 1.95),
        (Rate, "basis", "Own_Neocloud", "own_neocloud"),
        (Rate, "valid_to", "2026-03-18", dt.date(2026, 3, 18)),
        (Rate, "kw_basis", "UTILITY", "utility"),
        (Rate, "placeholder", "TRUE", True),
        (Rate, "placeholder", "yes", True),
        (Rate, "placeholder", "1", True),
        (Rate, "placeholder", "False", False),
        (Rate, "placeholder", "no", False),
        (Rate, "placeholder", "0", False),
        (Observation, "tokens_in", "8.192e3", 8192.0),
        (Observation, "seconds_to_first_token", "0", 0.0),
        (Observation, "evidence", "Peer_Reviewed", "peer_reviewed"),
        (Observation, "date_precision", "year", "year"),
        (Price, "kind", "Cache_Read", "cache_read"),
        (Price, "valid_from", "2025-08-06", dt.date(2025, 8, 6)),
        (Price, "usd_per_million_tokens", "0.075", 0.075),
        (Claim, "kind", "Unit_Cost", "unit_cost"),
        (Claim, "published_value", "7.5e7", 75_000_000.0),
        (Claim, "tokens_counted", "Output", "output"),
        (Claim, "evidence", "Vendor", "vendor"),
        (Claim, "months", "36", 36.0),
        (Claim, "investment", "5000000", 5_000_000.0),
        (Claim, "base_kw_per_accelerator", "1.67", 1.67),
        (Source, "url", "https://example.com/?a=1,2", "https://example.com/?a=1,2"),
        (Prior, "value", "0.01", 0.01),
        (Prior, "recorded", "2026-11-22", dt.date(2026, 11, 22)),
    ],
)
def test_a_cell_becomes_its_kind(kind, name, text, value):
    """Text is stripped, numbers are floats, dates are days, flags are bools, choices lower case."""
    read_value = getattr(record_of(kind, **{name: text}), name)
    assert read_value == value
    assert type(read_value) is type(value)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Platform, "note", ""),
        (Platform, "scale_up_accelerators", None),
        (Platform, "launched", None),
        (Rate, "placeholder", False),
        (Rate, "valid_to", None),
        (Rate, "kw_basis", ""),
        (Observation, "disaggregated", False),
        (Observation, "evidence", "measured"),
        (Observation, "date_precision", "day"),
        (Observation, "source_id", ""),
        (Price, "source_id", ""),
        (Claim, "evidence", "claim"),
        (Claim, "tokens_counted", "total"),
        (Claim, "investment", None),
        (Claim, "base_platform", ""),
    ],
)
def test_a_blank_cell_has_its_default(kind, name, value):
    """A blank is no text, no number, no date, no flag; evidence is measured and dates are days."""
    assert getattr(record_of(kind, **{name: " "}), name) == value


@pytest.mark.parametrize(
    ("kind", "name", "text", "message"),
    [
        (Rate, "usd_per_accelerator_hour", "1,95", "'1,95' is no number; write it like 1234.5."),
        (Rate, "usd_per_accelerator_hour", "$1.95", "'$1.95' is no number; write it like 1234.5."),
        (Rate, "usd_per_accelerator_hour", "0", "must be above 0; it is 0."),
        (Rate, "usd_per_accelerator_hour", "-1.95", "must be above 0; it is -1.95."),
        (Rate, "usd_per_accelerator_hour", "nan", "must be a finite number."),
        (Rate, "kw_per_accelerator", "inf", "must be a finite number."),
        (Rate, "valid_from", "3/18/2026", "'3/18/2026' is no date; write YYYY-MM-DD."),
        (Rate, "valid_from", "2026-02-30", "'2026-02-30' is no date; write YYYY-MM-DD."),
        (Rate, "valid_to", "2026-03-17", "ends before valid_from."),
        (Rate, "basis", "spot", f"'spot' is none of {', '.join(RATE_BASES)}."),
        (Rate, "kw_basis", "chip", f"'chip' is none of {', '.join(KW_BASES)}."),
        (Rate, "placeholder", "maybe", "'maybe' is neither TRUE nor FALSE."),
        (Rate, "withdrawn", "soon", "'soon' is no date; write YYYY-MM-DD."),
        (WorkloadRow, "min_tokens_per_second_per_user", "-1", "must be 0 or more; it is -1."),
        (WorkloadRow, "max_seconds_to_first_token", "0", "must be above 0; it is 0."),
        (Observation, "seconds_to_first_token", "-0.1", "must be 0 or more; it is -0.1."),
        (Observation, "tokens_out", "0", "must be above 0; it is 0."),
        (Observation, "tokens_per_second_total", "-5", "must be above 0; it is -5."),
        (Observation, "evidence", "hearsay", f"'hearsay' is none of {', '.join(EVIDENCE_GRADES)}."),
        (Observation, "disaggregated", "2", "'2' is neither TRUE nor FALSE."),
        (Price, "kind", "reasoning", f"'reasoning' is none of {', '.join(PRICE_KINDS)}."),
        (Price, "valid_from", "2025", "'2025' is no date; write YYYY-MM-DD."),
        (Price, "usd_per_million_tokens", "0", "must be above 0; it is 0."),
        (Price, "usd_per_million_tokens", "free", "'free' is no number; write it like 1234.5."),
        (Claim, "kind", "speed", f"'speed' is none of {', '.join(CLAIM_INPUTS)}."),
        (Claim, "published_value", "-15", "must be above 0; it is -15."),
        (Claim, "tokens_counted", "all", "'all' is none of output, input, total."),
        (Claim, "months", "0", "must be above 0; it is 0."),
        (Claim, "base_tokens_per_second", "0", "must be above 0; it is 0."),
        (Claim, "evidence", "rumour", f"'rumour' is none of {', '.join(EVIDENCE_GRADES)}."),
        (Prior, "value", "-0.01", "must be 0 or more; it is -0.01."),
    ],
)
def test_a_wrong_cell_is_named_with_what_to_do(kind, name, text, message):
    """A cell that cannot be used is one problem: file, row, column, and a sentence."""
    record, problems = read(kind, **{name: text})
    assert record is None
    assert problems == [Problem("file.csv", 7, name, message)]


def test_every_wrong_cell_of_a_row_is_named():
    """A row with three wrong cells has three problems, in the order of the columns."""
    _, problems = read(Rate, basis="spot", usd_per_accelerator_hour="free", placeholder="maybe")
    assert [p.column for p in problems] == ["basis", "usd_per_accelerator_hour", "placeholder"]


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("rates.csv", 7, "basis", "is blank."), "rates.csv, row 7, basis: is blank."),
        (Problem("rates.csv", 7, "", "is too long."), "rates.csv, row 7: is too long."),
        (Problem("rates.csv", 0, "", "is not UTF-8."), "rates.csv: is not UTF-8."),
        (Problem("rates.csv", 0, "basis", "is missing."), "rates.csv, basis: is missing."),
    ],
)
def test_a_problem_reads_as_one_line(problem, line):
    """The line names the file, the row and column where there are any, and what is wrong."""
    assert str(problem) == line


@given(st.floats(1e-9, 1e15))
def test_a_number_is_read_without_loss(number):
    """A number written in full comes back to the last bit."""
    assert record_of(Rate, usd_per_accelerator_hour=repr(number)).usd_per_accelerator_hour == number


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31)))
def test_a_date_is_read_without_loss(date):
    """A date written YYYY-MM-DD comes back as that day."""
    assert record_of(Prior, recorded=date.isoformat()).recorded == date


@pytest.mark.parametrize("kind", RECORDS)
def test_columns_start_with_the_own_and_end_with_the_shared(kind):
    """A file's own columns come first, recorded and withdrawn last, origin is none of them."""
    names = [field.name for field in columns(kind)]
    assert names[-2:] == ["recorded", "withdrawn"]
    assert names[0] in ROWS[kind] or names[0] == "observation_id"
    assert "origin" not in names
    assert names.count("source_id") == 1
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("recorded", "withdrawn", "cut", "known"),
    [
        ("", "", None, True),
        ("2026-05-01", "", None, True),
        ("", "2026-06-01", None, False),
        ("", "", "2000-01-01", True),
        ("2026-05-01", "", "2026-04-30", False),
        ("2026-05-01", "", "2026-05-01", True),
        ("2026-05-01", "2026-06-01", "2026-05-31", True),
        ("2026-05-01", "2026-06-01", "2026-06-01", False),
        ("2026-05-01", "2026-06-01", "2026-04-30", False),
    ],
)
def test_a_row_is_known_from_its_record_to_its_withdrawal(recorded, withdrawn, cut, known):
    """A row counts from the day it was recorded until the day before it was withdrawn."""
    record = record_of(Prior, recorded=recorded, withdrawn=withdrawn)
    assert record.known_at(day(cut)) is known


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("software_gain_per_mont", "software_gain_per_month"),
        ("software_gain_weigth", "software_gain_weight"),
        ("software_gain_SD", "software_gain_sd"),
        ("price_factor_per_year_hi", "price_factor_per_year_high"),
    ],
)
def test_a_prior_that_is_nearly_one_in_use_is_a_problem(name, meant):
    """A misspelled prior would be ignored in silence: it is refused, with the right name."""
    record, problems = read(Prior, name=name)
    assert record is None
    message = f"is no prior that is used; did you mean {meant}?"
    assert problems == [Problem("file.csv", 7, "name", message)]


@pytest.mark.parametrize("name", [*PRIORS, "other"])
def test_a_prior_in_use_or_unlike_any_is_a_record(name):
    """Every prior that is used can be given, and a name of the user's own stays his."""
    assert record_of(Prior, name=name).name == name


def test_priors_in_use_are_of_software_and_of_prices():
    """The priors are those of software gain and those of falling prices, none in both."""
    assert set(PRIORS) == {*SOFTWARE_PRIORS, *PRICE_PRIORS}
    assert len(PRIORS) == len(SOFTWARE_PRIORS) + len(PRICE_PRIORS)


def test_total_throughput_is_the_stated_one():
    """Where a total is given it is the total; an output beside it must fit."""
    both = {"tokens_in": "2000", "tokens_out": "1000", "tokens_per_second_total": "900"}
    assert record_of(Observation, **both, tokens_per_second_output="301").total == 900.0
    _, problems = read(Observation, **both, tokens_per_second_output="99999")
    assert [p.column for p in problems] == ["tokens_per_second_output"]


def test_dates_of_another_age_are_problems():
    """A date outside 2000 to 2100 is a slip of the pen, refused by row and column."""
    _, problems = read(Prior, recorded="0200-01-01")
    assert [(p.row, p.column) for p in problems] == [(7, "recorded")]


@given(st.floats(1, 1e5), st.floats(1, 1e5), st.floats(0.1, 1e5))
def test_total_of_an_output_throughput_counts_the_input_too(tokens_in, tokens_out, output):
    """From output alone the total is output x (in + out) / out."""
    row = record_of(
        Observation,
        tokens_in=repr(tokens_in),
        tokens_out=repr(tokens_out),
        tokens_per_second_total="",
        tokens_per_second_output=repr(output),
    )
    assert row.total * tokens_out / (tokens_in + tokens_out) == pytest.approx(output, rel=1e-12)


def test_total_by_hand():
    """25,943 output tok/s at 1,000 in and 1,000 out are 51,886 tok/s in total."""
    row = record_of(
        Observation,
        tokens_in="1000",
        tokens_out="1000",
        tokens_per_second_total="",
        tokens_per_second_output="25943",
    )
    assert row.total == 51_886.0


@pytest.mark.parametrize(("published", "since"), [("2026-05-26", 26), ("", 25)])
def test_an_observation_is_known_since_it_was_published(published, since):
    """The world knows a row since its publication, or since its date where that is blank."""
    row = record_of(Observation, published=published)
    assert row.known_since == dt.date(2026, 5, since)


def test_steadiness_by_hand():
    """64 requests in flight of 29.7049 s, 9,216 tokens on 8 accelerators at 2,119.739 tok/s."""
    row = record_of(
        Observation,
        accelerators="8",
        concurrency="64",
        seconds_end_to_end="29.7049",
        tokens_per_second_total="2119.739",
    )
    assert row.steadiness == pytest.approx(1.1709, abs=1e-4)


@pytest.mark.parametrize("missing", ["accelerators", "concurrency", "seconds_end_to_end"])
def test_steadiness_is_unknown_where_a_column_is_blank(missing):
    """Little's law is skipped, not failed, on a row that lacks one of its columns."""
    cells = {"accelerators": "8", "concurrency": "64", "seconds_end_to_end": "30"}
    assert record_of(Observation, **(cells | {missing: ""})).steadiness is None


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in CLAIM_INPUTS.items() for name in names]
)
def test_a_claim_has_every_input_of_its_kind(kind, name):
    """A claim without an input that its kind is made of is refused, column and kind named."""
    given = dict.fromkeys(CLAIM_INPUTS[kind], "36") | {"base_platform": "H200", "kind": kind}
    assert record_of(Claim, **given).kind == kind
    record, problems = read(Claim, **given | {name: ""})
    assert record is None
    assert [(p.column, p.message) for p in problems] == [
        (name, f"is blank, and a claim of kind {kind} is made of it.")
    ]


def test_the_months_of_a_claim():
    """Months are whole, and a platform compared with itself changed over a number of them."""
    given = dict.fromkeys(CLAIM_INPUTS["cost_ratio"], "2") | {"kind": "cost_ratio"}
    _, problems = read(Claim, **given | {"base_platform": "B200"})
    assert [p.column for p in problems] == ["months"]
    assert record_of(Claim, **given | {"base_platform": "B200", "months": "2"}).months == 2
    _, problems = read(Claim, **given | {"base_platform": "H200", "months": "2.5"})
    assert [p.message for p in problems] == ["is a whole number of months."]


def test_a_price_ends_after_it_begins():
    """The last day of a price is not before its first."""
    _, problems = read(Price, valid_to="2025-11-10")
    assert [(p.column, p.message) for p in problems] == [("valid_to", "ends before valid_from.")]
    assert record_of(Price, valid_to="2025-11-11").valid_to == dt.date(2025, 11, 11)
