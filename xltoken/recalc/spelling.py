"""How each host spells the calls of our functions in a file, and formulas respelled for another.

| Host | Functions come from | Spelling |
|---|---|---|
| excel | the workbook's own VBA, or an installed add-in | ``TOKEN_COST(`` |
| addin | an add-in that the file links to | ``[1]!TOKEN_COST(`` |
| lite | an Office.js add-in | ``_xldudf_TOKEN_COST(``, ``_xldudf_NS_TOKEN_COST(`` |
| xll | an XLL | ``_xll.TOKEN_COST(`` |
| libreoffice | the LibreOffice extension | ``TOKEN_COST(`` |
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from xltoken.recalc.formulas import COLUMN, QUOTED, TEXT, own_spans

HOSTS: Final = ("excel", "addin", "lite", "xll", "libreoffice")
LONGEST: Final = 8192
"""Characters that a formula may have in Excel."""

# A reference to another workbook or its names: [1]Sheet!A1, '[1]My sheet'!A1, [1]!name.
_DELIMITER: Final = r"\s!'\"(),;+\-*/^&=<>{}@\[\]"
_LINK: Final = re.compile(
    rf"{TEXT}|'\[(?P<quoted>\d+)\](?:[^']|'')*+'!|{QUOTED}"
    rf"|(?<![\w.\\?\]])\[(?P<plain>\d+)\](?=[^{_DELIMITER}]*!)|{COLUMN}",
    re.DOTALL,
)
_NAMESPACE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_ESCAPE: Final = re.compile(r"_x[0-9A-Fa-f]{4}_")
_ENTITY: Final = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|\w+);")


class SpellingError(ValueError):
    """A host or a namespace that there is not; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a host spells our functions; `link` is the number of the add-in's external link."""

    host: str
    namespace: str = ""
    link: int = 1

    def __post_init__(self) -> None:
        if self.host not in HOSTS:
            raise SpellingError(f"there is no host {self.host!r}; there are: {', '.join(HOSTS)}.")
        if not self.namespace:
            return
        if self.host != "lite":
            raise SpellingError("only the host lite has namespaces.")
        fits = _NAMESPACE.fullmatch(self.namespace) and len(self.namespace) <= 32
        if not fits or _ESCAPE.search(f"_{self.namespace}_"):
            raise SpellingError(
                f"{self.namespace!r} is no namespace: up to 32 letters, digits and single "
                "underscores inside, a letter first, and nothing such as x0041, which a workbook "
                "reads as a character."
            )

    def of(self, name: str) -> str:
        """Spelling of one of our functions.

        Examples
        --------
        >>> Spelling("lite", "FIN").of("TOKEN_COST"), Spelling("addin", link=2).of("TOKEN_COST")
        ('_xldudf_FIN_TOKEN_COST', '[2]!TOKEN_COST')
        """
        if self.host == "addin":
            return f"[{self.link}]!{name}"
        if self.host == "lite":
            return f"_xldudf_{self.namespace}_{name}" if self.namespace else f"_xldudf_{name}"
        return f"_xll.{name}" if self.host == "xll" else name


class Mention(NamedTuple):
    """A call of ours, or a use of an external link by its number, from `start` to `end`.

    A call has a `name`, and the number of the link that it comes through, 0 for none; a use has no
    name, and only its number stands from `start` to `end`.
    """

    start: int
    end: int
    name: str
    link: int


def mentions(formula: str) -> list[Mention]:
    """Find our calls in a formula, and its uses of external links, in order.

    Examples
    --------
    >>> [(one.name, one.link) for one in mentions("[1]!TOKEN_COST(A1)+[2]Jan!B1")]
    [('TOKEN_COST', 1), ('', 2)]
    """
    calls = list(own_spans(formula))
    found = {start: Mention(start, end, name, 0) for start, end, name in calls}
    for match in _LINK.finditer(formula) if "[" in formula else ():
        number = match["quoted"] or match["plain"]
        if number is None:
            continue
        call = found.get(match.start())
        if call is not None:
            found[call.start] = call._replace(link=int(number))
        else:
            start, end = match.span("quoted" if match["quoted"] else "plain")
            found[start] = Mention(start, end, "", int(number))
    return [found[start] for start in sorted(found)]


def respelled(formula: str, spelling: Spelling, numbers: Mapping[int, int] | None = None) -> str:
    """Formula with our functions as a host spells them; everything else to the letter.

    `numbers` are external links that have another number now.

    Examples
    --------
    >>> respelled('token_cost("TOKEN_COST(",[1]!NPV_STATIC(A1))', Spelling("xll"))
    '_xll.TOKEN_COST("TOKEN_COST(",_xll.NPV_STATIC(A1))'
    """
    return edited(formula, mentions(formula), spelling, numbers or {})


def edited(
    formula: str, found: list[Mention], spelling: Spelling, numbers: Mapping[int, int]
) -> str:
    """Formula in which what was found stands as `spelling` and `numbers` say."""
    pieces, end = [], 0
    for one in found:
        new = spelling.of(one.name) if one.name else str(numbers.get(one.link, one.link))
        pieces += [formula[end : one.start], new]
        end = one.end
    return "".join([*pieces, formula[end:]])


def escaped_mentions(xml: str) -> list[Mention]:
    """Find the same in a formula as XML writes it: the places count in the text with its entities.

    Examples
    --------
    >>> escaped_mentions('A1&amp;TOKEN&#95;COST(1)')
    [Mention(start=7, end=21, name='TOKEN_COST', link=0)]
    """
    if "&" not in xml:
        return mentions(xml)
    text, places = [], []
    at = 0
    for entity in _ENTITY.finditer(xml):
        means = html.unescape(entity[0])
        text += [xml[at : entity.start()], means]
        places += [*range(at, entity.start()), *([entity.start()] * len(means))]
        at = entity.end()
    text.append(xml[at:])
    places += range(at, len(xml) + 1)
    return [
        one._replace(start=places[one.start], end=places[one.end])
        for one in mentions("".join(text))
    ]
