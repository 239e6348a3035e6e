import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.economics.domain import DomainError
from xltoken.model.months import day, edate, moment, months_between

STARTS = st.dates(date(1980, 1, 1), date(2080, 12, 31))
MONTHS = st.floats(-600, 600)


def oracle(start: date, months: int) -> date:
    """Count months one by one, then step back to a day that exists."""
    year, month, last = start.year, start.month, start.day
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    while True:
        try:
            return date(year, month, last)
        except ValueError:
            last -= 1


@given(STARTS, st.integers(-900, 900))
def test_edate_equals_counting(start: date, months: int) -> None:
    """EDATE is the same day of the month so many months on, or the last one there is."""
    assert edate(start, months) == oracle(start, months)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), -48, date(2020, 2, 29)),
        (date(2026, 11, 22), -11, date(2025, 12, 22)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(1900, 1, 31), 1, date(1900, 2, 28)),
    ],
)
def test_edate_as_excel(start: date, months: int, expected: date) -> None:
    """EDATE gives Excel's values at month ends and leap days (1900 is no leap year)."""
    assert edate(start, months) == expected


@pytest.mark.parametrize(("start", "months"), [(date(1900, 1, 1), -1), (date(9998, 12, 1), 1)])
def test_edate_leaves_no_calendar(start: date, months: int) -> None:
    """A day outside the years 1900 to 9998 is outside the domain."""
    with pytest.raises(DomainError, match="1900 to 9998"):
        edate(start, months)


@given(STARTS, st.dates(date(1900, 1, 1), date(9998, 1, 1)))
def test_date_is_its_own_moment(start: date, on: date) -> None:
    """A date means that day whatever month 0 is."""
    assert moment(on, start) == on.toordinal()
    assert day(moment(on, start)) == on


@given(STARTS, st.integers(-600, 600))
def test_whole_months_are_edate(start: date, months: int) -> None:
    """A whole number of months after the start is EDATE."""
    assert day(moment(float(months), start)) == oracle(start, months)


@pytest.mark.parametrize(
    ("month", "expected"),
    [(0.5, 31 + 14), (1.5, 31 + 28 + 15.5), (-0.25, -31 / 4 + 31), (-1.0, 0.0)],
)
def test_fractions_run_by_actual_days(month: float, expected: float) -> None:
    """Between two whole months time runs by the days that lie between them."""
    assert moment(month, date(2026, 2, 1)) == date(2026, 1, 1).toordinal() + expected


@given(STARTS, MONTHS, MONTHS)
def test_clock_never_runs_back(start: date, one: float, other: float) -> None:
    """A larger month number is never an earlier moment."""
    assert moment(min(one, other), start) <= moment(max(one, other), start)


@given(STARTS, MONTHS)
def test_months_between_inverts_moment(start: date, months: float) -> None:
    """Months from the start to the moment of month m are m."""
    assert months_between(start, moment(months, start)) == pytest.approx(months, abs=1e-9)


@given(STARTS, st.dates(date(1950, 1, 1), date(2100, 1, 1)))
def test_moment_inverts_months_between(start: date, on: date) -> None:
    """The moment so many months after the start as lie before a date is that date."""
    months = months_between(start, float(on.toordinal()))
    assert moment(months, start) == pytest.approx(on.toordinal(), abs=1e-6)


def test_moment_far_away() -> None:
    """A month number that leaves the calendar is outside the domain."""
    with pytest.raises(DomainError, match="1900 to 9998"):
        moment(1e6, date(2026, 1, 1))


@pytest.mark.parametrize("month", [math.nan, math.inf, -math.inf])
def test_moment_needs_a_finite_month(month: float) -> None:
    """A month that is no finite number is outside the domain."""
    with pytest.raises(DomainError):
        moment(month, date(2026, 1, 1))


@pytest.mark.parametrize("on", [date(1850, 1, 1), date(9999, 6, 1)])
def test_moment_of_a_date_outside_the_calendar(on: date) -> None:
    """A date outside the years 1900 to 9998 is outside the domain, as a month number is."""
    with pytest.raises(DomainError):
        moment(on, date(2026, 1, 1))
