"""What can be turned, and where in an iteration it has to be turned so that the loss hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.engine.timeline import Edit, Position, Timeline, normal

# (instructions done, elements done of the next)
Place = tuple[int, int]


class ProbeError(ValueError):
    """A cell on which no loss depends; the message says why, in a line."""


@dataclass(frozen=True)
class Knob:
    """A cell whose value is turned.

    place  where in the iteration: from there on it is read for the last time before the loss
    after  the loss meant is that of the same rows after the update: nothing that is computed before depends on the cell
    """

    slot: str
    cell: int
    place: Place
    after: bool = False


@dataclass(frozen=True, eq=False)
class Start:
    """The start of an iteration: what a timeline has there in each slot that lasts."""

    timeline: Timeline
    iteration: int
    arrays: dict[str, Array]

    @property
    def program(self) -> Program:
        """The program that is run again."""
        return self.timeline.program

    def edits(self) -> Iterator[Edit]:
        """Those made within the iteration, up to its last instruction, in order."""
        t, count = self.iteration, len(self.program)
        begun = normal(self.program, t, 0, 0)
        return (e for e in self.timeline.between(begun, Position(t, count)) if e.position.op < count)


def turned(program: Program, slot: str, cell: int) -> tuple[str, int]:
    """The cell that is meant: a gradient stands for what it is the gradient of."""
    one = program.slots[slot]
    return (one.of, cell) if one.kind == "gradient" and one.of in program.slots else (slot, cell)


def knob(start: Start, slot: str, cell: int) -> Knob:
    """Where a cell is turned: as late as the loss, or that after the update, still depends on it. Raises ProbeError."""
    program = start.program
    name = program.name(slot)
    if program.slots[slot].given:
        raise ProbeError(f"{name} follows from the iteration: it has no other values to try")
    if slot == "loss":
        raise ProbeError("this is the loss itself: choose something that it depends on")
    places = list(_places(start, slot, cell))
    for op, element in reversed(places):
        first = _first_read(program, slot, op, program.loss_index + 1)
        if first is not None and "loss" in _reached(program, slot, op, program.loss_index + 1):
            return Knob(slot, cell, (op, element) if first == op and element else (first, 0))
    for op, element in reversed(places):
        reached = _reached(program, slot, op, len(program))
        if any(program.slots[one].kind == "parameter" for one in reached - {slot}):
            return Knob(slot, cell, (op, element), after=True)
    raise ProbeError(f"the loss does not depend on {name}")


def _places(start: Start, slot: str, cell: int) -> Iterator[Place]:
    """Where a cell gets a value in an iteration: its start or what writes it, and edits by hand."""
    program = start.program
    lasting = program.slots[slot].persistent
    yield (0, 0) if lasting else (program.writers[slot] + 1, 0)
    for edit in start.edits():
        if edit.slot == slot and cell in edit.cells:
            yield edit.position.op, edit.position.element


def _first_read(program: Program, slot: str, first: int, stop: int) -> int | None:
    return next((k for k in range(first, stop) if slot in program.instructions[k].reads), None)


def _reached(program: Program, slot: str, first: int, stop: int) -> set[str]:
    """The slots that come to differ where one does, by instructions first … stop − 1."""
    found = {slot}
    for instruction in program.instructions[first:stop]:
        if not found.isdisjoint(instruction.reads):
            found.add(instruction.writes)
    return found
