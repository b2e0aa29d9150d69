"""A line on arrays with lanes as statements; for its product, or its sum, there is a choice of ways.

Each way is NumPy's, and which of them gives the bits of `dot` and of a plain sum depends on the shapes, the processor
and the versions of NumPy and BLAS. So none is trusted: `bptui.engine.stacks.proving` tries them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bptui.engine.lowering import Lowering, Pool, Scope, aligned
from bptui.engine.network import Array
from bptui.engine.ops.row import Shape
from bptui.engine.stacks.products import Copy, Lanewise, Pairs, outer, sums
from bptui.engine.stacks.rewriting import Lanes
from bptui.engine.terms import Axes, Call, Let, Map, Product, Reduce, Term, View

# A product of all lanes in one call; the same after copying what is transposed; a column times a row cell by cell; an
# inner axis of 2 as complex numbers, the first product rounded by itself or the second; one lane after the other.
PRODUCTS = ("matmul", "straight", "outer", "pairs", "pairs-back", "loop")
# A sum as NumPy does it where it lies; after a copy; over rows, as a product with ones, which adds in the same order.
SUMS = ("reduce", "copied", "ones")
# Cells of a row up to which going through another costs more than a copy.
_ROW = 192


def ways(term: Term) -> tuple[str, ...]:
    """The ways in which a line may be done: of its product, or of its sum; one where there is no choice."""
    parts = _parts(term)
    if any(isinstance(part, Lanes) for part in parts):
        return PRODUCTS
    return SUMS if any(isinstance(part, Reduce) for part in parts) else SUMS[:1]


def _parts(term: Term) -> list[Term]:
    """A part and all that is in it."""
    match term:
        case Map(_, parts) | Call(_, parts):
            inner = list(parts)
        case Product(a, b):
            inner = [a, b]
        case Let(_, part) | Reduce(_, part) | View(_, part):
            inner = [part]
        case _:
            inner = []
    return [term, *(found for part in inner for found in _parts(part))]


class UnfitError(ValueError):
    """A way that a line can't be done in."""


def innermost(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """An array whose first axis, that of the lanes, is the one whose cells lie side by side."""
    return np.moveaxis(aligned((*shape[1:], shape[0]), dtype), -1, 0)


class LanePool(Pool):
    """Buffers whose lanes lie side by side, cell by cell."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.make = lambda shape, dtype: (innermost if shape[:1] == (width,) else aligned)(shape, dtype)


class LaneLowering(Lowering):
    """Writes the statements of one line on arrays with lanes, in one of the ways.

    plain  where buffers come from that are in the usual order whatever the others are
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        dtype: np.dtype[Any],
        pools: tuple[Pool, Pool],
        scope: Scope,
        *,
        in_place: bool,
        way: str,
    ) -> None:
        super().__init__(arrays, dtype, pools[0], scope, in_place=in_place)
        self.plain = pools[1]
        self.way = way
        self._chosen = False

    def write(self, term: Term, out: Array) -> list[str]:
        """The statements that compute a tree into a buffer. Raises UnfitError."""
        self.into(term, out, root=True)
        self.pool.all_free()
        self.plain.all_free()
        if self.way in SUMS[1:] and not self._chosen:
            raise UnfitError(self.way)
        return self.lines

    def into(self, term: Term, out: Array, *, root: bool = False) -> None:
        """Compute a part into a buffer."""
        if isinstance(term, Lanes):
            (left, held), (right, more) = self.value(term.a), self.value(term.b)
            _WAYS[self.way](self, left, right, out)
            self._release([*held, *more])
        else:
            super().into(term, out, root=root)

    # Products

    def _matmul(self, left: Array, right: Array, out: Array) -> None:
        sides, copies = self._as_alone(left, right)
        target = self.plain.take(out.shape, out.dtype) if _is_scattered(out) else out
        for to, source in copies:
            self._emit("copyto", to, source)
        self._emit("matmul", *sides, target)
        if target is not out:
            self._emit("copyto", out, target)

    def _straight(self, left: Array, right: Array, out: Array) -> None:
        turned = [side.strides[-1] != side.itemsize and not _is_scattered(side) for side in (left, right)]
        if not any(turned):
            raise UnfitError(self.way)
        sides = [self._copy(side) if copied else side for side, copied in zip((left, right), turned, strict=True)]
        self._matmul(sides[0], sides[1], out)

    def _as_alone(self, *sides: Array) -> tuple[list[Array], list[Copy]]:
        """Operands each lane of which lies as it does alone, and the copies (to, from) that this takes."""
        found, copies = [], []
        for side in sides:
            rows, columns = side.strides[-2:]
            if not _is_scattered(side):
                found.append(side)
            elif rows >= columns:
                found.append(self.plain.take(side.shape, side.dtype))
            else:
                found.append(self.plain.take(side.swapaxes(-1, -2).shape, side.dtype).swapaxes(-1, -2))
            if found[-1] is not side:
                copies.append((found[-1], side))
        return found, copies

    def _copy(self, value: Array) -> Array:
        copy = self.plain.take(value.shape, value.dtype)
        self._emit("copyto", copy, value)
        return copy

    def _loop(self, left: Array, right: Array, out: Array) -> None:
        self.lines.append(f"{self._n(self._lanewise(left, right, out))}()")

    def _lanewise(self, left: Array, right: Array, out: Array) -> Lanewise:
        """What a machine alone does, for each lane. Raises UnfitError where it would not be `dot`."""
        single = left.shape[-2:] == right.shape[-2:] == (1, 1)
        if single or out.ndim != 3 or not left.dtype == right.dtype == out.dtype:
            raise UnfitError(self.way)
        target = self.plain.take(out.shape, out.dtype) if _is_scattered(out) else out
        sides, before = self._as_alone(left, right)
        wide = [np.broadcast_to(side, (len(out), *side.shape[-2:])) for side in sides]
        dots = [(wide[0][k].dot, wide[1][k], target[k]) for k in range(len(out))]
        return Lanewise(dots, before, [] if target is out else [(out, target)])

    def _outer(self, left: Array, right: Array, out: Array) -> None:
        if left.shape[-1] != 1:
            raise UnfitError(self.way)
        sides = [self._n(np.broadcast_to(side, out.shape)) for side in (left, right)]
        zero, lanewise = self.scope.number(0.0, out.dtype), self._lanewise(left, right, out)
        self.scope.names["outer"] = outer
        self.lines.append(f"outer({', '.join([*sides, self._n(out), self._n(zero), self._n(lanewise)])})")

    def _pairs(self, left: Array, right: Array, out: Array) -> None:
        if left.shape[-1] != 2 or left.dtype != right.dtype:
            raise UnfitError(self.way)
        lanewise = self._lanewise(left, right, out)
        if self.way == "pairs-back":
            left, right = left[..., ::-1], right[..., ::-1, :]
        a = self._complex(left[..., 1:])
        b = self._complex(right[..., :1, :])
        parts = [(a.real, left[..., 1:]), (a.imag, left[..., :1])]
        parts += [(b.real, right[..., :1, :]), (b.imag, right[..., 1:, :])]
        self.lines.append(f"{self._n(Pairs(parts, a, b, self._complex(out), out, lanewise))}()")

    def _complex(self, like: Array) -> Array:
        dtype = np.result_type(like.dtype, np.complex64)
        return self.pool.take(like.shape, dtype) if like.ndim == 3 else self.plain.take(like.shape, dtype)

    # What is done cell by cell

    def _apply(self, function: str, values: list[Array], out: Array) -> None:
        if len(values) == 2 and out.ndim == 3 and out.flags.c_contiguous and values[0].shape == out.shape:
            values, out = self._in_longer_rows(values[0], values[1], out)
        super()._apply(function, values, out)

    def _in_longer_rows(self, whole: Array, row: Array, out: Array) -> tuple[list[Array], Array]:
        """A short row of each lane, which goes with every row of another array, repeated: fewer rows to begin with."""
        lanes, rows, columns = out.shape
        times = max((k for k in range(1, rows + 1) if rows % k == 0 and k * columns <= _ROW), default=1)
        if times < 4 or row.shape != (lanes, 1, columns) or not whole.flags.c_contiguous:
            return [whole, row], out
        repeated = self.plain.take((lanes, times, columns), row.dtype)
        self._emit("copyto", repeated, np.broadcast_to(row, repeated.shape))
        longer = (lanes, rows // times, times * columns)
        return [whole.reshape(longer), repeated.reshape(lanes, 1, -1)], out.reshape(longer)

    # Sums and the like

    def _reduced(self, function: str, value: Array, axes: Axes, out: Array, *, keep: bool) -> None:
        if value.size == out.size and value.dtype == out.dtype:
            self._of_one(function, value, out)
            return
        if self.way == "ones" and function == "add" and axes == (1,) and not keep:
            self._chosen = True
            self._by_ones(value, out)
            return
        if self.way == "copied":
            self._chosen = True
            value = self._lane_by_lane(value)
        super()._reduced(function, value, axes, out, keep=keep)

    def _lane_by_lane(self, value: Array) -> Array:
        """A copy in the usual order. Raises UnfitError where it lies so already."""
        if value.flags.c_contiguous:
            raise UnfitError(self.way)
        return self._copy(value)

    def _of_one(self, function: str, value: Array, out: Array) -> None:
        """Nothing to reduce, in whatever order the cells lie."""
        seen = value.reshape(out.shape)
        if function == "add":
            self._apply("add", [seen, self.scope.number(0.0, out.dtype)], out)
        else:
            self._emit("copyto", out, seen)

    def _by_ones(self, value: Array, out: Array) -> None:
        if value.ndim != 3 or value.shape[-1] == 1 or value.dtype != out.dtype or _is_scattered(value):
            raise UnfitError(self.way)
        ones = self.scope.filled(self.scope.number(1.0, value.dtype), (value.shape[1], 2))
        twice = self.plain.take((*out.shape, 2), out.dtype)
        self._function(sums, value, ones, twice, out)

    def _function(self, function: Callable[..., None], *arrays: Array) -> None:
        self.scope.names[function.__name__] = function
        self._emit(function.__name__, *arrays)


_WAYS: Mapping[str, Callable[[LaneLowering, Array, Array, Array], None]] = {
    "matmul": LaneLowering._matmul,  # noqa: SLF001
    "straight": LaneLowering._straight,  # noqa: SLF001
    "outer": LaneLowering._outer,  # noqa: SLF001
    "pairs": LaneLowering._pairs,  # noqa: SLF001
    "pairs-back": LaneLowering._pairs,  # noqa: SLF001
    "loop": LaneLowering._loop,  # noqa: SLF001
}


def _is_scattered(value: Array) -> bool:
    """Whether the lanes lie side by side, so that the cells of each lie far apart."""
    return value.ndim > 2 and value[0].size > 1 and value.strides[0] == value.itemsize
