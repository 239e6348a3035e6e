"""What holds for every template: figures that are saved right, and the rules of a workbook.

A new template gets a row in `FACTS`; each exception there stands with its reason.
"""

import csv
import re
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field

import openpyxl
import pytest
from openpyxl.formula import Tokenizer
from openpyxl.utils import FORMULAE, column_index_from_string, get_column_letter
from workbook_tools import (
    ERROR_TEXT,
    allowed,
    filled,
    formulas,
    is_input,
    place_of,
    relative,
)

import xltoken
from xltoken import audit
from xltoken.catalog import store
from xltoken.functions import FUNCTIONS
from xltoken.recalc import package
from xltoken.recalc.workbook import recalculate
from xltoken.templates import TEMPLATES, new

LITERALS = {0.0, 1.0, 2.0, 12.0, 100.0, 365.0, 1000.0, 1e6}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a template declares of itself; what is left out is the rule without exception."""

    sheets: tuple[str, ...]
    mark: str  # The formula that shows the master check in the frozen rows of each sheet.
    says: str  # What it says as made.
    title: str  # On the first printed page.
    pages: range
    formulas: int  # At least.
    calls: int  # Of functions of ours, at least.
    asks: tuple[str, ...]  # Functions of ours that it has to call.
    described: str  # Columns of Inputs that say label, unit, allowed range, source and date.
    charts: int = 0
    time_sheets: dict[str, tuple[str, str]] = field(default_factory=dict)  # First, last period.
    # Exceptions.
    first_periods: tuple[tuple[str, str, str], ...] = ()  # Unlike the others of their row.
    ranges_from: int | None = None  # Row of Inputs from which one label stands for several rows.
    wide: dict[str, int] = field(default_factory=dict)  # Pages side by side.
    blank: tuple[str, ...] = ()  # Names whose cell is blank.
    errors: tuple[str, ...] = ()  # Names whose cell is an error.
    numbers_in: tuple[str, ...] = ()  # Functions of ours that are given plain numbers.
    wrapped_by: tuple[str, ...] = ()  # Functions that an argument of ours may go through.
    shown_errors: dict[tuple[str, str], int] = field(default_factory=dict)  # In LibreOffice.
    departures: tuple[str, ...] = ()  # Labels on Sources that tell of them.


FACTS = {
    "token_budget": Facts(
        sheets=("Cover", "Inputs", "Calculations", "Outputs", "Checks", "Sources", "Changes"),
        mark='=IF(all_checks=1,"OK","CHECK")',
        says="OK",
        title="Token budget",
        pages=range(7, 31),
        formulas=1000,
        calls=180,
        asks=("TOKEN_COST", "TOKEN_SOURCE", "XLTOKEN_INFO"),
        described="ABCFGH",
        charts=2,
        time_sheets={"Calculations": ("E", "BL")},
        # The first month number, from which the others count.
        first_periods=(("Calculations", "E5", "=1"),),
        # Sixty months do not fit on one page.
        wide={"Calculations": 5},
        # Blank: as the scenario sets them.
        blank=("rate_basis", "software_gain_per_month"),
        # No price, investment, decline or floor: zeros, since a budget has only costs.
        numbers_in=("NPV_DECLINING", "NPV_STATIC"),
    ),
    "self_test": Facts(
        sheets=("Cover", "Inputs", "Functions", "Hosts", "Arrays", "Checks", "Sources", "Changes"),
        mark="=verdict",
        says="PASS",
        title="Self-test",
        pages=range(9, 20),
        formulas=2000,
        calls=300,
        asks=tuple(FUNCTIONS),
        described="ABIJ",
        # A case hands over ranges, and a range has one row of description.
        ranges_from=6,
        # What functions make of an error is part of the test.
        errors=("error_cell",),
        # N() and T(): the result of a formula as an argument is what is tested there.
        wrapped_by=("N", "T"),
        # The error on purpose; without the functions LibreOffice loses the array formula alone.
        shown_errors={("Inputs", "#DIV/0!"): 1, ("Arrays", "#NAME?"): 18},
        departures=("No time axis", "One error cell", "Blank cells", "Inputs", "Array block"),
    ),
}


@pytest.fixture(scope="module", params=sorted(TEMPLATES))
def template(request):
    """Each template in turn."""
    return request.param


@pytest.fixture(scope="module")
def facts(template):
    """What it declares."""
    return FACTS[template]


def test_every_template_declares_its_facts():
    """Each template has its declared facts, and no facts stand for a template that is none."""
    assert FACTS.keys() == TEMPLATES.keys()


# --- saved figures -------------------------------------------------------------------------------


def test_every_formula_has_a_value_and_no_error(drawn, values, facts):
    """W22: every formula cell holds a saved value; no cell is an error but the declared ones."""
    found = formulas(drawn)
    assert len(found) > facts.formulas
    for sheet, cell, _ in found:
        assert values[sheet][cell.coordinate].value is not None, (sheet, cell.coordinate)
    errors = {(s, c.coordinate) for s, c in filled(values) if c.data_type == "e"}
    errors |= {(s, c.coordinate) for s, c, _ in found
               if str(values[s][c.coordinate].value).startswith("#")}  # fmt: skip
    assert errors == {place_of(drawn, name) for name in facts.errors}


def test_recalculating_changes_nothing(path, tmp_path, facts):
    """W22: the values that it was made with are right: a recalculation changes no byte."""
    report = recalculate(path, tmp_path / "o.xlsx")
    assert (tmp_path / "o.xlsx").read_bytes() == path.read_bytes()
    assert report.cells == []
    assert report.summary["right"] == report.summary["judged"] > facts.formulas
    for kind in ("disputed", "unsupported", "unjudged", "changed", "drift", "refused"):
        assert report.summary[kind] == 0, kind


def test_the_audit_finds_the_declared_errors_only(path, drawn, facts):
    """The audit has nothing to say but of the cells that are errors on purpose."""
    found = audit.check(package.read(path)).findings
    declared = [("error cell", *place_of(drawn, name)) for name in facts.errors]
    assert [(f.rule, f.sheet, f.cells) for f in found] == declared


# --- the file ------------------------------------------------------------------------------------


def test_the_same_bytes_in_two_folders_under_two_clocks(elsewhere, path):
    """W28: other processes, folders, clocks, time zones and hash seeds give the same bytes."""
    for folder in elsewhere:
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_making_it_twice_here_gives_the_same_bytes(path, tmp_path, monkeypatch, template):
    """W28: a template made again, later, is the same file to the last byte."""
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    new(template, tmp_path / "b.xlsx")
    assert (tmp_path / "b.xlsx").read_bytes() == path.read_bytes()


def test_the_file_says_what_made_it(made, path, template):
    """W25: title, creator, version and catalog stand in the properties, and no clock time."""
    report = made(template)
    catalog = store.current()
    found = openpyxl.load_workbook(path).properties
    assert found.title == f"xltoken {template}"
    assert found.creator == f"xltoken {xltoken.__version__}"
    assert catalog.fingerprint in found.description
    assert found.created.date() == found.modified.date() == catalog.date
    assert report.output == path
    assert report.summary["refused"] == report.summary["unsupported"] == 0
    assert TEMPLATES[template].summary.endswith(".")


def test_excel_does_not_recalculate_at_load(path):
    """The calculation id is Excel's own and no full calculation is asked for at load."""
    with zipfile.ZipFile(path) as archive:
        workbook = archive.read("xl/workbook.xml").decode()
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    (properties,) = re.findall(r"<calcPr[^>]*>", workbook)
    assert 'calcId="191029"' in properties
    assert 'fullCalcOnLoad="1"' not in properties


# --- formulas ------------------------------------------------------------------------------------


def test_only_known_functions_under_their_plain_names(drawn, facts):
    """W23: functions are Excel 2010's or ours, called by their plain names, ours often."""
    called = Counter()
    for sheet, cell, text in formulas(drawn):
        for token in Tokenizer(text).items:
            if token.type == "FUNC" and token.subtype == "OPEN":
                name = token.value.rstrip("(")
                assert name in FUNCTIONS or name in FORMULAE, (sheet, cell.coordinate, text)
                called[name] += name in FUNCTIONS
    assert called.total() >= facts.calls
    assert all(called[name] for name in facts.asks)


def test_no_forbidden_functions(drawn):
    """W8, W9: nothing volatile, no whole columns, no links to other files, not Excel's NPV."""
    forbidden = re.compile(
        r"(?<![A-Z_.])(OFFSET|INDIRECT|NOW|TODAY|RAND|RANDBETWEEN|NPV|IRR|XNPV)\("
        r"|\[|_xlfn|\$?[A-Z]+:\$?[A-Z]+(?![0-9])"
    )
    for sheet, cell, text in formulas(drawn):
        assert not forbidden.search(text), (sheet, cell.coordinate, text)


def test_arguments_of_ours_are_references(drawn, facts):
    """W5: each argument of a function of ours is one reference: no text, number, array or sum."""
    for sheet, cell, text in formulas(drawn):
        where = (sheet, cell.coordinate, text)
        inside: list[str] = []
        for token in Tokenizer(text).items:
            assert token.type != "ARRAY", where
            ours = [name for name in inside if name in FUNCTIONS]
            if token.subtype == "OPEN":
                name = token.value.rstrip("(")
                assert not ours or name in facts.wrapped_by, where
                inside.append(name)
            elif token.subtype == "CLOSE":
                inside.pop()
            elif ours and token.subtype == "NUMBER":
                assert ours[-1] in facts.numbers_in, where
            elif ours:
                assert token.type == "SEP" or token.subtype == "RANGE", where


def test_no_literals_but_the_allowed(drawn):
    """W5: formulas hold no number but 0, 1, -1, 2, 12, 100, 365, 1000 and 1e6."""
    for sheet, cell, text in formulas(drawn):
        for token in Tokenizer(text).items:
            if token.type == "OPERAND" and token.subtype == "NUMBER":
                assert float(token.value) in LITERALS, (sheet, cell.coordinate, text)


def test_formulas_are_short_and_flat(drawn):
    """W7: no formula is over 100 characters, nests more than three deep, or nests IF."""
    for sheet, cell, text in formulas(drawn):
        assert len(text) <= 100, (sheet, cell.coordinate, text)
        depth: list[str] = []
        for token in Tokenizer(text).items:
            if token.type == "FUNC" and token.subtype == "OPEN":
                assert not (token.value == "IF(" and "IF(" in depth), (sheet, cell.coordinate, text)
                depth.append(token.value)
                assert len(depth) <= 3, (sheet, cell.coordinate, text)
            elif token.type == "FUNC":
                depth.pop()


def test_one_formula_a_row(drawn, facts):
    """W4, W6: on a time sheet each row holds one formula in R1C1, declared first periods aside."""
    exceptions = []
    for title, (first, last) in facts.time_sheets.items():
        sheet = drawn[title]
        start, end = column_index_from_string(first), column_index_from_string(last)
        second = get_column_letter(start + 1)
        rows = [c.row for c in sheet[second] if c.data_type == "f"]
        assert len(rows) > 15
        for row in rows:
            (cells,) = sheet.iter_rows(row, row, start, end)
            assert all(cell.data_type == "f" for cell in cells), (title, row)
            shapes = [relative(cell.value, cell.row, cell.column) for cell in cells]
            assert len(set(shapes[1:])) == 1, (title, row)
            if shapes[0] != shapes[1]:
                exceptions.append((title, cells[0].coordinate, cells[0].value))
    assert exceptions == list(facts.first_periods)


# --- sheets --------------------------------------------------------------------------------------


def test_the_sheets_are_declared_and_in_order(drawn, facts):
    """W1: the sheets stand in their order; where a book departs from the rules, Sources tells."""
    assert tuple(drawn.sheetnames) == facts.sheets
    told = {cell.value for cell in drawn["Sources"]["A"]}
    assert told >= set(facts.departures)


def test_nothing_hidden_and_nothing_merged(drawn):
    """W10, W11: no sheet, row or column is hidden, no number format hides, no cells are merged."""
    for ws in drawn.worksheets:
        assert ws.sheet_state == "visible"
        assert not ws.merged_cells.ranges
        assert not any(d.hidden for d in ws.row_dimensions.values())
        assert not any(d.hidden for d in ws.column_dimensions.values())
        for row in ws.iter_rows():
            for cell in row:
                assert cell.number_format != ";;;"
                white = cell.font.color is not None and cell.font.color.rgb == "00FFFFFF"
                assert not (white and cell.fill.fill_type is None and cell.value is not None)


def test_named_styles_are_used(drawn):
    """W14: every filled cell has one of the template's named styles, in a named font."""
    for sheet, cell in filled(drawn):
        assert cell.style.startswith("x_"), (sheet, cell.coordinate)
        assert cell.font.name == "Calibri"


def test_every_sheet_is_framed(drawn, values, facts):
    """W15, W17: panes frozen with the master check inside, landscape, titles repeated, footer."""
    for ws in drawn.worksheets:
        assert ws.freeze_panes is not None
        assert ws.page_setup.orientation == "landscape"
        assert ws.sheet_properties.pageSetUpPr.fitToPage
        assert ws.page_setup.fitToWidth == facts.wide.get(ws.title, 1)
        assert ws.print_title_rows
        assert ws.oddHeader.left.text
        assert "&P" in ws.oddFooter.right.text
        frozen = int(re.sub(r"\D", "", ws.freeze_panes))
        rows = ws.iter_rows(max_row=frozen - 1)
        marks = [cell for row in rows for cell in row if cell.value == facts.mark]
        assert len(marks) == 1, ws.title
        assert values[ws.title][marks[0].coordinate].value == facts.says


def test_charts_have_titles_and_axes(drawn, facts):
    """W27: each chart has a title, axis titles, and axes that are not deleted."""
    charts = [chart for ws in drawn.worksheets for chart in ws._charts]
    assert len(charts) == facts.charts
    for chart in charts:
        for titled in (chart, chart.x_axis, chart.y_axis):
            assert "".join(r.t for p in titled.title.tx.rich.p for r in p.r or [])
        assert not chart.x_axis.delete
        assert not chart.y_axis.delete


# --- inputs and names ----------------------------------------------------------------------------


def test_every_input_is_validated(drawn):
    """W12: what looks like an input has data validation with prompt and error, on every sheet."""
    for ws in drawn.worksheets:
        rules = ws.data_validations.dataValidation
        for rule in rules:
            assert rule.showErrorMessage
            assert rule.showInputMessage
            assert rule.prompt
            assert rule.error
            assert rule.promptTitle
        for cell in (c for row in ws.iter_rows() for c in row if is_input(c)):
            assert any(cell.coordinate in rule.sqref for rule in rules), (ws.title, cell.coordinate)


def test_every_input_is_described(drawn, facts):
    """W12: each input, or range of them, has label, unit, allowed range, source and date."""
    ws = drawn["Inputs"]
    rows = {c.row for cells in ws.iter_rows() for c in cells if is_input(c)}
    if facts.ranges_from:
        labelled = {c.row for c in ws["A"] if c.value and c.row >= facts.ranges_from}
        for row in rows - labelled:
            assert row > facts.ranges_from, row
            assert any(cell.style != "Normal" for cell in ws[row - 1]), row  # Of the range above.
        rows = labelled
    for row in rows:
        for column in facts.described:
            assert ws[f"{column}{row}"].value not in (None, ""), (column, row)


def test_the_values_that_stand_there_are_allowed(drawn, values):
    """Each input's value as made satisfies its own validation rule."""
    for ws in values.worksheets:
        for rule in drawn[ws.title].data_validations.dataValidation:
            for area in rule.sqref.ranges:
                for row, column in area.cells:
                    value = ws.cell(row, column).value
                    assert allowed(rule, value, ws), (ws.title, row, column)


def test_defined_names_are_absolute_and_resolve(drawn, facts):
    """W13, W21: names are of the whole book, absolute, each for cells of its own that exist."""
    assert not any(ws.defined_names for ws in drawn.worksheets)
    targets = set()
    for defined in drawn.defined_names.values():
        ((sheet, place),) = defined.destinations
        assert sheet in drawn.sheetnames
        assert re.fullmatch(r"\$[A-Z]+\$[0-9]+(:\$[A-Z]+\$[0-9]+)?", place)
        cells = drawn[sheet][place.replace("$", "")]
        if not isinstance(cells, tuple):
            assert (cells.value is None) == (defined.name in facts.blank), defined.name
        targets.add((sheet, place))
    assert len(targets) == len(drawn.defined_names)


def test_no_name_is_that_of_a_function(drawn):
    """No defined name is, in whatever case, the name of a function of ours or of Excel's."""
    functions = {name.casefold() for name in (*FUNCTIONS, *FORMULAE)}
    assert not {name for name in drawn.defined_names if name.casefold() in functions}


# --- another program -----------------------------------------------------------------------------


@pytest.mark.slow
def test_libreoffice_shows_it_without_errors(shown, drawn, template, facts):
    """W24: LibreOffice shows the saved values: the mark everywhere, declared errors only, no ###."""
    texts = shown(template)
    assert set(texts) == set(facts.sheets)
    literals = {str(c.value) for _, c in filled(drawn) if c.data_type == "s"}
    found = Counter()
    for sheet, text in texts.items():
        assert "###" not in text, sheet
        assert facts.says in text, sheet
        shown_cells = (c for row in csv.reader(text.splitlines(keepends=True)) for c in row)
        for cell in shown_cells:
            if cell not in literals:
                found.update((sheet, error) for error in ERROR_TEXT.findall(cell))
    assert found == facts.shown_errors


@pytest.mark.slow
def test_libreoffice_prints_it_without_errors(printed, drawn, facts):
    """The printed workbook opens with its title and mark, and has no error text and no ###."""
    assert not any("###" in page for page in printed)
    told = (c.value for _, c in filled(drawn) if c.data_type == "s")
    known = {error for text in told for error in ERROR_TEXT.findall(text)}
    known |= {error for _, error in facts.shown_errors}
    assert {error for page in printed for error in ERROR_TEXT.findall(page)} <= known
    assert facts.title in printed[0]
    assert facts.says in printed[0]
    assert len(printed) in facts.pages
