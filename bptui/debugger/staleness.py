"""Which numbers on the screen no longer follow from those they were computed from.

Two kinds. *Outdated by an edit*: computed before an edit that it depends on. *Of the old weights*: its weights have
been updated since. An edit counts for those that read the value it replaced: a weight edited after its update has
outdated nothing, since what was computed from the weight before is of the old weights already.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bptui.engine.network import Array
from bptui.engine.program import Instruction, Program
from bptui.engine.reach import spread
from bptui.engine.timeline import Edit, Position, Timeline


@dataclass(frozen=True, eq=False)
class Staleness:
    """outdated: slot → boolean mask of its shape; causes: slot → the first edit that outdated it; old: whole slots."""

    outdated: dict[str, Array] = field(default_factory=dict)
    causes: dict[str, Edit] = field(default_factory=dict)
    old: frozenset[str] = frozenset()


def staleness(timeline: Timeline, position: Position) -> Staleness:
    """What is stale at a position of a timeline."""
    program = timeline.program
    start = Position(position.iteration)
    edits = [edit for edit in timeline.between(start, position) if edit.position.iteration == position.iteration]
    done = position.op + (position.element > 0)
    outdated, causes = _outdated(program, edits, done) if edits else ({}, {})
    return Staleness(outdated, causes, _of_old_weights(program, done))


def _outdated(program: Program, edits: list[Edit], done: int) -> tuple[dict[str, Array], dict[str, Edit]]:
    outdated: dict[str, Array] = {}
    causes: dict[str, Edit] = {}
    for k, instruction in enumerate(program.instructions[:done]):
        mask, cause = _inherited(program, instruction, outdated, causes)
        for edit in edits:
            hit = _hit(program, k, instruction, edit)
            if hit is not None and hit.any():
                cause = cause or edit
                mask |= hit
        _clear(mask, k, instruction, edits)
        if mask.any() and cause is not None:
            outdated[instruction.writes], causes[instruction.writes] = mask, cause
    return outdated, causes


def _inherited(
    program: Program, instruction: Instruction, outdated: dict[str, Array], causes: dict[str, Edit]
) -> tuple[Array, Edit | None]:
    """What an instruction's result takes over from operands that are outdated themselves."""
    masks = {role: outdated[slot] for role, slot in instruction.roles.items() if slot in outdated}
    cause = next((causes[slot] for slot in instruction.reads if slot in causes), None)
    return _spread(program, instruction, masks), cause


def _hit(program: Program, k: int, instruction: Instruction, edit: Edit) -> Array | None:
    """The cells of instruction k's result that were computed before an edit of what they depend on."""
    if edit.slot not in instruction.reads or edit.position.op < k or not _still_read(program, k, edit):
        return None
    before = program.size(k) if edit.position.op > k else edit.position.element
    if not before:
        return None
    slot = program.slots[edit.slot]
    cells = np.zeros(slot.size, bool)
    cells[list(edit.cells)] = True
    masks = {role: cells.reshape(slot.shape) for role, name in instruction.roles.items() if name == edit.slot}
    mask = _spread(program, instruction, masks)
    mask.reshape(-1)[before:] = False
    return mask


def _spread(program: Program, instruction: Instruction, masks: dict[str, Array]) -> Array:
    """The cells of an instruction's result that depend on a marked cell of what it reads."""
    shapes = {role: program.slots[slot].shape for role, slot in instruction.roles.items()}
    return spread(instruction.text, shapes, masks)


def _still_read(program: Program, k: int, edit: Edit) -> bool:
    """Whether the edit replaced the value that instruction k read, rather than one written since."""
    writer = program.writers.get(edit.slot)
    return writer is None or writer < k or edit.position.op <= writer


def _clear(mask: Array, k: int, instruction: Instruction, edits: list[Edit]) -> None:
    """A cell set by hand after it was computed is what the person wants it to be."""
    for edit in edits:
        if edit.slot == instruction.writes and edit.position.op >= k:
            there = [cell for cell in edit.cells if edit.position.op > k or cell < edit.position.element]
            mask.reshape(-1)[there] = False


def _of_old_weights(program: Program, done: int) -> frozenset[str]:
    updated = {instruction.writes for instruction in program.instructions[:done] if instruction.phase == "update"}
    if not updated:
        return frozenset()
    old: set[str] = set()
    for instruction in program.instructions[:done]:
        if instruction.phase != "update" and (updated | old) & set(instruction.reads):
            old.add(instruction.writes)
    waiting = {f"{i.writes}.grad" for i in program.instructions[done:] if i.phase == "update"}
    return frozenset(old - waiting)
