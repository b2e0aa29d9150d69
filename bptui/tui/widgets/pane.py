"""What all panes have in common: a title on a line, drawn lines below it, a place that stays in sight."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import ClassVar, Protocol, cast

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.reactive import reactive

from bptui.explain.parts import Key
from bptui.tui.drawing.lines import Line, first_in_sight, line, rule, width
from bptui.tui.drawing.tabs import tab_at, tabs
from bptui.tui.scene import Hit, Scene
from bptui.tui.widgets.painted import Painted

# Lines that a notch of the mouse's wheel moves.
_WHEEL = 3
# What is left of the rule of a title line, however long the list of the views is; with the blanks around the title.
_RULE = 6


class Followed(Protocol):
    """The screen, which is told what the reader does in a pane at once: the next key counts on it."""

    def point(self, slot: str, cell: int, *, keep: bool = False) -> None:
        """The reader moved to a cell; its formula is shown, or the one that is there is kept."""

    def choose_row(self, op: int, heading: Key | None = None) -> None:
        """The reader moved to an operation of the program, or to the heading of a part that begins with it."""

    def fold(self, part: Key, *, opened: bool) -> None:
        """The reader opened or folded a part of the program."""

    def carry_out(self, verb: str) -> object:
        """An arrow that stands for a verb."""

    def choose_stop(self, down: int) -> None:
        """The reader moved in the list of stops."""

    def change_stop(self, deed: str) -> None:
        """Something is done to the stop that is chosen: `switch` or `drop`."""

    def viewed(self, view: str) -> None:
        """The reader turned to another plot."""

    def sampled(self, row: int) -> None:
        """The reader turned to another row of the batch."""

    def clicked(self, hit: Hit) -> None:
        """The reader clicked at something, or dragged over it."""

    def hovered(self, hit: Hit | None) -> None:
        """The mouse is over something, or over nothing any more."""


class Pane(Painted, can_focus=True):
    """Draws a scene by the Line API; only the main screen writes `scene`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, -1)", "up", show=False, id="pane.up"),
        Binding("down,j", "move(0, 1)", "down", show=False, id="pane.down"),
        Binding("left,h", "move(-1, 0)", "left", show=False, id="pane.left"),
        Binding("right,l", "move(1, 0)", "right", show=False, id="pane.right"),
        Binding("pageup", "move(0, -8)", "page up", show=False, id="pane.page_up"),
        Binding("pagedown", "move(0, 8)", "page down", show=False, id="pane.page_down"),
    ]

    # What the mouse marks would be cells of a drawing, not the text of a page; a drag is for the timeline.
    ALLOW_SELECT = False

    scene: reactive[Scene | None] = reactive(None, layout=False, repaint=False, always_update=True)
    help_moves = ""
    # The names of the registry's commands that are above all for it.
    commands: ClassVar[tuple[str, ...]] = ()
    # What it can show, the first at the beginning; none where there is but one thing.
    views: ClassVar[tuple[str, ...]] = ()

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(id=pane_id)
        self.number = number
        self.top = 0
        self.shown = self.views[0] if self.views else ""

    @property
    def followed(self) -> Followed:
        """Whom to tell."""
        return cast(Followed, self.screen)

    def title(self, scene: Scene) -> str:
        """The words on the title line."""
        raise NotImplementedError

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        """Every line there is, and the one that has to be in sight."""
        raise NotImplementedError

    def foresee(self, scene: Scene) -> None:
        """What may be seen next is drawn and held against what is seen, for what is kept of both; it is not shown."""
        if self.place:
            columns, rows = self.place.width, self.place.height - 1
            self.compare(1, self.prepare(scene, columns, rows)[:rows])

    def prepare(self, scene: Scene, columns: int, rows: int) -> Sequence[Line]:
        """The lines below the title, where they take long; it changes nothing."""
        del scene, columns, rows
        return ()

    def move(self, scene: Scene, across: int, down: int) -> None:
        """An arrow was pressed; a pane without a cursor scrolls."""
        del scene, across
        self.top = max(0, self.top + down)

    def hit(self, scene: Scene, x: int, y: int) -> Hit | None:
        """What lies at a column and a line of the content, the first line below the title being 0."""
        del scene, x, y
        return None

    def turn(self, by: int) -> None:
        """Another of its views."""
        if self.views:
            there = self.offered()
            self.show(there[(there.index(self.shown) + by) % len(there)])

    def offered(self) -> Sequence[str]:
        """Its views, but for those that what is seen has not; that which is shown is among them."""
        left_out = set() if self.scene is None else self.lacking(self.scene) - {self.shown}
        return [view for view in self.views if view not in left_out]

    def lacking(self, scene: Scene) -> AbstractSet[str]:
        """The views that what is seen has not."""
        del scene
        return frozenset()

    def show(self, view: str) -> None:
        """One of its views."""
        self.shown = view
        self.top = 0
        self.redraw()

    def action_move(self, across: int, down: int) -> None:
        """Move within this pane."""
        if self.scene is not None:
            self.move(self.scene, across, down)
            self.redraw()

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """To what is there; what is dragged over is gone to as well. A view that the title names is shown."""
        self.capture_mouse()
        view = tab_at(self._lines[0], event.x, self.views) if event.y == 0 and self._lines else ""
        if view:
            self.show(view)
        self._click(event)

    def on_mouse_up(self) -> None:
        """No longer dragged."""
        self.release_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Over a timeline with the button down, to each place; else only what is there is said."""
        hit = self._at(event)
        if event.button and self.app.mouse_captured is self:
            if hit is not None and hit.position is not None:
                self.followed.clicked(hit)
        else:
            self.followed.hovered(hit)

    def on_leave(self) -> None:
        """Over nothing any more."""
        self.followed.hovered(None)

    def on_click(self, event: events.Click) -> None:
        """A second click at once on a cell edits it."""
        hit = self._at(event)
        if event.chain == 2 and hit is not None and hit.slot:
            self.followed.carry_out("set")

    def on_mouse_scroll_down(self) -> None:
        """As the arrows would, a few lines at once."""
        self.action_move(0, _WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """The same, up."""
        self.action_move(0, -_WHEEL)

    def _at(self, event: events.MouseEvent) -> Hit | None:
        return None if self.scene is None or event.y < 1 else self.hit(self.scene, event.x, event.y - 1)

    def _click(self, event: events.MouseEvent) -> None:
        hit = self._at(event)
        if hit is not None:
            self.followed.clicked(hit)

    def watch_scene(self) -> None:
        """A new scene."""
        self.redraw()

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001 - as Textual calls it
        """The title says where the focus is."""
        super().watch_has_focus(has_focus)
        self.redraw()

    def reader_place(self) -> Offset:
        """The reader's cell or row; the title where there is none."""
        return super().reader_place() or Offset(1, 0)

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        rows -= 1
        if self.scene is None or columns < 4 or rows < 1:
            return []
        lines, seen = self.content(self.scene, columns, rows)
        shown = self._window(lines, seen, rows)
        title, beyond = f"{self.number} {self.title(self.scene)}", self._beyond(len(lines), rows)
        views = self._views(columns - len(beyond) - cell_len(title) - _RULE)
        head = rule(title, columns - len(beyond) - width(views), focused=self.has_focus)
        return [line(*head, *views, (beyond, "dim")), *shown]

    def _views(self, columns: int) -> Line:
        """What the title line says of the other views."""
        return tabs(self.offered(), self.shown, columns) if self.views and self.has_focus else ()

    def _window(self, lines: Sequence[Line], seen: int, rows: int) -> list[Line]:
        """The lines in sight."""
        if seen >= 0:
            self.top = first_in_sight(seen, rows)
        self.top = max(0, min(self.top, len(lines) - rows))
        return list(lines[self.top : self.top + rows])

    def _beyond(self, count: int, rows: int) -> str:
        """What the title line says of lines that are out of sight."""
        below = max(0, count - self.top - rows)
        parts = [f"↑ {self.top}"] * (self.top > 0) + [f"↓ {below}"] * (below > 0)
        return f" {'  '.join(parts)} more " if parts else ""
