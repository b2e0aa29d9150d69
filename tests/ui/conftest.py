"""What the tests of the app share: opening it at a size, pressing keys, and reading what the screen shows."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from unittest import mock

import numpy as np
import pytest
from keyboard import keys_of, sent_with
from rich.style import Style
from textual import events
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen

from bptui.commands.session import Session
from bptui.engine.network import Network
from bptui.files import specs
from bptui.tui.app import NO_KEYS, BptuiApp, Keys
from bptui.tui.drawing.look import Look

# How often the loop turns for a key: it goes up from the pane to the app, a turn or two for each container.
TURNS = 60
# So many turns in which no queue holds anything: nobody is about to begin either.
QUIET = 20
Cells = list[list[tuple[str, str]]]


class Reader:
    """A person at the app: presses keys, and sees nothing but the screen."""

    def __init__(self, app: BptuiApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def session(self) -> Session:
        return self.app.session

    @property
    def runs(self) -> bool:
        """Whether something goes on that a key would break off."""
        return bool(self.app.screen_stack) and getattr(self.app.screen_stack[-1], "_underway", None) is not None

    @property
    def position(self) -> str:
        return str(self.session.debugger.position)

    async def press(self, *keys: str) -> None:
        """Keys as Textual names them; `type` is for text.

        `pilot.press` waits 65 ms a key; here each key gets time to be handled, and the screen is waited for once.
        """
        for key in keys:
            await self.tap(key)
        await self.settled()

    async def settled(self, seconds: float = 1, screen: Screen[object] | None = None) -> None:
        """Wait until nobody has anything to do: no longer than it takes, where `pilot.pause` sleeps 20 ms and more."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pumps = [self.app, *(screen or self.app.screen).walk_children(with_self=True)]
            quiet = 0
            while quiet < QUIET and not any(busy(pump) for pump in pumps):
                await asyncio.sleep(0)
                quiet += 1
            if quiet == QUIET:
                break
            await asyncio.sleep(0)
        seen = screen or self.app.screen
        seen._on_timer_update()
        if seen is self.app.screen and seen._compositor._dirty_regions:
            _PAINT(seen)

    async def burst(self, *keys: str) -> None:
        """Keys that come all at once, as over a slow line."""
        for key in keys:
            self._send(key)
        await self.settled()
        while (self.app._typed_ahead or not self.app._message_queue.empty()) and not (self.app._leaving or self.runs):
            await self.settled()

    def _send(self, key: str) -> None:
        driver = self.app._driver
        assert driver is not None
        event = events.Key(key, sent_with(key))
        event.set_sender(self.app)
        driver.send_message(event)

    async def tap(self, key: str) -> None:
        """A key, without waiting for the app to have nothing to do: it may be running."""
        self._send(key)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def type(self, text: str) -> None:
        """Text, character by character."""
        await self.press(*keys_of(text))

    async def command(self, text: str) -> None:
        """A line after `:`, and what it makes run, to its end."""
        await self.press("colon")
        await self.type(text)
        await self.press("enter")
        await self.arrived()

    async def arrived(self, seconds: float = 100) -> None:
        """Wait until nothing runs."""
        deadline = time.monotonic() + seconds
        while self.runs:
            assert time.monotonic() < deadline, "it runs and runs"
            await asyncio.sleep(0.005)
        await self.settled()

    async def until(self, shown: str, seconds: float = 10) -> None:
        """Wait for a word on the screen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if shown in self.text():
                return
            await asyncio.sleep(0.05)  # looking is not free either
        raise AssertionError(f"{shown!r} did not come on the screen:\n{self.text()}")

    # What is to be seen

    def lines(self) -> list[str]:
        """The text of every line of the screen, to its full width."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())

    def inside(self, selector: str) -> str:
        """The text within a widget, its lines joined, its border and its scroll bar left out."""
        region = self.app.screen.query_one(selector).region
        lines = [line[region.x : region.right] for line in self.lines()[region.y : region.bottom]]
        return " ".join(re.sub("[│┃▐]", " ", " ".join(lines)).split())

    def cells(self) -> Cells:
        """Every cell of the screen with its character and its style."""
        result = []
        for strip in self.app.screen._compositor.render_strips():
            result.append([(character, look(segment.style)) for segment in strip for character in segment.text])
        return result

    def cells_but_for(self, selector: str) -> Cells:
        """The same without those of a widget, in whose place there is nothing."""
        region = self.app.screen.query_one(selector).region
        cells = self.cells()
        for row in cells[region.y : region.bottom]:
            row[region.x : region.right] = [("", "")] * region.width
        return cells

    def styled(self, *, color: str) -> list[str]:
        """The texts on the screen in one foreground colour, stripped, in reading order."""
        found = []
        for row in self.cells():
            run = ""
            for character, style in [*row, ("", "")]:
                if f"fg:{color} " in style:
                    run += character
                elif run:
                    found.append(run.strip())
                    run = ""
        return [text for text in found if text]

    def line_with(self, part: str) -> str:
        """The first line that holds a text."""
        return next((line for line in self.lines() if part in line), "")

    def bits(self) -> dict[str, bytes]:
        """Everything the debugger's state consists of."""
        state = self.session.debugger.look(self.session.debugger.position)
        there = {name: np.asarray(count).tobytes() for name, count in state.computed.items()}
        return {name: array.tobytes() for name, array in state.arrays.items() if state.computed[name]} | {
            f"{name} computed": count for name, count in there.items()
        }


def busy(pump: MessagePump) -> bool:
    """Whether there are messages or calls that a widget has not come to yet."""
    return not pump._message_queue.empty() or bool(pump._next_callbacks)


@cache
def look(style: Style | None) -> str:
    """A style as text; the links and meta of a segment are no part of what is seen."""
    if style is None:
        return "none"
    flags = [name for name in ("bold", "dim", "italic", "underline", "strike", "reverse") if getattr(style, name)]
    color = style.color.get_truecolor().hex if style.color else "-"
    ground = style.bgcolor.get_truecolor().hex if style.bgcolor else "-"
    return f"fg:{color} bg:{ground} {' '.join(flags)}"


_PAINT = Screen._compositor_refresh


def _put_off(screen: Screen[object]) -> None:
    """What a screen does in place of painting: a reader sees it once there is nothing more to do, and it is painted then.

    Textual paints 60 times a second: how often in a test depends on how busy the machine is.
    """
    if screen is screen.app.screen:
        screen._dirty_widgets.clear()
        screen.app._update_mouse_over(screen)
    else:
        _PAINT(screen)


@asynccontextmanager
async def opened(
    network: Network | str,
    size: tuple[int, int] = (120, 40),
    look: Look | None = None,
    keys: Keys = NO_KEYS,
) -> AsyncIterator[Reader]:
    """The app on a network, ready for keys."""
    app = BptuiApp(Session(specs.load(network) if isinstance(network, str) else network), look or Look(), keys)
    with mock.patch.object(Screen, "_compositor_refresh", _put_off):
        async with app.run_test(size=size) as pilot:
            reader = Reader(app, pilot)
            await reader.settled()
            yield reader


@pytest.fixture
def app() -> Iterator[object]:
    """`async with app("article", (80, 24)) as reader`."""
    return opened
