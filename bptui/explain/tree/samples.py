"""The terms of a sum by the samples of the batch that they are of, and a gradient by the ways on which it came."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

from bptui.engine.program import Instruction, Program
from bptui.engine.terms import Call, Leaf, Let, Map, Product, Reduce, Term, View
from bptui.explain.cells import COPIES, Index, copied, narrowed, reduced_cell, reduced_count, viewed
from bptui.explain.lines import Line, gathered, product_cells
from bptui.explain.notation import Names
from bptui.explain.tree.nodes import CellNode, GroupNode, Node, shared
from bptui.explain.tree.sums import Piece

# A term of a sum: the cell that it is a term of, its number there, and its value.
Part = tuple[CellNode, int, float]


def terms_of(node: CellNode) -> tuple[Node, ...]:
    """A cell's sum as nodes: by way where it was added up, by sample where it is a sum over the batch."""
    if is_accumulated(node):
        ways = tuple(shared(_ways(node)))
        samples = SamplesNode(node)
        return (samples, *ways) if samples.openable else ways
    found = _by_sample(node)
    if found is None:
        return shared(node.term(k, float(value)) for k, value in enumerate(node.sum.values))
    return _as_nodes(node, found)


def is_accumulated(node: CellNode) -> bool:
    """Whether a gradient was added up from parts."""
    if node.origin is None or node.origin.index is None:
        return False
    instruction = node.source.program.instructions[node.origin.index]
    return instruction.phase == "backward" and instruction.op == "add" and instruction.differentiates is None


def _ways(node: CellNode) -> Iterator[CellNode]:
    """The parts of a gradient, each from another reader of the value; sums of two are taken apart."""
    for slot in node.line.instruction.reads:
        part = node.operand(slot, node.cell)
        if is_accumulated(part):
            yield from _ways(part)
        else:
            part.label = _way(node.source.program, slot)
            yield part


def _way(program: Program, slot: str) -> str:
    """What a part of a gradient came through: the value that the one it is of was read for."""
    instruction: Instruction = program.instructions[program.writers[slot]]
    if instruction.differentiates is None:
        return ""
    return f"through {Names(program).slot(program.instructions[instruction.differentiates].writes)}: "


class SamplesNode(Node):
    """A gradient that came on several ways, by the samples of the batch."""

    def __init__(self, of: CellNode) -> None:
        super().__init__(of.source, of.value)
        self._of = of

    @property
    def text(self) -> str:
        return f"{self._of.name} = {self.shown_value}, by the samples of the batch"

    @property
    def heading(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def openable(self) -> bool:
        return bool(self.children)

    @cached_property
    def children(self) -> tuple[Node, ...]:
        samples: dict[int, list[Part]] = {}
        rest: list[Node] = []
        for way in _ways(self._of):
            found = _by_sample(way)
            if found is None:
                rest.append(way)
                continue
            for sample, parts in found.items():
                samples.setdefault(sample, []).extend(parts)
        return shared([*_groups(self._of, samples), *rest]) if samples else ()


def _as_nodes(node: CellNode, found: dict[int, list[Part]]) -> tuple[Node, ...]:
    """Samples of one term each are those terms; of more, groups of them."""
    if all(len(parts) == 1 for parts in found.values()):
        ordered = [(sample, parts[0]) for sample, parts in found.items()]
        return shared(of.term(k, value, _sample(node, sample)) for sample, (of, k, value) in ordered)
    return shared(_groups(node, found))


def _groups(node: CellNode, found: dict[int, list[Part]]) -> list[Node]:
    return [
        GroupNode(node.source, _sample(node, sample).removesuffix(": "), _total(parts), parts)
        for sample, parts in found.items()
    ]


def _total(parts: list[Part]) -> float:
    values = [value for _, _, value in parts]
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


def _sample(node: CellNode, sample: int) -> str:
    """Which sample it is, and of which row of the data where batches are drawn."""
    rows = node.line.state.arrays.get("rows")
    return f"sample {sample}: " if rows is None else f"sample {sample} (row {int(rows[sample])}): "


def _by_sample(node: CellNode) -> dict[int, list[Part]] | None:
    """Sample → the terms that are of it; None where the sum does not go over the batch."""
    if node.origin is None or node.origin.index is None or node.source.program.slots["x"].shape[0] == 1:
        return None
    found: dict[int, list[Part]] = {}
    for k, value in enumerate(node.sum.values):
        sample = _sample_of(node.line, node.sum.piece(k))
        if sample is None:
            return None
        found.setdefault(sample, []).append((node, k, float(value)))
    return found if len(found) > 1 else None


def _sample_of(line: Line, piece: Piece) -> int | None:
    """The row of the batch that a term is of."""
    for factor in piece:
        for role, index in _some(line, factor.part, factor.index):
            if _has_batch(line.program, line.instruction.roles[role]):
                return index[0]
    return None


def _has_batch(program: Program, slot: str) -> bool:
    """Whether a slot's first axis is the batch."""
    found = program.slots[slot]
    if slot in program.writers and program.instructions[program.writers[slot]].phase == "update":
        return False  # what is made of a parameter's gradient is as long as the parameter
    kind = program.slots[found.of].kind if found.kind == "gradient" else found.kind
    return kind in ("value", "data") and found.shape[:1] == program.slots["x"].shape[:1]


def _some(line: Line, part: Term, index: Index) -> Iterator[tuple[str, Index]]:
    """Cells of each argument that a part reads; of a sum one cell stands for all."""
    match part:
        case Leaf(name) if name in line.named:
            yield from _some(line, line.named[name], index)
        case Leaf(role):
            yield role, index
        case Let(_, inner):
            yield from _some(line, inner, index)
        case Map(_, parts):
            for inner in parts:
                yield from _some(line, inner, narrowed(index, line.shape(inner)))
        case Product(a, b):
            left, right = product_cells(line.shape(a), line.shape(b), index, 0)
            yield from _some(line, a, left)
            yield from _some(line, b, right)
        case Reduce(_, inner, axes, keep) if reduced_count(line.shape(inner), axes):
            yield from _some(line, inner, reduced_cell(line.shape(inner), axes, index, 0, keep=keep))
        case View(kind, inner, argument):
            yield from _some(line, inner, viewed(kind, argument, line.shape(inner), line.shape(part), index))
        case Call(function, parts, constants) if function in COPIES:
            source = copied(function, [line.shape(inner) for inner in parts], constants, index)
            if source is not None:
                yield from _some(line, parts[source[0]], source[1])
        case Call("fold" | "scatter", (inner, *_)):
            for cell in gathered(line, part, index)[:1]:
                yield from _some(line, inner, cell)
