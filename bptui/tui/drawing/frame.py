"""A plot's frame: numbers along both edges, and where a pair of them lies in a canvas."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from bptui.engine.network import Array
from bptui.explain.notation import number
from bptui.tui.drawing.canvas import Canvas

MARGIN = 8
_DIGITS = 3
Range = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """An area of a canvas over a range of two numbers; the row below its rows is that of the axis.

    columns  from MARGIN on
    """

    canvas: Canvas
    columns: int
    rows: int
    x: Range
    y: Range

    def place(self, x: float, y: float) -> tuple[float, float]:
        """In cells, where a dot of the canvas lies; clipped to somewhat outside the area."""
        (left, right), (low, high) = self.x, self.y
        across = (x - left) / (right - left) * (self.columns - 0.5)
        down = (high - y) / (high - low) * (self.rows - 0.25)
        return MARGIN + max(-9.0, min(self.columns + 9.0, across)), max(-9.0, min(self.rows + 9.0, down))

    def inside(self, x: float, y: float) -> bool:
        """Whether a pair lies in the area."""
        return self.x[0] <= x <= self.x[1] and self.y[0] <= y <= self.y[1]

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """The character in which a pair of the area lies."""
        across, down = self.place(x, y)
        return min(MARGIN + self.columns - 1, int(across + 0.25)), max(0, min(self.rows - 1, int(down + 0.125)))

    def stroke(self, start: Range, end: Range, style: str, *, broken: bool = False) -> None:
        """A straight line between two pairs, as far as it lies in the area."""
        clipped = _clipped(self, start, end)
        if clipped is not None:
            self.canvas.stroke(self.place(*clipped[0]), self.place(*clipped[1]), style, broken=broken, below=self.rows)

    def curve(self, xs: Array, ys: Array, style: str, *, broken: bool = False) -> None:
        """A line through pairs; what is not finite is a gap."""
        known = np.isfinite(ys)
        for k in np.flatnonzero(known[:-1] & known[1:]).tolist():
            start, end = (float(xs[k]), float(ys[k])), (float(xs[k + 1]), float(ys[k + 1]))
            self.stroke(start, end, style, broken=broken)

    def mark(self, x: float, y: float, glyph: str, style: str = "plain+bold") -> None:
        """A glyph at a pair, where that is inside."""
        if math.isfinite(x) and math.isfinite(y) and self.inside(x, y):
            self.canvas.write(*self.cell(x, y), glyph, style)

    def axes(self, name: str = "", up: str = "") -> None:
        """The edges, the numbers at their ends, what runs along the lower one, and what runs up."""
        canvas, right = self.canvas, MARGIN + self.columns
        for y in range(self.rows):
            canvas.write(MARGIN - 1, y, "│", "faint")
        canvas.write(0, 0, short(self.y[1]).rjust(MARGIN - 1), "dim")
        if self.rows > 1:
            canvas.write(0, self.rows - 1, short(self.y[0]).rjust(MARGIN - 1), "dim")
        canvas.write(MARGIN - 1, self.rows, "└" + "─" * self.columns, "faint")
        low, high = short(self.x[0]), short(self.x[1])
        canvas.write(MARGIN, self.rows, f"{low} ", "dim")
        canvas.write(right - len(high) - 1, self.rows, f" {high}", "dim")
        if up:
            canvas.write(MARGIN + 1, 0, f"{up} ↑ "[: self.columns - 1], "dim")
        if name:
            room = self.columns - len(low) - len(high) - 4
            canvas.write(MARGIN + len(low) + 1 + max(0, (room - len(name)) // 2), self.rows, f" {name[:room]} ", "dim")


def short(value: float) -> str:
    """A number of three digits in seven characters."""
    text = number(value, _DIGITS).replace("e+0", "e").replace("e+", "e").replace("e-0", "e−").replace("e-", "e−")
    return text if len(text) < MARGIN else short(float(f"{value:.1g}"))


def _clipped(frame: Frame, start: Range, end: Range) -> tuple[Range, Range] | None:
    """The part of a line that lies in the area, by Liang and Barsky; None where none does."""
    (x, y), dx, dy = start, end[0] - start[0], end[1] - start[1]
    first, last = 0.0, 1.0
    for by, room in ((-dx, x - frame.x[0]), (dx, frame.x[1] - x), (-dy, y - frame.y[0]), (dy, frame.y[1] - y)):
        if by == 0 and room < 0:
            return None
        if by < 0:
            first = max(first, room / by)
        elif by > 0:
            last = min(last, room / by)
    if not first <= last:
        return None
    return (x + first * dx, y + first * dy), (x + last * dx, y + last * dy)


def contours(frame: Frame, axes: tuple[Array, ...], heights: Array, level: float, style: str) -> None:
    """The lines of one height on a grid, by marching squares; heights[k, j] at (axes[0][j], axes[1][k])."""
    xs, ys = axes
    above = heights > level
    known = np.isfinite(heights)
    corners = (above[:-1, :-1], above[:-1, 1:], above[1:, 1:], above[1:, :-1])
    same = np.logical_and.reduce(corners) | ~np.logical_or.reduce(corners)
    whole = known[:-1, :-1] & known[:-1, 1:] & known[1:, 1:] & known[1:, :-1]
    for k, j in np.argwhere(whole & ~same).tolist():
        square = [(k, j), (k, j + 1), (k + 1, j + 1), (k + 1, j)]
        crossed = []
        for (k0, j0), (k1, j1) in itertools.pairwise([*square, square[0]]):
            if above[k0, j0] != above[k1, j1]:
                a, b = float(heights[k0, j0]), float(heights[k1, j1])
                share = (level - a) / (b - a)
                crossed.append((_between(xs, j0, j1, share), _between(ys, k0, k1, share)))
        for start, end in zip(crossed[::2], crossed[1::2], strict=False):
            frame.stroke(start, end, style)


def _between(places: Array, first: int, second: int, share: float) -> float:
    return float(places[first] + share * (places[second] - places[first]))
