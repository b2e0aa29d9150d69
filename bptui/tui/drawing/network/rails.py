"""The graph of a network at the left of its rows: a lane for each value on its way to what reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bptui.engine.program import Program

# A graph with more lanes is not drawn: there is no room for the words then.
_MOST_LANES = 8

Edge = tuple[str, str]


@dataclass(frozen=True)
class Sign:
    """A character of the rails, and the values on their way that it stands for: (made by, read by)."""

    text: str
    edges: frozenset[Edge] = frozenset()


@dataclass(frozen=True)
class Rails:
    """For each input and node the signs of its row, and those of the rows between it and the next."""

    rows: Mapping[str, tuple[Sign, ...]]
    below: Mapping[str, tuple[Sign, ...]]
    width: int


@lru_cache(maxsize=8)
def rails(program: Program) -> Rails:
    """Those of a program; of width 0 where there would be too many lanes."""
    network = program.network
    reads: dict[str, Sequence[str]] = dict.fromkeys(("x", *network.more), ())
    reads |= {node.key: tuple(dict.fromkeys(node.inputs)) for node in network.nodes}
    reads["loss"] = tuple(node.key for node in network.nodes if node.output == program.output)
    lanes = _Lanes(reads)
    rows, below = {}, {}
    for key in reads:
        rows[key], below[key] = lanes.row(key), lanes.below()
    width = max(map(len, rows.values()))
    if width > 2 * _MOST_LANES - 1:
        return Rails(dict.fromkeys(rows, ()), dict.fromkeys(below, ()), 0)
    return Rails(rows, below, width)


class _Lanes:
    """What is on its way, lane by lane, while the rows are made one after the other."""

    def __init__(self, reads: Mapping[str, Sequence[str]]) -> None:
        self.reads = reads
        self.left = {key: [reader for reader, read in reads.items() if key in read] for key in reads}
        self.lanes: list[str] = []

    def row(self, key: str) -> tuple[Sign, ...]:
        """The row of an input or a node; what it reads for the last time ends there, what it makes begins."""
        before = list(self.lanes)
        for read in self.reads[key]:
            self.left[read].remove(key)
        own = self._own(key)
        joined = [lane for lane, value in enumerate(before) if value in self.reads[key] and lane != own]
        span = range(min([own, *joined]), max([own, *joined]) + 1)
        signs: list[Sign] = []
        for lane in range(max(len(before), own + 1)):
            value = before[lane] if lane < len(before) else ""
            signs.append(Sign("●", frozenset({(key, key)})) if lane == own else self._sign(key, value, lane, own, span))
            across = lane in span and lane + 1 in span
            beyond = [other for other in joined if (other > lane) != (own > lane)]
            edges = frozenset((before[other], key) for other in beyond) if across else frozenset()
            signs.append(Sign("─" if across else " ", edges))
        self.lanes = [value if self.left.get(value) else "" for value in self.lanes]
        self.lanes += [""] * (own + 1 - len(self.lanes))
        self.lanes[own] = key if self.left[key] else ""
        return tuple(signs[:-1])

    def _own(self, key: str) -> int:
        """Its lane: that of what it reads for the last time, else a free one, right of what it reads."""
        ended = [self.lanes.index(read) for read in self.reads[key] if not self.left[read] and read in self.lanes]
        if ended:
            return min(ended)
        first = max((self.lanes.index(read) for read in self.reads[key] if read in self.lanes), default=-1)
        free = [lane for lane, value in enumerate(self.lanes) if not value and lane > first]
        return free[0] if free else len(self.lanes)

    def _sign(self, key: str, value: str, lane: int, own: int, span: range) -> Sign:
        """The sign of a lane that is not the row's own."""
        read = value in self.reads[key]
        edges = self._edges(value) | (frozenset({(value, key)}) if read else frozenset())
        if read:
            goes_on = bool(self.left[value])
            text = ("├" if goes_on else "╰") if own > lane else ("┤" if goes_on else "╯")
        elif value:
            text = "┼" if lane in span else "│"
        else:
            text = "─" if lane in span else " "
        return Sign(text, edges)

    def below(self) -> tuple[Sign, ...]:
        """What goes on below the row that was made last."""
        signs: list[Sign] = []
        for value in self.lanes:
            signs += [Sign("│" if value else " ", self._edges(value)), Sign(" ")]
        return tuple(signs[:-1])

    def _edges(self, value: str) -> frozenset[Edge]:
        return frozenset((value, reader) for reader in self.left.get(value, ()))


def spelled(signs: Iterable[Sign], width: int, lit: frozenset[Edge]) -> list[tuple[str, str]]:
    """Signs as runs of text, so wide; those along which the operation at hand goes in the accent."""
    runs = [(sign.text, "now+bold" if sign.edges & lit else "faint") for sign in signs]
    return [*runs, (" " * (width - len(runs)), "plain")] if len(runs) < width else runs
