"""Many workbooks: what is to be done, done here or in processes, lost processes, the journal."""

import json
import os
import queue
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from recalc_tools import F, book, digest, replaced, values

from xltoken.catalog import store
from xltoken.files import FileError
from xltoken.recalc import batch_run
from xltoken.recalc.batch import BatchError, Done, Journal, Task, identity, recalculate_one
from xltoken.recalc.batch_plan import plan
from xltoken.recalc.batch_run import ATTEMPTS, run

NAMES = {"share": "Sheet1!$A$1"}


def written(folder: Path, name: str, number: float = 2.0) -> Path:
    """A workbook whose B1 is twice its input A1, and whose C1 says what computed it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    cells = {"A1": number, "B1": F("A1*2", number * 2), "C1": F('XLTOKEN_INFO("fingerprint")')}
    path.write_bytes(book({"Sheet1": cells}, names=NAMES))
    return path


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder with five workbooks, m0 to m4, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        written(tmp_path / "models", f"m{number}.xlsx", float(number + 1))
    return tmp_path / "models"


def finished(tasks, **where) -> dict[str, Done]:
    """Results of a run by the name of the file."""
    found: dict[str, Done] = {}
    run(tasks, lambda task, done: found.update({task.name: done}), **where)
    return found


def outputs(folder: Path) -> dict[str, str]:
    """Fingerprint of every workbook in a folder."""
    return {path.name: digest(path) for path in folder.glob("*.xlsx")}


def tried(task: Task) -> int:
    """Write down, next to the output, that a task was begun; the count so far."""
    mark = Path(task.target).with_suffix(".tries")
    with mark.open("a") as file:
        file.write(".")
    return len(mark.read_text())


def dies(task: Task) -> Done:
    """Recalculate, but a file called `killer` takes its process with it, every time."""
    tried(task)
    if "killer" in task.name:
        os._exit(9)
    return recalculate_one(task)


def dies_once(task: Task) -> Done:
    """Recalculate, but the first process of a file called `killer` dies after it has written."""
    first = tried(task) == 1
    done = recalculate_one(task)
    if "killer" in task.name and first:
        os._exit(9)
    return done


def raises(task: Task) -> Done:
    """A worker that cannot run what it was given."""
    raise ImportError("No module named 'xltoken'")


def of_another_catalog(task: Task) -> Done:
    """A worker to which another catalog was shown."""
    return recalculate_one(replace(task, identity=replace(task.identity, fingerprint="other")))


# --- what is to be done ---------------------------------------------------------------------------


def test_a_folder_stands_for_its_workbooks(models):
    """Of a folder .xlsx and .xlsm count, in order; lock files, other files and subfolders do not."""
    written(models, "macro.XLSM")
    written(models, "~$m1.xlsx")
    written(models / "below", "deep.xlsx")
    (models / "notes.txt").write_text("no workbook")
    tasks = plan(["models"], Path("out"))
    assert [task.name for task in tasks] == [
        "m0.xlsx", "m1.xlsx", "m2.xlsx", "m3.xlsx", "m4.xlsx", "macro.XLSM",
    ]  # fmt: skip
    deep = plan(["models"], Path("out"), recursive=True)
    assert [task.name for task in deep if task not in tasks] == ["below/deep.xlsx"]
    assert Path("out/below").is_dir()


def test_the_output_folder_inside_the_inputs_is_no_input(models):
    """What a batch wrote below its own inputs is not taken by the next."""
    written(models / "out", "m0.xlsx")
    tasks = plan(["models"], Path("models/out"), recursive=True)
    assert [task.name for task in tasks] == [f"m{n}.xlsx" for n in range(5)]


def test_patterns_are_expanded_where_the_shell_does_not(models):
    """A pattern stands for what it matches, in order; a file of that very name for itself."""
    written(models, "~$m1.xlsx")
    assert [t.name for t in plan(["models/*[12].xlsx"], Path("out"))] == ["m1.xlsx", "m2.xlsx"]
    written(models, "m[12].xlsx")
    assert [t.name for t in plan(["models/m[12].xlsx"], Path("out"))] == ["m[12].xlsx"]
    with pytest.raises(BatchError, match="no file matches"):
        plan(["models/z*.xlsx"])


def test_two_inputs_with_one_name_are_refused(models, tmp_path):
    """Two workbooks that would be written to one file stop the batch before it begins."""
    written(tmp_path / "more", "M1.xlsx")
    with pytest.raises(BatchError, match=r"m1\.xlsx and .*M1\.xlsx would both be written to"):
        plan(["models", "more/M1.xlsx"], Path("out"))
    assert not Path("out").exists()
    assert len(plan(["models", "more"])) == 6  # in place they do not meet


@pytest.mark.parametrize("output", [None, Path("out")])
def test_a_workbook_given_twice_is_refused(models, output):
    """Naming a workbook twice, by itself and with its folder, stops the batch."""
    with pytest.raises(BatchError, match=r"m1\.xlsx is given twice"):
        plan(["models", "models/m1.xlsx"], output)


def test_an_output_that_is_an_input_is_refused(models, tmp_path):
    """No task writes a file that another reads, and no folder is read and written."""
    with pytest.raises(BatchError, match="both input and output"):
        plan(["models"], models)
    with pytest.raises(BatchError, match="is an input and would be written to"):
        plan(["models/m1.xlsx"], models)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BatchError, match="there is no workbook in"):
        plan(["empty"], Path("out"))


def test_an_output_folder_that_cannot_be_made_is_refused(models):
    """A file where the output folder should be stops the batch in one line."""
    Path("out").write_text("a file")
    with pytest.raises(FileError, match="cannot be made"):
        plan(["models"], Path("out"))


def test_scenarios_give_a_file_for_each_workbook_and_row(models):
    """A row changes the cells of the header, over --set; a blank leaves its input alone."""
    Path("s.csv").write_text("name,share,Sheet1!B9\nlow,40%,\nhigh,0.9,7\n,,\n", encoding="utf-8")
    tasks = plan(["models"], Path("out"), ["Sheet1!A7=1"], scenarios=Path("s.csv"))
    assert len(tasks) == 10
    assert tasks[0].name == "m0--low.xlsx"
    assert tasks[0].settings == ("Sheet1!A7=1", "share=40%")
    assert tasks[1].settings == ("Sheet1!A7=1", "share=0.9", "Sheet1!B9=7")
    with pytest.raises(BatchError, match="output folder"):
        plan(["models"], scenarios=Path("s.csv"))


def test_scenarios_as_excel_saves_them_are_read(models):
    """A byte order mark and semicolons, as Excel writes them in half of Europe, are understood."""
    Path("s.csv").write_bytes(b"\xef\xbb\xbfname;share\r\nlow;2\r\n")
    (task, *_) = plan(["models"], Path("out"), scenarios=Path("s.csv"))
    assert (task.scenario, task.settings) == ("low", ("share=2",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,share\n", "has no scenarios"),
        ("name,share\na/b,1\n", "line 2: 'a/b' cannot be part"),
        ("name,share\n,1\n", "line 2: '' cannot be part"),
        ("name,share\nlow,1\nLOW,2\n", "line 3: there are two scenarios"),
        ("name,share\nlow,1,2\n", "line 2: has more values"),
        ("name,share,\nlow,1,2\n", "line 1: '' is no cell"),
        ("name,a=b\nlow,1\n", "line 1: 'a=b' is no cell"),
        ("name,share,Share\nlow,1,2\n", "Share is set twice"),
        ("name,Sheet1!$A$7\nlow,1\n", "is set twice"),
        ('name,share\n"low,1\n', "line 2: is no CSV row"),
    ],
)
def test_scenarios_that_are_not_plain_are_refused_with_their_line(models, text, said):
    """A scenario file with any doubt in it stops the batch before it begins."""
    Path("s.csv").write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as refused:
        plan(["models"], Path("out"), ["'Sheet1'!a7=1"], scenarios=Path("s.csv"))
    assert said in str(refused.value)
    assert not Path("out").exists()


def test_scenarios_that_cannot_be_read_are_refused(models):
    """A missing file and one in another encoding are refused in one line."""
    with pytest.raises(FileError, match=r"s\.csv: cannot be read"):
        plan(["models"], Path("out"), scenarios=Path("s.csv"))
    Path("s.csv").write_bytes(b"name,share\nl\xf6w,1\n")
    with pytest.raises(FileError, match="is no UTF-8 text"):
        plan(["models"], Path("out"), scenarios=Path("s.csv"))


# --- doing it -------------------------------------------------------------------------------------


def test_processes_give_the_very_files_of_one_process(models):
    """The same bytes come out, whether tasks are done here or in processes; inputs stay."""
    before = outputs(models)
    one = finished(plan(["models"], Path("one"), ["share=0.25"]), jobs=1)
    two = finished(plan(["models"], Path("two"), ["share=0.25"]), jobs=2)
    assert outputs(models) == before
    assert outputs(Path("one")) == outputs(Path("two"))
    assert len(outputs(Path("two"))) == 5
    assert {n: (d.status, d.summary, d.sha256) for n, d in one.items()} == {
        n: (d.status, d.summary, d.sha256) for n, d in two.items()
    }
    assert values(Path("two/m3.xlsx"))["B1"] == 0.5
    assert two["m3.xlsx"].sha256 == digest(Path("two/m3.xlsx"))


def test_a_file_that_fails_stops_no_other(models):
    """Damaged, missing, and with a setting that names no input: each says why, the rest is done."""
    (models / "m1.xlsx").write_bytes((models / "m1.xlsx").read_bytes()[:300])
    (models / "m2.xlsx").write_bytes(book({"Sheet1": {"A1": 1.0}}))
    tasks = plan(["models", "gone.xlsx"], Path("out"), ["share=3"])
    found = finished(tasks, jobs=2)
    assert {name: done.status for name, done in found.items()} == {
        "m0.xlsx": "done", "m1.xlsx": "failed", "m2.xlsx": "failed", "m3.xlsx": "done",
        "m4.xlsx": "done", "gone.xlsx": "failed",
    }  # fmt: skip
    assert "is damaged" in found["m1.xlsx"].error
    assert "share" in found["m2.xlsx"].error
    assert "there is no such file" in found["gone.xlsx"].error
    assert not any("\n" in done.error for done in found.values())
    assert sorted(outputs(Path("out"))) == ["m0.xlsx", "m3.xlsx", "m4.xlsx"]


def test_findings_are_told_and_strict_writes_no_such_file(models):
    """A cell that becomes an error is listed with its place; with strict its file is not written."""
    path = models / "m0.xlsx"
    path.write_bytes(book({"Sheet1": {"A1": 1.0, "B1": F("1/A1", 1.0)}}, names=NAMES))
    (lax,) = finished(plan([str(path)], Path("lax"), ["share=0"])).values()
    assert lax.status == "findings"
    assert lax.findings == [{"sheet": "Sheet1", "cell": "B1", "status": "error", "function": ""}]
    (strict,) = finished(plan([str(path)], Path("strict"), ["share=0"], strict=True)).values()
    assert (strict.status, strict.output, strict.sha256) == ("findings", None, "")
    assert not list(Path("strict").iterdir())


def test_a_defect_is_told_as_one(models, monkeypatch):
    """An exception that nobody foresaw fails its own file, and asks to be reported."""
    from xltoken.recalc import workbook

    def broken(*_, **__):
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(workbook, "recalculate", broken)
    done = finished(plan(["models/m0.xlsx"], Path("out")))["m0.xlsx"]
    assert done.status == "failed"
    assert done.error == "a defect of xltoken: ZeroDivisionError: oh no. Please report it."


def test_a_file_beyond_the_memory_says_so(models, monkeypatch):
    """A workbook too big for the machine is told as that, and not as a defect."""
    from xltoken.recalc import workbook

    def too_big(*_, **__):
        raise MemoryError

    monkeypatch.setattr(workbook, "recalculate", too_big)
    done = finished(plan(["models/m0.xlsx"], Path("out")))["m0.xlsx"]
    assert (done.status, "more memory" in done.error) == ("failed", True)


def test_a_file_that_went_away_since_the_batch_began_is_told(models):
    """A workbook that is deleted while the batch runs fails with that reason."""
    (task,) = plan(["models/m0.xlsx"], Path("out"))
    (models / "m0.xlsx").unlink()
    assert "there is no such file" in finished([task])["m0.xlsx"].error


def test_a_file_that_changed_since_the_batch_began_is_refused(models):
    """A result is never that of another file than the one that the batch set out with."""
    (task,) = plan(["models/m0.xlsx"], Path("out"))
    written(models, "m0.xlsx", 99.0)
    assert "is not the file that the batch began with" in finished([task])["m0.xlsx"].error
    assert not outputs(Path("out"))


def test_the_catalog_of_the_caller_reaches_the_processes(models, tmp_path, monkeypatch):
    """Workers compute with the caller's catalog folder, and leave their environment as it was."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "rates.csv").write_text(
        "platform,basis,valid_from,usd_per_accelerator_hour\nB200,on_demand,2026-01-01,4.5\n"
    )
    shipped = identity()
    monkeypatch.setenv(store.ENVIRONMENT, "mine")
    tasks = plan(["models"], Path("out"))
    monkeypatch.delenv(store.ENVIRONMENT)
    mark = tasks[0].identity.fingerprint
    assert mark != shipped.fingerprint
    for jobs in (1, 2):
        found = finished(tasks, jobs=jobs)
        assert {done.fingerprint for done in found.values()} == {mark}
        assert values(Path("out/m1.xlsx"))["C1"] == mark
    assert store.ENVIRONMENT not in os.environ
    assert identity() == shipped


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_with_another_catalog_stops_the_batch(models, jobs):
    """Figures of another catalog are never written: the batch ends and says who differs."""
    tasks = plan(["models"], Path("out"))
    with pytest.raises(BatchError, match=r"would compute with .* and not with .*catalog other"):
        finished(tasks, jobs=jobs, do=of_another_catalog)
    assert not outputs(Path("out"))


def test_a_worker_without_the_catalog_stops_the_batch(models):
    """A worker that cannot read the catalog folder stops the batch."""
    tasks = [replace(t, catalog="/no/such") for t in plan(["models"], Path("out"))]
    with pytest.raises(BatchError, match="cannot use the catalog"):
        finished(tasks)


def test_a_worker_that_cannot_run_a_task_stops_the_batch(models):
    """What a task function itself raises is no fault of a file."""
    with pytest.raises(BatchError, match=r"a worker cannot do its task .*No module named"):
        finished(plan(["models"], Path("out")), jobs=2, do=raises)


# --- processes that die ---------------------------------------------------------------------------


@pytest.mark.slow
def test_a_file_that_kills_its_process_fails_alone(models):
    """It is tried three times and fails; every other file is done, and none is blamed."""
    written(models, "killer.xlsx")
    found = finished(plan(["models"], Path("out")), jobs=2, do=dies)
    assert found.pop("killer.xlsx").error.endswith("more memory than there is.")
    assert {done.status for done in found.values()} == {"done"}
    assert len(found) == 5
    assert len(Path("out/killer.tries").read_text()) == ATTEMPTS


@pytest.mark.slow
@pytest.mark.parametrize("output", [None, Path("out")])
def test_a_process_that_died_after_writing_costs_another_attempt_only(models, output):
    """A task is done again without harm, in place too, where its input is its own output."""
    written(models, "killer.xlsx")
    found = finished(plan(["models"], output, ["share=0.25"]), jobs=2, do=dies_once)
    assert {done.status for done in found.values()} == {"done"}
    assert values((output or models) / "killer.xlsx")["B1"] == 0.5


def test_a_pool_that_never_starts_is_given_up(models, monkeypatch):
    """Where no process takes a task, the batch ends instead of trying for ever."""
    monkeypatch.setattr(batch_run, "_in_a_pool", lambda *_: [])
    with pytest.raises(BatchError, match="no process can be started"):
        finished(plan(["models"], Path("out")), jobs=2)


# --- Ctrl-C ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_is_finished_and_begins_nothing(models, jobs):
    """After Ctrl-C tasks in hand are finished and told, the others are not begun."""
    for number in range(5, 20):
        written(models, f"m{number:02}.xlsx")
    tasks = plan(["models"], Path("out"))
    found: dict[Task, Done] = {}

    def each(task, done):
        found[task] = done
        if len(found) == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(tasks, each, jobs=jobs)
    assert 2 <= len(found) <= 2 + jobs
    assert outputs(Path("out")).keys() == {task.name for task in found}


def sleeps(task: Task) -> Done:
    """Say that the task is begun, and take very long."""
    tried(task)
    time.sleep(600)
    return recalculate_one(task)


def test_a_second_ctrl_c_ends_the_processes(models, monkeypatch):
    """Whoever presses Ctrl-C twice does not wait for what is in hand."""
    tasks = plan(["models"], Path("out"))

    class Impatient:
        def __init__(self, *_, **__):
            self.begun = False

        def put(self, future):
            pass

        def get(self, timeout):
            while not list(Path("out").glob("*.tries")):
                time.sleep(0.01)
            signal.raise_signal(signal.SIGINT)
            raise queue.Empty

    monkeypatch.setattr(batch_run.queue, "SimpleQueue", Impatient)
    hands = batch_run._Hands
    monkeypatch.setattr(batch_run, "_Hands", lambda *a: hands(*a, _finished=Impatient()))
    with pytest.raises(KeyboardInterrupt):
        run(tasks, lambda *_: None, jobs=2, do=sleeps)
    assert not outputs(Path("out"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_processes_end_with_a_caller_that_is_killed(models):
    """A caller that dies without a word leaves no process behind: nobody holds its output open."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import test_batch;"
        "from xltoken.recalc.batch_plan import plan; from xltoken.recalc.batch_run import run;"
        "run(plan(['models'], Path('out')), print, jobs=2, do=test_batch.sleeps)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as caller:
        while len(list(Path("out").glob("*.tries"))) < 2:
            assert caller.poll() is None
            time.sleep(0.02)
        caller.send_signal(signal.SIGKILL)
        assert caller.communicate(timeout=300)[0] == b""


# --- the journal ----------------------------------------------------------------------------------


def recorded(tasks, path: Path) -> None:
    """Do tasks and keep the journal."""
    with Journal(path, resume=True) as journal:
        run(tasks, journal.record, jobs=1)


def kept(tasks, path: Path) -> list[str]:
    """Names of the tasks that a resumed batch would skip."""
    with Journal(path, resume=True) as journal:
        return [task.name for task in tasks if journal.kept(task) is not None]


@pytest.mark.parametrize("output", [None, Path("out")])
def test_half_a_journal_saves_half_the_work(models, output):
    """What the journal says is done and stands as it says is kept, with its result; no other."""
    tasks = plan(["models"], output, ["share=0.25"])
    recorded(tasks[:2], Path("j"))
    again = plan(["models"], output, ["share=0.25"])
    assert kept(again, Path("j")) == [task.name for task in tasks[:2]]
    with Journal(Path("j"), resume=True) as journal:
        done = journal.kept(again[0])
        assert done is not None
        assert done.kept
        assert done.summary["changed"] > 0
    with Journal(Path("j"), resume=False) as journal:
        assert journal.kept(again[0]) is None


def test_anything_that_changed_is_done_again(models):
    """Input, output, setting, strictness, catalog or version: another one, and the task is redone."""
    out = Path("out")
    recorded(plan(["models"], out), Path("j"))
    written(models, "m0.xlsx", 50.0)
    (out / "m1.xlsx").unlink()
    (out / "m2.xlsx").write_bytes(b"something else")
    assert kept(plan(["models"], out), Path("j")) == ["m3.xlsx", "m4.xlsx"]
    assert kept(plan(["models"], out, ["share=1"]), Path("j")) == []
    assert kept(plan(["models"], out, strict=True), Path("j")) == []
    tasks = plan(["models"], out)
    for other in ({"fingerprint": "x"}, {"version": "x"}, {"engine": "x"}):
        changed = [replace(t, identity=replace(t.identity, **other)) for t in tasks]
        assert kept(changed, Path("j")) == []


def test_a_workbook_changed_in_place_after_the_batch_is_done_again(models):
    """In place the journal knows the file as the batch left it."""
    tasks = plan(["models"], None, ["share=0.25"])
    recorded(tasks, Path("j"))
    assert len(kept(tasks, Path("j"))) == 5
    path = models / "m0.xlsx"
    path.write_bytes(replaced(path.read_bytes(), "xl/worksheets/sheet1.xml", "0.25", "0.75"))
    assert len(kept(plan(["models"], None, ["share=0.25"]), Path("j"))) == 4


def test_failures_and_files_not_written_are_tried_again(models):
    """Only a task with a file to show for it is kept."""
    (models / "m0.xlsx").write_bytes(b"no workbook")
    (models / "m1.xlsx").write_bytes(
        book({"Sheet1": {"A1": 1.0, "B1": F("1/A1", 1.0)}}, names=NAMES)
    )
    tasks = plan(["models/m0.xlsx", "models/m1.xlsx"], Path("out"), ["share=0"], strict=True)
    recorded(tasks, Path("j"))
    assert kept(tasks, Path("j")) == []


def test_a_damaged_line_costs_its_own_task_only(models):
    """A last line cut off in writing, and lines of another kind, are passed over; new ones hold."""
    tasks = plan(["models"], Path("out"))
    recorded(tasks[:3], Path("j"))
    whole = Path("j").read_bytes()
    lines = whole.splitlines(keepends=True)
    Path("j").write_bytes(b"".join(lines[:2]) + lines[2][:50])
    assert kept(tasks, Path("j")) == ["m0.xlsx", "m1.xlsx"]
    recorded(tasks[3:], Path("j"))
    assert kept(tasks, Path("j")) == ["m0.xlsx", "m1.xlsx", "m3.xlsx", "m4.xlsx"]
    Path("j").write_bytes(b"\xff\n[]\n1\n{}\n" + json.dumps({"done": {"x": 1}}).encode() + whole)
    assert kept(tasks, Path("j")) == ["m1.xlsx", "m2.xlsx"]


def test_a_journal_that_cannot_be_kept_stops_the_batch(models, tmp_path):
    """Without a journal nothing is begun."""
    with pytest.raises(FileError, match="the journal cannot be kept"):
        Journal(tmp_path, resume=False)


def test_a_full_disk_stops_the_batch(models, monkeypatch):
    """A task whose line cannot be written down ends the batch; nothing is pretended."""
    tasks = plan(["models"], Path("out"))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with Journal(Path("j"), resume=False) as journal, pytest.raises(FileError, match="No space"):
        journal.record(tasks[0], Done.failed(tasks[0], "no matter"))


def test_a_result_is_plain_data(models):
    """A result is written to JSON and read back as it is."""
    (task,) = plan(["models/m0.xlsx"], Path("out"))
    done = recalculate_one(task)
    assert Done(**json.loads(json.dumps(asdict(done)))) == done
