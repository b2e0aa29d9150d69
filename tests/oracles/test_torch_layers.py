"""Every kind of layer against PyTorch's own layer: its result, the gradients of its inputs and of every parameter.

Layers are built as a network builds them, so that what is compared is all that a layer emits and the walk back through it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from harness import Asked, run_kind
from oracles_registry import covers

from bptui.engine.ops import ACTIVATIONS

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
F = torch.nn.functional
ORACLE = "PyTorch"


@dataclass
class Layer:
    """Inputs, options as a person gives them, parameters, and the same in PyTorch as a function of inputs and parameters."""

    inputs: list[Any]
    outside: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    evaluation: bool = False
    statistics: dict[str, Any] = field(default_factory=dict)
    act: str = "identity"
    label: str = ""


LAYERS: dict[str, Callable[[], Iterable[Layer]]] = {}


def layer(name: str) -> Callable[[Any], Any]:
    def add(cases: Any) -> Any:
        assert name not in LAYERS
        covers("KINDS", name, ORACLE)
        LAYERS[name] = cases
        return cases

    return add


def draw(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng([seed, *shape, 5]).normal(0, scale, shape)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape, 6]).uniform(0.1, 3, shape)


BATCHES = (1, 3)


def simple(
    name: str,
    outside: Callable[..., Any],
    shapes: Iterable[tuple[tuple[int, ...], ...]],
    options: Iterable[dict[str, Any]] = ({},),
    make: Any = draw,
) -> None:
    """A layer without parameters; shapes are those of its inputs, without the batch."""

    def cases() -> Iterator[Layer]:
        for batch, given, inputs in itertools.product(BATCHES, options, shapes):
            arrays = [make(batch, *shape, seed=k) for k, shape in enumerate(inputs)]
            yield Layer(arrays, lambda *a, _o=given: outside(*a, **_o), given)

    layer(name)(cases)


# Arithmetic and activations

PAIRS = (((4,), (4,)), ((2, 3), (2, 3)), ((2, 3), (1, 3)), ((2, 1), (1, 3)), ((1,), (4,)), ((2, 2, 3), (2, 1, 3)))
simple("add", lambda a, b: a + b, PAIRS)
simple("sub", lambda a, b: a - b, PAIRS)
simple("mul", lambda a, b: a * b, PAIRS)
simple("div", lambda a, b: a / b, PAIRS, make=positive)
simple("pow", lambda a, b: torch.pow(a, b), PAIRS, make=positive)
simple("minimum", lambda a, b: torch.minimum(a, b), PAIRS)
simple("maximum", lambda a, b: torch.maximum(a, b), PAIRS)
simple(
    "where",
    lambda c, a, b: torch.where(c != 0, a, b),
    [(s, s, s) for s in ((4,), (2, 3))],
    make=lambda *s, seed: (draw(*s, seed=seed) > 0) * 1.0 if seed == 0 else draw(*s, seed=seed),
)
ONES = [((4,),), ((1,),), ((2, 3),), ((2, 2, 3),)]
for _name, _outside, _make in (
    ("neg", lambda x: -x, draw), ("exp", lambda x: torch.exp(x), draw), ("log", lambda x: torch.log(x), positive), ("sqrt", lambda x: torch.sqrt(x), positive),
    ("abs", lambda x: torch.abs(x), draw), ("square", lambda x: x * x, draw),
):  # fmt: skip
    simple(_name, _outside, ONES, make=_make)
ACTS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: torch.sigmoid(z), "tanh": lambda z: torch.tanh(z), "relu": lambda z: F.relu(z), "leaky-relu": lambda z: F.leaky_relu(z, 0.01),
    "elu": lambda z: F.elu(z), "selu": lambda z: F.selu(z), "gelu": lambda z: F.gelu(z), "gelu-tanh": lambda z: F.gelu(z, approximate="tanh"),
    "silu": lambda z: F.silu(z), "mish": lambda z: F.mish(z), "softplus": lambda z: F.softplus(z, threshold=700), "softsign": lambda z: F.softsign(z),
    "hard-sigmoid": lambda z: F.relu6(z + 3) / 6, "hard-tanh": lambda z: F.hardtanh(z),
}  # fmt: skip
for _name, _outside in ACTS.items():
    simple(_name, _outside, ONES, make=lambda *s, seed: draw(*s, seed=seed, scale=3.0))
simple("clip", lambda x, low, high: torch.clamp(x, low, high), ONES, [{"low": -0.5, "high": 1.0}])
simple("scale", lambda x, by: by * x, ONES, [{"by": 2.5}, {"by": -1.0}])
simple("shift", lambda x, by: x + by, ONES, [{"by": 2.5}, {"by": -1.0}])
simple("softmax", lambda z, axis=-1: torch.softmax(z, axis), ONES, [{}, {"axis": 1}])
simple("log-softmax", lambda z, axis=-1: torch.log_softmax(z, axis), ONES, [{}, {"axis": 1}])
simple(
    "matmul",
    lambda a, b: torch.matmul(a, b),
    [((2, 3), (3, 4)), ((1, 3), (3, 1)), ((2, 2, 3), (2, 3, 2)), ((2, 2, 3), (1, 3, 2))],
)

# Reductions and what moves cells


def _over(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(1, x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)


AXES = [{"axis": a, "keepdims": k} for a in (None, 1, -1, (1, 2), (2,)) for k in (False, True)]
for _name, _outside in (
    ("sum", lambda x, axis, keepdims: x.sum(_over(x, axis), keepdim=keepdims)), ("mean", lambda x, axis, keepdims: x.mean(_over(x, axis), keepdim=keepdims)),
    ("max", lambda x, axis, keepdims: x.amax(_over(x, axis), keepdim=keepdims)), ("min", lambda x, axis, keepdims: x.amin(_over(x, axis), keepdim=keepdims)),
    ("logsumexp", lambda x, axis, keepdims: torch.logsumexp(x, _over(x, axis), keepdim=keepdims)),
):  # fmt: skip
    simple(_name, _outside, [((3, 4),), ((2, 3, 2),)], AXES)
simple(
    "var",
    lambda x, axis, keepdims, correction=0: x.var(_over(x, axis), correction=correction, keepdim=keepdims),
    [((3, 4),), ((2, 3, 2),)],
    [*AXES, {"axis": 1, "keepdims": False, "correction": 1}],
)
simple(
    "reshape",
    lambda x, shape: x.reshape(len(x), *shape),
    [((3, 4),), ((12,),)],
    [{"shape": (2, 6)}, {"shape": (4, -1)}, {"shape": (12,)}, {"shape": (2, 3, 2)}],
)
simple("flatten", lambda x: torch.flatten(x, 1), [((3, 4),), ((2, 3, 2),), ((4,),)])
simple("squeeze", lambda x, axis: torch.squeeze(x, axis), [((1, 4, 1),)], [{"axis": 1}, {"axis": 3}, {"axis": -1}])
simple(
    "unsqueeze",
    lambda x, axis: torch.unsqueeze(x, axis),
    [((3, 4),)],
    [{"axis": 1}, {"axis": 2}, {"axis": 3}, {"axis": -1}],
)
simple(
    "transpose",
    lambda x, axes=None: x.permute(0, *(axes or range(x.ndim - 1, 0, -1))),
    [((2, 3, 4),)],
    [{}, {"axes": (2, 1, 3)}, {"axes": (3, 1, 2)}, {"axes": (2, 3, 1)}],
)
simple(
    "concat",
    lambda *parts, axis=1: torch.cat(parts, axis),
    [((2, 3), (2, 3)), ((2, 3), (2, 3), (2, 3))],
    [{}, {"axis": 1}, {"axis": 2}, {"axis": -1}],
)


def _sliced(x: Any, start: Any = None, stop: Any = None, step: int = 1, axis: int = 1) -> Any:
    start, stop, step = slice(start, stop, step).indices(x.shape[axis])
    return torch.index_select(x, axis, torch.arange(start, stop, step))


simple(
    "slice",
    _sliced,
    [((6, 7),)],
    [
        {"start": 1, "stop": 4},
        {"start": 0, "stop": 6, "step": 2},
        {"start": -3, "stop": None},
        {"start": 2, "stop": 7, "step": 3, "axis": 2},
        {"start": None, "stop": 2, "axis": -1},
        {"start": -2, "stop": -1},
    ],
)
simple(
    "split",
    lambda x, part, of, axis=1: torch.chunk(x, of, axis)[part - 1],
    [((6, 4),)],
    [{"part": 1, "of": 2}, {"part": 3, "of": 3}, {"part": 2, "of": 4, "axis": 2}, {"part": 1, "of": 1}],
)


def _pad(x: Any, before: int, after: int, axis: int = -1, value: float = 0.0) -> Any:
    behind = x.ndim - 1 - (axis % x.ndim)
    return F.pad(x, (*(0, 0) * behind, before, after), value=value)


simple(
    "pad",
    _pad,
    [((3, 4),)],
    [
        {"before": 1, "after": 2},
        {"before": 0, "after": 1, "axis": 1},
        {"before": 2, "after": 0, "axis": 2, "value": -1.5},
    ],
)
simple("tile", lambda x, reps: x.repeat(1, *reps), [((2, 3),)], [{"reps": (1, 2)}, {"reps": (3, 2)}])
simple(
    "expand", lambda x, shape: x.expand(len(x), *shape), [((1, 3),), ((1, 1),)], [{"shape": (4, 3)}, {"shape": (1, 3)}]
)
for _name, _outside in (("tril", lambda x, k=0: torch.tril(x, k)), ("triu", lambda x, k=0: torch.triu(x, k))):
    simple(_name, _outside, [((3, 4),), ((2, 3, 3),)], [{}, {"k": 1}, {"k": -1}])

# Layers with weights


@layer("dense")
def _denses() -> Iterator[Layer]:
    for lead, (inputs, units), bias in itertools.product(
        ((1,), (5,), (3, 2), (2, 2, 3)), ((4, 3), (1, 1)), (True, False)
    ):
        given = {"W": draw(inputs, units)} | ({"b": draw(units)} if bias else {})
        yield Layer(
            [draw(*lead, inputs)], lambda x, W, b=None: F.linear(x, W.T, b), {"units": units, "bias": bias}, given
        )
    for act, outside in ACTS.items():
        given = {"W": draw(4, 3), "b": draw(3)}
        yield Layer([draw(5, 4)], lambda x, W, b, _f=outside: _f(F.linear(x, W.T, b)), {"units": 3}, given, act=act)


@layer("embedding")
def _embeddings() -> Iterator[Layer]:
    for shape in ((3,), (2, 4), (1, 1), (2, 3, 2)):
        x = np.random.default_rng(3).integers(0, 5, shape).astype(float)
        yield Layer([x], lambda x, W: F.embedding(x.detach().long(), W), {"rows": 5, "columns": 3}, {"W": draw(5, 3)})


@layer("position")
def _positions() -> Iterator[Layer]:
    for shape in ((3, 4, 2), (1, 4, 2), (2, 5)):
        yield Layer([draw(*shape)], lambda x, P: x + P, {}, {"P": draw(*shape[1:])})


KERNELS_2D: tuple[dict[str, Any], ...] = (
    {"kernel": 3}, {"kernel": 3, "pad": 1}, {"kernel": (2, 3), "stride": 2}, {"kernel": 3, "stride": (2, 1), "pad": (1, 2)}, {"kernel": 2, "dilation": 2},
    {"kernel": 3, "pad": "same"}, {"kernel": (2, 4), "pad": "same"}, {"kernel": 3, "pad": "same", "dilation": 2}, {"kernel": 1}, {"kernel": 3, "stride": 3, "dilation": (1, 2), "pad": 2},
)  # fmt: skip


def _torch_pad(options: dict[str, Any], x: Any, n: int, value: float = 0.0) -> Any:
    """PyTorch's convolutions pad both sides alike; "same" by themselves."""
    pad = options.get("pad", 0)
    return pad if pad != "same" else "same"


def _conv(
    x: Any,
    W: Any,
    b: Any = None,
    *,
    kernel: Any,
    stride: Any = 1,
    pad: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    **_: Any,
) -> Any:
    return (F.conv1d if x.ndim == 3 else F.conv2d)(x, W, b, stride, pad, dilation, groups)


@layer("conv")
def _convs() -> Iterator[Layer]:
    for batch, options, (channels, out, groups), bias in itertools.product(
        (1, 2), KERNELS_2D, ((1, 1, 1), (2, 3, 1), (4, 6, 2), (3, 3, 3)), (True, False)
    ):
        if batch == 1 and groups == 1 and not bias:
            continue
        kernel = options["kernel"] if isinstance(options["kernel"], tuple) else (options["kernel"],) * 2
        given = {"W": draw(out, channels // groups, *kernel)} | ({"b": draw(out)} if bias else {})
        more = {**options, "groups": groups}
        yield Layer(
            [draw(batch, channels, 6, 7)],
            lambda x, W, b=None, _o=more: _conv(x, W, b, **_o),
            {**more, "out": out, "bias": bias},
            given,
        )
    for options in (
        {"kernel": 3},
        {"kernel": 3, "stride": 2, "pad": 1},
        {"kernel": 2, "dilation": 3},
        {"kernel": 4, "pad": "same"},
        {"kernel": 1},
        {"kernel": 8},
    ):
        given = {"W": draw(3, 2, options["kernel"]), "b": draw(3)}
        yield Layer([draw(2, 2, 8)], lambda x, W, b, _o=options: _conv(x, W, b, **_o), {**options, "out": 3}, given)


@layer("conv-transpose")
def _transposed() -> Iterator[Layer]:
    for batch, options, (channels, out), bias in itertools.product(
        (1, 2),
        (
            {"kernel": 2},
            {"kernel": 3, "stride": 2},
            {"kernel": 3, "stride": 2, "pad": 1},
            {"kernel": 3, "stride": 2, "pad": 1, "extra": 1},
            {"kernel": (2, 3), "stride": (1, 2)},
            {"kernel": 2, "dilation": 2},
            {"kernel": 3, "pad": (0, 1), "stride": 3, "extra": (2, 1)},
            {"kernel": 1},
        ),
        ((1, 1), (3, 2)),
        (True, False),
    ):
        kernel = options["kernel"] if isinstance(options["kernel"], tuple) else (options["kernel"],) * 2
        given = {"W": draw(channels, out, *kernel)} | ({"b": draw(out)} if bias else {})

        def outside(x: Any, W: Any, b: Any = None, _o: dict[str, Any] = options) -> Any:
            return F.conv_transpose2d(
                x, W, b, _o.get("stride", 1), _o.get("pad", 0), _o.get("extra", 0), 1, _o.get("dilation", 1)
            )

        yield Layer([draw(batch, channels, 3, 4)], outside, {**options, "out": out, "bias": bias}, given)
    for options in ({"kernel": 3, "stride": 2}, {"kernel": 4, "stride": 2, "pad": 1}):
        given = {"W": draw(2, 3, options["kernel"]), "b": draw(3)}
        yield Layer(
            [draw(2, 2, 5)],
            lambda x, W, b, _o=options: F.conv_transpose1d(x, W, b, _o["stride"], _o.get("pad", 0)),
            {**options, "out": 3},
            given,
        )


@layer("max-pool")
def _max_pools() -> Iterator[Layer]:
    for batch, options in itertools.product(
        (1, 2),
        (
            {"kernel": 2},
            {"kernel": 3, "stride": 1},
            {"kernel": 3, "stride": 2, "pad": 1},
            {"kernel": (2, 3), "stride": (1, 2)},
            {"kernel": 2, "dilation": 2, "stride": 1},
            {"kernel": 2, "pad": 1},
        ),
    ):
        for x in (draw(batch, 3, 6, 7), np.round(draw(batch, 2, 6, 6)), -positive(batch, 1, 6, 6)):
            yield Layer(
                [x],
                lambda x, _o=options: F.max_pool2d(
                    x, _o["kernel"], _o.get("stride"), _o.get("pad", 0), _o.get("dilation", 1)
                ),
                options,
            )
    for options in ({"kernel": 2}, {"kernel": 3, "stride": 2, "pad": 1}):
        yield Layer(
            [draw(2, 3, 8)],
            lambda x, _o=options: F.max_pool1d(x, _o["kernel"], _o.get("stride"), _o.get("pad", 0)),
            options,
        )


@layer("avg-pool")
def _avg_pools() -> Iterator[Layer]:
    for batch, options in itertools.product(
        (1, 2),
        (
            {"kernel": 2},
            {"kernel": 3, "stride": 1},
            {"kernel": 3, "stride": 2, "pad": 1},
            {"kernel": (2, 3), "stride": (1, 2)},
            {"kernel": 2, "pad": 1},
        ),
    ):
        yield Layer(
            [draw(batch, 3, 6, 7)],
            lambda x, _o=options: F.avg_pool2d(x, _o["kernel"], _o.get("stride"), _o.get("pad", 0)),
            options,
        )
    for options in ({"kernel": 2}, {"kernel": 3, "stride": 2, "pad": 1}):
        yield Layer(
            [draw(2, 3, 8)],
            lambda x, _o=options: F.avg_pool1d(x, _o["kernel"], _o.get("stride"), _o.get("pad", 0)),
            options,
        )


simple(
    "global-max-pool",
    lambda x: F.adaptive_max_pool2d(x[:, :, None] if x.ndim == 3 else x, 1).flatten(1),
    [((3, 4, 5),), ((2, 6),), ((1, 1, 1),)],
)
simple(
    "global-avg-pool",
    lambda x: F.adaptive_avg_pool2d(x[:, :, None] if x.ndim == 3 else x, 1).flatten(1),
    [((3, 4, 5),), ((2, 6),), ((1, 1, 1),)],
)

# Normalising

EPS: tuple[dict[str, Any], ...] = ({}, {"eps": 0.1})


@layer("layer-norm")
def _layer_norms() -> Iterator[Layer]:
    for shape, options in itertools.product(((3, 4), (1, 4), (2, 3, 4), (2, 2, 3, 5)), EPS):
        given = {"W": draw(shape[-1]), "b": draw(shape[-1], seed=1)}
        yield Layer(
            [draw(*shape)], lambda x, W, b, _o=options: F.layer_norm(x, x.shape[-1:], W, b, **_o), options, given
        )


@layer("rms-norm")
def _rms_norms() -> Iterator[Layer]:
    for shape, options in itertools.product(((3, 4), (1, 4), (2, 3, 4), (2, 2, 3, 5)), EPS):
        yield Layer(
            [draw(*shape)],
            lambda x, W, _o=options: F.rms_norm(x, x.shape[-1:], W, _o.get("eps", 1e-5)),
            options,
            {"W": draw(shape[-1])},
        )


@layer("batch-norm")
def _batch_norms() -> Iterator[Layer]:
    for shape, options in itertools.product(((5, 3), (2, 3, 4), (3, 2, 2, 3)), EPS):
        given = {"W": draw(shape[1]), "b": draw(shape[1], seed=1)}
        yield Layer(
            [draw(*shape)],
            lambda x, W, b, _o=options: F.batch_norm(x, None, None, W, b, training=True, **_o),
            options,
            given,
            label="training",
        )
        mean, var = draw(shape[1], seed=4), positive(shape[1])

        def outside(x: Any, W: Any, b: Any, _o: Any = options, _m: Any = mean, _v: Any = var) -> Any:
            return F.batch_norm(x, torch.tensor(_m, dtype=x.dtype), torch.tensor(_v, dtype=x.dtype), W, b, **_o)

        yield Layer(
            [draw(*shape)],
            outside,
            options,
            given,
            evaluation=True,
            statistics={"mean": mean, "var": var},
            label="evaluation",
        )


@layer("group-norm")
def _group_norms() -> Iterator[Layer]:
    for (shape, groups), options in itertools.product(
        (((3, 4), 2), ((2, 6, 3), 3), ((2, 4, 2, 3), 1), ((2, 4, 2, 3), 4), ((1, 6, 2, 2), 2)), EPS
    ):
        given = {"W": draw(shape[1]), "b": draw(shape[1], seed=1)}
        yield Layer(
            [draw(*shape)],
            lambda x, W, b, _g=groups, _o=options: F.group_norm(x, _g, W, b, **_o),
            {"groups": groups, **options},
            given,
        )


@layer("instance-norm")
def _instance_norms() -> Iterator[Layer]:
    for shape, options in itertools.product(((3, 2, 4), (2, 3, 2, 3), (1, 1, 5)), EPS):
        given = {"W": draw(shape[1]), "b": draw(shape[1], seed=1)}
        yield Layer(
            [draw(*shape)], lambda x, W, b, _o=options: F.instance_norm(x, None, None, W, b, **_o), options, given
        )


# Attention


@layer("attention")
def _attentions() -> Iterator[Layer]:
    for batch, (rows, columns, features, values), causal in itertools.product(
        (1, 2), ((3, 3, 4, 4), (3, 5, 2, 3), (1, 1, 1, 1), (4, 2, 3, 3)), (False, True)
    ):
        arrays = [
            draw(batch, rows, features),
            draw(batch, columns, features, seed=1),
            draw(batch, columns, values, seed=2),
        ]
        yield Layer(
            arrays, lambda q, k, v, _c=causal: F.scaled_dot_product_attention(q, k, v, is_causal=_c), {"causal": causal}
        )


def _multi_head_outside(x: Any, causal: bool, heads: int, **w: Any) -> Any:
    features = x.shape[-1]
    weights = torch.cat([w[f"W{k}"].T for k in "qkv"])
    biases = torch.cat([w[f"b{k}"] for k in "qkv"]) if "bq" in w else None
    steps = x.transpose(0, 1)
    mask = torch.ones(len(steps), len(steps), dtype=torch.bool).triu(1) if causal else None
    out, _ = F.multi_head_attention_forward(
        steps, steps, steps, features, heads, weights, biases, None, None, False, 0.0, w["Wo"].T, w.get("bo"), training=True, need_weights=False, attn_mask=mask
    )  # fmt: skip
    return out.transpose(0, 1)


@layer("multi-head")
def _multi_heads() -> Iterator[Layer]:
    for batch, (places, features, heads), causal, bias in itertools.product(
        (1, 2), ((3, 4, 2), (5, 6, 3), (1, 2, 1), (4, 4, 4)), (False, True), (True, False)
    ):
        given = {f"W{k}": draw(features, features, seed=s) for s, k in enumerate("qkvo")}
        given |= {f"b{k}": draw(features, seed=s + 9) for s, k in enumerate("qkvo")} if bias else {}
        yield Layer(
            [draw(batch, places, features)],
            lambda x, _c=causal, _h=heads, **w: _multi_head_outside(x, _c, _h, **w),
            {"heads": heads, "causal": causal, "bias": bias},
            given,
        )


# Recurrent layers


def _recurrent(x: Any, W: Any, U: Any, b: Any = None, *, kind: str, last: bool, **settings: Any) -> Any:
    units = U.shape[0]
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](
        x.shape[-1], units, bias=b is not None, batch_first=True, dtype=x.dtype, **settings
    )
    given = {"weight_ih_l0": W.T, "weight_hh_l0": U.T} | (
        {"bias_ih_l0": b, "bias_hh_l0": torch.zeros_like(b)} if b is not None else {}
    )
    out, _ = torch.func.functional_call(module, given, (x,))
    return out[:, -1] if last else out


def _recurrents(kind: str, gates: int) -> Iterator[Layer]:
    for (batch, places, inputs, units), last, bias in itertools.product(
        ((1, 1, 2, 3), (2, 4, 3, 2), (3, 2, 1, 1), (1, 6, 2, 4)), (False, True), (True, False)
    ):
        given = {"W": draw(inputs, gates * units), "U": draw(units, gates * units)} | (
            {"b": draw(gates * units)} if bias else {}
        )
        for more in ({}, {"gate": "relu"}) if kind == "rnn" else ({},):
            settings = {"nonlinearity": "relu"} if more else {}
            yield Layer(
                [draw(batch, places, inputs)], lambda x, W, U=None, b=None, _l=last, _s=settings: _recurrent(x, W, U, b, kind=kind, last=_l, **_s),
                {"units": units, "last": last, "bias": bias, **more}, given,
            )  # fmt: skip


layer("rnn")(lambda: _recurrents("rnn", 1))
layer("lstm")(lambda: _recurrents("lstm", 4))
layer("gru")(lambda: _recurrents("gru", 3))


@layer("dropout")
def _dropouts() -> Iterator[Layer]:
    for rate in (0.0, 0.5, 0.9):
        yield Layer(
            [draw(3, 4)],
            lambda x, _r=rate: F.dropout(x, _r, training=False),
            {"rate": rate},
            evaluation=True,
            label="evaluation",
        )
    yield Layer([draw(3, 4)], lambda x: F.dropout(x, 0.0, training=True), {"rate": 0.0}, label="rate 0")


# Asking


def ask(kind: str, case: Layer, asked: Asked, dtype: str) -> None:
    single = dtype == "float32"
    inputs = [torch.tensor(a, dtype=getattr(torch, dtype), requires_grad=True) for a in case.inputs]
    given = {k: torch.tensor(v, dtype=getattr(torch, dtype), requires_grad=True) for k, v in case.given.items()}
    outside = case.outside(*inputs, **given)
    g = draw(*outside.shape, seed=77).astype(dtype)
    options = dict(case.options)
    ran = run_kind(
        kind,
        case.inputs,
        options,
        given=case.given,
        g=g,
        dtype=dtype,
        evaluation=case.evaluation,
        statistics=case.statistics,
        act=case.act,
    )
    outside.backward(torch.tensor(g))
    names = ["x", *(f"x{k}" for k in range(2, len(inputs) + 1))]
    grads = {
        name: t.grad.numpy() for name, t in [*zip(names, inputs, strict=True), *given.items()] if t.grad is not None
    }
    # A state before the first place is 0: the weights that it meets have a gradient of 0, or none.
    for name, grad in list(grads.items()):
        if name not in ran.grads and not grad.any():
            del grads[name]
    label = f"{case.label} {[a.shape for a in case.inputs]} {case.options} {dtype}"
    asked.compare(
        label, ran, outside.detach().numpy(), grads, 1e-3 if single else 1e-10, 0.3 if single else 1e-3, layer=True
    )


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_layer_is_what_pytorch_has(kind):
    asked = Asked("KINDS", kind, ORACLE)
    for k, case in enumerate(LAYERS[kind]()):
        ask(kind, case, asked, "float64")
        if k % 4 == 0:
            ask(kind, case, asked, "float32")
    asked.done()


def test_every_activation_of_a_dense_layer_was_asked():
    assert {*ACTS, "softmax", "log-softmax", "identity"} == set(ACTIVATIONS)


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4), (3, 2, 2, 3)])
def test_running_statistics_are_those_of_pytorch(shape):
    """After one iteration, from where they begin."""
    asked = Asked("KINDS", "batch-norm", ORACLE)
    for momentum in (0.1, 0.5, 1.0):
        x, given = draw(*shape), {"W": draw(shape[1]), "b": draw(shape[1], seed=1)}
        module = (
            torch.nn.BatchNorm1d(shape[1], momentum=momentum, dtype=torch.float64)
            if x.ndim < 4
            else torch.nn.BatchNorm2d(shape[1], momentum=momentum, dtype=torch.float64)
        )
        module(torch.tensor(x))
        ran = run_kind("batch-norm", [x], {"momentum": momentum}, given=given, g=draw(*shape))
        for mine, theirs in (("mean1", "running_mean"), ("var1", "running_var")):
            off = np.abs(ran.machine.arrays[mine] - getattr(module, theirs).numpy()).max()
            asked.agree(f"{shape} {momentum} {mine}", float(off), 1e-12, mine)
    asked.done()


def test_dropout_drops_as_pytorch_does():
    """The values of a mask, and how many of them are 0, are those of PyTorch's; which ones they are is another draw."""
    asked = Asked("KINDS", "dropout", ORACLE)
    for rate in (0.1, 0.5, 0.9):
        ones = np.ones((100, 200))
        ran = run_kind("dropout", [ones], {"rate": rate}, g=ones)
        theirs = F.dropout(torch.ones(100, 200, dtype=torch.float64), rate).numpy()
        assert np.allclose(np.unique(ran.out), np.unique(theirs), rtol=1e-12)
        sigma = np.sqrt(rate * (1 - rate) / ones.size)
        asked.agree(f"share at {rate}", abs((ran.out == 0).mean() - rate) / sigma / 5, 1.0, "the share of zeros")
        assert np.array_equal(ran.grads["x"], ran.out)
    asked.done()
