"""Working days between dates, with weekends and holidays."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    VALUE,
    Failure,
    cells,
    checked,
    lifted,
    number,
    plain_integer,
    require,
    whole,
)
from xltoken.recalc.builtins.days import LAST

_WEEKENDS: Final = {
    1: "0000011", 2: "1000001", 3: "1100000", 4: "0110000", 5: "0011000", 6: "0001100",
    7: "0000110", 11: "0000001", 12: "1000000", 13: "0100000", 14: "0010000", 15: "0001000",
    16: "0000100", 17: "0000010",
}  # fmt: skip


@whole
def networkdays(start: Any, end: Any, holidays: Any = None) -> Any:
    """Working days from one day to another, both counted."""
    return networkdays_intl(start, end, None, holidays)


@whole
def networkdays_intl(start: Any, end: Any, weekend: Any = None, holidays: Any = None) -> Any:
    """Working days from one day to another, with a weekend of one's own."""

    def count(first: int, last: int) -> float:
        rest = _rest_days(weekend)
        require(0 <= first <= LAST and 0 <= last <= LAST)
        low, high = min(first, last), max(first, last)
        weeks, left = divmod(high - low + 1, 7)
        days = weeks * rest.count(False)
        days += sum(not rest[_weekday(day)] for day in range(high - left + 1, high + 1))
        days -= sum(low <= day <= high and not rest[_weekday(day)] for day in _holidays(holidays))
        return float(days if first <= last else -days)

    return lifted(plain_integer, plain_integer)(count)(start, end)


@whole
def workday(start: Any, days: Any, holidays: Any = None) -> Any:
    """Day some working days away."""
    return workday_intl(start, days, None, holidays)


@whole
def workday_intl(start: Any, days: Any, weekend: Any = None, holidays: Any = None) -> Any:
    """Day some working days away, with a weekend of one's own."""

    def moved(first: int, count: int) -> float:
        rest = _rest_days(weekend)
        require(0 <= first <= LAST)
        off = _holidays(holidays)
        step = 1 if count > 0 else -1
        day, left = first, abs(count)
        while left:
            day += step
            require(0 <= day <= LAST)
            left -= not rest[_weekday(day)] and day not in off
        return float(day)

    return lifted(plain_integer, plain_integer)(moved)(start, days)


def _weekday(serial: int) -> int:
    """Day of the week, Monday being 0."""
    return (serial - 2) % 7


def _rest_days(weekend: Any) -> Sequence[bool]:
    """Which days of the week, from Monday, are free; a skipped kind (0) is Saturday and Sunday."""
    checked(weekend)
    if isinstance(weekend, str):
        require(len(weekend) == 7 and set(weekend) <= {"0", "1"} and "0" in weekend, VALUE)
        mask = weekend
    else:
        kind = int(number(weekend)) or 1
        require(kind in _WEEKENDS)
        mask = _WEEKENDS[kind]
    return [sign == "1" for sign in mask]


def _holidays(holidays: Any) -> set[int]:
    found = set()
    for cell in cells(holidays):
        checked(cell)
        if isinstance(cell, bool):
            raise Failure(VALUE)
        if cell is not None:
            found.add(plain_integer(cell))
    return found


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "NETWORKDAYS": networkdays,
    "NETWORKDAYS.INTL": networkdays_intl,
    "WORKDAY": workday,
    "WORKDAY.INTL": workday_intl,
}
