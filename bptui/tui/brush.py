"""Writes what has changed straight to the terminal, where nothing can lie over it.

The toolkit's compositor asks every widget in sight for all of its rows to find out what a few changed ones look like,
and sends each of them whole. Rows that no other widget overlaps need neither: a frame is then made of the changed cells
alone. Everything else, and every terminal but that of our own driver, goes through the compositor as usual.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from rich.console import COLOR_SYSTEMS
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.geometry import Offset

from bptui.tui.drawing.difference import Difference
from bptui.tui.drawing.lines import Line, Run
from bptui.tui.drawing.look import Look
from bptui.tui.thrift import PLAIN, change

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_SIGN = "x"
Row = tuple[int, Line, Line]


class Terminal(Protocol):
    """Where frames go."""

    def put(self, frame: str) -> None:
        """Write as it is."""


class Brush:
    """Frames of changed cells; each is written when all that is done for a key has been done."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._terminal: Terminal | None = None
        self._synchronized = False
        self._look = Look()
        self._difference = Difference(self._look)
        self._parts: list[str] = []
        self._shown = PLAIN
        self._codes: dict[tuple[Style, str], str] = {}

    def onto(self, terminal: Terminal) -> None:
        """The terminal is there."""
        self._terminal = terminal

    def leave(self) -> None:
        """The terminal is somebody else's from now on: what was painted is written, and nothing more."""
        self.flush()
        self._terminal = None

    def synchronized(self) -> None:
        """The terminal shows a frame at once when it is told where one begins and ends."""
        self._synchronized = True

    @property
    def ready(self) -> bool:
        """Whether there is anything to write to."""
        return self._terminal is not None

    def paint(self, look: Look, base: Style, origin: Offset, columns: int, rows: Iterable[Row]) -> None:
        """Rows (y, as it was, as it is) of a widget whose first cell is at `origin`, with `base` under its letters."""
        if look is not self._look:
            self._look, self._difference = look, Difference(look)
            self._codes.clear()
        if not self._parts:
            asyncio.get_running_loop().call_soon(self.flush)
            self._parts.append("")
        parts = self._difference.parts
        for y, was, now in rows:
            for x, runs in parts(was, now, columns):
                self._parts.append(f"\x1b[{origin.y + y + 1};{origin.x + x + 1}H")
                self._write(base, runs)

    def _write(self, base: Style, runs: Sequence[Run]) -> None:
        parts, shown = self._parts, self._shown
        for text, name in runs:
            wanted = self._codes.get((base, name))
            if wanted is None:
                wanted = self._codes[base, name] = self._code(base, name)
            if wanted != shown:
                parts.append(change(shown, wanted))
                shown = wanted
            parts.append(text)
        self._shown = shown

    def _code(self, base: Style, name: str) -> str:
        """What sets a style, as the app's filters leave it, in the colours that the terminal has."""
        segments = [Segment(_SIGN, self._look.on(base, name))]
        ground = Color.from_rich_color(base.bgcolor)
        for line_filter in self._app.get_line_filters():
            segments = line_filter.apply(segments, ground)
        style = segments[0].style or Style()
        written = style.render(_SIGN, color_system=COLOR_SYSTEMS.get(self._app.console.color_system or ""))
        return written.partition(_SIGN)[0].removeprefix("\x1b[").removesuffix("m") or PLAIN

    def flush(self) -> None:
        """All that was painted since the last frame: now, before anything that is drawn later may lie under it."""
        parts, shown = self._parts, self._shown
        self._parts, self._shown = [], PLAIN
        if self._terminal is not None and len(parts) > 1:
            there = self._app.screen.outer_size.clamp_offset(self._app.cursor_position)
            frame = "".join((*parts, change(shown, PLAIN), f"\x1b[{there.y + 1};{there.x + 1}H"))
            self._terminal.put(f"{_BEGIN}{frame}{_END}" if self._synchronized else frame)
