"""What was in the last iterations, as far as one was there or there is time to go back: norms, spreads and paths."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np

from bptui.commands.session import Session
from bptui.debugger.probing import tracks
from bptui.debugger.probing.knobs import Start
from bptui.debugger.rows import Rows
from bptui.debugger.series import Quantity, Series
from bptui.engine.network import Array
from bptui.engine.player import State
from bptui.engine.timeline import Position, Timeline
from bptui.tui.scene import Norms, Plotted, Scene, Spread

# Iterations that a path goes back, and that the other histories do.
_PATH, _LAST = 40, 48

Cell = tuple[str, int]


class Histories:
    """Series of quantities, each kept for as long as the network is the same."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._series: dict[Hashable, Series] = {}
        # A series, the iteration before which some are wanted, and how many.
        self._wanted: tuple[Series, int, int] | None = None

    @property
    def wanting(self) -> bool:
        """Whether some iterations are still to be looked at."""
        return self._wanted is not None

    def go_on(self) -> bool:
        """Look at some more iterations; whether any were looked at."""
        if self._wanted is None:
            return False
        wanted, self._wanted = self._wanted, None
        self._session.debugger.lately(*wanted)
        return True

    def norms(self, scene: Scene) -> Plotted:
        """The norms of the gradients of all that is trained. Raises ValueError where nothing is."""
        names = tuple(tracks.trained(scene.view.program))
        if not names:
            raise ValueError("nothing is trained here: there are no gradients")
        quantity = tracks.Norms(scene.view.program, names)
        series = self._of("norms", lambda: quantity, len(names))
        iterations, values = self._seen(series, scene, quantity, _LAST)
        return Plotted(Norms(names, iterations, values), pending=self._wanted is not None)

    def spread(self, scene: Scene) -> Plotted:
        """How the cells of the slot under the cursor are spread."""
        slot = scene.cursor[0]
        program, state = scene.view.program, scene.view.state
        quantity = tracks.Spread(program, slot)
        series = self._of(("spread", slot), lambda: quantity, tracks.QUANTILES)
        if program.slots[slot].persistent:
            self._note_start(series, scene)
        iterations, values = self._seen(series, scene, quantity, _LAST, present=False)
        there = state.computed[slot]
        cells = state.arrays[slot].reshape(-1)[:there] if there else None
        step = tracks.apart(program.slots[slot].size)
        shown = Spread(slot, iterations, values, None if cells is None else cells[::step], step)
        return Plotted(shown, pending=self._wanted is not None)

    def path(self, scene: Scene, start: Start, cells: tuple[Cell, Cell]) -> tuple[Array, bool]:
        """Where two parameters were at the ends of the last iterations, and whether all of it is known."""
        slots = scene.view.program.slots
        if any(slots[slot].kind != "parameter" for slot, _ in cells):
            self._wanted = None
            return np.zeros((0, 2)), True
        series = self._of(("path", cells), lambda: tracks.Path(cells), 2)
        self._note(series, start.timeline, start.iteration - 1, start.arrays)
        values = self._known(series, scene, _PATH)[1]
        return values, self._wanted is None

    # Inside

    def _of(self, key: Hashable, quantity: Callable[[], Quantity], width: int) -> Series:
        if key not in self._series:
            self._series[key] = Series(quantity(), width)
        return self._series[key]

    def _known(self, series: Series, scene: Scene, count: int) -> tuple[Array, Array]:
        """The last iterations before this one; more of them are wanted where some are missing."""
        timeline, t = scene.view.timeline, scene.position.iteration
        self._wanted = (series, t, count) if series.missing(timeline, t, count).size else None
        iterations, values = series.until(timeline, t)
        recent = iterations >= t - count
        return iterations[recent], values[recent]

    def _seen(
        self, series: Series, scene: Scene, quantity: Quantity, count: int, *, present: bool = True
    ) -> tuple[Array, Array]:
        """The same, and this iteration where all of it is computed."""
        view, here = scene.view, scene.position
        iterations, values = self._known(series, scene, count)
        if any(view.state.computed[slot] < stop for slot, (_, stop) in quantity.reads.items()):
            return iterations, values
        lasting = any(view.program.slots[slot].persistent for slot in quantity.reads)
        end = Position(here.iteration, len(view.program))
        if not any(True for _ in view.timeline.between(here, end)) and (not lasting or here == end):
            series.note(view.timeline, here.iteration, Rows.of(view.state))
        if not present:
            return iterations, values
        now = quantity.over(Rows.of(view.state)).reshape(1, -1)
        return np.append(iterations, here.iteration), np.concatenate([values, now])

    def _note_start(self, series: Series, scene: Scene) -> None:
        start = self._session.debugger.begun()
        self._note(series, scene.view.timeline, start.iteration - 1, start.arrays)

    def _note(self, series: Series, timeline: Timeline, iteration: int, arrays: dict[str, Array]) -> None:
        """What lasts is at an iteration's start what it was at the end of the one before."""
        if iteration >= 0:
            computed = {slot: array.size for slot, array in arrays.items()}
            series.note(timeline, iteration, Rows.of(State(Position(iteration), arrays, computed)))
