"""A training iteration as a flat list of instructions, with a checker and a listing of a few lines each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bptui.engine.network import Array, Network
from bptui.engine.ops import OPS, Op, Shape

PHASES = ("data", "forward", "loss", "backward", "update")


@dataclass(frozen=True)
class Slot:
    """A named array. Persistent slots outlive an iteration; the others are written once in each.

    kind  "data", "parameter", "rate", "rows" (the drawn row numbers), "value", "loss" or "gradient"
    of    for a gradient the slot it belongs to
    """

    name: str
    shape: Shape
    kind: str
    persistent: bool = False
    of: str = ""

    @property
    def size(self) -> int:
        """The number of cells; 1 for a 0-d slot."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def editable(self) -> bool:
        """Row numbers are a function of the iteration, everything else may be set by hand."""
        return self.kind != "rows"


@dataclass(frozen=True)
class Instruction:
    """One line of NumPy. `reads` are in the order of the op's arguments; `n` is what a mean divides by.

    For a backward instruction `differentiates` is the index of the instruction whose vjp it is, and `argument` the
    role of the argument that the gradient belongs to.
    """

    op: str
    phase: str
    reads: tuple[str, ...]
    writes: str
    n: int = 1
    differentiates: int | None = None
    argument: str = ""

    @property
    def row(self) -> Op:
        """Its row of the op table."""
        return OPS[self.op]

    @property
    def roles(self) -> Mapping[str, str]:
        """Role → slot."""
        return dict(zip(self.row.args, self.reads, strict=True))

    @property
    def expression(self) -> str:
        """The right side, as plain NumPy over slot names."""
        return self.row.source_text(self.roles, self.n)

    @property
    def source(self) -> str:
        """What a reader sees: `z1 = x @ W1`."""
        return f"{self.writes} = {self.expression}"


@dataclass(frozen=True)
class Target:
    """What a label or a name stands for: cells of a slot, by flat index.

    whole   it names the slot itself
    scalar  its value is a number rather than a list
    shape   of its value, where cells were picked by an index; a label's are a list
    """

    slot: str
    cells: tuple[int, ...]
    whole: bool = False
    scalar: bool = False
    shape: Shape = ()

    @property
    def form(self) -> Shape:
        """The shape of the value of what is neither whole nor scalar."""
        return self.shape or (len(self.cells),)


@dataclass(frozen=True, eq=False)
class Program:
    """The instructions of an iteration and the slots they work on.

    initial    the values that the persistent slots start from
    targets    label or display name → what it stands for
    cell_names slot → a label for each flat cell, or "" (batch rows share the label of their column)
    names      slot → what a reader calls it, where that differs
    """

    network: Network
    slots: Mapping[str, Slot]
    instructions: tuple[Instruction, ...]
    initial: Mapping[str, Array]
    targets: Mapping[str, Target] = field(default_factory=dict)
    cell_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.instructions)

    def __str__(self) -> str:
        return "\n".join(f"{k:3} {i.phase:<8} {i.source}" for k, i in enumerate(self.instructions, 1))

    @cached_property
    def writers(self) -> Mapping[str, int]:
        """Slot → the index of the instruction that writes it."""
        return {instruction.writes: k for k, instruction in enumerate(self.instructions)}

    @cached_property
    def loss_index(self) -> int:
        """The index of the instruction that writes the loss."""
        return self.writers["loss"]

    @property
    def parameters(self) -> list[str]:
        """Weights and biases, frozen ones too."""
        return [slot.name for slot in self.slots.values() if slot.kind == "parameter"]

    @property
    def output(self) -> str:
        """The slot that the loss is taken of."""
        return self.instructions[self.loss_index].reads[0]

    def size(self, index: int) -> int:
        """How many elements instruction `index` writes."""
        return self.slots[self.instructions[index].writes].size

    def name(self, slot: str) -> str:
        """What a reader calls a slot: a layer's own name, else the slot's."""
        return self.names.get(slot, slot)


class ProgramError(ValueError):
    """A program that reads what is not there yet, or whose shapes do not fit."""


def check(program: Program) -> None:
    """Prove that everything is written before it is read, once, in the right shape, and in place only elementwise.

    Raises ProgramError.
    """
    known = {name for name, slot in program.slots.items() if slot.persistent or slot.kind == "rows"}
    for instruction in program.instructions:
        for fault in _faults(program, instruction, known):
            raise ProgramError(f"{instruction.source}: {fault}")
        known.add(instruction.writes)


def _faults(program: Program, instruction: Instruction, known: set[str]) -> Iterator[str]:
    row, written = instruction.row, program.slots[instruction.writes]
    missing = [slot for slot in instruction.reads if slot not in known]
    if missing:
        yield f"reads {missing[0]} before it is written"
    shapes = [program.slots[slot].shape for slot in instruction.reads]
    if row.shape(*shapes) != written.shape:
        yield f"gives {row.shape(*shapes)}, {written.name} has {written.shape}"
    if written.name not in known:
        return
    if not row.in_place:
        yield f"writes {written.name} a second time"
    elif row.reach != "each" or instruction.reads[0] != written.name:
        yield "works in place without being elementwise"
