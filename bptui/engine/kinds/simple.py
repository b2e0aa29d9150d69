"""Layers that are one op of the table: dense, arithmetic, reductions, and what moves cells about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bptui.engine.initial import Weight
from bptui.engine.kinds.kind import Described, Emitter, Kind, MisfitError, Option, same, written
from bptui.engine.ops import ACTIVATIONS
from bptui.engine.ops.row import Shape
from bptui.engine.terms import product_shape, reduced, reshaped

# Dense


def lead(shape: Shape) -> Shape | None:
    """The shape before the last axis, where a layer has to see it as one long batch."""
    return shape[:-1] if len(shape) > 2 else None


def _dense_shape(node: Described, shapes: list[Shape]) -> Shape:
    if not shapes[0]:
        raise MisfitError("a dense layer needs at least one number in each row")
    return (*shapes[0][:-1], node.units)


def _dense_weights(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    inputs = shapes[0][-1] if shapes[0] else 0
    found = {"W": Weight((inputs, node.units), inputs, node.units)}
    if node.bias:
        found["b"] = Weight((node.units,), default="zeros")
    return found


def _dense(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    weights = [to.parameter("W"), *([to.parameter("b")] if node.bias else [])]
    extra = {"lead": lead(to.shape(reads[0]))} if lead(to.shape(reads[0])) else {}
    return to.op("dense+b" if node.bias else "dense", [reads[0], *weights], writes, **extra)


# Arithmetic


def _broadcast(node: Described, shapes: list[Shape]) -> Shape:
    del node
    # Of different ranks the batch's axis would be taken for another.
    alike = len({len(shape) for shape in shapes}) == 1
    pairs = zip(*shapes, strict=True) if alike else ()
    if not alike or any(len({n for n in lengths if n != 1}) > 1 for lengths in pairs):
        raise MisfitError(f"shapes {' and '.join(map(written, shapes))} don't fit together")
    return tuple(np.broadcast_shapes(*shapes))


def _binary(name: str) -> Kind:
    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        del node
        return to.op(name, reads, writes)

    return Kind(name, (), _broadcast, emit, inputs=(2, 2), example=f"{name} (h1, h2)")


def _unary(name: str, **options: Option) -> Kind:
    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        return to.op(name, reads, writes, **{key: node.options[key] for key in options})

    return Kind(name, tuple(options), same, emit, options=options, example=f"{name} (h)")


def _softmax(name: str) -> Kind:
    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        return to.op(name, reads, writes, axis=_axis(node.options["axis"], len(to.shape(reads[0]))))

    def shape(node: Described, shapes: list[Shape]) -> Shape:
        _axis(node.options["axis"], len(shapes[0]) + 1)
        return shapes[0]

    return Kind(name, (), shape, emit, options={"axis": Option(-1, int, -9)}, example=f"{name} axis=1 (h)")


def _matmul_shape(node: Described, shapes: list[Shape]) -> Shape:
    del node
    try:
        found = product_shape((1, *shapes[0]), (1, *shapes[1]))[1:]
    except ValueError:
        found = ()
    # A vector, or a stack less deep than the other, would be multiplied by what belongs to other rows of the batch.
    if not found or len(shapes[0]) < 2 or len(shapes[0]) != len(shapes[1]):
        raise MisfitError(f"{written(shapes[0])} times {written(shapes[1])} has no meaning")
    return found


def _matmul(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    del node
    return to.op("matmul", reads, writes, ranks=tuple(len(to.shape(slot)) for slot in reads))


# Reductions


def _axis(axis: int, rank: int) -> int:
    """An axis, counted with the batch's as 0, which may not be named. Raises MisfitError."""
    found = axis + rank if axis < 0 else axis
    if found == 0:
        raise MisfitError("axis 0 is the batch's: rows of a batch are kept apart; the first axis of a row is 1")
    if not 0 < found < rank:
        raise MisfitError(f"there is no axis {axis}: the axes of a row are 1 to {rank - 1}")
    return found


def _axes(node: Described, rank: int) -> tuple[int, ...]:
    given = node.options["axis"]
    if given is None:
        return tuple(range(1, rank))
    return tuple(_axis(axis, rank) for axis in (given if isinstance(given, tuple) else (given,)))


def _reduced_shape(node: Described, shapes: list[Shape]) -> Shape:
    full = (1, *shapes[0])
    return reduced(full, _axes(node, len(full)), keep=node.options["keepdims"])[1:]


def reduction(name: str, shape: Shape, axes: tuple[int, ...] | None, *, keep: bool) -> dict[str, Any]:
    """The attributes of a reduction of what has that shape."""
    gone = range(len(shape)) if axes is None else axes
    attrs = {
        "axis": axes[0] if axes is not None and len(axes) == 1 else axes,
        "keepdims": keep,
        "keep": reduced(shape, axes, keep=True),
        "n": math.prod(shape[k] for k in gone),
    }
    return {**attrs, "shape": reduced(shape, axes, keep=keep)} if name == "logsumexp" else attrs


def _reduce(name: str) -> Kind:
    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        shape = to.shape(reads[0])
        attrs = reduction(name, shape, _axes(node, len(shape)), keep=node.options["keepdims"])
        if name == "var":
            attrs["correction"] = node.options["correction"]
        return to.op(name, reads, writes, **attrs)

    options = {"axis": Option(None, "ints", -9, free=True), "keepdims": Option(False, bool)}
    if name == "var":
        options["correction"] = Option(0)
    return Kind(name, (), _reduced_shape, emit, options=options, example=f"{name} axis=1 (h)")


# Rearranging


def _reshaped(node: Described, shapes: list[Shape]) -> Shape:
    wanted = node.options["shape"]
    try:
        return reshaped(shapes[0], wanted)
    except ValueError:
        raise MisfitError(f"{written(shapes[0])} can't be reshaped to {written(wanted)}") from None


def _reshape_kind(name: str, sizes: tuple[str, ...], result: Any, **options: Option) -> Kind:
    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        full = to.shape(reads[0])
        return to.op("reshape", reads, writes, shape=(full[0], *result(node, [full[1:]])))

    return Kind(name, sizes, result, emit, options=options, example=f"{name} (h)")


def _flattened(node: Described, shapes: list[Shape]) -> Shape:
    del node
    return (math.prod(shapes[0]),)


def _squeezed(node: Described, shapes: list[Shape]) -> Shape:
    axis = _axis(node.options["axis"], len(shapes[0]) + 1)
    if shapes[0][axis - 1] != 1:
        raise MisfitError(f"axis {axis} of {written(shapes[0])} is {shapes[0][axis - 1]} long: only 1 can be squeezed")
    return (*shapes[0][: axis - 1], *shapes[0][axis:])


def _unsqueezed(node: Described, shapes: list[Shape]) -> Shape:
    axis = _axis(node.options["axis"], len(shapes[0]) + 2)
    return (*shapes[0][: axis - 1], 1, *shapes[0][axis - 1 :])


def _permutation(node: Described, rank: int) -> tuple[int, ...]:
    axes = node.options["axes"] or tuple(range(rank - 1, 0, -1))
    if sorted(axes) != list(range(1, rank)):
        raise MisfitError(f"axes {list(axes)} are no order of the axes 1 to {rank - 1}")
    return tuple(axes)


def _transposed(node: Described, shapes: list[Shape]) -> Shape:
    return tuple(shapes[0][k - 1] for k in _permutation(node, len(shapes[0]) + 1))


def _transpose(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    return to.op("transpose", reads, writes, axes=(0, *_permutation(node, len(to.shape(reads[0])))))


def _concatenated(node: Described, shapes: list[Shape]) -> Shape:
    axis = _axis(node.options["axis"], len(shapes[0]) + 1) - 1
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(rests) > 1 or len({len(shape) for shape in shapes}) > 1:
        raise MisfitError(f"shapes {', '.join(map(written, shapes))} differ beside axis {axis + 1}")
    return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])


def _concat(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    axis = _axis(node.options["axis"], len(to.shape(reads[0])))
    return to.op("concat", reads, writes, axis=axis, sizes=tuple(to.shape(slot)[axis] for slot in reads))


def _part(node: Described, shape: Shape) -> tuple[int, int, int, int]:
    """(axis, start, stop, step) of a slice of what has that shape, the batch left out."""
    axis = _axis(node.options["axis"], len(shape) + 1)
    last = node.options["stop"]
    if last is not None and last > shape[axis - 1]:
        raise MisfitError(f"a slice up to {last} of axis {axis}, which is {shape[axis - 1]} long")
    start, stop, step = slice(*(node.options[key] for key in ("start", "stop", "step"))).indices(shape[axis - 1])
    if stop <= start:
        raise MisfitError(f"nothing lies between {start} and {stop} of axis {axis}, which is {shape[axis - 1]} long")
    return axis, start, stop, step


def _sliced(node: Described, shapes: list[Shape]) -> Shape:
    axis, start, stop, step = _part(node, shapes[0])
    return (*shapes[0][: axis - 1], len(range(start, stop, step)), *shapes[0][axis:])


def _slice(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    axis, start, stop, step = _part(node, to.shape(reads[0])[1:])
    return slice_of(to, reads[0], writes, axis, (start, stop, step))


def slice_of(to: Emitter, slot: str, writes: str, axis: int, part: tuple[int, int, int]) -> str:
    """Emit a slice along one axis."""
    return to.op("slice", [slot], writes, index=(*((None, None, None),) * axis, part))


def _split_part(node: Described, shape: Shape) -> tuple[int, int, int]:
    """(axis, start, stop) of part number `part`, from 1 on, of as many equal ones as `of` says."""
    axis = _axis(node.options["axis"], len(shape) + 1)
    length, of, part = shape[axis - 1], node.options["of"], node.options["part"]
    if length % of:
        raise MisfitError(f"axis {axis} is {length} long: it can't be split into {of} equal parts")
    if part > of:
        raise MisfitError(f"there is no part {part} of {of}")
    return axis, (part - 1) * length // of, part * length // of


def _split_shape(node: Described, shapes: list[Shape]) -> Shape:
    axis, start, stop = _split_part(node, shapes[0])
    return (*shapes[0][: axis - 1], stop - start, *shapes[0][axis:])


def _split(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    axis, start, stop = _split_part(node, to.shape(reads[0])[1:])
    return slice_of(to, reads[0], writes, axis, (start, stop, 1))


def _padding(node: Described, rank: int) -> tuple[tuple[int, int], ...]:
    axis = _axis(node.options["axis"], rank)
    return tuple((node.options["before"], node.options["after"]) if k == axis else (0, 0) for k in range(rank))


def _padded(node: Described, shapes: list[Shape]) -> Shape:
    widths = _padding(node, len(shapes[0]) + 1)[1:]
    return tuple(n + before + after for n, (before, after) in zip(shapes[0], widths, strict=True))


def _pad(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    widths = _padding(node, len(to.shape(reads[0])))
    return to.op("pad", reads, writes, widths=widths, value=node.options["value"])


def _tiled(node: Described, shapes: list[Shape]) -> Shape:
    reps = node.options["reps"]
    if len(reps) != len(shapes[0]):
        raise MisfitError(f"reps has {len(reps)} numbers, {written(shapes[0])} has {len(shapes[0])} axes")
    return tuple(n * times for n, times in zip(shapes[0], reps, strict=True))


def _tile(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    return to.op("tile", reads, writes, reps=(1, *node.options["reps"]))


def _expanded(node: Described, shapes: list[Shape]) -> Shape:
    wanted = node.options["shape"]
    if len(wanted) != len(shapes[0]) or any(n not in (1, m) for n, m in zip(shapes[0], wanted, strict=True)):
        raise MisfitError(f"{written(shapes[0])} can't be expanded to {written(wanted)}: only axes of length 1 grow")
    return tuple(wanted)


def _expand(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    return to.op("expand", reads, writes, shape=(to.shape(reads[0])[0], *node.options["shape"]))


def _triangle(name: str) -> Kind:
    def shape(node: Described, shapes: list[Shape]) -> Shape:
        del node
        if len(shapes[0]) < 2:
            raise MisfitError(f"{name} needs matrices, not {written(shapes[0])}")
        return shapes[0]

    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        return to.op(name, reads, writes, k=node.options["k"])

    return Kind(name, (), shape, emit, options={"k": Option(0, int, -(10**6))}, example=f"{name} (h)")


def _embedding_weights(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    del shapes
    rows, columns = node.options["rows"], node.options["columns"]
    return {"W": Weight((rows, columns), rows, columns, "normal 0 1")}


def _embedding_shape(node: Described, shapes: list[Shape]) -> Shape:
    return (*shapes[0], node.options["columns"])


def _embedding(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    del node
    return to.op("gather", [to.parameter("W"), reads[0]], writes)


def _position_shape(node: Described, shapes: list[Shape]) -> Shape:
    if not shapes[0]:
        raise MisfitError("position reads rows of numbers, not one number")
    return same(node, shapes)


def _position_weights(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    del node
    return {"P": Weight(shapes[0], shapes[0][-1], shapes[0][-1], "normal 0 0.02")}


def _position(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    del node
    return to.op("add", [reads[0], to.parameter("P")], writes)


def _dropout(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    if to.evaluation:
        return to.op("copy", reads, writes)
    mask = to.mask(to.shape(reads[0]), node.options["rate"])
    return to.op("mul", [reads[0], mask], writes)


_NUMBER = float
_FREE = -1e300
_PART = {
    "start": Option(None, int, -(10**9), free=True),
    "stop": Option(None, int, -(10**9), free=True),
    "step": Option(1, int, 1),
    "axis": Option(1, int, -9),
}
_WIDTHS = {
    "before": Option(None),
    "after": Option(None),
    "axis": Option(-1, int, -9),
    "value": Option(0.0, float, _FREE),
}
_SAME_NAME = ("softmax", "log-softmax", "identity")

KINDS = [
    Kind(
        "dense",
        ("units",),
        _dense_shape,
        _dense,
        options={"units": Option(None, int, 1)},
        parameters=_dense_weights,
        letters=("W", "b"),
        example="dense 4 tanh (x)",
    ),
    *[_binary(name) for name in ("add", "sub", "mul", "div", "pow", "minimum", "maximum")],
    Kind(
        "where",
        (),
        _broadcast,
        lambda to, _, reads, writes: to.op("where", reads, writes),
        inputs=(3, 3),
        example="where (c, h1, h2)",
    ),
    *[_unary(name) for name in ("neg", "exp", "log", "sqrt", "abs", "square")],
    *[_unary(name) for name in ACTIVATIONS if name not in _SAME_NAME],
    _unary("clip", low=Option(None, _NUMBER, _FREE), high=Option(None, _NUMBER, _FREE)),
    _unary("scale", by=Option(None, _NUMBER, _FREE)),
    _unary("shift", by=Option(None, _NUMBER, _FREE)),
    _softmax("softmax"),
    _softmax("log-softmax"),
    Kind("matmul", (), _matmul_shape, _matmul, inputs=(2, 2), example="matmul (h1, h2)"),
    *[_reduce(name) for name in ("sum", "mean", "max", "min", "var", "logsumexp")],
    _reshape_kind("reshape", ("shape",), _reshaped, shape=Option(None, "ints", -1, shape=True)),
    _reshape_kind("flatten", (), _flattened),
    _reshape_kind("squeeze", (), _squeezed, axis=Option(None, int, -9)),
    _reshape_kind("unsqueeze", (), _unsqueezed, axis=Option(None, int, -9)),
    Kind(
        "transpose",
        (),
        _transposed,
        _transpose,
        options={"axes": Option((), "ints", shape=True)},
        example="transpose axes=2,1 (h)",
    ),
    Kind(
        "concat",
        (),
        _concatenated,
        _concat,
        inputs=(2, 0),
        options={"axis": Option(1, int, -9)},
        example="concat (h1, h2)",
    ),
    Kind("slice", ("start", "stop"), _sliced, _slice, options=_PART, example="slice 0 4 axis=1 (h)"),
    Kind(
        "split",
        ("part", "of"),
        _split_shape,
        _split,
        example="split 1 2 (h)",
        options={"part": Option(None, int, 1), "of": Option(None, int, 1), "axis": Option(1, int, -9)},
    ),
    Kind("pad", ("before", "after"), _padded, _pad, options=_WIDTHS, example="pad 1 1 axis=2 (h)"),
    Kind(
        "tile", ("reps",), _tiled, _tile, options={"reps": Option(None, "ints", 1, shape=True)}, example="tile 1,2 (h)"
    ),
    Kind(
        "expand",
        ("shape",),
        _expanded,
        _expand,
        options={"shape": Option(None, "ints", 1, shape=True)},
        example="expand 4,8 (h)",
    ),
    _triangle("tril"),
    _triangle("triu"),
    Kind(
        "embedding",
        ("rows", "columns"),
        _embedding_shape,
        _embedding,
        parameters=_embedding_weights,
        letters=("W",),
        options={"rows": Option(None, int, 1), "columns": Option(None, int, 1)},
        example="embedding 28 16 (x)",
    ),
    Kind(
        "position", (), _position_shape, _position, parameters=_position_weights, letters=("P",), example="position (h)"
    ),
    Kind(
        "dropout",
        ("rate",),
        same,
        _dropout,
        options={"rate": Option(None, "share")},
        letters=("mask",),
        example="dropout 0.5 (h)",
    ),
]
