"""Today's list prices of the package genai-prices, as rows of prices.csv."""

import datetime as dt
import importlib
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from types import ModuleType, SimpleNamespace

import pytest

from xltoken.catalog import store
from xltoken.catalog.api_prices import model_of, todays
from xltoken.catalog.keys import normalize
from xltoken.catalog.records import Origin, Price, columns, parse

TODAY = dt.date(2026, 11, 22)
NAMES = (
    "gpt-oss-120b",
    "deepseek-r1",
    "deepseek-r1-0528",
    "llama-3.1-405b",
    "mixtral-8x7b",
    "glm-5",
    "kimi-k2.5",
)
MODELS = {normalize(name): name for name in NAMES}


@pytest.mark.parametrize(
    ("provider_name", "model"),
    [
        ("gpt-oss-120b", "gpt-oss-120b"),
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
        ("OpenAI/GPT-OSS-120B", "gpt-oss-120b"),
        ("gpt_oss_120b", "gpt-oss-120b"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("databricks-gpt-oss-120b", "gpt-oss-120b"),
        ("accounts/fireworks/models/gpt-oss-120b", "gpt-oss-120b"),
        ("deepseek-ai/DeepSeek-R1", "deepseek-r1"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1-0528"),
        ("databricks-llama-3.1-405b-instruct", "llama-3.1-405b"),
        ("mistralai/Mixtral-8x7B-Instruct", "mixtral-8x7b"),
        ("mistral.mixtral-8x7b-instruct-0:1", "mixtral-8x7b"),
        ("zai.glm-5", "glm-5"),
        ("moonshotai/kimi-k2.5", "kimi-k2.5"),
    ],
)
def test_a_name_of_a_provider_finds_the_model(provider_name, model):
    """Maker, path, case, host, tune and version around a name do not hide the model."""
    assert model_of(provider_name, MODELS) == model


@pytest.mark.parametrize(
    "provider_name",
    [
        "",
        "openai/",
        "gpt-oss-20b",
        "openai/gpt-oss-120b:free",
        "deepseek/deepseek-r1:free",
        "deepseek-r1-distill-llama-70b",
        "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
        "deepseek-r1t-chimera",
        "claude-opus-4.6-fast",
        "glm-5-air",
        "glm-5.1",
        "ft:gpt-oss-120b",
        "gpt-oss-120b/other",
        "kimi-k2",
    ],
)
def test_a_variant_is_another_model(provider_name):
    """Free offers, distillates, other sizes and later versions are not the model."""
    assert model_of(provider_name, MODELS) is None


def test_a_model_is_spelled_as_the_catalog_spells_it():
    """What is found is the name that was asked for, not the provider's or the normalized one."""
    assert model_of("glm-5", {"glm5": "GLM 5"}) == "GLM 5"
    assert model_of("glm-5", {}) is None


@dataclass
class Tiers:
    """A price by the length of the prompt, as genai-prices gives it."""

    base: Decimal


@dataclass
class Offer:
    """A model of a stubbed provider: its name and prices; remembers when it was asked."""

    id: str
    input_mtok: object = None
    output_mtok: object = None
    cache_read_mtok: object = None
    asked: list = field(default_factory=list)

    def get_prices(self, timestamp):
        """Return the prices, as the package's model does."""
        self.asked.append(timestamp)
        return self


@pytest.fixture
def snapshot_of(monkeypatch):
    """Stand in for the installed package with the providers given: name to list of offers."""

    def stub(**providers):
        listed = [SimpleNamespace(id=name, models=offers) for name, offers in providers.items()]
        module = ModuleType("genai_prices.data_snapshot")
        module.get_snapshot = lambda: SimpleNamespace(providers=listed)
        monkeypatch.setitem(sys.modules, "genai_prices", ModuleType("genai_prices"))
        monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", module)

    return stub


def figures(rows):
    """Return provider, model, kind and price of each row."""
    names = ("provider", "model", "kind", "usd_per_million_tokens")
    return [tuple(row[name] for name in names) for row in rows]


def test_each_kind_of_price_is_a_row(snapshot_of):
    """A model's input, output and cache-read prices are one row each, in that order."""
    snapshot_of(groq=[Offer("openai/gpt-oss-120b", Decimal("0.15"), Decimal("0.6"), 0.075)])
    assert figures(todays(NAMES, TODAY)) == [
        ("groq", "gpt-oss-120b", "input", "0.15"),
        ("groq", "gpt-oss-120b", "output", "0.6"),
        ("groq", "gpt-oss-120b", "cache_read", "0.075"),
    ]


def test_a_row_has_every_column_and_no_source(snapshot_of):
    """A row has all columns of prices.csv, is of today, and leaves its source to who keeps it."""
    snapshot_of(groq=[Offer("glm-5", Decimal(1))])
    (row,) = todays(NAMES, TODAY)
    assert list(row) == [column.name for column in columns(Price)]
    assert row["valid_from"] == "2026-11-22"
    assert (row["source_id"], row["recorded"], row["withdrawn"]) == ("", "", "")
    record, problems = parse(Price, row, Origin("prices.csv", 2, user=True))
    assert problems == []
    assert (record.valid_from, record.usd_per_million_tokens) == (TODAY, 1.0)


def test_a_price_that_is_missing_or_nothing_is_no_row(snapshot_of):
    """A kind without a price, or at no price at all, is left out."""
    snapshot_of(groq=[Offer("glm-5", None, Decimal(0), Decimal("0.2"))], free=[Offer("glm-5")])
    assert figures(todays(NAMES, TODAY)) == [("groq", "glm-5", "cache_read", "0.2")]


def test_of_prices_by_length_the_shortest_prompt_counts(snapshot_of):
    """Where a price rises with the prompt, the row has that of the shortest."""
    snapshot_of(groq=[Offer("glm-5", Tiers(Decimal("1.25")), Tiers(Decimal(0)))])
    assert figures(todays(NAMES, TODAY)) == [("groq", "glm-5", "input", "1.25")]


def test_a_provider_asks_one_price_for_a_model(snapshot_of):
    """Of two names of one model the first has the price of a kind; others may add kinds."""
    snapshot_of(
        one=[
            Offer("deepseek-r1", Decimal("0.45")),
            Offer("deepseek/deepseek-r1", Decimal("0.5"), Decimal("2.15")),
        ],
        two=[Offer("deepseek-r1", Decimal("0.7"))],
    )
    assert figures(todays(NAMES, TODAY)) == [
        ("one", "deepseek-r1", "input", "0.45"),
        ("one", "deepseek-r1", "output", "2.15"),
        ("two", "deepseek-r1", "input", "0.7"),
    ]


def test_only_the_models_asked_for_have_rows(snapshot_of):
    """Other models are left out without asking for their prices; no model, no row."""
    other = Offer("gpt-4o", Decimal("2.5"))
    snapshot_of(openai=[other, Offer("openai/gpt-oss-120b:free", Decimal(1))])
    assert list(todays(NAMES, TODAY)) == []
    assert list(todays([], TODAY)) == []
    assert other.asked == []


def test_prices_are_asked_for_noon_of_the_day(snapshot_of):
    """The day's prices are those at noon UTC, so that no time zone moves them to another day."""
    offer = Offer("glm-5", Decimal(1))
    snapshot_of(groq=[offer])
    list(todays(NAMES, TODAY))
    assert offer.asked == [dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)]


def test_without_the_package_there_are_no_prices(monkeypatch):
    """Where genai-prices is not installed the error says which module is missing."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    with pytest.raises(ModuleNotFoundError, match="genai_prices"):
        next(todays(NAMES, TODAY))


@pytest.fixture(scope="module")
def installed():
    """Rows of the installed genai-prices for every model of the shipped catalog."""
    importlib.import_module("genai_prices.data_snapshot")
    return list(todays(store.load().models.values(), TODAY))


def test_the_installed_package_gives_rows_that_can_be_used(installed):
    """Every row of the real package is a price: above 0, of a model in the catalog, once a key."""
    assert len(installed) > 100
    prices = [parse(Price, row, Origin("prices.csv", 2, user=True)) for row in installed]
    assert [problems for _, problems in prices if problems] == []
    names = set(store.load().models.values())
    assert {price.model for price, _ in prices} <= names
    keys = [(price.provider, price.model, price.kind) for price, _ in prices]
    assert len(set(keys)) == len(keys)
    assert {kind for _, _, kind in keys} == {"input", "output", "cache_read"}


def test_the_installed_package_prices_the_headline_model(installed):
    """Several providers ask for gpt-oss-120b; none asks more for input than for output."""
    asked = {
        (row["provider"], row["kind"]): float(row["usd_per_million_tokens"])
        for row in installed
        if row["model"] == "gpt-oss-120b"
    }
    providers = {provider for provider, kind in asked if kind == "output"}
    assert len(providers) >= 10
    assert all(asked[name, "input"] <= asked[name, "output"] for name in providers)
