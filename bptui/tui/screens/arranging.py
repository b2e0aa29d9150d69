"""Where panes stand: three arrangements by size, pages of the small one, one pane alone, and where the focus is."""

from __future__ import annotations

from textual import events
from textual.screen import Screen

from bptui.tui.widgets.pane import Pane
from bptui.tui.widgets.panes import StopsPane

SMALLEST = (40, 14)
_COMPACT = (100, 30)
_WIDE = 160
_TALL = 38
# Panes that are pages of their own in the small layout.
_PAGES = ("values", "loss", "stops")
_LEFT = ("program", "values", "stops")


class Arranged(Screen[None]):
    """A screen of numbered panes, arranged by classes that the style sheet knows."""

    def __init__(self) -> None:
        super().__init__()
        self._reading = 1

    def fit(self, columns: int, rows: int) -> None:
        """The arrangement for a size in cells."""
        self.set_class(columns < SMALLEST[0] or rows < SMALLEST[1], "tiny")
        self.set_class(columns < _COMPACT[0] or rows < _COMPACT[1], "compact")
        self.set_class(columns >= _WIDE and rows >= _COMPACT[1], "wide")
        self.set_class(rows >= _TALL, "tall")

    def make_room(self, breakpoints: int, watches: int) -> None:
        """The pane of stops is there while it has rows."""
        self.set_class(breakpoints + watches > 0, "has-stops")
        self.set_class(watches > 0, "has-watches")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember the pane, for when a window too small to show any has grown again."""
        if isinstance(event.widget, Pane):
            self._reading = event.widget.number
            if self.focused is event.widget:
                self.remove_class("typing")  # the mouse leaves the command line without a word
                self.line_left()
            self.set_class(isinstance(event.widget, StopsPane), "on-stops")

    def line_left(self) -> None:
        """Nothing is typed any more."""

    def note_reading(self) -> None:
        """The same at once, before the focus goes to the command line."""
        if isinstance(self.focused, Pane):
            self._reading = self.focused.number

    def focus_again(self) -> None:
        """What was hidden has lost the focus; without one the arrows would be dead."""
        if self.focused is None and not self.has_class("tiny"):
            self.focus_pane(self._reading)

    def focus_back(self) -> None:
        """From the command line to the pane where the reader was."""
        self.set_focus(next(pane for pane in self.query(Pane) if pane.number == self._reading))

    def focus_pane(self, number: int) -> None:
        """Focus a pane, opening its page where it has one."""
        pane = next(pane for pane in self.query(Pane) if pane.number == number)
        self._open_page(pane)
        self.set_focus(pane)  # at once, if it is there already: the next key is for it
        if self.focused is not pane:
            pane.focus()

    def focus_next_pane(self) -> None:
        """Focus the pane with the next number; that of stops only where it has something to show."""
        numbers = sorted(pane.number for pane in self.query(Pane) if pane.id != "stops" or self.has_class("has-stops"))
        here = self.focused.number if isinstance(self.focused, Pane) else 0
        self.focus_pane(next((number for number in numbers if number > here), numbers[0]))

    def _open_page(self, pane: Pane) -> None:
        """In the small layout some panes are pages of their own."""
        if self.has_class("zoom"):
            self.zoom_on(pane)
        for name in _PAGES:
            self.set_class(pane.id == name, f"page-{name}")
        # At once: a pane that is not there can't be focused.
        self.set_class(pane.id == "stops", "on-stops")

    def close_pages(self) -> None:
        """Back to the first arrangement of the small layout."""
        self.remove_class(*(f"page-{name}" for name in _PAGES), "on-stops")

    def zoom_on(self, pane: Pane) -> None:
        """One pane alone."""
        self.remove_class("zoom-left", "zoom-right")
        self.add_class("zoom", "zoom-left" if pane.id in _LEFT else "zoom-right")
        for other in self.query(Pane):
            other.set_class(other is pane, "zoomed")

    def unzoom(self) -> None:
        """All panes again."""
        self.remove_class("zoom", "zoom-left", "zoom-right")
