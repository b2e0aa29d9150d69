"""The panes, but for that of the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size

from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.network.blocks import beside
from bptui.tui.drawing.network.figure import caption, figure, planned
from bptui.tui.drawing.network.hits import cell_at
from bptui.tui.drawing.network.sight import Sight, batch_row, row_of
from bptui.tui.drawing.network.walk import Trail, Walk
from bptui.tui.drawing.stops import listed
from bptui.tui.scene import Hit, Scene
from bptui.tui.widgets.pane import Pane


class NetworkPane(Pane):
    """The drawing of neurons and weights, or of layers as blocks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "sample(-1)", "previous row", show=False, id="network.page_up"),
        Binding("pagedown", "sample(1)", "next row", show=False, id="network.page_down"),
    ]
    help_moves = "← → ↑ ↓ choose a neuron or a weight, enter edits it, page up and page down another row of the batch"
    views = ("auto", "neurons", "blocks")

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(number, pane_id)
        self._row = 0
        self._trail = Trail()

    def title(self, scene: Scene) -> str:
        return caption(scene, row_of(scene, self._row))

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        return figure(self._sight(scene), columns, rows, self.shown), -1

    def move(self, scene: Scene, across: int, down: int) -> None:
        sight = self._sight(scene)
        made = planned(sight, self.size.width, self.size.height - 1, self.shown)
        cell = Walk(made, sight, self._trail).go(across, down) if made is not None else beside(scene, across, down)
        self.followed.point(*cell)

    def hit(self, scene: Scene, x: int, y: int) -> Hit | None:
        sight = self._sight(scene)
        made = planned(sight, self.size.width, self.size.height - 1, self.shown)
        cell = cell_at(made, sight, x, y) if made is not None else None
        return None if cell is None else Hit(*cell)

    def action_sample(self, by: int) -> None:
        """Another row of the batch; a cell of a row under the cursor goes along."""
        if self.scene is None:
            return
        count = self.scene.view.program.slots["x"].shape[0]
        self._row = max(0, min(count - 1, row_of(self.scene, self._row) + by))
        slot, cell = self.scene.cursor
        row = batch_row(self.scene, slot, cell)
        if row is not None:
            size = self.scene.view.program.slots[slot].size // count
            self.followed.point(slot, cell + (self._row - row) * size)
        self.redraw()

    def _sight(self, scene: Scene) -> Sight:
        return Sight(scene, row_of(scene, self._row), self.has_focus)


class StopsPane(Pane):
    """Breakpoints with their hits, and watches with their values."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "act('switch')", "enable or disable; draw a watch", show=False, id="stops.switch"),
        Binding("delete,backspace", "act('drop')", "forget", show=False, id="stops.drop"),
    ]
    help_moves = "↑ ↓ choose, enter enables or disables a breakpoint and draws a watch, delete forgets it"

    def title(self, scene: Scene) -> str:
        del scene
        return "Stops and watches"

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        del rows
        lines = listed(scene, columns, focused=self.has_focus)
        return lines, scene.stops.chosen if self.has_focus else 0

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(number, pane_id)
        self._count = 0

    def watch_scene(self) -> None:
        """A new scene; another number of rows makes it higher or lower."""
        super().watch_scene()
        count = 0 if self.scene is None else len(self.scene.stops)
        if count != self._count:
            self._count = count
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its rows and the title; the style sheet sets bounds."""
        del container, viewport
        return 1 + (len(listed(self.scene, width)) if self.scene is not None else 0)

    def move(self, scene: Scene, across: int, down: int) -> None:
        del scene, across
        if down:
            self.followed.choose_stop(down)

    def action_act(self, deed: str) -> None:
        """Something is done to the row."""
        self.followed.change_stop(deed)
