"""An iteration run again with one or two cells turned: what its loss would be, by the very code that runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bptui.debugger.probing.knobs import Knob, Place, Start
from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.engine.timeline import Edit

Event = tuple[Place, Callable[[], None]]


class Probe:
    """A machine of its own, on which nothing lasts.

    It stands where the first knob is turned; from there on the rest of the iteration is run again and again.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._machine = Machine(program)
        self._knobs: Sequence[Knob] = ()
        self._cells: list[Array] = []
        self._values: tuple[float, ...] = ()
        self._events: list[Event] = []
        self._first: Place = (0, 0)
        self._kept: tuple[Array, Array] | None = None
        # Data are copied only where an edit or a knob has changed them, or that has to be taken back.
        self._changed: frozenset[str] = frozenset()

    def begin(self, start: Start, knobs: Sequence[Knob]) -> tuple[float, ...]:
        """Make ready to turn some knobs in an iteration; the values that they have there."""
        machine, edits = self._machine, list(start.edits())
        self._load(start, frozenset(knob.slot for knob in knobs))
        self._knobs = knobs
        self._cells = [machine.arrays[knob.slot].reshape(-1)[knob.cell : knob.cell + 1] for knob in knobs]
        self._first = min(knob.place for knob in knobs)
        made = [(_place(edit), self._edit(edit)) for edit in edits]
        with machine.quiet():
            machine.begin(start.iteration)
            self._play((0, 0), self._first, [event for event in made if event[0] <= self._first])
            later = [event for event in made if event[0] > self._first]
            again = bool(later) or any(knob.after for knob in knobs)
            self._kept = (machine.whole.copy(), machine.data.copy()) if again else None
            self._events = self._with(later, self._turn)
            return self._present(later)

    def loss(self, *values: float) -> float:
        """The loss with the knobs at these values."""
        machine, after = self._machine, any(knob.after for knob in self._knobs)
        self._values = values
        known = self.program.loss_index + 1
        with machine.quiet():
            self._restore()
            self._play(self._first, (len(self.program) if after else known, 0), self._events)
            if after:
                machine.segment(0, known)()
        return float(machine.arrays["loss"])

    def updated(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """What this iteration's update makes of the knobs at these values."""
        machine, self._values = self._machine, values
        kept = machine.whole.copy(), machine.data.copy()
        with machine.quiet():
            self._restore()
            self._play(self._first, (len(self.program), 0), self._events)
        after = self._now()
        machine.whole[...], machine.data[...] = kept
        return after

    # Inside

    def _load(self, start: Start, turned: frozenset[str]) -> None:
        edited = frozenset(edit.slot for edit in start.timeline.edits)
        for name, array in start.arrays.items():
            if self.program.slots[name].kind != "data" or name in edited | self._changed:
                np.copyto(self._machine.arrays[name], array)
        self._changed = edited | turned

    def _with(self, edits: Sequence[Event], action: Callable[[int], Callable[[], None]]) -> list[Event]:
        """Edits, and what is done with each knob where it is turned: after an edit at the same place."""
        return sorted([*edits, *((knob.place, action(k)) for k, knob in enumerate(self._knobs))], key=_when)

    def _present(self, edits: Sequence[Event]) -> tuple[float, ...]:
        """The knobs' values, each where it is turned."""
        found: dict[int, float] = {}

        def note(k: int) -> Callable[[], None]:
            return lambda: found.__setitem__(k, float(self._cells[k][0]))

        last = max(knob.place for knob in self._knobs)
        events = [event for event in self._with(edits, note) if event[0] <= last]
        self._play(self._first, last, events)
        return tuple(found[k] for k in range(len(self._knobs)))

    def _now(self) -> tuple[float, ...]:
        return tuple(float(cell[0]) for cell in self._cells)

    def _restore(self) -> None:
        if self._kept is not None:
            self._machine.whole[...], self._machine.data[...] = self._kept

    def _turn(self, k: int) -> Callable[[], None]:
        def turn() -> None:
            self._cells[k][0] = self._values[k]

        return turn

    def _edit(self, edit: Edit) -> Callable[[], None]:
        flat, cells = self._machine.arrays[edit.slot].reshape(-1), list(edit.cells)

        def write() -> None:
            flat[cells] = edit.values

        return write

    def _play(self, here: Place, until: Place, events: Sequence[Event]) -> None:
        for place, action in events:
            self._run(here, place)
            action()
            here = place
        self._run(here, until)

    def _run(self, here: Place, until: Place) -> None:
        """Instructions, the first and the last of them in part."""
        machine, (op, element), (last, part) = self._machine, here, until
        if element and op < last:
            machine.execute(op, element)
            op, element = op + 1, 0
        if op < last:
            machine.segment(op, last)()
            op, element = last, 0
        if part > element:
            machine.execute(op, element, part)


def _place(edit: Edit) -> Place:
    return edit.position.op, edit.position.element


def _when(event: Event) -> Place:
    return event[0]
