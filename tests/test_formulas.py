"""The formula of every operation, from its line: the numbers that it shows have the value that was computed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import networks
import numpy as np
import pytest
from driving import goto_text

from bptui.commands import looking
from bptui.commands.session import Session
from bptui.debugger.debugger import Debugger
from bptui.engine.build import build
from bptui.engine.kinds import KINDS
from bptui.engine.network import Network, Node, Training
from bptui.engine.ops import ACTIVATIONS, LOSSES, OPS
from bptui.engine.ops.row import rows
from bptui.engine.optimizers import OPTIMIZERS, SCHEDULES
from bptui.explain import notation
from bptui.explain.formulas import Formula, formula, has_formula

numbers = networks.numbers

# Networks that hold every kind of layer, every loss, every optimizer


def graph(*nodes: Node, x: np.ndarray, outputs: int = 2, **settings: Any) -> Network:
    """Nodes after each other, the last one read by a dense layer of its own."""
    last = Node("out", (nodes[-1].key,), outputs)
    targets = settings.pop("y", numbers(len(x), outputs, seed=9))
    return Network((*nodes, last), x, targets, **({"lr": 0.1, "loss": "mse", "seed": 1} | settings))


def layer(op: str, reads: str | tuple[str, ...] = "x", key: str = "n", **options: Any) -> Node:
    """A node of any kind."""
    settings = {name: options.pop(name) for name in ("units", "act", "bias") if name in options}
    inputs = (reads,) if isinstance(reads, str) else reads
    return Node(key, inputs, settings.pop("units", 0), op=op, options=options, **settings)


FLAT = numbers(2, 4)
PLACES = numbers(2, 3, 4)
IMAGE = numbers(2, 2, 4, 4)
WAVE = numbers(2, 2, 5)
TOKENS = np.array([[0.0, 2.0, 1.0], [2.0, 2.0, 0.0]])


def two(op: str, **options: Any) -> Network:
    """An operation of two dense layers, both above 0."""
    hidden = (networks.dense("h1", "x", 3, "sigmoid"), networks.dense("h2", "x", 3, "sigmoid"))
    return graph(*hidden, layer(op, ("h1", "h2"), **options), x=FLAT)


def after(op: str, x: np.ndarray = FLAT, act: str = "sigmoid", **options: Any) -> Network:
    """An operation of a dense layer."""
    return graph(networks.dense("h", "x", 4, act), layer(op, "h", **options), x=x)


def flat(*nodes: Node, x: np.ndarray, **settings: Any) -> Network:
    """Nodes after each other, flattened before the last."""
    return graph(*nodes, layer("flatten", nodes[-1].key, "f"), x=x, **settings)


def conv_net(**options: Any) -> Network:
    return flat(layer("conv", out=2, kernel=2, **options), x=IMAGE[:, :, :3, :3])


def lstm_net(kind: str, **options: Any) -> Network:
    return flat(layer(kind, units=2, last=False, **options), x=PLACES[:, :3, :2])


def trained(optim: str = "sgd", schedule: str = "constant", **settings: Any) -> Network:
    known = {"schedule": {"every": 2, "steps": 5, "gamma": 0.5}}
    taken = {k: v for k, v in known["schedule"].items() if k in SCHEDULES[schedule].options}
    training = Training(optim, settings.pop("options", {}), schedule, taken, **settings)
    nodes = (networks.dense("1", "x", 2, "tanh"), networks.dense("2", "1", 1))
    return Network(nodes, numbers(3, 2), numbers(3, 1, seed=3), loss="mse", lr=0.05, training=training)


def with_loss(loss: str, act: str = "identity", **options: Any) -> Network:
    y = np.array([[0.2, 0.8, 0.0], [1.0, 0.0, 0.0]])
    y = np.where(y > 0.5, 1.0, -1.0) if loss == "hinge" else np.eye(3)[[1, 0]] if LOSSES[loss].classes else y
    nodes = (networks.dense("1", "x", 3, act),)
    return Network(nodes, FLAT, y, loss=loss, lr=0.1, loss_options=options)


def own(text: str) -> Network:
    row, *backward = rows("twice", "x", text, functions={"double": lambda x: x * 2}, vjps={"x": "2 * g"})
    node = Node(
        "o", ("h",), 0, op="own", own=row.__class__(**{**row.__dict__, "backward": {b.name: b for b in backward}})
    )
    return graph(networks.dense("h", "x", 2), node, x=FLAT)


NETWORKS: dict[str, Callable[[], Network]] = {
    **{op: lambda op=op: two(op) for op in ("add", "sub", "mul", "div", "pow", "minimum", "maximum")},
    "where": lambda: graph(
        *(networks.dense(key, "x", 4) for key in ("h1", "h2")), layer("where", ("x", "h1", "h2")), x=FLAT.clip(0)
    ),
    **{op: lambda op=op: after(op) for op in ("neg", "exp", "log", "sqrt", "abs", "square")},
    **{f"act {a}": lambda a=a: graph(networks.dense("h", "x", 3, a), x=FLAT) for a in ACTIVATIONS},
    **{f"kind {a}": lambda a=a: after(a, act="tanh") for a in ACTIVATIONS if a in KINDS},
    "slopes": lambda: graph(
        layer("leaky-relu", slope=0.3) if "slope" in KINDS["leaky-relu"].options else layer("leaky-relu"), x=FLAT
    ),
    "clip": lambda: after("clip", act="tanh", low=-0.5, high=0.5),
    "scale": lambda: after("scale", by=3.0),
    "shift": lambda: after("shift", by=-3.0),
    "softmax axis 1": lambda: flat(layer("softmax", axis=1), x=PLACES),
    "dense of places": lambda: flat(networks.dense("h", "x", 2, "tanh"), x=PLACES),
    "matmul": lambda: flat(
        networks.dense("h1", "x", 3), networks.dense("h2", "x", 3), layer("matmul", ("h1", "h2")), x=PLACES
    ),
    **{
        f"{op} {axis} {keep}": lambda op=op, axis=axis, keep=keep: flat(
            networks.dense("h", "x", 2), layer(op, "h", axis=axis, keepdims=keep), x=PLACES
        )
        for op in ("sum", "mean", "max", "min", "var", "logsumexp")
        for axis, keep in (((1,), False), ((1, 2), True), ((2,), True))
    },
    "reshape": lambda: graph(
        networks.dense("h", "x", 4), layer("reshape", "h", shape=(2, 2)), layer("flatten", "n", "f"), x=FLAT
    ),
    "squeeze": lambda: graph(
        networks.dense("h", "x", 4), layer("unsqueeze", "h", "u", axis=1), layer("squeeze", "u", axis=1), x=FLAT
    ),
    "transpose": lambda: flat(networks.dense("h", "x", 2), layer("transpose", "h", axes=(2, 1)), x=PLACES),
    "concat": lambda: two("concat"),
    "slice": lambda: after("slice", start=1, stop=4, step=2),
    "split": lambda: after("split", part=2, of=2),
    "pad": lambda: after("pad", before=1, after=2, value=0.5),
    "tile": lambda: after("tile", reps=(2,)),
    "expand": lambda: flat(
        networks.dense("h", "x", 2),
        layer("sum", "h", "s", axis=(1,), keepdims=True),
        layer("expand", "s", shape=(3, 2)),
        x=PLACES,
    ),
    "tril": lambda: flat(networks.dense("h", "x", 3), layer("tril", "h", k=0), x=PLACES),
    "triu": lambda: flat(networks.dense("h", "x", 3), layer("triu", "h", k=1), x=PLACES),
    "embedding": lambda: flat(layer("embedding", rows=3, columns=2), layer("position", "n", "p"), x=TOKENS),
    "dropout": lambda: after("dropout", rate=0.5),
    "conv": conv_net,
    "conv of conv": lambda: flat(
        layer("conv", key="c1", out=2, kernel=2),
        layer("conv", "c1", out=2, kernel=2, act="tanh"),
        x=IMAGE[:, :, :3, :3],
    ),
    "conv-transpose of conv": lambda: flat(
        layer("conv", key="c1", out=2, kernel=2), layer("conv-transpose", "c1", out=1, kernel=2), x=IMAGE[:, :, :3, :3]
    ),
    "conv padded": lambda: conv_net(pad=1, stride=2, act="relu"),
    "conv same": lambda: conv_net(pad="same", bias=False),
    "conv groups": lambda: conv_net(groups=2, dilation=2),
    "conv 1d": lambda: flat(layer("conv", out=2, kernel=2), x=WAVE),
    "conv-transpose": lambda: flat(layer("conv-transpose", out=2, kernel=2, stride=2, pad=1), x=WAVE),
    "conv-transpose 2d": lambda: flat(layer("conv-transpose", out=1, kernel=2, bias=False), x=IMAGE[:, :, :2, :2]),
    **{
        name: lambda name=name: flat(networks.dense("h", "x", 4), layer(name, "h", kernel=2, pad=1, stride=2), x=IMAGE)
        for name in ("max-pool", "avg-pool")
    },
    **{
        name: lambda name=name: graph(networks.dense("h", "x", 4), layer(name, "h"), x=IMAGE)
        for name in ("global-max-pool", "global-avg-pool")
    },
    "layer-norm": lambda: after("layer-norm"),
    "rms-norm": lambda: after("rms-norm"),
    "batch-norm": lambda: after("batch-norm"),
    "batch-norm of images": lambda: flat(layer("batch-norm"), x=IMAGE[:, :, :2, :2]),
    "group-norm": lambda: flat(networks.dense("h", "x", 2), layer("group-norm", "h", groups=2), x=IMAGE[:, :, :2, :2]),
    "instance-norm": lambda: flat(networks.dense("h", "x", 2), layer("instance-norm", "h"), x=IMAGE[:, :, :2, :2]),
    "attention": lambda: flat(
        *(networks.dense(key, "x", 2) for key in "qkv"), layer("attention", tuple("qkv"), causal=True), x=PLACES
    ),
    "multi-head": lambda: flat(layer("multi-head", heads=2, causal=True), x=PLACES),
    "rnn": lambda: lstm_net("rnn"),
    "rnn relu": lambda: flat(layer("rnn", units=2, gate="relu"), x=PLACES),
    "lstm": lambda: lstm_net("lstm"),
    "gru": lambda: lstm_net("gru", bias=False),
    **{f"loss {loss}": lambda loss=loss: with_loss(loss) for loss in LOSSES},
    "loss bce of probabilities": lambda: with_loss("bce", "sigmoid"),
    "loss softmax-ce of probabilities": lambda: with_loss("softmax-ce", "softmax"),
    "loss nll of logarithms": lambda: with_loss("nll", "log-softmax"),
    "smoothing": lambda: with_loss("softmax-ce", smoothing=0.1),
    **{
        f"class weights {loss} {act}": lambda loss=loss, act=act: with_loss(loss, act, class_weights=(1.0, 2.0, 0.5))
        for loss, act in (("softmax-ce", "identity"), ("softmax-ce", "softmax"), ("nll", "log-softmax"))
    },
    **{f"optim {name}": lambda name=name: trained(name) for name in OPTIMIZERS},
    "momentum": lambda: trained(options={"momentum": 0.9, "weight_decay": 0.01}),
    "nesterov": lambda: trained(options={"momentum": 0.9, "nesterov": True, "dampening": 0.0}),
    "adagrad decay": lambda: trained("adagrad", options={"lr_decay": 0.1}),
    "rmsprop centred": lambda: trained("rmsprop", options={"centred": True, "momentum": 0.5}),
    "clip value": lambda: trained(clip_value=0.1),
    "clip norm": lambda: trained(clip_norm=0.1),
    "penalties": lambda: trained(l1=0.1, l2=0.1),
    "sequential": lambda: trained(sequential=True),
    **{f"schedule {name}": lambda name=name: trained("adam", name) for name in SCHEDULES},
    "own": lambda: own("double(x)"),
    **networks.ALL,
}

# A little parser of the notation

MARKS = (
    (r"(?<=\S) == (?=\S)", " == "), (r"≤", "<="), (r"≥", ">="), (r"≠", "!="), (r"½", "0.5*"), (r"·|×", "*"), (r"−", "-"),
    (r"²", "**2"), (r"\be\^", "EULER**"), (r"\^", "**"), (r"\bln\b", "log"), (r"√(−?[\d.]+(?:e-?\d+)?)", r"sqrt(\1)"),
    (r"√", "sqrt"), (r"⌊", "floor("), (r"⌋", ")"), (r"\|([^|]*)\|", r"abs(\1)"), (r"\[", "("), (r"\]", ")"),
)  # fmt: skip
NAMES = {
    "EULER": math.e,
    "log": lambda v: math.log(v) if v > 0 else -math.inf,
    **{name: getattr(math, name) for name in ("tanh", "sqrt", "floor", "erf", "cos")},
    "sign": lambda v: float(np.sign(v)),
    "max": max,
    "min": min,
    "abs": abs,
}


def meaning(text: str) -> float:
    """The value of a row of numbers, as mathematics writes them."""
    for mark, python in MARKS:
        text = re.sub(mark, python, text)
    return float(eval(text, {"__builtins__": {}}, NAMES))


def whole(found: Formula) -> str:
    return " ".join([found.line, *(text for _, text in found.more)])


def sampled(size: int) -> list[int]:
    return sorted({0, 1 % size, size // 2, size // 3, size - 1})


def begun(name: str) -> Debugger:
    debugger = Debugger(NETWORKS[name]())
    goto_text(debugger, f"1:{len(debugger.program)}")
    return debugger


@pytest.fixture(scope="module", params=NETWORKS)
def session(request) -> Session:
    """At the end of its second iteration; the tests of one network follow each other."""
    session = Session(NETWORKS[request.param]())
    session.execute("run 2")
    return session


def numbers_are_right(debugger: Debugger, cells: Callable[[str, int], list[int]]) -> None:
    """In each row, of these cells of each operation.

    cells  (the op, how many cells it writes) → those to be looked at
    """
    moments = debugger.moments(1)
    for k, instruction in enumerate(debugger.program.instructions):
        moment = moments(k)
        written = moment.after.arrays[instruction.writes].reshape(-1)
        for cell in cells(instruction.op, written.size):
            found = formula(debugger.program, moment, cell, 14)
            assert meaning(found.rows[-1]) == pytest.approx(float(written[cell]), rel=1e-9, abs=1e-12)
            for row in found.rows[1:-1]:
                if "softmax" not in row:
                    assert meaning(row) == pytest.approx(float(written[cell]), rel=1e-6, abs=1e-9), (
                        f"{instruction.source}: {found.line}"
                    )


def test_the_numbers_have_the_value_that_was_computed(session, monkeypatch):
    """Of five cells of an operation of each kind, and of one of each that follows it."""
    monkeypatch.setattr(notation, "MOST_TERMS", 10**6)
    seen: set[str] = set()

    def cells(op: str, size: int) -> list[int]:
        found = sampled(size) if op not in seen else [sampled(size)[len(seen) % len(sampled(size))]]
        seen.add(op)
        return found

    numbers_are_right(session.debugger, cells)


@pytest.mark.soak
@pytest.mark.parametrize("name", NETWORKS)
def test_the_numbers_have_the_value_that_was_computed_soak(name, monkeypatch):
    monkeypatch.setattr(notation, "MOST_TERMS", 10**6)
    numbers_are_right(begun(name), lambda _, size: sampled(size))


def test_no_formula_has_a_hole(session):
    debugger = session.debugger
    moments = debugger.moments(1)
    for k, instruction in enumerate(debugger.program.instructions):
        moment = moments(k)
        for cell in sampled(debugger.program.size(k))[:3]:
            found = formula(debugger.program, moment, cell)
            text = whole(found)
            assert not re.search(r"nan|[{}]|None|Ellipsis|  |\(\)", text), text
            for pair in ("()", "[]", "⌊⌋"):
                assert text.count(pair[0]) == text.count(pair[1]), text
            assert all(found.rows), text
            assert found.left not in found.rows, f"{instruction.source}: {text}"
            assert len(found.line) < 1500


def test_every_slot_can_be_explained(session, request):
    slots = list(session.debugger.program.slots.values())
    # A few of each, and not of all networks the same ones.
    step = max(1, len(slots) // 3)
    for k, slot in enumerate(slots[len(request.node.callspec.params["session"]) % step :: step]):
        for cell in {0, slot.size - 1} if k == 0 else {slot.size - 1}:
            lines = looking.explain_cell(session, slot.name, cell)
            assert lines
            assert len(lines) <= 41
            assert not re.search(r"nan", " ".join(lines))


def test_the_networks_hold_every_op():
    used = {i.op for make in NETWORKS.values() for i in build(make()).instructions}
    left_out = {"normalize", "normalize.x"}  # of an evaluation alone
    assert set(OPS) - used - left_out == set()
    assert {node.op for make in NETWORKS.values() for node in make().nodes} >= set(KINDS)


def test_every_op_has_a_formula():
    assert all(has_formula(op) for op in OPS)
    assert not has_formula("twice")


# Some of them to the letter

LINES = {
    ("optim adam", "W1.m"): "W1.m[0,0] ← 0.9·W1.m[0,0] + 0.1·∂loss/∂W1[0,0] = ",
    ("optim adam", "W1"): "W1[0,0] ← W1[0,0] − lr·(W1.mhat[0,0] / (√W1.vhat[0,0] + 1e-08)) = ",
    ("optim adagrad", "W1.v"): "W1.v[0,0] ← W1.v[0,0] + ∂loss/∂W1[0,0]² = ",
    ("schedule exponential", "lr"): "lr = lr0·0.5^(t − 1) = 0.05·0.5^(2 − 1) = 0.025",
    ("act gelu", "a_h"): "h[0,0] = 0.5·z_h[0,0]·(1 + erf(0.7071068·z_h[0,0])) = ",
    ("act hard-tanh", "a_h"): "h[0,0] = min(max(z_h[0,0], −1), 1) = ",
    ("act elu", "a_h"): "h[0,0] = (z_h[0,0] if z_h[0,0] > 0 else e^min(z_h[0,0], 0) − 1) = ",
    ("act softsign", "a_h"): "h[0,0] = z_h[0,0] / (1 + |z_h[0,0]|) = ",
    ("act log-softmax", "a_h"): "h[0,0] = d[0,0] − ln(e^d[0,0] + e^d[0,1] + e^d[0,2]) = ",
    ("matmul", "z_n"): "n[0,0,0] = h1[0,0,0]·h2[0,0,0] + h1[0,0,1]·h2[0,1,0] + h1[0,0,2]·h2[0,2,0] = ",
    ("logsumexp (1,) False", "z_n"): "n[0,0] = ln(e^(h[0,0,0] − m) + e^(h[0,1,0] − m) + e^(h[0,2,0] − m)) + m = ",
    ("embedding", "z_n"): "n[0,0,0] = W_n[x[0,0],0] = ",
    ("conv", "c_n"): "c_n[0,0,0,0,0,0] = x[0,0,0,0] = 0.13",
    ("conv padded", "p_n"): "p_n[0,0,0,0] = 0",
    ("gru", "h_n_1"): "h_n_1[0,0] = (1 − u_n_1[0,0])·n_n_1[0,0] + u_n_1[0,0]·h_n_0[0,0] = ",
    ("neg", "z_h.grad"): "∂loss/∂z_h[0,0] = (∂loss/∂out[0,0] · ∂out[0,0]/∂n[0,0] + ∂loss/∂out[0,1] · ∂out[0,1]/∂n[0,0]) · "
    "∂n[0,0]/∂h[0,0] · ∂h[0,0]/∂z_h[0,0] = ",
    ("reshape", "z_h.grad"): "∂loss/∂h[0,0] = ∂loss/∂out[0,0] · ∂out[0,0]/∂f[0,0] + ∂loss/∂out[0,1] · ∂out[0,1]/∂f[0,0] = ",
    ("penalties", "W2.grad2"): "∂loss/∂W2[0,0] (2) = 0.1·sign(W2[0,0]) = ",
    ("loss huber", "loss"): "loss = ((0.5·(z1[0,0] − y[0,0])² if |z1[0,0] − y[0,0]| ≤ 1 else |z1[0,0] − y[0,0]| − 0.5) + ",
}  # fmt: skip


@pytest.mark.parametrize(("name", "writes"), LINES)
def test_lines_to_the_letter(name, writes):
    debugger = begun(name)
    found = formula(debugger.program, debugger.moment(debugger.program.writers[writes]), 0, 4)
    assert found.line.startswith(LINES[name, writes]), found.line


def test_a_part_with_a_name_says_what_it_is():
    debugger = begun("act log-softmax")
    found = formula(debugger.program, debugger.moment(debugger.program.writers["a_h"]), 0)
    assert ("where", "d[0,0] = z_h[0,0] − max(z_h[0,0], z_h[0,1], z_h[0,2])") in found.more
    debugger = begun("logsumexp (1,) False")
    found = formula(debugger.program, debugger.moment(debugger.program.writers["z_n"]), 0)
    assert ("where", "m = max(h[0,0,0], h[0,1,0], h[0,2,0])") in found.more


def test_of_a_long_sum_only_what_is_shown_is_made(monkeypatch):
    nodes = (networks.dense("1", "x", 64, "relu"), networks.dense("2", "1", 3))
    debugger = Debugger(Network(nodes, numbers(40, 500), numbers(40, 3, seed=1), loss="mse"))
    goto_text(debugger, f"0:{len(debugger.program)}")
    named = []
    cell = notation.Names.cell
    monkeypatch.setattr(notation.Names, "cell", lambda self, *where: named.append(where) or cell(self, *where))
    for k in range(len(debugger.program)):
        named.clear()
        found = formula(debugger.program, debugger.moment(k), 0)
        assert len(named) < 400, found.line
        assert len(found.line) < 600


def test_the_numbers_of_a_half_done_update_are_those_before_it():
    debugger = begun("optim adam")
    k = debugger.program.writers["W1.m"]
    goto_text(debugger, f"1:{k}.1")
    assert formula(debugger.program, debugger.moment(k), 0).rows[-1] != "·"
    assert formula(debugger.program, debugger.moment(k), 1).rows[-1] == "·"
