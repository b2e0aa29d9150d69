"""A line to type in."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Input

from bptui.files.text import safe

MOST_LETTERS = 10_000


class Field(Input):
    r"""Textual's input, made to show what is pasted rather than hand it to the terminal.

    What a terminal would obey is pasted as Python writes it, `\x1b`; a paste too long is cut.
    """

    class Read(Message):
        """To the app: what was sent with enter is read, and what was typed since may go where it belongs."""

    _typed = ""

    async def on_key(self, event: events.Key) -> None:
        """Letters that come at once are put in at once: each alone would have the whole line measured.

        Enter counts at once: as a binding it would go round by the app, which another key may close this line in.
        """
        if event.is_printable and event.character:
            if not self._typed:
                self.call_later(self._type)  # behind what has come already
            self._typed += event.character
        else:
            self._type()
        if event.is_printable or event.key == "enter":
            event.stop()
            event.prevent_default()
        if event.key == "enter":
            await self.action_submit()

    def on_paste(self) -> None:
        """What was typed before comes before it."""
        self._type()

    def _type(self) -> None:
        text, self._typed = self._typed, ""
        if text:
            self.replace(text, *sorted(self.selection))

    def replace(self, text: str, start: int, end: int) -> None:
        """All that is typed or pasted comes through here."""
        room = MOST_LETTERS - len(self.value) + abs(end - start)
        piece = safe(text[:MOST_LETTERS])[: max(0, room)]
        if piece or start != end:  # all that is typed into a full line would measure it anew
            super().replace(piece, start, end)
