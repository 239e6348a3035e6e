"""Tables of scenarios: read from a file, or every combination of lists of values."""

import csv
import io
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from xltoken.files import FileError
from xltoken.recalc import package as files
from xltoken.recalc.package import Package, Place
from xltoken.recalc.scenario_input import Book, inputs_of, parts_of
from xltoken.recalc.settings import SettingError
from xltoken.recalc.sheetxml import ErrorText, Value, address

MOST_SCENARIOS: Final = 1_000_000
"""Largest grid that is run; more is a slip of the pen."""
_NAME_COLUMNS: Final = ("scenario", "name")


@dataclass(frozen=True, slots=True)
class Scenarios:
    """A table of scenarios: one column an input, one row a scenario.

    Parameters
    ----------
    labels : tuple of str
        Inputs as they were written.
    places : tuple of Place
        Their cells.
    names : tuple of str
        Names of the scenarios; empty where they have none.
    rows : list of list of Value
        Every input of every scenario, blank cells filled with the value as it stands.
    notes : tuple of str
        What the reader should know.
    """

    labels: tuple[str, ...]
    places: tuple[Place, ...]
    names: tuple[str, ...]
    rows: list[list[Value]]
    notes: tuple[str, ...] = ()

    def named(self) -> list[Value]:
        """Name of each scenario, or its number."""
        return list(self.names) or [float(number) for number in range(1, len(self.rows) + 1)]


def read_scenarios(book: Book, path: Path) -> Scenarios:
    """Read a table of scenarios from a CSV file or the first sheet of a workbook.

    The first row names the inputs. A first column headed ``scenario`` or ``name`` holds names,
    unless the book has an input of that name. A blank cell means the value as it stands.

    Raises
    ------
    FileError
        If the file cannot be read.
    SettingError
        If a column is no input, or a value none that its cell can take.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".xlsx", ".xlsm"):
        raise SettingError(f"{path}: scenarios are read from .csv or .xlsx.")
    table = _csv_rows(path) if suffix == ".csv" else _sheet_rows(path, book.package)
    if not table:
        raise FileError(f"{path}: is empty; its first row names inputs, e.g. Inputs!C8.")
    (first, titles), lines = table[0], table[1:]
    heads = [_text(title).strip() for title in titles]
    while heads and not heads[-1]:
        heads.pop()
    notes = []
    named = bool(heads) and heads[0].casefold() in _NAME_COLUMNS
    if named and heads[0].casefold() in {name.casefold() for name in book.package.names}:
        named = False
        notes.append(
            f"note: {path}: column {heads[0]} sets the input of that name; head a column of "
            "scenario names with the other of scenario, name."
        )
    labels = tuple(heads[named:])
    places = inputs_of(book, labels, f"{path}, row {first}")
    if not places:
        raise SettingError(f"{path}: names no input; head a column with one, e.g. Inputs!C8.")
    names, rows = [], []
    for number, cells in lines:
        if not any(_text(cell).strip() for cell in cells):
            continue
        if any(_text(cell).strip() for cell in cells[len(heads) :]):
            raise SettingError(
                f"{path}, row {number}: has more cells than the {len(heads)} columns that the "
                "first row heads."
            )
        values = [*cells[named:], *[None] * len(labels)][: len(labels)]
        names.append(_text(cells[0]).strip() if named else "")
        try:
            rows.append(
                [
                    book.read(label, place, cell or "") if isinstance(cell, str | None) else cell
                    for label, place, cell in zip(labels, places, values, strict=True)
                ]
            )
        except SettingError as error:
            raise SettingError(f"{path}, row {number}: {error}") from None
    if not rows:
        raise FileError(f"{path}: has no scenario below its first row.")
    return Scenarios(labels, places, tuple(names) if named else (), rows, tuple(notes))


def grid(book: Book, texts: Sequence[str]) -> Scenarios:
    """Every combination of lists of values: ``Inputs!C8=0.2:0.8:0.1`` or ``Inputs!C8=a,b,c``.

    Raises
    ------
    SettingError
        If a text names no input or no values, or there are more than a million combinations.
    """
    parts = [parts_of(text, "--grid", "Inputs!C8=0.2:0.8:0.1 or Inputs!C8=a,b,c") for text in texts]
    labels = tuple(label for label, _ in parts)
    places = inputs_of(book, labels, "--grid")
    lists = []
    for (label, text), place in zip(parts, places, strict=True):
        steps = _steps(label, text)
        given: Iterable[str] = steps if steps is not None else text.split(",")
        lists.append([book.read(label, place, one) for one in given])
    if math.prod(map(len, lists)) > MOST_SCENARIOS:
        sizes = " x ".join(f"{len(values):,}" for values in lists)
        raise SettingError(f"--grid: {sizes} is more than {MOST_SCENARIOS:,} scenarios.")
    rows = [list(row) for row in itertools.product(*lists)]
    return Scenarios(labels, places, (), rows)


def _steps(label: str, text: str) -> list[str] | None:
    """Values of ``low:high:step``, added up in decimals as they are written; None for a list."""
    parts = text.split(":")
    if len(parts) == 1 or "," in text:
        return None
    percent = all(part.strip().endswith("%") for part in parts)
    try:
        low, high, step = (Decimal(part.strip().removesuffix("%" * percent)) for part in parts)
    except (ValueError, InvalidOperation):
        low = high = step = Decimal("nan")
    if not (low.is_finite() and high.is_finite() and step.is_finite()):
        raise SettingError(
            f"--grid {label}={text}: a range is low:high:step in numbers, e.g. 0.2:0.8:0.1."
        )
    if step == 0 or (high - low) / step < 0:
        raise SettingError(f"--grid {label}={text}: the step does not lead from low to high.")
    count = int((high - low) / step) + 1
    if count > MOST_SCENARIOS:
        raise SettingError(f"--grid {label}={text}: is more than {MOST_SCENARIOS:,} scenarios.")
    return [f"{low + step * number}{'%' * percent}" for number in range(count)]


def _csv_rows(path: Path) -> list[tuple[int, list[Value]]]:
    """Lines of a CSV file with their numbers; semicolons where the first line has no comma."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: cannot be read as a CSV file in UTF-8 ({error}).") from None
    head = text.partition("\n")[0]
    separator = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return [(reader.line_num, list(cells)) for cells in reader if cells]
    except csv.Error as error:
        raise FileError(f"{path}, row {reader.line_num}: {error}.") from None


def _sheet_rows(path: Path, book: Package) -> list[tuple[int, list[Value]]]:
    """Rows of the first sheet of a workbook with their numbers, as the file saved them."""
    package = files.read(path)
    if package.date1904 != book.date1904:
        raise FileError(f"{path}: counts days from another year than {book.path}; save it anew.")
    sheet = next(iter(package.sheets.values()))
    rows: dict[int, dict[int, Value]] = {}
    for (row, column), cell in sheet.cells.items():
        where = f"{path}, {sheet.name}!{address(row, column)}"
        if cell.formula is not None and cell.value is None:
            raise FileError(f"{where}: a formula without a saved value; recalculate the file.")
        if isinstance(cell.value, ErrorText):
            raise FileError(f"{where}: is {cell.value}.")
        rows.setdefault(row, {})[column] = cell.value
    return [
        (row, [cells.get(column) for column in range(1, max(cells) + 1)])
        for row, cells in sorted(rows.items())
        if any(value is not None for value in cells.values())
    ]


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
