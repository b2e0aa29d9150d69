"""The two published examples, at full precision: two decimals can't tell a right update from the classic wrong one."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run_bptui

from bptui.engine.build import build
from bptui.engine.player import Player, State
from bptui.engine.program import Program
from bptui.engine.timeline import Position, Timeline
from bptui.files import specs

GOLDEN = Path(__file__).parent / "golden"
ARTICLE = json.loads((GOLDEN / "article.json").read_text())
MAZUR = json.loads((GOLDEN / "mazur.json").read_text())
WEIGHTS = ("w1", "w2", "w3", "w4", "w5", "w6")


def exactly(value: Any) -> Any:
    return pytest.approx(np.asarray(value, float), rel=1e-12, abs=1e-12)


@cache
def player(name: str) -> Player:
    return Player(Timeline(build(specs.load(name))))


def state(name: str, iteration: int, op: int) -> State:
    here = player(name)
    here.goto(here.timeline, Position(iteration, op))
    return here.state()


def end(name: str, iteration: int) -> State:
    """After all of an iteration."""
    return state(name, iteration, len(player(name).program))


def cell(program: Program, state_: State, label: str, grad: str = "") -> float:
    target = program.targets[label]
    return float(state_.arrays[target.slot + grad].reshape(-1)[target.cells[0]])


# The article


@pytest.mark.parametrize("label", ["h1", "h2", "prediction", "E"])
def test_article_forward(label):
    program = player("article").program
    assert cell(program, end("article", 0), label) == exactly(float(ARTICLE["iteration_0"][label]))
    assert cell(program, end("article", 1), label) == exactly(float(ARTICLE["iteration_1"][label]))


@pytest.mark.parametrize("iteration", [0, 1])
def test_article_delta(iteration):
    expected = float(ARTICLE[f"iteration_{iteration}"]["delta"])
    assert cell(player("article").program, end("article", iteration), "prediction", ".grad") == exactly(expected)


@pytest.mark.parametrize("label", WEIGHTS)
def test_article_gradients_and_updates(label):
    program, after = player("article").program, end("article", 0)
    assert cell(program, after, label, ".grad") == exactly(float(ARTICLE["iteration_0"]["grad"][label]))
    assert cell(program, after, label) == exactly(float(ARTICLE["iteration_0"]["updated"][label]))
    assert cell(program, state("article", 0, 0), label) == exactly(ARTICLE["weights"][label])


def test_article_gradients_of_the_hidden_layer():
    program, after = player("article").program, end("article", 0)
    for label in ("h1", "h2"):
        assert cell(program, after, label, ".grad") == exactly(float(ARTICLE["iteration_0"][f"grad_{label}"]))


@pytest.mark.parametrize("row", ARTICLE["trajectory"]["rows"], ids=lambda row: str(row[0]))
def test_article_trajectory(row):
    iteration, prediction, loss = row
    program, after = player("article").program, end("article", iteration)
    assert cell(program, after, "prediction") == exactly(prediction)
    assert cell(program, after, "E") == exactly(loss)


def test_article_is_not_one_of_the_known_mistakes():
    variants = ARTICLE["prediction_after_one_update_by_variant"]
    ours = cell(player("article").program, end("article", 1), "prediction")
    assert ours == exactly(variants.pop("simultaneous"))
    for name, wrong in variants.items():
        assert abs(ours - wrong) > 1e-3, name


def test_article_rounds_to_what_is_printed():
    printed, program = ARTICLE["printed_in_the_article"], player("article").program
    for label, text in printed["updated"].items():
        assert f"{cell(program, end('article', 0), label):.2f}" == text
    second = {"h1": "h1_second", "h2": "h2_second", "prediction": "prediction_second"}
    for label, key in second.items():
        assert f"{cell(program, end('article', 1), label):.2f}" == printed[key]
    assert f"{cell(program, end('article', 0), 'E'):.3f}" == printed["E"]
    assert f"{cell(program, end('article', 0), 'prediction'):.3f}" == printed["prediction"]


def test_article_program_has_the_nine_operations_in_their_order():
    sources = [instruction.source for instruction in player("article").program.instructions]
    assert sources == [
        "z1 = x @ W1",
        "z2 = z1 @ W2",
        "loss = 0.5 * square(z2 - y).sum()",
        "z2.grad = z2 - y",
        "W2.grad = z1.T @ z2.grad",
        "z1.grad = z2.grad @ W2.T",
        "W1.grad = x.T @ z1.grad",
        "W1 = W1 - lr * W1.grad",
        "W2 = W2 - lr * W2.grad",
    ]


# Mazur's


@pytest.mark.parametrize(
    ("slot", "key"),
    [("z1", "net_h"), ("a1", "out_h"), ("z2", "net_o"), ("a2", "out_o"), ("a2.grad", "dE_dout_o"), ("z2.grad", "delta_o"),
     ("a1.grad", "dE_dout_h"), ("z1.grad", "delta_h")],
)  # fmt: skip
def test_mazur_values(slot, key):
    assert end("mazur", 0).arrays[slot][0] == exactly(MAZUR["iteration_0"][key])


@pytest.mark.parametrize("layer", ["1", "2"])
def test_mazur_gradients(layer):
    assert exactly(MAZUR["iteration_0"][f"grad_W{layer}"]) == end("mazur", 0).arrays[f"W{layer}.grad"].T


def test_mazur_error_and_its_parts():
    arrays = end("mazur", 0).arrays
    assert arrays["loss"] == exactly(MAZUR["iteration_0"]["E"])
    assert (0.5 * (arrays["a2"] - arrays["y"]) ** 2)[0] == exactly(MAZUR["iteration_0"]["E_parts"])


@pytest.mark.parametrize(("slot", "key"), [("a1", "dout_dnet_h"), ("a2", "dout_dnet_o")])
def test_mazur_slopes(slot, key):
    arrays = end("mazur", 0).arrays
    slope = arrays[f"z{slot[1]}.grad"] / arrays[f"{slot}.grad"]
    assert slope[0] == exactly(MAZUR["iteration_0"][key])


@pytest.mark.parametrize("updates", sorted(MAZUR["after_updates"], key=int))
def test_mazur_after_updates(updates):
    expected, trained = MAZUR["after_updates"][updates], end("mazur", int(updates) - 1).arrays
    for layer in ("1", "2"):
        assert exactly(expected[f"W{layer}"]) == trained[f"W{layer}"].T
        assert trained[f"b{layer}"] == exactly(expected[f"b{layer}"])
    then = end("mazur", int(updates)).arrays
    assert then["a2"][0] == exactly(expected["o"])
    assert then["loss"] == exactly(expected["E"])


@pytest.mark.parametrize("mistake", ["sequential_update_mistake", "per_neuron_biases_trained"])
@pytest.mark.parametrize("updates", ["1", "10000"])
def test_mazur_is_not_one_of_the_known_mistakes(mistake, updates):
    wrong, then = MAZUR[mistake][updates], end("mazur", int(updates)).arrays
    assert abs(float(then["loss"]) / wrong["E"] - 1) > 1e-7
    if "o" in wrong:
        assert (abs(then["a2"][0] / wrong["o"] - 1) > 1e-7).all()
    if "b1" in wrong:
        assert (abs(then["b1"] - wrong["b1"]) > 1e-3).all()


# Through the command line


def test_trace_of_the_article():
    done = run_bptui("trace", "article", "--iterations", "2", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["iteration"], row["op"]) for row in rows] == [(t, op) for t in (0, 1) for op in range(1, 10)]
    assert [row["phase"] for row in rows[:9]] == ["forward"] * 2 + ["loss"] + ["backward"] * 4 + ["update"] * 2
    assert all(list(row) == ["iteration", "op", "phase", "source", "reads", "writes", "value"] for row in rows)
    assert done.stdout.splitlines()[0] == (
        '{"iteration":0,"op":1,"phase":"forward","source":"z1 = x @ W1","reads":["x","W1"],"writes":"z1","value":[[0.85,0.48]]}'
    )
    values = {(row["iteration"], row["op"]): row["value"] for row in rows}
    assert values[0, 2] == exactly([[0.191]])
    assert values[0, 3] == exactly(0.3272405)
    assert values[1, 2] == exactly([[0.2557457808075]])
    grad, updated = ({k: float(v) for k, v in ARTICLE["iteration_0"][key].items()} for key in ("grad", "updated"))
    assert values[0, 5] == exactly([[grad["w5"]], [grad["w6"]]])
    assert values[0, 7] == exactly([[grad["w1"], grad["w3"]], [grad["w2"], grad["w4"]]])
    assert values[0, 8] == exactly([[updated["w1"], updated["w3"]], [updated["w2"], updated["w4"]]])
    assert values[0, 9] == exactly([[updated["w5"]], [updated["w6"]]])


def test_run_of_the_article_until():
    done = run_bptui("run", "article", "--until", "loss < 1e-6", "--format", "json")
    last = done.stdout.splitlines()[-1]
    found = json.loads(last)
    assert (found["iterations"], found["reason"]) == (20, "until")
    assert found["loss"] == exactly(ARTICLE["trajectory"]["rows"][20][2])
    assert done.returncode == 0


def test_run_of_mazur():
    done = run_bptui("run", "mazur", "--iterations", "10000", "--format", "json")
    found = json.loads(done.stdout.splitlines()[-1])
    assert list(found) == ["iterations", "loss", "reason", "parameters"]
    assert (found["iterations"], found["reason"]) == (10000, "iterations")
    assert found["loss"] == pytest.approx(3.510187782978859e-05, abs=1e-12)
    expected = MAZUR["after_updates"]["10000"]
    assert exactly(expected["W1"]) == np.array(found["parameters"]["W1"]).T
    assert exactly(expected["W2"]) == np.array(found["parameters"]["W2"]).T
