"""One loaded book, many scenarios: run here or in processes, kept in a journal, stopped at will.

The journal stands beside the result while a run goes on: one line a scenario that is done. A run
that was stopped or broke continues from it; it goes when the whole result stands.
"""

import hashlib
import json
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final, TextIO

import xltoken
from xltoken.catalog import store
from xltoken.files import FileError
from xltoken.recalc.model import Model
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetxml import ErrorText, Value

Row = Sequence[Value]
"""Values of the inputs of one scenario, or of its outputs."""

_CHUNKS_A_JOB: Final = 8
_LARGEST_CHUNK: Final = 64
_FLUSHED_AFTER: Final = 256
_GLANCE: Final = 0.2
"""Seconds after which a wait for other processes looks whether it should stop."""


@dataclass(frozen=True, slots=True)
class Task:
    """What every scenario of a run shares.

    Parameters
    ----------
    path : Path
        The workbook.
    digest : str
        SHA-256 of its bytes.
    base : tuple of (Place, Value)
        Inputs changed first, the same in every scenario.
    inputs, outputs : tuple of Place
        Cells that a scenario sets, and cells that it reads.
    """

    path: Path
    digest: str
    base: tuple[tuple[Place, Value], ...]
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]

    def header(self) -> str:
        """What must be equal for results of an earlier run to count, as a line of the journal."""
        same = {
            "xltoken": xltoken.__version__,
            "catalog": store.current().fingerprint,
            "file": self.digest,
            "base": [[*place, _plain(value)] for place, value in self.base],
            "inputs": self.inputs,
            "outputs": self.outputs,
        }
        return json.dumps(same)


@dataclass(slots=True)
class Runs:
    """Results of a run, in the order of its scenarios.

    Parameters
    ----------
    results : list of list of Value, or None
        Values of the outputs; None for a scenario that was not reached.
    taken : int
        Number of scenarios whose results an earlier run had left.
    stopped : bool
        Whether Ctrl-C ended the run.
    notes : list of str
        What the reader should know.
    """

    results: list[list[Value] | None]
    taken: int = 0
    stopped: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Number of scenarios that have a result."""
        return sum(result is not None for result in self.results)


def digest(package: Package) -> str:
    """SHA-256 of the file that a package was read from."""
    return hashlib.sha256(package.content).hexdigest()


def journal_of(output: Path) -> Path:
    """Journal of the run that writes `output`."""
    return output.with_name(f"{output.name}.journal")


def forget(output: Path) -> None:
    """Remove the journal of a run whose result stands."""
    journal_of(output).unlink(missing_ok=True)


def run_all(
    model: Model,
    task: Task,
    rows: Sequence[Row],
    *,
    journal: Path | None = None,
    resume: bool = False,
    jobs: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Runs:
    """Run every scenario; a scenario that the journal holds is taken from it.

    Parameters
    ----------
    model : Model
        The book of the task, its base inputs set.
    task : Task
        What the scenarios share.
    rows : sequence of rows
        Values of ``task.inputs``, one row a scenario.
    journal : Path, optional
        Where to keep what is done; it stays until the result stands (:func:`forget`).
    resume : bool
        Whether to take from the journal what an earlier run left there.
    jobs : int
        Number of processes; the results are the same, bit for bit.
    told : callable
        Called with the number of scenarios done.

    Returns
    -------
    Runs

    Raises
    ------
    FileError
        If the journal cannot be written, or a process died.
    """
    runs = Runs([None] * len(rows))
    kept: dict[str, list[Value]] = {}
    if journal is not None and resume:
        kept = _read(journal, task.header(), runs.notes)
    # A row's own text finds it again: it may stand elsewhere in a list that was edited since.
    for number, row in enumerate(rows):
        if kept and (found := kept.get(_key(row))) is not None:
            runs.results[number] = found
            runs.taken += 1
    waiting = [number for number, result in enumerate(runs.results) if result is None]
    done = runs.taken
    with _interruptible() as stopping, _opened(journal, task, rows, runs) as file:
        told(done)
        found_here = (
            _in_processes(task, rows, waiting, jobs, stopping)
            if jobs > 1 and len(waiting) > 1
            else _here(model, task, rows, waiting, stopping)
        )
        for number, result in found_here:
            runs.results[number] = result
            done += 1
            if file is not None:
                file.write(_line(rows[number], result))
                if done % _FLUSHED_AFTER == 0:
                    file.flush()
            told(done)
        runs.stopped = stopping() and done < len(rows)
    return runs


def _here(
    model: Model,
    task: Task,
    rows: Sequence[Row],
    waiting: Sequence[int],
    stopping: Callable[[], bool],
) -> Iterator[tuple[int, list[Value]]]:
    inputs, outputs = task.inputs, task.outputs
    for number in waiting:
        if stopping():
            return
        yield number, model.run(dict(zip(inputs, rows[number], strict=True)), outputs)


def _in_processes(
    task: Task,
    rows: Sequence[Row],
    waiting: Sequence[int],
    jobs: int,
    stopping: Callable[[], bool],
) -> Iterator[tuple[int, list[Value]]]:
    import multiprocessing

    size = min(_LARGEST_CHUNK, math.ceil(len(waiting) / (jobs * _CHUNKS_A_JOB)))
    chunks = [waiting[begin : begin + size] for begin in range(0, len(waiting), size)]
    # Spawned everywhere, not forked: an engine that was copied while it runs is not to be trusted.
    context = multiprocessing.get_context("spawn")
    enough = context.Event()
    pool = ProcessPoolExecutor(
        min(jobs, len(chunks)), context, initializer=_start, initargs=(task, enough)
    )
    try:
        futures: dict[Future[list[list[Value]]], Sequence[int]] = {
            pool.submit(_chunk, [rows[number] for number in chunk]): chunk for chunk in chunks
        }
        open_ones = set(futures)
        while open_ones and not stopping():
            finished, open_ones = wait(open_ones, _GLANCE, FIRST_COMPLETED)
            for future in finished:
                yield from zip(futures[future], future.result(), strict=True)
        enough.set()
        pool.shutdown(cancel_futures=True)  # the scenarios under way end, and count
        for future in open_ones:
            if not future.cancelled():
                yield from zip(futures[future], future.result(), strict=False)
    except BrokenProcessPool:
        if stopping():
            return  # Ctrl-C caught a process that had not yet learnt to leave it to the first one
        raise FileError(
            f"{task.path}: a process that ran scenarios died, perhaps for want of memory; take "
            "fewer --jobs. --resume keeps what was done."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_worker: list[tuple[Task, Model | None, Event]] = []
"""What this process has to do, if it is one of many, its book once it is loaded, and whether it
is enough."""


def _start(task: Task, enough: Event) -> None:
    """Take a task; Ctrl-C is the first process's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker[:] = [(task, None, enough)]


def loaded(task: Task) -> Model:
    """Book of a task with its base inputs set.

    Raises
    ------
    FileError
        If it cannot be read, or is no longer the file that the task began with.
    """
    model = Model.open(task.path)
    if digest(model.package) != task.digest:
        raise FileError(f"{task.path}: was changed while its scenarios ran; start again.")
    if task.base:
        model.run(dict(task.base), task.outputs)
    return model


def _chunk(rows: Sequence[Row]) -> list[list[Value]]:
    """Results of some scenarios, the first ones only where it was enough."""
    ((task, model, enough),) = _worker
    if model is None:  # here, and not at the start, so that a failure is told as what it is
        model = loaded(task)
        _worker[:] = [(task, model, enough)]
    found = []
    for row in rows:
        if enough.is_set():
            break
        found.append(model.run(dict(zip(task.inputs, row, strict=True)), task.outputs))
    return found


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks to stop after the scenario under way.

    Raised at once it could end inside a callback of the engine, which would swallow it and show
    an error that is none of the book's.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked: list[bool] = []
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _opened(
    journal: Path | None, task: Task, rows: Sequence[Row], runs: Runs
) -> Iterator[TextIO | None]:
    """Journal with its header and what was taken over; on any failure it stays as far as it is."""
    if journal is None:
        yield None
        return
    fresh = journal.with_name(f"{journal.name}.{os.getpid()}.tmp")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(task.header() + "\n")
            for row, result in zip(rows, runs.results, strict=True):
                if result is not None:
                    file.write(_line(row, result))
        fresh.replace(journal)
        file = journal.open("a", encoding="utf-8")
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise FileError(f"{journal}: cannot be written ({error.strerror}).") from None
    with file:
        yield file


def _read(journal: Path, header: str, notes: list[str]) -> dict[str, list[Value]]:
    """Results that an earlier run left, by the text of their row."""
    try:
        text = journal.read_text(encoding="utf-8")
    except FileNotFoundError:
        notes.append(f"note: there is no {journal} to continue from; every scenario is run.")
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{journal}: cannot be read ({error}).") from None
    first, _, rest = text.partition("\n")
    if first != header:
        told = _differences(first, header)
        notes.append(f"note: {journal} is of another run ({told}); every scenario is run again.")
        return {}
    found = {}
    for line in rest.split("\n")[:-1]:  # a last line that was cut off is no result
        try:
            row, result = json.loads(line)
        except ValueError:
            break  # nor is anything after a line that is damaged
        found[json.dumps(row)] = [_value(value) for value in result]
    return found


def _differences(first: str, header: str) -> str:
    words = {"file": "the workbook", "base": "--set", "outputs": "the watched cells"}
    try:
        old, new = json.loads(first), json.loads(header)
        names = [name for name in new if old.get(name) != new[name]]
    except (json.JSONDecodeError, AttributeError):
        return "it is no journal"
    return ", ".join(f"{words.get(name, name)} changed" for name in names)


def _line(row: Row, result: Row) -> str:
    return f"[{_key(row)}, {json.dumps([_plain(value) for value in result])}]\n"


def _key(row: Row) -> str:
    return json.dumps([_plain(value) for value in row])


def _plain(value: Value) -> Any:
    return {"error": str(value)} if isinstance(value, ErrorText) else value


def _value(plain: Any) -> Value:
    return ErrorText(plain["error"]) if isinstance(plain, dict) else plain
