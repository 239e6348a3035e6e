"""Charts show the new numbers before Excel opens the file."""

import re
from pathlib import Path

import pytest
from recalc_tools import F, book, parts_of, with_part, zipped

from xltoken.recalc.charts import refreshed
from xltoken.recalc.package import Package, parsed
from xltoken.recalc.sheetxml import ErrorText

CHART = "xl/charts/chart1.xml"
DRAWN = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
NEWER = "application/vnd.ms-office.chartex+xml"
C = "http://schemas.openxmlformats.org/drawingml/2006/chart"


def charted(content: bytes, xml: str, kind: str = DRAWN, part: str = CHART) -> Package:
    """Workbook with one chart part."""
    types = parts_of(content)["[Content_Types].xml"].decode()
    override = f'<Override PartName="/{part}" ContentType="{kind}"/></Types>'
    content = with_part(content, part, xml.encode())
    content = with_part(
        content, "[Content_Types].xml", types.replace("</Types>", override).encode()
    )
    return parsed(Path("book.xlsx"), content)


def points(texts, prefix="c:"):
    """`<c:pt>` elements of the texts that are not None."""
    p = prefix
    return "".join(
        f'<{p}pt idx="{i}"><{p}v>{t}</{p}v></{p}pt>' for i, t in enumerate(texts) if t is not None
    )


def numbers(formula, *texts, prefix="c:", count=None):
    """Series of numbers with its cache."""
    p = prefix
    return (
        f"<{p}val><{p}numRef><{p}f>{formula}</{p}f><{p}numCache><{p}formatCode>0.0%</{p}formatCode>"
        f'<{p}ptCount val="{len(texts) if count is None else count}"/>{points(texts, p)}'
        f"</{p}numCache></{p}numRef></{p}val>"
    )


def labels(formula, *texts):
    """Categories with their cache."""
    return (
        f'<c:cat><c:strRef><c:f>{formula}</c:f><c:strCache><c:ptCount val="{len(texts)}"/>'
        f"{points(texts)}</c:strCache></c:strRef></c:cat>"
    )


def chart(*series, prefix="c:"):
    """Chart part."""
    space = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    return f'<{prefix}chartSpace {space}="{C}"><x/>{"".join(series)}<y a="1"/></{prefix}chartSpace>'


SHEETS = {
    "S": {"A1": "Jan", "A2": "Feb", "A3": "Mar", "B1": 1.0, "B2": F("B1*2", 2.0), "B3": 3.0},
    "It's & more": {"A1": 5.0, "B1": 6.0, "C1": 7.0},
}
BOOK = book(SHEETS)


def became(xml, values, content=BOOK):
    """Chart part after the cells took these values; None when it did not change."""
    found = refreshed(charted(content, xml), values)
    assert set(found) <= {CHART}
    return found[CHART].decode() if found else None


def s(column, *values):
    """Values of a column of the sheet S, from its first row."""
    return {("S", row, column): value for row, value in enumerate(values, 1)}


def test_only_the_points_of_changed_cells_change():
    """Every byte but the number of the changed point stays as it was."""
    before = chart(labels("S!$A$1:$A$3", "Jan", "Feb", "Mar"), numbers("S!$B$1:$B$3", 1, 2, 3))
    after = chart(labels("S!$A$1:$A$3", "Jan", "Feb", "Mar"), numbers("S!$B$1:$B$3", 1, 2.5, 3))
    assert became(before, {("S", 2, 2): 2.5}) == after


@pytest.mark.parametrize(
    ("value", "text"),
    [(4.0, "4"), (0.1 + 0.2, "0.30000000000000004"), (-1e-9, "-1e-09"), (1e300, "1e+300"),
     (True, "1"), (False, "0"), ("n/a", "0"), ("", "0"), (ErrorText("#N/A"), "#N/A"),
     (ErrorText("#DIV/0!"), "#DIV/0!"), (float("nan"), "#NUM!"), (None, None)],
)  # fmt: skip
def test_every_kind_of_value_is_cached_as_it_is_drawn(value, text):
    """Numbers with all digits, errors as their text, text as 0, a blank as no point at all."""
    before = chart(numbers("S!$B$1:$B$3", 1, 2, 3))
    after = chart(numbers("S!$B$1:$B$3", 1, text, 3, count=3))
    assert became(before, {("S", 2, 2): value}) == after


@pytest.mark.parametrize("prefix", ["c:", "", "chart.x:"])
def test_a_blank_that_becomes_a_number_gets_its_point_back(prefix):
    """Missing points are put in their place: first, between, last, and side by side."""
    for texts in ([None, None, None], [1, None, 3], [None, None, 3], [1, None, None]):
        before = chart(numbers("S!$B$1:$B$3", *texts, prefix=prefix), prefix=prefix)
        after = chart(numbers("S!$B$1:$B$3", 1, 8, 3, prefix=prefix), prefix=prefix)
        assert became(before, s(2, 1.0, 8.0, 3.0)) == after


def test_points_that_vanish_and_appear_together():
    """Deleting one point and adding its neighbour leaves the points in order."""
    before = chart(numbers("S!$B$1:$B$3", 1, None, 3))
    after = chart(numbers("S!$B$1:$B$3", None, 2, None))
    assert became(before, s(2, None, 2.0, None)) == after


@pytest.mark.parametrize("prefix", ["", "c:", "chart.x:"])
def test_any_prefix_is_understood(prefix):
    """The namespace prefix of the chart elements is the file's own choice."""
    before = chart(numbers("S!$B$1:$B$3", 1, 2, 3, prefix=prefix), prefix=prefix)
    after = chart(numbers("S!$B$1:$B$3", 9, 2, 3, prefix=prefix), prefix=prefix)
    assert became(before, {("S", 1, 2): 9.0}) == after


@pytest.mark.parametrize(
    "formula",
    ["'It''s &amp; more'!$A$1:$C$1", "'It''s &amp; more'!A1:C1", "'IT''S &amp; MORE'!$C$1:$A$1",
     "('It''s &amp; more'!$A$1,'It''s &amp; more'!$B$1:$C$1)",
     " 'It''s &amp; more'!$A$1 , 'It''s &amp; more'!$B$1 , 'It''s &amp; more'!$C$1 "],
)  # fmt: skip
def test_quoted_sheets_and_several_areas_are_understood(formula):
    """Points count along the areas in the order in which they are named."""
    before, after = chart(numbers(formula, 5, 6, 7)), chart(numbers(formula, 5, 66, 7))
    assert became(before, {("It's & more", 1, 2): 66.0}) == after


@pytest.mark.parametrize(
    "formula", ["[0]!Costs", "book.xlsx!costs", "'my book.xlsx'!Costs", "S!COSTS"]
)
def test_names_of_the_workbook_are_understood(formula):
    """A name that is a plain reference stands for its cells, however it is qualified."""
    content = book(SHEETS, names={"Costs": "S!$B$1:$B$3"})
    before, after = chart(numbers(formula, 1, 2, 3)), chart(numbers(formula, 1, 7, 3))
    assert became(before, {("S", 2, 2): 7.0}, content) == after


@pytest.mark.parametrize(
    "formula",
    ["[1]S!$B$1:$B$3", "'[other.xlsx]S'!$B$1:$B$3", "[1]!Costs", "[0]!Moving", "[0]!Unknown",
     "Missing!$B$1:$B$3", "S!$B:$B", "#REF!", "$B$1:$B$3", "S!$B$1:$B$2", "S!$B$1:$B$4",
     "(S!$B$1:$B$2,[1]S!$B$3)", "(S!$B$1:$B$2,[0]!Unknown)", "S!Own", ""],
)  # fmt: skip
def test_what_is_not_understood_is_left_alone(formula):
    """External cells, formulas as names, a sheet's own names, and caches of another size stay."""
    content = book(
        SHEETS,
        names={"Costs": "S!$B$1:$B$3", "Moving": "OFFSET(S!$B$1,0,0,3)", "Own": "S!$B$1:$B$3"},
        local_names='<definedName name="own" localSheetId="0">S!$A$1:$A$3</definedName>',
    )
    assert became(chart(numbers(formula, 1, 2, 3)), s(2, 7.0, 8.0, 9.0), content) is None


def test_an_unchanged_value_changes_nothing():
    """The same number, however it is spelled, is no reason to touch a chart."""
    xml = chart(labels("S!$A$1:$A$2", "Jan", "Feb"), numbers("S!$B$1:$B$3", "1.0", "2E0", 3))
    assert became(xml, {**s(1, "Jan", "Feb"), **s(2, 1.0, 2.0, 3.0)}) is None
    assert became(xml, {}) is None
    assert became(xml, {("S", 9, 9): 1.0, ("It's & more", 1, 1): 1.0}) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [("Q1 & <2>", "Q1 &amp; &lt;2&gt;"), (ErrorText("#N/A"), "#N/A"), (True, "TRUE"), ("", ""),
     (2.5, "2.5"), (None, None), ("bell\x07", "bell_x0007_")],
)  # fmt: skip
def test_labels_take_every_kind_of_value(value, text):
    """A label shows text as it is, and a number that takes the place of a text plainly."""
    before = chart(labels("S!$A$1:$A$3", "Jan", "Feb", "Mar"))
    after = chart(labels("S!$A$1:$A$3", "Jan", text, "Mar"))
    assert became(before, {("S", 2, 1): value}) == after


def test_a_label_in_a_number_format_is_left_alone():
    """How a format would show the new number is not known here, so the old label stays."""
    xml = chart(labels("S!$B$1:$B$3", "1", "200%", "3"))
    assert became(xml, {("S", 2, 2): 4.0}) is None
    assert became(xml, {("S", 1, 2): 4.0}) == chart(labels("S!$B$1:$B$3", "4", "200%", "3"))
    assert became(xml, {("S", 2, 2): "two"}) == chart(labels("S!$B$1:$B$3", "1", "two", "3"))


def test_labels_of_several_levels_are_left_alone():
    """A cache of several levels is not a list of points."""
    xml = chart(labels("S!$A$1:$A$3", "Jan", "Feb", "Mar")).replace("strCache", "multiLvlStrCache")
    assert became(xml, s(1, "x", "y", "z")) is None


def test_labels_from_cells_are_refreshed():
    """Data labels that show cells are a cache like any other."""
    before = (
        '<c15:datalabelsRange xmlns:c15="x"><c15:f>S!$A$1:$A$3</c15:f><c15:dlblRangeCache>'
        f'<c:ptCount val="3"/>{points(["Jan", "Feb", "Mar"])}</c15:dlblRangeCache></c15:datalabelsRange>'
    )
    assert became(chart(before), {("S", 3, 1): "Apr"}) == chart(before.replace("Mar", "Apr"))


def test_spaces_attributes_and_empty_points_are_understood():
    """Line breaks between elements, attributes of points and points without a value are kept."""
    before = (
        '<c:f>\nS!$B$1:$B$3\n</c:f>\n <c:numCache>\n<c:ptCount val="3"></c:ptCount>\n'
        '<c:pt idx=\'0\' formatCode="0.0">\n<c:v>1</c:v>\n</c:pt>\n<c:pt idx="1"/>\n'
        '<c:extLst><c:ext uri="u"/></c:extLst></c:numCache>'
    )
    after = became(chart(before), s(2, 9.0, 8.0, 7.0))
    assert "<c:pt idx='0' formatCode=\"0.0\"><c:v>9</c:v></c:pt>" in after
    assert re.findall(r"<c:v>(.*?)</c:v>", after) == ["9", "8", "7"]
    assert after.index("<c:v>7") < after.index("<c:extLst>")
    assert "</c:ptCount>" in after


def test_points_out_of_order_are_left_alone():
    """A cache that is not as the format asks is not ours to repair."""
    first, second = points([1]), points([None, 2])
    for inner in (
        f'<c:ptCount val="3"/>{second}{first}',
        f'{first}<c:ptCount val="3"/>{second}',
        first + second,
    ):
        xml = chart(f"<c:f>S!$B$1:$B$3</c:f><c:numCache>{inner}</c:numCache>")
        assert became(xml, s(2, 7.0, 8.0, 9.0)) is None


def newer(numbers_, texts=("Jan", "Feb", "Mar"), *, levels=1):
    """Part of a newer chart (waterfall, treemap, ...), whose points have no `<v>`."""
    level = f'<cx:lvl ptCount="3">{"".join(f"<cx:pt idx={chr(34)}{i}{chr(34)}>{t}</cx:pt>" for i, t in enumerate(texts))}</cx:lvl>'
    drawn = "".join(
        f'<cx:pt idx="{i}">{n}</cx:pt>' for i, n in enumerate(numbers_) if n is not None
    )
    return (
        f'<cx:chartSpace xmlns:cx="x"><cx:data id="0"><cx:strDim type="cat"><cx:f>S!$A$1:$A$3</cx:f>'
        f'{level * levels}</cx:strDim><cx:numDim type="val"><cx:f dir="row">S!$B$1:$B$3</cx:f>'
        f'<cx:nf>S!$B$1</cx:nf><cx:lvl ptCount="3" formatCode="General">{drawn}</cx:lvl></cx:numDim>'
        "</cx:data></cx:chartSpace>"
    )


@pytest.mark.parametrize(
    ("values", "after"),
    [({("S", 2, 2): 2.5}, [1, 2.5, 3]), ({("S", 2, 2): None}, [1, None, 3]),
     ({("S", 1, 2): ErrorText("#N/A")}, [None, 2, 3]), ({("S", 3, 2): "text"}, [1, 2, None])],
)  # fmt: skip
def test_the_newer_charts_are_refreshed(values, after):
    """A waterfall's numbers are refreshed too; what is no number is not drawn."""
    part = "xl/charts/chartEx1.xml"
    found = refreshed(charted(BOOK, newer([1, 2, 3]), NEWER, part), values)
    assert {n: x.decode() for n, x in found.items()} == {part: newer(after)}


def test_the_newer_charts_labels_are_refreshed():
    """Labels of one level are refreshed, those of several are left alone."""
    part = "xl/charts/chartEx1.xml"
    found = refreshed(charted(BOOK, newer([1, 2, 3]), NEWER, part), {("S", 1, 1): "Q<1"})
    assert found[part].decode() == newer([1, 2, 3], ("Q&lt;1", "Feb", "Mar"))
    many = charted(BOOK, newer([1, None, 3], levels=2), NEWER, part)
    assert refreshed(many, {("S", 1, 1): "Q1"}) == {}
    found = refreshed(many, {("S", 1, 1): "Q1", ("S", 2, 2): 2.0})
    assert found[part].decode() == newer([1, 2, 3], levels=2).replace("2.0", "2")


def test_charts_are_found_by_their_content_type():
    """A chart part may stand anywhere; a part that the book names but lacks is passed over."""
    xml = chart(numbers("S!$B$1:$B$3", 1, 2, 3))
    package = charted(BOOK, xml, part="xl/graphs/one.xml")
    assert set(refreshed(package, {("S", 2, 2): 5.0})) == {"xl/graphs/one.xml"}
    assert refreshed(charted(BOOK, xml, "application/xml"), {("S", 2, 2): 5.0}) == {}
    content = package.content
    gone = {n: d for n, d in parts_of(content).items() if n != "xl/graphs/one.xml"}
    assert refreshed(parsed(Path("b.xlsx"), zipped(gone)), {("S", 2, 2): 5.0}) == {}
