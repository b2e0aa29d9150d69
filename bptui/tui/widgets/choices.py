"""A list that is chosen from by keys, which a page has, and by the mouse: a click does it, the wheel goes along it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.message import Message

from bptui.tui.drawing.choices import HEADING, Choices
from bptui.tui.drawing.lines import Line
from bptui.tui.widgets.painted import Painted

# Rows that a notch of the wheel goes along.
_WHEEL = 3
_NOWHERE = -1


class ChoiceList(Painted):
    """The lines of a function, one of them under the mouse."""

    ALLOW_SELECT = False

    class Picked(Message):
        """To the page: a choice was clicked at."""

        def __init__(self, choice: int) -> None:
            super().__init__()
            self.choice = choice

    class Turned(Message):
        """To the page: the wheel was turned, so many rows down."""

        def __init__(self, down: int) -> None:
            super().__init__()
            self.down = down

    def __init__(self, choices: Callable[[int, int], Choices], widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._choices = choices
        self._shown = Choices()
        self._over = _NOWHERE

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        self._shown = self._choices(columns - 1, rows).barred(columns)
        return self._shown.over(self._over)

    def on_click(self, event: events.Click) -> None:
        """What is clicked at is wanted."""
        choice = self._shown.at(event.y)
        if choice != HEADING:
            self.post_message(self.Picked(choice))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """What a click would choose is marked."""
        self._hover(event.y)

    def on_leave(self) -> None:
        """The mouse is elsewhere."""
        self._hover(_NOWHERE)

    def on_mouse_scroll_down(self) -> None:
        """Along the list."""
        self.post_message(self.Turned(_WHEEL))

    def on_mouse_scroll_up(self) -> None:
        """The same, up."""
        self.post_message(self.Turned(-_WHEEL))

    def _hover(self, y: int) -> None:
        if y != self._over:
            self._over = y
            self.redraw()
