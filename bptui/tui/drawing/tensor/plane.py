"""What of a tensor is seen at once: its last two axes, the others held where the reader is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bptui.engine.network import Array
from bptui.engine.ops.row import Shape
from bptui.engine.program import Program
from bptui.explain.cells import unravelled
from bptui.tui.scene import Scene

Cell = tuple[str, int]
# The views of one tensor.
VIEWS = ("numbers", "heat", "both", "picture")


@dataclass(frozen=True)
class Plane:
    """Rows and columns of a slot. A vector is one column, a number one cell.

    slot   what the values are of; its gradient, where it has one of the same shape, is seen beside it
    lead   the indices at which the other axes are held
    first  the flat cell in the upper left corner
    """

    slot: str
    shape: Shape
    lead: tuple[int, ...]
    rows: int
    columns: int
    first: int

    @property
    def size(self) -> int:
        """How many cells it has."""
        return self.rows * self.columns

    @property
    def sliced(self) -> bool:
        """Whether there are others of the same tensor."""
        return len(self.shape) > 2

    def cell(self, row: int, column: int) -> int:
        """The flat cell of the slot at a place."""
        return self.first + row * self.columns + column

    def place(self, cell: int) -> tuple[int, int]:
        """The row and column of a flat cell."""
        return divmod(cell - self.first, self.columns)

    def spelled(self, name: str) -> str:
        """`z1[3, 2, :, :]`, or the name alone where all of it is seen."""
        return f"{name}[{', '.join([*map(str, self.lead), ':', ':'])}]" if self.sliced else name


def plane(program: Program, cursor: Cell) -> Plane:
    """The plane that a cell lies on."""
    slot = base(program, cursor[0])
    shape = program.slots[slot].shape
    if len(shape) < 2:
        return Plane(slot, shape, (), math.prod(shape), 1, 0)
    rows, columns = shape[-2:]
    number = cursor[1] // (rows * columns)
    return Plane(slot, shape, unravelled(number, shape[:-2]), rows, columns, number * rows * columns)


def base(program: Program, slot: str) -> str:
    """What is shown first: what a gradient is of, or the slot itself."""
    stem = slot.removesuffix(".grad")
    return stem if gradient(program, stem) == slot else slot


def gradient(program: Program, slot: str) -> str:
    """The slot of the gradient that stands beside a slot; "" where there is none."""
    found = program.slots.get(f"{slot}.grad")
    return found.name if found is not None and found.shape == program.slots[slot].shape else ""


def values(scene: Scene, slot: str, seen: Plane) -> Array:
    """The numbers on a plane, (rows, columns); nan where they are not computed."""
    flat = scene.view.state.arrays[slot].reshape(-1)
    return flat[seen.first : seen.first + seen.size].reshape(seen.rows, seen.columns)


def there(scene: Scene, slot: str, seen: Plane) -> int:
    """How many cells of the plane are computed, from its first on."""
    return max(0, min(seen.size, scene.view.state.computed[slot] - seen.first))


def beside(program: Program, order: Sequence[str], cursor: Cell, by: int) -> Cell:
    """The same place in the next or previous plane; past a tensor's ends, a plane of the tensor after or before it."""
    seen, (slot, cell) = plane(program, cursor), cursor
    if seen.sliced and 0 <= cell + by * seen.size < program.slots[slot].size:
        return slot, cell + by * seen.size
    name, _ = tensor_beside(program, order, cursor, by)
    shape = program.slots[name].shape
    last = by < 0 and len(shape) > 2
    return name, program.slots[name].size - math.prod(shape[-2:]) if last else 0


def tensor_beside(program: Program, order: Sequence[str], cursor: Cell, by: int) -> Cell:
    """The first cell of the tensor after or before the cursor's, round and round."""
    slot = base(program, cursor[0])
    here = order.index(slot) if slot in order else 0
    return order[(here + by) % len(order)], 0


def window(at: int, count: int, shown: int) -> int:
    """The first of `shown` out of `count` that are in sight.

    It moves by half pages, and depends on nothing but where the reader is: coming back shows the same again.
    """
    half = max(1, shown // 2)
    return max(0, min(at // half * half - half // 2, count - shown))
