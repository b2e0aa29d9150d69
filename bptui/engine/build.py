"""Network → Program: the forward instructions, what their vjps emit, and the updates."""

from __future__ import annotations

import fnmatch
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bptui.engine import initial, memory, terms
from bptui.engine.checking import checked, node_weights
from bptui.engine.graph import sample_shapes
from bptui.engine.initial import Weight
from bptui.engine.kinds import KINDS, written
from bptui.engine.naming import name_cells
from bptui.engine.network import Array, Network, NetworkError, Node, Problem
from bptui.engine.ops import ACTIVATIONS, LOSSES
from bptui.engine.ops.row import Op, Shape
from bptui.engine.program import Instruction, Program, Slot, check
from bptui.engine.updating import emit_updates


def build(network: Network) -> Program:
    """The program of one training iteration. Raises NetworkError with every mistake of the description."""
    builder = Builder(checked(network))
    builder.data()
    builder.forward()
    builder.loss()
    builder.backward()
    emit_updates(builder)
    builder.statistics()
    return builder.program()


def build_evaluation(network: Network, x: Array, y: Array, more: Mapping[str, Array] | None = None) -> Program:
    """A program that ends with the loss, on all rows of some data, as in use: no dropout, running statistics.

    Its parameters begin as those of `build` do. Raises NetworkError.
    """
    whole = replace(network, x=x, y=y, more=more or {}, batch=None, labels={}, narration={})
    builder = Builder(checked(whole), evaluation=True)
    builder.data()
    builder.forward()
    builder.loss()
    return builder.program()


class Builder:
    """Collects slots and instructions, phase by phase. Kinds of layers write their instructions with it."""

    def __init__(self, network: Network, *, evaluation: bool = False) -> None:
        self.network = network
        self.evaluation = evaluation
        self.dtype = np.dtype(network.dtype)
        self.slots: dict[str, Slot] = {}
        self.instructions: list[Instruction] = []
        self.start: dict[str, Array] = {}
        self.draws: dict[str, tuple[Weight, str, str]] = {}
        self.outputs = {name: name for name in ("x", *network.more)}
        self.owners: dict[str, str] = {}
        self.output = ""
        self.complete: list[str] = []
        self._parts: dict[str, list[str]] = {}
        self._draws: dict[str, Callable[[], Array]] = {}
        self._late: list[tuple[str, list[str], Mapping[str, Any]]] = []
        self._shapes = sample_shapes(network, network.nodes)
        self._node: Node | None = None
        self._roots: set[str] = set()

    # Slots and instructions

    def persistent(self, name: str, value: Array, kind: str, of: str = "") -> str:
        """A slot that outlives the iteration, with the value it starts from, which is copied once all is known."""
        if name in self.slots and self.slots[name].kind != kind:
            raise self.clash(name)
        if name not in self.slots:
            self.slots[name] = Slot(name, np.shape(value), kind, persistent=True, of=of)
            self.start[name] = value
            if self._node is not None:
                self.owners[name] = self._node.key
        return name

    def emit(self, instruction: Instruction, kind: str, of: str = "", at: int | None = None) -> str:
        """Append an instruction; the slot it writes is made unless it is there (an update in place)."""
        name = instruction.writes
        if name in self.slots and not instruction.row.in_place:
            raise self.clash(name)
        if name not in self.slots:
            shapes = {role: self.slots[slot].shape for role, slot in instruction.roles.items()}
            shape = terms.shape(terms.read(instruction.text), shapes)
            self.slots[name] = Slot(name, shape, kind, of=of)
            if self._node is not None:
                self.owners[name] = self._node.key
        self.instructions.insert(len(self.instructions) if at is None else at, instruction)
        return name

    def clash(self, name: str) -> NetworkError:
        """Two things of one name: an input, a node or a label that is called as a slot of another."""
        where = self._node.where if self._node is not None else ("data", name)
        if name in self.network.more:
            where = ("data", name)
        return NetworkError([Problem(where, f"{name!r} is the name of a slot here: call it otherwise")])

    # What kinds of layers write with

    def shape(self, slot: str) -> Shape:
        """The shape of a slot, the batch's axis first."""
        return self.slots[slot].shape

    def name(self, word: str, step: int | None = None) -> str:
        """The name of a slot of the node at hand; unrolled layers have one for each step."""
        assert self._node is not None
        return f"{word}{self._node.suffix}" + (f"_{step}" if step is not None else "")

    def op(self, op: str, reads: Sequence[str], writes: str, own: Op | None = None, **attrs: Any) -> str:
        """A forward instruction."""
        return self.emit(Instruction(op, "forward", tuple(reads), writes, attrs=attrs, own=own), "value")

    def parameter(self, letter: str) -> str:
        """The slot of one of the node's parameters, given or drawn; another node's where it shares them."""
        node = self._node
        assert node is not None
        owner = self.network.node(node.shares) if node.shares else node
        self._node = owner
        name = letter + owner.suffix
        if name in self.slots and self.slots[name].kind != "parameter":
            raise self.clash(name)
        if name not in self.slots:
            weight = node_weights(owner, self._shapes)[letter]
            self.persistent(name, np.broadcast_to(0.0, weight.shape), "parameter")
            self._draws[name] = lambda: self._values(owner, letter, weight)
        self._node = node
        return name

    def _values(self, node: Node, letter: str, weight: Weight) -> Array:
        given = node.weights(letter)
        if given is not None:
            return given
        chosen = node.init or self.network.init
        init = chosen if chosen and not weight.default else ""
        slot = letter + node.suffix
        self.draws[slot] = weight, node.act, init
        return initial.weights(self.network.seed, slot, weight, node.act, init)

    def statistic(self, letter: str, shape: Shape, value: float) -> str:
        """A running statistic of the node."""
        assert self._node is not None
        given = self._node.given.get(letter, np.full(shape, value))
        if given.shape != shape:
            fault = f"{letter} has the shape {written(given.shape)}, the layer needs {written(shape)}"
            raise NetworkError([Problem((*self._node.where, letter), fault)])
        return self.persistent(self.name(letter), given, "statistic")

    def mask(self, shape: Shape, rate: float) -> str:
        """Dropout's mask, drawn anew for each iteration."""
        name = self.name("mask")
        if name in self.slots:
            raise self.clash(name)
        self.slots[name] = Slot(name, shape, "mask", rate=rate)
        return name

    def later(self, op: str, reads: Sequence[str], **attrs: Any) -> None:
        """An instruction of the update phase that writes the first of what it reads."""
        self._late.append((op, list(reads), attrs))

    # The phases

    def data(self) -> None:
        """The data, or the batches that are drawn of them."""
        network = self.network
        arrays = {"x": network.x, **network.more, "y": network.y}
        if not network.drawn:
            for name, array in arrays.items():
                self.persistent(name, array, "data")
            return
        assert network.batch is not None
        whole = {name: {"x": "X", "y": "Y"}.get(name, f"all_{name}") for name in arrays}
        for name, array in arrays.items():
            self.persistent(whole[name], array, "data")
        self.slots["rows"] = Slot("rows", (network.batch,), "rows")
        for name in arrays:
            self.emit(Instruction("draw", "data", (whole[name], "rows"), name), "value")

    def forward(self) -> None:
        """Every node in turn, and its activation."""
        for node in self.network.nodes:
            self._node = node
            reads = [self.outputs[key] for key in node.inputs]
            writes = "z" + node.suffix
            if node.own is not None:
                last = self.op(node.own.name, reads, writes, own=node.own)
            else:
                last = KINDS[node.op].emit(self, node, reads, writes)
            if ACTIVATIONS[node.act]:
                last = self.op(ACTIVATIONS[node.act], [last], "a" + node.suffix)
            self.outputs[node.key] = last
        self._node = None

    def loss(self) -> None:
        """The loss of what the last node gives, penalties added."""
        loss, last, options = LOSSES[self.network.loss], self.network.nodes[-1], self.network.loss_options
        self.output = self.outputs[last.key]
        op = loss.logits if loss.logits and last.last_op not in loss.made_by else loss.op
        targets, divisor = self._targets(options)
        penalties = [] if self.evaluation else self._penalties()
        n = 1 if divisor or options.get("reduction") == "sum" else self._mean(loss.mean)
        writes = "data_loss" if penalties else "loss"
        attrs = _loss_attrs(self.network.loss, options)
        reads = (self.output, targets, *divisor)
        row = op + "/n" if divisor else op
        data = self.emit(Instruction(row, "loss", reads, writes, n=n, attrs=attrs), "loss")
        self._roots = {data, *penalties}
        if penalties:
            self.emit(
                Instruction("total", "loss", (data, *penalties), "loss", attrs={"count": 1 + len(penalties)}), "loss"
            )

    def _mean(self, over: str) -> int:
        shape = self.slots[self.output].shape
        if over == "rows":
            return shape[0]
        return math.prod(shape[:-1] if over == "places" else shape)

    def _targets(self, options: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """(the targets as the loss takes them, what it is divided by): smoothed, and weighted by class."""
        targets = "y"
        divisor: tuple[str, ...] = ()
        if smoothing := options.get("smoothing"):
            share = smoothing / self.slots["y"].shape[-1]
            attrs = {"keep": 1 - smoothing, "add": share}
            targets = self.emit(Instruction("smooth", "loss", (targets,), "y_smooth", attrs=attrs), "value")
        if (weights := options.get("class_weights")) is not None:
            self.persistent("class_weights", np.array(weights), "data")
            targets = self.emit(Instruction("mul", "loss", (targets, "class_weights"), "y_weighted"), "value")
            if options.get("reduction") != "sum":
                read = ("y", "class_weights")
                divisor = (self.emit(Instruction("weight-of", "loss", read, "y_weight"), "value"),)
        return targets, divisor

    def _penalties(self) -> list[str]:
        """A slot for the penalty of each trained weight matrix; biases have none."""
        training, found = self.network.training, []
        for name in [name for name, slot in self.slots.items() if slot.kind == "parameter"]:
            if name[0] == "b" or self.frozen(name):
                continue
            if training.l1:
                found.append(self._penalty("l1", name, {"by": training.l1}))
            if training.l2:
                found.append(self._penalty("l2", name, {"by": training.l2 / 2, "slope": training.l2}))
        return found

    def _penalty(self, op: str, name: str, attrs: Mapping[str, Any]) -> str:
        return self.emit(Instruction(op, "loss", (name,), f"{op}_{name}", attrs=attrs), "value")

    def backward(self) -> None:
        """Walk the forward instructions from the loss back; each emits a gradient for every argument that needs one."""
        wanted = self.wanted()
        forward = [
            (k, instruction, role)
            for k, instruction in reversed(list(enumerate(self.instructions)))
            if instruction.phase == "forward" or instruction.writes in self._roots
            for role in _differentiated(instruction)
            if instruction.roles.get(role) in wanted
        ]
        uses = Counter(instruction.roles[role] for _, instruction, role in forward)
        for k, instruction, role in forward:
            self.gradient(k, instruction, role, uses[instruction.roles[role]])
            if self.network.training.sequential and self.complete:
                emit_updates(self)

    def gradient(self, k: int, instruction: Instruction, role: str, uses: int) -> None:
        """One gradient; where a value has several uses each gives a part, and the last one adds them up."""
        row, slot = instruction.row, instruction.roles[role]
        op, roles = row.vjps[row.args[0] if row.variadic else role]
        known = {**instruction.roles, "out": instruction.writes, "g": instruction.writes + ".grad"}
        parts = self._parts.setdefault(slot, [])
        writes = f"{slot}.grad" if uses == 1 else f"{slot}.grad{len(parts) + 1}"
        attrs = {**instruction.attrs, "of": self.slots[slot].shape}
        if row.variadic:
            attrs["number"] = int(role[1:])
        own = row.backward.get(op) if row.backward else None
        reads = tuple(known[name] for name in roles)
        made = Instruction(op, "backward", reads, writes, instruction.n, k, role, attrs, own)
        parts.append(self._fitting(made, slot))
        if uses > 1 and len(parts) == uses:
            self.accumulate(slot, parts)
        if len(parts) == uses and self.slots[slot].kind == "parameter":
            self.complete.append(slot)

    def _fitting(self, made: Instruction, slot: str) -> str:
        """Emit a gradient; one of a broadcast operand is summed back to the operand's shape."""
        shapes = {role: self.slots[name].shape for role, name in made.roles.items()}
        wide, shape = terms.shape(terms.read(made.text), shapes), self.slots[slot].shape
        if wide == shape:
            return self.emit(made, "gradient", slot)
        self._wide(made, wide, slot)
        extra = len(wide) - len(shape)
        axes = tuple(range(extra)) + tuple(k + extra for k, n in enumerate(shape) if n == 1 and wide[k + extra] != 1)
        attrs = {"axes": axes, "shape": shape}
        summed = Instruction(
            "unbroadcast",
            "backward",
            (f"{made.writes}_wide",),
            made.writes,
            1,
            made.differentiates,
            made.argument,
            attrs,
        )
        return self.emit(summed, "gradient", slot)

    def _wide(self, made: Instruction, shape: Shape, slot: str) -> None:
        name = f"{made.writes}_wide"
        self.slots[name] = Slot(name, shape, "gradient", of=slot)
        self.instructions.append(replace(made, writes=name))

    def accumulate(self, slot: str, parts: list[str]) -> None:
        """Add the parts of a gradient, two at a time, into fresh slots."""
        total = parts[0]
        for i, part in enumerate(parts[1:], 2):
            writes = f"{slot}.grad" if i == len(parts) else f"{slot}.grad_sum{i}"
            total = self.emit(Instruction("add", "backward", (total, part), writes), "gradient", slot)

    def wanted(self) -> set[str]:
        """Slots that need a gradient: trained parameters, and values through which one of them reaches the loss."""
        result = {name for name in self.start if self.slots[name].kind == "parameter" and not self.frozen(name)}
        for instruction in self.instructions:
            if instruction.phase == "forward" and result & {instruction.roles[r] for r in _differentiated(instruction)}:
                result.add(instruction.writes)
        reached = set(self._roots) or set(self.outputs.values())
        for instruction in reversed(self.instructions):
            if instruction.writes in reached:
                reached |= {instruction.roles[role] for role in _differentiated(instruction)}
        return result & reached

    def frozen(self, name: str) -> bool:
        """Whether a parameter is not trained."""
        node = self.network.node(self.owners[name])
        letter = name.removesuffix(node.suffix)
        return letter in node.freeze or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.network.freeze)

    def statistics(self) -> None:
        """The running statistics, at the end of the update."""
        for op, reads, attrs in self._late:
            self.emit(Instruction(op, "update", tuple(reads), reads[0], attrs=attrs), "statistic")

    def program(self) -> Program:
        """What was collected, checked."""
        targets, cell_names, names = name_cells(self.network, self.slots, self.outputs)
        labels = {label for table in cell_names.values() for label in table}
        labels |= {node.name for node in self.network.nodes if node.name}
        if taken := sorted(labels & self.slots.keys()):
            raise NetworkError(
                [Problem(("labels",), f"the label {taken[0]!r} is the name of a slot: call it otherwise")]
            )
        if fault := memory.fault(self.slots, self.network.dtype):
            raise NetworkError([Problem(("data", "batch"), fault)])
        result = Program(
            self.network,
            self.slots,
            tuple(self.instructions),
            {name: self._begun(name) for name in self.start},
            targets,
            cell_names,
            names,
            self.output,
            self.owners,
            self.draws,
        )
        check(result)
        return result

    def _begun(self, name: str) -> Array:
        """What a slot starts from. Weights are drawn here, where it is known that all of it fits into the machine."""
        value = self._draws[name]() if name in self._draws else self.start[name]
        array = np.array(value, dtype=self.dtype)
        array.flags.writeable = False
        return array


def _differentiated(instruction: Instruction) -> tuple[str, ...]:
    """The roles of an instruction that have a gradient, in the order of its row."""
    row = instruction.row
    if row.variadic:
        return row.roles(len(instruction.reads)) if row.vjps else ()
    return tuple(row.vjps)


def _loss_attrs(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers in the line of a loss."""
    if name in ("huber", "smooth-l1"):
        delta = options.get("delta", 1.0)
        return {"delta": delta, "half": delta / 2, "curve": 0.5 / delta}
    return {"margin": options.get("margin", 1.0)} if name == "hinge" else {}
