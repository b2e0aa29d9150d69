"""The pane of the formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bptui.engine.timeline import START
from bptui.tui.drawing.guiding import welcome
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.prose import story
from bptui.tui.drawing.setting import VIEWS
from bptui.tui.scene import Hit, Scene
from bptui.tui.widgets.looks import commands_of
from bptui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from bptui.tui.drawing.formula import Page


class FormulaPane(Pane):
    """The formula, and what the stage is for."""

    help_moves = "← → from name to name: the cursor goes along, for enter, x and o; ↑ ↓ scroll"
    views = VIEWS

    def title(self, scene: Scene) -> str:
        return "Formula of the cell under the cursor" if scene.looked else "Formula"

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        lines = self._lines_of(scene, columns, rows)
        begins = scene.position == START and not scene.looked
        return [*welcome(commands_of(self), columns), *lines] if begins else lines, -1

    def _lines_of(self, scene: Scene, columns: int, rows: int) -> list[Line]:
        if scene.formula is None:
            return story(scene, columns)
        from bptui.tui.drawing import formula

        return formula.lines(scene, columns, rows, self.shown, focused=self.has_focus)

    def prepare(self, scene: Scene, columns: int, rows: int) -> Sequence[Line]:
        return self.content(scene, columns, rows)[0]

    def move(self, scene: Scene, across: int, down: int) -> None:
        super().move(scene, across, down)
        cells = self._page(scene).cells() if across and scene.formula is not None else []
        if cells:
            here = cells.index(scene.cursor) + across if scene.cursor in cells else 0 if across > 0 else -1
            self.followed.point(*cells[here % len(cells)], keep=True)

    def hit(self, scene: Scene, x: int, y: int) -> Hit | None:
        return None if scene.formula is None else self._page(scene).hit(x, y + self.top)

    def _page(self, scene: Scene) -> Page:
        from bptui.tui.drawing.formula import page

        return page(scene, self.size.width, self.size.height - 1, self.shown)
