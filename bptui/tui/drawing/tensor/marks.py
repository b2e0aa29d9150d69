"""How a number looks in a heat map: the darker the larger, the sign told by the texture and by the colour."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from bptui.engine.network import Array
from bptui.tui.drawing.lines import Run
from bptui.tui.drawing.look import LEVELS
from bptui.tui.drawing.numbers import UNSET, signed
from bptui.tui.drawing.tensor.summary import Held, Summary

# A mark is as wide as a line is high, so that what is square looks square.
WIDE = 2
POSITIVE, NEGATIVE = "░▒▓█", "-=≡▤"
# What stands for −∞, in a mask or a pool's padding, would make all else look like nothing.
_INFINITE = 1e8
# Codes of marks are the levels −16 … 16, and beyond them:
ODD, UNKNOWN = LEVELS + 1, LEVELS + 2
# How much weaker the ground is than the letter on it.
_BEHIND = 4


def _drawn(code: int) -> Run:
    """The letter and the style of a code."""
    if code == ODD:
        return "!", "bold"
    if code == UNKNOWN:
        return UNSET, "dim"
    if code == 0:
        return " ", "plain"
    level = abs(code)
    name = "hot" if code > 0 else "cold"
    letter = (POSITIVE if code > 0 else NEGATIVE)[(level - 1) * len(POSITIVE) // LEVELS]
    return letter, f"{name}{level}+on-{name}{max(1, level - _BEHIND)}"


_DRAWN = {code: _drawn(code) for code in range(-LEVELS, UNKNOWN + 1)}


def mark(code: int) -> Run:
    """The letter and the style of a code."""
    return _DRAWN[code]


def codes(values: Array, largest: float) -> Array:
    """The level of each value on a scale whose end is `largest`; only 0 itself has none."""
    with np.errstate(all="ignore"):
        strength = np.clip(np.ceil(np.abs(values) / largest * LEVELS), 1, LEVELS)
        found = np.where(values == 0, 0, np.copysign(strength, values))
    found = np.where(np.isfinite(values), found, ODD)
    return found.astype(np.int8)


def scale(whole: Summary, shown: Array) -> float:
    """What the strongest mark stands for: the tensor's largest number, or what is shown's where that is no number."""
    if 0 < whole.largest < _INFINITE:
        return whole.largest
    sizes = np.abs(shown[np.isfinite(shown)])
    tame = sizes[sizes < _INFINITE]
    return float(tame.max(initial=0.0)) or float(sizes.max(initial=0.0)) or 1.0


def runs(row: Array, wide: int) -> list[Run]:
    """A row of codes, each so many letters wide, those alike joined."""
    if not len(row):
        return []
    ends = [*(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    made, start = [], 0
    for end in ends:
        letter, style = _DRAWN[int(row[start])]
        made.append((letter * (wide * (end - start)), style))
        start = end
    return made


def halves(upper: Array, lower: Array) -> list[Run]:
    """Two rows of codes in one line: the upper in the letter's colour, the lower in the ground's."""
    both = upper.astype(np.int16) * 64 + lower
    ends = [*(np.flatnonzero(np.diff(both)) + 1).tolist(), len(both)]
    made, start = [], 0
    for end in ends:
        made.append(_half(int(upper[start]), int(lower[start]), end - start))
        start = end
    return made


def _half(upper: int, lower: int, count: int) -> Run:
    if ODD in (upper, lower):
        return "!" * count, "bold"
    if not upper and not lower:
        return " " * count, "plain"
    if not upper:
        return "▄" * count, _ink(lower)
    ground = f"+on-{_ink(lower)}" if lower else ""
    return "▀" * count, _ink(upper) + ground


def _ink(code: int) -> str:
    return f"{'hot' if code > 0 else 'cold'}{abs(code)}"


@lru_cache(maxsize=8)
def pooled(held: Held, shape: tuple[int, int], first: int, there: int, block: tuple[int, int]) -> Array:
    """Of each block of a plane that begins at a flat cell the number of the largest size; nan where one is none.

    there  cells of the plane that are computed; those that are not count for nothing
    """
    rows, columns = shape
    plane = held.array.reshape(-1)[first : first + rows * columns]
    if there < plane.size:
        plane = np.where(np.arange(plane.size) < there, plane, 0)
    return strongest(plane.reshape(shape), block)


def strongest(plane: Array, block: tuple[int, int]) -> Array:
    """Of each block the number of the largest size."""
    if block == (1, 1):
        return plane
    with np.errstate(all="ignore"):
        high = _reduced(np.maximum, _reduced(np.maximum, plane, block[0]).T, block[1]).T
        low = _reduced(np.minimum, _reduced(np.minimum, plane, block[0]).T, block[1]).T
        return np.where(high >= -low, high, np.where(np.isnan(high), high, low))


def _reduced(function: np.ufunc, plane: Array, block: int) -> Array:
    """Blocks of rows made one row each; the last block may have fewer."""
    if block == 1:
        return plane
    whole = len(plane) // block * block
    made = function.reduce(plane[:whole].reshape(-1, block, plane.shape[1]), axis=1)
    return np.vstack([made, function.reduce(plane[whole:], axis=0)]) if whole < len(plane) else made


def legend(whole: Summary, largest: float, places: int) -> list[Run]:
    """What the strongest marks stand for: `░▒▓█ +0.3049  -=≡▤ −0.3049`."""
    if not whole.largest and not whole.odd:
        return [(" all are 0", "dim")]
    made: list[Run] = []
    for present, letters, name, sign in (
        (whole.high > 0 or whole.low >= 0, POSITIVE, "hot", 1),
        (whole.low < 0, NEGATIVE, "cold", -1),
    ):
        if present:
            made += [(" ", "plain"), *_ramp(letters, name), (f" {signed(sign * largest, places)} ", "dim")]
    if whole.odd:
        made.append((" ! nan/inf", "dim"))
    return made


def _ramp(letters: str, name: str) -> list[Run]:
    step = LEVELS // len(letters)
    return [mark((k + 1) * step * (1 if name == "hot" else -1)) for k in range(len(letters))]


def block_sides(rows: int, columns: int, room: tuple[int, int]) -> tuple[int, int]:
    """How many cells one mark stands for, down and across, where there is room for so many marks."""
    return math.ceil(rows / max(1, room[0])), math.ceil(columns / max(1, room[1]))
