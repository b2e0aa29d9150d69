"""The values of a slot as a strip: how much of a place is filled tells how large, glyph and colour tell the sign."""

from __future__ import annotations

import itertools

import numpy as np

from bptui.engine.network import Array
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Run
from bptui.tui.drawing.network.sight import Sight

_POSITIVE, _NEGATIVE = " ░▒▓█", " ▁▃▅▇"
_INK = {**dict.fromkeys(_NEGATIVE, "neg"), **dict.fromkeys(_POSITIVE, "pos"), " ": "plain", "!": "plain+bold"}
_MOST_CELLS = 4096
# What stands for −∞, in a mask or a pool's padding, would make all else look like nothing.
_INFINITE = 1e8
_SHADES: Kept[str] = Kept(512)


def strip(sight: Sight, slot: str, columns: int) -> list[Run]:
    """A slot's strip, at most so wide; each place shows the largest of its cells."""
    view = sight.scene.view
    size = view.program.slots[slot].size
    if view.state.computed[slot] < size:
        return [(sight.scene.unset(slot), "dim" + sight.mark(slot, sight.scene.cursor[1]))]
    step = max(1, size // _MOST_CELLS)
    flat = view.state.arrays[slot].reshape(-1)[::step]
    count = min(columns, flat.size)
    text = _SHADES.get((sight.scene.held(slot), count), lambda: _shades(flat, count))
    at = min(count - 1, sight.scene.cursor[1] // step * count // flat.size) if sight.scene.cursor[0] == slot else -1
    if at < 0:
        return _runs(text)
    mark = sight.mark(slot, sight.scene.cursor[1])
    return [*_runs(text[:at]), (text[at], _INK[text[at]] + mark), *_runs(text[at + 1 :])]


def _shades(flat: Array, count: int) -> str:
    starts = np.arange(count) * flat.size // count
    high, low = np.maximum.reduceat(flat, starts), np.minimum.reduceat(flat, starts)
    values = np.where(high >= -low, high, low)
    sizes = np.abs(values)
    finite = np.isfinite(sizes)
    usual = sizes[finite & (sizes < _INFINITE)]
    largest = float(usual.max(initial=0.0)) or float(sizes[finite].max(initial=0.0)) or 1.0
    with np.errstate(all="ignore"):
        levels = np.rint(np.clip(np.where(finite, sizes, 0.0) / largest, 0.0, 1.0) * (len(_POSITIVE) - 1)).astype(int)
    return "".join(
        "!" if not there else (_POSITIVE if positive else _NEGATIVE)[level]
        for level, positive, there in zip(levels.tolist(), (values > 0).tolist(), finite.tolist(), strict=True)
    )


def _runs(text: str) -> list[Run]:
    return [("".join(part), ink) for ink, part in itertools.groupby(text, _INK.__getitem__)]
