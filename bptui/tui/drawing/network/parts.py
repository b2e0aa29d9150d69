"""What a drawing of neurons is made of: neurons with their numbers, and the lines between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bptui.engine.network import Node
from bptui.engine.program import Program
from bptui.files.text import safe


@dataclass(frozen=True)
class Fact:
    """A number with a letter before it: one cell of a slot, or one of each row of the batch.

    stride  cells from one row of the batch to the next; 0 where there are no rows
    """

    prefix: str
    slot: str
    place: int
    stride: int = 0

    def cell(self, row: int) -> int:
        """Its flat cell, in a row of the batch."""
        return self.place + row * self.stride


@dataclass(frozen=True)
class Kin:
    """A neuron as the network has it: its name, its value, and what else there is to say of it."""

    title: str
    value: Fact
    before: Fact | None = None
    bias: Fact | None = None
    target: Fact | None = None


@dataclass(frozen=True)
class Layer:
    """The neurons of `x` or of a node.

    inputs  the numbers of the layers that it reads
    weight  the slot of its weights, (in, units), or "" where each neuron reads those at its own height
    """

    key: str
    slot: str
    title: str
    act: str
    kin: tuple[Kin, ...]
    inputs: tuple[int, ...] = ()
    weight: str = ""


@lru_cache(maxsize=8)
def layers(program: Program) -> tuple[Layer, ...]:
    """Those of a program that can be drawn as neurons, in order."""
    numbers = {"x": 0}
    made = [Layer("x", "x", program.name("x"), "", _kin(program, "x", None))]
    for node in program.network.nodes:
        numbers[node.key] = len(made)
        act = node.act if node.act != "identity" else "" if node.op == "dense" else node.op
        made.append(
            Layer(
                node.key, node.output, program.name(node.output), act, _kin(program, node.output, node),
                tuple(numbers[key] for key in node.inputs), f"W{node.suffix}" if node.op == "dense" else "",
            )
        )  # fmt: skip
    return tuple(made)


def _kin(program: Program, slot: str, node: Node | None) -> tuple[Kin, ...]:
    width = program.slots[slot].shape[1]
    last = node is not None and node.output == program.network.nodes[-1].output
    names = program.cell_names.get(slot)
    return tuple(
        Kin(
            safe(names[j]) if names and names[j] else f"[{j}]",
            Fact(" ", slot, j, width),
            Fact("z", f"z{node.suffix}", j, width) if node is not None and node.act != "identity" else None,
            Fact("b", f"b{node.suffix}", j) if node is not None and node.op == "dense" and node.bias else None,
            Fact("t", "y", j, width) if last else None,
        )
        for j in range(width)
    )


def all_facts(program: Program, kin: Kin) -> tuple[Fact, ...]:
    """Every number of a neuron, shown or not."""
    own = (kin.before, kin.value, kin.bias)
    found = (*own, *(gradient(program, fact) for fact in own), kin.target)
    return tuple(fact for fact in found if fact is not None)


def gradient(program: Program, fact: Fact | None) -> Fact | None:
    """The gradient of what a fact tells, where the program takes one."""
    if fact is None or f"{fact.slot}.grad" not in program.slots:
        return None
    return Fact("∂", f"{fact.slot}.grad", fact.place, fact.stride)


# How much is shown of a neuron: a dot alone, or with a short number; its number; boxes with more and more in them.
DOT, SHORT, LINE, VALUE, GRADIENT, SUM, ALL = range(7)


def facts(program: Program, kin: Kin, level: int) -> tuple[Fact, ...]:
    """The numbers inside a neuron's box, from above; its bias is in the lower edge until there is room for all."""
    if level <= LINE:
        return (kin.value,) if level > DOT else ()
    found = [kin.before] if level >= SUM else []
    found += [gradient(program, kin.before)] if level >= ALL else []
    found.append(kin.value)
    found += [gradient(program, kin.value)] if level >= GRADIENT else []
    found += [kin.bias, gradient(program, kin.bias)] if level >= ALL else []
    found.append(kin.target)
    return tuple(fact for fact in found if fact is not None)


def below(kin: Kin, level: int) -> Fact | None:
    """The bias, where it is in the lower edge of a neuron's box."""
    return kin.bias if VALUE <= level <= SUM else None


@dataclass(frozen=True)
class Neuron:
    """One that is drawn, and where it stands."""

    kin: Kin
    layer: int
    facts: tuple[Fact, ...]
    bias: Fact | None
    x: int
    y: int
    width: int
    height: int

    @property
    def index(self) -> int:
        """Which of its layer it is."""
        return self.kin.value.place

    @property
    def middle(self) -> int:
        """The row at which lines meet it: that of its first number."""
        return self.y + min(1, self.height - 1)

    @property
    def right(self) -> int:
        """The first column after it."""
        return self.x + self.width

    @property
    def room(self) -> int:
        """How long a number in it may be: in a box beside its sign, else after its title."""
        return self.width - (4 if self.height > 1 else len(self.kin.title) + 2)


@dataclass(frozen=True)
class Label:
    """Where a weight's name and number stand; below, if it is tall, its gradient.

    lead  how many columns there are before the numbers
    """

    x: int
    y: int
    width: int
    name: str
    lead: int
    tall: bool

    @property
    def right(self) -> int:
        """The first column after it."""
        return self.x + self.width

    @property
    def room(self) -> int:
        """How long its numbers may be."""
        return self.width - self.lead


@dataclass(frozen=True)
class Link:
    """A line between two neurons; `cell` is its weight's, or −1 where it carries none.

    path  places that it goes through, in cells; a label interrupts it between two of them
    """

    source: Neuron
    target: Neuron
    cell: int
    path: tuple[tuple[float, float], ...]
    label: Label | None = None


@dataclass(frozen=True)
class Sizes:
    """How long the numbers are: of each layer's neurons, of each layer's weights and of their gradients."""

    neurons: tuple[int, ...]
    weights: tuple[int, ...]
    gradients: tuple[int, ...]
