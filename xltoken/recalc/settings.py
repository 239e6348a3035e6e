"""Inputs to change before a recalculation: what ``--set CELL=VALUE`` means in a given book."""

import datetime as dt
import math
import re
from typing import Final

from xltoken.functions.cells import outgoing
from xltoken.recalc import sheetxml
from xltoken.recalc.package import Package, Place
from xltoken.recalc.sheetxml import Value, address


class SettingError(ValueError):
    """A ``--set`` that names no input of the book, or gives it no usable value."""


_SETTING: Final = re.compile(r"\s*('(?:[^']|'')*'![^=]*?|[^=]*?)\s*=(.*)", re.DOTALL)


def parse_setting(package: Package, text: str) -> tuple[Place, Value]:
    """Read ``CELL=VALUE``: the place of an input of the book, and its new value."""
    match = _SETTING.fullmatch(text)
    if match is None or not match[1]:
        raise SettingError(f"--set {text}: write CELL=VALUE, e.g. Inputs!C8=0.4.")
    where, value = match[1], match[2]
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise SettingError(f"--set {where}: the value is not valid text.") from None
    try:
        place = input_of(package, where)
        return place, value_of(package, place, value)
    except SettingError as error:
        raise SettingError(f"--set {error}") from None


def input_of(package: Package, where: str) -> Place:
    """Place of an input cell that ``Sheet!B4`` or a defined name means.

    Raises
    ------
    SettingError
        If it is none: unknown, unused, a formula, or filled by an array formula.
    """
    place = cell_of(package, where)
    sheet, row, column = place
    cell = package.cell(*place)
    name = f"{sheet}!{address(row, column)}"
    for other in package.sheets[sheet].formulas.marked.values():
        box = sheetxml.corners(other.spill)
        if box and box[0][0] <= row <= box[1][0] and box[0][1] <= column <= box[1][1]:
            raise SettingError(f"{where}: {name} is filled by the array formula of {other.spill}.")
    if cell is None:
        raise SettingError(f"{where}: {name} is an unused cell, no input of {package.path}.")
    if cell.formula is not None:
        raise SettingError(f"{where}: {name} holds the formula ={cell.formula}; set an input.")
    return place


def value_of(package: Package, place: Place, text: str) -> Value:
    """Value that a text means for an input cell: number, TRUE or FALSE, date, else text."""
    cell = package.cell(*place)
    where = f"{place[0]}!{address(*place[1:])}"
    return _setting_value(where, text, cell.value if cell else None, date1904=package.date1904)


def cell_of(package: Package, where: str) -> Place:
    """Place that ``Sheet!B4``, ``B4`` in a book of one sheet, or a defined name means."""
    target = where
    names = {name.casefold(): text for name, text in package.names.items()}
    if "!" not in where and where.casefold() in names:
        target = names[where.casefold()]
    sheet, bang, cell = target.rpartition("!")
    if sheet.startswith("'") and sheet.endswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    place = sheetxml.reference(cell.replace("$", ""))
    sheets = {name.casefold(): name for name in package.sheets}
    if not bang and target is not where:
        raise SettingError(f"{where}: the name means {target}, no cell.")
    if not bang:
        if len(package.sheets) == 1 and place is not None:
            return (next(iter(package.sheets)), *place)
        known = ", ".join(list(package.names)[:8]) or "none"
        raise SettingError(
            f"{where}: is no Sheet!Cell and no defined name of {package.path} (names: {known})."
        )
    if sheet.casefold() not in sheets:
        known = ", ".join(package.sheets)
        raise SettingError(f"{where}: there is no sheet {sheet!r}; sheets: {known}.")
    if place is None:
        raise SettingError(f"{where}: {cell!r} is no cell; write it like B4.")
    return (sheets[sheet.casefold()], *place)


def _setting_value(where: str, text: str, saved: Value, *, date1904: bool) -> Value:
    """Value of a setting: number, TRUE or FALSE, date for a cell of numbers, else text."""
    bare = text.strip()
    if not bare:
        return text if text and isinstance(saved, str) else None
    if bare.casefold() in ("true", "false"):
        return bare.casefold() == "true"
    percent = bare.endswith("%")
    try:
        number = float(bare.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        pass
    else:
        if not math.isfinite(number):
            raise SettingError(f"{where}: {bare} is no finite number.")
        return number
    if isinstance(saved, str | bool):
        return text
    try:
        day = dt.date.fromisoformat(bare)
    except ValueError:
        if saved is None:
            return text
        raise SettingError(
            f"{where}: the cell holds a number; {bare!r} is neither a number nor a date "
            "(YYYY-MM-DD)."
        ) from None
    return float(outgoing(day, date1904=date1904))
