"""Many workbooks recalculated: what is to be done, one of it done, and the journal of what was.

A task is plain data and names its files by path, so that a process here and a worker of a
cluster do it with the same function. Where the tasks are done is the business of
:mod:`xltoken.recalc.batch_run`, which tasks there are of :mod:`xltoken.recalc.batch_plan`.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

import xltoken
from xltoken.catalog import store
from xltoken.files import FileError


class BatchError(ValueError):
    """A batch that cannot be begun or finished; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides the figures besides the file: two that agree give the same ones."""

    version: str
    fingerprint: str
    engine: str

    def __str__(self) -> str:
        return f"xltoken {self.version}, catalog {self.fingerprint}, {self.engine}"


@dataclass(frozen=True, slots=True)
class Task:
    """A workbook to recalculate under one scenario, as plain data.

    `file` is what people call it, `name` what it is called in the output folder, `path` and
    `target` are absolute. `sha256` is that of the input as the caller sees it.
    """

    file: str
    name: str
    path: str
    target: str
    scenario: str
    settings: tuple[str, ...]
    strict: bool
    catalog: str
    identity: Identity
    sha256: str

    @property
    def in_place(self) -> bool:
        """Whether the workbook itself is written."""
        return self.path == self.target

    @property
    def key(self) -> str:
        """All that decides the result, but the content of the file."""
        who = asdict(self.identity)
        return json.dumps([self.name, self.scenario, self.settings, self.strict, who])


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a task, as plain data; `status` is done, findings or failed."""

    file: str
    scenario: str
    status: str
    output: str | None = None
    summary: dict[str, int] = field(default_factory=dict)
    findings: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0
    host: str = ""
    version: str = ""
    fingerprint: str = ""
    sha256: str = ""
    kept: bool = False

    @classmethod
    def failed(cls, task: Task, error: str, seconds: float = 0.0) -> "Done":
        """Task that gave no file, and why."""
        return cls(
            task.file,
            task.scenario,
            "failed",
            error=" ".join(error.split()),
            seconds=seconds,
            host=socket.gethostname(),
            version=task.identity.version,
            fingerprint=task.identity.fingerprint,
        )


TOLD: Final = 100
"""Cells with findings, and messages, that the result of a file lists."""

# The folder of the catalog is the environment's, which the threads of a worker share.
_ONE_AT_A_TIME: Final = threading.Lock()


def recalculate_one(task: Task) -> Done:
    """Do a task; whatever is wrong with its file is told in the result.

    Raises
    ------
    BatchError
        If this process would compute with another version or catalog than the caller's.
    """
    started = time.perf_counter()
    with _ONE_AT_A_TIME, _catalog_of(task):
        _check_identity(task)
        # In place a second attempt finds the file as the first one wrote it.
        if task.sha256 and not task.in_place and (found := digest(task.path)) != task.sha256:
            error = _other_content(task, found)
        else:
            try:
                return _recalculated(task, started)
            except Exception as problem:  # noqa: BLE001 - one file must not stop the others
                error = _reason(problem)
    return Done.failed(task, error, time.perf_counter() - started)


def _recalculated(task: Task, started: float) -> Done:
    from xltoken.recalc.workbook import recalculate

    output = None if task.in_place else Path(task.target)
    report = recalculate(Path(task.path), output, task.settings, strict=task.strict)
    written = report.output is not None
    return Done(
        task.file,
        task.scenario,
        "findings" if report.findings else "done",
        str(report.output) if written else None,
        dict(report.summary),
        [
            {"sheet": c.sheet, "cell": c.cell, "status": c.status, "function": c.function}
            for c in report.findings[:TOLD]
        ],
        list(report.notebook.warnings),
        list(report.notebook.messages[:TOLD]),
        seconds=time.perf_counter() - started,
        host=socket.gethostname(),
        version=task.identity.version,
        fingerprint=task.identity.fingerprint,
        sha256=digest(task.target) if written or task.in_place else "",
    )


def _reason(problem: Exception) -> str:
    """Why a file could not be done, in one line."""
    from xltoken.recalc.engine import FormulaError
    from xltoken.recalc.settings import SettingError

    if isinstance(problem, store.CatalogError):
        return f"the catalog cannot be used: {problem.problems[0]}"
    if isinstance(problem, FileError | SettingError | FormulaError):
        return str(problem)
    if isinstance(problem, MemoryError):
        return "it needs more memory than there is; use fewer --jobs."
    return f"a defect of xltoken: {type(problem).__name__}: {problem}. Please report it."


def _other_content(task: Task, found: str) -> str:
    if not found:
        return f"{task.path}: there is no such file, or it cannot be read."
    return (
        f"{task.path}: is not the file that the batch began with; it was changed meanwhile, or "
        f"{socket.gethostname()} has another file under this path."
    )


@contextlib.contextmanager
def _catalog_of(task: Task) -> Iterator[None]:
    before = os.environ.get(store.ENVIRONMENT)
    os.environ[store.ENVIRONMENT] = task.catalog
    try:
        yield
    finally:
        if before is None:
            del os.environ[store.ENVIRONMENT]
        else:
            os.environ[store.ENVIRONMENT] = before


def _check_identity(task: Task) -> None:
    try:
        if identity() != task.identity:
            store.reload()  # a worker that lives for days may know the folder as it was
        mine = identity()
    except store.CatalogError as error:
        raise BatchError(
            f"{socket.gethostname()} cannot use the catalog: {error.problems[0]}"
        ) from None
    if mine != task.identity:
        raise BatchError(
            f"{socket.gethostname()} would compute with {mine}, and not with {task.identity}: "
            "install the same versions and show it the same catalog folder."
        )


def identity() -> Identity:
    """What the figures of this process rest on."""
    engine = f"formualizer {importlib.metadata.version('formualizer')}"
    return Identity(xltoken.__version__, store.current().fingerprint, engine)


def digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes; empty where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def summed_up(finished: Sequence[Done], seconds: float) -> dict[str, Any]:
    """Plain data of a whole batch: every file, and what they come to."""
    who = identity()  # workers have the same one, or their results would not be here
    totals: dict[str, int] = {"files": len(finished)}
    for status in ("done", "findings", "failed"):
        totals[status] = sum(done.status == status for done in finished)
    totals["kept"] = sum(done.kept for done in finished)
    for done in finished:
        for name, count in done.summary.items():
            totals[name] = totals.get(name, 0) + count
    return {
        "files": [asdict(done) for done in finished],
        "totals": totals,
        "engine": who.engine,
        "version": who.version,
        "fingerprint": who.fingerprint,
        "seconds": seconds,
    }


class Journal:
    """Finished tasks, a line each, on the disk at once: what ``--resume`` reads.

    It is only ever added to, and the last word about a task counts. A line that cannot be read
    (the machine stopped while it was written) costs its task another calculation, no more.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self._known: dict[str, dict[str, Any]] = {}
        try:
            before = path.read_bytes() if path.exists() else b""
            # Unbuffered: a line goes out in one piece, or not at all.
            self._file = path.open("ab", buffering=0)
            if before and not before.endswith(b"\n"):
                self._file.write(b"\n")
        except OSError as error:
            raise self._unusable(error) from None
        for line in before.splitlines() if resume else ():
            with contextlib.suppress(ValueError, TypeError, KeyError):
                entry = json.loads(line)
                entry["done"] = Done(**entry["done"])
                self._known[entry["key"]] = entry

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def kept(self, task: Task) -> Done | None:
        """Result of a task that was done before, if its input and its output stand as then."""
        entry = self._known.get(task.key)
        if entry is None:
            return None
        done: Done = entry["done"]
        if done.status == "failed" or not done.sha256 or digest(task.target) != done.sha256:
            return None
        if not task.in_place and entry["read"] != task.sha256:
            return None
        return replace(done, file=task.file, kept=True)

    def record(self, task: Task, done: Done) -> None:
        """Write down that a task is finished."""
        entry = {"key": task.key, "read": task.sha256, "done": asdict(done)}
        try:
            self._file.write(json.dumps(entry).encode() + b"\n")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> FileError:
        return FileError(f"{self.path}: the journal cannot be kept ({error.strerror}).")
