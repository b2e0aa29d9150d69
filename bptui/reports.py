"""What `trace`, `run` and `sweep` print: text for people, JSON Lines for programs."""

from __future__ import annotations

import json
import math
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bptui.commands import sweeping
from bptui.commands.wording import gradcheck_lines, number_text, short_value, value_text, where_line
from bptui.debugger import expressions
from bptui.debugger.debugger import Debugger
from bptui.debugger.metrics import Metrics
from bptui.debugger.sweeps.carrying import carry_out
from bptui.debugger.sweeps.crowd import dask, processes
from bptui.debugger.sweeps.sweep import Outcome, plan, refuse
from bptui.debugger.sweeps.variants import read_axes
from bptui.debugger.training import Result, pace, train, unknown_at_loss
from bptui.engine import gradcheck
from bptui.engine.network import Array
from bptui.engine.player import Player
from bptui.engine.program import Program
from bptui.engine.timeline import START, Position, Timeline, parse
from bptui.files.text import safe

_MOST_SHOWN = 200


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
    """Train and print how it ended; as text, with some of the losses and metrics on the way."""
    condition = None if until is None else expressions.parse(program, until)
    if condition is not None and (slot := unknown_at_loss(program, condition)):
        raise ValueError(f"--until {until}: {slot} is not computed yet when an iteration's loss is known")
    measure = Metrics(program)

    def progress(iteration: int, loss: float, arrays: Mapping[str, Array]) -> None:
        measured = "".join(f"  {name} {value:.4f}" for name, value in measure.all(arrays).items())
        print(f"iteration {iteration:>6}  loss {number_text(loss, digits)}{measured}", flush=True)

    result = train(program, iterations, condition, progress if style == "text" else None, pace(iterations))
    metrics = measure.all(result.arrays)
    print(_summary(result, metrics, until, digits) if style == "text" else _json(_result(result, metrics)))


def _result(result: Result, metrics: Mapping[str, float]) -> dict[str, Any]:
    return {
        "iterations": result.iterations,
        "loss": plain(np.float64(result.loss)),
        "reason": result.reason,
        **({"metrics": {name: plain(np.float64(value)) for name, value in metrics.items()}} if metrics else {}),
        **({"where": result.where} if result.where else {}),
        "parameters": {name: plain(value) for name, value in result.parameters.items()},
    }


def _summary(result: Result, metrics: Mapping[str, float], until: str | None, digits: int | None) -> str:
    why = {"until": f"{until} came true", "iterations": "all iterations done", "nan": "a number is not finite"}
    lines = [f"after {result.iterations} updates: loss {number_text(result.loss, digits)} ({why[result.reason]})"]
    if result.where:
        lines.append(f"  the first that is not finite was written by {result.where}")
    lines += [f"  {name} = {number_text(value, digits)}" for name, value in metrics.items()]
    lines += [f"  {name} = {_shown(value, digits)}" for name, value in result.parameters.items()]
    return "\n".join(safe(line) for line in lines)


def sweep(program: Program, asked: Namespace) -> None:
    """Carry out a sweep as it was asked for on the command line, and print how each fork ended.

    Raises SweepError, PositionError, ExpressionError or DebuggerError.
    """
    timeline = Timeline(program)
    position = START if asked.at is None else parse(program, asked.at)
    planned = plan(timeline, position, read_axes(asked.sets), here=asked.at is None)
    iterations = planned.iterations if asked.iterations is None else asked.iterations
    wanted = asked.parameters and asked.format == "json"
    planned = replace(planned, iterations=iterations, until=asked.until or "", parameters=wanted)
    refuse(planned)
    workers = dask(asked.dask) if asked.dask else processes(asked.workers) if asked.workers else None
    outcomes, how = carry_out(planned, workers)
    if asked.format == "json":
        for outcome in outcomes:
            print(_json(_outcome(outcome, parameters=wanted)))
        return
    for line in (*sweeping.table(outcomes, asked.digits), sweeping.summary(outcomes, str(position), how)):
        print(line)


def _outcome(outcome: Outcome, *, parameters: bool) -> dict[str, Any]:
    metrics = {name: plain(np.float64(value)) for name, value in outcome.metrics.items()}
    return {
        "set": outcome.settings,
        "iterations": outcome.iterations,
        "loss": plain(np.float64(outcome.loss)),
        "reason": outcome.reason,
        **({"metrics": metrics} if metrics else {}),
        **({"where": outcome.where} if outcome.where else {}),
        **({"parameters": {name: plain(value) for name, value in outcome.parameters.items()}} if parameters else {}),
    }


def _shown(value: Array, digits: int | None) -> str:
    """A parameter in full, or its shape and its ends where it is large."""
    return value_text(value, digits) if value.size <= _MOST_SHOWN else short_value(value, digits)


def check(program: Program, style: str, digits: int | None = None) -> bool:
    """Check the gradients of the first iteration and print how it ended; whether all is well."""
    result = gradcheck.check(program, each=True)
    if style == "json":
        print(_json(_checked(program, result)))
    else:
        for line in gradcheck_lines(program, result, digits):
            print(safe(line))
    return result.passed


def _checked(program: Program, result: gradcheck.GradientCheck) -> dict[str, Any]:
    failure = result.failure
    found: dict[str, Any] = {
        "passed": result.passed,
        "method": result.method,
        "worst": plain(np.float64(result.worst)),
        "tensors": {tensor.name: plain(np.float64(tensor.error)) for tensor in result.tensors},
        "kinks": result.kinks,
        "sentence": gradcheck.sentence(program, result),
    }
    if failure is not None:
        index = np.unravel_index(failure.cell, program.slots[failure.slot].shape)
        found["failure"] = {
            "op": failure.index + 1,
            "source": program.instructions[failure.index].source,
            "writes": failure.slot,
            "element": [int(k) for k in index],
            "given": plain(np.float64(failure.given)),
            "measured": plain(np.float64(failure.measured)),
        }
    return found


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
