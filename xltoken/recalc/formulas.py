"""The text of formulas: which functions they call, under which spelling, with what skipped."""

import functools
import re
from typing import Final

from xltoken.functions import FUNCTIONS

_SPELLED: Final = re.compile(
    r"((?:\[\d+\]!|'[^']*'!|_xll\.|_xldudf_(?:[A-Za-z0-9]+_)??)?)("
    + "|".join(sorted(FUNCTIONS, key=len, reverse=True))
    + r")\s*\(",
    re.IGNORECASE,
)
_SKIPS: Final = re.compile(r"[,(]\s*,|,\s*\)")
_VOLATILE_CALL: Final = re.compile(
    r"(?<![A-Z0-9_.])(?:NOW|TODAY|RAND|RANDBETWEEN|RANDARRAY|OFFSET|INDIRECT|INFO|CELL)\s*\(",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=1 << 18)
def own_calls(formula: str) -> tuple[tuple[str, str], ...]:
    """Spelling and name of each of our functions that a formula calls.

    Examples
    --------
    >>> own_calls("=_xll.TOKEN_COST(A1)+[1]!NPV_STATIC(A2)")
    (('_xll.TOKEN_COST', 'TOKEN_COST'), ('[1]!NPV_STATIC', 'NPV_STATIC'))
    """
    if not _SPELLED.search(formula):
        return ()
    found = []
    for match in _SPELLED.finditer(_without_text(formula)):
        before = formula[match.start() - 1 : match.start()]
        if not (before.isalnum() or before in ("_", ".")):
            found.append((match[1] + match[2], match[2].upper()))
    return tuple(found)


def skipped_filled(formula: str) -> str:
    """Formula with ``""`` written where one of our functions has a skipped argument.

    The engine hands a skipped argument over as 0; an empty text is what it means.

    Examples
    --------
    >>> skipped_filled('=NPV_STATIC(0.1,,SUM(1,),)')
    '=NPV_STATIC(0.1,"",SUM(1,),"")'
    """
    import formualizer

    if not _SKIPS.search(formula):
        return formula
    body = formula if formula.startswith("=") else f"={formula}"
    pieces: list[str] = []
    # One entry an open bracket: whether it is a call of ours.
    calls: list[bool] = []
    waiting = False  # whether an argument of ours has begun and nothing stands in it yet
    for token in list(formualizer.tokenize(body).tokens()):
        kind, subtype = str(token.token_type), str(token.subtype)
        if "Whitespace" in kind:
            pieces.append(token.value)
            continue
        closes = subtype.endswith("Close")
        separates = subtype.endswith("Arg") and "Sep" in kind
        if waiting and (separates or closes):
            if not (closes and pieces[-1].rstrip().endswith("(")):
                pieces.append('""')
            waiting = False
        pieces.append(token.value)
        if subtype.endswith("Open"):
            calls.append(bool(own_calls(f"={token.value}")) if "Func" in kind else False)
            waiting = calls[-1]
        elif closes:
            calls.pop()
            waiting = False
        else:
            waiting = separates and bool(calls) and calls[-1]
    return "=" + "".join(pieces)


def function_names(formula: str) -> list[str]:
    """Return the functions that a formula calls, as written."""
    import formualizer
    from formualizer.visitor import collect_function_names

    try:
        text = formula if formula.startswith("=") else f"={formula}"
        return list(collect_function_names(formualizer.parse(text)))
    except Exception:  # noqa: BLE001 - the parser raises types of its own for what it cannot read
        return []


def bare_name(spelled: str) -> str:
    """Name of a function without the prefixes that files carry."""
    return re.sub(r"^(_xlfn\.|_xlws\.|_xll\.)+", "", spelled).upper()


def is_volatile(formula: str) -> bool:
    """Whether a formula changes without its inputs changing."""
    return bool(_VOLATILE_CALL.search(_without_text(formula)))


def _without_text(formula: str) -> str:
    """Formula with the inside of its text literals blanked; quoted sheet names stay."""
    return re.sub(r'"[^"]*"', lambda m: '"' + " " * (len(m[0]) - 2) + '"', formula)
