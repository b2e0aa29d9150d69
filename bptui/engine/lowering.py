"""The line of an op as statements that write into buffers there are already.

The same ufuncs are called in the same order as Python would call them for the shown line, each with `out=`: the bits
are the same, and nothing is allocated. What can be a view of a buffer is made once, here, and not in each run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bptui.engine import terms
from bptui.engine.ops.functions import FUNCTIONS, Array
from bptui.engine.ops.row import Shape
from bptui.engine.terms import BOOLEAN, Call, Leaf, Let, Map, Number, Product, Reduce, Term, View

ALIGN = 64
# `maximum` and its like take `out` by keyword only.
_BY_KEYWORD = frozenset({"maximum", "minimum"})
_METHODS = frozenset({"take", "argmax"})
# Cells from which on it pays to avoid NumPy's slow ways through an array.
_WIDE = 64


def aligned(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """An uninitialised C-contiguous array that starts on a 64-byte boundary."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start : start + size].view(dtype).reshape(shape)


class Pool:
    """Buffers for what a line computes on the way; between instructions nothing in them is needed any more."""

    make: Callable[[Shape, np.dtype[Any]], Array] = staticmethod(aligned)

    def __init__(self) -> None:
        self._free: dict[tuple[Shape, np.dtype[Any]], list[Array]] = {}
        self._all: dict[tuple[Shape, np.dtype[Any]], list[Array]] = {}

    def take(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A buffer that nobody holds within this instruction."""
        free = self._free.setdefault((shape, dtype), [])
        if free:
            return free.pop()
        array = self.make(shape, dtype)
        self._all.setdefault((shape, dtype), []).append(array)
        return array

    def give(self, array: Array) -> None:
        """It may be taken again."""
        self._free.setdefault((array.shape, array.dtype), []).append(array)

    def all_free(self) -> None:
        """An instruction is over."""
        self._free = {key: list(arrays) for key, arrays in self._all.items()}


class Scope:
    """Names for the objects that generated code works on; the same object gets the same name."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}
        self._numbers: dict[tuple[str, str], Array] = {}

    def name(self, value: Any, prefix: str = "v") -> str:
        """The name of an object."""
        key = id(value)
        if key not in self._known:
            name = f"{prefix}{len(self.names)}"
            self.names[name] = value
            self._known[key] = name
        return self._known[key]

    def number(self, value: float, dtype: np.dtype[Any]) -> Array:
        """A constant as a 0-d array: as an operand it costs less than a Python float, and it rounds the same."""
        key = (repr(value), dtype.str)
        if key not in self._numbers:
            array = np.array(value, dtype)
            array.flags.writeable = False
            self._numbers[key] = array
        return self._numbers[key]

    def filled(self, number: Array, shape: Shape) -> Array:
        """An array of that shape full of a number: `maximum` with it is three times as fast as with the number."""
        key = (repr(number[()]), f"{number.dtype.str} {shape}")
        if key not in self._numbers:
            self._numbers[key] = np.full(shape, number)
            self._numbers[key].flags.writeable = False
        return self._numbers[key]


class Lowering:
    """Writes the statements of one line.

    arrays    role → buffer
    in_place  the result replaces the first argument, so that nothing but the last statement may write it
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        dtype: np.dtype[Any],
        pool: Pool,
        scope: Scope,
        *,
        in_place: bool = False,
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.arrays = dict(arrays)
        self.dtype = dtype
        self.pool = pool
        self.scope = scope
        self.in_place = in_place
        self.functions = functions or {}
        self.lines: list[str] = []

    def line(self, text: str, out: Array) -> list[str]:
        """The statements that compute a line into a buffer."""
        self.into(terms.read(text), out, root=True)
        self.pool.all_free()
        return self.lines

    # Into a given buffer

    def into(self, term: Term, out: Array, *, root: bool = False) -> None:
        """Compute a part into a buffer."""
        match term:
            case Map(function="where", parts=parts):
                self._where(parts, out, root=root)
            case Map(function, parts):
                self._map(function, parts, out, root=root)
            case Product(a, b):
                self._product(a, b, out)
            case Reduce(function, part, axes, keep):
                self._reduce(function, part, axes, out, keep=keep)
            case View("reshape", part, _) if not isinstance(part, Leaf | Let) and out.flags.c_contiguous:
                self.into(part, out.reshape(self._shape(part)))
            case Call(function, parts, constants, options):
                self._call(function, parts, constants, options, out)
            case Let(name, part):
                self.into(part, out)
                self.arrays[name] = out
            case _:
                value, held = self.value(term)
                self._emit("copyto", out, value)
                self._release(held)

    def _map(self, function: str, parts: tuple[Term, ...], out: Array, *, root: bool) -> None:
        # One operand may be computed in the place of the result itself, if nothing else needs that place meanwhile. Not
        # for a single cell: a ufunc that writes the cell it reads takes NumPy three times as long as into another.
        open_ = not (root and self.in_place) and out.size > 1
        values, held = [], []
        for part in parts:
            if open_ and self._fits(part, out, root=root):
                self.into(part, out)
                if isinstance(part, Let):
                    self.arrays[part.name] = out
                values.append(out)
                open_ = False
            else:
                value, taken = self.value(part)
                values.append(value)
                held += taken
        self._apply(function, values, out)
        self._release(held)

    def _fits(self, part: Term, out: Array, *, root: bool) -> bool:
        """Whether a part may be computed in the place of the result that it is an operand of."""
        if isinstance(part, Leaf | Number) or (isinstance(part, Let) and not root):
            return False
        if isinstance(part, View) and not self._owns(part):
            return False
        if self._named_in(part) and not isinstance(part, Let):
            return False
        return self._shape(part) == out.shape and self._dtype(part) == out.dtype

    def _owns(self, part: View) -> bool:
        """Whether a view is of something computed here, so that it has to be computed somewhere anyway."""
        return part.kind == "reshape" and not isinstance(part.part, Leaf | View | Let)

    def _named_in(self, term: Term) -> bool:
        """Whether a part names something: the name may be wanted after the part has been used up."""
        match term:
            case Let():
                return True
            case Map(_, parts) | Call(_, parts):
                return any(self._named_in(part) for part in parts)
            case Product(a, b):
                return self._named_in(a) or self._named_in(b)
            case Reduce(_, part) | View(_, part):
                return self._named_in(part)
        return False

    def _where(self, parts: tuple[Term, ...], out: Array, *, root: bool) -> None:
        if self._masks(parts, out, root=root):
            return
        (condition, held), (chosen, more) = self.value(parts[0]), self.value(parts[1])
        if root and self.in_place:
            other, rest = self.value(parts[2])
            self._emit("copyto", out, other)
            more = [*more, *rest]
        else:
            self.into(parts[2], out)
        self.lines.append(
            f"copyto({self._n(out)}, {self._n(chosen)}, where={self._n(np.broadcast_to(condition, out.shape))})"
        )
        self._release([*held, *more])

    def _masks(self, parts: tuple[Term, ...], out: Array, *, root: bool) -> bool:
        """`where(c, a, 0)` as a bitwise `and` with all ones or zeros: the same bits, and no branch to mispredict."""
        wide = out.dtype.kind == "f" and out.flags.c_contiguous and out.size >= _WIDE
        if not wide or parts[2] != Number(0) or (root and self.in_place) or not isinstance(parts[1], Leaf):
            return False
        chosen = self.arrays[parts[1].name]
        alike = chosen.shape == out.shape and chosen.dtype == out.dtype and chosen.flags.c_contiguous
        if not alike or self._shape(parts[0]) != out.shape or self._dtype(parts[0]).kind != "b":
            return False
        whole = np.dtype(f"i{out.dtype.itemsize}")
        condition, held = self.value(parts[0])
        mask = self.pool.take(out.shape, whole)
        self._emit("negative", condition.view(np.int8), mask)
        self._emit("bitwise_and", chosen.view(whole), mask, out.view(whole))
        self._release([*held, mask])
        return True

    def _product(self, a: Term, b: Term, out: Array) -> None:
        (left, held), (right, more) = self.value(a), self.value(b)
        # `dot` costs a third of `matmul` on small matrices; on single cells it may give -0.0 where `@` gives 0.0. Times
        # a single cell that is exactly 0 it gives 0 where `@` gives nan for what is not finite: the one known exception
        # to "what is shown is what ran".
        plain = left.ndim == right.ndim == 2 and out.flags.c_contiguous and left.dtype == right.dtype == out.dtype
        if plain and not left.size == right.size == 1:
            self.lines.append(f"{self.scope.name(left.dot, 'd')}({self._n(right)}, {self._n(out)})")
        else:
            self.lines.append(f"matmul({self._n(left)}, {self._n(right)}, {self._n(out)})")
        self._release([*held, *more])

    def _reduce(self, function: str, part: Term, axes: terms.Axes, out: Array, *, keep: bool) -> None:
        value, held = self.value(part)
        total = out
        if function == "mean" and out.size == 1:
            total = self.pool.take(out.shape, out.dtype)
            held = [*held, total]
        self._reduced("add" if function == "mean" else function, value, axes, total, keep=keep)
        if function == "mean":
            count = value.size // max(1, out.size)
            self._apply("divide", [total, self.scope.number(count, self._real(out))], out)
        self._release(held)

    def _reduced(self, function: str, value: Array, axes: terms.Axes, out: Array, *, keep: bool) -> None:
        if value.size == out.size and value.dtype == out.dtype and value.flags.c_contiguous:
            # Nothing to reduce: a sum of one cell is 0 + that cell (which turns -0.0 into 0.0), an extreme the cell.
            seen = value.reshape(out.shape)
            if function == "add":
                self._apply("add", [seen, self.scope.number(0.0, self._real(out))], out)
            else:
                self._emit("copyto", out, seen)
            return
        axis = axes if axes is None or len(axes) > 1 else axes[0]
        self.scope.names.setdefault(f"{function}_reduce", getattr(np, function).reduce)
        arguments = f"{self._n(value)}, {axis}, None, {self._n(out)}, {keep}"
        self.lines.append(f"{function}_reduce({arguments})")

    def _call(
        self, function: str, parts: tuple[Term, ...], constants: tuple[Any, ...], options: Any, out: Array
    ) -> None:
        values, held = [], []
        for part in parts:
            value, taken = self.value(part)
            values.append(value)
            held += taken
        first, *rest = [self._n(value) for value in values] or [""]
        more = [*rest, *[self._constant(value) for value in constants]]
        words = [f"{key}={value!r}" for key, value in options]
        if function == "astype":
            self.lines.append(f'copyto({self._n(out)}, {first}, casting="unsafe")')
        elif function == "take_rows":
            self.lines.append(f'take({first}, {more[0]}, 0, {self._n(out)}, "clip")')
        elif function in _METHODS:
            inner = [f"out={self._n(out)}", *words]
            self.lines.append(f"{function}({', '.join([first, *more, *inner])})")
        elif function in FUNCTIONS:
            self.lines.append(f"{function}({', '.join([first, *more, f'out={self._n(out)}'])})")
        elif function == "concatenate":
            names = ", ".join([first, *rest])
            self.lines.append(f"concatenate(({names},), {constants[-1]}, {self._n(out)})")
        else:
            name = self.scope.name(self.functions[function]) if function in self.functions else function
            given = [part for part in ([first] if values else []) + more if part]
            self.lines.append(f"copyto({self._n(out)}, {name}({', '.join([*given, *words])}))")
        self._release(held)

    # As a value, wherever it may lie

    def value(self, term: Term) -> tuple[Array, list[Array]]:
        """A buffer or a view that will hold a part, and the temporary buffers that this takes up."""
        match term:
            case Leaf(name):
                return self.arrays[name], []
            case Number(number):
                return self.scope.number(number, self._real(np.zeros((), self.dtype))), []
            case Let(name, part):
                value, _ = self.value(part)
                self.arrays[name] = value
                return value, []
            case View(kind, part, argument):
                return self._view(kind, part, argument)
            case Reduce("add", Map(function="square" | "exp", parts=_) as part, axes, keep) if self._single(part):
                # The sum of a single cell that can't be -0.0 is that cell.
                cell, held = self.value(part)
                return cell.reshape(terms.reduced(cell.shape, axes, keep=keep)), held
            case Call("arange", _, constants):
                return np.arange(constants[0]), []
            case Call("tri", _, constants):
                return np.tri(*constants), []
        out = self.pool.take(self._shape(term), self._dtype(term))
        self.into(term, out)
        return out, [out]

    def _single(self, term: Term) -> bool:
        return math.prod(self._shape(term)) == 1

    def _view(self, kind: str, part: Term, argument: Any) -> tuple[Array, list[Array]]:
        value, held = self.value(part)
        seen = terms.view(value, kind, argument)
        if np.shares_memory(seen, value) or seen.size == 0:
            return seen, held
        # A reshape that needs a copy: the copy is a buffer of its own, written anew each time.
        out = self.pool.take(value.shape, value.dtype)
        self._emit("copyto", out, value)
        self._release(held)
        return out.reshape(argument), [out]

    # Inside

    def _apply(self, function: str, values: list[Array], out: Array) -> None:
        # A view that is broadcast already costs less than broadcasting in each run.
        names = [self._n(self._spread(function, v, out)) for v in values]
        if function in FUNCTIONS:
            self.lines.append(f"{function}({', '.join([*names, f'out={self._n(out)}'])})")
            return
        last = f"out={self._n(out)}" if function in _BY_KEYWORD else self._n(out)
        self.lines.append(f"{function}({', '.join([*names, last])})")

    def _spread(self, function: str, value: Array, out: Array) -> Array:
        """An operand in the form that costs the least: already broadcast; for an extreme, as wide as the result."""
        if value.ndim and value.shape != out.shape:
            return np.broadcast_to(value, out.shape)
        if function in _BY_KEYWORD and not value.ndim and not value.flags.writeable and out.size >= _WIDE:
            return self.scope.filled(value, out.shape)
        return value

    def _emit(self, function: str, *arrays: Array) -> None:
        self.lines.append(f"{function}({', '.join(self._n(array) for array in arrays)})")

    def _n(self, value: Any) -> str:
        return self.scope.name(value)

    def _constant(self, value: Any) -> str:
        return self.scope.name(value) if isinstance(value, slice | tuple) else repr(value)

    def _release(self, held: list[Array]) -> None:
        for array in held:
            self.pool.give(array)

    def _shape(self, term: Term) -> Shape:
        return terms.shape(term, {name: array.shape for name, array in self.arrays.items()})

    def _dtype(self, term: Term) -> np.dtype[Any]:
        match term:
            case Map("where", parts):
                return self._dtype(parts[1])
            case Map(function) if function in BOOLEAN:
                return np.dtype(bool)
            case Call("astype" | "argmax"):
                return np.dtype(np.intp)
            case Leaf(name):
                return self.arrays[name].dtype
            case Let(_, part) | View(_, part):
                return self._dtype(part)
            case Reduce("add", part) if self._dtype(part).kind == "b":
                return np.dtype(np.intp)
            case Reduce(_, part):
                return self._dtype(part)
        return self.dtype

    def _real(self, array: Array) -> np.dtype[Any]:
        return np.zeros((), array.dtype).real.dtype
