"""What `trace` and `run` print: text for people, JSON Lines for programs."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from bptui.commands.wording import number_text, value_text, where_line
from bptui.debugger import expressions
from bptui.debugger.debugger import Debugger
from bptui.debugger.training import Result, train, unknown_at_loss
from bptui.engine.player import Player
from bptui.engine.program import Program
from bptui.engine.timeline import Position, Timeline
from bptui.files.text import safe

_MOST_PROGRESS = 20


def trace(program: Program, iterations: int, style: str, digits: int | None = None) -> None:
    """Print every instruction of every iteration with the value it wrote."""
    if style == "text":
        debugger = Debugger(program.network)
        for _ in range(iterations * len(program)):
            print(safe(where_line(debugger.next(), digits)))
        return
    timeline = Timeline(program)
    player = Player(timeline)
    for iteration in range(iterations):
        for op, instruction in enumerate(program.instructions, 1):
            player.goto(timeline, Position(iteration, op))
            row = {
                "iteration": iteration,
                "op": op,
                "phase": instruction.phase,
                "source": instruction.source,
                "reads": list(dict.fromkeys(instruction.reads)),
                "writes": instruction.writes,
                "value": plain(player.machine.arrays[instruction.writes]),
            }
            print(_json(row))


def run(program: Program, iterations: int, until: str | None, style: str, digits: int | None = None) -> None:
    """Train and print how it ended; as text, with some of the losses on the way."""
    condition = None if until is None else expressions.parse(program, until)
    if condition is not None and (slot := unknown_at_loss(program, condition)):
        raise ValueError(f"--until {until}: {slot} is not computed yet when an iteration's loss is known")
    every = max(1, iterations // _MOST_PROGRESS)

    def progress(iteration: int, loss: float) -> None:
        if style == "text" and iteration % every == 0:
            print(f"iteration {iteration:>6}  loss {number_text(loss, digits)}")

    result = train(program, iterations, condition, progress)
    print(_summary(result, until, digits) if style == "text" else _json(_result(result)))


def _result(result: Result) -> dict[str, Any]:
    return {
        "iterations": result.iterations,
        "loss": plain(np.float64(result.loss)),
        "reason": result.reason,
        "parameters": {name: plain(value) for name, value in result.parameters.items()},
    }


def _summary(result: Result, until: str | None, digits: int | None) -> str:
    why = {"until": f"{until} came true", "iterations": "all iterations done", "nan": "the loss is not finite"}
    lines = [f"after {result.iterations} updates: loss {number_text(result.loss, digits)} ({why[result.reason]})"]
    lines += [f"  {name} = {value_text(value, digits)}" for name, value in result.parameters.items()]
    return "\n".join(safe(line) for line in lines)


def plain(value: Any) -> Any:
    """Nested lists of floats; what is not finite as a word, since JSON has no number for it."""
    array = np.asarray(value)
    if array.ndim:
        return [plain(part) for part in array]
    if array.dtype.kind == "i":
        return int(array)
    number = float(array)
    if math.isfinite(number):
        return number
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
