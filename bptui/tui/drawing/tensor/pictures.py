"""A tensor as a sheet of small pictures, each under its number and, where they are known, its class and its guess."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bptui.engine.network import Array
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, Run, cut, line
from bptui.tui.drawing.tensor import marks
from bptui.tui.drawing.tensor.albums import Album
from bptui.tui.drawing.tensor.headings import headings
from bptui.tui.drawing.tensor.plane import Cell, window
from bptui.tui.drawing.tensor.seen import Seen, clamped
from bptui.tui.drawing.tensor.sheet import Sheet

_GAP = 2
_LEAST_CAPTION = 5
# A picture narrower than this is drawn with square cells even where finer ones could be had.
_SMALL = 6


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of a slot in so much room."""

    seen: Seen
    album: Album
    columns: int
    rows: int

    @property
    def _slot(self) -> str:
        return self.seen.at[0]

    @cached_property
    def _fine(self) -> bool:
        """Whether a letter shows two cells, one above the other."""
        return self.seen.fine and self.album.width >= _SMALL and not self._partly

    @property
    def _partly(self) -> bool:
        state = self.seen.scene.view.state
        return state.computed[self._slot] < state.arrays[self._slot].size

    @property
    def _cell(self) -> tuple[float, int]:
        """How many lines and letters a cell takes."""
        return (0.5, 1) if self._fine else (1, 2)

    @cached_property
    def _block(self) -> int:
        """How many cells, down and across, a mark stands for, so that a picture fits."""
        high, wide = self._cell
        across = self.album.width * wide / max(1, self.columns - 1)
        down = self.album.height * high / max(1, self.rows - 2)
        return max(1, math.ceil(across), math.ceil(down))

    @cached_property
    def _sides(self) -> tuple[int, int]:
        """The lines and the letters of a picture."""
        high, wide = self._cell
        return math.ceil(-(-self.album.height // self._block) * high), -(-self.album.width // self._block) * wide

    @cached_property
    def _tile(self) -> tuple[int, int]:
        """The lines and the letters of a picture with its caption and what is left free around it."""
        caption = max((len(self._caption(k)) for k in (0, self.album.count - 1)), default=0)
        return self._sides[0] + 1, max(self._sides[1], caption, _LEAST_CAPTION) + _GAP

    @cached_property
    def _across(self) -> int:
        return max(1, min(self.album.count, (self.columns + _GAP - 1) // self._tile[1]))

    @cached_property
    def _down(self) -> int:
        return max(1, min(-(-self.album.count // self._across), (self.rows - 1) // self._tile[0]))

    @cached_property
    def _first(self) -> int:
        """The first picture in sight."""
        lines = -(-self.album.count // self._across)
        here, _ = self.album.place(self.seen.at[1])
        return window(here // self._across, lines, self._down) * self._across

    @cached_property
    def _shown(self) -> range:
        return range(self._first, min(self.album.count, self._first + self._across * self._down))

    # The numbers

    @cached_property
    def _numbers(self) -> Array:
        """The pictures in sight, (pictures, height, width) in marks."""
        array = self.seen.scene.view.state.arrays[self._slot]
        found = self.album.cells(array, self._shown.start, self._shown.stop)
        if self._block == 1:
            return found
        sides = -(-self.album.height // self._block), -(-self.album.width // self._block)
        return np.stack([marks.strongest(one, (self._block, self._block)).reshape(sides) for one in found])

    @cached_property
    def _codes(self) -> Array:
        found = marks.codes(self._numbers, marks.scale(self.seen.summary(self._slot), self._numbers))
        if not self._partly:
            return found
        there = self.seen.scene.view.state.computed[self._slot]
        known = [[self.album.cell(k, place) < there for place in range(self.album.size)] for k in self._shown]
        mask = np.array(known).reshape(-1, self.album.height, self.album.width)[:, :: self._block, :: self._block]
        return np.where(mask, found, marks.UNKNOWN)

    # What is drawn

    def sheet(self) -> Sheet:
        """The pictures, and what their strongest marks stand for."""
        lines: list[Line] = []
        for start in range(self._shown.start, self._shown.stop, self._across):
            row = range(start, min(self._shown.stop, start + self._across))
            lines += [self._captions(row), *(self._line(row, k) for k in range(self._sides[0]))]
        lines.append(self._legend())
        return Sheet([cut(one, self.columns) for one in lines], self._at, self._moved, max(1, self._down // 2))

    def _captions(self, row: range) -> Line:
        here, _ = self.album.place(self.seen.at[1])
        own = self.seen.scene.cursor[0] == self._slot
        runs: list[Run] = [(" ", "plain")]
        for picture in row:
            text = self._caption(picture)[: self._tile[1] - 1]
            style = self.seen.cursor_style if own and picture == here else self._style(picture)
            runs += [(text, style), (" " * (self._tile[1] - len(text)), "plain")]
        return line(*runs[:-1])

    def _style(self, picture: int) -> str:
        """A wrong guess stands out."""
        told = self._told(self.album.index(picture)[0])
        return "bold" if len(told) == 2 and told[0] != told[1] else "dim"

    def _caption(self, picture: int) -> str:
        """`12 7→9`: its number, what it is, and what the network takes it for."""
        index = self.album.index(picture)
        number = ",".join(map(str, index))
        if self.album.turned:
            _, names = headings(self.seen.scene.view.program, self.seen.plane)
            return ",".join([names[index[0]], *map(str, index[1:])]) if names else number
        told = "→".join(self._told(index[0]))
        return f"{number} {told}".rstrip()

    def _told(self, row: int) -> list[str]:
        """The class of a row of the data, and the network's guess, as far as there are such."""
        scene, program = self.seen.scene, self.seen.scene.view.program
        classes, whole = program.network.classes, self._slot == "X"
        if not classes or self.album.turned or self._slot.partition(".")[0] not in self._by_row:
            return []
        slots = ["Y"] if whole else ["y", program.output]
        told = []
        for slot in slots:
            shape = program.slots[slot].shape if slot in program.slots else ()
            if len(shape) == 2 and row < shape[0] and scene.view.state.computed[slot] == math.prod(shape):
                told.append(safe(classes[int(np.argmax(scene.view.state.arrays[slot][row]))])[:6])
        return told

    @cached_property
    def _by_row(self) -> frozenset[str]:
        """The slots whose pictures are those of the rows of data."""
        slots = self.seen.scene.view.program.slots
        rows = slots["x"].shape[0]
        return frozenset(n for n, s in slots.items() if n == "X" or (s.kind == "value" and s.shape[:1] == (rows,)))

    def _line(self, row: range, k: int) -> Line:
        runs: list[Run] = [(" ", "plain")]
        for picture in row:
            codes = self._codes[picture - self._shown.start]
            made = self._halves(codes, k) if self._fine else marks.runs(codes[k], marks.WIDE)
            runs += [*made, (" " * (self._tile[1] - self._sides[1]), "plain")]
        return line(*runs[:-1])

    def _halves(self, codes: Array, k: int) -> list[Run]:
        lower = codes[2 * k + 1] if 2 * k + 1 < len(codes) else np.zeros_like(codes[0])
        return marks.halves(codes[2 * k], lower)

    def _legend(self) -> Line:
        scene, found = self.seen.scene, self.seen.summary(self._slot)
        of = marks.legend(found, marks.scale(found, self._numbers), scene.places(self._slot))
        left = self.album.count - len(self._shown)
        shown = f"{len(self._shown)} of {self.album.count}" if left else str(self.album.count)
        guessed = len(self._told(self.album.index(self._shown.start)[0])) > 1
        words = "   number class→guess, bold: wrong" * guessed
        return line(*of, (f"  {shown}, each {self.album.height}×{self.album.width}{words}", "dim"))

    # Where things are

    def _at(self, x: int, y: int) -> Cell | None:
        band, inside = divmod(y, self._tile[0])
        tile, left = divmod(x - 1, self._tile[1])
        picture = self._shown.start + band * self._across + tile
        if not 0 <= tile < self._across or picture >= self._shown.stop or band >= self._down:
            return None
        high, wide = self._cell
        row = clamped(int((inside - 1) / high) * self._block, self.album.height)
        column = clamped(left // wide * self._block, self.album.width)
        return self._slot, self.album.cell(picture, row * self.album.width + column)

    def _moved(self, across: int, down: int) -> Cell:
        """An arrow goes to the next picture, along the lines as one reads; the place in it stays."""
        picture, place = self.album.place(self.seen.at[1])
        row, column = divmod(picture, self._across)
        if abs(across) > 1:
            across = clamped(column + across, self._across) - column
        if down:
            down = clamped(row + down, -(-self.album.count // self._across)) - row
        return self._slot, self.album.cell(clamped(picture + across + down * self._across, self.album.count), place)
