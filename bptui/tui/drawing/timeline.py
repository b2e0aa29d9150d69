"""The time pane: where in the iteration one is, a curve over the iterations, and what lies on the way."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

from bptui.debugger.view import View
from bptui.debugger.watches import Watched
from bptui.engine.program import PHASES, Program
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, line, wrapped
from bptui.tui.drawing.plot import Axes, Curve, Mark, plot
from bptui.tui.scene import Scene


def timeline(scene: Scene, columns: int, rows: int) -> list[Line]:
    """Where in the iteration; the loss of every iteration so far, or a watch; and what lies on the way."""
    plotted = scene.stops.watch(scene.stops.plotted)
    made = _watch(scene, plotted, columns, rows) if plotted else _loss(scene, columns, rows)
    return [_steps(scene.view, columns), *made][:rows]


def title(scene: Scene) -> str:
    """What is drawn."""
    plotted = scene.stops.watch(scene.stops.plotted)
    return f"Time and {safe(plotted.text) if plotted else 'loss'} · iteration {scene.position.iteration}"


def _loss(scene: Scene, columns: int, rows: int) -> list[Line]:
    """The loss, and behind it that of other branches, as far as it is known."""
    view, past = scene.view, scene.past
    others = [Curve.of(losses, every, "faint", broken=True) for _, losses, every in past.others]
    own = Curve.of(view.losses, view.every)
    return plot([own, *others], columns - 1, rows - 1, marks=_marks(scene))


def _watch(scene: Scene, one: Watched, columns: int, rows: int) -> list[Line]:
    """A watch at the end of every iteration, and its value here."""
    iterations, values = scene.past.watched
    here, now = scene.position.iteration, np.asarray([] if one.value is None else one.value, float).reshape(-1)
    if now.size > 1:
        said = f" {now.size} numbers are no curve: watch one, or their abs().max(), sum() or mean()"
        return wrapped(said, columns - 2, "dim", " ")
    if now.size:
        earlier = iterations < here
        iterations, values = np.append(iterations[earlier], here), np.append(values[earlier], now)
    axes = Axes(floor=None, last=here, empty="its value at the end of every iteration is drawn here")
    return plot([Curve(iterations, values)], columns - 1, rows - 1, marks=_marks(scene), axes=axes)


def _marks(scene: Scene) -> list[Mark]:
    """Checkpoints, edits, where other branches leave, where breakpoints were met, and where one is."""
    past, view = scene.past, scene.view
    here = view.position.iteration
    marks = [Mark(t, "┴", "faint") for t in past.checkpoints if 0 < t <= here]
    marks += [Mark(place.iteration, "┬", "plain", 1, name) for place, name in past.branches if place <= view.position]
    marks += [Mark(e.position.iteration, "*", "plain", 2) for e in view.timeline.edits if e.position <= view.position]
    marks += [Mark(t, "●", "plain+bold", 3) for t in past.met if t <= here]
    if any(mark.rank for mark in marks):
        marks.append(Mark(here, "●", "now", 4) if here in past.met else Mark(here, "▲", "now", 4))
    return marks


def _steps(view: View, columns: int) -> Line:
    """The operations of an iteration, phase by phase: a row of squares each, or a bar where there are too many."""
    runs = [(f" {view.position}  ".ljust(9), "bold")]
    count, phases = len(view.program), _phases(view.program)
    wide = count * 2 + 50 <= columns
    for phase, ops in phases.items():
        name = "now" if phase == view.phase else "dim"
        runs.append((f"{phase} " if wide else f"{phase[:1]} ", name))
        runs.append((_squares(view, ops, columns - 28) + "  ", name))
    return line(*runs)


@lru_cache(maxsize=4)
def _phases(program: Program) -> dict[str, list[int]]:
    """Phase → its operations."""
    found: dict[str, list[int]] = {}
    for k, instruction in enumerate(program.instructions):
        found.setdefault(instruction.phase, []).append(k)
    return {phase: found[phase] for phase in PHASES if phase in found}


def _squares(view: View, ops: list[int], room: int) -> str:
    """A square for each operation, or for so many of them that all phases fit."""
    here, count = view.position.op, len(ops)
    if len(view.program) > room:
        count = max(1, room * count // len(view.program))
    ends = [round(k * len(ops) / count) for k in range(count + 1)]
    marks = []
    for first, last in itertools.pairwise(ends):
        begun = ops[first] < here or view.done in ops[first:last]
        marks.append("■" if ops[last - 1] < here else "◧" if begun else "□")
    return "".join(marks)
