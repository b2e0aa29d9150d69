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

    async def on_key(self, event: events.Key) -> None:
        """Enter counts at once: as a binding it would go round by the app, which another key may close this line in."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            await self.action_submit()

    def replace(self, text: str, start: int, end: int) -> None:
        """All that is typed or pasted comes through here."""
        room = MOST_LETTERS - len(self.value) + abs(end - start)
        piece = safe(text[:MOST_LETTERS])[: max(0, room)]
        if piece or start != end:  # all that is typed into a full line would measure it anew
            super().replace(piece, start, end)
