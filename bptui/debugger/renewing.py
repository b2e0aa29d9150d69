"""Another program in place of the one that is walked, and what still makes sense of where one was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bptui.debugger import breakpoints, expressions, memento
from bptui.debugger.branches import Branches
from bptui.debugger.debugger import Debugger
from bptui.debugger.stops import Breakpoints
from bptui.debugger.watches import Watches
from bptui.engine.network import Network
from bptui.engine.ops.row import Shape
from bptui.engine.program import Program
from bptui.engine.timeline import START, Edit, Position


def restart(debugger: Debugger, network: Network) -> list[str]:
    """Begin anew with another network, breakpoints and watches kept; what could not be, in words.

    Raises NetworkError; then nothing was changed.
    """
    stops, watches = debugger.breakpoints, debugger.watches
    debugger.load(network)
    return [*_with_breakpoints(debugger, stops), *_with_watches(debugger, watches)]


def renew(debugger: Debugger, network: Network) -> tuple[Position, list[str]]:
    """The same with the edits kept too: (where one was, or the nearest to it; what could not be kept).

    One stands at the very start: to go there may take long. Where the programs have the same operations all branches
    stay, and what can be undone; else the edits of the branch that was looked at, of slots that are still of their
    shape. Raises NetworkError; then nothing was changed.
    """
    branches, old, here, kept = debugger.branches, debugger.program, debugger.position, memento.memento(debugger)
    lost = restart(debugger, network)
    if _fit(branches, old, debugger.program):
        stops, watches = debugger.breakpoints, debugger.watches
        kept = {key: value for key, value in kept.items() if key.partition("/")[0] not in ("breakpoint", "watch")}
        memento.restore(debugger, {**kept, "position": str(START)})
        debugger.breakpoints, debugger.watches = stops, watches
    else:
        lost += _with_edits(debugger, branches, old)
    return nearest(here, old, debugger.program), lost


def nearest(position: Position, old: Program, new: Program) -> Position:
    """The same position in another program, its end where it was at the end, else the nearest."""
    if position.op >= min(len(old), len(new)):
        return Position(position.iteration, len(new))
    return position._replace(element=min(position.element, max(0, new.size(position.op) - 1)))


def _fit(branches: Branches, old: Program, new: Program) -> bool:
    """Whether all that was done on one program can stand as it is on another."""
    if [(i.op, i.writes) for i in old.instructions] != [(i.op, i.writes) for i in new.instructions]:
        return False
    return all(_shape(old, slot) == _shape(new, slot) for slot in {**old.slots, **new.slots}) and all(
        _stands(edit, old, new) for edit in _edits(branches)
    )


def _shape(program: Program, slot: str) -> Shape | None:
    return program.slots[slot].shape if slot in program.slots else None


def _edits(branches: Branches) -> Iterator[Edit]:
    """Every edit that there is, or may be again."""
    changes = [*branches.undoable, *branches.redoable]
    states = [state for change in changes for state in (*change.before.values(), *change.after.values()) if state]
    for branch in (*branches.all.values(), *states):
        yield from branch.timeline.edits


def _stands(edit: Edit, old: Program, new: Program) -> bool:
    """Whether the cells of an edit are still there."""
    slot = new.slots.get(edit.slot)
    return slot is not None and slot.editable and slot.shape == old.slots[edit.slot].shape


def _place(edit: Edit, old: Program, new: Program) -> Position:
    """Where an edit holds from in another program: of what an iteration computes, not before that is written."""
    place, writer = nearest(edit.position, old, new), new.writers.get(edit.slot, -1)
    if not new.slots[edit.slot].persistent and place.op <= writer:
        return Position(place.iteration, writer + 1)
    return place


def _with_breakpoints(debugger: Debugger, old: Breakpoints) -> list[str]:
    """Take over the breakpoints that the program still understands, none of them met yet."""
    lost = []
    for number, one in old.all.items():
        try:
            condition = breakpoints.parse(debugger.program, one.condition.text)
        except ValueError:
            lost.append(f"breakpoint {number} ({one.text})")
        else:
            debugger.breakpoints.put(replace(one, condition=condition, hits=0))
    debugger.breakpoints.following = old.following
    return lost


def _with_watches(debugger: Debugger, old: Watches) -> list[str]:
    lost = []
    for number, one in old.all.items():
        try:
            debugger.watches.put(number, expressions.parse(debugger.program, one.text))
        except ValueError:
            lost.append(f"watch {number} ({one.text})")
    debugger.watches.following = old.following
    return lost


def _with_edits(debugger: Debugger, old: Branches, before: Program) -> list[str]:
    """Make the edits of the branch that was looked at again, where their cells are still there."""
    program, lost = debugger.program, []
    for edit in old.current.timeline.edits:
        if _stands(edit, before, program):
            debugger.branches.edit(replace(edit, position=_place(edit, before, program)), START)
        else:
            lost.append(edit.text)
    debugger.goto(START)
    others = [name for name in old.all if name != old.name]
    return [*lost, *([f"branch {', '.join(others)}"] if others else [])]
