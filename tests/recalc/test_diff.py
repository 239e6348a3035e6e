"""What changed between two workbooks, told by kind, together where it belongs together."""

from dataclasses import astuple
from pathlib import Path

import pytest
from recalc_tools import F, Raw, book, grid, replaced

from xltoken.recalc.alignment import Reading, Shift
from xltoken.recalc.copies import area_text, rectangles, relative_texts, where
from xltoken.recalc.diff import diff, watched
from xltoken.recalc.package import parsed, read
from xltoken.recalc.relink import relinked
from xltoken.recalc.settings import SettingError
from xltoken.recalc.sheetxml import ErrorText
from xltoken.recalc.workbook import recalculate

ROOT = Path(__file__).parents[2]
BUDGET = ROOT / "workbooks" / "token_budget.xlsx"


def packages(before, after, **both):
    """Two packages of books given as their sheets."""
    return tuple(
        parsed(Path(name), content if isinstance(content, bytes) else book(content, **both))
        for name, content in (("a.xlsx", before), ("b.xlsx", after))
    )


def compared(before, after, **options):
    """Difference of two books given as their sheets."""
    return diff(*packages(before, after), **options)


def kinds(found):
    """Kinds in which a difference says anything."""
    names = ("inputs", "formulas", "names", "sheets", "values")
    return {name for name in names if getattr(found, name)}


def months(formula, count=6, row=2, **others):
    """A row of copies of one formula from column B on, with a header; `others` replace cells."""
    from xltoken.recalc.sheetxml import address, column_letters

    cells = {"A1": "month", f"A{row}": "cost"}
    for column in range(2, 2 + count):
        here, before = column_letters(column), column_letters(column - 1)
        cells[address(1, column)] = float(column)
        text = formula.replace("{c}", here).replace("{p}", before)
        cells[address(row, column)] = F(text, 1.0)
    return {**cells, **others}


# --- cells ---------------------------------------------------------------------------------------


def test_a_book_does_not_differ_from_itself():
    """A book compared with itself, or with a copy saved under another name, has no difference."""
    package = read(BUDGET)
    again = parsed(Path("other.xlsx"), BUDGET.read_bytes())
    found = diff(package, again)
    assert not kinds(found)
    assert found.other_parts == found.unlike_everywhere == []


def test_an_input_explains_its_results(tmp_path):
    """One changed input of a real budget: it alone among the inputs, all else are results."""
    out = tmp_path / "low.xlsx"
    report = recalculate(BUDGET, out, ["utilization=0.4"])
    found = diff(read(BUDGET), read(out))
    assert kinds(found) == {"inputs", "values"}
    [change] = found.inputs
    assert (change.label, change.what, change.before, change.after) == (
        "utilization", "changed", 0.5, 0.4,
    )  # fmt: skip
    assert len(found.values) == report.summary["changed"]
    moved = {(c.sheet, c.cell): (c.before, c.after) for c in found.values}
    told = {(c.sheet, c.cell): (c.saved, c.computed) for c in report.cells if c.status == "changed"}
    assert moved == told


@pytest.mark.parametrize(
    ("before", "after", "kind", "what"),
    [
        (1, 2, "inputs", "changed"),
        (None, 2, "inputs", "added"),
        (1, None, "inputs", "removed"),
        (1, "1", "inputs", "changed"),
        (1, True, "inputs", "changed"),
        ("a", "A", "inputs", "changed"),
        (F("B1", 1), F("B1", 2), "values", "changed"),
        (F("B1", 1), F("B1", "#N/A"), "values", "changed"),
        (F("B1", 1), F("B1"), "values", "removed"),
        (F("B1", 1), F("B2", 1), "formulas", "changed"),
        (F("B1", 1), 1, "formulas", "overwritten by a number"),
        (F("B1", 1), "no", "formulas", "overwritten by a constant"),
        (F("B1", 1), None, "formulas", "removed"),
        (1, F("B1", 1), "formulas", "constant became a formula"),
        (None, F("B1", 1), "formulas", "added"),
        (F("SUM(B1)", 1), F("SUM(B1)", 1, ' t="array" ref="A1"'), "formulas", "changed"),
    ],
)
def test_every_change_of_a_cell_has_its_kind(before, after, kind, what):
    """A cell that changes is told once, under the kind that says what happened to it."""
    sheets = [{"Calc": {k: v for k, v in {"A1": c, "B1": 1}.items() if v is not None}}
              for c in (before, after)]  # fmt: skip
    found = compared(*sheets)
    assert kinds(found) == {kind}
    [change] = getattr(found, kind)
    assert change.what == what


def test_a_formula_overwritten_by_its_own_value_is_told():
    """A number typed over a formula is a difference even where the figure is the same."""
    found = compared({"S": {"A1": F("1+1", 2)}}, {"S": {"A1": 2}})
    [change] = found.formulas
    assert (change.before, change.after, change.results) == ("=1+1", 2.0, 0)


@pytest.mark.parametrize(
    ("before", "after", "tolerance", "told"),
    [
        (1.0, 1.0 + 1e-13, 1e-12, False),
        (1.0, 1.0 + 1e-11, 1e-12, True),
        (100.0, 101.0, 0.011, False),
        (0.0, 1e-300, 1e-12, True),
        (1.0, 1.0 + 2.3e-16, 0.0, True),
    ],
)
def test_tolerance_is_relative(before, after, tolerance, told):
    """Numbers within the relative tolerance are the same; nothing is the same as zero but zero."""
    sheets = [{"S": {"A1": v, "B1": F("A1", v)}} for v in (before, after)]
    found = compared(*sheets, tolerance=tolerance)
    assert kinds(found) == ({"inputs", "values"} if told else set())


def test_an_error_and_its_text_are_not_the_same():
    """The text #N/A and the error #N/A are different values."""
    as_text = Raw('<c r="A1" t="str"><f>B1</f><v>#N/A</v></c>')
    [change] = compared({"S": {"A1": as_text}}, {"S": {"A1": F("B1", "#N/A")}}).values
    assert not isinstance(change.before, ErrorText)
    assert isinstance(change.after, ErrorText)


def test_copies_of_a_changed_formula_are_one_line():
    """A row of copies that changed alike is told once with its range."""
    found = compared({"Calc": months("{c}1*2")}, {"Calc": months("{c}1*3")})
    [change] = found.formulas
    assert astuple(change) == ("Calc", "B2:G2", 6, "changed", "=B1*2", "=B1*3", 0)


def test_a_cell_that_changed_otherwise_has_a_line_of_its_own():
    """One odd copy among changed ones is told apart, and the others by their areas."""
    after = months("{c}1*3", D2=F("D1*4", 1.0))
    found = compared({"Calc": months("{c}1*2")}, {"Calc": after})
    assert [(c.area, c.after) for c in found.formulas] == [
        ("B2:C2", "=B1*3"), ("E2:G2", "=E1*3"), ("D2", "=D1*4"),
    ]  # fmt: skip


def test_each_overwritten_value_is_told():
    """Different numbers over copies of one formula are told one by one, equal ones together."""
    before = {"S": months("{c}1*2")}
    differing = compared(before, {"S": months("{c}1*2", C2=5.0, D2=6.0)})
    assert [(c.area, c.after) for c in differing.formulas] == [("C2", 5.0), ("D2", 6.0)]
    equal = compared(before, {"S": months("{c}1*2", C2=5.0, D2=5.0)})
    assert [(c.area, c.after, c.results) for c in equal.formulas] == [("C2:D2", 5.0, 2)]


def test_shared_and_plain_spellings_are_the_same_formula():
    """A shared formula equals the same formulas written out, and its children move with it."""
    shared = {"A1": 1, "A2": 2, "B1": F("A1*2", 2, ' t="shared" ref="B1:B2" si="0"'),
              "B2": F("", 4, ' t="shared" si="0"')}  # fmt: skip
    plain = {"A1": 1, "A2": 2, "B1": F("A1*2", 2), "B2": F("A2*2", 4)}
    assert not kinds(compared({"S": shared}, {"S": plain}))
    elsewhere = {**shared, "B2": F("A1*2", 4)}
    [change] = compared({"S": shared}, {"S": elsewhere}).formulas
    assert (change.area, change.before, change.after) == ("B2", "=A2*2", "=A1*2")


@pytest.mark.parametrize("host", ["lite", "addin", "xll"])
def test_a_book_spelled_for_another_host_has_the_same_formulas(host):
    """Relinked for any host, a budget differs in no cell."""
    package = read(BUDGET)
    respelled = parsed(Path("b.xlsx"), relinked(package, host)[0])
    assert respelled.content != package.content
    assert not kinds(diff(package, respelled))


def test_another_argument_is_told_in_any_spelling():
    """A call that is spelled for another host and has another argument is a changed formula."""
    here = {"A1": F('TOKEN_COST("B200",0,"glm-5/chat")', 1.0)}
    there = {"A1": F('_xll.TOKEN_COST("B200",1,"glm-5/chat")', 1.0)}
    [change] = compared({"S": here}, {"S": there}).formulas
    assert change.area == "A1"


def test_values_under_an_array_are_results():
    """Cells that an array formula fills are its results, no inputs."""

    def array(second):
        return {"A1": F("TRANSPOSE(C1:C2)", 1, ' t="array" ref="A1:B1"'), "B1": second, "C1": 1}

    found = compared({"S": array(2)}, {"S": array(3)})
    assert kinds(found) == {"values"}
    assert found.values[0].cell == "B1"


def test_a_larger_array_is_another_formula():
    """An array formula over another area is a changed formula although its text is the same."""

    def array(ref):
        return {"S": {"A1": F("ROW(C1:C3)", 1, f' t="array" ref="{ref}"')}}

    [change] = compared(array("A1:A2"), array("A1:A3")).formulas
    assert change.what == "same text, other cells"
    assert change.before == change.after == "{=ROW(C1:C3)}"


def test_an_array_that_takes_a_formula_or_frees_a_cell():
    """A formula that an array fills, and the other way, is told as that."""
    spread = {"A1": F("ROW(C1:C2)", 1, ' t="array" ref="A1:A2"'), "A2": 2}
    single = {"A1": F("ROW(C1)", 1), "A2": F("ROW(C2)", 2)}
    told = {change.area: change.what for change in compared({"S": single}, {"S": spread}).formulas}
    assert told == {"A1": "changed", "A2": "filled by an array"}
    told = {change.area: change.what for change in compared({"S": spread}, {"S": single}).formulas}
    assert told == {"A1": "changed", "A2": "no longer filled by an array"}


def test_shared_formulas_written_elsewhere_are_compared_by_their_text():
    """Children of shared formulas are the same if they read the same, whatever their master."""

    def children(master, text):
        cells = {f"B{row}": F("", row, ' t="shared" si="0"') for row in (1, 2, 3)}
        return {"S": {**cells, f"B{master}": F(text, master, ' t="shared" ref="B1:B3" si="0"')}}

    first, second = children(1, "A1*2"), children(2, "A2*2")
    second["S"] = {place: second["S"][place] for place in ("B2", "B3")}
    first["S"].pop("B1", None)
    first["S"] = {"B1": F("A1*2", 1, ' t="shared" ref="B1:B3" si="0"'), **first["S"]}
    second["S"] = {"B1": F("A1*2", 1), **second["S"]}
    assert not kinds(compared(first, second))


def test_a_data_table_with_other_inputs_is_another_formula():
    """A data table that varies another cell changed, although neither has a text."""

    def data_table(cell):
        return {"S": {"B2": F("", 1, f' t="dataTable" ref="B2:B3" dt2D="0" r1="{cell}"')}}

    assert not kinds(compared(data_table("D1"), data_table("D1")))
    [change] = compared(data_table("D1"), data_table("D2")).formulas
    assert (change.before, change.after) == ("{=TABLE(D1)}", "{=TABLE(D2)}")


def test_a_cell_is_called_by_its_name_or_the_first_text_of_its_row():
    """Changes carry the defined name of the cell, else the label of the row."""
    cells = [{"A1": "Rent", "B1": "USD", "C1": v, "C2": v} for v in (1, 2)]
    one, other = packages({"S": cells[0]}, {"S": cells[1]}, names={"volume": "S!$C$2"})
    assert [change.label for change in diff(one, other).inputs] == ["Rent", "volume"]


# --- names, sheets, the book ---------------------------------------------------------------------


def test_names_that_come_go_or_point_elsewhere():
    """Names are compared without regard to case, by what they mean."""
    sheets = {"S": {"A1": 1}}
    one, other = (
        parsed(Path("x.xlsx"), book(sheets, names=names))
        for names in (
            {"rate": "S!$A$1", "Gone": "S!$A$2", "Kept": "S!$A$3"},
            {"RATE": "S!$B$1", "come": "S!$A$2", "Kept": "S!$A$3"},
        )
    )
    assert [astuple(change) for change in diff(one, other).names] == [
        ("RATE", "points elsewhere", "S!$A$1", "S!$B$1"),
        ("Gone", "removed", "S!$A$2", ""),
        ("come", "added", "", "S!$A$2"),
    ]


def test_a_renamed_sheet_is_one_change():
    """A sheet with another name and equal cells is renamed; formulas and names follow silently."""
    before = {"Old": {"A1": 1, "B1": F("Old!A1", 1)}, "Out": {"A1": F("Old!A1*2", 2)}}
    after = {"A new one": {"A1": 1, "B1": F("'A new one'!A1", 1)},
             "Out": {"A1": F("'A new one'!A1*2", 2)}}  # fmt: skip
    one = parsed(Path("a.xlsx"), book(before, names={"rate": "Old!$A$1"}))
    other = parsed(Path("b.xlsx"), book(after, names={"rate": "'A new one'!$A$1"}))
    found = diff(one, other)
    assert kinds(found) == {"sheets"}
    assert [astuple(change) for change in found.sheets] == [("A new one", "renamed", "was Old")]


def test_two_renamed_sheets_that_name_each_other():
    """Sheets renamed together are recognised although their formulas name each other."""

    def sheets(a, b):
        return {a: {"A1": F(f"{b}!B1", 1)}, b: {"B1": 1, "C1": F(f"{a}!A1", 1)}}

    found = compared(sheets("A", "B"), sheets("C", "D"))
    assert [(c.what, c.sheet, c.detail) for c in found.sheets] == [
        ("renamed", "C", "was A"), ("renamed", "D", "was B"),
    ]  # fmt: skip
    assert kinds(found) == {"sheets"}


def test_a_sheet_renamed_and_edited_hides_nothing():
    """A renamed sheet may differ in a few cells: it is renamed, and they are told."""
    before = {"Old": months("{c}1*2", count=12), "Out": {"A1": F("Old!B2", 1)}}
    after = {"New": months("{c}1*2", count=12, D2=7.0), "Out": {"A1": F("New!B2", 1)}}
    found = compared(before, after)
    assert [c.what for c in found.sheets] == ["renamed"]
    assert [(c.sheet, c.area, c.after) for c in found.formulas] == [("New", "D2", 7.0)]
    assert kinds(found) == {"sheets", "formulas"}


def test_a_hidden_sheet_is_told():
    """A sheet that became hidden is a change of the workbook."""
    content = book({"S": {"A1": 1}, "T": {"A1": 1}})
    hidden = replaced(content, "xl/workbook.xml", 'name="T"', 'name="T" state="veryHidden"')
    [change] = compared(content, hidden).sheets
    assert astuple(change) == ("T", "visibility", "visible -> veryHidden")


def test_names_of_one_sheet_are_compared():
    """A name that belongs to a sheet is told with it, and follows its sheet's new name."""

    def named(sheet, target):
        local = f'<definedName name="rate" localSheetId="0">{target}</definedName>'
        return book({sheet: {"A1": 1, "A2": 1}}, local_names=local)

    [change] = compared(named("S", "S!$A$1"), named("S", "S!$A$2")).names
    assert astuple(change) == ("S!rate", "points elsewhere", "S!$A$1", "S!$A$2")
    printed = [
        replaced(named("S", f"S!$A${row}"), "xl/workbook.xml", '"rate"', '"_xlnm.Print_Area"')
        for row in (1, 2)
    ]
    assert not compared(*printed).names
    assert not compared(named("S", "S!$A$1"), named("T", "T!$A$1")).names


def test_a_sheet_with_one_other_value_is_not_renamed():
    """Only equality makes a rename; otherwise one sheet went and another came."""
    found = compared({"S": {}, "Jan": {"A1": 1}}, {"S": {}, "Dec": {"A1": 2}})
    assert {(c.sheet, c.what) for c in found.sheets} == {("Jan", "removed"), ("Dec", "added")}
    assert kinds(found) == {"sheets"}


def test_sheets_that_only_look_renamed_come_and_go():
    """Equal places do not make a rename where the formulas say something else."""
    one = {f"A{n}": F(f"B{n}*2", n) for n in range(1, 9)}
    other = {f"A{n}": F(f"B{n}*3", n) for n in range(1, 9)}
    found = compared({"S": {}, "Old": one}, {"S": {}, "New": other})
    assert {(c.sheet, c.what) for c in found.sheets} == {("Old", "removed"), ("New", "added")}
    empty = compared({"S": {"A1": 1}, "Old": {}}, {"S": {"A1": 1}, "New": {}})
    assert [(c.sheet, c.what) for c in empty.sheets] == [("New", "renamed")]


def test_the_order_of_sheets_and_the_date_system():
    """Sheets in another order and another date system are changes of the workbook."""
    one = parsed(Path("a.xlsx"), book({"A": {"A1": 1}, "B": {"A1": 2}}))
    other = parsed(Path("b.xlsx"), book({"B": {"A1": 2}, "A": {"A1": 1}}, date1904=True))
    assert [astuple(change) for change in diff(one, other).sheets] == [
        ("", "date system", "from 1900 -> from 1904"), ("", "order", "A, B -> B, A"),
    ]  # fmt: skip


def test_parts_that_are_not_compared_are_named():
    """Macros, charts and the like are named where they differ, never passed over in silence."""
    one, other = (
        parsed(Path("a.xlsm"), book({"S": {"A1": 1}}, parts={"xl/vbaProject.bin": code}))
        for code in (b"1", b"2")
    )
    found = diff(one, other)
    assert not kinds(found)
    assert found.other_parts == ["xl/vbaProject.bin"]


# --- rows and columns put in ---------------------------------------------------------------------


def ledger(inserted=(), at=4, **others):
    """Ten labelled rows with an amount and its double, and a sum; `inserted` stand from `at` on."""
    lines = [[f"line {n}", float(n), None] for n in range(1, 11)]
    lines[at - 1 : at - 1] = [[label, 100.0, None] for label in inserted]
    for row, line in enumerate(lines, 1):
        line[2] = F(f"B{row}*2", line[1] * 2)
    last = len(lines)
    lines.append(["sum", F(f"SUM(B1:B{last})", sum(line[1] for line in lines)), None])
    cells = {k: v for k, v in grid(lines).items() if v is not None}
    return {**cells, **others}


@pytest.mark.parametrize("at", [2, 4, 10])
def test_inserted_rows_are_told_once(at):
    """Rows put in are told as such, and what stands below them is compared where it now stands."""
    last = "B13"
    before = {"L": ledger(), "Out": {"A1": F("L!B11", 55.0), "A2": F("L!$B$1", 1.0)}}
    after = {"L": ledger(("new", "newer"), at),
             "Out": {"A1": F(f"L!{last}", 255.0), "A2": F("L!$B$1", 1.0)}}  # fmt: skip
    found = compared(before, after)
    assert [astuple(c) for c in found.sheets] == [
        ("L", "rows inserted", f"{at}:{at + 1} with 6 filled cells")
    ]
    assert not found.inputs
    assert not found.formulas
    assert {(c.sheet, c.cell) for c in found.values} == {("L", last), ("Out", "A1")}


def test_deleted_rows_are_told_once():
    """Rows taken out are told as such; the formulas below and elsewhere are the same."""
    before = {"L": ledger(("new", "newer")), "Out": {"A1": F("L!B13", 255.0)}}
    after = {"L": ledger(), "Out": {"A1": F("L!B11", 55.0)}}
    found = compared(before, after)
    assert [astuple(c) for c in found.sheets] == [("L", "rows deleted", "4:5 with 6 filled cells")]
    assert kinds(found) == {"sheets", "values"}


def test_an_inserted_column_is_told_once():
    """Columns are recognised as rows are."""

    def turned(cells):
        from xltoken.recalc.sheetxml import address, reference

        made = {}
        for place, content in cells.items():
            row, column = reference(place)
            made[address(column, row)] = content
        return made

    texts = {k: v for k, v in ledger().items() if not isinstance(v, F)}
    wider = {k: v for k, v in ledger(("new",)).items() if not isinstance(v, F)}
    found = compared({"L": turned(texts)}, {"L": turned(wider)})
    assert [(c.what, c.detail) for c in found.sheets] == [
        ("columns inserted", "D:D with 2 filled cells")
    ]
    assert kinds(found) == {"sheets"}


def test_an_input_below_inserted_rows_is_compared_where_it_stands():
    """A changed input below inserted rows is one input, told at its new place."""
    found = compared({"L": ledger()}, {"L": ledger(("new",), B9=80.0)})
    assert [(c.cell, c.label, c.before, c.after) for c in found.inputs] == [
        ("B9", "line 8", 8.0, 80.0)
    ]


def test_a_formula_that_did_not_follow_an_insertion_is_told():
    """A formula elsewhere that still names the old cell now reads another one: it changed."""
    before = {"L": ledger(), "Out": {"A1": F("L!B9", 9.0)}}
    after = {"L": ledger(("new",)), "Out": {"A1": F("L!B9", 8.0)}}
    [change] = compared(before, after).formulas
    assert (change.sheet, change.area, change.what) == ("Out", "A1", "same text, other cells")
    assert change.before == change.after == "=L!B9"


def test_rows_added_at_the_end_are_no_insertion():
    """What is only appended is told as new cells."""
    more = {"A12": "more", "B12": 5.0}
    found = compared({"L": ledger()}, {"L": {**ledger(), **more}})
    assert not found.sheets
    assert [(c.cell, c.what) for c in found.inputs] == [("A12", "added"), ("B12", "added")]


def test_what_cannot_be_aligned_is_compared_cell_by_cell_and_said():
    """Two insertions apart are not recognised: the sheet is named as unlike everywhere."""
    other = ledger(("new",), at=2)
    moved = {f"{k[0]}{int(k[1:]) + (2 if int(k[1:]) > 6 else 0)}": v for k, v in other.items()}
    plain = {k: v for k, v in ledger().items() if not isinstance(v, F)}
    moved = {k: v for k, v in moved.items() if not isinstance(v, F)}
    found = compared({"L": plain}, {"L": moved})
    assert found.unlike_everywhere == ["L"]
    assert found.inputs


def test_a_formula_is_read_through_shifts_and_renames():
    """References follow their sheet; texts, other workbooks, functions and names stay."""
    shift = Shift("rows", inserted=True, first=5, count=3)
    columns = Shift("columns", inserted=True, first=2, count=1)
    reading = Reading({"Calc": shift, "My inputs": columns}, {"Old": "New"})
    for formula, expected in (
        ("A4+A5+$A$6", "A4+A8+$A$9"),
        ("SUM(A1:A10)+SUM(5:6)", "SUM(A1:A13)+SUM(8:9)"),
        ("SUM(A:B)", "SUM(A:B)"),
        ('"A9"&LOG10(A9)', '"A9"&LOG10(A12)'),
        ("'My inputs'!A1+'My inputs'!C$1:D9", "'My inputs'!A1+'My inputs'!D$1:E9"),
        ("[1]Calc!A9+'[b.xlsx]Calc'!A9", "[1]Calc!A9+'[b.xlsx]Calc'!A9"),
        ("Old!A9+old!rate", "'New'!A9+'New'!rate"),
        ("Sales[A9]+rate9x", "Sales[A9]+rate9x"),
        ("-@A9%", "-@A12%"),
    ):
        assert reading.text(formula, "Calc") == expected


# --- headlines -----------------------------------------------------------------------------------


def test_watched_cells_are_found_in_both_books():
    """A headline is read by name in each book, and a cell follows inserted rows."""
    before = parsed(Path("a.xlsx"), book({"L": ledger()}, names={"total": "L!$B$11"}))
    after = parsed(Path("b.xlsx"), book({"L": ledger(("new",))}, names={"total": "L!$B$12"}))
    found = diff(before, after)
    for name in ("total", "L!B11"):
        assert astuple(watched(before, after, found, name)) == (name, 55.0, 155.0)


def test_a_watched_cell_of_one_book_only():
    """A headline that one book lacks is nothing there; one that both lack is refused."""
    before, after = packages({"A": {"A1": 1}}, {"A": {"A1": 1}, "B": {"A1": 2}})
    found = diff(before, after)
    assert astuple(watched(before, after, found, "B!A1")) == ("B!A1", None, 2.0)
    assert astuple(watched(before, after, found, "A!Z9")) == ("A!Z9", None, None)
    with pytest.raises(SettingError, match="no defined name"):
        watched(before, after, found, "nothing")


# --- areas ---------------------------------------------------------------------------------------


def test_cells_are_told_as_areas():
    """Rectangles hold every cell once; more than three are only counted."""
    spots = {(r, c) for r in (1, 2, 3) for c in (2, 3)} | {(3, 5), (9, 1), (11, 1), (13, 1)}
    areas = rectangles(spots)
    covered = [(r, c) for a in areas for r in range(a[0], a[2] + 1) for c in range(a[1], a[3] + 1)]
    assert sorted(covered) == sorted(spots)
    assert area_text(areas[0]) == "B1:C3"
    assert where(spots) == "B1:C3, E3, A9 and 2 more"


def test_copies_have_one_relative_text():
    """Copies along a row, written out or shared, have the same relative text."""
    package = parsed(
        Path("a.xlsx"),
        book({"S": {"B1": F("A1*$A$1", 1, ' t="shared" ref="B1:C1" si="0"'),
                    "C1": F("", 1, ' t="shared" si="0"'), "D1": F("C1*$A$1", 1)}}),
    )  # fmt: skip
    assert len(set(relative_texts(package.sheets["S"]).values())) == 1
