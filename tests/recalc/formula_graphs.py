"""Small books of formulas that read one another, and what a slow, plain reader makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from recalc_tools import F, book

from xltoken.recalc.package import Place
from xltoken.recalc.sheetxml import address, reference

INPUTS = ("A1", "A2", "A3")
SHEETS = ("S", "It's T")
LIVE = ("honest", "unjudged", "own", "drifted")
"""Formulas that are computed: right as saved, never saved, ours, and ours with an old value."""
REACHING = ("reaching",)
"""Formulas that compute what they read: refused, rather than believed, with anything refused."""
FROZEN = ("doctored", "unsupported", "unsaved")
"""Formulas that are not: with another value than they have, with a missing function, both."""


@dataclass(frozen=True)
class Node:
    """A formula: its place, what it is, what it reads, and how those are spelled."""

    place: str
    sheet: str
    kind: str
    reads: tuple[str, ...]
    text: str


@dataclass
class Graph:
    """Inputs, formulas in an order in which each reads only earlier ones, and names."""

    inputs: dict[str, float]
    nodes: list[Node]
    names: dict[str, str]
    saved: dict[str, float | None] = field(default_factory=dict)

    def content(self) -> bytes:
        """Workbook file."""
        sheets: dict[str, dict[str, Any]] = {name: {} for name in SHEETS}
        sheets["S"].update(self.inputs)
        for node in self.nodes:
            sheets[node.sheet][node.place] = F(node.text, self.saved[key(node)])
        return book(sheets, names=self.names)

    def outcome(self, changes: Mapping[str, float]) -> tuple[dict[str, float | None], set[str]]:
        """Value of every formula after some inputs changed, and which of them are refused."""
        now: dict[str, float | None] = {f"S!{p}": v for p, v in self.inputs.items()}
        now |= {f"S!{place}": value for place, value in changes.items()}
        moved = {f"S!{p}" for p, value in changes.items() if value != self.inputs[p]}
        refused: set[str] = set()
        for node in self.nodes:
            me, reads = key(node), set(node.reads)
            saved = self.saved[me]
            if node.kind in FROZEN:
                if saved is None or reads & (moved | refused):
                    refused.add(me)
                now[me] = saved
            elif reads & refused:
                refused.add(me)
                now[me] = saved
            else:
                now[me] = result(node, now)
                if now[me] != saved:
                    moved.add(me)
        return {key(node): now[key(node)] for node in self.nodes}, refused


def key(node: Node) -> str:
    """Sheet and address of a formula."""
    return f"{node.sheet}!{node.place}"


def place_of(text: str) -> Place:
    """Place that such a key means."""
    sheet, _, cell = text.rpartition("!")
    spot = reference(cell)
    assert spot is not None
    return (sheet, *spot)


def result(node: Node, values: Mapping[str, float | None]) -> float:
    """What a formula comes to: a sum, and for one of ours the value of its one argument."""
    return float(sum(values[read] or 0.0 for read in node.reads))


@st.composite
def graphs(draw: Any, kinds: tuple[str, ...] = (*LIVE, *FROZEN)) -> Graph:
    """Any such book with up to eight formulas."""
    inputs = {place: float(draw(st.integers(1, 50))) for place in INPUTS}
    graph = Graph(inputs, [], {})
    shadow: dict[str, float | None] = {f"S!{place}": value for place, value in inputs.items()}
    size = draw(st.integers(1, 8))
    spots = draw(
        st.lists(
            st.tuples(st.sampled_from(SHEETS), st.integers(1, 6), st.integers(2, 5)),
            min_size=size,
            max_size=size,
            unique=True,
        )
    )
    for number, (sheet, row, column) in enumerate(spots):
        kind = draw(st.sampled_from(kinds))
        known = sorted(shadow)
        several = 1 if kind in ("own", "drifted", "reaching") else 3
        reads = draw(st.lists(st.sampled_from(known), min_size=1, max_size=several, unique=True))
        node = Node(address(row, column), sheet, kind, tuple(reads), "")
        spelled = [draw(st.sampled_from(spellings(graph, node, read, number))) for read in reads]
        whole = kind not in ("own", "drifted", "reaching") and not draw(st.integers(0, 3))
        if whole:
            spelled.append(draw(st.sampled_from(["S!$A$1:$A$3", "S!A:A", "Inputs"])))
            graph.names["Inputs"] = "S!$A$1:$A$3"
            reads = list(dict.fromkeys([*reads, *(f"S!{place}" for place in INPUTS)]))
            # What is named twice would be summed twice.
            spelled = [s for s, read in zip(spelled, reads, strict=False) if read[2:] not in INPUTS]
            spelled.append("S!$A$1:$A$3")
        if kind == "reaching":
            home, _, cell = reads[0].rpartition("!")
            quoted = home.replace("'", "''")
            spelled = [f"INDIRECT(\"'{quoted}'!{cell}\")"]
        node = Node(node.place, sheet, kind, tuple(reads), formula(kind, spelled, draw))
        value = result(node, shadow)
        graph.nodes.append(node)
        if kind in ("doctored", "drifted"):
            value += 100.0
        if kind == "unsupported":
            value = 7.0
        graph.saved[key(node)] = None if kind in ("unjudged", "unsaved") else value
        shadow[key(node)] = 7.0 if kind == "unsaved" else value
    return graph


def formula(kind: str, spelled: list[str], draw: Any) -> str:
    """Text of a formula that reads these."""
    listed = ",".join(spelled)
    if kind in ("unsupported", "unsaved"):
        return f'CUBEVALUE("x",{listed})'
    if kind in ("own", "drifted"):
        # It asks the catalog too, so that no saved value can judge it.
        return f"COST_CURVE({listed},0,0)+0*LEN(XLTOKEN_INFO())"
    if any(":" in text or text == "Inputs" for text in spelled):
        return f"SUM({listed})"
    return draw(st.sampled_from([f"SUM({listed})", "+".join(spelled), f"0+SUM({listed})*1"]))


def spellings(graph: Graph, node: Node, read: str, number: int) -> list[str]:
    """Ways in which a formula may name a cell."""
    sheet, _, cell = read.rpartition("!")
    quoted = "'" + sheet.replace("'", "''") + "'"
    column, row = cell[0], cell[1:]
    name = f"Name_{number}_{column}_{row}"
    graph.names[name] = f"{quoted}!${column}${row}"
    own = [cell, f"${column}${row}", f"{column}${row}"] if sheet == node.sheet else []
    return [*own, f"{quoted}!{cell}", name]
