"""The tasks of a batch: which workbooks, under which scenarios, written where.

Everything that would let two tasks write one file, or a task read what another wrote, is refused
before the first begins.
"""

import csv
import glob
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from xltoken.catalog import store
from xltoken.files import FileError
from xltoken.recalc.batch import BatchError, Task, digest, identity

SUFFIXES: Final = (".xlsx", ".xlsm")
LOCK: Final = "~$"
"""What the name of Excel's mark for an opened workbook begins with."""

Scenario = tuple[str, tuple[str, ...]]
"""Name, and the inputs that it changes as ``CELL=VALUE``."""

_CELL: Final = re.compile(r"(?:'(?:[^']|'')*'![^=]*|[^=]*)")
_NOT_IN_A_NAME: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')


def plan(
    inputs: Sequence[str],
    output: Path | None = None,
    settings: Sequence[str] = (),
    *,
    scenarios: Path | None = None,
    strict: bool = False,
    recursive: bool = False,
) -> list[Task]:
    """List what a batch has to do, and make the folders that it writes to.

    Parameters
    ----------
    inputs : sequence of str
        Workbooks, folders (their .xlsx and .xlsm files) and patterns with ``*`` and ``?``.
    output : Path, optional
        Folder to write to under the same names; default: each workbook in place.
    settings : sequence of str
        ``CELL=VALUE``, for every workbook.
    scenarios : Path, optional
        CSV file with a scenario a row: its name, then a value for each cell of the header; a
        blank leaves that input as it is. Each workbook is written once a scenario.
    strict : bool
        Write no workbook in which a cell had to be refused or became an error.
    recursive : bool
        Search folders below the folders too.

    Raises
    ------
    BatchError
        If there is nothing to do, or two tasks would meet in one file.
    FileError
        If the scenarios cannot be read or a folder cannot be made.
    """
    if scenarios is not None and output is None:
        raise BatchError("scenarios need an output folder: a workbook becomes one file for each.")
    rows = [("", ())] if scenarios is None else _read_scenarios(scenarios, settings)
    who = identity()
    catalog = os.environ.get(store.ENVIRONMENT, "").strip()
    catalog = str(Path(catalog).absolute()) if catalog else ""
    tasks = []
    for path, name in _workbooks(inputs, output, recursive=recursive):
        content = digest(path)
        for scenario, chosen in rows:
            written = name.with_name(f"{name.stem}--{scenario}{name.suffix}") if scenario else name
            tasks.append(
                Task(
                    str(path),
                    str(path.absolute()) if output is None else written.as_posix(),
                    str(path.absolute()),
                    str((path if output is None else output / written).absolute()),
                    scenario,
                    (*settings, *chosen),
                    strict,
                    catalog,
                    who,
                    content,
                )
            )
    if not tasks:
        raise BatchError(f"there is no workbook in {', '.join(map(str, inputs))}.")
    _refuse_meetings(tasks, in_place=output is None)
    for folder in {Path(task.target).parent for task in tasks if not task.in_place}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder}: cannot be made ({error.strerror}).") from None
    return tasks


def _refuse_meetings(tasks: Iterable[Task], *, in_place: bool) -> None:
    """Refuse two tasks with one target, and a target that is an input.

    Names that differ in case alone count as one: on many file systems they are.
    """
    taken: dict[str, Task] = {}
    for task in tasks:
        place = str(Path(task.target).resolve()).casefold()
        other = taken.setdefault(place, task)
        if other is not task and other.file == task.file:
            raise BatchError(f"{task.file} is given twice.")
        if other is not task:
            raise BatchError(
                f"{other.file} and {task.file} would both be written to {task.target}; put them "
                "into two batches."
            )
    for task in taken.values():
        if not in_place and str(Path(task.path).resolve()).casefold() in taken:
            raise BatchError(
                f"{task.file} is an input and would be written to as well; choose another output "
                "folder, or leave -o out to recalculate in place."
            )


def _workbooks(
    inputs: Iterable[str], output: Path | None, *, recursive: bool
) -> Iterator[tuple[Path, Path]]:
    """Every workbook, and its name in the output folder."""
    for given in inputs:
        for path in _expanded(given):
            if path.is_dir():
                yield from _of_folder(path, output, recursive=recursive)
            elif not path.name.startswith(LOCK):
                yield path, Path(path.name)


def _expanded(given: str) -> list[Path]:
    """What a pattern matches, for shells that leave it to us; else the path itself."""
    if Path(given).exists() or not glob.has_magic(given):
        return [Path(given)]
    found = [Path(match) for match in sorted(glob.glob(given))]  # noqa: PTH207 - folders too
    if not found:
        raise BatchError(f"no file matches {given}.")
    return found


def _of_folder(
    folder: Path, output: Path | None, *, recursive: bool
) -> Iterator[tuple[Path, Path]]:
    out = output.resolve() if output is not None else None
    if out == folder.resolve():
        raise BatchError(
            f"{folder} is both input and output: a second batch would take what the first wrote; "
            "choose another output folder."
        )
    for place, below, names in os.walk(folder, onerror=_unreadable):
        below[:] = sorted(below) if recursive else []
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix.lower() not in SUFFIXES or name.startswith(LOCK):
                continue
            if out is None or out not in path.resolve().parents:
                yield path, path.relative_to(folder)


def _unreadable(error: OSError) -> None:
    raise FileError(f"{error.filename}: cannot be read ({error.strerror}).")


def _read_scenarios(path: Path, settings: Iterable[str]) -> list[Scenario]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise FileError(f"{path}: is no UTF-8 text; save it as CSV UTF-8.") from None
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=";" if ";" in first and "," not in first else ",",
        strict=True,
    )
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise FileError(f"{path}, line {reader.line_num}: is no CSV row ({error}).") from None
    if len(rows) < 2:
        raise FileError(
            f"{path}: has no scenarios; its header is a title and cells like Sheet!B4, and each "
            "row below a name and values."
        )
    cells = [cell.strip() for cell in rows[0][1][1:]]
    _check_cells(path, cells, settings)
    found: dict[str, Scenario] = {}
    for line, (name, *values) in rows[1:]:
        name = name.strip()  # noqa: PLW2901 - the same name, as it is used
        if not name or _NOT_IN_A_NAME.search(name):
            raise FileError(f"{path}, line {line}: {name!r} cannot be part of a file's name.")
        if name.casefold() in found:
            raise FileError(f"{path}, line {line}: there are two scenarios {name!r}.")
        if len(values) > len(cells):
            raise FileError(f"{path}, line {line}: has more values than the header has cells.")
        pairs = zip(cells, values, strict=False)  # a short row ends in blanks
        chosen = tuple(f"{cell}={value}" for cell, value in pairs if value.strip())
        found[name.casefold()] = (name, chosen)
    return list(found.values())


def _check_cells(path: Path, cells: Sequence[str], settings: Iterable[str]) -> None:
    """Refuse a header that names no cell, or one that is set already."""
    taken = {_plain(match[0]) for text in settings if (match := _CELL.match(text))}
    for cell in cells:
        if not cell or not _CELL.fullmatch(cell):
            raise FileError(f"{path}, line 1: {cell!r} is no cell; write Sheet!B4 or a name.")
        if _plain(cell) in taken:
            raise FileError(f"{path}, line 1: {cell} is set twice, here or with --set.")
        taken.add(_plain(cell))


def _plain(cell: str) -> str:
    return cell.strip().replace("$", "").replace("'", "").casefold()
