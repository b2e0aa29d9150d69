"""What reads a value: every instruction from where it was written to where it is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bptui.engine import initial
from bptui.engine.lifeline import Origin, past, writers
from bptui.engine.network import Array
from bptui.engine.player import State
from bptui.engine.program import Program, Target
from bptui.engine.reach import spread
from bptui.engine.timeline import Position, Timeline, normal

Look = Callable[[Position], State]
_LOOKS_UP = (".take(", "scatter(", "[rows]")


@dataclass(frozen=True, eq=False)
class Use:
    """An instruction that reads the value: the place just behind it, and the cells of its result that depend on it."""

    position: Position
    index: int
    cells: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Uses:
    """since: where the value is from; found: in the order of time; until: what replaces it, None where nothing does.

    again  it is read so in every iteration, of which one is told
    """

    since: Origin
    found: tuple[Use, ...]
    until: Origin | None
    again: bool = False


def uses(timeline: Timeline, target: Target, position: Position, look: Look) -> Uses | None:
    """Who reads the value that cells have at a position; None where they have none.

    look  the state at a position, for the numbers of rows that are looked up
    """
    program = timeline.program
    since = next(past(timeline, target.slot, target.cells, position), None)
    if since is None:
        return None
    until = _replaced(timeline, target, since, position)
    again = until is None and program.slots[target.slot].persistent
    first, last = _span(program, target, since, until, position)
    found: list[Use] = []
    for t in range(first, last + 1):
        found += _reads(timeline, target, t, since, until, look)
        if again and found:
            break
    return Uses(since, tuple(found), until, again)


def _replaced(timeline: Timeline, target: Target, since: Origin, position: Position) -> Origin | None:
    """The next write or edit of the cells."""
    program, slot = timeline.program, timeline.program.slots[target.slot]
    born = (since.position, since.edit.serial if since.edit else 0)
    edits = [e for e in timeline.ordered if e.slot == target.slot and not set(e.cells).isdisjoint(target.cells)]
    later = [e for e in edits if (e.position, e.serial) > born]
    if not slot.persistent:
        later = [e for e in later if e.position.iteration == position.iteration]
    written = _written_next(program, target, since) if slot.persistent else None
    edit = later[0] if later else None
    if edit is not None and (written is None or edit.position < written.position):
        return Origin(edit.position, edit=edit)
    return written


def _written_next(program: Program, target: Target, since: Origin) -> Origin | None:
    cell = max(target.cells, default=0)
    for t in (since.position.iteration, since.position.iteration + 1):
        for k in writers(program, target.slot):
            done = normal(program, t, k + 1, 0)
            if normal(program, t, k, cell + 1) > since.position and (t, k) != (since.position.iteration, since.index):
                return Origin(done, k)
    return None


def _span(program: Program, target: Target, since: Origin, until: Origin | None, position: Position) -> tuple[int, int]:
    """The first and the last iteration in which the value may be read."""
    slot = program.slots[target.slot]
    if not slot.persistent:
        return position.iteration, position.iteration
    if until is not None:
        return since.position.iteration, until.position.iteration
    first = max(since.position.iteration, position.iteration + (position.op == len(program)))
    # A row of the data is drawn once in an epoch, which may be nearly over; else every iteration reads the same.
    batch = program.network.batch or 1
    epochs = 2 * (len(program.network.x) // batch) if program.network.drawn else 0
    return first, first + epochs


def _reads(
    timeline: Timeline, target: Target, t: int, since: Origin, until: Origin | None, look: Look
) -> Iterator[Use]:
    program = timeline.program
    for k, instruction in enumerate(program.instructions):
        if target.slot not in instruction.reads:
            continue
        cells = _fed(timeline, target, (t, k), since, until, look)
        if cells:
            yield Use(normal(program, t, k + 1, 0), k, cells)


def _fed(
    timeline: Timeline, target: Target, at: tuple[int, int], since: Origin, until: Origin | None, look: Look
) -> tuple[int, ...]:
    """The cells of an instruction's result that were, or will be, made of the value."""
    program, (t, k) = timeline.program, at
    slot, instruction = program.slots[target.slot], program.instructions[k]
    first = _first_after(program, since.position, t, k) if since.index != k or since.position.iteration != t else None
    last = program.size(k) if until is None else _first_after(program, until.position, t, k)
    if until is not None and until.index == k and until.position.iteration == t:
        last = program.size(k)
    if first is None or first >= last:
        return ()
    marks = np.zeros(slot.size, bool)
    marks[list(target.cells)] = True
    masks = {role: marks.reshape(slot.shape) for role, name in instruction.roles.items() if name == target.slot}
    values = _numbers(program, at, look)
    fed = np.flatnonzero(spread(instruction.text, program.shapes(k), masks, values))
    return tuple(int(cell) for cell in fed if first <= cell < last)


def _first_after(program: Program, position: Position, t: int, k: int) -> int:
    """The first cell of instruction k in iteration t that is computed after a position; its size where none is."""
    if position <= normal(program, t, k, 0):
        return 0
    return position.element if (position.iteration, position.op) == (t, k) else program.size(k)


def _numbers(program: Program, at: tuple[int, int], look: Look) -> dict[str, Array]:
    """Role → its array, where an instruction looks up rows by their numbers."""
    (t, k), network = at, program.network
    instruction = program.instructions[k]
    if instruction.op == "draw":
        assert network.batch is not None
        return {"rows": initial.rows(network.seed, t, len(network.x), network.batch)}
    if not any(word in instruction.text for word in _LOOKS_UP):
        return {}
    state = look(normal(program, t, k, 0))
    return {role: state.arrays[slot] for role, slot in instruction.roles.items()}
