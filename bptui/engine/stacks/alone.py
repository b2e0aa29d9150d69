"""Forks one after the other, on a machine of one fork: what a stack has to equal, and what does all that it can't."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bptui.engine.freerun import FreeRun, Halt, stretches
from bptui.engine.machine import Machine, Stop
from bptui.engine.network import Array
from bptui.engine.program import Program, Slot
from bptui.engine.stacks.course import Course, Ending, Field, Fork
from bptui.engine.timeline import Edit, Position


class Alone:
    """Runs forks of a course on a machine; `ending` has those that have ended."""

    def __init__(self, course: Course, forks: Sequence[Fork], machine: Machine) -> None:
        self.course = course
        self.forks = forks
        self.machine = machine
        slots = course.program.slots
        edited = [*course.later, *(edit for fork in forks for edit in fork.edits)]
        for name, value in course.state.arrays.items():
            np.copyto(machine.arrays[name], value)
        self.field = Field(forks, machine, data_differ=any(slots[edit.slot].kind == "data" for edit in edited))
        self.ending: dict[int, Ending] = {}

    @property
    def program(self) -> Program:
        """The program of all forks."""
        return self.course.program

    def begin(self, starts: Iterable[Mapping[str, Array]]) -> None:
        """Each fork to the start of its first whole iteration.

        starts  for each fork, slot → the value that it begins with, where another seed gives another
        """
        for k, (fork, start) in enumerate(zip(self.forks, starts, strict=True)):
            if self.course.begun:
                self._finish(k, start)
                continue
            for name, value in start.items():
                self._write(k, name, slice(None), value.reshape(-1))
            for edit in fork.edits:
                self._write(k, edit.slot, list(edit.cells), edit.values)

    def edited(self, fork: int, t: int) -> None:
        """An iteration in which edits lie."""
        self.field.put(self.machine, fork)
        self._iteration(fork, Position(t))
        self.field.take(self.machine, fork)
        self.course.watch(1)

    def whole(self, fork: int, start: int, end: int) -> None:
        """Whole iterations."""
        self.field.put(self.machine, fork)
        for t, length in stretches(start, end, self.course.every):
            if fork not in self.ending:
                self.stretch(fork, t, np.empty(length))
                self.course.watch(length)
        self.field.take(self.machine, fork)

    def stretch(self, fork: int, t: int, losses: Array) -> None:
        """One stretch of a fork at which the machine stands already."""
        free = FreeRun(self.machine, self.field.alarms[fork])
        halt = free.stretch(t, losses, self._stops())
        self.field.alarms[fork] = free.alarms
        if halt is not None:
            self._halted(fork, halt)

    def last(self, fork: int) -> None:
        """After the last update: the loss of the weights after it, and one more look at the condition."""
        self.field.put(self.machine, fork)
        with self.machine.quiet():
            self.machine.begin(self.course.end)
            self.machine.segment(0, self.program.loss_index + 1)()
        self.end(fork, float(self.machine.arrays["loss"]), until=self._holds())

    def end(self, fork: int, loss: float, *, until: bool) -> None:
        """A fork ends after the last update, where it stands in the field."""
        reason = "until" if until else "iterations" if math.isfinite(loss) else "nan"
        self.field.put(self.machine, fork)
        self.note(fork, self.course.end, loss, reason)

    def note(self, fork: int, t: int, loss: float, reason: str, done: int = 0) -> None:
        """A fork has ended where the machine stands."""
        slots = self.program.slots
        lasting = {name: array.copy() for name, array in self.machine.arrays.items() if _kept(slots[name])}
        self.ending[fork] = Ending(t, loss, reason, done, lasting)

    # Inside

    def _write(self, fork: int, name: str, cells: list[int] | slice, values: Array) -> None:
        """Write cells of a fork at the start of an iteration, where only what lasts is of any consequence."""
        row = self.field.row(fork, name)
        if row is not None:
            row[cells] = values

    def _finish(self, fork: int, start: Mapping[str, Array]) -> None:
        """The rest of the iteration within which the forks part."""
        self.machine.seed = self.forks[fork].seed
        for name, value in {**self.course.state.arrays, **start}.items():
            np.copyto(self.machine.arrays[name], value)
        self._edit(self.forks[fork].edits)
        self._iteration(fork, self.course.state.position)
        self.field.take(self.machine, fork)

    def _edit(self, edits: Iterable[Edit]) -> None:
        for edit in edits:
            self.machine.arrays[edit.slot].reshape(-1)[list(edit.cells)] = edit.values

    def _stops(self) -> list[tuple[int, Stop]]:
        return [] if self.course.until is None else [(self.program.loss_index, self._holds)]

    def _holds(self) -> bool:
        return self.course.until is not None and self.course.until.alone(self.machine)

    def _iteration(self, fork: int, start: Position) -> None:
        """The rest of an iteration, with the edits that lie in it; what is not finite ends the fork here too."""
        t = start.iteration
        with self.machine.quiet():
            self.machine.begin(t)
            for k in range(start.op, len(self.program)):
                self._instruction(t, k, start.element if k == start.op else 0)
                if halt := self._look(t, k):
                    self._halted(fork, halt)
                    return

    def _instruction(self, t: int, k: int, element: int) -> None:
        """An instruction from one of its elements on, with the edits that lie inside it and just after it."""
        inside = [e.position.element for e in self.course.later if e.position == Position(t, k, e.position.element)]
        for stop in sorted({place for place in inside if place > element}):
            self.machine.execute(k, element, stop)
            self._edit(self._at(Position(t, k, stop)))
            element = stop
        self.machine.execute(k, element, self.program.size(k))
        self._edit(self._at(Position(t, k + 1)))

    def _at(self, position: Position) -> list[Edit]:
        """The edits for all forks at a position, in order."""
        return sorted((e for e in self.course.later if e.position == position), key=lambda edit: edit.serial)

    def _look(self, t: int, k: int) -> Halt | None:
        written = self.machine.arrays[self.program.instructions[k].writes]
        if not np.isfinite(written).all():
            return Halt(t, k + 1, finite=False)
        return Halt(t, k + 1, finite=True) if k == self.program.loss_index and self._holds() else None

    def _halted(self, fork: int, halt: Halt) -> None:
        loss = float(self.machine.arrays["loss"]) if halt.done > self.program.loss_index else math.nan
        self.note(fork, halt.iteration, loss, "until" if halt.finite else "nan", 0 if halt.finite else halt.done)


def _kept(slot: Slot) -> bool:
    return slot.persistent and slot.kind != "data"
