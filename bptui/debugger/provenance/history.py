"""What a lasting cell's value is the sum of: its start and every update and edit since."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptui.debugger.provenance.walking import MEMORY
from bptui.engine.lifeline import Change, Origin, past, unedited
from bptui.engine.player import Player
from bptui.engine.timeline import Position, Timeline


def history(timeline: Timeline, slot: str, cell: int, position: Position) -> list[Change]:
    """Every change of a lasting cell up to a position, the earliest first; the run is replayed once for it.

    What it began with and what every change added come to its value, as far as sums of floats do.
    """
    events = [e for e in past(timeline, slot, (cell,), position) if e.index is not None or e.edit is not None]
    value = float(timeline.program.initial[slot].reshape(-1)[cell])
    changes = []
    for event, after in zip(events[::-1], _values(timeline, slot, cell, events[::-1], position), strict=True):
        changes.append(Change(event, value, after))
        value = after
    return changes


def _values(timeline: Timeline, slot: str, cell: int, events: list[Origin], position: Position) -> Iterator[float]:
    """The cell's value just after each event."""
    player = Player(timeline, MEMORY)
    for k, event in enumerate(events):
        if event.edit is not None:
            # As the buffers hold it, in their precision.
            given = event.edit.values[event.edit.cells.index(cell)]
            yield float(np.asarray(given, player.machine.arrays[slot].dtype))
            continue
        following = events[k + 1].position if k + 1 < len(events) else position
        place = _seen_at(timeline, event, following)
        player.goto(unedited(timeline, slot, place), place)
        yield float(player.machine.arrays[slot].reshape(-1)[cell])


def _seen_at(timeline: Timeline, event: Origin, following: Position) -> Position:
    """Where what was written can still be seen: at the iteration's end, if nothing changes it there.

    Whole iterations are run far faster than single instructions.
    """
    end = Position(event.position.iteration, len(timeline.program))
    return end if end < following else event.position
