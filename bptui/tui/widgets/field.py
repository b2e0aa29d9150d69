"""A line to type in."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from bptui.files.text import safe

MOST_LETTERS = 10_000


class Field(Input):
    r"""Textual's input, made to show what is pasted rather than hand it to the terminal, and to end with enter.

    What a terminal would obey is pasted as Python writes it, `\x1b`; a paste too long is cut. Over a slow line many
    keys come at once: those after enter are not for this line, and are kept until whoever reads it says `release`.
    """

    def __init__(self, value: str = "", placeholder: str = "", *, id: str, select_on_focus: bool) -> None:  # noqa: A002
        super().__init__(value, placeholder, id=id, select_on_focus=select_on_focus)
        self._sent = False
        self._kept: list[events.Key | events.Paste] = []

    def replace(self, text: str, start: int, end: int) -> None:
        """All that is typed or pasted comes through here."""
        room = MOST_LETTERS - len(self.value) + abs(end - start)
        super().replace(safe(text[:MOST_LETTERS])[: max(0, room)], start, end)

    async def on_key(self, event: events.Key) -> None:
        """Enter counts at once: as a binding it would go round by the app, and letters would overtake it."""
        if not self._sent and event.key != "enter":
            return
        event.stop()
        event.prevent_default()
        if self._sent:
            self._kept.append(event)
        else:
            self._sent = True
            await self.action_submit()

    def on_paste(self, event: events.Paste) -> None:
        """A paste after enter keeps its place among the keys."""
        if self._sent:
            event.stop()
            event.prevent_default()
            self._kept.append(event)

    def release(self) -> None:
        """The line is read: it may be typed in again, and the app gets what came after enter."""
        self._sent = False
        kept, self._kept = self._kept, []
        for event in kept:
            again = (
                events.Paste(event.text) if isinstance(event, events.Paste) else events.Key(event.key, event.character)
            )
            self.app.post_message(again)
