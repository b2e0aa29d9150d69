"""Index arithmetic: which cell of an operand a cell of a result was copied from. No array is looked at."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bptui.engine.ops.row import Shape
from bptui.engine.terms import Axes

Index = tuple[int, ...]


def narrowed(index: Index, shape: Shape) -> Index:
    """The cell of a broadcast operand that lies under a cell of the result."""
    return tuple(0 if n == 1 else i for i, n in zip(index[len(index) - len(shape) :], shape, strict=True))


def unravelled(flat: int, shape: Shape) -> Index:
    """The index of a flat cell."""
    return tuple(int(k) for k in np.unravel_index(flat, shape)) if shape else ()


def ravelled(index: Index, shape: Shape) -> int:
    """The flat cell of an index."""
    return int(np.ravel_multi_index(index, shape)) if shape else 0


# Views


def viewed(kind: str, argument: Any, shape: Shape, seen: Shape, index: Index) -> Index:
    """The cell of what has `shape` that a view of shape `seen` shows at an index."""
    if kind == "reshape":
        return unravelled(ravelled(index, seen), shape)
    if kind == "broadcast":
        return narrowed(index, shape)
    if kind == "index":
        return _indexed(argument, shape, index)
    axes = list(range(len(shape)))[::-1] if argument in (None, ()) else list(argument)
    if kind == "swapaxes":
        a, b = argument
        axes = list(range(len(shape)))
        axes[a], axes[b] = axes[b], axes[a]
    place = {axis % len(shape): k for k, axis in enumerate(axes)}
    return tuple(index[place[axis]] for axis in range(len(shape)))


def _spelled(argument: Any, rank: int) -> list[Any]:
    """An index with `...` and what is left out written as slices."""
    parts = list(argument) if isinstance(argument, tuple) else [argument]
    missing = rank - sum(part is not None and part is not Ellipsis for part in parts)
    if Ellipsis in parts:
        k = parts.index(Ellipsis)
        return [*parts[:k], *[slice(None)] * missing, *parts[k + 1 :]]
    return [*parts, *[slice(None)] * missing]


def _indexed(argument: Any, shape: Shape, index: Index) -> Index:
    left, axes, result = iter(index), iter(shape), []
    for part in _spelled(argument, len(shape)):
        if part is None:
            next(left)
        elif isinstance(part, slice):
            result.append(range(*part.indices(next(axes)))[next(left)])
        else:
            result.append(part % next(axes))
    return tuple(result)


def _placed(argument: Any, shape: Shape, index: Index) -> Index | None:
    """The cell of what was put at an index that a cell of the whole is from; None where nothing was put."""
    places, axes, result = iter(index), iter(shape), []
    for part in _spelled(argument, len(shape)):
        if part is None:
            result.append(0)
            continue
        n, place = next(axes), next(places)
        if isinstance(part, slice):
            taken = range(*part.indices(n))
            if place not in taken:
                return None
            result.append(taken.index(place))
        elif place != part % n:
            return None
    return tuple(result)


# Reductions


def reduced_count(shape: Shape, axes: Axes) -> int:
    """How many cells go into one of a reduction."""
    return math.prod(shape if axes is None else (shape[axis] for axis in axes))


def reduced_cell(shape: Shape, axes: Axes, index: Index, k: int, *, keep: bool) -> Index:
    """Number k of the cells that went into the result's cell at an index."""
    gone = sorted(range(len(shape)) if axes is None else {axis % len(shape) for axis in axes})
    inner = dict(zip(gone, unravelled(k, tuple(shape[axis] for axis in gone)), strict=True))
    outer, here, result = iter(index), 0, []
    for axis in range(len(shape)):
        if axis not in inner or keep:
            here = next(outer)
        result.append(inner.get(axis, here))
    return tuple(result)


# Calls that copy

Found = tuple[int, Index] | None


def copied(function: str, shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
    """(number of the part, cell) that a call copies to a cell of its result; None where it fills in a constant."""
    return _COPIES[function](shapes, constants, index)


def _pad(shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
    cell = tuple(i - before for i, (before, _) in zip(index, constants[0], strict=True))
    return (0, cell) if all(0 <= i < n for i, n in zip(cell, shapes[0], strict=True)) else None


def _tile(shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
    del constants
    return 0, tuple(i % n for i, n in zip(index, shapes[0], strict=True))


def _triangle(sign: int) -> Callable[[Sequence[Shape], tuple[Any, ...], Index], Found]:
    def cell(shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
        del shapes
        k = constants[0] if constants else 0
        return (0, index) if sign * (index[-1] - index[-2] - k) <= 0 else None

    return cell


def _concatenate(shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
    axis = constants[-1]
    place = index[axis]
    for k, shape in enumerate(shapes):
        if place < shape[axis]:
            return k, (*index[:axis], place, *index[axis + 1 :])
        place -= shape[axis]
    raise IndexError(index)


def _unfold(shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
    """(batch, out…, channel, kernel…) → (batch, channel, in…)."""
    _, stride, dilation = constants
    n = len(shapes[0]) - 2
    outs, channel, kernel = index[1 : n + 1], index[n + 1], index[n + 2 :]
    places = (o * s + k * d for o, s, k, d in zip(outs, stride, kernel, dilation, strict=True))
    return 0, (index[0], channel, *places)


def _place(shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
    del shapes
    cell = _placed(constants[1], constants[0], index)
    return None if cell is None else (0, cell)


def _same(shapes: Sequence[Shape], constants: tuple[Any, ...], index: Index) -> Found:
    del shapes, constants
    return 0, index


_COPIES: Mapping[str, Callable[[Sequence[Shape], tuple[Any, ...], Index], Found]] = {
    "pad": _pad,
    "tile": _tile,
    "tril": _triangle(1),
    "triu": _triangle(-1),
    "concatenate": _concatenate,
    "unfold": _unfold,
    "place": _place,
    "astype": _same,
}
COPIES = frozenset(_COPIES)


def folded(shape: Shape, constants: tuple[Any, ...], index: Index) -> list[Index]:
    """The cells of the windows that `fold` adds up in one cell, in the order in which it does."""
    _, stride, dilation = constants
    n = len(index) - 2
    outs, kernel = shape[1 : n + 1], shape[n + 2 :]
    found = []
    for cell in itertools.product(*(range(size) for size in kernel)):
        starts = [i - k * d for i, k, d in zip(index[2:], cell, dilation, strict=True)]
        if all(at % s == 0 and 0 <= at // s < n_out for at, s, n_out in zip(starts, stride, outs, strict=True)):
            found.append((index[0], *(at // s for at, s in zip(starts, stride, strict=True)), index[1], *cell))
    return found
