"""Many scenarios: in processes, stopped, continued, broken."""

import json
import signal
import threading

import pytest
from scenario_books import interrupted_after, plan, swept

from xltoken.files import FileError
from xltoken.recalc import runs
from xltoken.recalc.model import Model
from xltoken.recalc.runs import forget, journal_of, run_all
from xltoken.recalc.scenario_input import open_book
from xltoken.recalc.scenario_tables import grid
from xltoken.recalc.scenarios import sweep
from xltoken.recalc.sheetxml import ErrorText


def test_two_processes_give_the_same_bits(tmp_path):
    """Split over processes, a sweep gives every value in its place, bit for bit."""
    path = plan(tmp_path)
    found = open_book(path, ["rent=51"], ["profit", "ratio", "verdict"])
    asked = grid(found, ["price=0.1:7:0.1", "Inputs!B4=base,high"])
    counts = []
    one = sweep(found, asked, tmp_path / "r.csv")
    two = sweep(open_book(path, ["rent=51"], ["profit", "ratio", "verdict"]), asked,
                tmp_path / "r.csv", jobs=2, told=counts.append)  # fmt: skip
    assert one.runs.results == two.runs.results
    assert counts == list(range(len(asked.rows) + 1))
    assert {type(value) for row in two.runs.results for value in row} == {float, str, ErrorText}


def test_ctrl_c_keeps_what_is_done_and_resume_continues(tmp_path, monkeypatch):
    """A stopped sweep has its results so far; --resume runs the others only, to the same result."""
    path = plan(tmp_path)
    text = "price\n" + "".join(f"{number}\n" for number in range(1, 31))
    watch = ["profit", "ratio"]
    whole = swept(path, text, tmp_path, watch)
    before = signal.getsignal(signal.SIGINT)
    part = swept(path, text, tmp_path, watch, told=interrupted_after(11))
    assert part.runs.stopped
    assert part.runs.done == 11
    assert [result for _, _, result in part.rows] == whole.runs.results[:11]
    assert signal.getsignal(signal.SIGINT) is before
    assert journal_of(tmp_path / "r.csv").exists()
    count = []
    run = Model.run
    monkeypatch.setattr(Model, "run", lambda *a: count.append(1) or run(*a))
    rest = swept(path, text, tmp_path, watch, resume=True)
    assert len(count) == 19
    assert rest.runs.taken == 11
    assert rest.runs.results == whole.runs.results
    assert isinstance(rest.runs.results[0][1], ErrorText)
    assert not rest.runs.stopped
    forget(tmp_path / "r.csv")
    assert not journal_of(tmp_path / "r.csv").exists()


def test_a_stop_at_the_last_scenario_is_no_stop(tmp_path):
    """Ctrl-C when everything is done changes nothing."""
    found = swept(plan(tmp_path), "price\n1\n2\n", tmp_path, told=interrupted_after(2))
    assert not found.runs.stopped
    assert found.runs.done == 2


def test_processes_stop_and_resume_too(tmp_path):
    """A stopped run in processes keeps whole chunks in their places, and continues."""
    path = plan(tmp_path)
    text = "price\n" + "".join(f"{number / 7}\n" for number in range(1, 200))
    whole = swept(path, text, tmp_path)
    part = swept(path, text, tmp_path, jobs=2, told=interrupted_after(5))
    assert part.runs.stopped
    assert 5 <= part.runs.done < 199
    for found, expected in zip(part.runs.results, whole.runs.results, strict=True):
        assert found is None or found == expected
    rest = swept(path, text, tmp_path, jobs=2, resume=True)
    assert rest.runs.taken == part.runs.done
    assert rest.runs.results == whole.runs.results


def stopped_run(path, tmp_path, text="price\n3\n4\n5\n"):
    """A sweep stopped after two scenarios; gives its journal."""
    swept(path, text, tmp_path, told=interrupted_after(2))
    return journal_of(tmp_path / "r.csv")


def test_resume_finds_rows_wherever_they_stand(tmp_path):
    """Rows done are known by their values: a list that was edited runs only what is new."""
    path = plan(tmp_path)
    stopped_run(path, tmp_path)
    again = swept(path, "price\n9\n4\n3\n", tmp_path, resume=True)
    assert again.runs.taken == 2
    assert again.runs.results == [[850.0], [350.0], [250.0]]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("file", "the workbook changed"),
        ("set", "--set changed"),
        ("watch", "the watched cells changed"),
        ("inputs", "inputs changed"),
    ],
)
def test_results_of_another_run_do_not_count(tmp_path, change, part):
    """Another file, other settings or other cells: every scenario is run again, and it is said."""
    path = plan(tmp_path)
    stopped_run(path, tmp_path)
    if change == "file":
        content = plan(tmp_path, "other.xlsx", lost=True).read_bytes()
        path.write_bytes(content)
    again = swept(
        path,
        "volume\n3\n" if change == "inputs" else "price\n3\n",
        tmp_path,
        watch=["ratio" if change == "watch" else "profit"],
        settings=["rent=1"] if change == "set" else [],
        resume=True,
    )
    assert again.runs.taken == 0
    assert part in again.runs.notes[0]


def test_a_damaged_journal_counts_as_far_as_it_is_whole(tmp_path):
    """A last line that was cut off, or a damaged one, is run again; a file that is none is told."""
    path = plan(tmp_path)
    journal = stopped_run(path, tmp_path)
    whole = journal.read_text("utf-8")
    journal.write_text(whole[:-3], encoding="utf-8")
    assert swept(path, "price\n3\n4\n5\n", tmp_path, resume=True).runs.taken == 1
    header, one, two = whole.splitlines()
    journal.write_text(f"{header}\n{one[:-4]}\n{two}\n", encoding="utf-8")
    assert swept(path, "price\n3\n4\n5\n", tmp_path, resume=True).runs.taken == 0
    journal.write_text("[1]\n", encoding="utf-8")
    found = swept(path, "price\n3\n4\n5\n", tmp_path, resume=True)
    assert "it is no journal" in found.runs.notes[0]
    assert found.runs.results == [[250.0], [350.0], [450.0]]
    journal.write_bytes(b"\xff\xfe\n")
    with pytest.raises(FileError, match="cannot be read"):
        swept(path, "price\n3\n4\n5\n", tmp_path, resume=True)


def test_a_whole_journal_is_the_whole_result(tmp_path):
    """Where all was run and only the writing failed, --resume runs nothing again."""
    path = plan(tmp_path)
    first = swept(path, "price\n3\n4\n", tmp_path)
    again = swept(path, "price\n3\n4\n", tmp_path, resume=True)
    assert again.runs.taken == 2
    assert again.runs.results == first.runs.results


def test_without_a_journal_resume_runs_everything(tmp_path):
    """--resume on a first run says that there is nothing to continue from."""
    found = swept(plan(tmp_path), "price\n3\n", tmp_path, resume=True)
    assert "to continue from" in found.runs.notes[0]
    assert found.runs.results == [[250.0]]


def test_without_resume_a_journal_is_begun_anew(tmp_path):
    """A run without --resume takes nothing over."""
    path = plan(tmp_path)
    journal = stopped_run(path, tmp_path)
    assert swept(path, "price\n3\n", tmp_path).runs.taken == 0
    assert len(journal.read_text("utf-8").splitlines()) == 2


def test_a_defect_leaves_the_journal(tmp_path, monkeypatch):
    """Whatever breaks a run, what was done is kept."""
    path = plan(tmp_path)
    run = Model.run

    def breaking(self, changes, outputs):
        if 4.0 in changes.values():
            raise RuntimeError("broken")
        return run(self, changes, outputs)

    monkeypatch.setattr(Model, "run", breaking)
    with pytest.raises(RuntimeError, match="broken"):
        swept(path, "price\n3\n4\n5\n", tmp_path)
    lines = journal_of(tmp_path / "r.csv").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines[1:]] == [[[3.0], [250.0]]]


def test_a_journal_that_cannot_be_written_is_refused(tmp_path):
    """A folder that is missing is said before anything runs."""
    found = open_book(plan(tmp_path), watch=["profit"])
    with pytest.raises(FileError, match="cannot be written"):
        sweep(found, grid(found, ["price=1,2"]), tmp_path / "none" / "r.csv")


def test_a_file_that_changes_meanwhile_is_refused(tmp_path):
    """A process that finds another file than the run began with does not mix the two."""
    path = plan(tmp_path)
    found = open_book(path, watch=["profit"])
    task = runs.Task(path, found.digest, (), (found.input("price"),),
                     tuple(found.watched.values()))  # fmt: skip
    plan(tmp_path, lost=True)
    with pytest.raises(FileError, match="was changed while its scenarios ran"):
        runs.loaded(task)


def test_a_chunk_is_what_a_process_computes(tmp_path):
    """The work of a process, done here: base inputs set once, every row in order."""
    path = plan(tmp_path)
    found = open_book(path, ["rent=0"], ["profit"])
    task = runs.Task(path, found.digest, tuple(found.base.items()), (found.input("price"),),
                     tuple(found.watched.values()))  # fmt: skip
    before = signal.getsignal(signal.SIGINT)
    try:
        enough = threading.Event()
        runs._start(task, enough)
        assert runs._chunk([[3.0], [4.0]]) == [[300.0], [400.0]]
        enough.set()
        assert runs._chunk([[5.0]]) == []
    finally:
        signal.signal(signal.SIGINT, before)
        runs._worker.clear()
    model = Model.open(path)
    assert run_all(model, task, []).results == []


def test_processes_that_die_are_told(tmp_path, monkeypatch):
    """A process that dies ends the run in one line that says what to do; Ctrl-C is no such death."""
    found = open_book(plan(tmp_path), (), ["profit"])

    class Dying:
        def __init__(self, *_, **__):
            pass

        def submit(self, *_):
            raise runs.BrokenProcessPool

        def shutdown(self, **_):
            pass

    monkeypatch.setattr(runs, "ProcessPoolExecutor", Dying)
    asked = grid(found, ["price=2,3,4"])
    with pytest.raises(FileError, match="--resume keeps what was done"):
        sweep(found, asked, tmp_path / "r.csv", jobs=2)
    stopped = sweep(found, asked, tmp_path / "r.csv", jobs=2, told=interrupted_after(0))
    assert not stopped.runs.stopped or stopped.runs.done == 0


def test_a_run_in_a_thread_cannot_be_stopped_by_a_signal(tmp_path):
    """Outside the main thread Ctrl-C belongs to whoever runs it; without a journal none is left."""
    found = open_book(plan(tmp_path), (), ["profit"])
    task = runs.Task(found.package.path, found.digest, (), (found.input("price"),),
                     tuple(found.watched.values()))  # fmt: skip
    made = []
    thread = threading.Thread(
        target=lambda: made.append(run_all(found.model, task, [[3.0], [4.0]]))
    )
    thread.start()
    thread.join()
    assert made[0].results == [[250.0], [350.0]]
    assert not list(tmp_path.glob("*.journal"))
