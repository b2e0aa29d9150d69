"""The pane of the program, which folds, and in which one always sees where one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from bptui.explain import words
from bptui.explain.folds import Entry
from bptui.explain.lazy import Lazy
from bptui.explain.parts import Part, title, way
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.listing import Listing, pinned
from bptui.tui.scene import Hit, Scene
from bptui.tui.widgets.pane import Pane


class ProgramPane(Pane):
    """The listing by phase, layer and block."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "fold", "open or fold the heading", show=False, id="program.fold"),
        Binding("backspace", "fold_around", "fold what is around the cursor", show=False, id="program.fold_around"),
        Binding("home", "far(-1)", "to the first row", show=False, id="program.home"),
        Binding("end", "far(1)", "to the last row", show=False, id="program.end"),
        Binding("pageup", "page(-1)", "page up", show=False, id="program.page_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="program.page_down"),
    ]
    help_moves = "↑ ↓ choose an operation for t, T and b, ← → step, enter and backspace fold"

    def __init__(self, number: int, pane_id: str) -> None:
        super().__init__(number, pane_id)
        # The row of the listing that each line shows.
        self._rows: list[int] = []
        self._count = 0

    def title(self, scene: Scene) -> str:
        """In a long program with the parts around what is looked at, as far as there is room."""
        listed = self._listed(scene)
        entry = listed.entry(listed.seen)
        part = None if entry is None else listed.part(entry)
        if part is None:
            return "Program"
        program = scene.view.program
        outer = [safe(title(program, one)) for one in way(program, part)]
        room = self.size.width - len(self._beyond(0, 0)) - len(" 1 Program ·   ")
        paths = [" › ".join(outer[k:]) for k in range(len(outer))]
        return next((f"Program · {path}" for path in paths if len(path) <= room), "Program")

    def content(self, scene: Scene, columns: int, rows: int) -> tuple[Sequence[Line], int]:
        listed = self._listed(scene)
        self._rows, self._count = listed.in_sight(rows), len(listed)
        return Lazy(len(listed), lambda row: listed.lines([row], columns)[0]), self._rows[0]

    def prepare(self, scene: Scene, columns: int, rows: int) -> Sequence[Line]:
        listed = self._listed(scene)
        return listed.lines(listed.in_sight(rows), columns)

    def _window(self, lines: Sequence[Line], seen: int, rows: int) -> list[Line]:
        """The lines in sight, made together: their numbers stand in one column."""
        del lines, seen, rows
        return [] if self.scene is None else self._listed(self.scene).lines(self._rows, self.size.width)

    def _beyond(self, count: int, rows: int) -> str:
        """What lies out of sight, but for the row that is shown all the same."""
        del count, rows
        far = pinned(self._rows)
        near = [row for k, row in enumerate(self._rows) if k not in far]
        above, below = (near[0], self._count - near[-1] - 1) if near else (0, 0)
        parts = [f"↑ {above}"] * (above > 0) + [f"↓ {below}"] * (below > 0)
        return f" {'  '.join(parts)} more " if parts else ""

    # The keys

    def move(self, scene: Scene, across: int, down: int) -> None:
        if across:
            self.followed.carry_out("next" if across > 0 else "back")
        else:
            self._go(scene, down)

    def action_page(self, pages: int) -> None:
        """As many rows as there are lines, but for one."""
        if self.scene is not None:
            self._go(self.scene, pages * max(1, self.size.height - 2))

    def action_far(self, end: int) -> None:
        """The first or the last row."""
        if self.scene is not None:
            self._go(self.scene, end * len(self._listed(self.scene)))

    def _go(self, scene: Scene, down: int) -> None:
        """To another row; from where one is, if the cursor is nowhere yet."""
        self.focus()  # the wheel moves the cursor too, which is followed where the focus is
        listed = self._listed(scene)
        if scene.row < 0:
            here, down = listed.place(scene.view.upcoming), down - (1 if down > 0 else -1)
        else:
            here = listed.cursor
        self._choose(listed.beside(here, down))

    def _choose(self, entry: Entry) -> None:
        if isinstance(entry, int):
            self.followed.choose_row(entry)
        else:
            self.followed.choose_row(entry.ops.start, entry.key)

    def action_fold(self) -> None:
        """Open the heading under the cursor, or fold it. An operation is no heading."""
        part = self._heading_under_cursor()
        if part is None:
            raise SkipAction
        self._fold(part)

    def action_fold_around(self) -> None:
        """Fold the innermost open part around the cursor."""
        if self.scene is None or self.scene.row < 0:
            return
        listed = self._listed(self.scene)
        entry = listed.entry(listed.cursor)
        inside = None if entry is None else listed.part(entry)
        if inside is None:
            return
        opened = [part for part in way(self.scene.view.program, inside) if listed.open(part)]
        if opened:
            self._fold(opened[-1])

    def _fold(self, part: Part) -> None:
        """Fold an open part or open a folded one, with the cursor on its heading."""
        if self.scene is not None:
            self.followed.choose_row(part.ops.start, part.key)
            self.followed.fold(part.key, opened=not self._listed(self.scene).open(part))

    def _heading_under_cursor(self) -> Part | None:
        if self.scene is None or self.scene.row < 0:
            return None
        listed = self._listed(self.scene)
        return self._as_heading(listed, listed.entry(listed.cursor))

    def _as_heading(self, listed: Listing, entry: Entry | None) -> Part | None:
        return entry if isinstance(entry, Part) and listed.foldable else None

    def _listed(self, scene: Scene) -> Listing:
        return Listing(scene, focused=self.has_focus)

    # The mouse

    def hit(self, scene: Scene, x: int, y: int) -> Hit | None:
        """The operation of a line, and the whole of it in words."""
        del x
        entry = self._listed(scene).entry(self._rows[y]) if 0 <= y < len(self._rows) else None
        if isinstance(entry, int):
            program = scene.view.program
            return Hit(op=entry, text=f"{entry + 1}  {words.sentence(program, program.instructions[entry])}")
        return None

    def _click(self, event: events.MouseEvent) -> None:
        """A heading opens or folds."""
        row, scene = event.y - 1, self.scene
        if scene is not None and 0 <= row < len(self._rows):
            listed = self._listed(scene)
            part = self._as_heading(listed, listed.entry(self._rows[row]))
            if part is not None:
                self._fold(part)
                return
        super()._click(event)
