"""Where cells got the value that they have now, and, from there, the one before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bptui.engine.lifeline import Origin, past, unedited
from bptui.engine.player import State
from bptui.engine.program import Target
from bptui.engine.timeline import Position, Timeline


@dataclass(frozen=True, eq=False)
class Found:
    """here: what gave the cells their value just here, the latest first; there: what gave it to them before, or None.

    Nothing at all is known of a number that follows from the iteration, or that is not computed yet.
    """

    here: tuple[Origin, ...]
    there: Origin | None


def origin(timeline: Timeline, target: Target, position: Position) -> Found:
    """Where cells are from. Standing there already one is told where the value before is from, and so back in time."""
    slot = timeline.program.slots[target.slot]
    if slot.given:
        return Found((), None)
    events = past(timeline, target.slot, target.cells, position)
    here, there = [], None
    for event in events:
        if not event.is_at(position):
            there = event
            break
        here.append(event)
    return Found(tuple(here), there)


def then(timeline: Timeline, look: Callable[..., State], target: Target, origin_: Origin) -> float:
    """The value that the first of the cells got there, whatever was made of it in the same place.

    look  the state at a position, on a timeline
    """
    cell, slot = target.cells[0], target.slot
    if origin_.edit is not None and cell in origin_.edit.cells:
        return float(np.asarray(origin_.edit.values[origin_.edit.cells.index(cell)]))
    seen = unedited(timeline, slot, origin_.position)
    return float(look(origin_.position, seen).arrays[slot].reshape(-1)[cell])
