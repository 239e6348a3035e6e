"""Repeated measurements of one fixed configuration, half-month by half-month.

Only such pairs say what software gained: everything else differs in hardware, model, precision or
layout as well. A configuration counts once in a half-month, with its last run there.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from xltoken.catalog.records import Observation
from xltoken.catalog.store import Catalog, per_catalog
from xltoken.model.evidence import Configuration, configuration, is_steady

HALVES_A_MONTH: Final = 2

Stack = tuple[str, str, str, str]
"""Platform, framework, precision, speculative decoding."""


def is_measured(row: Observation) -> bool:
    """Whether a row may correct the prior, which was taken from vendors' tables and rounds."""
    return row.evidence == "measured"


def half_month(day: date) -> int:
    """Number of the half-month of a day: the first ends on the 15th.

    Examples
    --------
    >>> half_month(date(2026, 1, 16)) - half_month(date(2025, 12, 31))
    2
    """
    return (day.year * 12 + day.month - 1) * HALVES_A_MONTH + (day.day > 15)


def months_apart(first: int, last: int) -> float:
    """Months from one half-month to another."""
    return (last - first) / HALVES_A_MONTH


@dataclass(frozen=True, slots=True)
class Series:
    """One configuration: its half-months, ascending, and the log of its tok/s in each.

    `user` tells that a user's row is among them.
    """

    stack: Stack
    halves: tuple[int, ...]
    logs: tuple[float, ...]
    user: bool = False

    @property
    def monthly_gain(self) -> float:
        """Log gain a month from the first half-month to the last; needs two."""
        return (self.logs[-1] - self.logs[0]) / months_apart(self.halves[0], self.halves[-1])


Panel = Mapping[Configuration, Series]


@per_catalog
def panel(catalog: Catalog, as_of: date | None) -> Panel:
    """Panel of every measured configuration, known by `as_of` (None: all).

    Vendors' own tables and peer-reviewed rounds stay outside: the prior drift was taken from them.
    """
    return panel_of(
        row
        for row in catalog.observations
        if is_measured(row) and (as_of is None or row.known_since <= as_of)
    )


def panel_of(rows: Iterable[Observation]) -> Panel:
    """Panel of `rows`, in the order of their configurations, whatever the order of the rows."""
    last: dict[Configuration, dict[int, Observation]] = {}
    for row in rows:
        if not row.layout or not is_steady(row) or row.date_precision != "day":
            continue  # a fixed configuration is one whose layout and day are known
        seen = last.setdefault(configuration(row), {})
        half = half_month(row.date)
        if half not in seen or _order(row) > _order(seen[half]):
            seen[half] = row
    return {key: _series(last[key]) for key in sorted(last, key=repr)}


def stack_of(row: Observation) -> Stack:
    """Stack of a row."""
    return (row.platform, row.framework, row.precision, row.speculative)


def _order(row: Observation) -> tuple[date, float, str]:
    return (row.date, row.total, row.observation_id)


def _series(seen: Mapping[int, Observation]) -> Series:
    halves = tuple(sorted(seen))
    rows = [seen[half] for half in halves]
    logs = tuple(math.log(row.total) for row in rows)
    return Series(stack_of(rows[0]), halves, logs, any(row.origin.user for row in rows))
