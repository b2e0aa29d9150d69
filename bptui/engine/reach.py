"""Which cells of an argument a cell of a result depends on, read off the op's line.

In both directions: `operands` goes from cells of a result to what they were made of, `spread` from marked cells of the
arguments to the cells of the result that they had a part in. Both push a boolean mask through the tree of the line.
Which rows of a table are looked up is known only where the numbers of the rows are given; else all of them may be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bptui.engine import terms
from bptui.engine.ops import functions
from bptui.engine.ops.functions import Array
from bptui.engine.ops.row import Shape
from bptui.engine.terms import Call, Leaf, Let, Map, Number, Product, Reduce, Term, View

Masks = Mapping[str, Array]
_NOTHING: Masks = {}
_LOOKUPS = frozenset({"take", "take_rows", "scatter"})


def spread(text: str, shapes: Mapping[str, Shape], masks: Masks, values: Masks = _NOTHING) -> Array:
    """The cells of a line's result that depend on a marked cell; `masks` is role → boolean array.

    values  role → its array, for the numbers of rows that are looked up
    """
    term = terms.read(text)
    known = {role: masks.get(role, np.zeros(shape, bool)) for role, shape in shapes.items()}
    return np.array(_forward(term, known, values))


def _forward(term: Term, masks: dict[str, Array], values: Masks) -> Array:
    match term:
        case Leaf(name):
            return masks[name]
        case Number():
            return np.zeros((), bool)
        case Let(name, part):
            masks[name] = _forward(part, masks, values)
            return masks[name]
        case Map(_, parts):
            found = [_forward(part, masks, values) for part in parts]
            result = np.zeros(np.broadcast_shapes(*(mask.shape for mask in found)), bool)
            for mask in found:
                result |= mask
            return result
        case Product(a, b):
            left, right = _forward(a, masks, values), _forward(b, masks, values)
            return _product(left, right)
        case Reduce(_, part, axes, keep):
            return np.asarray(_forward(part, masks, values).any(axis=axes, keepdims=keep))
        case View(kind, part, argument):
            return np.asarray(terms.view(_forward(part, masks, values), kind, argument))
        case Call(function, parts, constants, options):
            found = [_forward(part, masks, values) for part in parts]
            if function in _LOOKUPS:
                return _looked_up(function, found, constants, _numbers(parts[1], values))
            return _moved(function, found, constants, dict(options))


def _numbers(part: Term, values: Masks) -> Array | None:
    """The numbers of the rows that are looked up, if they are known."""
    inner = part.parts[0] if isinstance(part, Call) and part.function == "astype" else part
    return values[inner.name].astype(int) if isinstance(inner, Leaf) and inner.name in values else None


def _looked_up(function: str, masks: list[Array], constants: tuple[Any, ...], numbers: Array | None) -> Array:
    """Marks after rows were taken from a table by their numbers, or added into one; all are, if not known which."""
    first, index = masks
    if function == "scatter":
        if numbers is None:
            return np.broadcast_to(first.reshape(-1, *first.shape[index.ndim :]).any(0) | index.any(), constants[0])
        result = np.zeros(constants[0], bool)
        np.logical_or.at(result, _within(numbers, len(result)), first | _beside(index, first.ndim))
        return result
    taken = np.broadcast_to(first.any(0), index.shape + first.shape[1:])
    taken = taken if numbers is None else first[_within(numbers, len(first))]
    return np.asarray(taken | _beside(index, taken.ndim))


def _within(numbers: Array, count: int) -> Array:
    """A number outside a table counts as the nearest row."""
    return np.clip(numbers, 0, count - 1)


def _beside(index: Array, ndim: int) -> Array:
    """Marks of rows' numbers, to be laid over the rows."""
    return index.reshape(*index.shape, *(1,) * (ndim - index.ndim))


def _product(left: Array, right: Array) -> Array:
    """Marks of a @ b: a row of a marks a row of the result, a column of b a column."""
    shape = terms.product_shape(left.shape, right.shape)
    result = np.zeros(shape, bool)
    rows = left.any(-1) if left.ndim > 1 else left.any()
    columns = right.any(-2) if right.ndim > 1 else right.any()
    result |= np.asarray(rows)[..., None] if left.ndim > 1 and right.ndim > 1 else np.asarray(rows)
    result |= np.asarray(columns)[..., None, :] if left.ndim > 1 and right.ndim > 1 else np.asarray(columns)
    return result


def _moved(function: str, masks: list[Array], constants: tuple[Any, ...], options: Mapping[str, Any]) -> Array:
    """Marks after a function that moves cells, or adds some of them up."""
    if function in ("arange", "tri"):
        return np.zeros(terms.called(function, [], constants, options), bool)
    numbers = [mask.astype(np.float64) for mask in masks]
    return _apply(function, numbers, constants) > 0


def _apply(function: str, numbers: list[Array], constants: tuple[Any, ...]) -> Array:
    match function:
        case "unfold" | "fold" | "place":
            return np.asarray(getattr(functions, function)(numbers[0], *constants))
        case "concatenate":
            return np.concatenate(numbers, constants[-1])
        case "pad":
            return np.pad(numbers[0], constants[0])
        case "tile":
            return np.tile(numbers[0], constants[0])
        case "tril" | "triu":
            return np.asarray(getattr(np, function)(numbers[0], *constants))
        case "argmax":
            return np.asarray(numbers[0].any(constants[0], keepdims=True))
        case "astype":
            return numbers[0]
    # A person's own function: all of its result may depend on all it reads.
    return np.full(numbers[0].shape, float(any(number.any() for number in numbers)))


def operands(
    text: str, shapes: Mapping[str, Shape], mask: Array, values: Masks = _NOTHING, part: Term | None = None
) -> dict[str, Array]:
    """Role → the cells that the marked cells of a line's result were made of.

    values  role → its array, for the numbers of rows that are looked up
    part    a part of the line whose result the mask is of, where it is not the whole line
    """
    found = {role: np.zeros(shape, bool) for role, shape in shapes.items()}
    term = terms.read(text)
    _Back(found, values).line(term, part or term, mask)
    return found


class _Back:
    """Pushes marks of a result down to the arguments; what is named on the way is marked when it is met."""

    def __init__(self, found: dict[str, Array], values: Masks) -> None:
        self.found = found
        self.values = values
        self.shapes: dict[str, Shape] = {role: mask.shape for role, mask in found.items()}
        self.named: dict[str, Term] = {}

    def line(self, term: Term, part: Term, mask: Array) -> None:
        self._names(term)
        self.push(part, mask)

    def _names(self, term: Term) -> None:
        """Find what is given a name, from left to right, and its shape."""
        match term:
            case Let(name, part):
                self._names(part)
                self.named[name] = part
                self.shapes[name] = terms.shape(part, self.shapes)
            case Map(_, parts) | Call(_, parts):
                for part in parts:
                    self._names(part)
            case Product(a, b):
                self._names(a)
                self._names(b)
            case Reduce(_, part) | View(_, part):
                self._names(part)

    def shape(self, term: Term) -> Shape:
        return terms.shape(term, self.shapes)

    def push(self, term: Term, mask: Array) -> None:
        if not mask.any():
            return
        match term:
            case Leaf(name) if name in self.named:
                self.push(self.named[name], mask)
            case Leaf(name):
                self.found[name] |= mask
            case Let(_, part):
                self.push(part, mask)
            case Map(_, parts):
                for part in parts:
                    self.push(part, _narrowed(mask, self.shape(part)))
            case Product(a, b):
                self._product(a, b, mask)
            case Reduce(_, part, axes, _):
                self.push(part, _widened(mask, self.shape(part), axes))
            case View(kind, part, argument):
                self._view(part, kind, argument, mask)
            case Call(function, parts, constants, options):
                self._call(function, parts, (constants, dict(options)), mask)

    def _product(self, a: Term, b: Term, mask: Array) -> None:
        left, right = self.shape(a), self.shape(b)
        full = mask
        if len(left) == 1:
            full = full[..., None, :] if len(right) > 1 else full[None]
        if len(right) == 1:
            full = full[..., None]
        rows, columns = np.asarray(full.any(-1)), np.asarray(full.any(-2))
        a_mask = np.broadcast_to(rows[..., None], (*rows.shape, left[-1]))
        inner = right[-2] if len(right) > 1 else right[0]
        b_mask = np.broadcast_to(columns[..., None, :], (*columns.shape[:-1], inner, columns.shape[-1]))
        self.push(a, _narrowed(a_mask, left if len(left) > 1 else (1, *left)).reshape(left))
        self.push(b, _narrowed(b_mask, right if len(right) > 1 else (*right, 1)).reshape(right))

    def _view(self, part: Term, kind: str, argument: Any, mask: Array) -> None:
        shape = self.shape(part)
        if kind == "broadcast":
            self.push(part, _narrowed(mask, shape))
            return
        cells = terms.view(np.arange(math.prod(shape)).reshape(shape), kind, argument)
        self.push(part, _marked(cells[mask], shape))

    def _call(self, function: str, parts: tuple[Term, ...], given: tuple[Any, Any], mask: Array) -> None:
        constants = given[0]
        shapes = [self.shape(part) for part in parts]
        if function in _ADJOINT:
            self.push(parts[0], _ADJOINT[function](mask.astype(np.float64), shapes[0], constants) > 0)
        elif function in _LOOKUPS:
            self._look_up(function, parts, shapes, mask)
        elif function == "argmax":
            self.push(parts[0], np.broadcast_to(mask, shapes[0]))
        elif function in ("unfold", "pad", "tile", "tril", "triu", "concatenate", "astype"):
            self._copied(function, parts, shapes, given, mask)
        else:
            for part, shape in zip(parts, shapes, strict=True):
                self.push(part, np.ones(shape, bool))

    def _look_up(self, function: str, parts: tuple[Term, ...], shapes: list[Shape], mask: Array) -> None:
        """Rows taken from a table by their numbers, or added into one; all were, if it is not known which."""
        first, index = shapes
        numbers = _numbers(parts[1], self.values)
        rest = tuple(range(len(index), len(index) + len(first) - 1))
        if function == "scatter":
            marked = np.broadcast_to(mask.any(0), first) if numbers is None else mask[_within(numbers, len(mask))]
            self.push(parts[0], marked)
            if numbers is not None:
                self.push(parts[1], np.asarray(marked.any(tuple(range(len(index), marked.ndim)))))
            return
        table = np.broadcast_to(mask.any(tuple(range(len(index)))), first)
        if numbers is not None:
            table = np.zeros(first, bool)
            np.logical_or.at(table, _within(numbers, first[0]), mask)
        self.push(parts[0], table)
        self.push(parts[1], np.asarray(mask.any(rest)))

    def _copied(
        self, function: str, parts: tuple[Term, ...], shapes: list[Shape], given: tuple[Any, Any], mask: Array
    ) -> None:
        """A function that copies cells: number them, see which numbers come out where, 0 for none."""
        start, numbers = 1, []
        for shape in shapes:
            size = math.prod(shape)
            numbers.append(np.arange(start, start + size, dtype=np.float64).reshape(shape))
            start += size
        moved = _apply(function, numbers, given[0])[mask].astype(np.int64)
        start = 1
        for part, shape in zip(parts, shapes, strict=True):
            size = math.prod(shape)
            mine = moved[(moved >= start) & (moved < start + size)] - start
            self.push(part, _marked(mine, shape))
            start += size


def _fold_back(mask: Array, shape: Shape, constants: tuple[Any, ...]) -> Array:
    n = len(constants[0]) - 2
    return functions.unfold(mask, shape[n + 2 :], constants[1], constants[2])


def _place_back(mask: Array, shape: Shape, constants: tuple[Any, ...]) -> Array:
    del shape
    return np.asarray(mask[constants[1]])


_ADJOINT: Mapping[str, Callable[[Array, Shape, tuple[Any, ...]], Array]] = {"fold": _fold_back, "place": _place_back}


def _marked(cells: Array, shape: Shape) -> Array:
    mask = np.zeros(math.prod(shape), bool)
    mask[np.ravel(cells)] = True
    return mask.reshape(shape)


def _narrowed(mask: Array, shape: Shape) -> Array:
    """Marks on a broadcast result as marks on an operand of that shape."""
    extra = mask.ndim - len(shape)
    if extra > 0:
        mask = np.asarray(mask.any(tuple(range(extra))))
    axes = tuple(k for k, (n, wanted) in enumerate(zip(mask.shape, shape, strict=True)) if wanted == 1 and n != 1)
    return np.asarray(mask.any(axes, keepdims=True) if axes else mask)


def _widened(mask: Array, shape: Shape, axes: terms.Axes) -> Array:
    """Marks on a reduced result as marks on all that went into each."""
    kept = mask.reshape(terms.reduced(shape, axes, keep=True))
    return np.broadcast_to(kept, shape)
