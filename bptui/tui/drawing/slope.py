"""The loss over one cell, with the tangent that its gradient is the slope of, and where the update takes it."""

from __future__ import annotations

import math

import numpy as np

from bptui.debugger.probing.knobs import Knob
from bptui.debugger.probing.ranges import nice
from bptui.debugger.probing.slopes import Slice
from bptui.engine.network import Array
from bptui.explain.notation import Names
from bptui.files.text import safe
from bptui.tui.drawing.facts import Facts, beside, figure, left_to
from bptui.tui.drawing.frame import Frame, Range
from bptui.tui.drawing.lines import Line, line
from bptui.tui.drawing.numbers import colour
from bptui.tui.scene import Hit, Scene

# The point lies at least this share above the lowest in sight, and at most so many times as high is drawn.
_SHARE, _TIMES = 0.05, 3.0
# What is smaller beside the largest loss is rounding.
_NOTHING = 1e-14


def slope(scene: Scene, found: Slice, columns: int, rows: int) -> list[Line]:
    """The curve, and beside or below it what its marks stand for."""
    return beside(lambda wide, high: _drawn(scene, found, wide, high), _facts(scene, found), columns, rows)


def title(scene: Scene, found: Slice) -> str:
    """What is drawn over what."""
    over = f"{loss_name(scene)} over {named(scene, found.knob)}"
    return over.replace(" over", " after the update over", 1) if found.knob.after else over


def loss_name(scene: Scene) -> str:
    """What the reader calls the loss."""
    return safe(scene.view.program.name("loss"))


def named(scene: Scene, knob: Knob) -> str:
    """What the reader calls a cell."""
    index = np.unravel_index(knob.cell, scene.view.program.slots[knob.slot].shape)
    return safe(Names(scene.view.program).cell(knob.slot, tuple(int(i) for i in index)))


def gradient(scene: Scene, knob: Knob) -> tuple[float | None, str]:
    """The slope that is stored, or None and why there is none."""
    view, slot = scene.view, f"{knob.slot}.grad"
    name = f"∂{loss_name(scene)}/∂{named(scene, knob)}"
    if knob.after or slot not in view.program.slots:
        return None, "no gradient of it is computed"
    if not view.is_computed(slot, knob.cell):
        return None, f"{name} is not computed yet"
    return view.number(slot, knob.cell), f"~ {name}" if view.is_outdated(slot, knob.cell) else name


def _drawn(scene: Scene, found: Slice, columns: int, rows: int) -> list[Line]:
    values, losses = _with(found.values, found.losses, found.here, found.lowest)
    frame = _frame(found, columns, rows)
    if frame is None:
        return [line((f" {loss_name(scene)} is not finite anywhere here"[:columns], "dim"))]
    frame.axes(f"{named(scene, found.knob)} →", loss_name(scene))
    steepness, _ = gradient(scene, found.knob)
    if steepness is not None and math.isfinite(steepness) and math.isfinite(found.here[1]):
        ends = frame.x
        tangent = [found.here[1] + steepness * (x - found.here[0]) for x in ends]
        frame.stroke((ends[0], tangent[0]), (ends[1], tangent[1]), f"{colour(steepness)}+italic", broken=True)
    frame.curve(values, losses, "plain")
    if found.lowest is not None:
        frame.mark(*found.lowest, "▼")
    if _taken(scene, found):
        assert found.updated is not None
        frame.mark(found.updated, float(np.interp(found.updated, values, losses)), "○")
    frame.mark(*found.here, "●")
    return frame.canvas.lines()


def _frame(found: Slice, columns: int, rows: int) -> Frame | None:
    """The range of values, and of what is known of their losses; None where nothing is."""
    losses = _with(found.values, found.losses, found.here, found.lowest)[1]
    known = losses[np.isfinite(losses)]
    if not known.size:
        return None
    reach = heights(float(known.min()), float(known.max()), found.here[1])
    return Frame.filling(columns, rows, (float(found.values[0]), float(found.values[-1])), reach)


def hit(scene: Scene, found: Slice, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """The value at a column, and the loss there."""
    frame = _frame(found, *left_to(_facts(scene, found), *size))
    pair = None if frame is None else frame.pair(x, y)
    if pair is None:
        return None
    loss = float(np.interp(pair[0], *_with(found.values, found.losses, found.here, found.lowest)))
    return Hit(text=f"{named(scene, found.knob)} {figure(pair[0])}: {loss_name(scene)} {figure(loss)}")


def _with(values: Array, losses: Array, *pairs: tuple[float, float] | None) -> tuple[Array, Array]:
    """With some more points of the curve, in order."""
    known = [pair for pair in pairs if pair is not None and values[0] <= pair[0] <= values[-1]]
    every = np.append(values, [value for value, _ in known])
    order = np.argsort(every, kind="stable")
    return every[order], np.append(losses, [loss for _, loss in known])[order]


def heights(low: float, high: float, here: float) -> Range:
    """The range of losses that is drawn: what lies far above the present one is left out."""
    if low >= 0 and low < 0.3 * high:
        low = 0.0
    far = high - low
    if not math.isfinite(far) or far <= _NOTHING * max(abs(low), abs(high)):
        room = abs(low) / 2 or 1.0
        return low - room, low + room
    rise = here - low if math.isfinite(here) else far
    return low, min(low + far, low + nice(max(_TIMES * rise, _SHARE * far)))


def _taken(scene: Scene, found: Slice) -> bool:
    """Whether it is known where the update takes the cell: as soon as there is a gradient."""
    return found.updated is not None and gradient(scene, found.knob)[0] is not None


def _facts(scene: Scene, found: Slice) -> Facts:
    name, loss = named(scene, found.knob), loss_name(scene)
    steepness, said = gradient(scene, found.knob)
    value, height = found.here
    facts = [line(("● ", "bold"), f"{name} {figure(value)}  {loss} {figure(height)}")]
    if steepness is None:
        facts.append(line((f"  {said}", "dim")))
    else:
        facts.append(line(("╌ ", "dim"), (f"{said} {figure(steepness)}", f"{colour(steepness)}+italic")))
    if _taken(scene, found):
        assert found.updated is not None
        facts.append(line(("○ ", "bold"), f"the update: {figure(found.updated)}"))
    if found.flat:
        facts.append(line((f"  {loss} is the same everywhere", "dim")))
    elif found.lowest is not None:
        facts.append(line(("▼ ", "bold"), f"lowest {loss} {figure(_zero(found))} at {figure(found.lowest[0])}"))
    if (late := _late(scene, found)) is not None:
        facts.append(line((f"* set to {figure(late)} since", "dim")))
    return facts


def _zero(found: Slice) -> float:
    """The lowest loss; 0 where it is nothing beside the others."""
    assert found.lowest is not None
    least, largest = found.lowest[1], float(np.abs(found.losses[np.isfinite(found.losses)]).max(initial=0.0))
    return 0.0 if abs(least) < _NOTHING * largest else least


def _late(scene: Scene, found: Slice) -> float | None:
    """What the cell is by now, where a person has set it after the loss was computed from it."""
    knob = found.knob
    if knob.cell not in scene.view.edited.get(knob.slot, frozenset()):
        return None
    value = scene.view.number(knob.slot, knob.cell)
    return None if value in (found.here[0], found.updated) or math.isnan(value) else value
