"""Text keys: how a name typed into a cell finds its record."""

import difflib
from collections.abc import Iterable
from typing import Final

_IGNORED: Final = str.maketrans("", "", " -_\t\n\r\u00a0")


class NotKnown(LookupError):  # noqa: N818 - not an error of the program: a fact is missing
    """Nothing is known of what was asked; a cell shows it as ``#N/A``."""


def normalize(text: str) -> str:
    """Form of a key in which case, spaces, hyphens and underscores do not count.

    Examples
    --------
    >>> normalize("GB200 NVL72") == normalize("gb200-nvl72")
    True
    """
    return text.translate(_IGNORED).casefold()


def chosen(what: str, text: str, names: Iterable[str]) -> str:
    """Return the name among `names` that `text` means; raises NotKnown with the nearest.

    Examples
    --------
    >>> chosen("kind", "Cache Read", ["input", "cache_read"])
    'cache_read'
    """
    forms = {normalize(name): name for name in names}
    try:
        return forms[normalize(text)]
    except KeyError:
        raise not_known(what, text, forms.values()) from None


def nearest(text: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Return the `names` most like `text`, best first."""
    forms = {normalize(name): name for name in names}
    close = difflib.get_close_matches(normalize(text), forms, n=count, cutoff=0.5)
    return [forms[form] for form in close]


def not_known(what: str, text: str, names: Iterable[str]) -> NotKnown:
    """Describe an unknown key: the nearest names, or all of them when there are few."""
    names = list(names)
    close = nearest(text, names)
    if close:
        hint = f" Nearest: {', '.join(close)}."
    elif names and len(names) <= 12:
        hint = f" Known: {', '.join(names)}."
    else:
        hint = ""
    return NotKnown(f"{what} {text!r} is not known.{hint}")
