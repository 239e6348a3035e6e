"""Dates and times, lifted over arrays. Serials are those of the 1900 date system."""

import math
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    VALUE,
    Failure,
    integer,
    lifted,
    number,
    plain_number,
    require,
    text,
)
from xltoken.recalc.builtins.days import LAST, month_length, parts_of, serial_of
from xltoken.recalc.builtins.text_numbers import moment_of_text, time_of_text

_LONGEST_TIME: Final = 32767
_WEEK_STARTS: Final = {1: 6, 2: 0, 3: 0, 11: 0, 12: 1, 13: 2, 14: 3, 15: 4, 16: 5, 17: 6}
"""First weekday of each kind of WEEKDAY, Monday being 0."""


@lifted(number, number, number)
def date(year: float, month: float, day: float) -> float:
    """Serial of a day; months and days out of range run on."""
    count = math.floor(year)
    count += 1900 if 0 <= count < 1900 else 0
    require(0 <= count <= 9999)
    years, place = divmod(count * 12 + math.floor(month) - 1, 12)
    return _counted(years, place + 1, math.floor(day))


@lifted(plain_number, plain_number)
def edate(start: float, months: float) -> float:
    """Same day some months on."""
    year, month, day = _moved(start, months)
    return _counted(year, month, min(day, month_length(year, month)))


@lifted(plain_number, plain_number)
def eomonth(start: float, months: float) -> float:
    """Last day of a month some months on."""
    year, month, _ = _moved(start, months)
    return _counted(year, month, month_length(year, month))


@lifted(number, number, number)
def time(hour: float, minute: float, second: float) -> float:
    """Part of a day."""
    parts = [math.trunc(part) for part in (hour, minute, second)]
    require(all(part <= _LONGEST_TIME for part in parts))
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2]
    require(seconds >= 0)
    return seconds % 86400 / 86400


@lifted(text)
def datevalue(shown: str) -> float:
    """Serial of the day that a text shows."""
    found = moment_of_text(shown.strip())
    if found is None or (not found[0] and time_of_text(shown.strip()) is not None):
        raise Failure(VALUE)
    return float(found[0])


@lifted(text)
def timevalue(shown: str) -> float:
    """Time that a text shows, as part of a day."""
    found = moment_of_text(shown.strip())
    if found is None:
        raise Failure(VALUE)
    return found[1] - math.floor(found[1])


@lifted(number, integer)
def weekday(serial: float, kind: int = 1) -> float:
    """Number of a day in its week."""
    require(kind in _WEEK_STARTS)
    # Serial 1 is a Sunday in Excel's calendar.
    place = (_day(serial) - 2 - _WEEK_STARTS[kind]) % 7
    return float(place if kind == 3 else place + 1)


def _clock(part: Callable[[int], int]) -> Callable[..., Any]:
    """Lifted function of the time of day in whole seconds."""

    def formula(serial: float) -> float:
        require(0 <= serial < LAST + 1)
        return float(part(math.floor((serial - math.floor(serial)) * 86400 + 0.5) % 86400))

    return lifted(number)(formula)


def _calendar(part: int) -> Callable[..., Any]:
    """Lifted function of year, month or day."""
    return lifted(number)(lambda serial: float(parts_of(_day(serial))[part]))


def _day(serial: float) -> int:
    require(0 <= serial < LAST + 1)
    return math.floor(serial)


def _moved(start: float, months: float) -> tuple[int, int, int]:
    year, month, day = parts_of(_day(start))
    years, place = divmod(year * 12 + month - 1 + math.trunc(months), 12)
    require(0 <= years <= 9999)
    return years, place + 1, day


def _counted(year: int, month: int, day: int) -> float:
    """Serial of a day counted from the first of a month."""
    if year == 1899 and month == 12:
        found = day - 31
    else:
        require(1900 <= year <= 9999)
        found = serial_of(year, month, 1) + day - 1
    require(0 <= found <= LAST)
    return float(found)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "DATE": date,
    "EDATE": edate,
    "EOMONTH": eomonth,
    "TIME": time,
    "DATEVALUE": datevalue,
    "TIMEVALUE": timevalue,
    "WEEKDAY": weekday,
    "YEAR": _calendar(0),
    "MONTH": _calendar(1),
    "DAY": _calendar(2),
    "HOUR": _clock(lambda seconds: seconds // 3600),
    "MINUTE": _clock(lambda seconds: seconds // 60 % 60),
    "SECOND": _clock(lambda seconds: seconds % 60),
}
