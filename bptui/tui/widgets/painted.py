"""A widget that is lines of text, of which only those that have changed are painted again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.style import Style
from textual.geometry import Offset, Region, Size
from textual.strip import Strip
from textual.widget import Widget

from bptui.tui.brush import Row
from bptui.tui.drawing.lines import Line
from bptui.tui.widgets.desk import Desk
from bptui.tui.widgets.looks import brush_of, look_of
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

    @property
    def _desk(self) -> Desk | None:
        return self.parent if isinstance(self.parent, Desk) else None

    @property
    def place(self) -> Region:
        """Where it stands on the screen, an empty region where it is not in sight."""
        desk = self._desk
        return desk.place(self) if desk else self.region

    def redraw(self) -> None:
        """Draw again; what comes out as it was stays."""
        desk = self._desk
        place = desk.place(self) if desk else self.region
        if not place:
            self._painted_for = _NEVER  # what comes in sight again is painted anyhow
        elif self._painted_for != place.size or (desk and not desk.settled):
            self.repaint()
        else:
            columns, rows = self.size
            before, self._lines = self._lines, self.drawn(columns, rows)
            changed = list(_changed(before, self._lines, rows))
            if changed:
                self._paint(changed, place, at_once=desk is not None and desk.bare)

    def _paint(self, changed: Sequence[Row], place: Region, *, at_once: bool) -> None:
        """The rows that are not as they were: at once where nothing can lie over them."""
        brush = brush_of(self)
        if at_once and brush.ready:
            brush.paint(look_of(self), self._base, place.offset, place.width, changed)
        else:
            self.refresh(*(Region(0, y, place.width, 1) for y, _, _ in changed))

    def compare(self, first: int, lines: Sequence[Line]) -> None:
        """Find out, but do not paint, where lines that may be shown from a row on are not as those that are."""
        brush = brush_of(self)
        if brush.ready and self._painted_for == self.place.size:
            shown = self._lines[first : first + len(lines)]
            brush.compare(look_of(self), self.place.width, _changed(shown, lines, len(lines)))

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

    def render_lines(self, crop: Region) -> list[Strip]:
        """As every widget's, without the toolkit's cache of rows: there are no borders whose making that would save."""
        strips = [self.render_line(y) for y in crop.line_range]
        ground = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, ground) for strip in strips]
        return [strip.crop(*crop.column_span) for strip in strips]

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


def _changed(before: Sequence[Line], after: Sequence[Line], rows: int) -> Iterator[Row]:
    """The rows that are not as they were."""
    for y, (was, now) in enumerate(zip_longest(before[:rows], after[:rows], fillvalue=())):
        if was != now:
            yield y, was, now
