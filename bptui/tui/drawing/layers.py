"""What a network is made of, in a few words: for the header, and for the rows of the blocks."""

from __future__ import annotations

from functools import lru_cache

from bptui.engine.kinds import KINDS
from bptui.engine.network import Node
from bptui.engine.program import Program

_FEW = 3


@lru_cache(maxsize=8)
def drawable(program: Program) -> bool:
    """Whether it can be drawn as neurons: every node gives a row of them, and is dense or joins its inputs in pairs."""
    network, slots = program.network, program.slots
    if network.more or len(slots["x"].shape) != 2 or len(slots["y"].shape) != 2:
        return False
    widths = {"x": slots["x"].shape[1]}
    for node in network.nodes:
        shape = slots[node.output].shape
        same = all(widths[key] == shape[-1] for key in node.inputs)
        if len(shape) != 2 or not (node.op == "dense" or (same and _in_pairs(program, node))):
            return False
        widths[node.key] = shape[1]
    return slots["y"].shape[1] == shape[1]


def _in_pairs(program: Program, node: Node) -> bool:
    """Whether each of its neurons reads the neurons at its own height alone, and has no weights."""
    weighted = any(program.owners.get(name) == node.key for name in program.parameters)
    return node.own is None and not weighted and node.op in _PAIRED


_PAIRED = frozenset({
    "add", "sub", "mul", "div", "pow", "minimum", "maximum", "neg", "exp", "log", "sqrt", "abs", "square", "clip",
    "scale", "shift", "dropout", "sigmoid", "tanh", "relu", "leaky-relu", "elu", "selu", "gelu", "gelu-tanh", "silu",
    "mish", "softplus", "softsign", "hard-sigmoid", "hard-tanh",
})  # fmt: skip


def described(node: Node) -> str:
    """`conv 6 3 relu`: a node's kind, its sizes and its activation."""
    kind = KINDS.get(node.op)
    if node.own is not None or kind is None:
        return node.own.name if node.own is not None else node.op
    sizes = [_size(node.units if key == "units" else node.options.get(key)) for key in kind.sizes]
    act = [node.act] if node.act != "identity" else []
    return " ".join(word for word in (node.op, *sizes, *act) if word)


def _size(value: object) -> str:
    if value is None:
        return ""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def cells(shape: tuple[int, ...]) -> str:
    """A shape: `6×8×8`."""
    return "×".join(map(str, shape)) or "1"


def sizes(program: Program, columns: int) -> str:
    """`2-3-1` for dense layers one after the other, else `1×8×8 → conv 4 3 relu → … → dense 10`, as long as it fits."""
    nodes = program.network.nodes
    chain = all(node.op in ("dense", "add") for node in nodes) and len(program.slots["x"].shape) == 2
    if chain and not program.network.more:
        widths = [program.slots["x"].shape[1], *(node.units for node in nodes if node.op == "dense")]
        return "-".join(map(str, widths))
    words = [cells(program.slots["x"].shape[1:]), *map(described, nodes)]
    for kept in (len(words), _FEW + 1, 2, 1):
        shown = words if kept >= len(words) - 1 else [*words[:kept], "…", words[-1]]
        text = " → ".join(shown)
        if len(text) <= columns:
            return text
    return f"{len(nodes)} layers"
