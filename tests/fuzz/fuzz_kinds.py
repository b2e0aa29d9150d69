"""Every kind of file that is tried. Another kind is another row: good ones, malformed ones, a way to change one."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from functools import cache
from random import Random

import fuzz_arrays
import fuzz_large
import fuzz_sessions
import fuzz_specs
import fuzz_tables
import numpy as np
from fuzz_cases import Case, Kind, text
from fuzz_mutations import repacked, revalued, rewritten, scribbled

from bptui.files import example_names, load, to_toml
from bptui.files.document import example_text
from bptui.files.template import TEMPLATE

# Short specs with a little of everything that examples leave out.
SHORT = {
    "tables": 'data = { x = [[1, 2], [3, 4], [5, 6]], y = [0, 1, 1], classes = ["a", "b"], test = 1 }\nloss = { use = "bce", reduction = "sum" }\nlabels = { x = ["p", "q"], loss = "E" }\n[[layer]]\ndense = 2\nact = "relu"\nW = [[1, 2], [3, 4]]\nb = [0.5, 1]\nfreeze = ["b"]\nlabels = { out = ["h1", "h2"] }\n[[layer]]\ndense = 1\nact = "sigmoid"\n',
    "training": 'data = { use = "blobs", centres = 3, rows = 30, batch = 10, scale = "standard" }\nlayers = ["dense 5 elu init=orthogonal", "dropout 0.3", "dense 3"]\nloss = { use = "softmax-ce", smoothing = 0.1, class_weights = [1, 2, 3] }\noptim = { use = "adamw", lr = 0.01, beta1 = 0.8 }\nschedule = { use = "one-cycle", steps = 20 }\nclip = { norm = 1 }\nl1 = 0.1\nl2 = 0.01\ndtype = "float32"\nfreeze = ["b*"]\n',
    "pictures": 'data = { use = "digits", shape = [1, 8, 8], batch = 4 }\nloss = "softmax-ce"\nlayers = ["conv 2 3 relu stride=2 pad=same", "batch-norm", "avg-pool 2", "flatten", "layer-norm", "dense 10"]\n',
    "sequences": 'data = { text = "tale", length = 4, targets = "next", batch = 3 }\nloss = "softmax-ce"\nlayers = ["embedding 25 4", "gru 3 last=false", "dense 25"]\n',
    "a graph": 'data = { x = [[1, 2]], y = [[1]], z = [[3, 4]] }\nloss = "huber"\n[net]\na = "dense 4 tanh (x)"\nb = { dense = 4, from = "z", shares = "a" }\nc = "concat axis=1 (a, b)"\nd = "slice 0 4 (c)"\ne = "mul (a, d)"\nf = "sum axis=1 (e)"\nout = "dense 1 (f)"\n'.replace('f = "sum axis=1 (e)"\nout = "dense 1 (f)"', 'out = "dense 1 (e)"'),
}  # fmt: skip


@cache
def _spec_texts() -> dict[str, str]:
    saved = {f"{name}, saved": to_toml(load(name), {}) for name in ("article", "mazur", "sequential")}
    return {name: example_text(name) for name in example_names()} | SHORT | {"the template": TEMPLATE} | saved


@cache
def _toml() -> list[Case]:
    return [Case(name, "net.toml", {"net.toml": text(words)}, good=True) for name, words in _spec_texts().items()]


@cache
def _json() -> list[Case]:
    documents = {name: json.dumps(tomllib.loads(words)) for name, words in _spec_texts().items()}
    return [Case(name, "net.json", {"net.json": text(words)}, good=True) for name, words in documents.items()]


@cache
def _tables() -> list[Case]:
    table, spec = fuzz_tables.GOOD_TABLE, fuzz_tables.spec
    numbers = "1.5;2;3\n-4;5e-1;6\n+7;8;9\n"
    quoted = '"a, b",c,"d ""e"""\r\n1,2,3\r\n4,5,6\r\n7,8,9\r\n'
    cases = {
        "classes": (spec("one_hot = 'colour', test = 1, scale = 'minmax'"), table),
        "by number": (spec("delimiter = ';', label = [0, 1], header = false", layers='"dense 2"', loss="mse"), numbers),
        "quoted": (spec("label = 'c', batch = 2", layers='"dense 1"', loss="mse"), quoted),
        "names given": (spec("one_hot = ['colour'], classes = ['dog', 'cat'], columns = ['height', 'colour']"), table),
    }
    made = [
        Case(name, "net.toml", {"net.toml": said, "points.csv": text(words)}, good=True)
        for name, (said, words) in cases.items()
    ]
    sequence = text(
        'data = { text = "t.txt", length = 3, one_hot = true, test = 2 }\nlayers = ["dense 6"]\nloss = "softmax-ce"\n'
    )
    return [*made, Case("a text", "net.toml", {"net.toml": sequence, "t.txt": b"abcd dcba\r\nabcd\n" * 5}, good=True)]


@cache
def _arrays() -> list[Case]:
    x, y, spec, packed = fuzz_arrays.X, fuzz_arrays.Y, fuzz_arrays.spec(), fuzz_arrays.packed
    data = {
        "floats": packed({"x": x, "y": y}),
        "whole numbers": packed({"x": x.astype(">i4"), "y": np.asfortranarray(y).astype("f4")}),
        "held out": packed({"x_train": x, "y_train": y, "x_test": x[:1], "y_test": y[:1]}),
        "stored": packed({"x": x, "y": y}, method=0),
    }
    cases = [Case(name, "net.toml", {"net.toml": spec, "d.npz": content}, good=True) for name, content in data.items()]
    one = fuzz_arrays.npy(np.asfortranarray(np.hstack([x, y])))
    cases.append(Case("one array", "net.toml", {"net.toml": fuzz_arrays.spec("d.npy"), "d.npy": one}, good=True))
    for value in ('"w.npz"', '{ file = "w.npz", key = "W1" }'):
        files = {"net.toml": fuzz_arrays.weighted(value), "w.npz": packed({"W1": np.ones((2, 1)), "b1": np.ones(1)})}
        cases.append(Case(f"weights {value}", "net.toml", files, good=True))
    return cases


def _mutate_toml(rng: Random, case: Case) -> Case:
    return _with(case, "net.toml", rng.choice((scribbled, rewritten, rewritten))(rng, _bytes(case, "net.toml")))


def _mutate_json(rng: Random, case: Case) -> Case:
    return _with(
        case,
        "net.json",
        rng.choice((scribbled, rewritten, revalued, revalued, revalued))(rng, _bytes(case, "net.json")),
    )


def _mutate_table(rng: Random, case: Case) -> Case:
    """The table, more often than the spec beside it."""
    name = rng.choice([name for name in case.files if name != "net.toml"]) if rng.random() < 0.8 else "net.toml"
    return _with(case, name, rng.choice((scribbled, rewritten))(rng, _bytes(case, name)))


def _mutate_arrays(rng: Random, case: Case) -> Case:
    name = rng.choice([name for name in case.files if name != "net.toml"])
    return _with(case, name, repacked(rng, _bytes(case, name)))


def _bytes(case: Case, name: str) -> bytes:
    content = case.files[name]
    assert isinstance(content, bytes)
    return content


def _with(case: Case, name: str, content: bytes) -> Case:
    return replace(case, files={**case.files, name: content})


KINDS = (
    Kind("toml", _toml, _mutate_toml, {**fuzz_specs.TOML, **fuzz_large.GENERATORS}),
    Kind("json", _json, _mutate_json, fuzz_specs.OBJECTS),
    Kind("csv", _tables, _mutate_table, fuzz_tables.GENERATORS),
    Kind("session", fuzz_sessions.good, fuzz_sessions.mutate, fuzz_sessions.GENERATORS),
    Kind("npz", _arrays, _mutate_arrays, fuzz_arrays.GENERATORS),
)


def malformed(*, large: bool = True) -> list[Case]:
    """Every malformed case there is, each made anew; or the small ones."""
    return [case for kind in KINDS for case in kind.malformed(large=large)]


def mutated(seed: int, count: int) -> list[Case]:
    """So many good cases changed at random: the same for the same seed."""
    rng = Random(seed)
    cases = []
    for number in range(count):
        kind = rng.choice(KINDS)
        case = kind.mutate(rng, rng.choice(kind.good()))
        cases.append(replace(case, name=f"{kind.name}/mutation {number} of seed {seed}/{case.name}"))
    return cases
