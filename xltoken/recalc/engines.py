"""The applications that can recalculate a workbook beside our own engine."""

from collections.abc import Iterable
from typing import Final, Protocol

from xltoken.recalc.package import Place
from xltoken.recalc.sheetxml import Value

NAMES: Final = ("libreoffice", "excel")


class SecondEngine(Protocol):
    """Recalculates a whole workbook file and reads some of its cells.

    Our own functions must stand in it as constants: no application knows them. Errors come as
    their text, blanks as None, dates as serials in the book's own date system.

    Raises
    ------
    xltoken.machine.PartMissing
        If the application is not installed or does not start.
    xltoken.files.FileError
        If it cannot open or recalculate the file, or takes longer than `timeout` seconds.
    """

    def __call__(
        self, content: bytes, places: Iterable[Place], *, timeout: float = 120.0
    ) -> dict[Place, Value]:
        """Values of the cells at `places`."""
        ...


def second_engine(name: str) -> SecondEngine:
    """Return the engine called `name`, one of `NAMES`."""
    if name == "libreoffice":
        from xltoken.recalc import libreoffice

        return libreoffice.values
    if name == "excel":
        from xltoken.recalc import excel

        return excel.values
    raise ValueError(f"{name}: no such engine; there are {', '.join(NAMES)}.")
