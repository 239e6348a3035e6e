"""The one clock: dates, and months after a start, as moments in days.

A moment is a float: the proleptic ordinal of a day plus the part of it that has passed. Whole
months from a start are EDATE; fractions in between run by actual days.
"""

import calendar
from datetime import date

from xltoken.economics.domain import DomainError, require_finite

Month = date | float
"""What a cell may say: a date, or months after the assumption ``start``."""


def edate(start: date, months: int) -> date:
    """Return the day `months` after `start`, cut to the end of the month as Excel's EDATE does.

    Examples
    --------
    >>> edate(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    if not 1900 <= year <= 9998:
        raise DomainError(f"{months:+d} months from {start} lies outside the years 1900 to 9998.")
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


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
        edate(month, 0)
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


def months_between(start: date, when: float) -> float:
    """Months from `start` to the moment `when`: the inverse of :func:`moment`."""
    end = day(when)
    whole = (end.year - start.year) * 12 + end.month - start.month
    if edate(start, whole).toordinal() > when:
        whole -= 1
    low = edate(start, whole).toordinal()
    high = edate(start, whole + 1).toordinal()
    return whole + (when - low) / (high - low)
