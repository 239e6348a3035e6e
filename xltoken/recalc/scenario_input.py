"""What a user asks of scenarios, in the words of the book: cells, values, distributions.

A cell is written ``Inputs!C8`` or as a defined name, and keeps the label it was written with.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import xltoken
from xltoken.catalog import store
from xltoken.economics.discounting import FloatArray
from xltoken.economics.distributions import Distribution, read_distribution
from xltoken.economics.domain import DomainError
from xltoken.recalc.model import Model
from xltoken.recalc.package import Package, Place
from xltoken.recalc.runs import digest
from xltoken.recalc.settings import SettingError, cell_of, parse_setting, value_of
from xltoken.recalc.sheetxml import ErrorText, Value, address

OUTPUTS: Final = "outputs"
"""Sheet whose named cells are watched where none is named."""

_PARTS: Final = re.compile(r"\s*('(?:[^']|'')*'![^=]*?|[^=]*?)\s*=(.*)", re.DOTALL)
_AROUND: Final = re.compile(r"\s*(.+?)\s*(?:\+-|\+/-|±)\s*([0-9.]+)\s*%\s*")
_THRESHOLD: Final = re.compile(r"\s*('(?:[^']|'')*'![^<>=]*?|[^<>=]*?)\s*(<=|>=|<|>)([^<>=]+)")


@dataclass(slots=True)
class Book:
    """A loaded workbook, the cells that are watched, and the inputs changed in every scenario.

    Parameters
    ----------
    model : Model
        The book, `base` set.
    package : Package
        Its file.
    digest : str
        SHA-256 of the file.
    base : dict of Place to Value
        What ``--set`` says.
    watched : dict of str to Place
        Cells to read, by label.
    """

    model: Model
    package: Package
    digest: str
    base: dict[Place, Value]
    watched: dict[str, Place]
    _read: dict[tuple[Place, str], Value] = field(default_factory=dict, repr=False)

    @property
    def stamp(self) -> str:
        """What made a result: version, catalog and file, but no clock."""
        return (
            f"computed by xltoken {xltoken.__version__} on catalog {store.current().date} "
            f"from {self.package.path.name}"
        )

    @property
    def changed(self) -> list[str]:
        """Base inputs and their values, in words."""
        return [
            f"{sheet}!{address(row, column)} = {in_words(value)}"
            for (sheet, row, column), value in self.base.items()
        ]

    def input(self, label: str) -> Place:
        """Place of an input.

        Raises
        ------
        SettingError
            If it is none; the message names the nearest names of the book.
        """
        try:
            return self.model.input(label)
        except SettingError as error:
            raise SettingError(_with_nearest(str(error), label, self.package.names)) from None

    def output(self, label: str) -> Place:
        """Place of a cell to read; errors as :meth:`input`."""
        try:
            return self.model.output(label)
        except SettingError as error:
            raise SettingError(_with_nearest(str(error), label, self.package.names)) from None

    def value(self, place: Place) -> Value:
        """Value of a cell with `base` set; that of a formula only before scenarios ran."""
        if place in self.base:
            return self.base[place]
        cell = self.package.cell(*place)
        return self.model.value(place) if cell is None or cell.formula else cell.value

    def read(self, label: str, place: Place, text: str) -> Value:
        """Value that a text means in an input cell, as ``--set`` reads it; blank: as it stands.

        Raises
        ------
        SettingError
            If the cell cannot take it.
        """
        if not text.strip():
            return self.value(place)
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        if (place, text) not in self._read:
            try:
                self._read[place, text] = value_of(self.package, place, text)
            except SettingError as error:
                told = str(error).partition(": ")[2]
                raise SettingError(f"{label}: {told}") from None
        return self._read[place, text]


def open_book(
    path: Path,
    settings: Sequence[str] = (),
    watch: Sequence[str] = (),
    also: Sequence[str] = (),
) -> Book:
    """Load a workbook, set its base inputs, and find the cells to watch.

    Parameters
    ----------
    path : Path
        The workbook.
    settings : sequence of str
        ``CELL=VALUE``, as ``xltoken recalc --set`` takes them.
    watch : sequence of str
        Cells to read; without any, the names of single formula cells on a sheet Outputs.
    also : sequence of str
        Cells to read besides.

    Raises
    ------
    FileError
        If the file cannot be used.
    SettingError
        If a setting or a cell to watch is none of the book.
    """
    model = Model.open(path)
    package = model.package
    book = Book(model, package, digest(package), {}, {})
    for text in settings:
        place, value = parse_setting(package, text)
        book.base[place] = value
    for label in [*(watch or _named_outputs(package)), *also]:
        place = book.output(label.strip())
        if place not in book.watched.values():
            book.watched[label.strip()] = place
    if not book.watched:
        known = ", ".join(package.names) or "none"
        raise SettingError(
            f"{path}: name the cells to watch, e.g. --watch Outputs!C24; without that the defined "
            f"names of single formula cells on a sheet Outputs are watched, and there are none "
            f"(names of the book: {known})."
        )
    if book.base:
        model.run(book.base, list(book.watched.values()))
    return book


def read_vary(book: Book, texts: Sequence[str]) -> dict[str, Distribution]:
    """Uncertain inputs: ``price=normal(2, 0.3)``.

    Raises
    ------
    SettingError
        If a text names no input or no distribution.
    """
    parts = [parts_of(text, "--vary", "price=normal(2, 0.3)") for text in texts]
    inputs_of(book, [label for label, _ in parts], "--vary")
    found = {}
    for label, text in parts:
        try:
            found[label] = read_distribution(text)
        except DomainError as error:
            raise SettingError(f"--vary {label}: {error}") from None
    return found


def read_correlations(labels: Sequence[str], texts: Sequence[str]) -> dict[tuple[int, int], float]:
    """Rank correlations of pairs of inputs: ``price,volume=0.5``, by the numbers of their labels.

    Raises
    ------
    SettingError
        If a text names no pair of these inputs, or a pair twice.
    """
    known = {label.casefold(): number for number, label in enumerate(labels)}
    found: dict[tuple[int, int], float] = {}
    for text in texts:
        both, _, written = text.rpartition("=")
        pieces = both.split(",")
        # A quoted sheet name may itself hold a comma.
        splits = ((",".join(pieces[:cut]), ",".join(pieces[cut:])) for cut in range(1, len(pieces)))
        pair = next(
            (
                (known[one], known[other])
                for one, other in ((a.strip().casefold(), b.strip().casefold()) for a, b in splits)
                if one in known and other in known
            ),
            None,
        )
        if pair is None:
            raise SettingError(
                f"--correlate {text}: names no two of the inputs that vary ({', '.join(labels)}); "
                "write e.g. price,volume=0.5."
            )
        key = (min(pair), max(pair))
        if key in found:
            raise SettingError(f"--correlate {text}: the pair stands there twice.")
        found[key] = _number(f"--correlate {text}", written)
    return found


def read_ends(book: Book, texts: Sequence[str]) -> dict[str, tuple[Value, Value]]:
    """Ends of inputs: ``utilization=0.3:0.7``, or ``price+-20%`` around the value as it stands.

    Raises
    ------
    SettingError
        If a text names no input or no two ends.
    """
    example = "utilization=0.3:0.7 or price+-20%"
    split: list[tuple[str, str, bool]] = []
    for text in texts:
        match = _AROUND.fullmatch(text)
        split.append(
            (match[1], match[2], True) if match else (*parts_of(text, "--vary", example), False)
        )
    places = inputs_of(book, [label for label, _, _ in split], "--vary")
    found: dict[str, tuple[Value, Value]] = {}
    for (label, text, around), place in zip(split, places, strict=True):
        saved = book.value(place)
        if around:
            share = _number(f"--vary {label}", text) / 100.0
            if not isinstance(saved, float) or saved == 0 or share == 0:
                raise SettingError(
                    f"--vary {label}: {text} % of what stands there is nothing; write low:high."
                )
            low, high = sorted((saved * (1.0 - share), saved * (1.0 + share)))
            found[label] = (low, high)
            continue
        ends = text.split(":")
        if len(ends) != 2 or not all(end.strip() for end in ends):
            raise SettingError(f"--vary {label}={text}: write two ends, e.g. {example}.")
        one, other = (book.read(label, place, end) for end in ends)
        if isinstance(one, float) and isinstance(other, float) and one >= other:
            raise SettingError(f"--vary {label}={text}: the low end is below the high one.")
        found[label] = (one, other)
    return found


@dataclass(frozen=True, slots=True)
class Threshold:
    """A question to a watched cell: how often is it above or below a number."""

    label: str
    sign: str
    number: float

    def holds(self, values: FloatArray) -> NDArray[np.bool_]:
        """Whether it holds, value by value."""
        compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
        return np.asarray(compare[self.sign](values, self.number))

    def __str__(self) -> str:
        return f"{self.label} {self.sign} {self.number:,.15g}"


def threshold_cell(text: str) -> str:
    """Cell that a threshold such as ``Outputs!C24>0`` asks about.

    Raises
    ------
    SettingError
        If it is no comparison of a cell with a number.
    """
    return _threshold(text)[1]


def read_threshold(book: Book, text: str) -> Threshold:
    """Read a threshold whose cell is watched; errors as :func:`threshold_cell`."""
    match = _threshold(text)
    place = book.output(match[1])
    label = next(label for label, at in book.watched.items() if at == place)
    return Threshold(label, match[2], _number(f"--threshold {text}", match[3]))


def _threshold(text: str) -> re.Match[str]:
    match = _THRESHOLD.fullmatch(text)
    if match is None or not match[1]:
        raise SettingError(f"--threshold {text}: write CELL>NUMBER, e.g. Outputs!C24>0.")
    return match


def parts_of(text: str, option: str, example: str) -> tuple[str, str]:
    """Label and value of ``LABEL=VALUE``."""
    match = _PARTS.fullmatch(text)
    if match is None or not match[1] or not match[2].strip():
        raise SettingError(f"{option} {text}: write e.g. {example}.")
    return match[1], match[2].strip()


def inputs_of(book: Book, labels: Sequence[str], where: str) -> tuple[Place, ...]:
    """Places of inputs; everything that is wrong with them is said at once."""
    problems, places = [], []
    for number, label in enumerate(labels, 1):
        if not label:
            problems.append(f"column {number} has no head.")
            continue
        try:
            places.append(book.input(label))
        except SettingError as error:
            problems.append(str(error))
    if problems:
        raise SettingError(f"{where}: {' '.join(problems)}")
    twice = [label for label, place in zip(labels, places, strict=True) if places.count(place) > 1]
    if twice:
        raise SettingError(f"{where}: {' and '.join(twice)} are the same cell.")
    return tuple(places)


def _with_nearest(message: str, label: str, names: Mapping[str, str]) -> str:
    lower = {name.casefold(): name for name in names}
    near = [lower[name] for name in get_close_matches(label.casefold(), lower, n=3)]
    return f"{message} Nearest names: {', '.join(near)}." if near else message


def _named_outputs(package: Package) -> list[str]:
    found = []
    for name, target in package.names.items():
        try:
            place = cell_of(package, name)
        except SettingError:
            continue  # a range, a constant, or a name of elsewhere
        cell = package.cell(*place)
        if place[0].casefold() == OUTPUTS and "!" in target and cell and cell.formula is not None:
            found.append(name)
    return found


def _number(where: str, text: str) -> float:
    bare = text.strip()
    try:
        found = float(bare.removesuffix("%")) / (100.0 if bare.endswith("%") else 1.0)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise SettingError(f"{where}: {bare!r} is no number.")
    return found


def in_words(value: Value) -> str:
    """Value in a sentence."""
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, ErrorText) else f"the text {value!r}"


Told = Callable[[int], None]
"""Called with the number of scenarios done."""
