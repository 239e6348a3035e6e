from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tools import TODAY, assume, overlay

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.model.months import moment
from xltoken.model.rates import RateAnswer, newest_kw_basis, power_at, rate_at

SHIPPED = store.load()


def rate(
    platform: str, month: date | float, catalog: store.Catalog = SHIPPED, **given_ones: object
) -> RateAnswer:
    """Rate at a month."""
    start = given_ones.get("start") or catalog.date
    return rate_at(catalog, platform, moment(month, start), start, assume(**given_ones))


def usd(*asked: object, **given_ones: object) -> float:
    """USD per accelerator-hour."""
    return rate(*asked, **given_ones).usd_per_accelerator_hour


def line(**changed: object) -> dict[str, object]:
    """One line of a user's rates.csv, for a platform without shipped rates."""
    return {
        "platform": "Gaudi 3",
        "basis": "own_hyperscaler",
        "valid_from": "2026-01-01",
        "valid_to": "",
        "usd_per_accelerator_hour": 1.0,
        "kw_per_accelerator": "",
        "kw_basis": "",
        "placeholder": "",
        **changed,
    }


@pytest.mark.parametrize(
    ("platform", "on", "basis", "expected"),
    [
        ("B200", date(2026, 3, 18), "own_hyperscaler", 1.95),
        ("B200", date(2026, 8, 13), "own_hyperscaler", 1.95),
        ("B200", date(2026, 8, 14), "own_hyperscaler", 1.73),
        ("B200", TODAY, "own_neocloud", 2.07),
        ("H200", date(2026, 5, 25), "rental_3yr", 1.6),
        ("GB300 NVL72", date(2030, 1, 1), "own_hyperscaler", 2.31),
    ],
)
def test_row_valid_on_the_day(platform: str, on: date, basis: str, expected: float) -> None:
    """The rate is that of the row valid on the day, both its ends included, without a warning."""
    answer = rate(platform, on, rate_basis=basis)
    assert (answer.usd_per_accelerator_hour, answer.warnings) == (expected, ())
    assert answer.row is not None
    assert answer.row.basis == basis


def test_conservative_is_a_neoclouds_cost() -> None:
    """Scenario conservative takes the rates of a neocloud, unless a basis is given."""
    assert usd("B200", 0, scenario="conservative") == 2.07
    assert usd("B200", 0, scenario="conservative", rate_basis="rental_3yr") == 2.6


def test_before_the_first_row() -> None:
    """Before the first row the first is carried back, with a warning that names its day."""
    answer = rate("B200", date(2025, 1, 1))
    assert answer.usd_per_accelerator_hour == 1.95
    assert answer.warnings == ("the rate of B200 is that of 2026-03-18, carried back",)


def test_placeholder() -> None:
    """A placeholder rate is used with a warning, and only as long as it is one."""
    assert any("placeholder" in w for w in rate("B300", date(2026, 5, 1)).warnings)
    assert len(rate("B300", date(2025, 5, 1)).warnings) == 2
    assert not rate("B300", TODAY).warnings


def test_after_the_last_row() -> None:
    """After the last row ended it is carried on, with a warning that names its end."""
    catalog = overlay(
        rates=[
            line(valid_from="2025-01-01", valid_to="2025-12-31", usd_per_accelerator_hour=9),
            line(valid_to="2026-06-30"),
        ]
    )
    answer = rate("Gaudi 3", TODAY, catalog)
    assert answer.usd_per_accelerator_hour == 1.0
    assert any("ended on 2026-06-30 and is carried on" in w for w in answer.warnings)
    between = rate("Gaudi 3", date(2025, 7, 1), catalog)
    assert between.usd_per_accelerator_hour == 9.0
    assert not any("carried" in w for w in between.warnings)


def test_no_row_of_that_basis() -> None:
    """Without a row of that basis nothing is known, and the reason names the bases there are."""
    with pytest.raises(NotKnown, match=r"on_demand for B200: there are own_hyperscaler, own_neo"):
        rate("B200", 0, rate_basis="on_demand")
    with pytest.raises(NotKnown, match=r"Trainium2: there is no rate of any basis\."):
        rate("Trainium2", 0)


def test_own_rate_needs_no_row() -> None:
    """The user's own rate answers where the catalog has none, without a warning."""
    assert rate("Trainium2", 0, usd_per_accelerator_hour=2.5) == RateAnswer(2.5, None, ())


def test_own_rate_declines_from_start() -> None:
    """The user's own rate falls from the start on, by the effective annual decline."""
    told = {"usd_per_accelerator_hour": 2.0, "rate_decline": 0.3, "start": date(2026, 1, 1)}
    assert usd("B200", 12, **told) == pytest.approx(1.4, rel=1e-12)
    assert usd("B200", date(2028, 1, 1), **told) == pytest.approx(0.98, rel=1e-12)
    assert usd("B200", 0, **told) == usd("B200", -24, **told) == 2.0


def test_catalogs_rate_declines_from_its_date() -> None:
    """The catalog's rate falls from the catalog's date on, whatever the start."""
    told = {"rate_decline": 0.5, "start": date(2026, 9, 1)}
    assert usd("B200", TODAY, **told) == 1.73
    assert usd("B200", date(2026, 9, 1), **told) == 1.73
    assert usd("B200", date(2027, 11, 22), **told) == pytest.approx(0.865, rel=1e-12)


def test_rates_may_rise() -> None:
    """A negative decline is a rise."""
    assert usd("B200", 12, rate_decline=-0.4) == pytest.approx(1.73 * 1.4, rel=1e-12)
    own = usd("B200", 24, rate_decline=-0.4, usd_per_accelerator_hour=1.0)
    assert own == pytest.approx(1.96, rel=1e-12)


@given(st.floats(0, 0.9), st.floats(-24, 120), st.floats(-24, 120))
def test_decline_never_raises(decline: float, one: float, other: float) -> None:
    """With a decline of 0 or more, a later month of one row is never dearer."""
    told = {"usd_per_accelerator_hour": 2.0, "rate_decline": decline}
    assert usd("B200", min(one, other), **told) >= usd("B200", max(one, other), **told)


def test_users_row_wins() -> None:
    """A user's row goes before shipped ones, also under an alias and of an older day."""
    catalog = overlay(rates=[line(platform="gb200", valid_from="2024-01-01")])
    answer = rate("GB200 NVL72", TODAY, catalog)
    assert answer.usd_per_accelerator_hour == 1.0
    assert any("a user's row" in w and "rates.csv, row 2" in w for w in answer.warnings)
    assert usd("GB200 NVL72", TODAY, catalog, rate_basis="own_neocloud") == 2.26


def test_row_of_the_future_declines_from_its_own_day() -> None:
    """A row valid from later than the catalog's date is undiminished on that day."""
    catalog = overlay(rates=[line(valid_from="2027-11-22")])
    told = {"rate_decline": 0.5}
    assert usd("Gaudi 3", date(2027, 11, 22), catalog, **told) == 1.0
    assert usd("Gaudi 3", date(2028, 11, 22), catalog, **told) == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("platform", "basis", "expected"),
    [
        ("B200", None, 1.71),
        ("B200", "chip_and_host", 1.71),
        ("B200", "utility", 2.17),
        ("H100", None, 1.37),
        ("H100", "utility", 1.73),
    ],
)
@pytest.mark.parametrize("on", [date(2026, 5, 1), TODAY, date(2030, 1, 1)])
def test_power_is_of_one_basis(platform: str, basis: str | None, expected: float, on: date) -> None:
    """One basis of power holds on every day, by default the newest."""
    given_ones = assume(**({"kw_basis": basis} if basis else {}))
    assert (
        power_at(SHIPPED, platform, float(on.toordinal()), given_ones).kw_per_accelerator
        == expected
    )


@pytest.mark.parametrize("platform", ["Vera Rubin NVL72", "Trainium2"])
def test_power_not_known(platform: str) -> None:
    """Where no row states a power nothing is known."""
    with pytest.raises(NotKnown, match=f"no power of {platform} on the basis chip_and_host"):
        power_at(SHIPPED, platform, float(TODAY.toordinal()), assume())


def test_newest_basis_is_the_shipped_one() -> None:
    """A user's newer row does not change the default basis of power for every platform."""
    power = {"kw_per_accelerator": 1.2, "kw_basis": "utility"}
    catalog = overlay(rates=[line(valid_from="2027-01-01", **power)])
    assert newest_kw_basis(catalog) == newest_kw_basis(SHIPPED) == "chip_and_host"
    power = power_at(catalog, "Gaudi 3", 0.0 + TODAY.toordinal(), assume(kw_basis="utility"))
    assert power.kw_per_accelerator == 1.2


def test_newest_basis_of_an_empty_catalog() -> None:
    """Where no row states a power the default basis is the newer definition."""
    assert newest_kw_basis(SHIPPED.at(date(2000, 1, 1))) == "chip_and_host"
