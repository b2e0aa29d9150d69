"""A tour of the article that drives the app itself, with a caption under it: by a clock, and any key leaves it."""

from __future__ import annotations

from textual.timer import Timer

from bptui.commands.registry import Command
from bptui.commands.touring import STOPS, Stop, refusal
from bptui.engine.timeline import START
from bptui.tui.drawing import guiding
from bptui.tui.drawing.lines import Line
from bptui.tui.screens.over import Over
from bptui.tui.screens.renewing import Renewing
from bptui.tui.widgets.drawn import Drawn
from bptui.tui.widgets.looks import commands_of

SECONDS = 4.5
_ON, _BACK, _PAUSE = "right", "left", "space"


class Touring(Renewing):
    """A screen that shows itself."""

    # Which stop it is at, None where there is no tour; and the clock that leads to the next, None where it is paused.
    _stop: int | None = None
    _clock: Timer | None = None

    @property
    def touring(self) -> bool:
        """Whether a tour is being given."""
        return self._stop is not None

    def carry_out(self, verb: str) -> object:
        """What the key of a verb does."""
        raise NotImplementedError

    def tour(self) -> None:
        """Begin one, from the very start of the article."""
        why_not = refusal(self.session)
        if why_not:
            self._show(why_not)
            return
        self.plan_for(touring=True)
        self._rewind()
        self._stop = 0
        self._arrive()
        self._wind()

    def toured(self, key: str) -> None:
        """A key during the tour; that of the next stop's deed leads there, as it would by itself."""
        if self._stop is None:
            return
        last = self._stop == len(STOPS) - 1
        following = None if last else self._command(STOPS[self._stop + 1])
        if key == _PAUSE and not last:
            self._pause()
        elif key == _BACK and self._stop:
            self._back_to(self._stop - 1)
        elif not last and (key == _ON or (following is not None and key in following.keys)):
            self._on()
            self._wind()
        else:
            self.leave_tour()

    def leave_tour(self) -> None:
        """It stays where the tour has come to."""
        self._stop = None
        self._unwind()
        self._stop_running()
        self._close_page()
        self.plan_for(touring=False)
        self.query(Caption).remove()
        back = "" if self._position() == START else ", C goes to the very start"
        self._show(f"the tour is left at {self._position()}: n goes on from here{back}, :tour shows it again")

    # The clock

    def _wind(self) -> None:
        """From now on a stop's time passes, unless it is the last."""
        self._unwind()
        if self._stop is not None and self._stop < len(STOPS) - 1:
            self._clock = self.set_interval(SECONDS, self._on)

    def _unwind(self) -> None:
        if self._clock is not None:
            self._clock.stop()
            self._clock = None

    def _pause(self) -> None:
        if self._clock is None:
            self._wind()
        else:
            self._unwind()
        self._caption()

    # The stops

    def _on(self) -> None:
        """The next stop, by what its keys do."""
        if self._stop is None or self._stop + 1 >= len(STOPS):
            self._unwind()
            return
        self._stop += 1
        self._arrive()

    def _back_to(self, number: int) -> None:
        """An earlier stop: everything anew up to the one before it."""
        self._rewind()
        for stop in STOPS[:number]:
            for command in stop.commands:
                self.session.execute(command)
        self._stop = number
        self._arrive()
        self._wind()

    def _rewind(self) -> None:
        """The very start, with nothing changed."""
        self._close_page()
        while self.session.debugger.timeline.edits:
            self.session.execute("undo")
        self.session.execute("goto 0:0")
        self._cursor, self._row, self._looked = self._first_cell(), -1, False
        self.unzoom()

    def _arrive(self) -> None:
        """Do what leads to the stop, in the pane where it is seen, and say what is."""
        assert self._stop is not None
        stop = STOPS[self._stop]
        self._close_page()
        self.focus_pane(stop.pane)
        if not stop.verb:
            self._show("")
        for _ in range(stop.times if stop.verb else 0):
            self.carry_out(stop.verb)
        if self._clock is not None and self._stop == len(STOPS) - 1:
            self._unwind()
        self._caption()

    def _close_page(self) -> None:
        page = self.app.screen
        if isinstance(page, Over):
            page.dismiss()

    def _command(self, stop: Stop) -> Command | None:
        """The command of a stop, with the keys that it has here."""
        return next((command for command in commands_of(self) if stop.verb and command.verb == stop.verb), None)

    # The caption

    def page_there(self) -> None:
        """A page that the tour has opened is there."""
        if self.touring:
            self._caption()

    def _caption(self) -> None:
        """The words of the stop, under whatever is on top; a page that is not there yet tells when it is."""
        screen = self.app.screen
        captions = [*screen.query(Caption)]
        if captions:
            captions[0].redraw()
        elif screen is self:
            self.query_one("#all").mount(Caption(self._captioned, "caption"))
        elif screen.is_mounted:
            screen.mount(Caption(self._captioned, "caption"))

    def _captioned(self, columns: int, rows: int) -> list[Line]:
        del rows
        if self._stop is None:
            return []
        stop = STOPS[self._stop]
        command = self._command(stop)
        return guiding.caption(
            stop.words, command.key if command else "", self._stop + 1, len(STOPS), columns, paused=self._clock is None
        )


class Caption(Drawn):
    """The lines under a tour."""
