"""The same slots at several moments, one behind the other: what an expression is evaluated over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bptui.engine.network import Array
from bptui.engine.player import State


class NotComputedError(Exception):
    """The value asked for is not there yet at this position; `slot` is what is missing."""

    def __init__(self, slot: str) -> None:
        self.slot = slot
        super().__init__(f"{slot} is not computed")


class UnstackableError(Exception):
    """This can't be evaluated for several moments at once: they have to be looked at one by one."""


@dataclass(frozen=True, eq=False)
class Rows:
    """n moments at which the same cells are computed.

    computed  slot → how many of its cells, from the first on, are there
    flat      slot, first cell, the one after the last → the cells at each moment, (n, cells)
    slots     every slot's array, where there is one moment alone
    thorough  `and` and `or` look at all their parts, be it decided or not
    """

    n: int
    computed: Mapping[str, int]
    flat: Callable[[str, int, int], Array]
    slots: Mapping[str, Array] | None = None
    thorough: bool = False

    @classmethod
    def of(cls, state: State) -> Rows:
        """One moment."""
        arrays = state.arrays
        return cls(1, state.computed, lambda slot, start, stop: arrays[slot].reshape(1, -1)[:, start:stop], arrays)

    def cells(self, slot: str, start: int, stop: int) -> Array:
        """Flat cells of a slot, (n, stop − start). Raises NotComputedError."""
        if stop > self.computed[slot]:
            raise NotComputedError(slot)
        return self.flat(slot, start, stop)

    def whole(self) -> Mapping[str, Array]:
        """Every slot of the one moment. Raises UnstackableError where there are several."""
        if self.slots is None:
            raise UnstackableError
        return self.slots
