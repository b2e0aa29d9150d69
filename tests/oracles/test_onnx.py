"""ONNX's own backend node tests, run through the op table and the layers.

Each case of an operator that is claimed is compared at the case's own tolerance, in the case's own precision; then the
gradients of the same case, in double precision, against central differences along random directions. An adapter says
which rows or which layer an operator is. It may transpose, reshape, repeat and take apart what a case has, and write
labels as columns of 0 and 1; it doesn't compute. A case outside of what is claimed raises `Skip` with the reason.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from harness import Asked, Ran, Step, error, run_chain, run_kind, run_loss, slope_error
from oracles_registry import covers, note

from bptui.engine.kinds.simple import reduction
from bptui.engine.ops import OPS
from bptui.engine.ops.losses import LOSSES

onnx = pytest.importorskip("onnx", reason="ONNX, the oracle, is not installed")
ORACLE = "ONNX node tests"
# A case's own tolerance is 1e-3 as a rule; what is right comes much closer.
CLOSE = 1e-5
# Its numbers are written down with four digits.
ROUNDED = {"test_averagepool_2d_ceil_last_window_starts_on_pad"}
SLOPES = "central differences of ONNX's cases"


class Skip(Exception):
    """A case outside of what is claimed."""


@dataclass
class Given:
    """A case: attributes, inputs by place (None where left out) and outputs."""

    name: str
    attrs: dict[str, Any]
    ins: list[Any]
    outs: list[Any]
    rtol: float
    atol: float

    def at(self, k: int) -> Any:
        return self.ins[k] if k < len(self.ins) else None

    def get(self, name: str, default: Any = None) -> Any:
        value = self.attrs.get(name, default)
        return value.decode() if isinstance(value, bytes) else value


@dataclass
class Plan:
    """What an operator is here: rows of the table, a layer or a loss, on arrays by name; and what is wanted of it.

    slots  further slots → what is wanted of them
    """

    arrays: dict[str, np.ndarray]
    wanted: np.ndarray
    steps: list[Step] = field(default_factory=list)
    kind: str = ""
    loss: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("x",)
    evaluation: bool = False
    statistics: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, np.ndarray] = field(default_factory=dict)
    y: Any = None
    fixed: tuple[str, ...] = ()
    differentiated: bool = True

    def run(self, arrays: Mapping[str, Any], g: Any = None, dtype: Any = "float64", *, bits: bool = True) -> Ran:
        if self.loss:
            return run_loss(self.loss, arrays["x"], self.y, self.options, dtype=dtype, bits=bits)
        if self.kind:
            given = {k: v for k, v in arrays.items() if k not in self.inputs}
            settings = {"evaluation": self.evaluation, "statistics": self.statistics, "bits": bits}
            return run_kind(
                self.kind, [arrays[k] for k in self.inputs], self.options, given=given, g=g, dtype=dtype, **settings
            )
        return run_chain(self.steps, arrays, g=g, dtype=dtype, bits=bits)


Adapter = Callable[[Given], "Plan | list[Plan]"]
ADAPTERS: dict[str, Adapter] = {}
# Whole numbers as doubles are the same numbers, for what only moves cells.
MOVERS = {
    "Trilu",
    "Where",
    "Concat",
    "Transpose",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Slice",
    "Split",
    "Expand",
    "Tile",
    "Gather",
    "Pad",
}


def adapter(*names: str) -> Callable[[Adapter], Adapter]:
    def add(function: Adapter) -> Adapter:
        for name in names:
            covers("ONNX", name, ORACLE)
            covers("ONNX", name, SLOPES)
            ADAPTERS[name] = function
        return function

    return add


def one(op: str, given: Given, count: int = 1, **attrs: Any) -> Plan:
    """One row on the first inputs as they are."""
    names = OPS[op].roles(count)
    return Plan(dict(zip(names, given.ins[:count], strict=True)), given.outs[0], [(op, names, "out", attrs)])


# Element by element

for _onnx, _op in (
    ("Abs", "abs"),
    ("Neg", "neg"),
    ("Exp", "exp"),
    ("Log", "log"),
    ("Sqrt", "sqrt"),
    ("Relu", "relu"),
    ("Softplus", "softplus"),
    ("Softsign", "softsign"),
    ("Sigmoid", "sigmoid"),
    ("Tanh", "tanh"),
    ("Mish", "mish"),
    ("Identity", "copy"),
):
    adapter(_onnx)(lambda c, _op=_op: one(_op, c))
for _onnx, _op in (("Add", "add"), ("Sub", "sub"), ("Mul", "mul"), ("Div", "div")):
    adapter(_onnx)(lambda c, _op=_op: one(_op, c, 2))


@adapter("Pow")
def _pow(c: Given) -> Plan:
    if c.ins[0].dtype.kind != "f":
        raise Skip("whole numbers or truth values")
    return one("pow", c, 2)


def _folded(op: str, c: Given) -> Plan:
    arrays = {f"a{k}": a for k, a in enumerate(c.ins, 1)}
    names = list(arrays)
    steps: list[Step] = [("copy", ["a1"], "t1", {})]
    for k, name in enumerate(names[1:], 2):
        steps.append((op, [f"t{k - 1}", name], f"t{k}", {}))
    return Plan(arrays, c.outs[0], steps)


adapter("Min")(lambda c: _folded("minimum", c))
adapter("Max")(lambda c: _folded("maximum", c))
adapter("Sum")(lambda c: _folded("add", c))
adapter("LeakyRelu")(lambda c: one("leaky-relu", c, slope=c.get("alpha", 0.01)))
adapter("Elu")(lambda c: one("elu", c, alpha=c.get("alpha", 1.0)))
adapter("Gelu")(lambda c: one("gelu-tanh" if c.get("approximate") == "tanh" else "gelu", c))
adapter("HardSigmoid")(lambda c: one("hard-sigmoid", c, slope=c.get("alpha", 0.2), offset=c.get("beta", 0.5)))
adapter("Reciprocal")(
    lambda c: Plan({"a": np.ones_like(c.ins[0]), "b": c.ins[0]}, c.outs[0], [("div", ["a", "b"], "out", {})])
)


@adapter("Selu")
def _selu(c: Given) -> Plan:
    if "alpha" in c.attrs or "gamma" in c.attrs:
        raise Skip("other constants than those of the paper")
    return one("selu", c)


@adapter("Swish")
def _swish(c: Given) -> Plan:
    if c.get("alpha", 1.0) != 1:
        raise Skip("a slope inside of the sigmoid")
    return one("silu", c)


@adapter("HardSwish")
def _hard_swish(c: Given) -> Plan:
    return Plan({"x": c.ins[0]}, c.outs[0], [("hard-sigmoid", ["x"], "h", {}), ("mul", ["x", "h"], "out", {})])


@adapter("SwiGLU")
def _swiglu(c: Given) -> Plan:
    alpha = c.get("alpha", 1.0)
    steps: list[Step] = [
        ("scale", ["a"], "s", {"by": alpha}),
        ("sigmoid", ["s"], "p", {}),
        ("mul", ["a", "p"], "m", {}),
        ("mul", ["m", "b"], "out", {}),
    ]
    return Plan({"a": c.ins[0], "b": c.ins[1]}, c.outs[0], steps)


@adapter("Where")
def _where(c: Given) -> Plan:
    plan = one("where", c, 3)
    plan.fixed = ("c",)
    return plan


@adapter("Clip")
def _clip(c: Given) -> Plan:
    most = float(np.finfo(c.ins[0].dtype).max)
    low, high = (
        float(bound) if bound is not None and np.size(bound) else end
        for bound, end in ((c.at(1), -most), (c.at(2), most))
    )
    return Plan({"x": c.ins[0]}, c.outs[0], [("clip", ["x"], "out", {"low": low, "high": high})])


adapter("Softmax")(lambda c: one("softmax", c, axis=c.get("axis", -1)))
adapter("LogSoftmax")(lambda c: one("log-softmax", c, axis=c.get("axis", -1)))


@adapter("Dropout")
def _dropout(c: Given) -> Plan:
    training = bool(c.at(2)) if c.at(2) is not None else False
    ratio = float(c.at(1)) if c.at(1) is not None else 0.5
    if training and ratio:
        raise Skip("another generator draws the mask")
    return Plan({"x": c.ins[0]}, c.outs[0], kind="dropout", options={"rate": ratio}, evaluation=not training)


# Products


@adapter("MatMul")
def _matmul(c: Given) -> Plan:
    return one("matmul", c, 2, ranks=(c.ins[0].ndim, c.ins[1].ndim))


@adapter("Gemm")
def _gemm(c: Given) -> Plan:
    a, b = (m.T if c.get(name, 0) else m for m, name in ((c.ins[0], "transA"), (c.ins[1], "transB")))
    arrays, alpha, beta = (
        {"a": np.ascontiguousarray(a), "b": np.ascontiguousarray(b)},
        c.get("alpha", 1.0),
        c.get("beta", 1.0),
    )
    steps: list[Step] = [("matmul", ["a", "b"], "ab", {})]
    last = "ab"
    if alpha != 1:
        steps.append(("scale", ["ab"], "scaled", {"by": alpha}))
        last = "scaled"
    if c.at(2) is not None:
        arrays["c"] = c.ins[2]
        if beta != 1:
            steps.append(("scale", ["c"], "cs", {"by": beta}))
        steps.append(("add", [last, "cs" if beta != 1 else "c"], "out", {}))
    return Plan(arrays, c.outs[0], steps)


# Reductions


def _reduce(*ops: str) -> Adapter:
    """Rows before and after a reduction, which is the one named in capitals."""

    def plan(c: Given) -> Plan:
        x = c.ins[0]
        if x.dtype.kind != "f":
            raise Skip("whole numbers or truth values")
        axes = c.at(1) if c.at(1) is not None else c.get("axes")
        axes = tuple(int(a) % x.ndim for a in np.atleast_1d(axes)) if axes is not None and np.size(axes) else None
        if axes is None and c.get("noop_with_empty_axes", 0):
            raise Skip("no axes: nothing is reduced")
        steps, last = [], "x"
        for k, op in enumerate(ops):
            attrs: dict[str, Any] = {}
            if op in ("sum", "mean", "max", "min", "logsumexp"):
                if x.size == 0 and op in ("max", "min", "logsumexp"):
                    raise Skip("the largest of nothing")
                attrs = reduction(op, x.shape, axes, keep=bool(c.get("keepdims", 1)))
            steps.append((op, [last], f"t{k}", attrs))
            last = f"t{k}"
        return Plan({"x": x}, c.outs[0], steps)

    return plan


for _onnx, _ops in (
    ("ReduceSum", ("sum",)), ("ReduceMean", ("mean",)), ("ReduceMax", ("max",)), ("ReduceMin", ("min",)), ("ReduceLogSumExp", ("logsumexp",)),
    ("ReduceSumSquare", ("square", "sum")), ("ReduceL2", ("square", "sum", "sqrt")), ("ReduceL1", ("abs", "sum")), ("ReduceLogSum", ("sum", "log")),
):  # fmt: skip
    adapter(_onnx)(_reduce(*_ops))

# What moves cells

for _onnx in ("Reshape", "Flatten", "Squeeze", "Unsqueeze"):
    adapter(_onnx)(lambda c: one("reshape", c, shape=c.outs[0].shape))
adapter("Transpose")(lambda c: one("transpose", c, axes=tuple(c.get("perm", range(c.ins[0].ndim - 1, -1, -1)))))


@adapter("Concat")
def _concat(c: Given) -> Plan:
    axis = c.get("axis") % c.ins[0].ndim
    return one("concat", c, len(c.ins), axis=axis, sizes=tuple(a.shape[axis] for a in c.ins))


@adapter("Split")
def _split(c: Given) -> list[Plan]:
    axis, start, plans = c.get("axis", 0), 0, []
    for out in c.outs:
        stop = start + out.shape[axis]
        index = (*((None, None, None),) * axis, (start, stop, 1))
        plans.append(Plan({"x": c.ins[0]}, out, [("slice", ["x"], "out", {"index": index})]))
        start = stop
    return plans


@adapter("Slice")
def _slice(c: Given) -> Plan:
    x, starts, ends = c.ins[0], c.ins[1], c.ins[2]
    axes = [int(a) % x.ndim for a in c.at(3)] if c.at(3) is not None else list(range(len(starts)))
    steps = c.at(4) if c.at(4) is not None else np.ones(len(starts), int)
    index: list[Any] = [(None, None, None)] * x.ndim
    for axis, start, stop, step in zip(axes, starts, ends, steps, strict=True):
        index[axis] = tuple(int(n) for n in slice(int(start), int(stop), int(step)).indices(x.shape[axis]))
        if step < 0 and index[axis][1] < 0:
            index[axis] = (index[axis][0], None, int(step))
    return one("slice", c, index=tuple(index))


@adapter("Pad")
def _pad(c: Given) -> Plan:
    if c.get("mode", "constant") != "constant":
        raise Skip("padding that isn't one number")
    x, pads = c.ins[0], [int(n) for n in c.ins[1]]
    axes = [int(a) % x.ndim for a in c.at(3)] if c.at(3) is not None else list(range(x.ndim))
    if min(pads) < 0:
        raise Skip("padding below 0")
    widths = [(0, 0)] * x.ndim
    for k, axis in enumerate(axes):
        widths[axis] = (pads[k], pads[k + len(axes)])
    return one("pad", c, widths=tuple(widths), value=float(c.at(2)) if c.at(2) is not None else 0)


adapter("Tile")(lambda c: one("tile", c, reps=tuple(int(n) for n in c.ins[1])))
adapter("Expand")(lambda c: one("expand", c, shape=c.outs[0].shape))


@adapter("Gather")
def _gather(c: Given) -> Plan:
    if (c.ins[1] < 0).any():
        raise Skip("a row counted from the end: here it counts as the nearest")
    axis, rank = c.get("axis", 0), c.ins[1].ndim
    table = np.ascontiguousarray(np.moveaxis(c.ins[0], axis, 0))
    wanted = np.moveaxis(c.outs[0], range(axis, axis + rank), range(rank))
    return Plan(
        {"W": table, "x": c.ins[1].astype(table.dtype)}, wanted, [("gather", ["W", "x"], "out", {})], fixed=("x",)
    )


@adapter("Trilu")
def _trilu(c: Given) -> Plan:
    return one("triu" if c.get("upper", 1) else "tril", c, k=int(c.at(1)) if c.at(1) is not None else 0)


# Windows


def _pads(c: Given, cells: tuple[int, ...], kernel: tuple[int, ...]) -> list[tuple[int, int]]:
    """Padding before and after each axis, as the operator's documentation has it."""
    n = len(cells)
    stride, dilation = c.get("strides", [1] * n), c.get("dilations", [1] * n)
    auto = c.get("auto_pad", "NOTSET")
    if auto.startswith("SAME"):
        found = []
        for length, k, s, d in zip(cells, kernel, stride, dilation, strict=True):
            total = max(0, (-(-length // s) - 1) * s + (k - 1) * d + 1 - length)
            found.append((total // 2, total - total // 2) if auto == "SAME_UPPER" else (total - total // 2, total // 2))
        return found
    pads = c.get("pads", [0] * 2 * n)
    return [(pads[k], pads[k + n]) for k in range(n)]


def _flat_windows(c: Given) -> tuple[tuple[int, ...], tuple[int, ...]]:
    x = c.ins[0]
    kernel = tuple(c.get("kernel_shape") or c.ins[1].shape[2:])
    if len(kernel) > 2:
        raise Skip("three dimensions of places")
    return x.shape[2:], kernel


@adapter("Conv")
def _conv(c: Given) -> Plan:
    cells, kernel = _flat_windows(c)
    x, W = c.ins[0], c.ins[1]
    n, groups = len(cells), c.get("group", 1)
    pads, stride, dilation = (
        _pads(c, cells, kernel),
        tuple(c.get("strides", [1] * n)),
        tuple(c.get("dilations", [1] * n)),
    )
    arrays = {"x": x, "W": W} | ({"b": c.ins[2]} if c.at(2) is not None else {})
    if all(before == after for before, after in pads):
        options = {
            "out": len(W),
            "kernel": kernel,
            "stride": stride,
            "pad": tuple(p for p, _ in pads),
            "dilation": dilation,
            "groups": groups,
            "bias": "b" in arrays,
        }
        return Plan(arrays, c.outs[0], kind="conv", options=options)
    attrs = {"places": (len(x), *c.outs[0].shape[2:]), "kernel": (x.shape[1], *kernel), "out": len(W), "groups": groups}
    steps: list[Step] = [
        ("pad", ["x"], "p", {"widths": ((0, 0), (0, 0), *pads), "value": 0}),
        ("unfold", ["p"], "c", {"kernel": kernel, "stride": stride, "dilation": dilation}),
        ("conv+b" if "b" in arrays else "conv", ["c", "W", *(["b"] if "b" in arrays else [])], "out", attrs),
    ]
    return Plan(arrays, c.outs[0], steps)


@adapter("ConvTranspose")
def _conv_transpose(c: Given) -> Plan:
    cells, kernel = _flat_windows(c)
    x, W, n = c.ins[0], c.ins[1], len(cells)
    if c.get("group", 1) != 1:
        raise Skip("groups of a transposed convolution")
    if "auto_pad" in c.attrs:
        raise Skip("a transposed convolution padded to a size")
    pads = c.get("pads", [0] * 2 * n)
    if pads[:n] != pads[n:]:
        raise Skip("a transposed convolution with other padding before than after")
    stride, dilation = tuple(c.get("strides", [1] * n)), tuple(c.get("dilations", [1] * n))
    arrays = {"x": x, "W": W} | ({"b": c.ins[2]} if c.at(2) is not None else {})
    extra = tuple(c.get("output_padding", [0] * n))
    if "output_shape" in c.attrs and "output_padding" not in c.attrs:
        extra = tuple(
            o - ((m - 1) * s + (k - 1) * d + 1 - 2 * p)
            for o, m, s, k, d, p in zip(c.get("output_shape"), cells, stride, kernel, dilation, pads, strict=False)
        )
    options = {
        "out": W.shape[1],
        "kernel": kernel,
        "stride": stride,
        "pad": tuple(pads[:n]),
        "dilation": dilation,
        "extra": extra,
        "bias": "b" in arrays,
    }
    return Plan(arrays, c.outs[0], kind="conv-transpose", options=options)


def _pool(kind: str) -> Adapter:
    def plan(c: Given) -> Plan:
        cells, kernel = _flat_windows(c)
        n = len(cells)
        pads, stride = _pads(c, cells, kernel), tuple(c.get("strides", [1] * n))
        dilation = tuple(c.get("dilations", [1] * n))
        outs = [
            (m + a + b - (k - 1) * d - 1) // s + 1
            for m, (a, b), k, d, s in zip(cells, pads, kernel, dilation, stride, strict=True)
        ]
        if tuple(outs) != c.outs[0].shape[2:]:
            raise Skip("ceil_mode: a window that stands over the edge")
        if kind == "avg-pool" and any(map(any, pads)) and not c.get("count_include_pad", 0):
            raise Skip("an average that leaves padding out of the count")
        if kind == "avg-pool" and any(d != 1 for d in dilation):
            raise Skip("an average pool with holes")
        if any(a != b for a, b in pads):
            if kind == "avg-pool":
                raise Skip("an average pool with other padding before than after")
            lowest = -3.4028234663852886e38
            steps: list[Step] = [
                ("pad", ["x"], "p", {"widths": ((0, 0), (0, 0), *pads), "value": lowest}),
                ("unfold", ["p"], "c", {"kernel": kernel, "stride": stride, "dilation": dilation}),
                ("max-pool", ["c"], "out", {"kernel": kernel, "n": int(np.prod(kernel))}),
            ]
            return Plan({"x": c.ins[0]}, c.outs[0], steps)
        options = {"kernel": kernel, "stride": stride, "pad": tuple(a for a, _ in pads)}
        options |= {"dilation": dilation} if kind == "max-pool" else {}
        return Plan({"x": c.ins[0]}, c.outs[0], kind=kind, options=options)

    return plan


adapter("MaxPool")(_pool("max-pool"))
adapter("AveragePool")(_pool("avg-pool"))
for _onnx, _op in (("GlobalMaxPool", "global-max-pool"), ("GlobalAveragePool", "global-avg-pool")):
    adapter(_onnx)(lambda c, _op=_op: Plan({"x": c.ins[0]}, c.outs[0].reshape(c.outs[0].shape[:2]), kind=_op))


@adapter("Col2Im")
def _col2im(c: Given) -> Plan:
    x, image, block = c.ins[0], tuple(int(n) for n in c.ins[1]), tuple(int(n) for n in c.ins[2])
    n = len(image)
    pads = c.get("pads", [0] * 2 * n)
    stride, dilation = tuple(c.get("strides", [1] * n)), tuple(c.get("dilations", [1] * n))
    full = tuple(m + pads[k] + pads[k + n] for k, m in enumerate(image))
    outs = tuple((f - (k - 1) * d - 1) // s + 1 for f, k, d, s in zip(full, block, dilation, stride, strict=True))
    channels = x.shape[1] // int(np.prod(block))
    windows = x.reshape(len(x), channels, *block, *outs).transpose(0, *range(2 + n, 2 + 2 * n), 1, *range(2, 2 + n))
    index = ((None, None, None),) * 2 + tuple((pads[k], pads[k] + m, 1) for k, m in enumerate(image))
    steps: list[Step] = [
        (
            "fold",
            ["c"],
            "f",
            {"kernel": block, "shape": (len(x), channels, *full), "stride": stride, "dilation": dilation},
        ),
        ("slice", ["f"], "out", {"index": index}),
    ]
    return Plan({"c": np.ascontiguousarray(windows)}, c.outs[0], steps)


# Normalising


def _normalization(kind: str, op: str) -> Adapter:
    def plan(c: Given) -> Plan:
        x = c.ins[0]
        axis = c.get("axis", -1) % x.ndim
        arrays = {"x": x, "W": c.ins[1]} | ({"b": c.ins[2]} if c.at(2) is not None else {})
        eps = c.get("epsilon", 1e-5)
        if axis == x.ndim - 1 and axis:
            return Plan(arrays, c.outs[0], kind=kind, options={"eps": eps})
        steps: list[Step] = [
            (op, ["x"], "n", {"axes": tuple(range(axis, x.ndim)), "eps": eps}),
            ("mul", ["n", "W"], "s", {}),
        ]
        steps += [("add", ["s", "b"], "out", {})] if "b" in arrays else []
        return Plan(arrays, c.outs[0], steps)

    return plan


adapter("LayerNormalization")(_normalization("layer-norm", "standardize"))
adapter("RMSNormalization")(_normalization("rms-norm", "rms"))


@adapter("BatchNormalization")
def _batch_norm(c: Given) -> Plan:
    training, eps = c.get("training_mode", 0), c.get("epsilon", 1e-5)
    arrays, options = (
        {"x": c.ins[0], "W": c.ins[1], "b": c.ins[2]},
        {"eps": eps, "momentum": 1 - c.get("momentum", 0.9)},
    )
    statistics = {"mean": c.ins[3], "var": c.ins[4]}
    # The running variance is PyTorch's, of n − 1; ONNX's is of n.
    slots = {"mean1": c.outs[1]} if training else {}
    return Plan(
        arrays,
        c.outs[0],
        kind="batch-norm",
        options=options,
        evaluation=not training,
        statistics=statistics,
        slots=slots,
    )


@adapter("GroupNormalization")
def _group_norm(c: Given) -> Plan:
    options = {"groups": c.get("num_groups"), "eps": c.get("epsilon", 1e-5)}
    return Plan({"x": c.ins[0], "W": c.ins[1], "b": c.ins[2]}, c.outs[0], kind="group-norm", options=options)


@adapter("InstanceNormalization")
def _instance_norm(c: Given) -> Plan:
    return Plan(
        {"x": c.ins[0], "W": c.ins[1], "b": c.ins[2]},
        c.outs[0],
        kind="instance-norm",
        options={"eps": c.get("epsilon", 1e-5)},
    )


# Attention


@adapter("Attention")
def _attention(c: Given) -> Plan:
    if c.get("softmax_precision") is not None:
        raise Skip("a softmax in a precision of its own")
    if max(c.get("left_window_size", -1), c.get("right_window_size", -1)) >= 0:
        raise Skip("attention within a window")
    if any(a is not None for a in c.ins[6:]):
        raise Skip("a cache with lengths of its own")
    q, k, v = c.ins[:3]
    wanted = c.outs[0]
    if q.ndim == 3:
        heads, groups = c.get("q_num_heads"), c.get("kv_num_heads")
        q, wanted = (a.reshape(*a.shape[:2], heads, -1).transpose(0, 2, 1, 3) for a in (q, wanted))
        k, v = (a.reshape(*a.shape[:2], groups, -1).transpose(0, 2, 1, 3) for a in (k, v))
    mask, past = c.at(3), c.at(4)
    if mask is not None and mask.dtype == bool:
        raise Skip("a mask of truth values")
    if past is None and c.at(5) is not None:
        raise Skip("a cache of values alone")
    times = q.shape[1] // k.shape[1]
    cached = {"pk": c.ins[4], "pv": c.ins[5]} if past is not None else {}
    if times > 1:
        k, v = (np.repeat(a, times, 1) for a in (k, v))
        cached = {name: np.repeat(a, times, 1) for name, a in cached.items()}
    scale, cap, causal = c.get("scale"), c.get("softcap", 0.0), bool(c.get("is_causal", 0))
    if not (cached or mask is not None or scale or cap):
        together = [np.ascontiguousarray(a).reshape(-1, *a.shape[2:]) for a in (q, k, v, wanted)]
        return Plan(
            dict(zip(("x", "x2", "x3"), together[:3], strict=True)),
            together[3],
            kind="attention",
            options={"causal": causal},
            inputs=("x", "x2", "x3"),
        )
    if causal and cached:
        raise Skip("causal behind a cache: the future begins later")
    arrays = {name: np.ascontiguousarray(a) for name, a in {"q": q, "k": k, "v": v, **cached}.items()}
    steps: list[Step] = []
    keys, values = "k", "v"
    if cached:
        sizes = (cached["pk"].shape[2], k.shape[2])
        steps += [
            ("concat", ["pk", "k"], "kk", {"axis": 2, "sizes": sizes}),
            ("concat", ["pv", "v"], "vv", {"axis": 2, "sizes": sizes}),
        ]
        keys, values = "kk", "vv"
    ranks = {"ranks": (4, 4)}
    steps += [
        ("transpose", [keys], "kT", {"axes": (0, 1, 3, 2)}),
        ("matmul", ["q", "kT"], "qk", ranks),
        ("scale", ["qk"], "s", {"by": scale or 1 / np.sqrt(q.shape[-1])}),
    ]
    last, columns = "s", k.shape[2] + (cached["pk"].shape[2] if cached else 0)
    if cap:
        steps += [
            ("scale", [last], "c1", {"by": 1 / cap}),
            ("tanh", ["c1"], "c2", {}),
            ("scale", ["c2"], "c3", {"by": cap}),
        ]
        last = "c3"
    if mask is not None:
        arrays["mask"] = mask
        if mask.shape[-1] != columns:
            raise Skip("a mask shorter than what it masks")
        steps.append(("add", [last, "mask"], "masked", {}))
        last = "masked"
    if causal:
        steps.append(("causal", [last], "m", {"rows": q.shape[2], "columns": columns}))
        last = "m"
    steps += [("softmax", [last], "p", {"axis": -1}), ("matmul", ["p", values], "out", ranks)]
    fixed = ("mask",) if mask is not None and not np.isfinite(mask).all() else ()
    return Plan(arrays, wanted, steps, fixed=fixed)


# Recurrent layers


def _gates(a: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Gates that lie one below the other put into another order, as columns."""
    parts = np.split(a, len(order))
    return np.ascontiguousarray(np.concatenate([parts[k] for k in order]).T)


def _recurrent(kind: str, order: tuple[int, ...]) -> Adapter:
    def plan(c: Given) -> list[Plan]:
        units, count = c.get("hidden_size"), len(order)
        x = c.ins[0] if c.get("layout", 0) else np.swapaxes(c.ins[0], 0, 1)
        W, R, B = c.ins[1], c.ins[2], c.at(3)
        if any(c.at(k) is not None and np.any(c.at(k)) for k in (5, 6)):
            raise Skip("a first state that isn't 0")
        if c.at(7) is not None:
            raise Skip("peepholes")
        if c.at(4) is not None and (c.at(4) != x.shape[1]).any():
            raise Skip("sequences of different lengths")
        if set(c.attrs) & {"activations", "clip", "input_forget"}:
            raise Skip("activations of its own")
        if kind == "gru" and x.shape[1] > 1 and not c.get("linear_before_reset", 0):
            raise Skip("a GRU that resets before the product; here it is after it, as in PyTorch")
        if B is not None and np.any(B[:, count * units :]):
            raise Skip("two biases that are not 0: here there is one")
        direction = c.get("direction", "forward")
        plans = []
        for d in range(len(W)):
            back = direction == "reverse" or d == 1
            arrays = {"x": np.ascontiguousarray(x[:, ::-1] if back else x), "W": _gates(W[d], order)}
            arrays["U"] = _gates(R[d], order)
            if B is not None:
                arrays["b"] = _gates(B[d, : count * units, None], order)[0]
            if x.shape[1] == 1:
                del arrays["U"]
            for k, last in ((1, True), (0, False)):
                out = c.outs[k] if k < len(c.outs) else None
                if out is None or not np.size(out):
                    continue
                if last:
                    wanted = out[:, d] if c.get("layout", 0) else out[d]
                else:
                    wanted = out[:, :, d] if c.get("layout", 0) else np.swapaxes(out[:, d], 0, 1)
                    wanted = wanted[:, ::-1] if back else wanted
                plans.append(
                    Plan(arrays, wanted, kind=kind, options={"units": units, "last": last, "bias": B is not None})
                )
        return plans

    return plan


# ONNX has the gates of an LSTM as i, o, f, c and those of a GRU as z, r, h; PyTorch's are i, f, g, o and r, z, n.
adapter("RNN")(_recurrent("rnn", (0,)))
adapter("LSTM")(_recurrent("lstm", (0, 2, 3, 1)))
adapter("GRU")(_recurrent("gru", (1, 0, 2)))

# Losses


def _loss(loss: str) -> Adapter:
    def plan(c: Given) -> list[Plan]:
        x, labels, weights = c.ins[0], c.ins[1], c.at(2)
        reduction_ = c.get("reduction", "mean")
        if reduction_ == "none":
            raise Skip("no reduction: a loss is one number")
        if "ignore_index" in c.attrs and (labels == c.get("ignore_index")).any():
            raise Skip("labels that are left out")
        y = np.eye(x.shape[1])[labels]
        options: dict[str, Any] = {"reduction": reduction_} if reduction_ == "sum" else {}
        if weights is not None:
            options["class_weights"] = weights.astype(np.float64)
        logits = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        plans = [Plan({"x": logits}, c.outs[0], loss=loss, options=options, y=y)]
        if len(c.outs) > 1:
            plans.append(Plan({"z": logits}, np.moveaxis(c.outs[1], 1, -1), [("log-softmax", ["z"], "out", {})]))
        return plans

    return plan


adapter("SoftmaxCrossEntropyLoss")(_loss("softmax-ce"))
adapter("NegativeLogLikelihoodLoss")(_loss("nll"))

# Optimizers, as update instructions


def _updated(c: Given, states: int, steps: Callable[[str], list[Step]], names: str) -> list[Plan]:
    """For each tensor: its value, its gradient and so many states; the outputs are grouped likewise."""
    count = (len(c.ins) - 2) // (2 + states)
    plans = []
    for k in range(count):
        groups = [c.ins[2 + k + m * count] for m in range(2 + states)]
        wanted = [c.outs[k + m * count] for m in range(1 + states)]
        arrays = {
            "lr": c.ins[0],
            "t": np.array(float(c.ins[1]) + 1),
            **dict(zip(("w", "g", *names), groups, strict=True)),
        }
        slots = dict(zip(("w", *names), wanted, strict=True))
        plans.append(Plan(arrays, wanted[0], steps("w"), slots=slots, differentiated=False))
    return plans


@adapter("Adagrad")
def _adagrad(c: Given) -> list[Plan]:
    decay, eps, norm = c.get("decay_factor", 0.0), c.get("epsilon", 1e-6), c.get("norm_coefficient", 0.0)
    return _updated(c, 1, lambda w: [
        ("decayed", ["g", w], "gd", {"decay": norm}), ("decayed-rate", ["lr", "t"], "rate", {"decay": decay}), ("accumulate", ["v", "gd"], "v", {}),
        ("over-root", ["gd", "v"], "step", {"eps": eps}), ("sgd", [w, "rate", "step"], w, {}),
    ], "v")  # fmt: skip


@adapter("Adam")
def _adam(c: Given) -> list[Plan]:
    if c.ins[1] > 0:
        raise Skip("Adam's correction of the rate instead of the averages")
    alpha, beta, eps, norm = (
        c.get("alpha", 0.9),
        c.get("beta", 0.999),
        c.get("epsilon", 1e-6),
        c.get("norm_coefficient", 0.0),
    )
    return _updated(c, 2, lambda w: [
        ("decayed", ["g", w], "gd", {"decay": norm}), ("average", ["m", "gd"], "m", {"keep": alpha, "take": 1 - alpha}),
        ("average-square", ["v", "gd"], "v", {"keep": beta, "take": 1 - beta}), ("adam", [w, "lr", "m", "v"], w, {"eps": eps}),
    ], "mv")  # fmt: skip


@adapter("Momentum")
def _momentum(c: Given) -> list[Plan]:
    alpha, beta, norm = c.get("alpha"), c.get("beta"), c.get("norm_coefficient")
    ahead: list[Step] = (
        [("lookahead", ["gd", "m"], "ahead", {"momentum": alpha})] if c.get("mode") == "nesterov" else []
    )
    return _updated(c, 1, lambda w: [
        ("decayed", ["g", w], "gd", {"decay": norm}), ("momentum", ["m", "gd", "t"], "m", {"momentum": alpha, "take": beta}), *ahead,
        ("sgd", [w, "lr", "ahead" if ahead else "m"], w, {}),
    ], "m")  # fmt: skip


# Asking


@cache
def collected() -> dict[str, list[Given]]:
    """Operator → its cases. Cases of several operators write one out in others; they are no cases of their own."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = defaultdict(list)
        for case in collect_testcases(None):
            nodes = case.model.graph.node
            if len(nodes) != 1 or nodes[0].op_type not in ADAPTERS:
                continue
            node = nodes[0]
            attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            for ins, outs in case.data_sets:
                # What is left out has a name of "" and no array.
                given, taken = iter(ins), iter(outs)
                placed = [next(given) if name else None for name in node.input]
                results = [next(taken) if name else None for name in node.output]
                found[node.op_type].append(Given(case.name, attrs, placed, results, case.rtol, case.atol))
    return found


def precision(c: Given, operator: str) -> tuple[Given, str]:
    """The case with the precision it is run in. Raises Skip."""
    kinds = [getattr(a, "dtype", None) for a in [*c.ins[:1], *c.outs[:1]] if a is not None]
    if any(kind is None for kind in kinds):
        raise Skip("no tensor, but a sequence")
    if any(
        (kind.itemsize == 2 and kind.kind in "fV") or "float8" in str(kind) or "bfloat16" in str(kind) for kind in kinds
    ):
        raise Skip("half precision")
    single = any(kind == np.float32 for kind in kinds)
    if operator in ("Adam", "Adagrad", "Momentum"):
        return c, "float32"
    if any(kind.kind != "f" for kind in kinds) and operator not in ("Where", "Gather"):
        if operator not in MOVERS:
            raise Skip("whole numbers or truth values")
        c.ins[0] = c.ins[0].astype(np.float64)
    return c, "float32" if single else "float64"


def _ask(operator: str, c: Given, asked: Asked, slopes: Asked) -> None:
    c, dtype = precision(c, operator)
    plans = ADAPTERS[operator](c)
    for plan in plans if isinstance(plans, list) else [plans]:
        _forward(c, plan, asked, dtype)
        if plan.differentiated:
            _slopes(c, plan, slopes)


def _forward(c: Given, plan: Plan, asked: Asked, dtype: str) -> None:
    ran = plan.run({k: np.asarray(v, dtype) for k, v in plan.arrays.items()}, dtype=dtype)
    pairs = [(ran.out, plan.wanted), *((ran.machine.arrays[slot], wanted) for slot, wanted in plan.slots.items())]
    if plan.slots and not plan.kind:
        pairs = pairs[1:]
    asked.cases += 1
    for found, wanted in pairs:
        if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=c.rtol, atol=c.atol, equal_nan=True):
            off = error(found, np.asarray(wanted))
            asked.deny(c.name, f"off by {off:.3g}: {found.reshape(-1)[:6]} is not {np.asarray(wanted).reshape(-1)[:6]}")
            return
    off = max(error(found, np.asarray(wanted), floor=0.1) for found, wanted in pairs)
    if off > CLOSE and c.name not in ROUNDED:
        asked.deny(c.name, f"off by {off:.3g}, which its own tolerance lets pass")
        return
    note(*asked.key, off)
    _noted(plan, [*dict.fromkeys(ran.used[""])], ORACLE, off)


def _noted(plan: Plan, rows: list[str], oracle: str, off: float) -> None:
    names = [("OPS", row) for row in rows]
    names += [("KINDS", plan.kind)] if plan.kind else []
    names += [("LOSSES", plan.loss)] if plan.loss else []
    for table, name in names:
        covers(table, name, oracle)
        note(table, name, oracle, off)


def _slopes(c: Given, plan: Plan, slopes: Asked) -> None:
    random = np.random.default_rng(len(c.name))
    arrays = {k: np.asarray(v, np.float64) for k, v in plan.arrays.items()}
    if not plan.wanted.size:
        slopes.skip("nothing in it to differentiate")
        return
    g = random.normal(0, 1, plan.wanted.shape) if not plan.loss else np.ones(())
    ran = plan.run(arrays, g=g)
    wanted = {k: v for k, v in ran.grads.items() if k not in plan.fixed}
    off = slope_error(wanted, arrays, lambda a: plan.run(a, bits=False).out, g, random)
    if off is None:
        slopes.skip("at a kink, or where a slope has no limit")
        return
    slopes.agree(c.name, off, 1e-6, "a gradient")
    if off <= 1e-6:
        _noted(plan, [*dict.fromkeys(ran.used["grad"])], SLOPES, off)


@pytest.mark.parametrize("operator", sorted(ADAPTERS))
def test_an_operator_is_what_onnx_has(operator):
    asked, slopes = Asked("ONNX", operator, ORACLE), Asked("ONNX", operator, SLOPES)
    assert collected()[operator], f"ONNX has no case of {operator}"
    for c in collected()[operator]:
        try:
            _ask(operator, c, asked, slopes)
        except Skip as reason:
            asked.skip(str(reason))
    asked.done()
    assert not slopes.denied, "\n".join(slopes.denied[:5])


def test_losses_that_are_asked_are_there():
    assert {"softmax-ce", "nll"} <= set(LOSSES)
