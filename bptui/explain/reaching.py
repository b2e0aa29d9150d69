"""Which cells a cell was made of, in the order of the op's arguments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptui.engine.program import Program
from bptui.engine.reach import operands


def sources(program: Program, index: int, cell: int) -> Iterator[tuple[str, int]]:
    """(slot, flat cell) of everything that cell `cell` of instruction `index`'s result depends on directly."""
    instruction = program.instructions[index]
    if instruction.op == "draw":
        return
    marks = np.zeros(program.slots[instruction.writes].shape, bool)
    marks.reshape(-1)[cell] = True
    found = operands(instruction.text, program.shapes(index), marks)
    for role, slot in instruction.roles.items():
        for flat in np.flatnonzero(found[role]):
            yield slot, int(flat)
