"""Tables for Python: pandas DataFrames that carry their units and sources in ``attrs``.

They compute what the worksheet functions compute. A missing figure is NaN, and
``attrs["reasons"]`` says why.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.functions.cells import month_of
from xltoken.functions.evidence import citation, conditions
from xltoken.model.assumptions import Assumptions, parse
from xltoken.model.forecast import Quote, quote
from xltoken.model.months import Month
from xltoken.model.prices import LOWEST, price_at
from xltoken.model.ranking import ranking

if TYPE_CHECKING:
    import pandas as pd

Months = Iterable[float | dt.date]
_Figure = tuple[float, Iterable[str], Iterable[str]]
"""A figure, what it rests on, and its warnings."""

_NUMBERS: Final = (
    "usd_per_million_tokens",
    "ratio",
    "tokens_per_second",
    "tokens_per_second_per_user",
    "tokens_per_second_per_megawatt",
)
_SPEEDS: Final = ("tokens_per_second_per_user", "seconds_to_first_token")

__all__ = ["capacity_table", "cost_table", "evidence_table", "price_table", "ranking_table"]


def cost_table(
    platforms: str | Iterable[str],
    months: Months,
    workload: str,
    assumptions: Mapping[str, Any] | None = None,
) -> "pd.DataFrame":
    """Cost of a token: one row a month, one column a platform.

    Parameters
    ----------
    platforms : str or iterable of str
        Platforms as TOKEN_COST takes them, or ``"all"`` with evidence.
    months : iterable of float or date
        Dates, or months after the assumption ``start``.
    workload : str
        ``MODEL/SHAPE``.
    assumptions : mapping, optional
        Names and values as in the assumptions range of a worksheet.

    Returns
    -------
    DataFrame, shape (months, platforms)
        USD per 1M counted tokens; NaN where nothing is known. ``attrs``: unit, workload,
        tokens_counted, catalog, fingerprint, assumptions, sources, warnings and reasons by
        platform.

    Raises
    ------
    NotKnown
        If a platform or the workload is unknown.
    InputError, DomainError
        If an assumption is unknown, of the wrong kind or out of range.

    Examples
    --------
    >>> table = cost_table(["B200", "H200"], [0, 12], "deepseek-r1/chat")
    >>> table.shape, table.attrs["unit"]
    ((2, 2), 'USD per 1M output tokens')
    """
    return _by_platform(
        platforms,
        months,
        workload,
        parse(list((assumptions or {}).items())),
        "USD per 1M {counted} tokens",
        lambda found: found.usd_per_million_tokens(),
    )


def capacity_table(
    platforms: str | Iterable[str],
    months: Months,
    workload: str,
    accelerators: float = 1.0,
    assumptions: Mapping[str, Any] | None = None,
) -> "pd.DataFrame":
    """Tokens that accelerators serve: one row a month, one column a platform.

    Parameters, attributes and errors are those of :func:`cost_table`; `accelerators` is their
    number. Values are millions of counted tokens a month of 730 hours.

    Examples
    --------
    >>> capacity_table("B200", [0], "deepseek-r1/chat", 8).attrs["unit"]
    'M output tokens a month'
    """
    return _by_platform(
        platforms,
        months,
        workload,
        parse(list((assumptions or {}).items())),
        "M {counted} tokens a month",
        lambda found: found.million_tokens_per_month(accelerators),
        with_rate=False,
    )


def price_table(
    models_or_workloads: str | Iterable[str],
    months: Months,
    provider: str = LOWEST,
    kind: str | None = None,
    assumptions: Mapping[str, Any] | None = None,
) -> "pd.DataFrame":
    """List prices as TOKEN_PRICE gives them: one row a month, one column a model or workload.

    ``attrs["providers"]`` names whose price each figure is.

    Examples
    --------
    >>> price_table("gpt-oss-120b", [0]).attrs["unit"]
    'USD per 1M tokens'
    """
    given = parse(list((assumptions or {}).items()))
    catalog = store.current().at(given.get("catalog"))
    names = [models_or_workloads] if isinstance(models_or_workloads, str) else models_or_workloads
    providers: dict[str, list[str]] = {}

    def ask(name: str, month: Month) -> _Figure:
        providers.setdefault(name, []).append("")
        found = price_at(catalog, name, month, provider, kind, given)
        providers[name][-1] = found.provider
        cited = [_cited(catalog, row.source_id) for row in found.rows]
        return found.usd_per_million_tokens, cited, found.warnings

    table, told = _filled(names, months, ask)
    attributes = _attributes(catalog, given, "USD per 1M tokens", providers=providers)
    table.attrs = attributes | told
    return table


def ranking_table(
    month: float | dt.date, workload: str, assumptions: Mapping[str, Any] | None = None
) -> "pd.DataFrame":
    """Every platform ranked by the cost of a token, those without a cost last with the reason.

    Examples
    --------
    >>> ranking_table(0, "deepseek-r1/chat").columns[0]
    'usd_per_million_tokens'
    """
    import pandas as pd

    given = parse(list((assumptions or {}).items()))
    catalog = store.current().at(given.get("catalog"))
    rows = []
    for standing in ranking(catalog, month_of(month), workload, given):
        found = standing.quote
        rows.append(
            {
                "platform": standing.platform,
                "usd_per_million_tokens": standing.usd_per_million_tokens,
                "ratio": standing.ratio,
                "tokens_per_second": found.tokens_per_second if found else None,
                "tokens_per_second_per_user": found.speed if found else None,
                "tokens_per_second_per_megawatt": standing.tokens_per_second_per_megawatt,
                "rows": found.rows if found else 0,
                "evidence_date": standing.evidence_date,
                "grade": found.grade if found else "",
                "source": citation(found) if found else "",
                "warnings": "; ".join(found.warnings()) if found else "",
                "reason": standing.reason,
            }
        )
    table = pd.DataFrame(rows).set_index("platform").astype(dict.fromkeys(_NUMBERS, float))
    unit = f"USD per 1M {given.get('tokens_counted')} tokens"
    key = catalog.workload(workload).key
    table.attrs = _attributes(catalog, given, unit, workload=key, month=month)
    return table


def evidence_table(
    platform: str, workload: str, assumptions: Mapping[str, Any] | None = None
) -> "pd.DataFrame":
    """Rows behind an answer: one row an admitted measurement, fastest last.

    Examples
    --------
    >>> "source" in evidence_table("B200", "glm-5/agentic").columns
    True
    """
    import pandas as pd

    given = parse(list((assumptions or {}).items()))
    catalog = store.current().at(given.get("catalog"))
    found = quote(catalog, platform, 0.0, workload, given)
    observations = [row.observation for row in found.frontiers.rows]
    observations.sort(key=lambda o: (o.tokens_per_second_per_user or 0.0, o.observation_id))
    table = pd.DataFrame(
        [
            {
                "observation_id": o.observation_id,
                "date": o.date,
                "tokens_per_second_total": o.total,
                "tokens_per_second_per_user": o.tokens_per_second_per_user,
                "seconds_to_first_token": o.seconds_to_first_token,
                "conditions": conditions(o),
                "grade": o.evidence,
                "source": o.source_id,
            }
            for o in observations
        ]
    ).set_index("observation_id")
    table = table.astype(dict.fromkeys(_SPEEDS, float))
    unit = "tok/s per accelerator, input and output"
    key = found.workload.key
    table.attrs = _attributes(catalog, given, unit, platform=found.platform, workload=key)
    return table


def _by_platform(
    platforms: str | Iterable[str],
    months: Months,
    workload: str,
    given: Assumptions,
    unit: str,
    value: Callable[[Quote], float],
    *,
    with_rate: bool = True,
) -> "pd.DataFrame":
    catalog = store.current().at(given.get("catalog"))
    key = catalog.workload(workload).key

    def ask(name: str, month: Month) -> _Figure:
        found = quote(catalog, name, month, workload, given)
        figure = value(found)
        return figure, citation(found).split("; "), found.warnings(with_rate=with_rate)

    table, told = _filled(_names(catalog, platforms), months, ask)
    shown = unit.format(counted=given.get("tokens_counted"))
    table.attrs = _attributes(catalog, given, shown, workload=key) | told
    return table


def _filled(
    names: Iterable[str], months: Months, ask: Callable[[str, Month], _Figure]
) -> tuple["pd.DataFrame", dict[Any, Any]]:
    """Table of figures by month and name, with sources, warnings and reasons by name."""
    import pandas as pd

    index = [month_of(month) for month in months]
    columns: dict[str, list[float]] = {}
    sources: dict[str, str] = {}
    warnings: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    for name in dict.fromkeys(names):
        figures: list[float] = []
        cited: dict[str, None] = {}
        told: dict[str, None] = {}
        missing: dict[str, None] = {}
        for month in index:
            try:
                figure, by, warned = ask(name, month)
            except NotKnown as reason:
                figures.append(float("nan"))
                missing[str(reason)] = None
                continue
            figures.append(figure)
            cited |= dict.fromkeys(by)
            told |= dict.fromkeys(warned)
        if missing:
            reasons[name] = " ".join(missing)
        columns[name] = figures
        sources[name] = "; ".join(cited)
        warnings[name] = list(told)
    table = pd.DataFrame(columns, index=pd.Index(index, name="month"))
    return table, {"sources": sources, "warnings": warnings, "reasons": reasons}


def _names(catalog: store.Catalog, platforms: str | Iterable[str]) -> list[str]:
    if platforms == "all":
        return [name for name in catalog.platforms if name in catalog.platforms_with_evidence]
    listed = [platforms] if isinstance(platforms, str) else platforms
    return list(dict.fromkeys(catalog.platform(name).platform for name in listed))


def _cited(catalog: store.Catalog, source_id: str) -> str:
    source = catalog.sources.get(source_id)
    return f"{source.publisher}, {source.title} {source.url}" if source else source_id


def _attributes(
    catalog: store.Catalog, given: Assumptions, unit: str, **more: Any
) -> dict[Any, Any]:
    return {
        "unit": unit,
        "tokens_counted": given.get("tokens_counted"),
        "assumptions": dict(given.given),
        "catalog": catalog.date,
        "fingerprint": catalog.fingerprint,
        **more,
    }
