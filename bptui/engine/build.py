"""Network → Program: the forward instructions, what their vjps emit, and the updates."""

from __future__ import annotations

import fnmatch
from collections import Counter

import numpy as np

from bptui.engine import initial
from bptui.engine.naming import name_cells
from bptui.engine.network import Array, Network, Node, checked
from bptui.engine.ops import ACTIVATIONS, LOSSES
from bptui.engine.program import Instruction, Program, Slot, check


def build(network: Network) -> Program:
    """The program of one training iteration. Raises NetworkError with every mistake of the description."""
    builder = _Builder(checked(network))
    builder.data()
    for node in builder.network.nodes:
        builder.forward(node)
    builder.loss()
    builder.backward()
    builder.update()
    return builder.program()


class _Builder:
    """Collects slots and instructions, phase by phase."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.dtype = np.dtype(network.dtype)
        self.slots: dict[str, Slot] = {}
        self.instructions: list[Instruction] = []
        self.start: dict[str, Array] = {}
        self.outputs = {"x": "x"}
        self.parts: dict[str, list[str]] = {}

    def persistent(self, name: str, value: Array, kind: str) -> None:
        """A slot that outlives the iteration, with the value it starts from."""
        array = np.array(value, dtype=self.dtype)
        array.flags.writeable = False
        self.slots[name] = Slot(name, array.shape, kind, persistent=True)
        self.start[name] = array

    def emit(self, instruction: Instruction, kind: str, of: str = "") -> str:
        """Append an instruction; the slot it writes is made unless it is there (an update in place)."""
        name = instruction.writes
        if name not in self.slots:
            shape = instruction.row.shape(*(self.slots[slot].shape for slot in instruction.reads))
            self.slots[name] = Slot(name, shape, kind, of=of)
        self.instructions.append(instruction)
        return name

    def data(self) -> None:
        network = self.network
        if network.batch is None or network.batch == len(network.x):
            self.persistent("x", network.x, "data")
            self.persistent("y", network.y, "data")
            return
        self.persistent("X", network.x, "data")
        self.persistent("Y", network.y, "data")
        self.slots["rows"] = Slot("rows", (network.batch,), "rows")
        self.emit(Instruction("draw", "data", ("X", "rows"), "x"), "value")
        self.emit(Instruction("draw", "data", ("Y", "rows"), "y"), "value")

    def forward(self, node: Node) -> None:
        reads = [self.outputs[key] for key in node.inputs]
        op = node.op
        if op == "dense":
            inputs = self.slots[reads[0]].shape[1]
            reads += self.weights(node, inputs)
            op = "dense+b" if node.bias else "dense"
        last = self.emit(Instruction(op, "forward", tuple(reads), "z" + node.suffix), "value")
        if ACTIVATIONS[node.act]:
            last = self.emit(Instruction(ACTIVATIONS[node.act], "forward", (last,), "a" + node.suffix), "value")
        self.outputs[node.key] = last

    def weights(self, node: Node, inputs: int) -> list[str]:
        """The node's parameter slots, given or drawn."""
        name = "W" + node.suffix
        drawn = node.W is None
        value = initial.weights(self.network.seed, name, (inputs, node.units), node.act) if drawn else node.W
        assert value is not None
        self.persistent(name, value, "parameter")
        if not node.bias:
            return [name]
        self.persistent("b" + node.suffix, np.zeros(node.units) if node.b is None else node.b, "parameter")
        return [name, "b" + node.suffix]

    def loss(self) -> None:
        loss, last = LOSSES[self.network.loss], self.network.nodes[-1]
        op = loss.logits if loss.logits and last.act not in loss.made_by else loss.op
        out = self.outputs[last.key]
        rows, columns = self.slots[out].shape
        n = rows if loss.mean == "rows" else rows * columns
        self.emit(Instruction(op, "loss", (out, "y"), "loss", n=n), "loss")

    def backward(self) -> None:
        """Walk the forward instructions from the loss back; each emits a gradient for every argument that needs one."""
        wanted = self.wanted()
        forward = [
            (k, instruction, role)
            for k, instruction in reversed(list(enumerate(self.instructions)))
            for role in instruction.row.vjps
            if instruction.roles.get(role) in wanted
        ]
        uses = Counter(instruction.roles[role] for _, instruction, role in forward)
        for k, instruction, role in forward:
            self.gradient(k, instruction, role, uses[instruction.roles[role]])

    def gradient(self, k: int, instruction: Instruction, role: str, uses: int) -> None:
        """One gradient; where a value has several uses each gives a part, and the last one adds them up."""
        op, roles = instruction.row.vjps[role]
        slot = instruction.roles[role]
        known = {**instruction.roles, "out": instruction.writes, "g": instruction.writes + ".grad"}
        parts = self.parts.setdefault(slot, [])
        writes = f"{slot}.grad" if uses == 1 else f"{slot}.grad{len(parts) + 1}"
        reads = tuple(known[name] for name in roles)
        parts.append(self.emit(Instruction(op, "backward", reads, writes, instruction.n, k, role), "gradient", slot))
        if uses > 1 and len(parts) == uses:
            self.accumulate(slot, parts)

    def accumulate(self, slot: str, parts: list[str]) -> None:
        """Add the parts of a gradient, two at a time, into fresh slots."""
        total = parts[0]
        for i, part in enumerate(parts[1:], 2):
            writes = f"{slot}.grad" if i == len(parts) else f"{slot}.grad_sum{i}"
            total = self.emit(Instruction("add", "backward", (total, part), writes), "gradient", slot)

    def wanted(self) -> set[str]:
        """Slots that need a gradient: trained parameters, and every value that one of them has a part in."""
        result = {name for name in self.start if self.slots[name].kind == "parameter" and not self.frozen(name)}
        for instruction in self.instructions:
            if instruction.writes != "loss" and result & set(instruction.reads):
                result.add(instruction.writes)
        return result

    def frozen(self, name: str) -> bool:
        node = next(node for node in self.network.nodes if name[1:] == node.suffix)
        return name[0] in node.freeze or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.network.freeze)

    def update(self) -> None:
        self.persistent("lr", np.array(self.network.lr), "rate")
        for name in [name for name, slot in self.slots.items() if slot.kind == "parameter"]:
            if f"{name}.grad" in self.slots:
                self.emit(Instruction("sgd", "update", (name, "lr", f"{name}.grad"), name), "parameter")

    def program(self) -> Program:
        targets, cell_names, names = name_cells(self.network, self.slots, self.outputs)
        result = Program(self.network, self.slots, tuple(self.instructions), self.start, targets, cell_names, names)
        check(result)
        return result
