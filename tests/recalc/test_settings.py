"""`--set CELL=VALUE`: what names an input, what is a value, and what is refused."""

import datetime as dt

import pytest
from recalc_tools import F, Raw, book, digest, element, recalculated, saved, sheet_part, values

from xltoken.recalc.settings import SettingError
from xltoken.recalc.workbook import recalculate

BOOK = {
    "Inputs": {
        "A1": 1.0,
        "A2": "text",
        "A3": True,
        "A4": Raw('<c r="A4"/>'),
        "A5": Raw('<c r="A5" t="s"><v>0</v></c>'),
        "A6": 46000.0,
        "B1": F("A1*2", 2),
        "B2": F("LEN(A2)", 4),
        "B3": F("IF(A3,1,0)", 1),
        "B4": F("ISBLANK(A4)", True),
        "B6": F("YEAR(A6)", 2025),
    },
    "It's R&D": {"A1": 1.0, "B1": F("A1*3", 3)},
}
NAMES = {
    "rate": "Inputs!$A$1", "Other": "'It''s R&D'!$A$1", "result": "Inputs!$B$1",
    "area": "Inputs!$A$1:$A$3", "constant": "0.5", "dead": "#REF!",
}  # fmt: skip


def sample() -> bytes:
    """Two sheets of inputs and formulas, with names for some of them."""
    return book(BOOK, names=NAMES, shared=["<t>shared</t>"])


@pytest.mark.parametrize(
    "where",
    ["Inputs!A1", "inputs!a1", "Inputs!$A$1", "'Inputs'!A1", "rate", "RATE", " Rate "],
)
def test_every_way_to_name_a_cell(tmp_path, where):
    """Sheet and cell, quoted, absolute, a defined name, in any case: all name the same input."""
    found, report = recalculated(tmp_path, sample(), f"{where}=21")
    assert (found["A1"], found["B1"]) == (21, 42)
    assert report.summary["changed"] == 1


@pytest.mark.parametrize("where", ["'It''s R&D'!A1", "It's R&D!A1", "it's r&d!a1", "other"])
def test_sheets_with_odd_names(tmp_path, where):
    """A sheet with an apostrophe, a space and an ampersand is named quoted, plainly, or by name."""
    recalculate(saved(tmp_path, sample()), tmp_path / "o.xlsx", [f"{where}=5"])
    assert values(tmp_path / "o.xlsx", "It's R&D") == {"A1": 5, "B1": 15}
    assert values(tmp_path / "o.xlsx", "Inputs")["A1"] == 1


def test_the_only_sheet_needs_no_name(tmp_path):
    """In a book of one sheet the cell alone is enough."""
    found, _ = recalculated(tmp_path, book({"S": {"A1": 1.0, "B1": F("A1*2", 2)}}), "a1=3")
    assert found == {"A1": 3, "B1": 6}


def test_a_defined_name_goes_before_a_cell_of_the_same_spelling(tmp_path):
    """A name that could be read as a cell of the only sheet is the name."""
    content = book({"S": {"A1": 1.0, "FX20": 5.0}}, names={"fx20": "S!$A$1"})
    found, _ = recalculated(tmp_path, content, "FX20=9")
    assert found == {"A1": 9, "FX20": 5}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.4", 0.4), ("40%", 0.4), ("-2.5 %", -0.025), ("1e3", 1000), ("7", 7), (" 7 ", 7),
        ("2026-01-01", 46023), ("-0", 0),
    ],
)  # fmt: skip
def test_numbers_percent_and_dates(tmp_path, text, number):
    """A number cell takes a number, a percentage, or a date as its serial."""
    found, _ = recalculated(tmp_path, sample(), f"Inputs!A1={text}")
    assert found["A1"] == pytest.approx(number, rel=1e-15)
    assert found["B1"] == pytest.approx(2 * number, rel=1e-15)


@pytest.mark.parametrize("system", [1900, 1904])
def test_a_date_is_a_serial_of_the_book_s_own_system(tmp_path, system):
    """A date that is set shows the same year in a 1900 and in a 1904 book."""
    content = book(
        {"S": {"A1": 44000.0, "B1": F("YEAR(A1)*100+MONTH(A1)")}}, date1904=system == 1904
    )
    found, _ = recalculated(tmp_path, content, "A1=2027-03-04")
    assert found["B1"] == 202703
    epoch = dt.date(1899, 12, 30) if system == 1900 else dt.date(1904, 1, 1)
    assert found["A1"] == (dt.date(2027, 3, 4) - epoch).days


@pytest.mark.parametrize(("text", "value"), [("TRUE", True), ("false", False), ("False", False)])
def test_truth_values(tmp_path, text, value):
    """TRUE and FALSE in any case are booleans."""
    found, _ = recalculated(tmp_path, sample(), f"Inputs!A3={text}")
    assert found["A3"] is value
    assert found["B3"] == int(value)


@pytest.mark.parametrize("place", ["A2", "A5"])
@pytest.mark.parametrize(
    "text", ["base", "a<b & 'c' \"d\"", "x=y", "Zürich 東京 😀", "]]>", "2026-01-01"]
)
def test_text_is_text(tmp_path, place, text):
    """A text cell, inline or shared, takes any text: markup, quotes, = and all of Unicode."""
    found, _ = recalculated(tmp_path, sample(), f"Inputs!{place}={text}")
    assert found[place] == text
    if place == "A2" and text.isascii():
        assert found["B2"] == len(text)


def test_text_is_escaped_in_the_file(tmp_path):
    """Text with markup is escaped in the XML."""
    recalculated(tmp_path, sample(), "Inputs!A2=<b>&")
    assert "<t>&lt;b&gt;&amp;</t>" in element(tmp_path / "out.xlsx", "A2")


@pytest.mark.parametrize("text", ["  two before", "one after ", " "])
def test_leading_and_trailing_spaces_of_a_text_stay(tmp_path, text):
    """Spaces around a text are part of it, in the file and to the formulas."""
    found, _ = recalculated(tmp_path, sample(), f"Inputs!A2={text}")
    assert found["A2"] == text
    assert found["B2"] == len(text)


def test_nothing_blanks_a_cell(tmp_path):
    """An empty value blanks the cell, to the formulas too; its style stays."""
    content = book(
        {"S": {"A1": Raw('<c r="A1" s="0"><v>5</v></c>'), "B1": F("ISBLANK(A1)", False)}}
    )
    found, _ = recalculated(tmp_path, content, "A1=")
    assert found == {"B1": True}
    assert element(tmp_path / "out.xlsx", "A1") == '<c r="A1" s="0"/>'


def test_a_blank_cell_takes_a_value(tmp_path):
    """A cell that stands in the file without a value is an input."""
    found, _ = recalculated(tmp_path, sample(), "Inputs!A4=3")
    assert (found["A4"], found["B4"]) == (3, False)


def test_the_last_of_two_settings_counts(tmp_path):
    """The same cell set twice holds what came last, for the file and for the formulas."""
    found, _ = recalculated(tmp_path, sample(), "rate=3", "Inputs!A1=4")
    assert (found["A1"], found["B1"]) == (4, 8)


def test_the_last_of_two_settings_counts_when_it_is_the_saved_value(tmp_path):
    """A setting that puts the saved value back undoes the one before it."""
    found, _ = recalculated(tmp_path, sample(), "rate=3", "Inputs!A1=2")
    assert (found["A1"], found["B1"]) == (2, 4)


def test_several_settings_together(tmp_path):
    """Several settings all take effect, on several sheets."""
    recalculated(tmp_path, sample(), "rate=3", "other=4", "Inputs!A3=FALSE")
    assert values(tmp_path / "out.xlsx", "Inputs")["B1"] == 6
    assert values(tmp_path / "out.xlsx", "Inputs")["B3"] == 0
    assert values(tmp_path / "out.xlsx", "It's R&D")["B1"] == 12


REFUSED = (
    ("Inputs!A1", "CELL=VALUE"),
    ("=5", "CELL=VALUE"),
    (" =5", "CELL=VALUE"),
    ("", "CELL=VALUE"),
    ("Nope!A1=1", "sheets: Inputs, It's R&D"),
    ("!A1=1", "sheets: Inputs, It's R&D"),
    ("A1=1", "no defined name"),
    ("unknown=1", "names: rate, Other"),
    ("Inputs!Z99=1", "unused cell"),
    ("Inputs!B1=1", "holds the formula =A1*2"),
    ("result=1", "holds the formula =A1*2"),
    ("area=1", "no cell"),
    ("Inputs!A1:A2=1", "no cell"),
    ("Inputs!A0=1", "no cell"),
    ("Inputs!XFE1=1", "no cell"),
    ("Inputs!=1", "no cell"),
    ("constant=1", "constant"),
    ("dead=1", "sheets: Inputs, It's R&D"),
    ("rate=nan", "finite"),
    ("rate=-inf", "finite"),
    ("rate=1e999", "finite"),
    ("rate=abc", "neither a number nor a date"),
    ("rate=1,5", "neither a number nor a date"),
    ("rate=2026-02-30", "neither a number nor a date"),
    ("rate=x%", "neither a number nor a date"),
)


@pytest.mark.parametrize(("setting", "hint"), REFUSED)
def test_a_setting_that_cannot_be_used_is_refused(tmp_path, setting, hint):
    """A setting without an input or a value is one line that helps, and nothing is written."""
    path = saved(tmp_path, sample())
    before = digest(path)
    with pytest.raises(SettingError) as caught:
        recalculate(path, None, ["Inputs!A3=FALSE", setting])
    message = str(caught.value)
    assert hint in message
    assert "--set" in message
    assert "\n" not in message
    assert digest(path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]


@pytest.mark.parametrize("text", ["nan%", "inf%", "-infinity %"])
def test_a_percentage_is_finite_too(tmp_path, text):
    """A percentage that is no finite number is refused."""
    with pytest.raises(SettingError):
        recalculated(tmp_path, sample(), f"rate={text}")


def test_a_quoted_sheet_name_may_hold_an_equals_sign(tmp_path):
    """The equals sign inside a quoted sheet name does not end the cell."""
    found, _ = recalculated(tmp_path, book({"a=b": {"A1": 1.0, "B1": F("A1*2", 2)}}), "'a=b'!A1=3")
    assert found == {"A1": 3, "B1": 6}


@pytest.mark.parametrize("text", ["\udcff", "bell\x07"])
def test_text_that_no_file_can_hold_is_refused_or_escaped(tmp_path, text):
    """A text that XML cannot hold is refused as a setting, or escaped as Excel does."""
    try:
        recalculated(tmp_path, sample(), f"Inputs!A2={text}")
    except SettingError:
        return
    except SyntaxError:
        pass
    assert "\x07" not in sheet_part(tmp_path / "out.xlsx")


def test_a_child_of_an_array_formula_is_no_input(tmp_path):
    """A cell that an array formula fills is part of a formula, and setting it is refused."""
    content = book(
        {"S": {"A1": 1.0, "A2": 2.0, "B1": F("A1:A2*10", 10, ' t="array" ref="B1:B2"'), "B2": 20.0}}
    )
    with pytest.raises(SettingError, match="formula"):
        recalculated(tmp_path, content, "B2=5")


@pytest.mark.parametrize("setting", ["A1=1", "A2=x"])
def test_setting_the_value_that_stands_there_changes_nothing(tmp_path, setting):
    """An input set to the value it has moves nothing: no cell is refused for it."""
    content = book({"S": {"A1": 1.0, "A2": "x", "B1": F("NOPE(A1,A2)", 7)}})
    _, report = recalculated(tmp_path, content, setting)
    assert report.findings == []
