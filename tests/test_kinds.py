"""Every kind of layer as a line, as a table and in a graph: the shapes it gives, what is wrong with it, and saving it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bptui.engine.build import build
from bptui.engine.graph import sample_shapes
from bptui.engine.kinds import KINDS
from bptui.engine.network import Network
from bptui.engine.player import Player
from bptui.engine.timeline import Position, Timeline
from bptui.files.report import SpecError
from bptui.files.specs import load
from bptui.files.writing import to_toml

Spec = Callable[[str], Network]


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    def read(text: str, name: str = "net.toml") -> Network:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return load(str(path))

    return read


def rows(shape: tuple[int, ...], seed: int = 0) -> str:
    """Two rows of that shape, as nested lists."""
    random = np.random.default_rng(seed)
    if shape == TOKENS:
        return str(random.integers(0, 7, (2, *shape)).tolist())
    return str(random.normal(0, 1, (2, *shape)).round(2).tolist())


def graph(shape: tuple[int, ...], *nodes: str, y: tuple[int, ...] | None = None, loss: str = "mse") -> str:
    """A spec of a graph; what it gives is made a single number by the last node."""
    lines = "\n".join(nodes)
    target = rows(y if y is not None else (1,), seed=1)
    end = "" if y is not None else '\nflat = "flatten (last)"\nout = "dense 1 (flat)"'
    return f'seed = 3\ndata = {{ x = {rows(shape)}, y = {target} }}\nloss = "{loss}"\nlr = 0.1\n[net]\n{lines}{end}\n'


PICTURE, SEQUENCE, TOKENS, ROW = (2, 6, 6), (5, 4), (5,), (4,)
# A line, what it reads, what it gives.
LINES = [
    ("dense 3 tanh (x)", ROW, (3,)),
    ("dense 3 relu bias=false (x)", SEQUENCE, (5, 3)),
    ("dense 3 init=normal,0,0.1 (x)", ROW, (3,)),
    ("neg (x)", ROW, (4,)),
    ("square (x)", PICTURE, PICTURE),
    ("abs (x)", ROW, ROW),
    ("exp (x)", ROW, ROW),
    ("clip -1 1 (x)", ROW, ROW),
    ("clip low=-1 high=1 (x)", ROW, ROW),
    ("scale 0.5 (x)", ROW, ROW),
    ("shift -1 (x)", ROW, ROW),
    ("leaky-relu (x)", ROW, ROW),
    ("softmax axis=1 (x)", SEQUENCE, SEQUENCE),
    ("log-softmax (x)", SEQUENCE, SEQUENCE),
    ("sum axis=1 (x)", SEQUENCE, (4,)),
    ("mean axis=2,3 (x)", PICTURE, (2,)),
    ("max axis=-1 keepdims=true (x)", SEQUENCE, (5, 1)),
    ("min axis=1 (x)", SEQUENCE, (4,)),
    ("var axis=2 correction=1 (x)", SEQUENCE, (5,)),
    ("logsumexp axis=2 (x)", SEQUENCE, (5,)),
    ("reshape 4,9 (x)", (2, 18), (4, 9)),
    ("reshape -1 (x)", PICTURE, (72,)),
    ("flatten (x)", PICTURE, (72,)),
    ("unsqueeze axis=1 (x)", ROW, (1, 4)),
    ("squeeze axis=1 (x)", (1, 4), (4,)),
    ("transpose axes=2,1 (x)", SEQUENCE, (4, 5)),
    ("transpose (x)", PICTURE, (6, 6, 2)),
    ("slice 1 3 axis=1 (x)", SEQUENCE, (2, 4)),
    ("slice start=1 step=2 axis=2 (x)", SEQUENCE, (5, 2)),
    ("split 2 2 axis=2 (x)", SEQUENCE, (5, 2)),
    ("pad 1 2 axis=2 (x)", SEQUENCE, (5, 7)),
    ("tile 2,1 (x)", SEQUENCE, (10, 4)),
    ("expand 3,4 (x)", (1, 4), (3, 4)),
    ("tril (x)", SEQUENCE, SEQUENCE),
    ("triu k=1 (x)", SEQUENCE, SEQUENCE),
    ("embedding 7 3 (x)", TOKENS, (5, 3)),
    ("position (x)", SEQUENCE, SEQUENCE),
    ("dropout 0.5 (x)", ROW, ROW),
    ("conv 3 3 relu (x)", PICTURE, (3, 4, 4)),
    ("conv 3 3 pad=same (x)", PICTURE, (3, 6, 6)),
    ("conv 4 2,3 stride=2,1 pad=1,0 dilation=1,2 groups=2 (x)", PICTURE, (4, 4, 2)),
    ("conv 3 2 bias=false (x)", SEQUENCE, (3, 3)),
    ("conv-transpose 3 2 stride=2 (x)", PICTURE, (3, 12, 12)),
    ("conv-transpose 3 3 stride=2 pad=1 extra=1 (x)", PICTURE, (3, 12, 12)),
    ("max-pool 2 (x)", PICTURE, (2, 3, 3)),
    ("max-pool 3 stride=1 pad=1 (x)", PICTURE, PICTURE),
    ("avg-pool 2,3 stride=2 (x)", PICTURE, (2, 3, 2)),
    ("global-max-pool (x)", PICTURE, (2,)),
    ("global-avg-pool (x)", PICTURE, (2,)),
    ("layer-norm (x)", SEQUENCE, SEQUENCE),
    ("rms-norm eps=1e-3 (x)", SEQUENCE, SEQUENCE),
    ("batch-norm relu (x)", PICTURE, PICTURE),
    ("batch-norm momentum=0.2 (x)", ROW, ROW),
    ("group-norm 2 (x)", PICTURE, PICTURE),
    ("instance-norm (x)", PICTURE, PICTURE),
    ("multi-head 2 causal=true (x)", SEQUENCE, SEQUENCE),
    ("attention (x, x, x)", SEQUENCE, SEQUENCE),
    ("rnn 3 (x)", SEQUENCE, (3,)),
    ("rnn 3 gate=relu last=false (x)", SEQUENCE, (5, 3)),
    ("lstm 3 (x)", SEQUENCE, (3,)),
    ("lstm 3 last=false bias=false (x)", SEQUENCE, (5, 3)),
    ("gru 3 last=false (x)", SEQUENCE, (5, 3)),
    ("add (x, x)", ROW, ROW),
    ("sub (x, x)", PICTURE, PICTURE),
    ("mul (x, x)", SEQUENCE, SEQUENCE),
    ("div (x, x)", ROW, ROW),
    ("pow (x, x)", ROW, ROW),
    ("minimum (x, x)", ROW, ROW),
    ("maximum (x, x)", ROW, ROW),
    ("where (x, x, x)", ROW, ROW),
    ("matmul (x, x)", (4, 4), (4, 4)),
    ("concat (x, x, x)", ROW, (12,)),
    ("concat axis=2 (x, x)", SEQUENCE, (5, 8)),
    ("log (x)", ROW, ROW),
    ("sqrt (x)", ROW, ROW),
    ("global-avg-pool (x)", SEQUENCE, (5,)),
]


def test_every_kind_has_a_line_here():
    named = {line.split()[0] for line, _, _ in LINES}
    activations = {
        "sigmoid",
        "tanh",
        "relu",
        "elu",
        "selu",
        "gelu",
        "gelu-tanh",
        "silu",
        "mish",
        "softplus",
        "softsign",
        "hard-sigmoid",
        "hard-tanh",
    }
    assert set(KINDS) - activations <= named


@pytest.mark.parametrize(("line", "reads", "gives"), LINES)
def test_a_line_gives_the_right_shape_and_runs(spec, line, reads, gives):
    network = spec(graph(reads, f'last = "{line}"'))
    assert sample_shapes(network, network.nodes)["last"] == gives
    program = build(network)
    assert program.slots[network.node("last").output].shape == (2, *gives)
    player = Player(Timeline(program))
    player.goto(player.timeline, Position(1, len(program)))
    assert player.machine.arrays["loss"].shape == ()


@pytest.mark.parametrize(("line", "reads", "gives"), LINES)
def test_what_is_saved_reads_back(spec, line, reads, gives):
    network = spec(graph(reads, f'last = "{line}"'))
    program = build(network)
    values = {name: program.initial[name] for name in program.parameters}
    again = spec(to_toml(network, values), "again.toml")
    other = build(again)
    assert [i.source for i in other.instructions] == [i.source for i in program.instructions]
    for name in program.parameters:
        assert other.initial[name].tobytes() == program.initial[name].tobytes(), name


def test_layers_in_a_row(spec):
    network = spec(
        f'data = {{ x = {rows((1, 8, 8))}, y = [0, 2] }}\nloss = "softmax-ce"\n'
        'layers = ["conv 4 3 relu pad=1", "max-pool 2", "batch-norm", "flatten", "dropout 0.2", "dense 3"]\n'
    )
    assert [node.op for node in network.nodes] == ["conv", "max-pool", "batch-norm", "flatten", "dropout", "dense"]
    assert network.y.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_tables(spec):
    network = spec(
        f'data = {{ x = {rows((2, 5, 5))}, y = [[1], [2]] }}\nloss = "mse"\n'
        "[[layer]]\nconv = 3\nkernel = [3, 2]\nstride = 2\nact = 'tanh'\n"
        "[[layer]]\nkind = 'global-avg-pool'\n"
        "[[layer]]\ndense = 1\ninit = 'orthogonal'\n"
    )
    assert network.nodes[0].options["kernel"] == (3, 2)
    assert sample_shapes(network, network.nodes)["1"] == (3, 2, 2)


def test_weights_of_any_depth(spec):
    kernel = np.arange(18.0).reshape(2, 1, 3, 3)
    network = spec(
        f'data = {{ x = {rows((1, 3, 3))}, y = [[1], [2]] }}\nloss = "mse"\n'
        f"[[layer]]\nconv = 2\nkernel = 3\nW = {kernel.tolist()}\nb = [1, 2]\n[[layer]]\nkind = 'flatten'\n[[layer]]\ndense = 1\n"
    )
    assert network.nodes[0].W is not None
    assert network.nodes[0].W.tolist() == kernel.tolist()


def test_shared_weights_are_one_slot(spec):
    network = spec(graph(ROW, 'a = "dense 4 tanh (x)"', 'last = "dense 4 tanh shares=a (a)"'))
    program = build(network)
    assert [name for name in program.parameters if name.startswith("W")] == ["W_a", "W_out"]
    assert "W_a.grad = W_a.grad1 + W_a.grad2" in [i.source for i in program.instructions]


def test_several_inputs(spec):
    text = (
        f'data = {{ x = {rows((3,))}, extra = {rows((2,), 4)}, y = [[1], [2]] }}\nloss = "mse"\n'
        '[net]\nboth = "concat (x, extra)"\nout = "dense 1 (both)"\n'
    )
    program = build(spec(text))
    assert program.slots["extra"].shape == (2, 2)
    assert program.slots["z_both"].shape == (2, 5)


# One line for each mistake

BAD = [
    ('last = "conv 3 (x)"', PICTURE, "no kernel: write 'conv 6 3 relu pad=1 (x)'"),
    ('last = "conv 3 9 (x)"', PICTURE, "last: a window of 9 doesn't fit into 6 cells"),
    ('last = "conv 3 3 (x)"', ROW, "last: a convolution reads channels × places"),
    ('last = "conv 3 3 groups=2 (x)"', PICTURE, "2 groups: both 2 channels read and 3 given have to be a multiple"),
    ('last = "conv 3 3 strid=2 (x)"', PICTURE, "conv has no option 'strid' (did you mean stride?)"),
    ('last = "conv 3 3 stride=0 (x)"', PICTURE, "stride=0: 0 is less than 1"),
    ('last = "conv 3 3 stride=two (x)"', PICTURE, "stride=two: a number is expected"),
    ('last = "conv 3 3 stride=1,2,3 (x)"', PICTURE, "stride has 3 numbers: 2 are needed, or one for all"),
    ('last = "dropout 1.5 (x)"', ROW, "'1.5' is no rate"),
    ('last = "multi-head 3 (x)"', SEQUENCE, "4 features can't be shared among 3 heads"),
    ('last = "lstm 3 (x)"', ROW, "a recurrent layer reads places × features, not 4"),
    ('last = "reshape 5,5 (x)"', PICTURE, "2×6×6 can't be reshaped to 5×5"),
    ('last = "sum axis=0 (x)"', SEQUENCE, "axis 0 is the batch's"),
    ('last = "sum axis=5 (x)"', SEQUENCE, "there is no axis 5: the axes of a row are 1 to 2"),
    ('last = "split 3 2 (x)"', ROW, "there is no part 3 of 2"),
    ('last = "split 1 3 (x)"', ROW, "axis 1 is 4 long: it can't be split into 3 equal parts"),
    ('last = "add (x, big)"\nbig = "dense 7 (x)"', ROW, "last adds different widths: x has 4, big has 7"),
    ('last = "mul (x, big)"\nbig = "dense 7 (x)"', ROW, "shapes 4 and 7 don't fit together"),
    ('last = "concat axis=2 (x, big)"\nbig = "sum axis=1 (x)"', SEQUENCE, "differ beside axis 2"),
    ('last = "dense 3 shares=nobody (x)"', ROW, "shares the weights of 'nobody', which is no node"),
    (
        'last = "dense 3 shares=a (a)"\na = "conv 3 1 (x)"',
        SEQUENCE,
        "last can't share the weights of a: both are to be dense",
    ),
    ('last = "dense 3 init=hee (x)"', ROW, "no initialiser is called 'hee'"),
    ('last = "dense 3 init=uniform,1,0 (x)"', ROW, "the smaller number stands first"),
    ('last = "group-norm 3 (x)"', PICTURE, "2 channels can't be put into 3 equal groups"),
    ('last = "embedding 3 2 (x)"', TOKENS, "the embedding has 3 rows: "),
    ('last = "embedding 3 2 (x)"', ROW, "last: an embedding reads whole numbers, x holds others"),
    ('last = "slice 0 9 (x)"', ROW, "last: a slice up to 9 of axis 1, which is 4 long"),
    ('last = "dense 3 bias=maybe (x)"', ROW, "bias=maybe: true or false is expected"),
    ('last = "add bias=false (x, x)"', ROW, "add has no weights, so no bias"),
    ('last = { kind = "reshape", shape = 2, from = "x" }', ROW, "last: 4 can't be reshaped to 2"),
    ('last = { kind = "tile", reps = [], from = "x" }', ROW, "reps: numbers are expected"),
    ('last = { kind = "group-norm", groups = [1, 2], from = "x" }', PICTURE, "groups: one value is expected"),
    ('last = { kind = "rnn", units = 2, gate = [[1]], from = "x" }', SEQUENCE, "gate: one value is expected"),
    ('last = "matmul (x, x)"', SEQUENCE, "5×4 times 5×4 has no meaning"),
    ('last = "dense 3 (x) (x)"', ROW, "say what it reads, in brackets"),
    ('last = "where (x, x)"', ROW, "say what it reads, in brackets: where (c, h1, h2)"),
    ('last = { kind = "conv", from = "x", out = 3 }', PICTURE, "conv needs kernel: kernel = …"),
    ('last = { kind = "conf", from = "x" }', PICTURE, "'conf' is no kind of layer (did you mean conv?)"),
    ('last = { conv = 3, kernel = 2.5, from = "x" }', PICTURE, "kernel: 2.5 is no whole number"),
    ('last = { dense = 3, from = "x", W = "no.npz" }', ROW, "no.npz"),
]


@pytest.mark.parametrize(("nodes", "reads", "message"), BAD)
def test_a_mistake_is_one_line_with_its_place(spec, nodes, reads, message):
    text = graph(reads, *nodes.split("\n"))
    with pytest.raises(SpecError) as caught:
        spec(text)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1, lines
    line = next(k for k, row in enumerate(text.splitlines(), 1) if row.startswith("last ="))
    assert re.search(rf"net\.toml:{line}: ", lines[0])
    assert message in lines[0]


# Weights in files


def test_saved_weights_come_back(tmp_path, monkeypatch, spec):
    from bptui.commands.session import Session

    monkeypatch.chdir(tmp_path)
    text = 'data = "xor"\nloss = "bce"\nlr = 0.5\nlayers = ["dense 3 tanh", "dense 1 sigmoid"]\n'
    session = Session(spec(text))
    session.execute("run 7")
    assert session.execute("save w.npz").lines == ("saved w.npz",)
    arrays = session.debugger.look(session.debugger.position).arrays
    whole = build(spec('weights = "w.npz"\n' + text, "whole.toml"))
    single = build(spec(text.replace('["dense 3 tanh", "dense 1 sigmoid"]', "") .replace("layers = \n", "") + "[[layer]]\ndense = 3\nact = 'tanh'\nW = 'w.npz'\nb = { file = 'w.npz', key = 'b1' }\n[[layer]]\ndense = 1\n", "single.toml"))  # fmt: skip
    for name in ("W1", "b1"):
        assert whole.initial[name].tobytes() == arrays[name].tobytes()
        assert single.initial[name].tobytes() == arrays[name].tobytes()
    assert whole.initial["W2"].tobytes() == arrays["W2"].tobytes()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('weights = "none.npz"', "none.npz"),
        ('weights = "text.npz"', "text.npz"),
    ],
)
def test_weights_that_are_none_are_one_line(spec, tmp_path, line, message):
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(SpecError) as caught:
        spec(f'{line}\ndata = "xor"\nloss = "bce"\nlayers = ["dense 1"]\n')
    (only,) = str(caught.value).splitlines()
    assert "net.toml:1: " in only
    assert message in only


def test_a_spec_saved_elsewhere_finds_its_data(tmp_path, monkeypatch, spec):
    from bptui.commands.session import Session

    (tmp_path / "points.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,9,y\n")
    (tmp_path / "deep").mkdir()
    text = 'data = { file = "points.csv", test = 1 }\nloss = "softmax-ce"\nlayers = ["dense 2"]\n'
    network = spec(text)
    monkeypatch.chdir(tmp_path)
    session = Session(network)
    session.execute("save deep/again.toml")
    again = load(str(tmp_path / "deep" / "again.toml"))
    assert again.x.tobytes() == network.x.tobytes()
    assert again.classes == ("x", "y")


@pytest.mark.parametrize("how", ["spec", "npz"])
def test_running_statistics_are_kept(tmp_path, monkeypatch, spec, how):
    from bptui.commands.session import Session

    monkeypatch.chdir(tmp_path)
    text = 'seed = 1\ndata = { use = "moons", test = 0.25 }\nloss = "bce"\nlayers = ["dense 3", "batch-norm tanh", "dense 1 sigmoid"]\n'
    session = Session(spec(text))
    session.execute("run 5")
    before = session.execute("print test_loss").lines
    if how == "spec":
        session.execute("save again.toml")
        again = load("again.toml")
    else:
        session.execute("save w.npz")
        again = spec('weights = "w.npz"\n' + text, "again.toml")
    assert Session(again).execute("print test_loss").lines == before
    assert build(again).initial["mean2"].any()
