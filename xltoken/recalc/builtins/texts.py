"""Text functions, lifted over arrays, with numbers shown to 15 digits as Excel joins them."""

import math
import re
from collections.abc import Callable
from typing import Any, Final

from xltoken.recalc.builtins.arguments import (
    VALUE,
    Failure,
    anything,
    cells,
    integer,
    lifted,
    logical,
    number,
    require,
    text,
    whole,
)
from xltoken.recalc.builtins.criteria import pattern
from xltoken.recalc.builtins.number_format import shown
from xltoken.recalc.builtins.text_numbers import number_of_text

_LONGEST: Final = 32767
_CODE_PAGE: Final = "cp1252"


@lifted(text, integer)
def left(shown_text: str, count: int = 1) -> str:
    """First characters."""
    require(count >= 0, VALUE)
    return shown_text[:count]


@lifted(text, integer)
def right(shown_text: str, count: int = 1) -> str:
    """Last characters."""
    require(count >= 0, VALUE)
    return shown_text[max(0, len(shown_text) - count) :]


@lifted(text, integer, integer)
def mid(shown_text: str, start: int, count: int) -> str:
    """Characters from a place on."""
    require(start >= 1 and count >= 0, VALUE)
    return shown_text[start - 1 : start - 1 + count]


@lifted(text, text, integer)
def find(wanted: str, within: str, start: int = 1) -> float:
    """Place of a text in another, in the same case."""
    require(1 <= start <= len(within) + 1, VALUE)
    place = within.find(wanted, start - 1)
    require(place >= 0, VALUE)
    return place + 1.0


@lifted(text, text, integer)
def search(wanted: str, within: str, start: int = 1) -> float:
    """Place of a text in another, in any case and with wildcards."""
    require(1 <= start <= len(within) + 1, VALUE)
    expression = pattern(wanted) or re.compile(re.escape(wanted), re.IGNORECASE)
    match = expression.search(within, start - 1)
    if match is None:
        raise Failure(VALUE)
    return match.start() + 1.0


@lifted(text, text, text, number)
def substitute(shown_text: str, old: str, new: str, instance: float | None = None) -> str:
    """Text with another put in place of a part."""
    if instance is not None:
        require(instance >= 1, VALUE)
    if not old:
        return shown_text
    if instance is None:
        return _fitting(shown_text.replace(old, new))
    place = -len(old)
    for _ in range(int(instance)):
        place = shown_text.find(old, place + len(old))
        if place < 0:
            return shown_text
    return _fitting(shown_text[:place] + new + shown_text[place + len(old) :])


@lifted(text, integer, integer, text)
def replace(shown_text: str, start: int, count: int, new: str) -> str:
    """Text with characters at a place replaced."""
    require(start >= 1 and count >= 0, VALUE)
    return _fitting(shown_text[: start - 1] + new + shown_text[start - 1 + count :])


@lifted(text, integer)
def rept(shown_text: str, times: int) -> str:
    """Text repeated."""
    require(times >= 0 and len(shown_text) * times <= _LONGEST, VALUE)
    return shown_text * times


@lifted(text)
def proper(shown_text: str) -> str:
    """Text with every word in capitals."""
    return "".join(
        c.lower() if place and shown_text[place - 1].isalpha() else c.upper()
        for place, c in enumerate(shown_text)
    )


@lifted(anything)
def value(shown_value: Any) -> float:
    """Number that a text shows."""
    require(not isinstance(shown_value, bool), VALUE)
    return number(shown_value)


@lifted(anything, text)
def text_(shown_value: Any, code: str) -> str:
    """Value in a number format."""
    if isinstance(shown_value, bool):
        return text(shown_value)
    if isinstance(shown_value, str):
        found = number_of_text(shown_value)
        if found is None:
            return shown(shown_value, code)
        shown_value = found
    if not code:
        return ""
    return shown(number(shown_value), code)


@lifted(integer)
def char(code: int) -> str:
    """Character of a code, by the Windows code page."""
    require(1 <= code <= 255, VALUE)
    try:
        return bytes([code]).decode(_CODE_PAGE)
    except UnicodeDecodeError:
        return chr(code)


@lifted(text)
def code(shown_text: str) -> float:
    """Code of the first character, by the Windows code page."""
    require(bool(shown_text), VALUE)
    first = shown_text[0]
    try:
        return float(first.encode(_CODE_PAGE)[0])
    except UnicodeEncodeError:
        return float(ord(first)) if ord(first) < 256 else float(ord("?"))


@lifted(integer)
def unichar(point: int) -> str:
    """Character of a Unicode number."""
    require(0 < point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF, VALUE)
    return chr(point)


@lifted(text)
def unicode_(shown_text: str) -> float:
    """Unicode number of the first character."""
    require(bool(shown_text), VALUE)
    return float(ord(shown_text[0]))


@whole
def concat(*values: Any) -> str:
    """All texts of ranges and values, one after another."""
    return _fitting("".join(text(cell) for argument in values for cell in cells(argument)))


@whole
def concatenate(*values: Any) -> Any:
    """Texts one after another; over ranges an array."""

    def joined(*texts: str) -> str:
        return _fitting("".join(texts))

    return lifted(*[text] * len(values))(joined)(*values)


@whole
def textjoin(delimiter: Any, skip_blanks: Any, *values: Any) -> str:
    """Texts with a delimiter, or several in turn, between them."""
    between = [text(cell) for cell in cells(delimiter)]
    texts = [text(cell) for argument in values for cell in cells(argument)]
    if logical(skip_blanks):
        texts = [one for one in texts if one]
    joined = "".join(
        one + (between[place % len(between)] if place < len(texts) - 1 else "")
        for place, one in enumerate(texts)
    )
    return _fitting(joined)


@lifted(number, integer, logical)
def fixed(amount: float, places: int = 2, plain: bool = False) -> str:
    """Number with fixed decimals, with commas unless `plain`."""
    return _fixed(amount, places, "0" if plain else "#,##0")


@lifted(number, integer)
def dollar(amount: float, places: int = 2) -> str:
    """Amount of money; below zero in brackets."""
    body = _fixed(abs(amount), places, "$#,##0")
    return f"({body})" if amount < 0 else body


def _fixed(amount: float, places: int, whole_code: str) -> str:
    if places < 0:
        step = 10.0**-places
        amount = math.copysign(math.floor(abs(amount) / step + 0.5) * step, amount)
        places = 0
    return shown(amount, whole_code + ("." + "0" * places if places else ""))


def _fitting(joined: str) -> str:
    require(len(joined) <= _LONGEST, VALUE)
    return joined


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "LEN": lifted(text)(lambda shown_text: float(len(shown_text))),
    "LEFT": left,
    "RIGHT": right,
    "MID": mid,
    "UPPER": lifted(text)(lambda shown_text: shown_text.upper()),
    "LOWER": lifted(text)(lambda shown_text: shown_text.lower()),
    "PROPER": proper,
    "TRIM": lifted(text)(lambda shown_text: re.sub(" +", " ", shown_text.strip(" "))),
    "CLEAN": lifted(text)(lambda shown_text: re.sub("[\0-\x1f]", "", shown_text)),
    "FIND": find,
    "SEARCH": search,
    "SUBSTITUTE": substitute,
    "REPLACE": replace,
    "REPT": rept,
    "EXACT": lifted(text, text)(lambda one, other: one == other),
    "VALUE": value,
    "TEXT": text_,
    "CHAR": char,
    "CODE": code,
    "UNICHAR": unichar,
    "UNICODE": unicode_,
    "CONCAT": concat,
    "CONCATENATE": concatenate,
    "TEXTJOIN": textjoin,
    "FIXED": fixed,
    "DOLLAR": dollar,
}
