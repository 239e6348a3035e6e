"""A workbook under many assumptions: sweep, simulate and tornado on a user's own model.

Every scenario names all inputs that vary, so that its result does not depend on the one before.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from xltoken.economics.discounting import FloatArray
from xltoken.economics.distributions import Distribution, copula, draw, power_of_two
from xltoken.economics.domain import DomainError
from xltoken.economics.samples import rank_correlation
from xltoken.economics.sensitivity import largest_first
from xltoken.economics.simulation import figures
from xltoken.files import FileError
from xltoken.recalc.package import Place
from xltoken.recalc.runs import Row, Runs, Task, journal_of, run_all
from xltoken.recalc.scenario_input import Book, Threshold, Told, in_words
from xltoken.recalc.scenario_tables import Scenarios
from xltoken.recalc.settings import SettingError
from xltoken.recalc.sheetxml import ErrorText, Value

SWEEP_PERCENTILES: Final = (0, 10, 50, 90, 100)
PERCENTILES: Final = (0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100)
"""Percentiles of a simulation; 0 and 100 are the smallest and the largest value."""
MOST_POINTS: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Figures:
    """What the numbers among the results of one watched cell say together.

    Parameters
    ----------
    count, errors, others : int
        Number of results that are numbers, error values, and texts, truth values or blanks.
    mean, sd : float or None
        Mean and standard deviation (divisor n); None where there is no number, or where they are
        beyond every number.
    percentiles : mapping of float to float
        By percentage, numpy's linear rule (PERCENTILE.INC); empty where there is no number.
    """

    count: int
    errors: int
    others: int
    mean: float | None
    sd: float | None
    percentiles: Mapping[float, float]

    @property
    def standard_error(self) -> float | None:
        """That of the mean for independent draws; for a Sobol sequence an upper bound."""
        return None if self.sd is None else self.sd / math.sqrt(self.count)


@dataclass(slots=True)
class Swept:
    """Scenarios of a sweep and the results of those that were reached."""

    book: Book
    scenarios: Scenarios
    runs: Runs
    figures: dict[str, Figures]

    @property
    def rows(self) -> list[tuple[Value, Row, Row]]:
        """Name, inputs and outputs of each scenario that has a result."""
        table = zip(self.scenarios.named(), self.scenarios.rows, self.runs.results, strict=True)
        return [(name, row, result) for name, row, result in table if result is not None]

    @property
    def errors(self) -> int:
        """Number of results that are error values."""
        return sum(found.errors for found in self.figures.values())


@dataclass(slots=True)
class Simulated:
    """Samples of a simulation, and what they say of each watched cell.

    Parameters
    ----------
    drivers : mapping of str to mapping of str to float
        By watched cell: rank correlation (Spearman) of each input with it, strongest first; nan
        where one of the two does not move.
    chances : list of (Threshold, float)
        Share of the results that are numbers for which the threshold holds.
    """

    book: Book
    labels: tuple[str, ...]
    distributions: list[Distribution]
    pairs: dict[tuple[int, int], float]
    samples: FloatArray
    runs: Runs
    seed: int
    figures: dict[str, Figures] = field(default_factory=dict)
    drivers: dict[str, dict[str, float]] = field(default_factory=dict)
    chances: list[tuple[Threshold, float]] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Number of results that are no number."""
        return sum(found.errors + found.others for found in self.figures.values())

    def numbers(self, label: str) -> FloatArray:
        """Results of a watched cell that are numbers."""
        return numbers(column(self.runs, list(self.book.watched).index(label)))


@dataclass(frozen=True, slots=True)
class Swing:
    """One bar of a tornado: an input at its two ends, and the watched cell there.

    `swing` is nan where the cell is no number at one of the ends.
    """

    label: str
    low: Value
    base: Value
    high: Value
    result_low: Value
    result_high: Value

    @property
    def swing(self) -> float:
        """Distance between the two results, 0 or more."""
        low, high = self.result_low, self.result_high
        if isinstance(low, float) and isinstance(high, float):
            return abs(high - low)
        return math.nan


@dataclass(slots=True)
class Tornado:
    """Bars of a tornado, the largest swing first, around the result as it stands."""

    book: Book
    label: str
    base: Value
    bars: list[Swing]
    notes: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Number of bars without a swing."""
        return sum(math.isnan(bar.swing) for bar in self.bars)


def sweep(
    book: Book,
    scenarios: Scenarios,
    output: Path,
    *,
    resume: bool = False,
    jobs: int = 1,
    told: Told = lambda _: None,
) -> Swept:
    """Run every scenario of a table.

    Parameters
    ----------
    book : Book
        The workbook, and what is watched.
    scenarios : Scenarios
        Inputs and their values.
    output : Path
        Where the result will stand; the journal stands beside it.
    resume, jobs, told
        As in :func:`~xltoken.recalc.runs.run_all`.

    Returns
    -------
    Swept

    Raises
    ------
    FileError
        If a watched cell cannot be brought up to date when these inputs change.
    SettingError
        If an input that varies is watched.
    """
    task = _task(book, scenarios.places)
    runs = run_all(
        book.model, task, scenarios.rows, journal=journal_of(output), resume=resume, jobs=jobs,
        told=told,
    )  # fmt: skip
    found = {
        label: figures_of(column(runs, number), SWEEP_PERCENTILES)
        for number, label in enumerate(book.watched)
    }
    runs.notes += _still(book, runs)
    return Swept(book, scenarios, runs, found)


def simulate(
    book: Book,
    vary: Mapping[str, Distribution],
    pairs: Mapping[tuple[int, int], float],
    thresholds: Sequence[Threshold],
    output: Path,
    *,
    points: int = 4096,
    seed: int = 1,
    resume: bool = False,
    jobs: int = 1,
    told: Told = lambda _: None,
) -> Simulated:
    """Draw uncertain inputs together and see what the watched cells become.

    Parameters
    ----------
    book : Book
        The workbook, and what is watched.
    vary : mapping of str to Distribution
        Uncertain inputs by label.
    pairs : mapping of (int, int) to float
        Rank correlations of pairs of inputs, by their number in `vary`; the others are 0.
    thresholds : sequence of Threshold
        What to give the chance of.
    output, resume, jobs, told
        As in :func:`sweep`.
    points : int
        Number of draws, rounded up to a power of 2.
    seed : int
        Seed of the draws; the same seed gives the same samples.

    Returns
    -------
    Simulated

    Raises
    ------
    SettingError
        If something is asked that has no meaning; the message says what.
    FileError
        As :func:`sweep`.
    """
    labels = tuple(vary)
    places = tuple(book.input(label) for label in labels)
    for label, place in zip(
        [*labels, *book.watched], [*places, *book.watched.values()], strict=True
    ):
        saved = book.value(place)
        if not isinstance(saved, float | None):
            raise SettingError(f"{label}: is {in_words(saved)}; a simulation needs a number there.")
    if not 1 <= points <= MOST_POINTS:
        raise SettingError(f"-n {points}: between 1 and {MOST_POINTS:,} draws can be made.")
    rounded = power_of_two(points)
    chosen = list(vary.values())
    try:
        factor = copula(labels, pairs)
        samples = draw(chosen, factor, rounded, seed)
    except DomainError as error:
        raise SettingError(str(error)) from None
    task = _task(book, places)
    runs = run_all(
        book.model, task, samples.tolist(), journal=journal_of(output), resume=resume, jobs=jobs,
        told=told,
    )  # fmt: skip
    if rounded != points:
        runs.notes.append(f"note: {rounded} draws, not {points}: a power of 2 is even.")
    found = Simulated(book, labels, chosen, dict(pairs), samples, runs, seed)
    if not runs.stopped:
        runs.notes += _still(book, runs)
        _describe(found, thresholds)
    return found


def _describe(found: Simulated, thresholds: Sequence[Threshold]) -> None:
    """Figures, drivers and chances of samples that are complete."""
    for number, label in enumerate(found.book.watched):
        values = column(found.runs, number)
        found.figures[label] = figures_of(values, PERCENTILES)
        good = np.array([isinstance(value, float) for value in values])
        results = numbers(values)
        drivers = {
            name: rank_correlation(found.samples[good, of], results) if len(results) else math.nan
            for of, name in enumerate(found.labels)
        }
        ordered = sorted(drivers.items(), key=lambda d: -abs(d[1]) if d[1] == d[1] else 1.0)
        found.drivers[label] = dict(ordered)
    for threshold in thresholds:
        results = found.numbers(threshold.label)
        share = float(np.mean(threshold.holds(results))) if len(results) else math.nan
        found.chances.append((threshold, share))


def tornado(book: Book, ends: Mapping[str, tuple[Value, Value]]) -> Tornado:
    """Move every input alone to its two ends, the others as they are.

    Parameters
    ----------
    book : Book
        The workbook; its only watched cell is the result.
    ends : mapping of str to (Value, Value)
        Low and high value of each input by label.

    Returns
    -------
    Tornado

    Raises
    ------
    SettingError, FileError
        As :func:`simulate`.
    """
    (label,) = book.watched
    places = {name: book.input(name) for name in ends}
    base = {place: book.value(place) for place in places.values()}
    task = _task(book, tuple(base))

    def at(place: Place, value: Value) -> Value:
        return book.model.run({**base, place: value}, task.outputs)[0]

    (centre,) = book.model.run(base, task.outputs)
    if not isinstance(centre, float):
        raise SettingError(f"{label}: is {in_words(centre)}; a tornado needs a number there.")
    bars = [
        Swing(name, low, base[place], high, at(place, low), at(place, high))
        for (name, (low, high)), place in zip(ends.items(), places.values(), strict=True)
    ]
    notes = []
    for bar in bars:
        low, now, high = bar.low, bar.base, bar.high
        if (
            isinstance(low, float)
            and isinstance(now, float)
            and isinstance(high, float)
            and not low <= now <= high
        ):
            notes.append(f"note: {bar.label} stands at {now:g}, outside {low:g} to {high:g}.")
        if bar.swing == 0:
            notes.append(f"note: {bar.label} does not move {label}.")
    good = [bar for bar in bars if not math.isnan(bar.swing)]
    bad = [bar for bar in bars if math.isnan(bar.swing)]
    return Tornado(book, label, centre, largest_first(good) + bad, notes)


def figures_of(values: Sequence[Value], percentiles: Sequence[float]) -> Figures:
    """Sum up the results of one watched cell."""
    good = numbers(values)
    errors = sum(isinstance(value, ErrorText) for value in values)
    others = len(values) - len(good) - errors
    if not len(good):
        return Figures(0, errors, others, None, None, {})
    try:
        mean, sd, found = figures(good, percentiles)
    except DomainError:  # so far apart that no figure holds them; the results stand all the same
        return Figures(len(good), errors, others, None, None, {})
    return Figures(len(good), errors, others, mean, sd, dict(zip(percentiles, found, strict=True)))


def numbers(values: Sequence[Value]) -> FloatArray:
    """Return those of the values that are numbers."""
    return np.array([value for value in values if isinstance(value, float)], dtype=np.float64)


def column(runs: Runs, number: int) -> list[Value]:
    """Results of one watched cell, of the scenarios that were reached."""
    return [result[number] for result in runs.results if result is not None]


def _task(book: Book, inputs: tuple[Place, ...]) -> Task:
    """Check that what is watched can follow these inputs, and say what the scenarios share."""
    for label, place in book.watched.items():
        if place in inputs:
            raise SettingError(f"{label}: is an input that varies; watch what follows from it.")
    outputs = tuple(book.watched.values())
    blocked = book.model.blocked((*inputs, *book.base), outputs)
    if blocked:
        labels = {place: label for label, place in book.watched.items()}
        told = "; ".join(f"{labels[place]}: {reason}" for place, reason in blocked.items())
        raise FileError(
            f"{book.model.path}: cannot be brought up to date when these inputs change: {told}."
        )
    return Task(book.model.path, book.digest, tuple(book.base.items()), inputs, outputs)


def _still(book: Book, runs: Runs) -> list[str]:
    """Notes on watched cells that no scenario moved."""
    if runs.done < 2:
        return []
    return [
        f"note: {label} is {in_words(values[0])} in every scenario; the inputs do not reach it."
        for number, label in enumerate(book.watched)
        if len(set(values := column(runs, number))) == 1
    ]
