"""What a number of forks go through: from where to where, with which edits; and where each of them stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bptui.engine.layout import place
from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.player import State
from bptui.engine.program import Program, Slot
from bptui.engine.timeline import Edit, Position

# Told of so many more iterations, of all forks together; what it raises breaks all off.
Watch = Callable[[int], None]


def nobody(iterations: int) -> None:
    """Who watches where nobody does."""


class Condition(Protocol):
    """What ends a fork once it is true; it is looked at when an iteration's loss is known."""

    def alone(self, machine: Machine) -> bool:
        """Whether it is true on a machine that has just computed its loss."""

    @property
    def of_loss(self) -> bool:
        """Whether it reads nothing but the loss."""

    def over(self, n: int, cells: Callable[[str, int, int], Array]) -> Array:
        """Its truth at n moments, (n,).

        cells  slot, first cell, the one after the last → the cells at each moment, (n, …), or (1, …) if all alike
        """


@dataclass(frozen=True, eq=False)
class Course:
    """The way of every fork of a program.

    state  where they part, with everything that was computed by then; the edits of a fork are made just there
    later  edits that lie further on, the same for every fork
    end    the number of updates after which they end
    every  free runs are looked at in stretches that none reaches across a multiple of this
    until  what ends a fork before, or None
    watch  who is told how far it has got
    """

    program: Program
    state: State
    later: Sequence[Edit]
    end: int
    every: int
    until: Condition | None = None
    watch: Watch = nobody

    @property
    def first(self) -> int:
        """The first iteration that is whole."""
        here = self.state.position
        return here.iteration + (here != Position(0))

    @property
    def begun(self) -> bool:
        """Whether the forks part within an iteration, which has to be finished first."""
        here = self.state.position
        return here != Position(0) and here.op < len(self.program)

    def legs(self) -> Iterator[tuple[int, int, bool]]:
        """(start, end, whether there are edits in it), each a number of whole iterations; an edited one is single."""
        t = self.first
        for edited in sorted({edit.position.iteration for edit in self.later}):
            if not t <= edited < self.end:
                continue
            if t < edited:
                yield t, edited, False
            yield edited, edited + 1, True
            t = edited + 1
        if t < self.end:
            yield t, self.end, False


@dataclass(frozen=True, eq=False)
class Fork:
    """One variant: the edits where it parts from the others, and what its rows and masks are drawn from."""

    edits: tuple[Edit, ...]
    seed: int


@dataclass(frozen=True, eq=False)
class Ending:
    """How a fork ended.

    reason  "until", "iterations" or "nan"
    done    for nan, so many instructions of that iteration were done: the last is to blame; 0 where it is the loss
    lasting slot → what it holds at the end, for each that lasts and is not data
    """

    iterations: int
    loss: float
    reason: str
    done: int
    lasting: dict[str, Array]


class Field:
    """Where each fork stands: rows of what lasts, one for each fork.

    `alarms` counts for each the stretches in which a flag was raised and all was finite nevertheless.
    """

    def __init__(self, forks: Sequence[Fork], machine: Machine, *, data_differ: bool) -> None:
        self.seeds = [fork.seed for fork in forks]
        self.alarms = [0] * len(forks)
        self.vectors = np.tile(machine.vector, (len(forks), 1))
        self.data = np.broadcast_to(machine.data, (len(forks), machine.data.size))
        self._data_differ = data_differ
        if data_differ:
            self.data = self.data.copy()
        self._places = {
            slot.name: (slot.kind == "data", place(_home(machine, slot), machine.arrays[slot.name]))
            for slot in machine.program.slots.values()
            if slot.persistent
        }

    def put(self, machine: Machine, fork: int) -> None:
        """Make a machine stand where a fork does."""
        np.copyto(machine.vector, self.vectors[fork])
        if self._data_differ:
            np.copyto(machine.data, self.data[fork])
        machine.seed = self.seeds[fork]

    def take(self, machine: Machine, fork: int) -> None:
        """A fork stands where a machine does."""
        self.vectors[fork] = machine.vector
        if self._data_differ:
            self.data[fork] = machine.data

    def data_of(self, forks: Sequence[int]) -> Array:
        """A row of data for each of some forks."""
        return self.data[forks] if self._data_differ else self.data[: len(forks)]

    def differs(self, name: str) -> bool:
        """Whether a slot that lasts is not the same for all."""
        is_data, where = self._places[name]
        if is_data and not self._data_differ:
            return False
        rows = (self.data if is_data else self.vectors)[:, where].view(np.uint8)
        return bool((rows != rows[:1]).any())

    def row(self, fork: int, name: str) -> Array | None:
        """The cells of a slot of a fork, to be written; None for one that does not last."""
        if name not in self._places:
            return None
        is_data, where = self._places[name]
        return (self.data if is_data else self.vectors)[fork, where]


def _home(machine: Machine, slot: Slot) -> Array:
    return machine.data if slot.kind == "data" else machine.vector
