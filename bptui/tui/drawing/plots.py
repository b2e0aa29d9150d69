"""The views of the time pane: curves over the iterations, and what the loss and the network are elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from bptui.debugger.probing.planes import Predictions, inputs
from bptui.debugger.probing.slopes import Slice, Surface
from bptui.explain.notation import Names
from bptui.files.text import safe
from bptui.tui.drawing import norms, plane, slope, spread, surface, timeline
from bptui.tui.drawing.lines import Line, wrapped
from bptui.tui.scene import Hit, Norms, Plotted, Scene, Spread

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
            return slope.slope(scene, found, columns, rows)
        case Surface() as found:
            return surface.surface(scene, found, plotted, columns, rows)
        case Predictions() as found:
            return (plane.boundary if len(found.axes) > 1 else plane.fit)(scene, found, columns, rows)
        case Norms() as found:
            return norms.norms(scene, found, columns, rows)
        case Spread() as found:
            return spread.spread(scene, found, columns, rows)
    return None


def hit(scene: Scene, view: str, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """What a view shows at a place of its so many columns and rows."""
    if view in CURVES:
        return timeline.hit(scene, size[0], x, y)
    return _hit(scene, scene.plotted(view), size, x, y)


def _hit(scene: Scene, plotted: Plotted, size: tuple[int, int], x: int, y: int) -> Hit | None:
    match plotted.what:
        case Slice() as found:
            return slope.hit(scene, found, size, x, y)
        case Surface() as found:
            return surface.hit(scene, found, plotted, size, x, y)
        case Predictions() as found:
            return plane.hit(scene, found, size, x, y)
        case Norms() as found:
            return norms.hit(scene, found, size, x, y)
        case Spread() as found:
            return spread.hit(scene, found, size, x, y)
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
            return slope.title(scene, found)
        case Surface() as found:
            return surface.title(scene, found)
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
