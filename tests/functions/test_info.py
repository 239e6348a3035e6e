"""XLTOKEN_INFO and the catalog that it shows: shipped, overlaid, broken."""

import importlib.metadata

import pytest
from contract_tools import is_error

import xltoken
from xltoken import CHEAPEST_PLATFORM, TOKEN_COST, TOKEN_SOURCE, XLTOKEN_INFO
from xltoken.catalog import store


def test_version_is_the_packages():
    """The version shown is the package's, and the default."""
    assert XLTOKEN_INFO() == XLTOKEN_INFO("version") == xltoken.__version__
    assert XLTOKEN_INFO("version") == importlib.metadata.version("xltoken")


def test_catalog_and_fingerprint_are_the_catalogs():
    """Date and fingerprint are those of the catalog in use; no overlay is an empty text."""
    catalog = store.current()
    assert XLTOKEN_INFO("catalog") == catalog.date.isoformat()
    assert XLTOKEN_INFO("fingerprint") == catalog.fingerprint
    assert len(XLTOKEN_INFO("fingerprint")) == 12
    assert XLTOKEN_INFO("overlay") == ""
    assert XLTOKEN_INFO("host") == "python"


def test_fields_lift():
    """A range of fields gives each of them."""
    fields = ["version", "catalog", "no such", "overlay"]
    column = XLTOKEN_INFO([[field] for field in fields])
    assert [row[0] for row in column] == [
        XLTOKEN_INFO("version"),
        XLTOKEN_INFO("catalog"),
        "#N/A",
        "",
    ]
    is_error(column[2][0], "#N/A", "'no such'", "Known: version, catalog, fingerprint")


def test_the_host_of_a_formula_is_the_engine():
    """Asked through a formula, the host is the engine."""
    from xltoken.recalc.workbook import evaluate

    assert evaluate('=XLTOKEN_INFO("host")')[0] == [["engine"]]
    assert evaluate("=XLTOKEN_INFO()")[0] == [[xltoken.__version__]]


@pytest.fixture
def overlay(tmp_path, monkeypatch):
    """A user's folder, laid over the shipped files."""

    def lay(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.setenv("XLTOKEN_CATALOG", str(tmp_path))
        store.reload()
        return str(tmp_path)

    yield lay
    monkeypatch.undo()
    store.reload()


def test_an_overlay_shows_in_info_and_moves_the_fingerprint(overlay):
    """A user's folder shows, its rows count, the fingerprint moves, the catalog's date does not."""
    before = XLTOKEN_INFO("fingerprint")
    today = XLTOKEN_INFO("catalog")
    folder = overlay(
        "rates.csv",
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,on_demand,2026-01-01,4.5\n",
    )
    assert XLTOKEN_INFO("overlay") == folder
    assert XLTOKEN_INFO("fingerprint") != before
    assert XLTOKEN_INFO("catalog") == today
    args = ("B200", 0, "deepseek-r1/chat")
    own = TOKEN_COST(*args, [["usd_per_accelerator_hour", 4.5]])
    assert TOKEN_COST(*args, [["rate_basis", "on_demand"]]) == own
    said = TOKEN_SOURCE("B200", args[2], "warnings", 0, [["rate_basis", "on_demand"]])
    assert "user's row" in said
    assert "rates.csv" in said


def test_a_users_observation_without_a_source_is_cited_by_its_file(overlay):
    """A row that names no source is cited by its file and date, without an address."""
    overlay(
        "observations.csv",
        "date,platform,model,tokens_in,tokens_out,tokens_per_second_total\n"
        "2026-10-01,B200,our-model,1000,1000,5000\n",
    )
    asked = ("B200", "our-model/batch")
    assert TOKEN_SOURCE(*asked) == "observations.csv (2026-10-01)"
    assert TOKEN_SOURCE(*asked, "url") == ""
    assert TOKEN_SOURCE(*asked, "rows") == 1.0
    assert TOKEN_SOURCE(*asked, "conditions") == "1000/1000 tokens, 2026-10-01"
    assert "user's row" in TOKEN_SOURCE(*asked, "warnings")
    assert CHEAPEST_PLATFORM(0, "our-model/batch") == "B200"
    is_error(CHEAPEST_PLATFORM(0, "our-model/batch", 2), "#N/A", "only 1 platforms")


def test_a_broken_overlay_is_value_with_file_and_row(overlay):
    """A catalog that cannot be used is #VALUE!, and the message says which file and row."""
    overlay("rates.csv", "platform,basis,valid_from,usd_per_accelerator_hour\nB200,own,x,y\n")
    for result in (
        XLTOKEN_INFO("catalog"),
        TOKEN_COST("B200", 0, "deepseek-r1/chat"),
        TOKEN_SOURCE("B200", "deepseek-r1/chat", "reason"),
    ):
        is_error(result, "#VALUE!", "rates.csv")
    assert XLTOKEN_INFO("version") == xltoken.__version__


def test_an_overlay_that_is_no_folder_is_value(monkeypatch, tmp_path):
    """A folder that is not there is #VALUE! with its name."""
    monkeypatch.setenv("XLTOKEN_CATALOG", str(tmp_path / "gone"))
    is_error(XLTOKEN_INFO("overlay"), "#VALUE!", "gone")
