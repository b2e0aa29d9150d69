"""The line of an op as a small tree, and the shape of what each part of it gives.

Six kinds of parts are enough: an argument, a number, an elementwise function, a product, a reduction, a view, and a
call of a function that is none of these. What runs, what depends on what, and the formula are read off this tree.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bptui.engine.ops.row import Shape, parse

Axes = tuple[int, ...] | None


@dataclass(frozen=True)
class Leaf:
    """An argument, or a value named earlier in the line."""

    name: str


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Let:
    """A part that is given a name, to be used again further right."""

    name: str
    part: Term


@dataclass(frozen=True)
class Map:
    """A NumPy ufunc, or `where`: the parts are broadcast against each other."""

    function: str
    parts: tuple[Term, ...]


@dataclass(frozen=True)
class Product:
    """`a @ b`."""

    a: Term
    b: Term


@dataclass(frozen=True)
class Reduce:
    """`add`, `maximum` or `minimum` over some axes (None: all), or `mean`."""

    function: str
    part: Term
    axes: Axes
    keep: bool


@dataclass(frozen=True)
class View:
    """`reshape`, `transpose`, `broadcast` or `index` of a part: the same cells, seen otherwise."""

    kind: str
    part: Term
    argument: Any


@dataclass(frozen=True)
class Call:
    """Any other function, of parts and of constants by position; None stands where a part goes."""

    function: str
    parts: tuple[Term, ...]
    constants: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()


Term = Leaf | Number | Let | Map | Product | Reduce | View | Call

_BINARY: Mapping[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power",
    ast.BitAnd: "logical_and", ast.BitOr: "logical_or",
    ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal",
    ast.Eq: "equal", ast.NotEq: "not_equal",
}  # fmt: skip
# As a line calls them → NumPy's name.
UFUNCS: Mapping[str, str] = {
    **{name: name for name in (
        "exp", "expm1", "log", "log1p", "sqrt", "square", "sign", "tanh", "cos", "power", "maximum", "minimum", "where",
        "erf", "floor",
    )},
    "abs": "absolute",
}  # fmt: skip
_REDUCTIONS = {"sum": "add", "max": "maximum", "min": "minimum", "mean": "mean"}
BOOLEAN = frozenset(
    {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or"}
)


@lru_cache(maxsize=4096)
def read(text: str) -> Term:
    """The tree of an op's line."""
    return _read(parse(text))


def _read(tree: ast.expr) -> Term:
    match tree:
        case ast.Name(id=name):
            return Leaf(name)
        case ast.Constant(value=int() | float() as value):
            return Number(value)
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            return Let(name, _read(value))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return Number(-value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Map("negative", (_read(operand),))
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            return Product(_read(left), _read(right))
        case ast.BinOp(left=left, op=op, right=right):
            return Map(_BINARY[type(op)], (_read(left), _read(right)))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return Map(_BINARY[type(op)], (_read(left), _read(right)))
        case ast.Attribute(value=value, attr="T"):
            return View("transpose", _read(value), None)
        case ast.Subscript(value=value, slice=index):
            return _indexed(_read(value), index)
        case ast.Call(func=ast.Attribute(value=value, attr=method)):
            return _method(method, _read(value), tree)
        case ast.Call(func=ast.Name(id=name)):
            return _function(name, tree)
    raise ValueError(f"an op's line can't have {ast.unparse(tree)}")


def constant(tree: ast.expr) -> Any:
    """A number, a tuple of them, a slice, None, True or `...`."""
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.Name(id="int"):
            return int
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -constant(operand)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(constant(part) for part in parts)
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(*(None if part is None else constant(part) for part in (lower, upper, step)))
        case ast.Call(func=ast.Name(id="slice"), args=parts):
            return slice(*(constant(part) for part in parts))
    raise ValueError(f"{ast.unparse(tree)} is no constant")


def _indexed(part: Term, index: ast.expr) -> Term:
    try:
        return View("index", part, constant(index))
    except ValueError:
        return Call("take_rows", (part, _read(index)))


def _method(method: str, part: Term, call: ast.Call) -> Term:
    values = call.args
    options = {word.arg: constant(word.value) for word in call.keywords}
    if method in _REDUCTIONS:
        axes = constant(values[0]) if values else None
        axes = (axes,) if isinstance(axes, int) else axes
        return Reduce(_REDUCTIONS[method], part, axes, bool(options.get("keepdims")))
    constants = [constant(value) for value in values if not _is_part(value)]
    if method in ("reshape", "transpose"):
        one = len(constants) == 1 and isinstance(constants[0], tuple)
        return View(method, part, constants[0] if one else tuple(constants))
    if method == "swapaxes":
        return View("swapaxes", part, tuple(constants))
    parts = [_read(value) for value in values if _is_part(value)]
    return Call(method, (part, *parts), tuple(constants), tuple((str(k), v) for k, v in options.items()))


def _is_part(tree: ast.expr) -> bool:
    try:
        constant(tree)
    except ValueError:
        return True
    return False


def _function(name: str, call: ast.Call) -> Term:
    if name in UFUNCS:
        return Map(UFUNCS[name], tuple(_read(value) for value in call.args))
    if name == "broadcast_to":
        return View("broadcast", _read(call.args[0]), constant(call.args[1]))
    values: list[ast.expr] = []
    for value in call.args:
        several = isinstance(value, ast.Tuple) and _is_part(value)
        values += value.elts if several else [value]  # type: ignore[attr-defined]
    parts = tuple(_read(value) for value in values if _is_part(value))
    constants = tuple(constant(value) for value in values if not _is_part(value))
    options = tuple((str(word.arg), constant(word.value)) for word in call.keywords)
    return Call(name, parts, constants, options)


def is_elementwise(term: Term, replaced: str | None = None) -> bool:
    """Whether each cell of the result is made of the same cell of the first argument alone."""
    match term:
        case Map(_, parts):
            return all(is_elementwise(part, replaced) for part in parts)
        case Let(_, part):
            return is_elementwise(part, replaced)
        case Leaf() | Number():
            return True
        case Product() | Reduce() | View() | Call():
            return replaced is not None and replaced not in leaves(term)
    raise AssertionError


def leaves(term: Term) -> set[str]:
    """The arguments that a part reads."""
    match term:
        case Leaf(name):
            return {name}
        case Number():
            return set()
        case Map(_, parts) | Call(_, parts):
            return set().union(*(leaves(part) for part in parts))
        case Product(a, b):
            return leaves(a) | leaves(b)
        case Let(_, part) | Reduce(_, part) | View(_, part):
            return leaves(part)


# Shapes

Shapes = Mapping[str, Shape]


class ShapeError(ValueError):
    """Operands whose shapes an op has no meaning for."""


def shape(term: Term, known: Shapes) -> Shape:
    """The shape of a part, of the shapes of the arguments. Raises ShapeError."""
    names = dict(known)
    try:
        return _shape(term, names)
    except (ValueError, IndexError) as error:
        raise ShapeError(str(error)) from None


def _shape(term: Term, names: dict[str, Shape]) -> Shape:
    match term:
        case Leaf(name):
            return names[name]
        case Number():
            return ()
        case Let(name, part):
            names[name] = _shape(part, names)
            return names[name]
        case Map(_, parts):
            return np.broadcast_shapes(*(_shape(part, names) for part in parts))
        case Product(a, b):
            return product_shape(_shape(a, names), _shape(b, names))
        case Reduce(_, part, axes, keep):
            return reduced(_shape(part, names), axes, keep=keep)
        case View(kind, part, argument):
            return viewed(kind, _shape(part, names), argument)
        case Call(function, parts, constants, options):
            return called(function, [_shape(part, names) for part in parts], constants, dict(options))


def product_shape(a: Shape, b: Shape) -> Shape:
    """The shape of `a @ b`. Raises ValueError."""
    if not a or not b:
        raise ValueError("a product needs at least one axis on both sides")
    rows, columns = (a[-2:-1] if len(a) > 1 else ()), (b[-1:] if len(b) > 1 else ())
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        raise ValueError(f"{a} @ {b}: {a[-1]} and {inner} have to agree")
    return (*np.broadcast_shapes(a[:-2], b[:-2]), *rows, *columns)


def reduced(shape_: Shape, axes: Axes, *, keep: bool) -> Shape:
    """The shape after a reduction."""
    gone = {k % len(shape_) for k in axes} if axes is not None else set(range(len(shape_)))
    if keep:
        return tuple(1 if k in gone else n for k, n in enumerate(shape_))
    return tuple(n for k, n in enumerate(shape_) if k not in gone)


def viewed(kind: str, shape_: Shape, argument: Any) -> Shape:
    """The shape of a view. Raises ValueError."""
    if kind == "reshape":
        return reshaped(shape_, argument)
    if kind == "broadcast":
        np.broadcast_shapes(shape_, argument)
        return tuple(argument)
    return tuple(view(np.broadcast_to(np.empty(()), shape_), kind, argument).shape)


def reshaped(shape_: Shape, wanted: Sequence[int]) -> Shape:
    """A shape whose −1 is filled in. Raises ValueError."""
    size, rest = math.prod(shape_), math.prod(n for n in wanted if n != -1)
    if -1 not in wanted:
        if size != rest:
            raise ValueError(f"{shape_} can't be seen as {tuple(wanted)}")
        return tuple(wanted)
    if rest == 0 or size % rest:
        raise ValueError(f"{shape_} can't be seen as {tuple(wanted)}")
    return tuple(size // rest if n == -1 else n for n in wanted)


def view(array: Any, kind: str, argument: Any) -> Any:
    """A view of an array."""
    if kind == "reshape":
        return array.reshape(argument)
    if kind == "transpose":
        return array.transpose(argument)
    if kind == "swapaxes":
        return array.swapaxes(*argument)
    if kind == "broadcast":
        return np.broadcast_to(array, argument)
    return array[argument]


def _take(shapes: list[Shape], constants: tuple[Any, ...]) -> Shape:
    del constants
    return (*shapes[1], *shapes[0][1:])


def _concatenate(shapes: list[Shape], constants: tuple[Any, ...]) -> Shape:
    axis = constants[-1]
    return (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])


def _windows(shapes: list[Shape], constants: tuple[Any, ...]) -> Shape:
    kernel, stride, dilation = constants
    batch, channels, *cells = shapes[0]
    outs = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(cells, kernel, stride, dilation, strict=True)]
    return (batch, *outs, channels, *kernel)


def _padded(shapes: list[Shape], constants: tuple[Any, ...]) -> Shape:
    return tuple(n + before + after for n, (before, after) in zip(shapes[0], constants[0], strict=True))


def _tiled(shapes: list[Shape], constants: tuple[Any, ...]) -> Shape:
    return tuple(n * times for n, times in zip(shapes[0], constants[0], strict=True))


def _first(shapes: list[Shape], constants: tuple[Any, ...]) -> Shape:
    del constants
    return shapes[0]


_SHAPES: Mapping[str, Callable[[list[Shape], tuple[Any, ...]], Shape]] = {
    "take": _take,
    "take_rows": _take,
    "concatenate": _concatenate,
    "unfold": _windows,
    "fold": lambda _, constants: tuple(constants[0]),
    "place": lambda _, constants: tuple(constants[0]),
    "scatter": lambda _, constants: tuple(constants[0]),
    "pad": _padded,
    "tile": _tiled,
    "tril": _first,
    "triu": _first,
    "astype": _first,
    "arange": lambda _, constants: (int(constants[0]),),
    "tri": lambda _, constants: tuple(constants[:2]),
    "argmax": lambda shapes, constants: reduced(shapes[0], (constants[0],), keep=True),
}


def is_known(name: str) -> bool:
    """Whether a line that calls a function of that name means one of the language rather than a person's own."""
    return name in UFUNCS or name in _SHAPES or name == "broadcast_to"


def called(function: str, shapes: list[Shape], constants: tuple[Any, ...], options: Mapping[str, Any]) -> Shape:
    """The shape of a function's result; that of an op of a person's own is the shape of its first argument."""
    del options
    return _SHAPES.get(function, _first)(shapes, constants)
