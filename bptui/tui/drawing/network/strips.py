"""The values of a slot as a strip: how much of a place is filled tells how large, glyph and colour tell the sign."""

from __future__ import annotations

import itertools

import numpy as np

from bptui.engine.network import Array
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Run
from bptui.tui.drawing.network.sight import Sight, batch_row

_POSITIVE, _NEGATIVE = " ░▒▓█", " ▁▃▅▇"
_INK = {**dict.fromkeys(_NEGATIVE, "neg"), **dict.fromkeys(_POSITIVE, "pos"), " ": "plain", "!": "plain+bold"}
_MOST_CELLS = 4096
# What stands for −∞, in a mask or a pool's padding, would make all else look like nothing.
_INFINITE = 1e8
_SHADES: Kept[str] = Kept(512)


def strip(sight: Sight, slot: str, columns: int) -> list[Run]:
    """A slot's strip, at most so wide; each place shows the mean of its cells."""
    view, cells = sight.scene.view, span(sight, slot)
    if view.state.computed[slot] < view.program.slots[slot].size:
        return [(sight.scene.unset(slot), "dim" + sight.mark(slot, sight.scene.cursor[1]))]
    step = max(1, len(cells) // _MOST_CELLS)
    flat = view.state.arrays[slot].reshape(-1)[cells.start : cells.stop : step]
    count = min(columns, flat.size)
    text = _SHADES.get((sight.scene.held(slot), count, cells.start), lambda: _shades(flat, count))
    cursor = sight.scene.cursor
    if cursor[0] != slot or cursor[1] not in cells:
        return _runs(text)
    at, mark = min(count - 1, (cursor[1] - cells.start) // step * count // flat.size), sight.mark(*cursor)
    return [*_runs(text[:at]), (text[at], _INK[text[at]] + mark), *_runs(text[at + 1 :])]


def span(sight: Sight, slot: str) -> range:
    """The cells that a strip shows: of what every row of the batch has its own of, those of the row at hand."""
    slots = sight.scene.view.program.slots
    size = slots[slot].size
    if not size or batch_row(sight.scene, slot, 0) is None:
        return range(size)
    each = size // slots["x"].shape[0]
    return range(sight.row * each, (sight.row + 1) * each)


def _shades(flat: Array, count: int) -> str:
    """A glyph a place, on the scale of the largest mean: the largest cells would make all places of many look alike."""
    starts = np.arange(count) * flat.size // count
    with np.errstate(all="ignore"):
        usual = np.abs(flat) < _INFINITE
        sums = np.add.reduceat(np.where(usual, flat, 0.0), starts)
        counts = np.add.reduceat(usual.astype(float), starts)
        # Where there is nothing else, what stands for −∞ fills its place.
        all_ = np.add.reduceat(flat.astype(float), starts)
        values = np.where(counts > 0, sums / counts, all_)
        largest = float(np.abs(values[counts > 0]).max(initial=0.0)) or 1.0
        levels = np.rint(np.clip(np.abs(np.nan_to_num(values)) / largest, 0.0, 1.0) * (len(_POSITIVE) - 1)).astype(int)
    finite = np.logical_and.reduceat(np.isfinite(flat), starts)
    return "".join(
        "!" if not there else (_POSITIVE if positive else _NEGATIVE)[level]
        for level, positive, there in zip(levels.tolist(), (values > 0).tolist(), finite.tolist(), strict=True)
    )


def _runs(text: str) -> list[Run]:
    return [("".join(part), ink) for ink, part in itertools.groupby(text, _INK.__getitem__)]
