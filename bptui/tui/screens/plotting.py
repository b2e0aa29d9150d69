"""What a plot needs beside the scene: the loss elsewhere, predictions elsewhere, what was in the last iterations.

What takes no longer than a frame is computed when it is drawn, everything else in portions between the keys. All of it
is kept until the timeline, the iteration or the cell is another: to move about within an iteration costs nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from bptui.commands.session import Session
from bptui.debugger.probing.knobs import Start, knob, turned
from bptui.debugger.probing.planes import Plane, inputs
from bptui.debugger.probing.probe import Probe
from bptui.debugger.probing.ranges import nice
from bptui.debugger.probing.slopes import ACROSS, DOWN, POINTS, sliced, surface
from bptui.debugger.probing.work import Steps, Work
from bptui.engine.network import Array
from bptui.engine.player import estimated_seconds
from bptui.engine.program import Program
from bptui.tui.drawing.plane import data
from bptui.tui.scene import Plotted, Scene
from bptui.tui.screens.histories import Histories

# Seconds, as estimated, that are computed while a frame is drawn; that are worked between two keys; and from one
# picture to the next while a run goes on.
_AT_ONCE, PORTION, _PACE = 0.015, 0.012, 0.25

Cell = tuple[str, int]


class Plotting:
    """The numbers of the plot that is shown.

    marked  the second cell of a surface, where the reader has chosen one
    wake    called where more is to be computed: somebody has to `go_on` then
    """

    def __init__(self, session: Session, wake: Callable[[], None]) -> None:
        self._session = session
        self._wake = wake
        self._forget()

    def _forget(self) -> None:
        """Of another network nothing holds."""
        self.marked: Cell | None = None
        self._program: Program | None = self._session.debugger.program
        self._histories = Histories(self._session)
        self._probe: Probe | None = None
        self._plane: Plane | None = None
        self._key: Hashable = None
        self._kind: Hashable = None
        self._work: Work[Any] | None = None
        self._result: Any = None
        self._shown: tuple[str, Plotted] = ("", Plotted())
        self._at = 0.0

    def __call__(self, scene: Scene, view: str, *, passing: bool) -> Plotted:
        """The numbers of a view at a moment; in passing, where a run has not stopped, now and then."""
        debugger = self._session.debugger
        if debugger.program is not self._program:
            self._forget()
        gone = debugger.position != scene.position or debugger.timeline is not scene.view.timeline
        if view == self._shown[0] and (gone or (passing and time.monotonic() < self._at + _PACE)):
            return self._shown[1]
        try:
            plotted = Plotted() if gone else self._made(scene, view)
        except ValueError as error:
            self._key, self._work = None, None
            plotted = Plotted(said=" ".join(str(error).splitlines()))
        self._shown, self._at = (view, plotted), time.monotonic()
        if plotted.pending and not passing:
            self._wake()
        return plotted

    @property
    def pending(self) -> bool:
        """Whether there is more to be computed."""
        return self._work is not None or self._histories.wanting

    def go_on(self) -> bool:
        """Compute for a portion; whether there is something new to be drawn."""
        if self._work is None:
            return self._histories.go_on()
        return self._work.go_on(PORTION)

    # Inside

    def _made(self, scene: Scene, view: str) -> Plotted:
        """Raises ValueError with the reason where there is nothing to draw."""
        makers: dict[str, Callable[[Scene], Plotted]] = {
            "weight": self._slice, "surface": self._surface, "boundary": self._plane_of, "fit": self._plane_of,
            "norms": self._histories.norms, "histogram": self._histories.spread,
        }  # fmt: skip
        return makers[view](scene)

    def _slice(self, scene: Scene) -> Plotted:
        cell = turned(scene.view.program, *scene.cursor)
        start = self._session.debugger.begun()
        return self._computed(("slice", cell), start, POINTS, lambda: sliced(self._prober(), start, knob(start, *cell)))

    def _surface(self, scene: Scene) -> Plotted:
        program, start = scene.view.program, self._session.debugger.begun()
        first = turned(program, *scene.cursor)
        second = turned(program, *(self.marked or beside(program, *first)))
        if second == first:
            second = beside(program, *first)
        path, complete = self._histories.path(scene, start, (first, second))

        reaches = _reaches(path)

        def steps() -> Steps[Any]:
            knobs = knob(start, *first), knob(start, *second)
            return surface(self._prober(), start, knobs, reaches)

        plotted = self._computed(("surface", first, second), start, ACROSS * DOWN, steps, reaches)
        chosen = second == self.marked
        return Plotted(plotted.what, path=path, chosen=chosen, pending=plotted.pending or not complete)

    def _plane_of(self, scene: Scene) -> Plotted:
        program = scene.view.program
        if not inputs(program.network):
            raise ValueError("only for networks of one or two inputs")
        arrays, (x, _) = scene.view.state.arrays, data(scene)
        trained = [name for name, slot in program.slots.items() if slot.kind in ("parameter", "statistic")]
        digest = tuple(arrays[name].tobytes() for name in trained), x.tobytes()
        self._plane = self._plane or Plane(program)
        plane = self._plane
        seconds = estimated_seconds(program) * 3000 / len(program.network.x)
        return self._kept("plane", ("plane", digest), seconds, lambda: plane.over(x, arrays))

    def _computed(
        self, kind: Hashable, start: Start, points: int, steps: Callable[[], Steps[Any]], more: Hashable = None
    ) -> Plotted:
        """A result that holds for an iteration of a timeline."""
        seconds = points * estimated_seconds(start.program)
        return self._kept(kind, (kind, start.timeline, start.iteration, more), seconds, steps)

    def _kept(self, kind: Hashable, key: Hashable, seconds: float, steps: Callable[[], Steps[Any]]) -> Plotted:
        """A result, at once or later; until then the last of its kind."""
        if key != self._key:
            work = Work(steps())
            self._key, self._work = key, work
            if kind != self._kind:
                self._kind, self._result = kind, None
            if seconds <= _AT_ONCE:
                work.go_on(math.inf)
        if self._work is not None and self._work.result is not None:
            self._result, self._work = self._work.result, None
        return Plotted(self._result, pending=self._work is not None)

    def _prober(self) -> Probe:
        self._probe = self._probe or Probe(self._session.debugger.program)
        return self._probe


def _reaches(path: Array) -> tuple[float, float]:
    """How far the path goes from where it ends, in round numbers."""
    if not len(path) or not np.isfinite(path).all():
        return 0.0, 0.0
    far = np.abs(path - path[-1]).max(0)
    return float(far[0] and nice(far[0])), float(far[1] and nice(far[1]))


def beside(program: Program, slot: str, cell: int) -> Cell:
    """The next cell in reading order, or the one before the last; of a slot with one cell, a weight."""
    one = program.slots[slot]
    if one.size == 1:
        other = next((name for name in program.parameters if name != slot), slot)
        return other, 0
    down = one.shape[0] if len(one.shape) == 2 and one.kind == "parameter" else 1
    across = one.size // down
    # Weights are numbered neuron by neuron: down the columns.
    place = cell % across * down + cell // across
    place = place + 1 if place + 1 < one.size else place - 1
    return slot, place % down * across + place // down
