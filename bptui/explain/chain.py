"""Gradients as the chain rule, from the error down.

Each backward op gives the terms of one cell: a gradient further up times a local derivative. Opened again and again
they make a tree of sums and products whose leaves are the error's derivative by the prediction, and local derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bptui.engine.player import State
from bptui.engine.program import Instruction, Program
from bptui.explain.forward import BUILDERS, Call, Index
from bptui.explain.notation import MINUS, SPACED, Names, number, product, total

MOST_LEAVES = 12


@dataclass(frozen=True)
class Leaf:
    """A derivative: as a symbol, as what it is (`w5`), and its value."""

    symbol: str
    meaning: str
    value: float


@dataclass(frozen=True)
class Tree:
    """A sum of products of leaves and further sums."""

    terms: tuple[tuple[Tree | Leaf, ...], ...]

    def write(self, text: Callable[[Leaf], str], dot: str = SPACED) -> str:
        """The tree as text, each leaf written by `text`."""
        return total([product([self._part(part, text, dot) for part in term], dot) for term in self.terms])

    @staticmethod
    def _part(part: Tree | Leaf, text: Callable[[Leaf], str], dot: str) -> str:
        return text(part) if isinstance(part, Leaf) else part.write(text, dot)


@dataclass(frozen=True)
class Term:
    """One summand of a gradient's cell: the cell further up, and the local derivative it is multiplied by."""

    upper: tuple[str, Index]
    local: Leaf


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

    def number(self, slot: str, index: Index) -> str:
        """A cell's value, as text."""
        return number(self.value(slot, index), self.digits)

    def derivative(self, above: tuple[str, Index], below: tuple[str, Index], meaning: str, value: float) -> Leaf:
        """∂above/∂below."""
        return Leaf(f"∂{self.names.cell(*above)}/∂{self.names.cell(*below)}", meaning, value)


def is_chain(op: str) -> bool:
    """Whether an op is a link of a chain, rather than the derivative of the loss itself."""
    return op in _TERMS


def terms(reader: Reader, instruction: Instruction, index: Index) -> list[Term]:
    """The summands of one cell of a gradient."""
    return _TERMS[instruction.op](reader, instruction, index)


def chain(reader: Reader, slot: str, index: Index, room: int = MOST_LEAVES) -> Tree | Leaf:
    """A gradient's cell, opened as far up as there is room for."""
    symbol, value = reader.names.cell(slot, index), reader.value(slot, index)
    instruction = reader.program.instructions[reader.program.writers[slot]]
    if instruction.op in BUILDERS:
        text = BUILDERS[instruction.op](Call(reader.program, instruction, index, reader.names.cell))
        return Leaf(symbol, text, value)
    parts = terms(reader, instruction, index)
    if 2 * len(parts) > room:
        return Leaf(symbol, symbol, value)
    share = (room - len(parts)) // len(parts)
    opened = [(chain(reader, *part.upper, room=share), part.local) for part in parts]
    return Tree(tuple(_flat(upper, local) for upper, local in opened))


def _flat(upper: Tree | Leaf, local: Leaf) -> tuple[Tree | Leaf, ...]:
    """A product of a product is one product."""
    if isinstance(upper, Tree) and len(upper.terms) == 1:
        return (*upper.terms[0], local)
    return (upper, local)


def _forward(reader: Reader, instruction: Instruction) -> Instruction:
    assert instruction.differentiates is not None
    return reader.program.instructions[instruction.differentiates]


def _dense_w(reader: Reader, instruction: Instruction, index: Index) -> list[Term]:
    forward, (k, j) = _forward(reader, instruction), index
    x, g, z, w = forward.roles["x"], instruction.roles["g"], forward.writes, forward.roles["W"]
    return [
        Term(
            (g, (i, j)),
            reader.derivative((z, (i, j)), (w, index), reader.names.cell(x, (i, k)), reader.value(x, (i, k))),
        )
        for i in range(reader.program.slots[x].shape[0])
    ]


def _dense_x(reader: Reader, instruction: Instruction, index: Index) -> list[Term]:
    forward, (i, k) = _forward(reader, instruction), index
    x, g, z, w = forward.roles["x"], instruction.roles["g"], forward.writes, forward.roles["W"]
    return [
        Term(
            (g, (i, j)),
            reader.derivative((z, (i, j)), (x, index), reader.names.cell(w, (k, j)), reader.value(w, (k, j))),
        )
        for j in range(reader.program.slots[w].shape[1])
    ]


def _dense_b(reader: Reader, instruction: Instruction, index: Index) -> list[Term]:
    forward, (j,) = _forward(reader, instruction), index
    g, z, b = instruction.roles["g"], forward.writes, forward.roles["b"]
    rows = range(reader.program.slots[z].shape[0])
    return [Term((g, (i, j)), reader.derivative((z, (i, j)), (b, index), "1", 1.0)) for i in rows]


def _elementwise(
    role: str, meaning: Callable[[str], str], value: Callable[[float], float]
) -> Callable[[Reader, Instruction, Index], list[Term]]:
    """The one term of an activation's gradient; `role` is what its derivative is a function of."""

    def one(reader: Reader, instruction: Instruction, index: Index) -> list[Term]:
        forward, slot = _forward(reader, instruction), instruction.roles[role]
        local = reader.derivative(
            (forward.writes, index),
            (forward.reads[0], index),
            meaning(reader.names.cell(slot, index)),
            value(reader.value(slot, index)),
        )
        return [Term((instruction.roles["g"], index), local)]

    return one


def _softmax(reader: Reader, instruction: Instruction, index: Index) -> list[Term]:
    forward, (i, j) = _forward(reader, instruction), index
    a, z = forward.writes, forward.reads[0]

    def local(k: int) -> Leaf:
        above, own = reader.names.cell(a, (i, k)), reader.names.cell(a, (i, j))
        ak, aj = reader.value(a, (i, k)), reader.value(a, (i, j))
        meaning = f"{own}·(1 {MINUS} {own})" if k == j else f"{MINUS}{above}·{own}"
        return reader.derivative((a, (i, k)), (z, index), meaning, aj * (1 - aj) if k == j else -ak * aj)

    return [Term((instruction.roles["g"], (i, k)), local(k)) for k in range(reader.program.slots[a].shape[1])]


def _copy(reader: Reader, instruction: Instruction, index: Index) -> list[Term]:
    forward = _forward(reader, instruction)
    below = forward.roles[instruction.argument]
    return [Term((instruction.roles["g"], index), reader.derivative((forward.writes, index), (below, index), "1", 1.0))]


_TERMS: Mapping[str, Callable[[Reader, Instruction, Index], list[Term]]] = {
    "dense.W": _dense_w,
    "dense.x": _dense_x,
    "dense.b": _dense_b,
    "sigmoid.z": _elementwise("a", lambda a: f"{a}·(1 {MINUS} {a})", lambda a: a * (1 - a)),
    "tanh.z": _elementwise("a", lambda a: f"1 {MINUS} {a}²", lambda a: 1 - a * a),
    "relu.z": _elementwise("z", lambda z: f"[{z} > 0]", lambda z: float(z > 0)),
    "leaky-relu.z": _elementwise("z", lambda z: f"(1 if {z} > 0 else 0.01)", lambda z: 1.0 if z > 0 else 0.01),
    "softmax.z": _softmax,
    "copy": _copy,
}
