"""Optimizers, schedules, clipping, penalties and losses against PyTorch's own, update by update.

A two-layer network with biases is trained twice from the same weights: by bptui's free run, whose updates are fused,
and by PyTorch. After each update everything that was trained has to agree.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import networks
import numpy as np
import pytest
from oracles_registry import covers, note

from bptui.engine.build import build
from bptui.engine.machine import Machine
from bptui.engine.network import Network, Training
from bptui.engine.ops import LOSSES
from bptui.engine.optimizers import OPTIMIZERS, SCHEDULES
from bptui.engine.program import Program

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch, the oracle, is not installed")
ORACLE = "PyTorch"
STEPS = 50
# The largest difference, as a share of the largest number in the same array.
CLOSE: Mapping[str, float] = {"float64": 1e-10, "float32": 2e-4}
# In single precision ρ, the difference of two numbers near 2000, has two digits; PyTorch takes it in double.
ROUGH: Mapping[str, float] = {"radam": 2e-3}
DTYPES = ("float64", "float32")
Tensors = dict[str, Any]


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    """PyTorch keeps NAdam's product of momenta in its default precision, whatever that of the weights is."""
    if torch is None:
        yield
        return
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def error(found: Any, expected: Any) -> float:
    """The largest difference as a share of the largest number; infinite where something is not finite."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    if not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return np.inf
    return float(np.abs(found - expected).max(initial=0) / max(np.abs(expected).max(initial=0), 1e-300))


def small(dtype: str = "float64", act: str = "identity", loss: str = "half-mse", **settings: Any) -> Network:
    """4-5-3 with biases that are not 0; `x` and `y` may be given."""
    x, y = settings.pop("x", networks.numbers(6, 4)), settings.pop("y", networks.numbers(6, 3, seed=1))
    nodes = (
        networks.dense("1", "x", 5, "tanh", b=networks.numbers(5, seed=2) / 4),
        networks.dense("2", "1", 3, act, b=networks.numbers(3, seed=3) / 4),
    )
    return Network(nodes, x, y, loss=loss, dtype=dtype, **settings)


def last(p: Tensors) -> Any:
    """What the last layer gives before its activation."""
    return torch.tanh(p["x"] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def half_mse(p: Tensors) -> Any:
    return 0.5 * torch.nn.functional.mse_loss(last(p), p["y"], reduction="sum") / len(p["y"])


@dataclass
class Twins:
    """A network in bptui and in PyTorch; `trained` are the leaves that PyTorch's optimizer is given."""

    program: Program
    machine: Machine
    tensors: Tensors
    trained: list[Any]
    loss: float = 0.0
    expected: Any = None

    @classmethod
    def of(cls, network: Network, frozen: tuple[str, ...] = ()) -> Twins:
        program = build(network)
        tensors = {name: torch.tensor(np.array(value)) for name, value in program.initial.items() if name in "xy"}
        tensors |= {name: torch.tensor(np.array(program.initial[name])) for name in program.parameters}
        trained = [tensors[name].requires_grad_() for name in program.parameters if name not in frozen]
        return cls(program, Machine(program), tensors, trained)

    def update(self, t: int, loss: Callable[[Tensors], Any], optimizer: Any, clip: Callable[[Any], Any] | None) -> None:
        """One update of both."""
        losses = np.empty(1)
        with self.machine.quiet():
            self.machine.run(t, 1, losses)
        self.loss = float(losses[0])
        optimizer.zero_grad()
        self.expected = loss(self.tensors)
        self.expected.backward()
        if clip is not None:
            clip(self.trained)
        optimizer.step()

    def errors(self) -> Iterator[tuple[str, float]]:
        yield "loss", error(self.loss, float(self.expected.detach()))
        for name in self.program.parameters:
            yield name, error(self.machine.arrays[name], self.tensors[name].detach().numpy())

    def gradient_errors(self) -> Iterator[tuple[str, float]]:
        """Of the gradients as they are before they are clipped."""
        for name in self.program.parameters:
            if self.tensors[name].requires_grad:
                yield f"{name}.grad", error(self.machine.arrays[f"{name}.grad"], self.tensors[name].grad.numpy())


def worst(errors: Iterator[tuple[str, float]], close: float, where: str) -> float:
    """The largest of some errors, none of which may be larger than `close`."""
    found = dict(errors)
    for name, value in found.items():
        assert value <= close, f"{name} is {value:.2g} off {where}"
    return max(found.values())


def together(
    twins: Twins,
    optimizer: Any,
    loss: Callable[[Tensors], Any],
    *,
    steps: int = STEPS,
    scheduler: Any = None,
    clip: Callable[[Any], Any] | None = None,
) -> float:
    """Train both and compare after every update: the largest error."""
    network, largest = twins.program.network, 0.0
    close = CLOSE[network.dtype]
    if network.dtype == "float32":
        close = ROUGH.get(network.training.optim, close)
    for t in range(steps):
        twins.update(t, loss, optimizer, clip)
        if scheduler is not None:
            rate = error(twins.machine.arrays["lr"], scheduler.get_last_lr()[0])
            largest = max(largest, worst(iter([("lr", rate)]), close, f"in update {t + 1}"))
            if t + 1 < steps:
                scheduler.step()
        largest = max(largest, worst(twins.errors(), close, f"after update {t + 1}"))
    return largest


# Optimizers


class Lion:
    """Chen et al. 2023, program 1, line by line."""

    def __init__(self, trained: list[Any], lr: float, betas: tuple[float, float], weight_decay: float) -> None:
        self.trained, self.lr, self.betas, self.weight_decay = trained, lr, betas, weight_decay
        self.m = [torch.zeros_like(w) for w in trained]

    def zero_grad(self) -> None:
        for w in self.trained:
            w.grad = None

    def step(self) -> None:
        for w, m in zip(self.trained, self.m, strict=True):
            update = torch.sign(self.betas[0] * m + (1 - self.betas[0]) * w.grad)
            m.copy_(self.betas[1] * m + (1 - self.betas[1]) * w.grad)
            w.data -= self.lr * (update + self.weight_decay * w.data)


OUTSIDE: Mapping[str, Callable[[], Any]] = {
    "sgd": lambda: torch.optim.SGD,
    "adagrad": lambda: torch.optim.Adagrad,
    "rmsprop": lambda: torch.optim.RMSprop,
    "adadelta": lambda: torch.optim.Adadelta,
    "adam": lambda: torch.optim.Adam,
    "adamw": lambda: torch.optim.AdamW,
    "nadam": lambda: torch.optim.NAdam,
    "radam": lambda: torch.optim.RAdam,
    "adamax": lambda: torch.optim.Adamax,
    "lion": lambda: Lion,
}
CALLED = {"initial": "initial_accumulator_value", "centred": "centered"}


def outside(training: Training, lr: float, trained: list[Any]) -> Any:
    """PyTorch's optimizer, told every option."""
    options = {**OPTIMIZERS[training.optim].options, **training.options}
    given = {CALLED.get(key, key): value for key, value in options.items() if not key.startswith("beta")}
    if "beta1" in options:
        given["betas"] = (options["beta1"], options["beta2"])
    return OUTSIDE[training.optim]()(trained, lr=lr, **given)


BETAS = {"beta1": 0.8, "beta2": 0.95}
RATES = {"sgd": 0.1, "adagrad": 0.1, "adadelta": 1.0, "lion": 0.01}
OPTIONS: Mapping[str, list[dict[str, Any]]] = {
    "sgd": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.4},
        {"momentum": 0.9, "nesterov": True},
        {"weight_decay": 0.1},
        {"momentum": 0.7, "weight_decay": 0.1},
        {"momentum": 0.7, "nesterov": True, "weight_decay": 0.1},
        {"momentum": 0.7, "dampening": 1.0, "weight_decay": 0.1},
    ],
    "adagrad": [{}, {"lr_decay": 0.1}, {"initial": 0.3}, {"lr_decay": 0.02, "initial": 0.1, "weight_decay": 0.1}, {"eps": 0.1}],
    "rmsprop": [
        {},
        {"centred": True},
        {"momentum": 0.9},
        {"centred": True, "momentum": 0.5, "alpha": 0.9, "weight_decay": 0.1},
        {"alpha": 0.0, "eps": 0.1},
    ],
    "adadelta": [{}, {"rho": 0.5}, {"eps": 1e-3, "weight_decay": 0.1}],
    "adam": [{}, BETAS, {"weight_decay": 0.1}, {"beta1": 0.0}, {"beta2": 0.0, "eps": 0.1}],
    "adamw": [{}, BETAS, {"weight_decay": 0.0}, {"weight_decay": 0.5, "eps": 0.01}],
    "nadam": [{}, BETAS, {"momentum_decay": 0.1}, {"weight_decay": 0.1, "eps": 0.01}, {"beta1": 0.0, "momentum_decay": 0.0}],
    # With β₂ = 0.5, 0.6 and 2/3 the average is too short to be rectified ever: ρ∞ is 3, 4 and 5.
    "radam": [{}, BETAS, {"weight_decay": 0.1}, {"beta2": 0.5}, {"beta2": 0.6}, {"beta2": 2 / 3}, {"beta2": 0.9, "eps": 0.01}],
    "adamax": [{}, BETAS, {"weight_decay": 0.1, "eps": 0.01}],
    "lion": [{}, BETAS, {"weight_decay": 0.1}],
}  # fmt: skip


def optimizer_cases() -> Iterator[Any]:
    for name, several in OPTIONS.items():
        for options in several:
            yield pytest.param(name, options, id="-".join([name, *(f"{k}={v:.3g}" for k, v in options.items())]))


def test_every_optimizer_has_cases_and_every_option_is_set_in_one():
    assert set(OPTIONS) == set(OUTSIDE) == set(OPTIMIZERS)
    for name, optimizer in OPTIMIZERS.items():
        assert {key for options in OPTIONS[name] for key in options} == set(optimizer.options)


for _name in OPTIMIZERS:
    covers("OPTIMIZERS", _name, ORACLE)
for _name in SCHEDULES:
    covers("SCHEDULES", _name, ORACLE)
for _name in LOSSES:
    covers("LOSSES", _name, ORACLE)


@needs_torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "options"), list(optimizer_cases()))
def test_an_optimizer_is_that_of_torch(name, options, dtype):
    training = Training(name, options)
    network = small(dtype, lr=RATES.get(name, 0.02), training=training)
    twins = Twins.of(network)
    largest = together(twins, outside(training, network.lr, twins.trained), half_mse)
    note("OPTIMIZERS", name, ORACLE, largest if dtype == "float64" else 0.0)
    moved = [error(twins.machine.arrays[p], twins.program.initial[p]) for p in twins.program.parameters]
    assert min(moved) > 1e-3, "training that changes nothing shows nothing"


@needs_torch
@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "lion"])
def test_defaults_are_those_of_torch(name):
    known = inspect.signature(OUTSIDE[name]()).parameters
    row = OPTIMIZERS[name]
    # Plain descent's default of PyTorch's, 0.001, is too small to see anything happen.
    assert name == "sgd" or row.lr == known["lr"].default
    for key, value in row.options.items():
        default = (
            known["betas"].default[key == "beta2"] if key.startswith("beta") else known[CALLED.get(key, key)].default
        )
        assert value == default, key


# Schedules

Scheduler = Callable[[Any], Any]
PLANS: Mapping[str, list[tuple[dict[str, Any], Scheduler]]] = {
    "constant": [({}, lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor=1.0))],
    "step": [
        ({"every": 1, "gamma": 0.9}, lambda o: torch.optim.lr_scheduler.StepLR(o, 1, 0.9)),
        ({"every": 7}, lambda o: torch.optim.lr_scheduler.StepLR(o, 7)),
        ({"every": 10, "gamma": 0.5}, lambda o: torch.optim.lr_scheduler.StepLR(o, 10, 0.5)),
    ],
    "exponential": [
        ({"gamma": 0.9}, lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9)),
        ({"gamma": 1.01}, lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 1.01)),
    ],
    "cosine": [
        ({"steps": 50}, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 50)),
        ({"steps": 75, "least": 0.02}, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 75, 0.02)),
    ],
    "warm-up": [
        ({"steps": 20, "start": 0.25}, lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.25, total_iters=20)),
        ({"steps": 80, "start": 0.1}, lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=80)),
        # LinearLR refuses to begin at 0.
        ({"steps": 10}, lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda k: min(k / 10, 1.0))),
    ],
    "one-cycle": [
        ({"steps": 50}, lambda o: one_cycle(o, 50)),
        ({"steps": 80, "rise": 0.25, "first": 10, "last": 100}, lambda o: one_cycle(o, 80, pct_start=0.25, div_factor=10, final_div_factor=100)),
        ({"steps": 50, "rise": 0.5}, lambda o: one_cycle(o, 50, pct_start=0.5)),
        # Less than one update of rise, and nothing but rise.
        ({"steps": 60, "rise": 0.01}, lambda o: one_cycle(o, 60, pct_start=0.01)),
        ({"steps": 50, "rise": 1.0}, lambda o: one_cycle(o, 50, pct_start=1.0)),
    ],
}  # fmt: skip


def one_cycle(optimizer: Any, steps: int, **settings: float) -> Any:
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps, cycle_momentum=False, **settings)


def test_every_schedule_has_cases_and_every_option_is_set_in_one():
    assert set(PLANS) == set(SCHEDULES)
    for name, plans in PLANS.items():
        assert {key for options, _ in plans for key in options} == set(SCHEDULES[name].options)


def plan_cases() -> Iterator[Any]:
    for name, plans in PLANS.items():
        for options, scheduler in plans:
            yield pytest.param(name, options, scheduler, id="-".join([name, *(f"{k}={v}" for k, v in options.items())]))


@needs_torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optim", ["sgd", "adam"])
@pytest.mark.parametrize(("name", "options", "scheduler"), list(plan_cases()))
def test_a_schedule_is_that_of_torch(name, options, scheduler, optim, dtype):
    training = Training(optim, schedule=name, schedule_options=options)
    network = small(dtype, lr=0.1, training=training)
    twins = Twins.of(network)
    optimizer = outside(training, network.lr, twins.trained)
    largest = together(twins, optimizer, half_mse, scheduler=scheduler(optimizer))
    note("SCHEDULES", name, ORACLE, largest if dtype == "float64" else 0.0)


def rates(name: str, options: Mapping[str, Any], steps: int) -> list[float]:
    """The learning rates of the first updates."""
    network = small(lr=0.5, training=Training(schedule=name, schedule_options=options))
    machine, found = Machine(build(network)), []
    for t in range(steps):
        machine.run(t, 1, np.empty(1))
        found.append(float(machine.arrays["lr"]))
    return found


@pytest.mark.parametrize(
    ("name", "options", "end"),
    [
        ("cosine", {"steps": 6, "least": 0.125}, 0.125),
        ("warm-up", {"steps": 6}, 0.5),
        ("one-cycle", {"steps": 7}, 0.5 / 25 / 10000),
        ("one-cycle", {"steps": 7, "rise": 1.0}, 0.5),
    ],
)
def test_a_schedule_that_is_over_stays_where_it_ended(name, options, end):
    found = rates(name, options, 12)
    assert found[6:] == pytest.approx([end] * 6, rel=1e-12)
    assert abs(found[5] / end - 1) > 0.01


@pytest.mark.parametrize(("steps", "rise"), [(10, 0.1), (4, 0.25), (1, 1.0), (10, 0.0)])
def test_a_cycle_without_a_rise_begins_at_the_peak(steps, rise):
    # PyTorch divides by 0 here.
    found = rates("one-cycle", {"steps": steps, "rise": rise}, 12)
    if rise:
        assert found[0] == 0.5
    assert np.isfinite(found).all()
    assert found == sorted(found, reverse=True)


# Clipping


def clipper(value: float | None, norm: float | None) -> Callable[[Any], None]:
    def clip(trained: Any) -> None:
        if value is not None:
            torch.nn.utils.clip_grad_value_(trained, value)
        if norm is not None:
            torch.nn.utils.clip_grad_norm_(trained, norm)

    return clip


@needs_torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optim", ["sgd", "adam"])
@pytest.mark.parametrize(
    ("value", "norm", "clips"),
    [(0.05, None, True), (None, 0.3, True), (0.2, 0.3, True), (100.0, None, False), (None, 100.0, False)],
)
def test_clipping_is_that_of_torch(value, norm, clips, optim, dtype):
    training = Training(optim, clip_value=value, clip_norm=norm)
    network = small(dtype, lr=0.05, training=training)
    twins = Twins.of(network)
    together(twins, outside(training, network.lr, twins.trained), half_mse, clip=clipper(value, norm))
    free = Machine(build(small(dtype, lr=0.05, training=Training(optim))))
    free.run(0, STEPS, np.empty(STEPS))
    apart = max(error(twins.machine.arrays[p], free.arrays[p]) for p in twins.program.parameters)
    assert (apart > 1e-3) == clips


# Frozen parameters and penalties


@needs_torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optim", ["sgd", "adamw"])
@pytest.mark.parametrize(
    ("freeze", "frozen"),
    [(("b*",), ("b1", "b2")), (("W1",), ("W1",)), (("*1",), ("W1", "b1")), (("W2", "b1"), ("W2", "b1"))],
)
def test_frozen_parameters_stay_and_the_others_are_those_of_torch(freeze, frozen, optim, dtype):
    training = Training(optim, clip_norm=0.5)
    network = small(dtype, lr=0.05, freeze=freeze, training=training)
    twins = Twins.of(network, frozen)
    together(twins, outside(training, network.lr, twins.trained), half_mse, clip=clipper(None, 0.5))
    for name in frozen:
        assert twins.machine.arrays[name].tobytes() == twins.program.initial[name].tobytes()
        assert f"{name}.grad" not in twins.program.slots


@needs_torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optim", ["sgd", "adam"])
@pytest.mark.parametrize("freeze", [(), ("W1",)])
@pytest.mark.parametrize(("l1", "l2"), [(0.02, 0.0), (0.0, 0.1), (0.01, 0.05)])
def test_penalties_are_what_torch_differentiates(l1, l2, freeze, optim, dtype):
    training = Training(optim, l1=l1, l2=l2)
    network = small(dtype, lr=0.05, freeze=freeze, training=training)
    twins = Twins.of(network, freeze)
    weights = [name for name in ("W1", "W2") if name not in freeze]

    def loss(p: Tensors) -> Any:
        return half_mse(p) + sum(l1 * p[w].abs().sum() + l2 / 2 * p[w].square().sum() for w in weights)

    together(twins, outside(training, network.lr, twins.trained), loss)
    data_loss = float(half_mse(twins.tensors).detach())
    twins.machine.run(STEPS, 1, np.empty(1))
    assert error(twins.machine.arrays["data_loss"], data_loss) <= CLOSE[dtype]


@needs_torch
def test_a_penalty_l2_is_a_weight_decay_of_weights():
    # With plain descent, and no biases to be decayed, both are the same.
    ways = [Training(l2=0.3), Training(options={"weight_decay": 0.3})]
    machines = [Machine(build(small(freeze=("b*",), training=training))) for training in ways]
    for machine in machines:
        machine.run(0, STEPS, np.empty(STEPS))
    assert max(error(machines[0].arrays[w], machines[1].arrays[w]) for w in ("W1", "W2")) <= 1e-12


# Losses

CLASS_WEIGHTS = (0.5, 2.0, 1.25)
ROWS, PLACES, CLASSES = 6, 2, 3


@dataclass(frozen=True)
class Case:
    """A loss with its options, after an activation, on targets of a kind."""

    loss: str
    act: str = "identity"
    options: Mapping[str, Any] | None = None
    targets: str = "numbers"

    @property
    def id(self) -> str:
        options = [f"{key}={'given' if key == 'class_weights' else v}" for key, v in (self.options or {}).items()]
        return "-".join([self.loss, self.act, *options, self.targets])


def loss_cases() -> Iterator[Case]:
    for reduction in ({}, {"reduction": "sum"}, {"reduction": "mean"}):
        yield from (Case(loss, options=reduction) for loss in ("half-mse", "mse", "mae"))
        for delta in ({}, {"delta": 0.3}, {"delta": 2.0}):
            yield from (Case(loss, options={**delta, **reduction}) for loss in ("huber", "smooth-l1"))
        yield from (
            Case("hinge", options={**margin, **reduction}, targets="signs") for margin in ({}, {"margin": 0.25})
        )
        yield from (Case("bce", act, reduction, "shares") for act in ("identity", "sigmoid", "tanh"))
        yield from (Case("kl-div", "log-softmax", reduction, targets) for targets in ("labels", "distributions"))
        for smoothing in ({}, {"smoothing": 0.1}):
            for weights in ({}, {"class_weights": CLASS_WEIGHTS}):
                for targets in ("labels", "distributions"):
                    options = {**smoothing, **weights, **reduction}
                    yield from (Case("softmax-ce", act, options, targets) for act in ("identity", "softmax"))
                    yield Case("nll", "log-softmax", options, targets)


LOSS_CASES = list(loss_cases())


def drawn_targets(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng(8)
    if kind == "labels":
        return np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])]
    if kind == "distributions":
        shares = random.uniform(0, 1, shape) * (random.uniform(0, 1, shape) > 0.2) + 1e-3 * np.eye(shape[-1])[0]
        return shares / shares.sum(-1, keepdims=True)
    if kind == "signs":
        return random.choice([-1.0, 1.0], shape)
    return random.uniform(0, 1, shape) if kind == "shares" else random.normal(0, 1, shape)


def torch_loss(case: Case, z: Any, y: Any) -> Any:
    """The loss by PyTorch's own functions, of what the last layer gives before its activation."""
    f, options = torch.nn.functional, dict(case.options or {})
    reduction = options.get("reduction", "mean")
    if case.loss in ("softmax-ce", "nll"):
        return classes(case, z, y, reduction)
    if case.loss == "half-mse":
        return 0.5 * f.mse_loss(z, y, reduction="sum") / (len(z) if reduction == "mean" else 1)
    if case.loss == "hinge":
        total = torch.clamp(options.get("margin", 1.0) - y * z, min=0)
        return total.mean() if reduction == "mean" else total.sum()
    if case.loss == "kl-div":
        return f.kl_div(f.log_softmax(z, -1), y, reduction="batchmean" if reduction == "mean" else "sum")
    if case.loss == "bce" and case.act == "sigmoid":
        return f.binary_cross_entropy(torch.sigmoid(z), y, reduction=reduction)
    if case.loss == "bce":
        z = torch.tanh(z) if case.act == "tanh" else z
        return f.binary_cross_entropy_with_logits(z, y, reduction=reduction)
    plain = {"mse": f.mse_loss, "mae": f.l1_loss, "huber": f.huber_loss, "smooth-l1": f.smooth_l1_loss}[case.loss]
    called = {"huber": "delta", "smooth-l1": "beta"}
    more = {called[case.loss]: options["delta"]} if "delta" in options else {}
    return plain(z, y, reduction=reduction, **more)


def classes(case: Case, z: Any, y: Any, reduction: str) -> Any:
    """Cross-entropy over the classes of each place."""
    f, options = torch.nn.functional, dict(case.options or {})
    z, y = z.reshape(-1, CLASSES), y.reshape(-1, CLASSES)
    weights = options.get("class_weights")
    weight = None if weights is None else torch.tensor(weights, dtype=z.dtype)
    smoothing = options.get("smoothing", 0.0)
    if case.targets == "labels" and case.loss == "nll" and not smoothing:
        return f.nll_loss(f.log_softmax(z, 1), y.argmax(1), weight=weight, reduction=reduction)
    wanted = y.argmax(1) if case.targets == "labels" else y
    if case.targets == "distributions" and weight is not None and reduction == "mean":
        # PyTorch divides by the places here, though by the weights where a target is a label; bptui always does that.
        total = f.cross_entropy(z, wanted, weight, reduction="sum", label_smoothing=smoothing)
        return total / (y * weight).sum()
    return f.cross_entropy(z, wanted, weight, reduction=reduction, label_smoothing=smoothing)


def loss_network(case: Case, dtype: str, *, places: bool) -> Network:
    middle = (PLACES,) if places else ()
    x, y = networks.numbers(ROWS, *middle, 4), drawn_targets(case.targets, (ROWS, *middle, CLASSES))
    # What is summed over all cells is as much steeper.
    lr = 0.01 if (case.options or {}).get("reduction") == "sum" else 0.1
    return small(dtype, case.act, case.loss, x=x, y=y, lr=lr, loss_options=case.options or {})


def test_every_loss_has_cases():
    assert {case.loss for case in LOSS_CASES} == set(LOSSES)
    for name, row in LOSSES.items():
        assert set(row.options) <= {key for case in LOSS_CASES if case.loss == name for key in case.options or {}}


@needs_torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("places", [False, True], ids=["rows", "places"])
@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.id)
def test_a_loss_and_all_its_gradients_are_those_of_torch(case, places, dtype):
    network = loss_network(case, dtype, places=places)
    twins = Twins.of(network)
    optimizer = torch.optim.SGD(twins.trained, network.lr)
    for t in range(10):
        twins.update(t, lambda p: torch_loss(case, last(p), p["y"]), optimizer, None)
        largest = worst(twins.errors(), CLOSE[dtype], f"after update {t + 1}")
        largest = max(largest, worst(twins.gradient_errors(), CLOSE[dtype], f"in update {t + 1}"))
        note("LOSSES", case.loss, ORACLE, largest if dtype == "float64" else 0.0)


# The classic mistake


def prediction_after_one_update(training: Training) -> float:
    machine = Machine(build(networks.article(training=training)))
    machine.run(0, 1, np.empty(1))
    machine.begin(1)
    machine.segment(0, machine.program.loss_index + 1)()
    return float(machine.arrays[machine.program.output].item())


def test_updates_that_wait_for_all_gradients_give_the_articles_number():
    assert prediction_after_one_update(Training()) == pytest.approx(0.2557457808075, rel=1e-14)


def test_updates_one_after_the_other_give_the_number_of_the_classic_mistake():
    found = prediction_after_one_update(Training(sequential=True))
    assert f"{found:.5f}" == "0.26063"
    assert found == pytest.approx(0.2606283439969392, rel=1e-14)


def test_the_listing_shows_the_mistake():
    wrong = [i.source for i in build(networks.article(training=Training(sequential=True))).instructions]
    right = [i.source for i in build(networks.article()).instructions]
    assert sorted(wrong) == sorted(right)
    updated, taken = "W2 = W2 - lr * W2.grad", "z1.grad = z2.grad @ W2.T"
    assert wrong.index(updated) == wrong.index(taken) - 1
    assert right.index(updated) > right.index(taken)


def sequential_twin(p: dict[str, Any], lr: float, momentum: float, m: dict[str, Any]) -> None:
    """4-5-3 by hand: each layer's weights change before the gradient goes on through them."""
    h = torch.tanh(p["x"] @ p["W1"] + p["b1"])
    g = (h @ p["W2"] + p["b2"] - p["y"]) / len(p["y"])
    for layer, read in (("2", h), ("1", p["x"])):
        for name, gradient in ((f"W{layer}", read.T @ g), (f"b{layer}", g.sum(0))):
            m[name] = momentum * m[name] + gradient if name in m else gradient
            p[name] = p[name] - lr * m[name]
        if layer == "2":
            g = g @ p["W2"].T * (1 - h * h)


@needs_torch
def test_sequential_updates_are_those_done_by_hand():
    training = Training("sgd", {"momentum": 0.5}, sequential=True)
    twins, m = Twins.of(small(lr=0.2, training=training)), {}
    with torch.no_grad():
        for t in range(STEPS):
            twins.machine.run(t, 1, np.empty(1))
            sequential_twin(twins.tensors, 0.2, 0.5, m)
            for name in twins.program.parameters:
                assert error(twins.machine.arrays[name], twins.tensors[name].detach().numpy()) <= 1e-10


@pytest.mark.parametrize("optim", OPTIMIZERS)
@pytest.mark.parametrize("clip", [{}, {"clip_value": 0.05}], ids=["free", "value"])
def test_every_optimizer_may_be_told_to_make_the_mistake(optim, clip):
    settings = {"schedule": "cosine", "schedule_options": {"steps": 40}, **clip}
    right, wrong = (
        build(small(lr=0.05, training=Training(optim, sequential=sequential, **settings)))
        for sequential in (False, True)
    )
    phases = [i.phase for i in wrong.instructions]
    assert phases != sorted(phases, key=["data", "forward", "loss", "backward", "update"].index)
    updated = max(k for k, i in enumerate(wrong.instructions) if i.writes == "W2")
    assert updated < next(k for k, i in enumerate(wrong.instructions) if i.writes == "a1.grad")
    first, second = Machine(right), Machine(wrong)
    for machine in (first, second):
        machine.run(0, 5, np.empty(5))
    # The last layer's first update has seen nothing of the mistake; later ones have.
    assert error(second.arrays["W1"], first.arrays["W1"]) > 1e-9
