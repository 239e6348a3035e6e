"""What a user asks of scenarios: cells, grids, tables; what cannot be meant is refused."""

import pytest
from recalc_tools import F, book, saved
from scenario_books import plan, table

from xltoken.files import FileError
from xltoken.recalc.scenario_input import open_book
from xltoken.recalc.scenario_tables import grid, read_scenarios
from xltoken.recalc.settings import SettingError


def test_named_formula_cells_of_outputs_are_watched(tmp_path):
    """Without --watch the names of single formula cells on the sheet Outputs are read."""
    assert list(open_book(plan(tmp_path)).watched) == ["profit", "ratio", "verdict"]


def test_nothing_to_watch_is_refused(tmp_path):
    """A book without such names is refused, saying what to name."""
    path = saved(
        tmp_path, book({"Sheet": {"A1": 1.0, "B1": F("A1*2", 2.0)}}, names={"x": "Sheet!$A$1"})
    )
    with pytest.raises(SettingError) as refused:
        open_book(path)
    assert "--watch" in str(refused.value)
    assert "names of the book: x" in str(refused.value)
    assert list(open_book(path, watch=["Sheet!B1"]).watched) == ["Sheet!B1"]


def test_a_label_stays_as_it_was_typed(tmp_path):
    """Cells are called what the user called them; the same cell twice is watched once."""
    found = open_book(plan(tmp_path), watch=["Outputs!B1", "PROFIT", " ratio "])
    assert list(found.watched) == ["Outputs!B1", "ratio"]


def test_a_grid_is_the_full_product(tmp_path):
    """Ranges and lists are combined, the last input fastest, decimals as they are written."""
    found = grid(open_book(plan(tmp_path)), ["price=0.1:0.3:0.1", "Inputs!B4=base, high"])
    assert found.labels == ("price", "Inputs!B4")
    assert found.rows == [
        [0.1, "base"], [0.1, " high"], [0.2, "base"], [0.2, " high"], [0.3, "base"], [0.3, " high"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("price=10%:30%:10%", [0.1, 0.2, 0.3]),
        ("price=3:1:-1", [3.0, 2.0, 1.0]),
        ("price=1:2:0.4", [1.0, 1.4, 1.8]),
        ("price=5:5:1", [5.0]),
        ("price=1,2.5,50%", [1.0, 2.5, 0.5]),
        ("price=7", [7.0]),
    ],
)
def test_lists_of_values(tmp_path, text, values):
    """A range ends at or before its high end; percent and single values are read too."""
    assert [row[0] for row in grid(open_book(plan(tmp_path)), [text]).rows] == values


@pytest.mark.parametrize(
    ("texts", "part"),
    [
        (["price"], "write e.g. Inputs!C8=0.2:0.8:0.1"),
        (["=1,2"], "write e.g."),
        (["price=1:2"], "a range is low:high:step"),
        (["price=1:2:x"], "a range is low:high:step"),
        (["price=1:inf:1"], "a range is low:high:step"),
        (["price=1:2:0"], "the step does not lead from low to high"),
        (["price=1:2:-1"], "the step does not lead from low to high"),
        (["price=0:1:0.0000001"], "more than 1,000,000 scenarios"),
        (["price=1:1000:1", "volume=1:1001:1"], "1,000 x 1,001 is more than 1,000,000"),
        (["price=1,x"], "neither a number nor a date"),
        (["prize=1,2"], "Nearest names: price"),
        (["price=1,2", "Inputs!B1=1,2"], "are the same cell"),
        (["profit=1,2"], "Inputs!B1*Inputs!B2-Inputs!B3"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(tmp_path, texts, part):
    """Ranges, lists and names that cannot be meant are refused before anything runs."""
    with pytest.raises(SettingError) as refused:
        grid(open_book(plan(tmp_path)), texts)
    assert part in str(refused.value)


def test_scenarios_are_read_as_set_reads_values(tmp_path):
    """Numbers, percent, TRUE, text and blanks mean what they mean to --set; names go along."""
    text = "name,price,Inputs!B4,Inputs!B5\nlow,1.5,base,FALSE\n,50%,=high,\nlast,,,TRUE\n\n,,,\n"
    found = read_scenarios(open_book(plan(tmp_path), ["price=3"]), table(tmp_path, "﻿" + text))
    assert found.names == ("low", "", "last")
    assert found.named() == ["low", "", "last"]
    assert found.rows == [[1.5, "base", False], [0.5, "=high", True], [3.0, "base", True]]
    assert found.notes == ()


def test_semicolons_separate_where_no_comma_does(tmp_path):
    """A table as spreadsheets of many countries write it is read too; scenarios are numbered."""
    found = read_scenarios(open_book(plan(tmp_path)), table(tmp_path, "price;volume\n1;2\n3;4\n"))
    assert found.rows == [[1.0, 2.0], [3.0, 4.0]]
    assert found.named() == [1.0, 2.0]


def test_dates_become_serials(tmp_path):
    """An ISO date in a cell of numbers is the serial of that day, in the book's own system."""
    found = read_scenarios(open_book(plan(tmp_path)), table(tmp_path, "price\n2026-01-01\n"))
    assert found.rows == [[46023.0]]


def test_an_input_called_scenario_is_an_input(tmp_path):
    """Where the book has an input of that name, the column sets it, and a note says so."""
    content = book(
        {"Inputs": {"B1": "base", "B2": 1.0}, "Outputs": {"B1": F("Inputs!B1&Inputs!B2", "base1")}},
        names={"scenario": "Inputs!$B$1", "all": "Outputs!$B$1"},
    )
    found = open_book(saved(tmp_path, content))
    asked = read_scenarios(found, table(tmp_path, "scenario,Inputs!B2\nhigh,2\n"))
    assert asked.labels == ("scenario", "Inputs!B2")
    assert asked.rows == [["high", 2.0]]
    assert "sets the input of that name" in asked.notes[0]
    named = read_scenarios(found, table(tmp_path, "name,scenario\nA,high\n"))
    assert (named.names, named.rows, named.notes) == (("A",), [["high"]], ())


def test_scenarios_from_a_workbook(tmp_path):
    """The first sheet of a workbook is read like a CSV file, from its saved values."""
    content = book({"S": {"A1": "scenario", "B1": "price", "C1": "Inputs!B4", "A2": "one", "B2": 1.5,
                          "C2": "high", "A4": 2.0, "B4": F("1+1", 2.0)}})  # fmt: skip
    found = read_scenarios(open_book(plan(tmp_path)), saved(tmp_path, content, "s.xlsx"))
    assert found.names == ("one", "2")
    assert found.rows == [[1.5, "high"], [2.0, "base"]]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty"),
        ("price\n", "has no scenario below its first row"),
        ("name\nx\n", "names no input"),
        ("prize,volumes\n1,2\n", "Nearest names: volume"),
        ("price,,volume\n1,2,3\n", "column 2 has no head"),
        ("price\n1,2\n", "row 2: has more cells than the 1 columns"),
        ("price\n1\nx\n", "row 3: price: the cell holds a number; 'x' is neither"),
        ("price,PRICE\n1,2\n", "are the same cell"),
        ("profit\n1\n", "formula"),
        ("price\ninf\n", "no finite number"),
        ('price\n"1\n', "row"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path, text, part):
    """Unknown heads, cells beyond the heads and unusable values are refused with their row."""
    with pytest.raises((SettingError, FileError)) as refused:
        read_scenarios(open_book(plan(tmp_path)), table(tmp_path, text))
    assert part in str(refused.value)
    assert "s.csv" in str(refused.value)


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    """Missing files, other kinds, other encodings and unsaved formulas are refused by name."""
    found = open_book(plan(tmp_path))
    with pytest.raises(FileError, match="no such file"):
        read_scenarios(found, tmp_path / "none.csv")
    with pytest.raises(SettingError, match=r"\.csv or \.xlsx"):
        read_scenarios(found, tmp_path / "s.txt")
    (tmp_path / "l.csv").write_bytes("price\n1é\n".encode("latin-1"))
    with pytest.raises(FileError, match="UTF-8"):
        read_scenarios(found, tmp_path / "l.csv")
    for cells, part in (
        ({"A1": "price", "A2": F("1+1")}, "without a saved value"),
        ({"A1": "price", "A2": F("1/0", "#DIV/0!")}, "is #DIV/0!"),
    ):
        with pytest.raises(FileError, match=part):
            read_scenarios(found, saved(tmp_path, book({"S": cells}), "s.xlsx"))
    with pytest.raises(FileError, match="days from another year"):
        read_scenarios(
            found, saved(tmp_path, book({"S": {"A1": "price"}}, date1904=True), "s.xlsx")
        )
