"""The gradient check: right gradients pass, wrong ones are found down to the instruction and the element."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import networks
import numpy as np
import pytest

import bptui as bp
from bptui.cli import main
from bptui.engine import gradcheck, ops
from bptui.engine.build import build
from bptui.engine.network import Network, Node, Training
from bptui.files import specs
from bptui.files.examples import example_names

RIGHT = [name for name in example_names() if name != "sequential"]


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch):
    """Makes the line of a backward op another one."""

    def change(name: str, line: str) -> None:
        table = {**ops.OPS, name: replace(ops.OPS[name], source=line)}
        monkeypatch.setattr("bptui.engine.program.OPS", table)

    return change


# What is right passes


@pytest.mark.parametrize("name", sorted(networks.ALL))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_gradients_pass(name, dtype):
    program = build(networks.ALL[name](dtype=dtype))
    for each in (False, True):
        result = gradcheck.check(program, each=each)
        assert result.passed
        assert result.failure is None
        assert result.method == "a complex step"
        assert result.worst < 1e-12


@pytest.mark.parametrize("name", RIGHT)
def test_the_examples_pass(name, capsys):
    assert main(["check", name]) == 0
    assert "gradients are right" in capsys.readouterr().out


def test_any_iteration_and_any_weights():
    program = build(networks.drawn_net())
    values = {"W1": networks.numbers(2, 2, seed=9)}
    assert gradcheck.check(program, 3, values, each=True).passed
    first, other = (gradcheck.check(program, 3, v, each=True).tensors[0].given for v in ({}, values))
    assert first != other


def test_the_mistake_of_updating_too_early_is_found():
    result = gradcheck.check(build(networks.article(training=Training(sequential=True))))
    assert not result.passed
    assert result.failure is not None
    assert result.failure.index == 6
    assert "reads W2 after its update" in result.failure.reason


# What is wrong is found


def elements(result: gradcheck.GradientCheck) -> tuple[int, str, int]:
    assert result.failure is not None
    return result.failure.index, result.failure.slot, result.failure.cell


def test_a_wrong_factor_in_every_element(wrong):
    wrong("dense.W", "x.T @ g * 1.001")
    program = build(networks.skip_net())
    result = gradcheck.check(program)
    assert not result.passed
    # The first that is wrong from the loss back: W_out's gradient.
    assert elements(result) == (10, "W_out.grad", 0)
    assert result.failure is not None
    assert result.failure.given == pytest.approx(1.001 * result.failure.measured)


def test_a_wrong_derivative_of_an_activation(wrong):
    wrong("tanh.z", "g * (1 - out)")
    program = build(networks.skip_net())
    result = gradcheck.check(program)
    index, slot, _ = elements(result)
    assert (index, slot) == (19, "z_h1.grad")
    assert "z_h1.grad = a_h1.grad * (1 - a_h1)" in gradcheck.sentence(program, result)


def test_one_wrong_element(wrong):
    # Only the last column of the bias's gradient is wrong.
    wrong("dense.b", "g.sum(0) + (arange(3) == 2) * 0.25")
    nodes = (networks.dense("1", "x", 3, "tanh"),)
    program = build(Network(nodes, networks.numbers(4, 2), networks.numbers(4, 3, seed=1)))
    result = gradcheck.check(program)
    assert elements(result)[1:] == ("b1.grad", 2)
    assert result.failure is not None
    assert result.failure.given - result.failure.measured == pytest.approx(0.25)


def test_a_wrong_gradient_of_a_loss(wrong):
    wrong("mse.p", "p - y")
    program = build(networks.drawn_net())
    result = gradcheck.check(program)
    assert elements(result)[1] == "z2.grad"


def test_a_wrong_gradient_of_a_broadcast_operand(wrong):
    wrong("mul.b", "g * a + 0.5")
    nodes = (
        Node("h", ("x",), 3),
        Node("s", ("h",), op="sum", options={"keepdims": True}),
        Node("m", ("h", "s"), op="mul"),
        Node("out", ("m",), 1),
    )
    program = build(Network(nodes, networks.numbers(4, 2), networks.numbers(4, 1, seed=1)))
    result = gradcheck.check(program)
    index, slot, _ = elements(result)
    assert slot == "z_s.grad"
    assert program.instructions[index].writes == "z_s.grad_wide"


def test_the_command_says_it_and_ends_with_1(wrong, capsys):
    wrong("dense.x", "g @ W.T * 2")
    assert main(["check", "xor"]) == 1
    out = capsys.readouterr().out
    assert "a gradient is wrong: a1.grad[0,0] is wrong: operation" in out
    assert "the gradient of z2 = a1 @ W2 + b2 by x, gives" in out
    assert main(["check", "xor", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is False
    assert found["failure"]["writes"] == "a1.grad"
    assert found["failure"]["element"] == [0, 0]
    assert found["failure"]["given"] == pytest.approx(2 * found["failure"]["measured"])


# Kinks are no errors


def relu_at_zero() -> Network:
    nodes = (Node("1", ("x",), 3, act="relu", W=np.zeros((2, 3))), Node("2", ("1",), 1))
    return Network(nodes, networks.numbers(4, 2), networks.numbers(4, 1, seed=1))


@pytest.mark.parametrize("act", ["relu", "leaky-relu", "hard-tanh"])
def test_a_kink_is_recognised(act):
    network = relu_at_zero()
    start = np.full((2, 3), 0.0)
    bias = np.ones(3) if act == "hard-tanh" else np.zeros(3)
    first = replace(network.nodes[0], act=act, W=start, b=bias)
    result = gradcheck.check(build(replace(network, nodes=(first, network.nodes[1]))))
    assert result.passed
    assert result.kinks == 12
    assert "12 cells lie at a kink" in gradcheck.sentence(build(network), result)


def test_ties_of_a_maximum_are_kinks():
    x = np.array([[1.0, 1.0, 0.5]])
    nodes = (
        Node("m", ("d",), op="max", options={"keepdims": True}),
        Node("d", ("x",), 3, W=np.eye(3)),
        Node("o", ("m",), 1),
    )
    result = gradcheck.check(build(Network(nodes, x, np.array([[3.0]]))))
    assert result.passed
    assert result.kinks == 2


def test_a_wrong_gradient_beside_a_kink_is_still_found(wrong):
    wrong("relu.z", "where(z > 0, 2 * g, 0)")
    network = relu_at_zero()
    W = np.zeros((2, 3))
    W[:, 1] = 1.0
    first = replace(network.nodes[0], W=W)
    result = gradcheck.check(build(replace(network, nodes=(first, network.nodes[1]))))
    assert elements(result)[1] == "z1.grad"
    assert elements(result)[2] % 3 == 1


# A person's own op


class Cube(bp.Op):
    def forward(self, x):
        return x * x * x

    def vjp(self, g, out, x):
        return (g * 3 * x * x,)


class OneWrong(Cube):
    def vjp(self, g, out, x):
        found = g * 3 * x * x
        found[0, 1] *= 1.1
        return (found,)


class Real(bp.Op):
    """Takes no complex numbers."""

    def forward(self, x):
        return np.array([float(v) ** 3 for v in np.ravel(x)]).reshape(x.shape)

    def vjp(self, g, out, x):
        return (g * 3 * x * x,)


def checked(op: Any) -> gradcheck.GradientCheck:
    x, y = networks.numbers(6, 3), networks.numbers(6, 2, seed=1)
    return bp.check(bp.Net(bp.Dense(4), op, bp.Dense(2), seed=1), x, y, loss="mse")


def test_an_own_op_passes():
    assert checked(Cube()).passed


def test_an_own_op_without_complex_numbers_is_checked_by_differences():
    result = checked(Real())
    assert result.passed
    assert result.method == "central differences"


def test_the_wrong_element_of_an_own_op_is_found():
    result = checked(OneWrong())
    assert elements(result)[1:] == ("z1.grad", 1)
    assert "one_wrong_vjp_x" in str(result)


def test_each_check_can_fail(wrong):
    """The checker sees a gradient that is 0 and should not be, and one that is not and should be."""
    wrong("sigmoid.z", "0 * g")
    assert not gradcheck.check(build(networks.sigmoid_net())).passed
    wrong("sigmoid.z", "g + 0 * out")
    assert not gradcheck.check(build(networks.sigmoid_net())).passed


def test_plain_mode_checks_where_it_stands(bptui):
    done = bptui("xor", "--plain", stdin="iteration 5\nset w1 = 3\ncheck\n")
    assert done.returncode == 0
    assert "gradients are right" in done.stdout.splitlines()[-1]


def test_a_spec_of_every_kind_loads(tmp_path):
    assert specs.load("lenet").classes == tuple("0123456789")


def test_a_checker_asked_twice_with_other_arrays():
    program = build(networks.drawn_net())
    checker = gradcheck.GradientChecker(program)
    for seed in (1, 2):
        assert checker.check(0, {"W1": networks.numbers(2, 2, seed=seed)}).passed
    assert checker.check().passed
    assert checker.check(5).passed


def test_what_is_not_finite_is_no_wrong_gradient(tmp_path, capsys):
    path = tmp_path / "log.toml"
    path.write_text('data = { x = [[0.0, 1.0]], y = [[1.0]] }\nloss = "mse"\nlayers = ["log", "dense 1"]\n')
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "not checked: there is nothing to compare: operation 1, z1 = log(x), gives -inf, which is not finite" in out
