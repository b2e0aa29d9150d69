"""The cache around a timeline: buffers, checkpoints and the present moment; one verb, `goto`.

Whatever it keeps could be thrown away and computed again to the same bits. Tests compare every walk with a player
that did just that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bptui.engine.checkpoints import MEMORY, Checkpoints, Losses
from bptui.engine.layout import place
from bptui.engine.machine import NO_TAPS, Machine, Taps
from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.engine.timeline import START, Edit, Position, Timeline, first_difference, normal


@dataclass(frozen=True, eq=False)
class State:
    """A copy of every slot at one moment. `computed[slot]` cells, from the first on, are there; the rest are nan."""

    position: Position
    arrays: dict[str, Array]
    computed: dict[str, int]

    def same_bits(self, other: State) -> bool:
        """Whether two states are the same to the bit."""
        return (
            self.position == other.position
            and self.computed == other.computed
            and all(array.tobytes() == other.arrays[name].tobytes() for name, array in self.arrays.items())
        )


@dataclass(frozen=True, eq=False)
class Moment:
    """One instruction as it was carried out: the state it read and the state it left."""

    index: int
    before: State
    after: State


class Player:
    """Buffers that stand at `position` of `timeline`.

    A checkpoint `t` is the flat vector (what lasts, but for data) at the start of iteration t, its edits included.
    """

    def __init__(self, timeline: Timeline, memory: int = MEMORY) -> None:
        self.timeline = timeline
        self.machine = Machine(timeline.program)
        self.position = START
        self.losses = Losses(memory)
        nbytes = self.machine.vector.nbytes
        self.checkpoints = Checkpoints(nbytes, _stride(timeline.program, nbytes), memory)
        self._wanted: set[int] = set()
        self._count = len(timeline.program)
        self._begun: tuple[int, Array] | None = None
        self._data_edited = False
        self._apply(timeline.at(START))
        self._keep(0)

    @property
    def program(self) -> Program:
        """The program that is played."""
        return self.timeline.program

    def goto(self, timeline: Timeline, position: Position) -> None:
        """Make the buffers those of `position` on `timeline`, from whatever is nearest and still holds.

        Where it is interrupted, or a person's own op raises, it stands where it stood, or at the very start.
        """
        before, here = self.timeline, self.position
        try:
            self._go(timeline, position)
        except BaseException:
            self._recover(before, here)
            raise

    def _go(self, timeline: Timeline, position: Position) -> None:
        with self.machine.quiet():
            self._switch(timeline)
            passed = position.iteration - self.position.iteration
            if position < self.position and not self._rewind(position):
                self._restore(position)
                if -passed <= _WALK:
                    self._wanted = self.checkpoints.plan(self.position.iteration, position.iteration)
            elif passed > 1 and self.checkpoints.last(position.iteration) > self.position.iteration + 1:
                self._restore(position)
            self._advance(position)
            self._wanted.clear()

    def _recover(self, timeline: Timeline, here: Position) -> None:
        """Make the buffers those of a position on a timeline again, after they were left half done."""
        self._wanted.clear()
        with self.machine.quiet():
            try:
                self._switch(timeline)
                self._restore(here)
                self._advance(here)
            except BaseException:
                self._restart()
                raise

    def run(self, n: int, taps: Taps = NO_TAPS) -> int:
        """Up to n whole iterations from an iteration's end, or from the start; how many until an edit is in the way.

        Raises FloatingPointError, where NumPy was told to, and whatever a hook raises; then it stands where it stood.
        """
        here = self.position
        t = here.iteration + (here.op > 0)
        if here not in (START, Position(here.iteration, len(self.program))):
            raise ValueError(f"{here} is no iteration's end")
        edit = next(self.timeline.after(here), None)
        n = n if edit is None else min(n, edit.position.iteration - t)
        done, losses = 0, np.empty(max(0, n))
        try:
            while done < n:
                self._keep(t + done)
                part = min(n - done, self._until_kept(t + done))
                if done + part == n and part > 1:
                    part -= 1  # what was there before the last one's updates is asked for
                elif done + part == n:
                    self._begun = t + done, self.machine.vector.copy()
                self.machine.run(t + done, part, losses, taps, done)
                done += part
        except BaseException:
            self._recover(self.timeline, here)
            raise
        if n > 0:
            self._passed(t, losses)
        return done

    def begun(self, slot: str) -> Array | None:
        """A lasting slot as it was at the present iteration's start, or None where that is not kept."""
        if self._begun is None or self._begun[0] != self.position.iteration or self.timeline.edited_in(self._begun[0]):
            return None
        array, vector = self.machine.arrays[slot], self.machine.vector
        if not np.may_share_memory(array, vector):
            return None
        return self._begun[1][place(vector, array)].reshape(array.shape)

    def live(self) -> State:
        """The present moment, not copied: good until the next step. What is not computed holds any numbers."""
        return State(self.position, self.machine.arrays, self.computed())

    def state(self, earlier: State | None = None) -> State:
        """A copy of the present moment; of an earlier copy from this timeline all that is still so is taken over."""
        computed = self.computed()
        arrays = {} if earlier is None else self._still(earlier, computed)
        for name, array in self.machine.arrays.items():
            if name in arrays:
                continue
            copy = array.copy()
            if array.dtype.kind == "f":
                copy.reshape(-1)[computed[name] :] = np.nan
            elif not computed[name]:
                copy[...] = -1
            copy.flags.writeable = False
            arrays[name] = copy
        return State(self.position, arrays, computed)

    def _still(self, earlier: State, computed: dict[str, int]) -> dict[str, Array]:
        """The arrays of an earlier copy that nothing has written since; none after more than an iteration."""
        first, last = sorted((earlier.position, self.position))
        written: set[str] = set()
        if first.op == self._count and last.iteration == first.iteration + 1:
            # What is given anew with each iteration is there with its first operation.
            first = Position(last.iteration)
            written = {name for name, slot in self.program.slots.items() if slot.given}
        if first.iteration != last.iteration or any(True for _ in self.timeline.between(first, last)):
            return {}
        between = self.program.instructions[first.op : last.op + (last.element > 0)]
        written |= {instruction.writes for instruction in between}
        there = earlier.computed
        return {n: array for n, array in earlier.arrays.items() if n not in written and there[n] == computed[n]}

    def computed(self) -> dict[str, int]:
        """For each slot how many of its cells are there at the present position."""
        return computed_cells(self.program, self.position)

    def _switch(self, timeline: Timeline) -> None:
        """Change to a timeline, keeping of the past what both have in common."""
        if timeline is self.timeline:
            return
        first, only_more = first_difference(self.timeline, timeline)
        if first is None:
            self.timeline = timeline
            return
        # Iteration t starts at the end of the one before: that lies before `first` up to first's own iteration.
        self.checkpoints.drop_after(first.iteration if first != START else -1)
        self.losses.cut(first.iteration + (first.op == len(self.program)))
        if self._begun is not None and first <= Position(self._begun[0]):
            self._begun = None
        self.timeline = timeline
        if first == START:
            self._restart()
        elif self.position > first or (self.position == first and not only_more):
            self._restore(self.position)
        elif self.position == first:
            self._apply(timeline.at(first))

    def _restart(self) -> None:
        self.machine.reset()
        self._apply(self.timeline.at(START))
        self.position = START
        self._keep(0)

    def _rewind(self, position: Position) -> bool:
        """Step back by moving the position alone, where nothing that lasts was written in between."""
        here = self.position
        if position.iteration != here.iteration or any(True for _ in self.timeline.between(position, here)):
            return False
        undone = self.program.instructions[position.op : here.op + (here.element > 0)]
        if any(instruction.phase == "update" for instruction in undone):
            return False
        self.position = position
        return True

    def _restore(self, position: Position) -> None:
        """Go to the last checkpoint whose iteration is not after that of `position`."""
        if self._begun is not None and self._begun[0] == position.iteration:
            t, kept = self._begun
        else:
            t = self.checkpoints.last(position.iteration)
            kept = self.checkpoints[t]
        np.copyto(self.machine.vector, kept)
        self.position = Position(t)
        self._restore_data()

    def _restore_data(self) -> None:
        """Data are in no checkpoint, since nothing but an edit changes them: begin anew, and edit as far as here."""
        if not self._data_edited and not self.timeline.edits:
            return
        here = _written(self.program, self.position)
        edits = [edit for edit in self.timeline.ordered if self._is_data(edit.slot) and edit.position <= here]
        if self._data_edited:
            for name in self.program.initial:
                if self._is_data(name):
                    np.copyto(self.machine.arrays[name], self.program.initial[name])
        self._write(edits)
        self._data_edited = bool(edits)

    def _is_data(self, name: str) -> bool:
        slot = self.program.slots[name]
        return slot.kind == "data" and slot.persistent

    def _advance(self, target: Position) -> None:
        """Play forward to `target`, with every edit on the way."""
        if not self.timeline.edits:
            if self.position < target:
                self._play(target)
            return
        waiting = list(self.timeline.between(_written(self.program, self.position), target))
        while self.position < target:
            stop = min([target, *(edit.position for edit in waiting[:1])])
            self._play(stop)
            while waiting and waiting[0].position == self.position:
                self._apply([waiting.pop(0)])

    def _play(self, stop: Position) -> None:
        """Play forward to `stop`, with no edit on the way before it."""
        here = self.position
        if here.op == self._count:
            here = self.position = Position(here.iteration + 1)
        if here.op or here.element:
            if here.iteration < stop.iteration:
                self._play_within(Position(here.iteration, self._count))
                self._play(stop)
                return
        else:
            self._pass(here.iteration, stop.iteration)
            self._begin(stop.iteration)
            if stop.op == self._count:
                self._run(stop.iteration, 1)
        self._play_within(stop)

    def _pass(self, t: int, until: int) -> None:
        """The iterations from t on that are to be passed whole, keeping those that are wanted."""
        while t < until:
            self._keep(t)
            n = min(until - t, self._until_kept(t))
            self._run(t, n)
            t += n

    def _begin(self, t: int) -> None:
        """Where one stops is stepped, and its beginning kept: what was there before an update is asked for."""
        self._keep(t)
        self._begun = t, self.machine.vector.copy()
        self.position = Position(t)
        self.machine.begin(t)

    def _until_kept(self, t: int) -> int:
        """The iterations from t on until the next that is to be kept."""
        return self.checkpoints.stride - t % self.checkpoints.stride

    def _run(self, t: int, n: int) -> None:
        """Iterations t … t+n−1, whole."""
        losses, done = np.empty(n), 0
        near = sorted(k - t for k in self._wanted if t < k < t + n) if self._wanted else []
        if near and self.machine.vector.nbytes * n <= _ASIDE:
            # What lasts is copied aside in every iteration: a run in pieces would take several times as long.
            kept = np.empty((n, self.machine.vector.size), self.machine.dtype)
            self.machine.run(t, n, losses, Taps(copies=[(self.machine.vector, kept)]))
            for k in near:
                self.checkpoints.keep_near(t + k, kept[k - 1])
        else:
            for k in (*near, n):
                self.machine.run(t + done, k - done, losses, NO_TAPS, done)
                done = k
                if k < n:
                    self.checkpoints.keep_near(t + k, self.machine.vector)
        self._passed(t, losses)

    def _passed(self, t: int, losses: Array) -> None:
        """Iterations from t on have been run."""
        self.losses.put(t, losses)
        self.position = Position(t + len(losses) - 1, self._count)

    def _play_within(self, stop: Position) -> None:
        """Play inside one iteration, as far as `stop` or the iteration's end."""
        here, count = self.position, self._count
        if here.op == count:
            return
        last = (stop.op, stop.element) if stop.iteration == here.iteration else (count, 0)
        op, element = here.op, here.element
        if element:
            until = last[1] if last[0] == op else self.program.size(op)
            self.machine.execute(op, element, until)
            op, element = (op, until) if last[0] == op else (op + 1, 0)
        self.machine.through(op, last[0])
        if last[1] and (op, element) < last:
            self.machine.execute(last[0], 0, last[1])
        self.position = Position(here.iteration, *last)
        if last[0] == count:
            self._note_loss()

    def _apply(self, edits: Iterable[Edit]) -> None:
        self._write(edits)
        if self.position.op == len(self.program):
            self._note_loss()

    def _write(self, edits: Iterable[Edit]) -> None:
        for edit in edits:
            self.machine.arrays[edit.slot].reshape(-1)[list(edit.cells)] = edit.values
            self._data_edited = self._data_edited or self._is_data(edit.slot)

    def _note_loss(self) -> None:
        """At an iteration's end: its loss, which an edit made just there may still change."""
        t = self.position.iteration
        self.losses.put(t, self.machine.arrays["loss"].reshape(1))

    def _keep(self, t: int) -> None:
        """Save the start of iteration t, if it is wanted."""
        self.checkpoints.keep(t, self.machine.vector)
        if t in self._wanted:
            self.checkpoints.keep_near(t, self.machine.vector)


# From so few iterations further on one is walking back, and will go on with it: checkpoints are left near.
_WALK = 16
# Bytes that may be copied aside on the way there.
_ASIDE = 2**22
# Seconds, roughly, on a present-day processor: what an instruction costs at least, what a cell of its result adds, and
# what keeping a checkpoint costs beside its bytes, which go to memory that was not in use before. Only the distance of
# checkpoints depends on them, never a value.
_INSTRUCTION, _CELL, _CHECKPOINT, _BYTE = 5e-7, 1e-9, 6e-6, 6e-10
_SHARE = 0.03


def _stride(program: Program, nbytes: int) -> int:
    """The least power of 2 at which keeping checkpoints costs no more than a small share of a free run."""
    least = (_CHECKPOINT + _BYTE * nbytes) / (_SHARE * estimated_seconds(program))
    return 1 << max(0, math.ceil(math.log2(least)))


@lru_cache(maxsize=8)
def estimated_seconds(program: Program) -> float:
    """What an iteration takes, roughly: good for choosing how much to do, never for what comes out."""
    return sum(_INSTRUCTION + _CELL * _work(program, k) for k in range(len(program)))


def _work(program: Program, index: int) -> int:
    """Cells of the result; for a product its multiply-adds, of which twenty take the time of a cell."""
    instruction, size = program.instructions[index], program.size(index)
    if "@" not in instruction.text:
        return size
    a, b = (program.slots[slot].size for slot in instruction.reads[:2])
    return max(size, round(math.sqrt(a * b * size)) // 20)


def computed_cells(program: Program, position: Position) -> dict[str, int]:
    """For each slot how many of its cells, from the first on, are there at a position."""
    result = {}
    begun = position.op > 0 or position.element > 0
    for slot in program.slots.values():
        k = program.writers.get(slot.name)
        if slot.persistent:
            result[slot.name] = slot.size
        elif k is None:
            result[slot.name] = slot.size if begun else 0
        elif k < position.op:
            result[slot.name] = slot.size
        else:
            result[slot.name] = position.element if k == position.op else 0
    return result


def state_at(timeline: Timeline, position: Position) -> State:
    """The state at a position, computed from the very start."""
    player = Player(timeline)
    player.goto(timeline, position)
    return player.state()


def _written(program: Program, position: Position) -> Position:
    """A position as it is written; inside the player `3:0` stands for a restored start of iteration 3."""
    return normal(program, position.iteration, position.op, position.element)
