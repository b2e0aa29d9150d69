"""Whole networks, trained for 20 iterations beside the same network built of PyTorch's modules from the same weights.

A `Twin` is a description for bptui and a module for PyTorch, with what ties the two: for each parameter of bptui's the
part of a module's weights that it is, and how it is turned into PyTorch's layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import networks
import numpy as np
import pytest
from oracles_registry import covers, note

from bptui.engine import initial
from bptui.engine.build import build, build_evaluation
from bptui.engine.kinds import KINDS
from bptui.engine.machine import Machine
from bptui.engine.network import Network, NetworkError, Node, Training
from bptui.engine.program import Program

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
nn = torch.nn
F = torch.nn.functional

ORACLE = "PyTorch"
STEPS = 20
CLOSE: Mapping[str, float] = {"float64": 1e-10, "float32": 1e-3}

Turn = Callable[[np.ndarray], np.ndarray]
Tie = tuple[Callable[[], Any], Turn]


def same(array: np.ndarray) -> np.ndarray:
    return array


def turned(array: np.ndarray) -> np.ndarray:
    """(in, out) as PyTorch's (out, in)."""
    return array.T


def flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1)


def whole(parameter: Any) -> Callable[[], Any]:
    return lambda: parameter


def part(parameter: Any, k: int, of: int) -> Callable[[], Any]:
    """Part k of those that lie one behind the other."""
    n = parameter.shape[0] // of
    return lambda: parameter[k * n : (k + 1) * n]


@dataclass
class Twin:
    """One network twice.

    module    (inputs by name, iteration; None in evaluation) → what the loss is taken of
    ties      bptui's slot → where it is in the module, and how it looks there
    optimizer PyTorch's, of the module's trained parameters
    also      further slots that have to agree after each iteration: running statistics
    """

    network: Network
    module: Any
    loss: Callable[[Any, Any], Any]
    ties: dict[str, Tie] = field(default_factory=dict)
    optimizer: Callable[[Any], Any] = lambda parameters: torch.optim.SGD(parameters, 0.1)
    also: Mapping[str, Callable[[], Any]] = field(default_factory=dict)


def error(found: Any, expected: Any) -> float:
    """The largest difference as a share of the largest number; infinite where something is not finite."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    if not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return np.inf
    return float(np.abs(found - expected).max(initial=0) / max(np.abs(expected).max(initial=0), 1e-300))


# Modules that are put together of PyTorch's


class Chain(nn.Module):
    """Modules one after the other; those that need to know the iteration are told it."""

    def __init__(self, *parts: Any) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, inputs: Mapping[str, Any], t: int | None) -> Any:
        value = inputs["x"]
        for module in self.parts:
            value = module(value, t) if isinstance(module, Dropped) else module(value)
        return value


class Dropped(nn.Module):
    """Dropout with bptui's own mask."""

    def __init__(self, seed: int, slot: str, rate: float) -> None:
        super().__init__()
        self.seed, self.slot, self.rate = seed, slot, rate

    def forward(self, x: Any, t: int | None) -> Any:
        if t is None:
            return x
        mask = initial.mask(self.seed, t, self.slot, tuple(x.shape), self.rate)
        assert set(mask.flat) == {0.0, 1 / (1 - self.rate)}
        return x * torch.tensor(mask, dtype=x.dtype)


class Recurrent(nn.Module):
    """A recurrent layer without a bias of its own on the state; the last state, or all of them."""

    def __init__(self, layer: Any, *, last: bool) -> None:
        super().__init__()
        self.layer, self.last = layer, last
        with torch.no_grad():
            layer.bias_hh_l0.zero_()
        layer.bias_hh_l0.requires_grad_(False)

    def forward(self, x: Any) -> Any:
        states, _ = self.layer(x)
        return states[:, -1] if self.last else states

    def ties(self, key: str) -> dict[str, Tie]:
        return {
            f"W{key}": (whole(self.layer.weight_ih_l0), turned),
            f"U{key}": (whole(self.layer.weight_hh_l0), turned),
            f"b{key}": (whole(self.layer.bias_ih_l0), same),
        }


class Apart(nn.Module):
    """A function with modules in it."""

    def __init__(self, function: Callable[..., Any], **modules: Any) -> None:
        super().__init__()
        self.function, self.inside = function, nn.ModuleDict(modules)

    def forward(self, inputs: Mapping[str, Any], t: int | None) -> Any:
        return self.function(self.inside, inputs, t)


def affine(key: str, module: Any) -> dict[str, Tie]:
    """A layer that scales and shifts."""
    return {f"W{key}": (whole(module.weight), same), f"b{key}": (whole(module.bias), same)}


def linear(key: str, module: Any) -> dict[str, Tie]:
    found = {f"W{key}": (whole(module.weight), turned)}
    return found if module.bias is None else {**found, f"b{key}": (whole(module.bias), same)}


def sgd(lr: float, **options: float) -> Callable[[Any], Any]:
    return lambda parameters: torch.optim.SGD(parameters, lr, **options)


def adam(lr: float, **options: float) -> Callable[[Any], Any]:
    return lambda parameters: torch.optim.Adam(parameters, lr, **options)


# Losses of what a module gives and the targets


def half_mse(p: Any, y: Any) -> Any:
    return 0.5 * (p - y).square().sum() / len(p)


def cross_entropy(z: Any, y: Any) -> Any:
    """Over the places of all rows."""
    return F.cross_entropy(z.reshape(-1, z.shape[-1]), y.reshape(-1, y.shape[-1]).argmax(1))


def mse(p: Any, y: Any) -> Any:
    return F.mse_loss(p, y)


# Data


def iris_like() -> tuple[np.ndarray, np.ndarray]:
    """Three overlapping clouds in four dimensions, 31 rows."""
    random = np.random.default_rng(3)
    kind = random.integers(0, 3, 31)
    centre = random.normal(0, 1.5, (3, 4))
    return (centre[kind] + random.normal(0, 0.8, (31, 4))).round(1), np.eye(3)[kind]


def pictures(rows: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """8×8 with values 0 to 16, as scikit-learn's digits are."""
    random = np.random.default_rng(4)
    return random.integers(0, 17, (rows, 1, 8, 8)) / 16, np.eye(10)[random.integers(0, 10, rows)]


def letters(rows: int = 3, places: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of letters, and the letter that follows at each place."""
    text = np.random.default_rng(5).integers(0, 28, (rows, places + 1))
    return text[:, :-1].astype(float), np.eye(28)[text[:, 1:]]


def node(key: str, reads: str | tuple[str, ...], op: str, act: str = "identity", **settings: Any) -> Node:
    units = settings.pop("units", 0)
    base = {name: settings.pop(name) for name in ("bias", "shares") if name in settings}
    reads = (reads,) if isinstance(reads, str) else reads
    return Node(key, reads, units, op=op, act=act, options=settings, **base)


def dense(key: str, reads: str, units: int, act: str = "identity", **settings: Any) -> Node:
    return networks.dense(key, reads, units, act, **settings)


# The networks

TWINS: dict[str, Callable[[str], Twin]] = {}


def twin(make: Callable[[str], Twin]) -> Callable[[str], Twin]:
    TWINS[make.__name__.replace("_", "-")] = make
    return make


@twin
def mlp(dtype: str) -> Twin:
    x, y = iris_like()
    nodes = (dense("1", "x", 8, "relu"), dense("2", "1", 6, "tanh"), dense("3", "2", 3))
    training = Training("adam")
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.01, batch=7, seed=2, dtype=dtype, training=training)
    parts = nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 3)
    ties = linear("1", parts[0]) | linear("2", parts[2]) | linear("3", parts[4])
    return Twin(network, Chain(*parts), cross_entropy, ties, adam(0.01))


def lenet(dtype: str, act: str, pool: str) -> Twin:
    """LeCun et al. 1998, as small as an 8×8 picture has it."""
    x, y = pictures()
    nodes = (
        node("1", "x", "conv", act, out=6, kernel=5, pad=2),
        node("2", "1", pool, kernel=2),
        node("3", "2", "conv", act, out=16, kernel=3),
        node("4", "3", pool, kernel=2),
        node("5", "4", "flatten"),
        dense("6", "5", 12, act),
        dense("7", "6", 10),
    )
    training = Training("sgd", {"momentum": 0.9})
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.05, dtype=dtype, training=training)
    acts, pools = {"tanh": nn.Tanh, "relu": nn.ReLU}[act], {"avg-pool": nn.AvgPool2d, "max-pool": nn.MaxPool2d}[pool]
    parts = (
        *(nn.Conv2d(1, 6, 5, padding=2), acts(), pools(2), nn.Conv2d(6, 16, 3), acts(), pools(2), nn.Flatten()),
        *(nn.Linear(16, 12), acts(), nn.Linear(12, 10)),
    )
    ties = affine("1", parts[0]) | affine("3", parts[3]) | linear("6", parts[7]) | linear("7", parts[9])
    return Twin(network, Chain(*parts), cross_entropy, ties, sgd(0.05, momentum=0.9))


@twin
def lenet_tanh_average(dtype: str) -> Twin:
    return lenet(dtype, "tanh", "avg-pool")


@twin
def lenet_relu_largest(dtype: str) -> Twin:
    return lenet(dtype, "relu", "max-pool")


@twin
def convolutions_of_every_make(dtype: str) -> Twin:
    """Strides, dilation, groups, padding "same", a transposed convolution and a global pool."""
    random = np.random.default_rng(6)
    x, y = random.normal(0, 1, (3, 4, 7, 6)), random.normal(0, 1, (3, 4))
    nodes = (
        node("1", "x", "conv", "tanh", out=6, kernel=(3, 2), stride=(2, 1), pad=(1, 0), groups=2),
        node("2", "1", "conv", "silu", out=4, kernel=(2, 3), pad="same", dilation=(1, 2), groups=2, bias=False),
        node("3", "2", "conv-transpose", "tanh", out=3, kernel=(3, 2), stride=(2, 2), pad=(1, 0), extra=(1, 0)),
        node("4", "3", "max-pool", kernel=3, stride=2, pad=1, dilation=1),
        node("5", "4", "conv", out=4, kernel=1),
        node("6", "5", "global-avg-pool"),
    )
    network = Network(nodes, x, y, loss="half-mse", lr=0.1, dtype=dtype)
    parts = (
        *(nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), groups=2), nn.Tanh()),
        # 2 − 1 of padding for the rows, all of it at the end; 2·(3 − 1) for the columns.
        *(nn.ZeroPad2d((2, 2, 0, 1)), nn.Conv2d(6, 4, (2, 3), dilation=(1, 2), groups=2, bias=False), nn.SiLU()),
        *(nn.ConvTranspose2d(4, 3, (3, 2), (2, 2), (1, 0), (1, 0)), nn.Tanh()),
        *(nn.MaxPool2d(3, 2, 1), nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )
    ties = (
        affine("1", parts[0]) | {"W2": (whole(parts[3].weight), same)} | affine("3", parts[5]) | affine("5", parts[8])
    )
    return Twin(network, Chain(*parts), half_mse, ties)


@twin
def sequence_convolutions(dtype: str) -> Twin:
    """Along one axis."""
    random = np.random.default_rng(7)
    x, y = random.normal(0, 1, (4, 2, 9)), random.normal(0, 1, (4, 3))
    nodes = (
        node("1", "x", "conv", "tanh", out=4, kernel=3, dilation=2, pad=1),
        node("2", "1", "avg-pool", kernel=3, stride=2, pad=1),
        node("3", "2", "conv-transpose", "tanh", out=3, kernel=2, stride=2),
        node("4", "3", "global-max-pool"),
    )
    network = Network(nodes, x, y, loss="mse", lr=0.1, dtype=dtype)
    parts = (
        *(nn.Conv1d(2, 4, 3, dilation=2, padding=1), nn.Tanh(), nn.AvgPool1d(3, 2, 1)),
        *(nn.ConvTranspose1d(4, 3, 2, 2), nn.Tanh(), nn.AdaptiveMaxPool1d(1), nn.Flatten()),
    )
    return Twin(network, Chain(*parts), mse, affine("1", parts[0]) | affine("3", parts[3]))


@twin
def transformer_block(dtype: str) -> Twin:
    x, y = letters()
    nodes = (
        node("e", "x", "embedding", rows=28, columns=16),
        node("h", "e", "position"),
        node("n1", "h", "layer-norm"),
        node("m", "n1", "multi-head", heads=4, causal=True),
        node("r1", ("h", "m"), "add"),
        node("n2", "r1", "layer-norm"),
        dense("up", "n2", 64, "gelu"),
        dense("down", "up", 16),
        node("r2", ("r1", "down"), "add"),
        dense("out", "r2", 28),
    )
    # The gradient of the keys' bias is 0 but for rounding, which an eps of 1e-8 would blow up in both.
    training = Training("adamw", {"eps": 1e-4}, clip_norm=1.0)
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.01, dtype=dtype, training=training)
    modules = {
        "e": nn.Embedding(28, 16),
        "h": nn.Embedding(6, 16),
        "n1": nn.LayerNorm(16),
        "m": nn.MultiheadAttention(16, 4, batch_first=True),
        "n2": nn.LayerNorm(16),
        "up": nn.Linear(16, 64),
        "down": nn.Linear(64, 16),
        "out": nn.Linear(16, 28),
    }

    def forward(at: Any, inputs: Mapping[str, Any], t: int | None) -> Any:
        h = at["e"](inputs["x"].long()) + at["h"](torch.arange(6))
        n = at["n1"](h)
        future = torch.triu(torch.ones(6, 6, dtype=bool), 1)
        h = h + at["m"](n, n, n, attn_mask=future, need_weights=False)[0]
        return at["out"](h + at["down"](F.gelu(at["up"](at["n2"](h)))))

    m = modules["m"]
    ties = {"W_e": (whole(modules["e"].weight), same), "P_h": (whole(modules["h"].weight), same)}
    ties |= affine("_n1", modules["n1"]) | affine("_n2", modules["n2"])
    for k, which in enumerate("qkv"):
        ties |= {
            f"W{which}_m": (part(m.in_proj_weight, k, 3), turned),
            f"b{which}_m": (part(m.in_proj_bias, k, 3), same),
        }
    ties |= {"Wo_m": (whole(m.out_proj.weight), turned), "bo_m": (whole(m.out_proj.bias), same)}
    ties |= linear("_up", modules["up"]) | linear("_down", modules["down"]) | linear("_out", modules["out"])
    return Twin(network, Apart(forward, **modules), cross_entropy, ties, lambda p: torch.optim.AdamW(p, 0.01, eps=1e-4))


def recurrent(dtype: str, op: str, layer: Any, *, last: bool, **options: Any) -> Twin:
    random = np.random.default_rng(8)
    x, y = random.normal(0, 1, (4, 5, 3)), random.normal(0, 1, (4, 2) if last else (4, 5, 2))
    nodes = (node("1", "x", op, units=6, last=last, **options), dense("2", "1", 2))
    network = Network(nodes, x, y, loss="half-mse", lr=0.1, dtype=dtype)
    inside, out = Recurrent(layer, last=last), nn.Linear(6, 2)
    return Twin(network, Chain(inside, out), half_mse, inside.ties("1") | linear("2", out))


@twin
def lstm(dtype: str) -> Twin:
    return recurrent(dtype, "lstm", nn.LSTM(3, 6, batch_first=True), last=True)


@twin
def lstm_all_states(dtype: str) -> Twin:
    return recurrent(dtype, "lstm", nn.LSTM(3, 6, batch_first=True), last=False)


@twin
def gru(dtype: str) -> Twin:
    return recurrent(dtype, "gru", nn.GRU(3, 6, batch_first=True), last=True)


@twin
def gru_all_states(dtype: str) -> Twin:
    return recurrent(dtype, "gru", nn.GRU(3, 6, batch_first=True), last=False)


@twin
def rnn(dtype: str) -> Twin:
    return recurrent(dtype, "rnn", nn.RNN(3, 6, batch_first=True), last=True)


@twin
def rnn_relu_all_states(dtype: str) -> Twin:
    layer = nn.RNN(3, 6, nonlinearity="relu", batch_first=True)
    return recurrent(dtype, "rnn", layer, last=False, gate="relu")


class Linear(nn.Module):
    """A recurrent layer whose states are sums alone."""

    def __init__(self) -> None:
        super().__init__()
        self.W, self.U = nn.Linear(3, 6), nn.Linear(6, 6, bias=False)

    def forward(self, x: Any) -> Any:
        h = torch.zeros(len(x), 6, dtype=x.dtype)
        for place in x.unbind(1):
            h = self.W(place) + self.U(h)
        return h


@twin
def rnn_of_sums(dtype: str) -> Twin:
    network = recurrent(dtype, "rnn", nn.RNN(3, 6), last=True, gate="identity").network
    inside, out = Linear(), nn.Linear(6, 2)
    ties = linear("1", inside.W) | {"U1": (whole(inside.U.weight), turned)} | linear("2", out)
    return Twin(replace(network, lr=0.02), Chain(inside, out), half_mse, ties, sgd(0.02))


@twin
def stacked_lstm(dtype: str) -> Twin:
    """Two, the first handing on all its states; letters in, a letter out."""
    x, y = letters()
    nodes = (
        node("1", "x", "embedding", rows=28, columns=4),
        node("2", "1", "lstm", units=5, last=False),
        node("3", "2", "lstm", units=4),
        dense("4", "3", 28),
    )
    network = Network(nodes, x, y[:, -1], loss="softmax-ce", lr=0.5, dtype=dtype)
    table, out = nn.Embedding(28, 4), nn.Linear(4, 28)
    lower = Recurrent(nn.LSTM(4, 5, batch_first=True), last=False)
    upper = Recurrent(nn.LSTM(5, 4, batch_first=True), last=True)
    ties = {"W1": (whole(table.weight), same)} | lower.ties("2") | upper.ties("3") | linear("4", out)
    return Twin(network, Chain(Whole(), table, lower, upper, out), cross_entropy, ties, sgd(0.5))


class Whole(nn.Module):
    """Numbers of letters, which arrive as floats."""

    def forward(self, x: Any) -> Any:
        return x.long()


def statistics(key: str, module: Any) -> dict[str, Callable[[], Any]]:
    return {f"mean{key}": lambda: module.running_mean, f"var{key}": lambda: module.running_var}


@twin
def batch_norm(dtype: str) -> Twin:
    """Of features, with batches drawn."""
    x, y = iris_like()
    nodes = (
        dense("1", "x", 6),
        node("2", "1", "batch-norm", "relu"),
        dense("3", "2", 5, "tanh"),
        node("4", "3", "batch-norm", momentum=0.3, eps=1e-3),
        dense("5", "4", 3),
    )
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.1, batch=9, seed=1, dtype=dtype)
    norms = nn.BatchNorm1d(6), nn.BatchNorm1d(5, momentum=0.3, eps=1e-3)
    parts = nn.Linear(4, 6), norms[0], nn.ReLU(), nn.Linear(6, 5), nn.Tanh(), norms[1], nn.Linear(5, 3)
    ties = linear("1", parts[0]) | linear("3", parts[3]) | linear("5", parts[6])
    ties |= affine("2", norms[0]) | affine("4", norms[1])
    return Twin(network, Chain(*parts), cross_entropy, ties, also=statistics("2", norms[0]) | statistics("4", norms[1]))


@twin
def batch_norm_of_pictures(dtype: str) -> Twin:
    x, y = pictures()
    nodes = (
        node("1", "x", "conv", out=4, kernel=3, stride=2),
        node("2", "1", "batch-norm", "relu"),
        node("3", "2", "global-avg-pool"),
        dense("4", "3", 10),
    )
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.1, dtype=dtype)
    norm = nn.BatchNorm2d(4)
    parts = nn.Conv2d(1, 4, 3, 2), norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)
    ties = affine("1", parts[0]) | affine("2", norm) | linear("4", parts[5])
    return Twin(network, Chain(*parts), cross_entropy, ties, also=statistics("2", norm))


@twin
def group_and_instance_norm(dtype: str) -> Twin:
    x, y = pictures(4)
    nodes = (
        node("1", "x", "conv", out=6, kernel=3),
        node("2", "1", "group-norm", "relu", groups=3),
        node("3", "2", "conv", out=4, kernel=3),
        node("4", "3", "instance-norm", "tanh", eps=1e-3),
        node("5", "4", "flatten"),
        dense("6", "5", 10),
    )
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.1, dtype=dtype)
    parts = (
        *(nn.Conv2d(1, 6, 3), nn.GroupNorm(3, 6), nn.ReLU(), nn.Conv2d(6, 4, 3)),
        *(nn.InstanceNorm2d(4, eps=1e-3, affine=True), nn.Tanh(), nn.Flatten(), nn.Linear(64, 10)),
    )
    ties = affine("1", parts[0]) | affine("2", parts[1]) | affine("3", parts[3]) | affine("4", parts[4])
    return Twin(network, Chain(*parts), cross_entropy, ties | linear("6", parts[7]))


@twin
def rms_and_layer_norm(dtype: str) -> Twin:
    x, y = iris_like()
    nodes = (
        dense("1", "x", 6),
        node("2", "1", "rms-norm", "silu", eps=1e-3),
        dense("3", "2", 5),
        node("4", "3", "layer-norm", "tanh"),
        dense("5", "4", 3),
    )
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.1, dtype=dtype)
    parts = (
        *(nn.Linear(4, 6), nn.RMSNorm(6, eps=1e-3), nn.SiLU()),
        *(nn.Linear(6, 5), nn.LayerNorm(5), nn.Tanh(), nn.Linear(5, 3)),
    )
    ties = linear("1", parts[0]) | {"W2": (whole(parts[1].weight), same)} | linear("3", parts[3])
    return Twin(network, Chain(*parts), cross_entropy, ties | affine("4", parts[4]) | linear("5", parts[6]))


@twin
def dropout(dtype: str) -> Twin:
    x, y = iris_like()
    nodes = (
        dense("1", "x", 12, "relu"),
        node("2", "1", "dropout", rate=0.4),
        dense("3", "2", 8, "tanh"),
        node("4", "3", "dropout", rate=0.25),
        dense("5", "4", 3),
    )
    network = Network(nodes, x, y, loss="softmax-ce", lr=0.1, batch=8, seed=5, dtype=dtype)
    parts = (
        *(nn.Linear(4, 12), nn.ReLU(), Dropped(5, "mask2", 0.4)),
        *(nn.Linear(12, 8), nn.Tanh(), Dropped(5, "mask4", 0.25), nn.Linear(8, 3)),
    )
    ties = linear("1", parts[0]) | linear("3", parts[3]) | linear("5", parts[6])
    return Twin(network, Chain(*parts), cross_entropy, ties)


@twin
def shared_weights(dtype: str) -> Twin:
    """One layer gone through three times, and a table for both of two inputs."""
    random = np.random.default_rng(9)
    x, z, y = random.integers(0, 5, (4, 3)), random.integers(0, 5, (4, 3)), random.normal(0, 1, (4, 2))
    nodes = (
        node("e1", "x", "embedding", rows=5, columns=4),
        node("e2", "z", "embedding", rows=5, columns=4, shares="e1"),
        node("s", ("e1", "e2"), "mul"),
        node("f", "s", "flatten"),
        dense("h0", "f", 6, "tanh"),
        dense("h1", "h0", 6, "tanh"),
        dense("h2", "h1", 6, "tanh", shares="h1"),
        dense("h3", "h2", 6, "sigmoid", shares="h1"),
        dense("out", "h3", 2),
    )
    more = {"z": z.astype(float)}
    network = Network(nodes, x.astype(float), y, more=more, loss="half-mse", lr=0.1, dtype=dtype)
    modules = {"e": nn.Embedding(5, 4), "h0": nn.Linear(12, 6), "h": nn.Linear(6, 6), "out": nn.Linear(6, 2)}

    def forward(at: Any, inputs: Mapping[str, Any], t: int | None) -> Any:
        s = at["e"](inputs["x"].long()) * at["e"](inputs["z"].long())
        h = torch.tanh(at["h0"](s.flatten(1)))
        return at["out"](torch.sigmoid(at["h"](torch.tanh(at["h"](torch.tanh(at["h"](h)))))))

    ties = {"W_e1": (whole(modules["e"].weight), same)} | linear("_h0", modules["h0"]) | linear("_h1", modules["h"])
    return Twin(network, Apart(forward, **modules), half_mse, ties | linear("_out", modules["out"]))


@twin
def several_inputs(dtype: str) -> Twin:
    """Three of different widths, batches drawn of all of them alike."""
    random = np.random.default_rng(10)
    x, y = random.normal(0, 1, (11, 3)), random.normal(0, 1, (11, 2))
    more = {"seen": random.normal(0, 1, (11, 4)), "gate": random.uniform(0, 1, (11, 5))}
    nodes = (
        dense("a", "x", 5, "tanh"),
        dense("b", "seen", 5, "relu", bias=False),
        node("s", ("a", "b"), "sub"),
        node("g", ("s", "gate"), "mul"),
        node("c", ("g", "x", "seen"), "concat"),
        dense("out", "c", 2),
    )
    training = Training("rmsprop", {"centred": True})
    network = Network(nodes, x, y, more=more, loss="mse", lr=0.01, batch=4, seed=6, dtype=dtype, training=training)
    modules = {"a": nn.Linear(3, 5), "b": nn.Linear(4, 5, bias=False), "out": nn.Linear(12, 2)}

    def forward(at: Any, inputs: Mapping[str, Any], t: int | None) -> Any:
        s = torch.tanh(at["a"](inputs["x"])) - torch.relu(at["b"](inputs["seen"]))
        return at["out"](torch.cat([s * inputs["gate"], inputs["x"], inputs["seen"]], 1))

    ties = linear("_a", modules["a"]) | linear("_b", modules["b"]) | linear("_out", modules["out"])
    optimizer = lambda p: torch.optim.RMSprop(p, 0.01, centered=True)  # noqa: E731
    return Twin(network, Apart(forward, **modules), mse, ties, optimizer)


@twin
def skips_concat_and_split(dtype: str) -> Twin:
    """A graph in which h is read five times, and parts of it go their own ways."""
    random = np.random.default_rng(11)
    x, y = random.normal(0, 1, (5, 4)), random.uniform(0, 1, (5, 3))
    nodes = (
        dense("h", "x", 6, "tanh"),
        node("l", "h", "split", part=1, of=2),
        node("r", "h", "split", part=2, of=2),
        node("p", ("l", "r"), "mul"),
        dense("k", "h", 6, "silu"),
        node("s", ("h", "k"), "add"),
        node("c", ("p", "s", "h"), "concat"),
        node("cut", "c", "slice", start=2, stop=14, step=3),
        dense("o", "c", 4, "sigmoid"),
        node("rest", ("o", "cut"), "sub"),
        dense("out", "rest", 3, "sigmoid"),
    )
    training = Training("sgd", {"momentum": 0.9, "nesterov": True})
    network = Network(nodes, x, y, loss="bce", lr=0.1, dtype=dtype, training=training)
    modules = {"h": nn.Linear(4, 6), "k": nn.Linear(6, 6), "o": nn.Linear(15, 4), "out": nn.Linear(4, 3)}

    def forward(at: Any, inputs: Mapping[str, Any], t: int | None) -> Any:
        h = torch.tanh(at["h"](inputs["x"]))
        left, right = h.chunk(2, 1)
        c = torch.cat([left * right, h + F.silu(at["k"](h)), h], 1)
        return torch.sigmoid(at["out"](torch.sigmoid(at["o"](c)) - c[:, 2:14:3]))

    ties = {slot: tie for key, module in modules.items() for slot, tie in linear(f"_{key}", module).items()}
    return Twin(network, Apart(forward, **modules), F.binary_cross_entropy, ties, sgd(0.1, momentum=0.9, nesterov=True))


@twin
def attention_of_three(dtype: str) -> Twin:
    """Queries of one width from one input, keys and values from another."""
    random = np.random.default_rng(12)
    x, y = random.normal(0, 1, (3, 4, 5)), random.normal(0, 1, (3, 4, 2))
    more = {"read": random.normal(0, 1, (3, 6, 3))}
    nodes = (
        dense("q", "x", 4),
        dense("k", "read", 4, bias=False),
        dense("v", "read", 7),
        node("m", ("q", "k", "v"), "attention"),
        dense("out", "m", 2),
    )
    network = Network(nodes, x, y, more=more, loss="mse", lr=0.2, dtype=dtype)
    modules = {"q": nn.Linear(5, 4), "k": nn.Linear(3, 4, bias=False), "v": nn.Linear(3, 7), "out": nn.Linear(7, 2)}

    def forward(at: Any, inputs: Mapping[str, Any], t: int | None) -> Any:
        read = inputs["read"]
        return at["out"](F.scaled_dot_product_attention(at["q"](inputs["x"]), at["k"](read), at["v"](read)))

    ties = {slot: tie for key, module in modules.items() for slot, tie in linear(f"_{key}", module).items()}
    return Twin(network, Apart(forward, **modules), mse, ties, sgd(0.2))


for _name, _make in TWINS.items():
    covers("WHOLE", _name, ORACLE)
    for _node in _make("float64").network.nodes:
        covers("KINDS", _node.op, ORACLE)


# Training both


def begun(twin: Twin) -> Machine:
    """Both at the same weights, none of them at a value that hides a mistake: no bias is 0, no scale 1."""
    twin.module.to(getattr(torch, twin.network.dtype))
    machine = Machine(build(twin.network))
    random = np.random.default_rng(13)
    assert set(twin.ties) == set(machine.program.parameters), "every parameter is tied"
    for slot, (found, turn) in twin.ties.items():
        array = machine.arrays[slot]
        array += 0.2 * random.normal(0, 1, array.shape)
        with torch.no_grad():
            assert found().shape == turn(array).shape, slot
            found().copy_(torch.tensor(np.ascontiguousarray(turn(array))))
    return machine


def rows_of(network: Network, t: int) -> Any:
    """The numbers of the rows of an iteration."""
    if network.batch is None:
        return slice(None)
    return initial.rows(network.seed, t, len(network.x), network.batch)


def fed(network: Network, rows: Any) -> tuple[dict[str, Any], Any]:
    """Inputs and targets, as PyTorch gets them."""
    dtype = getattr(torch, network.dtype)
    inputs = {name: torch.tensor(array[rows], dtype=dtype) for name, array in {"x": network.x, **network.more}.items()}
    return inputs, torch.tensor(network.y[rows], dtype=dtype)


def both(twin: Twin, machine: Machine, optimizer: Any, t: int) -> Iterator[tuple[str, float]]:
    """One iteration of both; how far apart they are after it."""
    network, losses = twin.network, np.empty(1)
    with machine.quiet():
        machine.run(t, 1, losses)
    inputs, y = fed(network, rows_of(network, t))
    twin.module.train()
    optimizer.zero_grad()
    output = twin.module(inputs, t)
    loss = twin.loss(output, y)
    loss.backward()
    if network.training.clip_norm is not None:
        nn.utils.clip_grad_norm_(twin.module.parameters(), network.training.clip_norm)
    optimizer.step()
    yield "loss", error(losses[0], float(loss.detach()))
    for slot, (found, turn) in twin.ties.items():
        yield slot, error(turn(machine.arrays[slot]), found().detach().numpy())
    for slot, found in twin.also.items():
        yield slot, error(machine.arrays[slot], found().numpy())


def trained(twin: Twin, steps: int = STEPS) -> tuple[Machine, float]:
    """The machine after so many iterations, compared after each; and the largest error."""
    machine, largest = begun(twin), 0.0
    optimizer = twin.optimizer([p for p in twin.module.parameters() if p.requires_grad])
    for t in range(steps):
        for slot, off in both(twin, machine, optimizer, t):
            assert off <= CLOSE[twin.network.dtype], f"{slot} is {off:.2g} off after iteration {t}"
            largest = max(largest, off)
    return machine, largest


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small products gain nothing from threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", TWINS)
def test_a_network_is_trained_as_torch_trains_it(name, dtype):
    twin = TWINS[name](dtype)
    machine, largest = trained(twin)
    if dtype == "float64":
        note("WHOLE", name, ORACLE, largest)
        for op in {one.op for one in twin.network.nodes}:
            note("KINDS", op, ORACLE, largest)
    moved = {slot: error(machine.arrays[slot], machine.program.initial[slot]) for slot in twin.ties}
    assert min(moved.values()) > 1e-4, "training that changes nothing shows nothing"


def evaluated(twin: Twin, machine: Machine, network: Network) -> tuple[Machine, Program]:
    """The program that evaluates on other data, at the values that training came to."""
    program = build_evaluation(twin.network, network.x, network.y, network.more)
    evaluation = Machine(program)
    for name, slot in program.slots.items():
        if slot.kind in ("parameter", "statistic"):
            np.copyto(evaluation.arrays[name], machine.arrays[name])
    evaluation.begin(0)
    evaluation.segment(0, len(program))()
    return evaluation, program


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("name", TWINS)
def test_a_trained_network_is_evaluated_as_torch_evaluates_it(name, rows):
    twin = TWINS[name]("float64")
    machine, _ = trained(twin, 3)
    other = held_out(twin.network, rows)
    evaluation, program = evaluated(twin, machine, other)
    twin.module.eval()
    inputs, y = fed(other, slice(None))
    with torch.no_grad():
        output = twin.module(inputs, None)
        loss = twin.loss(output, y)
    assert error(evaluation.arrays[program.output], output.numpy()) <= CLOSE["float64"]
    assert error(evaluation.arrays["loss"], float(loss)) <= CLOSE["float64"]
    assert not {i.phase for i in program.instructions} - {"forward", "loss"}


def held_out(network: Network, rows: int) -> Network:
    """Other rows: those there are, backwards and a little off, but numbers of letters stay such."""
    random = np.random.default_rng(14)

    def other(array: np.ndarray) -> np.ndarray:
        picked = array[::-1][random.integers(0, len(array), rows)]
        return picked if (picked == picked.round()).all() or picked.ndim < 2 else picked * 0.9 + 0.05

    y = network.y[::-1][random.integers(0, len(network.y), rows)]
    return Network(
        network.nodes, other(network.x), y, more={name: other(array) for name, array in network.more.items()}
    )


def test_running_statistics_wait_for_the_end_of_the_update():
    program = build(TWINS["batch-norm"]("float64").network)
    phases = [i.phase for i in program.instructions]
    assert phases == sorted(phases, key=["data", "forward", "loss", "backward", "update"].index)
    assert [i.writes for i in program.instructions[-4:]] == ["mean2", "var2", "mean4", "var4"]


@pytest.mark.parametrize("name", TWINS)
def test_what_a_layer_gives_is_in_the_slot_that_is_named_after_it(name):
    network = TWINS[name]("float64").network
    program = build(network)
    shapes = {one.key: program.slots[one.output].shape for one in network.nodes}
    assert program.output == network.nodes[-1].output
    assert {shape[0] for shape in shapes.values()} == {network.batch or len(network.x)}


def test_the_networks_hold_every_kind_of_layer_with_weights():
    held = {node.op for make in TWINS.values() for node in make("float64").network.nodes}
    assert held >= {name for name, kind in KINDS.items() if kind.parameters is not None}


# What is refused, and what is differentiated by nothing


@pytest.mark.parametrize(
    ("a", "b"), [((3,), (3, 2)), ((3, 2), (2,)), ((3,), (3,)), ((1,), (4,)), ((2, 3), (4, 3, 2)), ((2, 3), (2, 3))]
)
def test_products_of_other_rows_of_the_batch_are_refused(a, b):
    # With a batch of one, all of these but the last have a product.
    nodes = (dense("h", "x", a[-1]), node("k", ("h", "z"), "matmul"), node("f", "k", "flatten"), dense("out", "f", 1))
    network = Network(nodes, networks.numbers(4, *a), networks.numbers(4, 1), more={"z": networks.numbers(4, *b)})
    with pytest.raises(NetworkError, match="has no meaning"):
        build(network)


def conditional() -> Twin:
    """c is read as a condition alone, i as the numbers of rows alone: neither has a gradient."""
    random = np.random.default_rng(15)
    x, y = random.normal(0, 1, (5, 3)), random.normal(0, 1, (5, 1))
    nodes = (
        dense("c", "x", 3, "relu"),
        dense("i", "x", 2, "relu"),
        dense("a", "x", 3, "tanh"),
        node("k", ("c", "a", "x"), "where"),
        node("e", "i", "embedding", rows=4, columns=2),
        node("f", "e", "flatten"),
        node("s", ("k", "f"), "concat"),
        dense("out", "s", 1),
    )
    modules = {
        "c": nn.Linear(3, 3),
        "i": nn.Linear(3, 2),
        "a": nn.Linear(3, 3),
        "e": nn.Embedding(4, 2),
        "out": nn.Linear(7, 1),
    }

    def forward(at: Any, inputs: Mapping[str, Any], t: int | None) -> Any:
        x = inputs["x"]
        k = torch.where(torch.relu(at["c"](x)) != 0, torch.tanh(at["a"](x)), x)
        rows = torch.relu(at["i"](x)).long().clamp(max=3)
        return at["out"](torch.cat([k, at["e"](rows).flatten(1)], 1))

    ties = {slot: tie for key in ("c", "i", "a", "out") for slot, tie in linear(f"_{key}", modules[key]).items()}
    ties["W_e"] = (whole(modules["e"].weight), same)
    return Twin(Network(nodes, x, y, loss="mse", lr=0.1), Apart(forward, **modules), mse, ties)


def test_what_is_read_as_a_condition_alone_gets_no_gradient():
    twin = conditional()
    machine, _ = trained(twin)
    assert not {"W_c.grad", "b_c.grad", "W_i.grad"} & set(machine.program.slots)
    assert machine.arrays["W_c"].tobytes() != machine.program.initial["W_c"].tobytes()
