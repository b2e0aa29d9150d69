"""Convolutions and pools over (channels, length) or (channels, height, width), channels first.

A convolution is what it is in every fast library: the windows of its input, unfolded into rows, times its kernels.
Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", has the sizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bptui.engine.initial import Weight
from bptui.engine.kinds.kind import Described, Emitter, Kind, MisfitError, Option, per_axis, written
from bptui.engine.kinds.simple import reduction
from bptui.engine.ops.row import Shape

# In place of −∞, so that a largest value is never made of padding, and a look for what is not finite finds nothing.
LOWEST = -3.4028234663852886e38


def _cells(node: Described, shapes: list[Shape], name: str) -> tuple[int, ...]:
    """The axes that windows move along."""
    del node
    if len(shapes[0]) not in (2, 3):
        example = "1×8×8 for pictures, 1×8 for sequences"
        raise MisfitError(f"{name} reads channels × places ({example}), not {written(shapes[0])}: reshape it first")
    return shapes[0][1:]


def _outs(node: Described, cells: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, ...]:
    """How many windows there are along each axis. Raises MisfitError."""
    n = len(cells)
    stride, dilation = per_axis(node, "stride", n), _dilation(node, n)
    found = []
    for length, k, s, d, (before, after) in zip(
        cells, kernel, stride, dilation, _pads(node, cells, kernel), strict=True
    ):
        room = length + before + after - (k - 1) * d - 1
        if room < 0:
            raise MisfitError(f"a window of {(k - 1) * d + 1} doesn't fit into {length + before + after} cells")
        found.append(room // s + 1)
    return tuple(found)


def _dilation(node: Described, n: int) -> tuple[int, ...]:
    return per_axis(node, "dilation", n) if "dilation" in node.options else (1,) * n


def _pads(node: Described, cells: tuple[int, ...], kernel: tuple[int, ...]) -> list[tuple[int, int]]:
    """Padding before and after, along each axis; "same" keeps the length at stride 1."""
    n = len(cells)
    if node.options["pad"] == "same":
        spans = [(k - 1) * d for k, d in zip(kernel, _dilation(node, n), strict=True)]
        return [(span // 2, span - span // 2) for span in spans]
    return [(pad, pad) for pad in per_axis(node, "pad", n)]


def _padded(to: Emitter, node: Described, slot: str, kernel: tuple[int, ...], value: float = 0.0) -> str:
    """The input with its padding, an instruction of its own; nothing where there is none."""
    cells = to.shape(slot)[2:]
    pads = _pads(node, cells, kernel)
    if not any(before or after for before, after in pads):
        return slot
    return to.op("pad", [slot], to.name("p"), widths=((0, 0), (0, 0), *pads), value=value)


def _unfolded(to: Emitter, node: Described, slot: str, kernel: tuple[int, ...]) -> str:
    n = len(kernel)
    attrs = {"kernel": kernel, "stride": per_axis(node, "stride", n), "dilation": _dilation(node, n)}
    return to.op("unfold", [slot], to.name("c"), **attrs)


# Convolutions


def _groups(node: Described, channels: int) -> int:
    groups, out = node.options["groups"], node.options["out"]
    if channels % groups or out % groups:
        raise MisfitError(f"{groups} groups: both {channels} channels read and {out} given have to be a multiple")
    return int(groups)


def _conv_shape(node: Described, shapes: list[Shape]) -> Shape:
    cells = _cells(node, shapes, "a convolution")
    _groups(node, shapes[0][0])
    return (node.options["out"], *_outs(node, cells, per_axis(node, "kernel", len(cells))))


def _conv_weights(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    cells = _cells(node, shapes, "a convolution")
    kernel, out = per_axis(node, "kernel", len(cells)), node.options["out"]
    groups, window = _groups(node, shapes[0][0]), math.prod(kernel)
    inside = shapes[0][0] // groups
    found = {"W": Weight((out, inside, *kernel), inside * window, out // groups * window)}
    return {**found, "b": Weight((out,), default="zeros")} if node.bias else found


def _conv(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    channels, *cells = to.shape(reads[0])[1:]
    kernel = per_axis(node, "kernel", len(cells))
    windows = _unfolded(to, node, _padded(to, node, reads[0], kernel), kernel)
    places = to.shape(windows)[: len(cells) + 1]
    attrs = {
        "places": places,
        "kernel": (channels, *kernel),
        "out": node.options["out"],
        "groups": node.options["groups"],
    }
    weights = [to.parameter("W"), *([to.parameter("b")] if node.bias else [])]
    return to.op("conv+b" if node.bias else "conv", [windows, *weights], writes, **attrs)


def _transposed_shape(node: Described, shapes: list[Shape]) -> Shape:
    cells = _cells(node, shapes, "a convolution")
    _, size = _transposed_sizes(node, cells)
    return (node.options["out"], *size)


def _transposed_sizes(node: Described, cells: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(what the windows cover, what is left of it without the padding)."""
    n = len(cells)
    kernel, stride, pad = (per_axis(node, key, n) for key in ("kernel", "stride", "pad"))
    dilation, extra = _dilation(node, n), per_axis(node, "extra", n)
    full = tuple((c - 1) * s + (k - 1) * d + 1 for c, s, k, d in zip(cells, stride, kernel, dilation, strict=True))
    size = tuple(f - 2 * p + e for f, p, e in zip(full, pad, extra, strict=True))
    if min(size) < 1:
        raise MisfitError(f"padding {pad} leaves nothing of {written(full)}")
    return tuple(f + e for f, e in zip(full, extra, strict=True)), size


def _transposed_weights(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    cells = _cells(node, shapes, "a convolution")
    kernel, out, channels = per_axis(node, "kernel", len(cells)), node.options["out"], shapes[0][0]
    window = math.prod(kernel)
    found = {"W": Weight((channels, out, *kernel), channels * window, out * window)}
    return {**found, "b": Weight((out,), default="zeros")} if node.bias else found


def _transposed(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    batch, channels, *cells = to.shape(reads[0])
    n, out = len(cells), node.options["out"]
    kernel, stride, pad = (per_axis(node, key, n) for key in ("kernel", "stride", "pad"))
    shape = (batch, *cells, out, *kernel)
    windows = to.op(
        "spread", [reads[0], to.parameter("W")], to.name("c"), places=(batch, *cells), channels=channels, shape=shape
    )
    full, size = _transposed_sizes(node, tuple(cells))
    attrs = {"kernel": kernel, "shape": (batch, out, *full), "stride": stride, "dilation": _dilation(node, n)}
    steps = 1 + any(pad) + node.bias
    last = to.op("fold", [windows], to.name("f") if steps > 1 else writes, **attrs)
    if any(pad):
        index = ((None, None, None),) * 2 + tuple((p, p + s, 1) for p, s in zip(pad, size, strict=True))
        last = to.op("slice", [last], to.name("s") if node.bias else writes, index=index)
    if node.bias:
        last = to.op("bias", [last, to.parameter("b")], writes, shape=(out, *(1,) * n), axes=(0, *range(2, n + 2)))
    return last


# Pools


def _pool_options(node: Described, n: int) -> tuple[tuple[int, ...], _Pool]:
    kernel = per_axis(node, "kernel", n)
    return kernel, _Pool(node, {**node.options, "stride": node.options["stride"] or node.options["kernel"]})


class _Pool:
    """A pool whose stride is as long as its window where nothing is said."""

    def __init__(self, node: Described, options: Mapping[str, Any]) -> None:
        self.units, self.bias, self.options = node.units, node.bias, options


def _pool_shape(node: Described, shapes: list[Shape]) -> Shape:
    cells = _cells(node, shapes, "a pool")
    kernel, pool = _pool_options(node, len(cells))
    return (shapes[0][0], *_outs(pool, cells, kernel))


def _pool(name: str) -> Kind:
    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        kernel, pool = _pool_options(node, len(to.shape(reads[0])) - 2)
        value = LOWEST if name == "max-pool" else 0.0
        windows = _unfolded(to, pool, _padded(to, pool, reads[0], kernel, value), kernel)
        return to.op(name, [windows], writes, kernel=kernel, n=math.prod(kernel))

    options = {"kernel": Option(None, "ints", 1), "stride": Option(0, "ints", 1), "pad": Option(0, "pad")}
    options |= {"dilation": Option(1, "ints", 1)} if name == "max-pool" else {}
    return Kind(name, ("kernel",), _pool_shape, emit, options=options, letters=("p", "c"), example=f"{name} 2 (h)")


def _global(name: str, op: str) -> Kind:
    def shape(node: Described, shapes: list[Shape]) -> Shape:
        _cells(node, shapes, "a pool")
        return shapes[0][:1]

    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        del node
        full = to.shape(reads[0])
        return to.op(op, reads, writes, **reduction(op, full, tuple(range(2, len(full))), keep=False))

    return Kind(name, (), shape, emit, example=f"{name} (h)")


_CONV_OPTIONS = {
    "out": Option(None, int, 1), "kernel": Option(None, "ints", 1), "stride": Option(1, "ints", 1),
    "pad": Option(0, "pad"), "dilation": Option(1, "ints", 1),
}  # fmt: skip

KINDS = [
    Kind(
        "conv",
        ("out", "kernel"),
        _conv_shape,
        _conv,
        options={**_CONV_OPTIONS, "groups": Option(1, int, 1)},
        parameters=_conv_weights,
        letters=("W", "b", "p", "c"),
        example="conv 6 3 relu pad=1 (x)",
    ),
    Kind(
        "conv-transpose",
        ("out", "kernel"),
        _transposed_shape,
        _transposed,
        options={**_CONV_OPTIONS, "pad": Option(0, "ints", 0), "extra": Option(0, "ints", 0)},
        parameters=_transposed_weights,
        letters=("W", "b", "c", "f", "s"),
        example="conv-transpose 3 2 stride=2 (h)",
    ),
    _pool("max-pool"),
    _pool("avg-pool"),
    _global("global-max-pool", "max"),
    _global("global-avg-pool", "mean"),
]
