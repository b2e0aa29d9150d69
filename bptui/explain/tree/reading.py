"""Which cells a term was made of, and what the values were that an instruction read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bptui.engine.lifeline import Change, read_at
from bptui.engine.player import State
from bptui.engine.program import Program
from bptui.engine.reach import operands
from bptui.engine.terms import Call, Leaf, Let, Term, View
from bptui.engine.timeline import Position, Timeline, normal
from bptui.explain.cells import COPIES, Index, copied, unravelled, viewed
from bptui.explain.lines import Line
from bptui.explain.tree.sums import Piece

_MOST_STATES = 12
Cell = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Source:
    """Where a tree gets its numbers: a timeline, seen from a position.

    look     the state at a position, without going there
    history  every change of a lasting cell up to a position, the earliest first
    """

    timeline: Timeline
    here: Position
    look: Callable[[Position], State]
    history: Callable[[str, int, Position], Sequence[Change]]
    digits: int | None = None
    _states: dict[Position, State] = field(default_factory=dict)

    @property
    def program(self) -> Program:
        """The program whose numbers are told."""
        return self.timeline.program

    def state(self, position: Position) -> State:
        """The state at a position; the last few are kept."""
        if position not in self._states:
            while len(self._states) >= _MOST_STATES:
                del self._states[next(iter(self._states))]
            self._states[position] = self.look(position)
        return self._states[position]

    def value(self, slot: str, cell: int, position: Position) -> float:
        """A cell's value at a position."""
        return float(self.state(position).arrays[slot].reshape(-1)[cell])

    def line(self, iteration: int, index: int, cell: int) -> Line:
        """An instruction's line, on the values that it read for a cell."""
        return Line(self.program, self.program.instructions[index], self._read(iteration, index, cell))

    def _read(self, iteration: int, index: int, cell: int) -> State:
        shared = self._shared(iteration)
        if shared is not None and index < shared.op:
            return self.state(shared)
        position = read_at(self.timeline, iteration, index, cell)
        state = self.state(position)
        if position != normal(self.program, iteration, 0, 0):
            return state
        # What follows from the iteration is there once the iteration has begun.
        begun = self.state(normal(self.program, iteration, 0, 1))
        given = {slot.name: begun.arrays[slot.name] for slot in self.program.slots.values() if slot.given}
        return replace(state, arrays={**state.arrays, **given})

    def _shared(self, iteration: int) -> Position | None:
        """A place whose state has all that was read before the first update, if no edit was made until then."""
        instructions = self.program.instructions
        first = next((k for k, i in enumerate(instructions) if i.phase == "update"), len(instructions))
        end = normal(self.program, iteration, first, 0)
        end = min(end, self.here) if iteration == self.here.iteration else end
        edits = self.timeline.between(normal(self.program, iteration, 0, 0), end)
        return None if end.element or any(True for _ in edits) else end


def made_of(line: Line, piece: Piece) -> list[Cell]:
    """The cells that a term's factors are made of, in the order of the operation's arguments."""
    roles = line.instruction.roles
    values = {role: line.state.arrays[slot] for role, slot in roles.items()}
    shapes = {role: array.shape for role, array in values.items()}
    found = {role: np.zeros(shape, bool) for role, shape in shapes.items()}
    for factor in piece:
        mask = np.zeros(line.shape(factor.part), bool)
        mask[factor.index] = True
        for role, marks in operands(line.instruction.text, shapes, mask, values, factor.part).items():
            found[role] |= marks
    cells = [(slot, int(cell)) for role, slot in roles.items() for cell in np.flatnonzero(found[role])]
    return list(dict.fromkeys(cells))


def bare(line: Line, part: Term, index: Index) -> tuple[str, Index] | None:
    """The role and cell that a part is, if it is nothing but that, seen in whatever way."""
    match part:
        case Leaf(name) if name in line.named:
            return bare(line, line.named[name], index)
        case Leaf(role):
            return role, index
        case Let(_, inner):
            return bare(line, inner, index)
        case View(kind, inner, argument):
            return bare(line, inner, viewed(kind, argument, line.shape(inner), line.shape(part), index))
        case Call(function, parts, constants) if function in COPIES:
            source = copied(function, [line.shape(inner) for inner in parts], constants, index)
            return None if source is None else bare(line, parts[source[0]], source[1])
    return None


def place_of(program: Program, slot: str, cell: int) -> Index:
    """A flat cell's index."""
    return unravelled(cell, program.slots[slot].shape)
