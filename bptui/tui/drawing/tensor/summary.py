"""What can be said of all cells of an array at once, found once an array: it may have hundreds of thousands."""

from __future__ import annotations

import math
import weakref
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bptui.engine.network import Array

BINS = 10
# The histogram of a larger array is that of so many of its cells: all would take longer than all else together.
_SAMPLE = 4096
# Within these sizes no square of a cell overflows or vanishes.
_TAME = (1e-140, 1e140)


@dataclass(frozen=True)
class Summary:
    """An array's cells, as far as they are computed.

    low … norm  of the finite ones alone; 0 where there are none
    zeros       how many are exactly 0, of either sign
    odd         how many are nan or infinite
    bars        how many finite ones lie in each of BINS equal parts between low and high
    """

    count: int
    low: float
    high: float
    mean: float
    norm: float
    zeros: int
    odd: int
    bars: tuple[int, ...]

    @property
    def largest(self) -> float:
        """The largest size of a finite cell."""
        return max(abs(self.low), abs(self.high))


class Held:
    """An array as a key, which none of its numbers has to be looked at for.

    It is the same as itself, or as one of the same origin, where that is told: a weight that a step has left alone is
    copied for the next moment, and need not be looked at again. What is kept by a key does not keep the array.
    """

    def __init__(self, array: Array, origin: Hashable = None) -> None:
        self._reference = weakref.ref(array)
        self._origin = origin
        self._hash = id(array) if origin is None else hash(origin)

    @property
    def array(self) -> Array:
        """The array; whoever asks has it."""
        array = self._reference()
        assert array is not None
        return array

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Held):
            return False
        if self._origin is not None and self._origin == other._origin:
            return True
        mine = self._reference()
        return mine is not None and other._reference() is mine


def largest(held: Held, there: int) -> float:
    """The largest size of a finite number among the first `there`."""
    low, high, _ = ends(held, there)
    return max(abs(low), abs(high))


@lru_cache(maxsize=64)
def ends(held: Held, there: int) -> tuple[float, float, int]:
    """The smallest and the largest finite number, and how many numbers are none."""
    known = held.array.reshape(-1)[:there]
    with np.errstate(all="ignore"):
        low, high = (float(known.min()), float(known.max())) if there else (0.0, 0.0)
        if math.isfinite(low) and math.isfinite(high):
            return low, high, 0
        finite = known[np.isfinite(known)]
        odd = len(known) - len(finite)
        return (float(finite.min()), float(finite.max()), odd) if len(finite) else (0.0, 0.0, odd)


@lru_cache(maxsize=32)
def summary(held: Held, there: int) -> Summary:
    """Of the first `there` cells; found once an array."""
    low, high, odd = ends(held, there)
    known = held.array.reshape(-1)[:there]
    finite = known[np.isfinite(known)] if odd else known
    zeros = int(np.count_nonzero(finite == 0)) if low <= 0 <= high else 0
    if not len(finite):
        return Summary(len(known), 0.0, 0.0, 0.0, 0.0, zeros, odd, (0,) * BINS)
    with np.errstate(all="ignore"):
        mean, norm = _moments(finite, max(abs(low), abs(high)))
        return Summary(len(known), low, high, mean, norm, zeros, odd, _bars(finite, low, high))


@lru_cache(maxsize=8)
def moved(now: Held, before: Held) -> float:
    """The largest change of a cell."""
    with np.errstate(all="ignore"):
        return float(np.abs(now.array - before.array).max(initial=0.0))


def _moments(finite: Array, largest: float) -> tuple[float, float]:
    """Mean and norm; of numbers whose sum or squares leave the range, those of their ratios to the largest."""
    scale = 1.0 if largest == 0 or _TAME[0] < largest < _TAME[1] else largest
    wide = finite if finite.dtype == np.float64 else finite.astype(np.float64)
    scaled = wide if scale == 1.0 else wide / scale
    return float(scaled.sum()) / len(finite) * scale, math.sqrt(float(scaled.dot(scaled))) * scale


def _bars(finite: Array, low: float, high: float) -> tuple[int, ...]:
    """How many cells lie in each part of the range; of many cells a sample, the same at every moment."""
    shown = finite if len(finite) <= _SAMPLE else finite[_sampled(len(finite))]
    largest = max(abs(low), abs(high)) or 1.0
    ends = low / largest, high / largest
    if ends[1] - ends[0] < 1e-9:  # nearer to each other than parts of the range can be told apart
        return tuple(len(shown) * (k == BINS // 2) for k in range(BINS))
    return tuple(map(int, np.histogram(shown.astype(float) / largest, BINS, ends)[0]))


@lru_cache(maxsize=16)
def _sampled(size: int) -> Array:
    return np.sort(np.random.default_rng(0).integers(size, size=_SAMPLE))
