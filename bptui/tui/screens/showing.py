"""The one scene that all panes draw from: made anew from the session whenever anything has happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from textual.reactive import reactive
from textual.timer import Timer

from bptui.commands.following import followed
from bptui.commands.session import Session
from bptui.debugger import moves
from bptui.debugger.looking import is_light
from bptui.debugger.view import View
from bptui.engine.player import State
from bptui.engine.program import Program
from bptui.engine.timeline import Position
from bptui.explain.parts import Key
from bptui.tui.drawing import prose
from bptui.tui.scene import Plotted, Scene
from bptui.tui.screens import helping
from bptui.tui.screens.arranging import Arranged
from bptui.tui.screens.helping import Kept
from bptui.tui.screens.past import past
from bptui.tui.screens.running import Underway
from bptui.tui.screens.stopping import Stopping
from bptui.tui.widgets.bars import Bar
from bptui.tui.widgets.pane import Pane
from bptui.tui.widgets.time import LossPane

if TYPE_CHECKING:
    from bptui.commands.predicting import Question
    from bptui.tui.screens.plotting import Plotting

# Where a step leads that is often made several times over.
_STEPS: dict[str, Callable[[Program, Position], Position]] = {
    "next": lambda program, here: moves.forward(program, here, 1),
    "back": lambda program, here: moves.back(program, here, 1),
    "step": lambda program, here: moves.step(program, here, 1),
    "step-back": lambda program, here: moves.step_back(program, here, 1),
    "iteration": lambda program, here: moves.iterations(program, here, 1),
    "iteration-back": lambda program, here: moves.iterations(program, here, -1),
}
# Seconds after a frame until the next is thought of.
_AFTER = 0.002
# Seconds between two portions of what is computed for a plot: keys come in between.
_BETWEEN = 0.02


class Showing(Arranged):
    """A screen over a session: where the reader's cursors are, and what is said on the last line but one."""

    scene: reactive[object] = reactive(None, layout=False, repaint=False, always_update=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._view = session.debugger.view()
        self._cursor = self._first_cell()
        self._row = -1
        self._heading: Key | None = None
        self._sample = 0
        self._looked: bool | Kept = False
        self._note = ""
        # What is asked for before it is shown.
        self._asked: Question | None = None
        # Why the last line was not carried out, or "".
        self._refused = ""
        self._stopping = Stopping(session)
        self._computing: Timer | None = None
        self._ticking: Timer | None = None
        self._thinking: Timer | None = None
        self._underway: Underway | None = None

    @property
    def mistaken(self) -> bool:
        """Whether the spec has mistakes now, and its last good network is shown."""
        return False

    # What is shown

    def _show(
        self, note: str | None = None, *, edited: bool = False, undone: bool = False, before: State | None = None
    ) -> None:
        """Make the scene anew; the only place that writes it. After an edit it is said what followed from that.

        before  what several edits that are taken back together began with
        """
        was, self._view = self._view, self.session.debugger.view()
        slot, cell = self._cursor
        if slot not in self._view.program.slots or cell >= self._view.program.slots[slot].size:
            self._cursor = self._first_cell()  # another network has no such cell
        said = self._view.message if note is None else note
        if edited:
            back = "U gives it once more" if undone else f"u takes {'it' if before is None else 'them'} back"
            since = was if before is None else replace(was, state=before)
            said = prose.edited(said, followed(since, self._view), self.size.width, back)
        self._note = "  ".join(part for part in (said, self.session.unsaved) if part)
        self._draw()

    def show(self, note: str) -> None:
        """All of the moment, and a word."""
        self._show(note)

    def glance(self, note: str) -> None:
        """Of the moment what moves while it runs, and a word: where it is, how far, and the curve."""
        self._note = note
        scene = self._made(self.session.debugger.glimpse())
        for widget in self._moving:
            widget.scene = scene

    @cached_property
    def _moving(self) -> list[Bar | LossPane]:
        """What follows a run."""
        return [*self.query(Bar), *self.query(LossPane)]

    def _draw(self) -> None:
        scene = self._made(self._view)
        # First where all stands: what moves is then drawn once, there.
        self.make_room(self._view.program, len(scene.stops.breakpoints), len(scene.stops.watched))
        self.scene = scene

    def _made(self, view: View) -> Scene:
        """The scene of a moment."""
        passing = self._underway is not None
        stops = self._stopping.rows(passing=passing)
        travelled = past(self.session.debugger, stops.plotted, passing=passing)
        scene = helping.scene_of(
            self.session, view, self._cursor, self._row, looked=self._looked, note=self._note,
            compact=self.small,
        )  # fmt: skip
        asked = "" if self._asked is None else self._asked.slot
        return replace(
            scene, stops=stops, past=travelled, mistaken=self.mistaken, folds=self.session.folds,
            heading=self._heading, asked=asked, sample=self._sample, plotting=partial(self._plotted, passing=passing),
        )  # fmt: skip

    # What will be shown

    def _look_ahead(self, verb: str) -> None:
        """A step is likely to be followed by one like it: once its frame is there, what that will show is drawn."""
        if self._thinking is not None:
            self._thinking.stop()
        if verb in _STEPS and is_light(self._view.program):
            self._thinking = self.set_timer(_AFTER, lambda: self._foresee(verb))

    def _foresee(self, verb: str) -> None:
        debugger, shown = self.session.debugger, self.scene
        if self._underway is None and not self._looked and isinstance(shown, Scene) and shown.view is self._view:
            view = debugger.foresee(_STEPS[verb](debugger.program, debugger.position))
            scene = replace(shown, view=view, formula=helping.at_hand(view, self._cursor))
            for pane in self.query(Pane):
                pane.foresee(scene)

    @cached_property
    def _plotting(self) -> Plotting:
        """What computes the numbers of plots, loaded with the first that needs any."""
        from bptui.tui.screens.plotting import Plotting

        return Plotting(self.session, self._compute)

    def _plotted(self, scene: Scene, view: str, *, passing: bool) -> Plotted:
        return self._plotting(scene, view, passing=passing)

    def viewed(self, view: str) -> None:
        """The reader turned to another plot."""
        self._stopping.draw(watch=view == "watch")
        if view == "watch" and not self.session.debugger.watches.all:
            self._note = "nothing is watched: w watches an expression"
        if self.is_mounted:
            self._draw()

    def sampled(self, row: int) -> None:
        """The reader turned to another row of the batch."""
        self._sample = row
        self._draw()

    def _compute(self) -> None:
        """What a plot needs beyond a frame, in portions from now on."""
        if self._computing is None:
            self._computing = self.set_interval(_BETWEEN, self._compute_some)

    def _compute_some(self) -> None:
        if self._underway is None and self._plotting.go_on():
            self.query_one(LossPane).redraw()
        elif self._underway is not None or not self._plotting.pending:
            assert self._computing is not None
            self._computing.stop()
            self._computing = None

    def _first_cell(self) -> tuple[str, int]:
        """The last layer's first weight: what a newcomer wants to turn first."""
        parameters = [name for name in self.session.debugger.program.parameters if name.startswith("W")]
        return (parameters[-1] if parameters else "x"), 0

    def _refuse(self, error: ValueError | OSError) -> None:
        self._refused = self._note = " ".join(str(error).splitlines()) or type(error).__name__
        self._draw()

    def _position(self) -> Position:
        return self.session.debugger.position

    # Cursors

    def point(self, slot: str, cell: int, note: str = "", *, keep: bool = False) -> None:
        """The reader moved to a cell; its formula is shown, or the one that is there is kept."""
        shown = Kept.of(self.scene) if keep and isinstance(self.scene, Scene) else None
        self._cursor = (slot, cell)
        self._looked = shown or True
        self._note = note
        self._draw()

    def choose_row(self, op: int, heading: Key | None = None) -> None:
        """The reader moved in the program: to an operation, or to the heading of a part that begins with it."""
        self._row, self._heading = op, heading
        self._note = ""
        self._draw()

    def fold(self, part: Key, *, opened: bool) -> None:
        """The reader opened or folded a part of the program."""
        self.session.folds = self.session.folds.put({part: opened})
        self._note = ""
        self._draw()
