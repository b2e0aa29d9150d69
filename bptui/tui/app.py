"""The app around the main screen: the terminal, signals and exit codes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from typing import ClassVar

os.environ.setdefault("TEXTUAL_FPS", "120")  # read when Textual is imported

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver

from bptui.commands import ending
from bptui.commands.session import Session
from bptui.tui.screens.main import MainScreen
from bptui.tui.widgets.field import Field


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
        self._typed_ahead: list[events.Event] | None = None

    async def on_event(self, event: events.Event) -> None:
        """What comes after the enter of a line waits until that is read: over a slow line many keys come at once.

        Enter takes its way through the line's own queue and back; without this, later keys would overtake it.
        """
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if isinstance(event, events.Key) and event.key == "ctrl+c":
                self._typed_ahead = None
            elif self._typed_ahead is not None:
                self._typed_ahead.append(event)
                return
            elif isinstance(event, events.Key) and event.key == "enter" and isinstance(self.focused, Field):
                self._typed_ahead = []
        await super().on_event(event)

    async def on_field_read(self) -> None:
        """A line is read: on with what was typed since, as far as the next enter."""
        waiting, self._typed_ahead = self._typed_ahead or [], None
        for event in waiting:
            await self.on_event(event)

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
