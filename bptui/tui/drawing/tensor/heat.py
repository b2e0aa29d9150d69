"""A plane of a tensor as a heat map, as much of it for a mark as there has to be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bptui.engine.network import Array
from bptui.explain.notation import Names
from bptui.tui.drawing.lines import Line, Run, cut, line
from bptui.tui.drawing.tensor import marks
from bptui.tui.drawing.tensor.marks import WIDE
from bptui.tui.drawing.tensor.plane import Cell
from bptui.tui.drawing.tensor.seen import Seen
from bptui.tui.drawing.tensor.sheet import Sheet, below, next_to, nowhere

_TICKS = 5
# Letters of a legend: the strengths of either sign, each with its number.
_LEGEND = 26
# Side by side with its gradient, a map has at least so many letters; and one above the other so many lines.
_LEAST_COLUMNS, _LEAST_ROWS = 32, 11


def heat(seen: Seen, columns: int, rows: int) -> Sheet:
    """The values and their gradient, beside each other or one above the other, or the one where the reader is."""
    maps, across = _arranged(seen, columns, rows)
    if len(maps) == 1:
        return maps[0].sheet()
    first, second = (one.sheet() for one in maps)
    drawn = next_to(first, second, maps[0].columns + 1) if across else below(first, second)
    return _moving(drawn, maps[seen.aside])


def whole(seen: Seen, columns: int, rows: int) -> bool:
    """Whether each cell has a mark of its own."""
    return all(one.block == (1, 1) for one in _arranged(seen, columns, rows)[0])


def _arranged(seen: Seen, columns: int, rows: int) -> tuple[list[Map], bool]:
    """The maps that are drawn, and whether two are beside each other."""
    maps = [Map(seen, slot, columns, rows, titled=False) for slot in seen.slots]
    if len(maps) == 1:
        return maps, False
    if sum(one.natural for one in maps) + 1 <= columns or columns // 2 >= _LEAST_COLUMNS:
        half = min(maps[0].natural + 2, columns // 2)
        return [
            Map(seen, slot, wide - 1, rows) for slot, wide in zip(seen.slots, (half, columns - half), strict=True)
        ], True
    if rows >= 2 * _LEAST_ROWS:
        return [Map(seen, slot, columns, rows // 2) for slot in seen.slots], False
    return [maps[seen.aside and seen.there(seen.gradient) > 0]], False


def _moving(drawn: Sheet, own: Map) -> Sheet:
    """A sheet on which the arrows go as far as a mark of the map where the reader is."""
    return Sheet(drawn.lines, drawn.at, own.moved, own.page)


@dataclass(frozen=True, eq=False)
class Map:
    """The heat map of a slot, in so much room; titled where there are two."""

    seen: Seen
    slot: str
    columns: int
    rows: int
    titled: bool = True

    @property
    def _vector(self) -> bool:
        return self.seen.plane.columns == 1

    @cached_property
    def _label(self) -> int:
        """How wide the numbers of the rows are."""
        return len(str(max(0, self.seen.plane.size - 1 if self._vector else self.seen.plane.rows - 1))) + 2

    @property
    def natural(self) -> int:
        """How wide it would be with a mark for each cell, and with all of the legend."""
        return max(_LEGEND, self._label + WIDE * (20 if self._vector else self.seen.plane.columns))

    @cached_property
    def _room(self) -> tuple[int, int]:
        """How many marks fit: between the numbers of the columns and the legend, right of the numbers of the rows."""
        return max(1, self.rows - 2 - self.titled), max(1, (self.columns - self._label) // WIDE)

    @cached_property
    def block(self) -> tuple[int, int]:
        """How many cells a mark stands for, down and across; of a vector how many in a row."""
        plane = self.seen.plane
        if self._vector:
            return marks.block_sides(plane.size, 1, (self._room[0] * self._across, 1))
        return marks.block_sides(plane.rows, plane.columns, self._room)

    @cached_property
    def _across(self) -> int:
        """How many marks a line has; a vector goes on in the next one."""
        plane = self.seen.plane
        if not self._vector:
            return -(-plane.columns // self.block[1])
        room = self._room[1]
        return plane.size if plane.size <= room else max(room // 10 * 10, min(room, 10))

    @cached_property
    def _numbers(self) -> Array:
        plane = self.seen.plane
        shape = plane.rows, plane.columns
        return marks.pooled(self.seen.scene.held(self.slot), shape, plane.first, self.seen.there(self.slot), self.block)

    @cached_property
    def _scale(self) -> float:
        return marks.scale(self.seen.summary(self.slot), self._numbers)

    @cached_property
    def _codes(self) -> Array:
        """The codes of the marks, row by row; what is not computed has its own."""
        found = marks.codes(self._numbers, self._scale)
        there, plane, block = self.seen.there(self.slot), self.seen.plane, self.block
        if there < plane.size:
            rows, columns = np.indices(found.shape)
            found = np.where(rows * block[0] * plane.columns + columns * block[1] < there, found, marks.UNKNOWN)
        if not self._vector:
            return found
        flat = found.reshape(-1)
        padded = np.zeros(-(-len(flat) // self._across) * self._across, np.int8)
        padded[: len(flat)] = flat
        return padded.reshape(-1, self._across)

    def cell(self, row: int, column: int) -> int | None:
        """The first flat cell that a mark stands for."""
        plane = self.seen.plane
        if not (0 <= column < self._across and 0 <= row < len(self._codes)):
            return None
        if self._vector:
            cell = (row * self._across + column) * self.block[0]
            return cell if cell < plane.size else None
        return plane.cell(row * self.block[0], column * self.block[1])

    def place(self, cell: int) -> tuple[int, int]:
        """The mark of a flat cell."""
        if self._vector:
            return divmod(cell // self.block[0], self._across)
        row, column = self.seen.plane.place(cell)
        return row // self.block[0], column // self.block[1]

    @property
    def page(self) -> int:
        """Half of what is in sight."""
        return max(1, len(self._codes) // 2)

    def moved(self, across: int, down: int) -> Cell:
        """An arrow goes on by a mark."""
        if self._vector:
            return self.seen.along((across + down * self._across) * self.block[0], self.block[0])
        return self.seen.stepped(across, down, self.block)

    def sheet(self) -> Sheet:
        """The name, the numbers of the columns, the map, what its marks mean."""
        if not self.seen.there(self.slot):
            unknown = line((f" {self._name} is not computed yet", "dim"))
            return Sheet([cut(unknown, self.columns)], nowhere, self.seen.stepped)
        head = [cut(self._title(), self.columns)] if self.titled else []
        rows = (self._row(k) for k in range(len(self._codes)))
        lines = [*head, cut(self._ruler(), self.columns), *rows, cut(self._legend(), self.columns)]

        def at(x: int, y: int) -> Cell | None:
            cell = self.cell(y - 1 - self.titled, (x - self._label) // WIDE)
            return None if cell is None else (self.slot, cell)

        return Sheet(lines, at, self.moved, self.page)

    @property
    def _name(self) -> str:
        return Names(self.seen.scene.view.program).slot(self.slot)

    def _title(self) -> Line:
        """Whose map it is, where there are two."""
        lit = "now" if self.slot == self.seen.scene.written[0] or self.slot in self.seen.scene.read else "plain"
        name = f" {self._name}", f"{lit}+italic" if ".grad" in self.slot else lit
        return line(name, (f" {self._each}", "dim"))

    @property
    def _each(self) -> str:
        """Of how many cells a mark is the largest."""
        size = "×".join(map(str, self.block[: 1 if self._vector else 2]))
        return "" if self.block == (1, 1) else f" each of {size}"

    def _ruler(self) -> Line:
        step = self.block[0] if self._vector else self.block[1]
        ticks = "".join(f"{k * step:<{_TICKS * WIDE}}" for k in range(0, self._across, _TICKS))
        return line((" " * self._label + ticks.rstrip(), "faint"))

    def _row(self, k: int) -> Line:
        number = k * self._across * self.block[0] if self._vector else k * self.block[0]
        head: Run = (f"{number:>{self._label - 1}} ", "faint")
        row = self._codes[k]
        spots = sorted(spot for spot in self._spots if spot[0] == k)
        made: list[Run] = [head]
        start = 0
        for _, column, style in spots:
            made += [*marks.runs(row[start:column], WIDE), ("[]", style)]
            start = column + 1
        return line(*made, *marks.runs(row[start:], WIDE))

    @cached_property
    def _spots(self) -> list[tuple[int, int, str]]:
        """(row, column, style) of the marks that stand out: the cell written last, and the cursor's."""
        found: dict[tuple[int, int], str] = {}
        single, cursor = self.seen.single(self.slot), self.seen.cursor(self.slot)
        if single is not None:
            found[self.place(single)] = "now+bold"
        if cursor is not None:
            found[self.place(cursor)] = self.seen.cursor_style
        return [(*place, style) for place, style in found.items()]

    def _legend(self) -> Line:
        """What the strongest marks mean."""
        of = marks.legend(self.seen.summary(self.slot), self._scale, self.seen.scene.places(self.slot))
        return line(*of, ("" if self.titled else self._each, "dim"))
