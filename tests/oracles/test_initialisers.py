"""Every initialiser against torch.nn.init: the same law, judged by its moments, its bounds and its quantiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from harness import Asked
from oracles_registry import covers

from bptui.engine import initial
from bptui.engine.initial import CALLED, INITIALISERS, WITH_NUMBERS, Weight

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
ORACLE = "PyTorch"
ROWS, COLUMNS = 300, 200
# PyTorch's matrices are (outputs, inputs), so that its fans are those of this weight.
WEIGHT = Weight((ROWS, COLUMNS), inputs=ROWS, outputs=COLUMNS)

LAWS: dict[str, Callable[[Any], Any]] = {
    "zeros": lambda t: torch.nn.init.zeros_(t),
    "ones": lambda t: torch.nn.init.ones_(t),
    "glorot-normal": lambda t: torch.nn.init.xavier_normal_(t),
    "glorot-uniform": lambda t: torch.nn.init.xavier_uniform_(t),
    "he-normal": lambda t: torch.nn.init.kaiming_normal_(t, nonlinearity="relu"),
    "he-uniform": lambda t: torch.nn.init.kaiming_uniform_(t, nonlinearity="relu"),
    "lecun-normal": lambda t: torch.nn.init.kaiming_normal_(t, nonlinearity="linear"),
    "lecun-uniform": lambda t: torch.nn.init.kaiming_uniform_(t, nonlinearity="linear"),
    "orthogonal": lambda t: torch.nn.init.orthogonal_(t),
}
NUMBERED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "constant": ("constant 0.1", lambda t: torch.nn.init.constant_(t, 0.1)),
    "uniform": ("uniform -0.5 1.5", lambda t: torch.nn.init.uniform_(t, -0.5, 1.5)),
    "normal": ("normal 0.5 0.2", lambda t: torch.nn.init.normal_(t, 0.5, 0.2)),
}
for _name in [*LAWS, *NUMBERED]:
    covers("INITIALISERS", _name, ORACLE)


def theirs(law: Callable[[Any], Any], seed: int) -> np.ndarray:
    torch.manual_seed(seed)
    return law(torch.empty(COLUMNS, ROWS, dtype=torch.float64)).numpy()


def same_law(asked: Asked, label: str, mine: np.ndarray, other: np.ndarray) -> None:
    """Two samples: the largest distance of their distribution functions (Kolmogorov and Smirnov), at 1 in a million."""
    a, b = np.sort(mine.reshape(-1)), np.sort(other.reshape(-1))
    if a[0] == a[-1]:
        asked.agree(f"{label}: one value", float(np.abs(a - b).max()), 0.0, "the value")
        return
    both = np.concatenate([a, b])
    distance = np.abs(np.searchsorted(a, both, "right") / a.size - np.searchsorted(b, both, "right") / b.size).max()
    critical = math.sqrt(math.log(2 / 1e-6) / 2 * (1 / a.size + 1 / b.size))
    asked.agree(f"{label}: distribution", distance / critical, 1.0, "its distribution")
    spread = abs(a.std() - b.std()) / b.std() * math.sqrt(a.size) / 6
    asked.agree(f"{label}: deviation", spread, 1.0, "its deviation")
    if abs(b[-1] + b[0]) < 0.01 * b[-1] and b[-1] < 2 * b.std():
        # Uniform: the bounds of so many cells are next to the law's.
        asked.agree(f"{label}: bounds", abs(a[-1] - b[-1]) / b[-1] * a.size / 30, 1.0, "its bound")


@pytest.mark.parametrize("name", sorted([*LAWS, *NUMBERED]))
def test_an_initialiser_draws_as_pytorch_does(name):
    asked = Asked("INITIALISERS", name, ORACLE)
    text, law = NUMBERED.get(name, (name, LAWS.get(name)))
    words = [text, *[f"{other}" for other, meant in CALLED.items() if meant == name]]
    for k, word in enumerate(words):
        mine = initial.weights(k, "W1", WEIGHT, "identity", word)
        assert mine.shape == WEIGHT.shape
        same_law(asked, word, mine, theirs(law, k))
    asked.done()


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (6, 2, 2), (1, 3)])
def test_orthogonal_weights_are_orthonormal_as_those_of_pytorch(shape):
    asked = Asked("INITIALISERS", "orthogonal", ORACLE)
    other = torch.nn.init.orthogonal_(torch.empty(*shape, dtype=torch.float64)).numpy()
    for seed in range(5):
        mine = initial.weights(seed, "W1", Weight(shape), "identity", "orthogonal")
        grams = [m.reshape(shape[0], -1) @ m.reshape(shape[0], -1).T for m in (mine, other)]
        if grams[0].shape[0] > mine.reshape(shape[0], -1).shape[1]:
            grams = [m.reshape(shape[0], -1).T @ m.reshape(shape[0], -1) for m in (mine, other)]
        asked.agree(f"{shape} seed {seed}", float(np.abs(grams[0] - grams[1]).max()), 1e-12, "a product")
    asked.done()


def test_fans_of_a_convolution_are_those_of_pytorch():
    """A kernel's inputs are its channels times its cells."""
    from bptui.engine.kinds import KINDS
    from bptui.engine.network import Node

    asked = Asked("INITIALISERS", "he-normal", ORACLE)
    for options, shape in (
        ({"out": 6, "kernel": 3}, (4, 8, 8)),
        ({"out": 6, "kernel": (2, 3)}, (3, 8, 8)),
        ({"out": 5, "kernel": 3}, (2, 9)),
    ):
        node = Node("1", ("x",), 0, "conv", options={"stride": 1, "pad": 0, "dilation": 1, "groups": 1, **options})
        weight = KINDS["conv"].weights(node, [shape])["W"]
        inside, outside = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(weight.shape))
        asked.agree(
            f"{options} {shape}", float(abs(weight.inputs - inside) + abs(weight.outputs - outside)), 0.0, "a fan"
        )
    asked.done()


def test_every_initialiser_was_asked():
    assert set(LAWS) == set(INITIALISERS)
    assert set(NUMBERED) == set(WITH_NUMBERS)
    assert set(CALLED.values()) <= set(LAWS)
