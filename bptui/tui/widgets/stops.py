"""The pane of breakpoints and watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.stops import deeds, listed
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
        lines = listed(scene, columns, focused=self.has_focus)
        if self.has_focus and len(scene.stops) and len(lines) < rows:
            lines.append(deeds(scene, columns))
        return lines, scene.stops.chosen if self.has_focus else 0

    def move(self, scene: Scene, across: int, down: int) -> None:
        del scene, across
        if down:
            self.followed.choose_stop(down)

    def action_act(self, deed: str) -> None:
        """Something is done to the row."""
        self.followed.change_stop(deed)
