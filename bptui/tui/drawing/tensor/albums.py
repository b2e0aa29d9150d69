"""Which tensors are pictures: data and activations row by row, kernels, and weights that look at pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bptui.engine.network import Array
from bptui.engine.ops.row import Shape
from bptui.engine.program import Program
from bptui.explain.notation import Names
from bptui.files.data.builtin import PICTURES

# A weight that looks at less than this would be no picture that anybody could read.
_LEAST = 3


@dataclass(frozen=True)
class Album:
    """A tensor as pictures.

    count, height, width  how many there are, and their sides in cells
    turned  each picture is a column of a matrix rather than a stretch of cells; a column may be several, one below
            the other, a channel each
    lead    the sides of what numbers the pictures: (batch, channels), or (count,)
    """

    height: int
    width: int
    lead: Shape
    turned: bool = False

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return math.prod(self.lead)

    @property
    def size(self) -> int:
        """How many cells a picture has."""
        return self.height * self.width

    @property
    def _channels(self) -> int:
        return self.lead[1] if self.turned and len(self.lead) > 1 else 1

    def cells(self, array: Array, first: int, last: int) -> Array:
        """Pictures from one to another, as (pictures, height, width)."""
        if not self.turned:
            flat = array.reshape(-1)[first * self.size : last * self.size]
            return flat.reshape(-1, self.height, self.width)
        matrix = array.reshape(self._channels, self.size, self.lead[0])
        chosen = np.arange(first, last)
        found = matrix[chosen % self._channels, :, chosen // self._channels]
        return found.reshape(-1, self.height, self.width)

    def cell(self, picture: int, place: int) -> int:
        """The flat cell at a place of a picture, its places counted row by row."""
        if not self.turned:
            return picture * self.size + place
        column, channel = divmod(picture, self._channels)
        return (channel * self.size + place) * self.lead[0] + column

    def place(self, cell: int) -> tuple[int, int]:
        """The picture that a flat cell is in, and its place there."""
        if not self.turned:
            return divmod(cell, self.size)
        row, column = divmod(cell, self.lead[0])
        channel, place = divmod(row, self.size)
        return column * self._channels + channel, place

    def index(self, picture: int) -> tuple[int, ...]:
        """What numbers a picture."""
        return tuple(int(k) for k in np.unravel_index(picture, self.lead))


@lru_cache(maxsize=64)
def album(program: Program, slot: str) -> Album | None:
    """The pictures that a slot holds, if it does."""
    shape = program.slots[slot].shape
    base = Names(program).base(slot)
    if base != slot and program.slots[base].shape == shape:
        return album(program, base)
    if len(shape) > 2:
        return Album(shape[-2], shape[-1], shape[:-2]) if min(shape[-2:]) > 1 else None
    if len(shape) != 2:
        return None
    sides = picture_of_row(program, slot)
    if sides:
        return Album(sides[-2], sides[-1], (shape[0], *sides[:-2]))
    sides = _looked_at(program, slot)
    if sides and min(sides[-2:]) >= _LEAST:
        return Album(sides[-2], sides[-1], (shape[1], *sides[:-2]), turned=True)
    return None


def picture_of_row(program: Program, slot: str) -> Shape:
    """The sides of what each row of a matrix is a picture of: (height, width), channels before them; or ()."""
    columns = program.slots[slot].shape[-1]
    source = program.network.source or {}
    sides = PICTURES.get(str(source.get("use")), ())
    if slot in ("x", "X"):
        return sides if math.prod(sides) == columns else ()
    writer = program.writers.get(slot)
    if writer is None or program.instructions[writer].op != "reshape":
        return ()
    before = program.slots[program.instructions[writer].reads[0]].shape
    flattened = len(before) > 3 and math.prod(before[1:]) == columns and min(before[-2:]) > 1
    return before[1:] if flattened else ()


def _looked_at(program: Program, slot: str) -> Shape:
    """The sides of the pictures that the rows of a weight matrix are multiplied with."""
    if program.slots[slot].kind != "parameter":
        return ()
    reader = next((i for i in program.instructions if i.phase == "forward" and slot in i.reads[1:2]), None)
    if reader is None or not reader.op.startswith("dense"):
        return ()
    read = program.slots[reader.reads[0]]
    return picture_of_row(program, read.name) if len(read.shape) == 2 else ()
