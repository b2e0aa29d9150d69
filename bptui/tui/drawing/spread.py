"""How a tensor's cells are spread: the last iterations as rows of shade, and the cells of this moment as bars."""

from __future__ import annotations

import math

import numpy as np

from bptui.debugger.probing.ranges import nice
from bptui.engine.network import Array
from bptui.explain.notation import Names, number
from bptui.files.text import safe
from bptui.tui.drawing.facts import Facts, beside, left_to
from bptui.tui.drawing.frame import MARGIN, Frame, short
from bptui.tui.drawing.lines import Line, line
from bptui.tui.drawing.norms import BLOCKS
from bptui.tui.scene import Hit, Scene, Spread

_SHADES = " ░▒▓█"
# Of the rows this share is for the bars.
_BARS = 3
# Stretches that are counted: no fewer than these, and so many for the root of the number of cells.
_FEWEST, _TIMES = 16, 2
# The longest of the words, so that what the others say does not change the room for the picture.
_DARKER = "  darker where more cells"
_ANY = np.array([0.0, 1.0])


def spread(scene: Scene, found: Spread, columns: int, rows: int) -> list[Line]:
    """Rows of shade, the latest at the bottom, then bars over an axis; and what they are."""
    edges = _edges(scene, found, left_to(_facts(found, _ANY), columns, rows)[0])
    if not len(edges):
        return [line((f" {_name(scene, found)} is not computed yet", "dim"))]
    facts = _facts(found, edges)
    return beside(lambda wide, high: _drawn(found, edges, (wide, high)), facts, columns, rows)


def _drawn(found: Spread, edges: Array, size: tuple[int, int]) -> list[Line]:
    rows = size[1]
    bars = max(1, rows // _BARS) if found.cells is not None else 0
    past = max(0, rows - 1 - bars)
    shown = list(zip(found.iterations, found.quantiles, strict=True))[-past:] if past else []
    frame = _frame(found, edges, size[0], bars)
    if found.cells is not None:
        _bars(frame, _counts(found.cells, edges))
    # The numbers below say more than the name in their middle would, which is in the title.
    frame.axes(up="cells now" if bars > 1 else "")
    axis = frame.canvas.lines()[-bars - 1 :]
    return [*(_shaded(int(t), row, edges, frame.columns) for t, row in shown), *axis][-rows:]


def _frame(found: Spread, edges: Array, columns: int, bars: int) -> Frame:
    """Over all stretches; up to as many cells as there are in the fullest."""
    most = 1.0 if found.cells is None else float(_counts(found.cells, edges).max(initial=1))
    return Frame.filling(columns, bars + 1, (float(edges[0]), float(edges[-1])), (0.0, most))


def _facts(found: Spread, edges: Array) -> Facts:
    """What the bars, a column and the shades are."""
    facts = []
    if found.cells is not None:
        facts.append(line(("█ ", "bold"), f"now, {found.cells.size} {'cells' if found.step == 1 else 'of its cells'}"))
        facts.append(line(f"  at most {_counts(found.cells, edges).max(initial=0)} in a column"))
    facts.append(line(f"  a column is {short(float(edges[1] - edges[0]))} wide"))
    return [*facts, line(("▒ ", "bold"), "the ends of iterations"), line((_DARKER, "dim"))]


def _edges(scene: Scene, found: Spread, columns: int) -> Array:
    """Between which values cells are counted, in a picture of so many columns; none where nothing is known."""
    every = [found.quantiles.reshape(-1)]
    if found.cells is not None:
        every.append(found.cells.reshape(-1))
    known = np.concatenate(every)
    known = known[np.isfinite(known)]
    if not known.size:
        return np.asarray(known)
    size = scene.view.program.slots[found.slot].size
    bins = max(_FEWEST, min(columns - MARGIN - 1, math.ceil(_TIMES * math.sqrt(size))))
    return np.linspace(*limits(float(known.min()), float(known.max())), bins + 1)


def hit(scene: Scene, found: Spread, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """How many cells there are now between two values."""
    del y
    wide = left_to(_facts(found, _ANY), *size)[0]
    edges = _edges(scene, found, wide)
    if found.cells is None or not len(edges):
        return None
    room = _frame(found, edges, wide, 1).columns
    if not 0 <= x - MARGIN < room:
        return None
    k = (x - MARGIN) * (len(edges) - 1) // room
    count = int(_counts(found.cells, edges)[k])
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


def _name(scene: Scene, found: Spread) -> str:
    return safe(Names(scene.view.program).slot(found.slot))


def _counts(values: Array, edges: Array) -> Array:
    """How many cells lie between each two edges."""
    return np.asarray(np.histogram(values[np.isfinite(values)], edges)[0])


def _widened(counts: Array, columns: int) -> Array:
    """The count that each column of the picture shows."""
    return np.asarray(counts[np.arange(columns) * len(counts) // columns])


def _shaded(t: int, values: Array, edges: Array, columns: int) -> Line:
    counts = _widened(_counts(values, edges), columns)
    most = counts.max(initial=0) or 1
    shades = "".join(_SHADES[int(np.ceil(4 * count / most))] for count in counts)
    return line((f"{t:>{MARGIN - 1}}", "dim"), ("│", "faint"), shades)


def _bars(frame: Frame, counts: Array) -> None:
    """The cells as they are now, each column as high as there are many."""
    eighths = np.ceil(_widened(counts, frame.columns) / frame.y[1] * frame.rows * 8).astype(int)
    for row in range(frame.rows):
        part = np.clip(eighths - 8 * (frame.rows - 1 - row), 0, 8)
        text = "".join(BLOCKS[k - 1] if k else " " for k in part.tolist())
        frame.canvas.write(MARGIN, row, text, "plain+bold")
