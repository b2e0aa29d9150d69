"""The frozen picture of one moment that a front end draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bptui.debugger.staleness import Staleness
from bptui.engine.network import Array
from bptui.engine.player import Moment, State
from bptui.engine.program import Program, Target
from bptui.engine.timeline import Edit, Position, Timeline


@dataclass(frozen=True, eq=False)
class View:
    """Everything that is to be seen at a position.

    moment   the instruction done last (or half done), or None at the very start
    changed  the flat cells of its result that the last step wrote
    losses   the loss of every iteration up to here; the present one's as soon as it is computed
    every    of a very long run only the losses of every 2nd, 4th, … iteration are there
    before   parameter → its value just before this iteration's update of it, where that has begun
    message  what the last command has to say, or ""
    """

    timeline: Timeline
    state: State
    stale: Staleness
    moment: Moment | None
    changed: range
    losses: Array
    before: Mapping[str, Array] = field(default_factory=dict)
    edited: Mapping[str, frozenset[int]] = field(default_factory=dict)
    message: str = ""
    every: int = 1

    @property
    def program(self) -> Program:
        """The program that is walked."""
        return self.timeline.program

    @property
    def position(self) -> Position:
        """Where it is."""
        return self.state.position

    @property
    def done(self) -> int | None:
        """The index of the instruction done last or half done, or None at the very start."""
        return None if self.moment is None else self.moment.index

    @property
    def upcoming(self) -> int:
        """The index of the instruction that the next step works on."""
        return self.position.op % len(self.program)

    @property
    def here(self) -> tuple[int, ...]:
        """The operations that one is at: the one done last, if any, and the next."""
        return (self.upcoming,) if self.done is None else (self.done, self.upcoming)

    @property
    def phase(self) -> str:
        """The phase of the instruction done last, or `start`."""
        return "start" if self.done is None else self.program.instructions[self.done].phase

    def is_computed(self, slot: str, cell: int = 0) -> bool:
        """Whether a cell's value is there."""
        return cell < self.state.computed[slot]

    def is_outdated(self, slot: str, cell: int = 0) -> bool:
        """Whether an edit has outdated a cell."""
        mask = self.stale.outdated.get(slot)
        return mask is not None and bool(mask.reshape(-1)[cell])

    def number(self, slot: str, cell: int = 0) -> float:
        """A cell's value; nan where it is not computed."""
        return float(self.state.arrays[slot].reshape(-1)[cell])


def edited_cells(timeline: Timeline, position: Position) -> dict[str, frozenset[int]]:
    """The cells that still bear a hand-set value's mark: all of lasting slots, and this iteration's of the others."""
    result: dict[str, frozenset[int]] = {}
    for edit in timeline.ordered:
        if edit.position <= position and _holds(timeline.program, edit, position):
            result[edit.slot] = result.get(edit.slot, frozenset()) | set(edit.cells)
    return result


def _holds(program: Program, edit: Edit, position: Position) -> bool:
    """A lasting slot keeps the mark; a value computed anew in each iteration keeps it until that happens."""
    return program.slots[edit.slot].persistent or edit.position.iteration == position.iteration


def last_edit_of(timeline: Timeline, target: Target, after: Position, until: Position) -> Edit | None:
    """The latest edit that touches those cells after one position and no later than another."""
    found = [e for e in timeline.between(after, until) if e.slot == target.slot and set(e.cells) & set(target.cells)]
    return found[-1] if found else None
