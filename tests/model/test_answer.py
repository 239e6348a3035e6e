"""Which platform is cheapest: winners, doubts and flips taken again, and the page in docs."""

import collections
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from model_tools import assume, overlay, row, toy

from xltoken import PLATFORM_RANKING, TOKEN_COST, TOKEN_COST_RANGE, TOKEN_SOURCE
from xltoken.catalog import store
from xltoken.functions.cells import CellError
from xltoken.model.answer import Answer, Flip, answers, page
from xltoken.model.ranking import ranking

DOCS = Path(__file__).parents[2] / "docs" / "which-platform.md"
CATALOG = store.load()
FOUND = answers(CATALOG)
TEXT = page(CATALOG, FOUND)
CONDITIONS = {
    **{f"{speed} tok/s/user": (0, {"min_tokens_per_second_per_user": float(speed)})
       for speed in (10, 20, 30, 50, 75, 100, 150, 200)},
    **{f"rates {basis}": (0, {"rate_basis": basis})
       for basis in ("own_neocloud", "rental_3yr", "on_demand")},
    **{f"{months:+d} months": (months, {}) for months in (-6, -3, 12, 24)},
    "fp8 only": (0, {"precision": "fp8"}),
    "fp4 only": (0, {"precision": "fp4"}),
    "measured evidence only": (0, {"evidence": "measured"}),
    "first token within 2 s": (0, {"max_seconds_to_first_token": 2.0}),
}  # fmt: skip


def ranked(workload, month=0, given=None):
    """Rows of PLATFORM_RANKING with a cost: platform, USD, times the cheapest."""
    table = PLATFORM_RANKING(month, workload, [list(p) for p in (given or {}).items()] or None)
    return [line[1:4] for line in table[1:] if not isinstance(line[0], CellError)]


def tables(text):
    """Lines of the Markdown tables, as cells."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# --- the answers ---------------------------------------------------------------------------------


def test_the_page_in_docs_is_the_catalogs():
    """docs/which-platform.md is what the code makes of the shipped catalog, to the last byte."""
    assert DOCS.read_text(encoding="utf-8") == page(store.load(), answers(store.load()))


def test_every_workload_that_two_platforms_serve_is_answered():
    """Answers are those workloads, in the catalog's order, that two or more platforms rank in."""
    expected = [w.key for w in CATALOG.workloads.values() if len(ranked(w.key)) > 1]
    assert [answer.workload for answer in FOUND] == expected
    assert len(expected) > 10


@pytest.mark.parametrize("answer", FOUND, ids=[answer.workload for answer in FOUND])
def test_winner_runner_up_and_ratio_are_the_rankings(answer):
    """Winner, cost, runner-up, ratio and competitors are those of PLATFORM_RANKING."""
    places = ranked(answer.workload)
    assert [answer.winner, answer.usd] == places[0][:2]
    assert [answer.runner_up, answer.runner_up_usd, answer.ratio] == places[1]
    assert answer.competitors == len(places)
    costs = {name: TOKEN_COST(name, 0, answer.workload) for name in CATALOG.platforms}
    known = {name: cost for name, cost in costs.items() if not isinstance(cost, CellError)}
    assert min(known, key=known.get) == answer.winner
    assert sorted(known.values())[:2] == [answer.usd, answer.runner_up_usd]
    [[low, _, high]] = TOKEN_COST_RANGE(answer.winner, 0, answer.workload, 0.8)
    assert (answer.low, answer.high) == (low, high)
    [[low, _, _]] = TOKEN_COST_RANGE(answer.runner_up, 0, answer.workload, 0.8)
    assert answer.runner_up_low == low


@pytest.mark.parametrize("answer", FOUND, ids=[answer.workload for answer in FOUND])
def test_doubts_are_what_the_evidence_says(answer):
    """Fewer than ten rows, overlapping ranges and a vendor's grade, and nothing else, are doubts."""
    source = {
        field: TOKEN_SOURCE(answer.winner, answer.workload, field)
        for field in ("rows", "date", "grade")
    }
    assert (answer.rows, answer.evidence_date, answer.grade) == tuple(source.values())
    doubts = []
    months = (CATALOG.date - source["date"]).days / 30.4375
    if source["rows"] < 10:
        doubts.append(f"{source['rows']:g} row" + ("" if source["rows"] == 1 else "s"))
    if answer.runner_up_low <= answer.high:
        doubts.append("ranges overlap")
    if months > 12:
        doubts.append(f"evidence {months:.0f} months old")
    if source["grade"] == "vendor":
        doubts.append("vendor grade")
    assert answer.doubts == doubts


@pytest.mark.parametrize("answer", FOUND, ids=[answer.workload for answer in FOUND])
def test_an_answer_without_doubts_beats_every_range(answer):
    """Where nothing is said to overlap, no platform's low reaches the winner's high."""
    if "ranges overlap" in answer.doubts:
        return
    for name, *_ in ranked(answer.workload)[1:]:
        [[low, _, _]] = TOKEN_COST_RANGE(name, 0, answer.workload, 0.8)
        assert low > answer.high, name


@pytest.mark.parametrize("answer", FOUND, ids=[answer.workload for answer in FOUND])
def test_every_flip_flips_and_none_is_left_out(answer):
    """Each condition that puts another platform first is told with its winner and ratio, once."""
    told = {flip.condition: flip for flip in answer.flips}
    assert len(told) == len(answer.flips)
    assert set(told) <= set(CONDITIONS)
    for condition, (month, given) in CONDITIONS.items():
        places = ranked(answer.workload, month, given)
        if places and places[0][0] != answer.winner:
            flip = told[condition]
            assert flip.winner == places[0][0] != answer.winner
            assert flip.ratio == (places[1][2] if len(places) > 1 else None)
        else:
            assert condition not in told


def test_an_answer_is_plain_data():
    """As a dictionary an answer has every field, its doubts, and its flips as dictionaries."""
    for answer in FOUND:
        data = answer.as_dict()
        assert data["winner"] == answer.winner
        assert data["doubts"] == answer.doubts
        assert [Flip(**flip) for flip in data["flips"]] == list(answer.flips)
        rest = {k: v for k, v in data.items() if k not in ("doubts", "flips")}
        assert Answer(**rest, flips=answer.flips) == answer


def test_one_platform_alone_is_no_answer():
    """A workload that only one platform serves is left out, also where it is unbeaten."""
    alone = toy(row())
    assert answers(alone) == []
    two = toy(row(), row(platform="H200", tokens_per_second_total=10))
    assert [a.workload for a in answers(two)] == ["toy/batch", "toy/chat"]


def test_equal_costs_keep_the_catalogs_order():
    """At equal costs the platform that stands first in platforms.csv wins, at a ratio of 1."""
    rates = [
        {"platform": name, "basis": "own_hyperscaler", "valid_from": "2026-08-14",
         "usd_per_accelerator_hour": 2}
        for name in ("B200", "H200")
    ]  # fmt: skip
    pair = [row(platform=name, model="toy") for name in ("B200", "H200")]
    catalog = overlay(observations=pair, rates=rates)
    standings = [s for s in ranking(catalog, 0, "toy/batch", assume()) if s.quote]
    assert [(s.platform, s.ratio) for s in standings] == [("H200", 1.0), ("B200", 1.0)]


# --- the page ------------------------------------------------------------------------------------


def test_the_sentence_counts_right():
    """The opening's count of workloads, of each winner and of firm answers is that of the table."""
    today = [line for line in tables(TEXT) if len(line) == 9 and line[0] != "workload"]
    today = today[0 if today[0][0][0] != "-" else 1 :]
    text = " ".join(TEXT.split())
    said = re.search(r"Of (\d+) workloads .+? is: (.+?)\. Only (\d+) of these answers", text)
    assert int(said[1]) == len(today) == len(FOUND)
    wins = collections.Counter(line[1] for line in today)
    shares = dict(share.rsplit(" ", 1) for share in said[2].split(", "))
    assert {name: int(count) for name, count in shares.items()} == wins
    assert list(map(int, shares.values())) == sorted(wins.values(), reverse=True)
    assert sum(wins.values()) == len(today)
    assert int(said[3]) == sum(line[8] == "none" for line in today)
    assert f"catalog of {CATALOG.date}" in text


def test_the_tables_show_the_answers():
    """Each answer is a line of the first table, each flip a line of the second, rounded."""
    lines = tables(TEXT)
    today = {line[0]: line for line in lines if len(line) == 9}
    flips = [line for line in lines if len(line) == 5 and line[0] != "workload"]
    for answer in FOUND:
        line = today[answer.workload]
        assert line[1] == answer.winner
        assert float(line[2]) == pytest.approx(answer.usd, rel=1e-3)
        low, high = map(float, line[3].split(" to "))
        assert (low, high) == pytest.approx((answer.low, answer.high), rel=0.01)
        assert float(line[5]) == pytest.approx(answer.ratio, abs=0.0051)
        assert line[4:5] + line[6:8] == [
            answer.runner_up, str(answer.rows), str(answer.evidence_date)
        ]  # fmt: skip
    expected = [
        [a.workload, a.winner, f.condition, f.winner, f"{f.ratio:.2f}" if f.ratio else "alone"]
        for a in FOUND
        for f in a.flips
    ]
    assert flips == expected


def test_what_stays_and_what_is_not_ranked_is_listed():
    """Workloads without a flip are named, and platforms without evidence with the reason."""
    steady = re.search(r"Under none of these conditions flips: (.+)\.\n", TEXT)[1]
    named = [answer.workload for answer in FOUND if not answer.flips]
    assert steady == (", ".join(named) or "no workload")
    listed = re.findall(r"^\* (.+?): (.+)\.$", TEXT.partition("## Not ranked")[2], re.MULTILINE)
    without = [n for n in CATALOG.platforms if n not in CATALOG.platforms_with_evidence]
    assert [name for name, _ in listed] == without
    assert all(reason for _, reason in listed)


def test_a_platform_without_a_note_has_words_too():
    """A platform without evidence and without a note is said to have no usable evidence."""
    bare = replace(CATALOG.platforms["Gaudi 3"], note="")
    catalog = replace(CATALOG, platforms={**CATALOG.platforms, "Gaudi 3": bare}, memo={}, _cuts={})
    assert "* Gaudi 3: no usable evidence.\n" in page(catalog, [])


def test_the_page_speaks_of_one_and_of_none():
    """One row is singular, a platform alone has no ratio, and nothing steady is no workload."""
    answer = Answer(
        "toy/batch", "B200", 1.0, 0.9, 1.1, "H200", 2.0, 1.5, 2.0, 1, date(2026, 1, 1),
         1.0, "measured", 2, (Flip("200 tok/s/user", "H200", None),),
    )  # fmt: skip
    assert answer.doubts == ["1 row"]
    text = page(CATALOG, [answer])
    assert "| toy/batch | B200 | 200 tok/s/user | H200 | alone |" in text
    assert "flips: no workload." in text
    assert "Only 0 of these answers" in text
    firm = replace(answer, rows=10, flips=())
    assert firm.doubts == []
    steady = page(CATALOG, [firm])
    assert steady.count("| none |") == 1
    assert "flips: toy/batch." in steady


def test_a_page_with_a_users_rows_says_so():
    """A page to which a user's rows contributed does not pass for that of the shipped catalog."""
    rate = {
        "platform": "H100", "basis": "own_hyperscaler", "valid_from": "2026-09-01",
        "usd_per_accelerator_hour": 0.001,
    }  # fmt: skip
    catalog = overlay(rates=[rate])
    found = answers(catalog)
    assert found[0].winner == "H100"
    text = page(catalog, found)
    assert any(words in text for words in ("laid over", "overlay", "a user's", catalog.fingerprint))


def test_old_evidence_is_a_doubt():
    """What TOKEN_COST warns of as old is a doubt of the answer."""
    for answer in FOUND:
        if "old evidence" in TOKEN_SOURCE(answer.winner, answer.workload, "warnings"):
            assert any("old" in doubt or "months" in doubt for doubt in answer.doubts)


def test_every_ranked_platform_is_named_or_listed():
    """No platform of the catalog is missing: it is ranked somewhere, or listed as not ranked."""
    somewhere = {name for answer in FOUND for name, *_ in ranked(answer.workload)}
    not_ranked = TEXT.partition("## Not ranked")[2]
    for name in CATALOG.platforms:
        assert (name in somewhere) != (f"* {name}:" in not_ranked), name
