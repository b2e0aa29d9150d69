"""How large the gradient of each layer is: side by side on one scale, so that one that vanishes is seen at once."""

from __future__ import annotations

import math

import numpy as np

from bptui.engine.network import Array
from bptui.explain.notation import Names, number
from bptui.files.text import safe
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.frame import MARGIN, Frame, short
from bptui.tui.drawing.lines import Line, line
from bptui.tui.scene import Hit, Norms, Scene

BLOCKS = "▁▂▃▄▅▆▇█"
_NAME, _RECENT, _NUMBER = 16, 24, 9
# So many rows are worth a plot; names at its edge move so far to find a place.
_PLOT, _NEAR = 6, 2


def norms(scene: Scene, found: Norms, columns: int, rows: int) -> list[Line]:
    """A bar for each, on a scale of powers of ten; beside it, or above all in a plot, the last iterations."""
    names = [safe(Names(scene.view.program).slot(f"{name}.grad")) for name in found.parameters]
    shown, tall = _split(found, rows)
    above = _plotted(found, names, columns - 1, tall) if tall else []
    return [*above, *_bars(found, names[:shown], columns, recent=not tall, axis=rows > 1)]


def hit(scene: Scene, found: Norms, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """The gradient of a row of bars: a click goes to it."""
    del x
    shown, above = _split(found, size[1])
    if not above <= y < above + shown:
        return None
    slot = f"{found.parameters[y - above]}.grad"
    name = f"‖{safe(Names(scene.view.program).slot(slot))}‖"
    if not len(found.values):
        return Hit(slot, text=f"{name} is not known of an iteration yet")
    return Hit(slot, text=f"{name} {number(float(found.values[-1, y - above]), 7)}, iteration {found.iterations[-1]}")


def _split(found: Norms, rows: int) -> tuple[int, int]:
    """How many bars there are, and how many rows the plot above them has."""
    most = max(1, rows - 1)
    shown = len(found.parameters) if len(found.parameters) <= most else most - 1
    left = rows - shown - 1
    return shown, left if left >= _PLOT and len(found.values) > 1 else 0


def _bars(found: Norms, names: list[str], columns: int, *, recent: bool, axis: bool) -> list[Line]:
    """A row for each, those that find no place counted, and the scale."""
    values = found.values[-1] if len(found.values) else np.full(len(found.parameters), np.nan)
    wide = min(_NAME, max(map(len, names), default=0))
    small = min(_RECENT, max(0, columns - wide - 40)) if recent else 0
    room = columns - wide - _NUMBER - small - 6
    scale = decades(found.values)
    lines = [
        _row(name[:wide].ljust(wide), float(values[k]), found.values[:, k], scale, small, room)
        for k, name in enumerate(names)
    ]
    if len(found.parameters) > len(names):
        lines.append(line((f" … {len(found.parameters) - len(names)} more: z shows them", "dim")))
    many = f"the last {min(small, len(found.values))}" if small else ""
    below = f" {'':{wide}} {'now':>{_NUMBER}}  {many[:small]:>{small}} "
    return [*lines, line((below + _axis(*scale, room), "dim"))] if axis else lines


def _plotted(found: Norms, names: list[str], columns: int, rows: int) -> list[Line]:
    """All of them over the last iterations, each with its name at its end."""
    canvas = Canvas(max(columns, MARGIN + 8), rows)
    low, high = decades(found.values)
    room = min(_NAME, max(map(len, names)))
    first, last = float(found.iterations[0]), float(found.iterations[-1])
    frame = Frame(canvas, canvas.columns - MARGIN - room - 2, rows - 1, (first, last), (low, high))
    frame.axes("iteration", power=True)
    with np.errstate(all="ignore"):
        heights = np.log10(np.where(found.values > 0, found.values, np.nan))
    for k, name in enumerate(names):
        frame.curve(found.iterations, heights[:, k], "plain" if k % 2 else "dim")
        end = float(heights[-1, k])
        if math.isfinite(end):
            y = frame.cell(last, end)[1]
            free = next((r for r in _around(y, frame.rows) if canvas.free(MARGIN + frame.columns + 1, r, room)), None)
            if free is not None:
                canvas.write(MARGIN + frame.columns + 1, free, name[:room], "plain" if k % 2 else "dim")
    return canvas.lines()


def _around(y: int, rows: int) -> list[int]:
    """A row and those near it, the nearest first."""
    return sorted((row for row in range(rows) if abs(row - y) <= _NEAR), key=lambda row: abs(row - y))


def decades(values: Array) -> tuple[int, int]:
    """The powers of ten between which all lie that are above 0 and finite; at least one lies between."""
    known = values[np.isfinite(values) & (values > 0)]
    if not known.size:
        return -1, 0
    low, high = math.floor(math.log10(known.min())), math.ceil(math.log10(known.max()))
    return (low, high) if high > low else (low, low + 1)


def _row(name: str, value: float, recent: Array, scale: tuple[int, int], small: int, room: int) -> Line:
    bar = "━" * max(1, round(_share(value, scale) * room)) if math.isfinite(value) and value > 0 else ""
    trouble = "dead: every gradient is 0" if value == 0 else "" if bar or math.isnan(value) else "not finite"
    said = "·" if math.isnan(value) else short(value)
    steps = "".join(_step(one, scale) for one in recent[-small:]) if small else ""
    return line(
        (f" {name} ", "italic"), (said.rjust(_NUMBER), "italic"), ("  " + steps.rjust(small) + "  ", "dim"),
        (bar, "plain"), (trouble[:room], "bold"),
    )  # fmt: skip


def _share(value: float, scale: tuple[int, int]) -> float:
    return min(1.0, max(0.0, (math.log10(value) - scale[0]) / (scale[1] - scale[0])))


def _step(value: float, scale: tuple[int, int]) -> str:
    """A value of an earlier iteration, as the height of a block; a low line for 0, nothing where it is not known."""
    if math.isnan(value):
        return " "
    if value == 0:
        return "_"
    return BLOCKS[min(7, int(_share(value, scale) * 8))] if math.isfinite(value) else "!"


def _axis(low: int, high: int, room: int) -> str:
    """The powers of ten, as many as there is room for."""
    every = max(1, -(-(high - low) * 7 // max(7, room)))
    text = [" "] * (room + 1)
    for power in range(low, high + 1, every):
        label = f"1e{power}" if power else "1"
        start = min(room + 1 - len(label), round((power - low) / (high - low) * room))
        if start >= 0 and all(character == " " for character in text[max(0, start - 1) : start + len(label) + 1]):
            text[start : start + len(label)] = label
    return "".join(text)
