"""Results of others turned into observations: InferenceX, MLPerf, NVIDIA's AIConfigurator.

Every row of a file becomes one row of ``observations.csv`` or a refusal that says why. What is
taken has passed :func:`xltoken.catalog.records.parse`, so the file can be used as it is.
"""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from xltoken.catalog.importers import aiconfigurator, inferencex, mlperf
from xltoken.catalog.importers.common import Cells, Fields, Options, Refusal
from xltoken.catalog.keys import not_known
from xltoken.catalog.records import (
    Observation,
    Origin,
    Platform,
    Problem,
    Record,
    Source,
    columns,
    parse,
)
from xltoken.catalog.store import Catalog, load, read

__all__ = ["FORMATS", "CannotImport", "Options", "Taken", "import_files", "target_file", "written"]

FORMATS: Final[dict[str, ModuleType]] = {
    "inferencex": inferencex,
    "mlperf": mlperf,
    "aiconfigurator": aiconfigurator,
}
STEADY: Final = (0.8, 2.0)
"""Tokens in flight over tokens served (Little's law) that a row may have; about 1.1 to 1.3 on a
steady run. Of 1,847 rows of InferenceX the lowest right one had 1.03; eight whose number of
accelerators is wrong had 0.56 to 0.72."""


class CannotImport(ValueError):  # noqa: N818 - the message says what to do
    """Options, or a folder to write to, that cannot be used."""


@dataclass(slots=True)
class Taken:
    """What an import found: rows of observations.csv, and rows refused with the reason."""

    rows: list[Cells] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)

    def reasons(self) -> list[tuple[str, int, int, str, str]]:
        """Refusals by reason, most rows first: file, rows, first of them, column, message."""
        groups: dict[tuple[str, str, str], list[int]] = {}
        for refused in self.refused:
            key = (refused.file, refused.column, refused.message)
            groups.setdefault(key, []).append(refused.row)
        reasons = [
            (file, len(rows), rows[0], column, message)
            for (file, column, message), rows in groups.items()
        ]
        return sorted(reasons, key=lambda reason: -reason[1])


def import_files(
    paths: Iterable[Path], target: Path, options: Options, form: str | None = None
) -> Taken:
    """Read result files into the rows of an observations.csv.

    Parameters
    ----------
    paths : iterable of Path
        Files of results, JSON or CSV.
    target : Path
        The CSV file that will be written: platforms and sources are those of the shipped catalog
        and of its folder, so that the folder can be used as a catalog afterwards.
    options : Options
        What the files leave out.
    form : str, optional
        One of FORMATS; by default each file's is recognised from its content.

    Raises
    ------
    CannotImport
        If the folder cannot be used, or `options` name a source that it does not have.
    NotKnown
        If `options` name a platform that the folder does not have.
    """
    catalog = _catalog(target.parent)
    if options.platform:
        catalog.platform(options.platform)
    if options.source_id and options.source_id not in catalog.sources:
        problem = not_known("source", options.source_id, catalog.sources)
        raise CannotImport(
            f"{problem} Describe it in {target.parent / Source.FILE} (source_id, title, url) "
            "first, or leave --source-id out: then the file's name stands for the source."
        )
    taken = Taken()
    seen: dict[str, str] = {}
    for path in paths:
        try:
            importer, rows = _rows(path, form)
        except Refusal as refusal:
            taken.refused.append(Problem(str(path), 0, refusal.column, refusal.message))
            continue
        for number, values in rows:
            try:
                cells = _taken(importer, values, options, catalog)
                known = cells["observation_id"]
                if known in seen:
                    raise Refusal("", f"is the same measurement as {seen[known]}.")  # noqa: TRY301
            except Refusal as refusal:
                taken.refused.append(Problem(str(path), number, refusal.column, refusal.message))
            else:
                seen[known] = f"{path}, row {number}"
                taken.rows.append(cells)
    return taken


def target_file(output: Path, *, replace: bool = False, record: type[Record] = Observation) -> Path:
    """CSV file meant by `output`: the file itself, or the file of `record` in the folder.

    Raises
    ------
    CannotImport
        If the file exists and is not to be replaced.
    """
    try:
        is_file = output.suffix.casefold() == ".csv" and not output.is_dir()
        target = output if is_file else output / record.FILE
        exists = target.exists()
    except OSError as error:
        raise CannotImport(f"{output}: cannot be written: {error.strerror}.") from None
    if exists and not replace:
        raise CannotImport(f"{target}: exists already; --force replaces it, -o names another.")
    return target


def written(rows: Iterable[Cells], record: type[Record] = Observation) -> bytes:
    """Content of a catalog file with `rows`, every column of `record` in its order."""
    text = io.StringIO()
    titles = [column.name for column in columns(record)]
    writer = csv.DictWriter(text, titles, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _catalog(folder: Path) -> Catalog:
    if not any((folder / record.FILE).is_file() for record in (Platform, Source)):
        return load()
    catalog, problems = read(str(folder))
    if catalog is None:
        raise CannotImport(f"{problems[0]} Mend it first: xltoken catalog validate {folder}")
    return catalog


def _taken(importer: ModuleType, values: Any, options: Options, catalog: Catalog) -> Cells:
    """Cells of one row that pass every check of the catalog."""
    if not isinstance(values, dict):
        raise Refusal("", "is no object with named values.")
    if None in values:
        raise Refusal("", "has more cells than the header.")
    cells: Cells = importer.observation(Fields(values), options, catalog)
    cells["source_id"] = options.source_id
    record, problems = parse(Observation, cells, Origin("", 0, user=True))
    if record is None:
        raise Refusal(problems[0].column, problems[0].message)
    ratio = record.steadiness
    # A prediction's wait for the first token is rough, so fewer in flight say nothing there.
    low = STEADY[0] if record.evidence == "measured" else 0.0
    if ratio is not None and not low <= ratio <= STEADY[1]:
        raise Refusal(
            "concurrency",
            f"over the end-to-end time makes {ratio:.3g} times the tokens served, outside "
            f"{low:g} to {STEADY[1]:g} (Little's law): the run stalled, or the number of "
            "accelerators or another figure is wrong.",
        )
    return cells


def _rows(path: Path, form: str | None) -> tuple[ModuleType, list[tuple[int, Any]]]:
    """Importer of a file, and its rows with their numbers (in CSV 1 is the header)."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Refusal("", f"cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refusal("", "is not UTF-8 text.") from None
    if not text.strip():
        raise Refusal("", "is empty.")
    as_json = form == "inferencex" or (form is None and text.lstrip()[0] in "[{")
    names, rows = (_json if as_json else _csv)(text)
    recognised = [FORMATS[form]] if form else list(FORMATS.values())
    for importer in recognised:
        recognises: Callable[[Collection[str]], bool] = importer.recognises
        # Only InferenceX writes JSON, and it writes nothing else.
        if as_json == (importer is inferencex) and recognises(names):
            return importer, rows
    wanted = "; ".join(
        f"{name} has {FORMATS[name].WANTED}" for name in ([form] if form else FORMATS)
    )
    raise Refusal("", f"is no file of a known format: {wanted}.")


def _json(text: str) -> tuple[set[str], list[tuple[int, Any]]]:
    try:
        content = json.loads(text)
    except RecursionError:
        raise Refusal("", "is nested too deeply.") from None
    except ValueError as error:  # also a number of more than 4,300 digits
        raise Refusal("", f"is not JSON: {error}.") from None
    points = content if isinstance(content, list) else [content]
    names = {name for point in points if isinstance(point, dict) for name in point}
    return names, list(enumerate(points, 1))


def _csv(text: str) -> tuple[set[str], list[tuple[int, Any]]]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    header = text.split("\n", 1)[0]
    # Excel writes semicolons where the comma is the decimal sign.
    delimiter = max(",;\t", key=header.count)
    try:
        titles, *lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    except csv.Error as error:
        raise Refusal("", f"cannot be read as CSV: {error}.") from None
    titles = [title.strip() for title in titles]
    for title in titles:
        if title and titles.count(title) > 1:
            raise Refusal(title, "is the title of more than one column.")
    rows: list[tuple[int, Any]] = []
    for number, cells in enumerate(lines, 2):
        if any(cell.strip() for cell in cells):
            longer = any(cell.strip() for cell in cells[len(titles) :])
            values = dict(zip(titles, cells, strict=False))
            rows.append((number, {**values, None: ""} if longer else values))
    return set(titles), rows
