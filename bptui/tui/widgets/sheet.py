"""What a page or a dialog stands on: an edge all around, with its title in it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Offset

from bptui.files.text import safe
from bptui.tui.drawing.keys import Hint, hints
from bptui.tui.widgets.drawn import Drawn


class Sheet(Vertical):
    """A page's widgets, one below the other.

    title  what the page is, or what is asked for
    how    how that is now, quietly beside it
    """

    def __init__(self, title: str, widget_id: str, how: str = "") -> None:
        super().__init__(id=widget_id)
        self.border_title = Content.assemble((safe(title), "bold"), ("   " * bool(how) + safe(how), "$quiet"))

    def title_place(self) -> Offset:
        """Where the title is on the screen, with the blank before it."""
        x, y = self.region.offset
        return Offset(x + 2, y)


def foot(keys: Sequence[Hint], widget_id: str) -> Drawn:
    """The keys of a page, on its last line."""
    return Drawn(lambda columns, _: [hints(keys, columns)], widget_id)
