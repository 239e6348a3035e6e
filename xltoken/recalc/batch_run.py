"""Where the tasks of a batch are done: in this process, in processes here, or on a Dask cluster.

A lost worker costs time, never a result: what it had in hand is handed out again.
"""

import concurrent.futures
import contextlib
import importlib
import logging
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import xltoken
from xltoken.recalc.batch import BatchError, Done, Task, digest, recalculate_one

Do = Callable[[Task], Done]
Each = Callable[[Task, Done], None]

ATTEMPTS: Final = 3
"""Times that a task may take its process with it."""
LONELY: Final = 60.0
"""Seconds without any worker after which a cluster is given up."""
VISIBLE: Final = 15.0
"""Seconds that a file written elsewhere may take to be seen here."""

_POLL: Final = 0.5
_MOST_PROCESSES: Final = 61
"""What Windows lets one process wait for."""


def run(
    tasks: Iterable[Task],
    each: Each,
    *,
    jobs: int | None = None,
    cluster: str = "",
    do: Do = recalculate_one,
) -> None:
    """Do every task and tell `each` about it as it finishes, in no certain order.

    Parameters
    ----------
    tasks : iterable of Task
    each : callable
        Called in this process with every task and its result.
    jobs : int, optional
        Processes; 1 is this one; default: as many as there are processors.
    cluster : str
        Address of a Dask scheduler. Its workers read and write the very paths of the tasks, so
        their folder must be shared.
    do : callable
        What a task means; a function of a module, so that other processes find it.

    Raises
    ------
    BatchError
        If a worker would give other figures, or the workers cannot be used.
    KeyboardInterrupt
        On Ctrl-C, after the tasks in hand here were finished; a second one drops them.
    """
    waiting = deque(tasks)
    if cluster:
        _on_cluster(waiting, each, do, cluster)
        return
    most = min(jobs or os.cpu_count() or 1, max(len(waiting), 1))
    if sys.platform == "win32":
        most = min(most, _MOST_PROCESSES)
    with _CtrlC() as stop:
        if most > 1:
            _in_processes(waiting, each, do, most, stop)
        while waiting and not stop.asked:
            task = waiting.popleft()
            each(task, do(task))


class _CtrlC:
    """Takes note of a first Ctrl-C, and interrupts at the end of the block; a second does at once.

    An exception in the midst of anything would lose results that are there already, and the
    engine swallows one that reaches it.
    """

    asked = False

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        self._before = signal.signal(signal.SIGINT, self._heard) if main else None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self.asked and kind is None:
            raise KeyboardInterrupt

    def _heard(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _in_processes(waiting: deque[Task], each: Each, do: Do, jobs: int, stop: _CtrlC) -> None:
    suspects: list[Task] = []
    while waiting and not stop.asked:
        before = len(waiting)
        suspects += _in_a_pool(waiting, each, do, jobs, stop)
        if len(waiting) == before:
            raise BatchError("no process can be started to compute in.")
    # Whoever was in hand when a process died is tried alone, so that the innocent are not blamed.
    for task in suspects:
        for _ in range(1, ATTEMPTS):
            if stop.asked or not _in_a_pool(deque([task]), each, do, 1, stop):
                break
        else:
            error = (
                f"{task.path}: the process that computed it died {ATTEMPTS} times; it may need "
                "more memory than there is."
            )
            each(task, Done.failed(task, error))


def _in_a_pool(waiting: deque[Task], each: Each, do: Do, jobs: int, stop: _CtrlC) -> list[Task]:
    """Do what is waiting; returns the tasks in hand when a process died."""
    context = multiprocessing.get_context("spawn")  # a fork would copy locks of other threads
    before = set(multiprocessing.active_children())
    with concurrent.futures.ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_follow_the_caller
    ) as pool:
        try:
            return _Hands(pool, do, each, jobs, BrokenProcessPool, stop).work(waiting)
        except KeyboardInterrupt:
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()
            raise


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Hold Ctrl-C back where a process may be started: it starts as deaf as we are, and stays so.

    One that heard it before it got to our code would print a traceback.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow_the_caller() -> None:
    """Leave Ctrl-C to the caller, and end when it is killed: a pool would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_caller, daemon=True).start()


def _end_with_the_caller() -> None:
    caller = multiprocessing.parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)


@dataclass(slots=True)
class _Hands:
    """Tasks handed to an executor, at most `most` at a time, and taken back as they finish.

    `died` is how the executor says that a worker was lost with a task; `suspects` are the tasks
    of which it said so. A pool that broke takes no more: what waits then is left waiting.
    """

    executor: Executor
    do: Do
    each: Each
    most: int
    died: type[Exception]
    stop: _CtrlC
    idle: Callable[[], None] = lambda: None
    suspects: list[Task] = field(default_factory=list)
    _held: dict[Future[Done], Task] = field(default_factory=dict)
    _finished: "queue.SimpleQueue[Future[Done]]" = field(default_factory=queue.SimpleQueue)
    _open: bool = True

    def work(self, waiting: deque[Task]) -> list[Task]:
        """Do what is waiting; returns the suspects."""
        try:
            while True:
                if self.stop.asked:
                    self._open = False
                    self._cancel()
                self._fill(waiting)
                if not self._held:
                    return self.suspects
                self._take()
        except BaseException:
            self._cancel()
            raise

    def _fill(self, waiting: deque[Task]) -> None:
        while waiting and self._open and len(self._held) < self.most:
            try:
                with _deaf():
                    future = self.executor.submit(self.do, waiting[0])
            except BrokenProcessPool:
                self._open = False
                return
            self._held[future] = waiting.popleft()
            future.add_done_callback(self._finished.put)

    def _take(self) -> None:
        try:  # with a limit, because Windows hears Ctrl-C between waits only
            future = self._finished.get(timeout=_POLL)
        except queue.Empty:
            self.idle()
            return
        task = self._held.pop(future)
        if future.cancelled() and self.stop.asked:
            return
        try:
            done = future.result()
        except self.died as death:
            self._open = self._open and not isinstance(death, BrokenProcessPool)
            self.suspects.append(task)
        except BatchError:
            raise
        except Exception as error:  # noqa: BLE001 - `do` itself raises nothing else
            raise _unable(error) from None
        else:
            self.each(task, done)

    def _cancel(self) -> None:
        for future in list(self._held):
            future.cancel()


def _unable(error: Exception, who: str = "a worker") -> BatchError:
    if isinstance(error, concurrent.futures.CancelledError):
        return BatchError("the connection with the scheduler was lost.")
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return BatchError(
        f"{who} cannot do its task ({reason}); scheduler and workers need the same xltoken as "
        "this machine."
    )


def _on_cluster(waiting: deque[Task], each: Each, do: Do, address: str) -> None:
    distributed: Any = importlib.import_module("distributed")  # an extra, and untyped
    killed: type[Exception] = importlib.import_module("distributed.scheduler").KilledWorker
    everybody = len(waiting)
    try:
        client = distributed.Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BatchError(f"--cluster {address}: no scheduler answers there ({reason}).") from None
    with _quiet("distributed.client"), client:
        # A worker that lacks our code would be lost with the first task that it takes.
        for worker, answer in client.run(_version, on_error="return").items():
            if isinstance(answer, Exception) and not isinstance(answer, OSError):
                raise _unable(answer, f"worker {worker}")
        executor = client.get_executor(pure=False)
        watch = _Watch(client, address)

        def seen(task: Task, done: Done) -> None:
            watch.alone_since = None
            each(task, _seen_here(task, done))

        with _CtrlC() as stop:
            suspects = _Hands(executor, do, seen, everybody, killed, stop, watch).work(waiting)
            # The scheduler blames whoever was queued at a worker that died: ask again, one by one.
            for task in suspects:
                if _Hands(executor, do, seen, 1, killed, stop, watch).work(deque([task])):
                    why = (
                        f"{task.path}: every worker that computed it died; it may need more memory "
                        "than they have."
                    )
                    each(task, Done.failed(task, why))


def _version() -> str:
    """Version of a worker, which shows that our code can be loaded there."""
    from xltoken.recalc import workbook  # noqa: F401 - what a task needs

    return xltoken.__version__


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a logger from telling, with tracebacks, what is told here in one line."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Watch:
    """Gives a cluster up when no worker was there for long; else it would wait for ever."""

    def __init__(self, client: Any, address: str) -> None:
        self.alone_since: float | None = None
        self._client = client
        self._address = address

    def __call__(self) -> None:
        if self._client.nthreads():
            self.alone_since = None
            return
        now = time.monotonic()
        self.alone_since = self.alone_since or now
        if now - self.alone_since > LONELY:
            raise BatchError(
                f"--cluster {self._address}: no worker was there for {LONELY:.0f} seconds; start "
                "some."
            )


def _seen_here(task: Task, done: Done) -> Done:
    """Result of a worker elsewhere: a failure names its host, a file is looked for here."""
    if done.status == "failed":
        return replace(done, error=f"worker {done.host}: {done.error}")
    deadline = time.monotonic() + VISIBLE
    while done.sha256 and digest(task.target) != done.sha256:
        if time.monotonic() > deadline:
            raise BatchError(
                f"{task.target} is not what worker {done.host} says it wrote there: the folder "
                "must be one that the workers share with this machine."
            )
        time.sleep(_POLL)  # a shared folder may be seen late
    return done
