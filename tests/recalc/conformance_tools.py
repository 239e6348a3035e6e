"""The conformance table, measured: Excel's saved and documented values against the engine's.

Run as a script it writes `xltoken/recalc/data/conformance.csv` and prints what differs.
"""

import csv
import io
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance_cases import (
    DATA,
    Area,
    Case,
    corpus_cases,
    everyday,
    golden_cases,
    known,
)
from excel_names import EXCEL_NAMES, TAKES_RANGES

from xltoken.recalc import conformance

TABLE = DATA / "conformance.csv"
COLUMNS = ("function", "verdict", "cases", "right", "everyday", "limit", "condition")
SOLVED = {"XIRR", "YIELD", "ODDFYIELD"}
"""Functions that Excel solves for step by step, and leaves off before the last digit."""
NEAR = 2e-8
ENOUGH = 3
"""Cases that a function needs before it is believed."""
LOOKUPS = {"HLOOKUP", "LOOKUP", "MATCH", "VLOOKUP", "XLOOKUP", "XMATCH"}
NO_ARGUMENTS = {"FALSE", "NA", "NOW", "PI", "RAND", "TODAY", "TRUE"}
SPECIAL: dict[str, tuple[conformance.Condition, ...]] = {
    "CHOOSE": (conformance.choice_typed_or_several,),
    **dict.fromkeys(("COUNTBLANK", "COUNTIF"), (conformance.blanks_of_whole_columns,)),
    "COUNTIFS": (conformance.ranges_differ_in_size, conformance.blanks_of_whole_columns),
    "IFERROR": (conformance.several_alternatives,),
    "COUNT": (conformance.counts_what_is_computed,),
    "COUNTA": (conformance.blanks_of_arrays,),
    "IF": (conformance.several_for_one, conformance.text_as_condition),
    "INDEX": (conformance.position_not_whole,),
    "INDIRECT": (conformance.style_given,),
    "LARGE": (conformance.several_ranks,),
    "OFFSET": (conformance.size_below_one,),
    "SMALL": (conformance.several_ranks,),
    **dict.fromkeys(
        ("FILTER", "SORT", "SORTBY", "SUMPRODUCT", "UNIQUE"), (conformance.whole_columns,)
    ),
    "XLOOKUP": (
        conformance.several_looked_up,
        conformance.lookup_left_empty,
        conformance.lookup_ranges_differ,
        conformance.corner_of_range,
    ),
    **dict.fromkeys(
        ("AVERAGEIF", "AVERAGEIFS", "MAXIFS", "MINIFS", "SUMIF", "SUMIFS"),
        (conformance.ranges_differ_in_size,),
    ),
    **dict.fromkeys(("SUMX2MY2", "SUMX2PY2", "SUMXMY2"), (conformance.ranges_differ_in_size,)),
}
"""Conditions of functions that have their own."""


def table(cases: Iterable[Case]) -> list[dict[str, str]]:
    """Rows of the table, by name: operators first."""
    mine = _by_function([case for case in cases if not case.beyond])
    rows = []
    for name in sorted(EXCEL_NAMES | {n for n in everyday() if not n.isupper()}):
        right, wrong = mine[name]
        verdict, conditions = _verdict(name, right, wrong)
        rows.append(
            {
                "function": name,
                "verdict": verdict,
                "cases": str(len(right) + len(wrong)),
                "right": str(len(right)),
                "everyday": "yes" if name in everyday() else "",
                "limit": "; ".join(_words(condition) for condition in conditions),
                "condition": " ".join(condition.__name__ for condition in conditions),
            }
        )
    return rows


def conditions_of(name: str) -> tuple[conformance.Condition, ...]:
    """Conditions that may explain why a function is wrong."""
    if name in SPECIAL:
        return SPECIAL[name]
    if name in LOOKUPS:
        return (conformance.several_looked_up, conformance.argument_left_empty)
    if name not in EXCEL_NAMES or name in NO_ARGUMENTS:
        return ()
    if name in TAKES_RANGES:
        return (conformance.argument_left_empty, conformance.text_typed)
    return (
        conformance.several_for_one,
        conformance.argument_left_empty,
        conformance.text_typed,
    )


def _words(condition: conformance.Condition) -> str:
    return (condition.__doc__ or "").partition(".")[0]


def _verdict(
    name: str, right: list[Case], wrong: list[Case]
) -> tuple[str, tuple[conformance.Condition, ...]]:
    """Verdict on a function, and the conditions under which it is not right or was never seen."""
    if name in EXCEL_NAMES and name not in known():
        return conformance.MISSING, ()
    needed: list[conformance.Condition] = []
    unexplained = [case for case in wrong if not (name in SOLVED and solved(case))]
    if len(unexplained) < len(wrong):
        needed.append(conformance.solved_to_a_billionth)
    for condition in conditions_of(name):
        unseen = condition is conformance.several_for_one and not any(
            condition(case.formula, name) for case in right
        )
        rest = [case for case in unexplained if not condition(case.formula, name)]
        if unseen or len(rest) < len(unexplained):
            needed.append(condition)
            unexplained = rest
    if unexplained:
        return conformance.WRONG, ()
    outside = [case for case in right if not any(c(case.formula, name) for c in needed)]
    if len(outside) < ENOUGH:
        return (conformance.WRONG if wrong else conformance.UNTESTED), ()
    return (conformance.LIMITS if needed else conformance.RIGHT), tuple(needed)


def solved(case: Case) -> bool:
    """Whether a case is wrong only in digits that Excel did not solve for."""
    if SOLVED.isdisjoint(case.functions):
        return False
    pairs = [
        (got, expected)
        for line, row in zip(case.got, case.expected, strict=True)
        for got, expected in zip(line, row, strict=True)
    ]
    return all(
        isinstance(got, float)
        and isinstance(expected, float)
        and math.isclose(got, expected, rel_tol=NEAR)
        for got, expected in pairs
    )


def _by_function(cases: list[Case]) -> defaultdict[str, tuple[list[Case], list[Case]]]:
    """Right and wrong cases of each function; a wrong one only of those it speaks against."""
    alone = defaultdict[str, Counter[bool]](Counter)
    for case in cases:
        subjects = {case.subject} if case.subject else set(case.functions)
        if len(subjects) == 1:
            name = subjects.pop()
            explained = any(holds(case.formula, name) for holds in conditions_of(name))
            alone[name][case.right] += case.right or not explained
    found = defaultdict[str, tuple[list[Case], list[Case]]](lambda: ([], []))
    for case in cases:
        named = {*case.functions, case.subject} - {""} if case.right else _blamed(case, alone)
        for name in named:
            found[name][0 if case.right else 1].append(case)
    return found


def _blamed(case: Case, alone: dict[str, Counter[bool]]) -> set[str]:
    """Functions that a wrong case speaks against.

    Those that are wrong by themselves too; else those that are not proven right by themselves;
    else all.
    """
    if case.subject:
        return {case.subject}
    if case.without_result:
        return set()
    names = set(case.functions)
    wrong_alone = {name for name in names if alone[name][False]}
    unproven = {name for name in names if alone[name][True] < ENOUGH}
    return wrong_alone or unproven or names


def written(rows: list[dict[str, str]]) -> str:
    """The table as the text of its file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass(frozen=True)
class Summary:
    """Corpus cells: all, beyond the engine, and the shares that come out as Excel's."""

    right: int
    wrong: int
    beyond: int
    everyday_right: int
    everyday: int

    @property
    def share(self) -> float:
        """Right among the cells that call no missing function."""
        return self.right / (self.right + self.wrong)

    @property
    def everyday_share(self) -> float:
        """Right among the cells that call everyday functions only."""
        return self.everyday_right / self.everyday


def summary(cases: Iterable[Case]) -> Summary:
    """Count the cells of the corpus."""
    mine = list(cases)
    inside = [case for case in mine if not case.beyond]
    daily = [c for c in mine if c.functions and everyday().keys() >= set(c.functions)]
    right = sum(case.right for case in inside)
    return Summary(
        right,
        len(inside) - right,
        len(mine) - len(inside),
        sum(case.right for case in daily),
        len(daily),
    )


def show(area: Area) -> str:
    """Area as people read it."""
    rows = ";".join(",".join(repr(v) for v in row) for row in area)
    return rows if rows.count(",") + rows.count(";") == 0 else f"{{{rows}}}"


def main() -> None:
    """Measure, write the table and tell what differs, everyday functions first."""
    golden, corpus = golden_cases(), corpus_cases()
    rows = table([*golden, *corpus])
    if corpus:
        TABLE.write_text(written(rows), encoding="utf-8", newline="")
    sys.stdout.writelines(f"{line}\n" for line in _told(golden, corpus, rows))


def _told(golden: list[Case], corpus: list[Case], rows: list[dict[str, str]]) -> Iterator[str]:
    wrong = [case for case in [*golden, *corpus] if not case.right and not case.beyond]
    daily = set(everyday())
    for case in sorted(wrong, key=lambda c: (not daily.issuperset(c.functions), c.functions)):
        mark = "everyday" if daily.issuperset(case.functions) else "other"
        about = case.subject or ", ".join(case.functions)
        values = f"expected {show(case.expected)} | got {show(case.got)}"
        yield f"{mark} | {about} | {case.source} | {case.formula} | {values}"
    verdicts = Counter(row["verdict"] for row in rows)
    yield ", ".join(f"{name} {verdicts[name]}" for name in conformance.VERDICTS)
    lacking = [
        f"{r['function']} ({r['verdict']})"
        for r in rows
        if r["everyday"] and r["verdict"] != conformance.RIGHT
    ]
    yield f"everyday, but not simply right: {', '.join(lacking)}"
    yield f"documented: {sum(case.right for case in golden)} of {len(golden)} right"
    if corpus:
        found = summary(corpus)
        yield (
            f"saved by Excel: {found.right} right, {found.wrong} wrong, {found.beyond} beyond; "
            f"share {found.share:.4f}, everyday {found.everyday_share:.4f} of {found.everyday}"
        )
    else:
        yield "the workbooks that Excel saved are not here: the table stays as it is"


if __name__ == "__main__":
    main()
