"""The views of the time pane: curves over the iterations; what takes more to be drawn is in `probed`, loaded then."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from bptui.files.text import safe
from bptui.tui.drawing import timeline
from bptui.tui.drawing.lines import Line, wrapped
from bptui.tui.scene import Hit, Scene

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
    from bptui.tui.drawing import probed

    made = probed.drawn(scene, plotted, columns, rows)
    if made is not None:
        return made[:rows]
    said = "being computed …" if plotted.pending else plotted.said
    return wrapped(f" {safe(said)}", columns - 2, "dim", " ")[:rows]


def hit(scene: Scene, view: str, size: tuple[int, int], x: int, y: int) -> Hit | None:
    """What a view shows at a place of its so many columns and rows."""
    if view in CURVES:
        return timeline.hit(scene, size[0], x, y)
    from bptui.tui.drawing import probed

    return probed.hit(scene, scene.plotted(view), size, x, y)


def title(scene: Scene, view: str) -> str:
    """What is drawn, and of when."""
    when = f"iteration {scene.position.iteration}"
    if view in CURVES:
        return f"{timeline.title(scene, view)} · {when}"
    plotted = scene.plotted(view)
    from bptui.tui.drawing import probed

    return f"{probed.title(scene, view, plotted)} · {when}{' …' if plotted.pending else ''}"


def lacking(scene: Scene) -> AbstractSet[str]:
    """The views that make no sense for a network."""
    from bptui.debugger.probing.planes import inputs

    several = inputs(scene.view.program.network)
    left_out = {"boundary": several != 2, "fit": several != 1, "watch": not scene.stops.watched}
    return {view for view, out in left_out.items() if out}
