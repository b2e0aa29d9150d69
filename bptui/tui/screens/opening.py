"""What opens over the main screen, and what comes of it: the dialog that edits, explanations, branches, help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.widgets import Input

from bptui.commands.following import outdating
from bptui.commands.wording import number_text
from bptui.debugger.debugger import spell
from bptui.debugger.expressions import parse_target
from bptui.engine.program import Target
from bptui.engine.timeline import START, Position, normal
from bptui.explain.cells import unravelled
from bptui.explain.notation import Names, number
from bptui.tui.drawing.table import shown_slots
from bptui.tui.drawing.tensor.plane import beside, tensor_beside
from bptui.tui.scene import Scene
from bptui.tui.screens import helping
from bptui.tui.screens.going import Going
from bptui.tui.widgets.values import ValuesPane

if TYPE_CHECKING:
    from bptui.tui.screens.dialogs import Place


class Opening(Going):
    """A screen that opens others."""

    # Branches

    def _branches(self) -> None:
        """The tree of branches; what is chosen there is carried out."""
        from bptui.tui.screens.branching import BranchesPage

        self.app.push_screen(BranchesPage(self.session.debugger.branches), self._chosen_branch)

    def _chosen_branch(self, line: str | None) -> None:
        verb, _, name = (line or "").partition(" ")
        if verb == "diff":
            self._diff(name)
        elif verb:
            self._do(line or "")
        if verb == "delete":
            self._branches()

    def _diff(self, name: str) -> None:
        """Two timelines side by side."""
        from bptui.commands.branching import compared
        from bptui.tui.screens.branching import DiffPage

        try:
            found = compared(self.session, name)
        except ValueError as error:
            self._refuse(error)
            return
        self.session.acknowledge(f"diff {name}")
        self.app.push_screen(DiffPage(found, self.session.debugger.program))

    # Editing

    def _edit(self) -> object:
        """Open the dialog; ready once what this gives is awaited, so that a number typed at once is for it."""
        from bptui.commands.origins import unwritten
        from bptui.tui.screens.dialogs import EditDialog

        slot, cell = self._cursor
        debugger = self.session.debugger
        target = Target(slot, (cell,), scalar=True)
        name = debugger.spell(target)
        if not self._view.is_computed(slot, cell):
            self._show(unwritten(debugger.program, target))
            return None
        value = number_text(self._view.number(slot, cell))

        def apply(text: str, at: str | None) -> None:
            edit = debugger.set(name, text, at)
            self.session.acknowledge(f"set {name} = {text}{f' at {at}' if at else ''}")
            old = debugger.value_before(edit).arrays[edit.slot].reshape(-1)[edit.cells[0]]
            self._show(f"{name} {number(old)} → {number(edit.values[0])} at {edit.position}", edited=True)

        dialog = EditDialog(name, value, self._places(slot, cell), apply, self._edit_whole)
        return self.app.push_screen(dialog, lambda _: None)

    def _edit_whole(self, pasted: str = "") -> object:
        """The page of all numbers around the cursor, or of what was pasted for them."""
        from bptui.commands import editing
        from bptui.tui.drawing.tensor.part import around, table_text
        from bptui.tui.screens.whole import WholePage  # Textual's editor is large, and seldom needed

        slot, cell = self._cursor
        debugger = self.session.debugger
        part = around(debugger.program, slot, cell)
        if not self._view.is_computed(slot, part.last):
            self._show(f"{part.name} is not computed yet: {debugger.writing(slot)}")
            return None
        numbers = self._view.state.arrays[slot].reshape(-1)[part.first : part.last + 1].reshape(-1, part.columns)

        def apply(text: str, at: str | None) -> None:
            edit = editing.whole(self.session, part.name, text, at)
            self.session.acknowledge(f"set {edit.text.removeprefix('set ')}{f' at {at}' if at else ''}")
            count = len(edit.cells)
            self._show(f"{part.name}, {count} number{'s' * (count > 1)}, set at {edit.position}", edited=True)

        place = None if pasted else divmod(cell - part.first, part.columns)
        page = WholePage(part.title, pasted or table_text(numbers), self._places(slot, cell), apply, place)
        return self.app.push_screen(page, lambda _: None)

    def pasted(self, text: str) -> bool:
        """A paste that nobody typing gets is for the array under the cursor, a single number for the cell."""
        from bptui.files.matrices import several

        if isinstance(self.focused, Input):
            return False
        self._stop_playing()
        self._stop_running()
        if several(text):
            self._edit_whole(text)
        elif text.strip():
            self._show("E edits the array under the cursor as text, e a number of it: paste there")
        return True

    def _places(self, slot: str, cell: int) -> list[Place]:
        """From when an edit of a cell may hold, and whether prediction and loss follow it then."""
        from bptui.tui.screens.dialogs import Place

        stay, follow = _consequences(outdating(self._view, slot, cell))
        here = self._position()
        program = self.session.debugger.program
        writer = program.writers.get(slot)
        places = [(here, Place(f"from here, {here}{stay}", None))]
        if program.slots[slot].persistent:
            begun = normal(program, here.iteration, 0, 0)
            places.append((begun, Place(f"from the start of this iteration, {here.iteration}:0{follow}", str(begun))))
            places.append((START, Place(f"from the very start, 0:0{follow}", "0:0")))
        elif writer is not None and here.op > writer + 1:
            done = normal(program, here.iteration, writer + 1, 0)
            places.append((done, Place(f"from where it was computed, {done}{follow}", str(done))))
        return list(dict(places).values())

    def _nudge(self, steps: int) -> None:
        slot, cell = self._cursor
        debugger = self.session.debugger
        try:
            edit = debugger.nudge(Target(slot, (cell,), scalar=True), steps)
        except ValueError as error:
            self._refuse(error)
            return
        name = spell(debugger.program, Target(slot, (cell,)))
        self.session.acknowledge(f"nudge {name}")
        was = debugger.value_before(edit).arrays[slot].reshape(-1)[cell]
        run = f" ({edit.nudge} nudges)" if edit.nudge > 1 else ""
        # What `u` goes back to: it takes the whole run.
        before = debugger.value_before(edit, debugger.position) if run else None
        self._show(
            f"{name} {number(was)} → {number(edit.values[0])}{run} at {edit.position}", edited=True, before=before
        )

    # Looking

    def _explain(self) -> None:
        """The cell whose formula is shown; in the values the one under the cursor."""
        from bptui.commands import looking, origins
        from bptui.tui.screens.dialogs import TextPage
        from bptui.tui.screens.tree import TreePage

        slot, cell = self._cursor
        if self._view.moment is not None and not self._looked and not isinstance(self.focused, ValuesPane):
            slot, cell = helping.written_cell(self._view, self._cursor)
        program = self.session.debugger.program
        title = f"Where {Names(program).cell(slot, unravelled(cell, program.slots[slot].shape))} comes from"
        tree = origins.opened(self.session, slot, cell)

        def deeper() -> None:
            if tree is not None:
                self.app.push_screen(TreePage(title, tree), self._visit)

        lines = looking.explain_cell(self.session, slot, cell)
        if tree is None or len(lines) <= origins.MOST_LINES:
            self.app.push_screen(TextPage(title, lines, deeper if tree else None))
        else:
            deeper()

    def _visit(self, position: Position | None) -> None:
        """Go where a page has led, if anywhere."""
        if position is not None:
            self._do(f"goto {position}")

    def _origin(self) -> None:
        """Where the number under the cursor was written; pressed again there, where its old value was."""
        slot, cell = self._cursor
        name = spell(self.session.debugger.program, Target(slot, (cell,)))
        try:
            where, *said = self.session.execute(f"origin {name}").lines
        except (ValueError, OSError) as error:
            self._refuse(error)
            return
        self._show()
        self.point(slot, cell, said[0] if said else where)

    def _page(self, title: str, line: str) -> None:
        from bptui.tui.screens.dialogs import TextPage

        self.app.push_screen(TextPage(title, list(self.session.execute(line).lines)))

    def _tensor(self, by: int, *, whole: bool = False) -> None:
        """The cursor to the next or previous slice, where slices are seen; else, or if wanted, to the next tensor."""
        if isinstance(self.scene, Scene):
            program, order = self.session.debugger.program, shown_slots(self.scene)
            step = beside if self.query_one(ValuesPane).one and not whole else tensor_beside
            self.point(*step(program, order, self._cursor, by))

    def _look_at(self, text: str) -> None:
        """The cursor to a cell by its name; of several cells to the first."""
        try:
            target = parse_target(self.session.debugger.program, text)
        except ValueError as error:
            self._refuse(error)
            return
        self.focus_pane(self.query_one(ValuesPane).number)
        self.point(target.slot, target.cells[0])


def _consequences(outdated: Sequence[str]) -> tuple[str, str]:
    """What prediction and loss do after an edit from here on, and from earlier; "" where neither has read it."""
    if not outdated:
        return "", ""
    alone = len(outdated) == 1
    return f": {' and '.join(outdated)} stay{'s' * alone}, marked ~", f": {'it follows' if alone else 'they follow'}"
