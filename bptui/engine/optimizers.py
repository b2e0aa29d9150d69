"""Each optimizer as the update instructions it emits for one parameter, and the learning rate's schedules.

What a formula is from stands at each. Where PyTorch differs from the paper in a detail, PyTorch's is taken and said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

Options = Mapping[str, Any]


class Updating(Protocol):
    """What an optimizer writes its instructions for one parameter with."""

    parameter: str

    def state(self, word: str, value: float = 0.0) -> str:
        """A slot that lasts, of the parameter's shape; its name is given back."""
        ...

    def value(self, word: str, op: str, reads: list[str], **attrs: Any) -> str:
        """A value on the way, in a slot of its own."""
        ...

    def shared(self, word: str, op: str, reads: list[str], **attrs: Any) -> str:
        """A single number that every parameter's update reads, computed once."""
        ...

    def counter(self, word: str) -> str:
        """A number that is a function of the iteration."""
        ...

    def update(self, op: str, reads: list[str], **attrs: Any) -> None:
        """Write the first of `reads` in place."""
        ...


@dataclass(frozen=True)
class Optimizer:
    """A row: what may be set, with what it is where nothing is said, and the instructions for one parameter."""

    lr: float
    options: Mapping[str, float | bool]
    emit: Callable[[Updating, str, Options], None]


def _decayed(to: Updating, g: str, o: Options) -> str:
    """The gradient with weight decay added to it (L2, not decoupled)."""
    if not o["weight_decay"]:
        return g
    return to.value("decayed", "decayed", [g, to.parameter], decay=o["weight_decay"])


def _shrink(to: Updating, o: Options) -> None:
    """Decoupled weight decay: Loshchilov & Hutter 2017, "Decoupled Weight Decay Regularization"."""
    if o["weight_decay"]:
        to.update("shrink", [to.parameter, "lr"], decay=o["weight_decay"])


def _average(to: Updating, word: str, g: str, beta: float, op: str = "average") -> str:
    slot = to.state(word)
    to.update(op, [slot, g], keep=beta, take=_rest(beta))
    return slot


def _rest(beta: float) -> float:
    """1 − β without its rounding noise: a reader sees 0.1 rather than 0.09999999999999998."""
    return float(f"{1 - beta:.15g}")


def sgd(to: Updating, g: str, o: Options) -> None:
    """Robbins & Monro 1951; momentum after Polyak 1964, Nesterov's after Sutskever et al. 2013.

    As PyTorch has them: the first gradient is taken whole, dampening begins with the second.
    """
    g = _decayed(to, g, o)
    if o["momentum"]:
        m = to.state("m")
        take = _rest(o["dampening"])
        to.update("momentum", [m, g, to.counter("t")], momentum=o["momentum"], take=take)
        g = to.value("ahead", "lookahead", [g, m], momentum=o["momentum"]) if o["nesterov"] else m
    to.update("sgd", [to.parameter, "lr", g])


def adagrad(to: Updating, g: str, o: Options) -> None:
    """Duchi, Hazan & Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization"."""
    g = _decayed(to, g, o)
    rate = "lr"
    if o["lr_decay"]:
        rate = to.shared("lr_decayed", "decayed-rate", ["lr", to.counter("t")], decay=o["lr_decay"])
    v = to.state("v", o["initial"])
    to.update("accumulate", [v, g])
    to.update("sgd", [to.parameter, rate, to.value("step", "over-root", [g, v], eps=o["eps"])])


def rmsprop(to: Updating, g: str, o: Options) -> None:
    """Tieleman & Hinton 2012, lecture 6.5; centred after Graves 2013, "Generating Sequences with RNNs"."""
    g = _decayed(to, g, o)
    v = _average(to, "v", g, o["alpha"], "average-square")
    if o["centred"]:
        v = to.value("variance", "centred", [v, _average(to, "mean", g, o["alpha"])])
    step = to.value("step", "over-root", [g, v], eps=o["eps"])
    if o["momentum"]:
        m = to.state("m")
        to.update("average", [m, step], keep=o["momentum"], take=1)
        step = m
    to.update("sgd", [to.parameter, "lr", step])


def adadelta(to: Updating, g: str, o: Options) -> None:
    """Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method"."""
    g = _decayed(to, g, o)
    v = _average(to, "v", g, o["rho"], "average-square")
    u = to.state("u")
    step = to.value("step", "adadelta", [g, v, u], eps=o["eps"])
    to.update("average-square", [u, step], keep=o["rho"], take=_rest(o["rho"]))
    to.update("sgd", [to.parameter, "lr", step])


def _moments(to: Updating, g: str, o: Options) -> tuple[str, str]:
    m = _average(to, "m", g, o["beta1"])
    return m, _average(to, "v", g, o["beta2"], "average-square")


def _corrected(to: Updating, slot: str, word: str, beta: float) -> str:
    number = "1" if word == "mhat" else "2"
    correction = to.shared(f"correction{number}", "correction", [to.counter("t")], beta=beta)
    return to.value(word, "corrected", [slot, correction])


def adam(to: Updating, g: str, o: Options) -> None:
    """Kingma & Ba 2014, "Adam: A Method for Stochastic Optimization", algorithm 1."""
    _adam(to, _decayed(to, g, o), o)


def _adam(to: Updating, g: str, o: Options) -> None:
    m, v = _moments(to, g, o)
    hats = [_corrected(to, m, "mhat", o["beta1"]), _corrected(to, v, "vhat", o["beta2"])]
    to.update("adam", [to.parameter, "lr", *hats], eps=o["eps"])


def adamw(to: Updating, g: str, o: Options) -> None:
    """Loshchilov & Hutter 2017, "Decoupled Weight Decay Regularization", algorithm 2."""
    _shrink(to, o)
    _adam(to, g, o)


def nadam(to: Updating, g: str, o: Options) -> None:
    """Dozat 2016, "Incorporating Nesterov Momentum into Adam", with the momentum's decay of PyTorch's NAdam."""
    g = _decayed(to, g, o)
    m, v = _moments(to, g, o)
    vhat = _corrected(to, v, "vhat", o["beta2"])
    now = to.shared("mu", "nadam-mu", [to.counter("t")], beta=o["beta1"], psi=o["momentum_decay"])
    after = to.shared("mu_next", "nadam-mu-next", [to.counter("t")], beta=o["beta1"], psi=o["momentum_decay"])
    product = to.counter(f"mu_product {o['beta1']!r} {o['momentum_decay']!r}")
    step = to.value("ahead", "nadam-step", [g, m, now, after, product])
    to.update("adam", [to.parameter, "lr", step, vhat], eps=o["eps"])


def radam(to: Updating, g: str, o: Options) -> None:
    """Liu et al. 2019, "On the Variance of the Adaptive Learning Rate and Beyond", algorithm 2."""
    g = _decayed(to, g, o)
    m, v = _moments(to, g, o)
    mhat, t = _corrected(to, m, "mhat", o["beta1"]), to.counter("t")
    most = 2 / (1 - o["beta2"]) - 1
    if most <= 5:
        # The average is of so few gradients that it is never rectified.
        to.update("sgd", [to.parameter, "lr", mhat])
        return
    rho = to.shared("rho", "radam-rho", [t], beta=o["beta2"], most=most)
    share = most / ((most - 4) * (most - 2))
    rectify = to.shared("rectify", "radam-rectify", [rho, t], beta=o["beta2"], share=share)
    step = to.value("step", "radam-step", [mhat, v, rho, rectify], eps=o["eps"])
    to.update("sgd", [to.parameter, "lr", step])


def adamax(to: Updating, g: str, o: Options) -> None:
    """Kingma & Ba 2014, section 7.1."""
    g = _decayed(to, g, o)
    m = _average(to, "m", g, o["beta1"])
    u = to.state("u")
    to.update("infinity", [u, g], keep=o["beta2"], eps=o["eps"])
    mhat = _corrected(to, m, "mhat", o["beta1"])
    to.update("sgd", [to.parameter, "lr", to.value("step", "div", [mhat, u])])


def lion(to: Updating, g: str, o: Options) -> None:
    """Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", program 1."""
    _shrink(to, o)
    m = to.state("m")
    step = to.value("step", "lion", [m, g], keep=o["beta1"], take=_rest(o["beta1"]))
    to.update("sgd", [to.parameter, "lr", step])
    to.update("average", [m, g], keep=o["beta2"], take=_rest(o["beta2"]))


_BETAS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
_DECAY = {"weight_decay": 0.0}

OPTIMIZERS: Mapping[str, Optimizer] = {
    "sgd": Optimizer(0.1, {"momentum": 0.0, "dampening": 0.0, "nesterov": False, **_DECAY}, sgd),
    "adagrad": Optimizer(0.01, {"lr_decay": 0.0, "initial": 0.0, "eps": 1e-10, **_DECAY}, adagrad),
    "rmsprop": Optimizer(0.01, {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centred": False, **_DECAY}, rmsprop),
    "adadelta": Optimizer(1.0, {"rho": 0.9, "eps": 1e-6, **_DECAY}, adadelta),
    "adam": Optimizer(0.001, {**_BETAS, **_DECAY}, adam),
    "adamw": Optimizer(0.001, {**_BETAS, "weight_decay": 0.01}, adamw),
    "nadam": Optimizer(0.002, {**_BETAS, "momentum_decay": 0.004, **_DECAY}, nadam),
    "radam": Optimizer(0.001, {**_BETAS, **_DECAY}, radam),
    "adamax": Optimizer(0.002, {**_BETAS, **_DECAY}, adamax),
    "lion": Optimizer(0.0001, {"beta1": 0.9, "beta2": 0.99, **_DECAY}, lion),
}


def option_fault(name: str, key: str, value: Any) -> str:
    """What is wrong with an optimizer's option: '' or a reason."""
    if key not in OPTIMIZERS[name].options:
        return f"{name} has no option {key!r}"
    default = OPTIMIZERS[name].options[key]
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else f"{key} is true or false"
    if isinstance(value, bool) or not math.isfinite(value) or value < 0:
        return f"{key} is a number from 0 on"
    if key in ("beta1", "beta2", "alpha", "rho") and value >= 1:
        return f"{key} is a number from 0 up to, but not, 1"
    return ""


# Schedules: each writes lr from lr0 and t, the number of the update, from 1 on


@dataclass(frozen=True)
class Schedule:
    """A row: the op that writes lr, and what may be set; None where it has to be."""

    op: str
    options: Mapping[str, float | None]


SCHEDULES: Mapping[str, Schedule] = {
    "constant": Schedule("", {}),
    "step": Schedule("lr-step", {"every": None, "gamma": 0.1}),
    "exponential": Schedule("lr-exponential", {"gamma": None}),
    # Loshchilov & Hutter 2016, "SGDR: Stochastic Gradient Descent with Warm Restarts", eq. 5.
    "cosine": Schedule("lr-cosine", {"steps": None, "least": 0.0}),
    # Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2.
    "warm-up": Schedule("lr-warm-up", {"steps": None, "start": 0.0}),
    # Smith & Topin 2017, "Super-Convergence", with the cosines of PyTorch's OneCycleLR; lr0 is the peak.
    "one-cycle": Schedule("lr-one-cycle", {"steps": None, "rise": 0.3, "first": 25.0, "last": 10000.0}),
}


def schedule_attrs(name: str, options: Options) -> dict[str, Any]:
    """The numbers in the line of a schedule's op."""
    found = {**SCHEDULES[name].options, **options}
    if name == "one-cycle":
        up = float(found["rise"]) * found["steps"] - 1
        down = found["steps"] - 1 - up
        low = 1 / found["first"]
        return {"up": up, "down": down, "low": low, "end": low / found["last"]}
    return dict(found)


# Numbers that are functions of the iteration


def counter(name: str, iteration: int) -> float:
    """The value of a counter slot in an iteration (from 0 on)."""
    word, *numbers = name.split()
    if word == "t":
        return float(iteration + 1)
    assert word == "mu_product"
    beta, psi = (float(number) for number in numbers)
    return _mu_product(beta, psi, iteration + 1)


@lru_cache(maxsize=64)
def _mu_products(beta: float, psi: float, block: int) -> Any:
    """The products of NAdam's μ₁ … μ_t up to the end of a block of 1024; always multiplied in the same order."""
    t = np.arange(block * 1024 + 1, (block + 1) * 1024 + 1, dtype=np.float64)
    mu = beta * (1 - 0.5 * np.power(0.96, t * psi))
    before = 1.0 if block == 0 else float(_mu_products(beta, psi, block - 1)[-1])
    mu[0] *= before
    return np.cumprod(mu)


def _mu_product(beta: float, psi: float, t: int) -> float:
    block, place = divmod(t - 1, 1024)
    # Far out the product is 0 in any precision.
    return 0.0 if block > 200 else float(_mu_products(beta, psi, block)[place])
