"""What conditions read, copied aside at the end of every iteration of a free run.

Slots of a few cells lie near each other and are copied together, with all that lies between, into a block that stays in
the cache; every so many iterations what is wanted is taken out of it. Larger slots are copied to where they are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
# Blocks are emptied after so many bytes, which are still in the cache then; not sooner than after so many iterations.
_NEAR, _FEWEST = 192 * 1024, 32
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
class _Alone:
    """The wanted cells of a large slot: before the first iteration and after each, (1 + n, cells)."""

    source: Array
    kept: Array

    def column(self, first: int, stop: int, start: int, cells: int) -> Array:
        """Some cells in some of the rows, (rows, cells), side by side in memory."""
        return np.ascontiguousarray(self.kept[first:stop, start : start + cells])


@dataclass(eq=False)
class _Block:
    """Cells that lie side by side.

    wanted  where among them lies what is wanted, one behind the other
    rows    all of them after each of a few iterations
    kept    what is wanted, before the first iteration and after each, (wanted, 1 + n)
    """

    source: Array
    wanted: Array
    rows: Array
    kept: Array

    def take(self, done: int, n: int) -> None:
        """Keep what is wanted of n iterations more."""
        self.kept[:, 1 + done : 1 + done + n] = self.rows[:n].take(self.wanted, axis=1, mode="clip").T

    def column(self, first: int, stop: int, start: int, cells: int) -> Array:
        """Some cells in some of the rows, (rows, cells), side by side in memory."""
        if cells == 1:
            return self.kept[start, first:stop, None]
        return np.ascontiguousarray(self.kept[start : start + cells, first:stop].T)


@dataclass(eq=False)
class _Sum:
    """The sum of the squares of a slot, before the first iteration and after each, (1 + n,)."""

    source: Array
    kept: Array


class Recorder:
    """Rows of slots over the iterations of a stretch.

    A slot that lasts has two values in an iteration, before its update and after; what a place sees depends on whether
    its instruction comes before. So the first row is that of the stretch's start.

    sums     slots whose sums of squares are kept
    longest  iterations of a stretch, if there is room for so many: `most` says for how many there is
    watched  it matters whether everything is finite
    """

    def __init__(
        self,
        program: Program,
        reads: Sequence[tuple[int, Reads]],
        longest: int,
        sums: Iterable[str] = (),
        *,
        watched: bool = False,
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
        self._alone: list[_Alone] = []
        self._sums: dict[str, _Sum] = {}
        self._wanted = tuple(sums)
        # Slot → what has it, and where in that.
        self._where: dict[str, tuple[_Block | _Alone, int]] = {}
        self._watched = watched
        self._finite = True
        self._computed = {index: computed_cells(program, Position(0, index + 1)) for index, _ in reads}

    def run(self, player: Player, n: int, hooks: Sequence[tuple[int, Hook]] = (), summed: Sequence[Array] = ()) -> int:
        """Up to n iterations from where a player stands; how many until an edit is in the way. See `Player.run`.

        summed  flat arrays that are looked at, besides, for being finite
        """
        if not self._where and not self._sums:
            self._lay_out(player.machine)
        self._begin(n)
        piece = self._piece(n)
        sums = [(flat, np.zeros(piece)) for flat in summed]
        done, taps, self._finite = 0, self._taps(hooks, sums, 0, piece), True
        moving = bool(self._alone or self._sums)
        while done < n:
            part = min(n - done, piece)
            taps = self._taps(hooks, sums, done, part) if done and moving else taps
            went = player.run(part, taps)
            self._take(done, went)
            self._finite = self._finite and all(np.isfinite(squares[:went]).all() for _, squares in sums)
            done += went
            if went < part:
                break
        return done

    @property
    def finite(self) -> bool:
        """Whether everything was finite that was copied aside or summed in the last run."""
        return self._finite

    def rows(self, index: int, n: int, *, before: bool = False) -> Rows:
        """The n iterations as they were just after instruction `index`, or what lasts of them just before it."""
        writers, slots = self._program.writers, self._program.slots

        def flat(slot: str, start: int, stop: int) -> Array:
            old = slots[slot].persistent and writers.get(slot, -1) > index - before
            held, at = self._where[slot]
            return held.column(0 if old else 1, n + (not old), at + start - self._ranges[slot][0], stop - start)

        def summed(slot: str) -> Array | None:
            if slot not in self._sums:
                return None
            old = slots[slot].persistent and writers.get(slot, -1) > index - before
            return self._sums[slot].kept[0 if old else 1 :][:n]

        return Rows(n, self._computed[index], flat, summed=summed)

    # Inside

    def _piece(self, n: int) -> int:
        """Iterations after which blocks are emptied."""
        cells = sum(block.source.size for block in self._blocks)
        return min(n, max(_FEWEST, _NEAR // (8 * cells))) if cells else n

    def _begin(self, n: int) -> None:
        """Make room for n iterations, which begin now."""
        piece = self._piece(n)
        for alone in self._alone:
            if len(alone.kept) < n + 1:
                alone.kept = np.empty((n + 1, alone.source.size), alone.source.dtype)
            alone.kept[0] = alone.source
        for one in self._sums.values():
            if len(one.kept) < n + 1:
                one.kept = np.empty(n + 1, one.source.dtype)
            one.kept[0] = one.source.dot(one.source)
        for block in self._blocks:
            if block.kept.shape[1] < n + 1:
                block.rows = np.empty((piece, block.source.size), block.source.dtype)
                block.kept = np.empty((block.wanted.size, n + 1), block.source.dtype)
            block.kept[:, 0] = block.source[block.wanted]

    def _taps(self, hooks: Sequence[tuple[int, Hook]], sums: Sequence[tuple[Array, Array]], done: int, n: int) -> Taps:
        """What the next n iterations are asked for."""
        copies = [(alone.source, alone.kept[1 + done : 1 + done + n]) for alone in self._alone]
        kept = [(one.source, one.kept[1 + done : 1 + done + n]) for one in self._sums.values()]
        return Taps(
            hooks=hooks,
            copies=[*copies, *((block.source, block.rows) for block in self._blocks)],
            squares=[*sums, *kept],
        )

    def _take(self, done: int, n: int) -> None:
        """N iterations more have been run."""
        for block in self._blocks:
            block.take(done, n)
        if self._watched and self._finite:
            rows = [
                *(one.kept[1 + done : 1 + done + n] for one in self._alone),
                *(one.rows[:n] for one in self._blocks),
            ]
            self._finite = all(map(all_finite, rows))

    def _lay_out(self, machine: Machine) -> None:
        """What is small and lies near each other is copied at once."""
        for slot in self._wanted:
            self._sums[slot] = _Sum(machine.arrays[slot].reshape(-1), np.empty(0))
        whole, begun = machine.whole, []
        for slot, (start, stop) in self._ranges.items():
            source = machine.arrays[slot].reshape(-1)[start:stop]
            if source.size <= _FEW and np.may_share_memory(source, whole):
                begun.append((place(whole, source), slot))
            else:
                self._alone.append(_Alone(source, np.empty((0, source.size), source.dtype)))
                self._where[slot] = self._alone[-1], 0
        for near in _near(begun):
            first, at = near[0][0].start, 0
            source = whole[first : near[-1][0].stop]
            wanted = np.concatenate([np.arange(where.start, where.stop) for where, _ in near]) - first
            nothing = np.empty((wanted.size, 0), whole.dtype)
            self._blocks.append(_Block(source, wanted, nothing, nothing))
            for where, slot in near:
                self._where[slot] = self._blocks[-1], at
                at += where.stop - where.start


def all_finite(rows: Array) -> bool:
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
