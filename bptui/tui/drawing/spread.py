"""How a tensor's cells are spread: the last iterations as rows of shade, and the cells of this moment as bars."""

from __future__ import annotations

import math

import numpy as np

from bptui.debugger.probing.ranges import nice
from bptui.engine.network import Array
from bptui.explain.notation import Names, number
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, line
from bptui.tui.drawing.norms import BLOCKS
from bptui.tui.scene import Hit, Scene, Spread

_SHADES = " ░▒▓█"
_MARGIN = 9
# Of the rows this share is for the bars.
_BARS = 3
# Stretches that are counted: no fewer than these, and so many for the root of the number of cells.
_FEWEST, _TIMES = 16, 2


def spread(scene: Scene, found: Spread, columns: int, rows: int) -> list[Line]:
    """Rows of shade, the latest at the bottom, then bars and the axis."""
    room, edges = _edges(scene, found, columns)
    if not len(edges):
        return [line((f" {_name(scene, found)} is not computed yet", "dim"))]
    bars = max(1, rows // _BARS) if found.cells is not None else 0
    past = max(0, rows - 1 - bars)
    shown = list(zip(found.iterations, found.quantiles, strict=True))[-past:] if past else []
    lines = [_shaded(int(t), row, edges, room) for t, row in shown]
    if found.cells is not None:
        lines += _bars(found.cells, edges, room, bars)
    if rows > 1:
        lines.append(line((" " * _MARGIN + _ends(float(edges[0]), float(edges[-1]), room), "dim")))
    return lines


def _edges(scene: Scene, found: Spread, columns: int) -> tuple[int, Array]:
    """How many columns the pictures have, and between which values cells are counted; none where nothing is known."""
    room = max(8, columns - _MARGIN - 2)
    every = [found.quantiles.reshape(-1)]
    if found.cells is not None:
        every.append(found.cells.reshape(-1))
    known = np.concatenate(every)
    known = known[np.isfinite(known)]
    if not known.size:
        return room, known
    size = scene.view.program.slots[found.slot].size
    bins = max(_FEWEST, min(room, math.ceil(_TIMES * math.sqrt(size))))
    return room, np.linspace(*limits(float(known.min()), float(known.max())), bins + 1)


def hit(scene: Scene, found: Spread, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """How many cells there are now between two values."""
    del y
    room, edges = _edges(scene, found, size[0])
    if found.cells is None or not len(edges) or not 0 <= x - _MARGIN < room:
        return None
    k = (x - _MARGIN) * (len(edges) - 1) // room
    count = int(_counts(found.cells, edges, len(edges) - 1)[k])
    step = f", of every {found.step}th" if found.step > 1 else ""
    ends = f"from {number(edges[k], 4)} to {number(edges[k + 1], 4)}"
    return Hit(text=f"{_name(scene, found)}: {count} cell{'s' * (count != 1)}{step} {ends}")


def limits(low: float, high: float) -> tuple[float, float]:
    """A range in round numbers; one around 0 goes as far to both sides."""
    size = max(abs(low), abs(high)) or 1.0
    if low < 0 < high:
        return -max(size, nice(size)), max(size, nice(size))
    step = nice(max(high - low, 1e-6 * size)) / 5
    # Rounding must not leave a number outside.
    return min(low, step * math.floor(low / step)), max(high, step * (math.floor(high / step) + 1))


def _ends(low: float, high: float, room: int) -> str:
    """The numbers below both ends, and the 0 in the middle."""
    left, right = number(low, 4), number(high, 4)
    middle = "0" if low == -high else ""
    return left + middle.center(max(0, room - len(left) - len(right))) + right


def _name(scene: Scene, found: Spread) -> str:
    return safe(Names(scene.view.program).slot(found.slot))


def _counts(values: Array, edges: Array, columns: int) -> Array:
    """How many cells lie between two edges, for each column between them."""
    counts = np.histogram(values[np.isfinite(values)], edges)[0]
    return counts[np.arange(columns) * len(counts) // columns]


def _shaded(t: int, values: Array, edges: Array, columns: int) -> Line:
    counts = _counts(values, edges, columns)
    most = counts.max(initial=0) or 1
    shades = "".join(_SHADES[int(np.ceil(4 * count / most))] for count in counts)
    return line((f"{t:>{_MARGIN - 2}}  ", "dim"), shades)


def _bars(cells: Array, edges: Array, columns: int, rows: int) -> list[Line]:
    """The cells as they are now, each column as high as there are many."""
    counts = _counts(cells, edges, columns)
    most = counts.max(initial=0) or 1
    eighths = np.ceil(counts / most * rows * 8).astype(int)
    lines = []
    for row in range(rows - 1, -1, -1):
        part = np.clip(eighths - 8 * row, 0, 8)
        text = "".join(BLOCKS[k - 1] if k else " " for k in part.tolist())
        label = str(int(most)) if row == rows - 1 else "now" if row == 0 else ""
        lines.append(line((f"{label:>{_MARGIN - 2}}  ", "dim"), (text, "plain+bold")))
    return lines
