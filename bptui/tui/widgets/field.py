"""A line to type in."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from textual import events
from textual.message import Message
from textual.widgets import Input

from bptui.files.text import safe

MOST_LETTERS = 10_000


@runtime_checkable
class Typed(Protocol):
    """A widget to type in: the app gives it every key and every paste at once."""

    def typed(self, event: events.Key) -> bool:
        """A key: whether it was for it."""

    def paste(self, text: str) -> None:
        """A paste."""


@runtime_checkable
class Pasted(Protocol):
    """A screen that may want a paste for itself."""

    def pasted(self, text: str) -> bool:
        """Whether it has taken it."""


class Field(Input):
    r"""Textual's input, made to show what is pasted rather than hand it to the terminal.

    What a terminal would obey is pasted as Python writes it, `\x1b`; a paste too long is cut.
    """

    class Read(Message):
        """To the app: what was sent with enter is read, and what was typed since may go where it belongs."""

    _typed = ""

    def begin(self, text: str) -> None:
        """Another text, whatever was being typed."""
        self._typed, self.value = "", safe(text)

    def typed(self, event: events.Key) -> bool:
        """A key: whether it is a letter, or the enter that sends the line.

        Letters that come at once are put in at once: each alone would have the whole line measured.
        """
        self._restart_blink()
        if event.is_printable and event.character:
            if not self._typed:
                self.call_later(self.put)
            self._typed += event.character
            return True
        self.put()
        if event.key == "enter":
            self.post_message(self.Submitted(self, self.value))
        return event.key == "enter"

    def paste(self, text: str) -> None:
        """The first line of it, behind what was typed before."""
        self.put()
        self._typed = text.splitlines()[0] if text else ""
        self.put()

    def put(self) -> None:
        """What was typed is in the line now."""
        text, self._typed = self._typed, ""
        if text:
            self.replace(text, *sorted(self.selection))

    def replace(self, text: str, start: int, end: int) -> None:
        """All that is typed or pasted comes through here."""
        room = MOST_LETTERS - len(self.value) + abs(end - start)
        piece = safe(text[:MOST_LETTERS])[: max(0, room)]
        if piece or start != end:  # all that is typed into a full line would measure it anew
            super().replace(piece, start, end)
