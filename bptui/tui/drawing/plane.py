"""What a network makes of every input: the plane of two inputs, or the curve over one, with the data in it."""

from __future__ import annotations

import numpy as np

from bptui.debugger.metrics import second
from bptui.debugger.probing.planes import Predictions
from bptui.engine.network import Array
from bptui.explain.notation import number
from bptui.files.text import safe
from bptui.tui.drawing.facts import Facts, beside, figure, left_to
from bptui.tui.drawing.frame import MARGIN, Frame, crossings
from bptui.tui.drawing.lines import Line, line
from bptui.tui.drawing.network.sight import row_of
from bptui.tui.scene import Hit, Scene

# The signs of classes: where they lie in the plane, and of points.
CLASSES = "abcdefghijklmnopqrstuvwxyz"
_MOST = 400
# Of several outputs so many are told.
_OUTPUTS = 6
_BRACKETS = line(("[ ]", "now"), " the row at hand")


def boundary(scene: Scene, found: Predictions, columns: int, rows: int) -> list[Line]:
    """The plane, filled by what comes out; the more certain the denser."""
    return beside(lambda wide, high: _plane(scene, found, wide, high), _facts(scene, found), columns, rows)


def fit(scene: Scene, found: Predictions, columns: int, rows: int) -> list[Line]:
    """The curve through the data."""
    return beside(lambda wide, high: _curve(scene, found, wide, high), _fitted(), columns, rows)


def data(scene: Scene) -> tuple[Array, Array]:
    """All rows of inputs and targets, as edits have left them."""
    arrays = scene.view.state.arrays
    return (arrays["X"], arrays["Y"]) if "X" in arrays else (arrays["x"], arrays["y"])


def _plane(scene: Scene, found: Predictions, columns: int, rows: int) -> list[Line]:
    frame = _frame(scene, found, columns, rows)
    frame.axes(f"{_input(scene, 0)} →", _input(scene, 1))
    fill = _several if found.outputs.shape[-1] > 1 else _signs
    fill(frame, found)
    _points(scene, frame, found)
    return frame.canvas.lines()


def _frame(scene: Scene, found: Predictions, columns: int, rows: int) -> Frame:
    """Over both inputs; over one, what comes out and the targets."""
    across, *up = ((float(axis[0]), float(axis[-1])) for axis in found.axes)
    if up:
        return Frame.filling(columns, rows, across, *up)
    ys, targets = found.outputs[:, 0], data(scene)[1][:, 0]
    known = np.concatenate([ys[np.isfinite(ys)], targets[np.isfinite(targets)]])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = 0.05 * (high - low) or 1.0
    return Frame.filling(columns, rows, across, (low - room, high + room))


def hit(scene: Scene, found: Predictions, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """What goes in at a place, and what comes out; a click goes to the row of data that is there."""
    facts = _facts(scene, found) if len(found.axes) > 1 else _fitted()
    frame = _frame(scene, found, *left_to(facts, *size))
    pair = frame.pair(x, y)
    if pair is None:
        return None
    nearest = tuple(int(np.abs(axis - value).argmin()) for axis, value in zip(found.axes, pair, strict=False))
    out = " ".join(figure(float(value)) for value in found.outputs[nearest[::-1]][:_OUTPUTS])
    said = "   ".join(f"{_input(scene, k)} {figure(pair[k])}" for k in range(len(found.axes)))
    row = next((k for k in _rows(scene) if frame.cell(*_at(scene, found, k)) == (x, y)), None)
    if row is None:
        return Hit(text=f"{said}: {out} comes out")
    inputs, targets = (one[row] for one in data(scene))
    said = "   ".join(f"{_input(scene, k)} {figure(float(value))}" for k, value in enumerate(inputs))
    wanted = " ".join(figure(float(value)) for value in targets[:_OUTPUTS])
    text = f"row {row + 1} of the data: {said}, wanted {wanted}; {out} comes out"
    return Hit(text=text) if "X" in scene.view.state.arrays else Hit("x", row * len(inputs), text=text)


def _input(scene: Scene, k: int) -> str:
    names = scene.view.program.cell_names.get("x") or scene.view.program.cell_names.get("X")
    return safe(names[k]) if names and names[k] else f"x[{k}]"


def _sampled(frame: Frame, found: Predictions) -> Array:
    """The outputs at the middle of each character, (rows, columns, outputs): the nearest that was computed."""
    down, across = found.outputs.shape[:2]
    k = ((np.arange(frame.rows)[::-1] + 0.5) / frame.rows * down).astype(int)
    j = ((np.arange(frame.columns) + 0.5) / frame.columns * across).astype(int)
    return np.asarray(found.outputs[k][:, j])


def _signs(frame: Frame, found: Predictions) -> None:
    """+ above the middle and − below, ever fewer towards it; and the line between."""
    middle = found.middle or 0.0
    heights = found.outputs[..., 0] - middle
    finite = np.abs(heights[np.isfinite(heights)])
    most = 0.5 if middle else float(finite.max(initial=0.0)) or 1.0
    frame.strokes(crossings(found.axes, heights, 0.0), "plain+bold")
    values = _sampled(frame, found)[..., 0] - middle
    known = np.isfinite(values)
    # One of 1, 2, 4 or 8 characters, so that neighbours do not line up.
    apart = 1 << np.maximum(0, 3 - (4 * np.abs(np.where(known, values, 0.0)) / most).astype(int))
    y, x = np.indices(values.shape)
    for row, column in np.argwhere(known & (values != 0) & ((x + 3 * y) % (2 * apart) == 0)).tolist():
        if frame.canvas.empty(MARGIN + column, row):
            above = values[row, column] > 0
            frame.canvas.write(MARGIN + column, row, "+" if above else "−", "pos" if above else "neg")


def _several(frame: Frame, found: Predictions) -> None:
    """The letter of the largest output; and the lines between."""
    for k in range(found.outputs.shape[-1]):
        others = np.delete(found.outputs, k, -1).max(-1)
        frame.strokes(crossings(found.axes, found.outputs[..., k] - others, 0.0), "plain+bold")
    winners = _sampled(frame, found).argmax(-1)
    for y, row in enumerate(winners.tolist()):
        for x, one in enumerate(row):
            if (x + 2 * y) % 4 == 0 and frame.canvas.empty(MARGIN + x, y):
                frame.canvas.write(MARGIN + x, y, CLASSES[one % len(CLASSES)], "dim")


def _points(scene: Scene, frame: Frame, found: Predictions) -> None:
    """The data by class."""
    targets = data(scene)[1]
    for k in _rows(scene):
        frame.mark(*_at(scene, found, k), *_sign(scene, found, targets[k]))
    _at_hand(scene, frame, found)


def _rows(scene: Scene) -> range:
    """The rows of data that are drawn: of very many every so-manieth."""
    count = len(data(scene)[0])
    return range(0, count, max(1, count // _MOST))


def _at(scene: Scene, found: Predictions, k: int) -> tuple[float, float]:
    """Where a row of data lies."""
    x, y = data(scene)
    return float(x[k, 0]), float(x[k, 1] if len(found.axes) > 1 else y[k, 0])


def _at_hand(scene: Scene, frame: Frame, found: Predictions) -> None:
    """The row of the batch that the other panes show, between brackets."""
    view, row = scene.view, row_of(scene)
    if not view.is_computed("x", row * len(found.axes)):
        return
    x, y = (view.state.arrays[slot][row] for slot in ("x", "y"))
    place = float(x[0]), float(x[1] if len(found.axes) > 1 else y[0])
    if not (np.isfinite(place).all() and frame.inside(*place)):
        return
    glyph, style = _sign(scene, found, y) if len(found.axes) > 1 else ("●", "now")
    column, line_ = frame.cell(*place)
    for by, sign, ink in ((-1, "[", "now"), (0, glyph, style), (1, "]", "now")):
        if MARGIN <= column + by < MARGIN + frame.columns:
            frame.canvas.write(column + by, line_, sign, ink)


def _sign(scene: Scene, found: Predictions, y: Array) -> tuple[str, str]:
    """How a row of data is drawn: by the class of its targets."""
    if found.middle is None:
        return "●", "plain+bold"
    if len(y) > 1:
        return CLASSES[int(y.argmax()) % len(CLASSES)].upper(), "plain+bold"
    return ("●", "pos+bold") if second(scene.view.program.network, y)[0] else ("○", "neg+bold")


def _facts(scene: Scene, found: Predictions) -> Facts:
    """What the signs of the data stand for, and those of the plane."""
    network = scene.view.program.network
    if found.outputs.shape[-1] > 1:
        names = network.classes or tuple(f"output {k}" for k in range(found.outputs.shape[-1]))
        letters = [line((CLASSES[k % len(CLASSES)].upper(), "bold"), f" {safe(name)}") for k, name in enumerate(names)]
        return [*letters, _BRACKETS, line(("a ", "dim"), "where a comes out")]
    if found.middle is None:
        return [line((f"+ above {number(found.middle or 0.0)}", "pos")), line(("− below", "neg")), _BRACKETS]
    high, low = (safe((network.classes or ("0", "1"))[k]) for k in (-1, 0))
    return [
        line(("● ", "pos+bold"), f"{high} in the data"),
        line(("○ ", "neg+bold"), f"{low} in the data"),
        _BRACKETS,
        line(("+ ", "pos"), f"{high} comes out"),
        line(("− ", "neg"), f"{low} comes out"),
    ]


def _curve(scene: Scene, found: Predictions, columns: int, rows: int) -> list[Line]:
    frame = _frame(scene, found, columns, rows)
    frame.axes(f"{_input(scene, 0)} →")
    frame.curve(found.axes[0], found.outputs[:, 0], "plain+bold")
    for k in _rows(scene):
        frame.mark(*_at(scene, found, k), "○", "plain")
    _at_hand(scene, frame, found)
    return frame.canvas.lines()


def _fitted() -> Facts:
    return [line(("━ ", "bold"), "what comes out"), line(("○ ", "bold"), "the data"), _BRACKETS]
