"""Two timelines side by side: the same position on both, what differs there, and where they part."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bptui.engine.network import Array
from bptui.engine.player import Player, State
from bptui.engine.program import Program
from bptui.engine.timeline import START, Edit, Position, Timeline, first_difference, normal


@dataclass(frozen=True, eq=False)
class Row:
    """A slot on both sides.

    left, right  its values; cells not computed are nan
    largest      the largest difference of two cells, nan where one is no number and the other is
    differing    how many cells differ
    """

    slot: str
    left: Array
    right: Array
    largest: float
    differing: int


@dataclass(frozen=True, eq=False)
class Parting:
    """The first instruction, by its index on the left, that gives another result on the right.

    index  -1 where none has yet: a hand has changed the slot at `position`, or it begins otherwise at the very start
    edits  those that one side has and the other has not, up to here
    """

    position: Position
    index: int
    slot: str
    left: Array
    right: Array
    edits: tuple[tuple[str, Edit], ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two timelines at one moment.

    position, other  where the left one stands, and the right one: the same but for another order of operations
    parting          None where nothing differs up to here
    losses           (left, right): of each iteration up to here; `every` as in a View
    """

    names: tuple[str, str]
    position: Position
    other: Position
    parting: Parting | None
    rows: tuple[Row, ...]
    losses: tuple[Array, Array]
    every: tuple[int, int]


def compare(names: tuple[str, str], left: Player, right: Player, here: Position) -> Comparison:
    """Both at a position of the left one. The players end up there."""
    timelines = left.timeline, right.timeline
    parting = _parting(names, left, right, here)
    there = counterpart(timelines[0].program, timelines[1].program, here)
    left.goto(timelines[0], here)
    right.goto(timelines[1], there)
    states = left.state(), right.state()
    return Comparison(
        names,
        here,
        there,
        parting,
        tuple(_rows(timelines[0].program, *states)),
        (losses(left, states[0]), losses(right, states[1])),
        (left.losses.step, right.losses.step),
    )


def importance(row: Row) -> tuple[bool, float]:
    """The loss first, then what differs most; what is no number any more differs infinitely."""
    return row.slot != "loss", -row.largest if not math.isnan(row.largest) else -math.inf


def counterpart(program: Program, other: Program, here: Position) -> Position:
    """The position of another program at which the same slot has just been written in the same iteration."""
    if other is program:
        return here
    if here == START:
        return START
    if here.op == len(program):
        return Position(here.iteration, len(other))
    done = here.op - (not here.element)
    slot = program.instructions[done].writes if done >= 0 else ""
    return normal(other, here.iteration, other.writers.get(slot, min(done, len(other) - 1)) + 1, 0)


def losses(player: Player, state: State) -> Array:
    """The loss of every iteration up to a state that a player stands at; the present one's once it is computed."""
    known = player.losses.until(state.position.iteration)
    return np.append(known, state.arrays["loss"]) if state.computed["loss"] else known


def _rows(program: Program, left: State, right: State) -> Iterator[Row]:
    for slot in program.slots:
        array, other = left.arrays[slot], right.arrays.get(slot)
        if other is None or other.shape != array.shape or not (left.computed[slot] and right.computed[slot]):
            continue
        differs = _differing(array, other)
        yield Row(slot, array, other, _largest(array, other, differs), int(differs.sum()))


def _differing(left: Array, right: Array) -> Array:
    """Flags of the cells that differ; nan is like nan."""
    return np.asarray((left != right) & ~(np.isnan(left) & np.isnan(right)))


def _largest(left: Array, right: Array, differs: Array) -> float:
    if not differs.any():
        return 0.0
    with np.errstate(all="ignore"):
        return float(np.abs(np.subtract(left, right, dtype=np.float64)[differs]).max())


def _parting(names: tuple[str, str], left: Player, right: Player, here: Position) -> Parting | None:
    """Looked for from the first iteration that an edit of one side alone can have changed."""
    timelines = left.timeline, right.timeline
    same = timelines[0].program is timelines[1].program
    first = first_difference(*timelines)[0] if same else START
    if first is None or first > here:
        return None
    edits = tuple(_own(names, timelines, here))
    for t in range(first.iteration, here.iteration + 1):
        states = _at_end(left, right, t, here)
        found = _first_differing(timelines[0].program, *states, [e for _, e in edits if e.position.iteration == t])
        if found is not None:
            index, slot = found
            values = states[0].arrays[slot].copy(), states[1].arrays[slot].copy()
            return Parting(Position(t, index + 1), index, slot, *values, edits)
    row = next(
        (row for row in _rows(timelines[0].program, *_at_end(left, right, here.iteration, here)) if row.differing), None
    )
    return (
        None if row is None else Parting(_changed_at(row.slot, edits, first), -1, row.slot, row.left, row.right, edits)
    )


def _changed_at(slot: str, edits: Sequence[tuple[str, Edit]], first: Position) -> Position:
    """Where a hand laid on one side alone has changed a slot; `first` where none has."""
    return next((edit.position for _, edit in edits if edit.slot == slot), first)


def _own(names: tuple[str, str], timelines: tuple[Timeline, Timeline], here: Position) -> Iterator[tuple[str, Edit]]:
    """(side, edit) for what one side has and the other has not."""
    for name, timeline, other in ((names[0], *timelines), (names[1], *timelines[::-1])):
        yield from ((name, edit) for edit in timeline.ordered if edit not in other.edits and edit.position <= here)


def _at_end(left: Player, right: Player, t: int, here: Position) -> tuple[State, State]:
    """Both at the end of iteration t, or here if that is before."""
    there = min(here, Position(t, len(left.program)))
    left.goto(left.timeline, there)
    right.goto(right.timeline, counterpart(left.program, right.program, there))
    return left.live(), right.live()


def _first_differing(program: Program, left: State, right: State, edits: list[Edit]) -> tuple[int, str] | None:
    """(index, slot) of the first instruction of an iteration with another result; not one that a hand has changed."""
    by_hand = {edit.slot for edit in edits}
    for index, instruction in enumerate(program.instructions):
        slot = instruction.writes
        other = right.arrays.get(slot)
        if slot in by_hand or other is None or other.shape != left.arrays[slot].shape:
            continue
        if not (left.computed[slot] and right.computed[slot]) or _unreached(program, left.position, index):
            continue
        if _differing(left.arrays[slot], other).any():
            return index, slot
    return None


def _unreached(program: Program, here: Position, index: int) -> bool:
    """Whether an instruction has not been done yet: what lasts then holds its old value."""
    slot = program.instructions[index].writes
    return program.slots[slot].persistent and index >= here.op
