"""Numbers that are drawn: initial weights, the order of the data, dropout's masks.

Each is drawn from the seed and what it is for, so that it can be drawn again alone: no generator state is carried.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_RELUS = ("relu", "leaky-relu", "elu", "gelu", "gelu-tanh", "silu", "mish", "softplus")


@dataclass(frozen=True)
class Weight:
    """A parameter that a kind of layer has.

    shape    its shape
    inputs   how many numbers go into one of the results that it is used for; outputs likewise
    default  the initialiser used where nothing is said: "" for He or Glorot, by the activation
    """

    shape: tuple[int, ...]
    inputs: int = 1
    outputs: int = 1
    default: str = ""


def generator(seed: int, *what: str | int) -> np.random.Generator:
    """A generator that depends on nothing but the seed and what it is for."""
    return np.random.default_rng([seed, *(zlib.crc32(w.encode()) if isinstance(w, str) else w for w in what)])


def _glorot(w: Weight) -> float:
    return math.sqrt(2.0 / (w.inputs + w.outputs))


def _orthogonal(rng: np.random.Generator, w: Weight) -> Array:
    """Rows or columns of the longer side orthonormal; signs fixed, so that all such matrices are equally likely.

    Saxe, McClelland & Ganguli 2013, "Exact Solutions to the Nonlinear Dynamics of Learning".
    """
    rows = w.shape[0]
    columns = max(1, math.prod(w.shape[1:]))
    tall = rng.normal(0.0, 1.0, (max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return np.ascontiguousarray(q if rows >= columns else q.T).reshape(w.shape)


Draw = Callable[[np.random.Generator, Weight], Array]


def _normal(deviation: Callable[[Weight], float]) -> Draw:
    return lambda rng, w: rng.normal(0.0, deviation(w), w.shape)


def _uniform(deviation: Callable[[Weight], float]) -> Draw:
    def draw(rng: np.random.Generator, w: Weight) -> Array:
        limit = math.sqrt(3.0) * deviation(w)
        return rng.uniform(-limit, limit, w.shape)

    return draw


def _he(w: Weight) -> float:
    return math.sqrt(2.0 / w.inputs)


def _lecun(w: Weight) -> float:
    return math.sqrt(1.0 / w.inputs)


# Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 12 and 16;
# He et al. 2015, "Delving Deep into Rectifiers", eq. 10; LeCun et al. 1998, "Efficient BackProp", section 4.6.
INITIALISERS: Mapping[str, Draw] = {
    "zeros": lambda _, w: np.zeros(w.shape),
    "ones": lambda _, w: np.ones(w.shape),
    "glorot-normal": _normal(_glorot),
    "glorot-uniform": _uniform(_glorot),
    "he-normal": _normal(_he),
    "he-uniform": _uniform(_he),
    "lecun-normal": _normal(_lecun),
    "lecun-uniform": _uniform(_lecun),
    "orthogonal": _orthogonal,
}
# What other libraries call them.
CALLED: Mapping[str, str] = {
    "xavier-normal": "glorot-normal",
    "xavier-uniform": "glorot-uniform",
    "xavier": "glorot-uniform",
    "glorot": "glorot-uniform",
    "kaiming-normal": "he-normal",
    "kaiming-uniform": "he-uniform",
    "kaiming": "he-normal",
    "he": "he-normal",
    "lecun": "lecun-normal",
}
# Those that take numbers: `constant 0.1`, `uniform -1 1`, `normal 0 0.1`.
WITH_NUMBERS: Mapping[str, int] = {"constant": 1, "uniform": 2, "normal": 2}
# Far from where what is drawn, or the loss of it, would run over.
_LARGEST = 1e30


def fault(text: str) -> str:
    """What is wrong with an initialiser as a person writes it: '' or a reason."""
    word, *numbers = text.split() or [""]
    if CALLED.get(word, word) in INITIALISERS:
        return f"{word} takes no number" if numbers else ""
    if word not in WITH_NUMBERS:
        return f"no initialiser is called {word!r}"
    try:
        given = [float(number) for number in numbers]
    except ValueError:
        return f"{text!r} holds what is no number"
    if len(given) != WITH_NUMBERS[word] or not all(abs(number) <= _LARGEST for number in given):
        return (
            f"{word} takes {WITH_NUMBERS[word]} finite number{'s' * (WITH_NUMBERS[word] > 1)} up to {_LARGEST:g}, "
            f"as in {_example(word)!r}"
        )
    if word == "uniform" and given[0] >= given[1]:
        return f"{text!r}: the smaller number stands first"
    return f"{text!r}: a deviation is not below 0" if word == "normal" and given[1] < 0 else ""


def _example(word: str) -> str:
    return {"constant": "constant 0.1", "uniform": "uniform -0.5 0.5", "normal": "normal 0 0.1"}[word]


def weights(seed: int, slot: str, weight: Weight, act: str, init: str = "") -> Array:
    """Initial values of a parameter.

    As `init` says, else its kind's default, else He normal before the relu family and Glorot uniform before the rest.
    """
    rng = generator(seed, slot)
    word, *numbers = (init or weight.default or ("he-normal" if act in _RELUS else "glorot-uniform")).split()
    given = [float(number) for number in numbers]
    if word == "constant":
        return np.full(weight.shape, given[0])
    if word == "uniform":
        return rng.uniform(given[0], given[1], weight.shape)
    if word == "normal":
        return rng.normal(given[0], abs(given[1]), weight.shape)  # -0.0 is below 0 to NumPy
    return INITIALISERS[CALLED.get(word, word)](rng, weight)


def rows(seed: int, iteration: int, total: int, batch: int) -> Array:
    """The row numbers of one batch: the data are shuffled by (seed, epoch), a last partial batch is dropped."""
    per_epoch = total // batch
    epoch, place = divmod(iteration, per_epoch)
    return _order(seed, epoch, total)[place * batch : (place + 1) * batch]


def order(seed: int, epoch: int, total: int) -> Array:
    """The order of the data in one epoch."""
    return generator(seed, "order", epoch).permutation(total)


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, total: int) -> Array:
    kept = order(seed, epoch, total)
    kept.flags.writeable = False
    return kept


def mask(seed: int, iteration: int, slot: str, shape: tuple[int, ...], rate: float) -> Array:
    """Dropout's mask: 0 for a share `rate` of the cells, 1/(1 − rate) for the rest (Srivastava et al. 2014)."""
    kept = generator(seed, slot, iteration).random(shape) >= rate
    return kept / (1.0 - rate) if rate < 1 else np.zeros(shape)
