"""Running on without looking, and stopping at the very instruction that makes a number which is not finite.

The processor notes an overflow or an invalid operation by itself; NumPy only has to be told to raise. That costs
nothing, and says no more than that something happened: 1/(1 + exp(800)) overflows on the way to a right 0. So the
stretch is run again from its start up to there, and what each instruction wrote is looked at. Products of matrices
raise no flag, so the losses are looked at too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bptui.engine.machine import Machine, Stop, Taps
from bptui.engine.network import Array

# Iterations between two looks: a snapshot of all that lasts is kept at the start of each stretch.
STRETCH = 256
# So many false alarms, and the flags are left alone: only losses are looked at from then on.
PATIENCE = 8


def stretches(start: int, end: int, every: int) -> Iterator[tuple[int, int]]:
    """(iteration, length) of the stretches from one iteration to another, none across a multiple of `every`."""
    t = start
    while t < end:
        length = min(STRETCH, every - t % every, end - t)
        yield t, length
        t += length


@dataclass(frozen=True)
class Halt:
    """Where a run ended early: after `done` instructions of an iteration; at what is not finite, or at a stop."""

    iteration: int
    done: int
    finite: bool


class FreeRun:
    """Runs a machine on from wherever it stands, at the start of an iteration.

    `alarms` counts the stretches in which a flag was raised and all was finite nevertheless.
    """

    def __init__(self, machine: Machine, alarms: int = 0) -> None:
        self.machine = machine
        self.alarms = alarms

    def run(self, iteration: int, n: int, losses: Array, stops: Sequence[tuple[int, Stop]] = ()) -> Halt | None:
        """Run n iterations; `losses` (n,) gets the loss of each. None where nothing ended the run early.

        After a halt the machine stands just behind the instruction that is to blame.
        """
        for t, length in stretches(iteration, iteration + n, iteration + n):
            halt = self.stretch(t, losses[t - iteration : t - iteration + length], stops)
            if halt is not None:
                return halt
        return None

    def stretch(self, t: int, losses: Array, stops: Sequence[tuple[int, Stop]] = ()) -> Halt | None:
        """Run one stretch, from iteration t on, as long as `losses`."""
        snapshot = self.machine.vector.copy()
        flags: Literal["ignore", "raise"] = "ignore" if self.alarms >= PATIENCE else "raise"
        losses[:] = 0.0
        try:
            with np.errstate(over=flags, invalid=flags, divide=flags, under="ignore"):
                done, index = self.machine.run(t, len(losses), losses, Taps(stops))
        except FloatingPointError:
            self.alarms += 1
            return self._again(t, snapshot, losses, stops)
        if not np.isfinite(losses[:done]).all():
            return self._again(t, snapshot, losses, stops)
        return Halt(t + done, index, finite=True) if done < len(losses) else None

    def _again(self, t: int, snapshot: Array, losses: Array, stops: Sequence[tuple[int, Stop]]) -> Halt | None:
        """Run a stretch once more, looking at everything that is written."""
        np.copyto(self.machine.vector, snapshot)
        waiting = dict(stops)
        with self.machine.quiet():
            for k in range(len(losses)):
                halt = self._iteration(t + k, waiting)
                if halt is not None:
                    return halt
                losses[k] = float(self.machine.arrays["loss"])
        return None

    def _iteration(self, t: int, stops: dict[int, Stop]) -> Halt | None:
        machine = self.machine
        machine.begin(t)
        for index, instruction in enumerate(machine.program.instructions):
            machine.execute(index)
            if not np.isfinite(machine.arrays[instruction.writes]).all():
                return Halt(t, index + 1, finite=False)
            if index in stops and stops[index]():
                return Halt(t, index + 1, finite=True)
        return None
