"""The commands that question the figures: claims, backtest, platforms."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from xltoken.cli.frame import DONE, FINDINGS, Outcome, Unusable, command, console, progress, table

app = typer.Typer()

APART: Final = 0.1


@command(app, "claims")
def claims() -> Outcome:
    """Make headline figures again from their own inputs, and show what becomes of them.

    Exit code 1 if one lies more than 10 % from what its own inputs give.

    Example: xltoken claims
    """
    from xltoken.catalog.store import current
    from xltoken.economics.domain import DomainError
    from xltoken.model.claims import conditions, judged

    catalog = current()
    try:
        with progress("making the claims again"):
            found = judged(catalog)
    except DomainError as error:
        raise Unusable(str(error)) from None
    listed = [
        {
            "id": j.claim.claim,
            "headline": j.claim.headline,
            "published": j.claim.published_value,
            "reproduced": j.reproduced,
            "unit": j.claim.unit,
            "conditions": conditions(j.claim),
            "assessment": j.claim.assessment,
            "variants": [
                {"conditions": dict(v.conditions), "value": v.value}
                | ({"reason": v.reason} if v.reason else {})
                | ({"warnings": list(v.warnings)} if v.warnings else {})
                for v in j.variants
            ],
            "grade": j.claim.evidence,
            "source": _source(catalog, j.claim.source_id),
        }
        for j in found
    ]

    def show() -> None:
        for number, claim in enumerate(listed):
            _show_claim(claim, first=number == 0)

    apart = any(abs(j.reproduced / j.claim.published_value - 1) > APART for j in found)
    return Outcome(listed, show, FINDINGS if apart else DONE)


def _source(catalog: Any, source_id: str) -> dict[str, Any]:
    source = catalog.sources.get(source_id)
    if source is None:
        return {"source_id": source_id}
    return {
        "source_id": source_id,
        "publisher": source.publisher,
        "title": source.title,
        "published": source.published,
        "url": source.url,
    }


def _show_claim(claim: dict[str, Any], *, first: bool) -> None:
    echo = console().print
    if not first:
        echo()
    echo(claim["headline"])
    echo(
        f"  published {_figure(claim['published'])} {claim['unit']}; from its own inputs "
        f"{_figure(claim['reproduced'])}. {claim['assessment']}"
    )
    told = {k: v for k, v in claim["conditions"].items() if k != "text"}
    echo(f"  conditions: {_told(told)}. {claim['conditions']['text']}")
    echo(f"  grade {claim['grade']}; {claim['source'].get('url', claim['source']['source_id'])}")
    rows, reasons = [], []
    for variant in claim["variants"]:
        if variant["value"] is None:
            reasons.append(variant["reason"])
        else:
            thin = len(variant.get("warnings", ()))
            marks = f"{thin} warnings" if thin > 1 else "1 warning" if thin else ""
            rows.append((_figure(variant["value"]), _told(variant["conditions"]), marks))
    table(("  becomes", "under", ""), [("  " + value, *rest) for value, *rest in rows], right="0")
    if reasons:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        echo(f"  no value: {reasons[0]}{more}")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _told(conditions: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {_figure(value) if isinstance(value, float) else value}"
        for name, value in conditions.items()
    )


@command(app, "backtest")
def backtest(
    origin: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="Show every forecast made at the end of this day's half-month.",
            show_default=False,
        ),
    ] = None,
) -> Outcome:
    """Compare forecasts made with past knowledge with what was measured later.

    Example: xltoken backtest
    """
    from xltoken.catalog.store import current
    from xltoken.model import backtest as study

    catalog = current()
    if origin is not None:
        return _forecasts(catalog, origin.date())
    with progress("forecasting from every half-month"):
        found = study.report(catalog)

    def show() -> None:
        echo = console().print
        echo(
            f"{found['forecasts']:,} forecasts from {found.get('origins', 0)} half-months, "
            f"{found['configurations']} fixed configurations, {found['stacks']} stacks "
            "(forecasts of one configuration overlap)."
        )
        if not found["forecasts"]:
            return
        drift = found["drift"]
        echo(
            f"Drift known today: {drift['gain_per_month']:.2%} throughput a month; prior "
            f"{drift['prior_gain_per_month']:.2%}, counted as "
            f"{drift['prior_weight_stacks']:g} stacks."
        )
        for again in drift["prior_repeated"]:
            echo(
                f"  the prior again from {again['evidence']}: "
                f"{again['gain_per_month']:.2%} a month ({again['pairs']} pairs)"
            )
        echo("\nMedian absolute log error by months ahead, and the share inside the 80 % range")
        methods = list(found["median_absolute_log_error"])
        titles = ("Months", "forecasts", *(m.replace("_", " ") for m in methods), "inside",
                  "above", "below")  # fmt: skip
        rows = [
            (h["months"], h["forecasts"], *_errors(h), f"{h['coverage']:.0%}", h["above"],
             h["below"])
            for h in [*found["horizons"], {"months": "all", **found}]
        ]  # fmt: skip
        table(titles, rows, right="0123456789")
        echo("\nBy platform")
        rows = [
            (p["platform"], p["forecasts"], p["configurations"], *_errors(p),
             f"{p['coverage']:.0%}")
            for p in found["platforms"]
        ]  # fmt: skip
        titles = ("Platform", "forecasts", "configurations",
                  *(m.replace("_", " ") for m in methods), "inside")  # fmt: skip
        table(titles, rows, right="123456789")

    return Outcome(found, show)


def _errors(found: dict[str, Any]) -> list[str]:
    return [f"{error:.3f}" for error in found["median_absolute_log_error"].values()]


def _forecasts(catalog: Any, day: dt.date) -> Outcome:
    import math

    from xltoken.model import backtest as study
    from xltoken.model.panel import half_month, panel

    made = study.forecasts_at(catalog, study.measured(catalog), half_month(day))
    listed: list[dict[str, Any]] = [
        {
            "platform": f.configuration[0],
            "model": f.configuration[1],
            "stack": list(f.series.stack),
            "configuration": [str(part) for part in f.configuration],
            "months_ahead": f.halves_ahead / 2,
            "tokens_per_second_total": {name: math.exp(log) for name, log in f.logs.items()},
            "log_spread": f.spread,
        }
        for f in made
    ]
    name = study.half_month_name(half_month(day))

    def show() -> None:
        console().print(f"{len(listed)} forecasts made at the end of {name}: total tok/s each\n")
        table(
            ("Platform", "model", "framework", "precision", "months ahead", "forecast",
             "no change", "log spread"),
            [
                (f["platform"], f["model"], *f["stack"][1:3], f["months_ahead"],
                 f["tokens_per_second_total"]["model"],
                 f["tokens_per_second_total"]["no_change"], f["log_spread"])
                for f in listed
            ],
            right="4567",
        )  # fmt: skip

    notes = []
    if not listed:
        every = study.origins(panel(catalog, None))
        first, last = (study.half_month_name(half) for half in (every[0], every[-1]))
        notes.append(f"note: nothing was measured then; origins run from {first} to {last}.")
    return Outcome({"origin": name, "forecasts": listed}, show, notes=notes)


@command(app, "platforms")
def platforms(
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the page as Markdown.", show_default=False),
    ] = None,
) -> Outcome:
    """Say which platform is cheapest per token today, how thin that is, and where it flips.

    Example: xltoken platforms -o which-platform.md
    """
    from xltoken.catalog.store import current
    from xltoken.model.answer import answers, page

    catalog = current()
    with progress("ranking every platform"):
        found = answers(catalog)
    text = page(catalog, found)
    if output is not None:
        from xltoken.files import write_atomically

        write_atomically(output, text.encode())

    def show() -> None:
        console().print(text if output is None else f"{output}: written.")

    return Outcome({"date": catalog.date, "answers": [a.as_dict() for a in found]}, show)
