"""A grid of characters with fine lines between them, drawn in braille dots."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from bptui.engine.network import Array
from bptui.tui.drawing.lines import Line, Run

_BITS = np.array(((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80)), np.uint8)
_BRAILLE = tuple(chr(0x2800 + bits) for bits in range(256))

# Dots from one dash to the next.
_DASH = 6


class Canvas:
    """Text and lines; text covers lines, and what is drawn later covers what was there."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        size = columns * rows
        self._text = [""] * size
        self._styles = ["plain"] * size
        self._bits = bytearray(size)
        self._inks = ["plain"] * size

    def write(self, x: int, y: int, text: str, style: str = "plain") -> None:
        """Text from a cell on; what falls outside is left out."""
        if not 0 <= y < self.rows:
            return
        first, last = max(0, x), min(self.columns, x + len(text))
        if first < last:
            start = y * self.columns
            self._text[start + first : start + last] = text[first - x : last - x]
            self._styles[start + first : start + last] = [style] * (last - first)

    def free(self, x: int, y: int, length: int, over: str = "") -> bool:
        """Whether a stretch of a row lies inside and holds no text, nor touches any, but for the characters `over`."""
        if x < 0 or x + length > self.columns or not 0 <= y < self.rows:
            return False
        start = y * self.columns
        around = self._text[start + max(0, x - 1) : start + min(self.columns, x + length + 1)]
        return all(not character or character == " " or character in over for character in around)

    def stretch(self, length: int, *, across: bool = False) -> tuple[int, int] | None:
        """Where a text of a length has room, from below: with a blank on either side, across lines if it may."""
        for y in range(self.rows - 1, -1, -1):
            row = slice(y * self.columns, (y + 1) * self.columns)
            letters = zip(self._text[row], self._bits[row], strict=True)
            taken = "".join("#" if text.strip() or (bits and not across) else " " for text, bits in letters)
            x = taken.find(" " * (length + 2))
            if x >= 0:
                return x + 1, y
        return None

    def empty(self, x: int, y: int) -> bool:
        """Whether neither text nor a line is at a cell."""
        cell = y * self.columns + x
        return not self._text[cell] and not self._bits[cell]

    def dots(self, cells: Array, bits: Array, styles: list[str]) -> None:
        """Many at once: for each flat cell its dots, and their style."""
        for cell, more, style in zip(cells.tolist(), bits.tolist(), styles, strict=True):
            self._bits[cell] |= more
            self._inks[cell] = style

    def stroke(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        style: str,
        *,
        broken: bool = False,
        below: int | None = None,
    ) -> None:
        """A straight line between two places given in cells; broken into dashes, and only above a row, if wanted."""
        self.strokes(np.array([(start, end)], float), style, broken=broken, below=below)

    def strokes(self, segments: Array, style: str, *, broken: bool = False, below: int | None = None) -> None:
        """Many straight lines (n, 2, 2) of one style at once, in cells: the dots that `stroke` sets for each."""
        if not len(segments):
            return
        ends = np.rint(segments * (2, 4)).astype(int)
        by = ends[:, 1] - ends[:, 0]
        steps = np.maximum(1, np.abs(by).max(1))
        which = np.repeat(np.arange(len(ends)), steps + 1)
        k = np.arange(len(which)) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
        x, y = np.rint(ends[which, 0] + by[which] * k[:, None] / steps[which, None]).astype(int).T
        kept = (x >= 0) & (x < 2 * self.columns) & (y >= 0) & (y < 4 * (self.rows if below is None else below))
        if broken:
            steep = np.abs(by[which, 1]) > np.abs(by[which, 0])
            kept &= np.where(steep, y, x) % _DASH < _DASH // 2
        self._set(x[kept], y[kept], style)

    def _set(self, x: Array, y: Array, style: str) -> None:
        """Dots, all of one style."""
        cells = y // 4 * self.columns + x // 2
        np.bitwise_or.at(np.frombuffer(self._bits, np.uint8), cells, _BITS[y % 4, x % 2])
        for cell in set(cells.tolist()):
            self._inks[cell] = style

    def box(self, x: int, y: int, columns: int, rows: int, title: str, style: str) -> None:
        """A rounded box with a title in its upper edge, empty inside."""
        for k in range(1, rows - 1):
            self.write(x, y + k, "│" + " " * (columns - 2) + "│", style)
        self.write(x, y, "╭" + "─" * (columns - 2) + "╮", style)
        self.write(x, y + rows - 1, "╰" + "─" * (columns - 2) + "╯", style)
        self.write(x + 1, y, f" {title} ", style)

    def lines(self) -> list[Line]:
        """The picture, row by row, runs of one style merged."""
        return [self._line(y * self.columns) for y in range(self.rows)]

    def _line(self, start: int) -> Line:
        end = start + self.columns
        texts, bits = self._text[start:end], self._bits[start:end]
        if not any(texts) and not any(bits):
            return ((" " * self.columns, "plain"),) if self.columns else ()
        styles, inks = self._styles[start:end], self._inks[start:end]
        letters = [text or (_BRAILLE[dots] if dots else " ") for text, dots in zip(texts, bits, strict=True)]
        names = [
            style if text else ink if dots else "plain"
            for text, dots, style, ink in zip(texts, bits, styles, inks, strict=True)
        ]
        runs: list[Run] = []
        first = 0
        for name, alike in groupby(names):
            last = first + len(list(alike))
            runs.append(("".join(letters[first:last]), name))
            first = last
        return tuple(runs)
