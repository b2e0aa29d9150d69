"""What the rows and columns of a matrix are called, where a person or the data have names for them."""

from __future__ import annotations

from functools import lru_cache

from bptui.engine.program import Program
from bptui.files.text import safe
from bptui.tui.drawing.tensor.plane import Plane

Labels = list[str]


def headings(program: Program, plane: Plane) -> tuple[Labels, Labels]:
    """The names of the rows and of the columns; none where they only have numbers."""
    return _headings(program, plane.slot) if len(plane.shape) == 2 else ([], [])


@lru_cache(maxsize=64)
def _headings(program: Program, slot: str) -> tuple[Labels, Labels]:
    kind = program.slots[slot].kind
    if kind in ("value", "data"):
        return [], _columns(program, slot)
    reader = next((i for i in program.instructions if i.phase == "forward" and slot in i.reads[1:2]), None)
    if kind != "parameter" or reader is None or not reader.op.startswith("dense"):
        return [], []
    return _columns(program, reader.reads[0], program.slots[slot].shape[0]), _columns(
        program, reader.writes, program.slots[slot].shape[1]
    )


def _columns(program: Program, slot: str, count: int | None = None) -> Labels:
    """The names of a slot's columns: its labels, or of outputs and targets the classes."""
    shape = program.slots[slot].shape
    if len(shape) != 2 or (count is not None and shape[1] != count):
        return []
    labels = program.cell_names.get(slot)
    if labels is not None and any(labels[: shape[1]]):
        return [safe(label) for label in labels[: shape[1]]]
    classes = program.network.classes
    outputs = {program.output, "y", "Y"}
    return [safe(name) for name in classes] if slot in outputs and len(classes) == shape[1] else []
