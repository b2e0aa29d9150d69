"""Every row of the op table against PyTorch: its result and, by PyTorch's own autograd, every gradient.

A row has a function in PyTorch of the same arguments and attributes, and cases: shapes, broadcasting, empty batches and
batches of one, ties and kinks, and the far ends of what a double can hold.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from harness import Asked, run_op
from oracles_registry import covers

from bptui.engine.kinds.simple import reduction
from bptui.engine.ops import OPS
from bptui.engine.optimizers import schedule_attrs

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
F = torch.nn.functional
ORACLE = "PyTorch"

ENDS = (800.0, -800.0, 30.0, -30.0, 1e-300, -1e-300, 1e300, -1e300, 0.0, -0.0, 1.0, -1.0, 3.0, -3.0)
BEYOND = (float("inf"), float("-inf"))


@dataclass
class Case:
    """Arguments by role, attributes, and what a mean divides by.

    single  whether float32 is tried as well
    forward whether only the result is compared
    """

    arrays: dict[str, Any]
    attrs: dict[str, Any] = field(default_factory=dict)
    n: int = 1
    label: str = ""
    single: bool = True
    forward: bool = False


@dataclass
class Row:
    outside: Callable[..., Any]
    cases: Callable[[str], Iterable[Case]]


ROWS: dict[str, Row] = {}


def row(name: str, cases: Callable[[str], Iterable[Case]]) -> Callable[[Any], Any]:
    """What PyTorch calls it, and on what it is asked."""

    def add(outside: Any) -> Any:
        assert name not in ROWS
        covers("OPS", name, ORACLE)
        ROWS[name] = Row(outside, cases)
        return outside

    return add


def draw(*shape: int, seed: int = 0, scale: float = 2.0) -> np.ndarray:
    return np.random.default_rng([seed, *shape, 7]).normal(0, scale, shape)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape, 8]).uniform(0.05, 3, shape)


def share(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape, 9]).uniform(0.01, 0.99, shape)


def classes(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.eye(columns)[np.random.default_rng([seed, rows, columns]).integers(0, columns, rows)]


SHAPES = ((3, 4), (1, 4), (0, 4), (1, 1), (5,), (2, 3, 4), (2, 1, 3, 2), ())
# The kinks and ties of what is piecewise.
CORNERS = np.array([[-3.0, -1.0, -0.0, 0.0, 1.0, 3.0], [0.5, -0.5, 2.0, -2.0, 1e-8, -1e-8]])


def unary(
    *, make: Any = draw, attrs: Iterable[dict[str, Any]] = ({},), ends: Iterable[float] = ENDS, beyond: bool = True
) -> Callable[[str], Iterator[Case]]:
    def cases(op: str) -> Iterator[Case]:
        role = OPS[op].args[0]
        for given, (k, shape) in itertools.product(attrs, enumerate(SHAPES)):
            yield Case({role: make(*shape, seed=k)}, given, label=f"{shape} {given}")
        for given in attrs:
            if make is draw:
                yield Case({role: CORNERS}, given, label=f"corners {given}")
            for value in [*ends, *(BEYOND if beyond else ())]:
                yield Case({role: np.array([[value]])}, given, label=f"{value} {given}", single=False)

    return cases


BROADCASTS = (
    ((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4)), ((3, 1), (1, 4)), ((3, 4), ()), ((), (3, 4)), ((2, 3, 4), (3, 1)),
    ((2, 1, 4), (3, 1)), ((1, 4), (1, 4)), ((0, 4), (0, 4)), ((0, 4), (4,)), ((0, 1), (1, 4)), ((1, 1), (1, 1)), ((), ()),
)  # fmt: skip


def binary(
    *,
    make: tuple[Any, Any] = (draw, draw),
    ends: Iterable[float] = ENDS,
    ties: bool = False,
    more: Iterable[float] = BEYOND,
) -> Callable[[str], Iterator[Case]]:
    def cases(op: str) -> Iterator[Case]:
        a, b = OPS[op].args[:2]
        for k, (left, right) in enumerate(BROADCASTS):
            yield Case({a: make[0](*left, seed=k), b: make[1](*right, seed=k + 50)}, label=f"{left} and {right}")
        if ties:
            yield Case({a: np.array([1.0, 2.0, 0.0, -0.0, 3.0]), b: np.array([1.0, 1.0, -0.0, 0.0, 4.0])}, label="ties")
        values = [*ends, *more]
        for left in values:
            arrays = {a: np.full((len(values), 1), left), b: np.array(values)[:, None]}
            yield Case(arrays, label=f"{left} with the ends", single=False)

    return cases


# Arithmetic

BINARY = binary()
row("add", BINARY)(lambda a, b: a + b)
row("sub", BINARY)(lambda a, b: a - b)
row("mul", BINARY)(lambda a, b: a * b)
row("div", binary(make=(draw, positive)))(lambda a, b: a / b)
row("pow", binary(make=(positive, draw)))(lambda a, b: torch.pow(a, b))
row("minimum", binary(ties=True))(lambda a, b: torch.minimum(a, b))
row("maximum", binary(ties=True))(lambda a, b: torch.maximum(a, b))
row("copy", unary())(lambda g: g.clone())
row("neg", unary())(lambda x: -x)
row("square", unary())(lambda x: torch.square(x))
row("exp", unary())(lambda x: torch.exp(x))
row("log", unary(make=positive))(lambda x: torch.log(x))
row("sqrt", unary(make=positive))(lambda x: torch.sqrt(x))
row("abs", unary())(lambda x: torch.abs(x))
NUMBERS = tuple({"by": by} for by in (2.5, -0.5, 0.0, 1, 1e-3))
row("scale", unary(attrs=NUMBERS))(lambda x, by: x * by)
row("shift", unary(attrs=NUMBERS))(lambda x, by: x + by)
row("clip", unary(attrs=({"low": -1, "high": 2}, {"low": 0.0, "high": 6.0}, {"low": -3.0, "high": 3.0})))(
    lambda x, low, high: torch.clamp(x, low, high)
)


def _where(op: str) -> Iterator[Case]:
    for k, (left, right) in enumerate(BROADCASTS):
        c = (draw(*np.broadcast_shapes(left, right), seed=k) > 0).astype(float)
        yield Case({"c": c, "a": draw(*left, seed=k), "b": draw(*right, seed=k + 9)}, label=f"{left} and {right}")
    yield Case(
        {"c": np.array([0.0, -0.0, 1, -1, 2, 1e-300]), "a": np.ones(6), "b": np.zeros(6)},
        label="conditions",
        single=False,
    )
    yield Case({"c": np.ones((3, 1)), "a": draw(3, 4), "b": draw(1, 4)}, label="a column of conditions")


row("where", _where)(lambda c, a, b: torch.where(c != 0, a, b))


def several(*shapes: tuple[int, ...]) -> Callable[[str], Iterator[Case]]:
    """So many random arguments of the same shape."""

    def cases(op: str) -> Iterator[Case]:
        for shape in shapes or ((3, 4), (1, 4), (0, 4), (1, 1), (2, 3, 4)):
            yield Case({role: draw(*shape, seed=k) for k, role in enumerate(OPS[op].args)}, label=str(shape))
        for value in (800.0, -800.0, 0.0, -0.0, 1e-300):
            yield Case({role: np.full((1, 2), value) for role in OPS[op].args}, label=str(value), single=False)

    return cases


row("lstm-cell", several())(lambda f, c, i, n: torch.addcmul(f * c, i, n))
row("gru-new", several())(lambda x, r, h: torch.addcmul(x, r, h))
row("gru-mix", several())(lambda u, h, n: torch.lerp(n, h, u))
row("gru-start", several())(lambda u, n: torch.lerp(n, torch.zeros_like(n), u))

# Activations

row("sigmoid", unary())(lambda z: torch.sigmoid(z))
row("tanh", unary())(lambda z: torch.tanh(z))
row("relu", unary())(lambda z: F.relu(z))
row("leaky-relu", unary(attrs=({}, {"slope": 0.2}, {"slope": 0.0}, {"slope": 1}, {"slope": 1.5}, {"slope": -0.5})))(
    lambda z, slope=0.01: F.leaky_relu(z, slope)
)
row("elu", unary(attrs=({}, {"alpha": 0.3}, {"alpha": 2.0})))(lambda z, alpha=1.0: F.elu(z, alpha))
row("selu", unary())(lambda z: F.selu(z))
row("gelu", unary())(lambda z: F.gelu(z))
row("gelu-tanh", unary())(lambda z: F.gelu(z, approximate="tanh"))
row("silu", unary())(lambda z: F.silu(z))
row("mish", unary())(lambda z: F.mish(z))
# PyTorch's own turns to z itself above its threshold, which is 20 where nothing is said, and overflows without one.
row("softplus", unary())(lambda z: F.softplus(z, threshold=700))
row("softsign", unary())(lambda z: F.softsign(z))
# The gradient of PyTorch's hardsigmoid has its 1/6 in single precision; its clamp is exact.
row("hard-sigmoid", unary(attrs=({}, {"slope": 0.2, "offset": 0.5})))(
    lambda z, slope=1 / 6, offset=0.5: F.hardtanh(slope * z + offset, 0.0, 1.0)
)
row("hard-tanh", unary())(lambda z: F.hardtanh(z))


def _softmaxes(op: str) -> Iterator[Case]:
    for shape, axis in (
        ((3, 4), -1),
        ((1, 4), -1),
        ((0, 4), -1),
        ((3, 1), -1),
        ((2, 3, 4), -1),
        ((2, 3, 4), 1),
        ((5, 2), 0),
        ((4,), -1),
        ((2, 3, 4, 2), 2),
    ):
        yield Case({"z": draw(*shape)}, {"axis": axis}, label=f"{shape} along {axis}")
    for k, rows in enumerate(
        (
            [800.0, -800.0, 0.0],
            [1e300, 1.0, -1e300],
            [0.0, -0.0, 0.0],
            [-800.0, -801.0, -1e300],
            [1e-300, 0.0, 0.0],
            [1.0, -np.inf, 2.0],
        )
    ):
        yield Case({"z": np.array([rows])}, {"axis": -1}, label=f"ends {k}", single=False)


row("softmax", _softmaxes)(lambda z, axis: torch.softmax(z, axis))
row("log-softmax", _softmaxes)(lambda z, axis: torch.log_softmax(z, axis))

# Products


def _dense(op: str) -> Iterator[Case]:
    for k, (lead, inputs, units) in enumerate(
        (
            ((3,), 4, 2),
            ((1,), 4, 2),
            ((0,), 4, 2),
            ((3,), 1, 1),
            ((1,), 1, 1),
            ((1,), 1, 3),
            ((2, 5), 3, 4),
            ((1, 1), 3, 4),
            ((2, 3, 2), 4, 1),
            ((0, 2), 3, 2),
        )
    ):
        arrays = {"x": draw(*lead, inputs, seed=k), "W": draw(inputs, units, seed=k + 20)}
        arrays |= {"b": draw(units, seed=k + 40)} if op == "dense+b" else {}
        yield Case(arrays, {"lead": lead} if len(lead) > 1 else {}, label=f"{lead} {inputs} to {units}")
    for value in (1e150, -800.0, 1e-300, 0.0):
        arrays = {"x": np.full((2, 3), value), "W": draw(3, 2)} | ({"b": draw(2)} if op == "dense+b" else {})
        yield Case(arrays, label=str(value), single=False)


row("dense", _dense)(lambda x, W, lead=None: F.linear(x, W.T))
row("dense+b", _dense)(lambda x, W, b, lead=None: F.linear(x, W.T, b))


def _matmul(op: str) -> Iterator[Case]:
    pairs = (
        ((3, 4), (4, 2)), ((1, 4), (4, 1)), ((0, 4), (4, 2)), ((1, 1), (1, 1)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (5, 4, 2)), ((1, 3, 4), (5, 4, 2)), ((0, 3, 4), (0, 4, 2)), ((4,), (4, 3)), ((4,), (4,)), ((3, 4), (4,)), ((2, 3, 4), (4,)),
        ((4,), (2, 4, 3)), ((2, 2, 3, 4), (2, 2, 4, 5)),
    )  # fmt: skip
    for a, b in pairs:
        yield Case({"a": draw(*a), "b": draw(*b, seed=1)}, {"ranks": (len(a), len(b))}, label=f"{a} @ {b}")


row("matmul", _matmul)(lambda a, b, ranks: torch.matmul(a, b))


def _windows(op: str) -> Iterator[Case]:
    for batch, places, channels, kernel, out, groups in (
        (2, (3, 3), 2, (2, 2), 3, 1),
        (1, (2, 4), 1, (3, 1), 1, 1),
        (2, (5,), 3, (2,), 4, 1),
        (2, (2, 2), 4, (2, 3), 6, 2),
        (1, (3,), 4, (3,), 4, 4),
        (1, (1,), 1, (1,), 1, 1),
        (0, (2, 2), 2, (2, 2), 3, 1),
        (3, (2, 2), 6, (1, 1), 3, 3),
    ):
        arrays = {"c": draw(batch, *places, channels, *kernel), "W": draw(out, channels // groups, *kernel)}
        arrays |= {"b": draw(out)} if op == "conv+b" else {}
        attrs = {"places": (batch, *places), "kernel": (channels, *kernel), "out": out, "groups": groups}
        yield Case(arrays, attrs, label=str(attrs))


@row("conv", _windows)
@row("conv+b", _windows)
def _conv(c: Any, W: Any, b: Any = None, *, places: Any, kernel: Any, out: int, groups: int) -> Any:
    batch, *spatial = places
    columns = c.reshape(batch, int(np.prod(spatial)), groups, int(np.prod(kernel)) // groups)
    kernels = W.reshape(groups, out // groups, int(np.prod(kernel)) // groups)
    z = torch.einsum("bpgd,god->bgop", columns, kernels).reshape(batch, out, *spatial)
    return z if b is None else z + b.reshape(1, out, *(1,) * len(spatial))


def _biased(op: str) -> Iterator[Case]:
    for shape in ((2, 3), (2, 3, 4), (1, 3, 2, 2), (0, 3, 2), (2, 1, 1)):
        yield Case(
            {"x": draw(*shape), "b": draw(shape[1])},
            {"shape": (shape[1], *(1,) * (len(shape) - 2)), "axes": (0, *range(2, len(shape)))},
            label=str(shape),
        )


row("bias", _biased)(lambda x, b, shape, axes: x + b.reshape(1, *shape))


def _spreads(op: str) -> Iterator[Case]:
    for batch, cells, channels, out, kernel in (
        (2, (3, 2), 2, 3, (2, 2)),
        (1, (4,), 1, 1, (3,)),
        (2, (3,), 3, 2, (1,)),
        (0, (2, 2), 2, 2, (2, 1)),
        (1, (1, 1), 2, 1, (3, 3)),
    ):
        attrs = {"places": (batch, *cells), "channels": channels, "shape": (batch, *cells, out, *kernel)}
        yield Case({"x": draw(batch, channels, *cells), "W": draw(channels, out, *kernel)}, attrs, label=str(attrs))


@row("spread", _spreads)
def _spread(x: Any, W: Any, *, places: Any, channels: int, shape: Any) -> Any:
    return torch.tensordot(x.movedim(1, -1), W, dims=1)


FOLDS = (
    ((2, 3, 6, 5), (2, 3), (1, 1), (1, 1)), ((1, 1, 5, 5), (3, 3), (2, 2), (1, 1)), ((2, 2, 7, 8), (2, 3), (2, 1), (3, 2)), ((1, 2, 4, 4), (1, 1), (3, 3), (1, 1)),
    ((2, 3, 9), (3,), (2,), (2,)), ((1, 1, 4), (4,), (1,), (1,)), ((0, 2, 4, 4), (2, 2), (2, 2), (1, 1)), ((3, 1, 5), (1,), (1,), (1,)),
)  # fmt: skip


def _flat(values: tuple[int, ...], fill: int) -> tuple[int, ...]:
    """PyTorch's unfold knows pictures alone: a sequence is one of height 1."""
    return values if len(values) == 2 else (fill, *values)


def _places(shape: Any, kernel: Any, stride: Any, dilation: Any) -> list[int]:
    return [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(shape[2:], kernel, stride, dilation, strict=True)]


def _unfolds(op: str) -> Iterator[Case]:
    for shape, kernel, stride, dilation in FOLDS:
        attrs = {"kernel": kernel, "stride": stride, "dilation": dilation}
        if op == "unfold":
            yield Case({"x": draw(*shape)}, attrs, label=f"{shape} {attrs}")
        else:
            c = draw(shape[0], *_places(shape, kernel, stride, dilation), shape[1], *kernel)
            yield Case({"c": c}, {**attrs, "shape": shape}, label=f"{shape} {attrs}")


@row("unfold", _unfolds)
def _unfold(x: Any, *, kernel: Any, stride: Any, dilation: Any) -> Any:
    outs = _places(x.shape, kernel, stride, dilation)
    if not len(x):
        return x.reshape(-1).new_zeros((0, *outs, x.shape[1], *kernel)) + 0 * x.sum()
    picture = x if x.ndim == 4 else x[:, :, None]
    columns = F.unfold(picture, _flat(kernel, 1), _flat(dilation, 1), 0, _flat(stride, 1))
    n = len(kernel)
    parted = columns.reshape(len(x), x.shape[1], *kernel, *outs)
    return parted.permute(0, *range(2 + n, 2 + 2 * n), 1, *range(2, 2 + n))


@row("fold", _unfolds)
def _fold(c: Any, *, kernel: Any, stride: Any, dilation: Any, shape: Any) -> Any:
    n = len(kernel)
    if not len(c):
        return c.new_zeros(shape) + 0 * c.sum()
    columns = c.permute(0, n + 1, *range(n + 2, 2 * n + 2), *range(1, n + 1)).reshape(
        len(c), shape[1] * int(np.prod(kernel)), -1
    )
    picture = F.fold(columns, _flat(tuple(shape[2:]), 1), _flat(kernel, 1), _flat(dilation, 1), 0, _flat(stride, 1))
    return picture.reshape(shape)


# Reductions

REDUCED = (
    ((3, 4), (1,)),
    ((3, 4), (0,)),
    ((3, 4), None),
    ((2, 3, 4), (1, 2)),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 4, 2), (2,)),
    ((1, 4), (1,)),
    ((3, 1), (1,)),
    ((1, 1), None),
    ((5,), (0,)),
)


def _reduced(op: str) -> Iterator[Case]:
    shapes = [*REDUCED, ((0, 4), (1,)), *([((0, 4), None)] if op == "sum" else [])]
    for (shape, axes), keep in itertools.product(shapes, (False, True)):
        corrections = ({"correction": 0}, {"correction": 1}) if op == "var" else ({},)
        for more in corrections:
            yield Case(
                {"x": draw(*shape)},
                {**reduction(op, shape, axes, keep=keep), **more},
                label=f"{shape} over {axes} {keep} {more}",
            )
    if op in ("max", "min"):
        ties = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0], [0.0, -0.0, -1.0]])
        for axes in ((1,), (0,), None):
            yield Case({"x": ties}, reduction(op, ties.shape, axes, keep=False), label=f"ties over {axes}")
    for values in (
        [800.0, -800.0],
        [1e300, 1.0],
        [1e-300, 0.0],
        [0.0, -0.0],
        [-800.0, -801.0],
        [np.inf, 1.0],
        [-np.inf, 1.0],
    ):
        x = np.array([values])
        more = {"correction": 0} if op == "var" else {}
        yield Case({"x": x}, {**reduction(op, x.shape, (1,), keep=False), **more}, label=f"ends {values}", single=False)


def _dims(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)


row("sum", _reduced)(lambda x, axis, keepdims, keep, n: x.sum(_dims(x, axis), keepdim=keepdims))
row("mean", _reduced)(lambda x, axis, keepdims, keep, n: x.mean(_dims(x, axis), keepdim=keepdims))
row("max", _reduced)(lambda x, axis, keepdims, keep, n: x.amax(_dims(x, axis), keepdim=keepdims))
row("min", _reduced)(lambda x, axis, keepdims, keep, n: x.amin(_dims(x, axis), keepdim=keepdims))
row("var", _reduced)(
    lambda x, axis, keepdims, keep, n, correction: x.var(_dims(x, axis), correction=correction, keepdim=keepdims)
)
row("logsumexp", _reduced)(
    lambda x, axis, keepdims, keep, n, shape: torch.logsumexp(x, _dims(x, axis), keepdim=keepdims)
)


def _pools(op: str) -> Iterator[Case]:
    for batch, places, channels, kernel in (
        (2, (3, 2), 2, (2, 2)),
        (1, (4,), 1, (3,)),
        (2, (1, 1), 3, (1, 2)),
        (0, (2, 2), 1, (2, 2)),
        (1, (1,), 1, (1,)),
    ):
        yield Case(
            {"c": draw(batch, *places, channels, *kernel)},
            {"kernel": kernel, "n": int(np.prod(kernel))},
            label=f"{batch} {places} {channels} {kernel}",
        )
    ties = np.array([[[[1.0, 1.0]], [[2.0, 2.0]], [[0.0, -0.0]]]])
    yield Case({"c": ties}, {"kernel": (2,), "n": 2}, label="ties")


@row("max-pool", _pools)
def _max_pool(c: Any, *, kernel: Any, n: int) -> Any:
    # A pool whose window is all there is: the largest by PyTorch's own max pool, ties and all.
    places = c.shape[: len(kernel) + 2]
    found = (
        F.max_pool1d(c.reshape(-1, 1, n), n).reshape(places)
        if c.numel()
        else c.sum(tuple(range(len(kernel) + 2, c.ndim)))
    )
    return found.movedim(-1, 1)


@row("avg-pool", _pools)
def _avg_pool(c: Any, *, kernel: Any, n: int) -> Any:
    places = c.shape[: len(kernel) + 2]
    found = (
        F.avg_pool1d(c.reshape(-1, 1, n), n).reshape(places)
        if c.numel()
        else c.sum(tuple(range(len(kernel) + 2, c.ndim)))
    )
    return found.movedim(-1, 1)


# What moves cells


def moved(*cases: tuple[tuple[int, ...], dict[str, Any]]) -> Callable[[str], Iterator[Case]]:
    def make(op: str) -> Iterator[Case]:
        for shape, attrs in cases:
            yield Case({OPS[op].args[0]: draw(*shape)}, attrs, label=f"{shape} {attrs}")

    return make


row(
    "reshape",
    moved(
        ((3, 4), {"shape": (3, 2, 2)}),
        ((2, 3, 4), {"shape": (2, 12)}),
        ((1, 6), {"shape": (1, 2, 3)}),
        ((0, 4), {"shape": (0, 2, 2)}),
        ((3, 1), {"shape": (3,)}),
        ((6,), {"shape": (3, -1)}),
    ),
)(lambda x, shape: x.reshape(shape))
row(
    "transpose",
    moved(
        ((3, 4), {"axes": (1, 0)}),
        ((2, 3, 4), {"axes": (0, 2, 1)}),
        ((2, 3, 4), {"axes": (2, 0, 1)}),
        ((2, 3, 4, 5), {"axes": (3, 1, 0, 2)}),
        ((0, 2, 3), {"axes": (0, 2, 1)}),
        ((1, 1, 1), {"axes": (0, 2, 1)}),
    ),
)(lambda x, axes: x.permute(axes))
ALL = (None, None, None)
row(
    "slice",
    moved(
        ((3, 6), {"index": (ALL, (1, 4, 1))}), ((3, 6), {"index": (ALL, (0, 6, 2))}), ((3, 6), {"index": (ALL, (1, 6, 3))}), ((2, 3, 4), {"index": (ALL, ALL, (2, 3, 1))}),
        ((2, 3, 4), {"index": (ALL, 1)}), ((2, 3, 4), {"index": (ALL, (0, 3, 2), (1, 4, 2))}), ((0, 4), {"index": (ALL, (1, 3, 1))}), ((1, 4), {"index": (ALL, (3, 4, 1))}),
        ((3, 4), {"index": (2,)}), ((2, 3, 4), {"index": (ALL, 2, (0, 2, 1))}),
    ),
)(lambda x, index: x[tuple(slice(*p) if isinstance(p, tuple) else p for p in index)])  # fmt: skip


@row(
    "pad",
    moved(
        *(
            (shape, {"widths": widths, "value": value})
            for value in (0, 0.0, -1.5, 1e9, -3.4028234663852886e38)
            for shape, widths in (
                ((3, 4), ((0, 0), (1, 2))),
                ((2, 3, 4), ((0, 0), (0, 0), (2, 0))),
                ((1, 2, 3, 3), ((0, 0), (0, 0), (1, 1), (0, 2))),
                ((0, 4), ((0, 0), (1, 1))),
                ((2, 2), ((0, 0), (0, 0))),
            )
        )
    ),
)
def _pad(x: Any, *, widths: Any, value: float) -> Any:
    return F.pad(x, [n for pair in reversed(widths) for n in pair], value=value)


def _concats(op: str) -> Iterator[Case]:
    for shapes, axis in (
        (((3, 2), (3, 4)), 1),
        (((2, 3), (1, 3)), 0),
        (((2, 1, 4), (2, 3, 4), (2, 2, 4)), 1),
        (((0, 2), (0, 1)), 1),
        (((1, 1), (1, 1)), 1),
        (((2, 3, 1), (2, 3, 2)), 2),
    ):
        arrays = {f"a{k}": draw(*shape, seed=k) for k, shape in enumerate(shapes, 1)}
        yield Case(arrays, {"axis": axis, "sizes": tuple(s[axis] for s in shapes)}, label=f"{shapes} along {axis}")


row("concat", _concats)(lambda *parts, axis, sizes: torch.cat(parts, axis))
row(
    "tile",
    moved(
        ((3, 4), {"reps": (1, 2)}),
        ((2, 3), {"reps": (2, 3)}),
        ((2, 1, 3), {"reps": (1, 4, 2)}),
        ((1, 1), {"reps": (1, 1)}),
        ((0, 2), {"reps": (1, 3)}),
    ),
)(lambda x, reps: torch.tile(x, reps))
row(
    "expand",
    moved(
        ((3, 1), {"shape": (3, 4)}),
        ((1, 1, 4), {"shape": (2, 3, 4)}),
        ((4,), {"shape": (3, 4)}),
        ((2, 1, 1), {"shape": (2, 3, 2)}),
        ((0, 1), {"shape": (0, 4)}),
        ((1,), {"shape": (2, 1)}),
    ),
)(lambda x, shape: torch.broadcast_to(x, shape))


def _gathers(op: str) -> Iterator[Case]:
    for table, index in (
        ((5, 3), (4,)),
        ((5, 3), (2, 4)),
        ((1, 2), (3,)),
        ((4, 1), (1, 1)),
        ((4, 2), (0,)),
        ((6, 2), (2, 2, 3)),
    ):
        x = np.random.default_rng(1).integers(0, table[0], index).astype(float)
        yield Case({"W": draw(*table), "x": x}, label=f"{table} by {index}")
    yield Case({"W": draw(4, 2), "x": np.array([0.0, 0, 3, 3, 3])}, label="the same row several times")
    yield Case({"W": draw(4, 2), "x": np.array([-1.0, 4, 99, 1.9])}, label="outside of the table")


row("gather", _gathers)(lambda W, x: F.embedding(x.detach().trunc().clamp(0, len(W) - 1).long(), W))
TRIANGLES = moved(
    *(((s), {"k": k}) for k in (0, 1, -1, 2, -3, 9) for s in ((3, 3), (2, 4), (4, 2), (2, 3, 3), (0, 2, 2), (1, 1)))
)
row("tril", TRIANGLES)(lambda x, k: torch.tril(x, k))
row("triu", TRIANGLES)(lambda x, k: torch.triu(x, k))
row(
    "causal",
    moved(
        *(
            (s, {"rows": s[-2], "columns": s[-1], **v})
            for v in ({}, {"value": -5.0})
            for s in ((3, 3), (2, 4, 4), (2, 2, 3, 5), (1, 4, 2), (0, 2, 2), (1, 1))
        )
    ),
)(lambda x, rows, columns, value=-1e9: x.masked_fill(~torch.ones(rows, columns, dtype=torch.bool).tril(), value))


def _draws(op: str) -> Iterator[Case]:
    for shape, rows in (((5, 3), [4, 0, 0]), ((3, 2, 2), [1]), ((1, 1), [0]), ((4,), [3, 2, 1, 0])):
        yield Case({"X": draw(*shape), "rows": np.array(rows)}, label=f"{shape} {rows}", forward=True)


row("draw", _draws)(lambda X, rows: torch.index_select(X, 0, rows.long()))
row(
    "unbroadcast",
    moved(
        ((3, 4), {"axes": (0,), "shape": (4,)}), ((3, 4), {"axes": (0, 1), "shape": ()}), ((2, 3, 4), {"axes": (0, 2), "shape": (3, 1)}), ((3, 4), {"axes": (1,), "shape": (3, 1)}),
        ((0, 4), {"axes": (0,), "shape": (4,)}), ((1, 4), {"axes": (), "shape": (1, 4)}), ((1, 4), {"axes": (0,), "shape": (4,)}), ((2, 1, 4), {"axes": (0,), "shape": (1, 4)}),
    ),
)(lambda g, axes, shape: g.sum_to_size(shape))  # fmt: skip

# Normalising


def _normal(op: str) -> Iterator[Case]:
    for shape, axes in (
        ((3, 4), 1),
        ((5, 4), (0,)),
        ((2, 3, 4), 2),
        ((2, 3, 4), (0, 2)),
        ((2, 3, 2, 2), (2, 3)),
        ((2, 3, 2, 2), (0, 2, 3)),
        ((1, 4), 1),
        ((1, 1), 1),
        ((0, 4), 1),
    ):
        for eps in (1e-5, 0.1):
            yield Case({"x": draw(*shape)}, {"axes": axes, "eps": eps}, label=f"{shape} over {axes} {eps}")
    for value in (800.0, 1e-300, 1e100, 0.0, -0.0):
        yield Case({"x": np.array([[value, -value, 0.0]])}, {"axes": 1, "eps": 1e-5}, label=str(value), single=False)
        yield Case(
            {"x": np.array([[value, value, value]])}, {"axes": 1, "eps": 1e-5}, label=f"all {value}", single=False
        )


def _axes(axes: Any) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else tuple(axes)


@row("standardize", _normal)
def _standardize(x: Any, *, axes: Any, eps: float) -> Any:
    over = _axes(axes)
    if over == tuple(range(x.ndim - len(over), x.ndim)):
        return F.layer_norm(x, x.shape[-len(over) :], eps=eps)
    return F.batch_norm(x, None, None, training=True, eps=eps)


@row("rms", _normal)
def _rms(x: Any, *, axes: Any, eps: float) -> Any:
    over = _axes(axes)
    if over == tuple(range(x.ndim - len(over), x.ndim)):
        return F.rms_norm(x, x.shape[-len(over) :], eps=eps)
    return x * torch.rsqrt(x.pow(2).mean(over, keepdim=True) + eps)


def _affines(op: str) -> Iterator[Case]:
    for shape, axis in (((3, 4), 1), ((2, 3, 4), 2), ((2, 3, 4), 1), ((2, 3, 2, 2), 1), ((1, 1), 1), ((0, 4), 1)):
        seen = tuple(n if k == axis else 1 for k, n in enumerate(shape))
        axes = tuple(k for k in range(len(shape)) if k != axis)
        arrays = {"x": draw(*shape), "W": draw(shape[axis])} | ({"b": draw(shape[axis])} if op == "affine" else {})
        yield Case(arrays, {"shape": seen, "axes": axes}, label=f"{shape} along {axis}")


row("affine", _affines)(lambda x, W, b, shape, axes: torch.addcmul(b.reshape(shape), x, W.reshape(shape)))
row("scaled", _affines)(lambda x, W, shape, axes: x * W.reshape(shape))


def _normalizes(op: str) -> Iterator[Case]:
    for shape in ((3, 4), (2, 3, 2), (2, 3, 2, 2), (1, 1), (0, 4)):
        seen = (1, shape[1], *(1,) * (len(shape) - 2))
        for eps in (1e-5, 0.1):
            yield Case(
                {"x": draw(*shape), "m": draw(*seen), "v": positive(*seen)}, {"eps": eps}, label=f"{shape} {eps}"
            )


row("normalize", _normalizes)(
    lambda x, m, v, eps: F.batch_norm(x, m.detach().reshape(-1), v.detach().reshape(-1), eps=eps)
)


def _running(op: str) -> Iterator[Case]:
    for shape in ((3, 4), (2, 3, 4), (2, 3, 2, 2), (5, 1)):
        for rate in (0.1, 0.5, 1.0):
            axes = (0, *range(2, len(shape)))
            attrs: dict[str, Any] = {"keep": 1 - rate, "rate": rate, "axes": axes}
            attrs |= {"n": int(np.prod([shape[k] for k in axes])) - 1} if op == "running-var" else {}
            yield Case({"r": positive(shape[1]), "x": draw(*shape)}, attrs, label=f"{shape} {rate}", forward=True)


def _batch_normed(r: Any, x: Any, rate: float, which: int) -> Any:
    """What PyTorch's batch norm leaves in its running statistics."""
    statistics = [torch.zeros_like(r), torch.ones_like(r)]
    statistics[which] = r.detach().clone()
    F.batch_norm(x, *statistics, training=True, momentum=rate)
    return statistics[which]


row("running-mean", _running)(lambda r, x, keep, rate, axes: _batch_normed(r, x, rate, 0))
row("running-var", _running)(lambda r, x, keep, rate, axes, n: _batch_normed(r, x, rate, 1))

# Losses: sums that are divided by n


def losses(
    *, p: Any = draw, y: Any = draw, attrs: Iterable[dict[str, Any]] = ({},), tail: str = "", ends: bool = True
) -> Callable[[str], Iterator[Case]]:
    def cases(op: str) -> Iterator[Case]:
        names = OPS[op].args
        more = {names[2]: np.array(1.7)} if op.endswith("/n") else {}
        for given, (k, shape) in itertools.product(
            attrs, enumerate(((3, 4), (1, 4), (1, 1), (5, 2), (0, 4), (2, 3, 4)))
        ):
            for n in (1, 3, 12) if not more else (1,):
                target = (
                    y(*shape, seed=k + 30)
                    if y is not classes
                    else classes(int(np.prod(shape[:-1])), shape[-1], k).reshape(shape)
                )
                yield Case({names[0]: p(*shape, seed=k), names[1]: target, **more}, given, n, f"{shape} {given} n={n}")
        for given in attrs:
            if p is draw and ends:
                for value in (800.0, -800.0, 1e-300, 0.0, -0.0, 30.0, -30.0, 1.0, -1.0):
                    arrays = {names[0]: np.array([[value, 0.0]]), names[1]: np.array([[1.0, 0.0]]), **more}
                    yield Case(arrays, given, 2 if not more else 1, f"{value} {given}", single=False)

    return cases


def signs(*shape: int, seed: int = 0) -> np.ndarray:
    return np.sign(draw(*shape, seed=seed))


def log_shares(*shape: int, seed: int = 0) -> np.ndarray:
    return np.log(share(*shape, seed=seed))


DELTAS = ({}, {"delta": 0.5, "half": 0.25, "curve": 1.0}, {"delta": 2.0, "half": 1.0, "curve": 0.25})
row("half-mse", losses())(lambda p, y: 0.5 * F.mse_loss(p, y, reduction="sum"))
row("mse", losses())(lambda p, y: F.mse_loss(p, y, reduction="sum"))
row("mae", losses())(lambda p, y: F.l1_loss(p, y, reduction="sum"))
row("huber", losses(attrs=DELTAS))(lambda p, y, delta=1.0, half=0.5, curve=0.5: F.huber_loss(p, y, "sum", delta))
row("smooth-l1", losses(attrs=DELTAS))(
    lambda p, y, delta=1.0, half=0.5, curve=0.5: F.smooth_l1_loss(p, y, reduction="sum", beta=delta)
)
row("hinge", losses(y=signs, attrs=({}, {"margin": 0.5})))(lambda p, y, margin=1.0: F.relu(margin - y * p).sum())
row("bce", losses(p=share, y=share))(lambda p, y: F.binary_cross_entropy(p, y, reduction="sum"))
row("bce-logits", losses(y=share))(lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="sum"))
row("softmax-ce", losses(p=share, y=classes))(lambda p, y: -(y * torch.clamp(torch.log(p), min=-100)).sum())


def _rows(a: Any) -> Any:
    """PyTorch has classes on the second axis, here they are on the last."""
    return a.reshape(-1, a.shape[-1]) if a.ndim > 2 else a


row("softmax-ce-logits", losses(y=classes))(lambda z, y: F.cross_entropy(_rows(z), _rows(y), reduction="sum"))
row("nll", losses(p=log_shares, y=classes))(lambda p, y: F.nll_loss(_rows(p), _rows(y).argmax(-1), reduction="sum"))
row("kl-div", losses(p=log_shares, y=share))(lambda p, y: F.kl_div(p, y, reduction="sum"))
row("softmax-ce/n", losses(p=share, y=classes))(lambda p, y, n: -(y * torch.clamp(torch.log(p), min=-100)).sum() / n)
row("softmax-ce-logits/n", losses(y=classes))(lambda z, y, n: F.cross_entropy(_rows(z), _rows(y), reduction="sum") / n)
row("nll/n", losses(p=log_shares, y=classes))(
    lambda p, y, n: F.nll_loss(_rows(p), _rows(y).argmax(-1), reduction="sum") / n
)


def _class_weights(op: str) -> Iterator[Case]:
    for rows, columns in ((3, 4), (1, 2), (6, 1)):
        yield Case({"y": classes(rows, columns), "w": positive(columns)}, label=f"{rows}×{columns}", forward=True)


row("weight-of", _class_weights)(lambda y, w: w[y.argmax(-1)].sum())


def _smoothed(op: str) -> Iterator[Case]:
    for share_ in (0.1, 0.5, 1.0):
        yield Case({"y": classes(4, 3)}, {"keep": 1 - share_, "add": share_ / 3}, label=str(share_), forward=True)


row("smooth", _smoothed)(
    lambda y, keep, add: torch.lerp(
        torch.full_like(y, add * y.shape[-1] / y.shape[-1]), torch.ones_like(y) * (keep + add), y
    )
)


def _totals(op: str) -> Iterator[Case]:
    for count in (1, 2, 3, 7):
        yield Case(
            {f"a{k}": draw(seed=k) for k in range(1, count + 1)}, {"count": count}, label=str(count), forward=True
        )


row("total", _totals)(lambda *parts, count: torch.stack(parts).sum())


def _penalised(op: str) -> Iterator[Case]:
    for shape in ((3, 4), (1, 1), (5,), (2, 3, 2)):
        for by in (0.1, 2.0):
            attrs = {"by": by / 2, "slope": by} if op == "l2" else {"by": by}
            yield Case({"W": draw(*shape)}, attrs, label=f"{shape} {by}")
    attrs = {"by": 0.1, "slope": 0.2} if op == "l2" else {"by": 0.1}
    yield Case({"W": np.array([0.0, -0.0, 800.0, -1e-300])}, attrs, label="ends", single=False)


row("l2", _penalised)(lambda W, by, slope: by * W.pow(2).sum())
row("l1", _penalised)(lambda W, by: by * torch.linalg.vector_norm(W.reshape(-1), 1) if W.numel() else W.sum())

# Updates: what PyTorch's optimizers do to one tensor, by the same in-place operations


def updates(**attrs: Any) -> Callable[[str], Iterator[Case]]:
    """Arguments named t are numbers of updates; v and u are averages of squares."""

    def cases(op: str) -> Iterator[Case]:
        for k, shape in enumerate(((3, 4), (1, 1), (5,), (2, 3, 2), ())):
            for t in (1, 2, 7, 1000):
                arrays: dict[str, Any] = {}
                for number, role in enumerate(OPS[op].args):
                    seed = 10 * k + number
                    if role == "t":
                        arrays[role] = np.array(float(t))
                    elif role in ("lr", "lr0", "now", "after", "product", "rectify", "n", "c"):
                        arrays[role] = np.array(0.3 + 0.1 * number)
                    elif role == "rho":
                        arrays[role] = np.array(float(t))
                    else:
                        arrays[role] = positive(*shape, seed=seed) if role in ("v", "u") else draw(*shape, seed=seed)
                yield Case(arrays, dict(attrs), label=f"{shape} t={t}", forward=True)
                if not {"t", "rho"} & set(OPS[op].args):
                    break

    return cases


B, E = 0.9, 1e-8
row("sgd", updates())(lambda w, lr, g: torch.add(w, -lr * g))
row("decayed", updates(decay=0.1))(lambda g, w, decay: g.add(w, alpha=decay))
row("shrink", updates(decay=0.1))(lambda w, lr, decay: w.mul(1 - lr * decay))
row("average", updates(keep=0.9, take=0.1))(lambda m, g, keep, take: m.lerp(g, take))
row("average-square", updates(keep=0.99, take=0.01))(lambda v, g, keep, take: v.mul(keep).addcmul(g, g, value=take))
row("momentum", updates(momentum=0.9, take=0.8))(
    lambda m, g, t, momentum, take: m.mul(momentum).add(g, alpha=1.0 if t.item() == 1 else take)
)
row("lookahead", updates(momentum=0.9))(lambda g, m, momentum: g.add(m, alpha=momentum))
row("accumulate", updates())(lambda v, g: v.addcmul(g, g, value=1))
row("decayed-rate", updates(decay=0.1))(lambda lr, t, decay: lr / (1 + (t - 1) * decay))
row("correction", updates(beta=B))(lambda t, beta: torch.tensor(1 - beta ** t.item(), dtype=t.dtype))
row("corrected", updates())(lambda m, c: m.div(c))
row("centred", updates())(lambda v, m: v.addcmul(m, m, value=-1))
row("over-root", updates(eps=E))(lambda g, v, eps: g / v.sqrt().add(eps))
row("adadelta", updates(eps=1e-6))(lambda g, v, u, eps: u.add(eps).sqrt().div(v.add(eps).sqrt()).mul(g))
row("adam", updates(eps=E))(lambda w, lr, m, v, eps: w.addcdiv(m, v.sqrt().add(eps), value=-lr.item()))
row("infinity", updates(keep=0.999, eps=E))(lambda u, g, keep, eps: torch.maximum(u.mul(keep), g.abs().add(eps)))
row("nadam-step", updates())(
    lambda g, m, now, after, product: g * (1 - now) / (1 - product) + m * after / (1 - product * after)
)
row("radam-step", updates(eps=E))(
    lambda m, v, rho, rectify, eps: m * rectify / v.sqrt().add(eps) if rho.item() > 5 else m
)
row("lion", updates(keep=0.9, take=0.1))(lambda m, g, keep, take: torch.sign(m.lerp(g, take)))
row("clip-value", updates(low=-0.5, high=0.5))(lambda g, low, high: torch.clamp(g, low, high))
row("square-norm", updates())(lambda g: torch.linalg.vector_norm(g) ** 2)


def _clips(op: str) -> Iterator[Case]:
    for shape in ((3, 4), (1, 1), (5,)):
        for most in (0.1, 1.0, 100.0):
            g = draw(*shape)
            yield Case({"g": g, "n": np.array((g * g).sum())}, {"most": most}, label=f"{shape} {most}", forward=True)


@row("clip-norm", _clips)
def _clip_norm(g: Any, n: Any, *, most: float) -> Any:
    parameter = torch.zeros_like(g, requires_grad=True)
    parameter.grad = g.detach().clone()
    torch.nn.utils.clip_grad_norm_([parameter], most)
    return parameter.grad


def _times(**attrs: Any) -> Callable[[str], Iterator[Case]]:
    return lambda op: (
        Case({"t": np.array(float(t))}, attrs, label=f"t={t}", forward=True, single=False) for t in (1, 2, 3, 10, 50)
    )


def _nadam_mu(t: int, beta: float, psi: float) -> Any:
    """From the products that PyTorch's NAdam itself keeps, in the default dtype."""
    torch.set_default_dtype(torch.float64)
    parameter = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.NAdam([parameter], betas=(beta, 0.999), momentum_decay=psi)
    products = [1.0]
    for _ in range(t):
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        products.append(float(optimizer.state[parameter]["mu_product"]))
    torch.set_default_dtype(torch.float32)
    return torch.tensor(products[-1] / products[-2], dtype=torch.float64)


row("nadam-mu", _times(beta=B, psi=0.004))(lambda t, beta, psi: _nadam_mu(int(t.item()), beta, psi))
row("nadam-mu-next", _times(beta=B, psi=0.004))(lambda t, beta, psi: _nadam_mu(int(t.item()) + 1, beta, psi))
MOST = 2 / (1 - 0.999) - 1


def _rho(t: float, beta: float) -> float:
    """Liu et al. 2019, algorithm 2, line 8."""
    return 2 / (1 - beta) - 1 - 2 * t * beta**t / (1 - beta**t)


row("radam-rho", _times(most=MOST, beta=0.999))(
    lambda t, most, beta: torch.tensor(_rho(t.item(), beta), dtype=torch.float64)
)


def _rectified(op: str) -> Iterator[Case]:
    attrs = {"share": MOST / ((MOST - 4) * (MOST - 2)), "beta": 0.999}
    for t in (1, 5, 6, 7, 10, 100):
        yield Case(
            {"rho": np.array(_rho(t, 0.999)), "t": np.array(float(t))},
            attrs,
            label=f"t={t}",
            forward=True,
            single=False,
        )


@row("radam-rectify", _rectified)
def _rectify(rho: Any, t: Any, *, share: float, beta: float) -> Any:
    """PyTorch's RAdam with a gradient of 1 steps by lr times this, once rho is above 5; below it there is nothing to see."""
    if rho.item() <= 5:
        most = 2 / (1 - beta) - 1
        inside = (rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho) * (1 - beta ** t.item())
        return torch.sqrt(torch.clamp(inside, min=0))
    parameter = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.RAdam([parameter], lr=1.0, betas=(0.9, beta), eps=0.0)
    before = 0.0
    for _ in range(int(t.item())):
        parameter.grad = torch.ones_like(parameter)
        before = float(parameter.detach())
        optimizer.step()
    # A constant gradient of 1: m̂ is 1, and √v is √(1 − β₂ᵗ).
    step = before - parameter.detach().reshape(())
    return step * float(np.sqrt(1 - beta ** t.item()))


# Schedules, by PyTorch's own

SCHEDULED: dict[str, tuple[str, list[dict[str, Any]], Callable[..., Any]]] = {
    "lr-step": ("step", [{"every": 3, "gamma": 0.5}, {"every": 1, "gamma": 0.1}], lambda o, s: s.StepLR(o["o"], o["every"], o["gamma"])),
    "lr-exponential": ("exponential", [{"gamma": 0.9}], lambda o, s: s.ExponentialLR(o["o"], o["gamma"])),
    "lr-cosine": ("cosine", [{"steps": 12}, {"steps": 12, "least": 0.01}], lambda o, s: s.CosineAnnealingLR(o["o"], o["steps"], o.get("least", 0.0))),
    "lr-warm-up": ("warm-up", [{"steps": 5, "start": 0.1}, {"steps": 12, "start": 0.5}], lambda o, s: s.LinearLR(o["o"], o["start"], 1.0, o["steps"])),
    "lr-one-cycle": (
        "one-cycle",
        [{"steps": 12}, {"steps": 13, "rise": 0.5, "first": 10.0, "last": 100.0}],
        lambda o, s: s.OneCycleLR(o["o"], 0.3, o["steps"], pct_start=o.get("rise", 0.3), div_factor=o.get("first", 25.0), final_div_factor=o.get("last", 1e4)),
    ),
}  # fmt: skip
TIMES = range(1, 13)


def _scheduled(op: str) -> Iterator[Case]:
    name, settings, _ = SCHEDULED[op]
    for options, t in itertools.product(settings, TIMES):
        yield Case(
            {"lr0": np.array(0.3), "t": np.array(float(t))},
            {**schedule_attrs(name, options), "_": options},
            label=f"{options} t={t}",
            forward=True,
            single=False,
        )


def _rate(op: str, options: dict[str, Any], t: int) -> Any:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    schedule = SCHEDULED[op][2]({**options, "o": optimizer}, torch.optim.lr_scheduler)
    for _ in range(t - 1):
        optimizer.step()
        schedule.step()
    return torch.tensor(float(optimizer.param_groups[0]["lr"]), dtype=torch.float64)


for _name in SCHEDULED:
    row(_name, _scheduled)(lambda lr0, t, _, _op=_name, **attrs: _rate(_op, _, int(t.item())))


# Where the two part: (row, label) → why. Each is a choice, said here, and not an error.

EMPTY = "an empty batch of more than two axes: −1 has no meaning in its reshape, and no network has an empty batch"
EXCEPTIONS: dict[tuple[str, str], str] = {
    **{(op, "(0, 2) 3 to 2"): EMPTY for op in ("dense", "dense+b")},
    ("max-pool", "0 (2, 2) 1 (2, 2)"): EMPTY,
    ("spread", "{'places': (0, 2, 2), 'channels': 2, 'shape': (0, 2, 2, 2, 2, 1)}"): EMPTY,
    (
        "leaky-relu",
        "inf {'slope': 0.0}",
    ): "a slope of 0 at ∞: 0 · ∞ is nan in the shown line, PyTorch picks the other branch",
    ("logsumexp", "ends [inf, 1.0]"): "∞ − ∞ is nan in the shown line; PyTorch treats infinities apart",
    **{
        ("softsign", f"{end} {{}}"): "PyTorch's gradient is nan at ±∞, where the shown line has its limit 0"
        for end in BEYOND
    },
    ("standardize", "all 1e+100"): "equal cells of 1e100: what is left after the mean is rounding alone",
}


def ask(op: str, case: Case, asked: Asked, dtype: str) -> None:
    """One case: its result and every gradient."""
    single = dtype == "float32"
    own = {k: v for k, v in case.attrs.items() if k != "_"}
    tensors = {}
    for role, value in case.arrays.items():
        integers = op == "draw" and role == "rows"
        tensors[role] = torch.tensor(
            np.asarray(value), dtype=torch.int64 if integers else getattr(torch, dtype), requires_grad=not integers
        )
    wanted = OPS[op]
    outside = ROWS[op].outside(*tensors.values(), **case.attrs)
    outside = outside / case.n if wanted.scaled and case.n != 1 else outside
    scalar = wanted.scaled or op in ("l1", "l2") or op.endswith("/n")
    g = np.ones(()) if scalar else draw(*outside.shape, seed=99)
    g = None if case.forward or not wanted.vjps else g.astype(dtype)
    ran = run_op(op, {role: np.asarray(v) for role, v in case.arrays.items()}, own, g=g, n=case.n, dtype=dtype)
    grads = {}
    if g is not None:
        outside.backward(torch.tensor(g))
        for role in ran.grads:
            grad = tensors[role].grad
            grads[role] = np.zeros(tensors[role].shape) if grad is None else grad.numpy()
    asked.compare(
        f"{case.label} {dtype}",
        ran,
        outside.detach().numpy(),
        grads,
        2e-4 if single else 1e-10,
        0.1 if single else 1e-3,
    )


@pytest.mark.parametrize("op", sorted(ROWS))
def test_a_row_is_what_pytorch_has(op):
    asked = Asked("OPS", op, ORACLE)
    for case in ROWS[op].cases(op):
        reason = EXCEPTIONS.get((op, case.label))
        if reason:
            asked.skip(reason)
            continue
        ask(op, case, asked, "float64")
        if case.single:
            ask(op, case, asked, "float32")
    asked.done()


# A check that can't fail is none

GRADIENTS = {backward: op for op in reversed(ROWS) for backward, _ in OPS[op].vjps.values()}


def falsified(name: str) -> Any:
    """The row with a result that is a ten-thousandth too large."""
    real = OPS[name]
    return replace(real, source=lambda attrs: f"({real.text(attrs)}) * 1.0001", scaled=False, wrap=False)


@pytest.mark.parametrize("name", sorted({*ROWS, *GRADIENTS}))
def test_a_wrong_line_is_found(name, monkeypatch):
    op = GRADIENTS.get(name, name)
    monkeypatch.setitem(OPS, name, falsified(name))
    # Not by its real name: what is found wrong on purpose is no failure of the row.
    denied: list[str] = []
    monkeypatch.setattr(Asked, "deny", lambda self, label, why: denied.append(why))
    monkeypatch.setattr("harness.note", lambda *_: None)
    asked = Asked("OPS", op, ORACLE)
    for case in ROWS[op].cases(op):
        if (op, case.label) not in EXCEPTIONS:
            ask(op, case, asked, "float64")
        if denied:
            break
    assert denied, f"{name} may be wrong and nobody finds it"
    assert "off by" in denied[0]
