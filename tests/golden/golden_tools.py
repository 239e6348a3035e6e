"""Folders laid over the shipped catalog, as a user makes them, and the public functions on top."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def rows_of(name: str) -> list[dict[str, str]]:
    """Rows of a CSV file beside the tests."""
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def lay(folder: Path, name: str, titles: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one CSV file of an overlay, with those titles only."""
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, titles, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def laid_over(folder: Path) -> Iterator[None]:
    """Everything inside sees the overlay in `folder`, through XLTOKEN_CATALOG."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLTOKEN_CATALOG", str(folder))
        yield


def half_unit(printed: str) -> float:
    """Half a unit of the last digit that is printed."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])
