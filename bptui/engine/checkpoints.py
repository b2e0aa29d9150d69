"""What the player keeps of the past, within a cap on memory: copies of all that lasts, and the losses."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable

import numpy as np

from bptui.engine.network import Array

MEMORY = 256 * 2**20
# Shares of the cap: regular checkpoints, those near the place one walks back from, losses.
_REGULAR, _NEAR, _LOSSES = 6 / 8, 1 / 8, 1 / 8
# What an array and its place in a dictionary cost beside its numbers.
_OVERHEAD = 256
# So many losses are kept whatever the cap.
_FEWEST = 1 << 15


class Checkpoints:
    """Copies of the flat vector at iterations' starts.

    Regular ones lie `stride` apart; when there is no more room every second goes and the stride doubles. Near ones are
    left on the way to a place one walks back to, since the next place will be just before it.
    """

    def __init__(self, nbytes: int, stride: int, memory: int = MEMORY) -> None:
        self.stride = stride
        each = nbytes + _OVERHEAD
        self._most = max(4, int(memory * _REGULAR) // each)
        self._most_near = max(1, int(memory * _NEAR) // each)
        self._regular: dict[int, Array] = {}
        self._near: dict[int, Array] = {}
        self._order: list[int] = []

    def __getitem__(self, t: int) -> Array:
        return self._regular[t] if t in self._regular else self._near[t]

    def __len__(self) -> int:
        return len(self._order)

    @property
    def iterations(self) -> tuple[int, ...]:
        """The iterations at whose start there is a checkpoint, in order."""
        return tuple(self._order)

    @property
    def regular(self) -> tuple[int, ...]:
        """Those of them that do not come and go on a walk back, in order."""
        return tuple(sorted(self._regular))

    @property
    def nbytes(self) -> int:
        """What all of them take."""
        return sum(array.nbytes + _OVERHEAD for kept in (self._regular, self._near) for array in kept.values())

    def last(self, until: int) -> int:
        """The last iteration not after `until` that has one."""
        if not self._near and (regular := until - until % self.stride) in self._regular:
            return regular
        return self._order[bisect_right(self._order, until) - 1]

    def keep(self, t: int, vector: Array) -> None:
        """Keep the start of iteration t, if it is one of the regular places and there is room."""
        if t % self.stride or t in self._regular:
            return
        if len(self._regular) >= self._most:
            self.stride *= 2
            self._only(lambda k: k % self.stride == 0, self._regular)
            if t % self.stride:
                return
        self._add(t, vector, self._regular)

    def plan(self, start: int, target: int) -> set[int]:
        """Where near ones are wanted on a way from `start` to `target`: densely just before it, then ever sparser.

        With room for all of them walking back costs one replay; with room for few, half of log2 of the way each.
        """
        dense = min(target - start, self._most_near // 2)
        wanted = {target - k for k in range(dense + 1)}
        back = 1
        while back < target - start and len(wanted) < self._most_near:
            wanted.add(target - back)
            back *= 2
        return {t for t in wanted if t > start}

    def keep_near(self, t: int, vector: Array) -> None:
        """Keep the start of iteration t for a walk back; the one furthest from it goes where there is no room."""
        if t in self._regular or t in self._near:
            return
        if len(self._near) >= self._most_near:
            furthest = max(self._near, key=lambda k: abs(k - t))
            self._only(lambda k: k != furthest, self._near)
        self._add(t, vector, self._near)

    def drop_after(self, t: int) -> None:
        """Forget all after iteration t, where another past begins."""
        self._only(lambda k: k <= t, self._regular)
        self._only(lambda k: k <= t, self._near)

    def _add(self, t: int, vector: Array, kept: dict[int, Array]) -> None:
        if t not in self._regular and t not in self._near:
            insort(self._order, t)
        kept[t] = vector.copy()

    def _only(self, wanted: Callable[[int], bool], kept: dict[int, Array]) -> None:
        for t in [t for t in kept if not wanted(t)]:
            del kept[t]
        self._order = sorted({*self._regular, *self._near})


class Losses:
    """The loss of every iteration so far; of a run too long for the memory, of every 2nd, 4th, … one.

    step  how far those that are kept lie apart
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._most = max(_FEWEST, int(memory * _LOSSES) // 16)
        self._kept = np.empty(64)
        self._count = 0
        self.step = 1

    def __len__(self) -> int:
        return self._count

    def put(self, t: int, losses: Array) -> None:
        """The losses (n,) of iterations t … t+n−1; those after them still hold, until they are cut."""
        self._count = max(self._count, t + len(losses))
        if self.step == 1 and self._count <= self._most and t + len(losses) <= len(self._kept):
            self._kept[t : t + len(losses)] = losses
            return
        while -(-self._count // self.step) > self._most:
            self._thin()
        first = -t % self.step
        chosen = losses[first :: self.step]
        start = (t + first) // self.step
        if start + len(chosen) > len(self._kept):
            self._kept = np.concatenate([self._kept, np.empty(max(len(self._kept), len(chosen)))])
        self._kept[start : start + len(chosen)] = chosen

    def cut(self, t: int) -> None:
        """Forget those from iteration t on."""
        self._count = min(self._count, t)

    def until(self, t: int) -> Array:
        """Those of the iterations before t that are kept, (⌈t / step⌉,)."""
        return self._kept[: -(-min(t, self._count) // self.step)].copy()

    def through(self, t: int) -> Array | None:
        """Those up to that of iteration t, not copied: good until the next ones; None where it is not kept itself."""
        return self._kept[: t + 1] if self.step == 1 and t < self._count else None

    def _thin(self) -> None:
        self._kept = self._kept[::2].copy()
        self.step *= 2
