"""PLATFORM_RANKING and CHEAPEST_PLATFORM: one order, one size, one reason for each gap."""

import datetime as dt

import pytest
from contract_tools import check_fit, is_error

from xltoken import CHEAPEST_PLATFORM, PLATFORM_RANKING, TOKEN_COST, TOKEN_SOURCE
from xltoken.catalog import store
from xltoken.functions.cells import CellError

WORKLOADS = [w.key for w in store.current().workloads.values()]
PLATFORMS = list(store.current().platforms)
MONTHS = (0, 18, dt.date(2026, 1, 1))
HEADER = [
    "rank", "platform", "USD per 1M output tokens", "times the cheapest", "tok/s per user",
    "seconds to first token", "output tok/s per MW", "precision", "rows behind it",
    "evidence date", "age in months", "grade", "source", "note",
]  # fmt: skip

each_workload = pytest.mark.parametrize("workload", WORKLOADS)


def ranked(month, workload, *assumptions):
    """Body of the ranking, and how many of its rows have a rank."""
    _, *body = PLATFORM_RANKING(month, workload, *assumptions)
    return body, sum(not isinstance(row[0], CellError) for row in body)


@each_workload
def test_every_workload_has_a_table_of_the_same_size(workload):
    """Header and one row for every platform, whatever is asked: a template can leave the room."""
    for month in MONTHS:
        table = PLATFORM_RANKING(month, workload)
        check_fit(table)
        assert table[0] == HEADER
        assert len(table) == 1 + len(PLATFORMS)
        assert all(len(row) == len(HEADER) for row in table)
        assert sorted(row[1] for row in table[1:]) == sorted(PLATFORMS)


@each_workload
def test_cheapest_platform_is_that_place_of_the_ranking(workload):
    """CHEAPEST_PLATFORM agrees with PLATFORM_RANKING at every rank, and beyond the last is #N/A."""
    for month in MONTHS:
        body, count = ranked(month, workload)
        for rank in range(1, count + 1):
            assert CHEAPEST_PLATFORM(month, workload, rank) == body[rank - 1][1]
        is_error(CHEAPEST_PLATFORM(month, workload, count + 1), "#N/A", f"only {count}", workload)


@each_workload
def test_the_ranking_is_in_the_order_of_token_cost(workload):
    """Costs are those of TOKEN_COST, rising; ranks count up; the ratio is to the cheapest."""
    for month in MONTHS:
        body, count = ranked(month, workload)
        top = body[:count]
        assert [row[0] for row in top] == [float(i) for i in range(1, count + 1)]
        costs = [row[2] for row in top]
        assert costs == sorted(costs)
        assert costs == [TOKEN_COST(row[1], month, workload) for row in top]
        for row in top:
            assert row[3] == pytest.approx(row[2] / costs[0], rel=1e-14)


@each_workload
def test_the_ranking_tells_what_token_source_tells(workload):
    """Rows, date, age, grade, source and note of a place are those of TOKEN_SOURCE."""
    body, count = ranked(0, workload)
    fields = ("rows", "date", "age", "grade", "citation", "warnings")
    for row in body[:count]:
        assert row[8:] == [TOKEN_SOURCE(row[1], workload, field) for field in fields]
        assert type(row[9]) is dt.date


@each_workload
def test_the_unreachable_come_last_with_their_reason(workload):
    """Platforms without a cost come last: #N/A for numbers, nothing for text, and the reason."""
    body, count = ranked(0, workload)
    assert count < len(body)
    for row in body[count:]:
        assert [cell for i, cell in enumerate(row) if i not in (1, 7, 11, 12, 13)] == ["#N/A"] * 9
        assert all(isinstance(cell, CellError) and cell.message for cell in (row[0], row[2]))
        assert [row[7], row[11], row[12]] == ["", "", ""]
        assert row[13] == TOKEN_SOURCE(row[1], workload, "reason")
        is_error(TOKEN_COST(row[1], 0, workload), "#N/A")


@pytest.mark.parametrize("counted", ["output", "input", "total"])
def test_the_header_names_the_counted_tokens(counted):
    """The count of tokens stands in the header of every figure that depends on it."""
    header, *_ = PLATFORM_RANKING(0, "deepseek-r1/chat", [["tokens_counted", counted]])
    assert header[2] == f"USD per 1M {counted} tokens"
    assert header[6] == f"{counted} tok/s per MW"


def test_the_speed_shown_is_at_least_the_speed_asked():
    """No platform is ranked below the speed that the workload asks for."""
    for workload, speed in (("deepseek-r1/chat", 30), ("deepseek-r1/agentic", 100)):
        body, count = ranked(0, workload)
        assert count
        assert all(row[4] >= speed * (1 - 1e-9) for row in body[:count])


def test_only_listed_platforms_compete():
    """The assumption platforms picks the competitors, in any spelling, each once."""
    chosen = [["platforms", "h200, B200,gb200-nvl72, B200"]]
    body, count = ranked(0, "deepseek-r1/chat", chosen)
    assert count == len(body) == 3
    full, _ = ranked(0, "deepseek-r1/chat")
    order = [row[1] for row in full if row[1] in ("H200", "B200", "GB200 NVL72")]
    assert [row[1] for row in body] == order
    assert CHEAPEST_PLATFORM(0, "deepseek-r1/chat", 3, chosen) == order[2]
    is_error(CHEAPEST_PLATFORM(0, "deepseek-r1/chat", 4, chosen), "#N/A", "only 3")


def test_a_list_of_unknown_or_no_platforms_is_refused():
    """An unknown competitor is #N/A with its name; a list that names none is #VALUE!."""
    for function in (PLATFORM_RANKING, CHEAPEST_PLATFORM):
        args = (0, "deepseek-r1/chat", *([1] if function is CHEAPEST_PLATFORM else []))
        is_error(function(*args, [["platforms", "B200, B20O"]]), "#N/A", "B20O", "B200")
        is_error(function(*args, [["platforms", " , "]]), "#VALUE!", "platforms")


def test_an_unknown_workload_is_na_and_no_table():
    """A workload that nobody knows is one #N/A, not a table of reasons."""
    is_error(PLATFORM_RANKING(0, "deepseek-r1/chatt"), "#N/A", "deepseek-r1/chat")
    is_error(CHEAPEST_PLATFORM(0, "no such"), "#N/A", "'no such'")


def test_wrong_input_is_an_error_of_the_whole_table():
    """A number outside its range is #NUM! for the whole table: no row is blamed for it."""
    is_error(PLATFORM_RANKING(0, "deepseek-r1/chat", [["utilization", 2.0]]), "#NUM!")
    is_error(PLATFORM_RANKING(-5000, "deepseek-r1/chat"), "#NUM!")


def test_ranks_lift():
    """A column of ranks gives the order of the platforms; a bad rank spoils its own cell."""
    body, count = ranked(0, "deepseek-r1/chat")
    column = CHEAPEST_PLATFORM(0, "deepseek-r1/chat", [[i] for i in range(1, count + 1)])
    assert [row[0] for row in column] == [row[1] for row in body[:count]]
    mixed = CHEAPEST_PLATFORM(0, "deepseek-r1/chat", [[0, 1, 1.5, 999]])[0]
    assert mixed == ["#NUM!", body[0][1], "#NUM!", "#N/A"]


def test_the_cheapest_feeds_token_cost():
    """The key returned is the one TOKEN_COST takes: nested, the two give the lowest cost."""
    from xltoken.recalc.workbook import evaluate

    nested, _ = evaluate(
        '=TOKEN_COST(CHEAPEST_PLATFORM(0,"deepseek-r1/chat"),0,"deepseek-r1/chat")'
    )
    costs = [TOKEN_COST(platform, 0, "deepseek-r1/chat") for platform in PLATFORMS]
    assert nested == [[min(cost for cost in costs if not isinstance(cost, CellError))]]


def test_the_table_spills_through_the_engine():
    """Through a formula the whole table comes back, dates as serials."""
    from xltoken.recalc.workbook import evaluate

    rows, _ = evaluate('=PLATFORM_RANKING(0,"deepseek-r1/chat")')
    direct = PLATFORM_RANKING(0, "deepseek-r1/chat")
    assert len(rows) == len(direct)
    for seen, expected in zip(rows, direct, strict=True):
        assert seen == [
            float((cell - dt.date(1899, 12, 30)).days) if isinstance(cell, dt.date) else cell
            for cell in expected
        ]
