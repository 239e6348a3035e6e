import math
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import TODAY

from xltoken.catalog import store
from xltoken.model.index import CARRY_LIMIT, carry, growth
from xltoken.model.months import moment

SHIPPED = store.load()
PAST = st.dates(date(2018, 1, 1), TODAY)
DAYS = st.dates(date(2018, 1, 1), date(2045, 1, 1))
LAUNCHES = st.none() | st.dates(date(2020, 1, 1), date(2028, 1, 1))


def factor(when: float, **told: object) -> float:
    """Growth of a pair of unknown age at a month number."""
    told = {"launched": None, "released": None, **told}
    return growth(SHIPPED, moment(when, TODAY), **told)


def test_shipped_catalog() -> None:
    """The laws below are checked at the catalog's date and prior that they name."""
    assert SHIPPED.date == TODAY
    assert SHIPPED.priors["software_gain_per_month"].value == 0.01


def test_carry_by_hand() -> None:
    """A row of ten months ago is carried by ten months of 1 %."""
    assert carry(SHIPPED, date(2026, 1, 22)) == pytest.approx(1.01**10, rel=1e-12)
    assert carry(SHIPPED, TODAY) == 1.0


def test_carry_back() -> None:
    """A row of later than the catalog's date is carried back."""
    assert carry(SHIPPED, date(2027, 11, 22)) == pytest.approx(1.01**-12, rel=1e-12)


@pytest.mark.parametrize(
    ("seen", "limit"), [(date(2015, 1, 1), CARRY_LIMIT), (date(2040, 1, 1), 1 / CARRY_LIMIT)]
)
def test_carry_limit(seen: date, limit: float) -> None:
    """No row is carried by more than 1.5x, forward or back."""
    assert CARRY_LIMIT == 1.5
    assert carry(SHIPPED, seen) == pytest.approx(limit, rel=1e-12)


@given(DAYS, DAYS)
def test_older_rows_are_carried_further(one: date, other: date) -> None:
    """The older row is never carried by less."""
    assert carry(SHIPPED, min(one, other)) >= carry(SHIPPED, max(one, other))


@given(PAST)
def test_there_and_back(seen: date) -> None:
    """Carried to the catalog's date and back to its own day, a row is within a day's drift."""
    there_and_back = carry(SHIPPED, seen) * growth(SHIPPED, float(seen.toordinal()), None, None)
    assert there_and_back == pytest.approx(1.0, abs=0.001)


def test_there_and_back_exactly() -> None:
    """A row stands at its own figure on its own day, whatever day of the month it is."""
    days = [TODAY - timedelta(days=back) for back in range(400)]
    for seen in days:
        back = growth(SHIPPED, float(seen.toordinal()), None, None)
        assert carry(SHIPPED, seen) * back == pytest.approx(1.0, rel=1e-12), seen


def test_growth_by_hand() -> None:
    """Growth follows ((a + h + 1) / (a + 1)) ** b with b = ln(1.01) (a + 1)."""
    # gpt-oss (2025-08-05) on B200 (2025-05-15), 12 months on: a = 15 + 17/30, the days from
    # 2026-11-05 to 2026-11-22; b = 0.00995033 x 16.56667 = 0.164844;
    # (28.56667 / 16.56667) ** 0.164844 = e ** (0.164844 x 0.544853) = e ** 0.0898154.
    found = factor(12, launched=date(2025, 5, 15), released=date(2025, 8, 5))
    assert found == pytest.approx(1.093972, abs=2e-6)


@pytest.mark.parametrize(
    ("launched", "released", "age"),
    [
        (None, None, 12.0),
        (date(2025, 11, 22), None, 12.0),
        (None, date(2025, 11, 22), 12.0),
        (date(2020, 1, 1), date(2026, 8, 22), 3.0),
        (date(2026, 8, 22), date(2020, 1, 1), 3.0),
        (date(2027, 6, 1), date(2020, 1, 1), 0.0),
    ],
)
def test_age(launched: date | None, released: date | None, age: float) -> None:
    """Age counts from the later of launch and release; 12 months if unknown, 0 if to come."""
    expected = ((age + 7) / (age + 1)) ** (math.log(1.01) * (age + 1))
    assert factor(6, launched=launched, released=released) == pytest.approx(expected, rel=1e-12)


def test_first_month_is_the_drift() -> None:
    """At first growth is the monthly drift; it slows, and an old pair keeps it longer."""
    young = {"launched": date(2026, 10, 22)}
    old = {"launched": date(2021, 11, 22)}
    assert math.log(factor(0.01, **old)) / 0.01 == pytest.approx(math.log(1.01), rel=1e-3)
    assert factor(24, **young) < factor(24, **old) < 1.01**24
    assert factor(24, **old) / factor(12, **old) < factor(12, **old)


def test_at_the_catalogs_date() -> None:
    """On the catalog's date nothing has grown."""
    assert factor(0) == 1.0
    assert factor(1e-6) == pytest.approx(1.0, abs=1e-7)


@given(st.floats(-120, 240), st.floats(-120, 240), LAUNCHES, st.none() | st.floats(0, 1))
def test_growth_never_falls(
    one: float, other: float, launched: date | None, gain: float | None
) -> None:
    """Waiting never slows software, before and after the catalog's date."""
    told = {"launched": launched, "gain_per_month": gain}
    early, late = (factor(m, **told) for m in sorted([one, other]))
    assert early <= late


@given(st.floats(0.1, 240), st.floats(0, 0.2), st.floats(0, 0.2))
def test_more_gain_more_growth(months: float, one: float, other: float) -> None:
    """A larger gain a month never gives less growth, and a gain of 0 none."""
    less, more = (factor(months, gain_per_month=g) for g in sorted([one, other]))
    assert 1.0 <= less <= more
    assert factor(months, gain_per_month=0.0) == 1.0


def test_gain_counts_beyond_the_catalogs_date_only() -> None:
    """The user's own gain does not change the past."""
    assert factor(-6, gain_per_month=0.5) == factor(-6) == pytest.approx(1.01**-6, rel=1e-12)


def test_growth_back_has_the_same_limit() -> None:
    """Backwards the drift stops at 1.5x, where the carry of a row stops."""
    assert factor(-200) == pytest.approx(1 / 1.5, rel=1e-12)


def test_no_prior_no_drift() -> None:
    """Without a prior in the catalog nothing is carried and nothing grows."""
    bare = replace(SHIPPED, priors={})
    assert carry(bare, date(2020, 1, 1)) == 1.0
    assert growth(bare, moment(24, TODAY), None, None) == 1.0
