"""Other applications as engines: what they say, and what they are believed."""

from pathlib import Path

import pytest
from formula_graphs import graphs, key, place_of
from hypothesis import given, settings
from hypothesis import strategies as st
from recalc_tools import (
    F,
    book,
    digest,
    dynamic,
    element,
    engine_believed,
    parts_of,
    saved,
    values,
    with_part,
)

from xltoken.functions import FUNCTIONS
from xltoken.recalc import libreoffice
from xltoken.recalc.engine import Engine
from xltoken.recalc.package import parsed
from xltoken.recalc.second import agree
from xltoken.recalc.sheetxml import ErrorText
from xltoken.recalc.workbook import recalculate

needed = pytest.mark.skipif(libreoffice.program() is None, reason="LibreOffice is not installed")
CHAT = '"deepseek-r1/chat"'
CHANGES = st.dictionaries(
    st.sampled_from(["A1", "A2", "A3"]), st.integers(51, 99).map(float), max_size=3
)


@pytest.fixture(autouse=True)
def trusted():
    """These tests are about two engines, not about which functions are believed."""
    with engine_believed():
        yield


class Other:
    """A second engine: ours again, but it knows no function of ours and deviates where told.

    A deviation is a value, or a function of the value that ours gives.
    """

    def __init__(self):
        self.deviations = {}
        self.seen = []

    def __call__(self, content, places, *, timeout=120.0):
        """Values of the cells at `places`."""
        self.seen.append(content)
        package = parsed(Path("copy.xlsx"), content)
        engine = Engine.of(package)
        engine.evaluate()
        found = {}
        for place in places:
            value = engine.values(place[0], [place[1:]])[place[1:]]
            value = 0.0 if value is None else value
            deviation = self.deviations.get(place)
            if callable(deviation):
                value = deviation(value)
            elif deviation is not None:
                value = deviation
            found[place] = value
        return found


@pytest.fixture
def other(monkeypatch):
    """The only second engine there is."""
    engine = Other()
    monkeypatch.setattr("xltoken.recalc.second.second_engine", lambda name: engine)
    return engine


def verified(tmp_path, cells, *settings, **options):
    """Report of a recalculation about which a second engine was asked."""
    path = saved(tmp_path, book({"S": cells}))
    return recalculate(path, tmp_path / "out.xlsx", settings, verify="libreoffice", **options)


def through(tmp_path, cells, *settings, engine="libreoffice", **options):
    """Values and report of a recalculation by the second engine."""
    path = saved(tmp_path, book({"S": cells}, **options))
    report = recalculate(path, tmp_path / "out.xlsx", settings, engine=engine)
    return values(report.output), report


def told(report, status):
    """Addresses that a report gives this status."""
    return {c.cell for c in report.cells if c.status == status}


CELLS = {
    "A1": 1.0,
    "B1": F("A1*2", 2),
    "B2": F("B1+1", 3),
    "B3": F('A1&"x"', "1x"),
    "B4": F("1/(A1-1)", "#DIV/0!"),
    "B5": F("A1=1", True),
    "B6": F('IF(A1=1,"",1)', ""),
}


# --- a second opinion -----------------------------------------------------------------------------


def test_an_engine_that_agrees_has_nothing_to_say(tmp_path, other):
    """Every formula is compared, and the file is what it is without a second opinion."""
    report = verified(tmp_path, CELLS, "A1=3")
    assert report.opinion.compared == 6
    assert (report.opinion.unknown, report.opinion.differing) == (0, {})
    assert not report.findings
    path = tmp_path / "book.xlsx"
    recalculate(path, tmp_path / "alone.xlsx", ["A1=3"])
    assert digest(tmp_path / "alone.xlsx") == digest(report.output)


def test_what_it_says_otherwise_is_reported(tmp_path, other):
    """A cell with another value is a finding: ours, theirs, where; the file keeps ours."""
    other.deviations = {("S", 1, 2): 7.0, ("S", 3, 2): "2x", ("S", 5, 2): False}
    report = verified(tmp_path, CELLS, "A1=3")
    found = {c.cell: (c.status, c.saved, c.computed) for c in report.findings}
    assert found == {"B1": ("differs", 6, 7), "B3": ("differs", "3x", "2x")}
    assert values(report.output)["B1"] == 6
    assert report.as_dict()["verify"] == {
        "engine": "libreoffice",
        "compared": 6,
        "unknown": 0,
        "differing": 2,
    }


def test_a_difference_keeps_a_strict_file_from_being_written(tmp_path, other):
    """With `strict` nothing is written while the engines differ."""
    other.deviations = {("S", 1, 2): 7.0}
    report = verified(tmp_path, CELLS, "A1=3", strict=True)
    assert report.output is None
    assert not (tmp_path / "out.xlsx").exists()


@settings(max_examples=50)
@given(graphs(), CHANGES, st.data())
def test_exactly_the_deviating_cells_are_reported(tmp_path_factory, graph, changes, data):
    """Of the formulas that are computed, those and only those on which the engines differ."""
    engine = Other()
    nodes = data.draw(st.sets(st.sampled_from([key(node) for node in graph.nodes])))
    engine.deviations = {place_of(text): lambda value: value + 0.5 for text in nodes}
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    chosen = [f"S!{place}={v!r}" for place, v in changes.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xltoken.recalc.second.second_engine", lambda name: engine)
        out = path.with_name("out.xlsx")
        report = recalculate(path, out, chosen, verify="libreoffice")
    refused = {place_of(text) for text in graph.outcome(changes)[1]}
    computed = {place_of(key(n)) for n in graph.nodes if n.kind in ("honest", "unjudged")} - refused
    assert report.opinion.compared == len(computed)
    assert set(report.opinion.differing) == {place_of(text) for text in nodes} & computed


def test_our_functions_and_kept_values_stand_as_constants(tmp_path, other):
    """The other application is shown values where it cannot or must not compute."""
    cells = {
        "A1": 1.0,
        "A2": 5.0,
        "B1": F("COST_CURVE(A1,0,0)", 1),
        "B2": F('CUBEVALUE("x",A2)', 8),
        "B3": F("A2+0", 44),
        "B4": F('CUBEVALUE("x",A1)', 9),
        "B5": F("B4+1", 10),
        "B6": F("SUM(B1,A1)", 2),
    }
    report = verified(tmp_path, cells, "A1=3")
    (content,) = other.seen
    for place, constant in {"B1": 3, "B2": 8, "B3": 44, "B4": 9, "B5": 10}.items():
        shown = element(content, place)
        assert "<f" not in shown
        assert f"<v>{constant}" in shown
    assert "<f>SUM(B1,A1)</f>" in element(content, "B6")
    assert told(report, "refused") == {"B4", "B5"}
    assert report.opinion.compared == 1


def test_a_function_that_it_does_not_have_is_no_difference(tmp_path, other):
    """#NAME? where ours has a value says nothing about the value; where ours has it too, it does."""
    other.deviations = {("S", 1, 2): ErrorText("#NAME?")}
    report = verified(tmp_path, CELLS, "A1=3")
    assert (report.opinion.unknown, report.opinion.compared) == (1, 5)
    assert report.opinion.differing == {}


def test_volatile_formulas_are_not_compared(tmp_path, other):
    """What changes by itself differs for no reason."""
    cells = {"A1": 1.0, "B1": F("RAND()", 0.5), "B2": F("A1+1", 2)}
    other.deviations = {("S", 1, 2): 99.0}
    report = verified(tmp_path, cells, "A1=3")
    assert (report.opinion.compared, report.opinion.differing) == (1, {})


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (1.0, 1.0, True),
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.0 + 1e-8, False),
        (0.0, 1e-13, True),
        (1e-13, 0.0, True),
        (0.0, 1e-11, False),
        (1e300, 1e300 * (1 + 1e-10), True),
        (1.0, True, True),
        (0.0, True, False),
        (1.0, "1", False),
        ("", None, True),
        ("a", None, False),
        (0.0, None, False),
        (0.0, "", False),
        ("a", "a", True),
        ("a", "A", False),
        (ErrorText("#DIV/0!"), ErrorText("#VALUE!"), True),
        (ErrorText("#N/A"), "#N/A", False),
        (ErrorText("#N/A"), 1.0, False),
        (1.0, ErrorText("#N/A"), False),
        (ErrorText("#N/A"), None, False),
    ],
)
def test_what_counts_as_agreement(ours, theirs, same):
    """Last digits, names of errors and TRUE for 1 are no differences; kinds of values are."""
    assert agree(ours, theirs) == same
    assert agree(theirs, ours) == same


def test_small_numbers_are_compared_too():
    """Twice a price per token is another price: 2E-13 is not 1E-13."""
    assert not agree(1e-13, 2e-13)


# --- the other application computes ---------------------------------------------------------------


@settings(max_examples=50)
@given(graphs(kinds=("honest", "unjudged", "own", "drifted")), CHANGES)
def test_an_engine_that_agrees_writes_the_same_file(tmp_path_factory, graph, changes):
    """Where both compute alike it does not matter which is asked."""
    engine = Other()
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    chosen = [f"S!{place}={v!r}" for place, v in changes.items()]
    ours = recalculate(path, path.with_name("ours.xlsx"), chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xltoken.recalc.second.second_engine", lambda name: engine)
        out = path.with_name("theirs.xlsx")
        theirs = recalculate(path, out, chosen, engine="libreoffice")
    assert parts_of(out) == parts_of(path.with_name("ours.xlsx"))
    assert theirs.values == ours.values
    assert theirs.summary == ours.summary
    assert theirs.engine == "libreoffice"


@settings(max_examples=100)
@given(graphs(), CHANGES)
def test_nothing_is_written_that_is_not_known(tmp_path_factory, graph, changes):
    """Beside kept and refused cells every value is the one that a plain reader computes."""
    engine = Other()
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    chosen = [f"S!{place}={v!r}" for place, v in changes.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xltoken.recalc.second.second_engine", lambda name: engine)
        out = path.with_name("out.xlsx")
        report = recalculate(path, out, chosen, engine="libreoffice")
    expected, _ = graph.outcome(changes)
    for text, value in expected.items():
        if place_of(text) not in report.change.refused:
            assert report.values[place_of(text)] == value


def test_the_values_are_those_of_the_other_application(tmp_path, other):
    """What it computes after a change is what the file gets."""
    other.deviations = {("S", 1, 2): lambda value: value if value == 2 else value + 0.25}
    found, report = through(tmp_path, CELLS, "A1=3")
    assert found["B1"] == 6.25
    assert told(report, "changed") >= {"B1", "B2"}
    assert report.summary["disputed"] == 0


def test_a_saved_value_that_it_disputes_is_kept(tmp_path, other):
    """What it makes of the saved inputs is judged: a disputed cell keeps its value."""
    other.deviations = {("S", 2, 2): 99.0}
    found, report = through(tmp_path, CELLS)
    assert found["B2"] == 3
    assert told(report, "disputed") == {"B2"}
    assert not report.findings


def test_readers_of_a_disputed_cell_are_refused_where_they_move(tmp_path, other):
    """It computes with its own wrong value: what follows from that is never written."""
    cells = {**CELLS, "C1": F("B2*10", 30), "C2": F("A1*5", 5)}
    other.deviations = {("S", 2, 2): lambda value: value + 96, ("S", 1, 3): lambda v: v + 960}
    found, report = through(tmp_path, cells, "A1=3")
    assert (found["B2"], found["C1"]) == (3, 30)
    assert told(report, "refused") == {"B2", "C1"}
    assert (found["B1"], found["C2"]) == (6, 15)


def test_an_unknown_function_keeps_its_value(tmp_path, other):
    """Where it knows no name, the saved value stands, and moved readers are refused."""
    cells = {"A1": 1.0, "B1": F("A1*2", 2), "B2": F("B1+1", 3)}
    other.deviations = {("S", 1, 2): ErrorText("#NAME?")}
    found, report = through(tmp_path, cells)
    assert found == {"A1": 1, "B1": 2, "B2": 3}
    assert told(report, "unsupported") == {"B1"}


def test_a_function_that_only_it_has_is_computed(tmp_path, other):
    """What our engine lacks is its to compute, and what reads it follows."""
    cells = {"A1": 1.0, "B1": F('CUBEVALUE("x",A1)', 8), "B2": F("A1+1", 2)}
    other.deviations = {("S", 1, 2): 8.0}
    found, report = through(tmp_path, cells)
    assert found == {"A1": 1, "B1": 8, "B2": 2}
    other.deviations = {("S", 1, 2): 11.0}
    found, report = through(tmp_path, cells, engine="excel")
    assert found["B1"] == 11
    assert told(report, "changed") == {"B1"}


def test_nothing_judges_excel(tmp_path, other):
    """Excel's own values replace saved ones: a difference is a change and no dispute."""
    other.deviations = {("S", 2, 2): 99.0}
    found, report = through(tmp_path, CELLS, engine="excel")
    assert found["B2"] == 99
    assert told(report, "changed") == {"B2"}
    assert report.summary["disputed"] == 0


def test_our_functions_are_ours_in_any_engine(tmp_path, other):
    """Calls of ours stand as constants in its copy, with the values of the new inputs."""
    cells = {
        "A1": "B200",
        "B1": F(f"TOKEN_COST(A1,0,{CHAT})", 0.5),
        "B2": F("B1*2", 1),
    }
    found, report = through(tmp_path, cells, "A1=H200")
    cost = FUNCTIONS["TOKEN_COST"]("H200", 0.0, "deepseek-r1/chat")
    assert found["B1"] == pytest.approx(cost, rel=1e-12)
    assert found["B2"] == pytest.approx(cost * 2, rel=1e-12)
    assert all("<f" not in element(content, "B1") for content in other.seen)
    assert not report.findings


def test_an_array_that_may_grow_is_left_to_our_engine(tmp_path, other):
    """How far it would spread is not told: it keeps its cells, and is refused where it moves."""
    cells = {
        "A1": 2.0,
        "B1": dynamic("B1", "_xlfn.SEQUENCE(A1)*A1", "B1:B2", 2),
        "B2": 4.0,
        "D1": F("SUM(B1:B9)", 6),
        "D2": F("A1+1", 3),
    }
    found, report = through(tmp_path, cells, "A1=3")
    assert (found["B1"], found["B2"], found["D1"], found["D2"]) == (2, 4, 6, 4)
    assert told(report, "refused") == {"B1", "D1"}
    assert "B3" not in found


@pytest.mark.parametrize("engine", ["libreoffice", "excel"])
def test_our_functions_see_the_values_that_the_file_gets(tmp_path, other, engine):
    """A call of ours is computed with the value that its precedent has in the file, or refused."""
    cells = {"A1": 1.0, "B1": F("A1*2", 2), "B2": F("COST_CURVE(B1,0,0)", 2)}
    other.deviations = {("S", 1, 2): lambda value: value if value == 2 else value + 1}
    found, report = through(tmp_path, cells, "A1=3", engine=engine)
    assert found["B1"] == 7
    assert found["B2"] == 7 or "B2" in told(report, "refused")


# --- the real LibreOffice -------------------------------------------------------------------------

RICH = {
    "A1": 2.0,
    "A2": 3.0,
    "A3": "text",
    "B1": F("A1*A2", 6),
    "B2": F("SUM(A1:A2)/B1", 5 / 6),
    "B3": F('A3&" "&A1', "text 2"),
    "B4": F("1/(A1-2)", "#DIV/0!"),
    "B5": F("IF(A1>A2,TRUE,FALSE)", False),
    "B6": F("ROUND(PMT(0.1/12,360,-1000*A1),2)", 17.55),
    "B7": F("COST_CURVE(B1,12,0.5)", 3),
    "B8": F("B7*2", 6),
    "B9": F("'It''s'!A1+1", 7),
    "B10": F('IF(A1=2,"",1)', ""),
}


@needed
@pytest.mark.slow
def test_libreoffice_agrees_on_an_ordinary_book(tmp_path):
    """Numbers, texts, errors and booleans of a plain model are the same in both."""
    path = saved(tmp_path, book({"S": RICH, "It's": {"A1": F("S!B1", 6)}}))
    out = tmp_path / "out.xlsx"
    report = recalculate(path, out, ["S!A1=5"], verify="libreoffice")
    assert report.opinion.differing == {}
    assert report.opinion.unknown == 0
    assert report.opinion.compared == 10


@needed
@pytest.mark.slow
def test_libreoffice_writes_what_our_engine_writes(tmp_path):
    """A plain model comes out alike, whoever computes it."""
    path = saved(tmp_path, book({"S": RICH, "It's": {"A1": F("S!B1", 6)}}))
    ours, theirs = tmp_path / "ours.xlsx", tmp_path / "theirs.xlsx"
    one = recalculate(path, ours, ["S!A1=5"])
    other = recalculate(path, theirs, ["S!A1=5"], engine="libreoffice")
    assert other.summary["disputed"] == 0
    assert {p: v for p, v in one.values.items() if not agree(v, other.values[p])} == {}
    assert values(theirs, "It's") == values(ours, "It's")


@needed
@pytest.mark.slow
def test_libreoffice_finds_a_number_that_was_tampered_with(tmp_path):
    """A book of which one written value was changed afterwards does not pass its opinion."""
    path = saved(tmp_path, book({"S": {"A1": 2.0, "B1": F("A1*3", 6.5), "B2": F("A1+1", 3)}}))
    report = recalculate(path, tmp_path / "out.xlsx", engine="libreoffice")
    assert told(report, "disputed") == {"B1"}
    report = recalculate(path, tmp_path / "out.xlsx", ["A1=4"], engine="libreoffice")
    assert told(report, "refused") == {"B1"}
    assert values(report.output) == {"A1": 4, "B1": 6.5, "B2": 5}


@needed
@pytest.mark.slow
def test_libreoffice_computes_tables_and_names(tmp_path):
    """Defined names and 1904 dates mean the same to both engines."""
    cells = {
        "A1": 100.0,
        "B1": F("Rate*2", 200),
        "B2": F("SUM(Area)", 100),
        "B3": F("Twice+1", 201),
    }
    names = {"Rate": "S!$A$1", "Area": "S!$A$1:$A$1", "Twice": "S!$A$1*2"}
    content = book({"S": cells}, names=names, date1904=True)
    path = saved(tmp_path, content)
    report = recalculate(path, tmp_path / "out.xlsx", ["A1=7"], verify="libreoffice")
    assert report.opinion.differing == {}
    assert report.opinion.compared == 3


@needed
@pytest.mark.slow
def test_libreoffice_is_not_shown_a_part_that_it_would_change(tmp_path):
    """Whatever it is asked, parts that hold no changed cell are the same bytes afterwards."""
    content = with_part(book({"S": RICH, "It's": {"A1": F("S!B1", 6)}}), "xl/x.bin", b"\0\1\2")
    path = saved(tmp_path, content)
    out = tmp_path / "out.xlsx"
    recalculate(path, out, ["S!A1=5"], engine="libreoffice")
    before, after = parts_of(path), parts_of(out)
    assert {n for n in before if before[n] != after[n]} <= {
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
    }
