"""The loss over the iterations."""

from __future__ import annotations

import itertools

import numpy as np

from bptui.engine.network import Array
from bptui.explain.notation import number
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.lines import Line

_MARGIN = 10


def plot(losses: Array, columns: int, rows: int, every: int = 1) -> list[Line]:
    """A curve in braille with its highest and lowest value and the first and last iteration at the axes.

    every  how many iterations lie between two of the losses
    """
    rows = max(rows, 2)
    canvas = Canvas(max(columns, _MARGIN + 4), rows)
    known = [(float(t * every), float(losses[t])) for t in _chosen(losses, 2 * canvas.columns)]
    count = (len(losses) - 1) * every + 1
    if not known:
        canvas.write(1, 0, "the loss of every iteration is drawn here", "dim")
        return canvas.lines()
    high, low = max(loss for _, loss in known), min(0.0, *(loss for _, loss in known))
    high = high if high > low else low + 1.0
    _axes(canvas, high, low, count)
    places = [_place(canvas, t, loss, count, high, low) for t, loss in known]
    for here, there in itertools.pairwise(places):
        canvas.stroke(here, there, "dim")
    x, y = places[-1]
    canvas.write(int(x), min(rows - 2, int(y)), "●", "now")
    return canvas.lines()


def _chosen(losses: Array, most: int) -> list[int]:
    """The finite ones; the lowest and the highest of each stretch, where there are more than dots to draw them with."""
    finite = np.flatnonzero(np.isfinite(losses))
    if len(finite) <= 2 * most:
        return [int(t) for t in finite]
    step = len(finite) // most + 1
    whole = finite[: len(finite) // step * step].reshape(-1, step)
    values, rows = losses[whole], np.arange(len(whole))
    ends = {*whole[rows, values.argmin(1)].tolist(), *whole[rows, values.argmax(1)].tolist(), int(finite[-1])}
    return sorted(ends)


def _axes(canvas: Canvas, high: float, low: float, count: int) -> None:
    bottom = canvas.rows - 1
    for y in range(bottom):
        canvas.write(_MARGIN - 1, y, "│", "faint")
    canvas.write(_MARGIN - 1, bottom, "└" + "─" * (canvas.columns - _MARGIN), "faint")
    canvas.write(0, 0, number(high, 4).rjust(_MARGIN - 2), "dim")
    if bottom > 1:
        canvas.write(0, bottom - 1, number(low, 4).rjust(_MARGIN - 2), "dim")
    canvas.write(_MARGIN, bottom, "0", "dim")
    if count > 1:
        text = str(count - 1)
        canvas.write(canvas.columns - len(text) - 1, bottom, text, "dim")


def _place(canvas: Canvas, t: float, loss: float, count: int, high: float, low: float) -> tuple[float, float]:
    across = canvas.columns - _MARGIN - 2
    down = canvas.rows - 1 - 0.3
    return _MARGIN + across * t / max(1, count - 1), down * (high - loss) / (high - low)
