"""What is shown is what ran, and however it is run: the same bits, for every op that a network may be made of.

The networks here hold between them every kind of layer, activation, loss, optimizer and schedule. Each is trained for a
few iterations five ways: freely (updates fused), freely with a stop in it, instruction by instruction, in parts of
instructions, and by evaluating each shown line with plain NumPy. Then a player is walked back and forth.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import networks
import numpy as np
import pytest
import slow

from bptui.engine.build import build, build_evaluation
from bptui.engine.kinds import KINDS
from bptui.engine.machine import Machine, Taps
from bptui.engine.network import Network, Node, Training
from bptui.engine.ops import ACTIVATIONS, LOSSES, OPS
from bptui.engine.optimizers import OPTIMIZERS, SCHEDULES
from bptui.engine.player import Player, State, state_at
from bptui.engine.program import Instruction, Program
from bptui.engine.timeline import Position, Timeline, normal

ITERATIONS = 3
# Rows of the table that nothing can emit, and why.
NEVER = {"normalize.x": "the running statistics are used in evaluation alone, which takes no gradient"}

# Optimizers, schedules and clipping, which the networks take in turn

ALL_ON: Mapping[str, list[dict[str, Any]]] = {
    "sgd": [
        {},
        {"momentum": 0.9, "dampening": 0.3},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ],
    "adagrad": [{}, {"lr_decay": 0.1, "initial": 0.2, "weight_decay": 0.1}],
    "rmsprop": [{}, {"centred": True, "momentum": 0.9, "weight_decay": 0.1}],
    "adadelta": [{}, {"weight_decay": 0.1}],
    "adam": [{}, {"weight_decay": 0.1}],
    "adamw": [{}],
    "nadam": [{}, {"weight_decay": 0.1}],
    "radam": [{}, {"weight_decay": 0.1}, {"beta2": 0.6}],
    "adamax": [{}, {"weight_decay": 0.1}],
    "lion": [{}, {"weight_decay": 0.1}],
}
PLANS: Mapping[str, dict[str, Any]] = {
    "constant": {},
    "step": {"every": 2},
    "exponential": {"gamma": 0.9},
    "cosine": {"steps": 5},
    "warm-up": {"steps": 4, "start": 0.2},
    "one-cycle": {"steps": 7},
}
CLIPS: Sequence[dict[str, float]] = (
    {},
    {"clip_value": 0.05},
    {"clip_norm": 0.2},
    {"clip_value": 0.1, "clip_norm": 0.2},
)


def trainings() -> Iterator[tuple[str, Training]]:
    """Every optimizer × schedule × clipping, its options in turn; penalties, and the classic mistake, now and then."""
    for k, (optim, (plan, settings), clip) in enumerate(itertools.product(ALL_ON, PLANS.items(), CLIPS)):
        options = ALL_ON[optim][k % len(ALL_ON[optim])]
        more = {
            "l1": 0.01 * (k % 5 == 1),
            "l2": 0.1 * (k % 7 < 2),
            "sequential": k % 11 == 3 and "clip_norm" not in clip,
        }
        words = [optim, *map(str, options.values()), plan, *clip, *(word for word, on in more.items() if on)]
        yield "-".join(words), Training(optim, options, plan, settings, **clip, **more)


TRAININGS = dict(trainings())


def turn(k: int) -> Training:
    """One of them; neighbours differ in everything."""
    return list(TRAININGS.values())[k * 37 % len(TRAININGS)]


# The networks

Made = Callable[..., Network]
NETWORKS: dict[str, Made] = {}


def given(name: str, nodes: tuple[Node, ...], x: np.ndarray, y: np.ndarray, **settings: Any) -> None:
    """Add a network; its training is the next one in turn."""
    assert name not in NETWORKS, name
    base = {"lr": 0.05, "seed": len(NETWORKS), "training": turn(len(NETWORKS)), **settings}
    NETWORKS[name] = lambda **changes: Network(nodes, x, y, **{**base, **changes})


def node(key: str, reads: tuple[str, ...], op: str, act: str = "identity", **settings: Any) -> Node:
    base = {name: settings.pop(name) for name in ("units", "bias", "shares") if name in settings}
    return Node(key, reads, op=op, act=act, options=settings, **base)


def around(
    op: str, shape: tuple[int, ...], count: int = 1, /, *, act: str = "tanh", last: str = "identity", **settings: Any
) -> None:
    """x → as many hidden layers of that shape as the kind reads → the kind → all its cells into a dense layer."""
    rows = settings.pop("rows", 2)
    hidden = tuple(networks.dense(f"h{k}", "x", shape[-1], act) for k in range(1, count + 1))
    reads = tuple(one.key for one in hidden)
    nodes = (
        *hidden,
        node("k", reads, op, last, **settings),
        node("f", ("k",), "flatten"),
        networks.dense("out", "f", 2),
    )
    words = [op, "×".join(map(str, shape)), *(f"{key}={value}" for key, value in settings.items())]
    loss = ("half-mse", "mse", "huber")[len(NETWORKS) % 3]
    random = np.random.default_rng(len(NETWORKS))
    x, y = random.normal(0, 1, (rows, *shape[:-1], 3)), random.normal(0, 1, (rows, 2))
    given("-".join(words).replace(" ", ""), nodes, x, y, loss=loss)


# Arithmetic; quotients, logarithms and roots of what is above 0.
for _op in ("add", "sub", "mul", "minimum", "maximum"):
    around(_op, (5,), 2)
for _op in ("div", "pow"):
    around(_op, (5,), 2, act="softplus")
for _op in (
    "neg",
    "exp",
    "abs",
    "square",
    *(act for act in ACTIVATIONS if act not in ("identity", "softmax", "log-softmax")),
):
    around(_op, (5,))
for _op in ("log", "sqrt"):
    around(_op, (5,), act="softplus")
around("clip", (7,), low=-0.4, high=0.3)
around("scale", (5,), by=-0.7)
around("shift", (5,), by=0.3)
for _op in ("softmax", "log-softmax"):
    around(_op, (5,))
    around(_op, (3, 4), axis=1)
around("matmul", (3, 3), 2)
around("matmul", (2, 3, 3), 2)
# Reductions, some long enough for a pairwise sum.
for _op in ("sum", "mean", "max", "min", "var", "logsumexp"):
    around(_op, (3, 4))
    around(_op, (3, 4), axis=1, keepdims=True)
    around(_op, (3, 2, 4), axis=(1, 3))
around("var", (6,), correction=1, axis=1)
around("mean", (150, 3), axis=1)
around("sum", (3, 150), axis=2)
around("logsumexp", (140, 2), axis=1)
# Rearranging
around("reshape", (3, 4), shape=(2, -1))
around("flatten", (2, 3, 2))
around("squeeze", (1, 4), axis=1)
around("unsqueeze", (4,), axis=2)
around("transpose", (2, 3, 4))
around("transpose", (2, 3, 4), axes=(2, 1, 3))
around("concat", (3, 2), 3, axis=2)
around("slice", (7,), start=1, stop=6, step=2)
around("slice", (4, 3), start=-2, axis=1)
around("split", (4, 2), part=2, of=2)
around("pad", (3,), before=2, after=1)
around("pad", (2, 3), before=1, after=0, axis=1, value=0.5)
around("tile", (2, 3), reps=(2, 3))
around("expand", (1, 3), shape=(4, 3))
around("tril", (3, 3))
around("triu", (3, 4), k=1)
around("position", (3, 4))
around("dropout", (20,), rate=0.3)
# Dense layers, on more axes and larger than a vector register
around("dense", (2, 3), units=4, last="silu")
around("dense", (2, 3), units=4, bias=False, rows=1)
around("dense", (37,), units=70, rows=33)
# Convolutions and pools
around("conv", (2, 5), out=3, kernel=3, pad="same")
around("conv", (2, 6, 5), out=3, kernel=(2, 3), stride=(2, 1), pad=1, bias=False)
around("conv", (4, 6, 6), out=6, kernel=2, dilation=2, groups=2, last="relu")
around("conv", (4, 5), out=4, kernel=2, groups=4, bias=False)
around("conv-transpose", (2, 3, 3), out=3, kernel=3, stride=2, pad=1, extra=1)
around("conv-transpose", (2, 4), out=2, kernel=2, stride=2, bias=False)
around("max-pool", (2, 4, 4), kernel=2)
around("max-pool", (2, 7), kernel=3, stride=2, pad=1, dilation=2)
around("avg-pool", (2, 4, 4), kernel=2)
around("avg-pool", (2, 5), kernel=3, stride=1, pad=1)
around("global-max-pool", (3, 4))
around("global-avg-pool", (3, 4, 2))
# Normalisation
around("layer-norm", (3, 4))
around("rms-norm", (5,))
around("rms-norm", (2, 4))
around("batch-norm", (4,), rows=3, last="relu")
around("batch-norm", (3, 4), momentum=0.3)
around("group-norm", (4, 3), groups=2)
around("instance-norm", (2, 4))
# Attention and recurrent layers
around("attention", (3, 4), 3)
around("attention", (3, 4), 3, causal=True)
around("multi-head", (3, 4), heads=2, causal=True)
around("multi-head", (3, 4), heads=2, bias=False)
for _op in ("rnn", "lstm", "gru"):
    around(_op, (3, 2), units=3)
    around(_op, (3, 2), units=2, last="tanh", bias=False)
    NETWORKS[f"{_op}-all"] = NETWORKS.pop(list(NETWORKS)[-1])
around("rnn", (3, 2), units=3, gate="identity")
# Large enough for products and sums to be done in blocks
given(
    "large",
    (networks.dense("1", "x", 40, "tanh"), networks.dense("2", "1", 19, "gelu"), networks.dense("3", "2", 3)),
    networks.numbers(33, 150),
    np.eye(3)[np.arange(33) % 3],
    loss="softmax-ce",
)


def targets(loss: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Targets such as a loss is meant for."""
    random = np.random.default_rng(seed)
    if LOSSES[loss].classes:
        return np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])]
    return random.choice([-1.0, 1.0], shape) if loss == "hinge" else random.uniform(0, 1, shape)


def ending(loss: str, act: str, shape: tuple[int, ...] = (4,), **options: Any) -> None:
    """A loss after an activation, for each of some places."""
    nodes = (networks.dense("1", "x", 4, "tanh"), networks.dense("2", "1", shape[-1], act))
    y = targets(loss, (3, *shape), len(NETWORKS))
    x = networks.numbers(3, *shape[:-1], 3)
    words = [loss, act, "×".join(map(str, shape)), *(f"{key}={value}" for key, value in options.items())]
    given("-".join(words).replace(" ", ""), nodes, x, y, loss=loss, loss_options=options)


WEIGHTS = (0.5, 1.0, 2.0, 1.5)
for _loss in LOSSES:
    for _act in ("identity", "softmax", "log-softmax"):
        ending(_loss, _act)
    ending(_loss, "sigmoid", (2, 4))
    ending(_loss, "sigmoid", reduction="sum")
for _act in ("identity", "softmax"):
    ending("softmax-ce", _act, class_weights=WEIGHTS)
    ending("softmax-ce", _act, (2, 4), smoothing=0.1, class_weights=WEIGHTS)
ending("nll", "log-softmax", class_weights=WEIGHTS)
ending("nll", "log-softmax", smoothing=0.2, class_weights=WEIGHTS, reduction="sum")
ending("huber", "identity", delta=0.3)
ending("smooth-l1", "identity", delta=0.3)
ending("hinge", "identity", margin=0.3)

# Graphs: what is added where shapes differ, what is read more than once, shared and frozen weights, several inputs
given(
    "where",
    (
        networks.dense("a", "x", 4, "tanh"),
        networks.dense("b", "x", 4, "sigmoid"),
        node("k", ("c", "a", "b"), "where"),
    ),
    networks.numbers(3, 3),
    networks.numbers(3, 4),
    more={"c": np.arange(12).reshape(3, 4) % 3},
    loss="mae",
)
given(
    "matmul of one and many",
    (
        networks.dense("a", "x", 3, "tanh"),
        node("b", ("a",), "sum", axis=1, keepdims=True),
        node("c", ("a", "b"), "matmul"),
        node("d", ("c",), "flatten"),
        networks.dense("out", "d", 2),
    ),
    networks.numbers(2, 4, 3, 3),
    networks.numbers(2, 2),
)
given(
    "broadcast",
    (
        networks.dense("a", "x", 4, "tanh"),
        node("m", ("a",), "mean", axis=1, keepdims=True),
        node("n", ("a",), "max", axis=2, keepdims=True),
        node("s", ("m", "n"), "add"),
        node("p", ("a", "m"), "mul"),
        node("q", ("p", "s"), "sub"),
        node("w", ("m", "q", "n"), "where"),
        node("f", ("w",), "flatten"),
        networks.dense("out", "f", 2, "sigmoid"),
    ),
    networks.numbers(2, 3, 3),
    targets("bce", (2, 2), 1),
    loss="bce",
)
given(
    "shared",
    (
        node("e", ("x",), "embedding", rows=6, columns=3),
        node("o", ("z",), "embedding", rows=6, columns=3, shares="e"),
        node("s", ("e", "o"), "add"),
        node("f", ("s",), "flatten"),
        networks.dense("h", "f", 6, "selu"),
        networks.dense("i", "h", 6, "mish", freeze=("b",)),
        networks.dense("j", "i", 6, "gelu", shares="i"),
        node("t", ("h", "i", "j"), "concat"),
        networks.dense("out", "t", 4),
    ),
    np.array([[0, 1], [5, 2], [1, 1], [4, 0], [3, 3.0]]),
    targets("softmax-ce", (5, 4), 2),
    more={"z": np.array([[2, 0], [1, 5], [1, 4], [3, 2], [0, 0.0]])},
    loss="softmax-ce",
    batch=2,
)
given(
    "frozen",
    (networks.dense("1", "x", 4, "tanh", bias=False), node("2", ("1",), "batch-norm"), networks.dense("3", "2", 2)),
    networks.numbers(5, 3),
    networks.numbers(5, 2),
    batch=3,
    freeze=("W1", "b*"),
)
given(
    "nothing trained",
    (networks.dense("1", "x", 4, "tanh"),),
    networks.numbers(3, 3),
    networks.numbers(3, 4),
    freeze=("*",),
)
KIND_NETWORKS = tuple(NETWORKS)


def drawn(training: Training) -> Made:
    """A net for an optimizer, batches drawn; two layers where their order matters."""
    nodes = (networks.dense("1", "x", 2, "tanh"),)
    if training.sequential:
        nodes = (networks.dense("1", "x", 3, "tanh"), networks.dense("2", "1", 2))
    x, y = networks.numbers(5, 3), networks.numbers(5, 2)
    return lambda **changes: Network(
        nodes, x, y, **{"lr": 0.05, "batch": 2, "seed": 3, "training": training, **changes}
    )


NETWORKS |= {f"trained by {name}": drawn(training) for name, training in TRAININGS.items()}
BOTH = ("float64", "float32")


@cache
def program(name: str, dtype: str) -> Program:
    return build(NETWORKS[name](dtype=dtype))


@cache
def evaluation(name: str, dtype: str) -> Program:
    network = NETWORKS[name](dtype=dtype)
    return build_evaluation(network, network.x, network.y, network.more)


# Nothing escapes


def test_the_networks_hold_every_op_that_can_be_emitted():
    programs = [program(name, "float64") for name in NETWORKS] + [evaluation(name, "float64") for name in KIND_NETWORKS]
    seen = {i.op for one in programs for i in one.instructions}
    assert set(NEVER) <= set(OPS)
    assert seen == set(OPS) - set(NEVER)


def test_the_networks_hold_every_row_of_every_table():
    made = [make() for make in NETWORKS.values()]
    nodes = [one for network in made for one in network.nodes]
    assert {one.op for one in nodes} == set(KINDS)
    acts = {one.act for one in nodes} | {one.op for one in nodes}
    assert acts >= set(ACTIVATIONS)
    assert {network.loss for network in made} == set(LOSSES)
    held = {
        (n.training.optim, n.training.schedule, "clip_value" in c, "clip_norm" in c) for n in made for c in [clips(n)]
    }
    wanted = itertools.product(OPTIMIZERS, SCHEDULES, (False, True), (False, True))
    assert held == set(wanted)


def clips(network: Network) -> set[str]:
    return {key for key in ("clip_value", "clip_norm") if getattr(network.training, key) is not None}


def test_every_option_of_an_optimizer_is_set_in_one():
    # What only changes a number in a line that is there anyway is left out.
    numbers = {"alpha", "rho", "beta1", "beta2", "eps", "momentum_decay"}
    for optim, row in OPTIMIZERS.items():
        on = {key for options in ALL_ON[optim] for key in options}
        assert on | numbers >= {key for key, value in row.options.items() if not value}


# Ways to run


def freely(one: Program) -> Machine:
    machine = Machine(one)
    with machine.quiet():
        machine.run(0, ITERATIONS, np.empty(ITERATIONS))
    return machine


def watched(one: Program) -> Machine:
    """With a stop that never stops: nothing is fused."""
    machine = Machine(one)
    with machine.quiet():
        done = machine.run(0, ITERATIONS, np.empty(ITERATIONS), Taps([(len(one) // 2, lambda: False)]))
    assert done == (ITERATIONS, 0)
    return machine


def parts(size: int, turn_: int) -> list[tuple[int, int]]:
    """An instruction's elements in a few pieces: one by one where there are few, else the first and last alone."""
    if size <= 2:
        return [(k, k + 1) for k in range(size)]
    cut = 1 + turn_ % (size - 2)
    return [(a, b) for a, b in itertools.pairwise(sorted({0, 1, cut, size - 1, size}))]


def bits(array: np.ndarray) -> bytes:
    return array.tobytes()


def is_update(one: Program, instruction: Instruction) -> bool:
    """Whether an instruction is an optimizer's: those are taken apart in networks of their own."""
    return instruction.phase == "update" and one.slots[instruction.writes].kind != "statistic"


def in_step(one: Program, iterations: int = ITERATIONS, *, updates: bool = False) -> tuple[Machine, Machine, slow.Run]:
    """Instruction by instruction, in parts, and by the shown line, side by side: after each the same bits.

    updates  whether it is an optimizer's instructions that are taken apart, or all others
    """
    stepped, parted, model = Machine(one), Machine(one), slow.Run(one, [])
    for t in range(iterations):
        stepped.begin(t)
        model.draw(t)
        # In parts in the last iteration alone, from where the others have got to by then.
        last = t == iterations - 1
        if last:
            for name, array in stepped.arrays.items():
                np.copyto(parted.arrays[name], array)
            parted.begin(t)
        for k, instruction in enumerate(one.instructions):
            written = instruction.writes
            with stepped.quiet():
                stepped.execute(k)
                if last and is_update(one, instruction) == updates:
                    for start, stop in parts(one.size(k), k):
                        parted.execute(k, start, stop)
                elif last:
                    np.copyto(parted.arrays[written], stepped.arrays[written])
            model.arrays[written][...] = slow.evaluate(one, k, model.arrays)
            found = stepped.arrays[written]
            assert np.isfinite(found).all(), f"{instruction.source}: nan and inf are another test's business"
            assert bits(found) == bits(model.arrays[written]), f"{t}: shown as {instruction.source}"
            assert not last or bits(found) == bits(parted.arrays[written]), f"{t}: in parts, {instruction.source}"
    return stepped, parted, model


def same_in_every_slot(ways: Mapping[str, Any]) -> None:
    first, *others = ways
    for other in others:
        for slot, array in ways[first].arrays.items():
            assert bits(array) == bits(ways[other].arrays[slot]), f"{slot}: {first} is not {other}"


# The kinds and their operations in both precisions; how they are trained in one after the other.
RUN = [
    (name, dtype)
    for k, name in enumerate(NETWORKS)
    for dtype in (BOTH if name in KIND_NETWORKS else BOTH[k % 2 : k % 2 + 1])
]


@pytest.mark.parametrize(("name", "dtype"), RUN)
def test_however_it_is_run_and_shown_the_bits_are_the_same(name, dtype):
    one = program(name, dtype)
    stepped, parted, model = in_step(one, updates=name not in KIND_NETWORKS)
    ways = {"stepped": stepped, "in parts": parted, "shown": model, "freely": freely(one)}
    same_in_every_slot(ways | ({"watched": watched(one)} if name in KIND_NETWORKS else {}))
    assert bits(stepped.vector) == bits(parted.vector)


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("name", KIND_NETWORKS)
def test_an_evaluation_gives_the_same_bits(name, dtype):
    one = evaluation(name, dtype)
    stepped, parted, model = in_step(one, 1)
    same_in_every_slot({"stepped": stepped, "in parts": parted, "shown": model, "freely": freely(one)})


def test_updates_are_fused_where_all_wait_for_the_gradients():
    fused = {name for name in NETWORKS if any(i.fused for i in program(name, "float64").instructions)}
    alone = {name for name, make in NETWORKS.items() if make().training.sequential} | {"nothing trained"}
    assert fused == set(NETWORKS) - alone
    assert alone


# Back and forth


def places(one: Program, random: np.random.Generator, count: int) -> list[Position]:
    """Positions of the first iterations; every third inside an update or at its ends, every other inside elements."""
    updates = [k for k, i in enumerate(one.instructions) if i.phase == "update"] or [0]
    found = []
    for n in range(count):
        t, op = (
            int(random.integers(0, ITERATIONS)),
            int(random.choice(updates) if n % 3 == 0 else random.integers(0, len(one))),
        )
        found.append(normal(one, t, op, int(random.integers(0, one.size(op) + 1)) if n % 2 else 0))
    return [*found, normal(one, ITERATIONS - 1, len(one), 0)]


def forth(one: Program, positions: Sequence[Position]) -> dict[Position, State]:
    """The states at some positions, by a player that only goes forward."""
    player = Player(Timeline(one))
    states = {}
    for position in sorted(set(positions)):
        player.goto(player.timeline, position)
        states[position] = player.state()
    return states


WALKED = [
    *((name, BOTH[k % 2]) for k, name in enumerate(KIND_NETWORKS)),
    *((name, BOTH[k % 2]) for k, name in enumerate(NETWORKS) if name not in KIND_NETWORKS and k % 5 == 0),
]


def back_and_forth(name: str, dtype: str, stations: int, moves: int) -> None:
    """A walk between some places, held against a player that only goes forward."""
    one = program(name, dtype)
    random = np.random.default_rng(len(name))
    positions = places(one, random, stations)
    fresh = forth(one, positions)
    # A memory of a few checkpoints, so that some have to be played from further back.
    player = Player(Timeline(one), memory=4 * Machine(one).vector.nbytes)
    for k in random.integers(0, len(positions), moves):
        player.goto(player.timeline, positions[k])
        found = player.state()
        assert found.same_bits(fresh[positions[k]]), positions[k]
    last = positions[int(random.integers(0, len(positions)))]
    assert state_at(player.timeline, last).same_bits(fresh[last])


@pytest.mark.parametrize(("name", "dtype"), WALKED)
def test_a_walk_back_and_forth_gives_the_bits_of_a_fresh_player(name, dtype):
    back_and_forth(name, dtype, 4, 8)


@pytest.mark.soak
@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_walk_back_and_forth_gives_the_bits_of_a_fresh_player_soak(name, dtype):
    back_and_forth(name, dtype, 8, 12)


@pytest.mark.parametrize("optim", OPTIMIZERS)
def test_a_walk_stands_where_the_shown_lines_lead(optim):
    # The players above share a machine's code; this one is compared with plain NumPy.
    name = next(
        name for name in NETWORKS if name.startswith(f"trained by {optim}") and NETWORKS[name]().training.clip_norm
    )
    one = program(name, "float64")
    model, player, ends = slow.Run(one, []), Player(Timeline(one)), []
    for t in range(ITERATIONS):
        model.draw(t)
        for k, instruction in enumerate(one.instructions):
            model.arrays[instruction.writes][...] = slow.evaluate(one, k, model.arrays)
        ends.append({slot: array.copy() for slot, array in model.arrays.items()})
    for t in (2, 0, 1, 0, 2):
        player.goto(player.timeline, Position(t, len(one)))
        for slot, array in player.state().arrays.items():
            assert bits(array) == bits(ends[t][slot]), f"{slot} at the end of iteration {t}"


def test_a_network_with_another_seed_gives_other_bits():
    # Else all of the above would compare what does not depend on anything.
    name = next(name for name in NETWORKS if name.startswith("trained by adam"))
    one, other = program(name, "float64"), build(replace(NETWORKS[name](), seed=4))
    assert bits(freely(one).vector) != bits(freely(other).vector)
