"""Curves over the iterations, and on their axis what lies on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from bptui.engine.network import Array
from bptui.explain.notation import number
from bptui.files.text import safe
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.frame import short
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.ticks import ticks

_MARGIN = 10
# With fewer rows than these the names of marks find no place.
_ROWS_FOR_NAMES = 5
# So many rows lie at least between two numbers at the axis, and so many columns.
_APART, _ACROSS = 5, 20
# Numbers near the largest there are differ by more than that; they are drawn in these.
_HUGE = 1e200
# A curve beside the first is followed so many times as high as that one goes.
_BEYOND = 3.0
# One iteration or value, or many at once.
Places = TypeVar("Places", float, Array)
# Within an iteration a curve stays what it is.
_PLOTS: Kept[list[Line]] = Kept(8)


@dataclass(frozen=True, eq=False)
class Curve:
    """Values (n,) at iterations (n,), rising.

    broken  drawn in dashes, so that it is told from another without colour
    aside   not what the plot is about: it gives no scale, and may leave the picture
    name    written at its end
    """

    iterations: Array
    values: Array
    style: str = "dim"
    broken: bool = False
    aside: bool = False
    name: str = ""

    @classmethod
    def of(
        cls, losses: Array, every: int, style: str = "dim", *, broken: bool = False, aside: bool = False, name: str = ""
    ) -> Curve:
        """Losses of which `every` iterations lie between two."""
        return cls(np.arange(len(losses)) * every, losses, style, broken, aside, name)

    def thinned(self, most: int, *, log: bool = False) -> Curve:
        """Of each of so many stretches the lowest and the highest that can be drawn, and the last there is.

        Of a run of hundreds of thousands of iterations everything after this looks at a few hundred.
        """
        if len(self.values) <= 2 * most:
            return self
        step = len(self.values) // most + 1
        whole = len(self.values) // step * step
        parts = _extremes(self.values[:whole].reshape(-1, step), log=log), _extremes(self.values[None, whole:], log=log)
        kept = sorted({*parts[0].tolist(), *(parts[1] + whole).tolist()})
        return replace(self, iterations=self.iterations[kept], values=self.values[kept])

    def finite(self, unit: float, *, log: bool = False) -> Curve:
        """Without what can't be drawn, in units; the logarithms, if wanted."""
        with np.errstate(all="ignore"):
            values = np.log10(self.values) if log else self.values / unit
        kept = np.isfinite(values)
        return replace(self, iterations=self.iterations[kept], values=values[kept])


def _extremes(rows: Array, *, log: bool) -> Array:
    """Where the lowest, the highest and the last of each row lie, in the flat array, of those that can be drawn."""
    there = np.isfinite(rows) & (rows > 0) if log else np.isfinite(rows)
    some = there.any(1)
    if not some.any():
        return np.zeros(0, int)
    low, high = (rows, rows) if there.all() else (np.where(there, rows, np.inf), np.where(there, rows, -np.inf))
    last = rows.shape[1] - 1 - there[:, ::-1].argmax(1)
    starts = np.arange(len(rows)) * rows.shape[1]
    return np.concatenate([(starts + found)[some] for found in (low.argmin(1), high.argmax(1), last)])


@dataclass(frozen=True)
class Mark:
    """Something on the axis; where several fall into one column, the one with the highest rank is drawn."""

    iteration: int
    glyph: str
    style: str
    rank: int = 0
    name: str = ""


@dataclass(frozen=True)
class Axes:
    """How curves are laid out.

    floor  what the axis begins at, at the latest; None: at the lowest value
    last   the last iteration on the axis; None: where the first curve ends
    log    steps of the same height are the same factor; what is not above 0 is left out
    here   where one is, if that is before the end: what comes after it is drawn as what one has been at
    empty  what is said where there is no curve yet
    """

    floor: float | None = 0.0
    last: int | None = None
    here: int | None = None
    log: bool = False
    empty: str = "the loss of every iteration is drawn here"


def plot(
    curves: Sequence[Curve], columns: int, rows: int, *, marks: Sequence[Mark] = (), axes: Axes | None = None
) -> list[Line]:
    """Curves in braille with the highest and lowest value and the first and last iteration at the axes.

    The first curve is the one that it is about: it ends in a dot, lies above the others, and gives the scale.
    """
    rows, axes = max(rows, 2), axes or Axes()
    canvas = Canvas(max(columns, _MARGIN + 4), rows)
    last = int(curves[0].iterations[-1]) if axes.last is None and len(curves[0].iterations) else axes.last or 0
    curves = [curve.thinned(2 * canvas.columns, log=axes.log) for curve in curves]
    key = canvas.columns, rows, last, axes, tuple(marks), tuple(map(_key, curves))
    return list(_PLOTS.get(key, lambda: _plotted(canvas, curves, marks, axes, last)))


def _key(curve: Curve) -> tuple[bytes | str | bool, ...]:
    """All that a curve is."""
    kept = curve.iterations.tobytes(), curve.values.tobytes()
    return *kept, curve.style, curve.broken, curve.aside, curve.name


def _plotted(canvas: Canvas, curves: Sequence[Curve], marks: Sequence[Mark], axes: Axes, last: int) -> list[Line]:
    huge = any((np.abs(curve.values[np.isfinite(curve.values)]) > _HUGE).any() for curve in curves)
    unit = _HUGE if huge and not axes.log else 1.0
    shown = [curve.finite(unit, log=axes.log) for curve in curves]
    main = shown[0]
    if not main.values.size:
        canvas.write(1, 0, axes.empty, "dim")
        return canvas.lines()
    rows = canvas.rows
    named = rows >= _ROWS_FOR_NAMES
    scale = _Scale(canvas, *_range(shown, None if axes.log else axes.floor), last, rows - 1 - named, unit, axes.log)
    _axes(canvas, scale, marks, axes.here, named=named)
    for curve in reversed(shown):
        _draw(canvas, scale, curve)
    for curve in shown:
        _called(canvas, scale, curve)
    if not main.broken:
        x, y = scale.place(float(main.iterations[-1]), float(main.values[-1]))
        canvas.write(int(x), min(scale.bottom - 1, int(y)), "●", "now")
    return canvas.lines()


@dataclass(frozen=True)
class Course:
    """Where iterations lie along an axis of so many columns that ends with iteration `last`, and which lies where."""

    columns: int
    last: int

    def column(self, t: Places) -> Places:
        """Where an iteration lies."""
        return _MARGIN + self._long * t / max(1, self.last)

    def iteration(self, column: int) -> int:
        """The iteration nearest to a column; beyond the ends the first or the last."""
        if column <= _MARGIN or column >= _MARGIN + self._long:
            return 0 if column <= _MARGIN else self.last
        return round((column + 0.5 - _MARGIN) * self.last / self._long)

    @property
    def _long(self) -> int:
        return self.columns - _MARGIN - 2


@dataclass(frozen=True)
class _Scale:
    """Where iterations and values lie; `bottom` is the row of the axis, values are in `unit`s."""

    canvas: Canvas
    high: float
    low: float
    last: int
    bottom: int
    unit: float = 1.0
    log: bool = False

    def label(self, value: float) -> str:
        """A value at the axis."""
        with np.errstate(over="ignore"):
            shown = float(np.float64(10) ** value) if self.log else value * self.unit
        text = number(shown, 4)
        return (text if len(text) < _MARGIN - 1 else short(shown)).rjust(_MARGIN - 2)

    def place(self, t: Places, value: Places) -> tuple[Places, Places]:
        """In cells."""
        down = self.bottom - 0.3
        return self.column(t), down * (self.high - value) / (self.high - self.low)

    def column(self, t: Places) -> Places:
        """Where an iteration lies."""
        return self._course.column(t)

    @cached_property
    def _course(self) -> Course:
        return Course(self.canvas.columns, self.last)


def _range(curves: Sequence[Curve], floor: float | None) -> tuple[float, float]:
    """The highest and the lowest value; another curve that leaves the first one far behind is followed a while."""
    main = curves[0].values
    high, low = float(main.max()), float(main.min())
    span = (high - (low if floor is None else min(floor, low))) or abs(high) or 1.0
    for curve in curves[1:]:
        if curve.values.size and not curve.aside:
            high = max(high, min(float(curve.values.max()), high + (_BEYOND - 1) * span))
            low = min(low, max(float(curve.values.min()), low - (_BEYOND - 1) * span))
    low = low if floor is None else min(floor, low)
    # A number so large that 1 is nothing beside it has room above it too.
    room = 1.0 if low + 1.0 > low else abs(low) / 4
    return (high, low) if high > low else (low + room, low - (room if floor is None else 0.0))


def _draw(canvas: Canvas, scale: _Scale, curve: Curve) -> None:
    # Above the picture and below it is outside, however far.
    values = np.clip(curve.values, scale.low - (scale.high - scale.low), 2 * scale.high - scale.low)
    places = np.stack(scale.place(curve.iterations, values), 1)
    if len(places) == 1:
        canvas.strokes(np.stack([places, places], 1), curve.style)
    canvas.strokes(np.stack([places[:-1], places[1:]], 1), curve.style, broken=curve.broken, below=scale.bottom)


def _called(canvas: Canvas, scale: _Scale, curve: Curve) -> None:
    """A curve's name at its end, or where it leaves the picture: beside it, above or below, where most is free."""
    inside = np.flatnonzero((curve.values <= scale.high) & (curve.values >= scale.low))
    if not curve.name or not inside.size:
        return
    text = f" {safe(curve.name)} "
    x, y = map(int, scale.place(float(curve.iterations[inside[-1]]), float(curve.values[inside[-1]])))
    right = min(x + 2, canvas.columns - len(text))
    places = [(column, row) for row in (y, y - 1, y + 1, y - 2, y + 2) for column in (x + 2, x - len(text), right)]
    inner = [
        (column, row)
        for column, row in places
        if _MARGIN <= column <= canvas.columns - len(text) and 0 <= row < scale.bottom
    ]
    if inner:
        hidden = [sum(not canvas.empty(column + k, row) for k in range(len(text))) for column, row in inner]
        canvas.write(*inner[hidden.index(min(hidden))], text, curve.style)


def _axes(canvas: Canvas, scale: _Scale, marks: Sequence[Mark], here: int | None, *, named: bool) -> None:
    bottom = scale.bottom
    for y in range(bottom):
        canvas.write(_MARGIN - 1, y, "│", "faint")
    canvas.write(_MARGIN - 1, bottom, "└" + "─" * (canvas.columns - _MARGIN), "faint")
    if here is not None:
        column = int(scale.column(here)) + 1
        canvas.write(column, bottom, "╌" * (canvas.columns - column), "faint")
    canvas.write(0, 0, scale.label(scale.high), "dim")
    if bottom > 1:
        canvas.write(0, bottom - 1, scale.label(scale.low), "dim")
    _rungs(canvas, scale)
    _marked(canvas, scale, marks)
    _ends(canvas, scale, bottom + named, named=named)
    if named:
        _names(canvas, scale, marks)
    _steps(canvas, scale, bottom + named)
    if not named:
        # On one row with the numbers what has a name or is at hand covers them.
        _marked(canvas, scale, [mark for mark in marks if mark.rank])


def _rungs(canvas: Canvas, scale: _Scale) -> None:
    """Round values between the highest and the lowest, where the picture is high enough."""
    for value in ticks(scale.low, scale.high, (scale.bottom - _APART) // _APART, whole=scale.log):
        y = int(scale.place(0, value)[1])
        if 1 < y < scale.bottom - 2:
            canvas.write(0, y, scale.label(value), "dim")
            canvas.write(_MARGIN - 1, y, "┤", "faint")


def _marked(canvas: Canvas, scale: _Scale, marks: Sequence[Mark]) -> None:
    # Of several at one place that of the highest rank is seen.
    seen = {int(scale.column(mark.iteration)): mark for mark in sorted(marks, key=lambda mark: mark.rank)}
    for column, mark in seen.items():
        canvas.write(column, scale.bottom, mark.glyph, mark.style)


def _ends(canvas: Canvas, scale: _Scale, row: int, *, named: bool) -> None:
    """The first iteration and the last, under their places; on one row with the marks beside them."""
    canvas.write(_MARGIN + (not named), row, "0", "dim")
    if scale.last > 0:
        text = str(scale.last)
        canvas.write(canvas.columns - len(text) - 1 - (not named), row, text, "dim")


def _steps(canvas: Canvas, scale: _Scale, row: int) -> None:
    """Round numbers where nothing that has a name stands."""
    for t in ticks(0, scale.last, (canvas.columns - _MARGIN) // _ACROSS, whole=True):
        x = int(scale.column(t)) - (len(f"{t:.0f}") - 1) // 2
        if canvas.free(x, row, len(f"{t:.0f}"), "─╌┴"):
            canvas.write(x, row, f"{t:.0f}", "dim")


def _names(canvas: Canvas, scale: _Scale, marks: Sequence[Mark]) -> None:
    """Under their marks, as far as they find a free place."""
    for mark in marks:
        text = safe(mark.name)
        x = max(_MARGIN + 2, min(int(scale.column(mark.iteration)), canvas.columns - len(text) - 1))
        if text and canvas.free(x, scale.bottom + 1, len(text)):
            canvas.write(x, scale.bottom + 1, text, "dim")
