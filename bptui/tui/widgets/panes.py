"""The panes, but for that of the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size

from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.stops import listed
from bptui.tui.scene import Scene
from bptui.tui.widgets.pane import Pane


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
