"""Number formats: what TEXT shows for codes such as ``#,##0.00;(#,##0.00)`` or ``mmm-yy``.

A code has up to four sections: above zero, below zero, zero, text; or sections with conditions.
Colours are dropped, ``_x`` is a space, ``*x`` fills nothing, fractions are reduced.
"""

import functools
import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final

from xltoken.recalc.builtins.arguments import VALUE, Failure, general, require
from xltoken.recalc.builtins.days import LAST, MONTHS, parts_of

_DAYS: Final = ("saturday", "sunday", "monday", "tuesday", "wednesday", "thursday", "friday")
_TOKEN: Final = re.compile(
    r'"([^"]*)"?|\\(.)|_(.)|\*(.)|\[([^\]]*)\]|(general)|(am/pm|a/p)'
    r"|(y+|m+|d+|h+|s+)|(e[+-])|([0#?.,%/@])|(.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION: Final = re.compile(r"(<>|<=|>=|=|<|>)\s*(-?[\d.]+)$")
_COLOUR: Final = re.compile(
    r"(black|blue|cyan|green|magenta|red|white|yellow|color\s*\d+)$", re.IGNORECASE
)
_ELAPSED: Final = re.compile(r"(h+|m+|s+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """One piece of a section: its kind and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Section:
    """One section of a code: its tokens, and the condition that it holds for."""

    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None

    @property
    def is_date(self) -> bool:
        """Whether it shows a moment."""
        return any(token.kind in ("date", "elapsed", "noon") for token in self.tokens)


def shown(value: float | str, code: str) -> str:
    """Value as a number format shows it.

    Examples
    --------
    >>> shown(-1234.5, "$#,##0.00_);($#,##0.00)"), shown(45292, "mmm-yy"), shown(0.285, "0.0%")
    ('($1,234.50)', 'Jan-24', '28.5%')
    """
    sections = _sections(code)
    if isinstance(value, str):
        return _text(value, sections)
    section, bare = _chosen(value, sections)
    number = abs(value) if bare else value
    if section.is_date:
        return _moment(number, section)
    return _number(number, section)


@functools.lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[Section, ...]:
    parts, current, quoted, escaped = [], "", False, False
    for sign in code:
        if sign == ";" and not quoted and not escaped:
            parts.append(current)
            current = ""
            continue
        current += sign
        quoted = quoted != (sign == '"' and not escaped)
        escaped = sign == "\\" and not escaped and not quoted
    parts.append(current)
    require(len(parts) <= 4, VALUE)
    return tuple(_section(part) for part in parts)


def _section(part: str) -> Section:
    tokens: list[Token] = []
    condition: tuple[str, float] | None = None
    for match in _TOKEN.finditer(part):
        quoted, escaped, space, filler, bracket, word, noon, date, power, sign, other = (
            match.groups()
        )
        if bracket is not None:
            found = _CONDITION.match(bracket)
            if found:
                condition = (found[1], float(found[2]))
            elif _ELAPSED.match(bracket):
                tokens.append(Token("elapsed", bracket.lower()))
            elif bracket.startswith("$"):
                tokens.append(Token("plain", bracket[1:].partition("-")[0]))
            elif not _COLOUR.match(bracket):
                raise Failure(VALUE)
        elif filler is None:
            kind, text = next(
                (kind, text)
                for kind, text in (
                    ("plain", quoted), ("plain", escaped), ("space", space), ("general", word),
                    ("noon", noon), ("date", date and date.lower()), ("power", power),
                    ("digit", sign), ("plain", other),
                )
                if text is not None
            )  # fmt: skip
            tokens.append(Token(kind, " " if kind == "space" else text))
    return Section(tuple(_with_fractions(tokens)), condition)


def _with_fractions(tokens: list[Token]) -> list[Token]:
    """Tokens in which the zeros after seconds are fractions of a second, dates else literal."""
    found: list[Token] = []
    dated = any(token.kind in ("date", "elapsed", "noon") for token in tokens)
    for token in tokens:
        if dated and token.kind == "digit":
            before = found[-1] if found else None
            if token.text == "0" and before and before.kind == "fraction":
                found[-1] = Token("fraction", before.text + "0")
                continue
            if (
                token.text == "."
                and before
                and before.kind in ("date", "elapsed")
                and (before.text[0] == "s")
            ):
                found.append(Token("fraction", "."))
                continue
            token = Token("plain", token.text)  # noqa: PLW2901 - a literal here
        found.append(token)
    return found


def _chosen(value: float, sections: tuple[Section, ...]) -> tuple[Section, bool]:
    """Section for a value, and whether it shows the value without its sign."""
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None or _holds(value, section.condition):
                return section, value < 0 and section.condition is not None and len(sections) > 1
        raise Failure(VALUE)
    if len(sections) == 1 or value > 0:
        return sections[0], False
    if value < 0:
        return sections[1], True
    return (sections[2] if len(sections) > 2 else sections[0]), False


def _holds(value: float, condition: tuple[str, float]) -> bool:
    sign, bound = condition
    return {
        "<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound,
        "=": value == bound, "<>": value != bound,
    }[sign]  # fmt: skip


def _text(value: str, sections: tuple[Section, ...]) -> str:
    last = sections[-1]
    if any(token.text == "@" and token.kind == "digit" for token in last.tokens):
        return "".join(
            value if token.text == "@" and token.kind == "digit" else token.text
            for token in last.tokens
        )
    return value


def _number(value: float, section: Section) -> str:
    tokens = list(section.tokens)
    if any(token.kind == "general" for token in tokens):
        sign = "-" if value < 0 else ""
        return sign + "".join(
            short(abs(value)) if token.kind == "general" else token.text for token in tokens
        )
    signs = [token.text for token in tokens if token.kind == "digit"]
    if not any(sign in "0#?" for sign in signs):
        body = "".join(
            general(value) if (token.kind, token.text) == ("digit", "@") else token.text
            for token in tokens
        )
        return ("-" if value < 0 and body else "") + body
    if "/" in signs:
        return _fraction(value, tokens)
    amount = Decimal(repr(float(f"{abs(value):.15g}"))) * 100 ** signs.count("%")
    places = [i for i, t in enumerate(tokens) if t.kind == "digit" and t.text in "0#?"]
    amount /= 1000 ** _trailing_commas(tokens, places)
    power = next((i for i, token in enumerate(tokens) if token.kind == "power"), None)
    if power is not None:
        return ("-" if value < 0 else "") + _scientific(amount, tokens, places, power)
    body, rounded = _placed(amount, tokens, places)
    return ("-" if value < 0 and rounded else "") + body


def _trailing_commas(tokens: list[Token], places: list[int]) -> int:
    """Commas right after the last digit before the point: each divides by a thousand."""
    count = 0
    following = places[-1] + 1
    while following < len(tokens) and tokens[following] == Token("digit", ","):
        count += 1
        following += 1
    point = next((i for i, t in enumerate(tokens) if t == Token("digit", ".")), None)
    if point is not None and not count:
        before = point - 1
        while before >= 0 and tokens[before] == Token("digit", ","):
            count += 1
            before -= 1
    return count


def _placed(amount: Decimal, tokens: list[Token], places: list[int]) -> tuple[str, bool]:
    """Tokens with the digits of an amount in their places, and whether it is not rounded to 0."""
    point = next((i for i, t in enumerate(tokens) if t == Token("digit", ".")), None)
    whole = [i for i in places if point is None or i < point]
    broken = [i for i in places if point is not None and i > point]
    grouped = (
        any(tokens[i] == Token("digit", ",") for i in range(whole[0], whole[-1]))
        if len(whole) > 1
        else False
    )
    rounded = amount.quantize(Decimal(1).scaleb(-len(broken)), ROUND_HALF_UP)
    digits = f"{rounded:f}"
    left, _, right = digits.partition(".")
    left = left.lstrip("0")
    pieces: dict[int, str] = {}
    rest = left
    for count, place in enumerate(reversed(whole)):
        first = count == len(whole) - 1
        piece = rest if first else rest[-1:]
        rest = "" if first else rest[:-1]
        pieces[place] = piece or {"0": "0", "?": " ", "#": ""}[tokens[place].text]
    if grouped:
        pieces = _grouped(pieces, whole)
    keep = len(right.rstrip("0"))
    for count, place in enumerate(broken):
        sign = tokens[place].text
        pieces[place] = (
            right[count] if count < keep or sign == "0" else (" " if sign == "?" else "")
        )
    body = ""
    for i, token in enumerate(tokens):
        if i in pieces:
            body += pieces[i]
        elif token != Token("digit", ","):
            body += token.text
    if not whole and left:
        at = body.find(".")
        body = body[:at] + left + body[at:]
    return body, rounded != 0


def _grouped(pieces: dict[int, str], whole: list[int]) -> dict[int, str]:
    """Pieces with a comma before every third digit from the right."""
    count = 0
    done: dict[int, str] = {}
    for place in reversed(whole):
        text = ""
        for digit in reversed(pieces[place]):
            if digit.isdigit():
                if count and count % 3 == 0:
                    text = "," + text
                count += 1
            text = digit + text
        done[place] = text
    return done


def _scientific(amount: Decimal, tokens: list[Token], places: list[int], power: int) -> str:
    mantissa = [i for i in places if i < power]
    point = next((i for i, t in enumerate(tokens) if t == Token("digit", ".")), power)
    steps = max(1, len([i for i in mantissa if i < point]))
    exponent = amount.adjusted() if amount else 0
    exponent = math.floor(exponent / steps) * steps if steps > 1 else exponent
    places_after = len([i for i in mantissa if i > point])
    scaled = amount.scaleb(-exponent).quantize(Decimal(1).scaleb(-places_after), ROUND_HALF_UP)
    if scaled >= 10**steps:
        exponent += steps
        scaled = amount.scaleb(-exponent).quantize(Decimal(1).scaleb(-places_after), ROUND_HALF_UP)
    head, _ = _placed(scaled, tokens[:power], mantissa)
    width = len([i for i in places if i > power])
    sign = "-" if exponent < 0 else ("+" if tokens[power].text[1] == "+" else "")
    tail = "".join(t.text for i, t in enumerate(tokens) if i > power and i not in places)
    return f"{head}{tokens[power].text[0]}{sign}{abs(exponent):0{width}d}{tail}"


def _fraction(value: float, tokens: list[Token]) -> str:
    slash = next(i for i, token in enumerate(tokens) if token == Token("digit", "/"))
    below = [t.text for t in tokens[slash + 1 :]]
    fixed = "".join(text for text in below if text.isdigit()).lstrip("0")
    width = max(1, len([text for text in below if text in "0#?"]))
    above = 0
    while slash - above - 1 >= 0 and tokens[slash - above - 1].text in ("0", "#", "?"):
        above += 1
    mixed = any(t.kind == "digit" and t.text in "0#?" for t in tokens[: slash - above])
    amount = Fraction(repr(abs(value)))
    if fixed:
        parts = Fraction(round(amount * int(fixed)), 1)
        top, bottom = int(parts), int(fixed)
    else:
        near = amount.limit_denominator(10**width - 1)
        top, bottom = near.numerator, near.denominator
    whole, top = divmod(top, bottom) if mixed else (0, top)
    sign = "-" if value < 0 and (top or whole) else ""
    part = f"{top:>{above}}/{bottom:<{width}}"
    if not mixed:
        return sign + part
    if not top:
        return f"{sign}{whole}" + " " * (above + 2 + width)
    return sign + (str(whole) if whole else "") + " " + part


def _moment(value: float, section: Section) -> str:
    require(0 <= value < LAST + 1, VALUE)
    fraction = next((t.text for t in section.tokens if t.kind == "fraction"), ".")
    unit = 10 ** (len(fraction) - 1)
    ticks = math.floor(value * 86400 * unit + 0.5)
    seconds, part = divmod(ticks, unit)
    day, second = divmod(seconds, 86400)
    year, month, date = parts_of(int(day))
    hour, minute = second // 3600, second // 60 % 60
    noon = any(token.kind == "noon" for token in section.tokens)
    found = ""
    for i, token in enumerate(section.tokens):
        kind, text = token.kind, token.text
        if kind == "date" and text[0] == "m" and _means_minutes(section.tokens, i):
            found += f"{minute:0{min(len(text), 2)}d}"
        elif kind == "date":
            shown_hour = (hour - 1) % 12 + 1 if noon else hour
            found += _date_part(text, (year, month, date), int(day), shown_hour, int(second % 60))
        elif kind == "elapsed":
            per = {"h": 3600, "m": 60, "s": 1}[text[0]]
            found += f"{seconds // per:0{len(text)}d}"
        elif kind == "noon":
            half = "AM" if hour < 12 else "PM"
            found += half if len(text) > 3 else half[0]
        elif kind == "fraction":
            found += f".{part:0{len(fraction) - 1}d}"
        else:
            found += text
    return found


def _means_minutes(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether m stands for minutes: after hours or before seconds."""
    if len(tokens[place].text) > 2:
        return False
    dated = [(i, t.text[0]) for i, t in enumerate(tokens) if t.kind in ("date", "elapsed")]
    at = next(n for n, (i, _) in enumerate(dated) if i == place)
    before = dated[at - 1][1] if at else ""
    after = dated[at + 1][1] if at + 1 < len(dated) else ""
    return before == "h" or after == "s"


def _date_part(text: str, day: tuple[int, int, int], serial: int, hour: int, second: int) -> str:
    year, month, date = day
    width = len(text)
    if text[0] == "y":
        return f"{year % 100:02d}" if width <= 2 else f"{year:04d}"
    if text[0] == "m":
        name = MONTHS[month - 1].capitalize()
        return _named(name, width) if width > 2 else f"{month:0{width}d}"
    if text[0] == "d":
        name = _DAYS[serial % 7].capitalize()
        return _named(name, min(width, 4)) if width > 2 else f"{date:0{width}d}"
    return f"{hour if text[0] == 'h' else second:0{min(width, 2)}d}"


def _named(name: str, width: int) -> str:
    return {3: name[:3], 5: name[0]}.get(width, name)


def short(value: float) -> str:
    """Number in the General format of a cell: up to 11 characters.

    Examples
    --------
    >>> short(0.1 + 0.2), short(123456789012.0), short(1234.5), short(1 / 3)
    ('0.3', '1.23457E+11', '1234.5', '0.333333333')
    """
    if value == 0:
        return "0"
    power = math.floor(math.log10(value))
    if -5 < power < 11:
        found = f"{value:.{max(0, 9 - max(power, 0))}f}"
        found = found.rstrip("0").rstrip(".") if "." in found else found
        if len(found.partition(".")[0]) <= 11 and (found != "0" or power >= -4):
            return found
    digits, exponent = f"{value:.5e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    return f"{digits}E{exponent[0]}{int(exponent[1:]):02d}"
