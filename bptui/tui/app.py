"""The app around the main screen: the terminal, signals and exit codes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections import deque
from typing import ClassVar

os.environ.setdefault("TEXTUAL_FPS", "120")  # read when Textual is imported

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver

from bptui.commands import ending
from bptui.commands.session import Session
from bptui.tui.screens.main import MainScreen
from bptui.tui.screens.over import Over
from bptui.tui.widgets.field import Field

# Of so many keys that wait nobody knows any more what they were for: escape drops them.
_FLOOD = 64


class BptuiApp(App[None]):
    """One screen over a session."""

    CSS_PATH = "bptui.tcss"
    TITLE = "bptui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "to the shell; fg comes back", show=False, priority=True, id="suspend"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._typed_ahead: deque[events.Key | events.Paste] = deque()
        # Whether a line has been sent with enter and is not read yet.
        self._reading = False

    async def on_event(self, event: events.Event) -> None:
        """Each key is carried out before the next is looked at: over a slow line many come at once.

        What comes before that which it is meant for waits for it: what follows the enter of a line until that is read,
        since enter takes its way through the line's own queue and back; what follows the key that opens a page or a
        dialog until that is there.
        """
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif self._leaving:
            event.stop()
        elif event.is_forwarded:
            # It comes back from a line, which may have been closed since: then it is for nobody.
            if isinstance(self.focused, Field):
                await super().on_event(event)
        else:
            key = event.key if isinstance(event, events.Key) else ""
            if key == "ctrl+c" or (key == "escape" and len(self._typed_ahead) > _FLOOD):
                self._typed_ahead.clear()
            self._typed_ahead.append(event)
            await self._go_on(at_once=key == "ctrl+c")

    async def _hand_on(self, event: events.Key | events.Paste) -> None:
        line, key = isinstance(self.focused, Field), event.key if isinstance(event, events.Key) else ""
        self._reading = line and key == "enter"
        if not key or line or not (self._interrupted(key) or await self._carried_out(key)):
            await super().on_event(event)

    def _interrupted(self, key: str) -> bool:
        return isinstance(self.screen, MainScreen) and self.screen.interrupted(key)

    async def _carried_out(self, key: str) -> bool:
        """Run the action of a key at once. Textual would send it round by the pane, and the next one overtakes."""
        return await self._check_bindings(key, priority=True) or await self._check_bindings(key)

    async def _go_on(self, *, at_once: bool = False) -> None:
        while self._typed_ahead and not self._leaving and (at_once or not self._waiting):
            await self._hand_on(self._typed_ahead.popleft())

    @property
    def _waiting(self) -> bool:
        """Whether what was asked for last is not there yet."""
        return self._opening or (self._reading and isinstance(self.focused, Field))

    @property
    def _leaving(self) -> bool:
        """Whether the app has been asked to end: its screens are going, and no key is for them."""
        return self._exit or not self._running or not self.screen_stack or not self.screen.is_running

    @property
    def _opening(self) -> bool:
        """Whether what is to be on top is not there yet."""
        return isinstance(self.screen, Over) and not self.screen.is_mounted

    async def on_field_read(self) -> None:
        """A line is read: on with what was typed since, as far as the next enter."""
        self._reading = False
        await self._go_on()

    async def on_over_there(self) -> None:
        """A page is there: on with what was typed since."""
        await self._go_on()

    def get_driver_class(self) -> type[Driver]:
        """The usual driver, made to survive bytes that are no UTF-8."""
        usual = super().get_driver_class()
        if usual.__module__ != "textual.drivers.linux_driver":
            return usual
        from bptui.tui.driver import TolerantDriver

        return TolerantDriver

    async def on_mount(self) -> None:
        """Show the screen, and be ready for signals."""
        await self.push_screen(MainScreen(self.session))
        self._listen_for_signals()
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.call_after_refresh(_settle_memory)

    def _listen_for_signals(self) -> None:
        """Leave in order when asked to end: the terminal is restored, the exit code is 128 + the signal."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in (*ending.SIGNALS, signal.SIGINT):
            if not ending.ignored(number):
                loop.add_signal_handler(number, self._leave, 128 + number)

    def _leave(self, code: int) -> None:
        self.exit(return_code=code)


def _settle_memory() -> None:
    """What was made at the start stays: not looking at it again takes the long tail off key presses."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50000, 20, 100)


def run(session: Session) -> int:
    """Run the app and save its session; the exit code, 1 after a crash."""
    app = BptuiApp(session)
    try:
        app.run()
    finally:
        ending.leave(session, in_order=app.return_code in (0, 130))
    return 1 if app.return_code is None else app.return_code
