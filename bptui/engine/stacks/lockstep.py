"""Many forks in lockstep on a stack, each ending as it would alone.

A stack runs a stretch of iterations without looking, as `FreeRun` runs one machine. Its floating-point flags are those
of all lanes together, so where one is raised it has to be found out whose it was: those lanes are run alone through
that stretch, the others once more without them. A lane that has ended is made a copy of another, so that nothing more
happens in it; where every second lane has ended, the rest goes on in a narrower stack.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bptui.engine.freerun import PATIENCE, STRETCH, stretches
from bptui.engine.machine import Taps
from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.engine.stacks.alone import Alone
from bptui.engine.stacks.proving import prove
from bptui.engine.stacks.stack import Saved, Stack, spread
from bptui.engine.stacks.watching import raising

# The most lanes of a stack, and the bytes that it may take unless there are few: what is near a core and not shared.
_MOST_LANES, _CACHE = 1024, 5 * 2**20
# So few forks are run alone: a stack would not pay.
FEW = 4
# A narrower stack has to be made and proved, which so many iterations have to pay for.
_WORTH = 200


@dataclass(frozen=True)
class Item:
    """Forks at the start of one iteration; deaf ones have raised so many false alarms that flags are ignored."""

    t: int
    forks: Sequence[int]
    deaf: bool


class Lockstep:
    """Runs the forks of a course in stacks."""

    def __init__(self, alone: Alone) -> None:
        self.alone = alone
        self.varying = spread(alone.program, _different(alone))
        self.most = _lanes(alone.program, self.varying)
        self._stacks: dict[int, Stack] = {}

    def prepare(self, forks: int) -> None:
        """Make the stack for so many forks. Raises LanesError where they have to be run alone."""
        if forks >= FEW:
            self._stack(self._width(forks))

    def _width(self, forks: int) -> int:
        """So many lanes that a number of forks fills its stacks evenly."""
        stacks = -(-forks // self.most)
        return max(1, -(-forks // max(1, stacks)))

    def run(self, forks: Sequence[int], start: int, end: int, *, last: bool) -> None:
        """Whole iterations, and where they are the last also the forward pass after them."""
        size = self._width(len(forks))
        waiting = deque(Item(start, forks[k : k + size], deaf=False) for k in range(0, len(forks), size))
        while waiting:
            item = waiting.popleft()
            if len(item.forks) < FEW:
                self._one_by_one(item, end, last=last)
                continue
            batch = _Batch(self.alone, self._stack(len(item.forks)), item)
            waiting += batch.run(end)
            if last:
                batch.last()

    def _one_by_one(self, item: Item, end: int, *, last: bool) -> None:
        for fork in item.forks:
            self.alone.whole(fork, item.t, end)
            if last and fork not in self.alone.ending:
                self.alone.last(fork)

    def _stack(self, width: int) -> Stack:
        """A stack for so many forks: one that is not more than twice as wide, else a new one."""
        fitting = [known for known in self._stacks if width <= known < 2 * width]
        if fitting:
            return self._stacks[min(fitting)]
        machine = self.alone.machine
        kept = machine.vector.copy(), machine.data.copy()
        stack = Stack(self.alone.program, width, self.varying)
        try:
            prove(stack, machine)
        finally:
            machine.vector[...], machine.data[...] = kept
        self._stacks[width] = stack
        return stack


def _lanes(program: Program, varying: Collection[str]) -> int:
    """How many lanes a stack may have: so many that a call costs little, and no more than the caches hold."""
    size = np.dtype(program.network.dtype).itemsize * sum(program.slots[name].size for name in varying)
    return max(FEW, min(_MOST_LANES, _CACHE // max(1, size)))


def _different(alone: Alone) -> set[str]:
    """The slots in which the forks differ to begin with."""
    field = alone.field
    seeds = len(set(field.seeds)) > 1
    return {
        slot.name
        for slot in alone.program.slots.values()
        if (slot.persistent and field.differs(slot.name)) or (slot.kind in ("rows", "mask") and seeds)
    }


class _Batch:
    """Forks on a stack; lanes beyond them are copies of the first."""

    def __init__(self, alone: Alone, stack: Stack, item: Item) -> None:
        self.alone = alone
        self.stack = stack
        self.t = item.t
        self.deaf = item.deaf
        self.forks = [*item.forks, *[item.forks[0]] * (stack.width - len(item.forks))]
        self.live = np.arange(stack.width) < len(item.forks)
        self._parked: list[Item] = []
        self._losses = np.empty((STRETCH, stack.width))
        self._holds = np.zeros((STRETCH, stack.width), bool)
        until = alone.course.until
        looks = until is not None and not until.of_loss
        self._taps = Taps(hooks=[(stack.program.loss_index, self._look)] if looks else [])
        field = alone.field
        seeds = [field.seeds[fork] for fork in self.forks]
        stack.load(field.vectors[self.forks], field.data_of(self.forks), seeds)

    def run(self, end: int) -> list[Item]:
        """Whole iterations; what has to go on in another stack."""
        for t, length in stretches(self.t, end, self.alone.course.every):
            self._stretch(t, self._losses[:length])
            self.alone.course.watch(length * int(self.live.sum()))
            self.t = t + length
            self._park_deaf()
            if self.live.any() and self._narrow(end):
                self._park(self.live.copy(), deaf=self.deaf)
            if not self.live.any():
                break
        self._keep(self.live)
        return self._parked

    def last(self) -> None:
        """After the last update: the loss of the weights after it, and one more look at the condition."""
        stack, until = self.stack, self.alone.course.until
        with stack.quiet():
            stack.begin(self.alone.course.end)
            stack.segment(0, stack.program.loss_index + 1)()
        losses = np.empty(stack.width)
        losses[...] = stack.arrays["loss"]
        holds = np.zeros(stack.width, bool) if until is None else until.over(stack.width, stack.cells)
        for lane in np.flatnonzero(self.live):
            self.alone.end(self.forks[lane], float(losses[lane]), until=bool(holds[lane]))

    # A stretch

    def _stretch(self, t: int, losses: Array) -> None:
        """Run all that live through a stretch; those that end are no longer live after it."""
        saved = self.stack.save()
        apart = self.live & ~self._together(t, losses, saved)
        stopped = self._stopped(t, losses, saved, self.live & ~apart)
        if apart.any():
            after = self.stack.save()
            self.stack.restore(saved)
            self._keep(apart)
            self.stack.restore(after)
        for lane in np.flatnonzero(apart).tolist():
            self._alone(lane, t, losses)
        ended = np.array([fork in self.alone.ending for fork in self.forks])
        self._leave(stopped | (apart & ended))

    def _together(self, t: int, losses: Array, saved: Saved) -> Array:
        """Run all; the lanes in which nothing was amiss. What the others hold is of no worth."""
        if self._runs(t, losses):
            return np.asarray(np.isfinite(losses).all(0))
        # Those that blow up are found at once by letting them.
        self.stack.restore(saved)
        with self.stack.quiet():
            self.stack.run(t, len(losses), losses, self._taps)
        well = self.live & np.isfinite(losses).all(0) & self.stack.finite()
        if not well.any():
            return well
        self.stack.restore(saved)
        self.stack.silence(~well, int(well.argmax()))
        if self._runs(t, losses):
            return well
        self.stack.restore(saved)
        return well & ~raising(self.stack, self.alone.machine, (t, losses, self._taps), well)

    def _runs(self, t: int, losses: Array) -> bool:
        """Whether a stretch goes through without a flag."""
        flags: Literal["ignore", "raise"] = "ignore" if self.deaf else "raise"
        try:
            with np.errstate(over=flags, invalid=flags, divide=flags, under="ignore"):
                self.stack.run(t, len(losses), losses, self._taps)
        except FloatingPointError:
            return False
        return True

    def _stopped(self, t: int, losses: Array, saved: Saved, lanes: Array) -> Array:
        """End those of some lanes in which the condition came true; which they are."""
        holds = self._true(losses)
        stopped = lanes & holds.any(0)
        if not stopped.any():
            return stopped
        # When the loss is known nothing that lasts has changed since the start of the iteration: go there once more.
        after, firsts, now = self.stack.save(), holds.argmax(0), 0
        self.stack.restore(saved)
        for k in sorted(set(firsts[stopped].tolist())):
            with self.stack.quiet():
                self.stack.run(t + now, k - now, np.empty((k - now, len(lanes))))
            now = k
            here = stopped & (firsts == k)
            self._keep(here)
            for lane in np.flatnonzero(here):
                fork = self.forks[lane]
                self.alone.field.put(self.alone.machine, fork)
                self.alone.note(fork, t + k, float(losses[k, lane]), "until")
        self.stack.restore(after)
        return stopped

    def _true(self, losses: Array) -> Array:
        """Where the condition was true: (iterations, width)."""
        until, holds = self.alone.course.until, self._holds[: len(losses)]
        if until is not None and until.of_loss:
            flat = losses.reshape(-1, 1).astype(self.stack.dtype)
            holds[...] = until.over(losses.size, lambda _, start, stop: flat[:, start:stop]).reshape(losses.shape)
        return holds

    def _look(self, k: int) -> None:
        """Look at the condition in every lane, in the iteration k of a stretch."""
        until = self.alone.course.until
        assert until is not None
        self._holds[k] = until.over(self.stack.width, self.stack.cells)

    def _alone(self, lane: int, t: int, losses: Array) -> None:
        """Run one lane through the stretch by itself."""
        fork, field = self.forks[lane], self.alone.field
        field.put(self.alone.machine, fork)
        self.alone.stretch(fork, t, np.empty(len(losses)))
        if fork not in self.alone.ending:
            field.take(self.alone.machine, fork)
            self.stack.put(lane, field.vectors[fork], field.data[fork], field.seeds[fork])

    # Lanes that leave

    def _leave(self, lanes: Array) -> None:
        """Nothing more happens in lanes but what happens in one that lives."""
        self.live &= ~lanes
        if self.live.any():
            self.stack.silence(~self.live, int(self.live.argmax()))

    def _keep(self, lanes: Array) -> None:
        """Write where lanes stand to the field."""
        if not lanes.any():
            return
        rows = np.empty((self.stack.width, self.alone.field.vectors.shape[1]), self.stack.dtype)
        self.stack.store(rows)
        for lane in np.flatnonzero(lanes):
            self.alone.field.vectors[self.forks[lane]] = rows[lane]

    def _park(self, lanes: Array, *, deaf: bool) -> None:
        """Lanes that go on in another stack."""
        if lanes.any():
            self._keep(lanes)
            self._parked.append(Item(self.t, [self.forks[lane] for lane in np.flatnonzero(lanes)], deaf=deaf))
            self._leave(lanes)

    def _park_deaf(self) -> None:
        """What raised too many false alarms goes on among its like, where flags are ignored."""
        if not self.deaf:
            alarms = np.array([self.alone.field.alarms[fork] for fork in self.forks])
            self._park(self.live & (alarms >= PATIENCE), deaf=True)

    def _narrow(self, end: int) -> bool:
        """Whether a narrower stack would be worth being made."""
        living = int(self.live.sum())
        return living < FEW or (2 * living <= self.stack.width and end - self.t >= _WORTH)
