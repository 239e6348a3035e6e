"""CSV files of the catalog, shipped and a user's, read into rows of text.

A row keeps where it stands. A user's row takes what it leaves out from the shipped row of the same
key, except where it comes from.
"""

import csv
import difflib
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from xltoken.catalog.keys import normalize
from xltoken.catalog.records import (
    RECORDS,
    Observation,
    Origin,
    Platform,
    Problem,
    Record,
    Source,
    columns,
    parse,
)

DATA: Final = Path(__file__).parent / "data"

Cells = Mapping[str, str]
Row = tuple[Cells, Origin]


def read_files(folder: Path | None) -> tuple[list[Record], str, list[Problem]]:
    """Read every file, with those of `folder` laid over them.

    Returns
    -------
    records, fingerprint, problems
        Shipped records before the user's; 12 hexadecimal digits of the content; what is wrong.
    """
    digest = hashlib.sha256()
    problems = _misnamed(folder) if folder else []
    everything: list[Record] = []
    aliases: dict[str, str] = {}
    for record in RECORDS:
        rows = _rows(DATA / record.FILE, record, digest, problems, user=False)
        if record is Platform:
            aliases = _aliases(cells for cells, _ in rows)
        if folder is not None and (folder / record.FILE).is_file():
            added = _rows(folder / record.FILE, record, digest, problems, user=True)
            rows += _laid_over(record, rows, added, aliases, problems)
        for cells, origin in rows:
            parsed, found = parse(record, cells, origin)
            problems.extend(found)
            if parsed is not None:
                everything.append(_named(parsed))
    return everything, digest.hexdigest()[:12], problems


def _misnamed(folder: Path) -> list[Problem]:
    """Find files whose name is nearly, but not quite, that of a catalog file."""
    known = [record.FILE for record in RECORDS]
    problems = []
    for path in sorted(folder.glob("*.csv")):
        close = difflib.get_close_matches(path.name, known, n=1, cutoff=0.8)
        if close and path.name not in known:
            advice = f"is no catalog file; did you mean {close[0]}?"
            problems.append(Problem(str(path), 0, "", advice))
    return problems


def _rows(
    path: Path,
    record: type[Record],
    digest: "hashlib._Hash",
    problems: list[Problem],
    *,
    user: bool,
) -> list[Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problems.append(Problem(str(path), 0, "", f"cannot be read: {error.strerror}."))
        return []
    except UnicodeDecodeError:
        problems.append(Problem(str(path), 0, "", "is not UTF-8 text; save it as CSV UTF-8."))
        return []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    digest.update(record.FILE.encode() + text.encode())
    name = str(path) if user else path.name
    header = text.split("\n", 1)[0]
    # Excel writes semicolons where the comma is the decimal sign.
    delimiter = ";" if header.count(";") > header.count(",") else ","
    rows: list[Row] = []
    titles: list[str] = []
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
            if number == 1:
                titles = [title.strip() for title in cells]
                problems.extend(_mistitled(name, titles, record))
            elif any(cell.strip() for cell in cells):
                if any(cell.strip() for cell in cells[len(titles) :]):
                    problems.append(Problem(name, number, "", "has more cells than the header."))
                row = dict(zip(titles, cells, strict=False))
                if delimiter == ";":
                    _decimal_points(record, row)
                rows.append((row, Origin(name, number, user)))
    except csv.Error as error:
        problems.append(Problem(name, number + 1, "", f"cannot be read: {error}."))
    return rows


def _mistitled(name: str, titles: Sequence[str], record: type[Record]) -> list[Problem]:
    """Find columns whose title is nearly that of a column; others are the user's own."""
    known = [field.name for field in columns(record)]
    problems = []
    for title in titles:
        close = difflib.get_close_matches(title, known, n=1, cutoff=0.75)
        if close and title not in known:
            problems.append(Problem(name, 1, title, f"is no column; did you mean {close[0]}?"))
    return problems


def _decimal_points(record: type[Record], row: dict[str, str]) -> None:
    for column in columns(record):
        text = row.get(column.name, "")
        if column.metadata["kind"] == "number" and text.count(",") == 1 and "." not in text:
            row[column.name] = text.replace(",", ".")


def _aliases(rows: Iterable[Cells]) -> dict[str, str]:
    """Names of the shipped platforms: normalized key, label or alias to key."""
    names: dict[str, str] = {}
    keys = []
    for cells in rows:
        key = cells["platform"]
        keys.append(key)
        for alias in (cells.get("label") or "", *(cells.get("aliases") or "").split(";")):
            if alias.strip():
                names.setdefault(normalize(alias), key)
    return names | {normalize(key): key for key in keys}


# What says where a row comes from is never taken over from the row it replaces.
_PROVENANCE: Final = ("source_id", "recorded", "withdrawn")
_THROUGHPUT: Final = ("tokens_per_second_total", "tokens_per_second_output")


def _laid_over(
    record: type[Record],
    shipped: list[Row],
    added: list[Row],
    aliases: Mapping[str, str],
    problems: list[Problem],
) -> list[Row]:
    """Rows of a user; what one leaves out it takes from the shipped row of the same key."""
    keys = identity(record)
    by_key = {_key(cells, keys): cells for cells, _ in shipped}
    seen: dict[tuple[str, ...], int] = {}
    rows: list[Row] = []
    for cells, origin in added:
        named = dict(cells)
        platform = named.get("platform")
        if platform and record is not Source:
            named["platform"] = aliases.get(normalize(platform), platform)
        key = _key(named, keys)
        base: Cells = {}
        if all(named.get(part) for part in keys):
            if key in seen:
                advice = f"has the same {', '.join(keys)} as row {seen[key]}."
                problems.append(Problem(origin.file, origin.row, keys[0], advice))
            seen[key] = origin.row
            base = by_key.get(key, {})
        kept = {name: text for name, text in base.items() if name not in _PROVENANCE}
        if any((named.get(name) or "").strip() for name in _THROUGHPUT):
            # The two are one fact: a user who gives either takes none from the shipped row.
            kept = {name: text for name, text in kept.items() if name not in _THROUGHPUT}
        rows.append(({**kept, **named}, origin))
    return rows


def identity(record: type[Record]) -> list[str]:
    """Columns that tell one row of a file from another."""
    if record is Observation:
        return ["observation_id"]
    return [field.name for field in columns(record) if field.metadata["key"]]


def _key(cells: Cells, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(normalize(cells.get(key) or "") for key in keys)


def _named(record: Record) -> Record:
    """Give a row that names no source or id the name of its file."""
    if not isinstance(record, Source) and not record.source_id:
        record = replace(record, source_id=Path(record.origin.file).name)
    if isinstance(record, Observation) and not record.observation_id:
        identity = f"{record.origin.file} row {record.origin.row}"
        record = replace(record, observation_id=identity)
    return record
