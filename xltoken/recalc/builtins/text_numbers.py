"""The number that a text shows: figures, percentages, money, dates and times.

Excel reads texts by the settings of the machine that it runs on; here they are those of the
United States: a point before decimals, commas between thousands, the month before the day where
both could be meant.
"""

import functools
import re
from typing import Final

from xltoken.recalc.builtins.days import MONTHS, serial_of

_CURRENCY: Final = "$€£¥"
_FIGURE: Final = re.compile(
    r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?$", re.IGNORECASE | re.ASCII
)
_FRACTION: Final = re.compile(r"(?:(\d+) )(\d+)/(\d+)$", re.ASCII)
_TIME: Final = re.compile(
    r"(?:(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?|(\d{1,2}))(?:\s*([ap])m?)?$", re.IGNORECASE
)
_ISO: Final = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})$", re.ASCII)
_NUMERIC: Final = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4}|\d{2})$", re.ASCII)
_SHORT: Final = re.compile(r"(\d{1,2})[-/](\d{1,4})$", re.ASCII)
_NAMED: Final = re.compile(
    r"(\d{1,2})[-/ ]?\s*([a-z]{3,9})(?:[-/ ,]\s*(\d{4}|\d{2}))?$", re.IGNORECASE | re.ASCII
)
_AMERICAN: Final = re.compile(
    r"([a-z]{3,9})[-/ ]\s*(\d{1,2})(?:,\s*|\s+|[-/])(\d{4}|\d{2})$", re.IGNORECASE | re.ASCII
)
_MONTH: Final = re.compile(r"([a-z]{3,9})[-/ ]\s*(\d{4}|\d{1,2})$", re.IGNORECASE | re.ASCII)


@functools.lru_cache(maxsize=4096)
def number_of_text(text: str) -> float | None:
    """Return the number that a text shows; None where it shows none.

    Examples
    --------
    >>> [number_of_text(shown) for shown in ("1,234.5", "(12)", "12%", "€ 7", "2024-01-10", "x")]
    [1234.5, -12.0, 0.12, 7.0, 45301.0, None]
    """
    body = text.strip(" \t\n\r\u00a0")
    if not body:
        return None
    found = _money(body)
    if found is not None:
        return found
    moment = moment_of_text(text)  # spaces around a figure are none around a date
    return None if moment is None else moment[0] + moment[1]


def moment_of_text(text: str) -> tuple[int, float] | None:
    """Day and part of a day that a text shows: a date, a time, or a date and a time."""
    day = date_of_text(text)
    if day is not None:
        return day, 0.0
    part = time_of_text(text)
    if part is not None:
        return 0, part
    first, _, rest = text.partition(" ")
    while rest:
        day, part = date_of_text(first), time_of_text(rest)
        if day is not None and part is not None:
            return day, part
        following, _, rest = rest.partition(" ")
        first = f"{first} {following}"
    return None


def date_of_text(text: str) -> int | None:
    """Serial of the day that a text shows."""
    body = text
    if match := _ISO.match(body):
        return _serial(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMERIC.match(body):
        month, day = int(match[1]), int(match[2])
        return _serial(_year(match[3]), *((day, month) if month > 12 else (month, day)))
    if match := _NAMED.match(body):
        return _serial(_year(match[3]), _month(match[2]), int(match[1]))
    if match := _AMERICAN.match(body):
        return _serial(_year(match[3]), _month(match[1]), int(match[2]))
    if match := _MONTH.match(body):
        later = int(match[2])
        if len(match[2]) == 4 or later > 31:
            return _serial(_year(match[2]), _month(match[1]), 1)
        return _serial(_year(None), _month(match[1]), later)
    if match := _SHORT.match(body):
        month, later = int(match[1]), int(match[2])
        if len(match[2]) == 4:
            return _serial(later, month, 1)
        return _serial(_year(None), month, later) if later <= 31 else None
    return None


def time_of_text(text: str) -> float | None:
    """Part of a day that a text shows, such as 6:30 PM."""
    match = _TIME.match(text)
    if not match or (match[4] and not match[5]):
        return None
    hours = int(match[1] or match[4])
    minutes, seconds = int(match[2] or 0), float(match[3] or 0)
    if minutes > 59 or seconds >= 60:
        return None
    if match[5]:
        if hours > 12:
            return None
        hours = hours % 12 + (12 if match[5] in "pP" else 0)
    return (hours * 3600 + minutes * 60 + seconds) / 86400


def _money(body: str) -> float | None:
    """Figure with a sign, brackets, a currency or per cent around it."""
    sign = 1.0
    if body.startswith("(") and body.endswith(")"):
        sign, body = -1.0, body[1:-1].strip()
        if body[:1] in ("-", "+"):
            return None
    share = 1.0
    seen = {"sign": sign < 0, "currency": False}
    while body and (body[0] in "+-" or body[0] in _CURRENCY):
        kind = "sign" if body[0] in "+-" else "currency"
        if seen[kind]:
            return None
        seen[kind] = True
        sign = -sign if body[0] == "-" else sign
        body = body[1:].lstrip()
    if body.startswith("%"):
        share, body = 100.0, body[1:].lstrip()
    while body and (body[-1] == "%" or body[-1] in _CURRENCY):
        if body[-1] == "%":
            share *= 100.0
        elif seen["currency"]:
            return None
        else:
            seen["currency"] = True
        body = body[:-1].rstrip()
    if body.endswith("-") and not seen["sign"]:
        sign, body = -1.0, body[:-1]
    if match := _FRACTION.match(body):
        below = int(match[3])
        whole = int(match[1] or 0)
        return sign * (whole + int(match[2]) / below) / share if below else None
    if not _FIGURE.match(body) or not any(c.isdigit() for c in body) or body[0] in "eE":
        return None
    value = float(body.replace(",", "")) / share
    return sign * value if value < float("inf") else None


def _serial(year: int, month: int, day: int) -> int | None:
    if not (1900 <= year <= 9999 and 1 <= month <= 12 and day >= 1):
        return None
    if (year, month, day) == (1900, 2, 29):
        return 60  # Excel's calendar has this day
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    first = serial_of(year, month, 1)
    found = first + day - 1
    return found if found < serial_of(*following, 1) else None


def _year(shown: str | None) -> int:
    if shown is None:
        import datetime as dt

        return dt.date.today().year  # a date without a year is in this one
    year = int(shown)
    if len(shown) > 2:
        return year
    return year + (2000 if year < 30 else 1900)


def _month(name: str) -> int:
    """Number of a month by its English name, whole or its first three letters; 0 for none."""
    word = name.casefold()
    for place, month in enumerate(MONTHS, 1):
        if word in (month, month[:3]):
            return place
    return 0
