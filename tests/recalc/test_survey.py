"""What the formulas of a book are, told from their texts."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recalc_tools import F, Raw, book, dynamic, engine_believed, shared, table_parts

from xltoken.recalc.package import parsed
from xltoken.recalc.sheetxml import address, reference
from xltoken.recalc.survey import survey, text_of

COST = 'TOKEN_COST("B200",0,"deepseek-r1/chat")'


@pytest.fixture(autouse=True)
def trusted():
    """These tests are about what is looked for, not about which functions are believed."""
    with engine_believed():
        yield


def surveyed(cells, **options):
    """Survey of a sheet S with these cells."""
    sheets = {"S": {f"A{row}": float(row) for row in range(1, 4)} | cells}
    return survey(parsed(Path("book.xlsx"), book(sheets, **options)))


def places(spots):
    """Addresses of some spots or places."""
    return {address(*spot[-2:]) for spot in spots}


# --- our functions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula",
    [
        COST,
        f"1+{COST}",
        f"IF(A1,{COST},0)",
        f"_xll.{COST}",
        f"_xlfn.{COST}",
        f"[1]!{COST}",
        f"'C:\\a b\\x.xlam'!{COST}",
        f"_xldudf_{COST}",
        f"_xldudf_FIN_{COST}",
        COST.lower(),
    ],
)
def test_calls_of_ours_are_known_in_every_spelling(formula):
    """However a host spells it, a call of ours is held, and the engine is told the spelling."""
    found = surveyed({"B1": F(formula, 1)})
    assert found.own["S"] == {(1, 2)}
    assert found.held("S") == {(1, 2)}
    assert not found.unsupported


def test_calls_of_ours_that_read_no_catalog_are_judged():
    """What only computes gives what was saved, whatever catalog there is: it is not held."""
    found = surveyed({"B1": F("npv_static(0.1,A1:A3,1)", 1)})
    assert found.own["S"] == {(1, 2)}
    assert found.held("S") == set()


@pytest.mark.parametrize(
    "formula",
    ['"TOKEN_COST(1)"&A1', "MY_TOKEN_COST+A1", "'TOKEN_COST('!A1", "TOKEN_COST+1", "SUM(A1:A3)"],
)
def test_what_only_looks_like_a_call_of_ours_is_none(formula):
    """Texts, sheets and names are judged like every other formula."""
    found = surveyed({"B1": F(formula, 1)}, names={"TOKEN_COST": "S!$A$1"})
    assert not found.own["S"]


def test_shared_calls_of_ours_are_all_known():
    """Master and children of a shared formula are held, each with its own references."""
    cells = {
        "B1": shared("B1", 0, 1, 'NPV_STATIC(0.1,A1,1,,"x")', "B1:B3"),
        "B2": shared("B2", 0, 1),
        "B3": shared("B3", 0, 1),
    }
    found = surveyed(cells)
    assert places(found.own["S"]) == {"B1", "B2", "B3"}
    assert {address(*p[1:]): t for p, t in found.rewritten.items()} == {
        f"B{row}": f'=NPV_STATIC(0.1,A{row},1,"","x")' for row in (1, 2, 3)
    }


def test_every_spelling_is_told():
    """Each way in which a book spells our functions is registered."""
    cells = {
        "B1": F(f"_xll.{COST}", 1),
        "B2": F(f"[1]!{COST}", 1),
        "B3": F(f"_xldudf_{COST}+NPV_STATIC(0.1,A1,1)", 1),
    }
    expected = {"_xll.TOKEN_COST", "[1]!TOKEN_COST", "_xldudf_TOKEN_COST", "NPV_STATIC"}
    assert surveyed(cells).spellings == expected


@pytest.mark.parametrize("spelled", ["[{}]!", "_xldudf_A{}_", "'C:\\v{}\\x.xlam'!"])
def test_spellings_that_differ_in_a_digit_are_both_told(spelled):
    """Two links to the add-in, or two versions of its folder, are two spellings."""
    cells = {f"B{n}": F(spelled.format(n) + COST, 1) for n in (1, 2)}
    expected = {f"{spelled.format(n)}TOKEN_COST" for n in (1, 2)}
    assert surveyed(cells).spellings == expected


# --- volatile ones, and those that reach anywhere -------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "volatile", "reaching"),
    [
        ("NOW()", True, False),
        ("today()+1", True, False),
        ("RAND()*RANDBETWEEN(1,2)", True, False),
        ("_xlfn.RANDARRAY(1)", True, False),
        ("OFFSET(A1,1,0)", True, True),
        ('SUM(INDIRECT("A1"))', True, True),
        ('CELL("row",A1)', True, False),
        ('"NOW()"&A1', False, False),
        ("NOW+A1", False, False),
        ("KNOW()", False, False),
        ("SUM(A1:A3)", False, False),
    ],
)
def test_volatile_and_reaching_formulas_are_known(formula, volatile, reaching):
    """What changes by itself is held; what may read anything is marked."""
    found = surveyed({"B1": F(formula, 1)}, names={"NOW": "S!$A$1"})
    assert (found.volatile["S"] == {(1, 2)}) == volatile
    assert (found.reaching == {("S", 1, 2)}) == reaching


# --- what the engine cannot be asked --------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ('CUBEVALUE("x")', "CUBEVALUE"),
        ('SUM(A1,CUBEVALUE("x"),GETPIVOTDATA("a",A1))', "CUBEVALUE, GETPIVOTDATA"),
        ('cubevalue("x")+NOW()', "CUBEVALUE"),
        (f'IF(A1>0,{COST},CUBEVALUE("x"))', "CUBEVALUE"),
        ("NoSuchFunction(A1)", "NOSUCHFUNCTION"),
        ("_xll.OTHER(A1)", "OTHER"),
        ("[1]Sheet1!A1*2", "another workbook"),
        ("'[1]She et'!A1*2", "another workbook"),
        ("'C:\\x\\[b.xlsx]S'!A1", "another workbook"),
        ("SUM([1]!Rates)", "another workbook"),
        ("[1]Sheet1!A1*NOW()", "another workbook"),
    ],
)
def test_what_the_engine_cannot_be_asked_is_named(formula, why):
    """Missing functions and other workbooks are told, beside ours and volatile ones too."""
    assert surveyed({"B1": F(formula, 1)}).unsupported == {("S", 1, 2): why}


@pytest.mark.parametrize("formula", ['"[1]S!A1"&A1', '"CUBEVALUE(1)"&A1', f"[1]!{COST}", "T[a]*1"])
def test_what_only_looks_unsupported_is_not(formula):
    """Texts, and links that lead to our add-in, are no reason to refuse."""
    assert not surveyed({"B1": F(formula, 1)}).unsupported


def test_children_of_unsupported_formulas_are_unsupported():
    """Each cell of a shared formula, and an array as a whole."""
    cells = {
        "B1": shared("B1", 0, 1, 'CUBEVALUE("x",A1)', "B1:B2"),
        "B2": shared("B2", 0, 1),
        "C1": F('CUBEVALUE("x",A1:A2)', 1, ' t="array" ref="C1:C2"'),
        "C2": 1.0,
    }
    found = surveyed(cells)
    assert places(found.unsupported) == {"B1", "B2", "C1"}


def test_a_data_table_is_unsupported():
    """What-if tables are the application's own."""
    table = '<c r="B1"><f t="dataTable" ref="B1:B3" dt2D="0" dtr="0" r1="A1"/><v>1</v></c>'
    found = surveyed({"B1": Raw(table), "B2": 1.0, "B3": 1.0})
    assert found.unsupported == {("S", 1, 2): "data table"}
    assert found.arrays == {("S", 1, 2): ((1, 2), (3, 2))}


def test_the_function_that_is_missing_is_named_exactly():
    """Two functions that differ in a digit are told apart in the report."""
    found = surveyed({"B1": F("CURVE1(A1)", 1), "B2": F("CURVE2(A1)", 1)})
    assert found.unsupported == {("S", 1, 2): "CURVE1", ("S", 2, 2): "CURVE2"}


# --- rewriting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "rewritten"),
    [
        ("NPV_STATIC(0.1,A1:A3,,2)", '=NPV_STATIC(0.1,A1:A3,"",2)'),
        ("SUM(Sales[v])", "=SUM('S'!$E$2:$E$3)"),
        ("SUM(Sales)", "=SUM('S'!$E$2:$E$3)"),
        ("Sales[@v]*2", "='S'!$E$3*2"),
        ("_xlfn.SINGLE(A1:A3)", "=@(A1:A3)"),
        ("SUM(_xlfn.ANCHORARRAY(C1))", "=SUM(C1#)"),
        ("SUM(_xlfn.ANCHORARRAY('S'!$C$1))", "=SUM('S'!$C$1#)"),
        ("NPV_STATIC(0.1,Sales[v],,2)", "=NPV_STATIC(0.1,'S'!$E$2:$E$3,\"\",2)"),
        ("SUM(A1,,A2)", None),
        ("A1*2", None),
        ('"Sales[v]"&A1', None),
        (COST, None),
    ],
)
def test_only_what_the_engine_cannot_read_is_rewritten(formula, rewritten):
    """Skipped arguments of ours, tables, `@` and `#` are spelled for the engine; nothing else."""
    cells = {
        "E1": "v",
        "E2": 1.0,
        "E3": 2.0,
        "C1": dynamic("C1", "A1:A2*1", "C1:C2", 1),
        "C2": 2.0,
        "B3": F(formula, 1),
    }
    found = surveyed(cells, parts=table_parts(1, "Sales", "E1:E3", ("v",)))
    assert found.rewritten.get(("S", 3, 2)) == rewritten


def test_spills_that_a_formula_reads_are_told_by_their_anchors():
    """`B1#` on this sheet and on another, both with their sheet."""
    anchor = dynamic("B1", "A1:A2*1", "B1:B2", 1)
    formula = "SUM(_xlfn.ANCHORARRAY(B1),_xlfn.ANCHORARRAY('O''s'!$B$1))"
    sheets = {
        "S": {"A1": 1.0, "B1": anchor, "B2": 1.0, "C1": F(formula, 2)},
        "O's": {"A1": 1.0, "B1": anchor, "B2": 1.0},
    }
    found = survey(parsed(Path("book.xlsx"), book(sheets)))
    assert found.spilled == {("S", 1, 3): [("S", 1, 2), ("O's", 1, 2)]}


# --- arrays, and what may spread ------------------------------------------------------------------


def test_arrays_over_more_than_one_cell_are_known():
    """Arrays of one cell are formulas like others, unless they may grow."""
    cells = {
        "B1": F("A1:A2*2", 2, ' t="array" ref="B1:B2"'),
        "B2": 4.0,
        "C1": F("SUM(A1:A2*2)", 6, ' t="array" ref="C1"'),
        "D1": dynamic("D1", "A1:A1*2", "D1", 2),
        "E1": dynamic("E1", "A1:A2*2", "E1:E2", 2),
        "E2": 4.0,
    }
    assert surveyed(cells).arrays == {
        ("S", 1, 2): ((1, 2), (2, 2)),
        ("S", 1, 4): ((1, 4), (1, 4)),
        ("S", 1, 5): ((1, 5), (2, 5)),
    }


@pytest.mark.parametrize(
    ("formula", "spreads"),
    [
        ("A1:A3", True),
        ("A1:A3*2", True),
        ("IF(A1=1,2,{1,2})", True),
        ("Range", True),
        ("range*2", True),
        ("Range+1", True),
        ("_xlfn.SEQUENCE(A1)", True),
        ("INDEX(A1:A3,A1)", True),
        ('INDIRECT("A1:A3")', True),
        ("_xlfn.LET(_xlpm.x,1,_xlpm.x)", True),
        ("IRR_ALL(A1:A3)", True),
        ("T_", True),
        ("A1*2", False),
        ("SUM(A1,A2)", False),
        ("Cell*2", False),
        ("Ranger*2", False),
        ("Range_2*2", False),
    ],
)
def test_what_may_be_more_than_one_value_is_watched(formula, spreads):
    """Ranges, arrays, names of ranges and functions that make arrays; single cells are not."""
    names = {"Range": "S!$A$1:$A$3", "Cell": "S!$A$1", "Ranger": "S!$A$1", "Range_2": "S!$A$1"}
    parts = table_parts(1, "T_", "E1:E2", ("v",))
    found = surveyed({"E1": "v", "E2": 1.0, "B1": F(formula, 1)}, names=names, parts=parts)
    assert ((1, 2) in found.spreading["S"]) == spreads


def test_the_name_of_a_name_of_a_range_is_watched():
    """A second name for a range may be more than one value as well."""
    found = surveyed({"B1": F("Other*2", 2)}, names={"Range": "S!$A$1:$A$3", "Other": "Range"})
    assert found.spreading["S"] == [(1, 2)]


# --- laws -----------------------------------------------------------------------------------------

POOL = [
    "A1*2",
    "A1*20",
    "A10*2",
    "A1:A3",
    "LOG10(A1)",
    "LOG10(A2)",
    "ATAN2(A1,A2)",
    COST,
    f"_xll.{COST}",
    "NPV_STATIC(0.1,A1,,1)",
    "NPV_STATIC(0.2,A2,,1)",
    "NPV_STATIC(0.2,A2,3,1)",
    "NOW()",
    'INDIRECT("A1")',
    'INDIRECT("A2")',
    'CUBEVALUE("x1")',
    'CUBEVALUE("x2")',
    "[1]S!A1",
    "[2]S!A1",
    "_xlfn.SINGLE(A1:A3)",
    "_xlfn.SINGLE(A2:A3)",
    "T_1[v1]",
    "T_1[v2]",
    "Name1*2",
    "Name2*2",
    '"1"&A1',
]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(POOL), min_size=2, max_size=8))
def test_a_formula_is_what_it_is_beside_any_other(formulas):
    """What is known of a formula does not depend on the formulas around it or their order."""
    names = {"Name1": "S!$A$1:$A$3", "Name2": "S!$A$1"}
    parts = table_parts(1, "T_1", "E1:F3", ("v1", "v2"))
    placed = {f"B{row}": F(text, 1) for row, text in enumerate(formulas, 1)}
    together = surveyed(placed, names=names, parts=parts)

    def known(found, place):
        spot = reference(place)
        at = ("S", *spot)
        return (
            spot in found.own["S"],
            spot in found.volatile["S"],
            spot in found.spreading["S"],
            at in found.reaching,
            found.unsupported.get(at),
            found.rewritten.get(at),
        )

    for place, formula in placed.items():
        alone = surveyed({place: formula}, names=names, parts=parts)
        assert known(together, place) == known(alone, place)


@settings(max_examples=30)
@given(
    st.sampled_from(["A1*$A$1", "SUM(A1:A$3)", "'It''s A1'!A1", 'LOG10(A1)&"A1"', "Sales[@v]"]),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_a_child_reads_as_if_it_were_written_out(formula, rows, columns):
    """The text of a shared formula's child is that of an ordinary formula copied there."""
    from xltoken.recalc.formulas import moved

    area = f"C3:{address(2 + rows, 2 + columns)}"
    spots = [(3 + r, 3 + c) for r in range(rows) for c in range(columns)]
    cells = {"C3": shared("C3", 0, 1, formula, area)}
    cells |= {address(*s): shared(address(*s), 0, 1) for s in spots[1:]}
    package = parsed(Path("book.xlsx"), book({"S": cells}))
    for row, column in spots:
        expected = moved(formula, row - 3, column - 3)
        assert text_of(package.sheets["S"], (row, column)) == expected
