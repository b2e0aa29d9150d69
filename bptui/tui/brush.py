"""Writes what has changed straight to the terminal, where nothing can lie over it.

The toolkit's compositor asks every widget in sight for all of its rows to find out what a few changed ones look like,
and sends each of them whole. Rows that no other widget overlaps need neither: a frame is then made of the changed cells
alone. Everything else, and every terminal but that of our own driver, goes through the compositor as usual.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from rich.console import COLOR_SYSTEMS
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.geometry import Offset

from bptui.tui.drawing.difference import Difference
from bptui.tui.drawing.lines import Line
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
        # What is written down of a frame, and the style that the terminal is in behind it.
        self._parts: list[str] = []
        self._shown = PLAIN
        # What is painted since: style → places and texts; and the rows that it is in.
        self._inks: dict[str, list[tuple[int, int, str]]] = {}
        self._rows: set[tuple[int, int]] = set()
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
        self._wear(look)
        if not self._rows:
            asyncio.get_running_loop().call_soon(self.flush)
        parts, codes, inks = self._difference.parts, self._codes, self._inks
        for y, was, now in rows:
            row = origin.y + y
            if (row, origin.x) in self._rows:
                self._settle()  # what is painted last is what is seen
            self._rows.add((row, origin.x))
            for x, text, name in parts(was, now, columns):
                code = codes.get((base, name)) or self._code(base, name)
                inks.setdefault(code, []).append((row, origin.x + x, text))

    def compare(self, look: Look, columns: int, rows: Iterable[Row]) -> None:
        """Find out, but do not paint, what of some rows has changed, and what does on the way back."""
        self._wear(look)
        for _, was, now in rows:
            self._difference.parts(was, now, columns)
            self._difference.parts(now, was, columns)

    def _wear(self, look: Look) -> None:
        if look is not self._look:
            self._look, self._difference = look, Difference(look)
            self._codes.clear()

    def _settle(self) -> None:
        """Write down what is painted, a style at a time: to go somewhere takes fewer bytes than to change a colour."""
        parts, shown, here = self._parts, self._shown, -1
        for code, places in self._inks.items():
            parts.append(change(shown, code))
            shown = code
            for y, x, text in places:
                parts.append(f"\x1b[{x + 1}G{text}" if y == here else f"\x1b[{y + 1};{x + 1}H{text}")
                here = y
        self._shown = shown
        self._inks.clear()
        self._rows.clear()

    def _code(self, base: Style, name: str) -> str:
        """What sets a style, as the app's filters leave it, in the colours that the terminal has."""
        segments = [Segment(_SIGN, self._look.on(base, name))]
        ground = Color.from_rich_color(base.bgcolor)
        for line_filter in self._app.get_line_filters():
            segments = line_filter.apply(segments, ground)
        style = segments[0].style or Style()
        written = style.render(_SIGN, color_system=COLOR_SYSTEMS.get(self._app.console.color_system or ""))
        code = written.partition(_SIGN)[0].removeprefix("\x1b[").removesuffix("m") or PLAIN
        self._codes[base, name] = code
        return code

    def flush(self) -> None:
        """All that was painted since the last frame: now, before anything that is drawn later may lie under it."""
        self._settle()
        parts, shown = self._parts, self._shown
        self._parts, self._shown = [], PLAIN
        if self._terminal is not None and parts:
            there = self._app.screen.outer_size.clamp_offset(self._app.cursor_position)
            frame = "".join((*parts, change(shown, PLAIN), f"\x1b[{there.y + 1};{there.x + 1}H"))
            self._terminal.put(f"{_BEGIN}{frame}{_END}" if self._synchronized else frame)
