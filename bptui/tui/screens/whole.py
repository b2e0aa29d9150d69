"""The page on which all numbers of an array are edited as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from bptui.files.text import safe
from bptui.tui.screens.dialogs import Apply, Dated, Place
from bptui.tui.widgets.numbers import NumbersArea, cleaned
from bptui.tui.widgets.sheet import Sheet, foot

# The share of the screen that the page takes at most, and the lines of it that are neither numbers nor moments.
_SHARE, _BESIDE = 0.9, 9
_HOW = "a row a line, or [[1, 2], [3, 4]], 1 2; 3 4, LaTeX, CSV, or zeros, normal 0 0.1 seed 3"
_KEYS = (("ctrl+s", "set"), ("tab", "from when"), ("ctrl+z", "undo"), ("esc", "leave it"))


class WholePage(Dated):
    """Asks for all numbers at once; what can't be read is refused in a line, and stays to be mended.

    title  what is edited, and how large it is
    text   its numbers, or what was pasted
    place  row and column of the number where the reader is
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "set", "set", priority=True, id="whole.set"),
        Binding("escape,ctrl+c", "dismiss(False)", "leave it", priority=True, id="whole.leave"),
        Binding("tab", "choose(1)", "later", show=False, priority=True, id="whole.later"),
        Binding("shift+tab", "choose(-1)", "earlier", show=False, priority=True, id="whole.earlier"),
    ]

    def __init__(
        self, title: str, text: str, places: Sequence[Place], apply: Apply, place: tuple[int, int] | None = None
    ) -> None:
        super().__init__(places, apply)
        self._title = title
        self._text = cleaned(text)
        self._place = place

    def compose(self) -> ComposeResult:
        name, _, how = self._title.partition("   ")
        with Sheet(f"Set {name}", "whole"):
            yield Static(Content(safe(how)), id="whole-of")
            yield NumbersArea(
                self._text, id="whole-text", classes="edit-text", soft_wrap=False,
                highlight_cursor_line=False,
            )  # fmt: skip
            yield Static("", id="edit-error")
            yield Static(id="edit-places")
            yield Static(Content(_HOW), id="whole-how")
            yield foot(_KEYS, "whole-keys")

    def ready(self) -> None:
        """At the reader's number; behind what was pasted."""
        super().ready()
        area = self.query_one(NumbersArea)
        area.move_cursor(area.document.end if self._place is None else _start(self._text, *self._place))

        def see() -> None:  # before it has a size, Textual scrolls as if there were no room
            area.scroll_to(0, area.scroll_y, animate=False, immediate=True)
            area.scroll_cursor_visible(animate=False)

        self.call_after_refresh(see)

    def on_resize(self, event: events.Resize) -> None:
        """The numbers scroll within what everything else and the border leave."""
        for area in self.query(NumbersArea):  # none any more where it is being closed
            area.styles.max_height = max(1, int(event.size.height * _SHARE) - _BESIDE - len(self._places))

    def action_set(self) -> None:
        """Try it."""
        self._try(self.query_one(NumbersArea).text)

    def _refusal(self, text: str, error: ValueError) -> str:
        del text
        return " ".join(str(error).splitlines())


def _start(text: str, row: int, column: int) -> tuple[int, int]:
    """Where a number begins in the text."""
    return row, [found.start() for found in re.finditer(r"\S+", text.splitlines()[row])][column]
