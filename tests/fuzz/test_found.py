"""What trials have found, each as it was found: refused now in one line that says what is wrong, or read at once."""

from __future__ import annotations

import numpy as np
import pytest
from fuzz_arrays import packed, weighted
from fuzz_cases import Case, text
from fuzz_trials import in_process, warm

from bptui.files.lines import Lines

XOR = 'data = "xor"\nloss = "mse"\n'
ONE = XOR + 'layers = ["dense 1"]\n'
THOUSAND = range(1000)

# (what, spec, what the line says). More than one line is told only where there is more than one mistake.
REFUSED = [
    ("a key of half a million parts", "a" + ".a" * 500_000, "net.toml:1: a key has more than 100 parts"),
    ("a key of quoted parts", '\n"a"' + ". 'a'" * 500, "net.toml:2: a key has more than 100 parts"),
    ("a layer of no neurons that unrolls", XOR + 'layers = ["lstm 0", "dense 1"]\n', "lstm needs at least 1 unit, not 0"),
    ("a loss of no name", XOR.replace('"mse"', "{}") + 'layers = ["dense 1"]\n', "loss has no use: it is one of half-mse"),
    ("weights of no name", 'weights = ""\n' + ONE, 'weights is the name of a file such as "w.npz"'),
    ("a range beyond all numbers", XOR + 'layers = ["dense 1 init=uniform,-1e308,1e308"]\n', "uniform takes 2 finite numbers up to 1e+30"),
    ("a deviation beyond all numbers", XOR + 'layers = ["dense 1 init=normal,0,1e308"]\n', "normal takes 2 finite numbers up to 1e+30"),
    ("an option larger than any float", XOR + f'layers = ["dropout 1{"0" * 400}", "dense 1"]\n', "is no rate: write"),
    ("a size larger than any float", XOR + f'[net]\na = {{ kind = "pad", before = 1{"0" * 400}, after = 1, from = "x" }}\n', "too large"),
    ("shared weights of another shape", XOR + '[net]\na = "dense 5 (x)"\nb = "dense 1 shares=a (a)"\n', "b can't share the weights of a: "),
    ("more parameters than there are floats", XOR + "layers = [" + '"tile 999999999", ' * 50 + '"dense 9", "dense 1"]\n', "parameters need about 10²⁰ or more GiB here"),
    ("a hundred thousand layers", XOR + "layers = [" + '"dense 1",' * 100_000 + "]\n", "100000 layers: the limit is 1000"),
    ("classes beyond all memory", 'data = { x = [[1], [2]], y = [0, 1] }\nloss = "softmax-ce"\nlayers = ["dense 20000000"]\n', "the last layer gives 20,000,000 outputs: as classes, 100,000 are the limit"),
    ("patterns beyond all patience", "freeze = [" + "".join(f"'{k}*W*b'," for k in range(2000)) + "]\n" + ONE, "2000 patterns: the limit is 1000"),
    ("a layer beyond all memory", 'data = { use = "moons", rows = 100000 }\nloss = "mse"\nlayers = ["dense 10000000", "dense 1"]\n', "make the batch smaller, or 1 (100000×10000000)"),
    ("windows beyond all memory", 'data = { use = "digits", shape = [1, 8, 8], batch = 64 }\nloss = "mse"\nlayers = ["conv 1 50 pad=2000", "global-avg-pool", "dense 1"]\n', "make the batch smaller, or "),
]  # fmt: skip

READ = [
    ("a deviation of minus nothing", 'data = { use = "moons", noise = -0.0 }\nloss = "mse"\nlayers = ["dense 1 init=normal,0,-0.0"]\n'),
    ("a thousand layers", XOR + "layers = [" + '"dense 2 tanh",' * 999 + '"dense 1"]\n'),
    ("many points in a text", 'title = "1.5 2.5 …' + " a. b" * 500 + '"\n' + ONE),
    ("a date as a title's text", 'title = "1979-05-27"\n' + ONE),
]  # fmt: skip

# Mistakes by the thousand: no more than a hundred and one lines, and no hint that takes a second.
MANY = [
    ("misspelt inputs", XOR + "[net]\n" + "".join(f'node_number_{k} = "dense 1 (node_nummber_{k})"\n' for k in THOUSAND)),
    ("misspelt owners", XOR + "[net]\n" + "".join(f'node_number_{k} = "dense 1 shares=node_nummber_{k} (x)"\n' for k in THOUSAND)),
    ("unknown sentences", XOR + "layers = [" + '"dense 1",' * 1000 + "]\n[narration]\n" + "".join(f"zz{k}.grad = 'x'\n" for k in THOUSAND)),
    ("unknown keys", ONE + "".join(f"iteration{k} = 1\n" for k in range(5000))),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def warmed(tmp_path_factory: pytest.TempPathFactory) -> None:
    specs = [ONE, "x", *(spec for _, spec, _ in REFUSED[-6:])]
    files = {"w.npz": packed({"W1": np.ones((2, 1))})}
    warm([_case(spec) for spec in specs] + [_case(weighted().decode(), **files)], tmp_path_factory.mktemp("warm"))


def _case(spec: str, *, good: bool = False, **files: bytes) -> Case:
    return Case("found", "net.toml", {"net.toml": text(spec), **files}, good)


@pytest.mark.parametrize(("spec", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused(tmp_path, spec, says):
    trial = in_process(_case(spec), tmp_path)
    assert trial.faults == []
    assert trial.code == 2
    assert trial.err.count("\n") == 1, trial.err
    assert says in trial.err


@pytest.mark.parametrize("spec", [case[1] for case in READ], ids=[case[0] for case in READ])
def test_what_is_read(tmp_path, spec):
    trial = in_process(_case(spec, good=True), tmp_path)
    assert (trial.faults, trial.code) == ([], 0)


@pytest.mark.parametrize("spec", [case[1] for case in MANY], ids=[case[0] for case in MANY])
def test_mistakes_by_the_thousand(tmp_path, spec):
    trial = in_process(_case(spec), tmp_path)
    assert trial.faults == []
    assert trial.err.count("\n") == 101
    assert "did you mean" in trial.err
    assert trial.err.endswith(" more mistakes\n")


@pytest.mark.parametrize(
    ("array", "says"),
    [(np.ones(2), "W has 1 dimension: inputs × neurons are needed"), (np.float64(2), "W has 0 dimensions: "), (np.ones((2, 1, 1)), "W has 3 dimensions: ")],
)  # fmt: skip
def test_weights_of_other_dimensions(tmp_path, array, says):
    trial = in_process(_case(weighted().decode(), **{"w.npz": packed({"W1": array})}), tmp_path)
    assert (trial.faults, trial.code) == ([], 2)
    assert says in trial.err


def test_weights_that_are_nobodys(tmp_path):
    spec = 'weights = "w.npz"\n' + ONE
    trial = in_process(_case(spec, **{"w.npz": packed({"W7": np.ones((2, 1))})}), tmp_path)
    assert trial.faults == []
    assert trial.err == "bptui: net.toml:1: 'w.npz' holds none of the weights, which are called W1, b1\n"


def test_an_array_of_no_name_in_an_archive(tmp_path):
    spec = 'data = "d.npz"\nlayers = ["dense 1"]\nloss = "mse"\n'
    trial = in_process(_case(spec, **{"d.npz": packed({"": np.ones((3, 3))})}), tmp_path)
    assert trial.faults == []
    assert "'.npy' in the archive is no array" in trial.err


def test_a_key_among_megabytes_of_text_is_found_in_little_memory(tmp_path):
    """A pattern that keeps a way back for each character took a gigabyte for twenty megabytes."""
    for quotes in ('"', "'", '"""', "'''"):
        lines = Lines(f"title = {quotes}{'x' * 4_000_000}{quotes}\nseed = 1\n")
        assert lines.find(("seed",)) == 2
    assert Lines('{"title": "' + "x" * 4_000_000 + '",\n"seed": 1}', is_json=True).find(("seed",)) == 2


@pytest.mark.parametrize("ending", ['"""', '""""', '"""""'])
def test_quotes_before_the_end_of_a_long_text(ending):
    assert Lines(f'a = """x"" \\""" {ending}\nb = 1\n').find(("b",)) == 2


def test_a_spec_that_does_not_fit_what_memory_there_is(tmp_path, monkeypatch):
    """Wherever memory ends, the line names the file."""

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("bptui.reports.trace", full)
    trial = in_process(_case(ONE), tmp_path)
    assert trial.faults == []
    assert trial.err == "bptui: net.toml: there is not enough memory for this network and its data\n"
