"""Which lines the operation at hand goes along, and which way."""

from __future__ import annotations

from enum import Enum

import numpy as np

from bptui.engine.network import Array
from bptui.explain.notation import Names
from bptui.tui.drawing.network.parts import Layer
from bptui.tui.drawing.network.plan import Gap
from bptui.tui.scene import Scene


class Flow(Enum):
    """What runs along a line that is lit.

    FORWARD  a value, to its target
    BACK     a gradient, to its source
    MEET     both: a weight's gradient is the product of the value that came and the gradient that came back
    NONE     the weight itself changes
    """

    FORWARD = 1
    BACK = 2
    MEET = 3
    NONE = 4


def flow(scene: Scene, gap: Gap) -> Flow:
    """What runs along the lines of a layer, where they are lit."""
    if scene.view.phase != "backward":
        return Flow.NONE if scene.view.phase == "update" else Flow.FORWARD
    return Flow.MEET if gap.weight and scene.written[0].startswith(f"{gap.weight}.grad") else Flow.BACK


def lit(scene: Scene, gap: Gap, layers: tuple[Layer, ...], row: int) -> Array:
    """Of each line whether it is: one with a weight where that is read or written, or its gradient is written."""
    if not gap.weight:
        return _passed(scene, gap, layers, row)
    marks = np.zeros(len(gap.links), bool)
    mask = scene.read.get(gap.weight)
    if mask is not None:
        marks |= mask.reshape(-1)[gap.cells]
    slot, changed = scene.written
    if slot == gap.weight or slot.startswith(f"{gap.weight}.grad"):
        marks |= (gap.cells >= changed.start) & (gap.cells < changed.stop)
    return marks


def _passed(scene: Scene, gap: Gap, layers: tuple[Layer, ...], row: int) -> Array:
    """Of lines without weights: those along which the operation at hand takes a value on, or a gradient back."""
    program, layer = scene.view.program, layers[gap.layer]
    if scene.view.done is None or scene.view.phase not in ("forward", "backward"):
        return np.zeros(len(gap.links), bool)
    instruction = program.instructions[scene.view.done]
    forward = instruction if instruction.differentiates is None else program.instructions[instruction.differentiates]
    owned = program.owners.get(forward.writes) == layer.key
    found = []
    for link in gap.links:
        source = layers[link.source.layer]
        cell = link.source.kin.value.cell(row)
        if scene.view.phase == "forward":
            found.append(owned and scene.lit(source.slot, cell))
        else:
            written = scene.written[0]
            back = written != source.slot and Names(program).base(written) == source.slot
            found.append(owned and back and scene.fresh(written, cell))
    return np.array(found, bool)
