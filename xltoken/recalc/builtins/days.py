"""Excel's calendar: serials, months, and the day counts of bonds.

Serials count from 1900 and hold a 29 February 1900 that never was (60). Formulas that read or
make days are right in books of that date system only.
"""

import datetime as dt
from typing import Final

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
LAST: Final = 2958465
"""31 December 9999."""
_EPOCH: Final = dt.date(1899, 12, 30).toordinal()
_PHANTOM: Final = 60


def serial_of(year: int, month: int, day: int) -> int:
    """Serial of a day that exists."""
    ordinal = dt.date(year, month, day).toordinal() - _EPOCH
    return ordinal if ordinal > _PHANTOM else ordinal - 1


def parts_of(serial: int) -> tuple[int, int, int]:
    """Year, month and day of a serial, 0 to 2958465."""
    if serial == _PHANTOM:
        return 1900, 2, 29
    if serial == 0:
        return 1900, 1, 0
    day = dt.date.fromordinal(serial + _EPOCH + (serial < _PHANTOM))
    return day.year, day.month, day.day


def month_length(year: int, month: int) -> int:
    """Days of a month; February 1900 has 29."""
    if month == 2:
        leap = (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)) or year == 1900
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


def real_day(serial: int) -> dt.date:
    """Day of a serial as the true calendar has it."""
    return dt.date.fromordinal(serial + _EPOCH + (serial < _PHANTOM))


def moved(day: dt.date, months: int, *, to_end: bool = False) -> dt.date:
    """Day some months on; with `to_end` always the last of its month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = _true_length(year, month + 1)
    return dt.date(year, month + 1, length if to_end else min(day.day, length))


def ends_month(day: dt.date) -> bool:
    """Whether a day is the last of its month."""
    return day.day == _true_length(day.year, day.month)


def _true_length(year: int, month: int) -> int:
    return 28 if (year, month) == (1900, 2) else month_length(year, month)


def days_between(start: dt.date, end: dt.date, basis: int) -> int:
    """Days by a day count basis as Excel's bond functions count them in numerators."""
    if basis == 0:
        return thirty_360_us(start, end)
    if basis == 4:
        return _thirty(start, end, min(start.day, 30), min(end.day, 30))
    return (end - start).days


def thirty_360_us(start: dt.date, end: dt.date, *, both: bool = False) -> int:
    """30/360 days of the US; with `both` the end moves to the 30th whatever the start is."""
    first, last = start.day, end.day
    if _ends_february(end) and (_ends_february(start) or both):
        last = 30
    if last == 31 and (first >= 30 or both):
        last = 30
    if first == 31 or _ends_february(start):
        first = 30
    return _thirty(start, end, first, last)


def year_length(start: dt.date, end: dt.date, basis: int) -> float:
    """Days of the year by which a basis divides; actual/actual averages over the years touched."""
    if basis != 1:
        return 365.0 if basis == 3 else 360.0
    within = start.year == end.year or (
        end.year == start.year + 1 and (start.month, start.day) >= (end.month, end.day)
    )
    if not within:
        span = dt.date(end.year + 1, 1, 1) - dt.date(start.year, 1, 1)
        return span.days / (end.year - start.year + 1)
    return 366.0 if _holds_leap_day(start, end) else 365.0


def _holds_leap_day(start: dt.date, end: dt.date) -> bool:
    if start.year == end.year:
        return _true_length(start.year, 2) == 29
    if _true_length(start.year, 2) == 29:
        return (start.month, start.day) <= (2, 29)
    return _true_length(end.year, 2) == 29 and (end.month, end.day) >= (2, 29)


def _thirty(start: dt.date, end: dt.date, first: int, last: int) -> int:
    return (end.year - start.year) * 360 + (end.month - start.month) * 30 + last - first


def _ends_february(day: dt.date) -> bool:
    return day.month == 2 and ends_month(day)
