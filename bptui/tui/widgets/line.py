"""The line in which commands are typed: completed by Tab, with what was typed before behind the arrows."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester

from bptui.commands.completion import Completion
from bptui.files.history import History
from bptui.tui.widgets.field import Field

Complete = Callable[[str], Completion]


class _Likeliest(Suggester):
    """The rest of the likeliest candidate, dim behind the cursor; → takes it."""

    def __init__(self, likeliest: Callable[[str], str | None]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._likeliest = likeliest

    async def get_suggestion(self, value: str) -> str | None:
        return self._likeliest(value)


class CommandLine(Field):
    """Textual's input with the keys of a shell.

    chosen  the candidate that Tab has put in, or -1
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", "put in what is offered; again: the next", show=False, id="line.complete"),
        Binding("shift+tab", "complete(-1)", "the one before", show=False, id="line.complete_back"),
        Binding("up,ctrl+p", "recall(-1)", "the line typed before", show=False, id="line.older"),
        Binding("down,ctrl+n", "recall(1)", "the one after", show=False, id="line.newer"),
    ]

    def __init__(self, complete: Complete, history: History, widget_id: str, placeholder: str) -> None:
        # It opens with a word, such as `find `, that typing must not replace.
        likeliest = _Likeliest(self._likeliest)
        super().__init__(id=widget_id, placeholder=placeholder, suggester=likeliest, select_on_focus=False)
        self._complete = complete
        self._history = history
        self._offered: tuple[str, Completion] | None = None
        self._recalled: tuple[str, int] | None = None
        self.chosen = -1

    def begin(self, text: str) -> None:
        super().begin(text)
        self._offered, self._recalled, self.chosen = None, None, -1

    @property
    def before(self) -> str:
        """What is typed before the cursor."""
        return self.value[: self.cursor_position]

    def found(self) -> Completion:
        """What may stand there; while Tab goes through several, all of them."""
        return self._going_through() or self._complete(self.before)

    def _likeliest(self, value: str) -> str | None:
        """Where a word is begun, or only one thing can follow; not behind what Tab has just put in."""
        found = self._complete(value)
        wanted = len(value) > found.start or len(found.candidates) == 1
        offered = self._offered is not None and self._offered[0] == value
        return found.line(value) if found.candidates and wanted and not offered else None

    def _going_through(self) -> Completion | None:
        """What Tab offered, if nothing has been typed since."""
        if self._offered is not None and self._offered[0] == self.value:
            return self._offered[1]
        self._offered, self.chosen = None, -1
        return None

    def action_complete(self, by: int) -> None:
        """Put in the likeliest; pressed again, the next one in its place."""
        found, behind = self.found(), self.value[self.cursor_position :]
        if not found.candidates:
            return
        count = len(found.candidates)
        self.chosen = (self.chosen + by) % count if self.chosen >= 0 else 0 if by > 0 else count - 1
        text = found.line(self.before, self.chosen)
        # With one alone there is nothing to go through: the next Tab is for what follows.
        self._offered = (text + behind, found) if count > 1 else None
        self.chosen = self.chosen if count > 1 else -1
        self._put_in(text, behind)

    def _put_in(self, text: str, behind: str = "") -> None:
        self.value = text + behind
        self.cursor_position = len(text)

    def action_recall(self, by: int) -> None:
        """The last line before that begins as this one does, or the one after; at last what was typed."""
        if self._recalled is None or self.value not in (self._recalled[0], self._at(self._recalled[1])):
            self._recalled = (self.value, len(self._history.lines))
        begun, place = self._recalled
        found = self._history.older(begun, place) if by < 0 else self._history.newer(begun, place)
        if found is None and by < 0:
            return
        self._recalled = (begun, len(self._history.lines) if found is None else found)
        self._put_in(begun if found is None else self._history.lines[found])

    def _at(self, place: int) -> str:
        return self._history.lines[place] if place < len(self._history.lines) else ""
