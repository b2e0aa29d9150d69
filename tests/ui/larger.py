"""Networks too large or too strange to be drawn as neurons: what an engineer opens."""

from __future__ import annotations

import networks
import numpy as np

from bptui.engine.network import Network, Node, Training

numbers = networks.numbers


def layer(op: str, key: str, *reads: str, **options: object) -> Node:
    """A node of any kind."""
    settings = {name: options.pop(name) for name in ("units", "act") if name in options}
    return Node(key, reads, settings.pop("units", 0), op=op, options=options, **settings)


def lenet() -> Network:
    """Pictures of 8×8: two convolutions, a pool, two dense layers."""
    nodes = (
        layer("conv", "1", "x", out=4, kernel=3, pad=1, act="relu"),
        layer("max-pool", "2", "1", kernel=2),
        layer("conv", "3", "2", out=6, kernel=3, act="tanh"),
        layer("flatten", "4", "3"),
        networks.dense("5", "4", 8, "relu"),
        networks.dense("6", "5", 4),
    )
    return Network(nodes, numbers(2, 1, 8, 8), np.eye(4)[[0, 2]], loss="softmax-ce", lr=0.1, name="lenet", seed=1)


def transformer() -> Network:
    """One block over six tokens of an alphabet of twelve."""
    tokens = np.array([[0, 3, 5, 1, 11, 2], [7, 7, 2, 9, 0, 4]], float)
    nodes = (
        layer("embedding", "e", "x", rows=12, columns=8),
        layer("position", "p", "e"),
        layer("layer-norm", "n1", "p"),
        layer("multi-head", "m", "n1", heads=2, causal=True),
        layer("add", "r1", "p", "m"),
        layer("layer-norm", "n2", "r1"),
        networks.dense("f1", "n2", 16, "gelu"),
        networks.dense("f2", "f1", 8),
        layer("add", "r2", "r1", "f2"),
        networks.dense("out", "r2", 12),
    )
    targets = np.eye(12)[np.roll(tokens.astype(int), -1, 1)]
    training = Training("adam", schedule="cosine", schedule_options={"steps": 10})
    return Network(nodes, tokens, targets, loss="softmax-ce", lr=0.001, name="transformer", training=training)


def lstm(places: int = 20) -> Network:
    """A sequence, unrolled into hundreds of operations."""
    nodes = (layer("lstm", "1", "x", units=8), networks.dense("2", "1", 2))
    x, y = numbers(4, places, 3), numbers(4, 2, seed=1)
    return Network(nodes, x, y, loss="mse", lr=0.01, name="lstm", training=Training("adam"))


def adam_mlp() -> Network:
    """Small enough for neurons, with an optimizer that keeps two numbers a weight."""
    nodes = (
        networks.dense("1", "x", 3, "tanh", name="h", labels={"W": [["w1", "w2", "w3"], ["w4", "w5", "w6"]]}),
        layer("dropout", "2", "1", rate=0.5),
        networks.dense("3", "2", 1, "sigmoid"),
    )
    y = np.array([[0.0], [1.0], [1.0]])
    return Network(nodes, numbers(3, 2), y, loss="bce", lr=0.01, name="adam", training=Training("adam", clip_norm=1.0))


def two_inputs() -> Network:
    """A graph with a second input, a batch norm, penalties and drawn batches."""
    nodes = (
        networks.dense("a", "x", 3),
        networks.dense("b", "u", 3),
        layer("mul", "c", "a", "b", act="softplus"),
        layer("batch-norm", "d", "c"),
        networks.dense("out", "d", 2),
    )
    training = Training("sgd", {"momentum": 0.9}, l1=0.01, l2=0.01)
    return Network(
        nodes, numbers(6, 2), numbers(6, 2, seed=3), more={"u": numbers(6, 4, seed=2)}, loss="huber", lr=0.05,
        name="two", batch=3, training=training,
    )  # fmt: skip


def wide() -> Network:
    """A layer of 784 × 512."""
    nodes = (networks.dense("1", "x", 512, "relu"), networks.dense("2", "1", 10))
    return Network(nodes, numbers(8, 784), np.eye(10)[np.arange(8)], loss="softmax-ce", lr=0.01, name="wide")


ALL = {make.__name__: make for make in (lenet, transformer, lstm, adam_mlp, two_inputs, wide)}
