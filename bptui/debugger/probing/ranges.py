"""Which values are worth trying: far enough to see where it goes down to, and the same while one turns a little."""

from __future__ import annotations

import math
import sys

import numpy as np

from bptui.engine.network import Array

# A number and its range: in the middle quarter, however it is rounded.
_HALVES = 2.0
# So many times the largest number beside it, and no less than this far, a minimum is followed.
_FAR, _LEAST = 20.0, 2.0
_SMALLEST, _LARGEST = 1e-9, 1e150


def scale_of(array: Array) -> float:
    """The size of numbers: that of the largest, in the middle of what can be drawn."""
    known = np.abs(array[np.isfinite(array)]) if array.size else array
    largest = float(known.max(initial=0.0))
    return min(_LARGEST, largest) if largest > _SMALLEST else 1.0


def nice(size: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    size = max(size, sys.float_info.min)
    power = 10.0 ** math.floor(math.log10(size))
    return next(k * power for k in (1, 2, 5, 10) if size <= k * power * (1 + 1e-12))


def window(value: float, scale: float, reach: float) -> tuple[float, float]:
    """A range around a value that holds what lies so far from it; it moves in steps, not with every small change."""
    far = min(abs(reach), max(_FAR * scale, _LEAST)) if math.isfinite(reach) else 0.0
    step = nice(max(scale, far / (_HALVES - 0.5)))
    middle = step * round(value / step) if math.isfinite(value) and abs(value) < _LARGEST else 0.0
    return middle - _HALVES * step, middle + _HALVES * step


def downhill(before: float, here: float, beyond: float, apart: float) -> float:
    """How far off the lowest point of the parabola through three equally spaced heights lies; 0 if it has none."""
    slope, bend = (beyond - before) / (2 * apart), (beyond - 2 * here + before) / (apart * apart)
    if not (math.isfinite(slope) and math.isfinite(bend)) or bend <= 0:
        return 0.0
    return -slope / bend
