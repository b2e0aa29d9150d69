"""The pane of the network: what the arrows and the mouse choose in its drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from bptui.engine.timeline import Position
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.network.figure import caption, figure, planned
from bptui.tui.drawing.network.hits import cell_at
from bptui.tui.drawing.network.sight import Sight, batch_row, row_of
from bptui.tui.drawing.network.walk import Trail, Walk
from bptui.tui.scene import Hit, Scene
from bptui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from bptui.tui.drawing.network.blocks import Opened


class NetworkPane(Pane):
    """The drawing of neurons and weights, or of layers as blocks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "open or close a group, or edit", show=False, id="network.choose"),
        Binding("pageup", "sample(-1)", "previous row", show=False, id="network.page_up"),
        Binding("pagedown", "sample(1)", "next row", show=False, id="network.page_down"),
    ]
    help_moves = (
        "← → along a line to the next layer, ↑ ↓ within one, enter edits the weight or neuron chosen or opens a block, "
        "page up and page down: another row of the batch"
    )
    views = ("auto", "neurons", "blocks")

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(number, pane_id)
        self._trail = Trail()
        self._opened: Opened = frozenset()
        # The moment at which the reader looked around here last.
        self._read: Position | None = None

    def title(self, scene: Scene) -> str:
        return caption(scene, row_of(scene))

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        return figure(self._sight(scene), columns, rows, self.shown, self._opened), -1

    def prepare(self, scene: Scene, columns: int, rows: int) -> Sequence[Line]:
        return self.content(scene, columns, rows)[0]

    def move(self, scene: Scene, across: int, down: int) -> None:
        from bptui.tui.drawing.network.blocks import beside

        self._read = scene.position
        sight = self._sight(scene)
        made = planned(sight, *self._room, self.shown)
        if made is not None:
            self.followed.point(*Walk(made, sight, self._trail).go(across, down))
        else:
            self.followed.point(*beside(sight, self._room[1], self._opened, across, down))

    def hit(self, scene: Scene, x: int, y: int) -> Hit | None:
        from bptui.tui.drawing.network.blocks import block_at

        sight = self._sight(scene)
        made = planned(sight, *self._room, self.shown)
        if made is not None:
            cell = cell_at(made, sight, x, y)
            return None if cell is None else Hit(*cell)
        block = block_at(sight, *self._room, self._opened, x, y)
        return None if block is None else Hit(block[0].slot, block[1])

    def _click(self, event: events.MouseEvent) -> None:
        """A click on the sign of a group opens or closes it."""
        from bptui.tui.drawing.network.blocks import block_at

        block = None
        if self.scene is not None:
            sight = self._sight(self.scene)
            if planned(sight, *self._room, self.shown) is None:
                block = block_at(sight, *self._room, self._opened, event.x, event.y - 1)
        super()._click(event)
        self._read = None if self.scene is None else self.scene.position  # from now on the cursor is in sight
        if block is not None and block[0].group and event.x < self._room[0] // 3:
            self._turn(block[0].group)

    def action_choose(self) -> None:
        """Enter opens or closes a group, and edits any other cell."""
        from bptui.tui.drawing.network.blocks import group_of

        if self.scene is None:
            return
        sight = self._sight(self.scene)
        drawn = planned(sight, *self._room, self.shown) is not None
        group = "" if drawn else group_of(sight, self._room[1], self._opened)
        if group:
            self._turn(group)
        else:
            self.followed.carry_out("set")

    def _turn(self, group: str) -> None:
        self._opened ^= {group}
        self.redraw()

    @property
    def _room(self) -> tuple[int, int]:
        """Columns and rows below the title."""
        return self.size.width, self.size.height - 1

    def action_sample(self, by: int) -> None:
        """Another row of the batch; a cell of a row under the cursor goes along."""
        if self.scene is None:
            return
        count = self.scene.view.program.slots["x"].shape[0]
        now = row_of(self.scene)
        row = max(0, min(count - 1, now + by))
        self.followed.sampled(row)
        slot, cell = self.scene.cursor
        if batch_row(self.scene, slot, cell) is not None:
            size = self.scene.view.program.slots[slot].size // count
            self.followed.point(slot, cell + (row - now) * size)

    def _sight(self, scene: Scene) -> Sight:
        return Sight(scene, row_of(scene), self.has_focus, self._read == scene.position)
