"""The time pane: where in the iteration one is, a curve over the iterations, and what lies on the way."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from bptui.debugger import moves
from bptui.debugger.view import View
from bptui.debugger.watches import Watched
from bptui.engine.program import PHASES, Program
from bptui.engine.timeline import Position
from bptui.explain.notation import number
from bptui.explain.words import sentence
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, line, spread, width, wrapped
from bptui.tui.drawing.plot import Axes, Course, Curve, Mark, plot
from bptui.tui.scene import Hit, Scene


def loss(scene: Scene, columns: int, rows: int) -> list[Line]:
    """Where in the iteration; the loss of every iteration so far; and what lies on the way."""
    return _under_first(scene, columns, rows, lambda marks: _loss(scene, columns, rows, _axes(scene), marks))


def logarithm(scene: Scene, columns: int, rows: int) -> list[Line]:
    """The same, a step up for each factor."""
    axes = replace(_axes(scene), floor=None, log=True, empty="no loss above 0 yet: its logarithm is drawn here")
    return _under_first(scene, columns, rows, lambda marks: _loss(scene, columns, rows, axes, marks))


def watch(scene: Scene, columns: int, rows: int) -> list[Line]:
    """The same, of a watch; the loss while there is none."""
    one = scene.stops.watch(scene.stops.plotted)
    if one is None:
        return loss(scene, columns, rows)
    return _under_first(scene, columns, rows, lambda marks: _watch(scene, one, columns, rows, marks))


def title(scene: Scene, view: str) -> str:
    """What is drawn."""
    plotted = scene.stops.watch(scene.stops.plotted) if view == "watch" else None
    what = "loss, logarithmic" if view == "log" else "loss"
    return f"Time and {safe(plotted.text) if plotted else what}"


def _under_first(scene: Scene, columns: int, rows: int, made: Callable[[list[Mark]], list[Line]]) -> list[Line]:
    """A curve under the line that tells where in the iteration one is, and what the marks are that both have."""
    marks = _marks(scene)
    return [_first(scene, columns, marks), *made(marks)][:rows]


def _loss(scene: Scene, columns: int, rows: int, axes: Axes, marks: list[Mark]) -> list[Line]:
    """The loss; faint what one has been at further on, and other branches, as far as they are known."""
    view, past = scene.view, scene.past
    others = [Curve.of(losses, every, "faint", broken=True, aside=True) for _, losses, every in past.others]
    own, further = Curve.of(view.losses, view.every, "plain"), Curve.of(*past.ahead, "faint", broken=True)
    curves = [own] if len(own.values) else []
    curves += [further] if past.furthest > view.position and len(further.values) else []
    return plot(curves[:2] + others or [own], columns - 1, rows - 1, marks=marks, axes=axes)


def _axes(scene: Scene) -> Axes:
    """As far as one has been."""
    here, last = scene.position.iteration, furthest(scene)
    return Axes(last=last, here=here if last > here else None)


def furthest(scene: Scene) -> int:
    """The iteration that the axis ends with."""
    return max(scene.position.iteration, scene.past.furthest.iteration)


def _watch(scene: Scene, one: Watched, columns: int, rows: int, marks: list[Mark]) -> list[Line]:
    """A watch at the end of every iteration, and its value here."""
    iterations, values = scene.past.watched
    here, now = scene.position.iteration, np.asarray([] if one.value is None else one.value, float).reshape(-1)
    if now.size > 1:
        said = f" {now.size} numbers are no curve: watch one, or their abs().max(), sum() or mean()"
        return wrapped(said, columns - 2, "dim", " ")
    if now.size:
        earlier = iterations < here
        iterations, values = np.append(iterations[earlier], here), np.append(values[earlier], now)
    axes = replace(_axes(scene), floor=None, empty="its value at the end of every iteration is drawn here")
    return plot([Curve(iterations, values)], columns - 1, rows - 1, marks=marks, axes=axes)


# More checkpoints than columns can't be told apart.
_MOST_KEPT = 160


def _marks(scene: Scene) -> list[Mark]:
    """Checkpoints, edits, where other branches leave, where breakpoints were met, and where one is."""
    past, view = scene.past, scene.view
    here, last = view.position.iteration, furthest(scene)
    end = max(past.furthest, view.position)
    kept = past.checkpoints[bisect_right(past.checkpoints, 0) : bisect_right(past.checkpoints, last)]
    marks = [Mark(t, "┴", "faint") for t in kept[:: 1 + len(kept) // _MOST_KEPT]]
    marks += [Mark(place.iteration, "┬", "plain", 1, f"{name} leaves") for place, name in past.branches if place <= end]
    marks += [Mark(e.position.iteration, "*", "plain", 2) for e in view.timeline.edits if e.position <= end]
    marks += [Mark(t, "●", "plain+bold", 3) for t in past.met if t <= last]
    return [*marks, Mark(here, "●", "now", 4) if here in past.met else Mark(here, "▲", "now", 4)]


_TOLD = {"┴": "checkpoint", "┬": "branch leaves", "*": "edit", "●": "breakpoint met"}


def _first(scene: Scene, columns: int, marks: list[Mark]) -> Line:
    """Where in the iteration; and where there is room, what the marks on the axis are."""
    steps = _steps(scene.view, columns)[0]
    glyphs = {mark.glyph for mark in marks}
    told = ""
    for glyph, word in _TOLD.items():
        more = f"  {glyph} {word}"
        if glyph in glyphs and width(steps) + len(told) + len(more) < columns - 1:
            told += more
    return spread(steps, line((told, "dim")), columns - 2) if told else steps


# The mouse


def hit(scene: Scene, columns: int, x: int, y: int) -> Hit | None:
    """The moment at a column of a line: an operation of this iteration on the first, below it an iteration."""
    if y:
        return _iteration_hit(scene, Course(columns - 1, furthest(scene)).iteration(x))
    square = next((ops for column, ops in _steps(scene.view, columns)[1] if column == x), None)
    if square is None:
        return None
    program, k = scene.view.program, square[-1]
    which = f"operation {k + 1}" if len(square) == 1 else f"operations {square[0] + 1} to {k + 1}"
    text = f"{which} of {len(program)}: {sentence(program, program.instructions[k])}"
    return Hit(position=Position(scene.position.iteration, k + 1), text=text)


def _iteration_hit(scene: Scene, t: int) -> Hit:
    """The same operation of another iteration, or as far as one has been."""
    here = scene.position
    place = min(moves.iterations(scene.view.program, here, t - here.iteration), max(scene.past.furthest, here))
    return Hit(position=place, text=f"iteration {t}{_known(scene, t)}")


def _known(scene: Scene, t: int) -> str:
    """What there is to say of an iteration."""
    past, said = scene.past, ""
    own, every = (scene.view.losses, scene.view.every) if t <= scene.position.iteration else past.ahead
    if t % every == 0 and t // every < len(own):
        said += f"   {scene.view.program.name('loss')} {number(float(own[t // every]), 7)}"
    said += "   a checkpoint" * (t in past.checkpoints) + "   a breakpoint was met" * (t in past.met)
    said += "".join(f"   {edit.text}" for edit in scene.view.timeline.edits if edit.position.iteration == t)
    return said + "".join(f"   {name} leaves" for place, name in past.branches if place.iteration == t)


# The steps of an iteration


def _steps(view: View, columns: int) -> tuple[Line, list[tuple[int, list[int]]]]:
    """The operations, phase by phase: a square each, or for so many of them; and which are at which column."""
    return _drawn(view.program, view.position, view.done, columns)


@lru_cache(maxsize=64)
def _drawn(
    program: Program, here: Position, done: int | None, columns: int
) -> tuple[Line, list[tuple[int, list[int]]]]:
    runs, places = [(f" {here}  ".ljust(9), "bold")], []
    phases = _phases(program)
    wide = len(program) * 2 + 50 <= columns
    labels = [f"{phase} " if wide else f"{phase[:1]} " for phase in phases]
    room = columns - len(runs[0][0]) - sum(map(len, labels)) - 3 * len(phases)
    x = len(runs[0][0])
    for label, ops in zip(labels, phases.values(), strict=True):
        squares = _squares(ops, here.op, done, room * len(ops) // len(program) if len(program) > room else len(ops))
        places += [(x + len(label) + k, each) for k, (_, each) in enumerate(squares)]
        name, text = "now" if done in ops else "dim", "".join(glyph for glyph, _ in squares)
        runs += [(label, name), (text + "  ", name)]
        x += len(label) + len(text) + 2
    return line(*runs), places


@lru_cache(maxsize=4)
def _phases(program: Program) -> dict[str, list[int]]:
    """Phase → its operations."""
    found: dict[str, list[int]] = {}
    for k, instruction in enumerate(program.instructions):
        found.setdefault(instruction.phase, []).append(k)
    return {phase: found[phase] for phase in PHASES if phase in found}


def _squares(ops: list[int], here: int, done: int | None, count: int) -> list[tuple[str, list[int]]]:
    """So many squares, one of them at least, for all operations of a phase; each with its operations."""
    count = max(1, count)
    ends = [round(k * len(ops) / count) for k in range(count + 1)]
    made = []
    for first, last in itertools.pairwise(ends):
        begun = ops[first] < here or done in ops[first:last]
        made.append(("■" if ops[last - 1] < here else "◧" if begun else "□", ops[first:last]))
    return made
