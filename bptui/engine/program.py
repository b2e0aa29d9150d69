"""A training iteration as a flat list of instructions, with a checker and a listing of a few lines each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bptui.engine import initial, terms
from bptui.engine.initial import Weight
from bptui.engine.network import Array, Network
from bptui.engine.ops import OPS, Op, Shape
from bptui.engine.ops.row import named

PHASES = ("data", "forward", "loss", "backward", "update")
GIVEN = frozenset({"rows", "mask", "counter"})


@dataclass(frozen=True)
class Slot:
    """A named array. Persistent slots outlive an iteration; the others are written once in each.

    kind  "data", "parameter", "rate", "state" (an optimizer's), "statistic" (a running mean), "value", "loss" or
          "gradient"; and what is a function of the iteration: "rows" (the drawn row numbers), "mask" (dropout's),
          "counter" (the number of the update)
    of    for a gradient, and for an optimizer's state, the slot it belongs to
    rate  for a mask, which share of it is 0
    """

    name: str
    shape: Shape
    kind: str
    persistent: bool = False
    of: str = ""
    rate: float = 0.0

    @property
    def given(self) -> bool:
        """Whether its values are a function of the iteration, so that no instruction writes it."""
        return self.kind in GIVEN

    @cached_property
    def size(self) -> int:
        """The number of cells; 1 for a 0-d slot."""
        return math.prod(self.shape)

    @property
    def editable(self) -> bool:
        """What is a function of the iteration can't be set by hand, everything else may."""
        return not self.given


@dataclass(frozen=True)
class Instruction:
    """One line of NumPy. `reads` are in the order of the op's arguments; `n` is what a mean divides by.

    differentiates  for a backward instruction the index of the instruction whose vjp it is
    argument        and the role of the argument that the gradient belongs to
    attrs           the op's attributes: axes, shapes, rates
    own             the op's row, where it is a person's own and not in the table
    fused           instructions of an update that do the same to each parameter have the same number, from 1 on
    """

    op: str
    phase: str
    reads: tuple[str, ...]
    writes: str
    n: int = 1
    differentiates: int | None = None
    argument: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    own: Op | None = None
    fused: int = 0

    @property
    def row(self) -> Op:
        """Its row of the op table."""
        return self.own or OPS[self.op]

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """Role → slot."""
        return dict(zip(self.row.roles(len(self.reads)), self.reads, strict=True))

    @cached_property
    def text(self) -> str:
        """The right side over the roles of its op."""
        return self.row.text({"n": self.n, **self.attrs})

    @cached_property
    def flagged(self) -> bool:
        """Whether the processor's flags tell when its result overflows or is none: of elementwise functions they do."""
        return self.own is None and terms.is_elementwise(terms.read(self.text))

    @property
    def expression(self) -> str:
        """The right side, as plain NumPy over slot names."""
        return named(self.text, self.roles)

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
    output     the slot that the loss is taken of
    owners     slot → the key of the node that it is of
    targets    label or display name → what it stands for
    cell_names slot → a label for each flat cell, or "" (batch rows share the label of their column)
    names      slot → what a reader calls it, where that differs
    draws      slot of a parameter that is not given → what its values are drawn by, beside seed and slot
    """

    network: Network
    slots: Mapping[str, Slot]
    instructions: tuple[Instruction, ...]
    initial: Mapping[str, Array]
    targets: Mapping[str, Target] = field(default_factory=dict)
    cell_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    owners: Mapping[str, str] = field(default_factory=dict)
    draws: Mapping[str, tuple[Weight, str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.instructions)

    def __str__(self) -> str:
        return "\n".join(f"{k:3} {i.phase:<8} {i.source}" for k, i in enumerate(self.instructions, 1))

    def drawn(self, seed: int) -> dict[str, Array]:
        """The values that parameters which are not given start from with another seed."""
        dtype = self.network.dtype
        return {slot: initial.weights(seed, slot, *draw).astype(dtype) for slot, draw in self.draws.items()}

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

    def shapes(self, index: int) -> dict[str, Shape]:
        """Role → shape of what instruction `index` reads."""
        return {role: self.slots[slot].shape for role, slot in self.instructions[index].roles.items()}

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
    known = {name for name, slot in program.slots.items() if slot.persistent or slot.given}
    for instruction in program.instructions:
        for fault in _faults(program, instruction, known):
            raise ProgramError(f"{instruction.source}: {fault}")
        known.add(instruction.writes)


def _faults(program: Program, instruction: Instruction, known: set[str]) -> Iterator[str]:
    row, written = instruction.row, program.slots[instruction.writes]
    missing = [slot for slot in instruction.reads if slot not in known]
    if missing:
        yield f"reads {missing[0]} before it is written"
    try:
        given = terms.shape(
            terms.read(instruction.text),
            {role: program.slots[slot].shape for role, slot in instruction.roles.items()},
        )
    except terms.ShapeError as error:
        yield str(error)
        return
    if given != written.shape:
        yield f"gives {given}, {written.name} has {written.shape}"
    if written.name not in known:
        return
    if not row.in_place:
        yield f"writes {written.name} a second time"
    elif not terms.is_elementwise(terms.read(instruction.text), row.args[0]) or instruction.reads[0] != written.name:
        yield "works in place without being elementwise"
