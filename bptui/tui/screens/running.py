"""Free running on the UI loop: short slices, so that the screen is drawn and any key interrupts."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.widget import Widget

from bptui.debugger.debugger import Debugger
from bptui.engine.timeline import Position

SLICE = 0.008
FRAME = 0.05


class Running:
    """A run to a position, in slices of about 8 ms that start at one iteration and adapt."""

    def __init__(
        self, debugger: Debugger, end: Position, show: Callable[[str], None], ended: Callable[[], None]
    ) -> None:
        self._debugger = debugger
        self._end = end
        self._show = show
        self._ended = ended
        self._n = 1
        self._shown = time.monotonic()
        self._stopped = False

    def stop(self) -> None:
        """Take no further slice."""
        self._stopped = True

    def slice(self, widget: Widget) -> None:
        """Run a little, show it now and then, and ask to be called again."""
        if self._stopped:
            return
        begun = time.monotonic()
        self._debugger.advance(self._n, self._end)
        now = time.monotonic()
        self._n = max(1, round(self._n * min(2.0, SLICE / max(now - begun, 1e-6))))
        if self._debugger.position >= self._end:
            self._ended()
            self._show(f"stopped at the end: {self._end.iteration + 1} iterations")
            return
        if now - self._shown > FRAME:
            self._shown = now
            self._show("running; any key stops it")
        widget.set_timer(0.001, lambda: self.slice(widget))
