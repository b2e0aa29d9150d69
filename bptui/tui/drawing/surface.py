"""The loss over two cells as lines of equal height, the way that was gone, and where the gradient points."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from bptui.debugger.probing.slopes import Surface
from bptui.engine.network import Array
from bptui.tui.drawing.facts import Facts, beside, figure, left_to
from bptui.tui.drawing.frame import MARGIN, Frame, crossings, short
from bptui.tui.drawing.lines import Line, line
from bptui.tui.drawing.slope import gradient, loss_name, named
from bptui.tui.scene import Hit, Plotted, Scene

# The arrow is so long, as a share of the picture's width and height.
_ARROW = 0.2
# Lines of equal height above that through the point, by how many rows there are; and at most below it.
_LEVELS = ((24, 7), (10, 5), (0, 3))
_INSIDE = 3
_NONE = np.zeros((0, 2, 2))
# From so many rows on the lines have their heights, written so far from the left, as a share of the width.
_NUMBERED, _AT = 16, 0.12
_TIPS = "→↗↑↖←↙↓↘"


def surface(scene: Scene, found: Surface, plotted: Plotted, columns: int, rows: int) -> list[Line]:
    """The picture, and beside or below it what its marks stand for."""
    facts = _facts(scene, found, plotted)
    return beside(lambda wide, high: _drawn(scene, found, plotted.path, wide, high), facts, columns, rows)


def title(scene: Scene, found: Surface) -> str:
    """What is drawn over what."""
    first, second = (named(scene, knob) for knob in found.knobs)
    after = " after the update" if any(knob.after for knob in found.knobs) else ""
    return f"{loss_name(scene)}{after} over {first} and {second}"


def hit(scene: Scene, found: Surface, plotted: Plotted, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """Both values at a place, and the loss at the nearest that was tried."""
    pair = _frame(found, *left_to(_facts(scene, found, plotted), *size)).pair(x, y)
    if pair is None:
        return None
    k, j = int(np.abs(found.ys - pair[1]).argmin()), int(np.abs(found.xs - pair[0]).argmin())
    places = zip(found.knobs, (float(found.xs[j]), float(found.ys[k])), strict=True)
    values = "   ".join(f"{named(scene, knob)} {figure(value)}" for knob, value in places)
    return Hit(text=f"{values}: {loss_name(scene)} {figure(float(found.losses[k, j]))}")


def _frame(found: Surface, columns: int, rows: int) -> Frame:
    ends = ((float(axis[0]), float(axis[-1])) for axis in (found.xs, found.ys))
    return Frame.filling(columns, rows, *ends)


def _drawn(scene: Scene, found: Surface, path: Array, columns: int, rows: int) -> list[Line]:
    frame = _frame(found, columns, rows)
    canvas = frame.canvas
    first, second = (named(scene, knob) for knob in found.knobs)
    frame.axes(f"{first} →", second)
    known = found.losses[np.isfinite(found.losses)]
    if not known.size:
        canvas.write(MARGIN + 1, 0, f"{loss_name(scene)} is not finite anywhere here", "dim")
        return canvas.lines()
    x, y, _ = found.here
    heights = _heights(found, canvas.rows)
    others = [segments for level, segments in heights.items() if level != found.here[2]]
    frame.strokes(np.concatenate([_NONE, *others]), "dim")
    frame.strokes(heights.get(found.here[2], _NONE), "plain")
    if frame.rows >= _NUMBERED:
        _numbers(frame, heights)
    _way(frame, [*map(tuple, path.tolist()), (x, y)])
    _arrow(scene, found, frame)
    if (least := _least(found)) is not None:
        frame.mark(*least[:2], "▼")
    frame.mark(x, y, "●")
    return canvas.lines()


def _least(found: Surface) -> tuple[float, float, float] | None:
    """Where the loss is lowest of what was tried, and how low, unless that is at the edge."""
    losses = np.where(np.isnan(found.losses), np.inf, found.losses)
    row, column = np.unravel_index(int(losses.argmin()), losses.shape)
    if not (0 < row < len(found.ys) - 1 and 0 < column < len(found.xs) - 1):
        return None
    return float(found.xs[column]), float(found.ys[row]), float(losses[row, column])


@lru_cache(maxsize=4)
def _heights(found: Surface, rows: int) -> dict[float, Array]:
    """Height → the lines of that height, (n, 2, 2), those through the point too; the same until the surface is another.

    Of a parabola the root is straight, so that where a line lies between two places of the grid is exact.
    """
    known, here = found.losses[np.isfinite(found.losses)], found.here[2]
    low, made = float(known.min()), levels(float(known.min()), float(known.max()), here, rows)
    with np.errstate(all="ignore"):
        roots = np.sqrt(found.losses - low)
    return {level: crossings((found.xs, found.ys), roots, math.sqrt(level - low)) for level in made}


def _numbers(frame: Frame, heights: dict[float, Array]) -> None:
    """How high each line is, written on it where it comes nearest to a line down the left of the picture."""
    across = frame.x[0] + _AT * (frame.x[1] - frame.x[0])
    for level, segments in heights.items():
        middles = segments.mean(1)[np.abs(segments.mean(1)[:, 0] - across).argsort(kind="stable")]
        text = f" {short(level)} "
        for x, y in (frame.cell(*middle) for middle in middles.tolist() if frame.inside(*middle)):
            if 0 < y < frame.rows - 1 and MARGIN < x < MARGIN + frame.columns - len(text):
                if frame.canvas.free(x, y, len(text)):
                    frame.canvas.write(x, y, text, "dim")
                break


def levels(low: float, high: float, here: float, rows: int) -> list[float]:
    """Heights of lines: the point's own, and others that lie equally far apart where the surface is a parabola."""
    rise = here - low
    if not math.isfinite(rise) or rise <= 1e-9 * (high - low):
        rise = (high - low) / 4
    most = next(count for least, count in _LEVELS if rows >= least)
    top = math.sqrt((high - low) / rise) if rise > 0 else 0.0
    step = max(1 / _INSIDE, (top - 1) / most)
    roots = [1 + k * step for k in range(-_INSIDE, most + 1)]
    found = [low + rise * root**2 for root in roots if root > 0]
    return [level for level in found if low < level < high]


def _way(frame: Frame, path: list[tuple[float, float]]) -> None:
    """Where training has come from."""
    xs, ys = np.array(path).T
    frame.curve(xs, ys, "plain+bold")
    last = None
    for place in path[:-1]:
        if np.isfinite(place).all() and frame.inside(*place) and frame.cell(*place) != last:
            last = frame.cell(*place)
            frame.mark(*place, "∙", "plain")


def _arrow(scene: Scene, found: Surface, frame: Frame) -> None:
    """Against the gradient: in the direction in which an equal step of both cells lowers the loss most."""
    slopes = [gradient(scene, knob)[0] for knob in found.knobs]
    if slopes[0] is None or slopes[1] is None or not np.isfinite([slopes[0], slopes[1], *found.here]).all():
        return
    wide, high = frame.x[1] - frame.x[0], frame.y[1] - frame.y[0]
    across, up = -slopes[0] / wide, -slopes[1] / high
    size = math.hypot(across, up)
    if size == 0:
        return
    x, y = found.here[0] + across / size * _ARROW * wide, found.here[1] + up / size * _ARROW * high
    frame.stroke(found.here[:2], (x, y), "plain+italic")
    # Dots are about half as wide apart as they are high apart in a character of 1 to 2.
    angle = math.atan2(up * frame.rows * 2, across * frame.columns)
    frame.mark(x, y, _TIPS[round(angle / (math.pi / 4)) % 8], "plain+bold")


def _facts(scene: Scene, found: Surface, plotted: Plotted) -> Facts:
    loss = loss_name(scene)
    (x, y, height), (first, second) = found.here, (named(scene, knob) for knob in found.knobs)
    facts = [line(("● ", "bold"), f"{loss} {figure(height)}")]
    facts += [line(f"  {first} {figure(x)}"), line(f"  {second} {figure(y)}")]
    slopes = [gradient(scene, knob)[0] for knob in found.knobs]
    if None in slopes:
        facts.append(line(("  no gradient here yet: no arrow", "dim")))
    else:
        facts.append(line(("→ ", "bold"), ("against the gradient", "italic")))
    if len(plotted.path):
        many = len(plotted.path)
        facts.append(line(("∙ ", "bold"), f"the last {many} iterations" if many > 1 else "the last iteration"))
    if (least := _least(found)) is not None:
        facts.append(line(("▼ ", "bold"), f"the lowest here, {figure(least[2])}"))
    if not plotted.chosen:
        facts.append(line(("  :mark  another cell for ↑", "dim")))
    return facts
