"""A widget that shows the lines of a drawing function, made for its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Size

from bptui.tui.drawing.lines import Line
from bptui.tui.widgets.painted import Painted


class Drawn(Painted):
    """The lines of a function; `redraw` where what it draws from has changed."""

    def __init__(self, draw: Callable[[int, int], Sequence[Line]], widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._function = draw

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        return self._function(columns, rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its lines, where the style sheet asks for that."""
        del container
        return len(self._function(width, viewport.height))
