"""Round numbers along an axis."""

from __future__ import annotations

import math

from bptui.debugger.probing.ranges import nice


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Between two numbers, no more than some, equally far apart; integers, if wanted."""
    far = high - low
    if most < 1 or not (math.isfinite(far) and far > 1e-9 * max(abs(low), abs(high))):
        return []
    step = nice(far / most)
    step = max(1.0, step) if whole else step
    first = math.floor(low / step) + 1
    return [k * step for k in range(first, math.ceil(high / step))]
