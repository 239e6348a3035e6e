"""Charts of scenarios: a sweep's line, a simulation's histogram, a tornado's bars."""

from collections.abc import Sequence
from typing import Any, Final

from openpyxl.chart import BarChart, LineChart, Reference, ScatterChart
from openpyxl.chart.marker import Marker
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Font,
    Paragraph,
    ParagraphProperties,
)

from xltoken.recalc.sheetxml import Value

FONT: Final = "Calibri"
FIRST: Final = "1F4E79"
SECOND: Final = "B45309"

_MOST_MARKED: Final = 200
"""Points beyond which markers hide each other."""


def sweep_chart(
    sheet: Any,
    titles: Sequence[str],
    inputs: Sequence[Sequence[Value]],
    output: Sequence[Value],
    formats: Sequence[str],
) -> Any:
    """First output over the first input that varies, if that is numbers; else over the scenarios.

    Parameters
    ----------
    sheet : worksheet
        Holds the results from row 1: scenario, inputs, outputs.
    titles : sequence of str
        Titles of its columns.
    inputs, output : sequences of values
        Columns of the inputs, and that of the first output.
    formats : sequence of str
        Number formats of inputs and outputs.
    """
    rows, at = len(output), len(inputs) + 2
    ys = Reference(sheet, min_col=at, min_row=2, max_row=rows + 1)
    moving = [number for number, values in enumerate(inputs) if len(set(values)) > 1]
    first = moving[0] if moving else 0
    xs = inputs[first]
    numeric = bool(moving) and all(isinstance(value, float) for value in xs)
    if numeric:
        chart: Any = ScatterChart(scatterStyle="lineMarker")
        under = Reference(sheet, min_col=first + 2, min_row=2, max_row=rows + 1)
        series: Any = SeriesFactory(ys, under, title=titles[at - 1])
        # A line is drawn only where it means something: one input, in order.
        line = len(moving) == 1 and sorted(map(_key, xs)) == [_key(x) for x in xs]
        x_title, x_format = titles[first + 1], formats[first]
    else:
        chart, line = LineChart(), True
        series = SeriesFactory(ys, title=titles[at - 1])
        chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=rows + 1))
        x_title, x_format = titles[0], "General"
    _paint(series, FIRST, line=line, marked=not line or rows <= _MOST_MARKED)
    chart.series.append(series)
    if not numeric:
        chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=rows + 1))
    _dress(chart, f"{titles[at - 1]} over {x_title}", x_title, titles[at - 1], formats[at - 2])
    chart.x_axis.number_format = x_format
    chart.legend = None
    chart.width, chart.height = 26, 11
    return chart


def histogram_chart(sheet: Any, label: str, column: int, bins: int, number_format: str) -> Any:
    """Bars of how often a result came, and the share up to each bin as a line.

    Parameters
    ----------
    sheet : worksheet
        Holds the bins from row 4 on, below their titles in row 3.
    label : str
        The watched cell.
    column, bins : int
        First column of its block (from, to, share, share up to here), and its number of rows.
    number_format : str
        That of the result.
    """
    last = bins + 3
    bars: Any = BarChart()
    bars.type, bars.gapWidth = "col", 4
    series: Any = SeriesFactory(
        Reference(sheet, min_col=column + 2, min_row=4, max_row=last), title="share of draws"
    )
    series.graphicalProperties = GraphicalProperties(solidFill=FIRST)
    bars.series.append(series)
    under = Reference(sheet, min_col=column, min_row=4, max_row=last)
    bars.set_categories(under)
    _dress(bars, f"{label}: how often each result came", f"{label}, from", "share of draws", "0%")
    bars.x_axis.number_format = number_format
    bars.x_axis.tickLblSkip = max(1, bins // 8)
    bars.x_axis.tickLblPos = "low"
    line: Any = LineChart()
    total: Any = SeriesFactory(
        Reference(sheet, min_col=column + 3, min_row=4, max_row=last), title="share up to here"
    )
    _paint(total, SECOND, line=True, marked=False)
    line.series.append(total)
    line.set_categories(under)
    # A hidden category axis of its own, as Excel wants it for a second value axis.
    line.x_axis.axId, line.y_axis.axId = 500, 200
    line.x_axis.crossAx, line.y_axis.crossAx = 200, 500
    line.x_axis.delete = True
    line.y_axis.crosses = "max"
    line.y_axis.title = "share up to here"
    line.y_axis.delete = False
    line.y_axis.number_format = "0%"
    line.y_axis.majorGridlines = None
    line.y_axis.scaling.min, line.y_axis.scaling.max = 0, 1
    _fonts(line.y_axis)
    bars += line
    bars.legend.position = "b"
    bars.width, bars.height = 22, 10.5
    return bars


def tornado_chart(sheet: Any, label: str, head: int, bars: int, number_format: str) -> Any:
    """Horizontal bars around the result as it stands, the largest swing on top.

    Parameters
    ----------
    sheet : worksheet
        Holds the bars below row `head`: the input in column A, the changes in columns I and J.
    label : str
        The watched cell.
    bars : int
        Number of bars.
    number_format : str
        That of the result.
    """
    chart: Any = BarChart()
    chart.type, chart.overlap, chart.gapWidth = "bar", 100, 40
    for column, title, colour in ((9, "at the low end", SECOND), (10, "at the high end", FIRST)):
        values = Reference(sheet, min_col=column, min_row=head + 1, max_row=head + bars)
        series: Any = SeriesFactory(values, title=title)
        series.graphicalProperties = GraphicalProperties(solidFill=colour)
        series.invertIfNegative = False
        chart.series.append(series)
    chart.set_categories(Reference(sheet, min_col=1, min_row=head + 1, max_row=head + bars))
    _dress(chart, f"What moves {label}", "", f"change of {label} from where it stands",
           number_format)  # fmt: skip
    chart.x_axis.title = None
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.tickLblPos = "low"
    chart.y_axis.crosses = "max"
    chart.legend.position = "b"
    chart.width, chart.height = 26, max(7.0, 4.0 + 0.9 * bars)
    return chart


def _paint(series: Any, colour: str, *, line: bool, marked: bool) -> None:
    series.graphicalProperties = GraphicalProperties(
        ln=LineProperties(solidFill=colour, w=22_000) if line else LineProperties(noFill=True)
    )
    series.smooth = False
    series.marker = Marker(symbol="circle", size=5) if marked else Marker(symbol="none")
    if marked:
        series.marker.graphicalProperties = GraphicalProperties(
            solidFill=colour, ln=LineProperties(solidFill=colour)
        )


def _dress(chart: Any, title: str, x_title: str, y_title: str, number_format: str) -> None:
    chart.title = title
    chart.title.tx.rich.p[0].pPr = ParagraphProperties(defRPr=_letters(1300, bold=True))
    for run in chart.title.tx.rich.p[0].r or ():
        run.rPr = _letters(1300, bold=True)
    chart.title.overlay = False
    chart.x_axis.title, chart.y_axis.title = x_title, y_title
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = number_format
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="DDE2E8"))
    if chart.x_axis.majorGridlines is not None:
        chart.x_axis.majorGridlines = None
    _fonts(chart.x_axis)
    _fonts(chart.y_axis)


def _fonts(axis: Any) -> None:
    axis.txPr = RichText(
        p=[Paragraph(pPr=ParagraphProperties(defRPr=_letters(900)), endParaRPr=_letters(900))]
    )
    for paragraph in axis.title.tx.rich.p if axis.title is not None else ():
        for run in paragraph.r or ():
            run.rPr = _letters(1000)


def _letters(size: int, *, bold: bool = False) -> Any:
    return CharacterProperties(sz=size, b=bold, latin=Font(typeface=FONT))


def _key(value: Value) -> float:
    return value if isinstance(value, float) else 0.0
