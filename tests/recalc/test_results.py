"""Results on disk: the same bytes each time, every figure in its place, readable by others."""

import csv
import io
import math
import sys
import zipfile

import openpyxl
import pytest
from recalc_tools import F, book, saved
from scenario_books import plan

import xltoken
from xltoken.catalog import store
from xltoken.economics.distributions import discrete, lognormal, normal
from xltoken.files import FileError
from xltoken.recalc import results
from xltoken.recalc.number_formats import caption, format_of
from xltoken.recalc.package import read
from xltoken.recalc.result_books import book_of
from xltoken.recalc.scenario_input import open_book, read_ends, read_threshold
from xltoken.recalc.scenario_tables import grid, read_scenarios
from xltoken.recalc.scenarios import simulate, sweep, tornado
from xltoken.recalc.settings import SettingError


@pytest.fixture
def swept(tmp_path):
    """A sweep of two inputs with an error in it."""
    found = open_book(plan(tmp_path), ["rent=40"], ["profit", "ratio", "verdict"])
    return sweep(found, grid(found, ["price=1:3:0.5", "case=base,=2+2"]), tmp_path / "r.csv")


@pytest.fixture
def simulated(tmp_path):
    """A simulation of two correlated inputs and a threshold."""
    found = open_book(plan(tmp_path), (), ["profit", "ratio", "Outputs!B4"])
    vary = {"price": lognormal(2, 0.3), "volume": normal(100, 10)}
    asked = [read_threshold(found, "profit>150")]
    return simulate(found, vary, {(0, 1): -0.5}, asked, tmp_path / "r.xlsx", points=256)


@pytest.fixture
def bars(tmp_path):
    """A tornado with a bar that fails."""
    found = open_book(plan(tmp_path), (), ["ratio"])
    return tornado(found, read_ends(found, ["volume+-10%", "price=1:3", "case=base:high"]))


def loaded(content):
    """A result workbook as another reader sees it."""
    return openpyxl.load_workbook(io.BytesIO(content))


def cells(sheet):
    """Values of a sheet, row by row, without what is blank at the end."""
    rows = []
    for row in sheet.iter_rows(values_only=True):
        line = list(row)
        while line and line[-1] is None:
            line.pop()
        rows.append(line)
    return rows


def row_of(sheet, first):
    """The row whose first cell is this."""
    return next(line for line in cells(sheet) if line and line[0] == first)


# --- CSV -----------------------------------------------------------------------------------------


def test_csv_holds_every_digit(swept, tmp_path):
    """Inputs as used and outputs, numbers that read back to the same bits, errors as their text."""
    results.write(swept, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        titles, *lines = csv.reader(file)
    assert titles == ["scenario", "price", "case", "profit", "ratio", "verdict"]
    assert lines[0] == ["1", "1", "base", "60", "#DIV/0!", "case base"]
    assert lines[1][2] == "=2+2"
    for line, (_, row, result) in zip(lines, swept.rows, strict=True):
        assert float(line[1]) == row[0]
        assert float(line[3]) == result[0]


def test_csv_of_a_simulation_holds_its_samples(simulated, tmp_path):
    """One line a draw, each number to the last bit."""
    results.write(simulated, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        titles, *lines = csv.reader(file)
    assert titles == ["draw", "price", "volume", "profit", "ratio", "Outputs!B4"]
    assert [float(line[1]) for line in lines] == simulated.samples[:, 0].tolist()
    assert [float(line[3]) for line in lines] == simulated.numbers("profit").tolist()


def test_csv_of_a_tornado_holds_its_bars(bars, tmp_path):
    """One line a bar; one without a swing has none."""
    results.write(bars, tmp_path / "r.csv")
    text = (tmp_path / "r.csv").read_text("utf-8")
    assert text.splitlines() == [
        "input,low,base,high,result_low,result_base,result_high,swing",
        "volume,90,100,110.00000000000001,90,100,110.00000000000001,20.000000000000014",
        "case,base,base,high,100,100,100,0",
        "price,1,2,3,#DIV/0!,100,50,",
    ]


def test_numbers_are_written_as_they_are(tmp_path):
    """Truth values, large and negative-zero numbers read back as what they were."""
    content = book({"Inputs": {"B1": 1.0}, "Outputs": {"B1": F("Inputs!B1*1", 1.0),
                   "B2": F("Inputs!B1>0", value=True)}},
                   names={"a": "Outputs!$B$1", "b": "Outputs!$B$2"})  # fmt: skip
    found = open_book(saved(tmp_path, content))
    asked = grid(found, ["Inputs!B1=1e300,0.1,-5,1e15,123456789012345"])
    results.write(sweep(found, asked, tmp_path / "r.csv"), tmp_path / "r.csv")
    lines = (tmp_path / "r.csv").read_text("utf-8").splitlines()[1:]
    assert [line.split(",")[1] for line in lines] == [
        "1e+300", "0.1", "-5", "1000000000000000.0", "123456789012345",
    ]  # fmt: skip
    assert [line.split(",")[3] for line in lines] == ["TRUE", "TRUE", "FALSE", "TRUE", "TRUE"]


def test_the_first_column_never_has_the_name_of_an_input(tmp_path):
    """An input that is called scenario keeps its name; the rows are then named in another column."""
    content = book({"Inputs": {"B1": 1.0}, "Outputs": {"B1": F("Inputs!B1*2", 2.0)}},
                   names={"scenario": "Inputs!$B$1", "twice": "Outputs!$B$1"})  # fmt: skip
    found = open_book(saved(tmp_path, content))
    result = sweep(found, grid(found, ["scenario=1,2"]), tmp_path / "r.csv")
    assert results.table(result)[0] == ["name", "scenario", "twice"]
    names = ("scenario", "name", "row", "number", "row_number")
    content = book({"Inputs": {f"B{n}": 1.0 for n in range(1, 6)},
                    "Outputs": {"B1": F("SUM(Inputs!B1:B5)", 5.0)}},
                   names={n: f"Inputs!$B${i}" for i, n in enumerate(names, 1)})  # fmt: skip
    found = open_book(saved(tmp_path, content), (), ["Outputs!B1"])
    every = sweep(found, grid(found, [f"{name}=2" for name in names]), tmp_path / "r.csv")
    assert results.table(every)[0] == ["scenario_0", *names, "Outputs!B1"]


# --- workbooks -----------------------------------------------------------------------------------


def test_the_same_results_make_the_same_bytes(swept, simulated, bars):
    """Nothing in a result workbook tells the time it was made."""
    for found in (swept, simulated, bars):
        first, again = book_of(found), book_of(found)
        assert first == again
        with zipfile.ZipFile(io.BytesIO(first)) as archive:
            assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            core = archive.read("docProps/core.xml").decode()
        assert core.count(f"{store.current().date}T00:00:00Z") == 2


def test_every_result_workbook_says_what_made_it(swept, simulated, bars):
    """Version, catalog, file and its fingerprint stand on the first sheet."""
    stamp = f"computed by xltoken {xltoken.__version__} on catalog {store.current().date} from plan.xlsx"
    for found in (swept, simulated, bars):
        first = cells(loaded(book_of(found)).worksheets[0])
        assert first[1] == [stamp]
        assert [f"SHA-256 of the file: {found.book.digest}."] in first
    assert ["Changed first, in every scenario: Inputs!B3 = 40."] in cells(
        loaded(book_of(swept))["Summary"]
    )


def test_a_sweep_as_a_workbook(swept):
    """Summary first, with its chart; every scenario in a table behind it; texts stay texts."""
    made = loaded(book_of(swept))
    assert made.sheetnames == ["Summary", "Results"]
    assert row_of(made["Summary"], "profit") == ["profit", "Profit", 60, 60, 160, 260, 260, 160, 0]
    ratio = row_of(made["Summary"], "ratio")
    assert (ratio[2], ratio[6], ratio[8]) == (50, 200, 2)
    assert row_of(made["Summary"], "price") == ["price", "Price", 2, 1, 3, 5]
    sheet = made["Results"]
    assert cells(sheet)[0] == ["scenario", "price", "case", "profit", "ratio", "verdict"]
    assert sheet["C3"].value == "=2+2"
    assert sheet["C3"].data_type == "s"
    assert sheet["E2"].data_type == "e"
    assert sheet.tables["Results"].ref == "A1:F11"
    assert sheet.freeze_panes == "B2"
    chart = made["Summary"]._charts[0]
    assert chart.x_axis.delete is False
    assert chart.series[0].yVal.numRef.f == "'Results'!$D$2:$D$11"
    assert chart.series[0].xVal.numRef.f == "'Results'!$B$2:$B$11"


def test_a_sweep_over_texts_is_drawn_over_its_scenarios(tmp_path):
    """Where the first input that varies is no number, the chart runs over the scenarios."""
    found = open_book(plan(tmp_path), (), ["profit"])
    asked = read_scenarios(found, _file(tmp_path, "name,case,price\nA,base,2\nB,high,3\n"))
    made = loaded(book_of(sweep(found, asked, tmp_path / "r.csv")))
    series = made["Summary"]._charts[0].series[0]
    assert series.cat.numRef.f == "'Results'!$A$2:$A$3"
    assert cells(made["Results"])[1] == ["A", "base", 2, 150]
    one = sweep(found, grid(found, ["price=2"]), tmp_path / "r.csv")
    assert len(loaded(book_of(one))["Summary"]._charts) == 1


def _file(tmp_path, text):
    path = tmp_path / "s.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_simulation_as_a_workbook(simulated):
    """The figures, chances and drivers stand on the first sheet; bins and samples behind it."""
    made = loaded(book_of(simulated))
    assert made.sheetnames == ["Summary", "Histogram", "Samples"]
    first = made["Summary"]
    figures = simulated.figures["profit"]
    assert row_of(first, "mean")[1] == pytest.approx(figures.mean, rel=1e-15)
    assert row_of(first, "standard error of the mean")[1] == pytest.approx(figures.standard_error)
    assert row_of(first, "50 % (median)")[1] == pytest.approx(figures.percentiles[50])
    assert row_of(first, "95 %")[1] == pytest.approx(figures.percentiles[95])
    assert row_of(first, "profit > 150")[1] == simulated.chances[0][1]
    price = row_of(first, "price")
    assert price[1] == pytest.approx(simulated.drivers["profit"]["price"])
    assert price[-1] == "lognormal(2, 0.3)"
    assert price[3] is None
    assert row_of(first, "price and volume move together")[-1] == "rank correlation -0.5"
    bins = [line[:4] for line in cells(made["Histogram"])[3:] if line[0] is not None]
    assert sum(line[2] for line in bins) == pytest.approx(1.0)
    assert bins[-1][3] == pytest.approx(1.0)
    assert len(first._charts) == 2  # the third cell never moves: no histogram of one bar
    samples = cells(made["Samples"])
    assert len(samples) == 257
    assert [line[1] for line in samples[1:]] == pytest.approx(simulated.samples[:, 0])


def test_a_simulation_in_which_nothing_is_a_number(tmp_path):
    """Without a single number there are no figures and no chart, and the workbook says so."""
    found = open_book(plan(tmp_path), (), ["ratio"])
    asked = [read_threshold(found, "ratio>0")]
    failed = simulate(found, {"price": discrete({1: 1})}, {}, asked, tmp_path / "r.xlsx", points=4)
    made = loaded(book_of(failed))
    assert row_of(made["Summary"], "mean") == ["mean"]
    assert row_of(made["Summary"], "draws without a number") == ["draws without a number", 4]
    assert row_of(made["Summary"], "ratio > 0") == ["ratio > 0"]
    assert made["Summary"]._charts == []


def test_a_tornado_as_a_workbook(bars):
    """Bars sorted by swing around the result as it stands; one without a swing is not drawn."""
    made = loaded(book_of(bars))
    sheet = made["Summary"]
    assert row_of(sheet, "ratio") == ["ratio", "Ratio", 100]
    volume = row_of(sheet, "volume")
    assert volume[:2] == ["volume", "Volume"]
    assert volume[5:] == pytest.approx([90, 110, 20, -10, 10])
    assert row_of(sheet, "price")[5] == "#DIV/0!"
    chart = sheet._charts[0]
    assert chart.barDir == "bar"
    assert chart.x_axis.scaling.orientation == "maxMin"
    assert chart.series[0].val.numRef.f == "'Summary'!$I$9:$I$10"


def test_a_tornado_without_bars_has_no_chart(tmp_path):
    """Where every bar fails there is nothing to draw."""
    found = open_book(plan(tmp_path), (), ["ratio"])
    made = loaded(book_of(tornado(found, read_ends(found, ["price=1:3"]))))
    assert made["Summary"]._charts == []


def test_odd_texts_do_not_break_a_workbook(tmp_path):
    """Control characters in a scenario's name are replaced, not fatal."""
    found = open_book(plan(tmp_path), (), ["profit"])
    asked = read_scenarios(found, _file(tmp_path, "name,price\na\x01b,3\n"))
    made = loaded(book_of(sweep(found, asked, tmp_path / "r.csv")))
    assert made["Results"]["A2"].value == "a�b"


# --- how the workbook shows a cell ---------------------------------------------------------------


def test_a_result_has_the_format_of_its_cell(tmp_path):
    """Dates, shares and own formats of the workbook are those of the results."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Inputs"
    shown = ("General", "0%", "d mmm yyyy", '#,##0;(#,##0);"-"')
    for row, kind in enumerate(shown, 1):
        sheet[f"A{row}"] = f"row {row}"
        sheet[f"B{row}"] = 0.5
        sheet[f"B{row}"].number_format = kind
    made.save(tmp_path / "b.xlsx")
    package = read(tmp_path / "b.xlsx")
    import numpy as np

    found = [format_of(package, ("Inputs", row, 2), np.array([0.5, 0.25])) for row in range(1, 5)]
    assert found == ["0.0000", *shown[1:]]
    assert format_of(package, ("Inputs", 9, 9), np.array([1.0])) == "#,##0"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "0"), ([0.0], "0"), ([5.0, -7.0], "#,##0"), ([1234.5], "#,##0"),
        ([-12.34], "0.00"), ([0.0123], "0.00000"), ([1e16], "General"), ([1e-9], "General"),
        ([2.5], "0.000"),
    ],
)  # fmt: skip
def test_a_format_suits_the_values(tmp_path, values, expected):
    """Where a cell has no format, about four digits of the largest value are shown."""
    import numpy as np

    package = read(plan(tmp_path))
    assert format_of(package, ("Inputs", 1, 2), np.array(values)) == expected


def test_the_words_beside_a_cell(tmp_path):
    """A cell is called by the first text of the cells that stand without a gap to its left."""
    content = book({"S": {"A1": "Other", "C1": "Price", "D1": "USD", "E1": 1.0, "A2": 3.0, "B2": 2.0,
                          "A3": F("1/0", "#DIV/0!"), "B3": 1.0}})  # fmt: skip
    package = read(saved(tmp_path, content))
    assert [caption(package, ("S", row, column)) for row, column in ((1, 5), (2, 2), (3, 2), (9, 1))] == [
        "Price", "", "", "",
    ]  # fmt: skip


# --- refusals ------------------------------------------------------------------------------------


def test_what_cannot_be_written_is_refused_first(tmp_path, monkeypatch):
    """Unknown kinds, too many rows, missing folders and missing packages stop before any run."""
    with pytest.raises(SettingError, match=r"\.csv, \.parquet, \.xlsx"):
        results.check(tmp_path / "r.txt", 1, [])
    with pytest.raises(SettingError, match="1,048,576 rows"):
        results.check(tmp_path / "r.xlsx", 2**20, [])
    with pytest.raises(FileError, match="no folder"):
        results.check(tmp_path / "none" / "r.csv", 1, [])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError) as missing:
        results.check(tmp_path / "r.parquet", 1, [])
    assert missing.value.name.partition(".")[0] == "pyarrow"
    results.check(tmp_path / "r.xlsx", 2**20 - 1, [tmp_path / "other.xlsx"])
    path = plan(tmp_path)
    with pytest.raises(SettingError, match="is a file that is read"):
        results.check(tmp_path / "." / path.name, 1, [path])


def test_parquet_holds_typed_columns(swept, tmp_path):
    """Numbers are numbers, errors are nulls with their text beside, mixed columns are text."""
    parquet = pytest.importorskip("pyarrow.parquet")
    results.write(swept, tmp_path / "r.parquet")
    first = (tmp_path / "r.parquet").read_bytes()
    made = parquet.read_table(tmp_path / "r.parquet")
    assert made.column_names == [
        "scenario", "price", "case", "profit", "ratio", "ratio error", "verdict",
    ]  # fmt: skip
    assert made["profit"].to_pylist() == [result[0] for _, _, result in swept.rows]
    assert made["ratio"].to_pylist()[:2] == [None, None]
    assert made["ratio error"].to_pylist()[:3] == ["#DIV/0!", "#DIV/0!", None]
    assert made.schema.metadata[b"xltoken"].decode() == swept.book.stamp
    results.write(swept, tmp_path / "r.parquet")
    assert (tmp_path / "r.parquet").read_bytes() == first


def test_the_journal_goes_when_the_whole_result_stands(swept, tmp_path):
    """A run's journal stays until its result is written, and longer where a part was not run."""
    journal = tmp_path / "r.csv.journal"
    assert journal.exists()
    swept.runs.stopped = True
    results.write(swept, tmp_path / "r.csv")
    assert journal.exists()
    swept.runs.stopped = False
    results.write(swept, tmp_path / "r.csv")
    assert not journal.exists()


def test_nan_is_never_written(bars):
    """A bar without a swing leaves its cell blank."""
    _, rows = results.table(bars)
    assert not any(isinstance(value, float) and math.isnan(value) for row in rows for value in row)
