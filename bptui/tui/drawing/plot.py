"""The loss over the iterations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from bptui.explain.notation import number
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.lines import Line

_MARGIN = 10


def plot(losses: Sequence[float], columns: int, rows: int) -> list[Line]:
    """A curve in braille with its highest and lowest value and the first and last iteration at the axes."""
    rows = max(rows, 2)
    canvas = Canvas(max(columns, _MARGIN + 4), rows)
    known = _thinned([(t, loss) for t, loss in enumerate(losses) if math.isfinite(loss)], 2 * canvas.columns)
    if not known:
        canvas.write(1, 0, "the loss of every iteration is drawn here", "dim")
        return canvas.lines()
    high, low = max(loss for _, loss in known), min(0.0, *(loss for _, loss in known))
    high = high if high > low else low + 1.0
    _axes(canvas, high, low, len(losses))
    places = [_place(canvas, t, loss, len(losses), high, low) for t, loss in known]
    for here, there in itertools.pairwise(places):
        canvas.stroke(here, there, "dim")
    x, y = places[-1]
    canvas.write(int(x), min(rows - 2, int(y)), "●", "now")
    return canvas.lines()


def _thinned(points: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """The lowest and the highest of each stretch, where there are more points than dots to draw them with."""
    if len(points) <= 2 * most:
        return points
    step = len(points) // most + 1
    stretches = [points[k : k + step] for k in range(0, len(points), step)]
    ends = [sorted({min(s, key=lambda p: p[1]), max(s, key=lambda p: p[1])}) for s in stretches]
    return [*itertools.chain.from_iterable(ends), points[-1]]


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


def _place(canvas: Canvas, t: int, loss: float, count: int, high: float, low: float) -> tuple[float, float]:
    across = canvas.columns - _MARGIN - 2
    down = canvas.rows - 1 - 0.3
    return _MARGIN + across * t / max(1, count - 1), down * (high - loss) / (high - low)
