"""Whose flag it was: a stretch of a stack, looked at instruction by instruction."""

from __future__ import annotations

import numpy as np

from bptui.engine.machine import Machine, Taps
from bptui.engine.network import Array
from bptui.engine.stacks.stack import Stack

# So many instructions that raise a flag, and all lanes are run alone.
_MOST = 16


class _TooManyError(Exception):
    """It is not worth looking any further."""


def raising(stack: Stack, machine: Machine, run: tuple[int, Array, Taps], lanes: Array) -> Array:
    """Run a stretch; those of some lanes, a mask (width,), which raise a flag on the way.

    They and the lanes that are not asked about are made copies of one that raises none; the rest gets through. All of
    them where there is no end to it.

    machine  a machine alone, which tells of an instruction whether it raises one in a lane
    run      the first iteration, where the losses go, and what looks on
    """
    kept = machine.vector.copy(), machine.data.copy()
    t, losses, taps = run
    watch = _Watch(stack, machine, lanes, taps)
    try:
        with stack.quiet():
            for k in range(len(losses)):
                watch.iteration(t, k)
                losses[k] = stack.arrays["loss"]
    except _TooManyError:
        return lanes
    finally:
        machine.vector[...], machine.data[...] = kept
    return watch.found


class _Watch:
    def __init__(self, stack: Stack, machine: Machine, lanes: Array, taps: Taps) -> None:
        self.stack = stack
        self.machine = machine
        self.lanes = lanes
        self.found = np.zeros(stack.width, bool)
        self._events = 0
        self._hooks = dict(taps.hooks)
        self._silence()

    def iteration(self, t: int, k: int) -> None:
        """The iteration k of the stretch that begins with t, instruction by instruction."""
        self.stack.begin(t + k)
        for index, instruction in enumerate(self.stack.program.instructions):
            target = self.stack.arrays[instruction.writes]
            before = target.copy() if instruction.row.in_place else None
            try:
                with np.errstate(over="raise", invalid="raise", divide="raise"):
                    self.stack.execute(index)
            except FloatingPointError:
                if before is not None:
                    np.copyto(target, before)
                self._raised(index)
                self.stack.execute(index)
            if index in self._hooks:
                self._hooks[index](k)

    def _raised(self, index: int) -> None:
        """An instruction has raised a flag, and nothing of it is done: find the lanes, and silence them."""
        self._events += 1
        if self._events > _MOST:
            raise _TooManyError
        for lane in np.flatnonzero(self.lanes & ~self.found):
            self.found[lane] = self._raises(index, int(lane))
        self._silence()

    def _raises(self, index: int, lane: int) -> bool:
        stack, machine = self.stack, self.machine
        for name in set(stack.program.instructions[index].reads):
            array = stack.arrays[name]
            np.copyto(machine.arrays[name], array[lane] if name in stack.varying else array)
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                machine.execute(index)
        except FloatingPointError:
            return True
        return False

    def _silence(self) -> None:
        quiet = self.lanes & ~self.found
        if not quiet.any():
            raise _TooManyError
        self.stack.silence(~quiet, int(quiet.argmax()))
