"""What hosts get wrong whatever the function: dates, digits, assumptions, ranges, tables."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from xltoken.functions import WorksheetFunction, cells
from xltoken.functions.curves import COST_CURVE, COST_CURVE_FIT
from xltoken.functions.evidence import TOKEN_SOURCE
from xltoken.functions.ranking import PLATFORM_RANKING
from xltoken.functions.returns import PAYBACK_MONTHS
from xltoken.functions.unit_cost import TOKEN_COST
from xltoken.functions.value import NPV_DECLINING, NPV_STATIC
from xltoken.templates import style
from xltoken.templates.self_test.case import (
    Argument,
    Block,
    Case,
    Limit,
    Look,
    Special,
    called,
    case,
    hosts_blind_to,
)
from xltoken.templates.self_test.edges import CURRENCY, SMALL, example

_ACCOUNTING: Final = '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)'
_DIGITS: Final = (1 / 3, 1234567.890123457, 1e-300)
"""Numbers of 16 digits, which is as many as openpyxl writes, and a very small one."""


def specials() -> list[Case]:
    """Every case, subject by subject."""
    return [*_dates(), *_numbers(), *_assumptions(), *_lifting(), *_series(), *_tables()]


def _with(function: WorksheetFunction, **changed: Argument) -> list[Argument]:
    """Arguments of the worked example, some of them others."""
    arguments = example(function)
    names = [p.name for p in function.parameters]
    for name, value in changed.items():
        place = names.index(name)
        arguments += [None] * (place + 1 - len(arguments))
        arguments[place] = value
    return arguments


def _dates() -> Iterator[Case]:
    subject = "Dates"
    day = next(a for a in example(TOKEN_COST) if isinstance(a, dt.date))
    serial = float(cells.outgoing(day))
    for shows, month in (
        ("A date as a plain number", serial),
        ("A date with a time of day", serial + 0.75),
        ("Months after the start", 12.0),
        ("Months before the start", -3.0),
        ("A part of a month", 7.5),
        ("A date as text", day.isoformat()),
        ("A number beyond the last date", 2958466.0),
    ):
        yield case(TOKEN_COST, subject, shows, _with(TOKEN_COST, month=month))
    yield case(TOKEN_SOURCE, subject, "A result that is a date",
               _with(TOKEN_SOURCE, field="date"), shown=style.DATE)  # fmt: skip
    dated = [i for i, column in enumerate(PLATFORM_RANKING.columns, 1) if column.kind == "date"]
    yield case(PLATFORM_RANKING, subject, "A date inside a table", example(PLATFORM_RANKING),
               Look.CELL, (2, dated[0]), shown=style.DATE)  # fmt: skip
    start = Block((("start", day),), style.DATE)
    yield case(TOKEN_COST, subject, "A date among the assumptions",
               _with(TOKEN_COST, month=12.0, assumptions=start))  # fmt: skip


def _numbers() -> Iterator[Case]:
    subject = "Numbers"
    for number in _DIGITS:
        yield case(COST_CURVE, subject, f"All digits come back: {number!r}", _same(number),
                   exact=True)  # fmt: skip
    cut = Limit(hosts_blind_to("Currency"), None)
    for name, number_format in (("Currency", CURRENCY), ("Accounting", _ACCOUNTING)):
        yield case(COST_CURVE, subject, f"{SMALL:.5f} in {name} comes back whole", _same(SMALL),
                   exact=True, formats={0: number_format}, limit=cut)  # fmt: skip
    # Over 1 a host that cuts to four decimals gives a figure that is a little off, and no error.
    yield case(COST_CURVE, subject, "Five decimals in a Currency cell come back whole",
               _same(1234.56789), exact=True, formats={0: CURRENCY},
               limit=Limit(cut.hosts, 1234.5679))  # fmt: skip
    decline = [p.name for p in COST_CURVE.parameters].index("decline")
    yield case(COST_CURVE, subject, "A share in a Percent cell", example(COST_CURVE),
               formats={decline: "0%"})  # fmt: skip


def _same(number: float) -> list[Argument]:
    """Arguments of which the result is the number itself: month 0 of a curve that does not fall."""
    return [number, 0.0, 0.0]


def _assumptions() -> Iterator[Case]:
    subject = "Assumptions"
    gap: tuple[Any, ...] = (None, None, None)
    for shows, rows in (
        ("Header, unit column and a blank row",
         (("assumption", "unit", "value"), ("utilization", "share", 0.5), gap,
          ("overhead", "share", 0.1))),
        ("A blank value is not given", (("utilization", 0.5), ("overhead", None))),
        ("A name in other spelling", ((" Tokens Counted ", "TOTAL"),)),
        ("An unknown name", (("utilisation_rate", 0.5),)),
        ("A name given twice", (("utilization", 0.5), ("Utilization", 0.6))),
        ("A value out of range", (("utilization", 2.0),)),
        ("A text where a number is due", (("utilization", "half"),)),
        ("TRUE where a number is due", (("utilization", True),)),
        ("One column only", (("utilization",), ("overhead",))),
    ):  # fmt: skip
        yield case(TOKEN_COST, subject, shows, _with(TOKEN_COST, assumptions=Block(rows)))
    yield case(TOKEN_COST, subject, "A single cell", _with(TOKEN_COST, assumptions="utilization"))
    price = Block((("usd_per_accelerator_hour", SMALL),), CURRENCY)
    yield case(TOKEN_COST, subject, f"{SMALL:.5f} in a Currency cell",
               _with(TOKEN_COST, assumptions=price),
               limit=Limit(hosts_blind_to("Currency"), None))  # fmt: skip


_STARTS: Final = Block.column(0.11, 0.22, 0.33)
_MONTHS: Final = Block.row(0.0, 12.0, 24.0, 36.0)
_SPOILED: Final = Block.column(0.11, Special.ERROR, 0.33)


def _lifting() -> Iterator[Case]:
    subject = "Ranges"
    table = _with(COST_CURVE, start=_STARTS, month=_MONTHS)
    yield case(COST_CURVE, subject, "A column against a row: the sum", table, Look.SUM)
    yield case(COST_CURVE, subject, "A column against a row: one cell", table, Look.CELL, (3, 2))
    yield case(COST_CURVE, subject, "A column against a row: rows", table, Look.ROWS)
    yield case(COST_CURVE, subject, "A column against a row: columns", table, Look.COLUMNS)
    shorter = _with(COST_CURVE, start=_STARTS, month=Block.column(0.0, 12.0))
    yield case(COST_CURVE, subject, "A cell with a partner", shorter, Look.CELL, (2, 1))
    yield case(COST_CURVE, subject, "A cell without a partner", shorter, Look.ERROR, (3, 1))
    spoiled = _with(COST_CURVE, start=_SPOILED)
    yield case(COST_CURVE, subject, "Beside an error: the good cell", spoiled, Look.CELL, (3, 1))
    yield case(
        COST_CURVE, subject, "Beside an error: the error itself", spoiled, Look.ERROR, (2, 1)
    )
    one = _with(COST_CURVE, start=Block.column(0.11))
    yield case(COST_CURVE, subject, "A range of one cell", one)


def _series() -> Iterator[Case]:
    subject = "Series"
    volumes = tuple(1000.0 + 50 * month for month in range(6))
    for shows, block in (
        ("In a row", Block.row(*volumes)),
        ("In a column", Block.column(*volumes)),
        ("In a range of one cell", Block.column(volumes[0])),
        ("A blank cell inside", Block.row(*volumes[:2], None, *volumes[3:])),
        ("A text inside", Block.row(*volumes[:2], "12", *volumes[3:])),
        ("Two rows and two columns", Block((volumes[:2], volumes[2:4]))),
    ):
        yield case(NPV_STATIC, subject, shows, _with(NPV_STATIC, volumes=block))
    yield case(
        PAYBACK_MONTHS, subject, "An error inside", _with(PAYBACK_MONTHS, cashflows=_SPOILED)
    )
    costs = Block.row(0.11, 0.1, 0.09, 0.08, 0.07, 0.06)
    path: dict[str, Argument] = {"volumes": Block.row(*volumes), "unit_cost": costs}
    yield case(NPV_STATIC, subject, "Two series of one length", _with(NPV_STATIC, **path))
    shorter = path | {"unit_cost": Block.row(0.11, 0.1)}
    yield case(NPV_STATIC, subject, "Two series, not of one length", _with(NPV_STATIC, **shorter))
    yield case(NPV_DECLINING, subject, "A path of costs, and a decline too",
               _with(NPV_DECLINING, **path))  # fmt: skip


def _tables() -> Iterator[Case]:
    subject = "Tables"
    fit = called(COST_CURVE_FIT, example(COST_CURVE_FIT))
    row = next(i for i, line in enumerate(fit, 1) if line[1] == cells.NA)
    yield case(COST_CURVE_FIT, subject, "#N/A inside a table", example(COST_CURVE_FIT),
               Look.ERROR, (row, 2))  # fmt: skip
    months = Block.column(0.0, 12.0)
    yield case(PLATFORM_RANKING, subject, "A range where a table takes one cell",
               _with(PLATFORM_RANKING, month=months))  # fmt: skip
    ranking = called(PLATFORM_RANKING, example(PLATFORM_RANKING))
    for shows, place in (
        ("A header with the tokens counted in it", (1, 3)),
        ("A text of the last row", (len(ranking), 2)),
    ):
        yield case(PLATFORM_RANKING, subject, shows, example(PLATFORM_RANKING), Look.CELL, place)
