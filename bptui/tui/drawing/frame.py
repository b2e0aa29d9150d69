"""A plot's frame: numbers along both edges, and where a pair of them lies in a canvas."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bptui.engine.network import Array
from bptui.explain.notation import number
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.ticks import ticks

MARGIN = 8
_DIGITS = 3
# So many rows lie at least between two numbers at the axis, and so many columns.
_APART, _ACROSS = 5, 20
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

    @classmethod
    def filling(cls, columns: int, rows: int, x: Range, y: Range) -> Frame:
        """All of a new canvas, but for the margin and the row of the axis."""
        canvas = Canvas(max(columns, MARGIN + 8), max(2, rows))
        return cls(canvas, canvas.columns - MARGIN - 1, canvas.rows - 1, x, y)

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

    def pair(self, x: int, y: int) -> tuple[float, float] | None:
        """The pair in the middle of a character, or None outside the area."""
        if not (0 <= x - MARGIN < self.columns and 0 <= y < self.rows):
            return None
        (left, right), (low, high) = self.x, self.y
        across, down = (x - MARGIN + 0.25) / (self.columns - 0.5), (y + 0.375) / (self.rows - 0.25)
        return left + min(1.0, across) * (right - left), high - min(1.0, down) * (high - low)

    def stroke(self, start: Range, end: Range, style: str, *, broken: bool = False) -> None:
        """A straight line between two pairs, as far as it lies in the area."""
        self.strokes(np.array([[start, end]]), style, broken=broken)

    def curve(self, xs: Array, ys: Array, style: str, *, broken: bool = False) -> None:
        """A line through pairs; what is not finite is a gap."""
        places = np.stack(np.broadcast_arrays(xs, ys), -1)
        known = np.isfinite(places).all(-1)
        self.strokes(np.stack([places[:-1], places[1:]], 1)[known[:-1] & known[1:]], style, broken=broken)

    def strokes(self, segments: Array, style: str, *, broken: bool = False) -> None:
        """Straight lines (n, 2, 2) between pairs, as far as they lie in the area."""
        (left, right), (low, high) = self.x, self.y
        with np.errstate(all="ignore"):
            shares = (_clipped(self, segments) - (left, high)) / (right - left, low - high)
        shares = shares[np.isfinite(shares).all((1, 2))]
        places = shares * (self.columns - 0.5, self.rows - 0.25) + (MARGIN, 0)
        self.canvas.strokes(places, style, broken=broken, below=self.rows)

    def mark(self, x: float, y: float, glyph: str, style: str = "plain+bold") -> None:
        """A glyph at a pair, where that is inside."""
        if math.isfinite(x) and math.isfinite(y) and self.inside(x, y):
            self.canvas.write(*self.cell(x, y), glyph, style)

    def axes(self, name: str = "", up: str = "", *, power: bool = False) -> None:
        """The edges, numbers along them, what runs along the lower one, and what runs up, perhaps in powers of ten.

        The name of what runs along the lower edge is near its end, between the numbers.
        """
        canvas, right = self.canvas, MARGIN + self.columns
        for y in range(self.rows):
            canvas.write(MARGIN - 1, y, "│", "faint")
        label = _power if power else short
        canvas.write(0, 0, label(self.y[1]).rjust(MARGIN - 1), "dim")
        if self.rows > 1:
            canvas.write(0, self.rows - 1, label(self.y[0]).rjust(MARGIN - 1), "dim")
        for value in ticks(*self.y, (self.rows - _APART) // _APART, whole=power):
            y = self.cell(self.x[0], value)[1]
            if 1 < y < self.rows - 2:
                canvas.write(0, y, f"{label(value).rjust(MARGIN - 1)}┤", "dim")
        canvas.write(MARGIN - 1, self.rows, "└" + "─" * self.columns, "faint")
        low, high = short(self.x[0]), short(self.x[1])
        canvas.write(MARGIN, self.rows, f"{low} ", "dim")
        canvas.write(right - len(high) - 1, self.rows, f" {high}", "dim")
        if up:
            canvas.write(MARGIN, 0, f" {up} ↑ "[: self.columns], "dim")
        for value in ticks(*self.x, self.columns // _ACROSS):
            text = f" {short(value)} "
            x = self.cell(value, self.y[0])[0] - len(text) // 2
            if canvas.free(x, self.rows, len(text), "─"):
                canvas.write(x, self.rows, text, "dim")
        if name:
            first, end = MARGIN + len(low) + 1, right - len(high) - 1
            text = f" {name[: end - first - 2]} "
            places = range(end - len(text), first - 1, -1)
            x = next((x for x in places if canvas.free(x, self.rows, len(text), "─")), first)
            canvas.write(x, self.rows, text, "dim")


def _power(value: float) -> str:
    return f"1e{value:.0f}" if value else "1"


def short(value: float) -> str:
    """A number of three digits in seven characters, or of as many as there is room for."""
    made = (number(value, digits).replace("e+0", "e").replace("e+", "e") for digits in range(_DIGITS, 0, -1))
    texts = [text.replace("e-0", "e−").replace("e-", "e−") for text in made]
    return next((text for text in texts if len(text) < MARGIN), texts[-1])


def _clipped(frame: Frame, segments: Array) -> Array:
    """The parts (m, 2, 2) of lines (n, 2, 2) that lie in the area, by Liang and Barsky."""
    low, high = np.array([frame.x, frame.y]).T
    first, last = np.zeros(len(segments)), np.ones(len(segments))
    outside = np.zeros(len(segments), bool)
    with np.errstate(all="ignore"):
        start, by = segments[:, 0], segments[:, 1] - segments[:, 0]
        for way, room in ((-by, start - low), (by, high - start)):
            share = room / way
            first = np.maximum(first, np.where(way < 0, share, 0.0).max(1))
            last = np.minimum(last, np.where(way > 0, share, 1.0).min(1))
            outside |= ((way == 0) & (room < 0)).any(1)
    kept = ~outside & (first <= last)
    ends = np.stack([first[kept], last[kept]], 1)
    return np.asarray(start[kept][:, None] + ends[..., None] * by[kept][:, None])


def crossings(axes: tuple[Array, ...], heights: Array, level: float) -> Array:
    """Lines (n, 2, 2) of one height on a grid, by marching squares; heights[k, j] at (axes[0][j], axes[1][k])."""
    xs, ys = axes
    above, known = heights > level, np.isfinite(heights)
    around = _corners(above).sum(0)
    k, j = np.nonzero(_corners(known).all(0) & (around > 0) & (around < _EDGES))
    rows, columns = (np.stack([at + step for step in steps], 1) for at, steps in ((k, _UP), (j, _RIGHT)))
    here, high = heights[rows, columns], above[rows, columns]
    there, turned = np.roll(here, -1, 1), high != np.roll(high, -1, 1)
    with np.errstate(all="ignore"):
        share = np.where(turned, (level - here) / (there - here), 0.0)
    places = np.stack([xs[columns], ys[rows]], -1)
    places = places + share[..., None] * (np.roll(places, -1, 1) - places)
    # Edges that are crossed come in pairs, one after the other around the square.
    square, edge = np.nonzero(turned)
    return np.asarray(places[square, edge].reshape(-1, 2, 2))


# The corners of a square, one after the other around it.
_UP, _RIGHT, _EDGES = (0, 0, 1, 1), (0, 1, 1, 0), 4


def _corners(grid: Array) -> Array:
    """The corners of each square of a grid, (4, rows, columns)."""
    return np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]])
