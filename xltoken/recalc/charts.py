"""The numbers and labels that charts keep of their cells, brought up to date.

A chart part holds a copy of the values it draws, which viewers, mail previews and Protected View
show until Excel opens the file for editing. Only the points of changed cells are rewritten. Left
alone: references to other workbooks, names that are formulas or belong to one sheet, labels of
several levels, caches whose number of points is not that of their cells (hidden rows), and labels
that were numbers in a number format.
"""

import functools
import html
import math
import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.sax.saxutils import escape

from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetpatch import escaped_text
from xltoken.recalc.sheetxml import PREFIX, ErrorText, Value, attributes_of, corners

_CHARTS: Final = (".drawingml.chart+xml", ".ms-office.chartex+xml")
_BOOKS: Final = (".sheet.main+xml", ".macroEnabled.main+xml", ".template.main+xml")
_OVERRIDE: Final = re.compile(rb"<" + PREFIX + rb"Override(\s[^>]*?)/?>")
_NAME: Final = re.compile(rb"<" + PREFIX + rb"definedName(\s[^>]*)>")

_POINT: Final = re.compile(
    rb"<" + PREFIX + rb"pt(?P<attributes>\s[^>]*?)(?:/>|>(?P<inner>.*?)</" + PREFIX + rb"pt>)",
    re.DOTALL,
)
_COUNT: Final = re.compile(rb"""ptCount(?:\s+val)?\s*=\s*["']([0-9]+)["']""")
_COUNTED: Final = re.compile(rb"<(" + PREFIX + rb")ptCount\b")
_TEXT: Final = re.compile(rb"<" + PREFIX + rb"v(?:\s[^>]*)?>(.*?)</" + PREFIX + rb"v>", re.DOTALL)

# A reference and its cache: of a series or its labels, and of the newer charts (chartEx), whose
# points carry their text without a <v>.
_CACHE: Final = re.compile(
    rb"<" + PREFIX + rb"f(?:\s[^>]*)?>(?P<f>[^<]*)</" + PREFIX + rb"f>\s*"
    rb"(?P<cache><" + PREFIX + rb"(?P<kind>numCache|strCache|dlblRangeCache)(?:\s[^>]*)?>"
    rb".*?</" + PREFIX + rb"(?P=kind)>)",
    re.DOTALL,
)
_LEVEL: Final = re.compile(
    rb"<" + PREFIX + rb"(?P<kind>numDim|strDim)(?:\s[^>]*)?>\s*"
    rb"<" + PREFIX + rb"f(?:\s[^>]*)?>(?P<f>[^<]*)</" + PREFIX + rb"f>\s*"
    rb"(?:<" + PREFIX + rb"nf(?:\s[^>]*)?>[^<]*</" + PREFIX + rb"nf>\s*)?"
    rb"(?P<cache><(?P<level>" + PREFIX + rb")lvl\s[^>]*[^/>]>(?:(?!<" + PREFIX + rb"lvl\b).)*?"
    rb"</" + PREFIX + rb"lvl>)(?=\s*</" + PREFIX + rb"(?P=kind)>)",
    re.DOTALL,
)

_PARTS: Final = re.compile(r"(?:'(?:[^']|'')*'|[^',])+")
_QUALIFIED: Final = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!(.+)")

Area = tuple[str, tuple[int, int], tuple[int, int]]


def refreshed(package: Package, values: Mapping[Place, Value]) -> dict[str, bytes]:
    """Chart parts whose caches change when the cells at `values` take their new values.

    `package` still has the old values.
    """
    found = {}
    for part in _parts(package, _CHARTS) if values else ():
        old = package.archive.read(part)
        new = old
        for pattern, plain in ((_CACHE, False), (_LEVEL, True)):
            new = pattern.sub(
                functools.partial(_reference, package=package, values=values, plain=plain), new
            )
        if new != old:
            found[part] = new
    return found


def _parts(package: Package, kinds: tuple[str, ...]) -> Iterator[str]:
    """Parts whose content type ends as one of `kinds`."""
    for match in _OVERRIDE.finditer(package.archive.read("[Content_Types].xml")):
        attributes = attributes_of(match[1])
        if attributes.get("ContentType", "").endswith(kinds):
            part = package.archive.spelled(attributes.get("PartName", "").lstrip("/"))
            if part in package.archive.names:
                yield part


def _reference(
    match: re.Match[bytes], *, package: Package, values: Mapping[Place, Value], plain: bool
) -> bytes:
    """Return a reference with its cache refreshed; the same bytes where nothing changes."""
    cache = match["cache"]
    count = _COUNT.search(cache)
    cells = _cells(
        html.unescape(match["f"].decode("utf-8")), package, int(count[1]) if count else 0
    )
    numeric = match["kind"] in (b"numCache", b"numDim")
    points = {
        int(attributes_of(point["attributes"]).get("idx", "-1")): point
        for point in _POINT.finditer(cache)
    }
    texts = {}
    for index, place in enumerate(cells):
        if place not in values:
            continue
        value = values[place]
        shown = _shown(points[index], plain=plain) if index in points else None
        if not numeric and not _plain_label(package, place, shown, value):
            continue
        text = _drawn(value, plain=plain) if numeric else _label(value)
        if text != shown and not (numeric and _same_number(text, shown)):
            texts[index] = text
    if not texts:
        return match[0]
    at = match.start("cache") - match.start()
    new = _rewritten(match, points, texts, plain=plain)
    return match[0][:at] + new + match[0][at + len(cache) :]


def _rewritten(
    match: re.Match[bytes],
    points: Mapping[int, re.Match[bytes]],
    texts: Mapping[int, str | None],
    *,
    plain: bool,
) -> bytes:
    """Cache in which the points of `texts` show these; None takes a point away."""
    cache = match["cache"]
    end = _behind_head(cache)
    starts = [end, *(points[index].start() for index in sorted(points))]
    if starts != sorted(starts):
        return cache  # not in the order that the format asks for
    counted = _COUNTED.search(cache)
    prefix = counted[1] if counted else match["level"]
    pieces = [cache[:end]]
    for index in sorted({*points, *texts}):
        point = points.get(index)
        if point is not None:
            pieces.append(cache[end : point.start()])
            end = point.end()
            if index not in texts:
                pieces.append(point[0])
        text = texts.get(index)
        if text is not None:
            attributes = point["attributes"] if point is not None else b' idx="%d"' % index
            pieces.append(_point(prefix, attributes, text, plain=plain))
    return b"".join([*pieces, cache[end:]])


def _point(prefix: bytes, attributes: bytes, text: str, *, plain: bool) -> bytes:
    written = escape(escaped_text(text)).encode("utf-8")
    if not plain:
        written = b"<" + prefix + b"v>" + written + b"</" + prefix + b"v>"
    return b"<" + prefix + b"pt" + attributes + b">" + written + b"</" + prefix + b"pt>"


def _behind_head(cache: bytes) -> int:
    """Where the first point goes: behind the element that counts the points."""
    count = _COUNT.search(cache)
    assert count is not None
    rest = re.compile(rb"[^>]*>(?:\s*</[^>]*ptCount\s*>)?").match(cache, count.end())
    assert rest is not None
    return rest.end()


def _shown(point: re.Match[bytes], *, plain: bool) -> str | None:
    """Text of a cached point; None where it has none."""
    inner = point["inner"] or b""
    if not plain:
        match = _TEXT.search(inner)
        if match is None:
            return None
        inner = match[1]
    return html.unescape(inner.decode("utf-8"))


def _same_number(text: str | None, shown: str | None) -> bool:
    try:
        return text is not None and shown is not None and float(text) == float(shown)
    except ValueError:
        return False


def _drawn(value: Value, *, plain: bool) -> str | None:
    """Cached text of a value that is drawn: text is drawn as 0, a blank not at all."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float | int):
        return _general(value)
    if plain or value is None:
        return None
    return str(value) if isinstance(value, ErrorText) else "0"


def _label(value: Value) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).upper()
    return value if isinstance(value, str) else _general(value)


def _plain_label(package: Package, place: Place, shown: str | None, value: Value) -> bool:
    """Whether a label may be written: one in a number format (``Jan 26``) is not ours to format."""
    if isinstance(value, bool) or not isinstance(value, float | int):
        return True
    cell = package.cell(*place)
    old = None if cell is None else cell.value
    if isinstance(old, bool) or not isinstance(old, float | int):
        return True
    return shown == _general(old)


def _general(value: float) -> str:
    if not math.isfinite(value):
        return "#NUM!"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _cells(formula: str, package: Package, size: int) -> list[Place]:
    """Cells of a chart's reference in the order of its points; none unless they are `size`."""
    areas = _areas(formula, package)
    sizes = [(last[0] - first[0] + 1) * (last[1] - first[1] + 1) for _, first, last in areas]
    if sum(sizes) != size:
        return []
    return [
        (sheet, row, column)
        for sheet, first, last in areas
        for row in range(first[0], last[0] + 1)
        for column in range(first[1], last[1] + 1)
    ]


def _areas(formula: str, package: Package, *, named: bool = True) -> list[Area]:
    """Areas of a reference, in order; none where one of them is not in this workbook."""
    text = formula.strip().removeprefix("=")
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    found: list[Area] = []
    for part in _PARTS.findall(text):
        match = _QUALIFIED.fullmatch(part.strip())
        if match is None:
            return []
        qualifier = match[1].replace("''", "'") if match[1] else match[2]
        sheets = {name.casefold(): name for name in package.sheets}
        sheet, area = sheets.get(qualifier.casefold()), corners(match[3])
        if sheet is not None and area is not None:
            (top, left), (bottom, right) = area
            rows, columns = sorted((top, bottom)), sorted((left, right))
            found.append((sheet, (rows[0], columns[0]), (rows[1], columns[1])))
        elif named and area is None and ("[" not in qualifier or qualifier == "[0]"):
            areas = _areas(_named(match[3], package), package, named=False)
            if not areas:
                return []
            found += areas
        else:
            return []
    return found


def _named(name: str, package: Package) -> str:
    """What a name of the workbook refers to; "" where a sheet has a name of its own like it."""
    for part in _parts(package, _BOOKS):
        for match in _NAME.finditer(package.archive.read(part)):
            attributes = attributes_of(match[1])
            if "localSheetId" in attributes and attributes["name"].casefold() == name.casefold():
                return ""
    return next((to for own, to in package.names.items() if own.casefold() == name.casefold()), "")
