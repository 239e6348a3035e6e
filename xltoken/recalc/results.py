"""Results of scenarios on disk: CSV, Parquet, or a workbook with tables and a chart.

The same results make the same bytes: nothing in them tells the time.
"""

import csv
import importlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from xltoken.files import check_writable, write_atomically
from xltoken.recalc.runs import forget
from xltoken.recalc.scenarios import Simulated, Swept, Tornado
from xltoken.recalc.settings import SettingError
from xltoken.recalc.sheetxml import MAX_ROW, ErrorText, Value

SUFFIXES: Final = (".csv", ".parquet", ".xlsx")

_KEYS: Final = ("name", "row", "number", "row_number")
"""Titles of the first column where an input or output has the usual one."""


def check(
    output: Path, rows: int, sources: Sequence[Path], suffixes: Sequence[str] = SUFFIXES
) -> None:
    """Refuse a result that could not be written, before anything is run.

    Parameters
    ----------
    output : Path
        Where the result will stand.
    rows : int
        Number of its rows.
    sources : sequence of Path
        Files that are read: a result never takes the place of one.
    suffixes : sequence of str
        Kinds of files that there are.

    Raises
    ------
    SettingError
        If the kind of file is none of these or cannot hold so many rows, or it is a source.
    FileError
        If there is no such folder, or nothing may be written there.
    ImportError
        If a Parquet file is due and pyarrow is not installed.
    """
    suffix = output.suffix.lower()
    if suffix not in suffixes:
        raise SettingError(f"-o {output}: results are written as {', '.join(suffixes)}.")
    if any(output.exists() and one.exists() and output.samefile(one) for one in sources):
        raise SettingError(f"-o {output}: is a file that is read; name another one.")
    if suffix == ".xlsx" and rows >= MAX_ROW:
        raise SettingError(
            f"-o {output}: a sheet has {MAX_ROW:,} rows; write {rows:,} scenarios to .csv."
        )
    if suffix == ".parquet":
        importlib.import_module("pyarrow.parquet")  # asked for before hours are spent
    check_writable(output)


def write(found: Swept | Simulated | Tornado, output: Path) -> None:
    """Write results in one step, in the format that the name of the file says.

    Once the whole result stands the journal of its run goes.

    A CSV or Parquet file holds one row a scenario (a tornado: one a bar): inputs as used, then the
    watched cells. A workbook shows the summary first.

    Parameters
    ----------
    found : Swept, Simulated or Tornado
        What to write.
    output : Path
        A ``.csv``, ``.parquet`` or ``.xlsx`` file.

    Raises
    ------
    FileError
        If it cannot be written; an older file is then as it was.
    """
    suffix = output.suffix.lower()
    if suffix == ".xlsx":
        from xltoken.recalc.result_books import book_of

        content = book_of(found)
    else:
        titles, rows = table(found)
        content = (
            _csv(titles, rows) if suffix == ".csv" else _parquet(titles, rows, found.book.stamp)
        )
    write_atomically(output, content)
    if not isinstance(found, Tornado) and not found.runs.stopped:
        forget(output)


def table(found: Swept | Simulated | Tornado) -> tuple[list[str], list[list[Value]]]:
    """Titles and rows of results; the first column tells the rows apart."""
    if isinstance(found, Tornado):
        titles = ["input", "low", "base", "high", "result_low", "result_base", "result_high",
                  "swing"]  # fmt: skip
        bars = found.bars
        rows: list[list[Value]] = [
            [b.label, b.low, b.base, b.high, b.result_low, found.base, b.result_high,
             b.swing if b.swing == b.swing else None]
            for b in bars
        ]  # fmt: skip
        return titles, rows
    watched = list(found.book.watched)
    if isinstance(found, Swept):
        titles = _titled("scenario", found.scenarios.labels, watched)
        return titles, [[name, *row, *result] for name, row, result in found.rows]
    titles = _titled("draw", found.labels, watched)
    pairs = zip(found.samples.tolist(), found.runs.results, strict=True)
    return titles, [[float(n), *row, *(result or ())] for n, (row, result) in enumerate(pairs, 1)]


def _titled(usual: str, inputs: Sequence[str], outputs: Sequence[str]) -> list[str]:
    titles = [*inputs, *outputs]
    taken = {title.casefold() for title in titles}
    keys = (usual, *_KEYS, *(f"{usual}_{number}" for number in range(len(titles))))
    return [next(key for key in keys if key not in taken), *titles]


def _csv(titles: Sequence[str], rows: Sequence[Sequence[Value]]) -> bytes:
    """Lines of values, numbers with every digit that they have."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows([_written(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _written(value: Value) -> Any:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return int(value)
    return value


def _parquet(titles: Sequence[str], rows: Sequence[Sequence[Value]], stamp: str) -> bytes:
    """Columns of one type each: numbers, with errors as nulls and their text in a column beside."""
    pyarrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    columns: dict[str, Any] = {}
    for title, values in zip(titles, zip(*rows, strict=True), strict=True):
        errors = [str(value) if isinstance(value, ErrorText) else None for value in values]
        good = [None if isinstance(value, ErrorText) else value for value in values]
        kinds = {type(value) for value in good if value is not None}
        if len(kinds) > 1:
            good = [None if value is None else str(_written(value)) for value in good]
            kinds = {str}
        kind = next(iter(kinds), float)
        types = {bool: pyarrow.bool_(), str: pyarrow.string(), float: pyarrow.float64()}
        columns[title] = pyarrow.array(good, types[kind])
        if any(errors):
            columns[f"{title} error"] = pyarrow.array(errors, pyarrow.string())
    made = pyarrow.table(columns).replace_schema_metadata({"xltoken": stamp})
    buffer = io.BytesIO()
    parquet.write_table(made, buffer)
    return buffer.getvalue()
