"""What a cell has been through: every write and every edit of it, from a position back to what it began with.

It follows from the program and the edits alone; no array is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bptui.engine.program import Program
from bptui.engine.timeline import START, Edit, Position, Timeline, normal


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a cell got a value: from an instruction, from an edit, or (neither) from what it began with.

    position  just after it got it: the instruction done, or as far as it is done; the edit's place; else the start
    index     the instruction that wrote it
    """

    position: Position
    index: int | None = None
    edit: Edit | None = None

    def is_at(self, position: Position) -> bool:
        """Whether somebody at a position stands where the cell got its value."""
        if self.index is None:
            return self.position == position
        return (position.iteration, last_done(position)) == (self.position.iteration, self.index)


@dataclass(frozen=True, eq=False)
class Change:
    """A cell's value before and after one write or edit."""

    origin: Origin
    before: float
    after: float

    @property
    def by(self) -> float:
        """How much was added."""
        return self.after - self.before


def last_done(position: Position) -> int | None:
    """The index of the instruction done last, or half done; None at the very start."""
    if position.element:
        return position.op
    return position.op - 1 if position.op else None


def writers(program: Program, slot: str) -> list[int]:
    """Every instruction that writes a slot, in order: weight decay and a step may both change a weight."""
    return [k for k, instruction in enumerate(program.instructions) if instruction.writes == slot]


def begun_by(program: Program, index: int) -> int:
    """The first of the instructions that write what this one does: a decay and a step are one update of a weight."""
    return writers(program, program.instructions[index].writes)[0]


def half_written(program: Program, slot: str, index: int) -> bool:
    """Whether just after an instruction a slot is between two instructions that write it."""
    found = writers(program, slot)
    return bool(found) and found[0] <= index < found[-1]


def past(timeline: Timeline, slot: str, cells: Collection[int], position: Position) -> Iterator[Origin]:
    """Where cells got the values that they have had, the latest first, from a position back.

    A slot that lasts is followed through all iterations to what it began with; one that is computed anew in each, to
    where it was computed. Nothing for what is not computed yet.
    """
    program = timeline.program
    wanted = set(cells)
    edits = [e for e in reversed(timeline.ordered) if e.slot == slot and not wanted.isdisjoint(e.cells)]
    lasts = program.slots[slot].persistent
    waiting = (edit for edit in edits if edit.position <= position)
    edit = next(waiting, None)
    for written, origin in _writes(program, slot, min(cells, default=0), position):
        while edit is not None and edit.position >= written:
            yield Origin(edit.position, edit=edit)
            edit = next(waiting, None)
        yield origin
    while lasts and edit is not None:
        yield Origin(edit.position, edit=edit)
        edit = next(waiting, None)
    if lasts or program.slots[slot].given:
        yield Origin(START)


def _writes(program: Program, slot: str, cell: int, position: Position) -> Iterator[tuple[Position, Origin]]:
    """(when a cell was written, what wrote it), the latest first."""
    found = writers(program, slot)[::-1]
    earliest = 0 if program.slots[slot].persistent else position.iteration
    for t in range(position.iteration, earliest - 1, -1) if found else ():
        for k in found:
            written = normal(program, t, k, cell + 1)
            if written <= position:
                yield written, Origin(min(normal(program, t, k + 1, 0), position), k)


def read_at(timeline: Timeline, iteration: int, index: int, cell: int) -> Position:
    """Whose values instruction `index` read for a cell: those at its beginning, unless an edit was made inside it."""
    begun = normal(timeline.program, iteration, index, 0)
    edits = timeline.between(begun, Position(iteration, index, cell)) if cell else ()
    return max((edit.position for edit in edits), default=begun)


def unedited(timeline: Timeline, slot: str, position: Position) -> Timeline:
    """The timeline without edits of a slot just there: it shows what an instruction wrote, before any hand was laid."""
    edits = tuple(edit for edit in timeline.edits if edit.position != position or edit.slot != slot)
    return timeline if len(edits) == len(timeline.edits) else Timeline(timeline.program, edits)
