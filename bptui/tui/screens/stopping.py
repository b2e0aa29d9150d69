"""What the main screen does about breakpoints and watches: its place in their list, and what keys do to a row."""

from __future__ import annotations

from bptui.commands.session import Session
from bptui.debugger.debugger import spell
from bptui.engine.program import Target
from bptui.tui.scene import Stops

# Iterations that a small curve beside a watch shows.
RECENT = 12


class Stopping:
    """The rows of a session's breakpoints and watches, and the one that the reader is on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._chosen = 0
        self._plotted: int | None = None
        self._drawing = False

    def rows(self, *, passing: bool = False) -> Stops:
        """All of them, as they are here; in passing, where a run has not stopped."""
        debugger = self._session.debugger
        breakpoints, watched = tuple(debugger.breakpoints.all.values()), tuple(debugger.watched(passing=passing))
        if self._plotted is not None and self._plotted not in debugger.watches.all:
            # The loss takes the place of a watch that is forgotten.
            self._plotted, self._drawing = None, False
        self._chosen = max(0, min(self._chosen, len(breakpoints) + len(watched) - 1))
        if self._drawing and self._plotted is None and watched:
            chosen = self._chosen - len(breakpoints)
            self._plotted = watched[max(0, chosen)].number
        met = frozenset(debugger.breakpoints.met.get(debugger.position, ()))
        recent = {} if passing else {one.number: debugger.recent(one.number, RECENT) for one in watched}
        return Stops(breakpoints, watched, met, self._chosen, recent, self._plotted)

    def draw(self, *, watch: bool) -> None:
        """Whether a watch is drawn: the chosen one, or the first."""
        self._drawing = watch
        if not watch:
            self._plotted = None

    @property
    def plotted(self) -> bool:
        """Whether a watch is drawn."""
        return self._plotted is not None

    def choose(self, down: int) -> None:
        """Another row."""
        self._chosen += down

    def toggle(self, op: int) -> str:
        """The line of the command language that makes a breakpoint at an operation, or takes away the one there."""
        for number, one in self._session.debugger.breakpoints.all.items():
            if one.condition.text == str(op + 1):
                return f"delete {number}"
        return f"break {op + 1}"

    def switch(self) -> str:
        """The line that lets the chosen breakpoint stop or not; a watch is drawn over the iterations, or no longer."""
        stops = self.rows()
        if self._chosen < len(stops.breakpoints):
            one = stops.breakpoints[self._chosen]
            return f"{'disable' if one.enabled else 'enable'} {one.number}"
        number = self._watch(stops)
        self._plotted = None if number == self._plotted else number
        return ""

    def drop(self) -> str:
        """The line that forgets the chosen row."""
        stops = self.rows()
        if not len(stops):
            return ""
        if self._chosen < len(stops.breakpoints):
            return f"delete {stops.breakpoints[self._chosen].number}"
        return f"unwatch {self._watch(stops)}"

    def _watch(self, stops: Stops) -> int | None:
        k = self._chosen - len(stops.breakpoints)
        return stops.watched[k].number if k < len(stops.watched) else None

    def suggestion(self, slot: str, cell: int) -> str:
        """The expression of the cell under the cursor."""
        return spell(self._session.debugger.program, Target(slot, (cell,)))
