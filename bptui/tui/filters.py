"""What is done to every line of the screen, whoever drew it."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from bptui.explain.signs import Signs


class Ascii(LineFilter):
    """Every sign becomes one letter, borders and scroll bars too."""

    def __init__(self) -> None:
        super().__init__()
        self._signs = Signs()

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Letter for letter."""
        del background
        return [Segment(self._signs.text(text), style, control) for text, style, control in segments]
