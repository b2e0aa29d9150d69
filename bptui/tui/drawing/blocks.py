"""A network too large for neurons: each layer a row with its shape and a strip of its values."""

from __future__ import annotations

import numpy as np

from bptui.explain.notation import Names
from bptui.tui.drawing.lines import Line, Run, cut, line
from bptui.tui.drawing.numbers import UNSET
from bptui.tui.scene import Scene

_SHADES = " ░▒▓█"


def blocks(scene: Scene, columns: int, rows: int) -> list[Line]:
    """One line a slot, from the data to the loss, as many as there is room for."""
    program = scene.view.program
    slots = ["x"]
    for node in program.network.nodes:
        slots += [name for name in ("W" + node.suffix, node.output) if name in program.slots]
    lines = [cut(_block(scene, slot, columns), columns) for slot in [*slots, "loss"]]
    hidden = len(lines) - rows
    return lines if hidden <= 0 else [*lines[: rows - 1], line((f"  … {hidden + 1} more", "dim"))]


def _block(scene: Scene, slot: str, columns: int) -> Line:
    view = scene.view
    lit = scene.written[0].removesuffix(".grad") == slot or slot in scene.read
    shape = "×".join(map(str, view.program.slots[slot].shape)) or "1"
    head = f" {'▸' if lit else ' '} {Names(view.program).slot(slot):<12} {shape:>9}  "
    wide = max(8, (columns - len(head) - 4) // 2)
    runs: list[Run] = [(head, "now+bold" if lit else "plain"), *_strip(scene, slot, wide)]
    if f"{slot}.grad" in view.program.slots:
        runs += [("  ∂", "dim+italic"), *_strip(scene, f"{slot}.grad", wide)]
    return line(*runs)


def _strip(scene: Scene, slot: str, columns: int) -> list[Run]:
    """The values as shades: how dark is how large, the colour and a letter-free texture the sign."""
    view = scene.view
    if view.state.computed[slot] < view.program.slots[slot].size:
        return [(UNSET.ljust(columns), "dim")]
    parts = np.array_split(view.state.arrays[slot].reshape(-1), min(columns, view.program.slots[slot].size))
    values = [float(part[np.argmax(np.abs(part))]) for part in parts]
    largest = max((abs(v) for v in values if np.isfinite(v)), default=0.0) or 1.0
    return [(_shade(v, largest), "pos" if v > 0 else "neg") for v in values]


def _shade(value: float, largest: float) -> str:
    if not np.isfinite(value):
        return "!"
    return _SHADES[round(abs(value) / largest * (len(_SHADES) - 1))]
