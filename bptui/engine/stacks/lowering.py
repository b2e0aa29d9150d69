"""A line on arrays with lanes as statements; for its product, or its sum, there is a choice of ways.

Each way is NumPy's, and which of them gives the bits of `dot` and of a plain sum depends on the shapes, the processor
and the versions of NumPy and BLAS. So none is trusted: `bptui.engine.stacks.proving` tries them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bptui.engine.lowering import Lowering, Pool, Scope, aligned
from bptui.engine.network import Array
from bptui.engine.ops.row import Shape
from bptui.engine.stacks.products import Lanewise, Pairs, outer
from bptui.engine.stacks.rewriting import Lanes
from bptui.engine.terms import Axes, Call, Let, Map, Product, Reduce, Term, View

# A product of all lanes in one call; the same after copying what does not lie so that BLAS takes it; a column times a
# row cell by cell; an inner axis of 2 as complex numbers; one lane after the other.
PRODUCTS = ("matmul", "copied", "outer", "pairs", "loop")
# A sum as NumPy does it where it lies; after a copy; over rows, as a product with ones, which adds in the same order.
SUMS = ("reduce", "copied", "ones")


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


def innermost(shape: Shape, dtype: np.dtype[np.generic]) -> Array:
    """An array whose first axis, that of the lanes, is the one whose cells lie side by side."""
    array = aligned((*shape[1:], shape[0]), dtype)
    return np.moveaxis(array, -1, 0)


class LanePool(Pool):
    """Buffers with lanes that lie side by side, cell by cell."""

    make = staticmethod(innermost)


class LaneLowering(Lowering):
    """Writes the statements of one line on arrays with lanes, in one of the ways.

    plain  where buffers come from that are in the usual order whatever the others are
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        dtype: np.dtype[np.generic],
        pools: tuple[Pool, Pool],
        scope: Scope,
        *,
        in_place: bool,
        way: str,
    ) -> None:
        super().__init__(arrays, dtype, pools[0], scope, in_place=in_place)
        self.plain = pools[1]
        self.way = way

    def write(self, term: Term, out: Array) -> list[str]:
        """The statements that compute a tree into a buffer. Raises UnfitError."""
        self.into(term, out, root=True)
        self.pool.all_free()
        self.plain.all_free()
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
        self._emit("matmul", left, right, out)

    def _copied(self, left: Array, right: Array, out: Array) -> None:
        if all(_lies_well(array) for array in (left, right, out)):
            raise UnfitError(self.way)
        left, right = self._well(left), self._well(right)
        target = out if _lies_well(out) else self.plain.take(out.shape, out.dtype)
        self._emit("matmul", left, right, target)
        if target is not out:
            self._emit("copyto", out, target)

    def _well(self, value: Array) -> Array:
        """An operand, copied unless it lies so that BLAS takes it as it is."""
        if _lies_well(value):
            return value
        copy = self.plain.take(value.shape, value.dtype)
        self._emit("copyto", copy, value)
        return copy

    def _loop(self, left: Array, right: Array, out: Array) -> None:
        self.lines.append(f"{self._n(self._lanewise(left, right, out))}()")

    def _lanewise(self, left: Array, right: Array, out: Array) -> Lanewise:
        """What a machine alone does, for each lane. Raises UnfitError where it would not be `dot`."""
        single = left.shape[-2:] == right.shape[-2:] == (1, 1)
        if out.ndim != 3 or single or not out.dtype == left.dtype == right.dtype:
            raise UnfitError(self.way)
        before = []
        for k, side in enumerate((left, right)):
            if not (side.ndim == 2 or _whole(side)):
                before.append((self.plain.take(side.shape, side.dtype), side))
                left, right = (before[-1][0], right) if k == 0 else (left, before[-1][0])
        target = out if _whole(out) else self.plain.take(out.shape, out.dtype)
        left, right = (np.broadcast_to(side, (len(out), *side.shape[-2:])) for side in (left, right))
        dots = [(left[k].dot, right[k], target[k]) for k in range(len(out))]
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
        a = self._complex(left[..., 1:])
        b = self._complex(right[..., :1, :])
        parts = [(a.real, left[..., 1:]), (a.imag, left[..., :1])]
        parts += [(b.real, right[..., :1, :]), (b.imag, right[..., 1:, :])]
        self.lines.append(f"{self._n(Pairs(parts, a, b, self._complex(out), out, lanewise))}()")

    def _complex(self, like: Array) -> Array:
        dtype = np.result_type(like.dtype, np.complex64)
        return self.pool.take(like.shape, dtype) if like.ndim == 3 else self.plain.take(like.shape, dtype)

    # Sums and the like

    def _reduced(self, function: str, value: Array, axes: Axes, out: Array, *, keep: bool) -> None:
        if value.size == out.size and value.dtype == out.dtype:
            self._of_one(function, value, out)
            return
        if self.way == "ones" and function == "add" and axes == (1,) and not keep:
            self._by_ones(value, out)
            return
        if self.way == "copied":
            value = self._well(value)
        super()._reduced(function, value, axes, out, keep=keep)

    def _of_one(self, function: str, value: Array, out: Array) -> None:
        """Nothing to reduce, in whatever order the cells lie."""
        seen = value.reshape(out.shape)
        if function == "add":
            self._apply("add", [seen, self.scope.number(0.0, out.dtype)], out)
        else:
            self._emit("copyto", out, seen)

    def _by_ones(self, value: Array, out: Array) -> None:
        """Two columns of ones, so that BLAS takes it for a product of matrices and adds in the order of the rows.

        A product begins with 0 + the first row, a sum with the row itself, which tells 0.0 from -0.0: where a sum is
        0, it is done once more as NumPy does it.
        """
        if value.ndim != 3 or value.shape[-1] == 1 or value.dtype != out.dtype or not _lies_well(value):
            raise UnfitError(self.way)
        ones = self.scope.filled(self.scope.number(1.0, value.dtype), (value.shape[1], 2))
        sums = self.plain.take((*out.shape, 2), out.dtype)
        self._emit("matmul", value.swapaxes(1, 2), ones, sums)
        self._emit("copyto", out, sums[..., 0])
        self.scope.names.setdefault("add_reduce", np.add.reduce)
        every = self.scope.name(out.all, "a")
        self.lines.append(f"{every}() or add_reduce({self._n(value)}, 1, None, {self._n(out)}, False)")


_WAYS: Mapping[str, Callable[[LaneLowering, Array, Array, Array], None]] = {
    "matmul": LaneLowering._matmul,  # noqa: SLF001
    "copied": LaneLowering._copied,  # noqa: SLF001
    "outer": LaneLowering._outer,  # noqa: SLF001
    "pairs": LaneLowering._pairs,  # noqa: SLF001
    "loop": LaneLowering._loop,  # noqa: SLF001
}


def _lies_well(value: Array) -> bool:
    """Whether rows are contiguous, so that BLAS takes them as they are."""
    return (value.shape[-1] == 1 and _whole(value)) or value.strides[-1] == value.itemsize


def _whole(value: Array) -> bool:
    """Whether each lane is one piece of memory, its rows or its columns in order."""
    lane = value[0]
    return bool(lane.flags.c_contiguous or lane.swapaxes(-1, -2).flags.c_contiguous)
