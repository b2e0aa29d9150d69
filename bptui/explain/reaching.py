"""Which cells a cell was made of, in the order of the op's arguments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptui.engine.program import Program
from bptui.engine.reach import operands


def sources(program: Program, index: int, cell: int) -> Iterator[tuple[str, int]]:
    """(slot, flat cell) of everything that cell `cell` of instruction `index`'s result depends on directly."""
    instruction = program.instructions[index]
    at = tuple(int(k) for k in np.unravel_index(cell, program.slots[instruction.writes].shape))
    for role, slot in instruction.roles.items():
        shape = program.slots[slot].shape
        cells = np.arange(program.slots[slot].size).reshape(shape)
        if instruction.row.reach == "draw":
            continue
        for flat in np.ravel(cells[operands(instruction.row, role, shape, at)]):
            yield slot, int(flat)
