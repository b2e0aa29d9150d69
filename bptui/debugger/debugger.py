"""The verbs: each moves along a timeline or changes it, and gives a View of where one is then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bptui.debugger import editing, memento, moves
from bptui.debugger.breakpoints import Breakpoint
from bptui.debugger.comparing import Comparison, compare
from bptui.debugger.curves import Curve
from bptui.debugger.editing import DebuggerError, spell
from bptui.debugger.expressions import Expression
from bptui.debugger.running import Running
from bptui.debugger.series import Series
from bptui.debugger.view import View
from bptui.debugger.watches import Watched
from bptui.engine.network import Array
from bptui.engine.player import Player
from bptui.engine.program import Target
from bptui.engine.timeline import START, Edit, Position, Timeline, parse

__all__ = ["Debugger", "DebuggerError", "spell"]


class Debugger(Running):
    """A walk along timelines, one of which is looked at."""

    # Moving

    def next(self, k: int = 1) -> View:
        """K operations on; a half-done one is finished first, which counts as one."""
        return self.goto(moves.forward(self.program, self.position, k))

    def back(self, k: int = 1) -> View:
        """K operations back; a half-done one is left undone first, which counts as one."""
        return self.goto(moves.back(self.program, self.position, k))

    def step(self, k: int = 1) -> View:
        """K elements on, into and out of operations."""
        return self.goto(moves.step(self.program, self.position, k))

    def step_back(self, k: int = 1) -> View:
        """K elements back."""
        return self.goto(moves.step_back(self.program, self.position, k))

    def finish(self) -> View:
        """To the end of the phase that the next operation belongs to."""
        return self.goto(moves.finish(self.program, self.position))

    def start(self) -> View:
        """To the start of the phase that the operation done last belongs to."""
        return self.goto(moves.start(self.program, self.position))

    def iteration(self, k: int = 1) -> View:
        """K whole training iterations on, at the same operation."""
        return self.goto(moves.iterations(self.program, self.position, k))

    def iteration_back(self, k: int = 1) -> View:
        """K whole training iterations back, at the same operation; to the start where there are not so many."""
        return self.goto(moves.iterations(self.program, self.position, -k))

    def to(self, index: int) -> View:
        """To where operation `index` will be done next."""
        return self.goto(moves.to(self.program, self.position, index))

    def to_back(self, index: int) -> View:
        """Back to where operation `index` was done last. Raises DebuggerError where it never was."""
        place = moves.to_back(self.program, self.position, index)
        if place is None:
            raise DebuggerError(f"operation {index + 1} was not done before here")
        return self.goto(place)

    # Editing

    def set(self, target: str, value: str, at: str | None = None) -> Edit:
        """Write a value, here or at an earlier place; what lies between is computed again.

        Raises ExpressionError, PositionError or DebuggerError, and then nothing is changed.
        """
        place = self.position if at is None else parse(self.program, at)
        cells = editing.find(self.program, target, here=at is None)
        state = self.look(place)
        editing.refuse_unset(self.program, cells, state)
        values = editing.values(self.program, state, cells, value)
        edit = Edit(
            place,
            cells.slot,
            cells.cells,
            values,
            f"set {' '.join(target.split())} = {editing.spelled(self.program, value)}",
        )
        self._edit(edit)
        return edit

    def nudge(self, target: Target, steps: int = 1, amount: float | None = None) -> Edit:
        """Move a cell by a step: at the iteration's start, for a value just after the instruction that writes it.

        It gives the whole run of nudges that this one goes on with.

        Raises DebuggerError where the cell is not there yet.
        """
        editing.refuse_unset(self.program, target, self.look(self.position))
        place = editing.place_of_nudge(self.timeline, target, self.position)
        state = self.look(place)
        before = [float(number) for number in state.arrays[target.slot].reshape(-1)[list(target.cells)]]
        if amount is None:
            step = steps * editing.step_size(state.arrays[target.slot].reshape(-1)[: state.computed[target.slot]])
            values = np.array([editing.rounded(number, number + step) for number in before])
        else:
            values = np.array([number + amount for number in before])
        if not editing.finite(self.program, values):
            raise DebuggerError(f"{self.spell(target)} would not be a finite number")
        text = f"nudge {self.spell(target)} to {values[0]:.12g}"
        edit = Edit(place, target.slot, target.cells, values, text, nudge=1)
        self._edit(edit)
        return self.timeline.edits[-1]

    def undo(self) -> Edit:
        """Take back the edit given last, wherever it lies. Raises DebuggerError if there is none."""
        here = self.position
        with self.branches.attempt():
            edit = self.branches.undo(here)
            if edit is None:
                raise DebuggerError("nothing to undo")
            self._go(here)
        return edit

    def redo(self) -> Edit:
        """Give the edit taken back last once more. Raises DebuggerError if there is none."""
        here = self.position
        with self.branches.attempt():
            edit = self.branches.redo(here)
            if edit is None:
                raise DebuggerError("nothing to redo")
            self._go(here)
        return edit

    # Branches

    def branch(self, name: str) -> View:
        """Go on with another branch, at the same position; a name that is new makes one from here."""
        here = self.position
        with self.branches.attempt():
            if name in self.branches.all:
                self.branches.enter(name, here)
            else:
                self.branches.fork(name, here)
            return self.goto(here)

    def drop(self, name: str) -> None:
        """Forget a branch. Raises DebuggerError for the one that is looked at, the first, and what is none."""
        if name not in self.branches.all:
            raise DebuggerError(f"no branch is called {name[:40]} ({', '.join(self.branches.all)})")
        if name == self.branches.name:
            raise DebuggerError(f"{name} is the branch that is looked at; go to another first")
        if not self.branches.all[name].parent:
            raise DebuggerError(f"{name} is where all others come from")
        self.branches.drop(name)

    def diff(self, name: str, other: Timeline | None = None) -> Comparison:
        """This branch beside another, or beside a timeline that is none of them. Raises DebuggerError."""
        if other is None and name not in self.branches.all:
            raise DebuggerError(f"no branch is called {name[:40]} ({', '.join(self.branches.all)})")
        if other is None and name == self.branches.name:
            raise DebuggerError(f"{name} is the branch that is looked at: name another, or a network")
        other = other or self.branches.all[name].timeline
        if self._beside is None or self._beside.program is not other.program:
            self._beside = Player(other, self.memory // 4)
        self._beside.goto(other, START)
        here = self.position
        try:
            return compare((self.branches.name, name), self._player, self._beside, here)
        finally:
            self._player.goto(self.timeline, here)

    # Stopping

    def add_breakpoint(self, text: str) -> Breakpoint:
        """A new breakpoint. Raises ExpressionError."""
        return self.breakpoints.add(self.program, text)

    def watched(self, *, passing: bool = False) -> list[Watched]:
        """Every watch here; in passing it is remembered as no place where one stopped."""
        return self.watches.at(self._player.state(), passing=passing) if self.watches.all else []

    def recent(self, number: int, count: int) -> Array:
        """A watch's values at the ends of the last iterations, as far as there is time to compute them."""
        here = self.position
        try:
            return self.watches.series[number].recent(self._player, self.timeline, self._ended(here), count)
        finally:
            self._player.goto(self.timeline, here)

    def plotted(self, number: int, *, passing: bool = False) -> tuple[Array, Array]:
        """Iterations up to here and a watch's values at their ends; in passing only those that are known already."""
        series = self.watches.series[number]
        if passing:
            return series.until(self.timeline, self._ended(self.position))
        return self._plotted(series)

    def over_iterations(self, expression: Expression) -> tuple[Array, Array]:
        """The same of an expression that is not watched."""
        return self._plotted(Series(expression))

    def _plotted(self, series: Series) -> tuple[Array, Array]:
        here = self.position
        try:
            return series.plotted(self._player, self.timeline, self._ended(here))
        finally:
            self._player.goto(self.timeline, here)

    def lately(self, series: Series, iteration: int, count: int) -> bool:
        """See to it that more of the last iterations before one are known in a series; whether all of them are."""
        here = self.position
        if series.missing(self.timeline, iteration, count).size:
            try:
                series.lately(self._player, self.timeline, iteration, count)
            finally:
                self._player.goto(self.timeline, here)
        return not series.missing(self.timeline, iteration, count).size

    def curve(self, name: str) -> Curve:
        """The losses of another branch up to this iteration, as far as one has been there."""
        return self._curves.of(self.branches.all[name].timeline, self.position.iteration + 1)

    @property
    def furthest(self) -> Position:
        """The furthest that one has been on this branch."""
        return max(self.position, self.branches.reached[self.branches.name])

    def ahead(self) -> Curve:
        """The losses of this branch as far as one has been on it, where that is further than one is."""
        return self._curves.of(self.timeline, self.furthest.iteration + 1)

    def _ended(self, here: Position) -> int:
        """How many iterations are done."""
        return here.iteration + (here.op == self.count)

    # Keeping

    def memento(self) -> dict[str, Any]:
        """Everything but the program as JSON values by key."""
        return memento.memento(self)

    def restore(self, kept: Mapping[str, Any]) -> View:
        """The state that was kept. Raises DebuggerError where it does not fit the network, changing nothing."""
        memento.restore(self, kept)
        return self.view()

    # Inside

    def _edit(self, edit: Edit) -> None:
        here = self.position
        with self.branches.attempt():
            self.branches.edit(edit, here)
            self._go(here)
