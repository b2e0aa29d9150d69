"""The loss over one cell, and over two: the curve and the surface that a gradient is the slope of."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bptui.debugger.probing.knobs import Knob, Start
from bptui.debugger.probing.probe import Probe
from bptui.debugger.probing.ranges import downhill, scale_of, window
from bptui.debugger.probing.work import Steps
from bptui.engine.network import Array

# Points of a curve; of a surface across and down, the fewest where one takes long, and the seconds it may take in all.
POINTS = 65
ACROSS, DOWN = 41, 31
_FEWEST = 9
_SECONDS = 0.6
# How far from the present value its neighbours are asked, as a share of the scale.
_BESIDE = 1 / 64
# A minimum between three points is looked for in so many steps.
_STEPS = 12

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Slice:
    """The loss of an iteration as a function of one cell, all else as it is.

    values   tried, rising (n,), and the losses (n,)
    here     the cell's value in this iteration, and the loss there
    lowest   the value at the lowest loss found, and that loss; None where it lies at an end of what was tried
    updated  what this iteration's update makes of the value, or None where it does not last
    """

    knob: Knob
    values: Array
    losses: Array
    here: tuple[float, float]
    lowest: tuple[float, float] | None
    updated: float | None

    @property
    def flat(self) -> bool:
        """Whether nothing changes, whatever the cell is."""
        return bool((self.losses == self.losses[0]).all())


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss over two cells: losses[k, j] where the first is xs[j] and the second ys[k]. `here` is (x, y, loss)."""

    knobs: tuple[Knob, Knob]
    xs: Array
    ys: Array
    losses: Array
    here: tuple[float, float, float]


def sliced(probe: Probe, start: Start, one: Knob, points: int = POINTS) -> Steps[Slice]:
    """The loss over a cell."""
    (value,) = probe.begin(start, [one])
    loss = probe.loss(value)
    low, high = _range(start, one, value, probe.loss)
    values = np.linspace(low, high, points)
    losses = np.empty(points)
    for k in range(points):
        losses[k] = probe.loss(float(values[k]))
        yield
    lowest = _lowest(probe.loss, values, losses)
    updated = probe.updated((value,))[0] if _lasts(start, one) else None
    return Slice(one, values, losses, (value, loss), lowest, updated)


def surface(probe: Probe, start: Start, knobs: tuple[Knob, Knob], reaches: Sequence[float]) -> Steps[Surface]:
    """The loss over two cells; `reaches` is how far from its value each is to be seen at least."""
    first, second = knobs
    x, y = probe.begin(start, [first, second])
    begun = time.monotonic()
    loss = probe.loss(x, y)
    across = _range(start, first, x, lambda value: probe.loss(value, y), reaches[0])
    down = _range(start, second, y, lambda value: probe.loss(x, value), reaches[1])
    each = (time.monotonic() - begun) / 5
    yield
    fewer = max(1.0, math.sqrt(each * ACROSS * DOWN / _SECONDS))
    xs = np.linspace(*across, max(_FEWEST, round(ACROSS / fewer)))
    ys = np.linspace(*down, max(_FEWEST, round(DOWN / fewer)))
    losses = np.empty((len(ys), len(xs)))
    for k in range(len(ys)):
        for j in range(len(xs)):
            losses[k, j] = probe.loss(float(xs[j]), float(ys[k]))
            yield
    return Surface(knobs, xs, ys, losses, (x, y, loss))


def _lasts(start: Start, one: Knob) -> bool:
    slot = start.program.slots[one.slot]
    return slot.persistent and slot.kind not in ("data", "rate")


def _range(start: Start, one: Knob, value: float, loss: Callable[[float], float], reach: float = 0.0) -> Range:
    """The range of a cell in which the nearest low place can be seen, where it is not too far off."""
    if start.program.slots[one.slot].kind == "rate":
        scale = abs(value) or 1.0
        apart = scale * _BESIDE
        off = downhill(loss(value - apart), loss(value), loss(value + apart), apart)
        return 0.0, window(0.0, scale, max(2 * scale, min(value + 1.5 * off, 20 * scale)))[1]
    scale = max(scale_of(_numbers(start, one, value)), abs(value) if math.isfinite(value) else 0.0)
    apart = scale * _BESIDE
    off = downhill(loss(value - apart), loss(value), loss(value + apart), apart)
    return window(value, scale, max(abs(off), reach))


def _numbers(start: Start, one: Knob, value: float) -> Array:
    """The numbers beside a cell, where they last; else its own."""
    return start.arrays[one.slot] if start.program.slots[one.slot].persistent else np.array([value])


def _lowest(loss: Callable[[float], float], values: Array, losses: Array) -> tuple[float, float] | None:
    """Where the loss is lowest among those tried, looked at more closely."""
    known = np.where(np.isnan(losses), np.inf, losses)
    k = int(known.argmin())
    if not 0 < k < len(values) - 1 or not np.isfinite(known[k - 1 : k + 2]).all() or np.ptp(known) == 0:
        return None
    best, apart = (float(values[k]), float(losses[k])), float(values[1] - values[0])
    around = float(losses[k - 1]), float(losses[k + 1])
    for _ in range(_STEPS):
        place = best[0] + max(-apart, min(apart, downhill(around[0], best[1], around[1], apart)))
        found = loss(place)
        best = (place, found) if found < best[1] else best
        apart /= 4
        around = loss(best[0] - apart), loss(best[0] + apart)
    return best
