import datetime as dt

import numpy_financial as npf
import pytest
import pyxirr
from builtin_tools import agree, computed, value
from hypothesis import given
from hypothesis import strategies as st

from xltoken.recalc.builtins import REPLACED, cash_flows, depreciation, loans
from xltoken.recalc.builtins.days import LAST, days_between, parts_of, serial_of

RATES = st.floats(0.001, 0.3)
MONEY = st.floats(1.0, 1e7)
TERMS = st.integers(1, 60)


@given(RATES, TERMS, MONEY, st.booleans(), st.data())
def test_interest_and_principal_make_the_payment(rate, term, loan, begin, data):
    """Interest and principal of every period add up to its level payment, due first or last."""
    period = data.draw(st.integers(1, term))
    parts = [
        part(rate, float(period), float(term), loan, 0.0, float(begin))
        for part in (loans.ipmt, loans.ppmt)
    ]
    payment = npf.pmt(rate, term, loan, when="begin" if begin else "end")
    assert sum(parts) == pytest.approx(payment, rel=1e-9)


@given(RATES, TERMS, MONEY, st.booleans())
def test_a_loan_is_paid_back(rate, term, loan, begin):
    """The principal of all periods is the loan, and interest the rest of all payments."""
    due = float(begin)
    principal = loans.cumprinc(rate, float(term), loan, 1.0, float(term), due)
    interest = loans.cumipmt(rate, float(term), loan, 1.0, float(term), due)
    payment = npf.pmt(rate, term, loan, when="begin" if begin else "end")
    assert principal == pytest.approx(-loan, rel=1e-9)
    assert principal + interest == pytest.approx(payment * term, rel=1e-9)


def test_nothing_accrues_before_a_first_payment_at_once():
    """Paid at the beginning, the first payment is principal alone."""
    assert value("IPMT(0.1,1,3,8000,0,1)") == 0.0
    assert value("PPMT(0.1,1,3,8000,0,1)-PMT(0.1,3,8000,0,1)") == 0.0


@pytest.mark.parametrize(
    "formula",
    ["IPMT(0.1,0,3,8000)", "PPMT(0.1,5,3,8000)", "CUMIPMT(0,3,8000,1,1,0)", "CUMIPMT(0.1,3,8000,2,1,0)",
     "CUMPRINC(0.1,3,8000,1,4,0)", "CUMPRINC(0.1,3,8000,1,1,2)", "XNPV(0.1,{1,2},{5,4})", "XIRR({1,2},{4,5})",
     "DB(1,0,0,1)", "VDB(1,0,5,3,2)", "PRICE(45000,44000,0.1,0.1,100,2)", "PRICE(45000,46000,0.1,0.1,100,3)",
     "ACCRINT(45000,46000,45500,0,1000,2)", "RECEIVED(45000,46000,100,1)", "DISC(46000,45000,90,100)"],
)  # fmt: skip
def test_outside_the_domain(formula):
    """A number outside its domain is #NUM!."""
    assert value(formula) == "#NUM!"


@given(st.lists(st.floats(1.0, 1e4), min_size=2, max_size=8), st.floats(0.5, 5.0), RATES)
def test_dated_flows_agree_with_a_second_implementation(inflows, multiple, rate):
    """XNPV is pyxirr's to the last digits; XIRR finds its root as near as Excel goes."""
    flows = [-sum(inflows) / (1.0 + multiple / 10.0), *inflows]
    serials = [45000.0 + 91.0 * place for place in range(len(flows))]
    days = [dt.date(2023, 3, 15) + dt.timedelta(91 * place) for place in range(len(flows))]
    present = cash_flows.xnpv(rate, [flows], [serials])
    assert present == pytest.approx(pyxirr.xnpv(rate, days, flows), rel=1e-9, abs=1e-6)
    found = cash_flows.xirr([flows], [serials])
    assert found == pytest.approx(pyxirr.xirr(days, flows), rel=2e-8, abs=1e-8)


def test_xirr_stops_where_excel_stops():
    """Its answers are the guess times a whole number over a power of two."""
    dates = "{44958,44986,45017,45078,45108,45139}"
    assert value(f"XIRR({{-20,5,5,5,5,5}},{dates})") == 1.1859161972999572


@given(st.lists(st.floats(1.0, 1e4), min_size=1, max_size=30), st.floats(0.2, 3.0))
def test_irr_is_a_root(inflows, multiple):
    """At its IRR a plan is worth nothing, and the rate is numpy-financial's, losses included."""
    flows = [-sum(inflows) / multiple, *inflows]
    found = cash_flows.irr([flows])
    assert abs(npf.npv(found, flows)) < 1e-7 * sum(inflows)
    assert found == pytest.approx(npf.irr(flows), rel=1e-8, abs=1e-9)


def test_irr_follows_its_guess():
    """Of two roots the guess decides; without a change of sign there is none."""
    found = computed(
        "IRR({-100,230,-132},0.05)", "IRR({-100,230,-132},0.3)", "IRR({1,2})", "IRR({-100,50})", "IRR({-4,0,0,1})",
    )  # fmt: skip
    assert found == [
        pytest.approx(0.1, rel=1e-12), pytest.approx(0.2, rel=1e-12), "#NUM!", pytest.approx(-0.5), pytest.approx(0.25 ** (1 / 3) - 1),
    ]  # fmt: skip


def test_xirr_below_zero():
    """A loss has its negative rate, to full precision."""
    assert value("XIRR({-100,90},{45000,45365})") == pytest.approx(-0.1, rel=1e-13)


@given(st.lists(st.floats(1.0, 1e4), min_size=2, max_size=8), RATES, RATES)
def test_mirr_agrees_with_a_second_implementation(inflows, finance, reinvest):
    """MIRR is numpy-financial's."""
    flows = [-1000.0, *inflows]
    assert cash_flows.mirr([flows], finance, reinvest) == pytest.approx(
        npf.mirr(flows, finance, reinvest), rel=1e-9, abs=1e-9
    )


def test_mirr_skips_what_is_no_number():
    """Blanks and texts among the flows take no period."""
    assert value("MIRR(A1:A5,0.1,0.2)", A1=-20.0, A2=5.0, A4="x", A5=25.0) == value(
        "MIRR({-20,5,25},0.1,0.2)"
    )


@given(st.floats(1e3, 1e6), st.floats(0.01, 0.5), st.integers(3, 20), st.integers(1, 11))
def test_db_with_a_broken_first_year(cost, share, life, months):
    """A broken first year takes its months, and the rest falls into a year after the last."""
    salvage = cost * share
    charges = [
        depreciation.db(cost, salvage, float(life), float(year), float(months))
        for year in range(1, life + 2)
    ]
    rate = charges[1] / (cost - charges[0])
    assert charges[0] == pytest.approx(cost * rate * months / 12.0)
    left = cost - sum(charges[:-1])
    assert charges[-1] == pytest.approx(left * rate * (12 - months) / 12.0)


@given(
    st.floats(1e3, 1e6), st.floats(0.0, 0.5), st.integers(2, 20), st.floats(0.0, 1.0), st.booleans()
)
def test_vdb_adds_up(cost, share, life, part, no_switch):
    """Parts of a span add up to the whole; with the switch all but the salvage is written off."""
    salvage, middle = cost * share, part * life

    def charge(start, end):
        return depreciation.vdb(cost, salvage, float(life), start, end, 2.0, no_switch)

    whole = charge(0.0, float(life))
    assert charge(0.0, middle) + charge(middle, float(life)) == pytest.approx(whole, rel=1e-9)
    if not no_switch:
        assert whole == pytest.approx(cost - salvage, rel=1e-9)


BONDS = [
    (frequency, basis, settlement)
    for frequency in (1, 2, 4)
    for basis in range(5)
    for settlement in (43891, 45046, 45351)
]


@pytest.mark.parametrize(("frequency", "basis", "settlement"), BONDS)
def test_yield_undoes_price(frequency, basis, settlement):
    """The yield of a price is the yield that gave the price."""
    date, tail = f"{settlement},48000,0.05", f"100,{frequency},{basis}"
    price, found = computed(
        f"PRICE({date},0.0625,{tail})", f"YIELD({date},PRICE({date},0.0625,{tail}),{tail})"
    )
    assert 50.0 < price < 150.0
    assert found == pytest.approx(0.0625, rel=1e-8)


@pytest.mark.parametrize("frequency", [1, 2, 4])
def test_a_bond_at_its_coupon_is_at_par(frequency):
    """On a coupon day a bond that yields its coupon costs 100."""
    price, accrued = computed(
        f"PRICE(DATE(2024,3,15),DATE(2030,3,15),0.05,0.05,100,{frequency})",
        f"COUPDAYBS(DATE(2024,3,15),DATE(2030,3,15),{frequency})",
    )
    assert price == pytest.approx(100.0, rel=1e-13)
    assert accrued == 0.0


def test_coupon_dates_keep_the_end_of_the_month():
    """A bond due on the last of a month pays on the last of every month of its calendar."""
    assert computed("COUPPCD(45351,DATE(2030,8,31),2)", "COUPNCD(45351,DATE(2030,8,31),2)") == [
        float(serial_of(2024, 2, 29)) if serial_of(2024, 2, 29) <= 45351 else serial_of(2023, 8, 31),
        float(serial_of(2024, 8, 31)),
    ]  # fmt: skip


def test_odd_periods_invert():
    """The yield of an odd bond's price is the one that gave it."""
    first = "DATE(2008,11,11),DATE(2021,3,1),DATE(2008,10,15),DATE(2009,3,1),0.0785"
    last = "DATE(2008,2,7),DATE(2008,6,15),DATE(2007,10,15),0.0375"
    found = computed(
        f"ODDFYIELD({first},ODDFPRICE({first},0.0625,100,2,1),100,2,1)",
        f"ODDLYIELD({last},ODDLPRICE({last},0.0405,100,2),100,2)",
    )
    assert found == pytest.approx([0.0625, 0.0405], rel=1e-10)


SAVED = [
    ("ODDFPRICE(43891,47543,43845,44256,0.075,0.05,120,1,1)", 131.5377155865953),
    ("ODDFPRICE(43891,47543,43845,44256,0.075,0.067,120,1,2)", 115.98854775223758),
    ("ODDFPRICE(43891,47543,43845,44256,0.08,0.06,120,2,3)", 125.74920319203889),
    ("ODDFPRICE(43891,47543,43845,44256,0.075,0.03,120,2,4)", 153.39613008333555),
    ("ODDLPRICE(43891,47543,43845,0.075,0.06,120,1,1)", 121.52128858401393),
    ("YIELD(43891,47543,0.04,126.04349401555694,155,1,2)", 0.04999999999976775),
    ("ACCRINT(44166,44531,44256,0.075,100,2,0,TRUE)", 1.875),
    ("ACCRINT(44166,44531,44256,0.075,100,2,0,FALSE)", -1.875),
    ("ACCRINT(44166,44531,44256,0.075,100,2,1,TRUE)", 1.8647540983606556),
    ("ACCRINT(44348,44531,44531,0.025,5000,2,4,FALSE)", 62.5),
    ("ACCRINT(39142,39691,39569,0.1,1000,2,0,FALSE)", 66.94444444444446),
    ("ACCRINT(39142,39691,39569,0.1,1000,2,0,TRUE)", 116.94444444444446),
    ("MIRR({-6,-1,-2},0.1,0.2)", -1.0),
    ("MIRR({-50,25,30},0.5,-12)", "#NUM!"),
    ("XIRR({-20,9,9,9,9,9},{23,23.67,123.69,400.992,500,500})", 3.131423544883728),
    ("DOLLARDE(100.98999,36)", 102.74997222222224),
    ("DOLLARDE(10,0.5)", "#DIV/0!"),
    ("AMORDEGRC(2400,39679,39813,300,1,0.15,1)", 776.0),
    ("AMORDEGRC(2400,39679,39813,300,1,0.4,1)", "#NUM!"),
    ("EFFECT(TRUE,4)", "#VALUE!"),
    ("FV(-1,-2,1)", "#DIV/0!"),
]


def test_values_that_excel_saved():
    """Odd corners come out as Excel itself computed them."""
    found = computed(*[formula for formula, _ in SAVED])
    wrong = [
        (formula, wanted, got)
        for (formula, wanted), got in zip(SAVED, found, strict=True)
        if not agree(got, wanted)
    ]
    assert wrong == []


def test_a_bond_in_its_last_period():
    """With one coupon to come interest is simple, and yield undoes price."""
    bond = "DATE(2024,5,1),DATE(2024,8,15),0.06"
    price = value(f"PRICE({bond},0.05,100,2,0)")
    part = 104 / 180
    accrued = 3.0 * (1.0 - part)
    assert price == pytest.approx(103.0 / (1.0 + part * 0.025) - accrued, rel=1e-13)
    assert value(f"YIELD({bond},{price!r},100,2,0)") == pytest.approx(0.05, rel=1e-10)


def test_yield_where_the_iteration_fails():
    """A price far above what remains to be paid has its negative yield."""
    tail = "0.01,400,100,2"
    found = value(f"YIELD(45000,48000,{tail})")
    assert found < 0.0


def test_accrued_interest_of_a_regular_bond():
    """Accrued interest within a regular period is the coupon's share of days gone."""
    assert value("ACCRINT(DATE(2024,1,1),DATE(2024,7,1),DATE(2024,4,1),0.08,1000,2,0)") == 20.0


@pytest.mark.parametrize("serial", [0, 1, 59, 60, 61, 45351, LAST])
def test_serials_come_back(serial):
    """A day's serial is the serial of the day that it stands for, 29 February 1900 included."""
    year, month, day = parts_of(serial)
    if serial == 0:
        assert (year, month, day) == (1900, 1, 0)
    elif serial == 60:
        assert (year, month, day) == (1900, 2, 29)
    else:
        assert serial_of(year, month, day) == serial


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (dt.date(2024, 1, 31), dt.date(2024, 2, 29), 29),
        (dt.date(2024, 2, 29), dt.date(2024, 3, 31), 31),
        (dt.date(2023, 2, 28), dt.date(2024, 2, 29), 360),
        (dt.date(2024, 1, 30), dt.date(2024, 3, 31), 60),
    ],
)
def test_thirty_360(start, end, wanted):
    """The US 30/360 count moves the ends of months as the NASD rule says."""
    assert days_between(start, end, 0) == wanted


def test_every_replacement_survives_nonsense():
    """No replaced function raises, whatever scalars it is given."""
    nonsense = (
        None,
        True,
        "x",
        "",
        -1.0,
        0.0,
        1e308,
        {"type": "Error", "kind": "Na"},
        [[1.0, None], ["a", True]],
    )
    for name, function in REPLACED.items():
        for count in range(8):
            for shift in range(len(nonsense)):
                arguments = [
                    nonsense[(place * 3 + shift) % len(nonsense)] for place in range(count)
                ]
                try:
                    function(*arguments)
                except Exception as defect:  # noqa: BLE001 - any is a defect
                    pytest.fail(f"{name}{arguments}: {defect!r}")
