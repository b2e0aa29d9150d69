"""The program as a tree: phases, in a long one the layers that its operations belong to, in a long layer its blocks.

A block is a place of an unrolled layer, a stage of attention, or the update of one parameter. Every part is a stretch
of the program without a gap: an operation of the backward pass belongs where that which it differentiates does.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bptui.engine.program import Instruction, Program

# A phase of no more operations than these is looked over as it is.
_PHASE = 12
# And a layer of so many.
_LAYER = 9
# A block of fewer is no block.
_BLOCK = 3
_RECURRENT = frozenset({"rnn", "lstm", "gru"})
_PLACE = re.compile(r"_(\d+)$")
# What the slots of an attention begin with.
_STAGES = {
    "queries": ("q", "qr", "qh"),
    "keys": ("k", "kr", "kh"),
    "values": ("v", "vr", "vh"),
    "scores": ("kT", "qk", "s", "m", "p"),
    "together": ("c", "ch", "cr", "z"),
}
_STAGE = {letter: stage for stage, letters in _STAGES.items() for letter in letters}

Kind = Literal["phase", "layer", "block"]
Key = tuple[Kind, int]


@dataclass(frozen=True)
class Part:
    """A stretch of the program under one heading.

    name   of a phase; of a layer the key of its node; of a block its place, its stage or its parameter
    ops    its operations
    parts  those inside it, in order; operations between them belong to itself alone
    """

    kind: Kind
    name: str
    ops: range
    parts: tuple[Part, ...] = ()

    @property
    def key(self) -> Key:
        """What tells it from every other part of a program."""
        return self.kind, self.ops.start

    def items(self) -> Iterator[int | Part]:
        """What lies directly in it: parts, and operations that belong to none of them."""
        done = self.ops.start
        for part in self.parts:
            yield from range(done, part.ops.start)
            yield part
            done = part.ops.stop
        yield from range(done, self.ops.stop)

    def walk(self) -> Iterator[Part]:
        """It and all parts inside it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@lru_cache(maxsize=8)
def parts(program: Program) -> tuple[Part, ...]:
    """The phases."""
    phases = _runs(range(len(program)), lambda k: program.instructions[k].phase)
    return tuple(Part("phase", name, ops, _layers(program, ops)) for name, ops in phases)


def around(program: Program, op: int) -> list[Part]:
    """The parts that an operation lies in, from its phase inwards."""
    found: list[Part] = []
    inside: Sequence[Part] = parts(program)
    while inside:
        part = next((part for part in inside if op in part.ops), None)
        if part is None:
            break
        found.append(part)
        inside = part.parts
    return found


def layer(program: Program, k: int) -> str:
    """The key of the node that an operation belongs to, or ""."""
    return program.owners.get(_worked_on(program, program.instructions[k]), "")


def named(program: Program, name: str) -> list[Part]:
    """The parts that a name means: their own, or that after those of parts around them, such as `backward h`."""
    wanted = name.split()
    return [part for part in walk(program) if any(wanted == words for words in _called(program, part))]


def _called(program: Program, part: Part) -> Iterator[list[str]]:
    """All that a part may be called."""
    outer = way(program, part)
    for k in range(len(outer)):
        yield [word for one in outer[k:] for word in title(program, one).split()]
        yield [word for one in outer[k:] for word in one.name.split()]


def names(program: Program) -> list[str]:
    """What parts are called."""
    return list(dict.fromkeys(title(program, part) for part in walk(program)))


def title(program: Program, part: Part) -> str:
    """What a part is called: a layer by its own name, where it has one; `layer 6` where it has none."""
    if part.kind != "layer":
        return part.name
    return _node_name(program, part.name) or ("layer " * part.name.isdigit() + part.name)


def path(program: Program, part: Part) -> str:
    """Its name after those of the parts that it lies in."""
    return " ".join(title(program, one) for one in way(program, part))


def walk(program: Program) -> Iterator[Part]:
    """All parts."""
    for phase in parts(program):
        yield from phase.walk()


def way(program: Program, part: Part) -> list[Part]:
    """The parts that a part lies in, and itself."""
    found = around(program, part.ops.start)
    return found[: [one.key for one in found].index(part.key) + 1]


@lru_cache(maxsize=64)
def _node_name(program: Program, key: str) -> str:
    return next((node.name for node in program.network.nodes if node.key == key), "")


def _layers(program: Program, ops: range) -> tuple[Part, ...]:
    if len(ops) <= _PHASE:
        return ()
    found = [(key, run) for key, run in _runs(ops, lambda k: layer(program, k)) if key and len(run) > 1]
    if [run for _, run in found] == [ops]:
        return tuple(_blocks(program, found[0][0], ops))
    return tuple(Part("layer", key, run, tuple(_blocks(program, key, run))) for key, run in found)


def _blocks(program: Program, key: str, ops: range) -> Iterator[Part]:
    if len(ops) <= _LAYER:
        return
    node = next((node for node in program.network.nodes if node.key == key), None)
    kind = "" if node is None else node.op
    own = {k: _block(program, kind, k) for k in ops}
    name, belonging = next(filter(None, own.values()), ""), {}
    for k in ops:
        name = belonging[k] = own[k] or name
    runs = [(name, run) for name, run in _runs(ops, belonging.__getitem__) if name and len(run) >= _BLOCK]
    if len(runs) > 1:
        yield from (Part("block", name, run) for name, run in runs)


def _block(program: Program, kind: str, k: int) -> str:
    """The block that an operation of a layer begins or goes on with; "" where it goes on with whatever it is."""
    instruction = program.instructions[k]
    slot = _worked_on(program, instruction)
    if instruction.phase == "update" or program.slots[slot].kind == "parameter":
        return slot
    if kind in _RECURRENT:
        place = _PLACE.search(slot)
        return f"place {place[1]}" if place else ""
    if kind == "multi-head":
        return _STAGE.get(slot.partition("_")[0].rstrip("0123456789"), "")
    return ""


def _worked_on(program: Program, instruction: Instruction) -> str:
    """The slot that says where an operation belongs: what it differentiates writes it, or it is written itself.

    An optimizer's value belongs to its parameter, and a sum of gradients to what they are gradients of.
    """
    if instruction.differentiates is not None:
        return program.instructions[instruction.differentiates].writes
    return program.slots[instruction.writes].of or instruction.writes


def _runs(ops: range, name: Callable[[int], str]) -> Iterator[tuple[str, range]]:
    """Neighbours of the same name."""
    for key, group in itertools.groupby(ops, name):
        members = list(group)
        yield key, range(members[0], members[-1] + 1)
