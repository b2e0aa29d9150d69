"""Many lines to type in: the numbers of a matrix as text."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.widgets import TextArea

from bptui.files.text import safe

# More than the numbers that are edited at once can take; what is longer is cut, and then is of another shape.
MOST_LETTERS, MOST_LINES = 250_000, 5000


class NumbersArea(TextArea):
    """Textual's, which is given its keys by the app and shows what a terminal would obey; tabs part cells."""

    def on_mount(self) -> None:
        """Nothing blinks."""
        self.cursor_blink = False

    def typed(self, event: events.Key) -> bool:
        """A key: whether it is a letter or a new line."""
        text = "\n" if event.key == "enter" else event.character if event.is_printable else None
        if text:
            self._put(text)
        return bool(text)

    def paste(self, text: str) -> None:
        """All of it, as far as there is room."""
        self._put(text)

    def reader_place(self) -> Offset:
        """Where the next letter goes."""
        return self.cursor_screen_offset - self.content_region.offset

    def _put(self, text: str) -> None:
        room = MOST_LETTERS - len(self.text) + len(self.selected_text)
        if self.document.line_count < MOST_LINES or "\n" not in text:
            self.replace(cleaned(text[: max(0, room)]), *self.selection, maintain_selection_offset=False)


def cleaned(text: str) -> str:
    """Lines and tabs, and everything else that a terminal would obey as Python writes it."""
    lines = text[:MOST_LETTERS].splitlines()[:MOST_LINES]
    return "\n".join("\t".join(map(safe, line.split("\t"))) for line in lines) + "\n" * (text == "\n")
