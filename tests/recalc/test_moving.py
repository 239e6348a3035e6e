"""Formulas copied from cell to cell: their references move, and nothing else does."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from openpyxl.formula.translate import Translator

from xltoken.recalc.formulas import moved, relative
from xltoken.recalc.sheetxml import MAX_COLUMN, MAX_ROW, address, column_letters

# --- formulas to try ------------------------------------------------------------------------------

ROWS = st.integers(200, 900)
COLUMNS = st.integers(200, 600)
SHEETS = st.sampled_from(
    ["", "", "Jan!", "'It''s A1'!", "'Q1'!", "FY26!", "'B2:C3'!", "_A1!", "'[1]x'!"]
)


@st.composite
def cells(draw, fixed=None):
    """Reference to one cell, its parts absolute or not."""
    signs = st.sampled_from(["", "$"]) if fixed is None else st.just(fixed)
    column, row = draw(COLUMNS), draw(ROWS)
    return f"{draw(signs)}{column_letters(column)}{draw(signs)}{row}"


@st.composite
def references(draw, fixed=None):
    """Cell, area, columns or rows, on this or another sheet."""
    sheet, one, other = draw(SHEETS), draw(cells(fixed)), draw(cells(fixed))
    signs = st.sampled_from(["", "$"]) if fixed is None else st.just(fixed)
    columns = sorted(draw(st.tuples(COLUMNS, COLUMNS)))
    rows = sorted(draw(st.tuples(ROWS, ROWS)))
    kinds = [
        one,
        f"{one}:{other}",
        ":".join(f"{draw(signs)}{column_letters(column)}" for column in columns),
        ":".join(f"{draw(signs)}{row}" for row in rows),
    ]
    return sheet + draw(st.sampled_from(kinds))


STILL = st.sampled_from(
    [
        "1",
        "2.5E1",
        '"A1"',
        '"it""s B2:C3"',
        "LOG10(2)",
        "ATAN2(1,2)",
        "DAYS360(1,2)",
        "BIN2DEC(1)",
        "TAX_A1",
        "A1_TAX",
        "x.A1",
        "A1.x",
        "\\A1",
        "TRUE",
        "#REF!",
        "#DIV/0!",
        "{1,2;3,4}",
        '{"A1","B2"}',
        "Sales[A1]",
        "Sales[[#This Row],[B2]]",
        "Sales[[A1]:[B2]]",
        "[@A1]",
        "[1]!Rate",
        "_xlfn.XLOOKUP(1,2,3)",
        "XFE1",
        "A1048577",
        "ABCD1",
        "Rate2026",
        "_xlpm.A1",
    ]
)
SIGNS = st.sampled_from(["+", "-", "*", "/", "^", "&", "=", "<>", "<=", " + ", ","])


@st.composite
def formulas(draw, parts):
    """Formula of some parts between operators, in and out of calls."""
    pieces = draw(st.lists(parts, min_size=1, max_size=5))
    text = pieces[0]
    for piece in pieces[1:]:
        text += draw(SIGNS) + piece
    if draw(st.booleans()):
        text = f"SUM({text},IF(LOG10(1)=0,{draw(parts)}))"
    return text


STEPS = st.tuples(st.integers(-150, 150), st.integers(-150, 150))
ANY = formulas(st.one_of(references(), references(), STILL))


# --- moved ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "rows", "columns", "expected"),
    [
        ("A1", 1, 1, "B2"),
        ("$A1+A$1+$A$1", 1, 1, "$A2+B$1+$A$1"),
        ("SUM(A1:B2)", 2, 3, "SUM(D3:E4)"),
        ("SUM(A:B,$C:D,1:2,$3:4)", 1, 1, "SUM(B:C,$C:E,2:3,$3:5)"),
        ("SUM(Jan:Mar!A1)", 1, 0, "SUM(Jan:Mar!A2)"),
        ("Jan!A1+'It''s A1'!A1", 1, 0, "Jan!A2+'It''s A1'!A2"),
        ("FY26!A1+'Q1'!B2", 1, 0, "FY26!A2+'Q1'!B3"),
        ("'[1]A1'!A1+[1]A1!A1", 1, 0, "'[1]A1'!A2+[1]A1!A2"),
        ("LOG10(A1)+ATAN2(A1,B1)", 1, 0, "LOG10(A2)+ATAN2(A2,B2)"),
        ("TAX_A1*A1_TAX*x.A1*\\A1*A1", 1, 0, "TAX_A1*A1_TAX*x.A1*\\A1*A2"),
        ('"A1"&A1&"""A1"', 1, 0, '"A1"&A2&"""A1"'),
        ("Sales[A1]+Sales[[#This Row],[A1]]+A1", 1, 0, "Sales[A1]+Sales[[#This Row],[A1]]+A2"),
        ("{1,2}*A1", 1, 0, "{1,2}*A2"),
        ("a1+$b$2", 1, 1, "B2+$B$2"),
        ("XFD1+A1048576", 0, 0, "XFD1+A1048576"),
        ("XFD1+A1048576", 0, 1, "#REF!+B1048576"),
        ("XFD1+A1048576", 1, 0, "XFD2+#REF!"),
        ("A1", -1, 0, "#REF!"),
        ("$A$1", -1, -1, "$A$1"),
        ("1E5+A1", 1, 0, "1E5+A2"),
        ("_xlfn.ANCHORARRAY(B1)+B1#", 1, 0, "_xlfn.ANCHORARRAY(B2)+B2#"),
        ("A1%+-A1", 1, 0, "A2%+-A2"),
        ("A1:INDEX(A:A,3)", 1, 1, "B2:INDEX(B:B,3)"),
        ("A1\n+\tA2 A3", 1, 0, "A2\n+\tA3 A4"),
        ("(A1,B2)", 1, 1, "(B2,C3)"),
        ("@A1+@A:A", 1, 1, "@B2+@B:B"),
        ("", 1, 1, ""),
    ],
)
def test_references_move_as_in_excel(formula, rows, columns, expected):
    """Relative parts move, absolute ones stay, and what falls off the sheet is #REF!."""
    assert moved(formula, rows, columns) == expected


@pytest.mark.parametrize("name", ["A1é", "éA1", "A1?", "ÄA1"])
def test_names_of_every_alphabet_stay(name):
    """A letter of any alphabet beside what looks like a reference makes it a name."""
    assert moved(f"{name}*A1", 1, 0) == f"{name}*A2"


@given(formulas(STILL), STEPS)
def test_what_is_no_reference_stays(formula, step):
    """Texts, names, functions, constants, tables and places beyond the sheet never move."""
    assert moved(formula, *step) == formula


@given(formulas(st.one_of(references("$"), STILL)), STEPS)
def test_absolute_references_stay(formula, step):
    """A formula without a relative part is the same in every cell."""
    assert moved(formula, *step) == formula


@given(ANY)
def test_moving_nowhere_changes_nothing(formula):
    """No rows and no columns is the formula itself."""
    assert moved(formula, 0, 0) == formula


@given(ANY, STEPS)
def test_moving_back_is_the_formula_again(formula, step):
    """There and back is nowhere, as long as nothing falls off the sheet."""
    rows, columns = step
    assert moved(moved(formula, rows, columns), -rows, -columns) == formula


@given(ANY, STEPS, STEPS)
def test_two_moves_are_one(formula, one, other):
    """Moving twice is moving by the sum, as long as nothing falls off the sheet."""
    assume(all(abs(a + b) < 190 for a, b in zip(one, other, strict=True)))
    both = [a + b for a, b in zip(one, other, strict=True)]
    assert moved(moved(formula, *one), *other) == moved(formula, *both)


ORDINARY = formulas(
    st.one_of(
        cells(),
        st.builds("{}:{}".format, cells(), cells()),
        cells().map("Jan!{}".format),
        cells().map("'It''s A1'!{}".format),
        cells().map("LOG10({})".format),
        st.sampled_from(["1", "2.5", '"A1"', '"it""s B2"', "TAX_A1", "TRUE", "SUM($A:$B)"]),
    )
)


@given(ORDINARY, STEPS)
@example("$A1+A$1*$A$1+B2", (2, 2))
def test_another_reader_moves_ordinary_formulas_alike(formula, step):
    """The translator of openpyxl comes to the same formula."""
    rows, columns = step
    origin, target = address(300, 300), address(300 + rows, 300 + columns)
    expected = Translator(f"={formula}", origin=origin).translate_formula(target)
    assert f"={moved(formula, rows, columns)}" == expected


# --- relative -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("A1", "R[-1]C[-1]"),
        ("B2", "R[0]C[0]"),
        ("$A$1", "R1C1"),
        ("$A1+A$1", "R[-1]C1+R1C[-1]"),
        ("SUM(A:$C,1:$3)", "SUM(C[-1]:C3,R[-1]:R3)"),
        ("'Q1'!A1&\"A1\"", "'Q1'!R[-1]C[-1]&\"A1\""),
        ("LOG10(TAX_A1)", "LOG10(TAX_A1)"),
    ],
)
def test_references_are_told_from_the_cell(formula, expected):
    """A relative form says how far, an absolute one where."""
    assert relative(formula, 2, 2) == expected


@given(ANY, STEPS, st.tuples(st.integers(200, 400), st.integers(200, 400)))
def test_copies_of_a_formula_are_told_alike(formula, step, cell):
    """A formula and its moved copy, each told from its own cell, are one text."""
    rows, columns = step
    row, column = cell
    copy = moved(formula, rows, columns)
    assert relative(copy, row + rows, column + columns) == relative(formula, row, column)


@given(references(), STEPS)
def test_different_formulas_are_told_apart(reference, step):
    """Two cells with the same text and a relative part in it do not hold copies of each other."""
    rows, columns = step
    assume(moved(reference, rows, columns) != reference)
    here, there = relative(reference, 300, 300), relative(reference, 300 + rows, 300 + columns)
    assert here != there


@given(formulas(STILL), st.integers(1, MAX_ROW), st.integers(1, MAX_COLUMN))
def test_a_formula_without_references_is_told_as_it_is(formula, row, column):
    """Nothing but references is rewritten."""
    assert relative(formula, row, column) == formula


@given(ANY, st.integers(1, 999), st.integers(1, 999))
def test_texts_are_never_rewritten(formula, row, column):
    """What stands in quotation marks is the same afterwards."""
    quoted = re.compile(r'"(?:[^"]|"")*"')
    assert quoted.findall(relative(formula, row, column)) == quoted.findall(formula)
