"""The losses of every timeline that was walked, as far as one has got on it."""

from __future__ import annotations

from collections.abc import Collection
from weakref import WeakKeyDictionary

import numpy as np

from bptui.engine.checkpoints import MEMORY
from bptui.engine.network import Array
from bptui.engine.player import Player
from bptui.engine.timeline import Timeline

Curve = tuple[Array, int]
# Share of the cap on memory.
_SHARE = 1 / 8


class Curves:
    """Timeline → the longest row of losses that was known on it, and how many iterations lie between two of them."""

    def __init__(self, memory: int = MEMORY) -> None:
        self._most = int(memory * _SHARE)
        self._kept: WeakKeyDictionary[Timeline, tuple[int, Curve]] = WeakKeyDictionary()

    @property
    def nbytes(self) -> int:
        """What all of them take."""
        return sum(losses.nbytes for _, (losses, _) in self._kept.values())

    def note(self, player: Player, branches: Collection[Timeline] = ()) -> None:
        """Before a player goes elsewhere: keep what it would forget.

        Where there is no more room those that are no branch's go first, then the oldest.
        """
        count, timeline = len(player.losses), player.timeline
        if count <= self._kept.get(timeline, (0, None))[0]:
            return
        self._kept[timeline] = count, (player.losses.until(count), player.losses.step)
        if self.nbytes > self._most:
            self._shed([one for one in self._kept if one is not timeline], branches)

    def _shed(self, others: list[Timeline], branches: Collection[Timeline]) -> None:
        for one in sorted(others, key=lambda one: one in branches):
            del self._kept[one]
            if self.nbytes <= self._most:
                return

    def of(self, timeline: Timeline, until: int) -> Curve:
        """The losses of the iterations before one, as far as they are known."""
        losses, every = self._kept.get(timeline, (0, (np.zeros(0), 1)))[1]
        return losses[: -(-until // every)], every
