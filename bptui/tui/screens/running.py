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
        self._shown = time.monotonic()
        self._stopped = False

    def stop(self) -> View:
        """Take no further slice; where one is then."""
        self._stopped = True
        return self._debugger.leave(self._run)

    def slice(self, widget: Widget) -> None:
        """Run a little, show it now and then, and ask to be called again."""
        if self._stopped:
            return
        begun = time.monotonic()
        ended = self._run.portion(self._n)
        now = time.monotonic()
        self._n = max(1, round(self._n * min(2.0, SLICE / max(now - begun, 1e-6))))
        if ended is not None:
            self._arrived(self._debugger.arrive(ended))
            return
        if now - self._shown > FRAME:
            self._shown = now
            self._show("running; any key stops it")
        widget.set_timer(0.001, lambda: self.slice(widget))
