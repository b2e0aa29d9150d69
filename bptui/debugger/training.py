"""Free running for a result: train until a condition or a count is met, with no position to go back to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bptui.debugger.expressions import Expression
from bptui.engine.freerun import FreeRun, Halt
from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.player import State, computed_cells
from bptui.engine.program import Program
from bptui.engine.timeline import Position

_REPORTS = 20
Progress = Callable[[int, float, dict[str, Array]], None]


@dataclass(frozen=True, eq=False)
class Result:
    """How a run ended: the updates made, the loss of the weights after them, why, and those weights.

    arrays  every slot that lasts
    where   the instruction that made what is not finite, in words, or ""
    """

    iterations: int
    loss: float
    reason: str
    parameters: dict[str, Array]
    arrays: dict[str, Array]
    where: str = ""


def train(
    program: Program,
    iterations: int,
    until: Expression | None = None,
    progress: Progress | None = None,
    every: int = 1,
) -> Result:
    """Train; `until` is looked at whenever an iteration's loss is known, the last time after the last update.

    What is not finite ends the run. `progress` is told every so many iterations: the iteration, its loss, and every
    slot that lasts as it is at that iteration's start.
    """
    return _Run(program, until, progress, max(1, every)).train(iterations)


class _Run:
    """One run, in stretches between two reports of progress."""

    def __init__(self, program: Program, until: Expression | None, progress: Progress | None, every: int) -> None:
        self.program = program
        self.until = until
        self.progress = progress
        self.every = every
        self.machine = Machine(program)
        self.free = FreeRun(self.machine)
        known = Position(0, program.loss_index + 1)
        self.state = State(known, self.machine.arrays, computed_cells(program, known))

    def train(self, iterations: int) -> Result:
        t, stops = 0, [(self.program.loss_index, self._holds)] if self.until is not None else []
        if self.until is not None:
            # A condition that is none says so before anything else is said.
            self._loss(0)
            self._holds()
        while t < iterations:
            self._report(t)
            n = min(self.every - t % self.every, iterations - t)
            losses = np.empty(n)
            halt = self.free.run(t, n, losses, stops)
            if halt is not None:
                return self._halted(halt)
            t += n
        return self._last(iterations)

    def _holds(self) -> bool:
        return self.until is not None and self.until.holds(self.state)

    def _report(self, t: int) -> None:
        """The loss of iteration t, computed ahead: nothing that lasts is changed before the update."""
        if self.progress is not None and t % self.every == 0:
            self.progress(t, self._loss(t), self._lasting())

    def _loss(self, t: int) -> float:
        with self.machine.quiet():
            self.machine.begin(t)
            self.machine.segment(0, self.program.loss_index + 1)()
        return float(self.machine.arrays["loss"])

    def _last(self, t: int) -> Result:
        """After the last update: one more forward pass, and one more look at the condition."""
        loss = self._loss(t)
        if self.progress is not None and t % self.every == 0:
            self.progress(t, loss, self._lasting())
        reason = "until" if self._holds() else "iterations" if math.isfinite(loss) else "nan"
        return self._result(t, loss, reason)

    def _halted(self, halt: Halt) -> Result:
        loss = float(self.machine.arrays["loss"]) if halt.done > self.program.loss_index else math.nan
        if halt.finite:
            return self._result(halt.iteration, loss, "until")
        return self._result(halt.iteration, loss, "nan", blamed(self.program, halt.iteration, halt.done))

    def _result(self, t: int, loss: float, reason: str, where: str = "") -> Result:
        arrays = self._lasting()
        parameters = {name: arrays[name] for name in self.program.parameters}
        return Result(t, loss, reason, parameters, arrays, where)

    def _lasting(self) -> dict[str, Array]:
        slots = self.program.slots
        return {name: array.copy() for name, array in self.machine.arrays.items() if slots[name].persistent}


def pace(iterations: int) -> int:
    """How many iterations lie between two reports of a long run."""
    return max(1, iterations // _REPORTS)


def blamed(program: Program, iteration: int, done: int) -> str:
    """The instruction done last, in words: it made what is not finite."""
    return f"operation {done} of iteration {iteration}, {program.instructions[done - 1].source}"


def unknown_at_loss(program: Program, expression: Expression) -> str:
    """A slot that the expression reads and that is never there when the loss is known, or ""."""
    there = computed_cells(program, Position(0, program.loss_index + 1))
    return next((slot for slot in sorted(expression.slots) if not there[slot]), "")
