"""Gradients as the chain rule, from the error down.

Each backward op gives the terms of one cell: a gradient further up times a local derivative. Opened again and again
they make a tree of sums and products whose leaves are the error's derivative by the prediction, and local derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bptui.engine import terms as engine_terms
from bptui.engine.player import State
from bptui.engine.program import Instruction, Program
from bptui.engine.terms import Map, Product, Reduce
from bptui.explain.cells import Index
from bptui.explain.forward import BUILDERS, written_cell
from bptui.explain.lazy import Lazy
from bptui.explain.linear import Summand, summands
from bptui.explain.lines import Line, Writer, parts_of
from bptui.explain.notation import (
    DOT,
    SPACED,
    Names,
    difference,
    figure,
    negative,
    number,
    product,
    squared,
    summed,
    total,
)  # fmt: skip
from bptui.explain.pieces import Cell, Piece, bracketed, cases, joined, piece, row

MOST_LEAVES = 12


@dataclass(frozen=True)
class Leaf:
    """A derivative: as a symbol, as what it is (`w5`), and its value."""

    symbol: Piece
    meaning: Piece
    value: float

    def number(self, digits: int | None) -> Piece:
        """Its value, as text."""
        return figure(self.value, digits, self.symbol.cell)


@dataclass(frozen=True)
class Tree:
    """A sum of products of leaves and further sums."""

    terms: tuple[tuple[Tree | Leaf, ...], ...]

    def write(self, text: Callable[[Leaf], Piece], dot: str = SPACED) -> Piece:
        """The tree as text, each leaf written by `text`."""
        return total([product([self._part(part, text, dot) for part in term], dot) for term in self.terms])

    @staticmethod
    def _part(part: Tree | Leaf, text: Callable[[Leaf], Piece], dot: str) -> Piece:
        return text(part) if isinstance(part, Leaf) else part.write(text, dot)


@dataclass(frozen=True)
class Term:
    """One summand of a gradient's cell: the cell further up, and the local derivative it is multiplied by.

    There is none where the cell is only handed on, to another place: through a reshape, say.
    """

    upper: Cell
    local: Leaf | None


Terms = Sequence[Term]


@dataclass(frozen=True)
class Reader:
    """Reads cells of one state, as symbols and as numbers."""

    program: Program
    state: State
    digits: int | None = None

    @property
    def names(self) -> Names:
        """What a reader calls cells."""
        return Names(self.program)

    def value(self, slot: str, index: Index) -> float:
        """A cell's value."""
        return float(self.state.arrays[slot][index])

    def number(self, slot: str, index: Index) -> Piece:
        """A cell's value, as text."""
        return figure(self.value(slot, index), self.digits, (slot, index))

    def derivative(self, above: Cell, below: Cell, meaning: str, value: float) -> Leaf:
        """∂above/∂below; where it is a cell, as ∂prediction/∂h1 is w5, it stands for that one."""
        over, under, what = self.names.cell(*above), self.names.cell(*below), piece(meaning)
        symbol = Piece(f"∂{over}/∂{under}", "derivative", (over, under), cell=what.cell, value=value)
        return Leaf(symbol, what, value)

    def line(self, instruction: Instruction) -> Line:
        """An instruction's line, on this state."""
        return Line(self.program, instruction, self.state)


def is_link(reader: Reader, instruction: Instruction) -> bool:
    """Whether an instruction's gradient is a link of a chain: of a forward one's result by what that read."""
    if instruction.phase != "backward" or instruction.differentiates is None or instruction.op in BUILDERS:
        return False
    below = reader.program.instructions[instruction.differentiates].roles[instruction.argument]
    same = reader.program.slots[below].shape == reader.program.slots[instruction.writes].shape
    return same and "g" in instruction.roles


def terms(reader: Reader, instruction: Instruction, index: Index) -> Terms | None:
    """The summands of one cell of a gradient; None where it is no link of a chain, or not a sum of such."""
    if not is_link(reader, instruction):
        return None
    written = _TERMS.get(instruction.op)
    flat = len(reader.program.slots[_forward(reader, instruction).writes].shape) == 2
    found = written(reader, instruction, index) if written is not None and flat else None
    return _generic(reader, instruction, index) if found is None else found


def chain(reader: Reader, slot: str, index: Index, room: int = MOST_LEAVES) -> Tree | Leaf:
    """A gradient's cell, opened as far up as there is room for."""
    symbol, value = reader.names.cell(slot, index), reader.value(slot, index)
    instruction = reader.program.instructions[reader.program.writers[slot]]
    if instruction.op in BUILDERS or "g" not in instruction.roles:
        return Leaf(symbol, written_cell(reader.line(instruction), index, reader.names.cell), value)
    parts = terms(reader, instruction, index) if room > 1 else None
    if not parts or 2 * len(parts) > room:
        return Leaf(symbol, symbol, value)
    share = (room - len(parts)) // len(parts)
    opened = [(chain(reader, *part.upper, room=share), part.local) for part in parts]
    return Tree(tuple(_flat(upper, local) for upper, local in opened))


def _flat(upper: Tree | Leaf, local: Leaf | None) -> tuple[Tree | Leaf, ...]:
    """A product of a product is one product."""
    locals_ = () if local is None else (local,)
    if isinstance(upper, Tree) and len(upper.terms) == 1:
        return (*upper.terms[0], *locals_)
    return (upper, *locals_)


def one_link(reader: Reader, parts: Terms, text: Callable[[Leaf], Piece]) -> Piece:
    """A sum too long to be opened: its first and last summands, each a gradient further up times a local derivative."""

    def summand(k: int) -> Piece:
        part = parts[k]
        symbol = reader.names.cell(*part.upper)
        upper = Leaf(symbol, symbol, reader.value(*part.upper))
        return product([text(leaf) for leaf in _flat(upper, part.local) if isinstance(leaf, Leaf)], SPACED)

    return summed(len(parts), summand)


def _forward(reader: Reader, instruction: Instruction) -> Instruction:
    assert instruction.differentiates is not None
    return reader.program.instructions[instruction.differentiates]


# From the line itself


def _generic(reader: Reader, instruction: Instruction, index: Index) -> Terms | None:
    """The summands of a line that is linear in g."""
    line = reader.line(instruction)
    found = summands(line, index)
    if found is None:
        return None
    forward = _forward(reader, instruction)
    below = (forward.roles[instruction.argument], index)
    moves = not any(isinstance(p, Map | Product | Reduce) for p in parts_of(engine_terms.read(forward.text)))
    writer = Writer(line, reader.names.cell, inline=True)

    def term(k: int) -> Term:
        summand: Summand = found[k]
        above = (forward.writes, summand.above)
        if moves and not summand.factors:
            return Term((instruction.roles["g"], summand.above), None)
        local = reader.derivative(above, below, summand.meaning(writer), summand.value(line))
        return Term((instruction.roles["g"], summand.above), local)

    return Lazy(len(found), term)


# Written by hand, where that reads better


def _dense_w(reader: Reader, instruction: Instruction, index: Index) -> Terms:
    forward, (k, j) = _forward(reader, instruction), index
    x, g, z, w = forward.roles["x"], instruction.roles["g"], forward.writes, forward.roles["W"]

    def term(i: int) -> Term:
        local = reader.derivative((z, (i, j)), (w, index), reader.names.cell(x, (i, k)), reader.value(x, (i, k)))
        return Term((g, (i, j)), local)

    return Lazy(reader.program.slots[x].shape[0], term)


def _dense_x(reader: Reader, instruction: Instruction, index: Index) -> Terms:
    forward, (i, k) = _forward(reader, instruction), index
    x, g, z, w = forward.roles["x"], instruction.roles["g"], forward.writes, forward.roles["W"]

    def term(j: int) -> Term:
        local = reader.derivative((z, (i, j)), (x, index), reader.names.cell(w, (k, j)), reader.value(w, (k, j)))
        return Term((g, (i, j)), local)

    return Lazy(reader.program.slots[w].shape[1], term)


def _dense_b(reader: Reader, instruction: Instruction, index: Index) -> Terms:
    forward, (j,) = _forward(reader, instruction), index
    g, z, b = instruction.roles["g"], forward.writes, forward.roles["b"]

    def term(i: int) -> Term:
        return Term((g, (i, j)), reader.derivative((z, (i, j)), (b, index), "1", 1.0))

    return Lazy(reader.program.slots[z].shape[0], term)


def _elementwise(
    role: str, meaning: Callable[[Piece], Piece], value: Callable[[float], float]
) -> Callable[[Reader, Instruction, Index], Terms]:
    """The one term of an activation's gradient; `role` is what its derivative is a function of."""

    def one(reader: Reader, instruction: Instruction, index: Index) -> Terms:
        forward, slot = _forward(reader, instruction), instruction.roles[role]
        local = reader.derivative(
            (forward.writes, index),
            (forward.reads[0], index),
            meaning(reader.names.cell(slot, index)),
            value(reader.value(slot, index)),
        )
        return [Term((instruction.roles["g"], index), local)]

    return one


def _own_slope(a: Piece) -> Piece:
    """What a logistic function's slope is, by its value."""
    return row(a, DOT, bracketed(difference("1", a)))


def _leaky(reader: Reader, instruction: Instruction, index: Index) -> Terms:
    slope = float(instruction.attrs.get("slope", 0.01))
    return _elementwise("z", lambda z: cases("1", row(z, " > 0"), number(slope)), lambda z: 1.0 if z > 0 else slope)(
        reader, instruction, index
    )


def _softmax(reader: Reader, instruction: Instruction, index: Index) -> Terms | None:
    if instruction.attrs.get("axis", -1) not in (-1, len(index) - 1):
        return None
    forward, (i, j) = _forward(reader, instruction), index
    a, z = forward.writes, forward.reads[0]

    def term(k: int) -> Term:
        above, own = reader.names.cell(a, (i, k)), reader.names.cell(a, (i, j))
        ak, aj = reader.value(a, (i, k)), reader.value(a, (i, j))
        meaning = _own_slope(own) if k == j else negative(joined(DOT, (above, own)))
        local = reader.derivative((a, (i, k)), (z, index), meaning, aj * (1 - aj) if k == j else -ak * aj)
        return Term((instruction.roles["g"], (i, k)), local)

    return Lazy(reader.program.slots[a].shape[1], term)


def _copy(reader: Reader, instruction: Instruction, index: Index) -> Terms | None:
    forward = _forward(reader, instruction)
    if isinstance(engine_terms.read(forward.text), engine_terms.Leaf | engine_terms.View):
        return None
    below = forward.roles[instruction.argument]
    return [Term((instruction.roles["g"], index), reader.derivative((forward.writes, index), (below, index), "1", 1.0))]


_TERMS: Mapping[str, Callable[[Reader, Instruction, Index], Terms | None]] = {
    "dense.W": _dense_w,
    "dense.x": _dense_x,
    "dense.b": _dense_b,
    "sigmoid.z": _elementwise("out", _own_slope, lambda a: a * (1 - a)),
    "tanh.z": _elementwise("out", lambda a: difference("1", squared(a)), lambda a: 1 - a * a),
    "relu.z": _elementwise("z", lambda z: bracketed(row(z, " > 0"), "[]"), lambda z: float(z > 0)),
    "leaky-relu.z": _leaky,
    "softmax.z": _softmax,
    "copy": _copy,
}
