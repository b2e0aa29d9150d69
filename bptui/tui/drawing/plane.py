"""What a network makes of every input: the plane of two inputs, or the curve over one, with the data in it."""

from __future__ import annotations

import math

import numpy as np

from bptui.debugger.metrics import second
from bptui.debugger.probing.planes import Predictions
from bptui.engine.network import Array
from bptui.explain.notation import number
from bptui.files.text import safe
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.facts import Facts, beside
from bptui.tui.drawing.frame import MARGIN, Frame, contours
from bptui.tui.drawing.lines import Line, line
from bptui.tui.scene import Scene

# The signs of classes: where they lie in the plane, and of points.
CLASSES = "abcdefghijklmnopqrstuvwxyz"
_MOST = 400


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
    canvas = Canvas(max(columns, MARGIN + 8), max(2, rows))
    xs, ys = found.axes
    frame = Frame(
        canvas, canvas.columns - MARGIN - 1, canvas.rows - 1, (float(xs[0]), float(xs[-1])),
        (float(ys[0]), float(ys[-1])),
    )  # fmt: skip
    frame.axes(f"{_input(scene, 0)} →", _input(scene, 1))
    fill = _several if found.outputs.shape[-1] > 1 else _signs
    fill(frame, found)
    _points(scene, frame, found)
    return canvas.lines()


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
    heights_ = found.outputs[..., 0] - middle
    known = np.abs(heights_[np.isfinite(heights_)])
    most = 0.5 if middle else float(known.max(initial=0.0)) or 1.0
    contours(frame, found.axes, heights_, 0.0, "plain+bold")
    values = _sampled(frame, found)[..., 0] - middle
    for y, row in enumerate(values.tolist()):
        for x, value in enumerate(row):
            # One of 1, 2, 4 or 8 characters, so that neighbours do not line up.
            apart = 1 << max(0, 3 - int(4 * abs(value) / most)) if math.isfinite(value) else 0
            free = (x + 3 * y) % (2 * max(1, apart)) == 0 and frame.canvas.empty(MARGIN + x, y)
            if apart and value and free:
                frame.canvas.write(MARGIN + x, y, "+" if value > 0 else "−", "pos" if value > 0 else "neg")


def _several(frame: Frame, found: Predictions) -> None:
    """The letter of the largest output; and the lines between."""
    for k in range(found.outputs.shape[-1]):
        others = np.delete(found.outputs, k, -1).max(-1)
        contours(frame, found.axes, found.outputs[..., k] - others, 0.0, "plain+bold")
    winners = _sampled(frame, found).argmax(-1)
    for y, row in enumerate(winners.tolist()):
        for x, one in enumerate(row):
            if (x + 2 * y) % 4 == 0 and frame.canvas.empty(MARGIN + x, y):
                frame.canvas.write(MARGIN + x, y, CLASSES[one % len(CLASSES)], "dim")


def _points(scene: Scene, frame: Frame, found: Predictions) -> None:
    """The data by class; the row at hand last, and marked."""
    x, y = data(scene)
    step = max(1, len(x) // _MOST)
    for k in range(0, len(x), step):
        frame.mark(float(x[k, 0]), float(x[k, 1]), *_sign(scene, found, y[k]))


def _sign(scene: Scene, found: Predictions, y: Array) -> tuple[str, str]:
    """How a row of data is drawn: by the class of its targets."""
    if found.middle is None:
        return "●", "plain+bold"
    if len(y) > 1:
        return CLASSES[int(y.argmax()) % len(CLASSES)].upper(), "plain+bold"
    return ("●", "pos+bold") if second(scene.view.program.network, y)[0] else ("○", "neg+bold")


def _facts(scene: Scene, found: Predictions) -> Facts:
    network = scene.view.program.network
    if found.outputs.shape[-1] > 1:
        names = network.classes or tuple(f"output {k}" for k in range(found.outputs.shape[-1]))
        return [line(f"{CLASSES[k % len(CLASSES)].upper()} {safe(name)}") for k, name in enumerate(names)]
    if found.middle is None:
        return [line((f"+ above {number(found.middle or 0.0)}", "pos")), line(("− below", "neg"))]
    names = network.classes or ("0", "1")
    return [line((f"● + {safe(names[-1])}", "pos")), line((f"○ − {safe(names[0])}", "neg"))]


def _curve(scene: Scene, found: Predictions, columns: int, rows: int) -> list[Line]:
    canvas = Canvas(max(columns, MARGIN + 8), max(2, rows))
    (xs,), ys = found.axes, found.outputs[:, 0]
    x, y = data(scene)
    known = np.concatenate([ys[np.isfinite(ys)], y[:, 0][np.isfinite(y[:, 0])]])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = 0.05 * (high - low) or 1.0
    frame = Frame(
        canvas, canvas.columns - MARGIN - 1, canvas.rows - 1, (float(xs[0]), float(xs[-1])), (low - room, high + room)
    )
    frame.axes(f"{_input(scene, 0)} →")
    frame.curve(xs, ys, "plain+bold")
    step = max(1, len(x) // _MOST)
    for k in range(0, len(x), step):
        frame.mark(float(x[k, 0]), float(y[k, 0]), "○", "plain")
    return canvas.lines()


def _fitted() -> Facts:
    return [line(("━ ", "bold"), "what comes out"), line(("○ ", "bold"), "the data")]
