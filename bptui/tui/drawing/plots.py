"""The views of the time pane: curves over the iterations, and what the loss and the network are elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from bptui.debugger.probing.planes import Predictions, inputs
from bptui.debugger.probing.slopes import Slice, Surface
from bptui.explain.notation import Names
from bptui.files.text import safe
from bptui.tui.drawing import timeline
from bptui.tui.drawing.lines import Line, wrapped
from bptui.tui.drawing.norms import norms
from bptui.tui.drawing.plane import boundary, fit
from bptui.tui.drawing.slope import slope
from bptui.tui.drawing.slope import title as slope_title
from bptui.tui.drawing.spread import spread
from bptui.tui.drawing.surface import surface
from bptui.tui.drawing.surface import title as surface_title
from bptui.tui.scene import Norms, Plotted, Scene, Spread

CURVES: dict[str, Callable[[Scene, int, int], list[Line]]] = {
    "loss": timeline.loss,
    "log": timeline.logarithm,
    "watch": timeline.watch,
}
VIEWS = ("loss", "log", "watch", "norms", "histogram", "weight", "surface", "boundary", "fit")


def drawn(scene: Scene, view: str, columns: int, rows: int) -> list[Line]:
    """A view."""
    if view in CURVES:
        return CURVES[view](scene, columns, rows)
    plotted = scene.plotted(view)
    made = _made(scene, plotted, columns, rows)
    if made is not None:
        return made[:rows]
    said = "being computed …" if plotted.pending else plotted.said
    return wrapped(f" {safe(said)}", columns - 2, "dim", " ")[:rows]


def _made(scene: Scene, plotted: Plotted, columns: int, rows: int) -> list[Line] | None:
    match plotted.what:
        case Slice() as found:
            return slope(scene, found, columns, rows)
        case Surface() as found:
            return surface(scene, found, plotted, columns, rows)
        case Predictions() as found:
            return (boundary if len(found.axes) > 1 else fit)(scene, found, columns, rows)
        case Norms() as found:
            return norms(scene, found, columns, rows)
        case Spread() as found:
            return spread(scene, found, columns, rows)
    return None


def title(scene: Scene, view: str) -> str:
    """What is drawn, and of when."""
    when = f"iteration {scene.position.iteration}"
    if view in CURVES:
        return f"{timeline.title(scene, view)} · {when}"
    plotted = scene.plotted(view)
    return f"{_titled(scene, view, plotted)} · {when}{' …' if plotted.pending else ''}"


def _titled(scene: Scene, view: str, plotted: Plotted) -> str:
    match plotted.what:
        case Slice() as found:
            return slope_title(scene, found)
        case Surface() as found:
            return surface_title(scene, found)
        case Predictions() as found:
            what = "Decision boundary" if found.middle is not None or found.outputs.shape[-1] > 1 else "Prediction"
            over = what if len(found.axes) > 1 else "Fit"
            return over if found.plain else f"{over}, as in use"
        case Norms():
            return f"Norms of ∂{safe(scene.view.program.name('loss'))}/∂W"
        case Spread() as found:
            every = f", every {found.step}th cell" if found.step > 1 else ""
            return f"Histogram of {safe(Names(scene.view.program).slot(found.slot))}{every}"
    return view.capitalize()


def offered(scene: Scene) -> tuple[str, ...]:
    """The views that make sense for a network."""
    several = inputs(scene.view.program.network)
    left_out = {"boundary": several != 2, "fit": several != 1, "watch": not scene.stops.watched}
    return tuple(view for view in VIEWS if not left_out.get(view))
