"""What the mouse does, and which of its views a pane shows."""

from __future__ import annotations

from bptui.commands.registry import CommandError
from bptui.debugger.expressions import parse_target
from bptui.engine.network import nearest
from bptui.engine.program import Target
from bptui.files.text import safe
from bptui.tui.drawing.prose import in_full
from bptui.tui.scene import Hit, Scene
from bptui.tui.screens.opening import Opening
from bptui.tui.widgets.bars import StatusBar
from bptui.tui.widgets.pane import Pane


class Pointing(Opening):
    """A screen whose panes can be pointed at."""

    # The mouse

    def clicked(self, hit: Hit) -> None:
        """To a cell, an operation or a moment; what runs is broken off, as by a key."""
        self._stop_playing()
        self._stop_running()
        if hit.slot:
            self.point(hit.slot, hit.cell, keep=hit.keep)
        elif hit.op >= 0:
            self.choose_row(hit.op)
        elif hit.position is not None and hit.position != self._position():
            self._do(f"goto {hit.position}")

    def hovered(self, hit: Hit | None) -> None:
        """The status line says what the mouse is over, for as long as it is there."""
        scene = self.scene
        words = ""
        if hit is not None and isinstance(scene, Scene):
            words = hit.text or (in_full(scene, hit.slot, hit.cell) if hit.slot else "")
        self.query_one(StatusBar).hover = safe(words)

    def _mark(self, text: str) -> None:
        """The cell under the cursor, or a named one, is the second of the surface; the same again: it is no longer."""
        from bptui.debugger.probing.knobs import turned

        program = self.session.debugger.program
        try:
            target = parse_target(program, text) if text else Target(self._cursor[0], (self._cursor[1],))
        except ValueError as error:
            self._refuse(error)
            return
        cell = turned(program, target.slot, target.cells[0] if target.cells else 0)
        self._plotting.marked = None if cell == self._plotting.marked else cell
        name = self.session.debugger.spell(Target(cell[0], (cell[1],)))
        marked = self._plotting.marked is not None
        self._show(
            f"{name} is the second cell of the surface: view surface" if marked else f"{name} is marked no longer"
        )

    # Views

    def _view_of(self, by: int) -> None:
        """The focused pane's next view, or the one before."""
        pane = self.focused
        if isinstance(pane, Pane) and pane.views:
            pane.turn(by)
        else:
            self._show(f"this pane has one view; these have several: {self._views_there() or 'none'}")

    def _view_named(self, name: str) -> None:
        """A view by its name, in the focused pane if that has it."""
        panes = sorted(self.query(Pane), key=lambda pane: pane is not self.focused)
        pane = next((pane for pane in panes if name in pane.views), None)
        if pane is None:
            known = [view for pane in panes for view in pane.views]
            self._refuse(CommandError(f"no view is called {name[:40]!r}{nearest(name, known)}: {', '.join(known)}"))
            return
        pane.show(name)
        self.focus_pane(pane.number)

    def _views_there(self) -> str:
        return ", ".join(f"{pane.number} ({', '.join(pane.views)})" for pane in self.query(Pane) if pane.views)
