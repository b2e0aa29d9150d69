"""What conditions read, copied aside at the end of every iteration of a free run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bptui.debugger.rows import Rows
from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.player import computed_cells
from bptui.engine.program import Program
from bptui.engine.timeline import Position

Reads = Mapping[str, tuple[int, int]]
# More cells than this are looked at on the way rather than copied.
_SMALL = 4096
# One copy of two ranges and what lies between is cheaper than two copies, up to so many cells between.
_GAP = 256
# Bytes of a recording.
MOST = 4 * 2**20


def small(program: Program, reads: Reads) -> bool:
    """Whether what is read can be copied aside in every iteration."""
    slots = program.slots
    # Row numbers are whole numbers, of another type than all else.
    return sum(stop - start for start, stop in reads.values()) <= _SMALL and not any(
        slots[name].kind == "rows" for name in reads
    )


@dataclass
class _Block:
    """A range of cells that lie side by side, and its rows: that of the start, and one for each iteration."""

    source: Array
    kept: Array


class Recorder:
    """Rows of slots over the iterations of a stretch.

    A slot that lasts has two values in an iteration, before its update and after; what a place sees depends on whether
    its instruction comes before. So the first row is that of the stretch's start.
    """

    def __init__(self, program: Program, reads: Sequence[tuple[int, Reads]], most: int) -> None:
        self._program = program
        self._ranges: dict[str, tuple[int, int]] = {}
        for _, wanted in reads:
            for slot, (start, stop) in wanted.items():
                before = self._ranges.get(slot, (start, stop))
                self._ranges[slot] = min(before[0], start), max(before[1], stop)
        each = 8 * sum(stop - start for start, stop in self._ranges.values())
        self.most = max(1, min(most, MOST // max(1, each)))
        self._blocks: list[_Block] = []
        self._where: dict[str, tuple[_Block, int]] = {}
        self._computed = {place: computed_cells(program, Position(0, place + 1)) for place, _ in reads}

    def copies(self, n: int, machine: Machine) -> Sequence[tuple[Array, Array]]:
        """What a free run of n iterations has to copy where; the first rows are filled with the present."""
        if not self._blocks and self._ranges:
            self._lay_out(machine)
        for block in self._blocks:
            if len(block.kept) < n + 1:
                block.kept = np.empty((n + 1, block.source.size), block.source.dtype)
            block.kept[0] = block.source
        return [(block.source, block.kept[1 : n + 1]) for block in self._blocks]

    def rows(self, place: int, n: int, *, before: bool = False) -> Rows:
        """The n iterations as they were just after the instruction at `place`, or what lasts of them just before it."""
        writers, slots = self._program.writers, self._program.slots

        def flat(slot: str, start: int, stop: int) -> Array:
            block, offset = self._where[slot]
            old = slots[slot].persistent and writers.get(slot, -1) > place - before
            rows = block.kept[:n] if old else block.kept[1 : n + 1]
            return np.ascontiguousarray(rows[:, offset + start : offset + stop])

        return Rows(n, self._computed[place], flat)

    def _lay_out(self, machine: Machine) -> None:
        """Ranges of the machine's vectors that hold all that is read; what lies near is copied at once."""
        for vector in (machine.vector, machine.passing):
            begun: list[tuple[int, int, str]] = []
            for slot, (start, stop) in self._ranges.items():
                if np.may_share_memory(machine.arrays[slot], vector):
                    at = (machine.arrays[slot].ctypes.data - vector.ctypes.data) // vector.itemsize
                    begun.append((at + start, at + stop, slot))
            self._join(vector, sorted(begun))
        for slot in self._ranges:
            if slot not in self._where:
                start, stop = self._ranges[slot]
                source = machine.arrays[slot].reshape(-1)
                self._add(source[start:stop], {slot: (start, 0)})

    def _join(self, vector: Array, ranges: list[tuple[int, int, str]]) -> None:
        together: list[tuple[int, int, str]] = []
        for one in ranges:
            if together and one[0] - max(stop for _, stop, _ in together) > _GAP:
                self._add_range(vector, together)
                together = []
            together.append(one)
        if together:
            self._add_range(vector, together)

    def _add_range(self, vector: Array, ranges: list[tuple[int, int, str]]) -> None:
        first, last = ranges[0][0], max(stop for _, stop, _ in ranges)
        self._add(vector[first:last], {slot: (self._ranges[slot][0], start - first) for start, _, slot in ranges})

    def _add(self, source: Array, slots: dict[str, tuple[int, int]]) -> None:
        """Slots  slot → (the first of its cells that is kept, where in the block it lies)."""
        block = _Block(source, np.empty((0, source.size), source.dtype))
        self._blocks.append(block)
        for slot, (start, at) in slots.items():
            self._where[slot] = block, at - start
