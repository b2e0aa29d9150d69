"""Several numbers at the end of each iteration: the norms of gradients, how a tensor's cells are spread, a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bptui.debugger.rows import Rows
from bptui.engine.network import Array
from bptui.engine.program import Program

# Of more cells only every so-manieth is looked at.
_MANY = 1 << 16
# How many numbers tell how the cells of a slot are spread.
QUANTILES = 257


class Norms:
    """‖∂E/∂W‖ of some parameters, (n, parameters)."""

    metric = False

    def __init__(self, program: Program, parameters: Sequence[str]) -> None:
        self._sizes = {f"{name}.grad": program.slots[f"{name}.grad"].size for name in parameters}
        self.reads: Mapping[str, tuple[int, int]] = {slot: (0, size) for slot, size in self._sizes.items()}

    def over(self, rows: Rows) -> Array:
        """At each moment. Raises NotComputedError."""
        with np.errstate(all="ignore"):
            return np.asarray(np.sqrt(np.column_stack([rows.squares(*slot) for slot in self._sizes.items()])))


class Spread:
    """The quantiles of a slot's cells, the least and the greatest among them, (n, QUANTILES)."""

    metric = False

    def __init__(self, program: Program, slot: str) -> None:
        self._slot, self._size = slot, program.slots[slot].size
        self.reads: Mapping[str, tuple[int, int]] = {slot: (0, self._size)}

    def over(self, rows: Rows) -> Array:
        """At each moment. Raises NotComputedError."""
        return np.array([quantiles(cells) for cells in rows.cells(self._slot, 0, self._size)])


class Path:
    """Some cells, (n, cells)."""

    metric = False

    def __init__(self, cells: Sequence[tuple[str, int]]) -> None:
        self._cells = cells
        self.reads: Mapping[str, tuple[int, int]] = {
            slot: (min(own), max(own) + 1)
            for slot in {slot for slot, _ in cells}
            for own in [[cell for name, cell in cells if name == slot]]
        }

    def over(self, rows: Rows) -> Array:
        """At each moment. Raises NotComputedError."""
        return np.column_stack([rows.cells(slot, cell, cell + 1)[:, 0] for slot, cell in self._cells])


def quantiles(cells: Array) -> Array:
    """QUANTILES of the cells, as many of them between each two; nan where no cell is finite."""
    cells = cells[:: apart(cells.size)]
    known = np.sort(cells[np.isfinite(cells)])
    if not known.size:
        return np.full(QUANTILES, np.nan)
    return np.asarray(known[np.round(np.linspace(0, known.size - 1, QUANTILES)).astype(np.int64)], np.float64)


def apart(size: int) -> int:
    """How far apart those cells lie that are looked at where there are so many."""
    return max(1, size // _MANY)


def trained(program: Program) -> list[str]:
    """The parameters that have a gradient: weights before biases where there are any."""
    found = [name for name in program.parameters if f"{name}.grad" in program.slots]
    return [name for name in found if len(program.slots[name].shape) > 1] or found
