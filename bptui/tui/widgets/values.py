"""The pane of the values: all tensors as a list, or the one where the reader is."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from bptui.explain.lazy import Lazy
from bptui.tui.drawing.lines import Line, first_in_sight
from bptui.tui.drawing.table import Table, table
from bptui.tui.drawing.tensor.plane import VIEWS, Cell
from bptui.tui.scene import Hit, Scene
from bptui.tui.widgets.looks import look_of
from bptui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from bptui.tui.drawing.tensor.seen import Seen
    from bptui.tui.drawing.tensor.sheet import Sheet

_FAR = 10**9


class ValuesPane(Pane):
    """Every slot with its value and its gradient; or one as numbers, as a heat map, as pictures."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", "half a page up", show=False, id="values.page_up"),
        Binding("pagedown", "page(1)", "half a page down", show=False, id="values.page_down"),
        Binding("home", f"move(-{_FAR}, 0)", "to the row's first cell", show=False, id="values.home"),
        Binding("end", f"move({_FAR}, 0)", "to the row's last cell", show=False, id="values.end"),
        Binding("ctrl+home", f"move(-{_FAR}, -{_FAR})", "to the first cell", show=False, id="values.first"),
        Binding("ctrl+end", f"move({_FAR}, {_FAR})", "to the last cell", show=False, id="values.last"),
    ]
    help_moves = "↑ ↓ ← → choose a cell, enter edits it; home and end go along its row; look W1[3,4] goes to any"
    commands = ("edit-whole", "previous-slice", "next-slice", "previous-tensor", "next-tensor")
    views = ("list", *VIEWS)

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(number, pane_id)
        self._made: tuple[tuple[object, ...], Sheet] | None = None

    def title(self, scene: Scene) -> str:
        del scene
        return "Values"

    @property
    def one(self) -> bool:
        """Whether one tensor alone is seen."""
        return self.shown != self.views[0]

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        if self.one:
            return self._sheet(scene, columns, rows).lines, -1
        made = table(scene, columns, focused=self.has_focus)
        wanted = scene.cursor if self.has_focus or scene.pointed else _fresh(scene)
        return Lazy(len(made), lambda k: made.row(k).line), made.place(wanted) or 0

    def prepare(self, scene: Scene, columns: int, rows: int) -> Sequence[Line]:
        if self.one:
            return ()
        lines, seen = self.content(scene, columns, rows)
        top = max(0, min(first_in_sight(seen, rows), len(lines) - rows))
        return list(lines[top : top + rows])

    def hit(self, scene: Scene, x: int, y: int) -> Hit | None:
        if self.one:
            cell = self._sheet(scene, self.size.width, self.size.height - 1).at(x, y)
        else:
            made = table(scene, self.size.width, focused=self.has_focus)
            cell = made.row(y + self.top).at(x) if y + self.top < len(made) else None
        return None if cell is None else Hit(*cell)

    def move(self, scene: Scene, across: int, down: int) -> None:
        if self.one:
            self.followed.point(*self._sheet(scene, self.size.width, self.size.height - 1).moved(across, down))
        else:
            self.followed.point(*_moved(table(scene, self.size.width, focused=True), scene.cursor, across, down))

    def action_page(self, by: int) -> None:
        """Half a page, at once."""
        if self.scene is not None:
            half = max(1, (self.size.height - 1) // 2)
            if self.one:
                half = self._sheet(self.scene, self.size.width, self.size.height - 1).page
            self.action_move(0, by * half)

    def lacking(self, scene: Scene) -> AbstractSet[str]:
        """Pictures only of what has some."""
        from bptui.tui.drawing.tensor.albums import album

        return frozenset() if album(scene.view.program, self._seen(scene).plane.slot) else {"picture"}

    def _seen(self, scene: Scene) -> Seen:
        from bptui.tui.drawing.tensor.seen import seen

        look = look_of(self)
        return seen(scene, focused=self.has_focus, fine=look.levels > 0 and not look.ascii)

    def _sheet(self, scene: Scene, columns: int, rows: int) -> Sheet:
        """The drawing, which arrows and the mouse ask as well."""
        from bptui.tui.drawing.tensor.views import view_of

        made_for = scene, self.shown, columns, rows, self.has_focus, look_of(self)
        if self._made is None or self._made[0] != made_for:
            self._made = made_for, view_of(self._seen(scene), self.shown, columns, rows)
        return self._made[1]


def _moved(rows: Table, cursor: Cell, across: int, down: int) -> Cell:
    """Where an arrow leads in the list."""
    here = rows.place(cursor)
    cells = () if here is None else rows.row(here).cells
    column = cells.index(cursor) if here is not None else 0
    row = rows.row(_row_with_cells(rows, here or 0, down))
    return row.cells[max(0, min(len(row.cells) - 1, column + across))]


def _row_with_cells(rows: Table, here: int, down: int) -> int:
    """So many rows further that have cells, or as many as there are."""
    step = 1 if down > 0 else -1
    found, left, k = here, abs(down), here
    while (left or not rows.row(found).cells) and 0 <= k + step < len(rows):
        k += step
        if rows.row(k).cells:
            found, left = k, max(0, left - 1)
    return found


def _fresh(scene: Scene) -> Cell:
    """The cell that the last step wrote, so that it is in sight while the reader is elsewhere."""
    slot, cells = scene.written
    base = slot.removesuffix(".grad")
    return (base, cells.start) if slot else ("x", 0)
