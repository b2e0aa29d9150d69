"""A network too large for neurons: each node a row, and below the one at hand its slots, with shapes and strips.

Whatever the room, the row of what the operation at hand writes is in sight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bptui.engine.program import Program
from bptui.explain.notation import Names
from bptui.tui.drawing.layers import cells, described
from bptui.tui.drawing.lines import Line, Run, cut, line, merged
from bptui.tui.scene import Scene

_SHADES = " ░▒▓█"
_MOST_CELLS = 4096
_INFINITE = 1e8


@dataclass(frozen=True)
class Part:
    """A row: a node with the slot that holds its result, or one of its other slots.

    title   what the node is, or "" for a slot
    hidden  how many more slots it stands for
    """

    slot: str
    title: str = ""
    hidden: int = 0


def blocks(scene: Scene, columns: int, rows: int) -> list[Line]:
    """The whole network where there is room; else nodes alone, but for the one at hand; else what is around it."""
    parts, here = _parts(scene, rows)
    first, last = _window(len(parts), here, rows)
    shown: list[Line] = []
    if first:
        first += 1
        shown.append(line((f"   ↑ {first} more", "dim")))
    below = len(parts) - last
    last -= below > 0
    shown += [_row(scene, part, columns) for part in parts[first:last]]
    return [*shown, *([line((f"   ↓ {below + 1} more", "dim"))] if below else [])]


def beside(scene: Scene, across: int, down: int) -> tuple[str, int]:
    """The cell that an arrow leads to: the same of another row, or another of the same."""
    slot, cell = scene.cursor
    parts, here = _parts(scene, 0)
    here = next((k for k, part in enumerate(parts) if part.slot == slot), here)
    slots = scene.view.program.slots
    if across and slot in slots:
        return slot, max(0, min(slots[slot].size - 1, cell + across))
    return parts[max(0, min(len(parts) - 1, here + down))].slot, 0


def _window(count: int, here: int, rows: int) -> tuple[int, int]:
    """Which rows are in sight, with the one at hand away from the edges, where the signs of more stand."""
    first = max(0, min(here - rows // 2, count - rows))
    return first, min(count, first + rows)


@lru_cache(maxsize=4)
def _slots_of(program: Program) -> Mapping[str, Sequence[str]]:
    """Node → its slots in the order of the program: parameters where they are first read, then what is computed."""
    found: dict[str, dict[str, None]] = {node.key: {} for node in program.network.nodes}
    for instruction in program.instructions:
        if instruction.phase == "forward":
            for slot in (*instruction.reads, instruction.writes):
                owner = program.owners.get(slot)
                if owner in found and owner == program.owners.get(instruction.writes):
                    found[owner].setdefault(slot)
    return {key: tuple(slots) for key, slots in found.items()}


def _parts(scene: Scene, rows: int) -> tuple[list[Part], int]:
    """The rows, and which of them is at hand."""
    program = scene.view.program
    node, slot = _at_hand(scene)
    slots = _slots_of(program)
    whole = len(slots) + sum(map(len, slots.values())) + 3 <= rows
    parts = [Part(name) for name in ("x", *program.network.more)]
    for each in program.network.nodes:
        parts.append(Part(each.output, described(each)))
        if whole or each.key == node:
            parts += [Part(name) for name in slots[each.key] if name != each.output]
    parts += [Part("y"), Part("loss")]
    if not any(part.slot == slot for part in parts):
        parts.append(Part(slot))
    here = next(k for k, part in enumerate(parts) if part.slot == slot)
    return parts, here


def _at_hand(scene: Scene) -> tuple[str, str]:
    """The node that the operation at hand works on, and the slot: what it writes, or what that is the gradient of."""
    program, (written, _) = scene.view.program, scene.written
    if not written:
        return "", "x"
    slot = Names(program).base(written)
    owner = program.owners.get(slot, "")
    if not owner and scene.view.phase not in ("loss", "data", "start"):
        read = next((name for name in scene.read if program.owners.get(Names(program).base(name))), "")
        slot = Names(program).base(read) if read else slot
        owner = program.owners.get(slot, "")
    return owner, slot


def _row(scene: Scene, part: Part, columns: int) -> Line:
    program = scene.view.program
    written = bool(scene.written[0]) and Names(program).base(scene.written[0]) == part.slot
    read = part.slot in scene.read or f"{part.slot}.grad" in scene.read
    name = Names(program).slot(part.slot)
    indent = "" if part.title or part.slot in ("x", "y", "loss", *program.network.more) else "  "
    label = f"{name}  {part.title}" if part.title else f"{indent}{name}"
    wide = max(14, min(34, columns // 3))
    text = f" {'▸' if written else '·' if read else ' '} {_cut(label, wide):<{wide}} "
    shape = f"{cells(program.slots[part.slot].shape):>11}  "
    room = columns - len(text) - len(shape)
    style = "now+bold" if written else "now" if read else "plain" if part.title else "dim"
    runs: list[Run] = [(text, style), (shape, "dim"), *_values(scene, part.slot, room)]
    return cut(line(*runs), columns)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _values(scene: Scene, slot: str, room: int) -> list[Run]:
    """The strip of a slot's values, and its gradient's beside it."""
    both = f"{slot}.grad" in scene.view.program.slots
    wide = max(1, (room - 4) // 2 if both or room > 24 else room)
    runs = _strip(scene, slot, wide)
    if not both or room < 12:
        return runs
    length = sum(len(text) for text, _ in runs)
    return [*runs, (" " * (wide - length) + " ∂", "dim+italic"), *_strip(scene, f"{slot}.grad", wide)]


def _strip(scene: Scene, slot: str, columns: int) -> list[Run]:
    """The values as shades: how dark is how large, the colour and a letter-free texture the sign."""
    view = scene.view
    size = view.program.slots[slot].size
    if view.state.computed[slot] < size:
        return [(scene.unset(slot), "dim")]
    flat = view.state.arrays[slot].reshape(-1)[:: max(1, size // _MOST_CELLS)]
    parts = np.array_split(flat, min(columns, flat.size))
    values = [float(part[np.argmax(np.abs(part))]) for part in parts]
    sizes = [abs(v) for v in values if np.isfinite(v)]
    # What stands for −∞, in a mask or a pool's padding, would make all else look like nothing.
    largest = max((v for v in sizes if v < _INFINITE), default=0.0) or max(sizes, default=0.0) or 1.0
    return merged([(_shade(v, largest), "pos" if v > 0 else "neg") for v in values])


def _shade(value: float, largest: float) -> str:
    if not np.isfinite(value):
        return "!"
    return _SHADES[round(min(1.0, abs(value) / largest) * (len(_SHADES) - 1))]
