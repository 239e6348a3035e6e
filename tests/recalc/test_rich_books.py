"""A workbook with everything in it: a recalculation changes values and nothing else."""

import datetime as dt
import io
import math
import re
import warnings
import zipfile

import openpyxl
import pytest
from openpyxl.chart import LineChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule, DataBarRule
from openpyxl.styles import PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from recalc_tools import differing, parts_of, saved, values, zipped

from xltoken.functions import FUNCTIONS
from xltoken.recalc.workbook import recalculate

X14 = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
SPARKLINE = (
    '<extLst><ext uri="{05C60535-1F16-4fd2-B633-F4F36F0B64E0}" xmlns:x14="' + X14 + '">'
    '<x14:sparklineGroups xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main">'
    '<x14:sparklineGroup><x14:colorSeries rgb="FF376092"/><x14:sparklines><x14:sparkline>'
    "<xm:f>Model!B2:B13</xm:f><xm:sqref>F1</xm:sqref></x14:sparkline></x14:sparklines>"
    "</x14:sparklineGroup></x14:sparklineGroups></ext></extLst>"
)
ARRAY = ("A30", "A31", "A32")
DYNAMIC = (
    '<row r="30"><c r="A30" cm="1"><f t="array" ref="A30:A32">_xlfn.SEQUENCE(3)*growth</f>'
    '<v>0.02</v></c></row><row r="31"><c r="A31"><v>0.04</v></c></row>'
    '<row r="32"><c r="A32"><v>0.06</v></c></row>'
)
TEXT_BOX = (
    '<xdr:twoCellAnchor xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    "<xdr:from><xdr:col>9</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>20</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>"
    "<xdr:to><xdr:col>12</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>24</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:to>"
    '<xdr:sp macro="" textlink=""><xdr:nvSpPr><xdr:cNvPr id="9" name="Box"/><xdr:cNvSpPr txBox="1"/></xdr:nvSpPr>'
    '<xdr:spPr><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr>'
    "<xdr:txBody><a:bodyPr/><a:p><a:r><a:t>Approved &amp; signed</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
    "<xdr:clientData/></xdr:twoCellAnchor>"
)
MONTHS = 12


def drawn(growth: float = 0.02, *, date1904: bool = False) -> bytes:
    """Model of a year with a chart, validation, conditional formats, table, comment and names."""
    wb = openpyxl.Workbook()
    wb.epoch = CALENDAR_MAC_1904 if date1904 else CALENDAR_WINDOWS_1900
    inputs = wb.active
    inputs.title = "Inputs"
    for row in (
        ["Growth a month", growth],
        ["First month", dt.date(2026, 1, 1)],
        ["Platform", "B200"],
        ["Workload", "deepseek-r1/chat"],
        ["Discount", 0.1],
    ):
        inputs.append(row)
    check = DataValidation(type="decimal", operator="between", formula1="-1", formula2="1")
    check.add("B1")
    inputs.add_data_validation(check)
    inputs["B1"].comment = Comment("Agreed in March.", "CFO")
    inputs["B2"].number_format = "d mmm yyyy"
    inputs["B5"].number_format = "0.0%"
    model = wb.create_sheet("Model")
    model.append(["Month", "Volume", "Unit cost", "Cost", "Flag"])
    for r in range(2, 2 + MONTHS):
        model.append(
            [
                "=first" if r == 2 else f"=EDATE(A{r - 1},1)",
                100_000 if r == 2 else f"=B{r - 1}*(1+growth)",
                f"=TOKEN_COST(Inputs!$B$3,A{r},Inputs!$B$4)",
                f"=B{r}*C{r}",
                f'=IF(B{r}>110000,"high","low")',
            ]
        )
        model[f"A{r}"].number_format = "mmm yy"
    end = 1 + MONTHS
    model["G1"], model["H1"] = "Total", f"=SUM(D2:D{end})"
    model["G2"], model["H2"] = "Worth", f"=NPV_STATIC(Inputs!$B$5,B2:B{end},C2:C{end},,)"
    model["G3"], model["H3"] = "Any high?", f'=COUNTIF(E2:E{end},"high")>0'
    model["G4"], model["H4"] = "Lost", '=MATCH("none",E2:E13,0)'
    model.conditional_formatting.add(
        "B2:B13", ColorScaleRule("min", None, "FFFFFF", "max", None, "FF0000")
    )
    model.conditional_formatting.add("D2:D13", DataBarRule("min", None, "max", None, "FF638EC6"))
    red = PatternFill("solid", bgColor="FFC7CE")
    model.conditional_formatting.add("C2:C13", CellIsRule("greaterThan", ["0.1"], fill=red))
    chart = LineChart()
    chart.add_data(Reference(model, min_col=4, min_row=1, max_row=end), titles_from_data=True)
    model.add_chart(chart, "J2")
    model.freeze_panes = "B2"
    notes = wb.create_sheet("Notes & R'emarks")
    notes.append(["Item", "Amount"])
    notes.append(["a", 1])
    notes.append(["b", 2])
    notes["D1"] = "=SUM(B2:B3)"
    notes.add_table(Table(displayName="Items", ref="A1:B3"))
    for name, target in (("growth", "Inputs!$B$1"), ("first", "Inputs!$B$2")):
        wb.defined_names[name] = DefinedName(name, attr_text=target)
    buffer = io.BytesIO()
    wb.save(buffer)
    return buffer.getvalue()


def enriched(content: bytes) -> bytes:
    """Book with what openpyxl cannot write put into the parts by hand."""
    parts = parts_of(content)

    def inject(name: str, before: str, text: str) -> None:
        xml = parts[name].decode()
        assert xml.count(before) == 1
        parts[name] = xml.replace(before, text + before).encode()

    inject("xl/worksheets/sheet2.xml", "</worksheet>", SPARKLINE)
    inject("xl/worksheets/sheet2.xml", "</sheetData>", DYNAMIC)
    drawing = parts["xl/drawings/drawing1.xml"].decode()
    end = re.search(r"</(?:\w+:)?wsDr>$", drawing.rstrip())
    assert end is not None
    inject("xl/drawings/drawing1.xml", end[0], TEXT_BOX)
    inject(
        "[Content_Types].xml",
        "</Types>",
        '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>',
    )
    parts["xl/vbaProject.bin"] = bytes(range(256)) * 8
    parts["customXml/item1.xml"] = b'<?xml version="1.0"?>\r\n<intellisense  a = "1"/>\n'
    parts["xl/calcChain.xml"] = b"<calcChain/>"
    parts["docProps/thumbnail.jpeg"] = b"\xff\xd8\xff"
    return zipped(parts)


@pytest.fixture(scope="module", params=[False, True], ids=["1900", "1904"])
def rich(tmp_path_factory, request):
    """Rich book with its values saved, in both date systems."""
    folder = tmp_path_factory.mktemp("rich")
    path = saved(folder, drawn(date1904=request.param), "plain.xlsx")
    report = recalculate(path)
    assert report.findings == []
    return saved(folder, enriched(path.read_bytes()), "rich.xlsx")


@pytest.fixture
def after(rich, tmp_path):
    """The rich book with a higher growth."""
    out = tmp_path / "after.xlsx"
    report = recalculate(rich, out, ["growth=0.03"])
    assert report.findings == []
    return out, report


def cells_of(xml: bytes) -> dict[str, bytes]:
    """`<c>` elements of a sheet by address, by a search of this test's own."""
    found = re.findall(rb'<c r="([A-Z]+[0-9]+)"[^>]*?(?:/>|>.*?</c>)', xml)
    whole = [m[0] for m in re.finditer(rb'<c r="[A-Z]+[0-9]+"[^>]*?(?:/>|>.*?</c>)', xml)]
    return dict(zip((place.decode() for place in found), whole, strict=True))


def test_without_changes_every_part_is_the_same(rich, tmp_path):
    """A book whose values all stand is written with every part byte for byte."""
    report = recalculate(rich, tmp_path / "same.xlsx")
    assert differing(rich, tmp_path / "same.xlsx") == set()
    assert report.summary["right"] == report.summary["judged"] > 0
    assert report.summary["changed"] == 0


def test_only_sheets_with_changed_values_differ(rich, after):
    """One changed input changes its sheet and the sheets that depend on it, and no other part."""
    assert differing(rich, after[0]) == {"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"}


def test_only_the_changed_cells_differ(rich, after):
    """In a changed sheet everything but the reported cells is byte for byte as it was."""
    out, report = after
    old, new = parts_of(rich), parts_of(out)
    changed = {c.cell for c in report.cells if c.sheet == "Model"} | set(ARRAY)
    for part, may in (("xl/worksheets/sheet1.xml", {"B1"}), ("xl/worksheets/sheet2.xml", changed)):
        before, now = cells_of(old[part]), cells_of(new[part])
        assert {p for p in before if before[p] != now[p]} == may
        rest = re.compile(rb'<c r="[A-Z]+[0-9]+"[^>]*?(?:/>|>.*?</c>)')
        assert rest.sub(b"", old[part]) == rest.sub(b"", new[part])


def test_formulas_stay_as_they_were(rich, after):
    """Every formula of the book is after a recalculation the text that it was."""
    pattern = re.compile(rb"<f[ >].*?</f>")
    for part in (
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
        "xl/worksheets/sheet3.xml",
    ):
        assert pattern.findall(parts_of(rich)[part]) == pattern.findall(parts_of(after[0])[part])


def test_values_are_those_of_plain_arithmetic(after):
    """Dates, volumes, costs, totals, texts, booleans and errors are what Python computes."""
    found = values(after[0], "Model")
    volume, total, worth = 100_000.0, 0.0, 0.0
    for i in range(MONTHS):
        r = i + 2
        month = dt.date(2026 + i // 12, 1 + i % 12, 1)
        unit = FUNCTIONS["TOKEN_COST"]("B200", month, "deepseek-r1/chat")
        assert found[f"A{r}"].date() == month
        assert math.isclose(found[f"B{r}"], volume, rel_tol=1e-9)
        assert math.isclose(found[f"C{r}"], unit, rel_tol=1e-9)
        assert math.isclose(found[f"D{r}"], volume * unit, rel_tol=1e-9)
        assert found[f"E{r}"] == ("high" if volume > 110_000 else "low")
        total += volume * unit
        worth -= volume * unit / 1.1 ** ((i + 1) / 12)
        volume *= 1.03
    assert math.isclose(found["H1"], total, rel_tol=1e-9)
    assert math.isclose(found["H2"], worth, rel_tol=1e-9)
    assert found["H3"] is True
    assert found["H4"] == "#N/A"


def test_values_equal_a_fresh_computation(after, tmp_path):
    """Setting an input gives what the same book, drawn anew with that input, computes."""
    fresh = saved(tmp_path, drawn(growth=0.03), "fresh.xlsx")
    recalculate(fresh)
    for sheet in ("Inputs", "Model", "Notes & R'emarks"):
        one, other = values(after[0], sheet), values(fresh, sheet)
        if sheet == "Model":
            assert [one.pop(place) for place in ARRAY] == pytest.approx([0.03, 0.06, 0.09])
        assert one.keys() == other.keys()
        for place, value in one.items():
            if isinstance(value, float):
                assert math.isclose(value, other[place], rel_tol=1e-9), (sheet, place)
            else:
                assert value == other[place], (sheet, place)


def test_openpyxl_still_opens_it(after):
    """Another program opens the result and finds charts, formats, table, comment and names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wb = openpyxl.load_workbook(after[0], keep_vba=True)
    assert wb["Inputs"]["B1"].value == 0.03
    assert wb["Inputs"]["B1"].comment.text == "Agreed in March."
    assert wb["Inputs"].data_validations.dataValidation[0].sqref == "B1"
    assert len(wb["Model"].conditional_formatting) == 3
    assert len(wb["Model"]._charts) == 1
    assert wb["Model"].freeze_panes == "B2"
    assert list(wb["Notes & R'emarks"].tables) == ["Items"]
    assert set(wb.defined_names) == {"growth", "first"}


def test_what_openpyxl_would_lose_is_kept(rich, after):
    """Sparklines, text boxes, macros, custom XML and unknown parts survive."""
    parts = parts_of(after[0])
    assert SPARKLINE.encode() in parts["xl/worksheets/sheet2.xml"]
    assert b"Approved &amp; signed" in parts["xl/drawings/drawing1.xml"]
    for name in (
        "xl/vbaProject.bin",
        "customXml/item1.xml",
        "docProps/thumbnail.jpeg",
        "xl/calcChain.xml",
    ):
        assert parts[name] == parts_of(rich)[name]
    with zipfile.ZipFile(rich) as one, zipfile.ZipFile(after[0]) as other:
        assert one.namelist() == other.namelist()
        assert other.testzip() is None


def test_there_and_back_gives_the_old_values(rich, after, tmp_path):
    """Setting an input back gives the book as it was, every value to the last bit."""
    back = tmp_path / "back.xlsx"
    recalculate(after[0], back, ["growth=0.02"])
    for sheet in ("Inputs", "Model", "Notes & R'emarks"):
        assert values(back, sheet) == values(rich, sheet)


def test_a_second_recalculation_changes_nothing(after):
    """What a recalculation wrote, the next one finds right, in place and byte for byte."""
    out, _ = after
    before = out.read_bytes()
    report = recalculate(out)
    assert out.read_bytes() == before
    assert report.summary["right"] == report.summary["judged"]
    assert report.cells == []


def test_the_report_tells_what_changed(after):
    """The report names each changed cell with old and new value, and counts add up."""
    out, report = after
    found = values(out, "Model")
    assert report.output == out
    assert report.summary["changed"] == len(report.cells) > MONTHS
    for cell in report.cells:
        assert cell.status == "changed"
        assert cell.saved != cell.computed
        assert found[cell.cell] == cell.computed
    functions = {c.function for c in report.cells}
    assert functions == {"", "NPV_STATIC"}
    as_dict = report.as_dict()
    assert as_dict["summary"] == report.summary
    assert as_dict["engine"] == "formualizer"
    assert as_dict["file"].endswith("rich.xlsx")
    assert [c["cell"] for c in as_dict["cells"]] == [c.cell for c in report.cells]
