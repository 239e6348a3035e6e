"""Prices of tokens: by model and kind, by workload, by provider and day, and beyond the catalog."""

import csv
import datetime as dt
import itertools
from pathlib import Path

import pytest
from model_tools import assume, overlay

import xltoken
from xltoken import TOKEN_PRICE
from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.records import PRICE_KINDS
from xltoken.functions import cells
from xltoken.model.assumptions import InputError
from xltoken.model.prices import BLENDED, KINDS, LOWEST, price_at

TODAY = store.load().date
with (Path(xltoken.__file__).parent / "catalog/data/prices.csv").open(encoding="utf-8") as _file:
    ROWS = [row for row in csv.DictReader(_file) if not row["withdrawn"]]
MODELS = sorted({row["model"] for row in ROWS})
MODEL = "gpt-oss-120b"
DAYS = (dt.date(2025, 9, 1), dt.date(2026, 1, 15), dt.date(2026, 6, 20), TODAY)


def listed(model, kind, on):
    """Price of each provider that asks one on that day, read off prices.csv without the package."""
    found = {}
    rows = [r for r in ROWS if (r["model"], r["kind"]) == (model, kind)]
    for row in sorted(rows, key=lambda row: row["valid_from"]):
        if row["valid_from"] <= on.isoformat():
            found.pop(row["provider"], None)
            if not row["valid_to"] or on.isoformat() <= row["valid_to"]:
                found[row["provider"]] = float(row["usd_per_million_tokens"])
    return found


def ask(what, month=0, provider=LOWEST, kind=None, catalog=None, **given):
    """Price with everything it rests on."""
    return price_at(catalog or store.load(), what, month, provider, kind, assume(**given))


def usd(*asked, **given):
    """Price alone."""
    return ask(*asked, **given).usd_per_million_tokens


def row(provider="acme", kind="output", valid_from="2026-01-01", price=0.01, model=MODEL):
    """One line of a user's prices.csv."""
    return {
        "provider": provider,
        "model": model,
        "kind": kind,
        "valid_from": valid_from,
        "usd_per_million_tokens": price,
    }


# --- by model ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PRICE_KINDS)
def test_a_models_price_is_that_of_the_day_at_every_provider(kind):
    """A named provider's price is its last row up to the day; lowest is the least of them."""
    checked = 0
    for model, on in itertools.product(MODELS, DAYS):
        offers = listed(model, kind, on)
        for provider, price in offers.items():
            found = ask(model, on, provider, kind)
            assert (found.usd_per_million_tokens, found.provider) == (price, provider)
            assert found.warnings == ()
            assert [r.kind for r in found.rows] == [kind]
            checked += 1
        if offers:
            found = ask(model, on, LOWEST, kind)
            assert found.usd_per_million_tokens == min(offers.values())
            assert offers[found.provider] == found.usd_per_million_tokens
    assert checked > 50


def test_output_is_what_a_model_is_asked_for():
    """Left out, the kind of a model is output, the provider the cheapest, in any spelling."""
    assert (
        usd(MODEL)
        == usd(MODEL, 0, "Lowest", "output")
        == min(listed(MODEL, "output", TODAY).values())
    )
    assert usd("GPT OSS 120B", 0, "A_W S") == usd(MODEL, 0, "aws") == 0.6


def test_of_equal_prices_the_first_name_counts():
    """Two providers at one price: the same one is named whatever the order of the rows."""
    cheap = [row("zeta"), row("alpha"), row("mid")]
    for rows in (cheap, cheap[::-1]):
        assert ask(MODEL, catalog=overlay(prices=rows)).provider == "alpha"


def test_a_price_holds_from_its_day():
    """The day before, the price before; on the day, the new one."""
    assert usd(MODEL, dt.date(2025, 11, 10), "groq") == 0.75
    assert usd(MODEL, dt.date(2025, 11, 11), "groq") == 0.6
    before, on = dt.date(2026, 6, 14), dt.date(2026, 6, 15)
    assert [usd(MODEL, day, "openrouter") for day in (before, on)] == [0.2, 0.18]


def test_months_run_from_start():
    """A month is counted from start, the catalog's date where none is given."""
    assert usd(MODEL, -12, "groq") == usd(MODEL, dt.date(2025, 11, 22), "groq")
    start = dt.date(2025, 11, 10)
    assert usd(MODEL, 0, "groq", start=start) == 0.75
    assert usd(MODEL, 1, "groq", start=start) == 0.6


# --- by workload ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counted", "tokens"), [("output", 1024.0), ("input", 8192.0), ("total", 9216.0)]
)
def test_a_workload_is_blended_per_counted_token(counted, tokens):
    """(in x price_in + out x price_out) / counted tokens, by hand: 8192 in and 1024 out."""
    by_hand = (8192 * 0.15 + 1024 * 0.6) / tokens
    asked = (f"{MODEL}/summarize", 0, "aws")
    assert usd(*asked, tokens_counted=counted) == pytest.approx(by_hand, rel=1e-14)
    assert usd(*asked, BLENDED, tokens_counted=counted) == usd(*asked, tokens_counted=counted)


def test_a_bill_is_the_same_in_every_count():
    """Price x counted tokens of a request is one bill, whatever is counted, for every workload."""
    catalog = store.load()
    checked = 0
    for workload in catalog.workloads.values():
        if not catalog.prices_of(workload.model):
            continue
        tokens = {
            "output": workload.tokens_out,
            "input": workload.tokens_in,
            "total": workload.tokens_in + workload.tokens_out,
        }
        bills = []
        for counted, count in tokens.items():
            found = ask(workload.key, tokens_counted=counted)
            bills.append(found.usd_per_million_tokens * count)
        prices = {r.kind: r.usd_per_million_tokens for r in found.rows}
        by_hand = workload.tokens_in * prices["input"] + workload.tokens_out * prices["output"]
        assert bills == pytest.approx([by_hand] * 3, rel=1e-12)
        checked += 1
    assert checked >= 25


def test_lowest_blends_within_one_provider():
    """The cheapest of a workload is one provider's input and output, not the best of two."""
    rows = [
        row("a", "input", price=0.001), row("a", "output", price=9.0),
        row("b", "input", price=9.0), row("b", "output", price=0.001),
        row("only-output", "output", price=1e-6),
    ]  # fmt: skip
    found = ask(f"{MODEL}/chat", catalog=overlay(prices=rows))
    assert found.provider == "quicksilverpro"
    assert {r.provider for r in found.rows} == {"quicksilverpro"}
    assert found.usd_per_million_tokens == pytest.approx(0.18)


def test_a_kind_of_a_workload_is_its_models():
    """A workload asked for input, output or cache_read gives its model's price of that kind."""
    for kind in PRICE_KINDS:
        assert usd(f"{MODEL}/agentic", 0, LOWEST, kind) == usd(MODEL, 0, LOWEST, kind)
    assert (*PRICE_KINDS, "blended") == KINDS


# --- beyond the catalog --------------------------------------------------------------------------


def test_beyond_the_catalogs_date_the_price_falls_by_its_decline():
    """The factor is (1 - price_decline)^(months/12) after the catalog's date, and 1 before."""
    today = usd(f"{MODEL}/chat")
    for months in (0, 1, 12, 30.5, 60):
        falling = usd(f"{MODEL}/chat", months, price_decline=0.5)
        assert falling == pytest.approx(today * 0.5 ** (months / 12), rel=1e-12)
        assert usd(f"{MODEL}/chat", months) == today
    assert usd(MODEL, -3, price_decline=0.5) == usd(MODEL, -3)
    assert usd(MODEL, 12, price_decline=-0.4) == pytest.approx(1.4 * usd(MODEL), rel=1e-12)


def test_a_later_start_does_not_move_the_decline():
    """The price falls from the catalog's date on, wherever the user's months begin."""
    start = dt.date(2027, 11, 22)
    assert usd(MODEL, 0, start=start, price_decline=0.5) == usd(MODEL, 12, price_decline=0.5)


@pytest.mark.parametrize(
    ("scenario", "kept"), [("base", 1.0), ("vendor", 1.0), ("conservative", 0.5)]
)
def test_scenarios_set_the_decline(scenario, kept):
    """Base and vendor keep the price flat, conservative halves it a year; a decline given wins."""
    today = usd(MODEL)
    assert usd(MODEL, 12, scenario=scenario) == pytest.approx(kept * today, rel=1e-12)
    given = usd(MODEL, 12, scenario=scenario, price_decline=0.25)
    assert given == pytest.approx(0.75 * today, rel=1e-12)


# --- what is not known ---------------------------------------------------------------------------


def test_unknown_names_say_what_is_near():
    """An unknown model, workload, provider or kind is #N/A with the nearest names."""
    for asked, words in (
        (("gpt-oss-12b", 0), ("'gpt-oss-12b'", MODEL)),
        (("gpt-oss-120b/chatt", 0), ("workload 'gpt-oss-120b/chatt'", "gpt-oss-120b/chat")),
        ((MODEL, 0, "grok"), ("provider 'grok'", "groq")),
        ((MODEL, 0, None, "outptu"), ("kind 'outptu'", "output")),
        (("zzz", 0), ("'zzz' is not known",)),
    ):
        found = TOKEN_PRICE(*asked)
        assert found == "#N/A"
        assert all(word in found.message for word in words), found.message


def test_a_model_without_a_price_says_so():
    """A model with measurements and no price is not called unknown."""
    unpriced = sorted(set(store.load().models.values()) - set(MODELS))
    assert unpriced
    for model in unpriced:
        with pytest.raises(NotKnown, match="no provider's price of"):
            ask(model)
        with pytest.raises(NotKnown, match="no provider's price of"):
            ask(f"{model}/chat")


def test_a_kind_that_nobody_asks_is_na():
    """A kind without a row says the model and the kind."""
    with pytest.raises(NotKnown, match="deepseek-r1 for cache_read"):
        ask("deepseek-r1", 0, LOWEST, "cache_read")


def test_a_blend_of_a_model_is_refused():
    """A model has no tokens in and out: #VALUE! with a workload to ask for instead."""
    with pytest.raises(InputError, match="gpt-oss-120b/batch"):
        ask(MODEL, 0, LOWEST, BLENDED)
    assert TOKEN_PRICE(MODEL, 0, None, "Blended") == "#VALUE!"


def test_a_blend_proposes_a_workload_that_exists():
    """A workload named in a message can be asked for."""
    refused = TOKEN_PRICE("claude-sonnet-4-6", 0, None, "blended").message
    proposed = refused.rpartition("e.g. ")[2].rstrip(".")
    assert "/" not in proposed or not isinstance(TOKEN_PRICE(proposed, 0), cells.CellError)


def test_a_provider_without_that_kind_is_not_unknown():
    """A provider that asks no price of a kind is told so, not that it does not exist."""
    message = TOKEN_PRICE(MODEL, 0, "aws", "cache_read").message
    assert "not known" not in message
    assert "cache_read" in message


# --- before the first row ------------------------------------------------------------------------


def test_before_every_first_row_a_price_is_carried_back():
    """Before anybody asks a price, a provider's first counts, with a warning that names the day."""
    found = ask(MODEL, dt.date(2025, 8, 5), "groq")
    assert found.usd_per_million_tokens == 0.75
    assert found.warnings == ("the price of groq is that of 2025-08-06, carried back",)
    assert ask(MODEL, dt.date(2025, 8, 6), "groq").warnings == ()
    with cells.listening() as notebook:
        TOKEN_PRICE(f"{MODEL}/chat", dt.date(2024, 1, 1), "groq")
    assert notebook.warnings == ["the price of groq is that of 2025-08-06, carried back"]


def test_a_named_provider_is_carried_back_too():
    """A named provider's first price counts before its day, whoever else asks one by then."""
    found = TOKEN_PRICE(MODEL, dt.date(2025, 9, 1), "aws")
    assert found == 0.6


def test_carried_back_the_lowest_is_the_first_days():
    """The day before the first row costs what the first day costs: 0.75, not 2026's 0.15."""
    assert usd(MODEL, dt.date(2025, 8, 5)) == usd(MODEL, dt.date(2025, 8, 6))


def test_a_price_that_ended_is_not_the_lowest():
    """A price that no snapshot holds any more counts no longer: not in the lowest, by name told."""
    found = ask("deepseek-r1/chat")
    assert found.provider != "deepseek"
    assert found.warnings == ()
    ended = ask("deepseek-r1/chat", 0, "deepseek")
    assert ended.usd_per_million_tokens < found.usd_per_million_tokens
    assert any("ended on 2026-11-21 and is carried on" in told for told in ended.warnings)
    assert ask("deepseek-r1/chat", dt.date(2026, 11, 21)).provider == "deepseek"


def test_where_every_price_ended_the_last_is_carried_on():
    """A model that nobody sells any more keeps its last price, and the warning names the end."""
    rows = [
        {**row(model="my-model", price=2.0), "valid_to": "2026-06-30"},
        row("later", model="my-model", valid_from="2027-01-01", price=1.0),
    ]
    catalog = overlay(prices=rows)
    found = ask("my-model", catalog=catalog)
    assert (found.usd_per_million_tokens, found.provider) == (2.0, "acme")
    assert found.warnings[0] == "the price of acme ended on 2026-06-30 and is carried on"
    assert (
        ask("my-model", dt.date(2026, 6, 30), catalog=catalog)
        .warnings[0]
        .startswith("the price is a user's row")
    )


# --- a user's rows -------------------------------------------------------------------------------


def test_a_users_row_counts_and_is_told():
    """A user's price joins the others, wins on its own key and day, and shows in the warnings."""
    catalog = overlay(prices=[row(), row("groq", valid_from="2025-11-11", price=0.5)])
    found = ask(MODEL, catalog=catalog)
    assert (found.usd_per_million_tokens, found.provider) == (0.01, "acme")
    assert any("user's row" in told and "row 2" in told for told in found.warnings)
    own = ask(MODEL, 0, "groq", catalog=catalog)
    assert own.usd_per_million_tokens == 0.5
    assert len(own.warnings) == 1
    assert ask(MODEL, 0, "aws", catalog=catalog).warnings == ()
    assert usd(MODEL, dt.date(2025, 12, 31), catalog=catalog) > 0.01


def test_a_users_open_row_stays():
    """A user's price counts from its day on, also after a newer shipped one, as a user's rate."""
    catalog = overlay(prices=[row("openrouter", valid_from="2026-01-01", price=0.01)])
    assert usd(MODEL, dt.date(2026, 2, 1), "openrouter", catalog=catalog) == 0.01
    assert usd(MODEL, 0, "openrouter", catalog=catalog) == 0.01
    ended = row("openrouter", valid_from="2026-01-01", price=0.01) | {"valid_to": "2026-03-01"}
    assert usd(MODEL, 0, "openrouter", catalog=overlay(prices=[ended])) == 0.5


def test_a_user_can_price_a_model_of_their_own():
    """A model that nobody knew has a price, and both spellings of it are one model."""
    rows = [row(model="my-model", price=2.0), row("b", model="My Model", price=1.5)]
    catalog = overlay(prices=rows)
    assert usd("MY_MODEL", catalog=catalog) == 1.5


@pytest.mark.parametrize("provider", ["acme", LOWEST])
def test_a_users_price_after_the_catalogs_date_counts_from_its_day(provider):
    """What `xltoken catalog prices` takes next month counts from then on, as a rate's row does."""
    catalog = overlay(prices=[row(valid_from="2027-01-01")])
    assert usd(MODEL, dt.date(2027, 6, 1), provider, catalog=catalog) == 0.01


def test_a_users_later_price_is_not_carried_back_to_a_later_day():
    """A price of January is not carried back in June, and falls from January on."""
    rows = [row(valid_from="2027-01-01", model="my-model", price=1.0)]
    found = ask("my-model", dt.date(2028, 1, 1), catalog=overlay(prices=rows), price_decline=0.5)
    assert not any("carried back" in told for told in found.warnings)
    assert found.usd_per_million_tokens == pytest.approx(0.5, rel=0.01)


# --- what was known then -------------------------------------------------------------------------


def test_as_of_hides_later_prices():
    """A price asked later than as_of is unknown: the last one before it counts."""
    assert usd(MODEL, 0, as_of=dt.date(2025, 8, 10)) == 0.75
    assert ask(MODEL, 0, as_of=dt.date(2025, 8, 10)).provider == "groq"
    with pytest.raises(NotKnown, match="no provider's price"):
        ask(MODEL, 0, as_of=dt.date(2025, 8, 5))


def test_a_cut_catalog_holds_the_prices_recorded_by_then():
    """Prices recorded after the assumption catalog are absent; at its own date all are there."""
    assert (
        usd(MODEL, catalog=store.load())
        == price_at(
            store.load(), MODEL, 0, LOWEST, None, assume(catalog=TODAY)
        ).usd_per_million_tokens
    )
    with pytest.raises(NotKnown, match="is not known"):
        price_at(store.load(), MODEL, 0, LOWEST, None, assume(catalog=dt.date(2026, 1, 1)))


# --- sentences -----------------------------------------------------------------------------------


def test_messages_in_full():
    """Unknown names have the nearest ones after them, parted by commas."""
    catalog = overlay(prices=[row(model="zebra-one", price=2.0), row(model="zebra-two", price=2.0)])
    with pytest.raises(NotKnown) as refused:
        price_at(catalog, "zebra-onf", 0, LOWEST, None, assume())
    assert refused.value.args[0] == (
        "model or workload 'zebra-onf' is not known. Nearest: zebra-one, zebra-two."
    )
    with pytest.raises(NotKnown) as refused:
        price_at(catalog, "qq", 0, LOWEST, None, assume())
    assert refused.value.args[0] == "model or workload 'qq' is not known."
    with pytest.raises(NotKnown, match=r"^workload 'zebra-one/chatt' is not known"):
        price_at(catalog, "zebra-one/chatt", 0, LOWEST, None, assume())


def test_a_blend_of_a_model_without_workloads_is_told_what_to_ask_for():
    """A model that only prices know has no workload to propose: input and output are."""
    catalog = overlay(prices=[row(model="zebra-one", price=2.0)])
    with pytest.raises(InputError) as refused:
        price_at(catalog, "zebra-one", 0, LOWEST, BLENDED, assume())
    assert str(refused.value) == (
        "a blended price needs tokens in and out: ask for input and output."
    )
