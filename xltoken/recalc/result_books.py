"""Results of scenarios as a workbook: the summary and its chart first, every figure behind it."""

import io
import math
from typing import Any, Final

from openpyxl.styles import NamedStyle
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

import xltoken
from xltoken.economics.samples import histogram
from xltoken.recalc.number_formats import caption, format_of
from xltoken.recalc.package import Place
from xltoken.recalc.result_charts import histogram_chart, sweep_chart, tornado_chart
from xltoken.recalc.result_pages import (
    COUNT,
    LABEL_WIDTH,
    NUMBER_WIDTH,
    SHARE,
    STYLES,
    Page,
    Written,
    timeless,
)
from xltoken.recalc.results import table
from xltoken.recalc.scenario_input import Book
from xltoken.recalc.scenarios import PERCENTILES, Simulated, Swept, Tornado, numbers
from xltoken.recalc.sheetxml import Value

_MOST_CHARTS: Final = 6
_MOST_POINTS: Final = 20_000
"""Points beyond which a chart is slower than useful."""


_ON_ERRORS: Final = (
    "Standard error: that of independent draws; for these, which are even, an upper bound."
)
_ON_PERCENTILES: Final = (
    "Percentiles by linear interpolation, as PERCENTILE.INC; draws without a number are left out."
)


def book_of(found: Swept | Simulated | Tornado) -> bytes:
    """Workbook of results, the same bytes for the same results."""
    book = Workbook(write_only=True)
    for name, parts in STYLES.items():
        book.add_named_style(NamedStyle(name=name, **parts))
    if isinstance(found, Swept):
        _sweep(book, found)
    elif isinstance(found, Simulated):
        _simulation(book, found)
    else:
        _tornado(book, found)
    book.properties.title = found.book.stamp
    book.properties.creator = f"xltoken {xltoken.__version__}"
    buffer = io.BytesIO()
    book.save(buffer)
    return timeless(buffer.getvalue())


def _sweep(book: Any, found: Swept) -> None:
    rows = found.rows
    watched = found.book.watched
    outputs = [[result[at] for _, _, result in rows] for at in range(len(watched))]
    inputs = [[row[at] for _, row, _ in rows] for at in range(len(found.scenarios.labels))]
    page = Page(book, "Summary", [LABEL_WIDTH, LABEL_WIDTH, *[NUMBER_WIDTH] * 7])
    of = found.runs
    reached = "" if of.done == len(of.results) else f" of {len(of.results):,}"
    page.title(
        f"Sweep of {found.book.package.path.name}: {of.done:,}{reached} scenarios", found.book.stamp
    )
    page.section("What comes out")
    page.heads(("Output", "what it is", "smallest", "10 %", "median", "90 %", "largest", "mean",
                "errors"), 2)  # fmt: skip
    for (label, place), values in zip(watched.items(), outputs, strict=True):
        shown = _format(found.book, place, numbers(values))
        figures = found.figures[label]
        page.add(
            (label, "r_answer_label", ""),
            (caption(found.book.package, place), "r_label", ""),
            *((figures.percentiles.get(p), "r_value", shown) for p in (0, 10)),
            (figures.percentiles.get(50), "r_answer", shown),
            *((figures.percentiles.get(p), "r_value", shown) for p in (90, 100)),
            (figures.mean, "r_value", shown),
            (float(figures.errors), "r_value", COUNT),
        )
    page.section("What varies")
    page.heads(("Input", "what it is", "as it stands", "smallest", "largest", "values"), 2)
    places = found.scenarios.places
    for label, place, values in zip(found.scenarios.labels, places, inputs, strict=True):
        shown = _format(found.book, place, numbers(values))
        ends = numbers(values)
        page.add(
            (label, "r_answer_label", ""),
            (caption(found.book.package, place), "r_label", ""),
            (found.book.value(place), "r_value", shown),
            (float(ends.min()) if len(ends) else None, "r_value", shown),
            (float(ends.max()) if len(ends) else None, "r_value", shown),
            (float(len(set(values))), "r_value", COUNT),
        )
    page.add()
    for note in _origin(found.book):
        page.add((note, "r_note", ""))
    anchor = f"A{page.row + 2}"
    titles, lines = table(found)
    formats = [_format(found.book, at, numbers(values)) for at, values in zip(
        [*places, *watched.values()], [*inputs, *outputs], strict=True)]  # fmt: skip
    results = Page(book, "Results", [16.0, *[18.0] * len(formats)], "B2")
    results.block(titles, lines, ["General", *formats], "Results", len(lines))
    if 1 <= len(rows) <= _MOST_POINTS:
        chart = sweep_chart(results.sheet, titles, inputs, outputs[0], formats)
        page.sheet.add_chart(chart, anchor)


def _simulation(book: Any, found: Simulated) -> None:
    watched = found.book.watched
    shown = {label: _format(found.book, place, found.numbers(label))
             for label, place in watched.items()}  # fmt: skip
    page = Page(book, "Summary", [LABEL_WIDTH + 4, *[NUMBER_WIDTH + 2] * len(watched), 26.0])
    page.title(
        f"Simulation of {found.book.package.path.name}: {len(found.samples):,} draws, "
        f"seed {found.seed}",
        found.book.stamp,
    )
    page.section("What comes out")
    page.heads(("Figure", *watched), 1)
    for title, style, figure in _figure_rows():
        page.add(
            (title, f"{style}_label" if style == "r_answer" else "r_label", ""),
            *((figure(found.figures[label]), style, shown[label]) for label in watched),
        )
    page.add(
        ("draws without a number", "r_label", ""),
        *((float(f.errors + f.others), "r_value", COUNT) for f in found.figures.values()),
    )
    if found.chances:
        page.section("How likely")
        page.heads(("Question", "chance"), 1)
        for threshold, share in found.chances:
            page.add(
                (str(threshold), "r_label", ""),
                (None if math.isnan(share) else share, "r_answer", SHARE),
            )
    page.section("What drives it: rank correlation with the output")
    page.heads(("Input", *watched, "distribution"), 1)
    first = next(iter(watched))
    for name in found.drivers[first]:
        known = (found.drivers[label][name] for label in watched)
        page.add(
            (name, "r_label", ""),
            *((None if math.isnan(one) else one, "r_value", "0.00") for one in known),
            (str(found.distributions[found.labels.index(name)]), "r_value", ""),
        )
    for (one, other), rank in found.pairs.items():
        page.add(
            (f"{found.labels[one]} and {found.labels[other]} move together", "r_note", ""),
            *(("", "r_note", "") for _ in watched),
            (f"rank correlation {rank:g}", "r_value", ""),
        )
    page.add()
    for note in (_ON_ERRORS, _ON_PERCENTILES, *_origin(found.book)):
        page.add((note, "r_note", ""))
    column = get_column_letter(len(watched) + 4)
    bins = Page(book, "Histogram", [NUMBER_WIDTH] * (6 * len(watched)), "A4")
    blocks = _bins(bins, found, shown)
    drawn = [block for block in blocks if block[2] > 1]
    for number, (label, at, count) in enumerate(drawn[:_MOST_CHARTS]):
        chart = histogram_chart(bins.sheet, label, at, count, shown[label])
        page.sheet.add_chart(chart, f"{column}{4 + 22 * number}")
    titles, lines = table(found)
    formats = [
        _format(found.book, found.book.input(label), found.samples[:, at])
        for at, label in enumerate(found.labels)
    ]
    samples = Page(book, "Samples", [12.0, *[18.0] * (len(titles) - 1)], "B2")
    samples.block(titles, lines, [COUNT, *formats, *shown.values()], "Samples", len(lines))


def _figure_rows() -> list[tuple[str, str, Any]]:
    """Title, style and figure of each row of a simulation's summary."""

    def percentile(percent: float) -> Any:
        return lambda f: f.percentiles.get(percent)

    names = {0: "smallest", 50: "50 % (median)", 100: "largest"}
    return [
        ("mean", "r_answer", lambda f: f.mean),
        ("standard deviation", "r_value", lambda f: f.sd),
        ("standard error of the mean", "r_value", lambda f: f.standard_error),
        *(
            (names.get(p, f"{p} %"), "r_answer" if p == 50 else "r_value", percentile(p))
            for p in PERCENTILES
        ),
    ]


def _bins(page: Page, found: Simulated, shown: dict[str, str]) -> list[tuple[str, int, int]]:
    """Histograms side by side; gives label, first column and number of bins of each."""
    page.title("How often each result came", found.book.stamp)
    blocks: list[tuple[str, int, int]] = []
    columns = []
    for label in found.book.watched:
        values = found.numbers(label)
        if not len(values):
            continue
        edges, counts = histogram(values)
        total, lines = 0, []
        for low, high, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts, strict=True):
            total += count
            lines.append((low, high, count / len(values), total / len(values)))
        columns.append((label, lines))
        blocks.append((label, 5 * len(blocks) + 1, len(lines)))
    page.sheet.row_dimensions[3].height = 28
    heads: list[Written] = []
    for label, _ in columns:
        titles = (f"{label}: from", "to below", "share of draws", "share up to here")
        heads += [(title, "r_number_heading", "") for title in titles]
        heads.append((None, "r_plain", ""))
    page.add(*heads)
    for row in range(max((len(lines) for _, lines in columns), default=0)):
        cells: list[Written] = []
        for label, lines in columns:
            line = lines[row] if row < len(lines) else (None, None, None, None)
            kinds = (shown[label], shown[label], SHARE, SHARE)
            cells += [(v, "r_plain", kind) for v, kind in zip(line, kinds, strict=True)]
            cells.append((None, "r_plain", ""))
        page.add(*cells)
    return blocks


def _tornado(book: Any, found: Tornado) -> None:
    place = next(iter(found.book.watched.values()))
    results = [b for bar in found.bars for b in (bar.result_low, bar.result_high)]
    shown = _format(found.book, place, numbers([found.base, *results]))
    page = Page(book, "Summary", [LABEL_WIDTH, LABEL_WIDTH, *[NUMBER_WIDTH] * 8])
    page.title(f"Tornado of {found.book.package.path.name}: {found.label}", found.book.stamp)
    page.section("As it stands")
    page.add(
        (found.label, "r_answer_label", ""),
        (caption(found.book.package, place), "r_answer_label", ""),
        (found.base, "r_answer", shown),
    )
    page.section("Each input alone at its two ends, the others as they stand")
    first = page.heads(
        ("Input", "what it is", "low", "as it stands", "high", "result at low", "result at high",
         "swing", "change at low", "change at high"), 2,
    )  # fmt: skip
    good = 0
    for bar in found.bars:
        at = found.book.input(bar.label)
        ends = (bar.result_low, bar.result_high)
        kind = _format(found.book, at, numbers([bar.low, bar.base, bar.high]))
        known = not math.isnan(bar.swing)
        good += known
        page.add(
            (bar.label, "r_answer_label", ""),
            (caption(found.book.package, at), "r_label", ""),
            *((value, "r_value", kind) for value in (bar.low, bar.base, bar.high)),
            *((end, "r_value", shown) for end in ends),
            (bar.swing if known else None, "r_answer", shown),
            *((_change(end, found.base), "r_value", shown) for end in ends),
        )
    page.add()
    for note in _origin(found.book):
        page.add((note, "r_note", ""))
    if good:
        chart = tornado_chart(page.sheet, found.label, first, good, shown)
        page.sheet.add_chart(chart, f"A{page.row + 2}")


def _origin(book: Book) -> list[str]:
    """What an auditor needs to make the figures again."""
    changed = [f"Changed first, in every scenario: {', '.join(book.changed)}."]
    return [*(changed if book.base else ()), f"SHA-256 of the file: {book.digest}."]


def _change(end: Value, base: Value) -> Value:
    return end - base if isinstance(end, float) and isinstance(base, float) else None


def _format(book: Book, place: Place, values: Any) -> str:
    return format_of(book.package, place, values)
