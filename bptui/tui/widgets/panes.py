"""The five panes."""

from __future__ import annotations

from bptui.tui.drawing import prose
from bptui.tui.drawing.figure import caption, figure
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.listing import listing
from bptui.tui.drawing.table import Row, table
from bptui.tui.scene import Scene
from bptui.tui.widgets.pane import Pane


class ProgramPane(Pane):
    """The flat listing by phase."""

    help_moves = "↑ ↓ choose an operation for t and T, ← → step"

    def title(self, scene: Scene) -> str:
        del scene
        return "Program"

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[list[Line], int]:
        del rows
        listed = listing(scene, columns, headings=not scene.compact, focused=self.has_focus)
        wanted = scene.row if self.has_focus and scene.row >= 0 else scene.centre
        seen = next((k for k, row in enumerate(listed) if row.op == wanted), 0)
        return [row.line for row in listed], seen

    def move(self, scene: Scene, across: int, down: int) -> None:
        if across:
            self.post_message(self.Asked("next" if across > 0 else "back"))
        else:
            here = scene.row if scene.row >= 0 else scene.view.upcoming - down
            self.post_message(self.Rowed(max(0, min(len(scene.view.program) - 1, here + down))))


class ValuesPane(Pane):
    """Every slot with its value and its gradient."""

    help_moves = "↑ ↓ ← → choose a cell, enter edits it"

    def title(self, scene: Scene) -> str:
        del scene
        return "Values"

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[list[Line], int]:
        del rows
        made = table(scene, columns, focused=self.has_focus)
        wanted = scene.cursor if self.has_focus else _fresh(scene)
        return [row.line for row in made], _line_of(made, wanted)

    def move(self, scene: Scene, across: int, down: int) -> None:
        rows = [row for row in table(scene, self.size.width, focused=True) if row.cells]
        here = next((k for k, row in enumerate(rows) if scene.cursor in row.cells), 0)
        column = rows[here].cells.index(scene.cursor) if scene.cursor in rows[here].cells else 0
        row = rows[max(0, min(len(rows) - 1, here + down))]
        self.post_message(self.Pointed(*row.cells[max(0, min(len(row.cells) - 1, column + across))]))


def _fresh(scene: Scene) -> tuple[str, int]:
    """The cell that the last step wrote, so that it is in sight while the reader is elsewhere."""
    slot, cells = scene.written
    base = slot.removesuffix(".grad")
    return (base, cells.start) if slot else ("x", 0)


def _line_of(rows: list[Row], cell: tuple[str, int]) -> int:
    return next((k for k, row in enumerate(rows) if cell in row.cells), 0)


class NetworkPane(Pane):
    """The drawing of neurons and weights."""

    help_moves = "← → choose a weight, enter edits it, ↑ ↓ another row of the batch"

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(number, pane_id)
        self.sample = 0

    def title(self, scene: Scene) -> str:
        return caption(scene, self._row(scene))

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[list[Line], int]:
        return figure(scene, columns, rows, self._row(scene)), -1

    def move(self, scene: Scene, across: int, down: int) -> None:
        rows = scene.view.program.slots["x"].shape[0]
        self.sample = max(0, min(rows - 1, self._row(scene) + down))
        if across:
            weights = [name for name in scene.view.program.parameters if name.startswith("W")]
            cells = [(name, cell) for name in weights for cell in scene.reading_order(name)]
            here = cells.index(scene.cursor) if scene.cursor in cells else -1
            self.post_message(self.Pointed(*cells[max(0, min(len(cells) - 1, here + across))]))

    def _row(self, scene: Scene) -> int:
        return min(self.sample, scene.view.program.slots["x"].shape[0] - 1)


class FormulaPane(Pane):
    """The formula, and what the stage is for."""

    help_moves = "↑ ↓ scroll"

    def title(self, scene: Scene) -> str:
        return "Formula of the cell under the cursor" if scene.looked else "Formula"

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[list[Line], int]:
        return prose.explanation(scene, columns, rows), -1


class LossPane(Pane):
    """Where we are, and the loss of every iteration so far."""

    help_moves = "← → one iteration"

    def title(self, scene: Scene) -> str:
        return f"Time and loss · iteration {scene.position.iteration}"

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[list[Line], int]:
        return prose.timeline(scene, columns, rows), -1

    def move(self, scene: Scene, across: int, down: int) -> None:
        del scene, down
        if across:
            self.post_message(self.Asked("iteration" if across > 0 else "iteration-back"))
