"""Free running for a result: train until a condition or a count is met, with no position to go back to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bptui.debugger.expressions import Expression
from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.player import State, computed_cells
from bptui.engine.program import Program
from bptui.engine.timeline import Position


@dataclass(frozen=True, eq=False)
class Result:
    """How a run ended: the updates made, the loss of the weights after them, why, and those weights."""

    iterations: int
    loss: float
    reason: str
    parameters: dict[str, Array]


def train(
    program: Program,
    iterations: int,
    until: Expression | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Result:
    """Train; `until` is looked at whenever an iteration's loss is known, the last time after the last update.

    A loss that is not finite ends the run. `progress` is told every iteration and its loss.
    """
    machine = Machine(program)
    known = program.loss_index + 1
    to_loss, rest = machine.segment(0, known), machine.segment(known, len(program))
    reason, t, loss = "iterations", 0, math.nan
    state = State(Position(0, known), machine.arrays, computed_cells(program, Position(0, known)))
    with machine.quiet():
        for t in range(iterations + 1):
            machine.begin(t)
            to_loss()
            loss = float(machine.arrays["loss"])
            met = until is not None and until.holds(state)
            if progress is not None:
                progress(t, loss)
            if met:
                reason = "until"
                break
            if not math.isfinite(loss):
                reason = "nan"
                break
            if t < iterations:
                rest()
    return Result(t, loss, reason, {name: machine.arrays[name].copy() for name in program.parameters})


def unknown_at_loss(program: Program, expression: Expression) -> str:
    """A slot that the expression reads and that is never there when the loss is known, or ""."""
    there = computed_cells(program, Position(0, program.loss_index + 1))
    return next((slot for slot in sorted(expression.slots) if not there[slot]), "")
