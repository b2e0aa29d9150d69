"""The same slots at several moments, one behind the other: what an expression is evaluated over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bptui.engine.network import Array
from bptui.engine.player import State
from bptui.engine.program import Program

# Cells: of so many the squares are summed without an array of them.
WIDE = 4096


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
    summed    a slot → the sum of its squares at each moment, (n,), where there are no cells of it; None of others
    thorough  `and` and `or` look at all their parts, be it decided or not
    """

    n: int
    computed: Mapping[str, int]
    flat: Callable[[str, int, int], Array]
    slots: Mapping[str, Array] | None = None
    summed: Callable[[str], Array | None] | None = None
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

    def squares(self, slot: str, size: int) -> Array:
        """The sum of the squares of a slot of `size` cells, (n,). Raises NotComputedError."""
        known = self.sums(slot, size)
        return squares(self.cells(slot, 0, size)) if known is None else known

    def sums(self, slot: str, size: int) -> Array | None:
        """The same where there is nothing else of that slot; None where there are cells. Raises NotComputedError."""
        known = self.summed(slot) if self.summed else None
        if known is not None and size > self.computed[slot]:
            raise NotComputedError(slot)
        return known

    def whole(self) -> Mapping[str, Array]:
        """Every slot of the one moment. Raises UnstackableError where there are several."""
        if self.slots is None:
            raise UnstackableError
        return self.slots


def squares(values: Array) -> Array:
    """The sum of the squares of each row, (n,)."""
    if values.shape[1] < WIDE:
        return np.asarray(np.square(values).sum(axis=1))
    return np.array([row.dot(row) for row in values])


def wide(program: Program, slots: Iterable[str]) -> frozenset[str]:
    """Those of these slots whose squares are summed without an array of them."""
    return frozenset(name for name in slots if program.slots[name].size >= WIDE)
