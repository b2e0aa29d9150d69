"""The pane of time: where one is in the iteration and among all of them, to be gone through by keys and the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from bptui.debugger import moves
from bptui.engine.timeline import START, Position
from bptui.tui.drawing import plots, timeline
from bptui.tui.drawing.lines import Line
from bptui.tui.scene import Hit, Scene
from bptui.tui.widgets.pane import Pane

# A page is so many iterations, and a tenth of the axis where that is more.
_PAGE = 10


class LossPane(Pane):
    """Where we are, and the loss of every iteration so far; or the loss, or what comes out, elsewhere."""

    views = plots.VIEWS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "far(-1)", "the very start", show=False, id="time.start"),
        Binding("end", "far(1)", "as far as one has been", show=False, id="time.end"),
        Binding("pageup", "page(-1)", "ten iterations back", show=False, id="time.page_up"),
        Binding("pagedown", "page(1)", "ten iterations on", show=False, id="time.page_down"),
    ]
    help_moves = (
        "← → one iteration, page up and down ten, home and end the start and as far as one has been; drag; v turns"
    )

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(number, pane_id)
        # What was dragged to last, while that is not gone to yet.
        self._wanted: Hit | None = None

    def title(self, scene: Scene) -> str:
        return plots.title(scene, self.shown)

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        return plots.drawn(scene, self.shown, columns, rows), -1

    def prepare(self, scene: Scene, columns: int, rows: int) -> Sequence[Line]:
        return self.content(scene, columns, rows)[0] if self.shown in plots.CURVES else ()

    def hit(self, scene: Scene, x: int, y: int) -> Hit | None:
        return plots.hit(scene, self.shown, (self.size.width, self.size.height - 1), x, y)

    def lacking(self, scene: Scene) -> AbstractSet[str]:
        return plots.lacking(scene)

    def show(self, view: str) -> None:
        super().show(view)
        self.followed.viewed(view)

    def move(self, scene: Scene, across: int, down: int) -> None:
        del scene, down
        if across:
            self.followed.carry_out("iteration" if across > 0 else "iteration-back")

    def action_page(self, pages: int) -> None:
        """Ten iterations, or a tenth of the axis."""
        if self.scene is not None:
            many = max(_PAGE, timeline.furthest(self.scene) // _PAGE)
            self._go(moves.iterations(self.scene.view.program, self.scene.position, pages * many))

    def action_far(self, end: int) -> None:
        """The very start, or as far as one has been."""
        if self.scene is not None:
            self._go(START if end < 0 else max(self.scene.position, self.scene.past.furthest))

    def _go(self, place: Position) -> None:
        self.followed.clicked(Hit(position=place))

    # The mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Dragged along the axis: of all the places that have been passed meanwhile only the last is gone to."""
        if not (event.button and self.app.mouse_captured is self):
            return
        event.prevent_default()
        hit = self._at(event)
        if hit is None or hit.position is None:
            return
        waiting, self._wanted = self._wanted is not None, hit
        if not waiting:
            self.call_later(self._scrub)

    def _scrub(self) -> None:
        hit, self._wanted = self._wanted, None
        if hit is not None:
            self.followed.clicked(hit)
