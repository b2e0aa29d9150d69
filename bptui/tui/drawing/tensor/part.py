"""What of a tensor is edited at once as text, and that text."""

from __future__ import annotations

from dataclasses import dataclass

from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.tui.drawing.tensor.plane import plane

# So many numbers are set in a moment.
MOST = 4096


@dataclass(frozen=True)
class Part:
    """Flat cells of a slot from `first` to `last`, in rows of so many, with the name that an edit of them has."""

    name: str
    title: str
    first: int
    last: int
    columns: int


def around(program: Program, slot: str, cell: int) -> Part:
    """The matrix that a cell lies in; of a large one as many of its rows, or of its row's cells, as can be edited."""
    seen = plane(program, (slot, cell))
    shape = program.slots[slot].shape
    form = "×".join(map(str, shape)) or "one number"
    lead = [str(k) for k in seen.lead]
    if seen.size <= MOST:
        name = f"{slot}[{', '.join(lead)}]" if lead else slot
        part = "" if not lead else f"   {seen.rows}×{seen.columns} of {form}"
        return Part(name, f"{name}{part or f'   {form}'}", seen.first, seen.first + seen.size - 1, seen.columns)
    row, column = seen.place(cell)
    rows = MOST // seen.columns
    if rows:
        columns, start = seen.columns, min(row // rows * rows, seen.rows - rows)
        index, first = [f"{start}:{start + rows}"], seen.cell(start, 0)
    else:
        rows, columns, start = 1, MOST, min(column // MOST * MOST, seen.columns - MOST)
        index, first = [str(row), f"{start}:{start + MOST}"], seen.cell(row, start)
    name = f"{slot}[{', '.join([*lead, *index])}]"
    title = f"{name}   {rows}×{columns} of {form}, around the cursor: at most {MOST} numbers at once"
    return Part(name, title, first, first + rows * columns - 1, columns)


def table_text(numbers: Array) -> str:
    """A row a line, every number as short as it can be told from others, columns below each other."""
    cells = [[str(number) for number in row] for row in numbers]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(f"{text:>{w}}" for text, w in zip(row, wide, strict=True)) for row in cells)
