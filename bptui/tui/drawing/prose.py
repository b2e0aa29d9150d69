"""The header, the story and the status line: what is said about the moment."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bptui.debugger.debugger import spell
from bptui.debugger.view import View
from bptui.engine.program import Target
from bptui.explain.notation import number
from bptui.files.text import safe
from bptui.tui.drawing.layers import sizes
from bptui.tui.drawing.lines import Line, line, spread, width, wrapped
from bptui.tui.scene import Scene

# No text of a person's fills more than a screen; wrapping a hundred thousand letters at each key would be felt.
_LONGEST = 2000


def header(scene: Scene, columns: int) -> Line:
    """The network on the left, the moment on the right."""
    view = scene.view
    network = view.program.network
    moment = _moment(scene)
    name, rate = f" {safe(network.name[:_LONGEST])} ", f"lr {_rate(view)}"
    network_name = line((name, "bold"), (" spec has mistakes " * scene.mistaken, "bold+cursor"))
    if scene.compact:
        return spread(line(*network_name, (f" {rate}" * (not scene.mistaken), "plain")), moment, columns)
    how = f" · {network.loss} · {network.training.optim}  "
    layers = sizes(view.program, columns - width(moment) - width(network_name) - len(how + rate) - 4)
    return spread(line(*network_name, (f"  {layers}{how}", "dim"), (rate, "plain")), moment, columns)


def _rate(view: View) -> str:
    """The learning rate; where a schedule computes it and has not yet, what it starts from."""
    slot = "lr" if view.is_computed("lr") or "lr0" not in view.program.slots else "lr0"
    return number(view.number(slot), 4)


def _moment(scene: Scene) -> Line:
    view = scene.view
    loss = number(view.number("loss"), 4) if view.is_computed("loss") else scene.unset("loss")
    mark = "~" if "loss" in view.stale.outdated else ""
    element, inside = view.position.element, ""
    if element and view.done is not None:
        inside = f", {element} of its {view.program.size(view.done)} elements"
    return line(
        (f"iteration {view.position.iteration}   ", "plain"),
        (f"op {view.position.op + bool(element)} of {len(view.program)}{inside}   ", "plain"),
        (f"{view.phase:<8}  ", "now"),
        (f"{view.program.name('loss')} {mark}{loss} ", "bold"),
    )


def story(scene: Scene, columns: int) -> list[Line]:
    """A sentence on the stage, from the spec's narration."""
    view, told = scene.view, scene.view.program.network.narration
    if scene.looked:
        return []
    if view.is_computed("loss") and not math.isfinite(view.number("loss")):
        name = view.program.name("loss")
        text = f" {name} is no finite number any more: the steps were too large. Go back (I, C), and try a smaller lr."
        return wrapped(text, columns - 2, "plain", " ")
    if view.done is None:
        text = told.get("start", "")
    elif view.position.op == len(view.program):
        # Of the first iteration; in the later ones it has been read.
        text = told.get("end", "") if view.position.iteration == 0 else ""
    else:
        instruction = view.program.instructions[view.done]
        text = told.get(instruction.writes, told.get(instruction.phase, ""))
    return wrapped(f" {safe(text[:_LONGEST])}", columns - 2, "dim", " ") if text else []


def status(scene: Scene) -> Line:
    """The cell under the cursor in full, and whatever makes it stale; or what the last command said."""
    if scene.note:
        return line((" " + safe(scene.note), "plain"))
    slot, cell = scene.cursor
    if not scene.view.is_computed(slot, cell):
        return line((f" {in_full(scene, slot, cell)}", "dim"))
    return line((f" {in_full(scene, slot, cell)}", "plain"), (_why_stale(scene, slot, cell), "dim"))


def edited(said: str, parts: Sequence[str], columns: int, back: str) -> str:
    """What was edited, as much of what followed from it as there is room for, and what takes that back."""
    text = said
    for k, part in enumerate([*parts, back]):
        longer = f"{text}{', ' if 0 < k < len(parts) else '; '}{part}"
        if len(longer) >= columns:
            break
        text = longer
    return text


def in_full(scene: Scene, slot: str, cell: int) -> str:
    """A cell's name and its value to the last digit."""
    view = scene.view
    name = spell(view.program, Target(slot, (cell,)))
    if not view.is_computed(slot, cell):
        return f"{name} is not computed yet"
    return f"{name} = {view.number(slot, cell)!r}"


def _why_stale(scene: Scene, slot: str, cell: int) -> str:
    """What there is to know of a number besides its value."""
    view = scene.view
    was = scene.before(slot, cell)
    if was is not None:
        return f"   {was!r} before this iteration's update"
    if view.is_outdated(slot, cell):
        cause = view.stale.causes[slot]
        return f"   ~ computed before {safe(cause.text)} at {cause.position}"
    if cell in view.edited.get(slot, ()):
        return "   * set by hand"
    return "   ° computed with the weights before their update" if slot in view.stale.old else ""
