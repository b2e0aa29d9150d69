"""A widget that is lines of text, of which only those that have changed are painted again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Offset, Region, Size
from textual.strip import Strip
from textual.widget import Widget

from bptui.tui.drawing.lines import Line, width
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
        size = self.size if self._in_sight else Size()
        if not size or self._painted_for != self.outer_size:
            self.repaint()
            return
        before = self._lines
        self._lines = self.drawn(size.width, size.height)
        # In ASCII a sign may take more than its column: what comes after it is elsewhere.
        changed = list(_changed(before, self._lines, size, whole=look_of(self).ascii))
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


def _changed(before: Sequence[Line], after: Sequence[Line], size: Size, *, whole: bool) -> Iterator[Region]:
    """The rows that are not as they were, as far as the last column that is not."""
    for y in range(size.height):
        was, now = before[y] if y < len(before) else (), after[y] if y < len(after) else ()
        if was != now:
            yield Region(0, y, size.width if whole else min(size.width, _end(was, now)), 1)


def _end(was: Line, now: Line) -> int:
    """Where two lines that end alike begin to do so, if they are of one width; it is never too early."""
    wide = width(now)
    if width(was) != wide:
        return max(wide, width(was))
    alike = 0
    for one, other in zip(reversed(was), reversed(now), strict=False):
        if one != other:
            break
        alike += cell_len(other[0])
    return wide - alike
