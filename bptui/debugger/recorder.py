"""What conditions read, copied aside at the end of every iteration of a free run.

Slots of a few cells lie near each other and are copied together, with all that lies between, into a block that stays in
the cache; every so many iterations what is wanted is taken out of it. Larger slots are copied to where they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bptui.debugger.rows import Rows
from bptui.engine.layout import place
from bptui.engine.machine import Hook, Machine, Taps
from bptui.engine.network import Array
from bptui.engine.player import Player, computed_cells
from bptui.engine.program import Program
from bptui.engine.timeline import Position

Reads = Mapping[str, tuple[int, int]]
# More cells than this are looked at on the way rather than copied.
_SMALL = 4096
# A slot of so many cells is copied together with others that lie no more than so many cells away.
_FEW, _GAP = 64, 256
# Iterations after which blocks are emptied: they are still in the cache then.
_PIECE = 256
# Bytes of a recording.
MOST = 4 * 2**20


def small(program: Program, reads: Reads) -> bool:
    """Whether what is read can be copied aside in every iteration."""
    slots = program.slots
    # Row numbers are whole numbers, of another type than all else.
    return sum(stop - start for start, stop in reads.values()) <= _SMALL and not any(
        slots[name].kind == "rows" for name in reads
    )


@dataclass(eq=False)
class _Block:
    """Cells that lie side by side.

    rows    they, before the first iteration and after each; of what is emptied now and then, after each of a few
    wanted  where in it lies what is wanted, one behind the other
    kept    that, before the first iteration and after each; the rows themselves, where all of them are wanted
    """

    source: Array
    wanted: Array | None = None
    rows: Array = field(default_factory=lambda: np.empty((0, 0)))
    kept: Array = field(default_factory=lambda: np.empty((0, 0)))

    def begin(self, n: int) -> None:
        """Make room for n iterations, which begin now."""
        if self.wanted is None:
            self.rows = self.kept = _grown(self.kept, n + 1, self.source.size, self.source.dtype)
            self.kept[0] = self.source
        else:
            self.rows = _grown(self.rows, min(n, _PIECE), self.source.size, self.source.dtype)
            self.kept = _grown(self.kept, n + 1, self.wanted.size, self.source.dtype)
            self.kept[0] = self.source[self.wanted]

    def copied(self, done: int, n: int) -> Array:
        """Where the next n iterations are copied to, after so many that are done."""
        return self.rows[1 + done : 1 + done + n] if self.wanted is None else self.rows[:n]

    def take(self, done: int, n: int) -> None:
        """They were copied: keep what is wanted of them."""
        if self.wanted is not None:
            self.rows[:n].take(self.wanted, axis=1, out=self.kept[1 + done : 1 + done + n], mode="clip")


class Recorder:
    """Rows of slots over the iterations of a stretch.

    A slot that lasts has two values in an iteration, before its update and after; what a place sees depends on whether
    its instruction comes before. So the first row is that of the stretch's start.

    longest  iterations of a stretch, if there is room for so many: `most` says for how many there is
    watched  it matters whether everything is finite
    """

    def __init__(
        self, program: Program, reads: Sequence[tuple[int, Reads]], longest: int, *, watched: bool = False
    ) -> None:
        self._program = program
        self._ranges: dict[str, tuple[int, int]] = {}
        for _, wanted in reads:
            for slot, (start, stop) in wanted.items():
                before = self._ranges.get(slot, (start, stop))
                self._ranges[slot] = min(before[0], start), max(before[1], stop)
        each = 8 * sum(stop - start for start, stop in self._ranges.values())
        self.most = max(1, min(longest, MOST // max(1, each)))
        self._blocks: list[_Block] = []
        # Slot → the block that has it, and where in what is kept of it.
        self._where: dict[str, tuple[_Block, int]] = {}
        self._watched = watched
        self._finite = True
        self._computed = {index: computed_cells(program, Position(0, index + 1)) for index, _ in reads}

    def run(
        self,
        player: Player,
        n: int,
        hooks: Sequence[tuple[int, Hook]] = (),
        squares: Sequence[tuple[Array, Array]] = (),
    ) -> int:
        """Up to n iterations from where a player stands; how many until an edit is in the way. See `Player.run`."""
        if self._ranges and not self._blocks:
            self._lay_out(player.machine)
        for block in self._blocks:
            block.begin(n)
        done, self._finite = 0, True
        while done < n:
            part = min(n - done, _PIECE)
            copies = [(block.source, block.copied(done, part)) for block in self._blocks]
            sums = [(flat, sums[done : done + part]) for flat, sums in squares]
            went = player.run(part, Taps(hooks=hooks, copies=copies, squares=sums))
            for block in self._blocks:
                block.take(done, went)
                self._finite = self._finite and not (self._watched and not _all_finite(block.copied(done, went)))
            done += went
            if went < part:
                break
        return done

    @property
    def finite(self) -> bool:
        """Whether everything was finite that was copied aside in the last run, in blocks or alone."""
        return self._finite

    def rows(self, index: int, n: int, *, before: bool = False) -> Rows:
        """The n iterations as they were just after instruction `index`, or what lasts of them just before it."""
        writers, slots = self._program.writers, self._program.slots

        def flat(slot: str, start: int, stop: int) -> Array:
            old = slots[slot].persistent and writers.get(slot, -1) > index - before
            block, at = self._where[slot]
            first = at + start - self._ranges[slot][0]
            # Numbers side by side are added up in one order, however far apart the rows lie.
            rows = block.kept[0 if old else 1 : n + (not old), first : first + stop - start]
            return rows if stop - start == 1 else np.ascontiguousarray(rows)

        return Rows(n, self._computed[index], flat)

    # Inside

    def _lay_out(self, machine: Machine) -> None:
        """What is small and lies near each other is copied at once."""
        whole, begun = machine.whole, []
        for slot, (start, stop) in self._ranges.items():
            source = machine.arrays[slot].reshape(-1)[start:stop]
            if source.size <= _FEW and np.may_share_memory(source, whole):
                begun.append((place(whole, source), slot))
            else:
                self._add(_Block(source), {slot: 0})
        for near in _near(begun):
            first = near[0][0].start
            wanted = np.concatenate([np.arange(where.start, where.stop) for where, _ in near]) - first
            ends = np.cumsum([where.stop - where.start for where, _ in near])
            slots = {slot: int(end) - (where.stop - where.start) for (where, slot), end in zip(near, ends, strict=True)}
            self._add(_Block(whole[first : near[-1][0].stop], wanted), slots)

    def _add(self, block: _Block, slots: Mapping[str, int]) -> None:
        self._blocks.append(block)
        self._where |= {slot: (block, at) for slot, at in slots.items()}


def _grown(rows: Array, n: int, cells: int, kind: np.dtype[Any]) -> Array:
    """Room for n rows: the same, if there is."""
    return rows if len(rows) >= n else np.empty((n, cells), kind)


def _all_finite(rows: Array) -> bool:
    """One pass, and nothing is written; squares may overflow where the numbers do not."""
    flat = rows.reshape(-1)
    if flat.dtype.kind != "f":
        return True
    return bool(np.isfinite(flat.dot(flat)) or np.isfinite(flat).all())


def _near(ranges: list[tuple[slice, str]]) -> list[list[tuple[slice, str]]]:
    """Ranges in groups between which there is a gap."""
    groups: list[list[tuple[slice, str]]] = []
    end = 0
    for where, slot in sorted(ranges, key=lambda one: one[0].start):
        if not groups or where.start - end > _GAP:
            groups.append([])
        groups[-1].append((where, slot))
        end = where.stop
    return groups


def side_by_side(machine: Machine, slots: Sequence[str]) -> list[Array]:
    """Flat arrays that hold these slots, those that lie near each other in one."""
    begun, alone = [], []
    for slot in slots:
        array = machine.arrays[slot].reshape(-1)
        if np.may_share_memory(array, machine.whole):
            begun.append((place(machine.whole, array), slot))
        elif array.dtype.kind == "f":
            alone.append(array)
    return [*(machine.whole[near[0][0].start : near[-1][0].stop] for near in _near(begun)), *alone]
