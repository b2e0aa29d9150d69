"""The views of the time pane that show more than curves: what the loss and the network are elsewhere, and histories."""

from __future__ import annotations

from bptui.debugger.probing.planes import Predictions
from bptui.debugger.probing.slopes import Slice, Surface
from bptui.explain.notation import Names
from bptui.files.text import safe
from bptui.tui.drawing import norms, plane, slope, spread, surface
from bptui.tui.drawing.lines import Line
from bptui.tui.scene import Hit, Norms, Plotted, Scene, Spread


def drawn(scene: Scene, plotted: Plotted, columns: int, rows: int) -> list[Line] | None:
    """What was computed; None where nothing is there."""
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


def hit(scene: Scene, plotted: Plotted, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """What it shows at a place of its so many columns and rows."""
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


def title(scene: Scene, view: str, plotted: Plotted) -> str:
    """What it is a picture of."""
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
