"""What a widget draws with: the look and the keys of the app that it is in."""

from __future__ import annotations

from typing import Protocol, cast

from textual.widget import Widget

from bptui.commands.registry import Command
from bptui.tui.brush import Brush
from bptui.tui.drawing.look import Look


class _Dressed(Protocol):
    """An app as a person wants it."""

    look: Look
    commands: tuple[Command, ...]
    brush: Brush


def look_of(widget: Widget) -> Look:
    """How everything looks in the app that a widget is in."""
    return cast(_Dressed, widget.app).look


def commands_of(widget: Widget) -> tuple[Command, ...]:
    """The commands with the keys that they have in the app that a widget is in."""
    return cast(_Dressed, widget.app).commands


def brush_of(widget: Widget) -> Brush:
    """What paints straight to the terminal in the app that a widget is in."""
    return cast(_Dressed, widget.app).brush
