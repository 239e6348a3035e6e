"""A book kept loaded: asked many times it answers what a recalculation of the file would."""

import pytest
from formula_graphs import INPUTS, graphs, key, place_of
from hypothesis import given, settings
from hypothesis import strategies as st
from recalc_tools import F, book, dynamic, engine_believed, replaced, saved, table_parts

from xltoken.recalc.model import Model
from xltoken.recalc.settings import SettingError
from xltoken.recalc.sheetxml import ErrorText
from xltoken.recalc.workbook import recalculate

CELLS = {
    "A1": 1.0,
    "A2": 2.0,
    "A3": "text",
    "B1": F("A1+A2", 3),
    "B2": F("B1*2", 6),
    "B3": F('A3&"!"', "text!"),
    "B4": F("1/(A1-5)", -0.25),
    "C1": F("A9", 0),
}


@pytest.fixture(autouse=True)
def trusted():
    """These tests are about asking again, not about which functions are believed."""
    with engine_believed():
        yield


def opened(tmp_path, cells, **options):
    """Model of a sheet S with these cells."""
    return Model.open(saved(tmp_path, book({"S": cells}, **options)))


def asked(model, changes, *outputs):
    """Values of some cells after some inputs were set."""
    placed = {model.input(f"S!{place}"): value for place, value in changes.items()}
    return model.run(placed, [model.output(f"S!{place}") for place in outputs])


# --- asking ---------------------------------------------------------------------------------------


def test_a_run_computes_what_depends_on_its_inputs(tmp_path):
    """Numbers, texts and errors follow the inputs, and a blank that is read shows as 0."""
    model = opened(tmp_path, CELLS)
    found = asked(model, {"A1": 5.0, "A3": "x"}, "B1", "B2", "B3", "B4", "C1")
    assert found == [7, 14, "x!", ErrorText("#DIV/0!"), 0]
    assert isinstance(found[3], ErrorText)


def test_inputs_that_are_not_named_keep_what_they_have(tmp_path):
    """Runs add up until the model is reset."""
    model = opened(tmp_path, CELLS)
    assert asked(model, {"A1": 10.0}, "B1") == [12]
    assert asked(model, {"A2": 20.0}, "B1", "B2") == [30, 60]
    assert asked(model, {}, "B1") == [30]
    model.reset()
    assert asked(model, {}, "B1", "B2", "B3", "B4") == [3, 6, "text!", -0.25]


def test_a_value_is_that_of_now(tmp_path):
    """Constants, inputs and formulas, before a run and after it."""
    model = opened(tmp_path, CELLS)
    first, formula, text = (("S", 1, 1), ("S", 1, 2), ("S", 3, 1))
    assert [model.value(place) for place in (first, formula, text)] == [1, 3, "text"]
    model.run({first: 5.0}, [])
    assert [model.value(place) for place in (first, formula, text)] == [5, 7, "text"]
    model.reset()
    assert [model.value(place) for place in (first, formula)] == [1, 3]


def test_an_input_is_a_cell_that_holds_a_constant(tmp_path):
    """Formulas, unused cells and unknown names are no inputs; names of cells are."""
    model = opened(tmp_path, CELLS, names={"Rate": "S!$A$1", "Area": "S!$A$1:$A$2"})
    assert model.input("Rate") == model.input("S!A1") == model.input("s!$a$1") == ("S", 1, 1)
    for where in ("S!B1", "S!Z9", "Area", "Nowhere", "T!A1", "S!A0", ""):
        with pytest.raises(SettingError):
            model.input(where)


def test_an_output_is_a_cell_with_something_in_it(tmp_path):
    """Formulas and constants can be read, empty cells cannot."""
    model = opened(tmp_path, CELLS, names={"Total": "S!$B$2"})
    assert model.output("Total") == ("S", 2, 2)
    assert model.output("S!A3") == ("S", 3, 1)
    with pytest.raises(SettingError, match="empty cell"):
        model.output("S!Z9")


def test_our_functions_are_asked_again(tmp_path):
    """A call of ours follows its inputs, run after run."""
    cells = {"A1": 8.0, "B1": F("COST_CURVE(A1,12,0.5)", 4)}
    model = opened(tmp_path, cells)
    runs = [asked(model, {"A1": v}, "B1")[0] for v in (8.0, 4.0, 8.0)]
    assert runs == [pytest.approx(4), pytest.approx(2), pytest.approx(4)]


def test_arrays_follow_and_come_back(tmp_path):
    """A dynamic array grows, shrinks and grows again, and its readers with it."""
    cells = {
        "A1": 2.0,
        "B1": dynamic("B1", "_xlfn.SEQUENCE(A1)", "B1:B2", 1),
        "B2": 2.0,
        "D1": F("SUM(B1:B9)", 3),
    }
    model = opened(tmp_path, cells)
    assert [asked(model, {"A1": n}, "D1")[0] for n in (4.0, 1.0, 3.0, 2.0)] == [10, 1, 6, 3]


@pytest.mark.parametrize(("one", "other"), [(1.0, True), (0.0, False), (True, 1.0)])
def test_an_input_may_become_another_kind_of_the_same(tmp_path, one, other):
    """TRUE after 1 is TRUE: a formula tells them apart."""
    model = opened(tmp_path, {"A1": 3.0, "B1": F("ISNUMBER(A1)", True)})
    asked(model, {"A1": one}, "B1")
    assert asked(model, {"A1": other}, "B1") == [not isinstance(other, bool)]


# --- what stands in the way -----------------------------------------------------------------------


def blocked(model, inputs, *outputs):
    """Outputs that cannot follow, by address, with the reason."""
    found = model.blocked(
        [model.input(f"S!{place}") for place in inputs],
        [model.output(f"S!{place}") for place in outputs],
    )
    return {f"{'?ABCDE'[column]}{row}": why for (_, row, column), why in found.items()}


def test_nothing_is_in_the_way_of_an_honest_book(tmp_path):
    """Outputs that follow their inputs are not blocked."""
    assert blocked(opened(tmp_path, CELLS), ["A1", "A2", "A3"], "B1", "B2", "B3", "B4") == {}


def test_the_cell_in_the_way_is_named(tmp_path):
    """The reason tells the frozen cell, its status, and what it calls."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "B1": F("A1+0", 1),
        "B2": F('CUBEVALUE("x",B1)', 4),
        "B3": F("B2+1", 5),
        "B4": F("SUM(B1,1)", 9),
        "B5": F("A2*2", 4),
    }
    model = opened(tmp_path, cells)
    found = blocked(model, ["A1"], "B1", "B2", "B3", "B4", "B5")
    assert found == {
        "B2": "it depends on S!B2, which is unsupported (CUBEVALUE)",
        "B3": "it depends on S!B2, which is unsupported (CUBEVALUE)",
        "B4": "it depends on S!B4, which is disputed (SUM)",
    }
    assert blocked(model, ["A2"], "B2", "B3", "B4", "B5") == {}


@pytest.mark.parametrize("formula", ["A1+0", "SUM(A1:A2)", "Rate*1", 'CUBEVALUE("x",A1)', "A1#"])
def test_a_frozen_formula_that_reads_the_input_itself_is_in_the_way(tmp_path, formula):
    """The shortest way counts as well: input, frozen formula, output."""
    cells = {"A1": 1.0, "A2": 2.0, "B1": F(formula, 44), "B2": F("B1+1", 45)}
    model = opened(tmp_path, cells, names={"Rate": "S!$A$1"})
    assert set(blocked(model, ["A1"], "B1", "B2")) == {"B1", "B2"}


def test_frozen_formulas_that_read_one_another_are_all_in_the_way(tmp_path):
    """What cannot follow passes on to frozen readers too."""
    cells = {
        "A1": 1.0,
        "B1": F("A1+0", 1),
        "B2": F('CUBEVALUE("x",B1)', 4),
        "B3": F('CUBEVALUE("y",B2)', 5),
        "B4": F("B3*2", 10),
    }
    model = opened(tmp_path, cells)
    assert set(blocked(model, ["A1"], "B2", "B3", "B4")) == {"B2", "B3", "B4"}


def test_a_formula_without_any_value_is_in_the_way(tmp_path):
    """What neither the file nor the engine knows is no number, and neither is its reader."""
    cells = {"A1": 1.0, "B1": F('CUBEVALUE("x")'), "B2": F("B1+A1", 1)}
    model = opened(tmp_path, cells)
    assert set(blocked(model, ["A1"], "B1", "B2")) == {"B1", "B2"}


@pytest.mark.parametrize("formula", ["IF(A1=1,5,D1:D3)", "INDEX(D1:D3,2-A1)", "CHOOSE(A1,5,D1:D3)"])
def test_a_run_gives_nothing_that_a_recalculation_refuses(tmp_path, formula):
    """A range where one value is due is an error or refused, never its first value."""
    start = 7 if formula.startswith("INDEX") else 5
    cells = {
        "A1": 1.0,
        "B2": F(formula, start),
        "B5": F("B2*2", 2 * start),
        "D1": 7.0,
        "D2": 8.0,
        "D3": 9.0,
    }
    model = opened(tmp_path, cells)
    report = recalculate(model.path, tmp_path / "out.xlsx", ["S!A1=2"])
    assert report.summary["refused"] == 2
    assert asked(model, {"A1": 2.0}, "B2", "B5") != [7, 14]


def test_an_array_without_room_is_an_error_for_one_run(tmp_path):
    """What has no room to spill gives an error, and the next run is right again."""
    cells = {
        "A1": 1.0,
        "B1": dynamic("B1", "_xlfn.SEQUENCE(A1)", "B1", 1),
        "B3": 9.0,
        "C1": F("SUM(B1:B2)", 1),
    }
    model = opened(tmp_path, cells)
    found = asked(model, {"A1": 5.0}, "B1", "C1")
    assert all(isinstance(value, ErrorText) for value in found)
    assert asked(model, {"A1": 2.0}, "B1", "C1") == [1, 3]


def test_a_circle_that_opens_is_an_error(tmp_path):
    """A recalculation refuses these cells; a run must not give their old values either."""
    cells = {"A1": 1.0, "B1": F("IF(A1=1,5,C1+1)", 5), "C1": F("B1*2", 10)}
    model = opened(tmp_path, cells)
    report = recalculate(model.path, tmp_path / "out.xlsx", ["S!A1=2"])
    assert report.summary["refused"] == 2
    assert all(isinstance(value, ErrorText) for value in asked(model, {"A1": 2.0}, "B1", "C1"))


@pytest.mark.parametrize(
    "formula",
    [
        "C1+0",
        "SUM(C:C)",
        "SUM(1:1)-SUM(A1,C2)*0-A1",
        "SUM(Area)",
        "Cell*1",
        "Twice/2",
        "INDEX(C1:C3,1)",
        "SUM(C3:INDEX(C:C,1))-SUM(C2:C3)",
        'INDIRECT("C1")',
        'INDIRECT("C"&A2/2)',
        "OFFSET(C2,-1,0)",
        'SUM(INDIRECT("T!A1"))/3',
        "T!A1/3",
        "SUM(Sales[v])",
        "Sales[@v]",
        "SUM(E1:E2)-E1",
        "E2",
        "SUM(_xlfn.ANCHORARRAY(E1))-E1",
        "CHOOSE(2,A2,C1)",
        "IF(A2=2,C1,0)",
        "_xlfn.LET(_xlpm.x,C1,_xlpm.x)",
        "_xlfn.XLOOKUP(2,A2,C1)",
        "COST_CURVE(C1,0,0)",
    ],
)
def test_an_output_follows_whatever_way_it_reads(tmp_path, formula):
    """Computing only what an output rests on leaves out nothing that it rests on."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "C1": F("A1*3", 3),
        "E1": dynamic("E1", "A1*3*{2;1}", "E1:E2", 6),
        "E2": 3.0,
        "G1": "v",
        "G2": F("C1*1", 3),
    }
    place = "H2" if formula == "Sales[@v]" else "B9"
    cells[place] = F(formula, 3)
    cells["B10"] = F(f"{place}*10", 30)
    names = {"Area": "S!$C$1:$C$3", "Cell": "S!$C$1", "Twice": "S!$C$1*2"}
    sheets = {"S": cells, "T": {"A1": F("S!C1*3", 9)}}
    parts = table_parts(1, "Sales", "G1:G2", ("v",))
    if formula.startswith("SUM(1:1)"):
        cells |= {"G1": "v", "E1": 0.0, "E2": 0.0}
        cells[place] = F("SUM(1:1)-A1", 3)
    model = Model.open(saved(tmp_path, book(sheets, names=names, parts=parts)))
    outputs = [model.output("S!B10"), model.output(f"S!{place}")]
    for run in (5.0, 7.0, 1.0):
        expected = [run * 30, run * 3]
        assert model.run({("S", 1, 1): run}, outputs) == expected
        assert model.run({}, outputs[:1]) == expected[:1]
    assert model.blocked([("S", 1, 1)], outputs) == {}


# --- laws -----------------------------------------------------------------------------------------

CHANGES = st.dictionaries(st.sampled_from(INPUTS), st.integers(1, 99).map(float), max_size=3)


@settings(max_examples=60)
@given(graphs(kinds=("honest", "unjudged", "own", "drifted")), st.lists(CHANGES, max_size=4))
def test_runs_are_what_fresh_recalculations_are(tmp_path_factory, graph, runs):
    """After any runs, in any order, each value is what a recalculation of the file gives."""
    folder = tmp_path_factory.mktemp("graph")
    path = saved(folder, graph.content())
    model = Model.open(path)
    outputs = [place_of(key(node)) for node in graph.nodes]
    standing = {}
    for changes in runs:
        standing |= changes
        found = model.run({("S", int(p[1:]), 1): v for p, v in changes.items()}, outputs)
        expected, _ = graph.outcome(standing)
        assert found == list(expected.values())
    report = recalculate(
        path, folder / "out.xlsx", [f"S!{place}={v!r}" for place, v in standing.items()]
    )
    assert [model.value(place) for place in outputs] == [report.values[p] for p in outputs]
    model.reset()
    assert [model.value(place) for place in outputs] == list(graph.outcome({})[0].values())


@settings(max_examples=60)
@given(graphs(kinds=("honest", "unjudged", "own")), st.lists(CHANGES, min_size=1, max_size=4))
def test_the_order_of_runs_does_not_matter(tmp_path_factory, graph, runs):
    """The same inputs give the same values whatever was asked before."""
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    model = Model.open(path)
    outputs = [place_of(key(node)) for node in graph.nodes]

    def run(changes):
        every = {("S", n, 1): changes.get(f"A{n}", graph.inputs[f"A{n}"]) for n in (1, 2, 3)}
        return model.run(every, outputs)

    there = [run(changes) for changes in runs]
    back = [run(changes) for changes in reversed(runs)]
    assert there == back[::-1]


@settings(max_examples=150)
@given(graphs(), CHANGES)
def test_every_output_that_is_not_blocked_is_right(tmp_path_factory, graph, changes):
    """What `blocked` lets through is computed as a plain reader would, and is not refused."""
    changes = {place: value + 100.0 for place, value in changes.items()}
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    model = Model.open(path)
    inputs = [("S", int(place[1:]), 1) for place in changes]
    outputs = [place_of(key(node)) for node in graph.nodes]
    stopped = model.blocked(inputs, outputs)
    free = [place for place in outputs if place not in stopped]
    found = dict(
        zip(free, model.run(dict(zip(inputs, changes.values(), strict=True)), free), strict=True)
    )
    values, refused = graph.outcome(changes)
    assert not {place_of(text) for text in refused} & set(free)
    assert found == {place_of(t): v for t, v in values.items() if place_of(t) in found}


def test_an_iterating_book_does_not_remember_its_runs(tmp_path):
    """What a circle comes to must not depend on the scenarios that were run before."""
    cells = {"A1": 3.0, "B1": F("A1+C1*0.1", 3.3333), "C1": F("B1", 3.3333)}
    content = replaced(
        book({"S": cells}), "xl/workbook.xml", "</workbook>", '<calcPr iterate="1"/></workbook>'
    )
    model = Model.open(saved(tmp_path, content))
    first = asked(model, {"A1": 1.0}, "B1")
    asked(model, {"A1": 1000.0}, "B1")
    assert asked(model, {"A1": 1.0}, "B1") == first
