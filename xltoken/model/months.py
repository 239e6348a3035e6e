"""The one clock: dates, and months after a start, as moments in days.

A moment is a float: the proleptic ordinal of a day plus the part of it that has passed. Whole
months from a start are EDATE; fractions in between run by actual days.
"""

import bisect
import calendar
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Generic, TypeVar

from xltoken.economics.domain import DomainError, require_finite

Month = date | float
"""What a cell may say: a date, or months after the assumption ``start``."""

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 9998

T = TypeVar("T")


def edate(start: date, months: int) -> date:
    """Return the day `months` after `start`, cut to the end of the month as Excel's EDATE does.

    Examples
    --------
    >>> edate(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise _outside(start, months)
    if start.day <= 28:
        return date(year, month + 1, start.day)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def moment(month: Month, start: date) -> float:
    """Turn what a cell says into a moment.

    Parameters
    ----------
    month : date or float
        A date, or months after `start`; fractions and negative numbers are fine.
    start : date
        Month 0.

    Returns
    -------
    float
        Days, as ``date.toordinal`` counts them.

    Raises
    ------
    DomainError
        If the moment lies outside the years 1900 to 9998.
    """
    if isinstance(month, date):
        if not _FIRST_YEAR <= month.year <= _LAST_YEAR:
            raise _outside(month, 0)
        return float(month.toordinal())
    require_finite(month=month)
    whole = int(month // 1)
    low = edate(start, whole).toordinal()
    fraction = month - whole
    if not fraction:
        return float(low)
    return low + fraction * (edate(start, whole + 1).toordinal() - low)


def day(when: float) -> date:
    """Return the calendar day of a moment."""
    return date.fromordinal(int(when))


# A book asks for the same months on every platform and workload.
@functools.lru_cache(maxsize=1 << 14)
def months_between(start: date, when: float) -> float:
    """Months from `start` to the moment `when`: the inverse of :func:`moment`."""
    end = day(when)
    whole = (end.year - start.year) * 12 + end.month - start.month
    if edate(start, whole).toordinal() > when:
        whole -= 1
    low = edate(start, whole).toordinal()
    high = edate(start, whole + 1).toordinal()
    return whole + (when - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Timetable(Generic[T]):
    """What changes on some days only: a value before the first of `days`, and one from each on.

    `days` are ordinals, ascending; `values` are one more.
    """

    days: Sequence[int]
    values: Sequence[T]

    def at(self, when: float) -> T:
        """Value at a moment.

        Examples
        --------
        >>> Timetable([date(2026, 3, 1).toordinal()], ["before", "since"]).at(1.0)
        'before'
        """
        return self.values[bisect.bisect_right(self.days, when)]


def _outside(start: date, months: int) -> DomainError:
    years = f"{_FIRST_YEAR} to {_LAST_YEAR}"
    return DomainError(f"{months:+d} months from {start} lies outside the years {years}.")
