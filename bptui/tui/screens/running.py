"""Free running on the UI loop, in slices so short that the screen is drawn and any key interrupts; sweeps beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from textual.timer import Timer

from bptui.commands.answer import Answer
from bptui.commands.running import Begun, Pace
from bptui.debugger.debugger import Debugger

if TYPE_CHECKING:
    from bptui.engine.stacks import Watch

SLICE = 0.007
# From the end of a frame to the beginning of the next.
FRAME = 0.016
# What moves at every frame of a run is little; all of it is drawn so often.
_WHOLE = 0.25
# So long it runs at once: what takes no longer is there before the next key.
_AT_ONCE = 0.05
# The share of the time that drawing may take, where a frame takes long.
_DRAWING = 0.45
_WORDS = 48

# What came of it, or why nothing did.
Came = Answer | ValueError | OSError
Arrived = Callable[[Came], None]


class Shown(Protocol):
    """A screen that shows how far a run is."""

    def show(self, note: str) -> None:
        """All of the moment that it has come to."""

    def glance(self, note: str) -> None:
        """The little of it that is looked at while it runs."""


class Free(Protocol):
    """What goes on until it is over or a key is pressed.

    every  seconds from one slice to the next
    """

    every: float

    def slice(self) -> None:
        """Go on a little."""

    def stop(self) -> str:
        """Break it off; what is to be said then."""


@dataclass
class Underway:
    """What goes on now.

    line   the command that it is, where anything has changed when it is broken off; else ""
    since  when it began, as events are stamped
    clock  what asks it for its slices
    """

    free: Free
    line: str
    since: float
    clock: Timer | None = None


class Running:
    """A run to where something stops it, in slices of about 7 ms that start at one iteration and adapt."""

    every = 0.001

    def __init__(self, debugger: Debugger, begun: Begun, shown: Shown, arrived: Arrived) -> None:
        self._debugger = debugger
        self._run = begun
        self._screen = shown
        self._arrived = arrived
        self._pace = Pace(SLICE)
        self._begun = self._shown = self._whole = time.monotonic()
        self._frame, self._between = FRAME, _WHOLE
        self._stopped = False

    def stop(self) -> str:
        """Take no further slice; one is where it has got to."""
        self._stopped = True
        self._debugger.leave(self._run.run)
        return "interrupted"

    def slice(self) -> None:
        """Run a little, and show it now and then."""
        if self._stopped:
            return
        # From one frame to the next at once: each return to the loop costs as much as a small frame. Where frames take
        # long, no key waits for the next.
        now = time.monotonic()
        until = min(now + _AT_ONCE, max(self._begun + _AT_ONCE, self._shown + self._frame - SLICE / 2))
        came = self._portion()
        while came is None and time.monotonic() < until:
            came = self._portion()
        if came is not None:
            self._arrived(came)
            return
        now = time.monotonic()
        if now - self._shown > self._frame - SLICE / 2:
            self._draw(now)

    def _draw(self, now: float) -> None:
        """All now and then, the little in between; neither takes more than its share of the time."""
        if now - self._whole > self._between:
            self._screen.show(self.said(now))
            self._shown = self._whole = time.monotonic()
            self._between = max(_WHOLE, (self._shown - now) / _DRAWING * 2)
        else:
            self._screen.glance(self.said(now))
            self._shown = time.monotonic()
            self._frame = max(FRAME, (self._shown - now) / _DRAWING)

    def _portion(self) -> Came | None:
        """Some iterations; what came of it, if it is over."""
        try:
            return self._run.portion(self._pace)
        except (ValueError, OSError) as error:
            return error

    def said(self, now: float) -> str:
        """How far it has got, how quickly, and what is looked for."""
        run = self._run.run
        last = run.end.iteration + 1
        speed = f"{run.examined / max(now - self._begun, 1e-6):.0f} iterations/s"
        what = ", ".join(run.texts)
        what = f", until {what if len(what) <= _WORDS else what[: _WORDS - 1] + '…'}" if what else ""
        if run.back:
            return f"looking back; any key stops it   down to iteration {run.iteration}, {speed}{what}"
        share = f"{100 * run.iteration // last} %"
        return f"running; any key stops it   iteration {run.iteration} of {last}, {share}, {speed}{what}"


class _BrokenOffError(Exception):
    """Nobody waits for it any more."""


class Sweeping:
    """Forks in a thread of their own: nothing that the screen looks at is touched there."""

    every = 0.1

    def __init__(
        self, sweep: Callable[[Callable[[int], Watch]], list[str]], show: Callable[[str], None], arrived: Arrived
    ) -> None:
        self._sweep = sweep
        self._show = show
        self._arrived = arrived
        self._stopped = threading.Event()
        self._found: list[str] = []
        self._failed: BaseException | None = None
        self._work = self._done = 0
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._carry_out, name="sweep")
        self._thread.start()

    def stop(self) -> str:
        """Nobody waits for it any more; it ends by itself, at the next look."""
        self._stopped.set()
        return "the sweep was broken off; nothing was changed"

    def slice(self) -> None:
        """See whether it is done, and show how far it has got."""
        if self._stopped.is_set():
            return
        self._thread.join(_AT_ONCE if time.monotonic() < self._begun + _AT_ONCE else 0)
        if self._thread.is_alive():
            share = f"   {100 * self._done // self._work} % of {self._work} iterations" if self._work else ""
            self._show(f"sweeping; any key breaks it off{share}")
        elif isinstance(self._failed, ValueError | OSError):
            self._arrived(self._failed)
        elif self._failed is not None:
            raise self._failed
        else:
            self._arrived(Answer(tuple(self._found)))

    def _carry_out(self) -> None:
        try:
            self._found = self._sweep(self._watched)
        except _BrokenOffError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where somebody sees it
            self._failed = error

    def _watched(self, work: int) -> Watch:
        self._work = work

        def watch(iterations: int) -> None:
            if self._stopped.is_set():
                raise _BrokenOffError
            self._done += iterations

        return watch
