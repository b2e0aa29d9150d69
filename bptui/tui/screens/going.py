"""Lines carried out, and what goes on by itself: a run, a sweep, steps in time with a clock."""

from __future__ import annotations

from textual import events
from textual.message import Message

from bptui.commands.answer import Answer
from bptui.commands.following import edits
from bptui.commands.running import Begun
from bptui.engine.timeline import START
from bptui.files.report import SpecError
from bptui.tui.screens.running import Came, Free, Running, Sweeping, Underway
from bptui.tui.screens.showing import Showing
from bptui.tui.widgets.looks import commands_of
from bptui.tui.widgets.time import LossPane

PLAY_SECONDS = 0.6
# Digits in the table of a sweep, which is to be compared down its columns.
_SWEPT_DIGITS = 6


class Going(Showing):
    """A screen on which things go on until they are over or a key is pressed."""

    class Rested(Message):
        """To the app: nothing goes on any more, and what was typed before it began is for what comes after it."""

    def _do(self, line: str, *, asked: bool = True) -> None:
        """Carry out a line of the command language, which nobody may have asked for, and show what came of it."""
        here = self._position()
        try:
            answer = self.session.begin(line)
        except (ValueError, OSError) as error:
            self._failed(line, error, asked=asked)
            return
        if isinstance(answer, Begun):
            self._looked = False
            self._go(Running(self.session.debugger, answer, self, lambda came: self._ended(line, came)), line)
            return
        if answer.quit:
            self.app.exit()
            return
        self._after(line, answer)
        if self._position() == here == START and line in ("back", "step-back", "iteration-back", "start"):
            self._show("this is the very start")
        elif line in ("continue", "c") and (end := self.session.debugger.at_end):
            self._show(f"{end}: C goes back, :run 10 goes on")

    def _failed(self, line: str, error: ValueError | OSError, *, asked: bool) -> None:
        """A line could not be carried out; of a spec that somebody asked for every mistake is shown."""
        from bptui.tui.screens.dialogs import TextPage

        if asked and isinstance(error, SpecError) and len(error.lines) > 1:
            self._show("")
            self.app.push_screen(TextPage(f"{line}: nothing has changed", error.lines))
        else:
            self._refuse(error)

    def _after(self, line: str, answer: Answer) -> None:
        if answer.loaded:
            self._cursor, self._row, self._heading = self._first_cell(), -1, None
            self.first_sight()
        verb = line.split(maxsplit=1)[0] if line.split() else ""
        self._looked = False
        if answer.ops:
            self._seek(answer.ops, self.session.sought)
            return
        moved = verb not in ("print", "p", "save") and len(answer.lines) <= 2
        note = "" if moved and answer.lines and answer.lines[0].startswith(f"{self._position()} ") else None
        if len(answer.lines) > 2:
            from bptui.tui.screens.dialogs import TextPage

            self._show("")
            self.app.push_screen(TextPage(line, list(answer.lines)))
        else:
            said = answer.lines[1:] if note == "" else answer.lines
            self._show("  ".join(said) or self._way_on(), edited=edits(line), undone=verb == "undo")
            self._look_ahead(line)

    def _way_on(self) -> str:
        """In the pane of time, whose arrows lead back and on: where one has gone back to."""
        here = self._position()
        back = isinstance(self.focused, LossPane) and here < self._view.position
        return f"back to {here}; → goes on" if back else ""

    def _seek(self, found: tuple[int, ...], text: str) -> None:
        """The cursor to the next of some operations, which are opened to the eye; after the last comes the first."""
        here = self._row if self._row >= 0 else self._view.upcoming - 1
        k = next((k for k, op in enumerate(found) if op > here), 0)
        self.session.folds = self.session.folds.showing(self._view.program, found[k])
        self.choose_row(found[k])
        self._show(f"{k + 1} of {len(found)} operations: {text}")
        self.focus_pane(1)

    def _run_to(self, verb: str) -> None:
        if self._row < 0:
            self._show("choose an operation first: ↑ and ↓ in the program (1)")
        else:
            self._do(f"{verb} {self._row + 1}")

    # What goes on

    def before_it_began(self, event: events.Event) -> bool:
        """Whether something goes on that had not begun when a key was pressed: it was meant for after it."""
        return self._underway is not None and event.time <= self._underway.since

    def interrupted(self, key: str) -> bool:
        """Any key interrupts a run, and does nothing else then, but for those that quit and suspend."""
        quitting = next(command.keys for command in commands_of(self) if command.verb == "quit")
        return self._stop_running() and key not in (*quitting, "ctrl+z")

    def on_unmount(self) -> None:
        """Nothing goes on after the app."""
        if self._underway is not None:
            self._underway.free.stop()

    def _play(self) -> None:
        if self._ticking is not None:
            self._stop_playing()
            self._show("paused")
            return
        self._ticking = self.set_interval(PLAY_SECONDS, lambda: self._do("next"))
        self._show("playing; space pauses")

    def _stop_playing(self) -> None:
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def _go(self, free: Free, line: str) -> None:
        """Let go what any key breaks off; `line` is what it is, where anything has changed then."""
        underway = self._underway = Underway(free, line, Message().time)
        free.slice()
        if self._underway is underway:
            # An interval: Textual forgets a timer for once that comes too late to be set.
            underway.clock = self.set_interval(free.every, free.slice)

    def _rest(self) -> None:
        if self._underway is not None and self._underway.clock is not None:
            self._underway.clock.stop()
        self._underway = None

    def _ended(self, line: str, came: Came) -> None:
        self._rest()
        if isinstance(came, Answer):
            self.session.acknowledge(line)
            self._after(line, came)
        else:
            # What was shown on the way is not where one is.
            self._refused = " ".join(str(came).splitlines()) or type(came).__name__
            self._show(self._refused)
        self.app.post_message(self.Rested())

    def _stop_running(self) -> bool:
        """Any key interrupts a run."""
        if self._underway is None:
            return False
        line, said = self._underway.line, self._underway.free.stop()
        self._rest()
        if line:
            self.session.acknowledge(line)
        self._show(said + "; c goes on" * (line in ("continue", "c")))
        return True

    def _sweep(self, rest: str) -> None:
        """Forks from here, while the screen goes on; all of them on a page."""
        from bptui.commands.sweeping import sweep

        debugger, line = self.session.debugger, f"sweep {rest}"
        here = debugger.timeline, debugger.position
        digits = self.session.digits or _SWEPT_DIGITS

        def ended(came: Came) -> None:
            self._ended(line, came)

        self._go(Sweeping(lambda begun: sweep(*here, rest, digits, begun), self._show, ended), "")
