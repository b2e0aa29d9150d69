"""A widget that shows the lines of a drawing function, made for its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Offset, Size
from textual.strip import Strip
from textual.widget import Widget

from bptui.tui.drawing.lines import Line
from bptui.tui.widgets.looks import strip
from bptui.tui.widgets.place import marked


class Drawn(Widget):
    """Lines by the Line API; `redraw` where what they are drawn from has changed."""

    def __init__(self, draw: Callable[[int, int], Sequence[Line]], widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._draw = draw
        self._lines: Sequence[Line] | None = None
        self._drawn_for = Size()

    def redraw(self) -> None:
        """Draw again at the next chance."""
        self._lines = None
        self.refresh()

    def on_resize(self) -> None:
        """All is laid out by the size."""
        self.redraw()

    def reader_place(self) -> Offset | None:
        """The row that is chosen."""
        return marked(self._lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its lines, where the style sheet asks for that."""
        del container
        return len(self._draw(width, viewport.height))

    def render_line(self, y: int) -> Strip:
        """One line."""
        if self._lines is None or self._drawn_for != self.size:  # it may be painted before it hears of its new size
            self._lines, self._drawn_for = self._draw(self.size.width, self.size.height), self.size
        return strip(self, self._lines[y] if y < len(self._lines) else ())
