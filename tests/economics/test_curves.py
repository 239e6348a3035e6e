"""Cost curves: declines are effective annual fractions, floors are lower bounds."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xltoken.economics.curves import SHAPES, Curve, decline_factor
from xltoken.economics.domain import DomainError

declines = st.floats(-2.0, 0.95)
falling = st.floats(0.01, 0.95)
months = st.floats(-120.0, 600.0)
usd = st.floats(1e-4, 1e4)
shares = st.floats(0.0, 1.0)


@st.composite
def curves(draw: st.DrawFn, decline: st.SearchStrategy[float] = declines) -> Curve:
    """Draw a curve of any shape, with or without a floor in USD per 1M tokens."""
    start = draw(usd)
    return Curve(
        start=start,
        decline=draw(decline),
        floor=draw(st.just(0.0) | st.floats(0.0, 2.0).map(lambda share: share * start)),
        shape=draw(st.sampled_from(SHAPES)),
        floor_share=draw(shares),
    )


@pytest.mark.parametrize(
    ("decline", "after_months", "left"),
    [
        (0.30, 12, 0.70),
        (0.30, 24, 0.49),
        (0.75, 6, 0.50),
        (0.75, -6, 2.00),
        (-0.44, 6, 1.20),
        (0.30, 0, 1.00),
    ],
)
def test_decline_factor_by_hand(decline, after_months, left):
    """A decline of 0.30 leaves 70 % after twelve months, and its powers at other months."""
    assert decline_factor(decline, after_months) == pytest.approx(left, rel=1e-14)


@given(months)
def test_no_decline_leaves_exactly_everything(after_months):
    """At decline 0 the factor is 1 to the last bit, at any month."""
    assert decline_factor(0.0, after_months) == 1.0


@given(declines, months, months)
def test_decline_factors_compose(decline, first, second):
    """The factor over two spans is the product of their factors."""
    product = decline_factor(decline, first) * decline_factor(decline, second)
    assert decline_factor(decline, first + second) == pytest.approx(product, rel=1e-9)


@given(declines, st.floats(1.0, 600.0))
def test_decline_factor_has_the_sign_of_its_decline(decline, after_months):
    """A positive decline leaves less than everything, a negative one more."""
    assume(abs(decline) > 1e-6)
    assert (decline_factor(decline, after_months) < 1) == (decline > 0)


@pytest.mark.parametrize("decline", [1.0, 1.5, 30.0])
def test_decline_of_one_or_more_is_refused_with_the_unit(decline):
    """A decline typed as a percentage is refused, and the message says what 0.30 means."""
    with pytest.raises(DomainError, match=r"decline is an effective annual fraction .*30 % a year"):
        decline_factor(decline, 12)


@pytest.mark.parametrize(
    ("decline", "after_months", "name"),
    [
        (math.nan, 12, "decline"),
        (-math.inf, 12, "decline"),
        (math.inf, 12, "decline"),
        (0.3, math.nan, "months"),
        (0.3, math.inf, "months"),
    ],
)
def test_decline_factor_names_the_number_that_is_not_finite(decline, after_months, name):
    """Nan and infinity are refused, by the name of the argument."""
    with pytest.raises(DomainError, match=f"^{name} must be a finite number"):
        decline_factor(decline, after_months)


def test_decline_factor_that_overflows_is_a_domain_error():
    """A rise too large for a float is a DomainError that repeats both numbers."""
    with pytest.raises(DomainError, match=r"a decline of -99 over 12000 months overflows"):
        decline_factor(-99.0, 12_000.0)


@pytest.mark.parametrize(
    ("curve", "after_months", "usd_per_million"),
    [
        (Curve(0.10, 0.5), 12, 0.05),
        (Curve(0.10, 0.5), 24, 0.025),
        (Curve(0.10, 0.5, floor=0.04), 24, 0.04),
        (Curve(0.10, 0.5, floor=0.20), 0, 0.20),
        (Curve(0.10, 0.5, shape="flat"), 24, 0.10),
        (Curve(0.10, 0.5, shape="floor", floor_share=0.4), 12, 0.07),
        (Curve(0.10, 0.5, shape="floor", floor_share=0.4), 24, 0.055),
        (Curve(0.10, 0.5, floor=0.06, shape="floor", floor_share=0.4), 24, 0.06),
        (Curve(0.10, 0.5, shape="floor", floor_share=1.0), 24, 0.10),
        (Curve(0.10, -0.5), 12, 0.15),
        (Curve(0.0, 0.5), 12, 0.0),
    ],
)
def test_curve_by_hand(curve, after_months, usd_per_million):
    """Each shape has the value of its formula in USD per 1M tokens, never below the floor."""
    assert curve.value(after_months) == pytest.approx(usd_per_million, rel=1e-14)


def test_a_curve_is_exponential_without_floor_unless_told():
    """The defaults are decline 0, floor 0 and the exponential shape."""
    assert Curve(0.1) == Curve(0.1, decline=0.0, floor=0.0, shape="exponential", floor_share=None)


@given(curves(), months)
def test_no_value_lies_below_the_floor(curve, after_months):
    """The floor in USD is a lower bound at every month and for every shape."""
    assert curve.value(after_months) >= curve.floor


@given(curves(st.floats(0.0, 0.95)), months, months)
def test_a_curve_that_declines_never_rises(curve, first, second):
    """With a decline of 0 or more a later value is never above an earlier one."""
    early, late = sorted((first, second))
    assert curve.value(late) <= curve.value(early) * (1 + 1e-12)


@given(usd, falling, shares)
def test_shape_floor_tends_to_its_share_of_the_start(start, decline, share):
    """Shape floor ends at floor_share x start, from above."""
    curve = Curve(start, decline, shape="floor", floor_share=share)
    assert curve.value(12 * 5_000) == pytest.approx(share * start, rel=1e-9, abs=1e-12 * start)
    assert curve.value(60) >= share * start


@given(usd, declines)
def test_shape_floor_without_share_is_exponential(start, decline):
    """A floor_share of 0 makes shape floor the exponential, and 1 makes it flat."""
    exponential = Curve(start, decline)
    assert Curve(start, decline, shape="floor", floor_share=0.0).value(18.0) == pytest.approx(
        exponential.value(18.0), rel=1e-14
    )
    assert Curve(start, decline, shape="floor", floor_share=1.0).value(18.0) == start


@given(curves())
def test_factor_per_year_is_the_first_year(curve):
    """The value at month 12 is the value at month 0 times the factor per year."""
    assert curve.value(12.0) == pytest.approx(curve.value(0.0) * curve.factor_per_year())


@given(usd, declines, shares)
def test_factor_per_year_of_each_shape(start, decline, share):
    """Without a floor the factor is 1 - d, 1 or phi + (1 - phi)(1 - d) by shape."""
    assert Curve(start, decline).factor_per_year() == pytest.approx(1 - decline)
    assert Curve(start, decline, shape="flat").factor_per_year() == 1.0
    floored = Curve(start, decline, shape="floor", floor_share=share)
    assert floored.factor_per_year() == pytest.approx(share + (1 - share) * (1 - decline))


def test_factor_per_year_of_nothing_is_unknown():
    """A cost of 0 has no factor: nan, not a division by zero."""
    assert math.isnan(Curve(0.0, 0.5).factor_per_year())


# Below 1e-6 a year 1 - d itself is rounded; no cost declines that slowly.
@given(curves(st.floats(-2.0, -1e-6) | st.just(0.0) | st.floats(1e-6, 0.95)))
def test_half_life_is_where_the_value_is_half(curve):
    """At a finite half life the value is half of that at month 0; an infinite one is never met."""
    half_life = curve.half_life_months()
    half = curve.value(0.0) / 2
    if math.isfinite(half_life):
        assert half_life > 0
        assert curve.value(half_life) == pytest.approx(half, rel=1e-6)
    else:
        never = 12.0 * (1_000.0 if curve.decline > 0 else 10.0)
        assert curve.value(never) >= half * (1 - 1e-12)


@pytest.mark.parametrize(
    ("curve", "half_life_months"),
    [
        (Curve(0.10, 0.5), 12.0),
        (Curve(0.10, 0.75), 6.0),
        (Curve(0.10, 0.75, shape="floor", floor_share=1 / 3), 12.0),
        (Curve(0.10, 0.5, floor=0.05), 12.0),
        (Curve(0.10, 0.5, floor=0.051), math.inf),
        (Curve(0.10, 0.5, shape="floor", floor_share=0.5), math.inf),
        (Curve(0.10, 0.5, shape="flat"), math.inf),
        (Curve(0.10, 0.0), math.inf),
        (Curve(0.10, -0.3), math.inf),
        (Curve(0.0, 0.5), math.inf),
    ],
)
def test_half_life_by_hand(curve, half_life_months):
    """Half lives in months, infinite where a floor, a share or no decline keeps the value up."""
    assert curve.half_life_months() == pytest.approx(half_life_months, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": -0.1}, r"start is a cost, 0 or more; it is -0\.1"),
        ({"start": math.nan}, "start must be a finite number"),
        ({"start": math.inf}, "start must be a finite number"),
        ({"floor": -1.0}, "floor is a cost, 0 or more; it is -1"),
        ({"floor": math.inf}, "floor must be a finite number"),
        ({"decline": 1.0}, "decline is an effective annual fraction below 1"),
        ({"decline": math.nan}, "decline must be a finite number"),
        ({"shape": "linear"}, "shape is one of exponential, flat, floor; it is 'linear'"),
        ({"shape": "floor"}, "shape floor needs floor_share.* it is None"),
        ({"shape": "floor", "floor_share": 1.1}, r"floor_share.*between 0 and 1; it is 1\.1"),
        ({"shape": "floor", "floor_share": -0.1}, r"floor_share.*between 0 and 1; it is -0\.1"),
        ({"shape": "floor", "floor_share": math.nan}, "floor_share.*it is nan"),
    ],
)
def test_curve_refuses_what_it_is_not_defined_for(arguments, message):
    """Each argument out of its range is a DomainError that names it and its value."""
    with pytest.raises(DomainError, match=message):
        Curve(**({"start": 0.1, "decline": 0.5} | arguments))


@pytest.mark.parametrize("shape", SHAPES)
def test_curve_at_no_month_is_refused(shape):
    """A month that is nan is refused by every shape, the flat one too."""
    with pytest.raises(DomainError, match="months must be a finite number"):
        Curve(0.1, 0.5, shape=shape, floor_share=0.5).value(math.nan)


def test_domain_error_is_a_value_error():
    """Callers that know nothing of ours can catch a DomainError as ValueError."""
    assert issubclass(DomainError, ValueError)
