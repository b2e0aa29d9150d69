"""Networks built by hand, so that tests of the engine do not depend on the spec files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bptui.engine.network import Network, Node, Training

ARTICLE_W1 = [[0.11, 0.12], [0.21, 0.08]]
ARTICLE_W2 = [[0.14], [0.15]]


def article(**changes: Any) -> Network:
    """The article's network, with its labels."""
    hidden = {"W": [["w1", "w3"], ["w2", "w4"]], "out": ["h1", "h2"]}
    out = {"W": [["w5"], ["w6"]], "out": ["prediction"]}
    nodes = (
        Node("1", ("x",), 2, bias=False, W=np.array(ARTICLE_W1), name="h", labels=hidden),
        Node("2", ("1",), 1, bias=False, W=np.array(ARTICLE_W2), labels=out),
    )
    labels = {"x": ["i1", "i2"], "y": ["target"], "loss": "E"}
    settings = {"lr": 0.05, "name": "article", "labels": labels} | changes
    return Network(nodes, np.array([[2.0, 3.0]]), np.array([[1.0]]), **settings)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Rounded random numbers: the same in every run, and readable where a test fails."""
    return np.random.default_rng(seed).normal(0, 1, shape).round(2)


def dense(key: str, reads: str, units: int, act: str = "identity", **settings: Any) -> Node:
    """A dense node."""
    return Node(key, (reads,), units, act=act, **settings)


def line(**changes: Any) -> Network:
    """1-4-1, tanh: a curve through seven points."""
    x = np.linspace(-2, 2, 7)[:, None]
    nodes = (dense("1", "x", 4, "tanh"), dense("2", "1", 1))
    return Network(nodes, x, np.abs(x) - 1, **({"lr": 0.1, "name": "line", "seed": 3} | changes))


def sigmoid_net(**changes: Any) -> Network:
    """2-3-2, sigmoid, with biases, a batch of 3."""
    nodes = (dense("1", "x", 3, "sigmoid"), dense("2", "1", 2, "sigmoid"))
    return Network(nodes, numbers(3, 2), numbers(3, 2, seed=1) ** 2, **({"lr": 0.5, "seed": 3} | changes))


def softmax_net(**changes: Any) -> Network:
    """Classes from logits: the fused loss."""
    nodes = (dense("1", "x", 3, "tanh"), dense("2", "1", 3))
    classes = np.eye(3)[[0, 2, 1, 1]]
    return Network(nodes, numbers(4, 2), classes, loss="softmax-ce", **({"lr": 0.3, "seed": 1} | changes))


def probability_net(**changes: Any) -> Network:
    """Classes from probabilities: the loss unfused, after a softmax that is an instruction of its own."""
    nodes = (dense("1", "x", 2, "leaky-relu"), dense("2", "1", 3, "softmax"))
    classes = np.eye(3)[[0, 2]]
    return Network(nodes, numbers(2, 3), classes, loss="softmax-ce", **({"lr": 0.3, "seed": 1} | changes))


def skip_net(**changes: Any) -> Network:
    """A graph in which h1 is read twice, so that its gradient is a sum; h2's bias is frozen."""
    nodes = (
        dense("h1", "x", 2, "tanh"),
        dense("h2", "h1", 2, "relu", freeze=("b",)),
        Node("s", ("h1", "h2"), 0, op="add"),
        dense("out", "s", 1, "sigmoid"),
    )
    targets = np.array([[0.0], [1.0], [1.0]])
    return Network(nodes, numbers(3, 2, seed=5), targets, loss="bce", **({"lr": 0.4, "seed": 2} | changes))


def drawn_net(**changes: Any) -> Network:
    """Batches of 2 drawn from 5 rows."""
    nodes = (dense("1", "x", 2, "relu"), dense("2", "1", 1))
    settings = {"loss": "mse", "lr": 0.1, "batch": 2, "seed": 4} | changes
    return Network(nodes, numbers(5, 2, seed=6), numbers(5, 1, seed=7), **settings)


def mazur_like(**changes: Any) -> Network:
    """2-2-2 with biases that are not trained."""
    nodes = (
        dense("1", "x", 2, "sigmoid", W=np.array([[0.15, 0.25], [0.2, 0.3]]), b=np.array([0.35, 0.35])),
        dense("2", "1", 2, "sigmoid", W=np.array([[0.4, 0.5], [0.45, 0.55]]), b=np.array([0.6, 0.6])),
    )
    settings = {"lr": 0.5, "freeze": ("b*",)} | changes
    return Network(nodes, np.array([[0.05, 0.1]]), np.array([[0.01, 0.99]]), **settings)


ALL: Mapping[str, Callable[..., Network]] = {
    "article": article,
    "sigmoid": sigmoid_net,
    "softmax": softmax_net,
    "probability": probability_net,
    "skip": skip_net,
    "drawn": drawn_net,
    "mazur": mazur_like,
}


def dropout_net(**changes: Any) -> Network:
    """Masks drawn in every iteration, Adam's averages, a learning rate that follows a schedule, batches of 2."""
    nodes = (dense("1", "x", 3, "relu"), Node("2", ("1",), 0, op="dropout", options={"rate": 0.4}), dense("3", "2", 1))
    training = Training(optim="adam", schedule="cosine", schedule_options={"steps": 6})
    settings = {"loss": "mse", "lr": 0.1, "batch": 2, "seed": 8, "training": training} | changes
    return Network(nodes, numbers(5, 2, seed=6), numbers(5, 1, seed=7), **settings)


def dying_net(**changes: Any) -> Network:
    """Steps so large that relus die, one after the other; then the loss is flat. Batches of 2, an epoch of 2."""
    nodes = (dense("1", "x", 4, "relu"), dense("2", "1", 2, "relu"), dense("3", "2", 1, "tanh"))
    settings = {"loss": "mse", "lr": 0.9, "batch": 2, "seed": 11} | changes
    return Network(nodes, numbers(4, 2, seed=9) * 2, numbers(4, 1, seed=10), **settings)


def exploding_net(**changes: Any) -> Network:
    """Steps so large that nothing stays finite for long; on the way a tanh hides what a product made infinite."""
    nodes = (dense("1", "x", 2), dense("2", "1", 2, "tanh"), dense("3", "2", 1))
    settings = {"loss": "mse", "lr": 1e35, "seed": 5} | changes
    return Network(nodes, numbers(3, 2, seed=12), numbers(3, 1, seed=13), **settings)


# For walks through time alone.
MORE: Mapping[str, Callable[..., Network]] = {
    **ALL,
    "dropout": dropout_net,
    "dying": dying_net,
    "exploding": exploding_net,
}
