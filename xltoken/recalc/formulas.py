"""The text of formulas: which functions they call, under which spelling, with what skipped."""

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from xltoken.functions import FUNCTIONS
from xltoken.recalc.builtins import SKIPPED
from xltoken.recalc.sheetxml import MAX_COLUMN, MAX_ROW, column_letters, column_number

# Texts, quoted sheet names and columns of tables are read over; what remains before a bracket is
# a function's name, with the workbook, sheet or add-in that some hosts write before it.
_DELIMITER: Final = r"\s!'\"(),;:+\-*/^&=<>{}@\[\]"
_NAMED: Final = r"(?<![\w.\\?])(?P<name>(?:[^\W\d]|\\)[\w.\\?]*+)\s*+\("
TEXT: Final = r'"(?:[^"]|"")*+(?:"|\Z)'
QUOTED: Final = r"'(?:[^']|'')*+(?:'|\Z)"
COLUMN: Final = r"\[(?:[^\[\]']|'.|\[(?:[^\]']|'.)*+(?:\]|\Z))*+(?:\]|\Z)"
"""A text, a quoted sheet, and a column of a table, which may hold anything that reads as a call."""
_CALL: Final = re.compile(
    TEXT + rf"|(?:(?P<where>'(?:[^']|'')*+'|(?<![\w.\\?\]])\[[^\[\]']*\][^{_DELIMITER}]*+"
    rf"|(?<![^{_DELIMITER}])[^{_DELIMITER}]++)!)?{_NAMED}|{QUOTED}|{COLUMN}",
    re.DOTALL,
)
# Without any of these every name before a bracket is a call.
_NOT_PLAIN: Final = re.compile(r"[\"'!\[]")
_PLAIN_CALL: Final = re.compile(_NAMED)
_ELSEWHERE: Final = re.compile(
    r'"(?:[^"]|"")*"'
    r"|(?P<book>'(?:[^']|'')*'|\[[^\]]*\][^\s!'\"(),;:+\-*/^&=<>{}]*)!"
    r"(?:(?P<call>[A-Za-z_][A-Za-z0-9_.]*)\s*\()?"
)
_REFERENCES: Final = re.compile(
    r'"(?:[^"]|"")*"'
    r"|'(?:[^']|'')*'"
    r"|\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*\]"
    r"|(?<![\w.$\\?])(?:"
    r"(?P<cell>(?P<fc>\$?)(?P<c>[A-Za-z]{1,3})(?P<fr>\$?)(?P<r>[1-9][0-9]{0,6}))"
    r"|(?P<columns>\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3})"
    r"|(?P<rows>\$?[1-9][0-9]{0,6}:\$?[1-9][0-9]{0,6})"
    r")(?![\w.(!\\?])"
)
_PREFIXES: Final = re.compile(r"^(?:_xlfn\.|_xlws\.|_xll\.)+", re.IGNORECASE)
_OFFICE_JS: Final = "_XLDUDF_"
# What stands before a function of a file: the number of a link, a file, or a link that was lost.
_LINK: Final = re.compile(r"'?(?:\[\d+\]|#REF)'?", re.IGNORECASE)
_FILE: Final = re.compile(r"'?(?:\[[^\]]*\]|#REF|.*\.xl[a-z]{1,2})'?", re.IGNORECASE | re.DOTALL)
SKIPS: Final = re.compile(r"[,(]\s*,|,\s*\)")
_REGISTRABLE: Final = re.compile(r"\[\d+\]!|'(?:[^']|'')*'!|[A-Za-z_][\w.]*$")
ARRAY_MINDED: Final = frozenset(
    {"SUMPRODUCT", "MMULT", "LOOKUP", "INDEX", "MATCH", "XMATCH", "XLOOKUP", "VLOOKUP", "HLOOKUP",
     "TRANSPOSE", "FREQUENCY", "LINEST", "LOGEST", "TREND", "GROWTH", "MINVERSE", "MDETERM",
     "FILTER", "SORT", "SORTBY", "UNIQUE", "AGGREGATE", "PROB", "MODE.MULT", "SUMX2MY2",
     "SUMX2PY2", "SUMXMY2", "LET", "LAMBDA", "MAP", "REDUCE", "SCAN", "BYROW", "BYCOL", "VSTACK",
     "HSTACK", "TOCOL", "TOROW", "WRAPROWS", "WRAPCOLS", "TAKE", "DROP", "CHOOSECOLS",
     "CHOOSEROWS", "EXPAND", "SINGLE", "ANCHORARRAY"}
)  # fmt: skip
"""Functions whose arguments are computed as arrays even in a plain formula."""
SINGLE_VALUED: Final = frozenset(
    {"ABS", "ROUND", "ROUNDUP", "ROUNDDOWN", "INT", "TRUNC", "EXP", "LN", "LOG", "LOG10", "SQRT",
     "POWER", "MOD", "SIGN", "CEILING", "FLOOR", "MROUND", "EVEN", "ODD", "FACT", "SIN", "COS",
     "TAN", "LEFT", "RIGHT", "MID", "LEN", "UPPER", "LOWER", "PROPER", "TRIM", "CLEAN", "VALUE",
     "TEXT", "FIND", "SEARCH", "SUBSTITUTE", "REPLACE", "REPT", "EXACT", "CHAR", "CODE", "YEAR",
     "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEKDAY", "DATE", "TIME", "NOT", "PMT", "PV",
     "FV", "NPER", "RATE", "IPMT", "PPMT", "SLN", "SYD", "DDB", "DB", "VDB", "EFFECT", "NOMINAL",
     "IFERROR", "RRI", "PDURATION", "DEGREES", "RADIANS", "NORM.DIST", "NORM.S.DIST", "NORM.INV"}
)  # fmt: skip
"""Functions that take one value where a range is given, in a plain formula."""
_REDUCED: Final = re.compile(
    r"\b(?:SUM|SUMIF|SUMIFS|SUMPRODUCT|COUNT|COUNTA|COUNTIF|COUNTIFS|AVERAGE|AVERAGEIF|MIN|MAX"
    r"|ABS|ROUND|ROUNDUP|ROUNDDOWN|NPV|IRR|ROWS|COLUMNS|MATCH|AND|OR|LEN"
    r"|TOKEN_COST|TOKEN_CAPACITY|TOKEN_PRICE|NPV_[A-Z]+|XLTOKEN_INFO)\([^()\[\]{}#]*\)"
)
VOLATILE: Final = frozenset(
    {"NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "OFFSET", "INDIRECT", "INFO", "CELL"}
)
_REACHING: Final = frozenset({"OFFSET", "INDIRECT"})


def function_names(formula: str) -> tuple[str, ...]:
    r"""Return the functions that a formula calls, as written, in order, each once.

    Examples
    --------
    >>> function_names("=SUM(A1,_xlfn.XLOOKUP(1,'a (b)'!A:A,B:B))&\"NOW()\"")
    ('SUM', '_xlfn.XLOOKUP')
    """
    if "(" not in formula:
        return ()
    if _NOT_PLAIN.search(formula):
        found = [_spelled(match) for match in _CALL.finditer(formula) if match["name"]]
    else:
        found = _PLAIN_CALL.findall(formula)
    return tuple(dict.fromkeys(found))


def own_calls(formula: str) -> tuple[tuple[str, str], ...]:
    """Spelling and name of each of our functions that a formula calls.

    Examples
    --------
    >>> own_calls("=_xll.TOKEN_COST(A1)+[1]!NPV_STATIC(A2)")
    (('_xll.TOKEN_COST', 'TOKEN_COST'), ('[1]!NPV_STATIC', 'NPV_STATIC'))
    """
    return own_among(function_names(formula))


@functools.lru_cache(maxsize=1 << 12)
def own_among(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Spelling and name of each of our functions among `names`, as :func:`own_calls`."""
    named = ((spelled, own_name(spelled)) for spelled in names)
    return tuple((spelled, name) for spelled, name in named if name)


def own_name(spelled: str) -> str:
    """Name of the function of ours that a spelling means; empty when it means none.

    A function behind the name of a sheet is that sheet's own.
    """
    where, _, written = spelled.rpartition("!")
    name = bare_name(written)
    if where and not (_FILE.fullmatch(where) and (_LINK.fullmatch(where) or may_hold_ours(where))):
        return ""
    if name in FUNCTIONS:
        return name
    if not name.startswith(_OFFICE_JS):
        return ""
    name = name.removeprefix(_OFFICE_JS)
    while name and name not in FUNCTIONS:  # what stands before the name is a namespace
        name = name.partition("_")[2]
    return name


def may_hold_ours(file: str) -> bool:
    r"""Whether a file of that name may be our add-in, or a workbook that carries the functions.

    Examples
    --------
    >>> [may_hold_ours(f) for f in ("xltoken.xlam", r"'C:\a\x.xlam'", "bank.xla", "b.xlsx")]
    [True, True, False, False]
    """
    name = re.split(r"[/\\\[\]]", file.strip("'"))
    last = next((part for part in reversed(name) if part), "").lower()
    return last.startswith("xltoken") or last.endswith((".xlam", ".xlsm"))


def own_spans(formula: str) -> Iterator[tuple[int, int, str]]:
    """Where the spelling of each call of ours begins and ends, and the function's name.

    Examples
    --------
    >>> list(own_spans('=1+[1]!TOKEN_COST("TOKEN_COST(")'))
    [(3, 17, 'TOKEN_COST')]
    """
    for match in _CALL.finditer(formula) if "(" in formula else ():
        if match["name"] and (name := own_name(_spelled(match))):
            yield match.start(), match.end("name"), name


def _spelled(match: re.Match[str]) -> str:
    return f"{match['where']}!{match['name']}" if match["where"] else match["name"]


def registrable(spelled: str) -> bool:
    """Whether the engine can know a function under that spelling."""
    return bool(_REGISTRABLE.match(spelled))


def plainly_spelled(formula: str) -> str:
    """Formula in which our functions stand under their plain names."""
    for start, end, name in reversed(list(own_spans(formula))):
        formula = formula[:start] + name + formula[end:]
    return formula


def skipped_filled(formula: str) -> str:
    """Formula in which what a skipped argument means is written out.

    The engine hands a skipped argument over as 0. For our functions an empty text is what it
    means; for some of Excel's it is another value.

    Examples
    --------
    >>> skipped_filled('=NPV_STATIC(0.1,,SUM(1,),)')
    '=NPV_STATIC(0.1,"",SUM(1,),"")'
    >>> skipped_filled('=XLOOKUP(A1,B:B,C:C,,1)')
    '=XLOOKUP(A1,B:B,C:C,#N/A,1)'
    """
    if not SKIPS.search(formula):
        return formula
    tokens = _tokens(formula)
    if tokens is None:
        return formula
    pieces: list[str] = []
    calls: list[_Call] = []  # one an open bracket
    empty = False  # whether an argument has begun and nothing stands in it yet
    for kind, subtype, text in tokens:
        if "Whitespace" in kind:
            pieces.append(text)
            continue
        closes = subtype.endswith("Close")
        separates = subtype.endswith("Arg") and "Sep" in kind
        if empty and calls and (separates or closes):
            call = calls[-1]
            if not (closes and call.place == 1):  # f() has no argument
                pieces.append(call.fillers.get(call.place, call.fillers.get(0, "")))
        empty = False
        pieces.append(text)
        if subtype.endswith("Open"):
            calls.append(_Call(_fillers(text) if "Func" in kind else {}))
            empty = True
        elif closes:
            calls.pop()
        elif separates and calls:
            calls[-1].place += 1
            empty = True
    return "=" + "".join(pieces)


@dataclass(slots=True)
class _Call:
    """An open bracket: what its skipped arguments mean, by place (0: any), and the place now."""

    fillers: dict[int, str]
    place: int = 1


def _fillers(token: str) -> dict[int, str]:
    if own_calls(f"={token}"):
        return {0: '""'}
    return SKIPPED.get(bare_name(token.removesuffix("(")), {})


def may_become_range(formula: str) -> bool:
    """Whether a formula that is one value now may be a range with other inputs.

    Sums and their kin over ranges are always one value; what they leave is looked at.

    Examples
    --------
    >>> may_become_range("SUM(A1:A9)/COUNT(B:B)"), may_become_range("IF(A1,B1:B3,0)")
    (False, True)
    """
    before = ""
    while formula != before:
        before, formula = formula, _REDUCED.sub("0", formula)
    return re.search(r"[:{#\[]|[A-Za-z_.]\(", formula) is not None


def intersected(formula: str) -> str:
    """Formula with ``@`` before ranges where one value is due: what a plain formula means.

    In a formula that is no array formula Excel takes the cell of the formula's own row or column
    where a range stands beside an operator, alone, or in a function of single values; the engine
    would compute an array.

    Examples
    --------
    >>> intersected("=SUM(A1:A3*2)+ROUND(B:B,0)+SUMPRODUCT(A1:A3*2)+SUM(A1:A3)")
    '=SUM(@A1:A3*2)+ROUND(@B:B,0)+SUMPRODUCT(A1:A3*2)+SUM(A1:A3)'
    """
    tokens = _tokens(formula)
    if tokens is None:
        return formula
    solid = [token for token in tokens if "Whitespace" not in token[0]]
    ranges = iter(
        _is_one_value(before, after)
        for before, token, after in zip([_NONE, *solid], solid, [*solid[1:], _NONE], strict=False)
        if _is_area(token)
    )
    pieces: list[str] = ["="]
    calls: list[str] = []  # functions around the place; "" for a bracket
    for token in tokens:
        kind, subtype, text = token
        pieces.append(text)
        if _is_area(token):
            operated = next(ranges)
            around = next((name for name in reversed(calls) if name), "")
            due = operated if operated is not None else not around or around in SINGLE_VALUED
            if due and ARRAY_MINDED.isdisjoint(calls):
                pieces[-1] = f"@{text}"
        elif subtype.endswith("Open"):
            calls.append(bare_name(text.removesuffix("(")) if "Func" in kind else "")
        elif subtype.endswith("Close") and calls:
            calls.pop()
    return "".join(pieces)


def _tokens(formula: str) -> list[tuple[str, str, str]] | None:
    """Type, subtype and text of each token; None for what cannot be read as a formula."""
    import formualizer

    body = formula if formula.startswith("=") else f"={formula}"
    try:
        found = formualizer.tokenize(body).tokens()
    except Exception:  # noqa: BLE001 - the engine raises types of its own
        return None
    return [(str(token.token_type), str(token.subtype), token.value) for token in found]


_NONE: Final = ("", "", "")


def _is_area(token: tuple[str, str, str]) -> bool:
    return token[0] == "Operand" and "Range" in token[1] and ":" in token[2]


def _is_one_value(before: tuple[str, str, str], after: tuple[str, str, str]) -> bool | None:
    """Whether the operators beside a range want one value; None where there is none."""
    beside = [token[2].strip() for token in (before, after) if token[0].startswith("OpI")]
    beside += [
        token[2].strip() for token in (before, after) if token[0] in ("OpPrefix", "OpPostfix")
    ]
    if any(operator in ("", ":", "@", "#", ",") for operator in beside):
        return False  # ranges made of ranges
    return True if beside else None


def bare_name(spelled: str) -> str:
    """Name of a function without the workbook and the prefixes that files carry."""
    return _PREFIXES.sub("", spelled.rpartition("!")[2]).upper()


def moved(formula: str, rows: int, columns: int) -> str:
    r"""Formula as it reads when it is copied so many rows down and columns to the right.

    A reference that falls off the sheet becomes ``#REF!``, as in Excel.

    Examples
    --------
    >>> moved("A1*$B$1+SUM(Jan!C:C,2:2)&\"A1\"", 1, 2)
    'C2*$B$1+SUM(Jan!E:E,3:3)&"A1"'
    """

    def write(row: int, column: int, fixed_row: bool, fixed_column: bool) -> str:
        r = row + (0 if fixed_row or not row else rows)
        c = column + (0 if fixed_column or not column else columns)
        if (row and not 1 <= r <= MAX_ROW) or (column and not 1 <= c <= MAX_COLUMN):
            return "#REF!"
        letters = f"{'$' * fixed_column}{column_letters(c)}" if column else ""
        return f"{letters}{'$' * fixed_row}{r}" if row else letters

    return _references_rewritten(formula, write)


def relative(formula: str, row: int, column: int) -> str:
    """Formula of a cell with its references told from that cell: alike for all copies of it.

    Examples
    --------
    >>> relative("A1*$B$1", 2, 1) == relative("B2*$B$1", 3, 2) == "R[-1]C[0]*R1C2"
    True
    """

    def write(r: int, c: int, fixed_row: bool, fixed_column: bool) -> str:
        down = "" if not r else f"R{r}" if fixed_row else f"R[{r - row}]"
        right = "" if not c else f"C{c}" if fixed_column else f"C[{c - column}]"
        return down + right

    return _references_rewritten(formula, write)


def _references_rewritten(formula: str, write: Callable[[int, int, bool, bool], str]) -> str:
    def one(match: re.Match[str]) -> str:
        if match["cell"]:
            column, row = column_number(match["c"].upper()), int(match["r"])
            if not (1 <= row <= MAX_ROW and column <= MAX_COLUMN):
                return match[0]
            return write(row, column, bool(match["fr"]), bool(match["fc"]))
        if match["columns"]:
            first, last = (
                write(0, column_number(part.lstrip("$").upper()), False, part.startswith("$"))
                for part in match["columns"].split(":")
            )
            return f"{first}:{last}"
        if match["rows"]:
            first, last = (
                write(int(part.lstrip("$")), 0, part.startswith("$"), False)
                for part in match["rows"].split(":")
            )
            return f"{first}:{last}"
        return match[0]

    return _REFERENCES.sub(one, formula)


def is_volatile(formula: str) -> bool:
    """Whether a formula changes without its inputs changing."""
    return any(bare_name(name) in VOLATILE for name in function_names(formula))


def reads_other_workbook(formula: str) -> bool:
    """Whether a formula refers to cells or names of another workbook; add-in calls are none."""
    return "[" in formula and any(
        match[0].startswith("[") or "[" in match[0]
        for match in _ELSEWHERE.finditer(formula)
        if not match[0].startswith('"') and not own_name(match["call"] or "")
    )


def reaches_anywhere(formula: str) -> bool:
    """Whether a formula may read cells that it does not name."""
    return any(bare_name(name) in _REACHING for name in function_names(formula))
