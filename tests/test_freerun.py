"""Free running: stops at the very instruction that makes what is not finite, at stops, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace

import networks
import numpy as np
import pytest

from bptui.cli import main
from bptui.debugger import expressions, training
from bptui.debugger.metrics import accuracy
from bptui.engine.build import build
from bptui.engine.freerun import STRETCH, FreeRun
from bptui.engine.machine import Machine
from bptui.engine.network import Network, Node
from bptui.engine.program import Program
from bptui.files.specs import load


def free(program: Program) -> FreeRun:
    return FreeRun(Machine(program))


def overflowing(lr: float = 4.0) -> Program:
    """The article with a rate at which it diverges."""
    return build(networks.article(lr=lr))


def by_hand(program: Program, limit: int = 10_000) -> tuple[int, int]:
    """(iteration, instructions done) at the first value that is not finite, one instruction at a time."""
    machine = Machine(program)
    with machine.quiet():
        for t in range(limit):
            machine.begin(t)
            for k, instruction in enumerate(program.instructions):
                machine.execute(k)
                if not np.isfinite(machine.arrays[instruction.writes]).all():
                    return t, k + 1
    raise AssertionError("it stays finite")


@pytest.mark.parametrize("lr", [4.0, 40.0, 100.0, 1e300])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_it_stops_at_the_very_instruction(lr, dtype):
    if lr > 1e38 and dtype == "float32":
        lr = 1e30
    program = build(networks.article(lr=lr, dtype=dtype))
    runner = free(program)
    halt = runner.run(0, 3 * STRETCH, np.empty(3 * STRETCH))
    assert halt is not None
    assert not halt.finite
    assert (halt.iteration, halt.done) == by_hand(program)
    written = program.instructions[halt.done - 1].writes
    assert not np.isfinite(runner.machine.arrays[written]).all()


def test_a_product_of_matrices_raises_no_flag_and_is_found_all_the_same():
    """NumPy's dot says nothing of an overflow."""
    nodes = (
        Node("1", ("x",), 1, W=np.array([[1e200], [1.0]]), bias=False),
        Node("2", ("1",), 1, W=np.array([[1e200]]), bias=False),
    )
    program = build(Network(nodes, np.array([[1.0, 1.0]]), np.array([[1.0]])))
    halt = free(program).run(0, 5, np.empty(5))
    assert halt is not None
    assert (halt.iteration, halt.done, halt.finite) == (0, 2, False)


def saturated() -> Network:
    """exp overflows inside every sigmoid, and the sigmoid is a right 0."""
    nodes = (Node("1", ("x",), 2, act="sigmoid", W=np.full((2, 2), -500.0)), Node("2", ("1",), 1))
    return Network(nodes, np.ones((3, 2)), np.ones((3, 1)), lr=0.01)


def test_a_flag_for_nothing_is_no_stop():
    program = build(saturated())
    with np.errstate(all="ignore"):
        assert np.isinf(np.exp(np.array(1000.0)))
    runner, plain = free(program), Machine(program)
    losses, expected = np.empty(3 * STRETCH), np.empty(3 * STRETCH)
    assert runner.run(0, len(losses), losses) is None
    with plain.quiet():
        plain.run(0, len(expected), expected)
    assert losses.tobytes() == expected.tobytes()
    assert runner.machine.vector.tobytes() == plain.vector.tobytes()


@pytest.mark.parametrize("name", sorted(networks.ALL))
def test_a_run_in_stretches_is_the_same_bits(name):
    program = build(networks.ALL[name]())
    runner, plain = free(program), Machine(program)
    losses, expected = np.empty(STRETCH + 50), np.empty(STRETCH + 50)
    assert runner.run(0, len(losses), losses) is None
    plain.run(0, len(expected), expected)
    assert losses.tobytes() == expected.tobytes()
    assert runner.machine.vector.tobytes() == plain.vector.tobytes()


@pytest.mark.parametrize("index", range(9))
def test_a_stop_ends_the_run_just_after_its_instruction(index):
    program = build(networks.article())
    runner, calls = free(program), []

    def third() -> bool:
        calls.append(None)
        return len(calls) == 3

    halt = runner.run(0, 10, np.empty(10), [(index, third)])
    assert halt is not None
    assert (halt.iteration, halt.done, halt.finite) == (2, index + 1, True)
    machine = Machine(program)
    for _ in range(2):
        machine.segment(0, 9)()
    machine.segment(0, index + 1)()
    assert runner.machine.vector.tobytes() == machine.vector.tobytes()


def test_several_stops_and_the_first_that_holds():
    program = build(networks.article())
    halt = free(program).run(0, 10, np.empty(10), [(2, lambda: False), (4, lambda: True), (7, lambda: True)])
    assert halt is not None
    assert (halt.iteration, halt.done) == (0, 5)


# bptui run


def test_run_names_the_instruction(tmp_path, capsys):
    path = tmp_path / "hot.toml"
    path.write_text('data = "xor"\nlayers = ["dense 3 relu", "dense 1"]\nloss = "mse"\nlr = 50.0\n')
    assert main(["run", str(path)]) == 0
    assert "the first that is not finite was written by operation" in capsys.readouterr().out
    assert main(["run", str(path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reason"] == "nan"
    program = build(load(str(path)))
    assert (found["iterations"], *by_hand(program)) == (by_hand(program)[0], *by_hand(program))
    assert f"operation {by_hand(program)[1]} of iteration {by_hand(program)[0]}, " in found["where"]


def test_until_is_looked_at_in_every_iteration():
    program = build(networks.article())
    for bound in (0.3, 0.1, 1e-6):
        expression = expressions.parse(program, f"loss < {bound}")
        result = training.train(program, 1000, expression, every=7)
        machine, t = Machine(program), 0
        while True:
            machine.segment(0, 3)()
            if float(machine.arrays["loss"]) < bound:
                break
            machine.segment(3, 9)()
            t += 1
        assert (result.iterations, result.loss, result.reason) == (t, float(machine.arrays["loss"]), "until")


def test_progress_is_told_the_loss_of_its_iteration():
    program, told = build(networks.drawn_net()), []
    training.train(program, 25, None, lambda t, loss, arrays: told.append((t, loss, arrays["W1"].copy())), every=10)
    machine = Machine(program)
    for t in range(21):
        machine.begin(t)
        start = machine.arrays["W1"].copy()
        machine.segment(0, len(program))()
        if t % 10 == 0:
            seen, loss, W1 = told[t // 10]
            assert (seen, loss, W1.tobytes()) == (t, float(machine.arrays["loss"]), start.tobytes())


# Metrics


def test_accuracy_of_classes_and_of_one_output():
    network = load("iris")
    output = np.array([[0.1, 0.9, 0.0], [2.0, 1.0, 0.0]])
    assert accuracy(network, output, np.array([[0, 1, 0], [0, 1, 0]])) == 0.5
    moons = load("moons")
    assert accuracy(moons, np.array([[0.6], [0.4], [0.2]]), np.array([[1.0], [1.0], [0.0]])) == pytest.approx(2 / 3)
    logits = replace(moons, nodes=(*moons.nodes[:-1], replace(moons.nodes[-1], act="identity")))
    assert accuracy(logits, np.array([[0.4], [-0.1]]), np.array([[1.0], [0.0]])) == 1.0


@pytest.mark.parametrize(
    ("name", "least"),
    [("moons", 0.97), ("iris", 0.95), ("digits", 0.95), pytest.param("lenet", 0.95, marks=pytest.mark.soak)],
)
def test_the_examples_learn(name, least, capsys):
    assert main(["run", name, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["accuracy"] >= least
    assert found["metrics"]["test_accuracy"] >= least


@pytest.mark.parametrize(("name", "most"), [("transformer", 1.3), ("lstm", 1.0)])
def test_the_sequence_models_learn(name, most, capsys):
    """Guessing by frequency alone stays near 2.8, by chance at 3.3."""
    assert main(["run", name, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["loss"] < most
    assert found["metrics"]["accuracy"] > 0.6


def test_metrics_can_be_conditions(capsys):
    assert main(["run", "moons", "--until", "test_accuracy > 0.9", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reason"] == "until"
    assert 0 < found["iterations"] < 500
    assert found["metrics"]["test_accuracy"] > 0.9


# A network that does not fit


def test_a_network_too_large_for_the_machine_is_refused(tmp_path, capsys, monkeypatch):
    path = tmp_path / "wide.toml"
    path.write_text('data = { use = "moons", rows = 4000 }\nlayers = ["dense 4000 tanh", "dense 1"]\nloss = "mse"\n')
    monkeypatch.setattr("bptui.engine.memory.installed", lambda: 2**29)
    assert main(["run", str(path), "--iterations", "1"]) == 2
    said = capsys.readouterr().err
    assert "wide.toml: an iteration needs about 1.0 GiB, this machine has 0.5: make the batch smaller, or" in said
    monkeypatch.undo()
    assert main(["run", str(path), "--iterations", "0"]) == 0
