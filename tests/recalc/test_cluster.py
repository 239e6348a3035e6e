"""A batch on a Dask cluster: a scheduler and workers as processes of their own, one of them killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest
from recalc_tools import digest, values

from xltoken.recalc import batch_run
from xltoken.recalc.batch import BatchError, Done, Task, recalculate_one
from xltoken.recalc.batch_plan import plan
from xltoken.recalc.batch_run import run

distributed = pytest.importorskip(
    "distributed", reason="the extra xltoken[cluster] is not installed"
)
pytestmark = pytest.mark.slow

FILES = 200


class Cluster:
    """A scheduler on loopback, and its workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.known = folder / "scheduler.json"
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0")
        while not self.known.exists():
            assert self.processes[0].poll() is None
            time.sleep(0.05)
        self.address: str = json.loads(self.known.read_text())["address"]

    def start(self, what: str, *options: str) -> "subprocess.Popen[bytes]":
        """Start a part of the cluster."""
        command = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.dask_{what}"]
        shared = ["--no-dashboard", "--dashboard-address", ":0"]
        file = ["--scheduler-file", str(self.known)]
        with (self.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [*command, *shared, *file, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        self.processes.append(process)
        return process

    def worker(self, nanny: str = "--no-nanny") -> "subprocess.Popen[bytes]":
        """Start a worker of one thread; without a nanny nobody starts it again."""
        place = str(self.folder / f"worker{len(self.processes)}")
        return self.start(
            "worker", "--nthreads", "1", nanny, "--memory-limit", "0", "--host",
            "127.0.0.1", "--local-directory", place,
        )  # fmt: skip

    def wait_for_workers(self, count: int) -> None:
        """Wait until so many workers are ready."""
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=120)

    def stop(self) -> None:
        """End every process that is left."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    """A scheduler without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.stop()


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder of small workbooks, every one with another input, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def make(count: int) -> Path:
        folder = tmp_path / "models"
        folder.mkdir()
        for number in range(count):
            made = openpyxl.Workbook()
            sheet = made.active
            sheet.title = "Inputs"
            sheet["A1"], sheet["A2"] = number + 1, 0.5
            for row in range(1, 21):
                sheet[f"B{row}"] = f"=$A$1*{row}^$A$2"
                sheet[f"C{row}"] = f'=TOKEN_COST("B200",{row % 6},"gpt-oss-120b/batch")*B{row}'
            sheet["D1"] = "=SUM(C1:C20)"
            made.save(folder / f"m{number:03}.xlsx")
        return folder

    return make


def test_two_hundred_files_survive_the_loss_of_a_worker(models, cluster):
    """With one of two workers killed midway all files are done, byte for byte as here."""
    models(FILES)
    settings = ["Inputs!A2=0.7"]
    doomed, _ = cluster.worker(), cluster.worker()
    cluster.wait_for_workers(2)
    found: list[Done] = []

    def each(_, done):
        found.append(done)
        if len(found) == FILES // 3:
            assert len({d.host for d in found}) == 1
            doomed.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    run(plan(["models"], Path("there"), settings), each, cluster=cluster.address)
    assert doomed.wait() != 0
    assert {done.status for done in found} == {"done"}
    assert len({done.file for done in found}) == len(found) == FILES
    run(plan(["models"], Path("here"), settings), lambda *_: None)
    for done in found:
        name = Path(done.file).name
        assert done.sha256 == digest(Path("there") / name) == digest(Path("here") / name)
    assert len({done.sha256 for done in found}) == FILES
    assert values(Path("there/m002.xlsx"))["B2"] == 3 * 2**0.7


def test_a_cluster_is_checked_like_processes_here(models, cluster, monkeypatch):
    """A file that fails names its worker; another catalog, or a folder not shared, ends the batch."""
    folder = models(3)
    cluster.worker()
    (folder / "m001.xlsx").write_bytes(b"no workbook")
    tasks = plan(["models"], Path("out"))
    found: dict[str, Done] = {}
    run(tasks, lambda task, done: found.update({task.name: done}), cluster=cluster.address)
    assert [found[f"m00{n}.xlsx"].status for n in range(3)] == ["done", "failed", "done"]
    assert found["m001.xlsx"].error.startswith(f"worker {found['m000.xlsx'].host}: ")
    (folder / "m001.xlsx").unlink()
    run(tasks[1:2], lambda task, done: found.update({task.name: done}), cluster=cluster.address)
    assert "there is no such file" in found["m001.xlsx"].error

    monkeypatch.setattr(batch_run, "VISIBLE", 0.0)
    monkeypatch.setattr(batch_run, "digest", lambda path: "")
    with pytest.raises(BatchError, match=r"is not what worker .* says it wrote"):
        run(tasks[:1], lambda *_: None, cluster=cluster.address)

    mine = folder / "mine"
    mine.mkdir()
    (mine / "rates.csv").write_text(
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,on_demand,2026-01-01,4.5\n"
    )
    monkeypatch.setenv("XLTOKEN_CATALOG", str(mine))
    tasks = plan(["models"], Path("other"))
    (mine / "rates.csv").unlink()
    with pytest.raises(BatchError, match="would compute with"):
        run(tasks, lambda *_: None, cluster=cluster.address)
    assert not list(Path("other").iterdir())


def dies(task: Task) -> Done:
    """Recalculate, but one file takes its worker with it, every time."""
    if task.name == "m007.xlsx":
        os._exit(9)
    return recalculate_one(task)


def test_a_file_that_kills_its_workers_fails_alone(models, cluster):
    """Where nannies start workers again, one bad file costs itself alone."""
    models(20)
    cluster.worker("--nanny")
    cluster.wait_for_workers(1)
    found: dict[str, Done] = {}

    def each(task, done):
        found[task.name] = done

    run(plan(["models"], Path("out")), each, cluster=cluster.address, do=dies)
    assert "every worker that computed it died" in found.pop("m007.xlsx").error
    assert {done.status for done in found.values()} == {"done"}
    assert len(found) == 19


def test_a_lost_scheduler_ends_the_batch(models, cluster):
    """Without a scheduler nothing comes back any more, and the batch says so."""
    models(40)
    cluster.worker()
    found: list[Done] = []

    def each(_, done):
        found.append(done)
        if len(found) == 3:
            cluster.processes[0].kill()

    with pytest.raises(BatchError, match="connection with the scheduler was lost"):
        run(plan(["models"], Path("out")), each, cluster=cluster.address)
    assert 3 <= len(found) < 40


def test_a_cluster_without_workers_is_given_up(models, cluster, monkeypatch):
    """A batch never waits for ever: without workers, or without a scheduler, it ends and says so."""
    models(1)
    monkeypatch.setattr(batch_run, "LONELY", 1.0)
    tasks = plan(["models"], Path("out"))
    with pytest.raises(BatchError, match="no worker was there"):
        run(tasks, lambda *_: None, cluster=cluster.address)
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(BatchError, match="no scheduler answers there"),
    ):
        run(tasks, lambda *_: None, cluster="tcp://127.0.0.1:9")
    with pytest.raises(BatchError, match="no scheduler answers there"):
        run(tasks, lambda *_: None, cluster="nonsense://x")
