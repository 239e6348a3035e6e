"""TOKEN_SOURCE: every field of every answer, and a reason for everything without one."""

import datetime as dt
import itertools

import pytest
from contract_tools import is_error

from xltoken import TOKEN_COST, TOKEN_SOURCE
from xltoken.catalog import store
from xltoken.functions.cells import CellError

FIELDS = (
    "citation", "url", "date", "age", "grade", "conditions", "basis", "rows", "warnings", "reason",
)  # fmt: skip
PAIRS = list(
    itertools.product(
        store.current().platforms, [w.key for w in store.current().workloads.values()]
    )
)
ANSWERED = [pair for pair in PAIRS if not isinstance(TOKEN_COST(pair[0], 0, pair[1]), CellError)]
SILENT = [pair for pair in PAIRS if pair not in ANSWERED]


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_every_field_of_an_answer_has_its_value(platform, workload):
    """Where there is a cost every field is filled, and of its type; only warnings may be empty."""
    for month in (0, 24, dt.date(2026, 1, 1)):
        answer = {f: TOKEN_SOURCE(platform, workload, f, month) for f in FIELDS}
        for field in ("citation", "url", "grade", "conditions", "basis"):
            assert type(answer[field]) is str
            assert answer[field].strip()
        assert answer["url"].startswith("http")
        assert answer["grade"] in ("measured", "peer_reviewed", "vendor")
        assert answer["basis"] in ("measured", "interpolated", "carried", "projected")
        assert (answer["basis"] == "projected") == (month == 24)
        assert type(answer["date"]) is dt.date
        assert type(answer["age"]) is float
        assert type(answer["rows"]) is float
        assert answer["rows"] >= 1
        assert answer["rows"] == int(answer["rows"])
        assert type(answer["warnings"]) is str
        assert answer["reason"] == ""


@pytest.mark.parametrize(("platform", "workload"), ANSWERED)
def test_the_evidence_is_in_the_catalog(platform, workload):
    """Date, grade and conditions are those of observations of that platform and workload."""
    load = store.current().workload(workload)
    rows = [o for o in store.current().of(platform, load.model) if load.serves(o)]
    assert TOKEN_SOURCE(platform, workload, "rows") <= len(rows)
    assert TOKEN_SOURCE(platform, workload, "date") in {row.date for row in rows}
    assert TOKEN_SOURCE(platform, workload, "grade") in {row.evidence for row in rows}
    conditions = TOKEN_SOURCE(platform, workload, "conditions")
    shapes = {f"{row.tokens_in:g}/{row.tokens_out:g} tokens" for row in rows}
    assert conditions.startswith(tuple(shapes))
    assert str(TOKEN_SOURCE(platform, workload, "date").year) in conditions
    urls = {source.url for source in store.current().sources.values()}
    assert set(TOKEN_SOURCE(platform, workload, "url").split("; ")) <= urls
    age = TOKEN_SOURCE(platform, workload, "age")
    days = (store.current().date - TOKEN_SOURCE(platform, workload, "date")).days
    assert age == pytest.approx(days / 30.4375, abs=0.1)


@pytest.mark.parametrize(("platform", "workload"), SILENT)
def test_everything_without_an_answer_has_a_reason(platform, workload):
    """Where there is no cost, reason says why, and every other field is #N/A with that sentence."""
    reason = TOKEN_SOURCE(platform, workload, "reason")
    assert type(reason) is str
    assert reason.endswith(".")
    assert platform in reason
    is_error(TOKEN_COST(platform, 0, workload), "#N/A", reason)
    # A rate may be all that is missing; then the evidence is still there to be shown.
    if "no rate" not in reason:
        for field in FIELDS[:-1]:
            is_error(TOKEN_SOURCE(platform, workload, field), "#N/A", reason)


@pytest.mark.parametrize("platform", ["Trainium2", "Trainium3", "TPU v7", "Gaudi 3"])
def test_platforms_without_evidence_are_listed_and_say_so(platform):
    """Platforms without usable evidence are known, and answer #N/A with the reason."""
    for workload in ("deepseek-r1/chat", "gpt-oss-120b/batch"):
        is_error(TOKEN_COST(platform, 0, workload), "#N/A", f"no usable evidence for {platform}")


def test_every_pair_has_a_source_or_a_reason():
    """All platforms x all workloads: a whole citation with its rows, or a sentence that says why."""
    assert len(PAIRS) >= 15 * 60
    for platform, workload in PAIRS:
        answer = {field: TOKEN_SOURCE(platform, workload, field) for field in FIELDS}
        reason = answer["reason"]
        assert type(reason) is str, (platform, workload)
        if reason:
            assert reason == reason.strip(), (platform, workload)
            assert len(reason.split()) >= 5, (platform, workload)
            assert reason.endswith("."), (platform, workload)
            is_error(TOKEN_COST(platform, 0, workload), "#N/A", reason)
            continue
        assert len(answer["citation"]) > 10, (platform, workload)
        assert answer["citation"].count("(") >= 1, (platform, workload)
        assert "None" not in answer["citation"], (platform, workload)
        for url in answer["url"].split("; "):
            assert url.startswith("http"), (platform, workload)
        assert dt.date(2020, 1, 1) < answer["date"] <= store.current().date, (platform, workload)
        assert answer["grade"] in ("measured", "peer_reviewed", "vendor"), (platform, workload)
        assert answer["rows"] >= 1, (platform, workload)
        assert type(TOKEN_COST(platform, 0, workload)) is float, (platform, workload)


def test_reason_covers_what_nobody_knows():
    """An unknown platform, workload or basis is a reason, not an error."""
    assert "'no such'" in TOKEN_SOURCE("no such", "deepseek-r1/chat", "reason")
    assert "'no such'" in TOKEN_SOURCE("B200", "no such", "reason")
    on_demand = [["rate_basis", "on_demand"]]
    assert "on_demand" in TOKEN_SOURCE("B200", "deepseek-r1/chat", "reason", 0, on_demand)
    fast = [["min_tokens_per_second_per_user", 1e6]]
    assert "fastest measured" in TOKEN_SOURCE("B200", "deepseek-r1/chat", "reason", 0, fast)


def test_reason_does_not_swallow_wrong_input():
    """What is wrong with the input itself stays an error in every field."""
    for field in FIELDS:
        wrong = [["utilization", 2.0]]
        is_error(TOKEN_SOURCE("B200", "deepseek-r1/chat", field, 0, wrong), "#NUM!")
        is_error(TOKEN_SOURCE("B200", "deepseek-r1/chat", field, "soon"), "#VALUE!", "month")
        is_error(TOKEN_SOURCE("B200", "deepseek-r1/chat", field, -5000), "#NUM!", "years 1900")


def test_the_default_field_is_the_citation_today():
    """Left out, the field is citation and the month the catalog's date."""
    asked = ("B200", "deepseek-r1/chat")
    citation = TOKEN_SOURCE(*asked)
    assert citation == TOKEN_SOURCE(*asked, "citation") == TOKEN_SOURCE(*asked, "Citation", 0)
    assert "SemiAnalysis" in citation
    assert "(20" in citation


def test_an_unknown_field_names_the_fields():
    """A field that does not exist is #N/A with those that do."""
    is_error(TOKEN_SOURCE("B200", "deepseek-r1/chat", "colour"), "#N/A", *FIELDS)


def test_fields_lift_into_a_table_of_sources():
    """Platforms down and fields across make the table of sources a reviewer asks for."""
    platforms, fields = ["B200", "H200", "Gaudi 3"], ["citation", "date", "rows", "reason"]
    table = TOKEN_SOURCE([[p] for p in platforms], "deepseek-r1/chat", [fields])
    for platform, row in zip(platforms, table, strict=True):
        assert row == [TOKEN_SOURCE(platform, "deepseek-r1/chat", field) for field in fields]
    assert table[2][:3] == ["#N/A"] * 3
    assert "no usable evidence" in table[2][3]


def test_a_date_leaves_the_engine_as_a_serial():
    """Through a formula the date is Excel's serial."""
    from xltoken.recalc.workbook import evaluate

    rows, _ = evaluate('=TOKEN_SOURCE("B200","gpt-oss-120b/batch","date")')
    day = TOKEN_SOURCE("B200", "gpt-oss-120b/batch", "date")
    assert rows == [[float((day - dt.date(1899, 12, 30)).days)]]


def test_a_year_is_cited_as_a_year():
    """A source whose date is known to the year only is cited, and conditioned, by the year."""
    asked = ("B200", "gpt-oss-120b/batch")
    assert TOKEN_SOURCE(*asked).endswith("(2026)")
    assert TOKEN_SOURCE(*asked, "conditions").split("; ")[0].endswith(", 2026")


def test_conditions_name_a_draft_model():
    """A run with speculative decoding says so in its conditions."""
    seen = {
        TOKEN_SOURCE(platform, workload, "conditions", 0, [["precision", precision]])
        for platform, workload in ANSWERED
        for precision in ("any", "fp8", "nvfp4")
    }
    spoken = [text for text in seen if isinstance(text, str) and not isinstance(text, CellError)]
    assert any(", with " in text for text in spoken)
    assert all("with none" not in text for text in spoken)
