"""The slots with their values and, beside them, their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bptui.explain.notation import Names
from bptui.tui.drawing.lines import Line, Run, line
from bptui.tui.drawing.numbers import UNSET, colour, point_aligned, signed
from bptui.tui.scene import Scene

MOST_LISTED = 12
MOST_ROWS = 10
_VALUE = 11


@dataclass(frozen=True)
class Row:
    """A line of the table; `cells` are the (slot, flat cell) on it, from left to right."""

    line: Line
    cells: tuple[tuple[str, int], ...] = ()
    slot: str = ""


def table(scene: Scene, columns: int, *, focused: bool) -> list[Row]:
    """Every row: data, then each layer's weights and values, then the loss and the learning rate."""
    rows: list[Row] = []
    for slot in shown_slots(scene):
        rows += _slot(scene, slot, columns, focused=focused)
    return rows


def shown_slots(scene: Scene) -> list[str]:
    """The slots in the order in which a reader meets them; a gradient stands beside what it is of."""
    program = scene.view.program
    seen: dict[str, None] = dict.fromkeys(name for name in ("x", "y") if name in program.slots)
    for instruction in program.instructions:
        if instruction.phase in ("forward", "loss"):
            seen.update(dict.fromkeys((*instruction.reads[1:], instruction.writes)))
    seen.pop("y", None)
    others = [n for n, s in program.slots.items() if n not in seen and s.kind not in ("rows", "gradient")]
    parts = [n for n, s in program.slots.items() if s.kind == "gradient" and n != f"{s.of}.grad"]
    return [*seen, *[n for n in ("y", "lr", "X", "Y") if n in others], *parts]


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
    alias = f" ({slot})" if names.slot(slot) != slot else ""
    head = f" {names.slot(slot)}{alias}{size}"
    listed = program.slots[slot].size <= MOST_LISTED
    return line((head.ljust(26), "dim+bold"), (gradient if listed else "", "dim+italic"))


def _listed(scene: Scene, slot: str, cell: int, columns: int, *, focused: bool) -> Row:
    """One cell on a line: its label, its value, its gradient, and what it was before this iteration's update."""
    view = scene.view
    index = tuple(int(k) for k in np.unravel_index(cell, view.program.slots[slot].shape))
    lit = "now+bold" if scene.lit(slot, cell) else "plain"
    label = Names(view.program).cell(slot, index)
    indent = "   " if view.program.slots[slot].size > 1 else " "
    runs: list[Run] = [
        ((indent + _short(label, 15 - len(indent))).ljust(16), lit),
        *number_runs(scene, slot, cell, focused=focused),
    ]
    gradient = f"{slot}.grad"
    cells = [(slot, cell)]
    if gradient in view.program.slots:
        runs += [(" ", "plain"), *number_runs(scene, gradient, cell, focused=focused)]
        cells.append((gradient, cell))
    before = view.before.get(slot)
    if before is not None and columns >= 56:
        was = float(before.reshape(-1)[cell])
        runs.append((f"  was {signed(was, scene.places(slot))}", "dim"))
    return Row(line(*runs), tuple(cells), slot)


def _short(label: str, room: int) -> str:
    """A label that fits; which row of the batch it is stays readable."""
    if len(label) <= room:
        return label
    name, mark, row = label.partition("⁽")
    return name[: room - len(mark + row) - 1] + "…" + mark + row


def _grid(scene: Scene, slot: str, columns: int, *, focused: bool) -> Iterator[Row]:
    """Rows and columns of numbers; a window slides with the cursor, and signs at its edges say that there is more."""
    shape = scene.view.program.slots[slot].shape
    rows, across = (shape[0], int(np.prod(shape[1:]))) if len(shape) > 1 else (1, shape[0])
    window = max(1, (columns - 6) // _VALUE)
    row, column = _place_of_cursor(scene, slot, across)
    start = max(0, min(column - window // 2, across - window))
    first = max(0, min(row - MOST_ROWS // 2, rows - MOST_ROWS))
    last = min(rows, first + MOST_ROWS)
    if first:
        yield Row(line((f"   ↑ {first} more rows", "dim")), (), slot)
    for i in range(first, last):
        runs: list[Run] = [(f"{i:>3}", "faint"), ("‹" if start else " ", "dim")]
        cells = range(i * across + start, i * across + min(across, start + window))
        for cell in cells:
            runs += number_runs(scene, slot, cell, focused=focused)
        if start + window < across:
            runs.append(("›", "dim"))
        yield Row(line(*runs), tuple((slot, cell) for cell in range(i * across, (i + 1) * across)), slot)
    if last < rows:
        yield Row(line((f"   ↓ {rows - last} more rows", "dim")), (), slot)


def _place_of_cursor(scene: Scene, slot: str, across: int) -> tuple[int, int]:
    """The row and column around which a grid's window lies: the cursor's, or what the operation at hand wrote."""
    name, cell = scene.cursor
    written, cells = scene.written
    if name.removesuffix(".grad") != slot.removesuffix(".grad"):
        cell = cells.start if written == slot else 0
    return divmod(cell, across)


def number_runs(scene: Scene, slot: str, cell: int, *, focused: bool) -> list[Run]:
    """One number in its column, with its mark: `~` outdated, `°` of the old weights, `*` set by hand."""
    view = scene.view
    there = view.state.computed[slot]
    under = ("+cursor" if focused else "+under") if scene.cursor == (slot, cell) else ""
    if cell >= there:
        return [(point_aligned(UNSET, 3, _VALUE - 1), "dim" + under), (" ", "plain")]
    value = view.number(slot, cell)
    text = point_aligned(signed(value, scene.places(slot)), 3, _VALUE - 1)
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
