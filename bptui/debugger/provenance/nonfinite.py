"""The first number of a run that is not finite: which instruction made it, or that it was there from the start.

The run is gone through once more. Each value is written once in an iteration, so after a whole one everything that it
wrote can still be looked at; the iteration in which something is found is walked operation by operation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bptui.debugger.provenance.walking import MEMORY, iterations, operations
from bptui.engine.network import Array
from bptui.engine.player import Player
from bptui.engine.timeline import START, Position, Timeline


@dataclass(frozen=True, eq=False)
class NonFinite:
    """position: just after it came to be; index: the instruction that wrote it, None for what a run begins with.

    cells  those of the slot that are not finite there
    """

    position: Position
    slot: str
    cells: tuple[int, ...]
    index: int | None = None


def given(timeline: Timeline) -> list[NonFinite]:
    """What is not finite before anything is computed: data or weights."""
    initial = timeline.program.initial
    found = [(slot, _cells(array)) for slot, array in initial.items()]
    return [NonFinite(START, slot, cells) for slot, cells in found if cells]


def first(timeline: Timeline, until: Position) -> NonFinite | None:
    """The first instruction up to a position whose result was not finite; None where every result was."""
    sound = _Sound(timeline)
    player = Player(timeline, MEMORY)
    for walker in iterations(timeline, until):
        t = walker.position.iteration
        if sound.throughout(walker, until):
            continue
        for k in operations(timeline, t, until, player):
            slot = timeline.program.instructions[k].writes
            there = player.position.element if player.position.op == k else timeline.program.size(k)
            if cells := _cells(player.machine.arrays[slot].reshape(-1)[:there]):
                return NonFinite(player.position, slot, cells, k)
    return None


class _Sound:
    """Tells whether all that an iteration wrote is finite, at the price of a product of each array with zeros."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._written = list(timeline.program.writers)
        self._zeros: dict[str, Array] = {}

    def throughout(self, player: Player, until: Position) -> bool:
        """Whether every result of the player's iteration was finite; not if that can't be seen from its end."""
        t = player.position.iteration
        whole = Position(t, len(self.timeline.program))
        begun = Position(t) if t == 0 else Position(t - 1, len(self.timeline.program))
        if player.position < whole or until < whole or any(True for _ in self.timeline.between(begun, whole)):
            return False
        with np.errstate(invalid="ignore"):
            return all(self._is_finite(name, player.machine.arrays[name].reshape(-1)) for name in self._written)

    def _is_finite(self, name: str, flat: Array) -> bool:
        if name not in self._zeros:
            self._zeros[name] = np.zeros(flat.shape, flat.dtype)
        # A number that is not finite gives nan, which is not 0: cheaper than asking of each cell.
        return bool(self._zeros[name].dot(flat) == 0)


def _cells(array: Array) -> tuple[int, ...]:
    """The flat cells that are not finite."""
    return tuple(int(cell) for cell in np.flatnonzero(~np.isfinite(array)))
