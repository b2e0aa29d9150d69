"""The app around the main screen: the terminal, signals and exit codes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

os.environ.setdefault("TEXTUAL_FPS", "120")  # read when Textual is imported

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.geometry import Offset
from textual.timer import Timer, TimerCallback

from bptui.commands import ending, registry
from bptui.commands.session import Session
from bptui.tui.brush import Brush
from bptui.tui.drawing.look import Look
from bptui.tui.filters import Ascii
from bptui.tui.screens.main import MainScreen
from bptui.tui.screens.over import Over
from bptui.tui.theming import theme_of, themes
from bptui.tui.widgets.field import Field, Pasted, Typed
from bptui.tui.widgets.painted import Painted
from bptui.tui.widgets.place import place_on

USUAL = Look()
# A command's name → the keys that a person wants it to have.
Keys = Mapping[str, tuple[str, ...]]
NO_KEYS: Keys = {}
# Nobody presses it: the toolkit takes an empty text for nothing said.
_NO_KEY = "<none>"
# Of so many keys that wait nobody knows any more what they were for: escape drops them.
_FLOOD = 64
_ARROWS = frozenset({"up", "down", "pageup", "pagedown"})


class BptuiApp(App[None]):
    """One screen over a session; `look` is how it looks, `commands` have the keys that a person wants."""

    CSS_PATH = "bptui.tcss"
    TITLE = "bptui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "to the shell; fg comes back", show=False, priority=True, id="suspend"),
    ]

    def __init__(self, session: Session, look: Look = USUAL, keys: Keys = NO_KEYS, *, tour: bool = False) -> None:
        super().__init__(ansi_color=None if look.colours else True)  # its filter leaves no colour, not even greys
        self.session = session
        self._with_tour = tour
        self.look = look
        self.commands = registry.with_keys(keys)
        self.set_keymap({each.name: ",".join(each.keys) or _NO_KEY for each in self.commands if each.name in keys})
        for theme in themes():
            self.register_theme(theme)
        self.theme = theme_of(look)
        self._typed_ahead: deque[events.Key | events.Paste] = deque()
        self._ascii = Ascii()
        self.brush = Brush(self)
        # Whether the last key led along rows rather than typed.
        self._choosing = False
        # Whether a line has been sent with enter and is not read yet.
        self._reading = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is a text of many lines, ctrl+z takes back what was typed, as everywhere where one writes."""
        if action == "suspend_process" and isinstance(self.focused, Typed) and not isinstance(self.focused, Field):
            return False
        return super().check_action(action, parameters)

    def dress(self, look: Look) -> None:
        """Look otherwise from now on."""
        self.look = look
        self.theme = theme_of(look)
        for screen in self.screen_stack:
            for widget in screen.walk_children(Painted):
                widget.repaint()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and after them one that leaves nothing but ASCII where that is wanted."""
        return [*super().get_line_filters(), self._ascii] if self.look.ascii else super().get_line_filters()

    async def on_event(self, event: events.Event) -> None:
        """Each key is carried out before the next is looked at: over a slow line many come at once.

        Textual would let it go round by the pane or the line, and the next one overtake it. What comes before that
        which it is meant for waits: what follows the enter of a line until that is read, what follows the key that
        opens a page or a dialog until that is there.
        """
        event = _entered(event)
        if isinstance(event, events.MouseDown) and self._guide is not None:
            self._guide.leave_tour()
        elif not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif not self._leaving:
            key = event.key if isinstance(event, events.Key) else ""
            if key == "ctrl+c" or (key == "escape" and len(self._typed_ahead) > _FLOOD):
                self._typed_ahead.clear()
            self._typed_ahead.append(event)
            await self._go_on(at_once=key == "ctrl+c")

    async def _go_on(self, *, at_once: bool = False) -> None:
        while self._typed_ahead and not self._leaving and (at_once or not self._waiting):
            event = self._typed_ahead.popleft() if at_once else self._following()
            if event is None:
                break
            await self._hand_on(event)
            # What a page that was closed gives is acted on before the next key.
            await self._flush_next_callbacks()

    def _following(self) -> events.Key | events.Paste | None:
        """The next; while something goes on, of what was typed since: that breaks it off, and the rest waits."""
        screen = self.screen
        if isinstance(screen, MainScreen):
            for event in self._typed_ahead:
                if not screen.before_it_began(event):
                    self._typed_ahead.remove(event)
                    return event
            return None
        return self._typed_ahead.popleft()

    async def _hand_on(self, event: events.Key | events.Paste) -> None:
        self.app_focus = True
        self._choosing = isinstance(event, events.Key) and event.key in _ARROWS
        guide = self._guide
        if guide is not None and not (isinstance(event, events.Key) and event.key == "ctrl+z"):
            guide.toured(event.key if isinstance(event, events.Key) else "")
            return
        line = self.focused if isinstance(self.focused, Typed) else None
        self._reading = False
        if isinstance(event, events.Paste):
            if isinstance(self.screen, Pasted) and self.screen.pasted(event.text):
                pass
            elif line is not None:
                line.paste(event.text)
        elif line is None and isinstance(self.screen, MainScreen) and self.screen.interrupted(event.key):
            pass
        elif not await self._check_bindings(event.key, priority=True):
            if line is not None and line.typed(event):
                self._reading = event.key == "enter" and isinstance(line, Field)
            elif not await self._check_bindings(event.key) and line is None and isinstance(self.screen, MainScreen):
                self.screen.unknown(event.character if event.is_printable and event.character else event.key)

    @property
    def _guide(self) -> MainScreen | None:
        """The screen that shows itself now: every key is for its tour, whatever page that has opened."""
        return next((screen for screen in self.screen_stack if isinstance(screen, MainScreen) and screen.touring), None)

    @property
    def _waiting(self) -> bool:
        """Whether what was asked for last is not there yet."""
        return self._opening or (self._reading and isinstance(self.focused, Field))

    @property
    def _leaving(self) -> bool:
        """Whether the app has been asked to end: its screens are going, and no key is for them."""
        if self._exit or not self._running or not self.screen_stack:
            return True
        return not self._opening and not self.screen.is_running

    @property
    def _opening(self) -> bool:
        """Whether what is to be on top is not there yet."""
        return isinstance(self.screen, Over) and not self.screen.is_mounted

    def on_terminal_supports_synchronized_output(self) -> None:
        """Frames are told where they begin and end."""
        self.brush.synchronized()

    async def on_field_read(self) -> None:
        """A line is read: on with what was typed since, as far as the next enter."""
        self._reading = False
        await self._go_on()

    async def on_going_rested(self) -> None:
        """What went on is over: on with what was typed before it began."""
        await self._go_on()

    async def on_over_there(self) -> None:
        """A page is there: on with what was typed since."""
        if self._guide is not None:
            self._guide.page_there()
        await self._go_on()

    def set_timer(
        self, delay: float, callback: TimerCallback | None = None, *, name: str | None = None, pause: bool = False
    ) -> Timer:
        """Textual's, which forgets a timer that is to ring once where its time has passed before it is looked at.

        A process that is made to wait at the wrong moment would never be told of its window's size again: that it has
        such a timer for it is what keeps it from setting another (`App._on_resize`).
        """
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False  # noqa: SLF001
        return timer

    @property
    def cursor_position(self) -> Offset:
        """Where the terminal's own cursor is after each frame: with the reader, whom a braille line follows."""
        there = place_on(self.screen, self.focused, choosing=self._choosing) if self.screen_stack else None
        return there or self._typing_at

    @cursor_position.setter
    def cursor_position(self, place: Offset) -> None:
        self._typing_at = place

    def _show_cursor(self) -> None:
        """For who listens the cursor is to be seen: what is hidden some screen readers do not follow."""
        if self.session.spoken and self._driver is not None:
            self._driver.write("\x1b[?25h")

    def get_driver_class(self) -> type[Driver]:
        """The usual driver, made to survive bytes that are no UTF-8."""
        usual = super().get_driver_class()
        if usual.__module__ != "textual.drivers.linux_driver":
            return usual
        from bptui.tui.driver import TolerantDriver

        return TolerantDriver

    async def on_mount(self) -> None:
        """Show the screen, and be ready for signals."""
        self.dress(self._fitting(self.look))
        main = MainScreen(self.session)
        await self.push_screen(main)
        if self._with_tour:
            main.tour()
        self._listen_for_signals()
        self.app_resume_signal.subscribe(self, lambda _: self._resumed())
        self._show_cursor()
        self.call_after_refresh(_settle_memory)

    def _fitting(self, look: Look) -> Look:
        """With sixteen colours the terminal's own: others would come out as the nearest of them, whatever that is."""
        few = self.console.color_system == "standard" and not self.is_headless
        return replace(look, theme="terminal") if few else look

    def _resumed(self) -> None:
        self.refresh(layout=True)
        self._show_cursor()

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


def _entered(event: events.Event) -> events.Event:
    """What is typed before the terminal is the app's own comes with new lines: they were meant as enter."""
    if not isinstance(event, events.Key) or event.key != "ctrl+j":
        return event
    enter = events.Key("enter", "\r")
    enter.time = event.time
    return enter


def _settle_memory() -> None:
    """What was made at the start stays: not looking at it again takes the long tail off key presses.

    Nor is it looked at now, when the first key may be waiting: there is little in it that nobody needs.
    """
    gc.freeze()
    gc.set_threshold(50000, 5, 100)


def run(session: Session, look: Look = USUAL, keys: Keys = NO_KEYS, *, tour: bool = False) -> int:
    """Run the app and save its session; the exit code, 1 after a crash."""
    app = BptuiApp(session, look, keys, tour=tour)
    try:
        app.run()
    finally:
        ending.leave(session, in_order=app.return_code in (0, 130))
    if app.return_code == 0:
        ending.say_way_back(session)
    return 1 if app.return_code is None else app.return_code
