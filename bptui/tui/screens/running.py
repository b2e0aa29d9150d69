"""Free running on the UI loop: short slices, so that the screen is drawn and any key interrupts."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.widget import Widget

from bptui.debugger.debugger import Debugger
from bptui.debugger.stops import Run
from bptui.debugger.view import View

SLICE = 0.008
FRAME = 0.05
# The share of the time that drawing may take, where a frame takes long.
_DRAWING = 0.25
_WORDS = 48


class Running:
    """A run to where something stops it, in slices of about 8 ms that start at one iteration and adapt."""

    def __init__(
        self, debugger: Debugger, run: Run, show: Callable[[str], None], arrived: Callable[[View], None]
    ) -> None:
        self._debugger = debugger
        self._run = run
        self._show = show
        self._arrived = arrived
        self._n = 1
        self._each = 0.0
        self._begun = self._shown = time.monotonic()
        self._frame = FRAME
        self._stopped = False

    def stop(self) -> View:
        """Take no further slice; where one is then."""
        self._stopped = True
        return self._debugger.leave(self._run)

    def slice(self, widget: Widget) -> None:
        """Run a little, show it now and then, and ask to be called again."""
        if self._stopped:
            return
        begun, examined = time.monotonic(), self._run.examined
        ended = self._run.portion(self._n)
        now = time.monotonic()
        self._adapt(now - begun, self._run.examined - examined)
        if ended is not None:
            self._arrived(self._debugger.arrive(ended))
            return
        if now - self._shown > self._frame:
            self._show(self.said(now))
            self._shown = time.monotonic()
            self._frame = max(FRAME, (self._shown - now) / _DRAWING)
        widget.set_timer(0.001, lambda: self.slice(widget))

    def _adapt(self, seconds: float, iterations: int) -> None:
        """The next slice: at most twice as long, and as long as the slowest iteration of late allows."""
        self._each = max(seconds / max(1, iterations), self._each / 2)
        self._n = max(1, min(2 * self._n, int(SLICE / max(self._each, 1e-9))))

    def said(self, now: float) -> str:
        """How far it has got, how quickly, and what is looked for."""
        run, last = self._run, self._run.end.iteration + 1
        speed = f"{run.examined / max(now - self._begun, 1e-6):.0f} iterations/s"
        what = ", ".join(run.texts)
        what = f", until {what if len(what) <= _WORDS else what[: _WORDS - 1] + '…'}" if what else ""
        if run.back:
            return f"looking back; any key stops it   down to iteration {run.iteration}, {speed}{what}"
        share = f"{100 * run.iteration // last} %"
        return f"running; any key stops it   iteration {run.iteration} of {last}, {share}, {speed}{what}"
