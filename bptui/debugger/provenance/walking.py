"""A run gone through once more, an iteration at a time, on buffers of its own: the debugger stays where it is."""

from __future__ import annotations

from collections.abc import Iterator

from bptui.engine.lifeline import unedited
from bptui.engine.player import Player
from bptui.engine.timeline import Position, Timeline

# Bytes: who goes forward alone needs few checkpoints.
MEMORY = 2**24


def iterations(timeline: Timeline, until: Position) -> Iterator[Player]:
    """A player at the end of each iteration, from the first on; for the last at `until`, where that is earlier."""
    player, count = Player(timeline, MEMORY), len(timeline.program)
    for t in range(until.iteration + 1):
        player.goto(timeline, min(Position(t, count), until))
        yield player


def operations(timeline: Timeline, iteration: int, until: Position, player: Player) -> Iterator[int]:
    """The index of each instruction of an iteration, the player just behind it, before any edit of what it wrote.

    It is half done where `until` cuts it.
    """
    for k in range(len(timeline.program)):
        if Position(iteration, k) >= until:
            return
        place = min(Position(iteration, k + 1), until)
        player.goto(unedited(timeline, timeline.program.instructions[k].writes, place), place)
        yield k
