"""A widget that is lines of text, of which only those that have changed are painted again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.style import Style
from textual.geometry import Offset, Region, Size
from textual.strip import Strip
from textual.widget import Widget

from bptui.tui.drawing.lines import Line
from bptui.tui.widgets.looks import look_of
from bptui.tui.widgets.place import marked

_NEVER = Size(-1, -1)


class Painted(Widget):
    """Lines by the Line API; `redraw` where what they are drawn from has changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._painted_for = _NEVER
        self._base = Style()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        """The lines for a size."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw again; what comes out as it was stays."""
        # What is displayed again has no place, and so no size, until all is laid out anew.
        if not (self._in_sight and self.size) or self._painted_for != self.outer_size:
            self._painted_for = _NEVER
            self.refresh()
            return
        before = self._lines
        self._draw()
        changed = list(_changed(before, self._lines, self.size))
        if changed:
            self.refresh(*changed)

    def repaint(self) -> None:
        """Draw and paint all of it, as where colours are others."""
        self._painted_for = _NEVER
        self.refresh()

    def reader_place(self) -> Offset | None:
        """Where the reader's own place is drawn."""
        return marked(self._lines)

    def on_resize(self) -> None:
        """All is laid out by the size."""
        self.redraw()

    def render_line(self, y: int) -> Strip:
        """One line; it may be painted before it hears of its new size."""
        if self._painted_for != self.outer_size:
            self._draw()
        line = self._lines[y] if y < len(self._lines) else ()
        return look_of(self).strip(line, self._columns, self._base)

    def _draw(self) -> None:
        size = self.size
        self._columns, self._base, self._painted_for = size.width, self.rich_style, self.outer_size
        self._lines = self.drawn(size.width, size.height)

    @property
    def _in_sight(self) -> bool:
        """Whether it stands anywhere."""
        return bool(self.region)


def _changed(before: Sequence[Line], after: Sequence[Line], size: Size) -> Iterator[Region]:
    """The rows that are not as they were."""
    for y in range(size.height):
        if (before[y] if y < len(before) else ()) != (after[y] if y < len(after) else ()):
            yield Region(0, y, size.width, 1)
