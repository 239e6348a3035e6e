"""Scenarios on books whose answers are known: sweep, simulate, tornado."""

import math
import random

import numpy as np
import pytest
import scipy.stats
from recalc_tools import F, book, saved
from scenario_books import annuity, interrupted_after, plan, swept

from xltoken.economics.distributions import discrete, lognormal, normal, triangular, uniform
from xltoken.files import FileError
from xltoken.recalc.model import Model
from xltoken.recalc.scenario_input import (
    open_book,
    read_correlations,
    read_ends,
    read_threshold,
    read_vary,
    threshold_cell,
)
from xltoken.recalc.scenario_tables import grid
from xltoken.recalc.scenarios import figures_of, simulate, sweep, tornado
from xltoken.recalc.settings import SettingError
from xltoken.recalc.sheetxml import ErrorText

# --- sweep ---------------------------------------------------------------------------------------


def test_a_sweep_equals_separate_recalculations(tmp_path):
    """50 scenarios drawn from a sweep come out as a book loaded anew for each, within 1e-12."""
    path = plan(tmp_path)
    found = open_book(path, watch=["profit", "ratio", "verdict"])
    asked = grid(found, ["price=1.5:9.5:0.5", "volume=-5:5:1", "Inputs!B4=base,high"])
    result = sweep(found, asked, tmp_path / "r.csv")
    assert result.runs.done == len(asked.rows) == 17 * 11 * 2
    places = [*result.book.watched.values()]
    for number in random.Random(1).sample(range(len(asked.rows)), 50):
        fresh = Model.open(path)
        changes = dict(zip(asked.places, asked.rows[number], strict=True))
        alone = fresh.run(changes, places)
        for mine, theirs in zip(result.runs.results[number], alone, strict=True):
            assert mine == (
                pytest.approx(theirs, rel=1e-12) if isinstance(theirs, float) else theirs
            )


def test_a_sweep_is_the_formula(tmp_path):
    """Each result is what the formula gives for the inputs as used, --set and blanks included."""
    text = "price,volume\n3,10\n,20\n4,\n"
    result = swept(plan(tmp_path), text, tmp_path, settings=["rent=1", "volume=7"])
    assert result.scenarios.rows == [[3.0, 10.0], [2.0, 20.0], [4.0, 7.0]]
    assert result.runs.results == [[29.0], [39.0], [27.0]]
    assert result.book.changed == ["Inputs!B3 = 1", "Inputs!B2 = 7"]


def test_a_result_does_not_depend_on_the_scenario_before(tmp_path):
    """TRUE after 1, FALSE after 0, text after an equal text: each gives what a fresh book gives."""
    content = book(
        {"Inputs": {"B1": True, "B2": 1.0},
         "Outputs": {"B1": F('Inputs!B1&""', "TRUE"), "B2": F("SUM(Inputs!B1:B2)", 1.0)}}
    )  # fmt: skip
    path = saved(tmp_path, content)
    found = open_book(path, (), ["Outputs!B1", "Outputs!B2"])
    place = found.input("Inputs!B1")
    outputs = list(found.watched.values())
    for value in (True, 1.0, True, 0.0, False, 0.0, "TRUE", True, 1.0):
        fresh = Model.open(path).run({place: value}, outputs)
        assert found.model.run({place: value}, outputs) == fresh


def test_errors_are_recorded_as_their_text_and_counted(tmp_path):
    """A watched cell that fails in a scenario shows its error there, and only there."""
    result = swept(plan(tmp_path), "price\n1\n3\n", tmp_path, watch=["ratio"])
    assert result.runs.results == [[ErrorText("#DIV/0!")], [50.0]]
    assert isinstance(result.runs.results[0][0], ErrorText)
    assert result.errors == 1
    assert (result.figures["ratio"].count, result.figures["ratio"].mean) == (1, 50.0)


def test_a_watched_cell_that_cannot_follow_is_refused_first(tmp_path):
    """A cell that depends on a function nobody has is refused with the reason, before any run."""
    path = plan(tmp_path, lost=True)
    with pytest.raises(FileError) as refused:
        swept(path, "price\n3\n", tmp_path, watch=["profit", "lost"])
    assert "lost" in str(refused.value)
    assert "NOSUCHFUNCTION" in str(refused.value)
    assert "profit:" not in str(refused.value)
    assert swept(path, "rent\n3\n", tmp_path, watch=["lost"]).runs.results == [[7.0]]


def test_a_varied_input_is_not_watched(tmp_path):
    """Watching what one sets oneself has no meaning."""
    with pytest.raises(SettingError, match="is an input that varies"):
        swept(plan(tmp_path), "price\n3\n", tmp_path, watch=["Inputs!B1"])


def test_a_cell_that_nothing_reaches_is_told(tmp_path):
    """A result that is the same in every scenario is noted: the inputs may be the wrong ones."""
    result = swept(plan(tmp_path), "price\n3\n4\n", tmp_path, watch=["profit", "Outputs!B4"])
    assert result.runs.notes == [
        "note: Outputs!B4 is 100 in every scenario; the inputs do not reach it."
    ]


def test_figures_leave_out_what_is_no_number():
    """Texts, truth values, blanks and errors are counted and left out of the percentiles."""
    found = figures_of([1.0, True, "x", None, ErrorText("#N/A"), 3.0], (0, 50, 100))
    assert (found.count, found.errors, found.others) == (2, 1, 3)
    assert (found.mean, found.sd) == (2.0, 1.0)
    assert found.percentiles == {0: 1.0, 50: 2.0, 100: 3.0}
    assert found.standard_error == pytest.approx(1 / math.sqrt(2))
    vast = figures_of([-1.7e308, 1.7e308], (50,))
    assert (vast.count, vast.mean, vast.percentiles) == (2, None, {})
    nothing = figures_of(["x"], (50,))
    assert (nothing.mean, nothing.standard_error, nothing.percentiles) == (None, None, {})


# --- simulate ------------------------------------------------------------------------------------


def simulated(path, tmp_path, vary, watch, pairs=None, thresholds=(), **options):
    """Simulation of a book."""
    found = open_book(path, (), watch)
    questions = [read_threshold(found, text) for text in thresholds]
    return simulate(found, vary, pairs or {}, questions, tmp_path / "r.xlsx", **options)


def test_a_linear_value_of_normals_is_normal(tmp_path):
    """NPV is linear in cash flows: mean, deviation and percentiles are those of the exact normal."""
    vary = {"first": normal(100, 20), "second": normal(200, 30), "third": normal(300, 60)}
    found = simulated(annuity(tmp_path), tmp_path, vary, ["value"], thresholds=["value>480"])
    weights = np.array([1.1**-1, 1.1**-2, 1.1**-3])
    exact = scipy.stats.norm(weights @ [100, 200, 300], np.linalg.norm(weights * [20, 30, 60]))
    figures = found.figures["value"]
    error = exact.std() / 64
    assert figures.count == 4096
    assert abs(figures.mean - exact.mean()) < 3 * error
    assert abs(figures.sd - exact.std()) < 3 * exact.std() / math.sqrt(2 * 4096)
    assert figures.standard_error == pytest.approx(error, rel=0.05)
    for percent in (1, 5, 10, 25, 50, 75, 90, 95, 99):
        q = percent / 100
        point = exact.ppf(q)
        width = math.sqrt(q * (1 - q) / 4096) / exact.pdf(point)
        assert abs(figures.percentiles[percent] - point) < 3 * width
    ((_, chance),) = found.chances
    assert chance == pytest.approx(exact.sf(480), abs=3 * 0.5 / 64)


def test_correlation_widens_a_sum_as_it_must(tmp_path):
    """Normals that move together add up with the variance of their correlated sum."""
    vary = {"first": normal(100, 20), "second": normal(200, 30)}
    found = simulated(annuity(tmp_path), tmp_path, vary, ["value"], {(0, 1): 0.8}, points=2**13)
    pearson = 2 * math.sin(math.pi * 0.8 / 6)
    one, two = 20 / 1.1, 30 / 1.1**2
    exact = math.sqrt(one**2 + two**2 + 2 * pearson * one * two)
    assert found.figures["value"].sd == pytest.approx(exact, rel=3 / math.sqrt(2 * 2**13))


def test_a_product_of_lognormals_is_lognormal(tmp_path):
    """Mean, deviation and median of a product of lognormals have their closed forms."""
    vary = {"one": lognormal(2.0, 0.5), "other": lognormal(3.0, 1.0)}
    found = simulated(annuity(tmp_path), tmp_path, vary, ["product"], points=2**13)
    variances = [math.log(1 + 0.25**2), math.log(1 + (1 / 3) ** 2)]
    total = sum(variances)
    figures = found.figures["product"]
    sd = 6 * math.sqrt(math.expm1(total))
    assert abs(figures.mean - 6) < 3 * sd / math.sqrt(2**13)
    assert figures.sd == pytest.approx(sd, rel=0.05)
    assert figures.percentiles[50] == pytest.approx(6 * math.exp(-total / 2), rel=0.01)


def test_drivers_are_the_inputs_that_matter(tmp_path):
    """Rank correlations are Spearman's, and the strongest input stands first."""
    vary = {"volume": uniform(99, 101), "price": uniform(1, 3), "rent": uniform(0, 100)}
    found = simulated(plan(tmp_path), tmp_path, vary, ["profit", "Outputs!B4"], points=512)
    assert list(found.drivers["profit"]) == ["price", "rent", "volume"]
    results = found.numbers("profit")
    for at, label in enumerate(found.labels):
        expected = scipy.stats.spearmanr(found.samples[:, at], results).statistic
        assert found.drivers["profit"][label] == pytest.approx(expected, abs=1e-12)
    assert found.drivers["Outputs!B4"]["rent"] == pytest.approx(1.0)


def test_draws_without_a_number_are_left_out_and_counted(tmp_path):
    """Errors in some draws do not enter any figure, chance or rank correlation."""
    vary = {"price": discrete({1.0: 0.25, 2.0: 0.25, 3.0: 0.5})}
    found = simulated(plan(tmp_path), tmp_path, vary, ["ratio"], thresholds=["ratio>60"], points=64)
    figures = found.figures["ratio"]
    assert (figures.count, figures.errors) == (48, 16)
    assert found.errors == 16
    assert figures.mean == pytest.approx((100 + 2 * 50) / 3)
    assert found.chances[0][1] == pytest.approx(1 / 3)
    assert found.drivers["ratio"]["price"] == pytest.approx(-1.0)


def test_when_every_draw_fails_nothing_is_claimed(tmp_path):
    """No number, no figure: chances and rank correlations are nan."""
    vary = {"price": discrete({1.0: 1.0})}
    found = simulated(plan(tmp_path), tmp_path, vary, ["ratio"], thresholds=["ratio<0"], points=4)
    assert found.figures["ratio"].mean is None
    assert math.isnan(found.chances[0][1])
    assert math.isnan(found.drivers["ratio"]["price"])


def test_draws_are_rounded_up_to_a_power_of_two(tmp_path):
    """A number that is no power of 2 is rounded up, and it is said."""
    vary = {"price": triangular(1.5, 2, 3)}
    found = simulated(plan(tmp_path), tmp_path, vary, ["profit"], points=100)
    assert found.runs.notes == ["note: 128 draws, not 100: a power of 2 is even."]
    assert found.figures["profit"].count == 128


def test_a_seed_decides_every_draw(tmp_path):
    """The same seed gives the same samples and results, another seed others."""
    vary = {"price": normal(2, 0.1), "rent": normal(50, 5)}
    one, again, other = (
        simulated(plan(tmp_path), tmp_path, vary, ["profit"], points=64, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one.runs.results == again.runs.results
    assert one.runs.results != other.runs.results


def test_a_simulation_stops_and_resumes(tmp_path):
    """A stopped simulation says nothing of its part; resumed it is the whole one."""
    vary = {"price": normal(2, 0.1)}
    whole = simulated(plan(tmp_path), tmp_path, vary, ["profit"], points=64)
    part = simulated(
        plan(tmp_path), tmp_path, vary, ["profit"], points=64, told=interrupted_after(20)
    )
    assert part.runs.stopped
    assert (part.figures, part.chances) == ({}, [])
    rest = simulated(plan(tmp_path), tmp_path, vary, ["profit"], points=64, resume=True)
    assert rest.runs.taken == 20
    assert rest.figures == whole.figures


@pytest.mark.parametrize(
    ("vary", "watch", "options", "part"),
    [
        ({"case": normal(1, 1)}, "profit", {}, "case: is the text 'base'"),
        ({"Inputs!B5": normal(1, 1)}, "profit", {}, "is TRUE"),
        ({"price": normal(1, 1)}, "verdict", {}, "verdict: is the text 'case base'"),
        ({"price": normal(1, 1)}, "profit", {"points": 0}, "-n 0: between 1 and 1,048,576"),
        ({"price": normal(1, 1)}, "profit", {"points": 2**21}, "between 1 and"),
        ({"price": normal(1, 1)}, "profit", {"seed": -1}, "a seed is 0 or more"),
        ({"price": normal(1, 1), "rent": normal(1, 1)}, "profit", {"pairs": {(0, 1): 2.0}},
         "price and rent: it lies between"),
        ({"prize": normal(1, 1)}, "profit", {}, "Nearest names: price"),
    ],
)  # fmt: skip
def test_a_simulation_without_meaning_is_refused(tmp_path, vary, watch, options, part):
    """Texts, impossible correlations and numbers of draws are refused in plain words."""
    with pytest.raises(SettingError) as refused:
        simulated(plan(tmp_path), tmp_path, vary, [watch], **options)
    assert part in str(refused.value)


def test_distributions_are_read_for_inputs(tmp_path):
    """--vary names an input and a distribution; what is wrong is said of that input."""
    found = open_book(plan(tmp_path))
    assert read_vary(found, ["price=normal(2, 0.3)", "Inputs!B2 = uniform(1,2)"]) == {
        "price": normal(2, 0.3), "Inputs!B2": uniform(1, 2),
    }  # fmt: skip
    for text, part in (
        ("price", "write e.g. price=normal(2, 0.3)"),
        ("price=normal(2)", "--vary price: normal takes 2 numbers"),
        ("prize=normal(2, 1)", "Nearest names: price"),
    ):
        with pytest.raises(SettingError) as refused:
            read_vary(found, [text])
        assert part in str(refused.value)


def test_correlations_are_read_for_pairs():
    """A pair is two labels that vary, in any order and case; quoted sheets may hold a comma."""
    labels = ["price", "volume", "'a, b'!B1"]
    texts = ["Volume , PRICE=0.5", "price,'a, b'!B1=-20%"]
    assert read_correlations(labels, texts) == {(0, 1): 0.5, (0, 2): -0.2}
    for text, part in (
        ("price=0.5", "names no two of the inputs"),
        ("price,rent=0.5", "names no two of the inputs"),
        ("price,volume=x", "'x' is no number"),
    ):
        with pytest.raises(SettingError) as refused:
            read_correlations(labels, [text])
        assert part in str(refused.value)
    with pytest.raises(SettingError, match="stands there twice"):
        read_correlations(labels, ["price,volume=0.5", "volume,price=0.4"])


def test_thresholds_are_read_for_watched_cells(tmp_path):
    """A threshold's cell is watched; its comparison holds value by value."""
    found = open_book(plan(tmp_path), watch=["profit"], also=[threshold_cell("Outputs!B2<=50%")])
    assert list(found.watched) == ["profit", "Outputs!B2"]
    values = np.array([-1.0, 0.0, 1.0])
    for sign, holds in ((">", [0, 0, 1]), (">=", [0, 1, 1]), ("<", [1, 0, 0]), ("<=", [1, 1, 0])):
        threshold = read_threshold(found, f"Outputs!B1 {sign} 0")
        assert threshold.holds(values).tolist() == [bool(one) for one in holds]
        assert str(threshold) == f"profit {sign} 0"
    for text in ("profit", "profit=0", ">0", "profit>x", "profit>inf"):
        with pytest.raises(SettingError, match="--threshold"):
            read_threshold(found, text)


# --- tornado -------------------------------------------------------------------------------------


def test_a_tornado_moves_each_input_alone(tmp_path):
    """Each bar is the formula at one input's ends, the others as they are; largest swing first."""
    found = open_book(plan(tmp_path), ["rent=40"], ["profit"])
    ends = read_ends(
        found, ["rent=0:100", "price+-20%", "volume = 90 : 130", "Inputs!B5=TRUE:FALSE"]
    )
    result = tornado(found, ends)
    assert result.base == 160.0
    assert [(b.label, b.low, b.base, b.high, b.result_low, b.result_high) for b in result.bars] == [
        ("rent", 0.0, 40.0, 100.0, 200.0, 100.0),
        ("price", 1.6, 2.0, 2.4, 120.0, 200.0),
        ("volume", 90.0, 100.0, 130.0, 140.0, 220.0),
        ("Inputs!B5", True, True, False, 160.0, 160.0),
    ]
    assert [bar.swing for bar in result.bars] == [100.0, 80.0, 80.0, 0.0]
    assert result.notes == ["note: Inputs!B5 does not move profit."]
    assert result.errors == 0


def test_ends_that_leave_the_saved_value_outside_are_told(tmp_path):
    """A base outside its own ends is likely a slip; it is noted."""
    found = open_book(plan(tmp_path), (), ["profit"])
    notes = tornado(found, read_ends(found, ["price=3:4"])).notes
    assert notes == ["note: price stands at 2, outside 3 to 4."]


def test_a_bar_that_fails_stands_last_without_a_swing(tmp_path):
    """An end at which the result is an error has no swing and does not hide the others."""
    found = open_book(plan(tmp_path), (), ["ratio"])
    result = tornado(found, read_ends(found, ["price=1:3", "volume=90:110"]))
    assert [bar.label for bar in result.bars] == ["volume", "price"]
    assert result.bars[1].result_low == ErrorText("#DIV/0!")
    assert math.isnan(result.bars[1].swing)
    assert result.errors == 1


def test_a_tornado_around_a_negative_value(tmp_path):
    """Around a negative value the low end is the smaller number."""
    found = open_book(plan(tmp_path), ["rent=-10"], ["profit"])
    assert read_ends(found, ["rent±50%"]) == {"rent": (-15.0, -5.0)}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("price", "write e.g. utilization=0.3:0.7 or price+-20%"),
        ("price=1", "write two ends"),
        ("price=1:", "write two ends"),
        ("price=1:2:3", "write two ends"),
        ("price=2:1", "the low end is below the high one"),
        ("price=x:1", "neither a number nor a date"),
        ("case+-10%", "is nothing; write low:high"),
        ("price+-0%", "is nothing; write low:high"),
        ("price+-1.2.3%", "is no number"),
        ("profit+-10%", "formula"),
    ],
)
def test_ends_without_meaning_are_refused(tmp_path, text, part):
    """Ends that are no ends are refused in plain words."""
    found = open_book(plan(tmp_path), (), ["profit"])
    with pytest.raises(SettingError) as refused:
        read_ends(found, [text])
    assert part in str(refused.value)


def test_a_tornado_needs_a_number(tmp_path):
    """A text has no swing."""
    found = open_book(plan(tmp_path), (), ["verdict"])
    with pytest.raises(SettingError, match="verdict: is the text 'case base'"):
        tornado(found, read_ends(found, ["price=1:3"]))
