"""The bench's own loops compute what the engine computes, and a quick run writes what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "tests")) if path not in sys.path]

from tests.bench.engine import OURS, Free, contenders, difference, tolerance  # noqa: E402
from tests.bench.hand import Hand  # noqa: E402
from tests.bench.nets import DTYPES, OPTIMS, SHAPES, case  # noqa: E402
from tests.bench.rivals import Naive  # noqa: E402
from tests.bench.same import Same  # noqa: E402

SMALL = [name for name in SHAPES if name != "784-512-512-10"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optim", OPTIMS)
@pytest.mark.parametrize("name", SMALL)
def test_the_hand_written_loops_and_the_engine_agree(name, optim, dtype):
    made = case(name, optim, dtype, lr={"sgd": 0.05, "adam": 0.01}[optim] if dtype == "float64" else None)
    ours = Free(made)
    bits, worst = difference(made, ours, Same(made))
    assert bits, f"{made.title}: {worst}"
    assert difference(made, ours, Hand(made))[1] <= tolerance(made, "folded")
    assert difference(made, ours, Naive(made))[1] <= tolerance(made, "naive")
    if optim == "sgd" and made.loss == "half-mse":
        assert difference(made, ours, Hand(made, free=True))[1] <= tolerance(made, "limit")


@pytest.mark.parametrize("name", ["2-2-1", "moons-b1", "moons-b100"])
def test_every_way_to_run_gives_the_same_bits(name):
    made = case(name, "adam")
    people = dict(contenders(made, list(OURS)))
    for who, contender in people.items():
        assert difference(made, people["free"], contender)[0], who


@pytest.mark.parametrize("who", ["torch", "micrograd"])
def test_rivals_agree(who):
    for name, optim in (("2-2-1", "sgd"), ("moons-b1", "sgd"), ("784-128-64-10", "adam")):
        made = case(name, optim)
        for rival in dict(contenders(made, [who])).values():
            assert difference(made, Free(made), rival, 3)[1] <= tolerance(made, who)


def test_a_quick_run_writes_what_it_measured(tmp_path):
    file = tmp_path / "measured.json"
    command = [
        sys.executable,
        "-m",
        "tests.bench",
        "engine",
        "--quick",
        "--only",
        "2-2-1",
        "moons-b100",
        "--json",
        str(file),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "free/hand" in done.stdout
    found = json.loads(file.read_text(encoding="utf-8"))
    assert {result["network"] for result in found["results"]} == {"2-2-1", "moons-b100"}
    assert all(checked["ok"] for result in found["results"] for checked in result["checked"].values())
    assert all(value > 0 for result in found["results"] for value in result["medians"].values())
    assert {"cpu", "numpy", "python", "blas"} <= found["versions"].keys()


def test_a_quick_sweep_is_stacked_to_the_same_bits(tmp_path):
    file = tmp_path / "measured.json"
    command = [sys.executable, "-m", "tests.bench", "sweep", "--quick", "--only", "2-2-1", "--json", str(file)]
    subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert [(row["network"], row["optim"], row["same"]) for row in found] == [("2-2-1", o, True) for o in OPTIMS]
    assert all(row["ratio"] > 0 for row in found)


def test_words_that_name_no_bench():
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "engine" in done.stdout
