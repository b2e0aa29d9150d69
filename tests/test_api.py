"""The Python API: the words of a spec as Python, and the README's example as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bptui as bp
from bptui.api import LAYERS
from bptui.engine.build import build
from bptui.engine.kinds import KINDS
from bptui.files.specs import load

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
RANDOM = np.random.default_rng(0)
X, CLASSES = RANDOM.normal(0, 1, (20, 4)), RANDOM.integers(0, 3, 20)


def test_importing_it_costs_nothing():
    code = "import sys, bptui; sys.exit('numpy' in sys.modules or 'textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_kind_is_a_layer():
    assert set(LAYERS.values()) == set(KINDS)
    assert bp.MaxPool(2).kind == "max-pool"
    with pytest.raises(AttributeError, match="has no attribute 'Dens'"):
        _ = bp.Dens


def test_it_is_the_same_network_as_the_specs():
    spec = build(load("xor"))
    (W1, b1), (W2, b2) = ((node.W, node.b) for node in load("xor").nodes)
    net = bp.Net(bp.Dense(3, "tanh", W=W1, b=np.zeros(3)), bp.Dense(1, "sigmoid", W=W2, b=np.zeros(1)))
    assert (b1, b2) == (b1, b2)
    program = bp.program(net, spec.initial["x"], spec.initial["y"], loss="bce", lr=0.5)
    assert str(program) == str(spec)
    for name, value in spec.initial.items():
        assert program.initial[name].tobytes() == value.tobytes()


def test_train_check_and_conditions():
    net = bp.Net(bp.Dense(8, "tanh"), bp.Dense(3), seed=1)
    assert bp.check(net, X, CLASSES, loss="softmax-ce").passed
    result = bp.train(net, X, CLASSES, loss="softmax-ce", optim="adam", lr=0.05, iterations=300)
    assert (result.iterations, result.reason) == (300, "iterations")
    assert result.loss < 0.1
    sooner = bp.train(net, X, CLASSES, loss="softmax-ce", optim={"use": "adam", "lr": 0.05}, until="accuracy > 0.9")
    assert sooner.reason == "until"
    assert sooner.iterations < 300


def test_a_graph_several_inputs_and_a_schedule():
    net = bp.Net(
        h=bp.Dense(5, "relu", reads="x"),
        both=bp.Concat(reads=("h", "extra")),
        out=bp.Dense(1, reads="both"),
    )
    program = bp.program(
        net, X, CLASSES, loss="mse", inputs={"extra": X[:, :2]}, schedule={"use": "cosine", "steps": 9}, l2=0.1
    )
    assert program.slots["z_both"].shape == (20, 7)
    assert "lr0" in program.slots
    assert "loss = data_loss + l2_W_h + l2_W_out" in [i.source for i in program.instructions]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bp.Net(bp.Dense(3, widht=2)).network(X, X), "dense has no setting 'widht'"),
        (lambda: bp.Net(bp.Dense(3, 4)).network(X, X), "dense takes 1 sizes, not 2"),
        (lambda: bp.Net(bp.Dropout(2.0)).network(X, X), "Dropout: rate: 2.0 is no share from 0 up to, but not, 1"),
        (lambda: bp.Net(bp.Conv(3)).network(X, X), "Conv needs kernel, as in the line"),
        (lambda: bp.Net(bp.Conv(0, 2)).network(X, X), "Conv: out: 0 is less than 1"),
        (
            lambda: bp.program(bp.Net(bp.Dense(4)), X, X, optm="adam"),
            "no setting is called 'optm' (did you mean optim?)",
        ),
        (lambda: bp.program(bp.Net(bp.Dense(4)), X, X, lr="a"), "lr is 'a': a number is needed"),
        (
            lambda: bp.program(bp.Net(bp.Dense(4)), X, X, clip_norm=-1.0),
            "clip_norm is -1.0: a number from 0 on is needed",
        ),
        (lambda: bp.program(bp.Net(bp.Reshape(3)), X, X), "4 can't be reshaped to 3"),
        (lambda: bp.Net(h=bp.Dense(3)).network(X, X), 'h says what it reads: reads="x"'),
        (lambda: bp.Net(bp.Dense(3), h=bp.Dense(3)), "layers in a row or named nodes"),
        (lambda: bp.program(bp.Net(bp.Dense(3)), X, X), "y has 4 columns, the last layer gives 3"),
        (lambda: bp.program(bp.Net(bp.Dense(3)), X, CLASSES, loss="softmx"), "unknown loss 'softmx'"),
        (lambda: bp.program(bp.Net(bp.Dense(3)), X, CLASSES + 7, loss="softmax-ce"), "the classes of 3 outputs"),
        (lambda: bp.program(bp.Net(bp.Dense(3)), X, X[:, :3], optim="adm"), "no optimizer is called 'adm'"),
        (
            lambda: bp.program(bp.Net(bp.Dense(3)), X, X[:, :3], optim={"use": "adam", "beta": 1}),
            "adam has no option 'beta'",
        ),
    ],
)
def test_mistakes_are_said(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_an_own_op_names_what_it_reads():
    class Bad(bp.Op):
        def forward(self, g):
            return g

    with pytest.raises(ValueError, match="names what it reads"):
        bp.Net(Bad())


def test_an_own_op_has_both_halves_and_gradients_that_fit():
    class NoVjp(bp.Op):
        def forward(self, x):
            return x * 1

    class Scalar(NoVjp):
        def vjp(self, g, out, x):
            return (g.sum(),)

    with pytest.raises(ValueError, match="NoVjp needs a vjp"):
        bp.Net(NoVjp())
    with pytest.raises(ValueError, match=re.escape("Scalar.vjp gives a gradient of shape (), what it is of (20, 2)")):
        bp.check(bp.Net(bp.Dense(2), Scalar(), bp.Dense(1)), X, CLASSES, loss="mse")


def test_an_own_op_of_two_can_be_stepped_and_explained():
    class Gate(bp.Op):
        def forward(self, a, b):
            return a / (1 + np.exp(-b))

        def vjp(self, g, out, a, b):
            s = 1 / (1 + np.exp(-b))
            return g * s, g * a * s * (1 - s)

    net = bp.Net(
        a=bp.Dense(3, reads="x"), b=bp.Dense(3, reads="x"), m=Gate()(reads=("a", "b")), out=bp.Dense(1, reads="m")
    )
    assert bp.check(net, X, CLASSES, loss="mse").passed
    from bptui.commands.session import Session

    session = Session(net.network(X, CLASSES, loss="mse"))
    lines = [session.execute("next").lines[0] for _ in range(12)]
    assert any("z_m = gate(z_a, z_b)" in line for line in lines)
    assert "gate(" in session.execute("explain z_m[0,1]").lines[0]


def test_the_readmes_example_runs(monkeypatch):
    code = README.split("```python\n")[1].split("```")[0]
    opened = []
    monkeypatch.setattr("bptui.cli.refuse_without_terminal", lambda: None)
    monkeypatch.setattr("bptui.tui.app.run", lambda session: opened.append(session.debugger.program.network))
    scope = {"x": X, "y": RANDOM.integers(0, 10, 20)}
    exec(code.replace(", …", ""), scope)
    assert opened[0].nodes[0].units == 32
    net = bp.Net(bp.Dense(4), scope["Cube"](), bp.Dense(2))
    assert bp.check(net, X, X[:, :2], loss="mse").passed


def test_an_own_op_may_be_called_as_one_of_numpys():
    class Square(bp.Op):
        def forward(self, x):
            return x * x + 1

        def vjp(self, g, out, x):
            return (2 * g * x,)

    program = bp.program(bp.Net(Square(), bp.Dense(1)), X, CLASSES, loss="mse")
    assert program.instructions[0].source == "z1 = own_square(x)"
    assert bp.check(bp.Net(bp.Dense(2), Square(), bp.Dense(1)), X, CLASSES, loss="mse").passed


def test_without_a_terminal_debug_says_so():
    code = "import bptui as bp; bp.debug(bp.Net(bp.Dense(1)), [[1.0]], [[1.0]], loss='mse')"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 1
    assert "the app needs a terminal" in done.stderr


@pytest.mark.parametrize("name", ["W_o", "z_h", "lr"])
def test_an_input_called_as_a_slot_is_refused(name):
    net = bp.Net(h=bp.Dense(2, reads="x"), c=bp.Concat(reads=("h", name)), o=bp.Dense(1, reads="c"))
    with pytest.raises(ValueError, match=f"{name!r}"):
        bp.program(net, X, CLASSES, loss="mse", inputs={name: X})


def test_nodes_whose_slots_are_called_alike_are_refused():
    net = bp.Net(h=bp.Lstm(2, reads="x"), h_0=bp.LayerNorm(reads="h"), o=bp.Dense(1, reads="h_0"))
    with pytest.raises(ValueError, match="is the name of a slot here"):
        bp.program(net, np.ones((2, 3, 2)), np.ones((2, 1)), loss="mse")


def test_the_formula_of_an_own_op_is_what_a_reader_sees():
    class Cube(bp.Op):
        formula = "x³"

        def forward(self, x):
            return x * x * x

        def vjp(self, g, out, x):
            return (g * 3 * x * x,)

    from bptui.commands.session import Session

    session = Session(bp.Net(bp.Dense(2, W=np.eye(2), bias=False), Cube(), bp.Dense(1)).network([[2.0, -3.0]], [[1.0]]))
    session.execute("next 2")
    assert session.execute("explain z2[0,1]").lines[0] == "z2[0,1] = z1[0,1]³ = (−3)³ = −27"
