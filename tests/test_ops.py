"""Every row of the op table, walked so that none escapes.

Oracles: PyTorch in float64 (where it is installed) for values and gradients; central finite differences of the compiled
program; plain NumPy for the shown source, which has to give the very bits that ran.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import networks
import numpy as np
import pytest
import slow

from bptui.engine.build import build
from bptui.engine.machine import Machine
from bptui.engine.network import Network, Node
from bptui.engine.ops import ACTIVATIONS, LOSSES, OPS
from bptui.engine.player import Moment, Player
from bptui.engine.program import Instruction, Program
from bptui.engine.timeline import Position, Timeline
from bptui.explain.formulas import formula, has_formula

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch, the oracle, is not installed")
CLOSE: dict[str, float] = {"rtol": 1e-10, "atol": 1e-13}

# Where the values come from


def targets(loss: str, rows: int, columns: int, random: np.random.Generator) -> np.ndarray:
    """Targets such as the loss is meant for."""
    if LOSSES[loss].classes:
        return np.eye(columns)[random.integers(0, columns, rows)]
    if loss == "hinge":
        return random.choice([-1.0, 1.0], (rows, columns))
    return random.uniform(0, 1, (rows, columns)).round(2)


def random_network(
    acts: tuple[str, str], loss: str, *, bias: bool, dtype: str, rows: int, skip: bool, drawn: bool, seed: int
) -> Network:
    """inputs → hidden → (added to a second hidden) → outputs, of random widths."""
    random = np.random.default_rng(seed)
    inputs, hidden, outputs = (int(n) for n in random.integers(1, 5, 3))
    outputs += LOSSES[loss].classes
    first = Node("h1", ("x",), hidden, act=acts[0], bias=bias)
    last = Node("out", ("s" if skip else "h1",), outputs, act=acts[1], bias=bias)
    between = (
        (Node("h2", ("h1",), hidden, act=acts[0], bias=bias), Node("s", ("h1", "h2"), 0, op="add")) if skip else ()
    )
    total = rows * 2 + 1 if drawn else rows
    settings: dict[str, Any] = {"loss": loss, "dtype": dtype, "lr": 0.1, "seed": seed, "batch": rows if drawn else None}
    return Network(
        (first, *between, last), random.normal(0, 1, (total, inputs)), targets(loss, total, outputs, random), **settings
    )


def every_network() -> Iterator[tuple[str, Network]]:
    """All activations × losses, with bias, dtype, batches of 1 to 5, skips and drawn batches in turn."""
    for seed, (act, loss) in enumerate(itertools.product(ACTIVATIONS, LOSSES)):
        bias, dtype = seed % 7 < 4, ("float64", "float32")[seed // 2 % 2]
        hidden = list(ACTIVATIONS)[seed % len(ACTIVATIONS)]
        rows, skip, drawn = 1 + seed % 5, seed % 3 == 0, seed % 4 == 0
        network = random_network(
            (hidden, act), loss, bias=bias, dtype=dtype, rows=rows, skip=skip, drawn=drawn, seed=seed
        )
        yield f"{hidden}-{act}-{loss}-{dtype}-batch{rows}-bias{int(bias)}-skip{int(skip)}-drawn{int(drawn)}", network


NETWORKS = dict(every_network())


def begun(program: Program) -> Player:
    return Player(Timeline(program))


# Nothing escapes


def test_the_networks_hold_every_op():
    used = {i.op for network in NETWORKS.values() for i in build(network).instructions}
    wanted = {*ACTIVATIONS.values(), *ON_ONE_CELL, "dense", "dense+b", "add", "draw", "sgd"} - {""}
    assert used >= wanted
    assert used >= {backward for name in wanted for backward, _ in OPS[name].vjps.values()}


def test_every_op_has_a_formula():
    """Each really written, of a sampled cell, for every instruction of every network here; the rest: test_formulas."""
    seen = set()
    for network in NETWORKS.values():
        program = build(network)
        player, before = begun(program), begun(program).state()
        for k, instruction in enumerate(program.instructions):
            player.goto(player.timeline, Position(0, k + 1))
            after = player.state()
            if instruction.op not in seen:
                made = formula(program, Moment(k, before, after), program.size(k) - 1)
                assert made.left and len(made.rows) >= 2, instruction.source
                seen.add(instruction.op)
            before = after
    assert all(has_formula(op) for op in OPS)


def test_every_gradient_has_an_oracle():
    for op in OPS.values():
        assert set(op.vjps) - {"b"} <= set(op.args), f"{op.name} differentiates what it does not read"
        assert all(backward in OPS for backward, _ in op.vjps.values())


def test_an_oracle_is_of_an_op():
    assert set(ORACLES) <= set(OPS)


# What is shown is what ran


@pytest.mark.parametrize("name", NETWORKS)
def test_the_shown_source_gives_the_same_bits(name):
    program = build(NETWORKS[name])
    player, model = begun(program), slow.Run(program, [])
    for t in range(3):
        model.draw(t)
        for k, instruction in enumerate(program.instructions):
            player.goto(player.timeline, Position(t, k + 1))
            model.arrays[instruction.writes][...] = slow.evaluate(program, k, model.arrays)
            found, expected = player.machine.arrays[instruction.writes], model.arrays[instruction.writes]
            assert found.tobytes() == expected.tobytes(), f"{instruction.source}: {found} is not {expected}"


def times_a_single_zero(instruction: Instruction, arrays: dict[str, np.ndarray]) -> bool:
    """The one exception (see `Lowering._product`): `dot` with a single cell that is 0 gives 0 for nan, `@` nan."""
    read = [arrays[slot] for slot in instruction.reads]
    return "@" in instruction.text and any(array.size == 1 and float(array.reshape(())) == 0 for array in read)


@pytest.mark.parametrize("number", [800.0, -800.0, 0.0, -0.0, 1e-300, 1e300, np.inf, -np.inf, np.nan])
def test_the_shown_source_gives_the_same_bits_at_the_edges(number):
    for network in [n for n in NETWORKS.values() if n.dtype == "float64"][::3]:
        program = build(network)
        machine, model = Machine(program), slow.Run(program, [])
        for arrays in (machine.arrays, model.arrays):
            first = program.parameters[0]
            arrays[first].reshape(-1)[0] = number
            arrays["lr"][...] = 0.5
        machine.begin(0)
        model.draw(0)
        for k, instruction in enumerate(program.instructions):
            with machine.quiet():
                machine.execute(k)
            model.arrays[instruction.writes][...] = slow.evaluate(program, k, model.arrays)
            found, expected = machine.arrays[instruction.writes], model.arrays[instruction.writes]
            if times_a_single_zero(instruction, model.arrays):
                model.arrays[instruction.writes][...] = found
                continue
            # One nan is as good as another; everything else is compared by its bits.
            assert np.isnan(found).tobytes() == np.isnan(expected).tobytes(), instruction.source
            assert np.nan_to_num(found, nan=0).tobytes() == np.nan_to_num(expected, nan=0).tobytes(), instruction.source


# PyTorch

Oracle = Callable[..., Any]


def mean(divisor: Callable[[Any], int]) -> Callable[[Callable[[Any, Any], Any]], Oracle]:
    """A loss as a sum over a divisor of its first operand."""
    return lambda total: lambda p, y: total(p, y) / divisor(p)


def rows(p: Any) -> int:
    return int(p.shape[0])


def cells(p: Any) -> int:
    return int(p.numel())


ORACLES: dict[str, Oracle] = {
    "dense": lambda x, W: torch.nn.functional.linear(x, W.T),
    "dense+b": lambda x, W, b: torch.nn.functional.linear(x, W.T, b),
    "add": lambda a, b: a + b,
    "sigmoid": lambda z: torch.sigmoid(z),
    "tanh": lambda z: torch.tanh(z),
    "relu": lambda z: torch.relu(z),
    "leaky-relu": lambda z: torch.nn.functional.leaky_relu(z, 0.01),
    "softmax": lambda z: torch.softmax(z, 1),
    "log-softmax": lambda z: torch.log_softmax(z, 1),
    "elu": lambda z: torch.nn.functional.elu(z),
    "selu": lambda z: torch.selu(z),
    "gelu": lambda z: torch.nn.functional.gelu(z),
    "gelu-tanh": lambda z: torch.nn.functional.gelu(z, approximate="tanh"),
    "silu": lambda z: torch.nn.functional.silu(z),
    "mish": lambda z: torch.nn.functional.mish(z),
    # PyTorch's own turns to z itself above its threshold.
    "softplus": lambda z: torch.nn.functional.softplus(z, threshold=1000),
    "softsign": lambda z: torch.nn.functional.softsign(z),
    # The gradient of PyTorch's hardsigmoid has its 1/6 in single precision; its relu6 is exact.
    "hard-sigmoid": lambda z: torch.nn.functional.relu6(z + 3) / 6,
    "hard-tanh": lambda z: torch.nn.functional.hardtanh(z),
    "half-mse": mean(rows)(lambda p, y: 0.5 * torch.nn.functional.mse_loss(p, y, reduction="sum")),
    "mse": lambda p, y: torch.nn.functional.mse_loss(p, y),
    "mae": lambda p, y: torch.nn.functional.l1_loss(p, y),
    "huber": lambda p, y: torch.nn.functional.huber_loss(p, y),
    "smooth-l1": lambda p, y: torch.nn.functional.smooth_l1_loss(p, y),
    "hinge": lambda p, y: torch.relu(1 - y * p).mean(),
    "nll": mean(rows)(lambda p, y: -(y * p).sum()),
    "kl-div": lambda p, y: torch.nn.functional.kl_div(p, y, reduction="batchmean"),
    "bce": lambda p, y: torch.nn.functional.binary_cross_entropy(p, y),
    "bce-logits": lambda z, y: torch.nn.functional.binary_cross_entropy_with_logits(z, y),
    "softmax-ce": mean(rows)(lambda p, y: -(y * torch.clamp(torch.log(p), min=-100)).sum()),
    "softmax-ce-logits": lambda z, y: torch.nn.functional.cross_entropy(z, y),
}
PROBABILITIES = ("bce", "softmax-ce")
ON_ONE_CELL = {loss.op for loss in LOSSES.values()} | {loss.logits for loss in LOSSES.values()}


def operands(op: str, batch: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Random operands of random widths."""
    n, m = (int(k) for k in random.integers(2, 6, 2))
    shapes = {"x": (batch, n), "W": (n, m)} | ({"b": (m,)} if op == "dense+b" else {})
    values = {role: random.normal(0, 2, shapes.get(role, (batch, m))) for role in OPS[op].args}
    if op in PROBABILITIES:
        values["p"] = random.uniform(0.01, 0.99, values["p"].shape)
    if op in PROBABILITIES or op == "bce-logits":
        values["y"] = random.uniform(0, 1, values["y"].shape)
    if op.startswith(("softmax-ce", "nll", "kl-div")):
        values["y"] = np.eye(m)[random.integers(0, m, batch)]
    return values


def divisor(op: str, values: dict[str, np.ndarray]) -> int:
    """What `n` the builder would give the instruction."""
    first = values[OPS[op].args[0]]
    if not OPS[op].scaled:
        return 1
    kind = next(loss.mean for loss in LOSSES.values() if op in (loss.op, loss.logits))
    return first.size if kind == "cells" else len(first)


def evaluated(op: str, values: dict[str, np.ndarray], n: int) -> np.ndarray:
    """An op's shown source on these operands; that it is what runs is another test's business."""
    text = OPS[op].text({"n": n})
    with np.errstate(all="ignore"):
        return np.asarray(eval(text, {"np": np, **slow.NAMESPACE}, dict(values)))


def gradient(op: str, role: str, values: dict[str, np.ndarray], out: np.ndarray, g: np.ndarray, n: int) -> np.ndarray:
    """The gradient of an argument by the op's vjp row."""
    backward, reads = OPS[op].vjps[role]
    known = {**values, "out": out, "g": g}
    given = dict(zip(OPS[backward].args, (known[name] for name in reads), strict=True))
    return evaluated(backward, given, n)


def compare_with_torch(op: str, values: dict[str, np.ndarray], random: np.random.Generator, **close: float) -> None:
    """Value and every gradient of one op against PyTorch's."""
    n, out = divisor(op, values), None
    out = evaluated(op, values, n)
    tensors = {role: torch.tensor(value, dtype=torch.float64, requires_grad=True) for role, value in values.items()}
    expected = ORACLES[op](*tensors.values())
    np.testing.assert_allclose(out, expected.detach().numpy(), **close)
    g = np.ones(()) if op in ON_ONE_CELL else random.normal(0, 1, out.shape)
    expected.backward(torch.tensor(g))
    for role in values.keys() & OPS[op].vjps.keys():
        found = gradient(op, role, values, out, g, n)
        np.testing.assert_allclose(found, tensors[role].grad.numpy(), err_msg=f"{op} by {role}", **close)


@needs_torch
@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("op", sorted(ORACLES))
def test_values_and_gradients_are_those_of_torch(op, batch):
    for seed in range(5):
        random = np.random.default_rng(seed)
        compare_with_torch(op, operands(op, batch, random), random, **CLOSE)


@needs_torch
@pytest.mark.parametrize("op", ["sigmoid", "tanh", "relu", "leaky-relu", "softmax", "bce-logits", "softmax-ce-logits"])
def test_extreme_values_are_those_of_torch(op):
    random = np.random.default_rng(1)
    values = operands(op, 3, random)
    values["z"][0] = np.resize([800.0, -800.0, 30.0, -30.0, 0.5], values["z"].shape[1])
    values["z"][1] = np.resize([1e-8, -700.0, 36.0, -36.0], values["z"].shape[1])
    compare_with_torch(op, values, random, rtol=1e-10, atol=1e-15)


@needs_torch
@pytest.mark.parametrize("op", PROBABILITIES)
def test_probabilities_of_0_and_1_are_those_of_torch(op):
    random = np.random.default_rng(2)
    values = operands(op, 3, random)
    values["y"] = np.eye(values["p"].shape[1])[[0, 1, 0]]
    values["p"][0, :2] = 0.0, 1.0
    out = evaluated(op, values, divisor(op, values))
    tensors = [torch.tensor(value) for value in values.values()]
    np.testing.assert_allclose(out, ORACLES[op](*tensors).numpy(), **CLOSE)


@needs_torch
def test_the_gradient_of_bce_at_0_and_1_is_that_of_torch():
    values = {"p": np.array([[0.0, 1.0, 1e-13, 0.5]]), "y": np.array([[1.0, 0.0, 0.0, 1.0]])}
    # PyTorch clamps at 1e-12 as a float32 has it.
    compare_with_torch("bce", values, np.random.default_rng(0), rtol=1e-8, atol=1e-13)


# Whole programs


def torch_step(network: Network, program: Program) -> tuple[float, dict[str, np.ndarray]]:
    """The loss and every parameter's gradient of the first iteration, by PyTorch's own autograd."""
    parameters = {name: torch.tensor(program.initial[name], requires_grad=True) for name in program.parameters}
    values = {"x": torch.tensor(network.x)}
    for node in program.network.nodes:
        values[node.key] = torch_node(node, [values[key] for key in node.inputs], parameters)
    op = program.instructions[program.loss_index].op
    loss = ORACLES[op](values[program.network.nodes[-1].key], torch.tensor(network.y))
    loss.backward()
    return float(loss.detach()), {name: tensor.grad.numpy() for name, tensor in parameters.items()}


def torch_node(node: Node, inputs: list[Any], parameters: dict[str, Any]) -> Any:
    if node.op == "add":
        return ORACLES["add"](*inputs)
    b = parameters.get("b" + node.suffix)
    z = torch.nn.functional.linear(inputs[0], parameters["W" + node.suffix].T, b)
    return ORACLES[node.act](z) if node.act != "identity" else z


WHOLE = [name for name, network in NETWORKS.items() if network.dtype == "float64" and network.batch is None]


@needs_torch
@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_backward_pass_is_that_of_torch(name):
    network = NETWORKS[name]
    program = build(network)
    loss, gradients = torch_step(network, program)
    player = begun(program)
    player.goto(player.timeline, Position(0, len(program)))
    np.testing.assert_allclose(player.machine.arrays["loss"], loss, rtol=1e-10)
    for parameter, expected in gradients.items():
        np.testing.assert_allclose(player.machine.arrays[f"{parameter}.grad"], expected, rtol=1e-9, atol=1e-14)


SMOOTH = ("identity", "sigmoid", "tanh", "softmax")


def is_smooth(network: Network) -> bool:
    return all(node.act in SMOOTH for node in network.nodes)


@pytest.mark.parametrize("name", [name for name in WHOLE if is_smooth(NETWORKS[name])] + ["relus"])
def test_gradients_are_those_of_finite_differences(name):
    network = networks.skip_net() if name == "relus" else NETWORKS[name]
    program = build(network)
    machine = Machine(program)
    machine.begin(0)
    with machine.quiet():
        machine.segment(0, len(program.instructions) - 1)()
    to_loss = Machine(program)
    for parameter in program.parameters:
        if f"{parameter}.grad" not in program.slots:
            continue
        for cell in range(program.slots[parameter].size):
            found = float(machine.arrays[f"{parameter}.grad"].reshape(-1)[cell])
            assert found == pytest.approx(slope(to_loss, parameter, cell), rel=1e-5, abs=1e-8), parameter


def slope(machine: Machine, parameter: str, cell: int, h: float = 1e-5) -> float:
    """(loss(w + h) − loss(w − h)) / 2h, by the compiled program."""
    losses = []
    for step in (h, -h):
        machine.reset()
        machine.begin(0)
        machine.arrays[parameter].reshape(-1)[cell] += step
        with machine.quiet():
            machine.segment(0, machine.program.loss_index + 1)()
        losses.append(float(machine.arrays["loss"]))
    return (losses[0] - losses[1]) / (2 * h)


# The listing says what the loss works on


@pytest.mark.parametrize(
    ("loss", "act", "op"),
    [("bce", "sigmoid", "bce"), ("bce", "identity", "bce-logits"), ("bce", "tanh", "bce-logits"), ("softmax-ce", "softmax", "softmax-ce"),
     ("softmax-ce", "sigmoid", "softmax-ce"), ("softmax-ce", "identity", "softmax-ce-logits"), ("softmax-ce", "relu", "softmax-ce-logits"),
     ("mse", "sigmoid", "mse"), ("half-mse", "softmax", "half-mse")],
)  # fmt: skip
def test_the_loss_sees_probabilities_or_logits(loss, act, op):
    network = random_network(("tanh", act), loss, bias=True, dtype="float64", rows=2, skip=False, drawn=False, seed=1)
    program = build(network)
    assert program.instructions[program.loss_index].op == op


def test_a_division_by_a_batch_of_one_is_left_out():
    one = random_network(
        ("tanh", "identity"), "half-mse", bias=True, dtype="float64", rows=1, skip=False, drawn=False, seed=1
    )
    two = random_network(
        ("tanh", "identity"), "half-mse", bias=True, dtype="float64", rows=2, skip=False, drawn=False, seed=1
    )
    sources = [
        [i.source for i in build(network).instructions if i.phase in ("loss", "backward")] for network in (one, two)
    ]
    assert not any(re.search(r"/ 1$", line) or "/ 2" in line for line in sources[0])
    assert sum("/ 2" in line for line in sources[1]) == 2
