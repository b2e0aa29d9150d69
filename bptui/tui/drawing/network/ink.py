"""Lines in braille dots: how wide tells a weight's size, dashes its sign."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bptui.engine.network import Array
from bptui.tui.drawing.kept import Kept

# A dash and the gap after it, in dots.
_DASH, _PERIOD = 5, 8
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
# In a cell of four rows of dots the second is where a line of one dot runs; wider ones lie around it.
_OFFSETS = ((0,), (0, 1), (-1, 0, 1))
WIDEST = len(_OFFSETS)

Segment = tuple[float, float, float, float]


class Ink:
    """The dots of many lines on a grid, at each width, made once for a layout.

    `which` is line by line the number that it was given.
    """

    def __init__(self, segments: Sequence[Segment], which: Sequence[int], columns: int, rows: int) -> None:
        dots = np.rint(np.array(segments, float).reshape(-1, 4) * [2, 4, 2, 4]).astype(int)
        ends = np.add(dots, [0, 1, -1, 1])
        span = ends[:, 2:] - ends[:, :2]
        steps = np.maximum(np.abs(span).max(1, initial=0), 1)
        line = np.repeat(np.arange(len(ends)), steps + 1)
        k = np.arange(len(line)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
        along = np.rint(ends[line, :2] + span[line] * (k / steps[line])[:, None]).astype(int)
        steep = (np.abs(span[:, 1]) > np.abs(span[:, 0]))[line]
        numbers = np.asarray(which, int)[line]
        self._size = columns * rows
        self._made: Kept[tuple[Array, Array, Array]] = Kept(4)
        self._widths = [_Dots(along, steep, numbers, k, offsets, columns, rows) for offsets in _OFFSETS]

    def dots(self, widths: Array, ranks: Array, broken: Array) -> tuple[Array, Array, Array]:
        """The cells that lines fill, their bits, and the rank of the uppermost line in each.

        widths  of each line, 0 for a dotted one, −1 for one that is not drawn
        broken  whether it is drawn in dashes
        """
        key = widths.tobytes(), ranks.tobytes(), broken.tobytes()
        return self._made.get(key, lambda: self._dots(widths, ranks, broken))

    def _dots(self, widths: Array, ranks: Array, broken: Array) -> tuple[Array, Array, Array]:
        found = [self._widths[max(0, w - 1)].of(widths, broken, w) for w in range(WIDEST + 1) if (widths == w).any()]
        if not found:
            none = np.zeros(0, int)
            return none, none, none
        cells, bits, numbers = (np.concatenate(parts) for parts in zip(*found, strict=True))
        filled, upper = np.zeros(self._size, np.uint8), np.zeros(self._size, int)
        np.bitwise_or.at(filled, cells, bits)
        np.maximum.at(upper, cells, ranks[numbers])
        there = np.flatnonzero(filled)
        return there, filled[there], upper[there]


class _Dots:
    """Every dot of every line at one width."""

    def __init__(
        self, along: Array, steep: Array, numbers: Array, k: Array, offsets: tuple[int, ...], columns: int, rows: int
    ) -> None:
        count = len(offsets)
        aside = np.tile(offsets, len(along))
        x, y = np.repeat(along[:, 0], count), np.repeat(along[:, 1], count)
        across = np.repeat(steep, count)
        x, y = x + np.where(across, aside, 0), y + np.where(across, 0, aside)
        inside = (x >= 0) & (x < 2 * columns) & (y >= 0) & (y < 4 * rows)
        x, y = x[inside], y[inside]
        self.cells = (y // 4) * columns + x // 2
        self.bits = _BITS[y % 4, x % 2]
        self.numbers = np.repeat(numbers, count)[inside]
        step = np.repeat(k, count)[inside]
        self.dashed = step % _PERIOD < _DASH
        self.dotted = step % 2 == 0

    def of(self, widths: Array, broken: Array, width: int) -> tuple[Array, Array, Array]:
        """Those of the lines that have this width."""
        kept = (widths == width)[self.numbers] & (self.dashed | ~broken[self.numbers])
        if width == 0:
            kept &= self.dotted
        return self.cells[kept], self.bits[kept], self.numbers[kept]
