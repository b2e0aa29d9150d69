"""The networks that are measured, as the engine takes them, and one neutral form that every rival starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import networks
import numpy as np

from bptui.engine.network import Network, Node, Training

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


@dataclass(frozen=True, eq=False)
class Case:
    """One network with one optimizer and one dtype.

    weights  (W, b or None) of each layer, W as (in, units): what everybody begins from
    """

    name: str
    sizes: tuple[int, ...]
    act: str
    loss: str
    batch: int
    optim: str
    dtype: str
    lr: float
    x: np.ndarray
    y: np.ndarray
    weights: tuple[tuple[np.ndarray, np.ndarray | None], ...]

    @property
    def title(self) -> str:
        return f"{self.name} {self.optim} {self.dtype}"

    def network(self) -> Network:
        """The same as a description for the engine."""
        last = len(self.weights)
        nodes = tuple(
            Node(
                str(k),
                ("x" if k == 1 else str(k - 1),),
                W.shape[1],
                act=self.act if k < last else "identity",
                bias=b is not None,
                W=W,
                b=b,
            )
            for k, (W, b) in enumerate(self.weights, 1)
        )
        return Network(
            nodes, self.x, self.y, loss=self.loss, lr=self.lr, dtype=self.dtype, training=Training(optim=self.optim)
        )


@dataclass(frozen=True)
class Shape:
    sizes: tuple[int, ...]
    act: str
    loss: str
    batch: int


# Half the squared error for the moons: every rival has it in the same form. The one with `bce` is there because its
# loss is the one with most statements.
SHAPES = {
    "2-2-1": Shape((2, 2, 1), "identity", "half-mse", 1),
    "moons-b1": Shape((2, 16, 16, 1), "tanh", "half-mse", 1),
    "moons-b100": Shape((2, 16, 16, 1), "tanh", "half-mse", 100),
    "moons-bce-b1": Shape((2, 16, 16, 1), "tanh", "bce", 1),
    "moons-bce-b100": Shape((2, 16, 16, 1), "tanh", "bce", 100),
    "784-128-64-10": Shape((784, 128, 64, 10), "relu", "softmax-ce", 64),
    "784-512-512-10": Shape((784, 512, 512, 10), "relu", "softmax-ce", 128),
}
OPTIMS = ("sgd", "adam")
DTYPES = ("float64", "float32")
# So small that nothing converges while it is measured: the decaying averages of a gradient that became exactly 0 turn
# into denormal numbers, with which every arithmetic is slow.
RATES = {"sgd": 1e-3, "adam": 1e-5}


def moons(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved half circles with noise; targets 0 and 1."""
    angle, upper = rng.random(rows) * np.pi, rng.random(rows) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)), np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack(x, 1) + rng.normal(0, 0.1, (rows, 2)), upper[:, None] * 1.0


def case(name: str, optim: str = "sgd", dtype: str = "float64", lr: float | None = None) -> Case:
    """The case of these names; everything drawn is drawn from the same seed each time."""
    shape, rng = SHAPES[name], np.random.default_rng(7)
    lr = RATES[optim] if lr is None else lr
    if name == "2-2-1":
        made = networks.article()
        weights = tuple((np.asarray(node.W, dtype), None) for node in made.nodes)
        return Case(
            name,
            shape.sizes,
            shape.act,
            shape.loss,
            1,
            optim,
            dtype,
            lr,
            made.x.astype(dtype),
            made.y.astype(dtype),
            weights,
        )
    if shape.loss == "softmax-ce":
        x = rng.random((shape.batch, shape.sizes[0]))
        y = np.eye(shape.sizes[-1])[rng.integers(0, shape.sizes[-1], shape.batch)]
    else:
        x, y = moons(shape.batch, rng)
    gain = 2 if shape.act == "relu" else 1
    weights = tuple(
        (rng.normal(0, np.sqrt(gain / m), (m, n)).astype(dtype), rng.normal(0, 0.1, n).astype(dtype))
        for m, n in zip(shape.sizes, shape.sizes[1:], strict=False)
    )
    return Case(
        name,
        shape.sizes,
        shape.act,
        shape.loss,
        shape.batch,
        optim,
        dtype,
        lr,
        x.astype(dtype),
        y.astype(dtype),
        weights,
    )


def with_rate(made: Case, lr: float) -> Case:
    return replace(made, lr=lr)
