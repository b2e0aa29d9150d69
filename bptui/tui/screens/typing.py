"""The command line: opened by a key, hinted at while one types, read with enter, and kept where it was refused."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input
from textual.widgets.input import Selection

from bptui.commands.completion import Completion, command_of, complete
from bptui.debugger.debugger import spell
from bptui.engine.program import Target
from bptui.files.text import safe
from bptui.tui.drawing.hint import Hint, hint, line_keys
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.palette import THEMES
from bptui.tui.screens.pointing import Pointing
from bptui.tui.widgets.drawn import Drawn
from bptui.tui.widgets.field import Field
from bptui.tui.widgets.line import CommandLine
from bptui.tui.widgets.pane import Pane

_PLACEHOLDER = "a command, such as  set w5 = 0.2 at 0:0   (help lists them)"


class Typing(Pointing):
    """A screen with a line in which commands are typed."""

    # A line that was refused, and why.
    _fault = ("", "")

    def line_widgets(self) -> ComposeResult:
        """The line, what stands above it, and its keys."""
        yield Drawn(self._hinted, "hint")
        yield CommandLine(self._completed, self.session.history, "line", _PLACEHOLDER)
        yield Drawn(lambda columns, _: [line_keys(columns)], "line-keys")

    def _read(self, line: str) -> None:
        """Carry out a line."""
        raise NotImplementedError

    def open_line(self, text: str, suggestion: str = "") -> None:
        """The command line with a text; what is suggested after it is typed over."""
        self._stop_playing()
        self.note_reading()
        line = self.query_one(CommandLine)
        self.add_class("typing")
        line.begin(text + suggestion)
        self.set_focus(line)  # at once: the next key is for it
        line.selection = Selection(len(text), len(line.value))
        self._hint()

    def _close_line(self) -> None:
        self.remove_class("typing")
        if isinstance(self.focused, Input):
            self.focus_back()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter reads the line and closes it; one that is refused stays, to be mended."""
        self._close_line()
        self.session.history.add(event.value)
        self._refused = ""
        self._read(event.value.strip())
        if self._refused:
            self._fault = (safe(event.value), self._refused)
            self.open_line(event.value)
        self.app.post_message(Field.Read())

    # What stands above it

    def on_input_changed(self) -> None:
        """Something was typed."""
        self._hint()

    def _hint(self) -> None:
        for shown in self.query("#hint").results(Drawn):  # none any more where the app is leaving
            shown.redraw()

    def _hinted(self, columns: int, rows: int) -> list[Line]:
        del rows
        line = self.query_one(CommandLine)
        refused, error = self._fault
        found = line.found()
        return hint(Hint(command_of(line.value), found, line.chosen, error=error * (line.value == refused)), columns)

    def _completed(self, text: str) -> Completion:
        """What may stand at the end of a text."""
        views = [view for pane in self.query(Pane) for view in pane.views]
        slot, cell = self._cursor
        near = spell(self.session.debugger.program, Target(slot, (cell,)))
        return complete(self.session, text, safe(near), {"view": views, "theme": list(THEMES), "play": ()})
