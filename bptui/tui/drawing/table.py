"""The slots with their values and, beside them, their gradients.

There may be thousands of slots, and millions of cells: how many rows each slot takes is reckoned, and a slot's rows are
made when one of them is looked at.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from bptui.engine.ops.row import Shape
from bptui.engine.program import Program
from bptui.explain.cells import unravelled
from bptui.explain.lazy import Lazy
from bptui.explain.notation import Names
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Line, Run, line
from bptui.tui.drawing.numbers import colour, fitted, point_aligned, signed
from bptui.tui.scene import Scene

MOST_LISTED = 12
MOST_ROWS = 10
_VALUE = 11


@dataclass(frozen=True)
class Row:
    """A line of the table.

    cells  the (slot, flat cell) on it, from left to right
    left   the column of letters where the first that is in sight stands, and which one that is
    """

    line: Line
    cells: Sequence[tuple[str, int]] = ()
    slot: str = ""
    left: tuple[int, int] = (0, 0)
    wide: int = _VALUE

    def at(self, x: int) -> tuple[str, int] | None:
        """The cell at a column of letters; before the first it is that one."""
        k = self.left[1] + max(0, x - self.left[0]) // self.wide
        return self.cells[k] if k < len(self.cells) else None


# The rows of a slot stay what they are until it is written again.
_ROWS: Kept[list[Row]] = Kept(512)


@dataclass(frozen=True, eq=False)
class Table(Sequence[Row]):
    """Every row: data, each layer's weights and values, the loss, the learning rate, what the optimizer keeps."""

    scene: Scene
    columns: int
    focused: bool

    @cached_property
    def slots(self) -> Sequence[str]:
        """The slots, in order."""
        return shown_slots(self.scene)

    @cached_property
    def _starts(self) -> list[int]:
        """The first row of each slot, and where the last one ends."""
        counts = _usual_counts(self.scene.view.program)
        windows = {slot.removesuffix(".grad") for slot in (self.scene.cursor[0], self.scene.written[0]) if slot}
        if windows & counts.keys():
            counts = {**counts, **{slot: _count(self.scene, slot) for slot in windows & counts.keys()}}
        return [0, *itertools.accumulate(counts[slot] for slot in self.slots)]

    @cached_property
    def _made(self) -> dict[str, list[Row]]:
        return {}

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, k: int | slice) -> Row | list[Row]:  # type: ignore[override]
        """A row, or the rows of a slice."""
        if isinstance(k, slice):
            return [self.row(i) for i in range(*k.indices(len(self)))]
        if not 0 <= k < len(self):
            raise IndexError(k)
        return self.row(k)

    def row(self, k: int) -> Row:
        """A row."""
        place = bisect.bisect_right(self._starts, k) - 1
        return self._of(self.slots[place])[k - self._starts[place]]

    def _of(self, slot: str) -> list[Row]:
        if slot not in self._made:
            scene, slots = self.scene, [slot, f"{slot}.grad"]
            aspects = [scene.aspect(name) for name in slots if name in scene.view.program.slots]
            cursor = scene.cursor if scene.cursor[0] in slots else None
            self._made[slot] = _ROWS.get((*aspects, cursor, self.columns, self.focused), lambda: self._rows(slot))
        return self._made[slot]

    def _rows(self, slot: str) -> list[Row]:
        return list(_slot(self.scene, slot, self.columns, focused=self.focused))

    def place(self, cell: tuple[str, int]) -> int | None:
        """The row that a cell is on."""
        names = (cell[0].removesuffix(".grad"), cell[0])
        for slot in dict.fromkeys(name for name in names if name in self._order):
            for k, row in enumerate(self._of(slot)):
                if cell in row.cells:
                    return self._starts[self._order[slot]] + k
        return None

    @cached_property
    def _order(self) -> Mapping[str, int]:
        return {slot: k for k, slot in enumerate(self.slots)}


def table(scene: Scene, columns: int, *, focused: bool) -> Table:
    """Every row of a scene."""
    return Table(scene, columns, focused)


def shown_slots(scene: Scene) -> Sequence[str]:
    """The slots in the order in which a reader meets them; a gradient stands beside what it is of."""
    return _in_order(scene.view.program)


@lru_cache(maxsize=4)
def _in_order(program: Program) -> Sequence[str]:
    slots = program.slots
    seen: dict[str, None] = dict.fromkeys(name for name in ("x", *program.network.more) if name in slots)
    for instruction in program.instructions:
        if instruction.phase in ("forward", "loss"):
            seen.update(dict.fromkeys((*instruction.reads[1:], *instruction.reads[:1], instruction.writes)))
    seen.pop("y", None)
    last = [name for name in ("y", "lr", "lr0", "X", "Y") if name in slots and name not in seen]
    partial = [n for n, s in slots.items() if s.kind == "gradient" and n != f"{s.of}.grad"]
    known = {*seen, *last, *partial}
    rest = [n for n, s in slots.items() if n not in known and s.kind not in ("rows", "gradient")]
    return (*seen, *last, *rest, *partial)


@lru_cache(maxsize=4)
def _usual_counts(program: Program) -> Mapping[str, int]:
    """Slot → how many rows it takes while the reader and the operation at hand are elsewhere."""
    return {slot: _rows(program, slot) for slot in _in_order(program)}


def _count(scene: Scene, slot: str) -> int:
    program = scene.view.program
    across = _sides(program.slots[slot].shape)[1]
    at = _place_of_cursor(scene, slot, across)[0]
    gradient = f"{slot}.grad"
    beside = _place_of_cursor(scene, gradient, across)[0] if gradient in program.slots else 0
    return _rows(program, slot, at, beside)


def _rows(program: Program, slot: str, at: int = 0, beside: int = 0) -> int:
    """How many rows a slot takes; `at` and `beside` are the rows in the middle of its window and its gradient's."""
    size, shape = program.slots[slot].size, program.slots[slot].shape
    if size <= MOST_LISTED:
        return size + (size > 1)
    count = 1 + _Window.around(shape, at).count
    return count + 1 + _Window.around(shape, beside).count if f"{slot}.grad" in program.slots else count


def _slot(scene: Scene, slot: str, columns: int, *, focused: bool) -> Iterator[Row]:
    size = scene.view.program.slots[slot].size
    if size > 1:
        yield Row(_heading(scene, slot), (), slot)
    if size <= MOST_LISTED:
        for cell in scene.reading_order(slot):
            yield _listed(scene, slot, cell, columns, focused=focused)
        return
    yield from _grid(scene, slot, columns, focused=focused)
    if f"{slot}.grad" in scene.view.program.slots:
        yield Row(line((f"   {Names(scene.view.program).slot(slot + '.grad')}", "dim+italic")), (), slot)
        yield from _grid(scene, f"{slot}.grad", columns, focused=focused)


def _heading(scene: Scene, slot: str) -> Line:
    program = scene.view.program
    names = Names(program)
    shape = program.slots[slot].shape
    size = f" {'×'.join(map(str, shape))}"
    gradient = names.slot(slot + ".grad") if slot + ".grad" in program.slots else ""
    alias = f" ({slot})" if names.slot(slot) != slot and program.slots[slot].kind != "gradient" else ""
    head = f" {names.slot(slot)}{alias}{size}"
    listed = program.slots[slot].size <= MOST_LISTED
    return line((head.ljust(26), "dim+bold"), (gradient if listed else "", "dim+italic"))


def _listed(scene: Scene, slot: str, cell: int, columns: int, *, focused: bool) -> Row:
    """One cell on a line: its label, its value, its gradient, and what it was before this iteration's update."""
    view = scene.view
    index = unravelled(cell, view.program.slots[slot].shape)
    lit = "now+bold" if scene.lit(slot, cell) else "plain"
    label = Names(view.program).cell(slot, index)
    indent = "   " if view.program.slots[slot].size > 1 else " "
    runs: list[Run] = [
        ((indent + shortened(label, 15 - len(indent))).ljust(16), lit),
        *number_runs(scene, slot, cell, focused=focused),
    ]
    gradient = f"{slot}.grad"
    cells = [(slot, cell)]
    if gradient in view.program.slots:
        runs += [(" ", "plain"), *number_runs(scene, gradient, cell, focused=focused)]
        cells.append((gradient, cell))
    was = scene.before(slot, cell)
    if was is not None and columns >= 56:
        runs.append((f"  was {signed(was, scene.places(slot))}", "dim"))
    return Row(line(*runs), tuple(cells), slot, (16, 0), _VALUE + 1)


def shortened(label: str, room: int) -> str:
    """A label that fits; its index, or which row of the batch it is, stays readable."""
    if len(label) <= room:
        return label
    name, mark, row = label.partition("⁽" if "⁽" in label else "[")
    return name[: room - len(mark + row) - 1] + "…" + mark + row


@dataclass(frozen=True)
class _Window:
    """The rows of a grid that are shown, of an array seen as rows × columns.

    block  how many rows make one matrix, where there are matrices of matrices; else 0
    """

    rows: int
    first: int
    last: int
    block: int

    @staticmethod
    def around(shape: Shape, row: int) -> _Window:
        """The window around a row."""
        rows = _sides(shape)[0]
        first = max(0, min(row - MOST_ROWS // 2, rows - MOST_ROWS))
        return _Window(rows, first, min(rows, first + MOST_ROWS), shape[-2] if len(shape) > 2 else 0)

    def heads(self, row: int) -> bool:
        """Whether the name of the matrix that it belongs to stands above a row."""
        return bool(self.block) and (row == self.first or row % self.block == 0)

    @property
    def count(self) -> int:
        """How many lines it takes, with those that say what is out of sight."""
        heads = sum(self.heads(row) for row in range(self.first, self.last))
        return self.last - self.first + heads + (self.first > 0) + (self.last < self.rows)


def _sides(shape: Shape) -> tuple[int, int]:
    """An array of any rank as rows × columns: its last axis lies across."""
    return (1, 1) if not shape else (math.prod(shape[:-1]), shape[-1])


def _grid(scene: Scene, slot: str, columns: int, *, focused: bool) -> Iterator[Row]:
    """Rows and columns of numbers; a window slides with the cursor, and signs at its edges say that there is more."""
    shape = scene.view.program.slots[slot].shape
    across = _sides(shape)[1]
    wide = max(1, (columns - 6) // _VALUE)
    row, column = _place_of_cursor(scene, slot, across)
    start = max(0, min(column - wide // 2, across - wide))
    window = _Window.around(shape, row)
    if window.first:
        yield Row(line((f"   ↑ {window.first} more rows", "dim")), (), slot)
    for i in range(window.first, window.last):
        if window.heads(i):
            lead = ", ".join(map(str, unravelled(i // window.block, shape[:-2])))
            yield Row(line((f"   [{lead}]", "dim")), (), slot)
        label = i % window.block if window.block else i
        runs: list[Run] = [(f"{label:>3}", "faint"), ("‹" if start else " ", "dim")]
        for cell in range(i * across + start, i * across + min(across, start + wide)):
            runs += number_runs(scene, slot, cell, focused=focused)
        if start + wide < across:
            runs.append(("›", "dim"))
        yield Row(line(*runs), _Cells(slot, i * across, across), slot, (4, start))
    if window.last < window.rows:
        yield Row(line((f"   ↓ {window.rows - window.last} more rows", "dim")), (), slot)


class _Cells(Lazy[tuple[str, int]]):
    """The cells of a row of a grid; looking for one costs nothing, however many there are."""

    def __init__(self, slot: str, start: int, count: int) -> None:
        super().__init__(count, lambda k: (slot, start + k))
        self._slot = slot
        self._start = start

    def __contains__(self, cell: object) -> bool:
        return isinstance(cell, tuple) and cell[0] == self._slot and 0 <= cell[1] - self._start < len(self)

    def index(self, cell: tuple[str, int], *_: int) -> int:
        """Where a cell of the row is."""
        return cell[1] - self._start


def _place_of_cursor(scene: Scene, slot: str, across: int) -> tuple[int, int]:
    """The row and column around which a grid's window lies: the cursor's, or what the operation at hand wrote."""
    name, cell = scene.cursor
    written, cells = scene.written
    if name.removesuffix(".grad") != slot.removesuffix(".grad"):
        cell = cells.start if written == slot else 0
    return divmod(cell, across)


def number_runs(
    scene: Scene, slot: str, cell: int, *, focused: bool, shape: tuple[int, int] = (3, _VALUE - 1)
) -> list[Run]:
    """One number in its column, with its mark: `~` outdated, `°` of the old weights, `*` set by hand.

    shape: how many letters stand before the point, and how many there are
    """
    view = scene.view
    there = view.state.computed[slot]
    under = ("+cursor" if focused else "+under") if scene.cursor == (slot, cell) else ""
    if cell >= there:
        return [(point_aligned(scene.unset(slot), *shape), "dim" + under), (" ", "plain")]
    value = view.number(slot, cell)
    text = fitted(value, scene.places(slot), shape)
    name = colour(value) + ("+italic" if ".grad" in slot else "")
    if view.is_outdated(slot, cell):
        name, mark = "dim+strike", "~"
    elif cell in view.edited.get(slot, ()):
        mark = "*"
    else:
        mark = "°" if slot in view.stale.old else " "
    name += "+bold" if scene.fresh(slot, cell) else ""
    name += "+wash" if scene.lit(slot, cell) else ""
    return [(text, name + under), (mark, "now" if mark == "*" else "dim")]
