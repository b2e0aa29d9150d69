"""A machine for many forks at once: arrays of what differs have a lane for each, and a statement does all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bptui.engine import initial, optimizers
from bptui.engine.layout import Layout, lay_out, place, side_by_side
from bptui.engine.lowering import aligned
from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.ops.row import Shape
from bptui.engine.program import Instruction, Program, Slot
from bptui.engine.stacks.lowering import LaneLowering, LanePool, innermost
from bptui.engine.stacks.rewriting import rewrite
from bptui.engine.terms import Term

# Seeds, and copies of what lasts.
Saved = tuple[list[int], list[Array]]
Make = Callable[[Shape, "np.dtype[Any]"], Array]
# Cells of a cache line, to which long lanes are rounded up; and the most cells of what is tiny.
_LINE, _TINY = 8, 16


def spread(program: Program, different: Collection[str]) -> frozenset[str]:
    """The slots that come to differ between forks if these do; what is updated side by side differs together."""
    found, groups = set(different), list(side_by_side(program).values())
    before = -1
    while len(found) > before:
        before = len(found)
        for instruction in program.instructions:
            if not found.isdisjoint(instruction.reads):
                found.add(instruction.writes)
        for names in groups:
            if not found.isdisjoint(names):
                found.update(names)
    return frozenset(found)


class Stack(Machine):
    """The arrays of `width` forks, and the code that runs all of them.

    `varying` slots have lanes, (width, …); the others are the same for all and are computed once. `seeds` has for each
    lane what its rows and masks are drawn from. Before it is run, each instruction has to be given its way
    (`bptui.engine.stacks.proving`).
    """

    def __init__(self, program: Program, width: int, varying: frozenset[str]) -> None:
        self._tiny = _is_tiny(program, varying)
        self.width = width
        self.varying = varying
        self.ways: dict[int, str] = {}
        self.seeds = [program.network.seed] * width
        self._orders: tuple[int, list[int], Array] = (-1, [], np.empty(0))
        dtype = np.dtype(program.network.dtype)
        self._plain = lay_out(program, dtype)
        super().__init__(
            program, layout=_with_lanes(program, self._plain, width, varying, innermost if self._tiny else aligned)
        )
        self._pools = (LanePool(width) if self._tiny else self._pool, self._pool)
        lasting = [slot for slot in program.slots.values() if slot.persistent and slot.name in varying]
        self._lasting = [self._plain.vector, *(self.arrays[slot.name] for slot in lasting)]

    def begin(self, iteration: int) -> None:
        """Set what is a function of the iteration, and of each lane's seed."""
        for slot in self._given:
            array = self.arrays[slot.name]
            if slot.kind == "counter":
                array[...] = optimizers.counter(slot.of, iteration)
            elif slot.name not in self.varying:
                array[...] = self._drawn(slot.name, self.seeds[0], iteration)
            elif slot.kind == "rows":
                array[...] = self._rows(iteration)
            else:
                for lane, seed in enumerate(self.seeds):
                    array[lane] = self._drawn(slot.name, seed, iteration)

    def load(self, vectors: Array, data: Array, seeds: Sequence[int]) -> None:
        """Put each lane where a fork stands at the start of an iteration.

        vectors, data  (width, …): a row for each, what a machine alone has in its `vector` and in its `data`
        """
        self.seeds = list(seeds)
        for name, rows in self._rows_of(vectors, data):
            lanes = rows.reshape(len(rows), *self.program.slots[name].shape)
            np.copyto(self.arrays[name], lanes if name in self.varying else lanes[0])

    def store(self, vectors: Array) -> None:
        """Write where each lane stands into `vectors` (width, …)."""
        vectors[...] = self._plain.vector
        for name, rows in self._rows_of(vectors, None):
            if name in self.varying:
                rows[...] = self.arrays[name].reshape(self.width, -1)

    def put(self, lane: int, vector: Array, data: Array, seed: int) -> None:
        """Put one lane where a fork stands at the start of an iteration; what is the same for all is left alone."""
        self.seeds[lane] = seed
        for name, rows in self._rows_of(vector[None], data[None]):
            if name in self.varying:
                self.arrays[name][lane] = rows.reshape(self.program.slots[name].shape)

    def save(self) -> Saved:
        """A copy of all that lasts."""
        return list(self.seeds), [array.copy() for array in self._lasting]

    def restore(self, saved: Saved) -> None:
        """Back to a copy of all that lasts."""
        self.seeds = list(saved[0])
        for array, copy in zip(self._lasting, saved[1], strict=True):
            np.copyto(array, copy)

    def cells(self, slot: str, start: int, stop: int) -> Array:
        """Flat cells of a slot in each lane, (width, …); (1, …) of what is the same for all."""
        lanes = self.width if slot in self.varying else 1
        return self.arrays[slot].reshape(lanes, -1)[:, start:stop]

    def finite(self) -> Array:
        """In which lanes all that lasts is finite: booleans (width,)."""
        whole = [np.isfinite(array).reshape(self.width, -1).all(1) for array in self._lasting[1:]]
        return np.logical_and.reduce(whole) if whole else np.ones(self.width, bool)

    def silence(self, lanes: Array, like: int) -> None:
        """Make lanes, a mask (width,), the same as another: nothing happens in them then that does not there."""
        for name in self.varying:
            self.arrays[name][lanes] = self.arrays[name][like]
        for lane in np.flatnonzero(lanes):
            self.seeds[lane] = self.seeds[like]

    def candidate(self, index: int, way: str) -> Callable[[], None]:
        """Code that does an instruction in one of the ways. Raises UnfitError or LanesError."""
        instruction = self.program.instructions[index]
        lines = self._write(instruction, self.arrays[instruction.writes], None, way)
        return self._compile("generated", "", lines)

    def term(self, instruction: Instruction, arrays: Mapping[str, Array] | None = None) -> Term:
        """The line of an instruction for arrays with lanes. Raises LanesError."""
        given = arrays or {role: self.arrays[slot] for role, slot in instruction.roles.items()}
        laned = {role for role, slot in instruction.roles.items() if slot in self.varying}
        shapes = {role: array.shape[role in laned :] for role, array in given.items()}
        return rewrite(instruction.text, shapes, laned, self.width)

    # Inside

    def _lower(self, instruction: Instruction, out: Array, arrays: dict[str, Array] | None = None) -> list[str]:
        if instruction.writes not in self.varying:
            return super()._lower(instruction, out, arrays)
        return self._write(instruction, out, arrays, self.ways.get(id(instruction), "matmul"))

    def _write(self, instruction: Instruction, out: Array, arrays: dict[str, Array] | None, way: str) -> list[str]:
        given = arrays or {role: self.arrays[slot] for role, slot in instruction.roles.items()}
        in_place = instruction.row.in_place and out is given[instruction.row.args[0]]
        lowering = LaneLowering(given, self.dtype, self._pools, self._scope, in_place=in_place, way=way)
        return lowering.write(self.term(instruction, given), out)

    def _noted(self, loss: str) -> str:
        return f"losses[k] = {loss}"

    def _rows_of(self, vectors: Array, data: Array | None) -> list[tuple[str, Array]]:
        """(slot, its part of each row) of what lasts, data where they are asked for."""
        found = []
        for slot in self.program.slots.values():
            if slot.persistent and slot.kind != "data":
                found.append((slot.name, vectors[:, place(self._plain.vector, self._plain.arrays[slot.name])]))
            elif slot.persistent and data is not None:
                found.append((slot.name, data[:, place(self._plain.data, self._plain.arrays[slot.name])]))
        return found

    def _drawn(self, name: str, seed: int, iteration: int) -> Array:
        slot, network = self.program.slots[name], self.program.network
        if slot.kind == "rows":
            assert network.batch is not None
            return initial.rows(seed, iteration, len(network.x), network.batch)
        return initial.mask(seed, iteration, name, slot.shape, slot.rate)

    def _rows(self, iteration: int) -> Array:
        """The row numbers of each lane's batch; the orders of an epoch are kept, there being many."""
        network = self.program.network
        assert network.batch is not None
        total = len(network.x)
        epoch, number = divmod(iteration, total // network.batch)
        if self._orders[:2] != (epoch, self.seeds):
            orders = np.stack([initial.order(seed, epoch, total) for seed in self.seeds])
            self._orders = epoch, list(self.seeds), orders
        return self._orders[2][:, number * network.batch : (number + 1) * network.batch]


def _is_tiny(program: Program, varying: Collection[str]) -> bool:
    """Whether all is so small that NumPy is quicker where it goes through the lanes of one cell after the other.

    So it is where each product is of one or two columns; a longer one is better left to BLAS.
    """
    depths = [program.slots[i.reads[0]].shape[-1:] for i in program.instructions if "@" in i.text]
    sizes = [program.slots[name].size for name in varying]
    return max(sizes, default=0) <= _TINY and all(depth and depth[0] <= 2 for depth in depths)


def _with_lanes(program: Program, plain: Layout, width: int, varying: frozenset[str], make: Make) -> Layout:
    """The layout with a lane for each fork where slots differ."""
    arrays: dict[str, Any] = dict(plain.arrays)
    flat: dict[str, Array] = dict(plain.flat)
    for ending, names in side_by_side(program).items():
        if names[0] in varying:
            flat[ending] = _in_a_row([program.slots[name] for name in names], width, make, arrays)
    for name in varying:
        if arrays[name] is plain.arrays[name]:
            arrays[name] = make((width, *program.slots[name].shape), arrays[name].dtype)
    return replace(plain, arrays=arrays, flat=flat)


def _in_a_row(slots: Sequence[Slot], width: int, make: Make, arrays: dict[str, Array]) -> Array:
    """One array (width, cells) with these slots one behind the other in each lane; the rest of a lane is 0."""
    size = sum(slot.size for slot in slots)
    whole = make((width, size if size < 4 * _LINE else -(-size // _LINE) * _LINE), arrays[slots[0].name].dtype)
    whole[...] = 0
    start = 0
    for slot in slots:
        arrays[slot.name] = whole[:, start : start + slot.size].reshape(width, *slot.shape)
        start += slot.size
    return whole
