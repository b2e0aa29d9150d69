"""The nodes of the tree: a cell at a time, a term of a sum, terms that belong together.

A node knows its value from the start and everything else when it is asked: opening one computes that node alone. Cells
open into nodes of other kinds, and those into cells: they are imported where they are made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from bptui.engine.lifeline import Origin, past, read_at
from bptui.engine.player import Moment, State
from bptui.engine.timeline import Position
from bptui.explain.cells import ravelled
from bptui.explain.formulas import Formula, formula
from bptui.explain.linear import Factor, factors_text
from bptui.explain.lines import Line, Writer
from bptui.explain.notation import MOST_TERMS, Names, number
from bptui.explain.solution import origin as beginning
from bptui.explain.tree.reading import Cell, Source, bare, made_of, place_of
from bptui.explain.tree.sums import Piece, Sum, as_sum

# A term of a sum that is longer is written without its names, then cut.
_MOST_CHARACTERS = 80


class Node:
    """A line of the tree. `share` is of the sizes of its siblings, None where they are no sum; `label` goes before."""

    def __init__(self, source: Source, value: float, label: str = "") -> None:
        self.source = source
        self.value = value
        self.label = label
        self.share: float | None = None

    @property
    def text(self) -> str:
        """What it is, and its value."""
        raise NotImplementedError

    @property
    def heading(self) -> tuple[str, ...]:
        """What is to be read above its children: the formula, where it was computed."""
        return ()

    @property
    def openable(self) -> bool:
        """Whether it is made of anything."""
        return True

    @cached_property
    def children(self) -> tuple[Node, ...]:
        """What it is made of, the largest first where that is a long sum; made when first asked for."""
        return ()

    @property
    def shown_value(self) -> str:
        """Its value as text."""
        return number(self.value, self.source.digits)


def shared(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Terms of one sum, each told its share of the sum of their sizes; a long one with the largest first."""
    found = list(nodes)
    sizes = [abs(node.value) for node in found]
    total = math.fsum(sizes)
    if len(found) > 1 and math.isfinite(total) and total > 0:
        for node, size in zip(found, sizes, strict=True):
            node.share = size / total
    if len(found) > MOST_TERMS:
        # What is not finite comes before all else.
        found.sort(key=lambda node: -abs(node.value) if math.isfinite(node.value) else -math.inf)
    return tuple(found)


class CellNode(Node):
    """A cell at a position: opened, what the instruction that wrote it made it of."""

    def __init__(
        self, source: Source, cell: Cell, position: Position, value: float, origin: Origin | None = None
    ) -> None:
        """origin: where its value is from, where that is not what a cell's value at that position is from."""
        super().__init__(source, value)
        self.slot, self.cell = cell
        self.position = position
        self._given = origin

    @cached_property
    def origin(self) -> Origin | None:
        """Where its value is from; None for what is not computed yet."""
        return self._given or next(past(self.source.timeline, self.slot, (self.cell,), self.position), None)

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return Names(self.source.program).cell(self.slot, place_of(self.source.program, self.slot, self.cell))

    @property
    def text(self) -> str:
        if self.origin is None:
            return f"{self.name} is not computed here"
        return f"{self.name} = {self.shown_value}{self._from}"

    @property
    def _from(self) -> str:
        assert self.origin is not None
        if self.origin.edit is not None:
            return f"  set by hand at {self.origin.position}"
        if self.origin.index is not None:
            return f"  written at {self.origin.position}"
        return f"  {beginning(self.source.program, self.slot, self.cell).partition(': ')[2]}"

    @property
    def openable(self) -> bool:
        return self.origin is not None and (self.origin.index is not None or self._lasts)

    @property
    def _lasts(self) -> bool:
        """Whether it has a history: it lasts, and something has changed it."""
        began = self.origin is None or (self.origin.index is None and self.origin.edit is None)
        return self.source.program.slots[self.slot].persistent and not began

    @property
    def heading(self) -> tuple[str, ...]:
        if self.origin is not None and self.origin.edit is not None:
            return (f"{self.name} = {self.shown_value}: set by hand, {self.origin.edit.text} at {self.position}",)
        if self.origin is None or self.origin.index is None:
            return (self.text,)
        found = self.formula
        instruction = self.source.program.instructions[self.origin.index]
        return (
            found.short(200),
            *(f"  {title}: {text}" for title, text in found.more[:1] if len(text) <= 200),
            f"  operation {self.origin.index + 1}, at {self.origin.position}: {instruction.source}",
        )

    @property
    def formula(self) -> Formula:
        """The formula that wrote it, with the numbers of then."""
        assert self.origin is not None
        assert self.origin.index is not None
        program, index = self.source.program, self.origin.index
        array = np.zeros(program.slots[self.slot].shape, program.network.dtype)
        array.reshape(-1)[self.cell] = self.value
        written = State(Position(self._iteration, index + 1), {self.slot: array}, {self.slot: array.size})
        return formula(program, Moment(index, self.line.state, written), self.cell, self.source.digits)

    @property
    def _iteration(self) -> int:
        assert self.origin is not None
        return self.origin.position.iteration

    @cached_property
    def line(self) -> Line:
        """What wrote it."""
        assert self.origin is not None
        assert self.origin.index is not None
        return self.source.line(self._iteration, self.origin.index, self.cell)

    @cached_property
    def read(self) -> Position:
        """The position whose values the instruction that wrote it read."""
        assert self.origin is not None
        assert self.origin.index is not None
        return read_at(self.source.timeline, self._iteration, self.origin.index, self.cell)

    @cached_property
    def children(self) -> tuple[Node, ...]:
        from bptui.explain.tree.changes import HistoryNode

        groups: list[Node] = [HistoryNode(self)] if self._lasts else []
        if self.origin is None or self.origin.index is None:
            return tuple(groups)
        terms = self.terms
        return (*groups, *terms) if len(terms) > MOST_TERMS else (*terms, *groups)

    @cached_property
    def terms(self) -> tuple[Node, ...]:
        """The terms of the sum that it is, or the cells that it was made of."""
        from bptui.explain.tree.samples import terms_of

        return terms_of(self) if len(self.sum.values) > 1 else tuple(self.operands(self.sum.piece(0)))

    @cached_property
    def sum(self) -> Sum:
        """What it is the sum of."""
        return as_sum(self.line, place_of(self.source.program, self.slot, self.cell))

    def operands(self, piece: Piece) -> list[Node]:
        """The cells that a term of it was made of."""
        return [self.operand(*cell) for cell in made_of(self.line, piece)]

    def made_of(self) -> list[Cell]:
        """Every cell that it was made of."""
        index = place_of(self.source.program, self.slot, self.cell)
        return made_of(self.line, (Factor(self.line.term, index),))

    def operand(self, slot: str, cell: int, label: str = "") -> CellNode:
        """A cell that it was made of."""
        node = CellNode(self.source, (slot, cell), self.read, float(self.line.state.arrays[slot].reshape(-1)[cell]))
        node.label = label
        return node

    def term(self, k: int, value: float, label: str = "") -> Node:
        """A term of the sum: the cell that it is, or a product and the like."""
        piece = self.sum.piece(k)
        if len(piece) == 1 and (found := bare(self.line, piece[0].part, piece[0].index)) is not None:
            slot = self.line.instruction.roles[found[0]]
            return self.operand(slot, ravelled(found[1], self.source.program.slots[slot].shape), label)
        return TermNode(self, piece, value, label)

    def written(self, piece: Piece, room: int) -> str:
        """A term as a formula of at most so many characters: with names and numbers, else as much as there is room."""
        ways = [
            " = ".join(dict.fromkeys([self._names(piece, inline=True), self._numbers(piece, inline=True)])),
            self._names(piece, inline=True),
            self._numbers(piece, inline=False),
        ]
        return next((text for text in ways if len(text) <= room), ways[-1][: room - 1] + "…")

    def _names(self, piece: Piece, *, inline: bool) -> str:
        names = Names(self.source.program)
        return factors_text(piece, Writer(self.line, names.cell, inline=inline))

    def _numbers(self, piece: Piece, *, inline: bool) -> str:
        state, digits = self.line.state, self.source.digits

        def shown(slot: str, index: tuple[int, ...]) -> str:
            return number(float(state.arrays[slot][index]), digits)

        return factors_text(piece, Writer(self.line, shown, numbers=True, digits=digits, inline=inline))


class TermNode(Node):
    """A term of a sum that is more than a cell: opened, the cells in it."""

    def __init__(self, of: CellNode, piece: Piece, value: float, label: str = "") -> None:
        super().__init__(of.source, value, label)
        self._of = of
        self._piece = piece

    @cached_property
    def text(self) -> str:
        written = self._of.written(self._piece, _MOST_CHARACTERS)
        return written if written.endswith(f" = {self.shown_value}") else f"{written} = {self.shown_value}"

    @property
    def heading(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def openable(self) -> bool:
        return bool(self.children)

    @cached_property
    def children(self) -> tuple[Node, ...]:
        return tuple(self._of.operands(self._piece))


class GroupNode(Node):
    """Terms that belong together, such as those of a sample."""

    def __init__(self, source: Source, what: str, value: float, terms: Sequence[tuple[CellNode, int, float]]) -> None:
        super().__init__(source, value)
        self._what = what
        self._terms = terms

    @property
    def text(self) -> str:
        count = f"  ({len(self._terms)} terms)" if len(self._terms) > 1 else ""
        return f"{self._what}: {self.shown_value}{count}"

    @property
    def heading(self) -> tuple[str, ...]:
        return (self.text,)

    @cached_property
    def children(self) -> tuple[Node, ...]:
        return shared(of.term(k, value) for of, k, value in self._terms)
