"""Where the reader is on the screen: the terminal's own cursor goes there, for braille lines and screen readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Protocol, runtime_checkable

from rich.cells import cell_len
from textual.geometry import Offset
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from bptui.tui.drawing.lines import Line

# What marks the reader's place, else the operation at hand.
_MARKS = ("cursor", "now")


@runtime_checkable
class Placed(Protocol):
    """A widget that knows which of its lines is the reader's."""

    def reader_place(self) -> Offset | None:
        """The column and the line, within the widget."""


@runtime_checkable
class Titled(Protocol):
    """A widget with a title, which is the reader's place where nothing else is."""

    def title_place(self) -> Offset:
        """Where it is on the screen."""


def marked(lines: Sequence[Line] | None) -> Offset | None:
    """Where the first text in the cursor's style begins, or that of the operation at hand; None where neither is."""
    for mark in _MARKS:
        for y, runs in enumerate(lines or ()):
            x = _column(runs, mark)
            if x is not None:
                return Offset(x, y)
    return None


def _column(runs: Line, mark: str) -> int | None:
    x = 0
    for text, style in runs:
        if mark in style and mark in style.split("+") and text.strip():
            return x + len(text) - len(text.lstrip())
        x += cell_len(text)
    return None


def place_on(screen: Screen[object], focused: Widget | None, *, choosing: bool = False) -> Offset | None:
    """Where the reader is on a screen: in the line that is typed, the focused pane, or what a page shows.

    choosing  the last key was an arrow: in a dialog that has a line too, the row that it led to
    """
    typing = _typing(focused) if isinstance(focused, Input) else None
    if typing is not None and not (choosing and screen.is_modal):
        return typing
    alone = focused is not None and typing is None
    widgets = [focused] if alone else [screen, *screen.walk_children(Widget)]
    for placed in _placed(widgets):
        return placed
    titles = (widget.title_place() for widget in screen.walk_children(Widget) if isinstance(widget, Titled))
    texts = (text.region.offset for text in screen.query(Static) if text.display and text.region)
    return typing or next(chain(titles, texts), None)


def _typing(line: Input) -> Offset:
    """Where the next letter goes; behind the last one Textual says one further."""
    return line.cursor_screen_offset - (int(line.cursor_at_end), 0)


def _placed(widgets: Iterable[Widget | None]) -> Iterable[Offset]:
    for widget in widgets:
        if isinstance(widget, Placed) and widget.region:
            at = widget.reader_place()
            if at is not None:
                x, y, width, height = widget.content_region
                yield Offset(x + min(at.x, width - 1), y + min(at.y, height - 1))
