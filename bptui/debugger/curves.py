"""The losses of every timeline that was walked, as far as one has got on it."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from bptui.engine.network import Array
from bptui.engine.player import Player
from bptui.engine.timeline import Timeline

Curve = tuple[Array, int]


class Curves:
    """Timeline → the longest row of losses that was known on it, and how many iterations lie between two of them."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Timeline, tuple[int, Curve]] = WeakKeyDictionary()

    def note(self, player: Player) -> None:
        """Before a player goes elsewhere: keep what it would forget."""
        count = len(player.losses)
        if count > self._kept.get(player.timeline, (0, None))[0]:
            self._kept[player.timeline] = count, (player.losses.until(count), player.losses.step)

    def of(self, timeline: Timeline, until: int) -> Curve:
        """The losses of the iterations before one, as far as they are known."""
        losses, every = self._kept.get(timeline, (0, (np.zeros(0), 1)))[1]
        return losses[: -(-until // every)], every
