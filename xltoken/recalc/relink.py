"""Workbooks whose calls of our functions are spelled for another host; see :mod:`.spelling`.

Formulas change wherever a workbook keeps them: cells, defined names, conditional formats,
validations, columns of tables. External links to the add-in that nothing uses any more go, and
the numbers of the links behind them change with them, in charts and on buttons too. Every other
byte of the parts stays, saved values among them.
"""

import dataclasses
import html
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from xltoken.files import FileError, check_writable, write_atomically
from xltoken.functions import FUNCTIONS
from xltoken.recalc import package as files
from xltoken.recalc.archive import rewritten
from xltoken.recalc.formula_parts import Formula, formulas_of, hidden_names
from xltoken.recalc.formulas import may_hold_ours
from xltoken.recalc.links import (
    ADD_INS,
    Link,
    Parts,
    add_link,
    drop_links,
    links_of,
    name_functions,
)
from xltoken.recalc.package import Package
from xltoken.recalc.spelling import LONGEST, Spelling

ADD_IN: Final = "xltoken.xlam"
"""The add-in's file, as installed in Excel's startup folder."""


@dataclass(frozen=True, slots=True)
class Place:
    """A formula that was respelled: what it belongs to, where, and how many of our calls it has."""

    kind: str
    """cell, name, conditional format, validation, table column, or the kind of another part."""
    sheet: str
    where: str
    calls: int


@dataclass(slots=True)
class Relinked:
    """What respelling did to a workbook."""

    file: Path
    host: str
    output: Path | None = None
    calls: int = 0
    """Calls of our functions in the book, respelled or not."""
    places: list[Place] = field(default_factory=list)
    linked: str = ""
    """File that a new external link leads to."""
    dropped: list[str] = field(default_factory=list)
    """Files that dropped external links led to."""
    carried: bool = False
    """Whether the functions were put into the book, or renewed there."""
    notes: list[str] = field(default_factory=list)
    """What the reader must know or do."""

    @property
    def respelled(self) -> int:
        """Calls that were respelled."""
        return sum(place.calls for place in self.places)

    @property
    def changed(self) -> bool:
        """Whether the file differs from what it was."""
        return bool(self.places or self.linked or self.dropped or self.carried)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "file": str(self.file),
            "output": str(self.output) if self.output else None,
            "host": self.host,
            "summary": {
                "calls": self.calls,
                "respelled": self.respelled,
                "formulas": len(self.places),
                "kinds": dict(Counter(place.kind for place in self.places)),
            },
            "places": [dataclasses.asdict(place) for place in self.places],
            "carried": self.carried,
            "linked": self.linked or None,
            "dropped": self.dropped,
            "notes": self.notes,
        }


def relink(
    path: Path,
    output: Path | None = None,
    *,
    host: str,
    namespace: str = "",
    addin: str = ADD_IN,
    carry: Callable[[bytes], bytes] | None = None,
) -> Relinked:
    """Spell our functions in a workbook for another host, and write it.

    Parameters
    ----------
    path : Path
        The workbook; it stays as it is unless `output` is the same file or None.
    output : Path, optional
        Where to write; default: in place, and then only where something changes.
    host : {"excel", "addin", "lite", "xll", "libreoffice"}
        What will compute the functions.
    namespace : str, optional
        Namespace of the functions, for the host lite.
    addin : str, optional
        The add-in's file, for the host addin; a bare name means Excel's startup folder.
    carry : callable, optional
        Puts the functions into a workbook, or renews them there; asked where an .xlsm is written
        for Excel.

    Returns
    -------
    Relinked

    Raises
    ------
    FileError
        If a file cannot be read or written, a formula cannot be respelled, or the book is signed
        and would be changed in place.
    SpellingError
        If there is no such host or namespace.
    """
    target = output or path
    package = files.read(path)
    check_writable(target)
    content, done = relinked(package, host, namespace=namespace, addin=addin)
    if carry is not None and host == "excel" and target.suffix.lower() == ".xlsm":
        try:
            given, content = content, carry(content)
        except FileError as error:
            raise FileError(f"{path}: {error}") from None
        done.carried = content != given
    _check_suffix(target, content)
    if done.changed and package.signed:
        if target.exists() and target.samefile(path):
            raise FileError(
                f"{path}: is digitally signed and a change would break the signature; write a copy "
                "with -o."
            )
        done.notes.append(f"the signature is no longer valid in {target}.")
    if done.changed or target != path:
        write_atomically(target, content)
        done.output = target
    return done


def _check_suffix(target: Path, content: bytes) -> None:
    """Refuse a name under which Excel would not open the workbook."""
    due = Path(files.name_of_copy(content)).suffix
    if target.suffix.lower() in (".xlsx", ".xlsm") and target.suffix.lower() != due:
        hint = "; --host excel puts the functions inside" if due == ".xlsx" else ""
        raise FileError(f"{target}: is to be called {due}, or Excel will not open it{hint}.")


def relinked(
    package: Package, host: str, *, namespace: str = "", addin: str = ADD_IN
) -> tuple[bytes, Relinked]:
    """Spell our functions in a workbook for another host, in memory.

    The arguments are those of :func:`relink`; `package` is what
    :func:`xltoken.recalc.package.parsed` makes of bytes. Where nothing is to do, the very same
    bytes come back.
    """
    spelling = Spelling(host, namespace)
    try:
        return _relinked(package, spelling, addin)
    except (LookupError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        detail = " ".join(str(error).split())[:200].strip("'\"")
        raise FileError(f"{package.path}: cannot be respelled ({detail}).") from None


def _relinked(package: Package, spelling: Spelling, addin: str) -> tuple[bytes, Relinked]:
    parts = Parts(package.archive)
    links = links_of(package)
    found = list(formulas_of(package, parts, with_links=bool(links)))
    theirs = {link.number: link.target for link in links if not may_hold_ours(link.name)}
    foreign = {theirs[number] for one in found for number in _given_back(one, theirs)}
    through = next((link for link in links if link.leads_to(addin)), None)
    count = len(links)
    if spelling.host == "addin" and any(one.calls for one in found):
        count += through is None
        spelling = dataclasses.replace(spelling, link=through.number if through else count)
    changed = [one for one in found if one.calls and one.spelled(spelling, {}) != one.xml]
    new = found if count > len(links) else changed
    called = {mention.name for one in new for mention in one.mentions}
    names = [name for name in FUNCTIONS if name in called]
    _check_names(package.path, changed, spelling, hidden_names(parts, package.book_part))
    dropped = _dead(links, found, spelling)
    if dropped or count > len(links):
        _check_numbers(package.path, found, len(links))
    left = [n for n in range(1, count + 1) if n not in {link.number for link in dropped}]
    _write(package.path, parts, found, spelling, {old: new for new, old in enumerate(left, 1)})
    done = Relinked(package.path, spelling.host, calls=sum(one.calls for one in found))
    if count > len(links):
        add_link(parts, package, addin, names)
        done.linked = addin
    elif spelling.host == "addin" and through:
        name_functions(parts, through, names)
    if dropped:
        drop_links(parts, package, dropped)
    done.places = [Place(one.kind, one.sheet, one.where, one.calls) for one in changed]
    done.dropped = [link.target for link in dropped]
    done.notes = [
        f"functions that are called like ours are asked of {target}, and stay as they are"
        for target in sorted(foreign)
    ]
    done.notes += _notes(package, found, spelling.host)
    content = rewritten(package.archive, parts.replaced, added=parts.added, dropped=parts.dropped)
    return content, done


# --- links and names -----------------------------------------------------------------------------


def _given_back(formula: Formula, theirs: Collection[int]) -> Iterator[int]:
    """Take calls that a file of others answers for what they are: uses of a link; its numbers."""
    for place, one in enumerate(formula.mentions):
        if one.name and one.link in theirs:
            number = str(one.link)
            start = formula.xml.index(number, one.start)
            formula.mentions[place] = one._replace(name="", start=start, end=start + len(number))
            yield one.link


def _dead(links: list[Link], found: list[Formula], spelling: Spelling) -> list[Link]:
    """Links that nothing uses any more: those that only our calls used, and those to the add-in."""
    mentions = [one for formula in found for one in formula.mentions]
    ours = {one.link for one in mentions if one.name}
    used = {one.link for one in mentions if not one.name}
    if spelling.host == "addin" and any(one.name for one in mentions):
        used.add(spelling.link)
    return [
        link
        for link in links
        if link.number not in used
        and (
            link.number in ours or (link.name.startswith("xltoken") and link.name.endswith(ADD_INS))
        )
    ]


def _check_numbers(path: Path, found: list[Formula], count: int) -> None:
    """Refuse a book that uses a link it does not have: a new one would take its number."""
    for formula in found:
        for one in formula.mentions:
            if one.link > count and not one.name:
                raise FileError(
                    f"{path}: the formula of {formula.at} uses an external link [{one.link}] that "
                    "the file does not have; open it in Excel and repair it."
                )


def _check_names(path: Path, changed: list[Formula], spelling: Spelling, hidden: set[str]) -> None:
    """Refuse to spell a call plainly, or one so spelled otherwise, where that means another."""
    for formula in changed:
        for one in formula.mentions:
            if one.name not in hidden:
                continue
            before = html.unescape(formula.xml[one.start : one.end])
            if spelling.of(one.name) == one.name or before.upper() == one.name:
                raise FileError(
                    f"{path}: has a name {one.name} of its own, which hides our function; give "
                    "it another name first."
                )


def _write(
    path: Path,
    parts: Parts,
    found: list[Formula],
    spelling: Spelling,
    numbers: Mapping[int, int],
) -> None:
    """Put every formula into its part as it is spelled now."""
    new = dataclasses.replace(spelling, link=numbers.get(spelling.link, spelling.link))
    for part, formulas in itertools.groupby(found, key=lambda one: one.part):
        xml, pieces, end = parts.text(part), [], 0
        for one in formulas:
            text = one.spelled(new, numbers)
            length = len(text) if len(text) <= LONGEST else len(html.unescape(text))
            if length > LONGEST >= len(html.unescape(one.xml)):
                raise FileError(
                    f"{path}: the formula of {one.at} would have {length:,} characters; Excel "
                    f"takes {LONGEST:,}."
                )
            pieces += [xml[end : one.start], text]
            end = one.end
        made = "".join([*pieces, xml[end:]])
        if made != xml:
            parts.put(part, made)


def _notes(package: Package, found: list[Formula], host: str) -> list[str]:
    notes = []
    kinds = ("conditional format", "validation")
    count = sum(one.kind in kinds for one in found if one.calls)
    if host == "addin" and count:
        notes.append(
            f"{count} conditional formats or validations call our functions, which Excel takes "
            "from no add-in there: put the call into a cell and refer to that cell."
        )
    if host == "libreoffice" and any(
        name.lower().endswith("/vbaproject.bin") for name in package.archive.names
    ):
        notes.append(
            "LibreOffice asks the macros of this book, which cannot reach Python there, and shows "
            "errors or blanks: save it as .xlsx, without macros."
        )
    return notes
