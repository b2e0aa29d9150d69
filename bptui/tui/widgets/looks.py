"""What a widget draws with: the look of the app that it is in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, cast

from textual.strip import Strip
from textual.widget import Widget

from bptui.tui.drawing.lines import Run
from bptui.tui.drawing.look import Look


class _Looking(Protocol):
    """An app that has a look."""

    look: Look


def look_of(widget: Widget) -> Look:
    """How everything looks in the app that a widget is in."""
    return cast(_Looking, widget.app).look


def strip(widget: Widget, runs: Iterable[Run]) -> Strip:
    """A line as wide as a widget."""
    return look_of(widget).strip(runs, widget.size.width, widget.rich_style)
