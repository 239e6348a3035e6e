"""Array formulas: what they fill, how they grow and shrink, and what stands in their way."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recalc_tools import (
    F,
    Raw,
    book,
    dynamic,
    element,
    engine_believed,
    parts_of,
    recalculated,
    saved,
    sheet_part,
    sheet_xml,
    statuses,
    values,
)

from xltoken.functions import FUNCTIONS
from xltoken.recalc.settings import SettingError
from xltoken.recalc.sheetxml import address
from xltoken.recalc.workbook import computed, recalculate

GROWING = {
    "A1": 3.0,
    "B1": dynamic("B1", "_xlfn.SEQUENCE(A1)", "B1:B3", 1),
    "B2": 2.0,
    "B3": 3.0,
    "D1": F("SUM(B1:B9)", 6),
}


@pytest.fixture(autouse=True)
def trusted():
    """These tests are about arrays, not about which functions are believed."""
    with engine_believed():
        yield


def cse(text, value, area):
    """Array formula of fixed size, as Ctrl+Shift+Enter makes it."""
    return F(text, value, f' t="array" ref="{area}"')


def grown(tmp_path, extra, *settings, **options):
    """Recalculation of the growing array with other cells beside it."""
    return recalculated(tmp_path, book({"S": {**GROWING, **extra}}, **options), *settings)


# --- dynamic arrays -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_a_dynamic_array_fills_as_many_cells_as_it_has_values(tmp_path, size):
    """Children are added and emptied, the area follows, and readers see the new array."""
    found, report = grown(tmp_path, {}, f"A1={size}")
    filled = {place: v for place, v in found.items() if place.startswith("B")}
    assert filled == {f"B{row}": row for row in range(1, size + 1)}
    assert found["D1"] == size * (size + 1) / 2
    area = "B1" if size == 1 else f"B1:B{size}"
    assert f'<f t="array" ref="{area}">' in element(report.output, "B1")
    assert not report.findings


def test_an_array_that_shrank_leaves_empty_cells_that_keep_their_style(tmp_path):
    """What an array no longer fills is blank, not the old number, and looks as before."""
    cells = {**GROWING, "B3": Raw('<c r="B3" s="0"><v>3</v></c>'), "D3": F("B3*2", 6)}
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=2")
    assert element(report.output, "B3") == '<c r="B3" s="0"/>'
    assert found["D3"] == 0


def test_an_array_that_grew_takes_styled_blank_cells(tmp_path):
    """A blank cell with a style is no obstacle; it keeps the style."""
    found, report = grown(tmp_path, {"B4": Raw('<c r="B4" s="0"/>')}, "A1=4")
    assert found["B4"] == 4
    assert element(report.output, "B4") == '<c r="B4" s="0"><v>4</v></c>'


def test_children_are_put_into_rows_of_every_spelling(tmp_path):
    """Rows closed in themselves, empty rows and rows that are missing all take children."""
    rows = '<row r="4" ht="20"/><row r="5"></row><row r="8"><c r="A8"><v>1</v></c></row>'
    xml = sheet_xml(GROWING).replace("</sheetData>", rows + "</sheetData>")
    found, report = recalculated(tmp_path, book({"S": xml}), "A1=9")
    assert [found[f"B{row}"] for row in range(1, 10)] == list(range(1, 10))
    part = sheet_part(report.output)
    assert '<row r="4" ht="20"><c r="B4"><v>4</v></c></row>' in part
    numbers = [int(n) for n in re.findall(r'<row r="([0-9]+)"', part)]
    assert numbers == sorted(set(numbers))


def test_children_stand_between_the_cells_of_their_row(tmp_path):
    """Cells of a row stay in the order of their columns, whatever is put between them."""
    cells = {
        "A1": 2.0,
        "B1": dynamic("B1", "_xlfn.SEQUENCE(1,A1)", "B1:C1", 1),
        "C1": 2.0,
        "F1": 7.0,
        "A5": F("SUM(B1:E1)", 3),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=4")
    assert found["A5"] == 10
    assert re.findall(r'<c r="([A-Z]+)1"', sheet_part(report.output)) == list("ABCDEF")


def test_children_carry_the_prefix_of_their_sheet(tmp_path):
    """Cells and rows that are added belong to the namespace of the sheet."""
    xml = sheet_xml({"A1": 2.0, "D1": F("SUM(B1:B9)", 3)}, "x:")
    anchor = (
        '<x:c r="B1" cm="1"><x:f t="array" ref="B1:B2">_xlfn.SEQUENCE(A1)</x:f><x:v>1</x:v></x:c>'
    )
    xml = xml.replace('<x:c r="D1">', f'{anchor}<x:c r="D1">')
    child = '<x:row r="2"><x:c r="B2"><x:v>2</x:v></x:c></x:row></x:sheetData>'
    xml = xml.replace("</x:sheetData>", child)
    found, report = recalculated(tmp_path, book({"S": xml}, prefix="x:"), "A1=3")
    assert found == {"A1": 3, "B1": 1, "B2": 2, "B3": 3, "D1": 6}
    assert '<x:row r="3"><x:c r="B3"><x:v>3</x:v></x:c></x:row>' in sheet_part(report.output)


def test_children_of_every_type_are_written(tmp_path):
    """Numbers, texts, booleans and errors under an array change into one another."""
    formula = 'IF(A1=1,{1;"a<";TRUE},IF(A1=2,{"x";2;3},{TRUE;FALSE;"&"}))'
    cells = {
        "A1": 1.0,
        "B1": dynamic("B1", formula, "B1:B3", 1),
        "B2": Raw('<c r="B2" t="str"><v>a&lt;</v></c>'),
        "B3": Raw('<c r="B3" t="b"><v>1</v></c>'),
        "C1": dynamic("C1", "1/(A1-{1;2})", "C1:C2", "#DIV/0!"),
        "C2": -1.0,
    }
    content = book({"S": cells})
    found, report = recalculated(tmp_path, content)
    assert report.output is not None
    assert not report.cells
    found, report = recalculated(tmp_path, content, "A1=2")
    assert (found["B1"], found["B2"], found["B3"]) == ("x", 2, 3)
    assert (found["C1"], found["C2"]) == (1, "#DIV/0!")
    assert element(report.output, "C2") == '<c r="C2" t="e"><v>#DIV/0!</v></c>'
    found, report = recalculated(tmp_path, content, "A1=3")
    assert (found["B1"], found["B2"], found["B3"]) == (True, False, "&")
    assert element(report.output, "B3") == '<c r="B3" t="str"><v>&amp;</v></c>'


def test_a_blank_in_an_array_shows_as_0(tmp_path):
    """A child over a blank cell holds 0, as saved and after a change."""
    cells = {
        "A1": 1.0,
        "A3": 3.0,
        "B1": dynamic("B1", "A1:A3", "B1:B3", 1),
        "B2": 0.0,
        "B3": 3.0,
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A1=5")
    assert (found["B1"], found["B2"], found["B3"]) == (5, 0, 3)
    assert statuses(report) == {"B1": "changed"}


def test_an_array_without_a_result_becomes_one_error(tmp_path):
    """A filter that finds nothing empties its children, and the error is told."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "A3": 3.0,
        "C1": 1.0,
        "B1": dynamic("B1", "_xlfn._xlws.FILTER(A1:A3,A1:A3>C1)", "B1:B2", 2),
        "B2": 3.0,
        "D1": F("COUNT(B1:B9)", 2),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "C1=9")
    assert found["B1"] == "#CALC!"
    assert "B2" not in found
    assert found["D1"] == 0
    assert statuses(report)["B1"] == "error"


def test_a_table_of_ours_grows_and_shrinks(tmp_path):
    """One of our functions fills as many cells as it has results for the new inputs."""
    flows = [-100.0, 230.0, -132.0]
    cells = {
        **{f"A{row}": flow for row, flow in enumerate(flows, 1)},
        "B1": dynamic("B1", "IRR_ALL(A1:A3)", "B1:B2", 0.1),
        "B2": 0.2,
    }
    found, _ = recalculated(tmp_path, book({"S": cells}), "A3=132")
    roots = FUNCTIONS["IRR_ALL"]([[-100.0], [230.0], [132.0]])
    expected = [row[0] for row in roots] if isinstance(roots, list) else [roots]
    assert len(expected) == 1
    assert found["B1"] == pytest.approx(expected[0], rel=1e-12)
    assert "B2" not in found


# --- what stands in the way -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "obstacle",
    [
        99.0,
        "text",
        F("A1*2", 6),
        F('""', ""),
        dynamic("B5", "A1:A1*2", "B5", 6),
    ],
)
def test_an_array_without_room_is_refused_with_its_readers(tmp_path, obstacle):
    """Nothing under a blocked array is written, and neither is what reads it."""
    extra = {"B5": obstacle, "D2": F("B3*2", 6), "D3": F("SUM(B1:B3)+1", 7)}
    found, report = grown(tmp_path, extra, "A1=5")
    told = statuses(report)
    assert {place for place, status in told.items() if status == "refused"} >= {
        "B1",
        "D1",
        "D2",
        "D3",
    }
    assert [found.get(f"B{row}") for row in range(1, 5)] == [1, 2, 3, None]
    assert (found["D1"], found["D2"], found["D3"]) == (6, 6, 7)
    assert 'ref="B1:B3"' in element(report.output, "B1")


def test_an_array_does_not_leave_the_sheet(tmp_path):
    """An array that would reach beyond the last row is refused."""
    cells = {"A1": 1.0, "B1048576": dynamic("B1048576", "_xlfn.SEQUENCE(A1)", "B1048576", 1)}
    _, report = recalculated(tmp_path, book({"S": cells}), "A1=2")
    assert statuses(report) == {"B1048576": "refused"}


def test_two_arrays_do_not_share_a_cell(tmp_path):
    """Of two arrays that would meet one is refused, and no cell belongs to both."""
    extra = {"B5": dynamic("B5", "_xlfn.SEQUENCE(A1)", "B5:B7", 1), "B6": 2.0, "B7": 3.0}
    found, report = grown(tmp_path, extra, "A1=5")
    assert statuses(report)["B1"] == "refused"
    assert [found.get(f"B{row}") for row in range(1, 10)] == [1, 2, 3, None, 1, 2, 3, 4, 5]


def test_an_array_does_not_spread_over_merged_cells(tmp_path):
    """Excel gives #SPILL! where an array would cover merged cells: the array is refused."""
    merged = '<mergeCells count="1"><mergeCell ref="B4:C4"/></mergeCells>'
    xml = sheet_xml(GROWING, tail=merged)
    _, report = recalculated(tmp_path, book({"S": xml}), "A1=5")
    assert statuses(report)["B1"] == "refused"


# --- readers of a whole spill ---------------------------------------------------------------------


@pytest.mark.parametrize("anchor", ["B1", "$B$1", "S!B1", "'S'!$B1"])
def test_a_reader_of_a_whole_spill_follows_it(tmp_path, anchor):
    """`B1#` is as long as the array is now."""
    extra = {"D2": F(f"SUM(_xlfn.ANCHORARRAY({anchor}))", 6)}
    found, report = grown(tmp_path, extra, "A1=5")
    assert found["D2"] == 15
    assert f"_xlfn.ANCHORARRAY({anchor})" in element(report.output, "D2")
    found, _ = grown(tmp_path, extra, "A1=2")
    assert found["D2"] == 3


def test_an_array_made_of_a_spill_follows_it(tmp_path):
    """An array over `B1#` grows with it, and so do the readers of its own spill."""
    extra = {
        "E1": dynamic("E1", "_xlfn.ANCHORARRAY(B1)*10", "E1:E3", 10),
        "E2": 20.0,
        "E3": 30.0,
        "F1": F("SUM(_xlfn.ANCHORARRAY(E1))", 60),
    }
    found, report = grown(tmp_path, extra, "A1=5")
    assert found["F1"] == 150
    assert [found[f"E{row}"] for row in range(1, 6)] == [10, 20, 30, 40, 50]
    assert 'ref="E1:E5"' in element(report.output, "E1")


def test_a_reader_on_another_sheet_follows_a_spill(tmp_path):
    """A spill is read across sheets."""
    other = {"A1": F("SUM(_xlfn.ANCHORARRAY(S!B1))", 6), "A2": F("SUM(S!B1:B9)", 6)}
    _, report = recalculated(tmp_path, book({"S": GROWING, "T t": other}), "S!A1=5")
    found = values(report.output, "T t")
    assert found == {"A1": 15, "A2": 15}


@pytest.mark.parametrize(
    "formula",
    [
        "SUM(_xlfn.ANCHORARRAY(OFFSET(B1,0,0)))",
        "SUM(_xlfn.ANCHORARRAY(INDEX(B1:C1,1)))",
        "SUM(_xlfn.ANCHORARRAY(Anchor))",
    ],
)
def test_a_spill_that_is_not_told_plainly_is_refused(tmp_path, formula):
    """Where the anchor must itself be computed, the formula keeps its value and is refused."""
    extra = {"D2": F(formula, 6), "D3": F("D2+1", 7)}
    found, report = grown(tmp_path, extra, "A1=5", names={"Anchor": "S!$B$1"})
    assert (found["D2"], found["D3"]) == (6, 7)
    assert statuses(report) == {"D1": "changed", "D2": "refused", "D3": "refused"}


def test_a_reader_of_a_spill_that_became_one_cell_is_right_or_refused(tmp_path):
    """The engine takes the spill of one cell for none: its readers are not written as errors."""
    extra = {"D2": F("SUM(_xlfn.ANCHORARRAY(B1))", 6), "D3": F("D2+1", 7)}
    found, report = grown(tmp_path, extra, "A1=1")
    right = (found["D2"], found["D3"]) == (1, 2)
    refused = {"D2", "D3"} <= {p for p, s in statuses(report).items() if s == "refused"}
    assert right or (refused and (found["D2"], found["D3"]) == (6, 7))


def test_one_value_of_a_range_is_that_of_the_formula_s_own_row(tmp_path):
    """`@A1:A3` is the cell in the row of the formula, and follows that cell alone."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "A3": 3.0,
        "B2": F("_xlfn.SINGLE(A1:A3)*2", 4),
        "B5": F("_xlfn.SINGLE(A1)*2", 2),
    }
    content = book({"S": cells})
    found, report = recalculated(tmp_path, content, "A2=5")
    assert (found["B2"], found["B5"]) == (10, 2)
    assert "_xlfn.SINGLE(A1:A3)" in element(report.output, "B2")
    found, report = recalculated(tmp_path, content, "A3=5")
    assert statuses(report) == {}


def test_a_text_is_never_rewritten(tmp_path):
    """The name of a function inside a text stays the text that it is."""
    cells = {"A1": 1.0, "A2": 2.0, "B2": F('_xlfn.SINGLE(A1:A2)&"SINGLE("', "2SINGLE(")}
    found, report = recalculated(tmp_path, book({"S": cells}), "A2=5")
    assert found["B2"] == "5SINGLE("
    assert statuses(report) == {"B2": "changed"}


# --- arrays of fixed size -------------------------------------------------------------------------


def test_an_array_of_fixed_size_follows_and_keeps_its_area(tmp_path):
    """Children of a CSE array take the new values; its area is the user's and stays."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "B1": cse("A1:A2*2", 2, "B1:B2"),
        "B2": 4.0,
        "D1": F("SUM(B1:B3)", 6),
    }
    found, report = recalculated(tmp_path, book({"S": cells}), "A2=5")
    assert (found["B1"], found["B2"], found["D1"]) == (2, 10, 12)
    assert '<f t="array" ref="B1:B2">' in element(report.output, "B1")


@pytest.mark.parametrize(
    ("formula", "area", "children"),
    [
        ("A1:A2*2", "B1:B3", {"B2": 4.0, "B3": Raw('<c r="B3" t="e"><v>#N/A</v></c>')}),
        ("A1*2", "B1:B3", {"B2": 2.0, "B3": 2.0}),
        ("A1:A3*2", "B1:B2", {"B2": 4.0}),
        ("A1:A3*2", "B1", {}),
    ],
)
def test_an_array_of_another_size_than_its_values_is_right_or_refused(
    tmp_path, formula, area, children
):
    """Where Excel repeats, cuts or pads, nothing is written that was not computed so."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "A3": 3.0,
        "B1": cse(formula, 2, area),
        **children,
        "D1": F("SUM(B1:B2)", 2 + (4 if "B2" in children and children["B2"] == 4.0 else 0)),
    }
    if "B3" in children and children["B2"] == 2.0:
        cells["D1"] = F("SUM(B1:B2)", 4)
    content = book({"S": cells})
    before, report = recalculated(tmp_path, content)
    assert report.output is not None
    assert not report.findings
    found, report = recalculated(tmp_path, content, "A1=5")
    assert statuses(report) == {"B1": "refused", "D1": "refused"}
    assert {**found, "A1": 1} == before


def test_an_array_of_one_cell_that_reduces_a_range_follows(tmp_path):
    """A CSE formula in one cell computes with arrays inside."""
    cells = {"A1": 1.0, "A2": 2.0, "B1": cse("SUM(A1:A2*2)", 6, "B1")}
    found, report = recalculated(tmp_path, book({"S": cells}), "A2=5")
    assert found["B1"] == 12
    assert statuses(report) == {"B1": "changed"}


def test_a_disputed_array_keeps_every_child(tmp_path):
    """One wrong child disputes the whole array: all of it stays, its readers are refused."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "B1": cse("A1:A2*2", 2, "B1:B2"),
        "B2": 4.5,
        "D1": F("B1+1", 3),
        "D2": F("B2+1", 5.5),
    }
    content = book({"S": cells})
    _, report = recalculated(tmp_path, content)
    assert statuses(report)["B1"] == "disputed"
    assert "D1" not in statuses(report)
    found, report = recalculated(tmp_path, content, "A2=5")
    assert (found["B1"], found["B2"], found["D1"], found["D2"]) == (2, 4.5, 3, 5.5)
    assert statuses(report) == {"B1": "refused", "D1": "refused", "D2": "refused"}


def test_a_reader_of_a_wrong_child_is_not_disputed_too(tmp_path):
    """A formula that is right on the saved values of a disputed array is no root of a dispute."""
    cells = {
        "A1": 1.0,
        "A2": 2.0,
        "B1": cse("A1:A2*2", 2, "B1:B2"),
        "B2": 4.5,
        "D2": F("B2+1", 5.5),
    }
    _, report = recalculated(tmp_path, book({"S": cells}))
    assert statuses(report) == {"B1": "disputed"}


def test_a_child_of_an_array_is_no_input(tmp_path):
    """A cell that an array fills cannot be set: the next calculation would undo it."""
    path = saved(tmp_path, book({"S": GROWING}))
    with pytest.raises(SettingError, match="array formula of B1:B3"):
        recalculate(path, tmp_path / "out.xlsx", ["B2=5"])


# --- laws -----------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    before=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    after=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    anchor=st.tuples(st.integers(1, 3), st.integers(3, 5)),
    gaps=st.sets(st.integers(4, 9), max_size=3),
)
def test_any_array_may_take_any_size(tmp_path_factory, before, after, anchor, gaps):
    """The file holds each cell once, in order, with the values of the new size and no others."""
    top, left = anchor

    def filled(size):
        return {
            (top + r, left + c): float(r * size[1] + c + 1)
            for r in range(size[0])
            for c in range(size[1])
        }

    area = address(*anchor)
    if before != (1, 1):
        area += f":{address(top + before[0] - 1, left + before[1] - 1)}"
    cells = {address(*spot): value for spot, value in filled(before).items()}
    cells[address(*anchor)] = dynamic(address(*anchor), "_xlfn.SEQUENCE(A1,B1)", area, 1)
    cells |= {"A1": float(before[0]), "B1": float(before[1])}
    cells |= {f"A{row}": 7.0 for row in gaps}
    tmp_path = tmp_path_factory.mktemp("array")
    found, report = recalculated(tmp_path, book({"S": cells}), f"A1={after[0]}", f"B1={after[1]}")
    expected = {address(*spot): value for spot, value in filled(after).items()}
    kept = {"A1": after[0], "B1": after[1], **{f"A{row}": 7 for row in gaps}}
    assert found == {**expected, **kept}
    assert not report.findings
    part = sheet_part(report.output)
    places = re.findall(r'<c r="([A-Z]+)([0-9]+)"', part)
    in_order = sorted(places, key=lambda place: (int(place[1]), place[0]))
    assert places == in_order
    assert len(set(places)) == len(places)
    again, _ = computed(report.output.read_bytes(), report.output)
    assert parts_of(again) == parts_of(report.output)
