"""Today's API list prices from the package genai-prices, as rows of prices.csv.

The shipped prices are such a snapshot, with the history of earlier ones; a function never asks the
package itself, so that a figure depends on the catalog alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from xltoken.catalog.keys import normalize
from xltoken.catalog.records import Price, columns

# What providers put around a model's name: a maker before a dot, a tune, a bedrock version.
_AROUND: Final = re.compile(r"^(openai|zai|mistral)\.|^databricks-|-instruct\b|-\d+:\d+$")


def model_of(provider_name: str, models: Mapping[str, str]) -> str | None:
    """Name in the catalog of what a provider calls `provider_name`; None where it is another.

    `models` maps normalized names to names. Free and time-limited variants are others.

    Examples
    --------
    >>> model_of("openai.gpt-oss-120b-1:0", {"gptoss120b": "gpt-oss-120b"})
    'gpt-oss-120b'
    """
    tail = provider_name.rpartition("/")[2].casefold()
    return models.get(normalize(_AROUND.sub("", tail)))


def todays(models: Iterable[str], today: date) -> Iterator[dict[str, str]]:
    """Rows of prices.csv for `models` as the installed genai-prices knows them.

    Raises
    ------
    ModuleNotFoundError
        If genai-prices is not installed.
    """
    from genai_prices.data_snapshot import get_snapshot

    names = {normalize(name): name for name in models}
    seen: set[tuple[str, str, str]] = set()
    for provider in get_snapshot().providers:
        for model in provider.models:
            name = model_of(model.id, names)
            if name is None:
                continue
            for kind, usd in _prices(model, today):
                if usd and (provider.id, name, kind) not in seen:
                    seen.add((provider.id, name, kind))
                    yield _row(provider.id, name, kind, today, usd)


def _prices(model: Any, today: date) -> Iterator[tuple[str, float | None]]:
    from datetime import UTC, datetime, time

    noon = datetime.combine(today, time(12), tzinfo=UTC)
    price = model.get_prices(noon)
    for kind, figure in (
        ("input", price.input_mtok),
        ("output", price.output_mtok),
        ("cache_read", price.cache_read_mtok),
    ):
        # Where a price depends on the length of a prompt, the shortest counts.
        yield kind, None if figure is None else float(getattr(figure, "base", figure))


def _row(provider: str, model: str, kind: str, today: date, usd: float) -> dict[str, str]:
    row = dict.fromkeys((field.name for field in columns(Price)), "")
    return row | {
        "provider": provider,
        "model": model,
        "kind": kind,
        "valid_from": today.isoformat(),
        "usd_per_million_tokens": f"{usd:.10g}",
    }
