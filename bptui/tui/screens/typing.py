"""The command line: opened by a key, hinted at while one types, read with enter, and kept where it was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import Input
from textual.widgets.input import Selection

from bptui.debugger.debugger import spell
from bptui.engine.program import Target
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.palette import THEMES
from bptui.tui.screens.pointing import Pointing
from bptui.tui.widgets.drawn import Drawn
from bptui.tui.widgets.field import Field
from bptui.tui.widgets.line import CommandLine
from bptui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from bptui.commands.completion import Completion
    from bptui.commands.predicting import Question

_ANSWER = "a number, or how it is reckoned: 2*0.11 + 3*0.21; with nothing, it is shown"
_PLACEHOLDER = "a command, such as  set w5 = 0.2 at 0:0   (help lists them)"


class Typing(Pointing):
    """A screen with a line in which commands are typed."""

    # A line that was refused, and why.
    _fault = ("", "")

    def line_widgets(self) -> Iterator[Widget]:
        """The line, what stands above it, and its keys."""
        from bptui.tui.drawing.hint import line_keys

        yield Drawn(self._hinted, "hint")
        yield CommandLine(self._completed, self.session.history, "line", _PLACEHOLDER)
        yield Drawn(lambda columns, _: [line_keys(columns, asked=self._asked is not None)], "line-keys")

    def _read(self, line: str) -> None:
        """Carry out a line."""
        raise NotImplementedError

    def open_line(self, text: str, suggestion: str = "") -> None:
        """The command line with a text; what is suggested after it is typed over."""
        self._ask(None)
        self._begin_line(text, suggestion)

    def _begin_line(self, text: str, suggestion: str = "") -> None:
        self._stop_playing()
        self.note_reading()
        line = self.query_one(CommandLine)
        self.plan_for(typing=True)
        line.begin(text + suggestion)
        self.set_focus(line)  # at once: the next key is for it
        line.selection = Selection(len(text), len(line.value))
        self._hint()

    def _close_line(self) -> None:
        self.plan_for(typing=False)
        if isinstance(self.focused, Input):
            self.focus_back()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter reads the line and closes it; one that is refused stays, to be mended."""
        self._close_line()
        self._refused = ""
        asked = self._asked
        if asked is not None:
            self._answer(event.value.strip())
        else:
            self.session.history.add(event.value)
            self._read(event.value.strip())
        if self._refused:
            self._ask(asked)
            self._fault = (safe(event.value), self._refused)
            self._begin_line(event.value)
        self.app.post_message(Field.Read())

    # A number that is asked for

    def _predict(self) -> None:
        """Ask for a number of the next operation: the one under the cursor, if it writes that."""
        from bptui.commands.predicting import question

        slot, cell = self._cursor
        try:
            writes = self._view.program.instructions[self._view.upcoming].writes
            asked = question(self.session, Target(slot, (cell,)) if slot == writes else None)
        except ValueError as error:
            self._refuse(error)
            return
        self._ask(asked)
        self._begin_line("")

    def _ask(self, asked: Question | None) -> None:
        """What is asked for is a question mark in every pane, until it is shown."""
        if asked is not self._asked:
            self._asked = asked
            self.query_one(CommandLine).placeholder = _PLACEHOLDER if asked is None else _ANSWER
            self._draw()

    def _answer(self, text: str) -> None:
        """What somebody says it is, or nothing: then it is only shown."""
        asked = self._asked
        self._ask(None)
        if asked is not None:
            text = re.sub(rf"^{re.escape(asked.name)}\s*=(?!=)", "", text).strip()
            self._do(f"predict {asked.name} = {text}" if text else "next")

    def line_left(self) -> None:
        """The mouse has gone elsewhere: nobody is asked any more."""
        self._ask(None)

    # What stands above it

    def on_input_changed(self) -> None:
        """Something was typed."""
        self._hint()

    def _hint(self) -> None:
        for shown in self.query("#hint, #line-keys").results(Drawn):  # none any more where the app is leaving
            shown.redraw()

    def _hinted(self, columns: int, rows: int) -> list[Line]:
        from bptui.commands.completion import command_of
        from bptui.tui.drawing.hint import Hint, hint

        del rows
        line = self.query_one(CommandLine)
        refused, error = self._fault
        found = line.found()
        asked = "" if self._asked is None else f"what is {self._asked.name}?   {self._asked.text}"
        wrong = error * (line.value == refused)
        return hint(Hint(command_of(line.value), found, line.chosen, asked, wrong), columns)

    def _completed(self, text: str) -> Completion:
        """What may stand at the end of a text; to an answer nothing is offered."""
        from bptui.commands.completion import Completion, complete

        if self._asked is not None:
            return Completion(len(text))
        views = [view for pane in self.query(Pane) for view in pane.views]
        slot, cell = self._cursor
        near = spell(self.session.debugger.program, Target(slot, (cell,)))
        return complete(self.session, text, safe(near), {"view": views, "theme": list(THEMES), "play": (), "look": ()})
