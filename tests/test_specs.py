"""Specs: what is read, every mistake with its line, and what is written back."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bptui.engine.build import build
from bptui.engine.checking import checked, find_problems
from bptui.engine.network import Network, NetworkError, Node
from bptui.files import FileError, SpecError, document, example_names, examples, load, new, safe, save, to_toml
from bptui.files.lines import Lines
from bptui.files.template import TEMPLATE

GOOD = """\
seed = 1
data = { x = [[2, 3]], y = [[1]] }
loss = "half-mse"
lr = 0.05

[[layer]]
dense = 2
bias = false
W = [[0.11, 0.21], [0.12, 0.08]]
labels = { W = [["w1", "w2"], ["w3", "w4"]], out = ["h1", "h2"] }

[[layer]]
dense = 1
W = [[0.14, 0.15]]
labels = { out = ["prediction"] }
"""
GRAPH = """\
data = "xor"
loss = "bce"
[net]
h1 = "dense 8 tanh (x)"
h2 = "dense 8 tanh (h1)"
s = "add (h1, h2)"
out = "dense 1 sigmoid (s)"
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """Write a text to a file in an empty working directory, and load it by its short name."""
    monkeypatch.chdir(tmp_path)

    def read(text: str | bytes, name: str = "net.toml") -> Network:
        data = text.encode() if isinstance(text, str) else text
        Path(name).write_bytes(data)
        return load(name)

    return read


def mistakes(read, text: str | bytes, name: str = "net.toml") -> list[str]:
    """The lines that a faulty spec gives, the file's name taken off."""
    with pytest.raises(SpecError) as caught:
        read(text, name)
    for line in caught.value.lines:
        assert re.fullmatch(r"[^\n\r\x1b]+", line) and len(line) < 500
        assert line.startswith(name + ":")
    return [line.removeprefix(name + ":").strip() for line in caught.value.lines]


def the_mistake(read, text: str | bytes, name: str = "net.toml") -> str:
    """The one line that a spec with one mistake gives: follow-on noise fails here."""
    found = mistakes(read, text, name)
    assert len(found) == 1, found
    return found[0]


def good(old: str = "", now: str = "", base: str = GOOD) -> str:
    assert old in base
    return base.replace(old, now, 1)


class TestReading:
    def test_a_layer_list(self, spec):
        network = spec('seed = 1\ndata = "xor"\nlayers = ["dense 4 tanh", "dense 1 sigmoid"]\nloss = "bce"\nlr = 0.5\n')
        assert [(n.key, n.inputs, n.units, n.act, n.bias) for n in network.nodes] == [
            ("1", ("x",), 4, "tanh", True),
            ("2", ("1",), 1, "sigmoid", True),
        ]
        assert network.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert network.y.tolist() == [[0], [1], [1], [0]]
        assert (network.seed, network.loss, network.lr, network.name) == (1, "bce", 0.5, "net")

    def test_tables_have_one_row_per_neuron(self, spec):
        first = spec(GOOD).nodes[0]
        assert first.W.tolist() == [[0.11, 0.12], [0.21, 0.08]]
        assert first.labels["W"] == [["w1", "w3"], ["w2", "w4"]]
        assert not first.bias

    @pytest.mark.parametrize("place", ["top", "layer"])
    def test_the_other_layout(self, spec, place):
        text = "layout = 'in-out'\n" + GOOD if place == "top" else good("dense = 2", "dense = 2\nlayout = 'in-out'")
        text = text.replace("[[0.14, 0.15]]", "[[0.14], [0.15]]") if place == "top" else text
        first = spec(text).nodes[0]
        assert first.W.tolist() == [[0.11, 0.21], [0.12, 0.08]]
        assert first.labels["W"] == [["w1", "w2"], ["w3", "w4"]]

    def test_a_graph(self, spec):
        network = spec(GRAPH)
        assert network.graph
        assert [(n.key, n.op, n.inputs) for n in network.nodes] == [
            ("h1", "dense", ("x",)),
            ("h2", "dense", ("h1",)),
            ("s", "add", ("h1", "h2")),
            ("out", "dense", ("s",)),
        ]
        build(network)

    def test_a_graph_in_any_order_and_as_tables(self, spec):
        text = """\
data = "or"
loss = "bce"
[net.out]
dense = 1
from = "s"
[net.s]
add = ["h", "g"]
act = "relu"
[net.h]
dense = 2
from = "x"
W = [[1, 2], [3, 4]]
b = 1
[net.g]
dense = 2
from = "h"
"""
        network = spec(text)
        assert [n.key for n in network.nodes] == ["h", "g", "s", "out"]
        assert network.nodes[0].b.tolist() == [1, 1]
        build(network)

    def test_one_bias_for_all(self, spec):
        assert spec(good("W = [[0.14, 0.15]]", "b = 3")).nodes[1].b.tolist() == [3]

    def test_a_plain_list_of_targets_is_a_column(self, spec):
        text = 'data = { x = [[1], [2]], y = [3, 4] }\nlayers = ["dense 1"]\nloss = "mse"\n'
        assert spec(text).y.tolist() == [[3], [4]]

    @pytest.mark.parametrize("targets", ["[2, 0]", "[[2], [0]]"])
    def test_classes_become_columns(self, spec, targets):
        text = f'data = {{ x = [[1], [2]], y = {targets} }}\nlayers = ["dense 3"]\nloss = "softmax-ce"\n'
        assert spec(text).y.tolist() == [[0, 0, 1], [1, 0, 0]]

    def test_defaults(self, spec):
        network = spec('data = "xor"\nlayers = ["dense 1"]\nloss = "mse"\n')
        assert (network.seed, network.lr, network.iterations, network.dtype) == (0, 0.1, 1000, "float64")
        assert network.batch is None

    def test_a_batch_of_all_rows_is_no_draw(self, spec):
        text = 'data = { use = "xor", batch = %d }\nlayers = ["dense 1"]\nloss = "mse"\n'
        assert spec(text % 2).batch == 2
        assert spec(text % 4).batch is None

    @pytest.mark.parametrize("line", ['optim = { use = "sgd", lr = 0.25 }', "optim = { lr = 0.25 }", 'optim = "sgd"'])
    def test_the_optimizer(self, spec, line):
        network = spec(good("lr = 0.05", line))
        assert network.lr == (0.25 if "lr" in line else 0.1)

    def test_narration_with_and_without_quotes(self, spec):
        network = spec(GOOD + '[narration]\nstart = "a"\n"W2.grad" = "b"\nz2.grad = "c"\n')
        assert network.narration == {"start": "a", "W2.grad": "b", "z2.grad": "c"}

    def test_json_says_the_same(self, spec):
        values = {
            "data": {"x": [[2, 3]], "y": [[1]]},
            "loss": "half-mse",
            "layer": [{"dense": 2, "W": [[0.11, 0.21], [0.12, 0.08]], "bias": False}, {"dense": 1, "act": "tanh"}],
        }
        network = spec(json.dumps(values), "net.json")
        assert network.nodes[0].W.tolist() == [[0.11, 0.12], [0.21, 0.08]]
        assert network.nodes[1].act == "tanh"

    def test_windows_line_ends_and_a_byte_order_mark(self, spec):
        assert spec(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()).lr == 0.05


class TestExamples:
    def test_there_are_three_and_each_has_a_title(self):
        assert example_names()[:3] == ("article", "mazur", "xor")
        assert all(title and "\n" not in title for _, title in examples())

    @pytest.mark.parametrize("name", example_names())
    def test_each_builds_and_tells_its_story(self, name):
        network = load(name)
        program = build(network)
        written = {instruction.writes for instruction in program.instructions}
        stages = {"start", "end", "data", "forward", "loss", "backward", "update"}
        assert set(network.narration) <= written | stages
        assert {"start", "loss", "end"} <= set(network.narration)
        assert all(20 < len(text) <= 200 for text in network.narration.values())
        assert network.name == name

    def test_the_article_has_its_numbers(self):
        network = load("article")
        assert [node.W.tolist() for node in network.nodes] == [[[0.11, 0.12], [0.21, 0.08]], [[0.14], [0.15]]]
        assert network.labels == {"x": ["i1", "i2"], "y": ["target"], "loss": "E"}

    def test_mazur_ends_where_it_should(self):
        loss = trained(load("mazur"), 10000)
        assert loss == pytest.approx(3.510187782978859e-05, rel=0, abs=1e-12)

    def test_xor_is_learnt_within_its_iterations(self):
        network = load("xor")
        assert trained(network, network.iterations) < 0.01

    def test_an_example_wins_over_a_file_of_its_name(self, spec):
        Path("article").write_text('data = "xor"\nlayers = ["dense 1"]\nloss = "mse"\n')
        assert load("article").nodes[0].name == "h"
        assert load("./article").loss == "mse"


def trained(network: Network, updates: int) -> float:
    """The loss after so many updates, by a few lines of NumPy that share nothing with the engine."""
    acts = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
    weights = [[node.W.copy(), node.b.copy(), "b" in node.freeze, node.act] for node in network.nodes]
    x, y = network.x, network.y
    rows = len(x)
    for done in range(updates + 1):
        values = [x]
        for W, b, _, act in weights:
            values.append(acts[act](values[-1] @ W + b))
        p = values[-1]
        if network.loss == "bce":
            loss, grad = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(), (p - y) / (p * (1 - p)) / y.size
        else:
            loss, grad = 0.5 * ((p - y) ** 2).sum() / rows, (p - y) / rows
        if done == updates:
            return float(loss)
        for layer in reversed(range(len(weights))):
            W, b, frozen, act = weights[layer]
            a = values[layer + 1]
            delta = grad * (1 - a * a if act == "tanh" else a * (1 - a))
            grad = delta @ W.T
            weights[layer][0] = W - network.lr * values[layer].T @ delta
            weights[layer][1] = b if frozen else b - network.lr * delta.sum(0)
    raise AssertionError


class TestAllMistakesAtOnce:
    def test_five_mistakes_five_lines(self, spec):
        text = """\
# a comment
lerning_rate = 0.1
data = { x = [[1, 2]], y = [[1]] }
loss = "half-mes"

[[layer]]
dense = 2
act = "sigmoyd"
labels = { out = ["h1", "h1"] }

[[layer]]
dense = 1
W = [[1, 2, 3]]
"""
        found = mistakes(spec, text)
        assert [int(line.split(":")[0]) for line in found] == [2, 4, 8, 9, 13]
        assert "unknown key 'lerning_rate'" in found[0]
        assert "(did you mean half-mse?)" in found[1]
        assert "(did you mean sigmoid?)" in found[2]
        assert "'h1' is used twice" in found[3]
        assert "W is for 3 inputs and 1 neuron, the layer has 2 inputs and 1 neuron" in found[4]

    def test_the_lines_are_ready_to_print(self, spec):
        with pytest.raises(SpecError) as caught:
            spec(good("half-mse", "half-mes"))
        assert caught.value.lines == ["net.toml:3: unknown loss 'half-mes' (did you mean half-mse?)"]

    def test_very_many_mistakes_are_counted(self, spec):
        found = mistakes(spec, GOOD + "".join(f"[[layer]]\nk{i} = 1\n" for i in range(200)))
        assert len(found) == 101
        assert re.fullmatch(r"and \d+ more mistakes", found[-1])

    def test_json_has_lines_too(self, spec):
        text = '{\n "data": "xor",\n "loss": "bse",\n "layers": [\n  "dense 4 tanh",\n  "dense 1 sigmoyd"\n ]\n}\n'
        assert [line.split(":")[0] for line in mistakes(spec, text, "a.json")] == ["3", "6"]

    def test_the_engine_tells_all_of_them_too(self):
        nodes = (Node("1", ("x",), 2, act="tahn"), Node("2", ("1",), 1, W=np.zeros((3, 1))))
        with pytest.raises(NetworkError) as caught:
            checked(Network(nodes, np.zeros((1, 2)), np.zeros((2, 1)), loss="mes"))
        assert len(caught.value.problems) == 4


def line_of(text: str, part: str) -> int:
    """The line that begins with it, or else the first that has it."""
    at = ("\n" + text).find("\n" + part)
    return text[: at if at >= 0 else text.index(part)].count("\n") + 1


# (what, spec, a piece of the text that stands on the mistake's line or "" for no line, what the message says)
ONE_MISTAKE = [
    ("a matrix with a row too many", good("[0.12, 0.08]]", "[0.12, 0.08], [1, 1]]"), "W = [[0.11", "3 neurons, the layer has 2 inputs and 2 neurons"),
    ("a matrix of the wrong width", good("[[0.14, 0.15]]", "[[0.14]]"), "W = [[0.14", "W is for 1 input and 1 neuron"),
    ("a NaN weight", good("0.21", "nan"), "nan", "row 0 of W holds a wrong value: nan is no finite"),
    ("an infinite weight", good("0.21", "-inf"), "-inf", "-inf is no finite number"),
    ("a NaN in x", good("[[2, 3]]", "[[nan, 3]]"), "data =", "row 0 of x holds a wrong value: nan"),
    ("an infinite target", good("[[1]]", "[[inf]]"), "data =", "row 0 of y holds a wrong value: inf"),
    ("an infinite rate", good("0.05", "inf"), "lr =", "inf is no finite number"),
    ("a NaN bias", good("W = [[0.14, 0.15]]", "b = [nan]"), "b = [nan]", "b holds a wrong value: nan"),
    ("a NaN bias for all", good("W = [[0.14, 0.15]]", "b = nan"), "b = nan", "nan is no finite number"),
    ("ragged rows", good("[0.12, 0.08]", "[0.12]"), "W = [[0.11", "row 1 of W is 1 long, row 0 is 2"),
    ("ragged rows on lines", good("[[0.11, 0.21], [0.12, 0.08]]", "[\n[0.11, 0.21],\n[0.12],\n]"), "[0.12]", "row 1 of W is 1 long"),
    ("text for a weight", good("0.21", "'a'"), "0.11", "'a' is no number"),
    ("true for a weight", good("0.21", "true"), "0.11", "true is no number"),
    ("a flat W", good("[[0.14, 0.15]]", "[0.14, 0.15]"), "[0.14", "row 0 of W is a list of numbers such as [1, 2], not 0.14"),
    ("an empty W", good("[[0.14, 0.15]]", "[]"), "W = []", "W is a list of rows such as"),
    ("W of empty rows", good("[[0.14, 0.15]]", "[[], []]"), "W = [[], []]", "W is for 0 inputs"),
    ("W is a number", good("[[0.14, 0.15]]", "3"), "W = 3", "not 3"),
    ("W three deep", good("[[0.14, 0.15]]", "[[[0.14, 0.15]]]"), "W = [[[", "a list is no number"),
    ("too large a whole number", good("0.21", "1" + "0" * 400), "W = [[0.11", "a number of more than 60 digits is too large"),
    ("too large for float32", "dtype = 'float32'\n" + good("0.21", "1e39"), "1e39", "1e+39 is too large for float32"),
    ("a flat x", good("[[2, 3]]", "[2, 3]"), "data =", "row 0 of x is a list of numbers"),
    ("an empty x", good("[[2, 3]]", "[]"), "data =", "x is a list of rows such as [[1, 2], [3, 4]], not an empty list"),
    ("ragged x", good("[[2, 3]]", "[[2, 3], [1]]"), "data =", "row 1 of x is 1 long, row 0 is 2"),
    ("more targets than rows", good("[[1]]", "[[1], [2]]"), "data =", "x has 1 row, y has 2 rows"),
    ("a flat y for one row", good("[[1]]", "[1, 0]"), "data =", "2 targets for 1 row of x: write y = [[1, 0]] for one row"),
    ("y too wide", good("[[1]]", "[[1, 2]]"), "data =", "y has 2 columns, the last layer gives 1"),
    ("y is a number", good("[[1]]", "1"), "data =", "y is a list of rows"),
    ("x and no y", good(", y = [[1]]", ""), "data =", "data has no y"),
    ("no data", good("data = { x = [[2, 3]], y = [[1]] }\n", ""), "", 'data is missing: write data = "xor"'),
    ("data is a number", good("{ x = [[2, 3]], y = [[1]] }", "3"), "data =", "data is 3: write data ="),
    ("data of no name", good("{ x = [[2, 3]], y = [[1]] }", "'qqqq'"), "data =", "no data are called 'qqqq'"),
    ("misspelt data", good("{ x = [[2, 3]], y = [[1]] }", "'xorr'"), "data =", "(did you mean xor?)"),
    ("misspelt data in use", good("{ x = [[2, 3]], y = [[1]] }", "{ use = 'xro' }"), "data =", "(did you mean xor?)"),
    ("data by number", good("{ x = [[2, 3]], y = [[1]] }", "{ use = 3 }"), "data =", "use = a text is expected: 3 is no text"),
    ("unknown key in data", good("y = [[1]]", "y = [[1]], bach = 1"), "data =", "unknown key 'bach' in data (did you mean batch?)"),
    ("too large a batch", good("y = [[1]]", "y = [[1]], batch = 2"), "data =", "batch is 2: the data have 1 row to draw from"),
    ("a batch of none", good("y = [[1]]", "y = [[1]], batch = 0"), "data =", "0 is less than 1"),
    ("a batch of text", good("y = [[1]]", "y = [[1]], batch = 'a'"), "data =", "'a' is none"),
    ("unknown loss", good("half-mse", "half_mse"), "loss =", "unknown loss 'half_mse' (did you mean half-mse?)"),
    ("a loss unlike any", good("half-mse", "qqq"), "loss =", "unknown loss 'qqq' (one of half-mse, mse, mae, huber, smooth-l1, hinge, bce, softmax-ce, nll, kl-div)"),
    ("no loss", good('loss = "half-mse"\n', ""), "", "loss is missing: it is one of half-mse, mse, mae, huber, smooth-l1, hinge, bce, softmax-ce, nll, kl-div"),
    ("loss is a number", good('"half-mse"', "1"), "loss =", "1 is no text"),
    ("rate is text", good("0.05", "'fast'"), "lr =", "lr = a number is expected: 'fast' is no number"),
    ("rate is true", good("0.05", "true"), "lr =", "true is no number"),
    ("rate too large", good("0.05", "1" + "0" * 999), "lr =", "too large"),
    ("the old name of the rate", good("lr =", "learning_rate ="), "learning_rate", "(did you mean lr?)"),
    ("another optimizer", good("lr = 0.05", 'optim = { use = "lbfgs", beta1 = 0.9 }'), "optim", "no optimizer is called 'lbfgs' (one of sgd, adagrad, "),
    ("an option of another optimizer", good("lr = 0.05", 'optim = { use = "adagrad", beta1 = 0.9 }'), "optim", "unknown key 'beta1' in optim"),
    ("a rate of decay of 1", good("lr = 0.05", 'optim = { use = "adam", beta1 = 1 }'), "optim", "beta1 is 1.0: beta1 is a number from 0 up to, but not, 1"),
    ("nesterov alone", good("lr = 0.05", 'optim = { use = "sgd", nesterov = true }'), "optim", "nesterov needs a momentum"),
    ("an unknown schedule", good("lr = 0.05", 'lr = 0.05\nschedule = { use = "cosin", steps = 5 }'), "schedule", "no schedule is called 'cosin' (did you mean cosine?)"),
    ("a schedule without its length", good("lr = 0.05", 'lr = 0.05\nschedule = { use = "cosine" }'), "schedule", "the schedule cosine needs steps"),
    ("a loss that is no longer one", good('"half-mse"', '{ use = "huber", delta = 0 }'), "loss =", "delta is 0.0: it is above 0"),
    ("an option of another loss", good('"half-mse"', '{ use = "mse", delta = 1 }'), "loss =", "unknown key 'delta' in the loss mse"),
    ("too much smoothing", good('"half-mse"', '{ use = "nll", smoothing = 1 }'), "loss =", "smoothing is 1.0: it is 0 up to, but not, 1"),
    ("class weights of another length", good('"half-mse"', '{ use = "nll", class_weights = [1, 2, 3] }'), "loss =", "3 class weights for 1 class"),
    ("class weights of nothing", good('"half-mse"', '{ use = "nll", class_weights = [0] }'), "loss =", "class weights are from 0 on, and not all of them 0"),
    ("a schedule of no length", good("lr = 0.05", 'lr = 0.05\nschedule = { use = "cosine", steps = 0 }'), "schedule", "steps is 0.0: at least 1 is needed"),
    ("a cycle that begins at no rate", good("lr = 0.05", 'lr = 0.05\nschedule = { use = "one-cycle", steps = 9, first = 0 }'), "schedule", "first is 0.0: at least 1 is needed"),
    ("a norm of what is not there yet", good("lr = 0.05", 'lr = 0.05\nclip = { norm = 1 }\nupdate = "sequential"'), "clip", "update can't be sequential"),
    ("an unknown way to update", good("lr = 0.05", 'lr = 0.05\nupdate = "sequental"'), "update", "(did you mean sequential?)"),
    ("misspelt optimizer", good("lr = 0.05", 'optim = "sdg"'), "optim", "(did you mean sgd?)"),
    ("unknown key of the optimizer", good("lr = 0.05", 'optim = { use = "sgd", mom = 0.9 }'), "optim", "unknown key 'mom' in optim"),
    ("two rates", good("lr = 0.05", "lr = 0.05\noptim = { lr = 1 }"), "optim", "lr stands twice"),
    ("optimizer is a number", good("lr = 0.05", "optim = 3"), "optim", "optim is a table"),
    ("negative seed", good("seed = 1", "seed = -1"), "seed", "-1 is less than 0"),
    ("fractional seed", good("seed = 1", "seed = 1.5"), "seed", "seed = a whole number is expected: 1.5 is none"),
    ("no iterations", good("seed = 1", "iterations = 0"), "iterations", "0 is less than 1"),
    ("endless iterations", good("seed = 1", "iterations = inf"), "iterations", "inf is none"),
    ("huge seed", good("seed = 1", "seed = 99999999999999999999"), "seed", "too large"),
    ("unknown dtype", good("seed = 1", "dtype = 'float23'"), "dtype", "unknown dtype 'float23'"),
    ("unknown layout", good("seed = 1", "layout = 'out-inn'"), "layout", "unknown layout 'out-inn' (did you mean out-in?)"),
    ("unknown layout of a layer", good("dense = 1", "dense = 1\nlayout = 'x'"), "layout", "(out-in or in-out)"),
    ("unknown key at the top", good("seed = 1", "sed = 1"), "sed", "unknown key 'sed' in the spec (did you mean seed?)"),
    ("unknown key in a layer", good("dense = 1", "dense = 1\nweigths = [[1, 2]]"), "weigths", "unknown key 'weigths' in a layer"),
    ("a small letter", good("W = [[0.14", "w = [[0.14"), "w = [[0.14", "unknown key 'w' in a layer (did you mean W?)"),
    ("unknown activation", good("dense = 1", "dense = 1\nact = 'rleu'"), "act", "unknown activation 'rleu' (did you mean relu?)"),
    ("activation is a number", good("dense = 1", "dense = 1\nact = 3"), "act", "3 is no text"),
    ("no neurons", good("dense = 1\n", "dense = 0\n"), "dense = 0", "0 is less than 1"),
    ("negative neurons", good("dense = 2", "dense = -2"), "dense = -2", "-2 is less than 1"),
    ("neurons of text", good("dense = 2", "dense = 'two'"), "dense = 'two'", "'two' is none"),
    ("neurons that are true", good("dense = 1\n", "dense = true\n"), "dense = true", "true is none"),
    ("a dense layer without a size", good("dense = 1\n", ""), "[[layer]]\nW", "a layer says how many neurons it has: dense = 4"),
    ("too many neurons", good("dense = 2", "dense = 1000000000000"), "dense = 1", "1000000000000 neurons are too many"),
    ("too many weights", 'data = "xor"\nloss = "mse"\nlayers = [\n"dense 9",\n"dense 10000",\n"dense 10000",\n"dense 1"]\n', '"dense 10000",\n"dense 1"', "100,120,028 parameters need about 3.7 GiB"),
    ("bias is text", good("bias = false", "bias = 'no'"), "bias", "bias = true or false is expected"),
    ("biases and none", good("bias = false", "bias = false\nb = 1"), "b = 1", "b is given, but bias = false"),
    ("biases too many", good("W = [[0.14, 0.15]]", "b = [1, 2]"), "b = [1", "b has 2 numbers, the layer has 1 neuron"),
    ("biases of text", good("W = [[0.14, 0.15]]", "b = ['a']"), "b = ['a", "'a' is no number"),
    ("no biases", good("W = [[0.14, 0.15]]", "b = []"), "b = []", "not an empty list"),
    ("freezing what is not there", good("bias = false", "freeze = ['w']"), "freeze", "freeze names 'w'"),
    ("freezing a number", good("bias = false", "freeze = 3"), "freeze", "freeze is a list of texts"),
    ("a pattern that fits nothing", good("seed = 1", "freeze = ['W3']"), "freeze", "freeze = 'W3' fits no parameter"),
    ("a label twice", good('"w4"', '"w1"'), "labels", "the label 'w1' is used twice: it is already a label of W1"),
    ("a label twice in two layers", good('["prediction"]', '["h1"]'), 'labels = { out = ["h1"]', "the label 'h1' is used twice: it is already a label of z1"),
    ("a label that is a slot", good('"w4"', '"W2"'), "labels", "the label 'W2' is used twice: it is already a slot"),
    ("a label that is no name", good('"w4"', '"w 4"'), "labels", "'w 4' can't be a label"),
    ("a label that is a keyword", good('"w4"', '"lambda"'), "labels", "'lambda' can't be a label"),
    ("a label that Python would read as another", good('"w4"', '"ﬁ"'), "labels", "can't be a label"),
    ("labels too few", good('["h1", "h2"]', '["h1"]'), "labels", "1 label for z1, which has 2 columns"),
    ("labels of another shape", good('[["w1", "w2"], ["w3", "w4"]]', '[["w1", "w2"]]'), "labels", "labels of W1 are for 2 inputs and 1 neuron, the layer has 2 inputs and 2 neurons"),
    ("ragged labels", good('["w3", "w4"]', '["w3"]'), "labels", "row 1 of the labels of W is 1 long, row 0 is 2"),
    ("flat labels of W", good('[["w1", "w2"], ["w3", "w4"]]', '["w1", "w2"]'), "labels", "labels of W are rows of texts"),
    ("labels of numbers", good('["h1", "h2"]', "[1, 2]"), "labels", 'labels of out are a list of texts such as ["h1", "h2"], not 1'),
    ("labels in a list", good('labels = { out = ["prediction"] }', 'labels = ["p"]'), 'labels = ["p"]', "labels is a table such as"),
    ("labels of what is not there", good('out = ["p', 'outt = ["p'), "outt", "unknown key 'outt' in labels (did you mean out?)"),
    ("labels of no biases", good("labels = { W", "labels = { b = ['b_1', 'b_2'], W"), "b_1", "labels for b, but bias = false"),
    ("labels of x too few", good("seed = 1", "labels = { x = ['a'] }"), "labels", "1 label for x, which has 2 columns"),
    ("a list for the loss", good("seed = 1", "labels = { loss = ['a'] }"), "labels", "a list is no text"),
    ("a name twice", good("dense = 2", "dense = 2\nname = 'n'").replace("dense = 1", "dense = 1\nname = 'n'"), "name = 'n'\nW = [[0.14", "the name 'n' is taken: it is a node's name"),
    ("a name that is a slot", good("dense = 2", "dense = 2\nname = 'W1'"), "name", "the name 'W1' is taken: it is a slot"),
    ("no name", good("dense = 2", "dense = 2\nname = '2h'"), "name", "'2h' is no name"),
    ("a label that is a layer's name", good("dense = 2", "dense = 2\nname = 'w1'"), "labels", "'w1' is used twice: it is already a node's name"),
    ("a title of numbers", good("seed = 1", "title = 3"), "title", "3 is no text"),
    ("unknown stage", GOOD + "[narration]\nfoward = 'a'\n", "foward", "unknown key 'foward' in narration (did you mean forward?)"),
    ("a slot that is not there", GOOD + "[narration]\n'z3.grad' = 'a'\n", "z3.grad", "unknown key 'z3.grad' in narration (did you mean z"),
    ("a story of numbers", GOOD + "[narration]\nstart = 1\n", "start", "1 is no text"),
    ("narration is a text", "narration = 'a'\n" + GOOD, "narration", "narration is a table"),
    ("no layers", 'data = "xor"\nloss = "mse"\n', "", "no layers: describe at least one"),
    ("an empty list of layers", 'data = "xor"\nloss = "mse"\nlayers = []\n', "layers", "no layers: describe at least one"),
    ("layers and layer", "layers = ['dense 1']\n" + GOOD, "[[layer]]", "[[layer]] and layers = […] both describe the network"),
    ("layers and net", GRAPH.replace("[net]", "layers = ['dense 1']\n[net]"), "[net]", "[net] and layers = […] both"),
    ("layers of tables", GOOD.replace("[[layer]]", "[[layers]]"), "[[layers]]", "tables go under [[layer]]"),
    ("a layer in single brackets", 'data = "xor"\nloss = "mse"\n[layer]\ndense = 1\n', "[layer]", "a layer is headed [[layer]], in two brackets"),
    ("layers is a text", 'data = "xor"\nloss = "mse"\nlayers = "dense 1"\n', "layers", "layers is a list of lines"),
    ("a layer is a number", 'data = "xor"\nloss = "mse"\nlayers = [\n"dense 2",\n3,\n"dense 1"]\n', "3,", 'a line such as "dense 4 tanh" is expected, not 3'),
    ("an unknown kind", 'data = "xor"\nloss = "mse"\nlayers = ["dnse 1"]\n', "layers", "'dnse' is no kind of layer (did you mean dense?)"),
    ("an empty line", 'data = "xor"\nloss = "mse"\nlayers = [""]\n', "layers", "'' is no kind of layer"),
    ("no size in a line", 'data = "xor"\nloss = "mse"\nlayers = ["dense"]\n', "layers", 'no number of neurons: write "dense 4 tanh"'),
    ("no number in a line", 'data = "xor"\nloss = "mse"\nlayers = ["dense tanh"]\n', "layers", "'tanh' is no number of neurons"),
    ("a negative number in a line", 'data = "xor"\nloss = "mse"\nlayers = ["dense -3"]\n', "layers", "'-3' is no number of neurons"),
    ("no neurons in a line", 'data = "xor"\nloss = "mse"\nlayers = ["dense 0"]\n', "layers", "at least 1 unit, not 0"),
    ("a huge number in a line", f'data = "xor"\nloss = "mse"\nlayers = ["dense {"9" * 5000}"]\n', "layers", "neurons are too many"),
    ("an activation of a line", 'data = "xor"\nloss = "mse"\nlayers = ["dense 4 tanh",\n"dense 1 sigmoidd"]\n', '"dense 1', "unknown activation 'sigmoidd' (did you mean sigmoid?)"),
    ("a word too many", 'data = "xor"\nloss = "mse"\nlayers = ["dense 1 tanh relu"]\n', "layers", "'relu' is one word too many"),
    ("brackets in a list", 'data = "xor"\nloss = "mse"\nlayers = ["dense 1 (x)"]\n', "layers", "brackets are for a [net]"),
    ("add in a list", 'data = "xor"\nloss = "mse"\nlayers = ["add"]\n', "layers", "add needs a [net]"),
    ("a loop", GRAPH.replace("(x)", "(h2)"), "h1 =", "a loop in the graph: h1 → h2 → h1"),
    ("a loop of one", GRAPH.replace("(h1)", "(h2)"), "h2 =", "a loop in the graph: h2 → h2"),
    ("a node that is not there", GRAPH.replace("(h1)", "(h9)"), "h2 =", "h2 reads 'h9', which is no node (did you mean h1?)"),
    ("a node that nobody reads", GRAPH.replace("(s)", "(h2)"), "s =", "nothing reads s: only one node may end the graph, and that is out"),
    ("different widths", GRAPH.replace('"dense 8 tanh (h1)"', '"dense 7 tanh (h1)"'), "s =", "s adds different widths: h1 has 8, h2 has 7"),
    ("no brackets", GRAPH.replace(" (h1)", ""), "h2 =", "say what it reads, in brackets"),
    ("half a bracket", GRAPH.replace("(h1)", "(h1"), "h2 =", "say what it reads, in brackets"),
    ("dense of two", GRAPH.replace("(h1)", "(h1, x)"), "h2 =", "say what it reads, in brackets: dense 4 tanh (x)"),
    ("add of one", GRAPH.replace("(h1, h2)", "(h2)"), "s =", "add (h1, h2)"),
    ("an unknown kind of node", GRAPH.replace("add", "ad"), "s =", "'ad' is no kind of layer (did you mean add?)"),
    ("an unknown activation of a node", GRAPH.replace("8 tanh (h1)", "8 tnah (h1)"), "h2 =", "unknown activation 'tnah' (did you mean tanh?)"),
    ("a node called x", GRAPH.replace("h1", "x"), "x =", "a node may not be called 'x'"),
    ("a node called like a keyword", GRAPH.replace("h2", "class"), "class =", "a node may not be called 'class'"),
    ("a node called like code", GRAPH.replace("out =", '"a b; import os" ='), "a b;", "a node may not be called 'a b; import os'"),
    ("a node called like a layer", GRAPH.replace("out =", "1 ="), "1 =", "'1' can't be a node's name"),
    ("a node that is a number", GRAPH.replace('"dense 1 sigmoid (s)"', "1"), "out =", "is expected, not 1"),
    ("a node without from", GRAPH.replace('"dense 1 sigmoid (s)"', "{ dense = 1 }"), "out =", 'a node says what it reads: from = "x"'),
    ("net is a list", 'data = "xor"\nloss = "mse"\nnet = []\n', "net", "net is a table such as"),
    ("classes out of range", 'data = { x = [[1], [2]], y = [0, 3] }\nlayers = ["dense 3"]\nloss = "softmax-ce"\n', "data", "row 1 of y is 3.0: the classes of 3 outputs are numbered 0 to 2"),
    ("classes between", 'data = { x = [[1], [2]], y = [0, 0.5] }\nlayers = ["dense 3"]\nloss = "softmax-ce"\n', "data", "row 1 of y is 0.5"),
    ("too many layers", 'data = "xor"\nloss = "mse"\nlayers = [' + '"dense 1",' * 1001 + "]\n", "layers", "1001 layers: the limit is 1000"),
]  # fmt: skip


class TestOneMistakeOneLine:
    @pytest.mark.parametrize(
        ("text", "part", "says"), [case[1:] for case in ONE_MISTAKE], ids=[c[0] for c in ONE_MISTAKE]
    )
    def test_it(self, spec, text, part, says):
        found = the_mistake(spec, text)
        line, _, message = found.partition(": ") if part else ("", "", found)
        assert says in message
        if part:
            assert int(line) == line_of(text, part), found

    def test_the_specs_they_are_made_of_have_none(self, spec):
        assert spec(GOOD).lr == 0.05
        assert spec(GRAPH).graph


class TestNoSpecAtAll:
    def test_a_missing_file(self, spec):
        with pytest.raises(SpecError) as caught:
            load("artcle")
        (line,) = caught.value.lines
        assert line == (
            "artcle: no such file or example (did you mean article?); `bptui examples` lists the built-in ones"
        )

    @pytest.mark.parametrize(
        "name", ["nowhere/at.toml", "net.toml/more", "", "a\0b", "x" * 5000, "\udcff\x1b[31m.toml"]
    )
    def test_other_missing_files(self, spec, name):
        Path("net.toml").write_text(GOOD)
        with pytest.raises(SpecError) as caught:
            load(name)
        (line,) = caught.value.lines
        assert line.isprintable()
        line.encode()

    def test_a_directory(self, tmp_path):
        with pytest.raises(SpecError) as caught:
            load(str(tmp_path))
        assert caught.value.lines == [f"{tmp_path}: this is a directory, not a spec"]

    def test_a_pipe_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(SpecError, match="no regular file"):
            load(str(tmp_path / "pipe"))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_an_unreadable_file(self, tmp_path):
        (tmp_path / "a.toml").write_text(GOOD)
        (tmp_path / "a.toml").chmod(0)
        with pytest.raises(SpecError, match="can't be read: Permission denied"):
            load(str(tmp_path / "a.toml"))

    def test_an_unreadable_file_for_root_too(self, spec, monkeypatch):
        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        Path("a.toml").touch()
        with pytest.raises(SpecError, match=r"a\.toml: can't be read: Permission denied"):
            load("a.toml")

    @pytest.mark.parametrize(
        ("data", "name", "says"),
        [
            (b"\x7fELF\0\0\1", "a.toml", "this is a binary file, not a spec"),
            (b"a = 1\nb = '\xff'\n", "a.toml", "2: this is no UTF-8 text: byte 0xff is none"),
            (b"", "a.toml", "the file is empty: a spec needs data, layers and a loss"),
            (b" \n\n", "a.toml", "the file is empty: a spec needs data, layers and a loss"),
            (b"# only words\n", "a.toml", "the file is empty: a spec needs data, layers and a loss"),
            (b"", "a.json", "the file is empty: a spec needs data, layers and a loss"),
            (b"{}", "a.json", "the file is empty: a spec needs data, layers and a loss"),
            (b"a = 1\nb = = 2\n", "a.toml", "2: not TOML: Invalid value (column 5)"),
            (b"a = 1\nb = [1,\n", "a.toml", "2: not TOML: "),
            (b"a = 1\na = 2\n", "a.toml", "2: not TOML: Cannot overwrite a value (column 6)"),
            (b"a = " + b"[" * 100_000, "a.toml", "brackets are nested too deeply"),
            (b"a = " + b"9" * 5000, "a.toml", "a value can't be read: "),
            (b'{"a": 1,\n "b" 2}', "a.json", "2: not JSON: Expecting ':' delimiter (column 6)"),
            (b"[1, 2]", "a.json", "a spec is a JSON object: { … }"),
            (b'{"a": ' + b"[" * 100_000, "a.json", "brackets are nested too deeply"),
            (b'{"lr": 1, "lr": 2}', "a.json", "a value can't be read: the key 'lr' stands twice"),
            (b"PK\x03\x04 zip", "a.toml", "1: not TOML: "),
        ],
    )
    def test_contents(self, spec, data, name, says):
        assert the_mistake(spec, data, name).startswith(says)

    def test_too_large_a_file(self, spec, monkeypatch):
        monkeypatch.setattr(document, "MAX_BYTES", 2**20)
        with pytest.raises(SpecError, match="the file is too large: the limit for a spec is 1 MiB"):
            document.read_text(write("a.toml", b"#" * (2**20 + 1)), 2**20)
        assert document.MAX_BYTES == 2**20

    def test_json_with_half_a_character(self, spec):
        text = '{"data": "xor", "loss": "mse", "layers": ["dense 1"], "title": "\\ud800"}'
        assert "title = a text is expected: '\\ud800' holds half a character" in the_mistake(spec, text, "a.json")

    def test_a_value_full_of_escapes_stays_one_harmless_line(self, spec):
        evil = "\\u001b]0;x\\u0007\\u202e\\u009b31m\\n"
        found = the_mistake(spec, good('"half-mse"', f'"{evil}"'))
        assert found.isprintable()
        found = the_mistake(spec, f'"{evil}" = 1\n' + GOOD)
        assert found.isprintable()
        assert "\\x1b]0;x\\x07\\u202e\\x9b31m\\n" in found

    def test_a_suggestion_is_made_safe_too(self, spec):
        text = GRAPH.replace("h1 =", '"h\\u202e\\u001b1" =').replace("(h1", "(h11")
        assert any("did you mean h\\u202e\\x1b1?" in line for line in mistakes(spec, text))

    def test_long_values_are_shortened(self, spec):
        assert len(the_mistake(spec, good("half-mse", "x" * 100_000))) < 400
        assert len(the_mistake(spec, "k" * 100_000 + " = 1\n" + GOOD)) < 400


def write(name: str, data: bytes) -> str:
    Path(name).write_bytes(data)
    return name


class TestSafe:
    def test_what_a_terminal_obeys_is_escaped(self):
        assert safe("a\x1b[31m\x07\r\n\tb") == "a\\x1b[31m\\x07\\r\\n\\tb"
        assert (
            safe("\x9b\x85\u202e\u2066\u200b\u2028\ufeff\ud800")
            == "\\x9b\\x85\\u202e\\u2066\\u200b\\u2028\\ufeff\\ud800"
        )

    def test_the_rest_stays(self):
        assert safe("∂E/∂w₅ − ½ größer [/] 漢字") == "∂E/∂w₅ − ½ größer [/] 漢字"

    @given(st.text())
    def test_nothing_unprintable_is_left(self, text):
        assert all(c.isprintable() or c.isspace() or not c.isascii() for c in safe(text))
        assert "\x1b" not in safe(text)
        assert "\n" not in safe(text)


class TestLines:
    def test_a_multi_line_list_and_a_matrix(self):
        lines = Lines(
            'layers = [\n  "a", # ] \n  "b",\n]\n[[layer]]\nW = [[1],\n  [2]]\n[[layer]]\nb.c = """x\n[d]\n"""\nd = 1\n'
        )
        expected = {
            ("layers", 1): 3,
            ("layer", 0, "W", 1, 0): 7,
            ("layer", 1, "b", "c"): 9,
            ("layer", 1, "d"): 12,
            ("layer", 1, "none"): 8,
            ("none",): None,
            (): None,
        }
        assert {where: lines.find(where) for where in expected} == expected

    @settings(max_examples=300)
    @given(st.text(alphabet="ab.=[]{}\"'\n #,:\\1", max_size=60), st.booleans())
    def test_any_text_is_walked_to_its_end(self, text, is_json):
        found = Lines(text, is_json=is_json).find(("a", 0, "b"))
        assert found is None or 1 <= found <= text.count("\n") + 1

    def test_numbers_over_several_lines(self):
        lines = Lines("y = [1,\n  2, 3,\n  4]\nd = 1\n")
        assert [lines.find(("y", k)) for k in range(4)] == [1, 2, 2, 3]
        assert lines.find(("d",)) == 4

    def test_deep_nesting_is_no_crash(self):
        assert Lines("a = 1\nb = " + "[" * 100_000).find(("a",)) == 1


def same(one: Network, other: Network) -> None:
    """All but the data's dtype is the same, numbers to the bit."""
    skipped = {"nodes", "x", "y", "labels", "test", "more", "test_more"}
    assert {k: v for k, v in vars(one).items() if k not in skipped} == {
        k: v for k, v in vars(other).items() if k not in skipped
    }
    assert plain(one.labels) == plain(other.labels)
    assert one.x.tobytes() == other.x.tobytes()
    assert one.y.tobytes() == other.y.tobytes()
    assert plain(one.more) == plain(other.more)
    assert plain(one.test_more) == plain(other.test_more)
    for a, b in zip(one.test or (), other.test or (), strict=True):
        assert a.tobytes() == b.tobytes()
    assert len(one.nodes) == len(other.nodes)
    for a, b in zip(one.nodes, other.nodes, strict=True):
        for key in ("key", "inputs", "units", "op", "act", "bias", "name", "freeze"):
            assert getattr(a, key) == getattr(b, key)
        assert plain(a.labels) == plain(b.labels)
        for key in ("W", "b"):
            left, right = getattr(a, key), getattr(b, key)
            assert (left is None) == (right is None)
            assert left is None or (left.shape == right.shape and left.tobytes() == right.tobytes())


def plain(labels):
    return {key: np.array(value, object).tolist() for key, value in labels.items()}


numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def networks(draw):
    """A valid network with every part that a spec can hold, weights and all."""
    inputs, rows = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    graph, words = draw(st.booleans()), st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
    nodes, width = [], inputs
    for k in range(draw(st.integers(1, 3))):
        units = draw(st.integers(1, 3))
        bias = draw(st.booleans())
        labels = {
            "W": [[f"w{k}_{i}_{j}" for j in range(units)] for i in range(width)],
            "out": [f"n{k}_{j}" for j in range(units)],
        }
        labels |= {"b": [f"c{k}_{j}" for j in range(units)]} if bias else {}
        kept = draw(st.sets(st.sampled_from(sorted(labels))))
        node = Node(
            f"node{k}" if graph else str(k + 1),
            (("x" if k == 0 else f"node{k - 1}") if graph else ("x" if k == 0 else str(k)),),
            units,
            act=draw(st.sampled_from(["identity", "tanh", "leaky-relu"])),
            bias=bias,
            W=arrays(draw, width, units) if draw(st.booleans()) else None,
            b=arrays(draw, 1, units)[0] if bias and draw(st.booleans()) else None,
            name="" if graph or draw(st.booleans()) else f"name{k}",
            labels={key: labels[key] for key in kept},
            freeze=draw(st.sampled_from([(), ("W",), ("W", "b")])),
        )
        nodes.append(node)
        width = units
    if graph and width == nodes[-1].units and len(nodes) > 1 and nodes[-2].units == width and draw(st.booleans()):
        nodes.append(
            Node(
                "sum",
                (nodes[-2].key, nodes[-1].key),
                op="add",
                act="relu",
                labels={"out": [f"s{j}" for j in range(width)]},
            )
        )
    return checked(
        Network(
            tuple(nodes),
            arrays(draw, rows, inputs),
            arrays(draw, rows, width),
            loss=draw(st.sampled_from(["half-mse", "mse"])),
            lr=abs(draw(numbers)),
            name=draw(words),
            title=draw(words),
            batch=draw(st.sampled_from([None, *range(1, rows)])),
            seed=draw(st.integers(0, 2**63 - 1)),
            dtype=draw(st.just("float64")),
            iterations=draw(st.integers(1, 10**6)),
            labels={"x": [f"i{j}" for j in range(inputs)], "loss": "E"} if draw(st.booleans()) else {},
            freeze=draw(st.sampled_from([(), ("W*",), ("b*",)])),
            narration={"start": draw(words), "loss": draw(words)} if draw(st.booleans()) else {},
            layout=draw(st.sampled_from(["out-in", "in-out"])),
        )
    )


def arrays(draw, rows: int, columns: int):
    flat = draw(st.lists(numbers, min_size=rows * columns, max_size=rows * columns))
    return np.array(flat, dtype=np.float64).reshape(rows, columns)


class TestWriting:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(networks())
    def test_what_is_written_reads_back_to_the_same_bits(self, spec, network):
        same(spec(to_toml(network, {})), network)

    @pytest.mark.parametrize("name", example_names())
    def test_examples_come_back(self, spec, name):
        network = load(name)
        same(spec(to_toml(network, {})), network)

    def test_present_values_are_what_is_written(self, spec):
        network = load("article")
        values = {
            "W1": np.array([[1 / 3, -0.0], [5e-324, 1e300]]),
            "lr": np.array(0.1 + 0.2),
            "x": np.array([[7.0, 8.0]]),
            "y": np.array([[-1.0]]),
        }
        again = spec(to_toml(network, values))
        assert again.nodes[0].W.tobytes() == values["W1"].tobytes()
        assert again.nodes[1].W.tobytes() == network.nodes[1].W.tobytes()
        assert (again.lr, again.x.tolist(), again.y.tolist()) == (0.1 + 0.2, [[7, 8]], [[-1]])

    def test_float32_comes_back_exactly(self, spec):
        network = spec("dtype = 'float32'\n" + GOOD)
        weights = np.float32([[0.1, 1 / 3], [1e-40, 3.4e38]])
        again = spec(to_toml(network, {"W1": weights}))
        assert again.nodes[0].W.astype(np.float32).tobytes() == weights.tobytes()

    def test_drawn_batches_write_all_of_the_data(self, spec):
        network = spec('data = { use = "xor", batch = 2 }\nlayers = ["dense 1"]\nloss = "mse"\n')
        values = {"x": np.ones((2, 2)), "y": np.ones((2, 1)), "X": network.x * 2, "Y": network.y}
        again = spec(to_toml(network, values))
        assert again.x.tolist() == (network.x * 2).tolist()
        assert again.batch == 2

    def test_nan_and_infinity_are_written_and_refused(self, spec):
        text = to_toml(load("article"), {"W1": np.array([[np.nan, np.inf], [-np.inf, 1]]), "lr": np.array(np.inf)})
        assert "W = [[nan, -inf], [inf, 1.0]]" in text
        found = mistakes(spec, text)
        assert len(found) == 3

    def test_classes_stay_columns(self, spec):
        network = spec('data = { x = [[1], [2]], y = [2, 0] }\nlayers = ["dense 3"]\nloss = "softmax-ce"\n')
        same(spec(to_toml(network, {})), network)

    def test_a_large_matrix_has_a_row_a_line(self, spec):
        network = spec(
            f'data = "xor"\nloss = "mse"\n[[layer]]\ndense = 50\nW = {[[0.5, 0.25]] * 50}\n[[layer]]\ndense = 1\n'
        )
        text = to_toml(network, {})
        assert max(map(len, text.splitlines())) < 120
        same(spec(text), network)


class TestSaving:
    def test_new_and_over_its_own(self, spec):
        text = to_toml(load("xor"), {})
        save("a.toml", text)
        save(Path("a.toml"), text.replace("xor", "rox", 1))
        assert "rox" in Path("a.toml").read_text()
        assert [path.name for path in Path().iterdir()] == ["a.toml"]

    @pytest.mark.parametrize("there", ["seed = 1\n", "", "# written by bptui saver\n", "x\n# written by bptui save\n"])
    def test_never_over_another_file(self, spec, there):
        Path("mine.toml").write_text(there)
        with pytest.raises(FileError, match=r"^mine\.toml: it exists and was not written by save"):
            save("mine.toml", to_toml(load("xor"), {}))
        assert Path("mine.toml").read_text() == there

    @pytest.mark.parametrize("path", ["no/such/folder.toml", ".", "", "a\0b", "x" * 5000, "/proc/x.toml", "\ud800"])
    def test_where_nothing_can_be_written(self, spec, path):
        with pytest.raises(FileError) as caught:
            save(path, "text")
        assert str(caught.value).isprintable()
        with pytest.raises(FileError) as caught:
            new(path)
        assert str(caught.value).isprintable()

    def test_a_full_disk_leaves_the_old_file_and_nothing_else(self, spec, monkeypatch):
        text = to_toml(load("xor"), {})
        save("a.toml", text)

        def fail(*args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(FileError, match=r"a\.toml: can't be written: No space left on device"):
            save("a.toml", text + "# more\n")
        assert Path("a.toml").read_text() == text
        assert [path.name for path in Path().iterdir()] == ["a.toml"]

    def test_a_link_stays_a_link_and_rights_stay(self, spec):
        text = to_toml(load("xor"), {})
        save("real.toml", text)
        Path("real.toml").chmod(0o640)
        Path("link.toml").symlink_to("real.toml")
        save("link.toml", text + "# more\n")
        assert Path("link.toml").is_symlink()
        assert Path("real.toml").read_text().endswith("# more\n")
        assert Path("real.toml").stat().st_mode & 0o777 == 0o640

    def test_the_template_loads_and_is_never_written_over(self, spec):
        new("mine.toml")
        build(load("mine.toml"))
        Path("mine.toml").write_text("mine")
        with pytest.raises(FileError, match=r"^mine\.toml: it exists already"):
            new("mine.toml")
        assert Path("mine.toml").read_text() == "mine"

    @pytest.mark.parametrize(
        "line",
        [
            line
            for line in TEMPLATE.splitlines()
            if re.match(r"# (data|optim|schedule|clip|l2|freeze|layout|dtype) =", line)
        ],
    )
    def test_every_line_that_the_template_offers_is_right(self, spec, line):
        key = line[2:].split(" =")[0]
        drop = {"optim": ("lr",), "data": ("data",)}.get(key, ())
        text = "".join(f"{t}\n" for t in TEMPLATE.splitlines() if not t.startswith(tuple(f"{d} =" for d in drop)))
        text = text.replace(line, line[2:])
        if key == "layout":
            text = re.sub(r"(?m)^(W|labels = \{ W) = .*\n", "", text)
        assert key in text
        build(spec(text))

    def test_the_template_explains_every_key(self):
        for key in ["title", "seed", "dtype", "data", "layers", "layer", "net", "layout", "loss", "lr", "optim", "iterations", "labels", "freeze", "narration", "dense", "name", "act", "bias", "W", "b", "batch", "use", "x", "y"]:  # fmt: skip
            assert re.search(rf"\b{key}\b", TEMPLATE), key


class TestMutations:
    """Whatever is done to a spec, it loads or is refused in lines, and what loads can be built and written."""

    SEEDS = (
        GOOD,
        GRAPH,
        TEMPLATE,
        to_toml(load("article"), {}),
        document.example_text("mazur"),
        document.example_text("moons"),
        document.example_text("transformer"),
    )
    PIECES = ("[", "]", "{", "}", '"', "=", "\n", "[[", "true", "nan", "-1", "1e999", "'", "x", "layers = 3\n", "#", ",", ".", "\0", "é", "[net]\n", "999999999999", "[]", "{}", "\\u0000", "(", ")", "W = [[1]]\n", "0")  # fmt: skip

    def mutate(self, rng: random.Random) -> bytes:
        data = bytearray(rng.choice(self.SEEDS).encode())
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            at = rng.randrange(len(data))
            end = at + rng.choice((0, 0, 1, 1, 2, 5, 20))
            word = rng.choice((rng.choice(self.PIECES).encode(), bytes([rng.randrange(256)]), b""))
            data[at:end] = word if rng.random() < 0.9 else bytes(data[end : end + 30])
        return bytes(data)

    def values(self, rng: random.Random, value):
        """A parsed spec with a value here and there replaced by something of another kind."""
        odd = (
            None,
            True,
            -1,
            0,
            10**400,
            "",
            "x",
            "dense",
            [],
            {},
            [[]],
            [1],
            [[1], [2, 3]],
            {"x": 1},
            float("nan"),
            "\ud800",
            ["a"],
            [None],
        )
        if rng.random() < 0.04:
            return rng.choice(odd)
        if isinstance(value, dict):
            return {
                k if rng.random() > 0.02 else rng.choice(("W", "", "x", "dense")): self.values(rng, v)
                for k, v in value.items()
                if rng.random() > 0.02
            }
        return [self.values(rng, v) for v in value] if isinstance(value, list) else value

    def outcome(self, read, data: bytes, name: str) -> bool:
        try:
            network = read(data, name)
        except SpecError as error:
            assert error.lines
            assert all(line.isprintable() and line.startswith(name + ":") for line in error.lines)
            return False
        assert not list(find_problems(network))
        if sum(node.units for node in network.nodes) < 1000:
            build(network)
        same(read(to_toml(network, {}).encode(), "again.toml"), network)
        return True

    def test_bytes(self, spec):
        rng = random.Random(1)
        loaded = sum(self.outcome(spec, self.mutate(rng), "net.toml") for _ in range(600))
        assert 60 < loaded < 540

    def test_values(self, spec):
        import tomllib

        rng = random.Random(2)
        parsed = [tomllib.loads(text) for text in self.SEEDS]
        loaded = sum(
            self.outcome(spec, json.dumps(self.values(rng, rng.choice(parsed))).encode(), "net.json")
            for _ in range(600)
        )
        assert 10 < loaded < 580


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'loss = "mse"\nlr = -1\ndata = "xor"\nlayers = ["dense 1"]\n',
            "bad.toml:2: lr is -1.0: a negative learning rate would climb",
        ),
        (
            'loss = "softmax-ce"\ndata = "xor"\nlayers = ["dense 1"]\n',
            "bad.toml:1: softmax-ce over 1 output is always 0",
        ),
        (
            'loss = "bce"\nlayers = ["dense 1"]\ndata = { x = [[1]], y = [[2]] }\n',
            "bad.toml:3: y holds 2: bce needs targets from 0 to 1",
        ),
    ],
)
def test_what_a_loss_has_no_meaning_for(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load("bad.toml")
    assert [line.startswith(message) for line in caught.value.lines] == [True]
