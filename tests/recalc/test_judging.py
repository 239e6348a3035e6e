"""What may be believed, what is kept, and what is refused."""

import zipfile
from pathlib import Path

import pytest
from formula_graphs import FROZEN, LIVE, REACHING, graphs, key, place_of
from hypothesis import given, settings
from hypothesis import strategies as st
from recalc_tools import (
    F,
    Raw,
    book,
    engine_believed,
    recalculated,
    replaced,
    saved,
    shared,
    sheet_xml,
    statuses,
)

from xltoken.files import FileError
from xltoken.functions import FUNCTIONS
from xltoken.recalc.workbook import computed, recalculate

CHANGES = st.dictionaries(
    st.sampled_from(["A1", "A2", "A3"]), st.integers(51, 99).map(float), max_size=3
)
CHAT = '"deepseek-r1/chat"'


@pytest.fixture(autouse=True)
def trusted():
    """These tests are about judging, not about which functions are believed."""
    with engine_believed():
        yield


def told(report, status):
    """Places that a report gives this status."""
    return {f"{c.sheet}!{c.cell}" for c in report.cells if c.status == status}


def value(report, text):
    """Value of a formula as the file now holds it."""
    return report.values[place_of(text)]


# --- laws: a slow, plain reader agrees ------------------------------------------------------------


@settings(max_examples=150)
@given(graphs(), CHANGES)
def test_a_formula_is_refused_if_and_only_if_it_cannot_be_known(tmp_path_factory, graph, changes):
    """Refused: frozen ones whose precedents moved or that have no value, and their readers."""
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    report = recalculate(
        path, path.with_name("out.xlsx"), [f"S!{place}={v!r}" for place, v in changes.items()]
    )
    values, refused = graph.outcome(changes)
    assert told(report, "refused") == refused
    for place, expected in values.items():
        assert value(report, place) == (graph.saved[place] if place in refused else expected)
    frozen = told(report, "disputed") | told(report, "unsupported")
    assert frozen == {key(n) for n in graph.nodes if n.kind not in LIVE} - refused


@settings(max_examples=100)
@given(graphs(kinds=(*LIVE, *FROZEN, *REACHING, *REACHING)), CHANGES)
def test_computed_references_let_nothing_wrong_through(tmp_path_factory, graph, changes):
    """With INDIRECT in the way whatever must be refused is, and what is not refused is right."""
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    report = recalculate(
        path, path.with_name("out.xlsx"), [f"S!{place}={v!r}" for place, v in changes.items()]
    )
    values, refused = graph.outcome(changes)
    found = told(report, "refused")
    assert found >= refused
    for place in values.keys() - found:
        assert value(report, place) == values[place]


@settings(max_examples=75)
@given(graphs())
def test_only_the_root_of_a_dispute_is_disputed(tmp_path_factory, graph):
    """Whatever the chain, the doctored cells are found, each of them, and no reader of theirs."""
    unknown = {key(n) for n in graph.nodes if n.kind == "unsaved"}
    for node in graph.nodes:
        if unknown.intersection(node.reads):
            unknown.add(key(node))
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    report = recalculate(path, path.with_name("out.xlsx"))
    disputed = {p for p, f in report.book.frozen.items() if f.status == "disputed"}
    doctored = {key(n) for n in graph.nodes if n.kind == "doctored"}
    # What reads a formula without any value may be told either way: it is refused.
    assert disputed - {place_of(p) for p in unknown} == {place_of(p) for p in doctored - unknown}


@settings(max_examples=75)
@given(graphs(), CHANGES)
def test_a_second_recalculation_changes_nothing(tmp_path_factory, graph, changes):
    """What was written is what would be written again."""
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    out = path.with_name("out.xlsx")
    recalculate(path, out, [f"S!{place}={v!r}" for place, v in changes.items()])
    first = out.read_bytes()
    again, report = computed(first, out)
    if not told(report, "disputed") - told(report, "refused"):
        assert again == first


@settings(max_examples=75)
@given(graphs(kinds=("honest",)), st.data())
def test_one_changed_number_in_an_honest_book_is_found(tmp_path_factory, graph, data):
    """Wherever a saved number is wrong, that cell and those that show it are the ones disputed."""
    node = data.draw(st.sampled_from(graph.nodes))
    honest = dict(graph.saved)
    graph.saved[key(node)] = honest[key(node)] * 1.0000001
    path = saved(tmp_path_factory.mktemp("graph"), graph.content())
    report = recalculate(path, path.with_name("out.xlsx"))
    found = told(report, "disputed")
    assert key(node) in found
    readers = {key(n) for n in graph.nodes if key(node) in n.reads}
    assert found <= {key(node)} | readers
    assert {c.computed for c in report.cells if f"{c.sheet}!{c.cell}" == key(node)} == {
        honest[key(node)]
    }


# --- disputes -------------------------------------------------------------------------------------


def chain(*values):
    """Formulas below each other, each one more than the one above."""
    cells = {"A1": 1.0}
    for row, v in enumerate(values, 1):
        above = "A1" if row == 1 else f"B{row - 1}"
        cells[f"B{row}"] = F(f"{above}+1", v)
    return cells


@pytest.mark.parametrize(
    ("values", "disputed"),
    [
        ((2, 3, 4, 5), set()),
        ((9, 10, 11, 12), {"B1"}),
        ((2, 9, 10, 11), {"B2"}),
        ((2, 9, 10, 99), {"B2", "B4"}),
        ((2, 9, 4, 5), {"B2", "B3"}),
        ((9, 3, 4, 5), {"B1", "B2"}),
    ],
)
def test_a_value_is_judged_by_the_saved_values_that_it_reads(tmp_path, values, disputed):
    """A chain breaks where a value does not follow from the saved one before it."""
    _, report = recalculated(tmp_path, book({"S": chain(*values)}))
    assert {place for place, s in statuses(report).items() if s == "disputed"} == disputed


def test_long_chains_of_disputes_end():
    """Each of a hundred wrong cells that read one another is found; nothing runs on."""
    cells = chain(*(1000.0 * row for row in range(1, 101)))
    _, report = computed(book({"S": cells}), Path("book.xlsx"))
    assert report.summary["disputed"] == 100


def test_a_wrong_value_below_our_own_function_is_found(tmp_path):
    """What follows from one of our values is judged, whether that value moved or not."""
    cost = FUNCTIONS["TOKEN_COST"]("B200", 0.0, "deepseek-r1/chat")
    for was in (cost, cost * 0.9):
        cells = {
            "A1": "B200",
            "B1": F(f"TOKEN_COST(A1,0,{CHAT})", was),
            "B2": F("B1*2", was * 2),
            "B3": F("B1*3", was * 3.1),
            "B4": F("B3+1", was * 3.1 + 1),
        }
        found, report = recalculated(tmp_path, book({"S": cells}))
        frozen = {p[1:]: f.status for p, f in report.book.frozen.items()}
        assert frozen == {(3, 2): "disputed"}
        drifted = was != cost
        assert report.summary["drift"] == drifted
        assert found["B2"] == pytest.approx(cost * 2, rel=1e-12)
        assert found["B3"] == was * 3.1
        assert told(report, "refused") == ({"S!B3", "S!B4"} if drifted else set())


def test_a_drift_that_hides_a_wrong_value_is_seen_through(tmp_path):
    """A saved number that fits the new catalog but not the saved one is disputed all the same."""
    cost = FUNCTIONS["TOKEN_COST"]("B200", 0.0, "deepseek-r1/chat")
    cells = {
        "A1": "B200",
        "B1": F(f"TOKEN_COST(A1,0,{CHAT})", cost * 0.9),
        "B2": F("B1*2", cost * 2),
    }
    _, report = recalculated(tmp_path, book({"S": cells}))
    assert report.book.frozen[("S", 2, 2)].status == "disputed"
    assert told(report, "refused") == {"S!B2"}


@pytest.mark.parametrize(
    ("formula", "was"),
    [
        ("A1+1", "2"),
        ("A1+1", True),
        ("A1+1", ""),
        ("A1=1", 1),
        ("A1=1", "TRUE"),
        ('"1"', 1),
        ('""', 0),
        ("1/0", "#NUM!"),
        ("NA()", "N/A"),
        ("A1/3", 0.3333333333),
    ],
)
def test_a_saved_value_of_another_kind_is_disputed(tmp_path, formula, was):
    """1, TRUE, and "1" are three values; a number rounded to 12 digits is another one."""
    _, report = recalculated(tmp_path, book({"S": {"A1": 1.0, "B1": F(formula, was)}}))
    assert statuses(report) == {"B1": "disputed"}


@pytest.mark.parametrize(
    ("formula", "xml"),
    [
        ('IF(A1=1,"",2)', '<c r="B1" t="str"><f>{}</f><v></v></c>'),
        ('"x"', '<c r="B1" t="s"><f>{}</f><v>0</v></c>'),
        ('"x"', '<c r="B1" t="inlineStr"><f>{}</f><is><t>x</t></is></c>'),
        ("A1*2", '<c r="B1" t="n"><f>{}</f><v>2.0E0</v></c>'),
        ("A1*2", '<c r="B1"><f> {} </f><v>2</v></c>'),
        ("A1*2", '<c r="B1"><f>={}</f><v>2</v></c>'),
        ("A1\n*\n2", '<c r="B1"><f>{}</f><v>2</v></c>'),
        ("A1*2", '<c r="B1" vm="1"><f ca="1" xml:space="preserve">{}</f><v>2</v></c>'),
    ],
)
def test_odd_but_honest_cells_are_right(tmp_path, formula, xml):
    """Empty texts, texts of every storage, spaces and marks do not dispute an honest value."""
    cells = {"A1": 1.0, "B1": Raw(xml.format(formula))}
    _, report = recalculated(tmp_path, book({"S": cells}, shared=["<t>x</t>"]), "A1=2")
    assert report.summary["right"] == 1


# --- what cannot be computed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula",
    [
        'CUBEVALUE("x",A1)',
        'CUBEVALUE("x",S!$A$1)',
        'CUBEVALUE("x",A:A)',
        'CUBEVALUE("x",1:1)',
        'CUBEVALUE("x",A1:A3)',
        'CUBEVALUE("x",Cell)',
        'CUBEVALUE("x",Area)',
        'CUBEVALUE("x",Twice)',
        'CUBEVALUE("x",Moving)',
        'CUBEVALUE("x",Other)',
        'CUBEVALUE("x",Local)',
        'CUBEVALUE("x",OFFSET(A2,-1,0))',
        'CUBEVALUE("x",INDIRECT("A"&1))',
        'CUBEVALUE("x",INDEX(A1:A3,1))',
        'CUBEVALUE("x",A3:INDEX(A:A,1))',
        'CUBEVALUE("x",(A1,A3))',
        'CUBEVALUE("x",A1:A3 A1:B1)',
        'CUBEVALUE("x",S:T!A1)',
        'CUBEVALUE("x",_xlfn.SINGLE(A1:A3))',
        'CUBEVALUE("x",C1)',
        '_xlfn.LET(_xlpm.a,A1,CUBEVALUE("x",_xlpm.a))',
        "_xlfn.BYROW(A1:A3,_xlfn.LAMBDA(_xlpm.r,SUM(_xlpm.r)))",
        "SUM(S:T!A1)",
        "SUM(A1:A3 A1:B1)",
        "SUM((A1,A3))",
        "SUM(Moving)",
        "SUM(Local)",
        "SUM(A1:A3)",
        "SUM(Twice)",
        "SUM(Other)",
        "[1]Sheet1!A1+A1",
        "SUM([1]Sheet1!A1:A9)",
    ],
)
def test_whatever_way_it_reads_a_changed_cell_it_is_refused(tmp_path, formula):
    """No spelling of a reference hides from a frozen formula that its precedent changed."""
    names = {
        "Cell": "S!$A$1",
        "Area": "S!$A$1:$A$3",
        "Twice": "S!$A$1*2",
        "Moving": "OFFSET(S!$A$2,-1,0)",
        "Other": "Cell",
    }
    local = '<definedName name="Local" localSheetId="0">S!$A$1</definedName>'
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "A3": 3.0,
        "C1": F("A1*2", 2),
        "D5": F(formula, 77),
        "D6": F("D5+1", 78),
    }
    content = book({"S": cells, "T": {"A1": 1.0}}, names=names, local_names=local)
    found, report = recalculated(tmp_path, content)
    assert not told(report, "refused")
    found, report = recalculated(tmp_path, content, "S!A1=5")
    assert told(report, "refused") == {"S!D5", "S!D6"}
    assert (found["D5"], found["D6"]) == (77, 78)


@pytest.mark.parametrize("setting", ["A1=5", "A2=5"])
def test_a_data_table_is_refused_with_its_readers(tmp_path, setting):
    """The results of a what-if table are not ours to compute, nor is what reads them."""
    table = '<c r="C1"><f t="dataTable" ref="C1:C3" dt2D="0" dtr="0" r1="A1"/><v>2</v></c>'
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "B1": F("A1*A2", 2),
        "C1": Raw(table),
        "C2": 4.0,
        "C3": 6.0,
        "D1": F("SUM(C2:C3)", 10),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), setting)
    assert told(report, "refused") == {"S!C1", "S!D1"}
    assert (found["C2"], found["D1"]) == (4, 10)


@pytest.mark.parametrize(
    "formula",
    ['INDIRECT("C1")', "OFFSET(B1,0,1)", 'SUM(INDIRECT("C"&1),0)', "SUM(OFFSET(A1,0,2,1,1))"],
)
def test_what_may_read_anything_is_refused_with_anything(tmp_path, formula):
    """A formula that computes its reference is not believed while something is refused."""
    cells = {"A1": 1.0, "B1": F(formula, 9), "B2": F("B1+1", 10), "C1": F("A1+0", 9)}
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert told(report, "refused") == {"S!B1", "S!B2", "S!C1"}
    assert (found["B1"], found["B2"], found["C1"]) == (9, 10, 9)


@pytest.mark.parametrize("far", ["B1", "ZZ99"])
def test_computed_references_see_the_new_values(tmp_path, far):
    """However long the way to the cell that INDIRECT reads, it reads the new value."""
    cells = {
        "A1": 1.0,
        far: F('INDIRECT("C1")', 4),
        "C1": F("D1*2", 4),
        "D1": F("E1+1", 2),
        "E1": F('INDIRECT("A"&1)', 1),
        "F9": F(f"{far}+1", 5),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert (found[far], found["F9"]) == (12, 13)
    assert not report.findings


def test_a_cycle_that_opens_with_an_input_is_refused(tmp_path):
    """A circle that the saved inputs do not enter is seen when the new ones do."""
    cells = {
        "A1": 1.0,
        "B1": F("IF(A1=1,5,C1+1)", 5),
        "C1": F("B1*2", 10),
        "D1": F("C1+1", 11),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=2")
    assert told(report, "refused") == {"S!B1", "S!C1", "S!D1"}
    assert (found["B1"], found["C1"], found["D1"]) == (5, 10, 11)


def test_a_formula_that_comes_to_be_a_range_is_refused(tmp_path):
    """Where one value is due Excel takes another one than the engine would."""
    cells = {
        "A1": 1.0,
        "B1": F("IF(A1=1,5,D1:D3)", 5),
        "C9": F("B1*2", 10),
        "D1": 7.0,
        "D2": 8.0,
        "D3": 9.0,
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=2")
    assert told(report, "refused") == {"S!B1", "S!C9"}
    assert (found["B1"], found["C9"]) == (5, 10)


def test_names_of_a_sheet_shadow_those_of_the_book(tmp_path):
    """Each sheet computes and refuses with its own meaning of a name."""
    local = '<definedName name="Rate" localSheetId="0">S!$A$2</definedName>'
    cells = {"A1": 1.0, "A2": F("A1+0", 2), "B1": F("Rate*2", 4)}
    other = {"A1": 7.0, "B1": F("Rate*2", 2)}
    content = book({"S": cells, "T": other}, names={"Rate": "S!$A$1"}, local_names=local)
    _, report = recalculated(tmp_path, content, "S!A1=5")
    assert told(report, "refused") == {"S!A2", "S!B1"}
    assert report.values[("T", 1, 2)] == 10


@pytest.mark.parametrize("name", ["SUM", "TAX_A1", "A1_x", "Größe", "Q1_2026", "Rate2026", "x.y"])
def test_names_like_functions_and_cells_are_names(tmp_path, name):
    """A name is what it refers to, whatever else its letters may mean."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "B1": shared("B1", 0, 3, f"{name}*3*A1", "B1:B2"),
        "B2": shared("B2", 0, 6),
        "C1": F(f"SUM({name},1)", 2),
    }
    found, report = recalculated(tmp_path, book({"S": cells}, names={name: "S!$A$1"}), "A1=5")
    assert (found["B1"], found["B2"], found["C1"]) == (75, 30, 6)
    assert report.summary["right"] == 3


# --- books whose settings change what a formula means ---------------------------------------------


def with_calculation(content, attributes):
    """Book with settings of its calculation."""
    return replaced(content, "xl/workbook.xml", "</workbook>", f"<calcPr {attributes}/></workbook>")


def test_a_book_that_is_calculated_by_hand_is_judged_like_any(tmp_path):
    """Values that were stale when the book was saved are disputed; the others follow."""
    cells = {"A1": 3.0, "B1": F("A1*2", 2), "C1": F("A1*3", 9)}
    content = with_calculation(book({"S": cells}), 'calcMode="manual"')
    found, report = recalculated(tmp_path, content, "A1=5")
    assert told(report, "refused") == {"S!B1"}
    assert (found["B1"], found["C1"]) == (2, 15)


def test_iterated_values_are_kept_or_told(tmp_path):
    """What a circle comes to depends on what was computed before: it is refused or warned of."""
    cells = {
        "A1": 3.0,
        "B1": F("A1+C1*0.1", 3.3333),
        "C1": F("B1", 3.3333),
        "D1": F("C1*2", 6.6666),
    }
    content = with_calculation(book({"S": cells}), 'iterate="1" iterateCount="100"')
    _, report = recalculated(tmp_path, content, "A1=1")
    assert {"S!B1", "S!C1"} <= told(report, "refused") or report.notebook.warnings


def test_precision_as_displayed_is_refused(tmp_path):
    """A book that computes with what it shows is refused by name: unrounded numbers are wrong."""
    cells = {"A1": 3.0, "B1": F("A1/3", 1), "C1": F("B1*3", 3)}
    content = with_calculation(book({"S": cells}), 'fullPrecision="0"')
    with pytest.raises(FileError, match="as displayed"):
        recalculated(tmp_path, content, "A1=1")


# --- a wrong number without a word: what gets through ---------------------------------------------


@pytest.mark.parametrize("sheet", ["Q1", "FY26", "Q1 plan", "It's B2"])
def test_a_shared_formula_keeps_the_sheet_that_it_names(tmp_path, sheet):
    """A sheet's name that holds what looks like a cell is the same in every copy of a formula."""
    quoted = sheet.replace("'", "''")
    cells = {
        "A1": 0.0,
        "B1": shared("B1", 0, 1, f"'{quoted}'!A1*1", "B1:B2"),
        "B2": shared("B2", 0, 2),
    }
    content = book({"S": cells, sheet: {"A1": 1.0, "A2": 2.0}})
    found, report = recalculated(tmp_path, content, f"'{quoted}'!A2=5")
    assert found["B2"] == 5
    assert report.summary["right"] == 2


@pytest.mark.parametrize("was", [1, None])
def test_a_shared_formula_never_reads_the_sheet_beside(tmp_path, was):
    """A copy of ='Q1'!A1 one row down reads 'Q1'!A2, whether a saved value judges it or not."""
    cells = {
        "A1": 0.0,
        "B1": shared("B1", 0, was, "'Q1'!A1*1", "B1:B2"),
        "B2": shared("B2", 0, was),
    }
    quarter = {"A1": 1.0, "A2": 1.0}
    found, report = recalculated(
        tmp_path, book({"S": cells, "Q1": quarter, "Q2": quarter}), "'Q1'!A2=5"
    )
    assert found["B2"] == 5 or told(report, "refused")


def test_a_formula_that_the_engine_misread_is_refused_when_its_own_precedent_changes(tmp_path):
    """A disputed formula is not left as merely disputed when the cell that it names changed."""
    cells = {
        "A1": 0.0,
        "B1": shared("B1", 0, 1, "'FY26'!A1*1", "B1:B2"),
        "B2": shared("B2", 0, 2),
    }
    content = book({"S": cells, "FY26": {"A1": 1.0, "A2": 2.0}})
    found, report = recalculated(tmp_path, content, "'FY26'!A2=5")
    assert found["B2"] == 5 or "S!B2" in told(report, "refused")


@pytest.mark.parametrize(
    ("formula", "was", "wrong"),
    [
        ("SUM(A1:A3*2)", 0, 10),
        ("SUM((A1:A3>0)*A1:A3)", 0, 5),
        ("SUM(ABS(A1:A3))", 0, 5),
        ("MAX(IF(A1:A3>0,A1:A3,0))", 0, 5),
        ("SUM(A1:A3*2)", None, 10),
    ],
)
def test_a_range_where_one_value_is_due_is_not_an_array(tmp_path, formula, was, wrong):
    """In a formula that is no array formula Excel takes the cell of the row: here A2, which is 0."""
    cells = {"A1": 0.0, "A2": 0.0, "A3": 0.0, "B2": F(formula, was)}
    found, _ = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert found.get("B2") != wrong


@pytest.mark.parametrize(
    ("formula", "tail"),
    [
        ("SUBTOTAL(109,A1:A3)", ""),
        ("AGGREGATE(9,5,A1:A3)", ""),
        ("SUBTOTAL(9,A1:A3)", '<autoFilter ref="A1:A3"><filterColumn colId="0"/></autoFilter>'),
    ],
)
def test_hidden_rows_are_left_out_where_excel_does(tmp_path, formula, tail):
    """A number in a row that is hidden, or filtered away, is in no subtotal."""
    xml = sheet_xml({"A1": 1.0, "A2": 0.0, "A3": 3.0, "B1": F(formula, 4)}, tail=tail)
    xml = xml.replace('<row r="2">', '<row r="2" hidden="1">')
    found, report = recalculated(tmp_path, book({"S": xml}), "A2=5")
    assert found["B1"] == 4 or told(report, "refused")


@pytest.mark.xfail(strict=True, reason="the engine compares and subtracts all 17 digits")
@pytest.mark.parametrize(
    ("formula", "was", "wrong"),
    [
        ('IF(A1+A2=A3,"OK","CHECK")', "OK", "CHECK"),
        ('IF(A1+A2-A3=0,"OK","CHECK")', "OK", "CHECK"),
        ("A1+A2>A3", False, True),
        ("A1+A2-A3", 0, 5.551115123125783e-17),
    ],
)
def test_a_balance_that_is_0_in_excel_is_0(tmp_path, formula, was, wrong):
    """Excel compares 15 digits and takes a difference in the last bits for 0."""
    cells = {"A1": 0.5, "A2": 0.5, "A3": 1.0, "B1": F(formula, was)}
    found, _ = recalculated(tmp_path, book({"S": cells}), "A1=0.1", "A2=0.2", "A3=0.3")
    assert found["B1"] != wrong


def test_a_formula_that_cannot_be_read_is_refused_with_any_change(tmp_path):
    """A sum of 300 terms is too long for the engine: it reads who knows what, and goes stale."""
    cells = {"A1": 1.0, "B1": F("+".join(["A1"] * 300), 300), "B2": F("B1+1", 301)}
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert (found["B1"], found["B2"]) in [(1500, 1501), (300, 301)]
    assert found["B1"] == 1500 or told(report, "refused") == {"S!B1", "S!B2"}


@pytest.mark.xfail(strict=True, reason="texts longer than Excel holds are computed with")
def test_a_text_that_excel_cannot_hold_is_an_error(tmp_path):
    """Excel gives #VALUE! for a text of more than 32,767 letters."""
    cells = {"A1": "x" * 20_000, "A2": "y", "B1": F("LEN(A1&A2)", 20_001)}
    found, report = recalculated(tmp_path, book({"S": cells}), f"A2={'y' * 20_000}")
    assert found["B1"] == "#VALUE!" or told(report, "refused")


def test_dates_of_1904_books_are_theirs_without_a_value_to_judge_by(tmp_path):
    """Functions of dates count from 1904 in a book that does, judged or not."""
    expected = {
        "YEAR(A1)": 1904,
        "MONTH(A1)": 1,
        "DAY(A1)": 31,
        "WEEKDAY(A1)": 1,
        "DATE(1904,2,1)": 31,
        "EDATE(A1,1)": 59,
        "EOMONTH(A1,1)": 59,
        'TEXT(A1,"yyyy-mm-dd")': "1904-01-31",
        'DATEVALUE("1904-02-01")': 31,
    }
    cells = {"A1": 30.0} | {f"B{n}": F(text) for n, text in enumerate(expected, 1)}
    found, _ = recalculated(tmp_path, book({"S": cells}, date1904=True))
    assert [found[f"B{n}"] for n in range(1, len(expected) + 1)] == list(expected.values())


@pytest.mark.parametrize(
    ("formula", "after"), [('A1/3&""', 1.0), ('A1&""', 0.30000000000000004), ('A1&""', 1e21)]
)
def test_a_number_with_more_digits_than_excel_joins_is_refused(tmp_path, formula, after):
    """Excel joins numbers to texts with 15 digits: more of them is no result."""
    cells = {"A1": 3.0, "B1": F(formula, "1" if "/" in formula else "3")}
    _, report = recalculated(tmp_path, book({"S": cells}), f"A1={after!r}")
    assert told(report, "refused") == {"S!B1"}


@pytest.mark.xfail(strict=True, reason="operators of the engine differ from Excel's")
@pytest.mark.parametrize(
    ("formula", "start", "was", "after", "right"),
    [
        ("A1^A1", 1.0, 1, 0.0, "#NUM!"),
        ("A1^A1", 1.0, None, 0.0, "#NUM!"),
        ('IF(A1=3,"É","é")="É"', 3.0, True, 1.0, True),
    ],
)
def test_operators_are_those_of_excel(tmp_path, formula, start, was, after, right):
    """0^0 is an error, and letters are alike in any alphabet."""
    cells = {"A1": start, "B1": F(formula, was)}
    found, report = recalculated(tmp_path, book({"S": cells}), f"A1={after!r}")
    assert found["B1"] == right or told(report, "refused")


@pytest.mark.parametrize(
    ("mark", "named"),
    [("#SPILL!", True), ("#CALC!", True)]
    + [
        (m, False)
        for m in ("#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#GETTING_DATA")
    ],
)
def test_a_book_with_one_of_the_newer_errors_is_computed(tmp_path, mark, named):
    """A saved #SPILL! or #FIELD! stops nothing: what rests on it keeps it, all else is computed."""
    error = Raw(f'<c r="A1" t="e"><v>{mark}</v></c>')
    kept = Raw(f'<c r="B1" t="e"><f>A1+1</f><v>{mark}</v></c>')
    cells = {"A1": error, "A2": 1.0, "B1": kept, "C1": F("A2*2", 2.0)}
    path = saved(tmp_path, book({"S": cells}))
    report = recalculate(path, tmp_path / "out.xlsx", ["S!A2=4"])
    assert report.summary["disputed"] == (0 if named else 1)
    assert told(report, "changed") == {"S!C1"}
    assert value(report, "S!C1") == 8.0
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        assert archive.read("xl/worksheets/sheet1.xml").count(f"<v>{mark}</v>".encode()) == 2
