"""The functions besides NumPy's own that a shown line may call, each with an `out=` form that gives the same bits.

`unfold` and `fold` are called so after PyTorch's; `place` and `scatter` are the gradients of slicing and of indexing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ints = Sequence[int]

_erf = np.frompyfunc(math.erf, 1, 1)


def erf(x: Array, out: Array | None = None) -> Array:
    """The error function, element by element: the C library's, in double precision; NumPy has none."""
    result = np.asarray(_erf(np.asarray(x, np.float64)), np.float64)
    if out is None:
        return result.astype(np.asarray(x).dtype)
    np.copyto(out, result, casting="same_kind")
    return out


def windows(x: Array, kernel: Ints, stride: Ints, dilation: Ints) -> Array:
    """A view (batch, out…, channels, kernel…) of x (batch, channels, in…): the window that each output cell sees."""
    n = len(kernel)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    axes = tuple(range(2, 2 + n))
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axes, writeable=True)
    steps = tuple(slice(None, None, s) for s in stride)
    holes = tuple(slice(None, None, d) for d in dilation)
    view = view[(slice(None), slice(None), *steps, *holes)]
    return np.moveaxis(view, 1, 1 + n)


def unfold(x: Array, kernel: Ints, stride: Ints, dilation: Ints, out: Array | None = None) -> Array:
    """Every window of x, copied: (batch, out…, channels, kernel…). What a convolution multiplies by its weights."""
    view = windows(x, kernel, stride, dilation)
    if out is None:
        return np.ascontiguousarray(view)
    np.copyto(out, view)
    return out


def fold(c: Array, shape: Ints, stride: Ints, dilation: Ints, out: Array | None = None) -> Array:
    """The gradient of `unfold`: every window added back where it was taken from; cells of the kernel in order."""
    n = len(shape) - 2
    result = np.zeros(shape, c.dtype) if out is None else out
    result[...] = 0
    outs, kernel = c.shape[1 : 1 + n], c.shape[2 + n :]
    source = np.moveaxis(c, 1 + n, 1)
    for cell in np.ndindex(*kernel):
        place = tuple(
            slice(k * d, k * d + (o - 1) * s + 1, s) for k, d, o, s in zip(cell, dilation, outs, stride, strict=True)
        )
        part = result[(slice(None), slice(None), *place)]
        np.add(part, source[(..., *cell)], part)
    return result


def place(g: Array, shape: Ints, index: Any, out: Array | None = None) -> Array:
    """Zeros of a shape with g at an index: the gradient of taking that index."""
    result = np.zeros(shape, g.dtype) if out is None else out
    result[...] = 0
    result[index] = g
    return result


def scatter(g: Array, index: Array, shape: Ints, out: Array | None = None) -> Array:
    """Zeros of a shape, each row of g added to the row that index names: the gradient of a look-up in a table."""
    result = np.zeros(shape, g.dtype) if out is None else out
    result[...] = 0
    np.add.at(result, np.clip(index, 0, shape[0] - 1), g)
    return result


# Those that a line may call by these names; each takes `out=`.
FUNCTIONS = {"erf": erf, "unfold": unfold, "fold": fold, "place": place, "scatter": scatter}
